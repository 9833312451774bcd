package settings

import (
	"slices"

	"rookery/internal/community"
	"rookery/internal/words"
)

// ChannelKind is what a channel is.
type ChannelKind string

// The kinds of channels.
const (
	TextChannel         ChannelKind = "text"
	AnnouncementChannel ChannelKind = "announcement"
	ForumChannel        ChannelKind = "forum"
	VoiceChannel        ChannelKind = "voice"
	StageChannel        ChannelKind = "stage"
	Thread              ChannelKind = "thread"
	Category            ChannelKind = "category"
)

func (k ChannelKind) key() words.Key {
	switch k {
	case AnnouncementChannel:
		return words.SettingsKindAnnouncement
	case ForumChannel:
		return words.SettingsKindForum
	case VoiceChannel:
		return words.SettingsKindVoice
	case StageChannel:
		return words.SettingsKindStage
	case Thread:
		return words.SettingsKindThread
	case Category:
		return words.SettingsKindCategory
	}
	return words.SettingsKindText
}

// Permission is something that the bot must be allowed in a channel.
type Permission string

// The permissions that features need.
const (
	ViewChannel           Permission = "view_channel"
	SendMessages          Permission = "send_messages"
	SendMessagesInThreads Permission = "send_messages_in_threads"
	EmbedLinks            Permission = "embed_links"
	AttachFiles           Permission = "attach_files"
	AddReactions          Permission = "add_reactions"
	ReadMessageHistory    Permission = "read_message_history"
	ManageMessages        Permission = "manage_messages"
	CreatePublicThreads   Permission = "create_public_threads"
	ManageThreads         Permission = "manage_threads"
	UseExternalEmojis     Permission = "use_external_emojis"
	Connect               Permission = "connect"
	Speak                 Permission = "speak"
)

// Key is the permission's name as Discord's own settings show it.
func (p Permission) Key() words.Key {
	switch p {
	case ViewChannel:
		return words.SettingsPermViewChannel
	case SendMessages:
		return words.SettingsPermSendMessages
	case SendMessagesInThreads:
		return words.SettingsPermSendMessagesInThreads
	case EmbedLinks:
		return words.SettingsPermEmbedLinks
	case AttachFiles:
		return words.SettingsPermAttachFiles
	case AddReactions:
		return words.SettingsPermAddReactions
	case ReadMessageHistory:
		return words.SettingsPermReadMessageHistory
	case ManageMessages:
		return words.SettingsPermManageMessages
	case CreatePublicThreads:
		return words.SettingsPermCreatePublicThreads
	case ManageThreads:
		return words.SettingsPermManageThreads
	case UseExternalEmojis:
		return words.SettingsPermUseExternalEmojis
	case Connect:
		return words.SettingsPermConnect
	case Speak:
		return words.SettingsPermSpeak
	}
	return words.Key(p)
}

// ChannelRule is what a channel must be fit for.
type ChannelRule struct {
	Kinds []ChannelKind // none: any
	Needs []Permission  // what the bot must be allowed there
}

func (r ChannelRule) clone() ChannelRule {
	return ChannelRule{slices.Clone(r.Kinds), slices.Clone(r.Needs)}
}

// ChannelGone is a Checker's answer: no such channel is in the guild, or the
// bot does not see it.
func ChannelGone(c community.ChannelID) *Problem {
	return problem(words.SettingsChannelGone, words.Args{"channel": mention(c)})
}

// WrongKind is a Checker's answer: the channel is of none of the kinds.
func WrongKind(c community.ChannelID, kinds []ChannelKind) *Problem {
	var names phrases
	for _, k := range kinds {
		names = append(names, k.key())
	}
	return problem(words.SettingsChannelKind, words.Args{"channel": mention(c), "kinds": names})
}

// Missing is a Checker's answer: the bot lacks permissions in the channel.
func Missing(c community.ChannelID, needs []Permission) *Problem {
	var names phrases
	for _, p := range needs {
		names = append(names, p.Key())
	}
	return problem(words.SettingsChannelPermission, words.Args{"channel": mention(c), "permissions": names})
}

// RoleGone is a Checker's answer: no such role is in the guild.
func RoleGone(r community.RoleID) *Problem {
	return problem(words.SettingsRoleGone, words.Args{"role": "<@&" + string(r) + ">"})
}

func mention(c community.ChannelID) string { return "<#" + string(c) + ">" }
