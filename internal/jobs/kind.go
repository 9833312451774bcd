package jobs

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"rookery/internal/store"
)

// Kind says how the jobs of one kind are worked. The zero value will do.
type Kind struct {
	Timeout     time.Duration // of one attempt; 0: 1 minute
	Queue       string        // empty: DefaultQueue
	MaxAttempts int           // 0: 25
	// Backoff is how long to wait after the attempt-th attempt (1, 2, …)
	// failed. nil: 1 s, doubled each time up to 10 min, with jitter.
	Backoff func(attempt int) time.Duration
}

// kind is a registered Kind, with its defaults filled in.
type kind struct {
	Kind
	name string
	work func(ctx context.Context, c *claim) error
}

// Register says how jobs of A's kind are worked; call it before Start. A is a
// plain struct, not a pointer. It panics for a kind that is registered twice
// or badly named.
//
// work is called with a context that ends with the kind's time-out or when
// Stop cuts the job off. What it returns decides: nil, the job is done;
// Snooze, later again; Cancel, never again; any other error, again after the
// back-off until the attempts are used up. Two jobs of one key can run at the
// same time, and any job can run twice.
func Register[A Args](q *Queue, k Kind, work func(ctx context.Context, j Job[A]) error) {
	var zero A
	name := zero.Kind()
	if !kindName.MatchString(name) {
		panic(fmt.Sprintf("jobs: %q is no name of a kind", name))
	}
	if k.Timeout <= 0 {
		k.Timeout = time.Minute
	}
	if k.Queue == "" {
		k.Queue = DefaultQueue
	}
	if k.MaxAttempts <= 0 {
		k.MaxAttempts = defaultMaxAttempts
	}
	if k.Backoff == nil {
		k.Backoff = backoff
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.phase != fresh || q.kinds[name] != nil {
		panic(fmt.Sprintf("jobs: kind %s is registered twice, or after Start", name))
	}
	q.kinds[name] = &kind{Kind: k, name: name, work: func(ctx context.Context, c *claim) error {
		j := Job[A]{ID: c.id, Attempt: c.attempt, MaxAttempts: c.max, LastError: c.lastError, Key: c.key, claim: c}
		if err := json.Unmarshal(c.args, &j.Args); err != nil {
			return fmt.Errorf("read the job's arguments: %w", err)
		}
		return work(ctx, j)
	}}
}

// Job is one attempt at a job.
type Job[A Args] struct {
	Args        A
	ID          int64 // stays the same in every attempt
	Attempt     int   // 1 in the first; snoozed and cut-off attempts do not count
	MaxAttempts int
	LastError   string // of the attempt before, at most 2 kB; empty: none failed
	Key         string

	claim *claim
}

// Complete ends the job in tx: if tx commits it is done, together with all
// else that tx wrote, and what the work function returns no longer matters
// (it should return nil). If tx is rolled back, nothing has happened. It
// returns ErrLost, and tx must not commit, if the job is no longer this
// attempt's: its time-out passed long ago and it was given to another.
func (j Job[A]) Complete(ctx context.Context, tx store.Tx) error {
	if err := j.claim.complete(ctx, tx); err != nil {
		return fmt.Errorf("complete job %d: %w", j.ID, err)
	}
	tx.AfterCommit(func() { j.claim.completed.Store(true) })
	return nil
}

// claim is a job that a backend has handed out to be worked.
type claim struct {
	id        int64
	kind      string
	key       string
	queue     string
	args      []byte
	priority  int
	attempt   int // this one included
	max       int
	lastError string

	complete  func(ctx context.Context, tx store.Tx) error
	completed atomic.Bool // by Complete, and committed
}

const (
	firstBackoff = time.Second
	lastBackoff  = 10 * time.Minute
)

// backoff doubles from 1 s to 10 min, a quarter more or less so that what
// failed together does not come back together.
func backoff(attempt int) time.Duration {
	d := lastBackoff
	if n := attempt - 1; n < 10 {
		d = min(d, firstBackoff<<max(n, 0))
	}
	d += time.Duration((rand.Float64() - 0.5) / 2 * float64(d))
	return min(max(d, firstBackoff), lastBackoff)
}
