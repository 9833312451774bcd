package discordsim

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestBuckets(t *testing.T) {
	t.Parallel()
	clock := newTestClock()
	c := newRESTClient(t, Options{Clock: clock.Now})
	p := small(c.s)
	other := c.s.AddChannel(p.guild, "other", Text)
	path := "/channels/" + p.general + "/messages"
	for i := range 5 {
		r := c.do("POST", path, `{"content":"x"}`)
		c.ok(r)
		if got, want := r.header.Get("X-RateLimit-Remaining"), string(rune('4'-i)); got != want || r.header.Get("X-RateLimit-Limit") != "5" {
			t.Errorf("after %d: %v", i+1, r.header)
		}
	}
	clock.advance(250 * time.Millisecond)
	r := c.do("POST", path, `{"content":"x"}`)
	var body = asObj(r.json(t))
	if r.status != 429 || body["global"] != false || r.header.Get("X-RateLimit-Scope") != "user" || r.header.Get("X-RateLimit-Reset-After") != "4.750" ||
		r.header.Get("Retry-After") != "5" || r.header.Get("X-RateLimit-Bucket") == "" {
		t.Errorf("got %d %v %v", r.status, body, r.header)
	}
	// Another channel and another route have buckets of their own.
	c.ok(c.do("POST", "/channels/"+other+"/messages", `{"content":"x"}`))
	c.list(c.do("GET", path, ""))
	clock.advance(5 * time.Second)
	c.ok(c.do("POST", path, `{"content":"x"}`))
}

func TestGlobalLimit(t *testing.T) {
	t.Parallel()
	clock := newTestClock()
	c := newRESTClient(t, Options{Clock: clock.Now})
	p := small(c.s)
	refused := 0
	var last reply
	for i := range 60 {
		g := p.guild
		if i%10 == 0 {
			g = c.s.AddGuild("g")
			c.s.BotJoins(g, botMay)
			p.guild = g
		}
		if r := c.do("GET", "/guilds/"+g+"/roles", ""); r.status == 429 {
			refused++
			last = r
		}
	}
	if refused != 10 || last.header.Get("X-RateLimit-Global") != "true" || last.header.Get("X-RateLimit-Bucket") != "" || last.header.Get("X-RateLimit-Scope") != "global" {
		t.Errorf("%d were refused, the last with %v", refused, last.header)
	}
	clock.advance(time.Second)
	c.ok(c.do("GET", "/users/@me", ""))
}

