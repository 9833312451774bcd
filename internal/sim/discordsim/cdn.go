package discordsim

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"image"
	_ "image/gif"  // its sizes are told with attachments
	_ "image/jpeg" // its sizes are told with attachments
	_ "image/png"  // its sizes are told with attachments
	"mime"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"
)

// attachment is a file of a message.
type attachment struct {
	id, channel, name, description, ctype string
	spoiler                               bool
	data                                  []byte
	width, height                         int
	duration                              time.Duration // of sound and film; zero: not told
}

func (f *attachment) path() string {
	return "/attachments/" + f.channel + "/" + f.id + "/" + url.PathEscape(f.name)
}

// keepFile makes an attachment of an upload. Its type is that of the upload,
// or else that of its name.
func (s *Server) keepFile(c *channel, u upload) *attachment {
	f := &attachment{
		id: s.nextID(), channel: c.id, name: safeName(u.name), description: u.description, ctype: u.ctype, spoiler: u.spoiler, data: u.data,
		duration: u.duration, width: u.width, height: u.height,
	}
	if f.ctype == "" || f.ctype == "application/octet-stream" {
		f.ctype = mime.TypeByExtension(path.Ext(f.name))
	}
	if cfg, _, err := image.DecodeConfig(bytes.NewReader(f.data)); err == nil {
		f.width, f.height = cfg.Width, cfg.Height
	}
	s.files[f.id] = f
	return f
}

// safeName is a file's name as it comes back: letters, digits, "_", "-" and "."
// stay. Source: reference#editing-message-attachments (file names).
func safeName(name string) string {
	name = path.Base(strings.ReplaceAll(name, "\\", "/"))
	out := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '_', r == '-', r == '.':
			return r
		case r == ' ':
			return '_'
		}
		return -1
	}, name)
	if strings.Trim(out, ".") == "" {
		return "unknown"
	}
	return out
}

// renderFile writes an attachment: a spoiler has the flag IS_SPOILER, or a name
// that begins with SPOILER_, or both. Source: resources/message, "Attachment
// Object" and "Attachment Flags".
func (s *Server) renderFile(f *attachment, ephemeral bool) obj {
	o := obj{"id": f.id, "filename": f.name, "size": len(f.data), "url": s.signed(f.path()), "proxy_url": s.signed(f.path())}
	if f.ctype != "" {
		o["content_type"] = f.ctype
	}
	if f.description != "" {
		o["description"] = f.description
	}
	if f.width > 0 {
		o["width"], o["height"] = f.width, f.height
	}
	if f.duration > 0 {
		o["duration_secs"] = f.duration.Seconds()
	}
	if ephemeral {
		o["ephemeral"] = true
	}
	if f.spoiler {
		o["flags"] = 1 << 3
	}
	return o
}

// signed is an address that is good until ex. Source:
// reference#signed-attachment-cdn-urls.
func (s *Server) signed(p string) string {
	now := s.now()
	ex, is := strconv.FormatInt(now.Add(s.opt.FileLife).Unix(), 16), strconv.FormatInt(now.Unix(), 16)
	return s.origin() + p + "?ex=" + ex + "&is=" + is + "&hm=" + s.signature(p, ex, is) + "&"
}

func (s *Server) signature(p, ex, is string) string {
	h := hmac.New(sha256.New, []byte(s.appID))
	h.Write([]byte(p + "\n" + ex + "\n" + is))
	return hex.EncodeToString(h.Sum(nil))
}

// refresh signs the address of one of this server's files anew; false when it
// is none.
func (s *Server) refresh(address string) (string, bool) {
	rest, ok := strings.CutPrefix(address, s.origin()+"/")
	if !ok {
		return "", false
	}
	p, _, _ := strings.Cut("/"+rest, "?")
	parts := strings.Split(p, "/")
	if len(parts) != 5 || parts[1] != "attachments" && parts[1] != "ephemeral-attachments" || s.files[parts[3]] == nil {
		return "", false
	}
	return s.signed(p), true
}

func (s *Server) routesFiles(t *router) {
	t.rest("POST /attachments/refresh-urls", s.postRefresh)
	t.raw("/attachments/{channel_id}/{id}/{name}", http.HandlerFunc(s.serveFile))
	t.raw("/avatars/{user_id}/{name}", http.HandlerFunc(s.serveAvatar))
	t.raw("/embed/avatars/{name}", http.HandlerFunc(s.serveAvatar))
	t.raw("/emojis/{name}", http.HandlerFunc(s.serveEmoji))
	t.raw("/external/{rest...}", http.HandlerFunc(s.serveProxied))
}

// postRefresh signs addresses anew. It is in neither the documentation nor the
// description of the API; clients of Discord use it as it is here.
func (s *Server) postRefresh(q *request) *answer {
	body, bad := q.object()
	if bad != nil {
		return bad
	}
	list, ok := body["attachment_urls"].([]any)
	errs := newFormErrors()
	switch {
	case !ok || len(list) == 0:
		errs.required("attachment_urls")
	case len(list) > 50:
		errs.add("attachment_urls", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 50 in length.")
	}
	if bad := errs.answer(); bad != nil {
		return bad
	}
	out := []any{}
	for _, v := range list {
		address := textOf(v)
		fresh, ok := s.refresh(address)
		if !ok {
			fresh = address
		}
		out = append(out, obj{"original": address, "refreshed": fresh})
	}
	return jsonAnswer(http.StatusOK, obj{"refreshed_urls": out})
}

// decodeJSON reads one JSON value with numbers as they were written.
func decodeJSON(data []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if d.More() {
		return nil, errTrailing
	}
	return v, nil
}
