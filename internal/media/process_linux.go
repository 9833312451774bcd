package media

import (
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// apart puts a program into a group of its own, so that what it starts can be
// ended with it. The system ends it if this process dies; it takes the thread
// that started it for the process, so the caller keeps to one.
func apart(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	cmd.Cancel = func() error { return endGroup(cmd.Process) }
}

// fence bounds a program that has just been started: addresses, the size of a
// file, no core dumps; and, last, lets everything else go first.
func fence(p *os.Process, memory, file int64) error {
	for _, l := range []struct {
		what int
		most int64
	}{{unix.RLIMIT_AS, memory}, {unix.RLIMIT_FSIZE, file}, {unix.RLIMIT_CORE, 0}} {
		if err := unix.Prlimit(p.Pid, l.what, &unix.Rlimit{Cur: uint64(l.most), Max: uint64(l.most)}, nil); err != nil {
			return os.NewSyscallError("prlimit", err)
		}
	}
	return os.NewSyscallError("setpriority", unix.Setpriority(unix.PRIO_PGRP, p.Pid, niceness))
}
