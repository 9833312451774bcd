package discordsim

import (
	"bytes"
	"image"
	"image/color"
	"image/gif"
	"image/png"
	"net/http"
	"path"
	"strings"
)

// emoji is one of a guild. Two of a guild may have the same name.
type emoji struct {
	id, name string
	animated bool
	data     []byte
}

// Emoji is an emoji of a guild, for a test to look at.
type Emoji struct {
	ID, Name string
	Animated bool
	Data     []byte
}

// AddEmoji gives a guild an emoji and returns its id. Without data it is a
// small square; an animated one should be a GIF.
func (s *Server) AddEmoji(guildID, name string, animated bool, data []byte) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.mustGuild(guildID)
	e := &emoji{id: s.nextID(), name: name, animated: animated, data: data}
	if e.data == nil {
		e.data = square(animated)
	}
	g.emojis = append(g.emojis, e)
	s.emitEmojis(g)
	return e.id
}

// RenameEmoji gives an emoji another name.
func (s *Server) RenameEmoji(guildID, emojiID, name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.mustGuild(guildID)
	if e := g.emoji(emojiID); e != nil {
		e.name = name
		s.emitEmojis(g)
	}
}

// DeleteEmoji takes an emoji from a guild.
func (s *Server) DeleteEmoji(guildID, emojiID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.mustGuild(guildID)
	if e := g.emoji(emojiID); e != nil {
		g.emojis = remove(g.emojis, e)
		s.emitEmojis(g)
	}
}

// Emojis are a guild's emoji, in the order they were made.
func (s *Server) Emojis(guildID string) []Emoji {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Emoji
	for _, e := range s.mustGuild(guildID).emojis {
		out = append(out, Emoji{ID: e.id, Name: e.name, Animated: e.animated, Data: bytes.Clone(e.data)})
	}
	return out
}

func (g *guild) emoji(id string) *emoji {
	for _, e := range g.emojis {
		if e.id == id {
			return e
		}
	}
	return nil
}

// emojiOf finds an emoji in any guild, and the guild.
func (s *Server) emojiOf(id string) (*guild, *emoji) {
	if id == "" {
		return nil, nil
	}
	for _, g := range s.order {
		if e := g.emoji(id); e != nil {
			return g, e
		}
	}
	return nil, nil
}

// square is a picture of one colour; a moving one has two.
func square(animated bool) []byte {
	frame := func(c color.Color) *image.Paletted {
		return image.NewPaletted(image.Rect(0, 0, 16, 16), color.Palette{c, color.Transparent})
	}
	var b bytes.Buffer
	one := frame(color.RGBA{90, 60, 160, 255})
	if animated {
		two := frame(color.RGBA{250, 180, 40, 255})
		_ = gif.EncodeAll(&b, &gif.GIF{Image: []*image.Paletted{one, two}, Delay: []int{20, 20}}) // of pictures made here
	} else {
		_ = png.Encode(&b, one) // of a picture made here, into memory
	}
	return b.Bytes()
}

// emitEmojis tells of all emoji of a guild. Source:
// events/gateway-events#guild-emojis-update.
func (s *Server) emitEmojis(g *guild) {
	s.emit(event{Name: "GUILD_EMOJIS_UPDATE", Guild: g.id, Payload: obj{"guild_id": g.id, "emojis": s.renderEmojis(g)}})
}

func (s *Server) renderEmojis(g *guild) []any {
	out := []any{}
	for _, e := range g.emojis {
		out = append(out, s.renderGuildEmoji(g, e, false))
	}
	return out
}

// renderGuildEmoji writes an emoji; who made it is told only where it is asked
// for and may be known. Source: resources/emoji, "Emoji Object".
func (s *Server) renderGuildEmoji(g *guild, e *emoji, creator bool) obj {
	o := obj{
		"id": e.id, "name": e.name, "roles": []any{}, "require_colons": true, "managed": false, "animated": e.animated, "available": true,
	}
	if creator {
		o["user"] = s.renderUserID(g.owner)
	}
	return o
}

// getEmojis. Source: resources/emoji#list-guild-emojis.
func (s *Server) getEmojis(_ *request, g *guild) *answer {
	creator := s.basePermissions(g, s.appID)&(CreateGuildExpressions|ManageGuildExpressions) != 0
	out := []any{}
	for _, e := range g.emojis {
		out = append(out, s.renderGuildEmoji(g, e, creator))
	}
	return jsonAnswer(http.StatusOK, out)
}

// getEmoji. Source: resources/emoji#get-guild-emoji.
func (s *Server) getEmoji(q *request, g *guild) *answer {
	e := g.emoji(q.id("emoji_id"))
	if e == nil {
		return failWith(http.StatusNotFound, 10014, "Unknown Emoji")
	}
	return jsonAnswer(http.StatusOK, s.renderGuildEmoji(g, e, s.basePermissions(g, s.appID)&ManageGuildExpressions != 0))
}

// serveEmoji serves an emoji's picture: as it is, whatever it is, for .webp,
// because nothing here writes WebP; for .gif when it moves; for .png its first
// picture. Source: reference#image-formatting, resources/emoji#emoji-object-emoji-formats.
func (s *Server) serveEmoji(w http.ResponseWriter, r *http.Request) {
	name := path.Base(r.URL.Path)
	ext := path.Ext(name)
	id := strings.TrimSuffix(name, ext)
	s.mu.Lock()
	_, e := s.emojiOf(id)
	how := s.servings[id]
	s.mu.Unlock()
	if e == nil {
		http.NotFound(w, r)
		return
	}
	data := e.data
	switch ext {
	case ".gif":
		if !e.animated {
			http.Error(w, "This emoji does not move.", http.StatusUnsupportedMediaType)
			return
		}
	case ".png":
		if http.DetectContentType(data) != "image/png" {
			if data = stillPNG(data); data == nil {
				http.Error(w, "This emoji cannot be converted.", http.StatusUnsupportedMediaType)
				return
			}
		}
	case ".webp":
	default:
		http.NotFound(w, r)
		return
	}
	s.hand(w, r, http.DetectContentType(data), data, how)
}

// stillPNG is the first picture of a file as PNG; nil for what cannot be read.
func stillPNG(data []byte) []byte {
	img, _, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		return nil
	}
	var b bytes.Buffer
	if png.Encode(&b, img) != nil {
		return nil
	}
	return b.Bytes()
}
