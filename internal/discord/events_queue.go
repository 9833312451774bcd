package discord

import (
	"context"
	"encoding/json"
	"sync"
)

const (
	// queueLength bounds what waits of one channel, queueTotal of all.
	queueLength = 100
	queueTotal  = 5000
	// queueWorkers is how many channels are worked on at a time.
	queueWorkers = 32
	// pressWorkers and pressQueue bound the interactions: those beyond would be
	// too late for their 3 seconds anyway.
	pressWorkers = 64
	pressQueue   = 256
)

// job is one thing to do. done is called when it was done, and not when the
// process ended before.
type job struct {
	run  func(context.Context)
	done func()
}

// queues hand events to their handlers: those of one key one after the other,
// those of different keys side by side. Putting never waits, so that a slow
// handler holds up neither the gateway nor another channel.
type queues struct {
	d *Discord

	mu      sync.Mutex
	ctx     context.Context // of the handlers; nil while nothing runs
	waiting map[string][]job
	total   int
	dropped int
	presses []job
	busy    int // workers of presses
	slots   chan struct{}
	idle    chan struct{} // closed when nothing is left, if somebody waits for it
	workers sync.WaitGroup
}

func (q *queues) init(d *Discord) {
	q.d = d
	q.waiting = map[string][]job{}
	q.slots = make(chan struct{}, queueWorkers)
}

// start lets jobs run until ctx ends.
func (q *queues) start(ctx context.Context) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.ctx = ctx
}

// put queues a job; false if there is no room, or nothing runs.
func (q *queues) put(key string, j job) bool { return q.add(key, j, queueLength) }

// must queues a job that there are few of, whatever waits already.
func (q *queues) must(key string, j job) { q.add(key, j, 0) }

func (q *queues) add(key string, j job, limit int) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	line, working := q.waiting[key]
	if q.ctx == nil || q.ctx.Err() != nil || limit > 0 && (len(line) >= limit || q.total >= queueTotal) {
		return false
	}
	q.waiting[key] = append(line, j)
	q.total++
	if !working {
		q.workers.Add(1)
		go q.work(q.ctx, key)
	}
	return true
}

// work does what waits under a key until nothing does.
func (q *queues) work(ctx context.Context, key string) {
	defer q.workers.Done()
	for {
		select {
		case q.slots <- struct{}{}:
		case <-ctx.Done():
			return
		}
		q.mu.Lock()
		line := q.waiting[key]
		if len(line) == 0 || ctx.Err() != nil {
			delete(q.waiting, key)
			q.mu.Unlock()
			<-q.slots
			return
		}
		j := line[0]
		line[0] = job{}
		q.waiting[key] = line[1:]
		q.mu.Unlock()
		q.do(ctx, j)
		<-q.slots
	}
}

// do runs a job. One that panics is a mistake of ours and ends the process.
func (q *queues) do(ctx context.Context, j job) {
	j.run(ctx)
	if j.done != nil && ctx.Err() == nil { // cut off in the middle, it counts as not done
		j.done()
	}
	q.mu.Lock()
	q.total--
	q.settled()
	q.mu.Unlock()
}

// settled wakes drain; called with the mutex held.
func (q *queues) settled() {
	if q.idle != nil && q.total == 0 {
		close(q.idle)
		q.idle = nil
	}
}

// interaction hands an interaction over at once; it waits for no channel.
func (q *queues) interaction(raw json.RawMessage, done func()) {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case q.ctx == nil || q.ctx.Err() != nil:
		return // not dealt with: a resumed session tells of it again
	case len(q.presses) >= pressQueue:
		q.dropped++
		done() // too late for it in any case, and its giver is told by Discord
		return
	}
	q.presses = append(q.presses, job{done: done, run: func(ctx context.Context) { q.d.conn.press(ctx, raw) }})
	q.total++
	if q.busy < pressWorkers {
		q.busy++
		q.workers.Add(1)
		go q.press(q.ctx)
	}
}

func (q *queues) press(ctx context.Context) {
	defer q.workers.Done()
	for {
		q.mu.Lock()
		if len(q.presses) == 0 || ctx.Err() != nil {
			q.busy--
			q.mu.Unlock()
			return
		}
		j := q.presses[0]
		q.presses[0] = job{}
		q.presses = q.presses[1:]
		q.mu.Unlock()
		q.do(ctx, j)
	}
}

func (q *queues) overflowed() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.dropped++
}

// counts are how many jobs wait or run, and how many found no room.
func (q *queues) counts() (waiting, dropped int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.total, q.dropped
}

// drain waits until everything is done, or until ctx ends.
func (q *queues) drain(ctx context.Context) {
	q.mu.Lock()
	if q.total == 0 {
		q.mu.Unlock()
		return
	}
	if q.idle == nil {
		q.idle = make(chan struct{})
	}
	idle := q.idle
	q.mu.Unlock()
	select {
	case <-idle:
	case <-ctx.Done():
	}
}
