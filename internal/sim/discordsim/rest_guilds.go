package discordsim

import (
	"net/http"
	"slices"
	"strings"
)

func (s *Server) routesGuilds(t *router) {
	t.rest("GET /guilds/{guild_id}", s.inGuild(s.getGuild))
	t.rest("GET /guilds/{guild_id}/channels", s.inGuild(s.getGuildChannels))
	t.rest("GET /guilds/{guild_id}/roles", s.inGuild(s.getRoles))
	t.rest("GET /guilds/{guild_id}/members", s.inGuild(s.getMembers))
	t.rest("GET /guilds/{guild_id}/members/search", s.inGuild(s.searchMembers))
	t.rest("GET /guilds/{guild_id}/members/{user_id}", s.inGuild(s.getMember))
	t.rest("DELETE /guilds/{guild_id}/members/{user_id}", s.inGuild(s.kickMember))
	t.rest("PUT /guilds/{guild_id}/members/{user_id}/roles/{role_id}", s.inGuild(s.memberRole))
	t.rest("DELETE /guilds/{guild_id}/members/{user_id}/roles/{role_id}", s.inGuild(s.memberRole))
	t.rest("GET /guilds/{guild_id}/emojis", s.inGuild(s.getEmojis))
	t.rest("GET /guilds/{guild_id}/emojis/{emoji_id}", s.inGuild(s.getEmoji))
	t.rest("GET /guilds/{guild_id}/threads/active", s.inGuild(s.getActiveThreads))
}

// inGuild finds the guild of a path: what the bot is not in is unknown to it.
func (s *Server) inGuild(h func(*request, *guild) *answer) handler {
	return func(q *request) *answer {
		g := s.guilds[q.id("guild_id")]
		if g == nil {
			return fail(10004)
		}
		if !g.botIn {
			return fail(50001)
		}
		if g.unavailable {
			return plainFail(http.StatusServiceUnavailable)
		}
		return h(q, g)
	}
}

// getGuild. Source: resources/guild#get-guild.
func (s *Server) getGuild(q *request, g *guild) *answer {
	o := s.renderGuild(g)
	if q.query.Get("with_counts") == "true" {
		o["approximate_member_count"], o["approximate_presence_count"] = len(g.order), len(g.order)
	}
	return jsonAnswer(http.StatusOK, o)
}

// getGuildChannels lists all channels, threads not included. Source:
// resources/guild#get-guild-channels.
func (s *Server) getGuildChannels(_ *request, g *guild) *answer {
	out := []any{}
	for _, c := range g.channels {
		out = append(out, s.renderChannel(c))
	}
	return jsonAnswer(http.StatusOK, out)
}

func (s *Server) getRoles(_ *request, g *guild) *answer {
	out := []any{}
	for _, r := range g.roles {
		out = append(out, s.renderRole(r))
	}
	return jsonAnswer(http.StatusOK, out)
}

// getMembers pages through the members by id; it takes the privileged intent.
// Source: resources/guild#list-guild-members.
func (s *Server) getMembers(q *request, g *guild) *answer {
	if s.opt.RefusedIntents&IntentGuildMembers != 0 {
		return fail(50001)
	}
	limit, bad := q.limit(1, 1, 1000)
	if bad != nil {
		return bad
	}
	after, bad := q.snowflake("after")
	if bad != nil {
		return bad
	}
	list := slices.Clone(g.order)
	slices.SortFunc(list, func(a, b *member) int {
		if idLess(a.user.id, b.user.id) {
			return -1
		}
		return 1
	})
	out := []any{}
	for _, m := range list {
		if len(out) < limit && (after == "" || idLess(after, m.user.id)) {
			out = append(out, s.renderMember(m))
		}
	}
	return jsonAnswer(http.StatusOK, out)
}

// searchMembers finds members whose name or nickname begins with a text.
// Source: resources/guild#search-guild-members.
func (s *Server) searchMembers(q *request, g *guild) *answer {
	limit, bad := q.limit(1, 1, 1000)
	if bad != nil {
		return bad
	}
	text := strings.ToLower(q.query.Get("query"))
	if text == "" {
		errs := newFormErrors()
		errs.required("query")
		return errs.answer()
	}
	out := []any{}
	for _, m := range g.order {
		if len(out) < limit && m.begins(text) {
			out = append(out, s.renderMember(m))
		}
	}
	return jsonAnswer(http.StatusOK, out)
}

func (s *Server) getMember(q *request, g *guild) *answer {
	m, bad := s.memberOf(q, g)
	if bad != nil {
		return bad
	}
	return jsonAnswer(http.StatusOK, s.renderMember(m))
}

func (s *Server) memberOf(q *request, g *guild) (*member, *answer) {
	id := q.id("user_id")
	if s.users[id] == nil {
		return nil, fail(10013)
	}
	m := g.members[id]
	if m == nil {
		return nil, fail(10007)
	}
	return m, nil
}

// kickMember. Source: resources/guild#remove-guild-member.
func (s *Server) kickMember(q *request, g *guild) *answer {
	m, bad := s.memberOf(q, g)
	if bad != nil {
		return bad
	}
	if s.basePermissions(g, s.appID)&KickMembers == 0 || m.user.id == g.owner || g.highest(m) >= g.highest(g.members[s.appID]) {
		return fail(50013)
	}
	s.kick(g, m.user)
	return noContent()
}

// memberRole gives or takes a role: one below the bot's own highest. Source:
// resources/guild#add-guild-member-role, topics/permissions#permission-hierarchy.
func (s *Server) memberRole(q *request, g *guild) *answer {
	m, bad := s.memberOf(q, g)
	if bad != nil {
		return bad
	}
	r := g.role(q.id("role_id"))
	if r == nil {
		return fail(10011)
	}
	if s.basePermissions(g, s.appID)&ManageRoles == 0 || r.managed || r.id == g.id || r.position >= g.highest(g.members[s.appID]) {
		return fail(50013)
	}
	m.roles = remove(slices.Clone(m.roles), r.id)
	if q.method == http.MethodPut {
		m.roles = append(m.roles, r.id)
	}
	s.emitMember(g, m)
	return noContent()
}

// highest is the place of a member's highest role.
func (g *guild) highest(m *member) int {
	top := 0
	for _, id := range m.roles {
		if r := g.role(id); r != nil {
			top = max(top, r.position)
		}
	}
	return top
}

// getActiveThreads lists the threads of a guild that are not archived. Source:
// resources/guild#list-active-guild-threads.
func (s *Server) getActiveThreads(_ *request, g *guild) *answer {
	threads, members := []any{}, []any{}
	list := slices.Clone(g.threads)
	slices.Reverse(list) // by id, descending
	for _, t := range list {
		if t.thread.archived || !s.can(t, s.appID, ViewChannel) {
			continue
		}
		threads = append(threads, s.renderChannel(t))
		for _, m := range t.thread.members {
			if m.user == s.appID {
				members = append(members, renderThreadMember(t, m))
			}
		}
	}
	return jsonAnswer(http.StatusOK, obj{"threads": threads, "members": members, "has_more": false})
}
