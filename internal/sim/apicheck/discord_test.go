package apicheck

import "testing"

func TestDiscord(t *testing.T) {
	t.Parallel()
	api := FromEnv(t).Discord(t)
	if api == nil {
		t.Skip(Variable + " is not set")
	}
	const messages = "/api/v10/channels/1/messages"
	long := make([]byte, 2001)
	for i := range long {
		long[i] = 'a'
	}
	for name, c := range map[string]struct {
		method, path, body string
		want               string
	}{
		"message":                {"POST", messages, `{"content":"hello","nonce":"1","enforce_nonce":true}`, ""},
		"too long for a bot":     {"POST", messages, `{"content":"` + string(long) + `"}`, "maxLength"},
		"not described":          {"POST", messages, `{"contents":"hello"}`, "not described"},
		"attachment by text":     {"POST", messages, `{"attachments":[{"id":"0","description":"an owl"}]}`, ""},
		"attachment by number":   {"POST", messages, `{"attachments":[{"id":0}]}`, ""},
		"command":                {"POST", "/api/v10/applications/1/commands", `{"name":"gif","description":"Find a GIF.","default_member_permissions":"32"}`, ""},
		"command without a name": {"POST", "/api/v10/applications/1/commands", `{"description":"x"}`, "name"},
		"overwrite":              {"PUT", "/api/v10/channels/1/permissions/2", `{"type":0,"allow":"1024","deny":"0"}`, ""},
		"button":                 {"POST", messages, `{"components":[{"type":1,"components":[{"type":2,"style":1,"label":"x","custom_id":"y"}]}]}`, ""},
		"button without an id":   {"POST", messages, `{"components":[{"type":1,"components":[{"type":2,"style":1,"label":"x"}]}]}`, "$.components"},
	} {
		if err := api.CheckRequest(c.method, c.path, "", "application/json", []byte(c.body)); !is(err, c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
	if err := api.CheckResponse("POST", messages, 400, []byte(`{"message":"Invalid Form Body","code":50035,"errors":{"content":{"_errors":[{"code":"BASE_TYPE_REQUIRED","message":"This field is required"}]}}}`)); err != nil {
		t.Errorf("an error as the documentation writes it: %v", err)
	}
}
