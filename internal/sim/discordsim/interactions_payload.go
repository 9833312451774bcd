package discordsim

// newInteraction makes an interaction of a user in a channel, with everything but its
// data. Source: interactions/receiving-and-responding, "Interaction Structure".
// The mutex is held, here and below.
func (s *Server) newInteraction(kind int, userID string, c *channel, owners obj) *interaction {
	in := &interaction{id: s.nextID(), kind: kind, user: userID, ch: c, created: s.now(), owners: owners}
	in.token = newInteractionToken(in.id)
	_, guildInstall := owners["0"]
	in.onlyUser = !guildInstall
	p := obj{
		"id": in.id, "application_id": s.appID, "type": kind, "token": in.token, "version": 1, "channel_id": c.id,
		"channel": s.renderPartialChannel(c, userID), "locale": s.localeOf(userID), "entitlements": []any{}, "entitlement_sku_ids": []any{},
		"authorizing_integration_owners": owners, "attachment_size_limit": attachmentLimit, "context": s.contextOf(c),
		"app_permissions": s.appPermissions(c).String(),
	}
	if g := s.guilds[c.guild]; g != nil {
		m := s.renderMember(g.members[userID])
		m["permissions"] = s.permissions(c, userID).String()
		m["unusual_dm_activity_until"] = nil
		p["member"], p["guild_id"], p["guild_locale"] = m, g.id, g.locale
		p["guild"] = obj{"id": g.id, "locale": g.locale, "features": []any{}}
		in.forceHidden = in.onlyUser && !s.can(c, userID, UseExternalApps)
	} else {
		p["user"] = s.renderUserID(userID)
	}
	in.payload = p
	return in
}

func (s *Server) localeOf(userID string) string {
	if l := s.it.locales[userID]; l != "" {
		return l
	}
	return "en-US"
}

func (s *Server) contextOf(c *channel) int {
	switch {
	case c.guild != "":
		return ContextGuild
	case s.it.private[c.id] != nil:
		return ContextPrivate
	default:
		return ContextBotDM
	}
}

// appPermissions are what the application may do where the interaction comes
// from. Source: interactions/receiving-and-responding, note on app_permissions.
func (s *Server) appPermissions(c *channel) Permission {
	const direct = AttachFiles | EmbedLinks | MentionEveryone
	switch s.contextOf(c) {
	case ContextBotDM:
		return direct | UseExternalEmojis
	case ContextPrivate:
		return direct
	}
	if g := s.guilds[c.guild]; g.botIn {
		return s.permissions(c, s.appID)
	}
	return direct
}

// renderPartialChannel writes a channel with what its user may do there.
// Source: interactions/receiving-and-responding, note on partial channels.
func (s *Server) renderPartialChannel(c *channel, userID string) obj {
	all := s.renderChannel(c)
	o := obj{}
	for _, k := range []string{
		"id", "name", "type", "last_message_id", "last_pin_timestamp", "nsfw", "parent_id", "guild_id", "flags", "rate_limit_per_user",
		"topic", "position", "thread_metadata",
	} {
		if v, ok := all[k]; ok {
			o[k] = v
		}
	}
	if c.guild == "" {
		delete(o, "topic")
		if s.contextOf(c) == ContextBotDM {
			o["recipients"] = []any{s.renderUserID(userID)}
		}
		return o
	}
	if c.kind.isThread() {
		o["nsfw"] = s.ageRestricted(c)
	}
	o["permissions"] = s.permissions(c, userID).String()
	return o
}

// ageRestricted looks at a thread's parent.
func (s *Server) ageRestricted(c *channel) bool {
	if c.kind.isThread() {
		if parent := s.channels[c.parent]; parent != nil {
			return parent.nsfw
		}
	}
	return c.nsfw
}

// resolver collects the things that ids stand for. Source:
// interactions/receiving-and-responding, "Resolved Data Structure".
type resolver struct {
	s    *Server
	c    *channel
	user string
	out  obj
}

func (r *resolver) put(kind, id string, v obj) {
	m := asObj(r.out[kind])
	if m == nil {
		m = obj{}
		r.out[kind] = m
	}
	m[id] = v
}

// addUser adds a user, and the member that they are.
func (r *resolver) addUser(id string) bool {
	u := r.s.users[id]
	if u == nil {
		return false
	}
	r.put("users", id, r.s.renderUser(u))
	g := r.s.guilds[r.c.guild]
	if g == nil || g.members[id] == nil {
		return true
	}
	m := r.s.renderPartialMember(g.members[id])
	delete(m, "deaf")
	delete(m, "mute")
	m["permissions"] = r.s.permissions(r.c, id).String()
	m["unusual_dm_activity_until"] = nil
	r.put("members", id, m)
	return true
}

func (r *resolver) addRole(id string) bool {
	g := r.s.guilds[r.c.guild]
	if g == nil || g.role(id) == nil {
		return false
	}
	r.put("roles", id, r.s.renderRole(g.role(id)))
	return true
}

// addChannel adds a channel that the user can see, of one of the kinds if any are named.
func (r *resolver) addChannel(id string, kinds []int64) bool {
	c := r.s.channels[id]
	if c == nil || c.guild != r.c.guild || c.guild == "" || !r.s.can(c, r.user, ViewChannel) {
		return false
	}
	if len(kinds) > 0 && !oneOf(int64(c.kind), kinds...) {
		return false
	}
	r.put("channels", id, r.s.renderPartialChannel(c, r.user))
	return true
}

// addFile uploads a file of the user.
func (r *resolver) addFile(f File) string {
	a := r.s.keepFile(r.c, f.upload())
	o := r.s.renderFile(a, true)
	id := textOf(o["id"])
	r.put("attachments", id, o)
	return id
}

func (r *resolver) into(data obj) {
	if len(r.out) > 0 {
		data["resolved"] = r.out
	}
}

// ownersOf says through which installations a user may use the application in a
// channel: of the guild, of the user. Source:
// interactions/receiving-and-responding, "Authorizing Integration Owners Object".
func (s *Server) ownersOf(userID string, c *channel, allowed func(integration int) bool) obj {
	owners := obj{}
	if allowed(0) {
		switch g := s.guilds[c.guild]; {
		case g != nil && g.botIn:
			owners["0"] = g.id
		case s.contextOf(c) == ContextBotDM:
			owners["0"] = "0"
		}
	}
	if allowed(1) && s.it.installed[userID] {
		owners["1"] = userID
	}
	return owners
}

// metadata is the interaction as the messages that answer it tell of it. Source:
// resources/message, "Message Interaction Metadata Object".
func (s *Server) metadata(in *interaction) obj {
	o := obj{
		"id": in.id, "type": in.kind, "user": s.renderUserID(in.user), "authorizing_integration_owners": cloneObj(in.owners),
	}
	data := asObj(in.payload["data"])
	switch in.kind {
	case KindCommand:
		o["name"] = in.name
		if id := textOf(data["target_id"]); id != "" && in.contextMenu {
			if s.users[id] != nil {
				o["target_user"] = s.renderUserID(id)
			} else {
				o["target_message_id"] = id
			}
		}
	case KindComponent:
		o["interacted_message_id"] = in.source.id
	case KindModalSubmit:
		if in.opener != nil {
			o["triggering_interaction_metadata"] = s.metadata(in.opener)
		}
	}
	return o
}
