package outbox

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"rookery/internal/failpoint"
	"rookery/internal/store"
)

// Deliver sends a claimed attempt, and the effect's further parts after it,
// and stores how it ended. It blocks for a request's time-out at most for
// each part. Its error says that the ending could not be stored, or what
// stands between the effect and the server; either way the effect is safe and
// goes on by itself.
func (o *Outbox) Deliver(ctx context.Context, c *Claim) error {
	for c != nil {
		kind, err := o.kind(c.row.kind)
		if err != nil {
			return err
		}
		failpoint.At("6-claimed")
		remote, sendErr := o.send(ctx, kind, c)
		if sendErr == nil {
			failpoint.At("7-answered-by-server")
			c, err = o.confirm(ctx, kind, c.row, remote)
			if err == nil {
				failpoint.At("8-confirmed")
			}
		} else {
			err = o.failed(ctx, c.row, asSendError(sendErr))
			c = nil
		}
		if err != nil {
			return err
		}
		if sendErr != nil {
			return sendErr
		}
	}
	return nil
}

// send makes the request within the time left of the claim. A process that
// slept since the claim (a suspended machine) must not send any more: others
// may have concluded that it never did.
func (o *Outbox) send(ctx context.Context, kind Kind, c *Claim) (string, error) {
	now := o.Clock.Now()
	passed := max(now.Sub(c.at), now.Round(0).Sub(c.wall))
	if passed >= o.Timeout || passed < 0 {
		return "", &SendError{Outcome: NotSent, Alone: true, Err: errors.New("the time to send it had passed before it was sent")}
	}
	a := c.row.attemptOn(c.made)
	if o.Rehearse != nil {
		o.Rehearse(kind.Name(), a)
		return "rehearsed-" + a.Key, nil
	}
	ctx, cancel := context.WithTimeout(ctx, o.Timeout-passed)
	defer cancel()
	return kind.Send(ctx, a)
}

// confirm stores that a part is outside. It returns the claim of the next
// part, if there is one.
func (o *Outbox) confirm(ctx context.Context, kind Kind, w row, remote string) (*Claim, error) {
	var next *Claim
	err := o.Store.Write(context.WithoutCancel(ctx), func(ctx context.Context, tx store.Tx) error {
		next = nil
		if remote != "" {
			ours, err := o.keep(ctx, tx, w, remote)
			if err != nil {
				return err
			}
			if !ours {
				return o.unsettled(ctx, tx, w, o.SettleError, kind, "the server answered with another effect's id")
			}
		}
		if w.part+1 < w.parts {
			// Whoever wants it gone waits for no further part.
			if gone, err := o.removed(ctx, tx, w); err != nil {
				return err
			} else if !gone {
				next, err = o.nextPart(ctx, tx, kind, w)
				return err
			}
		}
		n, err := tx.Exec(ctx, `update outbox_effect set state = 'confirmed', done_at = $3
			where id = $1 and part = $2 and state in ('planned', 'sent')`, w.id, int64(w.part), ms(o.Clock.Now()))
		if err != nil || n == 0 { // no row: somebody else's look found it first
			return err
		}
		return o.ended(ctx, tx, w, Confirmed, "", "")
	})
	if err != nil {
		return nil, fmt.Errorf("note that %s is sent: %w", w.key, err)
	}
	return next, nil
}

// keep records the id as this part's. False means that it is another's.
func (o *Outbox) keep(ctx context.Context, tx store.Tx, w row, remote string) (bool, error) {
	n, err := tx.Exec(ctx, `insert into outbox_remote (account, remote_id, effect, part) values ($1, $2, $3, $4)
		on conflict do nothing`, string(w.account), remote, w.id, int64(w.part))
	if err != nil || n == 1 {
		return n == 1, err
	}
	var effect string
	var part int64
	err = tx.QueryRow(ctx, `select effect, part from outbox_remote where account = $1 and remote_id = $2`,
		string(w.account), remote).Scan(&effect, &part)
	if errors.Is(err, store.ErrNoRows) {
		// The part has another id: there are two. This must not happen; say
		// so loudly and keep the first.
		o.Log.Error("an effect happened twice", "effect", w.key, "part", w.part, "second", remote)
		return true, nil
	}
	return effect == w.id && int(part) == w.part, err
}

