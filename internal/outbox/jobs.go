package outbox

import (
	"context"
	"time"

	"rookery/internal/jobs"
	"rookery/internal/store"
)

// QueueName is the queue of the outbox's jobs.
const QueueName = "outbox"

const (
	// sweepEvery is the safety net under every wake-up.
	sweepEvery = 15 * time.Second
	// sweepPause keeps a sweep that could not note anything (a full disk)
	// from spinning.
	sweepPause = 200 * time.Millisecond
	sweepKey   = "sweep"
)

// sweepArgs is the job that sweeps.
type sweepArgs struct{}

// Kind implements jobs.Args.
func (sweepArgs) Kind() string { return "outbox.sweep" }

// Work has the queue sweep: when something is due, and every 15 seconds in
// any case. Call it before the queue starts.
func (o *Outbox) Work(q *jobs.Queue) {
	insert := func(ctx context.Context, tx store.Tx, at time.Time) error {
		return q.Insert(ctx, tx, sweepArgs{}, jobs.Opts{Key: sweepKey, RunAt: at, Priority: 1})
	}
	o.wake = insert
	q.Every("outbox.sweep", jobs.Interval(sweepEvery), sweepArgs{}, jobs.Opts{Key: sweepKey, Priority: 1})
	// A sweep is never given up, however often the process is killed in one.
	// Its time-out is short, for it is how long another process waits for one
	// that died: one look, its pages and the sending after it.
	kind := jobs.Kind{Queue: QueueName, Timeout: sweepFor + 4*o.Timeout + 10*time.Second, MaxAttempts: 10_000,
		Backoff: func(int) time.Duration { return sweepEvery }}
	jobs.Register(q, kind, func(ctx context.Context, j jobs.Job[sweepArgs]) error {
		next, err := o.Sweep(ctx)
		if err != nil {
			return err
		}
		soon := o.Clock.Now().Add(sweepPause)
		if next.IsZero() || next.After(soon.Add(sweepEvery)) {
			return nil // the schedule will do
		}
		if next.Before(soon) {
			next = soon
		}
		return o.Store.Write(ctx, func(ctx context.Context, tx store.Tx) error {
			if err := j.Complete(ctx, tx); err != nil {
				return err
			}
			return insert(ctx, tx, next)
		})
	})
}
