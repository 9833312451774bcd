package ledger

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"rookery/internal/words"
)

// Proof writes what is on record of one submission, on a page of plain text of
// at most 80 columns: who (by member, the name, if it is still known), what,
// where to, every event with when, how and by whom it came about, the texts that
// were shown, word for word and each once, who described the pictures, and the
// hashes. The entries are all of that submission, oldest first, as Submission
// gives them; none, or those of several, are an error.
//
// What a terminal would take for a command is left out; JSON has the texts to
// the byte.
func Proof(w io.Writer, l words.Language, member string, entries []Entry) error {
	if len(entries) == 0 {
		return errors.New("there is nothing to prove: the consent ledger has no such entries")
	}
	for _, e := range entries {
		if e.Submission != entries[0].Submission {
			return fmt.Errorf("a proof is of one submission, and these entries are of %s and %s", entries[0].Submission, e.Submission)
		}
	}
	p := proof{sheet: sheet{}, l: l, entries: entries}
	p.head(member)
	p.mediaList()
	p.events()
	p.shown()
	if _, err := io.WriteString(w, p.String()); err != nil {
		return fmt.Errorf("write the proof of %s: %w", entries[0].Submission, err)
	}
	return nil
}

type proof struct {
	sheet
	l       words.Language
	entries []Entry
	texts   []string // each that was shown, once
	media   []Medium // each, once
}

func (p *proof) say(k words.Key, a words.Args) string { return p.l.Say(k, a) }

const stamp = "2006-01-02 15:04:05"

func when(t time.Time) string { return t.UTC().Format(stamp) }

// head says the facts, each on a line of its own.
func (p *proof) head(member string) {
	first, last := p.entries[0], p.entries[len(p.entries)-1]
	p.line("", p.say(words.GalleryLedgerTitle, words.Args{"submission": first.Submission}))
	p.blank()

	who := p.say(words.GalleryLedgerPseudonym, words.Args{"subject": first.Subject})
	if member = oneLine(member); member != "" {
		who = p.say(words.GalleryLedgerNamed, words.Args{"name": member, "subject": first.Subject})
	}
	facts := [][2]string{{p.say(words.GalleryLedgerMember, nil), who}}
	add := func(k words.Key, value string) {
		if value != "" {
			facts = append(facts, [2]string{p.say(k, nil), value})
		}
	}
	if at := p.latest(func(e Entry) string { return string(e.Source) }); at.Source != "" {
		add(words.GalleryLedgerMessage, p.say(words.GalleryLedgerWhere,
			words.Args{"message": string(at.Source), "channel": known(string(at.Channel)), "guild": known(string(at.Guild))}))
	}
	add(words.GalleryLedgerTarget, p.latest(func(e Entry) string { return e.Target }).Target)
	add(words.GalleryLedgerPost, p.latest(func(e Entry) string { return e.Post }).Post)
	add(words.GalleryLedgerAgreement, p.agreement())
	add(words.GalleryLedgerAI, p.ai())
	add(words.GalleryLedgerChain, p.say(words.GalleryLedgerEntries,
		words.Args{"first": strconv.FormatInt(first.Seq, 10), "last": strconv.FormatInt(last.Seq, 10), "hash": last.Chain}))
	wide := 0
	for _, f := range facts {
		wide = max(wide, columnsIn(f[0])+3)
	}
	for _, f := range facts {
		p.line(f[0]+":"+strings.Repeat(" ", wide-columnsIn(f[0])-1), f[1])
	}
}

func known(id string) string { return cmp.Or(id, "?") }

// latest is the last entry of which something is known.
func (p *proof) latest(of func(Entry) string) Entry {
	for _, e := range slices.Backward(p.entries) {
		if of(e) != "" {
			return e
		}
	}
	return Entry{}
}

// agreement says what is left of the last one.
func (p *proof) agreement() string {
	var agreed, ended *Entry
	for i := range p.entries {
		switch e := &p.entries[i]; {
		case e.Event == Agreed:
			agreed, ended = e, nil
		case e.Event.Ends() && ended == nil:
			ended = e
		}
	}
	switch {
	case agreed == nil:
		return p.say(words.GalleryLedgerNever, nil)
	case ended != nil:
		return p.say(words.GalleryLedgerEnded, words.Args{"time": when(ended.At), "event": p.event(ended.Event)})
	}
	return p.say(words.GalleryLedgerStands, words.Args{"time": when(agreed.At)})
}

