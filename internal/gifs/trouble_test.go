package gifs

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"rookery/internal/booru"
	"rookery/internal/media"
	"rookery/internal/sim/boorusim"
	"rookery/internal/sim/fedisim"
	"rookery/internal/store"
)

// Whatever a board serves in place of a picture, the request comes to an end
// that its asker hears of, nothing stays behind, and others are answered.
func TestFilesThatAreNone(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{media: func(o *media.Options) { o.MaxDownload = 1 << 20 }})
		cases := []struct {
			file  boorusim.File
			shown bool
		}{
			{boorusim.File{Kind: boorusim.HugeCanvas}, false},
			{boorusim.File{Kind: boorusim.HalfFile}, false},
			{boorusim.File{Kind: boorusim.PNGFile}, false},
			{boorusim.File{Kind: boorusim.HTMLFile}, false},
			{boorusim.File{Kind: boorusim.EmptyFile}, false},
			{boorusim.File{Kind: boorusim.EndlessFile}, false},
			{boorusim.File{Kind: boorusim.HeavyGIF, Size: 30 << 20}, false},
			{boorusim.File{Kind: boorusim.MovedFile}, false},
			{boorusim.File{Kind: boorusim.MovedFile, To: "http://169.254.169.254/latest/meta-data/"}, false},
			{boorusim.File{Kind: boorusim.MissingFile}, false},
			{boorusim.File{Kind: boorusim.BrokenFile}, false},
			{boorusim.File{Kind: boorusim.ResetFile}, false},
			{boorusim.File{Kind: boorusim.WrongLength}, false},
			{boorusim.File{Kind: boorusim.Whole, Bytes: []byte("GIF89a")}, false},
			{boorusim.File{Kind: boorusim.Whole, Bytes: boorusim.GIF(20, 20, 1)}, false},
			{boorusim.File{Kind: boorusim.WrongType}, true},
			{boorusim.File{Kind: boorusim.NoLength}, true},
			{boorusim.File{Kind: boorusim.SlowFile, Delay: time.Millisecond}, true},
			{boorusim.File{Kind: boorusim.Drawn}, true},
		}
		var bad, good []fedisim.Post
		for n, c := range cases {
			w.board.Add(picture([]string{fmt.Sprint("c", n)}, func(im *boorusim.Image) { im.Files = map[string]boorusim.File{boorusim.All: c.file} }),
				picture([]string{fmt.Sprint("good", n)}))
			bad = append(bad, w.sim.AddAccount(fmt.Sprint("bad", n)).Post(fmt.Sprint("@rook c", n)))
			good = append(good, w.sim.AddAccount(fmt.Sprint("good", n)).Post(fmt.Sprint("@rook good", n)))
		}
		w.rounds(8)
		for n, c := range cases {
			w.medium(w.reply(good[n]))
			if r := w.reply(bad[n]); c.shown != (len(r.Media) == 1) {
				t.Errorf("%+v: %q, %d media", c.file, r.Text, len(r.Media))
			} else if !c.shown {
				contains(t, r.Text, fmt.Sprint("I found one, but this server takes it in no form I can make. It is here: ", w.board.URL(), "/images/", 2*n+1))
			}
		}
		for _, m := range w.sim.Uploads() {
			if !m.Animated {
				t.Errorf("uploaded what does not move: %+v", m)
			}
		}
	})
}

// A picture whose host is in trouble is its request's alone: others are
// answered meanwhile, and it is shown when the host is back.
func TestHostOfAFileInTrouble(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{}, picture([]string{"cat"}), picture([]string{"dog"}))
		w.board.Inject(boorusim.Fault{Kind: boorusim.Unavailable, Files: true, RetryAfter: 5 * time.Minute})
		cat := w.ask("cat")
		w.round()
		dog := w.ask("dog")
		w.round()
		w.medium(w.reply(dog))
		w.clock.Advance(4 * time.Minute)
		w.round()
		if len(w.replies(cat)) != 0 {
			t.Error("the host was asked before its time")
		}
		w.clock.Advance(2 * time.Minute)
		w.round()
		w.medium(w.reply(cat))
	})
}

