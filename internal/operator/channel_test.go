package operator

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
	"rookery/internal/sim/discordsim"
	"rookery/internal/store"
	"rookery/internal/store/storetest"
)

// What needs the operator also stands in the channel on Discord: once, as it is
// written, and nobody is pinged. What was said before the log-in follows.
func TestSaidInTheChannel(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		c := clock.NewManual(time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC))
		log := slog.New(slog.NewTextHandler(t.Output(), nil))
		sim, err := discordsim.New(discordsim.Options{Clock: c.Now, NoRateLimits: true})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(sim.Close)
		guild := sim.AddGuild("Owls")
		sim.BotJoins(guild)
		keepers := sim.AddChannel(guild, "keepers", discordsim.Text)
		effects := outbox.New(outbox.Config{Store: s, Clock: c, Log: log})
		d, err := discord.New(discord.Config{Store: s, Inbox: inbox.New(s, c, log), Outbox: effects, Clock: c, Log: log, Token: sim.Token(), API: sim.URL()})
		if err != nil {
			t.Fatal(err)
		}
		o := New(Config{Store: s, Outbox: effects, Clock: c, Log: log, Language: "en", Channel: community.ChannelID(keepers), Discord: d.Account,
			Connected: func() []community.AccountID { return nil }})
		round := func() {
			t.Helper()
			if err := o.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
			for range 5 {
				if _, err := effects.Sweep(t.Context()); err != nil {
					t.Fatal(err)
				}
				c.Advance(2 * time.Minute)
			}
		}
		notice := Notice{Key: "model/down", Text: "The model *of* @everyone is down."}
		o.TellNow(t.Context(), notice)
		if err := d.PollOnce(t.Context()); err != nil {
			t.Fatal(err)
		}
		// Stored, and not told: still one.
		sim.Inject(discordsim.Fail(500).Stored().On("POST", "/channels/*/messages"))
		round()
		o.TellNow(t.Context(), notice)
		round()
		all := sim.ByBot(keepers)
		if len(all) != 1 {
			t.Fatalf("it stands there %d times: %+v", len(all), all)
		}
		if m := all[0]; !strings.Contains(m.Content, `\*of\*`) || m.MentionsEveryone || len(m.Pinged) > 0 {
			t.Errorf("it says %q and pings %v, everyone %v", m.Content, m.Pinged, m.MentionsEveryone)
		}
		if err := o.Over(t.Context(), notice.Key); err != nil {
			t.Fatal(err)
		}
		o.TellNow(t.Context(), notice)
		round()
		if n := len(sim.ByBot(keepers)); n != 2 {
			t.Errorf("after it was over and came again it stands there %d times", n)
		}
	}, inbox.Migrations(), outbox.Migrations(), discord.Migrations(), Migrations())
}
