package config

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2/unstable"
)

// Key describes one key of the file, for a page that lists them.
type Key struct {
	Path    string // like "llm.model"; of a list of tables, "account.name"
	Type    string
	Default string // as it would be written; empty when there is none
	Doc     string
}

// field is a key and where its value goes. read takes the value over, or says
// what is wrong with it: one mistake a line.
type field struct {
	Key
	read func(v *value) string
}

// section is one table of the file.
type section struct {
	name   string // "" for the keys at the top; "gifs.source" is a part of [gifs]
	many   bool   // written [[name]], any number of times
	fields []field
	// next is for a section that there can be many of: where the keys of one
	// more of them go, and what is done when they are read.
	next func(*table) (s section, done func())
	// A word that people use for a secret, and the key that says where it is.
	secrets map[string]string
	// secretFile is the file that the secret is best put into, if not a variable.
	secretFile string
	// elsewhere says of keys that people write here what they must do instead.
	elsewhere map[string]string
}

func (s section) field(name string) *field {
	for i := range s.fields {
		if s.fields[i].Path == name {
			return &s.fields[i]
		}
	}
	return nil
}

// split is the name of the section that this one is a part of, "" for the top
// of the file, and the last word of its own.
func (s section) split() (of, last string) {
	if i := strings.LastIndexByte(s.name, '.'); i >= 0 {
		return s.name[:i], s.name[i+1:]
	}
	return "", s.name
}

// part is the section called name in this one, or nil.
func (s section) part(name string, all []section) *section {
	for i := range all {
		if of, last := all[i].split(); last == name && of == s.name && last != "" {
			return &all[i]
		}
	}
	return nil
}

func (s section) hasParts(all []section) bool {
	return slices.ContainsFunc(all, func(o section) bool {
		of, last := o.split()
		return of == s.name && last != ""
	})
}

// secretKey is the key that was meant by another word for a secret with _env
// or _file, like token_env for key_env; "" if it is none.
func (s section) secretKey(got string) string {
	for _, end := range []string{"_env", "_file"} {
		if word, ok := strings.CutSuffix(strings.ToLower(got), end); ok {
			if key := s.secrets[plain(word)]; key != "" && key+end != got {
				return key + end
			}
		}
	}
	return ""
}

// title is the section as it stands in the file.
func (s section) title() string {
	switch {
	case s.name == "":
		return "the top of the file"
	case s.many:
		return "[[" + s.name + "]]"
	}
	return "[" + s.name + "]"
}

// path is a key's whole name.
func (s section) path(key string) string {
	if s.name == "" {
		return key
	}
	return s.name + "." + key
}

// a rule says what is wrong with a text, or nothing.
type rule func(string) string

func text(key string, to *string, def, kind, doc string, rules ...rule) field {
	*to = def
	return field{Key{key, kind, quoted(def), doc}, func(v *value) string {
		s, bad := v.string()
		if bad != "" {
			// A path is not shown: it may be a secret.
			if good := inQuotes(v, rules); good != "" && kind != "path" {
				bad += fmt.Sprintf(": write %s = %s", key, good)
			}
			return bad
		}
		if bad := broken(s, rules); bad != "" {
			return bad
		}
		*to = s
		return ""
	}}
}

// broken is what the first rule that s breaks says, if there is one.
func broken(s string, rules []rule) string {
	for _, r := range rules {
		if bad := r(s); bad != "" {
			return bad
		}
	}
	return ""
}

// inQuotes is the text that was meant by a number, as it must be written; ""
// if that would be wrong as well.
func inQuotes(v *value, rules []rule) string {
	if v.kind != unstable.Integer && v.kind != unstable.Float || broken(v.text, rules) != "" {
		return ""
	}
	return shown(v.text)
}

// choice is a text that must be one of a few words; set gets the chosen one.
func choice(key, def, doc string, words []string, set func(string)) field {
	set(def)
	return field{Key{key, "one of " + list(words), quoted(def), doc}, func(v *value) string {
		s, bad := v.string()
		if bad != "" {
			return bad
		}
		if bad := oneOf(s, words); bad != "" {
			return bad
		}
		set(s)
		return ""
	}}
}

func oneOf(s string, words []string) string {
	for _, w := range words {
		if s == w {
			return ""
		}
	}
	if near := nearest(s, words); near != "" {
		return fmt.Sprintf("%s is not known: did you mean %q?", shown(s), near)
	}
	return fmt.Sprintf("%s is not known: it is one of %s", shown(s), list(words))
}

