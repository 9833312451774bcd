package discordsim

import (
	"net/http"
	"slices"
	"time"
)

// nonceLife is how long enforce_nonce knows a nonce: "the past few minutes".
// Source: resources/message#create-message.
const nonceLife = 5 * time.Minute

func (s *Server) routesMessages(t *router) {
	t.rest("GET /channels/{channel_id}/messages", s.inChannel(s.getMessages))
	t.rest("POST /channels/{channel_id}/messages", s.inChannel(s.createMessage), limited(5, 5*time.Second))
	t.rest("GET /channels/{channel_id}/messages/{message_id}", s.inChannel(s.getMessage))
	t.rest("PATCH /channels/{channel_id}/messages/{message_id}", s.inChannel(s.patchMessage), limited(5, 5*time.Second))
	t.rest("DELETE /channels/{channel_id}/messages/{message_id}", s.inChannel(s.deleteMessage), limited(5, time.Second))
	t.rest("POST /channels/{channel_id}/messages/bulk-delete", s.inChannel(s.bulkDelete), limited(1, time.Second))
}

// getMessages lists messages, the newest first. Without READ_MESSAGE_HISTORY
// there are none. Source: resources/message#get-channel-messages.
func (s *Server) getMessages(q *request, c *channel) *answer {
	limit, bad := q.limit(50, 1, 100)
	if bad != nil {
		return bad
	}
	var at [3]string
	given := 0
	for i, name := range []string{"around", "before", "after"} {
		if at[i], bad = q.snowflake(name); bad != nil {
			return bad
		}
		if at[i] != "" {
			given++
		}
	}
	if given > 1 {
		errs := newFormErrors()
		errs.add("_misc", "BASE_TYPE_CHOICES", "Only one of around, before and after may be given.")
		return errs.answer()
	}
	if !c.kind.holdsMessages() {
		return fail(50008)
	}
	if !s.can(c, s.appID, ReadMessageHistory) {
		return jsonAnswer(http.StatusOK, []any{})
	}
	list := c.messages
	around, before, after := at[0], at[1], at[2]
	switch {
	case around != "":
		i, _ := slices.BinarySearchFunc(list, around, func(m *message, id string) int { return compareIDs(m.id, id) })
		from := max(i-limit/2, 0)
		list = list[from:min(from+limit, len(list))]
	case after != "":
		list = list[searchAfter(list, after):]
		list = list[:min(limit, len(list))]
	default:
		if before != "" {
			i, _ := slices.BinarySearchFunc(list, before, func(m *message, id string) int { return compareIDs(m.id, id) })
			list = list[:i]
		}
		list = list[max(len(list)-limit, 0):]
	}
	out := []any{}
	for _, m := range slices.Backward(list) {
		out = append(out, s.renderMessage(m))
	}
	return jsonAnswer(http.StatusOK, out)
}

func compareIDs(a, b string) int {
	switch {
	case a == b:
		return 0
	case idLess(a, b):
		return -1
	}
	return 1
}

// searchAfter is the place of the first message after an id.
func searchAfter(list []*message, id string) int {
	i, found := slices.BinarySearchFunc(list, id, func(m *message, id string) int { return compareIDs(m.id, id) })
	if found {
		i++
	}
	return i
}

// theMessage finds the message of a path.
func (s *Server) theMessage(q *request, c *channel) (*message, *answer) {
	m := s.messages[q.id("message_id")]
	if m == nil || m.channel != c.id {
		return nil, fail(10008)
	}
	return m, nil
}

// getMessage takes READ_MESSAGE_HISTORY. Source: resources/message#get-channel-message.
func (s *Server) getMessage(q *request, c *channel) *answer {
	if !s.can(c, s.appID, ReadMessageHistory) {
		return fail(50013)
	}
	m, bad := s.theMessage(q, c)
	if bad != nil {
		return bad
	}
	return jsonAnswer(http.StatusOK, s.renderMessage(m))
}

