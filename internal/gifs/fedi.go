package gifs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"rookery/internal/community"
	"rookery/internal/fedi"
	"rookery/internal/media"
	"rookery/internal/outbox"
	"rookery/internal/store"
	"rookery/internal/words"
)

// fediClient is what is asked of the Fediverse.
type fediClient interface {
	Thread(ctx context.Context, account community.AccountID, post community.PostID) (above, below []community.Post, err error)
	Self(account community.AccountID) (community.Member, error)
	Limits(account community.AccountID) (fedi.Instance, error)
	Now(account community.AccountID) time.Time
	DismissLater(account community.AccountID, n community.NotificationID)
	Attach(ctx context.Context, account community.AccountID, key string, u fedi.Upload) (id string, err error)
	Discard(ctx context.Context, tx store.Tx, key string) error
}

var _ fediClient = (*fedi.Fedi)(nil)

// Join gives the feature the Fediverse, which in turn needs the feature.
func (g *GIFs) Join(f fediClient) { g.fedi = fediverse{g, f} }

// fediverse is the house of accounts on the Fediverse.
type fediverse struct {
	*GIFs
	client fediClient // nil until Join
}

var _ house = fediverse{}

// errNotJoined is an account on a platform that this process does not serve.
var errNotJoined = errors.New("the account's platform is not connected in this process")

func (h fediverse) self(account community.AccountID) (community.Member, error) {
	if h.client == nil {
		return community.Member{}, errNotJoined
	}
	return h.client.Self(account)
}

func (h fediverse) now(account community.AccountID) time.Time { return h.client.Now(account) }

func (fediverse) text(m community.Mention) string { return m.Post.Text }

func (fediverse) wanted(community.Mention) (bool, string) { return true, "" }

func (h fediverse) refuses(_ context.Context, m community.Mention, nsfw bool) (*refusal, error) {
	if nsfw && (h.NSFW == nil || !h.NSFW(m.Account)) {
		return &refusal{say: words.GIFsNSFWOff}, nil
	}
	return nil, nil
}

func (h fediverse) replies(ctx context.Context, m community.Mention, self community.MemberID) ([]community.Post, error) {
	_, below, err := h.client.Thread(ctx, m.Account, m.Post.ID)
	return slices.DeleteFunc(below, func(p community.Post) bool { return p.ParentID != m.Post.ID || p.Author.ID != self }), err
}

func (h fediverse) room(m community.Mention) (room, error) {
	if h.client == nil {
		return room{}, errNotJoined
	}
	in, err := h.client.Limits(m.Account)
	return h.roomOf(m, in), err
}

func (h fediverse) roomOf(m community.Mention, in fedi.Instance) room {
	covers := map[bool]string{false: cover(m, false, in), true: cover(m, true, in)}
	return room{
		media: limitsOf(in), alt: in.MaxAlt, quiet: quiet,
		link: func(url string) string { return url },
		fits: func(text string, nsfw bool) bool {
			return in.MaxChars <= 0 || in.Length(addressee(m)+text, covers[nsfw]) <= in.MaxChars
		},
		answer: func(a answer) outbox.Effect {
			p := fedi.PostPayload{CW: covers[a.nsfw], Sensitive: m.Post.Sensitive || a.nsfw, Visibility: h.visibility(m.Post.Visibility, a.nsfw),
				InReplyTo: m.Post.ID, Language: string(h.language(m)), Dismiss: m.Notification, Parts: []string{addressee(m) + a.text}}
			if a.picture != nil {
				p.MediaIDs = []string{a.picture.id}
			}
			return outbox.Effect{Kind: fedi.PostKind, Payload: p}
		},
	}
}

func limitsOf(in fedi.Instance) media.Limits {
	l := media.Limits{ImageBytes: in.ImageSize, ImagePixels: in.ImagePixel, GIFPixels: in.GIFPixel,
		VideoBytes: in.VideoSize, VideoPixels: in.VideoPixel, VideoRate: int(in.VideoRate)}
	for _, t := range in.MIMETypes {
		l.Types = append(l.Types, media.Type(t))
	}
	return l
}

func (h fediverse) attach(ctx context.Context, m community.Mention, key string, f upload) (string, error) {
	return h.client.Attach(ctx, m.Account, key, fedi.Upload{Open: f.open, Size: f.size, Name: f.name, Type: f.mime, Description: f.alt})
}

