package booru

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"math/rand/v2"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

const (
	// maxBody bounds an answer: fifty pictures are 200 kB.
	maxBody = 4 << 20
	// maxURL bounds a request's address: servers take 8 kB.
	maxURL = 7 << 10
	// patience is how long Find waits for its turn with the board; what takes
	// longer is for a queue, not for a worker.
	patience = 5 * time.Second

	// firstPause is well over the 5 seconds after a challenge page, within
	// which Philomena takes another request for an attack.
	firstPause   = 10 * time.Second
	longestPause = 15 * time.Minute
	// blockedPause is over the 15 minutes for which it then answers with an
	// empty 500, and which every request begins anew.
	blockedPause = 16 * time.Minute
	longestAsked = 24 * time.Hour
)

// client asks one board, at the pace it wants and one request at a time: a
// challenge must be seen before anything more is sent
// (https://derpibooru.org/pages/api, rate limits). Safe for concurrent use.
type client struct {
	name  string
	base  *url.URL
	opt   Options
	http  *http.Client
	now   func() time.Time
	log   *slog.Logger
	limit *rate.Limiter
	line  chan struct{} // holds a token while a request is under way

	mu sync.Mutex
	// failed is the last failure, while the board is left alone because of it;
	// row is how many came one after another.
	failed *Error
	row    int
}

// newClient checks the options. base stands for an empty address.
func newClient(o Options, base string, limit *rate.Limiter) (*client, error) {
	if o.BaseURL == "" {
		o.BaseURL = base
	}
	u, err := url.Parse(strings.TrimRight(o.BaseURL, "/"))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("the address of an image board %q is not one: give it like %s", o.BaseURL, base)
	}
	if strings.TrimSpace(o.UserAgent) == "" {
		return nil, errors.New("image boards turn away requests without a user agent: give one that names the program and how to reach its operator")
	}
	if strings.ContainsFunc(o.UserAgent, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return nil, errors.New("the user agent for image boards has a control character in it: take it out")
	}
	if o.Login == "" && o.Key != "" && base != DefaultPhilomena || o.Login != "" && o.Key == "" {
		return nil, fmt.Errorf("an account of %s needs both a login and a key: give both or neither", u.Host)
	}
	if o.Name == "" {
		o.Name = u.Host
	}
	if o.Timeout <= 0 {
		o.Timeout = DefaultTimeout
	}
	c := &client{name: o.Name, base: u, opt: o, now: o.Now, log: o.Log, limit: limit, line: make(chan struct{}, 1)}
	if c.now == nil {
		c.now = time.Now //nolint:forbidigo // the default for a caller without a clock of its own
	}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	c.http = &http.Client{
		Transport: o.Transport,
		// The key must not follow to another host; an address that moved is
		// for the operator to change.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return c, nil
}

// Name implements Source.
func (c *client) Name() string { return c.name }

// get asks for a path of the board; read takes the JSON answer in, and its
// error says what is wrong with it.
func (c *client) get(ctx context.Context, path string, query url.Values, account bool, read func([]byte) error) error {
	u := *c.base
	u.Path += path
	u.RawPath = ""
	u.RawQuery = query.Encode()
	if len(u.String()) > maxURL {
		return c.sign(&Error{Class: Refused, Reason: TooLong, text: "the query is too long for an address: leave out some tags"})
	}
	if err := c.turn(ctx); err != nil {
		return c.sign(err)
	}
	defer func() { <-c.line }()
	err := c.ask(ctx, &u, account, read)
	if err == nil {
		c.mu.Lock()
		c.failed, c.row = nil, 0
		c.mu.Unlock()
		return nil
	}
	signed := c.sign(err)
	c.remember(ctx, err)
	return signed
}

func (c *client) sign(e *Error) error {
	e.Source = c.name
	return e
}

