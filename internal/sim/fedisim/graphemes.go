package fedisim

import (
	"regexp"
	"unicode"
)

var customEmoji = regexp.MustCompile(`^:[a-zA-Z0-9@_]+:$`)

// countChars counts what a reader takes for characters: combining marks,
// variation selectors, skin tones, joined emojis and flags do not count twice.
func countChars(s string) int {
	const joiner = 0x200d
	n := 0
	joined, flag := false, false
	for _, r := range s {
		switch {
		case r == joiner:
			joined = true
			continue
		case unicode.In(r, unicode.Mn, unicode.Me), r >= 0x1f3fb && r <= 0x1f3ff:
			continue
		case r >= 0x1f1e6 && r <= 0x1f1ff: // two make a flag
			if flag {
				flag = false
				continue
			}
			flag = true
		default:
			flag = false
		}
		if !joined {
			n++
		}
		joined = false
	}
	return n
}

// emojiOnly says whether a text is nothing but one or more emojis, Unicode or
// ":custom:", which is what Sharkey takes for a reaction.
func emojiOnly(s string) bool {
	if customEmoji.MatchString(s) {
		return true
	}
	any := false
	for _, r := range s {
		switch {
		case r == 0x200d, r == 0xfe0f, r == 0x20e3:
		case r >= 0x1f000 && r <= 0x1faff, r >= 0x2600 && r <= 0x27bf, r >= 0x2b00 && r <= 0x2bff, r >= 0x2190 && r <= 0x21ff, r == 0x00a9, r == 0x00ae, r == 0x203c, r == 0x2049:
			any = true
		default:
			return false
		}
	}
	return any
}
