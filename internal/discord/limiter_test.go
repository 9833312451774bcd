package discord

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/disgoorg/disgo/rest"

	"rookery/internal/clock"
	"rookery/internal/outbox"
)

var (
	begin   = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	toWrite = rest.CreateMessage.Compile(nil, 5)
	toOther = rest.CreateMessage.Compile(nil, 6)
	toPress = rest.CreateInteractionResponse.Compile(nil, 7, "token")
)

func answer(status int, body string, headers ...string) *http.Response {
	h := http.Header{}
	for i := 0; i < len(headers); i += 2 {
		h.Set(headers[i], headers[i+1])
	}
	return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader(body))}
}

// held asks for a place with a deadline that is about over; it returns until
// when the limiter would have held the request back.
func held(t *testing.T, l *limiter, e *rest.CompiledEndpoint) time.Duration {
	t.Helper()
	ctx, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	r := l.routes[routeKey(e)]
	if r == nil {
		r = &route{busy: make(chan struct{}, 1), window: &window{}}
		l.routes[routeKey(e)] = r
	}
	until, err := l.claim(r, exempt(e))
	if err == nil && !until.IsZero() {
		err = l.sleep(ctx, until)
	}
	if err == nil {
		return 0
	}
	var e2 *Error
	if !errors.As(err, &e2) || e2.Class != Rate {
		t.Fatalf("%v", err)
	}
	return e2.RetryAt.Sub(l.clock.Now())
}

