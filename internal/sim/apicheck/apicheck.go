// Package apicheck holds requests and answers against a published OpenAPI 3
// description (https://spec.openapis.org/oas/v3.1.0): what a simulator says is
// then what the real service says of itself, and a client cannot come to rely
// on what only a simulator understands.
//
// Only tests use it. It reads descriptions and bodies; making requests, and
// deciding what a difference means, it leaves to the test.
package apicheck

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

var (
	// ErrUnknownPath says that the description has no such method and path.
	ErrUnknownPath = errors.New("the description does not have this method and path")
	// ErrUnknownStatus says that the operation is described, but not with this status.
	ErrUnknownStatus = errors.New("the description does not have this status")
)

const resource = "openapi:///description.json"

// Spec is a description that is ready to check. The schema of an operation is
// compiled when it is first needed. It is safe for concurrent use. The checks
// of a nil Spec find everything right, so that a test without the description
// checks less, not nothing else.
type Spec struct {
	doc    map[string]any
	base   string // path of the server's address, which is before every path
	rails  bool   // forms and queries write lists and objects as name[] and name[key]
	routes map[string][]route

	mu       sync.Mutex
	compiler *jsonschema.Compiler
	compiled map[string]*jsonschema.Schema
}

// Load reads a description in JSON. Each overlay may change the decoded
// document before it is used; numbers in it are json.Number.
func Load(data []byte, overlays ...func(doc map[string]any)) (*Spec, error) {
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("read the description: %w", err)
	}
	doc, ok := v.(map[string]any)
	if version, _ := doc["openapi"].(string); !ok || !strings.HasPrefix(version, "3.") {
		return nil, errors.New("read the description: this is not OpenAPI 3")
	}
	for _, change := range overlays {
		change(doc)
	}
	modernize(doc)
	s := &Spec{doc: doc, base: basePath(doc), compiler: jsonschema.NewCompiler(), compiled: map[string]*jsonschema.Schema{}}
	s.compiler.DefaultDraft(jsonschema.Draft2020)
	s.compiler.AssertFormat()
	if err := s.compiler.AddResource(resource, doc); err != nil {
		return nil, fmt.Errorf("read the description: %w", err)
	}
	s.routes = readRoutes(doc)
	return s, nil
}

// validate checks a value against the schema at a place of the document.
func (s *Spec) validate(pointer string, v any) error {
	s.mu.Lock()
	schema, ok := s.compiled[pointer]
	if !ok {
		var err error
		if schema, err = s.compiler.Compile(resource + "#" + escapePointer(pointer)); err != nil {
			s.mu.Unlock()
			return fmt.Errorf("the description cannot be used here: %w", err)
		}
		s.compiled[pointer] = schema
	}
	s.mu.Unlock()
	return explain(schema.Validate(v))
}

// at is what a JSON pointer leads to; nil when it leads nowhere.
func (s *Spec) at(pointer string) any {
	var v any = s.doc
	for _, part := range strings.Split(strings.TrimPrefix(pointer, "/"), "/") {
		m, ok := v.(map[string]any)
		if !ok {
			return nil // no list is on the way to what is looked for here
		}
		v = m[strings.NewReplacer("~1", "/", "~0", "~").Replace(part)]
	}
	return v
}

// follow goes after a $ref, and the next, and returns where it ends.
func (s *Spec) follow(pointer string) (string, map[string]any) {
	for range 20 {
		m, _ := s.at(pointer).(map[string]any)
		ref, ok := m["$ref"].(string)
		if !ok || !strings.HasPrefix(ref, "#/") {
			return pointer, m
		}
		pointer = ref[1:]
	}
	return pointer, nil
}

// key makes one step of a JSON pointer.
func key(name string) string {
	return "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
}

// escapePointer makes a pointer a URL's fragment.
func escapePointer(p string) string {
	return strings.NewReplacer("%", "%25", "{", "%7B", "}", "%7D", " ", "%20", `"`, "%22", "<", "%3C", ">", "%3E").Replace(p)
}
