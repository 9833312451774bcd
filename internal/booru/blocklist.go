package booru

import (
	_ "embed"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
)

//go:embed blocklist.txt
var shipped string

// Blocklist holds tags that are neither searched for nor shown: sexualised
// minors, animals, gore and rape, in the words of the boards, and what an
// operator adds. It is the same with NSFW on and off, and never changes after
// it is made. Words about the young are in it too, for all that is not known
// to be safe.
//
// A word is found where it is a whole word of a tag: "gore" is in "soft gore"
// and in "theme:gore", not in "gorem". Tags that name an artist are not looked
// at. It knows words, not pictures: what a board has not tagged passes.
type Blocklist struct {
	always, unsafe ruleset
}

// rule is one line of the list.
type rule struct {
	words []string
	whole bool // the words are the whole tag
}

type ruleset struct {
	rules []rule
	pass  [][]string // words that are never meant where they stand together
}

// NewBlocklist is the shipped list and more words, each like a line of it: a
// word or some, or "=words" for that very tag only. The error names the word
// that cannot be used.
func NewBlocklist(more ...string) (*Blocklist, error) {
	b := &Blocklist{}
	into := &b.always
	for line := range strings.Lines(shipped) {
		switch line = strings.TrimSpace(line); {
		case line == "", strings.HasPrefix(line, "#"):
		case line == "[always]":
			into = &b.always
		case line == "[unsafe]":
			into = &b.unsafe
		default:
			if err := into.add(line); err != nil {
				return nil, fmt.Errorf("the shipped blocklist: %w", err)
			}
		}
	}
	var errs []error
	for _, word := range more {
		if strings.HasPrefix(strings.TrimSpace(word), "!") {
			errs = append(errs, fmt.Errorf("the blocked tag %q begins with an exclamation mark: tags can only be added to the list", word))
		} else if err := b.always.add(word); err != nil {
			errs = append(errs, err)
		}
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return b, nil
}

func (s *ruleset) add(line string) error {
	text := strings.TrimSpace(line)
	bare := strings.TrimLeft(text, "=!")
	words := tagWords(bare)
	switch {
	case len(words) == 0:
		return fmt.Errorf("the blocked tag %q has no letter or number in it: leave it out", line)
	case strings.HasPrefix(text, "!"):
		s.pass = append(s.pass, words)
	default:
		s.rules = append(s.rules, rule{words: words, whole: strings.HasPrefix(text, "=")})
	}
	return nil
}

// Query returns the first wanted tag that is on the list. Words that make a
// listed tag only together ("child", "porn") are found too, and are returned
// together. Excluded tags do no harm.
func (b *Blocklist) Query(q Query) (tag string, blocked bool) {
	var all []string
	for _, t := range q.Terms {
		if t.Not {
			continue
		}
		if b.blocked(t.Tag, !q.NSFW) {
			return t.Tag, true
		}
		all = append(all, t.Tag)
	}
	if len(all) > 1 {
		for _, s := range b.sets(!q.NSFW) {
			said := s.without(tagWords(strings.Join(all, " ")))
			for _, r := range s.rules {
				if !r.whole && len(r.words) > 1 && contains(said, r.words) {
					return strings.Join(r.words, " "), true
				}
			}
		}
	}
	return "", false
}

// Image returns the first tag of a picture that is on the list.
func (b *Blocklist) Image(img Image) (tag string, blocked bool) {
	for _, tags := range [][]string{img.Tags, img.Characters, img.Meta} {
		for _, tag := range tags {
			if b.blocked(tag, img.Rating.Safe()) {
				return tag, true
			}
		}
	}
	return "", false
}

func (b *Blocklist) sets(safe bool) []*ruleset {
	if safe {
		return []*ruleset{&b.always}
	}
	return []*ruleset{&b.always, &b.unsafe}
}

func (b *Blocklist) blocked(tag string, safe bool) bool {
	space, name, ok := strings.Cut(fold(tag), ":")
	if ok && isPerson(space) {
		return false
	}
	words := tagWords(tag)
	bare := words
	if ok {
		bare = tagWords(name)
	}
	for _, s := range b.sets(safe) {
		words := s.without(words)
		for _, r := range s.rules {
			switch {
			case r.whole && (slices.Equal(words, r.words) || slices.Equal(bare, r.words)):
				return true
			case !r.whole && contains(words, r.words):
				return true
			}
		}
	}
	return false
}

// without puts a gap where the set lets words pass.
func (s *ruleset) without(words []string) []string {
	for _, p := range s.pass {
		for i := 0; i+len(p) <= len(words); i++ {
			if slices.Equal(words[i:i+len(p)], p) {
				words = slices.Concat(words[:i], []string{""}, words[i+len(p):])
			}
		}
	}
	return words
}

// isPerson is true for the namespaces of those who made or brought a picture.
func isPerson(space string) bool {
	switch space {
	case "artist", "editor", "colorist", "photographer", "commissioner", "prompter", "generator", "musician":
		return true
	}
	return false
}

// tagWords are the words of a tag, compared by letters and numbers only.
func tagWords(tag string) []string {
	return strings.FieldsFunc(fold(tag), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsNumber(r) && !unicode.IsMark(r)
	})
}

// contains is true if part stands in words without a gap.
func contains(words, part []string) bool {
	for i := 0; i+len(part) <= len(words); i++ {
		if slices.Equal(words[i:i+len(part)], part) {
			return true
		}
	}
	return false
}
