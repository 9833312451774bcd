package jobs_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"testing"
	"testing/fstest"
	"time"

	"rookery/internal/jobs"
	"rookery/internal/store"
)

func oneFile(sql string) fs.FS { return fstest.MapFS{"0001.sql": {Data: []byte(sql)}} }

var errOops = errors.New("oops")

// collect registers hello with a worker that hands over each job and is done.
func collect(q *jobs.Queue, k jobs.Kind) <-chan jobs.Job[hello] {
	c := make(chan jobs.Job[hello], 100)
	jobs.Register(q, k, func(_ context.Context, j jobs.Job[hello]) error {
		c <- j
		return nil
	})
	return c
}

func TestInsertIsPartOfItsTransaction(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		q := w.queue()
		ran := collect(q, jobs.Kind{})
		w.start(q)
		err := w.s.Write(t.Context(), func(ctx context.Context, tx store.Tx) error {
			if err := q.Insert(ctx, tx, hello{N: 1}, jobs.Opts{}); err != nil {
				return err
			}
			if err := q.Insert(ctx, tx, hello{N: 1}, jobs.Opts{Key: "k"}); err != nil {
				return err
			}
			return errOops
		})
		if !errors.Is(err, errOops) {
			t.Fatal(err)
		}
		if all := w.list(); len(all) != 0 {
			t.Errorf("left by a transaction that was rolled back: %v", all)
		}
		w.insert(q, hello{N: 2}, jobs.Opts{Key: "k"})
		j := receive(w, ran)
		if j.Args.N != 2 || j.Attempt != 1 || j.LastError != "" || j.Key != "k" || j.ID == 0 || j.MaxAttempts != 25 {
			t.Errorf("%+v", j)
		}
		w.empty()
	})
}

func TestAnotherQueueInserts(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		inserter := w.queue() // never started, knows no kinds
		w.insert(inserter, hello{N: 1}, jobs.Opts{})
		q := w.queue()
		ran := collect(q, jobs.Kind{})
		w.start(q)
		w.insert(inserter, hello{N: 2}, jobs.Opts{})
		got := []int{receive(w, ran).Args.N, receive(w, ran).Args.N}
		slices.Sort(got)
		if !slices.Equal(got, []int{1, 2}) {
			t.Errorf("ran %v", got)
		}
	})
}

func TestUnknownKindWaitsForAProgramThatKnowsIt(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		q := w.queue()
		ran := collect(q, jobs.Kind{})
		w.start(q)
		w.insert(q, other{"x"}, jobs.Opts{Priority: 1})
		w.insert(q, hello{N: 1}, jobs.Opts{})
		receive(w, ran)
		if i := w.only(jobs.Waiting); i.Kind != "test.other" || i.Attempt != 0 {
			t.Errorf("%+v", i)
		}
	})
}

func TestRunAt(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		q := w.queue(workers(jobs.DefaultQueue, 1)) // no two side by side
		ran := collect(q, jobs.Kind{})
		w.start(q)
		now := w.clock.Now()
		w.insert(q, hello{N: 3}, jobs.Opts{RunAt: now.Add(2 * w.span())})
		w.insert(q, hello{N: 2}, jobs.Opts{RunAt: now.Add(w.span())})
		w.insert(q, hello{N: 1}, jobs.Opts{})
		for want := 1; want <= 3; want++ {
			if j := receive(w, ran); j.Args.N != want {
				t.Errorf("%d ran in the place of %d", j.Args.N, want)
			}
			if at := w.clock.Now(); at.Before(now.Add(time.Duration(want-1)*w.span() - time.Millisecond)) {
				t.Errorf("%d ran at %s, inserted at %s", want, at, now)
			}
			w.pass(w.span())
		}
	})
}

func TestOrderIsPriorityThenTimeThenAge(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		q := w.queue(workers(jobs.DefaultQueue, 1))
		ran := collect(q, jobs.Kind{})
		past := w.clock.Now().Add(-time.Hour)
		for n, o := range []jobs.Opts{
			{Priority: 4}, {RunAt: past}, {}, {RunAt: past.Add(-time.Hour)}, {Priority: 1}, {Priority: 3}, {Priority: 1},
		} {
			w.insert(q, hello{N: n}, o)
		}
		w.start(q)
		var got []int
		for range 7 {
			got = append(got, receive(w, ran).Args.N)
		}
		if want := []int{4, 6, 3, 1, 2, 5, 0}; !slices.Equal(got, want) {
			t.Errorf("order %v, want %v", got, want)
		}
	})
}

func TestAFullQueueDoesNotBlockAnother(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		q := w.queue(workers("slow", 2))
		ran := collect(q, jobs.Kind{})
		begun, gate := make(chan string, 10), make(chan struct{})
		jobs.Register(q, jobs.Kind{Queue: "slow"}, func(_ context.Context, j jobs.Job[other]) error {
			begun <- j.Args.S
			<-gate
			return nil
		})
		w.start(q)
		for i := range 5 {
			w.insert(q, other{fmt.Sprint(i)}, jobs.Opts{Priority: 1})
		}
		receive(w, begun)
		receive(w, begun)
		for i := range 20 {
			w.insert(q, hello{N: i}, jobs.Opts{Priority: 4})
			receive(w, ran)
		}
		if len(begun) != 0 {
			t.Errorf("%d more than the queue's workers ran at once", len(begun))
		}
		w.insert(q, hello{N: 100}, jobs.Opts{Queue: "slow", Priority: 1}) // behind the others of its queue
		close(gate)
		receive(w, ran)
		w.empty()
	})
}

func TestStartRefusesAKindWithoutWorkers(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		q := w.queue()
		collect(q, jobs.Kind{Queue: "nobody"})
		if err := q.Start(t.Context()); err == nil {
			t.Error("it started")
		}
	})
}

func TestInsertRefusesWhatCannotBeStored(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		q := w.queue()
		for name, c := range map[string]struct {
			args jobs.Args
			o    jobs.Opts
		}{
			"NUL in the arguments": {other{"a\x00b"}, jobs.Opts{}},
			"NUL in the key":       {hello{}, jobs.Opts{Key: "a\x00"}},
			"a key too long":       {hello{}, jobs.Opts{Key: string(make([]byte, 501))}},
			"no such priority":     {hello{}, jobs.Opts{Priority: 5}},
			"no name of a queue":   {hello{}, jobs.Opts{Queue: "A b"}},
			"a nameless kind":      {nameless{}, jobs.Opts{}},
		} {
			err := w.s.Write(t.Context(), func(ctx context.Context, tx store.Tx) error { return q.Insert(ctx, tx, c.args, c.o) })
			if err == nil {
				t.Errorf("%s: it was taken", name)
			}
		}
		w.insert(q, other{`a\u0000b \ é 日本`}, jobs.Opts{Key: `\u0000`}) // harmless
		if all := w.list(); len(all) != 1 {
			t.Errorf("%v", all)
		}
	})
}

type nameless struct{}

func (nameless) Kind() string { return "" }
