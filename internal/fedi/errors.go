package fedi

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Class says what a caller may do about an error.
type Class string

// The classes. Transient and Unknown are the pair that matters for effects:
// after Transient nothing has happened and the call may be made again; after
// Unknown it may have happened, so look before sending again.
const (
	Auth          Class = "auth"           // the token is refused: log in again
	Gone          Class = "gone"           // there is no such thing (any more), or not for this account
	Unsupported   Class = "unsupported"    // this server cannot do that
	RejectedMedia Class = "rejected media" // the server does not take this file: try another form of it
	NoMedia       Class = "no media"       // a file that the post attaches is not there (any more) or could not be processed: upload it again
	TooLong       Class = "too long"       // the text is over the server's limit
	Invalid       Class = "invalid"        // refused for good (another 4xx), or refused here before sending
	Rate          Class = "rate"           // not carried out; not before Error.RetryAt
	Transient     Class = "transient"      // certainly not carried out, or a read that may be repeated
	Unknown       Class = "unknown"        // an effect whose outcome nobody knows
)

// Error is the one error type of the client's calls. It never holds the token.
type Error struct {
	Class  Class
	Status int    // HTTP status of the answer; 0 when none came or nothing was sent
	Method string // of the request
	Path   string // of the request, without query
	// Message is for a person: what the server said, or what came instead of
	// an answer. Servers localise it, so nothing may depend on it.
	Message string
	// RetryAt is set for Rate, and where a 503 names a time; by our clock.
	RetryAt time.Time
	// Complete tells an Unknown outcome that came with a whole answer (500,
	// 501, 503) from one without (time-out, reset, 502, 504, a cut or
	// unreadable 2xx): after a whole answer the server is done with it.
	Complete bool
	Err      error // what lies beneath; may be nil
}

// Error implements error.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s: ", e.Method, e.Path)
	if e.Status != 0 {
		fmt.Fprintf(&b, "status %d: ", e.Status)
	}
	b.WriteString(string(e.Class))
	if e.Message != "" {
		b.WriteString(": ")
		b.WriteString(e.Message)
	}
	if e.Err != nil {
		b.WriteString(": ")
		b.WriteString(e.Err.Error())
	}
	if !e.RetryAt.IsZero() {
		b.WriteString(" (again at ")
		b.WriteString(e.RetryAt.UTC().Format(time.RFC3339))
		b.WriteByte(')')
	}
	return b.String()
}

// Unwrap returns what lies beneath.
func (e *Error) Unwrap() error { return e.Err }

// ClassOf returns the class of an error of this package, however wrapped; for
// nil it is empty. A foreign error counts as Transient if it is a context's
// end before anything of ours was called, otherwise as Unknown, the class
// that allows least.
func ClassOf(err error) Class {
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Class
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return Transient
	}
	return Unknown
}
