package discord

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/disgoorg/disgo/rest"

	"rookery/internal/community"
	"rookery/internal/sim/discordsim"
	"rookery/internal/store"
)

// event is a message as MESSAGE_CREATE tells of it.
func (b *bench) event(channel, id string) got {
	b.t.Helper()
	raw, err := get[map[string]any](b.t.Context(), b.d, "read", rest.GetMessage.Compile(nil, channel, id))
	b.must(err)
	if m, ok := b.sim.Message(id); ok && m.Guild != "" {
		raw["guild_id"] = m.Guild
		raw["member"] = map[string]any{"nick": "The Countess", "roles": []string{b.guild}, "joined_at": "2026-01-01T00:00:00Z", "deaf": false, "mute": false, "flags": 0}
	}
	text, err := json.Marshal(raw)
	b.must(err)
	var m got
	b.must(json.Unmarshal(text, &m))
	return m
}

func TestWhatAddressesUs(t *testing.T) {
	onEach(t, func(t *testing.T, s *store.Store) {
		b := newBench(t, s)
		_, err := b.d.Sweep(t.Context())
		b.must(err)
		ours := b.ours(b.general, "I am here")
		role := b.sim.BotRole(b.guild)
		hers := b.say(b.general, "nobody in particular")
		for _, id := range []string{
			b.say(b.general, b.mention("by name")),
			b.say(b.general, "a reply", ours),
			b.say(b.general, "not to us", hers),
			b.say(b.general, "@everyone listen"),
			b.say(b.general, "<@&"+role+"> listen"),
			ours,
		} {
			b.must(b.d.onMessage(t.Context(), b.event(b.general, id)))
		}
		dm, id, err := b.sim.DM(b.ada, "in private")
		b.must(err)
		b.must(b.d.onMessage(t.Context(), b.event(dm, id)))
		b.must(b.d.onMessage(t.Context(), b.event(dm, id))) // told twice
		if got := b.texts(); got != "@rookery by name; a reply; in private" {
			t.Errorf("took %q", got)
		}
		swept, err := b.d.Sweep(t.Context())
		if b.must(err); swept.Taken != 0 {
			t.Errorf("the sweep found what was known: %+v", swept)
		}
	})
}

func TestMentionIsFilledIn(t *testing.T) {
	b := newBench(t, onSQLite(t))
	adults := b.sim.AddChannel(b.guild, "night", discordsim.Text, discordsim.AgeRestricted())
	b.know()
	b.clock.Advance(time.Second)
	id, err := b.sim.Say(b.ada, adults, discordsim.Draft{
		Content: b.mention("see <#" + b.general + "> and https://a.example/x?y=1, please"),
		Files:   []discordsim.File{{Name: "SPOILER_owl.png", Description: "an owl", Data: []byte("x")}},
	})
	b.must(err)
	b.must(b.d.onMessage(t.Context(), b.event(adults, id)))
	if len(b.taken) != 1 {
		t.Fatalf("took %v", b.taken)
	}
	m := b.taken[0]
	p := m.Post
	if p.ID != PostOf(community.ChannelID(adults), id) || p.URI != "discord:message:"+id || p.Visibility != community.Unlisted || !p.Sensitive || p.At.IsZero() || !p.At.Equal(m.Notified) {
		t.Errorf("the post is %+v", p)
	}
	if p.Text != "@rookery see #general and https://a.example/x?y=1, please" || strings.Join(p.Links, " ") != "https://a.example/x?y=1" {
		t.Errorf("it says %q and links to %q", p.Text, p.Links)
	}
	if a := p.Author; a.ID != community.MemberID(b.ada) || a.Handle != b.ada+"@discord" || a.Acct != "ada" || a.Name != "The Countess" || a.Bot {
		t.Errorf("the author is %+v", a)
	}
	if at := p.Place; at.Guild != community.GuildID(b.guild) || at.Channel != community.ChannelID(adults) || !at.AgeRestricted || len(at.Roles) != 1 {
		t.Errorf("the place is %+v", at)
	}
	if len(p.Media) != 1 || p.Media[0].Kind != "image" || p.Media[0].Description != "an owl" || p.Media[0].URL == "" {
		t.Errorf("the media are %+v", p.Media)
	}
	if len(p.Mentions) != 1 || p.Mentions[0].ID != community.MemberID(b.sim.AppID()) {
		t.Errorf("the mentions are %+v", p.Mentions)
	}
}

