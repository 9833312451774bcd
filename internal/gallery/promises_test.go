package gallery

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rookery/internal/community"
	"rookery/internal/discord"
	"rookery/internal/gallery/texts"
	"rookery/internal/sim/discordsim"
	"rookery/internal/sim/fedisim"
	"rookery/internal/store"
	"rookery/internal/words"
)

// What was broken once and must not be again: nothing is posted that was taken
// back, and a delete always works.

func TestWhatWasCancelledIsNeverSent(t *testing.T) {
	for name, f := range map[string]fedisim.Fault{"429": fedisim.TooMany(fedisim.RetrySeconds, time.Minute), "500": fedisim.Fail(500)} {
		t.Run(name, func(t *testing.T) {
			alone(t, func(t *testing.T, s *store.Store) {
				w := newWorld(t, s, options{})
				id, thread := w.share("never mind", picture(1))
				w.fedi.Inject(f.On("POST", "/api/v1/statuses").Always())
				w.work()
				w.press(w.ada, thread, verbCancel)
				w.sweep()
				w.clock.Advance(10 * time.Minute)
				w.fedi.ClearFaults()
				for range 5 {
					w.sweep()
					w.clock.Advance(3 * time.Minute)
				}
				if got := w.sub(id).State; got != Deleted && got != Withdrawn {
					t.Errorf("it is %s", got)
				}
				for _, p := range w.fedi.PostsBy(w.rook.ID) {
					t.Errorf("posted after it was taken back: %q, deleted %v", p.Text, p.Deleted)
				}
			})
		})
	}
}

func TestEditThatAServerNeverTakesHoldsUpNoDelete(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{})
		id, thread, _ := w.stands(1)
		w.fedi.Inject(fedisim.Fail(500).On("PUT", "/api/v1/statuses/*").Always())
		w.fill(w.ada, w.press(w.ada, thread, verbEdit), map[string]string{"1": "A new description."})
		w.sweep()
		out := w.press(w.ada, thread, verbDelete)
		w.pressLater(w.ada, *out.Message, verbSure)
		for range 12 {
			w.sweep()
			w.clock.Advance(2 * time.Hour)
		}
		if got := w.sub(id).State; got != Deleted {
			t.Errorf("a day later it is %s", got)
		}
	})
}

func TestMessageDeletedWhileItsPostWaitsIsNotPosted(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{})
		id, _ := w.share("gone soon", picture(1))
		w.fedi.Inject(fedisim.TooMany(fedisim.RetrySeconds, time.Minute).On("POST", "/api/v1/statuses").Always())
		w.work()
		_, message, _ := discord.MessageOf(w.sub(id).Source)
		w.must(w.discord.DeleteMessage(message))
		w.until("the deletion is heard of", func() bool { return w.sub(id).State != Posting })
		w.clock.Advance(10 * time.Minute)
		w.fedi.ClearFaults()
		for range 4 {
			w.work()
			w.clock.Advance(10 * time.Minute)
		}
		w.silent()
	})
}

func TestMessageEditedDuringTheUploadsIsNotPosted(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{})
		id, thread := w.share("my name is Ada Lovelace", picture(1), picture(2))
		content := "||my name is Ada Lovelace||"
		w.fedi.Inject(fedisim.First(func() { w.must(w.discord.EditMessage(thread, content)) }).On("POST", "/api/v2/media").Times(1))
		w.work()
		w.silent()
		if got := w.sub(id); got.State != Offered || strings.Contains(got.Words, "Lovelace") {
			t.Errorf("%s %q", got.State, got.Words)
		}
	})
}

func TestModelThatComesBackHasNoOldYes(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{model: says("A drawn owl.")})
		was := w.g.Config
		id, thread := w.begin(w.ada, "an owl", plain(1))
		w.press(w.ada, thread, verbAI)
		w.g.Model = nil
		w.press(w.ada, thread, verbRefresh)
		contains(t, w.offer(thread).Content, "Your picture goes to no AI")
		w.agree(w.ada, id, thread)
		w.g.Config = was
		w.posted(id)
		if n := w.llm.Count(); n != 0 {
			t.Errorf("the model was asked %d times", n)
		}
	})
}

