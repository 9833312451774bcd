package discordsim

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

// stage is a world with a guild, members, commands and a raw client of the
// gateway.
type stage struct {
	*Server
	t                           *testing.T
	clock                       *testClock
	guild, general, adult, away string // away: a guild without the bot; its channel
	awayRoom                    string
	ada, bob, mod               string
	client                      *rawClient
}

func newStage(t *testing.T) *stage {
	t.Helper()
	st := &stage{t: t, clock: newTestClock()}
	s := newTestServer(t, Options{Clock: st.clock.Now})
	st.Server = s
	st.guild = s.AddGuild("Owls")
	st.general = s.AddChannel(st.guild, "general", Text)
	st.adult = s.AddChannel(st.guild, "adult", Text, AgeRestricted())
	st.ada, st.bob, st.mod = s.AddUser("ada"), s.AddUser("bob"), s.AddUser("mod")
	s.Join(st.guild, st.ada)
	s.Join(st.guild, st.bob)
	s.Join(st.guild, st.mod, s.AddRole(st.guild, "mods", ManageGuild))
	s.BotJoins(st.guild)
	st.away = s.AddGuild("Away")
	st.awayRoom = s.AddChannel(st.away, "room", Text)
	s.Join(st.away, st.ada)
	commands := []map[string]any{
		{"name": "gif", "description": "d", "options": []map[string]any{
			{"type": 1, "name": "search", "description": "d", "options": []map[string]any{
				{"type": 3, "name": "text", "description": "d", "required": true, "autocomplete": true, "max_length": 20},
				{"type": 4, "name": "count", "description": "d", "min_value": 1, "max_value": 5},
				{"type": 6, "name": "who", "description": "d"},
				{"type": 7, "name": "where", "description": "d", "channel_types": []int{0}},
				{"type": 8, "name": "role", "description": "d"},
				{"type": 9, "name": "whom", "description": "d"},
				{"type": 5, "name": "loud", "description": "d"},
				{"type": 10, "name": "weight", "description": "d"},
				{"type": 11, "name": "file", "description": "d"},
				{"type": 3, "name": "kind", "description": "d", "choices": []map[string]any{{"name": "Cat", "value": "cat"}, {"name": "Dog", "value": "dog"}}},
			}},
		}},
		{"name": "setup", "description": "d", "default_member_permissions": ManageGuild.String(), "contexts": []int{0}},
		{"name": "owners", "description": "d", "default_member_permissions": "0"},
		{"name": "spicy", "description": "d", "nsfw": true},
		{"name": "anywhere", "description": "d", "integration_types": []int{0, 1}, "contexts": []int{0, 1, 2}},
		{"name": "guilds", "description": "d", "integration_types": []int{0}, "contexts": []int{0}},
		{"name": "Wave", "type": 2},
		{"name": "Quote", "type": 3},
	}
	for _, c := range commands {
		if status, out := call(t, s, "POST", "/applications/"+s.AppID()+"/commands", c); status != 201 {
			t.Fatalf("register %v: %d %v", c["name"], status, out)
		}
	}
	st.client, _ = start(t, s, IntentGuilds, nil)
	return st
}

// hear is the next interaction that the client gets.
func (st *stage) hear() map[string]any {
	st.t.Helper()
	return st.client.event("INTERACTION_CREATE").object(st.t)
}

// answer answers an interaction.
func (st *stage) answer(i *Interaction, body any) (int, map[string]any) {
	st.t.Helper()
	return call(st.t, st.Server, "POST", "/interactions/"+i.ID+"/"+i.Token+"/callback?with_response=true", body)
}

func (st *stage) hook(i *Interaction, method, path string, body any) (int, map[string]any) {
	st.t.Helper()
	return call(st.t, st.Server, method, "/webhooks/"+st.AppID()+"/"+i.Token+path, body)
}

// slash uses a command that is offered.
func (st *stage) slash(user, channel, name string, args Args) *Interaction {
	st.t.Helper()
	i, err := st.Slash(user, channel, name, args)
	if err != nil {
		st.t.Fatal(err)
	}
	return i
}

func code(body map[string]any) float64 {
	n, _ := body["code"].(float64)
	return n
}

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

