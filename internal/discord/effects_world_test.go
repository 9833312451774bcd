package discord

import (
	"context"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/disgoorg/disgo/rest"

	"rookery/internal/clock"
	"rookery/internal/community"
	"rookery/internal/inbox"
	"rookery/internal/outbox"
	"rookery/internal/sim/discordsim"
	"rookery/internal/store"
	"rookery/internal/store/storetest"
)

// bench is a bot without a gateway in a guild with one channel, on a clock
// that the test moves.
type bench struct {
	t              *testing.T
	sim            *discordsim.Server
	clock          *clock.Manual
	store          *store.Store
	out            *outbox.Outbox
	in             *inbox.Inbox
	d              *Discord
	guild, general string
	ada            string
	account        community.AccountID

	mu    sync.Mutex
	ended map[string]outbox.Result
	taken []community.Mention
}

// Name and the following make the bench a feature that wants everything.
func (*bench) Name() string                                              { return "bench" }
func (*bench) Wake(context.Context, store.Tx, community.AccountID) error { return nil }
func (*bench) Wants(community.Mention) (bool, string)                    { return true, "" }

func (b *bench) Accept(_ context.Context, tx store.Tx, _ inbox.ID, m community.Mention) error {
	tx.AfterCommit(func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.taken = append(b.taken, m)
	})
	return nil
}

// texts are the words of what was taken in since the last time, sorted.
func (b *bench) texts() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var out []string
	for _, m := range b.taken {
		out = append(out, m.Post.Text)
	}
	b.taken = nil
	slices.Sort(out)
	return strings.Join(out, "; ")
}

func newBench(t *testing.T, s *store.Store, change ...func(*Config)) *bench {
	t.Helper()
	b := &bench{t: t, store: s, clock: clock.NewManual(time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)), ended: map[string]outbox.Result{}}
	sim, err := discordsim.New(discordsim.Options{Clock: b.clock.Now, NoRateLimits: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sim.Close)
	b.sim = sim
	b.guild = sim.AddGuild("Owls")
	b.general = sim.AddChannel(b.guild, "general", discordsim.Text)
	b.ada = sim.AddUser("ada")
	sim.Join(b.guild, b.ada)
	sim.BotJoins(b.guild)
	b.start(change...)
	return b
}

// start begins a process on the bench's store.
func (b *bench) start(change ...func(*Config)) {
	b.t.Helper()
	b.out = outbox.New(outbox.Config{Store: b.store, Clock: b.clock, Log: slogTo(b.t)})
	b.in = inbox.New(b.store, b.clock, slogTo(b.t))
	c := Config{Store: b.store, Inbox: b.in, Outbox: b.out, Clock: b.clock, Log: slogTo(b.t), Token: b.sim.Token(), API: b.sim.URL(),
		Features: []inbox.Feature{b}, MaxAge: 24 * time.Hour}
	for _, f := range change {
		f(&c)
	}
	d, err := New(c)
	if err != nil {
		b.t.Fatal(err)
	}
	b.d = d
	b.out.Own("bench", func(_ context.Context, tx store.Tx, r outbox.Result) error {
		tx.AfterCommit(func() {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.ended[r.Key] = r
		})
		return nil
	})
	b.must(d.login(b.t.Context()))
	b.t.Cleanup(d.http.CloseIdleConnections)
	b.account, _ = d.Account()
}

func (b *bench) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

// say has ada write to a channel.
func (b *bench) say(channel, text string, replyTo ...string) string {
	b.t.Helper()
	b.clock.Advance(time.Second)
	dr := discordsim.Draft{Content: text}
	for _, id := range replyTo {
		dr.ReplyTo = id
	}
	id, err := b.sim.Say(b.ada, channel, dr)
	b.must(err)
	return id
}

