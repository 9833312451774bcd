package compose

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"rookery/internal/community"
	"rookery/internal/discord"
	"rookery/internal/words"
)

func original(content string) discord.Original {
	return discord.Original{
		Content: content,
		Members: map[string]string{"1": "Ada", "2": "**Ben** ||x||\n# hi", "3": "עדה\u202e", "4": "@everyone", "5": "\u202e\u200b"},
		Roles:   map[string]string{"7": "Artists"}, Channels: map[string]string{"8": "fan-art"},
	}
}

func TestWords(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":            "",
		"  \n\n ":     "",
		"just a text": "just a text",

		// Emoji.
		"<:cat:123><a:dance:4>":         ":cat: :dance:",
		"hi<:cat:123>there <:cat:123>.": "hi :cat: there :cat:.",
		"<:cat:123>\n<:cat:123>":        ":cat:\n:cat:",
		"<:my_cat:1> <:_x_:2>":          ":my_cat: :_x_:",
		`\<:cat:123>`:                   "<:cat:123>",

		// Whom and what it mentions.
		"by <@1> and <@!1>":             "by Ada and Ada",
		"<@9>, <@&9>, <#9>":             "someone, a role, a channel",
		"for <@&7> in <#8>":             "for Artists in “fan-art”",
		"*by <@2>, ok*":                 "by **Ben** ||x|| # hi, ok",
		"by <@3> in 2026":               "by \u2068עדה\u2069 in 2026",
		"by <@4>, <@5>":                 "by everyone, someone",
		"@everyone @here":               "everyone here",
		"@ada@art.example ＠ben":         "ada at art.example ben",
		"ada＠art.example":               "ada at art.example",
		"<id:customize> <id:x>":         "“Channels & Roles” “x”",
		"try </share post:123>":         "try /share post",
		"turned \u202eround \u2067a\nb": "turned round \u2067a\u2069\nb",

		// Times.
		"at <t:1618953630:t>": "at 21:20 (UTC)",
		"at <t:1618953630:T>": "at 21:20:30 (UTC)",
		"on <t:1618953630:d>": "on 20 April 2021 (UTC)",
		"on <t:1618953630:D>": "on 20 April 2021 (UTC)",
		"<t:1618953630>":      "20 April 2021 at 21:20 (UTC)",
		"<t:1618953630:F>":    "20 April 2021 at 21:20 (UTC)",
		"<t:1618953630:R>":    "20 April 2021 at 21:20 (UTC)",
		"<t:1618953630:S>":    "20 April 2021 at 21:20:30 (UTC)",
		"<t:99999999999999>":  "an unknown time",
		"<t:-1:d>":            "31 December 1969 (UTC)",

		// Addresses.
		"<https://art.example/a_b_c>":                      "https://art.example/a_b_c",
		"https://art.example/a_b_c*d*":                     "https://art.example/a_b_c*d*",
		"see [my page](https://art.example/a_b) now":       "see my page (https://art.example/a_b) now",
		"[my **own**](<https://art.example/> \"a title\")": "my own (https://art.example/)",
		"[https://art.example](https://art.example)":       "https://art.example",
		"[art.example](https://art.example/)":              "https://art.example/",
		"[not](here)":                                      "[not](here)",
		"[WIP] one":                                        "[WIP] one",
		"https://art.example/@ada/1":                       "https://art.example/%40ada/1",
		"https://ada:x@art.example":                        "https://ada:x at art.example",

		// Formats.
		"*a* _b_ **c** __d__ ~~e~~ ***f***":    "a b c d e f",
		"**bold *and slanted***":               "bold and slanted",
		"*a **b** c*":                          "a b c",
		"**two\nlines**":                       "two\nlines",
		"snake_case_name 5 * 3 * 2 ~5":         "snake_case_name 5 * 3 * 2 ~5",
		"**open":                               "**open",
		`\*not slanted\* \_ \\ a\b`:            `*not slanted* _ \ a\b`,
		`¯\\\_(ツ)\_/¯`:                         `¯\_(ツ)_/¯`,
		"`a **b**` ``c`d``":                    "a **b** c`d",
		"```js\nlet a = *b*\n```":              "let a = *b*",
		"see ```x``` there":                    "see x there",
		"code:\n```\na\n  b\n```\nend":         "code:\na\n  b\nend",
		"# Title\n## Sub\n-# small\n#art #new": "Title\nSub\nsmall\n#art #new",
		"- one\n* two\n  - three\n1. four":     "- one\n- two\n  - three\n1. four",
		"> said\n> *twice*\nme":                "> said\n> twice\nme",
		"me\n>>> all\nof **it**":               "me\n> all\n> of it",
		"> # loud":                             "> loud",
		"a\r\nb\x07\tc":                        "a\nb c",
		"a\n\n\n\n\nb":                         "a\n\nb",
		"> - **x**":                            "> - x",
	} {
		got, hid := Words(original(in), words.English, nil)
		if got != want || hid {
			t.Errorf("%q became %q (hidden: %v), not %q", in, got, hid, want)
		}
	}
}

