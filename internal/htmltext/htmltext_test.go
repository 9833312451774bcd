package htmltext

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// mentions knows two accounts by the addresses that servers link to.
func mentions(href string) (string, bool) {
	switch href {
	case "https://art.example/@ada", "https://art.example/users/ada":
		return "ada@art.example", true
	case "https://far.example/@bob":
		return "bob@far.example", true
	}
	return "", false
}

func TestText(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ in, want string }{
		"nothing":               {"", ""},
		"plain":                 {"hello", "hello"},
		"paragraphs":            {"<p>one</p><p>two</p>", "one\n\ntwo"},
		"break":                 {"<p>one<br>two<br/>three</p>", "one\ntwo\nthree"},
		"many breaks":           {"one<br><br><br><br><br>two", "one\n\ntwo"},
		"snac ends lines":       {"one<br>\ntwo<br>\n", "one\ntwo"},
		"white space":           {"  a \n\t b  <b> c </b> d ", "a b c d"},
		"entities":              {"<p>a &amp; b &lt;c&gt; &quot;d&quot; &#39;e&#39;</p>", `a & b <c> "d" 'e'`},
		"bare ampersand":        {`<p>a & b > c "d"</p>`, `a & b > c "d"`},
		"not a tag":             {"<p>1 < 2 and <3</p>", "1 < 2 and <3"},
		"emoji shortcode":       {"<p>hi :blobcat: !</p>", "hi :blobcat: !"},
		"emoji picture":         {`<p>hi <img class="emoji" alt=":blobcat:" src="x">!</p>`, "hi :blobcat:!"},
		"script":                {"a<script>alert('<p>x')</script><style>p{}</style>b", "ab"},
		"comment":               {"a<!-- <p>no -->b", "ab"},
		"mastodon mention":      {`<p><span class="h-card" translate="no"><a href="https://art.example/@ada" class="u-url mention">@<span>ada</span></a></span> hello!</p>`, "@ada@art.example hello!"},
		"pleroma mention":       {`<span class="h-card"><a class="u-url mention" data-user="X" href="https://art.example/users/ada" rel="ugc">@<span>ada</span></a></span> hi`, "@ada@art.example hi"},
		"misskey mention":       {`<p><a href="https://far.example/@bob" class="u-url mention">@bob@far.example</a><span> hi<br>you</span></p>`, "@bob@far.example hi\nyou"},
		"mention without class": {`<a href="https://far.example/@bob">@bob</a> hi`, "@bob@far.example hi"},
		"words are no mention":  {`<a href="https://far.example/@bob">my friend</a>`, "my friend (https://far.example/@bob)"},
		"name is not believed":  {`<a href="https://far.example/@bob" class="mention">@<span>ada</span></a>`, "@bob@far.example"},
		"unknown mention":       {`<a href="https://new.example/@eve" class="mention">@<span>eve</span></a> hi`, "@eve hi"},
		"hashtag":               {`<a href="https://art.example/tags/cats" class="mention hashtag" rel="tag">#<span>cats</span></a>`, "#cats"},
		"shortened link":        {`<a href="https://www.art.example/a/very/long/path?x=1"><span class="invisible">https://www.</span><span class="ellipsis">art.example/a/very/lo</span><span class="invisible">ng/path?x=1</span></a>`, "https://www.art.example/a/very/long/path?x=1"},
		"whole link":            {`<a href="https://art.example/x"><span class="invisible">https://</span><span class="">art.example/x</span><span class="invisible"></span></a>.`, "https://art.example/x."},
		"link is itself":        {`<a href="https://art.example/">https://art.example</a>`, "https://art.example/"},
		"link by host":          {`<a href="https://art.example/deep/page">art.example</a>`, "https://art.example/deep/page"},
		"escaped link":          {`<a href="https://art.example/%C3%A9t%C3%A9">art.example/été</a>`, "https://art.example/%C3%A9t%C3%A9"},
		"words with link":       {`see <a href="https://art.example/x">my page</a>!`, "see my page (https://art.example/x)!"},
		"disguised link":        {`<a href="https://bank.evil.example/">bank</a>`, "bank (https://bank.evil.example/)"},
		"other host shown":      {`<a href="https://evil.example/">https://bank.example/</a>`, "https://bank.example/ (https://evil.example/)"},
		"script link":           {`<a href="javascript:alert(1)">x</a>`, "x"},
		"relative link":         {`<a href="/tags/x">x</a>`, "x"},
		"empty link":            {`<a href="https://art.example/x"></a>`, "https://art.example/x"},
		"picture link":          {`<a href="https://art.example/x"><img alt="a cat"></a>`, "a cat (https://art.example/x)"},
		"quote inline":          {`<p class="quote-inline">RE: <a href="https://art.example/1">art.example/1</a></p><p>so true</p>`, "so true"},
		"quote inline span":     {`so true<span class="quote-inline"><br><br>RE: <a href="https://art.example/1">x</a></span>`, "so true"},
		"list":                  {"<p>buy</p><ul><li>milk</li><li>eggs</li></ul><p>now</p>", "buy\n\n- milk\n- eggs\n\nnow"},
		"numbers":               {`<ol start="3"><li>a<li>b</ol>`, "3. a\n4. b"},
		"nested list":           {"<ul><li>a<ul><li>b</li><li>c</li></ul></li><li>d</li></ul>", "- a\n  - b\n  - c\n- d"},
		"paragraph in item":     {"<ul><li><p>a</p></li><li><p>b</p></li></ul>", "- a\n\n- b"},
		"empty item":            {"<ul><li></li><li>b</li></ul>", "- b"},
		"quote":                 {"<blockquote><p>one<br>two</p><p>three</p></blockquote><p>mine</p>", "> one\n> two\n\n> three\n\nmine"},
		"preformatted":          {"<p>so:</p><pre><code>if x {\n    y()\n}\n</code></pre><p>done</p>", "so:\n\nif x {\n    y()\n}\n\ndone"},
		"inline code":           {"run <code>a  b</code> now", "run a b now"},
		"ruby":                  {"<ruby>漢字<rp>(</rp><rt>かんじ</rt><rp>)</rp></ruby>", "漢字(かんじ)"},
		"unclosed":              {"<p>one<p>two<b>three", "one\n\ntwothree"},
		"end tags alone":        {"</div></a>a</b>b", "ab"},
		"broken tag":            {"a <b", "a"},
		"no-break space":        {"a\u00a0b&nbsp;c", "a b c"},
		"NUL and controls":      {"a\x00b&#0;c\x01d&#x7f;", "ab\ufffdcd"},
		"bad UTF-8":             {"a\xffb\xc3(", "a\ufffdb\ufffd("},
		"only an emoji":         {"<p>🦊</p>", "🦊"},
		"right to left":         {"<p>שלום <a href=\"https://far.example/@bob\" class=\"mention\">@<span>bob</span></a></p>", "שלום @bob@far.example"},
		"table":                 {"<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := Text(tc.in, Options{Mention: mentions}); got != tc.want {
				t.Errorf("Text(%q)\n got %q\nwant %q", tc.in, got, tc.want)
			}
		})
	}
}

