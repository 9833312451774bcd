package fedisim_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"rookery/internal/sim/fedisim"
)

const oob = "urn:ietf:wg:oauth:2.0:oob"

type application struct {
	ID, Name      string
	ClientID      string   `json:"client_id"`
	ClientSecret  string   `json:"client_secret"`
	Scopes        []string `json:"scopes"`
	RedirectURIs  []string `json:"redirect_uris"`
	RedirectURI   string   `json:"redirect_uri"`
	SecretExpires *int     `json:"client_secret_expires_at"`
}

type token struct {
	AccessToken string `json:"access_token"`
	TokenType   string `json:"token_type"`
	Scope       string
	CreatedAt   int64 `json:"created_at"`
}

func (w *world) register(scopes string) application {
	w.Helper()
	var a application
	w.ok(w.try("POST", "/api/v1/apps", "", url.Values{"client_name": {"Test"}, "redirect_uris": {oob + "\nhttp://127.0.0.1:1/back"}, "scopes": {scopes}}, ""), &a)
	return a
}

// redeem asks for a token; extra are more parameters, or others.
func (w *world) redeem(a application, code string, extra ...string) reply {
	w.Helper()
	v := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "client_id": {a.ClientID}, "client_secret": {a.ClientSecret}, "redirect_uri": {oob}}
	for i := 0; i < len(extra); i += 2 {
		v.Set(extra[i], extra[i+1])
	}
	return w.try("POST", "/oauth/token", "", v, "")
}

var shownCode = regexp.MustCompile(`<code>([^<]+)</code>`)

// The whole dance, as somebody with a terminal and a browser does it.
func TestLoggingIn(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		app := w.register("read write")
		ask := url.Values{"response_type": {"code"}, "client_id": {app.ClientID}, "redirect_uri": {oob}, "scope": {"read write"}, "state": {"xyz"}}
		page := w.try("GET", "/oauth/authorize?"+ask.Encode(), "", nil, "")
		if page.status != 200 || !html(page) || w.s.Profile() != fedisim.Sharkey && !strings.Contains(string(page.body), `name="state" value="xyz"`) {
			t.Fatalf("the page is %d %s", page.status, page.body)
		}
		ask.Set("account", "nobody")
		if r := w.try("POST", "/oauth/authorize", "", ask, ""); r.status != 401 {
			t.Errorf("nobody logs in: %d", r.status)
		}
		ask.Set("account", "elelem")
		shown := shownCode.FindSubmatch(w.ok(w.try("POST", "/oauth/authorize", "", ask, ""), nil).body)
		if shown == nil {
			t.Fatal("no code is shown")
		}
		code := string(shown[1])
		var tok token
		w.ok(w.redeem(app, code, "scope", "read write"), &tok)
		if tok.TokenType != "Bearer" || tok.Scope != "read write" || tok.CreatedAt != w.clock.now().Unix() {
			t.Errorf("the token is %+v", tok)
		}
		var me account
		w.ok(w.try("GET", "/api/v1/accounts/verify_credentials", tok.AccessToken, nil, ""), &me)
		if me.ID != w.bot.ID {
			t.Errorf("I am %+v", me)
		}
		if r := w.redeem(app, code); (r.status == 200) != (w.s.Profile() == fedisim.Snac) {
			t.Errorf("the code once more: %d", r.status)
		}
		if _, ok := w.s.TokensOf(w.bot)[tok.AccessToken]; !ok || len(w.s.Apps()) != 1 {
			t.Errorf("tokens %v, apps %v", w.s.TokensOf(w.bot), w.s.Apps())
		}
		if w.s.Profile() == fedisim.Sharkey {
			return
		}
		w.ok(w.try("POST", "/oauth/revoke", "", url.Values{"client_id": {app.ClientID}, "client_secret": {app.ClientSecret}, "token": {tok.AccessToken}}, ""), nil)
		if r := w.try("GET", "/api/v1/accounts/verify_credentials", tok.AccessToken, nil, ""); r.status == 200 {
			t.Error("a revoked token is good")
		}
	})
}

func TestRegistration(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fedisim.Options{})
	a := w.register("")
	if a.ID == "" || len(a.ClientID) != 43 || len(a.ClientSecret) != 43 || !slices.Equal(a.Scopes, []string{"read"}) ||
		len(a.RedirectURIs) != 2 || a.RedirectURI != oob+"\nhttp://127.0.0.1:1/back" || a.SecretExpires == nil {
		t.Errorf("the application is %+v", a)
	}
	body := `{"client_name":"J","redirect_uris":["` + oob + `"],"scopes":"read:notifications write:statuses","website":"https://app.example"}`
	req, err := http.NewRequestWithContext(t.Context(), "POST", w.s.URL()+"/api/v1/apps", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := w.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(&a); err != nil || resp.StatusCode != 200 || !slices.Equal(a.Scopes, []string{"read:notifications", "write:statuses"}) {
		t.Errorf("from JSON: %+v, %v", a, err)
	}
	for want, form := range map[string]url.Values{
		"name":         {"redirect_uris": {oob}},
		"blank":        {"client_name": {"x"}},
		"absolute URI": {"client_name": {"x"}, "redirect_uris": {"/back"}},
		"Scopes":       {"client_name": {"x"}, "redirect_uris": {oob}, "scopes": {"everything"}},
	} {
		if r := w.try("POST", "/api/v1/apps", "", form, ""); r.status != 422 || !strings.Contains(string(r.body), want) {
			t.Errorf("%v: %d %s", form, r.status, r.body)
		}
	}
}

