package apptest

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"rookery/internal/sim/discordsim"
	"rookery/internal/sim/fedisim"
)

// Gallery is a Discord with a guild whose members share their art, and the
// account on the Fediverse that shows it: World.Bot.
type Gallery struct {
	*World
	Discord *discordsim.Server
	Guild   string
	Owner   string // who manages the guild
	Ada     string // an artist
	Ben     string // another member
	Mod     string // a moderator
	Art     string // a forum, whose threads are offered to be shared
	Talk    string // a text channel, likewise
}

// galleryMay is what the bot may do in the guild.
const galleryMay = discordsim.ViewChannel | discordsim.SendMessages | discordsim.SendMessagesInThreads |
	discordsim.EmbedLinks | discordsim.AttachFiles | discordsim.ReadMessageHistory

// NewGallery starts the servers, and configures the program for nothing but the
// gallery; account are further lines for its account, and the model describes
// pictures. The guild has not turned it on yet: see TurnOn.
func NewGallery(w *World, account ...string) *Gallery {
	w.T.Helper()
	d, err := discordsim.New(discordsim.Options{NoRateLimits: true})
	if err != nil {
		w.T.Fatal(err)
	}
	w.T.Cleanup(d.Close)
	g := &Gallery{World: w, Discord: d}
	w.Bot = w.Fedi.AddAccount("gallery", fedisim.Named("Gallery"), fedisim.Bot(), fedisim.WithToken("gallery-token"))
	w.Fedi.Processing(0)
	g.Guild = d.AddGuild("Owls")
	g.Owner = d.Owner(g.Guild)
	g.Ada, g.Ben, g.Mod = d.AddUser("ada"), d.AddUser("ben"), d.AddUser("mod")
	d.Join(g.Guild, g.Ada)
	d.Join(g.Guild, g.Ben)
	d.Join(g.Guild, g.Mod, d.AddRole(g.Guild, "moderators", discordsim.ManageMessages|discordsim.ModerateMembers))
	g.Art, g.Talk = d.AddForum(g.Guild, "art"), d.AddChannel(g.Guild, "talk", discordsim.Text)
	d.BotJoins(g.Guild, galleryMay)
	w.Loopback = true
	w.Environment = append(w.Environment, "TEST_DISCORD="+d.Token())
	w.Discord = fmt.Sprintf("[discord]\ntoken_env = \"TEST_DISCORD\"\ndoes = [\"gallery\"]\napi = %q\ncdn = %q\n\n"+
		"[[account]]\nname = \"gallery\"\nserver = %q\ntoken_env = \"TEST_TOKEN\"\ndoes = [\"gallery\"]\npoll = %q\nrate_limits = \"off\"\n%s\n",
		d.URL(), d.CDN(), w.Fedi.URL(), w.Poll, strings.Join(account, "\n"))
	w.Configure("")
	return g
}

// Wait waits until cond holds on Discord.
func (g *Gallery) Wait(what string, cond func(*discordsim.Server) bool) {
	g.T.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	if err := g.Discord.WaitFor(ctx, cond); err != nil {
		g.T.Fatalf("waited in vain for %s: %v\nthe database holds:\n%s", what, err, g.waiting())
	}
}

// Connected waits until the program, which has just been started, has a session
// on the gateway.
func (g *Gallery) Connected() {
	g.T.Helper()
	g.Wait("the bot", func(s *discordsim.Server) bool {
		return slices.ContainsFunc(s.Sessions(), func(one discordsim.Session) bool { return one.Connected && one.Ready })
	})
}

// TurnOn turns the gallery on, as who manages the guild, with both channels.
// The program must be running.
func (g *Gallery) TurnOn() {
	g.T.Helper()
	offered := func(name string) func(*discordsim.Server) bool {
		return func(s *discordsim.Server) bool {
			return slices.ContainsFunc(append(s.Commands(g.Guild), s.Commands("")...), func(c discordsim.Command) bool { return c.Name == name })
		}
	}
	g.Wait("/settings", offered("settings"))
	g.Slash(g.Owner, g.Talk, "settings gallery", discordsim.Args{"enabled": true, "channels": g.Art + " " + g.Talk})
	g.Wait("/share", offered("share"))
}

// Slash gives a command and waits for what it answers.
func (g *Gallery) Slash(who, channel, name string, args discordsim.Args) discordsim.Outcome {
	g.T.Helper()
	in, err := g.Discord.Slash(who, channel, name, args)
	return g.outcome("/"+name, in, err)
}

func (g *Gallery) outcome(what string, in *discordsim.Interaction, err error) discordsim.Outcome {
	g.T.Helper()
	if err != nil {
		g.T.Fatalf("%s: %v", what, err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	o, err := in.WaitDone(ctx)
	if err != nil || o.Failed {
		g.T.Fatalf("%s: %v, failed %v", what, err, o.Failed)
	}
	return o
}

// Begin has a member begin a thread in the forum, and does not wait for
// anything.
func (g *Gallery) Begin(who, text string, files ...discordsim.File) (thread string) {
	g.T.Helper()
	thread, err := g.Discord.StartPost(who, g.Art, "a thread", discordsim.Draft{Content: text, Files: files})
	if err != nil {
		g.T.Fatal(err)
	}
	return thread
}

// Offered waits for the one message of the bot in a thread to have a button of
// this label, and returns the message.
func (g *Gallery) Offered(thread, label string) discordsim.Message {
	g.T.Helper()
	var found discordsim.Message
	g.Wait("the button "+label+" in the thread", func(s *discordsim.Server) bool {
		for _, m := range s.ByBot(thread) {
			if Buttons(m)[label] != "" {
				found = m
				return true
			}
		}
		return false
	})
	return found
}

// Press presses a button of a message by its label, and waits for the answer.
func (g *Gallery) Press(who string, m discordsim.Message, label string) discordsim.Outcome {
	g.T.Helper()
	id := Buttons(m)[label]
	if id == "" {
		g.T.Fatalf("no button %q in %q: there are %v", label, m.Content, Buttons(m))
	}
	in, err := g.Discord.PressButton(who, m.ID, id)
	return g.outcome(label, in, err)
}

// The labels of the buttons that share what is offered.
const (
	PostLabel   = "Post publicly"
	AnywayLabel = "Post anyway"
	DeleteLabel = "Delete"
)

// Agree presses "Post publicly" in a thread, and "Post anyway" where
// descriptions are lacking.
func (g *Gallery) Agree(who, thread string) {
	g.T.Helper()
	o := g.Press(who, g.Offered(thread, PostLabel), PostLabel)
	if o.Message != nil && Buttons(*o.Message)[AnywayLabel] != "" {
		g.Press(who, *o.Message, AnywayLabel)
	}
}

// Standing are the posts of the account that stand, the oldest first.
func (g *Gallery) Standing() []fedisim.Post { return g.Fedi.PostsBy(g.Bot.ID) }

// Buttons are a message's buttons: custom ids by label.
func Buttons(m discordsim.Message) map[string]string {
	all := map[string]string{}
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, one := range v {
				walk(one)
			}
		case map[string]any:
			id, _ := v["custom_id"].(string)
			if label, _ := v["label"].(string); label != "" && id != "" {
				all[label] = id
			}
			walk(v["components"])
		}
	}
	walk(m.Components)
	return all
}
