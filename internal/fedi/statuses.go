package fedi

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"rookery/internal/community"
)

// Draft is the whole of a post of ours.
type Draft struct {
	Text       string
	CW         string // content warning; empty for none
	Sensitive  bool
	Visibility community.Visibility // one of the four; ignored by Edit, a post keeps its audience
	// InReplyTo is the post answered; empty for none, ignored by Edit.
	InReplyTo community.PostID
	Language  string // BCP 47; empty leaves it to the server
	MediaIDs  []string
	// MediaDescriptions are alt texts by media id. Edit sets them; Post does
	// not, for a new post's are set when its media are uploaded.
	MediaDescriptions map[string]string
}

// VerifyCredentials returns the account the token belongs to
// (https://docs.joinmastodon.org/methods/accounts/#verify_credentials).
// Class Auth: the token is refused, or its account is.
func (c *Client) VerifyCredentials(ctx context.Context) (Account, error) {
	var a Account
	_, err := c.get(ctx, call{path: "/api/v1/accounts/verify_credentials", whoami: true}, &a)
	return a, err
}

// Status returns a post (https://docs.joinmastodon.org/methods/statuses/#get).
// Class Gone: it is deleted, or not for our account's eyes.
func (c *Client) Status(ctx context.Context, id community.PostID) (Status, error) {
	const path = "/api/v1/statuses/"
	p, err := pathID(string(id))
	if err != nil {
		return Status{}, badID(http.MethodGet, path, err)
	}
	var s Status
	_, err = c.get(ctx, call{path: path + p, route: path + ":id"}, &s)
	return s, err
}

// Source returns the text and the content warning of a post of ours as they
// were written (https://docs.joinmastodon.org/methods/statuses/#source). Class
// Gone: there is no such post, or the server does not tell.
func (c *Client) Source(ctx context.Context, id community.PostID) (words, cw string, err error) {
	const path = "/api/v1/statuses/"
	p, err := pathID(string(id))
	if err != nil {
		return "", "", badID(http.MethodGet, path, err)
	}
	var w struct {
		Text text `json:"text"`
		CW   text `json:"spoiler_text"`
	}
	_, err = c.get(ctx, call{path: path + p + "/source", route: path + ":id/source"}, &w)
	return string(w.Text), string(w.CW), err
}

// Context returns what stands before and after a post, each list from the
// oldest to the newest, as far as the server has it
// (https://docs.joinmastodon.org/methods/statuses/#context). Posts that
// cannot be read are left out.
func (c *Client) Context(ctx context.Context, id community.PostID) (Thread, error) {
	const path = "/api/v1/statuses/"
	p, err := pathID(string(id))
	if err != nil {
		return Thread{}, badID(http.MethodGet, path, err)
	}
	var w struct {
		Ancestors   list[Status] `json:"ancestors"`
		Descendants list[Status] `json:"descendants"`
	}
	_, err = c.get(ctx, call{path: path + p + "/context", route: path + ":id/context"}, &w)
	return Thread{Ancestors: w.Ancestors, Descendants: w.Descendants}, err
}

// StatusQuery pages through an account's posts.
type StatusQuery struct {
	MaxID community.PostID // only older ones; empty to begin with the newest
	Limit int              // 1 to 40; 20 when zero
}

// AccountStatuses returns posts of an account, newest first
// (https://docs.joinmastodon.org/methods/accounts/#statuses), boosts
// included. asOf is when the server answered, by its own clock; zero if it
// did not say. An empty page is the end.
func (c *Client) AccountStatuses(ctx context.Context, id community.MemberID, q StatusQuery) (page []Status, asOf time.Time, err error) {
	const path = "/api/v1/accounts/"
	p, err := pathID(string(id))
	if err != nil {
		return nil, time.Time{}, badID(http.MethodGet, path, err)
	}
	cl := call{path: path + p + "/statuses", route: path + ":id/statuses", query: url.Values{"limit": {limitOr(q.Limit, 20, 40)}}}
	if q.MaxID != "" {
		cl.query.Set("max_id", string(q.MaxID))
		cl.family = paged
	}
	var raw []json.RawMessage
	a, err := c.get(ctx, cl, &raw)
	if err != nil {
		return nil, time.Time{}, err
	}
	for _, r := range raw {
		var s Status
		if err := json.Unmarshal(r, &s); err != nil {
			// A page with a hole could hide the very post that is looked for.
			return nil, time.Time{}, &Error{Method: http.MethodGet, Path: cl.path, Status: a.status, Class: Transient, Message: "a post on the page cannot be read", Err: c.scrub(err)}
		}
		page = append(page, s)
	}
	asOf, _ = serverDate(a.header)
	return page, asOf, nil
}

