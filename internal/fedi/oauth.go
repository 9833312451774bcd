package fedi

// Logging in from a terminal: an application is registered at the server, the
// operator opens an address in a browser, allows it, and pastes the code that
// the server shows (https://docs.joinmastodon.org/client/token/ and
// https://docs.joinmastodon.org/methods/oauth/).

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/oauth2"
)

const (
	// outOfBand has the server show the code instead of sending it somewhere.
	outOfBand     = "urn:ietf:wg:oauth:2.0:oob"
	authorizePath = "/oauth/authorize"
	tokenPath     = "/oauth/token"
	appsPath      = "/api/v1/apps"
)

// scopes are what Rookery uses, and nothing more; where a server does not say
// that it knows such narrow ones, it is asked for wideScopes.
func narrowScopes() []string {
	return []string{"read:accounts", "read:follows", "read:notifications", "read:statuses", "write:media", "write:notifications", "write:statuses"}
}

func wideScopes() []string { return []string{"read", "write"} }

// App is Rookery as an application that is registered at a server, for one
// log-in.
type App struct {
	ClientID     string
	ClientSecret string
	Scopes       []string // that it asks for
	PKCE         bool     // the server checks the verifier (RFC 7636, method S256)

	client    *Client
	authorize string // address of the page to log in at
}

// RegisterApp registers an application of that name at a server, given by its
// base URL like Options.Server; website may be empty. hc carries the requests,
// nil for an own one; only its transport is used. Its errors say what to do.
func RegisterApp(ctx context.Context, hc *http.Client, server, name, website string) (App, error) {
	o := Options{Server: server, UserAgent: name}
	if hc != nil {
		o.Transport = hc.Transport
		if o.Transport == nil {
			o.Transport = http.DefaultTransport
		}
	}
	c, err := New(o)
	if err != nil {
		return App{}, err
	}
	a := App{client: c, authorize: c.base.String() + authorizePath, Scopes: wideScopes()}
	if err := a.discover(ctx); err != nil {
		return App{}, fmt.Errorf("register at %s: %w", c.base.Host, err)
	}
	err = a.register(ctx, name, website)
	if cl := ClassOf(err); cl == Invalid && !slices.Equal(a.Scopes, wideScopes()) {
		a.Scopes = wideScopes() // it named scopes that it does not take after all
		err = a.register(ctx, name, website)
	}
	if err != nil {
		return App{}, fmt.Errorf("register at %s: %w%s", c.base.Host, err, registerHelp(err))
	}
	return a, nil
}

// discover reads what the server says of its ways to log in (RFC 8414;
// Mastodon 4.3). Most servers have no such document; that is no error.
func (a *App) discover(ctx context.Context) error {
	var w struct {
		Authorize text       `json:"authorization_endpoint"`
		Scopes    list[text] `json:"scopes_supported"`
		Methods   list[text] `json:"code_challenge_methods_supported"`
	}
	_, err := a.client.get(ctx, call{path: "/.well-known/oauth-authorization-server", noAuth: true}, &w)
	if e, ok := errors.AsType[*Error](err); ok {
		if e.Status == 0 {
			return fmt.Errorf("%w: check the server's address and the network", err)
		}
		return nil
	}
	a.PKCE = slices.Contains(w.Methods, "S256")
	narrow := narrowScopes()
	if !slices.ContainsFunc(narrow, func(s string) bool { return !slices.Contains(w.Scopes, text(s)) }) {
		a.Scopes = narrow
	}
	// Whoever types a password should do it at the server they named.
	if u, err := url.Parse(string(w.Authorize)); err == nil && u.Scheme == a.client.base.Scheme && strings.EqualFold(u.Host, a.client.base.Host) && u.User == nil {
		u.RawQuery, u.Fragment = "", ""
		a.authorize = u.String()
	}
	return nil
}

func (a *App) register(ctx context.Context, name, website string) error {
	form := url.Values{"client_name": {name}, "redirect_uris": {outOfBand}, "scopes": {strings.Join(a.Scopes, " ")}}
	if website != "" {
		form.Set("website", website)
	}
	body := form.Encode()
	cl := call{method: http.MethodPost, path: appsPath, noAuth: true,
		body: strings.NewReader(body), length: int64(len(body)), contentType: "application/x-www-form-urlencoded"}
	got, err := a.client.do(ctx, cl)
	if err != nil {
		return err
	}
	var w struct {
		ID     text `json:"client_id"`
		Secret text `json:"client_secret"`
	}
	if err := a.client.decode(cl, got, &w); err != nil {
		return err
	}
	if w.ID == "" || w.Secret == "" {
		return &Error{Class: Unsupported, Status: got.status, Method: cl.method, Path: cl.path, Message: "the answer holds no client_id and client_secret"}
	}
	a.ClientID, a.ClientSecret = string(w.ID), string(w.Secret)
	return nil
}

