package gallery

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"rookery/internal/discord"
	"rookery/internal/failpoint"
	"rookery/internal/fedi"
	"rookery/internal/gallery/ledger"
	"rookery/internal/outbox"
	"rookery/internal/store"
	"rookery/internal/words"
)

// The keys of the effects by which a submission goes.
func deletePostKey(s *submission) string {
	return fmt.Sprintf("gallery/delete/%s/%d", s.ID, s.Revision)
}

// withdraw takes a locked submission back that is not posted yet. One whose
// post is under way is deleted as soon as it stands.
func (g *Gallery) withdraw(ctx context.Context, tx store.Tx, s *submission, via string) error {
	switch s.State {
	case Offered, Review, Accepted:
		return g.end(ctx, tx, s, Withdrawn, ledger.Withdrawn, via, "")
	case Posting:
		return g.remove(ctx, tx, s, deletion{event: ledger.Deleted, by: s.Subject, via: via, note: "taken back while it was being posted"})
	case Posted, Deleting, Deleted, Declined, Expired, Withdrawn, Rejected:
	}
	return nil
}

// mostAsked bounds who is told of one deletion, while a server is down for days.
const mostAsked = 20

// deletion is who has a post deleted, and how.
type deletion struct {
	event  ledger.Event // Deleted, or TakenDown by somebody else than the artist
	by     string       // as ledger.Entry.By has it
	via    string
	note   string
	asking *asking // who waits to be told; nil for nobody
}

// remove has a locked submission's post deleted. A post that is on its way is
// waited for; one that was not sent yet is dropped. The words of a submission
// stay until that is done, for an instance that is down may be so for long.
func (g *Gallery) remove(ctx context.Context, tx store.Tx, s *submission, by deletion) error {
	if by.asking != nil {
		b, err := json.Marshal(by.asking)
		if err != nil {
			return fmt.Errorf("note who asked: %w", err)
		}
		s.Asked = append(s.Asked, string(b))
	}
	if s.State == Deleting { // it is on its way: whoever asks again is told too
		if len(s.Asked) > mostAsked {
			s.Asked = s.Asked[len(s.Asked)-mostAsked:]
		}
		return s.save(ctx, tx, g.Clock.Now())
	}
	if s.State != Posting && s.State != Posted {
		return errNone
	}
	lane, ok, err := outbox.LaneOf(ctx, tx, s.postKey())
	if err != nil {
		return err
	}
	if !ok {
		return fmt.Errorf("delete the post of submission %s: it is not known what was posted", s.ID)
	}
	e := g.entry(s, by.event)
	e.By, e.Via, e.Note = by.by, by.via, by.note
	if err := g.Ledger.Write(ctx, tx, e); err != nil {
		return err
	}
	s.State, s.TakenDown, s.Note = Deleting, by.event == ledger.TakenDown, ""
	if _, err := g.Outbox.Plan(ctx, tx, outbox.Effect{Key: deletePostKey(s), Feature: Name, Kind: fedi.DeleteKind, Account: s.Target, Lane: lane, Again: 2}); err != nil {
		return err
	}
	if err := s.save(ctx, tx, g.Clock.Now()); err != nil {
		return err
	}
	tx.AfterCommit(func() { failpoint.At("z1-delete-planned") })
	return g.refresh(ctx, tx, s)
}

