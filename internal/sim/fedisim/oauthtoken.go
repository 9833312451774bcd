package fedisim

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
)

// oauthAnswer is an error of the token endpoint in the server's own manner.
func (s *Server) oauthAnswer(t *oauthTrouble) *answer {
	switch s.profile {
	case Akkoma: // whatever it was
		return s.refuse(http.StatusBadRequest, "Invalid credentials")
	case Snac: // a number and nothing else
		return s.fail(t.status, "notFound", "")
	case Sharkey:
		return &answer{status: http.StatusUnauthorized, ctype: jsonType, body: []byte(`{"error":"INTERNAL_ERROR","error_description":"Internal error occurred"}`)}
	}
	a := &answer{status: t.status, ctype: jsonType, body: []byte(`{"error":` + quoted(t.code) + `,"error_description":` + quoted(t.text) + `}`)}
	if t.status == http.StatusUnauthorized {
		a.set("WWW-Authenticate", `Bearer realm="Doorkeeper", error="`+t.code+`", error_description="`+t.text+`"`)
	}
	return a
}

// client is the application that a request comes from, by its id and secret in
// the form or in the header; nil when they do not fit.
func (s *Server) client(q *request) *app {
	id, secret := q.get("client_id"), q.get("client_secret")
	if user, pass, ok := q.r.BasicAuth(); ok && secret == "" {
		// https://www.rfc-editor.org/rfc/rfc6749#section-2.3.1: both are form-encoded
		if v, err := url.QueryUnescape(user); err == nil {
			user = v
		}
		if v, err := url.QueryUnescape(pass); err == nil {
			pass = v
		}
		id, secret = user, pass
	}
	if s.profile == Sharkey { // which goes by the secret alone
		for _, a := range s.apps {
			if a.secret == secret {
				return a
			}
		}
		return nil
	}
	if a := s.apps[id]; a != nil && subtle.ConstantTimeCompare([]byte(a.secret), []byte(secret)) == 1 {
		return a
	}
	return nil
}

// issue is https://docs.joinmastodon.org/methods/oauth/#token.
func (s *Server) issue(q *request) *answer {
	app := s.client(q)
	if app == nil {
		return s.oauthAnswer(trouble("invalid_client"))
	}
	switch q.get("grant_type") {
	case "client_credentials":
		scopes := strings.Fields(q.get("scope"))
		if len(scopes) == 0 {
			scopes = []string{"read"}
		}
		if !within(scopes, app.scopes) {
			return s.oauthAnswer(trouble("invalid_scope"))
		}
		return s.tokenAnswer(nil, app, scopes)
	case "authorization_code":
	case "":
		return s.oauthAnswer(trouble("invalid_request"))
	default:
		return s.oauthAnswer(trouble("unsupported_grant_type"))
	}
	if s.profile == Snac { // any code will do, as often as one likes
		if q.get("redirect_uri") == "" {
			return s.oauthAnswer(trouble("invalid_request"))
		}
		return s.tokenAnswer(app.login, app, strings.Fields(q.get("scope")))
	}
	code := q.get("code")
	g := s.codes[code]
	switch {
	case code == "":
		return s.oauthAnswer(trouble("invalid_request"))
	case g == nil || g.app != app || s.now().Sub(g.at) > codeLife:
		return s.oauthAnswer(trouble("invalid_grant"))
	case s.profile != Sharkey && g.redirect != q.get("redirect_uri"):
		return s.oauthAnswer(trouble("invalid_grant"))
	case g.challenge != "" && q.get("code_verifier") == "":
		return s.oauthAnswer(trouble("invalid_request"))
	case s.profile == Mastodon && !proves(q.get("code_verifier"), g.challenge):
		return s.oauthAnswer(trouble("invalid_grant"))
	}
	delete(s.codes, code)
	return s.tokenAnswer(g.who, app, g.scopes)
}