func TestBan(t *testing.T) {
	t.Parallel()
	clock := newTestClock()
	c := newRESTClient(t, Options{Clock: clock.Now})
	c.s.mu.Lock()
	for range invalidLimit - 1 {
		c.s.countInvalid(&request{}, plainFail(403))
	}
	c.s.countInvalid(&request{scope: "shared"}, rateAnswer(time.Second, "shared"))
	c.s.mu.Unlock()
	if n := c.s.InvalidRequests(); n != invalidLimit-1 {
		t.Errorf("counted %d", n)
	}
	c.ok(c.do("GET", "/users/@me", ""))
	c.auth = ""
	c.is(c.do("GET", "/users/@me", ""), 401, 0)
	r := c.do("GET", "/users/@me", "")
	if r.status != 429 || !strings.HasPrefix(r.header.Get("Content-Type"), "text/html") || r.header.Get("X-RateLimit-Scope") != "" {
		t.Errorf("got %d %v", r.status, r.header)
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	clock := newTestClock()
	c := newRESTClient(t, Options{Clock: clock.Now, NoRateLimits: true})
	p := small(c.s)
	path := "/channels/" + p.general + "/messages"
	const at = "/channels/*/messages"
	post := func() reply { return c.do("POST", path, `{"content":"x"}`) }
	stored := func() int { return len(c.s.Messages(p.general)) }

	c.s.Inject(TooMany(750*time.Millisecond).On("POST", at))
	if r := post(); r.status != 429 || r.header.Get("X-RateLimit-Reset-After") != "0.750" || r.header.Get("X-RateLimit-Bucket") == "" ||
		fmt.Sprint(field(r.json(t), "retry_after")) != "0.75" {
		t.Errorf("got %v %s", r.header, r.body)
	}
	c.s.Inject(TooManyGlobal(time.Second))
	if r := post(); r.status != 429 || r.header.Get("X-RateLimit-Global") != "true" || r.header.Get("X-RateLimit-Bucket") != "" {
		t.Errorf("got %v", r.header)
	}
	c.s.Inject(TooManyShared(time.Second))
	if r := post(); r.header.Get("X-RateLimit-Scope") != "shared" {
		t.Errorf("got %v", r.header)
	}
	c.s.Inject(TooManyAtEdge(0))
	if r := post(); r.status != 429 || r.body[0] != '<' || r.header.Get("Retry-After") != "" {
		t.Errorf("got %v %s", r.header, r.body)
	}
	c.s.Inject(Fail(503))
	c.is(post(), 503, 0)
	c.s.Inject(FailPage(520))
	if r := post(); r.status != 520 || r.body[0] != '<' {
		t.Errorf("got %d", r.status)
	}
	c.s.Inject(Refuse(50001))
	c.is(post(), 403, 50001)
	if n := stored(); n != 0 {
		t.Fatalf("%d messages came of faults", n)
	}

	// Stored, but the answer is lost.
	c.s.Inject(Fail(500).Stored().On("POST", at).Times(2))
	c.is(post(), 500, 0)
	c.is(post(), 500, 0)
	c.s.Inject(CutOff().Stored())
	if r := post(); r.err == nil {
		t.Error("an answer came over a cut connection")
	}
	if n := stored(); n != 3 {
		t.Errorf("%d messages, want 3", n)
	}
	c.s.Inject(Torn().On("GET", "/users/@me"))
	if r := c.do("GET", "/users/@me", ""); r.status != 200 || r.body[len(r.body)-1] == '}' {
		t.Errorf("got %s", r.body)
	}
	c.s.Inject(WrongBody(`{"id":7}`).On("GET", "/users/@me"))
	if r := c.do("GET", "/users/@me", ""); string(r.body) != `{"id":7}` {
		t.Errorf("got %s", r.body)
	}
	c.s.Inject(Slow(time.Millisecond))
	c.ok(post())

	// A fault waits for the requests it is meant for, and can be taken back.
	i := c.s.Inject(Fail(500).On("DELETE", "/channels/**").Always())
	c.ok(post())
	c.s.ClearFaults()
	<-i.Done()
	if i.Hits() != 0 {
		t.Errorf("it struck %d times", i.Hits())
	}
	found := false
	for _, e := range c.s.Requests() {
		found = found || e.Fault == "cut off" && e.Status == 0
	}
	if !found || c.s.Count("POST", "/channels/{channel_id}/messages") == 0 {
		t.Error("the log does not tell of the fault")
	}
	c.s.Reset()
	if len(c.s.Requests()) != 0 {
		t.Error("the log is still there")
	}
}

func TestLateAndHanging(t *testing.T) {
	t.Parallel()
	c := newRESTClient(t, Options{})
	p := small(c.s)
	for _, f := range []Fault{Late(), Hang().Stored()} {
		i := c.s.Inject(f)
		ctx, leave := context.WithCancel(t.Context())
		r, err := http.NewRequestWithContext(ctx, "POST", c.s.URL()+"/channels/"+p.general+"/messages", strings.NewReader(`{"content":"x"}`))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("User-Agent", c.agent)
		r.Header.Set("Authorization", c.auth)
		r.Header.Set("Content-Type", "application/json")
		done := make(chan error, 1)
		before := len(c.s.Messages(p.general))
		go func() {
			res, err := http.DefaultClient.Do(r)
			if err == nil {
				res.Body.Close()
			}
			done <- err
		}()
		<-i.Done()
		leave()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("%s: got %v", f.name, err)
		}
		if err := c.s.WaitFor(testContext(t), func(s *Server) bool { return len(s.Messages(p.general)) == before+1 }); err != nil {
			t.Errorf("%s: nothing was stored", f.name)
		}
	}
}
