package compose

import (
	"regexp"
	"strings"
	"unicode/utf8"

	"rookery/internal/words"
)

// Source is where the description of a medium is from.
type Source string

// The sources of a description, as the ledger keeps them.
const (
	Discord Source = "discord" // written on Discord, with the file
	Written Source = "written" // written for this post
	Draft   Source = "draft"   // a model's draft that a person has changed
	Model   Source = "model"   // a model's alone, also a draft that nobody has changed
	None    Source = "none"
)

// Alt is the description of a medium as it is posted: the text, marked as a
// model's where it is, of at most so many characters, cut between words
// (cut). most of 0 or less is no limit. It is empty if the text says nothing, or
// the source is None.
func Alt(source Source, text string, l words.Language, most int) (alt string, cut bool) {
	key, ai := map[Source]words.Key{Model: words.GalleryComposeAltModel, Draft: words.GalleryComposeAltDraft}[source]
	text = tidy(clean(text))
	if ai {
		text = tidy(marked.ReplaceAllString(text, "")) // not twice
	}
	if source == None || strings.TrimFunc(text, unseen) == "" {
		return "", false
	}
	alt = text
	if ai {
		alt = l.Say(key, words.Args{"text": text})
	}
	if most <= 0 {
		return alt, false
	}
	return cutTo(alt, most, utf8.RuneCountInString)
}

// marked is what Alt itself, or a model that was told of it, puts before a
// description.
var marked = regexp.MustCompile(`^(?i:(?:AI[ -](?:generated|assisted) description|Описание создано ИИ|Описание составлено с помощью ИИ):\s*)+`)
