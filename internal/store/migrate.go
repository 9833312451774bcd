package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"sort"
	"strings"
)

// Migrations are one feature's steps, oldest first: the files of FS matching
// *.sql, in the order of their names (0001_first.sql, …). A line that ends in
// "-- only: sqlite" or "-- only: postgres" is left out on the other database.
// A step, once released, never changes.
type Migrations struct {
	Feature string
	FS      fs.FS
	// Extra, if set, runs after the steps, under the same lock; for what
	// brings its own migrations (River). It must do nothing the second time.
	Extra func(context.Context, *Store) error
}

// Migrate brings every feature's tables to the version this program knows.
// Two processes may call it at once. It returns ErrNewer, and changes nothing
// more, if a feature's tables are of a newer version than this program's.
func (s *Store) Migrate(ctx context.Context, features ...Migrations) error {
	return s.migrating(ctx, func(ctx context.Context) error {
		err := s.Write(ctx, func(ctx context.Context, tx Tx) error {
			_, err := tx.Exec(ctx, `create table if not exists migration (
				feature text primary key, version bigint not null)`)
			return err
		})
		if err != nil {
			return fmt.Errorf("migrate: %w", err)
		}
		// All are looked at before any is changed.
		for _, f := range features {
			if err := s.checkVersion(ctx, f); err != nil {
				return err
			}
		}
		for _, f := range features {
			if err := s.migrateOne(ctx, f); err != nil {
				return fmt.Errorf("migrate %s: %w", f.Feature, err)
			}
		}
		return nil
	})
}

func (s *Store) checkVersion(ctx context.Context, f Migrations) error {
	steps, err := f.steps()
	if err != nil {
		return err
	}
	var version int64
	err = s.QueryRow(ctx, `select version from migration where feature = $1`, f.Feature).Scan(&version)
	if err != nil && !errors.Is(err, ErrNoRows) {
		return fmt.Errorf("migrate %s: %w", f.Feature, err)
	}
	if version > int64(len(steps)) {
		return fmt.Errorf("%w: its %s tables have version %d, this program knows up to %d. "+
			"Start the newer program, or put back a backup from before the upgrade",
			ErrNewer, f.Feature, version, len(steps))
	}
	return nil
}

func (s *Store) migrateOne(ctx context.Context, f Migrations) error {
	steps, err := f.steps()
	if err != nil {
		return err
	}
	for n := range steps {
		want := int64(n + 1)
		// The version is read again inside each step's own transaction:
		// another process may just have done it.
		err := s.Write(ctx, func(ctx context.Context, tx Tx) error {
			var version int64
			err := tx.QueryRow(ctx, `select version from migration where feature = $1`, f.Feature).Scan(&version)
			if err != nil && !errors.Is(err, ErrNoRows) {
				return err
			}
			if version >= want {
				return nil
			}
			if _, err := tx.Exec(ctx, forDialect(steps[n].sql, s.dialect)); err != nil {
				return fmt.Errorf("%s: %w", steps[n].name, err)
			}
			_, err = tx.Exec(ctx, `insert into migration (feature, version) values ($1, $2)
				on conflict (feature) do update set version = excluded.version`, f.Feature, want)
			return err
		})
		if err != nil {
			return err
		}
	}
	if f.Extra != nil {
		return f.Extra(ctx, s)
	}
	return nil
}

type step struct{ name, sql string }

func (f Migrations) steps() ([]step, error) {
	if f.FS == nil {
		return nil, nil
	}
	names, err := fs.Glob(f.FS, "*.sql")
	if err == nil && len(names) == 0 {
		names, err = fs.Glob(f.FS, "*/*.sql") // an embedded folder keeps its name
	}
	if err != nil {
		return nil, fmt.Errorf("migrate %s: %w", f.Feature, err)
	}
	sort.Strings(names)
	steps := make([]step, len(names))
	for i, name := range names {
		b, err := fs.ReadFile(f.FS, name)
		if err != nil {
			return nil, fmt.Errorf("migrate %s: %w", f.Feature, err)
		}
		steps[i] = step{path.Base(name), string(b)}
	}
	return steps, nil
}

// forDialect leaves out the lines meant for the other database.
func forDialect(sql string, d Dialect) string {
	other := Postgres
	if d == Postgres {
		other = SQLite
	}
	var b strings.Builder
	for line := range strings.Lines(sql) {
		if !strings.HasSuffix(strings.TrimSpace(line), "-- only: "+string(other)) {
			b.WriteString(line)
		}
	}
	return b.String()
}
