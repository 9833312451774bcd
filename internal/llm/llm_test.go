package llm

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

const testKey = "sk-test-SECRET-0123456789"

var hello = []Message{{Role: System, Text: "You are a lighthouse."}, {Role: User, Text: "Hello?"}}

// endpoint is a small model server: it notes every request and answers with
// the steps in turn, the last one for ever.
type endpoint struct {
	*httptest.Server
	mu    sync.Mutex
	steps []http.HandlerFunc
	seen  []seen
}

type seen struct {
	path   string
	header http.Header
	body   string
}

func (s seen) fields(t *testing.T) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal([]byte(s.body), &m); err != nil {
		t.Fatalf("request is not JSON: %v\n%s", err, s.body)
	}
	return m
}

func serve(t *testing.T, steps ...http.HandlerFunc) *endpoint {
	t.Helper()
	e := &endpoint{steps: steps}
	e.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		e.mu.Lock()
		e.seen = append(e.seen, seen{r.URL.Path, r.Header.Clone(), string(b)})
		step := e.steps[0]
		if len(e.steps) > 1 {
			e.steps = e.steps[1:]
		}
		e.mu.Unlock()
		step(w, r)
	}))
	t.Cleanup(e.Close)
	return e
}

func (e *endpoint) requests() []seen {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.seen
}

