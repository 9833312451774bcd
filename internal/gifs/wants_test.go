package gifs

import (
	"context"
	"testing"
	"time"

	"rookery/internal/community"
	"rookery/internal/inbox"
	"rookery/internal/sim/boorusim"
	"rookery/internal/sim/fedisim"
	"rookery/internal/store"
)

// A bare mention asks for any picture where it can mean nothing else: not in a
// thread, where clients mention everybody by themselves.
func TestABareMention(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		post community.Post
		want bool
	}{
		"alone":          {community.Post{}, true},
		"in a thread":    {community.Post{ParentID: "1"}, false},
		"with a picture": {community.Post{Media: []community.Attachment{{ID: "1"}}}, false},
		"with others":    {community.Post{Mentions: []community.Member{{ID: "2"}, {ID: "3"}}}, false},
	} {
		c.post.Text, c.post.Author = "@rook", community.Member{ID: "1", Handle: "ada@art.example"}
		g := &GIFs{Config: Config{Word: "gif"}}
		g.Join(selfless{})
		if ok, why := g.Of(false).Wants(community.Mention{Post: c.post}); ok != c.want {
			t.Errorf("%s: %v, %q", name, ok, why)
		}
	}
}

// anything is a board that has one picture for each of some tags.
func anything() []boorusim.Image {
	return []boorusim.Image{picture([]string{"cat"}), picture([]string{"dog"}), picture([]string{"random"}), picture([]string{"gif tag"})}
}

// What a post asks for, on an account that does nothing else and on one that
// does.
func TestWhatIsARequest(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text       string
		alone      string // what is looked for; "-" if it is no request
		withOthers string
	}{
		{"@rook cat", "cat", "-"},
		{"@rook gif cat", "cat", "cat"},
		{"@rook GIF: cat", "cat", "cat"},
		{"@rook /gif cat", "cat", "cat"},
		{"@rook gif, cat", "cat", "cat"},
		{"@rook “gif” cat", "cat", "cat"},
		{"@rook gif random", "random", "random"},
		{"@rook gif", "", ""},
		{"@rook GIF!", "", ""},
		{"@rook gif\ncat", "cat", "cat"},
		{"@rook@rook.example gif cat", "cat", "cat"},
		{"@ rook gif cat", "cat", "cat"},
		{"＠rook gif cat", "cat", "cat"},
		{"@rook @ben @cleo@art.example: gif cat", "cat", "cat"},
		{"@rook, gif cat", "cat", "cat"},
		{"\u2066@rook\u2069 gif cat", "cat", "cat"},
		{"@rook gif cat @ben", "cat @ben", "cat @ben"},
		{"gif cat @rook", "cat @rook", "cat @rook"},
		{"@rook gifs cat", "gifs cat", "-"},
		{"@rook what a gif", "what a gif", "-"},
		{"@rook gift", "gift", "-"},
		{"@rook", "", "-"},
		{"@rook !!! …", "-", "-"},
	} {
		for _, withOthers := range []bool{false, true} {
			g := &GIFs{Config: Config{Word: "gif"}}
			g.Join(selfless{})
			m := community.Mention{Post: community.Post{Text: c.text, Author: community.Member{ID: "1", Handle: "ada@art.example"}}}
			want := c.alone
			if withOthers {
				want = c.withOthers
			}
			ok, why := g.Of(withOthers).Wants(m)
			if ok != (want != "-") || ok == (why != "") {
				t.Errorf("%q, with others %v: %v, %q", c.text, withOthers, ok, why)
			}
			if text, _ := wish(m.Post, "gif", false); ok && text != want {
				t.Errorf("%q asks for %q, not %q", c.text, text, want)
			}
		}
	}
}

// selfless is a server that knows who we are and nothing more.
type selfless struct{ fediClient }

func (selfless) Self(community.AccountID) (community.Member, error) {
	return community.Member{ID: "us"}, nil
}

func FuzzRequest(f *testing.F) {
	for _, s := range []string{"@rook gif cat", "@ rook,,, \"a", "gif:", "@rook@a.b.c: -x", "\u2066@rook\u2069", "@@@@", "gif\x00\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, needed := range []bool{true, false} {
			got, ok := wish(community.Post{Text: text}, "gif", needed)
			if len(got) > len(text) || !needed && !ok {
				t.Errorf("%q asks for %q, %v", text, got, ok)
			}
		}
	})
}

// A bot, whoever asks for no bots, and a reply to us without the word get
// nothing; whoever told us to stop neither, also if they did so after asking.
func TestWhoGetsNothing(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		stopped := map[string]bool{}
		w := newWorld(t, s, options{gifs: func(c *Config) {
			c.Stopped = func(_ context.Context, _ inbox.Rows, handles ...string) (map[string]bool, error) {
				out := map[string]bool{}
				for _, h := range handles {
					if stopped[h] {
						out[h] = true
					}
				}
				return out, nil
			}
		}}, anything()...)
		w.sim.AddAccount("robot", fedisim.Bot()).Post("@rook cat")
		w.sim.AddAccount("shy", fedisim.Note("<p>No bots please. #nobot</p>")).Post("@rook cat")
		w.round()
		w.silent()
		w.are("ignored 2")
		tired := w.ask("cat")
		w.poll()
		stopped[member(community.Mention{Post: community.Post{Author: community.Member{Handle: w.ada.Handle()}}})] = true
		if n, err := w.gifs.Answer(t.Context(), w.account, -1); n != 0 || err != nil {
			t.Fatal(n, err)
		}
		if len(w.replies(tired)) != 0 || len(w.board.Searches()) != 0 {
			t.Error("somebody who told us to stop was answered")
		}
		// Not even with the word that too much of theirs waits.
		w.gifs.Queue = -1
		w.ask("cat")
		w.poll()
		w.sweep()
		w.silent()
		w.are("ignored 4")
		if state, why := w.state(); state != "ignored" || why != "its author has told us to stop" {
			t.Error(state, why)
		}
	})
}

// A reply to a post of ours is most often thanks: only the word makes a
// request of it.
func TestReplyToOurPostNeedsTheWord(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{}, anything()...)
		w.ask("cat")
		w.round()
		ours := w.sim.PostsBy(w.bot.ID)[0]
		w.ask("thank you, what a lovely cat!", fedisim.ReplyTo(ours.ID))
		w.ask("and a dog", fedisim.ReplyTo(ours.ID))
		if n := w.round(); n != 0 {
			t.Errorf("%d answers to thanks", n)
		}
		more := w.ask("gif dog", fedisim.ReplyTo(ours.ID))
		elsewhere := w.ask("dog", fedisim.ReplyTo(w.ada.Post("I miss my dog").ID))
		w.clock.Advance(2 * time.Hour)
		w.gifs.NoRepeat = 0
		if n := w.round(); n != 2 {
			t.Errorf("%d answers", n)
		}
		w.reply(more)
		w.reply(elsewhere)
	})
}
