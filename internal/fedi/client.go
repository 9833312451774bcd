package fedi

// The protocol client: what goes over the wire to one server for one account,
// and what its answers mean. It is written from the published descriptions of
// the Mastodon client API (https://docs.joinmastodon.org/methods/) and from
// what Mastodon, Akkoma, Pleroma, GoToSocial, snac and the Misskey family
// really answer. It decides nothing: when to poll, whom to answer and whether
// an effect may be repeated is the business of its callers, who get errors
// whose class says what happened. It keeps no state but what it has learnt of
// its server: software and limits, rates, the clock, how dismissals and
// uploads work.

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"rookery/internal/clock"
)

// Options say which server and account a Client speaks for.
type Options struct {
	// Server is the base URL, "https://art.example". Plain http is accepted
	// for a loopback host only.
	Server string
	// Token is the account's access token; empty for calls that need none.
	Token string
	// UserAgent names the program and where to read about it.
	UserAgent string
	// Transport carries the requests; nil for an own one with sane limits. A
	// transport given here must not repeat requests by itself.
	Transport http.RoundTripper
	Clock     clock.Clock  // nil for the system's
	Log       *slog.Logger // nil for none
	// Timeout bounds each request with its answer; 30 s when zero.
	Timeout time.Duration
	// NoRateLimits is for the operator's own server: nothing is held back,
	// but refusals (429) are obeyed.
	NoRateLimits bool
	// Observe, if set, is told every request once it has ended. It is called
	// from many goroutines and must be quick.
	Observe func(Request)
}

const defaultTimeout = 30 * time.Second

// Client speaks to one server for one account. It is safe for concurrent use.
type Client struct {
	base    *url.URL
	token   string
	agent   string
	clock   clock.Clock
	log     *slog.Logger
	timeout time.Duration
	// pongWithin is how long a silent stream may take to show that it lives.
	pongWithin time.Duration

	reads   *http.Client
	effects *http.Client
	streams *http.Client
	limits  limiter
	observe func(Request)
	// onRefusal, if set, is called when the server no longer takes the token.
	onRefusal func()

	mu       sync.Mutex
	skew     time.Duration
	skewed   bool      // skew is known
	dated    time.Time // the last Date of the server's
	datedAt  time.Time // when that was, by our clock
	instance Instance  // as last probed
	probed   bool
	dismiss  dismissal
	oldMedia bool // uploads go to the older call
	noExpect bool // what stands before the server cannot be asked first
}

// New returns a client; it sends nothing yet. An error says what is wrong
// with the options and never repeats the token.
func New(o Options) (*Client, error) {
	base, err := baseURL(o.Server)
	if err != nil {
		return nil, err
	}
	for _, r := range o.Token {
		if r <= ' ' || r > '~' {
			return nil, errors.New("the access token holds a space, a line break or another character that no token has: copy it again")
		}
	}
	if strings.ContainsFunc(o.UserAgent, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return nil, errors.New("the user agent must be one line of text")
	}
	c := &Client{
		base: base, token: o.Token, agent: o.UserAgent, clock: o.Clock, log: o.Log, timeout: o.Timeout, pongWithin: pongWithin,
		limits: limiter{off: o.NoRateLimits}, observe: o.Observe,
	}
	if c.clock == nil {
		c.clock = clock.System{}
	}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	if c.timeout <= 0 {
		c.timeout = defaultTimeout
	}
	if c.agent == "" {
		c.agent = "Rookery"
	}
	requests, streams := o.Transport, o.Transport
	if o.Transport == nil {
		// Streams have their own, so that they take no request's connection.
		requests, streams = newTransport(), newTransport()
	}
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	c.reads = &http.Client{Transport: requests, CheckRedirect: c.follow}
	c.effects = &http.Client{Transport: requests, CheckRedirect: stay}
	c.streams = &http.Client{Transport: streams, CheckRedirect: stay}
	return c, nil
}

// Close frees the connections that are kept for later; the client stays
// usable.
func (c *Client) Close() {
	c.reads.CloseIdleConnections()
	c.streams.CloseIdleConnections()
}

// connections to one server at most; each answer under way needs one.
const connections = 8

// newTransport has no proxy but the environment's, few connections, and drops
// idle ones before servers do (nginx: 75 s), so that a request rarely goes
// out on a connection that is already dead.
func newTransport() *http.Transport {
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 15 * time.Second}).DialContext,
		TLSHandshakeTimeout:    10 * time.Second,
		ExpectContinueTimeout:  2 * time.Second, // servers that do not know how to be asked just wait
		MaxIdleConns:           connections,
		MaxIdleConnsPerHost:    connections, // fewer would be closed and opened again all the time
		MaxConnsPerHost:        connections,
		IdleConnTimeout:        20 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
		ForceAttemptHTTP2:      true,
	}
}

// baseURL checks the address of a server.
func baseURL(server string) (*url.URL, error) {
	if server == "" {
		return nil, errors.New("no server: set its address, like https://art.example")
	}
	u, err := url.Parse(server)
	if err != nil || u.Host == "" || u.Opaque != "" {
		return nil, fmt.Errorf("server %q is no address of a server: write it like https://art.example", server)
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("server at %q: its address must have no name, password, query or fragment", u.Host)
	}
	switch {
	case u.Scheme == "https":
	case u.Scheme == "http" && loopback(u.Hostname()):
	case u.Scheme == "http":
		return nil, fmt.Errorf("server %q: plain http would show the access token to everyone on the way: use https (http works for this machine only)", server)
	default:
		return nil, fmt.Errorf("server %q: the address must begin with https://", server)
	}
	u.Host = strings.ToLower(u.Host)
	u.Path = strings.TrimRight(u.Path, "/")
	u.RawPath = ""
	return u, nil
}

// loopback reports whether host is this machine.
func loopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// follow lets a read be sent on to another page of the same server only: the
// token must never reach anyone else.
func (c *Client) follow(next *http.Request, via []*http.Request) error {
	if len(via) >= 5 || next.URL.Scheme != c.base.Scheme || !strings.EqualFold(next.URL.Host, c.base.Host) {
		return http.ErrUseLastResponse
	}
	return nil
}

// Skew is the server's clock minus ours at the last answer that bore a Date,
// to the second; false if none did yet.
func (c *Client) Skew() (time.Duration, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.skew, c.skewed
}

// serverTime is the time by the server's clock, as well as it is known. Our
// own clock may have been set since the server's last answer. The later of
// what it and the monotonic clock say counts, for what is noted too late is
// put right by the server's next answer, and too early would let an effect
// seem settled before it is.
func (c *Client) serverTime() time.Time {
	now := c.clock.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.skewed {
		return now
	}
	passed := max(now.Sub(c.datedAt), now.Round(0).Sub(c.datedAt.Round(0)), 0)
	return c.dated.Add(passed)
}

// toldTime is the Date of the server's last answer, our clock's time if none
// bore one.
func (c *Client) toldTime() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.skewed {
		return c.clock.Now()
	}
	return c.dated
}

// software is what the last probe found; SoftwareUnknown before the first.
func (c *Client) software() Software {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.probed {
		return SoftwareUnknown
	}
	return c.instance.Software
}
