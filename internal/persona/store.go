package persona

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"rookery/internal/community"
	"rookery/internal/inbox"
	"rookery/internal/store"
)

// waiting is a mention that this process has taken to answer.
type waiting struct {
	id       inbox.ID
	mention  community.Mention
	attempts int
}

// Accept implements inbox.Feature.
func (p *Persona) Accept(ctx context.Context, tx store.Tx, id inbox.ID, m community.Mention) error {
	body, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("store the mention: %w", err)
	}
	if _, err := tx.Exec(ctx, `insert into persona_waiting (mention, account, notified_at, body) values ($1, $2, $3, $4)`,
		string(id), string(m.Account), m.Notified.UnixMilli(), string(body)); err != nil {
		return err
	}
	return p.enqueue(ctx, tx, m.Account, time.Time{})
}

// pick takes the mention that has waited longest. It reports false if none is
// due. The lease keeps others off until it ends; it is no promise, for the
// outbox's key is what makes an answer happen once.
func (p *Persona) pick(ctx context.Context, account community.AccountID) (w waiting, ok bool, err error) {
	now := p.Clock.Now()
	err = p.Store.WriteRelaxed(ctx, func(ctx context.Context, tx store.Tx) error {
		var id, body string
		var attempts int64
		ok = false
		// The outer condition is looked at again by PostgreSQL after it has
		// waited for another who picked the same row.
		err := tx.QueryRow(ctx, `update persona_waiting set holder = $3, lease_until = $4
			where lease_until <= $2 and mention = (
				select mention from persona_waiting where account = $1 and next_at <= $2 and lease_until <= $2
				order by notified_at, mention limit 1)
			returning mention, body, attempts`,
			string(account), now.UnixMilli(), p.process, now.Add(p.answerLimit()).UnixMilli()).Scan(&id, &body, &attempts)
		if errors.Is(err, store.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		ok = true
		w = waiting{id: inbox.ID(id), attempts: int(attempts)}
		return json.Unmarshal([]byte(body), &w.mention)
	})
	if err != nil {
		return w, false, fmt.Errorf("pick a mention: %w", err)
	}
	return w, ok, nil
}

// held ends the waiting in the caller's transaction. False means that
// somebody else has had it meanwhile.
func (p *Persona) held(ctx context.Context, tx store.Tx, w waiting) (bool, error) {
	n, err := tx.Exec(ctx, `delete from persona_waiting where mention = $1 and holder = $2`, string(w.id), p.process)
	return n == 1, err
}

// close ends a mention without an answer.
func (p *Persona) close(ctx context.Context, w waiting, s inbox.State, reason string) error {
	p.Log.Info("a mention gets no answer", "account", w.mention.Account, "post", w.mention.Post.ID, "state", s, "reason", reason)
	err := p.Store.Write(context.WithoutCancel(ctx), func(ctx context.Context, tx store.Tx) error {
		mine, err := p.held(ctx, tx, w)
		if err != nil || !mine {
			return err
		}
		return inbox.Set(ctx, tx, w.id, s, reason)
	})
	if err != nil {
		return fmt.Errorf("close mention %s: %w", w.id, err)
	}
	return nil
}

// putBack lets the mention wait on: until at, or just free if why is nil.
func (p *Persona) putBack(ctx context.Context, w waiting, at time.Time, why error) error {
	failed, reason := int64(1), ""
	if why == nil {
		failed = 0
	} else {
		reason = why.Error()
		reason = reason[:min(len(reason), 1000)]
	}
	err := p.Store.WriteRelaxed(context.WithoutCancel(ctx), func(ctx context.Context, tx store.Tx) error {
		next := int64(0)
		if !at.IsZero() {
			next = at.UnixMilli()
		}
		_, err := tx.Exec(ctx, `update persona_waiting set lease_until = 0, holder = '', attempts = attempts + $3, next_at = $4, last_error = $5
			where mention = $1 and holder = $2`, string(w.id), p.process, failed, next, storable(reason))
		return err
	})
	if err != nil {
		return fmt.Errorf("put mention %s back: %w", w.id, err)
	}
	return nil
}

// nextDue is when the account's next mention can be picked; zero if none waits.
func nextDue(ctx context.Context, tx store.Tx, account community.AccountID) (time.Time, error) {
	var at int64
	err := tx.QueryRow(ctx, `select coalesce(min(case when lease_until > next_at then lease_until else next_at end), -1)
		from persona_waiting where account = $1`, string(account)).Scan(&at)
	if err != nil {
		return time.Time{}, fmt.Errorf("look for waiting mentions: %w", err)
	}
	if at < 0 {
		return time.Time{}, nil
	}
	return time.UnixMilli(max(at, 1)), nil
}

// Recover is called at the start of a process that is the only one on its
// database: whoever held a mention is no more.
func (p *Persona) Recover(ctx context.Context) error {
	if p.Store.Dialect() != store.SQLite {
		return nil // others may be at work; their leases end by themselves
	}
	err := p.Store.WriteRelaxed(ctx, func(ctx context.Context, tx store.Tx) error {
		_, err := tx.Exec(ctx, `update persona_waiting set lease_until = 0, holder = '' where holder <> ''`)
		return err
	})
	if err != nil {
		return fmt.Errorf("free the mentions of the last process: %w", err)
	}
	return nil
}

// backoff grows from 2 s, doubling, to 10 min, with jitter.
func backoff(failures int) time.Duration {
	d := min(2*time.Second<<min(failures, 12), 10*time.Minute)
	return d/2 + rand.N(d/2+1)
}
