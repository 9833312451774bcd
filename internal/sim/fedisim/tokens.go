package fedisim

import "fmt"

// grantedToken is what a token may do, and by which application.
type grantedToken struct {
	app    *app
	scopes []string
}

// WithScopes limits the account's token; without it the token may do everything.
func WithScopes(scopes ...string) AccountOption { return func(a *Account) { a.scopes = scopes } }

// allow makes the account's own token valid.
func (s *Server) allow(a *Account) {
	s.tokens[a.Token] = a
	if a.scopes != nil {
		s.granted[a.Token] = &grantedToken{app: &app{id: "1", name: "Simulated", scopes: a.scopes, redirects: []string{outOfBand}}, scopes: a.scopes}
	}
}

// Revoke ends a token: every later request with it is refused, and Mastodon
// closes its streams.
func (s *Server) Revoke(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.revoke(token)
	s.change()
}

func (s *Server) revoke(token string) {
	delete(s.tokens, token)
	delete(s.granted, token)
	if s.profile != Mastodon {
		return
	}
	for _, c := range s.streams {
		if c.token == token {
			c.finish(1000) // Mastodon gives no code; one cannot be left out here
		}
	}
}

// Restore makes a revoked token of the account valid again.
func (a *Account) Restore() {
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	a.s.allow(a)
	a.s.change()
}

// SwapToken makes a valid token act for another account of this server from
// now on, as when an operator pastes the token of the wrong account. It panics
// if the token is not valid or the account has no token here.
func (s *Server) SwapToken(token string, to *Account) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tokens[token] == nil || to.remote {
		panic(fmt.Sprintf("fedisim: cannot give the token to %s", to.Acct))
	}
	s.tokens[token] = to
	s.change()
}

// TokensOf lists the valid tokens of an account and the scopes of each; nil
// scopes are all of them.
func (s *Server) TokensOf(a *Account) map[string][]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[string][]string{}
	for token, who := range s.tokens {
		if who != a {
			continue
		}
		out[token] = nil
		if g := s.granted[token]; g != nil {
			out[token] = g.scopes
		}
	}
	return out
}
