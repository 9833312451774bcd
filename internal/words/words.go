// Package words is the one catalogue of texts for members and operators, in
// English and Russian, and of the words that a member may send as a command.
//
// To add a text:
//
//  1. A constant in the keys_SUBJECT.go it belongs to (or a new such file):
//     PersonaModelDown Key = "persona.model_down". Its comment names the
//     placeholders.
//  2. The text under model_down in text/en/persona.toml and in
//     text/ru/persona.toml: "I cannot think until {time}", with the same
//     placeholders in both. Where a number decides the wording, a table
//     instead: model_down.one and .other in English, .one, .few, .many and
//     .other in Russian; the argument n chooses.
//  3. words.Match(post.Language).Say(words.PersonaModelDown, words.Args{"time": t}).
//
// A text for a member is short enough for one post of 500 characters, names
// nobody, and calls a Russian reader "вы". One for the operator says what
// happened and what helps.
//
// It leaves log messages and Go errors to the packages that write them (they
// are English, and literals), and cutting, mentions and content warnings to
// whoever sends a text.
package words

import (
	"fmt"
	"reflect"
	"strings"
	"time"

	"golang.org/x/text/language"
)

// Key names a text: "SUBJECT.NAME", where text/LANGUAGE/SUBJECT.toml has NAME.
type Key string

// Args are the values of a text's placeholders, by their names. A whole number
// is written in the language's way (1,234), a time.Time as Time does, a Phrase
// in the same language; strings, errors and fmt.Stringers stay as they are,
// whatever is in them. What must not be grouped (a year, a port) comes as a
// string. The integer n chooses among the plural forms.
type Args map[string]any

// Phrase is an argument that is itself a text of the catalogue: for a second
// number in a sentence, or a name that differs by language.
type Phrase struct {
	Key  Key
	Args Args
}

// Language is one that the catalogue has: "en" or "ru". The texts of any other
// value are English.
type Language string

// The languages of the catalogue.
const (
	English Language = "en"
	Russian Language = "ru"
)

// Languages are all languages of the catalogue, English first.
func Languages() []Language { return []Language{English, Russian} }

// longestTag bounds what is parsed: the longest tags in use have 35 characters.
const longestTag = 100

// Match picks the language of the first BCP 47 tag (or POSIX locale such as
// ru_RU) that the catalogue has, whatever its region or script; English if
// there is none. Tags that are empty or malformed are passed over.
func Match(tags ...string) Language {
	for _, t := range tags {
		if len(t) > longestTag {
			continue
		}
		t, _, _ = strings.Cut(t, ".") // ru_RU.UTF-8
		tag, err := language.Parse(t)
		if err != nil {
			continue
		}
		base, sure := tag.Base()
		if sure != language.Exact { // "und-Cyrl" would be Russian
			continue
		}
		for _, l := range Languages() {
			if base.String() == string(l) {
				return l
			}
		}
	}
	return English
}

// Say is the text of a key with its placeholders filled in. It never fails: an
// argument that is missing shows as its placeholder, "{name}", and a key that
// is unknown as the key itself. A value is put in as it is: "{n}" in it is not
// a placeholder.
func (l Language) Say(k Key, a Args) string { return l.say(k, a, 0) }

// deepest bounds phrases in phrases: arguments that hold themselves would
// otherwise never end.
const deepest = 4

func (l Language) say(k Key, a Args, depth int) string {
	t, ok := l.find(k)
	if !ok {
		return string(k)
	}
	return l.fill(t, a, depth)
}

func (l Language) fill(t template, a Args, depth int) string {
	var b strings.Builder
	for _, p := range t.form(l, a["n"]) {
		if p.name == "" {
			b.WriteString(p.text)
		} else if s, ok := l.value(a[p.name], depth); ok {
			b.WriteString(s)
		} else {
			b.WriteString("{" + p.name + "}")
		}
	}
	return b.String()
}

// value is an argument as text; false for one that is missing or that has no
// text of its own.
func (l Language) value(v any, depth int) (string, bool) {
	switch v := v.(type) {
	case nil:
		return "", false
	case string:
		return v, true
	case Phrase:
		if depth >= deepest {
			return string(v.Key), true
		}
		return l.say(v.Key, v.Args, depth+1), true
	case time.Time:
		return l.Time(v), true
	case error, fmt.Stringer:
		return fmt.Sprint(v), true // survives a nil pointer and a String that panics
	}
	switch r := reflect.ValueOf(v); {
	case r.CanInt(), r.CanUint():
		return l.group(fmt.Sprint(v)), true
	case r.Kind() == reflect.String, r.Kind() == reflect.Bool, r.CanFloat():
		return fmt.Sprint(v), true
	}
	return "", false
}
