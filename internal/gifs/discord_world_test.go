package gifs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"rookery/internal/booru"
	"rookery/internal/clock"
	"rookery/internal/community"
	"rookery/internal/discord"
	"rookery/internal/inbox"
	"rookery/internal/media"
	"rookery/internal/outbox"
	"rookery/internal/publicnet"
	"rookery/internal/settings"
	"rookery/internal/sim/boorusim"
	"rookery/internal/sim/discordsim"
	"rookery/internal/store"
	"rookery/internal/store/storetest"
)

// guildWorld is a guild with the bot, an image board, and the feature between
// them, all real but for the servers.
type guildWorld struct {
	testing.TB
	sim     *discordsim.Server
	board   *boorusim.Server
	log     *logged
	store   *store.Store
	clock   *clock.Manual
	guild   string
	general string
	adult   string // age-restricted
	ada     string // who asks
	ben     string // a stranger
	wing
}

// wing is what one process holds.
type wing struct {
	gifs     *GIFs
	discord  *discord.Discord
	outbox   *outbox.Outbox
	inbox    *inbox.Inbox
	book     *settings.Book
	settings *Settings
	account  community.AccountID
}

func guildTables() []store.Migrations {
	return append(tables(), discord.Migrations(), settings.Migrations())
}

// inGuild runs a test on SQLite.
func inGuild(t *testing.T, fn func(t *testing.T, s *store.Store)) {
	t.Helper()
	t.Parallel()
	fn(t, storetest.Open(t, storetest.Config(t, store.SQLite), guildTables()...))
}

// eachGuild runs a test on both databases.
func eachGuild(t *testing.T, fn func(t *testing.T, s *store.Store)) {
	t.Helper()
	t.Parallel()
	storetest.Each(t, fn, guildTables()...)
}

// newGuild starts the servers and connects the bot to a guild that has turned
// pictures on.
func newGuild(t testing.TB, s *store.Store, more func(*Config), pictures ...boorusim.Image) *guildWorld {
	t.Helper()
	w := &guildWorld{TB: t, store: s, log: &logged{}, clock: clock.NewManual(time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC))}
	var err error
	if w.sim, err = discordsim.New(discordsim.Options{NoRateLimits: true, Clock: w.clock.Now, HeartbeatInterval: time.Hour}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.sim.Close)
	if w.board, err = boorusim.Start(boorusim.Config{NoLimits: true}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.board.Close() })
	w.board.Add(pictures...)
	w.guild = w.sim.AddGuild("Owls")
	w.general = w.sim.AddChannel(w.guild, "general", discordsim.Text)
	w.adult = w.sim.AddChannel(w.guild, "late", discordsim.Text, discordsim.AgeRestricted())
	w.ada, w.ben = w.sim.AddUser("ada"), w.sim.AddUser("ben")
	w.sim.Join(w.guild, w.ada)
	w.sim.Join(w.guild, w.ben)
	w.sim.BotJoins(w.guild, discordsim.ViewChannel|discordsim.SendMessages|discordsim.AttachFiles|discordsim.ReadMessageHistory|discordsim.SendMessagesInThreads)
	w.wing = w.newWing(more)
	w.set("enabled", "on")
	w.account = discord.AccountOf(w.sim.AppID())
	// Nothing that happens here is from before the start.
	if _, err := w.inbox.Begin(t.Context(), inbox.Account{ID: w.account}, w.clock.Now().Add(-time.Minute)); err != nil {
		t.Fatal(err)
	}
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
	w.waitFor("the command is registered", func(s *discordsim.Server) bool { return len(s.Commands(w.guild)) > 0 })
	return w
}

// newWing puts the parts together, as app does.
func (w *guildWorld) newWing(more func(*Config)) wing {
	w.Helper()
	log := slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelInfo}))
	h := wing{account: w.account, settings: Declare()}
	h.book = settings.New(settings.Config{Store: w.store, Clock: w.clock, Log: log, Groups: []*settings.Group{h.settings.Group}})
	h.outbox = outbox.New(outbox.Config{Store: w.store, Clock: w.clock, Log: log})
	h.inbox = inbox.New(w.store, w.clock, log)
	transport := &http.Transport{}
	w.Cleanup(transport.CloseIdleConnections)
	board := brisk{asked: new(atomic.Int64), clock: w.clock}
	var err error
	if board.Source, err = booru.NewPhilomena(booru.Options{BaseURL: w.board.URL(), UserAgent: "Rookery test", Transport: transport, NSFWFilterID: "2", Now: board.now, Timeout: 5 * time.Second}); err != nil {
		w.Fatal(err)
	}
	kit, err := media.New(media.Options{Dir: w.TempDir(), Fetch: publicnet.New(publicnet.Options{AllowLoopback: true}), Log: log, Now: w.clock.Now, FFmpeg: "no-such-ffmpeg"})
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { _ = kit.Close() })
	blocked, err := booru.NewBlocklist()
	if err != nil {
		w.Fatal(err)
	}
	c := Config{Store: w.store, Outbox: h.outbox, Clock: w.clock, Log: log, Sources: []booru.Source{board}, Media: kit, Blocklist: blocked,
		NoRepeat: time.Hour, Queue: 5, Burst: 100, Rate: 100, Settings: h.settings}
	if more != nil {
		more(&c)
	}
	h.gifs = New(c)
	h.discord, err = discord.New(discord.Config{Store: w.store, Inbox: h.inbox, Outbox: h.outbox, Clock: w.clock, Log: log, Token: w.sim.Token(), API: w.sim.URL(),
		Timeout: 5 * time.Second, MaxAge: 24 * time.Hour, Features: []inbox.Feature{h.gifs.Of(true)}, Commands: h.gifs.Commands()})
	if err != nil {
		w.Fatal(err)
	}
	h.gifs.JoinDiscord(h.discord, h.inbox, 24*time.Hour)
	return h
}

