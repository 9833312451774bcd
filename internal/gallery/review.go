package gallery

import (
	"context"
	"errors"
	"fmt"

	"rookery/internal/discord"
	"rookery/internal/gallery/ledger"
	"rookery/internal/outbox"
	"rookery/internal/store"
	"rookery/internal/words"
)

func reviewKey(s *submission) string { return fmt.Sprintf("gallery/review/%s/%d", s.ID, s.Revision) }

// mostReason bounds what a moderator writes to the artist.
const mostReason = 500

// askReview plans the question to the moderators about a submission that is
// locked and in review.
func (g *Gallery) askReview(ctx context.Context, tx store.Tx, s *submission) error {
	channel, err := g.Settings.review.InTx(ctx, tx, s.Guild)
	if err != nil {
		return err
	}
	s.Reviewed = reviewKey(s)
	_, err = g.Outbox.Plan(ctx, tx, outbox.Effect{Key: s.Reviewed, Feature: Name, Kind: discord.MessageKind, Account: s.Account, Expires: s.Expires,
		Payload: discord.Send{Channel: channel, Parts: []discord.Message{g.reviewMessage(ctx, s)}}})
	return err
}

// reviewMessage is what the moderators see.
func (g *Gallery) reviewMessage(ctx context.Context, s *submission) discord.Message {
	l := g.language(ctx, s)
	a, _ := g.account(s.Target)
	m := discord.Message{Embeds: []discord.Embed{{Title: g.say(l, words.GalleryPreview, nil), Text: shorten(g.preview(l, s, a), mostPreview)}}}
	args := words.Args{"artist": discord.Name(s.ArtistName), "account": shownHandle(a), "link": sourceLink(s)}
	if s.ArtistName == "" { // what it was is over, or they are forgotten
		args["artist"] = l.Say(words.GalleryKeptSomebody, nil)
	}
	switch s.State {
	case Review:
		m.Content = g.say(l, words.GalleryReviewAsk, args)
		m.Rows = []discord.Row{{Buttons: []discord.Button{
			{ID: discord.CustomID(action, verbApprove, s.ID), Label: g.say(l, words.GalleryApprove, nil), Style: discord.Success},
			{ID: discord.CustomID(action, verbReject, s.ID), Label: g.say(l, words.GalleryReject, nil), Style: discord.Danger},
		}}}
		return m
	case Accepted, Posting, Posted, Deleting:
		m.Content = g.say(l, words.GalleryReviewApproved, args)
	case Rejected:
		m.Content, m.Embeds = g.say(l, words.GalleryReviewRejected, args), nil
	case Offered, Deleted, Declined, Expired, Withdrawn:
		m.Content, m.Embeds = g.say(l, words.GalleryReviewOver, args), nil
	}
	if s.Artist == "" { // forgotten; no words of theirs are known either
		m.Embeds = nil
	}
	return m
}

// sourceLink is the address of the artist's message.
func sourceLink(s *submission) string {
	channel, message, ok := discord.MessageOf(s.Source)
	if !ok {
		return ""
	}
	return "https://discord.com/channels/" + string(s.Guild) + "/" + string(channel) + "/" + message
}

// refreshReview has the message to the moderators say what became of it.
func (g *Gallery) refreshReview(ctx context.Context, tx store.Tx, s *submission) error {
	if s.Reviewed == "" {
		return nil
	}
	lane, ok, err := outbox.LaneOf(ctx, tx, s.Reviewed)
	if err != nil || !ok {
		return err
	}
	m := g.reviewMessage(ctx, s)
	_, err = g.Outbox.Plan(ctx, tx, outbox.Effect{Key: fmt.Sprintf("gallery/reviewed/%s/%d", s.ID, s.Revision), Feature: Name, Kind: discord.EditKind, Account: s.Account, Lane: lane,
		Payload: discord.Edit{Message: &m}})
	return err
}

