package outbox

import (
	"context"
	"slices"
	"testing"
	"time"

	"rookery/internal/store"
)

// While sending is paused nothing leaves, in whatever process, after a restart
// too; what was planned meanwhile is sent once when it is resumed.
func TestPausedNothingLeavesAndNothingIsLost(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		a, b := h.process(), h.process()
		// Two things are under way: one whose outcome is unknown, one of two parts.
		h.fates(fate{err: errReset})
		_ = a.Deliver(t.Context(), h.plan(a, create("unknown")))
		if err := b.Pause(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := b.Pause(t.Context()); err != nil {
			t.Errorf("paused again: %v", err)
		}
		for _, o := range []*Outbox{a, b, h.process()} {
			if since, err := o.Paused(t.Context()); err != nil || since.IsZero() {
				t.Errorf("paused since %v, %v", since, err)
			}
			if c := h.plan(o, create("claimed"+o.process)); c != nil {
				t.Error("claimed while paused")
			}
			h.w.clock.Advance(10 * time.Minute)
			h.sweep(o)
		}
		if len(h.w.posts) != 0 {
			t.Fatalf("posted while paused: %v", h.w.posts)
		}
		if err := a.Resume(t.Context()); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			h.sweep(a)
			h.w.clock.Advance(10 * time.Minute)
		}
		if len(h.w.posts) != 4 || len(h.ended) != 4 || h.w.count("unknown", 0) != 1 {
			t.Errorf("after the pause: %v, %v", h.w.posts, h.ended)
		}
	})
}

func TestPausedBetweenTwoPartsTheRestComesLater(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		o := h.process()
		e := create("long")
		e.Parts = 3
		h.fates(fate{store: true, between: func() {
			if err := o.Pause(t.Context()); err != nil {
				t.Error(err)
			}
		}})
		if err := o.Deliver(t.Context(), h.plan(o, e)); err != nil {
			t.Fatal(err)
		}
		h.sweep(o)
		if len(h.w.posts) != 1 {
			t.Fatalf("posted: %v", h.w.posts)
		}
		if err := o.Resume(t.Context()); err != nil {
			t.Fatal(err)
		}
		h.sweep(o)
		if r := h.ended["long"]; r.State != Confirmed || len(r.Made) != 3 || len(h.w.posts) != 3 {
			t.Errorf("after the pause: %+v, %v", r, h.w.posts)
		}
	})
}

func TestExpiredWhilePausedIsGivenUpAfterIt(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		o := h.process()
		if err := o.Pause(t.Context()); err != nil {
			t.Fatal(err)
		}
		e := create("old")
		e.Expires = h.w.clock.Now().Add(time.Hour)
		h.plan(o, e)
		h.w.clock.Advance(2 * time.Hour)
		if err := o.Resume(t.Context()); err != nil {
			t.Fatal(err)
		}
		h.sweep(o)
		if r := h.ended["old"]; r.State != Refused || r.Reason != ReasonExpired || len(h.w.posts) != 0 {
			t.Errorf("%+v, %v", r, h.w.posts)
		}
	})
}

// A rehearsal goes through everything but the sending.
func TestRehearsalSendsNothing(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		o := h.process()
		var shown []string
		o.Rehearse = func(kind string, a Attempt) { shown = append(shown, kind+" "+name(a.Payload)) }
		e := create("a")
		e.Parts = 2
		if err := o.Deliver(t.Context(), h.plan(o, e)); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(shown, []string{"test.create a", "test.create a"}) || len(h.w.posts) != 0 || h.ended["a"].State != Confirmed {
			t.Errorf("shown %v, posted %v, %+v", shown, h.w.posts, h.ended["a"])
		}
	})
}

func TestPruneForgetsWordsFirstAndRowsLater(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		o := h.process()
		start := h.w.clock.Now()
		for _, key := range []string{"a", "b"} {
			if err := o.Deliver(t.Context(), h.plan(o, create(key))); err != nil {
				t.Fatal(err)
			}
		}
		h.fates(fate{err: errReset})
		_ = o.Deliver(t.Context(), h.plan(o, create("unfinished")))
		h.w.clock.Advance(24 * time.Hour)
		state := func() (rows, words int64) {
			if err := h.s.QueryRow(t.Context(), `select count(*), coalesce(sum(case when payload = '{}' then 0 else 1 end), 0) from outbox_effect`).Scan(&rows, &words); err != nil {
				t.Fatal(err)
			}
			return rows, words
		}
		prune := func(words, rows time.Time) {
			t.Helper()
			if _, err := o.Prune(t.Context(), "test", words, rows); err != nil {
				t.Fatal(err)
			}
		}
		prune(start, start)
		if rows, words := state(); rows != 3 || words != 3 {
			t.Errorf("too young: %d rows, %d with words", rows, words)
		}
		prune(h.w.clock.Now(), start)
		if rows, words := state(); rows != 3 || words != 1 {
			t.Errorf("words pruned: %d rows, %d with words", rows, words)
		}
		id := h.ended["a"].Made[0]
		if key, ok, err := o.KeyOf(t.Context(), "acc", id); key != "a" || !ok || err != nil {
			t.Errorf("whose %s is: %q, %v, %v", id, key, ok, err)
		}
		prune(h.w.clock.Now(), h.w.clock.Now())
		if rows, words := state(); rows != 1 || words != 1 {
			t.Errorf("rows pruned: %d rows, %d with words", rows, words)
		}
		if _, ok, err := o.KeyOf(t.Context(), "acc", id); ok || err != nil {
			t.Errorf("still known: %v, %v", ok, err)
		}
	})
}

func TestForgottenEffectCanStillBeDeleted(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		o := h.process()
		if err := o.Deliver(t.Context(), h.plan(o, create("a"))); err != nil {
			t.Fatal(err)
		}
		if err := h.s.Write(t.Context(), func(ctx context.Context, tx store.Tx) error {
			if err := Forget(ctx, tx, "a"); err != nil {
				return err
			}
			lane, ok, err := LaneOf(ctx, tx, "a")
			if err != nil || !ok {
				t.Errorf("lane: %v, %v", ok, err)
			}
			_, err = o.Plan(ctx, tx, Effect{Key: "a/delete", Feature: "test", Kind: "test.delete", Account: "acc", Lane: lane})
			return err
		}); err != nil {
			t.Fatal(err)
		}
		h.sweep(o)
		if n := h.w.count("a", 0); n != 0 {
			t.Errorf("%d posts stand", n)
		}
	})
}

// Our clock jumps ahead between a claim and its sending: whether it is too late
// is for the server's clock to say.
func TestOurClockThatJumpsAheadExpiresNothing(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		o := h.process()
		e := create("a")
		e.Expires = h.w.clock.Now().Add(24 * time.Hour)
		c := h.plan(o, e)
		h.w.clock.Advance(36 * time.Hour)
		h.w.skew = -36 * time.Hour
		if err := o.Deliver(t.Context(), c); err == nil {
			t.Error("sent after its time")
		}
		for range 4 {
			h.sweep(o)
			h.w.clock.Advance(2 * time.Minute)
		}
		if n := h.w.count("a", 0); n != 1 || h.ended["a"].State != Confirmed {
			t.Errorf("%d posts, %+v", n, h.ended["a"])
		}
	})
}
