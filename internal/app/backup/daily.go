package backup

import (
	"context"
	"errors"
	"fmt"
	"time"

	"rookery/internal/jobs"
)

// dailyArgs is the job of one day.
type dailyArgs struct{}

// Kind implements jobs.Args.
func (dailyArgs) Kind() string { return "backup.daily" }

const (
	timeLimit = time.Hour
	attempts  = 6
	// retryAfter is doubled each time: the six attempts take ten hours.
	retryAfter = 20 * time.Minute
)

// Daily has q make a backup every day at a time of day ("04:00") in zone (nil:
// UTC), one for all processes that share the database, in the folder of the
// one that happens to do it. However many days were missed while no process
// ran, one is made when one runs again. A failed one is tried again for ten
// hours.
func (k *Keeper) Daily(q *jobs.Queue, at string, zone *time.Location) error {
	t, err := time.Parse("15:04", at)
	if err != nil {
		return fmt.Errorf("the time of the daily backup, %q, is not written like 04:00", at)
	}
	if zone == nil {
		zone = time.UTC
	}
	k.series = jobs.Cron(fmt.Sprintf("%d %d * * *", t.Minute(), t.Hour()), zone)
	kind := jobs.Kind{Timeout: timeLimit, MaxAttempts: attempts,
		Backoff: func(attempt int) time.Duration { return retryAfter << (min(attempt, attempts) - 1) }}
	jobs.Register(q, kind, func(ctx context.Context, j jobs.Job[dailyArgs]) error {
		// After a late success there is nothing left for another attempt.
		return k.due(ctx)
	})
	q.Every("backup.daily", k.series, dailyArgs{}, jobs.Opts{Key: "daily", Priority: 4})
	return nil
}

// IfDue makes the daily backup unless it has been made already: for a process
// that works no jobs. Without Daily there is none.
func (k *Keeper) IfDue(ctx context.Context) error {
	if k.series == nil {
		return nil
	}
	return k.due(ctx)
}

func (k *Keeper) due(ctx context.Context) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	done, err := k.done()
	if done {
		return nil
	}
	if err == nil {
		_, err = k.locked(ctx, k.done)
	}
	if err != nil {
		err = fmt.Errorf("daily backup: %w", err)
		if k.Failed != nil && !errors.Is(ctx.Err(), context.Canceled) { // a process that ends is no failure
			k.Failed(context.WithoutCancel(ctx), err)
		}
	}
	return err
}

// done tells whether the folder holds a backup since the last time that one
// was due.
func (k *Keeper) done() (bool, error) {
	now := k.clock().Now()
	last := lastBefore(k.series, now)
	all, err := k.List()
	if err != nil {
		return false, err
	}
	for _, f := range all {
		// What a wrong clock has dated ahead says nothing of today.
		if !f.At.After(now.Add(time.Minute)) {
			return !f.At.Before(last), nil
		}
	}
	return false, nil
}

// lastBefore is the latest instant of a daily series that is not after now.
func lastBefore(s jobs.Schedule, now time.Time) time.Time {
	// A day of 23 or 25 hours, and one whose instant the clocks leave out.
	at := s.Next(now.Add(-3 * day))
	for next := at; !next.After(now); next = s.Next(next) {
		at = next
	}
	return at
}
