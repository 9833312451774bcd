package persona

import (
	"strings"
	"unicode"
)

// reciteLength is how many letters and digits in a row an answer may share
// with what the model was told to be. A character may well say a sentence of
// its own description; three in a row are the description.
const reciteLength = 120

// recites tells whether an answer holds a long piece of the system prompt, word
// for word but for space, case and punctuation.
func recites(said, system string) bool {
	text, told := letters(said), letters(system)
	if len(text) < reciteLength || len(told) < reciteLength {
		return false
	}
	pieces := map[string]bool{}
	for i := 0; i+reciteLength <= len(told); i++ {
		pieces[string(told[i:i+reciteLength])] = true
	}
	for i := 0; i+reciteLength <= min(len(text), longestCompared); i++ {
		if pieces[string(text[i:i+reciteLength])] {
			return true
		}
	}
	return false
}

// letters are the letters and digits of a text, in small letters.
func letters(s string) []rune {
	var out []rune
	for _, r := range strings.ToLower(s) {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			out = append(out, r)
		}
		if len(out) >= longestCompared {
			break
		}
	}
	return out
}
