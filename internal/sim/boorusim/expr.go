package boorusim

import (
	"slices"
	"strings"
)

// Expr is a search that was understood. The zero value finds nothing.
type Expr struct{ root node }

// Match reports whether the search finds a picture. Whether the board would
// show it, for its filter or because it is deleted, is not asked here.
func (e Expr) Match(im Image) bool {
	im.complete()
	return e.match(newDoc(&im))
}

func (e Expr) match(d *doc) bool { return e.root != nil && e.root.match(d) }

// String is the search as it was understood, with the operator first:
// (and safe (not (or a b))). It is for tests and messages.
func (e Expr) String() string {
	if e.root == nil {
		return "none"
	}
	return e.root.String()
}

// SyntaxError is a search that the board refuses, in the board's words.
type SyntaxError struct{ Message string }

func (e *SyntaxError) Error() string { return e.Message }

func syntaxError(message string) error { return &SyntaxError{Message: message} }

type node interface {
	match(*doc) bool
	String() string
}

type (
	andNode []node
	orNode  []node
	notNode struct{ of node }
	allNode struct{}
	// leaf is a single condition.
	leaf struct {
		text string
		fits func(*doc) bool
	}
)

func (n andNode) match(d *doc) bool {
	return !slices.ContainsFunc(n, func(c node) bool { return !c.match(d) })
}
func (n orNode) match(d *doc) bool {
	return slices.ContainsFunc(n, func(c node) bool { return c.match(d) })
}
func (n notNode) match(d *doc) bool { return !n.of.match(d) }
func (n allNode) match(*doc) bool   { return true }
func (n leaf) match(d *doc) bool    { return n.fits(d) }

func (n andNode) String() string { return list("and", n) }
func (n orNode) String() string  { return list("or", n) }
func (n notNode) String() string { return "(not " + n.of.String() + ")" }
func (n allNode) String() string { return "all" }
func (n leaf) String() string    { return n.text }

func list(name string, of []node) string {
	var b strings.Builder
	b.WriteString("(" + name)
	for _, c := range of {
		b.WriteString(" " + c.String())
	}
	return b.String() + ")"
}

// doc is a picture as the boards' indexes have it.
type doc struct {
	*Image
	tags  []string            // Philomena's, as shown
	found map[string]struct{} // these and their aliases
	posts map[string]struct{} // tags of Danbooru and e621, with aliases
}

func newDoc(im *Image) *doc {
	d := &doc{Image: im, tags: im.philomenaTags(), found: map[string]struct{}{}, posts: map[string]struct{}{}}
	for _, t := range d.tags {
		d.found[t] = struct{}{}
	}
	for _, t := range im.Aliases {
		d.found[cleanTag(t)] = struct{}{}
	}
	for _, names := range [][]string{im.Tags, im.Artists, im.Characters, im.Species, im.Copyrights, im.Meta, im.Aliases} {
		for _, t := range underscored(names) {
			d.posts[t] = struct{}{}
		}
	}
	return d
}

// anyOf reports whether one of the names is like the pattern.
func anyOf(names map[string]struct{}, like func(string) bool) bool {
	for name := range names {
		if like(name) {
			return true
		}
	}
	return false
}

// wildcard makes a pattern of * and ? a test of whole texts, as Lucene's
// WildcardQuery reads it: a backslash takes the meaning from the next one.
func wildcard(pattern string) func(string) bool {
	type part struct {
		r    rune
		kind byte // '*', '?' or 0
	}
	var parts []part
	rs := []rune(pattern)
	for i := 0; i < len(rs); i++ {
		switch r := rs[i]; {
		case r == '\\' && i+1 < len(rs):
			i++
			parts = append(parts, part{r: rs[i]})
		case r == '*' || r == '?':
			parts = append(parts, part{kind: byte(r)})
		default:
			parts = append(parts, part{r: r})
		}
	}
	return func(s string) bool {
		in := []rune(s)
		i, p, star, mark := 0, 0, -1, 0
		for i < len(in) {
			switch {
			case p < len(parts) && (parts[p].kind == '?' || parts[p].kind == 0 && parts[p].r == in[i]):
				i, p = i+1, p+1
			case p < len(parts) && parts[p].kind == '*':
				star, mark = p, i
				p++
			case star >= 0:
				mark++
				i, p = mark, star+1
			default:
				return false
			}
		}
		for p < len(parts) && parts[p].kind == '*' {
			p++
		}
		return p == len(parts)
	}
}

// edits is the number of insertions, deletions, replacements and swaps of
// neighbours between two words (optimal string alignment, as in Lucene's FuzzyQuery).
func edits(a, b string) int {
	x, y := []rune(a), []rune(b)
	older, old, cur := make([]int, len(y)+1), make([]int, len(y)+1), make([]int, len(y)+1)
	for j := range old {
		old[j] = j
	}
	for i := 1; i <= len(x); i++ {
		cur[0] = i
		for j := 1; j <= len(y); j++ {
			cost := 1
			if x[i-1] == y[j-1] {
				cost = 0
			}
			cur[j] = min(old[j]+1, cur[j-1]+1, old[j-1]+cost)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				cur[j] = min(cur[j], older[j-2]+1)
			}
		}
		older, old, cur = old, cur, older
	}
	return old[len(y)]
}
