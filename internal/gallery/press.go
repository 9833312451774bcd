package gallery

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"rookery/internal/community"
	"rookery/internal/discord"
	"rookery/internal/failpoint"
	"rookery/internal/gallery/ledger"
	"rookery/internal/outbox"
	"rookery/internal/store"
	"rookery/internal/words"
)

// What can be pressed: the second part of an id. The third is the submission,
// and what follows says what shall be, never "the other way round": a press
// that is handled twice is handled once.
const (
	verbPost     = "post"   // and what was shown
	verbAnyway   = "anyway" // likewise, without descriptions
	verbNo       = "no"
	verbDescribe = "describe" // and from where
	verbPage     = "page"     // a form of a panel, and which
	verbDraft    = "draft"
	verbAI       = "ai" // on or off
	verbWhat     = "what"
	verbCW       = "cw"
	verbCredits  = "credits" // on or off
	verbRefresh  = "refresh"
	verbNever    = "never"
	verbAs       = "as"
	verbCancel   = "cancel"
	verbDelete   = "delete"
	verbSure     = "sure"
	verbKeep     = "keep"
	verbEdit     = "edit"
	verbApprove  = "approve"
	verbReject   = "reject"
	verbPosts    = "posts" // the list of a member's own, and its page; of no submission
)

// asking is who waits for an answer to a press that takes longer.
type asking struct {
	Interaction string              `json:"interaction"`
	Token       string              `json:"token"`
	Until       time.Time           `json:"until"`
	Channel     community.ChannelID `json:"channel"`
	Asker       community.MemberID  `json:"asker"`
	Private     bool                `json:"private,omitempty"`
	Member      bool                `json:"member,omitempty"`
	Locale      string              `json:"locale,omitempty"`
}

// askingOf keeps a press whose answer comes later, to the member alone.
func askingOf(p *discord.Press) *asking {
	return &asking{Interaction: p.ID, Token: p.Token, Until: p.Until, Channel: p.Place.Channel, Asker: p.Member.ID, Private: true, Member: p.Present, Locale: string(p.Language)}
}

// answer is the payload that answers it.
func (a asking) answer(m discord.Message) discord.AnswerTo {
	return discord.AnswerTo{Interaction: a.Interaction, Token: a.Token, Until: a.Until, Channel: a.Channel, Asker: a.Asker, Private: a.Private, Member: a.Member, Message: m}
}

// private is an answer that only the member sees.
func (g *Gallery) private(text string) discord.Answer {
	return discord.Answer{Message: &discord.Message{Content: shorten(text, discord.MaxContent), NoPreviews: true}, Private: true}
}

// pressed handles what was pressed on a message of ours.
func (g *Gallery) pressed(ctx context.Context, p *discord.Press) (discord.Answer, error) {
	if len(p.Args) < 2 {
		return g.private(g.say(p.Language, words.GalleryGone, nil)), nil
	}
	verb, id, arg := p.Args[0], p.Args[1], ""
	if len(p.Args) > 2 {
		arg = p.Args[2]
	}
	switch verb { // those that are not the artist's alone
	case verbWhat:
		return g.explain(ctx, p, id)
	case verbDelete:
		return g.pressDelete(ctx, p, id, false)
	case verbSure:
		return g.pressDelete(ctx, p, id, true)
	case verbKeep:
		return discord.Answer{Update: &discord.Message{Content: g.say(p.Language, words.GalleryKept, nil)}}, nil
	case verbApprove, verbReject:
		return g.pressReview(ctx, p, id, verb == verbApprove)
	case verbPosts:
		return g.pressPosts(ctx, p, id)
	}
	s, err := get(ctx, g.Store, id)
	if errors.Is(err, errNone) {
		return g.private(g.say(p.Language, words.GalleryGone, nil)), nil
	}
	if err != nil {
		return discord.Answer{}, err
	}
	if s.Artist != p.Member.ID || s.Artist == "" {
		return g.private(g.say(p.Language, words.GalleryNotYourOffer, nil)), nil
	}
	switch verb {
	case verbPost, verbAnyway:
		return g.pressPost(ctx, p, id, arg, verb == verbAnyway)
	case verbDescribe:
		return g.pressDescribe(ctx, p, s, arg)
	case verbPage:
		return g.pressPage(p, s, arg, fromPanel), nil
	case verbEdit:
		return g.pressEdit(p, s), nil
	case verbDraft:
		return g.pressDraft(ctx, p, id)
	case verbCW:
		return g.askWarning(p, s), nil
	case verbRefresh:
		return g.pressRefresh(ctx, p, s)
	case verbCancel:
		return g.pressCancel(ctx, p, id)
	case verbNo, verbNever:
		return g.pressNo(ctx, p, id, verb == verbNever)
	case verbAI:
		return g.pressAI(ctx, p, id, arg == "on")
	case verbCredits:
		return g.change(ctx, p, id, func(_ context.Context, _ store.Tx, s *submission) error {
			s.Credits = arg == "on"
			return nil
		})
	case verbAs:
		return g.pressAs(ctx, p, id)
	}
	return g.private(g.say(p.Language, words.GalleryGone, nil)), nil
}

