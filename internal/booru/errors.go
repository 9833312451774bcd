package booru

import (
	"errors"
	"fmt"
	"time"
)

// Class sorts failures by what a caller can do about them.
type Class string

// The classes of failure.
const (
	// Rate: asked too often, by our own count or the board's; RetryAt is set.
	Rate Class = "rate"
	// Busy: the board is overloaded, or shields itself with a challenge page;
	// RetryAt is set and grows with each failure in a row.
	Busy Class = "busy"
	// Refused: this query cannot be asked. Error.Reason says why, in a form
	// that a member can be told. The same query will be refused again.
	Refused Class = "refused"
	// Denied: the board does not serve this program or its account. Only the
	// operator can mend it.
	Denied Class = "denied"
	// Broken: what came is no answer of such a board. RetryAt is set.
	Broken Class = "broken"
	// Unreachable: no answer, or only a part of one. RetryAt is set, but where
	// the caller itself gave up.
	Unreachable Class = "unreachable"
)

// Reason says why a query is refused.
type Reason string

// The reasons for the class Refused.
const (
	// TooManyTags: the board takes Error.Most tags of a member and no more.
	TooManyTags Reason = "too_many_tags"
	// BadTag: Error.Tag cannot be said in the board's language as a tag: it
	// would be an operator, a field or a wildcard there.
	BadTag Reason = "bad_tag"
	// TooLong: the whole query is too long for an address.
	TooLong Reason = "too_long"
	// NotUnderstood: the board itself refused the query.
	NotUnderstood Reason = "not_understood"
)

// Error is a failed search. Its text is for the operator, says what to do, and
// never holds the key.
type Error struct {
	Class   Class
	Source  string    // Name of the Source
	Status  int       // HTTP status of the answer; 0 when none came
	RetryAt time.Time // when to ask the board again; zero when time does not help

	Reason Reason // with class Refused
	Tag    string // with BadTag: the tag as the member said it
	Most   int    // with TooManyTags: how many tags of a member fit

	text string
	err  error
}

// Error implements error.
func (e *Error) Error() string { return e.Source + ": " + e.text }

// Unwrap gives the cause, where there is one: a network error, or
// context.Canceled or context.DeadlineExceeded.
func (e *Error) Unwrap() error { return e.err }

// ClassOf is the class of an error that Find returned, also when it has been
// wrapped since; "" for nil and for any other error.
func ClassOf(err error) Class {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Class
	}
	return ""
}

func badTag(tag, why string) *Error {
	return &Error{
		Class: Refused, Reason: BadTag, Tag: tag,
		text: fmt.Sprintf("the tag %q cannot be searched for: %s; leave it out or write it differently", tag, why),
	}
}

func tooMany(most int) *Error {
	return &Error{
		Class: Refused, Reason: TooManyTags, Most: most,
		text: fmt.Sprintf("a search may have %d tags at most: leave some out, or give an account with a higher limit", most),
	}
}