func TestTextWithoutResolverKeepsTheWords(t *testing.T) {
	t.Parallel()
	in := `<a href="https://art.example/@ada" class="u-url mention">@<span>ada</span></a> hi`
	if got := Text(in, Options{}); got != "@ada hi" {
		t.Errorf("got %q", got)
	}
}

func TestClean(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ in, want string }{
		"plain":                    {"a b\n\tc", "a b\n\tc"},
		"line ends":                {"a\r\nb\rc\u2028d", "a\nb\nc\nd"},
		"controls":                 {"a\x00\x1b[31mb\u0085c", "a[31mb\nc"},
		"bad bytes":                {"\xf0\x9f", "\ufffd\ufffd"},
		"marks stay":               {"a\u200eb\u200fc", "a\u200eb\u200fc"},
		"isolate is closed":        {"a \u2067b\nc", "a \u2067b\u2069\nc"},
		"balanced stays":           {"a \u2067b\u2069 c", "a \u2067b\u2069 c"},
		"closers without openers":  {"a\u2069\u202cb", "ab"},
		"override goes":            {"evil\u202egpj.exe\u202c ok", "evilgpj.exe ok"},
		"closer of an outer scope": {"\u2067a\u202eb\u2069c\u202cd", "\u2067abcd\u2069"},
		"nested":                   {"\u202aa\u2067b", "\u202aa\u2067b\u2069\u202c"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := Clean(tc.in); got != tc.want {
				t.Errorf("Clean(%q)\n got %q\nwant %q", tc.in, got, tc.want)
			}
		})
	}
}

