package gallery

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"rookery/internal/discord"
	"rookery/internal/gallery/compose"
	"rookery/internal/gallery/ledger"
	"rookery/internal/outbox"
	"rookery/internal/store"
	"rookery/internal/words"
)

const (
	// perPage is how many fields a form may have. Source:
	// interactions/receiving-and-responding, "Modal".
	perPage = 5
	// mostField is how long a field may be.
	mostField = 4000
	// mostLabel is how long a field's label, or a form's title, may be.
	mostLabel = 45
	// mostButton is how long a button's label may be.
	mostButton = 80
	// mostWarning bounds a content warning.
	mostWarning = 200

	// From where a form was opened: the offer that all see, or a panel that only
	// the artist sees.
	fromOffer = "offer"
	fromPanel = "panel"

	formAlts    = "alts"
	formWarning = "warning"
	formReject  = "reject"
)

// pressDescribe opens the form for descriptions, or a panel where there are
// several forms or the model can draft.
func (g *Gallery) pressDescribe(_ context.Context, p *discord.Press, s *submission, from string) (discord.Answer, error) {
	if s.State != Offered {
		return g.private(g.over(p.Language, s)), nil
	}
	a, _ := g.account(s.Target)
	if len(s.Media) <= perPage && !g.offersAI(s, a) {
		if from == "" {
			from = fromOffer
		}
		return g.pressPage(p, s, "0", from), nil
	}
	m := g.panel(p.Language, s, g.say(p.Language, words.GalleryPanel, nil))
	if from == fromPanel {
		return discord.Answer{Update: &m}, nil
	}
	return discord.Answer{Message: &m, Private: true}, nil
}

// panel has a button for each form, and one for drafts.
func (g *Gallery) panel(l words.Language, s *submission, text string) discord.Message {
	m := discord.Message{Content: shorten(text, discord.MaxContent), NoPreviews: true}
	var buttons []discord.Button
	for from := 0; from < len(s.Media); from += perPage {
		to := min(from+perPage, len(s.Media))
		label := g.say(l, words.GalleryPage, words.Args{"from": from + 1, "to": to})
		if to == from+1 {
			label = g.say(l, words.GalleryPageOne, words.Args{"from": from + 1})
		}
		buttons = append(buttons, discord.Button{ID: discord.CustomID(action, verbPage, s.ID, strconv.Itoa(from/perPage)), Label: label, Style: discord.Primary})
	}
	a, _ := g.account(s.Target)
	if s.State == Offered && g.offersAI(s, a) {
		buttons = append(buttons, discord.Button{ID: discord.CustomID(action, verbDraft, s.ID), Label: shorten(g.say(l, words.GalleryDraft, words.Args{"processor": g.processor(l)}), mostButton)})
	}
	for len(buttons) > 0 {
		n := min(discord.MaxButtons, len(buttons))
		m.Rows = append(m.Rows, discord.Row{Buttons: buttons[:n]})
		buttons = buttons[n:]
	}
	return m
}

// pressPage opens a form for up to five media.
func (g *Gallery) pressPage(p *discord.Press, s *submission, page, from string) discord.Answer {
	n, err := strconv.Atoi(page)
	if err != nil || n < 0 || n*perPage >= len(s.Media) || s.State != Offered && s.State != Posted {
		return g.private(g.over(p.Language, s))
	}
	l := p.Language
	most := g.limits(s.Target).MaxAlt
	if most <= 0 || most > mostField {
		most = mostField
	}
	form := &discord.Modal{ID: discord.CustomID(action, formAlts, s.ID, page, from, s.files()), Title: shorten(g.say(l, words.GalleryFormTitle, nil), mostLabel)}
	for _, m := range s.Media[n*perPage : min((n+1)*perPage, len(s.Media))] {
		value := m.Alt
		if m.By == byNobody {
			value = m.said()
		}
		form.Fields = append(form.Fields, discord.Input{
			ID: strconv.Itoa(m.N), Label: shorten(g.say(l, words.GalleryField, words.Args{"n": m.N, "name": m.Name}), mostLabel),
			Value: cutRunes(value, most), Placeholder: shorten(g.say(l, words.GalleryFieldHint, nil), 100), Max: most, Long: true,
		})
	}
	return discord.Answer{Modal: form}
}

