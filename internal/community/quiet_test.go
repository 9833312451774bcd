package community

import (
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestWithoutMentions(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":                          "",
		"no sign at all":            "no sign at all",
		"@ada":                      "ada",
		"hi @ada, hi @ben":          "hi ada, hi ben",
		"@ada@art.example":          "ada at art.example",
		"write to ada@art.example":  "write to ada at art.example",
		"(@ada)":                    "(ada)",
		"“@ada”":                    "“ada”",
		"＠ada":                      "ada",
		"ada＠art.example":           "ada at art.example",
		"@@ada":                     "ada",
		"@＠@ada":                    "ada",
		"@.ada":                     ".ada",
		"@-ada":                     "-ada",
		"@_ada":                     "_ada",
		"@ada@ben@cleo":             "ada at ben at cleo",
		"a@b@c@d":                   "a at b at c at d",
		"@ада@пример.рф":            "ада at пример.рф",
		"x\n@ada":                   "x\nada",
		"5 @ 3":                     "5 @ 3",
		"@":                         "@",
		"@ ada":                     "@ ada",
		"@!":                        "@!",
		"https://art.example/@ada":  "https://art.example/ada",
		"https://art.example/@a@b":  "https://art.example/a at b",
		"\u200b@ada":                "\u200bada",
		"😀@ada":                     "😀ada",
		"@@@@@@@@@@@@@@@@@@@@@@ada": "ada",
	} {
		if got := WithoutMentions(in); got != want {
			t.Errorf("%q became %q, not %q", in, got, want)
		}
	}
}

// mentions is what a server may take for one, more widely than any does.
var mentions = regexp.MustCompile(`[@＠][\p{L}\p{N}_.-]`)

func FuzzWithoutMentions(f *testing.F) {
	for _, s := range []string{"@ada", "@ada@art.example", "@@a@b@@c", "＠ada", "a@.b", "@\xffa", "x@y z@", "@.@-@_", "@ @a @"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := WithoutMentions(s)
		if found := mentions.FindString(got); found != "" {
			t.Errorf("%q became %q, which has %q", s, got, found)
		}
		if again := WithoutMentions(got); again != got {
			t.Errorf("%q became %q, and that %q", s, got, again)
		}
		if utf8.ValidString(s) && !utf8.ValidString(got) {
			t.Errorf("%q became %q, which is no text", s, got)
		}
		if !strings.ContainsAny(s, "@＠") && got != s {
			t.Errorf("%q has no mention and became %q", s, got)
		}
	})
}
