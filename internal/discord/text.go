package discord

import (
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf16"
)

// The ways FormatTime shows a time. Source: reference, "Timestamp Styles".
const (
	ShortTime = "t" // 16:20
	LongTime  = "T" // 16:20:30
	ShortDate = "d" // 20/04/2021
	LongDate  = "D" // 20 April 2021
	DateTime  = "f" // 20 April 2021 16:20
	FullTime  = "F" // Tuesday, 20 April 2021 16:20
	Relative  = "R" // 2 months ago
)

// FormatTime writes a time that each reader sees in their own language and
// time zone. A style that Discord does not know is DateTime.
func FormatTime(t time.Time, style string) string {
	if len(style) != 1 || !strings.Contains("tTdDfFR", style) {
		style = DateTime
	}
	return "<t:" + strconv.FormatInt(t.Unix(), 10) + ":" + style + ">"
}

// Length is how long Discord may count a text: in UTF-16 units. Where it
// counts characters instead, a text of that length fits all the more.
func Length(s string) int {
	n := 0
	for _, r := range s {
		n += max(utf16.RuneLen(r), 1)
	}
	return n
}

// noWidth keeps what would be a mention from being one.
const noWidth = "\u200b"

// Marks of the writing direction. An override or embedding is left out of
// what members wrote: it would turn around what we write next to it.
const (
	isolate    = '\u2068' // first strong isolate
	endIsolate = '\u2069' // pop directional isolate
)

// Escape makes what a member wrote harmless in Discord's markdown: it is read
// as it was written, mentions nobody, and makes no link, preview or format. Line
// breaks stay. It is for members' words in a message of ours, once.
func Escape(text string) string {
	var b strings.Builder
	b.Grow(len(text) + len(text)/8)
	lineStart := true // only blanks and digits since the line began
	digits := 0
	open := 0 // isolates that are not closed
	for _, r := range text {
		if dropped(r) {
			continue
		}
		switch {
		case r == '\n':
			b.WriteString(strings.Repeat(string(endIsolate), open))
			open = 0
		case r >= '\u2066' && r <= isolate:
			open++
		case r == endIsolate:
			if open == 0 {
				continue
			}
			open--
		case strings.ContainsRune("\\*_~`|<>#[]", r),
			lineStart && digits == 0 && (r == '-' || r == '+'),
			lineStart && digits > 0 && (r == '.' || r == ')'),
			r == '/' && strings.HasSuffix(b.String(), ":"),
			r == '.' && endsHost(b.String()):
			b.WriteByte('\\')
		}
		b.WriteRune(r)
		if r == '@' || r == '<' {
			b.WriteString(noWidth)
		}
		switch {
		case r == '\n':
			lineStart, digits = true, 0
		case lineStart && r >= '0' && r <= '9':
			digits++
		case !lineStart || !unicode.IsSpace(r) || digits > 0:
			lineStart = false
		}
	}
	b.WriteString(strings.Repeat(string(endIsolate), open))
	return b.String()
}

// dropped are characters of a member's that nobody sees and that change how
// other text is shown.
func dropped(r rune) bool {
	return r == 0 || r == '\r' || r >= '\u202a' && r <= '\u202e'
}

// endsHost tells whether the name of Discord's hosts was just written: it
// shows an invitation for their addresses even without a scheme.
func endsHost(s string) bool {
	const longest = len("discordapp")
	s = strings.ToLower(s[max(0, len(s)-longest):])
	return strings.HasSuffix(s, "discord") || strings.HasSuffix(s, "discordapp")
}

// maxName is how much of a name is shown; Discord's own have 32 characters.
const maxName = 64

// Name makes a member's name, or another of one line, fit to stand within a
// sentence: escaped, on one line, and set apart from it if it is written from
// right to left. An empty one is "?".
func Name(name string) string {
	name = strings.Join(strings.FieldsFunc(name, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }), " ")
	turned := false
	name = strings.Map(func(r rune) rune {
		switch {
		case dropped(r), r >= '\u2066' && r <= endIsolate, r == '\u200e', r == '\u200f', r == '\u061c':
			return -1
		case unicode.In(r, unicode.Hebrew, unicode.Arabic, unicode.Syriac, unicode.Thaana, unicode.Nko, unicode.Samaritan, unicode.Mandaic, unicode.Adlam):
			turned = true
		}
		return r
	}, name)
	name = firstOf(name, maxName)
	if strings.TrimFunc(name, unseen) == "" {
		return "?"
	}
	name = Escape(name)
	if turned {
		name = string(isolate) + name + string(endIsolate)
	}
	return name
}

