package gallery

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"rookery/internal/community"
	"rookery/internal/discord"
	"rookery/internal/inbox"
	"rookery/internal/sim/discordsim"
	"rookery/internal/sim/llmsim"
	"rookery/internal/store"
)

// says answers every request for a description.
func says(text string) func(llmsim.Request) llmsim.Answer {
	return func(llmsim.Request) llmsim.Answer { return llmsim.Answer{Text: text} }
}

// text is all that a message says: its content and its boxes.
func text(m discordsim.Message) string {
	all := []string{m.Content}
	for _, e := range m.Embeds {
		b, _ := json.Marshal(e) // of maps and strings
		var box struct{ Title, Description string }
		_ = json.Unmarshal(b, &box)
		all = append(all, box.Title, box.Description)
	}
	return strings.Join(all, "\n")
}

// labels are what a message's buttons say, in their order.
func labels(m discordsim.Message) (all []string) {
	for _, c := range m.Controls() {
		if !c.Menu {
			all = append(all, c.Label)
		}
	}
	return all
}

// fill submits the form that an outcome has opened.
func (w *world) fill(who string, out discordsim.Outcome, values map[string]string) discordsim.Outcome {
	w.Helper()
	if out.Modal == nil {
		w.Fatalf("no form was opened: %+v", out.Message)
	}
	v := discordsim.Values{}
	for k, s := range values {
		v[k] = s
	}
	in, err := w.discord.SubmitModal(who, out.Modal, v)
	w.must(err)
	done, err := in.Wait(w.patience())
	if err != nil || done.Failed {
		w.Fatalf("the form is not answered: %+v, %v\n%s", done, err, w.log)
	}
	return done
}

// The offer says what is true, in these words, and pings nobody.
func TestOfferSaysWhatIsTrue(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{model: says("An owl.")})
		_, thread := w.begin(w.ada, "My **owls**", plain(1), picture(2))
		m := w.offer(thread)
		self := w.g.Accounts()[0].Handle
		if want := "Post this publicly as **@" + self + "**, outside Discord? Anyone can see it. You can delete it here any time, but other sites may keep copies. " +
			"Nothing is sent until you press **Post publicly**. AI description: **off** – your picture goes to no AI.\nBy posting you say: this is my work, or I may share it."; m.Content != want {
			t.Errorf("the offer says\n%s\nnot\n%s", m.Content, want)
		}
		contains(t, text(m), "My owls", "ada", "owl1.png", "no description", "Owl number 2.")
		want := []string{"Post publicly", "No thanks", "Describe pictures", "AI: off", "What is this?", "Content warning", "Credits: on", "Refresh", "Don't ask me again"}
		if got := labels(m); !slices.Equal(got, want) {
			t.Errorf("the buttons are %q, not %q", got, want)
		}
		if len(m.Pinged) != 0 {
			t.Errorf("it pings %v", m.Pinged)
		}
		w.silent()
	})
}

func TestOnlyTheArtistsPressesCount(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{model: says("An owl.")})
		id, thread := w.begin(w.ada, "owls", picture(1), plain(2))
		before := *w.sub(id)
		for _, verb := range []string{verbPost, verbNo, verbDescribe, verbAI, verbCW, verbCredits, verbRefresh, verbNever} {
			for _, who := range []string{w.ben, w.mod} {
				out := w.press(who, thread, verb)
				if out.Message == nil || !out.Message.Ephemeral() || !strings.Contains(out.Message.Content, "Only the person who made this") {
					t.Errorf("%s: %+v", verb, out)
				}
			}
		}
		// What it is everybody may ask.
		out := w.press(w.ben, thread, verbWhat)
		contains(t, out.Message.Content, "Fediverse", "copied by anyone", "train AI")
		after := w.sub(id)
		if after.State != Offered || after.AI || !after.Credits || after.Digest != before.Digest {
			t.Errorf("something has changed: %+v", after)
		}
		w.silent()
	})
}