func TestSweepFindsWhatWasMissed(t *testing.T) {
	onEach(t, func(t *testing.T, s *store.Store) {
		b := newBench(t, s)
		b.must(b.d.sweep(t.Context()))
		hidden := b.sim.AddChannel(b.guild, "hidden", discordsim.Text, discordsim.Private())
		silent := b.sim.AddChannel(b.guild, "silent", discordsim.Text)
		b.clock.Advance(time.Second)
		dm, _, err := b.sim.DM(b.ada, "first")
		b.must(err)
		b.must(b.d.startSeen(t.Context(), b.account, dm))
		ours := b.ours(b.general, "I am here")
		b.say(b.general, b.mention("one"))
		b.say(b.general, "two", ours)
		b.say(silent, b.mention("unheard"))
		b.sim.ChangeChannel(hidden, discordsim.Allow(b.ada, discordsim.ViewChannel))
		b.say(hidden, b.mention("unseen"))
		bot := b.sim.AddBot("tin")
		b.sim.Join(b.guild, bot)
		_, err = b.sim.Say(bot, b.general, discordsim.Draft{Content: b.mention("beep")})
		b.must(err)
		thread, err := b.sim.StartThread(b.ada, b.general, "", "a thread")
		b.must(err)
		b.say(thread, b.mention("three"))

		b.start(func(c *Config) {
			c.Hears = func(_ context.Context, p community.Place) bool { return p.Channel != community.ChannelID(silent) }
		})
		b.must(b.d.PollOnce(t.Context()))
		bots := 0
		for _, m := range b.taken {
			if m.Post.Author.Bot {
				bots++
			}
			if m.Post.Text == "@rookery three" && (m.Post.Place.Parent != community.ChannelID(b.general) || m.Post.Author.Name == "") {
				t.Errorf("the thread's is %+v", m.Post)
			}
		}
		if got := b.texts(); got != "@rookery beep; @rookery one; @rookery three; first; two" || bots != 1 {
			t.Errorf("took %q, of bots %d", got, bots)
		}
		b.clock.Advance(time.Second)
		b.start()
		swept, err := b.d.Sweep(t.Context())
		if b.must(err); swept.Taken != 1 || b.texts() != "@rookery unheard" { // it is heard now
			t.Errorf("the next sweep: %+v", swept)
		}
		b.clock.Advance(2 * time.Second)
		swept, err = b.d.Sweep(t.Context())
		if b.must(err); swept.Messages != 0 {
			t.Errorf("what was looked at was read again: %+v", swept)
		}
	})
}

func TestFirstStartBeginsNow(t *testing.T) {
	b := newBench(t, onSQLite(t))
	before := b.sim.AddChannel(b.guild, "before", discordsim.Text)
	b.say(before, b.mention("too early"))
	fresh := newBenchOn(b)
	fresh.say(before, b.mention("in time"))
	swept, err := fresh.d.Sweep(t.Context())
	if b.must(err); swept.Taken != 1 || fresh.texts() != "@rookery in time" {
		t.Errorf("%+v", swept)
	}
}

// newBenchOn is another installation in the same world.
func newBenchOn(b *bench) *bench {
	b.t.Helper()
	b.clock.Advance(time.Minute)
	o := &bench{t: b.t, sim: b.sim, clock: b.clock, store: openSQLite(b.t), guild: b.guild, general: b.general, ada: b.ada, ended: b.ended}
	o.start()
	return o
}

