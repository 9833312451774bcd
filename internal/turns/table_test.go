package turns

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"rookery/internal/inbox"
	"rookery/internal/store"
)

// Two features have rows in one table, of the same account and members, and
// neither sees or changes the other's.
func TestFeaturesDoNotSeeEachOthersRows(t *testing.T) {
	each(t, func(w *world) {
		for range 3 {
			w.ask("ada@art.example", "one more?")
		}
		w.ask("ada@art.example", "two of these?")
		w.ask("ben@art.example", "two of those?")
		w.waits(w.one, 3)
		w.waits(w.two, 2)
		if n, place, err := w.one.WaitingOf(t.Context(), w.s, ours, "Ada@art.example"); n != 3 || place != 3 || err != nil {
			t.Errorf("%d wait, the last at place %d: %v", n, place, err)
		}
		if n, place, err := w.one.WaitingOf(t.Context(), w.s, ours, "ben@art.example"); n != 0 || place != 0 || err != nil {
			t.Errorf("%d of Ben's wait for the first, the last at place %d: %v", n, place, err)
		}
		w.write(func(ctx context.Context, tx store.Tx) error {
			late, err := w.one.Late(ctx, tx, ours, w.clock.Now(), 100)
			if len(late) != 3 {
				t.Errorf("%d are late for the first", len(late))
			}
			return err
		})
		// The second holds one, and has put the other back.
		held, put := w.pick(w.two), w.pick(w.two)
		w.ok(w.two.PutBack(t.Context(), put, w.clock.Now().Add(time.Minute), errors.New("later"), nil))

		for range 3 {
			if v := w.pick(w.one); !strings.HasPrefix(v.Mention.Post.Text, "one") {
				t.Errorf("the first has picked %q", v.Mention.Post.Text)
			}
		}
		w.picksNothing(w.one, "after all its own")
		// What the first knows of the second's mention does not help it.
		if w.held(w.one, held) {
			t.Error("the first has ended what the second holds")
		}
		w.ok(w.one.Close(t.Context(), held, inbox.Failed, "not its own", nil))
		w.ok(w.one.PutBack(t.Context(), held, time.Time{}, nil, nil))
		w.ok(w.one.Recover(t.Context()))
		w.write(func(ctx context.Context, tx store.Tx) error {
			mentions, err := inbox.From(ctx, tx, "ada@art.example")
			return errors.Join(err, w.one.Forget(ctx, tx, mentions))
		})
		w.waits(w.one, 0)
		w.waits(w.two, 2)
		w.picksNothing(w.two, "after the first took up its own")
		w.write(func(ctx context.Context, tx store.Tx) error {
			late, err := w.two.Late(ctx, tx, ours, w.clock.Now(), 100)
			if len(late) != 2 {
				t.Errorf("%d are late for the second", len(late))
			}
			return err
		})
		if !w.held(w.two, held) {
			t.Error("the second has lost what it held")
		}
		w.are(map[inbox.State]int{inbox.Waiting: 2, inbox.Ignored: 3})
	})
}

// The key of a row is of both, so that even one mention could wait for two.
func TestOneMentionMayWaitForTwoFeatures(t *testing.T) {
	each(t, func(w *world) {
		w.ask("ada@art.example", "one?")
		v := w.pick(w.one)
		w.ok(w.one.PutBack(t.Context(), v, time.Time{}, nil, nil))
		w.write(func(ctx context.Context, tx store.Tx) error { return w.two.Accept(ctx, tx, v.ID, v.Mention) })
		w.pick(w.one)
		second := w.pick(w.two)
		w.write(func(ctx context.Context, tx store.Tx) error { return w.one.Told(ctx, tx, v.ID) })
		w.write(func(ctx context.Context, tx store.Tx) error {
			late, err := w.two.Late(ctx, tx, ours, w.clock.Now(), 100)
			if len(late) != 1 {
				t.Errorf("%d are late for the second", len(late))
			}
			return err
		})
		w.ok(w.one.PutBack(t.Context(), v, time.Time{}, errors.New("no server"), nil))
		if attempts, _, _, _ := w.row(w.two); attempts != 0 {
			t.Errorf("%d attempts are counted for the second", attempts)
		}
		w.held(w.one, w.pick(w.one))
		w.waits(w.one, 0)
		if !w.held(w.two, second) {
			t.Error("the second has lost what it held")
		}
	})
}

