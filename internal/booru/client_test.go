package booru

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

const agent = "rookery-test/1 (ops@rookery.example)"

// board is a server that answers every request alike, and keeps the last one.
type board struct {
	*httptest.Server
	mu   sync.Mutex
	last *http.Request
	asks int
}

func serve(t *testing.T, h http.HandlerFunc) *board {
	t.Helper()
	b := &board{}
	b.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.mu.Lock()
		b.last = r
		b.asks++
		b.mu.Unlock()
		h(w, r)
	}))
	t.Cleanup(b.Close)
	return b
}

func (b *board) request() (*http.Request, int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.last, b.asks
}

func says(status int, body string, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func TestFailuresBySource(t *testing.T) {
	t.Parallel()
	const page = "<!DOCTYPE html><title>One moment</title>"
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	tests := []struct {
		name   string
		answer http.HandlerFunc
		class  Class
		retry  time.Duration // at least, from now; 0: none
		text   string
	}{
		{"rate with seconds", says(429, `{}`, "Retry-After", "90"), Rate, 90 * time.Second, "asked too often"},
		{"rate with a date", says(429, `{}`, "Date", "Sun, 01 Mar 2026 15:00:00 GMT", "Retry-After", "Sun, 01 Mar 2026 15:02:00 GMT"), Rate, 2 * time.Minute, "wait"},
		{"rate without a word", says(429, ""), Rate, 3 * time.Second, "wait"},
		{"challenge", says(501, page, "Content-Type", "text/html"), Busy, 6 * time.Second, "challenge page"},
		{"Cloudflare", says(403, page, "Cf-Mitigated", "challenge"), Busy, 6 * time.Second, "challenge page"},
		{"empty 500", says(500, " \n"), Busy, 15 * time.Minute, "blocked"},
		{"time-out of the database", says(500, `{"success":false,"message":"The database timed out running your query."}`), Busy, 3 * time.Second, "timed out"},
		{"maintenance", says(503, page), Busy, 3 * time.Second, "wait"},
		{"banned", says(403, page), Denied, 0, "user agent"},
		{"wrong key", says(401, `{"message":"bad key s3cr3t/KEY"}`), Denied, 0, "login and key"},
		{"its syntax", says(400, `{"error":"Imbalanced parentheses."}`), Refused, 0, "imbalanced parentheses"},
		{"too many tags", says(422, `{"success":false,"error":"PostQuery::TagLimitError"}`), Refused, 0, "fewer"},
		{"moved", says(301, "", "Location", "https://elsewhere.example/"), Broken, 3 * time.Second, "moved"},
		{"not there", says(404, page), Broken, 3 * time.Second, "url"},
		{"a page", says(200, page), Broken, 3 * time.Second, "web page"},
		{"nothing", says(200, ""), Broken, 3 * time.Second, "url"},
		{"half a document", says(200, `{"images":[{`), Broken, 3 * time.Second, "url"},
		{"another document", says(200, `{"images":{"a":1},"posts":3}`), Broken, 3 * time.Second, "url"},
		{"no list", says(200, `{}`), Broken, 3 * time.Second, "url"},
		{"null", says(200, `null`), Broken, 3 * time.Second, "url"},
		{"too much", says(200, strings.Repeat(" ", maxBody)+"[]"), Broken, 3 * time.Second, "4 MB"},
		{"cut off", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, "[")
		}, Unreachable, 3 * time.Second, "network"},
	}
	for _, tt := range tests {
		for kind, open := range constructors {
			t.Run(tt.name+"/"+kind, func(t *testing.T) {
				t.Parallel()
				b := serve(t, tt.answer)
				src := open(t, Options{Name: "Board", BaseURL: b.URL, Login: "me", Key: "s3cr3t/KEY", UserAgent: agent, Now: func() time.Time { return now }})
				_, err := src.Find(t.Context(), Query{}, 1)
				e, ok := errors.AsType[*Error](err)
				if !ok {
					t.Fatalf("Find: %v", err)
				}
				if e.Class != tt.class || e.Source != "Board" {
					t.Errorf("class %s of %s, want %s: %v", e.Class, e.Source, tt.class, err)
				}
				if got := e.RetryAt.Sub(now); tt.retry > 0 && got < tt.retry || tt.retry == 0 && !e.RetryAt.IsZero() {
					t.Errorf("RetryAt is in %s, want %s: %v", got, tt.retry, err)
				}
				if !strings.Contains(err.Error(), tt.text) {
					t.Errorf("%q lacks %q", err, tt.text)
				}
				if strings.Contains(strings.ToLower(err.Error()), "s3cr3t") {
					t.Errorf("the key is in %q", err)
				}
				if e.Class == Refused && e.Reason != NotUnderstood {
					t.Errorf("reason %q", e.Reason)
				}
				// What time can mend is not asked again before its time.
				_, again := src.Find(t.Context(), Query{}, 1)
				if _, asks := b.request(); (asks == 1) != (tt.retry > 0) || ClassOf(again) != tt.class {
					t.Errorf("asked %d times; then: %v", asks, again)
				}
			})
		}
	}
}

