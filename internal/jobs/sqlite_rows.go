package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sort"
	"time"

	"rookery/internal/store"
)

// The values of job.state.
const (
	isWaiting = 0
	isRunning = 1
	isFailed  = 2
)

// insert adds a row or, under a key that has a waiting one, changes that. The
// order of transactions on SQLite's one writer is the order of things: what
// finds a job waiting is committed before the turn that begins it.
func (l *lite) insert(ctx context.Context, tx store.Tx, o order) error {
	if o.runAt.IsZero() {
		o.runAt = l.q.clock.Now()
	}
	var id any // null: the next number
	if o.id != 0 {
		id = o.id
	}
	_, err := tx.Exec(ctx, `insert into job (id, kind, key, queue, args, priority, run_at, max_attempts)
		values ($1, $2, $3, $4, $5, $6, $7, $8)
		on conflict (kind, key) where state = 0 and key <> '' do update set
			run_at = case backing_off when 0 then min(run_at, excluded.run_at) else run_at end,
			priority = min(priority, excluded.priority)`,
		id, o.kind, o.key, o.queue, string(o.args), o.priority, o.runAt.UnixMilli(), o.max)
	if err != nil {
		return err
	}
	tx.AfterCommit(l.poke)
	return nil
}

func (l *lite) cancelKey(ctx context.Context, tx store.Tx, kind, key string) error {
	_, err := tx.Exec(ctx, `delete from job where kind = $1 and key = $2 and state = 0 and key <> ''`, kind, key)
	return err
}

// dueQueues are the queues that have something to do: claiming is dear, and
// most turns find nothing.
func dueQueues(ctx context.Context, tx store.Tx, now time.Time) ([]string, error) {
	rows, err := tx.Query(ctx, `select distinct queue from job where state = 0 and run_at <= $1`, now.UnixMilli())
	return store.Collect(rows, err, func(r store.Row) (queue string, err error) { return queue, r.Scan(&queue) })
}

// claim begins up to n of queue's due jobs, in their order.
func (l *lite) claim(ctx context.Context, tx store.Tx, queue string, n int, now time.Time) ([]*claim, error) {
	kinds := l.kinds()
	rows, err := tx.Query(ctx, `select id, kind, key, args, priority, attempt, max_attempts, last_error from (
			select * from (select * from job where state = 0 and queue = $1 and priority = 1 and run_at <= $2
				and kind in (select value from json_each($3)) order by run_at, id limit $4)
			union all select * from (select * from job where state = 0 and queue = $1 and priority = 2 and run_at <= $2
				and kind in (select value from json_each($3)) order by run_at, id limit $4)
			union all select * from (select * from job where state = 0 and queue = $1 and priority = 3 and run_at <= $2
				and kind in (select value from json_each($3)) order by run_at, id limit $4)
			union all select * from (select * from job where state = 0 and queue = $1 and priority = 4 and run_at <= $2
				and kind in (select value from json_each($3)) order by run_at, id limit $4)
		) order by priority, run_at, id limit $4`, queue, now.UnixMilli(), kinds, n)
	claims, err := store.Collect(rows, err, func(r store.Row) (*claim, error) {
		c := &claim{queue: queue}
		err := r.Scan(&c.id, &c.kind, &c.key, &c.args, &c.priority, &c.attempt, &c.max, &c.lastError)
		c.attempt++
		c.complete = c.completeLite
		return c, err
	})
	if err != nil || len(claims) == 0 {
		return nil, err
	}
	ids := make([]int64, len(claims))
	for i, c := range claims {
		ids[i] = c.id
	}
	// The attempt is counted now, so that a job that kills the process does
	// not do so for ever.
	_, err = tx.Exec(ctx, `update job set state = 1, attempt = attempt + 1 where id in (select value from json_each($1))`, list(ids))
	return claims, err
}

func (c *claim) completeLite(ctx context.Context, tx store.Tx) error {
	n, err := tx.Exec(ctx, `delete from job where id = $1 and state = 1 and attempt = $2`, c.id, c.attempt)
	if err == nil && n == 0 {
		err = ErrLost
	}
	return err
}

// kinds are the registered kinds, as a JSON list: others wait for a program
// that knows them.
func (l *lite) kinds() string {
	l.q.mu.RLock()
	defer l.q.mu.RUnlock()
	names := make([]string, 0, len(l.q.kinds))
	for name := range l.q.kinds {
		names = append(names, name)
	}
	sort.Strings(names)
	return list(names)
}

func list[T any](v []T) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // numbers and names
	}
	return string(b)
}

// nextDue is when the earliest of those not yet due will be.
func nextDue(ctx context.Context, tx store.Tx, now time.Time) (time.Time, error) {
	var at *int64
	err := tx.QueryRow(ctx, `select min(run_at) from job where state = 0 and run_at > $1`, now.UnixMilli()).Scan(&at)
	if err != nil || at == nil {
		return time.Time{}, err
	}
	return time.UnixMilli(*at).UTC(), nil
}

// setBack is by how much our clock shows less than it has shown, if that is
// more than clocks are corrected by.
func (l *lite) setBack(now time.Time) time.Duration {
	back := l.latest.Round(0).Sub(now.Round(0))
	if l.latest.IsZero() || back < time.Minute {
		return 0
	}
	return back
}

