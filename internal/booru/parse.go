package booru

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Bounds of Parse.
const (
	MaxTags    = 20  // of a request
	MaxTagSize = 100 // characters of a tag
)

// Request is what a member asked for.
type Request struct {
	Query
	// Random says that the word random (or one that means the same) was there.
	// A picture is always drawn at random: the word tells a request for any
	// picture from an empty one.
	Random bool
	// Said is the request as it was understood, to be shown or kept: what
	// Parse reads as the same request again. Tags that were dropped are not in
	// it.
	Said string
	// Dropped are tags that were left out, because they are longer than
	// MaxTagSize (cut to that here) or more than MaxTags. At most MaxTags of
	// them are told.
	Dropped []string
}

// Empty says that nothing was asked for: no tag, and not a random picture.
func (r Request) Empty() bool { return len(r.Terms) == 0 && !r.Random }

// Parse reads what a member typed, in any language, of any length; HTML is
// text already. There are no errors: all that can be typed means something.
//
//	typed                           read as
//	cute fluffy tail                the tags cute, fluffy and tail
//	cute, fluffy,tail               the same
//	"rainbow dash"                  one tag with a space; “ ” „ « » are quotes too
//	"rainbow dash                   the same: an open quote ends with the text
//	-sad  -"rainbow dash"           a tag that must be absent; – — − are minus too
//	artist:"some one"               one tag: quotes may follow a colon
//	random  rnd  рандом  случайно   any picture; other tags still count
//	nsfw                            every rating allowed
//	-nsfw                           not allowed, whatever else is said
//	"nsfw"  "random"                in quotes, tags like any other
//	@rook  @ rook  @rook@host       nothing: mentions are left out
//	#cat stars!!!                   cat and stars: a sentence's marks, but not in quotes
//	Rainbow  RAINBOW                tags are lower case
//	- -- ""                         nothing
//	score.gt:100  a || b  *         tags like any other: there are no operators
//
// Control, invisible and direction characters are taken out, emoji stay. A tag
// said twice counts once. At most MaxTags tags of MaxTagSize characters are
// kept; see Request.Dropped.
func Parse(text string) Request {
	p := parser{rest: clean(text), seen: map[Term]bool{}}
	for p.word() {
	}
	p.NSFW = p.nsfw && !p.notNSFW
	p.Said = p.said()
	return p.Request
}

// parser reads words from the front of rest.
type parser struct {
	Request
	rest          string
	seen          map[Term]bool
	nsfw, notNSFW bool
}

// Every quote opens or closes, whichever its shape: telephones and languages
// pair them in too many ways to tell them apart.
const (
	quotes  = "\"“”„‟«»＂〝〞"
	commas  = ",，、"
	minuses = "-‐‑‒–—―−－"
)

// word reads one word; it is false at the end of the text.
func (p *parser) word() bool {
	p.rest = strings.TrimLeft(p.rest, " "+commas)
	if p.rest == "" {
		return false
	}
	if p.mention() {
		return true
	}
	bare := strings.TrimLeft(p.rest, minuses)
	not := len(bare) < len(p.rest)
	p.rest = bare

	tag, quoted := p.quoted()
	if !quoted {
		end := strings.IndexAny(p.rest, " "+commas+quotes)
		if end < 0 {
			end = len(p.rest)
		}
		tag, p.rest = p.rest[:end], p.rest[end:]
		if strings.HasSuffix(tag, ":") {
			var more string
			more, quoted = p.quoted()
			tag += more
		}
	}
	if !quoted {
		if p.command(tag, not) {
			return true
		}
		tag = natural(tag)
	}
	p.add(Term{Tag: strings.TrimSpace(tag), Not: not})
	return true
}

// quoted reads a phrase if there is a quote; ok is false if there is none.
func (p *parser) quoted() (phrase string, ok bool) {
	r, size := utf8.DecodeRuneInString(p.rest)
	if size == 0 || !strings.ContainsRune(quotes, r) {
		return "", false
	}
	p.rest = p.rest[size:]
	end := strings.IndexAny(p.rest, quotes)
	if end < 0 {
		phrase, p.rest = p.rest, ""
		return phrase, true
	}
	phrase, p.rest = p.rest[:end], p.rest[end:]
	_, size = utf8.DecodeRuneInString(p.rest)
	p.rest = p.rest[size:]
	return phrase, true
}

// mention skips @name, @name@host, and @ name, which is what a telephone makes
// of the first; also Discord's <@123>.
func (p *parser) mention() bool {
	if strings.HasPrefix(p.rest, "<@") {
		if end := strings.IndexAny(p.rest, "> "); end > 0 && p.rest[end] == '>' {
			p.rest = p.rest[end+1:]
			return true
		}
	}
	if !strings.HasPrefix(p.rest, "@") {
		return false
	}
	p.rest = strings.TrimLeft(p.rest, "@ ")
	end := strings.IndexAny(p.rest, " "+commas+quotes)
	if end < 0 {
		end = len(p.rest)
	}
	p.rest = p.rest[end:]
	return true
}

// command obeys a word that is an order, also one with a mark after it, like
// "random!".
func (p *parser) command(word string, not bool) bool {
	switch word = strings.Trim(word, ".!?:;()[]…"); {
	case word == "nsfw" && not:
		p.notNSFW = true
	case word == "nsfw":
		p.nsfw = true
	case isRandom(word) && !not:
		p.Random = true
	default:
		return false
	}
	return true
}

// natural is a word without what belongs to the sentence and not to the tag: a
// hash in front of it, marks at its end.
func natural(word string) string {
	bare := strings.TrimRight(strings.TrimLeft(word, "#＃"), ".!?…")
	if !strings.ContainsFunc(bare, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) }) {
		return word
	}
	return bare
}

func isRandom(word string) bool {
	switch word {
	case "random", "rnd", "рандом", "случайно", "случайная":
		return true
	}
	return false
}

// add keeps a tag, or says that it was dropped.
func (p *parser) add(t Term) {
	if t.Tag == "" || p.seen[t] {
		return
	}
	p.seen[t] = true
	short := cut(t.Tag, MaxTagSize)
	switch {
	case len(short) == len(t.Tag) && len(p.Terms) < MaxTags:
		p.Terms = append(p.Terms, t)
	case len(p.Dropped) < MaxTags:
		p.Dropped = append(p.Dropped, short)
	}
}

// said writes the request down again.
func (p *parser) said() string {
	var words []string
	for _, t := range p.Terms {
		word := t.Tag
		if mustQuote(word) {
			word = `"` + word + `"`
		}
		if t.Not {
			word = "-" + word
		}
		words = append(words, word)
	}
	if p.Random {
		words = append(words, "random")
	}
	if p.NSFW {
		words = append(words, "nsfw")
	}
	return strings.Join(words, " ")
}

// mustQuote is true for a tag that would be read as something else without
// quotes.
func mustQuote(tag string) bool {
	var p parser
	r, _ := utf8.DecodeRuneInString(tag)
	return strings.ContainsAny(tag, " "+commas) || strings.ContainsRune(minuses, r) ||
		strings.HasPrefix(tag, "@") || strings.HasPrefix(tag, "<@") || strings.HasSuffix(tag, ":") ||
		p.command(tag, false) || natural(tag) != tag
}
