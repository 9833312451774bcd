package discord

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strconv"

	"rookery/internal/community"
	"rookery/internal/words"
)

// wireCommand is a command as Discord takes it. Source:
// interactions/application-commands, "Application Command Structure".
type wireCommand struct {
	Type        CommandKind       `json:"type"`
	Name        string            `json:"name"`
	Names       map[string]string `json:"name_localizations,omitempty"`
	Help        string            `json:"description,omitempty"`
	Helps       map[string]string `json:"description_localizations,omitempty"`
	Options     []wireOptionDecl  `json:"options,omitempty"`
	Permission  *string           `json:"default_member_permissions"`
	NSFW        bool              `json:"nsfw,omitempty"`
	Integration []int             `json:"integration_types,omitempty"`
	Contexts    []int             `json:"contexts,omitempty"`
}

// wireOptionDecl is an option of a command, or a subcommand. Source:
// "Application Command Option Structure".
type wireOptionDecl struct {
	Type      OptionKind        `json:"type"`
	Name      string            `json:"name"`
	Names     map[string]string `json:"name_localizations,omitempty"`
	Help      string            `json:"description"`
	Helps     map[string]string `json:"description_localizations,omitempty"`
	Required  bool              `json:"required,omitempty"`
	Choices   []offeredChoice   `json:"choices,omitempty"`
	Options   []wireOptionDecl  `json:"options,omitempty"`
	Channels  []int             `json:"channel_types,omitempty"`
	Min       *float64          `json:"min_value,omitempty"`
	Max       *float64          `json:"max_value,omitempty"`
	MinLength *int              `json:"min_length,omitempty"`
	MaxLength *int              `json:"max_length,omitempty"`
	Complete  bool              `json:"autocomplete,omitempty"`
}

// Where a command is offered. Source: resources/application, "Application
// Integration Types"; interactions/receiving-and-responding, "Interaction
// Context Types".
const (
	forGuilds, forMembers         = 0, 1
	inDirect, inPrivateChannels   = 1, 2
	englishUS, englishGB, russian = "en-US", "en-GB", "ru"
)

// localized are the texts of a key by Discord's locales, but for those that
// are base, which Discord shows where there is none.
func localized(k words.Key, base string) map[string]string {
	if k == "" {
		return nil
	}
	all := map[string]string{}
	for locale, l := range map[string]words.Language{englishUS: words.English, englishGB: words.English, russian: words.Russian} {
		if text := l.Say(k, nil); text != base {
			all[locale] = text
		}
	}
	if len(all) == 0 {
		return nil
	}
	return all
}

func inEnglish(k words.Key) string {
	if k == "" {
		return ""
	}
	return words.English.Say(k, nil)
}

// wire is a command as Discord takes it, with those of its subcommands that
// are on; false if none is.
func (c *Command) wire(on func(*Command) bool) (wireCommand, bool) {
	w := wireCommand{Type: c.kind(), Name: c.Name, Names: localized(c.Names, c.Name), NSFW: c.AgeRestricted}
	if w.Type == Slash {
		w.Help = inEnglish(c.Help)
		w.Helps = localized(c.Help, w.Help)
	}
	if c.Permission != 0 {
		p := strconv.FormatUint(uint64(c.Permission), 10)
		w.Permission = &p
	}
	w.Options = wireOptions(c.Options)
	for i := range c.Subs {
		s := &c.Subs[i]
		if !on(s) {
			continue
		}
		o := wireOptionDecl{Type: subKind, Name: s.Name, Names: localized(s.Names, s.Name), Help: inEnglish(s.Help), Options: wireOptions(s.Options)}
		o.Helps = localized(s.Help, o.Help)
		w.Options = append(w.Options, o)
	}
	return w, len(c.Subs) == 0 || len(w.Options) > 0
}

func wireOptions(all []Option) []wireOptionDecl {
	var out []wireOptionDecl
	for _, o := range all {
		w := wireOptionDecl{
			Type: o.Kind, Name: o.Name, Names: localized(o.Names, o.Name), Help: inEnglish(o.Help),
			Required: o.Required, Channels: o.Channels, Complete: o.Complete,
		}
		w.Helps = localized(o.Help, w.Help)
		if o.Kind == OptionText {
			w.MinLength, w.MaxLength = whole(o.Min), whole(o.Max)
		} else {
			w.Min, w.Max = o.Min, o.Max
		}
		for _, c := range o.Choices {
			w.Choices = append(w.Choices, c.offered(o.Kind))
		}
		out = append(out, w)
	}
	return out
}

func whole(f *float64) *int {
	if f == nil {
		return nil
	}
	n := int(*f)
	return &n
}

// globalCommands are those offered everywhere but in guilds: a guild has its
// own, so that it sees only what it has turned on. Without byMembers they are
// offered to those only who share a guild with the bot.
func (d *Discord) globalCommands(byMembers bool) []wireCommand {
	all := []wireCommand{}
	for i := range d.Commands {
		c := &d.Commands[i]
		if !c.Direct {
			continue
		}
		w, _ := c.wire(func(*Command) bool { return true })
		w.Integration, w.Contexts = []int{forGuilds}, []int{inDirect}
		if byMembers {
			w.Integration, w.Contexts = []int{forGuilds, forMembers}, []int{inDirect, inPrivateChannels}
		}
		all = append(all, w)
	}
	return all
}

// guildCommands are those that a guild has turned on.
func (d *Discord) guildCommands(ctx context.Context, g community.GuildID) []wireCommand {
	on := func(c *Command) bool { return c.On == nil || c.On(ctx, g) }
	all := []wireCommand{}
	for i := range d.Commands {
		c := &d.Commands[i]
		if !on(c) {
			continue
		}
		if w, some := c.wire(on); some {
			all = append(all, w)
		}
	}
	return all
}

// hashOf names what Discord is told.
func hashOf(all []wireCommand) string {
	raw, _ := json.Marshal(all) // texts, numbers and lists: it cannot fail
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:])
}
