package fedisim

import (
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"path"
	"strings"
	"time"
)

// media is an attachment: made with AddMedia or uploaded, attached by posting.
// Everything is guarded by the server's mutex.
type media struct {
	id, kind, description string
	owner                 *Account
	attached              *status

	file  *upload // nil when AddMedia made it
	info  fileInfo
	focus *Focus
	at    time.Time

	becomes string    // kind once it is processed; empty when it is
	gets    int       // GETs that still find it in processing
	ready   time.Time // when processing ends at the earliest
	failed  bool      // processing ends in failure
	gone    bool      // deleted
}

// Focus is the point of a picture that thumbnails should show: from -1, left or
// bottom, to 1, right or top.
type Focus struct{ X, Y float64 }

// Limits are what a server allows its members to upload. Zero is no limit.
//
// Mastodon holds files to all of them. Akkoma, GoToSocial and Sharkey hold them
// to UploadBytes alone, snac to nothing; what else they have here is what their
// instance documents tell.
type Limits struct {
	UploadBytes int64 // of any file

	ImageBytes  int64
	ImagePixels int64
	GIFPixels   int64 // of a GIF, animated or not; Mastodon does not tell it
	VideoBytes  int64 // of a video, as it is uploaded
	VideoPixels int64
	VideoRate   int // frames a second

	Description int // characters; snac has no limit
	Attachments int // of a post

	Types []string // MIME types; empty: any

	// AnyVideo makes Mastodon take videos that are not H.264 in yuv420p, of
	// even size, with the index in front. A real one takes them too, and makes
	// them so; here they are refused, because what a client converts itself
	// should not need it.
	AnyVideo bool
}

// limitsOf are the limits a server has when nobody changed its configuration.
//
// Mastodon's are in app/models/media_attachment.rb and
// app/models/concerns/attachmentable.rb there; the documents tell all but
// GIFPixels (https://docs.joinmastodon.org/entities/Instance/).
// Akkoma: upload_limit and description_limit
// (https://docs.akkoma.dev/stable/configuration/cheatsheet/).
// GoToSocial: media-local-max-size and media-description-max-chars
// (https://docs.gotosocial.org/en/latest/configuration/media/); pixels are told
// as the largest number. Sharkey tells fixed numbers (endpoints/meta.ts there)
// and holds uploads to maxFileSize.
func limitsOf(p Profile) Limits {
	l := Limits{Attachments: traitsOf(p).maxMedia, Description: 1500}
	switch p {
	case Mastodon:
		l.ImageBytes, l.ImagePixels, l.GIFPixels = 16<<20, 33_177_600, 921_600
		l.VideoBytes, l.VideoPixels, l.VideoRate = 99<<20, 8_294_400, 120
		l.Types = []string{"image/jpeg", "image/png", "image/gif", "image/heic", "image/webp", "image/avif", "video/webm", "video/mp4", "video/quicktime"}
	case Akkoma:
		l.UploadBytes, l.Description = 16_000_000, 5000
	case GoToSocial:
		l.UploadBytes = 40 << 20
		l.ImageBytes, l.VideoBytes = l.UploadBytes, l.UploadBytes
		l.ImagePixels, l.VideoPixels, l.VideoRate = 1<<31-1, 1<<31-1, 1<<31-1
		l.Types = []string{"image/jpeg", "image/gif", "image/webp", "image/png", "image/avif", "video/mp4", "video/quicktime", "video/webm"}
	case Sharkey:
		l.UploadBytes = 262_144_000
		l.ImageBytes, l.ImagePixels = 10_485_760, 16_777_216
		l.VideoBytes, l.VideoPixels, l.VideoRate = 41_943_040, 2_304_000, 60
		l.Types = []string{"image/png", "image/gif", "image/jpeg", "image/webp", "image/avif", "video/mp4", "video/webm", "video/quicktime"}
	case Snac:
		l.ImageBytes, l.ImagePixels = 16<<20, 33_177_600
		l.VideoBytes, l.VideoPixels, l.VideoRate = 99<<20, 8_294_400, 120
		l.Types = []string{"image/jpeg", "image/png", "image/gif", "image/webp", "video/mp4"}
	}
	return l
}

// Limit changes the limits of uploads and the instance documents that tell them:
//
//	s.Limit(func(l *fedisim.Limits) { l.ImageBytes = 2 << 20 })
func (s *Server) Limit(change func(*Limits)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.limits)
	s.change()
}

// Processing says how many GETs find what is uploaded from now on still in
// processing, on Mastodon, which processes animated GIFs and videos after it
// has answered; 1 if not said, 0: none. Until then it cannot be posted.
func (s *Server) Processing(gets int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gets = gets
}

// ProcessingTime says how long, by Options.Clock, such processing takes at
// least; the GETs of Processing must have come too.
func (s *Server) ProcessingTime(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.takes = d
}

// Media is an attachment as tests see it.
type Media struct {
	ID          string
	AccountID   string
	Acct        string // its owner
	Kind        string // "image", "gifv", "video", "audio", as the server calls it now
	Description string
	Focus       *Focus // nil if it was not sent
	URL         string // where it is served, on Domain
	PostID      string // of the post it is attached to
	Ready       bool   // it can be posted
	Failed      bool   // processing failed, or will
	Deleted     bool

	// Of what was uploaded; zero for AddMedia.
	Uploaded      time.Time
	Name, Said    string // the file's name and type, as the client said
	Type          string // MIME type by content; empty for what is not known
	Size          int64
	SHA256        string // hexadecimal
	Width, Height int
	Animated      bool
	Bytes         []byte // nil when the file was too large to keep, or too many came after it; do not change it
}