func TestHeldMentionIsTakenOverOnlyWhenItsHoldHasEnded(t *testing.T) {
	each(t, func(w *world) {
		other := w.feature("one")
		w.ask("ada@art.example", "one?")
		slow := w.pick(w.one)
		w.clock.Advance(w.one.Hold() - time.Second)
		w.picksNothing(other, "while it is held")
		w.clock.Advance(time.Second)
		taken := w.pick(other)
		then := func(context.Context, store.Tx) error { t.Error("done for a mention that is another's"); return nil }
		w.ok(w.one.Close(t.Context(), slow, inbox.Failed, "too late", then))
		w.ok(w.one.PutBack(t.Context(), slow, time.Time{}, nil, nil))
		if w.held(w.one, slow) {
			t.Error("it was ended by the one that had lost it")
		}
		w.are(map[inbox.State]int{inbox.Waiting: 1})
		if !w.held(other, taken) {
			t.Error("it was not ended by the one that holds it")
		}
		w.waits(w.one, 0)
	})
}

func TestRecoverTakesUpWhatTheLastProcessLeft(t *testing.T) {
	each(t, func(w *world) {
		w.ask("ada@art.example", "one, held?")
		w.pick(w.one)
		w.ask("ada@art.example", "one, put off?")
		w.ok(w.one.PutBack(t.Context(), w.pick(w.one), w.clock.Now().Add(LongestWait), errors.New("no server"), nil))
		next := w.feature("one")
		w.picksNothing(next, "before it took up anything")
		w.ok(next.Recover(t.Context()))
		if v := w.pick(next); w.s.Dialect() == store.Postgres && v.Mention.Post.Text != "one, put off?" {
			t.Errorf("picked %q, which others may be at", v.Mention.Post.Text)
		}
		if w.s.Dialect() == store.SQLite {
			w.pick(next)
		}
		w.picksNothing(next, "after all it may have")
		w.clock.Advance(w.one.Hold())
		w.pick(next)
	})
}

// A cooldown puts a mention off and counts no failure.
func TestPutBackForATimeCountsNoFailure(t *testing.T) {
	each(t, func(w *world) {
		w.ask("ada@art.example", "one?")
		for _, c := range []struct{ asked, waits time.Duration }{{20 * time.Second, 20 * time.Second}, {24 * time.Hour, LongestWait}, {-time.Hour, 0}} {
			w.ok(w.one.PutBack(t.Context(), w.pick(w.one), w.clock.Now().Add(c.asked), nil, nil))
			if attempts, declined, _, reason := w.row(w.one); attempts != 0 || declined != 0 || reason != "" {
				t.Errorf("put off by %v: %d attempts, %d declined, %q", c.asked, attempts, declined, reason)
			}
			if c.waits > 0 {
				w.clock.Advance(c.waits - time.Millisecond)
				w.picksNothing(w.one, "before its time")
				w.clock.Advance(time.Millisecond)
			}
		}
		v := w.pick(w.one)
		if v.Attempts != 0 {
			t.Errorf("it has failed %d times", v.Attempts)
		}
		w.ok(w.one.PutBack(t.Context(), v, time.Time{}, nil, nil))
		w.pick(w.one)
	})
}

func TestMentionIsGivenUpAfterItsChances(t *testing.T) {
	each(t, func(w *world) {
		w.one = w.feature("one", func(c *Config) { c.Chances = 3 })
		w.ask("ada@art.example", "one?")
		done := 0
		then := func(context.Context, store.Tx) error { done++; return nil }
		// Trouble that others meet too costs no chance.
		trouble := errors.New("the server is down")
		if err := w.one.Fail(t.Context(), w.pick(w.one), trouble, time.Time{}, then); !errors.Is(err, trouble) {
			t.Errorf("it returned %v", err)
		}
		for n := range int64(3) {
			attempts, declined, next, reason := w.row(w.one)
			if attempts != n+1 || declined != n || next < time.Second<<n || next > 2*time.Second<<n || reason == "" {
				t.Errorf("after %d tries: %d attempts, %d declined, next in %v, %q", n+1, attempts, declined, next, reason)
			}
			w.are(map[inbox.State]int{inbox.Waiting: 1})
			w.clock.Advance(next)
			w.ok(w.one.Decline(t.Context(), w.pick(w.one), errors.New("it will not do\x00"), then))
		}
		w.waits(w.one, 0)
		w.are(map[inbox.State]int{inbox.Failed: 1})
		if done != 4 {
			t.Errorf("done %d times besides", done)
		}
	})
}

