package gallery

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"rookery/internal/community"
	"rookery/internal/discord"
	"rookery/internal/gallery/ledger"
	"rookery/internal/sim/discordsim"
	"rookery/internal/sim/fedisim"
	"rookery/internal/store"
)

// deletedOn is what who asked is told in the end.
const deletedOn = "Deleted on mastodon.example; other servers were asked to. Some may keep a copy."

// stands is a submission of Ada's that is posted.
func (w *world) stands(n int) (id, thread string, post fedisim.Post) {
	w.Helper()
	id, thread = w.share(fmt.Sprintf("owl %d", n), picture(n))
	return id, thread, w.posted(id)
}

// made is a post of Ada's that was made before, with its message in a thread:
// that is quicker than to have it posted.
func (w *world) made(n int) (id, thread string, post fedisim.Post) {
	w.Helper()
	var err error
	thread, err = w.discord.StartPost(w.ada, w.forum, "a thread", discordsim.Draft{Content: "nothing to share"})
	w.must(err)
	ack, err := w.discord.Say(w.discord.AppID(), thread, discordsim.Draft{Content: "It is posted."})
	w.must(err)
	w.clock.Advance(time.Second)
	post = w.rook.Post(fmt.Sprintf("owl %d", n))
	p := AdoptedPost{Account: w.app, Target: w.account, Guild: community.GuildID(w.guild), Thread: community.ChannelID(thread), Author: community.MemberID(w.ada),
		Ack: ack, Post: community.PostID(post.ID), URL: post.URL, URI: post.URI, At: w.clock.Now()}
	if _, err := w.g.Adopt(w.Context(), p); err != nil {
		w.Fatal(err)
	}
	return adoptedID(p), thread, post
}

// gone fails unless post, acknowledgement and all that is kept of them are gone.
func (w *world) gone(id, thread string) {
	w.Helper()
	for range 3 { // the post, what follows from that, and the acknowledgement
		w.sweep()
	}
	sub := w.sub(id)
	if p, ok := w.fedi.Post(string(sub.Post)); ok && !p.Deleted {
		w.Error("the post stands")
	}
	if sub.State != Deleted || sub.Words != "" || len(sub.Media) != 0 || len(sub.Asked) != 0 {
		w.Errorf("the submission is %s with %q, %d media, %d who asked", sub.State, sub.Words, len(sub.Media), len(sub.Asked))
	}
	if left := w.discord.ByBot(thread); len(left) != 0 {
		w.Errorf("the acknowledgement stands: %q", left[0].Content)
	}
}

// last is the ledger's last entry about who had a submission deleted.
func (w *world) last(id string, e ledger.Event) ledger.Entry {
	w.Helper()
	entries, err := w.g.Ledger.Submission(w.Context(), id)
	w.must(err)
	var last ledger.Entry
	for _, one := range entries {
		if one.Event == e {
			last = one
		}
	}
	if last.Event == "" {
		w.Fatalf("nothing was %s: %s", e, w.events(id))
	}
	return last
}

// subject is what the ledger calls somebody.
func (w *world) subject(who string) (subject string) {
	w.Helper()
	w.must(w.store.Write(w.Context(), func(ctx context.Context, tx store.Tx) (err error) {
		subject, err = subjectOf(ctx, tx, community.MemberID(who))
		return err
	}))
	return subject
}

func TestDeleteButtonAsksOnce(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		w := withCommands(t, s)
		id, thread, post := w.stands(1)
		out := w.press(w.ben, thread, verbDelete)
		contains(t, out.Message.Content, "That is not a post of yours")
		if !out.Ephemeral {
			t.Error("others see the refusal")
		}
		out = w.press(w.ada, thread, verbDelete)
		contains(t, out.Message.Content, post.URL, "for good?")
		w.sweep()
		if p, _ := w.fedi.Post(post.ID); p.Deleted || w.sub(id).State != Posted {
			t.Fatal("it was deleted without the second press")
		}
		contains(t, w.pressOn(w.ada, *out.Message, verbKeep).Message.Content, "stays")
		out = w.press(w.ada, thread, verbDelete)
		for _, button := range buttons(*out.Message) {
			if strings.HasPrefix(button, discord.CustomID(action, verbSure)) {
				in, err := w.discord.PressButton(w.ada, out.Message.ID, button)
				w.must(err)
				if got := w.comes(in); got != deletedOn {
					t.Errorf("she is told %q", got)
				}
			}
		}
		w.gone(id, thread)
		if got := w.events(id); got != "offered agreed posted deleted gone" {
			t.Errorf("the ledger has %q", got)
		}
		if e := w.last(id, ledger.Deleted); e.By != w.subject(w.ada) || e.Via != "button" || e.Post != post.URL {
			t.Errorf("the ledger says %+v", e)
		}
	})
}

