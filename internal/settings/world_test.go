package settings

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"
	_ "time/tzdata" // for systems that have none

	"rookery/internal/clock"
	"rookery/internal/community"
	"rookery/internal/store"
	"rookery/internal/store/storetest"
	"rookery/internal/words"
)

type mood string

// fields are one of each kind.
type fields struct {
	all      []*Group
	enabled  *Setting[bool]
	daily    *Setting[int]
	pause    *Setting[time.Duration]
	about    *Setting[string]
	mood     *Setting[mood]
	channel  *Setting[community.ChannelID]
	channels *Setting[[]community.ChannelID]
	role     *Setting[community.RoleID]
	roles    *Setting[[]community.RoleID]
	zone     *Setting[*time.Location]
	language *Setting[words.Language]
}

var writable = ChannelRule{Kinds: []ChannelKind{TextChannel, Thread}, Needs: []Permission{ViewChannel, SendMessages}}

// declareAll is what each process does for itself. The texts are any of the
// catalogue.
func declareAll() fields {
	a, b := NewGroup("owl", words.SettingsOn, words.SettingsBoundsZone), NewGroup("general", words.SettingsOff, words.SettingsNone)
	return fields{
		all:      []*Group{a, b},
		enabled:  Bool(a, "enabled", false, words.SettingsBoundsBool),
		daily:    Int(a, "daily", 20, -5, 5000, words.SettingsBoundsBool),
		pause:    Duration(a, "pause", 90*time.Second, 10*time.Second, 48*time.Hour, words.SettingsBoundsBool),
		about:    Text(a, "about", "An owl.", 300, words.SettingsBoundsText),
		mood:     Choice(a, "mood", mood("calm"), []Option{{"calm", words.SettingsKindText}, {"off", words.SettingsOff}}, words.SettingsBoundsChoice),
		channel:  Channel(a, "channel", writable, words.SettingsBoundsChannel),
		channels: Channels(a, "channels", writable, words.SettingsBoundsChannels),
		role:     Role(b, "role", words.SettingsBoundsRole),
		roles:    Roles(b, "roles", words.SettingsBoundsRoles),
		zone:     Zone(b, "zone", "UTC", words.SettingsBoundsZone),
		language: Language(b, "language", words.English, words.SettingsBoundsBool),
	}
}

const guild = community.GuildID("100")

var (
	ada = By{Member: "1", Name: "Ada", Via: "command"}
	ben = By{Member: "2", Name: "Ben", Via: "form"}
)

var at = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// world is one process.
type world struct {
	*testing.T
	*Book
	fields
	s     *store.Store
	clock *clock.Manual
	log   *lockedBuffer
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func each(t *testing.T, fn func(w *world)) {
	t.Helper()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		fn(process(t, s, clock.NewManual(at)))
	}, Migrations())
}

func process(t *testing.T, s *store.Store, c *clock.Manual) *world {
	w := &world{T: t, fields: declareAll(), s: s, clock: c, log: &lockedBuffer{}}
	w.Book = New(Config{Store: s, Clock: c, Log: slog.New(slog.NewTextHandler(w.log, nil)), Groups: w.all})
	return w
}

func (w *world) set(by By, field, text string) []Change {
	w.Helper()
	changes, err := w.Set(w.Context(), Form{Guild: guild, By: by, Values: []Raw{{Field: field, Text: text}}})
	if err != nil {
		w.Fatal(err)
	}
	return changes
}

func (w *world) show() Sheet {
	w.Helper()
	sheet, err := w.Show(w.Context(), guild)
	if err != nil {
		w.Fatal(err)
	}
	return sheet
}

func (w *world) history() []Line {
	w.Helper()
	lines, err := w.History(w.Context(), guild, 1000)
	if err != nil {
		w.Fatal(err)
	}
	return lines
}

// in reads a setting, from memory if that will do.
func in[T any](w *world, s *Setting[T]) T {
	w.Helper()
	v, err := s.In(w.Context(), guild)
	if err != nil {
		w.Fatal(err)
	}
	return v
}

func (w *world) exec(sql string, args ...any) {
	w.Helper()
	err := w.s.Write(w.Context(), func(ctx context.Context, tx store.Tx) error {
		_, err := tx.Exec(ctx, sql, args...)
		return err
	})
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) count(table string) (n int64) {
	w.Helper()
	if err := w.s.QueryRow(w.Context(), `select count(*) from `+table).Scan(&n); err != nil {
		w.Fatal(err)
	}
	return n
}

// refused are the keys of all that is wrong.
func refused(t testing.TB, err error) []*Problem {
	t.Helper()
	r, ok := errors.AsType[*Refused](err)
	if !ok {
		t.Fatalf("error %v, want *Refused", err)
	}
	return r.Problems
}

// platform is a Checker: channels and roles whose ids begin with 9 are gone,
// and it may not write where they begin with 8.
type platform struct {
	down  error
	asked []string
}

func (p *platform) CheckChannel(_ context.Context, _ community.GuildID, c community.ChannelID, kinds []ChannelKind, needs []Permission) error {
	p.asked = append(p.asked, string(c))
	switch {
	case p.down != nil:
		return p.down
	case c[0] == '9':
		return ChannelGone(c)
	case c[0] == '8':
		return Missing(c, needs[1:])
	case c[0] == '7':
		return WrongKind(c, kinds)
	}
	return nil
}

func (p *platform) CheckRole(_ context.Context, _ community.GuildID, r community.RoleID) error {
	p.asked = append(p.asked, string(r))
	if r[0] == '9' {
		return RoleGone(r)
	}
	return p.down
}
