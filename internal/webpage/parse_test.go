package webpage

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
)

// long is more text than makes a text of its own.
var long = strings.TrimSpace(strings.Repeat("The owl flies at night. ", 12))

func parseHTML(markup string) Page {
	return parse([]byte(markup), kind{contentType: "text/html; charset=utf-8"}, DefaultMaxText)
}

func TestWhatAPageSaysOfItself(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		markup string
		want   Page
	}{
		"og": {`<html><head><title>Owls | Art</title><meta property="og:title" content="Owls &amp; more"><meta property="og:site_name" content="Art">` +
			`<meta property="og:description" content="All about owls."><meta name="description" content="other"></head><body><p>Hoo.`,
			Page{Title: "Owls & more", SiteName: "Art", Description: "All about owls.", Text: "Hoo."}},
		"title":                     {"<!doctype html><title>\n  Owls\t&mdash; art </title><meta name=Description content='Hoo'>Hello", Page{Title: "Owls — art", Description: "Hoo", Text: "Hello"}},
		"og by the wrong attribute": {`<meta name="og:title" content="a"><meta name="x" property="og:site_name" content="b">`, Page{Title: "a", SiteName: "b"}},
		"the first counts":          {`<title>a</title><title>b</title><meta property=og:description content=""><meta property=og:description content=c><meta property=og:description content=d>`, Page{Title: "a", Description: "c"}},
		"no title":                  {"<p>Hello</p>", Page{Text: "Hello"}},
		"title of a drawing":        {"<body><svg><title>icon</title><desc>x</desc></svg><math><title>y</title></math>Hello", Page{Text: "Hello"}},
		"title after one":           {"<svg/><title>Owls</title>", Page{Title: "Owls"}},
		"title without an end":      {"<title>Owls<p>Hello", Page{Title: "Owls<p>Hello"}},
		"markup in the title":       {"<title>a <b>c</b></title>", Page{Title: "a <b>c</b>"}},
		"head without an end":       {"<head><title>Owls</title><p>Hello", Page{Title: "Owls", Text: "Hello"}},
		"nothing":                   {"", Page{}},
		"not markup":                {"just words < and > more", Page{Text: "just words < and > more"}},
	} {
		if got := parseHTML(c.markup); got != c.want {
			t.Errorf("%s: %+v\nnot %+v", name, got, c.want)
		}
	}
}

func TestText(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ markup, want string }{
		"paragraphs": {"<h1>Owls</h1><p>One\n <b>bold</b>word<br>two</p>three<div>four</div><p>five<p>six", "Owls\nOne boldword\ntwo\nthree\nfour\nfive\nsix"},
		"lists":      {"<ul><li>a<li>b<ul><li>c</ul><li>d</ul><dl><dt>e<dd>f", "a\nb\nc\nd\ne\nf"},
		"tables":     {"<table><tr><td>a<td>b<tr><th>c</table>d", "a\nb\nc\nd"},
		"not shown": {"<script>a()</script><style>b{}</style><nav>c</nav><footer>d</footer><form>e<input value=f><button>g</button></form>" +
			"<aside>h</aside><noscript>i</noscript><template>j</template><iframe>k</iframe><textarea>l</textarea><select><option>m<option>n</select>" +
			"<svg><text>o</text></svg><video>p</video><!-- q --><dialog>r</dialog>shown", "shown"},
		"hidden": {`<p hidden>a</p><div style="Display : NONE !important">b<p>c</div><span style="color:red;visibility:hidden">d</span><i aria-hidden=TRUE>e</i>` +
			`<b style="opacity:0.0">f</b><b style="font-size:0px">g</b><div role=navigation>h</div><div role="dialog">i</div>shown`, "shown"},
		"not hidden":                {`<b style="opacity:0.5;display:block;font-size:10px;opacity">a</b> <i aria-hidden=false>b</i> <p role=main>c`, "a b\nc"},
		"hidden body":               {`<body style="visibility:hidden" hidden><p>a`, "a"},
		"hidden paragraph, no end":  {"<p hidden>a<p>b", "b"},
		"hidden item, no end":       {"<ul><li hidden>a<ul><li>b</ul><li>c</ul>", "c"},
		"hidden, closed by parent":  {"<div><span hidden>a</div>b", "b"},
		"form, closed by parent":    {"<div><form>a</div>b", "b"},
		"nested of one name":        {"<div hidden>a<div>b</div>c</div>d", "d"},
		"stray ends":                {"</div></p></nav>a</span>b<p>c</b>d</div>", "ab\ncd"},
		"end in a paragraph":        {"<b><p hidden>a</b>b</p>c", "c"},
		"script in a paragraph":     {"<p>a<script>b</script>c <svg/>d<svg><path/><g>e</g></svg>", "ac d"},
		"self-closing means little": {"<p/>a<div hidden/>b</div>c", "a\nc"},
		"unheard-of":                {"<my-card>a</my-card><x>b", "ab"},
		"entities":                  {"&lt;p&gt; &amp;amp; &#x3c;/post&#62; &#0;&nbsp;end", "<p> &amp; </post> end"},
		"invisible": {"a\u200bb\u202ec\u2066d\u00ade\ufefff\x00g\x1bh\x7fi\u0085j\u2028k \U000e0041\U000e0042l\u3164m\ue000n\ufdd0o&#8238;p",
			"abcdefghi j k lmnop"},
		"joiners":   {"👩\u200d🚀 ❤\ufe0f می\u200cخواهم \u2066x\u2069 \u180b\U000e0100y", "👩\u200d🚀 ❤\ufe0f می\u200cخواهم x y"},
		"bad UTF-8": {"a\xff\xfeb \xc3(c", "ab (c"},
	} {
		if got := parseHTML(c.markup).Text; got != c.want {
			t.Errorf("%s: %q, not %q", name, got, c.want)
		}
	}
}

