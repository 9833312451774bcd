package texts

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sort"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"

	"rookery/internal/words"
)

// mistake is what is wrong in a line; 0 if it cannot be told in which.
type mistake struct {
	line int
	text string
}

func (m mistake) Error() string {
	if m.line == 0 {
		return m.text
	}
	return fmt.Sprintf("line %d: %s", m.line, m.text)
}

// file is a file of texts while it is read.
type file struct {
	keys  map[words.Key]Key
	lines map[string]int // of every path, by at
	own   map[words.Language]map[words.Key]words.Template
	wrong []mistake
}

func parse(data []byte, keys []Key) (*Texts, error) {
	if bytes.IndexByte(data, 0) >= 0 || !utf8.Valid(data) {
		return nil, errors.New("it is no text, or not in UTF-8: save it as UTF-8")
	}
	var all map[string]any
	if err := toml.Unmarshal(data, &all); err != nil {
		if at, ok := errors.AsType[*toml.DecodeError](err); ok {
			line, _ := at.Position()
			return nil, mistake{line, strings.TrimPrefix(at.Error(), "toml: ") + ` (a text stands in quotes: key = "text", or in three of them over several lines)`}
		}
		return nil, errors.New(strings.TrimPrefix(err.Error(), "toml: "))
	}
	f := &file{keys: map[words.Key]Key{}, lines: linesOf(data), own: map[words.Language]map[words.Key]words.Template{}}
	for _, k := range keys {
		f.keys[k.Name] = k
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		section, isTable := all[name].(map[string]any)
		l := words.Language(name)
		if !isTable || !slices.Contains(words.Languages(), l) {
			f.bad([]string{name}, "%q is no section of texts: write [en] or [ru], and the texts below it", name)
			continue
		}
		f.own[l] = map[words.Key]words.Template{}
		f.section(l, []string{name}, section)
	}
	if len(f.wrong) == 0 {
		return &Texts{f.own}, nil
	}
	slices.SortStableFunc(f.wrong, func(a, b mistake) int { return a.line - b.line })
	const most = 20
	var errs []error
	for i, m := range f.wrong {
		if i == most {
			errs = append(errs, errors.New("and so on"))
			break
		}
		errs = append(errs, m)
	}
	return nil, errors.Join(errs...)
}

func (f *file) bad(path []string, format string, args ...any) {
	f.wrong = append(f.wrong, mistake{f.lines[at(path)], fmt.Sprintf(format, args...)})
}

// at is a path as one text; no two paths have the same.
func at(path []string) string {
	var b strings.Builder
	for _, name := range path {
		fmt.Fprintf(&b, "%q.", name)
	}
	return b.String()
}

// section reads the texts of a language. A key's dot may stand for a table or,
// in quotes, for itself.
func (f *file) section(l words.Language, path []string, table map[string]any) {
	for _, name := range slices.Sorted(maps.Keys(table)) {
		here := append(slices.Clone(path), name)
		dotted := strings.Join(here[1:], ".")
		k, isKey := f.keys[words.Key(dotted)]
		inner, isTable := table[name].(map[string]any)
		switch {
		case isKey:
			if _, twice := f.own[l][k.Name]; twice {
				f.bad(here, "%s in [%s] is here twice: take one away", k.Name, l)
				continue
			}
			if t, ok := f.text(l, here, k, table[name]); ok {
				f.own[l][k.Name] = t
			}
		case isTable:
			f.section(l, here, inner)
		default:
			hint := "take the line away"
			if near := f.nearest(dotted); near != "" {
				hint = fmt.Sprintf("did you mean %s?", near)
			}
			f.bad(here, "there is no text %s that can be changed: %s", shown(dotted), hint)
		}
	}
}

// text reads one text.
func (f *file) text(l words.Language, path []string, k Key, v any) (words.Template, bool) {
	catalogue, ok := l.Template(k.Name)
	if !ok {
		f.bad(path, "there is no text %s: take the line away", k.Name)
		return words.Template{}, false
	}
	before := len(f.wrong)
	forms := catalogue.Forms()
	switch v := v.(type) {
	case string:
		f.check(path, k, catalogue, v)
		if len(f.wrong) > before {
			return words.Template{}, false
		}
		return f.parsed(path, k, tidy(v))
	case map[string]any:
		if len(forms) == 1 {
			f.bad(path, `%s in [%s] has no plural forms: write %s = "…"`, k.Name, l, k.Name)
			return words.Template{}, false
		}
		all := map[string]any{}
		for _, form := range slices.Sorted(maps.Keys(v)) {
			here := append(slices.Clone(path), form)
			text, isText := v[form].(string)
			if _, known := forms[form]; !known || !isText {
				f.bad(here, "%s in [%s]: %s is not a plural form with a text: the forms are %s", k.Name, l, shown(form), names(forms))
				continue
			}
			f.check(here, k, catalogue, text)
			all[form] = tidy(text)
		}
		for _, form := range slices.Sorted(maps.Keys(forms)) {
			if _, has := v[form]; !has {
				f.bad(path, "%s in [%s] lacks the plural form %s: write %s.%s = \"…\"", k.Name, l, form, k.Name, form)
			}
		}
		if len(f.wrong) > before {
			return words.Template{}, false
		}
		return f.parsed(path, k, all)
	}
	f.bad(path, `%s in [%s] is not a text: write it in quotes, %s = "…"`, k.Name, l, k.Name)
	return words.Template{}, false
}

