package llm

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestAnswersOfAllKinds(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		answer http.HandlerFunc
		want   Answer
	}{
		"cut at the limit": {
			reply(200, `{"choices":[{"finish_reason":"length","message":{"content":"Once upon a"}}]}`),
			Answer{Text: "Once upon a", Truncated: true},
		},
		"type text/plain, byte order mark": {
			reply(200, "\ufeff"+`{"choices":[{"message":{"content":"hi"}}]}`, "Content-Type", "text/plain; charset=latin1"),
			Answer{Text: "hi"},
		},
		"no type": {
			reply(200, "\n\n"+`{"choices":[{"message":{"content":"hi"}}]}`, "Content-Type", ""),
			Answer{Text: "hi"},
		},
		"fields of other types": {
			reply(201, `{"id":7,"created":1.5,"system_fingerprint":{},"error":null,"model":"m","usage":{"prompt_tokens":3.0,"completion_tokens":-1},
				"choices":[{"finish_reason":null,"message":{"content":"hi"}}]}`),
			Answer{Text: "hi", PromptTokens: 3, Model: "m"},
		},
		"usage of another shape": {
			reply(200, `{"usage":"free","choices":[{"message":{"content":"hi"}}]}`), Answer{Text: "hi"},
		},
		"in parts": {
			reply(200, `{"choices":[{"message":{"content":[{"type":"thinking","thinking":[]},{"type":"text","text":"Hello "},{"type":"text","text":"there"}]}}]}`),
			Answer{Text: "Hello there"},
		},
		"NUL and half a surrogate": {
			reply(200, `{"choices":[{"message":{"content":"a\u0000b\ud800c"}}]}`), Answer{Text: "ab\uFFFDc"},
		},
		"bytes that are not UTF-8": {
			reply(200, "{\"choices\":[{\"message\":{\"content\":\"a\xffb\"}}]}"), Answer{Text: "a\uFFFDb"},
		},
		"thoughts": {
			reply(200, `{"choices":[{"message":{"content":"\n<think>She greets me.</think>\n\nHello"}}]}`), Answer{Text: "Hello"},
		},
		"thoughts whose start is in the prompt": {
			reply(200, `{"choices":[{"message":{"content":"She greets me.\n</think>\nHello"}}]}`), Answer{Text: "Hello"},
		},
		"a mark inside the text": {
			reply(200, `{"choices":[{"message":{"content":"Write <think>…</think> around it"}}]}`), Answer{Text: "Write <think>…</think> around it"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := client(t, serve(t, tt.answer), nil).Complete(t.Context(), hello)
			if err != nil || got != tt.want {
				t.Errorf("got %+v, %v; want %+v", got, err, tt.want)
			}
		})
	}
}

// canned answers every request with one body.
type canned struct {
	status int
	body   string
}

func (c canned) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: c.status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(c.body))}, nil
}

func FuzzAnswer(f *testing.F) {
	for _, s := range []string{
		`{"choices":[{"message":{"content":"hi"}}]}`, `{"error":{"message":"no","code":401}}`, `{"error":"no"}`, `<html>`, ``, `[]`, `null`,
		`{"choices":[{"message":{"content":[{"type":"text","text":"x"}]}}],"usage":{"prompt_tokens":1e400}}`,
		`{"choices":[{"message":{"content":"<think>a</think>\u0000"}}]}`, "{\"error\":{\"message\":\"\xff\"}}", `{"choices":[null]}`,
	} {
		f.Add(200, s)
		f.Add(400, s)
	}
	f.Fuzz(func(t *testing.T, status int, body string) {
		if status < 200 || status > 599 {
			status = 200
		}
		c, err := New(Options{BaseURL: "http://127.0.0.1/v1", Key: testKey, Model: "tiny", MaxTokens: 5, Transport: canned{status, body}})
		if err != nil {
			t.Fatal(err)
		}
		a, err := c.Complete(t.Context(), hello)
		if err == nil && (a.Text == "" || !utf8.ValidString(a.Text) || strings.Contains(a.Text, "\x00")) {
			t.Errorf("unfit text %q", a.Text)
		}
		if err != nil && (ClassOf(err) == "" || !utf8.ValidString(err.Error()) || strings.Contains(err.Error(), "\n")) {
			t.Errorf("unfit error %q of class %q", err, ClassOf(err))
		}
		if a.PromptTokens < 0 || a.CompletionTokens < 0 {
			t.Errorf("negative tokens: %+v", a)
		}
	})
}
