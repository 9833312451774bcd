package jobs_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"rookery/internal/clock"
	"rookery/internal/jobs"
	"rookery/internal/store"
	"rookery/internal/store/storetest"
)

func TestMain(m *testing.M) {
	if os.Getenv(childEnv) != "" {
		os.Exit(child())
	}
	goleak.VerifyTestMain(m)
}

// patience bounds every wait for an event; nothing is measured by it.
const patience = 60 * time.Second

// The jobs of the tests.
type (
	hello struct {
		N int `json:"n"`
	}
	other struct{ S string }
)

func (hello) Kind() string { return "test.hello" }
func (other) Kind() string { return "test.other" }

var effects = store.Migrations{Feature: "effects", FS: oneFile("create table effect (id bigint not null, n bigint not null);")}

// world is a database and a clock. On SQLite the clock is moved by the test;
// River goes by real time.
type world struct {
	t      *testing.T
	s      *store.Store
	clock  clock.Clock
	manual *clock.Manual // nil: real time
	log    *book
}

func each(t *testing.T, fn func(t *testing.T, w *world)) {
	t.Helper()
	t.Parallel()
	storetest.EachConfig(t, func(t *testing.T, c store.Config) {
		w := &world{t: t, s: storetest.Open(t, c, jobs.Migrations(), effects), clock: clock.System{}, log: &book{}}
		if w.s.Dialect() == store.SQLite {
			w.manual = clock.NewManual(time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC))
			w.clock = w.manual
		}
		fn(t, w)
	})
}

// queue makes a queue that is stopped at the end of the test.
func (w *world) queue(change ...func(*jobs.Config)) *jobs.Queue {
	c := jobs.Config{Store: w.s, Clock: w.clock, Log: slog.New(slog.NewTextHandler(w.log, nil))}
	for _, fn := range change {
		fn(&c)
	}
	q := jobs.New(c)
	w.t.Cleanup(func() { w.stop(q) })
	return q
}

func workers(queue string, n int) func(*jobs.Config) {
	return func(c *jobs.Config) {
		if c.Workers == nil {
			c.Workers = map[string]int{}
		}
		c.Workers[queue] = n
	}
}

func drain(d time.Duration) func(*jobs.Config) { return func(c *jobs.Config) { c.Drain = d } }

func (w *world) start(q *jobs.Queue) {
	w.t.Helper()
	if err := q.Start(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) stop(q *jobs.Queue) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := q.Stop(ctx); err != nil {
		w.t.Errorf("stop: %v", err)
	}
}

func (w *world) write(fn func(context.Context, store.Tx) error) {
	w.t.Helper()
	if err := w.s.Write(context.Background(), fn); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) insert(q *jobs.Queue, args jobs.Args, o jobs.Opts) {
	w.t.Helper()
	w.write(func(ctx context.Context, tx store.Tx) error { return q.Insert(ctx, tx, args, o) })
}

// span is a time to wait for on purpose: long on a clock moved by hand, short
// on a real one.
func (w *world) span() time.Duration {
	if w.manual != nil {
		return time.Hour
	}
	return 300 * time.Millisecond
}

// pass lets d go by; on a real clock it does by itself.
func (w *world) pass(d time.Duration) {
	if w.manual != nil {
		w.manual.Advance(d)
	}
}

// tick lets the world go on a little while a test waits: whoever began to
// sleep just as the clock was moved is woken by it.
func (w *world) tick() {
	<-time.After(5 * time.Millisecond)
	w.pass(time.Second)
}

// receive waits for a value.
func receive[T any](w *world, c <-chan T) T {
	w.t.Helper()
	deadline := time.After(patience)
	for {
		select {
		case v := <-c:
			return v
		case <-time.After(5 * time.Millisecond):
			w.pass(time.Second)
		case <-deadline:
			w.t.Fatalf("nothing came; jobs: %v\nlog: %s", w.list(), w.log)
		}
	}
}

// eventually waits until ok.
func (w *world) eventually(what string, ok func() bool) {
	w.t.Helper()
	deadline := time.After(patience)
	for !ok() {
		select {
		case <-deadline:
			w.t.Fatalf("it never came that %s; jobs: %v\nlog: %s", what, w.list(), w.log)
		default:
			w.tick()
		}
	}
}

func (w *world) list() []jobs.Info {
	w.t.Helper()
	q := jobs.New(jobs.Config{Store: w.s})
	all, err := q.List(context.Background(), 1000)
	if err != nil {
		w.t.Fatal(err)
	}
	return all
}

// only waits until a single job is left and is in that state.
func (w *world) only(state jobs.State) jobs.Info {
	w.t.Helper()
	var info jobs.Info
	w.eventually(fmt.Sprintf("one job is %s", state), func() bool {
		all := w.list()
		if len(all) == 1 {
			info = all[0]
		}
		return len(all) == 1 && info.State == state
	})
	return info
}

func (w *world) empty() {
	w.t.Helper()
	w.eventually("no job is left", func() bool { return len(w.list()) == 0 })
	if w.s.Dialect() == store.Postgres {
		var keys int
		if err := w.s.QueryRow(w.t.Context(), `select count(*) from job_key`).Scan(&keys); err != nil || keys != 0 {
			w.t.Errorf("%d keys without a job, %v", keys, err)
		}
	}
}

// book keeps what was logged.
type book struct {
	mu sync.Mutex
	b  strings.Builder
}

func (b *book) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *book) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
