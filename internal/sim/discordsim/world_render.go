package discordsim

import (
	"slices"
	"strconv"
)

// The functions here write the world as the API does. Each result is made anew,
// so that the gateway may change it. All are called with the mutex held.

// renderUser writes a user as others see it. Source: resources/user, "User Object".
func (s *Server) renderUser(u *user) obj {
	o := obj{
		"id": u.id, "username": u.name, "discriminator": "0", "global_name": orNull(u.global), "avatar": orNull(u.avatar),
		"public_flags": 0, "flags": 0, "banner": nil, "accent_color": nil, "avatar_decoration_data": nil, "collectibles": nil,
		"primary_guild": nil,
	}
	if u.bot {
		o["bot"] = true
		o["global_name"] = nil
	}
	return o
}

func (s *Server) renderUserID(id string) obj {
	u := s.users[id]
	if u == nil {
		u = &user{id: id, name: "Deleted User"}
	}
	return s.renderUser(u)
}

// renderSelf writes the bot's own user with what only it may see.
func (s *Server) renderSelf() obj {
	o := s.renderUser(s.users[s.appID])
	o["mfa_enabled"] = true
	o["locale"] = "en-US"
	o["email"] = nil
	o["verified"] = true
	o["premium_type"] = 0
	return o
}

// renderMember writes a member with its user. Source: resources/guild, "Guild Member Object".
func (s *Server) renderMember(m *member) obj {
	o := s.renderPartialMember(m)
	o["user"] = s.renderUser(m.user)
	return o
}

// renderPartialMember leaves out the user, as beside a message's author.
func (s *Server) renderPartialMember(m *member) obj {
	roles := append([]string{}, m.roles...)
	return obj{
		"nick": orNull(m.nick), "avatar": nil, "banner": nil, "roles": roles, "joined_at": stamp(m.joined), "premium_since": nil,
		"pending": false, "flags": 0, "deaf": m.deafened, "mute": m.muted, "communication_disabled_until": stampOrNull(m.timeout),
		"avatar_decoration_data": nil, "collectibles": nil,
	}
}

// renderRole writes a role. Source: topics/permissions#role-object.
func (s *Server) renderRole(r *role) obj {
	o := obj{
		"id": r.id, "name": r.name, "permissions": r.permissions.String(), "position": r.position, "color": 0,
		"colors": obj{"primary_color": 0, "secondary_color": nil, "tertiary_color": nil},
		"hoist":  false, "managed": r.managed, "mentionable": r.mentionable, "icon": nil, "unicode_emoji": nil, "flags": 0,
	}
	if r.botID != "" {
		o["tags"] = obj{"bot_id": r.botID}
	}
	return o
}

// renderGuild writes a guild as GET /guilds/{guild_id} does. Source:
// resources/guild, "Guild Object".
func (s *Server) renderGuild(g *guild) obj {
	roles := []any{}
	for _, r := range g.roles {
		roles = append(roles, s.renderRole(r))
	}
	return obj{
		"id": g.id, "name": g.name, "icon": nil, "description": nil, "home_header": nil, "splash": nil, "discovery_splash": nil,
		"features": []any{}, "banner": nil, "owner_id": g.owner, "application_id": nil, "region": "deprecated",
		"afk_channel_id": nil, "afk_timeout": 300, "system_channel_id": nil, "system_channel_flags": 0, "widget_enabled": false,
		"widget_channel_id": nil, "verification_level": 0, "roles": roles, "default_message_notifications": 0, "mfa_level": 0,
		"explicit_content_filter": 0, "max_presences": nil, "max_members": 500000, "max_stage_video_channel_users": 50,
		"max_video_channel_users": 25, "vanity_url_code": nil, "premium_tier": 0, "premium_subscription_count": 0,
		"preferred_locale": g.locale, "rules_channel_id": nil, "safety_alerts_channel_id": nil, "public_updates_channel_id": nil,
		"premium_progress_bar_enabled": false, "nsfw": false, "nsfw_level": 0, "emojis": s.renderEmojis(g), "stickers": []any{},
		"incidents_data": nil,
	}
}

