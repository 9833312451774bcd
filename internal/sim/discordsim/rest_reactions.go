package discordsim

import (
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode"
)

const reactionsMost = 20 // kinds under one message

func (s *Server) routesReactions(t *router) {
	const at = "/channels/{channel_id}/messages/{message_id}/reactions"
	each := limited(1, 250*time.Millisecond)
	t.rest("PUT "+at+"/{emoji}/@me", s.inChannel(s.putReaction), each)
	t.rest("DELETE "+at+"/{emoji}/@me", s.inChannel(s.deleteOwnReaction), each)
	t.rest("DELETE "+at+"/{emoji}/{user_id}", s.inChannel(s.deleteOthersReaction), each)
	t.rest("GET "+at+"/{emoji}", s.inChannel(s.getReactions))
	t.rest("DELETE "+at+"/{emoji}", s.inChannel(s.clearReaction), each)
	t.rest("DELETE "+at, s.inChannel(s.clearReactions), each)
}

// parseEmoji reads an emoji of a path: one of Unicode, or name:id for one of a
// guild. Source: resources/message#create-reaction.
func parseEmoji(text string) (name, id string, ok bool) {
	if n, i, found := strings.Cut(text, ":"); found {
		return n, i, n != "" && isSnowflake(i)
	}
	if text == "" || len(text) > 64 {
		return "", "", false
	}
	for _, r := range text {
		if r > 0x2000 || r == 0xa9 || r == 0xae || oneOf(r, 0x200d, 0xfe0f) {
			continue
		}
		// A keycap is a digit, # or * before two more characters.
		if (unicode.IsDigit(r) || r == '#' || r == '*') && strings.ContainsRune(text, 0x20e3) {
			continue
		}
		return "", "", false
	}
	return text, "", true
}

func (m *message) reaction(name, id string) *reaction {
	for _, r := range m.reactions {
		if r.id == id && (id != "" || r.name == name) {
			return r
		}
	}
	return nil
}

// renderReactions. Source: resources/message, "Reaction Object".
func (s *Server) renderReactions(m *message) []any {
	out := []any{}
	for _, r := range m.reactions {
		out = append(out, obj{
			"emoji": s.renderReactionEmoji(r, false), "count": len(r.users), "count_details": obj{"burst": 0, "normal": len(r.users)},
			"burst_colors": []any{}, "me": slices.Contains(r.users, s.appID), "me_burst": false, "burst_me": false, "burst_count": 0,
		})
	}
	return out
}

// renderReactionEmoji writes the emoji of a reaction; events say of one that
// moves that it does. Source: resources/emoji, "Custom Emoji Examples".
func (s *Server) renderReactionEmoji(r *reaction, event bool) obj {
	o := obj{"id": orNull(r.id), "name": r.name}
	if _, e := s.emojiOf(r.id); event && e != nil && e.animated {
		o["animated"] = true
	}
	return o
}

// react adds a reaction of anybody; false when it is there already.
func (s *Server) react(c *channel, m *message, userID, name, id string) bool {
	r := m.reaction(name, id)
	if r == nil {
		r = &reaction{name: name, id: id}
		m.reactions = append(m.reactions, r)
	}
	if slices.Contains(r.users, userID) {
		return false
	}
	r.users = append(r.users, userID)
	p := s.reactionPayload(c, m, r)
	p["user_id"], p["burst"], p["type"], p["message_author_id"] = userID, false, 0, m.author
	if g := s.guilds[c.guild]; g != nil && g.members[userID] != nil {
		p["member"] = s.renderMember(g.members[userID])
	}
	s.emit(event{Name: "MESSAGE_REACTION_ADD", Guild: c.guild, Channel: c.id, User: userID, Payload: p, Direct: c.guild == ""})
	return true
}

func (s *Server) reactionPayload(c *channel, m *message, r *reaction) obj {
	p := obj{"channel_id": c.id, "message_id": m.id, "emoji": s.renderReactionEmoji(r, true)}
	if c.guild != "" {
		p["guild_id"] = c.guild
	}
	return p
}

// unreact takes a reaction back; false when there was none.
func (s *Server) unreact(c *channel, m *message, userID, name, id string) bool {
	r := m.reaction(name, id)
	if r == nil || !slices.Contains(r.users, userID) {
		return false
	}
	r.users = remove(r.users, userID)
	if len(r.users) == 0 {
		m.reactions = remove(m.reactions, r)
	}
	p := s.reactionPayload(c, m, r)
	p["user_id"], p["burst"], p["type"] = userID, false, 0
	s.emit(event{Name: "MESSAGE_REACTION_REMOVE", Guild: c.guild, Channel: c.id, User: userID, Payload: p, Direct: c.guild == ""})
	return true
}

