package inbox

import (
	"context"
	"errors"
	"fmt"
	"time"

	"rookery/internal/community"
	"rookery/internal/store"
)

// Begin records the first start of an account, once for ever: without
// Backlog, mentions that its server noticed before now (the server's clock)
// are not answered. It returns where the next poll begins: empty when there
// is no cursor yet and the past must be walked back.
func (b *Inbox) Begin(ctx context.Context, a Account, now time.Time) (community.NotificationID, error) {
	cursor, err := b.cursor(ctx, a.ID)
	if !errors.Is(err, store.ErrNoRows) {
		return cursor, err
	}
	began := now.UnixMilli()
	if a.Backlog {
		began = 0
	}
	err = b.store.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		_, err := tx.Exec(ctx, `insert into inbox_cursor (account, began_at, updated_at) values ($1, $2, $3)
			on conflict (account) do nothing`, string(a.ID), began, b.clock.Now().UnixMilli())
		return err
	})
	if err != nil {
		return "", fmt.Errorf("begin: %w", err)
	}
	return b.cursor(ctx, a.ID)
}

func (b *Inbox) cursor(ctx context.Context, account community.AccountID) (community.NotificationID, error) {
	var id string
	err := b.store.QueryRow(ctx, `select cursor_id from inbox_cursor where account = $1`, string(account)).Scan(&id)
	if err != nil {
		return "", fmt.Errorf("read the cursor: %w", err)
	}
	return community.NotificationID(id), nil
}

// beganAt is the account's first start; a page may not be taken without it.
func beganAt(ctx context.Context, tx store.Tx, account community.AccountID) (time.Time, error) {
	var ms int64
	err := tx.QueryRow(ctx, `select began_at from inbox_cursor where account = $1`, string(account)).Scan(&ms)
	if errors.Is(err, store.ErrNoRows) {
		return time.Time{}, errors.New("inbox: Take before Begin")
	}
	return time.UnixMilli(ms), err
}
