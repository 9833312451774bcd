package fedisim

import (
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Fault is something to go wrong with chosen requests. Make one with Fail,
// TooMany, TooLarge, Reset, Late, Hold, Hang, Slow, WebPage, Empty, Torn,
// Truncated, Huge, WrongType, Revoked, Unavailable, FailProcessing or First,
// narrow it with On, Times, Always and Chance, and hand it to Server.Inject:
//
//	s.Inject(fedisim.Fail(500).Stored().On("POST", "/api/v1/statuses").Times(2))
//
// Without On it strikes any request, without Times once.
type Fault struct {
	name    string
	method  string
	pattern string
	times   int // how often it may strike; below zero: always
	chance  float64
	match   func(*http.Request) bool

	before  func()        // runs before everything
	delay   time.Duration // waited before everything, after before
	hold    bool          // waits for Release before everything
	late    bool          // stored after the client has gone
	lateBy  time.Duration // how long after; below zero: at Release
	stored  bool          // carried out first, then answered
	cut     bool          // no answer: the connection is reset
	hang    bool          // no answer: until the client leaves
	make    func(*Server) *answer
	mangle  func(*answer)
	pass    bool // answered honestly after all
	forgets bool // what made the answer stands before the server, which knows nothing of it
	early   bool // answers before the body was read, and closes the connection
	failing bool // what the request uploads cannot be processed
}

// On narrows a fault to a method ("" for any) and a path: a prefix such as
// "/api/v1/notifications", or, with an asterisk in it, a pattern of whole
// segments such as "/api/v1/statuses/*/context".
func (f Fault) On(method, path string) Fault {
	f.method, f.pattern = method, path
	return f
}

// If narrows a fault to requests of which a function says yes. The body is not readable.
func (f Fault) If(match func(*http.Request) bool) Fault {
	f.match = match
	return f
}

// Times says how many requests the fault strikes.
func (f Fault) Times(n int) Fault { f.times = n; return f }

// Always makes the fault strike until ClearFaults.
func (f Fault) Always() Fault { f.times = -1; return f }

// Chance makes the fault strike each matching request with a probability,
// from Options.Seed; together with Always or Times.
func (f Fault) Chance(p float64) Fault { f.chance = p; return f }

// Stored makes the request be carried out before the fault answers it: a post
// is stored, and the client is told something else.
func (f Fault) Stored() Fault { f.stored = true; return f }

// Delayed makes the fault strike only after a while, unless the client leaves first.
func (f Fault) Delayed(d time.Duration) Fault { f.delay = d; return f }

// Fail answers with a status and does nothing: 500 as the server's own error
// page, 502, 503 and 504 as the proxy's before it, others as the server's JSON.
func Fail(status int) Fault {
	return Fault{name: "fail " + strconv.Itoa(status), times: 1, forgets: status >= 502, make: func(s *Server) *answer {
		if status >= 500 {
			return failedPage(status)
		}
		return s.fail(status, "notFound", strings.ToUpper(strings.ReplaceAll(http.StatusText(status), " ", "_")))
	}}
}

// Unavailable is a 503 with Retry-After in seconds, as GoToSocial answers when
// it has too much to do.
func Unavailable(retry time.Duration) Fault {
	return Fault{name: "unavailable", times: 1, forgets: true, make: func(s *Server) *answer {
		a := failedPage(http.StatusServiceUnavailable)
		if s.profile == GoToSocial {
			a.ctype, a.body = "application/json", []byte(`{"error":"server capacity exceeded"}`)
		}
		a.set("Retry-After", strconv.Itoa(int(retry.Seconds())))
		return a
	}}
}

// RetryForm is how a 429 says when to come again.
type RetryForm int

// The forms seen on servers.
const (
	RetrySeconds RetryForm = iota // Retry-After: 30
	RetryDate                     // Retry-After: Fri, 20 Nov 2026 10:00:00 GMT
	ResetISO                      // X-RateLimit-Reset: 2026-11-20T10:00:00.000000Z, with Limit and Remaining
	ResetEpoch                    // X-RateLimit-Reset: 1795168800
	RetryNothing                  // no header at all
)

// TooMany is a 429 that says in some form when to come again.
func TooMany(form RetryForm, wait time.Duration) Fault {
	return Fault{name: "429", times: 1, forgets: true, make: func(s *Server) *answer {
		a := s.rateAnswer()
		at := s.now().Add(wait)
		switch form {
		case RetrySeconds:
			a.set("Retry-After", strconv.Itoa(int(wait.Seconds())))
		case RetryDate:
			a.set("Retry-After", at.Format(http.TimeFormat))
		case ResetISO:
			a.set("X-RateLimit-Limit", "300")
			a.set("X-RateLimit-Remaining", "0")
			a.set("X-RateLimit-Reset", at.Format("2006-01-02T15:04:05.000000Z"))
		case ResetEpoch:
			a.set("X-RateLimit-Limit", "300")
			a.set("X-RateLimit-Remaining", "0")
			a.set("X-RateLimit-Reset", strconv.FormatInt(at.Unix(), 10))
		}
		return a
	}}
}

// TooLarge answers 413 as soon as the headers are there and closes the
// connection while the client may still be sending, as a proxy does that allows
// less than the server behind it. Stored has no effect on it.
func TooLarge() Fault {
	return Fault{name: "too large", times: 1, forgets: true, early: true, make: func(*Server) *answer {
		a := failedPage(http.StatusRequestEntityTooLarge)
		a.set("Connection", "close")
		return a
	}}
}

// FailProcessing lets an upload in, and then its file turns out to be one that
// cannot be processed: Mastodon says so with a 422 to the GET after the
// processing, the others that look into files refuse the upload. It strikes
// uploads only, unless On says otherwise.
func FailProcessing() Fault {
	return Fault{name: "fail processing", times: 1, method: http.MethodPost, pattern: "/api/*/media", failing: true, pass: true}
}

// Reset cuts the connection without an answer; with Stored, after carrying the
// request out.
func Reset() Fault { return Fault{name: "reset", times: 1, cut: true} }

// Late leaves the request unanswered and carries it out only after the client
// has gone: that long after, or, with a negative duration, when
// Injected.Release is called. With cut the server closes the connection at
// once; without, it waits for the client to give up.
func Late(after time.Duration, cut bool) Fault {
	return Fault{name: "late", times: 1, late: true, lateBy: after, cut: cut, hang: !cut}
}

// Hold keeps the request waiting until Injected.Release, then answers it honestly.
func Hold() Fault { return Fault{name: "hold", times: 1, hold: true, pass: true} }

// Hang keeps the connection open and says nothing until the client leaves;
// with Stored, after carrying the request out.
func Hang() Fault { return Fault{name: "hang", times: 1, hang: true} }

// Slow answers honestly, after a while.
func Slow(d time.Duration) Fault { return Fault{name: "slow", times: 1, delay: d, pass: true} }

// WebPage answers with a page of HTML and does nothing: with 200 as a captive
// portal does, with an error as a proxy does.
func WebPage(status int) Fault {
	return Fault{name: "web page " + strconv.Itoa(status), times: 1, forgets: true, make: func(*Server) *answer { return failedPage(status) }}
}

// Empty carries the request out and answers with the right status and no body.
func Empty() Fault {
	return Fault{name: "empty", times: 1, stored: true, mangle: func(a *answer) { a.body = nil }}
}

// Torn carries the request out and cuts the connection in the middle of the answer.
func Torn() Fault {
	return Fault{name: "torn", times: 1, stored: true, mangle: func(a *answer) { a.whole, a.body = len(a.body), a.body[:len(a.body)/2] }}
}

// Truncated carries the request out and answers with half of its JSON, as if
// that were all of it.
func Truncated() Fault {
	return Fault{name: "truncated", times: 1, stored: true, mangle: func(a *answer) { a.body = a.body[:len(a.body)/2] }}
}

// Huge carries the request out and answers with 10 MB of JSON.
func Huge() Fault {
	return Fault{name: "huge", times: 1, stored: true, mangle: func(a *answer) {
		a.body = []byte(`{"content":"` + strings.Repeat("a", 10<<20) + `"}`)
	}}
}

// WrongType carries the request out and answers with its JSON, labelled as HTML.
func WrongType() Fault {
	return Fault{name: "wrong type", times: 1, stored: true, mangle: func(a *answer) { a.ctype = "text/html; charset=utf-8" }}
}

// Revoked answers as if the token were not valid any more (a 401; Akkoma: 403).
func Revoked() Fault {
	return Fault{name: "revoked", times: 1, forgets: true, make: func(s *Server) *answer { return s.unauthorized("revoked") }}
}

// First runs a function before the request is answered honestly: what the
// world does between two requests of a client, such as deleting a post.
func First(do func()) Fault { return Fault{name: "first", times: 1, before: do, pass: true} }

// failedPage is an HTML page of a server or of the proxy in front of it.
func failedPage(status int) *answer {
	title := strconv.Itoa(status) + " " + http.StatusText(status)
	return &answer{status: status, ctype: "text/html; charset=utf-8",
		body: []byte("<!DOCTYPE html>\n<html><head><title>" + title + "</title></head><body><h1>" + title + "</h1></body></html>\n")}
}

// Injected is a fault at work.
type Injected struct {
	f        Fault
	s        *Server
	left     int
	hits     int
	release  chan struct{}
	released sync.Once
	waiting  []func() // late requests, until Release
	open     bool     // released: late requests are carried out when their client has gone
}

// Inject puts a fault to work. Of several that match a request, the one
// injected first strikes.
func (s *Server) Inject(f Fault) *Injected {
	in := &Injected{f: f, s: s, left: f.times, release: make(chan struct{})}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, in)
	return in
}

