package gallery

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"rookery/internal/community"
	"rookery/internal/sim/discordsim"
	"rookery/internal/sim/fedisim"
	"rookery/internal/sim/llmsim"
	"rookery/internal/store"
)

// moving is a GIF of two frames.
func moving() []byte {
	var g gif.GIF
	for i := range 2 {
		img := image.NewPaletted(image.Rect(0, 0, 32, 32), color.Palette{color.Black, color.White})
		for j := range img.Pix {
			img.Pix[j] = uint8((i + j) % 2)
		}
		g.Image, g.Delay = append(g.Image, img), append(g.Delay, 10)
	}
	var b bytes.Buffer
	_ = gif.EncodeAll(&b, &g) // to memory
	return b.Bytes()
}

// loseUploads has the server throw away what no post has attached, as it does
// after a day.
func (w *world) loseUploads() {
	w.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for _, m := range w.fedi.Uploads() {
		if m.PostID != "" || m.Deleted {
			continue
		}
		req, err := http.NewRequestWithContext(w.Context(), http.MethodDelete, w.fedi.URL()+"/api/v1/media/"+m.ID, nil)
		w.must(err)
		req.Header.Set("Authorization", "Bearer "+w.rook.Token)
		resp, err := client.Do(req)
		w.must(err)
		resp.Body.Close()
	}
}

// What was agreed to is posted, once, with its descriptions, and the artist has
// the link.
func TestWhatWasAgreedToIsPosted(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{})
		id, thread := w.share("Two owls at <t:1700000000:D> for <@"+w.ben+">", picture(1), picture(2))
		p := w.posted(id)
		contains(t, p.Text, "Two owls", "ada")
		if strings.Contains(p.Text, "@") || p.Visibility != "public" || p.Language != "en" || p.Sensitive || p.CW != "" {
			t.Errorf("%+v", p)
		}
		if len(p.Media) != 2 || p.Media[0].Description != "Owl number 1." || p.Media[1].Description != "Owl number 2." {
			t.Errorf("the media are %+v", p.Media)
		}
		contains(t, w.offer(thread).Content, p.URL)
		if got := w.events(id); got != "offered agreed posted" {
			t.Errorf("the ledger has %q", got)
		}
		for range 3 {
			w.work()
		}
		if n := len(w.all()); n != 1 {
			t.Errorf("%d posts", n)
		}
		if n := w.count(`select count(*) from fedi_media`); n != 0 {
			t.Errorf("%d uploads are still noted", n)
		}
	})
}

// Two that share at once are posted in the order of their yes, whatever the
// server does meanwhile; they are told when it takes long, and that it is over.
func TestTheOrderIsKeptWhileTheServerIsInTrouble(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{})
		first, thread := w.share("the first", picture(1))
		w.clock.Advance(time.Second)
		second, _ := w.share("the second", picture(2))
		w.fedi.Down(503)
		for range 3 {
			at := w.work()
			if at.IsZero() {
				t.Fatal("nothing is put off")
			}
			w.clock.Advance(time.Minute)
		}
		contains(t, w.offer(thread).Content, "the server of", "cannot be reached")
		edits := w.discord.Count("PATCH", "/channels/{channel.id}/messages/{message.id}")
		w.work()
		if n := w.discord.Count("PATCH", "/channels/{channel.id}/messages/{message.id}"); n != edits {
			t.Errorf("the same is said again: %d edits", n-edits)
		}
		w.fedi.Up()
		w.clock.Advance(time.Hour)
		w.posted(first)
		w.posted(second)
		if all := w.all(); len(all) != 2 || !strings.HasPrefix(all[0].Text, "the first") {
			t.Errorf("%+v", all)
		}
		if strings.Contains(w.offer(thread).Content, "cannot be reached") {
			t.Errorf("%q", w.offer(thread).Content)
		}

		// A revoked token holds everything up too, and loses nothing.
		id, thread := w.share("the third", picture(3))
		w.fedi.Revoke(w.rook.Token)
		for range 2 {
			if w.work().IsZero() {
				t.Fatal("nothing is put off")
			}
			w.clock.Advance(2 * time.Minute)
		}
		w.work()
		contains(t, w.offer(thread).Content, "does not let me in")
		w.rook.Restore()
		w.must(w.platF.PollOnce(t.Context()))
		w.posted(id)
	})
}

