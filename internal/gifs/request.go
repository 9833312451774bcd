package gifs

import (
	"regexp"
	"strings"
	"unicode"

	"rookery/internal/booru"
	"rookery/internal/community"
)

// addressed are the mentions in front of a request: also the full handle, and
// "@ name", which people type.
var addressed = regexp.MustCompile(`^(?:[\s\p{Cf}]*[@＠][ \x{a0}]?[\p{L}\p{N}_][\p{L}\p{N}_.-]*(?:@[\p{L}\p{N}_.:-]+)?)+[:,]?`)

// wish is what a post asks for, without the mentions in front and without the
// word. It is false if the post does not begin with the word, where it must.
func wish(p community.Post, word string, needed bool) (text string, ok bool) {
	text = addressed.ReplaceAllString(p.Text, "")
	text = strings.TrimLeftFunc(text, func(r rune) bool { return unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) })
	first, rest := text, ""
	if i := strings.IndexFunc(text, func(r rune) bool { return unicode.IsSpace(r) || r == ',' || r == ':' }); i >= 0 {
		first, rest = text[:i], strings.TrimLeft(text[i:], ",:")
	}
	if strings.EqualFold(strings.Trim(first, "/!“”\"'«».?"), word) {
		return strings.TrimSpace(rest), true
	}
	return strings.TrimSpace(text), !needed
}

// hasWord tells whether there is a word to look for.
func hasWord(text string) bool {
	return strings.ContainsFunc(text, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) })
}

// bareCall tells a post that does nothing but mention us alone, of its own
// accord: it asks for any picture. In a thread clients mention everybody by
// themselves.
func bareCall(p community.Post, text string) bool {
	return text == "" && p.ParentID == "" && len(p.Mentions) <= 1 && len(p.Media) == 0
}

// request reads a mention that Wants has taken.
func (g *GIFs) request(m community.Mention) booru.Request {
	if m.Command != nil {
		return booru.Parse(m.Post.Text)
	}
	m.Post.Text = g.at(m.Account).text(m)
	text, _ := wish(m.Post, g.Word, false)
	return booru.Parse(text)
}

// anyPicture is what to write for any picture, in the way that a request came.
func (g *GIFs) anyPicture(m community.Mention) string {
	if m.Command != nil {
		return "random"
	}
	return g.Word + " random"
}
