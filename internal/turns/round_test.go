package turns

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"rookery/internal/community"
	"rookery/internal/inbox"
	"rookery/internal/jobs"
	"rookery/internal/store"
)

// answers is a One that answers.
func (w *world) answers(f feature) One {
	return func(ctx context.Context, v Waiting) (bool, error) {
		mine := false
		err := w.s.Write(ctx, func(ctx context.Context, tx store.Tx) (err error) {
			if mine, err = f.Held(ctx, tx, v); err != nil || !mine {
				return err
			}
			return inbox.Set(ctx, tx, v.ID, inbox.Done, "")
		})
		return mine, err
	}
}

func (w *world) askFor(name string, n int) {
	w.Helper()
	for range n {
		w.ask("ada@art.example", name)
	}
}

func TestRoundAnswersAsManyAsItMay(t *testing.T) {
	each(t, func(w *world) {
		w.one = w.feature("one", func(c *Config) { c.Parallel = 3 })
		w.askFor("one", 7)
		for _, c := range []struct{ limit, want int }{{0, 0}, {1, 1}, {2, 2}, {-1, 4}, {-1, 0}} {
			if n, err := w.one.Round(t.Context(), ours, c.limit, w.answers(w.one)); n != c.want || err != nil {
				t.Errorf("of %d: %d answers, %v", c.limit, n, err)
			}
		}
		w.are(map[inbox.State]int{inbox.Done: 7})
	})
}

// What needs no answer costs none.
func TestRoundGoesOnPastWhatNeedsNoAnswer(t *testing.T) {
	each(t, func(w *world) {
		w.askFor("one", 4)
		seen := 0
		n, err := w.one.Round(t.Context(), ours, 2, func(ctx context.Context, v Waiting) (bool, error) {
			if seen++; seen <= 2 {
				return false, w.one.Close(ctx, v, inbox.Ignored, "no question", nil)
			}
			return w.answers(w.one)(ctx, v)
		})
		if n != 2 || err != nil {
			t.Errorf("%d answers, %v", n, err)
		}
		w.are(map[inbox.State]int{inbox.Ignored: 2, inbox.Done: 2})
	})
}

func TestTroubleEndsTheRoundAndLosesNothing(t *testing.T) {
	each(t, func(w *world) {
		w.askFor("one", 3)
		trouble := errors.New("the board is down")
		seen := 0
		n, err := w.one.Round(t.Context(), ours, -1, func(ctx context.Context, v Waiting) (bool, error) {
			seen++
			end, ok := ctx.Deadline()
			if !ok || end.After(time.Now().Add(w.one.Hold())) {
				t.Errorf("the work may go on until %v", end)
			}
			return false, w.one.Fail(ctx, v, trouble, time.Time{}, nil)
		})
		if n != 0 || !errors.Is(err, trouble) || seen != 1 {
			t.Errorf("%d answers, %v, %d were worked", n, err, seen)
		}
		w.waits(w.one, 3)
		w.clock.Advance(LongestWait)
		if n, err := w.one.Round(t.Context(), ours, -1, w.answers(w.one)); n != 3 || err != nil {
			t.Errorf("%d answers afterwards, %v", n, err)
		}
	})
}

// As many are at work at once as Parallel says, those of several rounds taken
// together; and after StopPicking they end, and no more begin.
func TestStopPickingEndsWhatIsUnderWayAndBeginsNoMore(t *testing.T) {
	each(t, func(w *world) {
		w.one = w.feature("one", func(c *Config) { c.Parallel = 2 })
		w.askFor("one", 5)
		began, open := make(chan struct{}, 5), make(chan struct{})
		var mu sync.Mutex
		atWork, most, total := 0, 0, 0
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				n, err := w.one.Round(t.Context(), ours, -1, func(ctx context.Context, v Waiting) (bool, error) {
					mu.Lock()
					atWork++
					most = max(most, atWork)
					mu.Unlock()
					began <- struct{}{}
					<-open
					mu.Lock()
					atWork--
					mu.Unlock()
					return w.answers(w.one)(ctx, v)
				})
				mu.Lock()
				defer mu.Unlock()
				total += n
				if err != nil {
					t.Error(err)
				}
			})
		}
		<-began
		<-began
		w.one.StopPicking()
		close(open)
		wg.Wait()
		if total != 2 || most != 2 {
			t.Errorf("%d answers, %d at once", total, most)
		}
		if n, err := w.one.Round(t.Context(), ours, -1, w.answers(w.one)); n != 0 || err != nil {
			t.Errorf("%d answers after it was told to stop, %v", n, err)
		}
		w.waits(w.one, 3)
	})
}