// registerHelp says what to do about a registration that failed.
func registerHelp(err error) string {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return ""
	}
	switch {
	case e.Class == Rate:
		return ": wait, then try again"
	case e.Status == 0:
		return ": check the server's address and the network"
	case e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden:
		return ": this server does not let programs register; make a token in the account's own settings, under development or applications"
	case e.Status == http.StatusNotFound, e.Status == http.StatusMethodNotAllowed, e.Class == Unsupported, e.Status >= 200 && e.Status < 300:
		return ": there is no Mastodon client API at this address; give the address of the instance itself, like https://art.example"
	case e.Status >= 500:
		return ": the server has trouble of its own, try again later"
	}
	return ""
}

// NewVerifier makes the secret of one log-in: AuthorizeURL shows the server
// its hash, Exchange the secret itself.
func NewVerifier() string { return oauth2.GenerateVerifier() }

// AuthorizeURL is the address to open in a browser. The verifier is one of
// NewVerifier's, and is left out for a server that would not check it.
func (a App) AuthorizeURL(verifier string) string {
	var options []oauth2.AuthCodeOption
	if a.PKCE && verifier != "" {
		options = append(options, oauth2.S256ChallengeOption(verifier))
	}
	return a.config().AuthCodeURL("", options...)
}

func (a App) config() *oauth2.Config {
	return &oauth2.Config{
		ClientID: a.ClientID, ClientSecret: a.ClientSecret, RedirectURL: outOfBand, Scopes: a.Scopes,
		Endpoint: oauth2.Endpoint{AuthURL: a.authorize, TokenURL: a.client.base.String() + tokenPath, AuthStyle: oauth2.AuthStyleInParams},
	}
}

// Exchange turns the code that the server showed into an access token, and
// returns the scopes it has. The whole address of the page that showed the
// code will do as well. Errors say what to do and hold no secret; class Auth
// means that another code is needed.
func (a App) Exchange(ctx context.Context, code, verifier string) (token string, scopes []string, err error) {
	code = bareCode(code)
	if code == "" {
		return "", nil, &Error{Class: Auth, Method: http.MethodPost, Path: tokenPath, Message: "not sent: there is no code: paste the one the server shows after you have allowed the application"}
	}
	ctx, cancel := context.WithTimeout(ctx, a.client.timeout)
	defer cancel()
	ctx = context.WithValue(ctx, oauth2.HTTPClient, a.client.effects)
	var options []oauth2.AuthCodeOption
	if a.PKCE && verifier != "" {
		options = append(options, oauth2.VerifierOption(verifier))
	}
	t, err := a.config().Exchange(ctx, code, options...)
	if err != nil {
		return "", nil, a.noToken(err)
	}
	if strings.ContainsFunc(t.AccessToken, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "", nil, a.noToken(errors.New("the token is none"))
	}
	scope, _ := t.Extra("scope").(string)
	if scopes = strings.Fields(scope); len(scopes) == 0 {
		scopes = a.Scopes // RFC 6749, section 5.1: not told if it is what was asked for
	}
	return t.AccessToken, scopes, nil
}

// noToken is the error of an exchange, without what must not be shown: the
// library's own quotes the answer.
func (a App) noToken(err error) error {
	e := &Error{Class: Transient, Method: http.MethodPost, Path: tokenPath}
	r, ok := errors.AsType[*oauth2.RetrieveError](err)
	if !ok {
		if u, ok := errors.AsType[*url.Error](err); ok {
			e.Message, e.Err = "no answer: check the network, then begin again", u.Err
			return e
		}
		e.Class, e.Message = Unsupported, "the server's answer holds no token: is "+a.client.base.String()+" really the address of the instance?"
		return e
	}
	if r.Response != nil {
		e.Status = r.Response.StatusCode
	}
	now := a.client.clock.Now()
	switch {
	case e.Status == http.StatusTooManyRequests:
		e.Class, e.Message = Rate, "wait, then begin again"
		e.RetryAt = retryAt(now, r.Response.Header, allowance{})
	case e.Status >= 500:
		e.Message = "the server has trouble of its own: begin again later"
	case r.ErrorCode == "invalid_client":
		e.Class, e.Message = Auth, "the server no longer knows the application: begin again"
	case r.ErrorCode == "invalid_grant" || e.Status == http.StatusBadRequest || e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden || e.Status == http.StatusUnprocessableEntity:
		e.Class, e.Message = Auth, "the server does not take the code: it was not copied whole, was used already or is too old. Open the address again and paste the new code"
	case e.Status == http.StatusNotFound || e.Status < 400:
		e.Class, e.Message = Unsupported, "there is no log-in at "+a.client.base.String()+": is that really the address of the instance?"
	default:
		e.Class, e.Message = Invalid, "the server refuses the log-in"
	}
	return e
}

// bareCode finds the code in what a person pasted.
func bareCode(s string) string {
	s = strings.TrimSpace(s)
	if _, query, ok := strings.Cut(s, "?"); ok {
		if v, err := url.ParseQuery(query); err == nil && v.Get("code") != "" {
			return v.Get("code")
		}
	}
	return strings.TrimPrefix(s, "code=")
}
