package booru

import (
	"slices"
	"strings"
)

// MaxDescribed is how many words Describe returns at most.
const MaxDescribed = 20

// Describe lists what is to be seen in a picture, for its alt text: characters
// first, then the other tags in the board's order, as people write them.
// Ratings, tags about the file or the board's own work, and the names of those
// who made the picture are left out (see Credit). It can be empty.
func Describe(img Image) []string {
	skip := map[string]bool{}
	for _, tag := range img.Meta {
		skip[fold(tag)] = true
	}
	// A character may be named like a tag about the file.
	for _, tag := range img.Characters {
		delete(skip, fold(tag))
	}
	var out []string
	for _, tag := range slices.Concat(img.Characters, img.Tags) {
		tag = fold(tag)
		if skip[tag] || isSystem(tag) {
			continue
		}
		if space, name, ok := strings.Cut(tag, ":"); ok {
			switch {
			case isPerson(space), isAbout(space):
				continue
			case space == "oc", space == "character", space == "species", space == "series":
				tag = strings.TrimSpace(name)
			}
		}
		if tag == "" || slices.Contains(out, tag) {
			continue
		}
		if out = append(out, cut(tag, MaxTagSize)); len(out) == MaxDescribed {
			break
		}
	}
	return out
}

// Credit lists the artists of a picture, as people write them; it is empty if
// the board names none.
func Credit(img Image) []string {
	var out []string
	for _, a := range img.Artists {
		if a = cut(clean(a), MaxTagSize); a != "" && !slices.Contains(out, a) {
			out = append(out, a)
		}
	}
	return out
}

// isAbout is true for namespaces that say where a picture belongs, not what is
// seen in it.
func isAbout(space string) bool {
	switch space {
	case "spoiler", "art pack", "ask", "blog", "comic", "fanfic", "video", "album", "commission", "tag":
		return true
	}
	return false
}

// isSystem is true for ratings, and for tags of the boards about a file, its
// upload or the state of its tags.
func isSystem(tag string) bool {
	switch tag {
	case "safe", "sfw", "nsfw", "suggestive", "questionable", "explicit", "sensitive", "general",
		"grimdark", "semi-grimdark", "grotesque",
		"gif", "animated", "animated gif", "webm", "mp4", "sound", "no sound", "has audio", "loop", "perfect loop", "frame by frame",
		"high res", "highres", "hi res", "absurd resolution", "absurdres", "low res", "lowres", "superabsurd res",
		"artist needed", "source needed", "character needed", "tagme", "artist request", "character request",
		"source request", "copyright request", "check artist", "commentary request", "commentary",
		"edit", "edited", "upscaled", "downscaled", "deleted source", "unknown artist", "anonymous artist",
		"derpibooru import", "derpibooru exclusive", "derpibooru-import", "furbooru exclusive", "exported from furbooru",
		"exclusive", "useless source url", "dead source", "bad id", "bad pixiv id", "bad twitter id", "md5 mismatch",
		"third-party edit", "image macro needed", "upvotes galore", "featured image", "commission", "patreon", "patreon logo",
		"signature", "watermark", "artist name", "web address", "username", "conditional dnp", "avoid posting":
		return true
	}
	return false
}
