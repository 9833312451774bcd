package fedi

import (
	"math"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// family is a group of requests that a server counts together.
type family int

// The families of Mastodon (https://docs.joinmastodon.org/api/rate-limits/ and
// its config/initializers/rack_attack.rb): a request counts as general and as
// the one special family it belongs to.
const (
	general  family = iota
	paged           // anything with min_id, max_id or since_id
	posting         // creating a status
	deleting        // deleting a status
	media           // uploading
	families
)

var familyNames = [families]string{"requests", "paged requests", "posts", "deletions", "uploads"}

// windows are Mastodon's limits. Its windows are fixed ones; never to exceed
// the number in any window of that length keeps all of them.
var windows = [families]struct {
	most   int
	period time.Duration
}{
	general:  {300, 5 * time.Minute},
	paged:    {300, 15 * time.Minute},
	posting:  {300, 3 * time.Hour},
	deleting: {30, 30 * time.Minute},
	media:    {30, 30 * time.Minute},
}

// Bounds on what a server may tell us, so that a wrong clock or a wild number
// never silences an account for good.
const (
	defaultRetry = time.Minute
	longestRetry = 24 * time.Hour
)

// limiter holds requests back before the server has to refuse them. It never
// blocks: it says when to come again.
type limiter struct {
	off bool // only obey refusals

	mu      sync.Mutex
	sent    [families][]time.Time // when the last requests were sent, oldest first
	blocked [families]time.Time   // nothing before this
	told    [families]allowance   // what the server's headers last said
	// promised are the moments still to come that were named to callers.
	promised [families][]time.Time
}

// allowance is what X-RateLimit headers say.
type allowance struct {
	known     bool
	remaining int
	reset     time.Time
}

// take counts a request that is about to be sent. If it has to wait, it
// returns the family that is exhausted and when to come again, and counts
// nothing. The windows are Mastodon's, so they are kept only where that is
// what runs, or may be.
func (l *limiter) take(now time.Time, special family, sw Software) (family, time.Time, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fs := []family{general, special}
	if special == general {
		fs = fs[:1]
	}
	var (
		worst family
		until time.Time
	)
	for _, f := range fs {
		if at := l.wait(now, f, sw); at.After(until) {
			worst, until = f, at
		}
	}
	if !until.IsZero() {
		return worst, l.promise(now, worst, until), false
	}
	if l.off {
		return 0, time.Time{}, true
	}
	for _, f := range fs {
		if a := &l.told[f]; a.known && a.remaining > 0 {
			a.remaining--
		}
		if hasWindows(sw) {
			l.sent[f] = append(l.sent[f], now)
		}
	}
	return 0, time.Time{}, true
}

// promise names the moment for one who has to wait at least until then. Of
// effects that wait for the same limit each gets a moment of its own, as far
// as it is known when requests will be forgotten: if all came back for the
// first of them, all but one would have come for nothing. Readers may not come
// back at all, so they are promised nothing.
func (l *limiter) promise(now time.Time, f family, until time.Time) time.Time {
	if f == general || f == paged {
		return until
	}
	kept := l.promised[f][:0]
	for _, at := range l.promised[f] {
		if at.After(now) {
			kept = append(kept, at)
		}
	}
	n := min(len(l.sent[f])-windows[f].most+len(kept), len(l.sent[f])-1)
	if n >= 0 { // the request whose being forgotten makes room
		if at := l.sent[f][n].Add(windows[f].period); at.After(until) {
			until = at
		}
	}
	if len(kept) < windows[f].most {
		kept = append(kept, until)
	}
	l.promised[f] = kept
	return until
}

// wait returns when family f may be used again, zero for at once.
func (l *limiter) wait(now time.Time, f family, sw Software) time.Time {
	var until time.Time
	if l.blocked[f].After(now) {
		until = l.blocked[f]
	}
	if l.off {
		return until
	}
	if a := l.told[f]; a.known && a.remaining <= 0 && a.reset.After(now) && a.reset.After(until) {
		until = a.reset
	}
	if !hasWindows(sw) {
		l.sent[f] = nil
		return until
	}
	w := windows[f]
	old := 0
	for old < len(l.sent[f]) && !l.sent[f][old].Add(w.period).After(now) {
		old++
	}
	l.sent[f] = append(l.sent[f][:0], l.sent[f][old:]...)
	if len(l.sent[f]) >= w.most {
		if at := l.sent[f][len(l.sent[f])-w.most].Add(w.period); at.After(until) {
			until = at
		}
	}
	return until
}

func hasWindows(sw Software) bool { return sw == Mastodon || sw == SoftwareUnknown || sw == "" }

// learn takes in the headers of an answer to a request of that family, and
// returns when to come again if the answer was a refusal (429), zero if not.
// The headers describe the one limit the request is closest to exceeding.
// Mastodon does not say which, and of the two that apply the special one is
// the tighter; GoToSocial has one limit for everything.
func (l *limiter) learn(now time.Time, special family, sw Software, status int, h http.Header) time.Time {
	f := special
	if !hasWindows(sw) && sw != Misskey { // Misskey limits each endpoint for itself
		f = general
	}
	a := parseAllowance(now, h)
	var refused time.Time
	if status == http.StatusTooManyRequests {
		refused = retryAt(now, h, a)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if a.known && !l.off {
		l.told[f] = a
	}
	if refused.After(l.blocked[f]) {
		l.blocked[f] = refused
	}
	return refused
}

// parseAllowance reads X-RateLimit-Remaining and -Reset; both must be there.
func parseAllowance(now time.Time, h http.Header) allowance {
	n, err := strconv.ParseFloat(h.Get("X-RateLimit-Remaining"), 64)
	at, ok := moment(now, h, h.Get("X-RateLimit-Reset"))
	if err != nil || !ok || math.IsNaN(n) {
		return allowance{}
	}
	return allowance{known: true, remaining: int(max(-1, min(n, 1e6))), reset: atMost(now, at)}
}

// retryAt is when a refused request may come again: the later of Retry-After
// and the reset of an exhausted limit, as far as the server tells them, and a
// minute if it tells neither.
func retryAt(now time.Time, h http.Header, a allowance) time.Time {
	at, _ := retryAfter(now, h)
	reset, ok := moment(now, h, h.Get("X-RateLimit-Reset"))
	if ok && (!a.known || a.remaining <= 0) && reset.After(at) {
		at = reset
	}
	if !at.After(now) {
		at = now.Add(defaultRetry)
	}
	return atMost(now, at)
}

// retryAfter reads Retry-After: seconds or a date (RFC 9110, section 10.2.3).
func retryAfter(now time.Time, h http.Header) (time.Time, bool) {
	v := strings.TrimSpace(h.Get("Retry-After"))
	if n, err := strconv.ParseFloat(v, 64); err == nil {
		return now.Add(seconds(n)), n >= 0
	}
	t, err := http.ParseTime(v)
	if err != nil {
		return time.Time{}, false
	}
	return ourTime(now, h, t), true
}

// moment reads X-RateLimit-Reset: ISO 8601 (Mastodon, Akkoma), seconds since
// 1970 (GoToSocial) or seconds from now (Misskey).
func moment(now time.Time, h http.Header, v string) (time.Time, bool) {
	v = strings.TrimSpace(v)
	if n, err := strconv.ParseFloat(v, 64); err == nil {
		switch {
		case !(n >= 0):
			return time.Time{}, false
		case n < 1e9:
			return now.Add(seconds(n)), true
		case n >= 1e11: // milliseconds
			n /= 1000
		}
		return ourTime(now, h, time.Unix(int64(min(n, 1e11)), 0)), true
	}
	if t := parseStamp(v); !t.IsZero() {
		return ourTime(now, h, t), true
	}
	return time.Time{}, false
}

// ourTime turns a moment by the server's clock into one by ours, with the
// help of the Date the answer bears.
func ourTime(now time.Time, h http.Header, t time.Time) time.Time {
	date, ok := serverDate(h)
	if !ok {
		return t.UTC()
	}
	return now.Add(t.Sub(date)).UTC()
}

func seconds(n float64) time.Duration {
	if !(n > 0) {
		return 0
	}
	return time.Duration(min(n, longestRetry.Seconds()) * float64(time.Second))
}

func atMost(now, t time.Time) time.Time {
	if latest := now.Add(longestRetry); t.After(latest) {
		return latest
	}
	return t
}

// serverDate is the Date of an answer, by the server's clock.
func serverDate(h http.Header) (time.Time, bool) {
	t, err := http.ParseTime(h.Get("Date"))
	if err != nil || t.Year() < 2000 {
		return time.Time{}, false
	}
	return t.UTC(), true
}
