package fedisim

import (
	"net/http"
	"strings"
)

// do carries out a request as the server would: rate limits, replays, the
// token, and the endpoint. It is called once for each request, for a late one
// after its client has gone.
func (s *Server) do(q *request) *answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	limits, refused := s.limit(q)
	if refused != nil {
		return refused
	}
	a := s.replayed(q)
	if a == nil {
		a = s.route(q)
		s.remember(q, a)
	}
	s.limitHeaders(q, a, limits)
	return a
}

// route finds the endpoint.
func (s *Server) route(q *request) *answer {
	switch q.route {
	case "/.well-known/nodeinfo", "/nodeinfo/2.0", "/nodeinfo/2.1", "/nodeinfo/2.0.json", "/nodeinfo/2.1.json", "/nodeinfo_2_0":
		return s.nodeinfo(q)
	}
	if a := s.oauthRoute(q); a != nil {
		return a
	}
	if a := s.mediaFile(q); a != nil {
		return a
	}
	path, ok := strings.CutPrefix(q.route, "/api/")
	if !ok {
		return &answer{status: http.StatusNotFound, ctype: "text/html; charset=utf-8", body: []byte("<!DOCTYPE html><title>404</title><h1>404 Not Found</h1>")}
	}
	who, known := s.tokens[q.token]
	if q.token != "" && !known {
		return s.unauthorized(q.token)
	}
	parts := strings.Split(path, "/")
	if len(parts) < 2 || parts[0] != "v1" && parts[0] != "v2" {
		return s.noRoute()
	}
	if a := s.appRoute(q); a != nil {
		return a
	}
	if need := s.needs(q.method, parts); known && !s.allowed(q.token, need) {
		return s.outOfScope(need)
	}
	if a := s.open(q, who, parts); a != nil {
		return a
	}
	if who == nil {
		if known && s.profile == Mastodon { // the token of an application alone
			return s.fail(http.StatusUnprocessableEntity, "login", "")
		}
		return s.unauthorized("")
	}
	if a := s.private(q, who, parts); a != nil {
		return a
	}
	return s.noRoute()
}

// open serves what needs no token; nil for everything else.
func (s *Server) open(q *request, who *Account, parts []string) *answer {
	get := q.method == http.MethodGet
	switch {
	case !get:
		return nil
	case q.route == "/api/v1/instance":
		return s.instanceV1(q)
	case q.route == "/api/v2/instance":
		return s.instanceV2(q)
	case q.route == "/api/v1/instance/rules" && (s.profile == Mastodon || s.profile == GoToSocial):
		return s.rulesAnswer()
	case q.route == StreamPath+"/health" && s.profile == Mastodon:
		return &answer{status: http.StatusOK, ctype: "text/plain", body: []byte("OK")}
	case q.route == StreamPath: // not asked to become a stream
		return s.noRoute()
	case q.route == "/api/v1/custom_emojis", q.route == "/api/v1/announcements":
		return jsonText("[]")
	case q.route == "/api/v1/timelines/public":
		return s.publicTimeline(q, who)
	case parts[1] == "statuses" && (len(parts) == 3 || len(parts) == 4 && parts[3] == "context"):
		if who == nil && s.profile != Mastodon && s.profile != Akkoma {
			return nil // a token is needed for everything here
		}
		st := s.statuses[parts[2]]
		if st == nil || !st.visible(who) {
			return s.notFound()
		}
		if len(parts) == 4 {
			return s.context(st, who)
		}
		return s.statusAnswer(st, who, false)
	case parts[1] == "accounts" && len(parts) >= 3 && parts[2] != "verify_credentials" && parts[2] != "relationships" && (who != nil || s.profile != GoToSocial && s.profile != Sharkey):
		return s.accountRoute(q, who, parts)
	}
	return nil
}

func (s *Server) accountRoute(q *request, who *Account, parts []string) *answer {
	if parts[2] == "lookup" && len(parts) == 3 {
		a := s.resolve(strings.TrimPrefix(q.get("acct"), "@"), &Account{})
		if a == nil {
			return s.notFound()
		}
		return s.accountAnswer(a)
	}
	a := s.accounts[parts[2]]
	switch {
	case len(parts) > 4:
		return nil
	case a == nil:
		return s.notFound()
	case len(parts) == 3:
		return s.accountAnswer(a)
	case parts[3] == "statuses":
		return s.accountStatuses(q, a, who)
	}
	return nil
}

func (s *Server) accountAnswer(a *Account) *answer {
	var w jsonWriter
	s.renderAccount(&w, a)
	return jsonAnswer(w.b)
}

