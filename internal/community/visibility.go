package community

// Visibility says who may see a post, from the widest to the narrowest.
type Visibility string

// The four audiences that the Fediverse knows. The strings are those of the
// Mastodon client API.
const (
	Public    Visibility = "public"
	Unlisted  Visibility = "unlisted" // anyone with the link, but in no public timeline
	Followers Visibility = "private"
	Direct    Visibility = "direct" // only who is mentioned
)

// rank orders audiences; an unknown one counts as the narrowest, so that a
// server's own invention ("local", "mutuals_only") is never answered wider.
func (v Visibility) rank() int {
	switch v {
	case Public:
		return 0
	case Unlisted:
		return 1
	case Followers:
		return 2
	default:
		return 3
	}
}

// Narrowest returns the one of the two that fewer people can see.
func Narrowest(a, b Visibility) Visibility {
	if a.rank() >= b.rank() {
		return a.known()
	}
	return b.known()
}

// ForReply is the audience of an answer to a post seen by v: never wider than
// the post, and at most unlisted, so that a bot's answers stay out of public
// timelines.
func (v Visibility) ForReply() Visibility { return Narrowest(v, Unlisted) }

// Open reports whether anyone may read a post of this visibility.
func (v Visibility) Open() bool { return v == Public || v == Unlisted }

func (v Visibility) known() Visibility {
	if v.rank() == 3 {
		return Direct
	}
	return v
}
