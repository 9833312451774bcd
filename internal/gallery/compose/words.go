package compose

import (
	"strconv"
	"strings"
	"time"

	"rookery/internal/community"
	"rookery/internal/discord"
	"rookery/internal/words"
)

// maxContent is how much of a message is looked at, in bytes. Discord's have
// 4,000 characters at most.
const maxContent = 20_000

// Words is what a message says, as plain text for the Fediverse in that
// language: without Discord's markup, with names for whom and what it mentions,
// and with dates in the zone (nil for UTC), which they name. What is behind a
// spoiler is left out and hidSpoiler is true, as it is for what merely may have
// been meant to be: a mark without its second one, or one within the other.
// Nobody is mentioned by the result, and no channel's name is a hashtag in it.
//
// What is not known by name is "someone", "a role", "a channel". Web addresses
// stay, those of a message's media too, as the credit they are.
func Words(o discord.Original, l words.Language, zone *time.Location) (text string, hidSpoiler bool) {
	if zone == nil {
		zone = time.UTC
	}
	content := o.Content
	if len(content) > maxContent {
		content = content[:maxContent]
	}
	content, hidSpoiler = hide(clean(content))
	p := &reader{o: &o, l: l, zone: zone}
	p.read(content, true, ' ')
	return community.WithoutMentions(closeIsolates(tidy(string(p.out)))), hidSpoiler
}

// mention is one of Discord's own marks, without its brackets, in words; false
// for none of them.
func (p *reader) mention(s string) (string, bool) {
	kind, rest := s[0], s[1:]
	switch {
	case strings.HasPrefix(s, "@&"):
		return p.named(p.o.Roles[rest[1:]], words.GalleryComposeRole), true
	case kind == '@':
		return p.named(p.o.Members[strings.TrimPrefix(rest, "!")], words.GalleryComposeSomeone), true
	case kind == '#':
		if name := nameOf(p.o.Channels[rest]); name != "" {
			return quoted(p.l, name), true
		}
		return p.l.Say(words.GalleryComposeChannel, nil), true
	case kind == '/':
		name, _, _ := strings.Cut(rest, ":")
		return "/" + name, true
	case strings.HasPrefix(s, "t:"):
		seconds, style, _ := strings.Cut(s[len("t:"):], ":")
		return p.when(seconds, style), true
	case strings.HasPrefix(s, "id:"):
		name, _, _ := strings.Cut(s[len("id:"):], ":")
		if key, ok := pageKey(name); ok {
			name = p.l.Say(key, nil)
		}
		return quoted(p.l, name), true
	}
	return "", false
}

func (p *reader) named(name string, unknown words.Key) string {
	if name = nameOf(name); name != "" {
		return name
	}
	return p.l.Say(unknown, nil)
}

// quoted sets a name apart: with Discord's own # it would be a hashtag.
func quoted(l words.Language, name string) string {
	if l == words.Russian {
		return "«" + name + "»"
	}
	return "“" + name + "”"
}

// pageKey is what a page of a guild is called. Source: Discord's reference,
// "Guild Navigation Types".
func pageKey(name string) (words.Key, bool) {
	switch name {
	case "customize":
		return words.GalleryComposePageCustomize, true
	case "browse":
		return words.GalleryComposePageBrowse, true
	case "guide":
		return words.GalleryComposePageGuide, true
	case "linked-roles":
		return words.GalleryComposePageRoles, true
	}
	return "", false
}

// when writes a moment that Discord shows to each reader in their own way. One
// that Discord tells by its distance from now is written as it stands, for a
// post is read later.
func (p *reader) when(seconds, style string) string {
	n, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil || n > 1<<38 || n < -(1<<36) {
		return p.l.Say(words.GalleryComposeNoTime, nil)
	}
	t := time.Unix(n, 0).In(p.zone)
	clock := "15:04"
	switch style {
	case discord.ShortTime:
		return t.Format(clock) + " (" + zoneName(t) + ")"
	case discord.LongTime:
		return t.Format("15:04:05") + " (" + zoneName(t) + ")"
	case discord.ShortDate, discord.LongDate:
		return p.l.Date(t) + " (" + zoneName(t) + ")"
	case "S":
		clock = "15:04:05"
	}
	return p.l.Say(words.GalleryComposeMoment, words.Args{"date": p.l.Date(t), "time": t.Format(clock), "zone": zoneName(t)})
}

// zoneName names a zone by its distance from UTC at that moment, as package
// words does: short names mean several.
func zoneName(t time.Time) string {
	_, seconds := t.Zone()
	if seconds == 0 {
		return "UTC"
	}
	sign := "+"
	if seconds < 0 {
		sign, seconds = "-", -seconds
	}
	s := "UTC" + sign + strconv.Itoa(seconds/3600)
	if minutes := seconds / 60 % 60; minutes != 0 {
		s += ":" + strconv.Itoa(minutes/10) + strconv.Itoa(minutes%10)
	}
	return s
}
