package gifs

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"rookery/internal/booru"
	"rookery/internal/community"
	"rookery/internal/fedi"
	"rookery/internal/inbox"
	"rookery/internal/sim/boorusim"
	"rookery/internal/sim/fedisim"
	"rookery/internal/store"
)

const (
	uploadPath = "/api/v2/media"
	postPath   = "/api/v1/statuses"
	mediaPaths = "/api/v1/media/"
)

// frozen answers in a process that gets stuck on the way, and starts another
// in its place, which finishes what the first has begun. The first wakes up at
// the end of the test, and finds that nothing is its own any more. stuck tells
// that it is.
func (w *world) frozen(stuck func() bool) {
	w.Helper()
	w.poll()
	first, account := w.gifs, w.account
	ctx, cancel := context.WithCancel(w.Context())
	var wg sync.WaitGroup
	wg.Go(func() { _, _ = first.Answer(ctx, account, -1) })
	w.Cleanup(func() {
		cancel()
		wg.Wait()
	})
	w.until("the first process is stuck", stuck)
	w.restart()
}

// uploads are how many files the server has.
func (w *world) uploads() int { return len(w.sim.Uploads()) }

// chosen is the address of the picture that was chosen for the only request.
func (w *world) chosenPage() string {
	w.Helper()
	var body string
	if err := w.store.QueryRow(w.Context(), `select picture from gifs_choice`).Scan(&body); err != nil {
		w.Fatal(err)
	}
	var im booru.Image
	if err := json.Unmarshal([]byte(body), &im); err != nil {
		w.Fatal(err)
	}
	return im.Page
}

// settled fails unless the request has one reply with one picture, this one if
// it is given, and nothing is left of the work on it.
func (w *world) settled(q fedisim.Post, page string) {
	w.Helper()
	r := w.reply(q)
	w.medium(r)
	if !strings.HasSuffix(r.Text, page) {
		w.Errorf("%q shows another picture than %s", r.Text, page)
	}
	w.are("done 1")
	for _, table := range []string{"gifs_choice", "turns_waiting", "fedi_media"} {
		if n := w.count("select count(*) from " + table); n != 0 {
			w.Errorf("%d rows are left in %s", n, table)
		}
	}
}

// ⚠ A process that dies after it has chosen: the next shows the same picture.
func TestDeathAfterTheChoice(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{}, many(12)...)
		w.board.Inject(boorusim.Fault{Kind: boorusim.Hang, Files: true})
		q := w.ask("cat")
		w.frozen(func() bool { return len(w.board.Files()) == 1 })
		page := w.chosenPage()
		w.rounds(2)
		w.settled(q, page)
		if n := len(w.board.Searches()); n != 1 || w.uploads() != 1 {
			t.Errorf("%d searches, %d uploads", n, w.uploads())
		}
	})
}

// ⚠ A process that dies after the upload: the next goes on with what was
// uploaded.
func TestDeathAfterTheUpload(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{}, many(12)...)
		w.sim.Processing(1)
		stuck := w.sim.Inject(fedisim.Hang().On("GET", mediaPaths))
		q := w.ask("cat")
		w.frozen(func() bool {
			w.clock.Advance(time.Second) // until the server is asked whether the file is ready
			return stuck.Hits() == 1
		})
		page := w.chosenPage()
		defer w.clock.Run()()
		w.rounds(2)
		w.settled(q, page)
		if w.uploads() != 1 {
			t.Errorf("%d uploads", w.uploads())
		}
	})
}

// ⚠ A process that dies while its post is on the way: one reply, with the same
// picture, whether the server has stored it or not.
func TestDeathAtThePost(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		for name, fault := range map[string]fedisim.Fault{"stored": fedisim.Hang().Stored(), "not stored": fedisim.Hang()} {
			t.Run(name, func(t *testing.T) {
				w := newWorld(t, emptied(t, s), options{}, many(12)...)
				stuck := w.sim.Inject(fault.On("POST", postPath))
				q := w.ask("cat")
				w.frozen(func() bool { return stuck.Hits() == 1 && (name != "stored" || len(w.replies(q)) == 1) })
				page := w.chosenPage()
				w.clock.Advance(2 * time.Minute)
				w.rounds(3)
				w.settled(q, page)
				if w.uploads() != 1 {
					t.Errorf("%d uploads", w.uploads())
				}
			})
		}
	})
}

