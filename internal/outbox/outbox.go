// Package outbox makes an effect outside happen once. An effect is stored
// whole before it is first sent; one conditional UPDATE claims each attempt;
// and after an attempt whose outcome nobody knows, the server is asked before
// anything is repeated. DESIGN.md argues why no order of crashes, and of
// lost, late or repeated answers, makes a second effect or loses one, and
// says what cannot be promised.
//
// It leaves to the platforms how a thing is sent and found (Kind, Finder),
// and to the features what they want sent and what follows from it (Owner).
// Nothing else in the program posts.
package outbox

import (
	"context"
	"crypto/rand"
	"embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"rookery/internal/clock"
	"rookery/internal/community"
	"rookery/internal/store"
)

//go:embed migrations
var migrations embed.FS

// Migrations are the tables of this package.
func Migrations() store.Migrations { return store.Migrations{Feature: "outbox", FS: migrations} }

// Effect is something a feature wants to happen outside.
type Effect struct {
	// Key is the feature's own name for the effect, unique for ever
	// ("persona/answer/<mention>"). Planning the same key again changes nothing.
	Key     string
	Feature string // its Owner is told how it ended
	Kind    string // a registered Kind
	Account community.AccountID
	// Lane names the remote object: effects of one lane happen one after the
	// other, in the order they were planned. Empty means a lane of its own,
	// named by Key.
	Lane string
	// Payload is stored as JSON and never changes.
	Payload any
	// Parts is how many remote objects the payload makes, sent in order; 0
	// means 1.
	Parts int
	// Since, if not zero, says that a process that is forgotten (its database
	// was restored from a backup) may have brought the effect about from then
	// on, by the server's clock: a Finder looks for it before the first send.
	Since time.Time
	// Expires, if not zero, gives up an effect that certainly was not sent by then.
	Expires time.Time
	// Again is how often a refusal that gives no reason (SendError.Doubtful) is
	// not believed: the same is sent again, the last time after 15 minutes and
	// before that after one. For an owner who has nothing else to try.
	Again int
}

// Attempt is one send, as a Kind sees it.
type Attempt struct {
	Effect  string // the effect's id
	Account community.AccountID
	Payload json.RawMessage
	Part    int
	// Key is fit for an Idempotency-Key header: 22 characters of base64url.
	Key string
	// Made are the ids that earlier effects and parts of the lane have made, in order.
	Made []string
	// First is when the part was first claimed, by the server's clock.
	First time.Time
}

// Kind is one kind of effect on one platform. A Kind that is no Finder must
// be harmless to repeat (an edit that sends the whole state, a delete): after
// an unknown outcome it is sent again once the settling time has passed.
type Kind interface {
	// Name is stored with the effect.
	Name() string
	// Now is the time by the account's server, as well as it is known.
	Now(community.AccountID) time.Time
	// Send carries the attempt out before ctx ends and returns the id of what
	// it made, empty if it made nothing. Its error is a *SendError; any other
	// counts as an unknown outcome.
	Send(ctx context.Context, a Attempt) (remote string, err error)
}

// Finder is a Kind whose repetition would be seen.
type Finder interface {
	Kind
	// Find looks for what an attempt on this part may have made. free tells
	// whether an id belongs to no other effect.
	Find(ctx context.Context, a Attempt, free func(ctx context.Context, remote string) (bool, error)) (Found, error)
	// KeepsKey tells whether the account's server answers a repeated key with
	// the first post. Then a repetition keeps its key, as one more guard. A
	// server that replays errors too (Akkoma) needs a new key each time.
	KeepsKey(community.AccountID) bool
}

// Found is the answer of a look.
type Found struct {
	ID   string    // empty: nothing there
	AsOf time.Time // the server's clock when it answered
}

// Drops is a Kind that removes the lane's object. What was planned before it
// in its lane and never sent is dropped.
type Drops interface{ DropsUnsent() }

// Result is how an effect ended. One of several parts may be refused when some
// of them stand already: Made tells which (the first ones), and what is missing
// can be planned as another effect of the same lane.
type Result struct {
	Effect  string
	Key     string
	Account community.AccountID
	State   State
	Reason  string   // why it was refused
	Detail  string   // what the server said to that, for people; may be empty
	Made    []string // the ids of its parts, in order; of a refused one, of those that are outside
	Payload json.RawMessage
	Expires time.Time // as it was planned
}

// ReasonExpired is the Reason of an effect that was given up because it
// certainly was not sent in time.
const ReasonExpired = "expired: it could not be sent in time"

// Owner hears how an effect of its feature ended, in the transaction that
// ends it. An error undoes the ending, which is then tried again.
type Owner func(ctx context.Context, tx store.Tx, r Result) error

// State is how far an effect has come.
type State string

// The states of an effect; the last three are final.
const (
	Planned   State = "planned"   // certainly not outside (as far as this attempt goes)
	Sent      State = "sent"      // claimed: in flight, or its outcome is unknown
	Confirmed State = "confirmed" // outside, its ids known
	Refused   State = "refused"   // certainly not outside, and never will be, but for the parts before the one refused
	Dropped   State = "dropped"   // taken back before it was sent
)

// Config is what an Outbox needs.
type Config struct {
	Store *store.Store
	Clock clock.Clock
	Log   *slog.Logger
	// Timeout is how long one request may take; 0 means 30 s.
	Timeout time.Duration
	// SettleError is how long after a complete error answer (a whole 500) a
	// negative find counts; 0 means 10 s.
	SettleError time.Duration
	// SettleSilence is the same after a time-out, a reset, a 502 or a crash; 0
	// means 60 s.
	SettleSilence time.Duration
	// Rehearse, if set, takes the place of sending: it is shown the attempt,
	// and the part counts as done. Nothing reaches a server. It is for a
	// database that is thrown away.
	Rehearse func(kind string, a Attempt)
}

// Outbox is safe for concurrent use once its kinds and owners are registered.
type Outbox struct {
	Config
	process string // this process among all that ever were
	kinds   map[string]Kind
	owners  map[string]Owner
	wake    func(ctx context.Context, tx store.Tx, at time.Time) error

	mu     sync.Mutex
	latest time.Time // the latest that our clock has shown to a sweep
}

// New makes an outbox on a migrated store.
func New(c Config) *Outbox {
	if c.Timeout == 0 {
		c.Timeout = 30 * time.Second
	}
	if c.SettleError == 0 {
		c.SettleError = 10 * time.Second
	}
	if c.SettleSilence == 0 {
		c.SettleSilence = time.Minute
	}
	return &Outbox{
		Config: c, process: NewKey(), kinds: map[string]Kind{}, owners: map[string]Owner{},
		wake: func(context.Context, store.Tx, time.Time) error { return nil },
	}
}

// Register adds a kind of effect. Call it before anything else.
func (o *Outbox) Register(k Kind) { o.kinds[k.Name()] = k }

// Own names who hears of a feature's effects. Call it before anything else.
func (o *Outbox) Own(feature string, owner Owner) { o.owners[feature] = owner }

// NewKey makes a random name of 22 characters of base64url (128 bits), short
// enough for every platform's field.
func NewKey() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	return base64.RawURLEncoding.EncodeToString(b[:])
}

func (o *Outbox) kind(name string) (Kind, error) {
	k, ok := o.kinds[name]
	if !ok {
		return nil, fmt.Errorf("outbox: no kind %q in this program", name)
	}
	return k, nil
}
