package fedi

import (
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/html"

	"rookery/internal/htmltext"
)

const (
	maxLinks = 20   // of a post; nobody means more
	maxLink  = 4096 // bytes of an address
)

// links returns the web pages that a post's markup links to, in its order.
// Mentions and hashtags are told by their marks (class and rel) and by their
// words, for not every server marks them; a quoted post's own address, which
// Mastodon puts in front for clients that cannot show quotes, is left out as
// it is from the text.
func links(markup string, mention func(href string) (string, bool)) []string {
	if len(markup) > htmltext.MaxInput {
		markup = markup[:htmltext.MaxInput]
	}
	var (
		found  []string
		a      *anchor
		hidden hidden
	)
	end := func() {
		if a == nil {
			return
		}
		if href := strings.TrimSpace(a.href); a.leadsOut(mention) && webAddress(href) && !slices.Contains(found, href) {
			found = append(found, href)
		}
		a = nil
	}
	z := html.NewTokenizer(strings.NewReader(markup))
	for len(found) < maxLinks {
		switch z.Next() {
		case html.ErrorToken: // the end
			end()
			return found
		case html.StartTagToken:
			t := z.Token()
			if hidden.open(t) || t.Data != "a" {
				continue
			}
			end() // links do not nest: a second one ends the first
			a = newAnchor(t)
		case html.EndTagToken:
			name, _ := z.TagName()
			hidden.close(string(name))
			if string(name) == "a" {
				end()
			}
		case html.TextToken:
			if a != nil {
				a.add(string(z.Text()))
			}
		}
	}
	return found
}

// anchor is an open link.
type anchor struct {
	href, rel string
	classes   []string
	words     string // what it begins with
}

func newAnchor(t html.Token) *anchor {
	a := &anchor{}
	for _, at := range t.Attr {
		switch at.Key {
		case "href":
			a.href = at.Val
		case "rel":
			a.rel = at.Val
		case "class":
			a.classes = strings.Fields(at.Val)
		}
	}
	return a
}

// add keeps the beginning of the words: enough to tell what the link is.
func (a *anchor) add(s string) {
	const enough = 300
	if len(a.words) < enough {
		a.words = strings.TrimLeft(a.words+s[:min(len(s), enough)], " \t\r\n")
	}
}

// leadsOut reports whether the link is neither a mention nor a hashtag.
func (a *anchor) leadsOut(mention func(string) (string, bool)) bool {
	if slices.Contains(a.classes, "mention") || slices.Contains(a.classes, "hashtag") || slices.Contains(strings.Fields(a.rel), "tag") {
		return false
	}
	one := !strings.ContainsAny(strings.TrimSpace(a.words), " \t\r\n") // a single word
	switch {
	case strings.HasPrefix(a.words, "#"):
		return !one
	case strings.HasPrefix(a.words, "@"):
		_, known := mention(a.href)
		return !known && !one
	}
	return true
}

// webAddress reports whether s is an absolute http or https address that can
// be asked for.
func webAddress(s string) bool {
	if len(s) > maxLink || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return false
	}
	u, err := url.Parse(s)
	return err == nil && u.Hostname() != "" && (u.Scheme == "http" || u.Scheme == "https")
}

// hidden follows the elements that Mastodon marks "quote-inline".
type hidden struct {
	name  string // of the marked element; empty outside of one
	depth int    // open elements of that name, the marked one included
}

// open notes a start tag; true if it stands in a hidden element.
func (h *hidden) open(t html.Token) bool {
	if h.name != "" {
		if t.Data == h.name {
			h.depth++
		}
		return true
	}
	for _, at := range t.Attr {
		if at.Key == "class" && slices.Contains(strings.Fields(at.Val), "quote-inline") {
			h.name, h.depth = t.Data, 1
			return true
		}
	}
	return false
}

func (h *hidden) close(name string) {
	if h.name == "" || name != h.name {
		return
	}
	if h.depth--; h.depth == 0 {
		h.name = ""
	}
}
