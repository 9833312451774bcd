package control

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net"
	"net/http"
	"os"
	"regexp"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"rookery/internal/clock"
)

// Config is what a Server needs.
type Config struct {
	Dir   string // data directory; the process holds its lock
	Log   *slog.Logger
	Clock clock.Clock // nil: the system's
}

// Server answers commands. Register its actions, then Start it.
type Server struct {
	Config
	actions map[string]action

	mu      sync.Mutex
	phase   phase
	contact contact
	http    *http.Server
	served  chan struct{}
	cut     context.CancelFunc // ends the actions under way
	slots   chan struct{}
}

type phase int

const (
	fresh phase = iota
	started
	ended
)

type action func(ctx context.Context, request []byte) (any, error)

// atOnce bounds the actions under way.
const atOnce = 16

// NewServer makes a Server that does not listen yet.
func NewServer(c Config) *Server {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Clock == nil {
		c.Clock = clock.System{}
	}
	return &Server{Config: c, actions: map[string]action{}, slots: make(chan struct{}, atOnce)}
}

var actionName = regexp.MustCompile(`^[a-z][a-z0-9_.-]{0,63}$`)

// Register offers an action. Its context ends when whoever asked goes away, or
// when Stop cuts it off. Register panics for a name that is used twice or
// badly formed (small letters, digits and _ . -), and after Start.
func Register[Req, Resp any](s *Server, name string, fn func(context.Context, Req) (Resp, error)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !actionName.MatchString(name) || name == "hello" || s.actions[name] != nil || s.phase != fresh {
		panic(fmt.Sprintf("control: action %q is registered twice, badly named, or after Start", name))
	}
	s.actions[name] = func(ctx context.Context, request []byte) (any, error) {
		var req Req
		d := json.NewDecoder(bytes.NewReader(request))
		// What this process does not understand it must not pass over: it may
		// be what makes the request harmless.
		d.DisallowUnknownFields()
		if err := d.Decode(&req); err != nil {
			return nil, Coded(CodeRequest, fmt.Errorf("the running rookery does not understand the request to %s; it may be of another version: restart it (%w)", name, err))
		}
		return fn(ctx, req)
	}
}

// Start listens on a free port of 127.0.0.1 and says so in the data directory;
// what a killed process said there before is replaced. It is called once.
func (s *Server) Start(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.phase != fresh {
		return errors.New("start the control server: it was started before")
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listen for commands: %w", err)
	}
	s.contact = contact{Address: l.Addr().String(), PID: os.Getpid(), Token: rand.Text() + rand.Text(),
		Started: s.Clock.Now().UTC().Format(time.RFC3339)}
	actions, cut := context.WithCancel(context.WithoutCancel(ctx))
	s.cut = cut
	s.http = &http.Server{
		Handler:           http.HandlerFunc(s.serve),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       15 * time.Second,
		IdleTimeout:       15 * time.Second,
		MaxHeaderBytes:    8 << 10,
		BaseContext:       func(net.Listener) context.Context { return actions },
		ErrorLog:          slog.NewLogLogger(s.Log.Handler(), slog.LevelDebug),
	}
	s.served = make(chan struct{})
	go func() {
		defer close(s.served)
		if err := s.http.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			s.Log.Error("no more commands are taken", "error", err)
		}
	}()
	s.phase = started
	sweep(s.Dir)
	if err := s.contact.write(s.Dir); err != nil {
		s.phase = ended
		s.close(ctx)
		return fmt.Errorf("write %s: %w", FileName, err)
	}
	return nil
}

// Stop takes no more requests, waits for the actions under way until ctx ends,
// then ends their contexts and waits for them still. It may be called twice
// and before Start.
func (s *Server) Stop(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	was := s.phase
	s.phase = ended
	if was != started {
		return nil
	}
	err := s.contact.remove(s.Dir)
	s.close(ctx)
	if err != nil {
		return fmt.Errorf("remove %s: %w", FileName, err)
	}
	return nil
}