// mostSeen is how many presses are remembered.
const mostSeen = 12

// handled notes a press, and tells whether it was noted before: Discord tells
// again of what a killed process had not acknowledged, maybe after others.
func (s *submission) handled(press string) bool {
	if slices.Contains(s.Seen, press) {
		return true
	}
	s.Seen = append(s.Seen, press)
	if n := len(s.Seen); n > mostSeen {
		s.Seen = slices.Clone(s.Seen[n-mostSeen:])
	}
	return false
}

// change makes a change to an offer that is open and shows it.
func (g *Gallery) change(ctx context.Context, p *discord.Press, id string, fn func(ctx context.Context, tx store.Tx, s *submission) error) (discord.Answer, error) {
	var s *submission
	err := g.Store.Write(ctx, func(ctx context.Context, tx store.Tx) (err error) {
		if s, err = lock(ctx, tx, id); err != nil || s.State != Offered {
			return err
		}
		if s.handled(p.ID) {
			return nil
		}
		s.Note = ""
		if err := fn(ctx, tx, s); err != nil {
			return err
		}
		if err := s.save(ctx, tx, g.Clock.Now()); err != nil {
			return err
		}
		return s.storeMedia(ctx, tx)
	})
	if err != nil {
		return discord.Answer{}, fmt.Errorf("change an offer: %w", err)
	}
	if s.State != Offered {
		return g.private(g.over(p.Language, s)), nil
	}
	m := g.message(ctx, s)
	return discord.Answer{Update: &m}, nil
}

// over says that an offer is not open any more, and why.
func (g *Gallery) over(l words.Language, s *submission) string {
	switch {
	case s.State == Posted && s.PostURL != "":
		return g.say(l, words.GalleryAlready, words.Args{"link": s.PostURL})
	case s.State.agreed():
		return g.say(l, words.GalleryAlreadyAgreed, nil)
	}
	return g.say(l, words.GalleryGone, nil)
}

// pressAI turns descriptions by the model on for this post, or off. The ledger
// is written before anything else can happen.
func (g *Gallery) pressAI(ctx context.Context, p *discord.Press, id string, on bool) (discord.Answer, error) {
	return g.change(ctx, p, id, func(ctx context.Context, tx store.Tx, s *submission) error {
		a, _ := g.account(s.Target)
		if on && (!a.AI || g.Model == nil) {
			s.Note = g.say(g.language(ctx, s), words.GalleryNoModel, nil)
			return nil
		}
		if on == g.asks(s) {
			return nil
		}
		if !on { // nor what it has said
			for i := range s.Media {
				s.Media[i].Draft, s.Media[i].Model = "", ""
			}
		}
		event := ledger.AIOff
		s.AI, s.Processor, s.Model = on, "", ""
		if on {
			event, s.Processor, s.Model = ledger.AIOn, g.processorName(), g.ModelName
		}
		e := g.entry(s, event)
		e.Processor, e.Model, e.Via = g.processorName(), g.ModelName, "button"
		e.Text = g.statement(g.language(ctx, s), s, a)
		return g.Ledger.Write(ctx, tx, e)
	})
}

// pressAs chooses the account that posts.
func (g *Gallery) pressAs(ctx context.Context, p *discord.Press, id string) (discord.Answer, error) {
	return g.change(ctx, p, id, func(ctx context.Context, _ store.Tx, s *submission) error {
		targets, err := g.targets(ctx, s.Guild)
		if err != nil {
			return err
		}
		for _, t := range targets {
			if len(p.Values) == 1 && t.Name == p.Values[0] {
				s.Target, s.Language = t.ID, languageTag(t.Language, s.Locale)
			}
		}
		return nil
	})
}

