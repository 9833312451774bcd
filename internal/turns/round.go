package turns

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"rookery/internal/community"
)

// roundFor is how long one round begins new mentions; then the next job goes
// on.
const roundFor = 20 * time.Second

// round is one pass over what waits for an account.
type round struct {
	*Turns
	account community.AccountID
	left    int       // answers that may still be made; -1 for no end
	until   time.Time // no mention is begun after it

	mu       sync.Mutex
	answered int
	stopped  error // trouble that is not one mention's alone
}

// One works a mention that was picked, and ends it as the package's comment
// says. answered means that it has its answer, or the outbox will see to it.
// Its error is trouble that others would meet too: the round begins no more.
// ctx ends before the hold on the mention does.
type One func(ctx context.Context, w Waiting) (answered bool, err error)

// Round works the waiting mentions of an account, as many at once as Parallel
// says, until none is due, limit are answered (no limit if it is negative), 20
// seconds have passed, or there is trouble that is not one mention's alone,
// which is the error it returns. Nothing is lost by an error. It begins
// nothing while sending is paused, or after StopPicking.
func (t *Turns) Round(ctx context.Context, account community.AccountID, limit int, one One) (answered int, err error) {
	run := &round{Turns: t, account: account, left: limit, until: t.c.Clock.Now().Add(roundFor)}
	hands := t.c.Parallel
	if limit >= 0 {
		hands = min(hands, limit)
	}
	var wg sync.WaitGroup
	for range hands {
		wg.Go(func() { run.loop(ctx, one) })
	}
	wg.Wait()
	t.mu.Lock()
	defer t.mu.Unlock()
	if run.stopped != nil {
		t.troubles[account]++
	} else if run.answered > 0 {
		delete(t.troubles, account)
	}
	return run.answered, run.stopped
}

func (r *round) loop(ctx context.Context, one One) {
	for r.begin(ctx) {
		w, ok, err := r.Pick(ctx, r.account)
		if err != nil || !ok {
			r.end(false, err)
			<-r.slots
			return
		}
		done, err := r.work(ctx, w, one)
		r.end(done, err)
		<-r.slots
	}
}

func (r *round) work(ctx context.Context, w Waiting, one One) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, r.Hold()-holdMargin)
	defer cancel()
	return one(ctx, w)
}

// begin takes a slot and one of the answers left.
func (r *round) begin(ctx context.Context) bool {
	select {
	case r.slots <- struct{}{}:
	case <-ctx.Done():
		return false
	}
	// While nothing is sent nothing is asked: the words would be stale, and paid for.
	since, err := r.pausedSince(ctx)
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil && r.stopped == nil {
		r.stopped = err
	}
	if !since.IsZero() || r.left == 0 || r.stopped != nil || r.isStopping() || ctx.Err() != nil || r.c.Clock.Now().After(r.until) {
		<-r.slots
		return false
	}
	if r.left > 0 {
		r.left--
	}
	return true
}

func (t *Turns) pausedSince(ctx context.Context) (time.Time, error) {
	if t.c.Paused == nil {
		return time.Time{}, nil
	}
	return t.c.Paused(ctx)
}

func (r *round) end(answered bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if answered {
		r.answered++
	} else if r.left >= 0 {
		r.left++ // it cost no answer
	}
	if err != nil && r.stopped == nil {
		r.stopped = err
	}
}

// LongestWait is the longest that a mention is put off before it is looked at
// again: what stood in its way may be mended, and a time told by somebody else
// may be wrong.
const LongestWait = 10 * time.Minute

// Backoff is the wait after so many failures before: it grows from 2 s,
// doubling, to LongestWait, of which the half is by chance.
func Backoff(failures int) time.Duration {
	d := min(2*time.Second<<max(0, min(failures, 12)), LongestWait)
	return d/2 + rand.N(d/2+1)
}
