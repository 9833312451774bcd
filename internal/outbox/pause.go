package outbox

import (
	"context"
	"errors"
	"fmt"
	"time"

	"rookery/internal/store"
)

// Pause stops all sending until Resume, in every process on the database and
// over restarts. What is in flight comes to its end; what is planned meanwhile
// is kept and sent after Resume, unless it has expired by then. Pausing twice
// is harmless.
func (o *Outbox) Pause(ctx context.Context) error {
	err := o.Store.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		_, err := tx.Exec(ctx, `insert into outbox_pause (id, since) values (1, $1) on conflict (id) do nothing`, ms(o.Clock.Now()))
		return err
	})
	if err != nil {
		return fmt.Errorf("pause: %w", err)
	}
	return nil
}

// Resume ends a pause and has everything that is due looked at.
func (o *Outbox) Resume(ctx context.Context) error {
	err := o.Store.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		if _, err := tx.Exec(ctx, `delete from outbox_pause`); err != nil {
			return err
		}
		return o.wake(ctx, tx, o.Clock.Now())
	})
	if err != nil {
		return fmt.Errorf("resume: %w", err)
	}
	return nil
}

// rower is a store.Tx, or a store.Store outside of transactions.
type rower interface {
	QueryRow(ctx context.Context, sql string, args ...any) store.Row
}

// Paused tells since when nothing is sent; zero if it is.
func (o *Outbox) Paused(ctx context.Context) (time.Time, error) { return paused(ctx, o.Store) }

func paused(ctx context.Context, q rower) (time.Time, error) {
	var since int64
	err := q.QueryRow(ctx, `select since from outbox_pause where id = 1`).Scan(&since)
	if errors.Is(err, store.ErrNoRows) {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, fmt.Errorf("see whether sending is paused: %w", err)
	}
	return time.UnixMilli(max(since, 1)).UTC(), nil
}

// pausedIn is Paused within a transaction: a claim that is committed after a
// pause was asks it in vain only if it began before.
func pausedIn(ctx context.Context, tx store.Tx) (bool, error) {
	since, err := paused(ctx, tx)
	return !since.IsZero(), err
}