func TestCallbacks(t *testing.T) {
	t.Parallel()
	message := map[string]any{"content": "x"}
	modal := func(change func(map[string]any)) map[string]any {
		d := map[string]any{"custom_id": "form", "title": "Form", "components": []any{map[string]any{"type": 18, "label": "Name", "component": map[string]any{"type": 4, "custom_id": "name", "style": 1}}}}
		change(d)
		return d
	}
	row := func(in map[string]any) []any {
		return []any{map[string]any{"type": 1, "components": []any{in}}}
	}
	choices := func(n int) map[string]any {
		list := make([]any, n)
		for i := range list {
			list[i] = map[string]any{"name": "a", "value": "b"}
		}
		return map[string]any{"choices": list}
	}
	for name, tc := range map[string]struct {
		auto   bool
		body   map[string]any
		status int
	}{
		"a message":              {body: map[string]any{"type": 4, "data": message}, status: 200},
		"an empty message":       {body: map[string]any{"type": 4, "data": map[string]any{}}, status: 400},
		"too long":               {body: map[string]any{"type": 4, "data": map[string]any{"content": strings.Repeat("x", 2001)}}, status: 400},
		"no data":                {body: map[string]any{"type": 4}, status: 400},
		"no type":                {body: map[string]any{}, status: 400},
		"a pong":                 {body: map[string]any{"type": 1}, status: 400},
		"deferred":               {body: map[string]any{"type": 5}, status: 200},
		"deferred, ephemeral":    {body: map[string]any{"type": 5, "data": map[string]any{"flags": 64}}, status: 200},
		"deferred, v2":           {body: map[string]any{"type": 5, "data": map[string]any{"flags": 32768}}, status: 400},
		"an update of a command": {body: map[string]any{"type": 7, "data": message}, status: 400},
		"a deferred update":      {body: map[string]any{"type": 6}, status: 400},
		"choices for a command":  {body: map[string]any{"type": 8, "data": choices(1)}, status: 400},
		"an activity":            {body: map[string]any{"type": 12}, status: 200},
		"choices":                {auto: true, body: map[string]any{"type": 8, "data": choices(25)}, status: 200},
		"no choices":             {auto: true, body: map[string]any{"type": 8, "data": choices(0)}, status: 200},
		"too many choices":       {auto: true, body: map[string]any{"type": 8, "data": choices(26)}, status: 400},
		"a message to a typist":  {auto: true, body: map[string]any{"type": 4, "data": message}, status: 400},
		"a number for a text":    {auto: true, body: map[string]any{"type": 8, "data": map[string]any{"choices": []any{map[string]any{"name": "a", "value": 1}}}}, status: 400},
		"a modal":                {body: map[string]any{"type": 9, "data": modal(func(map[string]any) {})}, status: 200},
		"a modal of old": {body: map[string]any{"type": 9, "data": modal(func(d map[string]any) {
			d["components"] = row(map[string]any{"type": 4, "custom_id": "a", "style": 2, "label": "L"})
		})}, status: 200},
		"a row without label": {body: map[string]any{"type": 9, "data": modal(func(d map[string]any) {
			d["components"] = row(map[string]any{"type": 4, "custom_id": "a", "style": 2})
		})}, status: 400},
		"a long title":     {body: map[string]any{"type": 9, "data": modal(func(d map[string]any) { d["title"] = strings.Repeat("x", 46) })}, status: 400},
		"a long custom id": {body: map[string]any{"type": 9, "data": modal(func(d map[string]any) { d["custom_id"] = strings.Repeat("x", 101) })}, status: 400},
		"an empty modal":   {body: map[string]any{"type": 9, "data": modal(func(d map[string]any) { d["components"] = []any{} })}, status: 400},
		"a button in it": {body: map[string]any{"type": 9, "data": modal(func(d map[string]any) {
			d["components"] = row(map[string]any{"type": 2, "custom_id": "a", "style": 1, "label": "L"})
		})}, status: 400},
		"the same id twice": {body: map[string]any{"type": 9, "data": modal(func(d map[string]any) { l := d["components"].([]any); d["components"] = append(l, l[0]) })}, status: 400},
		"six labels":        {body: map[string]any{"type": 9, "data": modal(func(d map[string]any) { l := d["components"].([]any); d["components"] = slices.Repeat(l, 6) })}, status: 400},
		"a long label":      {body: map[string]any{"type": 9, "data": modal(func(d map[string]any) { d["components"].([]any)[0].(map[string]any)["label"] = strings.Repeat("x", 46) })}, status: 400},
		"no style": {body: map[string]any{"type": 9, "data": modal(func(d map[string]any) {
			delete(d["components"].([]any)[0].(map[string]any)["component"].(map[string]any), "style")
		})}, status: 400},
		"a max_length of 0": {body: map[string]any{"type": 9, "data": modal(func(d map[string]any) {
			d["components"].([]any)[0].(map[string]any)["component"].(map[string]any)["max_length"] = 0
		})}, status: 400},
		"an unknown control": {body: map[string]any{"type": 9, "data": modal(func(d map[string]any) {
			d["components"].([]any)[0].(map[string]any)["component"].(map[string]any)["type"] = 99
		})}, status: 400},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			st := newStage(t)
			i := st.slash(st.ada, st.general, "anywhere", nil)
			if tc.auto {
				var err error
				if i, err = st.Autocomplete(st.ada, st.general, "gif search", Args{"text": "ca"}, "text"); err != nil {
					t.Fatal(err)
				}
			}
			status, body := st.answer(i, tc.body)
			if status != tc.status || status == 400 && code(body) != 50035 && code(body) != 50006 {
				t.Fatalf("answered %d %v", status, body)
			}
			if errs, ok := body["errors"].(map[string]any); ok && tc.body["data"] != nil && errs["data"] == nil && errs["type"] == nil {
				t.Errorf("the mistakes are not below data: %v", errs)
			}
			if acked := i.Now().Type != 0; acked != (status == 200) {
				t.Errorf("acknowledged %v", acked)
			}
		})
	}
}

