package boorusim

import (
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// literal reads a tag or a field of text: LiteralParser. With an asterisk or a
// question mark that is not escaped it is a wildcard, and then a backslash
// before either is lost, so that it is a wildcard too. "~2" at the end is a
// number of mistakes allowed.
func literal(text string, normal func(string) string, name string, try func(*doc, func(string) bool) bool) node {
	label := func(kind, value string) string {
		s := strconv.Quote(value)
		if kind != "" {
			s = kind + " " + s
		}
		if name != "" {
			s = name + ":" + s
		}
		if strings.ContainsRune(s, ' ') && kind != "" {
			s = "(" + s + ")"
		}
		return s
	}
	if value, fuzz, fuzzy, ok := plainText(text); ok {
		value = normal(value)
		if !fuzzy {
			return leaf{label("", value), func(d *doc) bool { return try(d, func(s string) bool { return s == value }) }}
		}
		most := min(2, int(fuzz)) // OpenSearch: Fuzziness.asDistance
		return leaf{label("fuzzy", value), func(d *doc) bool {
			return try(d, func(s string) bool { return edits(s, value) <= most })
		}}
	}
	pattern := wildText(text)
	if pattern == "*" {
		return allNode{} // everything, tagged or not
	}
	pattern = normal(pattern)
	return leaf{label("like", pattern), func(d *doc) bool { return try(d, wildcard(pattern)) }}
}

// plainText is the value of a text without wildcards; ok is false if it has any.
func plainText(s string) (value string, fuzz float64, fuzzy, ok bool) {
	var b strings.Builder
	for s != "" {
		if f, is := fuzzSuffix(s); is {
			return b.String(), f, true, true
		}
		if s[0] == '*' || s[0] == '?' {
			return "", 0, false, false
		}
		if s[0] == '\\' && len(s) > 1 {
			s = s[1:]
		}
		_, w := utf8.DecodeRuneInString(s)
		b.WriteString(s[:w])
		s = s[w:]
	}
	return b.String(), 0, false, true
}

// wildText is the pattern of a text with wildcards. A number of mistakes at its
// end means nothing.
func wildText(s string) string {
	var b strings.Builder
	for s != "" {
		if _, is := fuzzSuffix(s); is {
			break
		}
		if s[0] == '\\' && len(s) > 1 {
			s = s[1:]
		} else if s[0] == '*' {
			b.WriteByte('*')
			s = strings.TrimLeft(s, "*")
			continue
		}
		_, w := utf8.DecodeRuneInString(s)
		b.WriteString(s[:w])
		s = s[w:]
	}
	return b.String()
}

// fuzzSuffix reads "~" and a number to the end.
func fuzzSuffix(s string) (f float64, ok bool) {
	if s[0] != '~' || number(s[1:], false) != len(s)-1 || len(s) < 2 {
		return 0, false
	}
	f, _ = strconv.ParseFloat(s[1:], 64)
	return f, true
}

// textField is a condition on a field of text.
func textField(kind fieldKind, name, value string) node {
	normal := func(s string) string { return strings.ToLower(strings.TrimSpace(s)) }
	if name == "file_name" {
		normal = strings.TrimSpace
	}
	return literal(value, normal, name, func(d *doc, like func(string) bool) bool {
		if kind == ngramField { // a phrase, or a wildcard, of its words; the board also cuts their endings
			words := strings.FieldsFunc(strings.ToLower(d.Description), notWord)
			phrase := len(strings.FieldsFunc(value, notWord))
			for n := 1; n <= max(1, phrase); n++ {
				for i := 0; i+n <= len(words); i++ {
					if like(strings.Join(words[i:i+n], " ")) {
						return true
					}
				}
			}
			return false
		}
		for _, s := range textsOf(d, name) {
			if like(s) {
				return true
			}
		}
		return false
	})
}

func notWord(r rune) bool {
	return r < 0x80 && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
}

func textsOf(d *doc, name string) []string {
	low := func(list ...string) []string {
		var all []string
		for _, s := range list {
			if s != "" {
				all = append(all, strings.ToLower(s))
			}
		}
		return all
	}
	switch name {
	case "faved_by":
		return low(d.FavedBy...)
	case "uploader":
		return low(d.Uploader)
	case "source_url":
		return low(d.Sources...)
	case "original_format":
		return low(d.Format)
	case "mime_type":
		return low(d.mime())
	case "file_name":
		return []string{d.Name}
	}
	return []string{hash(d.Image)} // sha512_hash, orig_sha512_hash
}

func boolOf(d *doc, name string) bool {
	switch name {
	case "animated":
		return d.animated()
	case "processed":
		return !d.Unprocessed
	}
	return !d.NoThumbnails
}

func numericOf(d *doc, name string, v int64) bool {
	switch name {
	case "uploader_id":
		return d.UploaderID != 0 && d.UploaderID == v
	case "duplicate_id":
		return d.DuplicateOf != 0 && d.DuplicateOf == v
	}
	return false // faved_by_id: those who have faved have no numbers here
}

func dateOf(d *doc, name string) time.Time {
	switch name {
	case "created_at":
		return d.Created
	case "updated_at":
		return d.Updated
	}
	return d.FirstSeen
}

func numberOf(d *doc, name string) float64 {
	switch name {
	case "id":
		return float64(d.ID)
	case "width":
		return float64(d.Width)
	case "height":
		return float64(d.Height)
	case "score":
		return float64(d.score())
	case "upvotes":
		return float64(d.Upvotes)
	case "downvotes":
		return float64(d.Downvotes)
	case "faves":
		return float64(d.Faves)
	case "pixels":
		return float64(d.Width * d.Height)
	case "size", "orig_size":
		return float64(d.Size)
	case "comment_count":
		return float64(d.Comments)
	case "source_count":
		return float64(len(d.Sources))
	case "tag_count":
		return float64(len(d.tags))
	case "character_tag_count":
		return float64(len(d.Characters))
	case "origin_tag_count":
		return float64(len(d.Artists))
	case "species_tag_count":
		return float64(len(d.Species))
	case "rating_tag_count":
		if d.Rating != Unrated {
			return 1
		}
	case "aspect_ratio":
		return float64(d.Width) / float64(d.Height)
	case "wilson_score":
		return wilson(d.Upvotes, d.Downvotes)
	case "duration":
		return d.duration()
	}
	return 0
}

// wilson is the lower bound of the Wilson score interval at 99.5 %.
func wilson(up, down int) float64 {
	n := float64(up + down)
	if n == 0 {
		return 0
	}
	const z = 2.57583
	p := float64(up) / n
	return (p + z*z/(2*n) - z*math.Sqrt((p*(1-p)+z*z/(4*n))/n)) / (1 + z*z/n)
}

// ranged reads a number, and "~" with how far from it one may be: IntParser, FloatParser.
func ranged(s string, whole bool) (v, fuzz float64, fuzzy, ok bool) {
	one := func(s string, signed bool) int {
		if !whole {
			return number(s, signed)
		}
		sign := 0
		if signed && s != "" && (s[0] == '-' || s[0] == '+') {
			sign = 1
		}
		if d := digits(s[sign:]); d > 0 {
			return sign + d
		}
		return 0
	}
	n := one(s, true)
	if n == 0 {
		return 0, 0, false, false
	}
	v, _ = strconv.ParseFloat(s[:n], 64)
	if n == len(s) {
		return v, 0, false, true
	}
	if s[n] != '~' {
		return 0, 0, false, false
	}
	m := one(s[n+1:], false)
	if m == 0 || n+1+m != len(s) {
		return 0, 0, false, false
	}
	fuzz, _ = strconv.ParseFloat(s[n+1:], 64)
	return v, fuzz, true, true
}

func compare(x float64, op string, v float64) bool {
	switch op {
	case "gt":
		return x > v
	case "gte":
		return x >= v
	case "lt":
		return x < v
	case "lte":
		return x <= v
	}
	return x == v
}
