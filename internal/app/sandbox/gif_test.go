package sandbox

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"rookery/internal/clock"
	"rookery/internal/sim/boorusim"
	"rookery/internal/sim/fedisim"
)

// The servers' time moves when the bot's does, and the bot understands it.
func TestHand(t *testing.T) {
	t.Parallel()
	h, err := newHand()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.close(); err != nil {
			t.Error(err)
		}
	})
	remote, err := clock.FollowRemote(t.Context(), h.url)
	if err != nil {
		t.Fatal(err)
	}
	before := time.Now()
	h.move(time.Hour)
	h.move(time.Hour)
	h.followed(t.Context())
	for name, now := range map[string]time.Time{"the servers'": h.now(), "the bot's": remote.Now()} {
		if now.Before(before.Add(119 * time.Minute)) {
			t.Errorf("%s clock shows %s, and the machine's %s", name, now, before)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	h.followed(ended) // does not wait for a bot that is gone
	t.Cleanup(func() { <-remote.Stopped() })
}

// What is on the board lets each step show what it is there for.
func TestGallery(t *testing.T) {
	t.Parallel()
	count := func(tag string, r boorusim.Rating) (n int) {
		for _, im := range gallery() {
			for _, has := range im.Tags {
				if has == tag && (r == "" || im.Rating == r) {
					n++
				}
			}
		}
		return n
	}
	for tag, want := range map[string]int{"bouncing": 1, "rainbow": 1, "sunrise": 1, "stubborn": 1, "rings": 2, "juggling": 2, "clowns": 1,
		"marmalade": 1, "moonlight": 2, "dancing": 5, "calm": 4} {
		if got := count(tag, ""); got != want {
			t.Errorf("%d pictures of %s, not %d", got, tag, want)
		}
	}
	if n := count("moonlight", boorusim.Safe); n != 0 {
		t.Errorf("%d of the unsafe pictures are safe", n)
	}
	if n := count("rings", boorusim.Safe); n != 1 {
		t.Errorf("%d safe pictures of rings", n)
	}
}

// playGIF plays steps in the world of the story “gif”.
func playGIF(t *testing.T, o options, steps ...step) (string, error) {
	t.Helper()
	o.stories = []story{{settings: showing(false)}}
	return tellStory(t, o, steps...)
}

// testPoorPictures: a reply with a picture that lacks something, a file left
// behind, and the pictures themselves, which are kept with the folder.
func testPoorPictures(t *testing.T, program string) {
	out, err := playGIF(t, options{program: program}, step{"It starts", starts}, step{"Ada asks", asksForOne}, step{"Poor replies", func(s *stage) error {
		real := s.fedi.PostsBy(s.elelem.ID)[0]
		for _, poor := range []string{
			"@ada By marble. Source: " + s.page(2),
			"@ada By nobody. Source: " + s.page(1),
		} {
			p := s.elelem.Post(poor, fedisim.Attach(s.elelem.AddMedia("image", "")))
			if _, err := s.pictureIn(p, "bouncing"); err != nil {
				return err
			}
		}
		s.elelem.Post("@ada again", fedisim.Attach(real.MediaIDs...))
		return os.WriteFile(filepath.Join(s.dir, "data", "tmp", "forgotten.gif"), nil, 0o600)
	}}, step{"No picture", func(s *stage) error {
		_, err := s.pictureIn(s.elelem.Post("@ada By marble. Source: "+s.page(1)), "bouncing")
		if u, ok := errors.AsType[*unmet](err); ok {
			s.check(false, u.expected, u.seen)
			return nil
		}
		return err
	}})
	if err == nil {
		t.Fatal("poor pictures, and the story holds:\n" + out)
	}
	wantIn(t, err.Error(), "step 3 (Poor replies), 4 (No picture), 6 (Counted at the end")
	wantIn(t, out, "   2  ✓ held", "expected: a picture of “bouncing”\n", "expected: an alt text that begins with “Animated GIF: bouncing bob, ”",
		"expected: the reply says “By marble.”\n", "expected: a reply with one picture\n", "expected: each reply has a picture of its own\n",
		"forgotten.gif\n", "2 pictures that the bot has shown: ")
	kept, err := os.ReadFile(filepath.Join(keptFolder(t, out), "pictures", "01.gif"))
	if err != nil || !bytes.HasPrefix(kept, []byte("GIF89a")) {
		t.Errorf("the kept picture: %.20q %v", kept, err)
	}
}

// testUnsafePicture: whenever the bot is about to reply, another reply shows
// what is not safe, to everyone.
func testUnsafePicture(t *testing.T, program string) {
	leak := func(s *stage) error {
		unsafe := int64(slices.IndexFunc(gallery(), func(im boorusim.Image) bool { return im.Rating == boorusim.Explicit })) + 1
		answered := map[string]bool{}
		s.fedi.Inject(fedisim.First(func() {
			for _, p := range s.fedi.Timeline() {
				if !answered[p.ID] && p.AccountID != s.elelem.ID {
					answered[p.ID] = true
					s.elelem.Post("@cleo look! "+s.page(unsafe), fedisim.ReplyTo(p.ID), fedisim.Attach(s.elelem.AddMedia("image", "")))
				}
			}
		}).On("POST", postPath).Always())
		return nil
	}
	out, err := playGIF(t, options{program: program}, step{"It starts", starts}, step{"It leaks", leak},
		step{"NSFW is off", nsfwOff}, step{"Orders", asOrders}, step{"Blocked", blocked})
	if err == nil {
		t.Fatal("an unsafe picture, and the story holds:\n" + out)
	}
	wantIn(t, err.Error(), "3 (NSFW is off), 4 (Orders), 5 (Blocked), 7 (Counted at the end")
	wantIn(t, out, "expected: exactly one reply\n", "expected: no picture\n", "expected: a safe picture, or none\n", "seen:     one that is tagged ")
	if strings.Contains(out, "expected: no board is asked\n") {
		t.Error("the board was asked, by nobody")
	}
	keptFolder(t, out)
}
