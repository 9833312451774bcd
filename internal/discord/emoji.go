package discord

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/disgoorg/disgo/rest"

	"rookery/internal/community"
)

// Emoji is one of a guild's own. Source: resources/emoji, "Emoji Object".
type Emoji struct {
	ID       string
	Name     string // letters, digits and _
	Animated bool
	URL      string // a PNG, or the GIF of an animated one
}

// Emoji are a guild's own emoji that can be used now, in Discord's order: a
// guild that has lost its boosts keeps more than its members may use. Class Gone
// or Forbidden: we are not in that guild.
func (d *Discord) Emoji(ctx context.Context, guild community.GuildID) ([]Emoji, error) {
	flake, err := parseID(string(guild))
	if err != nil {
		return nil, err
	}
	raw, err := get[[]json.RawMessage](ctx, d, "list the emoji", rest.GetEmojis.Compile(nil, flake))
	if err != nil {
		return nil, err
	}
	var out []Emoji
	each(raw, func(w struct {
		ID        string `json:"id"`
		Name      string `json:"name"`
		Animated  bool   `json:"animated"`
		Available *bool  `json:"available"`
	},
	) {
		if !digits(w.ID) || w.Name == "" || w.Available != nil && !*w.Available {
			return
		}
		e := Emoji{ID: w.ID, Name: w.Name, Animated: w.Animated, URL: strings.TrimSuffix(d.CDN, "/") + "/emojis/" + w.ID + ".png"}
		if w.Animated {
			e.URL = strings.TrimSuffix(e.URL, "png") + "gif"
		}
		out = append(out, e)
	})
	return out, nil
}