// settleDelete hears what became of the deletion of a post.
func (g *Gallery) settleDelete(ctx context.Context, tx store.Tx, id string, r outbox.Result) error {
	s, err := lock(ctx, tx, id)
	if err != nil || s.State != Deleting {
		return ignoreNone(err)
	}
	asked := s.Asked
	s.Asked = nil
	a, _ := g.account(s.Target)
	args := words.Args{"server": discord.Escape(serverOf(a, s)), "account": shownHandle(a)}
	if r.State != outbox.Confirmed {
		s.State = Posted
		e := g.entry(s, ledger.Stands)
		e.By = "server"
		if err := g.Ledger.Write(ctx, tx, e); err != nil {
			return err
		}
		l := g.language(ctx, s)
		reason := r.Reason
		if r.Detail != "" {
			reason = r.Detail
		}
		args["reason"] = discord.Escape(reason)
		s.Note = g.say(l, words.GalleryNotDeleted, args)
		if s.Artist == "" { // forgotten meanwhile: see forgetArtist
			s.scrub()
			s.Drafting = nil
			if err := s.storeMedia(ctx, tx); err != nil {
				return err
			}
		}
		g.Log.Error("a post could not be deleted", "submission", s.ID, "account", s.Target, "reason", reason)
		if g.Tell != nil {
			link := s.PostURL
			if err := g.Tell(ctx, tx, "gallery/delete/"+s.ID, func(l words.Language) string {
				return l.Say(words.GalleryOperatorNotDeleted, words.Args{"link": link, "reason": reason})
			}); err != nil {
				return err
			}
		}
		if err := s.save(ctx, tx, g.Clock.Now()); err != nil {
			return err
		}
		if err := g.tellAsked(ctx, tx, s, asked, words.GalleryNotDeleted, args); err != nil {
			return err
		}
		return g.refresh(ctx, tx, s)
	}
	e := g.entry(s, ledger.Gone)
	e.By = "server"
	if err := g.Ledger.Write(ctx, tx, e); err != nil {
		return err
	}
	if err := g.tellAsked(ctx, tx, s, asked, words.GalleryDeletedNow, args); err != nil {
		return err
	}
	if s.TakenDown && s.Artist != "" {
		if err := g.tellTakenDown(ctx, tx, s, args); err != nil {
			return err
		}
	}
	if err := g.discardUploads(ctx, tx, s); err != nil {
		return err
	}
	s.State, s.Next = Deleted, timeOf(0) // its address is of no use any more
	s.scrub()
	if err := s.save(ctx, tx, g.Clock.Now()); err != nil {
		return err
	}
	if err := errors.Join(s.storeMedia(ctx, tx), g.refreshReview(ctx, tx, s)); err != nil {
		return err
	}
	for try := range s.Tries + 1 { // what it said is nothing to keep
		if err := outbox.Forget(ctx, tx, fmt.Sprintf("gallery/post/%s/%d", s.ID, try)); err != nil {
			return err
		}
	}
	outcome := OutcomeDeleted
	if s.TakenDown {
		outcome = OutcomeTakenDown
	}
	tx.AfterCommit(func() {
		g.observe(outcome)
		g.Log.Info("a post of the gallery was deleted", "submission", s.ID, "account", s.Target, "taken_down", s.TakenDown)
		failpoint.At("z2-deleted")
	})
	return g.removeOffer(ctx, tx, s)
}

// tellAsked answers those who asked for a deletion.
func (g *Gallery) tellAsked(ctx context.Context, tx store.Tx, s *submission, asked []string, key words.Key, args words.Args) error {
	for _, one := range asked {
		var ask asking
		if err := json.Unmarshal([]byte(one), &ask); err != nil {
			return fmt.Errorf("read who asked: %w", err)
		}
		text := g.say(words.Match(ask.Locale), key, args)
		if _, err := g.Outbox.Plan(ctx, tx, outbox.Effect{Key: "gallery/asked/" + ask.Interaction, Feature: Name, Kind: discord.AnswerKind, Account: s.Account,
			Payload: ask.answer(discord.Message{Content: shorten(text, discord.MaxContent), NoPreviews: true})}); err != nil {
			return err
		}
	}
	return nil
}

// tellTakenDown tells the artist that others have had their post deleted.
func (g *Gallery) tellTakenDown(ctx context.Context, tx store.Tx, s *submission, args words.Args) error {
	l := g.language(ctx, s)
	name := ""
	if guild, ok := g.discord.Guild(s.Guild); ok {
		name = guild.Name
	}
	args["guild"], args["link"] = discord.Name(name), s.PostURL
	_, err := g.Outbox.Plan(ctx, tx, outbox.Effect{Key: "gallery/taken-down/" + s.ID, Feature: Name, Kind: discord.MessageKind, Account: s.Account,
		Payload: discord.Send{To: s.Artist, Parts: []discord.Message{{Content: shorten(g.say(l, words.GalleryTakenDown, args), discord.MaxContent), NoPreviews: true}}}})
	return err
}

// serverOf is the host of a submission's post.
func serverOf(a Account, s *submission) string {
	if _, host, ok := cutLast(a.Handle, "@"); ok {
		return host
	}
	return hostOf(s.PostURL)
}

