package publicnet

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// web is a set of host names that all lead to one test server, over a client
// whose last step alone is not real: it notes what is dialled and connects to
// the server instead.
type web struct {
	t      *testing.T
	server *httptest.Server

	mu     sync.Mutex
	dialed []string
	asked  []string // names that were looked up
}

func newWeb(t *testing.T, handler http.HandlerFunc) *web {
	t.Helper()
	w := &web{t: t, server: httptest.NewServer(handler)}
	t.Cleanup(w.server.Close)
	return w
}

const publicAddr = "93.184.216.34"

func (w *web) client(o Options, answers map[string][]string) *Client {
	turn := map[string]int{}
	o.Resolver = func(_ context.Context, host string) ([]netip.Addr, error) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.asked = append(w.asked, host)
		all, ok := answers[host]
		if !ok {
			return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
		}
		// Each look-up gets the next answer, the last one stays.
		answer := all[min(turn[host], len(all)-1)]
		turn[host]++
		var addrs []netip.Addr
		for a := range strings.FieldsSeq(answer) {
			addrs = append(addrs, netip.MustParseAddr(a))
		}
		return addrs, nil
	}
	o = o.withDefaults()
	d := newDialer(o)
	d.connect = func(ctx context.Context, network, address string) (net.Conn, error) {
		w.mu.Lock()
		w.dialed = append(w.dialed, address)
		w.mu.Unlock()
		return new(net.Dialer).DialContext(ctx, network, w.server.Listener.Addr().String())
	}
	return newClient(o, d)
}

// get returns the body, or the error.
func get(t *testing.T, c *Client, address string) (string, error) {
	t.Helper()
	resp, err := c.Get(t.Context(), address)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := ReadAll(resp.Body, 1<<20)
	return string(body), err
}

func hello(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") }

func TestPublicHostIsDialledByTheCheckedAddress(t *testing.T) {
	t.Parallel()
	w := newWeb(t, hello)
	c := w.client(Options{}, map[string][]string{"art.example": {publicAddr}})
	if body, err := get(t, c, "http://Art.Example/owls"); body != "hello" || err != nil {
		t.Errorf("%q, %v", body, err)
	}
	if fmt.Sprint(w.dialed, w.asked) != "[93.184.216.34:80] [art.example]" {
		t.Errorf("dialled %v after asking for %v", w.dialed, w.asked)
	}
}

func TestNothingPrivateIsDialled(t *testing.T) {
	t.Parallel()
	answers := map[string][]string{
		"inside.example":   {"10.0.0.7"},
		"mapped.example":   {"::ffff:127.0.0.1"},
		"nat64.example":    {"64:ff9b::7f00:1"},
		"mixed.example":    {publicAddr + " 127.0.0.1"},
		"metadata.example": {"169.254.169.254"},
		"six.example":      {"::1"},
	}
	for address, want := range map[string]error{
		"http://inside.example/": ErrPrivate, "http://mapped.example/": ErrPrivate, "http://nat64.example/": ErrPrivate,
		"https://mixed.example/": ErrPrivate, "http://metadata.example/": ErrPrivate, "http://six.example/": ErrPrivate,
		"http://127.0.0.1/": ErrPrivate, "http://[::1]/": ErrPrivate, "http://[::ffff:7f00:1]/": ErrPrivate, "http://[fe80::1%25eth0]/": ErrPrivate,
		"http://0.0.0.0/": ErrPrivate, "http://[::]/": ErrPrivate, "http://localhost/": ErrPrivate, "http://router/": ErrPrivate,
		"http://ｌｏｃａｌｈｏｓｔ/": ErrPrivate, "http://１２７.０.０.１/": ErrPrivate, "http://127。0。0。1/": ErrPrivate, "http://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ/": ErrPrivate,
		"http://127.1/": ErrURL, "http://2130706433/": ErrURL, "http://0x7f000001/": ErrURL, "http://0177.0.0.1/": ErrURL,
		"http://ada@art.example/": ErrURL, "ftp://art.example/": ErrURL, "http://a b/": ErrURL, "http://art.example:22/": ErrPort,
	} {
		w := newWeb(t, hello)
		if _, err := get(t, w.client(Options{}, answers), address); !errors.Is(err, want) {
			t.Errorf("%s: %v, not %v", address, err, want)
		}
		if len(w.dialed) > 0 {
			t.Errorf("%s: %v was dialled", address, w.dialed)
		}
	}
}

func TestRebindingNameIsCheckedAtEachDial(t *testing.T) {
	t.Parallel()
	w := newWeb(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://art.example/next", http.StatusFound)
	})
	c := w.client(Options{}, map[string][]string{"art.example": {publicAddr, "127.0.0.1"}})
	if _, err := get(t, c, "http://art.example/"); !errors.Is(err, ErrPrivate) {
		t.Errorf("%v", err)
	}
	// The first answer was dialled as it was checked, without a second look-up.
	if fmt.Sprint(w.dialed, w.asked) != "[93.184.216.34:80] [art.example art.example]" {
		t.Errorf("dialled %v after asking for %v", w.dialed, w.asked)
	}
}