// ⚠ A post whose answer was lost is not made again; one that never arrived is.
func TestLostAnswerOfThePost(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{}, many(12)...)
		for n, fault := range []fedisim.Fault{
			fedisim.Reset().Stored(), fedisim.Reset(), fedisim.Fail(500).Stored(), fedisim.Fail(500),
			fedisim.Fail(502).Stored(), fedisim.Torn(), fedisim.TooMany(fedisim.RetrySeconds, time.Minute),
		} {
			w.sim.Inject(fault.On("POST", postPath))
			q := w.ask("cat")
			w.rounds(6)
			if r := w.reply(q); len(r.Media) != 1 || w.uploads() != n+1 {
				t.Errorf("fault %d: %d media, %d uploads", n, len(r.Media), w.uploads())
			}
			w.are(fmt.Sprint("done ", n+1))
		}
	})
}

// ⚠ An upload whose answer was lost is made again; what is posted has one
// picture all the same, and the one that was chosen.
func TestLostAnswerOfTheUpload(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{}, many(12)...)
		for n, fault := range []fedisim.Fault{
			fedisim.Reset().Stored(), fedisim.Fail(500), fedisim.Unavailable(time.Minute), fedisim.WebPage(200), fedisim.Torn(),
			fedisim.TooMany(fedisim.RetrySeconds, time.Minute),
		} {
			w.sim.Inject(fault.On("POST", uploadPath))
			q := w.ask("cat")
			w.poll()
			if _, err := w.gifs.Answer(t.Context(), w.account, -1); err == nil {
				t.Errorf("fault %d: no trouble", n)
			}
			page := w.chosenPage()
			w.rounds(6)
			if r := w.reply(q); len(r.Media) != 1 || !strings.HasSuffix(r.Text, page) {
				t.Errorf("fault %d: %d media, %q, not %s", n, len(r.Media), r.Text, page)
			}
		}
	})
}

// throwAway deletes every upload that no post has attached, as a server does
// after a day.
func (w *world) throwAway() {
	w.Helper()
	for _, m := range w.sim.Uploads() {
		req, err := http.NewRequestWithContext(w.Context(), http.MethodDelete, w.sim.URL()+mediaPaths+m.ID, nil)
		if err != nil {
			w.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+w.bot.Token)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			w.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK && !m.Deleted {
			w.Fatalf("deleting %s: %s", m.ID, resp.Status)
		}
	}
	http.DefaultClient.CloseIdleConnections()
}

// ⚠ A picture that the server has lost before it could be posted (it was down
// for a day) is sent again, and it is the same.
func TestPictureLostAtTheServerIsSentAgain(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{}, many(12)...)
		w.sim.Inject(fedisim.Fail(502).On("POST", postPath))
		q := w.ask("cat")
		w.poll()
		_, _ = w.gifs.Answer(t.Context(), w.account, -1)
		page := w.chosenPage()
		w.throwAway()
		w.rounds(6)
		w.settled(q, page)
		if w.uploads() != 2 {
			t.Errorf("%d uploads", w.uploads())
		}
		contains(t, w.log.String(), "the server has lost a picture before it was posted")
	})
}

// A server that loses every picture is not sent one for ever.
func TestServerThatLosesEveryPicture(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		var refused []string
		w := newWorld(t, s, options{gifs: func(c *Config) {
			c.Refused = func(_ context.Context, _ store.Tx, _ community.AccountID, reason string) error {
				refused = append(refused, reason)
				return nil
			}
		}}, many(12)...)
		w.sim.Inject(fedisim.First(w.throwAway).On("POST", postPath).Always())
		w.ask("cat")
		w.rounds(30)
		w.are("failed 1")
		if w.uploads() < 3 || w.uploads() > 4 || len(refused) != 1 {
			t.Errorf("%d uploads, the operator hears %q", w.uploads(), refused)
		}
		w.silent()
		if n := w.count(`select count(*) from gifs_choice`); n != 0 {
			t.Errorf("%d choices are left", n)
		}
	})
}

// ⚠ A request that began anew and can then be sent in no form still gets its
// answer: a link.
func TestLostAndThenRefused(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{}, many(12)...)
		w.sim.Inject(fedisim.Fail(502).On("POST", postPath))
		q := w.ask("cat")
		w.poll()
		_, _ = w.gifs.Answer(t.Context(), w.account, -1)
		w.throwAway()
		w.sim.Inject(fedisim.Fail(422).On("POST", uploadPath).Always())
		w.rounds(6)
		contains(t, w.reply(q).Text, "I found one, but this server takes it in no form I can make.")
		w.are("done 1")
	})
}

// A server that says when it is asked to post that it still works on the
// picture is asked again.
func TestPictureThatIsNotReadyYet(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{}, many(12)...)
		q := w.ask("cat")
		w.sim.Inject(fedisim.Fail(422).On("POST", postPath))
		w.sim.Inject(fedisim.Fail(206).On("GET", mediaPaths))
		w.poll()
		_, _ = w.gifs.Answer(t.Context(), w.account, -1)
		w.are("answering 1")
		page := w.chosenPage()
		w.clock.Advance(10 * time.Second)
		w.sweep()
		w.settled(q, page)
		if w.uploads() != 1 {
			t.Errorf("%d uploads", w.uploads())
		}
	})
}

