package discord

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"

	"github.com/disgoorg/disgo/rest"

	"rookery/internal/community"
	"rookery/internal/outbox"
)

// A Rendering makes the latest state of a message, for Edit.Renderer.
type Rendering func(ctx context.Context, ref string) (Message, error)

// Renderer registers what makes the message of an Edit that names it. Call it
// before Run. An error of render has the edit tried again later.
func (d *Discord) Renderer(name string, render Rendering) { d.intake.renderers[name] = render }

// editKind changes messages. It sends the whole state, so that it is harmless
// to repeat.
type editKind struct{ kindBase }

// Name implements outbox.Kind.
func (editKind) Name() string { return EditKind }

// Send implements outbox.Kind.
func (k editKind) Send(ctx context.Context, a outbox.Attempt) (string, error) {
	var e Edit
	if _, err := k.load(ctx, a, &e); err != nil {
		return "", err
	}
	post := e.Post
	if post == "" && len(a.Made) > 0 {
		post = community.PostID(a.Made[len(a.Made)-1])
	}
	if post == "" {
		return "", &outbox.SendError{Outcome: outbox.Rejected, Reason: ReasonGone, Err: errors.New("there is no message to change")}
	}
	channel, message, err := placed(post)
	if err != nil {
		return "", sendError(err)
	}
	m, err := k.state(ctx, e)
	if err != nil {
		return "", err
	}
	b, err := k.d.messageBody(ctx, m.wire(), m.Files)
	if err != nil {
		return "", sendError(err)
	}
	return "", sendError(k.d.effect(ctx, rest.UpdateMessage.Compile(nil, channel, message), b, nil))
}

// state is what the message becomes.
func (k editKind) state(ctx context.Context, e Edit) (Message, error) {
	if e.Renderer == "" {
		if e.Message == nil {
			return Message{}, &outbox.SendError{Outcome: outbox.Rejected, Reason: ReasonInvalid, Err: errors.New("the edit says nothing")}
		}
		return *e.Message, nil
	}
	render, ok := k.d.intake.renderers[e.Renderer]
	if !ok {
		return Message{}, &outbox.SendError{Outcome: outbox.NotSent, Err: fmt.Errorf("this program has no renderer %q", e.Renderer)}
	}
	m, err := render(ctx, e.Ref)
	if err != nil {
		return Message{}, &outbox.SendError{Outcome: outbox.NotSent, Err: fmt.Errorf("render %s: %w", e.Renderer, err)}
	}
	return m, nil
}

// deleteKind deletes all that its lane has made, the last first. What is not
// there counts as deleted, so that it is harmless to repeat.
type deleteKind struct{ kindBase }

var _ outbox.Drops = deleteKind{}

// Name implements outbox.Kind.
func (deleteKind) Name() string { return DeleteKind }

// DropsUnsent implements outbox.Drops.
func (deleteKind) DropsUnsent() {}

// Send implements outbox.Kind.
func (k deleteKind) Send(ctx context.Context, a outbox.Attempt) (string, error) {
	if _, err := k.ready(ctx, a); err != nil {
		return "", err
	}
	for _, id := range slices.Backward(a.Made) {
		channel, message, err := placed(community.PostID(id))
		if err != nil {
			continue // nothing of Discord's, such as of a rehearsal
		}
		if err := k.d.remove(ctx, channel, message); err != nil {
			return "", sendError(err)
		}
	}
	return "", nil
}

// remove deletes a message; one that is gone is no error.
func (d *Discord) remove(ctx context.Context, channel, message string) error {
	err := d.effect(ctx, rest.DeleteMessage.Compile(nil, channel, message), body{}, nil)
	if ClassOf(err) == Gone {
		return nil
	}
	return err
}

// reactKind adds a reaction of ours or takes it away; a second time changes
// nothing.
type reactKind struct{ kindBase }

// Name implements outbox.Kind.
func (reactKind) Name() string { return ReactKind }

// Send implements outbox.Kind.
func (k reactKind) Send(ctx context.Context, a outbox.Attempt) (string, error) {
	var r React
	if _, err := k.load(ctx, a, &r); err != nil {
		return "", err
	}
	channel, message, err := placed(r.Post)
	if err != nil {
		return "", sendError(err)
	}
	emoji := url.PathEscape(r.Emoji)
	if !r.Remove {
		return "", sendError(k.d.effect(ctx, rest.AddReaction.Compile(nil, channel, message, emoji), body{}, nil))
	}
	err = k.d.effect(ctx, rest.RemoveOwnReaction.Compile(nil, channel, message, emoji), body{}, nil)
	if ClassOf(err) == Gone || codeOf(err) == codeUnknownEmoji { // nobody has reacted with that
		return "", nil
	}
	return "", sendError(err)
}
