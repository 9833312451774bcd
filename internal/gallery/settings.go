package gallery

import (
	"context"
	"slices"

	"rookery/internal/community"
	"rookery/internal/settings"
	"rookery/internal/words"
)

// Settings are what the managers of a guild decide about its gallery.
type Settings struct {
	Group *settings.Group

	enabled   *settings.Setting[bool]
	channels  *settings.Setting[[]community.ChannelID]
	offers    *settings.Setting[bool]
	accounts  *settings.Setting[string]
	images    *settings.Setting[bool]
	videos    *settings.Setting[bool]
	sound     *settings.Setting[bool]
	described *settings.Setting[bool]
	roles     *settings.Setting[[]community.RoleID]
	days      *settings.Setting[int]
	daily     *settings.Setting[int]
	hourly    *settings.Setting[int]
	review    *settings.Setting[community.ChannelID]
}

// Declare declares the feature's group of settings, for one settings.Book.
func Declare() *Settings {
	g := settings.NewGroup(Name, words.GallerySettingsTitle, words.GallerySettingsHelp)
	threads := settings.ChannelRule{
		Kinds: []settings.ChannelKind{settings.ForumChannel, settings.TextChannel, settings.AnnouncementChannel},
		Needs: []settings.Permission{settings.ViewChannel, settings.SendMessagesInThreads, settings.EmbedLinks, settings.ReadMessageHistory},
	}
	review := settings.ChannelRule{
		Kinds: []settings.ChannelKind{settings.TextChannel},
		Needs: []settings.Permission{settings.ViewChannel, settings.SendMessages, settings.EmbedLinks, settings.ReadMessageHistory},
	}
	return &Settings{
		Group:     g,
		enabled:   settings.Bool(g, "enabled", false, words.GallerySettingEnabled),
		channels:  settings.Channels(g, "channels", threads, words.GallerySettingChannels),
		offers:    settings.Bool(g, "offers", true, words.GallerySettingOffers),
		accounts:  settings.Text(g, "accounts", "", 200, words.GallerySettingAccounts),
		images:    settings.Bool(g, "images", true, words.GallerySettingImages),
		videos:    settings.Bool(g, "videos", true, words.GallerySettingVideos),
		sound:     settings.Bool(g, "audio", true, words.GallerySettingAudio),
		described: settings.Bool(g, "descriptions_required", false, words.GallerySettingDescribed),
		roles:     settings.Roles(g, "roles", words.GallerySettingRoles),
		days:      settings.Int(g, "member_days", 0, 0, 365, words.GallerySettingDays),
		daily:     settings.Int(g, "per_day", 10, 1, 500, words.GallerySettingDaily),
		hourly:    settings.Int(g, "per_hour", 60, 1, 1000, words.GallerySettingHourly),
		review:    settings.Channel(g, "review_channel", review, words.GallerySettingReview),
	}
}

// Enabled turns the gallery on in a guild.
func (s *Settings) Enabled() *settings.Setting[bool] { return s.enabled }

// Channels are those of a guild whose new threads are offered to be shared.
func (s *Settings) Channels() *settings.Setting[[]community.ChannelID] { return s.channels }

// On tells whether a guild has a gallery at all.
func (s *Settings) On(ctx context.Context, guild community.GuildID) (bool, error) {
	if s == nil || guild == "" {
		return false, nil
	}
	return s.enabled.In(ctx, guild)
}

// watches tells whether a new thread of a channel is offered to be shared.
func (s *Settings) watches(ctx context.Context, guild community.GuildID, channel community.ChannelID) (bool, error) {
	if on, err := s.On(ctx, guild); err != nil || !on {
		return false, err
	}
	if on, err := s.offers.In(ctx, guild); err != nil || !on {
		return false, err
	}
	list, err := s.channels.In(ctx, guild)
	return slices.Contains(list, channel), err
}

// kinds are what may be shared from a guild.
type kinds struct{ images, videos, sound bool }

func (s *Settings) kinds(ctx context.Context, guild community.GuildID) (k kinds, err error) {
	if k.images, err = s.images.In(ctx, guild); err != nil {
		return k, err
	}
	if k.videos, err = s.videos.In(ctx, guild); err != nil {
		return k, err
	}
	k.sound, err = s.sound.In(ctx, guild)
	return k, err
}
