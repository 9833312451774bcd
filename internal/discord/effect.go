package discord

import (
	"time"

	"rookery/internal/community"
)

// The kinds of effect that the outbox is handed. A remote id of each is a post
// id (PostOf).
const (
	// MessageKind sends messages: Send.
	MessageKind = "discord.message"
	// EditKind changes a message of ours to its latest state: Edit.
	EditKind = "discord.edit"
	// DeleteKind deletes all that its lane has made, last first. It has no
	// payload.
	DeleteKind = "discord.delete"
	// ReactKind adds a reaction of ours, or takes it away: React.
	ReactKind = "discord.react"
	// AnswerKind answers a command or a press that was acknowledged with Later:
	// AnswerTo.
	AnswerKind = "discord.answer"
)

// Send is what an effect of MessageKind sends: a message for each part of the
// effect, the first in reply to a message if there is one.
type Send struct {
	Channel community.ChannelID `json:"channel,omitempty"`
	To      community.MemberID  `json:"to,omitempty"` // a direct message to them, in place of Channel
	ReplyTo community.PostID    `json:"reply_to,omitempty"`
	Parts   []Message           `json:"parts"`
}

// Edit is what an effect of EditKind changes: the last message that its lane
// has made, or another of ours. What it becomes is Message, or, so that only
// the latest state is ever sent, what the Renderer of that name makes of Ref
// at the time.
type Edit struct {
	Post     community.PostID `json:"post,omitempty"`
	Message  *Message         `json:"message,omitempty"`
	Renderer string           `json:"renderer,omitempty"`
	Ref      string           `json:"ref,omitempty"`
}

// React is what an effect of ReactKind does.
type React struct {
	Post   community.PostID `json:"post"`
	Emoji  string           `json:"emoji"` // unicode, or name:id
	Remove bool             `json:"remove,omitempty"`
}

// AnswerTo is what an effect of AnswerKind answers: the "thinking" message
// becomes Message. Once the token is dead a message in the same channel takes
// its place, which says to whom it is; a private one goes to the member
// directly.
type AnswerTo struct {
	Interaction string              `json:"interaction"`
	Token       string              `json:"token"`
	Until       time.Time           `json:"until"`
	Channel     community.ChannelID `json:"channel"`
	Asker       community.MemberID  `json:"asker"`
	Private     bool                `json:"private,omitempty"`
	Member      bool                `json:"member,omitempty"` // the bot can write in Channel by itself
	Message     Message             `json:"message"`
}

// The reasons with which an effect is refused, besides the outbox's own.
const (
	ReasonGone      = "gone"      // the channel, the message to answer, or the guild is no more
	ReasonForbidden = "forbidden" // the bot may not; or the member takes no direct messages
	ReasonTooLong   = "too_long"
	ReasonTooLarge  = "too_large" // a file
	ReasonNoFile    = "no_file"   // the bytes that were attached are no more: begin anew
	ReasonInvalid   = "invalid"
)
