package media

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"rookery/internal/publicnet"
)

var errNotPosix = errors.New("the stand-ins for ffmpeg are shell scripts")

func TestMain(m *testing.M) {
	// The scripts are written before any test starts a program: a file that a
	// child still holds open for writing cannot be run.
	dir, err := os.MkdirTemp("", "rookery-fakes-")
	if err == nil {
		err = writeFakes(dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(dir)
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// loopback fetches from test servers.
func loopback() Getter { return publicnet.New(publicnet.Options{AllowLoopback: true}) }

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// setup makes a kit in a folder that must be empty when the test is done.
func setup(t testing.TB, change func(*Options)) *Kit {
	t.Helper()
	o := Options{Dir: filepath.Join(t.TempDir(), "media"), Fetch: loopback(), FFmpeg: "no-such-ffmpeg", Now: func() time.Time { return noon }}
	if change != nil {
		change(&o)
	}
	k, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := k.Close(); err != nil {
			t.Error(err)
		}
		if left := names(t, k.opt.Dir); len(left) > 0 {
			t.Errorf("files stay behind: %q", left)
		}
	})
	return k
}

func names(t testing.TB, dir string) (all []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

// put makes a file of the kit's, as if it had been fetched.
func put(t testing.TB, k *Kit, content []byte) File {
	t.Helper()
	f, err := k.temp("")
	if err != nil {
		t.Fatal(err)
	}
	if err := fill(f, bytes.NewReader(content)); err != nil {
		t.Fatal(err)
	}
	info, err := Inspect(f.Name())
	if err != nil {
		t.Fatal(err)
	}
	return File{Path: f.Name(), Info: info, kit: k}
}

func serve(t testing.TB, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

func TestWhatAnEarlierProcessLeft(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{ownName + "123", ownName + "4.mp4", "mine.gif", "xrookery-media-5"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	later := filepath.Join(dir, ownName+"later")
	if err := os.WriteFile(later, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(later, time.Time{}, time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	k, err := New(Options{Dir: dir, Fetch: loopback(), Now: func() time.Time { return time.Unix(0, 0) }})
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(names(t, dir), " "); got != "mine.gif "+ownName+"later xrookery-media-5" {
		t.Errorf("left: %s", got)
	}
	put(t, k, gifFile(t, 2, 2, 1))
	if err := k.Close(); err != nil {
		t.Fatal(err)
	}
	if got := names(t, dir); len(got) != 3 {
		t.Errorf("after Close: %q", got)
	}
	if _, err := k.temp(""); err == nil {
		t.Error("a closed kit makes files")
	}
	if _, err := New(Options{Dir: filepath.Join(dir, "mine.gif"), Fetch: loopback()}); err == nil {
		t.Error("a file passes for a folder")
	}
}

func TestDownload(t *testing.T) {
	t.Parallel()
	animation := gifFile(t, 40, 30, 4)
	url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html") // it does not matter
		_, _ = w.Write(animation)
	})
	k := setup(t, nil)
	f, err := k.Download(t.Context(), url+"/a.jpg?token=secret", int64(len(animation)))
	if err != nil {
		t.Fatal(err)
	}
	if f.Type != GIF || f.Width != 40 || f.Frames != 4 || f.Size != int64(len(animation)) || filepath.Dir(f.Path) != k.opt.Dir {
		t.Errorf("%+v", f)
	}
	for range 2 {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(r)
		if err != nil || !bytes.Equal(got, animation) {
			t.Errorf("%d bytes, %v", len(got), err)
		}
		_ = r.Close()
	}
	for range 2 {
		if err := f.Remove(); err != nil {
			t.Error(err)
		}
	}
	if left := names(t, k.opt.Dir); len(left) > 0 {
		t.Errorf("after Remove: %q", left)
	}
	if err := (File{}).Remove(); err != nil {
		t.Error(err)
	}
}

func TestDownloadsThatFail(t *testing.T) {
	t.Parallel()
	animation := gifFile(t, 40, 30, 4)
	answer := func(status int, header ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			for i := 0; i < len(header); i += 2 {
				w.Header().Set(header[i], header[i+1])
			}
			w.WriteHeader(status)
		}
	}
	var sent atomic.Int64
	endless := func(first string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			_, err := io.WriteString(w, first)
			for block := bytes.Repeat([]byte{1, 'a'}, 8<<10); err == nil && sent.Load() < 64<<20; {
				var n int
				n, err = w.Write(block)
				sent.Add(int64(n))
			}
		}
	}
	for name, c := range map[string]struct {
		serve  http.HandlerFunc
		url    string // instead of the server's
		most   int64
		kind   Kind
		status int
		after  time.Duration // RetryAt, from now
	}{
		"not there":        {serve: answer(404), kind: NotFound, status: 404},
		"gone":             {serve: answer(410), kind: NotFound, status: 410},
		"not for us":       {serve: answer(403), kind: NotFound, status: 403},
		"no content":       {serve: answer(204), kind: NotFound, status: 204},
		"trouble":          {serve: answer(500), kind: Transient, status: 500},
		"busy":             {serve: answer(503, "Retry-After", "30"), kind: Transient, status: 503, after: 30 * time.Second},
		"too many":         {serve: answer(429, "Retry-After", noon.Add(time.Minute).Format(http.TimeFormat)), kind: Transient, status: 429, after: time.Minute},
		"stay away":        {serve: answer(429, "Retry-After", "4000000000"), kind: Transient, status: 429, after: longestWait},
		"bad time":         {serve: answer(429, "Retry-After", "-5"), kind: Transient, status: 429},
		"circle":           {serve: answer(302, "Location", "/again"), kind: NotFound},
		"private":          {url: "http://10.0.0.1/a.gif", kind: NotPublic},
		"a redirect there": {serve: answer(302, "Location", "http://192.168.1.1/"), kind: NotPublic},
		"no address":       {url: "ftp://art.example/a.gif", kind: NotPublic},
		"nobody there":     {url: "http://127.0.0.1:1/a.gif", kind: Transient},
		"announced too large": {serve: func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(animation) },
			most: int64(len(animation)) - 1, kind: TooLarge},
		"goes on":           {serve: endless("GIF89a\x01\x00\x01\x00\x00\x00\x00\x21\xfe"), most: 100_000, kind: TooLarge},
		"text that goes on": {serve: endless("<html>"), kind: NotMedia},
		"a web page":        {serve: func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>Sorry") }, kind: NotMedia},
		"nothing":           {serve: answer(200), kind: NotMedia},
		"broken":            {serve: func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(animation[:len(animation)/2]) }, kind: Broken},
		"cut off": {serve: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", fmt.Sprint(len(animation)))
			_, _ = w.Write(animation[:len(animation)/2])
			panic(http.ErrAbortHandler)
		}, kind: Transient},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := setup(t, nil)
			url := c.url
			if url == "" {
				url = serve(t, c.serve)
			}
			_, err := k.Download(t.Context(), url+"?token=secret", c.most)
			e, is := errors.AsType[*Error](err)
			if !is || e.Kind != c.kind || e.Status != c.status {
				t.Fatalf("%v (%+v), want %s %d", err, e, c.kind, c.status)
			}
			if want := noon.Add(c.after); c.after != 0 && !e.RetryAt.Equal(want) || c.after == 0 && !e.RetryAt.IsZero() {
				t.Errorf("come back at %s, want %s", e.RetryAt, want)
			}
			if strings.Contains(err.Error(), "secret") {
				t.Errorf("it tells the address: %v", err)
			}
			if left := names(t, k.opt.Dir); len(left) > 0 {
				t.Errorf("files stay behind: %q", left)
			}
		})
	}
	t.Cleanup(func() {
		if n := sent.Load(); n >= 64<<20 {
			t.Errorf("%d bytes were read of what has no end", n)
		}
	})
}

