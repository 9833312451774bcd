package persona

import (
	"regexp"
	"strings"
	"unicode"

	"rookery/internal/community"
	"rookery/internal/fedi"
)

// compose turns what the model said into the text of the reply: it addresses
// the asker and nobody else, says at least a word, and fits the instance. It
// returns "" if nothing is left to say.
func compose(self community.Member, asker community.Member, said, cw string, in fedi.Instance) string {
	body := unwrap(said, self)
	body = silence(body)
	body = strings.TrimSpace(body)
	if body == "" {
		return ""
	}
	if !strings.ContainsFunc(body, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }) {
		// Sharkey makes a reaction of a reply without a word.
		body = firstWord(self) + ": " + body
	}
	to := asker.Acct
	if to == "" {
		to = asker.Handle
	}
	return fit("@"+to+" ", body, cw, in)
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

// handle is anything a server could take for a mention: an @ (also the
// full-width one) before a letter, wherever it stands but inside an e-mail
// address, whose own @ has a letter before it.
var handle = regexp.MustCompile(`(^|[^\p{L}\p{N}_])[@＠]+([\p{L}\p{N}_])`)

// silence makes every mention in the model's words a plain word: a reply
// reaches the asker and nobody else. It repeats because "@@a" and "@a@b"
// leave new ones behind.
func silence(text string) string {
	for {
		next := handle.ReplaceAllString(text, "$1$2")
		next = host.ReplaceAllString(next, "$1 at $2")
		if next == text {
			return text
		}
		text = next
	}
}

// host is the second half of a full handle, "ada@art.example", which some
// servers resolve without an @ in front.
var host = regexp.MustCompile(`([\p{L}\p{N}_.-])[@＠]([\p{L}\p{N}_])`)

// fit cuts the body so that the whole post is within the server's limit: at
// the end of a sentence if that leaves at least half, else at a word.
func fit(to, body, cw string, in fedi.Instance) string {
	if in.MaxChars <= 0 || in.Length(to+body, cw) <= in.MaxChars {
		return to + body
	}
	runes := []rune(body)
	// The longest prefix that fits with its ellipsis; Length grows with it.
	low, high := 0, len(runes)
	for low < high {
		mid := (low + high + 1) / 2
		if in.Length(to+string(runes[:mid])+"…", cw) <= in.MaxChars {
			low = mid
		} else {
			high = mid - 1
		}
	}
	return to + shorten(runes[:low])
}

// shorten ends a cut text well.
func shorten(r []rune) string {
	for i := len(r) - 1; i > len(r)/2; i-- {
		if strings.ContainsRune(".!?…。！？", r[i]) && (i+1 == len(r) || unicode.IsSpace(r[i+1])) {
			return string(r[:i+1])
		}
	}
	for i := len(r) - 1; i > len(r)/2; i-- {
		if unicode.IsSpace(r[i]) {
			return strings.TrimSpace(string(r[:i])) + "…"
		}
	}
	return string(r) + "…"
}

// storable is text that both databases keep.
func storable(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "")
}
