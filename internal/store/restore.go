package store

import (
	"context"
	"errors"
	"fmt"

	"rookery/internal/clock"
)

// Restored is what Restore has done.
type Restored struct {
	Backup BackupInfo
	// Aside is where the state before is now, empty if there was none: a file
	// beside the database, which Restore takes back like a backup, or a schema
	// in the PostgreSQL database. It is never deleted by this program.
	Aside string
}

// Restore puts the backup at path in the place of the database that c names.
// It takes the data directory for itself, and on PostgreSQL makes sure that no
// process anywhere is at work on the database: ErrInUse if one is. The backup
// is checked first, see CheckBackup; the present state, whatever its shape, is
// put aside. Whenever it is interrupted, there is afterwards either the old
// state or the new one.
//
// The tables have the backup's version; Migrate brings them to today's.
func Restore(ctx context.Context, c Config, path string, features ...Migrations) (Restored, error) {
	return restore(ctx, c, path, features, func(string) {})
}

// restoring is one Restore under way. at is told each step that was done, so
// that a test can end the process there.
type restoring struct {
	Config
	from     string
	features []Migrations
	at       func(step string)
}

func restore(ctx context.Context, c Config, path string, features []Migrations, at func(string)) (done Restored, err error) {
	if c.Clock == nil {
		c.Clock = clock.System{}
	}
	defer func() {
		if err != nil {
			done, err = Restored{}, fmt.Errorf("restore %s: %w", path, err)
		}
	}()
	d, err := dialectOf(path)
	if err != nil {
		return done, err
	}
	if want := c.dialect(); d != want {
		return done, fmt.Errorf("it is a backup of %s, and this rookery is set up for %s: see store in the configuration", d.title(), want.title())
	}
	lock, err := LockDir(c.Dir, "restore")
	if err != nil {
		return done, err
	}
	defer func() { err = errors.Join(err, lock.Release()) }()
	r := restoring{Config: c, from: path, features: features, at: at}
	if d == SQLite {
		return r.sqlite(ctx)
	}
	return r.postgres(ctx)
}

func (c Config) dialect() Dialect {
	if c.PostgresURL != "" {
		return Postgres
	}
	return SQLite
}

func (d Dialect) title() string {
	if d == Postgres {
		return "PostgreSQL"
	}
	return "SQLite"
}

// asideStamp is the time in the name of what was put aside.
const asideStamp = "20060102T150405Z"
