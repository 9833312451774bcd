// Package settings keeps what the managers of a guild have set: typed fields,
// each declared once by the feature that reads it, with its default, bounds
// and help. From the declaration follow reading, validation, what commands
// show, the audit, and export to and import from a file.
//
// To add a setting:
//
//	group := settings.NewGroup("persona", words.PersonaTitle, words.PersonaHelp)
//	daily := settings.Int(group, "daily", 20, 1, 500, words.PersonaDaily)
//	…
//	n, err := daily.In(ctx, guild) // from memory
//
// and give the group to New. A field's whole name is "persona.daily", also in
// the file and in the database; it never changes.
//
// Values have one text form each, the canonical text, which is what is stored,
// compared and audited. A value equal to the default is not kept: it follows
// the default of later versions.
//
// It leaves commands and forms to their platform, and to a Checker what only
// the platform knows: whether a channel is there and the bot may write in it.
package settings

import (
	"context"
	"embed"
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
func Migrations() store.Migrations { return store.Migrations{Feature: "settings", FS: migrations} }

// Recheck is how long values are read from memory before the database is
// asked whether another process changed them.
const Recheck = 3 * time.Second

// Config is what a Book needs.
type Config struct {
	Store *store.Store
	Clock clock.Clock
	Log   *slog.Logger // nil: nothing is logged
	// Groups are shown in this order. A group belongs to one Book.
	Groups []*Group
}

// Book holds the settings of all guilds. It is safe for concurrent use, and
// several processes on one PostgreSQL database share what it keeps.
type Book struct {
	store  *store.Store
	clock  clock.Clock
	log    *slog.Logger
	groups []*Group
	fields map[string]*Field
	hooks  []Hook

	mu     sync.Mutex
	guilds map[community.GuildID]*entry
	warned map[warning]struct{}
}

// New makes a Book. Its tables must have been migrated. It panics if two
// groups have one name, or if a group is in a Book already.
func New(c Config) *Book {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	b := &Book{store: c.Store, clock: c.Clock, log: c.Log, groups: c.Groups, fields: map[string]*Field{},
		guilds: map[community.GuildID]*entry{}, warned: map[warning]struct{}{}}
	names := map[string]bool{}
	for _, g := range c.Groups {
		if names[g.name] {
			panic("settings: two groups are called " + g.name)
		}
		names[g.name] = true
		if !g.book.CompareAndSwap(nil, b) {
			panic("settings: the group " + g.name + " is in another book")
		}
		for _, f := range g.fields {
			b.fields[f.Name()] = f
		}
	}
	return b
}

// Hook is told of changes, inside the transaction that makes them. An error
// undoes them.
type Hook func(ctx context.Context, tx store.Tx, guild community.GuildID, changes []Change) error

// OnChange adds a hook. It is called before the Book is in use.
func (b *Book) OnChange(h Hook) { b.hooks = append(b.hooks, h) }

// Groups are the groups, in the order they were given.
func (b *Book) Groups() []*Group { return b.groups }

// Field is a field by its whole name.
func (b *Book) Field(name string) (*Field, bool) {
	f, ok := b.fields[name]
	return f, ok
}

// By is who changes something, and how.
type By struct {
	Member community.MemberID
	Name   string // as they are shown; empty when unknown
	Via    string // "command", "form", "import", …
}

// Lengths of what is stored, in bytes.
const (
	longestName = 200
	longestID   = 100
)

func (by By) stored() By {
	return By{
		Member: community.MemberID(store.Storable(string(by.Member), longestID)),
		Name:   store.Storable(by.Name, longestName),
		Via:    store.Storable(by.Via, longestID),
	}
}

// Revision names a state of a guild's settings: it grows with each change (to
// about the microseconds since 1970) and is zero before the first. It is what a
// form remembers of the moment it was shown.
type Revision int64

// Change is one field that got another value. Old and New are canonical texts;
// Old is the stored one if it was of no use.
type Change struct {
	Field    *Field
	Old, New string
	// OldBy and OldAt tell who had set the old value; the zero time when
	// nobody had.
	OldBy By
	OldAt time.Time
}

func ms(t time.Time) int64 { return t.UnixMilli() }

func fromMS(n int64) time.Time { return time.UnixMilli(n).UTC() }

// checkGuild refuses what the database would not keep as it is.
func checkGuild(g community.GuildID) error {
	if g == "" || string(g) != store.Storable(string(g), longestID) {
		return fmt.Errorf("%q is no guild's id", string(g))
	}
	return nil
}
