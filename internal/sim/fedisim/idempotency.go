package fedisim

import (
	"net/http"
	"time"
)

// seenKey is what a server remembers of an Idempotency-Key. Mastodon remembers
// the post, per account, for an hour. Akkoma remembers the whole answer, errors
// too, for six hours and for anybody. The others ignore the header.
type seenKey struct {
	at     time.Time
	postID string
	answer *answer
}

const seenMax = 10000 // keys kept at most: then old ones are dropped, then any

func (s *Server) keyName(q *request) (string, time.Duration) {
	if q.idempotencyKey == "" {
		return "", 0
	}
	switch {
	case s.profile == Akkoma && (q.method == http.MethodPost || q.method == http.MethodPut || q.method == http.MethodPatch):
		return q.idempotencyKey, 6 * time.Hour
	case s.profile == Mastodon && q.method == http.MethodPost && q.route == "/api/v1/statuses":
		if who := s.tokens[q.token]; who != nil {
			return who.ID + " " + q.idempotencyKey, time.Hour
		}
	}
	return "", 0
}

// replayed is the answer to a request whose key was seen; nil if it is new.
func (s *Server) replayed(q *request) *answer {
	name, keep := s.keyName(q)
	if name == "" {
		return nil
	}
	was, ok := s.seen[name]
	if !ok || s.now().Sub(was.at) >= keep {
		return nil
	}
	if was.answer != nil {
		again := *was.answer
		return &again
	}
	if s.opt.RepeatFails {
		return failedPage(http.StatusInternalServerError)
	}
	st := s.statuses[was.postID]
	if st == nil {
		return s.notFound()
	}
	return s.statusAnswer(st, s.tokens[q.token], false)
}

// remember keeps a key; called for every answer that was not replayed.
func (s *Server) remember(q *request, a *answer) {
	name, keep := s.keyName(q)
	if name == "" {
		return
	}
	now := s.now()
	if len(s.seen) >= seenMax {
		for k, v := range s.seen {
			if now.Sub(v.at) >= keep {
				delete(s.seen, k)
			}
		}
		for k := range s.seen {
			if len(s.seen) < seenMax*9/10 {
				break
			}
			delete(s.seen, k)
		}
	}
	if s.profile == Akkoma {
		copied := *a
		s.seen[name] = seenKey{at: now, answer: &copied}
		return
	}
	if a.status == http.StatusOK && len(s.timeline) > 0 {
		s.seen[name] = seenKey{at: now, postID: s.timeline[len(s.timeline)-1].id}
	}
}
