package discord

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/disgoorg/disgo/rest"

	"rookery/internal/community"
	"rookery/internal/outbox"
)

const (
	// missingAnswer is how long after the first attempt "unknown webhook" is
	// taken for what Discord sometimes says right after an acknowledgement
	// (discord-api-docs issue 7220): later it means that there was none.
	missingAnswer = 20 * time.Second
	answerPause   = 2 * time.Second
)

// answerKind brings the answer to an interaction that was acknowledged with
// "thinking". As long as the token lives it changes that message, which is
// harmless to repeat; else a message of its own takes its place.
type answerKind struct{ kindBase }

var _ outbox.Finder = answerKind{}

// Name implements outbox.Kind.
func (answerKind) Name() string { return AnswerKind }

// KeepsKey implements outbox.Finder; see messageKind.
func (answerKind) KeepsKey(community.AccountID) bool { return true }

// Send implements outbox.Kind.
func (k answerKind) Send(ctx context.Context, a outbox.Attempt) (string, error) {
	var p AnswerTo
	me, err := k.load(ctx, a, &p)
	if err != nil {
		return "", err
	}
	if k.lives(p, a) {
		id, err := k.patch(ctx, me, p)
		switch {
		case err == nil:
			return id, nil
		case codeOf(err) == codeUnknownWebhook && k.Now(a.Account).Before(a.First.Add(missingAnswer)) && !k.ignored(ctx, me, p, a):
			return "", &outbox.SendError{Outcome: outbox.NotSent, Alone: true, RetryAt: k.d.Clock.Now().Add(answerPause), Err: err}
		case !deadToken(err):
			return "", sendError(err)
		}
	}
	if p.Member && !p.Private {
		// Whatever has brought the answer meanwhile: it is there.
		if id, err := k.answered(ctx, me, p); id != "" || err != nil {
			return id, sendError(notSentYet(err))
		}
	}
	channel, m, err := k.instead(ctx, p)
	if err != nil {
		return "", sendError(notSentYet(err))
	}
	id, err := k.d.create(ctx, channel, m, a.Key, nil)
	if err != nil {
		return "", sendError(err)
	}
	k.tidy(ctx, me, p)
	return id, nil
}

// ignored tells whether Discord surely never took an acknowledgement: the time
// for it is over, and no message of the interaction stands in the channel.
func (k answerKind) ignored(ctx context.Context, me self, p AnswerTo, a outbox.Attempt) bool {
	if !p.Member || p.Private || k.Now(a.Account).Before(timeOf(p.Interaction).Add(ackWindow+answerPause)) {
		return false
	}
	c, err := k.d.Channel(ctx, p.Channel)
	if err != nil {
		return false
	}
	if lacks, err := k.d.Missing(ctx, c.Guild, p.Channel, ViewChannel|ReadMessageHistory); err != nil || lacks != 0 {
		return false // what cannot be seen may stand there
	}
	g, err := k.d.commanded(ctx, me, p, func(got) bool { return true })
	return err == nil && g.ID == ""
}

// lives tells whether the token may still be good.
func (k answerKind) lives(p AnswerTo, a outbox.Attempt) bool {
	return p.Token != "" && k.Now(a.Account).Before(p.Until)
}

// deadToken tells whether an error says that the interaction can not be
// answered with its token: it is dead, or was never acknowledged.
func deadToken(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && !e.Edge && (e.Code == codeBadWebhookToken || e.Code == codeUnknownInteraction || e.Class == Auth || e.Class == Gone)
}

func (k answerKind) patch(ctx context.Context, me self, p AnswerTo) (string, error) {
	b, err := k.d.messageBody(ctx, p.Message.wire(), p.Message.Files)
	if err != nil {
		return "", err
	}
	var made got
	if err := k.d.effect(ctx, rest.UpdateInteractionResponse.Compile(nil, me.application, p.Token), b, &made); err != nil {
		return "", err
	}
	if made.ID == "" {
		return "", &Error{Class: Unknown, Err: errors.New("the answer names no message")}
	}
	return string(PostOf(community.ChannelID(cmp.Or(made.Channel, string(p.Channel))), made.ID)), nil
}

// instead is where the answer goes without the token, and in what words.
func (k answerKind) instead(ctx context.Context, p AnswerTo) (channel string, m Message, err error) {
	m = p.Message
	m.Pings = nil
	if p.Private || !p.Member {
		channel, err = k.d.channelFor(ctx, "", p.Asker)
		return channel, m, err
	}
	channel, err = k.d.channelFor(ctx, p.Channel, "")
	if err != nil {
		return "", m, err
	}
	if c, err := k.d.Channel(ctx, p.Channel); err == nil && c.Guild == "" {
		return channel, m, nil // nobody else is there
	}
	return channel, addressed(m, k.d.nameOf(ctx, p.Channel, p.Asker)), nil
}

