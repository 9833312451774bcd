package gallery

import (
	"strings"

	"rookery/internal/words"
)

// About is what the operator may publish about an account that shows the
// gallery, as plain text under headings: a line for its profile, a text for the
// server's or the community's pages, and what to publish for those who want
// something taken down. guilds are the names of the communities that it shows;
// none: they are not named.
func (g *Gallery) About(a Account, l words.Language, guilds []string) string {
	account := handleOf(a)
	from := l.Say(words.GalleryOperatorAboutSomewhere, nil)
	if len(guilds) > 0 {
		from = strings.Join(guilds, ", ")
	}
	contact := a.Contact
	if contact == "" {
		contact = account
	}
	args := words.Args{"account": account, "guilds": from, "contact": contact, "processor": g.processor(l), "model": g.ModelName}
	ai := words.GalleryOperatorAboutNoAI
	if g.Model != nil && a.AI {
		ai = words.GalleryOperatorAboutAI
	}
	say := func(keys ...words.Key) string {
		var all []string
		for _, k := range keys {
			all = append(all, l.Say(k, args))
		}
		return strings.Join(all, "\n\n")
	}
	about := []words.Key{words.GalleryOperatorAboutWhat, words.GalleryOperatorAboutConsent, ai, words.GalleryOperatorAboutDelete}
	if a.Contact != "" {
		about = append(about, words.GalleryOperatorAboutContact)
	}
	takedown := words.GalleryOperatorTakedown
	if contact == account {
		takedown = words.GalleryOperatorTakedownDirect
	}
	text := strings.Join([]string{
		"# " + l.Say(words.GalleryOperatorAboutProfileTitle, nil), say(words.GalleryOperatorAboutProfile),
		"# " + l.Say(words.GalleryOperatorAboutTitle, nil), say(about...),
		"# " + l.Say(words.GalleryOperatorTakedownTitle, nil), say(takedown, words.GalleryOperatorTakedownArtists, words.GalleryOperatorTakedownCopies),
	}, "\n\n")
	for _, link := range []struct {
		key     words.Key
		address string
	}{{words.GalleryWhatTerms, g.Terms}, {words.GalleryWhatPrivacy, g.Privacy}} {
		if link.address != "" {
			text += "\n\n" + l.Say(link.key, words.Args{"link": link.address})
		}
	}
	return text + "\n"
}