// reactionOf reads the message and the emoji of a path.
func (s *Server) reactionOf(q *request, c *channel) (m *message, name, id string, bad *answer) {
	if m, bad = s.theMessage(q, c); bad != nil {
		return nil, "", "", bad
	}
	name, id, ok := parseEmoji(q.id("emoji"))
	if !ok {
		return nil, "", "", fail(10014)
	}
	return m, name, id, nil
}

// putReaction takes READ_MESSAGE_HISTORY, and ADD_REACTIONS for an emoji that
// nobody has used there. Source: resources/message#create-reaction.
func (s *Server) putReaction(q *request, c *channel) *answer {
	m, name, id, bad := s.reactionOf(q, c)
	if bad != nil {
		return bad
	}
	if bad := s.mayReact(c, m, s.appID, name, id); bad != nil {
		return bad
	}
	s.react(c, m, s.appID, name, id)
	return noContent()
}

func (s *Server) mayReact(c *channel, m *message, userID, name, id string) *answer {
	fresh := m.reaction(name, id) == nil
	home, _ := s.emojiOf(id)
	switch {
	case id != "" && fresh && home == nil, id != "" && fresh && userID == s.appID && !home.botIn:
		return fail(10014)
	case id != "" && fresh && home.id != c.guild && !s.can(c, userID, UseExternalEmojis):
		return fail(50013)
	case !s.can(c, userID, ReadMessageHistory), fresh && !s.can(c, userID, AddReactions):
		return fail(50013)
	case fresh && len(m.reactions) >= reactionsMost:
		return fail(30010)
	case c.thread != nil && c.thread.archived:
		return fail(50083)
	}
	return nil
}

func (s *Server) deleteOwnReaction(q *request, c *channel) *answer {
	m, name, id, bad := s.reactionOf(q, c)
	if bad != nil {
		return bad
	}
	if !s.unreact(c, m, s.appID, name, id) {
		return fail(10014)
	}
	return noContent()
}

func (s *Server) deleteOthersReaction(q *request, c *channel) *answer {
	m, name, id, bad := s.reactionOf(q, c)
	if bad != nil {
		return bad
	}
	if q.id("user_id") != s.appID && (c.guild == "" || !s.can(c, s.appID, ManageMessages)) {
		return fail(50013)
	}
	if !s.unreact(c, m, q.id("user_id"), name, id) {
		return fail(10014)
	}
	return noContent()
}

// getReactions lists who reacted, by id. Source: resources/message#get-reactions.
func (s *Server) getReactions(q *request, c *channel) *answer {
	m, name, id, bad := s.reactionOf(q, c)
	if bad != nil {
		return bad
	}
	limit, bad := q.limit(25, 1, 100)
	if bad != nil {
		return bad
	}
	after, bad := q.snowflake("after")
	if bad != nil {
		return bad
	}
	r := m.reaction(name, id)
	if r == nil {
		return fail(10014)
	}
	users := slices.Clone(r.users)
	slices.SortFunc(users, compareIDs)
	out := []any{}
	for _, u := range users {
		if len(out) < limit && (after == "" || idLess(after, u)) {
			out = append(out, s.renderUserID(u))
		}
	}
	return jsonAnswer(http.StatusOK, out)
}

// clearReaction. Source: resources/message#delete-all-reactions-for-emoji.
func (s *Server) clearReaction(q *request, c *channel) *answer {
	m, name, id, bad := s.reactionOf(q, c)
	if bad != nil {
		return bad
	}
	if c.guild == "" || !s.can(c, s.appID, ManageMessages) {
		return fail(50013)
	}
	r := m.reaction(name, id)
	if r == nil {
		return fail(10014)
	}
	m.reactions = remove(m.reactions, r)
	s.emit(event{Name: "MESSAGE_REACTION_REMOVE_EMOJI", Guild: c.guild, Channel: c.id, Payload: s.reactionPayload(c, m, r)})
	return noContent()
}

// clearReactions. Source: resources/message#delete-all-reactions.
func (s *Server) clearReactions(q *request, c *channel) *answer {
	m, bad := s.theMessage(q, c)
	if bad != nil {
		return bad
	}
	if c.guild == "" || !s.can(c, s.appID, ManageMessages) {
		return fail(50013)
	}
	m.reactions = nil
	s.emit(event{Name: "MESSAGE_REACTION_REMOVE_ALL", Guild: c.guild, Channel: c.id, Payload: obj{"channel_id": c.id, "message_id": m.id, "guild_id": c.guild}})
	return noContent()
}
