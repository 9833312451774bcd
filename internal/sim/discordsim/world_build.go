package discordsim

import (
	"slices"
	"strconv"
	"time"
)

// AddUser makes a person and returns their id. The name is the username; an
// avatar is made up.
func (s *Server) AddUser(name string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := &user{id: s.nextID(), name: name, global: name}
	u.avatar = avatarHash(u.id)
	s.users[u.id] = u
	s.change()
	return u.id
}

// AddBot makes another application's bot.
func (s *Server) AddBot(name string) string {
	id := s.AddUser(name)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.users[id].bot = true
	return id
}

// Names sets a user's display name, which other users see, and in a guild (""
// for none) the nickname there.
func (s *Server) Names(userID, display, guildID, nick string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.mustUser(userID)
	u.global = display
	if guildID == "" {
		return
	}
	g := s.mustGuild(guildID)
	if m := g.members[userID]; m != nil {
		m.nick = nick
		s.emitMember(g, m)
	}
}

// AddGuild makes a guild with its role @everyone and an owner of its own, who
// may do everything, and returns its id. The bot is not in it: BotJoins invites it.
func (s *Server) AddGuild(name string) string {
	owner := s.AddUser("owner_of_" + name)
	s.mu.Lock()
	defer s.mu.Unlock()
	g := &guild{id: s.nextID(), name: name, owner: owner, members: map[string]*member{}, voice: map[string]obj{}, locale: "en-US"}
	g.roles = []*role{{id: g.id, name: "@everyone", permissions: EveryonePermissions}}
	s.guilds[g.id] = g
	s.order = append(s.order, g)
	s.join(g, s.users[owner])
	return g.id
}

// Owner is the owner of a guild.
func (s *Server) Owner(guildID string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mustGuild(guildID).owner
}

// Join makes a user a member, with roles.
func (s *Server) Join(guildID, userID string, roles ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g, u := s.mustGuild(guildID), s.mustUser(userID)
	m := s.join(g, u, roles...)
	p := s.renderMember(m)
	p["guild_id"] = g.id
	s.emit(event{Name: "GUILD_MEMBER_ADD", Guild: g.id, User: userID, Payload: p})
}

func (s *Server) join(g *guild, u *user, roles ...string) *member {
	if m := g.members[u.id]; m != nil {
		m.roles = roles
		return m
	}
	m := &member{user: u, roles: roles, joined: s.now()}
	g.members[u.id] = m
	g.order = append(g.order, m)
	return m
}

// JoinedAt sets since when a user is a member of a guild.
func (s *Server) JoinedAt(guildID, userID string, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.mustGuild(guildID)
	if m := g.members[s.mustUser(userID).id]; m != nil {
		m.joined = at
		s.emitMember(g, m)
	}
}

// SetRoles gives a member exactly these roles.
func (s *Server) SetRoles(guildID, userID string, roles ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.mustGuild(guildID)
	if m := g.members[s.mustUser(userID).id]; m != nil {
		m.roles = roles
		s.emitMember(g, m)
	}
}

// TimeOut lets a member only read until a time; the zero time ends it.
func (s *Server) TimeOut(guildID, userID string, until time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.mustGuild(guildID)
	if m := g.members[s.mustUser(userID).id]; m != nil {
		m.timeout = until
		s.emitMember(g, m)
	}
}

func (s *Server) emitMember(g *guild, m *member) {
	p := s.renderMember(m)
	p["guild_id"] = g.id
	s.emit(event{Name: "GUILD_MEMBER_UPDATE", Guild: g.id, User: m.user.id, Payload: p})
}

// Kick takes a user out of a guild, as when they leave. For the bot it is BotLeaves.
func (s *Server) Kick(guildID, userID string) {
	if userID == s.appID {
		s.BotLeaves(guildID)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kick(s.mustGuild(guildID), s.mustUser(userID))
}

func (s *Server) kick(g *guild, u *user) {
	m := g.members[u.id]
	if m == nil {
		return
	}
	delete(g.members, u.id)
	delete(g.voice, u.id)
	g.order = remove(g.order, m)
	s.emit(event{Name: "GUILD_MEMBER_REMOVE", Guild: g.id, User: u.id, Payload: obj{"guild_id": g.id, "user": s.renderUser(u)}})
}

// AddRole makes a role above the ones that are there and returns its id.
func (s *Server) AddRole(guildID, name string, p Permission) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.mustGuild(guildID)
	r := &role{id: s.nextID(), name: name, permissions: p, position: g.above()}
	g.roles = append(g.roles, r)
	s.emit(event{Name: "GUILD_ROLE_CREATE", Guild: g.id, Payload: obj{"guild_id": g.id, "role": s.renderRole(r)}})
	return r.id
}

