package booru

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func yes(tag string) Term { return Term{Tag: tag} }
func not(tag string) Term { return Term{Tag: tag, Not: true} }

func TestParse(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("ы", MaxTagSize+1)
	tests := []struct {
		typed  string
		terms  []Term
		nsfw   bool
		random bool
	}{
		{typed: ""},
		{typed: "cute fluffy tail", terms: []Term{yes("cute"), yes("fluffy"), yes("tail")}},
		{typed: "cute, fluffy,tail", terms: []Term{yes("cute"), yes("fluffy"), yes("tail")}},
		{typed: `"rainbow dash"`, terms: []Term{yes("rainbow dash")}},
		{typed: `„rainbow dash“ “a b” «c d» „e f”`, terms: []Term{yes("rainbow dash"), yes("a b"), yes("c d"), yes("e f")}},
		{typed: `"rainbow dash`, terms: []Term{yes("rainbow dash")}},
		{typed: `"  rainbow   dash "cute`, terms: []Term{yes("rainbow dash"), yes("cute")}},
		{typed: `one"two three"four`, terms: []Term{yes("one"), yes("two three"), yes("four")}},
		{typed: `"a, b"`, terms: []Term{yes("a, b")}},
		{typed: `-sad -"rainbow dash" –grim —grey −low`, terms: []Term{not("sad"), not("rainbow dash"), not("grim"), not("grey"), not("low")}},
		{typed: `"-sad" mid-word`, terms: []Term{yes("-sad"), yes("mid-word")}},
		{typed: `artist:"some one" -oc:"x y" artist:kam`, terms: []Term{yes("artist:some one"), not("oc:x y"), yes("artist:kam")}},
		{typed: "random", random: true},
		{typed: "RND", random: true},
		{typed: "рандом", random: true},
		{typed: "Случайно, кот", random: true, terms: []Term{yes("кот")}},
		{typed: "случайная!", random: true},
		{typed: "random dancing", random: true, terms: []Term{yes("dancing")}},
		{typed: `"random" -random`, terms: []Term{yes("random"), not("random")}},
		{typed: "NSFW dancing", nsfw: true, terms: []Term{yes("dancing")}},
		{typed: "dancing, nsfw.", nsfw: true, terms: []Term{yes("dancing")}},
		{typed: `"nsfw"`, terms: []Term{yes("nsfw")}},
		{typed: `"very nsfw" notnsfw nsfw_art`, terms: []Term{yes("very nsfw"), yes("notnsfw"), yes("nsfw_art")}},
		{typed: "nsfw -nsfw", terms: nil},
		{typed: "-nsfw nsfw", terms: nil},
		{typed: "@giffer cute", terms: []Term{yes("cute")}},
		{typed: "@ giffer cute", terms: []Term{yes("cute")}},
		{typed: "@giffer@art.example, cute @other", terms: []Term{yes("cute")}},
		{typed: "<@123> <@!5>cute", terms: []Term{yes("cute")}},
		{typed: "@", terms: nil},
		{typed: "e@mail", terms: []Term{yes("e@mail")}},
		{typed: `- -- , "" -"" -,`, terms: nil},
		{typed: "Cute CUTE cute -cute", terms: []Term{yes("cute"), not("cute")}},
		{typed: "cu\u200bte\u202e \x00ra\x07in\u00adbow\ttail\nend", terms: []Term{yes("cute"), yes("rainbow"), yes("tail"), yes("end")}},
		{typed: "👩\u200d🚀 ❤\ufe0f", terms: []Term{yes("👩🚀"), yes("❤")}},
		{typed: "pony’s", terms: []Term{yes("pony's")}},
		{typed: "й Й е\u0308", terms: []Term{yes("й"), yes("ё")}},
		{typed: "score.gt:100 a || b * (c", terms: []Term{yes("score.gt:100"), yes("a"), yes("||"), yes("b"), yes("*"), yes("(c")}},
		{typed: "bad\xffbytes", terms: []Term{yes("badbytes")}},
		{typed: long + " cute", terms: []Term{yes("cute")}},
		{typed: `gif dancing "rainbow dash" -sad nsfw`, nsfw: true, terms: []Term{yes("gif"), yes("dancing"), yes("rainbow dash"), not("sad")}},
	}
	for _, tt := range tests {
		got := Parse(tt.typed)
		if diff := cmp.Diff(tt.terms, got.Terms); diff != "" {
			t.Errorf("Parse(%q).Terms (-want +got):\n%s", tt.typed, diff)
		}
		if got.NSFW != tt.nsfw || got.Random != tt.random {
			t.Errorf("Parse(%q): NSFW %v, Random %v; want %v, %v", tt.typed, got.NSFW, got.Random, tt.nsfw, tt.random)
		}
		if want := len(tt.terms) == 0 && !tt.random; got.Empty() != want {
			t.Errorf("Parse(%q).Empty() = %v", tt.typed, got.Empty())
		}
	}
}

