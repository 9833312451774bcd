package outbox

import (
	"errors"
	"time"
)

// Outcome is what is known of a send that brought no id.
type Outcome int

// The outcomes.
const (
	Unknown  Outcome = iota // it may or may not be outside, or may be later
	NotSent                 // it certainly did not happen and may be tried again: a failed dial, a 429, a 401
	Rejected                // the server said no to this very request
)

// SendError is a send that brought no id.
type SendError struct {
	Outcome Outcome
	// Complete says that an Unknown answer was read whole (a 500), so that
	// the server has finished with it and settles sooner.
	Complete bool
	// RetryAt is when to try again after NotSent; zero leaves it to the back-off.
	RetryAt time.Time
	// Alone says that NotSent has its cause in this very effect: others of the
	// account need not wait.
	Alone bool
	// Doubtful says that a Rejected one has no reason that is known to last: a
	// server in trouble also answers like that.
	Doubtful bool
	// Reason is a short word for a Rejected one, stored and told to the owner.
	Reason string
	Err    error
}

func (e *SendError) Error() string { return e.Err.Error() }

// Unwrap gives the platform's own error.
func (e *SendError) Unwrap() error { return e.Err }

// asSendError takes anything else for an unknown outcome.
func asSendError(err error) *SendError {
	if e, ok := errors.AsType[*SendError](err); ok {
		return e
	}
	return &SendError{Outcome: Unknown, Err: err}
}
