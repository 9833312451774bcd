package apicheck

import (
	"encoding/json"
	"slices"
)

// modernize turns what OpenAPI 3.0 has of its own into JSON Schema as 3.1 and
// the compiler know it: nullable, and an exclusive limit that is true. Some
// descriptions of 3.1 still have them.
func modernize(v any) {
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			modernize(item)
		}
	case map[string]any:
		for name, item := range v {
			if name != "example" && name != "examples" && name != "default" {
				modernize(item)
			}
		}
		exclusive(v, "exclusiveMinimum", "minimum")
		exclusive(v, "exclusiveMaximum", "maximum")
		if nullable, ok := v["nullable"].(bool); ok {
			delete(v, "nullable")
			if nullable {
				allowNull(v)
			}
		}
	}
}

func exclusive(m map[string]any, flag, limit string) {
	on, ok := m[flag].(bool)
	if !ok {
		return
	}
	delete(m, flag)
	if n, has := m[limit].(json.Number); on && has {
		delete(m, limit)
		m[flag] = n
	}
}

func allowNull(m map[string]any) {
	if values, ok := m["enum"].([]any); ok && !slices.Contains(values, nil) {
		m["enum"] = append(values, nil)
	}
	switch t := m["type"].(type) {
	case string:
		m["type"] = []any{t, "null"}
	case []any:
		if !slices.Contains(t, any("null")) {
			m["type"] = append(t, "null")
		}
	}
	inner := map[string]any{}
	for _, word := range []string{"$ref", "allOf", "oneOf", "anyOf"} {
		if part, ok := m[word]; ok {
			inner[word] = part
			delete(m, word)
		}
	}
	if len(inner) > 0 {
		m["anyOf"] = []any{inner, map[string]any{"type": "null"}}
	}
}
