package discordsim

import (
	"slices"
	"strings"
)

// renderComponents writes components as the server gives them back: with
// numbers for those that have none, and with what was left out. Source:
// components/reference#anatomy-of-a-component.
func (s *Server) renderComponents(list []any, m *message) []any {
	n := 0
	out := make([]any, len(list))
	for i, item := range list {
		out[i] = s.renderComponent(asObj(item), m, &n)
	}
	return out
}

func (s *Server) renderComponent(in obj, m *message, n *int) obj {
	*n++
	out := cloneObj(in)
	if id := intOf(in["id"]); id <= 0 {
		out["id"] = *n
	}
	fill := func(name string, v any) {
		if _, ok := out[name]; !ok {
			out[name] = v
		}
	}
	switch kind := intOf(in["type"]); {
	case isSelect(kind):
		fill("min_values", 1)
		fill("max_values", 1)
	case kind == componentContainer:
		fill("accent_color", nil)
		fill("spoiler", false)
	case kind == componentSeparator:
		fill("divider", true)
		fill("spacing", 1)
	case kind == componentThumbnail:
		fill("description", nil)
		fill("spoiler", false)
		out["media"] = s.renderMedia(in["media"], m)
	case kind == componentFile:
		file := s.renderMedia(in["file"], m)
		out["file"] = file
		fill("spoiler", false)
		out["name"], out["size"] = "", 0
		for _, f := range m.files {
			if f.id == file["attachment_id"] {
				out["name"], out["size"] = f.name, len(f.data)
			}
		}
	case kind == componentGallery:
		items := []any{}
		for _, o := range objects(in["items"]) {
			item := cloneObj(o)
			item["media"] = s.renderMedia(o["media"], m)
			if _, ok := item["description"]; !ok {
				item["description"] = nil
			}
			if _, ok := item["spoiler"]; !ok {
				item["spoiler"] = false
			}
			items = append(items, item)
		}
		out["items"] = items
	}
	if inner, ok := in["components"].([]any); ok {
		list := make([]any, len(inner))
		for i, item := range inner {
			list[i] = s.renderComponent(asObj(item), m, n)
		}
		out["components"] = list
	}
	if side, ok := in["accessory"].(obj); ok {
		out["accessory"] = s.renderComponent(side, m, n)
	}
	return out
}

// renderMedia writes an unfurled media item. Source:
// components/reference#unfurled-media-item.
func (s *Server) renderMedia(v any, m *message) obj {
	in := asObj(v)
	out := obj{"id": "0", "url": in["url"], "proxy_url": in["url"]}
	s.resolve(out, "url", "proxy_url", m)
	name, _ := strings.CutPrefix(textOf(in["url"]), "attachment://")
	i := slices.IndexFunc(m.files, func(f *attachment) bool { return f.name == name })
	if i < 0 {
		return out
	}
	f := m.files[i]
	out["id"], out["attachment_id"] = f.id, f.id
	if f.ctype != "" {
		out["content_type"] = f.ctype
	}
	if f.width > 0 {
		out["width"], out["height"] = f.width, f.height
	}
	return out
}
