package webpage

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"rookery/internal/publicnet"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// serve starts a server and a reader that may reach it.
func serve(t *testing.T, handler http.HandlerFunc) (*Reader, string) {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return &Reader{Client: publicnet.New(publicnet.Options{AllowLoopback: true})}, server.URL
}

const owls = "<!doctype html><title>Owls</title><p>Hoo.</p>"

func TestReadsAPage(t *testing.T) {
	t.Parallel()
	r, at := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.Header.Get("Accept"), "text/html") {
			t.Errorf("the request is %v", r.Header)
		}
		var left int
		if n, _ := fmt.Sscanf(r.URL.Path, "/%d", &left); n == 1 && left > 0 {
			http.Redirect(w, r, fmt.Sprintf("/%d", left-1), http.StatusFound)
			return
		}
		_, _ = io.WriteString(w, owls)
	})
	page, err := r.Read(t.Context(), at+"/5?x=1#part")
	if want := (Page{URL: at + "/0", Title: "Owls", Text: "Hoo."}); page != want || err != nil {
		t.Errorf("%+v, %v", page, err)
	}
	if _, err := r.Read(t.Context(), at+"/6"); !errors.Is(err, publicnet.ErrTooManyRedirects) {
		t.Errorf("%v", err)
	}
}

func TestOnlyPublicAddresses(t *testing.T) {
	t.Parallel()
	r, at := serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, r.URL.Query().Get("to"), http.StatusFound)
	})
	for address, want := range map[string]error{
		at + "/?to=http://10.0.0.1/": publicnet.ErrPrivate, at + "/?to=http://169.254.169.254/latest/meta-data/": publicnet.ErrPrivate,
		at + "/?to=file:///etc/passwd": publicnet.ErrURL, "http://192.168.0.1/": publicnet.ErrPrivate, "ftp://art.example/": publicnet.ErrURL,
		"": publicnet.ErrURL, "http://[": publicnet.ErrURL, "art.example": publicnet.ErrURL, "http://a:b@art.example/": publicnet.ErrURL,
	} {
		if _, err := r.Read(t.Context(), address); !errors.Is(err, want) {
			t.Errorf("%s: %v, not %v", address, err, want)
		}
	}
	// Without a word about it, not even this machine.
	_, port, err := net.SplitHostPort(strings.TrimPrefix(at, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	for _, address := range []string{"http://127.0.0.1/", "http://localhost/", "http://127.0.0.1:" + port + "/"} {
		if _, err := new(Reader).Read(t.Context(), address); !errors.Is(err, publicnet.ErrPrivate) && !errors.Is(err, publicnet.ErrPort) {
			t.Errorf("%s: %v", address, err)
		}
	}
}

func TestKinds(t *testing.T) {
	t.Parallel()
	const png = "\x89PNG\x0d\x0a\x1a\x0a\x00\x00"
	for name, c := range map[string]struct {
		contentType, body string
		title, text       string
		err               error
	}{
		"html":              {"text/html; charset=utf-8", owls, "Owls", "Hoo.", nil},
		"html, shouted":     {"TEXT/HTML", owls, "Owls", "Hoo.", nil},
		"xhtml":             {"application/xhtml+xml", owls, "Owls", "Hoo.", nil},
		"html, broken type": {"text/html; charset", owls, "Owls", "Hoo.", nil},
		"nothing said":      {"", owls, "Owls", "Hoo.", nil},
		"empty":             {"text/html", "", "", "", nil},
		"plain":             {"text/plain", "a <b>\nc", "", "a <b>\nc", nil},
		"plain, html in it": {"text/plain; charset=utf-8", owls, "", owls, nil},
		"words, not said":   {"", "just words", "", "just words", nil},
		"empty, not said":   {"", "", "", "", nil},
		"picture":           {"image/png", png, "", "", ErrNotPage},
		"picture, not said": {"", png, "", "", ErrNotPage},
		"picture as text":   {"text/plain", png, "", "", ErrNotPage},
		"json":              {"application/json", `{"a":"b"}`, "", "", ErrNotPage},
		"feed":              {"application/rss+xml", "<rss/>", "", "", ErrNotPage},
		"pdf":               {"application/pdf", "%PDF-1.7", "", "", ErrNotPage},
		"download":          {"application/octet-stream", owls, "", "", ErrNotPage},
		"wild":              {"\"<p>'/;;=", owls, "", "", ErrNotPage},
	} {
		r, at := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["Content-Type"] = []string{c.contentType}
			if c.contentType == "" {
				w.Header()["Content-Type"] = nil // else the server looks itself
			}
			_, _ = io.WriteString(w, c.body)
		})
		page, err := r.Read(t.Context(), at)
		if !errors.Is(err, c.err) || err != nil && c.err == nil || page.Title != c.title || page.Text != c.text {
			t.Errorf("%s: %+v, %v", name, page, err)
		}
	}
}

