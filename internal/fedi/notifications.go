package fedi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"rookery/internal/community"
)

// NotificationQuery pages through the mentions of an account.
type NotificationQuery struct {
	// MinID asks for the oldest page of newer ones, MaxID for the newest page
	// of older ones; both may be empty.
	MinID, MaxID community.NotificationID
	Limit        int // 1 to 80; 40 when zero
}

// otherPages is how many pages without a single mention are read before a
// call gives up on a server that sends everything.
const otherPages = 25

// Notifications returns a page of mentions as the server orders it, newest
// first (https://docs.joinmastodon.org/methods/notifications/#get). Servers
// do not all heed the type they are asked for, so others are left out here,
// and so is an id that comes twice; a page can be shorter than the limit
// without being the last. Where a page holds only others, the next one is
// asked for at once, so that an empty result means that there are no more. A
// notification that cannot be read has Err set and costs the page nothing.
func (c *Client) Notifications(ctx context.Context, q NotificationQuery) ([]Notification, error) {
	cl := call{path: "/api/v1/notifications", query: url.Values{
		"limit":   {limitOr(q.Limit, 40, 80)},
		"types[]": {mentionType},
		// Mastodon 4.3 keeps private mentions by strangers apart unless asked.
		"include_filtered": {"true"},
	}}
	if q.MaxID != "" {
		cl.query.Set("max_id", string(q.MaxID))
		cl.family = paged
	}
	if q.MinID != "" {
		cl.query.Set("min_id", string(q.MinID))
		cl.family = paged
	}
	for range otherPages {
		var raw []json.RawMessage
		if _, err := c.get(ctx, cl, &raw); err != nil {
			return nil, err
		}
		if page := mentionsIn(raw); len(page) > 0 || len(raw) == 0 {
			return page, nil
		}
		cursor, next := "max_id", raw[len(raw)-1]
		if q.MinID != "" {
			cursor, next = "min_id", raw[0] // upwards
		}
		var w struct {
			ID text `json:"id"`
		}
		if json.Unmarshal(next, &w) != nil || w.ID == "" || string(w.ID) == cl.query.Get(cursor) {
			return nil, nil //nolint:nilerr // it knows no paging: that was all
		}
		cl.query.Set(cursor, string(w.ID))
		cl.query.Set("limit", limitOr(80, 0, 80))
		cl.family = paged
	}
	return nil, &Error{Class: Transient, Method: http.MethodGet, Path: cl.path, Status: http.StatusOK,
		Message: "the server sends pages of other notifications and no mention among them: clear the account's old notifications"}
}

// mentionsIn reads a page and keeps its mentions, each once.
func mentionsIn(raw []json.RawMessage) []Notification {
	var page []Notification
	seen := map[community.NotificationID]bool{}
	for _, r := range raw {
		n, ok := readNotification(r)
		if !ok || n.ID != "" && seen[n.ID] {
			continue
		}
		seen[n.ID] = true
		page = append(page, n)
	}
	return page
}

const mentionType = "mention"

// readNotification reads one element of a page; false if it is certainly no
// mention.
func readNotification(raw json.RawMessage) (Notification, bool) {
	var w struct {
		ID        text            `json:"id"`
		Type      text            `json:"type"`
		CreatedAt stamp           `json:"created_at"`
		Account   object[Account] `json:"account"`
		Status    json.RawMessage `json:"status"`
	}
	if err := json.Unmarshal(raw, &w); err != nil {
		return Notification{Raw: bytes.ToValidUTF8(raw, []byte("?")), Err: fmt.Errorf("read notification: %w", err)}, true
	}
	if w.Type != mentionType && w.Type != "" {
		return Notification{}, false
	}
	n := Notification{ID: community.NotificationID(w.ID), Type: string(w.Type), CreatedAt: time.Time(w.CreatedAt), Account: w.Account.V}
	err := n.need(w.Status)
	if err != nil {
		n.Err, n.Raw = fmt.Errorf("read notification %s: %w", n.ID, err), bytes.ToValidUTF8(raw, []byte("?"))
	}
	return n, true
}

// need reads the status of a mention and checks what no mention can do
// without.
func (n *Notification) need(status json.RawMessage) error {
	switch {
	case n.ID == "":
		return errNoID
	case n.Type == "":
		return errors.New("it has no type")
	}
	if len(status) == 0 || string(status) == "null" {
		return errors.New("it has no status")
	}
	if err := json.Unmarshal(status, &n.Status); err != nil {
		return fmt.Errorf("its status: %w", err)
	}
	if n.Status.Account.ID == "" {
		return errors.New("its status has no author")
	}
	return nil
}

// dismissal is what a client has learnt about dismissing notifications.
type dismissal int

const (
	dismissUntried     dismissal = iota
	dismissMastodon              // POST /api/v1/notifications/:id/dismiss
	dismissSharkey               // POST /api/v1/notification/:id/dismiss
	dismissUnsupported           // neither
)

// Dismiss removes one notification from the account's list, as far as the
// server can: Mastodon, Akkoma and Pleroma do it as documented
// (https://docs.joinmastodon.org/methods/notifications/#dismiss), Sharkey
// under another path, GoToSocial and snac not at all. Class Unsupported: it
// cannot, and from then on that is said without asking; class Gone: there is
// no such notification (any more). A dismissal may be repeated at will.
func (c *Client) Dismiss(ctx context.Context, id community.NotificationID) error {
	cl := call{method: http.MethodPost, path: "/api/v1/notifications/", route: "/api/v1/notifications/:id/dismiss", bodyless: true}
	p, err := pathID(string(id))
	if err != nil {
		return badID(cl.method, cl.path, err)
	}
	cl.path += p + "/dismiss"
	other := cl
	other.path, other.route = "/api/v1/notification/"+p+"/dismiss", "/api/v1/notification/:id/dismiss"

	c.mu.Lock()
	known, in := c.dismiss, c.instance
	c.mu.Unlock()
	if known == dismissUntried {
		switch in.Software {
		case Mastodon, Akkoma, Pleroma:
			known = dismissMastodon // a 404 from these is about the notification
		}
	}
	switch known {
	case dismissUnsupported:
		return c.notSent(cl, Unsupported, "this server cannot dismiss notifications")
	case dismissMastodon:
		_, err := c.do(ctx, cl)
		return err
	case dismissSharkey:
		_, err := c.do(ctx, other)
		return err
	}
	_, err = c.do(ctx, cl)
	if err == nil {
		c.learnDismissal(dismissMastodon)
		return nil
	}
	if !cannot(err) {
		return err
	}
	_, err = c.do(ctx, other)
	if err == nil {
		c.learnDismissal(dismissSharkey)
		return nil
	}
	if !cannot(err) {
		return err
	}
	c.learnDismissal(dismissUnsupported)
	return c.notSent(cl, Unsupported, "this server cannot dismiss notifications")
}

// cannot reports whether an answer says that the server knows no such call.
func cannot(err error) bool {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return false
	}
	switch e.Status {
	case http.StatusBadRequest, http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusGone, http.StatusUnprocessableEntity, http.StatusNotImplemented:
		return true
	}
	return false
}

func (c *Client) learnDismissal(d dismissal) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.dismiss = d
}
