package fedisim

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// editStatus replaces a post's state
// (https://docs.joinmastodon.org/methods/statuses/#edit). What the client does
// not send is taken away, media and content warning included; snac changes the
// text and nothing else, whatever is sent (mastoapi_put_handler in mastoapi.c there).
//
// An edit that changes nothing is none on Mastodon
// (app/services/update_status_service.rb there), and refused by GoToSocial
// (internal/processing/status/edit.go there).
func (s *Server) editStatus(q *request, who *Account, st *status) *answer {
	d, refusal := s.read(q, who, st)
	if refusal != nil {
		return refusal
	}
	if s.profile == Snac {
		d.media, d.cw, d.sensitive, d.language = st.media, st.cw, st.sensitive, st.language
	}
	if d.language == "" || !q.sent("language") && s.profile == Mastodon {
		d.language = st.language
	}
	described, refusal := s.editMedia(q, d.media)
	if refusal != nil {
		return refusal
	}
	same := len(described) == 0 && d.text == st.text && d.cw == st.cw && d.sensitive == st.sensitive && d.language == st.language &&
		slices.Equal(d.media, st.media)
	switch {
	case same && s.profile == Mastodon:
		return s.statusAnswer(st, who, false)
	case same && s.profile == GoToSocial:
		return s.refuse(http.StatusUnprocessableEntity, "status was not changed")
	case s.profile == Mastodon: // an edit counts as a post: rate_limit of app/models/status_edit.rb there
		if a := s.limitPosts(q, who); a != nil {
			return a
		}
	}
	for m, change := range described {
		m.description, m.focus = change.description, change.focus
	}
	for _, m := range st.media {
		if !slices.Contains(d.media, m) {
			m.attached = nil
		}
	}
	for _, m := range d.media {
		m.attached = st
	}
	st.media = d.media
	if s.profile != Snac {
		st.alts = s.copiedAlts(st.media)
	}
	before := st.mentions
	s.compose(st, d)
	for _, to := range st.mentions {
		if !slices.Contains(before, to) {
			s.notify(to, "mention", who, st, s.now(), atOnce)
		}
	}
	st.edited = s.now()
	if st.edited.Equal(st.created) {
		st.edited = st.edited.Add(time.Millisecond)
	}
	st.edits++
	s.streamStatus("status.update", st)
	s.change()
	return s.statusAnswer(st, who, false)
}

// mediaEdit is what becomes of an attachment by an edit of its post.
type mediaEdit struct {
	description string
	focus       *Focus
}

// editMedia reads media_attributes for the attachments that a post will have,
// and returns what changes. Mastodon keeps what an entry does not say, and
// passes over what is not attached; GoToSocial reads them from JSON alone,
// empties a description that an entry does not say, and refuses what is not
// attached. The others know no such thing: Akkoma's ActivityDraft
// (lib/pleroma/web/common_api/activity_draft.ex there) copies the descriptions
// that the uploads have at the time.
func (s *Server) editMedia(q *request, attached []*media) (map[*media]mediaEdit, *answer) {
	list := q.attributes
	if s.profile == GoToSocial && !q.isJSON || s.profile != Mastodon && s.profile != GoToSocial {
		list = nil
	}
	out := map[*media]mediaEdit{}
	for _, entry := range list {
		m := s.media[entry["id"]]
		if m == nil || !slices.Contains(attached, m) {
			if s.profile == GoToSocial {
				return nil, s.refuse(http.StatusBadRequest, "media not found: "+entry["id"])
			}
			continue
		}
		next := mediaEdit{m.description, m.focus}
		if d, said := entry["description"]; said || s.profile == GoToSocial {
			next.description = d
		}
		if f := entry["focus"]; f != "" {
			if s.profile == GoToSocial && !validFocus(f) {
				return nil, s.refuse(http.StatusBadRequest, "improperly formatted focus "+f)
			}
			next.focus = readFocus(f)
		}
		if most := s.limits.Description; s.profile == Mastodon && most > 0 && utf8.RuneCountInString(next.description) > most {
			return nil, s.refuse(http.StatusUnprocessableEntity, fmt.Sprintf("Validation failed: Description is too long (maximum is %d characters)", most))
		}
		if next.description != m.description || !sameFocus(next.focus, m.focus) {
			out[m] = next
		}
	}
	return out, nil
}

func sameFocus(a, b *Focus) bool { return a == b || a != nil && b != nil && *a == *b }

// copiedAlts are the descriptions that a post takes from its uploads, once and
// for all, on servers where a post has copies of its own: Akkoma until it is
// edited (attachments_from_ids in lib/pleroma/web/common_api/utils.ex there),
// snac for ever (msg_note in activitypub.c there). nil elsewhere, where a changed
// description shows at once.
func (s *Server) copiedAlts(list []*media) map[*media]string {
	if s.profile != Akkoma && s.profile != Snac {
		return nil
	}
	alts := map[*media]string{}
	for _, m := range list {
		alts[m] = m.description
	}
	return alts
}

// alt is a description as a post shows it.
func (st *status) alt(m *media) string {
	if text, ok := st.alts[m]; ok {
		return text
	}
	return m.description
}

// sent says whether a request has a parameter, alone or as a list.
func (q *request) sent(name string) bool {
	_, one := q.params[name]
	_, list := q.params[name+"[]"]
	return one || list
}

// attribute takes a part of media_attributes in the order in which a form has
// them: "media_attributes[][id]" and so on. A name that the last entry has
// already begins another, as Rack reads it
// (https://github.com/rack/rack/blob/main/lib/rack/query_parser.rb).
func (q *request) attribute(name, value string) {
	field, ok := mediaField(name)
	if !ok {
		return
	}
	last := len(q.attributes) - 1
	if last >= 0 {
		if _, there := q.attributes[last][field]; !there {
			q.attributes[last][field] = value
			return
		}
	}
	q.attributes = append(q.attributes, map[string]string{field: value})
}

// attributesForm takes the parts of media_attributes of an encoded form.
func (q *request) attributesForm(form string) {
	if !strings.Contains(form, "media_attributes") { // as nearly always
		return
	}
	for pair := range strings.SplitSeq(form, "&") {
		name, value, _ := strings.Cut(pair, "=")
		name, badName := url.QueryUnescape(name)
		value, badValue := url.QueryUnescape(value)
		if badName == nil && badValue == nil {
			q.attribute(name, value)
		}
	}
}

func mediaField(name string) (string, bool) {
	for _, field := range []string{"id", "description", "focus"} {
		if name == "media_attributes[]["+field+"]" {
			return field, true
		}
	}
	return "", false
}

// attributesJSON takes media_attributes of a JSON body.
func (q *request) attributesJSON(v any) {
	list, _ := v.([]any)
	for _, item := range list {
		o, ok := item.(map[string]any)
		if !ok {
			continue
		}
		entry := map[string]string{}
		for _, field := range slices.Sorted(maps.Keys(o)) {
			switch v := o[field].(type) {
			case string:
				entry[field] = v
			case nil:
				entry[field] = ""
			case interface{ String() string }: // a number
				entry[field] = v.String()
			case bool:
				entry[field] = strconv.FormatBool(v)
			}
		}
		q.attributes = append(q.attributes, entry)
	}
}
