package llm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestFailuresHaveAClassAndAdvice(t *testing.T) {
	t.Parallel()
	long := strings.Repeat(" ", maxBody+1)
	tests := map[string]struct {
		answer http.HandlerFunc
		class  Class
		status int
		says   string
	}{
		"wrong key": {
			reply(401, `{"error":{"message":"Incorrect API key provided: sk-test-S****6789.","code":"invalid_api_key"}}`),
			Auth, 401, "check the key",
		},
		"no access":        {reply(403, `{"error":{"message":"country not supported"}}`), Auth, 403, "country not supported"},
		"no credit, 402":   {reply(402, `{"error":{"code":402,"message":"Insufficient credits"}}`), Auth, 402, "no credit left"},
		"no credit, 429":   {reply(429, `{"error":{"message":"You exceeded your quota","code":"insufficient_quota"}}`), Auth, 429, "no credit left"},
		"too many":         {reply(429, `{"error":{"message":"slow down"}}`), Rate, 429, "slow down"},
		"too many, a page": {reply(429, `<html>`), Rate, 429, "too many requests"},
		"filter of Azure": {
			reply(400, `{"error":{"message":"The response was filtered","code":"content_filter","innererror":{"content_filter_result":{"hate":{"filtered":true}}}}}`),
			Refused, 400, "filter",
		},
		"flagged":        {reply(403, `{"error":{"code":403,"message":"Your input was flagged"}}`), Refused, 403, "flagged"},
		"filter is down": {reply(500, `{"error":{"message":"moderation service unavailable"}}`), Transient, 500, "in trouble"},
		"too long, OpenAI": {
			reply(400, `{"error":{"message":"This model's maximum context length is 8192 tokens.","code":"context_length_exceeded","param":"messages"}}`),
			TooLarge, 400, "shorten the prompt",
		},
		"too long, llama.cpp": {
			reply(400, `{"error":{"code":400,"message":"the request exceeds the available context size","type":"exceed_context_size_error"}}`),
			TooLarge, 400, "too long for tiny",
		},
		"too long, proxy":  {reply(413, `<html>413`), TooLarge, 413, "too long"},
		"body without end": {reply(200, long), TooLarge, 200, "larger than 4 MiB"},
		"loading": {reply(503, `{"error":{"code":503,"message":"Loading model","type":"unavailable_error"}}`),
			Transient, 503, "Loading model"},
		"proxy's page":          {reply(502, `<html>Bad gateway`, "Content-Type", "text/html"), Transient, 502, "in trouble (502)"},
		"web page":              {reply(200, "\n<!doctype html>", "Content-Type", "text/html"), Transient, 200, "it usually ends in /v1"},
		"not JSON":              {reply(200, `hello`), Transient, 200, "not JSON"},
		"half of it":            {reply(200, `{"choices":[{"mess`), Transient, 200, "not JSON"},
		"other shape":           {reply(200, `{"choices":"no"}`), Transient, 200, "cannot read"},
		"error in a 200":        {reply(200, `{"error":{"message":"upstream died","code":"x"}}`), Transient, 502, "upstream died"},
		"error 401 in a 200":    {reply(200, `{"error":{"message":"no","code":401}}`), Auth, 401, "check the key"},
		"broke off":             {reply(200, `{"choices":[{"finish_reason":"error","message":{"content":"Well"}}]}`), Transient, 200, "in the middle"},
		"unknown model":         {reply(404, `{"error":{"message":"model \"tiny\" not found","code":null}}`), Invalid, 404, "check llm.model"},
		"unknown address":       {reply(404, `404 page not found`), Invalid, 404, "it usually ends in /v1"},
		"unknown address, HTML": {reply(405, `<html>`), Invalid, 405, "it usually ends in /v1"},
		"parameter": {
			reply(400, `{"error":{"message":"'temperature' does not support 0.7","param":"temperature","code":"unsupported_value"}}`),
			Invalid, 400, "refused the parameter temperature",
		},
		"error as text":     {reply(400, `{"error":"bad things\nhappened"}`), Invalid, 400, "bad things happened"},
		"error as message":  {reply(400, `{"object":"error","message":"no such role","code":40001}`), Invalid, 400, "no such role"},
		"error as detail":   {reply(422, `{"detail":[{"loc":["body"],"msg":"field required"}]}`), Invalid, 422, "field required"},
		"model refuses":     {reply(200, `{"choices":[{"message":{"content":null,"refusal":"I won't."}}]}`), Refused, 200, "I won't"},
		"filter stops":      {reply(200, `{"choices":[{"finish_reason":"content_filter","message":{"content":"Half a"}}]}`), Refused, 200, "filter"},
		"no choices":        {reply(200, `{"choices":[]}`), Empty, 200, "answered nothing"},
		"nothing at all":    {reply(200, `{}`), Empty, 200, "answered nothing"},
		"no text":           {reply(200, `{"choices":[{"message":{"content":" \n"}}]}`), Empty, 200, "without text"},
		"thoughts only":     {reply(200, `{"choices":[{"finish_reason":"length","message":{"content":"<think>hm"}}]}`), Empty, 200, "raise llm.max_tokens"},
		"key in the answer": {reply(500, `{"error":{"message":"bad header Bearer `+testKey+`"}}`), Transient, 500, "[key]"},
		"connection cut":    {hangUp, Transient, 0, "cannot reach the model endpoint"},
		"body cut":          {bodyCut, Transient, 0, "cannot reach the model endpoint"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := serve(t, tt.answer)
			a, err := client(t, e, nil).Complete(t.Context(), hello)
			if ClassOf(fmt.Errorf("answer ada: %w", err)) != tt.class || a.Text != "" {
				t.Fatalf("class %q, want %q; answer %+v: %v", ClassOf(err), tt.class, a, err)
			}
			if got := mustError(t, err); got.Status != tt.status {
				t.Errorf("status %d, want %d", got.Status, tt.status)
			}
			said := err.Error()
			if !strings.Contains(said, tt.says) {
				t.Errorf("%q does not say %q", said, tt.says)
			}
			if strings.Contains(said, testKey) || strings.Contains(said, "6789") || strings.ContainsAny(said, "\n\x00") {
				t.Errorf("not fit for a log: %q", said)
			}
			if n := len(e.requests()); n != 1 {
				t.Errorf("%d requests without retries", n)
			}
		})
	}
}

