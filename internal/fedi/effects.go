package fedi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"rookery/internal/community"
	"rookery/internal/outbox"
)

// The kinds of effect on the Fediverse.
const (
	PostKind   = "fedi.post"
	EditKind   = "fedi.edit"   // everything its lane has made becomes what a Renderer says: Edit
	DeleteKind = "fedi.delete" // everything its lane has made; the payload is not looked at
)

// PostPayload is the payload of a PostKind effect, as it is stored. Each
// further part replies to the one before; CW, Sensitive and Language hold for
// all of them.
type PostPayload struct {
	Parts      []string             `json:"parts"` // text of each post; may be empty where there are media
	CW         string               `json:"cw,omitempty"`
	Sensitive  bool                 `json:"sensitive,omitempty"`
	Visibility community.Visibility `json:"visibility"`
	// Replies is the visibility of the further parts, empty for that of the
	// first. It is never wider than that, whatever is said here.
	Replies   community.Visibility `json:"replies,omitempty"`
	InReplyTo community.PostID     `json:"in_reply_to,omitempty"`
	Language  string               `json:"language,omitempty"`
	MediaIDs  []string             `json:"media_ids,omitempty"` // of the first part; not looked at where there is PartMedia
	// PartMedia are the media of each part. It may be shorter than Parts, not longer.
	PartMedia [][]string `json:"part_media,omitempty"`
	// Dismiss is the notification to dismiss once the post stands.
	Dismiss community.NotificationID `json:"dismiss,omitempty"`
}

// postKind posts.
type postKind struct{ f *Fedi }

var _ outbox.Finder = postKind{}

func (postKind) Name() string                                { return PostKind }
func (k postKind) Now(account community.AccountID) time.Time { return k.f.estimated(account) }

// KeepsKey: Mastodon answers a repeated key with the first post, for an hour.
func (k postKind) KeepsKey(account community.AccountID) bool {
	in, err := k.f.Limits(account)
	return err == nil && in.Software == Mastodon
}

func (k postKind) Send(ctx context.Context, a outbox.Attempt) (string, error) {
	l, p, err := k.load(a)
	if err != nil {
		return "", err
	}
	d := Draft{Text: p.Parts[a.Part], CW: p.CW, Sensitive: p.Sensitive, Visibility: p.visibility(a.Part), InReplyTo: p.parent(a),
		Language: p.Language, MediaIDs: p.media(a.Part)}
	s, err := l.client.Post(ctx, d, a.Key)
	if err != nil {
		return "", sendError(l.helped(l.why(ctx, d, err)))
	}
	l.counted(a, s, len(d.MediaIDs))
	return string(s.ID), nil
}

// why finds out what a server means that refuses a post without saying it in
// its status: Akkoma says 422 when the parent is gone, and 403 to a token that
// is not valid; for files that are not ready, or not there, there is no status
// of their own.
func (l *login) why(ctx context.Context, d Draft, err error) error {
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Class != Invalid && e.Class != Gone || e.Status == 0 {
		return err
	}
	if e.Status == http.StatusForbidden {
		if other := l.stillUs(ctx); ClassOf(other) == Auth {
			return other
		}
	}
	if l.blame(ctx, d.MediaIDs, e) {
		return e
	}
	if e.Class == Gone {
		return err
	}
	if d.InReplyTo != "" {
		if _, other := l.client.Status(ctx, d.InReplyTo); ClassOf(other) == Gone {
			e.Class = Gone
		}
	}
	return err
}

// parent is what the attempt's part replies to.
func (p PostPayload) parent(a outbox.Attempt) community.PostID {
	if a.Part > 0 && len(a.Made) > 0 {
		return community.PostID(a.Made[len(a.Made)-1])
	}
	return p.InReplyTo
}

// media are the ids of a part's files.
func (p PostPayload) media(part int) []string {
	switch {
	case part < len(p.PartMedia):
		return p.PartMedia[part]
	case part == 0 && len(p.PartMedia) == 0:
		return p.MediaIDs
	}
	return nil
}

// visibility is who may see a part.
func (p PostPayload) visibility(part int) community.Visibility {
	if part == 0 || p.Replies == "" {
		return p.Visibility
	}
	return community.Narrowest(p.Visibility, p.Replies)
}

