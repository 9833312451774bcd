package importer

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// defaults is the section whose options all others have too.
const defaults = "DEFAULT"

// ini is a file as Python's configparser reads it, with ${} filled in
// (ExtendedInterpolation,
// https://docs.python.org/3/library/configparser.html#supported-ini-file-structure).
type ini struct {
	options []*option // in the order of the file
	named   map[optionAt]*option
}

type optionAt struct{ section, key string }

// option is a line "key = value" with what belongs to it.
type option struct {
	section string
	key     string // small letters
	value   string // as written, then with ${} filled in
	line    int
}

var iniHeader = regexp.MustCompile(`^\[(.+)\]`)

// parseINI reads a file. What stands before the first section is as good as in
// DEFAULT. Its errors name lines and keys, never values.
func parseINI(text string) (*ini, error) {
	f := &ini{named: map[optionAt]*option{}}
	section := defaults
	var current *option
	indent := 0
	var wrong []error
	for i, line := range strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n") {
		trimmed := strings.TrimSpace(line)
		depth := len(line) - len(strings.TrimLeft(line, " \t\f\v"))
		switch {
		case trimmed == "":
			if current != nil {
				current.value += "\n"
			}
		case trimmed[0] == '#' || trimmed[0] == ';':
		case current != nil && depth > indent:
			current.value += "\n" + trimmed
		case iniHeader.MatchString(trimmed):
			section, current, indent = iniHeader.FindStringSubmatch(trimmed)[1], nil, depth
		default:
			indent, current = depth, nil
			at := strings.IndexAny(trimmed, "=:")
			key := ""
			if at > 0 {
				key = strings.ToLower(strings.TrimSpace(trimmed[:at]))
			}
			if key == "" {
				wrong = append(wrong, fmt.Errorf("line %d: expected [section] or key = value", i+1))
				continue
			}
			if was := f.named[optionAt{section, key}]; was != nil {
				wrong = append(wrong, fmt.Errorf("line %d: %s is here twice, first on line %d: take one away", i+1, printable(key), was.line))
				continue
			}
			current = &option{section: section, key: key, value: strings.TrimSpace(trimmed[at+1:]), line: i + 1}
			f.options = append(f.options, current)
			f.named[optionAt{section, key}] = current
		}
	}
	const most = 10
	if len(wrong) > most {
		wrong = append(wrong[:most], errors.New("and so on: is this really the bot's INI file?"))
	}
	if err := errors.Join(wrong...); err != nil {
		return nil, err
	}
	for _, o := range f.options {
		o.value = strings.TrimSpace(o.value)
	}
	return f, f.fill()
}

// find is an option of a section, also one that it has of DEFAULT; nil if there
// is none.
func (f *ini) find(section, key string) *option {
	if o := f.named[optionAt{section, key}]; o != nil {
		return o
	}
	return f.named[optionAt{defaults, key}]
}

// fill puts into every value what its ${} name.
func (f *ini) fill() error {
	filled := make([]string, len(f.options))
	var wrong []error
	left := 16 * maxFile
	for i, o := range f.options {
		e := expansion{ini: f, left: &left}
		if err := e.expand(o.section, o.value, nil); err != nil {
			wrong = append(wrong, fmt.Errorf("line %d: %s %w", o.line, printable(o.key), err))
		}
		filled[i] = e.text.String()
		if left < 0 {
			break
		}
	}
	for i, o := range f.options {
		o.value = filled[i]
	}
	return errors.Join(wrong...)
}

// expansion is one value while it is filled.
type expansion struct {
	*ini
	text strings.Builder
	left *int // so much may still come, for all values together
}

// deepest is how far values may stand in values, as in configparser.
const deepest = 10

func (e *expansion) expand(section, value string, in []*option) error {
	for value != "" {
		before, after, found := strings.Cut(value, "$")
		if *e.left -= len(before) + 1; *e.left < 0 {
			return errors.New("grows beyond any value, by what its ${…} name: write the value itself")
		}
		e.text.WriteString(before)
		switch {
		case !found:
			return nil
		case strings.HasPrefix(after, "$"):
			e.text.WriteByte('$')
			value = after[1:]
		case strings.HasPrefix(after, "{") && strings.Contains(after, "}"):
			name, rest, _ := strings.Cut(after[1:], "}")
			if err := e.named(section, name, in); err != nil {
				return err
			}
			value = rest
		default: // configparser refuses it, but it can be meant in one way only
			e.text.WriteByte('$')
			value = after
		}
	}
	return nil
}

// named puts in what a ${} names: "key" of the same section, or "section:key".
func (e *expansion) named(section, name string, in []*option) error {
	key := name
	if s, k, other := strings.Cut(name, ":"); other {
		section, key = s, k
	}
	o := e.find(section, strings.ToLower(strings.TrimSpace(key)))
	switch {
	case o == nil:
		return fmt.Errorf("names ${%s}, which is not there: write the value itself", printable(name))
	case slices.Contains(in, o), len(in) == deepest:
		return fmt.Errorf("names ${%s}, which names others without end: write the value itself", printable(name))
	}
	// Of an option that DEFAULT has, what it names is looked for from here.
	return e.expand(section, o.value, append(slices.Clone(in), o))
}
