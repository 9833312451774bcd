package discord

import (
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"
)

func TestEscape(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, in, want string }{
		{"plain words", "Hello, Ada. It is 3.5 degrees!", "Hello, Ada. It is 3.5 degrees!"},
		{"format", "*a* _b_ ~c~ `d` ||e||", `\*a\* \_b\_ \~c\~ ` + "\\`d\\` " + `\|\|e\|\|`},
		{"mentions", "<@1> @everyone <#2>", "\\<\u200b@\u200b1\\> @\u200beveryone \\<\u200b\\#2\\>"},
		{"masked link", "[safe](https://bad.example)", `\[safe\](https:\//bad.example)`},
		{"invitation", "discord.gg/abc Discord.com/invite/x", `discord\.gg/abc Discord\.com/invite/x`},
		{"lists and heads", "- a\n  + b\n12. c\n# d\n> e\n-# f", "\\- a\n  \\+ b\n12\\. c\n\\# d\n\\> e\n\\-\\# f"},
		{"a dash within", "a - b", "a - b"},
		{"a backslash", `\o/`, `\\o/`},
		{"direction", "a\u202eb\u2067c\nd\u2069", "ab\u2067c\u2069\nd"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := Escape(c.in); got != c.want {
				t.Errorf("Escape(%q)\n got %q\nwant %q", c.in, got, c.want)
			}
		})
	}
}

func TestName(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"Ada":                     "Ada",
		"**Ada**":                 `\*\*Ada\*\*`,
		"Ada\n@everyone":          "Ada @\u200beveryone",
		"":                        "?",
		"\u3164":                  "?",
		"\u202eadA":               "adA",
		"עדה":                     "\u2068עדה\u2069",
		"عدة *x*":                 "\u2068عدة \\*x\\*\u2069",
		strings.Repeat("👩‍🚀", 40): strings.Repeat("👩‍🚀", 12),
	} {
		if got := Name(in); got != want {
			t.Errorf("Name(%q) is %q, want %q", in, got, want)
		}
	}
}

func TestFormatTime(t *testing.T) {
	t.Parallel()
	at := time.Unix(1763735000, 999)
	if got := FormatTime(at, Relative); got != "<t:1763735000:R>" {
		t.Error(got)
	}
	if got := FormatTime(at, "x"); got != "<t:1763735000:f>" {
		t.Error(got)
	}
}

func TestReadable(t *testing.T) {
	t.Parallel()
	names := Names{
		Member:  func(id string) string { return map[string]string{"1": "Ada\nL"}[id] },
		Channel: func(id string) string { return map[string]string{"2": "general"}[id] },
	}
	for in, want := range map[string]string{
		" <@1>, <@!1> and <@9> ":                           "@Ada L, @Ada L and @unknown-user",
		"<#2> <#3> <@&4>":                                  "#general #unknown @unknown-role",
		"<:owl:5> <a:flap_:6>":                             ":owl: :flap_:",
		"<t:0> <t:0:t> <t:86400:D> <t:99999999999999:F>":   "1 January 1970 00:00 UTC 00:00 UTC 2 January 1970 an unknown time",
		"</gif show:7> <id:customize> <id:linked-roles:1>": "/gif show #Channels & Roles #Linked Roles",
		"<https://a.example/?b=c>":                         "https://a.example/?b=c",
		`\<@1> **x** <3 < @1>`:                             `\<@1> **x** <3 < @1>`,
		"a\x00b\xff":                                       "ab\uFFFD",
	} {
		if got := Readable(in, names); got != want {
			t.Errorf("Readable(%q) is %q, want %q", in, got, want)
		}
	}
}

