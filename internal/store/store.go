// Package store keeps everything that must outlive the process: it opens the
// database, migrates it, and runs transactions. SQLite in the data directory
// is the default; PostgreSQL, by a URL, lets several processes share the work.
//
// SQL is written once, with $1, $2, …, in the subset both understand (bigint
// epoch milliseconds for times, text for JSON, ON CONFLICT, RETURNING), next
// to the feature that owns the tables. The store makes SQLite as strict as
// PostgreSQL where the two differ, so that what passes on one passes on the
// other: a statement that fails fails its transaction, and no statement may
// start while rows are still being read.
//
// It leaves to its callers what the tables mean, and to package jobs the one
// place that needs PostgreSQL's own transaction (see Pgx).
package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"rookery/internal/clock"
)

// Dialect names the database behind a Store.
type Dialect string

// The two databases.
const (
	SQLite   Dialect = "sqlite"
	Postgres Dialect = "postgres"
)

// FileName is the SQLite database inside the data directory.
const FileName = "rookery.db"

// Config says which database to open.
type Config struct {
	Dir         string // data directory; holds the SQLite file
	PostgresURL string // when set, PostgreSQL is used and Dir holds no database
	MaxConns    int32  // PostgreSQL connections at most; 0 means 16
	Log         *slog.Logger
	Clock       clock.Clock

	appName string // on PostgreSQL; empty: the URL's, or rookery
}

// Tx is one open transaction. It is made by the store only and must not be
// kept, or used by another goroutine, after the function it was given to has
// returned.
type Tx interface {
	// Exec runs a statement and returns how many rows it changed.
	Exec(ctx context.Context, sql string, args ...any) (int64, error)
	// Query returns rows, to be closed before the next statement.
	Query(ctx context.Context, sql string, args ...any) (Rows, error)
	// QueryRow returns the first row; its Scan answers ErrNoRows if there is none.
	QueryRow(ctx context.Context, sql string, args ...any) Row
	// AfterCommit has fn called once the transaction is committed, and not at
	// all if it is not: to wake whoever waits for what it wrote. fn must be
	// quick and must not use the store. A process that dies in between never
	// calls it, so it may carry a hint, never a promise.
	AfterCommit(fn func())
	sealed()
}

// Rows is a result being read. Close is safe to call twice.
type Rows interface {
	Next() bool
	Scan(dest ...any) error
	Err() error
	Close()
}

// Row is a result of one row.
type Row interface {
	Scan(dest ...any) error
}

// Store is an open database. It is safe for concurrent use.
type Store struct {
	backend
	dialect Dialect
	log     *slog.Logger
	clock   clock.Clock
}

// backend is what the two databases do differently.
type backend interface {
	write(ctx context.Context, durable bool, fn func(context.Context, Tx) error) error
	query(ctx context.Context, sql string, args ...any) (Rows, error)
	tryLock(ctx context.Context, name string) (*Lock, error)
	migrating(ctx context.Context, fn func(context.Context) error) error
	dump(ctx context.Context, path string) error // into an empty file
	inspect(ctx context.Context, path string) (BackupInfo, error)
	isItself(file os.FileInfo) bool
	size(ctx context.Context) (int64, error)
	close() error
}

// Open opens (and on SQLite creates) the database. Call Migrate before
// anything else, and Close at the end.
func Open(ctx context.Context, c Config) (*Store, error) {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Clock == nil {
		c.Clock = clock.System{}
	}
	s := &Store{log: c.Log, clock: c.Clock}
	var err error
	if c.PostgresURL != "" {
		s.dialect = Postgres
		s.backend, err = openPostgres(ctx, c)
	} else {
		s.dialect = SQLite
		s.backend, err = openSQLite(ctx, filepath.Join(c.Dir, FileName), c.Log)
	}
	if err != nil {
		return nil, err
	}
	return s, nil
}

// Close waits for transactions under way, folds SQLite's log back into the
// file and lets go of every connection.
func (s *Store) Close() error { return s.close() }

// Size is about how many bytes a backup takes at most.
func (s *Store) Size(ctx context.Context) (int64, error) { return s.size(ctx) }

// Dialect tells which database this is.
func (s *Store) Dialect() Dialect { return s.dialect }

// Write runs fn in a transaction and returns once it is safe on disk. If fn
// returns an error, or any of its statements failed, nothing of it remains.
//
// fn must not touch the network, must not call Write (ErrNested, at once) and
// must set its results afresh each time: it may be run again after PostgreSQL
// found a deadlock. On SQLite all writers share one connection and one fsync.
// An error from the commit itself may hide a transaction that did take place
// (the connection died in between): callers must be able to find that out
// from what they stored.
func (s *Store) Write(ctx context.Context, fn func(context.Context, Tx) error) error {
	return s.writeAs(ctx, true, fn)
}

// WriteRelaxed is Write for notes that may be lost with the power, though
// never with the process: it waits for no fsync. Order is kept: whatever
// survives, everything written before it survived too.
func (s *Store) WriteRelaxed(ctx context.Context, fn func(context.Context, Tx) error) error {
	return s.writeAs(ctx, false, fn)
}

func (s *Store) writeAs(ctx context.Context, durable bool, fn func(context.Context, Tx) error) error {
	if inside(ctx) {
		return ErrNested
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("write: %w", context.Cause(ctx))
	}
	return s.write(ctx, durable, fn)
}

// Query reads outside any transaction. Inside Write it is ErrNested: it would
// not see what the transaction has written.
func (s *Store) Query(ctx context.Context, sql string, args ...any) (Rows, error) {
	if inside(ctx) {
		return nil, ErrNested
	}
	return s.query(ctx, sql, args...)
}

// QueryRow is Query for one row.
func (s *Store) QueryRow(ctx context.Context, sql string, args ...any) Row {
	rows, err := s.Query(ctx, sql, args...)
	return &firstRow{rows: rows, err: err}
}

// firstRow reads one row and closes the rest.
type firstRow struct {
	rows Rows
	err  error
}

func (r *firstRow) Scan(dest ...any) error {
	if r.err != nil {
		return r.err
	}
	defer r.rows.Close()
	if !r.rows.Next() {
		if err := r.rows.Err(); err != nil {
			return err
		}
		return ErrNoRows
	}
	if err := r.rows.Scan(dest...); err != nil {
		return err
	}
	r.rows.Close()
	return r.rows.Err()
}

// Collect reads all rows with scan, closes them, and returns what it read.
// It takes the results of Query as they are.
func Collect[T any](rows Rows, err error, scan func(Row) (T, error)) ([]T, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []T
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, rows.Err()
}

type insideKey struct{}

// within marks a context as belonging to a running transaction.
func within(ctx context.Context) context.Context {
	return context.WithValue(ctx, insideKey{}, true)
}

func inside(ctx context.Context) bool { return ctx.Value(insideKey{}) != nil }

var errRowsOpen = errors.New("store: a statement was started while rows were still open: close them first")
