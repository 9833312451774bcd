package fedi

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
	"testing"
	"time"
)

const page = "<!DOCTYPE html><html><body>Bad day</body></html>"

func TestClassOfEachAnswer(t *testing.T) {
	t.Parallel()
	const js = "application/json; charset=utf-8"
	oops := `{"error":"nicht gefunden"}`
	for name, tc := range map[string]struct {
		h        http.HandlerFunc
		software Software
		read     Class
		effect   Class
		complete bool // of the effect
	}{
		"401":                {h: answerWith(401, js, oops), read: Auth, effect: Auth},
		"401 page":           {h: answerWith(401, "text/html", page), read: Auth, effect: Auth},
		"401 empty":          {h: answerWith(401, "", ""), read: Auth, effect: Auth},
		"403":                {h: answerWith(403, js, oops), read: Invalid, effect: Invalid},
		"403 scope":          {h: header("WWW-Authenticate", `Bearer realm="Doorkeeper", error="insufficient_scope"`, answerWith(403, js, oops)), read: Auth, effect: Auth},
		"403 page":           {h: answerWith(403, "text/html", page), read: Transient, effect: Unknown, complete: true},
		"404":                {h: answerWith(404, js, oops), read: Gone, effect: Gone},
		"404 page":           {h: answerWith(404, "text/html", page), read: Transient, effect: Unknown, complete: true},
		"404 page of snac":   {h: answerWith(404, "text/html", "<h1>404 Not Found</h1>"), software: Snac, read: Gone, effect: Gone},
		"404 empty":          {h: answerWith(404, "", ""), read: Transient, effect: Unknown, complete: true},
		"404 of a proxy":     {h: answerWith(404, "text/plain", "404 page not found"), read: Transient, effect: Unknown, complete: true},
		"410":                {h: answerWith(410, js, oops), read: Gone, effect: Gone},
		"410 empty":          {h: answerWith(410, "", ""), read: Gone, effect: Gone},
		"421 of snac":        {h: answerWith(421, "", ""), software: Snac, read: Auth, effect: Auth},
		"400":                {h: answerWith(400, js, oops), read: Invalid, effect: Invalid},
		"422":                {h: answerWith(422, js, oops), read: Invalid, effect: Invalid},
		"422 empty":          {h: answerWith(422, "", ""), read: Invalid, effect: Invalid},
		"422 Misskey":        {h: answerWith(422, js, `{"error":{"message":"no","code":"NO"}}`), read: Invalid, effect: Invalid},
		"405":                {h: answerWith(405, js, oops), read: Unsupported, effect: Unsupported},
		"408":                {h: answerWith(408, js, oops), read: Transient, effect: Unknown},
		"413":                {h: answerWith(413, "text/html", page), read: TooLong, effect: TooLong},
		"425":                {h: answerWith(425, js, oops), read: Transient, effect: Transient},
		"429":                {h: answerWith(429, "text/html", page), read: Rate, effect: Rate},
		"500":                {h: answerWith(500, js, oops), read: Transient, effect: Unknown, complete: true},
		"500 page":           {h: answerWith(500, "text/html", page), read: Transient, effect: Unknown, complete: true},
		"501":                {h: answerWith(501, "", ""), read: Transient, effect: Unknown, complete: true},
		"502":                {h: answerWith(502, "text/html", page), read: Transient, effect: Unknown},
		"503":                {h: answerWith(503, js, oops), read: Transient, effect: Unknown, complete: true},
		"504":                {h: answerWith(504, "text/html", page), read: Transient, effect: Unknown},
		"520":                {h: answerWith(520, "text/html", page), read: Transient, effect: Unknown},
		"500 cut":            {h: cut(500, oops), read: Transient, effect: Unknown},
		"422 cut":            {h: cut(422, oops), read: Transient, effect: Unknown},
		"500 without end":    {h: answerWith(500, js, strings.Repeat("x", maxErrorBody+1)), read: Transient, effect: Unknown},
		"200 page":           {h: answerWith(200, "text/html", page), read: Transient, effect: Unknown},
		"200 page as JSON":   {h: answerWith(200, js, page), read: Transient, effect: Unknown},
		"200 empty":          {h: answerWith(200, js, ""), read: Transient, effect: Unknown},
		"200 text":           {h: answerWith(200, "text/plain", "ok"), read: Transient, effect: Unknown},
		"200 without id":     {h: answerWith(200, js, `{}`), read: Transient, effect: Unknown},
		"200 of a list":      {h: answerWith(200, js, `[]`), read: Transient, effect: Unknown},
		"200 cut":            {h: cut(200, aStatus), read: Transient, effect: Unknown},
		"200 half JSON":      {h: answerWith(200, js, aStatus[:40]), read: Transient, effect: Unknown},
		"10 MB of JSON":      {h: answerWith(200, js, `{"id":"1","content":"`+strings.Repeat("x", 10<<20)+`"}`), read: Transient, effect: Unknown},
		"gzip bomb":          {h: bomb, read: Transient, effect: Unknown},
		"not gzip":           {h: header("Content-Encoding", "gzip", answerWith(200, js, aStatus)), read: Transient, effect: Unknown},
		"reset":              {h: hangUp, read: Transient, effect: Unknown},
		"not HTTP":           {h: nonsense, read: Transient, effect: Unknown},
		"301 elsewhere":      {h: header("Location", "https://else.example/", answerWith(301, "", "")), read: Transient, effect: Invalid},
		"302 elsewhere":      {h: header("Location", "https://else.example/", answerWith(302, "text/html", page)), read: Transient, effect: Unknown, complete: true},
		"308 elsewhere":      {h: header("Location", "https://else.example/", answerWith(308, "", "")), read: Transient, effect: Invalid},
		"304 out of nowhere": {h: answerWith(304, "", ""), read: Transient, effect: Unknown, complete: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, _ := serve(t, tc.h)
			if tc.software != "" {
				become(c, Instance{Software: tc.software})
			}
			_, read := c.Status(t.Context(), "1")
			_, post := c.Post(t.Context(), draft("hi"), "key")
			check := func(what string, err error, want Class, complete bool) {
				t.Helper()
				e, ok := errors.AsType[*Error](err)
				if !ok || e.Class != want || e.Complete != complete {
					t.Errorf("%s: %#v, want %s, complete %v", what, err, want, complete)
					return
				}
				if strings.Contains(fmt.Sprintf("%+v", e), testToken) {
					t.Errorf("%s: the error tells the token: %v", what, e)
				}
				if e.Class == Rate && !e.RetryAt.After(start) {
					t.Errorf("%s: Rate without a time: %v", what, e)
				}
			}
			check("read", read, tc.read, false)
			check("post", post, tc.effect, tc.complete)
			_, edit := c.Edit(t.Context(), "1", draft("hi"))
			check("edit", edit, tc.effect, tc.complete)
		})
	}
}

