package apptest

import (
	"context"
	"fmt"

	"rookery/internal/sim/boorusim"
	"rookery/internal/sim/discordsim"
)

// Guilds is a Discord with one guild that the bot is in, beside what a World
// has: its own account on the Fediverse is left out of the configuration.
type Guilds struct {
	*World
	Discord *discordsim.Server
	Guild   string
	Owner   string // who manages the guild
	Ada     string // a member
	General string // a channel
}

// NewGuilds starts the servers, with an image board that has these pictures.
func NewGuilds(w *World, pictures ...boorusim.Image) *Guilds {
	w.T.Helper()
	w.Pictures(pictures...)
	d, err := discordsim.New(discordsim.Options{NoRateLimits: true})
	if err != nil {
		w.T.Fatal(err)
	}
	w.T.Cleanup(d.Close)
	g := &Guilds{World: w, Discord: d}
	g.Guild = d.AddGuild("Owls")
	g.Owner = d.Owner(g.Guild)
	g.Ada = d.AddUser("ada")
	d.Join(g.Guild, g.Ada)
	g.General = d.AddChannel(g.Guild, "general", discordsim.Text)
	d.BotJoins(g.Guild)
	w.Environment = append(w.Environment, "TEST_DISCORD="+d.Token())
	w.Discord = fmt.Sprintf("[discord]\ntoken_env = \"TEST_DISCORD\"\ndoes = [\"persona\", \"gifs\"]\napi = %q\n", d.URL())
	w.Configure("")
	return g
}

// Wait waits until cond holds on Discord.
func (g *Guilds) Wait(what string, cond func(*discordsim.Server) bool) {
	g.T.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	if err := g.Discord.WaitFor(ctx, cond); err != nil {
		g.T.Fatalf("waited in vain for %s: %v\nthe database holds:\n%s", what, err, g.waiting())
	}
}

// TurnOn turns both features on, as who manages the guild.
func (g *Guilds) TurnOn() {
	g.T.Helper()
	g.Wait("the commands", func(s *discordsim.Server) bool { return len(s.Commands(g.Guild)) >= 3 })
	for _, name := range []string{"persona", "gifs"} {
		g.slash(g.Owner, "settings "+name, discordsim.Args{"enabled": true})
	}
	g.Wait("/gif", func(s *discordsim.Server) bool {
		for _, c := range s.Commands(g.Guild) {
			if c.Name == "gif" {
				return true
			}
		}
		return false
	})
}

func (g *Guilds) slash(user, name string, args discordsim.Args) discordsim.Outcome {
	g.T.Helper()
	in, err := g.Discord.Slash(user, g.General, name, args)
	if err != nil {
		g.T.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	o, err := in.WaitDone(ctx)
	if err != nil || o.Failed {
		g.T.Fatalf("/%s: %v, failed %v", name, err, o.Failed)
	}
	return o
}

// Say has Ada write in the channel, to the bot.
func (g *Guilds) Say(text string) string {
	g.T.Helper()
	id, err := g.Discord.Say(g.Ada, g.General, discordsim.Draft{Content: "<@" + g.Discord.AppID() + "> " + text})
	if err != nil {
		g.T.Fatal(err)
	}
	return id
}

// Answers are the bot's replies to a message.
func (g *Guilds) Answers(id string) []discordsim.Message {
	var all []discordsim.Message
	for _, m := range g.Discord.ByBot(g.General) {
		if m.ReplyTo == id {
			all = append(all, m)
		}
	}
	return all
}

// Shown are the bot's messages in the channel that have a file.
func (g *Guilds) Shown() []discordsim.Message {
	var all []discordsim.Message
	for _, m := range g.Discord.ByBot(g.General) {
		if len(m.Attachments) > 0 {
			all = append(all, m)
		}
	}
	return all
}
