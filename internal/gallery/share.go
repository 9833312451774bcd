package gallery

import (
	"context"
	"errors"
	"fmt"
	"time"

	"rookery/internal/community"
	"rookery/internal/discord"
	"rookery/internal/failpoint"
	"rookery/internal/fedi"
	"rookery/internal/media"
	"rookery/internal/store"
	"rookery/internal/turns"
	"rookery/internal/words"
)

// How the work on a submission can end without its post. Any other error is
// trouble that the next submission would meet too.

// back gives a submission back to its artist: it cannot be posted as they
// agreed to it.
type back struct {
	note words.Key
	args words.Args
	o    *discord.Original // the message as it is now, if it was changed
}

// Error implements error.
func (b *back) Error() string { return words.English.Say(b.note, b.args) }

// own is trouble of one submission alone, which may pass.
type own struct {
	err  error
	name string // of the file
}

// Error implements error.
func (o *own) Error() string { return fmt.Sprintf("%s: %v", o.name, o.err) }

// Unwrap gives the cause.
func (o *own) Unwrap() error { return o.err }

// later puts off what waits for an account, without anything being wrong.
type later struct{ at time.Time }

// Error implements error.
func (l *later) Error() string { return "the account has posted as much as it may in an hour" }

// errOver says that a submission is not to be posted any more, or not like this.
var errOver = errors.New("the submission is not to be posted any more")

const (
	// tellAfter is how long the artist waits before they are told why.
	tellAfter = 2 * time.Minute
	// giveUpAfter is how long a file is tried to be fetched.
	giveUpAfter = 24 * time.Hour
	// overtakeAfter is how long a post is under way before what follows may
	// overtake it: a server may fail at this very one for ever.
	overtakeAfter = 6 * time.Hour
	// longestPause is the longest pause after trouble, unless somebody asked
	// for a longer one.
	longestPause = 2 * time.Minute
)

// share posts what is accepted for an account, in the order in which it was
// agreed to. What has trouble of its own lets the others pass; trouble of the
// account's server holds all of them up, until notBefore at least. The error is
// that of the database.
func (w *worker) share(ctx context.Context, account community.AccountID) (notBefore time.Time, err error) {
	until := w.Clock.Now().Add(roundFor)
	if err := w.learnAddresses(ctx, account); err != nil {
		return time.Time{}, err
	}
	if err := w.tellOfStuck(ctx, account); err != nil {
		return time.Time{}, err
	}
	var last string
	for ctx.Err() == nil && w.Clock.Now().Before(until) {
		s, err := w.pick(ctx, account)
		if err != nil || s == nil {
			return time.Time{}, err
		}
		if s.ID == last { // it was agreed to anew meanwhile, or somebody else has it
			return w.Clock.Now().Add(pausedAgain), nil
		}
		last = s.ID
		if notBefore, err = w.one(ctx, s); err != nil || !notBefore.IsZero() {
			return notBefore, err
		}
		if err := w.learnAddresses(ctx, account); err != nil {
			return time.Time{}, err
		}
	}
	return time.Time{}, nil
}

// pick is the next submission of an account whose time has come; nil if there
// is none. While the post of an earlier one is under way there is none: what
// follows would overtake it.
func (w *worker) pick(ctx context.Context, account community.AccountID) (*submission, error) {
	now := w.Clock.Now()
	var posting int64
	err := w.Store.QueryRow(ctx, `select count(*) from gallery_submission s left join gallery_work k on k.submission = s.id
		where s.target = $1 and s.state = 'posting' and s.next_at = 0 and (k.planned_at is null or k.planned_at > $2)`,
		string(account), now.Add(-overtakeAfter).UnixMilli()).Scan(&posting)
	if err != nil {
		return nil, fmt.Errorf("see what is being posted: %w", err)
	}
	if posting > 0 {
		return nil, nil
	}
	// A time further ahead than any that is set is of a clock that ran ahead.
	s, err := load(ctx, w.Store, `target = $1 and state in ('accepted', 'posting') and (next_at <= $2 or next_at > $3) order by agreed_at, created_at, id limit 1`,
		string(account), now.UnixMilli(), now.Add(turns.LongestWait+time.Minute).UnixMilli())
	if errors.Is(err, errNone) {
		return nil, nil
	}
	return s, err
}

