package fedi

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"

	"rookery/internal/sim/apicheck"
)

// aPicture is a file for an upload, on the disk as they all are. It fails the
// test if the file is left open.
func aPicture(t *testing.T, size int) Upload {
	t.Helper()
	path := filepath.Join(t.TempDir(), "picture")
	if err := os.WriteFile(path, bytes.Repeat([]byte("GIF89a.."), size/8+1)[:size], 0o600); err != nil {
		t.Fatal(err)
	}
	var open atomic.Int64
	t.Cleanup(func() {
		if n := open.Load(); n != 0 {
			t.Errorf("the file is still open %d times", n)
		}
	})
	return Upload{Name: "dance.gif", Type: "image/gif", Size: int64(size), Description: "A pony dances.\nTwice.", Open: func() (io.ReadCloser, error) {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		open.Add(1)
		return closer{f, func() error { open.Add(-1); return f.Close() }}, nil
	}}
}

type closer struct {
	io.Reader
	close func() error
}

func (c closer) Close() error { return c.close() }

// swallow reads a request's form and returns the size of the file in it, so
// that a handler can answer as a server does that took it.
func swallow(t *testing.T, r *http.Request) int64 {
	t.Helper()
	_, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		t.Errorf("Content-Type: %v", err)
		return 0
	}
	form := multipart.NewReader(r.Body, params["boundary"])
	size := int64(-1)
	for {
		part, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			return size
		}
		if err != nil {
			t.Errorf("the form: %v", err)
			return size
		}
		n, err := io.Copy(io.Discard, part)
		if err != nil {
			t.Errorf("the form: %v", err)
			return size
		}
		if part.FormName() == "file" {
			size = n
		}
	}
}

const aMedium = `{"id":"m1","type":"gifv","url":"https://art.example/m1.mp4","preview_url":"https://art.example/m1.png","remote_url":null,"description":"A pony."}`

func TestUploadSendsOneFormOfKnownLength(t *testing.T) {
	t.Parallel()
	u := aPicture(t, 3<<20+5)
	u.Focus = &Focus{X: -0.5, Y: 0.25}
	u.Name = "C:\\pictures/a \"b\"\r\nX-Evil: 1\x00.gif"
	check := apicheck.FromEnv(t).Mastodon(t)
	c, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || r.ContentLength != int64(len(body)) || len(r.TransferEncoding) > 0 {
			t.Errorf("%d of %d bytes, %v, %v", len(body), r.ContentLength, r.TransferEncoding, err)
		}
		if err := check.CheckRequest(r.Method, r.URL.Path, r.URL.RawQuery, r.Header.Get("Content-Type"), body); err != nil {
			t.Errorf("not within the published description: %v", err)
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		if err := r.ParseMultipartForm(8 << 20); err != nil {
			t.Fatal(err)
		}
		if r.FormValue("description") != u.Description || r.FormValue("focus") != "-0.5,0.25" || len(r.MultipartForm.Value) != 2 {
			t.Errorf("fields %v", r.MultipartForm.Value)
		}
		f := r.MultipartForm.File["file"]
		if len(f) != 1 || f[0].Size != u.Size || f[0].Filename != "a _b___X-Evil: 1.gif" || f[0].Header.Get("Content-Type") != "image/gif" {
			t.Errorf("file %+v", f[0])
		}
		if r.Header.Get("Authorization") != "Bearer "+testToken || r.Header.Get("Idempotency-Key") != "" || r.Method != "POST" || r.URL.Path != mediaPath {
			t.Errorf("%s %s %v", r.Method, r.URL, r.Header)
		}
		_, _ = io.WriteString(w, aMedium)
	})
	m, err := c.UploadMedia(t.Context(), u)
	if err != nil {
		t.Fatal(err)
	}
	same(t, m, MediaAttachment{ID: "m1", Type: "gifv", URL: "https://art.example/m1.mp4", PreviewURL: "https://art.example/m1.png", Description: "A pony."})
}