func TestTheSystemIsAskedOnlyForWhatIsPublic(t *testing.T) {
	t.Parallel()
	// Past the checks of dial there is one more, on the socket itself.
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	conn, err := newDialer(Options{}.withDefaults()).connect(t.Context(), "tcp", listener.Addr().String())
	if !errors.Is(err, ErrPrivate) {
		t.Errorf("%v", err)
	}
	if err == nil {
		conn.Close()
	}
}

func TestNextAddressIsTriedWhenOneIsDead(t *testing.T) {
	t.Parallel()
	w := newWeb(t, hello)
	c := w.client(Options{}, map[string][]string{"art.example": {"2606:4700::1 93.184.216.34 93.184.216.35 93.184.216.36 93.184.216.37"}})
	base := c.http.Transport.(*guard).base
	dead := errors.New("no route")
	d := newDialer(c.http.Transport.(*guard).opt)
	var tried []string
	alive := "93.184.216.34:80"
	d.connect = func(ctx context.Context, network, address string) (net.Conn, error) {
		tried = append(tried, address)
		if address != alive {
			return nil, dead
		}
		return new(net.Dialer).DialContext(ctx, network, w.server.Listener.Addr().String())
	}
	base.DialContext = d.dial
	if body, err := get(t, c, "http://art.example/"); body != "hello" || err != nil {
		t.Errorf("%q, %v", body, err)
	}
	if fmt.Sprint(tried) != "[[2606:4700::1]:80 93.184.216.34:80]" {
		t.Errorf("tried %v", tried)
	}
	alive, tried = "none", nil
	if _, err := get(t, c, "http://art.example/"); !errors.Is(err, dead) || len(tried) != maxDials {
		t.Errorf("%v after %v", err, tried)
	}
}

func TestRedirects(t *testing.T) {
	t.Parallel()
	handler := func(w http.ResponseWriter, r *http.Request) {
		var left int
		if n, _ := fmt.Sscanf(r.URL.Path, "/%d", &left); n == 1 && left > 0 {
			http.Redirect(w, r, fmt.Sprintf("/%d", left-1), http.StatusFound)
			return
		}
		if to := r.URL.Query().Get("to"); to != "" {
			http.Redirect(w, r, to, http.StatusMovedPermanently)
			return
		}
		_, _ = io.WriteString(w, "hello")
	}
	for _, c := range []struct {
		opt  Options
		path string
		want error
	}{
		{Options{}, "/5", nil}, {Options{}, "/6", ErrTooManyRedirects}, {Options{}, "/600", ErrTooManyRedirects},
		{Options{MaxRedirects: 1}, "/1", nil}, {Options{MaxRedirects: 1}, "/2", ErrTooManyRedirects},
		{Options{MaxRedirects: -1}, "/0", nil}, {Options{MaxRedirects: -1}, "/1", ErrTooManyRedirects},
		{Options{}, "/?to=http://10.0.0.1/", ErrPrivate}, {Options{}, "/?to=//127.0.0.1/", ErrPrivate}, {Options{}, "/?to=http://inside.example/", ErrPrivate},
		{Options{}, "/?to=file:///etc/passwd", ErrURL}, {Options{}, "/?to=gopher://art.example/", ErrURL}, {Options{}, "/?to=http://a:b@art.example/", ErrURL},
		{Options{}, "/?to=http://art.example:6379/", ErrPort}, {Options{}, "/?to=http://other.example/", nil},
	} {
		w := newWeb(t, handler)
		client := w.client(c.opt, map[string][]string{"art.example": {publicAddr}, "other.example": {"93.184.216.35"}, "inside.example": {"192.168.0.1"}})
		if _, err := get(t, client, "http://art.example"+c.path); !errors.Is(err, c.want) {
			t.Errorf("%d redirects, %s: %v, not %v", c.opt.MaxRedirects, c.path, err, c.want)
		}
		for _, to := range w.dialed {
			if !strings.HasPrefix(to, "93.184.216.") {
				t.Errorf("%s: %s was dialled", c.path, to)
			}
		}
	}
}

