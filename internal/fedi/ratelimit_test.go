package fedi

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"rookery/internal/community"
)

// rateOf asserts that err is of class Rate and returns when to come again.
func rateOf(t *testing.T, err error) time.Time {
	t.Helper()
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Class != Rate {
		t.Fatalf("%v, want class rate", err)
	}
	return e.RetryAt
}

func TestFamiliesAreHeldBackBeforeTheyHit(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		do     func(*testing.T, *Client) error
		most   int
		period time.Duration
		step   time.Duration // between calls, so that the general limit is not the one met
	}{
		"general": {func(t *testing.T, c *Client) error { _, err := c.Status(t.Context(), "1"); return err }, 300, 5 * time.Minute, 0},
		"paged": {func(t *testing.T, c *Client) error {
			_, err := c.Notifications(t.Context(), NotificationQuery{MinID: "1"})
			return err
		}, 300, 15 * time.Minute, 2 * time.Second},
		"posts":     {func(t *testing.T, c *Client) error { _, err := c.Post(t.Context(), draft("x"), "k"); return err }, 300, 3 * time.Hour, 2 * time.Second},
		"deletions": {func(t *testing.T, c *Client) error { return c.Delete(t.Context(), "1") }, 30, 30 * time.Minute, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var asked atomic.Int64
			c, clk := serve(t, func(w http.ResponseWriter, r *http.Request) {
				asked.Add(1)
				if r.URL.Path == "/api/v1/notifications" {
					io.WriteString(w, "[]")
					return
				}
				io.WriteString(w, aStatus)
			})
			for n := range tc.most {
				if err := tc.do(t, c); err != nil {
					t.Fatalf("call %d: %v", n+1, err)
				}
				clk.Advance(tc.step)
			}
			want := start.Add(tc.period) // when the first of them is forgotten
			if at := rateOf(t, tc.do(t, c)); !at.Equal(want) {
				t.Errorf("again at %v, want %v", at, want)
			}
			if n := asked.Load(); n != int64(tc.most) {
				t.Errorf("%d requests reached the server, want %d", n, tc.most)
			}
			clk.Advance(want.Sub(clk.Now()) - time.Nanosecond)
			rateOf(t, tc.do(t, c))
			clk.Advance(time.Nanosecond)
			if err := tc.do(t, c); err != nil {
				t.Errorf("after the window: %v", err)
			}
		})
	}
}

func TestASpentFamilyStopsNoOther(t *testing.T) {
	t.Parallel()
	c, _ := serve(t, answerWith(200, "application/json", aStatus))
	for range 30 {
		if err := c.Delete(t.Context(), "1"); err != nil {
			t.Fatal(err)
		}
	}
	rateOf(t, c.Delete(t.Context(), "1"))
	if _, err := c.Post(t.Context(), draft("x"), "k"); err != nil {
		t.Errorf("posting: %v", err)
	}
}

func TestOtherMakesHaveNoWindowsOfMastodon(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*Client){
		"GoToSocial": func(c *Client) { become(c, Instance{Software: GoToSocial}) },
		"Akkoma":     func(c *Client) { become(c, Instance{Software: Akkoma}) },
		"own server": func(c *Client) { c.limits.off = true },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, _ := serve(t, answerWith(200, "application/json", aStatus))
			change(c)
			for range 40 {
				if err := c.Delete(t.Context(), "1"); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

func TestHeadersAreLearnt(t *testing.T) {
	t.Parallel()
	reset := start.Add(4 * time.Minute)
	for name, tc := range map[string]struct {
		software Software
		reset    string
		spends   func(*testing.T, *Client) error // the call whose answer says that nothing is left
		stopped  func(*testing.T, *Client) error
		free     func(*testing.T, *Client) error // nil when everything is stopped
	}{
		"Mastodon, posts":            {Mastodon, reset.Format("2006-01-02T15:04:05.000000Z"), post, post, read},
		"unknown make, reads":        {SoftwareUnknown, reset.Format(time.RFC3339), read, read, nil},
		"GoToSocial, one for all":    {GoToSocial, strconv.FormatInt(reset.Unix(), 10), post, read, nil},
		"Akkoma":                     {Akkoma, reset.Format("2006-01-02T15:04:05.000000Z"), read, post, nil},
		"Sharkey, seconds from here": {Misskey, "239.5", post, post, read},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var asked, left atomic.Int64
			c, clk := serve(t, func(w http.ResponseWriter, r *http.Request) {
				asked.Add(1)
				w.Header().Set("Date", start.Format(http.TimeFormat))
				w.Header().Set("X-RateLimit-Limit", "300")
				w.Header().Set("X-RateLimit-Remaining", strconv.FormatInt(left.Load(), 10))
				w.Header().Set("X-RateLimit-Reset", tc.reset)
				io.WriteString(w, aStatus)
			})
			become(c, Instance{Software: tc.software})
			if err := tc.spends(t, c); err != nil {
				t.Fatal(err)
			}
			at := rateOf(t, tc.stopped(t, c))
			if d := reset.Sub(at); d < 0 || d > time.Second {
				t.Errorf("again at %v, want %v", at, reset)
			}
			if asked.Load() != 1 {
				t.Errorf("%d requests reached the server", asked.Load())
			}
			left.Store(200)
			if tc.free != nil {
				if err := tc.free(t, c); err != nil {
					t.Errorf("another family: %v", err)
				}
			}
			clk.Advance(4 * time.Minute)
			if err := tc.stopped(t, c); err != nil {
				t.Errorf("after the reset: %v", err)
			}
		})
	}
}

