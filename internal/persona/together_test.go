package persona

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"rookery/internal/sim/fedisim"
	"rookery/internal/sim/llmsim"
	"rookery/internal/store"
	"rookery/internal/store/storetest"
)

// meeting is a model that answers nobody until n requests are with it.
func meeting(t *testing.T, n int) func(llmsim.Request) llmsim.Answer {
	var mu sync.Mutex
	all := make(chan struct{})
	return func(r llmsim.Request) llmsim.Answer {
		mu.Lock()
		if n--; n == 0 {
			close(all)
		}
		mu.Unlock()
		select {
		case <-all:
		case <-time.After(patience):
			t.Error("waited in vain for others to ask the model at the same time")
		}
		return llmsim.Witty(r)
	}
}

// door is a model that answers nobody until it is opened.
func door() (said func(llmsim.Request) llmsim.Answer, open func()) {
	opened := make(chan struct{})
	var once sync.Once
	return func(r llmsim.Request) llmsim.Answer {
		<-opened
		return llmsim.Witty(r)
	}, func() { once.Do(func() { close(opened) }) }
}

// outcome is what an Answer came to.
type outcome struct {
	n   int
	err error
}

// inBackground answers while the test goes on.
func (w *world) inBackground(ctx context.Context, h home) <-chan outcome {
	done := make(chan outcome, 1)
	go func() {
		n, err := h.persona.Answer(ctx, w.account, -1)
		done <- outcome{n, err}
	}()
	return done
}

func (w *world) ask(n int) (asked []fedisim.Post) {
	for range n {
		asked = append(asked, w.ada.Post("@elelem question number "+strings.Repeat("I", len(asked)+1)))
		if w.clock != nil {
			w.clock.Advance(time.Second)
		}
	}
	return asked
}

func TestLimitOfOneMakesExactlyOneReplyAndLeavesTheRest(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{persona: func(c *Config) { c.Parallel = 4 }})
		taken := w.ada.Post("@elelem never mind")
		w.clock.Advance(time.Second)
		asked := w.ask(4)
		w.poll()
		w.ada.Delete(taken.ID) // the oldest, which costs no reply
		if n := w.answer(0); n != 0 {
			t.Errorf("%d replies with a limit of none", n)
		}
		w.modelCalls(0)
		if n := w.answer(1); n != 1 {
			t.Errorf("%d replies with a limit of one", n)
		}
		w.reply(asked[0])
		w.modelCalls(1)
		w.are("done 1, gone 1, waiting 3")
		if n := w.answer(2); n != 2 {
			t.Errorf("%d replies with a limit of two", n)
		}
		w.are("done 3, gone 1, waiting 1")
		if n := w.answer(5); n != 1 {
			t.Errorf("%d replies to the last", n)
		}
		for _, q := range asked {
			w.reply(q)
		}
	})
}

func TestFourAtOnceAnswerEachMentionOnce(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{said: meeting(t, 4), persona: func(c *Config) { c.Parallel = 4 }})
		asked := w.ask(14)
		w.poll()
		if n := w.answer(-1); n != len(asked) {
			t.Errorf("%d replies to %d mentions", n, len(asked))
		}
		for _, q := range asked {
			w.reply(q)
		}
		w.modelCalls(len(asked))
		if most := w.model.Stats().MostOpen; most != 4 {
			t.Errorf("the model was asked by %d at once, not 4", most)
		}
		w.are("done 14")
	})
}

func TestTroubleOfOneAmongFourLosesNothing(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{persona: func(c *Config) { c.Parallel = 4 }})
		w.model.Inject(llmsim.Fault{Kind: llmsim.ServerError, Times: llmsim.Always, Probability: 0.4},
			llmsim.Fault{Kind: llmsim.Refuses, Times: 3})
		w.sim.Inject(fedisim.Fail(502).On("GET", "/api/v1/statuses/*/context").Chance(0.2).Times(5))
		asked := w.ask(12)
		w.poll()
		for range 300 {
			if _, err := w.persona.Answer(t.Context(), w.account, -1); err == nil && len(w.waiting()) == 0 {
				break
			}
			w.clock.Advance(time.Minute)
		}
		for _, q := range asked {
			w.reply(q)
		}
		w.are("done 12")
	})
}