// ⚠ Whatever becomes of the answers of the server, there is one post with one of
// each file.
func TestAPostWhoseAnswerWasLostIsNotMadeAgain(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{})
		for i, fault := range []fedisim.Fault{fedisim.Reset().Stored(), fedisim.Fail(500).Stored(), fedisim.Reset()} {
			w.fedi.Inject(fault.On("POST", "/api/v1/statuses"))
			w.fedi.Inject(fault.On("POST", "/api/v2/media"))
			id, _ := w.share(fmt.Sprintf("number %d.", i), picture(1), picture(2))
			if p := w.posted(id); len(p.Media) != 2 || p.Media[0].SHA256 == p.Media[1].SHA256 {
				t.Errorf("%d: the media are %+v", i, p.Media)
			}
			if n := len(w.all()); n != i+1 {
				t.Fatalf("after %d there are %d posts", i, n)
			}
		}
	})
}

// ⚠ A process that dies on the way: the next goes on, and uploads nothing twice.
func TestAnotherProcessGoesOn(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{model: func(llmsim.Request) llmsim.Answer { return llmsim.Answer{Text: "A drawn owl."} }})
		id, thread := w.begin(w.ada, "an owl", plain(1), picture(2))
		w.press(w.ada, thread, verbAI)
		w.agree(w.ada, id, thread)
		stuck := w.fedi.Inject(fedisim.Hold().On("POST", "/api/v1/statuses"))
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		first := w.worker
		wg.Go(func() { _, _ = first.share(ctx, w.account) })
		w.until("the first process is stuck", func() bool { return stuck.Hits() == 1 })
		cancel()
		w.restart()
		stuck.Release()
		wg.Wait()
		w.posted(id)
		if n, m := len(w.fedi.Uploads()), w.llm.Count(); n != 2 || m != 1 || len(w.all()) != 1 {
			t.Errorf("%d uploads, %d questions, %d posts", n, m, len(w.all()))
		}
	})
}

// ⚠ Files that the server has thrown away are uploaded again, and no more often
// than makes sense.
func TestLostUploads(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{})
		w.fedi.Inject(fedisim.First(w.loseUploads).On("POST", "/api/v1/statuses"))
		id, _ := w.share("once", picture(1))
		w.posted(id)
		if n := len(w.fedi.Uploads()); n != 2 {
			t.Errorf("%d uploads", n)
		}
		w.fedi.Inject(fedisim.First(w.loseUploads).On("POST", "/api/v1/statuses").Always())
		id, thread := w.share("always", picture(1))
		w.works(id, Offered)
		w.sweep()
		contains(t, w.offer(thread).Content, "lost the files")
		w.fedi.ClearFaults()
		w.agree(w.ada, id, thread)
		w.posted(id)
		if n := len(w.all()); n != 2 {
			t.Errorf("%d posts", n)
		}
	})
}

// ⚠ What was lost after the first posts of a thread stand is added to them.
func TestTheRestOfAThreadIsAdded(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{})
		n := 0
		w.fedi.Inject(fedisim.First(func() {
			if n++; n == 2 {
				w.loseUploads()
			}
		}).On("POST", "/api/v1/statuses").Always())
		id, _ := w.share("six owls", picture(1), picture(2), picture(3), picture(4), picture(5), picture(6))
		p := w.posted(id)
		all := w.all()
		if len(all) != 2 || len(all[0].Media) != 4 || len(all[1].Media) != 2 || all[1].InReplyTo != p.ID || all[1].Media[1].Description != "Owl number 6." {
			t.Fatalf("%+v", all)
		}
		if n := len(w.fedi.Uploads()); n != 8 {
			t.Errorf("%d uploads", n)
		}
	})
}