func TestStatus(t *testing.T) {
	t.Parallel()
	r, at := serve(t, func(w http.ResponseWriter, r *http.Request) {
		var code int
		_, _ = fmt.Sscanf(r.URL.Path, "/%d", &code)
		w.WriteHeader(code)
		_, _ = io.WriteString(w, owls)
	})
	for _, code := range []int{400, 401, 404, 410, 429, 500, 503, 999, 304, 300} {
		_, err := r.Read(t.Context(), fmt.Sprintf("%s/%d", at, code))
		if status, ok := errors.AsType[*StatusError](err); !ok || status.Code != code {
			t.Errorf("%d: %v", code, err)
		}
	}
	if page, err := r.Read(t.Context(), at+"/203"); page.Title != "Owls" || err != nil {
		t.Errorf("203: %+v, %v", page, err)
	}
}

// counting counts what a server could send.
type counting struct {
	w    io.Writer
	sent int64
}

func (c *counting) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.sent += int64(n)
	return n, err
}

func TestLargePagesCostTheLimit(t *testing.T) {
	t.Parallel()
	const gigabyte = 1 << 30
	sent := make(chan int64, 1)
	r, at := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		c := &counting{w: w}
		var out io.Writer = c
		size := gigabyte
		if r.URL.Path == "/zip" {
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(c)
			defer z.Close()
			out, size = z, 16*DefaultMaxBytes
		}
		defer func() { sent <- c.sent }()
		if _, err := io.WriteString(out, owls); err != nil {
			return
		}
		filler := []byte("<p>" + strings.Repeat("owl ", 16<<10))
		for range size / len(filler) {
			if _, err := out.Write(filler); err != nil {
				return
			}
		}
	})
	for _, path := range []string{"/plain", "/zip"} {
		page, err := r.Read(t.Context(), at+path)
		if err != nil || page.Title != "Owls" || !strings.HasPrefix(page.Text, "Hoo.\nowl owl") || len(page.Text) > DefaultMaxText+len("…") {
			t.Errorf("%s: %.100q, %v", path, page, err)
		}
		if n := <-sent; n > gigabyte/4 {
			t.Errorf("%s: the server could send %d bytes", path, n)
		}
	}
}

