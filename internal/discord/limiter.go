package discord

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/disgoorg/disgo/rest"

	"rookery/internal/clock"
)

const (
	// globalRate is how many requests a second a bot has. Source:
	// topics/rate-limits, "Global Rate Limit".
	globalRate = 50
	// manyRoutes is when routes that nobody waits for are forgotten.
	manyRoutes = 2000
	// edgeLimit is how long a limit of the edge lasts that names no time.
	edgeLimit = 10 * time.Second
)

// limiter keeps requests within Discord's limits (topics/rate-limits). It is
// disgo's RateLimiter, because disgo's own takes no notice of a limit that
// names no bucket, and cuts off fractions of seconds. A request that would
// have to wait beyond its deadline is refused at once (class Rate). Requests
// of one route and one channel, guild or webhook follow each other.
type limiter struct {
	clock clock.Clock

	mu      sync.Mutex
	routes  map[string]*route
	windows map[string]*window // by the bucket Discord names, and the channel or so
	hold    time.Time          // the global limit, until when
	sent    [globalRate]time.Time
	next    int // the oldest of sent
	invalid invalids
}

// route is one method and path of one channel, guild or webhook.
type route struct {
	busy   chan struct{} // holds one while a request is under way
	users  int
	window *window
}

// window is what is left of a bucket.
type window struct {
	known     bool
	remaining int
	reset     time.Time
}

var _ rest.RateLimiter = (*limiter)(nil)

func newLimiter(c clock.Clock, tell func(error)) *limiter {
	return &limiter{clock: c, routes: map[string]*route{}, windows: map[string]*window{}, invalid: newInvalids(tell)}
}

// MaxRetries implements rest.RateLimiter: how often disgo sends a request in
// all that was answered with 429.
func (l *limiter) MaxRetries() int { return 4 }

// Close implements rest.RateLimiter. Nothing runs in the background.
func (l *limiter) Close(context.Context) {}

// Reset implements rest.RateLimiter. Limits are Discord's: forgetting them
// would only break them.
func (l *limiter) Reset() {}

func routeKey(e *rest.CompiledEndpoint) string {
	return e.Endpoint.Method + " " + e.Endpoint.Route + " " + e.MajorParams
}

// exempt tells the requests that answer an interaction: they do not count
// against the global limit.
func exempt(e *rest.CompiledEndpoint) bool {
	return strings.HasPrefix(e.Endpoint.Route, "/interactions/") || strings.HasPrefix(e.Endpoint.Route, "/webhooks/")
}

// Wait implements rest.RateLimiter. Unless it returns an error, Unlock must
// follow.
func (l *limiter) Wait(ctx context.Context, e *rest.CompiledEndpoint) error {
	key := routeKey(e)
	l.mu.Lock()
	r := l.routes[key]
	if r == nil {
		l.forget()
		r = &route{busy: make(chan struct{}, 1), window: &window{}}
		l.routes[key] = r
	}
	r.users++
	l.mu.Unlock()

	select {
	case r.busy <- struct{}{}:
	case <-ctx.Done():
		l.leave(r)
		return ended(ctx)
	}
	for {
		until, err := l.claim(r, exempt(e))
		if err == nil && until.IsZero() {
			return nil
		}
		if err == nil {
			err = l.sleep(ctx, until)
		}
		if err != nil {
			if e, ok := errors.AsType[*Error](err); ok && e.Class == Rate {
				l.mu.Lock()
				e.Bucket = r.window.known && r.window.reset.Equal(until)
				l.mu.Unlock()
			}
			<-r.busy
			l.leave(r)
			return err
		}
	}
}

func (l *limiter) leave(r *route) {
	l.mu.Lock()
	r.users--
	l.mu.Unlock()
}

// claim takes a place for one request; or it says until when to wait.
func (l *limiter) claim(r *route, exempt bool) (time.Time, error) {
	until, over, err := l.claimLocked(r, exempt)
	if over {
		l.invalid.tell(nil)
	}
	return until, err
}

func (l *limiter) claimLocked(r *route, exempt bool) (until time.Time, over bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.clock.Now()
	until, err = l.invalid.wait(now, exempt)
	over, l.invalid.over = l.invalid.over, false
	if err != nil {
		return time.Time{}, over, err
	}
	if w := r.window; w.known && w.remaining <= 0 && w.reset.After(until) {
		until = w.reset
	}
	if !exempt {
		if l.hold.After(until) {
			until = l.hold
		}
		if free := l.sent[l.next].Add(time.Second); free.After(until) {
			until = free
		}
	}
	if until.After(now) {
		return until, over, nil
	}
	if !exempt {
		l.sent[l.next] = now
		l.next = (l.next + 1) % globalRate
	}
	if w := r.window; w.known {
		if !w.reset.After(now) { // a new window, of which nothing is known yet
			w.known = false
		}
		w.remaining--
	}
	l.invalid.last = now
	return time.Time{}, over, nil
}

