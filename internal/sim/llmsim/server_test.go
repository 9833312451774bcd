package llmsim

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func start(t *testing.T, opt Options) *Server {
	t.Helper()
	s := New(opt)
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

type reply struct {
	status int
	header http.Header
	body   string
	// of the body, where it is JSON of the right form
	Choices []struct {
		Message struct {
			Role             string
			Content, Refusal *string
		}
		FinishReason string `json:"finish_reason"`
	}
	Model string
	Usage struct {
		Prompt     int `json:"prompt_tokens"`
		Completion int `json:"completion_tokens"`
		Total      int `json:"total_tokens"`
	}
	Error struct {
		Type, Message string
		Code, Param   *string
	}
}

func post(ctx context.Context, s *Server, key, body string) (*reply, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL()+"/chat/completions", strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	if key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, 4<<20))
	r := &reply{status: resp.StatusCode, header: resp.Header, body: string(data)}
	_ = json.Unmarshal(data, r) // some answers are no JSON on purpose
	return r, err
}

func mustPost(t *testing.T, s *Server, body string) *reply {
	t.Helper()
	r, err := post(t.Context(), s, "k", body)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

const hello = `{"model":"m","messages":[{"role":"system","content":"Be an owl."},{"role":"user","content":"@ada: what is the time, please?"}]}`

func TestAnswerIsWittyAndAlwaysTheSame(t *testing.T) {
	t.Parallel()
	s := start(t, Options{Key: "k", Now: func() time.Time { return time.Unix(42, 0) }})
	a, b := mustPost(t, s, hello), mustPost(t, s, hello)
	if a.status != 200 || len(a.Choices) != 1 || a.Choices[0].Message.Content == nil || a.Choices[0].FinishReason != "stop" || a.Model != "m" {
		t.Fatalf("answer: %d %s", a.status, a.body)
	}
	text := *a.Choices[0].Message.Content
	if text != *b.Choices[0].Message.Content || !strings.Contains(text, "“is the time please”") {
		t.Errorf("answers %q and %q", text, *b.Choices[0].Message.Content)
	}
	if u := a.Usage; u.Prompt != Tokens("Be an owl.")+Tokens("@ada: what is the time, please?") || u.Completion != Tokens(text) || u.Total != u.Prompt+u.Completion {
		t.Errorf("usage: %+v", u)
	}
	if n := len([]rune(text)); n > 200 || strings.Contains(text, "\n") {
		t.Errorf("not one short line: %q", text)
	}
	got := s.Requests()
	if len(got) != 2 || s.Count() != 2 || got[0].System() != "Be an owl." || got[0].Key != "k" || got[1].Number != 2 {
		t.Errorf("requests: %+v", got)
	}
	if !strings.Contains(a.body, `"created":42`) {
		t.Errorf("not the clock's time: %s", a.body)
	}
}

func TestWhoAsksIsNotQuoted(t *testing.T) {
	t.Parallel()
	for asked, want := range map[string]string{
		"@ada: one two\n@bob@art.example: see https://x.example/y now, really!": "“see now really”",
		"@ada: 🙂": "",
		"":        "",
	} {
		got := Witty(Request{Messages: []Message{{Role: "user", Text: asked}}}).Text
		if got == "" || !strings.Contains(got, want) || strings.Contains(got, "“”") {
			t.Errorf("%q: %q", asked, got)
		}
	}
}

func TestTheRequestsLimitsAreKept(t *testing.T) {
	t.Parallel()
	s := start(t, Options{Answer: func(Request) Answer { return Answer{Text: "one two three four ### five"} }})
	for add, want := range map[string][2]string{
		``:                               {"one two three four ### five", "stop"},
		`,"max_tokens":2`:                {"one two ", "length"},
		`,"max_completion_tokens":1`:     {"one ", "length"},
		`,"stop":["###"]`:                {"one two three four ", "stop"},
		`,"stop":"two","max_tokens":9`:   {"one ", "stop"},
		`,"max_tokens":null,"stop":null`: {"one two three four ### five", "stop"},
	} {
		r := mustPost(t, s, strings.TrimSuffix(hello, "}")+add+"}")
		if r.status != 200 {
			t.Errorf("%s: %s", add, r.body)
			continue
		}
		if c := r.Choices[0]; *c.Message.Content != want[0] || c.FinishReason != want[1] {
			t.Errorf("%s: %q %s", add, *c.Message.Content, c.FinishReason)
		}
	}
}

func TestWrongRequestsAreRefused(t *testing.T) {
	t.Parallel()
	s := start(t, Options{Key: "k", Models: []string{"m"}})
	for name, c := range map[string]struct {
		body   string
		status int
		param  string
	}{
		"no JSON":       {"{", 400, ""},
		"null":          {"null", 400, ""},
		"no messages":   {`{"model":"m"}`, 400, "messages"},
		"none":          {`{"model":"m","messages":[]}`, 400, "messages"},
		"null messages": {`{"model":"m","messages":null}`, 400, "messages"},
		"no model":      {`{"messages":[{"role":"user","content":"x"}]}`, 400, "model"},
		"role":          {`{"model":"m","messages":[{"role":"owl","content":"x"}]}`, 400, "messages[0]"},
		"no content":    {`{"model":"m","messages":[{"role":"user"}]}`, 400, "messages[0]"},
		"content":       {`{"model":"m","messages":[{"role":"user","content":3}]}`, 400, "messages[0]"},
		"unknown":       {`{"model":"m","messages":[{"role":"user","content":"x"}],"top_k":3}`, 400, "top_k"},
		"type":          {`{"model":"m","messages":[{"role":"user","content":"x"}],"temperature":"hot"}`, 400, "temperature"},
		"hot":           {`{"model":"m","messages":[{"role":"user","content":"x"}],"temperature":2.5}`, 400, "temperature"},
		"no tokens":     {`{"model":"m","messages":[{"role":"user","content":"x"}],"max_tokens":0}`, 400, "max_tokens"},
		"many stops":    {`{"model":"m","messages":[{"role":"user","content":"x"}],"stop":["a","b","c","d","e"]}`, 400, "stop"},
		"other model":   {`{"model":"n","messages":[{"role":"user","content":"x"}]}`, 404, ""},
	} {
		r := mustPost(t, s, c.body)
		if r.status != c.status || r.Error.Message == "" || r.Error.Type != "invalid_request_error" {
			t.Errorf("%s: %d %s", name, r.status, r.body)
		}
		if c.param != "" && (r.Error.Param == nil || *r.Error.Param != c.param) {
			t.Errorf("%s: param in %s", name, r.body)
		}
	}
	for _, key := range []string{"", "other"} {
		if r, err := post(t.Context(), s, key, hello); err != nil || r.status != 401 {
			t.Errorf("key %q: %v %v", key, r, err)
		}
	}
	if st := s.Stats(); st.Answered != 0 || st.Failed != st.Received {
		t.Errorf("counts: %+v", st)
	}
}

func TestModelsAndOtherPaths(t *testing.T) {
	t.Parallel()
	s := start(t, Options{Models: []string{"a", "b"}})
	for _, c := range []struct {
		method, path string
		status       int
		part         string
	}{
		{"GET", "/models", 200, `"id":"b"`},
		{"POST", "/models", 405, "Not allowed"},
		{"GET", "/chat/completions", 405, "Not allowed"},
		{"GET", "/other", 404, "unknown_url"},
	} {
		req, _ := http.NewRequestWithContext(t.Context(), c.method, s.URL()+c.path, nil)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		data, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if resp.StatusCode != c.status || !bytes.Contains(data, []byte(c.part)) {
			t.Errorf("%s %s: %d %s", c.method, c.path, resp.StatusCode, data)
		}
	}
	if s.Count() != 0 {
		t.Error("these are no chat completions")
	}
}

func TestFaultsWithAnAnswer(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		fault  Fault
		status int
		ct     string
		check  func(*reply) bool
	}{
		{Fault{Kind: RateLimited, RetryAfter: 1500 * time.Millisecond}, 429, "application/json", func(r *reply) bool {
			return r.header.Get("Retry-After") == "2" && *r.Error.Code == "rate_limit_exceeded"
		}},
		{Fault{Kind: RateLimited}, 429, "application/json", func(r *reply) bool { return r.header.Get("Retry-After") == "" }},
		{Fault{Kind: OutOfQuota}, 429, "application/json", func(r *reply) bool { return *r.Error.Code == "insufficient_quota" }},
		{Fault{Kind: ServerError}, 500, "application/json", func(r *reply) bool { return r.Error.Type == "server_error" }},
		{Fault{Kind: Unavailable, RetryAfter: time.Second}, 503, "application/json", func(r *reply) bool { return r.header.Get("Retry-After") == "1" }},
		{Fault{Kind: WrongKey}, 401, "application/json", func(r *reply) bool { return *r.Error.Code == "invalid_api_key" }},
		{Fault{Kind: HTMLPage}, 200, "text/html", func(r *reply) bool { return strings.HasPrefix(r.body, "<!DOCTYPE") }},
		{Fault{Kind: BadGateway}, 502, "text/html", func(r *reply) bool { return strings.HasPrefix(r.body, "<html>") }},
		{Fault{Kind: Slow, Delay: time.Millisecond}, 200, "application/json", func(r *reply) bool { return *r.Choices[0].Message.Content != "" }},
		{Fault{Kind: PlainText}, 200, "text/plain", func(r *reply) bool { return *r.Choices[0].Message.Content != "" }},
		{Fault{Kind: NoChoices}, 200, "application/json", func(r *reply) bool { return r.Choices != nil && len(r.Choices) == 0 }},
		{Fault{Kind: EmptyContent}, 200, "application/json", func(r *reply) bool { return *r.Choices[0].Message.Content == "" }},
		{Fault{Kind: Refuses}, 200, "application/json", func(r *reply) bool {
			return r.Choices[0].Message.Content == nil && *r.Choices[0].Message.Refusal != ""
		}},
		{Fault{Kind: Huge}, 200, "application/json", func(r *reply) bool { return len(*r.Choices[0].Message.Content) == 1<<20 }},
		{Fault{Kind: Truncated}, 200, "application/json", func(r *reply) bool { return !json.Valid([]byte(r.body)) && r.body != "" }},
		{Fault{Kind: NotJSON}, 200, "application/json", func(r *reply) bool { return !json.Valid([]byte(r.body)) }},
		{Fault{Kind: Says, Text: "hi @everyone"}, 200, "application/json", func(r *reply) bool { return *r.Choices[0].Message.Content == "hi @everyone" }},
	} {
		t.Run(string(c.fault.Kind), func(t *testing.T) {
			t.Parallel()
			s := start(t, Options{})
			s.Inject(c.fault)
			r := mustPost(t, s, hello)
			if r.status != c.status || !strings.HasPrefix(r.header.Get("Content-Type"), c.ct) || !c.check(r) {
				t.Errorf("%d %v %.300s", r.status, r.header, r.body)
			}
			if got := s.Requests()[0].Fault; got != c.fault.Kind {
				t.Errorf("remembered as %q", got)
			}
			if r := mustPost(t, s, hello); r.status != 200 || len(r.Choices) != 1 || r.header.Get("Content-Type") != "application/json" {
				t.Errorf("the next one: %d %s", r.status, r.body)
			}
		})
	}
}

