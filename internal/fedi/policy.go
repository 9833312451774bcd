package fedi

import (
	"context"
	"errors"
	"net/http"
)

// Verdict is what becomes of a notification that a policy is about.
type Verdict string

// The verdicts. A filtered notification is listed where it is asked for with
// include_filtered, as Notifications does, but streams keep quiet about it.
const (
	Accept Verdict = "accept"
	Filter Verdict = "filter"
	Drop   Verdict = "drop" // it never reaches us
)

// NotificationPolicy says of whom an account is told
// (https://docs.joinmastodon.org/entities/NotificationPolicy/).
type NotificationPolicy struct {
	NotFollowing    Verdict // senders we do not follow
	NotFollowers    Verdict // senders who do not follow us
	NewAccounts     Verdict
	PrivateMentions Verdict // direct posts nobody of ours asked for
	LimitedAccounts Verdict // limited by the moderators
	Bots            Verdict // empty on servers that make no difference
	Pending         int     // notifications that were filtered and wait
}

// NotificationPolicy asks of whom the account is told
// (https://docs.joinmastodon.org/methods/notifications/#get-policy). Class
// Unsupported: the server has no such thing, and everybody gets through.
func (c *Client) NotificationPolicy(ctx context.Context) (NotificationPolicy, error) {
	var w struct {
		NotFollowing    text `json:"for_not_following"`
		NotFollowers    text `json:"for_not_followers"`
		NewAccounts     text `json:"for_new_accounts"`
		PrivateMentions text `json:"for_private_mentions"`
		LimitedAccounts text `json:"for_limited_accounts"`
		Bots            text `json:"for_bots"`
		Summary         object[struct {
			Pending count `json:"pending_notifications_count"`
		}] `json:"summary"`
	}
	cl := call{method: http.MethodGet, path: "/api/v2/notifications/policy"}
	if _, err := c.get(ctx, cl, &w); err != nil {
		if cannot(err) {
			return NotificationPolicy{}, notSupported(cl, err, "this server does not filter notifications")
		}
		return NotificationPolicy{}, err
	}
	return NotificationPolicy{
		NotFollowing: Verdict(w.NotFollowing), NotFollowers: Verdict(w.NotFollowers), NewAccounts: Verdict(w.NewAccounts),
		PrivateMentions: Verdict(w.PrivateMentions), LimitedAccounts: Verdict(w.LimitedAccounts), Bots: Verdict(w.Bots),
		Pending: int(w.Summary.V.Pending),
	}, nil
}

// AppScopes asks which scopes the token's application has registered
// (https://docs.joinmastodon.org/methods/apps/#verify_credentials): the token
// has these or fewer. It is nil where the server does not tell. Class
// Unsupported: it has no such call.
func (c *Client) AppScopes(ctx context.Context) ([]string, error) {
	var w struct {
		Scopes list[text] `json:"scopes"`
	}
	cl := call{method: http.MethodGet, path: "/api/v1/apps/verify_credentials"}
	if _, err := c.get(ctx, cl, &w); err != nil {
		if cannot(err) {
			return nil, notSupported(cl, err, "this server does not tell the scopes of an application")
		}
		return nil, err
	}
	var scopes []string
	for _, s := range w.Scopes {
		scopes = append(scopes, string(s))
	}
	return scopes, nil
}

// notSupported is the error of a call that the server has answered with words
// for "no such thing".
func notSupported(cl call, err error, why string) error {
	e := &Error{Class: Unsupported, Method: cl.method, Path: cl.path, Message: why}
	if was, ok := errors.AsType[*Error](err); ok {
		e.Status = was.Status
	}
	return e
}
