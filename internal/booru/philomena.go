package booru

import (
	"context"
	"encoding/json"
	"net/url"
	"strconv"
	"strings"
	"time"

	"golang.org/x/time/rate"
)

// Philomena is a board that runs https://github.com/philomena-dev/philomena.
type Philomena struct{ *client }

var _ Source = (*Philomena)(nil)

// philomenaPage is the most pictures that one search gives.
const philomenaPage = 50

// NewPhilomena checks the options; it does not touch the network. The error
// says what to mend.
func NewPhilomena(o Options) (*Philomena, error) {
	// 20 searches in 10 seconds: 4 at once and 15 over the time, for two that
	// leave here half a second apart may arrive closer together.
	c, err := newClient(o, DefaultPhilomena, rate.NewLimiter(rate.Every(650*time.Millisecond), 4))
	if err != nil {
		return nil, err
	}
	return &Philomena{c}, nil
}

// Find implements Source.
func (p *Philomena) Find(ctx context.Context, q Query, n int) ([]Image, error) {
	if n <= 0 {
		return nil, nil
	}
	text, bad := philomenaQuery(q)
	if bad != nil {
		return nil, p.sign(bad)
	}
	// https://derpibooru.org/pages/api: GET /api/v1/json/search/images
	v := url.Values{
		"q": {text}, "sf": {"random"}, "per_page": {strconv.Itoa(philomenaPage)},
	}
	filter := p.opt.FilterID
	if q.NSFW && p.opt.NSFWFilterID != "" {
		filter = p.opt.NSFWFilterID
	}
	if filter != "" {
		v.Set("filter_id", filter)
	}
	if p.opt.Key != "" {
		v.Set("key", p.opt.Key)
	}
	var found []json.RawMessage
	err := p.get(ctx, "/api/v1/json/search/images", v, false, func(body []byte) (err error) {
		found, err = rows(body, "images", "search") // search: before 2020
		return err
	})
	if err != nil {
		return nil, err
	}
	return pick(found, q, n, p.image), nil
}

// philomenaQuery writes a query in Philomena's search syntax.
func philomenaQuery(q Query) (string, *Error) {
	var b strings.Builder
	if !q.NSFW {
		b.WriteString("safe, ")
	}
	b.WriteString("animated, gif")
	for _, t := range q.Terms {
		if implied(t) {
			continue
		}
		tag := philomenaTag(t.Tag)
		if tag == "" {
			return "", badTag(t.Tag, "nothing is left of it that can be seen")
		}
		b.WriteString(", ")
		if t.Not {
			b.WriteByte('-')
		}
		b.WriteString(philomenaTerm(tag))
	}
	return b.String(), nil
}

// philomenaTerm writes a tag as a term that can only be that tag. Two parsers
// read it, so it is escaped twice (lib/philomena_query/parse in the sources):
//
// The lexer (lexer.ex) takes what stands in quotes as one term, whatever
// operator is in it; there \" is a quote, \\ a backslash, and any other
// backslash stands for itself.
//
// Quotes do not end the matter: the term without them goes through
// term_range_parser.ex, which makes a field of anything that begins with the
// name of one ("score.gt:100", "my:faves"), and then through
// literal_parser.ex, where * and ? are wildcards, a ~ with a number at the end
// is a fuzzy search, and a backslash makes the next character an ordinary one.
// So these are escaped with a backslash, and so is the first character of
// whatever has a colon: then it begins with the name of no field, now or in
// later versions, and is still the same tag.
func philomenaTerm(tag string) string {
	var literal strings.Builder
	for i, r := range tag {
		if strings.ContainsRune(`\*?~`, r) || i == 0 && strings.Contains(tag, ":") {
			literal.WriteByte('\\')
		}
		literal.WriteRune(r)
	}
	term := strings.ReplaceAll(literal.String(), `\`, `\\`)
	return `"` + strings.ReplaceAll(term, `"`, `\"`) + `"`
}

// philomenaTag writes a tag as Philomena stores it: an underscore is a space
// but in names of people (Tags.Tag.clean_tag_name in the sources). Newer
// versions do this to searches too, older ones do not.
func philomenaTag(tag string) string {
	tag = clean(tag)
	for _, names := range []string{"artist:", "colorist:", "editor:", "oc:", "photographer:"} {
		if strings.HasPrefix(tag, names) {
			return tag
		}
	}
	return strings.Join(strings.Fields(strings.ReplaceAll(tag, "_", " ")), " ")
}
