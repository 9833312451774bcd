package gallery

import (
	"context"
	"errors"
	"fmt"
	"time"

	"rookery/internal/community"
	"rookery/internal/discord"
	"rookery/internal/media"
	"rookery/internal/store"
	"rookery/internal/turns"
	"rookery/internal/words"
)

// waiting is what an artist is told that their submission waits for.
type waiting struct {
	key  words.Key
	args words.Args
}

func (w *worker) waitsTurn(s *submission) waiting {
	a, _ := w.account(s.Target)
	return waiting{words.GalleryWorkWaitsTurn, words.Args{"account": discord.Escape(handleOf(a))}}
}

// waitsFor says what an error holds up that all submissions of an account meet.
func (w *worker) waitsFor(account community.AccountID, err error) waiting {
	if _, ok := errors.AsType[*discord.Error](err); ok {
		return waiting{key: words.GalleryWorkWaitsDiscord}
	}
	if media.KindOf(err) == media.NoSpace {
		return waiting{key: words.GalleryWorkWaitsHere}
	}
	a, _ := w.account(account)
	return waiting{words.GalleryWorkWaitsServer, words.Args{"account": discord.Escape(handleOf(a))}}
}

// show has a locked submission say what it waits for, once.
func (w *worker) show(ctx context.Context, tx store.Tx, s *submission, what waiting) error {
	text := w.say(w.language(ctx, s), what.key, what.args)
	if s.Trouble == text {
		return nil
	}
	s.Trouble = text
	return errors.Join(s.save(ctx, tx, w.Clock.Now()), w.refresh(ctx, tx, s))
}

// tell is show for a submission that is not locked.
func (w *worker) tell(ctx context.Context, id string, what waiting) error {
	return w.Store.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		s, err := lock(ctx, tx, id)
		if err != nil || s.State != Accepted && s.State != Posting {
			return ignoreNone(err)
		}
		return w.show(ctx, tx, s, what)
	})
}

// putBack has a submission wait for another try after trouble of its own, and
// gives it back to its artist when that has lasted too long.
func (w *worker) putBack(ctx context.Context, s *submission, why *own) error {
	now := w.Clock.Now()
	tooLong := false
	err := w.Store.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		tooLong = false
		s, err := w.asAgreed(ctx, tx, s)
		if err != nil {
			return err
		}
		p, _, err := readProgress(ctx, tx, s.ID)
		if err != nil {
			return err
		}
		if p.since.IsZero() || p.since.After(now) {
			p.since = now
		}
		if tooLong = now.Sub(p.since) >= giveUpAfter; tooLong {
			return nil
		}
		s.Next = now.Add(turns.Backoff(int(p.failures)))
		if at := retryAt(why.err); at.After(s.Next) {
			s.Next = at
		}
		if latest := now.Add(turns.LongestWait); s.Next.After(latest) {
			s.Next = latest
		}
		p.agreed, p.failures = s.Agreed, p.failures+1
		if err := errors.Join(p.save(ctx, tx, s), s.save(ctx, tx, now)); err != nil {
			return err
		}
		if now.Sub(p.since) < tellAfter {
			return nil
		}
		what := waiting{words.GalleryWorkWaitsFile, words.Args{"name": discord.Escape(discord.Name(why.name))}}
		if why.name == "" {
			what = waiting{key: words.GalleryWorkWaitsDiscord}
		}
		return w.show(ctx, tx, s, what)
	})
	switch {
	case errors.Is(err, errOver), errors.Is(err, errNone):
		return nil
	case err != nil:
		return fmt.Errorf("put submission %s back: %w", s.ID, err)
	case tooLong:
		return w.giveBack(ctx, s, &back{note: words.GalleryWorkUnreachable, args: words.Args{"name": discord.Name(why.name)}})
	}
	return nil
}

