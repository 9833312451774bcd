package persona

import (
	"regexp"
	"sort"
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
	begins := signs.ReplaceAllString(body[:min(len(body), 4<<10)], "")
	if !strings.ContainsFunc(begins, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }) {
		// Sharkey makes a reaction of a reply without a word.
		body = firstWord(self) + ": " + body
	}
	to := asker.Acct
	if to == "" {
		to = asker.Handle
	}
	return fit("@"+to+" ", body, cw, in)
}

// signs are emoji that have a letter or a digit in them: ":owl:", a digit on a
// key, a letter with the emoji variation selector.
var signs = regexp.MustCompile(`:[A-Za-z0-9_+-]+:|[\p{L}\p{N}]\x{fe0f}?\x{20e3}|[\p{L}\p{N}]\x{fe0f}`)

// warning is the asker's content warning as the reply bears it: whole, unless
// it would leave the answer no room. A server can take longer ones than ours.
func warning(cw string, in fedi.Instance) string {
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

// handle is anything a server could take for a mention: an @ (also the
// full-width one) before a letter, or before a dot or a hyphen, with which a
// name begins on some; wherever it stands but inside an e-mail address, whose
// own @ has a letter before it.
var handle = regexp.MustCompile(`(^|[^\p{L}\p{N}_])[@＠]+([\p{L}\p{N}_.-])`)

// silence makes every mention in the model's words a plain word: a reply
// reaches the asker and nobody else. It repeats because "@@a" and "@a@b"
// leave new ones behind.
func silence(text string) string {
	for strings.ContainsAny(text, "@＠") {
		next := handle.ReplaceAllString(text, "$1$2")
		next = host.ReplaceAllString(next, "$1 at $2")
		if next == text {
			break
		}
		text = next
	}
	return text
}

// host is the second half of a full handle, "ada@art.example", which some
// servers resolve without an @ in front.
var host = regexp.MustCompile(`([\p{L}\p{N}_.-])[@＠]([\p{L}\p{N}_.-])`)

// fit cuts the body so that the whole post is within the server's limit.
func fit(to, body, cw string, in fedi.Instance) string {
	if in.MaxChars <= 0 || in.Length(to+body, cw) <= in.MaxChars {
		return to + body
	}
	runes := []rune(body)
	return to + shorten(runes, longest(runes, func(part string) bool { return in.Length(to+part, cw) <= in.MaxChars }))
}

// longest is how much of the beginning of a text fits with its ellipsis. Where
// a web address makes a longer text count for less, it may be less than could.
func longest(runes []rune, fits func(string) bool) int {
	// A model can say a megabyte: the look begins where the answer may be.
	most := 256
	for most < len(runes) && fits(string(runes[:most])+"…") {
		most *= 2
	}
	most = min(most, len(runes))
	return sort.Search(most, func(n int) bool { return !fits(string(runes[:n+1]) + "…") })
}

// shorten cuts a text to n characters at most, not counting an ellipsis: at
// the end of a sentence if that leaves at least half, else at a word.
func shorten(r []rune, n int) string {
	ends := func(i int) bool {
		switch r[i] {
		case '。', '！', '？':
			return true
		case '.', '!', '?', '…':
			return i+1 == len(r) || unicode.IsSpace(r[i+1])
		}
		return false
	}
	for i := n - 1; i > n/2; i-- {
		if ends(i) {
			return string(r[:i+1])
		}
	}
	for i := n; i > n/2; i-- {
		if i < len(r) && unicode.IsSpace(r[i]) {
			return strings.TrimSpace(string(r[:i])) + "…"
		}
	}
	return string(r[:n]) + "…"
}

// storable is text that both databases keep.
func storable(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "")
}
