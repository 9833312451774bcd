package fedi

import (
	"slices"
	"strings"
	"unicode"

	"rookery/internal/htmltext"
)

// lacks tells what of a draft a post did not take over, of that which matters
// and can be told: that nothing is shown which was taken out or should be
// covered, and the descriptions of its media. Empty for nothing.
func lacks(s Status, d Draft) (Class, string) {
	switch {
	case len(s.MediaAttachments) > len(d.MediaIDs):
		return Unsupported, "the server has left files that were taken out of the post"
	case d.Text != "" && (d.CW == "") != (strings.TrimSpace(s.SpoilerText) == ""): // Mastodon makes a warning without a text the text
		return Unsupported, "the server did not change the content warning"
	case d.Sensitive && !s.Sensitive && s.SpoilerText == "" && len(s.MediaAttachments) > 0:
		return Unsupported, "the server did not mark the post as sensitive"
	case undescribed(s.MediaAttachments, d):
		return Class(ReasonDescriptions), "the server did not keep the descriptions of the media"
	}
	return "", ""
}

// undescribed tells that media of a post do not have the descriptions that the
// draft gives them. Where the server has given the files other ids (renames)
// their order tells which is which, or, if some are missing, nothing does and
// any place will do.
func undescribed(got []MediaAttachment, d Draft) bool {
	for n, id := range d.MediaIDs {
		want, ok := d.MediaDescriptions[id]
		if !ok {
			continue
		}
		is := func(m MediaAttachment) bool { return sameWords(m.Description, want) }
		at := slices.IndexFunc(got, func(m MediaAttachment) bool { return m.ID == id })
		switch {
		case at >= 0:
			ok = is(got[at])
		case len(got) == len(d.MediaIDs):
			ok = is(got[n])
		default:
			ok = slices.ContainsFunc(got, is)
		}
		if !ok {
			return true
		}
	}
	return false
}

// sameWords tells that two descriptions say the same. Servers trim them, change
// their line breaks, and take for markup what looks like it.
func sameWords(a, b string) bool {
	if strings.Join(strings.Fields(a), " ") == strings.Join(strings.Fields(b), " ") {
		return true
	}
	letters := func(s string) string {
		return strings.Map(func(r rune) rune {
			if unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsSymbol(r) && r > unicode.MaxLatin1 {
				return r
			}
			return -1
		}, s)
	}
	forms := func(s string) []string { return []string{letters(s), letters(htmltext.Text(s, htmltext.Options{}))} }
	ours := forms(b)
	return slices.ContainsFunc(forms(a), func(s string) bool { return s != "" && slices.Contains(ours, s) })
}
