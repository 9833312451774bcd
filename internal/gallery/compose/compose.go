// Package compose turns a member's message on Discord into what is posted on
// the Fediverse: the text, the credits, the descriptions of the media, and
// which media go into which post of a thread. Everything in it is a function of
// its arguments, without I/O and without a clock.
//
// Two promises hold whatever a member wrote: what Discord hides behind a spoiler
// is in no result, and no result addresses anybody.
//
// It leaves to the gallery what may be posted, and to fedi how it is.
package compose

import (
	"strconv"

	"rookery/internal/words"
)

// Kind is what a medium is; the values are those of community.Attachment.
type Kind string

// The kinds of media. Any other is treated as a film.
const (
	Picture Kind = "image"
	GIF     Kind = "gifv"
	Film    Kind = "video"
	Sound   Kind = "audio"
)

// Groups tells which media go into which post of a thread: numbers from 0, in
// their order, at most so many in each post (at least one). If the server mixes
// nothing with pictures, whatever is no picture stands alone.
func Groups(kinds []Kind, most int, mixes bool) [][]int {
	var groups [][]int
	open := false // the last group takes more
	for i, k := range kinds {
		alone := !mixes && k != Picture
		if !open || alone || len(groups[len(groups)-1]) >= max(most, 1) {
			groups = append(groups, nil)
		}
		last := len(groups) - 1
		groups[last] = append(groups[last], i)
		open = !alone
	}
	return groups
}

// Part says which post of a thread this is, and where the others are: "1/3,
// more in the replies", "2/3, continues the post above". n counts from 1. It is
// the whole text of a further post. A post that is alone needs none: "".
func Part(n, of int, l words.Language) string {
	if of < 2 {
		return ""
	}
	key := words.GalleryComposeNextPart
	if n <= 1 {
		key = words.GalleryComposeFirstPart
	}
	return l.Say(key, words.Args{"part": strconv.Itoa(max(n, 1)), "parts": strconv.Itoa(of)})
}
