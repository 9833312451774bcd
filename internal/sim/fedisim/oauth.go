package fedisim

import (
	"errors"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Authorization is what a client asks of a user at /oauth/authorize
// (https://docs.joinmastodon.org/methods/oauth/#authorize).
type Authorization struct {
	ClientID, RedirectURI string
	Scope                 string // space-separated; "read" if empty
	State                 string
	CodeChallenge         string // PKCE; Mastodon alone looks at it
	CodeChallengeMethod   string // "S256"
}

// grant is a user's consent that waits to be redeemed.
type grant struct {
	who                 *Account
	app                 *app
	redirect, challenge string
	scopes              []string
	at                  time.Time
}

const codeLife = 10 * time.Minute

// AuthorizationFrom reads the address of a login page that a client shows.
func AuthorizationFrom(address string) (Authorization, error) {
	u, err := url.Parse(address)
	if err != nil {
		return Authorization{}, fmt.Errorf("read the address of the login page: %w", err)
	}
	return authorization(u.Query()), nil
}

func authorization(v url.Values) Authorization {
	return Authorization{
		ClientID: v.Get("client_id"), RedirectURI: v.Get("redirect_uri"), Scope: v.Get("scope"), State: v.Get("state"),
		CodeChallenge: v.Get("code_challenge"), CodeChallengeMethod: v.Get("code_challenge_method"),
	}
}

// Approve is what the account's owner does on the login page. It returns the
// code, or why the server would not have asked.
func (s *Server) Approve(a *Account, ask Authorization) (code string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a.remote {
		return "", errors.New("a remote member cannot log in here")
	}
	app, scopes, trouble := s.consider(ask)
	if trouble != nil {
		return "", fmt.Errorf("%s: %s", trouble.code, trouble.text)
	}
	code = s.approve(a, app, scopes, ask)
	s.change()
	return code, nil
}

func (s *Server) approve(a *Account, app *app, scopes []string, ask Authorization) string {
	var code string
	switch s.profile {
	case Sharkey:
		code = app.session
	case Snac:
		code = s.ids.random("0123456789abcdef", 32)
		app.login = a
	default:
		code = s.ids.random(base62Digits, 43)
	}
	g := &grant{who: a, app: app, redirect: ask.RedirectURI, scopes: scopes, at: s.now()}
	if s.profile == Mastodon {
		g.challenge = ask.CodeChallenge
	}
	s.codes[code] = g
	return code
}

// oauthTrouble is an error of OAuth (https://www.rfc-editor.org/rfc/rfc6749#section-5.2)
// in the words of Doorkeeper, on which Mastodon builds.
type oauthTrouble struct {
	status     int
	code, text string
}

func trouble(code string) *oauthTrouble {
	t := &oauthTrouble{status: http.StatusBadRequest, code: code}
	switch code {
	case "invalid_client":
		t.status = http.StatusUnauthorized
		t.text = "Client authentication failed due to unknown client, no client authentication included, or unsupported authentication method."
	case "invalid_grant":
		t.text = "The provided authorization grant is invalid, expired, revoked, does not match the redirection URI used in the authorization request, or was issued to another client."
	case "invalid_scope":
		t.text = "The requested scope is invalid, unknown, or malformed."
	case "invalid_redirect_uri":
		t.text = "The requested redirect uri is malformed or doesn't match client redirect URI."
	case "invalid_code_challenge_method":
		t.text = "The code challenge method must be S256."
	case "unsupported_grant_type":
		t.text = "The authorization grant type is not supported by the authorization server."
	case "unauthorized_client":
		t.status = http.StatusForbidden
		t.text = "You are not authorized to revoke this token"
	default:
		t.text = "The request is missing a required parameter, includes an unsupported parameter value, or is otherwise malformed."
	}
	return t
}

// consider says whether the server would show the login page.
func (s *Server) consider(ask Authorization) (*app, []string, *oauthTrouble) {
	app := s.apps[ask.ClientID]
	scopes := strings.Fields(ask.Scope)
	if len(scopes) == 0 {
		scopes = []string{"read"}
	}
	switch {
	case app == nil:
		return nil, nil, trouble("invalid_client")
	case s.profile == Snac || s.profile == Sharkey: // neither looks any further
		return app, scopes, nil
	case !slices.Contains(app.redirects, ask.RedirectURI):
		return nil, nil, trouble("invalid_redirect_uri")
	case !within(scopes, app.scopes):
		return nil, nil, trouble("invalid_scope")
	case s.profile == Mastodon && ask.CodeChallenge != "" && ask.CodeChallengeMethod != "S256":
		return nil, nil, trouble("invalid_code_challenge_method")
	}
	return app, scopes, nil
}

// oauthRoute serves what is outside of /api; nil for everything else.
func (s *Server) oauthRoute(q *request) *answer {
	if session, ok := strings.CutPrefix(q.route, "/auth/"); ok && s.profile == Sharkey && q.method == http.MethodGet {
		for id, app := range s.apps {
			if app.session == session {
				q.params.Set("client_id", id)
				return s.loginPage(q)
			}
		}
		return nil
	}
	switch q.method + " " + q.route {
	case "GET /.well-known/oauth-authorization-server":
		if s.profile == Mastodon {
			return s.metadata(q)
		}
	case "GET /oauth/authorize":
		if s.profile == Sharkey {
			return s.misskeyLogin(q)
		}
		return s.loginPage(q)
	case "POST /oauth/authorize":
		return s.login(q)
	case "POST /oauth/token":
		return s.issue(q)
	case "POST /oauth/revoke":
		if s.profile != Sharkey {
			return s.revocation(q)
		}
	case "GET /oauth/userinfo":
		if s.profile == Mastodon {
			return s.userinfo(q)
		}
	}
	return nil
}

func htmlAnswer(status int, title, body string) *answer {
	return &answer{status: status, ctype: "text/html; charset=utf-8",
		body: []byte("<!DOCTYPE html>\n<html><head><title>" + title + "</title></head><body>" + body + "</body></html>\n")}
}

// loginPage is a form with the fields of the request and one for the name of
// who logs in; nobody has a password here. "deny" in place of a name refuses.
func (s *Server) loginPage(q *request) *answer {
	if q.get("response_type") != "code" && s.profile != Sharkey {
		return htmlAnswer(http.StatusBadRequest, "Error", "<p>"+trouble("").text+"</p>")
	}
	app, scopes, bad := s.consider(authorization(q.params))
	if bad != nil {
		return htmlAnswer(bad.status, "Error", "<p>"+html.EscapeString(bad.text)+"</p>")
	}
	var b strings.Builder
	b.WriteString("<h1>Authorization required</h1><p>" + html.EscapeString(app.name) + " would like: " + html.EscapeString(strings.Join(scopes, " ")) +
		`</p><form method="post" action="/oauth/authorize"><input type="text" name="account">`)
	for _, name := range []string{"client_id", "redirect_uri", "response_type", "scope", "state", "code_challenge", "code_challenge_method"} {
		if v := q.get(name); v != "" {
			b.WriteString(`<input type="hidden" name="` + name + `" value="` + html.EscapeString(v) + `">`)
		}
	}
	b.WriteString(`<button type="submit">Authorize</button></form>`)
	return htmlAnswer(http.StatusOK, "Authorization required", b.String())
}

// misskeyLogin sends the user to the address that is the client id.
func (s *Server) misskeyLogin(q *request) *answer {
	app := s.apps[q.get("client_id")]
	if app == nil {
		return s.refuse(http.StatusBadRequest, "Missing required query \"client_id\"")
	}
	v := url.Values{"mastodon": {"true"}}
	for _, name := range []string{"state", "redirect_uri"} {
		if q.get(name) != "" {
			v.Set(name, q.get(name))
		}
	}
	return redirect("http://"+q.host+"/auth/"+app.session, v)
}

func redirect(to string, add url.Values) *answer {
	glue := "?"
	if strings.Contains(to, "?") {
		glue = "&"
	}
	a := &answer{status: http.StatusFound, ctype: "text/html; charset=utf-8"}
	a.set("Location", to+glue+add.Encode())
	return a
}

// login takes the form. Out of band, the code is shown in a <code>.
func (s *Server) login(q *request) *answer {
	ask := authorization(q.params)
	app, scopes, bad := s.consider(ask)
	if bad != nil {
		return htmlAnswer(bad.status, "Error", "<p>"+html.EscapeString(bad.text)+"</p>")
	}
	back := url.Values{}
	if ask.State != "" {
		back.Set("state", ask.State)
	}
	who := s.byAcct[strings.ToLower(q.get("account"))]
	switch {
	case q.get("account") == "deny" && ask.RedirectURI != outOfBand:
		back.Set("error", "access_denied")
		back.Set("error_description", "The resource owner or authorization server denied the request.")
		return redirect(ask.RedirectURI, back)
	case who == nil || who.remote:
		return htmlAnswer(http.StatusUnauthorized, "Log in", "<p>Invalid E-mail address or password.</p>")
	}
	code := s.approve(who, app, scopes, ask)
	s.change()
	if ask.RedirectURI == outOfBand {
		return htmlAnswer(http.StatusOK, "Authorization code", "<p>Copy this code:</p><code>"+code+"</code>")
	}
	back.Set("code", code)
	return redirect(ask.RedirectURI, back)
}