// A post is named in any way that people know it by.
func TestDeleteByWhateverNamesThePost(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := withCommands(t, s)
		direct := w.direct(w.ada)
		refs := map[string]func(post fedisim.Post, sub *submission) string{
			"its id":             func(p fedisim.Post, _ *submission) string { return p.ID },
			"its address":        func(_ fedisim.Post, s *submission) string { return s.PostURL },
			"with a query":       func(_ fedisim.Post, s *submission) string { return s.PostURL + "?foo=bar#there" },
			"with a slash":       func(_ fedisim.Post, s *submission) string { return s.PostURL + "/" },
			"without a scheme":   func(_ fedisim.Post, s *submission) string { return strings.TrimPrefix(s.PostURL, "https://") },
			"in angles":          func(_ fedisim.Post, s *submission) string { return " <" + s.PostURL + "> " },
			"as a markdown link": func(_ fedisim.Post, s *submission) string { return "[the owl](" + s.PostURL + ")" },
			"its URI":            func(_ fedisim.Post, s *submission) string { return s.PostURI },
			"another page of it": func(p fedisim.Post, _ *submission) string { return "https://MASTODON.example/deck/@gallery/" + p.ID },
			"Pleroma's page":     func(p fedisim.Post, _ *submission) string { return "https://mastodon.example/notice/" + p.ID },
			"an embed":           func(_ fedisim.Post, s *submission) string { return s.PostURL + "/embed" },
			"its code":           func(_ fedisim.Post, s *submission) string { return shownCode(s.Code) },
			"its code, quoted":   func(_ fedisim.Post, s *submission) string { return "`" + strings.ToLower(s.Code) + "`" },
		}
		id, thread, post := w.made(1)
		for name, ref := range refs {
			f, err := w.g.find(t.Context(), ref(post, w.sub(id)))
			w.must(err)
			if len(f.all) != 1 || f.all[0].ID != id || f.code != strings.Contains(name, "code") {
				t.Errorf("%s, %q: found are %+v", name, ref(post, w.sub(id)), f)
			}
		}
		if got := w.later(w.ada, direct, "delete_fedi", discordsim.Args{"post": refs["as a markdown link"](post, w.sub(id))}); got != deletedOn {
			t.Errorf("she is told %q", got)
		}
		w.gone(id, thread)
	})
}

func TestDeleteFindsNothingElse(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := withCommands(t, s)
		id, _, post := w.made(1)
		for _, ref := range []string{"nothing", "https://other.example/@gallery/" + post.ID, "https://mastodon.example/@gallery/12345", "https://mastodon.example", "AAAA-BBBB-CCCC",
			"' or 1=1 --", "%", strings.Repeat("x", 1900), "://", "http://[::1"} {
			if got := w.said(w.ada, w.text, "delete_fedi", discordsim.Args{"post": ref}); !strings.Contains(got, "I know of no such post") {
				t.Errorf("%.40q: %q", ref, got)
			}
		}
		contains(t, w.said(w.ada, w.direct(w.ada), "delete_fedi", nil), "I know of no such post", "delete code")
		if w.sub(id).State != Posted {
			t.Error("something was deleted")
		}
	})
}

func TestWhoMayDelete(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := withCommands(t, s)
		id, thread, post := w.made(1)
		url := discordsim.Args{"post": post.URL}
		got := w.said(w.ben, w.text, "delete_fedi", url)
		contains(t, got, "That is not a post of yours")
		if strings.Contains(got, "ada") || strings.Contains(got, w.ada) {
			t.Errorf("it says whose it is: %q", got)
		}
		contains(t, w.said(w.ben, thread, "delete_fedi", nil), "That is not a post of yours")
		// A moderator is one where they moderate, not in direct messages, nor in
		// another guild.
		contains(t, w.said(w.mod, w.direct(w.mod), "delete_fedi", url), "That is not a post of yours")
		other := w.discord.AddGuild("Crows")
		elsewhere := w.discord.AddChannel(other, "general", discordsim.Text)
		w.discord.Join(other, w.mod, w.discord.AddRole(other, "moderators", discordsim.ManageMessages))
		w.discord.BotJoins(other, discordsim.ViewChannel|discordsim.SendMessages)
		w.must(w.discord.WaitFor(w.patience(), func(s *discordsim.Server) bool { return len(s.Commands(other)) > 0 }))
		contains(t, w.said(w.mod, elsewhere, "delete_fedi", url), "That is not a post of yours")
		if w.sub(id).State != Posted {
			t.Fatal("it is deleted")
		}
		// In theirs it is a takedown, which the artist hears of.
		if got := w.later(w.mod, w.text, "delete_fedi", url); got != deletedOn {
			t.Errorf("the moderator is told %q", got)
		}
		w.gone(id, thread)
		if e := w.last(id, ledger.TakenDown); e.By != "moderator "+w.subject(w.mod) || e.Via != "command" {
			t.Errorf("the ledger says %+v", e)
		}
		told := w.discord.Messages(w.discord.DMChannel(w.ada))
		if len(told) != 1 {
			t.Fatalf("the artist got %d messages", len(told))
		}
		contains(t, told[0].Content, "Owls", post.URL, "taken down")
	})
}

