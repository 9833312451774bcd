package discordsim

import (
	"net/http"
	"slices"
	"strconv"
	"time"
)

func (s *Server) routesThreads(t *router) {
	t.rest("POST /channels/{channel_id}/threads", s.inChannel(s.postThread), limited(50, 5*time.Minute))
	t.rest("POST /channels/{channel_id}/messages/{message_id}/threads", s.inChannel(s.postThreadOfMessage), limited(50, 5*time.Minute))
	t.rest("GET /channels/{channel_id}/thread-members", s.inChannel(s.getThreadMembers))
	t.rest("GET /channels/{channel_id}/thread-members/{user_id}", s.inChannel(s.getThreadMember))
	t.rest("PUT /channels/{channel_id}/thread-members/@me", s.inChannel(s.putThreadMember))
	t.rest("PUT /channels/{channel_id}/thread-members/{user_id}", s.inChannel(s.putThreadMember))
	t.rest("DELETE /channels/{channel_id}/thread-members/@me", s.inChannel(s.deleteThreadMember))
	t.rest("DELETE /channels/{channel_id}/thread-members/{user_id}", s.inChannel(s.deleteThreadMember))
	t.rest("GET /channels/{channel_id}/threads/archived/public", s.inChannel(s.getArchived))
	t.rest("GET /channels/{channel_id}/threads/archived/private", s.inChannel(s.getArchived))
}

// newThread makes a thread and tells of it. Source: topics/threads.
func (s *Server) newThread(parent *channel, kind Kind, owner, name, id string) *channel {
	now := s.now()
	c := &channel{
		id: id, guild: parent.guild, name: name, kind: kind, parent: parent.id, nsfw: parent.nsfw,
		thread: &thread{owner: owner, invitable: true, archivedAt: now, created: now, autoArchive: 4320, members: []threadMember{{owner, now}}},
	}
	s.channels[c.id] = c
	g := s.guilds[parent.guild]
	g.threads = append(g.threads, c)
	if parent.kind == Forum || parent.kind == Media {
		parent.last = c.id
	}
	return c
}

func (s *Server) announceThread(c *channel) {
	p := s.renderChannel(c)
	p["newly_created"] = true
	s.emit(event{Name: "THREAD_CREATE", Guild: c.guild, Channel: c.id, User: c.thread.owner, Payload: p})
}

// joinThread makes a user a member of a thread; false when they are one.
func (s *Server) joinThread(c *channel, userID string) bool {
	if c.thread.has(userID) {
		return false
	}
	m := threadMember{userID, s.now()}
	c.thread.members = append(c.thread.members, m)
	added := renderThreadMember(c, m)
	if of := s.guilds[c.guild].members[userID]; of != nil {
		added["member"] = s.renderMember(of)
	}
	s.emitThreadMembers(c, userID, obj{"added_members": []any{added}})
	return true
}

func (s *Server) leaveThread(c *channel, userID string) {
	n := len(c.thread.members)
	c.thread.members = slices.DeleteFunc(c.thread.members, func(m threadMember) bool { return m.user == userID })
	if len(c.thread.members) < n {
		s.emitThreadMembers(c, userID, obj{"removed_member_ids": []any{userID}})
	}
}

// emitThreadMembers. Source: events/gateway-events#thread-members-update.
func (s *Server) emitThreadMembers(c *channel, userID string, p obj) {
	p["id"], p["guild_id"], p["member_count"] = c.id, c.guild, min(len(c.thread.members), 50)
	s.emit(event{Name: "THREAD_MEMBERS_UPDATE", Guild: c.guild, Channel: c.id, User: userID, Payload: p})
}

