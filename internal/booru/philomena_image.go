package booru

import (
	"encoding/json"
	"math"
	"net/url"
	"strings"
)

// philomenaImage is an image document, in the shape of today and in older ones
// (Booru-on-Rails: tags as one text, original_format, is_rendered).
type philomenaImage struct {
	ID             text            `json:"id"`
	Format         text            `json:"format"`
	OriginalFormat text            `json:"original_format"`
	MIME           text            `json:"mime_type"`
	Animated       *bool           `json:"animated"`
	Width          number          `json:"width"`
	Height         number          `json:"height"`
	Size           number          `json:"size"`
	Tags           list            `json:"tags"`
	SourceURL      text            `json:"source_url"`
	SourceURLs     list            `json:"source_urls"`
	ViewURL        text            `json:"view_url"`
	OldImage       text            `json:"image"`
	Represented    map[string]text `json:"representations"`
	Rendered       *bool           `json:"thumbnails_generated"`
	OldRendered    *bool           `json:"is_rendered"`
	DuplicateOf    text            `json:"duplicate_of"`
	DeletionReason text            `json:"deletion_reason"`
	Hidden         *bool           `json:"hidden_from_users"`
}

// bounds are the boxes that Philomena scales a picture into
// (https://derpibooru.org/pages/api, representations).
var bounds = []struct {
	name          string
	width, height number
}{
	{"large", 1280, 1024}, {"medium", 800, 600}, {"small", 320, 240}, {"thumb", 250, 250},
}

// image reads one document; ok is false for what is no picture to show.
func (p *Philomena) image(raw json.RawMessage) (img Image, ok bool) {
	var d philomenaImage
	if json.Unmarshal(raw, &d) != nil || d.ID == "" {
		return Image{}, false
	}
	switch {
	case d.DuplicateOf != "", d.DeletionReason != "", is(d.Hidden):
		return Image{}, false
	case d.Rendered != nil && !*d.Rendered, d.OldRendered != nil && !*d.OldRendered:
		return Image{}, false
	case len(d.Represented) == 0, d.Animated != nil && !*d.Animated, !d.gif():
		return Image{}, false
	}
	img = Image{
		Source: p.name, ID: string(d.ID), Page: p.base.JoinPath("images", string(d.ID)).String(),
		Origin: origins(append(d.SourceURLs, string(d.SourceURL))),
		Tags:   d.Tags, Rating: philomenaRating(d.Tags),
		Files: d.files(p.base),
	}
	for _, tag := range d.Tags {
		space, name, _ := strings.Cut(clean(tag), ":")
		switch space {
		case "artist":
			img.Artists = append(img.Artists, name)
		case "oc", "character":
			img.Characters = append(img.Characters, name)
		}
	}
	return img, len(img.Files) > 0
}

func is(b *bool) bool { return b != nil && *b }

// gif needs every word about the format to agree.
func (d philomenaImage) gif() bool {
	said := false
	for _, f := range []text{d.Format, d.OriginalFormat, d.MIME} {
		if f == "" {
			continue
		}
		if said = true; !strings.EqualFold(strings.TrimPrefix(string(f), "image/"), "gif") {
			return false
		}
	}
	return said
}

// files lists the forms of the picture. What is not larger than a box is not
// scaled into it: the address of such a form leads to the full picture again.
func (d philomenaImage) files(base *url.URL) []File {
	var out fileList
	w, h := d.Width, d.Height
	for _, full := range []text{d.Represented["full"], d.ViewURL, d.OldImage} {
		if out.add(base, full, w, h, d.Size); len(out) > 0 {
			break
		}
	}
	for _, b := range bounds {
		scale := number(1)
		if w > 0 && h > 0 {
			scale = min(b.width/w, b.height/h)
			if scale >= 1 && len(out) > 0 {
				continue
			}
		}
		out.add(base, d.Represented[b.name], shrink(w, scale), shrink(h, scale), 0)
	}
	return out
}

// shrink is at least one pixel, but for a length that is not known.
func shrink(length, scale number) number {
	if length == 0 {
		return 0
	}
	return max(1, number(math.Round(float64(length*min(scale, 1)))))
}

// philomenaRating reads the rating from the tags. A picture has one of safe to
// explicit and may have one of the darker ones beside it, but not beside safe
// (https://derpibooru.org/pages/tags, ratings).
func philomenaRating(tags []string) Rating {
	said, dark := RatingUnknown, RatingUnknown
	for _, tag := range tags {
		var r Rating
		switch fold(tag) {
		case "safe":
			r = Safe
		case "suggestive":
			r = Suggestive
		case "questionable":
			r = Questionable
		case "explicit":
			r = Explicit
		case "semi-grimdark":
			dark = max(dark, Questionable)
			continue
		case "grimdark", "grotesque":
			dark = Explicit
			continue
		default:
			continue
		}
		if said != RatingUnknown && said != r {
			return RatingUnknown
		}
		said = r
	}
	if said == Safe && dark != RatingUnknown {
		return RatingUnknown
	}
	return max(said, dark)
}
