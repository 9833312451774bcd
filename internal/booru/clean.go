package booru

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// clean takes from text what cannot be seen, and gives the rest one form:
// valid UTF-8 in NFC, lower case, white space of every kind as a single space,
// typographic apostrophes as the plain one. Emoji stay, without the invisible
// joiners between their parts: no board keeps a tag with those.
func clean(text string) string {
	var b strings.Builder
	b.Grow(len(text))
	space := true // none at the start
	for _, r := range norm.NFC.String(lower(text)) {
		switch {
		case unicode.IsSpace(r) || r == brailleBlank:
			if !space {
				b.WriteByte(' ')
			}
			space = true
			continue
		case unseen(r):
			continue
		case strings.ContainsRune("‘’‚‛′´", r):
			r = '\''
		}
		b.WriteRune(r)
		space = false
	}
	// Taking characters away can bring a letter and an accent together.
	return strings.TrimRight(norm.NFC.String(b.String()), " ")
}

// lower makes text lower case and leaves out what is not UTF-8. It composes
// first: the lower case of a composed letter can be another than that of its
// parts.
func lower(text string) string {
	return strings.ToLower(norm.NFC.String(strings.ToValidUTF8(text, "")))
}

const brailleBlank = '\u2800'

// unseen is true for what takes no room on a screen, or only turns its
// direction: control and format characters, zero-width ones, variation
// selectors, Hangul fillers, and what has no meaning outside one program.
func unseen(r rune) bool {
	switch r {
	case utf8.RuneError, '\u034f', '\u115f', '\u1160', '\u17b4', '\u17b5', '\u3164', '\uffa0':
		return true
	}
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co, unicode.Cs, unicode.Variation_Selector)
}

// fold is the form in which tags of different boards, and of members, are
// compared: compatibility forms are one letter, and an underscore is a space.
func fold(tag string) string {
	tag = norm.NFKC.String(clean(tag))
	tag = strings.ReplaceAll(strings.ToLower(tag), "_", " ")
	return strings.Join(strings.Fields(tag), " ")
}

// cut is text, or its first n characters.
func cut(text string, n int) string {
	for i := range text {
		if n == 0 {
			return text[:i]
		}
		n--
	}
	return text
}
