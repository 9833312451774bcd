// Package publicnet fetches from addresses that strangers chose, and reaches
// the public internet only: never this machine, its network, or what a cloud
// keeps for its guests. Without it, a link in a post could make the program
// read a router's pages or a cloud's credentials (server-side request forgery).
//
// What is checked is the address that is really dialled: a name is resolved
// here, every address it stands for is checked, and one of those is connected
// to, so that a name that changes its answer between check and use (DNS
// rebinding) gains nothing. Each hop of a redirect goes the same way. No proxy
// is taken from the environment: it would do the dialling.
//
// It leaves to others what to fetch, how much of it to read (Limit and ReadAll
// help) and what to make of it. It cannot know which public addresses are this
// machine's own, or what answers there on the ports it may use.
//
// Sources: RFC 6890 and the registries that carry it on,
// https://www.iana.org/assignments/iana-ipv4-special-registry/ and
// https://www.iana.org/assignments/iana-ipv6-special-registry/.
package publicnet

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"time"
)

// Defaults of Options.
const (
	DefaultTimeout      = 30 * time.Second
	DefaultMaxRedirects = 5
)

// Bounds that are not for callers to change.
const (
	lookupAndDial = 8 * time.Second // all addresses of a name together
	oneDial       = 3 * time.Second // one of them
	handshake     = 5 * time.Second
	headers       = 10 * time.Second
	maxHeaders    = 64 << 10
	maxURL        = 8 << 10
	maxDials      = 3
)

// Options say how to fetch. The zero value is usable and the strictest.
type Options struct {
	// Resolver returns the addresses of a host name, which comes in ASCII and
	// without a dot at its end. nil means the machine's resolver.
	Resolver func(ctx context.Context, host string) ([]netip.Addr, error)
	// AllowLoopback opens this very machine (127.0.0.0/8, ::1 and the name
	// localhost), on every port: for tests and for simulated services only.
	AllowLoopback bool
	// Ports are those that may be connected to; nil means 80 and 443.
	Ports []uint16
	// UserAgent is sent where the request has none; empty means Go's own.
	UserAgent string
	// Timeout bounds one request from the look-up of the name to the last byte
	// of the body, all redirects included; 0 means DefaultTimeout.
	Timeout time.Duration
	// MaxRedirects is how many are followed; 0 means DefaultMaxRedirects, and
	// below zero none is.
	MaxRedirects int
}

func (o Options) withDefaults() Options {
	if o.Resolver == nil {
		o.Resolver = lookup
	}
	if o.Ports == nil {
		o.Ports = []uint16{80, 443}
	}
	if o.Timeout <= 0 {
		o.Timeout = DefaultTimeout
	}
	if o.MaxRedirects == 0 {
		o.MaxRedirects = DefaultMaxRedirects
	}
	return o
}

// Client fetches from public addresses. It is safe for concurrent use and
// keeps nothing between two requests: no connections, no cookies.
type Client struct {
	http *http.Client
}

// New returns a client. It does not touch the network.
func New(o Options) *Client {
	o = o.withDefaults()
	return newClient(o, newDialer(o))
}

func newClient(o Options, d *dialer) *Client {
	var http1 http.Protocols
	http1.SetHTTP1(true)
	base := &http.Transport{
		Proxy:       nil,
		DialContext: d.dial,
		// A host is rarely asked twice; nothing is left open behind a request.
		DisableKeepAlives:      true,
		Protocols:              &http1,
		TLSHandshakeTimeout:    handshake,
		ResponseHeaderTimeout:  headers,
		MaxResponseHeaderBytes: maxHeaders,
	}
	return &Client{http: &http.Client{
		Transport: &guard{opt: o, base: base},
		Timeout:   o.Timeout,
		CheckRedirect: func(req *http.Request, via []*http.Request) error {
			return checkRedirect(req, via, o.MaxRedirects)
		},
	}}
}

// Get fetches an address; see Do.
func (c *Client) Get(ctx context.Context, address string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, fmt.Errorf("%w: it cannot be read", ErrURL)
	}
	return c.Do(req)
}

// Do sends a GET or HEAD request without a body and follows redirects.
// Cookies, credentials and the referring page are left out whatever the
// request holds, and the encoding is negotiated here: the body is read as the
// sender meant it, decompressed. The caller bounds how much is read, and
// closes the body. Response.Request.URL is where the redirects led.
//
// Any status is an answer, not an error. Errors that a caller may tell apart:
// ErrURL, ErrPort, ErrPrivate, ErrTooManyRedirects, ErrDowngrade, ErrEncoding,
// ErrRequest; slowness of every kind is a net.Error whose Timeout is true. The
// text of an error names the host but not the rest of the address.
func (c *Client) Do(req *http.Request) (*http.Response, error) {
	resp, err := c.http.Do(req)
	if err == nil {
		return resp, nil
	}
	if resp != nil { // a refused redirect, whose body is closed already
		_ = resp.Body.Close()
	}
	host := req.URL.Host
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		// Its text repeats the address, which may hold what is not for a log.
		err = wrapped.Err
	}
	return nil, fmt.Errorf("fetch from %s: %w", host, err)
}

// checkRedirect decides on the next hop; where it leads is checked when it is
// gone to. A fall from https to http is refused: whoever sits between could
// put words of their own in place of those the link promised.
func checkRedirect(req *http.Request, via []*http.Request, most int) error {
	if len(via) > most {
		return fmt.Errorf("%w: after %d", ErrTooManyRedirects, max(most, 0))
	}
	if via[len(via)-1].URL.Scheme == "https" && req.URL.Scheme == "http" {
		return ErrDowngrade
	}
	return nil
}

// guard is the RoundTripper: it sees every request, also those that redirects
// make.
type guard struct {
	opt  Options
	base *http.Transport
}

// RoundTrip implements http.RoundTripper.
func (g *guard) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		defer req.Body.Close()
	}
	if err := g.check(req); err != nil {
		return nil, err
	}
	out := req.Clone(req.Context())
	out.Body = nil
	// The client puts Referer into what redirects make. Without
	// Accept-Encoding the transport asks for gzip itself, and unpacks it.
	for _, name := range []string{"Cookie", "Referer", "Authorization", "Proxy-Authorization", "Accept-Encoding"} {
		out.Header.Del(name)
	}
	if g.opt.UserAgent != "" && out.Header.Get("User-Agent") == "" {
		out.Header.Set("User-Agent", g.opt.UserAgent)
	}
	resp, err := g.base.RoundTrip(out)
	if err != nil {
		return nil, err
	}
	if e := resp.Header.Get("Content-Encoding"); e != "" && e != "identity" && req.Method == http.MethodGet {
		_ = resp.Body.Close()
		return nil, fmt.Errorf("%w: %.40q", ErrEncoding, e)
	}
	return resp, nil
}

func (g *guard) check(req *http.Request) error {
	if req.Method != http.MethodGet && req.Method != http.MethodHead && req.Method != "" {
		return fmt.Errorf("%w: the method is %.20q", ErrRequest, req.Method)
	}
	if req.Body != nil && req.Body != http.NoBody {
		return fmt.Errorf("%w: it has a body", ErrRequest)
	}
	return g.opt.checkURL(req.URL)
}
