package gallery

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"

	"rookery/internal/discord"
	"rookery/internal/fedi"
	"rookery/internal/gallery/compose"
	"rookery/internal/gallery/ledger"
	"rookery/internal/outbox"
	"rookery/internal/store"
	"rookery/internal/words"
)

// The keys of a submission's effects.
func offerKey(id string) string { return "gallery/offer/" + id }

// editKey is the effect that has the message show a revision.
func (s *submission) editKey() string { return fmt.Sprintf("gallery/edit/%s/%d", s.ID, s.Revision) }

// language is the one in which a submission's message speaks.
func (g *Gallery) language(ctx context.Context, s *submission) words.Language {
	set := ""
	if g.Language != nil {
		set = g.Language(ctx, s.Guild)
	}
	return words.Match(set, s.Locale)
}

// entry is a line of the ledger with what is known of a submission. What a
// member does counts as done by them.
func (g *Gallery) entry(s *submission, e ledger.Event) ledger.Entry {
	a, _ := g.account(s.Target)
	entry := ledger.Entry{
		Event: e, Submission: s.ID, Subject: s.Subject, Guild: s.Guild, Channel: s.Channel, Source: s.Source,
		Account: s.Target, Target: handleOf(a), Post: s.PostURL, By: s.Subject,
	}
	for _, m := range s.Media {
		entry.Media = append(entry.Media, ledger.Medium{N: m.N, SHA256: m.SHA256, Alt: string(m.source())})
	}
	return entry
}

// refresh plans that a submission's message shows its latest state. The
// submission is locked and saved.
func (g *Gallery) refresh(ctx context.Context, tx store.Tx, s *submission) error {
	if s.Adopted && s.State == Posted && s.Note == "" {
		return nil // what the other program has said of it stays as long as it is true
	}
	lane, ok, err := outbox.LaneOf(ctx, tx, offerKey(s.ID))
	if err != nil || !ok {
		return err // it has no message, as one of another program has none
	}
	_, err = g.Outbox.Plan(ctx, tx, outbox.Effect{Key: s.editKey(), Feature: Name, Kind: discord.EditKind, Account: s.Account, Lane: lane,
		Payload: discord.Edit{Renderer: rendererName, Ref: s.ID}})
	return err
}

// removeOffer plans that a submission's message goes.
func (g *Gallery) removeOffer(ctx context.Context, tx store.Tx, s *submission) error {
	lane, ok, err := outbox.LaneOf(ctx, tx, offerKey(s.ID))
	if err != nil || !ok {
		return err
	}
	_, err = g.Outbox.Plan(ctx, tx, outbox.Effect{Key: "gallery/delete-offer/" + s.ID, Feature: Name, Kind: discord.DeleteKind, Account: s.Account, Lane: lane})
	return err
}

// end ends a locked submission that was not posted: its offer goes away, or,
// if a moderator said no, says so.
func (g *Gallery) end(ctx context.Context, tx store.Tx, s *submission, state State, e ledger.Event, via, note string) error {
	return g.endBy(ctx, tx, s, state, e, deletion{by: s.Subject, via: via, note: note})
}

// endBy is end where it may be somebody else than the artist who ends it.
func (g *Gallery) endBy(ctx context.Context, tx store.Tx, s *submission, state State, e ledger.Event, by deletion) error {
	entry := g.entry(s, e)
	entry.By, entry.Via, entry.Note = by.by, by.via, by.note
	if err := g.Ledger.Write(ctx, tx, entry); err != nil {
		return err
	}
	if err := g.discardUploads(ctx, tx, s); err != nil {
		return err
	}
	s.State = state
	if state != Rejected {
		s.scrub()
	}
	if err := g.answerDrafting(ctx, tx, s, g.say(g.language(ctx, s), words.GalleryGone, nil)); err != nil {
		return err
	}
	s.Trouble = ""
	if err := s.save(ctx, tx, g.Clock.Now()); err != nil {
		return err
	}
	if err := s.storeMedia(ctx, tx); err != nil {
		return err
	}
	tx.AfterCommit(func() {
		g.unfollow(s.Source)
		g.observe(string(state))
	})
	if err := g.refreshReview(ctx, tx, s); err != nil {
		return err
	}
	if state == Rejected {
		return g.refresh(ctx, tx, s)
	}
	return g.removeOffer(ctx, tx, s)
}