// moveBack moves what waits along with a clock that was set back. What was
// stored since, by the right clock, may come too early by it, which is harmless.
func moveBack(ctx context.Context, tx store.Tx, now time.Time, by time.Duration) error {
	_, err := tx.Exec(ctx, `update job set run_at = run_at - $2 where state = 0 and run_at > $1`, now.UnixMilli(), by.Milliseconds())
	if err != nil {
		return fmt.Errorf("move jobs along with the clock: %w", err)
	}
	return nil
}

// isDue looks, without writing, whether anything waits to be begun.
func (l *lite) isDue() bool {
	if l.setBack(l.q.clock.Now()) > 0 {
		return true
	}
	var one int
	err := l.q.store.QueryRow(context.WithoutCancel(l.ctx), `select 1 from job where state = 0 and run_at <= $1 limit 1`,
		l.q.clock.Now().UnixMilli()).Scan(&one)
	if err != nil && !errors.Is(err, store.ErrNoRows) {
		l.q.log.Error("the job queue cannot read, trying again", "error", err)
	}
	return err == nil
}

// settleAll notes how attempts ended. A row that is not running any more was
// completed in a transaction of the job's own.
func settleAll(ctx context.Context, tx store.Tx, ended []result) error {
	var gone []int64
	for _, r := range ended {
		c, next := r.claim, r.outcome.next
		var err error
		switch r.outcome.verdict {
		case done, removed:
			if !c.completed.Load() {
				gone = append(gone, c.id)
			}
		case failed:
			_, err = tx.Exec(ctx, `update job set state = 2, attempt = $2, last_error = $3, run_at = $4 where id = $1 and state = 1`,
				c.id, next.attempt, next.lastError, next.runAt.UnixMilli())
		case again:
			err = putBack(ctx, tx, c.id, c.kind, c.key, next)
		}
		if err != nil {
			return fmt.Errorf("note the end of job %d: %w", c.id, err)
		}
	}
	if len(gone) == 0 {
		return nil
	}
	_, err := tx.Exec(ctx, `delete from job where state = 1 and id in (select value from json_each($1))`, list(gone))
	return err
}

// putBack makes a running job wait again; if another waits under its key, that
// one takes over what is known of this one.
func putBack(ctx context.Context, tx store.Tx, id int64, kind, key string, next waiting) error {
	if key != "" {
		var w waiting
		var other, at int64
		err := tx.QueryRow(ctx, `select id, run_at, attempt, max_attempts, priority, backing_off, last_error from job
			where kind = $1 and key = $2 and state = 0 and key <> ''`, kind, key).
			Scan(&other, &at, &w.attempt, &w.max, &w.priority, &w.backingOff, &w.lastError)
		if err == nil {
			n, err := tx.Exec(ctx, `delete from job where id = $1 and state = 1`, id)
			if err != nil || n == 0 {
				return err
			}
			w.runAt = time.UnixMilli(at)
			return setWaiting(ctx, tx, other, isWaiting, merge(next, w))
		}
		if !errors.Is(err, store.ErrNoRows) {
			return err
		}
	}
	return setWaiting(ctx, tx, id, isRunning, next)
}

func setWaiting(ctx context.Context, tx store.Tx, id int64, was int, w waiting) error {
	backing := 0
	if w.backingOff {
		backing = 1
	}
	_, err := tx.Exec(ctx, `update job set state = 0, run_at = $3, attempt = $4, max_attempts = $5, priority = $6,
		backing_off = $7, last_error = $8 where id = $1 and state = $2`,
		id, was, w.runAt.UnixMilli(), w.attempt, w.max, w.priority, backing, w.lastError)
	return err
}

func sweepFailed(ctx context.Context, tx store.Tx, now time.Time) error {
	_, err := tx.Exec(ctx, `delete from job where state = 2 and run_at < $1`, now.Add(-keepFailed).UnixMilli())
	return err
}

// reclaim makes what ran when the last process ended wait again, 500 at a
// time. The attempt stays counted.
func (l *lite) reclaim(ctx context.Context) error {
	for more := true; more; {
		err := l.q.store.Write(ctx, func(ctx context.Context, tx store.Tx) error {
			rows, err := tx.Query(ctx, `select id, kind, key, priority, attempt, max_attempts from job where state = 1 order by id limit 500`)
			lost, err := store.Collect(rows, err, func(r store.Row) (*claim, error) {
				c := &claim{}
				return c, r.Scan(&c.id, &c.kind, &c.key, &c.priority, &c.attempt, &c.max)
			})
			if err != nil {
				return err
			}
			more = len(lost) == 500
			for _, c := range lost {
				next := waiting{runAt: l.q.clock.Now(), attempt: c.attempt, max: c.max, priority: c.priority, lastError: errKilled}
				if err := putBack(ctx, tx, c.id, c.kind, c.key, next); err != nil {
					return err
				}
			}
			if len(lost) > 0 {
				l.q.log.Info("jobs that ran when the program ended will run again", "jobs", len(lost))
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// errKilled is the last error of a job whose process died.
const errKilled = "the program ended while the job ran"