func TestWhatIsNotGranted(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fedisim.Options{})
	app, other := w.register("read write:statuses"), w.register("read")
	sum := sha256.Sum256([]byte("a verifier that is long enough to be one"))
	challenge := base64.RawURLEncoding.EncodeToString(sum[:])
	for name, c := range map[string]struct {
		ask  fedisim.Authorization
		want string
	}{
		"client":    {fedisim.Authorization{ClientID: "x", RedirectURI: oob}, "invalid_client"},
		"redirect":  {fedisim.Authorization{ClientID: app.ClientID, RedirectURI: "http://evil.example"}, "invalid_redirect_uri"},
		"scope":     {fedisim.Authorization{ClientID: app.ClientID, RedirectURI: oob, Scope: "write"}, "invalid_scope"},
		"challenge": {fedisim.Authorization{ClientID: app.ClientID, RedirectURI: oob, CodeChallenge: "abc", CodeChallengeMethod: "plain"}, "invalid_code_challenge_method"},
	} {
		if _, err := w.s.Approve(w.bot, c.ask); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	approve := func(challenge string) string {
		t.Helper()
		ask, err := fedisim.AuthorizationFrom("http://x/oauth/authorize?" + url.Values{"client_id": {app.ClientID}, "redirect_uri": {oob},
			"scope": {"read:notifications write:statuses"}, "code_challenge": {challenge}, "code_challenge_method": {"S256"}}.Encode())
		if err != nil {
			t.Fatal(err)
		}
		code, err := w.s.Approve(w.bot, ask)
		if err != nil {
			t.Fatal(err)
		}
		return code
	}
	late := approve("")
	w.clock.add(11 * time.Minute)
	for name, c := range map[string]struct {
		r      reply
		status int
		code   string
	}{
		"late":               {w.redeem(app, late), 400, "invalid_grant"},
		"unknown code":       {w.redeem(app, "nonsense"), 400, "invalid_grant"},
		"of another client":  {w.redeem(other, approve("")), 400, "invalid_grant"},
		"another redirect":   {w.redeem(app, approve(""), "redirect_uri", "http://127.0.0.1:1/back"), 400, "invalid_grant"},
		"wrong secret":       {w.redeem(app, approve(""), "client_secret", "x"), 401, "invalid_client"},
		"no grant type":      {w.redeem(app, approve(""), "grant_type", ""), 400, "invalid_request"},
		"another grant type": {w.redeem(app, approve(""), "grant_type", "password"), 400, "unsupported_grant_type"},
		"no verifier":        {w.redeem(app, approve(challenge)), 400, "invalid_request"},
		"wrong verifier":     {w.redeem(app, approve(challenge), "code_verifier", "nonsense"), 400, "invalid_grant"},
		"needless verifier":  {w.redeem(app, approve(""), "code_verifier", "nonsense"), 400, "invalid_grant"},
		"app's wide scope":   {w.redeem(app, "", "grant_type", "client_credentials", "scope", "write"), 400, "invalid_scope"},
	} {
		var e struct {
			Error       string
			Description string `json:"error_description"`
		}
		if err := json.Unmarshal(c.r.body, &e); err != nil || c.r.status != c.status || e.Error != c.code || e.Description == "" {
			t.Errorf("%s: %d %s", name, c.r.status, c.r.body)
		}
	}
	var tok token
	w.ok(w.redeem(app, approve(challenge), "code_verifier", "a verifier that is long enough to be one"), &tok)
	if tok.Scope != "read:notifications write:statuses" {
		t.Errorf("the token is %+v", tok)
	}
	if r := w.try("POST", "/oauth/revoke", "", url.Values{"client_id": {other.ClientID}, "client_secret": {other.ClientSecret}, "token": {tok.AccessToken}}, ""); r.status != 403 {
		t.Errorf("another client revokes: %d", r.status)
	}
}

func TestRedirects(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fedisim.Options{})
	w.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	app := w.register("read")
	ask := url.Values{"response_type": {"code"}, "client_id": {app.ClientID}, "redirect_uri": {"http://127.0.0.1:1/back"}, "state": {"s & t"}, "account": {"elelem"}}
	to := func() url.Values {
		t.Helper()
		r := w.try("POST", "/oauth/authorize", "", ask, "")
		u, err := url.Parse(r.header.Get("Location"))
		if err != nil || r.status != 302 || u.Path != "/back" {
			t.Fatalf("%d to %v, %v", r.status, u, err)
		}
		return u.Query()
	}
	q := to()
	if q.Get("state") != "s & t" || q.Get("code") == "" {
		t.Errorf("back with %v", q)
	}
	var tok token
	w.ok(w.redeem(app, q.Get("code"), "redirect_uri", "http://127.0.0.1:1/back"), &tok)
	ask.Set("account", "deny")
	if q = to(); q.Get("error") != "access_denied" || q.Get("code") != "" {
		t.Errorf("denied with %v", q)
	}
	ask.Set("redirect_uri", "http://evil.example/")
	if r := w.try("POST", "/oauth/authorize", "", ask, ""); r.status != 400 {
		t.Errorf("to elsewhere: %d", r.status)
	}
	if r := w.try("GET", "/oauth/authorize?client_id="+app.ClientID, "", nil, ""); r.status != 400 {
		t.Errorf("without a response type: %d", r.status)
	}
}

