package fedi

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// Length is how long a post with that text and content warning is by the
// server's count, to be held against MaxChars. Every server that has a limit
// counts the warning too (Mastodon and Pleroma join the two, GoToSocial's
// statuses-max-chars is "including the content warning", for Sharkey, which
// has a limit for each, the sum errs on the safe side).
//
// Mastodon counts each web address as URLChars and a remote mention as its
// local part; it also counts what a reader sees as one character as one,
// where this counts code points: again on the safe side, never under.
func (in Instance) Length(text, cw string) int {
	switch in.Software {
	case Mastodon:
		return utf8.RuneCountInString(cw) + in.countLinks(remoteMention.ReplaceAllString(text, "$1"), false)
	case Misskey: // written in a language that counts UTF-16 units
		n := 0
		for _, r := range cw + text {
			n++
			if r > 0xffff {
				n++
			}
		}
		return n
	case SoftwareUnknown, "":
		return utf8.RuneCountInString(cw) + in.countLinks(text, true)
	}
	return utf8.RuneCountInString(cw) + utf8.RuneCountInString(text)
}

// Both patterns match less than Mastodon's own rather than more, so that a
// doubtful case is counted in full. A mention's leading character is kept.
var (
	remoteMention = regexp.MustCompile(`((?:^|[\s(])@[A-Za-z0-9_]+)@[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)+`)
	webLink       = regexp.MustCompile(`https?://[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+(?::[0-9]+)?(?:[/?#][A-Za-z0-9_~/?#&=+%@.:-]*)?`)
)

// countLinks counts code points with each web address as URLChars; with
// greater, as its own length if that is more.
func (in Instance) countLinks(text string, greater bool) int {
	n := utf8.RuneCountInString(text)
	if in.URLChars == 0 {
		return n
	}
	for _, at := range webLink.FindAllStringIndex(text, -1) {
		if before, _ := utf8.DecodeLastRuneInString(text[:at[0]]); at[0] > 0 && !strings.ContainsRune(" \t\r\n(", before) {
			continue // not taken for an address there
		}
		link := strings.TrimRight(text[at[0]:at[1]], ".:?&@%~") // ASCII: its bytes are its characters
		if greater && len(link) >= in.URLChars {
			continue
		}
		n += in.URLChars - len(link)
	}
	return n
}
