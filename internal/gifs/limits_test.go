package gifs

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"rookery/internal/inbox"
	"rookery/internal/jobs"
	"rookery/internal/outbox"
	"rookery/internal/sim/boorusim"
	"rookery/internal/sim/fedisim"
	"rookery/internal/store"
)

// many is a board with n pictures of cats.
func many(n int) (all []boorusim.Image) {
	for i := range n {
		all = append(all, picture([]string{"cat", fmt.Sprint("t", i)}))
	}
	return all
}

// ⚠ A second request within the pause is kept, and answered after it; others
// are not held up.
func TestSecondRequestWaitsForThePause(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{gifs: func(c *Config) { c.Cooldown = 20 * time.Second }}, many(4)...)
		first, second := w.ask("cat"), w.ask("cat")
		other := w.sim.AddAccount("ben").Post("@rook cat")
		if n := w.round(); n != 2 {
			t.Errorf("%d answered at once", n)
		}
		w.reply(first)
		w.reply(other)
		w.are("done 2, waiting 1")
		w.clock.Advance(19 * time.Second)
		if n := w.round(); n != 0 {
			t.Error("answered within the pause")
		}
		w.clock.Advance(2 * time.Second)
		if n := w.round(); n != 1 {
			t.Error("not answered after the pause")
		}
		w.reply(second)
		if n := w.count(`select count(*) from turns_waiting`); n != 0 {
			t.Errorf("%d wait", n)
		}
	})
}

// ⚠ Two workers do not get around the pause: of two requests of a member, one
// is worked.
func TestPauseHoldsForTwoWorkers(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{gifs: func(c *Config) { c.Cooldown, c.Parallel = 20*time.Second, 2 }}, many(4)...)
		hold := w.sim.Inject(fedisim.Hold().On("POST", "/api/v2/media"))
		w.ask("cat")
		w.ask("cat")
		w.poll()
		done := make(chan error, 1)
		go func() {
			_, err := w.gifs.Answer(t.Context(), w.account, -1)
			done <- err
		}()
		// The other worker has come to its end with the second request when
		// nothing is free any more.
		w.until("the second request was put back", func() bool {
			return hold.Hits() == 1 && w.count(`select count(*) from turns_waiting where next_at > 0`) == 1
		})
		hold.Release()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if n := len(w.sim.PostsBy(w.bot.ID)); n != 1 {
			t.Errorf("%d pictures at once", n)
		}
		w.clock.Advance(time.Minute)
		if n := w.round(); n != 1 {
			t.Errorf("%d answered after the pause", n)
		}
	})
}

// A clock that ran ahead does not make a member wait for years.
func TestPauseFromTheFutureCounts(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{gifs: func(c *Config) { c.Cooldown = time.Minute }}, many(4)...)
		w.clock.Advance(3 * time.Hour)
		w.ask("cat")
		w.round()
		w.clock.Advance(-2 * time.Hour)
		second := w.ask("cat")
		w.round()
		w.reply(second)
	})
}

// All members together get no more pictures than the common bucket holds; who
// has to wait is answered later.
func TestCommonBucket(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{gifs: func(c *Config) { c.Rate, c.Burst = 0.1, 3 }}, many(12)...)
		var asked []fedisim.Post
		for n := range 8 {
			asked = append(asked, w.sim.AddAccount(fmt.Sprint("m", n)).Post("@rook cat"))
		}
		w.poll()
		n, err := w.gifs.Answer(t.Context(), w.account, -1)
		over, ok := errors.AsType[*overRate](err)
		if n != 3 || !ok || over.next.Sub(w.clock.Now()) != 10*time.Second {
			t.Fatalf("%d answered, %v", n, err)
		}
		for want := 4; want <= 8; want++ {
			w.clock.Advance(10 * time.Second)
			if n, _ := w.gifs.Answer(t.Context(), w.account, -1); n != 1 {
				t.Errorf("%d more answered after ten seconds", n)
			}
		}
		for _, q := range asked {
			w.medium(w.reply(q))
		}
		// Nobody's failure was counted.
		if n := w.count(`select count(*) from turns_waiting`); n != 0 {
			t.Errorf("%d wait", n)
		}
	})
}

