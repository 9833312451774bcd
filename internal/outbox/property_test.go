package outbox

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"rookery/internal/clock"
	"rookery/internal/store"
	"rookery/internal/store/storetest"
)

// TestNoOrderOfFaultsDoublesOrLosesAnEffect drives two processes on one
// database through every order of crash, lost, late and repeated answers that
// rapid can think of, and then lets the weather clear: each effect must be
// outside exactly once, unless it was refused or dropped, then not at all.
func TestNoOrderOfFaultsDoublesOrLosesAnEffect(t *testing.T) {
	for _, d := range []store.Dialect{store.SQLite, store.Postgres} {
		t.Run(string(d), func(t *testing.T) {
			t.Parallel()
			s := storetest.Open(t, storetest.Config(t, d), Migrations())
			run := 0
			rapid.Check(t, func(rt *rapid.T) {
				run++
				oneWeather(rt, s, run)
			})
		})
	}
}

type actor struct {
	*rapid.T
	s     *store.Store
	w     *world
	procs [2]*Outbox
	ended map[string]State
	lanes map[string]bool // wanted posts, true once their delete is planned
	parts map[string]int
	run   int
}

func oneWeather(rt *rapid.T, s *store.Store, run int) {
	w := &world{clock: clock.NewManual(time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC))}
	w.skew = time.Duration(rapid.IntRange(-4000, 4000).Draw(rt, "skew")) * time.Second
	a := &actor{T: rt, s: s, w: w, ended: map[string]State{}, lanes: map[string]bool{}, parts: map[string]int{}, run: run}
	// Each run has its rows to itself: earlier ones are final.
	if err := s.Write(context.Background(), func(ctx context.Context, tx store.Tx) error {
		for _, table := range []string{"outbox_effect", "outbox_remote"} {
			if _, err := tx.Exec(ctx, "delete from "+table); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		rt.Fatal(err)
	}
	a.procs = [2]*Outbox{a.process(), a.process()}
	w.next = func(at Attempt) fate { return a.fate(at, true) }
	rt.Repeat(map[string]func(*rapid.T){
		"plan":         func(t *rapid.T) { a.plan(t, false) },
		"plan and go":  func(t *rapid.T) { a.plan(t, true) },
		"delete":       a.delete,
		"sweep":        func(t *rapid.T) { a.sweep(t) },
		"restart":      a.restart,
		"time passes":  a.pass,
		"clocks jump":  a.jump,
		"look is lost": func(*rapid.T) { a.w.lookFn = func() error { a.w.lookFn = nil; return errReset } },
		"":             a.check,
	})
	a.clear()
}

func (a *actor) process() *Outbox {
	o := New(Config{Store: a.s, Clock: a.w.clock, Log: slog.New(slog.DiscardHandler)})
	o.Register(creates{a.w})
	o.Register(deletes{a.w})
	o.Own("test", func(_ context.Context, _ store.Tx, r Result) error {
		a.ended[r.Key] = r.State
		return nil
	})
	return o
}

// fate draws what becomes of a request. What is stored late is stored before
// the settling time is over: that is what settling promises to cover.
func (a *actor) fate(at Attempt, mayNest bool) fate {
	kinds := []string{"ok", "stored then lost", "lost", "stored then 500", "500", "late", "late then 500", "crash before", "crash after",
		"crash, late", "no dial", "422", "422 of no known reason", "slow, others look"}
	switch rapid.SampledFrom(kinds).Draw(a.T, "fate") {
	case "stored then lost":
		return fate{store: true, err: errReset}
	case "lost":
		return fate{err: errReset}
	case "stored then 500":
		return fate{store: true, err: errWhole500}
	case "500":
		return fate{err: errWhole500}
	case "late":
		return fate{store: true, after: time.Duration(rapid.IntRange(1, 55).Draw(a.T, "late")) * time.Second, err: errReset}
	case "late then 500":
		return fate{store: true, after: time.Duration(rapid.IntRange(1, 8).Draw(a.T, "late")) * time.Second, err: errWhole500}
	case "crash before":
		return fate{crash: true}
	case "crash after":
		return fate{store: true, crash: true}
	case "crash, late":
		return fate{store: true, after: time.Duration(rapid.IntRange(1, 85).Draw(a.T, "late")) * time.Second, crash: true}
	case "no dial":
		return fate{err: errDial}
	case "422":
		// A server that has stored the post says 422 to its repetition
		// ("already attached"); one that has not means it.
		return fate{err: err422}
	case "422 of no known reason":
		return fate{err: errMoody}
	case "slow, others look":
		if !mayNest {
			return fate{store: true}
		}
		return fate{store: true, between: func() {
			a.w.next = func(at Attempt) fate { return a.fate(at, false) }
			defer func() { a.w.next = func(at Attempt) fate { return a.fate(at, true) } }()
			a.w.clock.Advance(time.Duration(rapid.IntRange(0, 29).Draw(a.T, "meanwhile")) * time.Second)
			a.sweep(a.T)
		}}
	}
	return fate{store: true}
}

// survive runs f in a process that may die of it, and then has a successor.
func (a *actor) survive(t *rapid.T, f func(o *Outbox)) {
	i := rapid.IntRange(0, 1).Draw(t, "process")
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(crashed); !ok {
				panic(r)
			}
			a.procs[i] = a.process()
		}
	}()
	f(a.procs[i])
}

