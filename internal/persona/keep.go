package persona

import (
	"context"
	"errors"
	"time"

	"rookery/internal/inbox"
	"rookery/internal/store"
)

// What is kept of members, and how it is let go.

// answerKeys are the keys under which a mention's answer may stand.
func answerKeys(id inbox.ID) []string {
	key := keyPrefix + string(id)
	return []string{key, key + shortSuffix}
}

// Standing counts the answers to these mentions that stand on their servers
// and that nobody has asked to delete.
func (p *Persona) Standing(ctx context.Context, tx store.Tx, _ inbox.Member, mentions []inbox.Record) (int, error) {
	return p.answers.Standing(ctx, tx, mentions)
}

// DeleteAnswers plans the deletion of every answer to these mentions that
// stands, and returns how many there are.
func (p *Persona) DeleteAnswers(ctx context.Context, tx store.Tx, _ inbox.Member, mentions []inbox.Record) (int, error) {
	return p.answers.Remove(ctx, tx, mentions)
}

// ForgetMember lets go of everything that is kept of a member:
// what waits is not answered, and the words of answers go. The answers
// themselves stay where they are; what was used of the budget is mydata's.
func (p *Persona) ForgetMember(ctx context.Context, tx store.Tx, _ inbox.Member, mentions []inbox.Record) error {
	return errors.Join(p.Forget(ctx, tx, mentions), p.answers.Forget(ctx, tx, mentions))
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
