package outbox

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"rookery/internal/community"
	"rookery/internal/store"
)

const (
	sweepBatch = 500
	// sweepFor is how long one sweep begins new looks; the next goes on.
	sweepFor      = 20 * time.Second
	sweepAccounts = 4 // servers looked at side by side: a slow one holds up no other
)

// Recover is called once at the start of a process: whatever was left under
// way is looked at without waiting, for a positive find is final at once. It
// also frees what a clock that ran ahead had put off for days.
func (o *Outbox) Recover(ctx context.Context) error {
	return o.lookAtAll(ctx, o.Clock.Now(), "")
}

// Ready is called when an account has logged in: what could not be looked at
// before is looked at now.
func (o *Outbox) Ready(ctx context.Context, account community.AccountID) error {
	return o.lookAtAll(ctx, o.Clock.Now(), account)
}

// lookAtAll makes everything unfinished due, of one account or of all.
func (o *Outbox) lookAtAll(ctx context.Context, now time.Time, account community.AccountID) error {
	err := o.Store.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		n, err := tx.Exec(ctx, `update outbox_effect set next_at = $1, looks = 0
			where state in ('planned', 'sent') and ($2 = '' or account = $2)`, ms(now), string(account))
		if err != nil || n == 0 {
			return err
		}
		return o.wake(ctx, tx, now)
	})
	if err != nil {
		return fmt.Errorf("look at what was left under way: %w", err)
	}
	return nil
}

// setBack notices a clock that shows a time well before one it has shown.
func (o *Outbox) setBack(now time.Time) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	back := now.Round(0).Before(o.latest.Add(-time.Minute))
	if back || now.Round(0).After(o.latest) {
		o.latest = now.Round(0)
	}
	return back
}

// Sweep looks once at every effect that is due: sends what is planned, finds
// what is unknown. It returns when the next one is due, zero if none waits.
// Errors of single effects are noted with them and logged; the error returned
// is the store's.
func (o *Outbox) Sweep(ctx context.Context) (next time.Time, err error) {
	now := o.Clock.Now()
	if o.setBack(now) {
		o.Log.Warn("our clock was set back; what it had put off is looked at now")
		if err := o.lookAtAll(ctx, now, ""); err != nil {
			return time.Time{}, err
		}
	}
	since, err := o.Paused(ctx)
	if err != nil {
		return time.Time{}, err
	}
	states := `('planned', 'sent')`
	if !since.IsZero() {
		states = `('sent')` // only looked for, not sent again
	}
	rows, err := o.Store.Query(ctx, `select `+columns+` from outbox_effect e where state in `+states+` and next_at <= $1
		and not exists (select 1 from outbox_effect b where b.lane = e.lane and b.seq < e.seq and b.state in ('planned', 'sent'))
		order by next_at limit $2`, ms(now), int64(sweepBatch))
	due, err := store.Collect(rows, err, scan)
	if err != nil {
		return time.Time{}, fmt.Errorf("look for due effects: %w", err)
	}
	byAccount := map[community.AccountID][]row{}
	for _, w := range due {
		byAccount[w.account] = append(byAccount[w.account], w)
	}
	var wg sync.WaitGroup
	gate := make(chan struct{}, sweepAccounts)
	for _, effects := range byAccount {
		gate <- struct{}{}
		wg.Go(func() {
			defer func() { <-gate }()
			for _, w := range effects {
				if ctx.Err() != nil || o.Clock.Now().Sub(now).Abs() > sweepFor {
					return
				}
				err := o.resolve(ctx, w)
				if s, ok := errors.AsType[*SendError](err); ok && s.Outcome == NotSent && !s.RetryAt.IsZero() {
					o.Log.Debug("an effect waits for its turn", "effect", w.key, "account", w.account, "until", s.RetryAt, "error", err)
				} else if err != nil && ctx.Err() == nil {
					o.Log.Warn("an effect is still under way", "effect", w.key, "account", w.account, "attempt", w.attempt, "error", err)
				}
			}
		})
	}
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return time.Time{}, err
	}
	if !since.IsZero() {
		return time.Time{}, nil // Resume wakes
	}
	var at int64
	err = o.Store.QueryRow(ctx, `select coalesce(min(next_at), 0) from outbox_effect e where state in ('planned', 'sent')
		and not exists (select 1 from outbox_effect b where b.lane = e.lane and b.seq < e.seq and b.state in ('planned', 'sent'))`).Scan(&at)
	if err != nil {
		return time.Time{}, fmt.Errorf("look for the next effect: %w", err)
	}
	return fromMS(at), nil
}

