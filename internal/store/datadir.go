package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"
)

// ErrInUse is returned by LockDir when another process works on the data
// directory; its text says which.
var ErrInUse = errors.New("another rookery works on this data directory")

// DirLock is the hold of one process on a data directory. The operating
// system lets go of it when the process ends, however it ends.
type DirLock struct {
	lock *flock.Flock
	note string
}

// LockDir takes the data directory dir, making it if need be. who is written
// beside the lock ("run", "once"), for the word the next one gets.
func LockDir(dir, who string) (*DirLock, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the data directory: %w", err)
	}
	// The note is a file of its own: on Windows a locked file cannot be read.
	l := &DirLock{lock: flock.New(filepath.Join(dir, "rookery.lock")), note: filepath.Join(dir, "rookery.pid")}
	got, err := l.lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock the data directory %s: %w", dir, err)
	}
	if !got {
		holder := "its name is not known"
		if b, err := os.ReadFile(l.note); err == nil {
			holder = strings.TrimSpace(string(b))
		}
		return nil, fmt.Errorf("%w, %s (%s): stop that one first, or give this one a data_dir of its own", ErrInUse, dir, holder)
	}
	note := fmt.Sprintf("%s, process %d, since %s\n", who, os.Getpid(), time.Now().UTC().Format(time.RFC3339)) //nolint:forbidigo // for a person to read, nothing depends on it
	if err := os.WriteFile(l.note, []byte(note), 0o600); err != nil {
		_ = l.lock.Unlock()
		return nil, fmt.Errorf("lock the data directory %s: %w", dir, err)
	}
	return l, nil
}

// Release lets the next process in.
func (l *DirLock) Release() error {
	_ = os.Remove(l.note)
	return l.lock.Unlock()
}