func TestSlowPagesEnd(t *testing.T) {
	t.Parallel()
	stop := make(chan struct{})
	t.Cleanup(func() { close(stop) })
	r, at := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/silent":
		case "/sniffed":
			w.Header().Set("Content-Type", "text/plain")
			_, _ = io.WriteString(w, "a")
			_ = http.NewResponseController(w).Flush()
		case "/drip":
			for r.Context().Err() == nil {
				_, _ = io.WriteString(w, "<p>a")
				_ = http.NewResponseController(w).Flush()
				select {
				case <-time.After(time.Millisecond):
				case <-stop:
				}
			}
			return
		}
		select {
		case <-stop:
		case <-r.Context().Done():
		}
	})
	r.Timeout, r.MaxBytes = 50*time.Millisecond, 1<<40
	for _, path := range []string{"/silent", "/sniffed", "/drip"} {
		_, err := r.Read(t.Context(), at+path)
		if slow, ok := errors.AsType[net.Error](err); !ok || !slow.Timeout() {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestPagesAreKeptForAWhile(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	r, at := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if asked.Add(1); r.URL.Path == "/gone" {
			w.WriteHeader(http.StatusGone)
		}
		_, _ = io.WriteString(w, owls)
	})
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	r.Now = func() time.Time { return now }
	read := func(path string, want int64) {
		t.Helper()
		page, err := r.Read(t.Context(), at+path)
		if gone := strings.HasPrefix(path, "/gone"); gone != (err != nil) || gone == (page.Title != "") {
			t.Errorf("%s: %+v, %v", path, page, err)
		}
		if n := asked.Load(); n != want {
			t.Errorf("%s: asked %d times, not %d", path, n, want)
		}
	}
	read("/page", 1)
	read("/page#part", 1)
	read("/page?x", 2)
	read("/gone", 3)
	now = now.Add(keepError - time.Second)
	read("/gone", 3)
	now = now.Add(time.Second)
	read("/gone", 4)
	now = now.Add(keepPage - keepError - time.Second)
	read("/page", 4)
	now = now.Add(time.Second)
	read("/page", 5)
}

func TestTheCacheIsBounded(t *testing.T) {
	t.Parallel()
	var c cache
	now := time.Unix(1_000_000, 0)
	clock := func() time.Time { return now }
	for i := range 3 * maxKept {
		now = now.Add(time.Second)
		if _, err := c.get(t.Context(), fmt.Sprint(i), clock, func() (Page, error) { return Page{}, nil }); err != nil {
			t.Fatal(err)
		}
		if n := len(c.kept); n > maxKept {
			t.Fatalf("%d are kept after %d", n, i+1)
		}
	}
	if _, ok := c.kept[fmt.Sprint(3*maxKept-1)]; !ok || len(c.flights) != 0 {
		t.Errorf("the newest is kept: %v; %d are being fetched", ok, len(c.flights))
	}
}

func TestOneFetchForManyReaders(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	begun, finish := make(chan struct{}), make(chan struct{})
	r, at := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1) == 1 {
			close(begun)
			<-finish
		}
		_, _ = io.WriteString(w, owls)
	})
	var wg sync.WaitGroup
	read := func() {
		if page, err := r.Read(t.Context(), at); page.Title != "Owls" || err != nil {
			t.Errorf("%+v, %v", page, err)
		}
	}
	wg.Go(read)
	<-begun
	for range 20 {
		wg.Go(read)
	}
	// Who gives up does not take the others along.
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.Read(ctx, at); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	close(finish)
	wg.Wait()
	if n := asked.Load(); n != 1 {
		t.Errorf("the server was asked %d times", n)
	}
}

func TestWhoFetchesAndGivesUpIsFollowed(t *testing.T) {
	t.Parallel()
	var c cache
	clock := func() time.Time { return time.Unix(1_000_000, 0) }
	ctx, cancel := context.WithCancel(t.Context())
	begun := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		_, err := c.get(ctx, "a", clock, func() (Page, error) {
			close(begun)
			<-ctx.Done()
			return Page{}, ctx.Err()
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
	})
	<-begun
	for range 5 {
		wg.Go(func() {
			page, err := c.get(t.Context(), "a", clock, func() (Page, error) { return Page{Title: "Owls"}, nil })
			if page.Title != "Owls" || err != nil {
				t.Errorf("%+v, %v", page, err)
			}
		})
	}
	cancel()
	wg.Wait()
}

func TestAPanicLeavesNobodyWaiting(t *testing.T) {
	t.Parallel()
	var c cache
	func() {
		defer func() { _ = recover() }()
		_, _ = c.get(t.Context(), "a", time.Now, func() (Page, error) { panic("owl") })
	}()
	if page, err := c.get(t.Context(), "a", time.Now, func() (Page, error) { return Page{Title: "Owls"}, nil }); page.Title != "Owls" || err != nil {
		t.Errorf("%+v, %v", page, err)
	}
}
