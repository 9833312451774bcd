package fedi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"rookery/internal/community"
	"rookery/internal/outbox"
)

// Reasons for which an effect of EditKind is refused, beside the classes of
// Error. With either, what the server does take over is changed all the same.
const (
	// ReasonUnsupported: the server cannot edit, or it has left a file that was
	// taken out, or did not take over that the post is sensitive.
	ReasonUnsupported = string(Unsupported)
	// ReasonDescriptions: it did not keep the descriptions of the media.
	ReasonDescriptions = "descriptions"
)

// Edit is the payload of an EditKind effect: every post that its lane has made
// becomes what the Renderer of that name makes of Ref at the time, so that only
// the latest state is ever sent. A post that is gone does not keep the others
// from being changed; the effect is refused as Gone if none is left. It is
// refused for another reason once every post was tried, the first such reason
// being told.
type Edit struct {
	Renderer string `json:"renderer"`
	Ref      string `json:"ref"`
}

// A Rendering makes the latest state of the posts of a lane, for Edit: a Draft
// for each that the lane has made, in order. Each is the whole post; of
// MediaIDs those that it has now, by the ids that Attach gave, are kept, the
// others taken out. Posts beyond the drafts stay as they are, drafts beyond the
// posts are left out.
type Rendering func(ctx context.Context, ref string) ([]Draft, error)

// Renderer registers what makes the posts of an Edit that names it. Call it
// before Run. An error of render has the edit tried again later.
func (f *Fedi) Renderer(name string, render Rendering) { f.renderers[name] = render }

// editKind changes posts. It sends the whole state, so that it is harmless to
// repeat.
type editKind struct{ f *Fedi }

// Name implements outbox.Kind.
func (editKind) Name() string { return EditKind }

// Now implements outbox.Kind.
func (k editKind) Now(account community.AccountID) time.Time { return k.f.estimated(account) }

// Send implements outbox.Kind.
func (k editKind) Send(ctx context.Context, a outbox.Attempt) (string, error) {
	l, err := k.f.sender(a.Account)
	if err != nil {
		return "", &outbox.SendError{Outcome: outbox.NotSent, Err: err}
	}
	drafts, err := k.drafts(ctx, a)
	if err != nil {
		return "", err
	}
	var (
		refused, gone error
		changed       bool
	)
	for n, id := range a.Made[:min(len(a.Made), len(drafts))] {
		switch err := l.edit(ctx, community.PostID(id), drafts[n]); {
		case err == nil:
			changed = true
		case !final(err):
			return "", sendError(l.helped(err))
		case ClassOf(err) == Gone:
			gone = err
		case refused == nil:
			refused = err
		}
	}
	if refused == nil && !changed {
		refused = gone
	}
	return "", sendError(refused)
}

// drafts is what the posts become.
func (k editKind) drafts(ctx context.Context, a outbox.Attempt) ([]Draft, error) {
	var e Edit
	if err := json.Unmarshal(a.Payload, &e); err != nil {
		return nil, &outbox.SendError{Outcome: outbox.Rejected, Reason: "payload", Err: fmt.Errorf("read the payload: %w", err)}
	}
	render, ok := k.f.renderers[e.Renderer]
	if !ok {
		return nil, &outbox.SendError{Outcome: outbox.NotSent, Alone: true, Err: fmt.Errorf("this program has no renderer %q", e.Renderer)}
	}
	if len(a.Made) == 0 {
		return nil, &outbox.SendError{Outcome: outbox.Rejected, Reason: string(Gone), Err: errors.New("there is no post to change")}
	}
	drafts, err := render(ctx, e.Ref)
	if err != nil {
		return nil, &outbox.SendError{Outcome: outbox.NotSent, Alone: true, Err: fmt.Errorf("render %s: %w", e.Renderer, err)}
	}
	return drafts, nil
}

// edit makes one post what the draft says, and makes sure that the server did
// so.
func (l *login) edit(ctx context.Context, id community.PostID, d Draft) error {
	if err := l.describe(ctx, d); err != nil {
		return err
	}
	s, err := l.client.Edit(ctx, id, d)
	if err != nil {
		return l.whyNotEdited(ctx, id, d, err)
	}
	lack, why := lacks(s, d)
	if lack != "" { // or the answer is of before, or does not tell
		if s, err = l.client.Status(ctx, id); err != nil {
			return lookedInVain(err)
		}
		lack, why = lacks(s, d)
	}
	if lack == "" {
		return nil
	}
	return &Error{Class: lack, Method: http.MethodPut, Path: "/api/v1/statuses/" + string(id), Message: why}
}

// describe sets the descriptions where an edit of the post does not: Akkoma
// and Pleroma copy the file's own into the post whenever that is edited
// (attachments_from_ids in lib/pleroma/web/common_api/utils.ex there), the
// Misskey family shows the file's own with the post. Mastodon
// (app/services/update_status_service.rb) and GoToSocial
// (internal/processing/status/edit.go) take them with the edit, and refuse
// this once a file is attached. A refusal does not matter: what counts is what
// the post shows in the end.
func (l *login) describe(ctx context.Context, d Draft) error {
	switch l.client.software() {
	case Mastodon, GoToSocial:
		return nil
	}
	for _, m := range d.MediaIDs {
		alt, ok := d.MediaDescriptions[m]
		if !ok {
			continue
		}
		if err := l.client.Describe(ctx, m, alt); err != nil && !final(err) {
			return err
		}
	}
	return nil
}

// whyNotEdited finds out what a server means that refuses an edit. GoToSocial
// answers 422 to an edit that changes nothing, such as one that is repeated;
// a server that does not know the call answers as if it did not know the post.
// Nil: the post is already what the draft says.
func (l *login) whyNotEdited(ctx context.Context, id community.PostID, d Draft, err error) error {
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Status == 0 || e.Class != Gone && e.Class != Invalid {
		return err
	}
	if other := l.stillUs(ctx); other != nil {
		return other
	}
	s, look := l.client.Status(ctx, id)
	_, self := l.account()
	switch cl := ClassOf(look); {
	case cl == Gone:
		e.Class = Gone
		return e
	case cl != "":
		return lookedInVain(look)
	case s.Account.ID != self.ID:
		return e
	case e.Class == Gone:
		e.Class = Unsupported
		e.Message = "the server does not let posts be edited: " + e.Message
		return e
	}
	if lack, _ := lacks(s, d); lack != "" || len(s.MediaAttachments) != len(d.MediaIDs) {
		return e
	}
	words, cw, look := l.client.Source(ctx, id)
	switch {
	case look != nil && !final(look):
		return lookedInVain(look)
	case look == nil && strings.TrimSpace(words) == strings.TrimSpace(d.Text) && strings.TrimSpace(cw) == strings.TrimSpace(d.CW):
		return nil
	}
	return e
}

// lookedInVain is the error of an edit about which the server would not tell
// more: it is made again.
func lookedInVain(err error) error {
	if e, ok := errors.AsType[*Error](err); ok && final(e) && e.Class != Gone {
		e.Class = Transient
	}
	return err
}
