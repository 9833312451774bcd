package discord

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
	"github.com/disgoorg/disgo/gateway"

	"rookery/internal/community"
	"rookery/internal/store"
)

const (
	// greetTime is how long the gateway may take to say something first.
	greetTime = 20 * time.Second
	// readyTime is how long it may take to begin a session.
	readyTime = 60 * time.Second
	sendTime  = 10 * time.Second
	closeTime = 2 * time.Second
	// guildsTime is how long guilds that a session announced are waited for.
	guildsTime = 10 * time.Second
	// restartCode closes a connection whose session goes on: 1000 and 1001
	// would end it. Source: events/gateway, "Disconnections".
	restartCode = websocket.StatusCode(1012)
)

// Close codes. Source: topics/opcodes-and-status-codes, "Gateway Close Event
// Codes".
const (
	closeAuth       = 4004
	closeSeq        = 4007
	closeSession    = 4009
	closeShard      = 4010
	closeSharding   = 4011
	closeVersion    = 4012
	closeIntents    = 4013
	closeNotAllowed = 4014
)

// shard is one of the connections to the gateway.
type shard struct {
	c     *connection
	n, of int
	lock  *store.Lock // kept at the end, until everything is written down

	mu       sync.Mutex
	session  session // the one to resume, as it began; zero for none
	saved    session // as it is written down
	ledger   *ledger
	up       bool
	since    time.Time
	awaiting map[community.GuildID]bool // announced and not yet told of
	readied  time.Time
	sessions int // begun by this process
	resumes  int
}

func newShard(c *connection, n, of int) *shard {
	return &shard{c: c, n: n, of: of, ledger: &ledger{}}
}

// run keeps the shard connected until ctx ends.
func (s *shard) run(ctx context.Context) {
	if err := s.load(ctx); err != nil && ctx.Err() == nil {
		s.c.d.log.Debug("no session could be read; a new one is begun", "shard", s.n, "error", err)
	}
	s.c.mu.Lock()
	s.c.shards[s.n] = s
	s.c.wake()
	s.c.mu.Unlock()
	for try := 0; ctx.Err() == nil; try++ {
		began := s.c.d.Clock.Now()
		err := s.connect(ctx)
		stood := s.down()
		if ctx.Err() != nil {
			return
		}
		if !stood.IsZero() && s.c.d.Clock.Now().Sub(began) >= steady {
			try = 0
		}
		wait, again := s.after(ctx, err, try)
		if !again {
			return
		}
		if !s.c.d.sleep(ctx, wait) {
			return
		}
	}
}

// down notes that the connection ended; it returns since when it stood.
func (s *shard) down() time.Time {
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	since := s.since
	s.up, s.since = false, time.Time{}
	s.c.wake()
	return since
}

// errRestart ends a connection that is to be made again at once.
var errRestart = errors.New("Discord asked us to connect again")

// after decides what follows on the end of a connection: how long to wait, and
// whether this shard is to be connected again at all.
func (s *shard) after(ctx context.Context, err error, try int) (time.Duration, bool) {
	d := s.c.d
	if errors.Is(err, errRestart) && try < 3 {
		return rand.N(time.Second), true
	}
	switch code := int(websocket.CloseStatus(err)); code {
	case closeAuth:
		d.trouble.set(TokenRefused, &Error{Class: Auth, Code: code, Err: errTokenRefused})
		return rarely, true
	case closeNotAllowed:
		s.forget()
		s.c.mu.Lock()
		was := s.c.plain
		s.c.plain = true
		s.c.mu.Unlock()
		d.trouble.set(IntentsRefused, &Error{Class: Forbidden, Code: code, Err: errIntents})
		if was || !d.MessageContent { // nothing is left to do without
			return rarely, true
		}
		return firstPause, true
	case closeIntents, closeVersion: // a newer program may know better
		d.trouble.set(Unreachable, &Error{Class: Invalid, Code: code, Err: errors.New("Discord no longer takes what this version of the program says: update it")})
		return rarely, true
	case closeShard, closeSharding:
		s.forget()
		s.c.moreShards(ctx, s.of)
		return rarely, true
	case closeSeq, closeSession:
		s.forget()
	}
	s.c.went(fmt.Errorf("gateway: %w", err))
	wait := backOff(try)
	if e, ok := errors.AsType[*Error](err); ok && e.RetryAt.After(d.Clock.Now().Add(wait)) {
		wait = min(e.RetryAt.Sub(d.Clock.Now()), rarely)
	}
	d.log.Debug("the connection to Discord ended", "shard", s.n, "why", err, "again_in", wait)
	return wait, true
}

