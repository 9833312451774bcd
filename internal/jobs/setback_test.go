package jobs_test

import (
	"context"
	"testing"
	"time"

	"rookery/internal/jobs"
	"rookery/internal/store"
)

// A clock that was ahead is put right: what waits by it does not wait for as
// long again. (On PostgreSQL River goes by the database's clock.)
func TestJobsWaitNoLongerWhenTheClockIsSetBack(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		if w.manual == nil {
			t.Skip("only where the queue goes by our clock")
		}
		m, began := w.manual, w.manual.Now()
		w.manual = nil // the test alone moves it
		q := w.queue()
		ran := collect(q, jobs.Kind{})
		w.start(q)
		insert := func(n int, in time.Duration) {
			w.write(func(ctx context.Context, tx store.Tx) error {
				return q.Insert(ctx, tx, hello{N: n}, jobs.Opts{RunAt: m.Now().Add(in)})
			})
		}
		insert(1, 0)
		<-ran // it has seen the clock
		insert(2, 10*time.Second)
		m.Advance(-48 * time.Hour)
		insert(3, 0)
		w.manual = m
		seen := map[int]bool{}
		w.eventually("both have run", func() bool {
			for len(ran) > 0 {
				seen[(<-ran).Args.N] = true
			}
			return seen[2] && seen[3]
		})
		if at := m.Now(); at.After(began.Add(-24 * time.Hour)) {
			t.Errorf("they waited until %s", at)
		}
	})
}
