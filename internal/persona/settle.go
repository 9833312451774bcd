package persona

import (
	"context"
	"log/slog"
	"strings"

	"rookery/internal/community"
	"rookery/internal/inbox"
	"rookery/internal/outbox"
	"rookery/internal/store"
)

const (
	keyPrefix   = "persona/answer/"
	shortSuffix = "/short" // the second try of an answer that the server called too long
)

// settle hears how an answer ended.
func (p *Persona) settle(ctx context.Context, tx store.Tx, r outbox.Result) error {
	if !strings.HasPrefix(r.Key, keyPrefix) {
		// A notice, or a deletion: the mention has ended, or waits on. What it
		// said to whom is nothing to keep.
		return outbox.Forget(ctx, tx, r.Key)
	}
	id, short := strings.CutSuffix(strings.TrimPrefix(r.Key, keyPrefix), shortSuffix)
	s, err := p.on(r.Account).sent(r)
	if err != nil {
		return err
	}
	if forgotten, err := inbox.Forgotten(ctx, tx, inbox.ID(id)); err != nil {
		return err
	} else if forgotten { // while the answer was on its way
		if err := outbox.Forget(ctx, tx, r.Key); err != nil {
			return err
		}
	}
	if s.stands != nil && (r.State == outbox.Confirmed || len(r.Made) > 0) {
		tx.AfterCommit(s.stands)
	}
	if r.State == outbox.Confirmed {
		return inbox.Set(ctx, tx, inbox.ID(id), inbox.Done, "")
	}
	if len(r.Made) > 0 {
		// The beginning of a thread stands. It is an answer.
		p.Log.Error("the rest of an answer was refused for good", "account", r.Account, "post", s.post, "posts", len(r.Made), "reason", r.Reason)
		return inbox.Set(ctx, tx, inbox.ID(id), inbox.Done, "only its beginning could be posted: "+r.Reason)
	}
	switch {
	case s.less != nil && !short:
		return p.shorter(ctx, tx, r, *s.less)
	case s.gone:
		return inbox.Set(ctx, tx, inbox.ID(id), inbox.Gone, "the post to answer was deleted")
	case r.Reason == outbox.ReasonExpired:
		return inbox.Set(ctx, tx, inbox.ID(id), inbox.Expired, r.Reason)
	}
	why := r.Reason
	if r.Detail != "" {
		why = r.Detail
	}
	if err := p.refused(ctx, tx, r.Account, s, why); err != nil {
		return err
	}
	return inbox.Set(ctx, tx, inbox.ID(id), inbox.Failed, r.Reason)
}

// refused tells of an answer that was refused for good those who can mend it.
func (p *Persona) refused(ctx context.Context, tx store.Tx, account community.AccountID, s sent, why string) error {
	level := slog.LevelError
	if s.forbidden { // nothing that the operator could mend
		level = slog.LevelWarn
	}
	p.Log.Log(ctx, level, "an answer was refused for good", "account", account, "post", s.post, "reason", why)
	switch {
	case s.forbidden && p.Forbidden != nil:
		return p.Forbidden(ctx, tx, account, s.in)
	case p.Refused != nil:
		return p.Refused(ctx, tx, account, why)
	}
	return nil
}

// shorter plans less of an answer that the server called too long, under a new
// key: nothing of the first is outside.
func (p *Persona) shorter(ctx context.Context, tx store.Tx, r outbox.Result, less outbox.Effect) error {
	less.Key, less.Feature, less.Account, less.Expires = r.Key+shortSuffix, Name, r.Account, r.Expires
	_, err := p.Outbox.Plan(ctx, tx, less)
	return err
}