func TestNamesToldToAServerAreHarmless(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"": "file", ".": "file", "..": "file", "a/..": "file", "/": "file", "a.gif": "a.gif", "/tmp/x/a.gif": "a.gif", `c:\x\a.gif`: "a.gif",
		"пони.gif": "пони.gif", strings.Repeat("x", 200) + ".gif": strings.Repeat("x", 96) + ".gif",
	} {
		if got := fileName(name); got != want {
			t.Errorf("%q is told as %q, want %q", name, got, want)
		}
	}
}

func FuzzUploadForm(f *testing.F) {
	f.Add("a.gif", "image/gif", "alt", []byte("GIF89a"))
	f.Add("a\"\r\n\r\n--x", "image/gif\r\nX: y", "\x00\r\n--", []byte("--x\r\n"))
	f.Fuzz(func(t *testing.T, name, kind, alt string, file []byte) {
		u := Upload{Name: name, Type: kind, Description: alt, Size: int64(len(file)), Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(file)), nil }}
		body, err := u.body()
		if err != nil {
			if len(file) > 0 {
				t.Fatal(err)
			}
			return
		}
		defer body.Close()
		all, err := io.ReadAll(body)
		if err != nil || int64(len(all)) != body.length {
			t.Fatalf("%d bytes, %d were told, %v", len(all), body.length, err)
		}
		_, params, err := mime.ParseMediaType(body.contentType)
		if err != nil {
			t.Fatal(err)
		}
		form, err := multipart.NewReader(bytes.NewReader(all), params["boundary"]).ReadForm(1 << 20)
		if err != nil {
			t.Fatal(err)
		}
		if len(form.File["file"]) != 1 || len(form.File) != 1 {
			t.Fatalf("files %v", form.File)
		}
		in, err := form.File["file"][0].Open()
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(in)
		if err != nil || !bytes.Equal(got, file) {
			t.Errorf("the file came as %q, %v", got, err)
		}
		if want := storable(alt); want != "" && form.Value["description"][0] != want {
			t.Errorf("description %q", form.Value["description"])
		}
		if h := form.File["file"][0].Header; len(h) != 2 {
			t.Errorf("headers %v", h)
		}
	})
}

func TestAnswersToAnUpload(t *testing.T) {
	t.Parallel()
	const js = "application/json"
	for name, tc := range map[string]struct {
		status   int
		ct, body string
		id, url  string
		class    Class
	}{
		"ready":                 {200, js, aMedium, "m1", "https://art.example/m1.mp4", ""},
		"Mastodon works on it":  {202, js, `{"id":"22","type":"gifv","url":null,"preview_url":"https://x/p"}`, "22", "", ""},
		"Akkoma's 202":          {202, js, `{"id":"-7","type":"image","url":"https://x/y.gif"}`, "-7", "https://x/y.gif", ""},
		"an id that is no text": {200, js, `{"id":12,"url":"https://x"}`, "12", "https://x", ""},
		"1 MB":                  {200, js, `{"id":"m1","description":"` + strings.Repeat("a", 1<<20) + `"}`, "m1", "", ""},
		"5 MB":                  {200, js, `{"id":"m1","description":"` + strings.Repeat("a", 5<<20) + `"}`, "", "", Transient},
		"no id":                 {200, js, `{"url":"https://x"}`, "", "", Transient},
		"empty":                 {200, js, "", "", "", Transient},
		"web page":              {200, "text/html", page, "", "", Transient},
		"half of it":            {200, js, aMedium[:40], "", "", Transient},
		"400":                   {400, js, `{"error":"too big"}`, "", "", RejectedMedia},
		"400, a web page":       {400, "text/html", page, "", "", Transient},
		"413 of a web server":   {413, "text/html", page, "", "", RejectedMedia},
		"415":                   {415, js, `{"error":"too big"}`, "", "", RejectedMedia},
		"422":                   {422, js, `{"error":"too big"}`, "", "", RejectedMedia},
		"401":                   {401, js, `{"error":"x"}`, "", "", Auth},
		"403":                   {403, js, `{"error":"x"}`, "", "", Invalid},
		"404":                   {404, js, `{"error":"x"}`, "", "", Unsupported},
		"404, a web page":       {404, "text/html", page, "", "", Transient},
		"405":                   {405, js, `{"error":"x"}`, "", "", Unsupported},
		"500":                   {500, js, `{"error":"Error processing thumbnail for uploaded media"}`, "", "", Transient},
		"502":                   {502, "text/html", page, "", "", Transient},
		"redirect":              {302, "", "", "", "", Transient},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if n := swallow(t, r); n != 100 {
					t.Errorf("a file of %d bytes", n)
				}
				answerWith(tc.status, tc.ct, tc.body)(w, r)
			})
			m, err := c.UploadMedia(t.Context(), aPicture(t, 100))
			if ClassOf(err) != tc.class || m.ID != tc.id || m.URL != tc.url {
				t.Errorf("%+v, %v", m, err)
			}
			if tc.class == RejectedMedia && tc.ct == js && !strings.Contains(err.Error(), "too big") {
				t.Errorf("it does not say why: %v", err)
			}
		})
	}
}

