package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
)

// The files of a SQLite database: itself, its log, and the log's index. They
// belong together: a log replayed into another database destroys it.
var sqliteFiles = [...]string{"", "-wal", "-shm"}

// A restore replaces several files, which no system does at one stroke. So
// the checked backup is first laid beside the database, and then a note says
// that it is to take its place: from the moment the note is there, the new
// state holds. Whoever opens the database next finishes what the note says.
const (
	newSuffix  = ".restoring"
	noteSuffix = ".restore"
	lockSuffix = ".restore.lock"
)

// restoreNote is what the note says. Names are of files beside the database.
type restoreNote struct {
	Aside string `json:"aside"` // for the old state
}

func (r restoring) sqlite(ctx context.Context) (done Restored, err error) {
	path, err := filepath.Abs(filepath.Join(r.Dir, FileName))
	if err != nil {
		return done, err
	}
	if err := finishRestore(ctx, path); err != nil { // that of a process that was killed
		return done, err
	}
	if err := notItself(path, r.from); err != nil {
		return done, err
	}
	fresh := path + newSuffix
	removeAll(fresh) // left by a process that was killed
	defer func() {
		if err != nil {
			removeAll(fresh)
		}
	}()
	if done.Backup, err = r.lay(ctx, fresh); err != nil {
		return done, err
	}
	r.at("laid")
	note := restoreNote{Aside: filepath.Base(path) + ".before-restore-" + r.Clock.Now().UTC().Format(asideStamp)}
	for n := 2; exists(filepath.Join(filepath.Dir(path), note.Aside)); n++ {
		note.Aside = fmt.Sprintf("%s.before-restore-%s-%d", filepath.Base(path), r.Clock.Now().UTC().Format(asideStamp), n)
	}
	if exists(path) {
		done.Aside = filepath.Join(filepath.Dir(path), note.Aside)
	}
	if err := writeNote(path, note); err != nil {
		return done, explain(err)
	}
	r.at("noted")
	// The die is cast: an error from here on leaves the note, and the next
	// start goes on.
	if err := swap(ctx, path, r.at); err != nil {
		return done, fmt.Errorf("put the checked backup in its place (the next start tries again): %w", err)
	}
	return done, nil
}

// lay copies the backup to fresh, as one file of the right mode that is safe
// on disk, and checks this copy: nobody else writes to it.
func (r restoring) lay(ctx context.Context, fresh string) (BackupInfo, error) {
	// A database that was put aside after a crash still has its log.
	for _, suffix := range sqliteFiles[:2] {
		if err := copyFile(ctx, r.from+suffix, fresh+suffix); err != nil && (suffix == "" || !errors.Is(err, fs.ErrNotExist)) {
			return BackupInfo{}, explain(err)
		}
	}
	r.at("copied")
	if err := foldLog(ctx, fresh); err != nil {
		return BackupInfo{}, fmt.Errorf("%w: %w", ErrBadBackup, err)
	}
	info, err := inspectSQLite(ctx, fresh)
	if err != nil {
		return info, err
	}
	info.Path = r.from
	if err := notNewer(info, r.features); err != nil {
		return info, err
	}
	return info, explain(syncFile(fresh))
}

// foldLog makes a database one single file.
func foldLog(ctx context.Context, path string) error {
	db, err := sql.Open("sqlite", dsn(path, nil))
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(1)
	var mode string
	err = db.QueryRowContext(ctx, `pragma journal_mode = delete`).Scan(&mode)
	if err := errors.Join(err, db.Close()); err != nil {
		return err
	}
	if mode != "delete" || exists(path+"-wal") {
		return errors.New("its log cannot be folded in")
	}
	return nil
}

// finishRestore does what a note says, if there is one.
func finishRestore(ctx context.Context, path string) error {
	if !exists(path + noteSuffix) {
		return nil
	}
	return swap(ctx, path, func(string) {})
}

// swap puts the old files aside and the new one in their place. It may be
// called again after it was interrupted anywhere.
func swap(ctx context.Context, path string, at func(string)) error {
	// Whoever opens the database without the directory's lock, to look, may
	// find the note as well.
	lock := flock.New(path + lockSuffix)
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	if _, err := lock.TryLockContext(ctx, 20*time.Millisecond); err != nil {
		return fmt.Errorf("wait for another process: %w", err)
	}
	defer func() { _ = lock.Unlock() }()

	note, err := readNote(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // another did it
	}
	if err != nil {
		return err
	}
	dir := filepath.Dir(path)
	// While the new file has not moved, what bears the database's name is the
	// old state.
	if exists(path + newSuffix) {
		for _, suffix := range sqliteFiles {
			err := os.Rename(path+suffix, filepath.Join(dir, note.Aside+suffix))
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return explain(err)
			}
			at("aside" + suffix)
		}
		if err := os.Rename(path+newSuffix, path); err != nil {
			return explain(err)
		}
		at("placed")
		if err := syncDir(dir); err != nil {
			return err
		}
	}
	if err := os.Remove(path + noteSuffix); err != nil {
		return explain(err)
	}
	at("done")
	return syncDir(dir)
}

func writeNote(path string, note restoreNote) error {
	b, err := json.Marshal(note)
	if err != nil {
		return err
	}
	partial := path + noteSuffix + ".partial"
	if err := os.WriteFile(partial, b, 0o600); err != nil {
		return err
	}
	// The new file's name must be on disk before the note's is.
	if err := errors.Join(syncFile(partial), syncDir(filepath.Dir(path))); err != nil {
		return err
	}
	if err := os.Rename(partial, path+noteSuffix); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

func readNote(path string) (note restoreNote, err error) {
	b, err := os.ReadFile(path + noteSuffix)
	if err != nil {
		return note, err
	}
	if err := json.Unmarshal(b, &note); err != nil || note.Aside == "" || note.Aside != filepath.Base(note.Aside) {
		return note, fmt.Errorf("the note %s is not readable: a restore was interrupted; delete the note, and restore again", path+noteSuffix)
	}
	return note, nil
}

func notItself(path, from string) error {
	backup, err := os.Stat(from)
	if err != nil {
		return err
	}
	if db, err := os.Stat(path); err == nil && os.SameFile(db, backup) {
		return errors.New("that is the database itself, not a backup of it")
	}
	return nil
}

func removeAll(path string) {
	for _, suffix := range sqliteFiles {
		_ = os.Remove(path + suffix)
	}
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// copyFile copies a file that may be large; ctx can end it. Its reader alone
// may read the copy.
func copyFile(ctx context.Context, from, to string) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, reader(func(p []byte) (int, error) {
		if ctx.Err() != nil {
			return 0, context.Cause(ctx)
		}
		return in.Read(p)
	}))
	return errors.Join(err, out.Close())
}

type reader func(p []byte) (int, error)

func (r reader) Read(p []byte) (int, error) { return r(p) }
