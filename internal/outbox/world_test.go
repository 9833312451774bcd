package outbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"rookery/internal/clock"
	"rookery/internal/community"
)

// world is a server as the outbox meets it: it stores posts, now or late, and
// its answers arrive or do not.
type world struct {
	clock  *clock.Manual
	skew   time.Duration // the server's clock minus ours
	posts  []post
	late   []late
	next   func(a Attempt) fate // what becomes of the next send
	lookFn func() error         // what becomes of the next look
	nextID int
}

type post struct {
	id, want string
	part     int
	at       time.Time
}

type late struct {
	at time.Time
	p  post
}

// fate is what happens to one request.
type fate struct {
	store   bool          // the server stores the post
	after   time.Duration // so long after the request, if not at once
	crash   bool          // the process dies while it waits for the answer
	err     error         // the answer; nil is a good one
	between func()        // something else happens while the request is in flight
}

type crashed struct{}

func (w *world) now() time.Time { return w.clock.Now().Add(w.skew) }

// settle stores what has become due.
func (w *world) settle() {
	rest := w.late[:0]
	for _, l := range w.late {
		if l.at.After(w.now()) {
			rest = append(rest, l)
			continue
		}
		w.posts = append(w.posts, l.p)
	}
	w.late = rest
}

func (w *world) count(want string, part int) int {
	n := 0
	for _, p := range w.posts {
		if p.want == want && p.part == part {
			n++
		}
	}
	return n
}

// creates makes posts; the payload is the name of the wanted post.
type creates struct{ w *world }

func (creates) Name() string                        { return "test.create" }
func (k creates) Now(community.AccountID) time.Time { return k.w.now() }
func (creates) KeepsKey(community.AccountID) bool   { return false }

func name(raw json.RawMessage) string {
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		panic(err)
	}
	return s
}

func (k creates) Send(_ context.Context, a Attempt) (string, error) {
	w := k.w
	f := w.next(a)
	w.nextID++
	p := post{id: fmt.Sprint("id", w.nextID), want: name(a.Payload), part: a.Part, at: w.now()}
	if f.between != nil {
		f.between()
	}
	switch {
	case f.store && f.after > 0:
		w.late = append(w.late, late{w.now().Add(f.after), p})
	case f.store:
		w.posts = append(w.posts, p)
	}
	if f.crash {
		panic(crashed{})
	}
	if f.err != nil {
		return "", f.err
	}
	return p.id, nil
}

func (k creates) Find(ctx context.Context, a Attempt, free func(context.Context, string) (bool, error)) (Found, error) {
	k.w.settle()
	if k.w.lookFn != nil {
		if err := k.w.lookFn(); err != nil {
			return Found{}, err
		}
	}
	for _, p := range k.w.posts {
		if p.want != name(a.Payload) || p.part != a.Part || p.at.Before(a.First.Add(-2*time.Minute)) {
			continue
		}
		ok, err := free(ctx, p.id)
		if err != nil {
			return Found{}, err
		}
		if ok {
			return Found{ID: p.id, AsOf: k.w.now()}, nil
		}
	}
	// Dates on the wire have whole seconds.
	return Found{AsOf: k.w.now().Truncate(time.Second)}, nil
}

// deletes removes everything the lane has made; harmless to repeat.
type deletes struct{ w *world }

func (deletes) Name() string                        { return "test.delete" }
func (k deletes) Now(community.AccountID) time.Time { return k.w.now() }
func (deletes) DropsUnsent()                        {}

func (k deletes) Send(_ context.Context, a Attempt) (string, error) {
	f := k.w.next(a)
	if f.store {
		gone := map[string]bool{}
		for _, id := range a.Made {
			gone[id] = true
		}
		rest := k.w.posts[:0]
		for _, p := range k.w.posts {
			if !gone[p.id] {
				rest = append(rest, p)
			}
		}
		k.w.posts = rest
	}
	if f.crash {
		panic(crashed{})
	}
	return "", f.err
}

var (
	errReset    = &SendError{Outcome: Unknown, Err: errors.New("connection reset")}
	errWhole500 = &SendError{Outcome: Unknown, Complete: true, Err: errors.New("500")}
	errDial     = &SendError{Outcome: NotSent, Err: errors.New("connection refused")}
	errMoody    = &SendError{Outcome: Rejected, Doubtful: true, Reason: "invalid", Err: errors.New("422: Record not found")}
	err422      = &SendError{Outcome: Rejected, Reason: "422", Err: errors.New("422")}
)