// discardUploads lets go of what was uploaded for a post that will not be.
func (g *Gallery) discardUploads(ctx context.Context, tx store.Tx, s *submission) error {
	if g.fedi == nil {
		return nil
	}
	for _, m := range s.Media {
		if err := g.fedi.Discard(ctx, tx, uploadKey(s.ID, m.N)); err != nil {
			return err
		}
	}
	return nil
}

// uploadKey names a medium on its way to the server.
func uploadKey(id string, n int) string { return fmt.Sprintf("gallery/%s/%d", id, n) }

func (g *Gallery) observe(outcome string) {
	if g.Observe != nil {
		g.Observe(outcome)
	}
}

// reoffer gives a submission that was agreed to back to its artist, because it
// cannot be posted as they agreed to it: the agreement is void. With o, the
// message is taken over as it is now.
func (g *Gallery) reoffer(ctx context.Context, was *submission, o *discord.Original, note words.Key, args words.Args) error {
	return g.Store.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		s, err := lock(ctx, tx, was.ID)
		if err != nil || s.State != Accepted || !s.Agreed.Equal(was.Agreed) {
			return ignoreNone(err) // taken back, agreed to anew, or posted by another process
		}
		return g.reofferIn(ctx, tx, s, o, note, args)
	})
}

// reofferIn is reoffer for a submission that is locked.
func (g *Gallery) reofferIn(ctx context.Context, tx store.Tx, s *submission, o *discord.Original, note words.Key, args words.Args) error {
	l := g.language(ctx, s)
	entry := g.entry(s, ledger.Void)
	// Without the names of files and a server's words, which are not for ever.
	entry.By, entry.Note = "program", words.English.Say(note, words.Args{"name": "a file", "account": entry.Target, "reason": "its own words"})
	if err := g.Ledger.Write(ctx, tx, entry); err != nil {
		return err
	}
	if err := g.discardUploads(ctx, tx, s); err != nil {
		return err
	}
	if o != nil {
		if _, err := g.takeOver(ctx, s, *o); err != nil {
			return err
		}
	}
	for i := range s.Media {
		s.Media[i].Sent = ""
	}
	s.State, s.Agreed, s.Next = Offered, timeOf(0), timeOf(0)
	s.AI, s.Processor, s.Model, s.Warned = false, "", "", false
	s.Expires = g.Clock.Now().Add(g.ExpireAfter)
	s.Note, s.Trouble = g.say(l, note, escaped(args)), ""
	tx.AfterCommit(func() { g.follow(s.Source); g.observe(OutcomeReturned) })
	if err := g.refreshReview(ctx, tx, s); err != nil {
		return err
	}
	s.Reviewed = ""
	return g.store(ctx, tx, s)
}

// cutLast cuts a text around the last of a separator.
func cutLast(s, sep string) (before, after string, ok bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

// hostOf is the host of an address.
func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Host
}

// postKey is the effect that posts a submission.
func (s *submission) postKey() string { return fmt.Sprintf("gallery/post/%s/%d", s.ID, s.Tries) }

// editPostKind changes a post that stands; see editOf.
const editPostKind = fedi.EditKind

// editOf has a submission's post become what it is now.
func editOf(id string) fedi.Edit { return fedi.Edit{Renderer: rendererName, Ref: id} }

// creditOf is what the post says of who made it: their profile, or the name
// that the guild knows them by.
func (g *Gallery) creditOf(ctx context.Context, q rows, s *submission) (string, error) {
	p, err := profileOf(ctx, q, s.Artist)
	if err != nil {
		return "", err
	}
	if p.Name == "" {
		p.Name = s.ArtistName
	}
	return compose.Credits(p.Name, p.Links, words.Match(s.Language)), nil
}

func readLinks(links string) (all []string, err error) {
	return all, json.Unmarshal([]byte(links), &all)
}
