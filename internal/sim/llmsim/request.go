package llmsim

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strings"
)

// Request is a chat completion that was asked for.
type Request struct {
	Number           int    // from 1
	Key              string // bearer key that came with it
	Model            string
	Messages         []Message
	MaxTokens        int // the lower of max_tokens and max_completion_tokens; 0: not given
	Temperature      *float64
	TopP             *float64
	FrequencyPenalty *float64
	PresencePenalty  *float64
	Stop             []string
	N                int // answers asked for, at least 1
	Stream           bool
	StreamUsage      bool
	Fault            Kind   // the fault that it met; empty for none
	Err              string // why it was refused as wrong; empty when it was right
	Body             []byte // as it came
}

// Message is one message of the conversation. Parts of text are joined with a
// line feed; what is neither text nor a picture is counted in Others.
type Message struct {
	Role   string
	Name   string
	Text   string
	Images []Image
	Others int
}

// LastUser is the text of the last message whose role is user.
func (r Request) LastUser() string {
	for _, m := range slices.Backward(r.Messages) {
		if m.Role == "user" {
			return m.Text
		}
	}
	return ""
}

// System is the text of all system and developer messages, one below another.
func (r Request) System() string {
	var all []string
	for _, m := range r.Messages {
		if m.Role == "system" || m.Role == "developer" {
			all = append(all, m.Text)
		}
	}
	return strings.Join(all, "\n")
}

// Tokens counts a text's tokens the way this server does: four characters
// make one, and what is left over makes another.
func Tokens(text string) int { return (len([]rune(text)) + 3) / 4 }

// PromptTokens is what the prompt costs.
func (r Request) PromptTokens() int {
	n := 0
	for _, m := range r.Messages {
		n += Tokens(m.Text)
		for _, i := range m.Images {
			n += i.Tokens()
		}
	}
	return n
}

// parameters are the fields that the reference knows for this request
// (components/schemas/CreateChatCompletionRequest and what it includes); the
// real API refuses others.
func parameters() []string {
	return []string{
		"audio", "frequency_penalty", "function_call", "functions", "logit_bias", "logprobs",
		"max_completion_tokens", "max_tokens", "messages", "metadata", "modalities", "model",
		"moderation", "n", "parallel_tool_calls", "prediction", "presence_penalty",
		"prompt_cache_key", "prompt_cache_options", "prompt_cache_retention", "reasoning_effort",
		"response_format", "safety_identifier", "seed", "service_tier", "stop", "store", "stream",
		"stream_options", "temperature", "tool_choice", "tools", "top_logprobs", "top_p", "user",
		"verbosity", "web_search_options",
	}
}

func bearer(r *http.Request) string {
	key, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return ""
	}
	return strings.TrimSpace(key)
}

