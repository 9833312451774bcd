package discordsim

import (
	"net/http"
	"slices"
)

func (s *Server) routesUsers(t *router) {
	t.rest("GET /users/@me", s.getSelf)
	t.rest("GET /users/{user_id}", s.getUser)
	t.rest("GET /users/@me/guilds", s.getOwnGuilds)
	t.rest("DELETE /users/@me/guilds/{guild_id}", s.leaveGuild)
	t.rest("POST /users/@me/channels", s.openDM)
	t.rest("GET /applications/@me", s.getApplication)
	t.rest("GET /oauth2/applications/@me", s.getOAuthApplication)
}

func (s *Server) getSelf(*request) *answer { return jsonAnswer(http.StatusOK, s.renderSelf()) }

func (s *Server) getUser(q *request) *answer {
	u := s.users[q.id("user_id")]
	if u == nil {
		return fail(10013)
	}
	return jsonAnswer(http.StatusOK, s.renderUser(u))
}

// getOwnGuilds lists the bot's guilds. Source: resources/user#get-current-user-guilds.
func (s *Server) getOwnGuilds(q *request) *answer {
	limit, bad := q.limit(200, 1, 200)
	if bad != nil {
		return bad
	}
	before, bad := q.snowflake("before")
	if bad != nil {
		return bad
	}
	after, bad := q.snowflake("after")
	if bad != nil {
		return bad
	}
	var in []*guild
	for _, g := range s.order {
		if g.botIn && (before == "" || idLess(g.id, before)) && (after == "" || idLess(after, g.id)) {
			in = append(in, g)
		}
	}
	slices.SortFunc(in, func(a, b *guild) int {
		if idLess(a.id, b.id) {
			return -1
		}
		return 1
	})
	if len(in) > limit {
		if before != "" {
			in = in[len(in)-limit:]
		} else {
			in = in[:limit]
		}
	}
	out := []any{}
	for _, g := range in {
		o := obj{
			"id": g.id, "name": g.name, "icon": nil, "banner": nil, "owner": g.owner == s.appID, "features": []any{},
			"permissions": s.basePermissions(g, s.appID).String(),
		}
		if q.query.Get("with_counts") == "true" {
			o["approximate_member_count"], o["approximate_presence_count"] = len(g.order), len(g.order)
		}
		out = append(out, o)
	}
	return jsonAnswer(http.StatusOK, out)
}

// leaveGuild is the bot leaving by itself. Source: resources/user#leave-guild.
func (s *Server) leaveGuild(q *request) *answer {
	g := s.guilds[q.id("guild_id")]
	if g == nil || !g.botIn {
		return fail(10004)
	}
	s.botLeaves(g)
	return noContent()
}

// openDM makes or finds the direct message channel with a user. Source:
// resources/user#create-dm. Whether the user takes messages shows when one is
// sent.
func (s *Server) openDM(q *request) *answer {
	body, bad := q.object()
	if bad != nil {
		return bad
	}
	errs := newFormErrors()
	to := errs.id(body, "recipient_id", "recipient_id")
	if to == "" && !errs.any() {
		errs.required("recipient_id")
	}
	if bad := errs.answer(); bad != nil {
		return bad
	}
	u := s.users[to]
	if u == nil {
		return fail(10013)
	}
	if u.bot {
		return fail(50007)
	}
	return jsonAnswer(http.StatusOK, s.renderChannel(s.dm(u)))
}

// dm is the bot's channel with a user. One that is made is not told of: bots
// get no CHANNEL_CREATE for direct messages. Source: change-log,
// "Changes to Bot Direct Messages".
func (s *Server) dm(u *user) *channel {
	if c := s.dms[u.id]; c != nil {
		return c
	}
	c := &channel{id: s.nextID(), kind: DirectMessage, recipient: u.id}
	s.dms[u.id] = c
	s.channels[c.id] = c
	return c
}

// takesDM reports whether the bot may write to a user: the user does not refuse
// it, and the two share a guild or the user has installed the application.
// Source: topics/opcodes-and-status-codes#json (50007).
func (s *Server) takesDM(u *user) bool {
	if u.blocksDMs {
		return false
	}
	for _, g := range s.order {
		if g.botIn && g.members[u.id] != nil {
			return true
		}
	}
	return s.installedFor(u.id)
}

// The bits of an application that say which privileged intents it has, for a
// bot below the number of users from which it must be verified. Source:
// resources/application#application-object-application-flags.
func (s *Server) applicationFlags() int {
	flags := 0
	for _, f := range []struct {
		intent Intents
		flag   int
	}{{IntentGuildPresences, 1 << 13}, {IntentGuildMembers, 1 << 15}, {IntentMessageContent, 1 << 19}} {
		if s.opt.RefusedIntents&f.intent == 0 {
			flags |= f.flag
		}
	}
	if len(s.commands) > 0 {
		flags |= 1 << 23
	}
	return flags
}

func (s *Server) renderApplication() obj {
	return obj{
		"id": s.appID, "name": s.opt.BotName, "icon": nil, "description": "", "type": nil, "summary": "", "bot_public": true,
		"bot_require_code_grant": false, "verify_key": avatarHash(s.appID) + avatarHash(s.appID+"1"), "flags": s.applicationFlags(),
		"flags_new": Permission(s.applicationFlags()).String(), "bot": s.renderUserID(s.appID), "integration_types_config": obj{"0": obj{}, "1": obj{}},
	}
}

// applicationOwner is a user who is in no guild.
func (s *Server) applicationOwner() obj {
	return s.renderUser(&user{id: "1", name: "operator"})
}

// getApplication is the application as its bot sees it. Source:
// resources/application#get-current-application.
func (s *Server) getApplication(*request) *answer {
	o := s.renderApplication()
	delete(o, "summary")
	in, installs := 0, 0
	for _, g := range s.order {
		if g.botIn {
			in++
		}
	}
	for id := range s.users {
		if s.installedFor(id) {
			installs++
		}
	}
	for k, v := range (obj{
		"redirect_uris": []any{}, "interactions_endpoint_url": nil, "role_connections_verification_url": nil, "owner": s.applicationOwner(),
		"approximate_guild_count": in, "approximate_user_install_count": installs, "approximate_user_authorization_count": 0,
		"explicit_content_filter": 0, "team": nil, "eligible_oauth2_scopes": []any{},
	}) {
		o[k] = v
	}
	return jsonAnswer(http.StatusOK, o)
}

// getOAuthApplication is the same by its older way. Source:
// topics/oauth2#get-current-bot-application-information.
func (s *Server) getOAuthApplication(q *request) *answer { return s.getApplication(q) }
