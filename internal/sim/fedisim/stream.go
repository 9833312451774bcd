package fedisim

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// StreamPath is where the servers stream, for faults: Inject(Fail(503).On("GET", StreamPath)).
const StreamPath = "/api/v1/streaming"

const (
	streamQueue = 1024             // events that may wait for a slow client; one more, and it is cut off
	streamWrite = 10 * time.Second // for one event to be written
	streamBeat  = 30 * time.Second // between pings, as Mastodon, Akkoma and GoToSocial send them
)

// stream is one open WebSocket (https://docs.joinmastodon.org/methods/streaming/#websocket).
type stream struct {
	s     *Server
	who   *Account
	token string
	out   chan []byte
	end   chan websocket.StatusCode // what to close with; 0: cut the connection

	// Guarded by s.mu.
	subs   []string
	frozen bool // nothing is sent any more, not even an answer to a ping
}

// finish asks the stream to end; the first word counts.
func (c *stream) finish(code websocket.StatusCode) {
	select {
	case c.end <- code:
	default:
	}
}

// upgrades says whether a request wants to become a stream. snac has none, and
// on Sharkey any path would do.
func (s *Server) upgrades(q *request) bool {
	h := q.r.Header
	return q.method == http.MethodGet && q.route == StreamPath && s.profile != Snac &&
		strings.EqualFold(h.Get("Upgrade"), "websocket") && strings.Contains(strings.ToLower(h.Get("Connection")), "upgrade") &&
		h.Get("Sec-WebSocket-Version") == "13" && h.Get("Sec-WebSocket-Key") != ""
}

// streamToken is the token a server takes, of the three places where a client
// may put it, and the protocol it agrees to.
//
//   - Mastodon: the header, else the query, else the protocol
//     (https://github.com/mastodon/mastodon/blob/main/streaming/index.js).
//   - GoToSocial: the query, else the protocol, else the header; it never agrees
//     to a protocol (internal/api/client/streaming/stream.go there).
//   - Akkoma: the query, else the protocol; it does not look at the header
//     (lib/pleroma/web/mastodon_api/websocket_handler.ex there).
//   - Sharkey: the header, else Misskey's own parameter "i"
//     (packages/backend/src/server/api/StreamingApiServerService.ts there).
func (s *Server) streamToken(q *request) (token, protocol string) {
	query := q.r.URL.Query()
	offered := q.r.Header.Get("Sec-WebSocket-Protocol")
	protocol, _, _ = strings.Cut(offered, ",")
	protocol = strings.TrimSpace(protocol)
	first := func(of ...string) string {
		for _, v := range of {
			if v != "" {
				return v
			}
		}
		return ""
	}
	switch s.profile {
	case Akkoma:
		return first(query.Get("access_token"), protocol), protocol
	case GoToSocial:
		return first(query.Get("access_token"), protocol, q.token), ""
	case Sharkey:
		return first(q.token, query.Get("i")), ""
	default:
		return first(q.token, query.Get("access_token"), protocol), protocol
	}
}

// openStream judges a request before the upgrade; the answer is the refusal.
// An open stream hears everything from here on, before its client knows of it.
func (s *Server) openStream(q *request) (*stream, *answer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q.token, q.protocol = s.streamToken(q)
	who := s.tokens[q.token]
	c := &stream{s: s, who: who, token: q.token, out: make(chan []byte, streamQueue), end: make(chan websocket.StatusCode, 1)}
	name := q.r.URL.Query().Get("stream")
	switch {
	case who == nil && s.profile == Sharkey && q.token == "": // anybody may listen there
	case who == nil && s.profile == Akkoma && q.token == "" && strings.HasPrefix(name, "public"):
	case who == nil:
		return nil, s.streamRefusal(q.token)
	}
	if s.profile == Akkoma {
		if !knownStream(name) {
			return nil, &answer{status: http.StatusNotFound, ctype: "text/plain"}
		}
		if !s.scoped(q.token, streamScope(name)) {
			return nil, s.streamRefusal(q.token)
		}
	}
	if name != "" {
		s.subscribe(c, name)
	}
	s.streams = append(s.streams, c)
	s.streamed++
	s.change()
	return c, nil
}

// streamRefusal is the 401 before an upgrade.
func (s *Server) streamRefusal(token string) *answer {
	switch s.profile {
	case Mastodon: // the words are in a header, the body is empty
		a := &answer{status: http.StatusUnauthorized, ctype: "text/plain"}
		a.set("X-Error-Message", "Invalid access token")
		if token == "" {
			a = &answer{status: http.StatusUnauthorized, ctype: "text/plain"}
			a.set("X-Error-Message", "Missing access token")
		}
		return a
	case Akkoma: // a 403 everywhere else
		return &answer{status: http.StatusUnauthorized, ctype: "text/plain"}
	case Sharkey:
		a := &answer{status: http.StatusUnauthorized, ctype: "text/plain"}
		a.set("WWW-Authenticate", `Bearer realm="Misskey", error="invalid_token", error_description="Failed to authenticate"`)
		return a
	}
	return s.unauthorized(token)
}

func (s *Server) closeStream(c *stream) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := slices.Index(s.streams, c); i >= 0 {
		s.streams = slices.Delete(s.streams, i, i+1)
	}
	s.change()
}