// The button names the processor once it is on; the ledger has the yes, and the
// model is asked only after the post was agreed to.
func TestAIIsOffUntilTheArtistTurnsItOnForThisPost(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{model: says("Two owls on a branch.")})
		id, thread := w.begin(w.ada, "owls", plain(1))
		w.press(w.ada, thread, verbAI)
		m := w.offer(thread)
		contains(t, m.Content, "AI description: **on**", "**Sim (Moon)**")
		if !slices.Contains(labels(m), "AI: on") {
			t.Errorf("the buttons are %q", labels(m))
		}
		w.press(w.ada, thread, verbAI)
		contains(t, w.offer(thread).Content, "AI description: **off**")
		w.press(w.ada, thread, verbAI)
		if n := len(w.llm.Pictured()); n != 0 {
			t.Fatalf("the model was asked %d times before anything was agreed to", n)
		}
		w.agree(w.ada, id, thread)
		p := w.posted(id)
		if got := p.Media[0].Description; got != "AI Generated Description: Two owls on a branch." {
			t.Errorf("the description is %q", got)
		}
		if got := w.events(id); got != "offered ai_on ai_off ai_on agreed described posted" {
			t.Errorf("the ledger has %q", got)
		}
		entries, err := w.g.Ledger.Submission(t.Context(), id)
		w.must(err)
		contains(t, entries[4].Text, "Sim", "on")
		if n := len(w.llm.Pictured()); n != 1 {
			t.Errorf("the model was asked %d times", n)
		}
		// The next post begins with no.
		_, thread = w.begin(w.ada, "more owls", plain(2))
		contains(t, w.offer(thread).Content, "AI description: **off**")
	})
}

// A yes counts for what its message has shown, and for nothing else.
func TestPostPubliclyCountsOnlyForWhatWasShown(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{model: says("An owl.")})
		id, thread := w.begin(w.ada, "owls", picture(1))
		old := buttons(w.offer(thread))[0]
		w.press(w.ada, thread, verbCredits) // on another device
		in, err := w.discord.ForgeButton(w.ada, w.offer(thread).ID, old)
		w.must(err)
		_, err = in.Wait(w.patience())
		w.must(err)
		if got := w.sub(id); got.State != Offered {
			t.Fatalf("it is %s", got.State)
		}
		contains(t, text(w.offer(thread)), "Something has changed")
		w.agree(w.ada, id, thread)
		if p := w.posted(id); strings.Contains(p.Text, "ada") {
			t.Errorf("credits are in %q", p.Text)
		}
	})
}

func TestTwoPressesAtOncePostOnce(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{})
		id, thread := w.begin(w.ada, "owls", picture(1))
		m := w.offer(thread)
		button := buttons(m)[0]
		var all []*discordsim.Interaction
		for range 2 {
			in, err := w.discord.PressButton(w.ada, m.ID, button)
			w.must(err)
			all = append(all, in)
		}
		w.discord.Repeat(all[0])
		for _, in := range all {
			out, err := in.Wait(w.patience())
			if err != nil || out.Message == nil {
				t.Fatalf("%+v, %v", out, err)
			}
			contains(t, out.Message.Content, "delete code")
		}
		w.posted(id)
		w.work()
		if n := len(w.all()); n != 1 {
			t.Errorf("%d posts", n)
		}
		if got := strings.Count(w.events(id), "agreed"); got != 1 {
			t.Errorf("the ledger has %d agreements", got)
		}
	})
}

