package jobs_test

import (
	"context"
	"runtime"
	"strings"
	"testing"
	"time"

	"rookery/internal/clock"
	"rookery/internal/jobs"
	"rookery/internal/store"
	"rookery/internal/store/storetest"
)

// rename takes a table away from the queue, and gives it back.
func (w *world) rename(from, to string) {
	w.t.Helper()
	w.write(func(ctx context.Context, tx store.Tx) error {
		_, err := tx.Exec(ctx, "alter table "+from+" rename to "+to)
		return err
	})
}

// A database that refuses while a job ends delays that job, and no more.
func TestAnEndThatCannotBeNotedIsNotForgotten(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		table := map[store.Dialect]string{store.SQLite: "job", store.Postgres: "job_key"}[w.s.Dialect()]
		q := w.queue()
		ran := attempts(q, jobs.Kind{MaxAttempts: 2, Backoff: func(int) time.Duration { return 0 }},
			func(context.Context, jobs.Job[hello]) error {
				w.rename(table, "away")
				return errOops
			}, ends(errOops))
		w.start(q)
		w.insert(q, hello{N: 1}, jobs.Opts{Key: "k"})
		for n := 1; n <= 2; n++ {
			j := receive(w, ran)
			if j.Attempt != n || strings.Contains(j.LastError, "oops") != (n > 1) {
				t.Errorf("%+v", j)
			}
			if n == 2 {
				break
			}
			refused := map[store.Dialect]string{store.SQLite: "cannot write", store.Postgres: "could not be noted"}[w.s.Dialect()]
			w.eventually("the refusal is in the log", func() bool { return strings.Contains(w.log.String(), refused) })
			w.rename("away", table)
		}
		if i := w.only(jobs.Failed); i.Attempt != 2 || !strings.Contains(i.LastError, "oops") {
			t.Errorf("%+v", i)
		}
	})
}

// Somebody may have deleted a job by hand, with River's own tools.
func TestAKeyWhoseRowIsGoneAbsorbsNothing(t *testing.T) {
	t.Parallel()
	w := &world{t: t, s: storetest.Open(t, storetest.Config(t, store.Postgres), jobs.Migrations()), clock: clock.System{}, log: &book{}}
	q := w.queue()
	ran := collect(q, jobs.Kind{})
	w.insert(q, hello{N: 1}, jobs.Opts{Key: "k"})
	w.write(func(ctx context.Context, tx store.Tx) error {
		_, err := tx.Exec(ctx, `delete from river_job`)
		return err
	})
	w.insert(q, hello{N: 2}, jobs.Opts{Key: "k"})
	w.start(q)
	if j := receive(w, ran); j.Args.N != 2 {
		t.Errorf("%+v", j)
	}
	w.empty()
}

// A job whose process died is taken up at the next start, with the attempt
// counted; one that keeps killing its process is given up.
func TestReclaimedAtTheStart(t *testing.T) {
	t.Parallel()
	w := &world{t: t, s: storetest.Open(t, storetest.Config(t, store.SQLite), jobs.Migrations()), clock: clock.System{}, log: &book{}}
	q := w.queue()
	w.insert(q, hello{N: 1}, jobs.Opts{MaxAttempts: 2})
	w.insert(q, hello{N: 2}, jobs.Opts{MaxAttempts: 1})
	w.insert(q, hello{N: 3}, jobs.Opts{Key: "k"})
	w.write(func(ctx context.Context, tx store.Tx) error {
		_, err := tx.Exec(ctx, `update job set state = 1, attempt = 1`) // as a killed process leaves them
		return err
	})
	w.insert(q, hello{N: 4}, jobs.Opts{Key: "k"})
	q = w.queue()
	ran := collect(q, jobs.Kind{})
	w.start(q)
	for range 2 {
		if j := receive(w, ran); j.Args.N != 1 && j.Args.N != 4 || j.Attempt != 2 || j.LastError != "the program ended while the job ran" {
			t.Errorf("%+v", j)
		}
	}
	if i := w.only(jobs.Failed); i.Attempt != 1 || i.LastError != "the program ended while the job ran" {
		t.Errorf("%+v", i)
	}
}

// A work function that ends its goroutine must not cost a worker.
func TestAWorkFunctionThatDoesNotReturn(t *testing.T) {
	t.Parallel()
	w := &world{t: t, s: storetest.Open(t, storetest.Config(t, store.SQLite), jobs.Migrations()), clock: clock.System{}, log: &book{}}
	q := w.queue(workers(jobs.DefaultQueue, 1))
	ran := make(chan int, 10)
	jobs.Register(q, jobs.Kind{Backoff: func(int) time.Duration { return 0 }}, func(_ context.Context, j jobs.Job[hello]) error {
		ran <- j.Attempt
		if j.Attempt == 1 {
			runtime.Goexit()
		}
		return nil
	})
	w.start(q)
	w.insert(q, hello{}, jobs.Opts{})
	if a, b := receive(w, ran), receive(w, ran); a != 1 || b != 2 {
		t.Errorf("attempts %d, %d", a, b)
	}
	w.empty()
}
