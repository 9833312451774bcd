package gifs

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"rookery/internal/booru"
	"rookery/internal/community"
	"rookery/internal/fedi"
	"rookery/internal/inbox"
	"rookery/internal/sim/boorusim"
	"rookery/internal/sim/fedisim"
	"rookery/internal/store"
	"rookery/internal/words"
)

// loud is a picture whose board would have us call half the world.
func loud() boorusim.Image {
	return picture([]string{"cat", "@ben", "#party", "say hi to @cleo@art.example"}, by("@ben", "cleo@art.example", "#party", "＠ben"))
}

// nsfwOn turns what is not safe on.
func nsfwOn(c *Config) { c.NSFW = func(community.AccountID) bool { return true } }

// ⚠ The reply mentions the asker, and nobody else: whoever else the request
// addressed, and whatever tags, artists and the member's own words hold.
func TestReplyMentionsTheAskerAlone(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{gifs: func(c *Config) { nsfwOn(c); c.Queue = 10 }}, loud())
		ben := w.sim.AddAccount("ben")
		w.sim.AddRemote("cleo@art.example")
		asked := []fedisim.Post{
			w.ask("cat", fedisim.Mentioning(ben)),
			w.ask("@ben @cleo@art.example cat"),
			w.ask("dog @ben #party \"ask @cleo@art.example or ＠ben\" x@ben \"＃party\""), // nothing is found, and it is said back
			w.ask("loli @ben \"#party loli @ben\""),                                     // blocked
			w.ask("-@ben"),
			w.ask("cat", fedisim.CW("about @ben and #party")),
		}
		w.gifs.NoRepeat = 0
		if n := w.round(); n != len(asked) {
			t.Errorf("%d answered", n)
		}
		for _, q := range asked {
			r := w.reply(q)
			if len(r.Mentions) != 1 || r.Mentions[0] != "ada" {
				t.Errorf("%q mentions %v", r.Text, r.Mentions)
			}
			if strings.ContainsAny(r.Text[1:]+r.CW, "@＠#＃") {
				t.Errorf("signs of a mention or a hashtag in %q, %q", r.Text, r.CW)
			}
		}
		contains(t, w.reply(asked[0]).Text, "By ben, cleo at art.example, ♯party, ben.")
	})
}

// ⚠ A request in a direct message is answered in one, also for NSFW; no reply
// is wider than its request, and none is in the public timelines.
func TestReplyIsNeverWiderThanTheRequest(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{gifs: func(c *Config) { nsfwOn(c); c.NoRepeat = 0 }}, picture([]string{"cat"}), picture([]string{"bold"}, rated(boorusim.Explicit)))
		for _, c := range []struct {
			asked  string
			widest community.Visibility // for NSFW
			want   string
			nsfw   string
		}{
			{"public", "", "unlisted", "unlisted"},
			{"unlisted", "", "unlisted", "unlisted"},
			{"private", "", "private", "private"},
			{"direct", "", "direct", "direct"},
			{"public", community.Public, "unlisted", "unlisted"},
			{"direct", community.Public, "direct", "direct"},
			{"private", community.Unlisted, "private", "private"},
			{"public", community.Followers, "unlisted", "private"},
			{"public", community.Direct, "unlisted", "direct"},
			{"direct", community.Followers, "direct", "direct"},
		} {
			w.gifs.NSFWVisibility = c.widest
			wants := map[string]string{"cat": c.want, "nothing like it": c.want, "nsfw bold": c.nsfw, "nsfw nothing like it": c.nsfw}
			asked := map[string]fedisim.Post{}
			for text := range wants {
				asked[text] = w.ask(text, fedisim.As(c.asked))
			}
			w.round()
			for text, want := range wants {
				if r := w.reply(asked[text]); r.Visibility != want {
					t.Errorf("%q, asked %s, NSFW at most %q: the reply is %s, not %s", text, c.asked, c.widest, r.Visibility, want)
				}
			}
		}
	})
}

func TestWarnings(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{gifs: func(c *Config) { nsfwOn(c); c.NoRepeat = 0 }}, picture([]string{"cat"}), picture([]string{"bold"}, rated(boorusim.Questionable)))
		long := strings.Repeat("spiders and more ", 20)
		for _, c := range []struct {
			text, cw, want string
			sensitive      bool
		}{
			{"cat", "", "", false},
			{"cat", "eye contact", "eye contact", true},
			{"nsfw bold", "", "NSFW", true},
			{"nsfw bold", "eye contact", "NSFW, eye contact", true},
			{"nsfw bold", "nsfw, eyes", "nsfw, eyes", true},
			{"nsfw cat", "", "NSFW", true},
			{"nsfw nothing of the kind", "", "NSFW", true},
			{"nsfw bold", long, "NSFW, spiders and more", true},
			{"nsfw bold", long + "nsfw", "NSFW, spiders and more", true},
			{"cat", long, "spiders and more", true},
		} {
			q := w.ask(c.text, func() fedisim.PostOption {
				if c.cw == "" {
					return fedisim.As("public")
				}
				return fedisim.CW(c.cw)
			}())
			w.round()
			r := w.reply(q)
			if r.CW != c.want && !(len(c.cw) > 100 && strings.HasPrefix(r.CW, c.want)) || r.Sensitive != c.sensitive {
				t.Errorf("%q under %.40q: %q, sensitive %v", c.text, c.cw, r.CW, r.Sensitive)
			}
			if strings.Contains(c.text, "bold") {
				contains(t, w.medium(r).Description, "NSFW animated GIF: bold")
			}
		}
	})
}

