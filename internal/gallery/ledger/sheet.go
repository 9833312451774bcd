package ledger

import (
	"strings"
	"unicode"

	"golang.org/x/text/width"

	"rookery/internal/words"
)

// sheet is a page of plain text of 80 columns.
type sheet struct{ strings.Builder }

const pageWide = 80

func (s *sheet) blank() { s.WriteByte('\n') }

// quote stands before every line of a text that was shown.
const quote = "|"

// line writes a text after what stands before its first line, and indents the
// others as far; a quote is repeated. A word that is too long for a line is cut.
func (s *sheet) line(before, text string) {
	indent := columnsIn(before)
	room := pageWide - indent
	prefix := before
	if strings.Trim(before, " ") != quote {
		before = strings.Repeat(" ", indent)
	}
	put := func(line string) {
		s.WriteString(strings.TrimRight(prefix+line, " ") + "\n")
		prefix = before
	}
	line, used := "", 0
	for _, word := range strings.Split(printable(strings.ReplaceAll(text, "\n", " ")), " ") {
		n := columnsIn(word)
		if used > 0 && used+1+n > room {
			put(line)
			line, used = "", 0
		}
		for n > room {
			at := cutAt(word, room)
			put(word[:at])
			word = word[at:]
			n = columnsIn(word)
		}
		if used > 0 {
			line, used = line+" ", used+1
		}
		line, used = line+word, used+n
	}
	put(line)
}

// cutAt is where the first columns of a word end; after one character at least.
func cutAt(word string, columns int) int {
	used := 0
	for i, r := range word {
		used += columnsOf(r)
		if used > columns && i > 0 {
			return i
		}
	}
	return len(word)
}

// columnsIn is how wide a text is on a terminal.
func columnsIn(s string) int {
	n := 0
	for _, r := range s {
		n += columnsOf(r)
	}
	return n
}

func columnsOf(r rune) int {
	if unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf) {
		return 0
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	}
	return 1
}

// printable is a text without what a terminal takes for a command and what
// turns the direction of other text.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n':
			return r
		case r == '\t':
			return ' '
		case unicode.IsControl(r), r >= '\u202a' && r <= '\u202e', r >= '\u2066' && r <= '\u2069', r == '\u2028', r == '\u2029':
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}

func oneLine(s string) string { return strings.Join(strings.Fields(printable(s)), " ") }

// event is what happened, in words.
func (p *proof) event(e Event) string {
	switch e {
	case Offered:
		return p.say(words.GalleryLedgerOffered, nil)
	case Agreed:
		return p.say(words.GalleryLedgerAgreed, nil)
	case AIOn:
		return p.say(words.GalleryLedgerAIOn, nil)
	case AIOff:
		return p.say(words.GalleryLedgerAIOff, nil)
	case Drafted:
		return p.say(words.GalleryLedgerDrafted, nil)
	case Described:
		return p.say(words.GalleryLedgerDescribed, nil)
	case Approved:
		return p.say(words.GalleryLedgerApproved, nil)
	case Rejected:
		return p.say(words.GalleryLedgerRejected, nil)
	case Posted:
		return p.say(words.GalleryLedgerPosted, nil)
	case Edited:
		return p.say(words.GalleryLedgerEdited, nil)
	case Void:
		return p.say(words.GalleryLedgerVoid, nil)
	case Withdrawn:
		return p.say(words.GalleryLedgerWithdrawn, nil)
	case Declined:
		return p.say(words.GalleryLedgerDeclined, nil)
	case Expired:
		return p.say(words.GalleryLedgerExpired, nil)
	case Deleted:
		return p.say(words.GalleryLedgerDeleted, nil)
	case TakenDown:
		return p.say(words.GalleryLedgerTakenDown, nil)
	case Gone:
		return p.say(words.GalleryLedgerGone, nil)
	case Stands:
		return p.say(words.GalleryLedgerNotDeleted, nil)
	case Revoked:
		return p.say(words.GalleryLedgerRevoked, nil)
	case Adopted:
		return p.say(words.GalleryLedgerAdopted, nil)
	}
	return oneLine(string(e)) // of a newer program
}

// by is who did it, if it was not the member; "" for the member.
func (p *proof) by(who string) string {
	var name string
	moderator, isModerator := strings.CutPrefix(who, "moderator")
	switch {
	case who == "" || who == p.entries[0].Subject:
		return ""
	case who == "operator":
		name = p.say(words.GalleryLedgerOperator, nil)
	case isModerator:
		name = strings.TrimSpace(p.say(words.GalleryLedgerModerator, nil) + " " + oneLine(moderator))
	default:
		name = oneLine(who)
	}
	return p.say(words.GalleryLedgerByOther, words.Args{"name": name})
}

// via is how it was done, in brackets; what is not one of the known ways stands
// as it is.
func (p *proof) via(way string) string {
	key, ok := map[string]words.Key{
		"button": words.GalleryLedgerViaButton, "command": words.GalleryLedgerViaCommand, "context menu": words.GalleryLedgerViaContextMenu,
		"command line": words.GalleryLedgerViaCommandLine, "code": words.GalleryLedgerViaCode,
		"message": words.GalleryLedgerViaMessage, "time": words.GalleryLedgerViaTime,
	}[way]
	switch {
	case way == "":
		return ""
	case ok:
		way = p.say(key, nil)
	}
	return " (" + oneLine(way) + ")"
}

// source is where a description is from.
func (p *proof) source(alt string) string {
	key, ok := map[string]words.Key{
		"discord": words.GalleryLedgerAltDiscord, "written": words.GalleryLedgerAltWritten, "draft": words.GalleryLedgerAltDraft,
		"model": words.GalleryLedgerAltModel, "none": words.GalleryLedgerAltNone,
	}[alt]
	if !ok {
		return oneLine(alt)
	}
	return p.say(key, nil)
}