func TestFaultsWithoutAWholeAnswer(t *testing.T) {
	t.Parallel()
	s := start(t, Options{})
	s.Inject(Fault{Kind: Reset}, Fault{Kind: CutOff}, Fault{Kind: Hang}, Fault{Kind: Endless, Delay: time.Millisecond}, Fault{Kind: Endless})

	if _, err := post(t.Context(), s, "", hello); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("reset: %v", err)
	}
	if r, err := post(t.Context(), s, "", hello); !errors.Is(err, io.ErrUnexpectedEOF) || r.status != 200 || r.body == "" {
		t.Errorf("cut off: %v %v", r, err)
	}
	// The client leaves as soon as its request has arrived; the server notices.
	for n := 3; n <= 4; n++ {
		ctx, leave := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := post(ctx, s, "", hello); !errors.Is(err, context.Canceled) {
				t.Errorf("request %d: %v", n, err)
			}
		})
		if err := s.WaitFor(t.Context(), func() bool { return s.Count() == n }); err != nil {
			t.Fatal(err)
		}
		leave()
		wg.Wait()
		if err := s.WaitFor(t.Context(), func() bool { return s.Stats().Left == n-2 && s.Stats().Open == 0 }); err != nil {
			t.Fatal(err)
		}
	}
	if r, err := post(t.Context(), s, "", hello); err != nil || len(r.body) != 4<<20 {
		t.Errorf("endless: %v", err)
	}
	if err := s.WaitFor(t.Context(), func() bool { return s.Stats().Left == 3 }); err != nil {
		t.Fatal(err)
	}
}

