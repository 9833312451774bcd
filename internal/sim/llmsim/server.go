// Package llmsim is a language model's server on loopback: the chat
// completions of OpenAI's published API reference
// (https://github.com/openai/openai-openapi,
// https://platform.openai.com/docs/api-reference/chat), with answers that the
// same question always gets, and with faults on demand.
//
// It is a real HTTP server and knows nothing of the clients that ask it. It
// offers POST /v1/chat/completions, whole or streamed, and GET /v1/models.
// Pictures in questions are decoded and shown with Request.Images; what is none
// is refused. Tools, sound, pictures at addresses and pictures in answers it
// leaves out, and it judges neither texts nor pictures.
package llmsim

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"time"
)

const (
	maxBody     = 8 << 20 // of a request
	maxObserved = 2 << 20 // of an answer that is shown to Observe
)

// Options say how a server behaves. The zero value is a model that takes any
// key and any model's name and answers in a witty line.
type Options struct {
	Key      string               // bearer key that is asked for; empty: anyone may ask
	Models   []string             // names that are known and listed; empty: any is taken, "sim-1" is listed
	Blind    []string             // names of models that take no pictures; "*": none does
	Answer   func(Request) Answer // what is answered; nil: Witty. Called by several goroutines at once
	Latency  time.Duration        // before every answer of the model
	PerToken time.Duration        // besides, for every token of the answer
	Seed     uint64               // of the faults that come by chance
	Keep     int                  // requests that are remembered; 0: 1,000
	Now      func() time.Time     // nil: time.Now
	Log      *slog.Logger         // nil: silent
	Observe  func(Exchange)       // told of every exchange before its answer is sent; by several goroutines at once
}

// Exchange is one request and its answer as they are on the wire. Of a fault
// that sends no whole answer, Status is 0 and RespBody empty.
type Exchange struct {
	Method, Path    string
	ReqContentType  string
	ReqBody         []byte
	Status          int
	RespContentType string
	RespBody        []byte
}

// Stats count chat completions since the start.
type Stats struct {
	Received int // requests that came, whatever became of them
	Pictured int // of these, came with a picture
	Answered int // of these, answered with a completion
	Failed   int // answered with an error or spoilt by a fault
	Left     int // the client went away before the answer was sent
	Open     int // being answered now
	MostOpen int // most that were open at once
}

// Server is the model's server. It is made by New and safe for concurrent use.
type Server struct {
	opt Options
	log *slog.Logger

	mu       sync.Mutex
	changed  chan struct{} // closed and replaced at every change
	requests []Request
	stats    Stats
	faults   []*Fault
	chance   *rand.Rand
	listener net.Listener
	http     *http.Server
	cancel   context.CancelFunc
	closed   bool

	serving  sync.WaitGroup
	handlers sync.WaitGroup
}

// New makes a server that is not started yet.
func New(opt Options) *Server {
	if opt.Answer == nil {
		opt.Answer = Witty
	}
	if opt.Keep <= 0 {
		opt.Keep = 1000
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	return &Server{
		opt: opt, log: opt.Log,
		changed: make(chan struct{}),
		chance:  rand.New(rand.NewPCG(opt.Seed, 0x11a)),
	}
}

// Start listens on a free port of 127.0.0.1. A server starts once.
func (s *Server) Start() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listener != nil || s.closed {
		return errors.New("start the model's server: it was started before")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("start the model's server: %w", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	s.listener, s.cancel = l, cancel
	s.http = &http.Server{
		Handler:           http.HandlerFunc(s.handle),
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ReadHeaderTimeout: 10 * time.Second,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	s.serving.Go(func() {
		if err := s.http.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			s.log.Error("the model's server ended", "err", err)
		}
	})
	return nil
}

// URL is the base URL, with /v1 at its end. Empty before Start.
func (s *Server) URL() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listener == nil {
		return ""
	}
	return "http://" + s.listener.Addr().String() + "/v1"
}

// Close ends every request and waits until all is over. It may be called more
// than once, and before Start.
func (s *Server) Close() error {
	s.mu.Lock()
	first := !s.closed
	s.closed = true
	srv, cancel := s.http, s.cancel
	s.mu.Unlock()
	if srv == nil {
		return nil
	}
	var err error
	if first {
		err = srv.Close() // before cancel, or a handler that hangs would still get an empty 200 out
		cancel()
	}
	s.serving.Wait()
	s.handlers.Wait()
	return err
}

// Requests are the chat completions that were asked for, oldest first: the
// last Options.Keep of them.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Request(nil), s.requests...)
}

// Count is the number of chat completions that were asked for.
func (s *Server) Count() int { return s.Stats().Received }

// Stats are the counts so far.
func (s *Server) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stats
}

// WaitFor returns when cond is true, or with the context's error. cond is
// asked at once and after every change of the server, never by two goroutines
// for one call; it may call the server's methods.
func (s *Server) WaitFor(ctx context.Context, cond func() bool) error {
	for {
		s.mu.Lock()
		changed := s.changed
		s.mu.Unlock()
		if cond() {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// change does f under the lock and wakes whoever waits.
func (s *Server) change(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
	close(s.changed)
	s.changed = make(chan struct{})
}

// enter counts a handler, unless the server is closed.
func (s *Server) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.handlers.Add(1)
	return true
}

func (s *Server) handle(w http.ResponseWriter, r *http.Request) {
	if !s.enter() {
		return
	}
	defer s.handlers.Done()
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil {
		return // the client is gone
	}
	x := &exchange{s: s, w: w, r: r, body: body}
	switch {
	case len(body) > maxBody:
		x.fail(http.StatusRequestEntityTooLarge, apiError{"invalid_request_error", "request_too_large", "", "The request is too large."})
	case r.URL.Path == "/v1/chat/completions" && r.Method == http.MethodPost:
		s.chat(x)
	case r.URL.Path == "/v1/models" && r.Method == http.MethodGet:
		s.models(x)
	case r.URL.Path == "/v1/chat/completions" || r.URL.Path == "/v1/models":
		x.fail(http.StatusMethodNotAllowed, apiError{"invalid_request_error", "method_not_supported", "",
			fmt.Sprintf("Not allowed to %s on %s.", r.Method, r.URL.Path)})
	default:
		x.fail(http.StatusNotFound, apiError{"invalid_request_error", "unknown_url", "",
			fmt.Sprintf("Unknown request URL: %s %s.", r.Method, r.URL.Path)})
	}
}
