package turns

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"rookery/internal/community"
	"rookery/internal/inbox"
	"rookery/internal/store"
)

// dueMembers lists who has a mention that may be picked now.
func (t *Turns) dueMembers(ctx context.Context, account community.AccountID) ([]string, error) {
	now := t.c.Clock.Now()
	// From one author to the next by the index: however many mentions each has
	// waiting, most of them are not looked at.
	rows, err := t.c.Store.Query(ctx, `with recursive member (author) as (
			select min(author) from turns_waiting where feature = $5 and account = $1
			union all
			select (select min(author) from turns_waiting where feature = $5 and account = $1 and author > member.author)
				from member where member.author is not null)
		select author from member where author is not null and exists (select 1 from turns_waiting w
			where w.feature = $5 and w.account = $1 and w.author = member.author
				and (w.next_at <= $2 or w.next_at > $3) and (w.lease_until <= $2 or w.lease_until > $4))`,
		string(account), now.UnixMilli(), now.Add(LongestWait+time.Minute).UnixMilli(), now.Add(t.Hold()+time.Minute).UnixMilli(), t.c.Feature)
	members, err := store.Collect(rows, err, func(r store.Row) (author string, err error) { return author, r.Scan(&author) })
	if err != nil {
		return nil, fmt.Errorf("see who waits: %w", err)
	}
	return members, nil
}

