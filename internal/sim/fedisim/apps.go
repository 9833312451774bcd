package fedisim

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// outOfBand is the redirect that shows the code to the user instead.
const outOfBand = "urn:ietf:wg:oauth:2.0:oob"

const vapidKey = "BAhxXyHfAoMqrZECjRI56F5QrE4ynVlkZFMdKSpTIsWRNoWUVgut-Bnz2xsMSwiN4AF0b4I7ixF24OwiicOJivw="

// appsMax bounds the applications that are remembered; no test needs more.
const appsMax = 1000

// app is a registered application (https://docs.joinmastodon.org/entities/Application/).
type app struct {
	id, name, website string
	redirects, scopes []string
	clientID, secret  string
	session           string   // Sharkey: of the login, and the code it will give
	login             *Account // snac: who logged in last
}

// App is an application that a client registered.
type App struct {
	Name, Website          string
	ClientID, ClientSecret string
	RedirectURIs, Scopes   []string
}

// Apps lists the registered applications in no order.
func (s *Server) Apps() []App {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []App
	for _, a := range s.apps {
		out = append(out, App{a.name, a.website, a.clientID, a.secret, slices.Clone(a.redirects), slices.Clone(a.scopes)})
	}
	return out
}

// appRoute serves registration and verification; nil for everything else.
func (s *Server) appRoute(q *request) *answer {
	switch q.method + " " + q.route {
	case "POST /api/v1/apps":
		return s.registerApp(q)
	case "GET /api/v1/apps/verify_credentials":
		if s.profile == Sharkey || s.profile == Snac {
			return nil
		}
		g := s.granted[q.token]
		_, known := s.tokens[q.token]
		switch {
		case !known:
			return s.unauthorized(q.token)
		case g == nil: // a token from nowhere has an application that may do everything
			g = &grantedToken{app: &app{id: "1", name: "Simulated", scopes: []string{"read", "write", "follow", "push"}, redirects: []string{outOfBand}}}
		}
		var w jsonWriter
		s.writeApp(&w, g.app, false)
		return jsonAnswer(w.b)
	}
	return nil
}

// registerApp is https://docs.joinmastodon.org/methods/apps/#create.
func (s *Server) registerApp(q *request) *answer {
	if q.badBody {
		return s.refuse(http.StatusBadRequest, "There was a problem reading the request")
	}
	a := &app{name: q.get("client_name"), website: q.get("website"), scopes: strings.Fields(q.get("scopes"))}
	for _, list := range q.many("redirect_uris") {
		a.redirects = append(a.redirects, strings.Fields(list)...)
	}
	if len(a.scopes) == 0 {
		a.scopes = []string{"read"}
	}
	if trouble := s.appTrouble(a); trouble != "" {
		status := http.StatusUnprocessableEntity
		if s.profile != Mastodon {
			status = http.StatusBadRequest
		}
		return s.refuse(status, trouble)
	}
	if len(s.apps) >= appsMax {
		clear(s.apps)
	}
	a.id = s.ids.status(s.now(), s.ids.uuid())
	switch s.profile {
	case Snac:
		a.id = s.ids.random("0123456789abcdef", 32)
		a.clientID, a.secret = a.id, s.ids.random("0123456789abcdef", 32)
	case Sharkey: // the id is the address of the page where the user logs in
		a.session = s.ids.uuid()
		a.clientID = base64.StdEncoding.EncodeToString([]byte("http://" + q.host + "/auth/" + a.session))
		a.secret = s.ids.random(base62Digits, 32)
	default:
		a.clientID, a.secret = s.ids.random(base62Digits, 43), s.ids.random(base62Digits, 43)
	}
	s.apps[a.clientID] = a
	s.change()
	var w jsonWriter
	s.writeApp(&w, a, true)
	return jsonAnswer(w.b)
}

// appTrouble is what is wrong with an application, in Mastodon's words.
func (s *Server) appTrouble(a *app) string {
	switch {
	case a.name == "":
		return "Validation failed: Application name can't be blank"
	case len(a.redirects) == 0:
		return "Validation failed: Redirect URI can't be blank"
	}
	for _, r := range a.redirects {
		if u, err := url.Parse(r); err != nil || !u.IsAbs() {
			return "Validation failed: Redirect URI must be an absolute URI."
		}
	}
	for _, scope := range a.scopes {
		if s.profile == Mastodon && !slices.Contains(scopesSupported(), scope) {
			return "Validation failed: Scopes doesn't match configured on the server."
		}
	}
	return ""
}

// writeApp appends an application, with its secret only to who registers it.
func (s *Server) writeApp(w *jsonWriter, a *app, secret bool) {
	w.open('{')
	w.str("id", a.id)
	w.str("name", a.name)
	w.strOrNull("website", a.website)
	if s.profile == Mastodon || s.profile == GoToSocial {
		w.strs("scopes", a.scopes...)
		w.strs("redirect_uris", a.redirects...)
	}
	if s.profile != Sharkey {
		w.str("vapid_key", vapidKey)
	}
	w.str("redirect_uri", strings.Join(a.redirects, "\n"))
	if secret {
		w.str("client_id", a.clientID)
		w.str("client_secret", a.secret)
		if s.profile == Mastodon {
			w.int("client_secret_expires_at", 0)
		}
	}
	w.close('}')
}
