package compose

import (
	"strings"

	"rookery/internal/fedi"
)

// Post is what one post says, each part as it is to stand there.
type Post struct {
	Words   string // what the member wrote, see Words
	Credits string // see Credits
	Tail    string // what the operator adds
	CW      string // content warning
}

// defaultMost is what a server takes that does not say.
const defaultMost = 500

// Fit is the text of the post: the words, the credits and the tail, with an
// empty line between them, no longer than the server takes with the content
// warning. Words that are too long are cut between words (cut), and credits and
// tail stay whole as long as that leaves the post within its length; then the
// tail goes, and at last the credits are cut. The text is empty if nothing is
// to be said, or if the content warning leaves no room.
func (p Post) Fit(in fedi.Instance) (text string, cut bool) {
	most := in.MaxChars
	if most <= 0 {
		most = defaultMost
	}
	said, credits, tail := tidy(p.Words), tidy(p.Credits), tidy(p.Tail)
	length := func(s string) int { return in.Length(s, p.CW) }
	whole := join(said, credits, tail)
	if length(whole) <= most {
		return whole, false
	}
	for _, rest := range []string{join(credits, tail), credits} {
		if length(rest) > most || rest == "" {
			continue
		}
		short, _ := cutTo(said, most, func(s string) int { return length(join(s, rest)) })
		if short == ellipsis {
			short = ""
		}
		return join(short, rest), true
	}
	// Without credits, or with such as alone are too long.
	text, _ = cutTo(join(credits, said), most, length)
	return text, true
}

func join(parts ...string) string {
	kept := parts[:0:0]
	for _, p := range parts {
		if p != "" {
			kept = append(kept, p)
		}
	}
	return strings.Join(kept, "\n\n")
}