func TestTheMainTextIsPreferred(t *testing.T) {
	t.Parallel()
	menu := "<div>Home Shop Contact</div>"
	for name, c := range map[string]struct{ markup, want string }{
		"article":            {menu + "<p>Buy now!</p><article><h1>Owls</h1><div>Share</div><p>" + long + "</article><p>More", "Owls\n" + long},
		"main":               {menu + "<p>Buy now!</p><main><div><p>" + long + "</div></main>", long},
		"paragraphs":         {menu + "<h2>Owls</h2><p>" + long + "</p>", "Owls\n" + long},
		"article is a stub":  {menu + "<article><p>Short.</article><p>" + long, "Short.\n" + long},
		"no paragraphs":      {menu + "<div>" + long + "</div>", "Home Shop Contact\n" + long},
		"short, all of it":   {menu + "<p>Hoo.", "Home Shop Contact\nHoo."},
		"paragraph in a nav": {"<nav><p>" + long + "</nav><article><nav><p>" + long + "</nav><p>Hoo.", "Hoo."},
	} {
		if got := parseHTML(c.markup).Text; got != c.want {
			t.Errorf("%s: %q, not %q", name, got, c.want)
		}
	}
}

func TestCharsets(t *testing.T) {
	t.Parallel()
	const words = "Сова летит ночью"
	cyrillic, err := charmap.Windows1251.NewEncoder().String(words)
	if err != nil {
		t.Fatal(err)
	}
	koi, err := charmap.KOI8R.NewEncoder().String(words)
	if err != nil {
		t.Fatal(err)
	}
	jis, err := japanese.ShiftJIS.NewEncoder().String("ふくろう")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ data, contentType, want string }{
		"windows-1251 by the header": {"<p>" + cyrillic, "text/html; charset=windows-1251", words},
		"windows-1251 by the page":   {"<meta charset=windows-1251><p>" + cyrillic, "text/html", words},
		"the older way":              {`<meta http-equiv="Content-Type" content="text/html; charset=windows-1251"><p>` + cyrillic, "text/html", words},
		"koi8-r":                     {"<p>" + koi, "text/html; charset=KOI8-R", words},
		"shift_jis":                  {"<p>" + jis, "text/html;charset=Shift_JIS", "ふくろう"},
		"utf-8 without a word of it": {"<p>" + words, "text/html", words},
		"byte order mark":            {"\ufeff<p>" + words, "text/html; charset=windows-1251", words},
		"utf-16":                     {"\xff\xfe<\x00p\x00>\x00\x21\x04", "text/html", "С"},
		"a charset nobody knows":     {"<p>" + words, "text/html; charset=x-owl", words},
		"one that is refused":        {"<p>hello", "text/html; charset=iso-2022-kr", ""},
		"a broken header":            {"<p>" + words, "text/html; charset=\"", words},
	} {
		if got := parse([]byte(c.data), kind{contentType: c.contentType}, DefaultMaxText).Text; got != c.want {
			t.Errorf("%s: %q, not %q", name, got, c.want)
		}
	}
	plain := kind{plain: true, contentType: "text/plain; charset=windows-1251"}
	if got := parse([]byte(cyrillic+"\r\n\r\n <b>x</b>"), plain, DefaultMaxText); got != (Page{Text: words + "\n<b>x</b>"}) {
		t.Errorf("plain text: %+v", got)
	}
}

