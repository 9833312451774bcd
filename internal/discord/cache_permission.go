package discord

import (
	"slices"
	"time"

	"rookery/internal/community"
)

// everything is what the owner and administrators may do.
const everything = ^Permission(0)

// leftToMuted is all that a member who is timed out can do. Source:
// topics/permissions, "Permissions For Timed Out Members".
const leftToMuted = ViewChannel | ReadMessageHistory

// ours computes what the bot may do in a channel; an empty one means in the
// guild as a whole. Source: topics/permissions, "Permission Overwrites".
func (g *guild) ours(self community.MemberID, id community.ChannelID, now time.Time) Permission {
	return g.may(self, g.Mine, g.Muted, id, now)
}

// may is ours for any member whose roles are known.
func (g *guild) may(who community.MemberID, roles []community.RoleID, muted time.Time, id community.ChannelID, now time.Time) Permission {
	if who == g.Owner {
		return everything
	}
	everyone := community.RoleID(g.ID) // the role of everybody has the guild's id
	p := g.Roles[everyone]
	for _, r := range roles {
		p |= g.Roles[r]
	}
	if p&Administrator != 0 {
		return everything
	}
	if ch := g.Channels[id]; ch != nil {
		thread := isThread(ch.Kind)
		if thread { // threads have none of their own
			ch = g.Channels[ch.Parent]
		}
		if ch != nil {
			p = ch.overwritten(p, who, everyone, roles)
		}
		if p&ViewChannel == 0 {
			return 0 // nothing can be done where nothing can be seen
		}
		if thread && p&SendInThreads == 0 || !thread && p&SendMessages == 0 {
			p &^= EmbedLinks | AttachFiles // which only go with sending
		}
	}
	if muted.After(now) {
		p &= leftToMuted
	}
	return p
}

// overwritten applies a channel's overwrites in the order of the
// documentation: everybody's, all the roles' together, the member's own.
func (ch *channel) overwritten(p Permission, who community.MemberID, everyone community.RoleID, roles []community.RoleID) Permission {
	var allow, deny Permission
	for _, o := range ch.Overwrites {
		if !o.Member && community.RoleID(o.ID) == everyone {
			p = p&^o.Deny | o.Allow
		}
	}
	for _, o := range ch.Overwrites {
		if r := community.RoleID(o.ID); !o.Member && r != everyone && slices.Contains(roles, r) {
			allow |= o.Allow
			deny |= o.Deny
		}
	}
	p = p&^deny | allow
	for _, o := range ch.Overwrites {
		if o.Member && community.MemberID(o.ID) == who {
			p = p&^o.Deny | o.Allow
		}
	}
	return p
}