func TestUploadsGoToTheOlderCallWhereThereIsNoOther(t *testing.T) {
	t.Parallel()
	for name, missing := range map[string]http.HandlerFunc{
		"404": answerWith(404, "application/json", `{"error":"x"}`), "page": answerWith(404, "text/html", page), "405": answerWith(405, "text/plain", "no"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var asked []string
			c, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
				asked = append(asked, r.URL.Path)
				if n := swallow(t, r); n != 5000 {
					t.Errorf("%s got a file of %d bytes", r.URL.Path, n)
				}
				if r.URL.Path != oldMedia {
					missing(w, r)
					return
				}
				_, _ = io.WriteString(w, aMedium)
			})
			for range 2 {
				if m, err := c.UploadMedia(t.Context(), aPicture(t, 5000)); err != nil || m.ID != "m1" {
					t.Errorf("%+v, %v", m, err)
				}
			}
			same(t, asked, []string{mediaPath, oldMedia, oldMedia})
		})
	}
}

func TestWhatIsNoFileIsNotUploaded(t *testing.T) {
	t.Parallel()
	c, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, aMedium)
	})
	whole := aPicture(t, 1000)
	for name, change := range map[string]func(*Upload){
		"no reader":  func(u *Upload) { u.Open = nil },
		"empty":      func(u *Upload) { u.Size = 0 },
		"focus":      func(u *Upload) { u.Focus = &Focus{X: 1.5} },
		"gone":       func(u *Upload) { u.Open = func() (io.ReadCloser, error) { return nil, os.ErrNotExist } },
		"shorter":    func(u *Upload) { u.Size++ },
		"longer":     func(u *Upload) { u.Size-- },
		"unreadable": func(u *Upload) { u.Open = broken },
	} {
		u := whole
		change(&u)
		if m, err := c.UploadMedia(t.Context(), u); ClassOf(err) != Invalid {
			t.Errorf("%s: %+v, %v", name, m, err)
		}
	}
	if _, err := c.UploadMedia(t.Context(), whole); err != nil {
		t.Error(err)
	}
}

func broken() (io.ReadCloser, error) {
	return io.NopCloser(io.MultiReader(strings.NewReader("GIF89a"), iotest.ErrReader(errors.New("the disk is broken")))), nil
}

// A reset after a part of the file is no refusal, and nothing but the caller
// sends it again.
func TestAnUploadThatIsResetIsNotRepeated(t *testing.T) {
	t.Parallel()
	for _, size := range []int{4000, 8 << 20} {
		var asked atomic.Int64
		c, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
			asked.Add(1)
			if _, err := io.CopyN(io.Discard, r.Body, 1000); err != nil {
				t.Error(err)
			}
			conn, _, err := w.(http.Hijacker).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			_ = conn.(*net.TCPConn).SetLinger(0)
			conn.Close()
		})
		_, err := c.UploadMedia(t.Context(), aPicture(t, size))
		if ClassOf(err) != Transient || asked.Load() != 1 {
			t.Errorf("%d bytes: sent %d times, %v", size, asked.Load(), err)
		}
	}
}