// serveStream upgrades a connection and serves it until one side ends it.
func (s *Server) serveStream(w http.ResponseWriter, q *request, fault string) {
	c, refusal := s.openStream(q)
	if refusal != nil {
		s.send(w, q, refusal, fault)
		return
	}
	defer s.closeStream(c)
	opts := &websocket.AcceptOptions{InsecureSkipVerify: true, OnPingReceived: func(context.Context, []byte) bool { return !c.isFrozen() }}
	if q.protocol != "" {
		opts.Subprotocols = []string{q.protocol}
	}
	s.record(q, &answer{status: http.StatusSwitchingProtocols}, fault)
	conn, err := websocket.Accept(w, q.r, opts)
	if err != nil {
		return // it has answered, or the client has gone
	}
	defer func() { _ = conn.CloseNow() }()
	ctx, stop := context.WithCancel(q.r.Context())
	var both sync.WaitGroup
	both.Go(func() {
		defer stop()
		c.listen(ctx, conn)
	})
	both.Go(func() { c.beat(ctx, conn) })
	c.speak(ctx, conn)
	stop()
	both.Wait()
}

// speak writes events until the stream is to end.
func (c *stream) speak(ctx context.Context, conn *websocket.Conn) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.s.done:
			return
		case code := <-c.end:
			if code != 0 {
				_ = conn.Close(code, "") // a client that does not answer is cut off
			}
			return
		case text := <-c.out:
			wctx, cancel := context.WithTimeout(ctx, streamWrite)
			err := conn.Write(wctx, websocket.MessageText, text)
			cancel()
			if err != nil {
				return
			}
		}
	}
}

// beat pings, and ends the stream when the last ping was not answered.
func (c *stream) beat(ctx context.Context, conn *websocket.Conn) {
	tick := time.NewTicker(c.s.opt.StreamHeartbeat)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if c.isFrozen() {
			continue
		}
		pctx, cancel := context.WithTimeout(ctx, max(c.s.opt.StreamHeartbeat, time.Second))
		err := conn.Ping(pctx)
		cancel()
		if err != nil {
			c.finish(0)
			return
		}
	}
}

func (c *stream) isFrozen() bool {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	return c.frozen
}

// listen reads what the client asks for until it leaves.
func (c *stream) listen(ctx context.Context, conn *websocket.Conn) {
	for {
		kind, text, err := conn.Read(ctx)
		if err != nil {
			return
		}
		if kind == websocket.MessageBinary && c.s.profile == Mastodon {
			c.finish(websocket.StatusUnsupportedData)
			continue
		}
		var ask struct {
			Type   string `json:"type"`
			Stream any    `json:"stream"`
		}
		if json.Unmarshal(text, &ask) != nil {
			continue
		}
		name, _ := ask.Stream.(string)
		if list, ok := ask.Stream.([]any); ok && len(list) > 0 {
			name, _ = list[0].(string)
		}
		c.s.mu.Lock()
		c.asked(ask.Type, name)
		c.s.change()
		c.s.mu.Unlock()
	}
}

// asked does what a client's message says. GoToSocial takes only timelines of
// posts this way, Akkoma no unsubscribing, Sharkey speaks another language.
func (c *stream) asked(what, name string) {
	s := c.s
	switch s.profile {
	case Sharkey:
		return
	case GoToSocial:
		if !slices.Contains([]string{"user", "public", "public:local", "direct", "list"}, name) {
			return
		}
	case Akkoma:
		if what != "subscribe" || !knownStream(name) || c.who == nil {
			return
		}
	}
	switch what {
	case "subscribe":
		s.subscribe(c, name)
	case "unsubscribe":
		c.subs = slices.DeleteFunc(c.subs, func(has string) bool { return has == name })
	}
}

func (s *Server) subscribe(c *stream, name string) {
	if s.profile == Mastodon {
		trouble, status := "", 0
		if !knownStream(name) {
			trouble, status = "Unknown stream type", http.StatusBadRequest
		} else if !s.scoped(c.token, streamScope(name)) {
			trouble, status = "Access token does not have the required scopes", http.StatusUnauthorized
		}
		if trouble != "" { // told inside the connection, which stays open
			var w jsonWriter
			w.open('{')
			w.str("error", trouble)
			w.int("status", status)
			w.close('}')
			c.push(w.b)
			return
		}
	}
	if !slices.Contains(c.subs, name) {
		c.subs = append(c.subs, name)
	}
}

// knownStream lists https://docs.joinmastodon.org/methods/streaming/#streams.
func knownStream(name string) bool {
	switch name {
	case "user", "user:notification", "direct", "list", "hashtag", "hashtag:local",
		"public", "public:media", "public:local", "public:local:media", "public:remote", "public:remote:media":
		return true
	}
	return false
}

func streamScope(name string) string {
	switch {
	case strings.HasPrefix(name, "public") || strings.HasPrefix(name, "hashtag"):
		return ""
	case name == "user:notification":
		return "read:notifications"
	}
	return "read:statuses"
}

// push queues a text; the client that is too slow for it is cut off.
func (c *stream) push(text []byte) {
	select {
	case c.out <- text:
	default:
		c.finish(0)
	}
}
