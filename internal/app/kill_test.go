package app_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"rookery/internal/app/apptest"
	"rookery/internal/failpoint"
	"rookery/internal/sim/fedisim"
	"rookery/internal/sim/llmsim"
	"rookery/internal/store"
	"rookery/internal/store/storetest"
)

// TestKilledAtEachStepAnswersOnce kills the real program at every numbered
// step of a mention's way; its successor must leave exactly one reply.
func TestKilledAtEachStepAnswersOnce(t *testing.T) {
	t.Parallel()
	binary := apptest.Build(t, "failpoint")
	storetest.EachConfig(t, func(t *testing.T, c store.Config) {
		w := apptest.New(t, binary, c, fedisim.Options{})
		ada := w.Fedi.AddAccount("ada")
		// The first start begins at "now"; it must have begun before the mentions.
		first := ada.Post("@elelem hello, are you new here?")
		w.Configure(`first_run = "backlog"`)
		p := w.Start([]string{"run"})
		w.WaitFor("the first reply", func(*fedisim.Server) bool { return w.Answered(first.ID) })
		if code := p.Stop(); code != 0 {
			t.Fatalf("exit code %d", code)
		}
		asked := []fedisim.Post{first}
		for _, step := range failpoint.Steps {
			q := ada.Post("@elelem what happens at step " + step + "?")
			asked = append(asked, q)
			p := w.Start([]string{"run"}, "ROOKERY_FAILPOINT="+step)
			if code := p.Wait(); code != -1 {
				t.Fatalf("step %s: the program ended with %d and was not killed", step, code)
			}
			if step != failpoint.Steps[3] { // there the hold is waited for: it ends by itself
				w.EndHolds()
			}
			p = w.Start([]string{"run"})
			barrier := ada.Post("@elelem and after " + step + "?")
			asked = append(asked, barrier)
			w.WaitFor("the replies after "+step, func(*fedisim.Server) bool {
				return w.Answered(q.ID) && w.Answered(barrier.ID)
			})
			if code := p.Stop(); code != 0 {
				t.Fatalf("step %s: exit code %d", step, code)
			}
		}
		finish(t, w)
		for _, q := range asked {
			exactlyOne(t, w, q)
		}
	})
}

// TestKilledThirtyTimesInARowStillAnswers guards against a job that counts
// kills as failed attempts and is given up after 25.
func TestKilledThirtyTimesInARowStillAnswers(t *testing.T) {
	t.Parallel()
	binary := apptest.Build(t, "failpoint")
	w := apptest.New(t, binary, storetest.Config(t, store.SQLite), fedisim.Options{})
	w.Configure(`first_run = "backlog"`)
	ask := w.Fedi.AddAccount("ada").Post("@elelem are you still there?")
	for range 30 {
		if code := w.Start([]string{"run"}, "ROOKERY_FAILPOINT=3-picked").Wait(); code != -1 {
			t.Fatalf("the program ended with %d and was not killed", code)
		}
	}
	p := w.Start([]string{"run"})
	w.WaitFor("the reply", func(*fedisim.Server) bool { return w.Answered(ask.ID) })
	p.Stop()
	exactlyOne(t, w, ask)
}

// TestKilledAtRandomUnderLoadAnswersOnce kills the real program 200 times at
// random moments, with mentions coming in and everything that can go wrong on
// the wire going wrong.
func TestKilledAtRandomUnderLoadAnswersOnce(t *testing.T) {
	t.Parallel()
	kills := 200
	if testing.Short() {
		kills = 20
	}
	binary := apptest.Build(t, "")
	storetest.EachConfig(t, func(t *testing.T, c store.Config) {
		w := apptest.New(t, binary, c, fedisim.Options{Seed: 7})
		w.Poll = "10ms"
		w.Configure(`first_run = "backlog"`)
		rng := rand.New(rand.NewPCG(1, 2))
		people := []*fedisim.Account{w.Fedi.AddAccount("ada"), w.Fedi.AddRemote("ben@other.example"), w.Fedi.AddAccount("cleo")}
		faults(w)
		var asked []fedisim.Post
		for n := range kills {
			for range 1 + rng.IntN(2) {
				who := people[rng.IntN(len(people))]
				var opts []fedisim.PostOption
				if rng.IntN(4) == 0 {
					opts = append(opts, fedisim.As("direct"))
				}
				if len(asked) > 0 && rng.IntN(3) == 0 {
					opts = append(opts, fedisim.ReplyTo(asked[rng.IntN(len(asked))].ID))
				}
				asked = append(asked, who.Post(fmt.Sprintf("@elelem@%s question %d, please", w.Fedi.Domain(), len(asked)), opts...))
			}
			p := w.Start([]string{"run"})
			until := w.Fedi.RequestCount() + 1 + rng.IntN(25)
			w.WaitFor(fmt.Sprintf("request %d before kill %d", until, n), func(s *fedisim.Server) bool { return s.RequestCount() >= until })
			p.Kill()
		}
		w.Fedi.ClearFaults()
		w.Model.ClearFaults()
		p := w.Start([]string{"run"})
		w.WaitFor("a reply to every mention", func(*fedisim.Server) bool {
			for _, q := range asked {
				if !w.Answered(q.ID) {
					return false
				}
			}
			return true
		})
		if code := p.Stop(); code != 0 {
			t.Fatalf("exit code %d", code)
		}
		finish(t, w)
		for _, q := range asked {
			exactlyOne(t, w, q)
		}
		t.Logf("%d kills, %d mentions, %d requests, %d model calls", kills, len(asked), w.Fedi.RequestCount(), w.Model.Count())
	})
}

