package gallery

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"rookery/internal/community"
	"rookery/internal/discord"
	"rookery/internal/fedi"
	"rookery/internal/gallery/ledger"
	"rookery/internal/outbox"
	"rookery/internal/store"
	"rookery/internal/words"
)

// mostLost is how often the server may lose the files of a post before it is
// posted; some throw away what nobody attaches for a day.
const mostLost = 3

// settle hears how an effect ended. What an effect said is forgotten then, if
// nothing more can come of it: the submission keeps what is still needed.
func (g *Gallery) settle(ctx context.Context, tx store.Tx, r outbox.Result) error {
	what, id, _ := strings.Cut(strings.TrimPrefix(r.Key, "gallery/"), "/")
	id, _, _ = strings.Cut(id, "/")
	switch what {
	case "post":
		return g.settlePost(ctx, tx, id, r)
	case "edit-post":
		return g.settleEdit(ctx, tx, id, r)
	case "delete":
		return g.settleDelete(ctx, tx, id, r)
	case "review":
		return g.settleReview(ctx, tx, id, r)
	case "offer", "edit":
		if err := g.settleOffer(ctx, tx, id, r); err != nil {
			return err
		}
	}
	return outbox.Forget(ctx, tx, r.Key)
}

// settlePost hears how a post ended, or one try of it.
func (g *Gallery) settlePost(ctx context.Context, tx store.Tx, id string, r outbox.Result) error {
	if err := outbox.Forget(ctx, tx, r.Key); err != nil {
		return err
	}
	s, err := lock(ctx, tx, id)
	if err != nil || r.Key != s.postKey() {
		return ignoreNone(err)
	}
	if err := g.wake(ctx, tx, s.Target); err != nil {
		return err
	}
	p, _, err := readProgress(ctx, tx, id)
	if err != nil {
		return err
	}
	stands, err := s.standing(ctx, tx)
	if err != nil {
		return err
	}
	p.made = len(stands)
	lost := fedi.Class(r.Reason) == fedi.NoMedia
	a, _ := g.account(s.Target)
	args := words.Args{"account": handleOf(a), "reason": serversWords(r)}
	switch {
	case r.State == outbox.Confirmed:
		return g.posted(ctx, tx, s, p, stands)
	case s.State != Posting: // it is to be deleted: what stands of it is, next in its lane
		return nil
	case lost && p.lost < mostLost:
		return g.uploadAnew(ctx, tx, s, p)
	case len(stands) > 0 && lost:
		return g.incomplete(ctx, tx, s, p, stands, words.GalleryWorkIncompleteLost, args)
	case len(stands) > 0:
		return g.incomplete(ctx, tx, s, p, stands, words.GalleryWorkIncomplete, args)
	}
	note := words.GalleryWorkRefused
	switch {
	case lost:
		note = words.GalleryWorkLost
	case r.Reason == outbox.ReasonExpired:
		note = words.GalleryWorkTooLate
	}
	g.Log.Warn("a server refuses a post of the gallery; it goes back to its artist", "account", s.Target, "submission", s.ID, "reason", r.Reason, "detail", r.Detail)
	return g.reofferIn(ctx, tx, s, nil, note, args)
}

// posted notes that the whole post stands. Its address is learnt later, for a
// transaction waits for no server.
func (g *Gallery) posted(ctx context.Context, tx store.Tx, s *submission, p progress, stands []string) error {
	now := g.Clock.Now()
	if s.State == Posting {
		s.State, s.Trouble = Posted, ""
	}
	if len(stands) > 0 {
		s.Post, s.Next = community.PostID(stands[0]), now
	}
	p.failures, p.since = 0, timeOf(0)
	if err := errors.Join(g.discardUploads(ctx, tx, s), p.save(ctx, tx, s), s.save(ctx, tx, now)); err != nil {
		return err
	}
	tx.AfterCommit(func() {
		g.unfollow(s.Source)
		g.observe(OutcomePosted)
		g.Log.Info("a submission is posted", "submission", s.ID, "account", s.Target, "post", s.Post, "posts", len(stands))
	})
	return nil
}

// incomplete ends a submission of which only the first posts could be made: it
// stands, and the artist is told.
func (g *Gallery) incomplete(ctx context.Context, tx store.Tx, s *submission, p progress, stands []string, note words.Key, args words.Args) error {
	args["n"], args["posts"] = len(stands), len(p.parts)
	s.Note = g.say(g.language(ctx, s), note, escaped(args))
	p.parts = p.parts[:min(len(stands), len(p.parts))]
	g.Log.Error("a post of the gallery stands in part alone", "account", s.Target, "submission", s.ID, "posts", len(stands), "reason", words.English.Say(note, args))
	return g.posted(ctx, tx, s, p, stands)
}

// uploadAnew has what the server has lost uploaded again. What stands stays.
func (g *Gallery) uploadAnew(ctx context.Context, tx store.Tx, s *submission, p progress) error {
	done := p.done()
	for i := range s.Media {
		m := &s.Media[i]
		if done[m.N] || m.Sent == "" {
			continue
		}
		if err := g.fedi.Discard(ctx, tx, uploadKey(s.ID, m.N)); err != nil {
			return err
		}
		m.Sent = ""
	}
	p.lost++
	now := g.Clock.Now()
	s.Next = now
	if p.made == 0 {
		s.State = Accepted // nothing is outside
	}
	g.Log.Warn("a server has lost files before they were posted; they are sent again", "account", s.Target, "submission", s.ID)
	return errors.Join(p.save(ctx, tx, s), s.save(ctx, tx, now), s.storeMedia(ctx, tx))
}