func post(t *testing.T, c *Client) error {
	_, err := c.Post(t.Context(), draft("x"), "k")
	return err
}

func read(t *testing.T, c *Client) error {
	_, err := c.Status(t.Context(), community.PostID("1"))
	return err
}

func TestWhatIsLeftIsCountedDownBetweenAnswers(t *testing.T) {
	t.Parallel()
	var l limiter
	h := http.Header{"X-Ratelimit-Remaining": {"2"}, "X-Ratelimit-Reset": {start.Add(time.Minute).Format(time.RFC3339)}}
	l.learn(start, general, Mastodon, 200, h)
	for n := range 2 {
		if _, _, ok := l.take(start, general, Mastodon); !ok {
			t.Fatalf("call %d of the 2 that are left is held back", n+1)
		}
	}
	if _, at, ok := l.take(start, general, Mastodon); ok || !at.Equal(start.Add(time.Minute)) {
		t.Errorf("a third call: %v, again at %v", ok, at)
	}
}

func TestRefusalsAreObeyed(t *testing.T) {
	t.Parallel()
	date := start.Add(10 * time.Minute) // the server's clock is ahead of ours
	for name, tc := range map[string]struct {
		header map[string]string
		want   time.Duration // from now, by our clock
	}{
		"nothing told":         {nil, time.Minute},
		"seconds":              {map[string]string{"Retry-After": "30"}, 30 * time.Second},
		"date":                 {map[string]string{"Retry-After": date.Add(45 * time.Second).Format(http.TimeFormat)}, 45 * time.Second},
		"reset ISO":            {map[string]string{"X-RateLimit-Reset": date.Add(2 * time.Minute).Format("2006-01-02T15:04:05.000000Z")}, 2 * time.Minute},
		"reset epoch":          {map[string]string{"X-RateLimit-Reset": strconv.FormatInt(date.Add(3*time.Minute).Unix(), 10)}, 3 * time.Minute},
		"reset epoch ms":       {map[string]string{"X-RateLimit-Reset": strconv.FormatInt(date.Add(3*time.Minute).UnixMilli(), 10)}, 3 * time.Minute},
		"both, the later":      {map[string]string{"Retry-After": "30", "X-RateLimit-Reset": date.Add(2 * time.Minute).Format(time.RFC3339)}, 2 * time.Minute},
		"reset of another":     {map[string]string{"Retry-After": "30", "X-RateLimit-Remaining": "5", "X-RateLimit-Reset": date.Add(2 * time.Minute).Format(time.RFC3339)}, 30 * time.Second},
		"reset in the past":    {map[string]string{"X-RateLimit-Reset": date.Add(-time.Minute).Format(time.RFC3339)}, time.Minute},
		"nonsense":             {map[string]string{"Retry-After": "soon", "X-RateLimit-Reset": "NaN"}, time.Minute},
		"negative":             {map[string]string{"Retry-After": "-5"}, time.Minute},
		"a century":            {map[string]string{"Retry-After": "3155760000"}, 24 * time.Hour},
		"a century as a reset": {map[string]string{"X-RateLimit-Reset": date.AddDate(100, 0, 0).Format(time.RFC3339)}, 24 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, off := range []bool{false, true} {
				asked := 0
				c, clk := serve(t, func(w http.ResponseWriter, r *http.Request) {
					asked++
					w.Header().Set("Date", date.Format(http.TimeFormat))
					if asked > 1 {
						io.WriteString(w, aStatus)
						return
					}
					for k, v := range tc.header {
						w.Header().Set(k, v)
					}
					w.WriteHeader(http.StatusTooManyRequests)
					io.WriteString(w, `{"error":"Too many requests"}`)
				}, func(o *Options) { o.NoRateLimits = off })
				want := start.Add(tc.want)
				if at := rateOf(t, post(t, c)); !at.Equal(want) {
					t.Errorf("again at %v, want %v", at, want)
				}
				if at := rateOf(t, post(t, c)); !at.Equal(want) || asked != 1 {
					t.Errorf("asked %d times, again at %v", asked, at)
				}
				clk.Advance(tc.want)
				if err := post(t, c); err != nil {
					t.Errorf("when the time has come: %v", err)
				}
			}
		})
	}
}

