// Package inbox stores a request from outside exactly once. A mention is
// known by (account, status uri): the first time it is told of, its row, its
// feature's waiting row and its feature's job are committed together; every
// further time changes nothing. DESIGN.md argues why no order of crashes,
// repeats and late arrivals loses one or takes one twice.
//
// It leaves to the platforms how mentions are noticed (and only keeps the
// cursor for them), to the features whether they want a mention and what they
// do with it, and to outbox everything that leaves the house.
package inbox

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"rookery/internal/clock"
	"rookery/internal/community"
	"rookery/internal/store"
)

//go:embed migrations
var migrations embed.FS

// Migrations are the tables of this package.
func Migrations() store.Migrations { return store.Migrations{Feature: "inbox", FS: migrations} }

// ID names a mention within this installation: 22 characters of base64url.
type ID string

// IDOf makes the id from the mention's identity. The local post id stands in
// for the uri of a server that tells none.
func IDOf(account community.AccountID, p community.Post) ID {
	name := p.URI
	if name == "" {
		name = "local:" + string(p.ID)
	}
	sum := sha256.Sum256([]byte(string(account) + "\n" + name))
	return ID(base64.RawURLEncoding.EncodeToString(sum[:16]))
}

// State is how far a mention has come.
type State string

// The states of a mention. All but Waiting and Answering are final.
const (
	Waiting     State = "waiting"      // a feature has it in its own table
	Answering   State = "answering"    // its answer is in the outbox
	Done        State = "done"         // answered
	Ignored     State = "ignored"      // no feature wanted it, or it needs no answer
	Declined    State = "declined"     // not answered for want of means, like a spent budget
	Expired     State = "expired"      // too old to be answered
	Gone        State = "gone"         // deleted by its author meanwhile
	Failed      State = "failed"       // given up; reason says why
	BeforeStart State = "before_start" // older than the first start
	Quarantined State = "quarantined"  // cannot be read or stored; raw holds what came
)

// Feature is a part of Rookery that answers mentions.
type Feature interface {
	// Name is stored with the mention.
	Name() string
	// Wants decides, from the mention alone, whether the feature takes it;
	// if not, why says so in a few words for the record.
	Wants(m community.Mention) (ok bool, why string)
	// Accept makes the feature's waiting row in the transaction that stores
	// the mention.
	Accept(ctx context.Context, tx store.Tx, id ID, m community.Mention) error
	// Wake makes the job that works what waits for the account. It is called
	// once in each transaction in which the feature accepted something.
	Wake(ctx context.Context, tx store.Tx, account community.AccountID) error
}

// Ageless is a Feature that takes the mentions it wants however old they are:
// what it does with them is as good later.
type Ageless interface {
	Feature
	Ageless() bool
}

// Account is what the inbox must know of an account of ours.
type Account struct {
	ID       community.AccountID
	Features []Feature // asked in this order; the first that wants a mention has it
	// Backlog answers what already waits at the very first start; otherwise
	// Rookery begins with what comes after it.
	Backlog bool
	MaxAge  time.Duration // older mentions are recorded as expired, but for those that an Ageless feature wants
}

// Inbox takes mentions in. It is safe for concurrent use.
type Inbox struct {
	store *store.Store
	clock clock.Clock
	log   *slog.Logger
}

// New makes an inbox on a migrated store.
func New(s *store.Store, c clock.Clock, log *slog.Logger) *Inbox {
	return &Inbox{store: s, clock: c, log: log}
}

// Item is one notification as the platform read it: a mention, or one that
// could not be read.
type Item struct {
	Mention community.Mention
	Err     error  // why it could not be read; the mention then holds what could
	Raw     string // what the server said, if Err is set
}

// Page is what one look at the server brought, oldest first.
type Page struct {
	Items []Item
	// Cursor, if not empty, is where the next poll shall begin. It is stored
	// with the items, in the same transaction.
	Cursor community.NotificationID
	// Now is the time by the server's clock.
	Now time.Time
}

