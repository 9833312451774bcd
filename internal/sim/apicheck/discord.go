package apicheck

import (
	"path/filepath"
	"slices"
	"testing"
)

// Discord loads the description of Discord's API
// (https://github.com/discord/discord-api-spec) from dir/specs. What it is
// known to have wrong is put right, as discord.go says. It describes neither the
// gateway nor files, and of a form only the fields beside payload_json: check
// that JSON by itself.
func Discord(dir string) (*Spec, error) {
	return loadFile(filepath.Join(dir, "specs", "discord-openapi.json"), discordOverlay)
}

// Discord is the function of that name on the folder. It ends the test when
// the description cannot be loaded.
func (d *Data) Discord(t testing.TB) *Spec { t.Helper(); return d.load(t, Discord) }

// discordOverlay puts right what the description of Discord has wrong, by the
// documentation (https://github.com/discord/discord-api-docs).
func discordOverlay(doc map[string]any) {
	anyBranch(doc)
	schemas := dig(doc, "components", "schemas")
	// The codes of a field's errors are texts such as BASE_TYPE_REQUIRED.
	if schemas["ErrorDetails"] != nil {
		schemas["ErrorDetails"] = map[string]any{"type": "object"}
	}
	// Ids and permissions may be sent as texts and as numbers.
	if id := dig(schemas, "MessageAttachmentRequest", "properties"); id != nil {
		id["id"] = map[string]any{"type": []any{"string", "integer"}, "pattern": "^(0|[1-9][0-9]*)$"}
	}
	permissionsAsText(doc)
	// A bot's message has 2,000 characters, not 4,000.
	for _, name := range []string{"MessageCreateRequest", "MessageEditRequestPartial"} {
		if content := dig(schemas, name, "properties", "content"); content != nil {
			content["maxLength"] = 2000
		}
	}
	// A button that is no link needs a custom id, which the description does not ask for.
	if button := dig(schemas, "ButtonComponentForMessageRequest"); button != nil {
		button["anyOf"] = []any{
			map[string]any{"required": []any{"custom_id"}}, map[string]any{"required": []any{"url"}}, map[string]any{"required": []any{"sku_id"}},
		}
	}
}

// permissionsAsText lets sets of permissions be texts, which is how the
// documentation writes them.
func permissionsAsText(v any) {
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			permissionsAsText(item)
		}
	case map[string]any:
		for _, item := range v {
			permissionsAsText(item)
		}
		properties, _ := v["properties"].(map[string]any)
		for _, name := range []string{"default_member_permissions", "permissions", "allow", "deny"} {
			p, _ := properties[name].(map[string]any)
			switch kind := p["type"].(type) {
			case string:
				if kind == "integer" {
					p["type"] = []any{"integer", "string"}
				}
			case []any:
				if slices.Contains(kind, any("integer")) {
					p["type"] = append(kind, "string")
				}
			}
		}
	}
}
