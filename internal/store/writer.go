package store

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
)

// maxBatch bounds how many callers share one commit, so that the first of
// them never waits for a queue without end.
const maxBatch = 128

// writer is SQLite's single writer. Callers that arrive while a commit waits
// for the disk are carried together by the next one (group commit): on a
// Raspberry Pi's card an fsync costs 15 ms, whoever pays for it.
type writer struct {
	conn    *sql.Conn
	log     *slog.Logger
	queue   chan *turn
	quit    chan struct{}
	stopped chan struct{}
	full    bool // the connection's present synchronous mode

	prepared map[string]*sql.Stmt // for the loop alone
}

// maxPrepared bounds the statements that are kept; the program has about a
// hundred texts.
const maxPrepared = 200

// turn is one caller's transaction on its way through the writer.
type turn struct {
	ctx     context.Context
	durable bool
	fn      func(context.Context, Tx) error
	state   atomic.Int32 // queued, then running or withdrawn
	err     error
	panicky any
	after   []func()
	done    chan struct{}
}

const (
	queued = iota
	running
	withdrawn
)

func startWriter(conn *sql.Conn, log *slog.Logger) *writer {
	w := &writer{conn: conn, log: log, queue: make(chan *turn, maxBatch),
		quit: make(chan struct{}), stopped: make(chan struct{}), full: true, prepared: map[string]*sql.Stmt{}}
	go w.loop()
	return w
}

// do has fn run by the writer and waits for the commit. A caller may leave
// while its turn is still queued, never once it has begun: what fn writes to
// belongs to the caller.
func (w *writer) do(ctx context.Context, durable bool, fn func(context.Context, Tx) error) error {
	t := &turn{ctx: ctx, durable: durable, fn: fn, done: make(chan struct{})}
	select {
	case w.queue <- t:
	case <-w.quit:
		return ErrClosed
	case <-ctx.Done():
		return fmt.Errorf("write: %w", context.Cause(ctx))
	}
	select {
	case <-t.done:
	case <-ctx.Done():
		if t.state.CompareAndSwap(queued, withdrawn) {
			return fmt.Errorf("write: %w", context.Cause(ctx))
		}
		<-t.done
	case <-w.stopped:
		// The turn reached the queue after the writer's last look at it, or
		// was ended by it.
		if t.state.CompareAndSwap(queued, withdrawn) {
			return ErrClosed
		}
		<-t.done
	}
	if t.panicky != nil {
		panic(t.panicky)
	}
	return t.err
}

// stop ends the loop after the turns already queued and folds the log into
// the database file.
func (w *writer) stop() error {
	close(w.quit)
	<-w.stopped
	for _, s := range w.prepared {
		_ = s.Close()
	}
	if _, err := w.conn.ExecContext(context.Background(), "pragma wal_checkpoint(truncate)"); err != nil {
		w.log.Warn("the database log could not be folded in; it will be at the next start", "error", err)
	}
	return w.conn.Close()
}

func (w *writer) loop() {
	defer close(w.stopped)
	batch := make([]*turn, 0, maxBatch)
	for {
		batch = batch[:0]
		select {
		case t := <-w.queue:
			batch = append(batch, t)
		case <-w.quit:
			select {
			case t := <-w.queue:
				batch = append(batch, t)
			default:
				return
			}
		}
	more:
		for len(batch) < maxBatch {
			select {
			case t := <-w.queue:
				batch = append(batch, t)
			default:
				break more
			}
		}
		w.commit(batch)
		for _, t := range batch {
			if t.state.Load() == running {
				close(t.done)
			}
		}
	}
}

// commit runs the turns one after the other in one transaction, each in a
// savepoint of its own, so that one that fails takes nobody else along.
func (w *writer) commit(batch []*turn) {
	mine, durable := batch[:0:0], false
	for _, t := range batch {
		if t.state.CompareAndSwap(queued, running) {
			mine = append(mine, t)
			durable = durable || t.durable
		}
	}
	if len(mine) == 0 {
		return
	}
	if err := w.begin(durable); err != nil {
		fail(mine, err)
		return
	}
	for _, t := range mine {
		if err := w.one(t); err != nil {
			// SQLite gave up the whole transaction: nobody's turn remains.
			w.rollback()
			fail(mine, err)
			return
		}
	}
	if err := w.exec("commit"); err != nil {
		w.rollback()
		fail(mine, fmt.Errorf("commit: %w", explain(err)))
		return
	}
	for _, t := range mine {
		if t.err != nil || t.panicky != nil {
			continue
		}
		for _, fn := range t.after {
			fn()
		}
	}
}

