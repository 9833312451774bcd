package compose

import (
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"rookery/internal/community"
	"rookery/internal/words"
)

func TestGroups(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		kinds string
		most  int
		mixes bool
		want  [][]int
	}{
		{"nothing", "", 4, false, nil},
		{"one", "p", 4, false, [][]int{{0}}},
		{"more pictures than one post takes", "ppppp", 4, false, [][]int{{0, 1, 2, 3}, {4}}},
		{"a film between", "pfp", 4, false, [][]int{{0}, {1}, {2}}},
		{"a film first", "fpp", 4, false, [][]int{{0}, {1, 2}}},
		{"two films", "ff", 4, false, [][]int{{0}, {1}}},
		{"a GIF, sound, and what nobody knows", "pgs?p", 4, false, [][]int{{0}, {1}, {2}, {3}, {4}}},
		{"all mix", "pfgsp", 4, true, [][]int{{0, 1, 2, 3}, {4}}},
		{"one each", "ppp", 1, false, [][]int{{0}, {1}, {2}}},
		{"no number", "pp", 0, true, [][]int{{0}, {1}}},
	} {
		var kinds []Kind
		for _, k := range test.kinds {
			kinds = append(kinds, map[rune]Kind{'p': Picture, 'g': GIF, 'f': Film, 's': Sound, '?': "unknown"}[k])
		}
		if got := Groups(kinds, test.most, test.mixes); !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: %v, not %v", test.name, got, test.want)
		}
	}
}

func TestPart(t *testing.T) {
	t.Parallel()
	for want, got := range map[string]string{
		"":                              Part(1, 1, words.English),
		"1/3, more in the replies":      Part(1, 3, words.English),
		"2/3, continues the post above": Part(2, 3, words.English),
		"12/12, продолжение публикации выше":  Part(12, 12, words.Russian),
		"1/1200, продолжение в ответах":       Part(0, 1200, words.Russian),
		"1200/1200, continues the post above": Part(1200, 1200, words.English),
	} {
		if got != want {
			t.Errorf("%q, not %q", got, want)
		}
	}
}

func TestAlt(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		source Source
		text   string
		most   int
		l      words.Language
		want   string
		cut    bool
	}{
		{Discord, "a cat", 100, words.English, "a cat", false},
		{Written, " a\x00 cat\x1b\t\xff \r\n\r\n\r\non a mat ", 100, words.English, "a cat \uFFFD\n\non a mat", false},
		{Model, "a cat", 100, words.English, "AI Generated Description: a cat", false},
		{Model, "AI generated description: AI-assisted description: a cat", 100, words.English, "AI Generated Description: a cat", false},
		{Draft, "a cat", 100, words.English, "AI-assisted description: a cat", false},
		{Draft, "AI Generated Description: a cat", 100, words.English, "AI-assisted description: a cat", false},
		{Model, "кот", 100, words.Russian, "Описание создано ИИ: кот", false},
		{Draft, "Описание создано ИИ: кот", 100, words.Russian, "Описание составлено с помощью ИИ: кот", false},
		{Written, "AI Generated Description: not so", 100, words.English, "AI Generated Description: not so", false},
		{Model, " \u200b\n", 100, words.English, "", false},
		{Model, "AI Generated Description: ", 100, words.English, "", false},
		{Written, "", 100, words.English, "", false},
		{None, "a cat", 100, words.English, "", false},
		{Written, "a cat on a mat", 10, words.English, "a cat on…", true},
		{Model, "a cat on a mat", 35, words.English, "AI Generated Description: a cat on…", true},
		{Written, strings.Repeat("я", 30), 5, words.English, "яяяя…", true},
		{Written, "a cat on a mat", 0, words.English, "a cat on a mat", false},
	} {
		got, cut := Alt(test.source, test.text, test.l, test.most)
		if got != test.want || cut != test.cut {
			t.Errorf("%s %q became %q (cut: %v), not %q", test.source, test.text, got, cut, test.want)
		}
	}
}

