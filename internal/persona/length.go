package persona

import (
	"sort"
	"strings"
	"unicode"
)

// pieces makes the texts of at most so many posts of the body, each with to in
// front. What is too long for the last one is cut.
func pieces(to, body string, fits func(text string) bool, most int) []string {
	rest := []rune(body)
	var parts []string
	for {
		text := to + string(rest)
		if fits(text) {
			return append(parts, text)
		}
		n := longest(rest, func(part string) bool { return fits(to + part) })
		var head string
		head, rest = divide(rest, n)
		parts = append(parts, to+head)
		rest = []rune(strings.TrimSpace(string(rest)))
		if len(parts) >= most || len(rest) == 0 || n == 0 {
			return parts
		}
	}
}

// longest is how much of the beginning of a text fits with its ellipsis. Where
// a web address makes a longer text count for less, it may be less than could.
func longest(runes []rune, fits func(string) bool) int {
	// A model can say a megabyte: the look begins where the answer may be.
	most := 256
	for most < len(runes) && fits(string(runes[:most])+"…") {
		most *= 2
	}
	most = min(most, len(runes))
	return sort.Search(most, func(n int) bool { return !fits(string(runes[:n+1]) + "…") })
}

// shorten cuts a text to n characters at most, not counting an ellipsis: at
// the end of a sentence if that leaves at least half, else at a word.
func shorten(r []rune, n int) string {
	head, _ := divide(r, n)
	return head
}

// divide cuts a text as shorten does, and returns what is left of it too.
func divide(r []rune, n int) (head string, rest []rune) {
	ends := func(i int) bool {
		switch r[i] {
		case '。', '！', '？':
			return true
		case '.', '!', '?', '…':
			return i+1 == len(r) || unicode.IsSpace(r[i+1])
		}
		return false
	}
	for i := n - 1; i > n/2; i-- {
		if ends(i) {
			return string(r[:i+1]), r[i+1:]
		}
	}
	for i := n; i > n/2; i-- {
		if i < len(r) && unicode.IsSpace(r[i]) {
			return strings.TrimSpace(string(r[:i])) + "…", r[i:]
		}
	}
	return string(r[:n]) + "…", r[n:]
}

// storable is text that both databases keep.
func storable(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "")
}