func (l *limiter) sleep(ctx context.Context, until time.Time) error {
	wait := until.Sub(l.clock.Now())
	// The deadline of a context is by the machine's clock, so durations are compared.
	if deadline, ok := ctx.Deadline(); ok && wait > time.Until(deadline) { //nolint:forbidigo // see above
		return &Error{Class: Rate, RetryAt: until, Err: errors.New("held back by a rate limit")}
	}
	ready, stop := l.clock.After(wait)
	defer stop()
	select {
	case <-ready:
		return nil
	case <-ctx.Done():
		return ended(ctx)
	}
}

// Unlock implements rest.RateLimiter. rs is nil if no answer came.
func (l *limiter) Unlock(e *rest.CompiledEndpoint, rs *http.Response) error {
	var limit limited
	if rs != nil && rs.StatusCode == http.StatusTooManyRequests {
		limit = readLimit(rs)
	}
	l.mu.Lock()
	r := l.routes[routeKey(e)]
	var tell func()
	if rs != nil && r != nil {
		tell = l.learn(r, e, rs, limit)
	}
	if r != nil {
		r.users--
		select {
		case <-r.busy:
		default: // nobody holds it: a programmer's mistake of the caller's
		}
	}
	l.mu.Unlock()
	if tell != nil {
		tell()
	}
	return nil
}

// learn takes in what an answer says; called with the mutex held. The result
// is to be called without it.
func (l *limiter) learn(r *route, e *rest.CompiledEndpoint, rs *http.Response, limit limited) func() {
	now := l.clock.Now()
	h := rs.Header
	if bucket := h.Get("X-RateLimit-Bucket"); bucket != "" {
		key := bucket + " " + e.MajorParams
		w := l.windows[key]
		if w == nil {
			w = &window{}
			l.windows[key] = w
		}
		r.window = w
	}
	remaining, err := strconv.Atoi(h.Get("X-RateLimit-Remaining"))
	if after, ok := seconds(h.Get("X-RateLimit-Reset-After")); ok && err == nil {
		*r.window = window{known: true, remaining: remaining, reset: now.Add(after)}
	}
	if rs.StatusCode == http.StatusTooManyRequests {
		until := now.Add(limit.after)
		if limit.global {
			if until.After(l.hold) {
				l.hold = until
			}
		} else {
			*r.window = window{known: true, reset: until}
		}
	}
	switch rs.StatusCode {
	case http.StatusUnauthorized, http.StatusForbidden:
		return l.invalid.count(now)
	case http.StatusTooManyRequests:
		if h.Get("X-RateLimit-Scope") != "shared" {
			return l.invalid.count(now)
		}
	}
	return nil
}

// limited is what a 429 says.
type limited struct {
	after  time.Duration
	global bool
}

// readLimit reads a 429, which may be of Discord (JSON, of one bucket or of
// the whole bot) or of the edge before it (HTML: the whole address waits). It
// leaves the body to be read again.
func readLimit(rs *http.Response) limited {
	const most = 64 << 10
	body, _ := io.ReadAll(io.LimitReader(rs.Body, most))
	_ = rs.Body.Close()
	rs.Body = io.NopCloser(bytes.NewReader(body))
	var said struct {
		RetryAfter float64 `json:"retry_after"`
		Global     bool    `json:"global"`
	}
	edge := rs.Header.Get(edgeHeader) != "" || json.Unmarshal(body, &said) != nil
	out := limited{global: edge || said.Global || rs.Header.Get("X-RateLimit-Global") != "" || rs.Header.Get("X-RateLimit-Scope") == "global"}
	unknown := time.Second
	if edge {
		unknown = edgeLimit
	}
	out.after = retryAfter(rs.Header, unknown)
	if d, ok := seconds(strconv.FormatFloat(said.RetryAfter, 'f', -1, 64)); ok && said.RetryAfter > 0 {
		// The header may be cut to whole seconds, the body is exact: the later is safe.
		out.after = max(out.after, d)
	}
	return out
}

// forget drops what is no longer of use once there is much; called with the
// mutex held.
func (l *limiter) forget() {
	if len(l.routes) < manyRoutes {
		return
	}
	now := l.clock.Now()
	for key, r := range l.routes {
		if r.users == 0 && !r.window.reset.After(now) {
			delete(l.routes, key)
		}
	}
	for key, w := range l.windows {
		if !w.reset.After(now) {
			delete(l.windows, key)
		}
	}
}
