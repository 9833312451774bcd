package fedisim

import (
	"fmt"
	"slices"
	"sort"
	"time"
)

// status is a post or a boost of one; everything is guarded by the server's mutex.
type status struct {
	id, uri, url string
	rank         string // order in lists: the id, but snac's are ordered by arrival
	author       *Account
	created      time.Time
	edited       time.Time // zero if never
	edits        int

	text, cw, content string
	sensitive         bool
	visibility        string
	language          string
	mentions          []*Account
	tags              []string
	emojis            []string
	media             []*media
	alts              map[*media]string // descriptions that the post has copies of
	replyTo           *status           // nil when there is none or it was deleted
	replyToID         string
	replyToAuthor     *Account
	answered          string    // id of the post it answers, for ever
	replies           []*status // by rank
	openReplies       int       // those that everybody may see
	boostOf           *status
	favs, boosts      map[*Account]bool
	reactions         []Reaction

	notes   []*notification // that tell of this post
	viaAPI  bool            // a client posted it
	key     string          // its Idempotency-Key
	deleted bool
}

// draft is what a member or a client wants to post.
type draft struct {
	text, cw, language, visibility string
	content                        string // HTML, in place of what the text would make
	sensitive                      bool
	replyTo                        *status
	replyToID                      string // from Go: resolved later
	at                             time.Time
	media                          []*media
	mediaIDs                       []string
	emojis                         []string
	also                           []*Account // mentioned without a word in the text
	how                            telling
	viaAPI                         bool
	key                            string
}

func (s *Server) mustStatus(id string) *status {
	st := s.statuses[id]
	if st == nil {
		panic(fmt.Sprintf("fedisim: there is no post %q", id))
	}
	return st
}

// identify gives a new post its ids and addresses.
func (s *Server) identify(st *status) {
	a, base := st.author, s.base
	if a.remote {
		base = "https://" + a.Host
	}
	remoteID := ""
	if a.remote || a.software == Snac || a.software == Akkoma {
		remoteID = s.ids.remoteStatus(st.created, a.software)
	}
	switch a.software {
	case Snac:
		st.uri = a.URI + "/p/" + remoteID
		st.url = st.uri
	case Akkoma:
		st.uri = base + "/objects/" + remoteID
		st.url = st.uri
	}
	// snac makes ids from the time and the URI: a boost written in the same
	// second has both in common with its post.
	for name := st.uri; ; name += "#" {
		st.id = s.ids.status(st.created, name)
		if s.statuses[st.id] == nil {
			break
		}
	}
	own := st.id // the id inside its addresses
	if a.remote {
		own = remoteID
	}
	switch a.software {
	case Snac:
	case Akkoma:
		if !a.remote {
			st.url = base + "/notice/" + st.id
		}
	case Sharkey:
		st.uri = base + "/notes/" + own
		st.url = st.uri
	case GoToSocial:
		st.uri = a.URI + "/statuses/" + own
		st.url = base + "/@" + a.Username + "/statuses/" + own
	default:
		st.uri = a.URI + "/statuses/" + own
		st.url = base + "/@" + a.Username + "/" + own
	}
	if st.boostOf != nil {
		st.uri += "/activity"
		st.url = st.uri
	}
	st.rank = st.id
	if !s.traits.byID {
		s.arrivals++
		st.rank = fmt.Sprintf("%013d%09d", st.created.UnixMilli(), s.arrivals)
	}
}

// compose fills a post's text, markup and mentions from a draft.
func (s *Server) compose(st *status, d *draft) {
	st.text, st.cw, st.sensitive, st.language, st.emojis = d.text, d.cw, d.sensitive, d.language, d.emojis
	base := s.base
	if st.author.remote {
		base = "https://" + st.author.Host
	}
	pieces := s.cut(d.text, st.author)
	st.content = d.content
	if st.content == "" {
		st.content = markup(st.author.software, pieces, base)
	}
	st.mentions, st.tags = nil, nil
	for _, p := range pieces {
		switch {
		case p.kind == 'm' && !slices.Contains(st.mentions, p.account):
			st.mentions = append(st.mentions, p.account)
		case p.kind == 'h' && !slices.Contains(st.tags, p.text[1:]):
			st.tags = append(st.tags, p.text[1:])
		}
	}
	for _, a := range d.also {
		if !slices.Contains(st.mentions, a) {
			st.mentions = append(st.mentions, a)
		}
	}
}

