package discordsim

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

func TestSlashPayload(t *testing.T) {
	t.Parallel()
	st := newStage(t)
	st.SetLocale(st.ada, "ru")
	st.slash(st.ada, st.general, "gif search", Args{
		"text": "cat", "count": 3, "who": st.bob, "where": st.general, "role": st.guild, "whom": st.mod, "loud": true, "weight": 1.5,
		"file": File{Name: "a.txt", Data: []byte("hi")}, "kind": "dog",
	})
	p := st.hear()
	for k, want := range map[string]any{
		"type": 2.0, "application_id": st.AppID(), "guild_id": st.guild, "channel_id": st.general, "locale": "ru", "guild_locale": "en-US",
		"context": 0.0, "version": 1.0, "attachment_size_limit": 10485760.0,
	} {
		if p[k] != want {
			t.Errorf("%s is %v, want %v", k, p[k], want)
		}
	}
	if p["user"] != nil || p["entitlements"] == nil || p["app_permissions"] == "" {
		t.Errorf("user %v, entitlements %v, app_permissions %v", p["user"], p["entitlements"], p["app_permissions"])
	}
	if o := p["authorizing_integration_owners"].(map[string]any); len(o) != 1 || o["0"] != st.guild {
		t.Errorf("authorizing_integration_owners %v", o)
	}
	if m := p["member"].(map[string]any); m["permissions"] == nil || m["user"].(map[string]any)["id"] != st.ada {
		t.Errorf("member %v", m)
	}
	if c := p["channel"].(map[string]any); c["id"] != st.general || c["nsfw"] != false || c["permissions"] == nil {
		t.Errorf("channel %v", c)
	}
	data := p["data"].(map[string]any)
	if data["name"] != "gif" || data["type"] != 1.0 || data["guild_id"] != nil {
		t.Errorf("data %v", data)
	}
	sub := data["options"].([]any)[0].(map[string]any)
	if sub["name"] != "search" || sub["type"] != 1.0 {
		t.Errorf("the subcommand is %v", sub)
	}
	values := map[string]any{}
	for _, o := range sub["options"].([]any) {
		o := o.(map[string]any)
		values[o["name"].(string)] = o["value"]
	}
	if values["text"] != "cat" || values["count"] != 3.0 || values["weight"] != 1.5 || values["loud"] != true || values["kind"] != "dog" {
		t.Errorf("the options are %v", values)
	}
	resolved := data["resolved"].(map[string]any)
	for kind, ids := range map[string][]string{
		"users": {st.bob, st.mod}, "members": {st.bob, st.mod}, "channels": {st.general}, "roles": {st.guild}, "attachments": {values["file"].(string)},
	} {
		m, _ := resolved[kind].(map[string]any)
		for _, id := range ids {
			if m[id] == nil {
				t.Errorf("resolved %s has no %s", kind, id)
			}
		}
	}
	if m := resolved["members"].(map[string]any)[st.bob].(map[string]any); m["user"] != nil || m["deaf"] != nil || m["permissions"] == nil {
		t.Errorf("the resolved member is %v", m)
	}
}