func (h fediverse) discard(ctx context.Context, tx store.Tx, key string) error {
	if h.client == nil {
		return nil
	}
	return h.client.Discard(ctx, tx, key)
}

func (fediverse) fault(err error) fault {
	switch fedi.ClassOf(err) {
	case fedi.Gone:
		return gone
	case fedi.Invalid:
		return mistaken
	case fedi.RejectedMedia:
		return badFile
	case fedi.Unsupported:
		return impossible
	case fedi.Transient:
		if e, ok := errors.AsType[*fedi.Error](err); ok && e.Status == http.StatusInternalServerError {
			return inside
		}
	}
	return passing
}

// fediRetryAt is when a server asked to be tried again; zero if it did not.
func fediRetryAt(err error) time.Time {
	if e, ok := errors.AsType[*fedi.Error](err); ok {
		return e.RetryAt
	}
	return time.Time{}
}

// notice is a direct message in reply to the request.
func (h fediverse) notice(m community.Mention, text string) outbox.Effect {
	var in fedi.Instance // nothing is cut if the server is not known
	if h.client != nil {
		if known, err := h.client.Limits(m.Account); err == nil {
			in = known
		}
	}
	return outbox.Effect{Kind: fedi.PostKind, Payload: fedi.PostPayload{Parts: []string{addressee(m) + text}, Visibility: community.Direct,
		InReplyTo: m.Post.ID, Language: string(h.language(m)), CW: warning(m.Post.CW, in)}}
}

func (h fediverse) ended(r outbox.Result) (ending, error) {
	var p fedi.PostPayload
	if err := json.Unmarshal(r.Payload, &p); err != nil {
		return ending{}, fmt.Errorf("read the reply's payload: %w", err)
	}
	return ending{
		post: p.InReplyTo, pictures: len(p.MediaIDs),
		anew: fedi.Class(r.Reason) == fedi.NoMedia, gone: fedi.Class(r.Reason) == fedi.Gone,
		done: func() { h.client.DismissLater(r.Account, p.Dismiss) },
	}, nil
}

// addressee is how the reply begins: it reaches the asker, and nobody else.
func addressee(m community.Mention) string {
	to := m.Post.Author.Acct
	if to == "" {
		to = m.Post.Author.Handle
	}
	return "@" + to + " "
}

// quiet is text that others had a hand in, as it may stand in our posts: it
// mentions nobody and is no hashtag. Servers take the wide sign for one too.
func quiet(text string) string {
	return strings.NewReplacer("#", "♯", "＃", "♯").Replace(community.WithoutMentions(text))
}

// cover is the content warning of a reply.
func cover(m community.Mention, nsfw bool, in fedi.Instance) string {
	if nsfw {
		return nsfwWarning(m.Post.CW, in)
	}
	return warning(m.Post.CW, in)
}

// nsfwWarning is the content warning of a picture that is not safe. A warning
// of the asker's is kept behind it.
func nsfwWarning(cw string, in fedi.Instance) string {
	const sign = "NSFW"
	if cw == "" {
		return sign
	}
	if kept := warning(cw, in); strings.Contains(strings.ToUpper(kept), sign) {
		return kept
	}
	return warning(sign+", "+cw, in)
}

// warning is a content warning of the asker's that leaves the reply its room:
// some servers take longer ones than ours. It mentions nobody either: Misskey
// and its kin look for mentions in it too.
func warning(cw string, in fedi.Instance) string {
	cw = quiet(cw)
	if in.MaxChars <= 0 || in.Length("", cw) <= in.MaxChars/3 {
		return cw
	}
	runes := []rune(cw)
	for len(runes) > 0 && in.Length("", string(runes)+"…") > in.MaxChars/3 {
		runes = runes[:len(runes)-1-len(runes)/16]
	}
	return string(runes) + "…"
}

// visibility is how wide a reply is shown: never wider than what it replies
// to, and one that is not safe no wider than the setting allows.
func (g *GIFs) visibility(asked community.Visibility, nsfw bool) community.Visibility {
	v := asked.ForReply()
	if nsfw && g.NSFWVisibility != "" {
		v = community.Narrowest(v, g.NSFWVisibility)
	}
	return v
}
