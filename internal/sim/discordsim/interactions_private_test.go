package discordsim

import (
	"errors"
	"strings"
	"testing"
)

// An ephemeral answer has buttons that only its reader presses, and a form with
// five long inputs comes back whole.
func TestPrivateAnswerAndItsForm(t *testing.T) {
	t.Parallel()
	st := newStage(t)
	said := say(t, st.Server, st.ada, st.general, "my owl")
	i, err := st.MessageCommand(st.ada, st.general, "Quote", said)
	if err != nil {
		t.Fatal(err)
	}
	st.hear()
	button := map[string]any{"type": 1, "components": []any{map[string]any{"type": 2, "style": 1, "label": "Describe", "custom_id": "describe"}}}
	st.answer(i, map[string]any{"type": 4, "data": map[string]any{"content": "only you", "flags": 64, "components": []any{button}}})
	private := st.View(st.ada).Private
	if len(private) != 1 || private[0].OnlyFor != st.ada || len(st.View(st.bob).Private) != 0 || len(st.Messages(st.general)) != 1 {
		t.Fatalf("ada sees %+v", private)
	}
	if _, err := st.PressButton(st.bob, private[0].ID, "describe"); !errors.Is(err, ErrNotOffered) {
		t.Errorf("bob pressed a button that he does not see: %v", err)
	}
	if _, err := st.ForgeButton(st.bob, private[0].ID, "describe"); !errors.Is(err, ErrNotOffered) {
		t.Errorf("bob forged a button of what he does not see: %v", err)
	}
	press, err := st.PressButton(st.ada, private[0].ID, "describe")
	if err != nil {
		t.Fatal(err)
	}
	if p := st.hear(); field(p, "data.custom_id") != "describe" || field(p, "message.flags") != 64.0 {
		t.Errorf("the press is %v", p["data"])
	}
	var rows []any
	for _, name := range []string{"1", "2", "3", "4", "5"} {
		rows = append(rows, map[string]any{"type": 18, "label": "Picture " + name,
			"component": map[string]any{"type": 4, "custom_id": name, "style": 2, "max_length": 10, "required": false}})
	}
	form := map[string]any{"custom_id": "texts", "title": "Describe pictures", "components": append(rows, rows[0])}
	if status, body := st.answer(press, map[string]any{"type": 9, "data": form}); status != 400 || code(body) != 50035 {
		t.Errorf("six inputs: %d %v", status, body)
	}
	form["components"] = rows
	if status, body := st.answer(press, map[string]any{"type": 9, "data": form}); status != 200 {
		t.Fatalf("the form: %d %v", status, body)
	}
	modal := st.View(st.ada).Modal
	long := strings.Repeat("o", 11)
	if _, err := st.SubmitModal(st.ada, modal, Values{"1": "an owl", "5": long}); !errors.Is(err, ErrNotOffered) {
		t.Errorf("a text that is too long: %v", err)
	}
	if _, err := st.ForgeModal(st.bob, modal, Values{"5": long}); !errors.Is(err, ErrNotOffered) {
		t.Errorf("bob forged ada's form: %v", err)
	}
	if _, err := st.ForgeModal(st.ada, modal, Values{"1": "an owl", "5": long}); err != nil {
		t.Fatal(err)
	}
	p := st.hear()
	if p["type"] != 5.0 || field(p, "data.components.0.component.value") != "an owl" || field(p, "data.components.4.component.value") != long {
		t.Errorf("the form arrived as %v", p["data"])
	}
}

// A button that the message has no more can still be on its way.
func TestForgeButton(t *testing.T) {
	t.Parallel()
	st := newStage(t)
	id := st.post(map[string]any{"type": 1, "components": []any{map[string]any{"type": 2, "style": 1, "label": "go", "custom_id": "go:2", "disabled": true}}})
	if _, err := st.PressButton(st.ada, id, "go:1"); !errors.Is(err, ErrNotOffered) {
		t.Fatalf("an old button: %v", err)
	}
	for _, name := range []string{"go:1", "go:2"} {
		i, err := st.ForgeButton(st.ada, id, name)
		if err != nil {
			t.Fatal(err)
		}
		if p := st.hear(); field(p, "data.custom_id") != name || field(p, "member.user.id") != st.ada || field(p, "message.id") != id {
			t.Errorf("%s arrived as %v", name, p)
		}
		if status, _ := st.answer(i, map[string]any{"type": 6}); status != 200 {
			t.Errorf("%s was answered with %d", name, status)
		}
	}
}

// Who has left a guild uses nothing there, but what they installed elsewhere.
func TestCommandsAfterLeaving(t *testing.T) {
	t.Parallel()
	st := newStage(t)
	button := st.post(map[string]any{"type": 1, "components": []any{map[string]any{"type": 2, "style": 1, "label": "go", "custom_id": "go"}}})
	st.Kick(st.guild, st.ada)
	for name, err := range map[string]error{
		"a command": second(st.Slash(st.ada, st.general, "anywhere", nil)),
		"a button":  second(st.PressButton(st.ada, button, "go")),
		"a forgery": second(st.ForgeButton(st.ada, button, "go")),
	} {
		if !errors.Is(err, ErrNotOffered) {
			t.Errorf("%s there: %v", name, err)
		}
	}
	st.InstallForUser(st.ada)
	for _, channel := range []string{st.DMChannel(st.ada), st.awayRoom, st.PrivateChannel(st.ada, st.bob)} {
		i, err := st.Slash(st.ada, channel, "anywhere", nil)
		if err != nil {
			t.Fatal(err)
		}
		p := st.hear()
		if field(p, "authorizing_integration_owners.1") != st.ada || (p["member"] == nil) == (channel == st.awayRoom) {
			t.Errorf("it arrived as %v", p)
		}
		if status, _ := st.answer(i, map[string]any{"type": 4, "data": map[string]any{"content": "x", "flags": 64}}); status != 200 {
			t.Errorf("it was answered with %d", status)
		}
	}
	if n := len(st.View(st.ada).Private); n != 3 {
		t.Errorf("ada sees %d answers", n)
	}
}
