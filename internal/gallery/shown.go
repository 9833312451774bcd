package gallery

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"rookery/internal/community"
	"rookery/internal/discord"
	"rookery/internal/fedi"
	"rookery/internal/gallery/compose"
	"rookery/internal/outbox"
	"rookery/internal/store"
	"rookery/internal/words"
)

// shownHandle is an account's name in a message of ours. It mentions nobody
// there, so that it can be copied as it is.
func shownHandle(a Account) string {
	return strings.NewReplacer(`_`, `\_`, `*`, `\*`, `~`, `\~`, "`", "\\`").Replace(handleOf(a))
}

// handleOf is how an account is named to people.
func handleOf(a Account) string {
	if a.Handle == "" {
		return a.Name
	}
	return "@" + a.Handle
}

// escaped are the arguments of a note with the words of others made harmless in
// Discord's markup; names of files come so.
func escaped(args words.Args) words.Args {
	out := words.Args{}
	for k, v := range args {
		if text, ok := v.(string); ok && (k == "account" || k == "reason") {
			v = discord.Escape(text)
		}
		out[k] = v
	}
	return out
}

// renderOffer implements discord.Rendering: the message of a submission as it
// stands.
func (g *Gallery) renderOffer(ctx context.Context, id string) (discord.Message, error) {
	s, err := get(ctx, g.Store, id)
	if err != nil {
		return discord.Message{}, err
	}
	return g.message(ctx, s), nil
}

// message is what the one message of a submission says now. None of its states
// suppresses embeds, for that would stay with the message.
func (g *Gallery) message(ctx context.Context, s *submission) discord.Message {
	l := g.language(ctx, s)
	a, _ := g.account(s.Target)
	args := words.Args{"account": shownHandle(a)}
	button := func(verb string, label words.Key, style discord.Style) discord.Button {
		return discord.Button{ID: discord.CustomID(action, verb, s.ID), Label: g.say(l, label, nil), Style: style}
	}
	rows := func(b ...discord.Button) []discord.Row { return []discord.Row{{Buttons: b}} }
	switch s.State {
	case Offered:
		m, _, _ := g.offerMessage(ctx, s)
		return m
	case Review:
		return discord.Message{Content: g.say(l, words.GalleryInReview, args), Rows: rows(button(verbCancel, words.GalleryCancel, discord.Plain))}
	case Accepted, Posting:
		text := g.say(l, words.GalleryUnderWay, args)
		if s.Trouble != "" {
			text += "\n" + s.Trouble
		}
		return discord.Message{Content: text, Rows: rows(button(verbCancel, words.GalleryCancel, discord.Plain))}
	case Posted:
		return discord.Message{Content: g.postedText(l, s, a),
			Rows: rows(button(verbDelete, words.GalleryDelete, discord.Danger), button(verbEdit, words.GalleryEdit, discord.Plain))}
	case Deleting:
		return discord.Message{Content: g.say(l, words.GalleryDeleting, args)}
	case Rejected:
		return discord.Message{Content: strings.TrimSpace(g.say(l, words.GalleryRejected, args) + " " + s.Note)}
	case Deleted, Declined, Expired, Withdrawn:
	}
	return discord.Message{Content: g.say(l, words.GalleryOver, nil)}
}

// postedText is the acknowledgement.
func (g *Gallery) postedText(l words.Language, s *submission, a Account) string {
	link := shownHandle(a)
	if s.PostURL != "" {
		link = "<" + s.PostURL + ">" // without a preview, which would show what the post hides
	}
	lines := []string{g.say(l, words.GalleryPosted, words.Args{"link": link})}
	var without []string
	for _, m := range s.Media {
		if m.by() == byNobody {
			without = append(without, fmt.Sprint(m.N))
		}
	}
	if len(without) > 0 {
		lines = append(lines, g.say(l, words.GalleryPostedWithout, words.Args{"n": len(without), "which": strings.Join(without, ", ")}))
	}
	if s.Note != "" {
		lines = append(lines, s.Note)
	}
	return strings.Join(lines, "\n")
}