func (a *actor) plan(t *rapid.T, andGo bool) {
	if len(a.lanes) >= 4 {
		t.Skip("enough")
	}
	want := fmt.Sprintf("p%d", rapid.IntRange(0, 3).Draw(t, "want"))
	parts := rapid.IntRange(1, 3).Draw(t, "parts")
	key := fmt.Sprintf("%d/create/%s", a.run, want)
	if _, ok := a.lanes[want]; !ok {
		a.parts[want] = parts
		a.lanes[want] = false
	}
	a.survive(t, func(o *Outbox) {
		e := Effect{Key: key, Feature: "test", Kind: "test.create", Account: "acc", Payload: want, Parts: parts, Again: rapid.IntRange(0, 2).Draw(t, "again")}
		var c *Claim
		if err := o.Store.Write(context.Background(), func(ctx context.Context, tx store.Tx) (err error) {
			if andGo {
				c, err = o.PlanAndClaim(ctx, tx, e)
				return err
			}
			_, err = o.Plan(ctx, tx, e)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if rapid.IntRange(0, 9).Draw(t, "dies before it sends") == 0 {
			panic(crashed{})
		}
		_ = o.Deliver(context.Background(), c)
	})
}

func (a *actor) delete(t *rapid.T) {
	for _, want := range slices.Sorted(maps.Keys(a.lanes)) {
		if a.lanes[want] || len(a.lanes) < 3 {
			continue
		}
		a.lanes[want] = true
		a.survive(t, func(o *Outbox) {
			if err := o.Store.Write(context.Background(), func(ctx context.Context, tx store.Tx) error {
				_, err := o.Plan(ctx, tx, Effect{Key: fmt.Sprintf("%d/delete/%s", a.run, want), Feature: "test", Kind: "test.delete",
					Account: "acc", Payload: want, Lane: fmt.Sprintf("%d/create/%s", a.run, want)})
				return err
			}); err != nil {
				t.Fatal(err)
			}
		})
		return
	}
	t.Skip("nothing to delete")
}

func (a *actor) sweep(t *rapid.T) {
	a.w.settle()
	a.survive(t, func(o *Outbox) {
		// Sweep works accounts in goroutines; a crash must reach this one.
		if err := o.sweepInline(context.Background()); err != nil {
			t.Fatal(err)
		}
	})
}

func (a *actor) restart(t *rapid.T) {
	i := rapid.IntRange(0, 1).Draw(t, "process")
	a.procs[i] = a.process()
	if err := a.procs[i].Recover(context.Background()); err != nil {
		t.Fatal(err)
	}
}

func (a *actor) pass(t *rapid.T) {
	a.w.clock.Advance(time.Duration(rapid.IntRange(1, 90_000).Draw(t, "ms")) * time.Millisecond)
	a.w.settle()
}

// jump moves our clock and not the server's.
func (a *actor) jump(t *rapid.T) {
	d := time.Duration(rapid.IntRange(-3600, 3600).Draw(t, "seconds")) * time.Second
	a.w.clock.Advance(d)
	a.w.skew -= d
}

// check holds at every moment.
func (a *actor) check(t *rapid.T) {
	a.w.settle()
	for want := range a.lanes {
		for part := range a.parts[want] {
			if n := a.w.count(want, part); n > 1 {
				t.Fatalf("%s part %d is outside %d times", want, part, n)
			}
		}
	}
}

// clear lets everything go well from here on, and looks at the end.
func (a *actor) clear() {
	a.w.next = func(Attempt) fate { return fate{store: true} }
	a.w.lookFn = nil
	for range 200 {
		a.w.clock.Advance(time.Minute)
		a.w.settle()
		if err := a.procs[0].sweepInline(context.Background()); err != nil {
			a.Fatal(err)
		}
		var left int
		if err := a.s.QueryRow(context.Background(), "select count(*) from outbox_effect where state in ('planned', 'sent')").Scan(&left); err != nil {
			a.Fatal(err)
		}
		if left == 0 && len(a.w.late) == 0 {
			break
		}
	}
	a.check(a.T)
	for want, deleted := range a.lanes {
		key := fmt.Sprintf("%d/create/%s", a.run, want)
		state, gone := a.ended[key], a.ended[fmt.Sprintf("%d/delete/%s", a.run, want)]
		if deleted && gone == Refused {
			continue // the server said no to the delete itself
		}
		if deleted && gone != Confirmed {
			a.Fatalf("the delete of %s was lost: state %q", want, gone)
		}
		for part := range a.parts[want] {
			n := a.w.count(want, part)
			switch {
			case deleted && n != 0:
				a.Fatalf("%s part %d is still outside after its delete (%s)", want, part, state)
			case !deleted && state == Confirmed && n != 1:
				a.Fatalf("%s part %d is outside %d times", want, part, n)
			}
		}
		if !deleted && state != Confirmed && state != Refused {
			a.Fatalf("%s was lost: state %q", want, state)
		}
	}
}
