package outbox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"rookery/internal/clock"
	"rookery/internal/store"
	"rookery/internal/store/storetest"
)

// house is a world with one database and any number of processes over it.
type house struct {
	t     *testing.T
	s     *store.Store
	w     *world
	ended map[string]Result
}

func each(t *testing.T, fn func(t *testing.T, h *house)) {
	t.Helper()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := &world{clock: clock.NewManual(time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC))}
		w.next = func(Attempt) fate { return fate{store: true} }
		fn(t, &house{t: t, s: s, w: w, ended: map[string]Result{}})
	}, Migrations())
}

func (h *house) process() *Outbox {
	o := New(Config{Store: h.s, Clock: h.w.clock, Log: slog.New(slog.DiscardHandler)})
	o.Register(creates{h.w})
	o.Register(deletes{h.w})
	o.Own("test", func(_ context.Context, _ store.Tx, r Result) error {
		h.ended[r.Key] = r
		return nil
	})
	return o
}

func (h *house) plan(o *Outbox, e Effect) *Claim {
	h.t.Helper()
	e.Feature, e.Account = "test", "acc"
	var c *Claim
	if err := o.Store.Write(h.t.Context(), func(ctx context.Context, tx store.Tx) (err error) {
		c, err = o.PlanAndClaim(ctx, tx, e)
		return err
	}); err != nil {
		h.t.Fatal(err)
	}
	return c
}

func (h *house) fates(fates ...fate) {
	h.w.next = func(Attempt) fate {
		if len(fates) == 0 {
			return fate{store: true}
		}
		f := fates[0]
		fates = fates[1:]
		return f
	}
}

func (h *house) sweep(o *Outbox) {
	h.t.Helper()
	h.w.settle()
	if _, err := o.Sweep(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
}

func create(key string) Effect { return Effect{Key: key, Kind: "test.create", Payload: key} }

func TestPlannedTwiceHappensOnce(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		o := h.process()
		if err := o.Deliver(t.Context(), h.plan(o, create("a"))); err != nil {
			t.Fatal(err)
		}
		if c := h.plan(o, create("a")); c != nil {
			t.Error("the same key was claimed twice")
		}
		h.w.clock.Advance(time.Hour)
		h.sweep(o)
		if n := h.w.count("a", 0); n != 1 || h.ended["a"].State != Confirmed {
			t.Errorf("%d posts, %v", n, h.ended["a"])
		}
	})
}

func TestRestoredBackupAsksBeforeItSends(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		o := h.process()
		if err := o.Deliver(t.Context(), h.plan(o, create("a"))); err != nil {
			t.Fatal(err)
		}
		// The backup is from a moment before the effect was sent.
		if err := h.s.Write(t.Context(), func(ctx context.Context, tx store.Tx) error {
			_, err := tx.Exec(ctx, "update outbox_effect set state = 'planned', attempt = 0, first_srv = 0, idem = '', holder = ''")
			if err != nil {
				return err
			}
			_, err = tx.Exec(ctx, "delete from outbox_remote")
			return err
		}); err != nil {
			t.Fatal(err)
		}
		next := h.process()
		if err := next.Recover(t.Context()); err != nil {
			t.Fatal(err)
		}
		h.sweep(next)
		if n := h.w.count("a", 0); n != 1 || len(h.ended["a"].Made) != 1 {
			t.Errorf("%d posts, %+v", n, h.ended["a"])
		}
	})
}

func TestRefusalAfterAnUnknownAttemptIsNotBelieved(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		o := h.process()
		// Stored, the answer lost; the server's list then lags behind, and it
		// answers the repetition with "already attached".
		h.fates(fate{store: true, err: errReset}, fate{err: err422})
		_ = o.Deliver(t.Context(), h.plan(o, create("a")))
		hidden := h.w.posts
		h.w.posts = nil
		h.w.clock.Advance(2 * time.Minute)
		h.sweep(o)
		h.w.posts = hidden
		if r, ok := h.ended["a"]; ok {
			t.Fatalf("ended too early: %+v", r)
		}
		h.sweep(o)
		if n := h.w.count("a", 0); n != 1 || h.ended["a"].State != Confirmed {
			t.Errorf("%d posts, %+v", n, h.ended["a"])
		}
	})
}

// What began while our clock ran ahead does not wait until its time has come.
func TestAttemptNotedByAClockThatRanAheadSettlesAnew(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		o := h.process()
		h.w.skew = 36 * time.Hour // we have not yet seen that our clock jumped
		h.fates(fate{err: errReset})
		_ = o.Deliver(t.Context(), h.plan(o, create("a")))
		h.w.skew = 0
		h.sweep(o)
		h.w.clock.Advance(time.Minute)
		h.sweep(o)
		if n := len(h.w.posts); n != 0 {
			t.Fatal("sent again before the first attempt has settled")
		}
		h.w.clock.Advance(2 * time.Minute)
		h.sweep(o)
		if n := h.w.count("a", 0); n != 1 || h.ended["a"].State != Confirmed {
			t.Errorf("%d posts, %+v", n, h.ended["a"])
		}
	})
}