// proves checks a verifier (https://www.rfc-editor.org/rfc/rfc7636#section-4.6);
// one without a challenge is wrong too.
func proves(verifier, challenge string) bool {
	if challenge == "" {
		return verifier == ""
	}
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:]) == challenge
}

// tokenAnswer makes a token; who is nil for one of the application alone.
func (s *Server) tokenAnswer(who *Account, app *app, scopes []string) *answer {
	token := s.ids.random(base62Digits, 43)
	switch s.profile {
	case Snac:
		token = s.ids.random("0123456789abcdef", 32)
	case Sharkey:
		token = s.ids.random(base62Digits, 32)
	}
	if who != nil || s.profile != Snac { // where nobody has logged in, it is nobody's
		s.tokens[token] = who
	}
	s.granted[token] = &grantedToken{app: app, scopes: scopes}
	s.change()
	var w jsonWriter
	w.open('{')
	w.str("access_token", token)
	w.str("token_type", "Bearer")
	if len(scopes) > 0 {
		w.str("scope", strings.Join(scopes, " "))
	}
	w.int("created_at", int(s.now().Unix()))
	if s.profile == Akkoma {
		w.str("refresh_token", s.ids.random(base62Digits, 43))
		w.raw("expires_in", "3155760000") // more than 32 bits hold
		if who != nil {
			w.str("me", who.URI)
		}
	}
	w.close('}')
	a := jsonAnswer(w.b)
	a.set("Cache-Control", "no-store")
	return a
}

// revocation is https://docs.joinmastodon.org/methods/oauth/#revoke. A token
// that is not there is as good as revoked, but for snac.
func (s *Server) revocation(q *request) *answer {
	token := q.get("token")
	g := s.granted[token]
	_, known := s.tokens[token]
	app := s.client(q)
	switch {
	case s.profile == Akkoma: // asks for no secret
	case token == "" || app == nil || known && (g == nil || g.app != app) || !known && s.profile == Snac:
		return s.oauthAnswer(trouble("unauthorized_client"))
	}
	s.revoke(token)
	if s.profile == Snac { // and the application goes with it
		delete(s.apps, app.clientID)
	}
	s.change()
	return jsonText("{}")
}

// metadata is https://docs.joinmastodon.org/methods/oauth/#authorization-server-metadata.
// The addresses are those under which the client reached the server.
func (s *Server) metadata(q *request) *answer {
	base := "http://" + q.host
	var w jsonWriter
	w.open('{')
	w.str("issuer", base+"/")
	w.str("authorization_endpoint", base+"/oauth/authorize")
	w.str("token_endpoint", base+"/oauth/token")
	w.str("revocation_endpoint", base+"/oauth/revoke")
	w.str("userinfo_endpoint", base+"/oauth/userinfo")
	w.strs("scopes_supported", scopesSupported()...)
	w.strs("response_types_supported", "code")
	w.strs("response_modes_supported", "query", "fragment", "form_post")
	w.strs("grant_types_supported", "authorization_code", "client_credentials")
	w.strs("token_endpoint_auth_methods_supported", "client_secret_basic", "client_secret_post")
	w.strs("code_challenge_methods_supported", "S256")
	w.str("service_documentation", "https://docs.joinmastodon.org/")
	w.str("app_registration_endpoint", base+"/api/v1/apps")
	w.close('}')
	return jsonAnswer(w.b)
}

// userinfo is https://docs.joinmastodon.org/methods/oauth/#userinfo.
func (s *Server) userinfo(q *request) *answer {
	who := s.tokens[q.token]
	switch {
	case who == nil:
		return s.unauthorized(q.token)
	case !s.allowed(q.token, []string{"profile"}):
		return s.outOfScope([]string{"profile"})
	}
	var w jsonWriter
	w.open('{')
	w.str("iss", s.base+"/")
	w.str("sub", who.URI)
	w.str("name", who.Name)
	w.str("preferred_username", who.Username)
	w.str("profile", who.URL)
	w.str("picture", s.base+"/avatars/original/missing.png")
	w.close('}')
	return jsonAnswer(w.b)
}
