package gallery

import (
	"testing"

	"rookery/internal/community"
	"rookery/internal/gallery/ledger"
	"rookery/internal/sim/discordsim"
	"rookery/internal/store"
)

// old is what the program before has left: a thread of Ada's, its message there,
// and a post.
func (w *world) old() (p AdoptedPost, ack string) {
	w.Helper()
	w.set("offers", "off")
	thread, err := w.discord.StartPost(w.ada, w.forum, "old", discordsim.Draft{Content: "an old owl", Files: []discordsim.File{picture(1)}})
	w.must(err)
	ack, err = w.discord.Say(w.discord.AppID(), thread, discordsim.Draft{Content: "Posted, delete with /delete_fedi"})
	w.must(err)
	post := w.rook.Post("an old owl")
	return AdoptedPost{Account: w.app, Target: w.account, Guild: community.GuildID(w.guild), Thread: community.ChannelID(thread), Author: community.MemberID(w.ada),
		Ack: ack, Post: community.PostID(post.ID)}, ack
}

func TestAdoptedPostsAreDeletedAsOnesOwn(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		w := withCommands(t, s)
		p, ack := w.old()
		for i := range 3 {
			if fresh, err := w.g.Adopt(t.Context(), p); err != nil || fresh != (i == 0) {
				t.Fatalf("time %d: %t, %v", i+1, fresh, err)
			}
		}
		id := adoptedID(p)
		if got := w.events(id); got != "adopted" {
			t.Errorf("the ledger has %q", got)
		}
		contains(t, w.last(id, ledger.Adopted).Note, "consent was given there")
		for range 3 { // its address is learnt, its message left alone
			w.work()
		}
		if m, _ := w.discord.Message(ack); m.Content != "Posted, delete with /delete_fedi" {
			t.Errorf("the old message is %q", m.Content)
		}
		if w.sub(id).PostURL == "" {
			t.Error("its address is not known")
		}
		if n := len(w.discord.Messages(w.discord.DMChannel(w.ada))); n != 0 {
			t.Errorf("the artist got %d messages", n)
		}
		thread := string(p.Thread)
		contains(t, w.said(w.ada, thread, "share", nil), "posted already")
		contains(t, w.said(w.ben, thread, "delete_fedi", nil), "not a post of yours")
		contains(t, w.said(w.ada, w.text, "artist posts", nil), w.sub(id).PostURL)
		if got := w.later(w.ada, thread, "delete_fedi", nil); got != deletedOn {
			t.Errorf("she is told %q", got)
		}
		w.gone(id, thread)
		if _, ok := w.discord.Message(ack); ok {
			t.Error("the old message stands")
		}
		if fresh, err := w.g.Adopt(t.Context(), p); err != nil || fresh {
			t.Errorf("after its end it is taken over again: %t, %v", fresh, err)
		}
	})
}

func TestAdoptTellsWhatIsMissing(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := withCommands(t, s)
		p, _ := w.old()
		for name, spoil := range map[string]func(*AdoptedPost){
			"no account": func(p *AdoptedPost) { p.Account = "" },
			"no target":  func(p *AdoptedPost) { p.Target = "" },
			"no author":  func(p *AdoptedPost) { p.Author = "" },
			"no post":    func(p *AdoptedPost) { p.Post = "" },
		} {
			bad := p
			spoil(&bad)
			if fresh, err := w.g.Adopt(t.Context(), bad); err == nil || fresh {
				t.Errorf("%s: %t, %v", name, fresh, err)
			}
		}
		if n := w.count(`select count(*) from gallery_submission`); n != 0 {
			t.Errorf("%d submissions", n)
		}
		// A post that was made here is not another program's.
		w.set("offers", "on")
		id, _, post := w.stands(2)
		mine := p
		mine.Post, mine.Ack = community.PostID(post.ID), ""
		if fresh, err := w.g.Adopt(t.Context(), mine); err != nil || fresh {
			t.Errorf("one of ours: %t, %v", fresh, err)
		}
		if n := w.count(`select count(*) from gallery_submission where post = $1 and id <> $2`, post.ID, id); n != 0 {
			t.Errorf("%d further submissions", n)
		}
		// Without a message, or with one that is known to be of another post.
		p.Ack = ""
		if fresh, err := w.g.Adopt(t.Context(), p); err != nil || !fresh {
			t.Errorf("without a message: %t, %v", fresh, err)
		}
	})
}
