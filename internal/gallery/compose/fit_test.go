package compose

import (
	"strings"
	"testing"
	"unicode/utf8"

	"rookery/internal/fedi"
)

func TestFit(t *testing.T) {
	t.Parallel()
	at := func(n int) fedi.Instance { return fedi.Instance{Software: fedi.Akkoma, MaxChars: n} }
	mastodon := fedi.Instance{Software: fedi.Mastodon, MaxChars: 50, URLChars: 23}
	long := "https://art.example/" + strings.Repeat("a", 80)
	for _, test := range []struct {
		name string
		p    Post
		in   fedi.Instance
		want string
		cut  bool
	}{
		{"nothing", Post{}, at(10), "", false},
		{"all", Post{Words: "one", Credits: "two", Tail: "three"}, at(100), "one\n\ntwo\n\nthree", false},
		{"no credits", Post{Words: "one ", Tail: "three"}, at(100), "one\n\nthree", false},
		{"just fits", Post{Words: "one", Credits: "two"}, at(8), "one\n\ntwo", false},
		{"words are cut", Post{Words: "one two three", Credits: "me", Tail: "end"}, at(17), "one two…\n\nme\n\nend", true},
		{"no blank before the end", Post{Words: "one, two", Credits: "me"}, at(8), "one…\n\nme", true},
		{"with the warning", Post{Words: "one two three", CW: "boo"}, at(11), "one two…", true},
		{"no room for words", Post{Words: "one two three", Credits: "by me", Tail: "end"}, at(10), "by me\n\nend", true},
		{"the tail goes", Post{Words: "one two three", Credits: "by me", Tail: "endlessly"}, at(14), "one…\n\nby me", true},
		{"credits are cut", Post{Words: "one", Credits: "by me and you", Tail: "end"}, at(10), "by me and…", true},
		{"an address is not cut", Post{Words: "see " + long}, at(30), "see…", true},
		{"nor one alone", Post{Words: long}, at(30), "…", true},
		{"an address counts less", Post{Words: "see " + long}, mastodon, "see " + long, false},
		{"and may be the last that fits", Post{Words: "see it " + long + " and a good deal more than that"}, mastodon, "see it " + long + " and a good deal…", true},
		{"one word", Post{Words: strings.Repeat("a", 20)}, at(5), "aaaa…", true},
		{"a whole emoji", Post{Words: strings.Repeat("👩\u200d👧", 4)}, at(6), "👩\u200d👧…", true},
		{"a whole flag", Post{Words: "🇩🇪🇫🇷🇺🇦"}, at(4), "🇩🇪…", true},
		{"isolates are closed", Post{Words: "a \u2067b c\u2069 d"}, at(6), "a \u2067b…\u2069", true},
		{"no limit is known", Post{Words: strings.Repeat("a ", 300)}, fedi.Instance{}, strings.TrimSpace(strings.Repeat("a ", 250)) + "…", true},
		{"no room at all", Post{Words: "a b", CW: "a long warning"}, at(10), "", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, cut := test.p.Fit(test.in)
			if got != test.want || cut != test.cut {
				t.Errorf("%q (cut: %v), not %q", got, cut, test.want)
			}
		})
	}
}

func FuzzFit(f *testing.F) {
	f.Add("one two", "me https://a.example/b", "tail", "cw", 12)
	f.Add(strings.Repeat("👩\u200d👧", 9), "", "\u2067x", "", 7)
	f.Add("https://a.example/b https://a.example/c", "https://a.example/c", "", "x", 40)
	f.Fuzz(func(t *testing.T, said, credits, tail, cw string, most int) {
		p := Post{clean(said), clean(credits), clean(tail), clean(cw)}
		for _, software := range []fedi.Software{fedi.Mastodon, fedi.Misskey, fedi.SoftwareUnknown, fedi.Akkoma} {
			in := fedi.Instance{Software: software, MaxChars: most & 0x3ff, URLChars: 23}
			got, cut := p.Fit(in)
			limit := in.MaxChars
			if limit == 0 {
				limit = defaultMost
			}
			if got != "" && in.Length(got, p.CW) > limit {
				t.Errorf("%q is longer than %d", got, limit)
			}
			if whole := join(tidy(p.Words), tidy(p.Credits), tidy(p.Tail)); !cut && got != whole {
				t.Errorf("%q was %q and is not called cut", got, whole)
			}
			if !utf8.ValidString(got) {
				t.Errorf("%q is no text", got)
			}
		}
	})
}
