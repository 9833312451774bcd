package fedisim

// statusAnswer is one post.
func (s *Server) statusAnswer(st *status, who *Account, deleted bool) *answer {
	w := jsonWriter{b: make([]byte, 0, 3072)}
	s.writeStatusAs(&w, st, who, deleted)
	return jsonAnswer(w.b)
}

func (s *Server) context(st *status, who *Account) *answer {
	above, below := s.thread(st, who)
	w := jsonWriter{b: make([]byte, 0, 64+(len(above)+len(below))*3072)}
	w.open('{')
	for i, list := range [][]*status{above, below} {
		w.key([]string{"ancestors", "descendants"}[i])
		w.open('[')
		for _, p := range list {
			s.writeStatus(&w, p, who)
		}
		w.close(']')
	}
	w.close('}')
	return jsonAnswer(w.b)
}

// pick takes a page out of a list, newest first.
func (s *Server) pick(list []*status, p page, want func(*status) bool) []*status {
	lo, hi := 0, len(list)
	if s.traits.byID {
		after := p.minID
		if after == "" {
			after = p.sinceID
		}
		if after != "" {
			lo = rankIndex(list, after)
			if lo < hi && list[lo].rank == after {
				lo++
			}
		}
		if p.maxID != "" {
			hi = rankIndex(list, p.maxID)
		}
	} else if p.maxID != "" { // a post that must be there
		at := s.statuses[p.maxID]
		if at == nil {
			return nil
		}
		hi = rankIndex(list, at.rank)
	}
	var out []*status
	if p.minID != "" && s.traits.byID {
		for i := lo; i < hi && len(out) < p.limit; i++ {
			if want(list[i]) {
				out = append(out, list[i])
			}
		}
		for i, j := 0, len(out)-1; i < j; i, j = i+1, j-1 {
			out[i], out[j] = out[j], out[i]
		}
		return out
	}
	for i := hi - 1; i >= lo && len(out) < p.limit; i-- {
		if want(list[i]) {
			out = append(out, list[i])
		}
	}
	return out
}

func (s *Server) listAnswer(q *request, list []*status, p page, who *Account, keep ...string) *answer {
	w := jsonWriter{b: make([]byte, 0, 64+len(list)*3072)}
	w.open('[')
	for _, st := range list {
		s.writeStatus(&w, st, who)
	}
	w.close(']')
	a := jsonAnswer(w.b)
	if len(list) > 0 && s.traits.linkHeader {
		a.set("Link", q.links(list[0].id, list[len(list)-1].id, len(list) == p.limit, keep...))
	}
	return a
}

// accountStatuses lists an account's posts. The account itself sees all of
// them, but for snac, which lists only what is public to anybody.
func (s *Server) accountStatuses(q *request, a, who *Account) *answer {
	p := q.page(s.traits.statusDefault, s.traits.statusMax)
	noReplies, noBoosts, onlyMedia := q.flag("exclude_replies"), q.flag("exclude_reblogs"), q.flag("only_media")
	if s.profile == Snac {
		noReplies, onlyMedia = false, false
	}
	if q.flag("pinned") {
		return jsonText("[]")
	}
	list := s.pick(a.statuses, p, func(st *status) bool {
		switch {
		case noReplies && st.replyToAuthor != nil && st.replyToAuthor != a, noBoosts && st.boostOf != nil, onlyMedia && len(st.media) == 0:
			return false
		case s.profile == Snac:
			return st.boostOf == nil && (st.visibility == "public" || st.visibility == "unlisted")
		}
		return st.visible(who)
	})
	return s.listAnswer(q, list, p, who, "limit", "exclude_replies", "exclude_reblogs", "only_media")
}

func (s *Server) publicTimeline(q *request, who *Account) *answer {
	p := q.page(s.traits.statusDefault, s.traits.statusMax)
	local, remote := q.flag("local"), q.flag("remote")
	list := s.pick(s.ranked, p, func(st *status) bool {
		return st.visibility == "public" && st.boostOf == nil && st.replyToAuthor == nil &&
			(!local || !st.author.remote) && (!remote || st.author.remote)
	})
	return s.listAnswer(q, list, p, who, "limit", "local", "remote", "only_media")
}

func (s *Server) homeTimeline(q *request, who *Account) *answer {
	p := q.page(s.traits.statusDefault, s.traits.statusMax)
	list := s.pick(s.ranked, p, func(st *status) bool {
		return (st.author == who || who.following[st.author]) && st.visible(who)
	})
	return s.listAnswer(q, list, p, who, "limit")
}
