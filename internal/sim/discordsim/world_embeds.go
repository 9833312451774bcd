package discordsim

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"image"
	"net/http"
	"net/url"
	"strings"
)

// proxied is a file of another site, as the media proxy hands it out.
type proxied struct {
	address, ctype string
	data           []byte
}

// Proxy keeps a file of another site at the media proxy, and returns the
// address there: what embeds tell as proxy_url. Nothing is fetched, scaled or
// converted. Source: resources/message, "Embed Image Structure" (proxy_url).
func (s *Server) Proxy(address, ctype string, data []byte) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	sum := sha256.Sum256([]byte(address))
	p := "/external/" + base64.RawURLEncoding.EncodeToString(sum[:]) + "/"
	bare, query, found := strings.Cut(address, "?")
	if found { // it has a place of its own in the path
		p += url.QueryEscape("?"+query) + "/"
	}
	p += strings.Replace(bare, "://", "/", 1)
	s.proxied[p] = proxied{address: address, ctype: ctype, data: data}
	return s.origin() + p
}

// serveProxied serves what Proxy keeps. ServeFile with the address at the other
// site makes it go wrong.
func (s *Server) serveProxied(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	p, ok := s.proxied[r.URL.EscapedPath()]
	how := s.servings[p.address]
	s.mu.Unlock()
	if !ok {
		http.NotFound(w, r)
		return
	}
	s.hand(w, r, p.ctype, p.data, how)
}

// ImageEmbed is what the server makes of a link straight to a picture, for
// EmbedLinks or Draft.Embeds: of type "image", with the picture as thumbnail.
// Source: resources/message, "Embed Types".
func (s *Server) ImageEmbed(address, ctype string, data []byte) map[string]any {
	return obj{"type": "image", "url": address, "thumbnail": s.embedMedia(address, ctype, data)}
}

// VideoEmbed is what the server makes of a link straight to a film.
func (s *Server) VideoEmbed(address, ctype string, data []byte, width, height int) map[string]any {
	media := s.embedMedia(address, ctype, data)
	media["width"], media["height"] = width, height
	return obj{"type": "video", "url": address, "video": media}
}

// PageEmbed is what the server makes of a link to a page that names a picture
// (og:image) at an address of its own.
func (s *Server) PageEmbed(page, title, provider, picture, ctype string, data []byte) map[string]any {
	return obj{
		"type": "article", "url": page, "title": title, "provider": obj{"name": provider}, "thumbnail": s.embedMedia(picture, ctype, data),
	}
}

func (s *Server) embedMedia(address, ctype string, data []byte) obj {
	o := obj{"url": address, "proxy_url": s.Proxy(address, ctype, data), "content_type": ctype}
	if cfg, _, err := image.DecodeConfig(bytes.NewReader(data)); err == nil {
		o["width"], o["height"] = cfg.Width, cfg.Height
	}
	return o
}