func TestNoFallFromHTTPS(t *testing.T) {
	t.Parallel()
	plain := httptest.NewServer(http.HandlerFunc(hello))
	defer plain.Close()
	secure := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/down":
			http.Redirect(w, r, plain.URL, http.StatusFound)
		case "/same":
			http.Redirect(w, r, "/", http.StatusFound)
		default:
			hello(w, r)
		}
	}))
	secure.Config.ErrorLog = log.New(io.Discard, "", 0) // of the client that hangs up
	secure.StartTLS()
	defer secure.Close()
	c := New(Options{AllowLoopback: true})
	c.http.Transport.(*guard).base.TLSClientConfig = &tls.Config{RootCAs: secure.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs}
	if _, err := get(t, c, secure.URL+"/down"); !errors.Is(err, ErrDowngrade) {
		t.Errorf("%v", err)
	}
	if body, err := get(t, c, secure.URL+"/same"); body != "hello" || err != nil {
		t.Errorf("%q, %v", body, err)
	}
	if _, err := get(t, New(Options{AllowLoopback: true}), secure.URL); err == nil {
		t.Error("a certificate that nobody vouches for was taken")
	}
}

func TestNoProxyFromTheEnvironment(t *testing.T) {
	proxied := false
	proxy := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { proxied = true }))
	defer proxy.Close()
	for _, name := range []string{"HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY"} {
		t.Setenv(name, proxy.URL)
	}
	w := newWeb(t, hello)
	c := w.client(Options{}, map[string][]string{"art.example": {publicAddr}})
	if body, err := get(t, c, "http://art.example/"); body != "hello" || err != nil || proxied {
		t.Errorf("%q, %v, through the proxy: %v", body, err, proxied)
	}
}

func TestWhatARequestCarries(t *testing.T) {
	t.Parallel()
	var got []http.Header
	w := newWeb(t, func(w http.ResponseWriter, r *http.Request) {
		got = append(got, r.Header.Clone())
		http.SetCookie(w, &http.Cookie{Name: "track", Value: "me"})
		if r.URL.Path == "/" {
			http.Redirect(w, r, "/next", http.StatusFound)
		}
	})
	c := w.client(Options{UserAgent: "Rookery/test"}, map[string][]string{"art.example": {publicAddr}})
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://art.example/?secret", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"Cookie", "Referer", "Authorization", "Proxy-Authorization"} {
		req.Header.Set(name, "secret")
	}
	req.Header.Set("Accept", "text/html")
	req.Header.Set("Accept-Encoding", "br")
	resp, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if at := resp.Request.URL.String(); at != "http://art.example/next" {
		t.Errorf("it ended at %s", at)
	}
	if len(got) != 2 {
		t.Fatalf("%d requests", len(got))
	}
	for _, h := range got {
		if h.Get("Accept") != "text/html" || h.Get("User-Agent") != "Rookery/test" || h.Get("Accept-Encoding") != "gzip" || h.Get("Connection") != "close" || len(h) != 4 {
			t.Errorf("%v", h)
		}
	}
	if req.Header.Get("Cookie") == "" {
		t.Error("the caller's own request was changed")
	}
}

