package booru

import (
	"errors"
	"strings"
	"testing"
)

func TestPhilomenaTerms(t *testing.T) {
	t.Parallel()
	for tag, want := range map[string]string{
		"cute":              `"cute"`,
		"rainbow_dash":      `"rainbow dash"`,
		"artist:some_one":   `"\\artist:some_one"`,
		"score.gt:100":      `"\\score.gt:100"`,
		"my:faves":          `"\\my:faves"`,
		"a || b":            `"a || b"`,
		"explicit, -safe":   `"explicit, -safe"`,
		"*":                 `"\\*"`,
		"ra?n*":             `"ra\\?n\\*"`,
		"cute~0.5":          `"cute\\~0.5"`,
		`back\slash`:        `"back\\\\slash"`,
		`say "hi"`:          `"say \"hi\""`,
		`\"`:                `"\\\\\""`,
		"-cute":             `"-cute"`,
		"(paren":            `"(paren"`,
		"cute^2":            `"cute^2"`,
		"not this":          `"not this"`,
		":3":                `"\\:3"`,
		"кот":               `"кот"`,
		"uploader:\u200bme": `"\\uploader:me"`,
	} {
		got, bad := philomenaQuery(Query{Terms: []Term{{Tag: tag}, {Tag: tag, Not: true}}})
		if bad != nil || got != "safe, animated, gif, "+want+", -"+want {
			t.Errorf("%q is asked as %s (%v), want %s", tag, got, bad, want)
		}
	}
	if _, bad := philomenaQuery(Query{Terms: []Term{{Tag: "\u200b _"}}}); bad == nil || bad.Reason != BadTag {
		t.Errorf("nothing is asked as something: %v", bad)
	}
}

func TestTagsOfDanbooruAndE621(t *testing.T) {
	t.Parallel()
	const refused = ""
	tests := []struct{ tag, danbooru, e621 string }{
		{"rainbow dash", "rainbow_dash", "rainbow_dash"},
		{"rainbow_dash", "rainbow_dash", "rainbow_dash"},
		{"artist:some one", "some_one", "some_one"},
		{"oc: blue", "blue", "blue"},
		{"nier:automata", "nier:automata", "nier:automata"},
		{":d", ":d", ":d"},
		{"fate/stay night", "fate/stay_night", "fate/stay_night"},
		{"miku (vocaloid)", "miku_(vocaloid)", "miku_(vocaloid)"},
		{"кот", "кот", "кот"},
		{"mid-word~x", "mid-word~x", "mid-word~x"},
		{"100%", "100%", refused},
		{"c#", "c#", refused},
		{"png", "png", refused},
		{"and", refused, "and"},
		{"or", refused, "or"},
		{"a,b", refused, refused},
		{"*", refused, refused},
		{"ra*", refused, refused},
		{"ra＊", refused, refused},
		{"-cute", refused, refused},
		{"~cute", refused, refused},
		{"( cute )", refused, refused},
		{"）", refused, refused},
		{"rating:e", refused, refused},
		{"-rating:e", refused, refused},
		{"artist:rating:e", refused, refused},
		{"artist:-cute", refused, refused},
		{"RATING:E", refused, refused},
		{"rating：e", refused, refused},
		{"uſer:me", refused, refused},
		{"user:me", refused, refused},
		{"id:5", refused, refused},
		{"order:score", refused, refused},
		{"limit:1", refused, refused},
		{"status:deleted", refused, refused},
		{"fav:me", refused, refused},
		{"gentags:>5", refused, refused},
		{"comment_count:5", refused, refused},
		{`any:"x`, refused, refused},
		{"any:'x", refused, refused},
		{"\u200b", refused, refused},
		{"artist:", refused, refused},
		{"_", refused, refused},
	}
	check := func(board string, g grammar, tag, want string) {
		got, bad := g.tag(tag)
		if got != want || (bad != nil) != (want == refused) {
			t.Errorf("%s takes %q as %q (%v), want %q", board, tag, got, bad, want)
		}
		if bad != nil && (bad.Class != Refused || bad.Reason != BadTag || bad.Tag != tag) {
			t.Errorf("%s refuses %q with %+v", board, tag, bad)
		}
	}
	for _, tt := range tests {
		check("Danbooru", danbooruGrammar, tt.tag, tt.danbooru)
		check("e621", e621Grammar, tt.tag, tt.e621)
	}
}

func TestLimitsOfTags(t *testing.T) {
	t.Parallel()
	d := constructors["danbooru"](t, Options{UserAgent: agent, Name: "Dan"})
	_, err := d.Find(t.Context(), Parse("cute -sad gif").Query, 1)
	if e, ok := errors.AsType[*Error](err); !ok || e.Reason != TooManyTags || e.Most != 1 || e.Source != "Dan" || !strings.Contains(err.Error(), "1 tags at most") {
		t.Errorf("two tags: %v", err)
	}
	if text, bad := danbooruQuery(Parse("cute -sad gif nsfw").Query, 6); bad != nil || text != "filetype:gif order:random cute -sad" {
		t.Errorf("asked %q: %v", text, bad)
	}
	if text, bad := e621Query(Parse("animated cute -sad cute").Query); bad != nil || text != "type:gif order:random animated rating:s cute -sad" {
		t.Errorf("asked %q: %v", text, bad)
	}

	p := constructors["philomena"](t, Options{UserAgent: agent})
	var q Query
	for i := range MaxTags {
		q.Terms = append(q.Terms, Term{Tag: strings.Repeat("ы", MaxTagSize-1) + string(rune('a'+i))})
	}
	_, err = p.Find(t.Context(), q, 1)
	if e, ok := errors.AsType[*Error](err); !ok || e.Reason != TooLong {
		t.Errorf("a long query: %v", err)
	}
	if got, err := p.Find(t.Context(), q, 0); got != nil || err != nil {
		t.Errorf("no pictures wanted: %v, %v", got, err)
	}
}