// nextDue is when an account has to be looked at again; zero if nothing waits.
func (w *worker) nextDue(ctx context.Context, tx store.Tx, account community.AccountID) (time.Time, error) {
	var posting, accepted, address int64
	err := tx.QueryRow(ctx, `select count(case when state = 'posting' and next_at = 0 then 1 end), coalesce(min(case when state in ('accepted', 'posting') then next_at end), -1),
			coalesce(min(case when post <> '' and next_at > 0 then next_at end), -1)
		from gallery_submission where target = $1 and (state in ('accepted', 'posting') or post <> '' and next_at > 0)`, string(account)).Scan(&posting, &accepted, &address)
	if err != nil {
		return time.Time{}, fmt.Errorf("see what waits for %s: %w", account, err)
	}
	var due time.Time
	sooner := func(at time.Time) {
		if due.IsZero() || at.Before(due) {
			due = at
		}
	}
	now := w.Clock.Now()
	if posting > 0 {
		sooner(now.Add(time.Minute)) // its end wakes us; till then somebody may have to be told
	} else if accepted >= 0 {
		sooner(time.UnixMilli(max(accepted, 1)))
	}
	if address >= 0 {
		sooner(time.UnixMilli(address))
	}
	return due, nil
}

// one works on one submission. notBefore is when the account may be worked on
// again after trouble; zero if there was none.
func (w *worker) one(ctx context.Context, s *submission) (notBefore time.Time, err error) {
	failpoint.At("y4-picked")
	limited, cancel := context.WithTimeout(ctx, oneTakes)
	defer cancel()
	err = w.post(limited, s)
	if ctx.Err() != nil {
		return time.Time{}, nil // cut off: the job itself comes back
	}
	var back *back
	var own *own
	var later *later
	switch {
	case err == nil:
		return time.Time{}, w.wellAgain(ctx, s.Target)
	case errors.Is(err, errOver), errors.Is(err, errNone):
		return time.Time{}, nil
	case errors.As(err, &back):
		return time.Time{}, w.giveBack(ctx, s, back)
	case errors.As(err, &later):
		return later.at, w.tell(ctx, s.ID, w.waitsTurn(s))
	case errors.As(err, &own):
		return time.Time{}, w.putBack(ctx, s, own)
	}
	return w.troubled(ctx, s.Target, err)
}

// post does what is left to do for the post of a submission.
func (w *worker) post(ctx context.Context, s *submission) error {
	a, err := w.allowed(ctx, s)
	if err != nil {
		return err
	}
	if err := w.roomNow(ctx, a, s); err != nil {
		return err
	}
	urls, err := w.readAgain(ctx, s)
	if err != nil {
		return err
	}
	failpoint.At("y5-read")
	done, err := w.begin(ctx, s)
	if err != nil {
		return err
	}
	if err := w.mayBeDescribed(ctx, s); err != nil {
		return err
	}
	for i := range s.Media {
		m := &s.Media[i]
		if m.Left != "" || m.Sent != "" || done[m.N] {
			continue
		}
		if ok, err := w.hold(ctx, s.Target); err != nil || !ok {
			return errors.Join(err, errOver)
		}
		if err := w.upload(ctx, a, s, m, urls[m.ID]); err != nil {
			return err
		}
	}
	// The files may have taken long: what counts is the message as it is now, and
	// the account as it is set up now.
	if a, err = w.allowed(ctx, s); err != nil {
		return err
	}
	if _, err := w.readAgain(ctx, s); err != nil {
		return err
	}
	return w.publish(ctx, a, s)
}

// allowed tells whether a submission may still be posted where it was agreed to.
func (w *worker) allowed(ctx context.Context, s *submission) (Account, error) {
	on, err := w.Settings.On(ctx, s.Guild)
	if err != nil {
		return Account{}, err
	}
	if !on {
		return Account{}, &back{note: words.GalleryWorkGuildOff}
	}
	if blocked, err := w.blocked(ctx, s.Guild, s.Artist); err != nil {
		return Account{}, err
	} else if blocked {
		return Account{}, &back{note: words.GalleryWorkBlocked}
	}
	targets, err := w.targets(ctx, s.Guild)
	if err != nil {
		return Account{}, err
	}
	for _, a := range targets {
		if a.ID == s.Target {
			return a, nil
		}
	}
	a, _ := w.account(s.Target)
	return Account{}, &back{note: words.GalleryWorkAccountOff, args: words.Args{"account": handleOf(a)}}
}

// roomNow tells whether an account may post one more in this hour.
func (w *worker) roomNow(ctx context.Context, a Account, s *submission) error {
	if a.PerHour <= 0 {
		return nil
	}
	hourAgo := w.Clock.Now().Add(-time.Hour)
	r, err := w.Store.Query(ctx, `select planned_at from gallery_work where account = $1 and planned_at > $2 and submission <> $3 order by planned_at desc limit $4`,
		string(a.ID), hourAgo.UnixMilli(), s.ID, int64(a.PerHour))
	times, err := store.Collect(r, err, func(row store.Row) (at int64, err error) { return at, row.Scan(&at) })
	if err != nil {
		return fmt.Errorf("count what was posted: %w", err)
	}
	if len(times) < a.PerHour {
		return nil
	}
	return &later{at: time.UnixMilli(times[len(times)-1]).Add(time.Hour)}
}

