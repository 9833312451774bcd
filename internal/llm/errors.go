package llm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"
)

// Class sorts failures by what a caller can do about them.
type Class string

// The classes of failure.
const (
	// Auth: the endpoint refuses the account: wrong key, no access to the
	// model, no credit left. Only the operator can mend it.
	Auth Class = "auth"
	// Rate: too many requests for now; Error.RetryAt says when to come back if
	// the endpoint said so.
	Rate Class = "rate"
	// Refused: the model or a filter before it declined this conversation.
	// The same conversation will be declined again.
	Refused Class = "refused"
	// Empty: an answer came, but without text.
	Empty Class = "empty"
	// TooLarge: the conversation does not fit the model, or the answer not the
	// cap of 4 MiB. A shorter conversation may work.
	TooLarge Class = "too_large"
	// Transient: network, server or proxy trouble, or no whole answer in time.
	// The same request may work later.
	Transient Class = "transient"
	// Invalid: the endpoint does not understand the request: an unknown model,
	// a parameter it does not take, a wrong address. Only the operator can
	// mend it.
	Invalid Class = "invalid"
)

// Error is a failed completion. Its text is for the operator, says what to do,
// and never holds the key.
type Error struct {
	Class  Class
	Status int // HTTP status of the answer; 0 when no whole one came
	// RetryAt is when the endpoint asked to be tried again; zero when it did
	// not say. At most a day ahead.
	RetryAt time.Time

	text string
	err  error
}

// Error implements error.
func (e *Error) Error() string { return e.text }

// Unwrap gives the cause, where there is one: a network error, or
// context.Canceled or context.DeadlineExceeded.
func (e *Error) Unwrap() error { return e.err }

// ClassOf is the class of an error that Complete returned, also when it has
// been wrapped since; "" for nil and for any other error.
func ClassOf(err error) Class {
	var e *Error
	if errors.As(err, &e) {
		return e.Class
	}
	return ""
}

// errTimeout tells our own time-out from the caller's.
var errTimeout = fmt.Errorf("no whole answer in time: %w", context.DeadlineExceeded)

// cut is the error for a call that ran out of time or was cancelled; last is
// the failure before it, if any.
func (c *Client) cut(ctx context.Context, last *Error) *Error {
	cause := context.Cause(ctx)
	e := &Error{Class: Transient, err: cause}
	if !errors.Is(cause, ctx.Err()) {
		e.err = fmt.Errorf("%w: %w", ctx.Err(), cause)
	}
	switch {
	case errors.Is(cause, errTimeout):
		e.text = fmt.Sprintf("the model endpoint gave no whole answer within %s: "+
			"raise %s, lower %s, or take a smaller model", c.opt.Timeout, c.key("timeout"), c.opt.TokensKey)
	case errors.Is(cause, context.DeadlineExceeded):
		e.text = "the model endpoint gave no whole answer before the caller's deadline"
	default:
		e.text = "asking the model was cancelled"
	}
	if last != nil {
		e.Status, e.RetryAt = last.Status, last.RetryAt
		e.text += "; the last attempt failed: " + last.text
	}
	return e
}

// networkError is for a request that got no answer, or only a part of one.
func (c *Client) networkError(ctx context.Context, err error) *Error {
	if ctx.Err() != nil {
		return c.cut(ctx, nil)
	}
	// url.Error repeats the address, which may hold a password.
	if ue, ok := errors.AsType[*url.Error](err); ok {
		err = ue.Err
	}
	return &Error{
		Class: Transient, err: err,
		text: "cannot reach the model endpoint: " + c.quote(err.Error()) +
			": check " + c.key("base_url") + ", and that the server runs",
	}
}

// apiError is an error object as endpoints send it. They agree on little:
// {"error":{"message","type","param","code"}} with code a word or a number,
// {"error":"text"}, {"message":"text"}, {"detail":"text"}.
type apiError struct {
	Message string
	Type    string
	Param   string
	Code    string
}

// parseAPIError finds the error in a body; ok is false if there is none.
func parseAPIError(body []byte) (e apiError, ok bool) {
	var outer struct {
		Error   json.RawMessage `json:"error"`
		Message json.RawMessage `json:"message"`
		Detail  json.RawMessage `json:"detail"`
	}
	if json.Unmarshal(body, &outer) != nil {
		return apiError{}, false
	}
	var inner struct {
		Message json.RawMessage `json:"message"`
		Type    json.RawMessage `json:"type"`
		Param   json.RawMessage `json:"param"`
		Code    json.RawMessage `json:"code"`
	}
	switch {
	case isSet(outer.Error):
		if json.Unmarshal(outer.Error, &inner) != nil {
			return apiError{Message: loose(outer.Error)}, true
		}
		return apiError{loose(inner.Message), loose(inner.Type), loose(inner.Param), loose(inner.Code)}, true
	case isSet(outer.Message):
		return apiError{Message: loose(outer.Message)}, true
	case isSet(outer.Detail):
		return apiError{Message: loose(outer.Detail)}, true
	}
	return apiError{}, false
}

