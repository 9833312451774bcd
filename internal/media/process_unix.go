//go:build !windows

package media

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
)

// niceness is how much others go first, of 19.
const niceness = 10

// endGroup ends a program and what it has started. That it is gone already is
// no error.
func endGroup(p *os.Process) error {
	if err := syscall.Kill(-p.Pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
		return os.NewSyscallError("kill", err)
	}
	return nil
}

// signalled is the signal that ended a program; "" if it ended by itself.
func signalled(err *exec.ExitError) string {
	if ws, ok := err.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		return ws.Signal().String()
	}
	return ""
}
