package fedisim

import (
	"net/http"
	"slices"
	"strings"
)

// scopesSupported are those of Mastodon 4.6, in its order
// (https://docs.joinmastodon.org/api/oauth-scopes/).
func scopesSupported() []string {
	return strings.Fields(`read profile write write:accounts write:blocks write:bookmarks write:collections write:conversations
		write:favourites write:filters write:follows write:lists write:media write:mutes write:notifications write:reports write:statuses
		read:accounts read:blocks read:bookmarks read:collections read:favourites read:filters read:follows read:lists read:mutes
		read:notifications read:search read:statuses follow push admin:read admin:read:accounts admin:read:reports
		admin:read:domain_allows admin:read:domain_blocks admin:read:ip_blocks admin:read:email_domain_blocks
		admin:read:canonical_email_blocks admin:write admin:write:accounts admin:write:reports admin:write:domain_allows
		admin:write:domain_blocks admin:write:ip_blocks admin:write:email_domain_blocks admin:write:canonical_email_blocks`)
}

// needs are the scopes of which a token must have one for an endpoint, as the
// pages of its methods say; empty where any token will do. snac and Sharkey do
// not look (Sharkey maps its own permissions, which an application always gets).
func (s *Server) needs(method string, parts []string) []string {
	if s.profile == Snac || s.profile == Sharkey || len(parts) < 2 {
		return nil
	}
	get := method == http.MethodGet
	verb := "write:"
	if get {
		verb = "read:"
	}
	last := parts[len(parts)-1]
	switch parts[1] {
	case "accounts":
		switch last {
		case "verify_credentials":
			return []string{"read:accounts", "profile"}
		case "relationships":
			return []string{"read:follows"}
		case "statuses":
			return []string{"read:statuses"}
		}
		return []string{verb + "accounts"}
	case "notifications", "notification":
		return []string{verb + "notifications"}
	case "statuses":
		return []string{verb + "statuses"}
	case "timelines", "conversations":
		return []string{"read:statuses"}
	case "markers":
		return []string{verb + "statuses"}
	case "preferences":
		return []string{"read:accounts"}
	case "media":
		// Mastodon asks for write:media to read them too; Pleroma and GoToSocial
		// for read:media (MediaController and mediaget.go there).
		if get && s.profile != Mastodon {
			return []string{"read:media"}
		}
		return []string{"write:media"}
	case "lists", "filters", "bookmarks", "favourites", "blocks", "mutes":
		return []string{verb + parts[1]}
	case "follow_requests", "followed_tags":
		return []string{verb + "follows"}
	}
	return nil
}

func (s *Server) allowed(token string, need []string) bool {
	return len(need) == 0 || slices.ContainsFunc(need, func(scope string) bool { return s.scoped(token, scope) })
}

// scoped says whether a token has a scope, itself or within a wider one.
func (s *Server) scoped(token, scope string) bool {
	g := s.granted[token]
	return g == nil || scope == "" || holds(g.scopes, scope)
}

func holds(scopes []string, scope string) bool {
	wide := scope
	if i := strings.LastIndexByte(scope, ':'); i > 0 {
		wide = scope[:i]
	}
	if wide == "admin" {
		wide = scope
	}
	_, kind, _ := strings.Cut(scope, ":")
	related := kind == "follows" || kind == "blocks" || kind == "mutes"
	return slices.Contains(scopes, scope) || slices.Contains(scopes, wide) || related && slices.Contains(scopes, "follow")
}

// within says whether every scope of a list is held by another.
func within(scopes, have []string) bool {
	for _, scope := range scopes {
		if !holds(have, scope) {
			return false
		}
	}
	return true
}

// outOfScope is the 403 of a token that may not do this.
func (s *Server) outOfScope(need []string) *answer {
	switch s.profile {
	case Akkoma:
		return s.refuse(http.StatusForbidden, "Insufficient permissions: "+strings.Join(need, " | ")+".")
	case GoToSocial:
		return s.refuse(http.StatusForbidden, "token has insufficient scope permission")
	}
	a := s.refuse(http.StatusForbidden, "This action is outside the authorized scopes")
	a.set("WWW-Authenticate", `Bearer realm="Doorkeeper", error="insufficient_scope", error_description="Access to this resource requires scope \"`+
		strings.Join(need, " ")+`\"."`)
	return a
}