func isSet(raw json.RawMessage) bool { return len(raw) > 0 && string(raw) != "null" }

// loose reads a JSON value as text, whatever its type.
func loose(raw json.RawMessage) string {
	var s string
	if !isSet(raw) || json.Unmarshal(raw, &s) == nil {
		return s
	}
	return string(raw)
}

// says reports whether the error's code, type or message holds one of words,
// which are lower case.
func (e apiError) says(words ...string) bool {
	all := strings.ToLower(e.Code + "\n" + e.Type + "\n" + e.Message)
	for _, w := range words {
		if strings.Contains(all, w) {
			return true
		}
	}
	return false
}

// statusError turns an error answer into an Error.
func (c *Client) statusError(status int, h http.Header, body []byte) *Error {
	api, isAPI := parseAPIError(body)
	e := &Error{Status: status, RetryAt: c.retryAt(h)}
	said := ""
	if api.Message != "" {
		said = ": " + c.quote(api.Message)
	}
	set := func(class Class, format string, args ...any) *Error {
		e.Class, e.text = class, fmt.Sprintf(format, args...)
		return e
	}
	switch {
	case status < 500 && status != http.StatusTooManyRequests && api.says("content_filter", "content_policy", "moderation", "flagged"):
		return set(Refused, "the endpoint's filter refused the conversation (%d)%s", status, said)
	case status == http.StatusPaymentRequired, api.says("insufficient_quota", "insufficient credits", "insufficient balance"):
		return set(Auth, "the model endpoint says that the account has no credit left (%d)%s: "+
			"pay there, or raise its limit", status, said)
	case status == http.StatusUnauthorized:
		// The text is not repeated: some endpoints put parts of the key in it.
		return set(Auth, "the model endpoint refused the key (401): check the key that %s or %s names", c.key("api_key_env"), c.key("api_key_file"))
	case status == http.StatusForbidden:
		return set(Auth, "the model endpoint refused access (403)%s: check the key, and that it may use %s", said, c.opt.Model)
	case status == http.StatusTooManyRequests:
		return set(Rate, "the model endpoint gets too many requests (429)%s", said)
	case status == http.StatusRequestEntityTooLarge,
		status < 500 && api.says("context_length", "context length", "context window", "context size", "maximum context",
			"exceed_context", "prompt is too long", "input is too long", "too many tokens"):
		return set(TooLarge, "the conversation is too long for %s (%d)%s: shorten the prompt, lower %s, "+
			"or take a model with a larger context", c.opt.Model, status, said, c.opt.TokensKey)
	case status >= 500, status == http.StatusRequestTimeout, status == http.StatusConflict, status == http.StatusTooEarly:
		return set(Transient, "the model endpoint is in trouble (%d)%s", status, said)
	case status >= 300 && status < 400:
		return set(Invalid, "the model endpoint redirects to %s: put the address it moved to in %s", c.target(h), c.key("base_url"))
	case !isAPI:
		return set(Invalid, "the model endpoint does not know this address (%d): "+
			"check %s, it usually ends in /v1", status, c.key("base_url"))
	case status == http.StatusNotFound:
		return set(Invalid, "the model endpoint does not know the model %s, or the address (404)%s: check %s, and %s, which usually ends in /v1", c.opt.Model, said, c.key("model"), c.key("base_url"))
	case api.Param != "":
		return set(Invalid, "the model endpoint refused the parameter %s (%d)%s: change it or leave it out",
			c.quote(api.Param), status, said)
	}
	return set(Invalid, "the model endpoint refused the request (%d)%s: check %s and the parameters", status, said, c.key("model"))
}

// key is what a setting of ours is called where it is written.
func (c *Client) key(name string) string { return c.opt.Section + "." + name }

// target is where a redirect leads, without what may be secret in it.
func (c *Client) target(h http.Header) string {
	u, err := url.Parse(h.Get("Location"))
	if err != nil || u.Path == "" && u.Host == "" {
		return "another address"
	}
	return c.quote((&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String())
}

// masked is a secret as endpoints like to repeat it: sk-ab****yz.
var masked = regexp.MustCompile(`\S*\*{3,}\S*`)

// quote makes text from outside fit for a line of a log: one line, short, and
// without the key and the pictures that were sent.
func (c *Client) quote(s string) string {
	s = clean(s)
	if c.opt.Key != "" {
		s = strings.ReplaceAll(s, c.opt.Key, "[key]")
	}
	const read = 4000 // bytes; an answer has up to 4 MiB
	s = withoutPictures(s[:min(len(s), read)])
	s = masked.ReplaceAllString(s, "[key]")
	s = strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r <= ' ' || r == 0x7f || r == 0x85 || r == 0x2028 || r == 0x2029 }), " ")
	const most = 300
	if r := []rune(s); len(r) > most {
		s = string(r[:most]) + "…"
	}
	return strings.ToValidUTF8(strings.TrimRight(s, "."), "")
}
