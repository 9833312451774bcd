package persona

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"rookery/internal/budget"
	"rookery/internal/community"
	"rookery/internal/inbox"
	"rookery/internal/store"
)

// waiting is a mention that this process has taken to answer.
type waiting struct {
	id       inbox.ID
	mention  community.Mention
	attempts int // that failed, for whatever reason
	declined int // of these, those that were this mention's alone

	reserved bool          // something of the budget is set aside for it
	used     budget.Tokens // what its answer has cost since
}

// Accept implements inbox.Feature.
func (p *Persona) Accept(ctx context.Context, tx store.Tx, id inbox.ID, m community.Mention) error {
	body, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("store the mention: %w", err)
	}
	if _, err := tx.Exec(ctx, `insert into persona_waiting (mention, account, author, notified_at, body) values ($1, $2, $3, $4, $5)`,
		string(id), string(m.Account), store.Storable(strings.ToLower(m.Post.Author.Handle), 1<<10), m.Notified.UnixMilli(), string(body)); err != nil {
		return fmt.Errorf("store the mention: %w", err)
	}
	return nil
}

// Wake implements inbox.Feature.
func (p *Persona) Wake(ctx context.Context, tx store.Tx, account community.AccountID) error {
	return p.enqueue(ctx, tx, account, time.Time{})
}

// dueMembers lists who has a mention that may be picked now.
func (p *Persona) dueMembers(ctx context.Context, account community.AccountID) ([]string, error) {
	now := p.Clock.Now()
	// From one author to the next by the index: however many mentions each has
	// waiting, most of them are not looked at.
	rows, err := p.Store.Query(ctx, `with recursive member (author) as (
			select min(author) from persona_waiting where account = $1
			union all
			select (select min(author) from persona_waiting where account = $1 and author > member.author) from member where member.author is not null)
		select author from member where author is not null and exists (select 1 from persona_waiting w
			where w.account = $1 and w.author = member.author and (w.next_at <= $2 or w.next_at > $3) and (w.lease_until <= $2 or w.lease_until > $4))`,
		string(account), now.UnixMilli(), now.Add(longestBackoff+time.Minute).UnixMilli(), now.Add(p.answerLimit()+time.Minute).UnixMilli())
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
func (p *Persona) take(ctx context.Context, account community.AccountID, author string) (w waiting, ok bool, err error) {
	now := p.Clock.Now()
	leased := now.Add(p.answerLimit())
	err = p.Store.WriteRelaxed(ctx, func(ctx context.Context, tx store.Tx) error {
		var id, body string
		var attempts, declined int64
		ok = false
		// On PostgreSQL several pick at once: each passes over the row that
		// another is just picking. SQLite has one writer.
		others := ""
		if p.Store.Dialect() == store.Postgres {
			others = "for update skip locked"
		}
		err := tx.QueryRow(ctx, `update persona_waiting set holder = $3, lease_until = $4
			where (lease_until <= $2 or lease_until > $5) and mention = (
				select mention from persona_waiting where account = $1 and author = $7
					and (next_at <= $2 or next_at > $6) and (lease_until <= $2 or lease_until > $5)
				order by notified_at, mention limit 1 `+others+`)
			returning mention, body, attempts, declined`,
			string(account), now.UnixMilli(), p.process, leased.UnixMilli(),
			leased.Add(time.Minute).UnixMilli(), now.Add(longestBackoff+time.Minute).UnixMilli(), author).Scan(&id, &body, &attempts, &declined)
		if errors.Is(err, store.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		ok = true
		w = waiting{id: inbox.ID(id), attempts: int(attempts), declined: int(declined)}
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
	return p.closeWith(ctx, w, s, reason, func(context.Context, store.Tx) error { return nil })
}

// closeWith is close with something more in the same transaction.
func (p *Persona) closeWith(ctx context.Context, w waiting, s inbox.State, reason string, more func(context.Context, store.Tx) error) error {
	p.Log.Info("a mention gets no answer", "account", w.mention.Account, "post", w.mention.Post.ID, "state", s, "reason", reason)
	err := p.Store.Write(context.WithoutCancel(ctx), func(ctx context.Context, tx store.Tx) error {
		mine, err := p.held(ctx, tx, w)
		if err != nil || !mine {
			return err
		}
		if err := errors.Join(p.release(ctx, tx, w), more(ctx, tx)); err != nil {
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
		_, err := tx.Exec(ctx, `update persona_waiting set lease_until = 0, holder = '', attempts = attempts + $3, declined = $6, next_at = $4, last_error = $5
			where mention = $1 and holder = $2`, string(w.id), p.process, failed, next, storable(reason), int64(w.declined))
		return errors.Join(err, p.release(ctx, tx, w))
	})
	if err != nil {
		return fmt.Errorf("put mention %s back: %w", w.id, err)
	}
	return nil
}

// nextDue is when the account's next mention can be picked; zero if none waits.
func nextDue(ctx context.Context, tx store.Tx, account community.AccountID, now time.Time) (time.Time, error) {
	var at int64
	err := tx.QueryRow(ctx, `select coalesce(min(case when lease_until > next_at then lease_until else next_at end), -1)
		from persona_waiting where account = $1`, string(account)).Scan(&at)
	if err != nil {
		return time.Time{}, fmt.Errorf("look for waiting mentions: %w", err)
	}
	if at < 0 {
		return time.Time{}, nil
	}
	due := time.UnixMilli(max(at, 1))
	if latest := now.Add(longestBackoff); due.After(latest) {
		due = latest // a clock that ran ahead
	}
	return due, nil
}

// Recover is called at the start of a process, before the jobs: whatever
// waits has a job that looks at it soon, also if the last process died with
// one in its hands. On SQLite nobody else can hold a mention; on PostgreSQL
// others may be at work, and their holds end by themselves.
func (p *Persona) Recover(ctx context.Context) error {
	err := p.Store.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		if p.Store.Dialect() == store.SQLite {
			if _, err := tx.Exec(ctx, `update persona_waiting set lease_until = 0, holder = '' where holder <> ''`); err != nil {
				return err
			}
		}
		// Whoever starts the program may just have mended what was wrong.
		if _, err := tx.Exec(ctx, `update persona_waiting set next_at = 0 where next_at > 0`); err != nil {
			return err
		}
		return p.enqueueAll(ctx, tx)
	})
	if err != nil {
		return fmt.Errorf("take up what the last process left: %w", err)
	}
	return nil
}

// Resumed has what waits looked at now: sending is no longer paused.
func (p *Persona) Resumed(ctx context.Context) error {
	err := p.Store.Write(ctx, p.enqueueAll)
	if err != nil {
		return fmt.Errorf("go on answering: %w", err)
	}
	return nil
}

// enqueueAll makes sure that each account for which something waits has a job.
func (p *Persona) enqueueAll(ctx context.Context, tx store.Tx) error {
	rows, err := tx.Query(ctx, `select distinct account from persona_waiting`)
	accounts, err := store.Collect(rows, err, func(r store.Row) (id community.AccountID, err error) { return id, r.Scan((*string)(&id)) })
	if err != nil {
		return err
	}
	for _, account := range accounts {
		due, err := nextDue(ctx, tx, account, p.Clock.Now())
		if err != nil {
			return err
		}
		if err := p.enqueue(ctx, tx, account, due); err != nil {
			return err
		}
	}
	return nil
}

const longestBackoff = 10 * time.Minute

// backoff grows from 2 s, doubling, to 10 min, with jitter.
func backoff(failures int) time.Duration {
	d := min(2*time.Second<<max(0, min(failures, 12)), longestBackoff)
	return d/2 + rand.N(d/2+1)
}
