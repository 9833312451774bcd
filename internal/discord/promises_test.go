package discord

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/disgoorg/disgo/rest"

	"rookery/internal/clock"
	"rookery/internal/community"
	"rookery/internal/sim/discordsim"
	"rookery/internal/store"
	"rookery/internal/words"
)

// What was found by looking for ways to lose, to repeat and to show.

// know fills the cache with what the gateway would have told of the guild.
func (b *bench) know() {
	b.t.Helper()
	w, err := get[wireGuild](b.t.Context(), b.d, "read the guild", rest.GetGuild.Compile(nil, b.guild))
	b.must(err)
	w.Channels, err = get[[]json.RawMessage](b.t.Context(), b.d, "read the channels", rest.GetGuildChannels.Compile(nil, b.guild))
	b.must(err)
	b.d.cache.put(guildOf(w, b.d.me().member.ID, false))
}

func TestALimitThatAnEffectMeetsIsItsChannels(t *testing.T) {
	b := newBench(t, onSQLite(t))
	other := b.sim.AddChannel(b.guild, "other", discordsim.Text)
	b.sim.Inject(discordsim.TooMany(10*time.Minute).On("POST", "/channels/*/messages"))
	if _, err := b.d.create(t.Context(), b.general, Message{Content: "x"}, "n1", nil); ClassOf(err) != Rate {
		t.Fatal(err)
	}
	if h := held(t, b.d.limiter, rest.CreateMessage.Compile(nil, other)); h > 0 {
		t.Errorf("another channel is held for %v", h)
	}
}

