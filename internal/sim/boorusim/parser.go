package boorusim

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// maxDepth bounds the nesting of a query, which is read recursively.
const maxDepth = 2000

// Searcher is whoever searches a board of Philomena. The zero value is anyone
// who has no key, at a board without filters.
type Searcher struct {
	User    string           // name, when a key came with the search
	Now     func() time.Time // for dates like "3 days ago"; nil: time.Now
	Filters []Filter         // that filter_id: may name
}

// Filter hides pictures from those who choose it.
type Filter struct {
	ID             int64
	Name           string
	Description    string
	System         bool // of the site; otherwise it is somebody's, and public
	HiddenTags     []string
	HiddenComplex  string // a query: what it finds is hidden
	SpoileredTags  []string
	SpoileredQuery string
}

// Parse reads a query in Philomena's search syntax as somebody without a key
// has it read. The error is a *SyntaxError with the board's message. A query
// without a term is right and finds nothing.
func Parse(query string) (Expr, error) { return Searcher{}.Parse(query) }

// Parse reads a query in Philomena's search syntax:
// lib/philomena_query/parse/parser.ex, whose comments have the grammar.
func (s Searcher) Parse(query string) (Expr, error) {
	if s.Now == nil {
		s.Now = time.Now
	}
	return s.parse(query, false)
}

// parse is Parse; inFilter is true for the query of a filter, which cannot
// name another filter.
func (s Searcher) parse(query string, inFilter bool) (Expr, error) {
	tokens, err := lex(query)
	if err != nil || len(tokens) == 0 {
		return Expr{}, err
	}
	p := &parser{Searcher: s, inFilter: inFilter, rest: tokens}
	root, err := p.or()
	if err != nil {
		return Expr{}, err
	}
	if len(p.rest) > 0 {
		var junk strings.Builder
		for _, t := range p.rest {
			junk.WriteString(t.text)
		}
		return Expr{}, syntaxError("junk at end of expression: " + junk.String())
	}
	return Expr{root: root}, nil
}

type parser struct {
	Searcher
	inFilter bool
	rest     []token
	depth    int
}

// take removes the next token if it is of a kind.
func (p *parser) take(kind tokenKind) (token, bool) {
	if len(p.rest) == 0 || p.rest[0].kind != kind {
		return token{}, false
	}
	t := p.rest[0]
	p.rest = p.rest[1:]
	return t, true
}

func (p *parser) or() (node, error) {
	all := orNode{}
	for {
		n, err := p.and()
		if err != nil {
			return nil, err
		}
		all = append(all, n)
		if _, more := p.take(tokOr); !more {
			if len(all) == 1 {
				return n, nil
			}
			return all, nil
		}
	}
}

func (p *parser) and() (node, error) {
	all := andNode{}
	for {
		n, err := p.boosted()
		if err != nil {
			return nil, err
		}
		all = append(all, n)
		if _, more := p.take(tokAnd); !more {
			if len(all) == 1 {
				return n, nil
			}
			return all, nil
		}
	}
}

// boosted takes a boost, which moves what is found and never changes what that is.
func (p *parser) boosted() (node, error) {
	n, err := p.not()
	if err != nil {
		return nil, err
	}
	if t, ok := p.take(tokBoost); ok && t.boost < 0 {
		return nil, syntaxError("Boost value must be non-negative.")
	}
	return n, nil
}

// not takes one negation: there is no term after the first of two.
func (p *parser) not() (node, error) {
	if _, ok := p.take(tokNot); !ok {
		return p.group()
	}
	n, err := p.group()
	if err != nil {
		return nil, err
	}
	if double, ok := n.(notNode); ok {
		return double.of, nil
	}
	return notNode{n}, nil
}

