package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// ffmpeg stands in the place of the program of that name: it runs it and notes
// when, with what, and which process it is.
type ffmpeg struct {
	real  string
	shell string
	dir   string
}

// conversion is one run of it that made something.
type conversion struct {
	span
	processor time.Duration
	args      []string
}

// notes is what is run in ffmpeg's place. Each line of the log is a run: when
// it began and ended, its time of the processor as a user and as the system,
// and every argument after a tab.
const notes = `#!%s
began=$EPOCHREALTIME
%s "$@" &
echo "$!" >%s
wait "$!"
code=$?
ended=$EPOCHREALTIME
times >%s
{ read -r _; read -r user system; } <%s
{
	printf '%%s' "$began $ended $user $system"
	printf '\t%%s' "$@"
	printf '\n'
} >>%s
exit "$code"
`

// newFFmpeg makes one in a new folder; nil where it cannot be told how long it
// works, or where there is none.
func newFFmpeg(l *lab) (*ffmpeg, error) {
	f := &ffmpeg{real: found("ffmpeg"), shell: found("bash")}
	if f.real == "" || f.shell == "" || runtime.GOOS != "linux" {
		l.say("(no conversions: they need Linux, bash, and ffmpeg)")
		return nil, nil
	}
	var err error
	if f.dir, err = l.folder(); err != nil {
		return nil, err
	}
	text := fmt.Sprintf(notes, f.shell, quoted(f.real), quoted(f.file("pid")), quoted(f.file("times")), quoted(f.file("times")), quoted(f.file("log")))
	if err := os.WriteFile(f.path(), []byte(text), 0o700); err != nil { //nolint:gosec // it is a program
		return nil, fmt.Errorf("write what runs ffmpeg: %w", err)
	}
	return f, nil
}

// found is the path of a program; empty if there is none.
func found(program string) string {
	path, err := exec.LookPath(program)
	if err != nil {
		return ""
	}
	return path
}

func quoted(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

func (f *ffmpeg) file(name string) string { return filepath.Join(f.dir, name) }
func (f *ffmpeg) path() string            { return f.file("ffmpeg") }
func (f *ffmpeg) remove() error           { return os.RemoveAll(f.dir) }

// line is the configuration's.
func (f *ffmpeg) line() string { return fmt.Sprintf("ffmpeg = %q\n", f.path()) }

// conversions are the runs so far. Those that only asked what it can are left
// out.
func (f *ffmpeg) conversions() (all []conversion, err error) {
	b, err := os.ReadFile(f.file("log"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read when ffmpeg ran: %w", err)
	}
	for text := range strings.Lines(string(b)) {
		c, err := readConversion(strings.TrimSuffix(text, "\n"))
		if err != nil {
			return nil, fmt.Errorf("read when ffmpeg ran: %w", err)
		}
		if slices.Contains(c.args, "-i") {
			all = append(all, c)
		}
	}
	return all, nil
}

func readConversion(line string) (c conversion, err error) {
	words := strings.Split(line, "\t")
	times := strings.Fields(words[0])
	if len(times) != 4 {
		return c, fmt.Errorf("%q are not four times", words[0])
	}
	c.args = words[1:]
	var errs [4]error
	c.from, errs[0] = moment(times[0])
	c.to, errs[1] = moment(times[1])
	var system time.Duration
	c.processor, errs[2] = time.ParseDuration(times[2]) // 0m0.640s
	system, errs[3] = time.ParseDuration(times[3])
	c.processor += system
	return c, errors.Join(errs[:]...)
}

// moment reads seconds with six digits after the point.
func moment(text string) (time.Time, error) {
	n, err := strconv.ParseInt(strings.Replace(text, ".", "", 1), 10, 64)
	return time.UnixMicro(n), err
}

// byHand runs ffmpeg itself as in a conversion, on a copy of what it had.
func (f *ffmpeg) byHand(ctx context.Context, c conversion, picture []byte) (took, error) {
	in, out := f.file("in"), f.file("out")
	if err := os.WriteFile(in, picture, 0o600); err != nil {
		return took{}, fmt.Errorf("write a picture: %w", err)
	}
	args := slices.Clone(c.args)
	for i := range args {
		if i > 0 && args[i-1] == "-i" {
			args[i] = "file:" + in
		}
	}
	args[len(args)-1] = "file:" + out
	t, said, err := measured(ctx, os.Environ(), f.real, args...)
	if err != nil {
		return t, fmt.Errorf("run ffmpeg by hand: %w\n%s", err, said)
	}
	return t, nil
}

// peak watches the memory of whatever runs until stop is called, which returns
// the most that one run had, in bytes.
func (f *ffmpeg) peak() (stop func() int64) {
	var most atomic.Int64
	ended, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		look := time.NewTicker(10 * time.Millisecond)
		defer look.Stop()
		for {
			select {
			case <-look.C:
			case <-ended:
				return
			}
			b, err := os.ReadFile(f.file("pid"))
			if err != nil {
				continue // it has not run yet
			}
			pid, err := strconv.Atoi(strings.TrimSpace(string(b)))
			if err != nil {
				continue // it is just being written
			}
			if _, peak, err := memoryOf(pid); err == nil { // it has not ended
				most.Store(max(most.Load(), peak))
			}
		}
	}()
	return func() int64 {
		close(ended)
		<-done
		return most.Load()
	}
}
