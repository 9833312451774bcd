package discordsim

import (
	"net/http"
	"slices"
	"strconv"
	"time"
)

func (s *Server) routesChannels(t *router) {
	t.rest("GET /channels/{channel_id}", s.inChannel(s.getChannel))
	t.rest("PATCH /channels/{channel_id}", s.inChannel(s.patchChannel))
	t.rest("DELETE /channels/{channel_id}", s.inChannel(s.removeChannel))
	t.rest("POST /channels/{channel_id}/typing", s.inChannel(s.postTyping), limited(5, usualPer/2))
	t.rest("PUT /channels/{channel_id}/permissions/{overwrite_id}", s.inChannel(s.putOverwrite))
	t.rest("DELETE /channels/{channel_id}/permissions/{overwrite_id}", s.inChannel(s.deleteOverwrite))
	t.rest("GET /channels/{channel_id}/messages/pins", s.inChannel(s.getPins))
	t.rest("PUT /channels/{channel_id}/messages/pins/{message_id}", s.inChannel(s.pin))
	t.rest("DELETE /channels/{channel_id}/messages/pins/{message_id}", s.inChannel(s.pin))
	// The older paths. Source: resources/message#get-channel-pins-deprecated.
	t.rest("GET /channels/{channel_id}/pins", s.inChannel(s.getOldPins))
	t.rest("PUT /channels/{channel_id}/pins/{message_id}", s.inChannel(s.pin))
	t.rest("DELETE /channels/{channel_id}/pins/{message_id}", s.inChannel(s.pin))
}

// inChannel finds the channel of a path, which the bot must be able to see.
func (s *Server) inChannel(h func(*request, *channel) *answer) handler {
	return func(q *request) *answer {
		c := s.channels[q.id("channel_id")]
		if c == nil {
			return fail(10003)
		}
		if g := s.guilds[c.guild]; g != nil && g.unavailable && g.botIn {
			return plainFail(http.StatusServiceUnavailable)
		}
		if !s.can(c, s.appID, ViewChannel) {
			return fail(50001)
		}
		return h(q, c)
	}
}

func (s *Server) getChannel(_ *request, c *channel) *answer {
	return jsonAnswer(http.StatusOK, s.renderChannel(c))
}

// removeChannel deletes a channel or a thread, or closes a direct message.
// Source: resources/channel#deleteclose-channel.
func (s *Server) removeChannel(_ *request, c *channel) *answer {
	o := s.renderChannel(c)
	if c.guild == "" {
		delete(s.dms, c.recipient)
		return jsonAnswer(http.StatusOK, o)
	}
	need := ManageChannels
	if c.kind.isThread() {
		need = ManageThreads
	}
	if !s.can(c, s.appID, need) {
		return fail(50013)
	}
	s.deleteChannel(c)
	return jsonAnswer(http.StatusOK, o)
}

// patchChannel changes a channel or a thread. Source: resources/channel#modify-channel.
func (s *Server) patchChannel(q *request, c *channel) *answer {
	body, bad := q.object()
	if bad != nil {
		return bad
	}
	if c.guild == "" {
		return fail(50003)
	}
	if c.kind.isThread() {
		return s.patchThread(c, body)
	}
	if !s.can(c, s.appID, ManageChannels) {
		return fail(50013)
	}
	errs := newFormErrors()
	next := *c
	if _, ok := body["name"]; ok {
		next.name = errs.text(body, "name", "name")
		errs.length("name", next.name, 1, 100)
	}
	if _, ok := body["topic"]; ok {
		next.topic = errs.text(body, "topic", "topic")
		most := 1024
		if c.kind == Forum || c.kind == Media {
			most = 4096
		}
		errs.length("topic", next.topic, 0, most)
	}
	if _, ok := body["nsfw"]; ok {
		next.nsfw = errs.flag(body, "nsfw", "nsfw")
	}
	if _, ok := body["rate_limit_per_user"]; ok {
		n, _ := errs.number(body, "rate_limit_per_user", "rate_limit_per_user")
		if n < 0 || n > 21600 {
			errs.add("rate_limit_per_user", "NUMBER_TYPE_MAX", "int value should be less than or equal to 21600.")
		}
		next.slowmode = int(n)
	}
	if _, ok := body["parent_id"]; ok {
		next.parent = errs.id(body, "parent_id", "parent_id")
		if p := s.channels[next.parent]; next.parent != "" && (p == nil || p.kind != Category || p.guild != c.guild) {
			errs.add("parent_id", "CHANNEL_PARENT_INVALID", "Category does not exist")
		}
	}
	if _, ok := body["permission_overwrites"]; ok {
		next.overwrites = nil
		for i, o := range errs.objects(body, "permission_overwrites", "permission_overwrites") {
			if w, ok := readOverwrite(errs, o, "permission_overwrites."+strconv.Itoa(i)); ok {
				next.overwrites = append(next.overwrites, w)
			}
		}
	}
	if bad := errs.answer(); bad != nil {
		return bad
	}
	*c = next
	s.emitChannel(c)
	return jsonAnswer(http.StatusOK, s.renderChannel(c))
}

func readOverwrite(errs *formErrors, o obj, at string) (overwrite, bool) {
	w := overwrite{id: errs.id(o, "id", at+".id")}
	kind, _ := errs.number(o, "type", at+".type")
	w.kind = int(kind)
	for name, to := range map[string]*Permission{"allow": &w.allow, "deny": &w.deny} {
		if v := o[name]; v != nil {
			p, ok := parsePermission(v)
			if !ok {
				errs.add(at+"."+name, "PERMISSION_TYPE_CONVERT", "Could not interpret as permissions.")
			}
			*to = p
		}
	}
	return w, w.id != ""
}