// With a low rate the jobs go on at that rate: that others come first is no
// trouble, after which they would pause for longer and longer.
func TestJobsKeepToALowRate(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		if err := s.Migrate(t.Context(), jobs.Migrations()); err != nil {
			t.Fatal(err)
		}
		w := newWorld(t, s, options{gifs: func(c *Config) { c.Rate, c.Burst = 0.1, 1 }}, many(40)...)
		q := jobs.New(jobs.Config{Store: s, Clock: w.clock, Log: w.gifs.Log, Workers: map[string]int{QueueName: 1, outbox.QueueName: 1}})
		w.gifs.Work(q)
		var asked []fedisim.Post
		for n := range 8 {
			asked = append(asked, w.sim.AddAccount(fmt.Sprint("m", n)).Post("@rook cat"))
		}
		w.poll()
		if err := q.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := q.Stop(t.Context()); err != nil {
				t.Error(err)
			}
		}()
		w.until("all are answered", func() bool {
			w.clock.Advance(time.Second)
			return len(w.sim.PostsBy(w.bot.ID)) == len(asked)
		})
		for _, q := range asked {
			w.medium(w.reply(q))
		}
		if strings.Contains(w.log.String(), "answering pauses") {
			t.Error("a round has paused, as after trouble")
		}
	})
}

// ⚠ A request beyond what may wait ends at once, and its asker is told so:
// once, and directly. The others of the member, and of others, are answered.
func TestRequestsOverTheQueueAreTold(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		var seen []string
		w := newWorld(t, s, options{gifs: func(c *Config) {
			c.Queue = 3
			c.Observe = func(o string) { seen = append(seen, o) }
		}}, many(12)...)
		w.ada = w.sim.AddAccount("bea", fedisim.Named("Bea"))
		var asked []fedisim.Post
		for range 6 {
			asked = append(asked, w.ask("cat", fedisim.CW(strings.Repeat("many cats ", 60))))
		}
		other := w.sim.AddAccount("ben").Post("@rook cat")
		w.poll()
		w.are("declined 3, waiting 4")
		w.sweep()
		w.round()
		for _, q := range asked[:3] {
			w.medium(w.reply(q))
		}
		w.medium(w.reply(other))
		var told []fedisim.Post
		for _, q := range asked[3:] {
			told = append(told, w.replies(q)...)
		}
		if len(told) != 1 || told[0].Visibility != "direct" || len(told[0].Media) != 0 || told[0].Mentions[0] != "bea" {
			t.Fatalf("%d notices: %+v", len(told), told)
		}
		contains(t, told[0].Text, "@bea 3 requests of yours are waiting already")
		if over := slices.DeleteFunc(seen, func(o string) bool { return o != OutcomeOver }); len(over) != 3 {
			t.Errorf("seen: %q", seen)
		}
		// An hour later there is another notice.
		w.clock.Advance(time.Hour)
		for range 4 {
			asked = append(asked, w.ask("cat"))
		}
		w.round()
		if r := w.reply(asked[9]); r.Visibility != "direct" {
			t.Errorf("%+v", r)
		}
	})
}

// Whoever asks five things gets no picture more than who asks one, until
// everybody has one.
func TestFairAmongMembers(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{}, many(12)...)
		var greedy []fedisim.Post
		for range 5 {
			greedy = append(greedy, w.ask("cat"))
		}
		var modest []fedisim.Post
		for _, name := range []string{"ben", "cleo", "dan"} {
			modest = append(modest, w.sim.AddAccount(name).Post("@rook cat"))
		}
		w.poll()
		if n, err := w.gifs.Answer(t.Context(), w.account, 4); n != 4 || err != nil {
			t.Fatal(n, err)
		}
		for _, q := range append(modest, greedy[0]) {
			w.reply(q)
		}
		w.are("done 4, waiting 4")
	})
}

// Who waits long is told once that the request is kept, and gets the picture
// later: the notice is no answer.
func TestWhoWaitsLongIsToldOnce(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{gifs: func(c *Config) { c.NoticeAfter = 2 * time.Minute }}, many(4)...)
		w.board.Inject(boorusim.Fault{Kind: boorusim.BadGateway, Times: boorusim.Always})
		q := w.ask("cat")
		for range 5 {
			w.poll()
			_, _ = w.gifs.Answer(t.Context(), w.account, -1)
			w.sweep()
			if len(w.replies(q)) > 0 && w.clock.Now().Sub(q.CreatedAt) < 2*time.Minute {
				t.Error("told too soon")
			}
			w.clock.Advance(70 * time.Second)
		}
		r := w.reply(q)
		contains(t, r.Text, "Your picture takes longer than usual.")
		if r.Visibility != "direct" || len(r.Media) != 0 {
			t.Errorf("%+v", r)
		}
		w.board.ClearFaults()
		w.clock.Advance(20 * time.Minute)
		w.rounds(3)
		all := w.replies(q)
		if len(all) != 2 {
			t.Fatalf("%d replies", len(all))
		}
		w.medium(all[1])
		w.are("done 1")
	})
}