func (p *parser) group() (node, error) {
	if _, ok := p.take(tokClose); ok {
		return nil, syntaxError("Imbalanced parentheses.")
	}
	if _, ok := p.take(tokOpen); ok {
		if p.depth++; p.depth > maxDepth {
			return nil, syntaxError("Imbalanced parentheses.")
		}
		n, err := p.or()
		if err != nil {
			return nil, err
		}
		p.depth--
		if _, ok := p.take(tokClose); !ok {
			return nil, syntaxError("Imbalanced parentheses.")
		}
		return n, nil
	}
	t, ok := p.take(tokTerm)
	if !ok {
		return nil, syntaxError("Expected a term.")
	}
	return p.term(t.text)
}

// term reads a field's condition, or a tag. A field is known by its exact name
// at the very start, quotes or not: TermRangeParser.
func (p *parser) term(text string) (node, error) {
	name, rest, ok := strings.Cut(text, ":")
	if ok {
		name, op := name, "eq"
		if base, suffix, ok := cutLast(name); ok {
			switch suffix {
			case "eq", "gt", "gte", "lt", "lte":
				name, op = base, suffix
			}
		}
		if kind := p.kindOf(name); kind != 0 {
			return p.field(kind, name, op, strings.TrimSpace(rest))
		}
	}
	return literal(text, cleanTag, "", func(d *doc, like func(string) bool) bool { return anyOf(d.found, like) }), nil
}

func cutLast(s string) (before, after string, ok bool) {
	i := strings.LastIndexByte(s, '.')
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+1:], true
}

// Kinds of fields.
type fieldKind byte

const (
	intField     fieldKind = 'i'
	numericField fieldKind = 'n' // no ranges
	floatField   fieldKind = 'f'
	dateField    fieldKind = 'd'
	literalField fieldKind = 'l'
	boolField    fieldKind = 'b'
	ngramField   fieldKind = 'g'
	customField  fieldKind = 'c'
)

// kindOf is 0 for what is no field. Without a key "my" is none, so my:faves is
// an odd tag then: anonymous_fields in lib/philomena/images/query.ex.
func (p *parser) kindOf(name string) fieldKind {
	switch name {
	case "id", "width", "height", "score", "upvotes", "downvotes", "faves", "pixels", "size", "orig_size",
		"comment_count", "source_count", "tag_count", "body_type_tag_count", "error_tag_count", "character_tag_count",
		"content_fanmade_tag_count", "content_official_tag_count", "oc_tag_count", "origin_tag_count",
		"rating_tag_count", "species_tag_count", "spoiler_tag_count":
		return intField
	case "uploader_id", "faved_by_id", "duplicate_id":
		return numericField
	case "aspect_ratio", "wilson_score", "duration":
		return floatField
	case "created_at", "updated_at", "first_seen_at":
		return dateField
	case "faved_by", "orig_sha512_hash", "sha512_hash", "uploader", "source_url", "original_format", "mime_type", "file_name":
		return literalField
	case "animated", "processed", "thumbnails_generated":
		return boolField
	case "description":
		return ngramField
	case "gallery_id", "filter_id":
		return customField
	case "my":
		if p.User != "" {
			return customField
		}
	}
	return 0
}

