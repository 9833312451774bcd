package boorusim

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// anonymousTags is how many tags somebody without an account may search for at
// once: https://danbooru.donmai.us/wiki_pages/help:cheatsheet, Limitations.
const anonymousTags = 2

// ParseDanbooru reads a search of Danbooru: app/logical/post_query/parser.rb,
// whose head has the grammar. A search that cannot be read finds nothing and is
// no error. The error is a *SyntaxError: too many tags, or an order: where none
// can be.
func ParseDanbooru(query string) (PostQuery, error) {
	p := &danbooruParser{s: strings.TrimSpace(query)}
	root, err := p.root()
	if err != nil {
		return PostQuery{}, nil //nolint:nilerr // the board finds nothing then
	}
	q := PostQuery{Expr: Expr{root: root}, Deleted: true}
	counted := map[string]bool{}
	orders := 0
	for _, t := range p.terms {
		if !t.meta {
			counted[t.text] = true
			continue
		}
		if !free(t.name) {
			counted[t.text] = true
		}
		switch t.name {
		case "order", "ordfav", "ordpool", "ordfavgroup":
			if orders++; orders > 1 {
				return PostQuery{}, syntaxError("'order:' can't be used more than once.")
			}
			if t.name == "order" {
				q.Order = strings.ToLower(t.value)
			}
		case "random":
			q.Random, _ = strconv.Atoi(t.value)
			q.Order = "random"
		case "limit":
			q.Limit, _ = strconv.Atoi(t.value)
		default:
			continue
		}
		if t.under != "" {
			return PostQuery{}, syntaxError(fmt.Sprintf("'%s' can't be %s.", t.text, t.under))
		}
	}
	if q.Terms = len(counted); q.Terms > anonymousTags && len(p.terms) > 1 {
		return PostQuery{}, errTagLimit(anonymousTags)
	}
	return q, nil
}

func errTagLimit(n int) error {
	return syntaxError(fmt.Sprintf("You cannot search for more than %d tags at a time.", n))
}

var errUnread = errors.New("the search cannot be read")

type danbooruTerm struct {
	text, name, value string
	meta              bool
	under             string // what is wrong with an order: at this place
}

type danbooruParser struct {
	s     string
	at    int
	open  int // parentheses that are not closed yet
	depth int
	terms []danbooruTerm
}

// optNode is "~a", which its neighbours make an alternative of: rewrite_opts in ast.rb.
type optNode struct{ node }

func (p *danbooruParser) space() {
	for p.at < len(p.s) && p.s[p.at] == ' ' {
		p.at++
	}
}

func (p *danbooruParser) accept(c byte) bool {
	if p.at < len(p.s) && p.s[p.at] == c {
		p.at++
		return true
	}
	return false
}

// word takes an operator, which a space must follow.
func (p *danbooruParser) word(w string) bool {
	rest := p.s[p.at:]
	if len(rest) > len(w) && strings.EqualFold(rest[:len(w)], w) && rest[len(w)] == ' ' {
		p.at += len(w)
		p.space()
		return true
	}
	return false
}

func (p *danbooruParser) root() (node, error) {
	var all []node
	for {
		was, terms := p.at, len(p.terms)
		n, err := p.or()
		if err != nil {
			p.at, p.open, p.terms = was, 0, p.terms[:terms]
			break
		}
		all = append(all, n)
	}
	p.space()
	if p.at < len(p.s) || p.open != 0 {
		return nil, errUnread
	}
	if len(all) == 0 {
		return allNode{}, nil
	}
	return conjunction(all), nil
}

// conjunction joins conditions of which all must be, except for those with ~,
// of which one must be.
func conjunction(all []node) node {
	var must, may []node
	for _, n := range all {
		if o, ok := n.(optNode); ok {
			may = append(may, o.node)
		} else {
			must = append(must, n)
		}
	}
	switch {
	case len(may) > 1:
		must = append([]node{orNode(may)}, must...)
	case len(may) == 1:
		must = append(may, must...)
	}
	if len(must) == 1 {
		return must[0]
	}
	return andNode(must)
}

func (p *danbooruParser) or() (node, error) {
	first := len(p.terms)
	a, err := p.and()
	if err != nil {
		return nil, err
	}
	p.space()
	if !p.word("or") {
		return a, nil
	}
	b, err := p.or()
	if err != nil {
		return nil, err
	}
	for i := range p.terms[first:] {
		p.terms[first+i].under = "used with the 'or' operator"
	}
	return orNode{a, b}, nil
}