func TestFirstAnswer(t *testing.T) {
	t.Parallel()
	st := newStage(t)
	hello := map[string]any{"type": 4, "data": map[string]any{"content": "hello"}}
	i := st.slash(st.ada, st.general, "anywhere", nil)
	if status, body := st.hook(i, "GET", "/messages/@original", nil); status != 404 || code(body) != 10015 {
		t.Errorf("the webhook before the answer: %d %v", status, body)
	}
	st.clock.advance(2 * time.Second)
	status, body := st.answer(i, hello)
	about, _ := body["interaction"].(map[string]any)
	if status != 200 || about["id"] != i.ID || about["response_message_id"] == nil || about["response_message_ephemeral"] != false {
		t.Errorf("answered %d %v", status, body)
	}
	o, err := i.Wait(testContext(t))
	if err != nil || o.Type != 4 || o.After != 2*time.Second || o.Message == nil || o.Message.Content != "hello" || o.Ephemeral {
		t.Errorf("the outcome is %+v, %v", o, err)
	}
	all := st.Messages(st.general)
	if len(all) != 1 || all[0].Author != st.AppID() || all[0].Type != messageCommand || all[0].Interaction["name"] != "anywhere" || all[0].Interaction["id"] != i.ID {
		t.Errorf("the channel has %+v", all)
	}
	if status, body := st.answer(i, hello); status != 400 || code(body) != 40060 {
		t.Errorf("a second answer: %d %v", status, body)
	}
	late := st.slash(st.ada, st.general, "anywhere", nil)
	st.clock.advance(3*time.Second + time.Millisecond)
	if o, err := late.Wait(testContext(t)); err != nil || !o.Failed || o.Type != 0 {
		t.Errorf("the outcome is %+v, %v", o, err)
	}
	if status, body := st.answer(late, hello); status != 404 || code(body) != 10062 {
		t.Errorf("a late answer: %d %v", status, body)
	}
	if v := st.View(st.ada); !slices.Equal(v.Failed, []string{"anywhere"}) {
		t.Errorf("ada sees what failed: %v", v.Failed)
	}
	wrong := *i
	wrong.Token = "x"
	if status, body := st.answer(&wrong, hello); status != 404 || code(body) != 10062 {
		t.Errorf("another token: %d %v", status, body)
	}
}

