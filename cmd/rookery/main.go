// Command rookery is the bot. It turns signals into an orderly end and leaves
// everything else to package app.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	_ "time/tzdata" // time zones also where the system has none

	"rookery/internal/app"
)

// version is set when a release is built.
var version string

func main() { os.Exit(run()) }

func run() int {
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) { // as nohup has it
		signals = append(signals, syscall.SIGHUP) // its terminal was closed
	}
	ctx, stop := signal.NotifyContext(context.Background(), signals...)
	defer stop()
	// A second signal ends the program at once.
	go func() {
		<-ctx.Done()
		stop()
	}()
	if err := app.Command(versionText()).ExecuteContext(ctx); err != nil {
		fmt.Fprintf(os.Stderr, "rookery: %v\n", err)
		return 1
	}
	return 0
}

func versionText() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return "development"
}