// What a board says of a picture cannot harm: the reply fits and mentions
// nobody, whatever the tags.
func TestTagsOfAllKinds(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{gifs: func(c *Config) { c.NoRepeat, c.Queue = 0, 100 }},
			picture([]string{"one", strings.Repeat("very long tag ", 400), "😀", "nul\x00byte", "\u202eright to left", `"`, "<b>bold</b>", "\xff\xfe", "line\nbreak", "@ben"},
				by(strings.Repeat("artist ", 800), "nul\x00", "<script>", "\u202eben", "@ben", "#x")),
			picture([]string{"two", "", " ", "artist:", ":", "::"}, by("", " ")))
		asked := map[string]fedisim.Post{}
		for _, text := range []string{"one", "two", "one 😀", `one "very long tag`, "nul\x00byte", "“unbalanced", `"""`, strings.Repeat("word ", 1000),
			strings.Repeat("w", 5000), `"` + strings.Repeat("long phrase ", 500) + `"`, "one \u202e two", "😀😀😀", "-one -two", "\\\\\\", "%00", "one\ttwo\r\nthree", "🏳️‍🌈 flag", "ein Überraschungsei"} {
			asked[text] = w.ask("gif " + text)
		}
		w.rounds(3)
		for text, q := range asked {
			r := w.reply(q)
			if len(r.Mentions) != 1 || utf8.RuneCountInString(r.Text) > 500 || !utf8.ValidString(r.Text) || strings.ContainsAny(r.Text, "\x00#") {
				t.Errorf("%.40q: %d characters, %q", text, utf8.RuneCountInString(r.Text), r.Text)
			}
			for _, m := range r.Media {
				if m.Description == "" || utf8.RuneCountInString(m.Description) > 1500 || strings.Contains(m.Description, "\x00") {
					t.Errorf("%.40q: %q", text, m.Description)
				}
			}
			if text == "one" {
				w.medium(r)
			}
		}
	})
}

// Whatever a board answers, the request ends with a picture once the board is
// well again, or with the word that there is none.
func TestBoardsThatAnswerRubbish(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		var told []error
		w := newWorld(t, s, options{impatient: true, gifs: func(c *Config) {
			c.NoRepeat = 0
			c.Trouble = func(_ context.Context, _ string, err error) { told = append(told, err) }
		}}, many(3)...)
		for n, c := range []struct {
			fault boorusim.Fault
			none  bool // it looks as if there were no picture
		}{
			{boorusim.Fault{Kind: boorusim.RateLimited}, false},
			{boorusim.Fault{Kind: boorusim.RateLimited, RetryAfter: time.Hour}, false},
			{boorusim.Fault{Kind: boorusim.ServerError}, false},
			{boorusim.Fault{Kind: boorusim.Challenge}, false},
			{boorusim.Fault{Kind: boorusim.BadGateway}, false},
			{boorusim.Fault{Kind: boorusim.Unavailable, RetryAfter: time.Minute}, false},
			{boorusim.Fault{Kind: boorusim.Forbidden}, false},
			{boorusim.Fault{Kind: boorusim.HTMLPage}, false},
			{boorusim.Fault{Kind: boorusim.Garbage}, false},
			{boorusim.Fault{Kind: boorusim.EmptyBody}, false},
			{boorusim.Fault{Kind: boorusim.HugeJSON, Size: 6 << 20}, false},
			{boorusim.Fault{Kind: boorusim.Deep}, false},
			{boorusim.Fault{Kind: boorusim.Hang}, false},
			{boorusim.Fault{Kind: boorusim.Reset, Times: 2}, false},
			{boorusim.Fault{Kind: boorusim.Elsewhere, To: "http://10.0.0.1/"}, false},
			{boorusim.Fault{Kind: boorusim.Slow, Delay: time.Millisecond}, false},
			{boorusim.Fault{Kind: boorusim.CutOff}, false},
			{boorusim.Fault{Kind: boorusim.Truncated}, false},
			{boorusim.Fault{Kind: boorusim.WrongTypes}, true},
			{boorusim.Fault{Kind: boorusim.Nulls}, true},
			{boorusim.Fault{Kind: boorusim.NoResults}, true},
		} {
			told = nil
			w.board.ClearFaults()
			w.board.Inject(c.fault)
			q := w.ask("cat")
			w.rounds(10)
			if r := w.reply(q); c.none {
				contains(t, r.Text, "found no animated picture")
			} else if len(r.Media) != 1 {
				t.Errorf("%s: %q", c.fault.Kind, r.Text)
			}
			w.are(fmt.Sprint("done ", n+1))
			if len(told) == 0 || told[len(told)-1] != nil {
				t.Errorf("%s: whoever watches the boards heard %v", c.fault.Kind, told)
			}
		}
	})
}