func TestDeferredAnswer(t *testing.T) {
	t.Parallel()
	st := newStage(t)
	i := st.slash(st.ada, st.general, "gif search", Args{"text": "cat"})
	st.answer(i, map[string]any{"type": 5})
	all := st.Messages(st.general)
	if len(all) != 1 || !all[0].Loading() || all[0].Interaction["name"] != "gif search" {
		t.Fatalf("while it thinks the channel has %+v", all)
	}
	if v := st.View(st.ada); !slices.Equal(v.Thinking, []string{"gif search"}) {
		t.Errorf("ada sees thinking: %v", v.Thinking)
	}
	if status, m := st.hook(i, "GET", "/messages/@original", nil); status != 200 || m["flags"] != 128.0 {
		t.Errorf("@original: %d %v", status, m)
	}
	st.UnknownWebhook(1)
	if status, body := st.hook(i, "PATCH", "/messages/@original", map[string]any{"content": "cats"}); status != 404 || code(body) != 10015 {
		t.Errorf("the oddity: %d %v", status, body)
	}
	if status, body := st.hook(i, "PATCH", "/messages/@original", map[string]any{}); status != 400 || code(body) != 50006 {
		t.Errorf("an empty edit: %d %v", status, body)
	}
	if o := i.Now(); !o.Loading {
		t.Error("an edit that was refused ended the loading")
	}
	if status, m := st.hook(i, "PATCH", "/messages/@original", map[string]any{"content": "cats"}); status != 200 || m["flags"] != 0.0 || m["content"] != "cats" {
		t.Errorf("the edit: %d %v", status, m)
	}
	o, err := i.WaitDone(testContext(t))
	if err != nil || o.Loading || o.Message.Content != "cats" {
		t.Errorf("the outcome is %+v, %v", o, err)
	}
	status, m := st.hook(i, "POST", "", map[string]any{"content": "more"})
	if status != 200 || m["interaction_metadata"].(map[string]any)["original_response_message_id"] != o.Message.ID {
		t.Errorf("a followup: %d %v", status, m)
	}
	path := "/messages/" + m["id"].(string)
	if status, m := st.hook(i, "PATCH", path, map[string]any{"content": "most"}); status != 200 || m["content"] != "most" {
		t.Errorf("the followup's edit: %d %v", status, m)
	}
	if status, _ := st.hook(i, "DELETE", path, nil); status != 204 {
		t.Errorf("the followup's end: %d", status)
	}
	if status, body := st.hook(i, "GET", path, nil); status != 404 || code(body) != 10008 {
		t.Errorf("the followup after its end: %d %v", status, body)
	}
	if status, _ := st.hook(i, "DELETE", "/messages/@original", nil); status != 204 || len(st.Messages(st.general)) != 0 {
		t.Errorf("the answer's end: %d", status)
	}
	st.clock.advance(tokenLife + time.Second)
	if status, body := st.hook(i, "POST", "", map[string]any{"content": "late"}); status != 401 || code(body) != 50027 {
		t.Errorf("after fifteen minutes: %d %v", status, body)
	}
	i = st.slash(st.ada, st.general, "anywhere", nil)
	st.answer(i, map[string]any{"type": 5})
	st.ExpireToken(i)
	if status, body := st.hook(i, "PATCH", "/messages/@original", map[string]any{"content": "x"}); status != 401 || code(body) != 50027 {
		t.Errorf("an expired token: %d %v", status, body)
	}
}

func TestEphemeralAnswer(t *testing.T) {
	t.Parallel()
	st := newStage(t)
	i := st.slash(st.ada, st.general, "anywhere", nil)
	st.answer(i, map[string]any{"type": 5, "data": map[string]any{"flags": 64}})
	// A followup after a defer fills it in and stays as it is, whatever its flags.
	status, m := st.hook(i, "POST", "", map[string]any{"content": "psst", "components": []any{
		map[string]any{"type": 1, "components": []any{map[string]any{"type": 2, "style": 1, "label": "go", "custom_id": "go"}}},
	}})
	if status != 200 || m["flags"] != 64.0 {
		t.Errorf("filled in by a followup: %d %v", status, m)
	}
	if all := st.Messages(st.general); len(all) != 0 {
		t.Errorf("the channel has %+v", all)
	}
	v := st.View(st.ada)
	if len(v.Private) != 1 || v.Private[0].Content != "psst" || len(st.View(st.bob).Private) != 0 {
		t.Errorf("ada sees %+v, bob %+v", v.Private, st.View(st.bob).Private)
	}
	if _, err := st.PressButton(st.bob, v.Private[0].ID, "go"); !errors.Is(err, ErrNotOffered) {
		t.Errorf("bob pressed a button that he does not see: %v", err)
	}
	press, err := st.PressButton(st.ada, v.Private[0].ID, "go")
	if err != nil {
		t.Fatal(err)
	}
	if status, body := st.answer(press, map[string]any{"type": 7, "data": map[string]any{"content": "done", "components": []any{}}}); status != 200 {
		t.Errorf("the update: %d %v", status, body)
	}
	if v := st.View(st.ada); v.Private[0].Content != "done" || len(v.Private[0].Components) != 0 {
		t.Errorf("ada sees %+v", v.Private)
	}
	if status, _ := st.hook(i, "DELETE", "/messages/@original", nil); status != 204 || len(st.View(st.ada).Private) != 0 {
		t.Errorf("the answer's end: %d", status)
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
