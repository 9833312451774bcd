package words

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"reflect"
	"strings"
	"sync"

	"github.com/pelletier/go-toml/v2"
	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
)

//go:embed text commands
var files embed.FS

// texts are parsed at their first use, and never change after that. What
// cannot be read is missing: a test sees to it that nothing is.
var texts = sync.OnceValue(func() map[Language]map[Key]template {
	all, _ := load(files)
	return all
})

// piece is a part of a text: words as they are, or the name of a placeholder.
type piece struct{ text, name string }

// template is a text, by plural form. One without plural forms is plural.Other.
type template map[plural.Form][]piece

// find is a key's text in this language, else in English.
func (l Language) find(k Key) (template, bool) {
	if t, ok := texts()[l][k]; ok {
		return t, true
	}
	t, ok := texts()[English][k]
	return t, ok
}

// form picks the plural form for n.
func (t template) form(l Language, n any) []piece {
	if len(t) > 1 {
		if pieces, ok := t[formOf(l, n)]; ok {
			return pieces
		}
	}
	return t[plural.Other]
}

// formOf is the form that goes with a whole number; Other with anything else.
func formOf(l Language, n any) plural.Form {
	var abs uint64
	switch r := reflect.ValueOf(n); {
	case r.IsValid() && r.CanInt():
		abs = uint64(r.Int())
		if r.Int() < 0 {
			abs = -abs // also right for the smallest integer, whose positive does not exist
		}
	case r.IsValid() && r.CanUint():
		abs = r.Uint()
	default:
		return plural.Other
	}
	tag := language.English
	if l == Russian {
		tag = language.Russian
	}
	// The rules look at the last digits only, and at whether there are more.
	const enough = 1_000_000
	if abs >= enough {
		abs = enough + abs%enough
	}
	return plural.Cardinal.MatchPlural(tag, int(abs), 0, 0, 0, 0)
}

// load reads text/LANGUAGE/SUBJECT.toml. It returns what it could read, and an
// error that names everything it could not.
func load(files fs.FS) (map[Language]map[Key]template, error) {
	all := map[Language]map[Key]template{}
	var wrong []error
	for _, l := range Languages() {
		all[l] = map[Key]template{}
		names, err := fs.Glob(files, "text/"+string(l)+"/*.toml")
		if err != nil || len(names) == 0 {
			wrong = append(wrong, fmt.Errorf("no texts in %s: %w", l, errors.Join(err, fs.ErrNotExist)))
		}
		for _, name := range names {
			if err := loadFile(files, name, all[l]); err != nil {
				wrong = append(wrong, fmt.Errorf("%s: %w", name, err))
			}
		}
	}
	return all, errors.Join(wrong...)
}

func loadFile(files fs.FS, name string, into map[Key]template) error {
	b, err := fs.ReadFile(files, name)
	if err != nil {
		return err
	}
	var entries map[string]any
	if err := toml.Unmarshal(b, &entries); err != nil {
		return err
	}
	subject := strings.TrimSuffix(path.Base(name), ".toml")
	var wrong []error
	for key, v := range entries {
		t, err := parseEntry(v)
		if err != nil {
			wrong = append(wrong, fmt.Errorf("%s: %w", key, err))
			continue
		}
		into[Key(subject+"."+key)] = t
	}
	return errors.Join(wrong...)
}

func parseEntry(v any) (template, error) {
	switch v := v.(type) {
	case string:
		pieces, err := parse(v)
		return template{plural.Other: pieces}, err
	case map[string]any:
		t := template{}
		for name, text := range v {
			form, known := formNamed(name)
			s, isText := text.(string)
			if !known || !isText {
				return nil, fmt.Errorf("%q is not a plural form with a text", name)
			}
			pieces, err := parse(s)
			if err != nil {
				return nil, err
			}
			t[form] = pieces
		}
		if _, ok := t[plural.Other]; !ok {
			return nil, errors.New(`a table needs the form "other"`)
		}
		return t, nil
	}
	return nil, fmt.Errorf("a text or a table of plural forms is expected, not %T", v)
}

func formNamed(name string) (plural.Form, bool) {
	switch name {
	case "one":
		return plural.One, true
	case "few":
		return plural.Few, true
	case "many":
		return plural.Many, true
	case "other":
		return plural.Other, true
	}
	return plural.Other, false
}

// parse splits a text at its placeholders.
func parse(text string) ([]piece, error) {
	if strings.TrimSpace(text) == "" {
		return nil, errors.New("the text is empty")
	}
	var pieces []piece
	for rest := text; rest != ""; {
		words, after, found := strings.Cut(rest, "{")
		if words != "" {
			pieces = append(pieces, piece{text: words})
		}
		if !found {
			break
		}
		name, next, closed := strings.Cut(after, "}")
		if !closed || name == "" || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz_") != "" {
			return nil, fmt.Errorf("a placeholder looks like {some_name}, not like %q", "{"+name)
		}
		pieces = append(pieces, piece{name: name})
		rest = next
	}
	return pieces, nil
}
