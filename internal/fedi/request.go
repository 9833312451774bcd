package fedi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"time"
)

// How much of a body is read, after decompression.
const (
	maxAnswer    = 4 << 20
	maxErrorBody = 64 << 10
)

// call is one request.
type call struct {
	method string
	path   string // below the base URL, its ids escaped by pathID
	route  string // path with ":id" for its ids; empty when it has none
	query  url.Values

	body        io.Reader // nil for none; read once, never sent twice
	length      int64     // of body; -1 when not known
	contentType string

	family family
	effect bool   // carrying it out twice would show
	key    string // Idempotency-Key; needs a body
	whoami bool   // asks only who the token belongs to: any 403 is about the token
	noAuth bool   // send no token
	// bodyless: a successful answer needs no body.
	bodyless bool
	// patience is what the request may take beyond the client's time-out: its
	// body is long.
	patience time.Duration
	// asksFirst has the server say whether it would take the body before that
	// is sent (RFC 9110, section 10.1.1).
	asksFirst bool
}

// answer is a complete answer of status 2xx.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// do sends a call and reads its answer. Every error is an *Error.
//
// An effect is sent at most once: Go's transport repeats a request by itself
// if a kept connection dies, when it thinks that harmless, and an
// Idempotency-Key makes it think so; it can only do that while it can rewind
// the body, so effects with a key always have a body and never GetBody.
func (c *Client) do(ctx context.Context, cl call) (answer, error) {
	began := c.clock.Now()
	a, err := c.ask(ctx, cl)
	c.observed(cl, began, a.status, err)
	return a, err
}

func (c *Client) ask(ctx context.Context, cl call) (answer, error) {
	e := &Error{Method: cl.method, Path: cl.path}
	if err := ctx.Err(); err != nil {
		e.Class, e.Message, e.Err = Transient, "not sent", err
		return answer{}, e
	}
	now := c.clock.Now()
	if f, at, ok := c.limits.take(now, cl.family, c.software()); !ok {
		e.Class, e.RetryAt = Rate, at
		e.Message = "not sent: the limit on " + familyNames[f] + " is used up"
		return answer{}, e
	}
	ctx, cancel := context.WithTimeout(ctx, c.timeout+cl.patience)
	defer cancel()
	var conn connection
	req, err := c.request(httptrace.WithClientTrace(ctx, conn.trace()), cl)
	if err != nil {
		e.Class, e.Message, e.Err = Invalid, "not sent", err
		return answer{}, e
	}
	hc := c.effects
	if cl.method == http.MethodGet {
		hc = c.reads
	}
	resp, err := hc.Do(req)
	if err != nil {
		return answer{}, c.noAnswer(ctx, e, cl, &conn, err)
	}
	defer resp.Body.Close()
	c.noteDate(resp.Header)
	refused := c.limits.learn(c.clock.Now(), cl.family, c.software(), resp.StatusCode, resp.Header)
	ok := resp.StatusCode >= 200 && resp.StatusCode < 300
	body, whole, err := readBody(resp.Body, ok)
	c.log.DebugContext(ctx, "asked the server", "method", cl.method, "path", cl.path, "status", resp.StatusCode, "bytes", len(body))
	got := received{status: resp.StatusCode, header: resp.Header, body: body, whole: whole, err: err}
	if ok {
		if err := c.unreadable(e, cl, got); err != nil {
			return answer{}, err
		}
		return answer{status: resp.StatusCode, header: resp.Header, body: body}, nil
	}
	e.RetryAt = refused
	return answer{}, c.refusal(e, cl, got)
}

// request builds the HTTP request of a call.
func (c *Client) request(ctx context.Context, cl call) (*http.Request, error) {
	u, err := url.Parse(c.base.String() + cl.path)
	if err != nil {
		return nil, errors.New("the path is not valid")
	}
	u.RawQuery = cl.query.Encode()
	req, err := http.NewRequestWithContext(ctx, cl.method, u.String(), cl.body)
	if err != nil {
		return nil, errors.New("the request is not valid")
	}
	req.GetBody = nil
	if cl.body != nil {
		req.ContentLength = cl.length
		req.Header.Set("Content-Type", cl.contentType)
		if cl.key != "" {
			req.Header.Set("Idempotency-Key", cl.key)
		}
		if cl.asksFirst {
			req.Header.Set("Expect", "100-continue")
		}
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", c.agent)
	if c.token != "" && !cl.noAuth {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	return req, nil
}

// connection watches how far a request got.
type connection struct{ wanted, got atomic.Bool }

func (k *connection) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GetConn: func(string) { k.wanted.Store(true) },
		GotConn: func(httptrace.GotConnInfo) { k.got.Store(true) },
	}
}

