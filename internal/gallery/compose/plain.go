package compose

import (
	"sort"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Marks of the writing direction that isolate what is between them.
const (
	isolate    = '\u2068' // first strong isolate
	endIsolate = '\u2069' // pop directional isolate
)

// clean is a text without what nobody sees and what changes how the rest is
// shown: valid UTF-8, without control characters but line breaks, without marks
// that turn the direction of what follows, and with every isolate closed in its
// line.
func clean(s string) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\r\n", "\n")
	return closeIsolates(strings.Map(func(r rune) rune {
		switch {
		case r == '\n':
			return r
		case r == '\r', r == '\u2028', r == '\u2029', r == '\u0085', r == '\v', r == '\f':
			return '\n'
		case r == '\t':
			return ' '
		case unicode.IsControl(r), r >= '\u202a' && r <= '\u202e', r == '\ufeff':
			return -1
		}
		return r
	}, s))
}

// closeIsolates ends in each line what began in it, and leaves out ends of what
// did not.
func closeIsolates(s string) string {
	if !strings.ContainsFunc(s, func(r rune) bool { return r >= '\u2066' && r <= endIsolate }) {
		return s
	}
	var b strings.Builder
	open := 0
	for _, r := range s {
		switch {
		case r == '\n':
			b.WriteString(strings.Repeat(string(endIsolate), open))
			open = 0
		case r >= '\u2066' && r <= isolate:
			open++
		case r == endIsolate:
			if open == 0 {
				continue
			}
			open--
		}
		b.WriteRune(r)
	}
	b.WriteString(strings.Repeat(string(endIsolate), open))
	return b.String()
}

// maxName is how many characters of a name are shown; Discord's own have 32,
// channels 100.
const maxName = 100

// nameOf makes a name fit for a sentence: one line, set apart from it if it is
// written from right to left. "" if nobody could see it.
func nameOf(s string) string {
	turned := false
	s = strings.Map(func(r rune) rune {
		switch {
		case r >= '\u2066' && r <= endIsolate, r == '\u200e', r == '\u200f', r == '\u061c':
			return -1
		case unicode.In(r, unicode.Hebrew, unicode.Arabic, unicode.Syriac, unicode.Thaana, unicode.Nko, unicode.Samaritan, unicode.Mandaic, unicode.Adlam):
			turned = true
		}
		return r
	}, clean(s))
	s = strings.Join(strings.Fields(s), " ")
	if utf8.RuneCountInString(s) > maxName {
		s, _ = cutTo(s, maxName, utf8.RuneCountInString)
	}
	if strings.TrimFunc(s, unseen) == "" {
		return ""
	}
	if turned {
		s = string(isolate) + s + string(endIsolate)
	}
	return s
}

func unseen(r rune) bool {
	return unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) || r == '\u3164' || r == '\u2800'
}

// tidy takes away blanks at the ends of lines and more than one empty line.
func tidy(s string) string {
	lines := strings.Split(s, "\n")
	kept := lines[:0]
	for _, line := range lines {
		line = strings.TrimRightFunc(line, unicode.IsSpace)
		if line == "" && len(kept) > 0 && kept[len(kept)-1] == "" {
			continue
		}
		kept = append(kept, line)
	}
	return strings.TrimSpace(strings.Join(kept, "\n"))
}

// addressed makes the @ of web addresses harmless without breaking them.
// WithoutMentions would take it away, and "https://art.example/@ada" is where
// an artist is found. What stands before the host's end is left to it.
func addressed(url string) string {
	scheme, rest, ok := strings.Cut(url, "://")
	path := strings.IndexAny(rest, "/?#")
	if !ok || path < 0 {
		return url
	}
	return scheme + "://" + rest[:path] + strings.NewReplacer("@", "%40", "＠", "%EF%BC%A0").Replace(rest[path:])
}

// ellipsis says that a text goes on.
const ellipsis = "…"

// cutTo is a text cut so that its length with an ellipsis is at most n: between
// words, or, of a single word that is no web address, between characters as
// people see them. "" if not even the ellipsis fits. The length of a text is at
// least that of its beginning, or nearly.
func cutTo(s string, n int, length func(string) int) (string, bool) {
	if length(s) <= n {
		return s, false
	}
	var ends []int // of words, but the last
	seen := false
	for i, r := range s {
		if unicode.IsSpace(r) {
			if seen {
				ends = append(ends, i)
			}
			seen = false
		} else {
			seen = true
		}
	}
	if head, ok := longest(s, ends, n, length); ok {
		return head, true
	}
	first := s
	if len(ends) > 0 {
		first = s[:ends[0]]
	}
	if !strings.Contains(first, "://") {
		ends = ends[:0]
		for i := range first {
			if i > 0 && !joined(first, i) {
				ends = append(ends, i)
			}
		}
		if head, ok := longest(first, ends, n, length); ok {
			return head, true
		}
	}
	if length(ellipsis) <= n {
		return ellipsis, true
	}
	return "", true
}

// longest is the text up to the last of these places where it fits.
func longest(s string, ends []int, n int, length func(string) int) (string, bool) {
	cut := func(i int) string {
		head := strings.TrimRightFunc(s[:ends[i]], func(r rune) bool {
			return unicode.IsSpace(r) || strings.ContainsRune(",;:—–-(", r) || r == '\u200d'
		})
		return closeIsolates(head + ellipsis)
	}
	for i := sort.Search(len(ends), func(i int) bool { return length(cut(i)) > n }) - 1; i >= 0; i-- {
		if head := cut(i); length(head) <= n && head != ellipsis {
			return head, true
		}
	}
	return "", false
}

// joined tells whether the characters on both sides of i are one to the eye
// (Unicode Standard Annex 29, as far as emoji, flags and combining marks go).
func joined(s string, i int) bool {
	last, _ := utf8.DecodeLastRuneInString(s[:i])
	next, _ := utf8.DecodeRuneInString(s[i:])
	const joiner = '\u200d'
	switch {
	case last == joiner, next == joiner, unicode.In(next, unicode.Mn, unicode.Me, unicode.Mc),
		next >= 0x1F3FB && next <= 0x1F3FF, // skin tones
		next >= 0xE0020 && next <= 0xE007F: // of flags of regions
		return true
	}
	// Two letters of a flag; in a row of them the pairs are counted from its
	// beginning.
	n := 0
	for rest := s[:i]; regional(next); n++ {
		r, size := utf8.DecodeLastRuneInString(rest)
		if !regional(r) {
			break
		}
		rest = rest[:len(rest)-size]
	}
	return n%2 == 1
}

func regional(r rune) bool { return r >= 0x1F1E6 && r <= 0x1F1FF }
