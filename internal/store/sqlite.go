package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"

	_ "modernc.org/sqlite" // the driver named "sqlite"
)

// sqliteDB is one writing connection, owned by the writer goroutine, and a
// pool of readers.
type sqliteDB struct {
	path   string // absolute
	writer *writer
	read   *sql.DB
	wdb    *sql.DB
	locks  localLocks

	closing sync.Once
	closed  error
}

// pragmas: WAL lets readers read while one writes; FULL makes a commit wait
// for the card (the writer drops to NORMAL for relaxed writes);
// journal_size_limit keeps a burst from leaving a huge log on a small card.
var sqlitePragmas = []string{
	"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)",
	"journal_size_limit(16777216)", "foreign_keys(1)", "temp_store(MEMORY)",
}

func openSQLite(ctx context.Context, path string, log *slog.Logger) (*sqliteDB, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("make the data directory: %w", err)
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("find %s: %w", path, err)
	}
	if err := finishRestore(ctx, abs); err != nil {
		return nil, fmt.Errorf("finish the restoring of a backup: %w", err)
	}
	wdb, err := sql.Open("sqlite", dsn(abs, sqlitePragmas))
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	conn, err := wdb.Conn(ctx)
	if err != nil {
		wdb.Close()
		return nil, fmt.Errorf("open %s: %w", path, explain(err))
	}
	read, err := sql.Open("sqlite", dsn(abs, append([]string{"query_only(1)"}, sqlitePragmas[0], sqlitePragmas[5])))
	if err != nil {
		conn.Close()
		wdb.Close()
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	read.SetMaxOpenConns(4)
	read.SetMaxIdleConns(4)
	return &sqliteDB{path: abs, writer: startWriter(conn, log), read: read, wdb: wdb}, nil
}

// dsn makes the URI of SQLite's own form, in which ? and # in a path must be
// escaped and a Windows path begins with a slash.
func dsn(abs string, pragmas []string) string {
	p := filepath.ToSlash(abs)
	if !strings.HasPrefix(p, "/") {
		p = "/" + p
	}
	q := make([]string, len(pragmas))
	for i, pragma := range pragmas {
		q[i] = "_pragma=" + url.QueryEscape(pragma)
	}
	return (&url.URL{Scheme: "file", Path: p, RawQuery: strings.Join(q, "&")}).String()
}

func (d *sqliteDB) write(ctx context.Context, durable bool, fn func(context.Context, Tx) error) error {
	return d.writer.do(ctx, durable, fn)
}

func (d *sqliteDB) query(ctx context.Context, query string, args ...any) (Rows, error) {
	rows, err := d.read.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, explain(err)
	}
	return &sqliteRows{rows: rows}, nil
}

func (d *sqliteDB) close() error {
	d.closing.Do(func() {
		err := d.writer.stop()
		d.closed = errors.Join(err, d.read.Close(), d.wdb.Close())
	})
	return d.closed
}

// migrating needs no lock of its own: the writer is the only one in this
// process, and each step's transaction begins IMMEDIATE, so that a second
// process waits and then finds the step done.
func (d *sqliteDB) migrating(ctx context.Context, fn func(context.Context) error) error {
	return fn(ctx)
}

func (d *sqliteDB) tryLock(_ context.Context, name string) (*Lock, error) { return d.locks.try(name) }

// sqliteTx is the writing connection during one caller's turn.
type sqliteTx struct {
	w      *writer
	failed error
	open   int // rows not yet closed
	over   bool
	after  []func()
}

func (t *sqliteTx) sealed() {}

func (t *sqliteTx) AfterCommit(fn func()) { t.after = append(t.after, fn) }

// ready refuses what PostgreSQL would refuse.
func (t *sqliteTx) ready() error {
	switch {
	case t.over:
		return errors.New("store: a transaction was used after its end")
	case t.failed != nil:
		return fmt.Errorf("store: an earlier statement of this transaction failed: %w", t.failed)
	case t.open > 0:
		t.failed = errRowsOpen
		return errRowsOpen
	}
	return nil
}

func (t *sqliteTx) Exec(ctx context.Context, query string, args ...any) (int64, error) {
	if err := t.ready(); err != nil {
		return 0, err
	}
	ctx = context.WithoutCancel(ctx)
	run, err := t.w.statement(ctx, query)
	if err != nil {
		t.failed = explain(err)
		return 0, t.failed
	}
	res, err := run.exec(ctx, args)
	if err != nil {
		t.failed = explain(err)
		return 0, t.failed
	}
	return res.RowsAffected()
}

func (t *sqliteTx) Query(ctx context.Context, query string, args ...any) (Rows, error) {
	if err := t.ready(); err != nil {
		return nil, err
	}
	ctx = context.WithoutCancel(ctx)
	run, err := t.w.statement(ctx, query)
	if err != nil {
		t.failed = explain(err)
		return nil, t.failed
	}
	rows, err := run.query(ctx, args)
	if err != nil {
		t.failed = explain(err)
		return nil, t.failed
	}
	t.open++
	return &sqliteRows{rows: rows, tx: t}, nil
}

func (t *sqliteTx) QueryRow(ctx context.Context, query string, args ...any) Row {
	rows, err := t.Query(ctx, query, args...)
	return &firstRow{rows: rows, err: err}
}

// sqliteRows tells its transaction when it is done.
type sqliteRows struct {
	rows   *sql.Rows
	tx     *sqliteTx // nil outside transactions
	closed bool
}

func (r *sqliteRows) Next() bool {
	if r.rows.Next() {
		return true
	}
	r.Close()
	return false
}

func (r *sqliteRows) Scan(dest ...any) error { return r.rows.Scan(dest...) }

func (r *sqliteRows) Err() error {
	err := explain(r.rows.Err())
	if err != nil && r.tx != nil && r.tx.failed == nil {
		r.tx.failed = err
	}
	return err
}

func (r *sqliteRows) Close() {
	if r.closed {
		return
	}
	r.closed = true
	_ = r.rows.Close() // an error of the result itself is in Err
	if r.tx != nil {
		r.tx.open--
	}
}