func TestRefusalIsFinalIfNothingIsThere(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		o := h.process()
		h.fates(fate{err: err422})
		if err := o.Deliver(t.Context(), h.plan(o, create("plain"))); !errors.Is(err, err422) {
			t.Errorf("err = %v", err)
		}
		h.fates(fate{err: errReset}, fate{err: err422})
		_ = o.Deliver(t.Context(), h.plan(o, create("doubted")))
		for range 4 {
			h.w.clock.Advance(2 * time.Minute)
			h.sweep(o)
		}
		for _, key := range []string{"plain", "doubted"} {
			if r := h.ended[key]; r.State != Refused || r.Reason != "422" {
				t.Errorf("%s: %+v", key, r)
			}
		}
	})
}

// A server in trouble says 422 to what it takes a minute later.
func TestDoubtfulRefusalIsAskedAgain(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		o := h.process()
		again := func(key string) Effect { e := create(key); e.Again = 2; return e }
		h.fates(fate{err: errMoody}, fate{err: errMoody})
		_ = o.Deliver(t.Context(), h.plan(o, again("passing")))
		h.w.clock.Advance(59 * time.Second)
		h.sweep(o)
		if r, ok := h.ended["passing"]; ok || len(h.w.posts) != 0 {
			t.Fatalf("a minute has not passed: %+v, %d posts", r, len(h.w.posts))
		}
		h.w.clock.Advance(time.Second)
		h.sweep(o) // refused once more
		h.w.clock.Advance(15 * time.Minute)
		h.sweep(h.process()) // the first has died meanwhile
		if n := h.w.count("passing", 0); n != 1 || h.ended["passing"].State != Confirmed {
			t.Errorf("%d posts, %+v", n, h.ended["passing"])
		}
		h.fates(fate{err: errMoody}, fate{err: errMoody}, fate{err: errMoody})
		_ = o.Deliver(t.Context(), h.plan(o, again("lasting")))
		for range 3 {
			h.w.clock.Advance(15 * time.Minute)
			h.sweep(o)
		}
		if r := h.ended["lasting"]; r.State != Refused || r.Reason != "invalid" || r.Detail != "422: Record not found" {
			t.Errorf("%+v", r)
		}
		if n := h.w.count("lasting", 0); n != 0 {
			t.Errorf("%d posts of what was refused", n)
		}
	})
}

func TestTwoWhoLookAtOnceSendOnce(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		a, b := h.process(), h.process()
		h.fates(fate{err: errReset})
		_ = a.Deliver(t.Context(), h.plan(a, create("x")))
		h.w.clock.Advance(2 * time.Minute)
		h.w.lookFn = func() error {
			h.w.lookFn = nil
			// While a looks, b looks too, concludes, and is slow to send.
			h.w.next = func(Attempt) fate { return fate{store: true, after: 30 * time.Second, err: errReset} }
			h.sweep(b)
			return nil
		}
		h.sweep(a)
		for range 5 {
			h.w.clock.Advance(30 * time.Second)
			h.w.next = func(Attempt) fate { return fate{store: true} }
			h.sweep(a)
			h.sweep(b)
		}
		if n := h.w.count("x", 0); n != 1 {
			t.Errorf("%d posts", n)
		}
	})
}

func TestAClaimThatSleptIsNotSent(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		a, b := h.process(), h.process()
		c := h.plan(a, create("x"))
		h.w.clock.Advance(10 * time.Minute) // the machine was suspended
		h.sweep(b)
		if n := h.w.count("x", 0); n != 1 {
			t.Fatalf("the other process has made %d posts", n)
		}
		_ = a.Deliver(t.Context(), c)
		if n := h.w.count("x", 0); n != 1 {
			t.Errorf("%d posts", n)
		}
	})
}

func TestDeleteWaitsForAnUnknownCreateAndTakesAllParts(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		o := h.process()
		h.fates(fate{store: true}, fate{store: true, after: 20 * time.Second, err: errReset})
		e := create("x")
		e.Parts = 2
		_ = o.Deliver(t.Context(), h.plan(o, e))
		c := h.plan(o, Effect{Key: "x/delete", Kind: "test.delete", Lane: "x", Payload: "x"})
		if c != nil {
			t.Fatal("the delete did not wait")
		}
		for range 8 {
			h.w.clock.Advance(15 * time.Second)
			h.sweep(o)
		}
		if len(h.w.posts) != 0 || h.ended["x/delete"].State != Confirmed || h.ended["x"].State != Confirmed {
			t.Errorf("posts %v, ended %+v", h.w.posts, h.ended)
		}
	})
}

func TestDeleteOfWhatWasNeverSentDropsIt(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		o := h.process()
		for _, e := range []Effect{create("x"), {Key: "x/delete", Kind: "test.delete", Lane: "x", Payload: "x"}} {
			e.Feature, e.Account = "test", "acc"
			if err := h.s.Write(t.Context(), func(ctx context.Context, tx store.Tx) error {
				_, err := o.Plan(ctx, tx, e)
				return err
			}); err != nil {
				t.Fatal(err)
			}
		}
		h.sweep(o)
		h.sweep(o)
		if h.w.nextID != 0 || h.ended["x/delete"].State != Confirmed {
			t.Errorf("%d posts were sent, ended %+v", h.w.nextID, h.ended)
		}
	})
}

