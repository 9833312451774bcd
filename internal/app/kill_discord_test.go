package app_test

import (
	"testing"

	"rookery/internal/app/apptest"
	"rookery/internal/failpoint"
	"rookery/internal/sim/boorusim"
	"rookery/internal/sim/discordsim"
	"rookery/internal/sim/fedisim"
	"rookery/internal/store"
	"rookery/internal/store/storetest"
)

// TestKilledOnDiscordAnswersOnce kills the real program at every step of a
// message's way on Discord, and of a command for a picture; its successor must
// leave exactly one answer to each.
func TestKilledOnDiscordAnswersOnce(t *testing.T) {
	t.Parallel()
	binary := apptest.Build(t, "failpoint")
	storetest.EachConfig(t, func(t *testing.T, c store.Config) {
		w := apptest.New(t, binary, c, fedisim.Options{})
		w.GIFs = unhurried + "no_repeat = \"0s\"\nffmpeg = \"off\"\n"
		picture := boorusim.Pleasant()[0]
		picture.Width, picture.Height, picture.Frames = 64, 48, 2
		g := apptest.NewGuilds(w, picture)
		p := g.Start([]string{"run"})
		g.TurnOn()
		if code := p.Stop(); code != 0 {
			t.Fatalf("exit code %d", code)
		}
		var said []string
		for _, step := range failpoint.DiscordSteps {
			p := g.Start([]string{"run"}, "ROOKERY_FAILPOINT="+step)
			g.Wait("the bot", func(s *discordsim.Server) bool { return connected(s) })
			id := g.Say("what happens at " + step + "?")
			if code := p.Wait(); code != -1 {
				t.Fatalf("step %s: the program ended with %d and was not killed", step, code)
			}
			g.EndHolds()
			p = g.Start([]string{"run"})
			barrier := g.Say("and after " + step + "?")
			g.Wait("the answers after "+step, func(*discordsim.Server) bool { return len(g.Answers(id)) > 0 && len(g.Answers(barrier)) > 0 })
			if code := p.Stop(); code != 0 {
				t.Fatalf("step %s: exit code %d", step, code)
			}
			said = append(said, id)
		}
		for n, step := range failpoint.PressSteps {
			p := g.Start([]string{"run"}, "ROOKERY_FAILPOINT="+step)
			g.Wait("the bot", func(s *discordsim.Server) bool { return connected(s) })
			if _, err := g.Discord.Slash(g.Ada, g.General, "gif", nil); err != nil {
				t.Fatal(err)
			}
			if code := p.Wait(); code != -1 {
				t.Fatalf("step %s: the program ended with %d and was not killed", step, code)
			}
			g.EndHolds()
			p = g.Start([]string{"run"})
			barrier := g.Say("and after " + step + "?")
			g.Wait("the picture after "+step, func(*discordsim.Server) bool { return len(g.Shown()) > n && len(g.Answers(barrier)) > 0 })
			if code := p.Stop(); code != 0 {
				t.Fatalf("step %s: exit code %d", step, code)
			}
		}
		// What had an unknown outcome at the last end is looked for at the next start.
		for try := 0; g.Unfinished() > 0; try++ {
			if try == 20 {
				t.Fatalf("%d rows are not finished", g.Unfinished())
			}
			p := g.Start([]string{"run"})
			barrier := g.Say("are you done?")
			g.Wait("a last answer", func(*discordsim.Server) bool { return len(g.Answers(barrier)) > 0 })
			if code := p.Stop(); code != 0 {
				t.Fatalf("exit code %d", code)
			}
		}
		for i, id := range said {
			if all := g.Answers(id); len(all) != 1 {
				t.Errorf("step %s: %d answers, not one", failpoint.DiscordSteps[i], len(all))
			}
		}
		if n := len(g.Shown()); n != len(failpoint.PressSteps) {
			t.Errorf("%d pictures were shown for %d commands", n, len(failpoint.PressSteps))
		}
		for _, m := range g.Discord.ByBot(g.General) {
			if len(m.Pinged) > 0 {
				t.Errorf("a message pinged %v: %q", m.Pinged, m.Content)
			}
			if m.Loading() {
				t.Errorf("a message still shows “thinking”: %q", m.Content)
			}
		}
	})
}

// connected tells whether a shard is up.
func connected(s *discordsim.Server) bool {
	for _, session := range s.Sessions() {
		if session.Connected && session.Ready {
			return true
		}
	}
	return false
}
