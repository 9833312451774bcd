package gifs

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"rookery/internal/booru"
	"rookery/internal/community"
	"rookery/internal/sim/boorusim"
	"rookery/internal/sim/fedisim"
	"rookery/internal/store"
)

// bad is a board on which nearly nothing is safe. Its safe pictures are 320
// points wide, and no other is.
func bad() (all []boorusim.Image) {
	for n, r := range []boorusim.Rating{boorusim.Explicit, boorusim.Questionable, boorusim.Suggestive, boorusim.Unrated, boorusim.Grotesque, boorusim.Explicit, boorusim.Explicit} {
		all = append(all, picture([]string{"cat", "explicit tag", fmt.Sprint("t", n)}, rated(r), by("someone")))
	}
	return append(all, picture([]string{"cat"}, sized(320, 100)))
}

// shown fails if the bot has posted a picture that is not safe.
func (w *world) shown(safe int) {
	w.Helper()
	n := 0
	for _, p := range w.sim.PostsBy(w.bot.ID) {
		for _, m := range p.Media {
			if m.Width != 320 {
				w.Errorf("in reply to a request, not safe, and shown: %q, %+v", p.Text, m.Description)
			}
			n++
		}
		if p.Sensitive {
			w.Errorf("sensitive: %q", p.Text)
		}
	}
	if n != safe {
		w.Errorf("%d safe pictures shown, not %d", n, safe)
	}
}

// ⚠ NSFW is off until it is turned on for the account: whoever asks is told
// so, and no board hears of it.
func TestNSFWIsOff(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{}, bad()...)
		for _, text := range []string{"nsfw cat", "gif nsfw", "cat, NSFW!", "random nsfw", "“cat” (nsfw)"} {
			q := w.ask(text)
			w.round()
			r := w.reply(q)
			contains(t, r.Text, "NSFW pictures are turned off here.")
			if r.CW != "" || len(r.Media) != 0 {
				t.Errorf("%q: warning %q, %d media", text, r.CW, len(r.Media))
			}
		}
		if n := w.board.Count(); n != 0 {
			t.Errorf("the board was asked %d times", n)
		}
		q := w.ask("nsfw cat -nsfw")
		w.round()
		w.medium(w.reply(q))
		w.shown(1)
	})
}

