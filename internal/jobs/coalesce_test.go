package jobs_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"rookery/internal/jobs"
	"rookery/internal/store"
)

func TestAWaitingJobAbsorbsItsKey(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		q := w.queue()
		ran := collect(q, jobs.Kind{})
		now := w.clock.Now()
		at := func(d time.Duration) jobs.Opts { return jobs.Opts{Key: "k", RunAt: now.Add(d)} }
		near := func(i jobs.Info, d time.Duration) bool {
			return i.RunAt.Sub(now.Add(d)).Abs() < time.Minute
		}
		w.insert(q, hello{N: 1}, at(5*time.Hour))
		w.insert(q, hello{N: 2}, at(7*time.Hour))
		if i := w.only(jobs.Waiting); !near(i, 5*time.Hour) || i.Key != "k" {
			t.Errorf("a later insert moved it: %+v", i)
		}
		w.insert(q, hello{N: 3}, at(3*time.Hour))
		if i := w.only(jobs.Waiting); !near(i, 3*time.Hour) {
			t.Errorf("an earlier insert did not move it: %+v", i)
		}
		w.insert(q, hello{N: 10}, jobs.Opts{Key: "another"})
		w.insert(q, hello{N: 11}, jobs.Opts{})
		w.insert(q, hello{N: 12}, jobs.Opts{})
		w.insert(q, other{"same key, another kind"}, jobs.Opts{Key: "k"})
		if all := w.list(); len(all) != 5 {
			t.Errorf("%d jobs, want 5: %v", len(all), all)
		}
		w.start(q)
		for range 3 {
			if j := receive(w, ran); j.Args.N < 10 {
				t.Errorf("%d ran before its time", j.Args.N)
			}
		}
		w.insert(q, hello{N: 4}, jobs.Opts{Key: "k"}) // now
		if j := receive(w, ran); j.Args.N != 1 {
			t.Errorf("it ran with the arguments of %d", j.Args.N)
		}
	})
}

func TestABetterPriorityIsTakenOver(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		q := w.queue(workers(jobs.DefaultQueue, 1))
		ran := collect(q, jobs.Kind{})
		w.insert(q, hello{N: 1}, jobs.Opts{Key: "k", Priority: 4})
		w.insert(q, hello{N: 2}, jobs.Opts{Priority: 2})
		w.insert(q, hello{N: 3}, jobs.Opts{Key: "k", Priority: 1})
		w.start(q)
		if first, second := receive(w, ran).Args.N, receive(w, ran).Args.N; first != 1 || second != 2 {
			t.Errorf("%d, then %d", first, second)
		}
	})
}

func TestAStartedJobAbsorbsNothing(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		q := w.queue(workers(jobs.DefaultQueue, 1))
		begun, gate := make(chan int, 10), make(chan struct{})
		jobs.Register(q, jobs.Kind{}, func(_ context.Context, j jobs.Job[hello]) error {
			begun <- j.Args.N
			<-gate
			return nil
		})
		w.start(q)
		w.insert(q, hello{N: 1}, jobs.Opts{Key: "k"})
		receive(w, begun)
		w.insert(q, hello{N: 2}, jobs.Opts{Key: "k"})
		w.insert(q, hello{N: 3}, jobs.Opts{Key: "k"})
		close(gate)
		if n := receive(w, begun); n != 2 {
			t.Errorf("%d ran", n)
		}
		w.empty()
		if len(begun) != 0 {
			t.Error("a third run")
		}
	})
}

// Nobody who inserted while others inserted, ran, failed or snoozed may be
// left without a run that saw what he wrote.
func TestNoWakeUpIsLost(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		const writers, rounds, keys = 8, 40, 3
		q := w.queue(workers(jobs.DefaultQueue, 4))
		var mu sync.Mutex
		seen := map[string]int{}
		jobs.Register(q, jobs.Kind{MaxAttempts: 1000, Backoff: func(int) time.Duration { return time.Millisecond }},
			func(ctx context.Context, j jobs.Job[hello]) error {
				var n int
				if err := w.s.QueryRow(ctx, `select count(*) from effect where id = $1`, int64(j.Args.N)).Scan(&n); err != nil {
					return err
				}
				switch rand.IntN(6) {
				case 0:
					return errOops
				case 1:
					return jobs.Snooze(time.Duration(rand.IntN(3)) * time.Millisecond)
				case 2:
					err := w.s.Write(ctx, func(ctx context.Context, tx store.Tx) error { return j.Complete(ctx, tx) })
					if err != nil {
						return err
					}
				}
				mu.Lock()
				defer mu.Unlock()
				seen[j.Key] = max(seen[j.Key], n)
				return nil
			})
		w.start(q)
		var wg sync.WaitGroup
		for i := range writers {
			wg.Go(func() {
				for n := range rounds {
					key := (i + n) % keys
					w.write(func(ctx context.Context, tx store.Tx) error {
						if _, err := tx.Exec(ctx, `insert into effect (id, n) values ($1, $2)`, int64(key), int64(i*rounds+n)); err != nil {
							return err
						}
						if rand.IntN(2) == 0 { // the order must not matter, nor the length
							<-time.After(time.Duration(rand.IntN(2000)) * time.Microsecond)
						}
						return q.Insert(ctx, tx, hello{N: key}, jobs.Opts{Key: fmt.Sprint(key)})
					})
				}
			})
		}
		wg.Wait()
		w.empty()
		w.stop(q)
		total := 0
		for key := range keys {
			var want int
			if err := w.s.QueryRow(t.Context(), `select count(*) from effect where id = $1`, int64(key)).Scan(&want); err != nil {
				t.Fatal(err)
			}
			if got := seen[fmt.Sprint(key)]; got != want {
				t.Errorf("key %d: the last run saw %d of %d", key, got, want)
			}
			total += want
		}
		if total != writers*rounds {
			t.Errorf("%d rows", total)
		}
	})
}

