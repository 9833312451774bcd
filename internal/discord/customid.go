package discord

import (
	"fmt"
	"net/url"
	"strings"
	"unicode/utf16"
)

// longestCustomID is how many characters the id of a component or of a form
// may have. Source: components/reference, "Custom ID".
const longestCustomID = 100

// CustomID is the id of a component or a form, 100 characters at most: the
// action, which chooses who handles it, and what it needs to know, for nothing
// but the id is left of it after a restart. An action that is empty, and an id
// that is too long, are mistakes in the program and panic: an argument that
// members write belongs in the store, and its key here. CustomIDFits tells
// beforehand.
func CustomID(action string, args ...string) string {
	id := customID(action, args)
	if action == "" || !fitsCustomID(id) {
		panic(fmt.Sprintf("discord: no custom id can be made of action %q and arguments %q", action, args))
	}
	return id
}

// CustomIDFits tells whether CustomID can make an id of these.
func CustomIDFits(action string, args ...string) bool {
	return action != "" && fitsCustomID(customID(action, args))
}

func customID(action string, args []string) string {
	var b strings.Builder
	b.WriteString(escapePart(action))
	for _, a := range args {
		b.WriteByte(':')
		b.WriteString(escapePart(a))
	}
	return b.String()
}

// fitsCustomID counts as strictly as anybody might: in the units of UTF-16.
func fitsCustomID(id string) bool { return len(utf16.Encode([]rune(id))) <= longestCustomID }

// escapePart keeps what separates the parts, and what escapes, out of them.
func escapePart(s string) string {
	return strings.NewReplacer("%", "%25", ":", "%3A").Replace(strings.ToValidUTF8(s, "\uFFFD"))
}

// ParseCustomID takes an id of CustomID apart; false for any other.
func ParseCustomID(id string) (action string, args []string, ok bool) {
	for i, part := range strings.Split(id, ":") {
		part, err := url.PathUnescape(part)
		switch {
		case err != nil:
			return "", nil, false
		case i == 0:
			action = part
		default:
			args = append(args, part)
		}
	}
	return action, args, action != ""
}