func TestCloseEndsWhatHangs(t *testing.T) {
	t.Parallel()
	s := start(t, Options{})
	s.Inject(Fault{Kind: Hang})
	var wg sync.WaitGroup
	wg.Go(func() {
		if _, err := post(t.Context(), s, "", hello); err == nil {
			t.Error("an answer came")
		}
	})
	if err := s.WaitFor(t.Context(), func() bool { return s.Count() == 1 }); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	wg.Wait()
	if s.Stats().Open != 0 {
		t.Error("a handler outlived Close")
	}
	if err := New(Options{}).Close(); err != nil {
		t.Errorf("close before start: %v", err)
	}
}

func TestWaitForEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := New(Options{}).WaitFor(ctx, func() bool { return false }); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestWhichRequestsAFaultMeets(t *testing.T) {
	t.Parallel()
	s := start(t, Options{})
	s.Inject(
		Fault{Kind: ServerError, Times: 2, When: func(r Request) bool { return strings.Contains(r.LastUser(), "time") }},
		Fault{Kind: Unavailable, Times: Always, When: func(r Request) bool { return r.Model == "down" }},
	)
	var got []int
	for _, body := range []string{
		hello, strings.Replace(hello, "time", "hour", 1), hello, hello,
		strings.Replace(hello, `"m"`, `"down"`, 1), strings.Replace(hello, `"m"`, `"down"`, 1),
	} {
		got = append(got, mustPost(t, s, body).status)
	}
	if fmt.Sprint(got) != "[500 200 500 200 503 503]" {
		t.Errorf("got %v", got)
	}
	s.ClearFaults()
	if r := mustPost(t, s, strings.Replace(hello, `"m"`, `"down"`, 1)); r.status != 200 {
		t.Errorf("after ClearFaults: %d", r.status)
	}
}

