package webpage

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// prose collects visible text up to a length. Runs of white space become one
// space, breaks one newline; neither stands at an end.
type prose struct {
	max int // characters

	b    strings.Builder
	n    int
	gap  byte // what stands before the next character: 0, ' ' or '\n'
	more bool // there was no room for all
}

// add appends text. What is invisible is left out.
func (p *prose) add(text string) {
	for _, r := range text {
		if p.more {
			return
		}
		switch {
		case unicode.IsSpace(r):
			if p.gap == 0 && p.n > 0 {
				p.gap = ' '
			}
		case shown(r):
			p.put(r)
		}
	}
}

// end ends a paragraph.
func (p *prose) end() {
	if p.n > 0 {
		p.gap = '\n'
	}
}

func (p *prose) put(r rune) {
	room := p.max - p.n
	if p.gap != 0 {
		room--
	}
	if room < 1 {
		p.more = true
		return
	}
	if p.gap != 0 {
		p.b.WriteByte(p.gap)
		p.n++
		p.gap = 0
	}
	p.b.WriteRune(r)
	p.n++
}

// text returns what was collected. What did not fit is cut at a word, if one
// ends in the second half, and an ellipsis stands for it.
func (p *prose) text() string {
	s := p.b.String()
	if !p.more {
		return s
	}
	if p.n >= p.max { // room for the ellipsis
		_, size := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-size]
	}
	if i := strings.LastIndexAny(s, " \n"); i > len(s)/2 {
		s = s[:i]
	}
	return strings.TrimRight(s, " \n") + "…"
}

// line is text as one line.
func line(text string, most int) string {
	p := prose{max: most}
	p.add(text)
	return p.text()
}

// shown reports whether a character is seen and keeps to itself. Left out are
// control characters, what stands for broken bytes, direction controls, and
// everything invisible in which words for a model alone could be hidden; kept
// are the joiners that Persian, Indic scripts and emoji are written with, and
// the two variation selectors of emoji.
func shown(r rune) bool {
	switch {
	case r < 0x7f:
		return r >= ' '
	case r == '\u200c' || r == '\u200d' || r == '\ufe0e' || r == '\ufe0f':
		return true
	case r == utf8.RuneError || r == '\u2800': // the latter is Braille without a dot
		return false
	}
	return !unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co, unicode.Variation_Selector,
		unicode.Other_Default_Ignorable_Code_Point, unicode.Noncharacter_Code_Point)
}