// ⚠ A notice that was posted, but whose answer was lost, is not taken for the
// answer: the picture still comes.
func TestNoticeWhoseAnswerWasLost(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{gifs: func(c *Config) { c.NoticeAfter = 2 * time.Minute }}, many(4)...)
		q := w.ask("cat")
		w.poll()
		for range 2 {
			w.board.Inject(boorusim.Fault{Kind: boorusim.BadGateway})
			_, _ = w.gifs.Answer(t.Context(), w.account, -1)
			w.clock.Advance(3 * time.Minute)
		}
		w.clock.Advance(-150 * time.Second)
		w.sim.Inject(fedisim.Reset().Stored().On("POST", postPath))
		w.sweep()
		if _, err := w.gifs.Answer(t.Context(), w.account, -1); err != nil {
			t.Fatal(err)
		}
		if len(w.replies(q)) != 1 {
			t.Fatal("there is no notice")
		}
		w.are("waiting 1")
		w.clock.Advance(2 * time.Minute)
		w.rounds(3)
		all := w.replies(q)
		if len(all) != 2 {
			t.Fatalf("%d replies", len(all))
		}
		w.medium(all[1])
		w.are("done 1")
	})
}

// No picture is shown twice within the window; when all were, that is said.
func TestNoRepeats(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{gifs: func(c *Config) { c.Parallel = 2 }}, many(5)...)
		seen := map[string]bool{}
		for range 5 {
			q := w.ask("cat")
			w.round()
			r := w.reply(q)
			seen[r.Text] = true
			w.medium(r)
		}
		if len(seen) != 5 {
			t.Errorf("%d different pictures of 5", len(seen))
		}
		q := w.ask("cat")
		w.round()
		contains(t, w.reply(q).Text, "All the pictures I found for “cat” were shown here a short while ago.")
		q = w.ask("random")
		w.round()
		contains(t, w.reply(q).Text, "I looked for any animated picture and found none.")
		w.clock.Advance(2 * time.Hour)
		q = w.ask("cat")
		w.round()
		w.medium(w.reply(q))
	})
}

// ⚠ Sixty requests of twelve members under the limits that are set if nothing
// else is: each has its picture, or its asker was told.
func TestManyRequestsLoseNone(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{gifs: func(c *Config) {
			c.Cooldown, c.Rate, c.Burst, c.Queue, c.Parallel, c.NoticeAfter = 20*time.Second, 1, 3, 5, 2, 2*time.Minute
		}}, many(80)...)
		var who []*fedisim.Account
		for n := range 12 {
			who = append(who, w.sim.AddAccount(fmt.Sprint("m", n)))
		}
		var asked []fedisim.Post
		for n := range 60 {
			// Two of them ask for half of all.
			a := who[n%12]
			if n%2 == 0 {
				a = who[n/2%2]
			}
			asked = append(asked, a.Post("@rook cat"))
		}
		for range 400 {
			w.poll()
			done := make(chan error, 1)
			go func() {
				_, err := w.gifs.Answer(t.Context(), w.account, -1)
				done <- err
			}()
			var err error
			for over := false; !over; {
				select {
				case err = <-done:
					over = true
				case <-time.After(5 * time.Millisecond): // whoever waits for the bucket does so by the clock
					w.clock.Advance(500 * time.Millisecond)
				}
			}
			if _, ok := errors.AsType[*overRate](err); err != nil && !ok {
				t.Fatal(err)
			}
			w.sweep()
			if w.count(`select count(*) from inbox_mention where state in ('waiting', 'answering')`) == 0 {
				break
			}
			w.clock.Advance(10 * time.Second)
		}
		pictures := 0
		for _, q := range asked {
			var state string
			if err := s.QueryRow(t.Context(), `select state from inbox_mention where post_id = $1`, q.ID).Scan(&state); err != nil {
				t.Fatal(err)
			}
			with := 0
			for _, r := range w.replies(q) {
				with += len(r.Media)
			}
			pictures += with
			switch {
			case state == string(inbox.Done) && with == 1:
			case state == string(inbox.Declined) && with == 0 && w.wasTold(q.Acct):
			default:
				t.Errorf("a request of %s is %s with %d pictures", q.Acct, state, with)
			}
		}
		// The two who asked for half of all may be told; nobody else asked for
		// more than is kept.
		if pictures < 60-2*13 {
			t.Errorf("%d pictures", pictures)
		}
	})
}

// wasTold tells whether a member has got a notice.
func (w *world) wasTold(acct string) bool {
	return slices.ContainsFunc(w.sim.PostsBy(w.bot.ID), func(p fedisim.Post) bool {
		return p.Visibility == "direct" && slices.Contains(p.Mentions, acct)
	})
}
