package doctor

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rookery/internal/sim/discordsim"
	"rookery/internal/sim/fedisim"
	"rookery/internal/sim/llmsim"
)

// onDiscord is a world whose configuration has a section [discord] and no
// account, and a bot that is in one guild.
func onDiscord(t *testing.T, o discordsim.Options) (*world, *discordsim.Server, string) {
	t.Helper()
	s, err := discordsim.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	w := newWorld(t, fedisim.Options{}, llmsim.Options{})
	before, _, _ := strings.Cut(w.text, "[operator]")
	w.text = before + fmt.Sprintf(`[discord]
token_env = "DISCORD_TOKEN"
does = ["persona"]
operator_channel = "100000000000000000"
api = %q
`, s.URL())
	w.env["DISCORD_TOKEN"] = s.Token()
	g := s.AddGuild("Owls")
	s.BotJoins(g)
	return w, s, g
}

func (w *world) operatorChannel(id string) {
	w.replace(`"100000000000000000"`, fmt.Sprintf("%q", id))
}

func TestDiscordAloneIsInOrder(t *testing.T) {
	t.Parallel()
	w, s, g := onDiscord(t, discordsim.Options{})
	w.operatorChannel(s.AddChannel(g, "keepers", discordsim.Text, discordsim.Private(), discordsim.Allow(s.BotRole(g), discordsim.ViewChannel)))
	w.database(nil)
	f := w.run()
	f.only("token", OK, "that of rookery")
	f.has("config", OK, "with Discord alone")
	f.has("intents", OK, "switched on")
	f.has("guilds", OK, "1 Discord server: Owls.")
	f.has("sessions", OK, "1,000 more sessions")
	f.has("operator_channel", OK, "#keepers")
	f.has("clock", OK, "Discord")
	f.has("model", OK, "")
	f.lacks("server")
	f.lacks("operator")
	for _, q := range s.Requests() {
		if q.Method != http.MethodGet {
			t.Errorf("it does not only look: %s %s", q.Method, q.Path)
		}
	}
	if n := len(f.of("token")); n != 1 || f.of("token")[0].Account != "discord" {
		t.Errorf("the lines are not those of Discord: %v", f.of("token"))
	}
}

func TestDiscordOutOfOrder(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		options discordsim.Options
		spoil   func(w *world, s *discordsim.Server, g string)
		check   string
		level   Level
		text    string
	}{
		"the token was reset": {
			spoil: func(_ *world, s *discordsim.Server, _ string) { s.Revoke() },
			check: "token", level: Error, text: "Reset Token",
		},
		"there is no token": {
			spoil: func(w *world, _ *discordsim.Server, _ string) { delete(w.env, "DISCORD_TOKEN") },
			check: "token", level: Error, text: "There is no token for Discord",
		},
		"Discord is down": {
			spoil: func(_ *world, s *discordsim.Server, _ string) { s.Inject(discordsim.FailPage(503).Always()) },
			check: "token", level: Error, text: "503 Service Unavailable",
		},
		"the address is shut out": {
			spoil: func(_ *world, s *discordsim.Server, _ string) { s.Inject(discordsim.TooManyAtEdge(time.Hour).Always()) },
			check: "token", level: Error, text: "turns this machine away",
		},
		"a web page answers": {
			spoil: func(_ *world, s *discordsim.Server, _ string) {
				s.Inject(discordsim.WrongBody("<!doctype html><title>Log in to the network</title>").Always())
			},
			check: "token", level: Error, text: "is not Discord",
		},
		"something else answers": {
			spoil: func(_ *world, s *discordsim.Server, _ string) { s.Inject(discordsim.WrongBody("{}").Always()) },
			check: "token", level: Error, text: "is not Discord",
		},
		"the intent is not granted": {
			options: discordsim.Options{ApplicationID: "123456789012345678", RefusedIntents: discordsim.IntentMessageContent},
			check:   "intents", level: Error, text: "https://discord.com/developers/applications/123456789012345678/bot",
		},
		"the intent is not asked for": {
			options: discordsim.Options{RefusedIntents: discordsim.IntentMessageContent},
			spoil: func(w *world, _ *discordsim.Server, _ string) {
				w.replace("[discord]\n", "[discord]\nmessage_content = false\n")
			},
			check: "intents", level: OK, text: "is not asked for",
		},
		"in no guild": {
			options: discordsim.Options{ApplicationID: "123456789012345678"},
			spoil:   func(_ *world, s *discordsim.Server, g string) { s.BotLeaves(g) },
			check:   "guilds", level: Warning,
			text: "https://discord.com/oauth2/authorize?client_id=123456789012345678&scope=bot+applications.commands&permissions=274878024768",
		},
		"few sessions are left": {
			options: discordsim.Options{SessionStarts: 49},
			check:   "sessions", level: Warning, text: "only 49 more sessions",
		},
		"enough sessions are left": {
			options: discordsim.Options{SessionStarts: 50},
			check:   "sessions", level: OK, text: "50 more sessions",
		},
		"the operator's channel is gone": {check: "operator_channel", level: Warning, text: "no channel 100000000000000000"},
		"the operator's channel is hidden": {
			spoil: func(w *world, s *discordsim.Server, g string) {
				w.operatorChannel(s.AddChannel(g, "keepers", discordsim.Text, discordsim.Private()))
			},
			check: "operator_channel", level: Warning, text: "",
		},
		"the operator's channel is read only": {
			spoil: func(w *world, s *discordsim.Server, g string) {
				w.operatorChannel(s.AddChannel(g, "keepers", discordsim.Text, discordsim.Deny(g, discordsim.SendMessages)))
			},
			check: "operator_channel", level: Warning, text: "#keepers. It lacks there: Send Messages.",
		},
		"the bot's own role may": {
			spoil: func(w *world, s *discordsim.Server, g string) {
				w.operatorChannel(s.AddChannel(g, "keepers", discordsim.Text, discordsim.Deny(g, discordsim.SendMessages),
					discordsim.Allow(s.BotRole(g), discordsim.SendMessages)))
			},
			check: "operator_channel", level: OK, text: "#keepers",
		},
		"but the bot itself may not": {
			spoil: func(w *world, s *discordsim.Server, g string) {
				w.operatorChannel(s.AddChannel(g, "keepers", discordsim.Text, discordsim.Allow(s.BotRole(g), discordsim.SendMessages),
					discordsim.Deny(s.AppID(), discordsim.SendMessages)))
			},
			check: "operator_channel", level: Warning, text: "Send Messages",
		},
		"an administrator may": {
			spoil: func(w *world, s *discordsim.Server, g string) {
				s.SetBotPermissions(g, discordsim.Administrator)
				w.operatorChannel(s.AddChannel(g, "keepers", discordsim.Text, discordsim.Deny(g, discordsim.SendMessages)))
			},
			check: "operator_channel", level: OK, text: "#keepers",
		},
		"the bot is timed out": {
			spoil: func(w *world, s *discordsim.Server, g string) {
				w.operatorChannel(s.AddChannel(g, "keepers", discordsim.Text))
				s.TimeOut(g, s.AppID(), time.Now().Add(time.Hour))
			},
			check: "operator_channel", level: Warning, text: "Send Messages",
		},
		"the operator's channel is a forum": {
			spoil: func(w *world, s *discordsim.Server, g string) { w.operatorChannel(s.AddForum(g, "ideas")) },
			check: "operator_channel", level: Warning, text: "#ideas is of a kind that takes no messages",
		},
		"nobody is told": {
			spoil: func(w *world, _ *discordsim.Server, _ string) {
				w.replace("operator_channel = \"100000000000000000\"\n", "")
			},
			check: "operator", level: Warning, text: "operator_channel under [discord]",
		},
		"no tokens for guilds": {
			spoil: func(w *world, _ *discordsim.Server, _ string) {
				w.replace("[budget]\n", "[budget]\ntokens_per_guild = 0\n")
			},
			check: "budget", level: Warning, text: "tokens_per_guild",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, s, g := onDiscord(t, c.options)
			if c.spoil != nil {
				c.spoil(w, s, g)
			}
			f := w.run()
			f.has(c.check, c.level, c.text)
			for _, l := range f.lines {
				if strings.Contains(l.Text+l.Help, s.Token()) {
					t.Errorf("the line shows the token: %+v", l)
				}
			}
			if c.check == "token" && c.level == Error {
				f.lacks("guilds") // it would fail for the same reason
			}
		})
	}
}

