package fedisim_test

import (
	"net/url"
	"testing"
	"time"

	"rookery/internal/sim/fedisim"
)

// A day of a busy bot under Mastodon's limits: one that keeps to them is never
// refused, one that does not is refused exactly for what is too much, in
// windows that begin with the clock and not with the first request.
func TestDayOfTraffic(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fedisim.Options{RateLimits: true, KeepRequests: 40000})
	w.clock.add(-time.Minute)
	start := w.clock.now()
	var sent []string
	for at := time.Duration(0); at < 24*time.Hour; at += time.Minute {
		w.clock.add(start.Add(at).Sub(w.clock.now()))
		for range 10 { // 150 paged ones in 15 minutes
			w.get("/api/v1/notifications?min_id=1", nil)
		}
		sent = append(sent, w.post(url.Values{"status": {"x"}}).ID) // 180 in three hours
		if len(sent) > 0 && at%(90*time.Second) == 0 {
			w.ok(w.try("DELETE", statusesPath+"/"+sent[0], w.bot.Token, nil, ""), nil)
			sent = sent[1:]
		}
	}
	if n := refusals(w); len(n) != 0 {
		t.Errorf("refused: %v", n)
	}
	log := len(w.s.Requests())

	// Now too much of each, one window after the other.
	w.clock.add(start.Add(24 * time.Hour).Sub(w.clock.now()))
	for range 12 { // twelve windows of five minutes
		for range 320 {
			w.try("GET", "/api/v1/notifications", w.bot.Token, nil, "")
		}
		w.clock.add(5 * time.Minute)
	}
	for i := range 310 { // 15 minutes of paging
		if i%155 == 0 {
			w.clock.add(5 * time.Minute)
		}
		w.try("GET", "/api/v1/notifications?since_id=1", w.bot.Token, nil, "")
	}
	w.clock.add(5 * time.Minute)
	for range 33 {
		w.try("POST", "/api/v2/media", w.bot.Token, nil, "")
		w.try("DELETE", statusesPath+"/1", w.bot.Token, nil, "")
	}
	w.clock.add(2 * time.Hour)
	for i := range 304 {
		if i%152 == 0 {
			w.clock.add(5 * time.Minute)
		}
		w.try("POST", statusesPath, w.bot.Token, url.Values{"status": {"x"}}, "")
	}
	want := map[string]int{"general": 12 * 20, "paged": 10, "media": 3, "delete": 3, "post": 4}
	if got := refusals(w); !sameCounts(got, want) {
		t.Errorf("refused: %v, want %v", got, want)
	}
	if log < 15000 {
		t.Errorf("the day had %d requests", log)
	}
	if r := w.try("GET", "/api/v1/notifications?page=2", "", nil, ""); r.status != 401 {
		t.Errorf("without a token: %d", r.status)
	}
}

// Five tokens of an account share 1,500 requests in five minutes.
func TestAccountsHaveALimitToo(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fedisim.Options{RateLimits: true})
	w.clock.add(-time.Minute)
	app := w.register("read")
	var tokens []string
	for range 6 {
		code, err := w.s.Approve(w.bot, fedisim.Authorization{ClientID: app.ClientID, RedirectURI: oob})
		if err != nil {
			t.Fatal(err)
		}
		var tok token
		w.ok(w.redeem(app, code), &tok)
		tokens = append(tokens, tok.AccessToken)
	}
	for i := range 1510 {
		w.try("GET", "/api/v1/notifications", tokens[i%6], nil, "")
	}
	if got, want := refusals(w), map[string]int{"account": 10}; !sameCounts(got, want) {
		t.Errorf("refused: %v, want %v", got, want)
	}
}

// refusals counts the 429 of the log by the limit that made them.
func refusals(w *world) map[string]int {
	out := map[string]int{}
	for _, r := range w.s.Requests() {
		if (r.Status == 429) != (r.Limited != "") {
			w.Errorf("a %d is limited by %q", r.Status, r.Limited)
		}
		if r.Limited != "" {
			out[r.Limited]++
		}
	}
	return out
}

func sameCounts(a, b map[string]int) bool {
	if len(a) != len(b) {
		return false
	}
	for k, n := range a {
		if b[k] != n {
			return false
		}
	}
	return true
}