// ours has the bot write to a channel, as another process of it.
func (b *bench) ours(channel, text string, replyTo ...string) string {
	b.t.Helper()
	b.clock.Advance(time.Second)
	var ref *newReference
	for _, id := range replyTo {
		ref = &newReference{Message: id, Channel: channel}
	}
	id, err := b.d.create(b.t.Context(), channel, Message{Content: text}, outbox.NewKey(), ref)
	b.must(err)
	_, message, _ := MessageOf(community.PostID(id))
	return message
}

// mention is text that names the bot.
func (b *bench) mention(text string) string { return "<@" + b.sim.AppID() + "> " + text }

// plan stores an effect.
func (b *bench) plan(key, kind, lane string, payload any, parts int) {
	b.t.Helper()
	b.must(b.store.Write(b.t.Context(), func(ctx context.Context, tx store.Tx) error {
		_, err := b.out.Plan(ctx, tx, outbox.Effect{Key: key, Feature: "bench", Kind: kind, Account: b.account, Lane: lane, Payload: payload, Parts: parts})
		return err
	}))
}

// result is how an effect has ended; false if it has not.
func (b *bench) result(key string) (outbox.Result, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	r, ok := b.ended[key]
	return r, ok
}

// settle lets time pass until an effect has ended.
func (b *bench) settle(key string) outbox.Result {
	b.t.Helper()
	for range 40 {
		if _, err := b.out.Sweep(b.t.Context()); err != nil {
			b.t.Fatal(err)
		}
		if r, ok := b.result(key); ok {
			return r
		}
		b.clock.Advance(16 * time.Second)
	}
	b.t.Fatalf("%s has not ended", key)
	return outbox.Result{}
}

// do plans an effect and waits for its end.
func (b *bench) do(key, kind string, payload any) outbox.Result {
	b.t.Helper()
	b.plan(key, kind, "", payload, 1)
	return b.settle(key)
}

// wrote are the contents of what the bot has written to a channel.
func (b *bench) wrote(channel string) []string {
	var out []string
	for _, m := range b.sim.ByBot(channel) {
		out = append(out, m.Content)
	}
	return out
}

// attach keeps bytes under a key.
func (b *bench) attach(key string, data []byte) error {
	return b.d.Attach(b.t.Context(), b.account, key, Upload{Name: key + ".gif", Type: "image/gif", Size: int64(len(data)),
		Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(string(data))), nil }})
}

// onEach runs a test on each database, with what the bot needs in it.
func onEach(t *testing.T, fn func(t *testing.T, s *store.Store)) {
	t.Helper()
	t.Parallel()
	storetest.Each(t, fn, inbox.Migrations(), outbox.Migrations(), Migrations())
}

// onSQLite is a database for what does not depend on its kind.
func onSQLite(t *testing.T) *store.Store {
	t.Helper()
	t.Parallel()
	return openSQLite(t)
}

func openSQLite(t *testing.T) *store.Store {
	t.Helper()
	return storetest.Open(t, storetest.Config(t, store.SQLite), inbox.Migrations(), outbox.Migrations(), Migrations())
}

// press has ada give the command /look, acknowledged with "thinking".
func (b *bench) press(channel string, flags int, acknowledge bool) *discordsim.Interaction {
	b.t.Helper()
	b.clock.Advance(time.Second)
	body, err := jsonBody([]map[string]any{{"name": "look", "type": 1, "description": "look"}})
	b.must(err)
	b.must(b.d.effect(b.t.Context(), rest.SetGuildCommands.Compile(nil, b.sim.AppID(), b.guild), body, nil))
	i, err := b.sim.Slash(b.ada, channel, "look", nil)
	b.must(err)
	if acknowledge {
		body, err := jsonBody(map[string]any{"type": 5, "data": map[string]any{"flags": flags}})
		b.must(err)
		b.must(b.d.effect(b.t.Context(), rest.CreateInteractionResponse.Compile(nil, i.ID, i.Token), body, nil))
	}
	return i
}

// opens gives the same bytes each time.
func opens(data string) func() (io.ReadCloser, error) {
	return func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(data)), nil }
}
