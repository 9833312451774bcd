package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// Errors that callers tell apart with errors.Is. All but ErrNoRows and
// ErrNested carry, in their text, what the operator can do.
var (
	ErrNoRows = errors.New("store: no such row")
	ErrNested = errors.New("store: a transaction was started inside a transaction")
	ErrFull   = errors.New("the disk is full: free some space; nothing was lost, the work goes on by itself")
	ErrLocked = errors.New("another program holds the database locked: close it (a database browser, a backup); the work goes on by itself")
	ErrNewer  = errors.New("the database was written by a newer rookery")
	ErrBroken = errors.New("the database file is damaged: stop rookery and put back a backup")
	ErrClosed = errors.New("store: closed")
)

// explain gives a database's error the word an operator understands, keeping
// the original.
func explain(err error) error {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	if errors.Is(err, pgx.ErrNoRows) {
		return ErrNoRows
	}
	if errors.Is(err, syscall.ENOSPC) {
		return fmt.Errorf("%w (%w)", ErrFull, err)
	}
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("the database may not be read or written by this user: %w", err)
	}
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		switch e.Code() & 0xff {
		case sqlite3.SQLITE_FULL:
			return fmt.Errorf("%w (%w)", ErrFull, err)
		case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
			return fmt.Errorf("%w (%w)", ErrLocked, err)
		case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
			return fmt.Errorf("%w (%w)", ErrBroken, err)
		}
	}
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		switch e.Code {
		case "53100": // disk_full
			return fmt.Errorf("%w (%w)", ErrFull, err)
		case "55P03": // lock_not_available
			return fmt.Errorf("%w (%w)", ErrLocked, err)
		}
	}
	return err
}

// lostTransaction tells whether SQLite may have rolled back the whole
// transaction by itself when a statement failed with err.
// See https://www.sqlite.org/lang_transaction.html, "Response To Errors
// Within A Transaction".
func lostTransaction(err error) bool {
	e, ok := errors.AsType[*sqlite.Error](err)
	if !ok {
		return false
	}
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_NOMEM,
		sqlite3.SQLITE_BUSY, sqlite3.SQLITE_INTERRUPT:
		return true
	}
	return false
}
