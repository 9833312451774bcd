package discord

import (
	"math/bits"
	"strconv"

	"rookery/internal/words"
)

// permissionKeys are in the order in which names are listed: the likeliest to
// be missing first.
func permissionKeys() []struct {
	bit Permission
	key words.Key
} {
	return []struct {
		bit Permission
		key words.Key
	}{
		{ViewChannel, words.DiscordViewChannel},
		{SendMessages, words.DiscordSendMessages},
		{SendInThreads, words.DiscordSendInThreads},
		{ReadMessageHistory, words.DiscordReadHistory},
		{EmbedLinks, words.DiscordEmbedLinks},
		{AttachFiles, words.DiscordAttachFiles},
		{AddReactions, words.DiscordAddReactions},
		{ManageMessages, words.DiscordManageMessages},
		{ManageChannels, words.DiscordManageChannels},
		{ManageGuild, words.DiscordManageGuild},
		{ModerateMembers, words.DiscordModerateMembers},
		{Administrator, words.DiscordAdministrator},
	}
}

// PermissionNames are the names of the permissions in a set, as Discord's own
// client has them in that language, so that a member finds them there.
func (d *Discord) PermissionNames(l words.Language, p Permission) []string {
	var out []string
	for _, k := range permissionKeys() {
		if p&k.bit != 0 {
			out = append(out, l.Say(k.key, nil))
			p &^= k.bit
		}
	}
	for ; p != 0; p &= p - 1 {
		out = append(out, l.Say(words.DiscordOther, words.Args{"number": strconv.Itoa(bits.TrailingZeros64(uint64(p)))}))
	}
	return out
}