func (p *parser) field(kind fieldKind, name, op, value string) (node, error) {
	label := name + "." + op + ":" + value
	noRange := func(name string) error { return syntaxError("range specified for " + name) }
	wrong := func(want string) error { return syntaxError("expected " + want + ", starting at: " + value) }
	switch kind {
	case customField:
		if op != "eq" {
			return nil, noRange(name)
		}
		return p.custom(name, value)
	case literalField, ngramField:
		if op != "eq" {
			return nil, noRange(name)
		}
		return textField(kind, name, value), nil
	case boolField:
		if value != "true" && value != "false" {
			return nil, wrong("a boolean, like `true' or `false'")
		}
		if op != "eq" {
			return nil, noRange(name)
		}
		return leaf{label, func(d *doc) bool { return boolOf(d, name) == (value == "true") }}, nil
	case numericField:
		v, err := strconv.ParseInt(value, 10, 64)
		if err != nil || digits(value) != len(value) {
			return nil, wrong("a numeric value, like `3' or `10'")
		}
		if op != "eq" {
			return nil, noRange(name)
		}
		return leaf{label, func(d *doc) bool { return numericOf(d, name, v) }}, nil
	case dateField:
		from, to, err := dates(value, p.Now())
		if err != nil {
			return nil, err
		}
		return leaf{label, func(d *doc) bool { return inDates(dateOf(d, name), op, from, to) }}, nil
	}
	v, fuzz, fuzzy, ok := ranged(value, kind == intField)
	if !ok {
		if kind == intField {
			return nil, wrong("an integer, like `3' or `-10'")
		}
		return nil, wrong("a real number, like `2.7182818' or `-10'")
	}
	if fuzzy && op != "eq" {
		return nil, syntaxError("multiple ranges specified for " + name)
	}
	return leaf{label, func(d *doc) bool {
		x := numberOf(d, name)
		if fuzzy {
			return x >= v-fuzz && x <= v+fuzz
		}
		return compare(x, op, v)
	}}, nil
}

// custom reads the fields that the board makes up: gallery_id, filter_id, my.
func (p *parser) custom(name, value string) (node, error) {
	label := name + ":" + value
	switch name {
	case "gallery_id":
		if v, err := strconv.ParseInt(value, 10, 64); err != nil || v < 0 {
			return nil, syntaxError("Invalid gallery `" + value + "'.")
		}
		return leaf{label, func(*doc) bool { return false }}, nil // there are no galleries here
	case "filter_id":
		if p.inFilter {
			return nil, syntaxError("Filter queries inside filters are not allowed.")
		}
		id, err := strconv.ParseInt(value, 10, 64)
		i := slices.IndexFunc(p.Filters, func(f Filter) bool { return f.ID == id })
		if err != nil || i < 0 {
			return nil, syntaxError("Invalid filter `" + value + "`.")
		}
		f := p.Filters[i]
		return leaf{label, func(d *doc) bool { return !f.hides(p.Searcher, d) }}, nil
	}
	user := strings.ToLower(p.User)
	switch value {
	case "faves":
		return leaf{label, func(d *doc) bool { return containsFold(d.FavedBy, user) }}, nil
	case "uploads":
		return leaf{label, func(d *doc) bool { return strings.EqualFold(d.Uploader, user) }}, nil
	case "upvotes", "downvotes", "hidden", "watched":
		return leaf{label, func(*doc) bool { return false }}, nil // nobody votes, hides or watches here
	}
	return nil, syntaxError("Unknown `my' value.")
}

// hides reports whether the filter keeps a picture from being found.
func (f Filter) hides(s Searcher, d *doc) bool {
	return f.hits(s, d, f.HiddenTags, f.HiddenComplex)
}

func (f Filter) spoilers(s Searcher, d *doc) bool {
	return f.hides(s, d) || f.hits(s, d, f.SpoileredTags, f.SpoileredQuery)
}

func (f Filter) hits(s Searcher, d *doc, tags []string, query string) bool {
	for _, t := range tags {
		if slices.Contains(d.tags, cleanTag(t)) {
			return true
		}
	}
	if query == "" {
		return false
	}
	// Several lines are alternatives: lib/philomena_query/parse/string.ex.
	var lines []string
	for _, line := range strings.Split(strings.ReplaceAll(query, "\r", ""), "\n") {
		if line != "" {
			lines = append(lines, "("+line+")")
		}
	}
	if s.Now == nil {
		s.Now = time.Now
	}
	e, err := s.parse(strings.Join(lines, " || "), true)
	return err == nil && e.match(d)
}

func containsFold(list []string, s string) bool {
	return slices.ContainsFunc(list, func(x string) bool { return strings.EqualFold(x, s) })
}
