package gifs

import (
	"strings"

	"rookery/internal/booru"
	"rookery/internal/community"
	"rookery/internal/fedi"
	"rookery/internal/words"
)

const (
	mostArtists = 5   // that a post names
	mostSaid    = 200 // characters of a request that are said back
)

// language is the one in which a member is spoken to.
func (g *GIFs) language(m community.Mention) words.Language {
	set := ""
	if g.Language != nil {
		set = g.Language(m.Account)
	}
	return words.Match(set, m.Post.Language)
}

// addressee is how the reply begins: it reaches the asker, and nobody else.
func addressee(m community.Mention) string {
	to := m.Post.Author.Acct
	if to == "" {
		to = m.Post.Author.Handle
	}
	return "@" + to + " "
}

// alt is the description of a picture, as long as the server takes: tags are
// left out whole, the last first.
func alt(l words.Language, im booru.Image, in fedi.Instance) string {
	key, bare := words.GIFsAlt, words.GIFsAltBare
	if !im.Rating.Safe() {
		key, bare = words.GIFsAltNSFW, words.GIFsAltBareNSFW
	}
	tags := booru.Describe(im)
	for len(tags) > 0 {
		text := l.Say(key, words.Args{"tags": strings.Join(tags, ", ")})
		if in.MaxAlt <= 0 || len([]rune(text)) <= in.MaxAlt {
			return text
		}
		tags = tags[:len(tags)-1]
	}
	return l.Say(bare, nil)
}

// credit is the text of a reply with a picture: who made it and where it is
// from. What does not fit is left out: the note of dropped words first, then
// one artist after the other, the source never.
func credit(l words.Language, m community.Mention, im booru.Image, dropped int, cw string, in fedi.Instance) string {
	source := l.Say(words.GIFsSource, words.Args{"url": im.Page})
	names := booru.Credit(im)
	by := func(n int) string {
		if len(names) == 0 {
			return l.Say(words.GIFsCreditUnknown, nil) + "\n"
		}
		artists := strings.Join(names[:n], ", ")
		if n < len(names) {
			artists += ", …"
		}
		return l.Say(words.GIFsCredit, words.Args{"artists": quiet(artists)}) + "\n"
	}
	fits := func(text string) bool { return in.MaxChars <= 0 || in.Length(text, cw) <= in.MaxChars }
	n := min(len(names), mostArtists)
	if dropped > 0 {
		if text := addressee(m) + by(n) + source + "\n" + l.Say(words.GIFsDropped, words.Args{"n": dropped}); fits(text) {
			return text
		}
	}
	for ; n >= min(len(names), 1); n-- {
		if text := addressee(m) + by(n) + source; fits(text) {
			return text
		}
	}
	return addressee(m) + source
}

// quiet is text that others had a hand in, as it may stand in our posts: it
// mentions nobody and is no hashtag. Servers take the wide sign for one too.
func quiet(text string) string {
	return strings.NewReplacer("#", "♯", "＃", "♯").Replace(community.WithoutMentions(text))
}

// saidBack is a request as a reply repeats it: only what was looked for.
func saidBack(r booru.Request) string {
	// An address is said back as words: nobody gets a link posted by us.
	text := []rune(strings.ReplaceAll(quiet(r.Said), "://", ": //"))
	if len(text) > mostSaid {
		text = append(text[:mostSaid:mostSaid], '…')
	}
	return "“" + string(text) + "”"
}

// nsfwWarning is the content warning of a picture that is not safe. A warning
// of the asker's is kept behind it.
func nsfwWarning(cw string, in fedi.Instance) string {
	const sign = "NSFW"
	if cw == "" {
		return sign
	}
	if kept := warning(cw, in); strings.Contains(strings.ToUpper(kept), sign) {
		return kept
	}
	return warning(sign+", "+cw, in)
}

// warning is a content warning of the asker's that leaves the reply its room:
// some servers take longer ones than ours. It mentions nobody either: Misskey
// and its kin look for mentions in it too.
func warning(cw string, in fedi.Instance) string {
	cw = quiet(cw)
	if in.MaxChars <= 0 || in.Length("", cw) <= in.MaxChars/3 {
		return cw
	}
	runes := []rune(cw)
	for len(runes) > 0 && in.Length("", string(runes)+"…") > in.MaxChars/3 {
		runes = runes[:len(runes)-1-len(runes)/16]
	}
	return string(runes) + "…"
}

// visibility is how wide a reply is shown: never wider than what it replies
// to, and one that is not safe no wider than the setting allows.
func (g *GIFs) visibility(asked community.Visibility, nsfw bool) community.Visibility {
	v := asked.ForReply()
	if nsfw && g.NSFWVisibility != "" {
		v = community.Narrowest(v, g.NSFWVisibility)
	}
	return v
}
