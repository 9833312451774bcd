package fedi

import (
	"context"
	"encoding/json"
	stdflag "flag"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"rookery/internal/community"
)

func TestMain(m *testing.M) {
	// 30 stories a test are enough for every change; more with -rapid.checks.
	if err := stdflag.Set("rapid.checks", "30"); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m)
}

const testToken = "s3cret-t0ken"

// start is where the tests' clocks stand.
var start = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// serve starts a server with that handler and a client for it.
func serve(t *testing.T, h http.HandlerFunc, change ...func(*Options)) (*Client, *testClock) {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return clientFor(t, srv.URL, change...)
}

func clientFor(t *testing.T, server string, change ...func(*Options)) (*Client, *testClock) {
	t.Helper()
	clk := newTestClock(start)
	o := Options{Server: server, Token: testToken, UserAgent: "Rookery/test", Clock: clk}
	for _, f := range change {
		f(&o)
	}
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c, clk
}

// answerWith is a handler that always gives one answer.
func answerWith(status int, contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if contentType != "" {
			w.Header().Set("Content-Type", contentType)
		}
		w.WriteHeader(status)
		io.WriteString(w, body)
	}
}

// become makes the client believe that it probed a server of that make.
func become(c *Client, in Instance) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.instance, c.probed = in, true
}

func draft(text string) Draft { return Draft{Text: text, Visibility: community.Unlisted} }

const aStatus = `{"id":"1","uri":"https://art.example/1","content":"<p>hi</p>","visibility":"unlisted","created_at":"2026-11-21T12:00:00.000Z",
	"account":{"id":"7","acct":"ada","username":"ada"}}`

func TestNewRefusesBadOptions(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		o    Options
		want string // part of the message
	}{
		"no server":      {Options{}, "https://art.example"},
		"no scheme":      {Options{Server: "art.example"}, "https://"},
		"plain http":     {Options{Server: "http://art.example"}, "use https"},
		"other scheme":   {Options{Server: "ftp://art.example"}, "https://"},
		"password":       {Options{Server: "https://a:hunter2@art.example"}, "password"},
		"query":          {Options{Server: "https://art.example/?x=1"}, "query"},
		"token with end": {Options{Server: "https://art.example", Token: "abc\n"}, "copy it again"},
		"agent":          {Options{Server: "https://art.example", UserAgent: "a\r\nX-Evil: 1"}, "one line"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := New(tc.o)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("New = %v, want an error with %q", err, tc.want)
			}
			if err != nil && (strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "abc")) {
				t.Errorf("the error tells a secret: %v", err)
			}
		})
	}
	for _, server := range []string{"https://art.example", "https://art.example/", "http://127.0.0.1:80", "http://localhost:3000", "http://[::1]:1", "https://art.example/social"} {
		if _, err := New(Options{Server: server}); err != nil {
			t.Errorf("New(%q): %v", server, err)
		}
	}
}

func TestEveryRequestSaysWhoAsksAndWhatItReads(t *testing.T) {
	t.Parallel()
	var got http.Header
	var path string
	c, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		got, path = r.Header, r.URL.EscapedPath()
		io.WriteString(w, aStatus)
	})
	if _, err := c.Status(t.Context(), "a/b?c 1"); err != nil {
		t.Fatal(err)
	}
	if path != "/api/v1/statuses/a%2Fb%3Fc%201" {
		t.Errorf("path %s", path)
	}
	for k, want := range map[string]string{"Authorization": "Bearer " + testToken, "User-Agent": "Rookery/test", "Accept": "application/json"} {
		if got.Get(k) != want {
			t.Errorf("%s: %q, want %q", k, got.Get(k), want)
		}
	}
}

func TestIdsThatLeadElsewhereAreNotSent(t *testing.T) {
	t.Parallel()
	c, _ := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("a request was sent") })
	for _, id := range []community.PostID{"", ".", "..", "a\nb"} {
		_, readErr := c.Status(t.Context(), id)
		_, ctxErr := c.Context(t.Context(), id)
		_, editErr := c.Edit(t.Context(), id, draft("x"))
		for _, err := range []error{readErr, ctxErr, editErr, c.Delete(t.Context(), id), c.Dismiss(t.Context(), community.NotificationID(id))} {
			if ClassOf(err) != Invalid {
				t.Errorf("id %q: %v", id, err)
			}
		}
	}
}

