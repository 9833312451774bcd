package persona

import (
	"context"
	"fmt"
	"time"

	"rookery/internal/fedi"
	"rookery/internal/inbox"
	"rookery/internal/outbox"
	"rookery/internal/store"
)

// What is kept of members, and how it is let go.

const deletePrefix = "persona/delete/"

// answerKeys are the keys under which a mention's answer may stand.
func answerKeys(id inbox.ID) []string {
	key := keyPrefix + string(id)
	return []string{key, key + shortSuffix}
}

// Standing counts the answers to these mentions that stand on their servers
// and that nobody has asked to delete.
func (p *Persona) Standing(ctx context.Context, tx store.Tx, mentions []inbox.Record) (int, error) {
	n := 0
	err := standing(ctx, tx, mentions, func(inbox.Record, string) error { n++; return nil })
	return n, err
}

func standing(ctx context.Context, tx store.Tx, mentions []inbox.Record, each func(r inbox.Record, key string) error) error {
	for _, r := range mentions {
		if r.Feature != Name {
			continue
		}
		for _, key := range answerKeys(r.ID) {
			ids, err := outbox.Made(ctx, tx, key)
			if err != nil {
				return err
			}
			if len(ids) == 0 {
				continue
			}
			if _, asked, err := outbox.LaneOf(ctx, tx, deletePrefix+key); err != nil || asked {
				if err != nil {
					return err
				}
				continue
			}
			if err := each(r, key); err != nil {
				return err
			}
		}
	}
	return nil
}

// DeleteAnswers plans the deletion of every answer to these mentions that
// stands, and returns how many there are.
func (p *Persona) DeleteAnswers(ctx context.Context, tx store.Tx, mentions []inbox.Record) (int, error) {
	n := 0
	err := standing(ctx, tx, mentions, func(r inbox.Record, key string) error {
		lane, ok, err := outbox.LaneOf(ctx, tx, key)
		if err != nil || !ok {
			return err
		}
		n++
		_, err = p.Outbox.Plan(ctx, tx, outbox.Effect{Key: deletePrefix + key, Feature: Name, Kind: fedi.DeleteKind, Account: r.Account, Lane: lane, Again: 2})
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("delete answers: %w", err)
	}
	return n, nil
}

// ForgetMember lets go of everything that is kept of a member (the handle in
// small letters): what waits is not answered, the words of answers go, and
// what was used of the budget. The answers themselves stay where they are.
func (p *Persona) ForgetMember(ctx context.Context, tx store.Tx, handle string, mentions []inbox.Record) error {
	for _, r := range mentions {
		if r.Feature != Name {
			continue
		}
		if _, err := tx.Exec(ctx, `delete from persona_waiting where mention = $1`, string(r.ID)); err != nil {
			return fmt.Errorf("forget waiting mentions: %w", err)
		}
		if r.State == inbox.Waiting {
			if err := inbox.Set(ctx, tx, r.ID, inbox.Ignored, "its author asked to be forgotten"); err != nil {
				return err
			}
		}
		for _, key := range answerKeys(r.ID) {
			if err := outbox.Forget(ctx, tx, key); err != nil {
				return err
			}
		}
	}
	if p.Budget == nil {
		return nil
	}
	return p.Budget.Forget(ctx, tx, handle)
}

// Retention: the words of answers go after 30 days. That there was an answer,
// and where, is kept for 13 months, so that it can be deleted.
const (
	KeepWords   = 30 * 24 * time.Hour
	KeepAnswers = 396 * 24 * time.Hour
)

// Prune lets go of what has been kept long enough.
func (p *Persona) Prune(ctx context.Context) error {
	now := p.Clock.Now()
	_, err := p.Outbox.Prune(ctx, Name, now.Add(-KeepWords), now.Add(-KeepAnswers))
	return err
}

// Waiting counts the mentions that wait for an answer, and tells since when
// the oldest does (zero if none does).
func (p *Persona) Waiting(ctx context.Context) (int, time.Time, error) {
	var n, oldest int64
	err := p.Store.QueryRow(ctx, `select count(*), coalesce(min(notified_at), 0) from persona_waiting`).Scan(&n, &oldest)
	if err != nil {
		return 0, time.Time{}, fmt.Errorf("count what waits: %w", err)
	}
	if n == 0 {
		return 0, time.Time{}, nil
	}
	return int(n), time.UnixMilli(oldest), nil
}