// turn waits until the board may be asked, and takes the line then.
func (c *client) turn(ctx context.Context) *Error {
	if again := c.resting(); again != nil {
		return again
	}
	now := c.now()
	r := c.limit.ReserveN(now, 1)
	wait := r.DelayFrom(now)
	if end, ok := ctx.Deadline(); wait > patience || wait > 0 && ok && time.Until(end) <= wait { //nolint:forbidigo // a deadline is in the machine's time
		r.CancelAt(now)
		return tooOften(now.Add(wait))
	}
	if wait > 0 {
		t := time.NewTimer(wait)
		defer t.Stop()
		select {
		case <-t.C:
		case <-ctx.Done():
			r.CancelAt(c.now())
			return gaveUp(ctx)
		}
	}
	slow := time.NewTimer(patience)
	defer slow.Stop()
	select {
	case c.line <- struct{}{}:
	case <-slow.C:
		return tooOften(c.now().Add(patience))
	case <-ctx.Done():
		return gaveUp(ctx)
	}
	// What was under way may have failed.
	if again := c.resting(); again != nil {
		<-c.line
		return again
	}
	return nil
}

// resting is the last failure while the board is left alone because of it.
func (c *client) resting() *Error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.failed == nil || !c.now().Before(c.failed.RetryAt) {
		return nil
	}
	again := *c.failed
	return &again
}

func tooOften(next time.Time) *Error {
	return &Error{Class: Rate, RetryAt: next, text: "asked as often as the board allows: ask again " + at(next)}
}

func gaveUp(ctx context.Context) *Error {
	return &Error{Class: Unreachable, text: "the caller gave up before an answer came", err: context.Cause(ctx)}
}

// remember notes a failure that more requests would only make worse, and how
// long to leave the board alone.
func (c *client) remember(ctx context.Context, e *Error) {
	if e.Class == Refused || e.Class == Denied || ctx.Err() != nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	pause := float64(firstPause) * math.Pow(2, float64(min(c.row, 20)))
	pause *= 1 + rand.Float64()/4
	c.row++
	at := c.now().Add(time.Duration(min(pause, float64(longestPause))))
	if at.After(e.RetryAt) {
		e.RetryAt = at
	}
	c.failed = e
	c.log.Warn("image board failed", "source", c.name, "class", e.Class, "status", e.Status, "in_a_row", c.row, "retry_at", e.RetryAt, "error", e.text)
}

