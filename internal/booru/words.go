package booru

import (
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"
)

// grammar is what the languages of Danbooru and e621 have in common: tags with
// underscores, set apart by spaces, with no way to quote or escape one. So a
// tag is either harmless as it stands or cannot be said at all.
type grammar struct {
	fields   []string // "rating" of "rating:e"
	suffixes []string // endings of further fields, like "tags"
	words    []string // whole tags that mean something else
	never    string   // characters that no tag of the board has
}

// categories are namespaces of other boards (and of tag editing on these) that
// members type; here the tag stands without them.
var categories = []string{"artist", "character", "oc", "copyright", "series", "species", "general", "meta", "lore"}

// tag writes a tag of a member as the board has it, or says why it cannot.
func (g grammar) tag(said string) (string, *Error) {
	tag := clean(said)
	if space, name, ok := strings.Cut(tag, ":"); ok && slices.Contains(categories, space) {
		tag = strings.TrimSpace(name)
	}
	tag = strings.Join(strings.Fields(tag), "_")
	// The boards' parsers ignore case the way Ruby does: ſ is an s there. What
	// looks like a field in any form of its letters is taken for one.
	bare := norm.NFKC.String(strings.ToLower(norm.NFKC.String(tag)))
	var why string
	switch field, _, colon := strings.Cut(bare, ":"); {
	case tag == "" || strings.Trim(bare, "_") == "":
		why = "nothing is left of it that can be seen"
	case strings.ContainsAny(bare[:1], "-~()"):
		why = "it begins with a sign that the board takes for an order"
	case strings.Contains(bare, "*"):
		why = "a * stands for anything there"
	case strings.ContainsAny(bare, g.never):
		why = "no tag there has one of the signs " + strings.Join(strings.Split(g.never, ""), " ")
	case strings.Contains(bare, `:"`), strings.Contains(bare, ":'"):
		why = "quotes after a colon join words there"
	case slices.Contains(g.words, bare):
		why = "it is an order there, not a tag"
	case colon && g.field(field):
		why = "it is a field of the search there, not a tag"
	default:
		return tag, nil
	}
	return "", badTag(said, why)
}

func (g grammar) field(name string) bool {
	name = strings.TrimLeft(name, "-~")
	if slices.Contains(g.fields, name) {
		return true
	}
	return slices.ContainsFunc(g.suffixes, func(s string) bool { return strings.HasSuffix(name, s) })
}

// query writes the terms after the board's own, which come first: nothing a
// member typed stands before them.
func (g grammar) query(own []string, q Query, most int) (string, *Error) {
	words := own
	count := 0
	for _, t := range q.Terms {
		if implied(t) {
			continue
		}
		word, bad := g.tag(t.Tag)
		if bad != nil {
			return "", bad
		}
		if t.Not {
			word = "-" + word
		}
		if slices.Contains(words, word) {
			continue
		}
		if count++; count > most {
			return "", tooMany(most)
		}
		words = append(words, word)
	}
	return strings.Join(words, " "), nil
}
