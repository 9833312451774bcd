package boorusim

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

const (
	e621Tags  = 40 // in one search: tag_query_limit in config/danbooru_default_config.rb
	e621Depth = 10 // levels of groups: TagQuery::DEPTH_LIMIT
)

// ParseE621 reads a search of e621: app/logical/tag_query.rb. The error is a
// *SyntaxError: too many tags, or groups too deep in each other.
func ParseE621(query string) (PostQuery, error) {
	q := PostQuery{}
	root, err := q.e621Group(query, 0)
	if err != nil {
		return PostQuery{}, err
	}
	if q.Terms > e621Tags {
		return PostQuery{}, syntaxError(fmt.Sprintf("You cannot search for more than %d tags at a time", e621Tags))
	}
	q.root = root
	return q, nil
}

// e621Group reads one level: what must be, what must not be, and what should
// be, of which one is enough.
func (q *PostQuery) e621Group(query string, depth int) (node, error) {
	if depth >= e621Depth {
		return nil, syntaxError(fmt.Sprintf("You cannot have more than %d levels of grouping at a time", e621Depth))
	}
	var must, should []node
	for _, t := range e621Tokens(query) {
		n, wild, err := q.e621Term(t, depth)
		if err != nil {
			return nil, err
		}
		switch {
		case n == nil:
		case t.prefix == '-':
			must = append(must, notNode{n})
		case t.prefix == '~', wild:
			// A wildcard stands for the tags that it fits, and these are
			// among those of which one is enough: add_tag.
			should = append(should, n)
		default:
			must = append(must, n)
		}
	}
	if len(should) > 0 {
		must = append(must, orNode(should))
	}
	if len(must) == 0 {
		return allNode{}, nil
	}
	if len(must) == 1 {
		return must[0], nil
	}
	return andNode(must), nil
}

type e621Token struct {
	prefix byte // '-', '~' or 0
	body   string
	group  bool // body is what is within the parentheses
}

// e621Tokens splits a search at spaces, but for groups, whose parentheses
// stand alone, and for name:"quoted values": REGEX_TOKENIZE.
func e621Tokens(s string) []e621Token {
	var all []e621Token
	for {
		s = strings.TrimLeftFunc(s, unicode.IsSpace)
		if s == "" {
			return all
		}
		var t e621Token
		body := s
		if (s[0] == '-' || s[0] == '~') && len(s) > 1 && !unicode.IsSpace(rune(s[1])) {
			t.prefix, body = s[0], s[1:]
		}
		if inner, n := e621Parentheses(body); n > 0 {
			t.body, t.group = inner, true
			all, s = append(all, t), body[n:]
			continue
		}
		n := e621Quoted(body)
		if n == 0 {
			if n = strings.IndexFunc(body, unicode.IsSpace); n < 0 {
				n = len(body)
			}
		}
		t.body = body[:n]
		all, s = append(all, t), body[n:]
	}
}

// e621Quoted is the length of a metatag with a value in quotes, which a space must follow.
func e621Quoted(s string) int {
	i := 0
	for i < len(s) && (s[i] == '_' || s[i] >= '0' && s[i] <= '9' || s[i] >= 'a' && s[i] <= 'z' || s[i] >= 'A' && s[i] <= 'Z') {
		i++
	}
	if i == 0 || !strings.HasPrefix(s[i:], `:"`) {
		return 0
	}
	end := strings.IndexByte(s[i+2:], '"')
	if end <= 0 {
		return 0
	}
	n := i + 2 + end + 1
	if n < len(s) && !unicode.IsSpace(rune(s[n])) {
		return 0
	}
	return n
}

// e621Parentheses is what is within a group, and the group's length; 0 if this
// is none or it has no end.
func e621Parentheses(s string) (inner string, n int) {
	if len(s) < 2 || s[0] != '(' || !unicode.IsSpace(rune(s[1])) {
		return "", 0
	}
	depth, i := 0, 0
	for i < len(s) {
		rest := strings.TrimLeftFunc(s[i:], unicode.IsSpace)
		i = len(s) - len(rest)
		if rest == "" {
			break
		}
		lead := 0
		if rest[0] == '-' || rest[0] == '~' {
			lead = 1
		}
		if n := e621Quoted(rest[lead:]); n > 0 {
			i += lead + n
			continue
		}
		end := strings.IndexFunc(rest, unicode.IsSpace)
		if end < 0 {
			end = len(rest)
		}
		switch word := rest[:end]; {
		case word == ")":
			if depth--; depth == 0 {
				return s[1:i], i + 1
			}
		case end < len(rest) && (word == "(" || word == "-(" || word == "~("):
			depth++
		}
		i += end
	}
	return "", 0
}

// e621Term is the condition of a token; nil for one that is none. wild says
// that it is a wildcard.
func (q *PostQuery) e621Term(t e621Token, depth int) (n node, wild bool, err error) {
	if t.group {
		if strings.TrimSpace(t.body) == "" {
			return nil, false, nil
		}
		n, err = q.e621Group(t.body, depth+1)
		return n, false, err
	}
	text := strings.ToLower(t.body)
	name, value, ok := strings.Cut(text, ":")
	if ok && value != "" && knownMetatag(E621, name) {
		value = strings.TrimSuffix(strings.TrimPrefix(value, `"`), `"`)
		if !(name == "rating" && value != "" && value[0] == 's' || name == "limit" || name == "status" && value == "deleted") {
			q.Terms++ // is_unlimited_tag? has the others
		}
		n = q.e621Metatag(t.prefix, name, value)
		return n, false, nil
	}
	q.Terms++
	// The name of a kind of file is no tag: intercept_metatag_alias.
	if slices.Contains([]string{"jpg", "png", "apng", "gif", "webm", "mp4", "swf", "webp"}, text) {
		return metatag(E621, "filetype", text), false, nil
	}
	if strings.Contains(text, "*") && t.prefix != '~' {
		like := wildcard(text)
		return leaf{"(like " + strconv.Quote(text) + ")", func(d *doc) bool { return anyOf(d.posts, like) }}, true, nil
	}
	return leaf{strconv.Quote(text), func(d *doc) bool { _, ok := d.posts[text]; return ok }}, false, nil
}

// e621Metatag is nil for one that sets how to search, and for a rating that
// the board does not know, which it passes over.
func (q *PostQuery) e621Metatag(prefix byte, name, value string) node {
	switch name {
	case "order":
		if prefix == 0 {
			q.Order = value
		}
		return nil
	case "randseed":
		if q.Order == "" {
			q.Order = "random"
		}
		return nil
	case "limit":
		q.Limit, _ = strconv.Atoi(value)
		return nil
	case "status":
		if slices.Contains([]string{"deleted", "active", "any", "all"}, value) {
			q.Deleted = true
		}
	case "rating":
		if value == "" || !strings.ContainsRune("sqe", rune(value[0])) {
			return nil
		}
		value = value[:1]
	}
	return metatag(E621, name, value)
}