// Posting media that nobody has described asks once; a guild may require
// descriptions.
func TestPostingUndescribedMediaAsksOnce(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{model: says("An owl.")})
		id, thread := w.begin(w.ada, "owls", plain(1), picture(2))
		out := w.press(w.ada, thread, verbPost)
		contains(t, out.Message.Content, "1 of 2 has no description")
		if got := labels(*out.Message); !slices.Equal(got, []string{"Describe pictures", "Draft with AI: sends pictures to Sim (Moon) now", "Post anyway"}) {
			t.Errorf("the ways are %q", got)
		}
		if w.sub(id).State != Offered {
			t.Fatal("it is on its way already")
		}
		w.pressOn(w.ada, *out.Message, verbAnyway)
		p := w.posted(id)
		if p.Media[0].Description != "" || p.Media[1].Description == "" {
			t.Errorf("the descriptions are %q and %q", p.Media[0].Description, p.Media[1].Description)
		}
		contains(t, w.offer(thread).Content, "went without a description", "number 1")

		w.set("descriptions_required", "on")
		id, thread = w.begin(w.ada, "more", plain(3))
		for range 2 {
			out = w.press(w.ada, thread, verbPost)
			contains(t, out.Message.Content, "posts nothing without one")
			if slices.Contains(labels(*out.Message), "Post anyway") {
				t.Error("it can be posted anyway")
			}
		}
		if w.sub(id).State != Offered {
			t.Error("it is on its way without a description")
		}
	})
}

// Ten pictures have two forms; what is written stays with its picture.
func TestDescriptionsOfTenPicturesComeInPages(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{})
		var files []discordsim.File
		for n := range 10 {
			files = append(files, plain(n+1))
		}
		id, thread := w.begin(w.ada, "ten owls", files...)
		out := w.press(w.ada, thread, verbDescribe)
		if got := labels(*out.Message); !slices.Equal(got, []string{"Describe 1 to 5", "Describe 6 to 10"}) {
			t.Fatalf("the pages are %q", got)
		}
		page := func(n int, values map[string]string) discordsim.Outcome {
			in, err := w.discord.PressButton(w.ada, out.Message.ID, buttons(*out.Message)[n])
			w.must(err)
			opened, err := in.Wait(w.patience())
			w.must(err)
			return w.fill(w.ada, opened, values)
		}
		page(1, map[string]string{"10": "The tenth owl.", "6": " The sixth\nowl. "})
		done := page(0, map[string]string{"1": "The first owl."})
		contains(t, done.Message.Content, "7 have no description yet")
		sub := w.sub(id)
		for n, want := range map[int]string{1: "The first owl.", 6: "The sixth\nowl.", 10: "The tenth owl.", 2: ""} {
			if got := sub.Media[n-1]; got.Alt != want {
				t.Errorf("picture %d has %q", n, got.Alt)
			}
		}
		w.sweep()
		contains(t, text(w.offer(thread)), "The first owl.", "The tenth owl.")
	})
}

// A hostile client sends more than a field takes.
func TestDescriptionOfFiveThousandCharacters(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{})
		id, thread := w.begin(w.ada, "owl", plain(1))
		out := w.press(w.ada, thread, verbDescribe)
		in, err := w.discord.ForgeModal(w.ada, out.Modal, discordsim.Values{"1": strings.Repeat("owl ", 1250)})
		w.must(err)
		_, err = in.Wait(w.patience())
		w.must(err)
		contains(t, text(w.offer(thread)), "shortened: the server takes 1,500 characters")
		w.agree(w.ada, id, thread)
		if n := len([]rune(w.posted(id).Media[0].Description)); n > 1500 || n < 1400 {
			t.Errorf("the description has %d characters", n)
		}
	})
}

func TestContentWarning(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{})
		id, thread := w.begin(w.ada, "owl", picture(1))
		w.fill(w.ada, w.press(w.ada, thread, verbCW), map[string]string{"cw": "owls, \n eating"})
		contains(t, text(w.offer(thread)), "owls, eating")
		w.agree(w.ada, id, thread)
		if p := w.posted(id); p.CW != "owls, eating" || !p.Sensitive {
			t.Errorf("%+v", p)
		}
	})
}

// ⚠ The original looked at the last file alone.
func TestOneSpoilerMakesTheWholePostSensitive(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{})
		hidden := picture(1)
		hidden.Name = "SPOILER_owl.png"
		flagged := picture(3)
		flagged.Spoiler = true
		for _, files := range [][]discordsim.File{{hidden, picture(2)}, {picture(2), hidden}, {flagged, picture(4)}} {
			id, thread := w.begin(w.ada, "owl", files...)
			contains(t, text(w.offer(thread)), "Hidden until somebody chooses to look")
			w.agree(w.ada, id, thread)
			if p := w.posted(id); !p.Sensitive || len(p.Media) != 2 {
				t.Errorf("%+v", p)
			}
		}
	})
}

