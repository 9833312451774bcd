package fedisim

import "net/http"

// Follow makes the account a follower of another, who is notified.
func (a *Account) Follow(other *Account) {
	s := a.s
	s.mu.Lock()
	defer s.mu.Unlock()
	if a.following[other] {
		return
	}
	a.following[other], other.followers[a] = true, true
	a.json, other.json = nil, nil
	s.notify(other, "follow", a, nil, s.now(), atOnce)
	s.change()
}

// Unfollow ends Follow. Nobody is told.
func (a *Account) Unfollow(other *Account) {
	s := a.s
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unfollow(a, other)
	s.change()
}

func (s *Server) unfollow(a, other *Account) {
	delete(a.following, other)
	delete(other.followers, a)
	a.json, other.json = nil, nil
}

// Block makes the account deaf to another: they follow each other no more, and
// nothing the other does notifies it.
func (a *Account) Block(other *Account) {
	s := a.s
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unfollow(a, other)
	s.unfollow(other, a)
	a.blocking[other] = true
	s.change()
}

// Unblock ends Block; the follows do not come back.
func (a *Account) Unblock(other *Account) {
	s := a.s
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(a.blocking, other)
	s.change()
}

// relationships answers in the order of the ids asked for and leaves out those
// it does not know (https://docs.joinmastodon.org/methods/accounts/#relationships).
func (s *Server) relationships(q *request, who *Account) *answer {
	ids := q.many("id")
	if len(ids) == 0 && s.profile == GoToSocial {
		return s.refuse(http.StatusBadRequest, "no account id(s) specified in query")
	}
	var w jsonWriter
	w.open('[')
	for _, id := range ids {
		a := s.accounts[id]
		if a == nil {
			continue
		}
		following := who.following[a]
		w.open('{')
		w.str("id", a.ID)
		w.bool("following", following)
		w.bool("showing_reblogs", following)
		w.bool("notifying", false)
		if s.profile == Mastodon {
			w.null("languages")
		}
		w.bool("followed_by", a.following[who])
		w.bool("blocking", who.blocking[a])
		w.bool("blocked_by", a.blocking[who])
		w.bool("muting", false)
		w.bool("muting_notifications", false)
		if s.profile == Mastodon {
			w.null("muting_expires_at")
		}
		w.bool("requested", false)
		if s.profile != Akkoma {
			w.bool("requested_by", false)
		}
		w.bool("domain_blocking", false)
		w.bool("endorsed", false)
		w.str("note", "")
		w.close('}')
	}
	w.close(']')
	return jsonAnswer(w.b)
}