// faults makes everything go wrong now and then.
func faults(w *apptest.World) {
	const posts = "/api/v1/statuses"
	for _, f := range []fedisim.Fault{
		fedisim.Fail(500).Stored().On("POST", posts).Chance(0.06),
		fedisim.Reset().Stored().On("POST", posts).Chance(0.06),
		fedisim.Late(300*time.Millisecond, true).On("POST", posts).Chance(0.06),
		fedisim.Late(300*time.Millisecond, false).On("POST", posts).Chance(0.02),
		fedisim.Truncated().On("POST", posts).Chance(0.03),
		fedisim.WebPage(200).Stored().On("POST", posts).Chance(0.03),
		fedisim.Fail(500).On("POST", posts).Chance(0.04),
		fedisim.Fail(502).On("POST", posts).Chance(0.03),
		fedisim.TooMany(fedisim.ResetISO, time.Second).On("POST", posts).Chance(0.03),
		fedisim.Fail(500).On("GET", posts).Chance(0.04),
		fedisim.Reset().On("GET", posts).Chance(0.03),
		fedisim.Fail(503).On("GET", "/api/v1/notifications").Chance(0.01),
		fedisim.WebPage(200).On("GET", "/api/v1/notifications").Chance(0.01),
		fedisim.Torn().On("GET", "/api/v1/notifications").Chance(0.01),
		fedisim.Fail(500).On("GET", "/api/v1/accounts").Chance(0.04),
	} {
		w.Fedi.Inject(f.Always())
	}
	for _, kind := range []llmsim.Kind{llmsim.ServerError, llmsim.Reset, llmsim.HTMLPage, llmsim.Truncated} {
		w.Model.Inject(llmsim.Fault{Kind: kind, Times: llmsim.Always, Probability: 0.03})
	}
}

// finish lets the program run until nothing waits in its database any more.
func finish(t *testing.T, w *apptest.World) {
	t.Helper()
	for range 20 {
		if w.Unfinished() == 0 {
			return
		}
		// A pass that sees a new mention answered has swept what was due.
		ask := w.Fedi.AddAccount(fmt.Sprint("waiter", w.Fedi.RequestCount())).Post("@elelem are you done?")
		p := w.Start([]string{"run"})
		w.WaitFor("a last reply", func(*fedisim.Server) bool { return w.Answered(ask.ID) })
		if code := p.Stop(); code != 0 {
			t.Fatalf("exit code %d", code)
		}
	}
	t.Errorf("%d rows are still unfinished", w.Unfinished())
}

func exactlyOne(t *testing.T, w *apptest.World, q fedisim.Post) {
	t.Helper()
	replies := w.Replies(q.ID)
	if len(replies) != 1 {
		t.Errorf("%q has %d replies", q.Text, len(replies))
		return
	}
	r := replies[0]
	if want := map[string]string{"public": "unlisted", "direct": "direct"}[q.Visibility]; r.Visibility != want {
		t.Errorf("the reply to a %s post is %s", q.Visibility, r.Visibility)
	}
	if !strings.HasPrefix(r.Text, "@"+q.Acct+" ") || len(r.Mentions) != 1 {
		t.Errorf("the reply %q mentions %v", r.Text, r.Mentions)
	}
}