// ⚠ The original wrote one over the other.
func TestTwoFilesOfTheSameNameAreBothKept(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{})
		one, two := picture(1), picture(2)
		two.Name = one.Name
		id, _ := w.share("owls", one, two)
		p := w.posted(id)
		if len(p.Media) != 2 || p.Media[0].SHA256 == p.Media[1].SHA256 || p.Media[0].Description == p.Media[1].Description {
			t.Errorf("%+v", p.Media)
		}
	})
}

func TestAgeRestrictedChannelsPostsAreSensitiveWithAWarning(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{})
		id, thread := w.beginIn(w.adult, w.ada, discordsim.Draft{Content: "late owls", Files: []discordsim.File{picture(1)}})
		contains(t, text(w.offer(thread)), "For adults")
		w.agree(w.ada, id, thread)
		if p := w.posted(id); !p.Sensitive || p.CW == "" {
			t.Errorf("%+v", p)
		}
	})
}

func TestOfferGoesOnANoAndAfterItsTime(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{})
		id, thread := w.begin(w.ada, "owl", picture(1))
		w.press(w.ada, thread, verbNo)
		w.sweep()
		if got := w.discord.ByBot(thread); len(got) != 0 || w.sub(id).State != Declined {
			t.Errorf("%s: %+v", w.sub(id).State, got)
		}
		// ⚠ An unfinished submission blocked its thread for ever.
		id, thread = w.begin(w.ada, "another owl", picture(2))
		w.clock.Advance(w.g.ExpireAfter)
		w.work()
		if got := w.discord.ByBot(thread); len(got) != 0 || w.sub(id).State != Expired || w.sub(id).Words != "" {
			t.Errorf("%s: %+v", w.sub(id).State, got)
		}
		w.silent()
	})
}

func TestDontAskMeAgain(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{})
		_, thread := w.begin(w.ada, "owl", picture(1))
		contains(t, w.press(w.ada, thread, verbNever).Message.Content, "not ask you again", "/share")
		w.sweep()
		quiet, err := w.discord.StartPost(w.ada, w.forum, "another", discordsim.Draft{Content: "owl", Files: []discordsim.File{picture(2)}})
		w.must(err)
		// Ben, who comes after her, is asked.
		w.begin(w.ben, "a fox", picture(3))
		if got := w.discord.ByBot(quiet); len(got) != 0 {
			t.Errorf("she is asked again: %+v", got)
		}
	})
}

func TestWhoIsNotAsked(t *testing.T) {
	owl := func(w *world) (string, error) {
		return w.discord.StartPost(w.ada, w.forum, "a thread", discordsim.Draft{Content: "owl", Files: []discordsim.File{picture(1)}})
	}
	for name, c := range map[string]struct {
		set   func(w *world)
		start func(w *world) (string, error)
	}{
		"told us to stop": {start: owl, set: func(w *world) {
			w.g.Stopped = func(_ context.Context, _ inbox.Rows, handles ...string) (map[string]bool, error) {
				return map[string]bool{strings.ToLower(discord.HandleOf(community.MemberID(w.ada))): true}, nil
			}
		}},
		"nothing to share": {start: func(w *world) (string, error) {
			return w.discord.StartPost(w.ada, w.forum, "a thread", discordsim.Draft{Content: "only words"})
		}},
		"another channel": {start: func(w *world) (string, error) {
			return w.discord.StartPost(w.ada, w.discord.AddForum(w.guild, "other"), "a thread", discordsim.Draft{Content: "owl", Files: []discordsim.File{picture(1)}})
		}},
		"a document": {start: func(w *world) (string, error) {
			return w.discord.StartPost(w.ada, w.forum, "a thread", discordsim.Draft{Files: []discordsim.File{{Name: "notes.pdf", Type: "application/pdf", Data: []byte("%PDF-1.7")}}})
		}},
		"quoted from others": {start: func(w *world) (string, error) { return w.quoting(), nil }},
		"turned off":         {start: owl, set: func(w *world) { w.set("enabled", "off") }},
		"not asked there":    {start: owl, set: func(w *world) { w.set("offers", "off") }},
		"no pictures":        {start: owl, set: func(w *world) { w.set("images", "off") }},
		"without the role":   {start: owl, set: func(w *world) { w.set("roles", w.discord.AddRole(w.guild, "artists", 0)) }},
		"too new":            {start: owl, set: func(w *world) { w.set("member_days", "7") }},
	} {
		t.Run(name, func(t *testing.T) {
			alone(t, func(t *testing.T, s *store.Store) {
				w := newWorld(t, s, options{})
				if c.set != nil {
					c.set(w)
				}
				thread, err := c.start(w)
				w.must(err)
				o, err := w.platD.Starter(t.Context(), w.app, community.ChannelID(thread))
				w.must(err)
				w.must(w.g.Began(t.Context(), w.app, o)) // whether or not the event has come
				w.sweep()
				if got := w.discord.ByBot(thread); len(got) != 0 {
					t.Errorf("it says %q", got[0].Content)
				}
			})
		})
	}
}

