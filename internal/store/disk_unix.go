//go:build !windows

package store

import (
	"os"

	"golang.org/x/sys/unix"
)

// FreeBytes is what an ordinary user may still write to the disk that a folder
// is on.
func FreeBytes(dir string) (int64, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return 0, &os.PathError{Op: "ask for the free space of", Path: dir, Err: err}
	}
	return int64(st.Bavail) * int64(st.Bsize), nil //nolint:unconvert // the types differ by system
}
