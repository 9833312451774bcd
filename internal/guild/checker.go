package guild

import (
	"context"
	"fmt"
	"slices"

	"rookery/internal/community"
	"rookery/internal/discord"
	"rookery/internal/settings"
)

// checker asks Discord about the channels and roles of a setting.
type checker struct{ platform }

var _ settings.Checker = checker{}

// kinds are Discord's numbers. Source: resources/channel, "Channel Types".
func kinds(k settings.ChannelKind) []int {
	switch k {
	case settings.TextChannel:
		return []int{0}
	case settings.VoiceChannel:
		return []int{2}
	case settings.Category:
		return []int{4}
	case settings.AnnouncementChannel:
		return []int{5}
	case settings.Thread:
		return []int{10, 11, 12}
	case settings.StageChannel:
		return []int{13}
	case settings.ForumChannel:
		return []int{15, 16}
	}
	return nil
}

// numbers are Discord's numbers of all kinds of a rule.
func numbers(rule []settings.ChannelKind) []int {
	var all []int
	for _, k := range rule {
		all = append(all, kinds(k)...)
	}
	return all
}

// permission is Discord's bit. Source: topics/permissions.
func permission(p settings.Permission) discord.Permission {
	switch p {
	case settings.ViewChannel:
		return discord.ViewChannel
	case settings.SendMessages:
		return discord.SendMessages
	case settings.SendMessagesInThreads:
		return discord.SendInThreads
	case settings.EmbedLinks:
		return discord.EmbedLinks
	case settings.AttachFiles:
		return discord.AttachFiles
	case settings.AddReactions:
		return discord.AddReactions
	case settings.ReadMessageHistory:
		return discord.ReadMessageHistory
	case settings.ManageMessages:
		return discord.ManageMessages
	case settings.CreatePublicThreads:
		return 1 << 35
	case settings.ManageThreads:
		return 1 << 34
	case settings.UseExternalEmojis:
		return 1 << 18
	case settings.Connect:
		return 1 << 20
	case settings.Speak:
		return 1 << 21
	}
	return 0
}

// CheckChannel implements settings.Checker.
func (c checker) CheckChannel(ctx context.Context, guild community.GuildID, channel community.ChannelID, allowed []settings.ChannelKind, needs []settings.Permission) error {
	ch, err := c.Channel(ctx, channel)
	switch class := discord.ClassOf(err); {
	case class == discord.Gone, class == discord.Forbidden, err == nil && ch.Guild != guild:
		return settings.ChannelGone(channel)
	case err != nil:
		return fmt.Errorf("look at channel %s: %w", channel, err)
	}
	if len(allowed) > 0 && !slices.Contains(numbers(allowed), ch.Kind) {
		return settings.WrongKind(channel, allowed)
	}
	var want discord.Permission
	for _, n := range needs {
		// In a thread it is another permission that lets one write.
		if ch.Thread && n == settings.SendMessages {
			n = settings.SendMessagesInThreads
		}
		want |= permission(n)
	}
	missing, err := c.Missing(ctx, guild, channel, want)
	if err != nil {
		return fmt.Errorf("look at what the bot may in channel %s: %w", channel, err)
	}
	var names []settings.Permission
	for _, n := range needs {
		if ch.Thread && n == settings.SendMessages {
			n = settings.SendMessagesInThreads
		}
		if missing&permission(n) != 0 {
			names = append(names, n)
		}
	}
	if len(names) > 0 {
		return settings.Missing(channel, names)
	}
	return nil
}

// CheckRole implements settings.Checker.
func (c checker) CheckRole(ctx context.Context, guild community.GuildID, role community.RoleID) error {
	ok, err := c.HasRole(ctx, guild, role)
	if err != nil {
		return fmt.Errorf("look for role %s: %w", role, err)
	}
	if !ok {
		return settings.RoleGone(role)
	}
	return nil
}
