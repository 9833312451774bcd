package apicheck

import (
	"bytes"
	"errors"
	"fmt"
	"mime"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// CheckResponse says how an answer differs from the description. path is
// whole, as it was asked for, without a query. The error is ErrUnknownPath or
// ErrUnknownStatus when the description has no word on it. Fields that the
// description does not name are right; UnknownInResponse finds them. A body
// of another kind than JSON is looked at only if JSON is described.
func (s *Spec) CheckResponse(method, path string, status int, body []byte) error {
	if s == nil {
		return nil
	}
	pointer, err := s.responseSchema(method, path, status)
	if err != nil || pointer == "" {
		return err
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err == nil {
		err = s.validate(pointer, v)
	}
	if err != nil {
		return fmt.Errorf("answer %d to %s %s: %w", status, method, path, err)
	}
	return nil
}

// UnknownInResponse lists the fields of an answer that the description does
// not name, like "$.account.mood". An answer that CheckResponse refuses gives
// its error.
func (s *Spec) UnknownInResponse(method, path string, status int, body []byte) ([]string, error) {
	if err := s.CheckResponse(method, path, status, body); s == nil || err != nil {
		return nil, err
	}
	pointer, err := s.responseSchema(method, path, status)
	if err != nil || pointer == "" {
		return nil, err
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	return s.unknownFields([]any{s.at(pointer)}, v, nil), nil
}

// responseSchema points to the schema of an answer's JSON; "" when the
// description says nothing of its form.
func (s *Spec) responseSchema(method, path string, status int) (string, error) {
	op, err := s.operation(method, path)
	if err != nil {
		return "", err
	}
	code := strconv.Itoa(status)
	for _, name := range []string{code, code[:1] + "XX", code[:1] + "xx", "default"} {
		at := op + "/responses" + key(name)
		if s.at(at) == nil {
			continue
		}
		at, response := s.follow(at)
		content, _ := response["content"].(map[string]any)
		return jsonSchema(at+"/content", content), nil
	}
	return "", fmt.Errorf("answer %d to %s %s: %w", status, method, path, ErrUnknownStatus)
}

// jsonSchema points to the schema of the JSON among the described contents.
func jsonSchema(at string, content map[string]any) string {
	for _, name := range sortedNames(content) {
		media, _ := content[name].(map[string]any)
		if bare, _, _ := mime.ParseMediaType(name); (bare == "application/json" || strings.HasSuffix(bare, "+json")) && media["schema"] != nil {
			return at + key(name) + "/schema"
		}
	}
	return ""
}

// CheckRequest says how a request differs from the description: wrong values,
// missing ones, and parameters and fields that it does not name. query is
// without its question mark; the body is JSON, a form or a multipart form, as
// contentType says. The error is ErrUnknownPath when the description has no
// such operation.
func (s *Spec) CheckRequest(method, path, query, contentType string, body []byte) error {
	if s == nil {
		return nil
	}
	op, err := s.operation(method, path)
	if err != nil {
		return err
	}
	if err := errors.Join(s.checkQuery(op, query), s.checkBody(op, contentType, body)); err != nil {
		return fmt.Errorf("request %s %s: %w", method, path, err)
	}
	return nil
}

// parameter is a described parameter of the query.
type parameter struct {
	name     string // without brackets
	required bool
	at       string // pointer to its schema
}

func (s *Spec) queryParameters(op string) []parameter {
	var all []parameter
	for _, holder := range []string{op[:strings.LastIndexByte(op, '/')], op} {
		list, _ := s.at(holder + "/parameters").([]any)
		for i, item := range list {
			m, _ := item.(map[string]any)
			at := fmt.Sprintf("%s/parameters/%d", holder, i)
			if ref, ok := m["$ref"].(string); ok && strings.HasPrefix(ref, "#/") {
				at, m = s.follow(ref[1:])
			}
			if m["in"] != "query" {
				continue
			}
			name, _ := m["name"].(string)
			name, _, _ = strings.Cut(name, "[")
			required, _ := m["required"].(bool)
			p := parameter{name, required, at + "/schema"}
			all = slices.DeleteFunc(all, func(o parameter) bool { return o.name == name })
			all = append(all, p)
		}
	}
	return all
}

func (s *Spec) checkQuery(op, query string) error {
	pairs, err := parsePairs(query)
	if err != nil {
		return fmt.Errorf("query: %w", err)
	}
	given, err := nest(pairs, !s.rails)
	if err != nil {
		return fmt.Errorf("query: %w", err)
	}
	var bad []error
	for _, p := range s.queryParameters(op) {
		v, has := given[p.name]
		delete(given, p.name)
		schema := s.schemaAt(p.at)
		switch {
		case !has && p.required:
			bad = append(bad, fmt.Errorf("the query parameter %q is missing", p.name))
		case has && schema != nil:
			if err := s.validate(p.at, s.coerce([]any{schema}, v, !s.rails)); err != nil {
				bad = append(bad, fmt.Errorf("query parameter %q: %w", p.name, err))
			}
		}
	}
	for _, name := range sortedNames(given) {
		bad = append(bad, fmt.Errorf("the query parameter %q is not described", name))
	}
	return errors.Join(bad...)
}

// schemaAt is the schema at a pointer whose last steps may be those of a
// parameter in a list.
func (s *Spec) schemaAt(pointer string) any {
	before, rest, found := strings.Cut(pointer, "/parameters/")
	if list, ok := s.at(before + "/parameters").([]any); found && ok {
		index, _, _ := strings.Cut(rest, "/")
		i, err := strconv.Atoi(index)
		if err != nil || i >= len(list) {
			return nil
		}
		m, _ := list[i].(map[string]any)
		return m["schema"]
	}
	return s.at(pointer)
}

func (s *Spec) checkBody(op, contentType string, body []byte) error {
	at, described := s.follow(op + "/requestBody")
	content, _ := described["content"].(map[string]any)
	if len(bytes.TrimSpace(body)) == 0 {
		if required, _ := described["required"].(bool); required {
			return errors.New("the body is missing")
		}
		return nil
	}
	form, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		return fmt.Errorf("content type %q: %w", contentType, err)
	}
	v, err := s.readBody(form, params["boundary"], body)
	if err != nil {
		return fmt.Errorf("body: %w", err)
	}
	if len(content) == 0 {
		if m, ok := v.(map[string]any); ok && len(m) == 0 {
			return nil
		}
		return errors.New("the description has no body here")
	}
	media, ok := content[form].(map[string]any)
	if !ok {
		return fmt.Errorf("a body of type %s is not described, only of %s", form, strings.Join(sortedNames(content), ", "))
	}
	schema := media["schema"]
	if schema == nil {
		return nil
	}
	if form != "application/json" {
		v = s.coerce([]any{schema}, v, !s.rails)
	}
	var bad []error
	if err := s.validate(at+"/content"+key(form)+"/schema", v); err != nil {
		bad = append(bad, fmt.Errorf("body: %w", err))
	}
	if more := s.unknownFields([]any{schema}, v, nil); len(more) > 0 {
		bad = append(bad, fmt.Errorf("body: not described: %s", strings.Join(more, ", ")))
	}
	return errors.Join(bad...)
}

func (s *Spec) readBody(kind, boundary string, body []byte) (any, error) {
	var pairs []pair
	var err error
	switch kind {
	case "application/json":
		return jsonschema.UnmarshalJSON(bytes.NewReader(body))
	case "application/x-www-form-urlencoded":
		pairs, err = parsePairs(string(body))
	case "multipart/form-data":
		pairs, err = parseMultipart(body, boundary)
	default:
		return nil, fmt.Errorf("type %s cannot be checked", kind)
	}
	if err != nil {
		return nil, err
	}
	return nest(pairs, !s.rails)
}

func sortedNames(m map[string]any) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