func TestWordsSpeakTheLanguage(t *testing.T) {
	t.Parallel()
	zone := time.FixedZone("IST", 5*3600+30*60)
	got, hid := Words(original("<t:1618953630:f> <@9> <#8> ||тайна||"), words.Russian, zone)
	want := "21 апреля 2021 года в 02:50 (UTC+5:30) кто-то «fan-art» [спойлер]"
	if got != want || !hid {
		t.Errorf("%q, not %q", got, want)
	}
	west := time.FixedZone("", -3*3600)
	if got, _ := Words(original("<t:1618953630:t>"), words.English, west); got != "18:20 (UTC-3)" {
		t.Error(got)
	}
}

func TestSpoilers(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"||S||":                          "[spoiler]",
		"a ||S|| b ||S|| c":              "a [spoiler] b [spoiler] c",
		"a **||S||** b":                  "a [spoiler] b",
		"a ||**S**|| *b* ||S||":          "a [spoiler] b [spoiler]",
		"||S\nS\n\nS|| b":                "[spoiler] b",
		"||https://x.example/S|| b":      "[spoiler] b",
		"<:cat:1> ||S|| <@1> ||S||":      ":cat: [spoiler] Ada [spoiler]",
		"> ||S||\n> b ||S||":             "> [spoiler]\n> b [spoiler]",
		"- ||S||\n- b ||S||":             "- [spoiler]\n- b [spoiler]",
		"||S||, ||S||! (||S||)":          "[spoiler], [spoiler]! ([spoiler])",
		"[link](https://x.example ||S||": "[link](https://x.example [spoiler]",

		// One within the other, or one without its end.
		"||S ||S|| S|| b":   "[spoiler] b",
		"a ||S":             "a [spoiler]",
		"a ||S|| b ||S":     "a [spoiler] b [spoiler]",
		"a ||S\n\nS S S":    "a [spoiler]",
		"|||S|||":           "[spoiler]",
		"||S||||S||":        "[spoiler]",
		`\||S|| b`:          `\[spoiler] b`,
		`||S\|| S || b`:     "[spoiler]",
		"**||S**||S||":      "**[spoiler]",
		"`||S` ||S||":       "`[spoiler]",
		"||S `||` S|| b":    "[spoiler]",
		"> ||S\nS||S||":     "> [spoiler]",
		"- ||S\n- S||S||":   "- [spoiler]",
		"# ||S\nS||S|| b":   "[spoiler]",
		"https://x||S||S||": "https://x[spoiler]",
		"||S||S||S||":       "[spoiler]",
	} {
		got, hid := Words(original(strings.ReplaceAll(in, "S", "secret")), words.English, nil)
		if got != want || !hid {
			t.Errorf("%q became %q (hidden: %v), not %q", in, got, hid, want)
		}
	}
	for in, want := range map[string]string{
		"a || b":                               "a || b",
		"a|b |c|":                              "a|b |c|",
		"`a || b || c`":                        "a || b || c",
		"see `||x||` now":                      "see ||x|| now",
		"``a || `b` || c``":                    "a || `b` || c",
		"shown||":                              "shown[spoiler]",
		"```\na || b\n||c||":                   "```\na [spoiler]",
		"```go\nif a || b {\n\tc || d\n}\n```": "if a || b {\n c || d\n}",
	} {
		got, hid := Words(original(in), words.English, nil)
		if got != want || hid != strings.Contains(want, "[spoiler]") {
			t.Errorf("%q became %q (hidden: %v), not %q", in, got, hid, want)
		}
	}
}

