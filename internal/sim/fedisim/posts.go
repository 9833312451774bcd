package fedisim

import (
	"slices"
	"time"
)

// PostOption changes what Account.Post posts.
type PostOption func(*draft)

// ReplyTo makes the post a reply.
func ReplyTo(id string) PostOption { return func(d *draft) { d.replyToID = id } }

// As sets the visibility: "public" (if not said), "unlisted", "private" or "direct".
func As(visibility string) PostOption { return func(d *draft) { d.visibility = visibility } }

// CW sets the content warning.
func CW(text string) PostOption { return func(d *draft) { d.cw, d.sensitive = text, true } }

// At sets when the post was written, and so its id; now, if not said.
func At(t time.Time) PostOption { return func(d *draft) { d.at = t } }

// Language sets the post's language code; "en" if not said.
func Language(code string) PostOption { return func(d *draft) { d.language = code } }

// HTML sets the post's markup, for shapes that no server here makes of a text;
// the text still decides who is mentioned.
func HTML(content string) PostOption { return func(d *draft) { d.content = content } }

// Emojis lists custom emojis in the text, which stay there as ":name:".
func Emojis(names ...string) PostOption { return func(d *draft) { d.emojis = names } }

// Mentioning addresses people whose handles are not in the text.
func Mentioning(who ...*Account) PostOption {
	return func(d *draft) { d.also = append(d.also, who...) }
}

// Attach attaches media made with AddMedia.
func Attach(ids ...string) PostOption { return func(d *draft) { d.mediaIDs = ids } }

// HoldNotification gives the post's notifications their ids now but shows them
// only after ReleaseNotifications: they then appear late, with ids smaller than
// those of notifications that were there before, as on a busy server whose
// transactions commit out of order.
func HoldNotification() PostOption { return func(d *draft) { d.how = held } }

// Post writes a post as the account. Handles in the text ("@elelem",
// "@ben@other.example") become mentions, which notify this server's own accounts.
// It panics when a reply's parent does not exist.
func (a *Account) Post(text string, opts ...PostOption) Post {
	s := a.s
	s.mu.Lock()
	defer s.mu.Unlock()
	d := draft{text: text, visibility: "public", language: "en"}
	for _, o := range opts {
		o(&d)
	}
	if d.replyToID != "" {
		d.replyTo = s.mustStatus(d.replyToID)
	}
	for _, id := range d.mediaIDs {
		d.media = append(d.media, s.mustMedia(id))
	}
	st := s.post(a, &d)
	s.change()
	return st.view()
}

// Post is a post as tests see it: everything about it, whoever may see it.
type Post struct {
	ID, URI, URL    string
	AccountID, Acct string // its author
	Text            string // what was written
	Content         string // the HTML of it
	CW              string
	Sensitive       bool
	Visibility      string
	Language        string
	InReplyTo       string   // id of the post it answered, even if that was deleted since and the server forgot
	Mentions        []string // who is addressed, as Acct
	MediaIDs        []string
	Media           []Media // with the descriptions that the post shows
	BoostOf         string  // id, for a boost
	CreatedAt       time.Time
	EditedAt        time.Time // zero if never
	Edits           int
	Deleted         bool
	ViaAPI          bool   // a client posted it, not a test
	IdempotencyKey  string // what the client sent with it
	Reactions       []Reaction
}

// Reaction is an emoji that somebody gave to a post.
type Reaction struct {
	Acct, Emoji string
}

func (st *status) view() Post {
	p := Post{
		ID: st.id, URI: st.uri, URL: st.url, AccountID: st.author.ID, Acct: st.author.Acct,
		Text: st.text, Content: st.content, CW: st.cw, Sensitive: st.sensitive, Visibility: st.visibility, Language: st.language,
		InReplyTo: st.answered, CreatedAt: st.created, EditedAt: st.edited, Edits: st.edits,
		Deleted: st.deleted, ViaAPI: st.viaAPI, IdempotencyKey: st.key, Reactions: slices.Clone(st.reactions),
	}
	for _, m := range st.mentions {
		p.Mentions = append(p.Mentions, m.Acct)
	}
	for _, m := range st.media {
		p.MediaIDs = append(p.MediaIDs, m.id)
		shown := st.author.s.viewMedia(m)
		shown.Description = st.alt(m)
		p.Media = append(p.Media, shown)
	}
	if st.boostOf != nil {
		p.BoostOf = st.boostOf.id
	}
	return p
}

// Post returns the post with an id, unless it is not there or was deleted.
func (s *Server) Post(id string) (Post, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if st := s.statuses[id]; st != nil {
		return st.view(), true
	}
	return Post{}, false
}

// Replies lists the posts that answer a post and were not deleted, in the order
// they were stored; the answered post itself may be gone.
func (s *Server) Replies(id string) []Post {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Post
	for _, r := range s.answers[id] {
		if !r.deleted {
			out = append(out, r.view())
		}
	}
	return out
}

// Timeline lists everything that was ever posted, in the order it was stored,
// deleted posts and boosts included.
func (s *Server) Timeline() []Post {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Post, len(s.timeline))
	for i, st := range s.timeline {
		out[i] = st.view()
	}
	return out
}

// Parts lists a post and what its author wrote below it in answer to themself,
// one after another: a thread as its author meant it. Nothing when the post is
// not there.
func (s *Server) Parts(id string) []Post {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Post
	todo := []*status{s.statuses[id]}
	for len(todo) > 0 {
		st := todo[0]
		todo = todo[1:]
		if st == nil || st.deleted {
			continue
		}
		out = append(out, st.view())
		for _, r := range s.answers[st.id] {
			if r.author == st.author {
				todo = append(todo, r)
			}
		}
	}
	return out
}

// PostsBy lists what an account posted and did not delete, oldest first.
func (s *Server) PostsBy(accountID string) []Post {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Post
	if a := s.accounts[accountID]; a != nil {
		for _, st := range a.statuses {
			out = append(out, st.view())
		}
	}
	return out
}
