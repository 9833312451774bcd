package store_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"rookery/internal/store"
	"rookery/internal/store/storetest"
)

// BenchmarkWriterDuringBackup is how long one small durable write takes, at
// rest and while a database of 130 MB is backed up again and again.
func BenchmarkWriterDuringBackup(b *testing.B) {
	for _, busy := range []bool{false, true} {
		b.Run(fmt.Sprintf("backup=%v", busy), func(b *testing.B) {
			s := storetest.Open(b, storetest.Config(b, store.SQLite), notes)
			text := strings.Repeat("x", 600)
			for i := range 200 {
				if err := s.WriteRelaxed(b.Context(), func(ctx context.Context, tx store.Tx) error {
					for j := range 1000 {
						if err := insert(ctx, tx, i*1000+j, text); err != nil {
							return err
						}
					}
					return nil
				}); err != nil {
					b.Fatal(err)
				}
			}
			ctx, stop := context.WithCancel(b.Context())
			stopped, dir := make(chan struct{}), b.TempDir()
			var backups atomic.Int64
			go func() {
				defer close(stopped)
				for busy && ctx.Err() == nil {
					if _, err := s.Backup(ctx, filepath.Join(dir, "copy"), store.Overwrite()); err != nil && ctx.Err() == nil {
						b.Error(err)
					}
					backups.Add(1)
				}
			}()
			took := make([]time.Duration, 0, b.N)
			for b.Loop() {
				begun := time.Now()
				if err := s.Write(b.Context(), func(ctx context.Context, tx store.Tx) error {
					return insert(ctx, tx, 1_000_000+len(took), text)
				}); err != nil {
					b.Fatal(err)
				}
				took = append(took, time.Since(begun))
			}
			stop()
			<-stopped
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "µs/p99")
			b.ReportMetric(float64(took[len(took)-1].Microseconds()), "µs/max")
			b.ReportMetric(float64(backups.Load()), "backups")
		})
	}
}
