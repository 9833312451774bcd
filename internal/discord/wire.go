package discord

import (
	"strings"

	"rookery/internal/community"
)

// Flags of a message. Source: resources/message, "Message Flags".
const (
	flagNoPreviews = 1 << 2
	flagPrivate    = 1 << 6 // EPHEMERAL
	flagLoading    = 1 << 7
)

// wireMessage is a Message as Discord takes it, to send, to edit, and to
// answer with. Content, embeds and components are always there: what a message
// no longer has goes away when it is edited. Source: resources/message, "Create
// Message".
type wireMessage struct {
	Content     string           `json:"content"`
	Embeds      []wireEmbed      `json:"embeds"`
	Components  []wireComponent  `json:"components"`
	Attachments []wireAttachment `json:"attachments"`
	Mentions    wireMentions     `json:"allowed_mentions"`
	Flags       int              `json:"flags,omitempty"`
}

type wireMentions struct {
	Parse   []string             `json:"parse"`
	Users   []community.MemberID `json:"users,omitempty"`
	Replied bool                 `json:"replied_user"`
}

type wireEmbed struct {
	Title  string       `json:"title,omitempty"`
	URL    string       `json:"url,omitempty"`
	Text   string       `json:"description,omitempty"`
	Footer *wireFooter  `json:"footer,omitempty"`
	Image  *wireImage   `json:"image,omitempty"`
	Fields []EmbedField `json:"fields,omitempty"`
}

type wireFooter struct {
	Text string `json:"text"`
}

type wireImage struct {
	URL string `json:"url"`
}

// wireAttachment describes the file of the multipart field files[ID].
type wireAttachment struct {
	ID          int    `json:"id"`
	Name        string `json:"filename"`
	Description string `json:"description,omitempty"`
}

// wireComponent is any component. Source: components/reference.
type wireComponent struct {
	Type        int             `json:"type"`
	Components  []wireComponent `json:"components,omitempty"`
	Component   *wireComponent  `json:"component,omitempty"` // of a label
	Style       int             `json:"style,omitempty"`
	Label       string          `json:"label,omitempty"`
	Emoji       *wireEmoji      `json:"emoji,omitempty"`
	ID          string          `json:"custom_id,omitempty"`
	URL         string          `json:"url,omitempty"`
	Disabled    bool            `json:"disabled,omitempty"`
	Options     []wireOption    `json:"options,omitempty"`
	Channels    []int           `json:"channel_types,omitempty"`
	Placeholder string          `json:"placeholder,omitempty"`
	Defaults    []wireDefault   `json:"default_values,omitempty"`
	Min         *int            `json:"min_values,omitempty"`
	Max         *int            `json:"max_values,omitempty"`
	MinLength   *int            `json:"min_length,omitempty"`
	MaxLength   *int            `json:"max_length,omitempty"`
	Required    *bool           `json:"required,omitempty"`
	Value       string          `json:"value,omitempty"`
}

type wireEmoji struct {
	Name string `json:"name"`
}

type wireOption struct {
	Label       string     `json:"label"`
	Value       string     `json:"value"`
	Description string     `json:"description,omitempty"`
	Emoji       *wireEmoji `json:"emoji,omitempty"`
	Default     bool       `json:"default,omitempty"`
}

type wireDefault struct {
	ID   string `json:"id"`
	Type string `json:"type"`
}

// The types of components. Source: components/reference, "Component Types".
const (
	componentRow     = 1
	componentButton  = 2
	componentText    = 3 // a menu of texts
	componentInput   = 4
	componentMember  = 5
	componentRole    = 6
	componentChannel = 8
	componentLabel   = 18
)

