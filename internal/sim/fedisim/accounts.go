package fedisim

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Account is a member of the simulated world: one of this server's own, with a
// token, or one of another server, who has none. The exported fields change only by Edit.
type Account struct {
	ID       string // this server's id of the account
	Username string
	Acct     string // as this server writes it: "ada", or "ben@other.example" for a remote member
	Host     string // the server the account lives on
	Name     string // display name; may be empty
	Note     string // profile text, HTML
	Fields   []Field
	IsBot    bool
	URI, URL string
	Token    string // empty for a remote member

	s        *Server
	software Profile // whose HTML the account's posts have
	remote   bool
	created  time.Time

	// All below is guarded by s.mu.
	statuses  []*status       // by rank, oldest first
	notes     []*notification // by id, oldest first
	dismissed []string
	following map[*Account]bool
	followers map[*Account]bool
	lastPost  time.Time
	blocking  map[*Account]bool
	policy    map[string]string // Mastodon: which notifications are filtered
	scopes    []string          // of Token; nil: all
	json      []byte            // rendered; nil when it must be made anew
}

// AccountOption changes how AddAccount or AddRemote makes an account.
type AccountOption func(*Account)

// Bot sets the account's bot flag.
func Bot() AccountOption { return func(a *Account) { a.IsBot = true } }

// Named sets the display name.
func Named(name string) AccountOption { return func(a *Account) { a.Name = name } }

// Note sets the profile text, which is HTML.
func Note(html string) AccountOption { return func(a *Account) { a.Note = html } }

// WithToken sets the access token instead of a random one.
func WithToken(token string) AccountOption { return func(a *Account) { a.Token = token } }

// Runs says what server software a remote member lives on, and so what HTML
// the posts have; Mastodon if not said.
func Runs(p Profile) AccountOption { return func(a *Account) { a.software = p } }

// AcceptStrangers makes the account accept direct posts of people it does not
// follow, which Mastodon filters by default; it has no effect elsewhere.
func AcceptStrangers() AccountOption {
	return func(a *Account) {
		if a.policy != nil {
			a.policy["for_private_mentions"] = "accept"
		}
	}
}

// AddAccount makes an account of this server. It panics if the name is taken.
func (s *Server) AddAccount(name string, opts ...AccountOption) *Account {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := &Account{Username: name, Acct: name, Host: s.domain, software: s.profile}
	if s.profile == Mastodon {
		a.policy = defaultPolicy()
	}
	a.Token = s.ids.random(base62Digits, 43)
	s.add(a, s.base, opts)
	s.allow(a)
	return a
}

