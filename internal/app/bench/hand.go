package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// clockPath is where a world tells a program its time.
const clockPath = "/bench/clock"

// clockHand is the time in a world: ours, moved. A program that was started
// with --clock-url follows it.
type clockHand struct {
	mu      sync.Mutex
	shift   time.Duration
	faster  float64   // than ours by so many times; 0: it runs as ours
	since   time.Time // it has
	asks    int
	changed chan struct{} // closed at the next ask; nil while nobody waits
}

func (h *clockHand) now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.shows()
}

func (h *clockHand) shows() time.Time {
	now := time.Now()
	if h.faster > 0 {
		now = now.Add(time.Duration(float64(now.Sub(h.since)) * (h.faster - 1)))
	}
	return now.Add(h.shift)
}

// quicken has the time run faster than ours from now on.
func (h *clockHand) quicken(times float64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.shift = time.Until(h.shows())
	h.faster, h.since = times, time.Now()
}

// set moves the time, for nobody who must be told.
func (h *clockHand) set(shift time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.shift = shift
}

// ServeHTTP tells the time.
func (h *clockHand) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	h.mu.Lock()
	h.asks++
	if h.changed != nil {
		close(h.changed)
		h.changed = nil
	}
	now := h.shows()
	h.mu.Unlock()
	fmt.Fprintln(w, now.UTC().Format(time.RFC3339Nano))
}

// jump moves the time ahead, and returns when the program has heard of it: it
// asks again only after it has taken the last answer in.
func (h *clockHand) jump(ctx context.Context, p *process, by time.Duration) error {
	h.mu.Lock()
	h.shift += by
	until := h.asks + 2
	h.mu.Unlock()
	limit := time.NewTimer(patience(0))
	defer limit.Stop()
	for {
		h.mu.Lock()
		if h.asks >= until {
			h.mu.Unlock()
			return nil
		}
		if h.changed == nil {
			h.changed = make(chan struct{})
		}
		changed := h.changed
		h.mu.Unlock()
		select {
		case <-changed:
		case <-p.done:
			return fmt.Errorf("the program ended: %s\n%s", p.cmd.ProcessState, p.log.tail())
		case <-limit.C:
			return errors.New("the program does not ask for the time any more")
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// followed are the arguments of a program that follows the world's time.
func (w *world) followed(args ...string) []string {
	return append(args, "--clock-url", w.url+clockPath)
}

// leap moves the time ahead, and returns when the program has polled since.
func (w *world) leap(ctx context.Context, p *process, by time.Duration) error {
	polled, polls := make(chan struct{}), 0
	since := w.hand.now().Add(by)
	w.gate.listen(func(p passage) {
		if p.notifications() && !w.hand.now().Before(since) {
			if polls++; polls == 1 {
				close(polled)
			}
		}
	})
	defer w.gate.listen(nil)
	if err := w.hand.jump(ctx, p, by); err != nil {
		return err
	}
	return p.await(ctx, "a poll after the time had moved", polled, patience(0))
}
