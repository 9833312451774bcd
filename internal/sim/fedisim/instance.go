package fedisim

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// limitsJSON is the "configuration" object of the servers that have one.
func (s *Server) limitsJSON(w *jsonWriter, v2 bool, host string) {
	t := s.traits
	chars, urls := t.maxChars, 23
	switch s.profile {
	case Snac:
		chars, urls = 100000, 32
	case GoToSocial:
		urls = 25
	}
	w.key("configuration")
	w.open('{')
	if v2 {
		w.key("urls")
		w.open('{')
		w.str("streaming", s.streamingURL(host))
		if s.profile == Mastodon {
			w.null("status")
			w.str("about", s.base+"/about")
			w.str("privacy_policy", s.base+"/privacy-policy")
			w.null("terms_of_service")
		}
		w.close('}')
		w.raw("vapid", `{"public_key":"BAhxXyHfAoMqrZECjRI56F5QrE4ynVlkZFMdKSpTIsWRNoWUVgut-Bnz2xsMSwiN4AF0b4I7ixF24OwiicOJivw="}`)
		w.raw("translation", `{"enabled":false}`)
	}
	switch {
	case s.profile == Mastodon && v2:
		w.raw("accounts", `{"max_display_name_length":40,"max_note_length":500,"max_avatar_description_length":150,"max_header_description_length":150,"max_featured_tags":10,"max_pinned_statuses":5,"max_profile_fields":4,"profile_field_name_limit":255,"profile_field_value_limit":255}`)
	case s.profile == GoToSocial:
		w.raw("accounts", `{"allow_custom_css":false,"max_featured_tags":10,"max_profile_fields":6}`)
	default:
		w.raw("accounts", `{"max_featured_tags":10}`)
	}
	w.raw("statuses", fmt.Sprintf(`{"max_characters":%d,"max_media_attachments":%d,"characters_reserved_per_url":%d}`, chars, s.limits.Attachments, urls))
	s.uploadLimits(w, v2)
	w.raw("polls", `{"max_options":4,"max_characters_per_option":50,"min_expiration":300,"max_expiration":2629746}`)
	if v2 && s.profile == Mastodon {
		w.raw("timelines_access", `{"live_feeds":{"local":"public","remote":"public"},"hashtag_feeds":{"local":"public","remote":"public"},"trending_link_feeds":{"local":"public","remote":"public"}}`)
		w.bool("limited_federation", false)
	}
	w.close('}')
}

// uploadLimits is "media_attachments" of the configuration. Mastodon's older
// document has no description_limit, Sharkey's none at all.
func (s *Server) uploadLimits(w *jsonWriter, v2 bool) {
	l := &s.limits
	w.key("media_attachments")
	w.open('{')
	if s.profile != Sharkey && (s.profile != Mastodon || v2) {
		w.int("description_limit", l.Description)
	}
	w.int("image_matrix_limit", int(l.ImagePixels))
	w.int("image_size_limit", int(l.ImageBytes))
	w.strs("supported_mime_types", l.Types...)
	w.int("video_frame_rate_limit", l.VideoRate)
	w.int("video_matrix_limit", int(l.VideoPixels))
	w.int("video_size_limit", int(l.VideoBytes))
	w.close('}')
}

// streamingURL is where the streams are said to be. GoToSocial and snac say
// "wss://" whatever the scheme is, and snac has no streams at all.
func (s *Server) streamingURL(host string) string {
	switch {
	case s.opt.StreamingURL != "":
		return s.opt.StreamingURL
	case s.profile == GoToSocial || s.profile == Snac:
		return "wss://" + host
	}
	return "ws://" + host
}

// Rule is a rule of the server (https://docs.joinmastodon.org/entities/Rule/).
type Rule struct{ Text, Hint string }

// SetRules changes the server's rules; their ids are counted from 1.
func (s *Server) SetRules(rules ...Rule) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.opt.Rules = rules
	s.change()
}

func (s *Server) rulesAnswer() *answer { return jsonText(s.rulesJSON()) }

// rulesJSON is the rules in the instance documents; Akkoma and snac have none.
func (s *Server) rulesJSON() string {
	var w jsonWriter
	w.open('[')
	for i, r := range s.opt.Rules {
		if s.profile == Akkoma || s.profile == Snac {
			break
		}
		w.open('{')
		w.str("id", strconv.Itoa(i+1))
		w.str("text", r.Text)
		w.str("hint", r.Hint)
		if s.profile == Mastodon {
			w.raw("translations", "{}")
		}
		w.close('}')
	}
	w.close(']')
	return string(w.b)
}

// localCounts are the members and posts of this server.
func (s *Server) localCounts() (users, posts int) {
	for _, a := range s.people {
		if !a.remote {
			users++
			posts += len(a.statuses)
		}
	}
	return users, posts
}