// AddRemote makes a member of another server, from a handle such as
// "ben@other.example". It panics if the handle has no host or is taken.
func (s *Server) AddRemote(handle string, opts ...AccountOption) *Account {
	name, host, ok := strings.Cut(strings.TrimPrefix(handle, "@"), "@")
	if !ok || host == s.domain {
		panic(fmt.Sprintf("fedisim: AddRemote needs name@host of another server, not %q", handle))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	a := &Account{Username: name, Acct: name + "@" + host, Host: host, software: Mastodon, remote: true}
	s.add(a, "https://"+host, opts)
	return a
}

func (s *Server) add(a *Account, base string, opts []AccountOption) {
	for _, o := range opts {
		o(a)
	}
	if s.byAcct[strings.ToLower(a.Acct)] != nil {
		panic(fmt.Sprintf("fedisim: there is already an account %q", a.Acct))
	}
	a.s, a.created = s, s.now()
	a.following, a.followers, a.blocking = map[*Account]bool{}, map[*Account]bool{}, map[*Account]bool{}
	switch a.software {
	case Akkoma:
		a.URI = base + "/users/" + a.Username
		a.URL = a.URI
	case Snac:
		a.URI = base + "/" + a.Username
		a.URL = a.URI
	case Sharkey:
		a.URI = base + "/users/" + s.ids.remoteStatus(a.created, Sharkey)
		a.URL = base + "/@" + a.Username
	default:
		a.URI = base + "/users/" + a.Username
		a.URL = base + "/@" + a.Username
	}
	a.ID = s.ids.account(a.created, a.URI)
	if a.software == Mastodon && !a.remote { // since 4.6
		a.URI = base + "/ap/users/" + a.ID
	}
	s.accounts[a.ID] = a
	s.byAcct[strings.ToLower(a.Acct)] = a
	s.people = append(s.people, a)
	s.change()
}

// Handle is name@host, always with the host.
func (a *Account) Handle() string { return a.Username + "@" + a.Host }

// Favourite likes a post, whose author is notified.
func (a *Account) Favourite(id string) {
	s := a.s
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.mustStatus(id)
	if st.favs[a] {
		return
	}
	if st.favs == nil {
		st.favs = map[*Account]bool{}
	}
	st.favs[a] = true
	s.notify(st.author, "favourite", a, st, s.now(), atOnce)
	s.change()
}

// Boost shares a post, whose author is notified; it returns the boost's id.
func (a *Account) Boost(id string) string {
	s := a.s
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.mustStatus(id)
	if st.boosts == nil {
		st.boosts = map[*Account]bool{}
	}
	st.boosts[a] = true
	b := &status{author: a, created: s.now(), boostOf: st, visibility: "public"}
	s.identify(b)
	s.insert(b)
	s.streamStatus("update", b)
	s.notify(st.author, "reblog", a, st, b.created, atOnce)
	s.change()
	return b.id
}

// Delete removes one of the account's posts, and with it the notifications
// about it. It panics if the post is not the account's.
func (a *Account) Delete(id string) {
	s := a.s
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.mustStatus(id)
	if st.author != a {
		panic(fmt.Sprintf("fedisim: %s cannot delete a post of %s", a.Acct, st.author.Acct))
	}
	s.remove(st)
	s.change()
}

// Dismissed lists the ids of the notifications that a client dismissed for an
// account, in order.
func (s *Server) Dismissed(accountID string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a := s.accounts[accountID]; a != nil {
		return slices.Clone(a.dismissed)
	}
	return nil
}

// renderAccount appends the account as other members see it.
func (s *Server) renderAccount(w *jsonWriter, a *Account) {
	if a.json == nil {
		var aw jsonWriter
		s.writeAccount(&aw, a, nil)
		a.json = aw.b
	}
	w.sep()
	w.b = append(w.b, a.json...)
}

// writeAccount appends an account; extra adds the fields of verify_credentials.
func (s *Server) writeAccount(w *jsonWriter, a *Account, extra func(*jsonWriter)) {
	followers, following, posts := len(a.followers), len(a.following), len(a.statuses)
	if s.profile == Snac {
		followers, following, posts = 0, 0, 0
	}
	created := a.created
	if s.profile == Mastodon { // days only
		created = created.UTC().Truncate(24 * time.Hour)
	}
	image := s.base + "/avatars/original/missing.png"
	header := s.base + "/headers/original/missing.png"
	w.open('{')
	w.str("id", a.ID)
	w.str("username", a.Username)
	w.str("acct", a.Acct)
	w.str("display_name", a.Name)
	w.bool("locked", false)
	w.bool("bot", a.IsBot)
	w.bool("discoverable", true)
	w.time("created_at", created)
	w.str("note", a.Note)
	w.str("url", a.URL)
	w.str("avatar", image)
	w.str("avatar_static", image)
	w.str("header", header)
	w.str("header_static", header)
	w.int("followers_count", followers)
	w.int("following_count", following)
	w.int("statuses_count", posts)
	switch {
	case a.lastPost.IsZero():
		w.null("last_status_at")
	case s.profile == Akkoma:
		w.str("last_status_at", a.lastPost.UTC().Format("2006-01-02T15:04:05"))
	default:
		w.str("last_status_at", a.lastPost.UTC().Format("2006-01-02"))
	}
	switch s.profile {
	case Mastodon:
		w.str("uri", a.URI)
		w.bool("group", false)
		w.bool("indexable", false)
		w.bool("noindex", false)
		w.null("hide_collections")
		w.str("avatar_description", "")
		w.str("header_description", "")
		w.bool("show_media", true)
		w.bool("show_media_replies", true)
		w.bool("show_featured", true)
		w.raw("feature_approval", `{"automatic":[],"manual":[],"current_user":"denied"}`)
		w.raw("roles", "[]")
	case Akkoma:
		w.str("fqn", a.Handle())
		w.raw("akkoma", `{"instance":null,"status_ttl_days":null,"permit_followback":false}`)
		w.raw("source", fmt.Sprintf(`{"fields":%s,"note":%s,"pleroma":{"actor_type":%s,"discoverable":true},"sensitive":false}`,
			fieldsJSON(plainFields(a.Fields)), quoted(plain(a.Note)), quoted(actorType(a))))
		w.raw("pleroma", fmt.Sprintf(`{"ap_id":%s,"also_known_as":[],"is_admin":false,"is_moderator":false,"is_confirmed":true,"relationship":{},"tags":[]}`, quoted(a.URI)))
	case GoToSocial:
		w.bool("group", false)
		w.raw("roles", "[]")
	case Snac:
		w.bool("group", false)
		w.bool("indexable", true)
		w.bool("noindex", false)
		w.bool("hide_collections", true)
	case Sharkey:
		w.str("uri", a.URI)
		w.str("fqn", a.Handle())
		w.null("group")
		w.null("noindex")
		w.null("moved")
		w.null("suspended")
		w.null("limited")
	}
	w.raw("emojis", "[]")
	w.key("fields")
	writeFields(w, a.Fields)
	if extra != nil {
		extra(w)
	}
	w.close('}')
}

func actorType(a *Account) string {
	if a.IsBot {
		return "Service"
	}
	return "Person"
}
