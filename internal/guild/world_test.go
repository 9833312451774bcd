package guild

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"rookery/internal/clock"
	"rookery/internal/community"
	"rookery/internal/discord"
	"rookery/internal/inbox"
	"rookery/internal/outbox"
	"rookery/internal/settings"
	"rookery/internal/sim/discordsim"
	"rookery/internal/store"
	"rookery/internal/store/storetest"
	"rookery/internal/words"
)

// world is a guild with the bot and two features that it may turn on, all real
// but for the server.
type world struct {
	testing.TB
	sim     *discordsim.Server
	store   *store.Store
	clock   *clock.Manual
	log     *logged
	guild   string
	general string
	staff   string
	closed  string // the bot sees it, and may not write there
	ada     string // manages the guild
	eve     string // does so too
	ben     string // does not

	book    *settings.Book
	feature *Guild
	discord *discord.Discord
	owls    owls
	quiet   *settings.Setting[bool] // of a feature that speaks nowhere
}

// owls are the settings of a feature that speaks.
type owls struct {
	group         *settings.Group
	on            *settings.Setting[bool]
	channels, not *settings.Setting[[]community.ChannelID]
	daily         *settings.Setting[int]
}

func declareOwls() owls {
	g := settings.NewGroup("owls", words.PersonaTitle, words.PersonaHelp)
	return owls{
		group: g,
		on:    settings.Bool(g, "enabled", false, words.PersonaEnabled),
		channels: settings.Channels(g, "channels", settings.ChannelRule{Kinds: []settings.ChannelKind{settings.TextChannel},
			Needs: []settings.Permission{settings.ViewChannel, settings.SendMessages}}, words.PersonaChannels),
		not:   settings.Channels(g, "not_channels", settings.ChannelRule{Kinds: []settings.ChannelKind{settings.TextChannel}}, words.PersonaNotChannels),
		daily: settings.Int(g, "daily", 20, 1, 500, words.PersonaMessages),
	}
}

func tables() []store.Migrations {
	return []store.Migrations{inbox.Migrations(), outbox.Migrations(), discord.Migrations(), settings.Migrations(), Migrations()}
}

// inGuild runs a test on SQLite.
func inGuild(t *testing.T, fn func(w *world), more ...*settings.Group) {
	t.Helper()
	t.Parallel()
	fn(newWorld(t, storetest.Open(t, storetest.Config(t, store.SQLite), tables()...), more...))
}

// eachGuild runs a test on both databases.
func eachGuild(t *testing.T, fn func(w *world)) {
	t.Helper()
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) { fn(newWorld(t, s)) }, tables()...)
}

func newWorld(t testing.TB, s *store.Store, more ...*settings.Group) *world {
	t.Helper()
	w := &world{TB: t, store: s, log: &logged{}, clock: clock.NewManual(time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC))}
	var err error
	if w.sim, err = discordsim.New(discordsim.Options{NoRateLimits: true, Clock: w.clock.Now, HeartbeatInterval: time.Hour}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.sim.Close)
	w.guild = w.sim.AddGuild("Owls")
	w.general, w.staff = w.sim.AddChannel(w.guild, "general", discordsim.Text), w.sim.AddChannel(w.guild, "staff", discordsim.Text)
	w.closed = w.sim.AddChannel(w.guild, "rules", discordsim.Text, discordsim.Deny(w.guild, discordsim.SendMessages))
	w.ada, w.eve, w.ben = w.sim.AddUser("ada"), w.sim.AddUser("eve"), w.sim.AddUser("ben")
	managers := w.sim.AddRole(w.guild, "managers", discordsim.ManageGuild)
	w.sim.Join(w.guild, w.ada, managers)
	w.sim.Join(w.guild, w.eve, managers)
	w.sim.Join(w.guild, w.ben)
	w.sim.BotJoins(w.guild, discordsim.ViewChannel)
	w.put(more)

	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { w.discord.Run(ctx) })
	t.Cleanup(func() {
		cancel()
		running.Wait()
		if t.Failed() {
			t.Log(w.log.String())
		}
	})
	defer w.clock.Run()() // some of what is done at the start waits a little
	if err := w.discord.WaitReady(w.patience()); err != nil {
		t.Fatal(err)
	}
	w.waitFor("the commands are registered", func(s *discordsim.Server) bool { return w.has("settings") })
	return w
}

