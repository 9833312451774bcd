package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"rookery/internal/store"
)

func (r *onRiver) list(ctx context.Context, limit int) ([]Info, error) {
	rows, err := r.q.store.Query(ctx, `select id, kind, queue, state::text, attempt, scheduled_at, metadata::text,
			coalesce(errors[array_upper(errors, 1)]->>'error', ''), finalized_at
		from river_job where state in ('available', 'running', 'scheduled', 'retryable', 'discarded')
		order by coalesce((metadata->>'id')::bigint, id) limit $1`, limit)
	return store.Collect(rows, err, func(row store.Row) (Info, error) {
		var i Info
		var id int64
		var state, lastError string
		var metadata []byte
		var finalized *time.Time
		if err := row.Scan(&id, &i.Kind, &i.Queue, &state, &i.Attempt, &i.RunAt, &metadata, &lastError, &finalized); err != nil {
			return i, err
		}
		var m meta
		if err := json.Unmarshal(metadata, &m); err != nil {
			return i, fmt.Errorf("read the metadata of job %d: %w", id, err)
		}
		i.ID, i.Key, i.MaxAttempts, i.LastError = m.number(id), m.Key, m.Max, m.LastError
		i.RunAt = i.RunAt.UTC()
		if lastError != "" && state != "discarded" {
			i.LastError = riverError(lastError)
		}
		switch {
		case state == "running":
			i.State, i.Attempt = Running, m.Used+i.Attempt
		case state == "discarded":
			i.State, i.Attempt = Failed, m.Used
			if finalized != nil {
				i.RunAt = finalized.UTC()
			}
		case m.Backoff || state == "retryable":
			i.State, i.Attempt = Retrying, m.Used+i.Attempt
		default:
			i.State, i.Attempt = Waiting, m.Used+i.Attempt
		}
		return i, nil
	})
}

func (r *onRiver) retry(ctx context.Context, id int64) error {
	return r.q.store.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		row, state, err := find(ctx, tx, id)
		switch {
		case err != nil:
			return err
		case state == "running":
			return ErrRunning
		}
		o := order{id: id}
		var m meta
		var metadata []byte
		if state != "discarded" {
			n, err := tx.Exec(ctx, `update river_job set state = 'available', scheduled_at = now(), metadata = metadata - 'backoff'
				where id = $1 and state in ('available', 'scheduled', 'retryable')`, row)
			if err == nil && n == 0 {
				err = ErrRunning
			}
			if err != nil {
				return err
			}
			return r.wake(ctx, tx, row)
		}
		err = tx.QueryRow(ctx, `delete from river_job where id = $1 and state = 'discarded'
			returning kind, queue, args::text, priority, metadata::text`, row).
			Scan(&o.kind, &o.queue, &o.args, &o.priority, &metadata)
		if errors.Is(err, store.ErrNoRows) {
			return ErrNotFound
		}
		if err != nil {
			return err
		}
		if err := json.Unmarshal(metadata, &m); err != nil {
			return fmt.Errorf("read the job's metadata: %w", err)
		}
		o.key, o.max = m.Key, m.Max
		return r.insert(ctx, tx, o)
	})
}

func (r *onRiver) wake(ctx context.Context, tx store.Tx, row int64) error {
	var queue string
	if err := tx.QueryRow(ctx, `select queue from river_job where id = $1`, row).Scan(&queue); err != nil {
		return err
	}
	return notify(ctx, tx, queue)
}

func (r *onRiver) drop(ctx context.Context, id int64) error {
	return r.q.store.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		row, _, err := find(ctx, tx, id)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `delete from job_key where job_id = $1`, row); err != nil {
			return err
		}
		n, err := tx.Exec(ctx, `delete from river_job where id = $1 and state <> 'running'`, row)
		if err == nil && n == 0 {
			err = ErrRunning // the key stays: nothing of this is committed
		}
		return err
	})
}

// find returns the row in which the job numbered id now lies.
func find(ctx context.Context, tx store.Tx, id int64) (row int64, state string, err error) {
	err = tx.QueryRow(ctx, `select id, state::text from river_job
		where (id = $1 and not metadata ? 'id' or metadata @> jsonb_build_object('id', $1::bigint)) and state <> 'completed'`, id).
		Scan(&row, &state)
	if errors.Is(err, store.ErrNoRows) {
		err = ErrNotFound
	}
	return row, state, err
}
