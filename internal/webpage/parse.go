package webpage

import (
	"bytes"
	"slices"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/charset"
	"golang.org/x/text/transform"
)

const (
	// maxDepth is how many elements may be open; where a page goes deeper, it
	// ends. It bounds the look through them at each tag; browsers stop at 512.
	maxDepth = 256
	// enough is how many characters of text make a text; a shorter one may be
	// all that is in paragraphs of a page that uses none.
	enough = 200
)

// parse reads a page as far as it was fetched. It never fails: of malformed
// markup the structure is lost at worst.
func parse(data []byte, k kind, maxText int) Page {
	data = toUTF8(data, k.contentType)
	if k.plain {
		text := prose{max: maxText}
		for l := range strings.Lines(string(data)) {
			text.add(l)
			text.end()
		}
		return Page{Text: text.text()}
	}
	s := scan{names: map[string]int{}, core: prose{max: maxText}, paragraphs: prose{max: maxText}, all: prose{max: maxText}}
	z := html.NewTokenizer(bytes.NewReader(data))
	for len(s.stack) <= maxDepth {
		switch z.Next() {
		case html.ErrorToken: // the end: reading from memory cannot fail otherwise
			return s.page()
		case html.TextToken:
			s.words(string(z.Text()))
		case html.StartTagToken:
			s.open(tagOf(z), false)
		case html.SelfClosingTagToken:
			s.open(tagOf(z), true)
		case html.EndTagToken:
			name, _ := z.TagName()
			s.shut(string(name))
		}
	}
	return s.page()
}

// toUTF8 decodes by the byte order mark, the Content-Type, or what the first
// kilobyte says: https://html.spec.whatwg.org/#determining-the-character-encoding
func toUTF8(data []byte, contentType string) []byte {
	e, _, _ := charset.DetermineEncoding(data[:min(len(data), 1024)], contentType)
	out, _, err := transform.Bytes(e.NewDecoder(), data)
	if err != nil && len(out) == 0 {
		return data // prose leaves out what is broken
	}
	return out
}

// scan is the state of reading a page.
type scan struct {
	stack  []element      // what is open
	names  map[string]int // how often
	hidden int            // how many of them do not show their text
	inCore int            // how many are <main> or <article>
	inText int            // how many are paragraphs, headings and the like

	title, named, site, about, meta string // <title>, and what <meta> says

	core       prose // paragraphs within <main> or <article>
	paragraphs prose // all paragraphs
	all        prose // everything that is shown
}

type element struct {
	name                      string
	block, hidden, core, text bool
}

func (s *scan) page() Page {
	p := Page{Title: s.named, SiteName: s.site, Description: s.about, Text: s.all.text()}
	if p.Title == "" {
		p.Title = s.title
	}
	if p.Description == "" {
		p.Description = s.meta
	}
	for _, better := range []*prose{&s.core, &s.paragraphs} {
		if better.n >= enough {
			p.Text = better.text()
			break
		}
	}
	return p
}

func (s *scan) words(text string) {
	switch {
	case s.names["title"] > 0:
		if s.title == "" && !s.drawn() {
			s.title = line(text, maxTitle)
		}
	case s.hidden == 0:
		s.all.add(text)
		if s.inText > 0 {
			s.paragraphs.add(text)
		}
		if s.inText > 0 && s.inCore > 0 {
			s.core.add(text)
		}
	}
}

// drawn reports whether this is within a drawing or a formula, where a title
// is not the page's and tags may close themselves.
func (s *scan) drawn() bool { return s.names["svg"] > 0 || s.names["math"] > 0 }

func (s *scan) open(t tag, selfClosing bool) {
	if t.name == "meta" {
		s.note(t)
	}
	s.imply(t.name)
	block := blocks[t.name]
	if block || t.name == "br" {
		s.endLine()
	}
	if void[t.name] || selfClosing && (s.drawn() || t.name == "svg" || t.name == "math") {
		return // elsewhere HTML takes <p/> for <p>
	}
	s.push(element{
		name:   t.name,
		block:  block,
		hidden: unshown[t.name] || t.hides(),
		core:   t.name == "main" || t.name == "article",
		text:   texts[t.name],
	})
}

// note keeps what a <meta> says, the first of each kind.
func (s *scan) note(t tag) {
	name := t.property
	if name == "" {
		name = t.label // some write the one for the other
	}
	var into *string
	most := maxDescription
	switch name {
	case "og:title":
		into, most = &s.named, maxTitle
	case "og:site_name":
		into, most = &s.site, maxSiteName
	case "og:description":
		into = &s.about
	case "description":
		into = &s.meta
	default:
		return
	}
	if *into == "" {
		*into = line(t.content, most)
	}
}

// imply closes what a start tag closes without saying so.
func (s *scan) imply(name string) {
	rule, ok := implied[name]
	if !ok {
		if !blocks[name] || s.names["p"] == 0 {
			return
		}
		rule.ends = []string{"p"}
	}
	for i := len(s.stack) - 1; i >= 0; i-- {
		open := s.stack[i]
		if slices.Contains(rule.ends, open.name) {
			s.cut(i)
			return
		}
		if ok && slices.Contains(rule.within, open.name) || !ok && open.block {
			return
		}
	}
}

func (s *scan) shut(name string) {
	block := blocks[name]
	if block {
		s.endLine()
	}
	if s.names[name] == 0 {
		return
	}
	for i := len(s.stack) - 1; i >= 0; i-- {
		if s.stack[i].name == name {
			s.cut(i)
			return
		}
		if s.stack[i].block && !block {
			return // </b> does not close the paragraph it stands in
		}
	}
}

func (s *scan) endLine() {
	s.core.end()
	s.paragraphs.end()
	s.all.end()
}

func (s *scan) push(e element) {
	s.stack = append(s.stack, e)
	s.count(e, 1)
}

// cut closes elements until n are open.
func (s *scan) cut(n int) {
	for i := len(s.stack) - 1; i >= n; i-- {
		s.count(s.stack[i], -1)
	}
	s.stack = s.stack[:n]
}

func (s *scan) count(e element, by int) {
	if s.names[e.name] += by; s.names[e.name] == 0 {
		delete(s.names, e.name)
	}
	if e.hidden {
		s.hidden += by
	}
	if e.core {
		s.inCore += by
	}
	if e.text {
		s.inText += by
	}
}