// A picture is posted only when the server has done its work on it.
func TestProcessingIsWaitedFor(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{}, many(3)...)
		w.sim.Processing(3)
		w.sim.ProcessingTime(20 * time.Second)
		q := w.ask("cat")
		defer w.clock.Run()()
		w.rounds(2)
		w.settled(q, "")
		if n := w.postsRefused(); n != 0 {
			t.Errorf("%d posts were refused", n)
		}
	})
}

func (w *world) postsRefused() (n int) {
	for _, r := range w.sim.Requests() {
		if r.Method == http.MethodPost && r.Path == postPath && r.Status >= 400 {
			n++
		}
	}
	return n
}

// A thread that holds our reply is not answered again: after a restored backup
// the server knows more than we do.
func TestThreadHoldsOurAnswer(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{}, many(3)...)
		q := w.ask("cat")
		w.bot.Post("@ada here is your cat", fedisim.ReplyTo(q.ID))
		w.round()
		w.reply(q)
		if state, reason := w.state(); state != "done" || reason != "the thread holds our answer already" {
			t.Error(state, reason)
		}
		if w.board.Count() != 0 || w.uploads() != 0 {
			t.Error("a board was asked, or a picture uploaded")
		}
	})
}

// A request whose post is deleted gets nothing, whenever that happens.
func TestPostDeletedMeanwhile(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{}, many(3)...)
		q := w.ask("cat")
		w.poll()
		w.ada.Delete(q.ID)
		w.round()
		w.are("gone 1")
		if w.board.Count() != 0 {
			t.Error("a board was asked")
		}
		second := w.ask("cat")
		w.sim.Inject(fedisim.First(func() { w.ada.Delete(second.ID) }).On("POST", postPath))
		w.rounds(5)
		w.are("gone 2")
		w.silent()
		if n := w.count(`select count(*) from gifs_choice`); n != 0 {
			t.Errorf("%d choices are left", n)
		}
	})
}

// While sending is paused nothing is looked for; what waits is answered
// afterwards.
func TestPaused(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{}, many(3)...)
		if err := w.outbox.Pause(t.Context()); err != nil {
			t.Fatal(err)
		}
		q := w.ask("cat")
		w.round()
		w.silent()
		if w.board.Count() != 0 {
			t.Error("a board was asked")
		}
		w.are("waiting 1")
		if err := w.outbox.Resume(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.round()
		w.settled(q, "")
	})
}

// A request that could not be answered for a day gets no answer any more.
func TestExpired(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{}, many(3)...)
		w.ask("cat")
		w.poll()
		w.board.Inject(boorusim.Fault{Kind: boorusim.BadGateway})
		_, _ = w.gifs.Answer(t.Context(), w.account, -1)
		w.clock.Advance(25 * time.Hour)
		w.round()
		w.are("expired 1")
		w.silent()
	})
}

// A server that keeps no picture of a post leaves a reply with its link; the
// log says so.
func TestServerThatKeepsFewerPictures(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{profile: fedisim.Akkoma}, many(3)...)
		w.gifs.Join(forgetful{w.gifs.fedi.client})
		q := w.ask("cat")
		w.rounds(3)
		r := w.reply(q)
		contains(t, r.Text, "Source: ")
		contains(t, w.log.String(), "the server kept fewer pictures than were sent")
		if len(r.Media) != 0 {
			t.Errorf("%d media", len(r.Media))
		}
		w.are("done 1")
	})
}

// forgetful is a server that lets go of what it has just taken.
type forgetful struct{ fediClient }

func (f forgetful) Attach(ctx context.Context, a community.AccountID, key string, u fedi.Upload) (string, error) {
	_, err := f.fediClient.Attach(ctx, a, key, u)
	return "gone", err
}

// Two processes at work on one database answer each request once.
func TestTwoProcesses(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{}, many(40)...)
		var asked []fedisim.Post
		for n := range 12 {
			asked = append(asked, w.sim.AddAccount(fmt.Sprint("m", n)).Post("@rook cat"))
		}
		w.poll()
		other := w.newHome()
		if err := other.fedi.PollOnce(t.Context()); err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for _, h := range []home{w.home, other} {
			wg.Go(func() {
				if _, err := h.gifs.Answer(t.Context(), w.account, -1); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		seen := map[string]bool{}
		for _, q := range asked {
			r := w.reply(q)
			w.medium(r)
			seen[r.Text] = true
		}
		w.are("done 12")
		if w.uploads() != len(asked) {
			t.Errorf("%d uploads", w.uploads())
		}
		if state, _ := w.state(); state != string(inbox.Done) {
			t.Error(state)
		}
	})
}
