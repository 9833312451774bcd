package fedi

import (
	"context"
	"fmt"
	"time"

	"rookery/internal/community"
	"rookery/internal/outbox"
)

// unreadyPause is when a post is tried again whose file the server still works
// on.
const unreadyPause = 5 * time.Second

// FewerMedia says that a server kept fewer media of a post than it was sent.
type FewerMedia struct {
	Account    community.AccountID
	Effect     string // the outbox's id of it
	Part       int    // which of its posts; 0 is the first
	Post       community.PostID
	Sent, Kept int
}

// blame finds out whether the media are the reason of a refusal, which no
// status says and no words can be trusted to say, and makes the error tell it.
// An upload that is not there may also be attached to a post of an earlier
// attempt whose answer was lost: outbox looks for that before it believes.
func (l *login) blame(ctx context.Context, ids []string, e *Error) bool {
	for _, id := range ids {
		_, ready, err := l.client.Media(ctx, id)
		switch cl := ClassOf(err); {
		case cl == "" && ready, cl == Unsupported, cl == Invalid:
			continue
		case cl == "":
			e.Class, e.RetryAt = Transient, l.f.Clock.Now().Add(unreadyPause)
			e.Message = fmt.Sprintf("the server still works on the file %s: %s", id, e.Message)
		case cl == Gone, cl == RejectedMedia:
			e.Class = NoMedia
			e.Message = fmt.Sprintf("the file %s is not there, or could not be processed: %s", id, e.Message)
		default:
			// We cannot know; what is certain is that nothing was posted.
			e.Class, e.Err = Transient, err
			if at, ok := l.heldUntil(err); ok {
				e.RetryAt = at
			}
		}
		return true
	}
	return false
}

// counted tells of a post that has fewer media than it was sent with: some
// servers take a file that they cannot use, and leave it out without a word.
func (l *login) counted(a outbox.Attempt, s Status, sent int) {
	kept := len(s.MediaAttachments)
	if kept >= sent {
		return
	}
	l.log.Warn("the server kept fewer pictures than were sent", "post", s.ID, "sent", sent, "kept", kept)
	if l.f.Fewer != nil {
		l.f.Fewer(FewerMedia{Account: a.Account, Effect: a.Effect, Part: a.Part, Post: s.ID, Sent: sent, Kept: kept})
	}
}

// renames tells whether a make gives a file another id once it is attached, so
// that a post of ours cannot be told by it: snac numbers the files of a post,
// Pleroma and its kin take a hash of the address unless the object names
// itself. Of an unknown make we cannot be sure.
func renames(sw Software) bool {
	switch sw {
	case Mastodon, GoToSocial, Misskey:
		return false
	}
	return true
}