// A server's refusal goes back to the artist in its own words; another yes is
// another post.
func TestARefusedPostGoesBack(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{})
		w.fedi.Inject(fedisim.Fail(422).On("POST", "/api/v1/statuses").Always())
		id, thread := w.share("an owl", picture(1))
		w.works(id, Offered)
		w.sweep()
		contains(t, w.offer(thread).Content, "refused it", "It said: Record not found")
		if strings.Contains(w.offer(thread).Content, "/api/v1") {
			t.Errorf("the artist is told what only the operator understands: %q", w.offer(thread).Content)
		}
		if got := w.events(id); got != "offered agreed void" {
			t.Errorf("the ledger has %q", got)
		}
		w.silent()
		w.fedi.ClearFaults()
		w.agree(w.ada, id, thread)
		w.posted(id)
	})
}

// More than a server takes in one post becomes a thread, whose further posts are
// unlisted; where films stand alone they do.
func TestThreads(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{})
		var files []discordsim.File
		for n := range 9 {
			files = append(files, picture(n))
		}
		files = append(files, discordsim.File{Name: "moving.gif", Type: "image/gif", Data: moving(), Description: "It moves."})
		id, _ := w.share("ten", files...)
		w.posted(id)
		var got []string
		for i, p := range w.all() {
			got = append(got, fmt.Sprintf("%d %s", len(p.Media), p.Visibility))
			if i > 0 && (p.InReplyTo != w.all()[i-1].ID || !strings.Contains(p.Text, fmt.Sprintf("%d/4", i+1))) {
				t.Errorf("post %d is %+v", i, p)
			}
		}
		if s := strings.Join(got, ", "); s != "4 public, 4 unlisted, 1 unlisted, 1 unlisted" {
			t.Errorf("the posts are %q", s)
		}
	})
}

// ⚠ Any one spoiler hides the whole post, and two files of one name are both
// kept; what comes from an age-restricted channel has a warning besides.
func TestSpoilersAndAdults(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{})
		covered, same := picture(1), picture(2)
		covered.Spoiler, same.Name = true, covered.Name
		id, _ := w.share("||nobody|| knows", covered, same)
		p := w.posted(id)
		if !p.Sensitive || p.CW != "" || len(p.Media) != 2 || strings.Contains(p.Text, "nobody") {
			t.Errorf("%+v", p)
		}
		id, thread := w.beginIn(w.adult, w.ada, discordsim.Draft{Content: "late", Files: []discordsim.File{picture(3)}})
		w.agree(w.ada, id, thread)
		if p := w.posted(id); !p.Sensitive || p.CW == "" {
			t.Errorf("%+v", p)
		}
	})
}

// A message that was changed after the yes is not posted: the artist decides
// anew about what it is now. One that is gone is not posted at all.
func TestWhatHasChangedIsNotPosted(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{})
		id, thread := w.share("the old words", picture(1))
		w.must(w.discord.EditMessage(thread, "the new words"))
		w.works(id, Offered)
		w.sweep()
		w.silent()
		contains(t, w.offer(thread).Content, "was changed after you had agreed")
		if got := w.events(id); got != "offered agreed void" {
			t.Errorf("the ledger has %q", got)
		}
		w.agree(w.ada, id, thread)
		contains(t, w.posted(id).Text, "the new words")

		id, thread = w.share("gone", picture(1))
		w.must(w.discord.DeleteMessage(thread))
		w.works(id, Withdrawn)
		if got := w.events(id); got != "offered agreed withdrawn" {
			t.Errorf("the ledger has %q", got)
		}
		if n := len(w.all()); n != 1 {
			t.Errorf("%d posts", n)
		}
	})
}

