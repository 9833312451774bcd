package discordsim

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Options say how a Server behaves. The zero value is a Discord with its rate
// limits on and every privileged intent granted.
type Options struct {
	Clock func() time.Time // time.Now if nil; sets ids, timestamps, the windows of limits and the age of files
	Log   *slog.Logger     // every request at debug level; nil for none

	Latency time.Duration // waited before each answer of the REST API

	ApplicationID string // of the application and of its bot user; made up if empty
	Token         string // of the bot; "<base64 of the id>.x.y" if empty
	BotName       string // username of the bot; "rookery" if empty

	// RefusedIntents are the privileged intents that
	// the application has not been granted.
	RefusedIntents Intents

	// NoRateLimits turns the counting of requests off.
	NoRateLimits bool

	HeartbeatInterval time.Duration // of the gateway; 41.25 s if zero
	MaxConcurrency    int           // identifies in 5 s; 1 if zero
	SessionStarts     int           // identifies in 24 h; 1,000 if zero
	Shards            int           // recommended by /gateway/bot; 1 if zero

	// FileLife is how long the address of a file is good; 24 h if zero.
	FileLife time.Duration

	// KeepRequests bounds the log that Requests returns; 5,000 if zero.
	KeepRequests int

	// Observe is told every exchange of the REST API before its answer is sent.
	// It is called from many goroutines and must not call back into the Server.
	Observe func(Exchange)
}

const (
	apiBase      = "/api/v10"
	requestCap   = 25 << 20 // bytes of one request's files and fields
	fileSizeCap  = 10 << 20 // bytes of one file
	formOverhead = 1 << 20  // what a form may have besides its files
)

// Server is a simulated Discord. All methods may be called from any goroutine.
//
// One mutex guards the world. dispatch is called with it held, so that the
// gateway sees events in the order they happened: it must not block and must
// not take the mutex again.
type Server struct {
	opt    Options
	appID  string
	listen string // host:port
	http   *http.Server
	routes router
	done   chan struct{}

	mu      sync.Mutex
	closed  bool
	running sync.WaitGroup // handlers, and the listener
	changed chan struct{}  // closed at the next change; nil while nobody waits
	lastID  uint64
	token   string
	revoked bool

	world
	limiter limiter
	faults  []*Injected
	log     requestLog

	gatewayState     // of the gateway, with a mutex of its own
	interactionState // of interactions, under mu
}

// New makes a server that listens on a free port of 127.0.0.1. Close it.
func New(opt Options) (*Server, error) {
	if opt.Clock == nil {
		opt.Clock = time.Now
	}
	if opt.HeartbeatInterval == 0 {
		opt.HeartbeatInterval = 41250 * time.Millisecond
	}
	if opt.MaxConcurrency == 0 {
		opt.MaxConcurrency = 1
	}
	if opt.SessionStarts == 0 {
		opt.SessionStarts = 1000
	}
	if opt.Shards == 0 {
		opt.Shards = 1
	}
	if opt.FileLife == 0 {
		opt.FileLife = 24 * time.Hour
	}
	if opt.KeepRequests == 0 {
		opt.KeepRequests = 5000
	}
	if opt.BotName == "" {
		opt.BotName = "rookery"
	}
	s := &Server{opt: opt, done: make(chan struct{}), log: requestLog{max: opt.KeepRequests}}
	s.appID = opt.ApplicationID
	if s.appID == "" {
		s.appID = s.nextID()
	}
	if !isSnowflake(s.appID) {
		return nil, fmt.Errorf("the application id %q is not a number", s.appID)
	}
	s.token = opt.Token
	if s.token == "" {
		s.token = base64.RawStdEncoding.EncodeToString([]byte(s.appID)) + ".sim.token"
	}
	s.world = newWorld()
	s.addBot()
	s.limiter = newLimiter()
	s.initGateway()
	s.initInteractions()
	s.addRoutes()

	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for the simulated Discord: %w", err)
	}
	s.listen = l.Addr().String()
	s.http = &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)}
	s.running.Go(func() {
		if err := s.http.Serve(l); !errors.Is(err, http.ErrServerClosed) && s.opt.Log != nil {
			s.opt.Log.Debug("simulated Discord stopped", "err", err)
		}
	})
	return s, nil
}

// addRoutes makes the table of everything that is served.
func (s *Server) addRoutes() {
	s.routesUsers(&s.routes)
	s.routesGuilds(&s.routes)
	s.routesChannels(&s.routes)
	s.routesMessages(&s.routes)
	s.routesReactions(&s.routes)
	s.routesThreads(&s.routes)
	s.routesCommands(&s.routes)
	s.routesFiles(&s.routes)
	s.routesGateway(&s.routes)
	s.routesInteractions(&s.routes)
}

// URL is the base of the REST API, such as "http://127.0.0.1:40123/api/v10".
func (s *Server) URL() string { return s.origin() + apiBase }

// CDN is the base of the addresses of files and avatars, such as
// "http://127.0.0.1:40123"; a client that insists on https://cdn.discordapp.com
// needs a transport that leads here.
func (s *Server) CDN() string { return s.origin() }

func (s *Server) origin() string { return "http://" + s.listen }

// AppID is the id of the application and of its bot user.
func (s *Server) AppID() string { return s.appID }

// Token is the bot's present token.
func (s *Server) Token() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.token
}

// Revoke makes the token worthless: every request is refused with 401. The
// gateway refuses it with 4004.
func (s *Server) Revoke() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.revoked = true
	s.change()
}

// Restore undoes Revoke.
func (s *Server) Restore() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.revoked = false
	s.change()
}

// Close stops listening, cuts every connection and waits for all handlers. It
// may be called twice.
func (s *Server) Close() {
	s.mu.Lock()
	if !s.closed {
		s.closed = true
		close(s.done)
	}
	s.mu.Unlock()
	s.http.Close()
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

// WaitFor returns when a condition holds. It is asked now and after every
// change (a message, a reaction, a command, a request that was answered, a
// session); it may call the server's methods. The error is the context's.
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

// pause waits; false when the client left or the server closed before.
func (s *Server) pause(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	case <-s.done:
		return false
	}
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !s.begin() {
		panic(http.ErrAbortHandler)
	}
	defer s.running.Done()
	route, vars, known := s.routes.find(r.Method, r.URL.EscapedPath())
	if route != nil && route.raw != nil {
		route.raw.ServeHTTP(w, r)
		return
	}
	if !strings.HasPrefix(r.URL.Path, "/api/") {
		http.NotFound(w, r)
		return
	}
	q := &request{r: r, ctx: r.Context(), method: r.Method, path: r.URL.Path, query: r.URL.Query(), header: r.Header, route: route, vars: vars}
	s.serveREST(w, q, known)
}
