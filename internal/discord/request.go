package discord

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/disgoorg/disgo/rest"

	"rookery/internal/outbox"
)

// body is the body of a request, made anew for each.
type body struct {
	contentType string
	size        int64
	reader      io.Reader
}

// jsonBody is v as a body; nil is none.
func jsonBody(v any) (body, error) {
	if v == nil {
		return body{}, nil
	}
	b, err := json.Marshal(v)
	if err != nil {
		return body{}, fmt.Errorf("encode a request: %w", err)
	}
	return body{contentType: "application/json", size: int64(len(b)), reader: strings.NewReader(string(b))}, nil
}

// effect makes one request that changes something, exactly once: neither
// disgo's client nor Go's transport repeats it, and its body may be a stream,
// which disgo would hold in memory. out, if not nil, takes the answer. Its
// error is an *Error.
func (d *Discord) effect(ctx context.Context, e *rest.CompiledEndpoint, b body, out any) (err error) {
	if err := d.limiter.Wait(ctx, e); err != nil {
		return d.fault(err)
	}
	var rs *http.Response
	defer func() { _ = d.limiter.Unlock(e, rs) }()
	var stream io.Reader
	if b.size > 0 {
		// The transport closes a body that can be closed; these need not be.
		stream = io.NopCloser(b.reader)
	}
	req, err := http.NewRequestWithContext(ctx, e.Endpoint.Method, strings.TrimSuffix(d.API, "/")+e.URL, stream)
	if err != nil {
		return &Error{Class: Invalid, Err: errors.New("an address that cannot be")}
	}
	req.ContentLength, req.GetBody = b.size, nil
	req.Header.Set("User-Agent", d.UserAgent)
	if b.contentType != "" {
		req.Header.Set("Content-Type", b.contentType)
	}
	if e.Endpoint.BotAuth {
		req.Header.Set("Authorization", "Bot "+d.Token)
	}
	rs, err = d.http.Do(req)
	if err != nil {
		return d.fault(err)
	}
	raw, err := io.ReadAll(rs.Body)
	_ = rs.Body.Close()
	rs.Body = io.NopCloser(bytes.NewReader(raw)) // the limiter reads a 429 too
	switch {
	case rs.StatusCode >= http.StatusBadRequest:
		return d.refusal(rs, raw)
	case err != nil, rs.StatusCode >= http.StatusMultipleChoices:
		return &Error{Class: Unknown, Status: rs.StatusCode, Err: errors.New("the answer could not be read to its end")}
	case out == nil:
		return nil
	}
	if json.Unmarshal(raw, out) != nil {
		return &Error{Class: Unknown, Status: rs.StatusCode, Err: errors.New("the answer is not what it should be")}
	}
	return nil
}

// refusal is the error of an answer whose status is one.
func (d *Discord) refusal(rs *http.Response, raw []byte) *Error {
	var said struct {
		Code       int             `json:"code"`
		Message    string          `json:"message"`
		RetryAfter float64         `json:"retry_after"`
		Errors     json.RawMessage `json:"errors"`
	}
	_ = json.Unmarshal(raw, &said) // the transport has made it readable
	e := d.answered(rs, said.Code, said.Message, said.Errors)
	if e.Class == Rate && said.RetryAfter > 0 {
		// The header may be cut to whole seconds; the body is exact.
		wait := min(time.Duration(said.RetryAfter*float64(time.Second)), longestLimit)
		if at := d.Clock.Now().Add(wait); at.After(e.RetryAt) {
			e.RetryAt = at
		}
	}
	return e
}

// The codes that are told apart here. Source:
// topics/opcodes-and-status-codes, "JSON".
const (
	codeUnknownEmoji       = 10014
	codeRequestTooLarge    = 40005
	codeSendingDisabled    = 40004
	codeCloudflare         = 40333
	codeFileTooLarge       = 50045
	codeMissingAccess      = 50001
	codeCannotMessageUser  = 50007
	codeMissingPermissions = 50013
	codeBadWebhookToken    = 50027
	codeInvalidForm        = 50035
	codeArchivedThread     = 50083
	codeNoMutualGuild      = 50278
	codeReactionBlocked    = 90001
	codeThreadLocked       = 160005
	codeNoHistory          = 160002
)

// codeOf is Discord's own code for an error; 0 for none.
func codeOf(err error) int {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return 0
}

// sendError translates an error into what the outbox must know.
func sendError(err error) error {
	if err == nil {
		return nil
	}
	if s, ok := errors.AsType[*outbox.SendError](err); ok {
		return s
	}
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return err
	}
	s := &outbox.SendError{RetryAt: e.RetryAt, Complete: e.Complete, Err: err}
	switch {
	case e.Class == Rate, e.Class == Transient, e.Class == Auth, e.Code == codeCloudflare, e.Code == codeSendingDisabled:
		s.Outcome, s.Alone = outbox.NotSent, e.Bucket
	case e.Class == Unknown:
		s.Outcome = outbox.Unknown
	default:
		s.Outcome, s.Reason = outbox.Rejected, e.reason()
		s.Doubtful = e.Class == Invalid && e.Code == 0
	}
	return s
}

// reason is why a request was refused, in the words of ReasonGone and the
// others.
func (e *Error) reason() string {
	switch e.Code {
	case codeRequestTooLarge, codeFileTooLarge:
		return ReasonTooLarge
	case codeMissingAccess, codeMissingPermissions, codeCannotMessageUser, codeNoMutualGuild, codeReactionBlocked,
		codeThreadLocked, codeArchivedThread, codeNoHistory:
		return ReasonForbidden
	case codeInvalidForm:
		return e.fieldReason()
	case codeUnknownEmoji:
		return ReasonInvalid
	}
	switch e.Class {
	case Gone:
		return ReasonGone
	case Forbidden:
		return ReasonForbidden
	case TooLarge:
		return ReasonTooLarge
	}
	return ReasonInvalid
}

// fieldReason looks for what is wrong with the fields. Source: reference,
// "Error Messages".
func (e *Error) fieldReason() string {
	codes := map[string]bool{}
	var walk func(raw json.RawMessage, field string)
	walk = func(raw json.RawMessage, field string) {
		var fields map[string]json.RawMessage
		if json.Unmarshal(raw, &fields) != nil {
			return
		}
		for name, value := range fields {
			if name != "_errors" {
				walk(value, name)
				continue
			}
			var list []struct {
				Code string `json:"code"`
			}
			_ = json.Unmarshal(value, &list)
			for _, one := range list {
				codes[field+" "+one.Code] = true
				codes[one.Code] = true
			}
		}
	}
	walk(e.Fields, "")
	switch {
	case codes["MESSAGE_REFERENCE_UNKNOWN_MESSAGE"], codes["REPLIES_UNKNOWN_MESSAGE"]:
		return ReasonGone
	case codes["REPLIES_CANNOT_REPLY_TO_SYSTEM_MESSAGE"]:
		return ReasonInvalid
	case codes["BASE_TYPE_MAX_LENGTH"], codes["BASE_TYPE_BAD_LENGTH"], codes["MAX_EMBED_SIZE_EXCEEDED"]:
		return ReasonTooLong
	}
	return ReasonInvalid
}