// instanceV1 is the older document. Akkoma's has no configuration, but
// max_toot_chars and its like; Mastodon's is still served.
func (s *Server) instanceV1(q *request) *answer {
	users, posts := s.localCounts()
	var w jsonWriter
	w.open('{')
	switch s.profile {
	case Akkoma:
		w.str("uri", s.base)
	default:
		w.str("uri", s.domain)
	}
	w.str("title", "Simulated "+string(s.profile))
	w.str("short_description", "A simulated server.")
	w.str("description", "A simulated server.")
	w.str("email", "admin@"+s.domain)
	w.str("version", s.traits.version)
	w.raw("urls", `{"streaming_api":`+quoted(s.streamingURL(q.host))+`}`)
	w.raw("stats", fmt.Sprintf(`{"user_count":%d,"status_count":%d,"domain_count":1}`, users, posts))
	w.str("thumbnail", s.base+"/thumbnail.png")
	w.raw("languages", `["en"]`)
	w.bool("registrations", false)
	w.bool("approval_required", false)
	w.bool("invites_enabled", false)
	w.raw("rules", s.rulesJSON())
	w.null("contact_account")
	switch s.profile {
	case Akkoma:
		w.int("max_toot_chars", s.traits.maxChars)
		w.int("description_limit", s.limits.Description)
		w.int("upload_limit", int(s.limits.UploadBytes))
		w.int("avatar_upload_limit", 2000000)
		w.int("background_upload_limit", 4000000)
		w.int("banner_upload_limit", 4000000)
		w.raw("poll_limits", `{"max_expiration":31536000,"max_option_chars":200,"max_options":20,"min_expiration":0}`)
		w.raw("pleroma", `{"metadata":{"account_activation_required":false,"features":["pleroma_api","akkoma_api","mastodon_api","mastodon_api_streaming"],"fields_limits":{"max_fields":10,"max_remote_fields":20,"name_length":512,"value_length":2048},"post_formats":["text/plain","text/html","text/markdown"]},"stats":{"mau":1},"vapid_public_key":""}`)
	default:
		s.limitsJSON(&w, false, q.host)
		if s.profile == GoToSocial || s.profile == Sharkey {
			w.int("max_toot_chars", s.traits.maxChars)
		}
	}
	w.close('}')
	return jsonAnswer(w.b)
}

// instanceV2 is the newer document, which Akkoma and snac do not have.
func (s *Server) instanceV2(q *request) *answer {
	if s.profile == Akkoma || s.profile == Snac {
		return s.noRoute()
	}
	var w jsonWriter
	w.open('{')
	w.str("domain", s.domain)
	w.str("title", "Simulated "+string(s.profile))
	w.str("version", s.traits.version)
	source := map[Profile]string{Mastodon: "https://github.com/mastodon/mastodon", GoToSocial: "https://codeberg.org/superseriousbusiness/gotosocial", Sharkey: "https://activitypub.software/TransFem-org/Sharkey"}
	w.str("source_url", source[s.profile])
	w.str("description", "A simulated server.")
	w.raw("usage", `{"users":{"active_month":1}}`)
	w.raw("thumbnail", `{"url":`+quoted(s.base+"/thumbnail.png")+`}`)
	w.raw("icon", "[]")
	w.raw("languages", `["en"]`)
	s.limitsJSON(&w, true, q.host)
	w.raw("registrations", `{"enabled":false,"approval_required":false,"reason_required":false,"message":null,"min_age":null,"url":null}`)
	if s.profile == Mastodon {
		w.raw("api_versions", `{"mastodon":11}`)
		w.null("wrapstodon")
	}
	w.raw("contact", `{"email":`+quoted("admin@"+s.domain)+`,"account":null}`)
	w.raw("rules", s.rulesJSON())
	w.close('}')
	return jsonAnswer(w.b)
}

// nodeinfo serves the pointer and the document (https://nodeinfo.diaspora.software/).
func (s *Server) nodeinfo(q *request) *answer {
	version := "2.0"
	if strings.Contains(s.traits.nodePath, "2.1") {
		version = "2.1"
	}
	var w jsonWriter
	w.open('{')
	switch q.route {
	case "/.well-known/nodeinfo":
		w.raw("links", `[{"rel":`+quoted("http://nodeinfo.diaspora.software/ns/schema/"+version)+`,"href":`+quoted("http://"+q.host+s.traits.nodePath)+`}]`)
	case s.traits.nodePath:
		users, posts := s.localCounts()
		w.str("version", version)
		w.raw("software", `{"name":`+quoted(s.traits.software)+`,"version":`+quoted(s.traits.nodeVersion)+`}`)
		w.raw("protocols", `["activitypub"]`)
		w.raw("services", `{"outbound":[],"inbound":[]}`)
		w.raw("usage", fmt.Sprintf(`{"users":{"total":%d,"activeMonth":%d,"activeHalfyear":%d},"localPosts":%d}`, users, users, users, posts))
		w.bool("openRegistrations", false)
		w.raw("metadata", "{}")
	default:
		return &answer{status: http.StatusNotFound, ctype: "text/html; charset=utf-8", body: []byte("<!DOCTYPE html><title>404</title><h1>404 Not Found</h1>")}
	}
	w.close('}')
	return jsonAnswer(w.b)
}
