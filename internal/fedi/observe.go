package fedi

import (
	"errors"
	"net/http"
	"time"
)

// Request is what is told of one request after it has ended, for counting.
// None of its fields grows with what members do: ids are not in it.
type Request struct {
	Account string // the operator's name for the account; empty outside of Fedi
	Method  string // "GET"
	Route   string // "/api/v1/statuses/:id"
	Family  string // the limit it counts against: "requests", "paged requests", "posts", "deletions", "uploads"
	Status  int    // HTTP status; 0 when no answer came
	// Class is how it failed; empty when it did not. Class Rate without a
	// status was held back and never sent.
	Class Class
	Took  time.Duration // by the client's clock; a stream's is that of its handshake
}

// observed tells of a request that has ended.
func (c *Client) observed(cl call, began time.Time, status int, err error) {
	e, _ := errors.AsType[*Error](err)
	if e != nil {
		status = e.Status
		if refusesToken(e) && c.onRefusal != nil {
			c.onRefusal()
		}
	}
	if c.observe == nil {
		return
	}
	r := Request{Method: cl.method, Route: cl.route, Family: familyNames[cl.family], Status: status, Class: ClassOf(err), Took: c.clock.Now().Sub(began)}
	if r.Route == "" {
		r.Route = cl.path
	}
	c.observe(r)
}

// refusesToken tells an answer that throws doubt on whose token it is. A 403
// is often only for want of a scope, which another request may not need.
func refusesToken(e *Error) bool { return e.Class == Auth && e.Status != http.StatusForbidden }