func (s *Server) close(ctx context.Context) {
	if err := s.http.Shutdown(ctx); err != nil {
		s.cut()
		_ = s.http.Close()
	}
	s.cut()
	<-s.served
	for range cap(s.slots) { // an action outlives its connection
		s.slots <- struct{}{}
	}
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	name, ok := strings.CutPrefix(r.URL.Path, "/v1/")
	if err := s.guard(r); err != nil {
		answer(w, http.StatusForbidden, reply{Error: err})
		return
	}
	if ok && name == "hello" && r.Method == http.MethodGet {
		s.hello(w, r)
		return
	}
	if !s.knows(r.Header.Get("Authorization")) {
		answer(w, http.StatusUnauthorized, reply{Error: &Error{CodeRefused, "the token is missing or wrong: it is in " + FileName + " of the data directory"}})
		return
	}
	do := s.actions[name]
	if !ok || do == nil {
		answer(w, http.StatusNotFound, reply{Error: &Error{CodeUnknown, fmt.Sprintf("the running rookery (process %d) does not know %q; it may be of another version: restart it", s.contact.PID, name)}})
		return
	}
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		answer(w, http.StatusMethodNotAllowed, reply{Error: &Error{CodeRequest, "use POST"}})
		return
	}
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		answer(w, http.StatusUnsupportedMediaType, reply{Error: &Error{CodeRequest, "send application/json"}})
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
	if err != nil {
		answer(w, http.StatusRequestEntityTooLarge, reply{Error: &Error{CodeRequest, fmt.Sprintf("the request could not be read, or is larger than %d bytes", maxRequest)}})
		return
	}
	s.act(w, r, name, do, body)
}

// guard refuses what a web page could have sent from a browser on this
// machine: one whose own name was made to point here (DNS rebinding) shows its
// name in Host, any other its Origin.
func (s *Server) guard(r *http.Request) *Error {
	_, port, err := net.SplitHostPort(s.contact.Address)
	if err != nil || r.Host != s.contact.Address && r.Host != "localhost:"+port {
		return &Error{CodeRefused, "ask for " + s.contact.Address}
	}
	for _, header := range []string{"Origin", "Referer", "Sec-Fetch-Site"} {
		if r.Header.Get(header) != "" {
			return &Error{CodeRefused, "this is not for browsers"}
		}
	}
	return nil
}

func (s *Server) knows(authorization string) bool {
	token, ok := strings.CutPrefix(authorization, "Bearer ")
	got, want := sha256.Sum256([]byte(token)), sha256.Sum256([]byte(s.contact.Token))
	return subtle.ConstantTimeCompare(got[:], want[:]) == 1 && ok
}

func (s *Server) hello(w http.ResponseWriter, r *http.Request) {
	nonce := r.URL.Query().Get("nonce")
	if len(nonce) < minNonce || len(nonce) > maxNonce {
		answer(w, http.StatusBadRequest, reply{Error: &Error{CodeRequest, "give a nonce"}})
		return
	}
	b, err := json.Marshal(hello{PID: s.contact.PID, Proof: proof(s.contact.Token, nonce)})
	if err != nil {
		answer(w, http.StatusInternalServerError, reply{Error: &Error{CodeInternal, err.Error()}})
		return
	}
	answer(w, http.StatusOK, reply{Result: b})
}

// act runs an action and answers.
func (s *Server) act(w http.ResponseWriter, r *http.Request, name string, do action, body []byte) {
	select {
	case s.slots <- struct{}{}:
	default:
		answer(w, http.StatusServiceUnavailable, reply{Error: &Error{CodeBusy, "too many commands at once: try again in a moment"}})
		return
	}
	defer func() { <-s.slots }()
	if r.Context().Err() != nil {
		answer(w, http.StatusServiceUnavailable, reply{Error: &Error{CodeStopping, "the running rookery is just stopping"}})
		return
	}
	result, err := s.run(r.Context(), name, do, body)
	if err == nil {
		var b []byte
		if b, err = json.Marshal(result); err == nil {
			answer(w, http.StatusOK, reply{Result: b})
			return
		}
	}
	if r.Context().Err() != nil { // Stop has cut it off, or nobody listens any more
		// Not CodeStopping: something of it may be done, so nobody asks again
		// without looking.
		err = Coded(CodeInternal, fmt.Errorf("ask for %s: process %d ended before it answered; look whether it was done before you ask again: %w", name, s.contact.PID, err))
	}
	s.Log.Info("a command failed", "action", name, "error", err)
	answer(w, http.StatusUnprocessableEntity, reply{Error: &Error{CodeOf(err), err.Error()}})
}

func (s *Server) run(ctx context.Context, name string, do action, body []byte) (result any, err error) {
	defer func() {
		if p := recover(); p != nil {
			s.Log.Error("an action panicked", "action", name, "panic", p, "stack", string(debug.Stack()))
			err = Coded(CodeInternal, fmt.Errorf("%s failed by a mistake in the program: see the log of process %d", name, s.contact.PID))
		}
	}()
	return do(ctx, body)
}

func answer(w http.ResponseWriter, status int, r reply) {
	b, err := json.Marshal(r)
	if err != nil { // of a result that was JSON already
		status, b = http.StatusInternalServerError, []byte(`{"error":{"code":"internal","text":"the answer could not be written"}}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(b)
}
