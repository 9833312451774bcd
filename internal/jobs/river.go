package jobs

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivertype"
)

// onRiver is the queue on PostgreSQL. River keeps the table, hands out jobs,
// notes those that are done and finds those whose process died. What this
// package promises beyond it (a key that coalesces without losing a wake-up,
// snoozes and failures that merge, attempts that a shutdown does not cost) is
// done here, in transactions of our own; see DESIGN.md.
type onRiver struct {
	q        *Queue
	inserter *river.Client[pgx.Tx] // inserts; never started
	worker   *river.Client[pgx.Tx] // works; made by start
	pool     *pgxpool.Pool
}

const (
	// fetchCooldown bounds how often a queue asks for jobs; River's own 100 ms
	// would add that much to each reply.
	fetchCooldown = 2 * time.Millisecond
	// fetchEvery is how often a queue asks without having been notified.
	fetchEvery = 500 * time.Millisecond
	// rescueGrace is how long after its time-out a job that has not come back
	// is taken for dead. It leaves a job that heeds its context time to end;
	// with it, River's rescuer (every 30 s), scheduler (5 s) and the election
	// of a new leader (15 s, at the same time), a killed process's jobs run
	// elsewhere within their time-out plus 60 s.
	rescueGrace = 10 * time.Second
	// keepDone is how long River keeps jobs that are done.
	keepDone = time.Hour
	// riverAttempts is more than River will ever count: we count ourselves.
	riverAttempts = 32_000
)

func newRiver(q *Queue, pool *pgxpool.Pool) *onRiver {
	r := &onRiver{q: q, pool: pool}
	var err error
	r.inserter, err = river.NewClient(riverpgxv5.New(pool), &river.Config{
		Logger: quiet(q.log), FetchCooldown: fetchCooldown, FetchPollInterval: fetchEvery})
	if err != nil {
		panic("jobs: " + err.Error()) // the configuration is all our own
	}
	return r
}

func (r *onRiver) start(ctx context.Context) error {
	queues := map[string]river.QueueConfig{}
	for name, n := range r.q.workers {
		queues[name] = river.QueueConfig{MaxWorkers: n}
	}
	workers := river.NewWorkers()
	shortest := time.Duration(0)
	for _, k := range r.q.kinds {
		river.AddWorkerArgs(workers, stored{kind: k.name}, &riverWorker{r: r, kind: k})
		if limit := k.Timeout + rescueGrace; shortest == 0 || limit < shortest {
			shortest = limit
		}
	}
	if shortest == 0 {
		return fmt.Errorf("no kind of job is registered")
	}
	client, err := river.NewClient(riverpgxv5.New(r.pool), &river.Config{
		Logger:              quiet(r.q.log),
		Queues:              queues,
		Workers:             workers,
		FetchOnlyKnownKinds: true,
		FetchCooldown:       fetchCooldown,
		FetchPollInterval:   fetchEvery,
		SoftStopTimeout:     r.q.drain,
		// The rescuer looks at what has run longer than the shortest limit,
		// then asks each job's worker for its own (Timeout, below).
		JobTimeout:                  shortest,
		RescueStuckJobsAfter:        shortest,
		MaxAttempts:                 riverAttempts,
		CompletedJobRetentionPeriod: keepDone,
		DiscardedJobRetentionPeriod: keepFailed,
	})
	if err != nil {
		return fmt.Errorf("set up River: %w", err)
	}
	if err := client.Start(context.WithoutCancel(ctx)); err != nil {
		return fmt.Errorf("start River: %w", err)
	}
	r.worker = client
	return nil
}

// quiet leaves River its warnings and errors: its news of itself every few
// seconds tell an operator nothing.
func quiet(log *slog.Logger) *slog.Logger { return slog.New(quietHandler{log.Handler()}) }

type quietHandler struct{ slog.Handler }

func (h quietHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn && h.Handler.Enabled(ctx, level)
}

func (h quietHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return quietHandler{h.Handler.WithAttrs(attrs)}
}

func (h quietHandler) WithGroup(name string) slog.Handler {
	return quietHandler{h.Handler.WithGroup(name)}
}

// stop relies on River's SoftStopTimeout for the drain.
func (r *onRiver) stop(ctx context.Context, _ time.Duration) error {
	err := r.worker.Stop(ctx)
	if err == nil || ctx.Err() == nil {
		return err
	}
	cut, cancel := context.WithTimeout(context.WithoutCancel(ctx), graceAfterCut)
	defer cancel()
	if err := r.worker.StopAndCancel(cut); err != nil {
		return fmt.Errorf("jobs do not heed the end of their contexts: %w", ctx.Err())
	}
	return nil
}

