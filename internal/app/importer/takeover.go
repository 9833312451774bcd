package importer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"rookery/internal/app/config"
	"rookery/internal/clock"
	"rookery/internal/community"
	"rookery/internal/fedi"
	"rookery/internal/inbox"
	"rookery/internal/words"
)

// Takeover says for which account giffer's work is taken over, and with what.
type Takeover struct {
	Account   config.Account // that which giffer had, with its token
	Was       string         // the handle (user@host) that the account has had here so far; empty if it never logged in
	UserAgent string
	Inbox     recorder
	Timeout   time.Duration     // of one request; 0 means 20 s
	Transport http.RoundTripper // nil for an own one
	Clock     clock.Clock       // nil for the system's
	Out       io.Writer
	Language  words.Language
}

// recorder is inbox.Inbox.
type recorder interface {
	TakeOver(ctx context.Context, account community.AccountID, h inbox.Handover) (inbox.Taken, error)
}

// ErrNotOurs is a state that cannot be that of the account: nothing was taken
// over.
var ErrNotOurs = errors.New("nothing was taken over")

// TakeOver records giffer's work for an account: what it has dealt with is
// never answered, and the account begins where giffer has ended. Nobody may be
// at work on the database. The server is asked whether the state is really
// that of the account, and for the place in its notifications; a state of
// which it knows nothing is refused with ErrNotOurs. Doing it again changes
// nothing.
func (g *Giffer) TakeOver(ctx context.Context, t Takeover) error {
	if t.Timeout <= 0 {
		t.Timeout = 20 * time.Second
	}
	client, err := fedi.New(fedi.Options{Server: t.Account.Server, Token: t.Account.Token.Reveal(), UserAgent: t.UserAgent, Transport: t.Transport,
		Clock: t.Clock, Timeout: t.Timeout, NoRateLimits: !t.Account.RateLimits})
	if err != nil {
		return err
	}
	defer client.Close()
	m := &move{Takeover: t, client: client, file: g.stateFile, state: g.state}
	if err := m.whose(ctx); err != nil {
		return err
	}
	h, err := m.handover(ctx)
	if err != nil {
		return err
	}
	taken, err := t.Inbox.TakeOver(ctx, fedi.AccountID(t.Account.Server, m.me.ID), h)
	if err != nil {
		return err
	}
	m.tell(h, taken)
	return nil
}

// move is one take-over.
type move struct {
	Takeover
	client *fedi.Client
	file   string
	state  gifferState
	me     fedi.Account
	handle string
	older  bool // the place is that before the one of the state
}

// whose asks the server who we are.
func (m *move) whose(ctx context.Context) error {
	if _, err := m.client.Instance(ctx); err != nil && ctx.Err() != nil { // for the domain of its handles
		return ctx.Err()
	}
	me, err := m.client.VerifyCredentials(ctx)
	if err != nil {
		return m.trouble(err)
	}
	m.me, m.handle = me, m.client.Converter().Member(me).Handle
	if m.Was != "" && !strings.EqualFold(m.Was, m.handle) {
		return fmt.Errorf("the access token of %s belongs to @%s, but the account was @%s until now, so nothing was taken over: log in as @%s with rookery login %s",
			m.Account.Name, m.handle, m.Was, m.Was, m.Account.Name)
	}
	return nil
}

// trouble is an error of the server's, with what to do about it.
func (m *move) trouble(err error) error {
	switch fedi.ClassOf(err) {
	case fedi.Auth:
		return fmt.Errorf("%s does not take the access token, so nothing was taken over: run rookery login %s, then this again: %w", m.Account.Server, m.Account.Name, err)
	case fedi.Invalid, fedi.Gone:
		return m.notOurs(fmt.Sprintf("%s cannot read its ids (%v), so it is the state of another server", m.Account.Server, err))
	}
	return fmt.Errorf("%s could not be asked, so nothing was taken over: check the address and the network, then run this again: %w", m.Account.Server, err)
}

