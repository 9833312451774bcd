package discordsim

import (
	"fmt"
	"slices"
)

// Edit is what an author changes of a message that was sent. What it does not
// name stays.
type Edit struct {
	Content  *string
	Remove   []string          // ids of attachments
	Describe map[string]string // descriptions by attachment; "" takes it away
	Spoiler  map[string]bool   // flags by attachment
}

// EditMessage lets a message's author change its text.
func (s *Server) EditMessage(messageID, content string) error {
	return s.Edit(messageID, Edit{Content: &content})
}

// Edit lets a message's author change it: a MESSAGE_UPDATE with
// edited_timestamp. Nobody edits in an archived or locked thread, and nothing
// may be left empty. Source: resources/message#edit-message, topics/threads.
func (s *Server) Edit(messageID string, e Edit) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.messages[messageID]
	if m == nil {
		return fmt.Errorf("edit %s: there is no such message", messageID)
	}
	c := s.channels[m.channel]
	if bad := s.mayChange(c, m.author); bad != nil {
		return refusal(m.author, "edit "+m.id, bad)
	}
	next := *m
	next.files = nil
	known := map[string]bool{}
	for _, f := range m.files {
		known[f.id] = true
		if slices.Contains(e.Remove, f.id) {
			continue
		}
		kept := *f
		if d, ok := e.Describe[f.id]; ok {
			if textLen(d) > descriptionMost {
				return fmt.Errorf("edit %s: a description has at most %d characters", m.id, descriptionMost)
			}
			kept.description = d
		}
		if on, ok := e.Spoiler[f.id]; ok {
			kept.spoiler = on
		}
		next.files = append(next.files, &kept)
	}
	for _, id := range slices.Concat(e.Remove, sortedNames(e.Describe), sortedNames(e.Spoiler)) {
		if !known[id] {
			return fmt.Errorf("edit %s: it has no attachment %s", m.id, id)
		}
	}
	if e.Content != nil {
		next.content = *e.Content
	}
	if next.content == "" && len(next.files) == 0 && len(next.embeds) == 0 {
		return refusal(m.author, "edit "+m.id, fail(50006))
	}
	next.edited = s.now()
	*m = next
	s.mention(c, m, nil, false)
	s.changedMessage(m)
	return nil
}

func sortedNames[V any](m map[string]V) []string {
	names := make([]string, 0, len(m))
	for k := range m {
		names = append(names, k)
	}
	slices.Sort(names)
	return names
}

// mayChange says why somebody may not change a message of a channel: nobody
// does in an archived thread, and in a locked one only who may manage threads.
// Source: topics/threads#locked-threads and #active-archived-threads.
func (s *Server) mayChange(c *channel, userID string) *answer {
	switch {
	case c.thread == nil:
	case c.thread.archived:
		return fail(50083)
	case c.thread.locked && !s.can(c, userID, ManageThreads):
		return fail(160005)
	}
	return nil
}

// mayDelete says why somebody may not delete a message that is theirs: in a
// locked thread they may while it is active. Source: topics/threads#locked-threads.
func (s *Server) mayDelete(c *channel, userID string) *answer {
	if c.thread != nil && c.thread.locked && c.thread.archived && !s.can(c, userID, ManageThreads) {
		return fail(160005)
	}
	return nil
}

// EmbedLinks adds embeds to a person's message after it was sent, as the server
// does when it has looked at a link: a MESSAGE_UPDATE without an edit.
func (s *Server) EmbedLinks(messageID string, embeds ...map[string]any) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.messages[messageID]
	if m == nil {
		return fmt.Errorf("embed links of %s: there is no such message", messageID)
	}
	for _, e := range embeds {
		m.embeds = append(m.embeds, cloneObj(e))
	}
	s.changedMessage(m)
	return nil
}

// DeleteMessage deletes a message, as its author or a moderator.
func (s *Server) DeleteMessage(messageID string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.messages[messageID]
	if m == nil {
		return fmt.Errorf("delete %s: there is no such message", messageID)
	}
	s.dropMessage(m)
	return nil
}

// DeleteMessages deletes several messages of one channel at once, as a
// moderator's tool does: one MESSAGE_DELETE_BULK.
func (s *Server) DeleteMessages(messageIDs ...string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	channel := ""
	for _, id := range messageIDs {
		m := s.messages[id]
		switch {
		case m == nil:
			return fmt.Errorf("delete %s: there is no such message", id)
		case channel != "" && channel != m.channel:
			return fmt.Errorf("delete %s: it is in another channel", id)
		}
		channel = m.channel
	}
	if channel != "" {
		s.dropMessages(s.channels[channel], messageIDs)
	}
	return nil
}

// dropMessages deletes those of some messages that are there. Source:
// events/gateway-events#message-delete-bulk.
func (s *Server) dropMessages(c *channel, ids []string) {
	s.change()
	var gone []any
	for _, id := range ids {
		if m := s.messages[id]; m != nil && m.channel == c.id {
			delete(s.messages, id)
			c.messages = remove(c.messages, m)
			gone = append(gone, id)
		}
	}
	if len(gone) > 0 {
		s.emit(event{Name: "MESSAGE_DELETE_BULK", Guild: c.guild, Channel: c.id, Payload: obj{"ids": gone, "channel_id": c.id, "guild_id": c.guild}})
	}
}

// Forward lets a user forward a message to a channel: the new message has no
// text of its own, but a snapshot of the other one. Source: resources/message,
// "Message Snapshot Object" and "Message Reference Types".
func (s *Server) Forward(userID, messageID, channelID string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u, c, of := s.mustUser(userID), s.mustChannel(channelID), s.messages[messageID]
	if of == nil {
		return "", fmt.Errorf("%s cannot forward %s: there is no such message", u.name, messageID)
	}
	in := postInput{author: u.id, flags: flagHasSnapshot, snapshot: of}
	if bad := s.mayPost(c, u.id, &in); bad != nil {
		return "", refusal(u.name, "write to "+c.name, bad)
	}
	in.ref = &reference{message: of.id, channel: of.channel, guild: of.guild, forward: true}
	return s.addMessage(c, in).id, nil
}

// renderSnapshot writes what a forward shows of the message.
func (s *Server) renderSnapshot(of *message) obj {
	all, o := s.renderBasicMessage(of), obj{}
	for _, k := range []string{
		"type", "content", "embeds", "attachments", "timestamp", "edited_timestamp", "flags", "mentions", "mention_roles", "components",
	} {
		o[k] = all[k]
	}
	return obj{"message": o}
}