// offersAI tells whether the artist can turn the model on: there is one, the
// account allows it, and something lacks a description.
func (g *Gallery) offersAI(s *submission, a Account) bool {
	return g.Model != nil && a.AI && s.undescribedPictures() > 0
}

// processor is who runs the model, as members are told.
func (g *Gallery) processor(l words.Language) string {
	if g.Processor == "" {
		return g.say(l, words.GalleryOwnMachine, nil)
	}
	return g.Processor
}

// statement is what the artist agrees to by pressing.
func (g *Gallery) statement(l words.Language, s *submission, a Account) string {
	key := words.GalleryOffer
	if !a.Visibility.Open() {
		key = words.GalleryOfferFollowers
	}
	text := g.say(l, key, words.Args{"account": shownHandle(a)})
	switch {
	case g.asks(s) && s.undescribedPictures() > 0:
		text += " " + g.say(l, words.GalleryOfferAIOn, words.Args{"processor": discord.Escape(g.processor(l))})
	case s.drafted():
		text += " " + g.say(l, words.GalleryOfferAIDrafted, words.Args{"processor": discord.Escape(s.draftedBy(g.processor(l)))})
	case g.Model != nil && a.AI:
		text += " " + g.say(l, words.GalleryOfferAIOff, nil)
	default:
		text += " " + g.say(l, words.GalleryOfferNoAI, nil)
	}
	return text + "\n" + g.say(l, words.GalleryOfferRights, nil)
}

// offerMessage is the offer: what is asked, the preview and the buttons. The
// text is the statement alone, which is never cut; shown names all that was
// shown.
func (g *Gallery) offerMessage(ctx context.Context, s *submission) (m discord.Message, text, shown string) {
	l := g.language(ctx, s)
	a, _ := g.account(s.Target)
	text = g.statement(l, s, a)
	m = discord.Message{Content: text}
	if room := discord.MaxContent - discord.Length(text) - len("****\n"); s.Note != "" && room > 0 {
		m.Content = "**" + shorten(s.Note, room) + "**\n" + text
	}
	preview := g.preview(l, s, a)
	m.Embeds = []discord.Embed{{Title: g.say(l, words.GalleryPreview, nil), Text: shorten(preview, mostPreview)}}
	if missing, err := g.discord.Missing(ctx, s.Guild, s.Channel, discord.EmbedLinks); err == nil && missing != 0 {
		// Discord would leave the box out without a word.
		m.Embeds = nil
		m.Content = shorten(m.Content+"\n\n"+preview, discord.MaxContent)
	}
	shown = s.shown(m, a)
	m.Rows = g.rows(ctx, l, s, a, shown)
	return m, text, shown
}

// mostPreview is how long the text of a box may be. Source: resources/message,
// "Embed Limits".
const mostPreview = 4096

// shown names what an offer shows, and all that is posted after a yes, also what
// a preview has no room for: a press on Post publicly counts only for that.
func (s *submission) shown(m discord.Message, a Account) string {
	m.Rows = nil
	media := slices.Clone(s.Media)
	for i := range media {
		media[i].URL = "" // expires
	}
	b, _ := json.Marshal(struct { // of strings and numbers: never fails
		Message                            discord.Message
		Words, CW, Credit, Tail, Language  string
		Credits, HidSpoiler, AgeRestricted bool
		Visibility                         community.Visibility
		Media                              []medium
	}{m, s.Words, s.CW, s.Credit, a.Tail, s.Language, s.Credits, s.HidSpoiler, s.AgeRestricted, a.Visibility, media})
	sum := sha256.Sum256(b)
	return base64.RawURLEncoding.EncodeToString(sum[:9])
}