// above is the place above all roles.
func (g *guild) above() int {
	top := 0
	for _, r := range g.roles {
		top = max(top, r.position)
	}
	return top + 1
}

// SetPermission sets what a role may do in a guild; the guild's id is @everyone.
func (s *Server) SetPermission(guildID, roleID string, p Permission) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.mustGuild(guildID)
	if r := g.role(roleID); r != nil {
		r.permissions = p
		s.emit(event{Name: "GUILD_ROLE_UPDATE", Guild: g.id, Payload: obj{"guild_id": g.id, "role": s.renderRole(r)}})
	}
}

// SetMentionable says whether everybody may mention a role.
func (s *Server) SetMentionable(guildID, roleID string, yes bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.mustGuild(guildID)
	if r := g.role(roleID); r != nil {
		r.mentionable = yes
		s.emit(event{Name: "GUILD_ROLE_UPDATE", Guild: g.id, Payload: obj{"guild_id": g.id, "role": s.renderRole(r)}})
	}
}

// SetBotPermissions sets what the bot's own role may do.
func (s *Server) SetBotPermissions(guildID string, p Permission) {
	s.mu.Lock()
	id := ""
	for _, r := range s.mustGuild(guildID).roles {
		if r.botID == s.appID {
			id = r.id
		}
	}
	s.mu.Unlock()
	s.SetPermission(guildID, id, p)
}

// BotRole is the id of the role that the bot's invitation made.
func (s *Server) BotRole(guildID string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.mustGuild(guildID).roles {
		if r.botID == s.appID {
			return r.id
		}
	}
	return ""
}

// BotJoins invites the bot to a guild: it gets a role of its own with these
// permissions (without any: none beyond @everyone's), and GUILD_CREATE.
func (s *Server) BotJoins(guildID string, p ...Permission) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.mustGuild(guildID)
	if g.botIn {
		return
	}
	var sum Permission
	for _, one := range p {
		sum |= one
	}
	r := &role{id: s.nextID(), name: s.opt.BotName, permissions: sum, position: g.above(), managed: true, botID: s.appID}
	g.roles = append(g.roles, r)
	g.botIn = true
	s.join(g, s.users[s.appID], r.id)
	s.emit(event{Name: "GUILD_CREATE", Guild: g.id, Payload: s.renderGuildCreate(g)})
}

// BotLeaves throws the bot out of a guild: GUILD_DELETE without "unavailable".
func (s *Server) BotLeaves(guildID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.botLeaves(s.mustGuild(guildID))
}

func (s *Server) botLeaves(g *guild) {
	if !g.botIn {
		return
	}
	hidden := g.unavailable
	g.unavailable = false
	s.emit(event{Name: "GUILD_DELETE", Guild: g.id, Payload: obj{"id": g.id}})
	g.botIn, g.unavailable = false, hidden
	if m := g.members[s.appID]; m != nil {
		delete(g.members, s.appID)
		g.order = remove(g.order, m)
	}
	g.roles = slices.DeleteFunc(g.roles, func(r *role) bool { return r.botID == s.appID })
	delete(g.voice, s.appID)
}

// SetUnavailable is an outage of one guild: GUILD_DELETE with "unavailable", or
// at its end GUILD_CREATE.
func (s *Server) SetUnavailable(guildID string, yes bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.mustGuild(guildID)
	if g.unavailable == yes {
		return
	}
	if yes {
		s.emit(event{Name: "GUILD_DELETE", Guild: g.id, Payload: obj{"id": g.id, "unavailable": true}})
		g.unavailable = true
		return
	}
	g.unavailable = false
	s.emit(event{Name: "GUILD_CREATE", Guild: g.id, Payload: s.renderGuildCreate(g)})
}

// BlockDMs says whether a user refuses direct messages of the bot.
func (s *Server) BlockDMs(userID string, yes bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mustUser(userID).blocksDMs = yes
}

// avatarHash makes up the name of an avatar's file.
func avatarHash(id string) string {
	n, _ := strconv.ParseUint(id, 10, 64)
	const digits = "0123456789abcdef"
	out := make([]byte, 32)
	for i := range out {
		n = n*6364136223846793005 + 1442695040888963407
		out[i] = digits[n>>60]
	}
	return string(out)
}