// A job that was started and is to run again merges with the one that has come
// to wait meanwhile.
func TestTwoOfAKeyBecomeOne(t *testing.T) {
	const hour = time.Hour
	for name, c := range map[string]struct {
		end     error // of the first
		second  time.Duration
		state   jobs.State
		attempt int
		in      time.Duration
	}{
		"failed before a later one":   {errOops, 5 * hour, jobs.Retrying, 1, 2 * hour},
		"failed before an early one":  {errOops, hour, jobs.Retrying, 1, 2 * hour},
		"snoozed before a later one":  {jobs.Snooze(2 * hour), 5 * hour, jobs.Waiting, 0, 2 * hour},
		"snoozed before an early one": {jobs.Snooze(2 * hour), hour, jobs.Waiting, 0, hour},
	} {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			each(t, func(t *testing.T, w *world) {
				q := w.queue()
				begun, gate := make(chan int, 10), make(chan struct{})
				jobs.Register(q, jobs.Kind{Backoff: func(int) time.Duration { return 2 * hour }}, func(_ context.Context, j jobs.Job[hello]) error {
					begun <- j.Args.N
					<-gate
					return c.end
				})
				w.start(q)
				now := w.clock.Now()
				w.insert(q, hello{N: 1}, jobs.Opts{Key: "k", Priority: 1})
				receive(w, begun)
				w.insert(q, hello{N: 2}, jobs.Opts{Key: "k", Priority: 3, RunAt: now.Add(c.second)})
				close(gate)
				i := w.only(c.state)
				if i.Attempt != c.attempt || i.RunAt.Sub(now.Add(c.in)).Abs() > 30*time.Minute || (i.LastError == "oops") != (c.attempt > 0) {
					t.Errorf("%+v, %s from then", i, i.RunAt.Sub(now))
				}
				// While it backs off, nothing moves it; else an insert does.
				w.insert(q, hello{N: 3}, jobs.Opts{Key: "k", RunAt: now.Add(hour / 2)})
				want := hour / 2
				if c.attempt > 0 {
					want = c.in
				}
				if i := w.only(c.state); i.RunAt.Sub(now.Add(want)).Abs() > 20*time.Minute {
					t.Errorf("after another insert: %+v, %s from then", i, i.RunAt.Sub(now))
				}
			})
		})
	}
}

func TestCancelKey(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		q := w.queue()
		begun, gate := make(chan int, 10), make(chan struct{})
		jobs.Register(q, jobs.Kind{}, func(_ context.Context, j jobs.Job[hello]) error {
			begun <- j.Args.N
			<-gate
			return nil
		})
		cancel := func(kind, key string) {
			w.write(func(ctx context.Context, tx store.Tx) error { return q.CancelKey(ctx, tx, kind, key) })
		}
		w.start(q)
		w.insert(q, hello{N: 1}, jobs.Opts{Key: "k"})
		receive(w, begun)
		w.insert(q, hello{N: 2}, jobs.Opts{Key: "k", RunAt: w.clock.Now().Add(24 * time.Hour)})
		cancel("test.hello", "other")
		cancel("test.other", "k")
		cancel("test.hello", "")
		if all := w.list(); len(all) != 2 {
			t.Errorf("%v", all)
		}
		cancel("test.hello", "k")
		if i := w.only(jobs.Running); i.Key != "k" {
			t.Errorf("%+v", i)
		}
		// Cancelled and inserted anew in one transaction.
		w.insert(q, hello{N: 3}, jobs.Opts{Key: "k", RunAt: w.clock.Now().Add(24 * time.Hour)})
		w.write(func(ctx context.Context, tx store.Tx) error {
			if err := q.CancelKey(ctx, tx, "test.hello", "k"); err != nil {
				return err
			}
			return q.Insert(ctx, tx, hello{N: 4}, jobs.Opts{Key: "k"})
		})
		if n := receive(w, begun); n != 4 {
			t.Errorf("%d ran", n)
		}
		close(gate)
		w.empty()
		w.insert(q, hello{N: 5}, jobs.Opts{Priority: 4})
		if n := receive(w, begun); n != 5 {
			t.Errorf("%d ran, though cancelled", n)
		}
	})
}

// Cancelling races with beginning: whatever wins, a job runs at most once and
// a cancelled one leaves nothing behind.
func TestCancelKeyRacesWithTheStart(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		q := w.queue()
		ran := make(chan int, 1000)
		jobs.Register(q, jobs.Kind{}, func(_ context.Context, j jobs.Job[hello]) error {
			ran <- j.Args.N
			return nil
		})
		w.start(q)
		for n := range 60 {
			w.insert(q, hello{N: n}, jobs.Opts{Key: "k"})
			w.write(func(ctx context.Context, tx store.Tx) error { return q.CancelKey(ctx, tx, "test.hello", "k") })
		}
		w.empty()
		w.insert(q, hello{N: 1000}, jobs.Opts{Key: "k"})
		times := map[int]int{}
		for n := 0; n != 1000; {
			n = receive(w, ran)
			if times[n]++; times[n] > 1 {
				t.Errorf("%d ran twice", n)
			}
		}
		t.Logf("%d of 60 ran before they were cancelled", len(times)-1)
	})
}
