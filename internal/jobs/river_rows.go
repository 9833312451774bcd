package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/riverqueue/river"

	"rookery/internal/store"
)

// soon is how far ahead a job may lie in River's fetch queue: its scheduler,
// which brings those that lie further ahead, looks every 5 s only.
const soon = "interval '10 seconds'"

var errNotPgx = errors.New("the transaction is not of the queue's own database")

// insert adds a row or, under a key that has a waiting one, changes that.
func (r *onRiver) insert(ctx context.Context, tx store.Tx, o order) error {
	m := meta{Key: o.key, Max: o.max, ID: o.id}
	if o.key == "" {
		_, err := r.put(ctx, tx, o, m)
		return err
	}
	other, err := lockKey(ctx, tx, o.kind, o.key)
	if err != nil {
		return err
	}
	if other != 0 {
		if absorbed, err := r.absorb(ctx, tx, other, o); err != nil || absorbed {
			return err
		}
	}
	row, err := r.put(ctx, tx, o, m)
	if err != nil {
		return err
	}
	return holdKey(ctx, tx, o.kind, o.key, row)
}

// lockKey locks kind's key until the transaction ends, and returns the row
// that waits under it, or 0.
func lockKey(ctx context.Context, tx store.Tx, kind, key string) (row int64, err error) {
	err = tx.QueryRow(ctx, `insert into job_key (kind, key, job_id) values ($1, $2, 0)
		on conflict (kind, key) do update set job_id = job_key.job_id returning job_id`, kind, key).Scan(&row)
	return row, err
}

func holdKey(ctx context.Context, tx store.Tx, kind, key string, row int64) error {
	_, err := tx.Exec(ctx, `update job_key set job_id = $3 where kind = $1 and key = $2`, kind, key, row)
	return err
}

