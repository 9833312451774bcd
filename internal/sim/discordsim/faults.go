package discordsim

import (
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Fault is something to go wrong with chosen requests of the REST API. Make one
// with Fail, FailPage, Refuse, TooMany, TooManyGlobal, TooManyShared,
// TooManyAtEdge, CutOff, Late, Hang, Slow or WrongBody, narrow it with On, If
// and Times, and hand it to Server.Inject:
//
//	s.Inject(discordsim.Fail(500).Stored().On("POST", "/channels/*/messages").Times(2))
//
// Without On it strikes any request, without Times once.
type Fault struct {
	name    string
	method  string
	pattern string
	times   int // how often it may strike; below zero: always
	match   func(Exchange) bool

	delay  time.Duration // waited before everything
	stored bool          // carried out first, then answered
	late   bool          // carried out once the client has gone
	cut    bool          // no answer: the connection is reset
	hang   bool          // no answer: until the client leaves
	pass   bool          // answered honestly after all
	scope  string
	make   func() *answer
	mangle func(*answer)
}

// On narrows a fault to a method ("" for any) and a path below the base, in
// which "*" stands for one segment, such as "/channels/*/messages". A pattern
// that ends in "/**" takes everything below.
func (f Fault) On(method, path string) Fault {
	f.method, f.pattern = method, path
	return f
}

// If narrows a fault to requests of which a function says yes. It gets the
// request's half of an Exchange and must not call the Server.
func (f Fault) If(match func(Exchange) bool) Fault {
	f.match = match
	return f
}

// Times says how many requests the fault strikes.
func (f Fault) Times(n int) Fault { f.times = n; return f }

// Always makes the fault strike until ClearFaults.
func (f Fault) Always() Fault { f.times = -1; return f }

// Stored makes the request be carried out before the fault answers it: a
// message is posted, and the client is told something else.
func (f Fault) Stored() Fault { f.stored = true; return f }

// Delayed makes the fault strike only after a while, unless the client leaves first.
func (f Fault) Delayed(d time.Duration) Fault { f.delay = d; return f }

// Fail answers with a status and the API's JSON: {"message": "500: Internal
// Server Error", "code": 0}.
func Fail(status int) Fault {
	return Fault{name: "fail " + strconv.Itoa(status), times: 1, make: func() *answer { return plainFail(status) }}
}

// FailPage answers with a status and a page of HTML, as the edge does when it
// has no answer from behind it: 502, 503, 504, 520 and so on.
func FailPage(status int) Fault {
	return Fault{name: "page " + strconv.Itoa(status), times: 1, make: func() *answer {
		text := strconv.Itoa(status) + " " + http.StatusText(status)
		return &answer{status: status, ctype: "text/html; charset=UTF-8", body: []byte("<html><head><title>" + text + "</title></head><body><center><h1>" + text + "</h1></center><hr><center>cloudflare</center></body></html>\n")}
	}}
}

// Refuse answers with one of the API's own codes, such as 50001 or 10008, and
// does nothing.
func Refuse(code int) Fault {
	return Fault{name: "refuse " + strconv.Itoa(code), times: 1, make: func() *answer { return fail(code) }}
}

// TooMany is a 429 of the bucket, with its headers; the wait may have a
// fraction. Source: topics/rate-limits#exceeding-a-rate-limit.
func TooMany(wait time.Duration) Fault {
	return Fault{name: "429 user", times: 1, scope: "user", make: func() *answer { return rateAnswer(wait, "user") }}
}

// TooManyGlobal is a 429 of the global limit, which has no bucket.
func TooManyGlobal(wait time.Duration) Fault {
	return Fault{name: "429 global", times: 1, scope: "global", make: func() *answer { return rateAnswer(wait, "global") }}
}

// TooManyShared is a 429 of a limit that all bots share; it does not count
// towards a ban.
func TooManyShared(wait time.Duration) Fault {
	return Fault{name: "429 shared", times: 1, scope: "shared", make: func() *answer { return rateAnswer(wait, "shared") }}
}

// TooManyAtEdge is a 429 whose body is a page of HTML; without a wait it does
// not say when to come again either.
func TooManyAtEdge(wait time.Duration) Fault {
	return Fault{name: "429 edge", times: 1, scope: "edge", make: func() *answer { return edgeAnswer(wait) }}
}

// CutOff resets the connection without an answer; with Stored, after carrying
// the request out.
func CutOff() Fault { return Fault{name: "cut off", times: 1, cut: true} }

// Late leaves the request unanswered and carries it out once the client has gone.
func Late() Fault { return Fault{name: "late", times: 1, late: true} }

// Hang leaves the request unanswered until the client leaves; with Stored, it
// was carried out.
func Hang() Fault { return Fault{name: "hang", times: 1, hang: true} }

// Slow answers honestly, after a while.
func Slow(d time.Duration) Fault { return Fault{name: "slow", times: 1, delay: d, pass: true} }

// WrongBody carries the request out and answers with this in place of the body.
func WrongBody(body string) Fault {
	return Fault{name: "wrong body", times: 1, pass: true, mangle: func(a *answer) { a.body = []byte(body) }}
}

// Torn carries the request out and answers with half of the JSON.
func Torn() Fault {
	return Fault{name: "torn", times: 1, pass: true, mangle: func(a *answer) { a.body = a.body[:len(a.body)/2] }}
}

// Injected is a fault at work.
type Injected struct {
	f    Fault
	s    *Server
	left int
	hits int
	once sync.Once
	done chan struct{}
}

// Done is closed when the fault has struck as often as it may.
func (i *Injected) Done() <-chan struct{} { return i.done }

// Hits is how often the fault has struck.
func (i *Injected) Hits() int {
	i.s.mu.Lock()
	defer i.s.mu.Unlock()
	return i.hits
}

// Inject puts a fault to work. Of several that match a request the oldest strikes.
func (s *Server) Inject(f Fault) *Injected {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := &Injected{f: f, s: s, left: f.times, done: make(chan struct{})}
	s.faults = append(s.faults, i)
	return i
}

// ClearFaults takes all faults back that have not struck yet.
func (s *Server) ClearFaults() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clearFaults()
}

