package fedi

// The streaming half of the protocol: one websocket over which the server
// tells of notifications as they happen
// (https://docs.joinmastodon.org/methods/streaming/). It is a wake-up that
// brings its news along, never the only source: what a stream loses, a poll
// finds.

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"rookery/internal/clock"
)

const (
	streamPath = "/api/v1/streaming"
	streamName = "user:notification"

	// maxMessage bounds a message. The longest honest ones are a few hundred
	// kilobytes: a post of the greatest length with all its mentions and media.
	maxMessage = 1 << 20
	// maxJunk is how many messages that cannot be read a stream may bring
	// before it is taken for something else.
	maxJunk = 20
	// quietFor is how long a stream may be silent before it is asked whether
	// it is still there, and pongWithin how long it may take to say so.
	quietFor   = time.Minute
	pongWithin = 15 * time.Second
)

// Stream is an open stream of an account's notifications. Next is for one
// goroutine; Close ends it from any.
type Stream struct {
	c     *Client
	conn  *websocket.Conn
	heard atomic.Int64 // by the client's clock, ns: when the server last said anything

	junk    int
	stopped context.CancelFunc
	watcher sync.WaitGroup
}

// OpenStream opens the account's stream of notifications. The address is the
// server's streaming service as the operator wrote it; empty for the one that
// Instance found. Class Unsupported: the server has no streaming; every other
// class may pass, not before RetryAt if that is set.
//
// The token travels in headers only: as everywhere in Authorization, and for
// Pleroma and Akkoma, which do not read that here, as the name of a
// subprotocol.
func (c *Client) OpenStream(ctx context.Context, address string) (*Stream, error) {
	cl := call{method: http.MethodGet, path: streamPath}
	u, err := c.streamURL(address)
	if err != nil {
		return nil, err
	}
	s := &Stream{c: c}
	began := c.clock.Now()
	err = s.dial(ctx, cl, u)
	c.observed(cl, began, http.StatusSwitchingProtocols, err)
	if err != nil {
		return nil, err
	}
	s.heard.Store(c.clock.Now().UnixNano())
	s.conn.SetReadLimit(maxMessage)
	watch, stop := context.WithCancel(context.WithoutCancel(ctx))
	s.stopped = stop
	s.watcher.Go(func() { s.watch(watch) })
	return s, nil
}

// dial shakes hands. Its error is an *Error.
func (s *Stream) dial(ctx context.Context, cl call, u *url.URL) error {
	c := s.c
	e := &Error{Method: cl.method, Path: cl.path}
	if f, at, ok := c.limits.take(c.clock.Now(), general, c.software()); !ok {
		e.Class, e.RetryAt = Rate, at
		e.Message = "not sent: the limit on " + familyNames[f] + " is used up"
		return e
	}
	o := &websocket.DialOptions{
		HTTPClient: c.streams,
		HTTPHeader: http.Header{"User-Agent": {c.agent}},
		OnPingReceived: func(context.Context, []byte) bool {
			s.hear()
			return true
		},
		OnPongReceived: func(context.Context, []byte) { s.hear() },
	}
	if c.token != "" {
		o.HTTPHeader.Set("Authorization", "Bearer "+c.token)
		switch c.software() {
		case Akkoma, Pleroma:
			o.Subprotocols = []string{c.token}
		}
	}
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	var k connection
	conn, resp, err := websocket.Dial(httptrace.WithClientTrace(ctx, k.trace()), u.String(), o) //nolint:bodyclose // the library says that it never needs to be
	switch {
	case err == nil:
		s.conn = conn
		return nil
	case resp == nil:
		return c.noAnswer(ctx, e, cl, &k, err)
	case resp.StatusCode == http.StatusSwitchingProtocols:
		e.Class, e.Status, e.Message, e.Err = Transient, resp.StatusCode, "the server's answer is no websocket's", c.scrub(err)
		return e
	}
	got := received{status: resp.StatusCode, header: resp.Header, whole: true}
	if resp.Body != nil {
		got.body, _ = io.ReadAll(io.LimitReader(resp.Body, 4<<10)) // for its words only
	}
	return c.noStream(e, cl, got)
}

