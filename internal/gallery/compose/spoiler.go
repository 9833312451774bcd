package compose

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// hidden stands for a spoiler until it is said in words. No text that comes in
// has it.
const hidden = '\x00'

// bars are the marks of spoilers, two or more bars in a row: where they begin
// and end.
var bars = regexp.MustCompile(`\|\|+`)

// hide puts a mark in the place of whatever is, or may be meant to be, behind a
// spoiler.
//
// Which two marks belong together depends on everything else that Discord's
// clients parse, and they do not agree in all: a quotation, a list or bold
// letters that begin before a mark and end after it break a pair, and then
// another pair is made than the eye sees. So pairs are taken one by one only
// where nothing of the kind is near. In doubt everything goes that stands
// between the first mark and the last, for outside of these nothing can be
// hidden in any reading. A mark without a second one hides the rest of the text:
// Discord shows it, but its author meant something else.
func hide(s string) (string, bool) {
	runs := bars.FindAllStringIndex(s, -1)
	if len(runs) == 0 || len(runs) == 1 && between(s, runs[0]) || allInCode(s, runs) {
		return s, false
	}
	first, last := runs[0], runs[len(runs)-1]
	if clear(s, runs) {
		var b strings.Builder
		end := 0
		for i := 0; i < len(runs); i += 2 {
			b.WriteString(s[end:runs[i][0]])
			b.WriteRune(hidden)
			end = len(s)
			if i+1 < len(runs) {
				end = runs[i+1][1]
			}
		}
		return b.String() + s[end:], true
	}
	marks := 0
	for _, r := range runs {
		marks += (r[1] - r[0]) / 2
	}
	if marks%2 == 1 {
		return s[:first[0]] + string(hidden), true
	}
	return s[:first[0]] + string(hidden) + s[last[1]:], true
}

// between tells that a mark stands by itself between two words of a line, where
// "||" is an "or".
func between(s string, run []int) bool {
	return strings.HasSuffix(s[:run[0]], " ") && strings.HasPrefix(s[run[1]:], " ") &&
		strings.TrimSpace(lastLine(s[:run[0]])) != "" && strings.TrimSpace(firstLine(s[run[1]:])) != ""
}

func lastLine(s string) string { return s[strings.LastIndexByte(s, '\n')+1:] }

func firstLine(s string) string { line, _, _ := strings.Cut(s, "\n"); return line }

// clear tells that every reading makes the same pairs of these marks: the first
// with the second, the third with the fourth, and so on.
func clear(s string, runs [][]int) bool {
	end := 0
	for i, r := range runs {
		segment := s[end:r[0]]
		end = r[1]
		if r[1]-r[0] != 2 || !neutral(segment) || !shaped(s, r, i%2 == 0) {
			return false
		}
		if i%2 == 0 && touchesAddress(segment) {
			return false
		}
		if i%2 == 1 && strings.Contains(segment, "\n") && blocks.MatchString(s[:r[0]]) {
			return false
		}
	}
	// A mark without a second one hides the rest, whatever is in it.
	return true
}

// shaped tells that a mark looks like what it is taken for. "||a ||b|| c||" is
// meant as one within the other; to Discord b is plain.
func shaped(s string, run []int, opens bool) bool {
	before, _ := utf8.DecodeLastRuneInString(s[:run[0]])
	after, _ := utf8.DecodeRuneInString(s[run[1]:])
	blankBefore := run[0] == 0 || unicode.IsSpace(before)
	blankAfter := run[1] == len(s) || unicode.IsSpace(after)
	switch {
	case word(before) && word(after):
		return false
	case opens:
		return blankBefore || !blankAfter
	}
	return blankAfter || !blankBefore
}

func word(r rune) bool {
	return r != utf8.RuneError && (r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r))
}

// touchesAddress tells that a text ends with a web address, which would take
// the mark that follows as a part of itself.
func touchesAddress(s string) bool {
	return strings.Contains(s[strings.LastIndexFunc(s, unicode.IsSpace)+1:], "://")
}

// blocks are the beginnings of lines that make a block of their own.
var blocks = regexp.MustCompile("(?m)^[ \t]*(?:[>#*+-]|[0-9]+[.)]|```)")

