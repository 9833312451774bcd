package emoji

import (
	"fmt"
	"io"
	"strings"
	"unicode"

	"rookery/internal/words"
)

// Tell says to the operator what was written and how it is taken in, and what
// was left out and why.
func (r Result) Tell(out io.Writer, l words.Language) {
	say := func(k words.Key, a words.Args) { fmt.Fprintln(out, l.Say(k, a)) }
	named := func(k words.Key, names []string, a words.Args) {
		if len(names) > 0 {
			a["names"] = strings.Map(visible, strings.Join(names, ", "))
			say(k, a)
		}
	}
	if len(r.Written) > 0 {
		say(words.GalleryCLIEmojiWritten, words.Args{"n": len(r.Written), "folder": r.Dir})
		say(words.GalleryCLIEmojiAkkoma, words.Args{"pack": r.Pack})
		if r.Archive != "" {
			say(words.GalleryCLIEmojiMastodon, words.Args{"archive": r.Archive})
		} else {
			say(words.GalleryCLIEmojiNoArchive, nil)
		}
	}
	var renamed []string
	for _, w := range r.Written {
		if w.Name != w.Was {
			renamed = append(renamed, w.Was+" → "+w.Name)
		}
	}
	named(words.GalleryCLIEmojiRenamed, renamed, words.Args{})
	named(words.GalleryCLIEmojiWebp, r.notMastodon(WebP), words.Args{})
	named(words.GalleryCLIEmojiLarge, r.notMastodon(TooLarge), words.Args{"limit": mastodonBytes >> 10})
	named(words.GalleryCLIEmojiNotFetched, r.skipped(NotFetched), words.Args{})
	named(words.GalleryCLIEmojiNotPicture, r.skipped(NotPicture), words.Args{})
	named(words.GalleryCLIEmojiTooLarge, r.skipped(TooLarge), words.Args{"limit": mostBytes >> 20})
}

// visible keeps from a terminal what it would take for a command.
func visible(r rune) rune {
	if !unicode.IsGraphic(r) {
		return '?'
	}
	return r
}

// notMastodon names the emoji that are not in the archive for that reason.
func (r Result) notMastodon(why Reason) (names []string) {
	for _, w := range r.Written {
		if w.NotMastodon == why {
			names = append(names, w.Was)
		}
	}
	return names
}

// skipped names the emoji that were left out for that reason.
func (r Result) skipped(why Reason) (names []string) {
	for _, s := range r.Skipped {
		if s.Why == why {
			names = append(names, s.Name)
		}
	}
	return names
}