// twoBoards is a world whose account asks two boards, the second of which has
// these pictures.
func twoBoards(t *testing.T, s *store.Store, first, second []boorusim.Image) (w *world, other *boorusim.Server) {
	t.Helper()
	other, err := boorusim.Start(boorusim.Config{Board: boorusim.E621, NoLimits: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = other.Close() })
	other.Add(second...)
	return newWorld(t, s, options{sources: func(b booru.Source) []booru.Source {
		old := b.(brisk)
		e, err := booru.NewE621(booru.Options{BaseURL: other.URL(), UserAgent: "Rookery test", Now: old.now})
		if err != nil {
			t.Fatal(err)
		}
		return []booru.Source{b, brisk{e, old.asked, old.clock}}
	}}, first...), other
}

// One of two boards is down: the other is enough, whichever is asked first.
func TestOneOfTwoBoardsIsDown(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w, other := twoBoards(t, s, many(1), many(20))
		w.board.Inject(boorusim.Fault{Kind: boorusim.BadGateway, Times: boorusim.Always})
		for range 8 {
			q := w.ask("cat")
			w.round()
			r := w.reply(q)
			w.medium(r)
			contains(t, r.Text, "Source: "+other.URL()+"/posts/")
		}
	})
}

// One of two boards is down and the other has nothing: it is waited for some
// time, and then the asker is told.
func TestOneBoardIsDownAndTheOtherIsEmpty(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w, _ := twoBoards(t, s, many(3), nil)
		w.board.Inject(boorusim.Fault{Kind: boorusim.BadGateway, Times: boorusim.Always})
		q := w.ask("cat")
		w.poll()
		if _, err := w.gifs.Answer(t.Context(), w.account, -1); booru.ClassOf(err) != booru.Busy {
			t.Errorf("%v", err)
		}
		w.are("waiting 1")
		w.clock.Advance(20 * time.Minute)
		w.rounds(10)
		contains(t, w.reply(q).Text, "found no animated picture")
	})
}

// All boards are down for hours: the request waits, and is answered when one
// is back. Another's request is no different.
func TestAllBoardsAreDown(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w, other := twoBoards(t, s, many(20), many(20))
		for _, b := range []*boorusim.Server{w.board, other} {
			b.Inject(boorusim.Fault{Kind: boorusim.Unavailable, Times: boorusim.Always, RetryAfter: time.Minute})
		}
		var asked []fedisim.Post
		for n := range 4 {
			asked = append(asked, w.sim.AddAccount(fmt.Sprint("m", n)).Post("@rook cat"))
		}
		for range 12 {
			w.poll()
			_, _ = w.gifs.Answer(t.Context(), w.account, -1)
			w.sweep()
			w.clock.Advance(15 * time.Minute)
		}
		w.are("waiting 4")
		w.silent()
		other.ClearFaults()
		w.rounds(8)
		for _, q := range asked {
			w.medium(w.reply(q))
		}
	})
}

// What no board takes is said; what one of two takes is found there.
func TestWhatABoardCannotBeAsked(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w, _ := twoBoards(t, s, []boorusim.Image{picture([]string{"order:score"})}, many(3))
		for range 6 { // whichever is asked first
			w.gifs.NoRepeat = 0
			q := w.ask(`gif "order:score"`)
			w.round()
			w.medium(w.reply(q))
		}
		// The one that can be asked has nothing: that is what is said.
		q := w.ask(`gif "order:rank"`)
		w.round()
		contains(t, w.reply(q).Text, "I looked for “order:rank” and found no animated picture.")
		w.gifs.Sources = w.gifs.Sources[1:]
		q = w.ask(`gif "order:score" @ben`)
		w.round()
		contains(t, w.reply(q).Text, "I cannot look for “order:score”")
	})
}

// A server in trouble is trouble for all: nothing is lost.
func TestServerInTrouble(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		for name, f := range map[string]fedisim.Fault{
			"thread":     fedisim.Fail(503).On("GET", "/api/v1/statuses/*/context").Times(3),
			"upload":     fedisim.Unavailable(time.Minute).On("POST", uploadPath).Times(3),
			"everything": fedisim.Fail(502).On("", "/api/v1/statuses").Times(6),
		} {
			w := newWorld(t, emptied(t, s), options{}, many(9)...)
			w.sim.Inject(f)
			var asked []fedisim.Post
			for n := range 3 {
				asked = append(asked, w.sim.AddAccount(fmt.Sprint("m", n)).Post("@rook cat"))
			}
			w.rounds(10)
			for _, q := range asked {
				if r := w.replies(q); len(r) != 1 || len(r[0].Media) != 1 {
					t.Errorf("%s: %d replies", name, len(r))
				}
			}
		}
	})
}
