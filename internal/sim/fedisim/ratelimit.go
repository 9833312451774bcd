package fedisim

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// limitKey names one count: whom it is of, in which window.
type limitKey struct {
	family, who string
	period      int64 // seconds
	window      int64 // number of the period since 1970
}

// limiter counts requests in fixed windows, as Rack::Attack does: a window of
// five minutes begins at every fifth minute of the hour.
type limiter struct {
	counts map[limitKey]int
}

// limitState is how a request stands with one family, after it was counted.
type limitState struct {
	family      string
	limit, left int
	reset       time.Time
}

const countsMax = 4096

// hit counts one request. left is below zero when it is one too many.
func (l *limiter) hit(family, who string, limit int, period time.Duration, now time.Time) limitState {
	return l.peek(family, who, limit, period, now, 1)
}

func (l *limiter) peek(family, who string, limit int, period time.Duration, now time.Time, add int) limitState {
	seconds := int64(period / time.Second)
	key := limitKey{family, who, seconds, now.Unix() / seconds}
	if len(l.counts) >= countsMax {
		for k := range l.counts { // only what is over is forgotten: a day must not forgive anything
			if k.window < now.Unix()/k.period {
				delete(l.counts, k)
			}
		}
	}
	n := l.counts[key] + add
	if add > 0 {
		l.counts[key] = n
	}
	return limitState{family, limit, limit - n, now.Add(time.Duration(seconds-now.Unix()%seconds) * time.Second)}
}

// limit counts a request and refuses it when it is too many.
//
// Mastodon's limits are those of https://docs.joinmastodon.org/api/rate-limits/
// and of config/initializers/rack_attack.rb there, in its order: the first that
// refuses a request ends the counting of it. Streams are not counted.
func (s *Server) limit(q *request) ([]limitState, *answer) {
	if !s.opt.RateLimits || !strings.HasPrefix(q.route, "/api/") {
		return nil, nil
	}
	now := s.now()
	var states []limitState
	over := func(family, who string, limit int, period time.Duration) bool {
		states = append(states, s.limiter.hit(family, who, limit, period, now))
		return states[len(states)-1].left < 0
	}
	refused := false
	switch s.profile {
	case Mastodon:
		who := "ip " + q.ip
		if a := s.tokens[q.token]; a != nil {
			who = a.ID
			refused = over("account", who, 1500, 5*time.Minute) || over("general", q.token, 300, 5*time.Minute)
		} else {
			refused = over("general", who, 300, 5*time.Minute)
		}
		refused = refused ||
			q.method == http.MethodPost && (q.route == "/api/v1/media" || q.route == "/api/v2/media") && over("media", who, 30, 30*time.Minute) ||
			(q.get("min_id") != "" || q.get("max_id") != "" || q.get("since_id") != "" || q.get("page") != "") && over("paged", who, 300, 15*time.Minute) ||
			deletes(q) && over("delete", who, 30, 30*time.Minute)
	case GoToSocial:
		refused = over("general", q.ip, 300, 5*time.Minute)
	}
	if !refused {
		return states, nil
	}
	last := states[len(states)-1]
	q.limited = last.family
	a := s.rateAnswer()
	s.limitHeaders(q, a, []limitState{last})
	return nil, a
}

func deletes(q *request) bool { return q.method == http.MethodDelete && ofStatus(q) }
func edits(q *request) bool   { return q.method == http.MethodPut && ofStatus(q) }

// ofStatus says whether a request is of one post itself.
func ofStatus(q *request) bool {
	rest, ok := strings.CutPrefix(q.route, "/api/v1/statuses/")
	return ok && !strings.Contains(rest, "/")
}

// limitPosts counts a post or an edit that is about to be stored, and refuses it when it
// is too many.
func (s *Server) limitPosts(q *request, who *Account) *answer {
	if !s.opt.RateLimits {
		return nil
	}
	var st limitState
	switch s.profile {
	case Mastodon:
		st = s.limiter.hit("post", who.ID, 300, 3*time.Hour, s.now())
	case Akkoma:
		st = s.limiter.hit("post", who.ID, 15, 10*time.Second, s.now())
	case Sharkey:
		st = s.limiter.hit("post", who.ID, 300, time.Hour, s.now())
	default:
		return nil
	}
	if st.left >= 0 {
		return nil
	}
	q.limited = st.family
	a := s.rateAnswer()
	if s.profile == Sharkey {
		a.set("Retry-After", strconv.Itoa(int(st.reset.Sub(s.now()).Seconds())))
	}
	return a
}

// rateAnswer is a 429 without its headers.
func (s *Server) rateAnswer() *answer {
	switch s.profile {
	case Akkoma:
		return &answer{status: http.StatusTooManyRequests, ctype: jsonType, body: []byte(`{"error":"Throttled"}`)}
	case GoToSocial:
		return &answer{status: http.StatusTooManyRequests, ctype: "application/json", body: []byte(`{"error":"rate limit reached"}`)}
	}
	return s.fail(http.StatusTooManyRequests, "rate", "RATE_LIMIT_EXCEEDED")
}

// limitHeaders tells how much is left of the scarcest family. Mastodon counts
// posts and edits in a family of their own, which is told with their answers.
func (s *Server) limitHeaders(q *request, a *answer, states []limitState) {
	if !s.opt.RateLimits {
		return
	}
	if s.profile == Mastodon && (q.method == http.MethodPost && q.route == "/api/v1/statuses" || edits(q)) {
		if who := s.tokens[q.token]; who != nil {
			states = append(states, s.limiter.peek("post", who.ID, 300, 3*time.Hour, s.now(), 0))
		}
	}
	if len(states) == 0 {
		return
	}
	least := states[0]
	for _, st := range states[1:] {
		if st.left < least.left {
			least = st
		}
	}
	format := "2006-01-02T15:04:05.000000Z"
	if s.profile == GoToSocial {
		format = "2006-01-02T15:04:05.000Z"
	}
	a.set("X-Ratelimit-Limit", strconv.Itoa(least.limit))
	a.set("X-Ratelimit-Remaining", strconv.Itoa(max(least.left, 0)))
	a.set("X-Ratelimit-Reset", least.reset.Format(format))
}
