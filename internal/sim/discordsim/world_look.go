package discordsim

import (
	"bytes"
	"fmt"
	"slices"
	"time"
)

// Message is a message with everything, for a test to look at.
type Message struct {
	ID, Channel, Guild, Author string
	Bot                        bool // the author is one
	Type                       int
	Content                    string
	At, Edited                 time.Time
	Embeds                     []map[string]any // as the API writes them
	Components                 []any            // as the API writes them
	Attachments                []Attachment
	Flags                      int64
	ReplyTo                    string // id of the message that it answers
	ForwardOf                  string // id of the message that it forwards
	Nonce                      string
	Mentions                   []string // users that the message names and its author allowed
	MentionsEveryone           bool
	Pinged                     []string // users whom the message notified: by name, by role or by @everyone
	Reactions                  []Reaction
	Pinned                     bool
	Thread                     string         // that was started from it
	Interaction                map[string]any // interaction_metadata; nil without
	OnlyFor                    string         // the reader of an ephemeral message
}

// Ephemeral reports whether only one user sees the message.
func (m Message) Ephemeral() bool { return m.Flags&flagEphemeral != 0 }

// Loading reports whether the message is a deferred answer that shows "thinking".
func (m Message) Loading() bool { return m.Flags&flagLoading != 0 }

// Attachment is a file of a message. The URL is signed when it is looked at.
type Attachment struct {
	ID, Name, Description, ContentType string
	URL                                string
	Width, Height                      int
	Spoiler                            bool // flagged as one, whatever its name
	Duration                           time.Duration
	Data                               []byte
}

// Reaction is one emoji under a message, and who gave it.
type Reaction struct {
	Emoji string // or name:id
	Users []string
}

// look writes a message for a test.
func (s *Server) look(m *message) Message {
	o := s.renderBasicMessage(m)
	out := Message{
		ID: m.id, Channel: m.channel, Guild: m.guild, Author: m.author, Type: m.kind, Content: m.content, At: m.at, Edited: m.edited,
		Flags: m.flags, Mentions: slices.Clone(m.mentions), MentionsEveryone: m.everyone, Pinged: slices.Clone(m.pinged),
		Pinned: !m.pinnedAt.IsZero(), Thread: m.thread, Interaction: cloneObj(m.interaction), OnlyFor: m.onlyFor,
	}
	if u := s.users[m.author]; u != nil {
		out.Bot = u.bot
	}
	if embeds, ok := o["embeds"].([]any); ok {
		for _, e := range embeds {
			out.Embeds = append(out.Embeds, asObj(e))
		}
	}
	out.Components, _ = o["components"].([]any)
	for _, f := range m.files {
		out.Attachments = append(out.Attachments, Attachment{
			ID: f.id, Name: f.name, Description: f.description, ContentType: f.ctype, URL: s.signed(f.path()),
			Width: f.width, Height: f.height, Spoiler: f.spoiler, Duration: f.duration, Data: bytes.Clone(f.data),
		})
	}
	if m.ref != nil {
		out.ReplyTo = m.ref.message
		if m.ref.forward {
			out.ReplyTo, out.ForwardOf = "", m.ref.message
		}
	}
	if m.nonce != nil {
		out.Nonce = fmt.Sprint(m.nonce)
	}
	for _, r := range m.reactions {
		out.Reactions = append(out.Reactions, Reaction{Emoji: r.key(), Users: slices.Clone(r.users)})
	}
	return out
}

// Messages are a channel's messages, oldest first; none when the channel is gone.
func (s *Server) Messages(channelID string) []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.channels[channelID]
	if c == nil {
		return nil
	}
	var out []Message
	for _, m := range c.messages {
		out = append(out, s.look(m))
	}
	return out
}

// ByBot are those of a channel's messages that the bot wrote.
func (s *Server) ByBot(channelID string) []Message {
	return slices.DeleteFunc(s.Messages(channelID), func(m Message) bool { return m.Author != s.appID })
}

// Message is one message; ok is false when it is not there.
func (s *Server) Message(id string) (m Message, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := s.messages[id]
	if found == nil {
		return Message{}, false
	}
	return s.look(found), true
}

// Channel is a channel or a thread, for a test to look at.
type Channel struct {
	ID, Guild, Name, Topic, Parent string
	Kind                           Kind
	NSFW                           bool
	Owner                          string // of a thread
	Archived, Locked               bool
	Members                        []string // of a thread
	Tags                           []Tag
	Applied                        []string // tags of a forum's post, by id
}

// Channels are a guild's channels and threads, in the order they were made.
func (s *Server) Channels(guildID string) []Channel {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.mustGuild(guildID)
	var out []Channel
	for _, c := range append(slices.Clone(g.channels), g.threads...) {
		look := Channel{ID: c.id, Guild: g.id, Name: c.name, Topic: c.topic, Parent: c.parent, Kind: c.kind, NSFW: c.nsfw, Tags: slices.Clone(c.tags)}
		if t := c.thread; t != nil {
			look.Owner, look.Archived, look.Locked, look.Applied = t.owner, t.archived, t.locked, slices.Clone(t.applied)
			for _, m := range t.members {
				look.Members = append(look.Members, m.user)
			}
		}
		out = append(out, look)
	}
	return out
}

// Command is a registered command, for a test to look at.
type Command struct {
	ID, Guild, Name, Version string
	Kind                     int            // 1 slash, 2 of users, 3 of messages
	Fields                   map[string]any // as the API writes it, localizations included
}

// Commands are the commands registered for a guild, or the global ones for "".
func (s *Server) Commands(guildID string) []Command {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Command
	for _, c := range s.scope(guildID) {
		out = append(out, Command{ID: c.id, Guild: c.guild, Name: c.name, Version: c.version, Kind: c.kind, Fields: s.renderCommand(c, true)})
	}
	return out
}

// Members are the users in a guild, in the order they joined.
func (s *Server) Members(guildID string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for _, m := range s.mustGuild(guildID).order {
		out = append(out, m.user.id)
	}
	return out
}

// AvatarURL is where a user's avatar is served.
func (s *Server) AvatarURL(userID string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.mustUser(userID)
	return s.origin() + "/avatars/" + u.id + "/" + u.avatar + ".png"
}
