package apicheck

import "maps"

// mastodonOverlay puts right what the description of Mastodon has wrong, as
// recorded traffic of Mastodon 4.6 and 4.7 shows. (It also gives the header
// Idempotency-Key the type of an object; headers are not checked here.)
func mastodonOverlay(doc map[string]any) {
	anyBranch(doc)
	emptyFormats(doc)
	paths, _ := doc["paths"].(map[string]any)
	for _, item := range paths {
		ops, _ := item.(map[string]any)
		for _, m := range methods() {
			anyForm(dig(ops, m, "requestBody", "content"))
		}
	}
	// A deleted status comes back with its source text in place of content.
	media := dig(paths, "/api/v1/statuses/{id}", "delete", "responses", "200", "content", "application/json")
	if status := dig(doc, "components", "schemas", "Status"); media != nil && status != nil {
		deleted := maps.Clone(status)
		var required []any
		old, _ := status["required"].([]any)
		for _, name := range old {
			if name != "content" {
				required = append(required, name)
			}
		}
		deleted["required"] = required
		media["schema"] = deleted
	}
	// A status that is put off to the account's usual visibility has none.
	if params := dig(doc, "components", "schemas", "ScheduledStatus", "properties", "params", "properties"); params != nil && params["visibility"] != nil {
		params["visibility"] = map[string]any{"anyOf": []any{params["visibility"], map[string]any{"type": "null"}}}
	}
}

// anyForm: bodies are described as JSON alone, or as a multipart form alone,
// but the server takes all three kinds.
func anyForm(content map[string]any) {
	kinds := []string{"application/json", "multipart/form-data", "application/x-www-form-urlencoded"}
	for _, from := range kinds {
		if content[from] == nil {
			continue
		}
		for _, to := range kinds {
			if content[to] == nil {
				content[to] = content[from]
			}
		}
	}
}

// anyBranch turns oneOf into anyOf: a status with text and a picture fits both
// branches of what may be posted.
func anyBranch(v any) {
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			anyBranch(item)
		}
	case map[string]any:
		for _, item := range v {
			anyBranch(item)
		}
		if branches, ok := v["oneOf"].([]any); ok && v["anyOf"] == nil {
			delete(v, "oneOf")
			v["anyOf"] = branches
		}
	}
}

// emptyFormats: where a text should be a URI or a mail address, the server
// writes an empty one for none.
func emptyFormats(v any) {
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			emptyFormats(item)
		}
	case map[string]any:
		for name, item := range v {
			if name != "example" && name != "examples" {
				emptyFormats(item)
			}
		}
		if v["pattern"] != nil {
			return
		}
		switch v["format"] {
		case "uri":
			delete(v, "format")
			v["pattern"] = "^$|^[A-Za-z][A-Za-z0-9+.-]*:."
		case "email":
			delete(v, "format")
			v["pattern"] = "^$|.@."
		}
	}
}

// dig follows names into objects; nil when one is not there.
func dig(m map[string]any, names ...string) map[string]any {
	for _, name := range names {
		m, _ = m[name].(map[string]any)
	}
	return m
}