// post stores a post and notifies whom it addresses.
func (s *Server) post(a *Account, d *draft) *status {
	now := s.now()
	st := &status{author: a, created: d.at, visibility: d.visibility, replyTo: d.replyTo, viaAPI: d.viaAPI, key: d.key, media: d.media}
	if st.created.IsZero() {
		st.created = now
	}
	s.identify(st)
	s.compose(st, d)
	if p := d.replyTo; p != nil {
		st.replyToID, st.replyToAuthor, st.answered = p.id, p.author, p.id
		s.answers[p.id] = append(s.answers[p.id], st)
		insertRanked(&p.replies, st)
		if st.visible(nil) {
			p.openReplies++
		}
	}
	for _, m := range d.media {
		m.attached = st
	}
	st.alts = s.copiedAlts(st.media)
	s.insert(st)
	s.streamStatus("update", st)
	told := st.mentions
	if p := st.replyTo; p != nil && s.profile == Sharkey && !slices.Contains(told, p.author) {
		told = append(slices.Clone(told), p.author) // a reply notifies there without a handle
	}
	for _, to := range told {
		s.notify(to, "mention", a, st, now, d.how)
	}
	return st
}

// insert puts a new post into every list it belongs to.
func (s *Server) insert(st *status) {
	s.statuses[st.id] = st
	s.timeline = append(s.timeline, st)
	insertRanked(&s.ranked, st)
	insertRanked(&st.author.statuses, st)
	if st.created.After(st.author.lastPost) {
		st.author.lastPost = st.created
	}
	st.author.json = nil
}

// remove deletes a post, its boosts and the notifications about it.
func (s *Server) remove(st *status) {
	if st.deleted {
		return
	}
	st.deleted = true
	s.streamStatus("delete", st)
	delete(s.statuses, st.id)
	removeRanked(&s.ranked, st)
	removeRanked(&st.author.statuses, st)
	st.author.json = nil
	s.detach(st)
	if st.replyTo != nil {
		removeRanked(&st.replyTo.replies, st)
		if st.visible(nil) {
			st.replyTo.openReplies--
		}
	}
	for _, child := range st.replies {
		child.replyTo = nil
		if s.profile != GoToSocial { // which keeps the dangling id
			child.replyToID = ""
		}
	}
	for _, n := range st.notes {
		n.to.dropNote(n)
	}
	for booster := range st.boosts {
		for _, b := range slices.Clone(booster.statuses) {
			if b.boostOf == st {
				s.remove(b)
			}
		}
	}
	if st.boostOf != nil {
		delete(st.boostOf.boosts, st.author)
	}
}

func rankIndex(list []*status, rank string) int {
	if n := len(list); n == 0 || idLess(list[n-1].rank, rank) {
		return n
	}
	return sort.Search(len(list), func(i int) bool { return !idLess(list[i].rank, rank) })
}

func insertRanked(list *[]*status, st *status) {
	*list = slices.Insert(*list, rankIndex(*list, st.rank), st)
}

func removeRanked(list *[]*status, st *status) {
	if i := rankIndex(*list, st.rank); i < len(*list) && (*list)[i] == st {
		*list = slices.Delete(*list, i, i+1)
	}
}

// visible says whether an account may see a post; nil is someone without a token.
func (st *status) visible(to *Account) bool {
	if st.boostOf != nil {
		return st.boostOf.visible(to)
	}
	switch {
	case st.visibility == "public" || st.visibility == "unlisted":
		return true
	case to == nil:
		return false
	case st.author == to || slices.Contains(st.mentions, to):
		return true
	default:
		return st.visibility == "private" && to.following[st.author]
	}
}