func TestParseDropsWhatIsTooMuchAndSaysSo(t *testing.T) {
	t.Parallel()
	var words []string
	for i := range 30 {
		words = append(words, "tag"+string(rune('a'+i)))
	}
	long := strings.Repeat("é", MaxTagSize+5)
	got := Parse(long + " " + strings.Join(words, " "))
	if len(got.Terms) != MaxTags {
		t.Errorf("%d terms, want %d", len(got.Terms), MaxTags)
	}
	want := append([]string{strings.Repeat("é", MaxTagSize)}, words[MaxTags:]...)
	if diff := cmp.Diff(want, got.Dropped); diff != "" {
		t.Errorf("Dropped (-want +got):\n%s", diff)
	}
	if got := Parse(strings.Repeat("x y", 5_000)); len(got.Dropped) > MaxTags {
		t.Errorf("%d dropped tags are told", len(got.Dropped))
	}
}

func TestSaidIsTheSameRequest(t *testing.T) {
	t.Parallel()
	got := Parse(`@rook@art.example Dancing, „rainbow dash“ -"very sad" "nsfw" "-x" 'a oc: случайно nsfw`)
	if want := `dancing "rainbow dash" -"very sad" "nsfw" "-x" 'a "oc:" random nsfw`; got.Said != want {
		t.Errorf("Said is %s, want %s", got.Said, want)
	}
	again := Parse(got.Said)
	if diff := cmp.Diff(got, again); diff != "" {
		t.Errorf("read again (-first +again):\n%s", diff)
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"", `gif dancing "rainbow dash" -sad nsfw`, "@ rook -«x y", "\x00\u202e-\"", "a:\"b", "<@1> ＂x，y＂ ﬁ K ſ",
		"-nsfw nsfw ... random!", "\u0344 \u1fbe", "İ ǅ", "a\u0301\u200b\u0323 ´b",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		r := Parse(typed)
		if len(r.Terms) > MaxTags || len(r.Dropped) > MaxTags {
			t.Fatalf("%d terms, %d dropped", len(r.Terms), len(r.Dropped))
		}
		for _, term := range r.Terms {
			tag := term.Tag
			switch {
			case tag == "", !utf8.ValidString(tag), utf8.RuneCountInString(tag) > MaxTagSize:
				t.Fatalf("bad tag %q", tag)
			case strings.TrimSpace(tag) != tag, strings.Contains(tag, "  "), strings.ContainsAny(tag, quotes):
				t.Fatalf("tag %q is not clean", tag)
			case strings.ContainsFunc(tag, func(r rune) bool {
				return unicode.Is(unicode.Cc, r) || unicode.Is(unicode.Cf, r) || r != ' ' && unicode.IsSpace(r)
			}):
				t.Fatalf("tag %q has what cannot be seen", tag)
			}
		}
		again := Parse(r.Said)
		r.Dropped = nil
		if diff := cmp.Diff(r, again); diff != "" {
			t.Fatalf("%q said as %q reads otherwise (-first +again):\n%s", typed, r.Said, diff)
		}
	})
}
