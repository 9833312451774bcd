package discord

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/disgoorg/disgo/rest"

	"rookery/internal/community"
	"rookery/internal/outbox"
)

// registerKinds makes the outbox able to bring about the effects of this
// platform.
func (d *Discord) registerKinds() {
	base := kindBase{d}
	d.Outbox.Register(messageKind{base})
	d.Outbox.Register(editKind{base})
	d.Outbox.Register(deleteKind{base})
	d.Outbox.Register(reactKind{base})
	d.Outbox.Register(answerKind{base})
}

// kindBase is what the kinds share.
type kindBase struct{ d *Discord }

// Now implements outbox.Kind.
func (k kindBase) Now(account community.AccountID) time.Time { return k.d.Now(account) }

// loginTime is how long logging in takes at most if nothing is wrong.
const loginTime = 5 * time.Second

// ready tells whether the account is ours, and who we are. The outbox begins
// with what an earlier process left while we log in: for that it waits.
func (k kindBase) ready(ctx context.Context, a outbox.Attempt) (self, error) {
	if k.d.me().account == "" {
		late, stop := k.d.Clock.After(loginTime)
		defer stop()
		select {
		case <-k.d.tried:
		case <-late:
		case <-ctx.Done():
		}
	}
	me := k.d.me()
	if me.account == "" || me.account != a.Account {
		return self{}, &outbox.SendError{Outcome: outbox.NotSent, Err: fmt.Errorf("account %s is not logged in", a.Account)}
	}
	return me, nil
}

// load reads an attempt's payload.
func (k kindBase) load(ctx context.Context, a outbox.Attempt, payload any) (self, error) {
	me, err := k.ready(ctx, a)
	if err != nil {
		return self{}, err
	}
	if err := json.Unmarshal(a.Payload, payload); err != nil {
		return self{}, &outbox.SendError{Outcome: outbox.Rejected, Reason: ReasonInvalid, Err: fmt.Errorf("read the payload: %w", err)}
	}
	return me, nil
}

// messageKind sends messages.
type messageKind struct{ kindBase }

var _ outbox.Finder = messageKind{}

// Name implements outbox.Kind.
func (messageKind) Name() string { return MessageKind }

// KeepsKey implements outbox.Finder: for some minutes Discord answers a
// repeated nonce with the first message. Source: resources/message, "Create
// Message", enforce_nonce.
func (messageKind) KeepsKey(community.AccountID) bool { return true }

// newMessage is the body of a new message.
type newMessage struct {
	wireMessage
	Nonce     string        `json:"nonce"`
	Enforce   bool          `json:"enforce_nonce"`
	Reference *newReference `json:"message_reference,omitempty"`
}

// newReference is what a message replies to. That is gone: the message is
// refused, and not sent as none.
type newReference struct {
	Message string `json:"message_id"`
	Channel string `json:"channel_id"`
	Must    bool   `json:"fail_if_not_exists"`
}

func (k messageKind) read(ctx context.Context, a outbox.Attempt) (self, Send, Message, error) {
	var s Send
	me, err := k.load(ctx, a, &s)
	if err != nil {
		return me, s, Message{}, err
	}
	if a.Part >= len(s.Parts) {
		return me, s, Message{}, &outbox.SendError{Outcome: outbox.Rejected, Reason: ReasonInvalid, Err: fmt.Errorf("the payload has no part %d", a.Part)}
	}
	return me, s, s.Parts[a.Part], nil
}

// Send implements outbox.Kind.
func (k messageKind) Send(ctx context.Context, a outbox.Attempt) (string, error) {
	_, s, m, err := k.read(ctx, a)
	if err != nil {
		return "", err
	}
	channel, err := k.d.channelFor(ctx, s.Channel, s.To)
	if err != nil {
		return "", sendError(notSentYet(err))
	}
	var reference *newReference
	if a.Part == 0 && s.ReplyTo != "" {
		at, parent, err := placed(s.ReplyTo)
		if err != nil {
			return "", sendError(err)
		}
		reference = &newReference{Message: parent, Channel: at, Must: true}
	}
	id, err := k.d.create(ctx, channel, m, a.Key, reference)
	return id, sendError(err)
}

// create posts a message and returns its id as a post.
func (d *Discord) create(ctx context.Context, channel string, m Message, nonce string, reference *newReference) (string, error) {
	b, err := d.messageBody(ctx, newMessage{wireMessage: m.wire(), Nonce: nonce, Enforce: true, Reference: reference}, m.Files)
	if err != nil {
		return "", err
	}
	var made got
	if err := d.effect(ctx, rest.CreateMessage.Compile(nil, channel), b, &made); err != nil {
		return "", err
	}
	if made.ID == "" {
		return "", &Error{Class: Unknown, Err: errors.New("the answer names no message")}
	}
	return string(PostOf(community.ChannelID(channel), made.ID)), nil
}

// channelFor is where to write: a channel, or the conversation with a member.
func (d *Discord) channelFor(ctx context.Context, channel community.ChannelID, to community.MemberID) (string, error) {
	if to == "" {
		if !digits(string(channel)) {
			return "", &Error{Class: Gone, Err: errors.New("there is no such channel")}
		}
		return string(channel), nil
	}
	return d.openDirect(ctx, to)
}

// openDirect is the conversation with a member. Opening it again changes
// nothing, and nobody notices. Source: resources/user, "Create DM".
func (d *Discord) openDirect(ctx context.Context, to community.MemberID) (string, error) {
	if !digits(string(to)) {
		return "", &Error{Class: Gone, Err: errors.New("there is no such member")}
	}
	if id, ok := d.intake.direct(to); ok {
		d.noteDirect(ctx, id)
		return id, nil
	}
	b, err := jsonBody(map[string]string{"recipient_id": string(to)})
	if err != nil {
		return "", err
	}
	var c struct {
		ID string `json:"id"`
	}
	err = d.effect(ctx, rest.CreateDMChannel.Compile(nil), b, &c)
	if err == nil && !digits(c.ID) {
		err = &Error{Class: Transient, Err: errors.New("the answer names no conversation")}
	}
	if err != nil {
		return "", err
	}
	d.intake.knowDirect(to, c.ID)
	d.noteDirect(ctx, c.ID)
	return c.ID, nil
}

// noteDirect has answers to what we write in a conversation looked for when they
// were missed.
func (d *Discord) noteDirect(ctx context.Context, channel string) {
	if me := d.me(); me.account != "" {
		if err := d.startSeen(ctx, me.account, channel); err != nil {
			d.log.Debug("a conversation could not be noted", "channel", channel, "error", err)
		}
	}
}

// notSentYet is the error of what comes before a message: whatever its outcome,
// the message itself was not sent.
func notSentYet(err error) error {
	if ClassOf(err) == Unknown {
		return &outbox.SendError{Outcome: outbox.NotSent, Err: err}
	}
	return err
}

// Find implements outbox.Finder.
func (k messageKind) Find(ctx context.Context, a outbox.Attempt, free func(context.Context, string) (bool, error)) (outbox.Found, error) {
	me, s, m, err := k.read(ctx, a)
	if err != nil {
		return outbox.Found{}, err
	}
	channel, err := k.d.channelFor(ctx, s.Channel, s.To)
	switch ClassOf(err) {
	case "":
	case Forbidden, Gone:
		return outbox.Found{AsOf: k.d.asOf()}, nil // no such conversation: nothing is in it
	default:
		return outbox.Found{}, err
	}
	look := looking{self: string(me.member.ID), nonce: a.Key, want: m, free: free}
	if a.Part == 0 {
		_, look.reply, _ = MessageOf(s.ReplyTo)
	}
	return k.d.find(ctx, channel, flakeAt(a.First.Add(-slack)), look)
}

// nameOf is a member's name in a channel's guild; as Discord shows a mention if
// it cannot be found out.
func (d *Discord) nameOf(ctx context.Context, channel community.ChannelID, id community.MemberID) string {
	if c, err := d.Channel(ctx, channel); err == nil && c.Guild != "" {
		if m, _, err := d.Member(ctx, c.Guild, id); err == nil {
			return Name(cmp.Or(m.Name, m.Acct))
		}
	}
	return "<@" + string(id) + ">"
}