func header(k, v string, h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { w.Header().Set(k, v); h(w, r) }
}

// cut promises more than it sends.
func cut(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", fmt.Sprint(len(body)+10))
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// bomb answers 64 MiB of JSON in few compressed bytes.
func bomb(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Encoding", "gzip")
	z := gzip.NewWriter(w)
	_, _ = io.WriteString(z, `{"id":"1"`)
	spaces := strings.Repeat(" ", 1<<20)
	for range 64 {
		if _, err := io.WriteString(z, spaces); err != nil {
			return // the client has had enough
		}
	}
	_, _ = io.WriteString(z, "}")
	z.Close()
}

func hangUp(w http.ResponseWriter, r *http.Request) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err == nil {
		conn.Close()
	}
}

func nonsense(w http.ResponseWriter, r *http.Request) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err == nil {
		_, _ = io.WriteString(conn, "SSH-2.0-OpenSSH_9.2 "+r.Header.Get("Authorization")+"\r\n\r\n")
		conn.Close()
	}
}

func TestARefusedTokenIsAuthWhenOnlyTheTokenWasAskedAbout(t *testing.T) {
	t.Parallel()
	c, _ := serve(t, answerWith(403, "application/json", `{"error":"Your login is currently disabled"}`))
	if _, err := c.VerifyCredentials(t.Context()); ClassOf(err) != Auth {
		t.Error(err)
	}
}

func TestAnEffectThatWasNeverSentIsTransient(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	for name, transport := range map[string]http.RoundTripper{
		"own": nil,
		"other": roundTripper(func(r *http.Request) (*http.Response, error) {
			return http.DefaultTransport.RoundTrip(r.WithContext(context.WithoutCancel(r.Context())))
		}),
	} {
		c, _ := clientFor(t, "http://"+addr, func(o *Options) { o.Transport = transport })
		_, err = c.Post(t.Context(), draft("hi"), "k")
		if ClassOf(err) != Transient {
			t.Errorf("%s transport: %v", name, err)
		}
		if err := c.Delete(t.Context(), "1"); ClassOf(err) != Transient {
			t.Errorf("%s transport: %v", name, err)
		}
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestATransportThatTellsNothingLeavesAnEffectUnknown(t *testing.T) {
	t.Parallel()
	c, _ := clientFor(t, "https://art.example", func(o *Options) {
		o.Transport = roundTripper(func(*http.Request) (*http.Response, error) { return nil, errors.New("broken " + testToken) })
	})
	_, err := c.Post(t.Context(), draft("hi"), "k")
	if ClassOf(err) != Unknown || strings.Contains(err.Error(), testToken) {
		t.Error(err)
	}
}

func TestAServerThatHangsIsGivenUp(t *testing.T) {
	t.Parallel()
	c, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // so that the server notices when the client leaves
		<-r.Context().Done()
	}, func(o *Options) { o.Timeout = 50 * time.Millisecond })
	_, err := c.Status(t.Context(), "1")
	if ClassOf(err) != Transient || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("read: %v", err)
	}
	_, err = c.Post(t.Context(), draft("hi"), "k")
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Class != Unknown || e.Complete || !strings.Contains(e.Message, "within 50ms") {
		t.Errorf("post: %v", err)
	}
}

