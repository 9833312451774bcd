package persona

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"rookery/internal/clock"
	"rookery/internal/community"
	"rookery/internal/discord"
	"rookery/internal/inbox"
	"rookery/internal/outbox"
	"rookery/internal/settings"
	"rookery/internal/sim/discordsim"
	"rookery/internal/sim/llmsim"
	"rookery/internal/store"
)

// The whole way with the real platform: a message in a guild's channel, what
// stands above it, the model, and the reply that people see there.
func TestDiscordThroughTheWholeWay(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		said := strings.Repeat("Tea is half of the answer. ", 100) + "<@everyone> @everyone [here](https://evil.example)"
		w := newTalk(t, s, options{said: func(r llmsim.Request) llmsim.Answer { return llmsim.Answer{Text: said} }})
		at := clock.NewManual(time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC))
		sim, err := discordsim.New(discordsim.Options{Clock: at.Now, NoRateLimits: true})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(sim.Close)
		guild := sim.AddGuild("Owls")
		general, quiet := sim.AddChannel(guild, "general", discordsim.Text), sim.AddChannel(guild, "quiet", discordsim.Text)
		dora, emil := sim.AddUser("dora"), sim.AddUser("emil")
		sim.Join(guild, dora)
		sim.Join(guild, emil)
		sim.BotJoins(guild)

		log := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
		c := w.persona.Config
		c.Clock, c.Settings = at, Declare()
		c.Outbox = outbox.New(outbox.Config{Store: s, Clock: at, Log: log})
		book := settings.New(settings.Config{Store: s, Clock: at, Log: log, Groups: []*settings.Group{c.Settings.Group}})
		for name, value := range map[string]string{"enabled": "on", "not_channels": quiet} {
			if _, err := book.Set(t.Context(), formFor(community.GuildID(guild), name, value)); err != nil {
				t.Fatal(err)
			}
		}
		p := New(c)
		d, err := discord.New(discord.Config{Store: s, Inbox: inbox.New(s, at, log), Outbox: c.Outbox, Clock: at, Log: log, Token: sim.Token(), API: sim.URL(),
			Features: []inbox.Feature{p}, MaxAge: 24 * time.Hour, MessageContent: true, Commands: p.Commands()})
		if err != nil {
			t.Fatal(err)
		}
		p.JoinDiscord(d)
		poll := func() {
			t.Helper()
			if err := d.PollOnce(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		poll()
		say := func(who, channel, text, to string) string {
			t.Helper()
			at.Advance(time.Second)
			id, err := sim.Say(who, channel, discordsim.Draft{Content: text, ReplyTo: to})
			if err != nil {
				t.Fatal(err)
			}
			return id
		}
		me := "<@" + sim.AppID() + "> "
		first := say(emil, general, "I keep seven owls", "")
		question := say(dora, general, me+"how many, <@"+emil+">?", first)
		say(dora, quiet, me+"and here?", "")
		say(dora, general, "nobody asked you", "")
		at.Advance(time.Second)
		poll()
		account, _ := d.Account()
		if n, err := p.Answer(t.Context(), account, -1); err != nil || n != 1 {
			t.Fatalf("%d answers, %v", n, err)
		}
		var got []discordsim.Message
		for _, channel := range []string{general, quiet} {
			for _, m := range sim.Messages(channel) {
				if m.Author == sim.AppID() {
					got = append(got, m)
				}
			}
		}
		if len(got) != 2 || got[0].ReplyTo != question || got[0].Channel != general {
			t.Fatalf("the bot has said %+v", got)
		}
		checkMarks(t, "the whole way", []string{got[0].Content, got[1].Content})
		for _, m := range got {
			if len(m.Pinged) != 0 {
				t.Errorf("%v were notified of %.60q", m.Pinged, m.Content)
			}
		}
		told := transcript(w.model.Requests()[0].Messages)
		for _, want := range []string{"<post by=\"emil\">\nI keep seven owls\n</post>", "<post by=\"dora\">\n", "how many, @emil?"} {
			if !strings.Contains(told, want) {
				t.Errorf("the model was not told %q:\n%s", want, told)
			}
		}
	})
}
