package apicheck

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/url"
	"strings"
)

// pair is a field of a form or query.
type pair struct{ name, value string }

// parsePairs reads name=value&name=value, in order.
func parsePairs(text string) ([]pair, error) {
	var all []pair
	for part := range strings.SplitSeq(text, "&") {
		if part == "" {
			continue
		}
		name, value, _ := strings.Cut(part, "=")
		n, err := url.QueryUnescape(name)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", name, err)
		}
		v, err := url.QueryUnescape(value)
		if err != nil {
			return nil, fmt.Errorf("value of %q: %w", n, err)
		}
		all = append(all, pair{n, v})
	}
	return all, nil
}

// parseMultipart reads a multipart form; a file becomes its content.
func parseMultipart(body []byte, boundary string) ([]pair, error) {
	if boundary == "" {
		return nil, errors.New("the content type has no boundary")
	}
	var all []pair
	r := multipart.NewReader(bytes.NewReader(body), boundary)
	for {
		p, err := r.NextPart()
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		data, err := io.ReadAll(p)
		if err != nil {
			return nil, err
		}
		if p.FormName() == "" {
			return nil, errors.New("a part has no name")
		}
		all = append(all, pair{p.FormName(), string(data)})
	}
}

// nest makes a tree of the fields: a[b]=c is an object, a[]=b a list. plain
// says that repeating a name without brackets makes a list, too; otherwise
// the last one counts, as in Rack.
func nest(pairs []pair, plain bool) (map[string]any, error) {
	root := map[string]any{}
	for _, p := range pairs {
		steps, err := steps(p.name)
		if err != nil {
			return nil, err
		}
		if old, twice := root[steps[0]]; plain && twice && len(steps) == 1 {
			if list, ok := old.([]any); ok {
				root[steps[0]] = append(list, p.value)
			} else {
				root[steps[0]] = []any{old, p.value}
			}
			continue
		}
		if err := put(root, steps, p.value); err != nil {
			return nil, fmt.Errorf("%q: %w", p.name, err)
		}
	}
	return root, nil
}

// steps cuts a[b][] into a, b and an empty one.
func steps(name string) ([]string, error) {
	first, rest, _ := strings.Cut(name, "[")
	all := []string{first}
	if first == "" {
		return nil, fmt.Errorf("%q is no name of a field", name)
	}
	if len(first) == len(name) {
		return all, nil
	}
	for {
		step, after, ok := strings.Cut(rest, "]")
		if !ok || strings.Contains(step, "[") {
			return nil, fmt.Errorf("the brackets of %q do not match", name)
		}
		all = append(all, step)
		if after == "" {
			return all, nil
		}
		if after[0] != '[' {
			return nil, fmt.Errorf("the brackets of %q do not match", name)
		}
		rest = after[1:]
	}
}

func put(m map[string]any, steps []string, value string) error {
	name := steps[0]
	switch {
	case len(steps) == 1:
		m[name] = value
	case steps[1] == "" && len(steps) == 2:
		list, err := listAt(m, name)
		if err != nil {
			return err
		}
		m[name] = append(list, value)
	case steps[1] == "":
		list, err := listAt(m, name)
		if err != nil {
			return err
		}
		// A further element begins where a field comes again.
		if len(list) > 0 {
			if last, ok := list[len(list)-1].(map[string]any); ok && (last[steps[2]] == nil || (len(steps) > 3 && steps[3] == "")) {
				return put(last, steps[2:], value)
			}
		}
		fresh := map[string]any{}
		m[name] = append(list, fresh)
		return put(fresh, steps[2:], value)
	default:
		if m[name] == nil {
			m[name] = map[string]any{}
		}
		inner, ok := m[name].(map[string]any)
		if !ok {
			return errors.New("it is also a field without brackets")
		}
		return put(inner, steps[1:], value)
	}
	return nil
}

func listAt(m map[string]any, name string) ([]any, error) {
	if m[name] == nil {
		return nil, nil
	}
	list, ok := m[name].([]any)
	if !ok {
		return nil, errors.New("it is also a field without []")
	}
	return list, nil
}
