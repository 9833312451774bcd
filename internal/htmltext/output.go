package htmltext

import (
	"strings"
	"unicode/utf8"
)

// output builds plain text line by line: breaks and spaces are held back
// until words follow, so that none stand at either end or pile up.
type output struct {
	b        strings.Builder
	prefixes []string
	marker   string // of a list item whose first words have not come yet
	breaks   int    // newlines owed before the next words
	space    bool   // a space owed before the next words
	started  bool   // the line at the end of b holds words
	full     bool   // MaxText is reached
}

// flow adds text whose white space means nothing but "a space".
func (o *output) flow(s string) {
	for len(s) > 0 {
		if i := strings.IndexAny(s, " \t\n\r\f"); i != 0 {
			word := s
			if i > 0 {
				word = s[:i]
			}
			o.put(word)
			s = s[len(word):]
			continue
		}
		o.space = o.space || o.started && o.breaks == 0
		s = strings.TrimLeft(s, " \t\n\r\f")
	}
}

// verbatim adds text whose lines and spaces are kept.
func (o *output) verbatim(s string) {
	s = strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
	for {
		line, rest, more := strings.Cut(s, "\n")
		if line != "" {
			o.put(line)
		}
		if !more {
			return
		}
		o.newline()
		s = rest
	}
}

// newline is a line break that was asked for: two make an empty line, more
// are kept as two, which is where text ends up that was spread out to fill
// the screen.
func (o *output) newline() {
	if o.breaks < 2 {
		o.breaks++
	}
	o.space = false
}

// gap sees to it that at least n newlines stand before the next words.
func (o *output) gap(n int) {
	if o.marker != "" {
		return // <li><p>: the words belong beside the mark
	}
	o.breaks = max(o.breaks, n)
	o.space = false
}

// mark sets what stands before the first words of a list item.
func (o *output) mark(m string) { o.flushMark(); o.marker = m }

// push puts p before every line from the next on; false when there are
// already too many prefixes.
func (o *output) push(p string) bool {
	if len(o.prefixes) >= maxQuote {
		return false
	}
	o.prefixes = append(o.prefixes, p)
	return true
}

func (o *output) pop() {
	o.flushMark()
	o.prefixes = o.prefixes[:len(o.prefixes)-1]
}

// flushMark drops the mark of an item that turned out to be empty.
func (o *output) flushMark() { o.marker = "" }

// put writes words, and before them what is owed.
func (o *output) put(words string) {
	if o.full {
		return
	}
	if o.b.Len() == 0 {
		o.breaks = 0
	}
	// An empty line stays bare even inside a quote: when it is written nobody
	// knows any more on which side of the quote's edge it was asked for.
	for range o.breaks {
		o.raw("\n")
		o.started = false
	}
	o.breaks = 0
	if !o.started {
		n := len(o.prefixes)
		if o.marker != "" && n > 0 {
			n-- // the item's own indent gives way to its mark
		}
		for _, p := range o.prefixes[:n] {
			o.raw(p)
		}
		o.raw(o.marker)
		o.marker = ""
		o.started = true
	} else if o.space {
		o.raw(" ")
	}
	o.space = false
	o.raw(words)
}

func (o *output) raw(s string) {
	const end = len("…")
	if room := MaxText - end - o.b.Len(); len(s) > room {
		for room > 0 && !utf8.RuneStart(s[room]) {
			room--
		}
		o.b.WriteString(s[:max(0, room)])
		if !o.full {
			o.b.WriteString("…")
		}
		o.full = true
		return
	}
	o.b.WriteString(s)
}

func (o *output) text() string { return Clean(o.b.String()) }