// wire is a message as Discord takes it. What is no part of Message (nonce,
// reference, privacy) is left to the caller.
func (m Message) wire() wireMessage {
	w := wireMessage{
		Content: m.Content, Embeds: []wireEmbed{}, Components: []wireComponent{}, Attachments: []wireAttachment{},
		Mentions: wireMentions{Parse: []string{}, Users: m.Pings},
	}
	if m.NoPreviews {
		w.Flags |= flagNoPreviews
	}
	for _, e := range m.Embeds {
		o := wireEmbed{Title: e.Title, URL: e.URL, Text: e.Text, Fields: e.Fields}
		if e.Footer != "" {
			o.Footer = &wireFooter{Text: e.Footer}
		}
		if e.Image != "" {
			o.Image = &wireImage{URL: e.Image}
		}
		w.Embeds = append(w.Embeds, o)
	}
	for i, f := range m.Files {
		w.Attachments = append(w.Attachments, wireAttachment{ID: i, Name: f.wireName(), Description: f.Description})
	}
	for _, r := range m.Rows {
		w.Components = append(w.Components, r.wire())
	}
	return w
}

// wireName is the file's name as it is uploaded: a prefix hides it behind a
// click.
func (f File) wireName() string {
	if f.Spoiler && !strings.HasPrefix(f.Name, "SPOILER_") {
		return "SPOILER_" + f.Name
	}
	return f.Name
}

func (r Row) wire() wireComponent {
	row := wireComponent{Type: componentRow}
	for _, b := range r.Buttons {
		row.Components = append(row.Components, b.wire())
	}
	if r.Select != nil {
		row.Components = append(row.Components, r.Select.wire())
	}
	return row
}

func (b Button) wire() wireComponent {
	c := wireComponent{Type: componentButton, Style: 2, Label: b.Label, ID: b.ID, URL: b.URL, Disabled: b.Disabled}
	switch {
	case b.URL != "":
		c.Style, c.ID = 5, ""
	case b.Style == Primary:
		c.Style = 1
	case b.Style == Success:
		c.Style = 3
	case b.Style == Danger:
		c.Style = 4
	}
	if b.Emoji != "" {
		c.Emoji = &wireEmoji{Name: b.Emoji}
	}
	return c
}

func (s Select) wire() wireComponent {
	least, most := s.Min, max(s.Max, 1)
	c := wireComponent{
		Type: componentText, ID: s.ID, Placeholder: s.Placeholder, Min: &least, Max: &most,
		Disabled: s.Disabled,
	}
	kind := ""
	switch s.Kind {
	case SelectMember:
		c.Type, kind = componentMember, "user"
	case SelectRole:
		c.Type, kind = componentRole, "role"
	case SelectChannel:
		c.Type, kind, c.Channels = componentChannel, "channel", s.Channels
	case SelectText:
	}
	if kind == "" {
		for _, o := range s.Choices {
			c.Options = append(c.Options, wireOption{Label: o.Label, Value: o.Value, Description: o.Description, Default: o.Selected})
		}
		return c
	}
	for _, id := range s.Selected {
		c.Defaults = append(c.Defaults, wireDefault{ID: id, Type: kind})
	}
	return c
}

// wireModal is a form as Discord takes it. Source:
// interactions/receiving-and-responding, "Modal".
type wireModal struct {
	ID         string          `json:"custom_id"`
	Title      string          `json:"title"`
	Components []wireComponent `json:"components"`
}

// longestInput is how many characters a text field takes at most.
const longestInput = 4000

func (m Modal) wire() wireModal {
	w := wireModal{ID: m.ID, Title: m.Title, Components: []wireComponent{}}
	for _, f := range m.Fields {
		least, most, required, style := f.Min, f.Max, f.Required, 1
		if most == 0 {
			most = longestInput
		}
		if f.Long {
			style = 2
		}
		w.Components = append(w.Components, wireComponent{Type: componentLabel, Label: f.Label, Component: &wireComponent{
			Type: componentInput, ID: f.ID, Style: style, Value: f.Value, Placeholder: f.Placeholder,
			MinLength: &least, MaxLength: &most, Required: &required,
		}})
	}
	return w
}