// reply answers with a status and a body; pairs are header names and values.
func reply(status int, body string, pairs ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		for i := 0; i+1 < len(pairs); i += 2 {
			w.Header().Set(pairs[i], pairs[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// says is a good answer with this text.
func says(text string) http.HandlerFunc {
	b, _ := json.Marshal(text)
	return reply(200, `{"id":"c-1","object":"chat.completion","created":1700000000,"model":"tiny-2026",
		"choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":`+string(b)+`,"refusal":null}}],
		"usage":{"prompt_tokens":12,"completion_tokens":3,"total_tokens":15}}`)
}

// client asks e, with pauses too short to notice.
func client(t *testing.T, e *endpoint, change func(*Options)) *Client {
	t.Helper()
	o := Options{BaseURL: e.URL + "/v1", Key: testKey, Model: "tiny", Transport: e.Client().Transport}
	if change != nil {
		change(&o)
	}
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	c.pause = time.Millisecond
	return c
}

func TestComplete(t *testing.T) {
	t.Parallel()
	e := serve(t, says("  Ahoy!\n"))
	c := client(t, e, func(o *Options) { o.UserAgent = "Rookery/1 (+https://bot.example)"; o.BaseURL += "/" })
	got, err := c.Complete(t.Context(), append([]Message{{Role: User, Text: "\x00 "}, {Role: User}}, hello...))
	if err != nil {
		t.Fatal(err)
	}
	if want := (Answer{Text: "Ahoy!", PromptTokens: 12, CompletionTokens: 3, Model: "tiny-2026"}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	r := e.requests()[0]
	if r.path != "/v1/chat/completions" {
		t.Errorf("path %s", r.path)
	}
	if got := r.header.Get("Authorization"); got != "Bearer "+testKey {
		t.Errorf("Authorization %q", got)
	}
	if got := r.header.Get("User-Agent"); got != "Rookery/1 (+https://bot.example)" {
		t.Errorf("User-Agent %q", got)
	}
	want := map[string]any{
		"model": "tiny", "stream": false,
		"messages": []any{
			// The one of a blank is kept: only NUL is removed.
			map[string]any{"role": "user", "content": " "},
			map[string]any{"role": "system", "content": "You are a lighthouse."},
			map[string]any{"role": "user", "content": "Hello?"},
		},
	}
	if d := cmp.Diff(want, r.fields(t)); d != "" {
		t.Error(d)
	}
}

func TestParametersAreSentAsGiven(t *testing.T) {
	t.Parallel()
	zero, some := float32(0), float32(0.7)
	tests := map[string]struct {
		set  func(*Options)
		want map[string]any
	}{
		"all zero": {
			func(o *Options) {
				o.Temperature, o.TopP, o.FrequencyPenalty, o.PresencePenalty = &zero, &zero, &zero, &zero
			},
			map[string]any{"temperature": 0.0, "top_p": 0.0, "frequency_penalty": 0.0, "presence_penalty": 0.0},
		},
		"some": {
			func(o *Options) { o.Temperature, o.MaxTokens, o.Stop = &some, 300, []string{"\n@", "END"} },
			map[string]any{"temperature": 0.7, "max_tokens": 300.0, "stop": []any{"\n@", "END"}},
		},
		// go-openai refuses both for a model of this name, where the endpoint
		// behind a proxy may take them.
		"name of a reasoning model": {
			func(o *Options) { o.Model, o.Temperature, o.MaxTokens = "o3-mini", &some, 300 },
			map[string]any{"temperature": 0.7, "max_tokens": 300.0},
		},
		"none": {func(*Options) {}, map[string]any{}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := serve(t, says("yes"))
			if _, err := client(t, e, tt.set).Complete(t.Context(), hello); err != nil {
				t.Fatal(err)
			}
			got := e.requests()[0].fields(t)
			for _, k := range []string{"model", "messages", "stream"} {
				delete(got, k)
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestRequestMatchesPublishedDescription(t *testing.T) {
	t.Parallel()
	dir := os.Getenv("ROOKERY_TESTDATA")
	if dir == "" {
		t.Skip("ROOKERY_TESTDATA does not name the folder with the published API descriptions")
	}
	f, err := os.Open(filepath.Join(dir, "specs", "openai-openapi.json"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	doc, err := jsonschema.UnmarshalJSON(f)
	if err != nil {
		t.Fatal(err)
	}
	jc := jsonschema.NewCompiler()
	if err := jc.AddResource("openai.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := jc.Compile("openai.json#/components/schemas/CreateChatCompletionRequest")
	if err != nil {
		t.Fatal(err)
	}
	zero := float32(0)
	e := serve(t, says("yes"))
	c := client(t, e, func(o *Options) {
		o.Temperature, o.TopP, o.FrequencyPenalty, o.PresencePenalty = &zero, &zero, &zero, &zero
		o.MaxTokens, o.Stop = 300, []string{"END"}
	})
	if _, err := c.Complete(t.Context(), append(hello, Message{Role: Assistant, Text: "Ahoy"},
		Message{Role: User, Text: "Ship", Images: []Image{{"image/jpeg", []byte("\xff\xd8\xff")}}})); err != nil {
		t.Fatal(err)
	}
	body, err := jsonschema.UnmarshalJSON(strings.NewReader(e.requests()[0].body))
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(body); err != nil {
		t.Error(err)
	}
	if err := schema.Validate(map[string]any{"model": "tiny", "messages": "hello"}); err == nil {
		t.Error("the schema takes anything: the check above says nothing")
	}
}

func TestLimitOfTokensIsRenamedOnceAndLearnt(t *testing.T) {
	t.Parallel()
	refuse := func(name string) http.HandlerFunc {
		other := map[string]string{"max_tokens": "max_completion_tokens", "max_completion_tokens": "max_tokens"}[name]
		return reply(400, `{"error":{"message":"Unsupported parameter: '`+name+`' is not supported with this model. Use '`+other+
			`' instead.","type":"invalid_request_error","param":"`+name+`","code":"unsupported_parameter"}}`)
	}
	limits := func(e *endpoint) (names []string) {
		for _, r := range e.requests() {
			for _, n := range []string{"max_tokens", "max_completion_tokens"} {
				if r.fields(t)[n] == 300.0 {
					names = append(names, n)
				}
			}
		}
		return names
	}
	set := func(o *Options) { o.MaxTokens = 300 }

	t.Run("learnt, and unlearnt when the server behind changes", func(t *testing.T) {
		t.Parallel()
		e := serve(t, refuse("max_tokens"), says("one"), says("two"), refuse("max_completion_tokens"), says("three"))
		c := client(t, e, set)
		for range 3 {
			if _, err := c.Complete(t.Context(), hello); err != nil {
				t.Fatal(err)
			}
		}
		want := []string{"max_tokens", "max_completion_tokens", "max_completion_tokens", "max_completion_tokens", "max_tokens"}
		if d := cmp.Diff(want, limits(e)); d != "" {
			t.Error(d)
		}
	})
	t.Run("a server that refuses both is not asked for ever", func(t *testing.T) {
		t.Parallel()
		e := serve(t, refuse("max_tokens"), refuse("max_completion_tokens"))
		_, err := client(t, e, set).Complete(t.Context(), hello)
		if ClassOf(err) != Invalid || len(e.requests()) != 2 {
			t.Errorf("class %q after %d requests: %v", ClassOf(err), len(e.requests()), err)
		}
	})
	t.Run("a limit too high is not a wrong name", func(t *testing.T) {
		t.Parallel()
		e := serve(t, reply(400, `{"error":{"message":"max_tokens is too large: 300. This model takes at most 200.",
			"param":"max_tokens","code":"invalid_value"}}`))
		_, err := client(t, e, set).Complete(t.Context(), hello)
		if ClassOf(err) != Invalid || len(e.requests()) != 1 || !strings.Contains(err.Error(), "max_tokens is too large") {
			t.Errorf("class %q after %d requests: %v", ClassOf(err), len(e.requests()), err)
		}
	})
}

func TestRedirectIsNotFollowed(t *testing.T) {
	t.Parallel()
	elsewhere := serve(t, says("I read it all"))
	e := serve(t, reply(308, "", "Location", elsewhere.URL+"/v1/chat/completions?token=abc"))
	_, err := client(t, e, nil).Complete(t.Context(), hello)
	if ClassOf(err) != Invalid || !strings.Contains(err.Error(), elsewhere.URL) || strings.Contains(err.Error(), "abc") {
		t.Errorf("class %q: %v", ClassOf(err), err)
	}
	if len(elsewhere.requests()) != 0 {
		t.Error("the conversation went to a host that nobody configured")
	}
}

func TestNewNamesTheSettingToMend(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		change func(*Options)
		want   string
	}{
		"no address":        {func(o *Options) { o.BaseURL = " " }, "llm.base_url is empty"},
		"no scheme":         {func(o *Options) { o.BaseURL = "localhost:11434/v1" }, "llm.base_url is not a web address"},
		"whole path":        {func(o *Options) { o.BaseURL += "/chat/completions/" }, "leave out /chat/completions"},
		"query":             {func(o *Options) { o.BaseURL += "?key=1" }, "must not have a ?"},
		"no model":          {func(o *Options) { o.Model = "" }, "llm.model"},
		"key of two lines":  {func(o *Options) { o.Key = testKey + "\nx" }, "copy it again"},
		"negative time-out": {func(o *Options) { o.Timeout = -1 }, "llm.timeout"},
		"negative retries":  {func(o *Options) { o.Retries = -1 }, "llm.retries"},
		"negative limit":    {func(o *Options) { o.MaxTokens = -1 }, "llm.max_tokens"},
		"another section":   {func(o *Options) { o.Model, o.Section = "", "gallery.vision" }, "gallery.vision.model is empty"},
		"another limit":     {func(o *Options) { o.MaxTokens, o.TokensKey = -1, "gallery.max_tokens" }, "gallery.max_tokens is below zero"},
	}
	good := Options{BaseURL: "https://user:" + testKey + "@model.example/v1", Key: " " + testKey + "\n", Model: "tiny"}
	if _, err := New(good); err != nil {
		t.Fatal(err)
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := good
			tt.change(&o)
			_, err := New(o)
			if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), testKey) {
				t.Errorf("got %v, want %q in it", err, tt.want)
			}
		})
	}
}

func TestNothingToAsk(t *testing.T) {
	t.Parallel()
	e := serve(t, says("x"))
	_, err := client(t, e, nil).Complete(context.Background(), []Message{{Role: User}})
	if ClassOf(err) != Invalid || len(e.requests()) != 0 {
		t.Errorf("class %q after %d requests: %v", ClassOf(err), len(e.requests()), err)
	}
}