func TestSkewIsTheServersClockMinusOurs(t *testing.T) {
	t.Parallel()
	date := ""
	c, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header()["Date"] = nil
		if date != "" {
			w.Header().Set("Date", date)
		}
		io.WriteString(w, aStatus)
	})
	ask := func() {
		t.Helper()
		if _, err := c.Status(t.Context(), "1"); err != nil {
			t.Fatal(err)
		}
	}
	ask()
	if d, ok := c.Skew(); ok {
		t.Errorf("a skew of %v without any Date", d)
	}
	date = start.Add(-90 * time.Second).Format(http.TimeFormat)
	ask()
	if d, ok := c.Skew(); !ok || d != -90*time.Second {
		t.Errorf("skew %v %v, want -1m30s", d, ok)
	}
	date = ""
	ask()
	if d, ok := c.Skew(); !ok || d != -90*time.Second {
		t.Errorf("an answer without Date changed the skew to %v %v", d, ok)
	}
}

// Between the jump of our clock and the server's next answer an effect may
// begin: it must not count as older than it is.
func TestServerTimeNeverGoesBackWithOurClock(t *testing.T) {
	t.Parallel()
	c, clk := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", start.Format(http.TimeFormat))
		io.WriteString(w, aStatus)
	})
	if _, err := c.Status(t.Context(), "1"); err != nil {
		t.Fatal(err)
	}
	clk.Advance(5 * time.Second)
	if got := c.serverTime(); !got.Equal(start.Add(5 * time.Second)) {
		t.Errorf("after 5 s it is %s", got)
	}
	clk.Advance(-48 * time.Hour)
	if got := c.serverTime(); got.Before(start) {
		t.Errorf("with our clock set back it is %s", got)
	}
}

func TestPostSendsWhatTheDraftSays(t *testing.T) {
	t.Parallel()
	var got map[string]any
	var key, method, path string
	c, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		key, method, path = r.Header.Get("Idempotency-Key"), r.Method, r.URL.Path
		got = nil
		if r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("Content-Type %q", r.Header.Get("Content-Type"))
		}
		if err := json.NewDecoder(r.Body).Decode(&got); err != nil {
			t.Error(err)
		}
		io.WriteString(w, aStatus)
	})
	same := func(want string) {
		t.Helper()
		b, err := json.Marshal(got)
		if err != nil || string(b) != want {
			t.Errorf("sent %s\nwant %s (%v)", b, want, err)
		}
	}
	s, err := c.Post(t.Context(), draft("hi"), "k1")
	if err != nil || s.ID != "1" || s.Account.ID != "7" {
		t.Fatalf("%+v, %v", s, err)
	}
	if key != "k1" || method != "POST" || path != "/api/v1/statuses" {
		t.Errorf("%s %s with key %q", method, path, key)
	}
	same(`{"sensitive":false,"status":"hi","visibility":"unlisted"}`)

	full := Draft{Text: "hi", CW: "cw", Sensitive: true, Visibility: community.Direct, InReplyTo: "9", Language: "en",
		MediaIDs: []string{"m1", "m2"}, MediaDescriptions: map[string]string{"m1": "a cat", "m3": "gone"}}
	if _, err := c.Post(t.Context(), full, ""); err != nil || key != "" {
		t.Errorf("key %q, %v", key, err)
	}
	same(`{"in_reply_to_id":"9","language":"en","media_ids":["m1","m2"],"sensitive":true,"spoiler_text":"cw","status":"hi","visibility":"direct"}`)

	if _, err := c.Edit(t.Context(), "1", full); err != nil || method != "PUT" || path != "/api/v1/statuses/1" || key != "" {
		t.Errorf("%s %s, key %q, %v", method, path, key, err)
	}
	same(`{"language":"en","media_attributes":[{"description":"a cat","id":"m1"}],"media_ids":["m1","m2"],"sensitive":true,"spoiler_text":"cw","status":"hi"}`)

	if _, err := c.Edit(t.Context(), "1", draft("only text")); err != nil {
		t.Error(err)
	}
	same(`{"media_ids":[],"sensitive":false,"spoiler_text":"","status":"only text"}`)

	become(c, Instance{Software: GoToSocial})
	if _, err := c.Post(t.Context(), draft("*hi*"), "k2"); err != nil {
		t.Error(err)
	}
	same(`{"content_type":"text/plain","sensitive":false,"status":"*hi*","visibility":"unlisted"}`)
}

