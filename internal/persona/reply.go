package persona

import (
	"regexp"
	"strings"
	"unicode"

	"rookery/internal/community"
	"rookery/internal/fedi"
)

// compose turns what the model said into the texts of the reply, one for each
// post: each addresses the asker and nobody else, the first says at least a
// word, and each fits the instance. There is more than one only if most allows
// it. It returns nil if nothing is left to say.
func compose(self community.Member, asker community.Member, said, cw string, in fedi.Instance, most int) []string {
	body := unwrap(plain(said), self)
	body = community.WithoutMentions(body)
	body = strings.TrimSpace(body)
	if body == "" {
		return nil
	}
	begins := signs.ReplaceAllString(body[:min(len(body), 4<<10)], "")
	if !strings.ContainsFunc(begins, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }) {
		// Sharkey makes a reaction of a reply without a word.
		body = firstWord(self) + ": " + body
	}
	to := asker.Acct
	if to == "" {
		to = asker.Handle
	}
	return posts("@"+to+" ", body, cw, in, most)
}

// signs are emoji that have a letter or a digit in them: ":owl:", a digit on a
// key, a letter with the emoji variation selector.
var signs = regexp.MustCompile(`:[A-Za-z0-9_+-]+:|[\p{L}\p{N}]\x{fe0f}?\x{20e3}|[\p{L}\p{N}]\x{fe0f}`)

// warning is the asker's content warning as the reply bears it: whole, unless
// it would leave the answer no room, and without mentions, which some servers
// read there too. A server can take longer ones than ours.
func warning(cw string, in fedi.Instance) string {
	cw = community.WithoutMentions(cw)
	most := in.MaxChars / 2
	if in.MaxChars <= 0 || in.Length("", cw) <= most {
		return cw
	}
	runes := []rune(cw)
	return shorten(runes, longest(runes, func(part string) bool { return in.Length("", part) <= most }))
}

func firstWord(self community.Member) string {
	if user, _, ok := strings.Cut(self.Handle, "@"); ok && user != "" {
		return user
	}
	return "re"
}

// unwrap takes away what models like to put around their words: our own name
// in front, and quotation marks around the whole.
func unwrap(said string, self community.Member) string {
	text := strings.TrimSpace(said)
	user, _, _ := strings.Cut(self.Handle, "@")
	for _, name := range []string{"@" + self.Handle, "@" + user, user} {
		rest, ok := cutPrefixFold(text, name)
		if ok && user != "" && strings.HasPrefix(strings.TrimSpace(rest), ":") {
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
