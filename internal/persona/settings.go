package persona

import (
	"context"
	"slices"

	"rookery/internal/community"
	"rookery/internal/settings"
	"rookery/internal/store"
	"rookery/internal/words"
)

// Settings are what the managers of a guild set of the persona. A guild where
// nothing was set has no persona.
type Settings struct {
	Group *settings.Group

	enabled               *settings.Setting[bool]
	channels, notChannels *settings.Setting[[]community.ChannelID]
	roles, notRoles       *settings.Setting[[]community.RoleID]
	replies, messages     *settings.Setting[int]
}

// The most that a guild can set.
const (
	mostReplies  = 10_000
	mostMessages = 10
)

// Declare makes the group, for one settings.Book.
func Declare() *Settings {
	g := settings.NewGroup(Name, words.PersonaTitle, words.PersonaHelp)
	kinds := []settings.ChannelKind{settings.TextChannel, settings.AnnouncementChannel, settings.ForumChannel, settings.VoiceChannel, settings.StageChannel, settings.Thread}
	return &Settings{
		Group:   g,
		enabled: settings.Bool(g, "enabled", false, words.PersonaEnabled),
		channels: settings.Channels(g, "channels", settings.ChannelRule{Kinds: kinds,
			Needs: []settings.Permission{settings.ViewChannel, settings.SendMessages}}, words.PersonaChannels),
		notChannels: settings.Channels(g, "not_channels", settings.ChannelRule{Kinds: kinds}, words.PersonaNotChannels),
		roles:       settings.Roles(g, "roles", words.PersonaRoles),
		notRoles:    settings.Roles(g, "not_roles", words.PersonaNotRoles),
		replies:     settings.Int(g, "replies_per_member", 0, 0, mostReplies, words.PersonaRepliesPerMember),
		messages:    settings.Int(g, "messages", 0, 0, mostMessages, words.PersonaMessages),
	}
}

// read is a setting's value, as a transaction sees it if there is one.
func read[T any](ctx context.Context, tx store.Tx, s *settings.Setting[T], guild community.GuildID) (T, error) {
	if tx != nil {
		return s.InTx(ctx, tx, guild)
	}
	return s.In(ctx, guild)
}

// on tells whether a guild has the persona at all.
func (s *Settings) on(ctx context.Context, tx store.Tx, guild community.GuildID) (bool, error) {
	if s == nil {
		return false, nil
	}
	return read(ctx, tx, s.enabled, guild)
}

// hears tells why the persona keeps quiet in a place, whoever speaks; "" if it
// does not. A thread is where its channel is.
func (s *Settings) hears(ctx context.Context, tx store.Tx, at community.Place) (why string, err error) {
	if on, err := s.on(ctx, tx, at.Guild); err != nil || !on {
		return "the guild has not turned it on", err
	}
	listed := func(list []community.ChannelID) bool {
		return slices.Contains(list, at.Channel) || at.Parent != "" && slices.Contains(list, at.Parent)
	}
	not, err := read(ctx, tx, s.notChannels, at.Guild)
	if err != nil {
		return "", err
	}
	if listed(not) {
		return "the guild does not want it in that channel", nil
	}
	only, err := read(ctx, tx, s.channels, at.Guild)
	if err != nil {
		return "", err
	}
	if len(only) > 0 && !listed(only) {
		return "the guild wants it in other channels", nil
	}
	return "", nil
}

// answers tells why somebody with these roles gets no answer in a guild; "" if
// they may have one.
func (s *Settings) answers(ctx context.Context, tx store.Tx, guild community.GuildID, roles []community.RoleID) (why string, err error) {
	has := func(list []community.RoleID) bool {
		return slices.ContainsFunc(list, func(r community.RoleID) bool {
			// The role of everybody has the guild's own id.
			return string(r) == string(guild) || slices.Contains(roles, r)
		})
	}
	not, err := read(ctx, tx, s.notRoles, guild)
	if err != nil {
		return "", err
	}
	if has(not) {
		return "the guild has it answer nobody with a role of its author's", nil
	}
	only, err := read(ctx, tx, s.roles, guild)
	if err != nil {
		return "", err
	}
	if len(only) > 0 && !has(only) {
		return "the guild has it answer other roles than its author's", nil
	}
	return "", nil
}

// byRole tells whether a guild looks at roles at all.
func (s *Settings) byRole(ctx context.Context, guild community.GuildID) (bool, error) {
	for _, list := range []*settings.Setting[[]community.RoleID]{s.roles, s.notRoles} {
		if roles, err := list.In(ctx, guild); err != nil || len(roles) > 0 {
			return err == nil, err
		}
	}
	return false, nil
}

// Enabled turns the persona on in a guild.
func (s *Settings) Enabled() *settings.Setting[bool] { return s.enabled }

// Channels are those of a guild where it answers; none for all.
func (s *Settings) Channels() *settings.Setting[[]community.ChannelID] { return s.channels }