// createMessage posts a message of the bot. Source: resources/message#create-message.
func (s *Server) createMessage(q *request, c *channel) *answer {
	f, bad := q.readForm()
	if bad != nil {
		return bad
	}
	in, bad := s.readPost(f, readOptions{create: true})
	if bad != nil {
		return bad
	}
	in.author = s.appID
	if bad := s.mayPost(c, s.appID, in); bad != nil {
		return bad
	}
	errs := newFormErrors()
	s.readReference(errs, f.fields, c, in)
	nonce := readNonce(errs, f.fields)
	enforce := errs.flag(f.fields, "enforce_nonce", "enforce_nonce")
	if bad := errs.answer(); bad != nil {
		return bad
	}
	in.nonce = nonce
	if enforce && nonce != nil {
		if m := s.byNonce(c, s.appID, nonce); m != nil {
			o := s.renderMessage(m)
			o["nonce"] = nonce
			return jsonAnswer(http.StatusOK, o)
		}
	}
	m := s.addMessage(c, *in)
	o := s.renderMessage(m)
	if nonce != nil {
		o["nonce"] = nonce
	}
	return jsonAnswer(http.StatusOK, o)
}

// byNonce is an author's message of the past few minutes with a nonce.
func (s *Server) byNonce(c *channel, author string, nonce any) *message {
	for _, m := range slices.Backward(c.messages) {
		if s.now().Sub(m.at) > nonceLife {
			return nil
		}
		if m.author == author && m.nonce == nonce {
			return m
		}
	}
	return nil
}

// readNonce reads a nonce: a text of up to 25 characters, or a number. Source:
// resources/message#create-message.
func readNonce(errs *formErrors, body obj) any {
	switch v := body["nonce"].(type) {
	case nil:
		return nil
	case string:
		errs.length("nonce", v, 0, 25)
		if v == "" {
			return nil
		}
		return v
	default:
		n, ok := errs.number(body, "nonce", "nonce")
		if !ok {
			return nil
		}
		return n
	}
}

// mayPost holds a message against the permissions of its author. Source:
// topics/permissions and topics/threads#permissions.
func (s *Server) mayPost(c *channel, author string, in *postInput) *answer {
	if !c.kind.holdsMessages() {
		return fail(50008)
	}
	p := s.permissions(c, author)
	if p&ViewChannel == 0 {
		return fail(50001)
	}
	if c.guild == "" {
		if to := s.users[c.recipient]; author == s.appID && !s.takesDM(to) {
			return fail(50007)
		}
		return nil
	}
	if p&c.sendPermission() == 0 {
		return fail(50013)
	}
	if len(in.files) > 0 && p&AttachFiles == 0 {
		return fail(50013)
	}
	if len(in.embeds) > 0 && p&EmbedLinks == 0 {
		return fail(50013)
	}
	if c.thread != nil && c.thread.locked && p&ManageThreads == 0 {
		return fail(160005)
	}
	return nil
}

// readReference reads message_reference. Source: resources/message,
// "Message Reference".
func (s *Server) readReference(errs *formErrors, body obj, c *channel, in *postInput) {
	v, ok := body["message_reference"]
	if !ok || v == nil {
		return
	}
	ref, ok := v.(obj)
	if !ok {
		errs.add("message_reference", "DICT_TYPE_CONVERT", "Only dictionaries may be used in a DictType")
		return
	}
	id := errs.id(ref, "message_id", "message_reference.message_id")
	if kind, ok := errs.number(ref, "type", "message_reference.type"); ok && kind != 0 {
		errs.choice("message_reference.type", 0)
	}
	if id == "" {
		errs.required("message_reference.message_id")
		return
	}
	must := true
	if v, ok := ref["fail_if_not_exists"].(bool); ok {
		must = v
	}
	to := s.messages[id]
	switch {
	case to == nil || to.channel != c.id:
		if must {
			errs.add("message_reference", "REPLIES_UNKNOWN_MESSAGE", "Unknown message")
		}
		return // it is then posted as an ordinary message
	case !oneOf(to.kind, messageDefault, messageReply, messageCommand, messageThreadStart, messageContextEntry):
		errs.add("message_reference", "REPLIES_CANNOT_REPLY_TO_SYSTEM_MESSAGE", "Cannot reply to a system message")
	case !s.can(c, in.author, ReadMessageHistory):
		errs.add("message_reference", "REPLIES_REQUIRE_READ_MESSAGE_HISTORY", "Cannot reply without permission to read message history")
	}
	in.ref = &reference{message: id, channel: c.id, guild: c.guild}
}
