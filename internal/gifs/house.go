package gifs

import (
	"context"
	"io"
	"time"

	"rookery/internal/community"
	"rookery/internal/inbox"
	"rookery/internal/media"
	"rookery/internal/outbox"
	"rookery/internal/store"
	"rookery/internal/words"
)

// house is what the feature asks of the platform that an account of ours lives
// on. Only fedi.go and discord.go know one by name.
type house interface {
	// self is our own member there; an error if the account is not logged in.
	self(account community.AccountID) (community.Member, error)
	// now is the time by the account's server.
	now(account community.AccountID) time.Time
	// text is what a mention says, without a name of ours in front that has
	// blanks in it.
	text(m community.Mention) string
	// wanted tells whether requests are taken there at all; if not, why is for
	// the record. It may be asked inside a transaction.
	wanted(m community.Mention) (ok bool, why string)
	// refuses tells why a request is not carried out there, as things stand
	// now; nil if nothing is against it.
	refuses(ctx context.Context, m community.Mention, nsfw bool) (*refusal, error)
	// replies are what our member has posted in answer to a mention.
	replies(ctx context.Context, m community.Mention, self community.MemberID) ([]community.Post, error)
	// room is what an answer to a mention has to keep to; an error if the
	// account is not logged in.
	room(m community.Mention) (room, error)
	// attach hands over the file of an answer and returns its id. With a key
	// that is known already it need not be sent again.
	attach(ctx context.Context, m community.Mention, key string, f upload) (id string, err error)
	// discard lets go of what attach was handed under a key.
	discard(ctx context.Context, tx store.Tx, key string) error
	// fault says what an error of this platform is about.
	fault(err error) fault
	// notice is an effect that tells who has asked something that is no answer.
	notice(m community.Mention, text string) outbox.Effect
	// ended reads how an answer has ended.
	ended(r outbox.Result) (ending, error)
}

// refusal is why a request is not carried out where it was made.
type refusal struct {
	say  words.Key // what the asker is told; "" for nothing
	args words.Args
	why  string // for the record, when nothing is said
}

// room is what an answer has to keep to where it goes, and how words stand
// there.
type room struct {
	media media.Limits
	alt   int // characters of a description; 0 for no limit
	// quiet is text that others had a hand in, made harmless: it mentions nobody,
	// and is shown as it is written.
	quiet func(text string) string
	// link is an address that readers can follow.
	link func(url string) string
	// fits tells whether an answer may have these words.
	fits func(text string, nsfw bool) bool
	// answer is the effect that answers: its Kind and Payload, and Expires if it
	// must not be as late as any answer.
	answer func(a answer) outbox.Effect
}

// answer is what a request is answered with.
type answer struct {
	id      inbox.ID
	text    string
	nsfw    bool
	link    bool      // the text leads to a picture that is not safe
	picture *attached // nil for words alone
}

// attached is a picture that was handed over.
type attached struct {
	id, name, alt string
}

// upload is a file to hand over.
type upload struct {
	open       func() (io.ReadCloser, error)
	size       int64
	name, mime string
	alt        string
}

// fault is what an error of a platform is about.
type fault int

const (
	passing    fault = iota // others would meet it too
	gone                    // what is to be answered is no more
	mistaken                // the server does not take what it was sent
	badFile                 // it does not take this file
	impossible              // it does not take files at all
	inside                  // a failure of its own: some fail so at a file that they cannot read
)

// ending is how an answer ended.
type ending struct {
	post     community.PostID // that was answered
	pictures int
	anew     bool // nothing of it is outside, and it may be tried again from the start
	gone     bool // what was to be answered is no more
	done     func()
}