// limits are what an account's server allows, as far as it is known.
func (g *Gallery) limits(id community.AccountID) fedi.Instance {
	if g.fedi != nil {
		if in, err := g.fedi.Limits(id); err == nil {
			return in
		}
	}
	return fedi.Instance{MaxChars: 500, URLChars: 23, MaxMedia: 4, MaxAlt: 1500}
}

// post is the text of a submission's post.
func (s *submission) post(a Account) compose.Post {
	p := compose.Post{Words: s.Words, Tail: a.Tail, CW: s.warning()}
	if s.State != Offered { // as it was agreed to
		p.Tail = s.Tail
	}
	if s.Credits {
		p.Credits = s.Credit
	}
	return p
}

// preview shows the post as it will be.
func (g *Gallery) preview(l words.Language, s *submission, a Account) string {
	in := g.limits(s.Target)
	var b strings.Builder
	line := func(text string) { b.WriteString(text + "\n") }
	text, cut := s.post(a).Fit(in)
	if cw := s.warning(); cw != "" {
		line(g.say(l, words.GalleryPreviewCW, words.Args{"cw": discord.Escape(cw)}))
	}
	if text == "" {
		line(g.say(l, words.GalleryPreviewEmpty, nil))
	} else {
		line(middle(discord.Escape(text), mostPreview/2))
	}
	if cut {
		line(g.say(l, words.GalleryPreviewCut, nil))
	}
	if s.sensitive() {
		line(g.say(l, words.GalleryPreviewSensitive, nil))
	}
	// Each description has its share of the room, so that none hides another.
	room := (mostPreview - discord.Length(b.String())) / max(len(s.Media), 1)
	for _, m := range s.Media {
		line(g.previewOf(l, s, m, in.MaxAlt, max(room-1, 80)))
	}
	if len(s.Media) > in.MaxMedia && in.MaxMedia > 0 {
		line(g.say(l, words.GalleryPreviewParts, words.Args{"n": in.MaxMedia}))
	}
	return strings.TrimSpace(b.String())
}

// middle leaves out the middle of a long text: its end has the credits.
func middle(text string, most int) string {
	const end = 600
	if discord.Length(text) <= most {
		return text
	}
	runes := []rune(text)
	return shorten(text, most-end) + "\n" + string(runes[max(len(runes)-end/2, 0):])
}

// previewOf shows one medium with its description, in about so many characters.
func (g *Gallery) previewOf(l words.Language, s *submission, m medium, most, room int) string {
	args := words.Args{"n": m.N, "name": discord.Name(shorten(m.Name, room/2))}
	if m.Spoiler && m.Embed { // its name is of the address that was hidden
		args["name"] = "…"
	}
	head := g.say(l, words.GalleryPreviewMedium, args)
	if m.Spoiler {
		head = g.say(l, words.GalleryPreviewSpoiler, args)
	}
	alt, cut := m.alt(words.Match(s.Language), most)
	switch {
	case alt != "" && m.Spoiler:
		head += " ||" + shorten(discord.Escape(alt), max(room-discord.Length(head)-5, 20)) + "||"
	case alt != "":
		head += " " + shorten(discord.Escape(alt), max(room-discord.Length(head)-1, 20))
		if cut {
			head += " " + g.say(l, words.GalleryPreviewAltCut, words.Args{"n": most})
		}
	case g.asks(s) && m.picture():
		head += " " + g.say(l, words.GalleryPreviewAI, words.Args{"processor": discord.Escape(g.processor(l))})
	default:
		head += " " + g.say(l, words.GalleryPreviewNone, nil)
	}
	return head
}