// unsent reports whether it is certain that not a byte of the request left:
// the transport looked for a connection and never had one. A transport that
// does not report this is believed only about a failed dial.
func (k *connection) unsent(err error) bool {
	if k.got.Load() {
		return false
	}
	if k.wanted.Load() {
		return true
	}
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "dial"
}

// noAnswer is the error of a request that got no answer at all.
func (c *Client) noAnswer(ctx context.Context, e *Error, cl call, conn *connection, err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err // the address is told by method and path already
	}
	e.Err = c.scrub(err)
	switch {
	case conn.unsent(err):
		e.Class, e.Message = Transient, "not sent: "+c.base.Host+" cannot be reached"
	case cl.effect:
		e.Class, e.Message = Unknown, "no answer"
	default:
		e.Class, e.Message = Transient, "no answer"
	}
	if ctx.Err() == context.DeadlineExceeded && errors.Is(err, context.DeadlineExceeded) {
		e.Message += fmt.Sprintf(" within %s", c.timeout+cl.patience)
	}
	return e
}

// readBody reads a body up to its cap; whole tells whether that was all of it.
func readBody(r io.Reader, ok bool) (body []byte, whole bool, err error) {
	most := int64(maxErrorBody)
	if ok {
		most = maxAnswer
	}
	body, err = io.ReadAll(io.LimitReader(r, most+1))
	if int64(len(body)) > most {
		return body[:most], false, fmt.Errorf("the answer is over %d KiB", most>>10)
	}
	return mend(body), err == nil, err
}

// mend forgives what no JSON may hold but servers let through from members:
// a byte order mark, and bare control characters inside strings. Outside
// strings a space means the same as the white space it takes the place of.
func mend(body []byte) []byte {
	body = bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))
	for i, b := range body {
		if b < ' ' {
			body[i] = ' '
		}
	}
	return body
}

// decode reads the JSON of an answer into v. What cannot be read is treated
// as an answer that never came.
func (c *Client) decode(cl call, a answer, v any) error {
	err := json.Unmarshal(a.body, v)
	if err == nil {
		return nil
	}
	e := &Error{Method: cl.method, Path: cl.path, Status: a.status, Class: Transient, Message: "the answer is not what was asked for", Err: c.scrub(err)}
	if cl.effect {
		e.Class = Unknown
	}
	return e
}

// get sends a read and decodes its answer into v.
func (c *Client) get(ctx context.Context, cl call, v any) (answer, error) {
	cl.method = http.MethodGet
	a, err := c.do(ctx, cl)
	if err != nil {
		return answer{}, err
	}
	return a, c.decode(cl, a, v)
}

// noteDate learns the server's clock.
func (c *Client) noteDate(h http.Header) {
	date, ok := serverDate(h)
	if !ok {
		return
	}
	if age, ok := wholeSeconds(h.Get("Age")); ok { // an answer out of a cache
		date = date.Add(age)
	}
	now := c.clock.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.skew, c.skewed = date.Sub(now), true
	c.dated, c.datedAt = date, now
}

// scrub makes sure that an error's text does not hold the token, which a
// server may have echoed.
func (c *Client) scrub(err error) error {
	if err == nil || c.token == "" || !strings.Contains(err.Error(), c.token) {
		return err
	}
	return errors.New(c.scrubText(err.Error()))
}

func (c *Client) scrubText(s string) string {
	if c.token == "" {
		return s
	}
	return strings.ReplaceAll(s, c.token, "[token]")
}

// pathID makes an opaque id a part of a path. Ids that would lead elsewhere
// are refused.
func pathID(id string) (string, error) {
	if id == "" || id == "." || id == ".." || strings.ContainsFunc(id, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return "", fmt.Errorf("%q is no id", id)
	}
	return url.PathEscape(id), nil
}

// badID is the error for an id that cannot be sent.
func badID(method, path string, err error) error {
	return &Error{Class: Invalid, Method: method, Path: path, Message: "not sent", Err: err}
}