func TestAnUploadIsNotReplayedOnAnotherConnection(t *testing.T) {
	t.Parallel()
	s := newDyingServer(t)
	c, _ := clientFor(t, "http://"+s.l.Addr().String())
	if _, err := c.Status(t.Context(), "1"); err != nil {
		t.Fatal(err)
	}
	_, err := c.UploadMedia(t.Context(), aPicture(t, 3000))
	s.mu.Lock()
	defer s.mu.Unlock()
	if ClassOf(err) != Transient || s.seen["POST"] != 1 {
		t.Errorf("sent %d times, %v", s.seen["POST"], err)
	}
}

// What stands before a server says no at the first bytes of a big file and
// hangs up: that must be heard, or the same file is sent for ever.
func TestARefusalIsHeardWhileTheFileIsStillSent(t *testing.T) {
	t.Parallel()
	const no = "HTTP/1.1 413 Request Entity Too Large\r\nContent-Type: text/html\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno"
	for name, talk := range map[string]func(net.Conn, *bufio.Reader, *http.Request){
		"at the header": func(conn net.Conn, _ *bufio.Reader, _ *http.Request) {
			_, _ = io.WriteString(conn, no)
		},
		"in the middle, and reads on": func(conn net.Conn, r *bufio.Reader, q *http.Request) {
			_, _ = io.WriteString(conn, "HTTP/1.1 100 Continue\r\n\r\n")
			_, _ = io.CopyN(io.Discard, q.Body, 1<<20)
			_, _ = io.WriteString(conn, no)
			_ = conn.(*net.TCPConn).CloseWrite()
			_, _ = io.Copy(io.Discard, r)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			var wg sync.WaitGroup
			wg.Go(func() {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				defer conn.Close()
				r := bufio.NewReader(conn)
				q, err := http.ReadRequest(r)
				if err != nil {
					t.Error(err)
					return
				}
				if q.Header.Get("Expect") != "100-continue" {
					t.Error("it was not asked first")
				}
				talk(conn, r, q)
			})
			t.Cleanup(func() { l.Close(); wg.Wait() })
			c, _ := clientFor(t, "http://"+l.Addr().String())
			if _, err := c.UploadMedia(t.Context(), aPicture(t, 24<<20)); ClassOf(err) != RejectedMedia {
				t.Error(err)
			}
		})
	}
	t.Run("by a server that reads nothing", func(t *testing.T) {
		t.Parallel()
		c, _ := serve(t, answerWith(413, "text/plain", "no"))
		if _, err := c.UploadMedia(t.Context(), aPicture(t, 24<<20)); ClassOf(err) != RejectedMedia {
			t.Error(err)
		}
	})
}

func TestAServerThatCannotBeAskedFirstIsNotAsked(t *testing.T) {
	t.Parallel()
	var asked []string
	c, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Header.Get("Expect"))
		if r.Header.Get("Expect") != "" {
			w.WriteHeader(http.StatusExpectationFailed)
			return
		}
		swallow(t, r)
		_, _ = io.WriteString(w, aMedium)
	})
	for range 2 {
		if _, err := c.UploadMedia(t.Context(), aPicture(t, 2<<20)); err != nil {
			t.Error(err)
		}
	}
	same(t, asked, []string{"100-continue", "", ""})
}

func TestAnUploadEndsWithItsCaller(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	c, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.CopyN(io.Discard, r.Body, 1000)
		cancel()
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	})
	if _, err := c.UploadMedia(ctx, aPicture(t, 8<<20)); ClassOf(err) != Transient || !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestAnUploadMayTakeTheTimeOfItsBytes(t *testing.T) {
	t.Parallel()
	c, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		swallow(t, r)
		<-r.Context().Done()
	}, func(o *Options) { o.Timeout = 50 * time.Millisecond })
	u := aPicture(t, slowLine/4)
	if _, err := c.UploadMedia(t.Context(), u); ClassOf(err) != Transient || !strings.Contains(fmt.Sprint(err), "within 300ms") {
		t.Error(err)
	}
	if d := longer(16 << 20); d != 128*time.Second {
		t.Errorf("%v for 16 MiB", d)
	}
}