// filled handles what was written in a form.
func (g *Gallery) filled(ctx context.Context, p *discord.Press) (discord.Answer, error) {
	if len(p.Args) < 2 {
		return g.private(g.say(p.Language, words.GalleryGone, nil)), nil
	}
	verb, id := p.Args[0], p.Args[1]
	if verb == formReject {
		return g.filledReject(ctx, p, id)
	}
	s, err := get(ctx, g.Store, id)
	if err != nil {
		return g.private(g.say(p.Language, words.GalleryGone, nil)), ignoreNone(err)
	}
	if s.Artist != p.Member.ID || s.Artist == "" {
		return g.private(g.say(p.Language, words.GalleryNotYourOffer, nil)), nil
	}
	switch {
	case verb == formWarning:
		return g.change(ctx, p, id, func(_ context.Context, _ store.Tx, s *submission) error {
			s.CW = cutRunes(compose.Warning(p.Fields["cw"]), mostWarning)
			return nil
		})
	case verb == formAlts && len(p.Args) > 3:
		files := ""
		if len(p.Args) > 4 {
			files = p.Args[4]
		}
		return g.describe(ctx, p, id, p.Args[3] == fromPanel, files)
	}
	return g.private(g.say(p.Language, words.GalleryGone, nil)), nil
}

// describe takes descriptions that the artist has written. Of a post that
// stands they are changed there.
func (g *Gallery) describe(ctx context.Context, p *discord.Press, id string, panel bool, files string) (discord.Answer, error) {
	var s *submission
	was, err := get(ctx, g.Store, id)
	if err != nil {
		return discord.Answer{}, err
	}
	required, err := g.Settings.described.In(ctx, was.Guild)
	if err != nil {
		return discord.Answer{}, err
	}
	other := false // the files are not those that the form was about
	err = g.Store.Write(ctx, func(ctx context.Context, tx store.Tx) (err error) {
		if s, err = lock(ctx, tx, id); err != nil || s.State != Offered && s.State != Posted {
			return err
		}
		if other = files != s.files(); other {
			return nil
		}
		s.Note = ""
		changed := false
		for i, m := range s.Media {
			text, ok := p.Fields[strconv.Itoa(m.N)]
			if !ok || required && s.State == Posted && strings.TrimSpace(text) == "" {
				continue // where descriptions are required, none is taken away
			}
			was := m
			m.write(text)
			changed = changed || m != was
			s.Media[i] = m
		}
		if !changed {
			return nil
		}
		if s.State == Posted {
			if err := g.changePost(ctx, tx, s); err != nil {
				return err
			}
		}
		if err := s.save(ctx, tx, g.Clock.Now()); err != nil {
			return err
		}
		if err := s.storeMedia(ctx, tx); err != nil {
			return err
		}
		if panel || s.State == Posted {
			return g.refresh(ctx, tx, s)
		}
		return nil
	})
	if err != nil {
		return discord.Answer{}, fmt.Errorf("take descriptions: %w", err)
	}
	switch {
	case other:
		return g.private(g.say(p.Language, words.GalleryChangedSince, nil)), nil
	case s.State == Posted:
		return g.private(g.say(p.Language, words.GalleryDescribedPost, nil)), nil
	case s.State != Offered:
		return g.private(g.over(p.Language, s)), nil
	case panel:
		text := g.say(p.Language, words.GalleryDescribedAll, nil)
		if n := s.undescribed(); n > 0 {
			text = g.say(p.Language, words.GalleryDescribed, words.Args{"n": n})
		}
		m := g.panel(p.Language, s, text)
		return discord.Answer{Update: &m}, nil
	}
	m := g.message(ctx, s)
	return discord.Answer{Update: &m}, nil
}

// files names the files of a submission in their order: a form that was opened
// for others is not taken for these.
func (s *submission) files() string {
	h := sha256.New()
	for _, m := range s.Media {
		_, _ = fmt.Fprintf(h, "%q\n", m.ID)
	}
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:6])
}