func TestWhoeverHasTheCodeMayDelete(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := withCommands(t, s)
		id, thread, _ := w.made(1)
		code := w.sub(id).Code
		stranger := w.discord.AddUser("zoe") // of no guild of ours
		w.discord.InstallForUser(stranger)
		there := w.discord.PrivateChannel(stranger, w.ben)
		if got := w.later(stranger, there, "delete_fedi", discordsim.Args{"post": strings.ToLower(shownCode(code))}); got != deletedOn {
			t.Errorf("told %q", got)
		}
		w.gone(id, thread)
		if e := w.last(id, ledger.Deleted); e.By == w.subject(w.ada) || !strings.Contains(e.By, "delete code") || e.Via != "code" {
			t.Errorf("the ledger says %+v", e)
		}
		if n := w.count(`select count(*) from gallery_artist where member = $1`, stranger); n != 0 {
			t.Error("the ledger has a name for them now")
		}
		contains(t, w.said(w.ada, w.text, "delete_fedi", discordsim.Args{"post": code}), "deleted before")
	})
}

// ⚠ A delete always finds the post: the thread may be gone, its artist may have
// left.
func TestDeleteWorksAfterTheThreadIsGone(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := withCommands(t, s)
		id, thread, post := w.made(1)
		direct := w.direct(w.ada)
		w.discord.DeleteChannel(thread)
		w.discord.Kick(w.guild, w.ada)
		w.discord.InstallForUser(w.ada)
		if got := w.later(w.ada, direct, "delete_fedi", discordsim.Args{"post": post.URL}); got != deletedOn {
			t.Errorf("she is told %q", got)
		}
		w.gone(id, thread)
	})
}

// ⚠ What is gone from the server already counts as deleted.
func TestDeleteOfWhatIsGoneIsDone(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := withCommands(t, s)
		id, thread, post := w.made(1)
		w.rook.Delete(post.ID)
		if got := w.later(w.ada, thread, "delete_fedi", nil); got != deletedOn {
			t.Errorf("she is told %q", got)
		}
		w.gone(id, thread)
		contains(t, w.said(w.ada, thread, "delete_fedi", nil), "deleted before")
		contains(t, w.said(w.ada, w.text, "delete_fedi", discordsim.Args{"post": post.URL}), "deleted before")
	})
}

func TestDeleteInTheThreadAsksWhichOfSeveral(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := withCommands(t, s)
		id, thread, post := w.made(1)
		second, err := w.discord.Say(w.ada, thread, discordsim.Draft{Content: "another owl", Files: []discordsim.File{picture(2)}})
		w.must(err)
		w.menu(w.ada, thread, second)
		offers := w.discord.ByBot(thread)
		var other string
		w.must(s.QueryRow(t.Context(), `select id from gallery_submission where state = 'offered'`).Scan(&other))
		w.pressOn(w.ada, offers[len(offers)-1], verbPost)
		w.posted(other)
		out := w.slash(w.ada, thread, "delete_fedi", nil)
		contains(t, out.Message.Content, "Which one", post.URL, w.sub(other).PostURL)
		if n := len(buttons(*out.Message)); n != 2 {
			t.Fatalf("%d buttons", n)
		}
		in, err := w.discord.PressButton(w.ada, out.Message.ID, discord.CustomID(action, verbDelete, other))
		w.must(err)
		out = w.answered(in)
		contains(t, out.Message.Content, "for good?", w.sub(other).PostURL)
		if w.sub(id).State != Posted || w.sub(other).State != Posted {
			t.Error("something was deleted unasked")
		}
		// In a channel that is no thread one is asked even about a single one.
		third, err := w.discord.Say(w.ada, w.text, discordsim.Draft{Content: "an owl", Files: []discordsim.File{picture(3)}})
		w.must(err)
		w.menu(w.ada, w.text, third)
		w.must(s.QueryRow(t.Context(), `select id from gallery_submission where state = 'offered'`).Scan(&other))
		w.press(w.ada, w.text, verbPost)
		w.posted(other)
		contains(t, w.said(w.ada, w.text, "delete_fedi", nil), "Which one", w.sub(other).PostURL)
	})
}