// nextPart moves on to the next part and claims it in the same commit.
func (o *Outbox) nextPart(ctx context.Context, tx store.Tx, kind Kind, w row) (*Claim, error) {
	part := w.part
	off, err := pausedIn(ctx, tx)
	if err != nil {
		return nil, err
	}
	if off {
		_, err := tx.Exec(ctx, `update outbox_effect set state = 'planned', part = part + 1, attempt = 0, unknown = 0, doubted = 0, looks = 0,
				reason = '', idem = '', holder = '', first_srv = 0, next_at = $3
			where id = $1 and part = $2 and state in ('planned', 'sent')`, w.id, int64(part), ms(o.Clock.Now()))
		return nil, err
	}
	w.part, w.attempt, w.unknown, w.idem, w.first, w.state = part+1, 0, 0, "", time.Time{}, Sent
	look := o.claimed(&w, kind)
	n, err := tx.Exec(ctx, `update outbox_effect set state = 'sent', part = $3, attempt = $4, unknown = 0, doubted = 0, looks = 0,
			reason = '', idem = $5, holder = $6, first_srv = $7, deadline_srv = $8, settle_srv = $9, next_at = $10
		where id = $1 and part = $2 and state in ('planned', 'sent')`,
		w.id, int64(part), int64(w.part), int64(w.attempt), w.idem, w.holder, ms(w.first), ms(w.deadline), ms(w.settle), ms(look))
	if err != nil || n == 0 {
		return nil, err
	}
	earlier, err := made(ctx, tx, w.lane, w.seq)
	if err != nil {
		return nil, err
	}
	return o.claim(w, earlier), nil
}

// failed stores an attempt that brought no id.
func (o *Outbox) failed(ctx context.Context, w row, e *SendError) error {
	kind, err := o.kind(w.kind)
	if err != nil {
		return err
	}
	err = o.Store.Write(context.WithoutCancel(ctx), func(ctx context.Context, tx store.Tx) error {
		switch {
		case e.Outcome == NotSent:
			return o.replan(ctx, tx, w, e)
		case e.Outcome == Rejected && w.unknown == 0 && e.Doubtful && w.again > 0:
			return o.askAgain(ctx, tx, w, e)
		case e.Outcome == Rejected && w.unknown == 0:
			return o.refuse(ctx, tx, w, e.Reason, e.Error())
		case e.Outcome == Rejected:
			// An earlier attempt may be the reason ("already attached"): look
			// once more before believing it.
			_, err := tx.Exec(ctx, `update outbox_effect set doubted = 1, reason = $3, settle_srv = deadline_srv, next_at = $4
				where id = $1 and attempt = $2 and state = 'sent'`, w.id, int64(w.attempt), e.Reason, ms(o.Clock.Now()))
			if err != nil {
				return err
			}
			return o.wake(ctx, tx, o.Clock.Now())
		case e.Complete:
			return o.unsettled(ctx, tx, w, o.SettleError, kind, e.Error())
		default:
			return o.unsettled(ctx, tx, w, o.SettleSilence, kind, e.Error())
		}
	})
	if err != nil {
		return fmt.Errorf("note how %s went: %w", w.key, err)
	}
	return nil
}

