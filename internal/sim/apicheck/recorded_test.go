package apicheck

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// recorded is one exchange with a real Mastodon server.
type recorded struct {
	Method string          `json:"method"`
	Path   string          `json:"path"`
	Query  string          `json:"query"`
	ReqCT  string          `json:"req_ct"`
	Req    json.RawMessage `json:"req_body"` // a text, null, or an object that stands for bytes
	Status int             `json:"status"`
	Body   json.RawMessage `json:"body"`
}

// exception is a difference between the real server and the description that
// is of no weight for a bot that reads mentions and answers them.
type exception struct{ where, what, why string }

func exceptions() []exception {
	return []exception{
		{`^\w+ /api/v[12]/admin/`, ErrUnknownPath.Error(), "much of the moderators' API is not described"},
		{`^HEAD |nodeinfo`, ErrUnknownPath.Error(), "not of the client API"},
		{`^GET /api/v1/instance/languages`, ErrUnknownPath.Error(), "an API without documentation"},
		{`/api/v1/push/subscription`, "$.id: got number", "the id is a number on the wire"},
		{`/api/v1/push/subscription`, "$.policy", "policy is sent beside data, where the server also takes it"},
		{`/api/v1/push/subscription`, "$.data.alerts.quote", "quotes are newer than the description of pushes"},
		{`GET /api/v1/instance/extended_description`, "$.updated_at: got null", "never written, so never updated"},
		{`GET /api/v1/instance/domain_blocks`, "got string, want object", "the 404 of this path has no JSON"},
		{`DELETE /api/v2/filters/statuses/`, "missing properties 'id', 'status_id'", "the answer is an empty object"},
		{`POST /oauth/token`, "missing properties 'code', 'redirect_uri'", "of one of the grants only"},
		{`POST /api/v1/apps`, "$.redirect_uris: got string", "a text is taken as well as a list"},
		{`POST /api/v1/accounts`, "missing property 'agreement'", "the answer is the error that this is for"},
		{`POST /api/v1/accounts`, "$.client_id", "that client sends more than is asked for"},
		{`POST /api/v1/statuses`, "$.valid_policies", "that client sends more than is asked for"},
		{`GET /api/v1/accounts/relationships`, "got string, want array", "a single id is taken without brackets"},
		{`PATCH /api/v2/notifications/policy`, "no body here", "its fields are described as those of an answer only"},
		{`DELETE /api/v1/statuses/`, "no body here", "Rails takes parameters of the query from a form"},
		{`GET /api/v1/accounts/familiar_followers`, "no body here", "Rails takes parameters of the query from JSON"},
	}
}

// What real servers answer passes, and what a real client asked for passes,
// but for the exceptions, each of which is still needed.
func TestRecordedMastodon(t *testing.T) {
	t.Parallel()
	d := FromEnv(t)
	if d == nil {
		t.Skip(Variable + " is not set")
	}
	api := d.Mastodon(t)
	used := map[exception]int{}
	excused := func(x recorded, err error) bool {
		for _, e := range exceptions() {
			if regexp.MustCompile(e.where).MatchString(x.Method+" "+x.Path) && strings.Contains(err.Error(), e.what) {
				used[e]++
				return true
			}
		}
		return false
	}
	checked, right := 0, 0
	unknown := map[string]bool{}
	for x := range exchanges(t, d.Dir) {
		checked++
		path := strings.TrimSuffix(x.Path, "/") // that client's habit, which Rails forgives
		ok := true
		if err := api.CheckResponse(x.Method, path, x.Status, x.Body); err != nil {
			if ok = false; !excused(x, err) {
				t.Error(err)
			}
		}
		var body string
		if json.Unmarshal(x.Req, &body) == nil {
			if err := api.CheckRequest(x.Method, path, x.Query, x.ReqCT, []byte(body)); err != nil && !errors.Is(err, ErrUnknownPath) {
				if ok = false; !excused(x, err) {
					t.Errorf("%v\n%s", err, body)
				}
			}
		}
		if ok {
			right++
		}
		if more, err := api.UnknownInResponse(x.Method, path, x.Status, x.Body); err == nil {
			for _, field := range more {
				unknown[field[strings.LastIndexByte(field, '.')+1:]] = true
			}
		}
	}
	t.Logf("%d exchanges, %d without any exception", checked, right)
	if checked < 500 || right*10 < checked*8 {
		t.Errorf("of %d exchanges only %d are right", checked, right)
	}
	for _, e := range exceptions() {
		if used[e] == 0 {
			t.Errorf("no longer needed: %+v", e)
		}
	}
	// Fields that this version of the server has and the description has not.
	for _, known := range []string{
		"vapid", "details", "for_bots", "colors", "size", "preview_remote_url", "text_url", "image_description",
		"language", "allowed_mentions",
	} {
		delete(unknown, known)
	}
	if len(unknown) > 0 {
		t.Errorf("unknown fields: %v", unknown)
	}
}

