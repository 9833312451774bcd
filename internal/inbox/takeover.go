package inbox

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"rookery/internal/community"
	"rookery/internal/store"
)

// TakenOver is the reason on record of a mention that another program has
// dealt with.
const TakenOver = "dealt with by the program before this one"

// Handover is what another program has done with an account's mentions.
type Handover struct {
	// Cursor is the newest notification that it has looked at, as far as the
	// server still lists it, and Told when the server told of that: what was
	// told before is not answered. An empty Cursor leaves both to the first
	// start.
	Cursor community.NotificationID
	Told   time.Time
	// Posts are the mentions it has dealt with, by their ids on the account's
	// server. Nothing else may be known of them.
	Posts []community.PostID
	// Feature is on whose record they stand.
	Feature string
}

// Taken is what TakeOver has changed.
type Taken struct {
	// Posts is how many were not on record before.
	Posts int
	// Begun says that the account has taken in mentions of its own already:
	// its place in the notifications stays.
	Begun bool
	// Placed says that the account now begins elsewhere than before.
	Placed bool
}

// takeOverStep is how many posts are written in one statement and transaction:
// others wait for the writer.
const takeOverStep = 200

// TakeOver records what another program has done with an account's mentions,
// before the account's first start or later. The posts are never taken in,
// even if the server tells of them again, and the account begins where the
// program has ended, unless it has mentions of its own already.
//
// The posts come first and the place last, so that whatever breaks off in
// between is made good by doing it again; what was done already is not changed
// by that.
func (b *Inbox) TakeOver(ctx context.Context, account community.AccountID, h Handover) (Taken, error) {
	var t Taken
	for posts := h.Posts; len(posts) > 0; {
		step := posts[:min(takeOverStep, len(posts))]
		posts = posts[len(step):]
		n, err := b.record(ctx, account, h.Feature, step)
		t.Posts += n
		if err != nil {
			return t, fmt.Errorf("note what was dealt with: %w", err)
		}
	}
	err := b.store.Write(ctx, func(ctx context.Context, tx store.Tx) (err error) {
		t.Begun, t.Placed, err = b.place(ctx, tx, account, h)
		return err
	})
	if err != nil {
		return t, fmt.Errorf("note where to begin: %w", err)
	}
	return t, nil
}

// record writes a mention's row for each post and returns how many are new.
// The row holds nothing but the hash that is its id: whose posts they are is
// not known, so nobody could ask for more to be forgotten.
func (b *Inbox) record(ctx context.Context, account community.AccountID, feature string, posts []community.PostID) (n int, err error) {
	var marks strings.Builder
	now := b.clock.Now().UnixMilli()
	args := []any{string(account), now, string(Done), feature, TakenOver}
	for i, p := range posts {
		if i > 0 {
			marks.WriteString(", ")
		}
		args = append(args, string(localID(account, p)))
		fmt.Fprintf(&marks, "($%d, $1, '', '', '', '', '', $2, $2, $3, $4, $5)", len(args))
	}
	err = b.store.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		changed, err := tx.Exec(ctx, `insert into inbox_mention (id, account, uri, post_id, notification_id, author, author_handle,
			notified_at, taken_at, state, feature, reason) values `+marks.String()+` on conflict (id) do nothing`, args...)
		n = int(changed)
		return err
	})
	return n, err
}

// place sets where the account begins.
func (b *Inbox) place(ctx context.Context, tx store.Tx, account community.AccountID, h Handover) (begun, placed bool, err error) {
	var own int64
	err = tx.QueryRow(ctx, `select count(*) from inbox_mention where account = $1 and reason <> $2`, string(account), TakenOver).Scan(&own)
	if err != nil || own > 0 || h.Cursor == "" {
		return own > 0, false, err
	}
	var cursor string
	var began int64
	told := int64(0)
	if !h.Told.IsZero() {
		told = h.Told.UnixMilli()
	}
	err = tx.QueryRow(ctx, `select cursor_id, began_at from inbox_cursor where account = $1`, string(account)).Scan(&cursor, &began)
	switch {
	case err == nil && cursor == string(h.Cursor) && began == told:
		return false, false, nil
	case err != nil && !errors.Is(err, store.ErrNoRows):
		return false, false, err
	}
	_, err = tx.Exec(ctx, `insert into inbox_cursor (account, cursor_id, began_at, updated_at) values ($1, $2, $3, $4)
		on conflict (account) do update set cursor_id = excluded.cursor_id, began_at = excluded.began_at, updated_at = excluded.updated_at`,
		string(account), string(h.Cursor), told, b.clock.Now().UnixMilli())
	return false, err == nil, err
}

// localID is the id of a mention of which only the post's id is known.
func localID(account community.AccountID, p community.PostID) ID {
	return IDOf(account, community.Post{ID: p})
}

// notTakenOver leaves out what TakeOver has recorded: it is known by the post's
// id alone, while a mention that the server tells of goes by its uri.
func (b *Inbox) notTakenOver(ctx context.Context, account community.AccountID, items []Item) ([]Item, error) {
	var ids []ID
	for _, it := range items {
		if p := it.Mention.Post; p.ID != "" && p.URI != "" {
			ids = append(ids, localID(account, p.ID))
		}
	}
	seen, err := b.known(ctx, ids)
	if err != nil || len(seen) == 0 {
		return items, err
	}
	var left []Item
	for _, it := range items {
		if !seen[localID(account, it.Mention.Post.ID)] {
			left = append(left, it)
		}
	}
	return left, nil
}
