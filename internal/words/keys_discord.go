package words

// The names of Discord's permissions, as its own client has them in each
// language.
const (
	DiscordAdministrator   Key = "discord.administrator"
	DiscordManageChannels  Key = "discord.manage_channels"
	DiscordManageGuild     Key = "discord.manage_guild"
	DiscordAddReactions    Key = "discord.add_reactions"
	DiscordViewChannel     Key = "discord.view_channel"
	DiscordSendMessages    Key = "discord.send_messages"
	DiscordManageMessages  Key = "discord.manage_messages"
	DiscordEmbedLinks      Key = "discord.embed_links"
	DiscordAttachFiles     Key = "discord.attach_files"
	DiscordReadHistory     Key = "discord.read_history"
	DiscordSendInThreads   Key = "discord.send_in_threads"
	DiscordModerateMembers Key = "discord.moderate_members"
	DiscordOther           Key = "discord.other" // {number} is a permission's bit that has no name here
)