// quoting begins a thread with a link to a picture that somebody else has sent.
func (w *world) quoting() string {
	thread, err := w.discord.StartPost(w.ada, w.forum, "look", discordsim.Draft{Content: "https://cdn.discordapp.com/attachments/1/2/owl.png"})
	w.must(err)
	w.must(w.discord.EmbedLinks(thread, map[string]any{"type": "image", "url": "https://cdn.discordapp.com/attachments/1/2/owl.png",
		"thumbnail": map[string]any{"url": "https://cdn.discordapp.com/attachments/1/2/owl.png", "width": 32, "height": 32}}))
	return thread
}

// A message that is edited while its offer is open is shown anew; one that is
// deleted takes the offer with it.
func TestOfferFollowsItsMessage(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{})
		id, thread := w.begin(w.ada, "owls", picture(1), picture(2))
		w.fill(w.ada, w.press(w.ada, thread, verbDescribe), map[string]string{"1": "Mine.", "2": "Yours."})
		first := w.sub(id).Media[0].ID
		content := "only one owl"
		w.must(w.discord.Edit(thread, discordsim.Edit{Content: &content, Remove: []string{first}}))
		w.until("the offer has followed", func() bool { return len(w.sub(id).Media) == 1 })
		w.sweep()
		contains(t, text(w.offer(thread)), "only one owl", "Yours.")
		if got := w.sub(id).Media[0]; got.Alt != "Yours." || got.By != byArtist {
			t.Errorf("%+v", got)
		}
		w.must(w.discord.DeleteMessage(thread))
		w.until("the offer has ended", func() bool { return w.sub(id).State == Withdrawn })
		w.sweep()
		if got := w.discord.ByBot(thread); len(got) != 0 {
			t.Errorf("%q still stands", got[0].Content)
		}
		w.silent()
	})
}

// Changed after the yes and before the post: nothing is posted that was not
// shown.
func TestMessageChangedAfterTheYesIsNotPosted(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{})
		id, thread := w.share("owls", picture(1))
		content := "something else"
		w.must(w.discord.Edit(thread, discordsim.Edit{Content: &content}))
		w.work()
		if got := w.sub(id); got.State != Offered || got.Words != "something else" {
			t.Errorf("%s %q", got.State, got.Words)
		}
		w.silent()
		if got := w.events(id); got != "offered agreed void" {
			t.Errorf("the ledger has %q", got)
		}
		contains(t, text(w.offer(thread)), "something else")
		w.agree(w.ada, id, thread)
		contains(t, w.posted(id).Text, "something else")
	})
}