// absorb has the waiting row take in o. It returns false if that row is none:
// somebody deleted it by hand, or River has handed it out. One that is handed
// out and has not begun may never begin, because its process died in between;
// o then gets a row of its own, and if the first does begin, it takes that one
// in (absorbDue).
func (r *onRiver) absorb(ctx context.Context, tx store.Tx, row int64, o order) (bool, error) {
	var state, queue string
	err := tx.QueryRow(ctx, `select state::text, queue from river_job where id = $1
		and state in ('available', 'scheduled', 'retryable')`, row).Scan(&state, &queue)
	if errors.Is(err, store.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	want := o.runAt
	if want.IsZero() {
		want = r.q.clock.Now()
	}
	// Nothing is written, so that River's fetch is not kept from the row,
	// unless something changes. A row that is handed out from here on waits for
	// this transaction in begin.
	n, err := tx.Exec(ctx, `update river_job set
			priority = least(priority, $3::smallint),
			scheduled_at = case when metadata ? 'backoff' then scheduled_at else least(scheduled_at, $2::timestamptz) end,
			state = case when metadata ? 'backoff' or least(scheduled_at, $2::timestamptz) > now() + `+soon+`
				then state else 'available' end
		where id = $1 and state in ('available', 'scheduled')
			and (priority > $3::smallint or not metadata ? 'backoff' and scheduled_at > greatest(now(), $2::timestamptz))`,
		row, want, o.priority)
	if err != nil || n == 0 {
		return true, err
	}
	return true, notify(ctx, tx, queue)
}

// put adds a row.
func (r *onRiver) put(ctx context.Context, tx store.Tx, o order, m meta) (int64, error) {
	ptx, ok := store.Pgx(tx)
	if !ok {
		return 0, errNotPgx
	}
	metadata, err := json.Marshal(m)
	if err != nil {
		return 0, err
	}
	res, err := r.inserter.InsertTx(ctx, ptx, stored{o.kind, o.args}, &river.InsertOpts{
		MaxAttempts: riverAttempts, Metadata: metadata, Priority: o.priority, Queue: o.queue, ScheduledAt: o.runAt})
	if err != nil {
		return 0, err
	}
	if !o.runAt.IsZero() {
		var due bool
		err := tx.QueryRow(ctx, `update river_job set state = 'available' where id = $1 and scheduled_at <= now() + `+soon+`
			returning scheduled_at <= now()`, res.Job.ID).Scan(&due)
		if errors.Is(err, store.ErrNoRows) {
			err = nil
		}
		if err == nil && due {
			err = notify(ctx, tx, o.queue)
		}
		if err != nil {
			return 0, err
		}
	}
	return res.Job.ID, nil
}

// notify wakes the processes that work queue, once tx is committed; the form
// is River's own.
func notify(ctx context.Context, tx store.Tx, queue string) error {
	_, err := tx.Exec(ctx, `select pg_notify(current_schema() || '.river_insert', json_build_object('queue', $1::text)::text)`, queue)
	return err
}

// cancelKey removes the row that waits under the key. One that River has
// handed out, but that has not begun, is marked: begin reads it.
func (r *onRiver) cancelKey(ctx context.Context, tx store.Tx, kind, key string) error {
	var row int64
	err := tx.QueryRow(ctx, `delete from job_key where kind = $1 and key = $2 returning job_id`, kind, key).Scan(&row)
	if errors.Is(err, store.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	n, err := tx.Exec(ctx, `delete from river_job where id = $1 and state in ('available', 'scheduled', 'retryable')`, row)
	if err != nil || n > 0 {
		return err
	}
	_, err = tx.Exec(ctx, `update river_job set metadata = metadata || '{"cancelled": true}' where id = $1 and state = 'running'`, row)
	return err
}

// begin is the moment at which a job with a key stops waiting. It waits for
// every transaction that was absorbed by the job, so that the run sees what
// they wrote. It returns false if the job is not to run.
func (r *onRiver) begin(ctx context.Context, row *riverRow) (bool, error) {
	c := row.claim
	if c.key == "" {
		return true, nil
	}
	runs := true
	err := r.q.store.WriteRelaxed(ctx, func(ctx context.Context, tx store.Tx) error {
		runs = true
		waited, err := tx.Exec(ctx, `delete from job_key where kind = $1 and key = $2 and job_id = $3`, c.kind, c.key, row.id)
		if err != nil {
			return err
		}
		// Read afresh, under the lock: another may have merged into it, or
		// cancelled it, since River handed it out.
		var metadata []byte
		err = tx.QueryRow(ctx, `select metadata::text from river_job where id = $1`, row.id).Scan(&metadata)
		if err != nil {
			return err
		}
		var m meta
		if err := json.Unmarshal(metadata, &m); err != nil {
			return fmt.Errorf("read the job's metadata: %w", err)
		}
		if waited > 0 {
			if m.Used != row.meta.Used {
				row.meta = m
				row.count()
			}
			return nil
		}
		if m.Cancelled {
			runs = false
			return nil
		}
		return absorbDue(ctx, tx, c.kind, c.key)
	})
	return runs, err
}

// absorbDue lets a job that runs again after its process died take in the one
// that has come to wait under its key meanwhile, if that is due as well.
func absorbDue(ctx context.Context, tx store.Tx, kind, key string) error {
	var other int64
	err := tx.QueryRow(ctx, `select job_id from job_key where kind = $1 and key = $2 for update`, kind, key).Scan(&other)
	if errors.Is(err, store.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	n, err := tx.Exec(ctx, `delete from river_job where id = $1 and state = 'available' and scheduled_at <= now()`, other)
	if err != nil || n == 0 {
		return err
	}
	_, err = tx.Exec(ctx, `delete from job_key where kind = $1 and key = $2`, kind, key)
	return err
}

// complete ends the job in the caller's transaction.
func (r *riverRow) complete(ctx context.Context, tx store.Tx) error {
	n, err := tx.Exec(ctx, `update river_job set state = 'completed', finalized_at = now()
		where id = $1 and state = 'running' and attempt = $2`, r.id, r.attempt)
	if err == nil && n == 0 {
		err = ErrLost
	}
	return err
}

// settle notes how an attempt ended that did not simply succeed. A job that is
// to run again gets a new row: River notes ends late, by the row's number
// alone, and would take the next attempt's row for this one's.
func (r *onRiver) settle(ctx context.Context, row *riverRow, out outcome) error {
	return r.q.store.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		c, next := row.claim, out.next
		m := meta{Key: c.key, Max: next.max, ID: c.id, Used: next.attempt, LastError: next.lastError, Backoff: next.backingOff}
		if out.verdict == failed {
			metadata, err := json.Marshal(m)
			if err != nil {
				return err
			}
			_, err = tx.Exec(ctx, `update river_job set state = 'discarded', finalized_at = now(), metadata = $3::jsonb
				where id = $1 and state = 'running' and attempt = $2`, row.id, row.attempt, string(metadata))
			return err
		}
		var other int64
		if out.verdict == again && c.key != "" {
			var err error
			if other, err = lockKey(ctx, tx, c.kind, c.key); err != nil {
				return err
			}
		}
		n, err := tx.Exec(ctx, `delete from river_job where id = $1 and state = 'running' and attempt = $2`, row.id, row.attempt)
		if err != nil {
			return err
		}
		if n == 0 || out.verdict == removed {
			// Another attempt has it, or it was completed after all.
			if other == 0 && out.verdict == again && c.key != "" {
				_, err = tx.Exec(ctx, `delete from job_key where kind = $1 and key = $2 and job_id = 0`, c.kind, c.key)
			}
			return err
		}
		if other != 0 {
			if merged, err := r.mergeInto(ctx, tx, other, next); err != nil || merged {
				return err
			}
		}
		id, err := r.put(ctx, tx, order{kind: c.kind, queue: c.queue, args: c.args, runAt: next.runAt, priority: next.priority}, m)
		if err != nil || c.key == "" {
			return err
		}
		return holdKey(ctx, tx, c.kind, c.key, id)
	})
}

// mergeInto gives the row that waits under a key what is known of the job that
// would wait there too. It returns false if that row is none.
func (r *onRiver) mergeInto(ctx context.Context, tx store.Tx, row int64, next waiting) (bool, error) {
	var w waiting
	var m meta
	var metadata []byte
	var state, queue string
	var attempt int
	err := tx.QueryRow(ctx, `select state::text, queue, attempt, scheduled_at, priority, metadata::text from river_job
		where id = $1 and state in ('available', 'scheduled', 'retryable', 'running') for update`, row).
		Scan(&state, &queue, &attempt, &w.runAt, &w.priority, &metadata)
	if errors.Is(err, store.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if err := json.Unmarshal(metadata, &m); err != nil {
		return false, fmt.Errorf("read the job's metadata: %w", err)
	}
	used := attempt // of this very row: by River, after a death or when it is handed out
	if state == "running" {
		used--
	}
	w.attempt, w.max, w.backingOff, w.lastError = m.Used+used, m.Max, m.Backoff, m.LastError
	w = merge(next, w)
	set, err := json.Marshal(meta{Key: m.Key, Max: w.max, ID: m.ID, Used: w.attempt - used, LastError: w.lastError, Backoff: w.backingOff})
	if err != nil {
		return false, err
	}
	if state == "running" {
		// It is being begun at this moment, and will read this first.
		_, err := tx.Exec(ctx, `update river_job set metadata = $2::jsonb where id = $1`, row, string(set))
		return true, err
	}
	_, err = tx.Exec(ctx, `update river_job set metadata = $2::jsonb, priority = $3, scheduled_at = $4,
		state = case when $4::timestamptz <= now() + `+soon+` then 'available'::river_job_state else 'scheduled' end where id = $1`,
		row, string(set), w.priority, w.runAt)
	if err == nil && !w.runAt.After(r.q.clock.Now().Add(time.Second)) {
		err = notify(ctx, tx, queue)
	}
	return true, err
}