// stored is a job's arguments as they lie in the table.
type stored struct {
	kind string
	raw  json.RawMessage
}

// Kind implements river.JobArgs.
func (s stored) Kind() string { return s.kind }

// MarshalJSON implements json.Marshaler.
func (s stored) MarshalJSON() ([]byte, error) { return s.raw, nil }

// UnmarshalJSON implements json.Unmarshaler.
func (s *stored) UnmarshalJSON(b []byte) error {
	s.raw = append(s.raw[:0], b...)
	return nil
}

// meta is what we keep in the metadata of one of River's rows. Its names are
// also in the SQL below.
type meta struct {
	Key       string `json:"key,omitempty"`
	Max       int    `json:"max"`                 // attempts in all
	ID        int64  `json:"id,omitempty"`        // the job's number, from its first row; 0: this is the first
	Used      int    `json:"used,omitempty"`      // attempts used up in earlier rows
	LastError string `json:"error,omitempty"`     // of the last of them
	Backoff   bool   `json:"backoff,omitempty"`   // waits after a failure
	Cancelled bool   `json:"cancelled,omitempty"` // by CancelKey, when River had handed it out but it had not begun
}

// riverWorker works the jobs of one kind.
type riverWorker struct {
	river.WorkerDefaults[stored]
	r    *onRiver
	kind *kind
}

// Timeout tells River when a job is taken for dead. The kind's own time-out,
// which comes earlier, is kept by perform.
func (w *riverWorker) Timeout(*river.Job[stored]) time.Duration { return w.kind.Timeout + rescueGrace }

// NextRetry is when a job whose process died, or whose failure could not be
// noted by us, runs again.
func (w *riverWorker) NextRetry(*river.Job[stored]) time.Time {
	return w.r.q.clock.Now().Add(firstBackoff)
}

// Work makes one attempt. It returns nil for a job that is done, and also when
// our own transaction has put another row, or none, in the place of this one:
// River then finds nothing to note.
func (w *riverWorker) Work(ctx context.Context, job *river.Job[stored]) error {
	r := w.r
	row, err := readRow(job.JobRow)
	if err != nil {
		return err
	}
	runs, err := r.begin(ctx, row)
	if err != nil {
		r.q.log.Warn("a job could not be begun, trying again", "kind", job.Kind, "job", row.claim.id, "error", err)
		return river.JobSnooze(firstBackoff)
	}
	if !runs {
		return nil
	}
	out := r.q.perform(ctx, row.claim)
	if out.verdict == done {
		return nil
	}
	// What was decided is noted also when the job's context has ended.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rescueGrace)
	defer cancel()
	if err := r.settle(ctx, row, out); err != nil {
		r.q.log.Error("the end of a job could not be noted; River tries it again", "kind", job.Kind, "job", row.claim.id, "error", err)
		switch {
		case out.verdict == removed:
			return river.JobCancel(err)
		case out.verdict == again && !out.next.backingOff:
			return river.JobSnooze(max(out.next.runAt.Sub(r.q.clock.Now()), 0))
		}
		return fmt.Errorf("%s (%w)", out.next.lastError, err)
	}
	return nil
}

// riverRow is one of River's rows, handed out to be worked.
type riverRow struct {
	id      int64
	attempt int // River's own count, which tells one handing-out from the next
	meta    meta
	claim   *claim
}

func readRow(row *rivertype.JobRow) (*riverRow, error) {
	r := &riverRow{id: row.ID, attempt: row.Attempt}
	if err := json.Unmarshal(row.Metadata, &r.meta); err != nil {
		return nil, fmt.Errorf("read the job's metadata: %w", err)
	}
	c := &claim{id: r.meta.number(row.ID), kind: row.Kind, key: r.meta.Key, queue: row.Queue, args: row.EncodedArgs,
		priority: row.Priority, complete: r.complete}
	r.claim = c
	r.count()
	if n := len(row.Errors); n > 0 { // of this row, so later than the metadata's
		c.lastError = riverError(row.Errors[n-1].Error)
	}
	return r, nil
}

// riverError puts what River's rescuer notes into our words.
func riverError(text string) string {
	if text == "Stuck job rescued by JobRescuer" {
		return errKilled
	}
	return clip(text)
}

// count brings the claim up to the metadata.
func (r *riverRow) count() {
	r.claim.attempt, r.claim.max, r.claim.lastError = r.meta.Used+r.attempt, r.meta.Max, r.meta.LastError
}

func (m meta) number(row int64) int64 {
	if m.ID != 0 {
		return m.ID
	}
	return row
}
