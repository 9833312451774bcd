package sandbox

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"rookery/internal/sim/discordsim"
	"rookery/internal/sim/fedisim"
)

// A world with Discord has it in the bot's configuration, and its token in a
// file; another world has neither.
func TestDiscordInTheConfiguration(t *testing.T) {
	t.Parallel()
	for _, with := range []bool{true, false} {
		w, err := newWorld(fedisim.Mastodon, t.TempDir(), settings{discord: with})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := w.close(); err != nil {
				t.Error(err)
			}
		})
		text, err := os.ReadFile(w.config())
		if err != nil {
			t.Fatal(err)
		}
		token, err := os.ReadFile(filepath.Join(w.dir, discordToken))
		if !with {
			if err == nil || w.application() != "" || slices.Contains(w.flags(), "--allow-loopback") {
				t.Errorf("a world without Discord has some of it: %s", text)
			}
			continue
		}
		if err != nil || string(token) != w.discord.Token()+"\n" {
			t.Errorf("the token's file holds %q, %v", token, err)
		}
		wantIn(t, string(text), "[discord]\n", "token_file = \"discord-token.txt\"", w.discord.URL())
	}
}

// Answers are found by what they reply to, and one too many is noticed.
func TestGuildIsCounted(t *testing.T) {
	t.Parallel()
	w, err := newWorld(fedisim.Mastodon, t.TempDir(), settings{discord: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.close(); err != nil {
			t.Error(err)
		}
	})
	s := &stage{world: w, ctx: t.Context(), bot: &child{}, out: t.Output()}
	s.checkGuild() // before there is a guild
	s.found()
	if _, err := s.tell(s.guild.ada, "Ada", "Ada's mention", "hello", ""); err != nil {
		t.Fatal(err)
	}
	if _, err := s.discord.Say(s.guild.olga, s.guild.mute, discordsim.Draft{Content: "hello"}); err == nil {
		t.Error("a member may write where nobody may")
	}
	s.checkGuild()
	if len(s.failed) != 1 || s.failed[0].expected != "one answer to: Ada's mention" || s.failed[0].seen != "0 answers" {
		t.Errorf("a missing answer is told as %v", s.failed)
	}
	got := customIDs([]any{map[string]any{"components": []any{map[string]any{"custom_id": "a"}, map[string]any{"custom_id": "b"}}}})
	if !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("custom ids: %q", got)
	}
}
