package fedi

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"rookery/internal/sim/fedisim"
)

// registered is an application at a simulated server.
func registered(t *testing.T, s *fedisim.Server) App {
	t.Helper()
	a, err := RegisterApp(t.Context(), nil, s.URL(), "Rookery", "https://rookery.example")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.client.Close)
	return a
}

func TestLoggingInFromATerminal(t *testing.T) {
	t.Parallel()
	for _, p := range fedisim.Profiles() {
		t.Run(string(p), func(t *testing.T) {
			t.Parallel()
			s := fedisim.New(fedisim.Options{Profile: p})
			if err := s.Start(); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(s.Close)
			bot := s.AddAccount("elelem", fedisim.Bot())
			a := registered(t, s)
			if apps := s.Apps(); len(apps) != 1 || apps[0].Name != "Rookery" || apps[0].ClientSecret != a.ClientSecret {
				t.Errorf("%+v", apps)
			}
			verifier := NewVerifier()
			address := a.AuthorizeURL(verifier)
			if strings.Contains(address, verifier) || strings.Contains(address, a.ClientSecret) {
				t.Errorf("a secret stands in %s", address)
			}
			ask, err := fedisim.AuthorizationFrom(address)
			if err != nil {
				t.Fatal(err)
			}
			if a.PKCE != (p == fedisim.Mastodon) || a.PKCE != (ask.CodeChallengeMethod == "S256") {
				t.Errorf("PKCE: %v, %+v", a.PKCE, ask)
			}
			wantScopes := wideScopes()
			if p == fedisim.Mastodon {
				wantScopes = narrowScopes()
			}
			same(t, strings.Fields(ask.Scope), wantScopes)
			code, err := s.Approve(bot, ask)
			if err != nil {
				t.Fatal(err)
			}
			token, scopes, err := a.Exchange(t.Context(), " "+code+"\n", verifier)
			if err != nil {
				t.Fatal(err)
			}
			if len(scopes) == 0 || slices.Contains(scopes, "follow") {
				t.Errorf("scopes %v", scopes)
			}
			c, err := New(Options{Server: s.URL(), Token: token})
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			// The scopes are enough for all that is done with the token.
			me, err := c.VerifyCredentials(t.Context())
			if err != nil || string(me.ID) != bot.ID {
				t.Errorf("the token is %s's, %v", me.Acct, err)
			}
			posted, e1 := c.Post(t.Context(), draft("hello"), "k")
			_, e2 := c.Notifications(t.Context(), NotificationQuery{})
			_, e3 := c.Context(t.Context(), posted.ID)
			_, _, e4 := c.AccountStatuses(t.Context(), me.ID, StatusQuery{})
			_, e5 := c.Relationships(t.Context(), me.ID)
			e6 := c.Delete(t.Context(), posted.ID)
			for i, err := range []error{e1, e2, e3, e4, e5, e6} {
				if ClassOf(err) == Auth || ClassOf(err) == Invalid {
					t.Errorf("call %d: %v", i+1, err)
				}
			}
		})
	}
}

func TestACodeThatIsNotTakenSaysWhatToDo(t *testing.T) {
	t.Parallel()
	s := fedisim.New(fedisim.Options{})
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	bot := s.AddAccount("elelem")
	a := registered(t, s)
	verifier := NewVerifier()
	ask, err := fedisim.AuthorizationFrom(a.AuthorizeURL(verifier))
	if err != nil {
		t.Fatal(err)
	}
	code, err := s.Approve(bot, ask)
	if err != nil {
		t.Fatal(err)
	}
	forgotten := a
	forgotten.ClientID = "x"
	for name, try := range map[string]struct {
		app            App
		code, verifier string
		want           string
	}{
		"no code":          {a, " ", verifier, "paste"},
		"wrong code":       {a, "s3cretc0de", verifier, "Open the address again"},
		"wrong verifier":   {a, code, "other", "Open the address again"},
		"no verifier":      {a, code, "", "Open the address again"},
		"unknown app":      {forgotten, code, verifier, "begin again"},
		"only half of it":  {a, code[:10], verifier, "Open the address again"},
		"a page, no code":  {a, "https://art.example/oauth/authorize/native?x=1", verifier, "Open the address again"},
		"not of this page": {a, "https://art.example/oauth/authorize/native?code=zzz", verifier, "Open the address again"},
	} {
		_, _, err := try.app.Exchange(t.Context(), try.code, try.verifier)
		if ClassOf(err) != Auth || !strings.Contains(err.Error(), try.want) || strings.Contains(err.Error(), a.ClientSecret) || strings.Contains(err.Error(), "s3cretc0de") {
			t.Errorf("%s: %v", name, err)
		}
	}
	token, _, err := a.Exchange(t.Context(), s.URL()+"/oauth/authorize/native?code="+url.QueryEscape(code), verifier)
	if err != nil || token == "" {
		t.Errorf("the address of the page: %v", err)
	}
	if _, _, err := a.Exchange(t.Context(), code, verifier); ClassOf(err) != Auth {
		t.Errorf("the same code again: %v", err)
	}
}