func (m *move) notOurs(why string) error {
	return fmt.Errorf("%s: %s. Name the right account with --account, or the right file; without a state Rookery begins with what comes from its first start on: %w",
		m.file, why, ErrNotOurs)
}

// handover finds giffer's place among the account's notifications. The ids are
// opaque, so which of two is newer is the server's to say.
func (m *move) handover(ctx context.Context) (inbox.Handover, error) {
	h := inbox.Handover{Posts: m.state.posts, Feature: config.FeatureGIFs}
	last := m.state.lastSeen
	if last == "" {
		return h, m.vouched(ctx)
	}
	before, err := m.client.Notifications(ctx, fedi.NotificationQuery{MaxID: last, Limit: 1})
	if err != nil {
		return h, m.trouble(err)
	}
	from := fedi.NotificationQuery{Limit: 80} // nothing is older: it is among the first, if they are few
	if len(before) > 0 {
		from.MinID = before[0].ID
	}
	after, err := m.client.Notifications(ctx, from)
	if err != nil {
		return h, m.trouble(err)
	}
	for _, n := range after {
		if n.ID == last { // it is in our own list, so the state is ours
			m.begin(&h, n)
			return h, nil
		}
	}
	if err := m.vouched(ctx); err != nil {
		return h, err
	}
	m.older = true
	if len(before) > 0 {
		m.begin(&h, before[0])
	} else {
		h.Cursor = last // all that the server lists is newer
	}
	return h, nil
}

// begin makes a notification the place. What it tells of has been seen.
func (m *move) begin(h *inbox.Handover, n fedi.Notification) {
	h.Cursor, h.Told = n.ID, n.CreatedAt
	if id := n.Status.ID; id != "" && !slices.Contains(h.Posts, id) {
		h.Posts = append(slices.Clip(h.Posts), id)
	}
}

// witnesses is how many posts the server is asked about.
const witnesses = 8

// vouched asks the server whether the posts of the state, the latest first,
// address our account; one that does is enough.
func (m *move) vouched(ctx context.Context) error {
	strangers := 0
	posts := m.state.posts[max(0, len(m.state.posts)-witnesses):]
	for _, id := range slices.Backward(posts) {
		post, err := m.client.Status(ctx, id)
		switch c := fedi.ClassOf(err); {
		case c == fedi.Gone || c == fedi.Invalid:
			continue
		case err != nil:
			return m.trouble(err)
		}
		if slices.ContainsFunc(post.Mentions, func(w fedi.Mention) bool { return w.ID == m.me.ID }) {
			return nil
		}
		strangers++
	}
	if strangers > 0 {
		return m.notOurs(fmt.Sprintf("the posts it names do not mention @%s, so it is the state of another account", m.handle))
	}
	return m.notOurs(fmt.Sprintf("%s knows none of what it names, so it is the state of another server or account, or all of it is gone", m.Account.Server))
}

// tell says what was taken over.
func (m *move) tell(h inbox.Handover, t inbox.Taken) {
	if m.Out == nil {
		return
	}
	a := words.Args{"account": m.Account.Name, "handle": m.handle, "n": t.Posts, "time": h.Told, "file": m.file}
	say := func(k words.Key) { fmt.Fprintln(m.Out, m.Language.Say(k, a)) }
	if t.Posts > 0 {
		say(words.ImportStatePosts)
	} else {
		say(words.ImportStateAgain)
	}
	switch {
	case t.Begun:
		say(words.ImportStateBegun)
	case h.Cursor == "":
		say(words.ImportStateNoPlace)
	case h.Told.IsZero():
		say(words.ImportStateAll)
	case m.older:
		say(words.ImportStateOlder)
	default:
		say(words.ImportStatePlace)
	}
	if len(m.state.unknown) > 0 {
		a["names"] = strings.Join(m.state.unknown, ", ")
		say(words.ImportUnknown)
	}
	say(words.ImportStateNext)
}