func TestUploadsKeepTheirOwnLimit(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	refuse := false
	c, clk := serve(t, func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		swallow(t, r)
		w.Header().Set("Date", start.Format(http.TimeFormat))
		if refuse {
			w.Header().Set("X-RateLimit-Remaining", "0")
			w.Header().Set("X-RateLimit-Reset", start.Add(17*time.Minute).Format(time.RFC3339))
			w.WriteHeader(429)
		}
		_, _ = io.WriteString(w, aMedium)
	})
	upload := func() error { _, err := c.UploadMedia(t.Context(), aPicture(t, 10)); return err }
	for range 30 {
		if err := upload(); err != nil {
			t.Fatal(err)
		}
	}
	if at := rateOf(t, upload()); !at.Equal(start.Add(30*time.Minute)) || asked.Load() != 30 {
		t.Errorf("again at %v after %d", at, asked.Load())
	}
	clk.Advance(time.Hour)
	refuse = true
	if at := rateOf(t, upload()); !at.Equal(start.Add(time.Hour + 17*time.Minute)) {
		t.Errorf("again at %v", at)
	}
	if rateOf(t, upload()); asked.Load() != 31 {
		t.Errorf("%d uploads", asked.Load())
	}
}

func TestAskingForAMedium(t *testing.T) {
	t.Parallel()
	const js = "application/json"
	for name, tc := range map[string]struct {
		h        http.HandlerFunc
		software Software
		ready    bool
		class    Class
	}{
		"ready":               {h: answerWith(200, js, aMedium), ready: true},
		"working":             {h: answerWith(206, js, `{"id":"m1","url":null}`)},
		"working, no word":    {h: answerWith(206, "", "")},
		"failed":              {h: answerWith(422, js, `{"error":"x"}`), class: RejectedMedia},
		"failed, a web page":  {h: answerWith(422, "text/html", page), class: Transient},
		"gone":                {h: answerWith(404, js, `{"error":"x"}`), class: Gone},
		"a proxy's 404":       {h: answerWith(404, "text/html", page), class: Transient},
		"forbidden":           {h: answerWith(403, js, `{"error":"x"}`), class: Unsupported},
		"for want of a scope": {h: header("WWW-Authenticate", `Bearer error="insufficient_scope"`, answerWith(403, js, `{"error":"x"}`)), class: Unsupported},
		"no such call":        {h: answerWith(405, js, `{"error":"x"}`), class: Unsupported},
		"snac":                {h: answerWith(404, "text/html", page), software: Snac, class: Unsupported},
		"401":                 {h: answerWith(401, js, `{"error":"x"}`), class: Auth},
		"500":                 {h: answerWith(500, js, `{"error":"x"}`), class: Transient},
		"empty":               {h: answerWith(200, js, ""), class: Transient},
		"web page":            {h: answerWith(200, "text/html", page), class: Transient},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if r.Method != "GET" || r.URL.EscapedPath() != "/api/v1/media/a%2F1.gif" {
					t.Errorf("%s %s", r.Method, r.URL)
				}
				tc.h(w, r)
			})
			if tc.software != "" {
				become(c, Instance{Software: tc.software})
			}
			m, ready, err := c.Media(t.Context(), "a/1.gif")
			if ready != tc.ready || ClassOf(err) != tc.class || err == nil && m.ID == "" {
				t.Errorf("%+v, %v, %v", m, ready, err)
			}
		})
	}
	c, _ := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("a request was sent") })
	if _, _, err := c.Media(t.Context(), ".."); ClassOf(err) != Invalid {
		t.Error(err)
	}
}
