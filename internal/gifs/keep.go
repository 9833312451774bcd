package gifs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"rookery/internal/inbox"
	"rookery/internal/store"
)

// What is kept of members, and how it is let go: mydata.Keeper.

// Standing counts the replies to these mentions that stand on their servers.
func (g *GIFs) Standing(ctx context.Context, tx store.Tx, _ inbox.Member, mentions []inbox.Record) (int, error) {
	return g.answers.Standing(ctx, tx, mentions)
}

// DeleteAnswers plans the deletion of every reply to these mentions that
// stands, and returns how many there are.
func (g *GIFs) DeleteAnswers(ctx context.Context, tx store.Tx, _ inbox.Member, mentions []inbox.Record) (int, error) {
	return g.answers.Remove(ctx, tx, mentions)
}

// ForgetMember lets go of everything that is kept of a member.
// What was shown stays noted, without whom it was shown.
func (g *GIFs) ForgetMember(ctx context.Context, tx store.Tx, m inbox.Member, mentions []inbox.Record) error {
	err := errors.Join(g.Forget(ctx, tx, mentions), g.answers.Forget(ctx, tx, mentions))
	for _, r := range mentions {
		if r.Feature == Name {
			err = errors.Join(err, g.letGo(ctx, tx, r.Account, r.ID))
		}
	}
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `update gifs_served set member = '' where member = $1`, store.Storable(m.Handle, 1<<10)); err != nil {
		return fmt.Errorf("forget for whom pictures were: %w", err)
	}
	return nil
}

// Retention: the words of replies go after 30 days. That there was one, and
// where, is kept for 13 months, so that it can be deleted.
const (
	KeepWords   = 30 * 24 * time.Hour
	KeepAnswers = 396 * 24 * time.Hour
)

// Prune lets go of what has been kept long enough.
func (g *GIFs) Prune(ctx context.Context) error {
	now := g.Clock.Now()
	if _, err := g.Outbox.Prune(ctx, Name, now.Add(-KeepWords), now.Add(-KeepAnswers)); err != nil {
		return err
	}
	before := now.Add(-max(g.NoRepeat, g.Cooldown, 24*time.Hour)).UnixMilli()
	err := g.Store.WriteRelaxed(ctx, func(ctx context.Context, tx store.Tx) error {
		_, err := tx.Exec(ctx, `delete from gifs_served where served_at < $1`, before)
		// What is this old belongs to a request that was given up.
		_, err2 := tx.Exec(ctx, `delete from gifs_choice where chosen_at < $1`, now.Add(-KeepWords).UnixMilli())
		return errors.Join(err, err2)
	})
	if err != nil {
		return fmt.Errorf("forget what was shown: %w", err)
	}
	return nil
}