func (f *file) parsed(path []string, k Key, v any) (words.Template, bool) {
	t, err := words.ParseTemplate(v)
	if err != nil {
		f.bad(path, "%s: %v", k.Name, err)
	}
	return t, err == nil
}

// check looks at one form of a text.
func (f *file) check(path []string, k Key, catalogue words.Template, text string) {
	t, err := words.ParseTemplate(text)
	switch {
	case strings.TrimSpace(text) == "":
		f.bad(path, "%s is empty: take the line away, and the text that Rookery comes with is said", k.Name)
		return
	case err != nil:
		f.bad(path, "%s: %v", k.Name, err)
		return
	}
	want, got := catalogue.Placeholders(), t.Placeholders()
	for _, name := range got {
		if !slices.Contains(want, name) {
			f.bad(path, "%s has a placeholder {%s} that nothing is filled into: it knows %s", k.Name, shownName(name), list(want))
		}
	}
	for _, name := range want {
		if !slices.Contains(got, name) {
			f.bad(path, "%s lacks the placeholder {%s}: put it where its value belongs", k.Name, name)
		}
	}
	if i := strings.IndexFunc(tidy(text), func(r rune) bool { return r != '\n' && unicode.IsControl(r) }); i >= 0 {
		f.bad(path, "%s holds a character that cannot be shown: take tabs and the like out", k.Name)
	}
	if n := length(t); k.Most > 0 && n > k.Most {
		f.bad(path, "%s has %d characters, and %d are the most without its placeholders: shorten it", k.Name, n, k.Most)
	}
}

// length is that of a text of one form without its placeholders, in UTF-16
// units.
func length(t words.Template) int {
	n := 0
	for _, text := range t.Forms() {
		for _, name := range t.Placeholders() {
			text = strings.ReplaceAll(text, "{"+name+"}", "")
		}
		n += len(utf16.Encode([]rune(tidy(text))))
	}
	return n
}

// tidy is a text with the line ends that are sent.
func tidy(text string) string {
	return strings.TrimRight(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
}

func list(placeholders []string) string {
	if len(placeholders) == 0 {
		return "none"
	}
	return "{" + strings.Join(placeholders, "}, {") + "}"
}

func names(forms map[string]string) string {
	return strings.Join(slices.Sorted(maps.Keys(forms)), ", ")
}

// shown is a name from the file, fit for a line on a terminal.
func shown(s string) string {
	const most = 60
	if r := []rune(s); len(r) > most {
		s = string(r[:most]) + "…"
	}
	return fmt.Sprintf("%q", s)
}

func shownName(s string) string { return s[:min(len(s), 60)] }

// linesOf finds the line of every key and table. The text is TOML.
func linesOf(data []byte) map[string]int {
	lines := map[string]int{}
	var breaks []int // offsets of the line feeds
	for i, c := range data {
		if c == '\n' {
			breaks = append(breaks, i)
		}
	}
	note := func(path []string, offset uint32) {
		line := 1 + sort.SearchInts(breaks, int(offset))
		for n := 1; n <= len(path); n++ {
			if key := at(path[:n]); lines[key] == 0 {
				lines[key] = line
			}
		}
	}
	var p unstable.Parser
	p.Reset(data)
	var section []string
	var keyValue func(prefix []string, n *unstable.Node)
	keyValue = func(prefix []string, n *unstable.Node) {
		path, offset := pathOf(prefix, n.Key())
		note(path, offset)
		if v := n.Value(); v.Kind == unstable.InlineTable {
			for it := v.Children(); it.Next(); {
				keyValue(path, it.Node())
			}
		}
	}
	for p.NextExpression() {
		n := p.Expression()
		switch n.Kind {
		case unstable.Table, unstable.ArrayTable:
			var offset uint32
			section, offset = pathOf(nil, n.Key())
			note(section, offset)
		case unstable.KeyValue:
			keyValue(section, n)
		}
	}
	return lines
}

func pathOf(prefix []string, names unstable.Iterator) (path []string, offset uint32) {
	path = slices.Clone(prefix)
	first := true
	for names.Next() {
		n := names.Node()
		if first {
			offset, first = n.Raw.Offset, false
		}
		path = append(path, string(n.Data))
	}
	return path, offset
}
