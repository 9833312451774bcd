// Package turns keeps the mentions that wait for a feature and decides whose
// turn it is: it stores a mention in the transaction that takes it in, hands
// it out to one process at a time, fairly among members, puts it back when
// nothing came of it, and sees to it that a job looks after each account for
// which something waits, also after a crash. Every feature that answers
// mentions has its own rows in one table, and sees no others.
//
// It leaves to inbox what becomes of a mention for the record, to jobs when a
// round is worked, to outbox what is sent, and to the feature how a mention is
// answered and what its members are told.
//
// A feature embeds a *Turns, which thereby does for it most of what
// inbox.Feature asks for (Accept, Wake) and what the program asks of a feature
// (Recover, Resumed, StopPicking, Waiting). It calls Work once, before the
// jobs are started, and Round in each round; in the function that it gives to
// Round it ends each mention by one of these:
//
//   - Held, in the transaction that plans the answer,
//   - Close, if there will be none,
//   - Decline, after a failure that is this mention's alone,
//   - Fail, after trouble that other mentions would meet too,
//   - PutBack, for all else: to wait for a time, or just to be free.
package turns

import (
	"context"
	"crypto/rand"
	"embed"
	"encoding/json"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"strings"
	"sync"
	"time"

	"rookery/internal/clock"
	"rookery/internal/community"
	"rookery/internal/inbox"
	"rookery/internal/store"
)

//go:embed migrations
var migrations embed.FS

// Migrations are the tables of this package. They are made before those of
// the features.
func Migrations() store.Migrations { return store.Migrations{Feature: "turns", FS: migrations} }

// Config is what a Turns needs.
type Config struct {
	Store *store.Store
	Clock clock.Clock
	Log   *slog.Logger

	Feature string // its name, as the inbox and the tables know it; it never changes
	// Takes is how long the work on one mention takes at most. The context of
	// the work ends soon after, and then the hold on the mention, so that it is
	// also how long another process waits for one that died.
	Takes    time.Duration
	Parallel int // mentions worked at once in this process, of all accounts; 0: 1
	Chances  int // failures of its own after which a mention is given up; 0: 4
	// Paused tells since when nothing is sent; zero if it is. While nothing is
	// sent no mention is picked. nil: there are no pauses.
	Paused func(ctx context.Context) (since time.Time, err error)
}

// Turns is what waits for one feature. It is safe for concurrent use.
type Turns struct {
	c       Config
	process string
	began   time.Time
	slots   chan struct{}
	// insert makes the job of an account; nil in a process that works no jobs.
	insert func(ctx context.Context, tx store.Tx, account community.AccountID, at time.Time) error

	mu       sync.Mutex
	stopping bool
	troubles map[community.AccountID]int // rounds in a row that ended with trouble
	draws    map[community.AccountID]*draw

	// Shuffle is rand.Shuffle of math/rand/v2 but in tests.
	Shuffle func(n int, swap func(i, j int))
}

// New makes what waits for a feature, on a migrated store.
func New(c Config) *Turns {
	c.Parallel = max(c.Parallel, 1)
	if c.Chances <= 0 {
		c.Chances = defaultChances
	}
	return &Turns{c: c, process: rand.Text(), began: c.Clock.Now(), slots: make(chan struct{}, c.Parallel),
		troubles: map[community.AccountID]int{}, draws: map[community.AccountID]*draw{}, Shuffle: mathrand.Shuffle}
}

const defaultChances = 4

// Waiting is a mention that waits: one that this process has taken, or one
// that Late tells of.
type Waiting struct {
	ID       inbox.ID
	Mention  community.Mention
	Attempts int // that failed, for whatever reason
	Declined int // of these, those that were this mention's alone
}

// Then is something more to be done in a transaction of this package; nil is
// nothing. It may be called again when the transaction is.
type Then func(ctx context.Context, tx store.Tx) error

func (f Then) do(ctx context.Context, tx store.Tx) error {
	if f == nil {
		return nil
	}
	return f(ctx, tx)
}

// Accept makes a mention wait: what inbox.Feature asks for.
func (t *Turns) Accept(ctx context.Context, tx store.Tx, id inbox.ID, m community.Mention) error {
	body, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("store the mention: %w", err)
	}
	if _, err := tx.Exec(ctx, `insert into turns_waiting (feature, mention, account, author, notified_at, body) values ($1, $2, $3, $4, $5, $6)`,
		t.c.Feature, string(id), string(m.Account), author(m.Post.Author.Handle), m.Notified.UnixMilli(), string(body)); err != nil {
		return fmt.Errorf("store the mention: %w", err)
	}
	return nil
}

// author is a handle as the table has it.
func author(handle string) string { return store.Storable(strings.ToLower(handle), 1<<10) }

// Wake makes the job that looks at the account now: what inbox.Feature asks
// for.
func (t *Turns) Wake(ctx context.Context, tx store.Tx, account community.AccountID) error {
	return t.enqueue(ctx, tx, account, time.Time{})
}

// StopPicking lets work under way end and begins no more: the first step of a
// shutdown.
func (t *Turns) StopPicking() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.stopping = true
}

func (t *Turns) isStopping() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.stopping
}

// holdMargin keeps the work on a mention from outliving the hold on it.
const holdMargin = 5 * time.Second

// Hold is how long a mention that was picked is kept from others.
func (t *Turns) Hold() time.Duration { return t.c.Takes + 2*holdMargin }
