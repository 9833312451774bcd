package fedisim

import (
	"fmt"
	"slices"
	"sort"
	"time"
)

type notification struct {
	id       string
	typ      string
	to, from *Account
	status   *status // nil for a follow
	at       time.Time
	filtered bool
	held     bool
	streamed bool
	gone     bool
}

// telling is how a new notification comes out.
type telling int

const (
	atOnce       telling = iota
	held                 // listed and streamed only after ReleaseNotifications
	streamedOnly         // streamed, but listed only then
)

// notify tells an account of this server; others are not told anything.
func (s *Server) notify(to *Account, typ string, from *Account, st *status, at time.Time, how telling) {
	if to.remote || to == from {
		return
	}
	verdict := to.judge(typ, from, st, at)
	if verdict == "drop" || to.blocking[from] {
		return
	}
	n := &notification{id: s.ids.notification(at), typ: typ, to: to, from: from, status: st, at: at, filtered: verdict == "filter"}
	if st != nil {
		st.notes = append(st.notes, n)
	}
	if how != atOnce {
		n.held = true
		s.held = append(s.held, n)
	} else {
		to.addNote(n)
	}
	if how != held {
		s.streamNote(n)
	}
}

// inAnswer says whether a direct post continues a direct conversation that the
// recipient began or took part in.
func inAnswer(st *status, to *Account) bool {
	for p := st.replyTo; p != nil; p = p.replyTo {
		if p.author == to && p.visibility == "direct" && slices.Contains(p.mentions, st.author) {
			return true
		}
	}
	return false
}

func (a *Account) noteIndex(id string) int {
	if n := len(a.notes); n == 0 || idLess(a.notes[n-1].id, id) {
		return n
	}
	return sort.Search(len(a.notes), func(i int) bool { return !idLess(a.notes[i].id, id) })
}

func (a *Account) addNote(n *notification) {
	a.notes = slices.Insert(a.notes, a.noteIndex(n.id), n)
}

func (a *Account) findNote(id string) *notification {
	if i := a.noteIndex(id); i < len(a.notes) && a.notes[i].id == id {
		return a.notes[i]
	}
	return nil
}

func (a *Account) dropNote(n *notification) {
	n.gone = true
	if i := a.noteIndex(n.id); i < len(a.notes) && a.notes[i] == n {
		a.notes = slices.Delete(a.notes, i, i+1)
	}
}

// ReleaseNotifications shows the notifications that HoldNotification kept back.
func (s *Server) ReleaseNotifications() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range s.held {
		n.held = false
		if !n.gone {
			n.to.addNote(n)
			s.streamNote(n)
		}
	}
	s.held = nil
	s.change()
}

// Notification is one of an account's notifications.
type Notification struct {
	ID       string
	Type     string // "mention", "favourite", "reblog", "follow", …
	From     string // account id of who caused it
	PostID   string // empty for a follow
	At       time.Time
	Filtered bool
}

// AddNotification adds a notification with a chosen id: one that is smaller
// than others already there, or of a type that clients do not know. It panics
// if the account, the sender or the post is not there, or the id is taken.
func (s *Server) AddNotification(accountID string, n Notification) {
	s.mu.Lock()
	defer s.mu.Unlock()
	to, from := s.accounts[accountID], s.accounts[n.From]
	if to == nil || from == nil || to.findNote(n.ID) != nil {
		panic(fmt.Sprintf("fedisim: cannot add notification %q of %q for %q", n.ID, n.From, accountID))
	}
	note := &notification{id: n.ID, typ: n.Type, to: to, from: from, at: n.At, filtered: n.Filtered}
	if note.at.IsZero() {
		note.at = s.now()
	}
	if n.PostID != "" {
		note.status = s.mustStatus(n.PostID)
		note.status.notes = append(note.status.notes, note)
	}
	to.addNote(note)
	s.streamNote(note)
	s.change()
}

// Notifications lists what an account has, oldest id first, filtered ones included.
func (s *Server) Notifications(accountID string) []Notification {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Notification
	if a := s.accounts[accountID]; a != nil {
		for _, n := range a.notes {
			v := Notification{ID: n.id, Type: n.typ, From: n.from.ID, At: n.at, Filtered: n.filtered}
			if n.status != nil {
				v.PostID = n.status.id
			}
			out = append(out, v)
		}
	}
	return out
}

// noteQuery is what a client asked of its notifications.
type noteQuery struct {
	page
	types, exclude []string
	filtered       bool
	from           string
}

func (q *noteQuery) wants(n *notification) bool {
	return (q.filtered || !n.filtered) &&
		(len(q.types) == 0 || slices.Contains(q.types, n.typ)) &&
		!slices.Contains(q.exclude, n.typ) &&
		(q.from == "" || n.from.ID == q.from)
}

// list answers a query: newest first, whatever was asked. min_id gives the
// oldest page after it, since_id and max_id the newest.
func (a *Account) list(q *noteQuery) []*notification {
	lo, hi := 0, len(a.notes)
	after := q.minID
	if after == "" {
		after = q.sinceID
	}
	if after != "" {
		lo = a.noteIndex(after)
		if lo < hi && a.notes[lo].id == after {
			lo++
		}
	}
	if q.maxID != "" {
		hi = a.noteIndex(q.maxID)
	}
	var out []*notification
	if q.minID != "" {
		for i := lo; i < hi && len(out) < q.limit; i++ {
			if q.wants(a.notes[i]) {
				out = append(out, a.notes[i])
			}
		}
		slices.Reverse(out)
		return out
	}
	for i := hi - 1; i >= lo && len(out) < q.limit; i-- {
		if q.wants(a.notes[i]) {
			out = append(out, a.notes[i])
		}
	}
	return out
}

// listSnac answers as snac does: only the newest 64 can be reached, max_id must
// be one of them exactly, min_id gives the newest page, since_id nothing
// special, and without a limit there is one.
func (a *Account) listSnac(q *noteQuery) []*notification {
	var out []*notification
	waiting := q.maxID != ""
	for i, seen := len(a.notes)-1, 0; i >= 0 && seen < 64; i, seen = i-1, seen+1 {
		n := a.notes[i]
		if waiting {
			waiting = n.id != q.maxID
			continue
		}
		if q.minID != "" && n.id <= q.minID {
			continue
		}
		if !q.wants(n) {
			continue
		}
		if out = append(out, n); len(out) >= q.limit {
			break
		}
	}
	return out
}

func (s *Server) writeNote(w *jsonWriter, n *notification, to *Account) {
	w.open('{')
	w.str("id", n.id)
	w.str("type", n.typ)
	w.time("created_at", n.at)
	switch s.profile {
	case Mastodon:
		key := "ungrouped-" + n.id
		if n.status != nil && (n.typ == "favourite" || n.typ == "reblog") {
			key = fmt.Sprintf("%s-%s-%d", n.typ, n.status.id, n.at.Unix()/3600)
		}
		w.str("group_key", key)
		if n.filtered {
			w.bool("filtered", true)
		}
	case Akkoma:
		w.raw("pleroma", `{"is_muted":false,"is_seen":false}`)
	}
	w.key("account")
	s.renderAccount(w, n.from)
	if n.status != nil {
		w.key("status")
		s.writeStatus(w, n.status, to)
	}
	w.close('}')
}
