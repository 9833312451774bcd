package config

import (
	"strings"
	"unicode"

	"rookery/internal/words"
)

// isRequestWord refuses what would mean something else already.
func isRequestWord(s string) string {
	const how = `write one word of letters and digits, at most 30, like "gif"`
	if s == "" || len([]rune(s)) > 30 {
		return shown(s) + " is not such a word: " + how
	}
	for _, r := range s {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) {
			return shown(s) + " is not such a word: " + how
		}
	}
	if _, taken := words.ParseCommand(s); taken {
		return shown(s) + " is a command that members send already: choose another word"
	}
	switch strings.ToLower(s) {
	case "nsfw", "random", "rnd":
		return shown(s) + " means something within a request already: choose another word"
	}
	return ""
}

// isBlockedTag refuses what looks as if it did more than one tag does, because
// nobody would notice that it blocks nothing.
func isBlockedTag(s string) string {
	switch {
	case strings.TrimSpace(s) == "":
		return "an empty text is of no use here"
	case len([]rune(s)) > 100:
		return shown(s) + " is too long for a tag: at most 100 characters"
	case strings.ContainsFunc(s, unicode.IsControl):
		return shown(s) + " holds a line break or another control character: take it out"
	case strings.Contains(s, ","):
		return shown(s) + ` holds a comma: write each tag in quotes of its own, ["one", "two"]`
	case strings.Contains(s, "*"):
		return shown(s) + " holds a *, which stands for nothing here: write whole tags"
	case strings.HasPrefix(strings.TrimSpace(s), "-"):
		return shown(s) + " begins with a -: take it away, a tag is blocked by standing here"
	}
	return ""
}

// isProgram takes a program's name or path.
func isProgram(s string) string {
	if bad := isPath(s); bad != "" {
		return bad
	}
	switch strings.ToLower(s) {
	case "no", "none", "never", "false", "disabled":
		return shown(s) + ` is not known: to do without it write "` + FFmpegOff + `"`
	}
	if !strings.ContainsAny(s, `/\`) && strings.ContainsAny(s, " ") {
		return shown(s) + " is not a program: write its name or path alone, without options"
	}
	return ""
}

func isBoard(s string) string {
	const example = "https://furbooru.org"
	u, bad := webAddress(s, example)
	switch {
	case bad != "":
		return bad
	case strings.Trim(u.Path, "/") != "":
		return shown(u.Path) + " does not belong here: only the scheme and the host, like " + example
	case u.Scheme == "http" && !loopback(u.Hostname()):
		return "plain http would show to everyone on the way what members look for: write https:// (http is for this machine only)"
	}
	return ""
}

// isLogin does not show what it was given: it may be a key in the wrong place.
func isLogin(s string) string {
	if s == "" || len(s) > 100 || strings.ContainsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) || r == ':' }) {
		return "this is not a login: write the name of your account at the board, without spaces and colons"
	}
	return ""
}

// isContact takes what can stand in a User-Agent, in brackets.
func isContact(s string) string {
	const how = `write an address of yours in plain letters, like "me@social.example" or "https://social.example/@me"`
	if strings.TrimSpace(s) == "" {
		return "it is empty: " + how
	}
	if len(s) > 200 || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' }) || strings.ContainsAny(s, `()\"`) {
		return shown(s) + " cannot be sent as a contact: " + how
	}
	return ""
}
