package metrics

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Checks say how the program is; nil means well, an error what is wrong.
type Checks struct {
	// Alive fails if only a restart would help.
	Alive func(ctx context.Context) error
	// Ready fails while there is something that keeps it from its work.
	Ready func(ctx context.Context) error
}

// Handler serves /metrics, /healthz and /readyz.
func (m *Metrics) Handler(c Checks) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4}))
	mux.Handle("GET /healthz", check(c.Alive))
	mux.Handle("GET /readyz", check(c.Ready))
	return mux
}

func check(fn func(context.Context) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), scrapeTime)
		defer cancel()
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		if err := fn(ctx); err != nil {
			w.WriteHeader(http.StatusServiceUnavailable)
			fmt.Fprintln(w, err)
			return
		}
		fmt.Fprintln(w, "ok")
	})
}

// Server serves the addresses until it is closed.
type Server struct {
	http *http.Server
	addr net.Addr
	done chan error
}

// Listen begins to serve on an address like 127.0.0.1:9464; ctx bounds only the
// beginning.
func (m *Metrics) Listen(ctx context.Context, address string, c Checks) (*Server, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen on %s for metrics (listen in [web]): %w", address, err)
	}
	s := &Server{addr: l.Addr(), done: make(chan error, 1), http: &http.Server{Handler: m.Handler(c),
		ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 16 << 10}}
	go func() { s.done <- s.http.Serve(l) }()
	return s, nil
}

// Addr is where it listens.
func (s *Server) Addr() string { return s.addr.String() }

// Close ends it; what is being served has two seconds to end.
func (s *Server) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	err := s.http.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		err = s.http.Close()
	}
	if served := <-s.done; !errors.Is(served, http.ErrServerClosed) {
		return errors.Join(err, served)
	}
	return err
}