// pressRefresh reads the message again.
func (g *Gallery) pressRefresh(ctx context.Context, p *discord.Press, s *submission) (discord.Answer, error) {
	o, err := g.discord.Read(ctx, s.Account, s.Source)
	switch discord.ClassOf(err) {
	case "":
	case discord.Gone:
		if err := g.gone(ctx, s.ID); err != nil {
			return discord.Answer{}, err
		}
		return g.private(g.say(p.Language, words.GalleryMessageGone, nil)), nil
	default:
		return g.private(g.say(p.Language, words.GalleryUnreadNow, nil)), nil
	}
	return g.change(ctx, p, s.ID, func(ctx context.Context, tx store.Tx, s *submission) error {
		l := g.language(ctx, s)
		if o.Hidden {
			s.Note = g.say(l, words.GalleryHidden, nil)
		} else if _, err := g.takeOver(ctx, s, o); err != nil {
			return err
		}
		credit, err := g.creditOf(ctx, tx, s)
		s.Credit = credit
		return err
	})
}

// pressNo ends an offer; never also says that no more are wanted.
func (g *Gallery) pressNo(ctx context.Context, p *discord.Press, id string, never bool) (discord.Answer, error) {
	var s *submission
	err := g.Store.Write(ctx, func(ctx context.Context, tx store.Tx) (err error) {
		if s, err = lock(ctx, tx, id); err != nil {
			return err
		}
		if never {
			if _, err := tx.Exec(ctx, `insert into gallery_quiet (guild, member) values ($1, $2) on conflict do nothing`, string(s.Guild), string(s.Artist)); err != nil {
				return err
			}
		}
		if s.State != Offered {
			return nil
		}
		return g.end(ctx, tx, s, Declined, ledger.Declined, "button", "")
	})
	if err != nil {
		return discord.Answer{}, fmt.Errorf("end an offer: %w", err)
	}
	switch {
	case s.State != Declined:
		return g.private(g.over(p.Language, s)), nil
	case never:
		return g.private(g.say(p.Language, words.GalleryNeverAgain, nil)), nil
	}
	return g.private(g.say(p.Language, words.GalleryDeclined, nil)), nil
}

// pressCancel takes back what was agreed to and is not posted yet.
func (g *Gallery) pressCancel(ctx context.Context, p *discord.Press, id string) (discord.Answer, error) {
	var s *submission
	err := g.Store.Write(ctx, func(ctx context.Context, tx store.Tx) (err error) {
		if s, err = lock(ctx, tx, id); err != nil {
			return err
		}
		return g.withdraw(ctx, tx, s, "button")
	})
	if err != nil {
		return discord.Answer{}, fmt.Errorf("take a submission back: %w", err)
	}
	switch s.State {
	case Withdrawn:
		return g.private(g.say(p.Language, words.GalleryCancelled, nil)), nil
	case Deleting:
		return g.private(g.say(p.Language, words.GalleryCancelling, nil)), nil
	case Posted: // just now; the message does not say so yet
		return g.pressDelete(ctx, p, id, false)
	}
	return g.private(g.over(p.Language, s)), nil
}

// explain opens what the Fediverse and descriptions by a model are.
func (g *Gallery) explain(ctx context.Context, p *discord.Press, id string) (discord.Answer, error) {
	s, err := get(ctx, g.Store, id)
	if err != nil && !errors.Is(err, errNone) {
		return discord.Answer{}, err
	}
	account := g.say(p.Language, words.GallerySomeAccount, nil)
	var a Account
	if s != nil {
		a, _ = g.account(s.Target)
		account = shownHandle(a)
	}
	what := words.GalleryWhatFediverse
	if s != nil && !a.Visibility.Open() {
		what = words.GalleryWhatFollowers
	}
	lines := []string{g.say(p.Language, what, words.Args{"account": account})}
	if g.Model != nil && a.AI {
		lines = append(lines, g.say(p.Language, words.GalleryWhatAI, words.Args{"processor": discord.Escape(g.processor(p.Language)), "model": discord.Escape(g.ModelName)}))
	}
	lines = append(lines, g.say(p.Language, words.GalleryWhatCopies, nil))
	last := g.say(p.Language, words.GalleryWhatKept, nil)
	if a.Contact != "" {
		last += " " + g.say(p.Language, words.GalleryWhatContact, words.Args{"contact": discord.Escape(a.Contact)})
	}
	lines = append(lines, last)
	if g.Terms != "" {
		lines = append(lines, g.say(p.Language, words.GalleryWhatTerms, words.Args{"link": g.Terms}))
	}
	if g.Privacy != "" {
		lines = append(lines, g.say(p.Language, words.GalleryWhatPrivacy, words.Args{"link": g.Privacy}))
	}
	return g.private(strings.Join(lines, "\n\n")), nil
}

