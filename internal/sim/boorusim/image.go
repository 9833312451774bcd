package boorusim

import (
	"slices"
	"strings"
	"time"
	"unicode"
)

// Rating is how fit a picture is to be seen, in the words of Philomena.
type Rating string

// The ratings of a picture. Philomena has each as a tag; Danbooru has g, s, q
// and e for the first four; e621 has s, q and e, and takes suggestive for q.
// The dark ones are e on both.
const (
	Unrated      Rating = "" // no rating's tag; on the other boards a rating of null
	Safe         Rating = "safe"
	Suggestive   Rating = "suggestive"
	Questionable Rating = "questionable"
	Explicit     Rating = "explicit"
	SemiGrimdark Rating = "semi-grimdark"
	Grimdark     Rating = "grimdark"
	Grotesque    Rating = "grotesque"
)

// Image is a picture of a board. Only what a test is about must be given; Add
// fills in the rest.
//
// Tags are written as a person writes them, with spaces. Danbooru and e621 make
// underscores of those, and Philomena puts "artist:" before artists.
type Image struct {
	ID         int64 // 0: the next free one
	Rating     Rating
	RawRating  string // what Danbooru and e621 say instead of the letter of Rating
	Tags       []string
	Artists    []string
	Characters []string
	Species    []string
	Copyrights []string
	Meta       []string
	Aliases    []string // other names of its tags: they find it and are not shown

	Width, Height int    // 0: 64 x 48
	Frames        int    // 0: 4; 1 is a still picture
	Format        string // ending of its name: "" is gif; png and jpg are drawn too
	Scene         Scene  // what is to be seen; empty: a moving square
	Size          int64  // bytes that the document tells; 0: those of the file

	Upvotes, Downvotes, Faves, Comments int // the score is Upvotes - Downvotes
	FavedBy                             []string
	Uploader                            string // empty: anonymous
	UploaderID                          int64
	Name                                string // of the uploaded file
	Description                         string
	Sources                             []string
	Created, Updated, FirstSeen         time.Time

	Deleted        bool
	DeletionReason string
	DuplicateOf    int64 // merged into this one, which makes it hidden too
	Stale          bool  // the search still finds it although it is hidden

	NoThumbnails      bool // thumbnails_generated is false and the files are 404
	Unprocessed       bool // processed is false
	NoRepresentations bool // the document has no addresses of files

	// Files are served in place of the drawn ones, by the name of the
	// representation: Full, Large and so on; All stands for those not named.
	// MP4 and WebM are in the document only if they are here.
	Files map[string]File
}

// Representations of Philomena. Danbooru and e621 have Full and, as a still
// JPEG, Thumb.
const (
	All        = "*"
	Full       = "full"
	Tall       = "tall"
	Large      = "large"
	Medium     = "medium"
	Small      = "small"
	Thumb      = "thumb"
	ThumbSmall = "thumb_small"
	ThumbTiny  = "thumb_tiny"
	MP4        = "mp4"
	WebM       = "webm"
)

// hidden is what the board itself calls hidden_from_users.
func (im *Image) hidden() bool { return im.Deleted || im.DuplicateOf != 0 }

func (im *Image) score() int { return im.Upvotes - im.Downvotes }

// duration is in seconds; every frame lasts a tenth.
func (im *Image) duration() float64 {
	if !im.animated() {
		return 0
	}
	return float64(im.Frames) / 10
}

func (im *Image) animated() bool {
	return im.Frames > 1 && im.Format != "png" && im.Format != "jpg"
}

func (im *Image) mime() string {
	switch im.Format {
	case "jpg", "jpeg":
		return "image/jpeg"
	case "svg":
		return "image/svg+xml"
	case "webm", "mp4":
		return "video/" + im.Format
	}
	return "image/" + im.Format
}

// complete fills in what was not given.
func (im *Image) complete() {
	def := func(p *int, v int) {
		if *p == 0 {
			*p = v
		}
	}
	def(&im.Width, 64)
	def(&im.Height, 48)
	def(&im.Frames, 4)
	if im.Format == "" {
		im.Format = "gif"
	}
	if im.Created.IsZero() {
		im.Created = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(im.ID) * time.Minute)
	}
	if im.Updated.IsZero() {
		im.Updated = im.Created
	}
	if im.FirstSeen.IsZero() {
		im.FirstSeen = im.Created
	}
	if im.Name == "" {
		im.Name = "picture." + im.Format
	}
	if im.Uploader != "" && im.UploaderID == 0 {
		im.UploaderID = 1
	}
	if im.Deleted && im.DeletionReason == "" {
		im.DeletionReason = "Rule #0"
	}
}

// philomenaTags are all tags as Philomena writes them, each once.
func (im *Image) philomenaTags() []string {
	var all []string
	add := func(prefix string, names ...string) {
		for _, name := range names {
			if name = cleanTag(prefix + name); name != "" && !slices.Contains(all, name) {
				all = append(all, name)
			}
		}
	}
	add("", string(im.Rating))
	add("artist:", im.Artists...)
	add("", im.Characters...)
	add("", im.Species...)
	add("", im.Copyrights...)
	add("", im.Tags...)
	add("", im.Meta...)
	return all
}

// underscored is a list of tags as Danbooru and e621 write them.
func underscored(names []string) []string {
	all := []string{}
	for _, name := range names {
		if name = strings.ToLower(strings.Join(strings.Fields(name), "_")); name != "" && !slices.Contains(all, name) {
			all = append(all, name)
		}
	}
	return all
}

// cleanTag writes a tag as Philomena does, in its own tags as in a query:
// Tag.clean_tag_name in lib/philomena/tags/tag.ex.
func cleanTag(name string) string {
	var b strings.Builder
	space := false
	for _, r := range strings.ToLower(name) {
		switch {
		case unicode.IsSpace(r), r == 0x180e, r >= 0x200b && r <= 0x200f, r == 0xfeff:
			space = true
			continue
		case strings.ContainsRune("\u00b4\u2018\u2019\u201a\u201b\u2032", r):
			r = '\''
		case strings.ContainsRune("\u201c\u201d\u201e\u201f\u2033", r):
			r = '"'
		}
		if space && b.Len() > 0 {
			b.WriteByte(' ')
		}
		space = false
		b.WriteRune(r)
	}
	name = b.String()
	if space, rest, ok := strings.Cut(name, ":"); ok && namespace(strings.TrimSpace(space)) {
		name = strings.TrimSpace(space) + ":" + strings.TrimSpace(rest)
	}
	for _, keeps := range []string{"artist:", "colorist:", "editor:", "oc:", "photographer:"} {
		if strings.HasPrefix(name, keeps) {
			return name
		}
	}
	return strings.ReplaceAll(name, "_", " ")
}

func namespace(s string) bool {
	switch s {
	case "artist", "art pack", "ask", "blog", "colorist", "comic", "editor", "fanfic", "oc", "parent", "parents",
		"photographer", "series", "species", "spoiler", "video", "musician", "album":
		return true
	}
	return false
}

// slug is a tag's name in addresses: Philomena.Slug.
func slug(tag string) string {
	return strings.NewReplacer("-", "-dash-", "/", "-fwslash-", `\`, "-bwslash-", ":", "-colon-", ".", "-dot-",
		"+", "-plus-", " ", "+").Replace(tag)
}