func duration(key string, to *time.Duration, def, low, high time.Duration, doc string) field {
	*to = def
	return field{Key{key, "duration", quoted(short(def)), doc}, func(v *value) string {
		const how = `write it like "10s", "3m" or "24h"`
		if v.kind == unstable.Integer || v.kind == unstable.Float {
			return "a duration needs its unit: " + how
		}
		s, bad := v.string()
		if bad != "" {
			return bad
		}
		d, err := time.ParseDuration(strings.TrimSpace(s))
		if err != nil {
			return fmt.Sprintf("%s is not a duration: %s", shown(s), how)
		}
		if d < low || d > high {
			return fmt.Sprintf("%s is out of range: from %q to %q", shown(s), short(low), short(high))
		}
		*to = d
		return ""
	}}
}

func whole(key string, to *int, def, low, high int, doc string) field {
	*to = def
	return field{Key{key, "whole number", strconv.Itoa(def), doc}, func(v *value) string {
		if v.kind == unstable.Float {
			return clip(v.text) + " is not a whole number"
		}
		if v.kind != unstable.Integer {
			return wrongKind(v, "a whole number")
		}
		n, err := strconv.ParseInt(strings.ReplaceAll(v.text, "_", ""), 0, 64)
		if err != nil || n < int64(low) || n > int64(high) {
			return fmt.Sprintf("%s is out of range: from %d to %d", clip(v.text), low, high)
		}
		*to = int(n)
		return ""
	}}
}

// number is optional: to stays nil when the key is absent.
func number(key string, to **float64, low, high float64, doc string) field {
	return field{Key{key, "number", "", doc}, func(v *value) string {
		if v.kind != unstable.Integer && v.kind != unstable.Float {
			return wrongKind(v, "a number")
		}
		f, err := strconv.ParseFloat(strings.ReplaceAll(v.text, "_", ""), 64)
		if err != nil || math.IsNaN(f) || f < low || f > high {
			return fmt.Sprintf("%s is out of range: from %g to %g", clip(v.text), low, high)
		}
		*to = &f
		return ""
	}}
}

func texts(key string, to *[]string, most int, doc string, rules ...rule) field {
	return field{Key{key, "list of texts", "", doc}, func(v *value) string {
		if v.kind == unstable.String {
			return fmt.Sprintf(`expected a list: write %s = [%s]`, key, shown(v.text))
		}
		if v.kind != unstable.Array {
			return wrongKind(v, "a list of texts")
		}
		if len(v.items) > most {
			return fmt.Sprintf("%d are too many: at most %d", len(v.items), most)
		}
		var all, bads []string
		for _, item := range v.items {
			s, bad := item.string()
			switch {
			case bad != "":
				if good := inQuotes(item, rules); good != "" {
					bad += ": write " + good
				}
			case slices.Contains(all, s):
				bad = shown(s) + " is in the list twice"
			default:
				bad = broken(s, rules)
			}
			if bad != "" {
				bads = append(bads, bad)
				continue
			}
			all = append(all, s)
		}
		if len(bads) > 0 {
			return strings.Join(bads, "\n")
		}
		*to = all
		return ""
	}}
}

func (v *value) string() (s, bad string) {
	if v.kind != unstable.String {
		return "", wrongKind(v, "a text in quotes")
	}
	if strings.ContainsRune(v.text, 0) {
		return "", "the text holds a NUL character: take it out"
	}
	return v.text, ""
}

func wrongKind(v *value, want string) string {
	is := map[unstable.Kind]string{
		unstable.String: "a text", unstable.Bool: "true or false", unstable.Integer: "a whole number",
		unstable.Float: "a number", unstable.Array: "a list", unstable.Table: "a table",
	}[v.kind]
	if is == "" {
		is = "a date or time"
	}
	if v.kind == unstable.String {
		if _, err := strconv.ParseFloat(v.text, 64); err == nil {
			return fmt.Sprintf("expected %s, not a text: take the quotes away", want)
		}
	}
	return fmt.Sprintf("expected %s, not %s", want, is)
}

func quoted(s string) string {
	if s == "" {
		return ""
	}
	return strconv.Quote(s)
}

// shown quotes what somebody wrote, cut to a length that fits a message.
func shown(s string) string { return strconv.Quote(clip(s)) }

func clip(s string) string {
	if r := []rune(s); len(r) > 60 {
		return string(r[:60]) + "…"
	}
	return s
}

// list is `"a", "b" or "c"`.
func list(words []string) string {
	var b strings.Builder
	for i, w := range words {
		switch {
		case i > 0 && i == len(words)-1:
			b.WriteString(" or ")
		case i > 0:
			b.WriteString(", ")
		}
		b.WriteString(strconv.Quote(w))
	}
	return b.String()
}

// short writes a duration without its empty units: 3m, not 3m0s.
func short(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