// putOverwrite. Source: resources/channel#edit-channel-permissions.
func (s *Server) putOverwrite(q *request, c *channel) *answer {
	body, bad := q.object()
	if bad != nil {
		return bad
	}
	if c.guild == "" || !s.can(c, s.appID, ManageRoles) {
		return fail(50013)
	}
	errs := newFormErrors()
	if body["type"] == nil {
		errs.required("type")
	}
	body = cloneObj(body)
	body["id"] = q.id("overwrite_id")
	w, _ := readOverwrite(errs, body, "overwrite")
	if bad := errs.answer(); bad != nil {
		return bad
	}
	c.overwrites = slices.DeleteFunc(slices.Clone(c.overwrites), func(o overwrite) bool { return o.id == w.id })
	c.overwrites = append(c.overwrites, w)
	s.emitChannel(c)
	return noContent()
}

func (s *Server) deleteOverwrite(q *request, c *channel) *answer {
	if c.guild == "" || !s.can(c, s.appID, ManageRoles) {
		return fail(50013)
	}
	c.overwrites = slices.DeleteFunc(slices.Clone(c.overwrites), func(o overwrite) bool { return o.id == q.id("overwrite_id") })
	s.emitChannel(c)
	return noContent()
}

// postTyping. Source: resources/channel#trigger-typing-indicator.
func (s *Server) postTyping(_ *request, c *channel) *answer {
	if !c.kind.holdsMessages() {
		return fail(50008)
	}
	if !s.can(c, s.appID, c.sendPermission()) {
		return fail(50013)
	}
	s.emitTyping(c, s.appID)
	return noContent()
}

func (s *Server) emitTyping(c *channel, userID string) {
	p := obj{"channel_id": c.id, "user_id": userID, "timestamp": s.now().Unix()}
	if g := s.guilds[c.guild]; g != nil {
		p["guild_id"] = g.id
		if m := g.members[userID]; m != nil {
			p["member"] = s.renderMember(m)
		}
	}
	s.emit(event{Name: "TYPING_START", Guild: c.guild, Channel: c.id, User: userID, Payload: p, Direct: c.guild == ""})
}

// pinned are a channel's pinned messages, the newest pin first.
func (c *channel) pinned() []*message {
	var out []*message
	for _, m := range c.messages {
		if !m.pinnedAt.IsZero() {
			out = append(out, m)
		}
	}
	slices.SortStableFunc(out, func(a, b *message) int { return b.pinnedAt.Compare(a.pinnedAt) })
	return out
}

// getPins. Source: resources/message#get-channel-pins.
func (s *Server) getPins(q *request, c *channel) *answer {
	limit, bad := q.limit(50, 1, 50)
	if bad != nil {
		return bad
	}
	items := []any{}
	all := c.pinned()
	if !s.can(c, s.appID, ReadMessageHistory) {
		all = nil
	}
	more := false
	for _, m := range all {
		if before := q.query.Get("before"); before != "" && stamp(m.pinnedAt) >= before {
			continue
		}
		if len(items) == limit {
			more = true
			break
		}
		items = append(items, obj{"pinned_at": stamp(m.pinnedAt), "message": s.renderMessage(m)})
	}
	return jsonAnswer(http.StatusOK, obj{"items": items, "has_more": more})
}

func (s *Server) getOldPins(_ *request, c *channel) *answer {
	out := []any{}
	if s.can(c, s.appID, ReadMessageHistory) {
		for _, m := range c.pinned() {
			out = append(out, s.renderMessage(m))
		}
	}
	return jsonAnswer(http.StatusOK, out)
}

// pin pins a message or undoes it. Source: resources/message#pin-message; the
// permission is PIN_MESSAGES since 23 February 2026 (change-log).
func (s *Server) pin(q *request, c *channel) *answer {
	m := s.messages[q.id("message_id")]
	switch {
	case m == nil || m.channel != c.id:
		return fail(10008)
	case c.guild != "" && !s.can(c, s.appID, PinMessages):
		return fail(50013)
	}
	if q.method == http.MethodDelete {
		if m.pinnedAt.IsZero() {
			return noContent()
		}
		s.setPinned(c, m, false)
		return noContent()
	}
	if !m.pinnedAt.IsZero() {
		return noContent()
	}
	if len(c.pinned()) >= 250 {
		return fail(30003)
	}
	s.setPinned(c, m, true)
	s.addMessage(c, postInput{author: s.appID, kind: messagePinned, ref: &reference{message: m.id, channel: c.id, guild: c.guild}})
	return noContent()
}

func (s *Server) setPinned(c *channel, m *message, yes bool) {
	m.pinnedAt = time.Time{}
	if yes {
		m.pinnedAt = s.now()
		c.lastPin = m.pinnedAt
	}
	p := obj{"channel_id": c.id, "last_pin_timestamp": stampOrNull(c.lastPin)}
	if c.guild != "" {
		p["guild_id"] = c.guild
	}
	s.changedMessage(m)
	s.emit(event{Name: "CHANNEL_PINS_UPDATE", Guild: c.guild, Channel: c.id, Payload: p, Direct: c.guild == ""})
}
