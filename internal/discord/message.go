package discord

import "rookery/internal/community"

// Limits of the platform. Source: resources/message, "Message Limitations" of
// components/reference.
const (
	MaxContent     = 2000     // characters of a message
	MaxDescription = 1024     // characters of an attachment's description
	MaxFiles       = 10       // of one message
	MaxFileSize    = 10 << 20 // bytes of one file where a guild has no boosts
	MaxRows        = 5        // of components
	MaxButtons     = 5        // in a row
	MaxChoices     = 25       // of a select menu, and of an autocomplete
)

// Message is what a message of ours looks like. It is stored as JSON with the
// effect that sends it, so its fields stay.
type Message struct {
	Content string               `json:"content,omitempty"` // Discord's markdown; see Plain for what members wrote
	Embeds  []Embed              `json:"embeds,omitempty"`
	Files   []File               `json:"files,omitempty"`
	Rows    []Row                `json:"rows,omitempty"`
	Pings   []community.MemberID `json:"pings,omitempty"` // who of those it mentions is notified; nobody else ever is
	// NoPreviews keeps links from growing embeds.
	NoPreviews bool `json:"no_previews,omitempty"`
}

// Embed is a box in a message.
type Embed struct {
	Title  string       `json:"title,omitempty"`
	URL    string       `json:"url,omitempty"`
	Text   string       `json:"text,omitempty"`
	Footer string       `json:"footer,omitempty"`
	Image  string       `json:"image,omitempty"` // URL, or "attachment://name"
	Fields []EmbedField `json:"fields,omitempty"`
}

// EmbedField is a titled part of an embed.
type EmbedField struct {
	Name   string `json:"name"`
	Value  string `json:"value"`
	Inline bool   `json:"inline,omitempty"`
}

// File is an attachment. Its bytes were handed to Discord.Attach under Key, or
// stand in Text.
type File struct {
	Key         string `json:"key,omitempty"`
	Text        string `json:"text,omitempty"` // a small text file, when Key is empty
	Name        string `json:"name"`
	Description string `json:"description,omitempty"` // alt text, MaxDescription characters at most
	Spoiler     bool   `json:"spoiler,omitempty"`
}

// Row is a row of a message: buttons, or one select menu.
type Row struct {
	Buttons []Button `json:"buttons,omitempty"`
	Select  *Select  `json:"select,omitempty"`
}

// Style is how a button looks.
type Style string

// The styles.
const (
	Plain   Style = ""
	Primary Style = "primary"
	Success Style = "success"
	Danger  Style = "danger"
	Link    Style = "link"
)

// Button is pressed. Its ID is made by CustomID and holds all that is needed,
// so that a press works after a restart; one with a URL opens that.
type Button struct {
	ID       string `json:"id,omitempty"`
	URL      string `json:"url,omitempty"`
	Label    string `json:"label,omitempty"`
	Emoji    string `json:"emoji,omitempty"` // unicode
	Style    Style  `json:"style,omitempty"`
	Disabled bool   `json:"disabled,omitempty"`
}

// SelectKind says what a menu offers.
type SelectKind string

// The kinds of menus.
const (
	SelectText    SelectKind = "text" // the Choices
	SelectMember  SelectKind = "member"
	SelectRole    SelectKind = "role"
	SelectChannel SelectKind = "channel"
)

// Select is a menu.
type Select struct {
	ID          string     `json:"id"`
	Kind        SelectKind `json:"kind"`
	Choices     []Choice   `json:"choices,omitempty"`
	Channels    []int      `json:"channels,omitempty"` // kinds of channels offered
	Placeholder string     `json:"placeholder,omitempty"`
	Min         int        `json:"min"`
	Max         int        `json:"max"`                // 0 means 1
	Selected    []string   `json:"selected,omitempty"` // ids that are chosen at first, of members, roles or channels
	Disabled    bool       `json:"disabled,omitempty"`
}

// Choice is one thing to choose, in a menu or while typing.
type Choice struct {
	Label       string `json:"label"`
	Value       string `json:"value"`
	Description string `json:"description,omitempty"` // menus only
	Selected    bool   `json:"selected,omitempty"`    // menus only
}

// Modal is a form. It can only be the first answer to a press.
type Modal struct {
	ID     string // made by CustomID
	Title  string // 45 characters at most
	Fields []Input
}

// Input is a text field of a form.
type Input struct {
	ID          string
	Label       string // 45 characters at most
	Value       string
	Placeholder string
	Min, Max    int // characters; Max 0 means 4000
	Long        bool
	Required    bool
}
