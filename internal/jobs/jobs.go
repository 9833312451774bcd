// Package jobs is the durable queue of work to be done later: a job is
// inserted in the transaction that caused it, survives any crash after that
// commit, and runs at least once. On SQLite it is a small queue of its own;
// on PostgreSQL River (https://riverqueue.com) hands the jobs out, so that any
// number of processes share them. Both behave alike; DESIGN.md says why no
// order of crashes loses a job or a wake-up.
//
// It leaves to its callers what a job does and how its effects are made
// harmless when it runs twice, and to package outbox everything that is sent
// to other servers.
package jobs

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"sync"
	"time"

	"rookery/internal/clock"
	"rookery/internal/store"
)

// Args is what a job is told; it is stored as JSON. Kind is stable for ever,
// 2 to 100 letters, digits and . _ -, beginning with a letter, and must not
// depend on the value.
type Args interface{ Kind() string }

// Opts say how one job is to be run. The zero value is: now, by its kind's
// own settings.
type Opts struct {
	// Key coalesces: while a job of the same kind and key waits, another
	// insert adds none, and the waiting one keeps its own Args (those of one
	// key should mean the same). At most 500 bytes; empty: no coalescing.
	Key         string
	RunAt       time.Time // not before; zero: now
	Priority    int       // 1 first … 4 last; 0 means 2
	Queue       string    // empty: the kind's queue
	MaxAttempts int       // 0: the kind's
}

// Config is what a Queue is made of.
type Config struct {
	Store *store.Store
	Clock clock.Clock  // nil: the system's
	Log   *slog.Logger // nil: none
	// Workers says how many jobs of each queue run at once in this process.
	// Names are lower-case letters and digits, with single - or _ between.
	// "default" always exists and has 2 unless said otherwise.
	Workers map[string]int
	Drain   time.Duration // how long Stop waits for running jobs; 0: 8 s
}

// DefaultQueue is the queue of kinds that name none.
const DefaultQueue = "default"

const (
	defaultWorkers     = 2
	defaultDrain       = 8 * time.Second
	defaultPriority    = 2
	defaultMaxAttempts = 25
	maxMaxAttempts     = 10_000 // River counts in 16 bits
	maxKey             = 500    // bytes; PostgreSQL's index takes some 2,700
	keepFailed         = 90 * 24 * time.Hour
)