// pressDelete is the Delete button of an acknowledgement: it asks once.
func (g *Gallery) pressDelete(ctx context.Context, p *discord.Press, id string, sure bool) (discord.Answer, error) {
	s, err := get(ctx, g.Store, id)
	if errors.Is(err, errNone) {
		return g.private(g.say(p.Language, words.GalleryNoPost, nil)), nil
	}
	if err != nil {
		return discord.Answer{}, err
	}
	if !g.mayDelete(p, s) {
		return g.private(g.say(p.Language, words.GalleryNotYourPost, nil)), nil
	}
	if s.State != Posted && !(sure && slices.Contains(s.Seen, p.ID)) {
		return g.private(g.overDeleted(p.Language, s)), nil
	}
	if !sure {
		return discord.Answer{Private: true, Message: &discord.Message{Content: g.say(p.Language, words.GallerySure, words.Args{"link": s.PostURL}), NoPreviews: true, Rows: []discord.Row{{Buttons: []discord.Button{
			{ID: discord.CustomID(action, verbSure, s.ID), Label: g.say(p.Language, words.GallerySureYes, nil), Style: discord.Danger},
			{ID: discord.CustomID(action, verbKeep, s.ID), Label: g.say(p.Language, words.GallerySureNo, nil)},
		}}}}}, nil
	}
	return g.deleteFor(ctx, p, s, "button", false)
}

// mayDelete tells whether who pressed may have a post deleted: its artist, and
// those who moderate the guild that it was shared from.
func (g *Gallery) mayDelete(p *discord.Press, s *submission) bool {
	return s.Artist != "" && s.Artist == p.Member.ID || g.moderates(p, s)
}

// overDeleted says why there is nothing to delete.
func (g *Gallery) overDeleted(l words.Language, s *submission) string {
	switch s.State {
	case Deleted:
		return g.say(l, words.GalleryDeletedBefore, nil)
	case Deleting:
		return g.say(l, words.GalleryDeletingNow, nil)
	case Offered, Review, Accepted, Posting, Posted, Declined, Expired, Withdrawn, Rejected:
	}
	return g.say(l, words.GalleryNoPost, nil)
}

// deleteFor has a post deleted, or taken back, for who pressed, who may. The
// answer comes once the server has done it.
func (g *Gallery) deleteFor(ctx context.Context, p *discord.Press, s *submission, via string, code bool) (discord.Answer, error) {
	before, strange, again := s.State, false, false
	err := g.Store.Write(ctx, func(ctx context.Context, tx store.Tx) (err error) {
		if s, err = lock(ctx, tx, s.ID); err != nil {
			return err
		}
		before, strange = s.State, false
		if again = s.handled(p.ID); again {
			return nil // its answer is on its way
		}
		by, err := deletedBy(ctx, tx, s, p, via, code)
		if err != nil {
			return err
		}
		switch s.State {
		case Posting, Posted:
			if strange = g.strange(s); strange {
				return g.tellStrange(ctx, tx, s)
			}
			return g.remove(ctx, tx, s, by)
		case Deleting:
			return g.remove(ctx, tx, s, by)
		case Offered, Review, Accepted:
			return g.endBy(ctx, tx, s, Withdrawn, ledger.Withdrawn, by)
		case Deleted, Declined, Expired, Withdrawn, Rejected:
		}
		return nil
	})
	if errors.Is(err, errNone) { // let go of meanwhile
		return g.private(g.say(p.Language, words.GalleryNoPost, nil)), nil
	}
	if err != nil {
		return discord.Answer{}, fmt.Errorf("delete a post: %w", err)
	}
	if again && s.State == Withdrawn {
		before = Offered
	} else if again {
		return discord.Answer{Later: true, Private: true}, nil
	}
	switch before {
	case Posting, Posted, Deleting:
		if strange {
			return g.private(g.say(p.Language, words.GalleryCommandsStrange, words.Args{"link": linkOf(s)})), nil
		}
		return discord.Answer{Later: true, Private: true}, nil
	case Offered, Review, Accepted:
		return g.private(g.say(p.Language, words.GalleryCancelled, nil)), nil
	case Deleted, Declined, Expired, Withdrawn, Rejected:
	}
	return g.private(g.overDeleted(p.Language, s)), nil
}
