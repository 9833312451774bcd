package llm

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"
)

const (
	// shortWait is the longest wait asked for by an endpoint that is waited
	// out here: a longer one would hold a worker that others need.
	shortWait   = 10 * time.Second
	longestWait = 24 * time.Hour
)

// waits is a row of growing, jittered pauses for one call.
func (c *Client) waits() *backoff.ExponentialBackOff {
	b := backoff.NewExponentialBackOff()
	b.InitialInterval = c.pause
	b.MaxInterval = shortWait
	return b
}

// retry says whether another attempt can help and how long to wait before it.
func (c *Client) retry(ctx context.Context, err *Error, tries int, waits backoff.BackOff) (time.Duration, bool) {
	if tries >= c.opt.Retries || ctx.Err() != nil || (err.Class != Transient && err.Class != Rate) {
		return 0, false
	}
	wait := waits.NextBackOff()
	if !err.RetryAt.IsZero() {
		asked := err.RetryAt.Sub(c.now())
		if asked > shortWait {
			return 0, false
		}
		wait = max(wait, asked)
	}
	if end, ok := ctx.Deadline(); ok && time.Until(end) <= wait { //nolint:forbidigo // a deadline is in the machine's time
		return 0, false
	}
	return wait, true
}

// sleep waits for d; it is false if ctx ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// retryAt is when the endpoint asks to be tried again, by our clock: zero when
// it does not say. retry-after-ms is OpenAI's and Azure's; Retry-After holds
// seconds or a date (https://www.rfc-editor.org/rfc/rfc9110#field.retry-after).
func (c *Client) retryAt(h http.Header) time.Time {
	now := c.now()
	wait, ok := retryAfter(h, now)
	if !ok {
		return time.Time{}
	}
	return now.Add(wait)
}

// retryAfter is never negative and never over longestWait. A date is read
// against the endpoint's own clock if it tells it, otherwise against now.
func retryAfter(h http.Header, now time.Time) (time.Duration, bool) {
	if ms, err := strconv.ParseFloat(strings.TrimSpace(h.Get("Retry-After-Ms")), 64); err == nil {
		return bounded(ms / 1000), true
	}
	v := strings.TrimSpace(h.Get("Retry-After"))
	if s, err := strconv.ParseFloat(v, 64); err == nil {
		return bounded(s), true
	}
	at, err := http.ParseTime(v)
	if err != nil {
		return 0, false
	}
	if theirs, err := http.ParseTime(h.Get("Date")); err == nil {
		now = theirs
	}
	return bounded(at.Sub(now).Seconds()), true
}

func bounded(seconds float64) time.Duration {
	if !(seconds > 0) { // also not a number
		return 0
	}
	return time.Duration(min(seconds, longestWait.Seconds()) * float64(time.Second))
}
