package turns

import (
	"context"
	"time"

	"rookery/internal/community"
	"rookery/internal/jobs"
	"rookery/internal/store"
)

// A job of an account that is not logged in looks again soon while this
// process is young, and rarely later: the account may be gone from the
// configuration.
const (
	young      = 5 * time.Minute
	soonAgain  = 2 * time.Second
	laterAgain = time.Minute
	// While sending is paused it looks whether it still is.
	pausedAgain = 5 * time.Second
)

const (
	// retryPause is the longest pause after a round that failed as a whole (the
	// database, not a server: for those a round pauses by itself).
	retryPause = 30 * time.Second
	// troublePause is the longest pause after rounds that ended with trouble,
	// unless somebody asked for a longer one.
	troublePause = 2 * time.Minute
)

// Rounds says how a feature's rounds are worked.
type Rounds struct {
	Queue string // of the jobs; it needs workers
	// Ready tells whether an account is logged in. Until it is, its job waits.
	Ready func(account community.AccountID) bool
	// Round is one round, which is Turns.Round and what the feature does about
	// its outcome. After trouble the next one waits for some time, and not less
	// than until notBefore (zero: nobody asked for a time).
	Round func(ctx context.Context, account community.AccountID) (notBefore time.Time, trouble error)
}

// Kind names the kind of a feature's jobs. Each feature has a type of its own
// with this one method, which always says the same: a type in jobs is a kind.
type Kind interface{ Kind() string }

// job is a round that is due for an account.
type job[K Kind] struct {
	Account community.AccountID `json:"account"`
}

// Kind implements jobs.Args.
func (job[K]) Kind() string {
	var k K
	return k.Kind()
}

// Work has the queue work the rounds, as jobs of the kind that K names. Call it
// before the queue starts.
func Work[K Kind](t *Turns, q *jobs.Queue, r Rounds) {
	t.insert = func(ctx context.Context, tx store.Tx, account community.AccountID, at time.Time) error {
		return q.Insert(ctx, tx, job[K]{Account: account}, jobs.Opts{Key: string(account), RunAt: at})
	}
	jobs.Register(q, jobs.Kind{
		Queue: r.Queue, Timeout: roundFor + t.Hold() + 2*holdMargin,
		// A round is never given up: a process that is killed in the middle of
		// each of thirty rounds has still lost no mention. What cannot be
		// answered is given up mention by mention.
		MaxAttempts: 10_000,
		Backoff:     func(attempt int) time.Duration { return min(Backoff(attempt), retryPause) },
	}, func(ctx context.Context, j jobs.Job[job[K]]) error { return t.work(ctx, r, j.Args.Account, j.Complete) })
}

// enqueue makes sure that a job looks at the account, at the given time or now.
func (t *Turns) enqueue(ctx context.Context, tx store.Tx, account community.AccountID, at time.Time) error {
	if t.insert == nil {
		return nil
	}
	return t.insert(ctx, tx, account, at)
}

// work is one job. Whatever its round met, it ends by making the next job if
// anything still waits, in the transaction that ends this one: a mention that
// comes in between finds either this job's successor or makes its own.
func (t *Turns) work(ctx context.Context, r Rounds, account community.AccountID, complete Then) error {
	if !r.Ready(account) {
		if t.c.Clock.Now().Sub(t.began) < young {
			return jobs.Snooze(soonAgain)
		}
		return jobs.Snooze(laterAgain)
	}
	if since, err := t.pausedSince(ctx); err != nil || !since.IsZero() {
		if err != nil {
			return err
		}
		return jobs.Snooze(pausedAgain)
	}
	notBefore, trouble := r.Round(ctx, account)
	if trouble != nil && ctx.Err() == nil {
		t.c.Log.Warn("answering pauses", "account", account, "error", trouble)
	}
	if ctx.Err() != nil {
		return context.Cause(ctx) // cut off: the job itself comes back
	}
	return t.c.Store.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		if err := complete(ctx, tx); err != nil {
			return err
		}
		next, err := t.nextDue(ctx, tx, account)
		if err != nil || next.IsZero() {
			return err
		}
		if trouble != nil {
			t.mu.Lock()
			pause := t.c.Clock.Now().Add(min(Backoff(t.troubles[account]-1), troublePause))
			t.mu.Unlock()
			for _, at := range []time.Time{pause, notBefore} {
				if next.Before(at) {
					next = at
				}
			}
		}
		return t.enqueue(ctx, tx, account, next)
	})
}
