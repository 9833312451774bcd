package fedisim

import (
	"html"
	"regexp"
	"time"
)

// Field is a line of a profile (https://docs.joinmastodon.org/entities/Field/).
type Field struct {
	Name, Value string    // Value is HTML
	Verified    time.Time // zero if it is not a verified link
}

// Fields sets the lines of the profile.
func Fields(fields ...Field) AccountOption { return func(a *Account) { a.Fields = fields } }

// Human clears the account's bot flag.
func Human() AccountOption { return func(a *Account) { a.IsBot = false } }

// Edit changes the profile: Named, Note, Fields, Bot, Human and AcceptStrangers
// have an effect. The exported fields change without a lock for their readers.
func (a *Account) Edit(opts ...AccountOption) {
	s := a.s
	s.mu.Lock()
	defer s.mu.Unlock()
	token, software, scopes := a.Token, a.software, a.scopes
	for _, o := range opts {
		o(a)
	}
	a.Token, a.software, a.scopes = token, software, scopes
	a.json = nil
	s.change()
}

func writeFields(w *jsonWriter, fields []Field) {
	w.open('[')
	for _, f := range fields {
		w.open('{')
		w.str("name", f.Name)
		w.str("value", f.Value)
		if f.Verified.IsZero() {
			w.null("verified_at")
		} else {
			w.time("verified_at", f.Verified)
		}
		w.close('}')
	}
	w.close(']')
}

func fieldsJSON(fields []Field) string {
	var w jsonWriter
	writeFields(&w, fields)
	return string(w.b)
}

var tags = regexp.MustCompile(`<[^>]*>`)

// plain is what the owner of a profile typed: its text without the markup.
func plain(markup string) string { return html.UnescapeString(tags.ReplaceAllString(markup, "")) }

func plainFields(fields []Field) []Field {
	out := make([]Field, len(fields))
	for i, f := range fields {
		out[i] = Field{f.Name, plain(f.Value), f.Verified}
	}
	return out
}

// verifyCredentials is the account as its owner sees it, with the source of it
// (https://docs.joinmastodon.org/entities/Account/#CredentialAccount).
func (s *Server) verifyCredentials(who *Account) *answer {
	var w jsonWriter
	s.writeAccount(&w, who, func(w *jsonWriter) {
		if s.profile == Akkoma { // whose account documents always have a source
			return
		}
		w.key("source")
		w.open('{')
		w.str("privacy", "public")
		w.bool("sensitive", false)
		w.null("language")
		w.str("note", plain(who.Note))
		w.key("fields")
		writeFields(w, plainFields(who.Fields))
		if s.profile == Mastodon {
			w.int("follow_requests_count", 0)
			w.null("hide_collections")
			w.bool("discoverable", true)
			w.bool("indexable", false)
			w.raw("attribution_domains", "[]")
			w.str("quote_policy", "public")
		}
		w.close('}')
		switch s.profile {
		case Mastodon:
			w.raw("role", `{"id":"-99","name":"","permissions":"65536","color":"","highlighted":false,"collection_limit":10}`)
		case GoToSocial:
			w.raw("role", `{"id":"user","name":"user","color":"","permissions":"0","highlighted":false}`)
		}
	})
	return jsonAnswer(w.b)
}