func TestWhatCannotBePostedIsNotSent(t *testing.T) {
	t.Parallel()
	c, _ := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("a request was sent") })
	for _, v := range []community.Visibility{"", "local", "PUBLIC"} {
		if _, err := c.Post(t.Context(), Draft{Text: "x", Visibility: v}, "k"); ClassOf(err) != Invalid {
			t.Errorf("visibility %q: %v", v, err)
		}
	}
	if _, err := c.Post(t.Context(), draft("x"), "a\r\nb"); ClassOf(err) != Invalid {
		t.Errorf("key: %v", err)
	}
	become(c, Instance{Software: GoToSocial, MaxChars: 10, MaxCharsTold: true})
	long := draft("12345678")
	long.CW = "123"
	if _, err := c.Post(t.Context(), long, "k"); ClassOf(err) != TooLong {
		t.Errorf("too long: %v", err)
	}
	if _, err := c.Edit(t.Context(), "1", long); ClassOf(err) != TooLong {
		t.Errorf("too long: %v", err)
	}
}

func TestALimitNobodyToldStopsNothing(t *testing.T) {
	t.Parallel()
	c, _ := serve(t, answerWith(200, "application/json", aStatus))
	become(c, Instance{Software: Snac, MaxChars: 10})
	if _, err := c.Post(t.Context(), draft("more than ten characters"), "k"); err != nil {
		t.Error(err)
	}
}

func TestAccountStatusesTellsWhenTheServerAnswered(t *testing.T) {
	t.Parallel()
	date := start.Add(-time.Hour).Format(http.TimeFormat)
	var query atomic.Value
	c, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		query.Store(r.URL.RawQuery)
		w.Header()["Date"] = nil
		if r.URL.Query().Get("max_id") == "" {
			w.Header().Set("Date", date)
		}
		io.WriteString(w, "["+aStatus+`,{"id":"0","reblog":{"id":"55"},"account":{"id":"7"}}]`)
	})
	page, asOf, err := c.AccountStatuses(t.Context(), "7", StatusQuery{})
	if err != nil || len(page) != 2 || !asOf.Equal(start.Add(-time.Hour)) || page[1].ReblogOf != "55" {
		t.Errorf("%+v as of %v, %v", page, asOf, err)
	}
	if q := query.Load(); q != "limit=20" {
		t.Errorf("query %v", q)
	}
	_, asOf, err = c.AccountStatuses(t.Context(), "7", StatusQuery{MaxID: "0", Limit: 400})
	if err != nil || !asOf.IsZero() || query.Load() != "limit=40&max_id=0" {
		t.Errorf("as of %v, %v, query %v", asOf, err, query.Load())
	}
}

func TestAPageOfPostsWithAHoleIsNoPage(t *testing.T) {
	t.Parallel()
	c, _ := serve(t, answerWith(200, "application/json", "["+aStatus+`,{"content":"no id"}]`))
	if page, _, err := c.AccountStatuses(t.Context(), "7", StatusQuery{}); ClassOf(err) != Transient {
		t.Errorf("%v, %v", page, err)
	}
}

func TestContextLeavesOutWhatItCannotRead(t *testing.T) {
	t.Parallel()
	c, _ := serve(t, answerWith(200, "application/json", `{"ancestors":[`+aStatus+`,null,{"no":"id"},7],"descendants":null}`))
	th, err := c.Context(t.Context(), "1")
	if err != nil || len(th.Ancestors) != 1 || len(th.Descendants) != 0 {
		t.Errorf("%+v, %v", th, err)
	}
}

func TestACancelledCallSendsNothing(t *testing.T) {
	t.Parallel()
	c, _ := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("a request was sent") })
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Post(ctx, draft("x"), "k"); ClassOf(err) != Transient {
		t.Error(err)
	}
}