// loginServer answers as told: with "status body" by path, 404 otherwise.
func loginServer(t *testing.T, answers map[string]http.HandlerFunc) string {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if h, ok := answers[r.URL.Path]; ok {
			h(w, r)
			return
		}
		answerWith(404, "text/html", "<html>not here</html>")(w, r)
	}))
	t.Cleanup(srv.Close)
	return srv.URL
}

const anApp = `{"client_id":"me","client_secret":"s3cret"}`

func TestRegisteringWhereItCannotWorkSaysWhatToDo(t *testing.T) {
	t.Parallel()
	type answers = map[string]http.HandlerFunc
	for name, tc := range map[string]struct {
		answers answers
		want    string
	}{
		"not an instance":        {nil, "give the address of the instance"},
		"a page for everything":  {answers{appsPath: answerWith(200, "text/html", "<html>hi</html>")}, "give the address of the instance"},
		"JSON of something else": {answers{appsPath: answerWith(200, "application/json", `{"ok":true}`)}, "give the address of the instance"},
		"a list":                 {answers{appsPath: answerWith(200, "application/json", `[]`)}, "give the address of the instance"},
		"closed":                 {answers{appsPath: answerWith(403, "application/json", `{"error":"no"}`)}, "make a token"},
		"sent elsewhere": {answers{appsPath: func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://www.art.example/", http.StatusMovedPermanently)
		}}, "https://www.art.example"},
		"too many": {answers{appsPath: answerWith(429, "application/json", `{}`)}, "wait"},
		"broken":   {answers{appsPath: answerWith(500, "text/html", "<html>oops</html>")}, "try again later"},
		"endless":  {answers{appsPath: answerWith(200, "application/json", `{"x":"`+strings.Repeat("a", maxAnswer)+`"}`)}, "could not be read to its end"},
		"cut":      {answers{appsPath: func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }}, "check the server's address"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := RegisterApp(t.Context(), &http.Client{}, loginServer(t, tc.answers), "Rookery", "")
			if err == nil || !strings.Contains(err.Error(), tc.want) || len(err.Error()) > 600 {
				t.Errorf("%v", err)
			}
		})
	}
	t.Run("plain http", func(t *testing.T) {
		t.Parallel()
		if _, err := RegisterApp(t.Context(), nil, "http://art.example", "Rookery", ""); err == nil || !strings.Contains(err.Error(), "https") {
			t.Errorf("%v", err)
		}
	})
	t.Run("nobody there", func(t *testing.T) {
		t.Parallel()
		srv := httptest.NewServer(http.NotFoundHandler())
		srv.Close()
		if _, err := RegisterApp(t.Context(), nil, srv.URL, "Rookery", ""); err == nil || !strings.Contains(err.Error(), "check the server's address") {
			t.Errorf("%v", err)
		}
	})
}

