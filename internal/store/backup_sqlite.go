package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// dump copies the database by VACUUM INTO, on a connection of its own that
// only reads. The other way, SQLite's online backup, either reads all at once
// too, and copies the holes as well, or goes in steps and begins anew after
// each write of somebody else's: with a busy writer it never ends. What was
// measured: BenchmarkWriterDuringBackup.
func (d *sqliteDB) dump(ctx context.Context, path string) error {
	db, err := sql.Open("sqlite", dsn(d.path, []string{sqlitePragmas[0]})+"&mode=ro")
	if err != nil {
		return err
	}
	defer db.Close()
	if _, err := db.ExecContext(ctx, "vacuum into $1", path); err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return explain(err)
	}
	return nil
}

func (d *sqliteDB) inspect(ctx context.Context, path string) (BackupInfo, error) {
	return inspectSQLite(ctx, path)
}

func (d *sqliteDB) isItself(file os.FileInfo) bool {
	for _, suffix := range sqliteFiles {
		if mine, err := os.Stat(d.path + suffix); err == nil && os.SameFile(mine, file) {
			return true
		}
	}
	return false
}

const sqliteSize = `select (select page_count from pragma_page_count) * (select page_size from pragma_page_size)`

func (d *sqliteDB) size(ctx context.Context) (n int64, err error) {
	err = d.read.QueryRowContext(ctx, sqliteSize).Scan(&n)
	return n, explain(err)
}

// inspectSQLite reads a SQLite file that nobody writes to.
func inspectSQLite(ctx context.Context, path string) (BackupInfo, error) {
	info := BackupInfo{Dialect: SQLite, Versions: map[string]int64{}}
	abs, err := filepath.Abs(path)
	if err != nil {
		return info, err
	}
	file, err := os.Stat(abs)
	if err != nil {
		return info, err
	}
	info.Size = file.Size()
	// immutable: nothing is locked, and no -wal or -shm appears beside it.
	db, err := sql.Open("sqlite", dsn(abs, []string{"query_only(1)"})+"&mode=ro&immutable=1")
	if err != nil {
		return info, err
	}
	defer db.Close()
	if err := readSQLite(ctx, db, &info); err != nil {
		if ctx.Err() != nil {
			return info, context.Cause(ctx)
		}
		if errors.Is(err, ErrBadBackup) {
			return info, err
		}
		return info, fmt.Errorf("%w: %w", ErrBadBackup, err)
	}
	return info, nil
}

func readSQLite(ctx context.Context, db *sql.DB, info *BackupInfo) error {
	// SQLite itself does not miss the end of the last page.
	var whole int64
	if err := db.QueryRowContext(ctx, sqliteSize).Scan(&whole); err != nil {
		return err
	}
	if info.Size < whole {
		return fmt.Errorf("%w: it is cut short, %d bytes instead of %d", ErrBadBackup, info.Size, whole)
	}
	faults, err := column[string](ctx, db, `pragma integrity_check(5)`)
	if err != nil {
		return err
	}
	if len(faults) != 1 || faults[0] != "ok" {
		return fmt.Errorf("%w: it is damaged: %s", ErrBadBackup, strings.Join(faults, "; "))
	}
	tables, err := column[string](ctx, db, `select name from sqlite_schema where type = 'table' and name not like 'sqlite\_%' escape '\' order by name`)
	if err != nil {
		return err
	}
	ours := false
	for _, t := range tables {
		ours = ours || t == "migration"
		var n int64
		if err := db.QueryRowContext(ctx, `select count(*) from `+quoteName(t)).Scan(&n); err != nil {
			return err
		}
		info.Tables = append(info.Tables, TableRows{t, n})
	}
	if !ours {
		return fmt.Errorf("%w: it is another program's SQLite database", ErrBadBackup)
	}
	rows, err := db.QueryContext(ctx, `select feature, version from migration`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var feature string
		var version int64
		if err := rows.Scan(&feature, &version); err != nil {
			return err
		}
		info.Versions[feature] = version
	}
	return rows.Err()
}

func column[T any](ctx context.Context, db *sql.DB, query string) ([]T, error) {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []T
	for rows.Next() {
		var v T
		if err := rows.Scan(&v); err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, rows.Err()
}
