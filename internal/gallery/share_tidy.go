package gallery

import (
	"context"
	"errors"
	"fmt"
	"time"

	"rookery/internal/community"
	"rookery/internal/gallery/ledger"
	"rookery/internal/outbox"
	"rookery/internal/store"
	"rookery/internal/words"
)

const (
	// addressPause is how long after which the address of a post is asked for
	// again.
	addressPause = time.Minute
	// strangeAfter is how long a deletion waits for an account that is not in the
	// configuration any more: it may just not have logged in.
	strangeAfter = 15 * time.Minute
	// tidyMost bounds what one tidying looks at.
	tidyMost = 200
)

// tidy ends offers that nobody answered, gives back what could not be posted
// for long, and lets go of what is known of work that is over.
func (w *worker) tidy(ctx context.Context) error {
	now := w.Clock.Now()
	err := w.sweep(ctx, `state in ('offered', 'review') and expires_at > 0 and expires_at <= $1`, now, func(ctx context.Context, tx store.Tx, s *submission) error {
		switch {
		case s.Expires.IsZero() || s.Expires.After(now):
		case s.State == Offered:
			return w.end(ctx, tx, s, Expired, ledger.Expired, "time", "")
		case s.State == Review:
			return errors.Join(w.reofferIn(ctx, tx, s, nil, words.GalleryWorkReviewExpired, nil), w.refreshReview(ctx, tx, s))
		}
		return nil
	})
	// An account that is gone from the configuration has nobody who works on it.
	before := now.Add(-w.ExpireAfter)
	err = errors.Join(err, w.sweep(ctx, `state = 'accepted' and changed_at <= $1`, before, func(ctx context.Context, tx store.Tx, s *submission) error {
		if s.State != Accepted || s.Changed.After(before) {
			return nil
		}
		a, _ := w.account(s.Target)
		return w.reofferIn(ctx, tx, s, nil, words.GalleryWorkTooLate, words.Args{"account": handleOf(a)})
	}))
	// The same of one of which a part stands.
	err = errors.Join(err, w.sweep(ctx, `state = 'posting' and next_at > 0 and changed_at <= $1`, before, func(ctx context.Context, tx store.Tx, s *submission) error {
		if s.State != Posting || s.Next.IsZero() || s.Changed.After(before) {
			return nil
		}
		p, _, err := readProgress(ctx, tx, s.ID)
		if err != nil {
			return err
		}
		stands, err := s.standing(ctx, tx)
		if err != nil {
			return err
		}
		return w.incomplete(ctx, tx, s, p, stands, words.GalleryWorkIncompleteRest, words.Args{})
	}))
	// Nobody deletes what an account that is gone has posted.
	err = errors.Join(err, w.sweep(ctx, `state = 'deleting' and changed_at <= $1`, now.Add(-strangeAfter), func(ctx context.Context, tx store.Tx, s *submission) error {
		if s.State != Deleting || !w.strange(s) {
			return nil
		}
		return w.settleDelete(ctx, tx, s.ID, outbox.Result{State: outbox.Refused, Reason: "its account is not in the configuration any more"})
	}))
	err = errors.Join(err, w.Store.WriteRelaxed(ctx, func(ctx context.Context, tx store.Tx) error {
		_, err := tx.Exec(ctx, `delete from gallery_work where planned_at < $1 and not exists (select 1 from gallery_submission s
			where s.id = gallery_work.submission and s.state in ('accepted', 'posting', 'posted', 'deleting'))`, now.Add(-time.Hour).UnixMilli())
		return err
	}))
	if err == nil {
		err = w.wakeAll(ctx)
	}
	if err != nil {
		return fmt.Errorf("tidy the gallery: %w", err)
	}
	return nil
}

// sweep handles each submission for which a condition holds; $1 is the time.
func (w *worker) sweep(ctx context.Context, where string, at time.Time, do func(ctx context.Context, tx store.Tx, s *submission) error) error {
	r, err := w.Store.Query(ctx, `select id from gallery_submission where `+where+` order by id limit $2`, at.UnixMilli(), int64(tidyMost))
	ids, err := store.Collect(r, err, func(row store.Row) (id string, err error) { return id, row.Scan(&id) })
	if err != nil {
		return err
	}
	var errs []error
	for _, id := range ids {
		errs = append(errs, w.Store.Write(ctx, func(ctx context.Context, tx store.Tx) error {
			s, err := lock(ctx, tx, id)
			if err != nil {
				return ignoreNone(err)
			}
			return do(ctx, tx, s)
		}))
	}
	return errors.Join(errs...)
}

// wakeAll has every account looked at for which something waits, once in a
// process: whoever starts it may just have mended what was wrong.
func (w *worker) wakeAll(ctx context.Context) error {
	if w.woken.Load() {
		return nil
	}
	r, err := w.Store.Query(ctx, `select distinct target from gallery_submission where target <> '' and (state in ('accepted', 'posting') or post <> '' and next_at > 0)`)
	all, err := store.Collect(r, err, func(row store.Row) (a community.AccountID, err error) { return a, row.Scan((*string)(&a)) })
	if err == nil && len(all) > 0 {
		err = w.Store.Write(ctx, func(ctx context.Context, tx store.Tx) error {
			for _, account := range all {
				if err := w.wake(ctx, tx, account); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err == nil {
		w.woken.Store(true)
	}
	return err
}