// resolve brings one due effect a step further.
func (o *Outbox) resolve(ctx context.Context, w row) error {
	kind, err := o.kind(w.kind)
	if err != nil {
		return errors.Join(err, o.later(ctx, w, time.Time{}, err))
	}
	finder, canFind := kind.(Finder)
	removed, err := o.removed(ctx, o.Store, w)
	if err != nil {
		return err
	}
	again := func() error {
		if removed {
			return o.drop(ctx, w)
		}
		return o.reclaim(ctx, kind, w)
	}
	switch {
	case w.state == Sent && w.holder == o.process && kind.Now(w.account).Before(w.deadline) && w.reason == "":
		// Our own request is still in flight.
		return o.later(ctx, w, o.Clock.Now().Add(min(w.deadline.Sub(kind.Now(w.account)), o.Timeout)), nil)
	case w.state == Planned && !expired(w, o.Clock.Now()) && (!canFind || o.plannedHere(w)):
		return again()
	case w.state == Planned && !canFind:
		return o.giveUp(ctx, w, ReasonExpired)
	case !canFind:
		if now := kind.Now(w.account); now.Before(w.settle) {
			return o.settles(ctx, w, now)
		}
		if w.doubted {
			return o.giveUp(ctx, w, w.reason)
		}
		return again()
	}
	earlier, err := made(ctx, o.Store, w.lane, w.seq)
	if err != nil {
		return err
	}
	found, err := finder.Find(ctx, w.attemptOn(earlier), func(ctx context.Context, id string) (bool, error) { return o.free(ctx, w, id) })
	switch {
	case err != nil:
		return errors.Join(err, o.later(ctx, w, time.Time{}, err))
	case found.ID != "":
		o.Log.Info("an effect whose outcome was unknown is outside", "effect", w.key, "id", found.ID)
		next, err := o.confirm(ctx, kind, w, found.ID)
		if err != nil || next == nil {
			return err
		}
		return o.Deliver(ctx, next)
	case w.state == Planned && !expired(w, found.AsOf):
		return again()
	case w.state == Planned:
		return o.giveUp(ctx, w, ReasonExpired)
	case found.AsOf.Before(w.settle):
		return o.settles(ctx, w, found.AsOf)
	case w.doubted:
		return o.giveUp(ctx, w, w.reason)
	case expired(w, found.AsOf):
		return o.giveUp(ctx, w, ReasonExpired)
	}
	return again()
}

// settles waits for the moment at which a negative look counts; now is the
// server's time. A moment further off than any settling takes was noted while
// our clock ran ahead: it begins anew.
func (o *Outbox) settles(ctx context.Context, w row, now time.Time) error {
	longest := o.Timeout + max(o.SettleError, o.SettleSilence)
	if w.settle.Sub(now) <= longest+time.Minute {
		return o.later(ctx, w, o.Clock.Now().Add(w.settle.Sub(now)), nil)
	}
	err := o.Store.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		_, err := tx.Exec(ctx, `update outbox_effect set deadline_srv = $3, settle_srv = $4, next_at = $5
			where id = $1 and attempt = $2 and state = 'sent'`,
			w.id, int64(w.attempt), ms(now), ms(now.Add(longest)), ms(o.Clock.Now().Add(longest)))
		return err
	})
	if err != nil {
		return fmt.Errorf("settle %s anew: %w", w.key, err)
	}
	return nil
}

// expired tells whether it is too late for an effect at a time, which had best
// be the server's own: our clock may just have jumped.
func expired(w row, now time.Time) bool { return !w.expires.IsZero() && now.After(w.expires) }

// plannedHere tells whether all that ever happened to a planned effect is
// known. A row from before this process may be older than the truth: the
// database can be a restored backup.
func (o *Outbox) plannedHere(w row) bool {
	if w.attempt == 0 {
		return w.planner == o.process
	}
	return w.holder == o.process
}

