package fedisim

import "slices"

// writeStatus appends a post as an account sees it; nil is someone without a token.
func (s *Server) writeStatus(w *jsonWriter, st *status, to *Account) {
	s.writeStatusAs(w, st, to, false)
}

// writeStatusAs also serves the answer of a delete, which has the source text
// in place of the markup on Mastodon.
func (s *Server) writeStatusAs(w *jsonWriter, st *status, to *Account, deleted bool) {
	w.open('{')
	w.str("id", st.id)
	w.time("created_at", st.created)
	parent := st.replyTo
	switch {
	case parent != nil && (parent.visible(to) || s.profile == GoToSocial):
		w.str("in_reply_to_id", parent.id)
		w.str("in_reply_to_account_id", parent.author.ID)
	case parent == nil && st.replyToID != "":
		w.str("in_reply_to_id", st.replyToID)
		w.str("in_reply_to_account_id", st.replyToAuthor.ID)
	default:
		w.null("in_reply_to_id")
		if st.replyToAuthor != nil && s.profile == Mastodon {
			w.str("in_reply_to_account_id", st.replyToAuthor.ID)
		} else {
			w.null("in_reply_to_account_id")
		}
	}
	w.bool("sensitive", st.sensitive)
	w.str("spoiler_text", st.cw)
	w.str("visibility", st.visibility)
	if s.profile == Snac {
		w.str("language", "en")
	} else {
		w.strOrNull("language", st.language)
	}
	w.str("uri", st.uri)
	w.str("url", st.url)
	w.int("replies_count", s.countReplies(st))
	w.int("reblogs_count", len(st.boosts))
	w.int("favourites_count", len(st.favs))
	if st.edited.IsZero() {
		w.null("edited_at")
	} else {
		w.time("edited_at", st.edited)
	}
	w.bool("favourited", st.favs[to])
	w.bool("reblogged", st.boosts[to])
	w.bool("muted", false)
	w.bool("bookmarked", false)
	if st.author == to || s.profile != Mastodon {
		w.bool("pinned", false)
	}
	if deleted && s.profile == Mastodon {
		w.str("text", st.text)
	} else {
		w.str("content", st.content)
		s.writeText(w, st, deleted)
	}
	w.key("reblog")
	if st.boostOf != nil {
		s.writeStatusAs(w, st.boostOf, to, false)
	} else {
		w.b = append(w.b, "null"...)
	}
	if st.viaAPI && (s.profile == Mastodon || s.profile == GoToSocial) {
		w.raw("application", `{"name":"Simulated","website":null}`)
	} else {
		w.null("application")
	}
	w.key("account")
	s.renderAccount(w, st.author)
	s.writeMedia(w, st)
	s.writeMentions(w, st, to)
	s.writeTags(w, st)
	w.key("emojis")
	w.open('[')
	for _, e := range st.emojis {
		address := s.base + "/emoji/" + e + ".png"
		w.open('{')
		w.str("shortcode", e)
		w.str("url", address)
		w.str("static_url", address)
		w.bool("visible_in_picker", true)
		w.close('}')
	}
	w.close(']')
	w.null("card")
	w.null("poll")
	s.writeStatusExtras(w, st, to)
	w.close('}')
}

// writeText is the source text that some servers give, or give with a delete.
func (s *Server) writeText(w *jsonWriter, st *status, deleted bool) {
	switch s.profile {
	case Snac:
		w.str("text", st.text)
	case Akkoma:
		if deleted {
			w.str("text", st.text)
		} else {
			w.null("text")
		}
	case GoToSocial:
		if deleted {
			w.str("text", st.text)
		}
	case Sharkey:
		w.str("text", st.text)
	}
}

func (s *Server) writeStatusExtras(w *jsonWriter, st *status, to *Account) {
	switch s.profile {
	case Mastodon:
		w.raw("filtered", "[]")
		w.raw("tagged_collections", "[]")
		w.int("quotes_count", 0)
		w.null("quote")
		if st.visibility == "public" || st.visibility == "unlisted" {
			w.raw("quote_approval", `{"automatic":["public"],"manual":[],"current_user":"automatic"}`)
		} else {
			w.raw("quote_approval", `{"automatic":[],"manual":[],"current_user":"denied"}`)
		}
	case Akkoma:
		w.key("pleroma")
		w.open('{')
		w.raw("content", `{"text/plain":`+quoted(st.text)+`}`)
		w.raw("spoiler_text", `{"text/plain":`+quoted(st.cw)+`}`)
		w.bool("local", !st.author.remote)
		if st.replyTo != nil {
			w.str("in_reply_to_account_acct", st.replyTo.author.Acct)
		} else {
			w.null("in_reply_to_account_acct")
		}
		w.bool("parent_visible", st.replyTo != nil && st.replyTo.visible(to))
		w.bool("thread_muted", false)
		w.null("expires_at")
		s.writeReactions(w, "emoji_reactions", st, to)
		w.close('}')
		w.raw("quote", "null")
	case GoToSocial:
		w.raw("interaction_policy", `{"can_favourite":{"automatic_approval":["public","me"],"manual_approval":[]},"can_reply":{"automatic_approval":["public","me"],"manual_approval":[]},"can_reblog":{"automatic_approval":["public","me"],"manual_approval":[]}}`)
		w.str("content_type", "text/plain")
	case Snac:
		w.raw("filtered", "[]")
	case Sharkey:
		s.writeReactions(w, "reactions", st, to)
		s.writeReactions(w, "emoji_reactions", st, to)
		w.raw("quote", "false")
	}
}