// Take stores a page and returns how many of its mentions were new. Known
// mentions are skipped before anything is written, so that a poll that brings
// nothing new costs no fsync. An error means that nothing of the page counts
// as taken: the caller asks for it again.
func (b *Inbox) Take(ctx context.Context, a Account, p Page) (int, error) {
	fresh, err := b.unknown(ctx, a.ID, p.Items)
	if err != nil {
		return 0, fmt.Errorf("take in mentions: %w", err)
	}
	if len(fresh) == 0 && p.Cursor == "" {
		return 0, nil
	}
	taken, err := b.takeAll(ctx, a, fresh, p)
	if err == nil || systemic(err) {
		return taken, wrap(err)
	}
	// One row spoils the page: one by one, so that only that row suffers.
	b.log.Warn("a page of mentions could not be stored as a whole, trying one by one", "account", a.ID, "error", err)
	taken = 0
	for _, it := range fresh {
		n, err := b.takeAll(ctx, a, []Item{it}, Page{Now: p.Now})
		if err != nil && !systemic(err) {
			b.log.Error("a mention could not be stored and is set aside", "account", a.ID, "post", it.Mention.Post.ID, "error", err)
			it.Err = err
			n, err = b.takeAll(ctx, a, []Item{it}, Page{Now: p.Now})
		}
		if err != nil {
			return taken, wrap(err)
		}
		taken += n
	}
	_, err = b.takeAll(ctx, a, nil, p)
	return taken, wrap(err)
}

func wrap(err error) error {
	if err != nil {
		return fmt.Errorf("take in mentions: %w", err)
	}
	return nil
}

// systemic tells errors that have nothing to do with the row at hand.
func systemic(err error) bool {
	for _, s := range []error{store.ErrFull, store.ErrLocked, store.ErrBroken, store.ErrClosed, context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, s) {
			return true
		}
	}
	return false
}

// unknown leaves out repeats within the page and mentions already stored.
func (b *Inbox) unknown(ctx context.Context, account community.AccountID, items []Item) ([]Item, error) {
	ids := make([]ID, 0, len(items))
	for _, it := range items {
		ids = append(ids, itemID(account, it))
	}
	seen, err := b.known(ctx, ids)
	if err != nil {
		return nil, err
	}
	var fresh []Item
	for _, it := range items {
		if id := itemID(account, it); !seen[id] {
			seen[id] = true
			fresh = append(fresh, it)
		}
	}
	return b.notTakenOver(ctx, account, fresh)
}

// known tells which of the ids are stored.
func (b *Inbox) known(ctx context.Context, ids []ID) (map[ID]bool, error) {
	seen := map[ID]bool{}
	const step = 100
	for len(ids) > 0 {
		part := ids[:min(step, len(ids))]
		ids = ids[len(part):]
		marks, args := make([]string, len(part)), make([]any, len(part))
		for i, id := range part {
			marks[i], args[i] = fmt.Sprintf("$%d", i+1), string(id)
		}
		rows, err := b.store.Query(ctx, "select id from inbox_mention where id in ("+strings.Join(marks, ",")+")", args...)
		stored, err := store.Collect(rows, err, func(r store.Row) (id ID, err error) { return id, r.Scan((*string)(&id)) })
		if err != nil {
			return nil, err
		}
		for _, id := range stored {
			seen[id] = true
		}
	}
	return seen, nil
}

// itemID is the mention's id; one that could not be read has its notification
// to go by.
func itemID(account community.AccountID, it Item) ID {
	p := it.Mention.Post
	if p.URI == "" && p.ID == "" {
		p.URI = "notification:" + string(it.Mention.Notification)
	}
	return IDOf(account, p)
}

