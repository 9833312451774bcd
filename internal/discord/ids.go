package discord

import (
	"strings"

	"rookery/internal/community"
)

// PlatformName begins the account id of every application, and its posts' URIs.
const PlatformName = "discord"

// AccountOf is the account id of an application.
func AccountOf(application string) community.AccountID {
	return community.AccountID(PlatformName + ":" + application)
}

// IsAccount tells whether an account of ours lives on Discord.
func IsAccount(id community.AccountID) bool {
	return strings.HasPrefix(string(id), PlatformName+":")
}

// PostOf is the id of a message as the rest of the program has it: a message
// is found only in its channel, so both are in it.
func PostOf(channel community.ChannelID, message string) community.PostID {
	return community.PostID(string(channel) + "/" + message)
}

// MessageOf takes a post's id apart; it is false for one that is not of this
// platform.
func MessageOf(id community.PostID) (channel community.ChannelID, message string, ok bool) {
	c, m, ok := strings.Cut(string(id), "/")
	return community.ChannelID(c), m, ok && c != "" && m != ""
}

// HandleOf is a member's handle in the tables of the program: it stays when
// they change their name.
func HandleOf(id community.MemberID) string { return string(id) + "@" + PlatformName }
