package jobs

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"time"

	"rookery/internal/store"
)

// Errors that callers tell apart.
var (
	// ErrLost is returned by Job.Complete when the attempt no longer owns its
	// job.
	ErrLost = errors.New("the job is no longer this attempt's")
	// ErrNotFound is returned by Retry and Drop.
	ErrNotFound = errors.New("there is no such job")
	// ErrRunning is returned by Retry and Drop.
	ErrRunning = errors.New("the job is running: wait until it is done")
)

// Snooze returned by a work function, runs the job again d from now. It costs
// no attempt.
func Snooze(d time.Duration) error { return &snooze{max(d, 0)} }

type snooze struct{ d time.Duration }

func (s *snooze) Error() string { return fmt.Sprintf("snoozed for %s", s.d) }

// Cancel returned by a work function, ends the job for good, whatever
// attempts are left. It is logged with err and not kept.
func Cancel(err error) error { return &cancelled{err} }

type cancelled struct{ err error }

func (c *cancelled) Error() string { return fmt.Sprintf("cancelled: %v", c.err) }
func (c *cancelled) Unwrap() error { return c.err }

// outcome is what becomes of a job after an attempt.
type outcome struct {
	verdict verdict
	next    waiting // of again; of failed the attempt and the error
}

type verdict int

const (
	done verdict = iota
	again
	failed  // attempts used up; kept for the operator
	removed // cancelled by itself
)

// perform makes one attempt and judges it. parent ends, other than by a
// deadline, when Stop cuts the job off.
func (q *Queue) perform(parent context.Context, c *claim) outcome {
	k := q.kind(c.kind)
	if k == nil { // neither backend hands these out
		return q.judge(parent, c, errors.New("this program does not know the kind"))
	}
	if c.attempt > c.max {
		// The last attempt that this job had was never noted: the process was
		// killed in it, or the database refused.
		return q.fail(c, c.max, errors.New(cmp.Or(c.lastError, errKilled)))
	}
	ctx, cancel := context.WithTimeout(parent, k.Timeout)
	defer cancel()
	err := q.attempt(ctx, k, c)
	if err != nil && errors.Is(err, context.DeadlineExceeded) && ctx.Err() != nil && parent.Err() == nil {
		err = fmt.Errorf("its time-out of %s passed: %w", k.Timeout, err)
	}
	return q.judge(parent, c, err)
}

// attempt calls the work function; a panic becomes an error.
func (q *Queue) attempt(ctx context.Context, k *kind, c *claim) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
			q.log.Error("a job panicked: this is a mistake in the program, please report it with the stack",
				"kind", c.kind, "job", c.id, "attempt", c.attempt, "panic", p, "stack", string(debug.Stack()))
		}
	}()
	return k.work(ctx, c)
}

// judge makes of what an attempt returned what becomes of its job.
func (q *Queue) judge(parent context.Context, c *claim, err error) outcome {
	log := q.log.With("kind", c.kind, "job", c.id, "attempt", c.attempt)
	if c.completed.Load() {
		if err != nil {
			log.Warn("a job returned an error after it was completed", "error", err)
		}
		return outcome{verdict: done}
	}
	if err == nil {
		return outcome{verdict: done}
	}
	now := q.clock.Now()
	next := waiting{runAt: now, attempt: c.attempt - 1, max: c.max, priority: c.priority, lastError: c.lastError}
	if s, ok := errors.AsType[*snooze](err); ok {
		next.runAt = now.Add(s.d)
		return outcome{again, next}
	}
	if stop, ok := errors.AsType[*cancelled](err); ok {
		log.Warn("a job gave up", "error", stop.err)
		return outcome{removed, next}
	}
	if errors.Is(parent.Err(), context.Canceled) {
		log.Info("a job was cut off, it will run again", "error", err)
		return outcome{again, next}
	}
	if c.attempt >= c.max {
		return q.fail(c, c.attempt, err)
	}
	next.attempt, next.lastError = c.attempt, clip(err.Error())
	wait := backoff(c.attempt)
	if k := q.kind(c.kind); k != nil {
		wait = max(k.Backoff(c.attempt), 0)
	}
	next.runAt, next.backingOff = now.Add(wait), true
	log.Warn("a job failed, it will be tried again", "error", err, "in", wait)
	return outcome{again, next}
}

// fail is the end of a job whose attempts are used up.
func (q *Queue) fail(c *claim, attempt int, err error) outcome {
	q.log.Error("a job failed for the last time: mend the cause and retry the job by its number, or drop it",
		"kind", c.kind, "job", c.id, "attempt", attempt, "error", err)
	return outcome{failed, waiting{runAt: q.clock.Now(), attempt: attempt, max: c.max, priority: c.priority, lastError: clip(err.Error())}}
}

// waiting is what two jobs of one key are merged by.
type waiting struct {
	runAt      time.Time
	attempt    int // used up so far
	max        int
	priority   int
	backingOff bool // after a failure: nothing moves it to an earlier time
	lastError  string
}

// merge makes one of two waiting jobs of a key. The result has failed as often
// as either; it runs at the earlier time unless one of them is backing off.
func merge(a, b waiting) waiting {
	m := a
	if b.attempt > a.attempt || b.attempt == a.attempt && a.lastError == "" {
		m.attempt, m.lastError = b.attempt, b.lastError
	}
	m.max, m.priority, m.backingOff = max(a.max, b.max), min(a.priority, b.priority), a.backingOff || b.backingOff
	switch {
	case a.backingOff && b.backingOff:
		m.runAt = later(a.runAt, b.runAt)
	case b.backingOff, !a.backingOff && b.runAt.Before(a.runAt):
		m.runAt = b.runAt
	}
	return m
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

const maxError = 2048 // bytes

// clip makes an error's text fit to be stored.
func clip(s string) string {
	s = store.Storable(s, len(s))
	if len(s) <= maxError {
		return s
	}
	return strings.ToValidUTF8(s[:maxError-len("…")], "") + "…" // a letter cut in two goes
}