// changePost plans that a post that stands has its descriptions changed.
func (g *Gallery) changePost(ctx context.Context, tx store.Tx, s *submission) error {
	e := g.entry(s, ledger.Edited)
	e.Via, e.Note = "form", "descriptions"
	if err := g.Ledger.Write(ctx, tx, e); err != nil {
		return err
	}
	lane, ok, err := outbox.LaneOf(ctx, tx, s.postKey())
	if err != nil || !ok {
		return err
	}
	_, err = g.Outbox.Plan(ctx, tx, outbox.Effect{Key: fmt.Sprintf("gallery/edit-post/%s/%d", s.ID, s.Revision), Feature: Name, Kind: editPostKind, Account: s.Target, Lane: lane, Payload: editOf(s.ID)})
	return err
}

// write takes what a person wrote in the field of a medium: a draft of the
// model that they left as it was stays the model's, one that they changed is
// theirs and the model's.
func (m *medium) write(text string) {
	text = strings.TrimSpace(strings.ToValidUTF8(strings.ReplaceAll(text, "\r\n", "\n"), "\uFFFD"))
	draft := m.said()
	switch {
	case text == "":
		m.Alt, m.By, m.Model, m.Draft = "", byNobody, "", ""
	case text == m.Alt:
	case draft != "" && text == strings.TrimSpace(draft):
		m.Alt, m.By = text, byDraft
	case draft != "" && resembles(text, draft):
		m.Alt, m.By = text, byEdited
	default:
		m.Alt, m.By = text, byArtist
	}
}

// resembles tells whether a text still holds four words in a row of another.
func resembles(text, draft string) bool {
	const run = 4
	split := func(s string) []string {
		return strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsNumber(r) })
	}
	a, b := split(text), split(draft)
	if len(b) < run {
		return strings.Contains(strings.Join(a, " "), strings.Join(b, " "))
	}
	runs := map[string]bool{}
	for i := 0; i+run <= len(b); i++ {
		runs[strings.Join(b[i:i+run], " ")] = true
	}
	for i := 0; i+run <= len(a); i++ {
		if runs[strings.Join(a[i:i+run], " ")] {
			return true
		}
	}
	return false
}

// pressEdit opens the descriptions of a post that stands.
func (g *Gallery) pressEdit(p *discord.Press, s *submission) discord.Answer {
	if s.State != Posted || len(s.Media) == 0 {
		return g.private(g.say(p.Language, words.GalleryGone, nil))
	}
	if len(s.Media) <= perPage {
		return g.pressPage(p, s, "0", fromOffer)
	}
	m := g.panel(p.Language, s, g.say(p.Language, words.GalleryPanel, nil))
	return discord.Answer{Message: &m, Private: true}
}

// askWarning opens the form for a content warning.
func (g *Gallery) askWarning(p *discord.Press, s *submission) discord.Answer {
	if s.State != Offered {
		return g.private(g.over(p.Language, s))
	}
	return discord.Answer{Modal: &discord.Modal{ID: discord.CustomID(action, formWarning, s.ID), Title: shorten(g.say(p.Language, words.GalleryCW, nil), mostLabel),
		Fields: []discord.Input{{ID: "cw", Label: shorten(g.say(p.Language, words.GalleryCWField, nil), mostLabel), Value: s.CW, Placeholder: shorten(g.say(p.Language, words.GalleryCWHint, nil), 100), Max: mostWarning}}}}
}

// draftsToo is what the ledger notes of a yes to sending pictures at once, and
// not only when they are posted.
const draftsToo = "for drafts before posting, too"