// The host of a session may go away for good, also between two processes.
func TestADeadResumeAddressIsLeft(t *testing.T) {
	t.Parallel()
	b, s := newBackend(t), sqlite(t)
	r := newRig(t, b, s)
	stop := r.run(t)
	ready(t, r)
	stop()
	err := s.Write(t.Context(), func(ctx context.Context, tx store.Tx) error {
		_, err := tx.Exec(ctx, `update discord_session set resume_url = 'ws://127.0.0.1:1/gateway'`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	r2 := newRig(t, b, s)
	r2.run(t)
	next(t, b.opened)
}

// A gateway may take everything, answer each heartbeat, and begin no session.
func TestASessionThatNeverBeginsIsLeft(t *testing.T) {
	t.Parallel()
	b, s := newBackend(t), sqlite(t)
	b.interval, b.swallowed = 2000, make(chan struct{}, 10)
	r := newRig(t, b, s)
	r.run(t)
	next(t, b.swallowed)
	next(t, b.swallowed)
}

func TestPrivateWordsAreNeverShownToAll(t *testing.T) {
	t.Parallel()
	m, started, finish := clock.NewManual(time.Now()), make(chan struct{}), make(chan struct{})
	a := says("you have said stop")
	a.Private = true
	b := newBed(t, Config{Clock: m, Commands: []Command{hello(slowly(started, finish, a))}})
	b.registers(t)
	_, end := deferred(t, b.Discord, m, did(t)(b.sim.Slash(b.ada, b.general, "hello", nil)), started, finish)
	if end.Message.Content != words.English.Say(words.PressTooSlow, nil) {
		t.Errorf("all see %q", end.Message.Content)
	}
}

func TestMadeUpChannelsCostNothing(t *testing.T) {
	b := newBench(t, onSQLite(t))
	var text strings.Builder
	for i := range int64(20) {
		fmt.Fprintf(&text, "<#%d>", 1300000000000000000+i)
	}
	id := b.say(b.general, b.mention(text.String()))
	e := b.event(b.general, id)
	b.sim.Reset()
	b.must(b.d.onMessage(t.Context(), e))
	for _, r := range b.sim.Requests() {
		if strings.Contains(r.Path, "/channels/13") {
			t.Errorf("asked for %s", r.Path)
		}
	}
}

func TestAMissedMentionInAThreadArchivedMeanwhile(t *testing.T) {
	b := newBench(t, onSQLite(t))
	thread, err := b.sim.StartThread(b.ada, b.general, "", "a thread")
	b.must(err)
	b.say(thread, b.mention("help me"))
	b.sim.ChangeChannel(b.general, discordsim.Allow(b.guild, discordsim.Permission(1<<34|1<<4)))
	body, err := jsonBody(map[string]any{"archived": true})
	b.must(err)
	b.must(b.d.effect(t.Context(), rest.UpdateChannel.Compile(nil, thread), body, nil))
	swept, err := b.d.Sweep(t.Context())
	if b.must(err); swept.Taken != 1 {
		t.Errorf("%+v", swept)
	}
	b.sim.Reset()
	_, err = b.d.Sweep(t.Context())
	b.must(err)
	for _, r := range b.sim.Requests() {
		if strings.Contains(r.Path, "archived") {
			t.Error("archived threads are read though nothing was missed")
		}
	}
}

// Where the bot may not read, an acknowledged command may stand there all the
// same.
func TestUnknownWebhookWhereNothingCanBeRead(t *testing.T) {
	b := newBench(t, onSQLite(t))
	b.sim.ChangeChannel(b.general, discordsim.Deny(b.guild, discordsim.ReadMessageHistory))
	b.know()
	i := b.press(b.general, 0, true)
	b.clock.Advance(6 * time.Second)
	b.sim.UnknownWebhook(1)
	b.do("e"+i.ID, AnswerKind, b.answerTo(i, false))
	if o := i.Now(); o.Loading {
		t.Errorf("it still shows “thinking”; beside it stands %q", b.wrote(b.general))
	}
}

func TestChannelsThatNotAllSeeAreNotNamed(t *testing.T) {
	b := newBench(t, onSQLite(t))
	hidden := b.sim.AddChannel(b.guild, "case-against-ben", discordsim.Text, discordsim.Deny(b.guild, discordsim.ViewChannel))
	b.sim.SetBotPermissions(b.guild, discordsim.Administrator)
	b.know()
	one := b.say(b.general, "see <#"+hidden+"> and <#"+b.general+">")
	asked := b.say(b.general, b.mention("what is it called?"), one)
	above, _, err := b.around(b.general, asked, community.Place{})
	if b.must(err); strings.Contains(above, "case-against-ben") || !strings.Contains(above, "#general") {
		t.Errorf("above %q", above)
	}
}

// Who may not read what was written before shall not read it through the bot.
func TestHistoryIsForThoseWhoMayReadIt(t *testing.T) {
	b := newBench(t, onSQLite(t))
	thread, err := b.sim.StartThread(b.ada, b.general, "", "Owls")
	b.must(err)
	b.say(thread, "an old secret")
	asked := b.say(thread, b.mention("what was said?"))
	b.sim.SetBotPermissions(b.guild, discordsim.Administrator)
	for _, denied := range []bool{false, true} {
		if denied {
			b.sim.ChangeChannel(b.general, discordsim.Deny(b.guild, discordsim.ReadMessageHistory))
		}
		b.know()
		post := community.Post{ID: PostOf(community.ChannelID(thread), asked), Author: community.Member{ID: community.MemberID(b.ada)},
			Place: community.Place{Guild: community.GuildID(b.guild), Channel: community.ChannelID(thread), Parent: community.ChannelID(b.general)}}
		above, _, err := b.d.Thread(t.Context(), b.account, post)
		if b.must(err); strings.Contains(told(above), "an old secret") == denied {
			t.Errorf("denied %v: above %q", denied, told(above))
		}
	}
}

func TestHandleIsOneWord(t *testing.T) {
	t.Parallel()
	word := regexp.MustCompile(`^[\p{L}\p{N}_][\p{L}\p{N}_.-]*$`)
	for name, want := range map[string]string{
		"Elelem": "Elelem", "Anna's Owl": "AnnasOwl", "Owl (beta)": "Owlbeta", "R&D": "RD", "Сова!": "Сова", "🦉": "bot", "": "bot", "...": "bot", "-x-": "x",
	} {
		if got := handle(name); got != want || !word.MatchString(got) {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}
