// Package guild is what those who manage a guild do with the bot, and what
// everybody there asks it first: /setup asks a few questions, /settings shows
// and changes what each feature has declared, /help tells what is turned on.
//
// It leaves the values, their rules and the audit to settings, and what a
// setting does to the feature that declared it. Other features are known to
// it only as groups of settings and lines of help.
package guild

import (
	"context"
	"log/slog"
	"time"

	"rookery/internal/clock"
	"rookery/internal/community"
	"rookery/internal/discord"
	"rookery/internal/outbox"
	"rookery/internal/settings"
	"rookery/internal/store"
	"rookery/internal/words"
)

// Name is the feature's name.
const Name = "guild"

// platform is what is asked of Discord.
type platform interface {
	Account() (community.AccountID, bool)
	Guild(id community.GuildID) (discord.Guild, bool)
	Channel(ctx context.Context, id community.ChannelID) (discord.Channel, error)
	Missing(ctx context.Context, guild community.GuildID, channel community.ChannelID, want discord.Permission) (discord.Permission, error)
	HasRole(ctx context.Context, guild community.GuildID, role community.RoleID) (bool, error)
	Known() []discord.Command
	In(ctx context.Context, guild community.GuildID) (bool, error)
}

var _ platform = (*discord.Discord)(nil)

// Feature is one that a guild may turn on.
type Feature struct {
	Title    words.Key
	Help     words.Key // one sentence
	On       *settings.Setting[bool]
	Channels *settings.Setting[[]community.ChannelID] // where it may speak, none for everywhere; nil: it has no such setting
	// Places are channels that it watches, none for none; nil: it watches none.
	// PlacesAsk is what /setup asks about them.
	Places    *settings.Setting[[]community.ChannelID]
	PlacesAsk words.Key
}

// Topic is a paragraph of /help.
type Topic struct {
	// On tells whether the guild has it; guild is empty in direct messages.
	On  func(ctx context.Context, guild community.GuildID) bool
	Say func(l words.Language) string
}

// Config is what a Guild needs.
type Config struct {
	Book     *settings.Book
	General  *General
	Log      *slog.Logger
	Store    *store.Store
	Outbox   *outbox.Outbox
	Clock    clock.Clock
	Features []Feature
	Topics   []Topic
	// Purge are told, in the transaction that lets go of the settings, of a guild
	// that the bot left long ago: what else is kept for it goes too.
	Purge []func(ctx context.Context, tx store.Tx, guild community.GuildID) error
	// Fetch gets a file that came with a command, of at most so many bytes.
	Fetch func(ctx context.Context, address string, most int64) ([]byte, error)
}

// Guild is the feature. It is safe for concurrent use.
type Guild struct {
	Config
	platform platform
}

// General is what a guild sets for all features.
type General struct {
	Group    *settings.Group
	Language *settings.Setting[Speech]
	Notices  *settings.Setting[community.ChannelID]
}

// Speech is the language in which members are spoken to.
type Speech string

// The languages: one for all, or each member's own.
const (
	Each    Speech = "each"
	English Speech = "en"
	Russian Speech = "ru"
)

// Declare declares the settings. def is the language of a guild that has set
// none, as the catalogue knows it; "" is each member's own.
func Declare(def words.Language) *General {
	g := settings.NewGroup("general", words.GuildGeneral, words.GuildGeneralHelp)
	speech := Each
	if def != "" {
		speech = Speech(def)
	}
	return &General{
		Group: g,
		Language: settings.Choice(g, "language", speech, []settings.Option{
			{Value: string(Each), Label: words.GuildLanguageEach},
			{Value: string(English), Label: words.SettingsLanguageEnglish},
			{Value: string(Russian), Label: words.SettingsLanguageRussian},
		}, words.GuildLanguageHelp),
		Notices: settings.Channel(g, "notices", settings.ChannelRule{
			Kinds: []settings.ChannelKind{settings.TextChannel, settings.AnnouncementChannel, settings.Thread},
			Needs: []settings.Permission{settings.ViewChannel, settings.SendMessages},
		}, words.GuildNoticesHelp),
	}
}

// LanguageOf is the language that a guild has set, BCP 47; "" for each
// member's own.
func (g *General) LanguageOf(ctx context.Context, guild community.GuildID) string {
	if guild == "" {
		return ""
	}
	s, err := g.Language.In(ctx, guild)
	if err != nil || s == Each {
		return ""
	}
	return string(s)
}

// New makes the feature. Join must be called before it answers.
func New(c Config) *Guild {
	g := &Guild{Config: c}
	if c.Outbox != nil {
		c.Outbox.Own(Name, g.settle)
	}
	return g
}

// Join gives the feature its platform, which must not be connected yet.
func (g *Guild) Join(d *discord.Discord) {
	g.platform = d
	d.Components(setAction, g.chosen)
	d.Components(setupAction, g.setupPressed)
}

// fetchTime is how long a file that came with a command may take.
const fetchTime = 8 * time.Second

// Commands are what the feature answers.
func (g *Guild) Commands() []discord.Command {
	return []discord.Command{
		{
			Name: "help", Kind: discord.Slash, Names: words.GuildHelpName, Help: words.GuildHelpHelp, Private: true, Direct: true,
			Handle: g.help,
		},
		{
			Name: "setup", Kind: discord.Slash, Names: words.GuildSetupName, Help: words.GuildSetupHelp, Private: true,
			Permission: discord.ManageGuild, Handle: g.setup,
		},
		g.settingsCommand(),
	}
}

// by is who did something, for the audit.
func by(p *discord.Press, via string) settings.By {
	name := p.Member.Name
	if name == "" {
		name = p.Member.Acct
	}
	return settings.By{Member: p.Member.ID, Name: name, Via: via}
}

// private is an answer that only the member sees. The flag against previews
// would hide embeds of ours too; in them, nothing has a preview.
func private(m discord.Message) discord.Answer {
	m.NoPreviews = len(m.Embeds) == 0
	return discord.Answer{Message: &m, Private: true}
}

func say(text string) discord.Answer {
	return private(discord.Message{Content: fit(text, discord.MaxContent)})
}

// fit cuts a text to so many characters, as Discord may count them: between
// lines if it has several.
func fit(text string, most int) string {
	if discord.Length(text) <= most {
		return text
	}
	n, end, line := 1, 0, 0 // one for the mark
	for i, r := range text {
		end = i
		n += discord.Length(string(r))
		if n > most {
			break
		}
		if r == '\n' {
			line = i
		}
	}
	if line > 0 {
		end = line
	}
	return text[:end] + "…"
}
