package gallery

import (
	"net/url"
	"path"
	"strings"

	"rookery/internal/discord"
)

// mediaOf are the files of a message that can be shared, and what its links
// show: a link whose embed has an image or a film.
func mediaOf(o discord.Original, k kinds) []medium {
	var all []medium
	for _, f := range o.Files {
		if k.take(f.Type, f.Name) {
			all = append(all, medium{ID: f.ID, Name: f.Name, Type: typeOf(f.Type, f.Name), URL: f.URL, Size: f.Size, Width: f.Width, Height: f.Height,
				Spoiler: f.Spoiler, Alt: strings.TrimSpace(f.Description), By: byIf(f.Description)})
		}
	}
	seen := map[string]bool{}
	for _, e := range o.Embeds {
		m, ok := embedded(e)
		if !ok || seen[m.ID] || !k.take(m.Type, m.Name) {
			continue
		}
		seen[m.ID] = true
		m.Spoiler = hidden(o.Content, e.URL)
		all = append(all, m)
	}
	for i := range all {
		all[i].N = i + 1
	}
	return all
}

func byIf(description string) altBy {
	if strings.TrimSpace(description) == "" {
		return byNobody
	}
	return byDiscord
}

// embedded is what a link shows. A file on Discord's own servers that a message
// links to was put there with another message, maybe by somebody else: only its
// author can share that one.
func embedded(e discord.OriginalEmbed) (medium, bool) {
	from, kind := e.Image, "image/"
	if from.URL == "" && e.Kind == "image" {
		from = e.Thumbnail
	}
	if e.Video.URL != "" && (strings.HasPrefix(e.Video.Type, "video/") || filmName(e.Video.URL)) {
		from, kind = e.Video, "video/"
	}
	if from.URL == "" || quoted(from.URL) || quoted(e.URL) {
		return medium{}, false
	}
	u, err := url.Parse(from.URL)
	if err != nil || u.Host == "" {
		return medium{}, false
	}
	name := path.Base(u.Path)
	if name == "." || name == "/" {
		name = u.Host
	}
	t := from.Type
	if t == "" {
		t = typeOf("", name)
	}
	if !strings.HasPrefix(t, kind) {
		t = kind + "*"
	}
	return medium{ID: "embed:" + from.URL, Name: name, Type: t, URL: from.URL, Width: from.Width, Height: from.Height, Embed: true,
		Alt: strings.TrimSpace(from.Description), By: byIf(from.Description)}, true
}

func filmName(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	switch strings.ToLower(path.Ext(u.Path)) {
	case ".mp4", ".webm", ".mov", ".m4v":
		return true
	}
	return false
}

// quoted tells whether an address is of a file that was sent with a message.
func quoted(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	host := strings.ToLower(u.Hostname())
	return (host == "cdn.discordapp.com" || host == "media.discordapp.net") && strings.Contains(u.Path, "attachments/")
}

// hidden tells whether an address stands between the marks of a spoiler.
func hidden(content, address string) bool {
	if address == "" {
		return false
	}
	for i, part := range strings.Split(content, "||") {
		if i%2 == 1 && strings.Contains(part, address) {
			return true
		}
	}
	return false
}

// take tells whether a file of a type may be shared.
func (k kinds) take(mime, name string) bool {
	switch kind, _, _ := strings.Cut(typeOf(mime, name), "/"); kind {
	case "image":
		return k.images
	case "video":
		return k.videos
	case "audio":
		return k.sound
	}
	return false
}

// typeOf is a file's type as far as Discord says, which goes by its name. What
// it really is the worker finds out.
func typeOf(mime, name string) string {
	if mime, _, _ = strings.Cut(mime, ";"); mime != "" {
		return strings.ToLower(strings.TrimSpace(mime))
	}
	switch strings.ToLower(path.Ext(name)) {
	case ".png", ".apng":
		return "image/png"
	case ".jpg", ".jpeg", ".jfif":
		return "image/jpeg"
	case ".gif":
		return "image/gif"
	case ".webp":
		return "image/webp"
	case ".avif":
		return "image/avif"
	case ".heic":
		return "image/heic"
	case ".mp4", ".m4v":
		return "video/mp4"
	case ".mov":
		return "video/quicktime"
	case ".webm":
		return "video/webm"
	case ".mp3":
		return "audio/mpeg"
	case ".ogg", ".opus":
		return "audio/ogg"
	case ".wav":
		return "audio/wav"
	case ".flac":
		return "audio/flac"
	case ".m4a":
		return "audio/mp4"
	}
	return ""
}