func mustError(t *testing.T, err error) *Error {
	t.Helper()
	e, ok := errors.AsType[*Error](err)
	if !ok {
		t.Fatalf("%T is not *Error: %v", err, err)
	}
	return e
}

// hangUp closes the connection without an answer.
func hangUp(w http.ResponseWriter, _ *http.Request) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err == nil {
		_ = conn.Close()
	}
}

// bodyCut promises more than it sends.
func bodyCut(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Length", "100")
	_, _ = io.WriteString(w, `{"choices":`)
}

func TestTokensAreToldEvenWithoutText(t *testing.T) {
	t.Parallel()
	e := serve(t, reply(200, `{"choices":[{"message":{"refusal":"no"}}],"usage":{"prompt_tokens":40,"completion_tokens":2}}`))
	a, err := client(t, e, nil).Complete(t.Context(), hello)
	if ClassOf(err) != Refused || a.PromptTokens != 40 || a.CompletionTokens != 2 {
		t.Errorf("got %+v, %v", a, err)
	}
}

func TestClassOfForeignErrors(t *testing.T) {
	t.Parallel()
	for _, err := range []error{nil, io.EOF, context.Canceled} {
		if got := ClassOf(err); got != "" {
			t.Errorf("ClassOf(%v) = %q", err, got)
		}
	}
}