// What once was, or nearly was, shown.
func TestNoReadingLeaks(t *testing.T) {
	t.Parallel()
	for _, s := range []string{
		"**||一**||丁||七||", "**||*||一a丅b)># # ||", "```丁x||<````||一⏎||下", "- || \na||> 一<:e_f:1>||<:e_f:1>||[-# ```丑b_",
		"http://a.b/||<:e_f:1>||一b丅>|| a下b", "[a`](http://a.b/)||一||`", "> `a\nb ||一|| c`", "k *_a_ b ||x _c_* y|| 一 ||w||",
		"*a `b* c` d* ||x` y `z|| 一 ||w||", "> **a\n**b ||x** y **z|| 一 ||w||", "**a ||x**|| 一 ||y||", "> ||a\nb||一||",
		"my_art ||x _(y)_ z|| 一 ||w||", "[a](x||b) c ||一||", "*~*b**c ||d** e|| 一 ||f||", "- a\n  ||x\ny|| b ||一||", "https://x/a|| b ||一||",
		`\` + "`||一||`", "||`||一||`||",
	} {
		if l := leaks(s); l != "" {
			t.Error(l)
		}
	}
	// Messages in which most pairs are clear, for in doubt there is little to
	// find.
	segments := []string{"A", " A ", "\n", " *A* ", " **A** B ", "_A_", " a_b ", " `A` ", "~~A~~", "<:e_f:1>", " [A] ", " [A](http://a.b/) ",
		" * ", "*", "_", "`", "\n- A", "\n> A ", "**", " http://a.b/", " <@1> ", " (A) ", "\nA\n", " A *B", "* A ", " __A__ ", "```\nA\n```"}
	random := rand.New(rand.NewPCG(1, 2))
	tried := 0
	for range 1000 {
		var b strings.Builder
		for i := range 4 + random.IntN(8) {
			if i%2 == 1 {
				b.WriteString("||")
			} else {
				for range 1 + random.IntN(2) {
					s := segments[random.IntN(len(segments))]
					s = strings.Replace(s, "A", "x"+string(rune('一'+2*b.Len())), 1)
					b.WriteString(strings.Replace(s, "B", string(rune('一'+2*b.Len()+1)), 1))
				}
			}
		}
		s, hid := hide(b.String())
		if hid && strings.Count(s, string(hidden)) < 2 {
			continue
		}
		if tried++; tried > 60 {
			break
		}
		if l := leaks(b.String()); l != "" {
			t.Fatal(l)
		}
	}
	if tried < 30 {
		t.Errorf("only %d messages were worth a look", tried)
	}
}

func FuzzWords(f *testing.F) {
	for _, s := range []string{"**a** <@1> ||b||", "\xff||\x00", "[a](https://b/@c)", "`````", "****", "> >>> - # -# x", "<t:-9999:R>", "\u2067a\n\u2069",
		"@\u200bada", "[@](https://a.example)ada", "<:a:1>@ada", "https://a/@b@c"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, l := range words.Languages() {
			got, hid := Words(original(s), l, nil)
			if !utf8.ValidString(got) || strings.ContainsAny(got, "\x00\r\u202e") {
				t.Errorf("%q became %q, which is no text", s, got)
			}
			if community.WithoutMentions(got) != got {
				t.Errorf("%q became %q, which mentions somebody", s, got)
			}
			if strings.TrimSpace(got) != got || strings.Contains(got, "\n\n\n") {
				t.Errorf("%q became %q, which has too much room", s, got)
			}
			if again := closeIsolates(got); again != got {
				t.Errorf("%q became %q, whose direction is open", s, got)
			}
			if hid && !strings.Contains(s, "||") {
				t.Errorf("%q has no spoiler", s)
			}
		}
	})
}
