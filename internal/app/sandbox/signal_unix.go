//go:build unix

package sandbox

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// stopSignal is how a person would name what askToEnd does.
const stopSignal = "SIGTERM"

// askToEnd sends what a service manager sends.
func askToEnd(p *os.Process) error { return p.Signal(syscall.SIGTERM) }

// withHangUp also ends ctx when the terminal is closed, which must not leave
// the bot behind; unless the sandbox was started to outlive it (nohup).
func withHangUp(ctx context.Context) (context.Context, context.CancelFunc) {
	if signal.Ignored(syscall.SIGHUP) {
		return context.WithCancel(ctx)
	}
	return signal.NotifyContext(ctx, syscall.SIGHUP)
}
