package discordsim

import (
	"net/url"
	"slices"
	"time"
)

// Exchange is one request and what was answered.
type Exchange struct {
	At          time.Time
	Method      string
	Path        string // with the base
	Query       string
	Route       string // as the documentation writes it, without the base; "" when the path is not served
	Auth        string
	Reason      string // X-Audit-Log-Reason, decoded
	ContentType string
	Body        []byte // at most 64 KiB of it
	Fields      string // the JSON of the body, of a form too
	Files       []string
	Status      int    // 0 when there was no answer
	Answer      []byte // at most 64 KiB of it
	Code        int    // of an error
	Fault       string // that struck; "" for an honest answer
	Scope       string // of a refusal by a rate limit: user, global or shared
}

const logBodyCap = 64 << 10

// requestLog keeps the newest exchanges.
type requestLog struct {
	max     int
	dropped int
	list    []Exchange
}

// Requests are the exchanges of the REST API so far, or the newest of them.
func (s *Server) Requests() []Exchange {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.log.list)
}

// Count is how many exchanges there were of a method and a route, such as
// "POST", "/channels/{channel_id}/messages"; "" stands for all.
func (s *Server) Count(method, route string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, e := range s.log.list {
		if (method == "" || e.Method == method) && (route == "" || e.Route == route) {
			n++
		}
	}
	return n
}

// Reset forgets the log of requests, the faults that wait, and the counts of
// the rate limits. The world stays.
func (s *Server) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log = requestLog{max: s.opt.KeepRequests}
	s.clearFaults()
	s.limiter = newLimiter()
}

func (s *Server) record(q *request, a *answer, fault string) {
	if a == nil {
		a = &answer{}
	}
	e := Exchange{
		At: q.arrived, Method: q.method, Path: q.path, Query: q.r.URL.RawQuery, Auth: q.header.Get("Authorization"),
		ContentType: q.header.Get("Content-Type"), Body: q.body, Status: a.status, Answer: a.body, Code: a.code, Fault: fault, Scope: q.scope,
	}
	e.Reason, _ = url.PathUnescape(q.header.Get("X-Audit-Log-Reason"))
	if q.route != nil {
		e.Route = q.route.template
	}
	if f, bad := q.readForm(); bad == nil {
		for _, number := range f.order {
			e.Files = append(e.Files, f.files[number].name)
		}
		if len(f.fields) > 0 {
			e.Fields = string(jsonAnswer(0, f.fields).body)
		} else if f.list != nil {
			e.Fields = string(jsonAnswer(0, f.list).body)
		}
	}
	if s.opt.Observe != nil {
		s.opt.Observe(e)
	}
	if s.opt.Log != nil {
		s.opt.Log.Debug("simulated request", "method", e.Method, "path", e.Path, "status", e.Status, "code", e.Code, "fault", fault)
	}
	e.Body = e.Body[:min(len(e.Body), logBodyCap)]
	e.Answer = e.Answer[:min(len(e.Answer), logBodyCap)]
	s.mu.Lock()
	defer s.mu.Unlock()
	l := &s.log
	if len(l.list) >= l.max {
		half := (l.max + 1) / 2
		l.dropped += half
		l.list = append(l.list[:0], l.list[half:]...)
	}
	l.list = append(l.list, e)
	s.change()
}