func TestWhatAServerSaysOfItsLogInIsBelievedWithCare(t *testing.T) {
	t.Parallel()
	const all = `"read:accounts","read:follows","read:notifications","read:statuses","write:media","write:notifications","write:statuses"`
	for name, tc := range map[string]struct {
		doc    string
		pkce   bool
		narrow bool
	}{
		"everything":         {`{"code_challenge_methods_supported":["S256"],"scopes_supported":["read",` + all + `]}`, true, true},
		"plain PKCE only":    {`{"code_challenge_methods_supported":["plain"],"scopes_supported":[` + all + `]}`, false, true},
		"one scope is short": {`{"code_challenge_methods_supported":["S256"],"scopes_supported":[` + strings.Replace(all, `"write:media",`, "", 1) + `]}`, true, false},
		"no lists":           {`{"code_challenge_methods_supported":"S256","scopes_supported":{}}`, false, false},
		"nothing":            {`{}`, false, false},
		"a page":             {`<html>`, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			doc := strings.Replace(tc.doc, "{", `{"authorization_endpoint":"https://evil.example/oauth/authorize",`, 1)
			if tc.doc == "{}" {
				doc = tc.doc
			}
			server := loginServer(t, map[string]http.HandlerFunc{
				"/.well-known/oauth-authorization-server": answerWith(200, "", doc), appsPath: answerWith(200, "application/json", anApp)})
			a, err := RegisterApp(t.Context(), &http.Client{}, server, "Rookery", "")
			if err != nil {
				t.Fatal(err)
			}
			if a.PKCE != tc.pkce || slices.Equal(a.Scopes, narrowScopes()) != tc.narrow || !strings.HasPrefix(a.AuthorizeURL("v"), server+authorizePath+"?") {
				t.Errorf("%+v: %s", a, a.AuthorizeURL("v"))
			}
		})
	}
	t.Run("scopes refused after all", func(t *testing.T) {
		t.Parallel()
		var asked []string
		server := loginServer(t, map[string]http.HandlerFunc{
			"/.well-known/oauth-authorization-server": answerWith(200, "", `{"scopes_supported":[`+all+`]}`),
			appsPath: func(w http.ResponseWriter, r *http.Request) {
				asked = append(asked, r.FormValue("scopes"))
				if r.FormValue("scopes") != "read write" {
					answerWith(422, "application/json", `{"error":"scope"}`)(w, r)
					return
				}
				_, _ = io.WriteString(w, anApp)
			}})
		a, err := RegisterApp(t.Context(), &http.Client{}, server, "Rookery", "")
		if err != nil || !slices.Equal(a.Scopes, wideScopes()) || len(asked) != 2 {
			t.Errorf("%+v, %v; asked for %q", a, err, asked)
		}
	})
}

func TestTokensThatAreNone(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		answer http.HandlerFunc
		class  Class
	}{
		"a page":         {answerWith(200, "text/html", "<html>s3cret</html>"), Unsupported},
		"empty":          {answerWith(200, "application/json", ""), Unsupported},
		"no token":       {answerWith(200, "application/json", `{"scope":"read"}`), Unsupported},
		"a broken token": {answerWith(200, "application/json", `{"access_token":"a\nb","token_type":"Bearer"}`), Unsupported},
		"not found":      {answerWith(404, "text/html", "<html>"), Unsupported},
		"sent elsewhere": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://evil.example/", http.StatusTemporaryRedirect)
		}, Unsupported},
		"too many":         {func(w http.ResponseWriter, r *http.Request) { w.Header().Set("Retry-After", "60"); w.WriteHeader(429) }, Rate},
		"broken":           {answerWith(500, "text/html", "<html>s3cret"), Transient},
		"cut":              {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, Transient},
		"refused":          {answerWith(400, "application/json", `{"error":"invalid_grant","error_description":"s3cret"}`), Auth},
		"an unknown word":  {answerWith(409, "application/json", `{"error":"s3cret"}`), Invalid},
		"without an error": {answerWith(401, "text/plain", "s3cret"), Auth},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := loginServer(t, map[string]http.HandlerFunc{appsPath: answerWith(200, "application/json", anApp), tokenPath: tc.answer})
			a, err := RegisterApp(t.Context(), &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}, server, "Rookery", "")
			if err != nil {
				t.Fatal(err)
			}
			token, _, err := a.Exchange(t.Context(), "code", "")
			e, ok := errors.AsType[*Error](err)
			if token != "" || !ok || e.Class != tc.class || strings.Contains(err.Error(), "s3cret") {
				t.Errorf("%q, %v", token, err)
			}
			if tc.class == Rate && !e.RetryAt.After(time.Now()) {
				t.Errorf("again at %v", e.RetryAt)
			}
		})
	}
}

func FuzzBareCode(f *testing.F) {
	for _, s := range []string{"abc", " abc\n", "code=abc", "https://a.example/native?code=abc&x=1", "?", "?code=%zz"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if got := bareCode("https://a.example/native?x=1&code=" + url.QueryEscape(s)); s != "" && got != s {
			t.Errorf("the code %q is read as %q", s, got)
		}
		if got := bareCode(s); !strings.Contains(s, "?") && got != strings.TrimPrefix(strings.TrimSpace(s), "code=") {
			t.Errorf("%q is read as %q", s, got)
		}
	})
}