func TestTroubleWaitsAsLongAsSomebodyAskedFor(t *testing.T) {
	each(t, func(w *world) {
		w.ask("ada@art.example", "one?")
		for _, c := range []struct{ asked, atLeast, atMost time.Duration }{
			{8 * time.Minute, 8 * time.Minute, 8 * time.Minute}, {time.Hour, LongestWait, LongestWait}, {0, 4 * time.Second, 8 * time.Second},
		} {
			if w.one.Fail(t.Context(), w.pick(w.one), errors.New("too many"), w.clock.Now().Add(c.asked), nil) == nil {
				t.Error("no trouble is reported")
			}
			_, _, next, _ := w.row(w.one)
			if next < c.atLeast || next > c.atMost {
				t.Errorf("asked for %v it waits %v", c.asked, next)
			}
			w.clock.Advance(next)
		}
		// Whoever is cut off has not failed.
		ctx, cut := context.WithCancelCause(t.Context())
		v := w.pick(w.one)
		cut(errors.New("the program stops"))
		if w.one.Fail(ctx, v, ctx.Err(), w.clock.Now().Add(time.Hour), nil) == nil {
			t.Error("no trouble is reported")
		}
		if attempts, _, next, _ := w.row(w.one); attempts != 3 || next != 0 {
			t.Errorf("cut off: %d attempts, next in %v", attempts, next)
		}
	})
}

// What is done besides is done in the same transaction, or neither.
func TestThenIsDoneInTheSameTransaction(t *testing.T) {
	each(t, func(w *world) {
		w.ask("ada@art.example", "one?")
		v := w.pick(w.one)
		broken := errors.New("the budget is broken")
		then := func(context.Context, store.Tx) error { return broken }
		for what, err := range map[string]error{
			"close":    w.one.Close(t.Context(), v, inbox.Failed, "given up", then),
			"put back": w.one.PutBack(t.Context(), v, time.Time{}, errors.New("no server"), then),
			"decline":  w.one.Decline(t.Context(), v, errors.New("it will not do"), then),
		} {
			if !errors.Is(err, broken) {
				t.Errorf("%s returned %v", what, err)
			}
		}
		if attempts, _, _, _ := w.row(w.one); attempts != 0 {
			t.Errorf("%d attempts are counted", attempts)
		}
		w.picksNothing(w.one, "while it is held")
		w.are(map[inbox.State]int{inbox.Waiting: 1})
	})
}

// A machine without a battery for its clock puts a mention off while it
// believes in a far future, dies with another, and then learns better.
func TestClockThatRanAheadPutsNothingOff(t *testing.T) {
	each(t, func(w *world) {
		const ahead = 30 * 24 * time.Hour
		w.ask("ada@art.example", "one?")
		w.ask("ada@art.example", "one more?")
		w.clock.Advance(ahead)
		w.ok(w.one.PutBack(t.Context(), w.pick(w.one), w.clock.Now().Add(time.Minute), errors.New("no server"), nil))
		w.pick(w.one)
		w.clock.Advance(-ahead)
		w.write(func(ctx context.Context, tx store.Tx) error {
			due, err := w.one.nextDue(ctx, tx, ours)
			if due.After(w.clock.Now().Add(LongestWait)) {
				t.Errorf("the next is due at %v", due)
			}
			return err
		})
		w.pick(w.one)
		w.pick(w.one)
	})
}

func TestLateIsToldOnce(t *testing.T) {
	each(t, func(w *world) {
		late := func(want ...string) {
			t.Helper()
			w.write(func(ctx context.Context, tx store.Tx) error {
				all, err := w.one.Late(ctx, tx, ours, w.clock.Now().Add(-time.Minute), 100)
				var got []string
				for _, v := range all {
					got = append(got, v.Mention.Post.Text)
				}
				if strings.Join(got, " ") != strings.Join(want, " ") {
					t.Errorf("late are %q, not %q", got, want)
				}
				return err
			})
		}
		w.ask("ada@art.example", "one-first")
		w.ask("ada@art.example", "one-second")
		w.ask("ben@art.example", "one-third")
		v := w.pick(w.one)
		w.write(func(ctx context.Context, tx store.Tx) error { return w.one.Told(ctx, tx, v.ID) })
		left := []string{"one-second", "one-third"}
		if v.Mention.Post.Text == "one-third" {
			left = []string{"one-first", "one-second"}
		}
		late()
		w.clock.Advance(time.Minute)
		w.ask("ada@art.example", "one-fresh")
		late(left...)
		late()
		w.clock.Advance(time.Minute)
		late("one-fresh")
	})
}
