package llmsim

import (
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Kind is a way to fail.
type Kind string

// The faults. Those above the line come whatever the request is; those below
// take the place of an answer, so a wrong request still gets its own error.
const (
	RateLimited Kind = "429"    // with Retry-After, if Fault.RetryAfter is given
	OutOfQuota  Kind = "quota"  // 429 that no waiting helps against
	ServerError Kind = "500"    //
	Unavailable Kind = "503"    // with Retry-After, if Fault.RetryAfter is given
	WrongKey    Kind = "401"    //
	Hang        Kind = "hang"   // nothing, until the client leaves
	Reset       Kind = "reset"  // the connection is reset without an answer
	HTMLPage    Kind = "html"   // 200 and a web page
	BadGateway  Kind = "502"    // a web page of a proxy
	Prohibited  Kind = "policy" // 400 image_content_policy_violation
	// ———
	Slow         Kind = "slow"          // the right answer after Fault.Delay
	PlainText    Kind = "plain-text"    // the right answer as text/plain
	NoChoices    Kind = "no-choices"    // choices is empty
	EmptyContent Kind = "empty-content" // content is ""
	Refuses      Kind = "refuses"       // content is null, refusal is Fault.Text
	Huge         Kind = "huge"          // an answer of Fault.Size bytes, 1 MiB if not given
	Truncated    Kind = "truncated"     // a complete body that holds half of the JSON
	CutOff       Kind = "cut-off"       // half a body, then the connection ends
	NotJSON      Kind = "not-json"      // application/json that is none
	Endless      Kind = "endless"       // a body without an end; Fault.Delay between its pieces
	Says         Kind = "says"          // the answer is Fault.Text
	CutShort     Kind = "cut-short"     // the answer ends in the middle: finish_reason is length
	Filtered     Kind = "filtered"      // content is "", finish_reason is content_filter
)

// Always is a number of Times without an end.
const Always = -1

// Fault is a failure that waits for requests.
type Fault struct {
	Kind        Kind
	Times       int                // requests that it meets; 0 means once, Always all
	Probability float64            // above 0 and below 1: meets a request by this chance only
	When        func(Request) bool // nil: any request
	RetryAfter  time.Duration      // of RateLimited and Unavailable, in whole seconds, rounded up
	Delay       time.Duration      // of Slow and Endless
	Size        int                // of Huge
	Text        string             // of Says, Refuses and CutShort (which sends half of it)
}

// Inject adds faults. A request meets the first that fits it, in the order in
// which they were added. When is called with the server locked and must not
// call it.
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

// pick finds the fault for a request and counts it. The lock is held.
func (s *Server) pick(req Request) *Fault {
	for i, f := range s.faults {
		if f.When != nil && !f.When(req) {
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
		return f
	}
	return nil
}

// early reports whether the fault comes before the request is looked at.
func (f *Fault) early() bool {
	switch f.Kind {
	case Slow, PlainText, NoChoices, EmptyContent, Refuses, Huge, Truncated, CutOff, NotJSON, Endless, Says, CutShort, Filtered:
		return false
	}
	return true
}

// do lets the request fail.
func (f *Fault) do(x *exchange, req Request) outcome {
	s := x.s
	switch f.Kind {
	case RateLimited:
		f.retryAfter(x)
		x.fail(http.StatusTooManyRequests, apiError{"requests", "rate_limit_exceeded", "", "Rate limit reached for requests. Please try again later."})
	case OutOfQuota:
		x.fail(http.StatusTooManyRequests, apiError{"insufficient_quota", "insufficient_quota", "", "You exceeded your current quota, please check your plan and billing details."})
	case ServerError:
		x.fail(http.StatusInternalServerError, apiError{"server_error", "", "", "The server had an error while processing your request."})
	case Unavailable:
		f.retryAfter(x)
		x.fail(http.StatusServiceUnavailable, apiError{"service_unavailable_error", "server_is_overloaded", "", "The engine is currently overloaded, please try again later."})
	case WrongKey:
		x.fail(http.StatusUnauthorized, wrongKey())
	case HTMLPage:
		x.send(http.StatusOK, "text/html; charset=utf-8", []byte("<!DOCTYPE html><title>Welcome</title><p>This is not the API that you are looking for."))
	case BadGateway:
		x.send(http.StatusBadGateway, "text/html", []byte("<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"))
	case Hang:
		x.observe(0, "", nil)
		<-x.r.Context().Done()
		return left
	case Reset:
		x.observe(0, "", nil)
		reset(x.w)
	case Slow:
		return s.answer(x, req, s.opt.Answer(req), f.Delay)
	case Refuses:
		text := f.Text
		if text == "" {
			text = "I'm sorry, but I can't help with that."
		}
		return s.answer(x, req, Answer{Refusal: text}, 0)
	case EmptyContent:
		return s.answer(x, req, Answer{}, 0)
	case CutShort:
		a := s.opt.Answer(req)
		if f.Text != "" {
			a = Answer{Text: f.Text}
		}
		text := []rune(a.Text)
		return s.answer(x, req, Answer{Text: string(text[:len(text)/2]), Finish: "length"}, 0)
	case Filtered:
		return s.answer(x, req, Answer{Finish: "content_filter"}, 0)
	case Prohibited:
		x.fail(http.StatusBadRequest, apiError{"invalid_request_error", "image_content_policy_violation", "", "The image may contain content that is not allowed by our safety system."})
	case Says:
		return s.answer(x, req, Answer{Text: f.Text}, 0)
	case Huge:
		n := f.Size
		if n <= 0 {
			n = 1 << 20
		}
		req.MaxTokens = 0 // it keeps to nothing
		return s.answer(x, req, Answer{Text: strings.Repeat("tick tock ", n/10+1)[:n]}, 0)
	case PlainText:
		x.send(http.StatusOK, "text/plain; charset=utf-8", s.completion(req, s.opt.Answer(req)))
		return answered
	case NoChoices:
		req.N = 0
		x.send(http.StatusOK, "application/json", s.completion(req, Answer{}))
	case Truncated:
		body := s.completion(req, s.opt.Answer(req))
		x.send(http.StatusOK, "application/json", body[:len(body)/2])
	case NotJSON:
		x.send(http.StatusOK, "application/json", []byte(`{'choices': [tick, tock,]}`))
	case CutOff:
		x.observe(0, "", nil)
		body := s.completion(req, s.opt.Answer(req))
		x.w.Header().Set("Content-Type", "application/json")
		x.w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		_, _ = x.w.Write(body[:len(body)/2])
		_ = http.NewResponseController(x.w).Flush()
		return failed // fewer bytes than declared: net/http ends the connection
	case Endless:
		x.observe(0, "", nil)
		f.endless(x, req)
		return left
	default:
		x.fail(http.StatusInternalServerError, apiError{"server_error", "", "", "The simulator knows no fault of the kind " + string(f.Kind) + "."})
	}
	return failed
}

func (f *Fault) retryAfter(x *exchange) {
	if f.RetryAfter > 0 {
		seconds := (f.RetryAfter + time.Second - 1) / time.Second
		x.w.Header().Set("Retry-After", strconv.Itoa(int(seconds)))
	}
}

// endless begins a right answer and never stops talking.
func (f *Fault) endless(x *exchange, req Request) {
	whole := string(x.s.completion(req, Answer{Text: "tick"}))
	head, _, _ := strings.Cut(whole, "tick")
	piece := strings.Repeat("tick tock ", 6)
	if f.Delay <= 0 {
		piece = strings.Repeat(piece, 500)
	}
	x.w.Header().Set("Content-Type", "application/json")
	flush := http.NewResponseController(x.w)
	for next := head; ; next = piece {
		if _, err := x.w.Write([]byte(next)); err != nil {
			return
		}
		if flush.Flush() != nil || !x.wait(f.Delay) {
			return
		}
	}
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
