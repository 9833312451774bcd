package compose

import (
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"rookery/internal/discord"
	"rookery/internal/words"
)

// reader takes the marks out of Discord's markup and keeps what they are put
// around. What makes a text readable as lines stays: quotations keep "> ",
// lists "- ". Source: https://support.discord.com/hc/en-us/articles/210298617.
type reader struct {
	o    *discord.Original
	l    words.Language
	zone *time.Location
	out  []byte

	depth   int
	quoting bool // the rest is a quotation: ">>> "
	emoji   bool // an emoji's name was written last
}

// deepest bounds formats within formats.
const deepest = 20

// write adds text. Emoji names want something else than letters around them, or
// servers do not see them.
func (p *reader) write(s string) {
	if s == "" {
		return
	}
	first, _ := utf8.DecodeRuneInString(s)
	if p.emoji && (first == ':' || word(first)) {
		p.out = append(p.out, ' ')
	}
	p.emoji = false
	for i, line := range strings.SplitAfter(s, "\n") {
		if i > 0 && p.quoting {
			p.out = append(p.out, "> "...)
		}
		p.out = append(p.out, line...)
	}
}

func (p *reader) writeEmoji(name string) {
	if last, _ := utf8.DecodeLastRune(p.out); len(p.out) > 0 && (last == ':' || word(last)) && !p.emoji {
		p.out = append(p.out, ' ')
	}
	p.write(":" + name + ":")
	p.emoji = true
}

// read writes what a text says. begins tells that it stands at the beginning
// of a line, before is the character in front of it.
func (p *reader) read(s string, begins bool, before rune) {
	none := map[string]bool{} // marks that have no end in what is left
	for i := 0; i < len(s); {
		if begins {
			i += p.lineStart(s[i:])
			if i >= len(s) {
				return
			}
		}
		n := p.step(s, i, before, none)
		before, _ = utf8.DecodeLastRuneInString(s[:i+n])
		begins = s[i+n-1] == '\n'
		i += n
	}
}

// starts are the marks that make something of a line.
var starts = regexp.MustCompile(`^(?:( *>>> )|( *> )|( *(?:#{1,3}|-#) +)\S|( *)[*-] +\S)`)

// lineStart reads the marks that a line begins with, and returns how long they
// are.
func (p *reader) lineStart(s string) int {
	i := 0
	for {
		m := starts.FindStringSubmatchIndex(s[i:])
		switch {
		case m == nil:
			return i
		case m[2] >= 0:
			p.write("> ")
			p.quoting = true
			i += m[3]
		case m[4] >= 0:
			if !p.quoting {
				p.write("> ")
			}
			i += m[5]
		case m[6] >= 0:
			i += m[7]
		default:
			p.write(s[i+m[8]:i+m[9]] + "- ")
			_, size := utf8.DecodeLastRuneInString(s[:i+m[1]])
			i += m[1] - size
			return i
		}
	}
}

// step reads what stands at i, and returns how long it is: one byte at least.
func (p *reader) step(s string, i int, before rune, none map[string]bool) int {
	rest := s[i:]
	switch s[i] {
	case '\n':
		p.write("\n")
		return 1
	case hidden:
		p.write(p.l.Say(words.GalleryComposeSpoiler, nil))
		return 1
	case '\\':
		next, size := utf8.DecodeRuneInString(rest[1:])
		if size > 0 && next != hidden && !unicode.IsSpace(next) && !(next < utf8.RuneSelf && word(next) && next != '_') {
			p.write(rest[1 : 1+size])
			return 1 + size
		}
	case '`':
		return p.code(rest, none)
	case '<':
		if m := token.FindString(rest); m != "" {
			return p.token(m)
		}
	case '[':
		if m := masked.FindStringSubmatchIndex(rest); m != nil && p.depth < deepest {
			p.link(rest[m[2]:m[3]], rest[m[4]:m[5]])
			return m[1]
		}
	case 'h', 'H':
		if m := address.FindString(rest); m != "" && !word(before) {
			p.write(addressed(m))
			return len(m)
		}
	case '*', '_', '~':
		if n := p.format(s, i, before, none); n > 0 {
			return n
		}
		n := len(rest) - len(strings.TrimLeft(rest, rest[:1]))
		p.write(rest[:n])
		return n
	}
	end := strings.IndexAny(rest[1:], special) + 1
	if end == 0 {
		end = len(rest)
	}
	// A mark takes one letter; what follows is looked at anew, for an address
	// may begin there.
	p.write(rest[:end])
	return end
}

// special is what step has a look at, and what ends a line.
const special = "\x00\\`<[hH*_~\n"

var (
	address = regexp.MustCompile(`^(?i:https?)://[^\s<\x00]+`)

	// token is what Discord puts something else in the place of.
	token = regexp.MustCompile(`^<(?:@[!&]?\d+|#\d+|a?:\w{1,64}:\d+|t:-?\d{1,20}(?::[A-Za-z])?|/[^<>:\n\x00]{1,110}:\d+|id:[a-z-]+(?::\d+)?|https?://[^<>\s\x00]+)>`)

	masked = regexp.MustCompile(`^\[((?:[^\[\]\n\x00]|\[[^\[\]\n\x00]*\])+)\]\(\s*<?(https?://[^\s<>()\x00]+(?:\([^\s<>()\x00]*\)[^\s<>()\x00]*)*)>?(?:\s+["'][^"'\n\x00]*["'])?\s*\)`)
)

