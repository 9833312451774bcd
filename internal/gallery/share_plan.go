package gallery

import (
	"context"
	"errors"
	"fmt"
	"time"

	"rookery/internal/community"
	"rookery/internal/failpoint"
	"rookery/internal/fedi"
	"rookery/internal/gallery/compose"
	"rookery/internal/outbox"
	"rookery/internal/store"
	"rookery/internal/words"
)

// postLane is the lane of everything that is done to a submission's posts: what
// several tries have made is edited and deleted as one.
func postLane(id string) string { return "gallery/post/" + id }

// publish plans the post and ends the work on a submission in one commit, then
// sends it.
func (w *worker) publish(ctx context.Context, a Account, s *submission) error {
	in, err := w.fedi.Limits(a.ID)
	if err != nil {
		return err
	}
	mixes := w.fedi.Mixes(a.ID)
	if required, err := w.Settings.described.In(ctx, s.Guild); err != nil {
		return err
	} else if required && s.undescribed() > 0 && s.State == Accepted {
		return &back{note: words.GalleryWorkUndescribed}
	}
	failpoint.At("y9-composed")
	var claim *outbox.Claim
	err = w.Store.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		claim = nil
		s, err := w.asAgreed(ctx, tx, s)
		if err != nil {
			return err
		}
		if s.State == Accepted && s.Shown != "" && s.Shown != s.promise(a, in) {
			return &back{note: words.GalleryWorkLimits, args: words.Args{"account": handleOf(a)}}
		}
		p, _, err := readProgress(ctx, tx, s.ID)
		if err != nil {
			return err
		}
		if err := s.nextTry(ctx, tx); err != nil {
			return err
		}
		stands, err := s.standing(ctx, tx)
		if err != nil {
			return err
		}
		p.made = len(stands)
		p.parts = append(p.parts[:min(p.made, len(p.parts)):min(p.made, len(p.parts))], s.groups(p.done(), in.MaxMedia, mixes)...)
		if len(p.parts) == p.made {
			return &back{note: words.GalleryNothingToShare}
		}
		payload := s.payload(a, in, p)
		if len(stands) > 0 {
			payload.InReplyTo, payload.Visibility = community.PostID(stands[len(stands)-1]), payload.Replies
		}
		now := w.Clock.Now()
		s.State, s.Next, p.planned = Posting, time.Time{}, now
		if err := errors.Join(p.save(ctx, tx, s), s.save(ctx, tx, now)); err != nil {
			return err
		}
		claim, err = w.Outbox.PlanAndClaim(ctx, tx, outbox.Effect{Key: s.postKey(), Feature: Name, Kind: fedi.PostKind, Account: a.ID,
			Lane: postLane(s.ID), Payload: payload, Parts: len(payload.Parts), Expires: now.Add(w.ExpireAfter)})
		return err
	})
	if err != nil {
		return fmt.Errorf("plan the post of %s: %w", s.ID, err)
	}
	failpoint.At("y10-planned")
	if claim == nil {
		return nil // the outbox sends it when its turn comes
	}
	if err := w.Outbox.Deliver(ctx, claim); err != nil {
		// The outbox has it now and will bring it to its end.
		w.Log.Warn("a post of the gallery is not out yet", "account", a.ID, "submission", s.ID, "error", err)
		if e, ok := errors.AsType[*outbox.SendError](err); ok && e.Outcome == outbox.NotSent && !e.Alone {
			return err // the server is in trouble; what follows would meet it too
		}
		return nil
	}
	failpoint.At("y11-posted")
	return nil
}

// nextTry counts a try that ended without the whole post: its key is used up.
func (s *submission) nextTry(ctx context.Context, tx store.Tx) error {
	for {
		_, used, err := outbox.LaneOf(ctx, tx, s.postKey())
		if err != nil || !used {
			return err
		}
		s.Tries++
	}
}

