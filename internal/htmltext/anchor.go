package htmltext

import (
	"net/url"
	"strings"
)

// anchor collects the words of an open link; what becomes of them can be told
// only at its end.
type anchor struct {
	tag
	shown strings.Builder // what a browser shows
	whole strings.Builder // with the parts that are hidden from view
}

func (a *anchor) add(s string, visible bool) {
	if a.whole.Len()+len(s) > maxAnchor {
		s = s[:max(0, maxAnchor-a.whole.Len())]
	}
	a.whole.WriteString(s)
	if visible {
		a.shown.WriteString(s)
	}
}

// text is the link in plain text.
func (a *anchor) text(o Options) string {
	shown := collapse(a.shown.String())
	href := strings.TrimSpace(a.href)
	marked := a.hasClass("mention")
	if a.hasClass("hashtag") || strings.Contains(" "+a.rel+" ", " tag ") || strings.HasPrefix(shown, "#") {
		return shown
	}
	if o.Mention != nil && (marked || strings.HasPrefix(shown, "@")) {
		if handle, ok := o.Mention(href); ok {
			return "@" + handle
		}
	}
	if marked {
		return shown
	}
	if !webAddress(href) {
		return shown
	}
	switch {
	case shown == "":
		return href
	case isFormOf(shown, href), isFormOf(collapse(a.whole.String()), href):
		return href
	}
	return shown + " (" + href + ")"
}

// webAddress reports whether href is worth showing to a reader: an absolute
// http or https address of sane length and without white space.
func webAddress(href string) bool {
	if len(href) > maxHref || strings.ContainsAny(href, " \t\n\r\f\x00") {
		return false
	}
	u, err := url.Parse(href)
	return err == nil && u.Host != "" && (u.Scheme == "http" || u.Scheme == "https")
}

// isFormOf reports whether words are the address itself or a shortened form
// of it: without scheme, "www." or the last slash, or only its beginning,
// with or without an ellipsis. A form names the whole host, so that "bank"
// cannot stand for "bank.evil.example".
func isFormOf(words, href string) bool {
	words = strings.TrimSuffix(strings.TrimSuffix(words, "…"), "...")
	words, href = bare(words), bare(href)
	if words == href {
		return true
	}
	rest, ok := strings.CutPrefix(href, words)
	if !ok {
		// The same address may be written with its escapes undone.
		plain, err := url.PathUnescape(href)
		if err != nil {
			return false
		}
		if rest, ok = strings.CutPrefix(plain, words); !ok {
			return false
		}
	}
	return strings.ContainsAny(words, "/?#") || rest == "" || strings.ContainsRune("/?#", rune(rest[0]))
}

// bare strips what shortened forms leave out; scheme and host do not care for
// case.
func bare(s string) string {
	if i := strings.Index(s, "://"); i >= 0 && i <= len("https") {
		s = s[i+len("://"):]
	}
	host, rest := s, ""
	if i := strings.IndexAny(s, "/?#"); i >= 0 {
		host, rest = s[:i], s[i:]
	}
	return strings.TrimPrefix(strings.ToLower(host), "www.") + strings.TrimSuffix(rest, "/")
}

// collapse makes every run of white space one space and trims the ends.
func collapse(s string) string { return strings.Join(strings.Fields(s), " ") }
