package discordsim

import (
	"net/http"
	"strconv"
	"time"
)

// patchMessage edits a message. Others' messages may only have their embeds
// suppressed. Source: resources/message#edit-message.
func (s *Server) patchMessage(q *request, c *channel) *answer {
	m, bad := s.theMessage(q, c)
	if bad != nil {
		return bad
	}
	f, bad := q.readForm()
	if bad != nil {
		return bad
	}
	if m.author != s.appID {
		return s.suppress(c, m, f.fields)
	}
	if bad := s.mayChange(c, s.appID); bad != nil {
		return bad
	}
	if bad := s.editMessage(c, m, f); bad != nil {
		return bad
	}
	return jsonAnswer(http.StatusOK, s.renderMessage(m))
}

// suppress sets the one flag that others' messages may get.
func (s *Server) suppress(c *channel, m *message, body obj) *answer {
	if len(body) != 1 || body["flags"] == nil {
		return fail(50005)
	}
	if !s.can(c, s.appID, ManageMessages) {
		return fail(50013)
	}
	errs := newFormErrors()
	flags, _ := errs.number(body, "flags", "flags")
	if bad := errs.answer(); bad != nil {
		return bad
	}
	m.flags = m.flags&^flagSuppressEmbeds | flags&flagSuppressEmbeds
	s.changedMessage(m)
	return jsonAnswer(http.StatusOK, s.renderMessage(m))
}

// editMessage changes what a body names of a message: what it leaves out
// stays, null empties it. Of the files those stay that "attachments" lists, or
// all when it is absent. Nobody is pinged by an edit.
func (s *Server) editMessage(c *channel, m *message, f *form) *answer {
	in, bad := s.readPost(f, readOptions{old: m})
	if bad != nil {
		return bad
	}
	body := f.fields
	next := *m
	if _, ok := body["content"]; ok {
		next.content = in.content
	}
	if _, ok := body["embeds"]; ok {
		next.embeds = in.embeds
	}
	if _, ok := body["components"]; ok {
		next.components = in.components
	}
	if _, ok := body["flags"]; ok {
		const may = flagSuppressEmbeds | flagComponentsV2
		next.flags = m.flags&^flagSuppressEmbeds | in.flags&may
	}
	kept := keptFiles(m, body)
	if next.content == "" && len(next.embeds) == 0 && len(next.components) == 0 && len(kept)+len(in.files) == 0 {
		return fail(50006)
	}
	*m = next
	m.files = kept
	for _, u := range in.files {
		m.files = append(m.files, s.keepFile(c, u))
	}
	m.edited = s.now()
	m.flags &^= flagLoading
	if _, ok := body["content"]; ok || in.allowed != nil || body["components"] != nil {
		s.mention(c, m, in.allowed, false)
	}
	s.changedMessage(m)
	return nil
}

// keptFiles are the files of a message that an edit keeps, with their new
// descriptions.
func keptFiles(m *message, body obj) []*attachment {
	list, ok := body["attachments"].([]any)
	if !ok {
		if _, there := body["attachments"]; there {
			return nil
		}
		return m.files
	}
	var out []*attachment
	for _, item := range list {
		o := asObj(item)
		for _, f := range m.files {
			if f.id != textID(o["id"]) {
				continue
			}
			kept := *f
			if d, ok := o["description"]; ok {
				kept.description = textOf(d)
			}
			if v, ok := o["is_spoiler"].(bool); ok {
				kept.spoiler = v
			}
			out = append(out, &kept)
		}
	}
	return out
}

// textID is an id that came as a text or as a number.
func textID(v any) string {
	if n := intOf(v); n >= 0 {
		return strconv.FormatInt(n, 10)
	}
	return textOf(v)
}

// deleteMessage. Source: resources/message#delete-message.
func (s *Server) deleteMessage(q *request, c *channel) *answer {
	m, bad := s.theMessage(q, c)
	if bad != nil {
		return bad
	}
	if m.author != s.appID && !s.can(c, s.appID, ManageMessages) {
		if c.guild == "" {
			return fail(50003)
		}
		return fail(50013)
	}
	if bad := s.mayDelete(c, s.appID); bad != nil {
		return bad
	}
	if m.kind == messageThreadStart { // no system message of this kind is deletable
		return fail(50021)
	}
	s.dropMessage(m)
	return noContent()
}

// bulkDelete deletes 2 to 100 messages that are not older than two weeks.
// Source: resources/message#bulk-delete-messages.
func (s *Server) bulkDelete(q *request, c *channel) *answer {
	body, bad := q.object()
	if bad != nil {
		return bad
	}
	if c.guild == "" {
		return fail(50003)
	}
	if !s.can(c, s.appID, ManageMessages) {
		return fail(50013)
	}
	errs := newFormErrors()
	ids := errs.texts(body, "messages", "messages")
	if len(ids) < 2 || len(ids) > 100 {
		errs.add("messages", "BASE_TYPE_BAD_LENGTH", "Must be between 2 and 100 in length.")
	}
	if bad := errs.answer(); bad != nil {
		return bad
	}
	for _, id := range ids {
		if s.now().Sub(idTime(id)) > 14*24*time.Hour {
			return failWith(http.StatusBadRequest, 50034, "You can only bulk delete messages that are under 14 days old.")
		}
	}
	s.dropMessages(c, ids)
	return noContent()
}
