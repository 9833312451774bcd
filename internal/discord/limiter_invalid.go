package discord

import (
	"errors"
	"time"
)

// Discord bans an address for some hours after 10,000 requests in 10 minutes
// that were answered 401, 403 or 429. Source: topics/rate-limits, "Invalid
// Request Limit aka CloudFlare Bans". Other programs may share the address, so
// we stop well before.
const (
	invalidSlow  = 3000 // from here one request a second
	invalidStop  = 6000 // from here none
	invalidCalm  = 1000 // below, the operator is told that it is over
	invalidSpan  = 10 * time.Minute
	invalidSteps = 10 // the span is counted in so many steps
)

// invalids counts refused requests of the last 10 minutes.
type invalids struct {
	slow, stop, calm int
	tell             func(error)
	told, over       bool      // over: the operator is yet to hear that it is
	last             time.Time // of any request
	steps            [invalidSteps + 1]struct {
		began time.Time
		n     int
	}
}

func newInvalids(tell func(error)) invalids {
	return invalids{slow: invalidSlow, stop: invalidStop, calm: invalidCalm, tell: tell}
}

// total is how many there were, and when the oldest of them no longer count.
func (v *invalids) total(now time.Time) (n int, eases time.Time) {
	for _, s := range v.steps {
		over := s.began.Add(invalidSpan + invalidSpan/invalidSteps)
		if s.n == 0 || !over.After(now) {
			continue
		}
		n += s.n
		if eases.IsZero() || over.Before(eases) {
			eases = over
		}
	}
	return n, eases
}

// wait says until when to hold a request back; the error, that none is sent
// at all.
func (v *invalids) wait(now time.Time, exempt bool) (time.Time, error) {
	n, eases := v.total(now)
	if v.told && n < v.calm {
		v.told, v.over = false, true
	}
	switch {
	case n >= v.stop:
		return time.Time{}, &Error{Class: Rate, RetryAt: eases, Err: errTooManyRefused}
	case n >= v.slow && !exempt:
		return v.last.Add(time.Second), nil
	}
	return time.Time{}, nil
}

var errTooManyRefused = errors.New("too many requests were refused in the last 10 minutes; Discord would soon block this address, so none is sent for now")

// count notes a refused request. The result, if any, is to be called without
// the limiter's mutex.
func (v *invalids) count(now time.Time) func() {
	began := now.Truncate(invalidSpan / invalidSteps)
	step := &v.steps[0]
	for i := range v.steps {
		if v.steps[i].began.Equal(began) {
			step = &v.steps[i]
			break
		}
		if v.steps[i].began.Before(step.began) {
			step = &v.steps[i]
		}
	}
	if !step.began.Equal(began) {
		step.began, step.n = began, 0
	}
	step.n++
	if n, _ := v.total(now); n < v.slow || v.told {
		return nil
	}
	v.told = true
	return func() { v.tell(errTooManyRefused) }
}
