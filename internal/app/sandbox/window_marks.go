package sandbox

import (
	"net/url"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// span is a part of a text in Discord's markdown as Discord draws it. The page
// draws spans by a template, which escapes what stands in them: no text can
// become markup of the page.
type span struct {
	Look   string // a name from the template; "": plain text
	Text   string // of plain text and of code
	Link   string // where a link leads, an address of the web
	Inside []span // of all others
}

// mostNested is how many marks may stand in one another; what is deeper is
// drawn as it was written.
const mostNested = 8

// pairs are the marks of two characters. One mark alone is italic, if it is * or _.
var pairs = map[byte]string{'*': "bold", '_': "underline", '~': "strike", '|': "spoiler"}

// special matches a mention of somebody or of a channel, and an emoji.
var special = regexp.MustCompile(`^<(?:([@#])!?(\d{1,20})|a?(:\w{2,32}:)\d{1,20})>`)

// marks reads a text in Discord's markdown. Names are how those whom it mentions
// are called, by id. Headings, lists and quotes are left as they are.
// Source: https://support.discord.com/hc/en-us/articles/210298617
func marks(text string, names map[string]string) []span {
	p := marker{names: names}
	return p.read(text, 0, false)
}

type marker struct {
	names map[string]string
}

// read reads a text that stands so deep. What stands in a link is neither a link
// nor a spoiler, because nothing in a link can be pressed by itself.
func (p *marker) read(s string, depth int, inLink bool) []span {
	var out spans
	if depth > mostNested {
		out.plain(s)
		return out.all
	}
	for i := 0; i < len(s); {
		rest := s[i:]
		if n := p.escape(&out, rest); n > 0 {
			i += n
		} else if n := p.code(&out, rest); n > 0 {
			i += n
		} else if n := p.special(&out, rest); n > 0 {
			i += n
		} else if n := p.link(&out, rest, depth, inLink); n > 0 {
			i += n
		} else if n := p.marked(&out, s, i, depth, inLink); n > 0 {
			i += n
		} else {
			n := 1
			if _, ok := pairs[rest[0]]; ok {
				n = runOf(rest, rest[0]) // marks of nothing
			}
			out.plain(rest[:n])
			i += n
		}
	}
	return out.all
}

// escape reads a character that stands for itself. It returns, as all of these
// do, how many bytes it has read: none if the text begins with something else.
func (p *marker) escape(out *spans, s string) int {
	if len(s) < 2 || s[0] != '\\' || !punctuation(s[1]) {
		return 0
	}
	out.plain(s[1:2])
	return 2
}

// code reads what stands between runs of backticks of the same length.
func (p *marker) code(out *spans, s string) int {
	n, end := codeIn(s)
	if end == 0 {
		return 0
	}
	out.add(span{Look: "code", Text: strings.Trim(s[n:end-n], "\n")})
	return end
}

// codeIn measures code at the beginning of s: how many backticks stand on each
// side, and where it ends; 0 if there is none.
func codeIn(s string) (n, end int) {
	n = runOf(s, '`')
	for i := n; n > 0 && i < len(s); {
		m := runOf(s[i:], '`')
		if m == n && i > n {
			return n, i + m
		}
		i += max(m, 1)
	}
	return n, 0
}

// special reads a mention or an emoji.
func (p *marker) special(out *spans, s string) int {
	m := special.FindStringSubmatch(s)
	switch {
	case m == nil:
		return 0
	case m[3] != "":
		out.plain(m[3])
	case p.names[m[2]] != "":
		out.add(span{Look: "mention", Text: m[1] + p.names[m[2]]})
	default:
		out.plain(m[0])
	}
	return len(m[0])
}

// marked reads what stands between two marks, of which the first is at i.
func (p *marker) marked(out *spans, s string, i, depth int, inLink bool) int {
	c := s[i]
	look, ok := pairs[c]
	if !ok {
		return 0
	}
	run := runOf(s[i:], c)
	if run >= 2 && !(look == "spoiler" && inLink) {
		if end := markEnd(s[i+2:], c, 2); end > 0 {
			out.add(span{Look: look, Inside: p.read(s[i+2:i+2+end], depth+1, inLink)})
			return 2 + end + 2
		}
	}
	if run%2 == 0 || c != '*' && c != '_' || c == '_' && wordBefore(s[:i]) || startsWithSpace(s[i+1:]) {
		return 0
	}
	end := markEnd(s[i+1:], c, 1)
	if end <= 0 || c == '_' && wordAfter(s[i+1+end+1:]) {
		return 0
	}
	out.add(span{Look: "italic", Inside: p.read(s[i+1:i+1+end], depth+1, inLink)})
	return 1 + end + 1
}

// markEnd finds the mark, n times c, that ends what began before s; -1 if there
// is none. It ends a run of its character, and stands in no code. Two of c
// belong to a pair of their own where one is looked for.
func markEnd(s string, c byte, n int) int {
	for i := 0; i < len(s); {
		if s[i] == '\\' {
			i += 2
			continue
		}
		if _, end := codeIn(s[i:]); end > 0 {
			i += end
			continue
		}
		run := runOf(s[i:], c)
		if at := i + run - n; run >= n && at > 0 && (n == 2 || run%2 == 1 && !endsWithSpace(s[:at])) {
			return at
		}
		i += max(run, 1)
	}
	return -1
}

// bare matches an address as it stands in a text. A sign at its end belongs to
// the sentence.
var bare = regexp.MustCompile(`^https?://[^\s<]*[^\s<.,:;!?"'\])*_~|]`)

// link reads an address, alone or with words for it.
func (p *marker) link(out *spans, s string, depth int, inLink bool) int {
	if inLink {
		return 0
	}
	if address := bare.FindString(s); ofWeb(address) {
		out.add(span{Look: "link", Link: address, Inside: []span{{Text: address}}})
		return len(address)
	}
	if strings.HasPrefix(s, "<http") {
		if address, _, ok := strings.Cut(s[1:], ">"); ok && ofWeb(address) {
			out.add(span{Look: "link", Link: address, Inside: []span{{Text: address}}})
			return len(address) + 2
		}
	}
	words, address, n := wordedLink(s)
	if n == 0 || !ofWeb(address) {
		return 0
	}
	out.add(span{Look: "link", Link: address, Inside: p.read(words, depth+1, true)})
	return n
}

// wordedLink reads [words](address), and how long that is; 0 if it is not there.
func wordedLink(s string) (words, address string, n int) {
	if s == "" || s[0] != '[' {
		return "", "", 0
	}
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '[', '\n':
			return "", "", 0
		case ']':
			after, ok := strings.CutPrefix(s[i+1:], "(")
			end := strings.IndexByte(after, ')')
			if !ok || end < 0 || i == 1 {
				return "", "", 0
			}
			address = strings.TrimSuffix(strings.TrimPrefix(after[:end], "<"), ">")
			return s[1:i], address, i + 1 + 1 + end + 1
		}
	}
	return "", "", 0
}

