package sandbox

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"
)

// hand is the time in a world where a story moves it ahead: the machine's, and
// what it was moved by. The bot asks for it again and again (--clock-url), so
// that waits of a quarter of an hour are shown in a moment. The simulated
// servers have the time that the bot was told last: a server that is a minute
// ahead would be one more thing for the bot to be careful about. It is safe for
// concurrent use.
type hand struct {
	url    string
	server *http.Server
	served chan struct{} // closed when the server has ended

	mu          sync.Mutex
	ahead, told time.Duration
	asks        int
	asked       chan struct{} // closed and replaced when the bot asks
}

// newHand starts the clock on a free port of this machine.
func newHand() (*hand, error) {
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("start the simulated clock: %w", err)
	}
	h := &hand{url: "http://" + l.Addr().String(), served: make(chan struct{}), asked: make(chan struct{})}
	h.server = &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	go func() {
		defer close(h.served)
		_ = h.server.Serve(l) // ends with close
	}()
	return h, nil
}

// ServeHTTP answers the time as RFC 3339, as the bot wants it.
func (h *hand) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	h.mu.Lock()
	h.told = h.ahead
	h.asks++
	close(h.asked)
	h.asked = make(chan struct{})
	h.mu.Unlock()
	_, _ = fmt.Fprintln(w, h.now().Format(time.RFC3339Nano))
}

// now is the time of the servers.
func (h *hand) now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return time.Now().UTC().Add(h.told)
}

// move moves the time ahead, once the bot asks for it.
func (h *hand) move(by time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ahead += by
}

// followed waits until the bot has asked twice more: then it goes by what it
// was told the first time.
func (h *hand) followed(ctx context.Context) {
	h.mu.Lock()
	until := h.asks + 2
	h.mu.Unlock()
	for {
		h.mu.Lock()
		enough, asked := h.asks >= until, h.asked
		h.mu.Unlock()
		if enough {
			return
		}
		select {
		case <-asked:
		case <-ctx.Done():
			return
		}
	}
}

func (h *hand) close() error {
	err := h.server.Close()
	<-h.served
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// pass lets time pass for the bot, if it runs, and for its servers.
func (s *stage) pass(by time.Duration) {
	p := s.bot.current()
	if s.hand == nil || p == nil {
		return
	}
	s.hand.move(by)
	ctx, cancel := context.WithTimeout(s.ctx, patience)
	var wg sync.WaitGroup
	wg.Go(func() {
		select {
		case <-p.done: // nobody will ask
			cancel()
		case <-ctx.Done():
		}
	})
	s.hand.followed(ctx)
	cancel()
	wg.Wait()
}

// later moves the time ahead until something happens, by so much at once: the
// bot may only just have decided how long it waits.
func (s *stage) later(by time.Duration, expected string, cond func() bool, seen func() string) error {
	mark := s.mark()
	next := 2 // looks at the notifications: by then it has decided, if it is quick
	return s.wait(expected, func() bool {
		if cond() {
			return true
		}
		if n := s.looks(mark); n >= next {
			s.hand.move(by)
			next = n + 4
		}
		return false
	}, seen)
}