// rows are the offer's buttons: two rows, and a menu if there are several
// accounts to choose from.
func (g *Gallery) rows(ctx context.Context, l words.Language, s *submission, a Account, shown string) []discord.Row {
	button := func(verb string, label string, style discord.Style, args ...string) discord.Button {
		return discord.Button{ID: discord.CustomID(action, append([]string{verb, s.ID}, args...)...), Label: label, Style: style}
	}
	say := func(k words.Key) string { return g.say(l, k, nil) }
	post := words.GalleryPost
	if !a.Visibility.Open() {
		post = words.GalleryPostFollowers
	}
	first := []discord.Button{
		button(verbPost, say(post), discord.Primary, shown),
		button(verbNo, say(words.GalleryNo), discord.Plain),
		button(verbDescribe, say(words.GalleryDescribe), discord.Plain),
	}
	if g.offersAI(s, a) {
		if g.asks(s) {
			first = append(first, button(verbAI, say(words.GalleryAIOn), discord.Plain, "off"))
		} else {
			first = append(first, button(verbAI, say(words.GalleryAIOff), discord.Plain, "on"))
		}
	}
	first = append(first, button(verbWhat, say(words.GalleryWhat), discord.Plain))
	credits := button(verbCredits, say(words.GalleryCreditsOn), discord.Plain, "off")
	if !s.Credits {
		credits = button(verbCredits, say(words.GalleryCreditsOff), discord.Plain, "on")
	}
	rows := []discord.Row{{Buttons: first}, {Buttons: []discord.Button{
		button(verbCW, say(words.GalleryCW), discord.Plain), credits,
		button(verbRefresh, say(words.GalleryRefresh), discord.Plain), button(verbNever, say(words.GalleryNever), discord.Plain),
	}}}
	targets, err := g.targets(ctx, s.Guild)
	if err != nil || len(targets) == 0 || len(targets) == 1 && targets[0].ID == s.Target {
		return rows
	}
	menu := &discord.Select{ID: discord.CustomID(action, verbAs, s.ID), Kind: discord.SelectText, Placeholder: say(words.GalleryAs), Min: 1, Max: 1}
	for _, t := range targets[:min(len(targets), discord.MaxChoices)] {
		menu.Choices = append(menu.Choices, discord.Choice{Label: handleOf(t), Value: t.Name, Selected: t.ID == s.Target})
	}
	return append(rows, discord.Row{Select: menu})
}

// tellPrivately writes to the artist what the message in the thread should have
// said: it could not be shown there.
func (g *Gallery) tellPrivately(ctx context.Context, tx store.Tx, s *submission) error {
	if s.Artist == "" {
		return nil
	}
	l := g.language(ctx, s)
	a, _ := g.account(s.Target)
	text := strings.TrimSpace(g.say(l, words.GalleryRejected, words.Args{"account": shownHandle(a)}) + " " + s.Note)
	switch s.State {
	case Offered:
		text = s.Note + "\n" + sourceLink(s)
	case Posted:
		text = g.postedText(l, s, a) + "\n" + g.say(l, words.GalleryCode, words.Args{"code": shownCode(s.Code)})
	}
	_, err := g.Outbox.Plan(ctx, tx, outbox.Effect{Key: "gallery/tell/" + s.ID + "/" + string(s.State), Feature: Name, Kind: discord.MessageKind, Account: s.Account,
		Payload: discord.Send{To: s.Artist, Parts: []discord.Message{{Content: shorten(text, discord.MaxContent), NoPreviews: true}}}})
	return err
}

// promise is a hash of all of a post that depends on the server too, which may
// allow less, or more, by the time it is posted: what the artist has seen is
// what is posted.
func (s *submission) promise(a Account, in fedi.Instance) string {
	text, _ := s.post(a).Fit(in)
	whole := struct {
		Text, CW, Language string
		Sensitive          bool
		Alts               []string
	}{Text: text, CW: s.warning(), Language: s.Language, Sensitive: s.sensitive()}
	for _, m := range s.Media {
		alt := ""
		if m.By != byNobody {
			alt, _ = m.alt(words.Match(s.Language), in.MaxAlt)
		}
		whole.Alts = append(whole.Alts, alt)
	}
	b, _ := json.Marshal(whole) // of strings: never fails
	sum := sha256.Sum256(b)
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}