// TestTwoProcessesShareTheWaitingMentions has two processes with one database
// at work at the same time.
func TestTwoProcessesShareTheWaitingMentions(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		// Three at the model at once are more than one process has.
		w := newWorld(t, s, options{said: meeting(t, 3), persona: func(c *Config) { c.Parallel = 2 }})
		other := w.newHome(s, w.opt, w.bot)
		w.connect(other)
		asked := w.ask(20)
		w.poll()
		w.connect(other) // it is told of the same mentions
		first, second := w.inBackground(t.Context(), w.home), w.inBackground(t.Context(), other)
		a, b := <-first, <-second
		if a.err != nil || b.err != nil {
			t.Fatalf("errors: %v, %v", a.err, b.err)
		}
		if a.n+b.n != len(asked) || a.n == 0 || b.n == 0 {
			t.Errorf("%d and %d replies to %d mentions", a.n, b.n, len(asked))
		}
		for _, q := range asked {
			w.reply(q)
		}
		w.modelCalls(len(asked))
		w.are("done 20")
	})
}

func TestMentionIsTakenOverOnlyWhenItsLeaseHasEnded(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		said, open := door()
		defer open()
		w := newWorld(t, s, options{said: said})
		other := w.newHome(s, w.opt, w.bot)
		w.connect(other)
		q := w.ask(1)[0]
		w.poll()
		slow := w.inBackground(t.Context(), w.home)
		w.modelHas("the question", func(st llmsim.Stats) bool { return st.Open == 1 })

		if n, err := other.persona.Answer(t.Context(), w.account, -1); n != 0 || err != nil {
			t.Errorf("the other process: %d replies, %v, while the first is at it", n, err)
		}
		w.modelCalls(1)
		// The first is held up for longer than its lease (a suspended machine).
		w.clock.Advance(w.persona.Hold() + time.Second)
		taken := w.inBackground(t.Context(), other)
		w.modelHas("the question once more", func(st llmsim.Stats) bool { return st.Open == 2 })
		open()
		a, b := <-slow, <-taken
		if a.err != nil || b.err != nil || a.n+b.n != 1 || b.n != 1 {
			t.Errorf("the first made %d replies (%v), the other %d (%v)", a.n, a.err, b.n, b.err)
		}
		w.reply(q)
		w.modelCalls(2)
		w.are("done 1")
	})
}

func TestRecoverFreesWhatTheLastProcessHeld(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{})
		q := w.ask(1)[0]
		w.poll()
		if _, ok, err := w.persona.Pick(t.Context(), w.account); !ok || err != nil {
			t.Fatalf("picked %v: %v", ok, err)
		}
		// The process dies, and another starts.
		w.home = w.newHome(s, w.opt, w.bot)
		w.poll()
		w.account = w.home.fedi.Connected()[0]
		if err := w.persona.Recover(t.Context()); err != nil {
			t.Fatal(err)
		}
		if s.Dialect() == store.Postgres {
			// There others may be at work: its lease ends by itself.
			if n := w.answer(-1); n != 0 {
				t.Error("answered what another process may be at")
			}
			w.clock.Advance(w.persona.Hold())
		}
		if n := w.answer(-1); n != 1 {
			t.Errorf("%d replies", n)
		}
		w.reply(q)
	})
}

func TestStopPickingEndsWhatIsUnderWayAndBeginsNoMore(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		said, open := door()
		defer open()
		w := newWorld(t, s, options{said: said, persona: func(c *Config) { c.Parallel = 2 }})
		asked := w.ask(5)
		w.poll()
		done := w.inBackground(t.Context(), w.home)
		w.modelHas("two questions", func(st llmsim.Stats) bool { return st.Open == 2 })
		w.persona.StopPicking()
		open()
		if o := <-done; o.n != 2 || o.err != nil {
			t.Errorf("%d replies, error %v", o.n, o.err)
		}
		w.reply(asked[0])
		w.reply(asked[1])
		w.are("done 2, waiting 3")
		if n := w.answer(-1); n != 0 {
			t.Errorf("%d replies after it was told to stop", n)
		}
		for _, row := range w.waiting() {
			if row.leased || row.attempts != 0 {
				t.Errorf("a row that waits is %+v", row)
			}
		}
	})
}