// addressed is a message that begins with who it is for. One that is so long
// that this does not fit stays as it is.
func addressed(m Message, name string) Message {
	if with := name + ":\n" + m.Content; Length(with) <= MaxContent {
		m.Content = with
	}
	return m
}

// since is the id after which all that belongs to an interaction was written.
func (p AnswerTo) since() int64 { return number(p.Interaction) - 1 }

// answered looks in the channel for the message of the interaction that is no
// longer "thinking".
func (k answerKind) answered(ctx context.Context, me self, p AnswerTo) (string, error) {
	g, err := k.d.commanded(ctx, me, p, func(g got) bool { return g.Flags&flagLoading == 0 })
	if err != nil || g.ID == "" {
		return "", err
	}
	return string(PostOf(p.Channel, g.ID)), nil
}

// tidy deletes the "thinking" message that stays for ever once its token is
// dead. It is of no more than looks: what fails is left.
func (k answerKind) tidy(ctx context.Context, me self, p AnswerTo) {
	if !p.Member || p.Private {
		return // nobody else sees it
	}
	g, err := k.d.commanded(ctx, me, p, func(g got) bool { return g.Flags&flagLoading != 0 })
	if err == nil && g.ID != "" {
		err = k.d.remove(ctx, string(p.Channel), g.ID)
	}
	if err != nil {
		k.d.log.Debug("a thinking message could not be deleted", "interaction", p.Interaction, "error", err)
	}
}

// commanded looks in the channel for a message of ours that belongs to the
// interaction. Where we may not read there is none.
func (d *Discord) commanded(ctx context.Context, me self, p AnswerTo, want func(got) bool) (got, error) {
	if !digits(string(p.Channel)) {
		return got{}, nil
	}
	since := p.since()
	for range lookPages {
		page, last, err := d.messages(ctx, string(p.Channel), "after", since, pageSize)
		switch ClassOf(err) {
		case "":
		case Forbidden, Gone:
			return got{}, nil
		default:
			return got{}, err
		}
		for _, g := range page {
			since = max(since, number(g.ID))
			if g.Author.ID == string(me.member.ID) && g.Command != nil && g.Command.ID == p.Interaction && want(g) {
				return g, nil
			}
		}
		if last || len(page) == 0 {
			return got{}, nil
		}
	}
	return got{}, nil
}

// original is the answer as the token shows it: the only look at one that is
// private, or in a channel that the bot cannot see.
func (k answerKind) original(ctx context.Context, me self, p AnswerTo) (string, error) {
	g, err := get[got](ctx, k.d, "look at an answer", rest.GetInteractionResponse.Compile(nil, me.application, p.Token))
	switch {
	case deadToken(err):
		return "", nil
	case err != nil:
		return "", err
	case g.ID == "" || g.Flags&flagLoading != 0:
		return "", nil
	}
	return string(PostOf(community.ChannelID(cmp.Or(g.Channel, string(p.Channel))), g.ID)), nil
}

// Find implements outbox.Finder.
func (k answerKind) Find(ctx context.Context, a outbox.Attempt, free func(context.Context, string) (bool, error)) (outbox.Found, error) {
	var p AnswerTo
	me, err := k.load(ctx, a, &p)
	if err != nil {
		return outbox.Found{}, err
	}
	asOf := k.d.asOf()
	id := ""
	if k.lives(p, a) {
		id, err = k.original(ctx, me, p)
	}
	if id == "" && err == nil && p.Member && !p.Private {
		id, err = k.answered(ctx, me, p)
	}
	if err != nil {
		return outbox.Found{}, fmt.Errorf("look for the answer: %w", err)
	}
	if id != "" {
		return outbox.Found{ID: id, AsOf: asOf}, nil
	}
	channel, m, err := k.instead(ctx, p)
	switch ClassOf(err) {
	case "":
	case Forbidden, Gone:
		return outbox.Found{AsOf: asOf}, nil
	default:
		return outbox.Found{}, err
	}
	f, err := k.d.find(ctx, channel, flakeAt(a.First.Add(-slack)), looking{self: string(me.member.ID), nonce: a.Key, want: m, free: free})
	if err == nil && f.ID != "" {
		k.tidy(ctx, me, p)
	}
	return f, err
}