// troubled notes trouble that all submissions of an account meet, and when to
// look again. When it has lasted for some time the artists are told.
func (w *worker) troubled(ctx context.Context, account community.AccountID, trouble error) (notBefore time.Time, err error) {
	now := w.Clock.Now()
	err = w.Store.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		var at, failures int64
		err := tx.QueryRow(ctx, `select trouble_at, failures from gallery_worker where account = $1`, string(account)).Scan(&at, &failures)
		if err != nil && !errors.Is(err, store.ErrNoRows) {
			return err
		}
		since := timeOf(at)
		if since.IsZero() || since.After(now) {
			since = now
		}
		notBefore = now.Add(min(turns.Backoff(int(failures)), longestPause))
		if at := retryAt(trouble); at.After(notBefore) {
			notBefore = at
		}
		if latest := now.Add(turns.LongestWait); notBefore.After(latest) {
			notBefore = latest
		}
		if _, err := tx.Exec(ctx, `insert into gallery_worker (account, trouble_at, failures) values ($1, $2, $3)
			on conflict (account) do update set trouble_at = excluded.trouble_at, failures = excluded.failures`, string(account), since.UnixMilli(), failures+1); err != nil {
			return err
		}
		if now.Sub(since) < tellAfter {
			return nil
		}
		return w.each(ctx, tx, account, func(s *submission) error { return w.show(ctx, tx, s, w.waitsFor(account, trouble)) })
	})
	if err != nil {
		return time.Time{}, fmt.Errorf("note the trouble of %s: %w", account, err)
	}
	w.Log.Warn("the gallery pauses", "account", account, "until", notBefore, "error", trouble)
	return notBefore, nil
}

// wellAgain notes that the trouble of an account is over. What artists were told
// of it stays until it is their turn: were it taken back from all at once, a
// server that takes some files each half hour would have every message edited
// each time.
func (w *worker) wellAgain(ctx context.Context, account community.AccountID) error {
	var at int64
	err := w.Store.QueryRow(ctx, `select trouble_at from gallery_worker where account = $1`, string(account)).Scan(&at)
	if errors.Is(err, store.ErrNoRows) || err == nil && at == 0 {
		return nil
	}
	if err == nil {
		err = w.Store.Write(ctx, func(ctx context.Context, tx store.Tx) error {
			_, err := tx.Exec(ctx, `update gallery_worker set trouble_at = 0, failures = 0 where account = $1`, string(account))
			return err
		})
	}
	if err != nil {
		return fmt.Errorf("note that %s is well again: %w", account, err)
	}
	return nil
}

// each locks one after the other what waits to be posted to an account, or is
// being posted.
func (w *worker) each(ctx context.Context, tx store.Tx, account community.AccountID, do func(s *submission) error) error {
	r, err := tx.Query(ctx, `select id from gallery_submission where target = $1 and state in ('accepted', 'posting') order by id`, string(account))
	ids, err := store.Collect(r, err, func(row store.Row) (id string, err error) { return id, row.Scan(&id) })
	if err != nil {
		return err
	}
	for _, id := range ids {
		s, err := lock(ctx, tx, id)
		if err != nil {
			return err
		}
		if s.State != Accepted && s.State != Posting {
			continue // meanwhile
		}
		if err := do(s); err != nil {
			return err
		}
	}
	return nil
}

// tellOfStuck tells the artists whose post was planned some time ago and is not
// out: the outbox goes on trying.
func (w *worker) tellOfStuck(ctx context.Context, account community.AccountID) error {
	before := w.Clock.Now().Add(-tellAfter)
	r, err := w.Store.Query(ctx, `select s.id from gallery_submission s join gallery_work w on w.submission = s.id
		where s.target = $1 and s.state = 'posting' and w.planned_at > 0 and w.planned_at < $2`, string(account), before.UnixMilli())
	ids, err := store.Collect(r, err, func(row store.Row) (id string, err error) { return id, row.Scan(&id) })
	if err != nil {
		return fmt.Errorf("see what is being posted: %w", err)
	}
	for _, id := range ids {
		if err := w.tell(ctx, id, w.waitsFor(account, nil)); err != nil {
			return err
		}
	}
	return nil
}
