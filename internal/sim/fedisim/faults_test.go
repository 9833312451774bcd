package fedisim_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"rookery/internal/sim/fedisim"
)

const statusesPath = "/api/v1/statuses"

func TestFaultsThatAnswer(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fault  fedisim.Fault
		stored bool
		check  func(reply) bool
	}{
		"500":              {fedisim.Fail(500), false, func(r reply) bool { return r.status == 500 && html(r) }},
		"stored, then 500": {fedisim.Fail(500).Stored(), true, func(r reply) bool { return r.status == 500 }},
		"502":              {fedisim.Fail(502), false, func(r reply) bool { return r.status == 502 && html(r) }},
		"422":              {fedisim.Fail(422), false, func(r reply) bool { return r.status == 422 && json.Valid(r.body) }},
		"503":              {fedisim.Unavailable(7 * time.Second), false, func(r reply) bool { return r.status == 503 && r.header.Get("Retry-After") == "7" }},
		"reset":            {fedisim.Reset(), false, func(r reply) bool { return r.err != nil }},
		"stored, reset":    {fedisim.Reset().Stored(), true, func(r reply) bool { return r.err != nil }},
		"portal":           {fedisim.WebPage(200), false, func(r reply) bool { return r.status == 200 && html(r) }},
		"html error":       {fedisim.WebPage(403), false, func(r reply) bool { return r.status == 403 && html(r) }},
		"empty":            {fedisim.Empty(), true, func(r reply) bool { return r.status == 200 && len(r.body) == 0 }},
		"truncated":        {fedisim.Truncated(), true, func(r reply) bool { return r.status == 200 && len(r.body) > 0 && !json.Valid(r.body) }},
		"torn":             {fedisim.Torn(), true, func(r reply) bool { return r.status == 200 && r.err != nil && len(r.body) > 0 }},
		"huge":             {fedisim.Huge(), true, func(r reply) bool { return r.status == 200 && len(r.body) > 10<<20 && json.Valid(r.body) }},
		"wrong type":       {fedisim.WrongType(), true, func(r reply) bool { return html(r) && json.Valid(r.body) }},
		"revoked":          {fedisim.Revoked(), false, func(r reply) bool { return r.status == 401 }},
		"slow":             {fedisim.Slow(time.Millisecond), true, func(r reply) bool { return r.status == 200 && json.Valid(r.body) }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, fedisim.Options{})
			in := w.s.Inject(c.fault.On("POST", statusesPath))
			r := w.try("GET", "/api/v1/notifications", w.bot.Token, nil, "")
			if r.status != 200 {
				t.Fatalf("another request is struck: %d", r.status)
			}
			if r = w.try("POST", statusesPath, w.bot.Token, url.Values{"status": {"hello"}}, ""); !c.check(r) {
				t.Errorf("answer %d, %v, %v, %.100s", r.status, r.err, r.header, r.body)
			}
			if n := len(w.s.Timeline()); (n == 1) != c.stored {
				t.Errorf("%d posts are stored", n)
			}
			if in.Hits() != 1 {
				t.Errorf("%d hits", in.Hits())
			}
			w.post(url.Values{"status": {"hello again"}}) // it strikes once
		})
	}
}

func html(r reply) bool { return strings.HasPrefix(r.header.Get("Content-Type"), "text/html") }

func TestTooManyForms(t *testing.T) {
	t.Parallel()
	for form, want := range map[fedisim.RetryForm]struct{ after, reset string }{
		fedisim.RetrySeconds: {"90", ""},
		fedisim.RetryDate:    {"Fri, 20 Nov 2026 10:02:30 GMT", ""},
		fedisim.ResetISO:     {"", "2026-11-20T10:02:30.000000Z"},
		fedisim.ResetEpoch:   {"", strconv.FormatInt(time.Date(2026, 11, 20, 10, 2, 30, 0, time.UTC).Unix(), 10)},
		fedisim.RetryNothing: {"", ""},
	} {
		w := newWorld(t, fedisim.Options{})
		w.s.Inject(fedisim.TooMany(form, 90*time.Second))
		r := w.try("GET", "/api/v1/notifications", w.bot.Token, nil, "")
		if r.status != 429 || r.header.Get("Retry-After") != want.after || r.header.Get("X-RateLimit-Reset") != want.reset {
			t.Errorf("form %d: %d %v", form, r.status, r.header)
		}
	}
}

func TestLateIsStoredAfterTheClientHasGone(t *testing.T) {
	t.Parallel()
	for _, cut := range []bool{false, true} {
		w := newWorld(t, fedisim.Options{})
		in := w.s.Inject(fedisim.Late(-1, cut).On("POST", statusesPath))
		ctx, cancel := context.WithCancel(context.Background())
		if !cut {
			go func() {
				defer cancel()
				_ = w.s.WaitFor(ctx, func(*fedisim.Server) bool { return in.Hits() == 1 })
			}()
		}
		r := w.tryCtx(ctx, "POST", statusesPath, w.bot.Token, url.Values{"status": {"late"}}, "")
		cancel()
		if r.err == nil {
			t.Fatalf("cut %v: the client got %d", cut, r.status)
		}
		w.wait(func(*fedisim.Server) bool { return in.Waiting() == 1 })
		if n := len(w.s.Timeline()); n != 0 {
			t.Fatalf("cut %v: %d posts before the release", cut, n)
		}
		in.Release()
		if n := len(w.s.Timeline()); n != 1 {
			t.Errorf("cut %v: %d posts after the release", cut, n)
		}
		w.s.Inject(fedisim.Late(time.Millisecond, true).On("POST", statusesPath))
		w.try("POST", statusesPath, w.bot.Token, url.Values{"status": {"later"}}, "")
		w.wait(func(s *fedisim.Server) bool { return len(s.Timeline()) == 2 })
	}
}

