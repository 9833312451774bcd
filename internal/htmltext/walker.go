package htmltext

import (
	"strconv"
	"strings"
)

// void are the elements that have no end tag.
var void = map[string]bool{
	"area": true, "base": true, "br": true, "col": true, "embed": true, "hr": true, "img": true, "input": true,
	"link": true, "meta": true, "param": true, "source": true, "track": true, "wbr": true,
}

// dropped are the elements whose content is not meant to be read.
var dropped = map[string]bool{
	"script": true, "style": true, "head": true, "title": true, "template": true, "noscript": true, "iframe": true,
	"object": true, "svg": true, "math": true, "select": true, "textarea": true, "noembed": true, "noframes": true,
	"audio": true, "video": true, "canvas": true,
}

// gap is how many newlines stand before and after a block element.
var gap = map[string]int{
	"p": 2, "blockquote": 2, "pre": 2, "ul": 2, "ol": 2, "dl": 2, "table": 2, "figure": 2,
	"h1": 2, "h2": 2, "h3": 2, "h4": 2, "h5": 2, "h6": 2,
	"div": 1, "li": 1, "dt": 1, "dd": 1, "tr": 1, "section": 1, "article": 1, "header": 1, "footer": 1, "main": 1,
	"aside": 1, "nav": 1, "address": 1, "figcaption": 1, "details": 1, "summary": 1, "form": 1, "fieldset": 1, "center": 1,
}

// element is one open element.
type element struct {
	name     string
	hides    bool // its content is dropped
	ellipsis bool
	prefixed bool // it put a prefix on the lines
	list     byte // 'u' or 'o' for a list
	number   int  // of the next item of an ordered list
}

type walker struct {
	opt      Options
	out      output
	stack    []element
	overflow int // open elements beyond maxDepth
	hidden   int // open elements that hide their content
	pre      int // open <pre>
	anchor   *anchor
}

// words takes a run of text.
func (w *walker) words(s string) {
	switch {
	case w.hidden > 0:
		// Mastodon hides the ends of a long address with class "invisible":
		// they are no words, but tell that the words are a form of the address.
		if w.anchor != nil {
			w.anchor.add(s, false)
		}
	case w.anchor != nil:
		w.anchor.add(s, true)
	case w.pre > 0:
		w.out.verbatim(s)
	default:
		w.out.flow(s)
	}
}

func (w *walker) open(t tag) {
	switch t.name {
	case "br":
		if w.anchor != nil {
			w.words(" ")
		} else if w.hidden == 0 {
			w.out.newline()
		}
		return
	case "hr":
		if w.hidden == 0 && w.anchor == nil {
			w.out.gap(2)
		}
		return
	case "img":
		if w.hidden == 0 {
			w.words(t.alt)
		}
		return
	case "wbr":
		return
	}
	if void[t.name] {
		return
	}
	// An open paragraph or item ends where the next one begins; their end tags
	// may be left out.
	switch t.name {
	case "li":
		w.closeImplied("li", "ul", "ol")
	case "dt", "dd":
		w.closeImplied("dt", "dl")
		w.closeImplied("dd", "dl")
	case "a":
		w.closeImplied("a", "")
	}
	if gap[t.name] == 2 {
		w.closeImplied("p", "blockquote")
	}
	if len(w.stack) >= maxDepth {
		w.overflow++
		return
	}
	e := element{name: t.name}
	e.hides = dropped[t.name] || t.hasClass("invisible") || t.hasClass("quote-inline")
	e.ellipsis = t.hasClass("ellipsis")
	if e.hides {
		w.hidden++
	}
	if w.hidden == 0 {
		w.enter(t, &e)
	}
	w.stack = append(w.stack, e)
}

// enter does what a visible element does where it begins.
func (w *walker) enter(t tag, e *element) {
	if t.name == "a" {
		w.anchor = &anchor{tag: t}
		return
	}
	if w.anchor != nil {
		if gap[t.name] > 0 {
			w.anchor.add(" ", true)
		}
		return
	}
	n := gap[t.name]
	if n == 2 && (t.name == "ul" || t.name == "ol") && w.inList() {
		n = 1
	}
	if n > 0 {
		w.out.gap(n)
	}
	switch t.name {
	case "blockquote":
		e.prefixed = w.out.push("> ")
	case "pre":
		w.pre++
	case "ul":
		e.list = 'u'
	case "ol":
		e.list = 'o'
		e.number = 1
		if v, err := strconv.Atoi(strings.TrimSpace(t.start)); err == nil && v > -1e6 && v < 1e6 {
			e.number = v
		}
	case "li":
		mark := "- "
		if l := w.list(); l != nil && l.list == 'o' {
			mark = strconv.Itoa(l.number) + ". "
			l.number++
		}
		w.out.mark(mark)
		e.prefixed = w.out.push(strings.Repeat(" ", len(mark)))
	case "td", "th":
		w.out.flow(" ")
	}
}

// close ends the innermost open element of that name with all inside it; an
// end tag that closes nothing is ignored, but for </p> and </br>, which
// browsers treat as a break.
func (w *walker) close(name string) {
	if w.overflow > 0 {
		w.overflow--
		return
	}
	for i := len(w.stack) - 1; i >= 0; i-- {
		if w.stack[i].name == name {
			w.closeTo(i)
			return
		}
	}
	if (name == "br" || name == "p") && w.hidden == 0 && w.anchor == nil {
		w.out.newline()
	}
}

// closeImplied ends an open element of that name unless one of the barriers
// stands between.
func (w *walker) closeImplied(name string, barriers ...string) {
	for i := len(w.stack) - 1; i >= 0; i-- {
		if w.stack[i].name == name {
			w.closeTo(i)
			return
		}
		for _, b := range barriers {
			if w.stack[i].name == b {
				return
			}
		}
	}
}

func (w *walker) closeAll() { w.overflow = 0; w.closeTo(0) }

// closeTo ends the elements from the innermost out to index i.
func (w *walker) closeTo(i int) {
	for len(w.stack) > i {
		e := w.stack[len(w.stack)-1]
		w.stack = w.stack[:len(w.stack)-1]
		if w.hidden > 0 {
			if e.hides {
				w.hidden--
			}
			continue
		}
		w.leave(e)
	}
}

func (w *walker) leave(e element) {
	if e.ellipsis {
		w.words("…") // what browsers add by style sheet
	}
	if e.name == "a" {
		if a := w.anchor; a != nil {
			w.anchor = nil
			if s := a.text(w.opt); w.pre > 0 {
				w.out.verbatim(s)
			} else {
				w.out.flow(s)
			}
		}
		return
	}
	if w.anchor != nil {
		if gap[e.name] > 0 {
			w.anchor.add(" ", true)
		}
		return
	}
	if e.name == "pre" && w.pre > 0 {
		w.pre--
	}
	if e.prefixed {
		w.out.pop()
	}
	n := gap[e.name]
	if e.list != 0 && w.inList() {
		n = 1
	}
	if n > 0 {
		w.out.gap(n)
	}
}

func (w *walker) inList() bool { return w.list() != nil }

// list is the innermost open list.
func (w *walker) list() *element {
	for i := len(w.stack) - 1; i >= 0; i-- {
		if w.stack[i].list != 0 {
			return &w.stack[i]
		}
	}
	return nil
}
