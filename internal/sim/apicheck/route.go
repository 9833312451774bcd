package apicheck

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// route is a path template, cut at its slashes.
type route struct {
	template string
	parts    []string
	fixed    int // parts that are no parameters
}

// methods are the words for operations in a path item.
func methods() []string {
	return []string{"get", "put", "post", "delete", "options", "head", "patch", "trace"}
}

// readRoutes sorts the templates by method, the most exact first: OpenAPI
// says that a concrete path goes before a templated one.
func readRoutes(doc map[string]any) map[string][]route {
	routes := map[string][]route{}
	paths, _ := doc["paths"].(map[string]any)
	for template, item := range paths {
		ops, _ := item.(map[string]any)
		r := route{template: template, parts: strings.Split(template, "/")}
		for _, p := range r.parts {
			if !isParameter(p) {
				r.fixed++
			}
		}
		for _, m := range methods() {
			if ops[m] != nil {
				routes[m] = append(routes[m], r)
			}
		}
	}
	for _, all := range routes {
		slices.SortFunc(all, func(a, b route) int {
			if a.fixed != b.fixed {
				return b.fixed - a.fixed
			}
			return strings.Compare(a.template, b.template)
		})
	}
	return routes
}

func isParameter(part string) bool { return strings.Contains(part, "{") }

func (r route) matches(path []string) bool {
	if len(path) != len(r.parts) {
		return false
	}
	for i, p := range r.parts {
		if isParameter(p) {
			before, rest, _ := strings.Cut(p, "{")
			_, after, _ := strings.Cut(rest, "}")
			if len(path[i]) <= len(before)+len(after) || !strings.HasPrefix(path[i], before) || !strings.HasSuffix(path[i], after) {
				return false
			}
		} else if p != path[i] {
			return false
		}
	}
	return true
}

// operation is the pointer to the operation of a method and path.
func (s *Spec) operation(method, path string) (string, error) {
	rest, ok := strings.CutPrefix(path, s.base)
	if ok && strings.HasPrefix(rest, "/") {
		parts := strings.Split(rest, "/")
		m := strings.ToLower(method)
		for _, r := range s.routes[m] {
			if r.matches(parts) {
				return "/paths" + key(r.template) + "/" + m, nil
			}
		}
	}
	return "", fmt.Errorf("%s %s: %w", method, path, ErrUnknownPath)
}

// basePath is the path in the first server's address.
func basePath(doc map[string]any) string {
	servers, _ := doc["servers"].([]any)
	if len(servers) == 0 {
		return ""
	}
	first, _ := servers[0].(map[string]any)
	address, _ := first["url"].(string)
	if _, rest, ok := strings.Cut(address, "://"); ok { // the host may be a {variable}
		_, path, found := strings.Cut(rest, "/")
		if !found {
			return ""
		}
		return strings.TrimRight("/"+path, "/")
	}
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return strings.TrimRight(u.Path, "/")
}
