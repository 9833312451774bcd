package fedi

import (
	"crypto/sha1"
	"encoding/base64"
	"sync"
	"time"

	"rookery/internal/clock"
)

// websocketAccept is the answer to a handshake's key (RFC 6455, section 1.3).
func websocketAccept(key string) string {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// testClock is a manual clock that tells when somebody begins to wait for it.
type testClock struct {
	*clock.Manual
	waits chan struct{}
}

func newTestClock(at time.Time) *testClock {
	return &testClock{Manual: clock.NewManual(at), waits: make(chan struct{}, 1)}
}

// After implements clock.Clock.
func (c *testClock) After(d time.Duration) (<-chan time.Time, func()) {
	ready, stop := c.Manual.After(d)
	select {
	case c.waits <- struct{}{}:
	default:
	}
	return ready, stop
}

// advancing moves a clock on by steps, again and again, until it is stopped:
// for what waits by the clock in a goroutine of its own. After each step it
// lets whom it woke do their work: until somebody waits again, or for a
// moment, if nobody was woken.
func advancing(clk *testClock, step time.Duration) (stop func()) {
	const moment = 3 * time.Millisecond
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		pace := time.NewTimer(moment)
		defer pace.Stop()
		for {
			select {
			case <-done:
				return
			case <-clk.waits:
			case <-pace.C:
			}
			pace.Reset(moment)
			clk.Advance(step)
		}
	})
	return func() {
		close(done)
		wg.Wait()
	}
}
