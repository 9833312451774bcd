package llm

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/sashabaranov/go-openai"
)

// maxBody caps the answer. A long one has 50 kB.
const maxBody = 4 << 20

// attempt asks once; it asks a second time if the endpoint wants the limit of
// tokens under its other name.
func (c *Client) attempt(ctx context.Context, msgs []openai.ChatCompletionMessage) (Answer, *Error) {
	newName := c.completionTokens.Load()
	a, ex, err := c.exchange(ctx, msgs, newName)
	if err == nil || c.opt.MaxTokens == 0 || !ex.refusedLimit(newName) {
		return a, err
	}
	a, _, err = c.exchange(ctx, msgs, !newName)
	if err == nil || err.Class == Empty || err.Class == Refused {
		c.completionTokens.Store(!newName)
		c.log.Info("model endpoint names the limit of tokens differently", "model", c.opt.Model, "parameter", limitName(!newName))
	}
	return a, err
}

func limitName(newName bool) string {
	if newName {
		return "max_completion_tokens"
	}
	return "max_tokens"
}

func (c *Client) exchange(ctx context.Context, msgs []openai.ChatCompletionMessage, newName bool) (Answer, *exchange, *Error) {
	ex := &exchange{client: c, newName: newName}
	for _, m := range msgs {
		ex.images = ex.images || len(m.MultiContent) > 0
	}
	cfg := openai.DefaultConfig(c.opt.Key)
	cfg.BaseURL = c.opt.BaseURL
	cfg.HTTPClient = ex
	res, err := openai.NewClientWithConfig(cfg).CreateChatCompletion(ctx, openai.ChatCompletionRequest{
		Model: c.opt.Model, Messages: msgs, Stop: c.opt.Stop,
	})
	if err != nil {
		if e, ok := errors.AsType[*Error](err); ok {
			return Answer{}, ex, e
		}
		if ex.status == 0 {
			// go-openai knows a few old models that have no chat.
			return Answer{}, ex, &Error{Class: Invalid, err: err, text: "cannot ask " + c.opt.Model + ": " + c.quote(err.Error())}
		}
		return Answer{}, ex, &Error{
			Class: Transient, Status: ex.status, err: err,
			text: "cannot read the model endpoint's answer: " + c.quote(err.Error()),
		}
	}
	a, e := c.answer(res)
	return a, ex, e
}

// exchange is one request and its answer, put under go-openai as its HTTP
// client: it writes the parameters that go-openai cannot express and reads the
// answer whole, so that what it hands back is small, complete and JSON.
type exchange struct {
	client  *Client
	newName bool // send max_completion_tokens
	images  bool // the request shows pictures

	status int
	body   []byte
}

// Do implements openai.HTTPDoer. Its errors are all of the type *Error.
func (x *exchange) Do(req *http.Request) (*http.Response, error) {
	c, ctx := x.client, req.Context()
	if err := x.setParameters(req); err != nil {
		return nil, &Error{Class: Invalid, err: err, text: "cannot write the request: " + err.Error()}
	}
	if c.opt.UserAgent != "" {
		req.Header.Set("User-Agent", c.opt.UserAgent)
	}
	res, err := c.http.Do(req)
	if err != nil {
		return nil, c.networkError(ctx, err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxBody+1))
	x.status = res.StatusCode
	switch {
	case err != nil:
		return nil, c.networkError(ctx, err)
	case len(body) > maxBody:
		return nil, &Error{Class: TooLarge, Status: res.StatusCode,
			text: fmt.Sprintf("the model endpoint's answer is larger than %d MiB: check %s", maxBody>>20, c.key("base_url"))}
	}
	x.body = bytes.TrimPrefix(bytes.TrimSpace(body), []byte("\ufeff"))
	if res.StatusCode < 200 || res.StatusCode > 299 {
		return nil, x.refused(res.StatusCode, res.Header)
	}
	if err := x.checkBody(res.Header); err != nil {
		return nil, err
	}
	res.Body = io.NopCloser(bytes.NewReader(x.body))
	return res, nil
}