// fail gives err to every turn that does not have its own already.
func fail(turns []*turn, err error) {
	for _, t := range turns {
		if t.err == nil && t.panicky == nil {
			t.err = err
		}
	}
}

func (w *writer) begin(durable bool) error {
	if durable != w.full {
		mode := "normal"
		if durable {
			mode = "full"
		}
		// Only between transactions may this be changed.
		if err := w.exec("pragma synchronous=" + mode); err != nil {
			return fmt.Errorf("begin: %w", explain(err))
		}
		w.full = durable
	}
	if err := w.exec("begin immediate"); err != nil {
		return fmt.Errorf("begin: %w", explain(err))
	}
	return nil
}

// one runs a turn. It returns an error only when the whole transaction is
// lost; the turn's own failure stays with the turn.
func (w *writer) one(t *turn) error {
	if err := w.exec("savepoint turn"); err != nil {
		return fmt.Errorf("begin: %w", explain(err))
	}
	tx := &sqliteTx{w: w}
	t.err = run(t, tx)
	if t.err == nil && t.panicky == nil && tx.open > 0 {
		t.err = errRowsOpen
	}
	if t.err == nil {
		t.err = tx.failed // a failed statement fails its transaction, noticed or not
	}
	tx.over = true
	t.after = tx.after
	if t.err == nil && t.panicky == nil {
		if err := w.exec("release turn"); err != nil {
			return fmt.Errorf("commit: %w", explain(err))
		}
		return nil
	}
	if tx.failed != nil && lostTransaction(tx.failed) {
		return tx.failed
	}
	if err := w.exec("rollback to turn; release turn"); err != nil {
		return fmt.Errorf("roll back: %w", explain(err))
	}
	return nil
}

// run calls the caller's function; its panic is carried back to the caller.
func run(t *turn, tx Tx) (err error) {
	defer func() { t.panicky = recover() }()
	// A statement must not be cut off by the caller's cancellation: SQLite
	// answers an interrupt by rolling back everybody's work.
	return t.fn(within(context.WithoutCancel(t.ctx)), tx)
}

// statement prepares a text once: preparing costs as much as running. A text
// of several statements (a migration) or beyond the bound is not kept.
func (w *writer) statement(ctx context.Context, query string) (runner, error) {
	if s, ok := w.prepared[query]; ok {
		return prepared{s}, nil
	}
	if len(w.prepared) >= maxPrepared || strings.Contains(query, ";") {
		return direct{w.conn, query}, nil
	}
	s, err := w.conn.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	w.prepared[query] = s
	return prepared{s}, nil
}

// runner is one text, ready to run.
type runner interface {
	exec(ctx context.Context, args []any) (sql.Result, error)
	query(ctx context.Context, args []any) (*sql.Rows, error)
}

type prepared struct{ s *sql.Stmt }

func (p prepared) exec(ctx context.Context, args []any) (sql.Result, error) {
	return p.s.ExecContext(ctx, args...)
}

func (p prepared) query(ctx context.Context, args []any) (*sql.Rows, error) {
	return p.s.QueryContext(ctx, args...)
}

type direct struct {
	conn *sql.Conn
	text string
}

func (d direct) exec(ctx context.Context, args []any) (sql.Result, error) {
	return d.conn.ExecContext(ctx, d.text, args...)
}

func (d direct) query(ctx context.Context, args []any) (*sql.Rows, error) {
	return d.conn.QueryContext(ctx, d.text, args...)
}

func (w *writer) exec(query string) error {
	_, err := w.conn.ExecContext(context.Background(), query)
	return err
}

// rollback ends the transaction if SQLite has not done so itself.
func (w *writer) rollback() { _ = w.exec("rollback") }
