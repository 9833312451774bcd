package turns

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"rookery/internal/community"
	"rookery/internal/inbox"
	"rookery/internal/store"
)

// Reader is a store.Store, or a store.Tx.
type Reader interface {
	QueryRow(ctx context.Context, sql string, args ...any) store.Row
}

// Recover is called at the start of a process, before the jobs: whatever
// waits has a job that looks at it soon, also if the last process died with
// one in its hands. On SQLite nobody else can hold a mention; on PostgreSQL
// others may be at work, and their holds end by themselves.
func (t *Turns) Recover(ctx context.Context) error {
	err := t.c.Store.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		if t.c.Store.Dialect() == store.SQLite {
			if _, err := tx.Exec(ctx, `update turns_waiting set lease_until = 0, holder = '' where feature = $1 and holder <> ''`, t.c.Feature); err != nil {
				return err
			}
		}
		// Whoever starts the program may just have mended what was wrong.
		if _, err := tx.Exec(ctx, `update turns_waiting set next_at = 0 where feature = $1 and next_at > 0`, t.c.Feature); err != nil {
			return err
		}
		return t.enqueueAll(ctx, tx)
	})
	if err != nil {
		return fmt.Errorf("take up what the last process left: %w", err)
	}
	return nil
}

// Resumed has what waits looked at now: sending is no longer paused.
func (t *Turns) Resumed(ctx context.Context) error {
	err := t.c.Store.Write(ctx, t.enqueueAll)
	if err != nil {
		return fmt.Errorf("go on answering: %w", err)
	}
	return nil
}

// enqueueAll makes sure that each account for which something waits has a job.
func (t *Turns) enqueueAll(ctx context.Context, tx store.Tx) error {
	rows, err := tx.Query(ctx, `select distinct account from turns_waiting where feature = $1`, t.c.Feature)
	accounts, err := store.Collect(rows, err, func(r store.Row) (id community.AccountID, err error) { return id, r.Scan((*string)(&id)) })
	if err != nil {
		return err
	}
	for _, account := range accounts {
		due, err := t.nextDue(ctx, tx, account)
		if err != nil {
			return err
		}
		if err := t.enqueue(ctx, tx, account, due); err != nil {
			return err
		}
	}
	return nil
}

// Waiting counts the mentions that wait for an answer, and tells since when
// the oldest does (zero if none does).
func (t *Turns) Waiting(ctx context.Context) (int, time.Time, error) {
	var n, oldest int64
	err := t.c.Store.QueryRow(ctx, `select count(*), coalesce(min(notified_at), 0) from turns_waiting where feature = $1`, t.c.Feature).Scan(&n, &oldest)
	if err != nil {
		return 0, time.Time{}, fmt.Errorf("count what waits: %w", err)
	}
	if n == 0 {
		return 0, time.Time{}, nil
	}
	return int(n), time.UnixMilli(oldest), nil
}

// WaitingOf counts the mentions of a member (a handle, user@host) that wait
// for an account, those in work included, and tells the place of the newest of
// them in the queue: 1 comes next. Since each member has one turn before
// anybody has a second, place is the last it can be among those who wait now.
// Both are 0 if none of the member's waits.
func (t *Turns) WaitingOf(ctx context.Context, q Reader, account community.AccountID, handle string) (n, place int, err error) {
	var mine, others int64
	err = q.QueryRow(ctx, `select mine.n, (select coalesce(cast(sum(case when o.n < mine.n then o.n else mine.n end) as bigint), 0)
			from (select count(*) as n from turns_waiting where feature = $1 and account = $2 and author <> $3 group by author) o)
		from (select count(*) as n from turns_waiting where feature = $1 and account = $2 and author = $3) mine`,
		t.c.Feature, string(account), author(handle)).Scan(&mine, &others)
	if err != nil {
		return 0, 0, fmt.Errorf("count what a member has waiting: %w", err)
	}
	if mine == 0 {
		return 0, 0, nil
	}
	return int(mine), int(mine + others), nil
}

// Late returns the mentions that our server told of at or before a time, and
// whose authors were not told yet that it takes long: so many at most, the
// oldest first. Each is returned once, for it counts as told of when tx commits.
func (t *Turns) Late(ctx context.Context, tx store.Tx, account community.AccountID, before time.Time, most int) ([]Waiting, error) {
	rows, err := tx.Query(ctx, `select mention, body, attempts, declined from turns_waiting
		where feature = $1 and account = $2 and noticed = 0 and notified_at <= $3 order by notified_at limit $4`,
		t.c.Feature, string(account), before.UnixMilli(), int64(most))
	late, err := store.Collect(rows, err, func(r store.Row) (w Waiting, err error) {
		var body string
		var attempts, declined int64
		if err := r.Scan((*string)(&w.ID), &body, &attempts, &declined); err != nil {
			return w, err
		}
		w.Attempts, w.Declined = int(attempts), int(declined)
		if err := json.Unmarshal([]byte(body), &w.Mention); err != nil {
			return w, fmt.Errorf("read mention %s: %w", w.ID, err)
		}
		return w, nil
	})
	if err != nil {
		return nil, fmt.Errorf("see who has waited long: %w", err)
	}
	for _, w := range late {
		if err := t.Told(ctx, tx, w.ID); err != nil {
			return nil, err
		}
	}
	return late, nil
}

// Told notes that a mention's author was told that it takes long: Late leaves
// it out from then on.
func (t *Turns) Told(ctx context.Context, tx store.Tx, id inbox.ID) error {
	_, err := tx.Exec(ctx, `update turns_waiting set noticed = 1 where feature = $1 and mention = $2`, t.c.Feature, string(id))
	if err != nil {
		return fmt.Errorf("note that the author of %s was told: %w", id, err)
	}
	return nil
}

// Forget ends the waiting of a member's mentions, of whom nothing is kept any
// more. Those of other features are left alone.
func (t *Turns) Forget(ctx context.Context, tx store.Tx, mentions []inbox.Record) error {
	for _, r := range mentions {
		if r.Feature != t.c.Feature {
			continue
		}
		if _, err := tx.Exec(ctx, `delete from turns_waiting where feature = $1 and mention = $2`, t.c.Feature, string(r.ID)); err != nil {
			return fmt.Errorf("forget waiting mentions: %w", err)
		}
		if r.State == inbox.Waiting {
			if err := inbox.Set(ctx, tx, r.ID, inbox.Ignored, "its author asked to be forgotten"); err != nil {
				return err
			}
		}
	}
	return nil
}
