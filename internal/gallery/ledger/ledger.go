// Package ledger is the gallery's consent ledger: what a member was shown and
// agreed to, what was done on the strength of it, and how it was taken back.
//
// It only grows. The package has no statement that changes or takes away a row,
// the database refuses both whoever asks, and each row holds the SHA-256 over
// the row before and its own content, so that a row which was cut out or
// altered by hand shows (Verify). Rows name a member by a pseudonym, the
// subject; who that is stands in a table of the gallery's own, and forgetting a
// member takes that away and nothing here.
//
// It leaves to the gallery when something is written, to whom a subject
// belongs, and what a member is shown. Texts are kept for ever: they are those
// of the program and the operator, never a member's words.
package ledger

import (
	"context"
	"embed"
	"errors"
	"time"

	"rookery/internal/clock"
	"rookery/internal/community"
	"rookery/internal/store"
)

//go:embed migrations
var migrations embed.FS

// Migrations are the tables of this package.
func Migrations() store.Migrations {
	return store.Migrations{Feature: "gallery_ledger", FS: migrations}
}

// Event is what has happened to a submission.
type Event string

// The events. What each makes of an agreement stands at Agreement and AI.
const (
	Offered   Event = "offered"    // the offer was shown; Text is what it said
	Agreed    Event = "agreed"     // "Post publicly"; Text is what was shown, Media what it was about
	AIOn      Event = "ai_on"      // the member let Processor describe the pictures with Model
	AIOff     Event = "ai_off"     // and no longer does
	Drafted   Event = "drafted"    // pictures went to the model for a draft, before posting
	Described Event = "described"  // pictures went to the model when posting
	Approved  Event = "approved"   // by a moderator
	Rejected  Event = "rejected"   // by a moderator
	Posted    Event = "posted"     // Post is the address
	Edited    Event = "edited"     // the post was changed, on the strength of the agreement
	Void      Event = "void"       // the message was changed: what was agreed to is no more
	Withdrawn Event = "withdrawn"  // by the member, or with the message, before it was posted
	Declined  Event = "declined"   // "No thanks"
	Expired   Event = "expired"    // no answer in time
	Deleted   Event = "deleted"    // the member wants the post deleted
	TakenDown Event = "taken_down" // a moderator or the operator does
	Gone      Event = "gone"       // its server has deleted it
	Stands    Event = "stands"     // its server would not delete it
	Revoked   Event = "revoked"    // the member took back everything, or is to be forgotten
	Adopted   Event = "adopted"    // a post that another program had made before; nothing is known of an agreement
)

// Events are all of them.
func Events() []Event {
	return []Event{Offered, Agreed, AIOn, AIOff, Drafted, Described, Approved, Rejected, Posted, Edited,
		Void, Withdrawn, Declined, Expired, Deleted, TakenDown, Gone, Stands, Revoked, Adopted}
}

// Ends reports whether nothing may be done any more on the strength of what was
// agreed to before it.
func (e Event) Ends() bool {
	switch e {
	case Void, Withdrawn, Declined, Expired, Rejected, Deleted, TakenDown, Gone, Revoked:
		return true
	}
	return false
}

// Entry is one row. Of what Write is given, Seq, At and Chain do not count: the
// ledger fills them in. Event, Submission and Subject are never empty, anything
// else may be.
type Entry struct {
	Seq        int64
	At         time.Time // to the millisecond, UTC
	Event      Event
	Submission string
	Subject    string // who the member is, by a pseudonym
	Guild      community.GuildID
	Channel    community.ChannelID
	Source     community.PostID // the message
	Account    community.AccountID
	Target     string // the handle that posts, "@gallery@art.example"
	Processor  string // of AIOn, Drafted, Described: who describes, "OpenAI (USA)"
	Model      string
	Text       string // the exact text that was shown
	Media      []Medium
	Post       string // address of the post
	By         string // who did it: a subject, "moderator SUBJECT", "operator"; empty: the member
	Via        string // how: button, command, context menu, command line, code, message, time, or in words
	Note       string
	Chain      string // SHA-256 over the row before and this one, hex
}

// Medium is one medium that an entry is about.
type Medium struct {
	N      int    `json:"n"` // from 1
	Name   string `json:"name,omitempty"`
	SHA256 string `json:"sha256,omitempty"` // of the file as the member gave it, hex
	Alt    string `json:"alt,omitempty"`    // where its description is from: discord, written, draft, model, none
}

// Bounds of what is kept, in bytes. A longer text is an error, for half of what
// was shown proves nothing; anything else is cut.
const (
	MaxText  = 64 << 10
	MaxMedia = 100 // of one entry
	maxField = 2 << 10
)

// ErrText is what Write answers to a text of more than MaxText bytes or one
// that both databases cannot hold as it is (not UTF-8, or with NUL).
var ErrText = errors.New("the text that was shown cannot be kept as it is")

// ErrBroken is what Verify finds. The error that wraps it says which row, and
// what is wrong with it.
var ErrBroken = errors.New("the consent ledger was changed by other means than this program: put back a backup from before, or find out who did it")

// Ledger is the ledger of one installation. It is safe for concurrent use.
type Ledger struct {
	store *store.Store
	clock clock.Clock
}

// New opens the ledger in a database that has its tables.
func New(s *store.Store, c clock.Clock) *Ledger { return &Ledger{s, c} }

// Querier reads: a *store.Store, or a store.Tx for what the transaction itself
// has written.
type Querier interface {
	Query(ctx context.Context, sql string, args ...any) (store.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) store.Row
}