// ai says who was let see the pictures, and who has seen them.
func (p *proof) ai() string {
	var sent, allowed []string
	for _, e := range p.entries {
		who := p.processor(e)
		switch {
		case e.Event == AIOn && !slices.Contains(allowed, who):
			allowed = append(allowed, who)
		case (e.Event == Drafted || e.Event == Described) && !slices.Contains(sent, who):
			sent = append(sent, who)
		}
	}
	switch {
	case len(sent) > 0:
		return p.say(words.GalleryLedgerAISent, words.Args{"processor": strings.Join(sent, "; ")})
	case len(allowed) > 0:
		return p.say(words.GalleryLedgerAIAllowed, words.Args{"processor": strings.Join(allowed, "; ")})
	}
	return p.say(words.GalleryLedgerAINone, nil)
}

func (p *proof) processor(e Entry) string {
	if e.Model == "" {
		return known(e.Processor)
	}
	return p.say(words.GalleryLedgerProcessorModel, words.Args{"processor": known(e.Processor), "model": e.Model})
}

// number is the place of a medium in the list, from 1; how it got its
// description is the last that is said of it.
func (p *proof) number(m Medium) int {
	for i, have := range p.media {
		// What it is by its hash is found out when it is posted.
		if have.N == m.N && have.Name == m.Name && (have.SHA256 == m.SHA256 || have.SHA256 == "") {
			p.media[i].SHA256 = m.SHA256
			p.media[i].Alt = cmp.Or(m.Alt, have.Alt)
			return i + 1
		}
	}
	p.media = append(p.media, m)
	return len(p.media)
}

func (p *proof) mediaList() {
	for _, e := range p.entries {
		for _, m := range e.Media {
			p.number(m)
		}
	}
	if len(p.media) == 0 {
		return
	}
	p.blank()
	p.line("", p.say(words.GalleryLedgerMedia, nil))
	for i, m := range p.media {
		parts := []string{oneLine(m.Name)}
		if m.Alt != "" {
			parts = append(parts, p.say(words.GalleryLedgerAlt, words.Args{"source": p.source(m.Alt)}))
		}
		p.line(fmt.Sprintf("%3d. ", i+1), joined(parts))
		hash := p.say(words.GalleryLedgerNoHash, nil)
		if m.SHA256 != "" {
			hash = "SHA-256 " + m.SHA256
		}
		p.line("     ", hash)
	}
}

func (p *proof) events() {
	p.blank()
	p.line("", p.say(words.GalleryLedgerEvents, nil))
	for _, e := range p.entries {
		parts := []string{p.event(e.Event) + p.via(e.Via), p.by(e.By)}
		if e.Processor != "" {
			parts = append(parts, p.processor(e))
		}
		if e.Text != "" {
			n := slices.Index(p.texts, e.Text)
			if n < 0 {
				n = len(p.texts)
				p.texts = append(p.texts, e.Text)
			}
			parts = append(parts, p.say(words.GalleryLedgerWithText, words.Args{"text": strconv.Itoa(n + 1)}))
		}
		if len(e.Media) > 0 {
			numbers := make([]string, len(e.Media))
			for i, m := range e.Media {
				numbers[i] = strconv.Itoa(p.number(m))
			}
			parts = append(parts, p.say(words.GalleryLedgerWithMedia, words.Args{"media": strings.Join(numbers, ", ")}))
		}
		// The head has the address of the last.
		if e.Post != "" && e.Event == Posted {
			parts = append(parts, e.Post)
		}
		parts = append(parts, oneLine(e.Note))
		p.line("  "+when(e.At)+"  ", joined(parts))
	}
}

func joined(parts []string) string {
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), "; ")
}

func (p *proof) shown() {
	if len(p.texts) == 0 {
		return
	}
	p.blank()
	p.line("", p.say(words.GalleryLedgerTexts, nil))
	for i, text := range p.texts {
		p.line("  ", p.say(words.GalleryLedgerText, words.Args{"text": strconv.Itoa(i + 1), "hash": hashOf(text)}))
		for line := range strings.SplitSeq(printable(text), "\n") {
			p.line("  "+quote+" ", line)
		}
	}
}