var constructors = map[string]func(*testing.T, Options) Source{
	"philomena": func(t *testing.T, o Options) Source {
		p, err := NewPhilomena(o)
		return made(t, p, err)
	},
	"danbooru": func(t *testing.T, o Options) Source {
		d, err := NewDanbooru(o)
		return made(t, d, err)
	},
	"e621": func(t *testing.T, o Options) Source {
		e, err := NewE621(o)
		return made(t, e, err)
	},
}

func made[S Source](t *testing.T, s S, err error) Source {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// roundTrip answers without a network.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func answer(status int, body string) *http.Response {
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}
}

func TestPausesGrowAndEndWithAnAnswer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		status, asks := 500, 0
		src := constructors["philomena"](t, Options{UserAgent: agent, Transport: roundTrip(func(*http.Request) (*http.Response, error) {
			asks++
			return answer(status, `{"images":[],"error":"x"}`), nil
		})})
		var last time.Duration
		for i := range 12 {
			_, err := src.Find(t.Context(), Query{}, 1)
			e, ok := errors.AsType[*Error](err)
			if !ok || e.Class != Busy || asks != i+1 {
				t.Fatalf("ask %d of %d: %v", i+1, asks, err)
			}
			pause := time.Until(e.RetryAt)
			if i > 0 && i < 6 && pause < last || pause > longestPause {
				t.Errorf("pause %d is %s after %s", i+1, pause, last)
			}
			last = pause
			<-time.After(pause) // of the bubble's clock
		}
		status = 200
		if _, err := src.Find(t.Context(), Query{}, 1); err != nil {
			t.Fatal(err)
		}
		status = 500
		_, err := src.Find(t.Context(), Query{}, 1)
		if e, _ := errors.AsType[*Error](err); time.Until(e.RetryAt) > 2*firstPause || ClassOf(err) != Busy {
			t.Errorf("after an answer the pause is %s", time.Until(e.RetryAt))
		}
	})
}

// TestPace counts the requests of the busiest window of the board's own limit.
func TestPace(t *testing.T) {
	t.Parallel()
	for kind, limit := range map[string]struct {
		window time.Duration
		most   int
	}{"philomena": {10 * time.Second, 20}, "e621": {time.Second, 2}, "danbooru": {time.Second, 10}} {
		synctest.Test(t, func(t *testing.T) {
			var asked []time.Time
			src := constructors[kind](t, Options{UserAgent: agent, Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
				asked = append(asked, time.Now())
				if r.Host == "furbooru.org" {
					return answer(200, `{"images":[]}`), nil
				}
				if r.Host == "e621.net" {
					return answer(200, `{"posts":[]}`), nil
				}
				return answer(200, `[]`), nil
			})})
			for range 60 {
				if _, err := src.Find(t.Context(), Query{}, 1); err != nil {
					t.Fatal(err)
				}
			}
			for i := range asked {
				n := 0
				for _, at := range asked[i:] {
					if at.Sub(asked[i]) < limit.window {
						n++
					}
				}
				if n > limit.most {
					t.Fatalf("%s: %d requests within %s", kind, n, limit.window)
				}
			}
		})
	}
}

func TestATurnThatIsTooFarIsRate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		src := constructors["e621"](t, Options{UserAgent: agent, Transport: roundTrip(func(*http.Request) (*http.Response, error) {
			return answer(200, `{"posts":[]}`), nil
		})})
		var wg sync.WaitGroup
		var mu sync.Mutex
		classes := map[Class]int{}
		for range 40 {
			wg.Go(func() {
				_, err := src.Find(t.Context(), Query{}, 1)
				if e, ok := errors.AsType[*Error](err); ok && !e.RetryAt.After(time.Now()) {
					t.Errorf("RetryAt is not set: %v", err)
				}
				mu.Lock()
				classes[ClassOf(err)]++
				mu.Unlock()
			})
		}
		wg.Wait()
		// One at once and one in each of the five seconds that are waited.
		if classes[""] != 6 || classes[Rate] != 34 {
			t.Errorf("outcomes: %v", classes)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		_, first := src.Find(ctx, Query{}, 1)
		_, err := src.Find(ctx, Query{}, 1)
		if ClassOf(err) != Rate {
			t.Errorf("with no time to wait: %v, %v", first, err)
		}
	})
}

// TestNothingIsSentAfterAChallenge: a second request within five seconds would
// be the one that gets the address blocked.
func TestNothingIsSentAfterAChallenge(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		asks := 0
		src := constructors["philomena"](t, Options{UserAgent: agent, Transport: roundTrip(func(*http.Request) (*http.Response, error) {
			asks++
			<-time.After(time.Second) // of the bubble's clock
			return answer(501, "<html>"), nil
		})})
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() {
				_, err := src.Find(t.Context(), Query{}, 1)
				if e, ok := errors.AsType[*Error](err); !ok || e.Class != Busy && e.Class != Rate || !e.RetryAt.After(time.Now()) {
					t.Errorf("Find: %v", err)
				}
			})
		}
		wg.Wait()
		if asks != 1 {
			t.Errorf("%d requests", asks)
		}
	})
}

