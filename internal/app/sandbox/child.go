package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// child is the bot, a process of its own that can be started again. It is safe
// for concurrent use.
type child struct {
	program string
	args    []string
	logFile string // what the bot writes to its standard output and error

	mu     sync.Mutex
	now    *process // nil before the first start
	starts int
}

// process is one run of the bot.
type process struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended; err is set then
	err  error
}

// start starts the bot. It must not run already.
func (c *child) start(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	log, err := os.OpenFile(c.logFile, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("open the bot's log: %w", err)
	}
	// It ends by stop or kill, not with a context: it is given time to end in order.
	cmd := exec.CommandContext(context.WithoutCancel(ctx), c.program, c.args...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = ownGroup()
	err = cmd.Start()
	_ = log.Close() // the process has its own
	if err != nil {
		return fmt.Errorf("the bot could not be started: %w", err)
	}
	p := &process{cmd: cmd, done: make(chan struct{})}
	go func() {
		p.err = cmd.Wait()
		close(p.done)
	}()
	c.now = p
	c.starts++
	return nil
}

// current is the run that was started last; nil if there was none.
func (c *child) current() *process {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// running tells whether the bot is at work.
func (c *child) running() bool {
	p := c.current()
	if p == nil {
		return false
	}
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// kill ends the bot at once, as kill -9 and a power cut do, and waits for that.
func (c *child) kill() error {
	p := c.current()
	if p == nil {
		return nil
	}
	if err := p.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("kill the bot: %w", err)
	}
	<-p.done
	return nil
}

// stop asks the bot to end in order and waits for it, for limit at most; then
// it is killed, and an error says so. An ending with another exit status than
// 0 is an error too.
func (c *child) stop(limit time.Duration) error {
	p := c.current()
	if p == nil {
		return nil
	}
	if err := askToEnd(p.cmd.Process); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return errors.Join(fmt.Errorf("ask the bot to end: %w", err), c.kill())
	}
	t := time.NewTimer(limit)
	defer t.Stop()
	select {
	case <-p.done:
		return p.err
	case <-t.C:
		return errors.Join(fmt.Errorf("it had not ended after %s and was killed", limit), c.kill())
	}
}

// ending says how a run ended, in words.
func (p *process) ending() string {
	if p.err == nil {
		return "exit status 0"
	}
	return p.err.Error()
}

// lastWords is the end of the bot's log, for a person who must see why it ended.
func (c *child) lastWords() string {
	const lines, most = 8, 8 << 10
	f, err := os.Open(c.logFile)
	if err != nil {
		return "It has no log: " + err.Error()
	}
	defer f.Close()
	if st, err := f.Stat(); err == nil && st.Size() > most {
		if _, err := f.Seek(-most, io.SeekEnd); err != nil {
			return "Its log cannot be read: " + err.Error()
		}
	}
	data, err := io.ReadAll(io.LimitReader(f, most))
	if err != nil {
		return "Its log cannot be read: " + err.Error()
	}
	text := strings.TrimSpace(string(data))
	if text == "" {
		return "Its log is empty."
	}
	all := strings.Split(text, "\n")
	return "The end of its log:\n" + strings.Join(all[max(0, len(all)-lines):], "\n")
}