// A draft that is taken as it is stays the model's; one that is edited is both.
func TestDraftsAreMarkedAsWhatTheyAre(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{model: says("A brown owl sits on an old branch.")})
		id, thread := w.begin(w.ada, "owls", plain(1), plain(2), plain(3))
		out := w.press(w.ada, thread, verbDescribe)
		in := w.pressLater(w.ada, *out.Message, verbDraft)
		w.must(w.worker.draftAll(t.Context(), id, true))
		w.sweep()
		done, err := in.WaitDone(w.patience())
		w.must(err)
		contains(t, done.Message.Content, "drafts are there")
		opened := w.pressOn(w.ada, *done.Message, verbPage)
		w.fill(w.ada, opened, map[string]string{"1": "A brown owl sits on an old branch.", "2": "A brown owl sits on an old branch at night.", "3": "My cat."})
		w.sweep()
		w.agree(w.ada, id, thread)
		p := w.posted(id)
		for n, want := range []string{"AI Generated Description: A brown owl sits on an old branch.", "AI-assisted description: A brown owl sits on an old branch at night.", "My cat."} {
			if got := p.Media[n].Description; got != want {
				t.Errorf("picture %d: %q, not %q", n+1, got, want)
			}
		}
	})
}

// pressLater presses what is answered later.
func (w *world) pressLater(who string, m discordsim.Message, verb string) *discordsim.Interaction {
	w.Helper()
	for _, id := range buttons(m) {
		if strings.HasPrefix(id, discord.CustomID(action, verb)) {
			in, err := w.discord.PressButton(who, m.ID, id)
			w.must(err)
			_, err = in.Wait(w.patience())
			w.must(err)
			return in
		}
	}
	w.Fatalf("no button %q in %q", verb, buttons(m))
	return nil
}

// What was drafted and is left as it is, is shown and posted as what it is, and
// no offer says that the picture went to no AI.
func TestDraftThatNobodyOpensIsShownAndPosted(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{model: says("A brown owl sits on an old branch.")})
		id, thread := w.begin(w.ada, "owl", plain(1))
		out := w.press(w.ada, thread, verbDescribe)
		w.pressLater(w.ada, *out.Message, verbDraft)
		w.must(w.worker.draftAll(t.Context(), id, true))
		w.sweep()
		w.press(w.ada, thread, verbRefresh)
		offer := text(w.offer(thread))
		contains(t, offer, "AI Generated Description: A brown owl", "pictures went to **Sim (Moon)** for drafts")
		if strings.Contains(offer, "goes to no AI") {
			t.Errorf("the offer says %q", offer)
		}
		w.agree(w.ada, id, thread)
		if got := w.posted(id).Media[0].Description; got != "AI Generated Description: A brown owl sits on an old branch." {
			t.Errorf("the description is %q", got)
		}
		if n := w.llm.Count(); n != 1 {
			t.Errorf("the picture was sent %d times", n)
		}
	})
}

// A guild that requires descriptions has nothing posted without one, whatever
// the model does.
func TestRequiredDescriptionsHoldWhenTheModelFails(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{model: func(llmsim.Request) llmsim.Answer { return llmsim.Answer{Refusal: "No."} }})
		w.set("descriptions_required", "on")
		id, thread := w.begin(w.ada, "owl", plain(1))
		w.press(w.ada, thread, verbAI)
		w.agree(w.ada, id, thread)
		w.works(id, Offered)
		contains(t, text(w.offer(thread)), "Please describe it yourself")
		w.silent()
	})
}

// What the operator changes after a yes changes nothing of what was agreed to.
func TestWhatTheOperatorChangesAfterAYes(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		visibility, tail := community.Followers, "Shown with consent."
		w := newWorld(t, s, options{account: func(a *Account) { a.Visibility, a.Tail = visibility, tail }})
		id, thread := w.begin(w.ada, "owl", picture(1))
		contains(t, w.offer(thread).Content, "Those who follow that account", "Post to followers")
		w.agree(w.ada, id, thread)
		visibility, tail = community.Public, "Buy this."
		p := w.posted(id)
		if p.Visibility != string(community.Followers) || !strings.Contains(p.Text, "Shown with consent.") || strings.Contains(p.Text, "Buy") {
			t.Errorf("%s %q", p.Visibility, p.Text)
		}
	})
}