var (
	kindName  = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9._-]{1,99}$`)
	queueName = regexp.MustCompile(`^[a-z0-9]+([_-][a-z0-9]+)*$`)
)

// Queue inserts jobs and, once started, works them. It is safe for concurrent
// use.
type Queue struct {
	store   *store.Store
	clock   clock.Clock
	log     *slog.Logger
	workers map[string]int
	drain   time.Duration
	backend backend

	mu        sync.RWMutex
	kinds     map[string]*kind
	schedules []*schedule
	phase     phase

	stopSchedules context.CancelFunc
	schedulesDone chan struct{}
	stopped       chan struct{} // closed when the first Stop is through
	stopErr       error
}

type phase int

const (
	fresh phase = iota
	started
	ended
)

// backend is what the two databases do differently.
type backend interface {
	insert(ctx context.Context, tx store.Tx, o order) error
	cancelKey(ctx context.Context, tx store.Tx, kind, key string) error
	start(ctx context.Context) error
	// stop waits for running jobs, cutting them off after drain or when ctx
	// ends.
	stop(ctx context.Context, drain time.Duration) error
	list(ctx context.Context, limit int) ([]Info, error)
	retry(ctx context.Context, id int64) error
	drop(ctx context.Context, id int64) error
}

// order is a job to be stored, with nothing left to be decided.
type order struct {
	id       int64 // keeps the id of an earlier row; 0: a new one
	kind     string
	key      string
	queue    string
	args     []byte
	runAt    time.Time // zero: now
	priority int
	max      int
}

// New makes a queue on c.Store, migrated to Migrations. It panics if c is
// wrong: that is a mistake in the program.
func New(c Config) *Queue {
	q := &Queue{store: c.Store, clock: c.Clock, log: c.Log, drain: c.Drain,
		workers: map[string]int{DefaultQueue: defaultWorkers}, kinds: map[string]*kind{}, stopped: make(chan struct{})}
	if q.clock == nil {
		q.clock = clock.System{}
	}
	if q.log == nil {
		q.log = slog.New(slog.DiscardHandler)
	}
	if q.drain == 0 {
		q.drain = defaultDrain
	}
	for name, n := range c.Workers {
		if !queueName.MatchString(name) || len(name) > 64 {
			panic(fmt.Sprintf("jobs: queue name %q", name))
		}
		if n < 1 || n > 10_000 {
			panic(fmt.Sprintf("jobs: %d workers for queue %s", n, name))
		}
		q.workers[name] = n
	}
	if pool, ok := store.Pool(c.Store); ok {
		q.backend = newRiver(q, pool)
	} else {
		q.backend = newLite(q)
	}
	return q
}

// Insert stores a job in the caller's transaction: it will run if tx commits.
// It may be called by a process that never calls Start; that one should
// Register its kinds all the same, since a kind's queue and number of attempts
// are known from there.
//
// With a key, a job of the same kind that waits under it absorbs this one: it
// takes the earlier RunAt (unless it is backing off after a failure) and the
// better Priority. A job that has been started absorbs nothing, so that once
// tx has committed a run begins that sees all that tx wrote.
func (q *Queue) Insert(ctx context.Context, tx store.Tx, args Args, o Opts) error {
	ord, err := q.order(args, o)
	if err == nil {
		err = q.backend.insert(ctx, tx, ord)
	}
	if err != nil {
		return fmt.Errorf("insert job %s: %w", args.Kind(), err)
	}
	return nil
}

// CancelKey removes the job that waits under kind and key, if there is one. A
// running one goes on.
func (q *Queue) CancelKey(ctx context.Context, tx store.Tx, kind, key string) error {
	if key == "" {
		return nil
	}
	if err := q.backend.cancelKey(ctx, tx, kind, key); err != nil {
		return fmt.Errorf("cancel job %s of %q: %w", kind, key, err)
	}
	return nil
}

func (q *Queue) order(args Args, o Opts) (order, error) {
	raw, err := json.Marshal(args)
	if err != nil {
		return order{}, fmt.Errorf("store its arguments: %w", err)
	}
	if hasNUL(raw) {
		return order{}, errors.New("its arguments hold a NUL character, which PostgreSQL cannot store")
	}
	ord := order{kind: args.Kind(), key: o.Key, queue: o.Queue, args: raw,
		runAt: o.RunAt, priority: o.Priority, max: o.MaxAttempts}
	k := q.kind(ord.kind)
	if k == nil {
		if !kindName.MatchString(ord.kind) {
			return order{}, fmt.Errorf("its kind %q is not a name", ord.kind)
		}
		k = &kind{Kind: Kind{Queue: DefaultQueue, MaxAttempts: defaultMaxAttempts}}
	}
	if ord.queue == "" {
		ord.queue = k.Queue
	}
	if ord.priority == 0 {
		ord.priority = defaultPriority
	}
	if ord.max == 0 {
		ord.max = k.MaxAttempts
	}
	switch {
	case !queueName.MatchString(ord.queue) || len(ord.queue) > 64:
		return order{}, fmt.Errorf("%q is no name of a queue", ord.queue)
	case ord.priority < 1 || ord.priority > 4:
		return order{}, fmt.Errorf("its priority %d is not from 1 to 4", ord.priority)
	case ord.max < 1 || ord.max > maxMaxAttempts:
		return order{}, fmt.Errorf("its %d attempts are not from 1 to %d", ord.max, maxMaxAttempts)
	case len(ord.key) > maxKey:
		return order{}, fmt.Errorf("its key has %d bytes, more than %d", len(ord.key), maxKey)
	case ord.key != store.Storable(ord.key, len(ord.key)):
		return order{}, fmt.Errorf("its key %q is not UTF-8 without NUL", ord.key)
	}
	return ord, nil
}

// kind is the registered kind of that name, or nil.
func (q *Queue) kind(name string) *kind {
	q.mu.RLock()
	defer q.mu.RUnlock()
	return q.kinds[name]
}

// hasNUL finds an escaped NUL in JSON, the one text PostgreSQL refuses.
func hasNUL(raw []byte) bool {
	for {
		i := bytes.Index(raw, []byte(`\u0000`))
		if i < 0 {
			return false
		}
		before := 0 // an odd backslash before it means that the first is escaped itself
		for before < i && raw[i-1-before] == '\\' {
			before++
		}
		if before%2 == 0 {
			return true
		}
		raw = raw[i+1:]
	}
}

// Start begins to work jobs and schedules. ctx bounds the start alone, but
// its values reach the jobs. A Queue is started once; one that was stopped
// refuses.
func (q *Queue) Start(ctx context.Context) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch q.phase {
	case started:
		return errors.New("start the job queue: it runs already")
	case ended:
		return errors.New("start the job queue: it was stopped")
	}
	for _, k := range q.kinds {
		if q.workers[k.Queue] == 0 {
			return fmt.Errorf("start the job queue: kind %s wants queue %s, which has no workers", k.name, k.Queue)
		}
	}
	if err := q.backend.start(ctx); err != nil {
		return fmt.Errorf("start the job queue: %w", err)
	}
	q.phase = started
	sctx, stop := context.WithCancel(context.WithoutCancel(ctx))
	q.stopSchedules, q.schedulesDone = stop, make(chan struct{})
	go q.runSchedules(sctx)
	return nil
}

// Stop begins no more jobs and waits for those that run. After the drain time,
// or as soon as ctx ends, their contexts are cancelled, and Stop waits on;
// such a job costs no attempt and runs again at the next start. It returns an
// error, and leaves jobs running, only if ctx has ended and they do not heed
// that for some seconds. It may be called twice, at once, and before Start.
func (q *Queue) Stop(ctx context.Context) error {
	q.mu.Lock()
	was := q.phase
	q.phase = ended
	q.mu.Unlock()
	switch was {
	case fresh:
		close(q.stopped)
		return nil
	case ended:
		<-q.stopped
		return q.stopErr
	}
	q.stopSchedules()
	<-q.schedulesDone
	if err := q.backend.stop(ctx, q.drain); err != nil {
		q.stopErr = fmt.Errorf("stop the job queue: %w", err)
	}
	close(q.stopped)
	return q.stopErr
}

// graceAfterCut is how long Stop, called with a context that has ended, waits
// for jobs whose own contexts it cancelled.
const graceAfterCut = 5 * time.Second
