package persona

import (
	"regexp"
	"strings"
)

// A reply is plain text, and models like to write markup. What a reader would
// only stumble over is taken away; what may be meant stays: "a < b", "2 * 3".
var (
	tag       = regexp.MustCompile(`(?i)</?(?:a|b|blockquote|br|code|div|em|h[1-6]|hr|i|iframe|img|li|ol|p|pre|q|s|script|small|span|strong|style|sub|sup|table|tbody|td|th|thead|tr|u|ul)(?:\s[^<>]{0,500})?/?>`)
	lineBreak = regexp.MustCompile(`(?i)<(?:br|/p|/li|/div|/h[1-6])(?:\s[^<>]{0,100})?/?>[ \t]*\n?`)
	hidden    = regexp.MustCompile(`(?is)<(script|style)(?:\s[^<>]{0,500})?>.*?</(?:script|style)\s*>`)
	codeFence = regexp.MustCompile("(?m)^[ \t]*(?:```|~~~)[\\w+-]*[ \t]*$\n?")
	heading   = regexp.MustCompile(`(?m)^ {0,3}#{1,6}[ \t]+`)
	strong    = regexp.MustCompile(`(\*\*|__)([^\s*_](?:[^\n]{0,500}?[^\s*_])?)(?:\*\*|__)`)
	link      = regexp.MustCompile(`!?\[([^\[\]\n]{1,300})\]\((https?://[^\s()<>]{1,500})\)`)
	blanks    = regexp.MustCompile(`\n{3,}`)
	// unseen are characters that change what a reader sees without being seen:
	// they turn the direction of a text around, or hide a second text in tags.
	unseen = regexp.MustCompile(`[\x{202a}-\x{202e}\x{2066}-\x{2069}\x{e0000}-\x{e0fff}\x{0}-\x{8}\x{b}\x{c}\x{e}-\x{1f}\x{7f}]`)
)

// mostMarkup bounds the work on a model that says a megabyte; longer than this
// no post can be.
const mostMarkup = 200_000

// plain takes the markup out of what a model said.
func plain(said string) string {
	if len(said) > mostMarkup {
		said = strings.ToValidUTF8(said[:mostMarkup], "")
	}
	text := unseen.ReplaceAllString(strings.ReplaceAll(said, "\r\n", "\n"), "")
	text = hidden.ReplaceAllString(text, "")
	text = lineBreak.ReplaceAllString(text, "\n")
	text = tag.ReplaceAllString(text, "")
	text = codeFence.ReplaceAllString(text, "")
	text = heading.ReplaceAllString(text, "")
	text = strong.ReplaceAllString(text, "$2")
	text = link.ReplaceAllStringFunc(text, func(s string) string {
		m := link.FindStringSubmatch(s)
		if m[1] == m[2] {
			return m[2]
		}
		return m[1] + " (" + m[2] + ")"
	})
	return blanks.ReplaceAllString(text, "\n\n")
}
