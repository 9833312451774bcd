package fedi

import (
	"context"
	"slices"
	"time"

	"rookery/internal/community"
	"rookery/internal/outbox"
)

// deleteKind deletes every post its lane has made, the last first. A post
// that is not there counts as deleted: repeating is harmless. One that the
// server refuses to delete does not keep the others.
type deleteKind struct{ f *Fedi }

var _ outbox.Drops = deleteKind{}

func (deleteKind) Name() string                                { return DeleteKind }
func (k deleteKind) Now(account community.AccountID) time.Time { return k.f.estimated(account) }
func (deleteKind) DropsUnsent()                                {}

func (k deleteKind) Send(ctx context.Context, a outbox.Attempt) (string, error) {
	l, err := k.f.sender(a.Account)
	if err != nil {
		return "", &outbox.SendError{Outcome: outbox.NotSent, Err: err}
	}
	var refused error
	for _, id := range slices.Backward(a.Made) {
		err := l.client.Delete(ctx, community.PostID(id))
		if cl := ClassOf(err); cl == Gone || cl == Invalid {
			if other := l.stillUs(ctx); other != nil || cl == Gone {
				err = other
			}
		}
		switch {
		case err == nil:
		case !final(err):
			return "", sendError(l.helped(err))
		case refused == nil:
			refused = err
		}
	}
	return "", sendError(refused)
}

// final tells that the same request would be refused again.
func final(err error) bool {
	switch ClassOf(err) {
	case Auth, Rate, Transient, Unknown, "":
		return false
	}
	return true
}
