package compose

import (
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"rookery/internal/discord"
	"rookery/internal/words"
)

// reading is how one client may take a message apart: the rules of Discord's
// web client, each of which another client may leave out. It finds what is
// behind a spoiler, and nothing else, and it owes nothing to the code that is
// tested.
type reading struct {
	noBlocks, noLists, noAddresses, noEscapes, wordsOnly, formatsFirst bool
	secret                                                             map[rune]bool
}

func (r *reading) hide(s string) {
	for _, c := range s {
		r.secret[c] = true
	}
}

var (
	readHeading = regexp.MustCompile(`^ *(?:#{1,3}|-#)\s+([^\n]+)(?:\n|$)`)
	readQuote   = regexp.MustCompile(`^(?: *>>> ([\s\S]*)|( *> [^\n]*(?:\n *> [^\n]*)*\n?))`)
	readQuoted  = regexp.MustCompile(`(?m)^ *> ?`)
	readItem    = regexp.MustCompile(`^ *(?:[*-]|\d+\.) `)
	readFence   = regexp.MustCompile("^```(?:[A-Za-z0-9_+.#-]+?\n)?\n*([^\n][\\s\\S]*?)\n*```")
	readAuto    = regexp.MustCompile(`^<(?:https?://[^ >]+|a?:\w+:\d+|@[!&]?\d+|#\d+)>`)
	readURL     = regexp.MustCompile(`^https?://[^\s<]+[^<.,:;"'\]\s]`)
	readLink    = regexp.MustCompile(`^\[((?:\[[^\]]*\]|[^\[\]])*)\]\(\s*<?((?:\([^)]*\)|[^\s\\]|\\.)*?)>?(?:\s+['"][\s\S]*?['"])?\s*\)`)
	readStrong  = regexp.MustCompile(`^\*\*((?:\\[\s\S]|[^\\])+?)\*\*(?:[^*]|$)`)
	readUnder   = regexp.MustCompile(`^__((?:\\[\s\S]|[^\\])+?)__(?:[^_]|$)`)
	readStrike  = regexp.MustCompile(`^~~([\s\S]+?)~~(?:[^_]|$)`)
	readSpoiler = regexp.MustCompile(`^\|\|([\s\S]+?)\|\|`)
)

func (r *reading) read(s string, line, quoted bool, before rune) {
	for s != "" {
		n := 0
		if line && !r.noBlocks {
			n = r.block(s, quoted)
		}
		if n == 0 {
			n = r.inline(s, quoted, before)
		}
		before, _ = utf8.DecodeLastRuneInString(s[:n])
		line = s[n-1] == '\n'
		s = s[n:]
	}
}

func (r *reading) block(s string, quoted bool) int {
	if !strings.ContainsRune(" #->*0123456789", rune(s[0])) {
		return 0
	}
	if m := readHeading.FindStringSubmatch(s); m != nil {
		r.read(m[1], false, quoted, ' ')
		return len(m[0])
	}
	if m := readQuote.FindStringSubmatch(s); m != nil && !quoted {
		inner := m[1]
		if inner == "" {
			inner = readQuoted.ReplaceAllString(m[2], "")
		}
		r.read(inner, true, true, ' ')
		return len(m[0])
	}
	if readItem.MatchString(s) && !r.noLists {
		end := 0
		var item string
		for rest := s; rest != ""; {
			l, _, more := strings.Cut(rest, "\n")
			if more {
				l += "\n"
			}
			m := readItem.FindString(l)
			if end > 0 && m == "" && !strings.HasPrefix(l, " ") {
				break
			}
			if m != "" {
				r.read(item, true, quoted, ' ')
				item = ""
			}
			item += l[len(m):]
			end += len(l)
			rest = rest[len(l):]
		}
		r.read(item, true, quoted, ' ')
		return end
	}
	return 0
}

func (r *reading) inline(s string, quoted bool, before rune) int {
	if _, n := utf8.DecodeRuneInString(s); n > 1 || !strings.ContainsRune("\\`<h[*_~|", rune(s[0])) {
		return n // nothing begins with it
	}
	if m := readFence.FindString(s); m != "" {
		return len(m)
	}
	if next, n := utf8.DecodeRuneInString(s[1:]); s[0] == '\\' && n > 0 && !r.noEscapes &&
		!strings.ContainsRune("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz \n", next) {
		return 1 + n
	}
	if !r.noAddresses {
		if m := readAuto.FindString(s); m != "" {
			return len(m)
		}
		if m := readURL.FindString(s); m != "" {
			return len(m)
		}
	}
	if m := readLink.FindStringSubmatch(s); m != nil {
		r.read(m[1], false, quoted, ' ')
		return len(m[0])
	}
	if n := r.formats(s, quoted, before); n > 0 {
		return n
	}
	if n := readCode(s); n > 0 {
		return n
	}
	if m := readSpoiler.FindStringSubmatch(s); m != nil {
		r.hide(m[1])
		return len(m[0])
	}
	if m := readStrike.FindStringSubmatch(s); m != nil {
		r.read(m[1], false, quoted, ' ')
		return len(m[1]) + 4
	}
	_, n := utf8.DecodeRuneInString(s)
	return n
}

