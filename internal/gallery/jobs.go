package gallery

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"rookery/internal/community"
	"rookery/internal/jobs"
	"rookery/internal/store"
)

// shareJob posts what waits for an account.
type shareJob struct {
	Account community.AccountID `json:"account"`
}

// Kind implements jobs.Args.
func (shareJob) Kind() string { return "gallery.share" }

// draftJob has the model write drafts for a submission that is offered.
type draftJob struct {
	Submission string `json:"submission"`
}

// Kind implements jobs.Args.
func (draftJob) Kind() string { return "gallery.draft" }

// tidyJob ends what nobody answered.
type tidyJob struct{}

// Kind implements jobs.Args.
func (tidyJob) Kind() string { return "gallery.tidy" }

const (
	// roundFor is how long one job begins new submissions; then the next goes on.
	roundFor = 20 * time.Second
	// oneTakes is how long the work on one submission takes at most in one go.
	// What it has come to by then is kept.
	oneTakes = 30 * time.Minute
	// tidyEvery is how often offers are looked through for those that are over.
	tidyEvery = time.Minute

	// A job of an account that is not logged in looks again soon while this
	// process is young, and rarely later.
	young      = 5 * time.Minute
	soonAgain  = 2 * time.Second
	laterAgain = time.Minute
	// While sending is paused, or somebody else is at work, it looks whether
	// that is still so.
	pausedAgain = 5 * time.Second
)

// worker is what one process does on its own, without anybody's press.
type worker struct {
	*Gallery
	process string
	began   time.Time
	woken   atomic.Bool // whatever waited at the start has a job
}

func (g *Gallery) newWorker() *worker {
	return &worker{Gallery: g, process: rand.Text(), began: g.Clock.Now()}
}

// Work has the queue post what is accepted, write drafts, and end what nobody
// answered. Call it before the queue starts.
func (g *Gallery) Work(q *jobs.Queue) {
	g.queue = q
	w := g.newWorker()
	// No submission is lost to a server that is down for weeks, or to a process
	// that is killed each time: what cannot be posted goes back to its artist.
	const ever = 10_000
	backoff := func(attempt int) time.Duration { return min(time.Second<<min(attempt, 5), 30*time.Second) }
	jobs.Register(q, jobs.Kind{Queue: QueueName, Timeout: roundFor + oneTakes + time.Minute, MaxAttempts: ever, Backoff: backoff},
		func(ctx context.Context, j jobs.Job[shareJob]) error { return w.work(ctx, j.Args.Account, j.Complete) })
	jobs.Register(q, jobs.Kind{Queue: QueueName, Timeout: oneTakes, MaxAttempts: draftTries},
		func(ctx context.Context, j jobs.Job[draftJob]) error {
			if s, err := get(ctx, g.Store, j.Args.Submission); err == nil && s.State == Offered {
				if _, err := w.fedi.Self(s.Target); err != nil && w.Clock.Now().Sub(w.began) < young {
					return jobs.Snooze(soonAgain) // what may be said of the account is not known yet
				}
			}
			return w.draftAll(ctx, j.Args.Submission, j.Attempt >= j.MaxAttempts)
		})
	jobs.Register(q, jobs.Kind{Queue: QueueName, Timeout: 5 * time.Minute},
		func(ctx context.Context, _ jobs.Job[tidyJob]) error { return w.tidy(ctx) })
	q.Every("gallery.tidy", jobs.Interval(tidyEvery), tidyJob{}, jobs.Opts{Key: "tidy", Priority: 4})
}

// wake has an account's submissions looked at as soon as the caller's
// transaction is committed.
func (g *Gallery) wake(ctx context.Context, tx store.Tx, account community.AccountID) error {
	return g.wakeAt(ctx, tx, account, time.Time{})
}

func (g *Gallery) wakeAt(ctx context.Context, tx store.Tx, account community.AccountID, at time.Time) error {
	if g.queue == nil || account == "" {
		return nil // a process that works no jobs
	}
	return g.queue.Insert(ctx, tx, shareJob{Account: account}, jobs.Opts{Key: string(account), RunAt: at})
}

// wakeDraft has the model write drafts for a submission as soon as the caller's
// transaction is committed.
func (g *Gallery) wakeDraft(ctx context.Context, tx store.Tx, id string) error {
	if g.queue == nil {
		return nil
	}
	return g.queue.Insert(ctx, tx, draftJob{Submission: id}, jobs.Opts{Key: id, Priority: 1})
}

// work is one job of an account. It ends by making the next if anything still
// waits, in the transaction that ends this one, so that what is accepted
// meanwhile finds either this job's successor or makes its own.
func (w *worker) work(ctx context.Context, account community.AccountID, complete func(context.Context, store.Tx) error) error {
	if _, err := w.fedi.Self(account); err != nil {
		if w.Clock.Now().Sub(w.began) < young {
			return jobs.Snooze(soonAgain)
		}
		return jobs.Snooze(laterAgain)
	}
	if since, err := w.Outbox.Paused(ctx); err != nil {
		return err
	} else if !since.IsZero() {
		return jobs.Snooze(pausedAgain)
	}
	mu := w.lockOf(account)
	if !mu.TryLock() {
		return jobs.Snooze(soonAgain) // another job of this process is at it
	}
	defer mu.Unlock()
	held, err := w.hold(ctx, account)
	if err != nil {
		return err
	}
	if !held {
		return jobs.Snooze(pausedAgain) // another process is
	}
	notBefore, err := w.share(ctx, account)
	if ctx.Err() != nil {
		err = errors.Join(err, context.Cause(ctx)) // cut off: the job itself comes back
	}
	if err != nil {
		return errors.Join(err, w.letGo(context.WithoutCancel(ctx), account))
	}
	err = w.Store.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		if err := complete(ctx, tx); err != nil {
			return err
		}
		if err := w.letGoIn(ctx, tx, account); err != nil {
			return err
		}
		due, err := w.nextDue(ctx, tx, account)
		if err != nil || due.IsZero() {
			return err
		}
		if due.Before(notBefore) {
			due = notBefore
		}
		return w.wakeAt(ctx, tx, account, due)
	})
	if err != nil {
		return fmt.Errorf("end the work on %s: %w", account, err)
	}
	return nil
}