// put puts the parts together, as app does.
func (w *world) put(more []*settings.Group) {
	w.Helper()
	log := slog.New(slog.NewTextHandler(w.log, nil))
	w.owls = declareOwls()
	silent := settings.NewGroup("silent", words.GIFsSettingsTitle, words.GIFsSettingsHelp)
	w.quiet = settings.Bool(silent, "enabled", false, words.GIFsSettingEnabled)
	general := Declare("")
	w.book = settings.New(settings.Config{Store: w.store, Clock: w.clock, Log: log, Groups: append([]*settings.Group{general.Group, w.owls.group, silent}, more...)})
	box := outbox.New(outbox.Config{Store: w.store, Clock: w.clock, Log: log})
	transport := &http.Transport{}
	w.Cleanup(transport.CloseIdleConnections)
	w.feature = New(Config{Book: w.book, General: general, Log: log, Store: w.store, Clock: w.clock,
		Features: []Feature{
			{Title: words.PersonaTitle, Help: words.PersonaHelp, On: w.owls.on, Channels: w.owls.channels},
			{Title: words.GIFsSettingsTitle, Help: words.GIFsSettingsHelp, On: w.quiet},
		},
		Topics: []Topic{{
			On: func(ctx context.Context, g community.GuildID) bool {
				on, err := w.owls.on.In(ctx, g)
				return err == nil && on
			},
			Say: func(l words.Language) string { return l.Say(words.GuildTopicGIFs, nil) },
		}},
		Fetch: func(ctx context.Context, address string, most int64) ([]byte, error) {
			r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
			if err != nil {
				return nil, err
			}
			resp, err := transport.RoundTrip(r)
			if err != nil {
				return nil, err
			}
			defer resp.Body.Close()
			if resp.StatusCode != http.StatusOK {
				return nil, errors.New(resp.Status)
			}
			return io.ReadAll(io.LimitReader(resp.Body, most))
		}})
	commands := append(w.feature.Commands(), discord.Command{Name: "hoot", Kind: discord.Slash, Help: words.GIFsSettingsHelp,
		On: func(ctx context.Context, g community.GuildID) bool {
			on, err := w.owls.on.In(ctx, g)
			return err == nil && on
		},
		Handle: func(context.Context, *discord.Press) (discord.Answer, error) { return say("hoot"), nil }})
	var err error
	w.discord, err = discord.New(discord.Config{Store: w.store, Inbox: inbox.New(w.store, w.clock, log), Outbox: box, Clock: w.clock, Log: log,
		Token: w.sim.Token(), API: w.sim.URL(), Timeout: 5 * time.Second, MaxAge: 24 * time.Hour, Commands: commands,
		Language: general.LanguageOf, Removed: w.feature.Removed,
		Joined: func(ctx context.Context, g discord.Guild) { w.feature.Joined(ctx, g.ID) }})
	if err != nil {
		w.Fatal(err)
	}
	w.book.OnChange(w.feature.Changed(w.discord.Refresh))
	w.feature.Join(w.discord)
}

// has tells whether a command is registered for the guild or for all.
func (w *world) has(name string) bool {
	for _, c := range append(w.sim.Commands(w.guild), w.sim.Commands("")...) {
		if c.Name == name {
			return true
		}
	}
	return false
}

func (w *world) id() community.GuildID { return community.GuildID(w.guild) }

func (w *world) patience() context.Context {
	ctx, cancel := context.WithTimeout(w.Context(), 20*time.Second) // it is no measure of anything
	w.Cleanup(cancel)
	return ctx
}

