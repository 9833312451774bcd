package clock

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
)

// Remote is the machine's clock moved by what a simulated world says: it asks
// the world's URL, which answers the time as RFC 3339, again and again. It is
// for rehearsals and tests of a real process; nothing else should use it.
type Remote struct {
	offset  atomic.Int64
	stopped chan struct{}
}

const remoteEvery = 50 * time.Millisecond

// FollowRemote asks url once, and goes on asking until ctx ends. Stopped is
// closed once it no longer does.
func FollowRemote(ctx context.Context, url string) (*Remote, error) {
	r := &Remote{stopped: make(chan struct{})}
	if err := r.ask(ctx, url); err != nil {
		return nil, fmt.Errorf("ask %s for the time: %w", url, err)
	}
	go func() {
		defer close(r.stopped)
		tick := time.NewTicker(remoteEvery)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				_ = r.ask(ctx, url) // the last answer holds
			case <-ctx.Done():
				return
			}
		}
	}()
	return r, nil
}

// Stopped is closed once the clock no longer asks.
func (r *Remote) Stopped() <-chan struct{} { return r.stopped }

func (r *Remote) ask(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, 100))
	if err != nil {
		return err
	}
	at, err := time.Parse(time.RFC3339Nano, strings.TrimSpace(string(b)))
	if err != nil {
		return err
	}
	r.offset.Store(int64(time.Until(at)))
	return nil
}

// Now implements Clock.
func (r *Remote) Now() time.Time { return time.Now().UTC().Add(time.Duration(r.offset.Load())) }

// After implements Clock: it wakes when the moved clock shows the time, or
// when d has passed on the machine's own.
func (r *Remote) After(d time.Duration) (<-chan time.Time, func()) {
	ready := make(chan time.Time, 1)
	ctx, cancel := context.WithCancel(context.Background())
	at := r.Now().Add(d)
	end := time.NewTimer(d)
	go func() {
		tick := time.NewTicker(remoteEvery)
		defer tick.Stop()
		defer end.Stop()
		for r.Now().Before(at) {
			select {
			case <-tick.C:
				continue
			case <-end.C:
			case <-ctx.Done():
				return
			}
			break
		}
		ready <- r.Now()
	}()
	return ready, cancel
}