func (s *Server) viewMedia(m *media) Media {
	v := Media{ID: m.id, AccountID: m.owner.ID, Acct: m.owner.Acct, Kind: s.kindOf(m), Description: m.description,
		URL: s.base + s.mediaPath(m), Ready: s.processed(m) && !m.failed, Failed: m.failed, Deleted: m.gone}
	if m.attached != nil {
		v.PostID = m.attached.id
	}
	if m.focus != nil {
		f := *m.focus
		v.Focus = &f
	}
	if f := m.file; f != nil {
		v.Uploaded, v.Name, v.Said, v.Type, v.Size, v.SHA256 = m.at, f.name, f.ctype, m.info.mime, f.size, f.sum
		v.Width, v.Height, v.Animated = m.info.width, m.info.height, m.info.animated
		if m.whole() {
			v.Bytes = f.data
		}
	}
	return v
}

// Media returns the attachment with an id, unless it is not there or was deleted.
func (s *Server) Media(id string) (Media, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if m := s.media[id]; m != nil {
		return s.viewMedia(m), true
	}
	return Media{}, false
}

// Uploads lists everything that clients uploaded and the server took, in the
// order it came, what was deleted since included.
func (s *Server) Uploads() []Media {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Media, len(s.uploaded))
	for i, m := range s.uploaded {
		out[i] = s.viewMedia(m)
	}
	return out
}

// AddMedia makes an attachment ("image", "gifv", "video", "audio") that the
// account can post, and returns its id. There is no file behind it.
func (a *Account) AddMedia(kind, description string) string {
	s := a.s
	s.mu.Lock()
	defer s.mu.Unlock()
	m := &media{kind: kind, description: description, owner: a}
	m.id = s.ids.status(s.now(), s.ids.uuid())
	if s.profile == Snac { // file names
		m.id = md5hex(m.id) + ".png"
	}
	s.media[m.id] = m
	return m.id
}

func (s *Server) mustMedia(id string) *media {
	m := s.media[id]
	if m == nil {
		panic(fmt.Sprintf("fedisim: there is no attachment %q", id))
	}
	return m
}

// kindOf is what the server calls an attachment.
func (s *Server) kindOf(m *media) string {
	switch {
	case s.profile == Snac: // whatever it is
		return "image"
	case m.becomes != "" && s.processed(m) && !m.failed:
		return m.becomes
	}
	return m.kind
}

// processed says whether processing is over, well or not.
func (s *Server) processed(m *media) bool {
	return m.becomes == "" || m.gets <= 0 && !s.now().Before(m.ready)
}

// whole says whether every byte of the file is still here.
func (m *media) whole() bool { return m.file != nil && int64(len(m.file.data)) == m.file.size }

// keep takes a file in, and lets go of the oldest when there are too many.
func (s *Server) keep(m *media) {
	s.uploaded = append(s.uploaded, m)
	s.kept += int64(len(m.file.data))
	for _, old := range s.uploaded {
		if s.kept <= keptCap {
			return
		}
		s.forget(old)
	}
}

func (s *Server) forget(m *media) {
	if m.file != nil {
		s.kept -= int64(len(m.file.data))
		m.file.data = nil
	}
}

// detach frees what was attached to a deleted post: Mastodon keeps it for a day
// so that it can be posted anew (https://docs.joinmastodon.org/methods/statuses/#delete).
func (s *Server) detach(st *status) {
	for _, m := range st.media {
		if s.profile == Mastodon && m.attached == st {
			m.attached = nil
		}
	}
}

// mediaID makes the id of an upload. snac's is made from the file's name, so
// that a second file of the same name takes the place of the first
// (mastoapi_post_handler in mastoapi.c there).
func (s *Server) mediaID(who *Account, f *upload) string {
	if s.profile != Snac {
		return s.ids.status(s.now(), s.ids.uuid())
	}
	sum := md5.Sum([]byte(f.name))
	id := hex.EncodeToString(sum[:]) + path.Ext(f.name)
	if m := s.media[id]; m != nil && m.owner != who { // each member has a folder there
		return md5hex(who.ID+f.name) + path.Ext(f.name)
	}
	return id
}

// mediaPath is where a file is served.
func (s *Server) mediaPath(m *media) string {
	if m.file == nil || s.profile == Snac {
		return "/media/" + m.id
	}
	extension := map[string]string{"image/gif": ".gif", "image/png": ".png", "image/jpeg": ".jpg", "image/webp": ".webp",
		"image/avif": ".avif", "image/heic": ".heic", "video/mp4": ".mp4", "video/webm": ".webm", "video/quicktime": ".mov"}[m.info.mime]
	if s.profile == Mastodon && (m.becomes != "" || m.kind == "gifv" || m.kind == "video") {
		extension = ".mp4" // which it is made
	}
	return "/media/" + m.id + extension
}

// mediaFile serves what was uploaded, as it came: nothing is converted here,
// whatever the address is called. nil for other paths.
func (s *Server) mediaFile(q *request) *answer {
	rest, ok := strings.CutPrefix(q.route, "/media/")
	if !ok || q.method != "GET" && q.method != "HEAD" {
		return nil
	}
	rest = strings.TrimPrefix(rest, "small/")
	m := s.media[rest]
	if m == nil {
		m = s.media[strings.TrimSuffix(rest, path.Ext(rest))]
	}
	if m == nil || !m.whole() {
		return nil
	}
	ctype := m.info.mime
	if ctype == "" {
		ctype = "application/octet-stream"
	}
	return &answer{status: 200, ctype: ctype, body: m.file.data}
}