func TestDownloadCancelled(t *testing.T) {
	t.Parallel()
	begun := make(chan struct{})
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write(append(gifFile(t, 4, 4, 2)[:800], make([]byte, 0)...))
		w.(http.Flusher).Flush()
		close(begun)
		<-r.Context().Done()
	})
	k := setup(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-begun; cancel() }()
	if _, err := k.Download(ctx, url, 0); !errors.Is(err, context.Canceled) || KindOf(err) != "" {
		t.Errorf("%v", err)
	}
}

func TestDownloadTakesTooLong(t *testing.T) {
	t.Parallel()
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write(gifFile(t, 4, 4, 2)[:800])
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	k := setup(t, func(o *Options) { o.DownloadTimeout = 50 * time.Millisecond })
	if _, err := k.Download(t.Context(), url, 0); KindOf(err) != Transient {
		t.Errorf("%v", err)
	}
}

func TestFullDisk(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("only Linux has /dev/full")
	}
	url := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(gifFile(t, 40, 30, 4)) })
	k := setup(t, nil)
	full := filepath.Join(k.opt.Dir, ownName+"full")
	k.create = func(string, string) (*os.File, error) {
		if err := os.Symlink("/dev/full", full); err != nil {
			return nil, err
		}
		f, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
		if err != nil {
			return nil, err
		}
		_ = f.Close()
		return os.OpenFile(full, os.O_WRONLY, 0)
	}
	if _, err := k.Download(t.Context(), url, 0); KindOf(err) != NoSpace {
		t.Errorf("%v", err)
	}
	if l := k.Ladder(Limits{}, []Rendition{{URL: url}}); true {
		if _, err := l.Next(t.Context()); KindOf(err) != NoSpace {
			t.Errorf("the ladder: %v", err)
		}
		_ = l.Close()
	}
}
