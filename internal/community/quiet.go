package community

import (
	"regexp"
	"strings"
)

// mark is anything a server could take for a mention: an @ (also the
// full-width one) before a letter, or before a dot or a hyphen, with which a
// name begins on some; wherever it stands but inside an e-mail address, whose
// own @ has a letter before it.
var mark = regexp.MustCompile(`(^|[^\p{L}\p{N}_])[@＠]+([\p{L}\p{N}_.-])`)

// host is the second half of a full handle, "ada@art.example", which some
// servers resolve without an @ in front.
var host = regexp.MustCompile(`([\p{L}\p{N}_.-])[@＠]([\p{L}\p{N}_.-])`)

// WithoutMentions makes every mention in a text that others had a hand in a
// plain word: what we post reaches whom we address and nobody else. It repeats
// because "@@a" and "@a@b" leave new ones behind.
func WithoutMentions(text string) string {
	for strings.ContainsAny(text, "@＠") {
		next := mark.ReplaceAllString(text, "$1$2")
		next = host.ReplaceAllString(next, "$1 at $2")
		if next == text {
			break
		}
		text = next
	}
	return text
}
