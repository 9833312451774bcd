package persona

import (
	"context"
	"time"

	"rookery/internal/community"
	"rookery/internal/inbox"
	"rookery/internal/outbox"
	"rookery/internal/store"
	"rookery/internal/words"
)

// platform is what the persona asks of where an account of ours lives. It is
// all that policy knows of it.
type platform interface {
	// Self is our account; an error while it is not logged in.
	Self(account community.AccountID) (community.Member, error)
	// Now is the time by the account's server.
	Now(account community.AccountID) time.Time

	// wants tells what must hold of a mention for ever, besides what holds
	// everywhere; why not, or "".
	wants(m community.Mention) string
	// welcome tells what those who run the place have set, in the transaction
	// if there is one (tx may be nil); why not, or "".
	welcome(ctx context.Context, tx store.Tx, m community.Mention) (why string, err error)
	// unwanted tells how a mention ends that may not be answered just now, and
	// why; "" if it may.
	unwanted(ctx context.Context, m community.Mention) (end inbox.State, why string, err error)
	// manner is how an answer to the mention is given.
	manner(ctx context.Context, m community.Mention, self community.Member) (manner, error)
	// thread reads what stands around the question: above it, the oldest first,
	// and below it.
	thread(ctx context.Context, m community.Mention, self community.Member) (above, below []community.Post, err error)
	// replies is how many answers a day a member may have where the mention
	// was, as those who run the place have set it; 0 if they have not.
	replies(ctx context.Context, m community.Mention) (int64, error)

	// fault reads a failure of the platform.
	fault(err error) fault

	// sent reads an answer's effect that has ended.
	sent(r outbox.Result) (sent, error)
	// notice is the effect that says something in place of an answer, without
	// its key and end.
	notice(m community.Mention, l words.Language, text string) outbox.Effect
	// time is a moment as a text of the platform shows it.
	time(t time.Time) any
	// deleteKind is the kind of effect that deletes all that its lane has made.
	deleteKind() string
}

// manner is how one answer is given on its platform.
type manner struct {
	chars int    // the model is asked for so many at most
	rules string // what it is told besides the character: a format of its name and chars
	name  string // what it is called there
	// call is what each author is called before the model, for all posts of a
	// thread together; nil: "@" and the handle.
	call func(posts []community.Post) func(community.Member) string
	// compose turns what the model said into the texts of the reply; nil if
	// nothing of it can be said.
	compose func(said string) []string
	// effect is the reply of these texts, without its key.
	effect func(texts []string) outbox.Effect
}

// fault is what a platform's error means for a mention.
type fault struct {
	gone     bool      // the question is no more
	hopeless bool      // the same will fail again
	retryAt  time.Time // when the server asked to be tried again; zero if it did not
}

// sent is an answer's effect, as its platform reads it back.
type sent struct {
	post community.PostID    // that it answers
	in   community.ChannelID // where, on a platform that has channels
	gone bool                // it was refused because the question is no more
	// forbidden: it was refused because those who run the place do not let us.
	forbidden bool
	// stands is called once the answer does; it may be nil.
	stands func()
	// less is the same with half of its words, if it was refused as too long;
	// nil if that is no help.
	less *outbox.Effect
}

// on is where an account lives.
func (p *Persona) on(account community.AccountID) platform {
	if p.discord.has(account) {
		return p.discord
	}
	return p.fediverse
}
