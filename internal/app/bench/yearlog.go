package main

import (
	"context"
	"fmt"
	"regexp"
	"sync"
	"time"
)

// yearLog is what the log of a year says.
type yearLog struct {
	mu       sync.Mutex
	changed  chan struct{} // closed at the next line that counts
	taken    int           // mentions
	expected int
	backups  int
	operator map[string]int // what the operator was told, by what it is about
	warnings map[string]int // and errors, but for what the operator was told, by message
	first    []string       // of each kind of warning
}

func newYearLog() *yearLog {
	return &yearLog{changed: make(chan struct{}), operator: map[string]int{}, warnings: map[string]int{}}
}

// about is the key of something for the operator, without its last part, which
// is a day or the like.
var about = regexp.MustCompile(`"about":"([a-z]+)`)

func (y *yearLog) read(n line) {
	y.mu.Lock()
	defer y.mu.Unlock()
	switch {
	case n.Message == "mentions taken in":
		y.taken += n.New
	case n.Message == "backup made":
		y.backups++
	case n.Message == "for the operator":
		key := "?"
		if m := about.FindStringSubmatch(n.text); m != nil {
			key = m[1]
		}
		y.operator[key]++
	case n.text != "":
		if y.warnings[n.Message]++; y.warnings[n.Message] == 1 {
			y.first = append(y.first, n.text)
		}
	default:
		return
	}
	close(y.changed)
	y.changed = make(chan struct{})
}

func (y *yearLog) expectMore(n int) {
	y.mu.Lock()
	defer y.mu.Unlock()
	y.expected += n
}

func (y *yearLog) allTaken() bool {
	y.mu.Lock()
	defer y.mu.Unlock()
	return y.taken >= y.expected
}

// await waits for the log to say something; cond is asked under the lock.
func (y *yearLog) await(ctx context.Context, p *process, what string, cond func(*yearLog) bool) error {
	limit := time.NewTimer(patience(0))
	defer limit.Stop()
	for {
		y.mu.Lock()
		ok, changed := cond(y), y.changed
		y.mu.Unlock()
		if ok {
			return nil
		}
		select {
		case <-changed:
		case <-p.done:
			return fmt.Errorf("the program ended before %s: %s\n%s", what, p.cmd.ProcessState, p.log.tail())
		case <-limit.C:
			return fmt.Errorf("waited %s in vain for %s; the program's log ends with:\n%s", patience(0), what, p.log.tail())
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
