package sandbox

import (
	"context"
	"fmt"
	"os"
	"syscall"
)

// stopSignal is how a person would name what askToEnd does.
const stopSignal = "Ctrl-Break"

// ownGroup makes the bot the head of a process group: only such a process can
// be sent a Ctrl-Break alone, and Ctrl-C in the window does not reach it.
func ownGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}

// askToEnd sends Ctrl-Break, which Go programs see as os.Interrupt. Windows
// has no other signal for a console program.
// https://learn.microsoft.com/windows/console/generateconsolectrlevent
func askToEnd(p *os.Process) error {
	send := syscall.NewLazyDLL("kernel32.dll").NewProc("GenerateConsoleCtrlEvent")
	if err := send.Find(); err != nil {
		return err
	}
	if ok, _, err := send.Call(syscall.CTRL_BREAK_EVENT, uintptr(p.Pid)); ok == 0 {
		return fmt.Errorf("send Ctrl-Break: %w", err)
	}
	return nil
}

// withHangUp has nothing to add: a window that is closed comes as SIGTERM,
// which the program listens to already.
func withHangUp(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithCancel(ctx)
}
