package discordsim

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	globalLimit  = 50 // requests in a second. Source: topics/rate-limits#global-rate-limit
	usualLimit   = 10 // of a bucket for which nothing else is said
	usualPer     = 10 * time.Second
	invalidLimit = 10000 // answers 401, 403 and 429. Source: topics/rate-limits#invalid-request-limit-aka-cloudflare-bans
	invalidPer   = 10 * time.Minute
	banLasts     = time.Hour
)

// limiter counts requests. Buckets are of a route together with the top-level
// id in its path. Source: topics/rate-limits#rate-limits.
type limiter struct {
	buckets  map[string]*bucket
	second   int64 // of the global count
	inSecond int
	invalid  []time.Time
	banUntil time.Time
}

func newLimiter() limiter { return limiter{buckets: map[string]*bucket{}} }

type bucket struct {
	left  int
	reset time.Time
}

// bucketState is how a request stands with its bucket after it was counted.
type bucketState struct {
	name        string
	limit, left int
	reset       time.Time
}

// topLevel are the parameters that divide a route's bucket. Source:
// topics/rate-limits#rate-limits: channel_id, guild_id and webhook_id together
// with webhook_token.
func (q *request) topLevel() string {
	parts := q.route.parts
	for i, p := range parts {
		if i < 3 || !strings.HasPrefix(p, "{") {
			continue
		}
		switch parts[i-1] {
		case "channels", "guilds":
			if i == 4 {
				return q.vars[strings.Trim(p, "{}")]
			}
		case "webhooks", "interactions":
			return strings.Join(strings.Split(q.path, "/")[i:min(i+2, len(parts))], "/")
		}
	}
	return ""
}

// limit counts a request, and refuses it when it is one too many.
func (s *Server) limit(q *request) *answer {
	if s.opt.NoRateLimits {
		return nil
	}
	now := s.now()
	l := &s.limiter
	if !q.route.interaction {
		if now.Unix() != l.second {
			l.second, l.inSecond = now.Unix(), 0
		}
		if l.inSecond >= globalLimit {
			q.scope = "global"
			return rateAnswer(time.Unix(l.second+1, 0).Sub(now), "global")
		}
		l.inSecond++
	}
	limit, per := q.route.limit, q.route.per
	if limit == 0 {
		limit, per = usualLimit, usualPer
	}
	name := bucketName(q.route)
	key := name + ":" + q.topLevel()
	b := l.buckets[key]
	if b == nil || !now.Before(b.reset) {
		if len(l.buckets) > 10000 {
			for k, old := range l.buckets {
				if !now.Before(old.reset) {
					delete(l.buckets, k)
				}
			}
		}
		b = &bucket{left: limit, reset: now.Add(per)}
		l.buckets[key] = b
	}
	if b.left == 0 {
		q.limits = &bucketState{name, limit, 0, b.reset}
		q.scope = "user"
		return rateAnswer(b.reset.Sub(now), "user")
	}
	b.left--
	q.limits = &bucketState{name, limit, b.left, b.reset}
	return nil
}

// bucketName is the name of a route's bucket, which says nothing to a client.
func bucketName(r *route) string {
	sum := sha256.Sum256([]byte(r.method + r.template))
	return hex.EncodeToString(sum[:16])
}

// limitHeaders tells how a request stands with its bucket. Source:
// topics/rate-limits#header-format.
func (s *Server) limitHeaders(q *request, a *answer) {
	if q.limits == nil || a.status == http.StatusTooManyRequests && q.scope != "user" {
		return
	}
	st, now := q.limits, s.now()
	a.set("X-RateLimit-Limit", strconv.Itoa(st.limit))
	a.set("X-RateLimit-Remaining", strconv.Itoa(st.left))
	a.set("X-RateLimit-Reset", strconv.FormatFloat(float64(st.reset.UnixMilli())/1000, 'f', 3, 64))
	a.set("X-RateLimit-Reset-After", seconds(st.reset.Sub(now)))
	a.set("X-RateLimit-Bucket", st.name)
}

func seconds(d time.Duration) string {
	return strconv.FormatFloat(max(d, 0).Seconds(), 'f', 3, 64)
}

// rateAnswer is a 429. Source: topics/rate-limits#exceeding-a-rate-limit.
func rateAnswer(wait time.Duration, scope string) *answer {
	text := "You are being rate limited."
	if scope == "shared" {
		text = "The resource is being rate limited."
	}
	a := jsonAnswer(http.StatusTooManyRequests, obj{"message": text, "retry_after": max(wait, 0).Seconds(), "global": scope == "global"})
	whole := int64((wait + time.Second - 1) / time.Second)
	a.set("Retry-After", strconv.FormatInt(max(whole, 0), 10))
	a.set("X-RateLimit-Scope", scope)
	if scope == "global" {
		a.set("X-RateLimit-Global", "true")
	}
	return a
}

// countInvalid counts answers that Cloudflare bans for.
func (s *Server) countInvalid(q *request, a *answer) {
	switch a.status {
	case http.StatusUnauthorized, http.StatusForbidden:
	case http.StatusTooManyRequests:
		if q.scope == "shared" {
			return
		}
	default:
		return
	}
	if s.opt.NoRateLimits {
		return
	}
	now := s.now()
	l := &s.limiter
	for len(l.invalid) > 0 && now.Sub(l.invalid[0]) >= invalidPer {
		l.invalid = l.invalid[1:]
	}
	l.invalid = append(l.invalid, now)
	if len(l.invalid) >= invalidLimit {
		l.banUntil, l.invalid = now.Add(banLasts), nil
	}
}

// InvalidRequests is how many answers of the last ten minutes count towards a ban.
func (s *Server) InvalidRequests() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, now := 0, s.now()
	for _, t := range s.limiter.invalid {
		if now.Sub(t) < invalidPer {
			n++
		}
	}
	return n
}

// banned is the edge's answer to everything while the address is banned.
func (s *Server) banned() *answer {
	left := s.limiter.banUntil.Sub(s.now())
	if left <= 0 {
		return nil
	}
	return edgeAnswer(left)
}

// edgeAnswer is a 429 of the edge: a page, without any header of a bucket.
func edgeAnswer(wait time.Duration) *answer {
	a := &answer{status: http.StatusTooManyRequests, ctype: "text/html; charset=UTF-8", body: []byte(edgePage)}
	if wait > 0 {
		a.set("Retry-After", strconv.FormatInt(int64((wait+time.Second-1)/time.Second), 10))
	}
	return a
}

const edgePage = `<!doctype html>
<html><head><title>Access denied | discord.com used Cloudflare to restrict access</title></head>
<body><h1>Error 1015</h1><p>You are being rate limited.</p></body></html>
`