func FuzzAlt(f *testing.F) {
	f.Add("model", "a cat", 5)
	f.Add("written", "\xff\x00\u202e\u2067", 1500)
	f.Add("draft", "AI Generated Description: ", 27)
	f.Fuzz(func(t *testing.T, source, text string, most int) {
		got, cut := Alt(Source(source), text, words.Russian, most)
		if !utf8.ValidString(got) || strings.ContainsAny(got, "\x00\r\t\x1b\u202e") {
			t.Errorf("%q is no text", got)
		}
		if most > 0 && utf8.RuneCountInString(got) > most {
			t.Errorf("%q is longer than %d", got, most)
		}
		if got != "" && strings.TrimFunc(got, unseen) == "" {
			t.Errorf("%q is empty to the eye", got)
		}
		if cut && most <= 0 {
			t.Errorf("%q was cut without a limit", got)
		}
	})
}

func TestLink(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"https://art.example/ada":      "https://art.example/ada",
		" http://art.example ":         "http://art.example",
		"art.example/ada":              "https://art.example/ada",
		"https://art.example/@ada?a=@": "https://art.example/%40ada?a=%40",
		"https://пример.рф/ада":        "https://пример.рф/ада",
		"":                             "",
		"ada":                          "",
		"javascript:alert(1)":          "",
		"ftp://art.example":            "",
		"mailto:ada@art.example":       "",
		"https://ada:x@art.example":    "",
		"ada@art.example":              "",
		"@ada@art.example":             "",
		"https://art":                  "",
		"https://":                     "",
		"https://art.example/a b":      "",
		"https://art.example/\u202eb":  "",
		"https://art.example/||a||":    "",
		"https://a.b/" + strings.Repeat("a", MaxLink): "",
	} {
		if got, ok := Link(in); got != want || ok != (want != "") {
			t.Errorf("%q became %q, not %q", in, got, want)
		}
	}
}

func TestCredits(t *testing.T) {
	t.Parallel()
	many := []string{"https://a.b/1", "https://a.b/1", "no", "https://a.b/2", "https://a.b/3", "https://a.b/4", "https://a.b/5", "https://a.b/6"}
	for want, got := range map[string]string{
		"":           Credits(" \u200b ", nil, words.English),
		"Art by Ada": Credits("Ada", nil, words.English),
		"Art by Ada — https://a.b/1 https://a.b/2 https://a.b/3 https://a.b/4 https://a.b/5": Credits("Ada", many, words.English),
		"Автор: Ада — https://a.b/1":                                                         Credits("Ада", many[:1], words.Russian),
		"Автор: Ада":                                                                         Credits("Ада", nil, words.Russian),
		"The artist: https://a.b/1":                                                          Credits("", many[:1], words.English),
		"Ссылки автора: https://a.b/1":                                                       Credits("", many[:1], words.Russian),
		"Art by Ada_*draws*":                                                                 Credits(`Ada\_\*draws\*`, nil, words.English),
		"Art by ada at art.example":                                                          Credits("@ada@art.example", nil, words.English),
		"Art by everyone":                                                                    Credits("＠everyone", nil, words.English),
		"Art by two lines":                                                                   Credits("two\n\nlines\x00", nil, words.English),
		"Art by \u2068עדה\u2069":                                                             Credits("\u202eעדה", nil, words.English),
	} {
		if got != want {
			t.Errorf("%q, not %q", got, want)
		}
	}
}

func FuzzCredits(f *testing.F) {
	f.Add("Ada", "https://a.b/@c")
	f.Add("\u2067@\u2069ada", "//a.b")
	f.Add(`\@a`, "https://a.b/＠c")
	f.Fuzz(func(t *testing.T, name, link string) {
		got := Credits(name, []string{link, link}, words.English)
		if !utf8.ValidString(got) || strings.ContainsAny(got, "\x00\n\u202e") || closeIsolates(got) != got {
			t.Errorf("%q is no line", got)
		}
		if community.WithoutMentions(got) != got {
			t.Errorf("%q mentions somebody", got)
		}
	})
}