// Another process has picked a submission that is being posted here by now.
func TestGivenBackOnlyAsItWasWorkedOn(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{})
		id, _ := w.share("once", picture(1))
		stale := w.sub(id)
		w.fedi.Inject(fedisim.TooMany(fedisim.RetrySeconds, time.Minute).On("POST", "/api/v1/statuses").Always())
		w.work()
		w.must(w.worker.giveBack(t.Context(), stale, &back{note: words.GalleryWorkChanged}))
		if got := w.sub(id).State; got != Posting {
			t.Fatalf("it is %s", got)
		}
		w.clock.Advance(10 * time.Minute)
		w.fedi.ClearFaults()
		w.posted(id)
		if n := len(w.all()); n != 1 {
			t.Errorf("%d posts", n)
		}
	})
}

func TestThreadsOfATimeWithoutAnAccountAreAskedAboutLater(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{})
		accounts := w.g.Accounts
		w.g.Accounts = func() []Account { return []Account{{Name: "gallery"}} } // it has not logged in
		thread, err := w.discord.StartPost(w.ada, w.forum, "a thread", discordsim.Draft{Content: "an owl", Files: []discordsim.File{picture(1)}})
		w.must(err)
		o, err := w.platD.Starter(t.Context(), w.app, community.ChannelID(thread))
		w.must(err)
		if err := w.g.Began(t.Context(), w.app, o); err == nil {
			t.Error("the thread counts as dealt with")
		}
		w.g.Accounts = accounts
		w.must(w.g.Began(t.Context(), w.app, o))
		w.sweep()
		contains(t, w.offer(thread).Content, "Post this publicly")
	})
}

func TestFormCountsOnlyForTheFilesItWasOpenedFor(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{})
		id, thread := w.begin(w.ada, "three", plain(1), plain(2), plain(3))
		out := w.press(w.ada, thread, verbDescribe)
		w.must(w.discord.Edit(thread, discordsim.Edit{Remove: []string{w.sub(id).Media[0].ID}}))
		w.until("it is read again", func() bool { return len(w.sub(id).Media) == 2 })
		done := w.fill(w.ada, out, map[string]string{"1": "The first.", "2": "The second.", "3": "The third."})
		contains(t, done.Message.Content, "Something has changed")
		for _, m := range w.sub(id).Media {
			if m.Alt != "" {
				t.Errorf("%s is described as %q", m.Name, m.Alt)
			}
		}
	})
}

func TestAccountThatIsGoneIsReplacedByWhoSharesIt(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{})
		_, thread := w.begin(w.ada, "an owl", picture(1))
		other := w.g.Accounts()[0]
		other.Name, other.ID, other.Handle = "new", "new/1", "new@mastodon.example"
		w.g.Accounts = func() []Account { return []Account{other} }
		w.press(w.ada, thread, verbRefresh)
		in, err := w.discord.Select(w.ada, w.offer(thread).ID, menuOf(w, thread), "new")
		w.must(err)
		_, err = in.Wait(w.patience())
		w.must(err)
		contains(t, w.offer(thread).Content, "@new@mastodon.example")
	})
}

// menuOf is the id of the menu of accounts.
func menuOf(w *world, thread string) string {
	w.Helper()
	for _, id := range buttons(w.offer(thread)) {
		if strings.HasPrefix(id, discord.CustomID(action, verbAs)) {
			return id
		}
	}
	w.Fatal("there is no menu of accounts")
	return ""
}

// Whoever changes the texts hears at once what does not fit.
func TestTextsThatDoNotFitTogetherAreRefused(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "texts.toml")
	var b strings.Builder
	b.WriteString("[en]\n")
	for _, k := range []words.Key{words.GalleryOffer, words.GalleryOfferAIOff, words.GalleryOfferRights} {
		template, _ := words.English.Template(k)
		fmt.Fprintf(&b, "%s = %q\n", k, strings.Join(placeholders(template), " ")+strings.Repeat("x ", 400)+"end")
	}
	if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := texts.Load(file, TextKeys()); err != nil {
		t.Fatalf("each by itself fits: %v", err)
	}
	if _, err := LoadTexts(file); err == nil || !strings.Contains(err.Error(), "at most 1700 fit") {
		t.Errorf("together: %v", err)
	}
}