// ClearFaults ends all faults. Requests that are already held or late stay so.
func (s *Server) ClearFaults() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
}

// Hits is how many requests the fault has struck.
func (in *Injected) Hits() int {
	in.s.mu.Lock()
	defer in.s.mu.Unlock()
	return in.hits
}

// Waiting is how many late requests wait for Release: their client has gone.
func (in *Injected) Waiting() int {
	in.s.mu.Lock()
	defer in.s.mu.Unlock()
	return len(in.waiting)
}

// Release lets held requests go on and carries out the late ones that wait,
// in order, before it returns. Later strikes of the fault are released at once.
func (in *Injected) Release() {
	in.released.Do(func() { close(in.release) })
	in.s.mu.Lock()
	waiting := in.waiting
	in.waiting, in.open = nil, true
	in.s.mu.Unlock()
	for _, run := range waiting {
		run()
	}
}

// strike picks the fault for a request; nil for none. It is asked once before
// the body is read (early), once after.
func (s *Server) strike(q *request, early bool) *Injected {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, in := range s.faults {
		f := &in.f
		if f.early != early || in.left == 0 || f.method != "" && f.method != q.method || !matches(f.pattern, q.route) ||
			f.match != nil && !f.match(q.r) || f.chance > 0 && s.rng.Float64() >= f.chance {
			continue
		}
		if in.left > 0 {
			in.left--
		}
		if in.left == 0 {
			s.faults = append(s.faults[:i:i], s.faults[i+1:]...)
		}
		in.hits++
		s.change()
		return in
	}
	return nil
}

func matches(pattern, route string) bool {
	if !strings.Contains(pattern, "*") {
		return strings.HasPrefix(route, pattern)
	}
	ok, err := path.Match(pattern, route)
	return ok && err == nil
}
