package fedisim

import (
	"hash/fnv"
	"io"
	"strconv"
)

// writeAttachment appends an attachment
// (https://docs.joinmastodon.org/entities/MediaAttachment/).
func (s *Server) writeAttachment(w *jsonWriter, m *media) {
	s.writeAttachmentAs(w, m, m.id, m.description, s.processed(m))
}

// writeMedia appends the attachments of a post. snac numbers them anew there
// (mastoapi.c), and Akkoma names them by a hash of their address (attachment.json
// of StatusView): a post does not tell by which upload it came about.
func (s *Server) writeMedia(w *jsonWriter, st *status) {
	w.key("media_attachments")
	w.open('[')
	for i, m := range st.media {
		id := m.id
		switch s.profile {
		case Snac:
			id = st.uri + "_" + strconv.Itoa(i)
		case Akkoma:
			h := fnv.New32a()
			_, _ = io.WriteString(h, s.base+s.mediaPath(m))
			id = strconv.FormatUint(uint64(h.Sum32()), 10)
		}
		s.writeAttachmentAs(w, m, id, st.alt(m), s.processed(m))
	}
	w.close(']')
}

func (s *Server) writeAttachmentAs(w *jsonWriter, m *media, id, alt string, ready bool) {
	path := s.mediaPath(m)
	address, preview := s.base+path, s.base+path
	if m.file != nil && s.profile == Mastodon {
		preview = s.base + "/media/small/" + m.id + ".png"
	}
	kind := s.kindOf(m)
	if !ready {
		kind = m.kind
	}
	w.open('{')
	w.str("id", id)
	w.str("type", kind)
	if ready && !m.failed {
		w.str("url", address)
	} else {
		w.null("url")
	}
	w.str("preview_url", preview)
	switch s.profile {
	case Mastodon:
		w.null("remote_url")
		w.null("preview_remote_url")
		w.null("text_url")
	case Akkoma, Sharkey: // attachment.json of StatusView there; encodeFile of MastodonConverters.ts
		w.str("remote_url", address)
		w.str("text_url", address)
	case GoToSocial: // internal/api/model/attachment.go there
		w.null("remote_url")
		w.null("preview_remote_url")
		w.str("text_url", address)
	case Snac: // mastoapi.c there
		w.str("remote_url", address)
	}
	s.writeMeta(w, m)
	if s.profile == Snac {
		w.str("description", alt)
	} else {
		w.strOrNull("description", alt)
	}
	w.null("blurhash")
	if s.profile == Akkoma {
		mime := m.info.mime
		if mime == "" {
			mime = "application/octet-stream"
		}
		w.raw("pleroma", `{"mime_type":`+quoted(mime)+`}`)
	}
	w.close('}')
}

// writeMeta tells sizes. They are those of the file as it was sent: nothing is
// scaled here.
func (s *Server) writeMeta(w *jsonWriter, m *media) {
	f := &m.info
	w.key("meta")
	w.open('{')
	if m.file == nil || f.pixels() == 0 || s.profile == Snac {
		w.close('}')
		return
	}
	if s.profile == Sharkey {
		w.int("width", f.width)
		w.int("height", f.height)
	}
	w.key("original")
	w.open('{')
	w.int("width", f.width)
	w.int("height", f.height)
	if s.profile == Mastodon && (f.video() || m.kind == "gifv") {
		rate := max(int(min(f.rate, 1e6)+0.5), 1)
		w.str("frame_rate", strconv.Itoa(rate)+"/1")
		w.real("duration", f.duration)
		if f.duration > 0 {
			w.int("bitrate", int(float64(m.file.size)*8/f.duration))
		}
	} else {
		if s.profile != Akkoma {
			w.str("size", strconv.Itoa(f.width)+"x"+strconv.Itoa(f.height))
		}
		w.real("aspect", float64(f.width)/float64(f.height))
	}
	w.close('}')
	if s.profile == Mastodon || s.profile == GoToSocial {
		w.key("small")
		w.open('{')
		w.int("width", f.width)
		w.int("height", f.height)
		w.str("size", strconv.Itoa(f.width)+"x"+strconv.Itoa(f.height))
		w.real("aspect", float64(f.width)/float64(f.height))
		w.close('}')
		if p := m.focus; p != nil || s.profile == GoToSocial {
			if p == nil {
				p = &Focus{}
			}
			w.key("focus")
			w.open('{')
			w.real("x", p.X)
			w.real("y", p.Y)
			w.close('}')
		}
	}
	w.close('}')
}
