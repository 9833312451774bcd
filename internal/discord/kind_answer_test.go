package discord

import (
	"strings"
	"testing"
	"time"

	"rookery/internal/community"
	"rookery/internal/outbox"
	"rookery/internal/sim/discordsim"
)

// answerTo answers an interaction of ada's.
func (b *bench) answerTo(i *discordsim.Interaction, private bool) AnswerTo {
	return AnswerTo{Interaction: i.ID, Token: i.Token, Until: b.clock.Now().Add(15 * time.Minute), Channel: community.ChannelID(b.general),
		Asker: community.MemberID(b.ada), Private: private, Member: true, Message: Message{Content: "an owl"}}
}

// TestOneAnswer answers a command through all that can go wrong: the member
// sees one answer, where it belongs, and nothing goes on thinking.
func TestOneAnswer(t *testing.T) {
	b := newBench(t, onSQLite(t))
	const patch = "/webhooks/*/*/messages/@original"
	for _, c := range []struct {
		name    string
		private bool
		unacked bool
		goes    func(b *bench, i *discordsim.Interaction)
		want    string // "original", "channel" or "direct"
	}{
		{"all is well", false, false, nil, "original"},
		{"private", true, false, nil, "original"},
		{"unknown webhook at first", false, false, func(b *bench, _ *discordsim.Interaction) { b.sim.UnknownWebhook(2) }, "original"},
		{"500 after success", false, false, func(b *bench, _ *discordsim.Interaction) {
			b.sim.Inject(discordsim.Fail(500).Stored().On("PATCH", patch))
		}, "original"},
		{"500 after success, and then the token dies", false, false, func(b *bench, i *discordsim.Interaction) {
			b.sim.Inject(discordsim.Fail(500).Stored().On("PATCH", patch))
			b.plan("e"+i.ID, AnswerKind, "", b.answerTo(i, false), 1)
			_, err := b.out.Sweep(b.t.Context())
			b.must(err)
			b.sim.ExpireToken(i)
		}, "original"},
		{"private, 500 after success", true, false, func(b *bench, _ *discordsim.Interaction) {
			b.sim.Inject(discordsim.CutOff().Stored().On("PATCH", patch))
		}, "original"},
		{"the token is dead", false, false, func(b *bench, i *discordsim.Interaction) { b.sim.ExpireToken(i) }, "channel"},
		{"its time is over", false, false, func(b *bench, i *discordsim.Interaction) {
			b.sim.ExpireToken(i)
			b.clock.Advance(20 * time.Minute)
		}, "channel"},
		{"dead, and 500 after success", false, false, func(b *bench, i *discordsim.Interaction) {
			b.sim.ExpireToken(i)
			b.sim.Inject(discordsim.Fail(500).Stored().On("POST", "/channels/*/messages"))
		}, "channel"},
		{"private and dead", true, false, func(b *bench, i *discordsim.Interaction) { b.sim.ExpireToken(i) }, "direct"},
		{"never acknowledged", false, true, nil, "channel"},
		{"private and never acknowledged", true, true, nil, "direct"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b.clock.Advance(time.Hour)
			b.general = b.sim.AddChannel(b.guild, "general", discordsim.Text)
			b.ada = b.sim.AddUser("ada")
			b.sim.Join(b.guild, b.ada)
			b.sim.ClearFaults()
			b.sim.Names(b.ada, "", b.guild, "*Ada*")
			flags := 0
			if c.private {
				flags = flagPrivate
			}
			i := b.press(b.general, flags, !c.unacked)
			if c.unacked {
				b.clock.Advance(10 * time.Second)
			}
			p := b.answerTo(i, c.private)
			if c.goes != nil {
				c.goes(b, i)
			}
			b.plan("e"+i.ID, AnswerKind, "", p, 1)
			r := b.settle("e" + i.ID)
			if r.State != outbox.Confirmed || len(r.Made) != 1 {
				t.Fatalf("ended %q (%s) with %v", r.State, r.Detail, r.Made)
			}
			now := i.Now()
			original := ""
			if now.Message != nil && !now.Loading && !now.Message.Loading() {
				original = now.Message.Content
			}
			var channel []string
			for _, m := range b.sim.ByBot(b.general) {
				if m.Loading() && c.want != "original" && !c.private {
					t.Error("it goes on thinking")
				}
				if m.Interaction == nil {
					channel = append(channel, m.Content)
				}
			}
			got := "original=" + original + " channel=" + strings.Join(channel, "|") + " direct=" + strings.Join(b.wrote(b.sim.DMChannel(b.ada)), "|")
			want := map[string]string{
				"original": "original=an owl channel= direct=",
				"channel":  "original= channel=\\*Ada\\*:\nan owl direct=",
				"direct":   "original= channel= direct=an owl",
			}[c.want]
			if got != want {
				t.Errorf("there is %q, want %q", got, want)
			}
			for _, m := range b.sim.ByBot(b.general) {
				if len(m.Pinged) > 0 {
					t.Errorf("%q pinged %v", m.Content, m.Pinged)
				}
			}
		})
	}
}