func TestHoldAnswersAfterRelease(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fedisim.Options{})
	in := w.s.Inject(fedisim.Hold().On("", "/api/v1/notifications"))
	done := make(chan reply)
	go func() { done <- w.try("GET", "/api/v1/notifications", w.bot.Token, nil, "") }()
	w.wait(func(*fedisim.Server) bool { return in.Hits() == 1 })
	in.Release()
	if r := <-done; r.status != 200 {
		t.Errorf("got %d, %v", r.status, r.err)
	}
}

func TestHangLastsUntilTheClientLeaves(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fedisim.Options{})
	in := w.s.Inject(fedisim.Hang().Always())
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		defer cancel()
		_ = w.s.WaitFor(ctx, func(*fedisim.Server) bool { return in.Hits() == 1 })
	}()
	if r := w.tryCtx(ctx, "GET", "/api/v1/instance", "", nil, ""); r.err == nil {
		t.Errorf("an answer came: %d", r.status)
	}
	// Close does not wait for a client that never leaves.
	go w.try("GET", "/api/v1/instance", "", nil, "")
	w.wait(func(*fedisim.Server) bool { return in.Hits() == 2 })
	w.s.Close()
}

func TestCloseDropsWhatWasToComeLate(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fedisim.Options{})
	w.s.Inject(fedisim.Late(time.Hour, true).On("POST", statusesPath))
	w.try("POST", statusesPath, w.bot.Token, url.Values{"status": {"never"}}, "")
	w.s.Close()
	if n := len(w.s.Timeline()); n != 0 {
		t.Errorf("%d posts", n)
	}
}

func TestWhichRequestsAreStruck(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fedisim.Options{Seed: 1})
	get := func(path string) int { return w.try("GET", path, w.bot.Token, nil, "").status }
	p := w.post(url.Values{"status": {"x"}})

	w.s.Inject(fedisim.Fail(500).On("GET", "/api/v1/statuses/*/context").Times(2))
	got := []int{get("/api/v1/statuses/" + p.ID), get("/api/v1/statuses/" + p.ID + "/context"), get("/api/v1/statuses/" + p.ID + "/context"), get("/api/v1/statuses/" + p.ID + "/context")}
	if want := []int{200, 500, 500, 200}; !equal(got, want) {
		t.Errorf("a pattern, twice: %v", got)
	}
	in := w.s.Inject(fedisim.Fail(503).Always().Chance(0.5).If(func(r *http.Request) bool { return r.URL.Query().Get("limit") == "7" }))
	for range 200 {
		get("/api/v1/notifications?limit=7")
		if c := get("/api/v1/notifications"); c != 200 {
			t.Fatalf("an unmatched request gets %d", c)
		}
	}
	if in.Hits() < 60 || in.Hits() > 140 {
		t.Errorf("a chance of a half strikes %d of 200", in.Hits())
	}
	w.s.ClearFaults()
	w.s.Inject(fedisim.First(func() { w.bot.Delete(p.ID) }).On("GET", "/api/v1/statuses/"))
	if c := get("/api/v1/statuses/" + p.ID); c != 404 {
		t.Errorf("a post deleted just before gets %d", c)
	}
}

func equal(a, b []int) bool {
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return len(a) == len(b)
}

func TestRevokedToken(t *testing.T) {
	t.Parallel()
	wants := map[fedisim.Profile]int{fedisim.Akkoma: 403}
	each(t, func(t *testing.T, w *world) {
		want := wants[w.s.Profile()]
		if want == 0 {
			want = 401
		}
		w.s.Revoke(w.bot.Token)
		for _, path := range []string{"/api/v1/accounts/verify_credentials", "/api/v1/notifications"} {
			for _, token := range []string{w.bot.Token, ""} {
				if r := w.try("GET", path, token, nil, ""); r.status != want {
					t.Errorf("%s with %q gets %d, want %d", path, token, r.status, want)
				}
			}
		}
		w.bot.Restore()
		w.get("/api/v1/accounts/verify_credentials", nil)
	})
}

// Go's transport sends a POST again by itself when it carries an
// Idempotency-Key and a reused connection dies: the simulator must make that visible.
func TestResetOfAReusedConnectionMakesGoSendTwice(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fedisim.Options{Profile: fedisim.GoToSocial})
	w.get("/api/v1/instance", nil) // so that the connection is a reused one
	w.s.Inject(fedisim.Reset().Stored().On("POST", statusesPath))
	req, err := http.NewRequest("POST", w.s.URL()+statusesPath, strings.NewReader("status=twice"))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Authorization", "Bearer "+w.bot.Token)
	req.Header.Set("Idempotency-Key", "key")
	resp, err := w.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if n := len(w.s.Timeline()); n != 2 {
		t.Errorf("%d posts", n)
	}
}