func (p *reader) token(m string) int {
	inner := m[1 : len(m)-1]
	if said, ok := p.mention(inner); ok {
		p.write(said)
		return len(m)
	}
	if strings.HasPrefix(inner, "http") {
		p.write(addressed(inner))
		return len(m)
	}
	_, name, _ := strings.Cut(inner, ":") // [a]:name:id
	name, _, _ = strings.Cut(name, ":")
	p.writeEmoji(name)
	return len(m)
}

// link writes a link that stands behind a text: both.
func (p *reader) link(text, to string) {
	from := len(p.out)
	p.depth++
	p.read(text, false, '[')
	p.depth--
	said := strings.TrimSpace(string(p.out[from:]))
	to = addressed(to)
	bare := strings.TrimSuffix(strings.TrimPrefix(strings.TrimPrefix(to, "https://"), "http://"), "/")
	if said == "" || said == to || strings.EqualFold(strings.TrimSuffix(said, "/"), bare) {
		p.out = append(p.out[:from], to...)
		return
	}
	p.write(" (" + to + ")")
}

// code writes what is in code as it is.
func (p *reader) code(s string, none map[string]bool) int {
	n := len(s) - len(strings.TrimLeft(s, "`"))
	mark := s[:n]
	if n >= 3 {
		if end := strings.Index(s[3:], "```"); end > 0 && strings.Trim(s[3:3+end], "`\n ") != "" {
			p.block(s[3 : 3+end])
			end += 6
			return end + len(s[end:]) - len(strings.TrimLeft(s[end:], "`"))
		}
	}
	if !none[mark] {
		for at := n; ; {
			found := strings.Index(s[at:], mark)
			if found < 0 {
				none[mark] = true
				break
			}
			at += found
			if len(s[at:])-len(strings.TrimLeft(s[at:], "`")) != n {
				at += len(s[at:]) - len(strings.TrimLeft(s[at:], "`"))
				continue
			}
			p.literal(strings.Trim(s[n:at], " "))
			return at + n
		}
	}
	p.write(mark)
	return n
}

// language is the first line of a block of code, which says what it is in.
var language = regexp.MustCompile(`^[A-Za-z0-9_+\-.#]+\n+`)

func (p *reader) block(s string) {
	if inner := s[len(language.FindString(s)):]; strings.TrimSpace(inner) != "" {
		s = inner
	}
	s = strings.Trim(s, "\n")
	if strings.Contains(s, "\n") && len(p.out) > 0 && p.out[len(p.out)-1] != '\n' {
		p.write("\n")
	}
	p.literal(s)
}

// literal writes text in which nothing is a mark but what is hidden.
func (p *reader) literal(s string) {
	p.write(strings.ReplaceAll(s, string(hidden), p.l.Say(words.GalleryComposeSpoiler, nil)))
}

// format reads a text between two marks, and returns how long it is with them;
// 0 if none begins at i.
func (p *reader) format(s string, i int, before rune, none map[string]bool) int {
	if p.depth >= deepest {
		return 0
	}
	c := s[i]
	double := string([]byte{c, c})
	if strings.HasPrefix(s[i:], double) {
		return p.between(s, i, double, before, none)
	}
	if c == '~' {
		return 0
	}
	return p.between(s, i, double[:1], before, none)
}

func (p *reader) between(s string, i int, mark string, before rune, none map[string]bool) int {
	from := i + len(mark)
	if none[mark] {
		return 0
	}
	if len(mark) == 1 {
		next, size := utf8.DecodeRuneInString(s[from:])
		if size == 0 || unicode.IsSpace(next) || mark == "_" && word(before) {
			return 0
		}
	}
	end := closing(s, from, mark)
	if end < 0 {
		none[mark] = true
		return 0
	}
	p.depth++
	p.read(s[from:end], false, rune(mark[0]))
	p.depth--
	return end + len(mark) - i
}

// closing is where the mark that ends a format stands; -1 for none.
func closing(s string, from int, mark string) int {
	for j := from; j < len(s); j++ {
		switch {
		case s[j] == '\\':
			j++
			continue
		case s[j] != mark[0]:
			continue
		}
		n := len(s[j:]) - len(strings.TrimLeft(s[j:], mark[:1]))
		switch {
		case len(mark) == 2 && n >= 2 && j > from:
			return j + n - 2 // "**a *b***": the last two
		case len(mark) == 1 && n%2 == 1 && j > from && !endsBlank(s[:j]) && (mark == "*" || !word(nextRune(s[j+n:]))):
			return j + n - 1
		}
		j += n - 1
	}
	return -1
}

func endsBlank(s string) bool {
	r, _ := utf8.DecodeLastRuneInString(s)
	return unicode.IsSpace(r)
}

func nextRune(s string) rune {
	r, size := utf8.DecodeRuneInString(s)
	if size == 0 {
		return ' '
	}
	return r
}