// ofWeb tells whether an address is one of the web, so that it can be followed.
func ofWeb(address string) bool {
	if strings.ContainsFunc(address, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) || r == '<' || r == '>' }) {
		return false
	}
	u, err := url.Parse(address)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && u.User == nil
}

// spans gathers spans; plain text that follows plain text continues it.
type spans struct{ all []span }

func (o *spans) add(s span) { o.all = append(o.all, s) }

func (o *spans) plain(text string) {
	if n := len(o.all); n > 0 && o.all[n-1].Look == "" {
		o.all[n-1].Text += text
		return
	}
	o.add(span{Text: text})
}

func runOf(s string, c byte) int {
	n := 0
	for n < len(s) && s[n] == c {
		n++
	}
	return n
}

func punctuation(c byte) bool {
	return c < utf8.RuneSelf && (unicode.IsPunct(rune(c)) || unicode.IsSymbol(rune(c)))
}

func wordBefore(s string) bool { r, _ := utf8.DecodeLastRuneInString(s); return isWord(r) }
func wordAfter(s string) bool  { r, _ := utf8.DecodeRuneInString(s); return isWord(r) }

func isWord(r rune) bool {
	return r == '_' || r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r))
}

func startsWithSpace(s string) bool { r, _ := utf8.DecodeRuneInString(s); return unicode.IsSpace(r) }
func endsWithSpace(s string) bool   { r, _ := utf8.DecodeLastRuneInString(s); return unicode.IsSpace(r) }
