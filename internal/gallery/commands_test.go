package gallery

import (
	"slices"
	"strings"
	"testing"

	"rookery/internal/sim/discordsim"
	"rookery/internal/store"
)

// slash gives a command and returns what it was answered with at once. Whatever
// it is, only the member sees it.
func (w *world) slash(who, channel, name string, args discordsim.Args) discordsim.Outcome {
	w.Helper()
	in, err := w.discord.Slash(who, channel, name, args)
	w.must(err)
	return w.answered(in)
}

func (w *world) answered(in *discordsim.Interaction) discordsim.Outcome {
	w.Helper()
	out, err := in.Wait(w.patience())
	if err != nil || out.Failed || out.Message == nil && !out.Loading {
		w.Fatalf("the command is not answered: %+v, %v\n%s", out, err, w.log)
	}
	if !out.Ephemeral {
		w.Errorf("others see the answer: %+v", out)
	}
	return out
}

// said is what a command was answered with at once.
func (w *world) said(who, channel, name string, args discordsim.Args) string {
	w.Helper()
	out := w.slash(who, channel, name, args)
	if out.Loading {
		w.Fatalf("/%s is not answered yet", name)
	}
	return out.Message.Content
}

// later gives a command that is answered when its work is done, and returns that
// answer. done does the work.
func (w *world) later(who, channel, name string, args discordsim.Args) string {
	w.Helper()
	in, err := w.discord.Slash(who, channel, name, args)
	w.must(err)
	return w.comes(in)
}

// comes is the answer that comes after "thinking".
func (w *world) comes(in *discordsim.Interaction) string {
	w.Helper()
	if out := w.answered(in); !out.Loading {
		w.Fatalf("it is answered at once: %q", out.Message.Content)
	}
	w.sweep()
	w.sweep()
	out, err := in.WaitDone(w.patience())
	if err != nil || out.Message == nil {
		w.Fatalf("no answer comes: %+v, %v", out, err)
	}
	return out.Message.Content
}

// menu uses the entry of a message's menu.
func (w *world) menu(who, channel, message string) string {
	w.Helper()
	in, err := w.discord.MessageCommand(who, channel, ShareName, message)
	w.must(err)
	out := w.answered(in)
	w.sweep()
	return out.Message.Content
}

// direct is the channel of direct messages with somebody.
func (w *world) direct(who string) string {
	w.Helper()
	channel, _, err := w.discord.DM(who, "hello")
	w.must(err)
	return channel
}

// withCommands is a world in which the commands are registered.
func withCommands(t *testing.T, s *store.Store) *world {
	t.Helper()
	return newWorld(t, s, options{commands: true})
}

func TestCommandsAreOfferedWhereTheGalleryIsOn(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := withCommands(t, s)
		on := map[string]bool{}
		for _, c := range w.g.Commands() {
			on[c.Name] = c.On == nil || c.On(t.Context(), "another guild")
		}
		want := map[string]bool{ShareName: false, "share": false, "artist": false, "delete_fedi": true, "gallery": false}
		for name, anywhere := range want {
			if got, ok := on[name]; !ok || got != anywhere {
				t.Errorf("%s: it is offered in a guild that has turned nothing on: %t, not %t", name, got, anywhere)
			}
		}
		var direct []string
		for _, c := range w.discord.Commands("") {
			direct = append(direct, c.Name)
		}
		if !slices.Contains(direct, "delete_fedi") {
			t.Errorf("in direct messages there are %q", direct)
		}
	})
}

func TestShareFromTheMenuOfOnesOwnMessage(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := withCommands(t, s)
		id, err := w.discord.Say(w.ada, w.text, discordsim.Draft{Content: "look", Files: []discordsim.File{picture(1)}})
		w.must(err)
		if got := w.menu(w.ben, w.text, id); !strings.Contains(got, "your own messages") {
			t.Errorf("Ben is told %q", got)
		}
		if n := w.count(`select count(*) from gallery_submission`); n != 0 {
			t.Fatalf("%d submissions of somebody else's message", n)
		}
		contains(t, w.menu(w.ada, w.text, id), "<#"+w.text+">", "Nothing is sent before that")
		contains(t, w.offer(w.text).Content, "Post this publicly")
		w.menu(w.ada, w.text, id)
		if n := w.count(`select count(*) from gallery_submission`); n != 1 || len(w.discord.ByBot(w.text)) != 1 {
			t.Errorf("a second time makes %d submissions and %d messages", n, len(w.discord.ByBot(w.text)))
		}
		// Once it is posted it is told where.
		var name string
		w.must(s.QueryRow(t.Context(), `select id from gallery_submission`).Scan(&name))
		w.agree(w.ada, name, w.text)
		w.posted(name)
		contains(t, w.menu(w.ada, w.text, id), "posted already", w.sub(name).PostURL)
	})
}