func TestScopesAreHeld(t *testing.T) {
	t.Parallel()
	words := map[fedisim.Profile]string{
		fedisim.Mastodon: "This action is outside the authorized scopes", fedisim.Akkoma: "Insufficient permissions: write:statuses.",
		fedisim.GoToSocial: "Forbidden: token has insufficient scope permission",
	}
	each(t, func(t *testing.T, w *world) {
		a := w.s.AddAccount("limited", fedisim.WithScopes("read:notifications", "profile", "read:follows"))
		p := w.s.AddAccount("ada").Post("hello")
		for _, c := range []struct {
			method, path string
			ok           bool
		}{
			{"GET", "/api/v1/notifications", true}, {"GET", "/api/v1/accounts/verify_credentials", true},
			{"GET", "/api/v1/accounts/relationships?id[]=" + p.AccountID, true}, {"GET", "/api/v1/instance", true},
			{"GET", "/api/v1/accounts/" + p.AccountID, false}, {"GET", "/api/v1/statuses/" + p.ID, false},
			{"GET", "/api/v1/timelines/home", false}, {"POST", statusesPath, false}, {"POST", "/api/v1/notifications/1/dismiss", false},
		} {
			r := w.try(c.method, c.path, a.Token, url.Values{"status": {"x"}}, "")
			want := words[w.s.Profile()]
			if want == "" {
				if r.status == 403 {
					t.Errorf("%s looks at scopes: %s", c.path, r.body)
				}
				continue
			}
			if (r.status == 403) == c.ok || c.path == statusesPath && !strings.Contains(string(r.body), want) {
				t.Errorf("%s %s: %d %s", c.method, c.path, r.status, r.body)
			}
		}
	})
}

func TestAppTokensAndMetadata(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fedisim.Options{})
	app := w.register("read write follow")
	var tok token
	w.ok(w.redeem(app, "", "grant_type", "client_credentials"), &tok)
	var verified application
	w.ok(w.try("GET", "/api/v1/apps/verify_credentials", tok.AccessToken, nil, ""), &verified)
	if verified.ID != app.ID || !slices.Equal(verified.Scopes, []string{"read", "write", "follow"}) || verified.ClientSecret != "" {
		t.Errorf("the application is %+v", verified)
	}
	if r := w.try("GET", "/api/v1/notifications", tok.AccessToken, nil, ""); r.status != 422 {
		t.Errorf("a token of nobody: %d %s", r.status, r.body)
	}
	w.get("/api/v1/apps/verify_credentials", &verified)
	if len(verified.Scopes) != 4 {
		t.Errorf("of a token from nowhere: %+v", verified)
	}
	if r := w.try("GET", "/api/v1/apps/verify_credentials", "wrong", nil, ""); r.status != 401 {
		t.Errorf("of a wrong token: %d", r.status)
	}
	each(t, func(t *testing.T, w *world) {
		r := w.try("GET", "/.well-known/oauth-authorization-server", "", nil, "")
		if (r.status == 200) != (w.s.Profile() == fedisim.Mastodon) {
			t.Errorf("metadata: %d", r.status)
		}
		var m struct {
			Token   string   `json:"token_endpoint"`
			Methods []string `json:"code_challenge_methods_supported"`
			Scopes  []string `json:"scopes_supported"`
		}
		if r.status == 200 && (json.Unmarshal(r.body, &m) != nil || m.Token != w.s.URL()+"/oauth/token" || !slices.Equal(m.Methods, []string{"S256"}) || !slices.Contains(m.Scopes, "write:statuses")) {
			t.Errorf("metadata: %+v", m)
		}
	})
	var info struct {
		Username string `json:"preferred_username"`
	}
	w.get("/oauth/userinfo", &info)
	if info.Username != "elelem" {
		t.Errorf("the user is %+v", info)
	}
}

func TestTokensThatChange(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fedisim.Options{})
	other := w.s.AddAccount("other")
	w.s.SwapToken(w.bot.Token, other)
	var me account
	w.get("/api/v1/accounts/verify_credentials", &me)
	if me.ID != other.ID {
		t.Errorf("I am %+v", me)
	}
	w.s.Revoke(w.bot.Token)
	if r := w.try("GET", "/api/v1/accounts/verify_credentials", w.bot.Token, nil, ""); r.status != 401 {
		t.Errorf("after revoking: %d", r.status)
	}
	w.bot.Restore()
	w.get("/api/v1/accounts/verify_credentials", &me)
	if me.ID != w.bot.ID {
		t.Errorf("restored, I am %+v", me)
	}
}
