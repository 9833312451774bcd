package gallery

import (
	"context"
	"testing"
	"time"

	"rookery/internal/jobs"
	"rookery/internal/sim/discordsim"
	"rookery/internal/sim/fedisim"
	"rookery/internal/sim/llmsim"
	"rookery/internal/store"
	"rookery/internal/store/storetest"
)

// The jobs do all of it by themselves: a yes wakes the account, trouble has it
// looked at again, and who asks for drafts gets them.
func TestTheJobsPost(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{model: says("A drawn owl.")})
		q := jobs.New(jobs.Config{Store: s, Clock: w.clock, Workers: map[string]int{QueueName: 2}})
		w.g.Work(q)
		w.must(q.Start(t.Context()))
		t.Cleanup(func() { _ = q.Stop(context.WithoutCancel(t.Context())) })

		id, thread := w.begin(w.ada, "an owl", plain(1))
		panel := w.press(w.ada, thread, verbDescribe)
		in, err := w.discord.PressButton(w.ada, panel.Message.ID, draftButton(t, *panel.Message))
		w.must(err)
		_, err = in.Wait(w.patience())
		w.must(err)
		stop := w.clock.Run() // what waits a little goes on
		w.until("the draft is written", func() bool { return w.sub(id).Media[0].Draft != "" && w.sub(id).Drafting == nil })
		stop()

		w.sweep()
		w.fedi.Inject(fedisim.Fail(503).On("POST", "/api/v2/media"))
		w.agree(w.ada, id, thread)
		defer w.clock.Run()()
		w.until("it is posted", func() bool { return w.sub(id).State == Posted && w.sub(id).PostURL != "" })
		if n := len(w.all()); n != 1 {
			t.Errorf("%d posts", n)
		}
		w.until("nothing is held any more", func() bool { return w.count(`select count(*) from gallery_worker where holder <> ''`) == 0 })
	}, append(tables(), jobs.Migrations())...)
}

// While Discord is in trouble nothing is posted, and nothing is lost; a message
// that alone cannot be read lets the others pass.
func TestDiscordInTrouble(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{})
		read := "/channels/*/messages/*"
		first, thread := w.share("the first", picture(1))
		second, _ := w.share("the second", picture(2))
		w.discord.Inject(discordsim.FailPage(502).On("GET", read).Always())
		for range 3 {
			stop := w.clock.Run() // the platform asks again by itself, after a while
			at := w.work()
			stop()
			if at.IsZero() {
				t.Fatal("nothing is put off")
			}
			w.clock.Advance(2 * time.Minute)
		}
		w.silent()
		contains(t, w.offer(thread).Content, "Discord does not answer just now")
		w.discord.ClearFaults()
		w.discord.Inject(discordsim.Refuse(50001).On("GET", "/channels/"+thread+"/messages/*").Always())
		w.posted(second)
		if st := w.sub(first).State; st != Accepted {
			t.Errorf("it is %s", st)
		}
		w.discord.ClearFaults()
		w.posted(first)
	})
}

// Two processes on one database keep out of each other's way, and one that died
// keeps nobody out for ever.
func TestOneProcessAtATime(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{model: func(llmsim.Request) llmsim.Answer { return llmsim.Answer{} }})
		dead, other := w.worker, w.g.newWorker()
		take := func(x *worker) bool {
			ok, err := x.hold(t.Context(), w.account)
			w.must(err)
			return ok
		}
		for range 2 {
			if !take(dead) {
				t.Fatal("what is free, or one's own, cannot be held")
			}
		}
		if got, want := take(other), s.Dialect() == store.SQLite; got != want {
			t.Errorf("another process has it: %v", got)
		}
		w.clock.Advance(holdFor + time.Second)
		if !take(other) {
			t.Error("a process that died keeps others out")
		}
		w.must(other.letGo(t.Context(), w.account))
		if !take(dead) {
			t.Error("what was let go is held")
		}
	})
}