func placeholders(t words.Template) []string {
	var all []string
	for _, p := range t.Placeholders() {
		all = append(all, "{"+p+"}")
	}
	return all
}

// A backup that was put back knows nothing of what was shared since: nobody is
// asked again, and who asks is told.
func TestAfterARestoreNothingOldIsOffered(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{})
		id, thread := w.share("in the backup", picture(1))
		w.clock.Advance(time.Minute)
		old, err := w.discord.StartPost(w.ada, w.discord.AddForum(w.guild, "other"), "since the backup", discordsim.Draft{Content: "an owl", Files: []discordsim.File{picture(2)}})
		w.must(err)
		w.clock.Advance(time.Minute)
		n, err := w.g.Restored(t.Context())
		if err != nil || n != 1 {
			t.Fatalf("%d, %v", n, err)
		}
		w.sweep()
		contains(t, w.offer(thread).Content, "set back to an earlier state")
		o, err := w.platD.Starter(t.Context(), w.app, community.ChannelID(old))
		w.must(err)
		w.set("channels", string(o.Place.Parent))
		w.must(w.g.Began(t.Context(), w.app, o))
		w.sweep()
		if got := w.discord.ByBot(old); len(got) != 0 {
			t.Errorf("it is offered: %q", got[0].Content)
		}
		if got := w.sub(id).State; got != Offered {
			t.Errorf("what was agreed to is %s", got)
		}
		w.silent()
	})
}

// A link may lead to a router or a cloud's secrets: nothing is fetched from
// there, and the artist is told.
func TestLinkToAPrivateAddressIsNotFetched(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{})
		const address = "http://10.0.0.7/owl.png"
		thread, err := w.discord.StartPost(w.ada, w.forum, "look", discordsim.Draft{Content: "See " + address})
		w.must(err)
		w.must(w.discord.EmbedLinks(thread, w.discord.ImageEmbed(address, "image/png", drawing(1, 32))))
		id := ""
		w.until("it is offered", func() bool {
			s, err := load(t.Context(), w.store, `channel = $1 and state = 'offered'`, thread)
			if err == nil {
				id = s.ID
			}
			return err == nil
		})
		w.sweep()
		w.agree(w.ada, id, thread)
		w.works(id, Offered)
		w.sweep()
		contains(t, text(w.offer(thread)), "owl.png")
		if note := w.sub(id).Note; note == "" {
			t.Error("she is not told why")
		}
		w.silent()
	})
}

// The permission to write is taken away: what is offered can still be answered,
// and where nobody can be asked, who manages the guild hears of it.
func TestPermissionToWriteTakenAway(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{})
		id, thread := w.begin(w.ada, "owl", picture(1))
		w.discord.ChangeChannel(w.forum, discordsim.Deny(w.discord.BotRole(w.guild), discordsim.SendMessages|discordsim.SendMessagesInThreads))
		w.press(w.ada, thread, verbPost) // its box is gone too, so the offer is shown anew, without one
		w.agree(w.ada, id, thread)
		p := w.posted(id)
		contains(t, w.offer(thread).Content, p.URL)
		mute, err := w.discord.StartPost(w.ada, w.forum, "another", discordsim.Draft{Content: "fox", Files: []discordsim.File{picture(2)}})
		w.must(err)
		w.until("it is offered", func() bool {
			return w.count(`select count(*) from gallery_submission where channel = $1`, mute) > 0
		})
		for range 30 {
			w.sweep()
			w.clock.Advance(time.Minute)
		}
		contains(t, w.told.String(), "guild gallery/forbidden", "I may not write there")
		if got := w.discord.ByBot(mute); len(got) != 0 {
			t.Errorf("it says %q", got[0].Content)
		}
	})
}
