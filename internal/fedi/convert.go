package fedi

import (
	"errors"
	"net/url"
	"strings"

	"rookery/internal/community"
	"rookery/internal/htmltext"
)

// Converter turns what came over the wire into the nouns that features speak.
// All its text is plain, valid UTF-8 without NUL.
type Converter struct {
	// Domain completes the handles of the server's own accounts:
	// Instance.Domain.
	Domain string
}

// Converter returns one for this server: with the domain the last probe
// found, or the host of the server's address before that.
func (c *Client) Converter() Converter {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.probed {
		return Converter{Domain: c.instance.Domain}
	}
	return Converter{Domain: c.base.Host}
}

// Member converts an account.
func (v Converter) Member(a Account) community.Member {
	handle := v.handle(a.Acct, a.Username)
	if !strings.Contains(a.Acct, "@") && strings.Count(a.FQN, "@") == 1 {
		handle = lowerHost(a.FQN) // Pleroma's address may differ from its accounts' domain, and v1 tells only that
	}
	return community.Member{
		ID:     a.ID,
		Handle: oneLine(handle),
		Acct:   oneLine(a.Acct),
		Name:   oneLine(a.DisplayName),
		URI:    a.URI,
		URL:    a.URL,
		Bot:    a.Bot,
		Note:   note(a),
	}
}

// note is the profile as plain text: its text, then its rows, for people put
// #nobot and the like in either.
func note(a Account) string {
	parts := []string{htmltext.Text(a.Note, htmltext.Options{})}
	for _, f := range a.Fields {
		parts = append(parts, oneLine(f.Name)+": "+oneLine(htmltext.Text(f.Value, htmltext.Options{})))
	}
	return strings.TrimSpace(strings.Join(parts, "\n"))
}

// Post converts a status. A boost converts as what it is, a post of its own
// id without text; Status.ReblogOf tells it.
func (v Converter) Post(s Status) community.Post {
	mentioned := v.resolver(s.Mentions)
	p := community.Post{
		ID:         s.ID,
		URI:        s.URI,
		URL:        s.URL,
		Author:     v.Member(s.Account),
		Text:       htmltext.Text(s.Content, htmltext.Options{Mention: mentioned}),
		Links:      links(s.Content, mentioned),
		CW:         htmltext.Clean(s.SpoilerText),
		Sensitive:  s.Sensitive,
		Visibility: s.Visibility,
		ParentID:   s.InReplyToID,
		ParentBy:   s.InReplyToAccountID,
		Language:   s.Language,
		At:         s.CreatedAt,
	}
	for _, m := range s.Mentions {
		p.Mentions = append(p.Mentions, community.Member{ID: m.ID, Acct: oneLine(m.Acct), Handle: oneLine(v.handle(m.Acct, m.Username)), URL: m.URL})
	}
	for _, m := range s.MediaAttachments {
		kind := m.Type
		switch kind {
		case "image", "gifv", "video", "audio":
		default:
			kind = "unknown"
		}
		p.Media = append(p.Media, community.Attachment{ID: m.ID, Kind: kind, URL: m.URL, Description: htmltext.Clean(m.Description)})
	}
	return p
}

// Mention converts a notification of one of our accounts; its own Err is
// returned as it is.
func (v Converter) Mention(account community.AccountID, n Notification) (community.Mention, error) {
	if n.Err != nil {
		return community.Mention{}, n.Err
	}
	if n.ID == "" || n.Status.ID == "" {
		return community.Mention{}, errors.New("a notification without an id or a status is no mention")
	}
	return community.Mention{Account: account, Notification: n.ID, Notified: n.CreatedAt, Post: v.Post(n.Status)}, nil
}

// handle completes an acct to user@host.
func (v Converter) handle(acct, username string) string {
	if acct == "" {
		acct = username
	}
	acct = strings.TrimPrefix(acct, "@")
	if acct == "" {
		return ""
	}
	if !strings.Contains(acct, "@") {
		return acct + "@" + v.Domain
	}
	return lowerHost(acct)
}

func lowerHost(handle string) string {
	user, host, _ := strings.Cut(handle, "@")
	return user + "@" + strings.ToLower(host)
}

// resolver finds who a link mentions among the status's own mentions, by the
// link's address alone. The address of a mention is the account's page; a
// post written elsewhere may link to the account's identity instead
// ("/users/ada" for "/@ada"), so the last part of the path on the same host
// counts as well.
func (v Converter) resolver(mentions []Mention) func(string) (string, bool) {
	type place struct{ host, user string }
	byURL := make(map[string]string, len(mentions))
	byPlace := make(map[place]string, len(mentions))
	for _, m := range mentions {
		handle := v.handle(m.Acct, m.Username)
		user, domain, ok := strings.Cut(strings.ToLower(handle), "@")
		if !ok {
			continue
		}
		byPlace[place{domain, user}] = handle
		if host, path, ok := addressParts(m.URL); ok {
			byURL[host+path] = handle
			byPlace[place{host, user}] = handle
		}
	}
	return func(href string) (string, bool) {
		host, path, ok := addressParts(href)
		if !ok {
			return "", false
		}
		if h, ok := byURL[host+path]; ok {
			return h, true
		}
		last := strings.ToLower(strings.TrimPrefix(path[strings.LastIndexByte(path, '/')+1:], "@"))
		if user, domain, remote := strings.Cut(last, "@"); remote { // a page here about an account elsewhere
			host, last = domain, user
		}
		h, ok := byPlace[place{host, last}]
		return h, ok
	}
}

// addressParts splits a web address into what identifies a page.
func addressParts(s string) (host, path string, ok bool) {
	u, err := url.Parse(strings.TrimSpace(s))
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return "", "", false
	}
	return strings.ToLower(u.Host), strings.TrimSuffix(u.Path, "/"), true
}
