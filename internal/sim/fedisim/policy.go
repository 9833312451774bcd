package fedisim

import (
	"fmt"
	"net/http"
	"slices"
	"time"
)

// A policy says of which senders notifications are filtered, on Mastodon since
// 4.3 (https://docs.joinmastodon.org/entities/NotificationPolicy/).

func policyNames() []string {
	return []string{"for_not_following", "for_not_followers", "for_new_accounts", "for_private_mentions", "for_limited_accounts", "for_bots"}
}

func defaultPolicy() map[string]string {
	p := map[string]string{}
	for _, name := range policyNames() {
		p[name] = "accept"
	}
	p["for_private_mentions"], p["for_limited_accounts"] = "filter", "filter"
	return p
}

// SetPolicy sets one rule of an account's policy, such as "for_bots", to
// "accept", "filter" or "drop". It panics on other words, and on servers that
// are not Mastodon.
func (a *Account) SetPolicy(rule, verdict string) {
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	if a.policy == nil || !slices.Contains(policyNames(), rule) || !slices.Contains([]string{"accept", "filter", "drop"}, verdict) {
		panic(fmt.Sprintf("fedisim: there is no policy %q: %q for %s", rule, verdict, a.Acct))
	}
	a.policy[rule] = verdict
	a.s.change()
}

const newAccount = 30 * 24 * time.Hour

// judge is the harshest verdict of the rules that fit. Nobody is limited here,
// and a follower of a day counts as one of years.
func (a *Account) judge(typ string, from *Account, st *status, at time.Time) string {
	if a.policy == nil {
		return "accept"
	}
	stranger := !a.following[from]
	verdict := "accept"
	for name, fits := range map[string]bool{
		"for_not_following":    stranger,
		"for_not_followers":    !from.following[a],
		"for_new_accounts":     stranger && at.Sub(from.created) < newAccount,
		"for_private_mentions": stranger && typ == "mention" && st.visibility == "direct" && !inAnswer(st, a),
		"for_bots":             stranger && from.IsBot,
	} {
		if p := a.policy[name]; fits && (p == "drop" || p == "filter" && verdict == "accept") {
			verdict = p
		}
	}
	return verdict
}

func (s *Server) changePolicy(q *request, who *Account) *answer {
	for _, name := range policyNames() {
		switch v := q.get(name); v {
		case "":
		case "accept", "filter", "drop":
			who.policy[name] = v
		default:
			return s.refuse(http.StatusUnprocessableEntity, "'"+v+"' is not a valid "+name)
		}
	}
	s.change()
	return s.policyAnswer(who)
}

// policyAnswer is the policy, and how much waits because of it.
func (s *Server) policyAnswer(who *Account) *answer {
	from, pending := map[*Account]bool{}, 0
	for _, n := range who.notes {
		if n.filtered {
			pending++
			from[n.from] = true
		}
	}
	var w jsonWriter
	w.open('{')
	for _, name := range policyNames() {
		w.str(name, who.policy[name])
	}
	w.key("summary")
	w.open('{')
	w.int("pending_requests_count", len(from))
	w.int("pending_notifications_count", pending)
	w.close('}')
	w.close('}')
	return jsonAnswer(w.b)
}
