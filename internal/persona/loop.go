package persona

import (
	"strings"
	"unicode"

	"rookery/internal/community"
)

// The loop guard: two that answer each other for ever say the same again and
// again, and in a long thread that is noticed. The measure is the share of the
// new post's character trigrams that one earlier post of the thread has too.
//
// The earlier posts are looked at one by one. All of them taken together have
// most trigrams of their language before long: of ordinary posts of 200
// characters, 30 % would count as said already after 20 others, and 84 % after
// 40, while no single earlier post has 80 % of a new one.
const (
	loopLength = 20   // threads up to so long are left alone
	loopShare  = 0.80 // more than this has been said already
)

// goesRound tells whether the question is one that a long thread has held
// before.
func goesRound(m community.Mention, above []community.Post) bool {
	if len(above)+1 <= loopLength {
		return false
	}
	grams := trigrams(m.Post.Text)
	if len(grams) == 0 {
		return false
	}
	for _, earlier := range above {
		if earlier.ID == m.Post.ID {
			continue
		}
		if common(grams, trigrams(earlier.Text)) > loopShare*float64(len(grams)) {
			return true
		}
	}
	return false
}

func common(of, in map[[3]rune]bool) (n float64) {
	for g := range of {
		if in[g] {
			n++
		}
	}
	return n
}

// longestCompared bounds the work on a post, in characters; no server of ours
// shows nearly as many.
const longestCompared = 20_000

// trigrams are the runs of three characters of a text, case-folded, without
// the mentions in front and with every white space as one blank. A shorter
// text is one of them whole.
func trigrams(text string) map[[3]rune]bool {
	all := map[[3]rune]bool{}
	var last [3]rune
	n := 0
	blank := true
	for _, r := range strings.ToLower(strings.TrimSpace(withoutLeadingMentions(text))) {
		if unicode.IsSpace(r) {
			if blank {
				continue
			}
			r = ' '
		}
		blank = r == ' '
		last[0], last[1], last[2] = last[1], last[2], r
		if n++; n >= 3 {
			all[last] = true
		}
		if n > longestCompared {
			break
		}
	}
	if n > 0 && n < 3 {
		all[last] = true
	}
	return all
}