func TestUnreachable(t *testing.T) {
	t.Parallel()
	e := serve(t, says("x"))
	e.Close()
	c := client(t, e, func(o *Options) {
		o.BaseURL = strings.Replace(o.BaseURL, "http://", "http://ada:"+testKey+"@", 1)
		o.Transport = &http.Transport{}
	})
	_, err := c.Complete(t.Context(), hello)
	if ClassOf(err) != Transient || strings.Contains(err.Error(), testKey) || !strings.Contains(err.Error(), "check llm.base_url") {
		t.Errorf("class %q: %v", ClassOf(err), err)
	}
}

// endless sends a good beginning and then spaces until the client goes away.
func endless(w http.ResponseWriter, r *http.Request) {
	_, _ = io.WriteString(w, `{"choices":[`)
	_ = http.NewResponseController(w).Flush()
	<-r.Context().Done()
}

func TestBodyWithoutEndIsCutByTheTimeout(t *testing.T) {
	t.Parallel()
	e := serve(t, endless)
	c := client(t, e, func(o *Options) { o.Timeout, o.Retries = 50*time.Millisecond, 5 })
	_, err := c.Complete(t.Context(), hello)
	if ClassOf(err) != Transient || !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "raise llm.timeout") {
		t.Errorf("class %q: %v", ClassOf(err), err)
	}
	if n := len(e.requests()); n != 1 {
		t.Errorf("%d requests: the time-out is for all of them", n)
	}
}

func TestCancelledByTheCaller(t *testing.T) {
	t.Parallel()
	for name, cause := range map[string]error{"plain": nil, "with a cause": errors.New("shutting down")} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancelCause(t.Context())
			e := serve(t, func(w http.ResponseWriter, r *http.Request) { cancel(cause); endless(w, r) })
			_, err := client(t, e, func(o *Options) { o.Retries = 5 }).Complete(ctx, hello)
			if ClassOf(err) != Transient || !errors.Is(err, context.Canceled) {
				t.Errorf("class %q: %v", ClassOf(err), err)
			}
			if cause != nil && !errors.Is(err, cause) {
				t.Errorf("the cause is lost: %v", err)
			}
			if n := len(e.requests()); n != 1 {
				t.Errorf("%d requests after the caller gave up", n)
			}
		})
	}
}

func TestCallersDeadline(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := client(t, serve(t, endless), nil).Complete(ctx, hello)
	if ClassOf(err) != Transient || !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "caller's deadline") {
		t.Errorf("class %q: %v", ClassOf(err), err)
	}
}

func TestRetries(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	busy, died := reply(429, `{}`), reply(500, `{}`)
	tests := map[string]struct {
		steps    []http.HandlerFunc
		retries  int
		requests int
		class    Class // "" for success
		retryAt  time.Time
	}{
		"helps":                {[]http.HandlerFunc{died, hangUp, busy, says("at last")}, 3, 4, "", time.Time{}},
		"one too few":          {[]http.HandlerFunc{died, died, died, says("too late")}, 2, 3, Transient, time.Time{}},
		"not for a wrong key":  {[]http.HandlerFunc{reply(401, `{}`), says("x")}, 3, 1, Auth, time.Time{}},
		"not for a refusal":    {[]http.HandlerFunc{reply(200, `{"choices":[{"message":{"refusal":"no"}}]}`)}, 3, 1, Refused, time.Time{}},
		"not for an empty one": {[]http.HandlerFunc{reply(200, `{"choices":[]}`)}, 3, 1, Empty, time.Time{}},
		"short wait":           {[]http.HandlerFunc{reply(429, `{}`, "Retry-After-Ms", "2", "Retry-After", "60"), says("x")}, 1, 2, "", time.Time{}},
		"long wait":            {[]http.HandlerFunc{reply(429, `{}`, "Retry-After", "60"), says("x")}, 3, 1, Rate, now.Add(time.Minute)},
		"long wait of a server in trouble": {
			[]http.HandlerFunc{reply(503, `{}`, "Retry-After", "120"), says("x")}, 3, 1, Transient, now.Add(2 * time.Minute),
		},
		"date": {
			[]http.HandlerFunc{reply(429, `{}`, "Date", "Fri, 20 Nov 2026 08:00:00 GMT", "Retry-After", "Fri, 20 Nov 2026 08:00:30 GMT")},
			3, 1, Rate, now.Add(30 * time.Second),
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var log bytes.Buffer
			e := serve(t, tt.steps...)
			c := client(t, e, func(o *Options) {
				o.Retries = tt.retries
				o.Now = func() time.Time { return now }
				o.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
			})
			_, err := c.Complete(t.Context(), hello)
			if ClassOf(err) != tt.class || len(e.requests()) != tt.requests {
				t.Fatalf("class %q after %d requests, want %q after %d: %v", ClassOf(err), len(e.requests()), tt.class, tt.requests, err)
			}
			if err != nil && !mustError(t, err).RetryAt.Equal(tt.retryAt) {
				t.Errorf("retry at %v, want %v", mustError(t, err).RetryAt, tt.retryAt)
			}
			if s := log.String(); strings.Contains(s, testKey) || strings.Contains(s, "lighthouse") {
				t.Errorf("the log holds the key or the conversation: %s", s)
			}
			if tt.requests > 1 && log.Len() == 0 {
				t.Error("retries leave no trace in the log")
			}
		})
	}
}