func send(t *testing.T, l *limiter, e *rest.CompiledEndpoint, rs *http.Response) {
	t.Helper()
	if err := l.Wait(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	if err := l.Unlock(e, rs); err != nil {
		t.Fatal(err)
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	const page = "<html>slow down</html>"
	for name, c := range map[string]struct {
		rs                  *http.Response
		write, other, press time.Duration
	}{
		"nothing said": {rs: answer(200, "{}")},
		"bucket used up, fraction": {
			rs:    answer(200, "{}", "X-RateLimit-Bucket", "b", "X-RateLimit-Remaining", "0", "X-RateLimit-Reset-After", "0.75"),
			write: 750 * time.Millisecond,
		},
		"bucket with room": {rs: answer(200, "{}", "X-RateLimit-Bucket", "b", "X-RateLimit-Remaining", "3", "X-RateLimit-Reset-After", "2")},
		"429 of the bucket": {
			rs:    answer(429, `{"retry_after":1.337,"global":false}`, "X-RateLimit-Bucket", "b", "Retry-After", "1", "X-RateLimit-Scope", "user"),
			write: 1337 * time.Millisecond,
		},
		"429 of everything, without a bucket": {
			rs:    answer(429, `{"retry_after":3.5,"global":true}`, "Retry-After", "4", "X-RateLimit-Global", "true"),
			write: 4 * time.Second, other: 4 * time.Second,
		},
		"429 with a page":           {rs: answer(429, page, "Retry-After", "7"), write: 7 * time.Second, other: 7 * time.Second},
		"429 with a page, no time":  {rs: answer(429, page), write: edgeLimit, other: edgeLimit},
		"429 that was made JSON":    {rs: answer(429, `{"code":0}`, edgeHeader, "1"), write: edgeLimit, other: edgeLimit},
		"429 with nonsense":         {rs: answer(429, `{"retry_after":"soon"}`, "Retry-After", "soon"), write: edgeLimit, other: edgeLimit},
		"429 that says very little": {rs: answer(429, `{}`), write: time.Second},
		"429 for ever":              {rs: answer(429, `{"retry_after":1e300}`), write: longestLimit},
		"reset that is no number":   {rs: answer(200, "{}", "X-RateLimit-Bucket", "b", "X-RateLimit-Remaining", "0", "X-RateLimit-Reset-After", "NaN")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLimiter(clock.NewManual(begin), func(error) {})
			send(t, l, toWrite, c.rs)
			if got := held(t, l, toWrite); got != c.write {
				t.Errorf("the same again: %v, want %v", got, c.write)
			}
			if got := held(t, l, toOther); got != c.other {
				t.Errorf("another channel: %v, want %v", got, c.other)
			}
			if got := held(t, l, toPress); got != c.press {
				t.Errorf("an interaction: %v, want %v", got, c.press)
			}
		})
	}
}

// A limit of one channel holds up that channel and nothing else of the bot; one
// of the whole bot says so.
func TestWhomALimitConcerns(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		rs     *http.Response
		bucket bool
	}{
		"a bucket":        {answer(429, `{"retry_after":50,"global":false}`, "X-RateLimit-Bucket", "b", "X-RateLimit-Scope", "user"), true},
		"used up":         {answer(200, "{}", "X-RateLimit-Bucket", "b", "X-RateLimit-Remaining", "0", "X-RateLimit-Reset-After", "50"), true},
		"the whole bot":   {answer(429, `{"retry_after":50,"global":true}`, "X-RateLimit-Global", "true"), false},
		"the edge's page": {answer(429, "<html>", "Retry-After", "50"), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLimiter(clock.NewManual(begin), func(error) {})
			send(t, l, toWrite, c.rs)
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			err := sendError(l.Wait(ctx, toWrite))
			s, ok := errors.AsType[*outbox.SendError](err)
			if !ok || s.Outcome != outbox.NotSent || s.Alone != c.bucket || s.RetryAt.IsZero() {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestALimitEnds(t *testing.T) {
	t.Parallel()
	c := clock.NewManual(begin)
	l := newLimiter(c, func(error) {})
	send(t, l, toWrite, answer(429, `{"retry_after":0.5,"global":true}`))
	done := make(chan error, 1)
	go func() { done <- l.Wait(t.Context(), toWrite) }()
	for {
		select {
		case err := <-done:
			if err != nil || c.Now().Sub(begin) < 500*time.Millisecond {
				t.Errorf("after %v: %v", c.Now().Sub(begin), err)
			}
			return
		default:
			c.Advance(50 * time.Millisecond)
		}
	}
}

func TestFiftyASecond(t *testing.T) {
	t.Parallel()
	c := clock.NewManual(begin)
	l := newLimiter(c, func(error) {})
	for range globalRate {
		send(t, l, toWrite, answer(200, ""))
	}
	if got := held(t, l, toOther); got != time.Second {
		t.Errorf("the 51st waits %v", got)
	}
	if got := held(t, l, toPress); got != 0 {
		t.Errorf("an interaction waits %v", got)
	}
	c.Advance(time.Second)
	if got := held(t, l, toOther); got != 0 {
		t.Errorf("a second later it waits %v", got)
	}
}

func TestRequestsOfOneRouteFollowEachOther(t *testing.T) {
	t.Parallel()
	l := newLimiter(clock.NewManual(begin), func(error) {})
	if err := l.Wait(t.Context(), toWrite); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	second := make(chan error, 1)
	go func() { second <- l.Wait(ctx, toWrite) }()
	send(t, l, toOther, answer(200, ""))
	cancel()
	if err := <-second; ClassOf(err) != Transient {
		t.Errorf("given up: %v", err)
	}
	if err := l.Unlock(toWrite, nil); err != nil {
		t.Fatal(err)
	}
	send(t, l, toWrite, answer(200, ""))
}

func TestRefusedRequestsSlowDownAndStop(t *testing.T) {
	t.Parallel()
	c := clock.NewManual(begin)
	var told []error
	l := newLimiter(c, func(err error) { told = append(told, err) })
	l.invalid.slow, l.invalid.stop, l.invalid.calm = 5, 8, 2
	for range 9 {
		send(t, l, toPress, answer(429, `{"retry_after":0}`, "Retry-After", "0", "X-RateLimit-Scope", "shared"))
	}
	if got := held(t, l, toWrite); got != 0 || len(told) != 0 {
		t.Fatalf("shared limits count: %v, %v", got, told)
	}
	for i, status := range []int{401, 403, 429, 404, 400, 401, 403} {
		send(t, l, toPress, answer(status, `{"retry_after":0}`, "Retry-After", "0"))
		if want := i == 6; want != (len(told) == 1) {
			t.Fatalf("after %d: told %v", i+1, told)
		}
	}
	if got := held(t, l, toOther); got != time.Second {
		t.Errorf("slow: %v", got)
	}
	for range 3 {
		send(t, l, toPress, answer(403, ""))
	}
	if err := l.Wait(t.Context(), toPress); ClassOf(err) != Rate {
		t.Errorf("none should be sent now: %v", err)
	}
	c.Advance(invalidSpan + time.Minute)
	if got := held(t, l, toWrite); got != 0 {
		t.Errorf("ten minutes later: %v", got)
	}
	if len(told) != 2 || told[0] == nil || told[1] != nil {
		t.Errorf("told %v", told)
	}
}

func TestForgottenRoutes(t *testing.T) {
	t.Parallel()
	c := clock.NewManual(begin)
	l := newLimiter(c, func(error) {})
	for i := range 3 * manyRoutes {
		send(t, l, rest.CreateMessage.Compile(nil, i), answer(200, ""))
		c.Advance(time.Second)
	}
	if len(l.routes) > manyRoutes {
		t.Errorf("%d routes are kept", len(l.routes))
	}
}
