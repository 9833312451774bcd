package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// ErrBadBackup says that a file is no whole backup of this program's: cut
// short, damaged, or something else altogether.
var ErrBadBackup = errors.New("this is no whole backup of rookery")

// BackupInfo is what a backup holds. It was read from the finished file.
type BackupInfo struct {
	Path     string
	Size     int64 // bytes
	Dialect  Dialect
	Versions map[string]int64 // of each feature's tables
	Tables   []TableRows      // by name

	schema string // of PostgreSQL, in which the tables are
}

// TableRows is how many rows a table has.
type TableRows struct {
	Table string
	Rows  int64
}

// BackupOption changes what Backup does.
type BackupOption func(*backupOptions)

type backupOptions struct{ overwrite bool }

// Overwrite lets Backup take the place of a file that exists.
func Overwrite() BackupOption { return func(o *backupOptions) { o.overwrite = true } }

// Backup writes the whole database, as it is at one instant, to path, while
// others go on reading and writing. The folder is made if need be; the file
// can be read by its owner alone. It appears under its name only once it is
// complete, was read back and checked, and is safe on disk; until then it is
// path with something random and ".partial" behind, which goes when Backup
// fails and stays when the process is killed. A file that exists is left
// alone, with fs.ErrExist, unless Overwrite is given.
//
// SQLite is copied by SQLite itself. PostgreSQL needs its own programs
// pg_dump and pg_restore, of the server's version or newer; the error says
// what to install.
func (s *Store) Backup(ctx context.Context, path string, opts ...BackupOption) (BackupInfo, error) {
	var o backupOptions
	for _, opt := range opts {
		opt(&o)
	}
	info, err := s.backup(ctx, path, o)
	if err != nil {
		return BackupInfo{}, fmt.Errorf("back up to %s: %w", path, err)
	}
	return info, nil
}

func (s *Store) backup(ctx context.Context, path string, o backupOptions) (info BackupInfo, err error) {
	if inside(ctx) {
		return info, ErrNested
	}
	if path, err = filepath.Abs(path); err != nil {
		return info, err
	}
	if err := s.mayWrite(path, o); err != nil {
		return info, err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return info, explain(err)
	}
	live, err := s.versions(ctx)
	if err != nil {
		return info, err
	}
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.partial") // for the owner alone
	if err != nil {
		return info, explain(err)
	}
	partial := f.Name()
	if err := f.Close(); err != nil {
		return info, explain(err)
	}
	defer func() {
		for _, suffix := range []string{"", "-journal"} { // SQLite's, if it had to give up
			_ = os.Remove(partial + suffix)
		}
	}()

	if err := s.dump(ctx, partial); err != nil {
		return info, err
	}
	if info, err = s.inspect(ctx, partial); err != nil {
		return info, fmt.Errorf("check what was written: %w", err)
	}
	for feature, version := range live {
		if info.Versions[feature] < version { // a newer process may just have raised one
			return info, fmt.Errorf("check what was written: %w: its %s tables have version %d, not %d",
				ErrBadBackup, feature, info.Versions[feature], version)
		}
	}
	if err := syncFile(partial); err != nil {
		return info, explain(err)
	}
	if err := place(partial, path, o.overwrite); err != nil {
		return info, explain(err)
	}
	info.Path = path
	return info, syncDir(filepath.Dir(path))
}

// mayWrite looks whether path is free before any work is done.
func (s *Store) mayWrite(path string, o backupOptions) error {
	there, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if there.IsDir() {
		return errors.New("that is a folder: name a file in it")
	}
	if s.isItself(there) {
		return errors.New("that is the database itself: give the backup another name")
	}
	if !o.overwrite {
		return fmt.Errorf("%w: give another name, or delete it first", fs.ErrExist)
	}
	return nil
}

// versions reads the migration table.
func (s *Store) versions(ctx context.Context) (map[string]int64, error) {
	rows, err := s.Query(ctx, `select feature, version from migration`)
	all := map[string]int64{}
	_, err = Collect(rows, err, func(r Row) (_ struct{}, err error) {
		var feature string
		var version int64
		err = r.Scan(&feature, &version)
		all[feature] = version
		return struct{}{}, err
	})
	if err != nil {
		return nil, fmt.Errorf("read the versions of the tables: %w", err)
	}
	return all, nil
}

// CheckBackup reads a backup from end to end and says what it holds, without
// touching anything. The error is ErrBadBackup, or ErrNewer if its tables are
// newer than features, this program's.
func CheckBackup(ctx context.Context, path string, features ...Migrations) (BackupInfo, error) {
	info, err := checkBackup(ctx, path, features)
	if err != nil {
		return BackupInfo{}, fmt.Errorf("check the backup %s: %w", path, err)
	}
	return info, nil
}

func checkBackup(ctx context.Context, path string, features []Migrations) (info BackupInfo, err error) {
	d, err := dialectOf(path)
	if err != nil {
		return info, err
	}
	if d == SQLite {
		if log, err := os.Stat(path + "-wal"); err == nil && log.Size() > 0 {
			return info, errors.New("it is a database with its log beside it (-wal), which cannot be read without changing it: Restore takes both")
		}
		info, err = inspectSQLite(ctx, path)
	} else {
		var c pgClient
		if c, err = findPgClient(ctx, pgFolders(), 0); err != nil {
			return info, err
		}
		info, err = c.inspect(ctx, path)
	}
	if err != nil {
		return info, err
	}
	info.Path = path
	return info, notNewer(info, features)
}

// notNewer refuses what a newer program has written.
func notNewer(info BackupInfo, features []Migrations) error {
	for _, f := range features {
		steps, err := f.steps()
		if err != nil {
			return err
		}
		if v := info.Versions[f.Feature]; v > int64(len(steps)) {
			return fmt.Errorf("%w: the backup's %s tables have version %d, this program knows up to %d. "+
				"Put it back with the newer program", ErrNewer, f.Feature, v, len(steps))
		}
	}
	return nil
}

// dialectOf tells by a file's first bytes whose backup it is.
func dialectOf(path string) (Dialect, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", explain(err)
	}
	defer f.Close()
	head := make([]byte, 16)
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return "", err
	}
	switch head = head[:n]; {
	case n == 0:
		return "", fmt.Errorf("%w: the file is empty", ErrBadBackup)
	case string(head) == "SQLite format 3\x00":
		return SQLite, nil
	case n >= 5 && string(head[:5]) == "PGDMP":
		return Postgres, nil
	}
	return "", fmt.Errorf("%w: it is neither a SQLite database nor what pg_dump writes", ErrBadBackup)
}

// place gives a finished file its name; without overwrite only if nobody has it.
func place(partial, path string, overwrite bool) error {
	if overwrite {
		return os.Rename(partial, path)
	}
	err := os.Link(partial, path) // unlike a renaming it never overwrites
	if err == nil || errors.Is(err, fs.ErrExist) {
		return err
	}
	// Not every file system has links.
	if _, err := os.Lstat(path); err == nil {
		return fs.ErrExist
	}
	return os.Rename(partial, path)
}

func syncFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// syncDir makes names in a folder outlast the power. Windows has no such
// call, and needs none.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