// What is not allowed any more goes back with a clear word.
func TestWhatIsNotAllowedAnyMore(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		off := false
		w := newWorld(t, s, options{account: func(a *Account) {
			if off {
				a.Guilds = []community.GuildID{"1"}
			}
		}})
		for _, c := range []struct {
			name, says string
			stop, free func()
		}{
			{"the guild", "turned off", func() { w.set("enabled", "off") }, func() { w.set("enabled", "on") }},
			{"the account", "no longer used here", func() { off = true }, func() { off = false }},
			{"the kind", "no longer shared from here", func() { w.set("images", "off") }, func() { w.set("images", "on") }},
			{"the artist", "no longer let you share", func() {
				w.must(s.Write(t.Context(), func(ctx context.Context, tx store.Tx) error {
					_, err := tx.Exec(ctx, `insert into gallery_block (guild, member, by, at) values ($1, $2, '1', 1)`, w.guild, w.ada)
					return err
				}))
			}, func() {}},
		} {
			id, _ := w.share("an owl", picture(1))
			c.stop()
			w.works(id, Offered)
			contains(t, w.sub(id).Note, c.says)
			w.silent()
			c.free()
		}
	})
}

// An account posts no more in an hour than it may; what waits keeps its order.
func TestPostsAnHour(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{account: func(a *Account) { a.PerHour = 1 }})
		first, _ := w.share("the first", picture(1))
		w.posted(first)
		second, thread := w.share("the second", picture(2))
		at := w.work()
		w.sweep()
		if at.Sub(w.clock.Now()) < 50*time.Minute || len(w.all()) != 1 {
			t.Errorf("it is put off until %s; %d posts", at, len(w.all()))
		}
		contains(t, w.offer(thread).Content, "waits its turn")
		w.clock.Advance(at.Sub(w.clock.Now()) + time.Second)
		w.posted(second)
	})
}

// Offers that nobody answers end, and go away. Nothing is for ever: what an
// account that is gone should have posted goes back too.
func TestOffersEnd(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{})
		id, thread := w.begin(w.ada, "an owl", picture(1))
		agreed, _ := w.share("another", picture(2))
		w.clock.Advance(defaultExpiry + time.Minute)
		w.must(w.worker.tidy(t.Context()))
		w.sweep()
		if st := w.sub(id).State; st != Expired || len(w.discord.ByBot(thread)) != 0 {
			t.Errorf("the offer is %s, and %d messages stand", st, len(w.discord.ByBot(thread)))
		}
		if s := w.sub(agreed); s.State != Offered || !strings.Contains(s.Note, "could not be reached") {
			t.Errorf("%s, %q", s.State, s.Note)
		}
		if len(w.sub(id).Media) != 0 || w.sub(id).Words != "" {
			t.Error("what was to be posted is kept")
		}
	})
}

// Descriptions that the artist changes afterwards are changed in each post.
func TestDescriptionsAreChangedInThePost(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{})
		id, thread := w.share("five", picture(1), picture(2), picture(3), picture(4), picture(5))
		w.posted(id)
		out := w.press(w.ada, thread, verbEdit)
		_, err := w.discord.SubmitModal(w.ada, out.Modal, discordsim.Values{"2": "A second owl.", "5": "The last owl."})
		w.must(err)
		w.until("the change is planned", func() bool { return strings.HasSuffix(w.events(id), "edited") })
		w.sweep()
		all := w.all()
		if len(all) != 2 || all[0].Media[1].Description != "A second owl." || all[1].Media[0].Description != "The last owl." || all[0].Media[0].Description != "Owl number 1." {
			t.Errorf("%+v", all)
		}
		if !strings.HasPrefix(all[0].Text, "five") || !strings.Contains(all[1].Text, "2/2") {
			t.Errorf("the words are %q and %q", all[0].Text, all[1].Text)
		}
	})
}

// What is taken back while it is on its way is not posted.
func TestTakenBackOnTheWay(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{})
		id, _ := w.share("two owls", picture(1), picture(2))
		w.fedi.Inject(fedisim.First(func() {
			w.must(s.Write(t.Context(), func(ctx context.Context, tx store.Tx) error {
				s, err := lock(ctx, tx, id)
				if err != nil {
					return err
				}
				return w.g.withdraw(ctx, tx, s, "button")
			}))
		}).On("POST", "/api/v2/media"))
		w.work()
		w.work()
		if n := len(w.fedi.Uploads()); n != 1 {
			t.Errorf("%d uploads", n)
		}
		w.silent()
		if got := w.events(id); got != "offered agreed withdrawn" {
			t.Errorf("the ledger has %q", got)
		}
	})
}
