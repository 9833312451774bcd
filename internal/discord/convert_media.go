package discord

import (
	"encoding/json"
	"strings"
)

// gotFile is a file of a message. Source: resources/message, "Attachment
// Object".
type gotFile struct {
	ID          string `json:"id"`
	Name        string `json:"filename"`
	Type        string `json:"content_type"`
	URL         string `json:"url"`
	Description string `json:"description"`
	Size        int64  `json:"size"`
	Width       int    `json:"width"`
	Height      int    `json:"height"`
	Flags       int    `json:"flags"`
}

// UnmarshalJSON implements json.Unmarshaler. A field that is odd is left empty:
// it shall not hide the message.
func (f *gotFile) UnmarshalJSON(b []byte) error {
	type plain gotFile
	_ = json.Unmarshal(b, (*plain)(f))
	return nil
}

// fileSpoiler marks a file as hidden behind a click. Source: resources/message,
// "Attachment Flags".
const fileSpoiler = 1 << 3

// spoiler tells whether a file is hidden behind a click: it is marked so, or,
// the older way, named so.
func (f gotFile) spoiler() bool {
	return f.Flags&fileSpoiler != 0 || strings.HasPrefix(f.Name, "SPOILER_")
}

// gotEmbed is an embed of a message. Source: resources/message, "Embed Object".
type gotEmbed struct {
	Kind      string   `json:"type"`
	Title     string   `json:"title"`
	URL       string   `json:"url"`
	Author    gotNamed `json:"author"`
	Provider  gotNamed `json:"provider"`
	Image     gotMedia `json:"image"`
	Video     gotMedia `json:"video"`
	Thumbnail gotMedia `json:"thumbnail"`
}

type gotNamed struct {
	Name string `json:"name"`
}

type gotMedia struct {
	URL         string `json:"url"`
	ProxyURL    string `json:"proxy_url"`
	Type        string `json:"content_type"`
	Description string `json:"description"`
	Width       int    `json:"width"`
	Height      int    `json:"height"`
}

// UnmarshalJSON implements json.Unmarshaler, as gotFile's does.
func (e *gotEmbed) UnmarshalJSON(b []byte) error {
	type plain gotEmbed
	_ = json.Unmarshal(b, (*plain)(e))
	return nil
}

func (e gotEmbed) original() OriginalEmbed {
	return OriginalEmbed{
		Kind: e.Kind, URL: e.URL, Title: oneLine(e.Title), Author: oneLine(e.Author.Name), Provider: oneLine(e.Provider.Name),
		Image: e.Image.embedded(), Video: e.Video.embedded(), Thumbnail: e.Thumbnail.embedded(),
	}
}

func (m gotMedia) embedded() EmbedMedia {
	return EmbedMedia{
		URL: m.URL, ProxyURL: m.ProxyURL, Type: m.Type, Description: plainText(m.Description),
		Width: max(m.Width, 0), Height: max(m.Height, 0),
	}
}

// plainText is text from outside: valid, without NUL and blanks around it.
func plainText(s string) string {
	return strings.TrimSpace(strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", ""))
}

// gotThread is the thread that was made from a message.
type gotThread struct {
	ID string `json:"id"`
}

// UnmarshalJSON implements json.Unmarshaler, as gotFile's does.
func (t *gotThread) UnmarshalJSON(b []byte) error {
	type plain gotThread
	_ = json.Unmarshal(b, (*plain)(t))
	return nil
}