func TestNoRetryWithoutTimeForIt(t *testing.T) {
	t.Parallel()
	e := serve(t, reply(429, `{}`, "Retry-After", "9"), says("x"))
	_, err := client(t, e, func(o *Options) { o.Timeout, o.Retries = 5*time.Second, 3 }).Complete(t.Context(), hello)
	if ClassOf(err) != Rate || mustError(t, err).RetryAt.IsZero() {
		t.Errorf("class %q: %v", ClassOf(err), err)
	}
}

func FuzzRetryAfter(f *testing.F) {
	for _, s := range []string{"", "7", "-1", "1e99", "NaN", "Inf", "0.5", "Fri, 20 Nov 2026 08:00:30 GMT", "soon"} {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, after, ms string) {
		h := http.Header{"Retry-After": {after}, "Retry-After-Ms": {ms}}
		if d, _ := retryAfter(h, time.Now()); d < 0 || d > longestWait {
			t.Errorf("%q, %q: %v", after, ms, d)
		}
	})
}

// Whoever wrote the model into another section than [llm] looks there.
func TestErrorsNameTheSectionThatTheModelIsIn(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		answer http.HandlerFunc
		says   string
	}{
		"key":             {reply(401, `{}`), "pictures.api_key_env or pictures.api_key_file"},
		"model":           {reply(404, `{"error":{"message":"no such model"}}`), "check pictures.model, and pictures.base_url"},
		"request":         {reply(400, `{"error":"no"}`), "check pictures.model and the parameters"},
		"unknown address": {reply(404, `404`), "check pictures.base_url"},
		"moved":           {reply(308, ``, "Location", "https://new.example/v1/chat/completions"), "in pictures.base_url"},
		"web page":        {reply(200, `<html>`), "check pictures.base_url"},
		"not JSON":        {reply(200, `hello`), "check pictures.base_url"},
		"too long":        {reply(413, `<html>413`), "lower words.most"},
		"thoughts only":   {reply(200, `{"choices":[{"finish_reason":"length","message":{"content":"<think>hm"}}]}`), "raise words.most"},
		"connection cut":  {hangUp, "check pictures.base_url"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := client(t, serve(t, tt.answer), func(o *Options) { o.Section, o.TokensKey = "pictures", "words.most" }).Complete(t.Context(), hello)
			if err == nil || !strings.Contains(err.Error(), tt.says) || strings.Contains(err.Error(), "llm.") {
				t.Errorf("got %v, want %q in it", err, tt.says)
			}
		})
	}
}
