package guild

import (
	"context"
	"strings"

	"rookery/internal/community"
	"rookery/internal/discord"
	"rookery/internal/words"
)

// help lists what the guild has turned on, and nothing else; in direct
// messages, what can be done there.
func (g *Guild) help(ctx context.Context, p *discord.Press) (discord.Answer, error) {
	l := p.Language
	var b strings.Builder
	for _, t := range g.Topics {
		if t.On == nil || t.On(ctx, p.Place.Guild) {
			b.WriteString(t.Say(l) + "\n\n")
		}
	}
	b.WriteString("**" + l.Say(words.GuildHelpCommands, nil) + "**\n")
	for _, c := range g.platform.Known() {
		if !offered(ctx, c, p.Place.Guild) || !p.Permissions.Has(c.Permission) {
			continue
		}
		b.WriteString(entry(l, c))
	}
	if g.nothing(ctx, p.Place.Guild) {
		b.WriteString("\n" + l.Say(words.GuildHelpNothing, nil))
	}
	return private(discord.Message{Embeds: []discord.Embed{{Title: l.Say(words.GuildHelpTitle, nil), Text: fit(b.String(), mostText)}}}), nil
}

// offered tells whether a command can be given in a guild, or in direct
// messages if there is none.
func offered(ctx context.Context, c discord.Command, guild community.GuildID) bool {
	if guild == "" {
		return c.Direct
	}
	return c.On == nil || c.On(ctx, guild)
}

func entry(l words.Language, c discord.Command) string {
	name := c.Name
	if c.Names != "" {
		name = l.Say(c.Names, nil)
	}
	if c.Kind != discord.Slash {
		return "- " + l.Say(words.GuildHelpMenu, words.Args{"name": "**" + name + "**"}) + "\n"
	}
	return "- **/" + name + "**: " + l.Say(c.Help, nil) + "\n"
}

// nothing tells that a guild has turned nothing on yet.
func (g *Guild) nothing(ctx context.Context, guild community.GuildID) bool {
	if guild == "" {
		return false
	}
	for _, f := range g.Features {
		if on, err := f.On.In(ctx, guild); err != nil || on {
			return false
		}
	}
	return true
}