// pressReview is a moderator's yes or no; a no asks for the reason.
func (g *Gallery) pressReview(ctx context.Context, p *discord.Press, id string, approve bool) (discord.Answer, error) {
	s, err := get(ctx, g.Store, id)
	if errors.Is(err, errNone) {
		return g.private(g.say(p.Language, words.GalleryGone, nil)), nil
	}
	if err != nil {
		return discord.Answer{}, err
	}
	if p.Place.Guild != s.Guild || !g.isModerator(p) {
		return g.private(g.say(p.Language, words.GalleryModeratorsOnly, nil)), nil
	}
	if s.State != Review {
		return g.private(g.say(p.Language, words.GalleryReviewDone, nil)), nil
	}
	if !approve {
		return discord.Answer{Modal: &discord.Modal{ID: discord.CustomID(action, formReject, s.ID), Title: shorten(g.say(p.Language, words.GalleryRejectTitle, nil), mostLabel),
			Fields: []discord.Input{{ID: "reason", Label: shorten(g.say(p.Language, words.GalleryRejectReason, nil), mostLabel), Max: mostReason, Long: true}}}}, nil
	}
	return g.decide(ctx, p, id, true, "")
}

// filledReject is a moderator's no with its reason.
func (g *Gallery) filledReject(ctx context.Context, p *discord.Press, id string) (discord.Answer, error) {
	s, err := get(ctx, g.Store, id)
	if err != nil {
		return g.private(g.say(p.Language, words.GalleryGone, nil)), ignoreNone(err)
	}
	if p.Place.Guild != s.Guild || !g.isModerator(p) {
		return g.private(g.say(p.Language, words.GalleryModeratorsOnly, nil)), nil
	}
	return g.decide(ctx, p, id, false, cutRunes(oneLine(p.Fields["reason"]), mostReason))
}

// decide stores what a moderator has decided; the first of two counts.
func (g *Gallery) decide(ctx context.Context, p *discord.Press, id string, approve bool, reason string) (discord.Answer, error) {
	var s *submission
	late := false
	err := g.Store.Write(ctx, func(ctx context.Context, tx store.Tx) (err error) {
		late = false
		if s, err = lock(ctx, tx, id); err != nil {
			return err
		}
		if s.State != Review {
			late = true
			return nil
		}
		moderator, err := subjectOf(ctx, tx, p.Member.ID)
		if err != nil {
			return err
		}
		e := g.entry(s, ledger.Rejected)
		e.By, e.Via = "moderator "+moderator, "button"
		if approve {
			e.Event = ledger.Approved
			s.State, s.Next, s.Expires = Accepted, g.Clock.Now(), timeOf(0)
			if err := g.wake(ctx, tx, s.Target); err != nil {
				return err
			}
		} else {
			// Nothing comes of what was written any more. The moderators' message
			// still says whose it was.
			name := s.ArtistName
			s.scrub()
			s.State, s.ArtistName, s.Note = Rejected, name, discord.Escape(reason)
			if err := s.storeMedia(ctx, tx); err != nil {
				return err
			}
			tx.AfterCommit(func() { g.unfollow(s.Source); g.observe(OutcomeRejected) })
		}
		if err := g.Ledger.Write(ctx, tx, e); err != nil {
			return err
		}
		if err := s.save(ctx, tx, g.Clock.Now()); err != nil {
			return err
		}
		if err := g.refreshReview(ctx, tx, s); err != nil {
			return err
		}
		return g.refresh(ctx, tx, s)
	})
	if err != nil {
		return discord.Answer{}, fmt.Errorf("review a submission: %w", err)
	}
	if late {
		return g.private(g.say(p.Language, words.GalleryReviewDone, nil)), nil
	}
	m := g.reviewMessage(ctx, s)
	return discord.Answer{Update: &m}, nil
}

// settleReview hears what became of the question to the moderators. Where they
// cannot be asked, the guild is told, and the artist: nothing is posted
// unasked.
func (g *Gallery) settleReview(ctx context.Context, tx store.Tx, id string, r outbox.Result) error {
	if err := outbox.Forget(ctx, tx, r.Key); err != nil { // it shows what a member wrote
		return err
	}
	if r.State == outbox.Confirmed {
		return nil
	}
	s, err := lock(ctx, tx, id)
	if err != nil || s.State != Review || s.Reviewed != r.Key {
		return ignoreNone(err)
	}
	if g.TellGuild != nil {
		if err := g.TellGuild(ctx, tx, s.Guild, "gallery/review", func(l words.Language) string { return g.say(l, words.GalleryGuildNoReview, nil) }); err != nil {
			return err
		}
	}
	return g.reofferIn(ctx, tx, s, nil, words.GalleryReviewFailed, nil)
}