// noStream is the error for a handshake that was answered otherwise.
func (c *Client) noStream(e *Error, cl call, r received) error {
	switch r.status {
	case http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusGone, http.StatusNotImplemented:
		e.Class, e.Status, e.Message = Unsupported, r.status, "the server has no streaming there"
		return e
	case http.StatusTooManyRequests:
		now := c.clock.Now()
		e.RetryAt = retryAt(now, r.header, parseAllowance(now, r.header))
	}
	if r.status >= 200 && r.status < 300 {
		e.Class, e.Status, e.Message = Transient, r.status, "the server answered "+c.said(r)+" in place of a stream"
		return e
	}
	return c.refusal(e, cl, r)
}

// streamURL is where the stream is: under what the operator or else the
// server named, as the websocket's http address. The token goes there, so it
// is encrypted unless it stays on this machine, and a server that is not on
// this machine cannot send us to something that is.
func (c *Client) streamURL(override string) (*url.URL, error) {
	bad := func(class Class, why string) error {
		return &Error{Class: class, Method: http.MethodGet, Path: streamPath, Message: "not sent: " + why}
	}
	told := strings.TrimSpace(override)
	if told == "" {
		c.mu.Lock()
		told = strings.TrimSpace(c.instance.Streaming)
		c.mu.Unlock()
	}
	if told == "" {
		return nil, bad(Unsupported, "the server names no streaming service")
	}
	u, err := url.Parse(told)
	if err != nil || u.Hostname() == "" || u.User != nil {
		return nil, bad(Unsupported, fmt.Sprintf("%q is no address of a streaming service", told))
	}
	switch strings.ToLower(u.Scheme) {
	case "wss", "https":
		u.Scheme = "https"
	case "ws", "http":
		u.Scheme = "http"
	default:
		return nil, bad(Unsupported, fmt.Sprintf("%q is no address of a streaming service: it begins with neither wss:// nor ws://", told))
	}
	u.Host = strings.ToLower(u.Host)
	near := loopback(u.Hostname())
	switch {
	case near && override == "" && !loopback(c.base.Hostname()):
		return nil, bad(Unsupported, "the server says that its streaming service is on this machine: set the right streaming_url, or streaming to off")
	case near && override == "" && u.Host == c.base.Host:
		u.Scheme = c.base.Scheme // GoToSocial says wss:// whatever is true
	case u.Scheme == "http" && !near && u.Hostname() == c.base.Hostname():
		u.Scheme = "https" // it is encrypted everywhere else
	case u.Scheme == "http" && !near:
		return nil, bad(Unsupported, fmt.Sprintf("%q would show the access token to everyone on the way: its address must begin with wss://", told))
	}
	u.Path = strings.TrimSuffix(strings.TrimRight(u.Path, "/"), streamPath) + streamPath
	u.RawPath, u.Fragment = "", ""
	u.RawQuery = url.Values{"stream": {streamName}}.Encode()
	return u, nil
}

func (s *Stream) hear() { s.heard.Store(s.c.clock.Now().UnixNano()) }

// watch pings a stream that has gone quiet and cuts one that does not answer.
func (s *Stream) watch(ctx context.Context) {
	for {
		quiet := s.c.clock.Now().Sub(time.Unix(0, s.heard.Load()))
		if quiet < 0 { // the clock was set back
			s.hear()
		}
		if quiet < quietFor {
			if !sleep(ctx, s.c.clock, quietFor-max(quiet, 0)) {
				return
			}
			continue
		}
		within, cancel := context.WithTimeout(ctx, s.c.pongWithin)
		err := s.conn.Ping(within)
		cancel()
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			s.c.log.DebugContext(ctx, "the stream does not answer", "error", err)
			_ = s.conn.CloseNow() // Next tells its error
			return
		}
		s.hear()
	}
}

