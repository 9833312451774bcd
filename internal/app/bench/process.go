package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"sync"
	"time"
)

// patience is how long the end of some mentions' ways is waited for, on the
// slowest of machines. It is no measure.
func patience(mentions int) time.Duration {
	return 2*time.Minute + time.Duration(mentions)*200*time.Millisecond
}

// process is the running program.
type process struct {
	cmd   *exec.Cmd
	log   *logReader
	began time.Time
	done  chan struct{}
	err   error // once done
}

// line is one line of the program's log.
type line struct {
	Message string `json:"msg"`
	Level   string `json:"level"`
	New     int    `json:"new"`     // of "mentions taken in"
	Address string `json:"address"` // of "serving metrics"
	at      time.Time
	text    string // the whole line, of warnings and errors only
}

// start runs the program. told, which may be nil, hears every line of its log.
func (w *world) start(ctx context.Context, told func(line), args ...string) (*process, error) {
	p := &process{log: &logReader{told: told}, done: make(chan struct{})}
	p.cmd = exec.CommandContext(ctx, w.binary, append(args, "--config", w.config())...)
	p.cmd.Env = w.environment()
	p.cmd.Stderr = p.log
	p.began = time.Now()
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the program: %w", err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.done)
	}()
	return p, nil
}

// await waits for an event while the program runs.
func (p *process) await(ctx context.Context, what string, event <-chan struct{}, limit time.Duration) error {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-event:
		return nil
	case <-p.done:
		select {
		case <-event: // the last thing it did
			return nil
		default:
		}
		return fmt.Errorf("the program ended before %s: %s\n%s", what, p.cmd.ProcessState, p.log.tail())
	case <-timer.C:
		return fmt.Errorf("waited %s in vain for %s; the program's log ends with:\n%s", limit, what, p.log.tail())
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// finish waits for the program to end by itself, well.
func (p *process) finish(ctx context.Context, limit time.Duration) error {
	if err := p.await(ctx, "its end", p.done, limit); err != nil {
		return err
	}
	if p.err != nil {
		return fmt.Errorf("the program failed: %w\n%s", p.err, p.log.tail())
	}
	return nil
}

// kill ends the program at once; it is made for that.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // it may have ended
	<-p.done
}

// processor is the time that an ended program had of the processors.
func (p *process) processor() time.Duration {
	return p.cmd.ProcessState.UserTime() + p.cmd.ProcessState.SystemTime()
}

// logReader reads the program's log while it is written.
type logReader struct {
	told func(line)

	mu   sync.Mutex
	rest []byte               // of a line that is not whole yet
	last []byte               // the newest lines
	seen map[string]time.Time // when each message came first
}

// Write implements io.Writer.
func (l *logReader) Write(b []byte) (int, error) {
	at := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last = append(l.last, b...)
	l.last = l.last[max(0, len(l.last)-4_000):]
	l.rest = append(l.rest, b...)
	for {
		text, rest, whole := bytes.Cut(l.rest, []byte("\n"))
		if !whole {
			return len(b), nil
		}
		n := line{at: at}
		l.rest = rest
		if json.Unmarshal(text, &n) != nil {
			continue // an error's text, for the tail
		}
		if n.Level == "WARN" || n.Level == "ERROR" {
			n.text = string(text)
		}
		if _, again := l.seen[n.Message]; !again {
			if l.seen == nil {
				l.seen = map[string]time.Time{}
			}
			l.seen[n.Message] = at
		}
		if l.told != nil {
			l.told(n)
		}
	}
}

// since is how long after a moment a message came first, in ms.
func (l *logReader) since(t time.Time, message string) (float64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	at, ok := l.seen[message]
	if !ok {
		return 0, fmt.Errorf("the program's log does not say %q; it ends with:\n%s", message, l.last)
	}
	return ms(at.Sub(t)), nil
}

// tail is the end of the log.
func (l *logReader) tail() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(l.last)
}
