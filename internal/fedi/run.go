package fedi

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"rookery/internal/store"
)

const (
	// streamedPoll is the least time between two polls while a stream brings
	// the news: they then only look for what it lost.
	streamedPoll = 30 * time.Second
	// soonest is the least time from one poll to one that is asked for.
	soonest = 3 * time.Second
	// longestHold bounds how long a limit can keep an account from being
	// looked at again.
	longestHold = 15 * time.Minute
)

// Run keeps every account logged in and polled, and its stream open where its
// server has one, until ctx ends. Servers that do not answer are tried again;
// they hold up no other account.
func (f *Fedi) Run(ctx context.Context) {
	var wg sync.WaitGroup
	for _, l := range f.logins {
		wg.Go(func() { l.run(ctx) })
		wg.Go(func() { l.dismissing(ctx) })
	}
	wg.Wait()
	for _, l := range f.logins {
		l.client.Close()
	}
}

// PollOnce logs every account in and polls it once. Its error joins what went
// wrong with each; the others are served all the same. Config.Trouble is not
// told: a single look knows no change.
func (f *Fedi) PollOnce(ctx context.Context) error {
	errs := make([]error, len(f.logins))
	var wg sync.WaitGroup
	for i, l := range f.logins {
		wg.Go(func() {
			err := l.firstTry(ctx)
			if err == nil {
				err = l.poll(ctx)
			}
			l.note(err)
			if err != nil {
				errs[i] = fmt.Errorf("account %s: %w", l.Name, l.helped(err))
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// helped adds what the operator can do.
func (l *login) helped(err error) error {
	if _, ok := errors.AsType[*SwappedError](err); ok {
		return err // says it itself
	}
	if ClassOf(err) == Auth && l.TokenHelp != "" {
		return fmt.Errorf("%w: %s", err, l.TokenHelp)
	}
	return err
}

func (l *login) run(ctx context.Context) {
	for first := true; ctx.Err() == nil; first = false {
		var err error
		if first {
			err = l.firstTry(ctx)
		} else {
			err = l.connect(ctx)
		}
		if err == nil {
			err = l.polling(ctx)
		}
		if ctx.Err() != nil {
			return
		}
		pause := l.Poll
		if err == nil {
			l.wentWell()
		} else {
			l.wentWrong(err)
			pause = l.patience(err)
		}
		if !sleep(ctx, l.f.Clock, pause) {
			return
		}
	}
}

// patience is how long to wait after a failure.
func (l *login) patience(err error) time.Duration {
	if at, ok := l.heldUntil(err); ok {
		return max(l.Poll, at.Sub(l.f.Clock.Now()))
	}
	pause := max(l.Poll, min(time.Duration(l.failures)*time.Second, time.Minute))
	if ClassOf(err) == Auth {
		pause = max(pause, time.Minute)
	}
	return pause
}

// heldUntil is when to come again, if the error says that.
func (l *login) heldUntil(err error) (time.Time, bool) {
	now := l.f.Clock.Now()
	e, ok := errors.AsType[*Error](err)
	if !ok || !e.RetryAt.After(now) {
		return time.Time{}, false
	}
	if latest := now.Add(longestHold); e.RetryAt.After(latest) {
		return latest, true
	}
	return e.RetryAt, true
}

// polling polls, and streams, for as long as this process is the one that
// does. A limit that is used up is waited for; any other error ends it, so
// that another process may try.
func (l *login) polling(ctx context.Context) error {
	id, _ := l.account()
	lock, err := l.f.Store.TryLock(ctx, "poll:"+string(id))
	if err != nil || lock == nil {
		return err
	}
	defer lock.Release()
	ctx, stop := context.WithCancel(ctx)
	var streams sync.WaitGroup
	defer streams.Wait()
	defer stop()
	for streaming := false; ; {
		l.asked.Store(false)
		err := l.connect(ctx)
		if err == nil {
			err = l.poll(ctx)
		}
		ended := l.f.Clock.Now()
		var hold time.Time
		switch at, held := l.heldUntil(err); {
		case err == nil:
			l.wentWell()
			if !streaming && !l.NoStream {
				streaming = true
				streams.Go(func() { l.streaming(ctx, id) })
			}
		case held && ClassOf(err) == Rate:
			l.wentWrong(err)
			hold = at
		default:
			return err
		}
		if err := l.untilNextPoll(ctx, lock, ended, hold); err != nil {
			return err
		}
		select {
		case <-lock.Lost():
			return nil
		default:
		}
	}
}

// untilNextPoll waits until the next poll is due, not before hold, or until
// the lock is lost. The error is the context's.
func (l *login) untilNextPoll(ctx context.Context, lock *store.Lock, last, hold time.Time) error {
	for {
		now := l.f.Clock.Now()
		if now.Before(last) { // the clock was set back
			last = now
		}
		due := last.Add(l.pollEvery())
		if hold.After(due) {
			due = hold
		}
		if !due.After(now) {
			return ctx.Err()
		}
		ready, stop := l.f.Clock.After(due.Sub(now))
		select {
		case <-ready:
		case <-l.nudge: // another pause may hold
		case <-lock.Lost():
			stop()
			return nil
		case <-ctx.Done():
		}
		stop()
		if err := ctx.Err(); err != nil {
			return err
		}
	}
}

// pollEvery is the time from the last poll to the next, as things are.
func (l *login) pollEvery() time.Duration {
	switch {
	case l.asked.Load():
		return min(l.Poll, soonest)
	case l.streams() && !l.NoRateLimits: // the operator's own server may be polled as it pleases
		return max(l.Poll, streamedPoll)
	}
	return l.Poll
}

// askPoll has the account polled soon, however well its stream does.
func (l *login) askPoll() {
	l.asked.Store(true)
	l.reconsider()
}

// reconsider wakes the poller to think again when its next poll is due.
func (l *login) reconsider() {
	select {
	case l.nudge <- struct{}{}:
	default: // it has not yet seen the last one
	}
}