func TestTooOldIsNotRead(t *testing.T) {
	b := newBench(t, onSQLite(t))
	b.say(b.general, b.mention("old"))
	b.clock.Advance(25 * time.Hour)
	b.say(b.general, b.mention("new"))
	swept, err := b.d.Sweep(t.Context())
	if b.must(err); swept.Messages != 1 || b.texts() != "@rookery new" {
		t.Errorf("%+v", swept)
	}
}

// TestAGapIsNotJumped has a message missed and the next one told: the first
// must be found, however the sweep in between goes.
func TestAGapIsNotJumped(t *testing.T) {
	b := newBench(t, onSQLite(t))
	b.must(b.d.sweep(t.Context()))
	b.clock.Advance(2 * time.Second)
	b.say(b.general, b.mention("missed"))
	b.d.onReady(0)
	b.sim.Inject(discordsim.Fail(500).On("GET", "/channels/*/messages").Always())
	again := b.clock.Run()
	if _, err := b.d.Sweep(t.Context()); err == nil {
		t.Error("a sweep that could not read tells no error")
	}
	again()
	b.sim.ClearFaults()
	next := b.say(b.general, b.mention("told"))
	b.must(b.d.onMessage(t.Context(), b.event(b.general, next)))
	b.must(b.d.flushSeen(t.Context()))
	if got := b.texts(); got != "@rookery told" {
		t.Fatalf("took %q", got)
	}
	b.clock.Advance(2 * time.Second)
	b.start() // killed, and started again
	b.must(b.d.sweep(t.Context()))
	if got := b.texts(); got != "@rookery missed" {
		t.Errorf("took %q", got)
	}
	// And without a word that anything was missed.
	b.clock.Advance(2 * time.Second)
	b.say(b.general, b.mention("dropped"))
	next = b.say(b.general, "nothing")
	b.must(b.d.onMessage(t.Context(), b.event(b.general, next)))
	b.must(b.d.sweep(t.Context()))
	if got := b.texts(); got != "@rookery dropped" {
		t.Errorf("took %q", got)
	}
}

func TestSweepReadsOnPageByPage(t *testing.T) {
	b := newBench(t, onSQLite(t))
	for i := range 230 {
		b.say(b.general, b.mention(fmt.Sprint("no. ", i)))
	}
	swept, err := b.d.Sweep(t.Context())
	if b.must(err); swept.Taken != 230 || swept.Messages != 230 {
		t.Errorf("%+v", swept)
	}
}

// It is not kept for ever who once wrote to the bot.
func TestQuietConversationsAreForgotten(t *testing.T) {
	b := newBench(t, onSQLite(t))
	dm, id, err := b.sim.DM(b.ada, "hello")
	b.must(err)
	b.must(b.d.onMessage(t.Context(), b.event(dm, id)))
	b.must(b.d.sweep(t.Context()))
	known := func() int {
		t.Helper()
		b.must(b.d.Prune(t.Context()))
		var n int64
		b.must(b.store.QueryRow(t.Context(), `select count(*) from discord_seen where guild = '' and channel <> ''`).Scan(&n))
		return int(n)
	}
	b.clock.Advance(29 * 24 * time.Hour)
	if known() != 1 {
		t.Error("it was forgotten too soon")
	}
	b.clock.Advance(2 * 24 * time.Hour)
	if known() != 0 {
		t.Error("it is still known")
	}
	_, id, err = b.sim.DM(b.ada, "and again")
	b.must(err)
	b.must(b.d.onMessage(t.Context(), b.event(dm, id)))
	if known() != 1 || b.texts() != "and again; hello" {
		t.Errorf("known: %d, took %q", known(), b.texts())
	}
}

func TestNoDirectMessages(t *testing.T) {
	b := newBench(t, onSQLite(t), func(c *Config) { c.NoDirect = true })
	dm, id, err := b.sim.DM(b.ada, "psst")
	b.must(err)
	b.must(b.d.onMessage(t.Context(), b.event(dm, id)))
	b.must(b.d.sweep(t.Context()))
	if got := b.texts(); got != "" {
		t.Errorf("took %q", got)
	}
}
