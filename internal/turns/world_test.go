package turns

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"rookery/internal/clock"
	"rookery/internal/community"
	"rookery/internal/inbox"
	"rookery/internal/jobs"
	"rookery/internal/store"
	"rookery/internal/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for an event before it gives up. It is no
// measure of anything.
const patience = 60 * time.Second

const ours community.AccountID = "acc"

// feature takes the mentions that begin with its name.
type feature struct {
	*Turns
	name string
}

var _ inbox.Feature = feature{}

func (f feature) Name() string { return f.name }

func (f feature) Wants(m community.Mention) (bool, string) {
	return strings.HasPrefix(m.Post.Text, f.name), "not for " + f.name
}

// world is a database with an inbox and two features that use one table.
type world struct {
	*testing.T
	s     *store.Store
	clock *clock.Manual // what the features go by
	inbox *inbox.Inbox
	a     inbox.Account
	one   feature
	two   feature
	asked int
}

func each(t *testing.T, fn func(w *world)) {
	t.Helper()
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := &world{T: t, s: s, clock: clock.NewManual(time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC))}
		w.inbox = inbox.New(s, w.clock, w.log())
		w.one, w.two = w.feature("one"), w.feature("two")
		w.a = inbox.Account{ID: ours, Features: []inbox.Feature{w.one, w.two}, Backlog: true}
		if _, err := w.inbox.Begin(t.Context(), w.a, w.clock.Now()); err != nil {
			t.Fatal(err)
		}
		fn(w)
	}, jobs.Migrations(), inbox.Migrations(), Migrations())
}

func (w *world) log() *slog.Logger {
	return slog.New(slog.NewTextHandler(w.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
}

// feature is what a further process has of a feature.
func (w *world) feature(name string, change ...func(*Config)) feature {
	c := Config{Store: w.s, Clock: w.clock, Log: w.log(), Feature: name, Takes: time.Minute}
	for _, fn := range change {
		fn(&c)
	}
	return feature{New(c), name}
}

// ask has a member mention us, for the feature whose name the text begins
// with, a second after whoever asked before.
func (w *world) ask(handle, text string) {
	w.Helper()
	w.asked++
	w.clock.Advance(time.Second)
	m := community.Mention{Account: ours, Notified: w.clock.Now(), Post: community.Post{
		ID: community.PostID(fmt.Sprint("p", w.asked)), URI: fmt.Sprint("https://art.example/", w.asked), Text: text, At: w.clock.Now(),
		Author: community.Member{ID: community.MemberID(handle), Handle: handle},
	}}
	n, err := w.inbox.Take(w.Context(), w.a, inbox.Page{Items: []inbox.Item{{Mention: m}}, Now: w.clock.Now()})
	if n != 1 || err != nil {
		w.Fatalf("%d mentions taken: %v", n, err)
	}
}

// pick picks a mention, which must be there.
func (w *world) pick(f feature) Waiting {
	w.Helper()
	v, ok, err := f.Pick(w.Context(), ours)
	if !ok || err != nil {
		w.Fatalf("picked %v: %v", ok, err)
	}
	return v
}

// picksNothing fails if the feature has something to pick.
func (w *world) picksNothing(f feature, when string) {
	w.Helper()
	if v, ok, err := f.Pick(w.Context(), ours); ok || err != nil {
		w.Errorf("%s %q was picked, error %v", when, v.Mention.Post.Text, err)
	}
}

// ok fails if something went wrong.
func (w *world) ok(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) write(fn func(ctx context.Context, tx store.Tx) error) {
	w.Helper()
	w.ok(w.s.Write(w.Context(), fn))
}

// held ends the waiting of a mention, and tells whether it was still held.
func (w *world) held(f feature, v Waiting) (mine bool) {
	w.Helper()
	w.write(func(ctx context.Context, tx store.Tx) (err error) {
		mine, err = f.Held(ctx, tx, v)
		return err
	})
	return mine
}

// waits fails unless so many mentions wait for the feature.
func (w *world) waits(f feature, want int) {
	w.Helper()
	n, _, err := f.Waiting(w.Context())
	if n != want || err != nil {
		w.Errorf("%d wait for %s (%v), not %d", n, f.name, err, want)
	}
}

// are fails unless the mentions are in these states, as "map[…]".
func (w *world) are(want map[inbox.State]int) {
	w.Helper()
	got, err := w.inbox.Counts(w.Context(), ours)
	if fmt.Sprint(got) != fmt.Sprint(want) || err != nil {
		w.Errorf("the mentions are %v (%v), not %v", got, err, want)
	}
}

// row is the state of the only waiting row of a feature.
func (w *world) row(f feature) (attempts, declined int64, next time.Duration, lastError string) {
	w.Helper()
	var at int64
	w.ok(w.s.QueryRow(w.Context(), `select attempts, declined, next_at, last_error from turns_waiting where feature = $1`, f.name).
		Scan(&attempts, &declined, &at, &lastError))
	if at != 0 {
		next = time.UnixMilli(at).Sub(w.clock.Now())
	}
	return attempts, declined, next, lastError
}