// readAgain reads the message of a submission as it is now, and returns fresh
// addresses of its files by their ids. A message that is gone ends the
// submission, one that has changed gives it back.
func (w *worker) readAgain(ctx context.Context, s *submission) (map[string]string, error) {
	o, err := w.discord.Read(ctx, s.Account, s.Source)
	switch discord.ClassOf(err) {
	case "":
	case discord.Gone:
		if s.State == Posting {
			return nil, &back{note: words.GalleryWorkChanged}
		}
		return nil, errors.Join(errOver, w.gone(ctx, s.ID))
	case discord.Forbidden, discord.Invalid:
		return nil, &own{err: err}
	default:
		return nil, err
	}
	if s.Hidden || o.Hidden {
		// What it says cannot be compared; that it was edited can be seen.
		if o.Edited.After(s.Agreed) || o.Place.AgeRestricted != s.AgeRestricted {
			return nil, &back{note: words.GalleryWorkChanged, o: &o}
		}
		return w.refreshed(ctx, s)
	}
	if digestOf(o) != s.Digest {
		return nil, &back{note: words.GalleryWorkChanged, o: &o}
	}
	k, err := w.Settings.kinds(ctx, s.Guild)
	if err != nil {
		return nil, err
	}
	urls := map[string]string{}
	for _, m := range mediaOf(o, k) {
		urls[m.ID] = m.URL
	}
	for _, m := range s.Media {
		if urls[m.ID] == "" && m.Left == "" {
			return nil, &back{note: words.GalleryWorkKindOff, args: words.Args{"name": discord.Name(m.Name)}, o: &o}
		}
	}
	return urls, nil
}

// refreshed are fresh addresses of the files of a message that only a command
// could read.
func (w *worker) refreshed(ctx context.Context, s *submission) (map[string]string, error) {
	var old []string
	urls := map[string]string{}
	for _, m := range s.Media {
		urls[m.ID] = m.URL
		if !m.Embed {
			old = append(old, m.URL)
		}
	}
	if len(old) == 0 {
		return urls, nil
	}
	fresh, err := w.discord.Refreshed(ctx, old...)
	if err != nil {
		return nil, err
	}
	for _, m := range s.Media {
		if url, ok := fresh[m.URL]; ok {
			urls[m.ID] = url
		}
	}
	return urls, nil
}

// begin notes that this agreement is worked on. What was uploaded for an
// earlier one is not used: its description may have been another. done are the
// media that stand in posts already.
func (w *worker) begin(ctx context.Context, s *submission) (done map[int]bool, err error) {
	p, known, err := readProgress(ctx, w.Store, s.ID)
	if err != nil || known && p.agreed.Equal(s.Agreed) {
		return p.done(), err
	}
	err = w.Store.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		now, err := w.asAgreed(ctx, tx, s)
		if err != nil {
			return err
		}
		if err := w.discardUploads(ctx, tx, now); err != nil {
			return err
		}
		for i := range now.Media {
			now.Media[i].Sent, now.Media[i].Kind, now.Media[i].Tried = "", "", 0
		}
		s.Media = now.Media
		return errors.Join(now.storeMedia(ctx, tx), progress{agreed: s.Agreed}.save(ctx, tx, now))
	})
	return nil, err
}

// workable tells that the worker has something to do for a submission: it was
// agreed to, and its post is not under way. Of one that is being posted, a part
// stands and the rest is to be made anew.
func (s *submission) workable() bool {
	return s.State == Accepted || s.State == Posting && !s.Next.IsZero()
}

// asAgreed locks a submission, which must be as it was when the work on it
// began; else errOver: it was taken back, or agreed to anew.
func (w *worker) asAgreed(ctx context.Context, tx store.Tx, s *submission) (*submission, error) {
	now, err := lock(ctx, tx, s.ID)
	if err != nil {
		return nil, err
	}
	if !now.workable() || !now.Agreed.Equal(s.Agreed) || now.Target != s.Target {
		return nil, errOver
	}
	return now, nil
}

// noteMedium changes what is known of a medium, unless its submission is over.
func (w *worker) noteMedium(ctx context.Context, s *submission, m *medium, change func(m *medium)) error {
	return w.Store.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		now, err := w.asAgreed(ctx, tx, s)
		if err != nil {
			return err
		}
		if m.N > len(now.Media) {
			return errOver
		}
		n := now.Media[m.N-1]
		change(&n)
		*m = n
		return n.insert(ctx, tx, s.ID)
	})
}

// retryAt is when somebody asked to be tried again; zero if nobody did.
func retryAt(err error) time.Time {
	if e, ok := errors.AsType[*media.Error](err); ok {
		return e.RetryAt
	}
	if e, ok := errors.AsType[*fedi.Error](err); ok {
		return e.RetryAt
	}
	if e, ok := errors.AsType[*discord.Error](err); ok {
		return e.RetryAt
	}
	return time.Time{}
}
