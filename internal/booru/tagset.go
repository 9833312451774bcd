package booru

import (
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strings"
)

// rows finds the list of pictures in an answer: the first of the named fields,
// or the whole answer where no field is named. The pictures stay unread, so
// that a single broken one does not take the others with it.
func rows(body []byte, fields ...string) ([]json.RawMessage, error) {
	list := json.RawMessage(body)
	if len(fields) > 0 {
		var answer map[string]json.RawMessage
		if err := json.Unmarshal(body, &answer); err != nil {
			return nil, err
		}
		list = nil
		for _, f := range fields {
			if list == nil {
				list = answer[f]
			}
		}
	}
	var out []json.RawMessage
	if err := json.Unmarshal(list, &out); err != nil {
		return nil, err
	}
	if out == nil {
		return nil, errors.New("no list of pictures")
	}
	return out, nil
}

// pick reads up to n pictures that the query wants, each one once.
func pick(rows []json.RawMessage, q Query, n int, read func(json.RawMessage) (Image, bool)) []Image {
	var out []Image
	seen := map[string]bool{}
	for _, raw := range rows {
		if len(out) == n {
			break
		}
		if img, ok := read(raw); ok && !seen[img.ID] && wanted(q, img) {
			seen[img.ID] = true
			out = append(out, img)
		}
	}
	return out
}

// wanted is false for a picture that the query excludes. Whether it has the
// wanted tags is left to the board, which knows their other names.
func wanted(q Query, img Image) bool {
	if !q.NSFW && !img.Rating.Safe() {
		return false
	}
	var tags map[string]bool
	for _, t := range q.Terms {
		if !t.Not {
			continue
		}
		if tags == nil {
			tags = make(map[string]bool, len(img.Tags))
			for _, tag := range img.Tags {
				tags[fold(tag)] = true
			}
		}
		if tags[fold(t.Tag)] {
			return false
		}
	}
	return true
}

// implied is true for a wanted tag that every answer has anyway.
func implied(t Term) bool {
	if t.Not {
		return false
	}
	switch fold(t.Tag) {
	case "gif", "animated", "animated gif":
		return true
	}
	return false
}

// webURL is the absolute form of an address that a board told, or "" if it is
// not one to fetch from.
func webURL(base *url.URL, said string) string {
	said = strings.TrimSpace(said)
	if said == "" || len(said) > 4<<10 {
		return ""
	}
	u, err := url.Parse(said)
	if err != nil {
		return ""
	}
	if base != nil {
		u = base.ResolveReference(u)
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil {
		return ""
	}
	return u.String()
}

// origins keeps of what a board tells as sources the addresses of the web.
func origins(said []string) []string {
	var out []string
	for _, s := range said {
		if s = webURL(nil, s); s != "" && !slices.Contains(out, s) && len(out) < 10 {
			out = append(out, s)
		}
	}
	return out
}