func exchanges(t *testing.T, dir string) func(yield func(recorded) bool) {
	return func(yield func(recorded) bool) {
		f, err := os.Open(filepath.Join(dir, "captures", "mastodon-exchanges.jsonl.gz"))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		z, err := gzip.NewReader(f)
		if err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(z)
		lines.Buffer(nil, 64<<20)
		for lines.Scan() {
			var x recorded
			if err := json.Unmarshal(lines.Bytes(), &x); err != nil {
				t.Fatal(err)
			}
			if !yield(x) {
				return
			}
		}
		if err := lines.Err(); err != nil {
			t.Fatal(err)
		}
	}
}

// A real answer with something wrong in it does not pass.
func TestSpoiltMastodon(t *testing.T) {
	t.Parallel()
	d := FromEnv(t)
	if d == nil {
		t.Skip(Variable + " is not set")
	}
	api := d.Mastodon(t)
	for x := range exchanges(t, d.Dir) {
		if x.Method != "POST" || x.Path != "/api/v1/statuses" || x.Status != 200 || strings.Contains(string(x.Body), "scheduled_at") {
			continue
		}
		for _, spoil := range []func(map[string]any){
			func(m map[string]any) { m["id"] = 7 },
			func(m map[string]any) { delete(m, "visibility") },
			func(m map[string]any) { m["visibility"] = "secret" },
			func(m map[string]any) { m["created_at"] = "now" },
			func(m map[string]any) { m["url"] = "nowhere" },
			func(m map[string]any) { m["account"].(map[string]any)["acct"] = nil },
			func(m map[string]any) { m["mentions"] = nil },
		} {
			var m map[string]any
			if err := json.Unmarshal(x.Body, &m); err != nil {
				t.Fatal(err)
			}
			spoil(m)
			body, _ := json.Marshal(m)
			if err := api.CheckResponse(x.Method, x.Path, x.Status, body); err == nil {
				t.Errorf("passed: %.200s", body)
			} else {
				t.Log(err)
			}
		}
		if err := api.CheckRequest("POST", "/api/v1/statuses", "", "application/json",
			[]byte(`{"status":"x","visibility":"direct","in_reply_to_id":"1","media_ids":["1"],"sensitive":true,"spoiler_text":"y","language":"en"}`)); err != nil {
			t.Error(err)
		}
		if err := api.CheckRequest("POST", "/api/v1/statuses", "", "application/json", []byte(`{"status":"x","reply_to":"1"}`)); err == nil {
			t.Error("an invented field passed")
		}
		if err := api.CheckRequest("GET", "/api/v1/notifications", "types[]=mention&limit=40&min_id=1&include_filtered=true", "", nil); err != nil {
			t.Error(err)
		}
		if err := api.CheckRequest("GET", "/api/v1/notifications", "types=mention", "", nil); err == nil {
			t.Error("a list without brackets passed")
		}
		return
	}
	t.Error("no status was recorded")
}

func TestOpenAI(t *testing.T) {
	t.Parallel()
	api := FromEnv(t).OpenAI(t)
	if api == nil {
		t.Skip(Variable + " is not set")
	}
	const path, js = "/v1/chat/completions", "application/json"
	for body, want := range map[string]string{
		`{"model":"m","messages":[{"role":"system","content":"x"},{"role":"user","content":"y"}],"max_tokens":5,"stop":["a"],"temperature":0.5}`: "",
		`{"model":"m","messages":[]}`:                                                       "$.messages: minItems",
		`{"model":"m","messages":[{"role":"user","content":"y"}],"top_k":1}`:                "not described: $.top_k",
		`{"model":"m","messages":[{"role":"user","content":"y","mood":"calm"}]}`:            "not described: $.messages[0].mood",
		`{"model":"m","messages":[{"role":"user","content":"y"}],"temperature":3}`:          "$.temperature: maximum",
		`{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"y"}]}]}`: "",
	} {
		if err := api.CheckRequest("POST", path, "", js, []byte(body)); !is(err, want) {
			t.Errorf("%s: got %v, want %q", body, err, want)
		}
	}
	if err := api.CheckResponse("POST", path, 429, []byte(`{"error":{"message":"x"}}`)); !is(err, "missing properties") {
		t.Errorf("got %v", err)
	}
}
