package discordsim

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// Flags of messages. Source: resources/message, "Message Flags".
const (
	flagSuppressEmbeds  = 1 << 2
	flagHasThread       = 1 << 5
	flagEphemeral       = 1 << 6
	flagLoading         = 1 << 7
	flagNoNotifications = 1 << 12
	flagHasSnapshot     = 1 << 14
	flagComponentsV2    = 1 << 15
)

// Types of messages. Source: resources/message, "Message Types".
const (
	messageDefault      = 0
	messagePinned       = 6
	messageThreadMade   = 18
	messageReply        = 19
	messageCommand      = 20
	messageThreadStart  = 21
	messageContextEntry = 23
)

// postInput is a message that is about to be posted, already valid.
type postInput struct {
	id         string // of the first message of a forum's post; else made up
	author     string
	kind       int
	content    string
	tts        bool
	embeds     []obj
	components []any
	files      []upload
	flags      int64
	allowed    *allowed // nil for everything
	nonce      any
	ref        *reference
	snapshot   *message // of a forward

	interaction obj    // interaction_metadata
	onlyFor     string // of an ephemeral message
	ofApp       bool   // an answer to an interaction: application_id and webhook_id
}

// upload is a file on its way into a message.
type upload struct {
	name, description, ctype string
	spoiler                  bool
	data                     []byte
	duration                 time.Duration
	width, height            int // of what no picture can tell
}

// addMessage posts a message and tells the gateway. An ephemeral one is nobody's
// but its reader's: the channel does not have it and there is no event.
func (s *Server) addMessage(c *channel, in postInput) *message {
	m := &message{
		id: s.nextID(), channel: c.id, guild: c.guild, author: in.author, kind: in.kind, content: in.content, at: s.now(), tts: in.tts,
		embeds: in.embeds, components: in.components, flags: in.flags, nonce: in.nonce, ref: in.ref, interaction: in.interaction,
		onlyFor: in.onlyFor, applications: in.ofApp,
	}
	if in.id != "" {
		m.id = in.id
	}
	if in.snapshot != nil {
		was := *in.snapshot
		m.snapshot = &was
	}
	if m.ref != nil && !m.ref.forward && m.kind == messageDefault {
		m.kind = messageReply
	}
	for _, u := range in.files {
		m.files = append(m.files, s.keepFile(c, u))
	}
	s.mention(c, m, in.allowed, true)
	if m.onlyFor != "" {
		m.pinged = nil
		s.change()
		return m
	}
	s.messages[m.id] = m
	c.messages = append(c.messages, m)
	c.last = m.id
	if c.kind.isThread() && m.kind != messageThreadStart {
		s.threadHears(c, m)
	}
	p := s.renderMessage(m)
	if m.nonce != nil {
		p["nonce"] = m.nonce
	}
	s.emitMessage("MESSAGE_CREATE", c, m, p)
	return m
}

// threadHears counts a message of a thread, brings the thread back from the
// archive, and makes the author and the mentioned its members. Source:
// topics/threads#active-and-archived-threads.
func (s *Server) threadHears(c *channel, m *message) {
	t := c.thread
	t.total++
	if t.archived && !t.locked {
		t.archived, t.archivedAt = false, s.now()
		s.emitChannel(c)
	}
	s.joinThread(c, m.author)
	for _, id := range m.mentions {
		if g := s.guilds[c.guild]; g.members[id] != nil {
			s.joinThread(c, id)
		}
	}
}

// emitMessage adds what messages of events have beyond those of the REST API.
// Source: events/gateway-events#message-create.
func (s *Server) emitMessage(name string, c *channel, m *message, p obj) {
	ev := event{Name: name, Guild: c.guild, Channel: c.id, User: m.author, Message: m, Payload: p, Direct: c.guild == ""}
	if g := s.guilds[c.guild]; g != nil {
		p["guild_id"] = g.id
		if author := g.members[m.author]; author != nil {
			p["member"] = s.renderPartialMember(author)
		}
		mentions, _ := p["mentions"].([]any)
		for _, u := range mentions {
			who, _ := u.(obj)
			if of := g.members[textOf(who["id"])]; of != nil {
				who["member"] = s.renderPartialMember(of)
			}
		}
	}
	s.emit(ev)
}

// changedMessage tells the gateway that a message was edited.
func (s *Server) changedMessage(m *message) {
	s.change()
	if m.onlyFor != "" {
		return
	}
	if c := s.channels[m.channel]; c != nil {
		s.emitMessage("MESSAGE_UPDATE", c, m, s.renderMessage(m))
	}
}

// dropMessage deletes a message. The thread that was started from it stays.
func (s *Server) dropMessage(m *message) {
	s.change()
	if m.onlyFor != "" {
		return
	}
	delete(s.messages, m.id)
	c := s.channels[m.channel]
	c.messages = remove(c.messages, m)
	p := obj{"id": m.id, "channel_id": c.id}
	if c.guild != "" {
		p["guild_id"] = c.guild
	}
	s.emit(event{Name: "MESSAGE_DELETE", Guild: c.guild, Channel: c.id, User: m.author, Payload: p, Direct: c.guild == ""})
}

