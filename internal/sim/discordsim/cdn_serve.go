package discordsim

import (
	"crypto/hmac"
	"crypto/sha256"
	"image"
	"image/color"
	"image/png"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"
)

// Serving is how one file is handed out by the files' host from now on, while
// what the API tells of it stays as it was. The zero value is: as it should be.
type Serving struct {
	Status int           // answered in place of the file: 404 when it has vanished, 503 …
	Delay  time.Duration // waited before anything is sent
	Type   string        // Content-Type in place of the right one
	Data   []byte        // served in place of the file
	Empty  bool          // nothing is served, with status 200
	Torn   bool          // the connection is cut in the middle of the file
}

// ServeFile makes the files' host serve an attachment, an emoji, or the address
// of a proxied file in a way of its own.
func (s *Server) ServeFile(idOrURL string, how Serving) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.servings[idOrURL] = how
}

// serveFile serves an attachment while its address is good, and 404 after.
func (s *Server) serveFile(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	parts := strings.Split(r.URL.EscapedPath(), "/")
	f := s.files[parts[3]]
	how := s.servings[parts[3]]
	v := r.URL.Query()
	ex, err := strconv.ParseInt(v.Get("ex"), 16, 64)
	good := err == nil && f != nil && f.channel == parts[2] && f.path() == r.URL.EscapedPath() &&
		hmac.Equal([]byte(v.Get("hm")), []byte(s.signature(f.path(), v.Get("ex"), v.Get("is")))) &&
		s.now().Before(time.Unix(ex, 0))
	s.mu.Unlock()
	if !good {
		http.Error(w, "This content is no longer available.", http.StatusNotFound)
		return
	}
	s.hand(w, r, f.ctype, f.data, how)
}

// hand sends a file as it is, or as it was asked to go wrong.
func (s *Server) hand(w http.ResponseWriter, r *http.Request, ctype string, data []byte, how Serving) {
	if !s.pause(r.Context(), how.Delay) {
		panic(http.ErrAbortHandler)
	}
	if how.Status != 0 {
		http.Error(w, http.StatusText(how.Status), how.Status)
		return
	}
	if how.Empty {
		data = nil
	} else if how.Data != nil {
		data = how.Data
	}
	if how.Type != "" {
		ctype = how.Type
	}
	if ctype != "" {
		w.Header().Set("Content-Type", ctype)
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(data)))
	if r.Method == http.MethodHead {
		return
	}
	if how.Torn {
		w.Write(data[:len(data)/2])
		panic(http.ErrAbortHandler)
	}
	w.Write(data) // a client that has gone is its own affair
}

// serveAvatar serves a small picture of one colour for an avatar. Source:
// reference#cdn-endpoints.
func (s *Server) serveAvatar(w http.ResponseWriter, r *http.Request) {
	parts := strings.Split(r.URL.Path, "/")
	name := strings.TrimSuffix(parts[len(parts)-1], path.Ext(parts[len(parts)-1]))
	if parts[1] == "avatars" {
		s.mu.Lock()
		u := s.users[parts[2]]
		known := u != nil && u.avatar != "" && u.avatar == name
		s.mu.Unlock()
		if !known {
			http.NotFound(w, r)
			return
		}
	}
	sum := sha256.Sum256([]byte(name))
	size, err := strconv.Atoi(r.URL.Query().Get("size"))
	if err != nil || size < 16 || size > 4096 {
		size = 128
	}
	img := image.NewPaletted(image.Rect(0, 0, size, size), color.Palette{color.RGBA{sum[0], sum[1], sum[2], 255}})
	w.Header().Set("Content-Type", "image/png")
	png.Encode(w, img) //nolint:errcheck // a client that has gone is its own affair
}