// readRequest decodes and checks a request as the reference has it. The
// Request holds as much as could be read, even when there is an error.
func readRequest(r *http.Request, body []byte) (Request, *apiError) {
	req := Request{Key: bearer(r), Body: body, N: 1}
	bad := func(param, format string, args ...any) (Request, *apiError) {
		req.Err = fmt.Sprintf(format, args...)
		return req, &apiError{"invalid_request_error", "", param, req.Err}
	}
	if ct, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || ct != "application/json" {
		return bad("", "The Content-Type has to be application/json.")
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(body, &fields); err != nil || fields == nil {
		return bad("", "The body could not be parsed as a JSON object.")
	}
	known := parameters()
	for _, name := range sortedKeys(fields) {
		if !slices.Contains(known, name) {
			return bad(name, "Unrecognized request argument supplied: %s", name)
		}
	}
	d := decoder{fields: fields}
	d.decode("model", &req.Model)
	var stop json.RawMessage
	d.decode("stop", &stop)
	var most, mostToo *int
	d.decode("max_tokens", &most)
	d.decode("max_completion_tokens", &mostToo)
	d.decode("temperature", &req.Temperature)
	d.decode("top_p", &req.TopP)
	d.decode("frequency_penalty", &req.FrequencyPenalty)
	d.decode("presence_penalty", &req.PresencePenalty)
	d.decode("n", &req.N)
	d.decode("stream", &req.Stream)
	var streaming struct {
		IncludeUsage bool `json:"include_usage"`
	}
	d.decode("stream_options", &streaming)
	req.StreamUsage = streaming.IncludeUsage
	var messages []json.RawMessage
	d.decode("messages", &messages)
	if d.bad != "" {
		return bad(d.bad, "Invalid type for '%s'.", d.bad)
	}
	for i, raw := range messages {
		m, err := readMessage(raw)
		var part *wrongPart
		if errors.As(err, &part) {
			req.Messages = append(req.Messages, m)
			req.Err = part.message
			return req, &apiError{"invalid_request_error", part.code, fmt.Sprintf("messages[%d].%s", i, part.at), part.message}
		}
		if err != nil {
			return bad(fmt.Sprintf("messages[%d]", i), "Invalid 'messages[%d]': %v", i, err)
		}
		req.Messages = append(req.Messages, m)
	}
	if req.Stop = readStop(stop); req.Stop == nil && len(stop) > 0 && !bytes.Equal(stop, []byte("null")) {
		return bad("stop", "Invalid 'stop': expected a text, or a list of one to four texts.")
	}
	for _, limit := range []*int{most, mostToo} {
		if limit == nil {
			continue
		}
		if *limit < 1 {
			return bad("max_tokens", "Invalid 'max_tokens': integer below minimum value. Expected a value >= 1, but got %d instead.", *limit)
		}
		if req.MaxTokens == 0 || *limit < req.MaxTokens {
			req.MaxTokens = *limit
		}
	}
	if param := req.outOfRange(); param != "" {
		return bad(param, "Invalid '%s': out of range.", param)
	}
	switch {
	case req.Model == "":
		return bad("model", "You must provide a model parameter.")
	case fields["messages"] == nil:
		return bad("messages", "Missing required parameter: 'messages'.")
	case len(req.Messages) == 0:
		return bad("messages", "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead.")
	}
	return req, nil
}

func (r Request) outOfRange() string {
	in := func(p *float64, low, high float64) bool { return p == nil || (*p >= low && *p <= high) }
	switch {
	case !in(r.Temperature, 0, 2):
		return "temperature"
	case !in(r.TopP, 0, 1):
		return "top_p"
	case !in(r.FrequencyPenalty, -2, 2):
		return "frequency_penalty"
	case !in(r.PresencePenalty, -2, 2):
		return "presence_penalty"
	case r.N < 1 || r.N > 128:
		return "n"
	}
	return ""
}

// decoder remembers the first field that has another type than it should.
type decoder struct {
	fields map[string]json.RawMessage
	bad    string
}

func (d *decoder) decode(name string, to any) {
	raw, ok := d.fields[name]
	if !ok || d.bad != "" || bytes.Equal(raw, []byte("null")) && name != "messages" {
		return
	}
	if err := json.Unmarshal(raw, to); err != nil {
		d.bad = name
	}
}

func readStop(raw json.RawMessage) []string {
	var one string
	if json.Unmarshal(raw, &one) == nil && one != "" {
		return []string{one}
	}
	var many []string
	if json.Unmarshal(raw, &many) == nil && len(many) > 0 && len(many) <= 4 {
		return many
	}
	return nil
}

func readMessage(raw json.RawMessage) (Message, error) {
	var in struct {
		Role    string          `json:"role"`
		Name    string          `json:"name"`
		Content json.RawMessage `json:"content"`
		Refusal string          `json:"refusal"`
		Calls   json.RawMessage `json:"tool_calls"`
		Call    json.RawMessage `json:"function_call"`
	}
	if err := json.Unmarshal(raw, &in); err != nil {
		return Message{}, fmt.Errorf("expected an object with role and content")
	}
	m := Message{Role: in.Role, Name: in.Name}
	if !slices.Contains([]string{"developer", "system", "user", "assistant", "tool", "function"}, in.Role) {
		return m, fmt.Errorf("%q is no role", in.Role)
	}
	if len(in.Content) == 0 || bytes.Equal(in.Content, []byte("null")) {
		if in.Role == "assistant" && (in.Refusal != "" || in.Calls != nil || in.Call != nil) {
			return m, nil
		}
		return m, fmt.Errorf("content is missing")
	}
	if json.Unmarshal(in.Content, &m.Text) == nil {
		return m, nil
	}
	err := m.readParts(in.Content)
	return m, err
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
