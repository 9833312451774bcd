package words

// How values of settings are shown.
const (
	SettingsOn              Key = "settings.on"
	SettingsOff             Key = "settings.off"
	SettingsNone            Key = "settings.none"
	SettingsLanguageEnglish Key = "settings.language_english"
	SettingsLanguageRussian Key = "settings.language_russian"

	SettingsBoundsBool     Key = "settings.bounds_bool"
	SettingsBoundsRange    Key = "settings.bounds_range"  // {min}, {max}
	SettingsBoundsText     Key = "settings.bounds_text"   // {max} characters
	SettingsBoundsChoice   Key = "settings.bounds_choice" // {choices}
	SettingsBoundsChannel  Key = "settings.bounds_channel"
	SettingsBoundsChannels Key = "settings.bounds_channels" // {max}
	SettingsBoundsRole     Key = "settings.bounds_role"
	SettingsBoundsRoles    Key = "settings.bounds_roles" // {max}
	SettingsBoundsZone     Key = "settings.bounds_zone"
)

// What is wrong with a value that somebody wrote, {value}.
const (
	SettingsUnknown     Key = "settings.unknown"      // {name}
	SettingsUnknownNear Key = "settings.unknown_near" // {name}, {near} is what was probably meant
	SettingsNotBool     Key = "settings.not_bool"
	SettingsNotInt      Key = "settings.not_int"
	SettingsOutOfRange  Key = "settings.out_of_range" // {min}, {max}
	SettingsNotDuration Key = "settings.not_duration"
	SettingsNoUnit      Key = "settings.no_unit"
	SettingsTooLong     Key = "settings.too_long"   // {n} characters, {max} may be
	SettingsNotChoice   Key = "settings.not_choice" // {choices}
	SettingsNotChannel  Key = "settings.not_channel"
	SettingsNotRole     Key = "settings.not_role"
	SettingsTooMany     Key = "settings.too_many" // {max}
	SettingsNotZone     Key = "settings.not_zone"

	SettingsChannelGone       Key = "settings.channel_gone"       // {channel}
	SettingsChannelKind       Key = "settings.channel_kind"       // {channel}, {kinds} it may have
	SettingsChannelPermission Key = "settings.channel_permission" // {channel}, {permissions} that are missing
	SettingsRoleGone          Key = "settings.role_gone"          // {role}

	SettingsConflict Key = "settings.conflict" // {who} changed {name} to {value} at {time}
	SettingsSomebody Key = "settings.somebody" // {who} is not known
)

// The file of a guild's settings.
const (
	SettingsFileHeader    Key = "settings.file_header"
	SettingsFileDefault   Key = "settings.file_default"   // {value}, {bounds}
	SettingsFileTooLarge  Key = "settings.file_too_large" // {max} KiB
	SettingsFileNotText   Key = "settings.file_not_text"
	SettingsFileSyntax    Key = "settings.file_syntax" // {error}, in English
	SettingsFileTwice     Key = "settings.file_twice"  // {name}, {first} line
	SettingsFileWrongType Key = "settings.file_wrong_type"
	SettingsFileSection   Key = "settings.file_section" // {name} is a section and was not written as one
)

// Kinds of channels.
const (
	SettingsKindText         Key = "settings.kind_text"
	SettingsKindAnnouncement Key = "settings.kind_announcement"
	SettingsKindForum        Key = "settings.kind_forum"
	SettingsKindVoice        Key = "settings.kind_voice"
	SettingsKindStage        Key = "settings.kind_stage"
	SettingsKindThread       Key = "settings.kind_thread"
	SettingsKindCategory     Key = "settings.kind_category"
)

// Permissions, as Discord's own settings name them.
const (
	SettingsPermViewChannel           Key = "settings.perm_view_channel"
	SettingsPermSendMessages          Key = "settings.perm_send_messages"
	SettingsPermSendMessagesInThreads Key = "settings.perm_send_messages_in_threads"
	SettingsPermEmbedLinks            Key = "settings.perm_embed_links"
	SettingsPermAttachFiles           Key = "settings.perm_attach_files"
	SettingsPermAddReactions          Key = "settings.perm_add_reactions"
	SettingsPermReadMessageHistory    Key = "settings.perm_read_message_history"
	SettingsPermManageMessages        Key = "settings.perm_manage_messages"
	SettingsPermCreatePublicThreads   Key = "settings.perm_create_public_threads"
	SettingsPermManageThreads         Key = "settings.perm_manage_threads"
	SettingsPermUseExternalEmojis     Key = "settings.perm_use_external_emojis"
	SettingsPermConnect               Key = "settings.perm_connect"
	SettingsPermSpeak                 Key = "settings.perm_speak"
)
