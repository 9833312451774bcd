package ledger

import (
	"encoding/json"
	"fmt"
	"io"
	"time"
)

// exported is an entry as JSON writes it.
type exported struct {
	Seq        int64     `json:"seq"`
	At         time.Time `json:"at"`
	Event      Event     `json:"event"`
	Submission string    `json:"submission"`
	Subject    string    `json:"subject"`
	Guild      string    `json:"guild,omitempty"`
	Channel    string    `json:"channel,omitempty"`
	Message    string    `json:"message,omitempty"`
	Account    string    `json:"account,omitempty"`
	Target     string    `json:"target,omitempty"`
	Processor  string    `json:"processor,omitempty"`
	Model      string    `json:"model,omitempty"`
	Text       string    `json:"text,omitempty"`
	TextSHA256 string    `json:"text_sha256,omitempty"`
	Media      []Medium  `json:"media,omitempty"`
	Post       string    `json:"post,omitempty"`
	By         string    `json:"by,omitempty"`
	Via        string    `json:"via,omitempty"`
	Note       string    `json:"note,omitempty"`
	Chain      string    `json:"chain"`
}

// JSON writes entries as a list of objects, "[]" for none. Its keys are seq, at
// (RFC 3339), event, submission, subject, guild, channel, message, account,
// target, processor, model, text, text_sha256, media (n, name, sha256, alt),
// post, by, via, note and chain; those that are empty are left out.
func JSON(w io.Writer, entries []Entry) error {
	list := make([]exported, len(entries))
	for i, e := range entries {
		list[i] = exported{
			Seq: e.Seq, At: e.At, Event: e.Event, Submission: e.Submission, Subject: e.Subject,
			Guild: string(e.Guild), Channel: string(e.Channel), Message: string(e.Source), Account: string(e.Account), Target: e.Target,
			Processor: e.Processor, Model: e.Model, Text: e.Text, Media: e.Media, Post: e.Post, By: e.By, Via: e.Via, Note: e.Note, Chain: e.Chain,
		}
		if e.Text != "" {
			list[i].TextSHA256 = hashOf(e.Text)
		}
	}
	out := json.NewEncoder(w)
	out.SetEscapeHTML(false)
	out.SetIndent("", "  ")
	if err := out.Encode(list); err != nil {
		return fmt.Errorf("write the consent ledger's entries: %w", err)
	}
	return nil
}
