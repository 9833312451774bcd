package jobs_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"rookery/internal/jobs"
	"rookery/internal/store"
)

// attempts registers hello with a worker whose n-th attempt ends as script
// says; after its end, all succeed.
func attempts(q *jobs.Queue, k jobs.Kind, script ...func(context.Context, jobs.Job[hello]) error) <-chan jobs.Job[hello] {
	c := make(chan jobs.Job[hello], 100)
	n := 0
	jobs.Register(q, k, func(ctx context.Context, j jobs.Job[hello]) error {
		n++ // one worker, one job: no two attempts at a time
		c <- j
		if n > len(script) {
			return nil
		}
		return script[n-1](ctx, j)
	})
	return c
}

type step = func(context.Context, jobs.Job[hello]) error

func ends(err error) step { return func(context.Context, jobs.Job[hello]) error { return err } }

func TestAFailedJobIsTriedAgain(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		q := w.queue()
		long := errors.New(strings.Repeat("é", 3000) + "\x00")
		ran := attempts(q, jobs.Kind{Backoff: func(n int) time.Duration { return time.Duration(n) * w.span() }}, ends(errOops), ends(long))
		w.start(q)
		began := w.clock.Now()
		w.insert(q, hello{N: 7}, jobs.Opts{})
		first := receive(w, ran)
		w.backsOff(1, "oops")
		w.pass(w.span())
		second := receive(w, ran)
		if second.Attempt != 2 || second.LastError != "oops" || second.ID != first.ID || second.Args.N != 7 {
			t.Errorf("%+v", second)
		}
		if w.clock.Now().Sub(began) < w.span() {
			t.Error("it did not back off")
		}
		w.backsOff(2, "é")
		w.pass(2 * w.span())
		third := receive(w, ran)
		if e := third.LastError; third.Attempt != 3 || len(e) > 2048 || len(e) < 2000 || !utf8.ValidString(e) || !strings.HasPrefix(e, "éé") {
			t.Errorf("attempt %d, %d bytes of error", third.Attempt, len(e))
		}
		w.empty()
	})
}

// backsOff waits until a failure is noted, before the clock is moved on. A
// real clock may already have passed the time.
func (w *world) backsOff(attempt int, err string) {
	w.t.Helper()
	if w.manual == nil {
		return
	}
	if i := w.only(jobs.Retrying); i.Attempt != attempt || !strings.HasPrefix(i.LastError, err) {
		w.t.Errorf("%+v", i)
	}
}

func TestSnoozeCostsNoAttempt(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		q := w.queue()
		ran := attempts(q, jobs.Kind{MaxAttempts: 2, Backoff: func(int) time.Duration { return 0 }},
			ends(jobs.Snooze(w.span())), ends(errOops), ends(jobs.Snooze(0)), ends(jobs.Snooze(time.Millisecond)))
		w.start(q)
		w.insert(q, hello{}, jobs.Opts{})
		for n, want := range []int{1, 1, 2, 2, 2} {
			j := receive(w, ran)
			if j.Attempt != want || (j.LastError == "oops") != (n >= 2) {
				t.Errorf("run %d: %+v, want attempt %d", n, j, want)
			}
			if n == 0 {
				if w.manual != nil {
					if i := w.only(jobs.Waiting); i.Attempt != 0 {
						t.Errorf("%+v", i)
					}
				}
				w.pass(w.span())
			}
		}
		w.empty()
	})
}

func TestCancelEndsAJob(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		q := w.queue()
		ran := attempts(q, jobs.Kind{}, ends(jobs.Cancel(errOops)))
		w.start(q)
		w.insert(q, hello{N: 1}, jobs.Opts{Key: "k"})
		receive(w, ran)
		w.empty()
		if !strings.Contains(w.log.String(), "gave up") {
			t.Errorf("log: %s", w.log)
		}
		w.insert(q, hello{N: 2}, jobs.Opts{Key: "k"})
		receive(w, ran)
		w.empty()
	})
}

