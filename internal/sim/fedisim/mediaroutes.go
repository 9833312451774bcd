package fedisim

import (
	"bytes"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// uploadMedia is https://docs.joinmastodon.org/methods/media/#v2 and #v1.
func (s *Server) uploadMedia(q *request, who *Account) *answer {
	if q.badBody {
		return s.refuse(http.StatusBadRequest, "There was a problem reading the request")
	}
	if s.profile == Sharkey && s.opt.RateLimits { // drive/files/create.ts there
		if st := s.limiter.hit("media", who.ID, 120, time.Hour, s.now()); st.left < 0 {
			q.limited = st.family
			return s.rateAnswer()
		}
	}
	if q.file == nil {
		return s.noFile()
	}
	m := &media{owner: who, file: q.file, info: inspect(q.file.data, q.file.size), description: q.get("description"),
		focus: readFocus(q.get("focus")), at: s.now()}
	if a := s.refuseFile(q, m); a != nil {
		return a
	}
	m.id = s.mediaID(who, m.file)
	status := s.takeIn(q, m)
	if old := s.media[m.id]; old != nil { // snac: the same name once more
		s.forget(old)
		s.uploaded = slices.DeleteFunc(s.uploaded, func(u *media) bool { return u == old })
		m.attached = old.attached
		*old = *m
		m = old
	}
	s.media[m.id] = m
	s.keep(m)
	s.change()
	a := s.mediaAnswer(m)
	a.status = status
	return a
}

// noFile answers an upload without a file.
func (s *Server) noFile() *answer {
	switch s.profile {
	case Akkoma:
		return s.refuse(http.StatusBadRequest, "Missing field: file.")
	case GoToSocial:
		return s.refuse(http.StatusBadRequest, "no attachment given")
	case Snac:
		return s.fail(http.StatusBadRequest, "notFound", "")
	case Sharkey: // MastodonApiServerService.ts there
		return &answer{status: http.StatusUnauthorized, ctype: jsonType, body: []byte(`{"error":"No image"}`)}
	}
	return s.refuse(http.StatusUnprocessableEntity, "Validation failed: File can't be blank")
}

// refuseFile is why a file is not taken in; nil when it is.
func (s *Server) refuseFile(q *request, m *media) *answer {
	size, l := m.file.size, &s.limits
	over := l.UploadBytes > 0 && size > l.UploadBytes
	switch s.profile {
	case Mastodon:
		return s.refuseMastodon(q, m)
	case Akkoma:
		switch {
		case over: // Plug.Parsers, before the endpoint
			return s.refuse(http.StatusRequestEntityTooLarge, "Request Entity Too Large")
		case l.Description > 0 && utf8.RuneCountInString(m.description) > l.Description: // lib/pleroma/upload.ex there
			return s.refuse(http.StatusUnprocessableEntity, "description_too_long")
		case q.failProcessing:
			return s.refuse(http.StatusUnprocessableEntity, "could not process the upload")
		}
	case GoToSocial: // internal/processing/media/create.go and internal/processing/common/media.go there
		focus := q.get("focus")
		switch {
		case over:
			return s.refuse(http.StatusBadRequest, fmt.Sprintf("media exceeds configured max size: %.1fMiB", float64(l.UploadBytes)/(1<<20)))
		case focus != "" && !validFocus(focus):
			return s.refuse(http.StatusBadRequest, "improperly formatted focus "+focus)
		case s.describedTooLong(m):
			return s.refuse(http.StatusBadRequest, fmt.Sprintf("media description exceeds max chars (%d)", l.Description))
		case m.info.mime == "":
			return s.refuse(http.StatusUnprocessableEntity, "could not process application/octet-stream type media")
		case q.failProcessing, m.info.video() && m.info.pixels() == 0:
			return s.refuse(http.StatusUnprocessableEntity, "error processing media")
		}
	case Sharkey:
		if over {
			return &answer{status: http.StatusRequestEntityTooLarge, ctype: jsonType,
				body: []byte(`{"error":"MAX_FILE_SIZE_EXCEEDED","error_description":"Cannot upload the file because it exceeds the maximum file size."}`)}
		}
		if q.failProcessing {
			return s.fail(http.StatusInternalServerError, "notFound", "INTERNAL_ERROR")
		}
	}
	return nil
}

// refuseMastodon checks as app/models/media_attachment.rb and
// app/models/concerns/attachmentable.rb there do, in their order; what they
// raise becomes a 422 (app/controllers/concerns/api/error_handling.rb).
func (s *Server) refuseMastodon(q *request, m *media) *answer {
	f, l, size := &m.info, &s.limits, m.file.size
	bytesMost := l.ImageBytes
	if f.video() {
		bytesMost = l.VideoBytes
	}
	var reason string
	switch {
	case f.mime == "" || len(l.Types) > 0 && !slices.Contains(l.Types, f.mime):
		reason = "Validation failed: File content type is invalid, File is invalid"
	case f.video() && l.VideoPixels > 0 && f.pixels() > l.VideoPixels:
		reason = fmt.Sprintf("%dx%d videos are not supported", f.width, f.height)
	case f.video() && l.VideoRate > 0 && math.Floor(f.rate) > float64(l.VideoRate):
		reason = fmt.Sprintf("%.0ffps videos are not supported", math.Floor(f.rate))
	case f.mime == "image/gif" && l.GIFPixels > 0 && f.pixels() > l.GIFPixels: // still ones too
		reason = fmt.Sprintf("%dx%d GIF files are not supported", f.width, f.height)
	case !f.video() && l.ImagePixels > 0 && f.pixels() > l.ImagePixels:
		reason = fmt.Sprintf("%dx%d images are not supported", f.width, f.height)
	case bytesMost > 0 && size >= bytesMost: // "less than"
		reason = fmt.Sprintf("Validation failed: File file size must be less than %d MB, File is invalid", bytesMost>>20)
	case s.describedTooLong(m):
		reason = fmt.Sprintf("Validation failed: Description is too long (maximum is %d characters)", l.Description)
	case f.fault != "" && !l.AnyVideo:
		reason = "Validation failed: File would have to be converted: " + f.fault
	case q.failProcessing && !s.processesLater(q, m):
		return &answer{status: http.StatusInternalServerError, ctype: jsonType, body: []byte(processingError)}
	default:
		return nil
	}
	return s.refuse(http.StatusUnprocessableEntity, reason)
}

// processingError is of app/controllers/api/v1/media_controller.rb of Mastodon.
const processingError = `{"error":"Error processing thumbnail for uploaded media"}`

// processesLater says whether an upload is answered before it is processed:
// since Mastodon 4.0 images are not (https://docs.joinmastodon.org/methods/media/#v2).
func (s *Server) processesLater(q *request, m *media) bool {
	return s.profile == Mastodon && q.route == "/api/v2/media" && (m.info.video() || m.info.mime == "image/gif" && m.info.animated)
}

func (s *Server) describedTooLong(m *media) bool {
	return s.limits.Description > 0 && utf8.RuneCountInString(m.description) > s.limits.Description
}

// takeIn says what a new attachment is called and when it is ready, and with
// what status the upload is answered.
func (s *Server) takeIn(q *request, m *media) int {
	f := &m.info
	m.kind = "unknown"
	switch major, _, _ := strings.Cut(f.mime, "/"); major {
	case "image", "video":
		m.kind = major
	}
	silent := f.video() && !f.audio
	switch s.profile {
	case Mastodon:
		// A GIF that moves becomes a silent video (lib/paperclip/gif_transcoder.rb
		// there), and a silent video is called what a GIF is (transcoder.rb).
		becomes := m.kind
		if silent || f.mime == "image/gif" && f.animated {
			becomes = "gifv"
		}
		if !s.processesLater(q, m) {
			m.kind = becomes
			return http.StatusOK
		}
		if !f.video() {
			m.kind = "gifv"
		}
		m.becomes, m.gets, m.ready, m.failed = becomes, s.gets, m.at.Add(s.takes), q.failProcessing
		return http.StatusAccepted
	case Akkoma: // 202, though everything is done
		if q.route == "/api/v2/media" {
			return http.StatusAccepted
		}
	case GoToSocial: // internal/media/ffmpeg.go there: short and silent
		if silent && f.mime != "video/webm" && f.duration <= 30 {
			m.kind = "gifv"
		}
	case Sharkey: // MastodonConverters.ts there
		if f.mime == "image/gif" {
			m.kind = "gifv"
		}
	}
	return http.StatusOK
}

// oneMedia serves reading, changing and deleting of an attachment
// (https://docs.joinmastodon.org/methods/media/#get, #update, #delete).
func (s *Server) oneMedia(q *request, who *Account, parts []string) *answer {
	if len(parts) != 3 {
		return nil
	}
	get, put := q.method == http.MethodGet, q.method == http.MethodPut
	remove := q.method == http.MethodDelete && s.profile == Mastodon // since 4.4
	if !get && !put && !remove || get && s.profile == Snac {         // mastodon_get_handler there knows no media
		return nil
	}
	m := s.media[parts[2]]
	switch {
	case m == nil:
		return s.fail(http.StatusNotFound, "notFound", "NO_SUCH_FILE")
	case m.owner != who && s.profile == Akkoma: // Object.authorize_access there
		return s.refuse(http.StatusForbidden, "Access denied")
	case m.owner != who:
		return s.fail(http.StatusNotFound, "notFound", "NO_SUCH_FILE")
	case remove:
		return s.deleteMedia(m)
	case s.profile == Mastodon && m.attached != nil: // where(status_id: nil)
		return s.notFound()
	case put:
		return s.changeMedia(q, m)
	}
	early := !s.processed(m)
	if early && m.gets > 0 {
		m.gets--
	}
	if !early && m.failed {
		return &answer{status: http.StatusUnprocessableEntity, ctype: jsonType, body: []byte(processingError)}
	}
	a := s.mediaAnswer(m)
	if early {
		a = s.mediaAnswerEarly(m)
	}
	return a
}

// mediaAnswerEarly is the answer of what is in processing. It was so when the
// request came, even if this GET is the last that finds it so.
func (s *Server) mediaAnswerEarly(m *media) *answer {
	var w jsonWriter
	s.writeAttachmentAs(&w, m, m.id, m.description, false)
	return &answer{status: http.StatusPartialContent, ctype: jsonType, body: w.b}
}

func (s *Server) mediaAnswer(m *media) *answer {
	var w jsonWriter
	s.writeAttachment(&w, m)
	return jsonAnswer(w.b)
}

func (s *Server) deleteMedia(m *media) *answer {
	if m.attached != nil {
		return s.refuse(http.StatusUnprocessableEntity, "Media attachment is currently used by a status")
	}
	m.gone = true
	delete(s.media, m.id)
	s.change()
	return jsonText("{}")
}

func (s *Server) changeMedia(q *request, m *media) *answer {
	if s.processed(m) && m.failed {
		return &answer{status: http.StatusUnprocessableEntity, ctype: jsonType, body: []byte(processingError)}
	}
	changed := *m
	if _, sent := q.params["description"]; sent {
		changed.description = q.get("description")
	}
	focus := q.get("focus")
	if focus != "" {
		changed.focus = readFocus(focus)
	}
	switch {
	case s.profile == GoToSocial && focus != "" && !validFocus(focus):
		return s.refuse(http.StatusBadRequest, "improperly formatted focus "+focus)
	case s.profile == GoToSocial && s.describedTooLong(&changed):
		return s.refuse(http.StatusBadRequest, fmt.Sprintf("media description exceeds max chars (%d)", s.limits.Description))
	case s.profile == Mastodon && s.describedTooLong(&changed):
		return s.refuse(http.StatusUnprocessableEntity, fmt.Sprintf("Validation failed: Description is too long (maximum is %d characters)", s.limits.Description))
	}
	*m = changed
	s.change()
	if !s.processed(m) {
		return s.mediaAnswerEarly(m)
	}
	return s.mediaAnswer(m)
}

// readFocus reads "x,y" leniently, as Mastodon does; nil when there is nothing.
func readFocus(text string) *Focus {
	if text == "" {
		return nil
	}
	x, y, _ := strings.Cut(text, ",")
	return &Focus{lenient(x), lenient(y)}
}

func lenient(text string) float64 {
	v, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		return 0
	}
	return v
}