var errIntents = errors.New("Discord refuses the message content intent: switch it on in the developer portal (Bot, Privileged Gateway Intents) and restart, or set message_content = false; until then messages that do not address the bot cannot be read")

// forget drops the session: the next connection begins a new one.
func (s *shard) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.session = session{}
	s.ledger = &ledger{}
}

// connect makes one connection and serves it until it ends. The error says
// why; it is never nil.
func (s *shard) connect(ctx context.Context) error {
	s.mu.Lock()
	sess := s.session
	if sess.ID != "" {
		sess.Seq = s.ledger.last
	}
	s.mu.Unlock()
	d := s.c.d
	if sess.ID != "" && sess.Intents != int64(s.c.intents()) {
		s.forget()
		sess = session{}
	}
	address := sess.URL
	if sess.ID == "" || address == "" {
		g, err := s.c.ask(ctx)
		if err != nil {
			return err
		}
		address = g.URL
	}
	var began func(context.Context) error
	if sess.ID == "" {
		permit, err := s.c.mayIdentify(ctx, s.n)
		if err != nil {
			return err
		}
		defer permit.release()
		began = permit.used
	}
	conn, err := dial(ctx, address, d.http.Transport.(*transport).base)
	if err != nil {
		// The host of the session may be gone for good: the next try resumes
		// wherever Discord then says.
		s.mu.Lock()
		s.session.URL = ""
		s.mu.Unlock()
		return err
	}
	l := &link{s: s, conn: conn, session: sess, began: began}
	return l.serve(ctx)
}

// dial opens a connection to the gateway.
func dial(ctx context.Context, address string, base http.RoundTripper) (*websocket.Conn, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, &Error{Class: Transient, Err: errors.New("the gateway's address cannot be read")}
	}
	q := u.Query()
	q.Set("v", fmt.Sprint(gateway.Version))
	q.Set("encoding", "json")
	q.Set("compress", "zlib-stream")
	u.RawQuery = q.Encode()
	if u.Path == "" {
		u.Path = "/"
	}
	ctx, cancel := context.WithTimeout(ctx, greetTime)
	defer cancel()
	conn, rs, err := websocket.Dial(ctx, u.String(), &websocket.DialOptions{ //nolint:bodyclose // Dial says that nobody needs to close it
		HTTPClient:      &http.Client{Transport: base, CheckRedirect: noRedirects},
		CompressionMode: websocket.CompressionDisabled,
	})
	if err != nil {
		e := &Error{Class: Transient, Err: errors.New("the gateway could not be reached: " + short(err.Error()))}
		if rs != nil {
			e.Status = rs.StatusCode
		}
		return nil, e
	}
	conn.SetReadLimit(frameCap)
	return conn, nil
}

// link is one open connection of a shard.
type link struct {
	s       *shard
	conn    *websocket.Conn
	session session // that was to be resumed
	began   func(context.Context) error
	inflate inflater
	acked   atomic.Bool
	seq     atomic.Int64 // the last that came
	ready   bool
}

// serve reads the connection until it ends.
func (l *link) serve(ctx context.Context) error {
	// Reading must not be cut off by ctx: coder's websocket drops a connection
	// whose context ends, and then there is no saying goodbye.
	reading, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var parts sync.WaitGroup
	defer parts.Wait()
	over := make(chan struct{})
	defer close(over)
	defer l.conn.CloseNow() //nolint:errcheck // it is over in any case
	parts.Go(func() {
		select {
		case <-ctx.Done():
			l.goodbye(stop)
		case <-over:
		}
	})
	l.seq.Store(l.session.Seq)
	l.acked.Store(true)

	hello, err := l.read(reading, greetTime)
	if err != nil {
		return err
	}
	switch hello.Op {
	case opHello:
	case opReconnect:
		return errRestart
	default:
		return l.protocol("the gateway did not begin with HELLO")
	}
	said, err := guarded[struct {
		Interval float64 `json:"heartbeat_interval"`
	}](hello.Data)
	if err != nil || said.Interval < 100 || said.Interval > float64(time.Hour.Milliseconds()) {
		return l.protocol("the gateway's heartbeat cannot be")
	}
	interval := time.Duration(said.Interval * float64(time.Millisecond))
	parts.Go(func() { l.beating(reading, interval, over, stop) })
	if err := l.begin(reading); err != nil {
		return err
	}
	beginning, late := context.WithCancel(reading)
	defer late()
	parts.Go(func() {
		passed, stop := l.s.c.d.Clock.After(readyTime)
		defer stop()
		select {
		case <-passed:
			late()
		case <-over:
		}
	})
	for {
		// Every interval brings at least an acknowledgement, of a session that
		// never begins too.
		from := reading
		if !l.ready {
			from = beginning
		}
		f, err := l.read(from, max(3*interval, greetTime))
		if err != nil && !l.ready && beginning.Err() != nil && reading.Err() == nil {
			l.s.forget()
			return l.protocol("the gateway did not begin the session")
		}
		if err != nil {
			return err
		}
		if err := l.take(reading, f); err != nil {
			return err
		}
	}
}

