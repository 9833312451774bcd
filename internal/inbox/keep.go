package inbox

import (
	"context"
	"fmt"
	"strings"
	"time"

	"rookery/internal/community"
	"rookery/internal/store"
)

// Record is what is kept of a mention.
type Record struct {
	ID      ID
	Account community.AccountID
	State   State
	Feature string // empty if none wanted it
	Taken   time.Time
}

// Member is whom mentions are from.
type Member struct {
	Handle string // user@host, in small letters
	// Pseudonym is what Forget puts in place of the handle; empty if it was
	// never needed.
	Pseudonym string
}

// Rows is a store.Store, or a store.Tx.
type Rows interface {
	Query(ctx context.Context, sql string, args ...any) (store.Rows, error)
}

// From lists what is kept of a member's mentions, by the handle (user@host)
// or by the pseudonym that Forget put in its place; the oldest first.
func From(ctx context.Context, q Rows, handle string) ([]Record, error) {
	rows, err := q.Query(ctx, `select id, account, state, feature, taken_at from inbox_mention
		where author_handle = $1 order by taken_at, id`, strings.ToLower(handle))
	all, err := store.Collect(rows, err, func(r store.Row) (v Record, err error) {
		var taken int64
		err = r.Scan((*string)(&v.ID), (*string)(&v.Account), (*string)(&v.State), &v.Feature, &taken)
		v.Taken = time.UnixMilli(taken).UTC()
		return v, err
	})
	if err != nil {
		return nil, fmt.Errorf("list a member's mentions: %w", err)
	}
	return all, nil
}

// Forget takes everything that points to a member out of what is kept of
// their mentions, and puts a pseudonym in its place. The rows stay: without
// their ids a mention that a server tells of again would be answered again.
// Their waiting rows are the features' business.
func Forget(ctx context.Context, tx store.Tx, handle, pseudonym string) (int, error) {
	n, err := tx.Exec(ctx, `update inbox_mention set author = '', author_handle = $2, uri = '', post_id = '', notification_id = '', reason = '', raw = ''
		where author_handle = $1`, strings.ToLower(handle), pseudonym)
	if err != nil {
		return 0, fmt.Errorf("forget a member's mentions: %w", err)
	}
	return int(n), nil
}

// Forgotten tells whether a mention's author has been forgotten.
func Forgotten(ctx context.Context, tx store.Tx, id ID) (bool, error) {
	var n int64
	err := tx.QueryRow(ctx, `select count(*) from inbox_mention where id = $1 and author = '' and uri = '' and post_id = ''`, string(id)).Scan(&n)
	if err != nil {
		return false, fmt.Errorf("see whether the author of %s is forgotten: %w", id, err)
	}
	return n == 1, nil
}

// pruneBatch keeps one transaction short: others wait for the writer.
const pruneBatch = 500

// Prune forgets mentions that were taken in before a time and have come to
// their end. The time must be older than every account's MaxAge: a mention
// that is told of again after that counts as expired. It returns how many
// there were.
func (b *Inbox) Prune(ctx context.Context, before time.Time) (int, error) {
	total := 0
	for {
		var n int64
		err := b.store.WriteRelaxed(ctx, func(ctx context.Context, tx store.Tx) (err error) {
			n, err = tx.Exec(ctx, `delete from inbox_mention where id in (select id from inbox_mention
				where taken_at < $1 and state not in ('waiting', 'answering') order by taken_at limit $2)`, before.UnixMilli(), int64(pruneBatch))
			return err
		})
		if err != nil {
			return total, fmt.Errorf("forget old mentions: %w", err)
		}
		total += int(n)
		if n < pruneBatch {
			return total, nil
		}
	}
}
