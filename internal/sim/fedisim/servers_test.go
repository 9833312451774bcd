package fedisim_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"rookery/internal/sim/fedisim"
)

func TestRepeatedIdempotencyKey(t *testing.T) {
	t.Parallel()
	// How many posts two sends make, and how many a third an hour later.
	wants := map[fedisim.Profile][2]int{
		fedisim.Mastodon: {1, 2}, fedisim.Akkoma: {1, 1}, fedisim.GoToSocial: {2, 3}, fedisim.Snac: {2, 3}, fedisim.Sharkey: {2, 3},
	}
	each(t, func(t *testing.T, w *world) {
		want := wants[w.s.Profile()]
		form := url.Values{"status": {"once"}}
		var a, b status
		w.ok(w.try("POST", statusesPath, w.bot.Token, form, "key"), &a)
		w.ok(w.try("POST", statusesPath, w.bot.Token, form, "key"), &b)
		if n := len(w.s.Timeline()); n != want[0] || (a.ID == b.ID) != (n == 1) {
			t.Errorf("%d posts, want %d", n, want[0])
		}
		w.clock.add(time.Hour)
		w.ok(w.try("POST", statusesPath, w.bot.Token, form, "key"), nil)
		if n := len(w.s.Timeline()); n != want[1] {
			t.Errorf("%d posts an hour later, want %d", n, want[1])
		}
		if p := w.s.Timeline()[0]; p.IdempotencyKey != "key" {
			t.Errorf("the key is %q", p.IdempotencyKey)
		}
	})
}

func TestIdempotencyKeyOfAnother(t *testing.T) {
	t.Parallel()
	for profile, want := range map[fedisim.Profile]int{fedisim.Mastodon: 2, fedisim.Akkoma: 1} {
		w := newWorld(t, fedisim.Options{Profile: profile})
		ada := w.s.AddAccount("ada")
		for _, who := range []*fedisim.Account{ada, w.bot} {
			w.ok(w.try("POST", statusesPath, who.Token, url.Values{"status": {"mine"}}, "key"), nil)
		}
		if n := len(w.s.Timeline()); n != want {
			t.Errorf("%s: %d posts, want %d", profile, n, want)
		}
	}
}

func TestAkkomaReplaysErrors(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fedisim.Options{Profile: fedisim.Akkoma})
	send := func(text, key string) int {
		return w.try("POST", statusesPath, w.bot.Token, url.Values{"status": {text}}, key).status
	}
	w.s.Inject(fedisim.Fail(500).On("POST", statusesPath))
	got := []int{send("", "a"), send("now with text", "a"), send("x", "b")}
	if got[0] != 500 {
		t.Fatalf("got %v", got)
	}
	got = []int{got[1], got[2], send("", "c"), send("now with text", "c")}
	if want := []int{500, 200, 422, 422}; !equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	w.s.Inject(fedisim.Fail(500).Stored().On("POST", statusesPath))
	if got = []int{send("stored", "d"), send("stored", "d")}; !equal(got, []int{500, 500}) {
		t.Errorf("an error after storing: got %v", got)
	}
	if n := len(w.s.Timeline()); n != 2 {
		t.Errorf("%d posts", n)
	}
}

func TestMastodonRepeatAfterDeleteAndOnOldReleases(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fedisim.Options{})
	var st status
	w.ok(w.try("POST", statusesPath, w.bot.Token, url.Values{"status": {"x"}}, "key"), &st)
	w.bot.Delete(st.ID)
	if r := w.try("POST", statusesPath, w.bot.Token, url.Values{"status": {"x"}}, "key"); r.status != 404 {
		t.Errorf("a repeat after the delete gets %d", r.status)
	}
	w = newWorld(t, fedisim.Options{RepeatFails: true})
	w.ok(w.try("POST", statusesPath, w.bot.Token, url.Values{"status": {"x"}}, "key"), nil)
	if r := w.try("POST", statusesPath, w.bot.Token, url.Values{"status": {"x"}}, "key"); r.status != 500 || len(w.s.Timeline()) != 1 {
		t.Errorf("a repeat gets %d, %d posts", r.status, len(w.s.Timeline()))
	}
}

