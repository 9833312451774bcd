package discordsim

import (
	"net/http"
	"net/url"
	"strings"
	"time"
)

// handler answers one request. It runs with the server's mutex held, after the
// token, the ids of the path and the limits were checked, and must not block.
type handler func(q *request) *answer

// route is one operation of the API, or (raw) anything else that is served.
type route struct {
	method   string
	template string // as the documentation writes it, below the base
	parts    []string
	fixed    int // parts that are no parameters
	handle   handler
	raw      http.Handler

	public      bool // no token is needed
	interaction bool // not counted against the limit of 50 per second
	limit       int  // requests in a window of per; 0 for the usual
	per         time.Duration
}

// option changes a route.
type option func(*route)

// public is for operations that need no token.
func public(r *route) { r.public = true }

// forInteractions is for the endpoints of interactions, which are not bound to
// the global limit. Source: topics/rate-limits#global-rate-limit.
func forInteractions(r *route) { r.public, r.interaction = true, true }

// limited sets how many requests a bucket takes in a window.
func limited(n int, per time.Duration) option {
	return func(r *route) { r.limit, r.per = n, per }
}

// router is the table of operations. Add to it before the first request only.
type router struct {
	list []*route
}

// rest adds an operation, such as "GET /channels/{channel_id}". A parameter
// whose name ends in "_id" must be an id; a request with another one is
// refused before the handler is called.
func (t *router) rest(pattern string, h handler, options ...option) {
	method, template, _ := strings.Cut(pattern, " ")
	r := &route{method: method, template: template, parts: strings.Split(apiBase+template, "/"), handle: h}
	for _, o := range options {
		o(r)
	}
	t.add(r)
}

// raw adds a handler for a path outside of the REST API, whatever the method:
// it runs without the mutex.
func (t *router) raw(template string, h http.Handler) {
	t.add(&route{template: template, parts: strings.Split(template, "/"), raw: h})
}

func (t *router) add(r *route) {
	for _, p := range r.parts {
		if !strings.HasPrefix(p, "{") {
			r.fixed++
		}
	}
	t.list = append(t.list, r)
}

// find is the route of a request, the most exact one, and the values of its
// parameters. known says that the path is served with another method.
func (t *router) find(method, escaped string) (found *route, vars map[string]string, known bool) {
	path := strings.Split(escaped, "/")
	for _, r := range t.list {
		if !r.matches(path) {
			continue
		}
		if r.raw == nil && r.method != method {
			known = true
			continue
		}
		if found == nil || r.fixed > found.fixed {
			found = r
		}
	}
	if found == nil {
		return nil, nil, known
	}
	vars = map[string]string{}
	for i, p := range found.parts {
		name, ok := strings.CutPrefix(p, "{")
		if !ok {
			continue
		}
		value, err := url.PathUnescape(path[i])
		if err != nil {
			value = path[i]
		}
		vars[strings.TrimRight(strings.TrimSuffix(name, "}"), ".")] = value
		if strings.HasSuffix(p, "...}") {
			vars[strings.TrimSuffix(name, "...}")] = strings.Join(path[i:], "/")
		}
	}
	return found, vars, true
}

// matches reports whether a path fits the template. A last parameter that ends
// in "...}" takes the rest of the path.
func (r *route) matches(path []string) bool {
	for i, p := range r.parts {
		if i >= len(path) {
			return false
		}
		if strings.HasSuffix(p, "...}") {
			return true
		}
		if strings.HasPrefix(p, "{") {
			if path[i] == "" {
				return false
			}
		} else if p != path[i] {
			return false
		}
	}
	return len(path) == len(r.parts)
}
