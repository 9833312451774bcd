// Package llm asks one chat completion of any OpenAI-compatible endpoint,
// hosted or local: messages and pictures in, text and token counts out. It hides what
// endpoints do differently on the wire (names of parameters, odd content types,
// errors inside a 200) and sorts every failure into a Class that says what a
// caller can do about it.
//
// It leaves to others what to say to the model, what an answer may cost, and
// whether a failure is worth another job: it keeps no state but the one habit
// of the endpoint it learns (see Options.MaxTokens).
//
// Protocol: https://platform.openai.com/docs/api-reference/chat/create
package llm

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"
)

// Roles of a Message.
const (
	System    = "system"
	User      = "user"
	Assistant = "assistant"
)

// Message is one turn of the conversation.
type Message struct {
	Role string // System, User or Assistant
	Text string // plain text; NUL is removed, invalid UTF-8 replaced
	// Images are shown after the text; see MaxImages and MaxImageBytes. Most
	// models take them in messages of the User alone, and many not at all.
	Images []Image
}

// Answer is what the model said.
type Answer struct {
	// Text is trimmed, valid UTF-8 without NUL, and without the <think> block
	// that local reasoning models put before their words.
	Text string
	// Truncated says that the endpoint stopped at the token limit, so Text may
	// end in the middle of a word.
	Truncated bool
	// PromptTokens and CompletionTokens are the endpoint's own count. Both are
	// 0 when it sent none: the caller then estimates.
	PromptTokens, CompletionTokens int
	// Model is the one that answered, as the endpoint names it; it may be a
	// dated version of the model that was asked for.
	Model string
}

// Options say which model to ask and how. The parameters that are pointers are
// left out of the request when nil, and sent as they are otherwise, 0 included.
type Options struct {
	BaseURL string // up to and including the version, like "https://api.openai.com/v1"
	Key     string // sent as a bearer token; empty for a local server without one
	Model   string // as the endpoint names it

	// Section is what the settings are called where they are written: errors
	// name its base_url, model, timeout, retries, api_key_env and api_key_file.
	// Empty means "llm".
	Section string
	// TokensKey is what MaxTokens is called there; empty means the Section's
	// max_tokens.
	TokensKey string

	// Timeout bounds the whole of Complete: every attempt, the pauses between
	// them and the reading of the answer. 0 means DefaultTimeout.
	Timeout time.Duration
	// Retries is how many more attempts follow a failed first one, for the
	// failures where that can help; 0 means none.
	Retries int

	Temperature      *float32
	TopP             *float32
	FrequencyPenalty *float32
	PresencePenalty  *float32
	// MaxTokens bounds the answer; 0 leaves it to the endpoint. It is sent as
	// max_tokens, which most servers know, until the endpoint refuses that and
	// asks for max_completion_tokens, as it does for reasoning models.
	MaxTokens int
	Stop      []string // at most four for most endpoints

	Transport http.RoundTripper // nil means http.DefaultTransport
	UserAgent string            // empty means Go's own
	Now       func() time.Time  // for Error.RetryAt; nil means the machine's clock
	Log       *slog.Logger      // nil means no log; never gets the key or the texts
}

// DefaultTimeout is used when Options.Timeout is 0. Small machines take minutes.
const DefaultTimeout = 5 * time.Minute

// firstPause is the mean pause before the second attempt; the following ones
// grow by half each time.
const firstPause = time.Second

// Client asks one model of one endpoint. It is safe for concurrent use.
type Client struct {
	opt   Options
	http  *http.Client
	now   func() time.Time
	log   *slog.Logger
	pause time.Duration

	// completionTokens is learnt: the endpoint wants max_completion_tokens.
	completionTokens atomic.Bool
}

// New checks the options and returns a client; it does not touch the network.
// The error names the setting to mend and never holds the key.
func New(o Options) (*Client, error) {
	o.Key = strings.TrimSpace(o.Key)
	o.BaseURL = strings.TrimRight(strings.TrimSpace(o.BaseURL), "/")
	o.Model = strings.TrimSpace(o.Model)
	o.Section = cmp.Or(o.Section, "llm")
	o.TokensKey = cmp.Or(o.TokensKey, o.Section+".max_tokens")
	if err := o.check(); err != nil {
		return nil, err
	}
	if o.Timeout == 0 {
		o.Timeout = DefaultTimeout
	}
	c := &Client{opt: o, now: o.Now, log: o.Log, pause: firstPause}
	if c.now == nil {
		c.now = time.Now //nolint:forbidigo // the default for a caller without a clock of its own
	}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	c.http = &http.Client{
		Transport: o.Transport,
		// A redirected POST becomes a GET, or carries the conversation to a
		// host that nobody configured: neither is wanted.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return c, nil
}

func (o Options) check() error {
	var errs []error
	bad := func(text string) { errs = append(errs, errors.New(text)) }

	u, err := url.Parse(o.BaseURL)
	switch {
	case o.BaseURL == "":
		bad(o.Section + ".base_url is empty: give the address of the model endpoint, it usually ends in /v1")
	case err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https"):
		// The address is not repeated: it may hold a password.
		bad(o.Section + ".base_url is not a web address: write it like https://api.openai.com/v1")
	case u.RawQuery != "" || u.Fragment != "":
		bad(o.Section + ".base_url must not have a ? or # part: the endpoint's path is added at its end")
	case strings.HasSuffix(u.Path, "/chat/completions"):
		bad(o.Section + ".base_url is too long: leave out /chat/completions, it is added by itself")
	}
	if strings.ContainsFunc(o.Key, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		bad("the key for the model endpoint holds a space, a line break or a letter outside ASCII: copy it again")
	}
	if o.Model == "" {
		bad(o.Section + ".model is empty: give the model's name as the endpoint writes it")
	}
	if o.Timeout < 0 {
		bad(o.Section + ".timeout is below zero: give a positive time")
	}
	if o.Retries < 0 {
		bad(o.Section + ".retries is below zero: 0 means one attempt")
	}
	if o.MaxTokens < 0 {
		bad(o.TokensKey + " is below zero: 0 leaves the limit to the endpoint")
	}
	return errors.Join(errs...)
}

// Complete asks for the next message of the conversation and waits for it.
// Messages without text and pictures are left out. Pictures over MaxImages or
// MaxImageBytes are an error of the class TooLarge before anything is sent; for
// a model that takes none the class is Invalid.
//
// Every error is an *Error. Failures of the classes Transient and Rate are
// tried again as Options.Retries says, with growing pauses, if ctx and the
// time-out leave room for it; a long wait that the endpoint asks for is not
// waited out but returned. With an error of the classes Refused and Empty the
// Answer still holds the tokens that were spent.
func (c *Client) Complete(ctx context.Context, messages []Message) (Answer, error) {
	if err := checkImages(messages); err != nil {
		return Answer{}, err
	}
	msgs := chatMessages(messages)
	if len(msgs) == 0 {
		return Answer{}, &Error{Class: Invalid, text: "nothing to ask: every message is empty"}
	}
	ctx, cancel := context.WithTimeoutCause(ctx, c.opt.Timeout, errTimeout)
	defer cancel()

	waits := c.waits()
	for tries := 0; ; tries++ {
		a, err := c.attempt(ctx, msgs)
		if err == nil {
			return a, nil
		}
		wait, again := c.retry(ctx, err, tries, waits)
		if !again {
			return a, err
		}
		c.log.Debug("model endpoint failed, trying again",
			"class", string(err.Class), "status", err.Status, "attempt", tries+1, "wait", wait, "err", err)
		if !sleep(ctx, wait) {
			return a, c.cut(ctx, err)
		}
	}
}