// What is to be deleted is not sent first, however often it was tried: it would
// be seen outside for a moment.
func TestDeleteOfWhatWasTriedInVainDropsIt(t *testing.T) {
	for name, f := range map[string]fate{"not sent": {err: errDial}, "unknown": {err: errWhole500}} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, h *house) {
				o := h.process()
				h.fates(f)
				_ = o.Deliver(t.Context(), h.plan(o, create("x")))
				remove := Effect{Key: "x/delete", Feature: "test", Account: "acc", Kind: "test.delete", Lane: "x", Payload: "x"}
				if err := h.s.Write(t.Context(), func(ctx context.Context, tx store.Tx) error {
					_, err := o.Plan(ctx, tx, remove)
					return err
				}); err != nil {
					t.Fatal(err)
				}
				sent := h.w.nextID
				for range 8 {
					h.sweep(o)
					h.w.clock.Advance(time.Minute)
				}
				if h.w.nextID != sent || h.ended["x/delete"].State != Confirmed {
					t.Errorf("%d posts were sent after that, ended %+v", h.w.nextID-sent, h.ended)
				}
			})
		})
	}
}

// Of several parts the rest is not sent, and the owner hears of those that were.
func TestDeleteOfWhatIsHalfSent(t *testing.T) {
	for name, f := range map[string]fate{"not sent": {err: errDial}, "unknown": {err: errWhole500}} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, h *house) {
				o := h.process()
				e := create("x")
				e.Parts, e.Lane = 2, "x"
				h.fates(fate{store: true}, f)
				_ = o.Deliver(t.Context(), h.plan(o, e))
				remove := Effect{Key: "x/delete", Feature: "test", Account: "acc", Kind: "test.delete", Lane: "x", Payload: "x"}
				if err := h.s.Write(t.Context(), func(ctx context.Context, tx store.Tx) error {
					_, err := o.Plan(ctx, tx, remove)
					return err
				}); err != nil {
					t.Fatal(err)
				}
				sent := h.w.nextID
				h.fates(fate{store: true}) // the deletion
				for range 8 {
					h.sweep(o)
					h.w.clock.Advance(time.Minute)
				}
				if h.w.nextID != sent || len(h.w.posts) != 0 || h.ended["x"].State != Confirmed || h.ended["x/delete"].State != Confirmed {
					t.Errorf("%d more posts were sent, %d stand, ended %+v", h.w.nextID-sent, len(h.w.posts), h.ended)
				}
			})
		})
	}
}

func TestExpiredIsGivenUpOnlyIfItIsNotOutside(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		o := h.process()
		soon := h.w.clock.Now().Add(time.Hour)
		h.fates(fate{err: errDial}, fate{store: true, err: errReset})
		for _, key := range []string{"unsent", "sent"} {
			e := create(key)
			e.Expires = soon
			_ = o.Deliver(t.Context(), h.plan(o, e))
		}
		h.w.clock.Advance(2 * time.Hour)
		h.sweep(o)
		if h.ended["unsent"].State != Refused || h.ended["sent"].State != Confirmed {
			t.Errorf("ended %+v", h.ended)
		}
	})
}

func TestAnOwnersErrorUndoesTheEndingAndItIsTriedAgain(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		o := h.process()
		told := 0
		o.Own("test", func(context.Context, store.Tx, Result) error {
			if told++; told == 1 {
				return errors.New("not now")
			}
			return nil
		})
		if err := o.Deliver(t.Context(), h.plan(o, create("x"))); err == nil {
			t.Error("the owner's error was swallowed")
		}
		h.w.clock.Advance(2 * time.Minute)
		h.sweep(o)
		if n := h.w.count("x", 0); n != 1 || told != 2 {
			t.Errorf("%d posts, told %d times", n, told)
		}
	})
}

func TestSweepSaysWhenTheNextIsDue(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		o := h.process()
		if next, err := o.Sweep(t.Context()); err != nil || !next.IsZero() {
			t.Errorf("with nothing to do: %v, %v", next, err)
		}
		retry := h.w.clock.Now().Add(17 * time.Minute)
		h.fates(fate{err: &SendError{Outcome: NotSent, RetryAt: retry, Err: errors.New("429")}})
		_ = o.Deliver(t.Context(), h.plan(o, create("x")))
		if next, err := o.Sweep(t.Context()); err != nil || !next.Equal(retry) {
			t.Errorf("next = %v, %v; want %v", next, err, retry)
		}
	})
}

func TestKeysAre22CharactersOfBase64URL(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		k := NewKey()
		if len(k) != 22 || seen[k] || fmt.Sprintf("%q", k) != `"`+k+`"` {
			t.Fatalf("key %q", k)
		}
		seen[k] = true
	}
}
