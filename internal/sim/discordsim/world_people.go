package discordsim

import (
	"fmt"
	"slices"
	"time"
)

// File is one that a person sends. The type need not be that of the data: the
// server believes what it is told.
type File struct {
	Name        string
	Type        string // the content type; by the name's ending if empty
	Description string
	Data        []byte
	Spoiler     bool          // flagged as one; a name that begins with SPOILER_ is the older way
	Duration    time.Duration // of sound and film, as the client tells it

	Width, Height int // of a film; those of pictures are read from the data
}

func (f File) upload() upload {
	return upload{name: f.Name, ctype: f.Type, description: f.Description, data: f.Data, spoiler: f.Spoiler, duration: f.Duration, width: f.Width, height: f.Height}
}

// Draft is a message that a person is about to send. Whom it mentions is read
// from the content, as the real server does.
type Draft struct {
	Content string
	ReplyTo string // id of the message that is answered
	NoPing  bool   // the answer does not mention whom it answers
	Files   []File
	Nonce   string
	Embeds  []map[string]any // as the server makes of links
}

// refusal is an error of a person's action, from the API's answer to it.
func refusal(who, what string, bad *answer) error {
	v, _ := decodeJSON(bad.body)
	return fmt.Errorf("%s cannot %s: %s (%d)", who, what, textOf(asObj(v)["message"]), bad.code)
}

// Say lets a user send a message to a channel, a thread or the direct message
// channel with the bot, and returns its id.
func (s *Server) Say(userID, channelID string, d Draft) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.say(s.mustUser(userID), s.mustChannel(channelID), d)
}

func (s *Server) say(u *user, c *channel, d Draft) (string, error) {
	in := postInput{author: u.id, content: d.Content}
	for _, e := range d.Embeds {
		in.embeds = append(in.embeds, cloneObj(e))
	}
	if d.Nonce != "" {
		in.nonce = d.Nonce
	}
	for _, f := range d.Files {
		in.files = append(in.files, f.upload())
	}
	check := in
	check.embeds = nil // links become embeds by the server's doing, not the member's
	if bad := s.mayPost(c, u.id, &check); bad != nil {
		return "", refusal(u.name, "write to "+c.name, bad)
	}
	if d.ReplyTo != "" {
		if s.messages[d.ReplyTo] == nil {
			return "", fmt.Errorf("%s cannot answer %s: there is no such message", u.name, d.ReplyTo)
		}
		in.ref = &reference{message: d.ReplyTo, channel: c.id, guild: c.guild}
	}
	if d.NoPing {
		in.allowed = allowAll()
		in.allowed.reply = false
	}
	return s.addMessage(c, in).id, nil
}

// DM lets a user write to the bot, and returns the ids of the channel and of
// the message.
func (s *Server) DM(userID, text string) (channelID, messageID string, err error) {
	return s.DMDraft(userID, Draft{Content: text})
}

// DMDraft is DM with more than a text.
func (s *Server) DMDraft(userID string, d Draft) (channelID, messageID string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.mustUser(userID)
	c := s.dm(u)
	id, err := s.say(u, c, d)
	return c.id, id, err
}

// DMChannel is the direct message channel of the bot with a user; it is made
// when there is none.
func (s *Server) DMChannel(userID string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dm(s.mustUser(userID)).id
}

// React lets a user react with an emoji of Unicode.
func (s *Server) React(userID, messageID, emoji string) error {
	return s.reactAs(userID, messageID, emoji, true)
}

// Unreact takes a reaction back.
func (s *Server) Unreact(userID, messageID, emoji string) error {
	return s.reactAs(userID, messageID, emoji, false)
}

func (s *Server) reactAs(userID, messageID, emoji string, add bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	u, m := s.mustUser(userID), s.messages[messageID]
	name, id, ok := parseEmoji(emoji)
	if m == nil || !ok {
		return fmt.Errorf("%s cannot react with %q to %s", u.name, emoji, messageID)
	}
	c := s.channels[m.channel]
	if !add {
		s.unreact(c, m, u.id, name, id)
		return nil
	}
	if bad := s.mayReact(c, m, u.id, name, id); bad != nil {
		return refusal(u.name, "react to "+messageID, bad)
	}
	s.react(c, m, u.id, name, id)
	return nil
}

// Type shows that a user is writing.
func (s *Server) Type(userID, channelID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.emitTyping(s.mustChannel(channelID), s.mustUser(userID).id)
}

// StartThread lets a user start a public thread in a channel, from a message
// when an id is given, and returns the thread's id.
func (s *Server) StartThread(userID, channelID, messageID, name string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u, c := s.mustUser(userID), s.mustChannel(channelID)
	if !s.can(c, u.id, CreatePublicThreads) {
		return "", fmt.Errorf("%s cannot start a thread in %s: Missing Permissions (50013)", u.name, c.name)
	}
	if messageID == "" {
		t := s.newThread(c, PublicThread, u.id, name, s.nextID())
		s.announceThread(t)
		return t.id, nil
	}
	m := s.messages[messageID]
	if m == nil || m.channel != c.id || m.thread != "" {
		return "", fmt.Errorf("%s cannot start a thread from %s: it is not there, or has one", u.name, messageID)
	}
	return s.threadFrom(c, m, u.id, name).id, nil
}

// StartPrivateThread lets a user start a private thread with others.
func (s *Server) StartPrivateThread(userID, channelID, name string, others ...string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u, c := s.mustUser(userID), s.mustChannel(channelID)
	if !s.can(c, u.id, CreatePrivateThreads) {
		return "", fmt.Errorf("%s cannot start a private thread in %s: Missing Permissions (50013)", u.name, c.name)
	}
	t := s.newThread(c, PrivateThread, u.id, name, s.nextID())
	for _, id := range others {
		t.thread.members = append(t.thread.members, threadMember{id, s.now()})
	}
	s.announceThread(t)
	return t.id, nil
}

// StartPost lets a user open a post in a forum, with tags by name, and returns
// the id of the thread, which is that of its first message too.
func (s *Server) StartPost(userID, forumID, name string, d Draft, tags ...string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u, c := s.mustUser(userID), s.mustChannel(forumID)
	if c.kind != Forum && c.kind != Media || !s.can(c, u.id, SendMessages) {
		return "", fmt.Errorf("%s cannot post to %s", u.name, c.name)
	}
	in := postInput{author: u.id, content: d.Content}
	for _, f := range d.Files {
		in.files = append(in.files, f.upload())
	}
	var ids []string
	for _, t := range c.tags {
		if slices.Contains(tags, t.Name) {
			ids = append(ids, t.ID)
		}
	}
	return s.startPost(c, u.id, name, ids, in).id, nil
}

// ArchiveThread archives a thread or brings it back; a locked one only
// moderators bring back.
func (s *Server) ArchiveThread(threadID string, archived, locked bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.mustChannel(threadID)
	c.thread.archived, c.thread.locked, c.thread.archivedAt = archived, locked, s.now()
	s.emitChannel(c)
}