func unseen(r rune) bool {
	return unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) || r == '\u3164' || r == '\u2800'
}

// firstOf cuts a text to n of Length at the end of a character as people see
// it.
func firstOf(s string, n int) string {
	if Length(s) <= n {
		return s
	}
	return strings.TrimRightFunc(s[:graphemeCut(s, n)], unicode.IsSpace)
}

// token is what Discord replaces when it shows a message. Source: reference,
// "Message Formatting".
var token = regexp.MustCompile(`<(?:@[!&]?\d+|#\d+|a?:\w{1,64}:\d+|t:-?\d{1,14}(?::[tTdDfFsSR])?|/[^<>:\n]{1,110}:\d+|id:[a-z-]+(?::\d+)?|https?://[^<>\s]+)>`)

// Names tell what the ids in a message's text stand for; "" is unknown.
// Fields that are nil know nothing.
type Names struct {
	Member, Channel, Role func(id string) string
}

// Readable turns a message's markup for mentions, roles, channels, times,
// commands and emoji of a guild into text that a person, or a model, can read.
// Formatting stays. The result is valid UTF-8 without NUL.
func Readable(content string, names Names) string {
	content = strings.ReplaceAll(strings.ToValidUTF8(content, "\uFFFD"), "\x00", "")
	var b strings.Builder
	end := 0
	for _, m := range token.FindAllStringIndex(content, -1) {
		if m[0] > 0 && content[m[0]-1] == '\\' {
			continue // shown as it is written
		}
		b.WriteString(content[end:m[0]])
		b.WriteString(names.read(content[m[0]+1 : m[1]-1]))
		end = m[1]
	}
	b.WriteString(content[end:])
	return strings.TrimSpace(b.String())
}

// read is one token without its brackets.
func (n Names) read(s string) string {
	kind, rest := s[0], s[1:]
	switch {
	case kind == '@' && rest[0] == '&':
		return "@" + known(n.Role, rest[1:], "unknown-role")
	case kind == '@':
		return "@" + known(n.Member, strings.TrimPrefix(rest, "!"), "unknown-user")
	case kind == '#':
		return "#" + known(n.Channel, rest, "unknown")
	case kind == '/':
		name, _, _ := strings.Cut(rest, ":")
		return "/" + name
	case strings.HasPrefix(s, "http"):
		return s
	case strings.HasPrefix(s, "id:"):
		return guildPage(strings.TrimPrefix(s, "id:"))
	case strings.HasPrefix(s, "t:"):
		return readTime(strings.TrimPrefix(s, "t:"))
	}
	_, name, _ := strings.Cut(s, ":") // an emoji: [a]:name:id
	name, _, _ = strings.Cut(name, ":")
	return ":" + name + ":"
}

func known(lookup func(string) string, id, unknown string) string {
	if lookup != nil {
		if name := oneLine(lookup(id)); name != "" {
			return name
		}
	}
	return unknown
}

// guildPage is a page of a guild as Discord's client calls it. Source:
// reference, "Guild Navigation Types".
func guildPage(name string) string {
	name, _, _ = strings.Cut(name, ":")
	switch name {
	case "customize":
		return "#Channels & Roles"
	case "browse":
		return "#Browse Channels"
	case "guide":
		return "#Server Guide"
	case "linked-roles":
		return "#Linked Roles"
	}
	return "#" + name
}

func readTime(s string) string {
	sec, style, _ := strings.Cut(s, ":")
	n, err := strconv.ParseInt(sec, 10, 64)
	if err != nil || n > 1<<38 || n < -(1<<36) {
		return "an unknown time"
	}
	t := time.Unix(n, 0).UTC()
	switch style {
	case ShortTime:
		return t.Format("15:04 UTC")
	case LongTime:
		return t.Format("15:04:05 UTC")
	case ShortDate, LongDate:
		return t.Format("2 January 2006")
	}
	return t.Format("2 January 2006 15:04 UTC")
}

// oneLine makes a name from outside fit for a line of text: no breaks, no
// controls, valid.
func oneLine(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }), " ")
}