// unsettled leaves the attempt unknown and says when a negative look counts.
func (o *Outbox) unsettled(ctx context.Context, tx store.Tx, w row, settle time.Duration, kind Kind, why string) error {
	now := o.Clock.Now()
	_, err := tx.Exec(ctx, `update outbox_effect set settle_srv = $3, next_at = $4, reason = $5
		where id = $1 and attempt = $2 and state = 'sent'`,
		w.id, int64(w.attempt), ms(kind.Now(w.account).Add(settle)), ms(now), short(why))
	if err != nil {
		return err
	}
	return o.wake(ctx, tx, now) // the first look may well find it
}

// replan takes back a claim that certainly did nothing.
func (o *Outbox) replan(ctx context.Context, tx store.Tx, w row, e *SendError) error {
	now := o.Clock.Now()
	next := e.RetryAt
	if !next.After(now) {
		next = now.Add(backoff(w.looks))
	}
	_, err := tx.Exec(ctx, `update outbox_effect set state = 'planned', looks = looks + 1, next_at = $3, reason = $4
		where id = $1 and attempt = $2 and state = 'sent'`, w.id, int64(w.attempt), ms(next), short(e.Error()))
	if err != nil {
		return err
	}
	return o.wake(ctx, tx, next)
}

// askAgain takes back a claim that was refused, to be sent once more later.
func (o *Outbox) askAgain(ctx context.Context, tx store.Tx, w row, e *SendError) error {
	pause := time.Minute
	if w.again == 1 {
		pause = 15 * time.Minute
	}
	next := o.Clock.Now().Add(pause)
	o.Log.Warn("an effect was refused, trying it again", "effect", w.key, "account", w.account, "at", next, "error", e)
	// A new key: some servers answer a repeated one with what they said before.
	_, err := tx.Exec(ctx, `update outbox_effect set state = 'planned', again = again - 1, idem = '', next_at = $3, reason = $4
		where id = $1 and attempt = $2 and state = 'sent'`, w.id, int64(w.attempt), ms(next), short(e.Error()))
	if err != nil {
		return err
	}
	return o.wake(ctx, tx, next)
}

// refuse ends an effect that will never happen.
func (o *Outbox) refuse(ctx context.Context, tx store.Tx, w row, reason, detail string) error {
	n, err := tx.Exec(ctx, `update outbox_effect set state = 'refused', reason = $3, done_at = $4
		where id = $1 and attempt = $2 and state in ('planned', 'sent')`, w.id, int64(w.attempt), short(reason), ms(o.Clock.Now()))
	if err != nil || n == 0 {
		return err
	}
	return o.ended(ctx, tx, w, Refused, reason, detail)
}

// ended tells the owner, and wakes whoever waits behind in the lane.
func (o *Outbox) ended(ctx context.Context, tx store.Tx, w row, s State, reason, detail string) error {
	var behind int64
	if err := tx.QueryRow(ctx, `select count(*) from outbox_effect where lane = $1 and seq > $2 and state = 'planned'`,
		w.lane, w.seq).Scan(&behind); err != nil {
		return err
	}
	if behind > 0 {
		if err := o.wake(ctx, tx, o.Clock.Now()); err != nil {
			return err
		}
	}
	owner, ok := o.owners[w.feature]
	if !ok {
		return nil
	}
	rows, err := tx.Query(ctx, `select remote_id from outbox_remote where effect = $1 order by part`, w.id)
	ids, err := store.Collect(rows, err, func(r store.Row) (id string, err error) { return id, r.Scan(&id) })
	if err != nil {
		return err
	}
	return owner(ctx, tx, Result{Effect: w.id, Key: w.key, Account: w.account, State: s, Reason: reason, Detail: short(detail), Made: ids, Payload: w.payload, Expires: w.expires})
}

// backoff is how long to wait after the n-th failure in a row: 1 s doubling to
// 5 min, with jitter so that many effects do not come back together.
func backoff(n int) time.Duration {
	d := time.Second << min(n, 9)
	d = min(d, 5*time.Minute)
	return d/2 + rand.N(d/2+1)
}

// short keeps a reason readable in a table.
func short(s string) string { return store.Storable(s, 1000) }
