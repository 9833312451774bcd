package config

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"sort"
	"strings"
	"unicode/utf8"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// The file is kept as a tree whose every node knows its line, because the
// library's own decoding into a struct tells neither the line of a wrong type
// nor more than the first mistake.

type table struct {
	line    int
	header  bool // written as [name] or {…}, not implied by a dotted key
	entries []*entry
	byName  map[string]*entry
}

type entry struct {
	name string
	line int
	val  *value
}

type value struct {
	line  int
	kind  unstable.Kind // Table for any kind of table, Array for any kind of list
	text  string        // a string's content, else as it is written
	items []*value
	table *table
}

func (t *table) find(name string) *entry { return t.byName[name] }

func (t *table) add(e *entry) {
	if t.byName == nil {
		t.byName = map[string]*entry{}
	}
	t.byName[e.name] = e
	t.entries = append(t.entries, e)
}

type treeBuilder struct {
	rep    *report
	parser unstable.Parser
	breaks []int // offsets of the line feeds
}

// readTree makes the tree. whole is false when a syntax error ended it early;
// that error is then among the mistakes.
func readTree(data []byte, rep *report) (root *table, whole bool) {
	root = &table{line: 1, header: true}
	data, ok := decodeText(data, rep)
	if !ok {
		return root, false
	}
	b := &treeBuilder{rep: rep}
	for i, c := range data {
		if c == '\n' {
			b.breaks = append(b.breaks, i)
		}
	}
	before := len(rep.mistakes)
	b.parser.Reset(data)
	current := root
	for b.parser.NextExpression() {
		n := b.parser.Expression()
		switch n.Kind {
		case unstable.Table, unstable.ArrayTable:
			current = b.header(root, n)
		case unstable.KeyValue:
			b.keyValue(current, n)
		}
	}
	whole = b.parser.Error() == nil
	if whole && len(rep.mistakes) > before {
		return root, true // told with both lines, which the library cannot
	}
	// The library's decoder knows every rule of the language, and says where.
	var ignored map[string]any
	err := toml.Unmarshal(data, &ignored)
	var bad *toml.DecodeError
	switch {
	case errors.As(err, &bad):
		line, column := bad.Position()
		r := characterAt(data, line, column)
		rep.mistake(line, "", "%s%s", wholeCharacter(strings.TrimPrefix(bad.Error(), "toml: "), r), syntaxHint(data, line, r))
		return root, false
	case err != nil:
		rep.mistake(1, "", "%s", strings.TrimPrefix(err.Error(), "toml: "))
		return root, false
	}
	return root, whole
}

