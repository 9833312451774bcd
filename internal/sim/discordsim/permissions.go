package discordsim

import (
	"slices"
	"strconv"
)

// Permission is a bit set of what somebody may do. Source: topics/permissions.
type Permission uint64

// The permissions that the simulator knows of.
const (
	KickMembers            Permission = 1 << 1
	BanMembers             Permission = 1 << 2
	Administrator          Permission = 1 << 3
	ManageChannels         Permission = 1 << 4
	ManageGuild            Permission = 1 << 5
	AddReactions           Permission = 1 << 6
	ViewChannel            Permission = 1 << 10
	SendMessages           Permission = 1 << 11
	SendTTSMessages        Permission = 1 << 12
	ManageMessages         Permission = 1 << 13
	EmbedLinks             Permission = 1 << 14
	AttachFiles            Permission = 1 << 15
	ReadMessageHistory     Permission = 1 << 16
	MentionEveryone        Permission = 1 << 17
	UseExternalEmojis      Permission = 1 << 18
	Connect                Permission = 1 << 20
	Speak                  Permission = 1 << 21
	MuteMembers            Permission = 1 << 22
	DeafenMembers          Permission = 1 << 23
	MoveMembers            Permission = 1 << 24
	UseVAD                 Permission = 1 << 25
	ChangeNickname         Permission = 1 << 26
	ManageNicknames        Permission = 1 << 27
	ManageRoles            Permission = 1 << 28
	ManageWebhooks         Permission = 1 << 29
	ManageGuildExpressions Permission = 1 << 30
	UseApplicationCommands Permission = 1 << 31
	ManageThreads          Permission = 1 << 34
	CreatePublicThreads    Permission = 1 << 35
	CreatePrivateThreads   Permission = 1 << 36
	SendMessagesInThreads  Permission = 1 << 38
	ModerateMembers        Permission = 1 << 40
	CreateGuildExpressions Permission = 1 << 43
	UseExternalApps        Permission = 1 << 50
	PinMessages            Permission = 1 << 51
	BypassSlowmode         Permission = 1 << 52

	allPermissions Permission = 1<<53 - 1

	// EveryonePermissions are what @everyone may do in a new guild.
	EveryonePermissions = AddReactions | ViewChannel | SendMessages | EmbedLinks | AttachFiles | ReadMessageHistory |
		MentionEveryone | UseExternalEmojis | Connect | Speak | UseVAD | ChangeNickname | UseApplicationCommands |
		CreatePublicThreads | CreatePrivateThreads | SendMessagesInThreads | UseExternalApps

	// sendingPermissions are gone where one may not send messages. Source:
	// topics/permissions#implicit-permissions.
	sendingPermissions = SendTTSMessages | EmbedLinks | AttachFiles | MentionEveryone
	directPermissions  = AddReactions | ViewChannel | SendMessages | EmbedLinks | AttachFiles | ReadMessageHistory | MentionEveryone |
		UseExternalEmojis | UseApplicationCommands | UseExternalApps | PinMessages
)

// String is the permissions as the API writes them: a decimal number.
func (p Permission) String() string { return strconv.FormatUint(uint64(p), 10) }

// parsePermission reads permissions from a text or a number.
func parsePermission(v any) (Permission, bool) {
	text, ok := v.(string)
	if !ok {
		n, isNumber := v.(interface{ Int64() (int64, error) })
		if !isNumber {
			return 0, false
		}
		i, err := n.Int64()
		return Permission(i), err == nil && i >= 0
	}
	n, err := strconv.ParseUint(text, 10, 64)
	return Permission(n), err == nil
}

// basePermissions are what a member may do in a guild, before its channels.
// Source: topics/permissions#permission-overwrites (the algorithm there).
func (s *Server) basePermissions(g *guild, userID string) Permission {
	m := g.members[userID]
	if m == nil {
		return 0
	}
	if g.owner == userID {
		return allPermissions
	}
	p := g.role(g.id).permissions
	for _, id := range m.roles {
		if r := g.role(id); r != nil {
			p |= r.permissions
		}
	}
	if p&Administrator != 0 {
		return allPermissions
	}
	return p
}

// permissions are what somebody may do in a channel; those of a thread are its
// parent's. Source: topics/permissions#permission-overwrites and
// #inherited-permissions-threads.
func (s *Server) permissions(c *channel, userID string) Permission {
	if c.guild == "" {
		if userID == s.appID || userID == c.recipient {
			return directPermissions
		}
		return 0
	}
	g := s.guilds[c.guild]
	m := g.members[userID]
	if m == nil {
		return 0
	}
	p := s.basePermissions(g, userID)
	if p != allPermissions {
		at := c
		if c.kind.isThread() {
			at = s.channels[c.parent]
		}
		p = at.overwritten(p, m)
	}
	if p&ViewChannel == 0 {
		return 0
	}
	if p&Administrator == 0 && s.now().Before(m.timeout) {
		// Source: topics/permissions#permissions-for-timed-out-members.
		return p & (ViewChannel | ReadMessageHistory)
	}
	sends := SendMessages
	if c.kind.isThread() {
		sends = SendMessagesInThreads
	}
	if p&sends == 0 {
		p &^= sendingPermissions
	}
	if c.kind == PrivateThread && p&ManageThreads == 0 && !c.thread.has(userID) {
		return 0
	}
	return p
}

// overwritten applies a channel's overwrites: @everyone, then the roles
// together, then the member.
func (c *channel) overwritten(p Permission, m *member) Permission {
	var allow, deny Permission
	for _, o := range c.overwrites {
		if o.id == c.guild {
			p = p&^o.deny | o.allow
		} else if o.kind == 0 && slices.Contains(m.roles, o.id) {
			allow |= o.allow
			deny |= o.deny
		}
	}
	p = p&^deny | allow
	for _, o := range c.overwrites {
		if o.kind == 1 && o.id == m.user.id {
			p = p&^o.deny | o.allow
		}
	}
	return p
}

// can reports whether somebody may do all of something in a channel.
func (s *Server) can(c *channel, userID string, p Permission) bool {
	return s.permissions(c, userID)&p == p
}

func (t *thread) has(userID string) bool {
	return slices.ContainsFunc(t.members, func(m threadMember) bool { return m.user == userID })
}

// sendPermission is the one that posting to a channel takes.
func (c *channel) sendPermission() Permission {
	if c.kind.isThread() {
		return SendMessagesInThreads
	}
	return SendMessages
}
