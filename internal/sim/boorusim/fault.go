package boorusim

import (
	"encoding/json"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Kind is a way to fail.
type Kind string

// The faults. Those above the line come whatever the request is; those below
// spoil the right answer.
const (
	RateLimited Kind = "429"       // with Retry-After, if Fault.RetryAfter is given
	ServerError Kind = "500"       // with an empty body, as a blocked client gets it
	Challenge   Kind = "501"       // and the page with the challenge
	BadGateway  Kind = "502"       // a web page of a proxy
	Unavailable Kind = "503"       // with Retry-After, if Fault.RetryAfter is given
	Forbidden   Kind = "403"       // a web page
	HTMLPage    Kind = "html"      // 200 and a web page
	Garbage     Kind = "garbage"   // application/json that is none
	EmptyBody   Kind = "no-body"   // 200 and nothing
	HugeJSON    Kind = "huge"      // JSON of Fault.Size bytes, 1 GiB if not given, made while it is sent
	Deep        Kind = "deep"      // JSON of Fault.Size lists in each other, 1 Mi if not given
	Hang        Kind = "hang"      // nothing, until the client leaves
	Reset       Kind = "reset"     // the connection is reset without an answer
	Elsewhere   Kind = "elsewhere" // 302 to Fault.To
	// ———
	Slow       Kind = "slow"        // the right answer after Fault.Delay
	CutOff     Kind = "cut-off"     // half a body, then the connection ends
	Truncated  Kind = "truncated"   // a complete body that holds half of the JSON
	WrongTypes Kind = "wrong-types" // numbers are texts, texts numbers, lists texts, and so on
	Nulls      Kind = "nulls"       // every field of every picture is null
	NoResults  Kind = "empty"       // nothing is found, though there is something
)

// Always is a number of Times without an end.
const Always = -1

// Fault is a failure that waits for requests.
type Fault struct {
	Kind        Kind
	Files       bool                     // it waits for requests for files, not for those of the board itself
	Times       int                      // requests that it meets; 0 means once, Always all
	Probability float64                  // above 0 and below 1: meets a request by this chance only
	When        func(*http.Request) bool // nil: any request; called with the server locked
	RetryAfter  time.Duration            // in whole seconds, rounded up
	Delay       time.Duration            // of Slow
	Size        int64                    // of HugeJSON and Deep
	To          string                   // of Elsewhere
}

// Inject adds faults. A request meets the first that fits it, in the order in
// which they were added. Go's client asks once more on its own when a
// connection that it has used before is reset, so Reset may have to wait for
// more than one request. Of those below the line only Slow and CutOff mean
// something for files.
func (s *Server) Inject(faults ...Fault) {
	s.change(func() {
		for _, f := range faults {
			if f.Times == 0 {
				f.Times = 1
			}
			s.faults = append(s.faults, &f)
		}
	})
}

// ClearFaults takes back all faults that still wait.
func (s *Server) ClearFaults() { s.change(func() { s.faults = nil }) }

// pick finds the fault for a request, counts and notes it.
func (s *Server) pick(x *exchange, files bool) *Fault {
	s.mu.Lock()
	var found *Fault
	for i, f := range s.faults {
		if f.Files != files || f.When != nil && !f.When(x.r) {
			continue
		}
		if f.Probability > 0 && f.Probability < 1 && s.chance.Float64() >= f.Probability {
			continue
		}
		if f.Times > 0 {
			if f.Times--; f.Times == 0 {
				s.faults = append(s.faults[:i:i], s.faults[i+1:]...)
			}
		}
		found = f
		break
	}
	s.mu.Unlock()
	if found != nil {
		x.note(func(r *Request) { r.Fault = found.Kind })
	}
	return found
}

// early reports whether the fault comes before the request is looked at.
func (f *Fault) early() bool {
	switch f.Kind {
	case Slow, CutOff, Truncated, WrongTypes, Nulls, NoResults:
		return false
	}
	return true
}

func (f *Fault) do(x *exchange) {
	switch f.Kind {
	case RateLimited:
		f.retryAfter(x)
		x.html(http.StatusTooManyRequests, "429 Too Many Requests")
	case ServerError:
		x.blocked()
	case Challenge:
		x.challenge()
	case BadGateway:
		x.html(http.StatusBadGateway, "502 Bad Gateway")
	case Unavailable:
		f.retryAfter(x)
		x.html(http.StatusServiceUnavailable, "503 Service Temporarily Unavailable")
	case Forbidden:
		x.html(http.StatusForbidden, "Access denied")
	case HTMLPage:
		x.html(http.StatusOK, "We'll be back soon")
	case Garbage:
		x.send(http.StatusOK, "application/json", []byte(`{'images': [gif, gif,]}`))
	case EmptyBody:
		x.send(http.StatusOK, "application/json", nil)
	case HugeJSON:
		f.huge(x)
	case Deep:
		n := int(f.Size)
		if n <= 0 {
			n = 1 << 20
		}
		x.send(http.StatusOK, "application/json", []byte(`{"images":`+strings.Repeat("[", n)+strings.Repeat("]", n)+`}`))
	case Hang:
		<-x.r.Context().Done()
	case Reset:
		reset(x.w)
	case Elsewhere:
		x.w.Header().Set("Location", f.To)
		x.html(http.StatusFound, "302 Found")
	default:
		x.html(http.StatusNotImplemented, "The simulator knows no fault "+string(f.Kind))
	}
}

// mangle sends a right answer in its own way.
func (f *Fault) mangle(x *exchange, status int, body []byte) {
	const kind = "application/json; charset=utf-8"
	switch f.Kind {
	case Slow:
		if !x.wait(f.Delay) {
			return
		}
	case Truncated:
		body = body[:len(body)/2]
	case CutOff:
		x.cutOff(kind, int64(len(body)), body[:len(body)/2])
		return
	case WrongTypes, Nulls, NoResults:
		var v any
		if err := json.Unmarshal(body, &v); err != nil {
			break // not one of ours
		}
		v = spoil(f.Kind, v, 0)
		if f.Kind == NoResults {
			v = spoilEmpty(v)
		}
		body = encode(v)
	}
	x.send(status, kind, body)
}

// spoil changes the values of pictures: what is below the first two levels.
func spoil(kind Kind, v any, depth int) any {
	switch v := v.(type) {
	case map[string]any:
		for k, x := range v {
			v[k] = spoil(kind, x, depth+1)
		}
		return v
	case []any:
		if depth > 1 && kind == WrongTypes {
			return "a list, once"
		}
		for i, x := range v {
			v[i] = spoil(kind, x, depth+1)
		}
		return v
	}
	if depth < 2 {
		return v
	}
	if kind == Nulls {
		return nil
	}
	if kind != WrongTypes {
		return v
	}
	switch v := v.(type) {
	case string:
		return len(v)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case bool:
		return strconv.FormatBool(v)
	}
	return map[string]any{}
}

// spoilEmpty leaves nothing found.
func spoilEmpty(v any) any {
	switch v := v.(type) {
	case []any:
		return []any{}
	case map[string]any:
		for k := range v {
			switch v[k].(type) {
			case []any:
				v[k] = []any{}
			case float64:
				v[k] = 0
			}
		}
	}
	return v
}

func (f *Fault) retryAfter(x *exchange) {
	if f.RetryAfter > 0 {
		seconds := (f.RetryAfter + time.Second - 1) / time.Second
		x.w.Header().Set("Retry-After", strconv.Itoa(int(seconds)))
	}
}

// huge is JSON that would be right if anybody had the memory for it.
func (f *Fault) huge(x *exchange) {
	left := f.Size
	if left <= 0 {
		left = 1 << 30
	}
	x.note(func(r *Request) { r.Status = http.StatusOK })
	x.w.Header().Set("Content-Type", "application/json")
	piece := []byte(strings.Repeat(`{"id":1,"tags":["safe"]},`, 2600))
	head, tail := []byte(`{"total":1,"interactions":[],"images":[`), []byte(`{"id":1}]}`)
	if _, err := x.w.Write(head); err != nil {
		return
	}
	for left -= int64(len(head) + len(tail)); left > 0 && x.r.Context().Err() == nil; left -= int64(len(piece)) {
		if _, err := x.w.Write(piece); err != nil {
			return
		}
	}
	_, _ = x.w.Write(tail)
}

// cutOff declares more than it sends, whereupon net/http ends the connection.
func (x *exchange) cutOff(contentType string, length int64, part []byte) {
	x.note(func(r *Request) { r.Status = http.StatusOK })
	x.w.Header().Set("Content-Type", contentType)
	x.w.Header().Set("Content-Length", strconv.FormatInt(length, 10))
	_, _ = x.w.Write(part)
	_ = http.NewResponseController(x.w).Flush()
}

// reset ends the connection with a TCP reset.
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return // not of this server: it speaks HTTP/1.1 alone
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // a close then sends RST
	}
	_ = conn.Close()
}
