package words

import (
	"maps"
	"slices"
	"strings"

	"golang.org/x/text/feature/plural"
)

// Template is a text with placeholders that is not, or not only, the
// catalogue's: whoever runs the bot may write some of its texts anew.
type Template struct{ forms template }

// ParseTemplate reads a text as the catalogue's files hold them: a string, or
// a table (map[string]any) of its plural forms, "other" among them.
func ParseTemplate(v any) (Template, error) {
	t, err := parseEntry(v)
	if err != nil {
		return Template{}, err
	}
	return Template{t}, nil
}

// Template is the catalogue's text of a key in this language; false if it has
// none.
func (l Language) Template(k Key) (Template, bool) {
	t, ok := l.find(k)
	return Template{t}, ok
}

// Fill is Say for such a text.
func (l Language) Fill(t Template, a Args) string { return l.fill(t.forms, a, 0) }

// Forms are the text's plural forms with their placeholders, by their names; a
// text without plural forms is "other" alone.
func (t Template) Forms() map[string]string {
	forms := map[string]string{}
	for form, pieces := range t.forms {
		var b strings.Builder
		for _, p := range pieces {
			b.WriteString(p.text)
			if p.name != "" {
				b.WriteString("{" + p.name + "}")
			}
		}
		forms[formName(form)] = b.String()
	}
	return forms
}

// Placeholders are the names of the placeholders in all forms, sorted.
func (t Template) Placeholders() []string {
	names := map[string]bool{}
	for _, pieces := range t.forms {
		for _, p := range pieces {
			if p.name != "" {
				names[p.name] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// formName is the inverse of formNamed.
func formName(f plural.Form) string {
	switch f {
	case plural.One:
		return "one"
	case plural.Few:
		return "few"
	case plural.Many:
		return "many"
	}
	return "other"
}