// Close ends the stream. It may be called twice.
func (s *Stream) Close() {
	s.stopped()
	_ = s.conn.CloseNow() // there is nobody to tell
	s.watcher.Wait()
}

// told is a notification that a stream brought, and the size of its message.
type told struct {
	Notification
	size int
}

// Next returns the next mention. What is no mention is left out; so is what
// cannot be read, for a poll will bring it again. An error ends the stream:
// class Transient, or Unsupported if the server will never tell us anything.
func (s *Stream) Next(ctx context.Context) (Notification, error) {
	n, err := s.next(ctx)
	return n.Notification, err
}

func (s *Stream) next(ctx context.Context) (told, error) {
	for {
		kind, b, err := s.message(ctx)
		if err != nil {
			return told{}, s.ended(err)
		}
		s.hear()
		n, ok, err := readEvent(kind, b)
		mute, no := errors.AsType[*noNews](err)
		switch {
		case no:
			return told{}, &Error{Class: Unsupported, Method: http.MethodGet, Path: streamPath, Message: s.c.scrubText(mute.Error())}
		case err != nil:
			if s.junk++; s.junk == 1 {
				s.c.log.WarnContext(ctx, "the stream brought a message that cannot be read; polling finds what it was about", "error", s.c.scrub(err))
			}
			if s.junk >= maxJunk {
				return told{}, s.ended(fmt.Errorf("%d messages could not be read", s.junk))
			}
		case ok:
			return told{Notification: n, size: len(b)}, nil
		}
	}
}

// message reads a whole message. It may wait as long as it likes for one to
// begin, but not for its end.
func (s *Stream) message(ctx context.Context) (websocket.MessageType, []byte, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	kind, r, err := s.conn.Reader(ctx)
	if err != nil {
		return 0, nil, err
	}
	late := time.AfterFunc(s.c.timeout, cancel)
	defer late.Stop()
	b, err := io.ReadAll(r)
	return kind, b, err
}

func (s *Stream) ended(err error) error {
	return &Error{Class: Transient, Method: http.MethodGet, Path: streamPath, Message: "the stream ended", Err: s.c.scrub(err)}
}

// noNews is a server's word that an open stream will bring nothing: Mastodon
// says so of a token whose scope is too narrow, and leaves the stream open.
type noNews struct{ why string }

func (e *noNews) Error() string {
	return "the server opens the stream, but will tell nothing on it: " + oneLine(e.why)
}

// readEvent reads a message of the stream; false for one that is no mention.
func readEvent(kind websocket.MessageType, b []byte) (Notification, bool, error) {
	if kind != websocket.MessageText {
		return Notification{}, false, errors.New("read event: it is not text")
	}
	if b = bytes.TrimSpace(mend(b)); len(b) == 0 {
		return Notification{}, false, nil // Pleroma's sign of life
	}
	var w struct {
		Event   text            `json:"event"`
		Payload json.RawMessage `json:"payload"`
		Error   text            `json:"error"`
	}
	if err := json.Unmarshal(b, &w); err != nil {
		return Notification{}, false, fmt.Errorf("read event: %w", err)
	}
	if w.Event == "" && w.Error != "" {
		return Notification{}, false, &noNews{string(w.Error)}
	}
	if w.Event != "notification" {
		return Notification{}, false, nil
	}
	// The payload is a document written into a string; some proxies and
	// servers send it as it is.
	doc := bytes.TrimSpace(w.Payload)
	if len(doc) > 0 && doc[0] == '"' {
		doc = mend([]byte(scalar(doc)))
	}
	if !json.Valid(doc) {
		return Notification{}, false, errors.New("read event: its payload is not JSON")
	}
	n, ok := readNotification(doc)
	if !ok {
		return Notification{}, false, nil
	}
	return n, n.Err == nil, n.Err
}

// sleep waits for d by the clock; false if ctx ended first.
func sleep(ctx context.Context, c clock.Clock, d time.Duration) bool {
	ready, stop := c.After(d)
	defer stop()
	select {
	case <-ready:
		return true
	case <-ctx.Done():
		return false
	}
}