func TestInstanceDocuments(t *testing.T) {
	t.Parallel()
	type want struct {
		v2, v1Config bool
		chars        int
		software     string
	}
	wants := map[fedisim.Profile]want{
		fedisim.Mastodon: {true, true, 500, "mastodon"}, fedisim.Akkoma: {false, false, 5000, "akkoma"},
		fedisim.GoToSocial: {true, true, 5000, "gotosocial"}, fedisim.Snac: {false, true, 100000, "snac"}, fedisim.Sharkey: {true, true, 3000, "sharkey"},
	}
	each(t, func(t *testing.T, w *world) {
		c := wants[w.s.Profile()]
		type limits struct {
			Statuses struct {
				Max int `json:"max_characters"`
			}
		}
		var v1 struct {
			Configuration *limits
			Toot          int `json:"max_toot_chars"`
		}
		w.ok(w.try("GET", "/api/v1/instance", "", nil, ""), &v1)
		if (v1.Configuration != nil) != c.v1Config || v1.Configuration != nil && v1.Configuration.Statuses.Max != c.chars || v1.Configuration == nil && v1.Toot != c.chars {
			t.Errorf("v1: %+v", v1)
		}
		r := w.try("GET", "/api/v2/instance/", "", nil, "")
		if c.v2 {
			var v2 struct {
				Domain        string
				Configuration limits
			}
			w.ok(r, &v2)
			if v2.Configuration.Statuses.Max != c.chars || v2.Domain != w.s.Domain() {
				t.Errorf("v2: %+v", v2)
			}
		} else if r.status != 404 || html(r) != (w.s.Profile() == fedisim.Snac) {
			t.Errorf("v2: %d %s", r.status, r.header.Get("Content-Type"))
		}
		var links struct{ Links []struct{ Rel, Href string } }
		w.ok(w.try("GET", "/.well-known/nodeinfo", "", nil, ""), &links)
		path, ok := strings.CutPrefix(links.Links[0].Href, w.s.URL())
		var doc struct {
			Software struct{ Name, Version string }
		}
		w.ok(w.try("GET", path, "", nil, ""), &doc)
		if !ok || doc.Software.Name != c.software || doc.Software.Version == "" {
			t.Errorf("nodeinfo: %+v %+v", links, doc)
		}
	})
}

func TestMastodonRateLimits(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fedisim.Options{RateLimits: true})
	w.clock.add(-time.Minute) // to the beginning of a window
	get := func(path string) reply { return w.try("GET", path, w.bot.Token, nil, "") }
	r := get("/api/v1/notifications")
	if r.header.Get("X-RateLimit-Limit") != "300" || r.header.Get("X-RateLimit-Remaining") != "299" || r.header.Get("X-RateLimit-Reset") != "2026-11-20T10:05:00.000000Z" {
		t.Errorf("the first: %v", r.header)
	}
	for range 299 {
		r = get("/api/v1/notifications?min_id=1")
	}
	if r.status != 200 || r.header.Get("X-RateLimit-Remaining") != "0" {
		t.Errorf("the 300th: %d %v", r.status, r.header)
	}
	if r = get("/api/v1/notifications"); r.status != 429 || r.header.Get("X-RateLimit-Reset") != "2026-11-20T10:05:00.000000Z" || r.header.Get("Retry-After") != "" {
		t.Errorf("the 301st: %d %v", r.status, r.header)
	}
	w.clock.add(5 * time.Minute)
	if r = get("/api/v1/notifications?min_id=1"); r.status != 200 || r.header.Get("X-RateLimit-Remaining") != "0" {
		t.Errorf("the 300th paged one: %d %v", r.status, r.header)
	}
	if r = get("/api/v1/notifications?max_id=9"); r.status != 429 || r.header.Get("X-RateLimit-Reset") != "2026-11-20T10:15:00.000000Z" {
		t.Errorf("the 301st paged one: %d %v", r.status, r.header)
	}
	if r = get("/api/v1/notifications"); r.status != 200 {
		t.Errorf("an unpaged one: %d", r.status)
	}
	for i := range 31 {
		p := w.bot.Post("to be deleted")
		r = w.try("DELETE", statusesPath+"/"+p.ID, w.bot.Token, nil, "")
		if want := 200; i < 30 && (r.status != want || r.header.Get("X-RateLimit-Limit") != "30") {
			t.Fatalf("delete %d: %d %v", i+1, r.status, r.header)
		}
	}
	if r.status != 429 {
		t.Errorf("the 31st delete: %d", r.status)
	}
	w.clock.add(time.Hour)
	for i := range 301 {
		if i%200 == 0 {
			w.clock.add(5 * time.Minute)
		}
		r = w.try("POST", statusesPath, w.bot.Token, url.Values{"status": {fmt.Sprint(i)}}, "")
		if i < 300 && r.status != 200 {
			t.Fatalf("post %d: %d %s", i+1, r.status, r.body)
		}
	}
	if r.status != 429 || r.header.Get("X-RateLimit-Limit") != "300" || r.header.Get("X-RateLimit-Reset") != "2026-11-20T12:00:00.000000Z" {
		t.Errorf("post 301: %d %v", r.status, r.header)
	}
}