// formats takes the longest that begins here, or the first.
func (r *reading) formats(s string, quoted bool, before rune) int {
	var inner string
	long := 0
	take := func(content string, marks int) {
		if n := len(content) + marks; content != "" && (n > long && !r.formatsFirst || long == 0) {
			inner, long = content, n
		}
	}
	if m := readStrong.FindStringSubmatch(s); m != nil {
		take(m[1], 4)
	}
	if m := readUnder.FindStringSubmatch(s); m != nil {
		take(m[1], 4)
	}
	take(starred(s), 2)
	if !r.wordsOnly || !ascii(before) {
		take(scored(s), 2)
	}
	if long > 0 {
		r.read(inner, false, quoted, ' ')
	}
	return long
}

// starred is what `*…*` holds; "" if none begins here.
func starred(s string) string {
	blank := func(i int) bool { return strings.ContainsRune(" \n\t", rune(s[i])) }
	if len(s) < 3 || s[0] != '*' || blank(1) {
		return ""
	}
	for k := 1; k < len(s); {
		switch {
		case s[k] == '*' && k+1 < len(s) && s[k+1] == '*':
			k += 2
		case s[k] == '*':
			return s[1:k]
		case s[k] == '\\':
			k += 2
		case blank(k):
			for k < len(s) && blank(k) {
				k++
			}
			if k < len(s) && s[k] == '*' && !strings.HasPrefix(s[k:], "**") {
				return ""
			}
		default:
			k++
		}
	}
	return ""
}

// scored is the same of `_…_`.
func scored(s string) string {
	if s[0] != '_' {
		return ""
	}
	for k := 1; k < len(s); {
		switch {
		case strings.HasPrefix(s[k:], "__"):
			k += 2
		case s[k] == '_':
			if k > 1 && (k+1 == len(s) || !ascii(rune(s[k+1]))) {
				return s[1:k]
			}
			return ""
		case s[k] == '\\':
			k += 2
		default:
			k++
		}
	}
	return ""
}

func ascii(r rune) bool {
	return r == '_' || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z'
}

func readCode(s string) int {
	n := len(s) - len(strings.TrimLeft(s, "`"))
	for ; n > 0; n-- {
		for k := n + 1; k+n <= len(s); k++ {
			if s[k:k+n] == s[:n] && s[k-1] != '`' && !strings.HasPrefix(s[k+n:], "`") {
				return k + n
			}
		}
	}
	return 0
}

// pieces are what a message is made of; an empty one is a word of its own.
var pieces = []string{"", "||", " ", "", "||", "\n", "*", "", "**", "_", " ", "__", "~~", "`", "```", "> ", "- ", "# ", ">>> ",
	"[", "](http://a.b/", ")", "<", "\\", "http://a.b/", "<:e_f:1>", "-# ", "x", "](", "|", " * ", "]", "~", "<http://a.b/", ">", "(", "1. "}

func message(choice []byte) string {
	var b strings.Builder
	for i, c := range choice {
		p := pieces[int(c)%len(pieces)]
		if p == "" {
			p = string(rune('一' + i))
			if c >= 128 {
				p = "a" + p + "b"
			}
		}
		b.WriteString(p)
	}
	return b.String()
}

// leaks is a reading in which something of a message is hidden that the text
// shows; "" for none.
func leaks(said string) string {
	text, hid := Words(discord.Original{Content: said}, words.English, nil)
	for bits := range 64 {
		r := &reading{bits&1 > 0, bits&2 > 0, bits&4 > 0, bits&8 > 0, bits&16 > 0, bits&32 > 0, map[rune]bool{}}
		r.read(said, true, false, ' ')
		for c := range r.secret {
			if c >= '一' && c < '一'+10_000 && (strings.ContainsRune(text, c) || !hid) {
				return string(c) + " of " + strings.ReplaceAll(said, "\n", "⏎") + " is in " + strings.ReplaceAll(text, "\n", "⏎")
			}
		}
	}
	return ""
}

// Whatever a message is made of, what any client hides in it stays hidden.
func FuzzSpoilersStayHidden(f *testing.F) {
	for _, s := range [][]byte{
		{1, 0, 1}, {8, 0, 1, 0, 8, 1, 2, 0, 2, 1, 0, 1}, {15, 1, 0, 5, 0, 1, 2, 0, 2, 1, 0, 1}, {13, 1, 0, 1, 13},
		{14, 1, 0, 1, 14, 1, 0, 1}, {6, 9, 0, 9, 10, 0, 10, 1, 0, 10, 9, 0, 9, 6, 10, 0, 1, 10, 0, 10, 1, 0, 1},
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, choice []byte) {
		if len(choice) > 60 {
			choice = choice[:60]
		}
		if l := leaks(message(choice)); l != "" {
			t.Error(l)
		}
	})
}