// standing are the ids of the posts that tries have made, in order.
func (s *submission) standing(ctx context.Context, tx store.Tx) ([]string, error) {
	var all []string
	for try := range s.Tries + 1 {
		made, err := outbox.Made(ctx, tx, (&submission{ID: s.ID, Tries: try}).postKey())
		if err != nil {
			return nil, err
		}
		all = append(all, made...)
	}
	return all, nil
}

// groups are the numbers of the media of each post, but for those that are done.
func (s *submission) groups(done map[int]bool, most int, mixes bool) [][]int {
	var kinds []compose.Kind
	var numbers []int
	for _, m := range s.Media {
		if m.Sent != "" && !done[m.N] {
			kinds, numbers = append(kinds, compose.Kind(m.Kind)), append(numbers, m.N)
		}
	}
	groups := compose.Groups(kinds, most, mixes)
	for _, g := range groups {
		for i, at := range g {
			g[i] = numbers[at]
		}
	}
	return groups
}

// payload is the post as the outbox sends it: of the parts those that are not
// made yet.
func (s *submission) payload(a Account, in fedi.Instance, p progress) fedi.PostPayload {
	payload := fedi.PostPayload{CW: s.warning(), Sensitive: s.sensitive(), Visibility: s.audience(a), Replies: community.Narrowest(s.audience(a), community.Unlisted), Language: s.Language}
	for n := p.made; n < len(p.parts); n++ {
		payload.Parts = append(payload.Parts, s.partText(a, in, n, len(p.parts)))
		payload.PartMedia = append(payload.PartMedia, s.sent(p.parts[n]))
	}
	return payload
}

// partText is what one of the posts says, from 0: the first has the words, the
// others say to what they belong.
func (s *submission) partText(a Account, in fedi.Instance, n, of int) string {
	if n > 0 {
		return compose.Part(n+1, of, words.Match(s.Language))
	}
	text, _ := s.post(a).Fit(in)
	if text == "" && s.warning() != "" {
		// Mastodon makes the warning the text of a post that has none, and takes it
		// off: app/services/post_status_service.rb.
		text = "…"
	}
	return text
}

// audience is who sees the posts of a submission: never more than were to when
// it was agreed to.
func (s *submission) audience(a Account) community.Visibility {
	if s.Audience == "" {
		return a.Visibility
	}
	return community.Narrowest(s.Audience, a.Visibility)
}

// sent are the ids with which media were attached, by their numbers.
func (s *submission) sent(numbers []int) []string {
	ids := make([]string, 0, len(numbers))
	for _, n := range numbers {
		if n >= 1 && n <= len(s.Media) && s.Media[n-1].Sent != "" {
			ids = append(ids, s.Media[n-1].Sent)
		}
	}
	return ids
}

// renderPost implements fedi.Rendering: the posts of a submission as they are
// to be now.
func (g *Gallery) renderPost(ctx context.Context, id string) ([]fedi.Draft, error) {
	s, err := get(ctx, g.Store, id)
	if err != nil {
		return nil, err
	}
	if len(s.Media) == 0 {
		return nil, nil // it is over, or its artist is forgotten: what stands stays as it is
	}
	p, _, err := readProgress(ctx, g.Store, id)
	if err != nil {
		return nil, err
	}
	a, _ := g.account(s.Target)
	in, err := g.fedi.Limits(s.Target)
	if err != nil {
		return nil, err
	}
	drafts := make([]fedi.Draft, 0, len(p.parts))
	for n, part := range p.parts {
		d := fedi.Draft{Text: s.partText(a, in, n, len(p.parts)), CW: s.warning(), Sensitive: s.sensitive(), Visibility: s.audience(a), Language: s.Language,
			MediaIDs: s.sent(part), MediaDescriptions: map[string]string{}}
		for _, k := range part {
			if m := s.Media[k-1]; m.Sent != "" {
				d.MediaDescriptions[m.Sent], _ = m.alt(words.Match(s.Language), in.MaxAlt)
			}
		}
		drafts = append(drafts, d)
	}
	return drafts, nil
}