func (s *Server) clearFaults() {
	for _, i := range s.faults {
		i.once.Do(func() { close(i.done) })
	}
	s.faults = nil
}

// strike finds the fault of a request and counts it.
func (s *Server) strike(q *request) *Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	for n, i := range s.faults {
		f := i.f
		if f.method != "" && f.method != q.method || f.pattern != "" && !matchPath(f.pattern, strings.TrimPrefix(q.path, apiBase)) {
			continue
		}
		if f.match != nil && !f.match(Exchange{Method: q.method, Path: q.path, Query: q.r.URL.RawQuery, Body: q.body, ContentType: q.header.Get("Content-Type")}) {
			continue
		}
		i.hits++
		if i.left > 0 {
			if i.left--; i.left == 0 {
				s.faults = append(s.faults[:n:n], s.faults[n+1:]...)
				i.once.Do(func() { close(i.done) })
			}
		}
		s.change()
		return &f
	}
	return nil
}

// matchPath holds a path against a pattern of segments.
func matchPath(pattern, path string) bool {
	want, got := strings.Split(pattern, "/"), strings.Split(path, "/")
	for i, p := range want {
		if p == "**" {
			return len(got) >= i
		}
		if i >= len(got) || p != "*" && p != got[i] {
			return false
		}
	}
	return len(want) == len(got)
}

// serveFault does to a request what the fault says.
func (s *Server) serveFault(w http.ResponseWriter, q *request, f *Fault, known bool) {
	if !s.pause(q.ctx, f.delay) {
		s.record(q, nil, f.name)
		panic(http.ErrAbortHandler)
	}
	switch {
	case f.late:
		s.untilGone(q)
		s.record(q, s.do(q, known), f.name)
		panic(http.ErrAbortHandler)
	case f.cut, f.hang:
		if f.stored {
			s.do(q, known)
		}
		s.record(q, nil, f.name)
		if f.hang {
			s.untilGone(q)
			panic(http.ErrAbortHandler)
		}
		reset(w)
	case f.pass:
		a := s.do(q, known)
		if f.mangle != nil {
			f.mangle(a)
		}
		s.send(w, q, a, f.name)
	default:
		if f.stored {
			s.do(q, known)
		}
		a := f.make()
		s.mu.Lock()
		q.scope = f.scope
		if f.scope == "user" && q.route != nil {
			s.exhaust(q, a)
		}
		s.countInvalid(q, a)
		s.mu.Unlock()
		s.send(w, q, a, f.name)
	}
}

// exhaust writes the headers of an empty bucket that fits the answer's wait.
func (s *Server) exhaust(q *request, a *answer) {
	body, err := decodeJSON(a.body)
	if err != nil {
		return
	}
	var wait time.Duration
	if n, ok := asObj(body)["retry_after"].(interface{ Float64() (float64, error) }); ok {
		if f, err := n.Float64(); err == nil {
			wait = time.Duration(f * float64(time.Second))
		}
	}
	limit := q.route.limit
	if limit == 0 {
		limit = usualLimit
	}
	q.limits = &bucketState{bucketName(q.route), limit, 0, s.now().Add(wait)}
	s.limitHeaders(q, a)
}

// untilGone waits until the client leaves or the server closes.
func (s *Server) untilGone(q *request) {
	select {
	case <-q.ctx.Done():
	case <-s.done:
	}
}

// reset cuts a connection so that the client sees a reset, not an end.
func reset(w http.ResponseWriter) {
	h, ok := w.(http.Hijacker)
	if !ok {
		panic(http.ErrAbortHandler)
	}
	c, _, err := h.Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if t, ok := c.(*net.TCPConn); ok {
		t.SetLinger(0) //nolint:errcheck // then it ends in the usual way
	}
	c.Close()
}
