package discord

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// minSplit is the least that a part of a split may have: there is always room
// for a fence and for the longest mark that is never cut.
const minSplit = 200

// Split cuts a text into messages of at most n characters (by Length; fewer
// than 200 count as 200). It cuts between paragraphs, lines, sentences or
// words, in that order, and never within a mention, an emoji, a surrogate pair
// or an escaped character; a code block that is cut is closed and opened again
// in the next message. No part is blank, so a blank text has none.
func Split(text string, n int) []string {
	n = max(n, minSplit)
	var parts []string
	reopen := "" // the fence that the next part begins with
	rest := strings.TrimSpace(text)
	for rest != "" {
		whole := reopen + rest
		if Length(whole) <= n {
			return appendPart(parts, whole)
		}
		room := n - Length(closing)
		at := max(bestCut(whole, room), len(reopen)+firstStep(rest))
		head, tail := whole[:at], whole[at:]
		fence := openFence(head)
		if fence == "" {
			head, tail = strings.TrimRightFunc(head, unicode.IsSpace), strings.TrimLeftFunc(tail, unicode.IsSpace)
		} else {
			head, tail = strings.TrimRight(head, "\n")+closing, strings.TrimLeft(tail, "\n")
			if tail == "" {
				fence = ""
			} else if trimmed, ok := strings.CutPrefix(tail, "```"); ok {
				tail, fence = strings.TrimLeftFunc(trimmed, unicode.IsSpace), "" // the block ended just there
			}
		}
		parts = appendPart(parts, head)
		rest, reopen = tail, fence
	}
	return parts
}

// closing ends a code block.
const closing = "\n```"

func appendPart(parts []string, s string) []string {
	if strings.TrimSpace(strings.ReplaceAll(s, "```", "")) == "" || strings.TrimFunc(s, unseen) == "" {
		return parts
	}
	return append(parts, s)
}

// firstStep is the least that must be taken of a text so that it gets shorter.
func firstStep(s string) int {
	_, size := utf8.DecodeRuneInString(s)
	return size
}

// language is what may stand behind the fence of a code block.
var language = regexp.MustCompile(`^[A-Za-z0-9_+.#-]{1,20}\n`)

// openFence is the fence of the code block that is open at the end of s, with
// its language; "" for none.
func openFence(s string) string {
	fence := ""
	for {
		i := strings.Index(s, "```")
		if i < 0 {
			return fence
		}
		s = strings.TrimLeft(s[i:], "`")
		if fence != "" {
			fence = ""
			continue
		}
		fence = "```" + language.FindString(s)
		if len(fence) == len("```") {
			fence += "\n"
		}
	}
}

// whole are the stretches that are not cut if there is another way: what
// Discord replaces, links with their text, and addresses.
var wholeStretch = regexp.MustCompile("\\[[^\\[\\]\\n]{1,100}\\]\\(<?https?://[^\\s)]+\\)|https?://[^\\s<>]+|```")

// bestCut is where to cut a text that is longer than n: the best place in its
// last two thirds.
func bestCut(s string, n int) int {
	hard := graphemeCut(s, n)
	least := hard / 3
	window := s[:hard]
	kept := stretches(s, hard)
	for _, ends := range []func(s string, i int) bool{paragraphEnd, lineEnd, sentenceEnd, wordEnd} {
		for i := hard; i > least; i-- {
			if utf8.RuneStart(byteAt(s, i)) && ends(s, i) && !within(kept, i) && !escaped(window[:i]) {
				return i
			}
		}
	}
	for i := hard; i > least; i = before(s, i) {
		if !within(kept, i) && !escaped(window[:i]) {
			return i
		}
	}
	return hard
}

// before is the end of the character as people see it that ends before i.
func before(s string, i int) int {
	if i <= 0 {
		return 0
	}
	_, size := utf8.DecodeLastRuneInString(s[:i])
	i -= size
	for i > 0 && joined(s, i) {
		_, size := utf8.DecodeLastRuneInString(s[:i])
		i -= size
	}
	return i
}

// stretches are those around a place that are better not cut.
func stretches(s string, around int) [][]int {
	end := min(len(s), around+2048)
	return append(token.FindAllStringIndex(s[:end], -1), wholeStretch.FindAllStringIndex(s[:end], -1)...)
}

func within(kept [][]int, i int) bool {
	for _, k := range kept {
		if k[0] < i && i < k[1] {
			return true
		}
	}
	return false
}

// escaped tells whether a text ends with a backslash that belongs to what
// comes next.
func escaped(s string) bool {
	return (len(s)-len(strings.TrimRight(s, `\`)))%2 == 1
}

func byteAt(s string, i int) byte {
	if i >= len(s) {
		return ' '
	}
	return s[i]
}

func paragraphEnd(s string, i int) bool { return strings.HasPrefix(s[i:], "\n\n") }
func lineEnd(s string, i int) bool      { return strings.HasPrefix(s[i:], "\n") }

func sentenceEnd(s string, i int) bool {
	last, _ := utf8.DecodeLastRuneInString(s[:i])
	next, _ := utf8.DecodeRuneInString(s[i:])
	return strings.ContainsRune("。！？", last) || strings.ContainsRune(".!?…", last) && unicode.IsSpace(next)
}

func wordEnd(s string, i int) bool {
	next, _ := utf8.DecodeRuneInString(s[i:])
	return unicode.IsSpace(next) && next != '\u00a0' && next != '\u202f'
}

// graphemeCut is the largest place in s, of at most n of Length, that is not
// within a character as people see it: an emoji of several parts, a flag, a
// letter with its marks. One that alone is longer is cut at n.
func graphemeCut(s string, n int) int {
	var units, runeCut int
	runeCut = len(s)
	for i, r := range s {
		units += max(utf16.RuneLen(r), 1)
		if units > n {
			runeCut = i
			break
		}
	}
	cut := runeCut
	for cut > 0 && cut < len(s) && joined(s, cut) {
		_, size := utf8.DecodeLastRuneInString(s[:cut])
		cut -= size
	}
	for _, m := range token.FindAllStringIndex(s[max(0, cut-256):min(len(s), cut+256)], -1) {
		if from, to := m[0]+max(0, cut-256), m[1]+max(0, cut-256); from < cut && cut < to && from > 0 {
			cut = from
		}
	}
	if cut == 0 {
		return runeCut
	}
	return cut
}

const joiner = '\u200d'

// joined tells whether the characters on both sides of i belong together
// (Unicode Standard Annex 29, as far as emoji, flags and combining marks go).
func joined(s string, i int) bool {
	if i <= 0 || i >= len(s) {
		return false
	}
	last, _ := utf8.DecodeLastRuneInString(s[:i])
	next, _ := utf8.DecodeRuneInString(s[i:])
	switch {
	case last == joiner, next == joiner, unicode.In(next, unicode.Mn, unicode.Me, unicode.Mc),
		next >= 0x1F3FB && next <= 0x1F3FF, // skin tones
		next >= 0xE0020 && next <= 0xE007F: // of flags of regions
		return true
	case regional(last) && regional(next):
		n := 0
		for rest := s[:i]; ; n++ {
			r, size := utf8.DecodeLastRuneInString(rest)
			if !regional(r) {
				break
			}
			rest = rest[:len(rest)-size]
		}
		return n%2 == 1
	}
	return false
}

func regional(r rune) bool { return r >= 0x1F1E6 && r <= 0x1F1FF }
