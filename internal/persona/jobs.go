package persona

import (
	"context"
	"time"

	"rookery/internal/community"
	"rookery/internal/jobs"
	"rookery/internal/store"
)

// pumpFor is how long one job begins new answers; then the next job goes on.
const pumpFor = 20 * time.Second

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

// roundPause is the longest pause after a round that failed as a whole (the
// database, not the model or the server: those pause for themselves).
const roundPause = 30 * time.Second

// QueueName is the queue of the persona's jobs.
const QueueName = "persona"

// answerArgs is the job that answers what waits for an account.
type answerArgs struct {
	Account community.AccountID `json:"account"`
}

// Kind implements jobs.Args.
func (answerArgs) Kind() string { return "persona.answer" }

// Work has the queue do the answering. Call it before the queue starts.
func (p *Persona) Work(q *jobs.Queue) {
	p.queue = q
	jobs.Register(q, jobs.Kind{
		Queue: QueueName, Timeout: pumpFor + p.answerLimit() + 2*holdMargin,
		// A round is never given up: a process that is killed in the middle of
		// each of thirty rounds has still lost no mention. What cannot be
		// answered is given up mention by mention.
		MaxAttempts: 10_000,
		Backoff:     func(attempt int) time.Duration { return min(backoff(attempt), roundPause) },
	}, p.work)
}

// enqueue makes sure that a job looks at the account, at the given time or now.
func (p *Persona) enqueue(ctx context.Context, tx store.Tx, account community.AccountID, at time.Time) error {
	if p.queue == nil {
		return nil
	}
	return p.queue.Insert(ctx, tx, answerArgs{Account: account}, jobs.Opts{Key: string(account), RunAt: at})
}

// work is one round. Whatever it met, it ends by making the next job if
// anything still waits, in the transaction that ends this one: a mention that
// comes in between finds either this job's successor or makes its own.
func (p *Persona) work(ctx context.Context, j jobs.Job[answerArgs]) error {
	account := j.Args.Account
	if _, err := p.platform.Self(account); err != nil {
		if p.Clock.Now().Sub(p.began) < young {
			return jobs.Snooze(soonAgain)
		}
		return jobs.Snooze(laterAgain)
	}
	if since, err := p.Outbox.Paused(ctx); err != nil || !since.IsZero() {
		if err != nil {
			return err
		}
		return jobs.Snooze(pausedAgain)
	}
	_, trouble := p.Answer(ctx, account, -1)
	if trouble != nil && ctx.Err() == nil {
		p.Log.Warn("answering pauses", "account", account, "error", trouble)
	}
	if ctx.Err() != nil {
		return context.Cause(ctx) // cut off: the job itself comes back
	}
	return p.Store.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		if err := j.Complete(ctx, tx); err != nil {
			return err
		}
		next, err := nextDue(ctx, tx, account, p.Clock.Now())
		if err != nil || next.IsZero() {
			return err
		}
		if trouble != nil {
			p.mu.Lock()
			pause := p.Clock.Now().Add(min(backoff(p.troubles[account]-1), 2*time.Minute))
			p.mu.Unlock()
			for _, at := range []time.Time{pause, p.askedFor(trouble)} {
				if next.Before(at) {
					next = at
				}
			}
		}
		return p.enqueue(ctx, tx, account, next)
	})
}
