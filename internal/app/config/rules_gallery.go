package config

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// isProcessor takes what fits into the sentence that members agree to.
func isProcessor(s string) string { return oneLineOf(s, 80, `like "OpenAI (USA)"`) }

// isReachable takes any one line: a handle, an address or a page.
func isReachable(s string) string {
	return oneLineOf(s, 200, `like "@me@social.example" or "me@example.org"`)
}

// isPrompt refuses what looks like a placeholder and would go to the model as
// it stands.
func isPrompt(s string) string {
	const known = "{language}"
	for _, got := range regexp.MustCompile(`\{\s*[\pL_][\pL\pN_ .-]*\}`).FindAllString(s, -1) {
		if got != known {
			return shown(got) + " is no placeholder: there is only " + known + ", which becomes the language of the post; write that, or take the braces away"
		}
	}
	return ""
}

// isWebPage takes a page's address.
func isWebPage(s string) string {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || len(s) > 500 {
		return shown(s) + ` is no address of a page: write it whole, like "https://art.example/terms"`
	}
	return ""
}

// oneLineOf refuses what is empty, longer than most characters or of more than
// one line.
func oneLineOf(s string, most int, example string) string {
	switch {
	case strings.TrimSpace(s) == "":
		return notBlank(s)
	case utf8.RuneCountInString(s) > most:
		return fmt.Sprintf("%s is too long: at most %d characters, %s", shown(s), most, example)
	case strings.ContainsFunc(s, unicode.IsControl):
		return shown(s) + " holds a line break or another control character: write one line, " + example
	}
	return ""
}

// mostTail is the longest end of a post, in characters.
const mostTail = 500

func isTail(s string) string {
	n := utf8.RuneCountInString(s)
	switch {
	case n > mostTail:
		return fmt.Sprintf("%d characters are too many: at most %d, for every post ends with them", n, mostTail)
	case strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }):
		return "the text holds a control character: take it out"
	}
	return ""
}