func (b *Inbox) takeAll(ctx context.Context, a Account, items []Item, p Page) (taken int, err error) {
	err = b.store.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		taken = 0
		began, err := beganAt(ctx, tx, a.ID)
		if err != nil {
			return err
		}
		wake := map[string]bool{}
		for _, it := range items {
			ok, feature, err := b.takeOne(ctx, tx, a, it, began, p.Now)
			if err != nil {
				return err
			}
			if ok {
				taken++
			}
			if feature != nil {
				wake[feature.Name()] = true
			}
		}
		for _, f := range a.Features {
			if !wake[f.Name()] {
				continue
			}
			if err := f.Wake(ctx, tx, a.ID); err != nil {
				return fmt.Errorf("wake %s: %w", f.Name(), err)
			}
		}
		if p.Cursor == "" {
			return nil
		}
		_, err = tx.Exec(ctx, `update inbox_cursor set cursor_id = $2, updated_at = $3 where account = $1`,
			string(a.ID), string(p.Cursor), b.clock.Now().UnixMilli())
		return err
	})
	return taken, err
}

// takeOne stores an item. It tells whether it was new, and who has it.
func (b *Inbox) takeOne(ctx context.Context, tx store.Tx, a Account, it Item, began, now time.Time) (bool, Feature, error) {
	m := it.Mention
	m.Account = a.ID
	if a.MaxAge > 0 {
		m.Expires = noticed(m).Add(a.MaxAge)
	}
	id := itemID(a.ID, it)
	state, reason, feature := decide(a, it, began, now)
	name := ""
	if feature != nil {
		name = feature.Name()
	}
	raw := ""
	if state == Quarantined {
		raw = store.Storable(it.Raw, 16<<10)
	}
	n, err := tx.Exec(ctx, `insert into inbox_mention (id, account, uri, post_id, notification_id, author, author_handle,
			notified_at, taken_at, state, feature, reason, raw)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
		on conflict (id) do nothing`,
		string(id), string(a.ID), store.Storable(m.Post.URI, 4<<10), store.Storable(string(m.Post.ID), 1<<10), store.Storable(string(m.Notification), 1<<10),
		store.Storable(string(m.Post.Author.ID), 1<<10), store.Storable(strings.ToLower(m.Post.Author.Handle), 1<<10),
		noticed(m).UnixMilli(), b.clock.Now().UnixMilli(), string(state), name, store.Storable(reason, 2<<10), raw)
	if err != nil || n == 0 {
		return false, nil, err // zero rows: another process took it in between
	}
	if feature == nil {
		return true, nil, nil
	}
	if err := feature.Accept(ctx, tx, id, m); err != nil {
		return false, nil, fmt.Errorf("%s accepts a mention: %w", name, err)
	}
	return true, feature, nil
}

// decide is the whole policy of what becomes of a new mention.
func decide(a Account, it Item, began, now time.Time) (State, string, Feature) {
	m := it.Mention
	m.Account = a.ID
	switch {
	case it.Err != nil:
		return Quarantined, it.Err.Error(), nil
	case m.Post.ID == "":
		return Quarantined, "the server gave no post id", nil
	case noticed(m).Before(began):
		return BeforeStart, "", nil
	case m.FromUs:
		return Ignored, "from an account of ours", nil
	}
	old := a.MaxAge > 0 && noticed(m).Before(now.Add(-a.MaxAge))
	reasons := make([]string, 0, len(a.Features))
	for _, f := range a.Features {
		ok, why := f.Wants(m)
		if ageless, is := f.(Ageless); ok && old && !(is && ageless.Ageless()) {
			break
		}
		if ok {
			return Waiting, "", f
		}
		reasons = append(reasons, why)
	}
	if old {
		return Expired, "older than " + a.MaxAge.String(), nil
	}
	return Ignored, strings.Join(reasons, "; "), nil
}

// noticed is when our server told of the mention, else when it was written.
func noticed(m community.Mention) time.Time {
	if m.Notified.IsZero() {
		return m.Post.At
	}
	return m.Notified
}
