package fedi

import (
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"rookery/internal/community"
)

// TestRequestsAreWithinThePublishedDescription holds what the client sends
// against the parameters that the description of Mastodon 4.7 names.
func TestRequestsAreWithinThePublishedDescription(t *testing.T) {
	t.Parallel()
	var spec struct {
		Paths map[string]map[string]struct {
			Parameters  []struct{ Name, In string }
			RequestBody struct {
				Content map[string]struct{ Schema any }
			}
		}
		Components struct {
			Schemas map[string]any
		}
	}
	if err := json.Unmarshal(data(t, "specs/mastodon-openapi.json"), &spec); err != nil {
		t.Fatal(err)
	}
	sent := 0
	c, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		sent++
		path := regexp.MustCompile(`/x1(/|$)`).ReplaceAllString(r.URL.Path, "/{id}$1")
		op, ok := spec.Paths[path][strings.ToLower(r.Method)]
		if !ok {
			t.Errorf("%s %s is not described", r.Method, path)
		}
		names := map[string]bool{}
		for _, p := range op.Parameters {
			names[p.In+" "+p.Name] = true
		}
		for k := range r.URL.Query() {
			if !names["query "+strings.TrimSuffix(k, "[]")] {
				t.Errorf("%s %s: the parameter %s is not described", r.Method, path, k)
			}
		}
		var body map[string]any
		if b, _ := io.ReadAll(r.Body); len(b) > 0 {
			if err := json.Unmarshal(b, &body); err != nil {
				t.Error(err)
			}
		}
		fields := map[string]bool{}
		for _, form := range op.RequestBody.Content { // a file's fields are described as a form's
			properties(form.Schema, spec.Components.Schemas, fields)
		}
		for k := range body {
			if !fields[k] {
				t.Errorf("%s %s: the field %s is not described", r.Method, path, k)
			}
		}
		if r.URL.Path == "/api/v1/notifications" || strings.HasSuffix(r.URL.Path, "x1/statuses") || strings.HasSuffix(r.URL.Path, "/relationships") {
			io.WriteString(w, "[]")
			return
		}
		io.WriteString(w, aStatus)
	})
	d := Draft{Text: "a", CW: "b", Visibility: community.Public, InReplyTo: "9", Language: "en", MediaIDs: []string{"m"}, MediaDescriptions: map[string]string{"m": "x"}}
	_, e1 := c.Post(t.Context(), d, "k")
	_, e2 := c.Edit(t.Context(), "x1", d)
	_, e3 := c.Notifications(t.Context(), NotificationQuery{MinID: "1", MaxID: "2"})
	_, _, e4 := c.AccountStatuses(t.Context(), "x1", StatusQuery{MaxID: "3"})
	_, e5 := c.Status(t.Context(), "x1")
	_, e6 := c.Context(t.Context(), "x1")
	_, e7 := c.VerifyCredentials(t.Context())
	e8 := c.Dismiss(t.Context(), "x1")
	e9 := c.Delete(t.Context(), "x1")
	_, e10 := c.Relationships(t.Context(), "x1", "x2")
	_, e11 := c.NotificationPolicy(t.Context())
	_, e12 := c.AppScopes(t.Context())
	_, _, e13 := c.Source(t.Context(), "x1")
	e14 := c.Describe(t.Context(), "x1", "a pony")
	for _, err := range []error{e1, e2, e3, e4, e5, e6, e7, e8, e9, e10, e11, e12, e13, e14} {
		if err != nil {
			t.Error(err)
		}
	}
	if sent != 14 {
		t.Errorf("%d requests", sent)
	}
}

// properties gathers the fields that a schema names, through its references
// and alternatives.
func properties(schema any, all map[string]any, into map[string]bool) {
	m, ok := schema.(map[string]any)
	if !ok {
		return
	}
	if ref, ok := m["$ref"].(string); ok {
		properties(all[ref[strings.LastIndexByte(ref, '/')+1:]], all, into)
	}
	if ps, ok := m["properties"].(map[string]any); ok {
		for k := range ps {
			into[strings.TrimSuffix(k, "[]")] = true
		}
	}
	for _, k := range []string{"oneOf", "anyOf", "allOf"} {
		l, _ := m[k].([]any)
		for _, s := range l {
			properties(s, all, into)
		}
	}
}