// Post creates a post (https://docs.joinmastodon.org/methods/statuses/#create).
// The key lets Mastodon and Akkoma recognise a repetition; others ignore it.
// Class TooLong, Invalid and Rate: nothing was posted; Transient: nothing was
// sent; Unknown: it may be there.
func (c *Client) Post(ctx context.Context, d Draft, idempotencyKey string) (Status, error) {
	cl := call{method: http.MethodPost, path: "/api/v1/statuses", family: posting, effect: true, key: idempotencyKey}
	switch d.Visibility {
	case community.Public, community.Unlisted, community.Followers, community.Direct:
	default:
		// Left out, it would be the account's own default, which may be public.
		return Status{}, c.notSent(cl, Invalid, fmt.Sprintf("the visibility %q is none of public, unlisted, private and direct", d.Visibility))
	}
	if strings.ContainsFunc(idempotencyKey, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return Status{}, c.notSent(cl, Invalid, "the idempotency key is no header value")
	}
	body := map[string]any{"status": d.Text, "visibility": string(d.Visibility), "sensitive": d.Sensitive}
	if d.CW != "" {
		body["spoiler_text"] = d.CW
	}
	if d.InReplyTo != "" {
		body["in_reply_to_id"] = string(d.InReplyTo)
	}
	if d.Language != "" {
		body["language"] = d.Language
	}
	if len(d.MediaIDs) > 0 {
		body["media_ids"] = d.MediaIDs
	}
	return c.write(ctx, cl, d, body)
}

// Edit makes a post of ours what the draft says
// (https://docs.joinmastodon.org/methods/statuses/#edit). It always sends the
// whole state: what a server is not told it may drop (GoToSocial: media,
// sensitive, content warning). Errors as for Post; class Gone: there is no
// such post, or it is another account's; class Unsupported: the server cannot
// edit.
func (c *Client) Edit(ctx context.Context, id community.PostID, d Draft) (Status, error) {
	cl := call{method: http.MethodPut, path: "/api/v1/statuses/", route: "/api/v1/statuses/:id", effect: true}
	p, err := pathID(string(id))
	if err != nil {
		return Status{}, badID(cl.method, cl.path, err)
	}
	cl.path += p
	ids := d.MediaIDs
	if ids == nil {
		ids = []string{} // "none", where null could be taken for "as they are"
	}
	body := map[string]any{"status": d.Text, "spoiler_text": d.CW, "sensitive": d.Sensitive, "media_ids": ids}
	if d.Language != "" {
		body["language"] = d.Language
	}
	var attributes []map[string]string
	for _, m := range ids {
		if alt, ok := d.MediaDescriptions[m]; ok {
			attributes = append(attributes, map[string]string{"id": m, "description": alt})
		}
	}
	if len(attributes) > 0 {
		body["media_attributes"] = attributes
	}
	return c.write(ctx, cl, d, body)
}

// write sends the state of a post and reads what became of it.
func (c *Client) write(ctx context.Context, cl call, d Draft, body map[string]any) (Status, error) {
	c.mu.Lock()
	in := c.instance
	c.mu.Unlock()
	if n := in.Length(d.Text, d.CW); in.MaxCharsTold && n > in.MaxChars {
		return Status{}, c.notSent(cl, TooLong, fmt.Sprintf("the post has %d characters, and the server allows %d", n, in.MaxChars))
	}
	switch in.Software {
	case GoToSocial, Akkoma, Pleroma:
		// The account may have set Markdown as its default, which would eat
		// the asterisks and underscores of what we write.
		body["content_type"] = "text/plain"
	}
	b, err := json.Marshal(body)
	if err != nil {
		return Status{}, c.notSent(cl, Invalid, err.Error())
	}
	// JSON is what all servers read alike; how lists are written in a form
	// differs (https://docs.joinmastodon.org/client/intro/#parameters).
	cl.body, cl.length, cl.contentType = bytes.NewReader(b), int64(len(b)), "application/json"
	a, err := c.do(ctx, cl)
	if err != nil {
		return Status{}, err
	}
	var s Status
	if err := c.decode(cl, a, &s); err != nil {
		return Status{}, err
	}
	return s, nil
}

// Delete removes a post of ours from the server, which asks the others to do
// the same (https://docs.joinmastodon.org/methods/statuses/#delete). Class
// Gone: the server has no such post of the token's account; that it is done
// follows only if the token is still the account's that posted.
func (c *Client) Delete(ctx context.Context, id community.PostID) error {
	cl := call{method: http.MethodDelete, path: "/api/v1/statuses/", route: "/api/v1/statuses/:id", family: deleting, effect: true, bodyless: true}
	p, err := pathID(string(id))
	if err != nil {
		return badID(cl.method, cl.path, err)
	}
	cl.path += p
	_, err = c.do(ctx, cl)
	return err
}

// notSent is the error of a call that is refused on our side.
func (c *Client) notSent(cl call, class Class, why string) error {
	return &Error{Class: class, Method: cl.method, Path: cl.path, Message: "not sent: " + why}
}

// limitOr writes a page size within 1 and most. It is always sent: snac takes
// none for one.
func limitOr(n, usual, most int) string {
	if n <= 0 {
		n = usual
	}
	return strconv.Itoa(min(n, most))
}