func TestOnlyReading(t *testing.T) {
	t.Parallel()
	w := newWeb(t, hello)
	c := w.client(Options{}, map[string][]string{"art.example": {publicAddr}})
	for _, r := range []struct{ method, body string }{{http.MethodPost, ""}, {http.MethodDelete, ""}, {http.MethodGet, "words"}, {http.MethodPut, "words"}} {
		req, err := http.NewRequestWithContext(t.Context(), r.method, "http://art.example/", strings.NewReader(r.body))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Do(req); !errors.Is(err, ErrRequest) {
			t.Errorf("%s %q: %v", r.method, r.body, err)
		}
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodHead, "http://art.example/", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if resp.Body.Close(); resp.ContentLength != 5 {
		t.Errorf("HEAD: %d bytes", resp.ContentLength)
	}
}

func TestErrorsDoNotRepeatTheAddress(t *testing.T) {
	t.Parallel()
	w := newWeb(t, hello)
	c := w.client(Options{}, nil)
	for _, address := range []string{"http://gone.example/hidden?hidden", "http://10.0.0.1/hidden", "http://art.example:22/hidden", "http://a:hidden@art.example/", "http://[hidden/"} {
		_, err := get(t, c, address)
		if err == nil || strings.Contains(err.Error(), "hidden") {
			t.Errorf("%s: %v", address, err)
		}
	}
}

func TestSlowServersEnd(t *testing.T) {
	t.Parallel()
	stop := make(chan struct{})
	w := newWeb(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/body" {
			hello(w, r)
			_ = http.NewResponseController(w).Flush()
		}
		<-stop
	})
	defer close(stop)
	c := w.client(Options{Timeout: 50 * time.Millisecond}, map[string][]string{"art.example": {publicAddr}})
	for _, path := range []string{"/", "/body"} {
		_, err := get(t, c, "http://art.example"+path)
		if slow, ok := errors.AsType[net.Error](err); !ok || !slow.Timeout() {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestGzipBombCostsTheLimitOnly(t *testing.T) {
	t.Parallel()
	var bomb bytes.Buffer
	z, err := gzip.NewWriterLevel(&bomb, gzip.BestSpeed)
	if err != nil {
		t.Fatal(err)
	}
	for range 8 {
		_, _ = z.Write(make([]byte, 1<<20))
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	w := newWeb(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", strings.TrimPrefix(r.URL.Path, "/"))
		_, _ = w.Write(bomb.Bytes())
	})
	c := w.client(Options{}, map[string][]string{"art.example": {publicAddr}})
	body, err := get(t, c, "http://art.example/gzip")
	if len(body) != 1<<20 || !errors.Is(err, ErrTooLarge) {
		t.Errorf("%d bytes, %v", len(body), err)
	}
	for _, e := range []string{"br", "deflate", "gzip,gzip"} {
		if _, err := get(t, c, "http://art.example/"+e); !errors.Is(err, ErrEncoding) {
			t.Errorf("%s: %v", e, err)
		}
	}
}

func TestHugeHeadersAreNotRead(t *testing.T) {
	t.Parallel()
	w := newWeb(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Long", strings.Repeat("a", 2*maxHeaders))
	})
	c := w.client(Options{}, map[string][]string{"art.example": {publicAddr}})
	if _, err := get(t, c, "http://art.example/"); err == nil {
		t.Error("they were")
	}
}

func TestLoopbackIsOpenOnlyWhenAsked(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(hello))
	defer server.Close()
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	for _, address := range []string{server.URL, "http://localhost:" + port, "http://a.localhost:" + port} {
		if body, err := get(t, New(Options{AllowLoopback: true}), address); body != "hello" || err != nil {
			t.Errorf("%s: %q, %v", address, body, err)
		}
		if _, err := get(t, New(Options{}), address); !errors.Is(err, ErrPort) {
			t.Errorf("%s: %v", address, err)
		}
	}
}

func TestLimit(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	for _, c := range []struct {
		name string
		r    io.Reader
		n    int64
		want string
		err  error
	}{
		{"less", strings.NewReader("owls"), 5, "owls", nil},
		{"exactly", strings.NewReader("owls"), 4, "owls", nil},
		{"more", strings.NewReader("owls"), 3, "owl", ErrTooLarge},
		{"nothing allowed", strings.NewReader("owls"), 0, "", ErrTooLarge},
		{"below zero", strings.NewReader("owls"), -1, "", ErrTooLarge},
		{"nothing there", strings.NewReader(""), 0, "", nil},
		{"broken before", io.MultiReader(strings.NewReader("ow"), failing{broken}), 3, "ow", broken},
		{"broken at the limit", io.MultiReader(strings.NewReader("owl"), failing{broken}), 3, "owl", broken},
	} {
		got, err := ReadAll(c.r, c.n)
		if string(got) != c.want || !errors.Is(err, c.err) || err != nil && c.err == nil {
			t.Errorf("%s: %q, %v", c.name, got, err)
		}
	}
	l := Limit(strings.NewReader("owls"), 2)
	if _, err := io.Copy(io.Discard, l); !errors.Is(err, ErrTooLarge) {
		t.Errorf("%v", err)
	}
	if n, err := l.Read(make([]byte, 8)); n != 0 || !errors.Is(err, ErrTooLarge) {
		t.Errorf("read on: %d, %v", n, err)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }
