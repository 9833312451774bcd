package discord

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/disgoorg/disgo/rest"

	"rookery/internal/words"
)

// How a press is acknowledged. Source:
// interactions/receiving-and-responding, "Responding to an Interaction".
const (
	ackWindow  = 3 * time.Second // in which Discord takes the first answer
	ackAttempt = 1200 * time.Millisecond
	ackPause   = 100 * time.Millisecond // before a repeat; doubled each time

	callbackMessage = 4
	callbackLater   = 5
	callbackTaken   = 6
	callbackUpdate  = 7
	callbackChoices = 8
	callbackModal   = 9

	codeUnknownInteraction = 10062
	codeUnknownWebhook     = 10015
	codeAcknowledged       = 40060
)

// callback is what an interaction is answered with.
type callback struct {
	Type int `json:"type"`
	Data any `json:"data,omitempty"`
}

// callbackFlags is the data of a deferral.
type callbackFlags struct {
	Flags int `json:"flags"`
}

// acked is what became of an acknowledgement.
type acked int

const (
	ackTaken   acked = iota // Discord has it
	ackBefore               // there was one before: a repeated event, or a process that was killed
	ackLate                 // too late, or Discord cannot be reached
	ackRefused              // Discord does not like it; another may still be given
)

// ack acknowledges a press. It repeats what Discord has not answered properly:
// a second acknowledgement is refused, so that repeating is harmless. That it
// came too late is no failure of what the handler has stored: an effect of
// AnswerKind finds its own way.
func (d *Discord) ack(ctx context.Context, in *interaction, c callback, files []File) acked {
	left := max(ackWindow-d.Clock.Now().Sub(in.received), ackPause)
	ctx, cancel := context.WithTimeout(ctx, left)
	defer cancel()
	pause := ackPause
	for try := 0; ; try++ {
		err := d.ackOnce(ctx, in, c, files)
		if err == nil {
			return ackTaken
		}
		e, _ := errors.AsType[*Error](err)
		switch {
		case e == nil:
			d.log.Error("an answer to a press could not be made", "interaction", in.ID, "error", err)
			return ackRefused
		case e.Code == codeAcknowledged && try > 0:
			return ackTaken // by the attempt whose answer was lost
		case e.Code == codeAcknowledged:
			d.log.Debug("a press had been acknowledged before", "interaction", in.ID)
			return ackBefore
		case e.Code == codeUnknownInteraction, e.Class == Gone:
			d.log.Debug("a press was acknowledged too late", "interaction", in.ID, "error", err)
			return ackLate
		case !e.Edge && e.Status >= 400 && e.Status < 500 && e.Class != Rate:
			d.log.Error("Discord refused the answer to a press", "interaction", in.ID, "kind", c.Type, "error", err)
			return ackRefused
		}
		wait := pause
		if !e.RetryAt.IsZero() {
			wait = max(e.RetryAt.Sub(d.Clock.Now()), 0)
		}
		again, stop := d.Clock.After(wait)
		select {
		case <-again:
			stop()
		case <-ctx.Done():
			stop()
			d.log.Debug("a press could not be acknowledged in time", "interaction", in.ID, "error", err)
			return ackLate
		}
		pause *= 2
	}
}

func (d *Discord) ackOnce(ctx context.Context, in *interaction, c callback, files []File) error {
	ctx, cancel := context.WithTimeout(ctx, ackAttempt)
	defer cancel()
	b, err := d.messageBody(ctx, c, files)
	if err != nil {
		return err
	}
	return d.effect(ctx, rest.CreateInteractionResponse.Compile(nil, in.ID, in.Token), b, nil)
}

// answer acknowledges a press with what its handler has answered.
func (d *Discord) answer(ctx context.Context, in *interaction, p *Press, o outcome) {
	a := o.inWords(p)
	c, files := a.callback(in, p)
	switch d.ack(ctx, in, c, files) {
	case ackTaken, ackLate:
	case ackBefore:
		// Whoever was there first may have deferred, and died before it answered.
		if m := a.shown(); m != nil && d.stillThinking(ctx, in) {
			d.patch(ctx, in, m.wire(), m.Files)
		}
	case ackRefused:
		o := outcome{failed: d.failed(p, errNoAnswer)}
		c, _ := o.inWords(p).callback(in, p)
		d.ack(ctx, in, c, nil)
	}
}

// inWords is the answer, which for a failure is a sentence with its code.
func (o outcome) inWords(p *Press) Answer {
	if o.failed == "" {
		return o.answer
	}
	return Answer{Message: &Message{Content: p.Language.Say(words.PressWrong, words.Args{"code": o.failed})}, Private: true}
}

// callback is an answer as Discord takes it at once.
func (a Answer) callback(in *interaction, p *Press) (callback, []File) {
	private := 0
	if a.Private || in.Type == interactionCommand && p.private {
		private = flagPrivate
	}
	switch {
	case a.Modal != nil:
		return callback{Type: callbackModal, Data: a.Modal.wire()}, nil
	case a.Later:
		return callback{Type: callbackLater, Data: callbackFlags{private}}, nil
	case a.Nothing && in.hasMessage():
		return callback{Type: callbackTaken}, nil
	case a.Nothing:
		return callback{Type: callbackMessage, Data: done(p, flagPrivate)}, nil
	case a.Update != nil && in.hasMessage():
		return callback{Type: callbackUpdate, Data: a.Update.wire()}, a.Update.Files
	}
	m := a.shown()
	w := m.wire()
	w.Flags |= private
	return callback{Type: callbackMessage, Data: w}, m.Files
}

// shown is the message of an answer; nil if it has none.
func (a Answer) shown() *Message {
	if a.Update != nil {
		return a.Update
	}
	return a.Message
}

// done is shown for a command that has nothing to show.
func done(p *Press, flags int) wireMessage {
	w := Message{Content: p.Language.Say(words.PressDone, nil)}.wire()
	w.Flags |= flags
	return w
}

// hasMessage tells whether a component was pressed, or a form sent that a
// component has opened: what can be updated.
func (in *interaction) hasMessage() bool {
	return in.Type != interactionCommand && len(in.Message) > 0 && string(in.Message) != "null"
}

// pressedPrivate tells whether only the member sees the message whose
// component was pressed.
func (in *interaction) pressedPrivate() bool {
	var m struct {
		Flags int `json:"flags"`
	}
	return in.hasMessage() && json.Unmarshal(in.Message, &m) == nil && m.Flags&flagPrivate != 0
}