func TestWhatCannotBeSharedFromTheMenu(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := withCommands(t, s)
		say := func(who, text string, files ...discordsim.File) string {
			id, err := w.discord.Say(who, w.text, discordsim.Draft{Content: text, Files: files})
			w.must(err)
			return id
		}
		theirs := say(w.ben, "mine", picture(1))
		forwarded, err := w.discord.Forward(w.ada, theirs, w.text)
		w.must(err)
		bot := w.discord.AddBot("painter")
		w.discord.Join(w.guild, bot)
		for name, c := range map[string]struct{ message, want string }{
			"a forward":    {forwarded, "forwarded"},
			"only words":   {say(w.ada, "no picture"), "nothing in that message"},
			"a bot's":      {say(bot, "made by me", picture(2)), "your own messages"},
			"another's":    {theirs, "your own messages"},
			"another type": {say(w.ada, "text", discordsim.File{Name: "a.txt", Type: "text/plain", Data: []byte("x")}), "nothing in that message"},
		} {
			if got := w.menu(w.ada, w.text, c.message); !strings.Contains(got, c.want) {
				t.Errorf("%s: %q", name, got)
			}
		}
		w.set("roles", "")
		contains(t, w.said(w.mod, w.text, "gallery block", discordsim.Args{"member": w.ada}), "cannot share")
		contains(t, w.menu(w.ada, w.text, say(w.ada, "now", picture(3))), "cannot share from this community")
		if n := w.count(`select count(*) from gallery_submission`); n != 0 {
			t.Errorf("%d submissions", n)
		}
	})
}

func TestShareInOnesThread(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := withCommands(t, s)
		w.set("offers", "off")
		thread, err := w.discord.StartPost(w.ada, w.forum, "a thread", discordsim.Draft{Content: "owls", Files: []discordsim.File{picture(1)}})
		w.must(err)
		contains(t, w.said(w.ada, w.text, "share", nil), "your own thread")
		contains(t, w.said(w.ben, thread, "share", nil), "Somebody else began this thread")
		if n := w.count(`select count(*) from gallery_submission`); n != 0 {
			t.Fatalf("%d submissions", n)
		}
		contains(t, w.said(w.ada, thread, "share", nil), "<#"+thread+">")
		w.sweep()
		contains(t, w.offer(thread).Content, "Post this publicly")
		// One at a time for each thread.
		another, err := w.discord.Say(w.ben, thread, discordsim.Draft{Content: "me too", Files: []discordsim.File{picture(2)}})
		w.must(err)
		contains(t, w.menu(w.ben, thread, another), "Another message of this thread")
		if n := w.count(`select count(*) from gallery_submission`); n != 1 {
			t.Errorf("%d submissions", n)
		}
	})
}

func TestArtistsProfile(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := withCommands(t, s)
		id, thread := w.begin(w.ada, "owls", picture(1))
		contains(t, w.said(w.ada, w.text, "artist profile", nil), "ada")
		contains(t, w.said(w.ada, w.text, "artist profile", discordsim.Args{"name": "Ada Owl", "links": "art.example/ada, <https://owl.example>"}), "Ada Owl", "From now on")
		p, err := profileOf(t.Context(), s, w.sub(id).Artist)
		w.must(err)
		if p.Name != "Ada Owl" || !slices.Equal(p.Links, []string{"https://art.example/ada", "https://owl.example"}) {
			t.Errorf("stored is %+v", p)
		}
		// What is offered just now shows it.
		w.sweep()
		contains(t, w.sub(id).Credit, "Ada Owl", "https://art.example/ada")
		for _, bad := range []string{"not a link", "javascript:alert(1)", "https://me@art.example", strings.Repeat("https://art.example/a ", 6)} {
			contains(t, w.said(w.ada, w.text, "artist profile", discordsim.Args{"links": bad}), "Nothing was changed")
		}
		if again, err := profileOf(t.Context(), s, w.sub(id).Artist); err != nil || again.Name != p.Name || !slices.Equal(again.Links, p.Links) {
			t.Errorf("after a mistake it is %+v, %v", again, err)
		}
		w.agree(w.ada, id, thread)
		contains(t, w.posted(id).Text, "Ada Owl", "https://art.example/ada")
		contains(t, w.said(w.ada, w.direct(w.ada), "artist profile", discordsim.Args{"clear": true}), "ada")
		if p, err := profileOf(t.Context(), s, w.sub(id).Artist); err != nil || p.Name != "" || len(p.Links) != 0 {
			t.Errorf("cleared it is %+v, %v", p, err)
		}
	})
}

