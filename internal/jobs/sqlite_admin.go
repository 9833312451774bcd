package jobs

import (
	"context"
	"errors"
	"time"

	"rookery/internal/store"
)

func (l *lite) list(ctx context.Context, limit int) ([]Info, error) {
	rows, err := l.q.store.Query(ctx, `select id, kind, key, queue, state, attempt, max_attempts, run_at, backing_off, last_error
		from job order by id limit $1`, limit)
	return store.Collect(rows, err, func(r store.Row) (Info, error) {
		var i Info
		var state int
		var at int64
		var backing bool
		err := r.Scan(&i.ID, &i.Kind, &i.Key, &i.Queue, &state, &i.Attempt, &i.MaxAttempts, &at, &backing, &i.LastError)
		i.RunAt = time.UnixMilli(at).UTC()
		switch {
		case state == isRunning:
			i.State = Running
		case state == isFailed:
			i.State = Failed
		case backing:
			i.State = Retrying
		default:
			i.State = Waiting
		}
		return i, err
	})
}

func (l *lite) retry(ctx context.Context, id int64) error {
	return l.q.store.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		o := order{id: id}
		var state int
		err := tx.QueryRow(ctx, `select kind, key, queue, args, priority, max_attempts, state from job where id = $1`, id).
			Scan(&o.kind, &o.key, &o.queue, &o.args, &o.priority, &o.max, &state)
		switch {
		case errors.Is(err, store.ErrNoRows):
			return ErrNotFound
		case err != nil:
			return err
		case state == isRunning:
			return ErrRunning
		case state == isWaiting:
			_, err = tx.Exec(ctx, `update job set run_at = $2, backing_off = 0 where id = $1`, id, l.q.clock.Now().UnixMilli())
			tx.AfterCommit(l.poke)
			return err
		}
		if _, err := tx.Exec(ctx, `delete from job where id = $1`, id); err != nil {
			return err
		}
		return l.insert(ctx, tx, o)
	})
}

func (l *lite) drop(ctx context.Context, id int64) error {
	return l.q.store.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		n, err := tx.Exec(ctx, `delete from job where id = $1 and state <> 1`, id)
		if err != nil || n > 0 {
			return err
		}
		var one int
		err = tx.QueryRow(ctx, `select 1 from job where id = $1`, id).Scan(&one)
		if errors.Is(err, store.ErrNoRows) {
			return ErrNotFound
		}
		if err == nil {
			err = ErrRunning
		}
		return err
	})
}
