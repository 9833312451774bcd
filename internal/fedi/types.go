package fedi

import (
	"encoding/json"
	"errors"
	"time"

	"rookery/internal/community"
)

// Account is an account as the server shows it
// (https://docs.joinmastodon.org/entities/Account/).
type Account struct {
	ID          community.MemberID
	Username    string
	Acct        string // "ada" for a local account, "ada@art.example" for others
	FQN         string // "ada@art.example" always; Pleroma and Akkoma only
	DisplayName string
	Note        string // HTML
	URL         string
	URI         string // identity across servers; Mastodon 4.2+, Akkoma
	Bot         bool
	// Fields are the profile's own rows, for opt-outs written there; HTML.
	Fields []Field
}

// Field is a row of a profile; Value is HTML.
type Field struct{ Name, Value string }

// Status is a post (https://docs.joinmastodon.org/entities/Status/).
type Status struct {
	ID                 community.PostID
	URI                string
	URL                string
	CreatedAt          time.Time
	EditedAt           time.Time // zero when never edited
	Account            Account
	Content            string // HTML
	SpoilerText        string // content warning
	Sensitive          bool
	Visibility         community.Visibility
	Language           string
	InReplyToID        community.PostID
	InReplyToAccountID community.MemberID
	// ReblogOf is the boosted post, empty for a post of its own.
	ReblogOf         community.PostID
	Mentions         []Mention
	MediaAttachments []MediaAttachment
}

// Mention is someone a status addresses.
type Mention struct {
	ID       community.MemberID
	Username string
	Acct     string
	URL      string
}

// MediaAttachment is a medium (https://docs.joinmastodon.org/entities/MediaAttachment/).
type MediaAttachment struct {
	ID          string
	Type        string // "image", "gifv", "video", "audio", "unknown"
	URL         string // empty while the server still works on it
	PreviewURL  string
	RemoteURL   string
	Description string
}

// Notification is a mention of us (https://docs.joinmastodon.org/entities/Notification/).
type Notification struct {
	ID        community.NotificationID
	Type      string
	CreatedAt time.Time
	Account   Account // who caused it
	Status    Status
	// Err tells that this notification could not be read: ID is set if it
	// could be found, and Raw holds what came.
	Err error
	Raw json.RawMessage
}

// Thread is what surrounds a status (https://docs.joinmastodon.org/entities/Context/).
type Thread struct{ Ancestors, Descendants []Status }

type wireAccount struct {
	ID          text            `json:"id"`
	Username    text            `json:"username"`
	Acct        text            `json:"acct"`
	FQN         text            `json:"fqn"`
	DisplayName text            `json:"display_name"`
	Note        text            `json:"note"`
	URL         text            `json:"url"`
	URI         text            `json:"uri"`
	Bot         flag            `json:"bot"`
	Fields      list[wireField] `json:"fields"`
	Pleroma     object[struct {
		APID text `json:"ap_id"`
	}] `json:"pleroma"`
}

type wireField struct {
	Name  text `json:"name"`
	Value text `json:"value"`
}

type wireMention struct {
	ID       text `json:"id"`
	Username text `json:"username"`
	Acct     text `json:"acct"`
	URL      text `json:"url"`
}

type wireMedia struct {
	ID          text `json:"id"`
	Type        text `json:"type"`
	URL         text `json:"url"`
	PreviewURL  text `json:"preview_url"`
	RemoteURL   text `json:"remote_url"`
	Description text `json:"description"`
}

type wireStatus struct {
	ID                 text            `json:"id"`
	URI                text            `json:"uri"`
	URL                text            `json:"url"`
	CreatedAt          stamp           `json:"created_at"`
	EditedAt           stamp           `json:"edited_at"`
	Account            object[Account] `json:"account"`
	Content            text            `json:"content"`
	SpoilerText        text            `json:"spoiler_text"`
	Sensitive          flag            `json:"sensitive"`
	Visibility         text            `json:"visibility"`
	Language           text            `json:"language"`
	InReplyToID        text            `json:"in_reply_to_id"`
	InReplyToAccountID text            `json:"in_reply_to_account_id"`
	Reblog             object[struct {
		ID text `json:"id"`
	}] `json:"reblog"`
	Mentions         list[wireMention] `json:"mentions"`
	MediaAttachments list[wireMedia]   `json:"media_attachments"`
}

var errNoID = errors.New("it has no id")

// UnmarshalJSON implements json.Unmarshaler; only an account without an id is
// an error.
func (a *Account) UnmarshalJSON(b []byte) error {
	var w wireAccount
	if err := json.Unmarshal(b, &w); err != nil {
		return err
	}
	if w.ID == "" {
		return errNoID
	}
	*a = Account{
		ID: community.MemberID(w.ID), Username: string(w.Username), Acct: string(w.Acct), FQN: string(w.FQN),
		DisplayName: string(w.DisplayName), Note: string(w.Note), URL: string(w.URL), URI: string(w.URI),
		Bot: bool(w.Bot),
	}
	if a.URI == "" {
		a.URI = string(w.Pleroma.V.APID)
	}
	for _, f := range w.Fields {
		a.Fields = append(a.Fields, Field{Name: string(f.Name), Value: string(f.Value)})
	}
	return nil
}

// UnmarshalJSON implements json.Unmarshaler; only a status without an id is
// an error.
func (s *Status) UnmarshalJSON(b []byte) error {
	var w wireStatus
	if err := json.Unmarshal(b, &w); err != nil {
		return err
	}
	if w.ID == "" {
		return errNoID
	}
	*s = Status{
		ID: community.PostID(w.ID), URI: string(w.URI), URL: string(w.URL),
		CreatedAt: time.Time(w.CreatedAt), EditedAt: time.Time(w.EditedAt),
		Account: w.Account.V, Content: string(w.Content), SpoilerText: string(w.SpoilerText),
		Sensitive: bool(w.Sensitive), Visibility: community.Visibility(w.Visibility), Language: string(w.Language),
		InReplyToID: community.PostID(w.InReplyToID), InReplyToAccountID: community.MemberID(w.InReplyToAccountID),
		ReblogOf: community.PostID(w.Reblog.V.ID),
	}
	for _, m := range w.Mentions {
		s.Mentions = append(s.Mentions, Mention{ID: community.MemberID(m.ID), Username: string(m.Username), Acct: string(m.Acct), URL: string(m.URL)})
	}
	for _, m := range w.MediaAttachments {
		s.MediaAttachments = append(s.MediaAttachments, m.attachment())
	}
	return nil
}
