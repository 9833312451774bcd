package discord

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/disgoorg/disgo/rest"
)

// Class says what a caller may do about an error.
type Class string

// The classes. After Transient and Rate nothing has happened; after Unknown it
// may have happened, so look before sending again.
const (
	Auth      Class = "auth"      // the token is refused
	Gone      Class = "gone"      // there is no such thing (any more)
	Forbidden Class = "forbidden" // the bot may not
	TooLarge  Class = "too large" // a file
	Invalid   Class = "invalid"   // refused for good (another 4xx)
	Rate      Class = "rate"      // not carried out; not before Error.RetryAt
	Transient Class = "transient" // certainly not carried out, or a read that may be repeated
	Unknown   Class = "unknown"   // an effect whose outcome nobody knows
)

// Error is the error of a request to Discord. It holds no token.
type Error struct {
	Class   Class
	Code    int       // Discord's own code, like 50013; 0 for none. Source: topics/opcodes-and-status-codes
	Status  int       // HTTP status; 0 when no answer came or nothing was sent
	RetryAt time.Time // set for Rate; by our clock
	// Bucket says that a Rate is the limit of one channel, guild or webhook:
	// elsewhere the bot may go on.
	Bucket bool
	// Edge says that the answer did not come from Discord's API but from what
	// stands before it: nothing was carried out by a 4xx.
	Edge bool
	// Complete tells an Unknown outcome with a whole answer (500, 501, 503) from
	// one without: after a whole answer the server is done with it.
	Complete bool
	// Fields are the errors of single fields (code 50035), as Discord sent
	// them. Source: reference, "Error Messages".
	Fields json.RawMessage
	Err    error // what was said, or lies beneath
}

// Error implements error.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("discord: " + string(e.Class))
	if e.Status != 0 {
		fmt.Fprintf(&b, ", status %d", e.Status)
	}
	if e.Code != 0 {
		fmt.Fprintf(&b, ", code %d", e.Code)
	}
	if e.Err != nil {
		b.WriteString(": " + e.Err.Error())
	}
	if len(e.Fields) > 0 {
		b.WriteString(": " + short(string(e.Fields)))
	}
	if !e.RetryAt.IsZero() {
		b.WriteString(" (again at " + e.RetryAt.UTC().Format(time.RFC3339) + ")")
	}
	return b.String()
}

// Unwrap returns what lies beneath.
func (e *Error) Unwrap() error { return e.Err }

// ClassOf returns the class of an error of this package, however wrapped; for
// nil it is empty. A foreign error counts as Unknown, the class that allows
// least.
func ClassOf(err error) Class {
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Class
	}
	return Unknown
}

// fault makes an *Error of what a call of d.rest, or of d.http, returned; nil
// stays nil. Every caller of those passes its error through it: disgo's own
// would print tokens, and can panic when printed.
func (d *Discord) fault(err error) error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	if re, ok := errors.AsType[*rest.Error](err); ok {
		if re == nil || re.Response == nil {
			return &Error{Class: Unknown, Err: errors.New("an answer that cannot be read")}
		}
		e := d.answered(re.Response, int(re.Code), re.Message, re.Errors)
		return e
	}
	if ue, ok := errors.AsType[*url.Error](err); ok { // its text has the address, and that a token
		e := &Error{Class: Unknown, Err: ue.Err}
		if strings.EqualFold(ue.Op, http.MethodGet) || notSent(ue.Err) {
			e.Class = Transient
		}
		return e
	}
	if _, ok := errors.AsType[*json.SyntaxError](err); ok {
		err = errors.New("an answer that is not Discord's: a web page, perhaps")
	}
	if _, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		err = errors.New("an answer that is not Discord's")
	}
	return &Error{Class: Unknown, Err: err}
}

// answered is the error of an answer with a status of 400 or more.
func (d *Discord) answered(rs *http.Response, code int, message string, fields json.RawMessage) *Error {
	e := &Error{Code: code, Status: rs.StatusCode, Fields: fields, Edge: rs.Header.Get(edgeHeader) != "", Err: errors.New(short(message))}
	if message == "" {
		e.Err = errors.New(http.StatusText(rs.StatusCode))
	}
	switch s := rs.StatusCode; {
	case s == http.StatusTooManyRequests:
		e.Class = Rate
		e.Bucket = !e.Edge && rs.Header.Get("X-RateLimit-Global") == "" && rs.Header.Get("X-RateLimit-Scope") != "global"
		e.RetryAt = d.Clock.Now().Add(retryAfter(rs.Header, time.Second))
	case e.Edge && s < 500:
		e.Class = Transient // refused at the door
	case s == http.StatusUnauthorized:
		e.Class = Auth
		if rs.Request != nil && strings.HasPrefix(rs.Request.Header.Get("Authorization"), "Bot ") {
			e.Err = errTokenRefused
		}
	case s == http.StatusForbidden:
		e.Class = Forbidden
	case s == http.StatusNotFound:
		e.Class = Gone
	case s == http.StatusRequestEntityTooLarge, code == 40005:
		e.Class = TooLarge
	case s < 500:
		e.Class = Invalid
	case rs.Request != nil && rs.Request.Method == http.MethodGet:
		e.Class = Transient
	default:
		e.Class = Unknown
		e.Complete = s != http.StatusBadGateway && s != http.StatusGatewayTimeout
	}
	return e
}

// notSent tells that a request did not reach anybody.
func notSent(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "dial"
}

// retryAfter reads how long a limit lasts.
func retryAfter(h http.Header, unknown time.Duration) time.Duration {
	for _, name := range []string{"Retry-After", "X-RateLimit-Reset-After"} {
		if d, ok := seconds(h.Get(name)); ok {
			return d
		}
	}
	return unknown
}

// longestLimit bounds what is believed of a limit.
const longestLimit = 24 * time.Hour

// seconds reads a number of seconds with a fraction, rounded up to a
// millisecond so that nobody comes too early.
func seconds(s string) (time.Duration, bool) {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || !(f >= 0) { // also NaN
		return 0, false
	}
	if f > longestLimit.Seconds() {
		return longestLimit, true
	}
	d := time.Duration(f * float64(time.Second))
	return (d + time.Millisecond - 1).Truncate(time.Millisecond), true
}

// short keeps what others wrote within a line.
func short(s string) string {
	const longest = 300
	s = strings.ToValidUTF8(strings.Join(strings.Fields(s), " "), "�")
	if len(s) <= longest {
		return s
	}
	cut := longest
	for cut > 0 && s[cut]&0xC0 == 0x80 {
		cut--
	}
	return s[:cut] + "…"
}

// ended is the error of a wait that the context cut off before anything was
// sent.
func ended(ctx context.Context) error { return &Error{Class: Transient, Err: context.Cause(ctx)} }