// agreement is what became of a press on Post publicly.
type agreement struct {
	s      *submission
	again  bool     // the offer is not what was shown: show it anew
	no     *refusal // it may not be now
	asked  bool     // media without a description: what shall be?
	before bool     // it was agreed to before
}

// pressPost is the yes. It counts for what the message has shown, and is in the
// ledger before anything is done about it.
func (g *Gallery) pressPost(ctx context.Context, p *discord.Press, id, shown string, anyway bool) (discord.Answer, error) {
	// What the platform must be asked for is asked outside of the transaction.
	s, err := get(ctx, g.Store, id)
	if err != nil {
		return discord.Answer{}, err
	}
	no, err := g.mayShare(ctx, s.Guild, p.Member.ID, p.Place.Roles)
	if err != nil {
		return discord.Answer{}, err
	}
	if on, err := g.Settings.On(ctx, s.Guild); err != nil {
		return discord.Answer{}, err
	} else if !on {
		no = &refusal{Key: words.GalleryOffHere}
	}
	if no != nil {
		return g.private(g.say(p.Language, no.Key, no.Args)), nil
	}
	_, text, current := g.offerMessage(ctx, s)
	revision := s.Revision
	required, err := g.Settings.described.In(ctx, s.Guild)
	if err != nil {
		return discord.Answer{}, err
	}
	review, err := g.Settings.review.In(ctx, s.Guild)
	if err != nil {
		return discord.Answer{}, err
	}
	var done agreement
	err = g.Store.Write(ctx, func(ctx context.Context, tx store.Tx) (err error) {
		done = agreement{}
		done.s, err = lock(ctx, tx, id)
		if err != nil {
			return err
		}
		s := done.s
		switch {
		case s.State != Offered:
			done.before = true
			return nil
		case s.Revision != revision || current != shown:
			done.again = true
			s.Note = g.say(g.language(ctx, s), words.GalleryChangedSince, nil)
			return s.save(ctx, tx, g.Clock.Now())
		}
		a, ok := g.account(s.Target)
		if !ok {
			done.no = &refusal{Key: words.GalleryNoAccount}
			return nil
		}
		open := s.undescribed()
		if g.asks(s) {
			open -= s.undescribedPictures()
		}
		if open > 0 && (required || !anyway && !s.Warned) {
			done.asked = true
			s.Warned = true
			return s.save(ctx, tx, g.Clock.Now())
		}
		if done.no, err = g.overLimit(ctx, tx, s); err != nil || done.no != nil {
			return err
		}
		return g.agree(ctx, tx, s, a, text, current, review)
	})
	if err != nil {
		return discord.Answer{}, fmt.Errorf("agree to share: %w", err)
	}
	failpoint.At("y2-agreed")
	return g.afterPost(ctx, p, done, required, anyway)
}

// agree stores the yes.
func (g *Gallery) agree(ctx context.Context, tx store.Tx, s *submission, a Account, text, shown string, review community.ChannelID) error {
	e := g.entry(s, ledger.Agreed)
	e.Text, e.Via, e.Note = text, "button", "preview "+shown
	if g.asks(s) && s.undescribedPictures() > 0 {
		e.Processor, e.Model = s.Processor, s.Model
	}
	if err := g.Ledger.Write(ctx, tx, e); err != nil {
		return err
	}
	if s.AI && !g.asks(s) { // they were told that it is off
		off := g.entry(s, ledger.AIOff)
		off.Processor, off.Model, off.Via, off.Text = s.Processor, s.Model, "button", text
		if err := g.Ledger.Write(ctx, tx, off); err != nil {
			return err
		}
		s.AI, s.Processor, s.Model = false, "", ""
	}
	s.Shown = s.promise(a, g.limits(a.ID))
	s.State, s.Agreed, s.Note, s.Trouble = Accepted, g.Clock.Now(), "", ""
	s.Tail, s.Audience = a.Tail, a.Visibility
	s.Next, s.Code = s.Agreed, g.makeCode()
	if review != "" {
		s.State = Review
		s.Expires = s.Agreed.Add(g.ExpireAfter)
		if err := g.askReview(ctx, tx, s); err != nil {
			return err
		}
	} else {
		s.Expires = time.Time{}
		if err := g.wake(ctx, tx, a.ID); err != nil {
			return err
		}
	}
	if err := s.save(ctx, tx, g.Clock.Now()); err != nil {
		return err
	}
	return g.refresh(ctx, tx, s)
}

