// Package backup makes the daily copies of the database and keeps some of
// them: when one is due, what it is called, and which ones may go.
//
// It leaves to package store how a database is copied, checked and put back.
package backup

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/gofrs/flock"

	"rookery/internal/clock"
	"rookery/internal/jobs"
	"rookery/internal/store"
)

// DefaultKeep is how many days' backups are kept unless said otherwise.
const DefaultKeep = 7

// Keeper makes backups in a folder. Set its fields, then call Daily, if there
// are to be daily ones, before the queue starts. It is safe for concurrent use.
type Keeper struct {
	Store *store.Store
	Dir   string // is made if need be
	// Keep is of how many days a backup is kept: for each of the latest so
	// many that have one, the day's last. What is younger than a day is always
	// kept. 0 means DefaultKeep.
	Keep  int
	Clock clock.Clock  // nil: the system's
	Log   *slog.Logger // nil: none

	// Failed is told each time that a backup which was due could not be made,
	// and Made each time that one was, asked for or due. Both may be nil.
	Failed func(context.Context, error)
	Made   func(context.Context, store.BackupInfo)

	mu     sync.Mutex // one backup at a time
	series jobs.Schedule
	free   func(dir string) (int64, error) // of a test; nil: the system's
}

// Now makes a backup and then removes those that need not be kept. Its name
// tells the time; info.Path is the file. Nothing is removed unless the new one
// is complete and was checked. The error is store.ErrFull if the disk has no
// room for it.
func (k *Keeper) Now(ctx context.Context) (store.BackupInfo, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.locked(ctx, nil)
}

// locked makes a backup, unless by the time that no other process is at it
// skip says that there is no need any more.
func (k *Keeper) locked(ctx context.Context, skip func() (bool, error)) (info store.BackupInfo, err error) {
	if err := os.MkdirAll(k.Dir, 0o700); err != nil {
		return info, fmt.Errorf("make the folder of the backups: %w", err)
	}
	// Several processes may share the folder.
	lock := flock.New(filepath.Join(k.Dir, ".rookery-backup.lock"))
	if _, err := lock.TryLockContext(ctx, 200*time.Millisecond); err != nil {
		return info, fmt.Errorf("wait for another process to finish its backup: %w", err)
	}
	defer func() { _ = lock.Unlock() }()
	if skip != nil {
		if no, err := skip(); no || err != nil {
			return info, err
		}
	}
	k.sweep()
	if err := k.room(ctx); err != nil {
		return info, err
	}
	began := k.clock().Now()
	info, err = k.make(ctx, began)
	if err != nil {
		return info, err
	}
	k.log().Info("backup made", "file", info.Path, "bytes", info.Size, "took", k.clock().Now().Sub(began))
	k.prune(began, filepath.Base(info.Path))
	if k.Made != nil {
		k.Made(ctx, info)
	}
	return info, nil
}

// make finds a name that is free: a second backup within a second is named
// after the next.
func (k *Keeper) make(ctx context.Context, at time.Time) (store.BackupInfo, error) {
	for n := range 60 {
		name := nameOf(at.Add(time.Duration(n)*time.Second), k.Store.Dialect())
		info, err := k.Store.Backup(ctx, filepath.Join(k.Dir, name))
		if !errors.Is(err, fs.ErrExist) {
			return info, err
		}
	}
	return store.BackupInfo{}, fmt.Errorf("back up into %s: the names of the next minute are all taken", k.Dir)
}

// room refuses to begin what would only fill the disk.
func (k *Keeper) room(ctx context.Context) error {
	need, err := k.Store.Size(ctx)
	if err != nil {
		return fmt.Errorf("measure the database: %w", err)
	}
	need += need/10 + reserve
	free := k.free
	if free == nil {
		free = store.FreeBytes
	}
	have, err := free(k.Dir)
	if err != nil {
		k.log().Debug("the free space on the disk is not known", "folder", k.Dir, "error", err)
		return nil // the backup itself will find out
	}
	if have < need {
		return fmt.Errorf("a backup needs about %s in %s, and %s are free: %w; %s are missing",
			megabytes(need), k.Dir, megabytes(have), store.ErrFull, megabytes(need-have))
	}
	return nil
}

// reserve is left for the database itself to work on.
const reserve = 16 << 20

func megabytes(n int64) string { return fmt.Sprintf("%d MB", (n+1<<20-1)>>20) }

// sweep removes what killed processes left half written. Nobody else is at
// work in the folder.
func (k *Keeper) sweep() {
	left, _ := filepath.Glob(filepath.Join(k.Dir, "rookery-*.partial*")) // at worst they stay
	for _, path := range left {
		if err := os.Remove(path); err != nil {
			k.log().Warn("an unfinished backup could not be removed", "file", path, "error", err)
		}
	}
}

// prune removes what need not be kept.
func (k *Keeper) prune(now time.Time, newest string) {
	all, err := k.List()
	if err != nil {
		k.log().Warn("old backups could not be looked through", "error", err)
		return
	}
	for _, f := range surplus(all, now, k.keep()) {
		if filepath.Base(f.Path) == newest {
			continue // it was made a moment ago, whatever the clock says
		}
		if err := os.Remove(f.Path); err != nil {
			k.log().Warn("an old backup could not be removed", "file", f.Path, "error", err)
			continue
		}
		k.log().Info("old backup removed", "file", f.Path)
	}
}

func (k *Keeper) keep() int {
	if k.Keep <= 0 {
		return DefaultKeep
	}
	return k.Keep
}

func (k *Keeper) clock() clock.Clock {
	if k.Clock == nil {
		return clock.System{}
	}
	return k.Clock
}

func (k *Keeper) log() *slog.Logger {
	if k.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return k.Log
}
