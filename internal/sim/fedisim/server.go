package fedisim

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// Options say how a Server behaves. The zero value is a Mastodon without rate limits.
type Options struct {
	Profile Profile          // Mastodon if empty
	Domain  string           // the server's name in handles and addresses; "<profile>.example" if empty
	Clock   func() time.Time // time.Now if nil; sets created_at, ids, Date and rate-limit windows

	// RateLimits makes the server count and refuse requests as the real one does.
	RateLimits bool

	// RepeatFails makes a repeated Idempotency-Key on Mastodon answer 500, as
	// some releases did, in place of the first post. Nothing is posted twice.
	RepeatFails bool

	// Lang is the language of Mastodon's error texts: "en" (if empty), "de" or "ja".
	Lang string

	Seed uint64       // of tokens, random parts of ids, and chances of faults
	Log  *slog.Logger // every request at debug level; nil for none

	// Observe is told every exchange before its answer is sent. It is called
	// from many goroutines and must not call back into the Server.
	Observe func(Exchange)

	// StreamingURL is the address of the streams in the instance documents. If
	// empty it is this server's, as "ws://"; GoToSocial says "wss://" even so.
	StreamingURL string

	// StreamFiltered makes Mastodon stream filtered notifications too.
	StreamFiltered bool

	// StreamHeartbeat is the time between pings on a stream; 30 s if zero.
	StreamHeartbeat time.Duration

	// Rules are the server's rules; SetRules changes them.
	Rules []Rule

	// KeepRequests bounds the log that Requests returns; 2,000 if zero.
	KeepRequests int

	// KeepFile bounds, in bytes, what is kept of an uploaded file; 24 MiB if
	// zero. The rest is counted and hashed, and neither looked at nor served.
	// Of all files together 128 MiB are kept, the newest.
	KeepFile int
}

const (
	bodyCap    = 8 << 20 // of a request that is not an upload
	logBodyCap = 16 << 10
)

// Server is one simulated server. All methods may be called from any goroutine.
type Server struct {
	profile Profile
	traits  traits
	opt     Options
	domain  string
	base    string // public address: https:// and the domain
	listen  string // host:port, once started

	http *http.Server
	done chan struct{}

	mu       sync.Mutex
	closed   bool
	running  sync.WaitGroup // handlers, late posts, and the listener
	changed  chan struct{}  // closed at the next change; nil while nobody waits
	rng      *rand.Rand
	ids      idMaker
	arrivals uint64

	accounts map[string]*Account // by id
	byAcct   map[string]*Account // by acct in lower case
	people   []*Account
	tokens   map[string]*Account
	statuses map[string]*status // that were not deleted
	answers  map[string][]*status
	timeline []*status // in the order they were stored
	ranked   []*status // by rank
	media    map[string]*media
	uploaded []*media // by clients, in order
	kept     int64    // bytes of them in memory
	limits   Limits
	gets     int           // how many GETs find a new medium still in processing
	takes    time.Duration // and how long that lasts
	held     []*notification

	seen    map[string]seenKey // Idempotency-Keys
	limiter limiter
	faults  []*Injected
	down    *Injected // what meets every request; nil while the server is up
	log     requestLog

	apps    map[string]*app          // by client id
	codes   map[string]*grant        // authorization codes that wait to be redeemed
	granted map[string]*grantedToken // what tokens may do; one that is not here may do everything

	streams  []*stream // open
	streamed int       // that ever were
	stalled  bool      // events are lost
	repeats  int       // events that still come twice
}

// New makes a server that does not listen yet: use Start, or Handler with a
// listener of your own.
func New(opt Options) *Server {
	if opt.Profile == "" {
		opt.Profile = Mastodon
	}
	if opt.Domain == "" {
		opt.Domain = string(opt.Profile) + ".example"
	}
	if opt.Clock == nil {
		opt.Clock = time.Now
	}
	if opt.KeepRequests == 0 {
		opt.KeepRequests = 2000
	}
	if opt.KeepFile == 0 {
		opt.KeepFile = fileCap
	}
	if opt.StreamHeartbeat == 0 {
		opt.StreamHeartbeat = streamBeat
	}
	rng := rand.New(rand.NewPCG(opt.Seed, 0x5eed))
	return &Server{
		profile: opt.Profile, traits: traitsOf(opt.Profile), opt: opt, limits: limitsOf(opt.Profile), gets: 1,
		domain: opt.Domain, base: "https://" + opt.Domain,
		done: make(chan struct{}), rng: rng,
		ids:      idMaker{profile: opt.Profile, rng: rng},
		accounts: map[string]*Account{}, byAcct: map[string]*Account{}, tokens: map[string]*Account{},
		statuses: map[string]*status{}, answers: map[string][]*status{}, media: map[string]*media{},
		seen: map[string]seenKey{}, limiter: limiter{counts: map[limitKey]int{}},
		log:  requestLog{max: opt.KeepRequests},
		apps: map[string]*app{}, codes: map[string]*grant{}, granted: map[string]*grantedToken{},
	}
}

