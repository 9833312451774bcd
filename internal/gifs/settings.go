package gifs

import (
	"context"
	"slices"

	"rookery/internal/community"
	"rookery/internal/settings"
	"rookery/internal/words"
)

// Settings are what the managers of a guild decide about pictures.
type Settings struct {
	Group   *settings.Group
	enabled *settings.Setting[bool]
	nsfw    *settings.Setting[bool]
	only    *settings.Setting[[]community.ChannelID]
	not     *settings.Setting[[]community.ChannelID]
}

// Declare declares the feature's group of settings, for one settings.Book.
func Declare() *Settings {
	g := settings.NewGroup(Name, words.GIFsSettingsTitle, words.GIFsSettingsHelp)
	writable := settings.ChannelRule{
		Kinds: []settings.ChannelKind{settings.TextChannel, settings.AnnouncementChannel, settings.ForumChannel, settings.VoiceChannel, settings.StageChannel, settings.Thread},
		Needs: []settings.Permission{settings.ViewChannel, settings.SendMessages, settings.AttachFiles, settings.ReadMessageHistory},
	}
	return &Settings{
		Group:   g,
		enabled: settings.Bool(g, "enabled", false, words.GIFsSettingEnabled),
		nsfw:    settings.Bool(g, "nsfw", false, words.GIFsSettingNSFW),
		only:    settings.Channels(g, "channels", writable, words.GIFsSettingChannels),
		not:     settings.Channels(g, "not_channels", settings.ChannelRule{Kinds: writable.Kinds}, words.GIFsSettingNotChannels),
	}
}

// On tells whether a guild has pictures at all.
func (s *Settings) On(ctx context.Context, guild community.GuildID) (bool, error) {
	if s == nil {
		return false, nil
	}
	return s.enabled.In(ctx, guild)
}

// In tells whether pictures may be asked for at a place. A thread is what its
// channel is, unless it is named itself.
func (s *Settings) In(ctx context.Context, p community.Place) (bool, error) {
	if on, err := s.On(ctx, p.Guild); err != nil || !on {
		return false, err
	}
	only, err := s.only.In(ctx, p.Guild)
	if err != nil {
		return false, err
	}
	not, err := s.not.In(ctx, p.Guild)
	if err != nil {
		return false, err
	}
	here := func(list []community.ChannelID) bool {
		return slices.Contains(list, p.Channel) || p.Parent != "" && slices.Contains(list, p.Parent)
	}
	return !here(not) && (len(only) == 0 || here(only)), nil
}

// unsafe tells whether a guild wants pictures that are not safe where its
// channels are for adults.
func (s *Settings) unsafe(ctx context.Context, guild community.GuildID) (bool, error) {
	if s == nil {
		return false, nil
	}
	return s.nsfw.In(ctx, guild)
}

// Enabled turns pictures on in a guild.
func (s *Settings) Enabled() *settings.Setting[bool] { return s.enabled }

// Channels are those of a guild where pictures may be asked for; none for all.
func (s *Settings) Channels() *settings.Setting[[]community.ChannelID] { return s.only }