// decodeText drops a byte order mark and refuses what is not UTF-8.
func decodeText(data []byte, rep *report) ([]byte, bool) {
	if bytes.HasPrefix(data, []byte{0xff, 0xfe}) || bytes.HasPrefix(data, []byte{0xfe, 0xff}) {
		rep.mistake(1, "", "the file is UTF-16: save it as UTF-8")
		return nil, false
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if utf8.Valid(data) {
		return data, true
	}
	line := 1
	for rest := data; len(rest) > 0; {
		r, n := utf8.DecodeRune(rest)
		if r == utf8.RuneError && n == 1 {
			break
		}
		if r == '\n' {
			line++
		}
		rest = rest[n:]
	}
	rep.mistake(line, "", "this line holds a character that is not UTF-8: save the file as UTF-8")
	return nil, false
}

// characterAt is the character at a place of the file, both numbers from 1 and
// the column in bytes. A backslash stands for what it is put before.
func characterAt(data []byte, line, column int) rune {
	lines := bytes.Split(data, []byte("\n"))
	if line < 1 || line > len(lines) || column < 1 || column > len(lines[line-1]) {
		return utf8.RuneError
	}
	r, _ := utf8.DecodeRune(bytes.TrimPrefix(lines[line-1][column-1:], []byte(`\`)))
	return r
}

// byteAsCharacter is how the library names a byte beyond ASCII.
var byteAsCharacter = regexp.MustCompile(`U\+00[89A-F][0-9A-F]( '.')?`)

// wholeCharacter names r in the library's message about the place where r is:
// the library takes the first byte of a character for all of it.
func wholeCharacter(message string, r rune) string {
	if r < utf8.RuneSelf || r == utf8.RuneError {
		return message
	}
	return byteAsCharacter.ReplaceAllLiteralString(message, fmt.Sprintf("%#U", r))
}

// syntaxHint explains the mistakes that the parser's words do not; at is the
// character that it stopped at.
func syntaxHint(data []byte, line int, at rune) string {
	lines := bytes.Split(data, []byte("\n"))
	if line < 1 || line > len(lines) {
		return ""
	}
	text := string(lines[line-1])
	_, val, found := strings.Cut(text, "=")
	val = strings.TrimSpace(val)
	bare, _, _ := strings.Cut(val, " #")
	end, _ := utf8.DecodeLastRuneInString(strings.TrimRight(bare, "], \t\r"))
	switch {
	case at >= utf8.RuneSelf && strings.ContainsRune(quotes, at), found && end >= utf8.RuneSelf && strings.ContainsRune(quotes, end):
		return ` (only straight quotes count: key = "text")`
	case found && strings.HasPrefix(val, `"`) && strings.Contains(val, `\`):
		return ` (a backslash is special in double quotes: write a Windows path in single quotes, 'C:\data', or with slashes)`
	case found && val != "" && !strings.ContainsAny(val[:1], `"'[{0123456789+-#`) && val != "true" && val != "false":
		return ` (a text needs quotes: key = "text")`
	}
	return ""
}

func (b *treeBuilder) line(r unstable.Range) int {
	return 1 + sort.SearchInts(b.breaks, int(r.Offset))
}

func keyPath(it unstable.Iterator) (names []string, at unstable.Range) {
	for it.Next() {
		n := it.Node()
		if len(names) == 0 {
			at = n.Raw
		}
		names = append(names, string(n.Data))
	}
	return names, at
}

// header finds or makes the table that a [name] or [[name]] line opens.
func (b *treeBuilder) header(root *table, n *unstable.Node) *table {
	names, at := keyPath(n.Key())
	line := b.line(at)
	last := len(names) - 1
	t := b.descend(root, names[:last], line)
	path := strings.Join(names, ".")
	e := t.find(names[last])
	fresh := &table{line: line, header: true}
	made := &value{line: line, kind: unstable.Table, table: fresh}
	if n.Kind == unstable.ArrayTable {
		if e == nil {
			e = &entry{names[last], line, &value{line: line, kind: unstable.Array}}
			t.add(e)
		}
		if e.val.kind == unstable.Array {
			e.val.items = append(e.val.items, made)
			return fresh
		}
	} else {
		switch {
		case e == nil:
			t.add(&entry{names[last], line, made})
			return fresh
		case e.val.kind == unstable.Table && !e.val.table.header:
			e.val.table.header = true
			return e.val.table
		case e.val.kind == unstable.Table:
			b.rep.mistake(line, path, "[%s] is here twice, first on line %d: put its keys together", path, e.line)
			return e.val.table
		}
	}
	b.rep.mistake(line, path, "%q is already something else on line %d", path, e.line)
	return fresh
}

// descend follows the tables of a dotted name, making what is missing. Where
// something else is in the way it says so and returns a table of no use.
func (b *treeBuilder) descend(t *table, names []string, line int) *table {
	for i, name := range names {
		e := t.find(name)
		if e == nil {
			e = &entry{name, line, &value{line: line, kind: unstable.Table, table: &table{line: line}}}
			t.add(e)
		}
		switch {
		case e.val.kind == unstable.Table:
			t = e.val.table
		case e.val.kind == unstable.Array && len(e.val.items) > 0 && e.val.items[len(e.val.items)-1].table != nil:
			t = e.val.items[len(e.val.items)-1].table
		default:
			b.rep.mistake(line, strings.Join(names[:i+1], "."), "%q is already something else on line %d", name, e.line)
			return &table{line: line}
		}
	}
	return t
}

func (b *treeBuilder) keyValue(t *table, n *unstable.Node) {
	names, at := keyPath(n.Key())
	line := b.line(at)
	last := len(names) - 1
	t = b.descend(t, names[:last], line)
	if e := t.find(names[last]); e != nil {
		b.rep.mistake(line, names[last], "%q is here twice, first on line %d", names[last], e.line)
		return
	}
	t.add(&entry{names[last], line, b.value(n.Value(), line)})
}

// value copies a value out of the parser, whose nodes live only until the
// next expression.
func (b *treeBuilder) value(n *unstable.Node, line int) *value {
	if n.Raw.Length > 0 {
		line = b.line(n.Raw)
	}
	v := &value{line: line, kind: n.Kind}
	switch n.Kind {
	case unstable.Array:
		for it := n.Children(); it.Next(); {
			v.items = append(v.items, b.value(it.Node(), line))
		}
	case unstable.InlineTable:
		v.kind = unstable.Table
		v.table = &table{line: line, header: true}
		for it := n.Children(); it.Next(); {
			b.keyValue(v.table, it.Node())
		}
	default:
		v.text = string(slices.Clone(n.Data))
	}
	return v
}