// The reply is in the asker's language, unless the account has its own.
func TestLanguageOfTheReply(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		own := ""
		w := newWorld(t, s, options{gifs: func(c *Config) {
			c.NoRepeat = 0
			c.Language = func(community.AccountID) string { return own }
		}}, picture([]string{"cat"}))
		for _, c := range []struct{ own, asked, language, says, alt string }{
			{"", "en", "en", "Source: ", "Animated GIF: cat"},
			{"", "ru", "ru", "Источник: ", "Анимация (GIF): cat"},
			{"", "de", "en", "Source: ", "Animated GIF: cat"},
			{"ru", "en", "ru", "Источник: ", "Анимация (GIF): cat"},
			{"en", "ru", "en", "The artist is not named.", "Animated GIF: cat"},
		} {
			own = c.own
			q := w.ask("cat", fedisim.Language(c.asked))
			w.round()
			r := w.reply(q)
			if r.Language != c.language || w.medium(r).Description != c.alt {
				t.Errorf("%+v: %q, %q", c, r.Language, r.Media[0].Description)
			}
			contains(t, r.Text, c.says)
		}
	})
}

// Credit and source are there whatever else there is to say, and all of it
// fits.
func TestCreditFits(t *testing.T) {
	t.Parallel()
	in := fedi.Instance{Software: fedi.Mastodon, MaxChars: 500, URLChars: 23}
	m := community.Mention{Post: community.Post{Author: community.Member{Acct: strings.Repeat("a", 30) + "@" + strings.Repeat("long", 10) + ".example"}}}
	var thirty []string
	for n := range 30 {
		thirty = append(thirty, fmt.Sprintf("artist number %d of the many %s", n, strings.Repeat("ж", n*3)))
	}
	var longest []string
	for n := range 5 {
		longest = append(longest, fmt.Sprint(n)+strings.Repeat("y", 200))
	}
	for name, artists := range map[string][]string{"none": nil, "one": {"someone"}, "thirty": thirty, "longest": longest, "@": {"@@ben@x.example@y"}} {
		for _, cw := range []string{"", "eyes", strings.Repeat("w", 3000), strings.Repeat("😀@ben #x ", 300)} {
			for _, dropped := range []int{0, 7} {
				for _, l := range []words.Language{words.English, words.Russian} {
					im := booru.Image{Page: "https://furbooru.org/images/123456", Artists: artists}
					kept := nsfwWarning(cw, in)
					m.Post.CW = cw
					text := addressee(m) + credit(l, im, dropped, true, fediverse{}.roomOf(m, in))
					if n := in.Length(text, kept); n > 500 {
						t.Errorf("%s: %d characters: %q", name, n, text)
					}
					contains(t, text, addressee(m), im.Page)
					who := l.Say(words.GIFsCreditUnknown, nil)
					if len(artists) > 0 {
						who = strings.Split(l.Say(words.GIFsCredit, words.Args{"artists": "\x00"}), "\x00")[0] + string([]rune(quiet(artists[0]))[:4])
					}
					contains(t, text, who)
					if name != "longest" && len(cw) < 10 && dropped > 0 {
						contains(t, text, "7")
					}
					if len(artists) > 5 && !strings.Contains(text, ", …") {
						t.Errorf("nobody is told that there are more artists: %q", text)
					}
				}
			}
		}
	}
}

func TestAltTextFits(t *testing.T) {
	t.Parallel()
	im := booru.Image{Rating: booru.Safe, Characters: []string{"Rainbow Dash"}, Tags: []string{"safe", "gif", "artist:someone", "rainbow dash", "flying", "sky", "a very_long tag of many words"}}
	for _, l := range []words.Language{words.English, words.Russian} {
		for most := range 120 {
			in := fedi.Instance{MaxAlt: most}
			for _, nsfw := range []bool{false, true} {
				im.Rating = booru.Safe
				if nsfw {
					im.Rating = booru.Explicit
				}
				text := alt(l, im, in.MaxAlt)
				if text == "" || strings.Contains(text, "NSFW") != nsfw || !utf8.ValidString(text) {
					t.Errorf("%q", text)
				}
				_, tags, described := strings.Cut(text, ": ")
				if described && most > 0 && utf8.RuneCountInString(text) > most {
					t.Errorf("%q is longer than %d", text, most)
				}
				for _, tag := range strings.Split(tags, ", ") {
					if described && !slices.Contains([]string{"rainbow dash", "flying", "sky", "a very long tag of many words"}, tag) {
						t.Errorf("%q: %q is no whole tag", text, tag)
					}
				}
			}
		}
		if text := alt(l, booru.Image{Rating: booru.Safe, Tags: []string{"safe", "gif"}}, 0); text == "" {
			t.Error("no alt text")
		}
	}
	if text := alt(words.English, booru.Image{Tags: []string{"sky"}}, 0); text != "NSFW animated GIF: sky" {
		t.Errorf("a picture whose rating is not known: %q", text)
	}
}

// What a request had too much of is told with the picture.
func TestWordsTooManyAreTold(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		var tags []string
		for n := range 20 {
			tags = append(tags, fmt.Sprint("t", n))
		}
		w := newWorld(t, s, options{}, picture(tags))
		q := w.ask(strings.Join(tags, " ") + " one two three")
		w.round()
		r := w.reply(q)
		w.medium(r)
		contains(t, r.Text, "(3 words too many were left out.)")
		if state, _ := w.state(); state != string(inbox.Done) {
			t.Error(state)
		}
	})
}