func TestArtistsOffers(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := withCommands(t, s)
		_, thread := w.begin(w.ada, "owls", picture(1))
		w.press(w.ada, thread, verbNever)
		w.sweep()
		quiet := func() int64 { return w.count(`select count(*) from gallery_quiet where member = $1`, w.ada) }
		if quiet() != 1 {
			t.Fatal("the wish is not kept")
		}
		contains(t, w.said(w.ada, w.text, "artist offers", discordsim.Args{"ask": true}), "I ask you again")
		if quiet() != 0 {
			t.Error("the wish still stands")
		}
		w.begin(w.ada, "more owls", picture(2)) // and she is asked
		contains(t, w.said(w.ada, w.text, "artist offers", discordsim.Args{"ask": false}), "will not ask")
		direct := w.direct(w.ada)
		contains(t, w.said(w.ada, direct, "artist offers", discordsim.Args{"ask": false}), "in the community where")
		if quiet() != 1 {
			t.Error("a direct message has changed something")
		}
		w.said(w.ada, direct, "artist offers", discordsim.Args{"ask": true})
		if quiet() != 0 {
			t.Error("nothing asks her again")
		}
	})
}

func TestArtistsPosts(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := withCommands(t, s)
		contains(t, w.said(w.ada, w.text, "artist posts", nil), "Nothing that you have shared")
		var ids []string
		for n := range perList + 1 {
			id, _, _ := w.made(n)
			ids = append(ids, id)
		}
		out := w.slash(w.ada, w.direct(w.ada), "artist posts", nil)
		first := *out.Message
		contains(t, first.Content, "6 posts")
		for i, id := range ids {
			sub := w.sub(id)
			if shown := strings.Contains(first.Content, sub.PostURL) && strings.Contains(first.Content, shownCode(sub.Code)); shown != (i > 0) {
				t.Errorf("number %d of %d is shown on the first page: %t", i+1, len(ids), shown)
			}
		}
		second := w.pressOn(w.ada, first, verbPosts)
		contains(t, second.Message.Content, w.sub(ids[0]).PostURL, shownCode(w.sub(ids[0]).Code))
		if strings.Contains(second.Message.Content, w.sub(ids[1]).PostURL) {
			t.Errorf("the second page is %q", second.Message.Content)
		}
		// Somebody else sees nothing of it.
		contains(t, w.said(w.ben, w.text, "artist posts", nil), "Nothing that you have shared")
	})
}

func TestBlockedMembers(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		w := withCommands(t, s)
		contains(t, w.said(w.mod, w.text, "gallery blocked", nil), "Nobody is blocked")
		contains(t, w.said(w.mod, w.text, "gallery block", discordsim.Args{"member": w.ada}), "<@"+w.ada+">", "cannot share")
		contains(t, w.said(w.mod, w.text, "gallery block", discordsim.Args{"member": w.ada}), "anyway")
		contains(t, w.said(w.mod, w.text, "gallery blocked", nil), "<@"+w.ada+">", "<@"+w.mod+">", "November")
		if _, err := w.discord.Slash(w.ben, w.text, "gallery unblock", discordsim.Args{"member": w.ada}); err == nil {
			t.Error("anybody may")
		}
		// It holds where an offer is open, too.
		if n := w.count(`select count(*) from gallery_block where member = $1 and by = $2 and at = $3`, w.ada, w.mod, w.clock.Now().UnixMilli()); n != 1 {
			t.Error("who did so, and when, is not kept")
		}
		contains(t, w.said(w.mod, w.text, "gallery unblock", discordsim.Args{"member": w.ada}), "again")
		contains(t, w.said(w.mod, w.text, "gallery unblock", discordsim.Args{"member": w.ada}), "was not blocked")
		w.begin(w.ada, "owls", picture(1)) // she is asked again
	})
}