func (w *world) waitFor(what string, cond func(s *discordsim.Server) bool) {
	w.Helper()
	if err := w.sim.WaitFor(w.patience(), cond); err != nil {
		w.Fatalf("waited in vain until %s", what)
	}
}

// until waits for something that the server does not see.
func (w *world) until(what string, cond func() bool) {
	w.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for give := w.patience(); !cond(); {
		select {
		case <-tick.C:
		case <-give.Done():
			w.Fatalf("waited in vain until %s", what)
		}
	}
}

// slash gives a command in the general channel.
func (w *world) slash(who, name string, args discordsim.Args) discordsim.Message {
	w.Helper()
	in, err := w.sim.Slash(who, w.general, name, args)
	return w.answer(in, err)
}

// press presses a button.
func (w *world) press(who string, m discordsim.Message, id string) discordsim.Message {
	w.Helper()
	in, err := w.sim.PressButton(who, m.ID, id)
	return w.answer(in, err)
}

// choose chooses in a menu.
func (w *world) choose(who string, m discordsim.Message, id string, values ...string) discordsim.Message {
	w.Helper()
	in, err := w.sim.Select(who, m.ID, id, values...)
	return w.answer(in, err)
}

// answer is what the member alone sees.
func (w *world) answer(in *discordsim.Interaction, err error) discordsim.Message {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
	out, err := in.WaitDone(w.patience())
	if err != nil || out.Failed || out.Message == nil {
		w.Fatalf("%+v, %v", out, err)
	}
	if !out.Message.Ephemeral() {
		w.Errorf("everybody sees it: %+v", out.Message)
	}
	return *out.Message
}

// set changes settings of the guild, as somebody else does.
func (w *world) set(field, value string) {
	w.Helper()
	if _, err := w.book.Set(w.Context(), settings.Form{Guild: w.id(), By: settings.By{Member: "1", Name: "Somebody"}, Values: []settings.Raw{{Field: field, Text: value}}}); err != nil {
		w.Fatal(err)
	}
}

// is fails unless a field has this canonical text.
func (w *world) is(field, want string) {
	w.Helper()
	sheet, err := w.book.Show(w.Context(), w.id())
	if err != nil {
		w.Fatal(err)
	}
	if v, ok := sheet.Value(field); !ok || v.Text != want {
		w.Errorf("%s is %q, not %q", field, v.Text, want)
	}
}

// audit fails unless these are the latest lines, the latest first, and nothing
// was before them: "field old new via".
func (w *world) audit(want ...string) {
	w.Helper()
	lines, err := w.book.History(w.Context(), w.id(), 50)
	if err != nil {
		w.Fatal(err)
	}
	var got []string
	for _, l := range lines {
		got = append(got, fmt.Sprintf("%s %q %q %s", l.Field, l.Old, l.New, l.By.Via))
	}
	if a, b := strings.Join(got, "\n"), strings.Join(want, "\n"); a != b {
		w.Errorf("the audit is\n%s\nnot\n%s", a, b)
	}
}

// text is all that stands in a message.
func text(m discordsim.Message) string {
	all := m.Content
	for _, e := range m.Embeds {
		all += fmt.Sprintf("\n%v\n%v", e["title"], e["description"])
	}
	return all
}

func (w *world) contains(text string, parts ...string) {
	w.Helper()
	for _, p := range parts {
		if !strings.Contains(text, p) {
			w.Errorf("%q is not in:\n%s", p, text)
		}
	}
}

func (w *world) lacks(text string, parts ...string) {
	w.Helper()
	for _, p := range parts {
		if strings.Contains(text, p) {
			w.Errorf("%q is in:\n%s", p, text)
		}
	}
}

// ids are the custom ids of a message's components.
func ids(m discordsim.Message) (all []string) {
	for _, c := range m.Controls() {
		if c.ID != "" {
			all = append(all, c.ID)
		}
	}
	return all
}

// logged keeps the log for a test that fails.
type logged struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