func TestTimeoutIsTheKinds(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		q := w.queue()
		ran := attempts(q, jobs.Kind{Timeout: 30 * time.Millisecond, Backoff: func(int) time.Duration { return 0 }},
			func(ctx context.Context, _ jobs.Job[hello]) error {
				<-ctx.Done()
				return ctx.Err()
			})
		patient := make(chan bool, 1)
		jobs.Register(q, jobs.Kind{Timeout: time.Hour}, func(ctx context.Context, _ jobs.Job[other]) error {
			deadline, ok := ctx.Deadline()
			patient <- ok && time.Until(deadline) > 50*time.Minute
			return nil
		})
		w.start(q)
		w.insert(q, hello{}, jobs.Opts{})
		w.insert(q, other{}, jobs.Opts{})
		receive(w, ran)
		if j := receive(w, ran); j.Attempt != 2 || !strings.Contains(j.LastError, "time-out of 30ms") {
			t.Errorf("%+v", j)
		}
		if !receive(w, patient) {
			t.Error("the other kind did not have its own time-out")
		}
		w.empty()
	})
}

func TestCompleteIsPartOfItsTransaction(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		q := w.queue()
		effect := func(j jobs.Job[hello], end error) error {
			return w.s.Write(context.Background(), func(ctx context.Context, tx store.Tx) error {
				if _, err := tx.Exec(ctx, `insert into effect (id, n) values (1, $1)`, int64(j.Attempt)); err != nil {
					return err
				}
				if err := j.Complete(ctx, tx); err != nil {
					return err
				}
				// The usual end of a worker: more waits.
				if err := q.Insert(ctx, tx, hello{N: 2}, jobs.Opts{Key: j.Key}); err != nil {
					return err
				}
				return end
			})
		}
		ran := attempts(q, jobs.Kind{Backoff: func(int) time.Duration { return 0 }},
			func(_ context.Context, j jobs.Job[hello]) error { return effect(j, errOops) },
			func(_ context.Context, j jobs.Job[hello]) error { return effect(j, nil) })
		w.start(q)
		w.insert(q, hello{N: 1}, jobs.Opts{Key: "k"})
		for n, want := range []struct{ n, attempt int }{{1, 1}, {1, 2}, {2, 1}} {
			if j := receive(w, ran); j.Args.N != want.n || j.Attempt != want.attempt {
				t.Errorf("run %d: %+v, want %+v", n, j, want)
			}
		}
		w.empty()
		var n int
		if err := w.s.QueryRow(t.Context(), `select max(n) from effect having count(*) = 1`).Scan(&n); err != nil || n != 2 {
			t.Errorf("effects: %d, %v", n, err)
		}
	})
}

func TestAnErrorAfterCompleteChangesNothing(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		q := w.queue()
		ran := attempts(q, jobs.Kind{}, func(_ context.Context, j jobs.Job[hello]) error {
			w.write(func(ctx context.Context, tx store.Tx) error { return j.Complete(ctx, tx) })
			return errOops
		})
		w.start(q)
		w.insert(q, hello{N: 1}, jobs.Opts{Key: "k"})
		receive(w, ran)
		w.empty()
		w.eventually("it is logged", func() bool { return strings.Contains(w.log.String(), "after it was completed") })
		w.stop(q)
		if all := w.list(); len(all) != 0 {
			t.Errorf("%v", all)
		}
	})
}

func TestCompleteTellsWhenTheJobIsLost(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		q := w.queue()
		got := make(chan error, 1)
		ran := attempts(q, jobs.Kind{}, func(_ context.Context, j jobs.Job[hello]) error {
			w.write(func(ctx context.Context, tx store.Tx) error {
				table := map[store.Dialect]string{store.SQLite: "job", store.Postgres: "river_job"}[w.s.Dialect()]
				_, err := tx.Exec(ctx, `update `+table+` set attempt = attempt + 1`) // as if another had it
				return err
			})
			err := w.s.Write(context.Background(), func(ctx context.Context, tx store.Tx) error { return j.Complete(ctx, tx) })
			got <- err
			return nil
		})
		w.start(q)
		w.insert(q, hello{}, jobs.Opts{})
		receive(w, ran)
		if err := receive(w, got); !errors.Is(err, jobs.ErrLost) {
			t.Errorf("err = %v, want ErrLost", err)
		}
	})
}

