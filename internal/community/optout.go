package community

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// OptsOut reports whether the member's name or profile text holds one of the
// tags as a whole hashtag: "#NoAI" and "＃noai." say "noai", while "#noaim",
// "noai" and "x#noai" do not. Tags are given with or without the leading #;
// case does not matter.
//
// Profiles write hashtags in running text, in rows, in brackets and between
// marks of emphasis, so whatever is no part of a word ends one.
func (m Member) OptsOut(tags ...string) bool {
	return holdsTag(m.Note, tags) || holdsTag(m.Name, tags)
}

// hashes are the signs a hashtag begins with: the second is the wide form of
// East Asian keyboards.
const hashes = "#＃"

func holdsTag(text string, tags []string) bool {
	before := ' '
	for text != "" {
		r, n := utf8.DecodeRuneInString(text)
		text = text[n:]
		if strings.ContainsRune(hashes, r) && !wordRune(before) {
			word := text[:wordLen(text)]
			for _, t := range tags {
				if t = strings.TrimLeft(t, hashes); t != "" && strings.EqualFold(word, t) {
					return true
				}
			}
		}
		before = r
	}
	return false
}

// wordLen is how many bytes of text belong to the word it begins with.
func wordLen(text string) int {
	if i := strings.IndexFunc(text, func(r rune) bool { return !wordRune(r) }); i >= 0 {
		return i
	}
	return len(text)
}

func wordRune(r rune) bool {
	return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r)
}