// afterPost answers a press on Post publicly.
func (g *Gallery) afterPost(ctx context.Context, p *discord.Press, done agreement, required, anyway bool) (discord.Answer, error) {
	s, l := done.s, p.Language
	switch {
	case done.before && s.State.agreed() && s.State != Posted:
		return g.private(g.thanks(l, s)), nil // the same press again, or a second one at once
	case done.before:
		return g.private(g.over(l, s)), nil
	case done.no != nil:
		return g.private(g.say(l, done.no.Key, done.no.Args)), nil
	case done.again && anyway:
		// Pressed on a message that only they see: the offer itself is shown anew
		// by an edit.
		err := g.Store.Write(ctx, func(ctx context.Context, tx store.Tx) error { return g.refresh(ctx, tx, s) })
		return discord.Answer{Update: &discord.Message{Content: g.say(l, words.GalleryChangedSince, nil)}}, err
	case done.again:
		m := g.message(ctx, s)
		return discord.Answer{Update: &m}, nil
	case done.asked:
		return g.askDescriptions(ctx, l, s, required), nil
	case anyway:
		return discord.Answer{Update: &discord.Message{Content: g.thanks(l, s), NoPreviews: true}}, nil
	}
	return g.private(g.thanks(l, s)), nil
}

// thanks is what the artist is told in private: it holds the delete code.
func (g *Gallery) thanks(l words.Language, s *submission) string {
	a, _ := g.account(s.Target)
	key := words.GalleryThanks
	if s.State == Review {
		key = words.GalleryThanksReview
	}
	return g.say(l, key, words.Args{"account": shownHandle(a)}) + "\n" + g.say(l, words.GalleryCode, words.Args{"code": shownCode(s.Code)})
}

// askDescriptions asks what to do about media that nobody has described.
func (g *Gallery) askDescriptions(ctx context.Context, l words.Language, s *submission, required bool) discord.Answer {
	key := words.GalleryUndescribed
	if required {
		key = words.GalleryUndescribedRequired
	}
	_, _, shown := g.offerMessage(ctx, s)
	a, _ := g.account(s.Target)
	buttons := []discord.Button{{ID: discord.CustomID(action, verbDescribe, s.ID, fromPanel), Label: g.say(l, words.GalleryDescribe, nil), Style: discord.Primary}}
	if g.offersAI(s, a) {
		buttons = append(buttons, discord.Button{ID: discord.CustomID(action, verbDraft, s.ID), Label: g.say(l, words.GalleryDraft, words.Args{"processor": short(g.processor(l))})})
	}
	if !required {
		buttons = append(buttons, discord.Button{ID: discord.CustomID(action, verbAnyway, s.ID, shown), Label: g.say(l, words.GalleryAnyway, nil)})
	}
	return discord.Answer{Private: true, Message: &discord.Message{Rows: []discord.Row{{Buttons: buttons}}, NoPreviews: true,
		Content: g.say(l, key, words.Args{"n": s.undescribed(), "all": len(s.Media)})}}
}

// settleOffer hears what became of a submission's message, or of an edit of it.
func (g *Gallery) settleOffer(ctx context.Context, tx store.Tx, id string, r outbox.Result) error {
	first := r.Key == offerKey(id)
	if r.State == outbox.Confirmed {
		if first {
			tx.AfterCommit(func() { failpoint.At("y3-offer-stands") })
		}
		return nil
	}
	s, err := lock(ctx, tx, id)
	if err != nil {
		return ignoreNone(err)
	}
	g.Log.Info("a message of the gallery could not be shown", "submission", id, "state", string(s.State), "reason", r.Reason)
	unseen := first || r.Reason == discord.ReasonGone
	switch {
	case s.State == Offered && unseen: // nobody can press what nobody sees
		if !first && s.Note != "" { // a yes was given back, and nobody reads why
			if err := g.tellPrivately(ctx, tx, s); err != nil {
				return err
			}
		}
		if r.Reason == discord.ReasonForbidden && g.TellGuild != nil {
			channel := "<#" + string(s.Channel) + ">"
			if err := g.TellGuild(ctx, tx, s.Guild, "gallery/forbidden/"+string(s.Parent), func(l words.Language) string {
				return g.say(l, words.GalleryGuildForbidden, words.Args{"channel": channel})
			}); err != nil {
				return err
			}
		}
		return g.end(ctx, tx, s, Expired, ledger.Expired, "", "the offer could not be shown: "+r.Reason)
	case s.State == Posted || s.State == Rejected:
		return g.tellPrivately(ctx, tx, s)
	}
	return nil
}
