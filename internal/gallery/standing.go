package gallery

import (
	"context"
	"errors"
	"fmt"
	"time"

	"rookery/internal/community"
	"rookery/internal/fedi"
	"rookery/internal/outbox"
	"rookery/internal/store"
)

// Whether what stood when a backup was made still does: its artist, or whoever
// runs its server, may have deleted it since.

const (
	// lookMost and lookPause keep what is looked at again from using up what a
	// server allows, which is 300 requests in five minutes on Mastodon.
	lookMost  = 20
	lookPause = time.Minute
	// lookFor is how long a server that does not tell is asked again.
	lookFor = 7 * 24 * time.Hour
)

// lookAgain has each account see whether its posts still stand.
func (g *Gallery) lookAgain(ctx context.Context) error {
	now := g.Clock.Now()
	err := g.Store.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		r, err := tx.Query(ctx, `select id from gallery_submission where state = 'posted' and post <> '' order by agreed_at desc, id`)
		ids, err := store.Collect(r, err, func(row store.Row) (id string, err error) { return id, row.Scan(&id) })
		if err != nil {
			return err
		}
		for i, id := range ids {
			at := now.Add(time.Duration(i/lookMost) * lookPause)
			if _, err := tx.Exec(ctx, `update gallery_submission set next_at = $2 where id = $1`, id, at.UnixMilli()); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("have the gallery's posts looked at again: %w", err)
	}
	return nil
}

// noteStanding notes what the server said of a post whose address was known.
// One that is gone was deleted by somebody else: it ends as any deletion does.
func (w *worker) noteStanding(ctx context.Context, tx store.Tx, s *submission, post community.Post, asked error) error {
	now := w.Clock.Now()
	if s.State != Posted || asked == nil {
		if asked == nil {
			s.PostURL, s.PostURI = post.URL, post.URI
		}
		s.Next = timeOf(0)
		return s.save(ctx, tx, now)
	}
	if fedi.ClassOf(asked) == fedi.Gone {
		return w.deletedElsewhere(ctx, tx, s)
	}
	p, _, err := readProgress(ctx, tx, s.ID)
	if err != nil {
		return err
	}
	if p.failures == 0 || p.since.After(now) {
		p.since = now
	}
	p.failures++
	s.Next = now.Add(addressPause << min(p.failures, 6))
	if now.Sub(p.since) >= lookFor {
		p.failures, s.Next = 0, timeOf(0)
	}
	return errors.Join(p.save(ctx, tx, s), s.save(ctx, tx, now))
}

// deletedElsewhere ends a locked submission whose post the server has no more.
// It is deleted once more all the same: that also takes along the replies that
// hold the rest of its files, and should the server have been wrong, nothing
// stands of which nobody knows.
func (w *worker) deletedElsewhere(ctx context.Context, tx store.Tx, s *submission) error {
	now := w.Clock.Now()
	s.Next = timeOf(0)
	lane, ok, err := outbox.LaneOf(ctx, tx, s.postKey())
	if err != nil {
		return err
	}
	if !ok { // nothing is known that could be deleted
		return s.save(ctx, tx, now)
	}
	s.State, s.Note = Deleting, ""
	if _, err := w.Outbox.Plan(ctx, tx, outbox.Effect{Key: deletePostKey(s), Feature: Name, Kind: fedi.DeleteKind, Account: s.Target, Lane: lane, Again: 2}); err != nil {
		return err
	}
	if err := s.save(ctx, tx, now); err != nil {
		return err
	}
	return w.refresh(ctx, tx, s)
}