func (l *link) protocol(what string) error { return &Error{Class: Transient, Err: errors.New(what)} }

// goodbye closes so that the session goes on, and ends the reading.
func (l *link) goodbye(stop context.CancelFunc) {
	t := time.AfterFunc(closeTime, stop) // the other side may not answer
	defer t.Stop()
	_ = l.conn.Close(restartCode, "back in a moment")
	stop()
}

// read reads one frame that can be read.
func (l *link) read(ctx context.Context, patience time.Duration) (frame, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		kind, raw, err := l.conn.Read(ctx)
		if err != nil {
			return frame{}, err
		}
		if kind == websocket.MessageBinary {
			if raw, err = l.inflate.add(raw); err != nil {
				return frame{}, err // the stream cannot be read on; a resumed session tells it again
			}
			if raw == nil {
				continue
			}
		}
		f, err := readFrame(raw)
		if err == nil {
			return f, nil
		}
		l.s.c.d.unreadable("frame", err)
	}
}

// begin identifies or resumes.
func (l *link) begin(ctx context.Context) error {
	d := l.s.c.d
	if l.session.ID != "" {
		return l.send(ctx, opResume, map[string]any{"token": d.Token, "session_id": l.session.ID, "seq": l.session.Seq})
	}
	if err := l.began(ctx); err != nil {
		return err
	}
	return l.send(ctx, opIdentify, map[string]any{
		"token":           d.Token,
		"intents":         l.s.c.intents(),
		"shard":           [2]int{l.s.n, l.s.of},
		"large_threshold": 50, // members that come with a guild: the fewest there are
		"properties":      map[string]string{"os": "linux", "browser": "rookery", "device": "rookery"},
	})
}

func (l *link) send(ctx context.Context, op int, data any) error {
	raw, err := json.Marshal(map[string]any{"op": op, "d": data})
	if err != nil {
		return fmt.Errorf("say to the gateway: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, sendTime)
	defer cancel()
	return l.conn.Write(ctx, websocket.MessageText, raw)
}

// take deals with one frame. An error ends the connection.
func (l *link) take(ctx context.Context, f frame) error {
	switch f.Op {
	case opDispatch:
		if f.Seq > 0 {
			l.seq.Store(f.Seq)
		}
		return l.event(f)
	case opHeartbeat:
		return l.beat(ctx)
	case opHeartbeatAck:
		l.acked.Store(true)
	case opReconnect:
		return errRestart
	case opInvalidSession:
		resumable, _ := guarded[bool](f.Data)
		if !resumable {
			l.s.forget()
		}
		// "wait a random amount of time between 1 and 5 seconds"
		if !l.s.c.d.sleep(ctx, time.Second+rand.N(4*time.Second)) {
			return ctx.Err()
		}
		return errRestart
	}
	return nil
}

// beating sends heartbeats. When one was not acknowledged by the time of the
// next, the connection is dead and is cut. Source: events/gateway,
// "Heartbeat Interval".
func (l *link) beating(ctx context.Context, interval time.Duration, over <-chan struct{}, cut context.CancelFunc) {
	wait := rand.N(interval)
	for {
		ready, stop := l.s.c.d.Clock.After(wait)
		select {
		case <-ready:
		case <-over:
			stop()
			return
		case <-ctx.Done():
			stop()
			return
		}
		if !l.acked.Swap(false) || l.beat(ctx) != nil {
			cut()
			return
		}
		wait = interval
	}
}

func (l *link) beat(ctx context.Context) error {
	if seq := l.seq.Load(); seq > 0 {
		return l.send(ctx, opHeartbeat, seq)
	}
	return l.send(ctx, opHeartbeat, nil)
}