// TestOneRequestAtATime: who waits behind a slow one does not wait for ever.
func TestOneRequestAtATime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		under, most := 0, 0
		src := constructors["danbooru"](t, Options{UserAgent: agent, Transport: roundTrip(func(*http.Request) (*http.Response, error) {
			under++
			most = max(most, under)
			<-time.After(7 * time.Second) // of the bubble's clock
			under--
			return answer(200, "[]"), nil
		})})
		var wg sync.WaitGroup
		var classes [2]Class
		for i := range classes {
			wg.Go(func() {
				_, err := src.Find(t.Context(), Query{}, 1)
				classes[i] = ClassOf(err)
			})
		}
		wg.Wait()
		if most != 1 || classes != [2]Class{"", Rate} && classes != [2]Class{Rate, ""} {
			t.Errorf("%d at once, outcomes %q", most, classes)
		}
	})
}

func TestGivingUpIsNotTheBoardsFault(t *testing.T) {
	t.Parallel()
	hang := serve(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	src := constructors["philomena"](t, Options{BaseURL: hang.URL, UserAgent: agent})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		_, err := src.Find(ctx, Query{}, 1)
		done <- err
	}()
	cancel()
	err := <-done
	if e, _ := errors.AsType[*Error](err); ClassOf(err) != Unreachable || !errors.Is(err, context.Canceled) || !e.RetryAt.IsZero() {
		t.Errorf("cancelled: %v", err)
	}

	src = constructors["philomena"](t, Options{BaseURL: hang.URL, UserAgent: agent, Timeout: time.Millisecond, Key: "s3cr3t"})
	_, err = src.Find(t.Context(), Query{}, 1)
	if e, _ := errors.AsType[*Error](err); ClassOf(err) != Unreachable || e.RetryAt.IsZero() || strings.Contains(err.Error(), "s3cr3t") {
		t.Errorf("too slow: %v", err)
	}
}

func TestRequests(t *testing.T) {
	t.Parallel()
	b := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/search/images") {
			says(200, `{"images":[]}`)(w, r)
			return
		}
		says(200, `{"posts":[]}`)(w, r)
	})
	ask := func(src Source, q Query) (*http.Request, url.Values) {
		t.Helper()
		if _, err := src.Find(t.Context(), q, 3); err != nil && src.Name() != "Dan" {
			t.Fatal(err)
		}
		r, _ := b.request()
		return r, r.URL.Query()
	}
	o := Options{BaseURL: b.URL + "/sub/", Key: "k&y", FilterID: "100", NSFWFilterID: "200", UserAgent: agent}
	r, v := ask(constructors["philomena"](t, o), Query{})
	if r.URL.Path != "/sub/api/v1/json/search/images" || r.UserAgent() != agent || v.Get("sf") != "random" ||
		v.Get("per_page") != "50" || v.Get("filter_id") != "100" || v.Get("key") != "k&y" || v.Get("q") != "safe, animated, gif" {
		t.Errorf("asked %s as %s", r.URL, r.UserAgent())
	}
	if _, v = ask(constructors["philomena"](t, o), Query{NSFW: true}); v.Get("filter_id") != "200" || v.Get("q") != "animated, gif" {
		t.Errorf("NSFW asked %v", v)
	}

	o = Options{BaseURL: b.URL, Login: "me", Key: "k&y", UserAgent: agent}
	r, v = ask(constructors["e621"](t, o), Query{})
	if login, key, _ := r.BasicAuth(); login != "me" || key != "k&y" || r.URL.Path != "/posts.json" || v.Get("tags") != "type:gif order:random animated rating:s" {
		t.Errorf("asked %s by %s", r.URL, login)
	}
	o.Name, o.Login, o.Key = "Dan", "", ""
	r, v = ask(constructors["danbooru"](t, o), Query{})
	if _, _, ok := r.BasicAuth(); ok || v.Get("tags") != "filetype:gif rating:g order:random" {
		t.Errorf("asked %s", r.URL)
	}
}

func TestOptionsSayWhatToMend(t *testing.T) {
	t.Parallel()
	for text, o := range map[string]Options{
		"user agent":        {},
		"control character": {UserAgent: "a\nb"},
		"https://furbooru":  {UserAgent: agent, BaseURL: "furbooru.org"},
		"address":           {UserAgent: agent, BaseURL: "https://furbooru.org/?key=1"},
		"login":             {UserAgent: agent, Login: "me"},
	} {
		if _, err := NewPhilomena(o); err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("%+v: %v, want %q", o, err, text)
		}
	}
	if _, err := NewE621(Options{UserAgent: agent, Key: "k"}); err == nil {
		t.Error("e621 took a key without a login")
	}
	if _, err := NewDanbooru(Options{UserAgent: agent, Login: "k"}); err == nil {
		t.Error("Danbooru took a login without a key")
	}
	p, err := NewPhilomena(Options{UserAgent: agent})
	if err != nil || p.Name() != "furbooru.org" {
		t.Errorf("%v, %v", p, err)
	}
}