// TestCutOffAnswerLeavesTheMentionFree cuts an answer off at each step that
// can take long.
func TestCutOffAnswerLeavesTheMentionFree(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		const thread = "/api/v1/statuses/*/context"
		for _, step := range []string{"the thread", "the model", "the post"} {
			w := newWorld(t, s, options{})
			switch step {
			case "the thread":
				w.sim.Inject(fedisim.Hang().On("GET", thread))
			case "the model":
				w.model.Inject(llmsim.Fault{Kind: llmsim.Hang})
			case "the post":
				w.sim.Inject(fedisim.Hang().Stored().On("POST", "/api/v1/statuses"))
			}
			q := w.ask(1)[0]
			w.poll()
			// Some queues have a cause of their own.
			ctx, cut := context.WithCancelCause(t.Context())
			done := w.inBackground(ctx, w.home)
			switch step {
			case "the thread":
				w.waitFor("the reading of the thread", func() bool { return w.lastFault() == "hang" })
			case "the model":
				w.modelHas("the question", func(st llmsim.Stats) bool { return st.Open == 1 })
			case "the post":
				w.waitFor("the post", func() bool { return len(w.replies(q)) == 1 })
			}
			cut(errors.New("the program stops"))
			o := <-done
			if step == "the post" {
				w.are("answering 1")
				w.sweep()
			} else {
				if o.err == nil || o.n != 0 {
					t.Errorf("cut off at %s: %d replies, error %v", step, o.n, o.err)
				}
				if row := w.waiting()[0]; row.leased || row.attempts != 0 || row.next.UnixMilli() != 0 {
					t.Errorf("cut off at %s: the row is %+v, not free", step, row)
				}
				if n := w.answer(-1); n != 1 {
					t.Errorf("cut off at %s: %d replies by the next", step, n)
				}
			}
			w.reply(q)
			w.are("done 1")
		}
	})
}

// lastFault is the fault that the newest request met.
func (w *world) lastFault() string {
	all := w.sim.Requests()
	if len(all) == 0 {
		return ""
	}
	return all[len(all)-1].Fault
}

func TestTwoAccountsOfOneProcessEachAnswerTheirOwnMentions(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{})
		owl := w.sim.AddAccount("owl", fedisim.Bot())
		o := w.opt
		o.all = true
		w.home = w.newHome(s, o, w.bot, owl)
		w.poll()
		both := w.ada.Post("@elelem @owl who of you is older?")
		w.poll()
		for _, account := range w.fedi.Connected() {
			w.account = account
			if n := w.answer(-1); n != 1 {
				t.Errorf("%s made %d replies", account, n)
			}
			w.are("done 1")
		}
		by := map[string]int{}
		for _, r := range w.sim.Replies(both.ID) {
			by[r.Acct]++
			if len(r.Mentions) != 1 || r.Mentions[0] != "ada" {
				t.Errorf("%s mentions %v", r.Acct, r.Mentions)
			}
		}
		if by["elelem"] != 1 || by["owl"] != 1 {
			t.Errorf("replies: %v", by)
		}
		// Neither answers the other's reply, which its server may well tell it of.
		w.poll()
		for _, account := range w.fedi.Connected() {
			w.account = account
			if n := w.answer(-1); n != 0 {
				t.Errorf("%s answered the other account", account)
			}
		}
	})
}

func TestAnsweredMentionIsDismissed(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{})
		w.ask(1)
		note := w.sim.Notifications(w.bot.ID)[0].ID
		w.round()
		w.fedi.Dismiss(t.Context())
		if got := w.sim.Dismissed(w.bot.ID); len(got) != 1 || got[0] != note {
			t.Errorf("dismissed: %v, not %s", got, note)
		}
	})
}

// TestProcessesOnTheirOwnConnections is the sharing again, with nothing in
// common but the database server.
func TestProcessesOnTheirOwnConnections(t *testing.T) {
	t.Parallel()
	c := storetest.Config(t, store.Postgres)
	open := func() *store.Store { return storetest.Open(t, c, tables()...) }
	w := newWorld(t, open(), options{persona: func(c *Config) { c.Parallel = 4 }, said: meeting(t, 9)})
	homes := []home{w.home}
	for range 2 {
		h := w.newHome(open(), w.opt, w.bot)
		w.connect(h)
		homes = append(homes, h)
	}
	asked := w.ask(60)
	w.poll()
	var running []<-chan outcome
	for _, h := range homes {
		running = append(running, w.inBackground(t.Context(), h))
	}
	total := 0
	for _, done := range running {
		o := <-done
		if o.err != nil {
			t.Error(o.err)
		}
		total += o.n
	}
	if total != len(asked) {
		t.Errorf("%d replies to %d mentions", total, len(asked))
	}
	for _, q := range asked {
		w.reply(q)
	}
	w.modelCalls(len(asked))
}
