package boorusim

import (
	"net/http"
	"strings"
	"time"
)

// limiter counts requests in sliding windows and remembers who was warned. All
// clients of a server are one.
type limiter struct {
	board        Board
	normal, find []time.Time
	challenged   time.Time
	blocked      time.Time // until then
}

type verdict int

const (
	fine verdict = iota
	tooMany
	blocked
)

// The limits of the boards.
//
//   - Philomena: 30 requests in 5 seconds, searches 20 in 10. Too many get a
//     challenge: 501 and a page. Who asks again within 5 seconds is blocked for
//     15 minutes: 500 with an empty body, and every request begins them anew
//     (introduction of the OpenAPI description).
//   - Danbooru: 10 requests a second, then 429 (help:api).
//   - e621: 2 requests a second, then 503 (https://e621.net/help/api).
func (l *limiter) check(now time.Time, search, plain bool) verdict {
	if now.Before(l.blocked) {
		l.blocked = now.Add(15 * time.Minute)
		return blocked
	}
	if l.board == Philomena && !plain && !l.challenged.IsZero() && now.Sub(l.challenged) < 5*time.Second {
		l.blocked, l.challenged = now.Add(15*time.Minute), time.Time{}
		return blocked
	}
	var ok bool
	switch l.board {
	case Danbooru:
		ok = window(&l.normal, now, 10, time.Second)
	case E621:
		ok = window(&l.normal, now, 2, time.Second)
	default:
		ok = window(&l.normal, now, 30, 5*time.Second)
		if search {
			ok = window(&l.find, now, 20, 10*time.Second) && ok
		}
	}
	if ok {
		return fine
	}
	if l.board == Philomena && !plain {
		l.challenged = now
	}
	return tooMany
}

// window admits n requests in any span of time.
func window(seen *[]time.Time, now time.Time, n int, span time.Duration) bool {
	first := 0
	for first < len(*seen) && now.Sub((*seen)[first]) >= span {
		first++
	}
	*seen = (*seen)[first:]
	if len(*seen) >= n {
		return false
	}
	*seen = append(*seen, now)
	return true
}

// allowed answers whoever asks too often.
func (x *exchange) allowed() bool {
	s := x.s
	if s.cfg.NoLimits {
		return true
	}
	search := strings.HasPrefix(x.r.URL.Path, "/api/v1/json/search")
	s.mu.Lock()
	v := s.limiter.check(s.cfg.Now(), search, s.cfg.TooMany)
	s.mu.Unlock()
	switch {
	case v == fine:
		return true
	case v == blocked:
		x.blocked()
	case s.cfg.TooMany:
		x.w.Header().Set("Retry-After", "10")
		x.html(http.StatusTooManyRequests, "429 Too Many Requests")
	case s.cfg.Board == Danbooru:
		x.tooManyDanbooru()
	case s.cfg.Board == E621:
		x.html(http.StatusServiceUnavailable, "503 Service Temporarily Unavailable")
	default:
		x.challenge()
	}
	return false
}

// challenge is the page that asks a browser to prove what it is.
func (x *exchange) challenge() {
	x.send(http.StatusNotImplemented, "text/html; charset=utf-8",
		[]byte("<!DOCTYPE html><html><head><title>One moment, please…</title></head><body><noscript>Turn on JavaScript to go on.</noscript></body></html>"))
}

// blocked is the answer to whoever went on asking.
func (x *exchange) blocked() { x.send(http.StatusInternalServerError, "text/html", nil) }

func (x *exchange) tooManyDanbooru() {
	x.send(http.StatusTooManyRequests, "application/json; charset=utf-8", encode(map[string]any{
		"success": false, "error": "ApplicationController::RateLimitError", "message": "Rate limit exceeded.", "backtrace": []string{},
	}))
}