// Start listens on a free port of 127.0.0.1. Call it once, before the first request.
func (s *Server) Start() error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.listen = l.Addr().String()
	s.http = &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)}
	s.running.Add(1)
	s.mu.Unlock()
	go func() {
		defer s.running.Done()
		if err := s.http.Serve(l); !errors.Is(err, http.ErrServerClosed) && s.opt.Log != nil {
			s.opt.Log.Error("simulated server stopped", "err", err)
		}
	}()
	return nil
}

// URL is the address to give to a client, such as "http://127.0.0.1:40123";
// empty before Start. The addresses inside documents are of Domain instead, as
// on a server behind a proxy.
func (s *Server) URL() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listen == "" {
		return ""
	}
	return "http://" + s.listen
}

// Domain is the server's name in handles.
func (s *Server) Domain() string { return s.domain }

// Profile is the server's dialect.
func (s *Server) Profile() Profile { return s.profile }

// Handler serves the API on any listener.
func (s *Server) Handler() http.Handler { return s }

// Close stops listening, cuts every connection, drops what is still to be
// stored late, and waits for all of it. It may be called twice.
func (s *Server) Close() {
	s.mu.Lock()
	if !s.closed {
		s.closed = true
		close(s.done)
	}
	h := s.http
	s.mu.Unlock()
	if h != nil {
		h.Close()
	}
	s.running.Wait()
}

// begin counts work that Close waits for; false once closed.
func (s *Server) begin() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.running.Add(1)
	return true
}

func (s *Server) now() time.Time { return s.opt.Clock().UTC() }

// change wakes WaitFor; called with the mutex held.
func (s *Server) change() {
	if s.changed != nil {
		close(s.changed)
		s.changed = nil
	}
}

// WaitFor returns when a condition holds. The condition is asked now and after
// every change (a post, a dismissal, a request, a fault that struck); it may
// call the server's methods. The error is the context's.
func (s *Server) WaitFor(ctx context.Context, cond func(*Server) bool) error {
	for {
		s.mu.Lock()
		if s.changed == nil {
			s.changed = make(chan struct{})
		}
		changed := s.changed
		s.mu.Unlock()
		if cond(s) {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !s.begin() {
		panic(http.ErrAbortHandler)
	}
	defer s.running.Done()
	q := newRequest(r)
	if s.serveDown(w, q) {
		return
	}
	if f := s.strike(q, true); f != nil {
		s.serveFault(w, q, f)
		return
	}
	if err := q.readBody(w, s.opt.KeepFile); err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			http.Error(w, "Payload Too Large", http.StatusRequestEntityTooLarge)
			return
		}
		panic(http.ErrAbortHandler) // the client left while sending
	}
	if f := s.strike(q, false); f != nil {
		s.serveFault(w, q, f)
		return
	}
	s.serve(w, q, "")
}

// serve answers a request honestly, or makes a stream of it.
func (s *Server) serve(w http.ResponseWriter, q *request, fault string) {
	if s.upgrades(q) {
		s.serveStream(w, q, fault)
		return
	}
	s.send(w, q, s.do(q), fault)
}

// send tells the log and the observer, then the client.
func (s *Server) send(w http.ResponseWriter, q *request, a *answer, fault string) {
	s.record(q, a, fault)
	h := w.Header()
	for _, kv := range a.header {
		h[kv[0]] = []string{kv[1]}
	}
	h["Content-Type"] = []string{a.ctype}
	h["Content-Length"] = []string{strconv.Itoa(max(len(a.body), a.whole))}
	h["Date"] = []string{s.now().Format(http.TimeFormat)}
	w.WriteHeader(a.status)
	w.Write(a.body) // a client that has gone is its own affair
}
