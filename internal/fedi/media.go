package fedi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
)

const (
	mediaPath   = "/api/v2/media"
	oldMedia    = "/api/v1/media" // Mastodon before 3.1.3, Pixelfed and others; it also shows single media
	slowLine    = 128 << 10       // bytes a second that an upload may need: a home line of one megabit
	wholeAtOnce = 1 << 20         // bytes that are sent without asking first whether they are welcome
)

// UploadMedia sends a file that a post can then attach by the answer's ID
// (https://docs.joinmastodon.org/methods/media/#v2), by the older call where
// the server has no other. The file is streamed, not held in memory, and may
// take the time of a slow line beyond the client's time-out.
//
// An answer without a URL means that the server still works on the file: see
// Media. An upload is not seen by anybody, so that one whose answer was lost
// may simply be made again. Class RejectedMedia: the server does not take this
// file for what it is (its kind, size or content), and another form of it may
// do; Unsupported: it takes no files at all; Invalid: the upload was refused
// for another reason, or the file could not be read.
func (c *Client) UploadMedia(ctx context.Context, u Upload) (MediaAttachment, error) {
	c.mu.Lock()
	path, asks := mediaPath, !c.noExpect
	if c.oldMedia {
		path = oldMedia
	}
	c.mu.Unlock()
	m, err := c.upload(ctx, path, u, asks)
	if statusOf(err) == http.StatusExpectationFailed && asks {
		// Something before the server does not know how to be asked first
		// (RFC 9110, section 15.5.18).
		asks = false
		c.mu.Lock()
		c.noExpect = true
		c.mu.Unlock()
		m, err = c.upload(ctx, path, u, asks)
	}
	if path == mediaPath && noSuchCall(err) {
		if m, err = c.upload(ctx, oldMedia, u, asks); err == nil {
			c.mu.Lock()
			c.oldMedia = true
			c.mu.Unlock()
		}
	}
	if e, ok := errors.AsType[*Error](err); ok && e.Class == Gone {
		e.Class = Unsupported
	}
	return m, err
}

// noSuchCall tells that a server does not know the path, in whatever form it
// says so.
func noSuchCall(err error) bool {
	switch statusOf(err) {
	case http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusNotImplemented:
		return true
	}
	return false
}

// statusOf is the HTTP status that an error came with, 0 for none.
func statusOf(err error) int {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Status
	}
	return 0
}

// upload makes one request of an upload.
func (c *Client) upload(ctx context.Context, path string, u Upload, asks bool) (MediaAttachment, error) {
	cl := call{method: http.MethodPost, path: path, family: media}
	body, err := u.body()
	if err != nil {
		return MediaAttachment{}, &Error{Class: Invalid, Method: cl.method, Path: cl.path, Message: "not sent: the file cannot be sent", Err: err}
	}
	// The transport may still hold the body when it has given up; the file is
	// the caller's again when this returns.
	defer body.Close()
	cl.body, cl.length, cl.contentType = body, body.length, body.contentType
	cl.patience = longer(u.Size)
	cl.asksFirst = asks && u.Size > wholeAtOnce
	a, err := c.do(ctx, cl)
	if bad := body.failure(); err != nil && bad != nil {
		return MediaAttachment{}, &Error{Class: Invalid, Method: cl.method, Path: cl.path, Message: "the file could not be read", Err: bad}
	}
	if err != nil {
		return MediaAttachment{}, err
	}
	var w wireMedia
	if err := c.decode(cl, a, &w); err != nil {
		return MediaAttachment{}, err
	}
	if w.ID == "" {
		return MediaAttachment{}, &Error{Class: Transient, Status: a.status, Method: cl.method, Path: cl.path, Message: "the answer has no id"}
	}
	return w.attachment(), nil
}

// Media asks for a file of ours that no post has attached yet
// (https://docs.joinmastodon.org/methods/media/#get). It is not ready while
// the server still works on it. Class RejectedMedia: the server could not
// process it; Gone: there is no such file, or a post has it already;
// Unsupported: this server cannot be asked, or the token may not.
func (c *Client) Media(ctx context.Context, id string) (m MediaAttachment, ready bool, err error) {
	const path = oldMedia + "/"
	p, err := pathID(id)
	if err != nil {
		return MediaAttachment{}, false, badID(http.MethodGet, path, err)
	}
	// A server that answers 206 need not say more (the published description
	// has no body for it).
	cl := call{method: http.MethodGet, path: path + p, route: path + ":id", bodyless: true}
	a, err := c.do(ctx, cl)
	if err != nil {
		return MediaAttachment{}, false, c.aboutMedia(err)
	}
	var w wireMedia
	switch {
	case a.status == http.StatusPartialContent:
		_ = json.Unmarshal(a.body, &w) // its status is all that matters
	case len(a.body) == 0:
		return MediaAttachment{}, false, &Error{Class: Transient, Status: a.status, Method: cl.method, Path: cl.path, Message: "the answer is empty"}
	default:
		if err := c.decode(cl, a, &w); err != nil {
			return MediaAttachment{}, false, err
		}
	}
	if w.ID == "" {
		w.ID = text(id)
	}
	return w.attachment(), a.status != http.StatusPartialContent, nil
}

// Describe gives a file of ours another alt text, empty for none
// (https://docs.joinmastodon.org/methods/media/#update). Mastodon and
// GoToSocial do so only until a post attaches it, and change that of a post by
// Edit; others keep it and show it with the post, some once that is edited.
// Repeating it is harmless. Class Gone: there is no such file, or a post has it
// already; Unsupported: the server cannot, or the token may not.
func (c *Client) Describe(ctx context.Context, id, alt string) error {
	const path = oldMedia + "/"
	cl := call{method: http.MethodPut, path: path, route: path + ":id", bodyless: true, contentType: "application/json"}
	p, err := pathID(id)
	if err != nil {
		return badID(cl.method, path, err)
	}
	cl.path += p
	// Described as a form, but JSON is what all read alike (snac: mastoapi_put_handler in mastoapi.c).
	b, err := json.Marshal(map[string]string{"description": storable(alt)})
	if err != nil {
		return c.notSent(cl, Invalid, err.Error())
	}
	cl.body, cl.length = bytes.NewReader(b), int64(len(b))
	_, err = c.do(ctx, cl)
	return c.aboutMedia(err)
}

// aboutMedia sorts the refusals of a look at a medium.
func (c *Client) aboutMedia(err error) error {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return err
	}
	switch {
	case e.Status == http.StatusUnprocessableEntity && e.Class == Invalid:
		e.Class = RejectedMedia
	case e.Status == http.StatusForbidden && e.Class != Transient,
		// snac shows nothing, whatever the id.
		e.Status == http.StatusNotFound && c.software() == Snac:
		e.Class = Unsupported
	}
	return err
}

func (w wireMedia) attachment() MediaAttachment {
	return MediaAttachment{
		ID: string(w.ID), Type: string(w.Type), URL: string(w.URL), PreviewURL: string(w.PreviewURL),
		RemoteURL: string(w.RemoteURL), Description: string(w.Description),
	}
}
