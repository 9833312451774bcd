package sandbox

import (
	"errors"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// drawn is a text as the page draws it.
func drawn(t *testing.T, text string, names map[string]string) string {
	t.Helper()
	var b strings.Builder
	if err := windowPage.ExecuteTemplate(&b, "marked", marks(text, names)); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestMarks(t *testing.T) {
	t.Parallel()
	names := map[string]string{"17": "Ada", "18": "art"}
	const (
		spoiler = `<details class="spoiler"><summary>Spoiler</summary>`
		link    = `<a href="https://art.example/a_b_c?d=1&amp;e=2" rel="noreferrer">`
	)
	for in, want := range map[string]string{
		"":                                "",
		"as **@gallery@art.example**, so": "as <strong>@gallery@art.example</strong>, so",
		"_no description_":                "<em>no description</em>",
		"*one* and ***both***":            "<em>one</em> and <strong><em>both</em></strong>",
		"*a **b** c*":                     "<em>a <strong>b</strong> c</em>",
		"__under__ ~~struck~~":            "<u>under</u> <s>struck</s>",
		"||the **end**||":                 spoiler + "the <strong>end</strong></details>",
		`\[spoiler\] \*not\* \\ \a`:       `[spoiler] *not* \ \a`,
		"`**code**` ``a`b``":              "<code>**code**</code> <code>a`b</code>",
		"```\nmany\nlines\n```":           "<code>many\nlines</code>",
		"**a `**` b**":                    "<strong>a <code>**</code> b</strong>",
		`**a \** b**`:                     `<strong>a ** b</strong>`,
		"snake_case_name 2 * 3 * 4":       "snake_case_name 2 * 3 * 4",
		"_a_b":                            "_a_b",
		"**open *and `never ~~closed ||":  "**open *and `never ~~closed ||",
		"**** ____ ||||":                  "**** ____ ||||",
		"one\ntwo":                        "one\ntwo",
		"Delete https://art.example/a_b_c?d=1&e=2 for good?":     "Delete " + link + "https://art.example/a_b_c?d=1&amp;e=2</a> for good?",
		"(https://art.example/a_b_c?d=1&e=2).":                   "(" + link + "https://art.example/a_b_c?d=1&amp;e=2</a>).",
		"<https://art.example/a_b_c?d=1&e=2>":                    link + "https://art.example/a_b_c?d=1&amp;e=2</a>",
		"[the **work**](https://art.example/a_b_c?d=1&e=2)":      link + "the <strong>work</strong></a>",
		"[a ||b||](<https://art.example/a_b_c?d=1&e=2>)":         link + "a ||b||</a>",
		"[https://b.example](https://art.example/a_b_c?d=1&e=2)": link + "https://b.example</a>",
		"[press](javascript:alert(1)) [x](/press)":               "[press](javascript:alert(1)) [x](/press)",
		"[x](https://ada@art.example) [x]( https://a.b)":         `[x](https://ada@art.example) [x]( <a href="https://a.b" rel="noreferrer">https://a.b</a>)`,
		"<@17>, <@!17> in <#18>, <@99> <:clock:20> <a:tick:21>":  `<span class="mention">@Ada</span>, <span class="mention">@Ada</span> in <span class="mention">#art</span>, &lt;@99&gt; :clock: :tick:`,
		"<b>**<script>alert(1)</script>**</b> &amp; \"":          "&lt;b&gt;<strong>&lt;script&gt;alert(1)&lt;/script&gt;</strong>&lt;/b&gt; &amp;amp; &#34;",
		"Ünï **ö** _ж_ж _ж_":                                     "Ünï <strong>ö</strong> _ж_ж <em>ж</em>",
	} {
		if got := drawn(t, in, names); got != want {
			t.Errorf("%q is drawn as\n%s\nwant\n%s", in, got, want)
		}
	}
}

// ours are the tags that the page makes of marks.
var ours = regexp.MustCompile(`^(?:</?(?:strong|em|u|s|code|summary)>|<details class="spoiler">|</details>|</a>|<a href="https?://[^"<>\s]+" rel="noreferrer">)$`)

// No text becomes markup of its own, none is invented, and what is opened is
// closed.
func FuzzMarks(f *testing.F) {
	for _, seed := range []string{
		"**off** _no description_ \\[spoiler\\]", "||a **b *c* d** e||", "[a](https://b.example/c) <https://d.example> https://e.example/_f_",
		`<a href="x">**</a>**`, "[x](javascript:alert(1))", "[x](https://y/\" onclick=\"z)", "```<b>```", strings.Repeat("*_~|`[", 300),
		"<:a\"b:1> <@1> \\", "*\xff_\x00**\u202e",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 4000 { // as Discord's are
			return
		}
		page := drawn(t, text, nil)
		z := html.NewTokenizer(strings.NewReader(page))
		var open []string
		var words strings.Builder
		for z.Next() != html.ErrorToken {
			raw := string(z.Raw())
			tok := z.Token()
			switch tok.Type {
			case html.TextToken:
				if strings.ContainsAny(raw, "<>") {
					t.Fatalf("%q is drawn as %q: %q is not escaped", text, page, raw)
				}
				if len(open) == 0 || open[len(open)-1] != "summary" {
					words.WriteString(tok.Data)
				}
				continue
			case html.StartTagToken:
				if slices.Contains(open, "a") && (tok.Data == "a" || tok.Data == "details") {
					t.Fatalf("%q is drawn as %q: <%s> in a link", text, page, tok.Data)
				}
				open = append(open, tok.Data)
			case html.EndTagToken:
				if len(open) == 0 || open[len(open)-1] != tok.Data {
					t.Fatalf("%q is drawn as %q: </%s> closes nothing", text, page, tok.Data)
				}
				open = open[:len(open)-1]
			}
			if !ours.MatchString(raw) {
				t.Fatalf("%q is drawn as %q: it has the tag %q", text, page, raw)
			}
		}
		if !errors.Is(z.Err(), io.EOF) || len(open) > 0 {
			t.Fatalf("%q is drawn as %q: %v are open", text, page, open)
		}
		rest := plainly(text)
		for _, r := range plainly(words.String()) {
			_, after, ok := strings.Cut(rest, string(r))
			if !ok {
				t.Fatalf("%q is drawn as %q: where is %q from?", text, page, r)
			}
			rest = after
		}
	})
}

// plainly is a text without what browsers replace: zeros, broken characters and
// the ends of lines.
func plainly(s string) string {
	return strings.NewReplacer("\x00", "", "\ufffd", "", "\r", "", "\n", "").Replace(strings.ToValidUTF8(s, ""))
}