// take leases the mention of a member that has waited longest. It reports
// false if none is due, or others have them all. The lease keeps others off
// until it ends; it is no promise, for the outbox's key is what makes an answer
// happen once. A time further ahead than any that is ever set comes from a
// clock that ran ahead, and counts as past.
func (t *Turns) take(ctx context.Context, account community.AccountID, author string) (w Waiting, ok bool, err error) {
	now := t.c.Clock.Now()
	leased := now.Add(t.Hold())
	err = t.c.Store.WriteRelaxed(ctx, func(ctx context.Context, tx store.Tx) error {
		var id, body string
		var attempts, declined int64
		ok = false
		// On PostgreSQL several pick at once: each passes over the row that
		// another is just picking. SQLite has one writer.
		others := ""
		if t.c.Store.Dialect() == store.Postgres {
			others = "for update skip locked"
		}
		err := tx.QueryRow(ctx, `update turns_waiting set holder = $3, lease_until = $4
			where feature = $8 and (lease_until <= $2 or lease_until > $5) and mention = (
				select mention from turns_waiting where feature = $8 and account = $1 and author = $7
					and (next_at <= $2 or next_at > $6) and (lease_until <= $2 or lease_until > $5)
				order by notified_at, mention limit 1 `+others+`)
			returning mention, body, attempts, declined`,
			string(account), now.UnixMilli(), t.process, leased.UnixMilli(),
			leased.Add(time.Minute).UnixMilli(), now.Add(LongestWait+time.Minute).UnixMilli(), author, t.c.Feature).Scan(&id, &body, &attempts, &declined)
		if errors.Is(err, store.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		ok = true
		w = Waiting{ID: inbox.ID(id), Attempts: int(attempts), Declined: int(declined)}
		return json.Unmarshal([]byte(body), &w.Mention)
	})
	if err != nil {
		return w, false, fmt.Errorf("pick a mention: %w", err)
	}
	return w, ok, nil
}

// Held ends the waiting in the caller's transaction, which plans the answer.
// False means that somebody else has had the mention meanwhile: nothing has
// changed, and nothing may be planned.
func (t *Turns) Held(ctx context.Context, tx store.Tx, w Waiting) (bool, error) {
	n, err := tx.Exec(ctx, `delete from turns_waiting where feature = $1 and mention = $2 and holder = $3`, t.c.Feature, string(w.ID), t.process)
	return n == 1, err
}

// Close ends a mention without an answer: it goes into the state s, for that
// reason. then is done in the same transaction, unless somebody else has had
// the mention meanwhile; in that case nothing happens.
func (t *Turns) Close(ctx context.Context, w Waiting, s inbox.State, reason string, then Then) error {
	t.c.Log.Info("a mention gets no answer", "account", w.Mention.Account, "post", w.Mention.Post.ID, "state", s, "reason", reason)
	err := t.c.Store.Write(context.WithoutCancel(ctx), func(ctx context.Context, tx store.Tx) error {
		mine, err := t.Held(ctx, tx, w)
		if err != nil || !mine {
			return err
		}
		if err := then.do(ctx, tx); err != nil {
			return err
		}
		return inbox.Set(ctx, tx, w.ID, s, reason)
	})
	if err != nil {
		return fmt.Errorf("close mention %s: %w", w.ID, err)
	}
	return nil
}

// PutBack lets a mention wait on: until at, which counts as LongestWait from
// now if it is later, or just free if at is zero. why is the failure that is
// counted and kept for the record; nil counts none, as for a cooldown, or a
// process that stops. then is done in the same transaction.
func (t *Turns) PutBack(ctx context.Context, w Waiting, at time.Time, why error, then Then) error {
	failed, reason := int64(1), ""
	if why == nil {
		failed = 0
	} else {
		reason = store.Storable(why.Error(), 1000)
	}
	next := int64(0)
	if !at.IsZero() {
		next = earlier(at, t.c.Clock.Now().Add(LongestWait)).UnixMilli()
	}
	err := t.c.Store.WriteRelaxed(context.WithoutCancel(ctx), func(ctx context.Context, tx store.Tx) error {
		_, err := tx.Exec(ctx, `update turns_waiting set lease_until = 0, holder = '', attempts = attempts + $4, declined = $7, next_at = $5, last_error = $6
			where feature = $1 and mention = $2 and holder = $3`, t.c.Feature, string(w.ID), t.process, failed, next, reason, int64(w.Declined))
		return errors.Join(err, then.do(ctx, tx))
	})
	if err != nil {
		return fmt.Errorf("put mention %s back: %w", w.ID, err)
	}
	return nil
}

// Decline counts a failure that is this mention's alone. The mention waits for
// another try, or has failed for good when there were as many as Chances says.
func (t *Turns) Decline(ctx context.Context, w Waiting, why error, then Then) error {
	if w.Declined+1 >= t.c.Chances {
		return t.Close(ctx, w, inbox.Failed, why.Error(), then)
	}
	w.Declined++
	return t.PutBack(ctx, w, t.c.Clock.Now().Add(Backoff(w.Attempts)), why, then)
}

// Fail puts a mention back after trouble that others would meet too, to be
// tried again after a back-off, and not before notBefore (zero: nobody asked
// for a time). It returns the trouble, joined with whatever else went wrong:
// what the function given to Round returns then. If ctx was cancelled it is
// nobody's failure, and the mention is just free.
func (t *Turns) Fail(ctx context.Context, w Waiting, trouble error, notBefore time.Time, then Then) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return errors.Join(trouble, t.PutBack(ctx, w, time.Time{}, nil, then))
	}
	at := t.c.Clock.Now().Add(Backoff(w.Attempts))
	if notBefore.After(at) {
		at = notBefore
	}
	return errors.Join(trouble, t.PutBack(ctx, w, at, trouble, then))
}

// nextDue is when the account's next mention can be picked; zero if none waits.
func (t *Turns) nextDue(ctx context.Context, tx store.Tx, account community.AccountID) (time.Time, error) {
	var at int64
	err := tx.QueryRow(ctx, `select coalesce(min(case when lease_until > next_at then lease_until else next_at end), -1)
		from turns_waiting where feature = $1 and account = $2`, t.c.Feature, string(account)).Scan(&at)
	if err != nil {
		return time.Time{}, fmt.Errorf("look for waiting mentions: %w", err)
	}
	if at < 0 {
		return time.Time{}, nil
	}
	// A later one comes from a clock that ran ahead.
	return earlier(time.UnixMilli(max(at, 1)), t.c.Clock.Now().Add(LongestWait)), nil
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