func TestNothingIsPickedWhileSendingIsPaused(t *testing.T) {
	each(t, func(w *world) {
		var since time.Time
		broken := errors.New("the database is broken")
		var err error
		w.one = w.feature("one", func(c *Config) {
			c.Paused = func(context.Context) (time.Time, error) { return since, err }
		})
		w.askFor("one", 1)
		since = w.clock.Now()
		if n, err := w.one.Round(t.Context(), ours, -1, w.answers(w.one)); n != 0 || err != nil {
			t.Errorf("%d answers while sending is paused, %v", n, err)
		}
		since, err = time.Time{}, broken
		if n, err := w.one.Round(t.Context(), ours, -1, w.answers(w.one)); n != 0 || !errors.Is(err, broken) {
			t.Errorf("%d answers while nobody knows, %v", n, err)
		}
		since, err = time.Time{}, nil
		if n, err := w.one.Round(t.Context(), ours, -1, w.answers(w.one)); n != 1 || err != nil {
			t.Errorf("%d answers, %v", n, err)
		}
	})
}

type oneJob struct{}

func (oneJob) Kind() string { return "test.one" }

type twoJob struct{}

func (twoJob) Kind() string { return "test.two" }

// A job that may not or cannot work yet comes back; it is neither done nor
// failed.
func TestJobWaitsForItsAccountAndForThePauseToEnd(t *testing.T) {
	each(t, func(w *world) {
		ready, paused := false, time.Time{}
		w.one = w.feature("one", func(c *Config) {
			c.Paused = func(context.Context) (time.Time, error) { return paused, nil }
		})
		rounds, completed := 0, 0
		r := Rounds{
			Ready: func(a community.AccountID) bool { return ready && a == ours },
			Round: func(context.Context, community.AccountID) (time.Time, error) { rounds++; return time.Time{}, nil },
		}
		work := func(want error) {
			t.Helper()
			err := w.one.work(t.Context(), r, ours, func(context.Context, store.Tx) error { completed++; return nil })
			if err == nil || want == nil {
				if err != nil || want != nil {
					t.Errorf("the job returned %v, not %v", err, want)
				}
			} else if err.Error() != want.Error() {
				t.Errorf("the job returned %v, not %v", err, want)
			}
		}
		work(jobs.Snooze(soonAgain))
		w.clock.Advance(young)
		work(jobs.Snooze(laterAgain))
		ready, paused = true, w.clock.Now()
		work(jobs.Snooze(pausedAgain))
		if rounds != 0 || completed != 0 {
			t.Errorf("%d rounds, %d jobs completed", rounds, completed)
		}
		paused = time.Time{}
		work(nil)
		if rounds != 1 || completed != 1 {
			t.Errorf("%d rounds, %d jobs completed", rounds, completed)
		}
		// A round that is cut off leaves the job to the queue.
		ctx, cut := context.WithCancelCause(t.Context())
		stop := errors.New("the program stops")
		r.Round = func(context.Context, community.AccountID) (time.Time, error) { cut(stop); return time.Time{}, stop }
		if err := w.one.work(ctx, r, ours, func(context.Context, store.Tx) error { completed++; return nil }); !errors.Is(err, stop) || completed != 1 {
			t.Errorf("cut off: %v, %d jobs completed", err, completed)
		}
	})
}

