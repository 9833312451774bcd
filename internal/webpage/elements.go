package webpage

import (
	"strconv"
	"strings"

	"golang.org/x/net/html"
)

// set makes a set of the words of s.
func set(s string) map[string]bool {
	m := map[string]bool{}
	for w := range strings.FieldsSeq(s) {
		m[w] = true
	}
	return m
}

// Elements by their part in a page: https://html.spec.whatwg.org/#elements-3
var (
	void = set("area base br col embed hr img input link meta param source track wbr")

	// blocks stand in lines of their own, and end the paragraph before them.
	// What is not here runs on within a line, also what nobody has heard of.
	blocks = set("html body address article aside blockquote center details dialog dir div dl dd dt fieldset figcaption figure " +
		"footer form h1 h2 h3 h4 h5 h6 header hgroup hr li listing main menu nav ol p plaintext pre search section summary ul xmp " +
		"table caption thead tbody tfoot tr td th frameset")

	// unshown are not part of what a page has to say, or not text at all.
	unshown = set("title script style template noscript nav footer aside form fieldset button select option textarea datalist " +
		"dialog menu iframe noframes noembed object applet audio video canvas svg math map frameset rp")

	texts = set("p h1 h2 h3 h4 h5 h6 li dt dd blockquote pre figcaption summary caption")

	// roles do by an attribute what some of unshown do by their name.
	roles = set("navigation search contentinfo dialog alertdialog menu menubar")
)

// implication is what a start tag closes: the nearest open of ends, unless one
// of within is nearer.
type implication struct{ ends, within []string }

// implied are the tags that close others of their kind; the other blocks close
// a paragraph.
var implied = map[string]implication{
	"li":     {[]string{"li"}, []string{"ul", "ol", "menu", "dir"}},
	"dt":     {[]string{"dt", "dd"}, []string{"dl"}},
	"dd":     {[]string{"dt", "dd"}, []string{"dl"}},
	"tr":     {[]string{"tr"}, []string{"table"}},
	"td":     {[]string{"td", "th"}, []string{"tr", "table"}},
	"th":     {[]string{"td", "th"}, []string{"tr", "table"}},
	"option": {[]string{"option"}, []string{"select", "datalist"}},
}

// tag is a start tag with the attributes that matter here.
type tag struct {
	name, property, label, content, style, role string
	hidden                                      bool
}

func tagOf(z *html.Tokenizer) tag {
	name, more := z.TagName()
	t := tag{name: string(name)}
	// The first attribute of a name counts, as in browsers.
	for more {
		var k, v []byte
		k, v, more = z.TagAttr()
		switch string(k) {
		case "property":
			first(&t.property, strings.ToLower(strings.TrimSpace(string(v))))
		case "name":
			first(&t.label, strings.ToLower(strings.TrimSpace(string(v))))
		case "content":
			first(&t.content, string(v))
		case "style":
			first(&t.style, string(v))
		case "role":
			first(&t.role, strings.ToLower(strings.TrimSpace(string(v))))
		case "hidden":
			t.hidden = true
		case "aria-hidden":
			t.hidden = t.hidden || strings.EqualFold(string(v), "true")
		}
	}
	return t
}

func first(into *string, value string) {
	if *into == "" {
		*into = value
	}
}

// hides reports whether the tag itself says that what it holds is not shown,
// or not part of the text. What style sheets say is not known. Of the page as a
// whole it is not believed: many hide themselves until a script has run.
func (t tag) hides() bool {
	if t.name == "html" || t.name == "body" {
		return false
	}
	return t.hidden || roles[t.role] || unseen(t.style)
}

// unseen reports whether an inline style hides its element.
func unseen(style string) bool {
	for declaration := range strings.SplitSeq(strings.ToLower(style), ";") {
		name, value, _ := strings.Cut(declaration, ":")
		value, _, _ = strings.Cut(value, "!")
		value = strings.TrimSpace(value)
		switch strings.TrimSpace(name) {
		case "display":
			if value == "none" {
				return true
			}
		case "visibility":
			if value == "hidden" || value == "collapse" {
				return true
			}
		case "opacity", "font-size":
			number := strings.TrimRight(value, "%abcdefghijklmnopqrstuvwxyz")
			if n, err := strconv.ParseFloat(number, 64); err == nil && n <= 0 {
				return true
			}
		}
	}
	return false
}
