package jobs

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"sync"
	"time"

	"rookery/internal/clock"
	"rookery/internal/store"
)

// lite is the queue on SQLite. One goroutine, the dispatcher, hands out jobs
// and notes how they ended, many at a time in one transaction; each job runs
// in a goroutine of its own. No other process works on the file.
type lite struct {
	q       *Queue
	wake    chan struct{} // something may be due
	results chan result   // room for every worker: a job never waits to hand in
	quit    chan struct{} // begin no more
	idle    chan struct{} // closed by the dispatcher at its end
	cut     context.CancelFunc
	workers sync.WaitGroup

	// Of the dispatcher alone.
	ctx   context.Context
	slots map[string]int // taken, by queue
	swept time.Time      // when failed jobs were last looked over
	// latest is the latest that our clock has shown: when it is set back, what
	// waits is moved along, or it would wait for as long again.
	latest time.Time
}

// result is an attempt that has ended, not yet noted.
type result struct {
	claim   *claim
	outcome outcome
}

func newLite(q *Queue) *lite {
	return &lite{q: q, wake: make(chan struct{}, 1), quit: make(chan struct{}), idle: make(chan struct{}), slots: map[string]int{}}
}

// poke has the dispatcher look at once. It never blocks.
func (l *lite) poke() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

func (l *lite) start(ctx context.Context) error {
	if err := l.reclaim(ctx); err != nil {
		return fmt.Errorf("take back what ran when the program ended: %w", err)
	}
	total := 0
	for _, n := range l.q.workers {
		total += n
	}
	l.results = make(chan result, total)
	l.ctx, l.cut = context.WithCancel(context.WithoutCancel(ctx))
	go l.dispatch()
	return nil
}

func (l *lite) stop(ctx context.Context, drain time.Duration) error {
	close(l.quit)
	defer l.cut()
	timer := time.NewTimer(drain)
	defer timer.Stop()
	select {
	case <-l.idle:
		return nil
	case <-timer.C:
	case <-ctx.Done():
	}
	l.cut()
	select {
	case <-l.idle:
		return nil
	case <-ctx.Done():
	}
	grace := time.NewTimer(graceAfterCut)
	defer grace.Stop()
	select {
	case <-l.idle:
		return nil
	case <-grace.C:
		return fmt.Errorf("jobs do not heed the end of their contexts: %w", ctx.Err())
	}
}

const (
	// lookEvery is how often the dispatcher looks without being woken, in
	// case a hint was lost or the clock was set.
	lookEvery = time.Second
	// lastTries is how often the dispatcher, when stopping, tries to note how
	// jobs ended on a database that refuses. What it cannot note runs again.
	lastTries = 3
)

// dispatch runs until it has been told to stop and every job has ended.
func (l *lite) dispatch() {
	defer close(l.idle)
	defer l.workers.Wait()
	var ended []result
	quit := l.quit
	look, next, refused := true, time.Time{}, 0
	for {
		if look || len(ended) > 0 {
			begun, soonest, err := l.turn(ended, quit != nil)
			look = false
			if err != nil {
				if refused++; refused%60 == 1 {
					l.q.log.Error("the job queue cannot write, trying every second", "error", err)
				}
				next = l.q.clock.Now().Add(lookEvery)
			} else {
				for _, r := range ended {
					l.slots[r.claim.queue]--
				}
				ended, next, refused = ended[:0], soonest, 0
				l.begin(begun)
			}
		}
		running := 0
		for _, n := range l.slots {
			running += n
		}
		running -= len(ended)
		if quit == nil && running == 0 && (len(ended) == 0 || refused >= lastTries) {
			return
		}
		nap := lookEvery
		if !next.IsZero() {
			nap = min(nap, max(next.Sub(l.q.clock.Now()), 0))
		}
		c := l.q.clock
		if quit == nil {
			c = clock.System{} // a stop is real work, and must end
		}
		ready, halt := c.After(nap)
		select {
		case r := <-l.results:
			ended = append(ended, r)
		case <-l.wake:
			look = true
		case <-ready:
			look = len(ended) == 0 && l.isDue()
		case <-quit:
			quit = nil
		}
		halt()
		ended = l.collect(ended)
	}
}

// collect takes all results that are there, to be noted together.
func (l *lite) collect(ended []result) []result {
	for {
		select {
		case r := <-l.results:
			ended = append(ended, r)
		default:
			return ended
		}
	}
}

func (l *lite) begin(claims []*claim) {
	for _, c := range claims {
		l.slots[c.queue]++
		l.workers.Go(func() {
			r, returned := result{claim: c}, false
			defer func() {
				if !returned { // the work function ended its goroutine
					r.outcome = l.q.judge(l.ctx, c, errors.New("the work function did not return"))
				}
				l.results <- r
			}()
			r.outcome = l.q.perform(l.ctx, c)
			returned = true
		})
	}
}

// turn notes, in one transaction, how jobs ended, and begins as many as there
// is room for. soonest is when the next is due; zero: none waits.
//
// It is relaxed: a power cut may undo it, and then the jobs run again; the
// death of the process alone undoes nothing.
func (l *lite) turn(ended []result, more bool) (begun []*claim, soonest time.Time, err error) {
	free := map[string]int{}
	select {
	case <-l.quit:
		more = false // it may not have been the dispatcher's turn to hear of it
	default:
	}
	if more {
		for queue, n := range l.q.workers {
			free[queue] = n - l.slots[queue]
		}
		for _, r := range ended {
			free[r.claim.queue]++
		}
	}
	now := l.q.clock.Now()
	back := l.setBack(now)
	sweep := now.Sub(l.swept) > 24*time.Hour || now.Before(l.swept)
	// The context is not the jobs': what ended is noted also when stopping.
	err = l.q.store.WriteRelaxed(context.WithoutCancel(l.ctx), func(ctx context.Context, tx store.Tx) error {
		begun = nil
		if err := settleAll(ctx, tx, ended); err != nil {
			return err
		}
		if sweep {
			if err := sweepFailed(ctx, tx, now); err != nil {
				return err
			}
		}
		if back > 0 {
			if err := moveBack(ctx, tx, now, back); err != nil {
				return err
			}
		}
		due, err := dueQueues(ctx, tx, now)
		if err != nil {
			return err
		}
		for _, queue := range due {
			n := free[queue]
			if n <= 0 {
				continue
			}
			claims, err := l.claim(ctx, tx, queue, n, now)
			if err != nil {
				return err
			}
			begun = append(begun, claims...)
		}
		soonest, err = nextDue(ctx, tx, now)
		return err
	})
	if err != nil {
		return nil, time.Time{}, err
	}
	if sweep {
		l.swept = now
	}
	if back > 0 {
		l.q.log.Warn("our clock was set back; the jobs that wait are moved along", "by", back)
	}
	if back > 0 || now.After(l.latest) {
		l.latest = now
	}
	sort.Slice(begun, func(i, j int) bool { return begun[i].priority < begun[j].priority })
	return begun, soonest, nil
}
