// Package answers knows which answers of a feature stand on their servers, and
// lets go of them: it counts them, has them deleted, and forgets their words.
// It is the part of mydata.Keeper that is the same for every feature which
// answers a mention by effects of the outbox.
//
// It leaves to the features which keys their answers have, what else they keep
// of a member, and when they let go of it.
package answers

import (
	"context"
	"fmt"

	"rookery/internal/community"
	"rookery/internal/inbox"
	"rookery/internal/outbox"
	"rookery/internal/store"
)

// Of is the answers of one feature.
type Of struct {
	Feature string // its name; its deletions have keys that begin with it
	Outbox  *outbox.Outbox
	Delete  string // the kind of effect that deletes all its lane has made
	// DeleteOn, if set, is that kind for an account, in place of Delete.
	DeleteOn func(account community.AccountID) string
	// Keys are those under which a mention's answer may stand.
	Keys func(id inbox.ID) []string
}

func (o Of) kind(account community.AccountID) string {
	if o.DeleteOn != nil {
		return o.DeleteOn(account)
	}
	return o.Delete
}

// deleteKey is the effect that deletes what stands under a key.
func (o Of) deleteKey(key string) string { return o.Feature + "/delete/" + key }

// Standing counts the answers to these mentions that stand on their servers
// and that nobody has asked to delete.
func (o Of) Standing(ctx context.Context, tx store.Tx, mentions []inbox.Record) (int, error) {
	n := 0
	err := o.standing(ctx, tx, mentions, func(inbox.Record, string) error { n++; return nil })
	return n, err
}

func (o Of) standing(ctx context.Context, tx store.Tx, mentions []inbox.Record, each func(r inbox.Record, key string) error) error {
	for _, r := range mentions {
		if r.Feature != o.Feature {
			continue
		}
		for _, key := range o.Keys(r.ID) {
			ids, err := outbox.Made(ctx, tx, key)
			if err != nil {
				return err
			}
			if len(ids) == 0 {
				continue
			}
			if _, asked, err := outbox.LaneOf(ctx, tx, o.deleteKey(key)); err != nil || asked {
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

// Remove plans the deletion of every answer to these mentions that stands,
// and returns how many there are.
func (o Of) Remove(ctx context.Context, tx store.Tx, mentions []inbox.Record) (int, error) {
	n := 0
	err := o.standing(ctx, tx, mentions, func(r inbox.Record, key string) error {
		lane, ok, err := outbox.LaneOf(ctx, tx, key)
		if err != nil || !ok {
			return err
		}
		n++
		_, err = o.Outbox.Plan(ctx, tx, outbox.Effect{Key: o.deleteKey(key), Feature: o.Feature, Kind: o.kind(r.Account), Account: r.Account, Lane: lane, Again: 2})
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("delete answers: %w", err)
	}
	return n, nil
}

// Forget lets go of the words of the answers to these mentions. The answers
// themselves stay where they are.
func (o Of) Forget(ctx context.Context, tx store.Tx, mentions []inbox.Record) error {
	for _, r := range mentions {
		if r.Feature != o.Feature {
			continue
		}
		for _, key := range o.Keys(r.ID) {
			if err := outbox.Forget(ctx, tx, key); err != nil {
				return err
			}
		}
	}
	return nil
}
