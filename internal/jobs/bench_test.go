package jobs_test

import (
	"context"
	"sync/atomic"
	"testing"

	"rookery/internal/jobs"
	"rookery/internal/store"
	"rookery/internal/store/storetest"
)

// BenchmarkQueue inserts and works 10,000 jobs that do nothing, 500 a
// transaction, by 100 workers.
func BenchmarkQueue(b *testing.B) {
	const n, batch = 10_000, 500
	for _, d := range []store.Dialect{store.SQLite, store.Postgres} {
		b.Run(string(d), func(b *testing.B) {
			s := storetest.Open(b, storetest.Config(b, d), jobs.Migrations())
			q := jobs.New(jobs.Config{Store: s, Workers: map[string]int{jobs.DefaultQueue: 100}})
			var left atomic.Int64
			done := make(chan struct{}, 1)
			jobs.Register(q, jobs.Kind{}, func(context.Context, jobs.Job[hello]) error {
				if left.Add(-1) == 0 {
					done <- struct{}{}
				}
				return nil
			})
			if err := q.Start(b.Context()); err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				left.Store(n)
				for i := 0; i < n; i += batch {
					err := s.Write(b.Context(), func(ctx context.Context, tx store.Tx) error {
						for k := range batch {
							if err := q.Insert(ctx, tx, hello{N: i + k}, jobs.Opts{}); err != nil {
								return err
							}
						}
						return nil
					})
					if err != nil {
						b.Fatal(err)
					}
				}
				<-done
			}
			b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "jobs/s")
			if err := q.Stop(context.Background()); err != nil {
				b.Fatal(err)
			}
		})
	}
}
