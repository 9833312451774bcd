package discordsim

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

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

func FuzzCallback(f *testing.F) {
	for _, seed := range []string{
		`{"type":4,"data":{"content":"x","flags":64}}`, `{"type":5,"data":{"flags":64}}`, `{"type":6}`, `{"type":7,"data":{"content":null}}`,
		`{"type":8,"data":{"choices":[{"name":"a","value":1}]}}`,
		`{"type":9,"data":{"custom_id":"a","title":"b","components":[{"type":18,"label":"c","component":{"type":4,"custom_id":"d","style":1}}]}}`,
		`{"type":9,"data":{"custom_id":"a","title":"b","components":[{"type":1,"components":[{"type":3,"custom_id":"d","options":[{"label":"a","value":"b"}]}]}]}}`,
		`[]`, `{"type":"4","data":[]}`,
	} {
		for kind := KindCommand; kind <= KindModalSubmit; kind++ {
			f.Add([]byte(seed), kind)
		}
	}
	s, err := New(Options{})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { s.Close() })
	g := s.AddGuild("Owls")
	general := s.AddChannel(g, "general", Text)
	ada := s.AddUser("ada")
	s.Join(g, ada)
	s.BotJoins(g)
	f.Fuzz(func(t *testing.T, body []byte, kind int) {
		s.mu.Lock()
		defer s.mu.Unlock()
		c := s.mustChannel(general)
		in := s.newInteraction(kind, ada, c, obj{"0": g})
		in.payload["data"] = obj{}
		if kind == KindComponent {
			in.source = s.addMessage(c, postInput{author: s.appID, content: "x"})
		}
		s.keep(in)
		q := &request{
			header: http.Header{"Content-Type": {"application/json"}}, body: body,
			vars: map[string]string{"interaction_id": in.id, "interaction_token": in.token},
		}
		a := s.postCallback(q)
		if acked := in.acked != 0; acked != (a.status < 300) {
			t.Errorf("acknowledged %v with the status %d", acked, a.status)
		}
		if in.modal != nil {
			if _, err := in.modal.fill(&resolver{s: s, c: c, user: ada, out: obj{}}, nil, false); err != nil && !errors.Is(err, ErrNotOffered) {
				t.Error(err)
			}
		}
		s.outcome(in)
	})
}