func TestAnOverloadedServerNamesItsTime(t *testing.T) {
	t.Parallel()
	c, _ := serve(t, header("Retry-After", "20", answerWith(503, "application/json", `{"error":"busy"}`)))
	_, err := c.Status(t.Context(), "1")
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Class != Transient || !e.RetryAt.Equal(start.Add(20*time.Second)) {
		t.Errorf("%#v", err)
	}
}

func FuzzRateHeaders(f *testing.F) {
	for _, s := range []string{"", "0", "-1", "NaN", "Inf", "1e309", "2026-11-21T12:00:00Z", "Sat, 21 Nov 2026 12:00:00 GMT", "99999999999999999999"} {
		f.Add(s, s, s, s)
	}
	f.Fuzz(func(t *testing.T, after, reset, remaining, date string) {
		h := http.Header{"Retry-After": {after}, "X-Ratelimit-Reset": {reset}, "X-Ratelimit-Remaining": {remaining}, "Date": {date}}
		var l limiter
		at := l.learn(start, posting, Mastodon, http.StatusTooManyRequests, h)
		if !at.After(start) || at.After(start.Add(longestRetry)) {
			t.Errorf("again at %v", at)
		}
		if _, until, ok := l.take(start.Add(longestRetry), posting, Mastodon); !ok {
			t.Errorf("held back until %v, for more than a day", until)
		}
	})
}

func TestEffectsThatWaitAreToldToComeOneAfterTheOther(t *testing.T) {
	t.Parallel()
	c, clk := serve(t, answerWith(200, "application/json", aStatus))
	period := windows[deleting].period
	for range windows[deleting].most {
		if err := c.Delete(t.Context(), "1"); err != nil {
			t.Fatal(err)
		}
		clk.Advance(time.Second)
	}
	for i := range 2 * windows[deleting].most { // more than there are moments known
		want := start.Add(period + time.Duration(min(i, windows[deleting].most-1))*time.Second)
		if at := rateOf(t, c.Delete(t.Context(), "1")); !at.Equal(want) {
			t.Fatalf("the waiting one %d is told %v, want %v", i, at, want)
		}
	}
	// What was promised and has passed is promised anew.
	clk.Advance(start.Add(period + time.Minute).Sub(clk.Now()))
	for range windows[deleting].most {
		if err := c.Delete(t.Context(), "1"); err != nil {
			t.Fatal(err)
		}
	}
	if at := rateOf(t, c.Delete(t.Context(), "1")); !at.Equal(clk.Now().Add(period)) {
		t.Errorf("told %v, want %v", at, clk.Now().Add(period))
	}
	// Readers are all told the first moment.
	for range windows[general].most {
		_, _ = c.Status(t.Context(), "1")
	}
	first := rateOf(t, read(t, c))
	if again := rateOf(t, read(t, c)); !again.Equal(first) {
		t.Errorf("readers are told %v and %v", first, again)
	}
}
