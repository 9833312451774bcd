package boorusim

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// The tokens of Philomena's search syntax: lib/philomena_query/parse/lexer.ex.
type tokenKind int

const (
	tokAnd tokenKind = iota
	tokOr
	tokNot
	tokOpen
	tokClose
	tokBoost
	tokTerm
)

type token struct {
	kind  tokenKind
	text  string
	boost float64
}

// lex reads a query as the board's lexer does: an ordered choice that never
// goes back on what it has chosen. What looks like an operator inside a term is
// none unless it is a stop word, so "a -b" is one term, and so is "a(b)".
func lex(s string) ([]token, error) {
	var all []token
	for s != "" {
		t, n, ok := next(s)
		if n == 0 {
			return nil, syntaxError("expected end of string, starting at: " + s)
		}
		if ok {
			all = append(all, t)
		}
		s = s[n:]
	}
	return all, nil
}

// next is the token at the start; ok is false for spaces, which give none. n
// is 0 when nothing fits, which is so only for bytes that are not UTF-8.
func next(s string) (t token, n int, ok bool) {
	switch s[0] {
	case ',':
		return token{kind: tokAnd, text: ","}, 1, true
	case '!', '-':
		return token{kind: tokNot, text: s[:1]}, 1, true
	}
	if kind, word, n := operator(s); n > 0 {
		return token{kind: kind, text: word}, n, true
	}
	if rest, ok := strings.CutPrefix(s, "NOT"); ok && spaces(rest) > 0 {
		return token{kind: tokNot, text: "NOT"}, 3 + spaces(rest), true
	}
	switch s[0] {
	case '(':
		return token{kind: tokOpen, text: "("}, 1, true
	case ')':
		return token{kind: tokClose, text: ")"}, 1, true
	}
	if v, n := boost(s); n > 0 {
		return token{kind: tokBoost, text: s[1:n], boost: v}, n, true
	}
	if isSpace(s[0]) {
		return token{}, 1, false
	}
	if text, n := quoted(s); n > 0 {
		return token{kind: tokTerm, text: text}, n, true
	}
	if n := dirty(s); n > 0 {
		return token{kind: tokTerm, text: s[:n]}, n, true
	}
	return token{}, 0, false
}

func isSpace(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }

// spaces counts those that s begins with.
func spaces(s string) int {
	n := 0
	for n < len(s) && isSpace(s[n]) {
		n++
	}
	return n
}

// operator reads AND, &&, OR or || with the spaces that must be around it.
func operator(s string) (kind tokenKind, word string, n int) {
	before := spaces(s)
	if before == 0 {
		return 0, "", 0
	}
	for _, op := range []struct {
		word string
		kind tokenKind
	}{{"AND", tokAnd}, {"&&", tokAnd}, {"OR", tokOr}, {"||", tokOr}} {
		if rest, ok := strings.CutPrefix(s[before:], op.word); ok {
			if after := spaces(rest); after > 0 {
				return op.kind, op.word, before + len(op.word) + after
			}
		}
	}
	return 0, "", 0
}

// boost reads ^ and a number.
func boost(s string) (v float64, n int) {
	if s[0] != '^' {
		return 0, 0
	}
	n = number(s[1:], true)
	if n == 0 {
		return 0, 0
	}
	v, _ = strconv.ParseFloat(s[1:1+n], 64) // too large is infinite, which is not negative
	return v, 1 + n
}

// number is the length of the decimal number at the start; 0 if there is none.
func number(s string, signed bool) int {
	n := 0
	if signed && s != "" && (s[0] == '-' || s[0] == '+') {
		n = 1
	}
	d := digits(s[n:])
	if d == 0 {
		return 0
	}
	n += d
	if n < len(s) && s[n] == '.' {
		if d := digits(s[n+1:]); d > 0 {
			n += 1 + d
		}
	}
	return n
}

func digits(s string) int {
	n := 0
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return n
}

// quoted reads a term in quotes. Within them \" and \\ lose their backslash
// here; any other backslash stays for the parser of the value, and so an
// asterisk in quotes is a wildcard all the same. n is 0 without a closing quote.
func quoted(s string) (text string, n int) {
	if s[0] != '"' {
		return "", 0
	}
	var b strings.Builder
	for i := 1; i < len(s); {
		switch {
		case s[i] == '"':
			return b.String(), i + 1
		case s[i] == '\\' && i+1 < len(s) && (s[i+1] == '"' || s[i+1] == '\\'):
			b.WriteByte(s[i+1])
			i += 2
		default:
			r, w := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && w <= 1 {
				return "", 0
			}
			b.WriteString(s[i : i+w])
			i += w
			if r == '\\' && i < len(s) { // the next one belongs to it
				r, w := utf8.DecodeRuneInString(s[i:])
				if r == utf8.RuneError && w <= 1 {
					return "", 0
				}
				b.WriteString(s[i : i+w])
				i += w
			}
		}
	}
	return "", 0
}

// dirty is the length of a bare term: up to a comma, an operator between
// spaces, a closing parenthesis, or a boost. Parentheses within it must be
// balanced and hold none of these. An opening one that is not stops the term.
func dirty(s string) int {
	d := dirtyReader{s: s, known: map[int]int{}}
	return d.read(0)
}

// dirtyReader remembers what it read from where: parentheses within
// parentheses would be read twice as often with every level.
type dirtyReader struct {
	s     string
	known map[int]int
}

// read is where the text that begins at an index ends.
func (d *dirtyReader) read(from int) int {
	if end, ok := d.known[from]; ok {
		return end
	}
	i := from
	for i < len(d.s) && !stops(d.s[i:]) {
		if d.s[i] == '(' {
			end := d.read(i + 1)
			if end == i+1 || end >= len(d.s) || d.s[end] != ')' {
				break
			}
			i = end + 1
			continue
		}
		r, w := utf8.DecodeRuneInString(d.s[i:])
		if r == utf8.RuneError && w <= 1 {
			break
		}
		i += w
		if r == '\\' && i < len(d.s) {
			r, w := utf8.DecodeRuneInString(d.s[i:])
			if r == utf8.RuneError && w <= 1 {
				break
			}
			i += w
		}
	}
	d.known[from] = i
	return i
}

// stops reports whether a bare term ends here.
func stops(s string) bool {
	if s[0] == ',' {
		return true
	}
	if _, _, n := operator(s); n > 0 {
		return true
	}
	rest := s[spaces(s):]
	if rest == "" {
		return false
	}
	if rest[0] == ')' {
		return true
	}
	_, n := boost(rest)
	return n > 0
}