// readThread reads what all ways of starting a thread share.
func readThread(errs *formErrors, body obj, t *channel) {
	if n, ok := errs.number(body, "auto_archive_duration", "auto_archive_duration"); ok {
		if !oneOf(n, 60, 1440, 4320, 10080) {
			errs.choice("auto_archive_duration", 60, 1440, 4320, 10080)
		}
		t.thread.autoArchive = int(n)
	}
	if n, ok := errs.number(body, "rate_limit_per_user", "rate_limit_per_user"); ok {
		if n < 0 || n > 21600 {
			errs.add("rate_limit_per_user", "NUMBER_TYPE_MAX", "int value should be less than or equal to 21600.")
		}
		t.slowmode = int(n)
	}
}

// postThread starts a thread without a message, or a post of a forum. Source:
// resources/channel#start-thread-without-message,
// resources/channel#start-thread-in-forum-or-media-channel.
func (s *Server) postThread(q *request, c *channel) *answer {
	f, bad := q.readForm()
	if bad != nil {
		return bad
	}
	if f.fields == nil {
		_, bad = q.object()
		return bad
	}
	if c.kind == Forum || c.kind == Media {
		return s.postForum(f, c)
	}
	if c.kind != Text && c.kind != Announcement {
		return fail(50024)
	}
	errs := newFormErrors()
	name := errs.text(f.fields, "name", "name")
	errs.length("name", name, 1, 100)
	kind := PrivateThread // the default until API v11
	if n, ok := errs.number(f.fields, "type", "type"); ok {
		kind = Kind(n)
		if !kind.isThread() {
			errs.choice("type", 10, 11, 12)
		}
	}
	t := &channel{thread: &thread{}}
	t.thread.autoArchive = 4320
	readThread(errs, f.fields, t)
	if bad := errs.answer(); bad != nil {
		return bad
	}
	need := CreatePublicThreads
	if kind == PrivateThread {
		need = CreatePrivateThreads
	}
	if !s.can(c, s.appID, need) {
		return fail(50013)
	}
	made := s.newThread(c, kind, s.appID, name, s.nextID())
	made.thread.autoArchive, made.slowmode = t.thread.autoArchive, t.slowmode
	if v, ok := f.fields["invitable"].(bool); ok {
		made.thread.invitable = v
	}
	s.announceThread(made)
	if kind != PrivateThread {
		s.addMessage(c, postInput{author: s.appID, kind: messageThreadMade, content: name, ref: &reference{channel: made.id, guild: made.guild}, allowed: &allowed{}})
	}
	return jsonAnswer(http.StatusCreated, s.renderChannel(made))
}

// postForum starts a post of a forum: a thread with its first message.
func (s *Server) postForum(f *form, c *channel) *answer {
	errs := newFormErrors()
	name := errs.text(f.fields, "name", "name")
	errs.length("name", name, 1, 100)
	first, ok := f.fields["message"].(obj)
	if !ok {
		errs.required("message")
	}
	tags := errs.texts(f.fields, "applied_tags", "applied_tags")
	if len(tags) > 5 {
		errs.add("applied_tags", "BASE_TYPE_MAX_LENGTH", "Must be 5 or fewer in length.")
	}
	for i, id := range tags {
		if !slices.ContainsFunc(c.tags, func(t Tag) bool { return t.ID == id }) {
			errs.add("applied_tags."+strconv.Itoa(i), "INVALID_FORUM_TAG", "Unknown tag")
		}
	}
	t := &channel{thread: &thread{autoArchive: 4320}}
	readThread(errs, f.fields, t)
	if bad := errs.answer(); bad != nil {
		return bad
	}
	in, bad := s.readPost(&form{fields: first, files: f.files, order: f.order}, readOptions{create: true})
	if bad != nil {
		return bad
	}
	p := s.permissions(c, s.appID)
	if p&SendMessages == 0 || len(in.files) > 0 && p&AttachFiles == 0 || len(in.embeds) > 0 && p&EmbedLinks == 0 {
		return fail(50013)
	}
	in.author = s.appID
	made := s.startPost(c, s.appID, name, tags, *in)
	made.thread.autoArchive, made.slowmode = t.thread.autoArchive, t.slowmode
	o := s.renderChannel(made)
	o["message"] = s.renderMessage(made.messages[0])
	return jsonAnswer(http.StatusCreated, o)
}