func TestDiscordBesideAccounts(t *testing.T) {
	t.Parallel()
	w, s, g := onDiscord(t, discordsim.Options{})
	w.operatorChannel(s.AddChannel(g, "keepers", discordsim.Text))
	w.text += fmt.Sprintf("[[account]]\nname = \"elelem\"\nserver = %q\ntoken_env = \"BOT_TOKEN\"\ndoes = [\"persona\"]\n", w.fedi.URL())
	w.database(nil)
	f := w.run()
	f.has("config", OK, "with 1 account and Discord")
	f.has("token", OK, "elelem@")
	f.has("token", OK, "that of rookery")
}

func TestWithoutDiscordItIsNotAsked(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fedisim.Options{}, llmsim.Options{})
	f := w.run()
	f.lacks("guilds")
	f.lacks("sessions")
}

// The configuration that docs/discord.md shows to newcomers is a whole one.
func TestTheGuidesConfigurationIsInOrder(t *testing.T) {
	t.Parallel()
	guide, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "discord.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(guide), "```toml\n")
	text, _, found := strings.Cut(text, "```")
	if !found {
		t.Fatal("the guide shows no configuration")
	}
	w, s, _ := onDiscord(t, discordsim.Options{})
	if err := os.WriteFile(filepath.Join(w.dir, "discord.token"), []byte(s.Token()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	w.text = strings.Replace(text, "[discord]\n", fmt.Sprintf("[discord]\napi = %q\n", s.URL()), 1)
	w.replace("http://127.0.0.1:11434/v1", w.model.URL())
	w.replace("[llm]\n", "[[gifs.source]]\nkind = \"e621\"\nurl = \"http://127.0.0.1:9\"\ncontact = \"me\"\n[llm]\n") // no board outside
	f := w.run()
	f.has("config", OK, "with Discord alone")
	f.has("token", OK, "that of rookery")
	f.has("intents", OK, "switched on")
	f.has("secrets", OK, "")
}

// A token that is there is tried, whatever else is missing, and nobody is told
// to reset one for it.
func TestAnotherMistakeLeavesTheTokenOfDiscordAlone(t *testing.T) {
	t.Parallel()
	h := gallery(t, fedisim.Options{}, llmsim.Options{Models: []string{"owl-1"}})
	delete(h.env, "BOT_TOKEN")
	f := h.run()
	f.has("config", Error, "BOT_TOKEN")
	f.has("token", Error, "rookery login art")
	f.has("token", OK, "Discord accepts the token")
	for _, l := range f.lines {
		if strings.Contains(l.Help, "Reset Token") {
			t.Errorf("it sends one to reset the token: %+v", l)
		}
	}
	h.env["DISCORD_TOKEN"] = "not that of a bot"
	f = h.run()
	f.has("config", Error, "the token that [discord] names")
	f.has("token", Error, "no token for Discord that could be tried, as was said of the configuration")
	f.has("token", Error, "If you do not have it any more")
}