func TestNotOffered(t *testing.T) {
	t.Parallel()
	st := newStage(t)
	hidden := st.AddChannel(st.guild, "hidden", Text, Private())
	quiet := st.AddChannel(st.guild, "quiet", Text, Deny(st.guild, UseApplicationCommands))
	dm := st.DMChannel(st.ada)
	text := Args{"text": "cat"}
	with := func(name string, v any) Args { return Args{"text": "cat", name: v} }
	for name, tc := range map[string]struct {
		user, channel, command string
		args                   Args
		ok                     bool
	}{
		"as it should be":             {st.ada, st.general, "gif search", text, true},
		"no such command":             {st.ada, st.general, "gifs", nil, false},
		"no subcommand":               {st.ada, st.general, "gif", nil, false},
		"another subcommand":          {st.ada, st.general, "gif find", nil, false},
		"a required option is absent": {st.ada, st.general, "gif search", nil, false},
		"an unknown option":           {st.ada, st.general, "gif search", with("x", 1), false},
		"too long a text":             {st.ada, st.general, "gif search", Args{"text": strings.Repeat("x", 21)}, false},
		"too large a number":          {st.ada, st.general, "gif search", with("count", 6), false},
		"half a number":               {st.ada, st.general, "gif search", with("count", 1.5), false},
		"none of the choices":         {st.ada, st.general, "gif search", with("kind", "cow"), false},
		"a voice channel":             {st.ada, st.general, "gif search", with("where", st.AddChannel(st.guild, "v", Voice)), false},
		"an unknown user":             {st.ada, st.general, "gif search", with("who", "1"), false},
		"a member without permission": {st.ada, st.general, "setup", nil, false},
		"a member with it":            {st.mod, st.general, "setup", nil, true},
		"for administrators":          {st.mod, st.general, "owners", nil, false},
		"the owner":                   {st.Owner(st.guild), st.general, "owners", nil, true},
		"adult, in general":           {st.ada, st.general, "spicy", nil, false},
		"adult, in its channel":       {st.ada, st.adult, "spicy", nil, true},
		"a channel one cannot see":    {st.ada, hidden, "anywhere", nil, false},
		"commands are off there":      {st.ada, quiet, "anywhere", nil, false},
		"a stranger":                  {st.AddUser("eve"), st.general, "anywhere", nil, false},
		"in direct messages":          {st.ada, dm, "anywhere", nil, true},
		"only for guilds, there":      {st.ada, dm, "guilds", nil, false},
		"another one's messages":      {st.bob, dm, "anywhere", nil, false},
		"where the bot is not":        {st.ada, st.awayRoom, "anywhere", nil, false},
		"a command for users":         {st.ada, st.general, "Wave", nil, false},
	} {
		_, err := st.Slash(tc.user, tc.channel, tc.command, tc.args)
		if tc.ok != (err == nil) || err != nil && !errors.Is(err, ErrNotOffered) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestUserInstall(t *testing.T) {
	t.Parallel()
	st := newStage(t)
	private := st.PrivateChannel(st.ada, st.bob)
	if private != st.PrivateChannel(st.bob, st.ada) {
		t.Error("two channels of the same two people")
	}
	st.InstallForUser(st.ada)
	i := st.slash(st.ada, st.awayRoom, "anywhere", nil)
	p := st.hear()
	if o := p["authorizing_integration_owners"].(map[string]any); len(o) != 1 || o["1"] != st.ada || p["guild_id"] != st.away {
		t.Errorf("in a guild without the bot: owners %v, guild %v", o, p["guild_id"])
	}
	if status, body := st.answer(i, map[string]any{"type": 4, "data": map[string]any{"content": "hi"}}); status != 200 {
		t.Fatalf("answered %d %v", status, body)
	}
	if m := st.Messages(st.awayRoom); len(m) != 1 || m[0].Content != "hi" || m[0].Author != st.AppID() {
		t.Errorf("the room has %+v", m)
	}
	for n := range 6 {
		status, body := st.hook(i, "POST", "", map[string]any{"content": "more"})
		if want := n < 5; want != (status == 200) || !want && code(body) != 40094 {
			t.Errorf("followup %d: %d %v", n, status, body)
		}
	}
	i = st.slash(st.ada, private, "anywhere", nil)
	if p := st.hear(); p["context"] != 2.0 || p["user"].(map[string]any)["id"] != st.ada || p["member"] != nil {
		t.Errorf("between two people: %v", p)
	}
	st.answer(i, map[string]any{"type": 4, "data": map[string]any{"content": "hi"}})
	if v := st.View(st.ada); len(v.Private) != 1 || v.Private[0].Ephemeral() {
		t.Errorf("between two people ada sees %+v", v.Private)
	}
	if _, err := st.Slash(st.bob, private, "anywhere", nil); !errors.Is(err, ErrNotOffered) {
		t.Errorf("bob did not install it: %v", err)
	}
	if _, err := st.Slash(st.ada, st.awayRoom, "guilds", nil); !errors.Is(err, ErrNotOffered) {
		t.Errorf("a command for guilds: %v", err)
	}
	st.SetPermission(st.away, st.away, EveryonePermissions&^UseExternalApps)
	i = st.slash(st.ada, st.awayRoom, "anywhere", nil)
	st.answer(i, map[string]any{"type": 4, "data": map[string]any{"content": "hush"}})
	if o := i.Now(); !o.Ephemeral || o.Message == nil || !o.Message.Ephemeral() {
		t.Errorf("without the right to external apps: %+v", o)
	}
}

// post sends a message of the bot with components.
func (st *stage) post(components ...any) string {
	st.t.Helper()
	status, m := call(st.t, st.Server, "POST", "/channels/"+st.general+"/messages", map[string]any{"content": "x", "components": components})
	if status != 200 {
		st.t.Fatalf("post: %d %v", status, m)
	}
	return m["id"].(string)
}

func TestComponents(t *testing.T) {
	t.Parallel()
	st := newStage(t)
	id := st.post(
		map[string]any{"type": 1, "components": []any{
			map[string]any{"type": 2, "style": 1, "label": "go", "custom_id": "go"},
			map[string]any{"type": 2, "style": 1, "label": "off", "custom_id": "off", "disabled": true},
		}},
		map[string]any{"type": 1, "components": []any{map[string]any{"type": 3, "custom_id": "menu", "max_values": 2, "options": []any{
			map[string]any{"label": "A", "value": "a"}, map[string]any{"label": "B", "value": "b"}, map[string]any{"label": "C", "value": "c"},
		}}}},
		map[string]any{"type": 1, "components": []any{map[string]any{"type": 5, "custom_id": "people"}}},
	)
	for name, err := range map[string]error{
		"a disabled button": second(st.PressButton(st.ada, id, "off")),
		"no such button":    second(st.PressButton(st.ada, id, "stop")),
		"a menu":            second(st.PressButton(st.ada, id, "menu")),
		"no value":          second(st.Select(st.ada, id, "menu")),
		"too many values":   second(st.Select(st.ada, id, "menu", "a", "b", "c")),
		"twice the same":    second(st.Select(st.ada, id, "menu", "a", "a")),
		"another value":     second(st.Select(st.ada, id, "menu", "z")),
		"a person's message": func() error {
			said := say(t, st.Server, st.ada, st.general, "hi")
			return second(st.PressButton(st.ada, said, "go"))
		}(),
		"no message": second(st.PressButton(st.ada, "1", "go")),
	} {
		if !errors.Is(err, ErrNotOffered) {
			t.Errorf("%s: %v", name, err)
		}
	}
	press, err := st.PressButton(st.ada, id, "go")
	if err != nil {
		t.Fatal(err)
	}
	p := st.hear()
	data := p["data"].(map[string]any)
	if p["type"] != 3.0 || data["custom_id"] != "go" || data["component_type"] != 2.0 || data["id"] != 2.0 || p["message"].(map[string]any)["id"] != id {
		t.Errorf("the press is %v", p)
	}
	st.answer(press, map[string]any{"type": 6})
	if status, m := st.hook(press, "PATCH", "/messages/@original", map[string]any{"content": "pressed"}); status != 200 || m["id"] != id {
		t.Errorf("@original of a deferred update: %d %v", status, m)
	}
	choose, err := st.Select(st.ada, id, "menu", "a", "c")
	if err != nil {
		t.Fatal(err)
	}
	if v := st.hear()["data"].(map[string]any)["values"].([]any); len(v) != 2 || v[1] != "c" {
		t.Errorf("chosen: %v", v)
	}
	st.answer(choose, map[string]any{"type": 4, "data": map[string]any{"content": "thanks"}})
	if o := choose.Now(); o.Message == nil || o.Message.ReplyTo != id || o.Message.Interaction["interacted_message_id"] != id {
		t.Errorf("the answer to a component is %+v", o.Message)
	}
	if _, err := st.Select(st.ada, id, "people", st.bob); err != nil {
		t.Fatal(err)
	}
	if r := st.hear()["data"].(map[string]any)["resolved"].(map[string]any); r["users"].(map[string]any)[st.bob] == nil || r["members"] == nil {
		t.Errorf("resolved: %v", r)
	}
}

func second(_ *Interaction, err error) error { return err }

func TestContextMenus(t *testing.T) {
	t.Parallel()
	st := newStage(t)
	if _, err := st.UserCommand(st.ada, st.general, "Wave", st.bob); err != nil {
		t.Fatal(err)
	}
	data := st.hear()["data"].(map[string]any)
	if data["type"] != 2.0 || data["target_id"] != st.bob || data["resolved"].(map[string]any)["users"].(map[string]any)[st.bob] == nil {
		t.Errorf("the command is %v", data)
	}
	said := say(t, st.Server, st.bob, st.general, "secret")
	i, err := st.MessageCommand(st.ada, st.general, "Quote", said)
	if err != nil {
		t.Fatal(err)
	}
	data = st.hear()["data"].(map[string]any)
	m, _ := data["resolved"].(map[string]any)["messages"].(map[string]any)[said].(map[string]any)
	if data["type"] != 3.0 || data["target_id"] != said || m["content"] != "secret" {
		t.Errorf("the command is %v", data)
	}
	st.answer(i, map[string]any{"type": 4, "data": map[string]any{"content": "x"}})
	if o := i.Now(); o.Message.Type != messageContextEntry || o.Message.Interaction["target_message_id"] != said {
		t.Errorf("the answer is %+v", o.Message)
	}
	if _, err := st.MessageCommand(st.ada, st.adult, "Quote", said); !errors.Is(err, ErrNotOffered) {
		t.Errorf("a message of another channel: %v", err)
	}
}

func TestModal(t *testing.T) {
	t.Parallel()
	st := newStage(t)
	id := st.post(map[string]any{"type": 1, "components": []any{map[string]any{"type": 2, "style": 1, "label": "go", "custom_id": "go"}}})
	press, err := st.PressButton(st.ada, id, "go")
	if err != nil {
		t.Fatal(err)
	}
	st.hear()
	status, body := st.answer(press, map[string]any{"type": 9, "data": map[string]any{"custom_id": "form", "title": "Form", "components": []any{
		map[string]any{"type": 10, "content": "Fill in"},
		map[string]any{"type": 18, "label": "Name", "component": map[string]any{"type": 4, "custom_id": "name", "style": 1, "min_length": 2, "max_length": 5}},
		map[string]any{"type": 18, "label": "Kind", "component": map[string]any{"type": 3, "custom_id": "kind", "options": []any{map[string]any{"label": "A", "value": "a"}}}},
		map[string]any{"type": 1, "components": []any{map[string]any{"type": 4, "custom_id": "why", "style": 2, "label": "Why", "required": false, "value": "because"}}},
	}}})
	if status != 200 || body["resource"] != nil {
		t.Fatalf("the modal: %d %v", status, body)
	}
	modal := st.View(st.ada).Modal
	if modal == nil || modal.Title != "Form" || len(modal.Fields) != 3 || modal.Fields[2].Value != "because" {
		t.Fatalf("ada sees the modal %+v", modal)
	}
	for name, values := range map[string]Values{
		"a missing field":  {"name": "abc"},
		"too short":        {"name": "a", "kind": []string{"a"}},
		"another value":    {"name": "abc", "kind": []string{"z"}},
		"an unknown field": {"name": "abc", "kind": []string{"a"}, "x": "y"},
	} {
		if _, err := st.SubmitModal(st.ada, modal, values); !errors.Is(err, ErrNotOffered) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := st.SubmitModal(st.bob, modal, Values{"name": "abc", "kind": []string{"a"}}); !errors.Is(err, ErrNotOffered) {
		t.Errorf("bob sent ada's form: %v", err)
	}
	sent, err := st.SubmitModal(st.ada, modal, Values{"name": "abc", "kind": []string{"a"}})
	if err != nil {
		t.Fatal(err)
	}
	p := st.hear()
	want := `[{"id":1,"type":10},{"component":{"custom_id":"name","id":3,"type":4,"value":"abc"},"id":2,"type":18},{"component":{"custom_id":"kind","id":5,"type":3,"values":["a"]},"id":4,"type":18},{"components":[{"custom_id":"why","id":7,"type":4,"value":"because"}],"id":6,"type":1}]`
	got, _ := json.Marshal(p["data"].(map[string]any)["components"])
	if p["type"] != 5.0 || p["message"] == nil || string(got) != want {
		t.Errorf("the form arrived as %v\n%s", p["type"], got)
	}
	if status, body := st.answer(sent, map[string]any{"type": 9, "data": map[string]any{}}); status != 400 || code(body) != 50035 {
		t.Errorf("a modal after a modal: %d %v", status, body)
	}
	if status, _ := st.answer(sent, map[string]any{"type": 7, "data": map[string]any{"content": "thanks", "components": []any{}}}); status != 200 {
		t.Errorf("an update by a modal of a component: %d", status)
	}
	if _, err := st.SubmitModal(st.ada, modal, Values{"name": "abc", "kind": []string{"a"}}); !errors.Is(err, ErrNotOffered) {
		t.Errorf("the form was sent twice: %v", err)
	}
}

func TestAutocomplete(t *testing.T) {
	t.Parallel()
	st := newStage(t)
	i, err := st.Autocomplete(st.ada, st.general, "gif search", Args{"text": "ca", "count": 2}, "text")
	if err != nil {
		t.Fatal(err)
	}
	p := st.hear()
	options := p["data"].(map[string]any)["options"].([]any)[0].(map[string]any)["options"].([]any)
	if o := options[0].(map[string]any); p["type"] != 4.0 || o["focused"] != true || o["value"] != "ca" || len(options) != 2 {
		t.Errorf("the options are %v", options)
	}
	st.answer(i, map[string]any{"type": 8, "data": map[string]any{"choices": []any{map[string]any{"name": "Cat", "value": "cat"}}}})
	if v := st.View(st.ada); len(v.Choices) != 1 || v.Choices[0] != (Choice{Name: "Cat", Value: "cat"}) {
		t.Errorf("ada sees the choices %v", v.Choices)
	}
	if _, err := st.Autocomplete(st.ada, st.general, "gif search", Args{"kind": "c"}, "kind"); !errors.Is(err, ErrNotOffered) {
		t.Errorf("an option without autocomplete: %v", err)
	}
}

func TestRepeat(t *testing.T) {
	t.Parallel()
	st := newStage(t)
	i := st.slash(st.ada, st.general, "anywhere", nil)
	st.Repeat(i)
	a, b := st.hear(), st.hear()
	if a["id"] != b["id"] || a["token"] != b["token"] {
		t.Errorf("repeated %v as %v", a["id"], b["id"])
	}
}

func TestView(t *testing.T) {
	t.Parallel()
	st := newStage(t)
	hidden := st.AddChannel(st.guild, "hidden", Text, Private(), Allow(st.mod, ViewChannel))
	say(t, st.Server, st.bob, st.general, "hello")
	v := st.View(st.ada)
	if c, ok := v.Channel(st.general); !ok || len(c.Messages) != 1 || c.Messages[0].Content != "hello" {
		t.Errorf("ada sees general as %+v", c)
	}
	if _, ok := v.Channel(hidden); ok {
		t.Error("ada sees a hidden channel")
	}
	if _, ok := st.View(st.mod).Channel(hidden); !ok {
		t.Error("mod does not see the channel")
	}
	if _, ok := st.View(st.bob).Channel(st.awayRoom); ok {
		t.Error("bob sees a guild that he is not in")
	}
	if _, _, err := st.DM(st.ada, "psst"); err != nil {
		t.Fatal(err)
	}
	if v := st.View(st.ada); len(v.Direct) != 1 || v.Direct[0].Content != "psst" {
		t.Errorf("ada's direct messages are %+v", v.Direct)
	}
}