// startPost makes a post of a forum; its first message has the thread's id.
func (s *Server) startPost(c *channel, author, name string, tags []string, in postInput) *channel {
	id := s.nextID()
	made := s.newThread(c, PublicThread, author, name, id)
	made.thread.applied = tags
	s.announceThread(made)
	in.id = id
	s.addMessage(made, in)
	return made
}

// postThreadOfMessage. Source: resources/channel#start-thread-from-message.
func (s *Server) postThreadOfMessage(q *request, c *channel) *answer {
	body, bad := q.object()
	if bad != nil {
		return bad
	}
	m, bad := s.theMessage(q, c)
	if bad != nil {
		return bad
	}
	if c.kind != Text && c.kind != Announcement {
		return fail(50024)
	}
	errs := newFormErrors()
	name := errs.text(body, "name", "name")
	errs.length("name", name, 1, 100)
	t := &channel{thread: &thread{autoArchive: 4320}}
	readThread(errs, body, t)
	if bad := errs.answer(); bad != nil {
		return bad
	}
	if s.channels[m.id] != nil {
		return fail(160004)
	}
	if !s.can(c, s.appID, CreatePublicThreads) {
		return fail(50013)
	}
	made := s.threadFrom(c, m, s.appID, name)
	made.thread.autoArchive, made.slowmode = t.thread.autoArchive, t.slowmode
	return jsonAnswer(http.StatusCreated, s.renderChannel(made))
}

// threadFrom makes a thread from a message; it has the message's id, and begins
// with a message that only points to it. Source: topics/threads#new-message-types.
func (s *Server) threadFrom(c *channel, m *message, owner, name string) *channel {
	kind := PublicThread
	if c.kind == Announcement {
		kind = AnnouncementThread
	}
	made := s.newThread(c, kind, owner, name, m.id)
	m.thread = made.id
	m.flags |= flagHasThread
	s.announceThread(made)
	s.changedMessage(m)
	s.addMessage(made, postInput{
		author: m.author, kind: messageThreadStart, ref: &reference{message: m.id, channel: c.id, guild: c.guild}, allowed: &allowed{},
	})
	return made
}

// patchThread. Source: resources/channel#modify-channel-json-params-thread.
func (s *Server) patchThread(c *channel, body obj) *answer {
	errs := newFormErrors()
	t := *c.thread
	next := *c
	next.thread = &t
	if _, ok := body["name"]; ok {
		next.name = errs.text(body, "name", "name")
		errs.length("name", next.name, 1, 100)
	}
	readThread(errs, body, &next)
	if _, ok := body["archived"]; ok {
		t.archived = errs.flag(body, "archived", "archived")
	}
	if _, ok := body["locked"]; ok {
		t.locked = errs.flag(body, "locked", "locked")
	}
	if _, ok := body["applied_tags"]; ok {
		t.applied = errs.texts(body, "applied_tags", "applied_tags")
	}
	if bad := errs.answer(); bad != nil {
		return bad
	}
	manage := s.can(c, s.appID, ManageThreads)
	reopens := len(body) == 1 && body["archived"] != nil && !t.archived && !c.thread.locked && s.can(c, s.appID, SendMessagesInThreads)
	owns := c.thread.owner == s.appID && !c.thread.locked && !t.locked && next.slowmode == c.slowmode
	if !manage && !reopens && !owns {
		return fail(50013)
	}
	if c.thread.archived && t.archived {
		return fail(50083)
	}
	if t.archived != c.thread.archived {
		t.archivedAt = s.now()
	}
	*c.thread = t
	next.thread = c.thread
	*c = next
	s.emitChannel(c)
	return jsonAnswer(http.StatusOK, s.renderChannel(c))
}