func (p *danbooruParser) and() (node, error) {
	all, err := p.factors()
	if err != nil {
		return nil, err
	}
	p.space()
	if !p.word("and") {
		return conjunction(all), nil
	}
	b, err := p.and()
	if err != nil {
		return nil, err
	}
	return andNode{conjunction(all), b}, nil
}

func (p *danbooruParser) factors() ([]node, error) {
	var all []node
	for {
		was, open, terms := p.at, p.open, len(p.terms)
		n, err := p.factor()
		if err != nil {
			p.at, p.open, p.terms = was, open, p.terms[:terms]
			if len(all) == 0 {
				return nil, err
			}
			return all, nil
		}
		all = append(all, n)
	}
}

func (p *danbooruParser) factor() (node, error) {
	p.space()
	first := len(p.terms)
	switch {
	case p.accept('-'):
		n, err := p.expr()
		if err != nil {
			return nil, err
		}
		for i := range p.terms[first:] {
			p.terms[first+i].under = "negated"
		}
		return notNode{n}, nil
	case p.accept('~'):
		n, err := p.expr()
		if err != nil {
			return nil, err
		}
		return optNode{n}, nil
	}
	return p.expr()
}

func (p *danbooruParser) expr() (node, error) {
	p.space()
	if !p.accept('(') {
		return p.term()
	}
	if p.depth++; p.depth > maxDepth {
		return nil, errUnread
	}
	defer func() { p.depth-- }()
	p.open++
	n, err := p.or()
	if err != nil {
		return nil, err
	}
	if !p.accept(')') {
		return nil, errUnread
	}
	p.open--
	return n, nil
}

// term is a tag, a metatag or a wildcard. It goes to the next space; closing
// parentheses at its end belong to an open group if there is one, unless the
// tag has its own that they close.
func (p *danbooruParser) term() (node, error) {
	if p.at >= len(p.s) || strings.IndexByte(" )~-", p.s[p.at]) >= 0 {
		return nil, errUnread
	}
	if name, _, ok := strings.Cut(p.s[p.at:], ":"); ok && knownMetatag(Danbooru, strings.ToLower(name)) {
		return p.metatag(strings.ToLower(name))
	}
	text := strings.ToLower(p.text(true))
	p.space()
	if text == "and" || text == "or" {
		return nil, errUnread
	}
	p.terms = append(p.terms, danbooruTerm{text: text})
	if !strings.Contains(text, "*") {
		return leaf{strconv.Quote(text), func(d *doc) bool { _, ok := d.posts[text]; return ok }}, nil
	}
	like := wildcard(text)
	return leaf{"(like " + strconv.Quote(text) + ")", func(d *doc) bool { return anyOf(d.posts, like) }}, nil
}

func (p *danbooruParser) text(own bool) string {
	end := len(p.s)
	if i := strings.IndexByte(p.s[p.at:], ' '); i >= 0 {
		end = p.at + i
	}
	t := p.s[p.at:end]
	for n := p.open; n > 0 && strings.HasSuffix(t, ")"); n-- {
		if own && (balanced(t) || slices.Contains([]string{":)", ";)", ">:)"}, t)) {
			break
		}
		t = t[:len(t)-1]
	}
	p.at += len(t)
	return t
}

func (p *danbooruParser) metatag(name string) (node, error) {
	p.at += len(name) + 1
	var value string
	if p.at < len(p.s) && (p.s[p.at] == '"' || p.s[p.at] == '\'') {
		quote := p.s[p.at]
		var b strings.Builder
		i := p.at + 1
		for ; i < len(p.s) && p.s[i] != quote; i++ {
			if p.s[i] == '\\' {
				if i++; i >= len(p.s) || p.s[i] != quote {
					return nil, errUnread
				}
			}
			b.WriteByte(p.s[i])
		}
		if i >= len(p.s) {
			return nil, errUnread
		}
		p.at, value = i+1, b.String()
	} else {
		value = p.text(false)
	}
	p.terms = append(p.terms, danbooruTerm{text: name + ":" + value, name: name, value: value, meta: true})
	return metatag(Danbooru, name, value), nil
}

func balanced(s string) bool {
	n := 0
	for i := range len(s) {
		switch s[i] {
		case '(':
			n++
		case ')':
			if n--; n < 0 {
				return false
			}
		}
	}
	return n == 0
}
