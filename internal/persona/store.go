package persona

import (
	"context"
	"time"

	"rookery/internal/budget"
	"rookery/internal/inbox"
	"rookery/internal/store"
	"rookery/internal/turns"
)

// waiting is a mention that this process has taken to answer.
type waiting struct {
	turns.Waiting

	reserved bool          // something of the budget is set aside for it
	used     budget.Tokens // what its answer has cost since
}

// releasing gives back what the mention has reserved, and then does more.
func (p *Persona) releasing(w waiting, more turns.Then) turns.Then {
	return func(ctx context.Context, tx store.Tx) error {
		if err := p.release(ctx, tx, w); err != nil || more == nil {
			return err
		}
		return more(ctx, tx)
	}
}

// close ends a mention without an answer.
func (p *Persona) close(ctx context.Context, w waiting, s inbox.State, reason string) error {
	return p.Close(ctx, w.Waiting, s, reason, p.releasing(w, nil))
}

// closeUnwanted ends a mention that may not be answered. Where that is because
// we may not write there, those are told who can change it.
func (p *Persona) closeUnwanted(ctx context.Context, w waiting, s inbox.State, reason string) error {
	m := w.Mention
	return p.Close(ctx, w.Waiting, s, reason, p.releasing(w, func(ctx context.Context, tx store.Tx) error {
		if s != inbox.Failed {
			return nil
		}
		return p.refused(ctx, tx, m.Account, sent{post: m.Post.ID, in: m.Post.Place.Channel, forbidden: true}, reason)
	}))
}

// putBack lets the mention wait on: until at, or just free if why is nil.
func (p *Persona) putBack(ctx context.Context, w waiting, at time.Time, why error) error {
	return p.PutBack(ctx, w.Waiting, at, why, p.releasing(w, nil))
}

// decline counts a failure that is this mention's alone, and gives it up when
// there were too many.
func (p *Persona) decline(ctx context.Context, w waiting, why error) error {
	return p.Decline(ctx, w.Waiting, why, p.releasing(w, nil))
}

// trouble puts the mention back and reports what others would meet too.
func (p *Persona) trouble(ctx context.Context, w waiting, err error) error {
	return p.Fail(ctx, w.Waiting, err, p.askedFor(err), p.releasing(w, nil))
}