// renderGuildCreate writes a guild as GUILD_CREATE does, with all members: the
// gateway leaves out those that a session may not have. Source:
// events/gateway-events#guild-create.
func (s *Server) renderGuildCreate(g *guild) obj {
	o := s.renderGuild(g)
	delete(o, "widget_enabled")
	delete(o, "widget_channel_id")
	members, channels, threads, voice := []any{}, []any{}, []any{}, []any{}
	for _, m := range g.order {
		members = append(members, s.renderMember(m))
	}
	for _, c := range g.channels {
		channels = append(channels, s.renderChannel(c))
	}
	for _, t := range g.threads {
		if !t.thread.archived && s.can(t, s.appID, ViewChannel) {
			threads = append(threads, s.renderChannel(t))
		}
	}
	for _, m := range g.order {
		if v := g.voice[m.user.id]; v != nil {
			voice = append(voice, cloneObj(v))
		}
	}
	o["members"], o["channels"], o["threads"], o["voice_states"] = members, channels, threads, voice
	o["presences"], o["stage_instances"], o["guild_scheduled_events"], o["soundboard_sounds"] = []any{}, []any{}, []any{}, []any{}
	o["member_count"] = len(g.order)
	o["large"] = false
	o["unavailable"] = false
	o["lazy"] = true
	o["hub_type"] = nil
	o["embedded_activities"] = []any{}
	o["application_command_counts"] = s.commandCounts(g)
	o["joined_at"] = nil
	if m := g.members[s.appID]; m != nil {
		o["joined_at"] = stamp(m.joined)
	}
	return o
}

func (s *Server) commandCounts(g *guild) obj {
	counts := obj{}
	for _, c := range s.commands {
		if c.guild == g.id {
			key := strconv.Itoa(c.kind)
			n, _ := counts[key].(int)
			counts[key] = n + 1
		}
	}
	return counts
}

// renderChannel writes a channel of any kind. Source: resources/channel, "Channel Object".
func (s *Server) renderChannel(c *channel) obj {
	o := obj{"id": c.id, "type": int(c.kind), "flags": 0, "last_message_id": orNull(c.last)}
	if !c.lastPin.IsZero() {
		o["last_pin_timestamp"] = stamp(c.lastPin)
	}
	if c.guild == "" {
		o["recipients"] = []any{s.renderUserID(c.recipient)}
		return o
	}
	o["guild_id"], o["name"], o["parent_id"] = c.guild, c.name, orNull(c.parent)
	if c.kind.isThread() {
		s.renderThread(c, o)
		return o
	}
	overwrites := []any{}
	for _, w := range c.overwrites {
		overwrites = append(overwrites, obj{"id": w.id, "type": w.kind, "allow": w.allow.String(), "deny": w.deny.String()})
	}
	o["position"], o["permission_overwrites"] = c.position, overwrites
	switch c.kind {
	case Category:
		delete(o, "last_message_id")
		return o
	case Voice, Stage:
		o["bitrate"], o["user_limit"], o["rtc_region"] = 64000, 0, nil
	case Forum, Media:
		tags := []any{}
		for _, t := range c.tags {
			tags = append(tags, obj{"id": t.ID, "name": t.Name, "moderated": false, "emoji_id": nil, "emoji_name": nil})
		}
		o["available_tags"], o["default_reaction_emoji"], o["default_sort_order"], o["default_forum_layout"] = tags, nil, nil, 0
	}
	o["nsfw"], o["rate_limit_per_user"] = c.nsfw, c.slowmode
	if c.kind != Voice && c.kind != Stage {
		o["topic"] = orNull(c.topic)
	}
	return o
}

func (s *Server) renderThread(c *channel, o obj) {
	t := c.thread
	o["owner_id"], o["rate_limit_per_user"] = t.owner, c.slowmode
	o["message_count"], o["total_message_sent"], o["member_count"] = c.spoken(), t.total, min(len(t.members), 50)
	meta := obj{
		"archived": t.archived, "archive_timestamp": stamp(t.archivedAt), "auto_archive_duration": t.autoArchive, "locked": t.locked,
		"create_timestamp": stamp(t.created),
	}
	if c.kind == PrivateThread {
		meta["invitable"] = t.invitable
	}
	o["thread_metadata"] = meta
	if len(t.applied) > 0 {
		o["applied_tags"] = slices.Clone(t.applied)
	}
	for _, m := range t.members {
		if m.user == s.appID {
			o["member"] = renderThreadMember(c, m)
		}
	}
}

// spoken counts a thread's messages without the one that it began with. Source:
// resources/channel, "Channel Object" (message_count).
func (c *channel) spoken() int {
	n := len(c.messages)
	for _, m := range c.messages {
		if m.id == c.id || m.kind == messageThreadStart {
			n--
		}
	}
	return n
}

func renderThreadMember(c *channel, m threadMember) obj {
	return obj{"id": c.id, "user_id": m.user, "join_timestamp": stamp(m.joined), "flags": 0}
}

// cloneObj copies an object and everything in it.
func cloneObj(o obj) obj {
	if o == nil {
		return nil
	}
	c := make(obj, len(o))
	for k, v := range o {
		c[k] = cloneAny(v)
	}
	return c
}

func cloneAny(v any) any {
	switch v := v.(type) {
	case obj:
		return cloneObj(v)
	case []any:
		c := make([]any, len(v))
		for i, x := range v {
			c[i] = cloneAny(x)
		}
		return c
	}
	return v
}
