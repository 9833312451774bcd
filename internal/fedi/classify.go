package fedi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"rookery/internal/htmltext"
)

// received is what came back.
type received struct {
	status int
	header http.Header
	body   []byte
	whole  bool  // all of the body was read
	err    error // why not
}

// shape is what a body looks like, whatever its Content-Type claims.
type shape int

const (
	empty shape = iota
	jsonDoc
	webPage
	otherText
)

func (r received) shape() shape {
	b := bytes.TrimSpace(r.body)
	switch {
	case len(b) == 0:
		return empty
	case (b[0] == '{' || b[0] == '[') && r.whole && json.Valid(b):
		return jsonDoc
	case b[0] == '<':
		return webPage
	}
	if mt, _, err := mime.ParseMediaType(r.header.Get("Content-Type")); err == nil && (mt == "text/html" || mt == "application/xhtml+xml") {
		return webPage
	}
	return otherText
}

// unreadable returns the error for a 2xx answer that is no answer: cut, too
// big, empty, or not JSON; nil if it can be decoded.
func (c *Client) unreadable(e *Error, cl call, r received) error {
	sh := r.shape()
	if r.whole && (sh == jsonDoc || sh == empty && cl.bodyless) {
		return nil
	}
	e.Status = r.status
	e.Class = Transient
	if cl.effect {
		e.Class = Unknown
	}
	switch {
	case !r.whole:
		e.Message, e.Err = "the answer could not be read to its end", c.scrub(r.err)
	case sh == empty:
		e.Message = "the answer is empty"
	case sh == webPage:
		e.Message = fmt.Sprintf("the server answered a web page, not JSON: is %s really the address of the instance?", c.base)
	default:
		e.Message = "the answer is not JSON"
	}
	return e
}

// refusal returns the error for any status but 2xx. Only status, headers and
// the shape of the body decide, never its words, which servers translate.
func (c *Client) refusal(e *Error, cl call, r received) error {
	e.Status = r.status
	e.Message = c.said(r)
	if !r.whole {
		e.Err = c.scrub(r.err)
	}
	switch {
	case r.status == http.StatusTooManyRequests:
		e.Class = Rate
	case r.status == http.StatusUnauthorized, r.status == http.StatusForbidden && aboutToken(cl, r),
		r.status == http.StatusMisdirectedRequest && c.software() == Snac: // snac's way to say "not logged in"
		e.Class = Auth
	case r.status < 400:
		c.moved(e, cl, r)
	case r.status >= 500:
		c.broken(e, cl, r)
	case r.status == http.StatusRequestTimeout || r.status == 499 || !r.whole:
		e.Class = pick(cl, Unknown, Transient)
	case r.status == http.StatusTooEarly:
		e.Class = Transient
	default:
		c.refused(e, cl, r)
	}
	return e
}

// refused sorts the 4xx that remain.
func (c *Client) refused(e *Error, cl call, r received) {
	sh := r.shape()
	snac := c.software() == Snac // its errors are web pages
	switch {
	case r.status == http.StatusRequestEntityTooLarge:
		// Often the word of a web server before the instance: its shape tells nothing.
		e.Class = TooLong
		if cl.family == media {
			e.Class = RejectedMedia
		}
	case sh == webPage && !snac, r.status == http.StatusNotFound && sh != jsonDoc && !snac:
		// Not the instance's own word: it is being restarted, or something
		// stands before it that asks for a browser.
		e.Class, e.Complete = pick(cl, Unknown, Transient), cl.effect
		if sh == webPage {
			e.Message = fmt.Sprintf("the server answered a web page, not JSON: is %s really the address of the instance?", c.base)
		}
	case cl.family == media && (r.status == http.StatusBadRequest || r.status == http.StatusUnsupportedMediaType || r.status == http.StatusUnprocessableEntity):
		e.Class = RejectedMedia
	case r.status == http.StatusNotFound, r.status == http.StatusGone:
		e.Class = Gone
	case r.status == http.StatusMethodNotAllowed:
		e.Class = Unsupported
	default:
		e.Class = Invalid
	}
}

// moved handles redirections that were not followed.
func (c *Client) moved(e *Error, cl call, r received) {
	where := "elsewhere"
	if to, err := c.base.Parse(r.header.Get("Location")); err == nil && to.Host != "" {
		where = to.Scheme + "://" + to.Host
	}
	e.Message = fmt.Sprintf("the server sends us on to %s: if that is the instance's own address, set it as the server", c.scrubText(where))
	switch {
	case !cl.effect:
		e.Class = Transient
	case r.status == http.StatusMovedPermanently || r.status == http.StatusTemporaryRedirect || r.status == http.StatusPermanentRedirect:
		e.Class = Invalid // "ask over there": nothing was done here
	default:
		e.Class, e.Complete = Unknown, r.whole // "see there" may follow something done
	}
}

// broken handles 5xx.
func (c *Client) broken(e *Error, cl call, r received) {
	if at, ok := retryAfter(c.clock.Now(), r.header); ok {
		e.RetryAt = atMost(c.clock.Now(), at)
	}
	e.Class = pick(cl, Unknown, Transient)
	switch r.status {
	case http.StatusInternalServerError, http.StatusNotImplemented, http.StatusServiceUnavailable:
		e.Complete = cl.effect && r.whole
	}
}

func pick(cl call, effect, read Class) Class {
	if cl.effect {
		return effect
	}
	return read
}

// aboutToken reports whether a 403 is about the token and not about the thing
// asked for: the answer says so in the form of RFC 6750, section 3.1 (which
// is not translated), or nothing but the token was asked about. Mastodon
// answers 403 to verify_credentials for a suspended account
// (https://docs.joinmastodon.org/methods/accounts/#verify_credentials).
func aboutToken(cl call, r received) bool {
	if cl.whoami && r.shape() != webPage {
		return true
	}
	for _, v := range r.header.Values("WWW-Authenticate") {
		if strings.Contains(v, "insufficient_scope") || strings.Contains(v, "invalid_token") {
			return true
		}
	}
	return false
}

// said is what an answer says in words, for a person to read: at most a line.
func (c *Client) said(r received) string {
	var s string
	switch r.shape() {
	case jsonDoc:
		var doc struct {
			Error       json.RawMessage `json:"error"`
			Description text            `json:"error_description"`
			Message     text            `json:"message"`
		}
		// Decoded leniently: a message that cannot be read is none.
		_ = json.Unmarshal(r.body, &doc)
		var inner object[struct {
			Message text `json:"message"`
		}]
		_ = inner.UnmarshalJSON(doc.Error)
		for _, v := range []string{scalar(doc.Error), string(inner.V.Message), string(doc.Description), string(doc.Message)} {
			if v != "" {
				s = v
				break
			}
		}
	case webPage:
		return "a web page"
	case otherText:
		s = string(r.body[:min(len(r.body), 2000)])
	}
	return oneLine(c.scrubText(s))
}

// oneLine makes foreign words short and harmless enough for a log.
func oneLine(s string) string {
	const most = 300
	s = strings.Join(strings.Fields(htmltext.Clean(s)), " ")
	if len(s) > most {
		n := most
		for !utf8.RuneStart(s[n]) {
			n--
		}
		s = s[:n] + "…"
	}
	return s
}

// wholeSeconds reads a header of whole seconds.
func wholeSeconds(v string) (time.Duration, bool) {
	d, err := time.ParseDuration(strings.TrimSpace(v) + "s")
	return d, err == nil && d >= 0 && d <= longestRetry
}
