package persona

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"rookery/internal/community"
	"rookery/internal/fedi"
	"rookery/internal/inbox"
	"rookery/internal/outbox"
	"rookery/internal/store"
	"rookery/internal/words"
)

// server is what the persona asks of the Fediverse.
type server interface {
	Thread(ctx context.Context, account community.AccountID, post community.PostID) (above, below []community.Post, err error)
	Self(account community.AccountID) (community.Member, error)
	Limits(account community.AccountID) (fedi.Instance, error)
	Now(account community.AccountID) time.Time
	DismissLater(account community.AccountID, n community.NotificationID)
	FollowsUs(ctx context.Context, account community.AccountID, member community.MemberID) (bool, error)
}

var _ server = (*fedi.Fedi)(nil)

// fediverse is the persona on the Fediverse.
type fediverse struct {
	server
	p *Persona
}

var _ platform = fediverse{}

// Join gives the feature the Fediverse, which in turn needs the feature.
func (p *Persona) Join(f server) { p.fediverse.server = f }

var errNotJoined = errors.New("the persona is not on this platform")

func (f fediverse) Self(account community.AccountID) (community.Member, error) {
	if f.server == nil {
		return community.Member{}, errNotJoined
	}
	return f.server.Self(account)
}

func (fediverse) wants(community.Mention) string { return "" }

func (fediverse) welcome(context.Context, store.Tx, community.Mention) (string, error) {
	return "", nil
}

func (fediverse) replies(context.Context, community.Mention) (int64, error) { return 0, nil }

// unwanted asks for the audience, which can change while a mention waits.
func (f fediverse) unwanted(ctx context.Context, m community.Mention) (inbox.State, string, error) {
	switch f.p.Audience {
	case Local:
		if strings.Contains(m.Post.Author.Acct, "@") {
			return inbox.Ignored, "its author is not of our server, and the audience is local", nil
		}
	case Followers:
		follows, err := f.FollowsUs(ctx, m.Account, m.Post.Author.ID)
		if err != nil {
			return "", "", err
		}
		if !follows {
			return inbox.Ignored, "its author does not follow us, and the audience is followers", nil
		}
	}
	return "", "", nil
}

func (f fediverse) manner(_ context.Context, m community.Mention, self community.Member) (manner, error) {
	in, err := f.Limits(m.Account)
	if err != nil {
		return manner{}, err
	}
	room := in.MaxChars
	if room <= 0 {
		room = 500
	}
	chars := min(room-50, 450)
	if f.p.Thread {
		chars = min((room-50)*f.p.mostPosts(), 2_000)
	}
	cw := warning(m.Post.CW, in)
	how := nameAndRules(self)
	how.chars = chars
	how.compose = func(said string) []string { return compose(self, m.Post.Author, said, cw, in, f.p.mostPosts()) }
	how.effect = func(texts []string) outbox.Effect { return f.effect(m, texts, cw) }
	return how, nil
}

// nameAndRules is what the model is told of the Fediverse.
func nameAndRules(self community.Member) manner {
	return manner{name: "@" + self.Handle, rules: rules}
}

func (f fediverse) thread(ctx context.Context, m community.Mention, _ community.Member) (above, below []community.Post, err error) {
	return f.Thread(ctx, m.Account, m.Post.ID)
}

func (fediverse) fault(err error) (is fault) {
	switch fedi.ClassOf(err) {
	case fedi.Gone:
		is.gone = true
	case fedi.Invalid, fedi.Unsupported:
		is.hopeless = true
	}
	if e, ok := errors.AsType[*fedi.Error](err); ok {
		is.retryAt = e.RetryAt
	}
	return is
}

func (fediverse) deleteKind() string { return fedi.DeleteKind }

func (fediverse) time(t time.Time) any { return t }

// effect is the reply as the outbox keeps it.
func (f fediverse) effect(m community.Mention, texts []string, cw string) outbox.Effect {
	language := f.p.Language
	if language == "" {
		language = m.Post.Language
	}
	again := 2
	if _, ok := half(texts[0], fedi.Invalid); ok {
		again = 0 // fewer words are tried in its place
	}
	return outbox.Effect{
		Kind: fedi.PostKind, Parts: len(texts), Again: again,
		Payload: fedi.PostPayload{
			Parts: texts, CW: cw, Sensitive: m.Post.Sensitive, Visibility: m.Post.Visibility.ForReply(),
			InReplyTo: m.Post.ID, Language: language, Dismiss: m.Notification,
		},
	}
}

// notice is a direct message in reply to the mention.
func (fediverse) notice(m community.Mention, l words.Language, text string) outbox.Effect {
	to := m.Post.Author.Acct
	if to == "" {
		to = m.Post.Author.Handle
	}
	return outbox.Effect{Kind: fedi.PostKind, Again: 2,
		Payload: fedi.PostPayload{Parts: []string{"@" + to + " " + text}, Visibility: community.Direct, InReplyTo: m.Post.ID,
			Language: string(l), CW: community.WithoutMentions(m.Post.CW)}}
}

func (f fediverse) sent(r outbox.Result) (sent, error) {
	var payload fedi.PostPayload
	if err := json.Unmarshal(r.Payload, &payload); err != nil {
		return sent{}, fmt.Errorf("read the answer's payload: %w", err)
	}
	s := sent{post: payload.InReplyTo, stands: func() {
		if f.server != nil {
			f.DismissLater(r.Account, payload.Dismiss)
		}
	}}
	switch why := fedi.Class(r.Reason); why {
	case fedi.TooLong, fedi.Invalid:
		if less, ok := half(first(payload.Parts), why); ok {
			payload.Parts = []string{less}
			s.less = &outbox.Effect{Kind: fedi.PostKind, Payload: payload}
		}
	case fedi.Gone:
		s.gone = true
	}
	return s, nil
}

func first(parts []string) string {
	if len(parts) == 0 {
		return ""
	}
	return parts[0]
}

// compose turns what the model said into the texts of the reply, one for each
// post: each addresses the asker and nobody else, the first says at least a
// word, and each fits the instance. There is more than one only if most allows
// it. It returns nil if nothing is left to say.
func compose(self community.Member, asker community.Member, said, cw string, in fedi.Instance, most int) []string {
	body := unwrap(plain(said), self)
	body = community.WithoutMentions(body)
	body = strings.TrimSpace(body)
	if body == "" {
		return nil
	}
	begins := signs.ReplaceAllString(body[:min(len(body), 4<<10)], "")
	if !strings.ContainsFunc(begins, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }) {
		// Sharkey makes a reaction of a reply without a word.
		body = firstWord(self) + ": " + body
	}
	to := asker.Acct
	if to == "" {
		to = asker.Handle
	}
	return posts("@"+to+" ", body, cw, in, most)
}

// posts makes the texts of at most so many posts of the body. What is too
// long for the last one is cut.
func posts(to, body, cw string, in fedi.Instance, most int) []string {
	return pieces(to, body, func(text string) bool { return in.MaxChars <= 0 || in.Length(text, cw) <= in.MaxChars }, most)
}

// warning is the asker's content warning as the reply bears it: whole, unless
// it would leave the answer no room, and without mentions, which some servers
// read there too. A server can take longer ones than ours.
func warning(cw string, in fedi.Instance) string {
	cw = community.WithoutMentions(cw)
	most := in.MaxChars / 2
	if in.MaxChars <= 0 || in.Length("", cw) <= most {
		return cw
	}
	runes := []rune(cw)
	return shorten(runes, longest(runes, func(part string) bool { return in.Length("", part) <= most }))
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