// refused is the error that the endpoint answered.
func (x *exchange) refused(status int, h http.Header) *Error {
	if x.images {
		if err := x.client.imageError(status, x.body); err != nil {
			return err
		}
	}
	return x.client.statusError(status, h, x.body)
}

// setParameters adds what go-openai leaves out. Its request drops every number
// that is 0, so that a temperature of 0 would become the endpoint's default of
// 1, and it refuses parameters by the look of the model's name, where only the
// endpoint knows.
func (x *exchange) setParameters(req *http.Request) error {
	m := map[string]any{}
	var raw map[string]json.RawMessage // the messages, with their pictures, are not taken apart
	if err := json.NewDecoder(req.Body).Decode(&raw); err != nil {
		return err
	}
	for name, value := range raw {
		m[name] = value
	}
	o := x.client.opt
	for name, p := range map[string]*float32{
		"temperature": o.Temperature, "top_p": o.TopP,
		"frequency_penalty": o.FrequencyPenalty, "presence_penalty": o.PresencePenalty,
	} {
		if p != nil {
			m[name] = *p
		}
	}
	if o.MaxTokens > 0 {
		m[limitName(x.newName)] = o.MaxTokens
	}
	b, err := json.Marshal(m)
	if err != nil {
		return err
	}
	req.ContentLength = int64(len(b))
	req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil }
	req.Body, err = req.GetBody()
	return err
}

// checkBody looks into the body of a 200: web pages, and errors of proxies
// that found out too late. It keeps only the fields that are used: the others
// come in types of all kinds, which would fail the whole answer.
func (x *exchange) checkBody(h http.Header) error {
	if bytes.HasPrefix(x.body, []byte("<")) {
		return &Error{Class: Transient, Status: x.status,
			text: "the model endpoint answered a web page: check " + x.client.key("base_url") + ", it usually ends in /v1"}
	}
	var m map[string]json.RawMessage
	if err := json.Unmarshal(x.body, &m); err != nil {
		return &Error{Class: Transient, Status: x.status, err: err,
			text: "the model endpoint's answer is not JSON: check " + x.client.key("base_url") + ", it usually ends in /v1"}
	}
	if isSet(m["error"]) && !isSet(m["choices"]) {
		return x.refused(x.lateStatus(), h)
	}
	kept := map[string]json.RawMessage{}
	for _, k := range []string{"model", "choices"} {
		if isSet(m[k]) {
			kept[k] = m[k]
		}
	}
	kept["usage"] = wholeTokens(m["usage"])
	b, err := json.Marshal(kept)
	x.body = b
	return err
}

// wholeTokens are the counts of a usage object, as integers whatever kind of
// number they came as; 0 where there is none.
func wholeTokens(raw json.RawMessage) json.RawMessage {
	var u struct {
		Prompt     float64 `json:"prompt_tokens"`
		Completion float64 `json:"completion_tokens"`
	}
	if json.Unmarshal(raw, &u) != nil {
		u.Prompt, u.Completion = 0, 0
	}
	const most = 1 << 30 // int has 32 bits on ARMv7
	return fmt.Appendf(nil, `{"prompt_tokens":%d,"completion_tokens":%d}`,
		int(min(max(u.Prompt, 0), most)), int(min(max(u.Completion, 0), most)))
}

// lateStatus is the status that an error inside a 200 should have had: some
// proxies tell it as the error's code.
func (x *exchange) lateStatus() int {
	api, _ := parseAPIError(x.body)
	var code int
	if _, err := fmt.Sscanf(api.Code, "%d", &code); err == nil && code >= 400 && code <= 599 {
		return code
	}
	return http.StatusBadGateway
}

// refusedLimit says whether the endpoint does not know the name under which
// the limit of tokens was sent. A limit that is only too high is another error.
func (x *exchange) refusedLimit(newName bool) bool {
	if x.status != http.StatusBadRequest && x.status != http.StatusUnprocessableEntity {
		return false
	}
	api, ok := parseAPIError(x.body)
	name := limitName(newName)
	if !ok || (api.Param != name && !strings.Contains(api.Message, name)) {
		return false
	}
	return api.says("unsupported", "not supported", "unrecognized", "unknown", "unexpected", "not permitted", "extra inputs", "instead")
}
