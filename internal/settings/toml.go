package settings

import (
	"bytes"
	"errors"
	"sort"
	"strings"
	"unicode/utf8"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"

	"rookery/internal/words"
)

// fileReader walks over a TOML file. The library's own decoding tells neither
// the line of an unknown key nor more than the first mistake.
type fileReader struct {
	book   *Book
	wrong  *Refused
	values []fileValue
	first  map[string]int // line of each field
	breaks []int          // offsets of the line feeds
}

func (r *fileReader) bad(line int, p *Problem) {
	p.Line = line
	r.wrong.add(p)
}

func (r *fileReader) read(file []byte) {
	file = bytes.TrimPrefix(file, []byte("\xef\xbb\xbf"))
	if !utf8.Valid(file) {
		r.bad(1+bytes.Count(file[:validPrefix(file)], []byte("\n")), problem(words.SettingsFileNotText, nil))
		return
	}
	for i, c := range file {
		if c == '\n' {
			r.breaks = append(r.breaks, i)
		}
	}
	var parser unstable.Parser
	parser.Reset(file)
	var section []string
	for parser.NextExpression() {
		n := parser.Expression()
		switch n.Kind {
		case unstable.Table, unstable.ArrayTable:
			section = r.header(n)
		case unstable.KeyValue:
			r.keyValue(section, n)
		}
	}
	broken := parser.Error() != nil
	if !broken && len(r.wrong.Problems) > 0 {
		return // told with their lines, which the library knows of the first alone
	}
	// The library's decoder knows every rule of the language.
	var ignored map[string]any
	err := toml.Unmarshal(file, &ignored)
	line := 1
	if at, ok := errors.AsType[*toml.DecodeError](err); ok {
		line, _ = at.Position()
	}
	if err == nil {
		if err = parser.Error(); err == nil {
			return
		}
	}
	r.bad(line, problem(words.SettingsFileSyntax, words.Args{"error": clip(strings.TrimPrefix(err.Error(), "toml: "))}))
}

// validPrefix is how many bytes come before the first that is no UTF-8.
func validPrefix(b []byte) int {
	n := 0
	for n < len(b) {
		r, size := utf8.DecodeRune(b[n:])
		if r == utf8.RuneError && size == 1 {
			break
		}
		n += size
	}
	return n
}

func (r *fileReader) line(at unstable.Range) int {
	return 1 + sort.SearchInts(r.breaks, int(at.Offset))
}

func path(it unstable.Iterator) (names []string, at unstable.Range) {
	for it.Next() {
		n := it.Node()
		if len(names) == 0 {
			at = n.Raw
		}
		names = append(names, string(n.Data))
	}
	return names, at
}

// header is the section that a [name] line opens; the section "" if there is
// none of that name.
func (r *fileReader) header(n *unstable.Node) []string {
	names, at := path(n.Key())
	line := r.line(at)
	name := strings.Join(names, ".")
	known := r.group(name)
	switch {
	case !known:
		if r.wrong.full() {
			r.wrong.More++
		} else {
			r.bad(line, r.unknownSection(name))
		}
		return []string{""}
	case n.Kind == unstable.ArrayTable:
		r.bad(line, problem(words.SettingsFileSection, words.Args{"name": name}))
	}
	return names
}

func (r *fileReader) group(name string) bool {
	for _, g := range r.book.groups {
		if g.name == name {
			return true
		}
	}
	return false
}

func (r *fileReader) unknownSection(name string) *Problem {
	best, least := "", 0
	if len(name) <= longestWord {
		for _, g := range r.book.groups {
			if d := distance(plain(name), plain(g.name)); d <= max(1, len(g.name)/3) && (best == "" || d < least) {
				best, least = g.name, d
			}
		}
	}
	if best != "" {
		return problem(words.SettingsUnknownNear, words.Args{"name": "[" + clip(name) + "]", "near": "[" + best + "]"})
	}
	return problem(words.SettingsUnknown, words.Args{"name": "[" + clip(name) + "]"})
}

// keyValue takes a line, or a part of a table in one line. Keys of a section
// that there is not are told with it.
func (r *fileReader) keyValue(section []string, n *unstable.Node) {
	own, at := path(n.Key())
	if len(section) == 1 && section[0] == "" {
		return
	}
	names := append(append([]string{}, section...), own...)
	name, line := strings.Join(names, "."), r.line(at)
	v := n.Value()
	f, known := r.book.fields[name]
	switch {
	case known && len(names) == 2:
		r.value(f, line, v)
	case len(names) == 1 && v.Kind == unstable.InlineTable && r.group(name):
		for it := v.Children(); it.Next(); {
			r.keyValue(names, it.Node())
		}
	case len(names) == 1 && r.group(name):
		r.bad(line, problem(words.SettingsFileSection, words.Args{"name": name}))
	case r.wrong.full(): // a large file of nonsense is no reason to think long
		r.wrong.More++
	default:
		r.bad(line, r.book.unknown(name))
	}
}

// value takes a field's value over as a text for Parse.
func (r *fileReader) value(f *Field, line int, v *unstable.Node) {
	if first, again := r.first[f.Name()]; again {
		p := problem(words.SettingsFileTwice, words.Args{"name": f.Name(), "first": first})
		p.Field = f
		r.bad(line, p)
		return
	}
	r.first[f.Name()] = line
	text, ok := f.scalar(v)
	if v.Kind == unstable.Array && f.IsList() {
		var items []string
		ok = true
		for it := v.Children(); it.Next() && ok; {
			if it.Node().Kind == unstable.Comment {
				continue
			}
			var item string
			item, ok = f.scalar(it.Node())
			items = append(items, item)
		}
		text = strings.Join(items, " ")
	}
	if !ok {
		p := problem(words.SettingsFileWrongType, nil)
		p.Field = f
		r.bad(line, p)
		return
	}
	r.values = append(r.values, fileValue{field: f, line: line, text: text})
}

// scalar is a string, or a number, or true or false, where those make sense.
func (f *Field) scalar(v *unstable.Node) (string, bool) {
	text := string(v.Data) // a copy: the parser uses its bytes again
	switch v.Kind {
	case unstable.String:
		return text, true
	case unstable.Integer:
		return strings.ReplaceAll(text, "_", ""), f.kind != KindText && f.kind != KindBool
	case unstable.Bool:
		return text, f.kind == KindBool || f.kind == KindChoice
	case unstable.Float:
		return text, f.kind == KindInt
	}
	return "", false
}