func TestAJobThatFailsForGoodIsKept(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		q := w.queue()
		ran := attempts(q, jobs.Kind{MaxAttempts: 2, Backoff: func(int) time.Duration { return 0 }},
			ends(errOops), ends(errors.New("the end")), ends(errOops), ends(errors.New("the end")))
		w.start(q)
		w.insert(q, hello{N: 5}, jobs.Opts{Key: "k"})
		first := receive(w, ran)
		receive(w, ran)
		i := w.only(jobs.Failed)
		if i.Attempt != 2 || i.MaxAttempts != 2 || i.LastError != "the end" || i.ID != first.ID || i.Key != "k" || i.Kind != "test.hello" {
			t.Errorf("%+v", i)
		}
		if log := w.log.String(); !strings.Contains(log, "level=ERROR") || !strings.Contains(log, "mend the cause and retry") {
			t.Errorf("log: %s", log)
		}
		if err := q.Retry(t.Context(), i.ID+1000); !errors.Is(err, jobs.ErrNotFound) {
			t.Errorf("retry of another number: %v", err)
		}
		if err := q.Retry(t.Context(), i.ID); err != nil {
			t.Fatal(err)
		}
		if j := receive(w, ran); j.Attempt != 1 || j.ID != first.ID || j.Args.N != 5 || j.Key != "k" {
			t.Errorf("%+v", j)
		}
		receive(w, ran)
		w.only(jobs.Failed)
		// A failed one absorbs nothing.
		w.insert(q, hello{N: 6}, jobs.Opts{Key: "k"})
		if j := receive(w, ran); j.Args.N != 6 {
			t.Errorf("%+v", j)
		}
		w.only(jobs.Failed)
		// Retried while another waits, the two become one.
		w.insert(q, hello{N: 7}, jobs.Opts{Key: "k", RunAt: w.clock.Now().Add(24 * time.Hour)})
		if err := q.Retry(t.Context(), i.ID); err != nil {
			t.Fatal(err)
		}
		if j := receive(w, ran); j.Args.N != 7 || j.ID == i.ID {
			t.Errorf("%+v", j)
		}
		w.empty()
		if err := q.Drop(t.Context(), i.ID); !errors.Is(err, jobs.ErrNotFound) {
			t.Errorf("drop of one that is gone: %v", err)
		}
	})
}

func TestRetryAndDropOfAJobThatIsNotFailed(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		q := w.queue()
		gate := make(chan struct{})
		ran := attempts(q, jobs.Kind{Backoff: func(int) time.Duration { return 24 * time.Hour }}, ends(errOops), ends(errOops),
			func(context.Context, jobs.Job[hello]) error { <-gate; return nil })
		w.start(q)
		w.insert(q, hello{}, jobs.Opts{Key: "k"})
		receive(w, ran)
		for attempt := 2; attempt <= 3; attempt++ {
			i := w.only(jobs.Retrying)
			if err := q.Retry(t.Context(), i.ID); err != nil {
				t.Fatal(err)
			}
			if j := receive(w, ran); j.Attempt != attempt || j.ID != i.ID {
				t.Errorf("%+v", j)
			}
		}
		i := w.only(jobs.Running)
		if err := q.Retry(t.Context(), i.ID); !errors.Is(err, jobs.ErrRunning) {
			t.Errorf("retry of a running one: %v", err)
		}
		if err := q.Drop(t.Context(), i.ID); !errors.Is(err, jobs.ErrRunning) {
			t.Errorf("drop of a running one: %v", err)
		}
		close(gate)
		w.empty()
		w.insert(q, hello{N: 1}, jobs.Opts{Key: "k", RunAt: w.clock.Now().Add(24 * time.Hour)})
		if err := q.Drop(t.Context(), w.only(jobs.Waiting).ID); err != nil {
			t.Fatal(err)
		}
		w.empty()
		w.insert(q, hello{N: 2}, jobs.Opts{Key: "k"})
		if j := receive(w, ran); j.Args.N != 2 {
			t.Errorf("%+v", j)
		}
	})
}

func TestPanicIsAFailureWithItsStackInTheLog(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		q := w.queue()
		ran := attempts(q, jobs.Kind{Backoff: func(int) time.Duration { return 0 }},
			func(context.Context, jobs.Job[hello]) error { panic("what a mess") })
		w.start(q)
		w.insert(q, hello{}, jobs.Opts{})
		receive(w, ran)
		if j := receive(w, ran); j.Attempt != 2 || j.LastError != "panic: what a mess" {
			t.Errorf("%+v", j)
		}
		w.empty()
		if log := w.log.String(); !strings.Contains(log, "what a mess") || !strings.Contains(log, "outcome_test.go") {
			t.Errorf("log: %s", log)
		}
	})
}