// What is not posted yet is taken back by the same command.
func TestDeleteTakesBackWhatIsNotPostedYet(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		w := withCommands(t, s)
		id, thread := w.begin(w.ada, "offered", picture(1))
		contains(t, w.said(w.ada, thread, "delete_fedi", nil), "Nothing is posted")
		w.sweep()
		if s := w.sub(id); s.State != Withdrawn || len(w.discord.ByBot(thread)) != 0 {
			t.Errorf("the offer is %s", s.State)
		}
		id, thread = w.share("accepted", picture(2))
		contains(t, w.said(w.ada, thread, "delete_fedi", nil), "Nothing is posted")
		w.work()
		if s := w.sub(id); s.State != Withdrawn {
			t.Errorf("what was accepted is %s", s.State)
		}
		id, thread = w.share("taken back by a moderator", picture(3))
		contains(t, w.said(w.mod, thread, "delete_fedi", nil), "Nothing is posted")
		if e := w.last(id, ledger.Withdrawn); e.By != "moderator "+w.subject(w.mod) {
			t.Errorf("the ledger says that %q has taken it back", e.By)
		}
		w.work()
		w.silent()
	})
}

// A post that is under way is deleted as soon as it is known to stand.
func TestDeleteOfAPostThatIsUnderWay(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := withCommands(t, s)
		id, thread := w.share("owls", picture(1))
		w.fedi.Inject(fedisim.Reset().Stored().On("POST", "/api/v1/statuses").Times(1)) // it stands, and nobody told us
		_, _ = w.worker.share(t.Context(), w.account)                                   // its trouble is the test's
		if got := w.sub(id).State; got != Posting {
			t.Fatalf("it is %s", got)
		}
		in, err := w.discord.Slash(w.ada, thread, "delete_fedi", nil)
		w.must(err)
		w.answered(in)
		for range 10 {
			w.clock.Advance(5 * time.Minute)
			w.sweep()
		}
		if n := len(w.all()); n != 0 {
			t.Errorf("%d posts stand", n)
		}
		w.gone(id, thread)
	})
}

// A deletion waits for a server that is down; whoever asks meanwhile is told
// once, when it is done.
func TestDeleteWaitsForTheServerAndTellsEachOnce(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		w := withCommands(t, s)
		id, thread, post := w.stands(1)
		w.fedi.Down(503)
		var asked []*discordsim.Interaction
		for _, who := range []string{w.ada, w.mod, w.ada} {
			in, err := w.discord.Slash(who, thread, "delete_fedi", discordsim.Args{"post": post.URL})
			w.must(err)
			w.answered(in)
			asked = append(asked, in)
		}
		w.discord.Repeat(asked[0]) // as the gateway may
		w.must(w.discord.WaitDelivered(w.patience()))
		w.sweep()
		contains(t, w.offer(thread).Content, "being deleted")
		if s := w.sub(id); s.State != Deleting || s.Words == "" {
			t.Errorf("it is %s with the words %q", s.State, s.Words)
		}
		w.fedi.Up()
		for range 5 {
			w.clock.Advance(2 * time.Minute)
			w.sweep()
		}
		w.gone(id, thread)
		for i, in := range asked {
			out, err := in.WaitDone(w.patience())
			if err != nil || out.Message == nil || out.Message.Content != deletedOn || len(out.Followups) != 0 {
				t.Errorf("number %d is told %+v, %v", i, out, err)
			}
		}
		if n := strings.Count(w.events(id), "deleted"); n != 1 || strings.Contains(w.events(id), "taken_down") {
			t.Errorf("the ledger has %s", w.events(id))
		}
	})
}