// private serves what needs a token; nil when there is no such endpoint.
func (s *Server) private(q *request, who *Account, parts []string) *answer {
	switch q.method + " " + q.route {
	case "GET /api/v1/accounts/verify_credentials":
		return s.verifyCredentials(who)
	case "GET /api/v1/accounts/relationships":
		return s.relationships(q, who)
	case "GET /api/v1/notifications":
		return s.listNotifications(q, who)
	case "POST /api/v1/notifications/clear":
		for len(who.notes) > 0 {
			who.dropNote(who.notes[0])
		}
		return jsonText("{}")
	case "GET /api/v2/notifications/policy":
		if s.profile == Mastodon {
			return s.policyAnswer(who)
		}
	case "PATCH /api/v2/notifications/policy", "PUT /api/v2/notifications/policy":
		if s.profile == Mastodon {
			return s.changePolicy(q, who)
		}
	case "POST /api/v1/media", "POST /api/v2/media":
		return s.uploadMedia(q, who)
	case "POST /api/v1/statuses":
		return s.createStatus(q, who)
	case "GET /api/v1/timelines/home":
		return s.homeTimeline(q, who)
	case "GET /api/v1/preferences":
		if s.profile == Snac {
			return jsonText("{}")
		}
		return jsonText(`{"posting:default:visibility":"public","posting:default:sensitive":false,"posting:default:language":null,"posting:default:quote_policy":"public","reading:expand:media":"default","reading:expand:spoilers":false,"reading:autoplay:gifs":false}`)
	case "GET /api/v1/markers":
		return jsonText("{}")
	case "GET /api/v1/lists", "GET /api/v1/filters", "GET /api/v2/filters", "GET /api/v1/bookmarks", "GET /api/v1/favourites",
		"GET /api/v1/blocks", "GET /api/v1/mutes", "GET /api/v1/follow_requests", "GET /api/v1/followed_tags", "GET /api/v1/conversations":
		return jsonText("[]")
	}
	if parts[0] != "v1" {
		return nil
	}
	switch parts[1] {
	case "notifications":
		return s.oneNotification(q, who, parts)
	case "notification":
		if s.profile == Sharkey {
			return s.oneNotification(q, who, parts)
		}
	case "statuses":
		return s.oneStatus(q, who, parts)
	case "media":
		return s.oneMedia(q, who, parts)
	}
	return nil
}

// oneStatus serves edits, deletes and the source of a post.
func (s *Server) oneStatus(q *request, who *Account, parts []string) *answer {
	if len(parts) < 3 || len(parts) > 4 || len(parts) == 4 && parts[3] != "source" {
		return nil
	}
	st := s.statuses[parts[2]]
	switch {
	case st == nil || st.author != who || st.boostOf != nil:
		return s.notFound()
	case len(parts) == 4 && q.method == http.MethodGet:
		var w jsonWriter
		w.open('{')
		w.str("id", st.id)
		w.str("text", st.text)
		w.str("spoiler_text", st.cw)
		w.close('}')
		return jsonAnswer(w.b)
	case len(parts) == 4:
		return nil
	case q.method == http.MethodPut:
		return s.editStatus(q, who, st)
	case q.method == http.MethodDelete:
		a := s.statusAnswer(st, who, true)
		if s.profile == Snac {
			a = jsonText("{}")
		}
		s.remove(st)
		if s.profile == Mastodon && q.flag("delete_media") { // since 4.4; kept for a day otherwise
			for _, m := range st.media {
				m.gone = true
				delete(s.media, m.id)
				s.forget(m)
			}
		}
		s.change()
		return a
	}
	return nil
}

// oneNotification serves a single notification and its dismissal, which every
// server does in its own way.
func (s *Server) oneNotification(q *request, who *Account, parts []string) *answer {
	plural := parts[1] == "notifications"
	dismiss := len(parts) == 4 && parts[3] == "dismiss" && q.method == http.MethodPost
	show := len(parts) == 3 && q.method == http.MethodGet
	if !dismiss && !show {
		return nil
	}
	if s.profile == Snac {
		if dismiss { // and it stays
			return s.fail(http.StatusUnprocessableEntity, "notFound", "")
		}
		return nil
	}
	if s.profile == Sharkey && plural || s.profile == GoToSocial && dismiss {
		return nil
	}
	n := who.findNote(parts[2])
	switch {
	case n == nil && dismiss && s.profile == Akkoma:
		return &answer{status: http.StatusForbidden, ctype: jsonType, body: []byte(`{"error":"Cannot dismiss notification"}`)}
	case n == nil:
		return s.fail(http.StatusNotFound, "notFound", "NOT_FOUND")
	case show:
		var w jsonWriter
		s.writeNote(&w, n, who)
		return jsonAnswer(w.b)
	}
	who.dropNote(n)
	who.dismissed = append(who.dismissed, n.id)
	s.change()
	return jsonText("{}")
}

func (s *Server) listNotifications(q *request, who *Account) *answer {
	nq := noteQuery{page: q.page(s.traits.notifyDefault, s.traits.notifyMax), types: q.many("types"), exclude: q.many("exclude_types"),
		filtered: q.flag("include_filtered"), from: q.get("account_id")}
	var list []*notification
	switch s.profile {
	case Snac:
		list = who.listSnac(&nq)
	case Sharkey: // knows neither types nor filtering
		list = who.list(&noteQuery{page: nq.page, filtered: true})
	default:
		if s.profile != Mastodon {
			nq.filtered = true
		}
		list = who.list(&nq)
	}
	var w jsonWriter
	w.b = make([]byte, 0, 64+len(list)*3072)
	w.open('[')
	for i, n := range list {
		s.writeNote(&w, n, who)
		if s.profile == Sharkey && i%7 == 3 { // listed twice
			s.writeNote(&w, n, who)
		}
	}
	w.close(']')
	a := jsonAnswer(w.b)
	if len(list) > 0 && s.traits.linkHeader {
		a.set("Link", q.links(list[0].id, list[len(list)-1].id, true, "limit", "account_id", "types[]", "exclude_types[]", "include_filtered"))
	}
	return a
}
