package fedisim

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
)

// read checks what a client wants to post; the answer is the refusal.
func (s *Server) read(q *request, who *Account, st *status) (*draft, *answer) {
	if q.badBody {
		return nil, s.refuse(http.StatusBadRequest, "There was a problem reading the request")
	}
	d := &draft{text: q.get("status"), cw: q.get("spoiler_text"), language: q.get("language"), visibility: q.get("visibility"),
		viaAPI: true, key: q.idempotencyKey}
	d.sensitive = q.flag("sensitive") || d.cw != "" && s.profile != GoToSocial
	switch d.visibility {
	case "":
		d.visibility = "public"
	case "public", "unlisted", "private", "direct":
	default:
		if s.profile != Snac {
			return nil, s.fail(http.StatusUnprocessableEntity, "visibility", "INVALID_PARAM")
		}
	}
	if d.language == "" && s.profile == Mastodon {
		d.language = "en"
	}
	var refusal *answer
	if d.media, refusal = s.attachable(q.many("media_ids"), who, st); refusal != nil {
		return nil, refusal
	}
	if strings.TrimSpace(d.text) == "" && len(d.media) == 0 && s.profile != Snac {
		if s.profile == Mastodon && d.cw != "" { // the warning becomes the text
			d.text, d.cw = d.cw, ""
		} else {
			return nil, s.blank()
		}
	}
	if n := s.count(d, who); s.traits.maxChars > 0 && n > s.traits.maxChars {
		return nil, s.tooLong(n)
	}
	return d, nil
}

func (s *Server) blank() *answer {
	switch s.profile {
	case Akkoma:
		return s.refuse(http.StatusUnprocessableEntity, "Cannot post an empty status without attachments")
	case GoToSocial:
		return s.refuse(http.StatusBadRequest, "status contains no text, media or poll")
	case Sharkey:
		return s.fail(http.StatusBadRequest, "blank", "BAD_REQUEST")
	}
	return s.fail(http.StatusUnprocessableEntity, "blank", "")
}

func (s *Server) tooLong(n int) *answer {
	switch s.profile {
	case Akkoma:
		return s.refuse(s.traits.tooLong, "The status is over the character limit")
	case GoToSocial:
		return s.refuse(s.traits.tooLong, fmt.Sprintf("text with spoiler exceed max chars (%d)", s.traits.maxChars))
	case Sharkey:
		return s.fail(s.traits.tooLong, "long", "MAX_LENGTH")
	}
	return s.fail(s.traits.tooLong, "long", "")
}

var (
	handles = regexp.MustCompile(`@\S+`)
	spaces  = regexp.MustCompile(`[\s\x{200b}]+`)
)

func (s *Server) createStatus(q *request, who *Account) *answer {
	var parent *status
	if id := q.get("in_reply_to_id"); id != "" {
		parent = s.statuses[id]
		if parent != nil && !parent.visible(who) {
			parent = nil
		}
		if parent == nil && s.traits.needsParent {
			switch s.profile {
			case Akkoma:
				return s.refuse(http.StatusUnprocessableEntity, "Cannot reply to a deleted status")
			case Mastodon:
				return s.fail(http.StatusNotFound, "parent", "")
			default:
				return s.fail(http.StatusNotFound, "parent", "NO_SUCH_REPLY_TARGET")
			}
		}
	}
	if s.profile == Sharkey && parent != nil {
		// A reply that is only an emoji becomes a reaction; the answer is the
		// post that was reacted to.
		left := spaces.ReplaceAllString(handles.ReplaceAllString(q.get("status"), ""), "")
		if emojiOnly(left) {
			parent.reactions = append(parent.reactions, Reaction{Acct: who.Acct, Emoji: left})
			s.change()
			return s.statusAnswer(parent, who, false)
		}
	}
	d, refusal := s.read(q, who, nil)
	if refusal != nil {
		return refusal
	}
	if a := s.limitPosts(q, who); a != nil {
		return a
	}
	d.replyTo = parent
	st := s.post(who, d)
	s.change()
	return s.statusAnswer(st, who, false)
}