// When the token of the command is worthless, the answer is a direct message.
func TestDeleteIsToldAfterTheTokenIsDead(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := withCommands(t, s)
		id, thread, _ := w.made(1)
		w.fedi.Down(503)
		in, err := w.discord.Slash(w.ada, thread, "delete_fedi", nil)
		w.must(err)
		w.answered(in)
		w.sweep()
		w.clock.Advance(20 * time.Minute)
		w.discord.ExpireToken(in)
		w.fedi.Up()
		for range 6 {
			w.sweep()
			w.clock.Advance(10 * time.Minute)
		}
		w.gone(id, thread)
		direct := w.discord.Messages(w.discord.DMChannel(w.ada))
		if len(direct) != 1 || !strings.Contains(direct[0].Content, deletedOn) {
			t.Errorf("she got %+v", direct)
		}
	})
}

func TestARefusedDeletionLeavesThePost(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := withCommands(t, s)
		id, thread, post := w.made(1)
		w.fedi.Inject(fedisim.Fail(403).On("DELETE", "/api/v1/statuses/").Always())
		in, err := w.discord.Slash(w.ada, thread, "delete_fedi", nil)
		w.must(err)
		w.answered(in)
		for range 12 { // it is tried again: some servers say no to what they cannot do just now
			w.sweep()
			w.clock.Advance(5 * time.Minute)
		}
		direct := w.discord.Messages(w.discord.DMChannel(w.ada)) // the command's token is dead by then
		if len(direct) != 1 {
			t.Fatalf("she got %+v", direct)
		}
		contains(t, direct[0].Content, "could not be deleted on mastodon.example", "Those who run the bot have been told")
		if s := w.sub(id); s.State != Posted || len(s.Asked) != 0 || s.PostURL != post.URL {
			t.Errorf("it is %+v", s)
		}
		contains(t, w.told.String(), "operator", post.URL)
		w.sweep()
		contains(t, w.offer(thread).Content, post.URL, "could not be deleted")
		// And again, once that is mended.
		w.fedi.ClearFaults()
		if got := w.later(w.ada, thread, "delete_fedi", nil); got != deletedOn {
			t.Errorf("the second time she is told %q", got)
		}
		w.gone(id, thread)
	})
}

// A post whose account is not in the configuration any more stays, and asker
// and operator are told what to do.
func TestDeleteOfAPostWhoseAccountIsGone(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		off := false
		w := newWorld(t, s, options{commands: true, account: func(a *Account) {
			if off {
				a.ID, a.Handle = "another", "other@art.example"
			}
		}})
		id, thread, post := w.stands(1)
		off = true
		contains(t, w.said(w.ada, thread, "delete_fedi", nil), post.URL, "not mine any more")
		out := w.press(w.ada, thread, verbDelete)
		contains(t, w.pressOn(w.ada, *out.Message, verbSure).Message.Content, "not mine any more")
		contains(t, w.told.String(), "operator gallery/strange/"+id, post.URL, "not in the configuration any more")
		if s := w.sub(id); s.State != Posted || strings.Contains(w.events(id), "deleted") {
			t.Errorf("it is %s: %s", s.State, w.events(id))
		}
		off = false
		if got := w.later(w.ada, thread, "delete_fedi", nil); got != deletedOn {
			t.Errorf("after the account is back she is told %q", got)
		}
	})
}

// A part of a thread names the whole.
func TestDeleteByAPartOfTheThread(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := withCommands(t, s)
		var files []discordsim.File
		for n := range 6 {
			files = append(files, picture(n))
		}
		id, thread := w.share("owls", files...)
		w.posted(id)
		posts := w.all()
		if len(posts) != 2 {
			t.Fatalf("%d posts", len(posts))
		}
		if got := w.later(w.ada, w.direct(w.ada), "delete_fedi", discordsim.Args{"post": posts[1].URL}); got != deletedOn {
			t.Errorf("told %q", got)
		}
		if n := len(w.all()); n != 0 {
			t.Errorf("%d posts stand", n)
		}
		w.gone(id, thread)
	})
}

// Another process ends what one has begun.
func TestDeleteGoesOnInAnotherProcess(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := withCommands(t, s)
		id, thread, _ := w.made(1)
		w.fedi.Down(503)
		in, err := w.discord.Slash(w.ada, thread, "delete_fedi", nil)
		w.must(err)
		w.answered(in)
		w.fedi.Up()
		w.restart()
		for range 3 {
			w.clock.Advance(2 * time.Minute)
			w.sweep()
		}
		w.gone(id, thread)
		out, err := in.WaitDone(w.patience())
		if err != nil || out.Message == nil || out.Message.Content != deletedOn {
			t.Errorf("she is told %+v, %v", out, err)
		}
	})
}
