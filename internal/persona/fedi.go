package persona

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"rookery/internal/fedi"
	"rookery/internal/inbox"
	"rookery/internal/outbox"
	"rookery/internal/store"
)

const (
	keyPrefix   = "persona/answer/"
	shortSuffix = "/short" // the second try of an answer that the server called too long
)

// effect is the reply as the outbox keeps it.
func (p *Persona) effect(w waiting, texts []string, cw string) outbox.Effect {
	m := w.Mention
	language := p.Language
	if language == "" {
		language = m.Post.Language
	}
	again := 2
	if _, ok := half(texts[0], fedi.Invalid); ok {
		again = 0 // fewer words are tried in its place
	}
	return outbox.Effect{
		Key: keyPrefix + string(w.ID), Feature: Name, Kind: fedi.PostKind, Account: m.Account, Expires: m.Expires, Parts: len(texts), Again: again,
		Payload: fedi.PostPayload{
			Parts: texts, CW: cw, Sensitive: m.Post.Sensitive, Visibility: m.Post.Visibility.ForReply(),
			InReplyTo: m.Post.ID, Language: language, Dismiss: m.Notification,
		},
	}
}

// settle hears how an answer ended.
func (p *Persona) settle(ctx context.Context, tx store.Tx, r outbox.Result) error {
	if !strings.HasPrefix(r.Key, keyPrefix) {
		// A notice, or a deletion: the mention has ended, or waits on. What it
		// said to whom is nothing to keep.
		return outbox.Forget(ctx, tx, r.Key)
	}
	id, short := strings.CutSuffix(strings.TrimPrefix(r.Key, keyPrefix), shortSuffix)
	var payload fedi.PostPayload
	if err := json.Unmarshal(r.Payload, &payload); err != nil {
		return fmt.Errorf("read the answer's payload: %w", err)
	}
	if forgotten, err := inbox.Forgotten(ctx, tx, inbox.ID(id)); err != nil {
		return err
	} else if forgotten { // while the answer was on its way
		if err := outbox.Forget(ctx, tx, r.Key); err != nil {
			return err
		}
	}
	if r.State == outbox.Confirmed {
		tx.AfterCommit(func() { p.platform.DismissLater(r.Account, payload.Dismiss) })
		return inbox.Set(ctx, tx, inbox.ID(id), inbox.Done, "")
	}
	if len(r.Made) > 0 {
		// The beginning of a thread stands. It is an answer.
		p.Log.Error("the rest of an answer was refused for good", "account", r.Account, "post", payload.InReplyTo, "posts", len(r.Made), "reason", r.Reason)
		tx.AfterCommit(func() { p.platform.DismissLater(r.Account, payload.Dismiss) })
		return inbox.Set(ctx, tx, inbox.ID(id), inbox.Done, "only its beginning could be posted: "+r.Reason)
	}
	switch fedi.Class(r.Reason) {
	case fedi.TooLong, fedi.Invalid:
		if less, ok := half(payload.Parts[0], fedi.Class(r.Reason)); ok && !short {
			return p.shorter(ctx, tx, r, payload, less)
		}
	case fedi.Gone:
		return inbox.Set(ctx, tx, inbox.ID(id), inbox.Gone, "the post to answer was deleted")
	}
	if r.Reason == outbox.ReasonExpired {
		return inbox.Set(ctx, tx, inbox.ID(id), inbox.Expired, r.Reason)
	}
	why := r.Reason
	if r.Detail != "" {
		why = r.Detail
	}
	p.Log.Error("an answer was refused for good", "account", r.Account, "post", payload.InReplyTo, "reason", why)
	if p.Refused != nil {
		if err := p.Refused(ctx, tx, r.Account, why); err != nil {
			return err
		}
	}
	return inbox.Set(ctx, tx, inbox.ID(id), inbox.Failed, r.Reason)
}

// shorter plans less of an answer that the server called too long, under a new
// key: nothing of the first is outside.
func (p *Persona) shorter(ctx context.Context, tx store.Tx, r outbox.Result, payload fedi.PostPayload, less string) error {
	payload.Parts = []string{less}
	_, err := p.Outbox.Plan(ctx, tx, outbox.Effect{Key: r.Key + shortSuffix, Feature: Name, Kind: fedi.PostKind, Account: r.Account, Payload: payload, Expires: r.Expires})
	return err
}

// neverTooLong is a length that every server takes, in characters.
const neverTooLong = 140

// half is the text of an answer with half of its words, and with the whole
// name of whom it addresses: half a name is somebody else's. It is false if
// that is no help. Servers refuse what is too long with a 400 or 422, as they
// do all else that they do not like, so an answer of some length gets its
// second chance after those as well.
func half(text string, why fedi.Class) (string, bool) {
	to, body, _ := strings.Cut(text, " ")
	runes := []rune(body)
	if len(runes) < 2 || why != fedi.TooLong && len(runes) <= neverTooLong {
		return "", false
	}
	return to + " " + shorten(runes, len(runes)/2), true
}
