package sandbox

import "syscall"

// ownGroup keeps Ctrl-C in the terminal from reaching the bot: the sandbox
// tells it to end, and if the sandbox itself is killed, the kernel does.
func ownGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
}
