package compose

import (
	"net/url"
	"regexp"
	"slices"
	"strings"

	"rookery/internal/community"
	"rookery/internal/words"
)

// MaxLinks is how many links credits have at most, and MaxLink how long one is,
// in bytes.
const (
	MaxLinks = 5
	MaxLink  = 500
)

// Link is a web address that may stand in the credits, as it stands there;
// false for anything else. It begins with http:// or https:// (which is added to
// a bare "art.example/ada"), names a host with a dot in it and nobody to log in
// as.
func Link(s string) (string, bool) {
	s = strings.TrimSpace(s)
	if len(s) > MaxLink || s == "" || strings.ContainsFunc(s, unseen) || clean(s) != s || strings.ContainsAny(s, "\n<>\"|\\^`{}") {
		return "", false
	}
	if !strings.Contains(s, "://") {
		s = "https://" + s
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || u.Opaque != "" {
		return "", false
	}
	if host := u.Hostname(); !strings.Contains(strings.Trim(host, "."), ".") || strings.ContainsAny(host, "@＠*_ ") {
		return "", false
	}
	s = addressed(s)
	return s, community.WithoutMentions(s) == s && len(s) <= MaxLink
}

// escapes are what a name is written with so that Discord's markup leaves it
// alone.
var escapes = regexp.MustCompile(`\\([\\*_~|<>#\[\]()\x60:.+-])`)

// Warning is a content warning as it is posted: one line that addresses nobody.
func Warning(s string) string {
	return strings.Join(strings.Fields(community.WithoutMentions(clean(s))), " ")
}

// Credits says whose work it is: "Art by Ada — https://art.example/ada". Links
// that Link refuses are left out, as are those after the fifth, and repeated
// ones. It is empty if there is neither a name nor a link.
func Credits(name string, links []string, l words.Language) string {
	// What a name takes for a mention, it has before and after its direction is
	// set apart.
	name = nameOf(community.WithoutMentions(nameOf(escapes.ReplaceAllString(name, "$1"))))
	var good []string
	for _, s := range links {
		if s, ok := Link(s); ok && !slices.Contains(good, s) && len(good) < MaxLinks {
			good = append(good, s)
		}
	}
	args := words.Args{"name": name, "links": strings.Join(good, " ")}
	switch {
	case name == "" && len(good) == 0:
		return ""
	case name == "":
		return l.Say(words.GalleryComposeLinks, args)
	case len(good) == 0:
		return l.Say(words.GalleryComposeCredit, args)
	}
	return l.Say(words.GalleryComposeCreditLinks, args)
}
