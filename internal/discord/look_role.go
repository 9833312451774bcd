package discord

import (
	"context"
	"fmt"

	"rookery/internal/community"
)

// HasRole tells whether a guild has a role. The error says that the guild is
// not known now, because the connection is not there yet.
func (d *Discord) HasRole(_ context.Context, guild community.GuildID, role community.RoleID) (bool, error) {
	d.cache.mu.RLock()
	defer d.cache.mu.RUnlock()
	g := d.cache.guilds[guild]
	if g == nil {
		return false, &Error{Class: Transient, Err: fmt.Errorf("guild %s is not known now", guild)}
	}
	_, ok := g.Roles[role]
	return ok, nil
}

// GuildOf is the guild of a channel, from memory: false for a conversation, an
// archived thread, and while the guild is not known.
func (d *Discord) GuildOf(id community.ChannelID) (community.GuildID, bool) {
	c, ok := d.knownChannel(id)
	return c.Guild, ok && c.Guild != ""
}