func TestChanceIsSeeded(t *testing.T) {
	t.Parallel()
	play := func(seed uint64) (got string) {
		s := start(t, Options{Seed: seed})
		s.Inject(Fault{Kind: ServerError, Times: Always, Probability: .5})
		for range 40 {
			got += fmt.Sprint(mustPost(t, s, hello).status, " ")
		}
		return got
	}
	a, b, c := play(1), play(1), play(2)
	if a != b || a == c || !strings.Contains(a, "200") || !strings.Contains(a, "500") {
		t.Errorf("\n%s\n%s\n%s", a, b, c)
	}
}

func TestManyAtOnceAndABoundedLog(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	told := 0
	s := start(t, Options{Keep: 5, Observe: func(x Exchange) {
		mu.Lock()
		defer mu.Unlock()
		told++
		if x.Method != "POST" || x.Path != "/v1/chat/completions" || string(x.ReqBody) != hello || x.ReqContentType != "application/json" ||
			(x.Status != 200 && x.Status != 500) || x.RespContentType != "application/json" || !json.Valid(x.RespBody) {
			t.Errorf("told of %+v", x)
		}
	}})
	s.Inject(Fault{Kind: ServerError, Times: 7})
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if _, err := post(t.Context(), s, "", hello); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if err := s.WaitFor(t.Context(), func() bool { return s.Stats().Open == 0 }); err != nil {
		t.Fatal(err)
	}
	if st := s.Stats(); st.Received != 20 || st.Failed != 7 || st.Answered != 13 || st.MostOpen < 1 {
		t.Errorf("counts: %+v", st)
	}
	if got := s.Requests(); len(got) != 5 || got[4].Number != 20 {
		t.Errorf("%d remembered", len(got))
	}
	mu.Lock()
	defer mu.Unlock()
	if told != 20 {
		t.Errorf("told of %d", told)
	}
}

func TestStream(t *testing.T) {
	t.Parallel()
	s := start(t, Options{Answer: func(Request) Answer { return Answer{Text: "tick tock tick"} }})
	r := mustPost(t, s, strings.TrimSuffix(hello, "}")+`,"stream":true,"stream_options":{"include_usage":true}}`)
	var text, finish string
	var total int
	events := strings.Split(strings.TrimSuffix(r.body, "\n\n"), "\n\n")
	for _, e := range events[:len(events)-1] {
		var v struct {
			Object  string
			Choices []struct {
				Delta        struct{ Content string }
				FinishReason string `json:"finish_reason"`
			}
			Usage struct {
				Total int `json:"total_tokens"`
			}
		}
		if err := json.Unmarshal([]byte(strings.TrimPrefix(e, "data: ")), &v); err != nil || v.Object != "chat.completion.chunk" {
			t.Fatalf("%q: %v", e, err)
		}
		for _, c := range v.Choices {
			text += c.Delta.Content
			finish += c.FinishReason
		}
		total += v.Usage.Total
	}
	if text != "tick tock tick" || finish != "stop" || total == 0 || events[len(events)-1] != "data: [DONE]" ||
		r.header.Get("Content-Type") != "text/event-stream" {
		t.Errorf("%q %q %d %q", text, finish, total, r.body)
	}
}

func FuzzReadRequest(f *testing.F) {
	f.Add([]byte(hello))
	f.Add([]byte(`{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"a"},{"type":"image_url"}]}],"stop":"x","n":2}`))
	f.Add([]byte(asking("user", dataURI("image/png", picture(f, "png", 3, 2)), "low")))
	f.Fuzz(func(t *testing.T, body []byte) {
		r, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, "/", nil)
		r.Header.Set("Content-Type", "application/json")
		req, wrong := readRequest(r, body)
		if wrong != nil {
			if !json.Valid(wrong.json()) {
				t.Error("the error is no JSON")
			}
			return
		}
		if len(req.Messages) == 0 || req.Model == "" || req.N < 1 {
			t.Errorf("taken: %+v", req)
		}
		if Witty(req).Text == "" {
			t.Error("nothing to say")
		}
	})
}
