//go:build unix && !linux

package sandbox

import "syscall"

// ownGroup keeps Ctrl-C in the terminal from reaching the bot: the sandbox
// tells it to end.
func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
