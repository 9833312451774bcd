package settings

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	"rookery/internal/community"
	"rookery/internal/store"
	"rookery/internal/words"
)

// Group is a feature's fields: one command, one page, one section of the file.
type Group struct {
	name        string
	title, help words.Key
	fields      []*Field
	book        atomic.Pointer[Book]
}

// longestWord is what a command's or an option's name may have.
const longestWord = 32

// NewGroup makes a group without fields. A name has lower-case letters, digits
// and underscores, 32 at most; anything else panics.
func NewGroup(name string, title, help words.Key) *Group {
	checkWord(name)
	return &Group{name: name, title: title, help: help}
}

func checkWord(name string) {
	if name == "" || len(name) > longestWord || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789_") != "" || name[0] < 'a' || name[0] > 'z' {
		panic(fmt.Sprintf("settings: %q is no name for a field or a group", name))
	}
}

// Name is the group's name, like "persona".
func (g *Group) Name() string { return g.name }

// Title is what people call it.
func (g *Group) Title() words.Key { return g.title }

// Help says what it is for.
func (g *Group) Help() words.Key { return g.help }

// Fields are its fields, in the order of their declaration.
func (g *Group) Fields() []*Field { return slices.Clone(g.fields) }

// Kind is the type of a field.
type Kind string

// The kinds of fields.
const (
	KindBool     Kind = "bool"
	KindInt      Kind = "int"
	KindDuration Kind = "duration"
	KindText     Kind = "text"
	KindChoice   Kind = "choice"
	KindChannel  Kind = "channel"
	KindChannels Kind = "channels"
	KindRole     Kind = "role"
	KindRoles    Kind = "roles"
	KindZone     Kind = "zone"
	KindLanguage Kind = "language"
)

// Option is one value of a choice. Label is what people read and may type.
type Option struct {
	Value string // lower-case letters, digits and underscores
	Label words.Key
}

// Field is one declared setting, whatever its type: what commands, forms and
// files need of it.
type Field struct {
	group     *Group
	name      string
	kind      Kind
	help      words.Key
	def       string
	min, max  int64 // of an int; seconds of a duration; characters of a text; items of a list
	options   []Option
	rule      ChannelRule
	fallback  any // the default, typed
	parseText func(raw string) (text string, value any, bad *Problem)
}

// Name is the whole name, like "persona.daily".
func (f *Field) Name() string { return f.group.name + "." + f.name }

// Short is the name within the group, like "daily".
func (f *Field) Short() string { return f.name }

// Group is the group it belongs to.
func (f *Field) Group() *Group { return f.group }

// Kind is its type.
func (f *Field) Kind() Kind { return f.kind }

// Help says what it does.
func (f *Field) Help() words.Key { return f.help }

// Default is the canonical text of its default.
func (f *Field) Default() string { return f.def }

// Range is the smallest and largest value of an int, and of a duration in
// seconds; the fewest and most characters of a text; the fewest and most items
// of a list. Zero and zero for the other kinds.
func (f *Field) Range() (low, high int64) { return f.min, f.max }

// Options are the values of a choice or a language.
func (f *Field) Options() []Option { return slices.Clone(f.options) }

// Channels is what a channel, or each of a list, must be fit for.
func (f *Field) Channels() ChannelRule { return f.rule }

// IsList tells whether it holds several values.
func (f *Field) IsList() bool { return f.kind == KindChannels || f.kind == KindRoles }

// Parse makes the canonical text of what a person has written, or says what is
// wrong with it. It asks no Checker. The canonical text of a canonical text is
// itself.
func (f *Field) Parse(raw string) (string, *Problem) {
	text, _, bad := f.parse(raw)
	return text, bad
}

// longestRaw bounds what is looked at: a text of 4,000 characters, and a list
// of 25 mentions, are shorter.
const longestRaw = 32 << 10

func (f *Field) parse(raw string) (text string, value any, bad *Problem) {
	if len(raw) > longestRaw {
		bad = problem(words.SettingsTooLong, words.Args{"n": len(raw), "max": longestRaw})
	} else {
		text, value, bad = f.parseText(raw)
	}
	if bad != nil {
		bad.Field = f
		return "", nil, bad
	}
	return text, value, nil
}

// Setting is a field that is read as a T.
type Setting[T any] struct{ *Field }

// declare adds a field to its group. A default that its own bounds refuse, a
// second field of one name, and a group in use already are a programmer's
// mistakes: it panics.
func declare[T any](g *Group, f *Field, def string) *Setting[T] {
	checkWord(f.name)
	f.group = g
	if g.book.Load() != nil {
		panic("settings: " + f.Name() + " is declared too late: its group is in use")
	}
	if slices.ContainsFunc(g.fields, func(o *Field) bool { return o.name == f.name }) {
		panic("settings: " + f.Name() + " is declared twice")
	}
	text, value, bad := f.parse(def)
	if bad != nil {
		panic("settings: the default of " + f.Name() + ": " + bad.Error())
	}
	f.def, f.fallback = text, value
	g.fields = append(g.fields, f)
	return &Setting[T]{f}
}

// In is the guild's value, from memory; the database is asked at the first
// time, after a change, and every few seconds for the changes of other
// processes. A stored value that is of no use any more gives the default and
// one warning in the log. An error means that the database cannot be read.
//
// Inside a transaction it may fail with store.ErrNested: use InTx there.
func (s *Setting[T]) In(ctx context.Context, guild community.GuildID) (T, error) {
	b := s.group.book.Load()
	if b == nil {
		return s.typed(nil), fmt.Errorf("read %s: its group is in no book", s.Name())
	}
	snap, err := b.snapshot(ctx, guild)
	if err != nil {
		return s.typed(nil), fmt.Errorf("read %s: %w", s.Name(), err)
	}
	return s.typed(snap.values[s.Field]), nil
}

// InTx is In from within a transaction, which it sees; it reads the database.
func (s *Setting[T]) InTx(ctx context.Context, tx store.Tx, guild community.GuildID) (T, error) {
	b := s.group.book.Load()
	if b == nil {
		return s.typed(nil), fmt.Errorf("read %s: its group is in no book", s.Name())
	}
	v, err := b.valueIn(ctx, tx, guild, s.Field)
	if err != nil {
		return s.typed(nil), fmt.Errorf("read %s: %w", s.Name(), err)
	}
	return s.typed(v), nil
}

// Fallback is the default.
func (s *Setting[T]) Fallback() T { return s.typed(nil) }

// typed is v, or the default for nil. Lists are the reader's own.
func (s *Setting[T]) typed(v any) T {
	if v == nil {
		v = s.fallback
	}
	switch list := v.(type) {
	case []community.ChannelID:
		v = slices.Clone(list)
	case []community.RoleID:
		v = slices.Clone(list)
	}
	return v.(T)
}
