package discord

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"rookery/internal/community"
)

const (
	// bodyCap bounds what is read of an answer.
	bodyCap = 16 << 20
	// errorCap bounds what is read of a refusal.
	errorCap = 256 << 10
	// readTries is how often a read is sent that a 5xx, or nothing, answers.
	readTries = 3
	// edgeHeader marks an answer that did not come from Discord's API. It is
	// set here and never sent.
	edgeHeader = "X-Rookery-Edge"
)

// transport carries the requests to the API. It bounds answers and their time,
// repeats reads that the server could not serve, learns the server's time, and
// makes of every refusal one that disgo can read: it believes that each holds a
// JSON object, and goes wrong on others.
type transport struct {
	d    *Discord
	base *http.Transport
}

func (d *Discord) newTransport() *transport {
	return &transport{d: d, base: &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		ForceAttemptHTTP2:   true,
		MaxIdleConns:        8,
		MaxIdleConnsPerHost: 8,
		IdleConnTimeout:     90 * time.Second,
		TLSHandshakeTimeout: 10 * time.Second,
		// What is decompressed for us cannot be bounded by its length, but is
		// by bodyCap all the same.
		MaxResponseHeaderBytes: 64 << 10,
	}}
}

// noRedirects keeps the token from being sent elsewhere.
func noRedirects(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// CloseIdleConnections is called by http.Client.
func (t *transport) CloseIdleConnections() { t.base.CloseIdleConnections() }

// RoundTrip implements http.RoundTripper.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	began := t.d.Clock.Now()
	ctx, cancel := context.WithTimeout(req.Context(), t.d.Timeout)
	out := req.WithContext(ctx)
	// Go would send a request again by itself when a kept-alive connection dies
	// under it: for an effect that may be a second one.
	out.GetBody = nil
	rs, err := t.tries(out)
	t.observe(req, rs, err, began)
	if err != nil {
		cancel()
		return nil, err
	}
	rs.Body = &capped{body: rs.Body, left: bodyCap, done: cancel}
	if rs.StatusCode >= 300 {
		plain(rs)
	}
	t.watchToken(req, rs)
	return rs, nil
}

// tries sends a request, and a read again that was not served.
func (t *transport) tries(req *http.Request) (*http.Response, error) {
	pause := 300 * time.Millisecond
	for try := 1; ; try++ {
		rs, err := t.base.RoundTrip(req)
		if err == nil {
			t.d.server.learn(rs.Header.Get("Date"), t.d.Clock.Now())
		}
		served := err == nil && rs.StatusCode < 500
		if served || req.Method != http.MethodGet || try == readTries || req.Context().Err() != nil {
			return rs, err
		}
		if err == nil {
			_, _ = io.Copy(io.Discard, io.LimitReader(rs.Body, errorCap))
			_ = rs.Body.Close()
		}
		ready, stop := t.d.Clock.After(pause + rand.N(pause))
		select {
		case <-ready:
		case <-req.Context().Done():
		}
		stop()
		if req.Context().Err() != nil {
			return nil, context.Cause(req.Context())
		}
		pause *= 3
	}
}

// capped is a body that ends with an error beyond its cap, and that ends its
// request's time when closed.
type capped struct {
	body io.ReadCloser
	left int
	done context.CancelFunc
}

var errTooLong = errors.New("the answer is too long to be true")

func (c *capped) Read(p []byte) (int, error) {
	if len(p) > c.left+1 {
		p = p[:c.left+1]
	}
	n, err := c.body.Read(p)
	if c.left -= n; c.left < 0 {
		return 0, errTooLong
	}
	return n, err
}

func (c *capped) Close() error {
	defer c.done()
	return c.body.Close()
}

// plain makes the body of a refusal a JSON object with a code, a message and
// nothing that disgo could trip over. Source: reference, "Error Messages".
func plain(rs *http.Response) {
	body, _ := io.ReadAll(io.LimitReader(rs.Body, errorCap))
	_ = rs.Body.Close()
	var said struct {
		Code       float64         `json:"code"`
		Message    string          `json:"message"`
		RetryAfter float64         `json:"retry_after,omitempty"`
		Global     bool            `json:"global,omitempty"`
		Errors     json.RawMessage `json:"errors,omitempty"`
	}
	trimmed := bytes.TrimSpace(body)
	if len(trimmed) == 0 || trimmed[0] != '{' || json.Unmarshal(trimmed, &said) != nil {
		said.Code, said.RetryAfter, said.Global, said.Errors = 0, 0, false, nil
		said.Message = "an answer that is not Discord's: " + short(string(body))
		rs.Header.Set(edgeHeader, "1")
	} else {
		rs.Header.Del(edgeHeader)
	}
	if len(said.Errors) > 0 && !fieldErrors(said.Errors, 0) {
		said.Errors = nil
	}
	said.Code = float64(int32(said.Code))
	clean, err := json.Marshal(said)
	if err != nil {
		clean = []byte("{}")
	}
	rs.Body = io.NopCloser(bytes.NewReader(clean))
	rs.ContentLength = int64(len(clean))
}