func TestACallersOwnEndIsToldAsSuch(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	c, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		cancel()
		<-r.Context().Done()
	})
	_, err := c.Post(ctx, draft("hi"), "k")
	if ClassOf(err) != Unknown || !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestABodyThatHangsIsGivenUp(t *testing.T) {
	t.Parallel()
	c, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, aStatus[:30])
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	}, func(o *Options) { o.Timeout = 100 * time.Millisecond })
	if _, err := c.Status(t.Context(), "1"); ClassOf(err) != Transient {
		t.Errorf("read: %v", err)
	}
	if _, err := c.Post(t.Context(), draft("hi"), "k"); ClassOf(err) != Unknown {
		t.Errorf("post: %v", err)
	}
}

func TestErrorsDoNotTellTheTokenTheServerEchoes(t *testing.T) {
	t.Parallel()
	c, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(422)
		fmt.Fprintf(w, `{"error":"bad %s"}`, r.Header.Get("Authorization"))
	})
	_, err := c.Status(t.Context(), "1")
	if err == nil || strings.Contains(err.Error(), testToken) || !strings.Contains(err.Error(), "bad Bearer [token]") {
		t.Error(err)
	}
}

func TestMessagesAreOneHarmlessLine(t *testing.T) {
	t.Parallel()
	c, _ := serve(t, answerWith(422, "application/json", `{"error":"a\u0000\nb\u001b[31m`+strings.Repeat("é", 1000)+`"}`))
	_, err := c.Status(t.Context(), "1")
	e, ok := errors.AsType[*Error](err)
	if !ok || strings.ContainsAny(e.Message, "\x00\n\x1b") || len(e.Message) > 310 {
		t.Errorf("%q", e.Message)
	}
}

func TestClassOfForeignErrors(t *testing.T) {
	t.Parallel()
	for want, err := range map[Class]error{
		"":        nil,
		Transient: fmt.Errorf("wait: %w", context.Canceled),
		Unknown:   errors.New("who knows"),
		Gone:      fmt.Errorf("fetch: %w", &Error{Class: Gone}),
	} {
		if got := ClassOf(err); got != want {
			t.Errorf("ClassOf(%v) = %q, want %q", err, got, want)
		}
	}
}

func TestRejectedMediaComesFromUploadsOnly(t *testing.T) {
	t.Parallel()
	for _, status := range []int{400, 413, 415, 422} {
		c, _ := serve(t, answerWith(status, "application/json", `{"error":"no"}`))
		_, err := c.do(t.Context(), call{method: "POST", path: "/api/v2/media", family: media, effect: true,
			body: strings.NewReader("--x--"), length: -1, contentType: "multipart/form-data; boundary=x"})
		if ClassOf(err) != RejectedMedia {
			t.Errorf("%d: %v", status, err)
		}
	}
}

func TestAnEmptyAnswerToADeleteIsAnAnswer(t *testing.T) {
	t.Parallel()
	for _, h := range []http.HandlerFunc{answerWith(200, "", ""), answerWith(204, "", ""), answerWith(200, "application/json", "{}")} {
		c, _ := serve(t, h)
		if err := c.Delete(t.Context(), "1"); err != nil {
			t.Error(err)
		}
	}
	c, _ := serve(t, answerWith(200, "text/html", page))
	if err := c.Delete(t.Context(), "1"); ClassOf(err) != Unknown {
		t.Error(err)
	}
}

func TestRedirects(t *testing.T) {
	t.Parallel()
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t.Errorf("%s %s reached another host, Authorization %q", r.Method, r.URL, r.Header.Get("Authorization"))
	}))
	defer other.Close()
	posts := 0
	c, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == "POST":
			posts++
			http.Redirect(w, r, "/api/v1/elsewhere", http.StatusTemporaryRedirect)
		case r.URL.Path == "/api/v1/statuses/near":
			http.Redirect(w, r, "/api/v1/statuses/1", http.StatusMovedPermanently)
		case r.URL.Path == "/api/v1/statuses/far":
			http.Redirect(w, r, other.URL+"/x", http.StatusFound)
		case r.URL.Path == "/api/v1/statuses/round":
			http.Redirect(w, r, "/api/v1/statuses/round", http.StatusFound)
		default:
			if r.Header.Get("Authorization") == "" {
				t.Error("the token is lost on the way")
			}
			_, _ = io.WriteString(w, aStatus)
		}
	})
	if _, err := c.Status(t.Context(), "near"); err != nil {
		t.Error(err)
	}
	if _, err := c.Status(t.Context(), "far"); ClassOf(err) != Transient || !strings.Contains(err.Error(), other.URL) {
		t.Error(err)
	}
	if _, err := c.Status(t.Context(), "round"); ClassOf(err) != Transient {
		t.Error(err)
	}
	if _, err := c.Post(t.Context(), draft("hi"), "k"); ClassOf(err) != Invalid || posts != 1 {
		t.Errorf("%d posts, %v", posts, err)
	}
}