// settleEdit hears whether a post took new descriptions over.
func (g *Gallery) settleEdit(ctx context.Context, tx store.Tx, id string, r outbox.Result) error {
	if r.State == outbox.Confirmed {
		return nil
	}
	s, err := lock(ctx, tx, id)
	if err != nil || s.State != Posted {
		return ignoreNone(err)
	}
	a, _ := g.account(s.Target)
	s.Note = g.say(g.language(ctx, s), words.GalleryWorkNotEdited, words.Args{"account": discord.Escape(handleOf(a)), "reason": discord.Escape(serversWords(r))})
	g.Log.Info("the descriptions of a post could not be changed", "account", s.Target, "submission", s.ID, "reason", r.Reason)
	return errors.Join(s.save(ctx, tx, g.Clock.Now()), g.refresh(ctx, tx, s))
}

// serversWords is what a server said to an effect that it refused, without
// what only the operator understands.
func serversWords(r outbox.Result) string {
	text := r.Detail
	if text == "" {
		text = r.Reason
	}
	// See fedi.Error: "POST /api/v1/statuses: status 422: invalid: …".
	if _, after, ok := strings.Cut(text, ": "+r.Reason+": "); ok && r.Reason != "" {
		text = after
	}
	const most = 200
	return shorten(strings.TrimRight(oneLine(text), "."), most)
}

// giveBack gives a submission back to its artist; one of which a part stands
// already is left at that.
func (w *worker) giveBack(ctx context.Context, s *submission, b *back) error {
	// Not what they are told: that names the file, as they do.
	w.Log.Info("a submission goes back to its artist", "submission", s.ID, "account", s.Target, "reason", string(b.note))
	if s.State == Accepted {
		return w.reoffer(ctx, s, b.o, b.note, b.args)
	}
	err := w.Store.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		s, err := w.asAgreed(ctx, tx, s)
		if err != nil {
			return err
		}
		p, _, err := readProgress(ctx, tx, s.ID)
		if err != nil {
			return err
		}
		stands, err := s.standing(ctx, tx)
		if err != nil {
			return err
		}
		return errors.Join(w.incomplete(ctx, tx, s, p, stands, words.GalleryWorkIncompleteRest, words.Args{}), w.wake(ctx, tx, s.Target))
	})
	if errors.Is(err, errOver) || errors.Is(err, errNone) {
		return nil
	}
	return err
}

// learnAddresses finds out where posts stand, tells their artists, and writes
// it into the ledger.
func (w *worker) learnAddresses(ctx context.Context, account community.AccountID) error {
	r, err := w.Store.Query(ctx, `select id from gallery_submission where target = $1 and post <> '' and next_at > 0 and next_at <= $2 order by next_at limit 20`,
		string(account), w.Clock.Now().UnixMilli())
	ids, err := store.Collect(r, err, func(row store.Row) (id string, err error) { return id, row.Scan(&id) })
	if err != nil {
		return fmt.Errorf("see which posts have no address yet: %w", err)
	}
	for _, id := range ids {
		if err := w.learnAddress(ctx, id); err != nil {
			return fmt.Errorf("note the address of the post of %s: %w", id, err)
		}
	}
	return nil
}

func (w *worker) learnAddress(ctx context.Context, id string) error {
	s, err := get(ctx, w.Store, id)
	if err != nil {
		return ignoreNone(err)
	}
	asking, cancel := context.WithTimeout(ctx, w.RequestTimeout)
	defer cancel()
	post, asked := w.fedi.Posted(asking, s.Target, s.Post)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	err = w.Store.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		s, err := lock(ctx, tx, id)
		if err != nil || s.Post == "" || s.Next.IsZero() {
			return ignoreNone(err)
		}
		return w.noteAddress(ctx, tx, s, post, asked)
	})
	if err == nil && asked == nil {
		err = w.wellAgain(ctx, s.Target)
	}
	return err
}

// noteAddress notes what the server said of a post. One that cannot be reached
// is asked again for a day; the artist is told meanwhile that it stands.
func (w *worker) noteAddress(ctx context.Context, tx store.Tx, s *submission, post community.Post, asked error) error {
	if s.PostURL != "" {
		return w.noteStanding(ctx, tx, s, post, asked)
	}
	now := w.Clock.Now()
	p, _, err := readProgress(ctx, tx, s.ID)
	if err != nil {
		return err
	}
	waits := asked != nil && fedi.ClassOf(asked) != fedi.Gone && s.State == Posted && now.Sub(p.planned) < giveUpAfter
	if waits {
		s.Next, p.failures = now.Add(addressPause), p.failures+1
		if err := errors.Join(p.save(ctx, tx, s), s.save(ctx, tx, now)); err != nil || p.failures > 1 {
			return err
		}
		return w.refresh(ctx, tx, s)
	}
	s.Next = timeOf(0)
	if asked == nil {
		s.PostURL, s.PostURI = post.URL, post.URI
	}
	e := w.entry(s, ledger.Posted)
	e.By = ""
	if asked != nil {
		e.Note = "post " + string(s.Post) + ": its server does not tell its address"
	}
	if err := errors.Join(s.save(ctx, tx, now), w.Ledger.Write(ctx, tx, e)); err != nil || s.State != Posted {
		return err
	}
	return w.refresh(ctx, tx, s)
}