// The next job is made in the transaction that ends the last, when something
// is due; after trouble, not before the time that was asked for.
func TestEndOfAJobMakesTheNext(t *testing.T) {
	each(t, func(w *world) {
		type made struct{ at time.Time }
		var next []made
		w.one.insert = func(_ context.Context, _ store.Tx, _ community.AccountID, at time.Time) error {
			next = append(next, made{at})
			return nil
		}
		var trouble error
		var notBefore time.Time
		r := Rounds{
			Ready: func(community.AccountID) bool { return true },
			Round: func(context.Context, community.AccountID) (time.Time, error) { return notBefore, trouble },
		}
		work := func(complete Then) (time.Time, error) {
			t.Helper()
			next = nil
			err := w.one.work(t.Context(), r, ours, complete)
			if len(next) == 0 {
				return time.Time{}, err
			}
			return next[0].at, err
		}
		done := func(context.Context, store.Tx) error { return nil }
		if at, err := work(done); !at.IsZero() || err != nil {
			t.Errorf("nothing waits, and the next job is at %v, %v", at, err)
		}
		w.askFor("one", 1)
		if at, err := work(done); at.IsZero() || at.After(w.clock.Now()) || err != nil {
			t.Errorf("one is due, and the next job is at %v, %v", at, err)
		}
		w.ok(w.one.PutBack(t.Context(), w.pick(w.one), w.clock.Now().Add(time.Minute), nil, nil))
		if at, err := work(done); !at.Equal(w.clock.Now().Add(time.Minute)) || err != nil {
			t.Errorf("one is due in a minute, and the next job is at %v, %v", at, err)
		}
		trouble, notBefore = errors.New("too many"), w.clock.Now().Add(8*time.Minute)
		if at, err := work(done); !at.Equal(notBefore) || err != nil {
			t.Errorf("asked for eight minutes, and the next job is at %v, %v", at, err)
		}
		lost := errors.New("the job is another's")
		if at, err := work(func(context.Context, store.Tx) error { return lost }); !errors.Is(err, lost) || !at.IsZero() {
			t.Errorf("a job that was lost makes another at %v, %v", at, err)
		}
	})
}

// Two features have their jobs in one queue, each for its own mentions.
func TestQueueWorksEachFeaturesOwn(t *testing.T) {
	each(t, func(w *world) {
		q := jobs.New(jobs.Config{Store: w.s, Log: w.log(), Workers: map[string]int{"one": 1, "two": 1}})
		var mu sync.Mutex
		left, wrong := 8, ""
		all := make(chan struct{})
		rounds := func(f feature) Rounds {
			return Rounds{Queue: f.name,
				Ready: func(community.AccountID) bool { return true },
				Round: func(ctx context.Context, account community.AccountID) (time.Time, error) {
					_, err := f.Round(ctx, account, -1, func(ctx context.Context, v Waiting) (bool, error) {
						done, err := w.answers(f)(ctx, v)
						mu.Lock()
						defer mu.Unlock()
						if !strings.HasPrefix(v.Mention.Post.Text, f.name) {
							wrong = f.name + " had " + v.Mention.Post.Text
						}
						if left--; left == 0 {
							close(all)
						}
						return done, err
					})
					return time.Time{}, err
				}}
		}
		w.askFor("one", 2) // before there is a queue
		Work[oneJob](w.one.Turns, q, rounds(w.one))
		Work[twoJob](w.two.Turns, q, rounds(w.two))
		w.askFor("two", 2)
		w.ok(w.one.Recover(t.Context()))
		w.ok(q.Start(t.Context()))
		w.askFor("one", 2)
		w.askFor("two", 2)
		select {
		case <-all:
		case <-time.After(patience):
			t.Error("waited in vain for all answers")
		}
		w.ok(q.Stop(context.WithoutCancel(t.Context())))
		if wrong != "" {
			t.Error(wrong)
		}
		w.are(map[inbox.State]int{inbox.Done: 8})
	})
}
