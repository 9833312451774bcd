//go:build !windows && !linux

package media

import (
	"os"
	"os/exec"
	"syscall"
)

// apart puts a program into a group of its own, so that what it starts can be
// ended with it.
func apart(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return endGroup(cmd.Process) }
}

// fence lets everything else go first. Limits of another process cannot be set
// here.
func fence(p *os.Process, _, _ int64) error {
	return os.NewSyscallError("setpriority", syscall.Setpriority(syscall.PRIO_PGRP, p.Pid, niceness))
}
