package apicheck

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

// flat are all schemas that a value may have to do with: the given ones, what
// they refer to, and the branches of their allOf, oneOf and anyOf.
func (s *Spec) flat(schemas []any) []map[string]any {
	var all []map[string]any
	seen := map[string]bool{}
	var add func(v any)
	add = func(v any) {
		m, ok := v.(map[string]any)
		if !ok {
			return
		}
		all = append(all, m)
		if ref, ok := m["$ref"].(string); ok && strings.HasPrefix(ref, "#/") && !seen[ref] {
			seen[ref] = true
			add(s.at(ref[1:]))
		}
		for _, word := range []string{"allOf", "oneOf", "anyOf"} {
			branches, _ := m[word].([]any)
			for _, b := range branches {
				add(b)
			}
		}
	}
	for _, v := range schemas {
		add(v)
	}
	return all
}

// property are the schemas of an object's field. known is false when no
// schema names it; it is allowed all the same when the object is open.
func property(all []map[string]any, name string) (schemas []any, known, open bool) {
	described := false
	for _, m := range all {
		props, has := m["properties"].(map[string]any)
		described = described || has
		if p, ok := props[name]; ok {
			schemas, known = append(schemas, p), true
		}
		switch more := m["additionalProperties"].(type) {
		case bool:
			open = open || more
			described = described || !more
		case map[string]any:
			open = true
			if !known {
				schemas = append(schemas, more)
			}
		}
		if m["patternProperties"] != nil {
			open = true
		}
	}
	return schemas, known, open || !described
}

func elements(all []map[string]any) (schemas []any) {
	for _, m := range all {
		if items, ok := m["items"]; ok {
			schemas = append(schemas, items)
		}
	}
	return schemas
}

// unknownFields lists the fields of a value that the schemas do not name. An
// object that is described by nothing at all may have any.
func (s *Spec) unknownFields(schemas []any, v any, path []string) []string {
	var bad []string
	all := s.flat(schemas)
	switch v := v.(type) {
	case map[string]any:
		names := make([]string, 0, len(v))
		for name := range v {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			at := append(slices.Clone(path), name)
			inner, known, open := property(all, name)
			switch {
			case known || (open && len(inner) > 0):
				bad = append(bad, s.unknownFields(inner, v[name], at)...)
			case !open:
				bad = append(bad, place(at))
			}
		}
	case []any:
		for i, item := range v {
			bad = append(bad, s.unknownFields(elements(all), item, append(slices.Clone(path), strconv.Itoa(i)))...)
		}
	}
	return bad
}

// types are the words for the types that the schemas allow.
func types(all []map[string]any) map[string]bool {
	words := map[string]bool{}
	for _, m := range all {
		switch t := m["type"].(type) {
		case string:
			words[t] = true
		case []any:
			for _, w := range t {
				if w, ok := w.(string); ok {
					words[w] = true
				}
			}
		}
		values, _ := m["enum"].([]any)
		for _, v := range values {
			if _, ok := v.(string); ok {
				words["string"] = true
			}
		}
	}
	return words
}

// coerce gives the texts of a form the types that the schemas want; a text
// that is none of them stays, for the schema to refuse. wrap makes a list of
// one from a lone text.
func (s *Spec) coerce(schemas []any, v any, wrap bool) any {
	all := s.flat(schemas)
	switch v := v.(type) {
	case string:
		want := types(all)
		switch {
		case want["string"] || len(want) == 0:
		case want["boolean"] && slices.Contains([]string{"true", "1", "t", "on"}, v):
			return true
		case want["boolean"] && slices.Contains([]string{"false", "0", "f", "off"}, v):
			return false
		case (want["integer"] || want["number"]) && isNumber(v):
			return json.Number(v)
		case want["array"] && wrap:
			return []any{s.coerce(elements(all), v, false)}
		}
		return v
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = s.coerce(elements(all), item, false)
		}
		return out
	case map[string]any:
		out := map[string]any{}
		for name, item := range v {
			inner, _, _ := property(all, name)
			out[name] = s.coerce(inner, item, wrap)
		}
		return out
	}
	return v
}

func isNumber(s string) bool {
	_, err := strconv.ParseFloat(s, 64)
	return err == nil && json.Valid([]byte(s))
}