// hostile markup: each must come back bounded, and quickly enough for the
// test's own time limit.
func hostile() map[string]string {
	return map[string]string{
		"deep divs":        strings.Repeat("<div>", 200_000) + "x",
		"deep quotes":      strings.Repeat("<blockquote>", 50_000) + strings.Repeat("x<br>", 50_000),
		"deep lists":       strings.Repeat("<ul><li>x", 50_000),
		"open links":       strings.Repeat(`<a href="https://a.example/">x`, 20_000),
		"end tags":         strings.Repeat("<b>", 60) + strings.Repeat("</i>", 200_000),
		"attributes":       "<p " + strings.Repeat(`class="x" `, 80_000) + ">x",
		"one long word":    strings.Repeat("x", MaxInput+10),
		"bad bytes":        strings.Repeat("\xff", MaxInput),
		"entities":         strings.Repeat("&amp;", 200_000),
		"directions":       strings.Repeat("\u2067\u202e", 150_000),
		"lines":            strings.Repeat("<blockquote><ul><li>x<br>", 8) + strings.Repeat("x<br>", 150_000),
		"unfinished tag":   "<a href=\"" + strings.Repeat("x", MaxInput),
		"ends in a rune":   strings.Repeat("x", MaxText-4) + strings.Repeat("🦊", 10),
		"300 mentions":     strings.Repeat(`<a href="https://art.example/@ada" class="mention">@ada</a> `, 300),
		"misnested blocks": strings.Repeat("<p><a><pre><li></p></a>x", 30_000),
	}
}

func check(t *testing.T, in, got string) {
	t.Helper()
	switch {
	case !utf8.ValidString(got):
		t.Errorf("not valid UTF-8: %.200q from %.200q", got, in)
	case strings.ContainsRune(got, 0):
		t.Errorf("NUL in %.200q from %.200q", got, in)
	case len(got) > MaxText:
		t.Errorf("%d bytes from %d", len(got), len(in))
	case strings.TrimSpace(got) != got:
		t.Errorf("space at an end of %.200q from %.200q", got, in)
	}
	if depth := openDirections(got); depth != 0 {
		t.Errorf("%d direction controls left open in %.200q from %.200q", depth, got, in)
	}
}

func openDirections(s string) int {
	n := 0
	for _, r := range s {
		if isOpener(r) {
			n++
		} else if isCloser(r) {
			n--
		}
	}
	return n
}

func TestHostileMarkupStaysBounded(t *testing.T) {
	t.Parallel()
	for name, in := range hostile() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			check(t, in, Text(in, Options{Mention: mentions}))
			check(t, in, Clean(in))
		})
	}
}

func TestLongTextSaysThatItWasCut(t *testing.T) {
	t.Parallel()
	got := Text("<p>"+strings.Repeat("word ", MaxText/4)+"</p>", Options{})
	if !strings.HasSuffix(got, "…") || len(got) < MaxText-10 {
		t.Errorf("%d bytes, ends in %q", len(got), got[len(got)-10:])
	}
}

func FuzzText(f *testing.F) {
	for name, in := range hostile() {
		if len(in) < 5000 || name == "300 mentions" {
			f.Add(in)
		}
	}
	for _, s := range []string{
		"<p>a</p>", "<a href=https://x.example>x", "<ul><li>a<ol><li>b", "<pre>\n a\n</pre>", "<blockquote>a<p>b",
		"<span class=invisible>x<a>y</span>z", "&#0;\x00\xff", "\u202e\u2067", "<svg><a>", "<plaintext>x", "<textarea><p>x</textarea>",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		check(t, in, Text(in, Options{Mention: mentions}))
		check(t, in, Text(in, Options{}))
		once := Clean(in)
		check(t, in, once)
		if twice := Clean(once); twice != once {
			t.Errorf("Clean is not settled: %q then %q", once, twice)
		}
	})
}