func (s *Server) getThreadMembers(q *request, c *channel) *answer {
	if c.thread == nil {
		return fail(50024)
	}
	if s.opt.RefusedIntents&IntentGuildMembers != 0 {
		return fail(50001)
	}
	out := []any{}
	for _, m := range c.thread.members {
		out = append(out, s.renderThreadMemberWith(c, m, q))
	}
	return jsonAnswer(http.StatusOK, out)
}

func (s *Server) renderThreadMemberWith(c *channel, m threadMember, q *request) obj {
	o := renderThreadMember(c, m)
	if of := s.guilds[c.guild].members[m.user]; of != nil && q.query.Get("with_member") == "true" {
		o["member"] = s.renderMember(of)
	}
	return o
}

func (s *Server) getThreadMember(q *request, c *channel) *answer {
	if c.thread == nil {
		return fail(50024)
	}
	for _, m := range c.thread.members {
		if m.user == q.id("user_id") {
			return jsonAnswer(http.StatusOK, s.renderThreadMemberWith(c, m, q))
		}
	}
	return fail(10007)
}

// threadUser is the user of a path; @me without one.
func (s *Server) threadUser(q *request) string {
	if id := q.id("user_id"); id != "" {
		return id
	}
	return s.appID
}

// putThreadMember joins or adds somebody. Source: resources/channel#join-thread,
// resources/channel#add-thread-member.
func (s *Server) putThreadMember(q *request, c *channel) *answer {
	id := s.threadUser(q)
	switch {
	case c.thread == nil:
		return fail(50024)
	case c.thread.archived:
		return fail(50083)
	case s.guilds[c.guild].members[id] == nil:
		return fail(10007)
	case id != s.appID && !s.can(c, s.appID, SendMessagesInThreads):
		return fail(50013)
	}
	s.joinThread(c, id)
	return noContent()
}

// deleteThreadMember. Source: resources/channel#leave-thread,
// resources/channel#remove-thread-member.
func (s *Server) deleteThreadMember(q *request, c *channel) *answer {
	id := s.threadUser(q)
	switch {
	case c.thread == nil:
		return fail(50024)
	case c.thread.archived:
		return fail(50083)
	case id != s.appID && !s.can(c, s.appID, ManageThreads) && (c.kind != PrivateThread || c.thread.owner != s.appID):
		return fail(50013)
	}
	s.leaveThread(c, id)
	return noContent()
}

// getArchived lists archived threads, the last archived first. Source:
// resources/channel#list-public-archived-threads, #list-private-archived-threads.
func (s *Server) getArchived(q *request, c *channel) *answer {
	limit, bad := q.limit(50, 2, 100)
	if bad != nil {
		return bad
	}
	private := q.route.parts[len(q.route.parts)-1] == "private"
	if !s.can(c, s.appID, ReadMessageHistory) || private && !s.can(c, s.appID, ManageThreads) {
		return fail(50013)
	}
	var list []*channel
	for _, t := range s.guilds[c.guild].threads {
		if t.parent == c.id && t.thread.archived && (t.kind == PrivateThread) == private {
			list = append(list, t)
		}
	}
	slices.SortStableFunc(list, func(a, b *channel) int { return b.thread.archivedAt.Compare(a.thread.archivedAt) })
	threads, members := []any{}, []any{}
	more := false
	for _, t := range list {
		if before := q.query.Get("before"); before != "" && stamp(t.thread.archivedAt) >= before {
			continue
		}
		if len(threads) == limit {
			more = true
			break
		}
		threads = append(threads, s.renderChannel(t))
		for _, m := range t.thread.members {
			if m.user == s.appID {
				members = append(members, renderThreadMember(t, m))
			}
		}
	}
	return jsonAnswer(http.StatusOK, obj{"threads": threads, "members": members, "has_more": more})
}
