package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"
)

// measureWord, as the first argument, makes this program run the rest of the
// arguments as a program, and print what that took.
//
// A process of its own does this because Linux lets a new program inherit the
// peak memory of the process it was started from, and this one, with the
// simulators in it, is larger than what is measured.
const measureWord = "measure-child"

// took is what a whole process took.
type took struct {
	Wall      time.Duration // from before the start to after the end
	Processor time.Duration // as a user and as the system
	Peak      int64         // of memory, in bytes; 0 if this system does not tell
}

// measureChild is this program as the measuring process.
func measureChild(args []string) int {
	cmd := exec.Command(args[0], args[1:]...) //nolint:noctx // it ends by itself, or with all of us at Ctrl-C
	cmd.Stderr = os.Stderr
	began := time.Now()
	err := cmd.Run()
	t := took{Wall: time.Since(began)}
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", args[0], err)
		return 1
	}
	t.Processor = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	t.Peak = peakOf(cmd.ProcessState)
	if err := json.NewEncoder(os.Stdout).Encode(t); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// whole runs the program to its end and returns what it took.
func (w *world) whole(ctx context.Context, args ...string) (t took, log string, err error) {
	return measured(ctx, w.environment(), w.binary, append(args, "--config", w.config())...)
}

// measured runs any program to its end and returns what it took, and the end
// of what it complained of.
func measured(ctx context.Context, environment []string, program string, args ...string) (t took, log string, err error) {
	self, err := os.Executable()
	if err != nil {
		return t, "", fmt.Errorf("find this program: %w", err)
	}
	cmd := exec.CommandContext(ctx, self, append([]string{measureWord, program}, args...)...)
	cmd.Env = environment
	lines := &logReader{}
	cmd.Stderr = lines
	cmd.WaitDelay = 10 * time.Second
	out, err := cmd.StdoutPipe()
	if err != nil {
		return t, "", fmt.Errorf("run the program: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return t, "", fmt.Errorf("run the program: %w", err)
	}
	b, readErr := io.ReadAll(io.LimitReader(out, 64<<10))
	if err := cmd.Wait(); err != nil {
		return t, "", fmt.Errorf("run the program: %w\n%s", err, lines.tail())
	}
	if readErr != nil {
		return t, "", fmt.Errorf("read what it took: %w", readErr)
	}
	if err := json.Unmarshal(b, &t); err != nil {
		return t, "", fmt.Errorf("read what it took: %w", err)
	}
	return t, lines.tail(), nil
}
