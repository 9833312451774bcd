package gifs

import (
	"strings"

	"rookery/internal/booru"
	"rookery/internal/community"
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

// alt is the description of a picture, with so many characters at most (0 for
// no limit): tags are left out whole, the last first.
func alt(l words.Language, im booru.Image, most int) string {
	key, bare := words.GIFsAlt, words.GIFsAltBare
	if !im.Rating.Safe() {
		key, bare = words.GIFsAltNSFW, words.GIFsAltBareNSFW
	}
	tags := booru.Describe(im)
	for len(tags) > 0 {
		text := l.Say(key, words.Args{"tags": strings.Join(tags, ", ")})
		if most <= 0 || len([]rune(text)) <= most {
			return text
		}
		tags = tags[:len(tags)-1]
	}
	return l.Say(bare, nil)
}

// credit is the text of an answer with a picture: who made it and where it is
// from. What does not fit is left out: the note of dropped words first, then
// one artist after the other, the source never.
func credit(l words.Language, im booru.Image, dropped int, nsfw bool, in room) string {
	source := l.Say(words.GIFsSource, words.Args{"url": in.link(im.Page)})
	names := booru.Credit(im)
	by := func(n int) string {
		if len(names) == 0 {
			return l.Say(words.GIFsCreditUnknown, nil) + "\n"
		}
		artists := strings.Join(names[:n], ", ")
		if n < len(names) {
			artists += ", …"
		}
		return l.Say(words.GIFsCredit, words.Args{"artists": in.quiet(artists)}) + "\n"
	}
	n := min(len(names), mostArtists)
	if dropped > 0 {
		if text := by(n) + source + "\n" + l.Say(words.GIFsDropped, words.Args{"n": dropped}); in.fits(text, nsfw) {
			return text
		}
	}
	for ; n >= min(len(names), 1); n-- {
		if text := by(n) + source; in.fits(text, nsfw) {
			return text
		}
	}
	return source
}

// saidBack is a request as a reply repeats it: only what was looked for.
func saidBack(r booru.Request, in room) string {
	// An address is said back as words: nobody gets a link posted by us.
	text := []rune(strings.ReplaceAll(r.Said, "://", ": //"))
	if len(text) > mostSaid {
		text = append(text[:mostSaid:mostSaid], '…')
	}
	return "“" + in.quiet(string(text)) + "”"
}
