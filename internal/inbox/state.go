package inbox

import (
	"context"
	"fmt"

	"rookery/internal/community"
	"rookery/internal/store"
)

// Set moves a mention to another state, in the feature's own transaction. A
// mention that is gone from the table (pruned long ago) is no error.
func Set(ctx context.Context, tx store.Tx, id ID, s State, reason string) error {
	_, err := tx.Exec(ctx, `update inbox_mention set state = $2, reason = $3 where id = $1`,
		string(id), string(s), store.Storable(reason, 2<<10))
	if err != nil {
		return fmt.Errorf("mention %s becomes %s: %w", id, s, err)
	}
	return nil
}

// Notification returns the notification that told of a mention, to dismiss it.
func (b *Inbox) Notification(ctx context.Context, id ID) (community.NotificationID, error) {
	var n string
	err := b.store.QueryRow(ctx, `select notification_id from inbox_mention where id = $1`, string(id)).Scan(&n)
	if err != nil {
		return "", fmt.Errorf("notification of mention %s: %w", id, err)
	}
	return community.NotificationID(n), nil
}

// Counts returns how many mentions of an account are in each state.
func (b *Inbox) Counts(ctx context.Context, account community.AccountID) (map[State]int, error) {
	rows, err := b.store.Query(ctx, `select state, count(*) from inbox_mention where account = $1 group by state`, string(account))
	if err != nil {
		return nil, fmt.Errorf("count mentions: %w", err)
	}
	defer rows.Close()
	counts := map[State]int{}
	for rows.Next() {
		var s string
		var n int64
		if err := rows.Scan(&s, &n); err != nil {
			return nil, fmt.Errorf("count mentions: %w", err)
		}
		counts[State(s)] = int(n)
	}
	return counts, rows.Err()
}