func TestSplit(t *testing.T) {
	t.Parallel()
	word := func(n int) string { return strings.TrimSpace(strings.Repeat("word ", n)) }
	for _, c := range []struct {
		name, in string
		n        int
		want     []string
	}{
		{"nothing", " \n\u200b ", 200, nil},
		{"it fits", " a\n\nb ", 200, []string{"a\n\nb"}},
		{"at a paragraph", word(20) + ".\n\n" + word(10) + ". " + word(30), 200, []string{word(20) + ".", word(10) + ". " + word(30)}},
		{"at a sentence", word(30) + ". " + word(20), 200, []string{word(30) + ".", word(20)}},
		{"at a word", word(60), 200, []string{word(39), word(21)}},
		{"an emoji of a guild", strings.Repeat("a", 190) + "<:owl:123456789>" + "b", 200, []string{strings.Repeat("a", 190), "<:owl:123456789>b"}},
		{"an address", strings.Repeat("a", 100) + " https://example.org/" + strings.Repeat("b", 100), 200, []string{strings.Repeat("a", 100), "https://example.org/" + strings.Repeat("b", 100)}},
		{"code", "```go\n" + strings.Repeat("x := 1\n", 40) + "```\nend", 200, []string{
			"```go\n" + strings.TrimSpace(strings.Repeat("x := 1\n", 27)) + "\n```",
			"```go\n" + strings.Repeat("x := 1\n", 13) + "```\nend",
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := Split(c.in, c.n)
			if strings.Join(got, "\x00") != strings.Join(c.want, "\x00") {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
		})
	}
}

func TestSplitOf2000Emoji(t *testing.T) {
	t.Parallel()
	for _, emoji := range []string{"🦉", "👩🏽‍🚀", "🇫🇷", "e\u0301"} {
		text := strings.Repeat(emoji, 2000)
		parts := Split(text, MaxContent)
		if strings.Join(parts, "") != text {
			t.Errorf("%q: something was lost", emoji)
		}
		for _, p := range parts {
			if Length(p) > MaxContent || strings.ReplaceAll(p, emoji, "") != "" {
				t.Errorf("%q: a part of %d cuts one", emoji, Length(p))
			}
		}
	}
}

// shown is what Discord's client shows of escaped text.
func shown(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) && s[i+1] < 0x80 && unicode.In(rune(s[i+1]), unicode.Punct, unicode.Symbol) {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

func FuzzEscape(f *testing.F) {
	for _, s := range []string{"", "<@1>", "@everyone @here", "[a](https://b)", "\\*", "1. a\n- b", "\u2067a\u202e\xff", "discord.gg/x", "```a```"} {
		f.Add(s)
	}
	hidden := strings.NewReplacer(noWidth, "", "\x00", "", "\r", "", "\u202a", "", "\u202b", "", "\u202c", "", "\u202d", "", "\u202e", "", "\u2066", "", "\u2067", "", "\u2068", "", "\u2069", "")
	f.Fuzz(func(t *testing.T, s string) {
		got := Escape(s)
		if !utf8.ValidString(got) {
			t.Fatalf("Escape(%q) is not valid: %q", s, got)
		}
		if a, b := hidden.Replace(shown(got)), hidden.Replace(string([]rune(s))); a != b {
			t.Fatalf("Escape(%q) is shown as %q", s, a)
		}
		for _, never := range []string{"<@", "<#", "@everyone", "@here", "://", "discord.gg", "<t:", "<:"} {
			if strings.Contains(got, never) {
				t.Fatalf("Escape(%q) holds %q: %q", s, never, got)
			}
		}
		for i, r := range got {
			if strings.ContainsRune("*_~`|<>#[]", r) && !escaped(got[:i]) {
				t.Fatalf("Escape(%q) leaves %q active: %q", s, r, got)
			}
		}
		Name(s)
	})
}

func FuzzReadable(f *testing.F) {
	for _, s := range []string{"<@1>", "<@&1> <#2>", "<t:-1:R>", "<a:b:3>", "</a b:4>", "<id:guide>", "\xff<@!5>\x00", "<https://a>"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := Readable(s, Names{Member: func(string) string { return "Ada" }})
		if !utf8.ValidString(got) || strings.Contains(got, "\x00") {
			t.Fatalf("Readable(%q) is %q", s, got)
		}
	})
}

func FuzzSplit(f *testing.F) {
	f.Add(strings.Repeat("word. ", 100), 200)
	f.Add("```go\n"+strings.Repeat("x := 1\n", 100)+"```"+strings.Repeat("🇫🇷", 200), 210)
	f.Add(strings.Repeat("\\*", 300)+strings.Repeat("<:owl:123>", 50), 0)
	f.Add(strings.Repeat("\u0301", 500), 2000)
	// What may be added or left out at a cut: blanks, and fences with their language.
	core := func(s string) string {
		return strings.Map(func(r rune) rune {
			if unicode.IsSpace(r) || r == '`' {
				return -1
			}
			return r
		}, s)
	}
	f.Fuzz(func(t *testing.T, s string, n int) {
		n = n % 3000
		s = strings.ToValidUTF8(s, "?")
		parts := Split(s, n)
		joined := strings.Join(parts, "")
		for _, p := range parts {
			if Length(p) > max(n, minSplit) {
				t.Fatalf("a part of %d, at most %d: %q", Length(p), n, p)
			}
			if !utf8.ValidString(p) || strings.TrimSpace(p) == "" {
				t.Fatalf("a part that cannot be sent: %q", p)
			}
		}
		if !strings.Contains(s, "```") && strings.TrimFunc(s, unseen) != "" && len(parts) == 1 && core(joined) != core(s) {
			t.Fatalf("%q became %q", s, joined)
		}
		if !strings.ContainsFunc(s, func(r rune) bool { return r == '`' || r != ' ' && unseen(r) }) && core(joined) != core(s) {
			t.Fatalf("something was lost of %q: %q", s, joined)
		}
	})
}