// validFocus is what GoToSocial asks of it (ParseFocus in internal/api/util there).
func validFocus(text string) bool {
	x, y, both := strings.Cut(text, ",")
	for _, part := range []string{x, y} {
		if v, err := strconv.ParseFloat(part, 64); err != nil || !(v >= -1 && v <= 1) {
			return false
		}
	}
	return both
}

// attachable finds what a client wants to attach to a post (st when it edits one);
// the answer is the refusal. Mastodon asks in the order of validate_media! in
// app/services/post_status_service.rb there.
func (s *Server) attachable(ids []string, who *Account, st *status) ([]*media, *answer) {
	var picked []*media
	var missing []string
	count := 0
	for _, id := range ids {
		if id == "" || s.media[id] != nil && slices.Contains(picked, s.media[id]) {
			continue
		}
		count++
		m := s.media[id]
		mine := m != nil && m.owner == who
		switch {
		case mine && (m.attached == nil || m.attached == st):
			picked = append(picked, m)
		case s.profile == GoToSocial && mine: // internal/processing/status/common.go there
			return nil, s.refuse(http.StatusBadRequest, "media already attached to status: "+id)
		case s.profile == GoToSocial:
			return nil, s.refuse(http.StatusBadRequest, "media not found: "+id)
		case s.profile == Mastodon:
			missing = append(missing, id)
		case mine: // the others attach it once more
			picked = append(picked, m)
		}
	}
	most := s.limits.Attachments
	switch {
	case most > 0 && count > most && s.profile == GoToSocial:
		return nil, s.refuse(http.StatusBadRequest, fmt.Sprintf("too many media files attached to status, %d attached but limit is %d", count, most))
	case most > 0 && count > most && s.profile != Snac:
		return nil, s.fail(http.StatusUnprocessableEntity, "files", "INVALID_PARAM").fill("{max}", strconv.Itoa(most))
	case len(missing) > 0:
		return nil, s.fail(http.StatusUnprocessableEntity, "media", "").fill("{ids}", strings.Join(missing, ", "))
	}
	switch s.profile {
	case Mastodon:
		// "One video, or one animated GIF": https://docs.joinmastodon.org/user/posting/#attachments
		if len(picked) > 1 && slices.ContainsFunc(picked, func(m *media) bool { return s.kindOf(m) != "image" }) {
			return nil, s.fail(http.StatusUnprocessableEntity, "mixed", "")
		}
		if slices.ContainsFunc(picked, func(m *media) bool { return !s.processed(m) || m.failed }) {
			return nil, s.fail(http.StatusUnprocessableEntity, "unready", "")
		}
	case GoToSocial:
		if slices.ContainsFunc(picked, s.describedTooLong) {
			return nil, s.refuse(http.StatusBadRequest, fmt.Sprintf("media description exceeds max chars (%d)", s.limits.Description))
		}
	}
	return picked, nil
}

// fill puts a value into an answer's text. It must be safe within JSON: ids here
// come from clients.
func (a *answer) fill(name, value string) *answer {
	v := quoted(value)
	a.body = bytes.ReplaceAll(a.body, []byte(name), []byte(v[1:len(v)-1]))
	return a
}