func TestOtherRateLimits(t *testing.T) {
	t.Parallel()
	for profile, limit := range map[fedisim.Profile]int{fedisim.GoToSocial: 300, fedisim.Akkoma: 15, fedisim.Sharkey: 300, fedisim.Snac: 0} {
		w := newWorld(t, fedisim.Options{Profile: profile, RateLimits: true})
		var r reply
		n := 0
		for n = range 320 {
			if r = w.try("POST", statusesPath, w.bot.Token, url.Values{"status": {"x"}}, ""); r.status != 200 {
				break
			}
		}
		if limit == 0 {
			limit = 319
		} else if r.status != 429 {
			t.Errorf("%s: %d", profile, r.status)
		}
		if n != limit {
			t.Errorf("%s: %d posts pass, want %d", profile, n, limit)
		}
		if (r.header.Get("X-RateLimit-Reset") != "") != (profile == fedisim.GoToSocial) || (r.header.Get("Retry-After") != "") != (profile == fedisim.Sharkey) {
			t.Errorf("%s: %v", profile, r.header)
		}
	}
}

func TestErrorBodies(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		for _, path := range []string{"/api/v1/statuses/nothing", "/api/v1/nowhere", "/api/v1/accounts/nobody"} {
			r := w.try("GET", path, w.bot.Token, nil, "")
			if r.status != 404 {
				t.Errorf("%s: %d", path, r.status)
			}
			if w.s.Profile() == fedisim.Snac {
				if !html(r) {
					t.Errorf("%s: %s", path, r.body)
				}
				continue
			}
			var e struct{ Error any }
			if json.Unmarshal(r.body, &e) != nil || e.Error == nil {
				t.Errorf("%s: %s", path, r.body)
			}
		}
	})
	w := newWorld(t, fedisim.Options{Lang: "ja"})
	if r := w.try("GET", "/api/v1/statuses/1", w.bot.Token, nil, ""); !strings.Contains(string(r.body), "レコード") {
		t.Errorf("in Japanese: %s", r.body)
	}
}

func TestWhatAClientNeedsToLogIn(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		p := w.post(url.Values{"status": {"source & all"}})
		var me account
		w.get("/api/v1/accounts/verify_credentials", &me)
		if me.ID != w.bot.ID || !me.Bot || me.Acct != "elelem" {
			t.Errorf("I am %+v", me)
		}
		w.get("/api/v1/accounts/"+w.bot.ID, &me)
		var source struct{ ID, Text string }
		w.get("/api/v1/statuses/"+p.ID+"/source", &source)
		if source.ID != p.ID || source.Text != "source & all" {
			t.Errorf("the source is %+v", source)
		}
		for _, path := range []string{"/api/v1/timelines/home", "/api/v1/timelines/public", "/api/v1/preferences", "/api/v1/markers?timeline[]=home",
			"/api/v2/filters", "/api/v1/lists", "/api/v1/custom_emojis", "/api/v1/notifications", "/api/v1/accounts/lookup?acct=elelem"} {
			var any any
			w.get(path, &any)
		}
		var home []status
		w.get("/api/v1/timelines/home", &home)
		if len(home) != 1 {
			t.Errorf("home has %+v", home)
		}
	})
}

func TestLogAndObserver(t *testing.T) {
	t.Parallel()
	var seen []fedisim.Exchange
	w := newWorld(t, fedisim.Options{KeepRequests: 4, Observe: func(x fedisim.Exchange) { seen = append(seen, x) }})
	for i := range 9 {
		w.s.Inject(fedisim.Slow(0))
		r := w.try("POST", "/api/v1/statuses/?a=b", w.bot.Token, url.Values{"status": {fmt.Sprint(i)}}, "key"+fmt.Sprint(i))
		if r.status != 200 || len(seen) != i+1 {
			t.Fatalf("%d: %d exchanges", r.status, len(seen))
		}
	}
	x := seen[8]
	if x.Method != "POST" || x.Path != "/api/v1/statuses/" || x.Query != "a=b" || string(x.ReqBody) != "status=8" || x.Status != 200 ||
		!json.Valid(x.RespBody) || x.Profile != fedisim.Mastodon || x.Fault != "slow" {
		t.Errorf("the exchange is %+v", x)
	}
	log := w.s.Requests()
	last := log[len(log)-1]
	if len(log) > 4 || w.s.RequestCount() != 9 || last.IdempotencyKey != "key8" || last.Acct != "elelem" || last.Body != "status=8" {
		t.Errorf("the log is %+v", log)
	}
}