// plainly is what has no mark of a format in it.
const plainly = "[^\\n<*_~`\\[\\]\\\\|]"

// Marks that are whole within a line and have no other in them. What is left
// when they are gone could begin in one segment and end in another. A bracket
// before a parenthesis may be a link to anything.
var whole = regexp.MustCompile(`<(?:@[!&]?\d+|#\d+|a?:[A-Za-z0-9](?:\w*[A-Za-z0-9])?:\d+|t:-?\d+(?::[A-Za-z])?)>` +
	`|<https?://[^\s<>*_~\x60\[\]\\|]+>` +
	`|\[` + plainly + `*\]\(https?://[^\s<>*_~\x60\[\]\\|()]+\)` +
	`|\[` + plainly + `*\]([^(]|$)`)

// balanced are formats of one line. An underscore begins one within a word too,
// and ends one before anything but a letter or a digit of ASCII, to which
// Discord's own pattern looks.
var balanced = regexp.MustCompile(`(^|[^*])\*\*` + plainly + `+\*\*([^*_~\x60]|$)` +
	`|(^|[^*])\*[^\s<*_~\x60\[\]\\|](?:` + plainly + `*[^\s<*_~\x60\[\]\\|])?\*([^*_~\x60]|$)` +
	`|(^|[^_])__` + plainly + `+__([^*_~\x60]|$)` +
	`|(^|[^\pL\pN_])_[A-Za-z0-9](?:` + plainly + `*[^\s<*_~\x60\[\]\\|])?_([^\pL\pN*_~\x60]|$)` +
	`|(^|[^~])~~` + plainly + `+~~([^*_~\x60]|$)` +
	`|(^|[^\x60])\x60` + plainly + `+\x60([^*_~\x60]|$)`)

// single are marks that neither begin nor end a format, as long as what they
// could belong to is balanced.
var single = regexp.MustCompile(`([A-Za-z0-9])_([A-Za-z0-9])|(^|[^~])~([^~]|$)|( )\*( )`)

// neutral tells that no format begins in a text and goes on after it, nor the
// other way round.
func neutral(s string) bool {
	const marks = "<*_~`[]\\|"
	if !strings.ContainsAny(s, marks) {
		return true
	}
	s = whole.ReplaceAllString(s, "x$1")
	for range 3 { // neighbours share a character
		s = balanced.ReplaceAllString(s, "$1$3$5$7$9${11}x$2$4$6$8${10}${12}")
		s = single.ReplaceAllString(s, "$1$3${5}x$2$4$6")
	}
	return !strings.ContainsAny(s, marks)
}

// allInCode tells that every mark is in code, where it means nothing, in every
// reading: nothing else is there that could take the beginning of the code for
// its own.
func allInCode(s string, runs [][]int) bool {
	var code [][2]int
	for i := 0; i < len(s); {
		if strings.IndexByte(`\*_~[<|`, s[i]) >= 0 {
			return false
		}
		if s[i] != '`' {
			i++
			continue
		}
		end := codeEnd(s, i)
		if end < 0 {
			return false
		}
		code = append(code, [2]int{i, end})
		i = end
	}
	for _, r := range runs {
		in := false
		for _, c := range code {
			in = in || c[0] < r[0] && r[1] < c[1]
		}
		if !in {
			return false
		}
	}
	return true
}

// codeEnd is where code ends that begins at i without any doubt; -1 if there is
// one.
func codeEnd(s string, i int) int {
	rest := s[i:]
	n := len(rest) - len(strings.TrimLeft(rest, "`"))
	mark := rest[:n]
	inner := rest[n:]
	switch n {
	case 3: // a block: from the beginning of a line to the next three
		if i > 0 && s[i-1] != '\n' {
			return -1
		}
	case 1, 2:
		if i > 0 && !strings.ContainsRune(" \n", rune(s[i-1])) {
			return -1
		}
		inner = firstLine(inner)
	default:
		return -1
	}
	length := strings.Index(inner, mark)
	if length < 0 || strings.TrimSpace(inner[:length]) == "" || strings.HasPrefix(inner[length+n:], "`") {
		return -1
	}
	return i + n + length + n
}
