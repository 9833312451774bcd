package persona

import (
	"regexp"
	"strings"

	"rookery/internal/community"
)

// signs are emoji that have a letter or a digit in them: ":owl:", a digit on a
// key, a letter with the emoji variation selector.
var signs = regexp.MustCompile(`:[A-Za-z0-9_+-]+:|[\p{L}\p{N}]\x{fe0f}?\x{20e3}|[\p{L}\p{N}]\x{fe0f}`)

func firstWord(self community.Member) string {
	if user, _, ok := strings.Cut(self.Handle, "@"); ok && user != "" {
		return user
	}
	return "re"
}

// unwrap takes away what models like to put around their words: our own name
// in front, and quotation marks around the whole.
func unwrap(said string, self community.Member) string {
	user, _, _ := strings.Cut(self.Handle, "@")
	if user == "" {
		return unwrapped(said)
	}
	return unwrapped(said, "@"+self.Handle, "@"+user, user)
}

// unwrapped is unwrap for these names of ours.
func unwrapped(said string, names ...string) string {
	text := strings.TrimSpace(said)
	for _, name := range names {
		rest, ok := cutPrefixFold(text, name)
		if ok && strings.HasPrefix(strings.TrimSpace(rest), ":") {
			text = strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(rest), ":"))
			break
		}
	}
	for _, q := range []struct{ open, shut string }{{`"`, `"`}, {"“", "”"}, {"«", "»"}} {
		inner, ok := strings.CutPrefix(text, q.open)
		if inner, ok2 := strings.CutSuffix(inner, q.shut); ok && ok2 && !strings.Contains(inner, q.open) {
			return strings.TrimSpace(inner)
		}
	}
	return text
}

func cutPrefixFold(s, prefix string) (string, bool) {
	if len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix) {
		return s[len(prefix):], true
	}
	return s, false
}
