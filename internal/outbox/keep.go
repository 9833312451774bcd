package outbox

import (
	"context"
	"errors"
	"fmt"
	"time"

	"rookery/internal/community"
	"rookery/internal/store"
)

// KeyOf returns the key of the effect that made a remote object; false if it
// is none of ours, or not known any more.
func (o *Outbox) KeyOf(ctx context.Context, account community.AccountID, remote string) (string, bool, error) {
	var key string
	err := o.Store.QueryRow(ctx, `select e.key from outbox_remote r join outbox_effect e on e.id = r.effect
		where r.account = $1 and r.remote_id = $2`, string(account), remote).Scan(&key)
	if errors.Is(err, store.ErrNoRows) {
		return "", false, nil
	}
	if err != nil {
		return "", false, fmt.Errorf("whose %s is: %w", remote, err)
	}
	return key, true, nil
}

// LaneOf returns the lane of a planned effect, in which what it has made can
// be deleted; false if the key is not known.
func LaneOf(ctx context.Context, tx store.Tx, key string) (string, bool, error) {
	var lane string
	err := tx.QueryRow(ctx, `select lane from outbox_effect where key = $1`, key).Scan(&lane)
	if errors.Is(err, store.ErrNoRows) {
		return "", false, nil
	}
	if err != nil {
		return "", false, fmt.Errorf("lane of %s: %w", key, err)
	}
	return lane, true, nil
}

// Made lists what a planned effect has made on its server, in order.
func Made(ctx context.Context, tx store.Tx, key string) ([]string, error) {
	rows, err := tx.Query(ctx, `select r.remote_id from outbox_remote r join outbox_effect e on e.id = r.effect
		where e.key = $1 order by r.part`, key)
	ids, err := store.Collect(rows, err, func(r store.Row) (id string, err error) { return id, r.Scan(&id) })
	if err != nil {
		return nil, fmt.Errorf("what %s has made: %w", key, err)
	}
	return ids, nil
}

// pruneBatch keeps one transaction short: others wait for the writer.
const pruneBatch = 500

// Prune forgets what a feature's finished effects said, if they ended before
// words, and that they ever were, if before rows. What is forgotten can not be
// deleted from its server by us any more. It returns how many it touched.
func (o *Outbox) Prune(ctx context.Context, feature string, words, rows time.Time) (int, error) {
	total := 0
	for _, step := range []struct {
		before time.Time
		sql    []string
	}{
		{words, []string{`update outbox_effect set payload = '{}' where id in (` + finished + ` and payload <> '{}' limit 500)`}},
		{rows, []string{
			`delete from outbox_remote where effect in (` + finished + ` order by done_at, id limit 500)`,
			`delete from outbox_effect where id in (` + finished + ` order by done_at, id limit 500)`,
		}},
	} {
		for {
			var n int64
			err := o.Store.WriteRelaxed(ctx, func(ctx context.Context, tx store.Tx) (err error) {
				for _, sql := range step.sql {
					if n, err = tx.Exec(ctx, sql, feature, ms(step.before)); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				return total, fmt.Errorf("forget old effects of %s: %w", feature, err)
			}
			total += int(n)
			if n < pruneBatch {
				break
			}
		}
	}
	return total, nil
}

const finished = `select id from outbox_effect where feature = $1 and done_at > 0 and done_at < $2
	and state in ('confirmed', 'refused', 'dropped')`

// Forget takes the words out of an effect that has ended; its key, state and
// what it made stay.
func Forget(ctx context.Context, tx store.Tx, key string) error {
	_, err := tx.Exec(ctx, `update outbox_effect set payload = '{}' where key = $1 and state in ('confirmed', 'refused', 'dropped')`, key)
	if err != nil {
		return fmt.Errorf("forget the words of %s: %w", key, err)
	}
	return nil
}

// Counts returns how many effects are in each state, and when the oldest that
// is not finished was planned (zero if none is).
func (o *Outbox) Counts(ctx context.Context) (map[State]int, time.Time, error) {
	rows, err := o.Store.Query(ctx, `select state, count(*) from outbox_effect group by state`)
	type count struct {
		s State
		n int64
	}
	all, err := store.Collect(rows, err, func(r store.Row) (c count, err error) { return c, r.Scan((*string)(&c.s), &c.n) })
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("count effects: %w", err)
	}
	counts := map[State]int{}
	for _, c := range all {
		counts[c.s] = int(c.n)
	}
	var oldest int64
	err = o.Store.QueryRow(ctx, `select coalesce(min(created_at), 0) from outbox_effect where state in ('planned', 'sent')`).Scan(&oldest)
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("count effects: %w", err)
	}
	return counts, fromMS(oldest), nil
}
