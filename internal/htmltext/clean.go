package htmltext

import (
	"strings"
	"unicode/utf8"
)

// Clean makes plain text from outside safe to store and to put beside other
// text: valid UTF-8 (broken bytes become U+FFFD), no control characters but
// newline and tab, no-break spaces as spaces, line ends as "\n", no space at
// either end, at most MaxText bytes, and direction controls balanced.
//
// Direction controls are kept, because text that mixes Hebrew or Arabic with
// Latin can need them, but balanced line by line: what is opened is closed at
// the end of the line and a closer without an opener is dropped, so that one
// member's text can never turn around what we write next to it. The two
// overrides (LRO, RLO) are dropped: no language needs them and their only use
// in the wild is to disguise names of files and hosts.
func Clean(s string) string {
	if len(s) > MaxText {
		n := MaxText - len("…")
		for n > 0 && !utf8.RuneStart(s[n]) {
			n--
		}
		s = s[:n] + "…"
	}
	clean, controls := plain(s)
	if controls {
		if balanced := balance(clean, true); len(balanced) <= MaxText {
			clean = balanced
		} else {
			clean = balance(clean, false)
		}
	}
	clean = strings.TrimSpace(clean)
	if len(clean) > MaxText { // broken bytes grew to three each
		return Clean(clean)
	}
	return clean
}

// plain drops what no text needs and reports whether direction controls that
// come in pairs are left.
func plain(s string) (string, bool) {
	var b strings.Builder
	b.Grow(len(s))
	controls := false
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == '\n' || r == '\t':
			b.WriteRune(r)
		case r == '\r':
			if !strings.HasPrefix(s[i+1:], "\n") {
				b.WriteByte('\n')
			}
		case r == '\u0085' || r == '\u2028' || r == '\u2029':
			b.WriteByte('\n')
		case r == '\u00a0' || r == '\u202f':
			b.WriteByte(' ')
		case r < ' ' || r >= 0x7f && r < 0xa0 || r == '\ufeff':
		default:
			controls = controls || isOpener(r) || isCloser(r)
			b.WriteRune(r) // U+FFFD for a broken byte
		}
		i += n
	}
	return b.String(), controls
}

const (
	lre, rle, pdf, lro, rlo = '\u202a', '\u202b', '\u202c', '\u202d', '\u202e'
	lri, rli, fsi, pdi      = '\u2066', '\u2067', '\u2068', '\u2069'
)

func isOpener(r rune) bool {
	return r == lre || r == rle || r == lro || r == rlo || r == lri || r == rli || r == fsi
}

func isCloser(r rune) bool { return r == pdf || r == pdi }

// balance closes on every line the direction controls opened there and drops
// the others; with keep false it drops them all.
func balance(s string, keep bool) string {
	const deepest = 16
	type scope struct {
		closer rune
		kept   bool
	}
	var (
		b     strings.Builder
		stack []scope
	)
	pop := func() {
		if top := stack[len(stack)-1]; top.kept {
			b.WriteRune(top.closer)
		}
		stack = stack[:len(stack)-1]
	}
	for _, r := range s {
		switch {
		case r == '\n':
			for len(stack) > 0 {
				pop()
			}
			b.WriteRune(r)
		case isOpener(r):
			sc := scope{closer: pdf, kept: keep && r != lro && r != rlo && len(stack) < deepest}
			if r == lri || r == rli || r == fsi {
				sc.closer = pdi
			}
			if sc.kept {
				b.WriteRune(r)
			}
			if len(stack) < 4*deepest {
				stack = append(stack, sc)
			}
		case isCloser(r):
			if n := len(stack); n > 0 && stack[n-1].closer == r {
				pop()
			}
		default:
			b.WriteRune(r)
		}
	}
	for len(stack) > 0 {
		pop()
	}
	return b.String()
}
