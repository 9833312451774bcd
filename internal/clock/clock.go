// Package clock is time as a value: logic takes a Clock and never calls
// time.Now, so that a test, a sandbox or a benchmark decides what time it is.
//
// It leaves durations of real work (time-outs of requests, drains) to context
// and to the time package: only "what time is it" and "wake me then" are here.
package clock

import (
	"sync"
	"time"
)

// Clock tells the time and wakes sleepers.
type Clock interface {
	// Now is the current time, in UTC.
	Now() time.Time
	// After is ready once, d from now; a d of zero or less is ready at once.
	// stop frees it and may be called more than once.
	After(d time.Duration) (ready <-chan time.Time, stop func())
}

// System is the machine's own clock.
type System struct{}

// Now implements Clock.
func (System) Now() time.Time { return time.Now().UTC() }

// After implements Clock.
func (System) After(d time.Duration) (<-chan time.Time, func()) {
	t := time.NewTimer(d)
	return t.C, func() { t.Stop() }
}

// Manual stands still until it is moved. The zero value starts at the zero
// time; NewManual starts it elsewhere. It is safe for concurrent use.
type Manual struct {
	mu      sync.Mutex
	now     time.Time
	waiters map[*waiter]struct{}
}

type waiter struct {
	at time.Time
	c  chan time.Time
}

// NewManual returns a clock that shows at.
func NewManual(at time.Time) *Manual { return &Manual{now: at.UTC()} }

// Now implements Clock.
func (m *Manual) Now() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.now
}

// After implements Clock.
func (m *Manual) After(d time.Duration) (<-chan time.Time, func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	w := &waiter{at: m.now.Add(d), c: make(chan time.Time, 1)}
	if d <= 0 {
		w.c <- m.now
		return w.c, func() {}
	}
	if m.waiters == nil {
		m.waiters = map[*waiter]struct{}{}
	}
	m.waiters[w] = struct{}{}
	return w.c, func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		delete(m.waiters, w)
	}
}

// Advance moves the clock by d, which may be negative, and wakes whoever's
// time has come.
func (m *Manual) Advance(d time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now = m.now.Add(d)
	for w := range m.waiters {
		if !w.at.After(m.now) {
			w.c <- m.now
			delete(m.waiters, w)
		}
	}
}

// Run lets time pass by itself, a hundred times as fast as outside, for waits
// that nothing else tells of. It goes on until stop is called.
func (m *Manual) Run() (stop func()) {
	over := make(chan struct{})
	var running sync.WaitGroup
	running.Go(func() {
		tick := time.NewTicker(2 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				m.Advance(200 * time.Millisecond)
			case <-over:
				return
			}
		}
	})
	return func() {
		close(over)
		running.Wait()
	}
}