// ask sends one request.
func (c *client) ask(ctx context.Context, u *url.URL, account bool, read func([]byte) error) *Error {
	call, cancel := context.WithTimeout(ctx, c.opt.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(call, http.MethodGet, u.String(), nil)
	if err != nil {
		return &Error{Class: Broken, text: "the address cannot be asked: check the board's url", err: err}
	}
	req.Header.Set("User-Agent", c.opt.UserAgent)
	req.Header.Set("Accept", "application/json")
	if account {
		req.SetBasicAuth(c.opt.Login, c.opt.Key)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return c.networkError(ctx, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	switch {
	case err != nil:
		return c.networkError(ctx, err)
	case resp.StatusCode != http.StatusOK:
		return c.statusError(resp, body)
	case len(body) > maxBody:
		return &Error{Class: Broken, Status: resp.StatusCode, text: "the answer is larger than 4 MB: check that its url is the address of such a board"}
	case looksHTML(resp.Header, body):
		return &Error{Class: Broken, Status: resp.StatusCode, text: "a web page came in place of data: check that its url is the address of such a board, and open it in a browser"}
	}
	if err := read(body); err != nil {
		return &Error{Class: Broken, Status: resp.StatusCode, text: "the answer is not that of such a board: check its url", err: err}
	}
	return nil
}

// networkError is for a request that got no answer, or only a part of one.
func (c *client) networkError(ctx context.Context, err error) *Error {
	if ctx.Err() != nil {
		return gaveUp(ctx)
	}
	// url.Error repeats the address, which may hold the key.
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return &Error{Class: Unreachable, err: err, text: fmt.Sprintf("no whole answer within %s: wait, or check the network", c.opt.Timeout)}
	}
	return &Error{Class: Unreachable, err: err, text: "cannot be reached: " + cut(c.hide(err.Error()), 200) + ": check its url and the network"}
}

// statusError sorts an answer that is not 200.
func (c *client) statusError(resp *http.Response, body []byte) *Error {
	status := resp.StatusCode
	e := &Error{Status: status, RetryAt: c.retryAfter(resp.Header)}
	said := ""
	if text := c.message(resp.Header, body); text != "" {
		said = ": " + text
	}
	set := func(class Class, format string, args ...any) *Error {
		e.Class, e.text = class, fmt.Sprintf(format, args...)
		return e
	}
	page := looksHTML(resp.Header, body)
	challenge := strings.EqualFold(resp.Header.Get("Cf-Mitigated"), "challenge")
	switch {
	case status == http.StatusTooManyRequests:
		return set(Rate, "says that it was asked too often (429): fewer requests, or wait")
	// Derpibooru's shield answers 501 with a page that wants a browser;
	// Cloudflare's answers 403 or 503.
	case challenge || status == http.StatusNotImplemented:
		return set(Busy, "shields itself with a challenge page (%d): wait, and check that the user agent names the program", status)
	case status == http.StatusInternalServerError && len(bytes.TrimSpace(body)) == 0:
		if blocked := c.now().Add(blockedPause); blocked.After(e.RetryAt) {
			e.RetryAt = blocked
		}
		return set(Busy, "answers with an empty 500, as it does to those it has blocked for a quarter of an hour: wait; if it stays so, check what else asks it from this address")
	case status >= 500:
		return set(Busy, "is overloaded or out of order (%d)%s: wait, or ask for something simpler", status, said)
	case status >= 300 && status < 400:
		return set(Broken, "has moved (%d): set its url to where %s leads in a browser", status, c.base.Host)
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return set(Denied, "does not serve this program (%d)%s: check the login and key, the filter and the user agent", status, said)
	case status == http.StatusNotFound || page:
		return set(Broken, "has no such page (%d): check that its url is the address of such a board", status)
	case status == http.StatusBadRequest || status == http.StatusUnprocessableEntity:
		e.Reason, e.RetryAt = NotUnderstood, time.Time{}
		return set(Refused, "does not take the query (%d)%s: search for fewer or other tags", status, said)
	}
	return set(Broken, "gave an unexpected answer (%d)%s: check that its url is the address of such a board", status, said)
}

// message is what a board says in an error object, for the log.
func (c *client) message(h http.Header, body []byte) string {
	var said struct {
		Error   any `json:"error"`
		Message any `json:"message"`
		Reason  any `json:"reason"`
	}
	if looksHTML(h, body) || json.Unmarshal(body, &said) != nil {
		return ""
	}
	for _, v := range []any{said.Message, said.Error, said.Reason} {
		if s, ok := v.(string); ok && s != "" {
			return cut(c.hide(clean(s)), 200)
		}
	}
	return ""
}

// hide takes the key out of a text.
func (c *client) hide(text string) string {
	if c.opt.Key == "" {
		return text
	}
	for _, key := range []string{c.opt.Key, url.QueryEscape(c.opt.Key), strings.ToLower(c.opt.Key)} {
		text = strings.ReplaceAll(text, key, "…")
	}
	return text
}

// looksHTML goes by the body where there is one: boards and what stands before
// them name their types carelessly.
func looksHTML(h http.Header, body []byte) bool {
	if body = bytes.TrimSpace(body); len(body) > 0 {
		return body[0] == '<'
	}
	kind, _, _ := mime.ParseMediaType(h.Get("Content-Type"))
	return kind == "text/html"
}

// retryAfter is when the board asks to be asked again; zero if it does not say
// (https://www.rfc-editor.org/rfc/rfc9110#field.retry-after). A date is read
// against the board's own clock if it tells it.
func (c *client) retryAfter(h http.Header) time.Time {
	now := c.now()
	said := strings.TrimSpace(h.Get("Retry-After"))
	if s, err := strconv.ParseFloat(said, 64); err == nil && s > 0 {
		return now.Add(time.Duration(min(s, longestAsked.Seconds()) * float64(time.Second)))
	}
	when, err := http.ParseTime(said)
	if err != nil {
		return time.Time{}
	}
	theirs := now
	if t, err := http.ParseTime(h.Get("Date")); err == nil {
		theirs = t
	}
	return now.Add(min(max(when.Sub(theirs), 0), longestAsked))
}

func at(t time.Time) string { return "after " + t.UTC().Format("15:04:05 UTC") }