func (k postKind) load(a outbox.Attempt) (*login, PostPayload, error) {
	var p PostPayload
	l, err := k.f.sender(a.Account)
	if err != nil {
		return nil, p, &outbox.SendError{Outcome: outbox.NotSent, Err: err}
	}
	err = json.Unmarshal(a.Payload, &p)
	switch {
	case err != nil:
	case a.Part >= len(p.Parts):
		err = fmt.Errorf("it has %d parts", len(p.Parts))
	case len(p.PartMedia) > len(p.Parts):
		err = fmt.Errorf("it has %d parts and the media of %d", len(p.Parts), len(p.PartMedia))
	}
	if err != nil {
		return nil, p, &outbox.SendError{Outcome: outbox.Rejected, Reason: "payload", Err: fmt.Errorf("read the payload (part %d): %w", a.Part, err)}
	}
	return l, p, nil
}

const (
	// slack covers clocks that differ within one server.
	slack = 2 * time.Minute
	// lookPages bounds a look through our own posts: 800 of them.
	lookPages = 20
)

// Find looks for the attempt's post among our own recent ones, and in the
// thread it replies to: some servers leave direct posts out of the first. It
// goes by our media ids, else by the parent and the time; never by text,
// which servers rewrite.
func (k postKind) Find(ctx context.Context, a outbox.Attempt, free func(context.Context, string) (bool, error)) (outbox.Found, error) {
	l, p, err := k.load(a)
	if err != nil {
		return outbox.Found{}, err
	}
	look := looking{parent: p.parent(a), media: p.media(a.Part), renamed: renames(l.client.software()), since: a.First.Add(-slack), free: free}
	_, self := l.account()
	var asOf time.Time
	var before community.PostID
	for n := range lookPages {
		page, answered, err := l.client.AccountStatuses(ctx, self.ID, StatusQuery{MaxID: before, Limit: 40})
		if err != nil {
			return outbox.Found{}, err
		}
		if n == 0 {
			asOf = answered // what came later is not covered
		}
		if found, err := look.among(ctx, page); found.ID != "" || err != nil {
			return l.found(a, p, found, asOf), err
		}
		if len(page) == 0 || page[len(page)-1].ID == before || !slices.ContainsFunc(page, look.recent) {
			break
		}
		before = page[len(page)-1].ID
	}
	if asOf.IsZero() {
		asOf = l.told()
	}
	if look.parent == "" {
		return outbox.Found{AsOf: asOf}, nil
	}
	thread, err := l.client.Context(ctx, look.parent)
	if err != nil && ClassOf(err) != Gone {
		return outbox.Found{}, err
	}
	mine := slices.DeleteFunc(thread.Descendants, func(s Status) bool { return s.Account.ID != self.ID })
	found, err := look.among(ctx, mine)
	return l.found(a, p, found, asOf), err
}

// found tells what a look has found, which may be nothing.
func (l *login) found(a outbox.Attempt, p PostPayload, s Status, asOf time.Time) outbox.Found {
	if s.ID != "" {
		l.counted(a, s, len(p.media(a.Part)))
	}
	return outbox.Found{ID: string(s.ID), AsOf: asOf}
}

// looking is what a Find goes by.
type looking struct {
	parent  community.PostID
	media   []string
	renamed bool // its media may have other ids than those we attached
	since   time.Time
	free    func(context.Context, string) (bool, error)
}

func (k looking) recent(s Status) bool { return !s.CreatedAt.Before(k.since) }

func (k looking) among(ctx context.Context, page []Status) (Status, error) {
	// The oldest first: if there were two, the first is the one that counts.
	for _, s := range slices.Backward(page) {
		if s.ReblogOf != "" || !k.matches(s) {
			continue
		}
		ok, err := k.free(ctx, string(s.ID))
		if err != nil {
			return Status{}, err
		}
		if ok {
			return s, nil
		}
	}
	return Status{}, nil
}

func (k looking) matches(s Status) bool {
	if len(k.media) > 0 && len(s.MediaAttachments) > 0 {
		ours := slices.ContainsFunc(s.MediaAttachments, func(m MediaAttachment) bool { return slices.Contains(k.media, m.ID) })
		if ours || !k.renamed {
			return ours
		}
	}
	// A reply no other row holds is ours whenever it was made: the time we
	// noted may be of a clock that ran ahead.
	return s.InReplyToID == k.parent && (k.parent != "" || k.recent(s))
}

// sendError translates the protocol's classes into what the outbox must know.
func sendError(err error) error {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return err // nil, or something of which nothing is known
	}
	s := &outbox.SendError{RetryAt: e.RetryAt, Complete: e.Complete, Reason: string(e.Class), Err: err}
	switch e.Class {
	case Rate, Transient, Auth:
		s.Outcome = outbox.NotSent
	case Unknown:
		s.Outcome = outbox.Unknown
	default:
		s.Outcome, s.Doubtful = outbox.Rejected, e.Class == Invalid && e.Status != 0
	}
	return s
}
