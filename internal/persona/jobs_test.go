package persona

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"rookery/internal/clock"
	"rookery/internal/jobs"
	"rookery/internal/outbox"
	"rookery/internal/sim/fedisim"
	"rookery/internal/sim/llmsim"
	"rookery/internal/store"
	"rookery/internal/store/storetest"
)

// eachWorked is each, with the jobs' tables: the answering is done by the
// queue, and in real time, for that is what River goes by.
func eachWorked(t *testing.T, fn func(t *testing.T, s *store.Store)) {
	t.Helper()
	t.Parallel()
	storetest.Each(t, fn, append(tables(), jobs.Migrations())...)
}

// work starts the queue, as app does.
func (w *world) work(s *store.Store, h home, drain time.Duration) *jobs.Queue {
	w.Helper()
	log := slog.New(slog.NewTextHandler(w.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	q := jobs.New(jobs.Config{Store: s, Clock: h.opt.clock, Log: log, Drain: drain, Workers: map[string]int{outbox.QueueName: 1, QueueName: 2}})
	h.outbox.Work(q)
	h.persona.Work(q)
	if err := q.Start(w.Context()); err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { w.stop(q) })
	return q
}

func (w *world) stop(q *jobs.Queue) {
	w.Helper()
	if err := q.Stop(context.Background()); err != nil {
		w.Error(err)
	}
}

// answered waits until all are answered, and noted to be.
func (w *world) answered(asked ...fedisim.Post) {
	w.Helper()
	for _, q := range asked {
		w.waitFor("a reply to "+q.Text, func() bool { return len(w.replies(q)) > 0 })
	}
}

func TestQueueAnswersWhatComesAndGoesOnAfterTrouble(t *testing.T) {
	eachWorked(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{clock: clock.System{}})
		q := w.work(s, w.home, 0)
		first := w.ask(3)
		w.poll()
		w.answered(first...)
		// The model fails, and the thread cannot be read: both are tried again by themselves.
		w.model.Inject(llmsim.Fault{Kind: llmsim.ServerError})
		w.sim.Inject(fedisim.Fail(502).On("GET", "/api/v1/statuses/*/context"))
		second := w.ask(2)
		w.poll()
		w.answered(second...)
		w.persona.StopPicking()
		w.stop(q)
		for _, p := range append(first, second...) {
			w.reply(p)
		}
		w.are("done 5")
	})
}

// TestQueueThatIsCutOffLeavesTheMentionFree stops a process in the middle of
// an answer; the next goes on at once, and it has cost no attempt.
func TestQueueThatIsCutOffLeavesTheMentionFree(t *testing.T) {
	eachWorked(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{clock: clock.System{}})
		q := w.work(s, w.home, time.Millisecond)
		w.model.Inject(llmsim.Fault{Kind: llmsim.Hang})
		asked := w.ask(1)
		w.poll()
		w.modelHas("the question", func(st llmsim.Stats) bool { return st.Open == 1 })
		w.persona.StopPicking()
		w.stop(q)
		if rows := w.waiting(); len(rows) != 1 || rows[0].leased || rows[0].attempts != 0 || rows[0].next.UnixMilli() != 0 {
			t.Errorf("what waits after the stop is %+v, not free", rows)
		}
		next := w.newHome(s, w.opt, w.bot)
		w.connect(next)
		w.work(s, next, 0)
		w.answered(asked...)
		w.reply(asked[0])
	})
}

// TestQueueWaitsAsLongAsTheModelAsksFor looks at when the next job is due: a
// refused endpoint is left alone until the time it named.
func TestQueueWaitsAsLongAsTheModelAsksFor(t *testing.T) {
	eachWorked(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{clock: clock.System{}, persona: func(c *Config) { c.Parallel = 1 }})
		q := w.work(s, w.home, 0)
		w.model.Inject(llmsim.Fault{Kind: llmsim.RateLimited, RetryAfter: 8 * time.Minute, Times: llmsim.Always})
		before := time.Now()
		w.ask(3)
		w.poll()
		w.modelHas("an answer", func(st llmsim.Stats) bool { return st.Failed == 1 })
		w.stop(q)
		all, err := q.List(t.Context(), 10)
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for _, j := range all {
			if j.Kind != (answerJob{}).Kind() {
				continue
			}
			found = true
			if j.RunAt.Before(before.Add(8*time.Minute - time.Second)) {
				t.Errorf("the next job is due at %v, before the eight minutes are over (it is %v)", j.RunAt, before)
			}
		}
		if !found {
			t.Errorf("no job is left for what waits: %+v", all)
		}
		w.modelCalls(1)
		w.are("waiting 3")
	})
}

// TestQueuesOfTwoProcessesAnswerEachMentionOnce has River, or two queues on one
// SQLite database, hand out the jobs of one account.
func TestQueuesOfTwoProcessesAnswerEachMentionOnce(t *testing.T) {
	eachWorked(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{clock: clock.System{}, persona: func(c *Config) { c.Parallel = 2 }})
		other := w.newHome(s, w.opt, w.bot)
		w.connect(other)
		w.work(s, w.home, 0)
		w.work(s, other, 0)
		var asked []fedisim.Post
		for range 5 {
			asked = append(asked, w.ask(6)...)
			w.poll()
			w.connect(other)
		}
		w.answered(asked...)
		for _, p := range asked {
			w.reply(p)
		}
		w.modelCalls(len(asked))
	})
}
