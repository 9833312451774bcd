package emoji

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// naming is a source with its shortcode.
type naming struct {
	Source
	shortcode string
}

// named gives every source a shortcode that differs from all others, also
// where large and small letters are the same: Mastodon and many file systems
// do not tell them apart. The result is sorted, and depends on the sources
// alone, not on their order.
func named(sources []Source) []naming {
	all := make([]naming, len(sources))
	for i, s := range sources {
		all[i] = naming{s, clean(s.Name)}
	}
	slices.SortFunc(all, func(a, b naming) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.URL, b.URL))
	})
	taken := map[string]bool{}
	var clash []int
	for i, n := range all {
		if taken[strings.ToLower(n.shortcode)] {
			clash = append(clash, i) // after all that need no number have theirs
			continue
		}
		taken[strings.ToLower(n.shortcode)] = true
	}
	for _, i := range clash {
		for n := 2; ; n++ {
			end := "_" + strconv.Itoa(n)
			try := all[i].shortcode[:min(len(all[i].shortcode), mastodonName-len(end))] + end
			if !taken[strings.ToLower(try)] {
				all[i].shortcode, taken[strings.ToLower(try)] = try, true
				break
			}
		}
	}
	slices.SortFunc(all, func(a, b naming) int { return cmp.Compare(a.shortcode, b.shortcode) })
	return all
}

var foreign = regexp.MustCompile(`[^A-Za-z0-9_]+`)

// clean is a shortcode for a name: letters, digits and _, from two characters
// on.
func clean(name string) string {
	s := foreign.ReplaceAllString(name, "_")
	switch {
	case strings.Trim(s, "_") == "" && strings.Trim(name, "_") != "", s == "":
		return "emoji" // nothing of the name is left
	case len(s) == 1:
		return "emoji_" + s
	}
	return s[:min(len(s), mastodonName)]
}

// reserved are names that Windows keeps for devices, whatever follows the dot.
var reserved = regexp.MustCompile(`(?i)^(con|prn|aux|nul|com[0-9]|lpt[0-9])$`)

// fileName is the name of a shortcode's file. No shortcode has a hyphen.
func fileName(shortcode, ext string) string {
	if reserved.MatchString(shortcode) {
		shortcode += "-"
	}
	return shortcode + ext
}

var foreignToFolder = regexp.MustCompile(`[^a-z0-9_]+`)

// packName is a pack's name as that of a file.
func packName(name string) string {
	const most = 60
	s := foreignToFolder.ReplaceAllString(strings.ToLower(name), "-")
	s = strings.Trim(s[:min(len(s), most)], "-_")
	if s == "" {
		return "emoji"
	}
	return fileName(s, "")
}
