package discord

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// Types of interactions. Source: interactions/receiving-and-responding,
// "Interaction Type".
const (
	interactionCommand   = 2
	interactionComponent = 3
	interactionComplete  = 4
	interactionForm      = 5
)

// interaction is what Discord tells of a press, as far as it is used. Source:
// interactions/receiving-and-responding, "Interaction Structure".
type interaction struct {
	ID          string                     `json:"id"`
	Application string                     `json:"application_id"`
	Type        int                        `json:"type"`
	Token       string                     `json:"token"`
	Data        interactionData            `json:"data"`
	Guild       string                     `json:"guild_id"`
	Channel     *interactionChannel        `json:"channel"`
	ChannelID   string                     `json:"channel_id"`
	Member      *interactionMember         `json:"member"`
	User        *gotUser                   `json:"user"`
	Message     json.RawMessage            `json:"message"`
	Ours        wirePermission             `json:"app_permissions"`
	Locale      string                     `json:"locale"`
	GuildLocale string                     `json:"guild_locale"`
	Owners      map[string]json.RawMessage `json:"authorizing_integration_owners"`
	Context     *int                       `json:"context"` // 0 guild, 1 direct message with the bot, 2 any other
	Largest     int64                      `json:"attachment_size_limit"`

	at       time.Time // by Discord's clock
	received time.Time // by ours
}

type interactionData struct {
	// of a command
	Kind     CommandKind         `json:"type"`
	Name     string              `json:"name"`
	Options  []interactionOption `json:"options"`
	Target   string              `json:"target_id"`
	Resolved struct {
		Users       map[string]gotUser           `json:"users"`
		Members     map[string]interactionMember `json:"members"`
		Messages    map[string]json.RawMessage   `json:"messages"`
		Attachments map[string]struct {
			Name        string `json:"filename"`
			Type        string `json:"content_type"`
			URL         string `json:"url"`
			Description string `json:"description"`
			Size        int64  `json:"size"`
		} `json:"attachments"`
	} `json:"resolved"`
	// of a component or a form
	CustomID   string       `json:"custom_id"`
	Values     []string     `json:"values"`
	Components []filledPart `json:"components"`
}

type interactionOption struct {
	Name    string              `json:"name"`
	Kind    OptionKind          `json:"type"`
	Value   json.RawMessage     `json:"value"`
	Options []interactionOption `json:"options"`
	Focused bool                `json:"focused"`
}

// filledPart is a component of a form that was sent: a row or a label with
// others in it, or a field.
type filledPart struct {
	ID         string       `json:"custom_id"`
	Value      *string      `json:"value"`
	Components []filledPart `json:"components"`
	Component  *filledPart  `json:"component"`
}

type interactionChannel struct {
	ID     string `json:"id"`
	Kind   int    `json:"type"`
	NSFW   bool   `json:"nsfw"`
	Parent string `json:"parent_id"`
}

type interactionMember struct {
	User        gotUser        `json:"user"`
	Nick        string         `json:"nick"`
	Roles       []string       `json:"roles"`
	Permissions wirePermission `json:"permissions"`
}

// wirePermission is a set of permissions in decimal digits.
type wirePermission Permission

// UnmarshalJSON implements json.Unmarshaler; what is no number is no
// permission.
func (w *wirePermission) UnmarshalJSON(b []byte) error {
	var s json.Number // takes a number too
	if json.Unmarshal(b, &s) == nil {
		n, _ := strconv.ParseUint(s.String(), 10, 64)
		*w = wirePermission(n)
	}
	return nil
}

// subKind is an option that is a subcommand.
const subKind = 1

// readInteraction reads what a press is about; an error if it lacks what any
// answer needs.
func readInteraction(raw json.RawMessage) (*interaction, error) {
	in := &interaction{}
	if err := json.Unmarshal(raw, in); err != nil {
		return nil, fmt.Errorf("read an interaction: %w", err)
	}
	in.at = timeOf(in.ID)
	if in.at.IsZero() || in.Token == "" {
		return nil, errors.New("read an interaction: it has no id or no token")
	}
	if in.Channel == nil {
		in.Channel = &interactionChannel{ID: in.ChannelID}
	}
	if in.ChannelID == "" {
		in.ChannelID = in.Channel.ID
	}
	if in.Member == nil {
		in.Member = &interactionMember{}
	}
	if in.User != nil {
		in.Member.User = *in.User
	}
	if in.Member.User.ID == "" {
		return nil, errors.New("read an interaction: it says not from whom it is")
	}
	return in, nil
}

// sub is the subcommand that was given, "" for none, and the options that came
// with it.
func (d interactionData) sub() (string, []interactionOption) {
	if len(d.Options) == 1 && d.Options[0].Kind == subKind {
		return d.Options[0].Name, d.Options[0].Options
	}
	return "", d.Options
}

// fields are the texts of a form that was sent, by their ids.
func (d interactionData) fields() map[string]string {
	all := map[string]string{}
	var walk func(parts []filledPart, depth int)
	walk = func(parts []filledPart, depth int) {
		for _, p := range parts {
			if p.ID != "" && p.Value != nil {
				all[p.ID] = *p.Value
			}
			if depth == 0 {
				continue
			}
			walk(p.Components, depth-1)
			if p.Component != nil {
				walk([]filledPart{*p.Component}, depth-1)
			}
		}
	}
	const deepest = 4
	walk(d.Components, deepest)
	return all
}

// options are what was given with a command, by their names.
func (d interactionData) options() Options {
	all := Options{}
	_, given := d.sub()
	for _, o := range given {
		v := Value{Kind: o.Kind, Raw: o.Value}
		if o.Kind == OptionFile {
			var id string
			_ = json.Unmarshal(o.Value, &id)
			if a, ok := d.Resolved.Attachments[id]; ok {
				v.File = &Attached{Name: a.Name, Type: a.Type, URL: a.URL, Description: a.Description, Size: a.Size}
			}
		}
		all[o.Name] = v
	}
	return all
}
