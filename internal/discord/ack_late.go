package discord

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/disgoorg/disgo/rest"

	"rookery/internal/words"
)

// How an answer is brought after a deferral.
const (
	lateTries = 6
	latePause = 500 * time.Millisecond // doubled each time
	// longestLatePause bounds what Discord may ask for.
	longestLatePause = time.Minute
)

// deferral is how a handler that takes long was deferred for.
type deferral int

const (
	// thinking is a new message that says so: of a command, and of the press of
	// a message that everybody sees. For what @original means from then on is
	// what was deferred: were it the message that all see, an answer that is no
	// update of it would take its place.
	thinking deferral = iota
	// inPlace shows nothing: of the press of a message that only the member
	// sees. The answer takes its place.
	inPlace
)

// deferFor tells Discord that the answer will come.
func (d *Discord) deferFor(ctx context.Context, in *interaction, p *Press) deferral {
	if in.pressedPrivate() {
		d.ack(ctx, in, callback{Type: callbackTaken}, nil)
		return inPlace
	}
	flags := 0
	// Whether the answer will be private is not known for a component: nothing
	// private may be seen by all, so it will.
	if p.private || in.Type != interactionCommand {
		flags = flagPrivate
	}
	d.ack(ctx, in, callback{Type: callbackLater, Data: callbackFlags{flags}}, nil)
	return thinking
}

// answerLate brings the answer of a handler that was deferred for. New
// messages are never posted with the token: a repeat of that would double
// them. What became of the deferral does not matter: had it been lost and yet
// taken, the answer would be missed.
func (d *Discord) answerLate(ctx context.Context, in *interaction, p *Press, way deferral, o outcome) {
	a := o.inWords(p)
	switch {
	case a.Later:
	case a.Modal != nil:
		d.patchWords(ctx, in, p.Language.Say(words.PressAgain, nil))
	case a.Nothing && way == inPlace:
	case a.Nothing && in.Type == interactionCommand:
		d.patch(ctx, in, done(p, 0), nil)
	case a.Nothing:
		d.dropThinking(ctx, in)
	case o.failed != "" && way == inPlace:
		d.patchWords(ctx, in, a.Message.Content) // the rest of the message stays usable
	case a.Private && o.failed == "" && !p.private && in.Type == interactionCommand && way == thinking:
		// What was deferred is seen by all, and it cannot be made private any more.
		d.patchWords(ctx, in, p.Language.Say(words.PressTooSlow, nil))
	case a.Update != nil && way == thinking && in.hasMessage() && d.updatePressed(ctx, in, p, a.Update):
		d.dropThinking(ctx, in)
	default:
		m := a.shown()
		d.patch(ctx, in, m.wire(), m.Files)
	}
}

// updatePressed changes the message whose component was pressed, as the bot's
// own message; false if that cannot be done.
func (d *Discord) updatePressed(ctx context.Context, in *interaction, p *Press, m *Message) bool {
	var pressed struct {
		ID string `json:"id"`
	}
	if !p.Present || json.Unmarshal(in.Message, &pressed) != nil || pressed.ID == "" {
		return false
	}
	return d.persist(ctx, in, rest.UpdateMessage.Compile(nil, in.ChannelID, pressed.ID), m.wire(), m.Files)
}

// patch sets what the deferred answer becomes.
func (d *Discord) patch(ctx context.Context, in *interaction, w wireMessage, files []File) {
	d.persist(ctx, in, rest.UpdateInteractionResponse.Compile(nil, in.Application, in.Token), w, files)
}

// patchWords sets only the words of it.
func (d *Discord) patchWords(ctx context.Context, in *interaction, say string) {
	d.persist(ctx, in, rest.UpdateInteractionResponse.Compile(nil, in.Application, in.Token), map[string]string{"content": say}, nil)
}

// dropThinking takes the "thinking" message away.
func (d *Discord) dropThinking(ctx context.Context, in *interaction) {
	d.persist(ctx, in, rest.DeleteInteractionResponse.Compile(nil, in.Application, in.Token), nil, nil)
}

// stillThinking tells whether the answer was deferred and has not come.
func (d *Discord) stillThinking(ctx context.Context, in *interaction) bool {
	ctx, cancel := context.WithTimeout(ctx, ackWindow)
	defer cancel()
	var m struct {
		Flags int `json:"flags"`
	}
	at := rest.GetInteractionResponse.Compile(nil, in.Application, in.Token)
	err := d.rest.Do(at, nil, &m, rest.WithCtx(ctx)) // whatever it is, then we do not know
	return err == nil && m.Flags&flagLoading != 0
}

// persist makes a request that is harmless to repeat until it is answered,
// lateTries times at most, and tells whether it was carried out. Discord is
// known not to find the answer for some seconds after a deferral.
func (d *Discord) persist(ctx context.Context, in *interaction, at *rest.CompiledEndpoint, payload any, files []File) bool {
	pause := latePause
	for try := 1; ; try++ {
		err := d.bring(ctx, at, payload, files)
		if err == nil {
			return true
		}
		e, _ := errors.AsType[*Error](err)
		final := e == nil || e.Status >= 400 && e.Status < 500 && !e.Edge && e.Class != Rate && e.Code != codeUnknownWebhook
		if final || try == lateTries {
			d.log.Debug("an answer could not be brought", "interaction", in.ID, "error", err)
			return false
		}
		wait := pause
		if !e.RetryAt.IsZero() {
			wait = min(max(e.RetryAt.Sub(d.Clock.Now()), 0), longestLatePause)
		}
		again, stop := d.Clock.After(wait)
		select {
		case <-again:
			stop()
		case <-ctx.Done():
			stop()
			return false
		}
		pause *= 2
	}
}

// bring makes one request for an answer.
func (d *Discord) bring(ctx context.Context, at *rest.CompiledEndpoint, payload any, files []File) error {
	ctx, cancel := context.WithTimeout(ctx, d.Timeout)
	defer cancel()
	var b body
	var err error
	if payload != nil {
		if b, err = d.messageBody(ctx, payload, files); err != nil {
			return err
		}
	}
	return d.effect(ctx, at, b, nil)
}
