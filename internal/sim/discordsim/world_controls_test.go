package discordsim

import (
	"reflect"
	"testing"
)

func TestControls(t *testing.T) {
	t.Parallel()
	st := newStage(t)
	id := st.post(
		map[string]any{"type": 1, "components": []any{
			map[string]any{"type": 2, "style": 1, "label": "Go", "custom_id": "go"},
			map[string]any{"type": 2, "style": 1, "label": "Off", "custom_id": "off", "disabled": true},
			map[string]any{"type": 2, "style": 5, "label": "A link", "url": "https://art.example"},
		}},
		map[string]any{"type": 1, "components": []any{map[string]any{"type": 3, "custom_id": "menu", "placeholder": "Which?", "options": []any{
			map[string]any{"label": "A", "value": "a"}, map[string]any{"label": "B", "value": "b"},
		}}}},
		map[string]any{"type": 1, "components": []any{map[string]any{"type": 8, "custom_id": "places",
			"default_values": []any{map[string]any{"id": st.general, "type": "channel"}}}}},
	)
	m, ok := st.Message(id)
	if !ok {
		t.Fatal("there is no message")
	}
	want := []Control{
		{ID: "go", Label: "Go"},
		{ID: "off", Label: "Off", Disabled: true},
		{Label: "A link", URL: "https://art.example"},
		{ID: "menu", Label: "Which?", Menu: true, Options: []Option{{"A", "a"}, {"B", "b"}}},
		{ID: "places", Menu: true, Chosen: []string{st.general}},
	}
	if got := m.Controls(); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v", got)
	}
}

// Also those in a container and beside a text are found.
func TestControlsWithinOthers(t *testing.T) {
	t.Parallel()
	m := Message{Components: []any{obj{"type": 17, "components": []any{
		obj{"type": 9, "components": []any{obj{"type": 10, "content": "a text"}}, "accessory": obj{"type": 2, "custom_id": "a", "label": "A"}},
		obj{"type": 1, "components": []any{obj{"type": 2, "custom_id": "b", "label": "B"}}},
	}}}}
	if got := m.Controls(); len(got) != 2 || got[0].Label != "A" || got[1].ID != "b" {
		t.Errorf("%+v", got)
	}
}
