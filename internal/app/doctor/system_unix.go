//go:build !windows

package doctor

import (
	"errors"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// writable asks whether files can be made in dir, without making one.
func writable(dir string) error {
	if err := unix.Access(dir, unix.W_OK|unix.X_OK); err != nil {
		return &os.PathError{Op: "write to", Path: dir, Err: err}
	}
	return nil
}

// running tells whether there is such a process.
func running(pid int) bool {
	err := syscall.Kill(pid, 0)
	return err == nil || errors.Is(err, syscall.EPERM)
}