func TestLengthsAreBounded(t *testing.T) {
	t.Parallel()
	huge := strings.Repeat("сова ", 10_000)
	p := parseHTML("<title>" + strings.Repeat(huge, 12) + "</title><meta property=og:site_name content='" + huge + // a title of 1 MB
		"'><meta name=description content='" + huge + "'><p>" + huge)
	for name, c := range map[string]struct {
		got string
		max int
	}{"title": {p.Title, maxTitle}, "site": {p.SiteName, maxSiteName}, "description": {p.Description, maxDescription}, "text": {p.Text, DefaultMaxText}} {
		if n := utf8.RuneCountInString(c.got); n > c.max || n < c.max-6 || !strings.HasSuffix(c.got, "сова…") {
			t.Errorf("%s: %d characters, the end is %q", name, n, c.got[len(c.got)-20:])
		}
	}
	for _, c := range []struct {
		text string
		max  int
		want string
	}{
		{"owls", 4, "owls"}, {"owls ", 4, "owls"}, {"owls", 3, "ow…"}, {"owls", 1, "…"}, {"a b", 2, "a…"}, {"two owls", 7, "two ow…"},
		{"two owls fly", 12, "two owls fly"}, {"two owls fly.", 12, "two owls…"}, {"a " + strings.Repeat("b", 20), 12, "a bbbbbbbbb…"}, {"", 1, ""}, {" \n", 1, ""},
	} {
		if got := line(c.text, c.max); got != c.want {
			t.Errorf("%q in %d: %q, not %q", c.text, c.max, got, c.want)
		}
	}
}

func TestDeepAndWildMarkupEnds(t *testing.T) {
	t.Parallel()
	for name, markup := range map[string]string{
		"deep":             "<p>before</p>" + strings.Repeat("<div>", 20_000) + "after",
		"deep inline":      "<p>before</p>" + strings.Repeat("<b>", 20_000) + "after",
		"many attributes":  "<p>before</p><a " + strings.Repeat("a=b ", 20_000) + ">",
		"ends of nothing":  "<p>before</p><ul>" + strings.Repeat("<b>", 200) + strings.Repeat("</i></u></x>", 8_000),
		"items in shields": "<p>before</p><li><ul>" + strings.Repeat("<b>", 200) + strings.Repeat("<li></li>", 10_000),
		"rules":            "<p>before<object>" + strings.Repeat("<b>", 200) + strings.Repeat("<hr>", 20_000),
		"open tags":        "<p>before</p>" + strings.Repeat("<", 100_000),
	} {
		if got := parseHTML(markup).Text; !strings.HasPrefix(got, "before") || strings.Contains(got, "after") {
			t.Errorf("%s: %.80q", name, got)
		}
	}
}

// FuzzParse: whatever the bytes, the page is bounded, plain and valid.
func FuzzParse(f *testing.F) {
	f.Add([]byte("<title>a</title><p>b<p hidden>c</p><ul><li>d"), "text/html", false, 10)
	f.Add([]byte("<meta charset=windows-1251><meta property=og:title content='\xff'>\xee\xe2\xe0"), "text/html", false, 3)
	f.Add([]byte("<svg><title>a</svg><math/><p/>&#8238;&#0;"), "text/html; charset=utf-16", false, 200)
	f.Add([]byte("\xff\xfea\x00"), "text/plain; charset=shift_jis", true, 1)
	f.Add([]byte(strings.Repeat("<b>", 300)+"</b>"), "", false, 50)
	f.Fuzz(func(t *testing.T, data []byte, contentType string, plain bool, maxText int) {
		maxText = 1 + max(maxText, 0)%5000
		p := parse(data, kind{plain: plain, contentType: contentType}, maxText)
		check(t, "title", p.Title, maxTitle, false)
		check(t, "site", p.SiteName, maxSiteName, false)
		check(t, "description", p.Description, maxDescription, false)
		check(t, "text", p.Text, maxText, true)
	})
}

func check(t *testing.T, name, s string, most int, lines bool) {
	t.Helper()
	if n := utf8.RuneCountInString(s); n > most {
		t.Errorf("%s: %d characters, %d at most", name, n, most)
	}
	if !utf8.ValidString(s) || s != strings.TrimSpace(s) {
		t.Errorf("%s: %q", name, s)
	}
	for _, r := range s {
		if unicode.IsControl(r) && (r != '\n' || !lines) || unicode.Is(unicode.Bidi_Control, r) || r == utf8.RuneError {
			t.Errorf("%s: %U in %q", name, r, s)
		}
	}
	for _, twice := range []string{"  ", "\n\n", " \n", "\n "} {
		if strings.Contains(s, twice) {
			t.Errorf("%s: %q in %q", name, twice, s)
		}
	}
}