// reclaim claims another attempt, unless somebody else was quicker, and sends it.
func (o *Outbox) reclaim(ctx context.Context, kind Kind, w row) error {
	var c *Claim
	err := o.Store.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		c = nil
		if off, err := pausedIn(ctx, tx); err != nil || off {
			return err
		}
		n := w
		if w.state == Sent {
			n.unknown++
		}
		n.state = Sent
		look := o.claimed(&n, kind)
		changed, err := tx.Exec(ctx, `update outbox_effect set state = 'sent', attempt = $5, unknown = $6, doubted = 0, reason = '',
				idem = $7, holder = $8, first_srv = $9, deadline_srv = $10, settle_srv = $11, next_at = $12
			where id = $1 and state = $2 and attempt = $3 and part = $4 and not exists (
				select 1 from outbox_effect b where b.lane = outbox_effect.lane and b.seq < outbox_effect.seq and b.state in ('planned', 'sent'))`,
			w.id, string(w.state), int64(w.attempt), int64(w.part), int64(n.attempt), int64(n.unknown),
			n.idem, n.holder, ms(n.first), ms(n.deadline), ms(n.settle), ms(look))
		if err != nil || changed == 0 {
			return err
		}
		earlier, err := made(ctx, tx, n.lane, n.seq)
		if err != nil {
			return err
		}
		c = o.claim(n, earlier)
		return nil
	})
	if err != nil {
		return fmt.Errorf("claim %s: %w", w.key, err)
	}
	return o.Deliver(ctx, c)
}

// later notes when to look at the effect again: at next, or after a back-off
// that grows with each failed look.
func (o *Outbox) later(ctx context.Context, w row, next time.Time, why error) error {
	looks := 0
	reason := w.reason
	if next.IsZero() {
		looks = w.looks + 1
		next = o.Clock.Now().Add(backoff(w.looks))
		if why != nil && reason == "" {
			reason = short(why.Error())
		}
	}
	err := o.Store.WriteRelaxed(ctx, func(ctx context.Context, tx store.Tx) error {
		_, err := tx.Exec(ctx, `update outbox_effect set next_at = $3, looks = $4, reason = $5
			where id = $1 and attempt = $2 and state in ('planned', 'sent')`, w.id, int64(w.attempt), ms(next), int64(looks), reason)
		return err
	})
	if err != nil {
		return fmt.Errorf("put off %s: %w", w.key, err)
	}
	return nil
}

func (o *Outbox) giveUp(ctx context.Context, w row, reason string) error {
	o.Log.Warn("an effect is given up", "effect", w.key, "reason", reason)
	err := o.Store.Write(ctx, func(ctx context.Context, tx store.Tx) error { return o.refuse(ctx, tx, w, reason, "") })
	if err != nil {
		return fmt.Errorf("give up %s: %w", w.key, err)
	}
	return nil
}

// free tells whether a remote id belongs to nobody else.
func (o *Outbox) free(ctx context.Context, w row, id string) (bool, error) {
	var effect string
	var part int64
	err := o.Store.QueryRow(ctx, `select effect, part from outbox_remote where account = $1 and remote_id = $2`,
		string(w.account), id).Scan(&effect, &part)
	if errors.Is(err, store.ErrNoRows) {
		return true, nil
	}
	return effect == w.id && int(part) == w.part, err
}

// removed tells whether something waits behind an effect in its lane that
// removes what it would make: then it is not sent any more.
func (o *Outbox) removed(ctx context.Context, q querier, w row) (bool, error) {
	rows, err := q.Query(ctx, `select distinct kind from outbox_effect where lane = $1 and seq > $2 and state = 'planned'`, w.lane, w.seq)
	kinds, err := store.Collect(rows, err, func(r store.Row) (k string, err error) { return k, r.Scan(&k) })
	if err != nil {
		return false, fmt.Errorf("see what waits behind %s: %w", w.key, err)
	}
	for _, k := range kinds {
		if _, ok := o.kinds[k].(Drops); ok {
			return true, nil
		}
	}
	return false, nil
}

// drop takes back an effect that is certainly not outside, as far as its
// present part goes. One of which parts stand is done with them: its owner
// hears of what is to be deleted.
func (o *Outbox) drop(ctx context.Context, w row) error {
	end := Dropped
	if w.part > 0 {
		end = Confirmed
	}
	err := o.Store.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		n, err := tx.Exec(ctx, `update outbox_effect set state = $6, done_at = $5
			where id = $1 and state = $2 and attempt = $3 and part = $4`, w.id, string(w.state), int64(w.attempt), int64(w.part), ms(o.Clock.Now()), string(end))
		if err != nil || n == 0 { // somebody else's look was first
			return err
		}
		if end == Confirmed {
			return o.ended(ctx, tx, w, Confirmed, "", "")
		}
		return o.wake(ctx, tx, o.Clock.Now())
	})
	if err != nil {
		return fmt.Errorf("take back %s: %w", w.key, err)
	}
	return nil
}