// fieldErrors tells whether the errors of fields have the shape that is
// documented.
func fieldErrors(raw json.RawMessage, depth int) bool {
	var fields map[string]json.RawMessage
	if depth > 20 || json.Unmarshal(raw, &fields) != nil || fields == nil {
		return false
	}
	for name, value := range fields {
		if name != "_errors" {
			if !fieldErrors(value, depth+1) {
				return false
			}
			continue
		}
		var list []map[string]any
		if json.Unmarshal(value, &list) != nil {
			return false
		}
		for _, e := range list {
			if e == nil {
				return false
			}
		}
	}
	return true
}

// watchToken notices that the bot's token is refused, or taken again.
func (t *transport) watchToken(req *http.Request, rs *http.Response) {
	if !strings.HasPrefix(req.Header.Get("Authorization"), "Bot ") {
		return
	}
	switch {
	case rs.StatusCode == http.StatusUnauthorized && rs.Header.Get(edgeHeader) == "":
		t.d.trouble.set(TokenRefused, &Error{Class: Auth, Status: rs.StatusCode, Err: errTokenRefused})
	case rs.StatusCode < 300:
		t.d.trouble.set(TokenRefused, nil)
	}
}

var errTokenRefused = errors.New("Discord refuses the bot's token: reset it in the developer portal and configure the new one")

func (t *transport) observe(req *http.Request, rs *http.Response, err error, began time.Time) {
	if t.d.Observe == nil {
		return
	}
	r := Request{Family: family(req.Method, req.URL.Path), Outcome: "ok", Took: t.d.Clock.Now().Sub(began)}
	switch {
	case err != nil:
		r.Outcome = string(Unknown)
		if req.Method == http.MethodGet || notSent(err) {
			r.Outcome = string(Transient)
		}
	case rs.StatusCode >= 400:
		r.Outcome = string(t.d.answered(rs, 0, "", nil).Class)
	}
	t.d.Observe(r)
}

// family is a route without anything that grows with what members do.
func family(method, path string) string {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	for len(parts) > 0 && (parts[0] == "api" || len(parts[0]) > 1 && parts[0][0] == 'v' && digits(parts[0][1:])) {
		parts = parts[1:]
	}
	for i, p := range parts {
		switch {
		case digits(p):
			parts[i] = "{id}"
		case i == 2 && (parts[0] == "webhooks" || parts[0] == "interactions"):
			parts[i] = "{token}"
		case i > 0 && parts[i-1] == "reactions":
			parts[i] = "{emoji}"
		}
	}
	return method + " /" + strings.Join(parts, "/")
}

func digits(s string) bool {
	for _, r := range s {
		if r < '0' || r > '9' {
			return false
		}
	}
	return s != ""
}

// serverTime is Discord's clock, as its answers tell it.
type serverTime struct {
	mu    sync.Mutex
	known bool
	ahead time.Duration // of our clock
}

// learn takes in a Date header, which is cut to whole seconds.
func (s *serverTime) learn(header string, now time.Time) {
	at, err := http.ParseTime(header)
	if err != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	ahead := at.Add(500 * time.Millisecond).Sub(now)
	if !s.known || (ahead-s.ahead).Abs() > time.Second { // within a second it is the cut
		s.known, s.ahead = true, ahead
	}
}

// Now is the time by Discord's clock; by ours before it was heard of.
func (d *Discord) Now(community.AccountID) time.Time {
	d.server.mu.Lock()
	defer d.server.mu.Unlock()
	return d.Clock.Now().Add(d.server.ahead)
}

// ask runs one call of disgo's REST client.
func ask[T any](d *Discord, what string, fn func() (T, error)) (v T, err error) {
	defer func() { // disgo's decoders trust what they read
		if r := recover(); r != nil {
			err = fmt.Errorf("%s: %w", what, &Error{Class: Unknown, Err: fmt.Errorf("an answer that cannot be read: %v", r)})
		}
	}()
	v, err = fn()
	if err != nil {
		return v, fmt.Errorf("%s: %w", what, d.fault(err))
	}
	return v, nil
}