// injections are texts that are more than a tag in the language of some board.
var injections = []string{
	`"explicit || x"`, `explicit || safe`, `safe OR explicit`, `cat OR explicit`, `cat || explicit`, `cat) || (explicit`, `(cat OR explicit)`,
	`cat, explicit`, `explicit`, `-safe`, `"-safe"`, `!safe`, `NOT safe`, `cat AND NOT safe`, `cat && !safe`, `~explicit`, `cat~0.1`, `explicit^10`,
	`score.gt:0`, `score.gte:-1000000`, `id.gt:0`, `my:faves`, `my:upvotes`, `faved_by:ada`, `uploader:ada`, `width.gt:0`, `"width.gt:0 || safe"`,
	`*`, `"*"`, `?????`, `expl*`, `e?plicit`, `\*`, `cat\`, `cat\, explicit`, `cat\" || explicit || \"`, `"cat\" || explicit || \"x"`, `cat" || "explicit`,
	`rating:e`, `rating:explicit`, `-rating:s`, `rating:s,q,e`, `order:score`, `status:any`, `limit:100`, `filter_id:2`, `&filter_id=2`, `cat%20||%20explicit`,
	"cat\n|| explicit", "cat\x00explicit", "cat\u2028OR explicit", `first_seen_at.lt:now`, `created_at:3 days ago`, `tag_count.gt:0`, `description:cat`,
	`"safe`, `((((((((((`, `))))`, `||`, `&&`, `,`, `"`, `\`, `-`, `--explicit`, `-"-explicit"`, `ｅｘｐｌｉｃｉｔ`, `EXPLICIT`, `exp\u0000licit`,
	`-"safe" -animated -gif`, `"animated, gif, -safe"`, `safe -safe`, `galleryid:1`, `image_id:1`, `sha512_hash:*`, `mime_type:image/gif`, `nsfw:`, `"nsfw"`,
}

// ⚠ No text of a member adds an operator: whatever is asked, nothing but a
// safe picture is shown, by any kind of board.
func TestInjectionsShowNothingUnsafe(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		dan, err := boorusim.Start(boorusim.Config{Board: boorusim.Danbooru, NoLimits: true})
		if err != nil {
			t.Fatal(err)
		}
		defer dan.Close()
		dan.Add(bad()...)
		w := newWorld(t, s, options{gifs: func(c *Config) { c.NoRepeat, c.Queue = 0, 1000 }, sources: func(b booru.Source) []booru.Source {
			old := b.(brisk)
			d, err := booru.NewDanbooru(booru.Options{BaseURL: dan.URL(), UserAgent: "Rookery test", Now: old.now})
			if err != nil {
				t.Fatal(err)
			}
			return []booru.Source{b, brisk{d, old.asked, old.clock}}
		}}, bad()...)
		var asked []fedisim.Post
		for _, text := range injections {
			asked = append(asked, w.ask("gif "+text))
		}
		w.rounds(3)
		for _, q := range asked {
			r := w.reply(q)
			if len(r.Media) > 0 && w.medium(r).Width != 320 || r.Sensitive {
				t.Errorf("%q shows %q", q.Text, r.Text)
			}
		}
		// That the boards were asked at all, and took every query for right.
		searches := append(w.board.Searches(), dan.Searches()...)
		if len(searches) < len(injections) {
			t.Errorf("%d searches only", len(searches))
		}
		for _, r := range searches {
			if r.Err != "" {
				t.Errorf("the board did not understand %q: %s", r.Search, r.Err)
			}
		}
	})
}

// ⚠ A property: whatever a member writes, nothing unsafe is shown, everybody
// gets one reply that mentions nobody else, and it fits.
func TestWhateverIsWrittenNothingUnsafeIsShown(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{gifs: func(c *Config) { c.NoRepeat = 0 }}, bad()...)
		w.sim.AddAccount("ben")
		word := rapid.OneOf(rapid.SampledFrom(injections), rapid.StringN(0, 12, -1), rapid.StringMatching(`[a-z(),|&~^*?":\\. -]{1,20}`),
			rapid.SampledFrom([]string{"explicit", "safe", "cat", "nsfw", "-nsfw", "@ben", "#x", "random", "||", "OR", "AND", "NOT", "-", "(", ")", `"`, `\`, "*", "~1"}))
		text := rapid.Custom(func(rt *rapid.T) string {
			words := rapid.SliceOfN(word, 0, 5).Draw(rt, "words")
			return strings.ReplaceAll(strings.ToValidUTF8(strings.Join(words, rapid.SampledFrom([]string{" ", "", ", "}).Draw(rt, "between")), ""), "\x00", "")
		})
		seed := rand.IntN(1 << 30)
		t.Logf("the texts begin at %d", seed)
		for range 3 {
			asked := map[string]fedisim.Post{}
			for range 15 {
				seed++
				said := text.Example(seed)
				asked[said] = w.sim.AddAccount(fmt.Sprint("m", seed)).Post("@rook gif " + said)
			}
			w.rounds(3)
			for text, q := range asked {
				r := w.reply(q)
				if len(r.Mentions) != 1 || utf8.RuneCountInString(r.Text) > 500 || r.Visibility != "unlisted" {
					t.Errorf("%q: %+v", text, r)
				}
				if len(r.Media) > 0 && w.medium(r).Width != 320 || r.Sensitive {
					t.Errorf("%q shows %q", text, r.Text)
				}
			}
		}
	})
}

// liar is a board that answers what it likes.
type liar struct {
	says  []booru.Image
	asked int
}

func (*liar) Name() string { return "liar" }

func (l *liar) Find(context.Context, booru.Query, int) ([]booru.Image, error) {
	l.asked++
	return slices.Clone(l.says), nil
}

// ⚠ The board's answer is not taken on trust: what is not rated safe, or not
// at all, is not shown to whoever did not ask for it, nor what is on the
// blocklist, whatever was asked.
func TestWhatABoardAnswersIsChecked(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		l := &liar{}
		w := newWorld(t, s, options{gifs: func(c *Config) { nsfwOn(c); c.NoRepeat = 0 }, sources: func(booru.Source) []booru.Source { return []booru.Source{l} }}, picture([]string{"cat"}))
		files := []booru.File{{URL: w.board.CDN() + "/none.gif", Type: "image/gif"}}
		for n, c := range []struct {
			ask string
			im  booru.Image
		}{
			{"cat", booru.Image{Rating: booru.Explicit, Files: files}},
			{"cat", booru.Image{Rating: booru.Questionable, Files: files}},
			{"cat", booru.Image{Rating: booru.Suggestive, Files: files}},
			{"cat", booru.Image{Rating: booru.RatingUnknown, Files: files}},
			{"cat", booru.Image{Rating: booru.Rating(99), Files: files}},
			{"cat", booru.Image{Rating: booru.Safe, Tags: []string{"cat", "loli"}, Files: files}},
			{"cat", booru.Image{Rating: booru.Safe, Tags: []string{"soft gore"}, Files: files}},
			{"nsfw cat", booru.Image{Rating: booru.Explicit, Tags: []string{"filly"}, Files: files}},
			{"nsfw cat", booru.Image{Rating: booru.Explicit, Characters: []string{"loli"}, Files: files}},
			{"cat", booru.Image{Rating: booru.Safe}}, // no file
		} {
			c.im.Source, c.im.ID = "liar", fmt.Sprint(n)
			l.says = []booru.Image{c.im}
			q := w.ask(c.ask)
			w.round()
			r := w.reply(q)
			if len(r.Media) != 0 {
				t.Errorf("%+v is shown", c.im)
			}
			contains(t, r.Text, "found no animated picture")
		}
		if len(w.board.Files()) != 0 || l.asked != 10 {
			t.Errorf("%d files fetched, %d searches", len(w.board.Files()), l.asked)
		}
	})
}

// ⚠ What is on the blocklist is not looked for, in any mode and any writing.
func TestBlockedWordsAskNoBoard(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		more, err := booru.NewBlocklist("pineapple pizza")
		if err != nil {
			t.Fatal(err)
		}
		w := newWorld(t, s, options{gifs: func(c *Config) { nsfwOn(c); c.Blocklist = more }}, bad()...)
		for _, text := range []string{"loli", "cat LOLI", "nsfw foalcon", "“soft gore”", "soft_gore", "gore cat", "child porn", "nsfw young cat", "Pineapple_Pizza", "лоли", "ｌｏｌｉ"} {
			q := w.ask(text)
			w.round()
			r := w.reply(q)
			contains(t, r.Text, "on the list of what I never show")
			if strings.HasPrefix(text, "nsfw") != r.Sensitive {
				t.Errorf("%q: sensitive %v", text, r.Sensitive)
			}
		}
		if n := w.board.Count(); n != 0 {
			t.Errorf("the board was asked %d times", n)
		}
		q := w.ask("cat -loli -gore")
		w.round()
		w.medium(w.reply(q))
	})
}

// A picture that was chosen under other settings is not shown under these.
func TestWhatWasChosenIsCheckedAgain(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{}, picture([]string{"cat", "clown"}), picture([]string{"cat"}, sized(320, 100)))
		w.board.Remove(2)
		w.sim.Inject(fedisim.Fail(500).On("POST", "/api/v2/media"))
		q := w.ask("cat")
		w.poll()
		if _, err := w.gifs.Answer(t.Context(), w.account, -1); err == nil {
			t.Fatal("no trouble")
		}
		blocked, err := booru.NewBlocklist("clown")
		if err != nil {
			t.Fatal(err)
		}
		w.opt.gifs = func(c *Config) { c.Blocklist = blocked }
		w.restart()
		w.board.Add(boorusim.Image{ID: 3, Rating: boorusim.Safe, Tags: []string{"animated", "gif", "cat"}, Width: 320, Height: 100})
		w.rounds(3)
		if m := w.medium(w.reply(q)); m.Width != 320 {
			t.Errorf("%+v", m)
		}
	})
}

// ⚠ NSFW is each account's own: one that has it on does not turn it on for
// another.
func TestNSFWIsAskedForTheAccount(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		var asked []community.AccountID
		w := newWorld(t, s, options{gifs: func(c *Config) {
			c.NSFW = func(id community.AccountID) bool { asked = append(asked, id); return false }
		}}, bad()...)
		w.ask("nsfw cat")
		w.round()
		if len(asked) == 0 || slices.ContainsFunc(asked, func(id community.AccountID) bool { return id != w.account }) {
			t.Errorf("asked for %q", asked)
		}
		w.shown(0)
	})
}