// renderMessage writes a message as the REST API does. Every writing signs the
// addresses of files anew. Source: resources/message, "Message Object" and
// reference#signed-attachment-cdn-urls.
func (s *Server) renderMessage(m *message) obj {
	o := s.renderBasicMessage(m)
	if m.ref != nil && !m.ref.forward {
		o["referenced_message"] = nil
		if to := s.messages[m.ref.message]; to != nil && oneOf(m.kind, messageReply, messageThreadStart) {
			o["referenced_message"] = s.renderBasicMessage(to)
		}
	}
	return o
}

// renderBasicMessage leaves out the message that it answers.
func (s *Server) renderBasicMessage(m *message) obj {
	mentions := []any{}
	for _, id := range m.mentions {
		mentions = append(mentions, s.renderUserID(id))
	}
	files := []any{}
	for _, f := range m.files {
		files = append(files, s.renderFile(f, m.onlyFor != ""))
	}
	embeds := []any{}
	for _, e := range m.embeds {
		embeds = append(embeds, s.renderEmbed(e, m))
	}
	components := []any{}
	if m.components != nil {
		components = s.renderComponents(m.components, m)
	}
	o := obj{
		"id": m.id, "channel_id": m.channel, "type": m.kind, "content": m.content, "author": s.renderUserID(m.author),
		"mentions": mentions, "mention_roles": append([]string{}, m.mentionRoles...), "mention_everyone": m.everyone,
		"attachments": files, "embeds": embeds, "components": components, "timestamp": stamp(m.at),
		"edited_timestamp": stampOrNull(m.edited), "flags": m.flags, "pinned": !m.pinnedAt.IsZero(), "tts": m.tts,
	}
	if m.flags&flagSuppressEmbeds != 0 {
		o["embeds"] = []any{}
	}
	if len(m.reactions) > 0 {
		o["reactions"] = s.renderReactions(m)
	}
	if m.ref != nil {
		ref := obj{"type": 0, "channel_id": m.ref.channel}
		if m.ref.forward {
			ref["type"] = 1
		}
		if m.ref.message != "" {
			ref["message_id"] = m.ref.message
		}
		if m.ref.guild != "" {
			ref["guild_id"] = m.ref.guild
		}
		o["message_reference"] = ref
	}
	if m.snapshot != nil {
		o["message_snapshots"] = []any{s.renderSnapshot(m.snapshot)}
	}
	if t := s.channels[m.thread]; t != nil {
		o["thread"] = s.renderChannel(t)
	}
	if c := s.channels[m.channel]; c != nil && c.kind.isThread() {
		o["position"] = slices.Index(c.messages, m)
	}
	if m.interaction != nil {
		o["interaction_metadata"] = cloneObj(m.interaction)
	}
	if m.applications || m.author == s.appID && m.interaction != nil {
		o["application_id"], o["webhook_id"] = s.appID, s.appID
	}
	return o
}

// renderEmbed writes an embed as stored, with attachment:// addresses led to the
// message's files. The bot's own are of type "rich", those that the server makes
// of links of their own types. Source: resources/message, "Embed Object" and
// "Embed Types".
func (s *Server) renderEmbed(e obj, m *message) obj {
	o := cloneObj(e)
	if textOf(o["type"]) == "" || m.author == s.appID {
		o["type"] = "rich"
	}
	for _, part := range []string{"image", "thumbnail", "footer", "author"} {
		in, ok := o[part].(obj)
		if !ok {
			continue
		}
		s.resolve(in, "url", "proxy_url", m)
		s.resolve(in, "icon_url", "proxy_icon_url", m)
	}
	return o
}

// resolve turns an attachment:// address into the file's own, and signs one
// that leads to a file of this server. Source: reference#signed-attachment-cdn-urls.
func (s *Server) resolve(in obj, key, proxy string, m *message) {
	address, ok := in[key].(string)
	if !ok {
		return
	}
	if name, ok := strings.CutPrefix(address, "attachment://"); ok {
		for _, f := range m.files {
			if f.name == name {
				in[key] = s.signed(f.path())
				in[proxy] = s.signed(f.path())
			}
		}
		return
	}
	if fresh, ok := s.refresh(address); ok {
		in[key], in[proxy] = fresh, fresh
	}
}

func sortedKeys(o obj) []string {
	keys := make([]string, 0, len(o))
	for k := range o {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// asObj, textOf and intOf read a value of decoded JSON; another kind is nothing.
func asObj(v any) obj {
	o, _ := v.(obj)
	return o
}

func textOf(v any) string {
	t, _ := v.(string)
	return t
}

func intOf(v any) int64 {
	switch n := v.(type) {
	case json.Number:
		i, err := n.Int64()
		if err != nil {
			return -1
		}
		return i
	case int:
		return int64(n)
	case int64:
		return n
	case float64:
		return int64(n)
	}
	return -1
}