func (s *Server) writeReactions(w *jsonWriter, name string, st *status, to *Account) {
	var order []string
	count, mine := map[string]int{}, map[string]bool{}
	for _, r := range st.reactions {
		if count[r.Emoji] == 0 {
			order = append(order, r.Emoji)
		}
		count[r.Emoji]++
		mine[r.Emoji] = mine[r.Emoji] || to != nil && to.Acct == r.Acct
	}
	w.key(name)
	w.open('[')
	for _, e := range order {
		w.open('{')
		w.str("name", e)
		w.int("count", count[e])
		w.bool("me", mine[e])
		w.close('}')
	}
	w.close(']')
}

// countReplies leaves out what Mastodon does not count.
func (s *Server) countReplies(st *status) int {
	if s.profile != Mastodon {
		return len(st.replies)
	}
	return st.openReplies
}

// writeMentions lists who is addressed. snac leaves out the reader, and counts
// instead of giving ids.
func (s *Server) writeMentions(w *jsonWriter, st *status, to *Account) {
	w.key("mentions")
	w.open('[')
	counted := 0
	for _, m := range st.mentions {
		id, name := m.ID, m.Username
		acct := m.Acct
		if s.profile == Snac {
			if m == to {
				continue
			}
			id = digits(uint64(counted), "0123456789", 1)
			counted++
			name, acct = m.Handle(), m.Handle()
		}
		w.open('{')
		w.str("id", id)
		w.str("username", name)
		w.str("url", m.URL)
		w.str("acct", acct)
		w.close('}')
	}
	w.close(']')
}

func (s *Server) writeTags(w *jsonWriter, st *status) {
	w.key("tags")
	w.open('[')
	for _, t := range st.tags {
		w.open('{')
		w.str("name", t)
		w.str("url", s.base+"/tags/"+t)
		w.close('}')
	}
	w.close(']')
}

// thread collects what stands above and below a post, as far as the reader may see.
func (s *Server) thread(st *status, to *Account) (above, below []*status) {
	maxAbove, maxBelow, maxDepth := 4096, 4096, 1<<30
	if s.profile == Mastodon && to == nil {
		maxAbove, maxBelow, maxDepth = 40, 60, 20
	}
	for p := st.replyTo; p != nil && len(above) < maxAbove; p = p.replyTo {
		above = append(above, p)
	}
	if s.profile != Mastodon { // which skips what is hidden; the others stop there
		for i, p := range above {
			if !p.visible(to) {
				above = above[:i]
				break
			}
		}
	}
	slices.Reverse(above)
	above = slices.DeleteFunc(above, func(p *status) bool { return !p.visible(to) })

	// Walked with a list, not by recursion: a thread can be thousands deep.
	type step struct {
		st    *status
		depth int
	}
	var todo []step
	push := func(parent *status, depth int) {
		if s.profile == Snac && depth > 1 { // direct answers only
			return
		}
		for i := len(parent.replies) - 1; i >= 0; i-- {
			todo = append(todo, step{parent.replies[i], depth})
		}
	}
	push(st, 1)
	for len(todo) > 0 && len(below) < maxBelow {
		next := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if next.st.visible(to) {
			below = append(below, next.st)
		}
		if next.depth < maxDepth {
			push(next.st, next.depth+1)
		}
	}
	return above, below
}

// count is how long the server takes a post to be.
func (s *Server) count(d *draft, author *Account) int {
	n := 0
	if s.profile == Mastodon || s.profile == GoToSocial || s.profile == Akkoma {
		n = countChars(d.cw)
	}
	if s.profile != Mastodon {
		return n + len([]rune(d.text))
	}
	for _, p := range s.cut(d.text, author) {
		switch p.kind {
		case 'u':
			n += s.traits.urlChars
		case 'm': // as its local part
			n += countChars("@" + p.account.Username)
		default:
			n += countChars(p.text)
		}
	}
	return n
}
