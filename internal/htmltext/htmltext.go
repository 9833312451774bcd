// Package htmltext turns the small HTML that Fediverse servers send (posts,
// profile texts) into plain text that a person, a model or a parser of
// commands can read, and cleans plain text that strangers wrote.
//
// It reads markup with a tokenizer and a stack of bounded depth, never with a
// tree, so that hostile markup costs time and memory in proportion to its
// size only. It knows nothing of any server's protocol: who a mention's link
// stands for is asked of the caller, and what may be shown to whom is
// decided elsewhere.
package htmltext

import (
	"strings"

	"golang.org/x/net/html"
)

// Sizes that bound the work and the result, in bytes.
const (
	// MaxInput is how much markup is read; the rest is ignored.
	MaxInput = 1 << 20
	// MaxText bounds the result of Text and Clean; longer text is cut between
	// two characters and ends with an ellipsis.
	MaxText = 256 << 10
)

const (
	maxDepth  = 64   // open elements remembered; deeper ones lose their meaning, not their text
	maxQuote  = 8    // line prefixes of nested quotes and lists
	maxHref   = 4096 // a longer link target is left out
	maxAnchor = 16 << 10
)

// Options say what only the caller can know. The zero value is usable.
type Options struct {
	// Mention names the account that a link to href mentions, as "user@host"
	// without the leading @. It is asked for links that are marked as mentions
	// or whose words begin with @. May be nil.
	Mention func(href string) (handle string, ok bool)
}

// Text returns the plain text of markup. The result is valid UTF-8, at most
// MaxText bytes, without NUL or other control characters but newline and tab,
// and without space at either end. Malformed markup never fails; at worst its
// structure is lost.
//
//   - Paragraphs, quotes, lists, headings and preformatted blocks are set off
//     by an empty line, <br> is a newline, quoted lines begin with "> ", items
//     with "- " or their number; preformatted text keeps its lines and spaces.
//   - A link whose words are a form of its address becomes the whole address;
//     any other becomes "words (address)", so that no words can hide where a
//     link leads. Only http and https addresses are shown.
//   - A mention becomes "@user@host" where Options.Mention knows it, otherwise
//     it keeps its words; hashtags and :emoji: stay as they are written.
//   - What Mastodon marks "quote-inline" (the link to a quoted post, for
//     clients that cannot show quotes) is dropped, as are scripts and styles.
func Text(markup string, o Options) string {
	if len(markup) > MaxInput {
		markup = markup[:MaxInput]
	}
	w := walker{opt: o}
	z := html.NewTokenizer(strings.NewReader(markup))
	for !w.out.full {
		switch z.Next() {
		case html.ErrorToken: // the end: reading a string cannot fail otherwise
			w.closeAll()
			return w.out.text()
		case html.TextToken:
			w.words(string(z.Text()))
		case html.StartTagToken:
			w.open(tagOf(z))
		case html.SelfClosingTagToken:
			// HTML knows no self-closing <p/>, but servers that speak XHTML
			// write <br/>, and an element closed at once holds nothing.
			t := tagOf(z)
			w.open(t)
			if !void[t.name] {
				w.close(t.name)
			}
		case html.EndTagToken:
			name, _ := z.TagName()
			w.close(string(name))
		}
	}
	w.closeAll()
	return w.out.text()
}

// tag is a start tag with the attributes that matter here.
type tag struct {
	name  string
	class string
	href  string
	alt   string
	start string
	rel   string
}

func tagOf(z *html.Tokenizer) tag {
	name, more := z.TagName()
	t := tag{name: string(name)}
	// A tag may carry thousands of attributes; the first of a name counts, as
	// in browsers, and there is nothing to store for the others.
	for more {
		var k, v []byte
		k, v, more = z.TagAttr()
		var into *string
		switch string(k) {
		case "class":
			into = &t.class
		case "href":
			into = &t.href
		case "alt":
			into = &t.alt
		case "start":
			into = &t.start
		case "rel":
			into = &t.rel
		default:
			continue
		}
		if *into == "" {
			*into = string(v)
		}
	}
	return t
}

func (t tag) hasClass(c string) bool {
	for f := range strings.FieldsSeq(t.class) {
		if f == c {
			return true
		}
	}
	return false
}
