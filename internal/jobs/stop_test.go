package jobs_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"rookery/internal/jobs"
)

func TestStopWaitsForRunningJobs(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		q := w.queue(workers(jobs.DefaultQueue, 1), drain(patience))
		begun, gate, over := make(chan struct{}, 10), make(chan struct{}), make(chan error, 10)
		jobs.Register(q, jobs.Kind{}, func(ctx context.Context, _ jobs.Job[hello]) error {
			begun <- struct{}{}
			<-gate
			over <- ctx.Err()
			return nil
		})
		w.start(q)
		w.insert(q, hello{N: 1}, jobs.Opts{})
		receive(w, begun)
		var wg sync.WaitGroup
		for range 3 { // also several at once
			wg.Go(func() {
				w.stop(q)
				if len(over) == 0 {
					t.Error("Stop did not wait")
				}
			})
		}
		w.eventually("a stop has begun", func() bool { return strings.Contains(q.Start(t.Context()).Error(), "stopped") })
		close(gate)
		wg.Wait()
		if err := <-over; err != nil {
			t.Errorf("the job's context had ended: %v", err)
		}
		if all := w.list(); len(all) != 0 {
			t.Errorf("left: %v", all)
		}
	})
}

func TestAJobCutOffCostsNoAttemptAndRunsAgain(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		hang := func(begun chan<- jobs.Job[hello]) step {
			return func(ctx context.Context, j jobs.Job[hello]) error {
				begun <- j
				<-ctx.Done()
				return errors.New("interrupted") // not even the context's own error
			}
		}
		first := make(chan jobs.Job[hello], 10)
		q := w.queue(drain(10 * time.Millisecond))
		jobs.Register(q, jobs.Kind{MaxAttempts: 1}, hang(first))
		w.start(q)
		w.insert(q, hello{N: 1}, jobs.Opts{Key: "k"})
		w.insert(q, hello{N: 2}, jobs.Opts{})
		receive(w, first)
		receive(w, first)
		w.insert(q, hello{N: 3}, jobs.Opts{Key: "k"}) // merges with the one cut off
		w.insert(q, hello{N: 4}, jobs.Opts{})         // is not begun
		w.stop(q)
		all := w.list()
		if len(all) != 3 || len(first) != 0 {
			t.Errorf("%d were begun while stopping, left: %v", len(first), all)
		}
		for _, i := range all {
			if i.State != jobs.Waiting || i.Attempt != 0 || i.LastError != "" {
				t.Errorf("%+v", i)
			}
		}
		q = w.queue()
		ran := collect(q, jobs.Kind{MaxAttempts: 1})
		w.start(q)
		for range 3 {
			if j := receive(w, ran); j.Attempt != 1 {
				t.Errorf("%+v", j)
			}
		}
		w.empty()
	})
}

func TestStopCutsShortWhenItsContextEnds(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		q := w.queue(drain(time.Hour))
		begun := make(chan struct{}, 1)
		jobs.Register(q, jobs.Kind{}, func(ctx context.Context, _ jobs.Job[hello]) error {
			begun <- struct{}{}
			<-ctx.Done()
			return ctx.Err()
		})
		w.start(q)
		w.insert(q, hello{}, jobs.Opts{})
		receive(w, begun)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := q.Stop(ctx); err != nil {
			t.Error(err)
		}
		if i := w.only(jobs.Waiting); i.Attempt != 0 {
			t.Errorf("%+v", i)
		}
	})
}

func TestStopBeforeStart(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		q := w.queue()
		collect(q, jobs.Kind{})
		w.stop(q)
		w.stop(q)
		if err := q.Start(t.Context()); err == nil || !strings.Contains(err.Error(), "stopped") {
			t.Errorf("start after stop: %v", err)
		}
		w.insert(q, hello{}, jobs.Opts{}) // inserting goes on
		if i := w.only(jobs.Waiting); i.Kind != "test.hello" {
			t.Errorf("%+v", i)
		}
	})
}

func TestSecondStartIsRefused(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		q := w.queue()
		collect(q, jobs.Kind{})
		w.start(q)
		if err := q.Start(t.Context()); err == nil {
			t.Error("it started twice")
		}
	})
}