// pressDraft has the model describe what nobody has, before anything is posted:
// the press is the yes to sending it now, and the button has said to whom.
func (g *Gallery) pressDraft(ctx context.Context, p *discord.Press, id string) (discord.Answer, error) {
	var s *submission
	ask, before := false, false
	err := g.Store.Write(ctx, func(ctx context.Context, tx store.Tx) (err error) {
		ask, before = false, false
		if s, err = lock(ctx, tx, id); err != nil || s.State != Offered {
			return err
		}
		if before = s.Drafting != nil && s.Drafting.Interaction != p.ID; before {
			return nil
		}
		if ask = s.handled(p.ID); ask {
			return nil // it was asked for, and is answered
		}
		a, _ := g.account(s.Target)
		if !g.offersAI(s, a) {
			return nil
		}
		ask = true
		// The yes is for now alone: whether what is left goes there when it is
		// posted is asked with AI: on.
		s.Drafted = g.processor(g.language(ctx, s))
		// That they are sent is written where they are: see look.
		e := g.entry(s, ledger.AIOn)
		e.Processor, e.Model, e.Via, e.Note = g.processorName(), g.ModelName, "button", draftsToo
		e.Text = g.say(p.Language, words.GalleryDraft, words.Args{"processor": g.processor(p.Language)})
		if err := g.Ledger.Write(ctx, tx, e); err != nil {
			return err
		}
		s.Drafting = askingOf(p)
		if err := s.save(ctx, tx, g.Clock.Now()); err != nil {
			return err
		}
		if err := g.refresh(ctx, tx, s); err != nil {
			return err
		}
		return g.wakeDraft(ctx, tx, s.ID)
	})
	if err != nil {
		return discord.Answer{}, fmt.Errorf("ask for drafts: %w", err)
	}
	if s.State != Offered {
		return g.private(g.over(p.Language, s)), nil
	}
	switch {
	case before:
		return g.private(g.say(p.Language, words.GalleryDraftingAlready, nil)), nil
	case !ask:
		return g.private(g.say(p.Language, words.GalleryNoModel, nil)), nil
	}
	return discord.Answer{Later: true, Private: true}, nil
}

// drafted tells the artist that drafts are there, or how many could not be
// made.
func (g *Gallery) drafted(ctx context.Context, s *submission, failed int) error {
	return g.Store.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		s, err := lock(ctx, tx, s.ID)
		if err != nil || s.Drafting == nil {
			return ignoreNone(err)
		}
		ask := *s.Drafting
		l := words.Match(ask.Locale)
		text := g.say(l, words.GalleryDrafted, nil)
		if failed > 0 {
			text = g.say(l, words.GalleryDraftsFailed, words.Args{"n": failed})
		}
		s.Drafting = nil
		if err := s.save(ctx, tx, g.Clock.Now()); err != nil {
			return err
		}
		_, err = g.Outbox.Plan(ctx, tx, outbox.Effect{Key: "gallery/drafted/" + ask.Interaction, Feature: Name, Kind: discord.AnswerKind, Account: s.Account,
			Payload: ask.answer(g.panel(l, s, text))})
		return err
	})
}

// answerDrafting answers who waits for drafts that will not come.
func (g *Gallery) answerDrafting(ctx context.Context, tx store.Tx, s *submission, text string) error {
	if s.Drafting == nil {
		return nil
	}
	ask := *s.Drafting
	s.Drafting = nil
	_, err := g.Outbox.Plan(ctx, tx, outbox.Effect{Key: "gallery/drafted/" + ask.Interaction, Feature: Name, Kind: discord.AnswerKind, Account: s.Account,
		Payload: ask.answer(discord.Message{Content: text, NoPreviews: true})})
	return err
}

// shorten cuts a text that Discord is shown to so many characters, at a word
// if there is one near.
func shorten(text string, most int) string {
	if discord.Length(text) <= most {
		return text
	}
	n, end := 0, 0
	for i, r := range text {
		size := 1
		if r > 0xFFFF {
			size = 2
		}
		if n+size > most-1 {
			end = i
			break
		}
		n += size
	}
	cut := text[:end]
	if i := strings.LastIndexAny(cut, " \n"); i > len(cut)*3/4 {
		cut = cut[:i]
	}
	cut = strings.TrimRight(cut, " \n")
	// An escape without what it escapes would escape what follows.
	if n := len(cut) - len(strings.TrimRight(cut, `\`)); n%2 == 1 {
		cut = cut[:len(cut)-1]
	}
	return cut + "…"
}

// short is a name that leaves room in a button.
func short(name string) string { return shorten(name, 40) }

// cutRunes cuts a text to so many characters.
func cutRunes(text string, most int) string {
	if utf8.RuneCountInString(text) <= most {
		return text
	}
	return string([]rune(text)[:most])
}

// oneLine puts a text on one line.
func oneLine(text string) string {
	return strings.Join(strings.Fields(strings.ToValidUTF8(text, "")), " ")
}