// restart is another process in the place of this one; it logs in, and does
// not connect.
func (w *guildWorld) restart() {
	w.Helper()
	w.wing = w.newWing(nil)
	if err := w.discord.PollOnce(w.Context()); err != nil {
		w.Fatal(err)
	}
	// What the last process held comes free by itself.
	w.clock.Advance(w.gifs.Hold() + time.Second)
	if err := errors.Join(w.gifs.Recover(w.Context()), w.outbox.Recover(w.Context())); err != nil {
		w.Fatal(err)
	}
}

func (w *guildWorld) patience() context.Context {
	ctx, cancel := context.WithTimeout(w.Context(), 20*time.Second) // it is no measure of anything
	w.Cleanup(cancel)
	return ctx
}

func (w *guildWorld) waitFor(what string, cond func(s *discordsim.Server) bool) {
	w.Helper()
	if err := w.sim.WaitFor(w.patience(), cond); err != nil {
		w.Fatalf("waited in vain until %s", what)
	}
}

// set changes a setting of the guild.
func (w *guildWorld) set(field, value string) {
	w.Helper()
	if _, err := w.book.Set(w.Context(), settings.Form{Guild: community.GuildID(w.guild), Values: []settings.Raw{{Field: "gifs." + field, Text: value}}}); err != nil {
		w.Fatal(err)
	}
}

// slash gives the command and waits until it is taken: by an answer, or by
// "thinking".
func (w *guildWorld) slash(channel, words string, more ...discordsim.Args) *discordsim.Interaction {
	w.Helper()
	args := discordsim.Args{}
	if words != "" {
		args["words"] = words
	}
	for _, a := range more {
		for k, v := range a {
			args[k] = v
		}
	}
	in, err := w.sim.Slash(w.ada, channel, "gif", args)
	if err != nil {
		w.Fatal(err)
	}
	out, err := in.Wait(w.patience())
	if err != nil || out.Failed {
		w.Fatalf("%+v, %v", out, err)
	}
	return in
}

// say has Ada write to the bot, and waits until that is taken in.
func (w *guildWorld) say(channel, text string) string {
	w.Helper()
	id, err := w.sim.Say(w.ada, channel, discordsim.Draft{Content: "<@" + w.sim.AppID() + "> " + text})
	if err != nil {
		w.Fatal(err)
	}
	w.taken(`uri = 'discord:message:` + id + `'`)
	return id
}

// taken waits until the inbox has a row.
func (w *guildWorld) taken(where string) {
	w.Helper()
	give := time.After(20 * time.Second)
	for {
		var n int64
		if err := w.store.QueryRow(w.Context(), `select count(*) from inbox_mention where `+where).Scan(&n); err != nil {
			w.Fatal(err)
		}
		if n > 0 {
			return
		}
		select {
		case <-give:
			w.Fatalf("nothing was taken in where %s", where)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// work answers what waits, and has the outbox look after it.
func (w *guildWorld) work() {
	w.Helper()
	for range 8 {
		_, _ = w.gifs.Answer(w.Context(), w.account, -1) // its trouble is what a test makes
		if _, err := w.outbox.Sweep(w.Context()); err != nil {
			w.Fatal(err)
		}
		counts, err := w.inbox.Counts(w.Context(), w.account)
		if err != nil {
			w.Fatal(err)
		}
		if counts[inbox.Waiting]+counts[inbox.Answering] == 0 {
			return
		}
		w.clock.Advance(3 * time.Minute)
	}
	w.Error("something still waits")
}

// answers are the bot's messages in a channel.
func (w *guildWorld) answers(channel string) []discordsim.Message {
	return slices.DeleteFunc(w.sim.Messages(channel), func(m discordsim.Message) bool { return m.Author != w.sim.AppID() || m.Loading() })
}

// only is the bot's one message in a channel.
func (w *guildWorld) only(channel string) discordsim.Message {
	w.Helper()
	all := w.answers(channel)
	if len(all) != 1 {
		w.Fatalf("%d messages, not one: %+v", len(all), all)
	}
	return all[0]
}

// private is what a command was answered with at once, for the member alone.
func (w *guildWorld) private(in *discordsim.Interaction) string {
	w.Helper()
	out := in.Now()
	if out.Message == nil || !out.Ephemeral || out.Loading {
		w.Fatalf("the answer is not private, or not there: %+v", out)
	}
	return out.Message.Content
}

// are fails unless the account's mentions are in these states: "done 1".
func (w *guildWorld) are(want string) {
	w.Helper()
	counts, err := w.inbox.Counts(w.Context(), w.account)
	if err != nil {
		w.Fatal(err)
	}
	var got []string
	for s, n := range counts {
		got = append(got, fmt.Sprintf("%s %d", s, n))
	}
	slices.Sort(got)
	if s := strings.Join(got, ", "); s != want {
		w.Errorf("the mentions are %q, not %q", s, want)
	}
}

// noPictures fails if the bot has sent a picture anywhere.
func (w *guildWorld) noPictures(channels ...string) {
	w.Helper()
	for _, c := range channels {
		for _, m := range w.answers(c) {
			if len(m.Attachments) > 0 {
				w.Errorf("a picture is shown: %+v", m)
			}
		}
	}
}

// buttons are the custom ids of a message's buttons.
func buttons(m discordsim.Message) (ids []string) {
	for _, c := range m.Controls() {
		if c.ID != "" {
			ids = append(ids, c.ID)
		}
	}
	return ids
}
