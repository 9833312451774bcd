package backup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"rookery/internal/store"
)

// File is a backup in the Keeper's folder.
type File struct {
	Path string
	At   time.Time // when it was made, by its name and the clock of then; UTC
	Size int64     // bytes
}

// stamp is the time in a name, without what some systems do not allow in one.
const stamp = "2006-01-02T150405Z"

// nameOf is rookery-2026-11-21T040000Z.db, or .dump for PostgreSQL.
func nameOf(at time.Time, d store.Dialect) string {
	return "rookery-" + at.UTC().Format(stamp) + suffixOf(d)
}

func suffixOf(d store.Dialect) string {
	if d == store.Postgres {
		return ".dump"
	}
	return ".db"
}

// timeOf reads a name, and takes none but those that nameOf makes.
func timeOf(name string, d store.Dialect) (time.Time, bool) {
	s, ok := strings.CutPrefix(name, "rookery-")
	if !ok {
		return time.Time{}, false
	}
	at, err := time.Parse(stamp, strings.TrimSuffix(s, suffixOf(d)))
	if err != nil || nameOf(at, d) != name {
		return time.Time{}, false
	}
	return at, true
}

// List is what is in the folder, newest first. What has another name, or is
// of the other kind of database, is not ours.
func (k *Keeper) List() ([]File, error) {
	entries, err := os.ReadDir(k.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list the backups: %w", err)
	}
	var all []File
	for _, e := range entries {
		at, ok := timeOf(e.Name(), k.Store.Dialect())
		if !ok || !e.Type().IsRegular() {
			continue
		}
		file, err := e.Info()
		if err != nil {
			continue // it has just gone
		}
		all = append(all, File{filepath.Join(k.Dir, e.Name()), at, file.Size()})
	}
	slices.SortFunc(all, func(a, b File) int { return b.At.Compare(a.At) })
	return all, nil
}

// day is how long every backup is kept, and how far ahead of the clock one may
// be and still be believed.
const day = 24 * time.Hour

// surplus picks what may go at the time now: for each of the latest days that
// have a backup, keep of them, the last one stays, and so does what is younger
// than a day. What lies in the future was made, or is looked at, by a wrong
// clock: it stays, and counts for nothing, so that it neither pushes out the
// good ones nor goes itself when the clock has been set back.
func surplus(all []File, now time.Time, keep int) []File {
	var gone []File
	days, last := 0, ""
	for _, f := range all { // newest first
		if f.At.After(now.Add(day)) {
			continue
		}
		this := f.At.Format(time.DateOnly)
		if this != last {
			days++
		}
		if f.At.Before(now.Add(-day)) && (this == last || days > keep) {
			gone = append(gone, f)
		}
		last = this
	}
	return gone
}
