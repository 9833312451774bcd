package fedi

import (
	"context"
	"encoding/json"
	"net/url"
	"sync"
	"time"

	"rookery/internal/community"
)

// Relationship is how our account and a member stand to each other
// (https://docs.joinmastodon.org/entities/Relationship/).
type Relationship struct {
	ID         community.MemberID
	Following  bool // we follow them
	FollowedBy bool // they follow us
	Requested  bool // we have asked to follow them
	Blocking   bool
	BlockedBy  bool
	Muting     bool
}

// relationPage is how many are asked for in one request: an address has to
// hold their ids.
const relationPage = 40

// Relationships tells how our account stands to members
// (https://docs.joinmastodon.org/methods/accounts/#relationships). Members the
// server does not know are left out; the order is the server's.
func (c *Client) Relationships(ctx context.Context, ids ...community.MemberID) ([]Relationship, error) {
	var all []Relationship
	for len(ids) > 0 {
		part := ids[:min(len(ids), relationPage)]
		ids = ids[len(part):]
		q := url.Values{}
		for _, id := range part {
			q.Add("id[]", string(id))
		}
		var page list[Relationship]
		if _, err := c.get(ctx, call{path: "/api/v1/accounts/relationships", query: q}, &page); err != nil {
			return nil, err
		}
		all = append(all, page...)
	}
	return all, nil
}

// UnmarshalJSON implements json.Unmarshaler; only one without an id is an
// error.
func (r *Relationship) UnmarshalJSON(b []byte) error {
	var w struct {
		ID         text `json:"id"`
		Following  flag `json:"following"`
		FollowedBy flag `json:"followed_by"`
		Requested  flag `json:"requested"`
		Blocking   flag `json:"blocking"`
		BlockedBy  flag `json:"blocked_by"`
		Muting     flag `json:"muting"`
	}
	if err := json.Unmarshal(b, &w); err != nil {
		return err
	}
	if w.ID == "" {
		return errNoID
	}
	*r = Relationship{
		ID: community.MemberID(w.ID), Following: bool(w.Following), FollowedBy: bool(w.FollowedBy), Requested: bool(w.Requested),
		Blocking: bool(w.Blocking), BlockedBy: bool(w.BlockedBy), Muting: bool(w.Muting),
	}
	return nil
}

const (
	// followsFor is how long an answer about a follower is believed.
	followsFor = 10 * time.Minute
	// maxFollows bounds the answers remembered for an account.
	maxFollows = 2000
)

// follows remembers who follows one of our accounts.
type follows struct {
	mu    sync.Mutex
	known map[community.MemberID]followed
}

type followed struct {
	yes bool
	at  time.Time
}

func (w *follows) get(now time.Time, id community.MemberID) (yes, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f, ok := w.known[id]
	return f.yes, ok && now.Sub(f.at).Abs() < followsFor
}

func (w *follows) put(now time.Time, id community.MemberID, yes bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.known == nil {
		w.known = map[community.MemberID]followed{}
	}
	if len(w.known) >= maxFollows {
		for id, f := range w.known {
			if now.Sub(f.at).Abs() >= followsFor {
				delete(w.known, id)
			}
		}
		if len(w.known) >= maxFollows {
			clear(w.known) // asking again costs a request each, no more
		}
	}
	w.known[id] = followed{yes, now}
}

// FollowsUs reports whether a member follows our account. The answer may be
// ten minutes old. A server that does not know the member says no.
func (f *Fedi) FollowsUs(ctx context.Context, account community.AccountID, member community.MemberID) (bool, error) {
	l, err := f.login(account)
	if err != nil {
		return false, err
	}
	if yes, ok := l.follows.get(f.Clock.Now(), member); ok {
		return yes, nil
	}
	all, err := l.client.Relationships(ctx, member)
	if err != nil {
		return false, l.helped(err)
	}
	yes := false
	for _, r := range all {
		yes = yes || r.ID == member && r.FollowedBy
	}
	l.follows.put(f.Clock.Now(), member, yes)
	return yes, nil
}
