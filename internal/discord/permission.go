package discord

import (
	"net/url"
	"strconv"
)

// Permission is a set of Discord's permissions. Source: topics/permissions.
type Permission uint64

// The permissions that the program asks about.
const (
	ManageChannels     Permission = 1 << 4
	ManageGuild        Permission = 1 << 5
	AddReactions       Permission = 1 << 6
	ViewChannel        Permission = 1 << 10
	SendMessages       Permission = 1 << 11
	ManageMessages     Permission = 1 << 13
	EmbedLinks         Permission = 1 << 14
	AttachFiles        Permission = 1 << 15
	ReadMessageHistory Permission = 1 << 16
	SendInThreads      Permission = 1 << 38
	ModerateMembers    Permission = 1 << 40
	Administrator      Permission = 1 << 3
)

// Invited are the permissions that the bot is invited with: all that it uses.
const Invited = ViewChannel | SendMessages | SendInThreads | EmbedLinks | AttachFiles | ReadMessageHistory | AddReactions

// InviteURL is the page on which a manager invites an application to a guild.
// Source: topics/oauth2, "Bot Authorization Flow".
func InviteURL(application string) string {
	return "https://discord.com/oauth2/authorize?client_id=" + url.QueryEscape(application) + "&scope=bot+applications.commands&permissions=" +
		strconv.FormatUint(uint64(Invited), 10)
}

// Has tells whether all of want is there.
func (p Permission) Has(want Permission) bool {
	return p&Administrator != 0 || p&want == want
}
