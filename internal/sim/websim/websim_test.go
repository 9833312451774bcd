package websim_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/net/html/charset"

	"rookery/internal/sim/websim"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func start(t *testing.T) (*websim.Server, *http.Client) {
	t.Helper()
	s, err := websim.New()
	if err != nil {
		t.Fatal(err)
	}
	tr := &http.Transport{}
	t.Cleanup(func() {
		s.Close()
		tr.CloseIdleConnections()
	})
	return s, &http.Client{Transport: tr, Timeout: 20 * time.Second}
}

// open gets a page's headers.
func open(t *testing.T, c *http.Client, url string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("User-Agent", "test")
	resp, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	return resp
}

// title is what is between the first <title> and the next "<", decoded as a browser does.
func title(t *testing.T, resp *http.Response) string {
	t.Helper()
	r, err := charset.NewReader(io.LimitReader(resp.Body, 4<<20), resp.Header.Get("Content-Type"))
	if errors.Is(err, io.EOF) {
		return "" // an empty page
	}
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(b), "<title>")
	got, _, _ := strings.Cut(rest, "<")
	return got
}

func TestPagesThatAnswer(t *testing.T) {
	t.Parallel()
	s, c := start(t)
	s.Set("/mine", websim.HTML("Mine & yours", "text"))
	for path, want := range map[string]struct {
		status int
		title  string
	}{
		"/plain": {200, websim.PlainTitle}, "/no-title": {200, ""}, "/empty": {200, ""}, "/redirect/7": {200, websim.PlainTitle},
		"/cp1251-header": {200, websim.RussianTitle}, "/cp1251-meta": {200, websim.RussianTitle}, "/koi8r-meta": {200, websim.RussianTitle},
		"/utf16": {200, websim.RussianTitle}, "/latin1-undeclared": {200, websim.LatinTitle}, "/unlabelled": {200, websim.PlainTitle},
		"/404": {404, "404 Not Found"}, "/500": {500, "500 Internal Server Error"}, "/nowhere": {404, "404 Not Found"},
		"/redirect/x": {404, "404 Not Found"}, "/mine": {200, "Mine &amp; yours"}, "/binary": {200, ""},
		"/to-inside": {200, "A secret"}, "/long-title": {200, strings.Repeat("long ", 1<<20/5)},
	} {
		resp := open(t, c, s.URL(path))
		if got := title(t, resp); resp.StatusCode != want.status || got != want.title {
			t.Errorf("%s: %d %.60q, want %d %.60q", path, resp.StatusCode, got, want.status, want.title)
		}
	}
	for path, want := range map[string]string{"/image": "image/png", "/pdf": "application/pdf", "/json": "application/json", "/text": "text/plain; charset=utf-8", "/unlabelled": ""} {
		if got := open(t, c, s.URL(path)).Header.Get("Content-Type"); got != want {
			t.Errorf("%s is %q", path, got)
		}
	}
	if s.Hits("/redirect/1") != 1 || s.Hits("/plain") != 2 || s.InsideHits() != 1 || s.LastHeader("/plain").Get("User-Agent") != "test" || s.LastHeader("/loop") != nil {
		t.Errorf("hits %d, %d, inside %d, %v", s.Hits("/redirect/1"), s.Hits("/plain"), s.InsideHits(), s.LastHeader("/plain"))
	}
	ctx, cancel := context.WithCancel(t.Context())
	if err := s.WaitFor(ctx, "/plain", 2); err != nil {
		t.Error(err)
	}
	cancel()
	if err := s.WaitFor(ctx, "/plain", 3); !errors.Is(err, context.Canceled) {
		t.Errorf("waited for too much: %v", err)
	}
}

func TestRedirectsElsewhere(t *testing.T) {
	t.Parallel()
	s, c := start(t)
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	for path, want := range map[string]string{"/loop": "/loop", "/to-private": "http://10.0.0.1/", "/to-metadata": "http://169.254.169.254/latest/meta-data/", "/to-file": "file:///etc/passwd", "/to-inside": s.Inside()} {
		if got := open(t, c, s.URL(path)).Header.Get("Location"); got != want {
			t.Errorf("%s leads to %q", path, got)
		}
	}
	if s.InsideHits() != 0 {
		t.Error("somebody came inside")
	}
}

// The large ones are made while they are sent: a reader gets the first
// megabytes of each and may leave.
func TestPagesWithoutEnd(t *testing.T) {
	t.Parallel()
	s, c := start(t)
	for _, path := range []string{"/endless", "/huge", "/bomb"} {
		resp := open(t, c, s.URL(path))
		n, err := io.Copy(io.Discard, io.LimitReader(resp.Body, 8<<20))
		if err != nil || n != 8<<20 {
			t.Errorf("%s: %d bytes, %v", path, n, err)
		}
		if path == "/huge" && resp.ContentLength != 1<<30 {
			t.Errorf("%s says it has %d", path, resp.ContentLength)
		}
	}
	s.Set("/small-bomb", websim.Bomb(3))
	if b, err := io.ReadAll(open(t, c, s.URL("/small-bomb")).Body); err != nil || !bytes.Equal(b, make([]byte, 3<<20)) {
		t.Errorf("a bomb of 3 MiB has %d bytes, %v", len(b), err)
	}
	s.Set("/three", websim.Big(3<<20+1))
	if b, err := io.ReadAll(open(t, c, s.URL("/three")).Body); err != nil || len(b) != 3<<20+1 {
		t.Errorf("a page of 3 MiB and one has %d bytes, %v", len(b), err)
	}
	if _, err := io.ReadAll(open(t, c, s.URL("/lying-length")).Body); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("half a page ends with %v", err)
	}
}

func TestSilence(t *testing.T) {
	t.Parallel()
	s, c := start(t)
	ctx, cancel := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL("/silent"), nil)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() {
		resp, err := c.Do(req)
		if err == nil {
			resp.Body.Close()
		}
		ended <- err
	}()
	if err := s.WaitFor(t.Context(), "/silent", 1); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("silence ended with %v", err)
	}
	resp := open(t, c, s.URL("/stuck"))
	b := make([]byte, 31)
	if _, err := io.ReadFull(resp.Body, b); err != nil || !strings.HasSuffix(string(b), "<title>Half a ti") {
		t.Errorf("stuck after %q, %v", b, err)
	}
	s.Close() // ends it
	if _, err := io.ReadAll(resp.Body); err == nil {
		t.Error("the stuck page has an end")
	}
	s.Close()
}
