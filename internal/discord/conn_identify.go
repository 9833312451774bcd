package discord

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	dg "github.com/disgoorg/disgo/discord"

	"rookery/internal/store"
)

const (
	// identifyEvery is how far apart new sessions of one slot must be. Source:
	// events/gateway, "Rate Limiting".
	identifyEvery = 5 * time.Second
	// identifySpan is the time in which they are counted, and identifyTotal how
	// many there are where Discord does not say.
	identifySpan  = 24 * time.Hour
	identifyTotal = 1000
	// identifyFew is how many are kept in hand: below, one is begun only so
	// often. A token that has used them all up is changed by Discord.
	identifyFew   = 50
	identifyPause = 15 * time.Minute
)

// permit allows one new session.
type permit struct {
	release func() // safe to call twice, and after used
	// used is called right before the session is begun: it is counted first,
	// so that a process that dies in between has counted one too many. Then the
	// next shard has its turn.
	used func(context.Context) error
}

// mayIdentify waits until a shard may begin a new session: until no process
// began one in its slot a moment ago, and until the day's budget has room. The
// error is one to come again after.
func (c *connection) mayIdentify(ctx context.Context, n int) (permit, error) {
	g, err := c.ask(ctx)
	if err != nil {
		return permit{}, err
	}
	account := string(c.d.me().account)
	slot := n % g.SessionStartLimit.MaxConcurrency
	lock, err := c.identifyLock(ctx, fmt.Sprintf("identify:%s:%d", account, slot))
	if err != nil {
		return permit{}, err
	}
	until, left, err := c.identifyAt(ctx, account, slot, g.SessionStartLimit)
	if err != nil {
		lock.Release()
		return permit{}, err
	}
	if left <= identifyFew {
		few := fmt.Errorf("%d new sessions are left today", max(left, 0))
		if until.After(c.d.Clock.Now()) {
			few = fmt.Errorf("%w, the next at %s", few, until.UTC().Format(time.RFC3339))
		}
		c.d.trouble.set(Identifies, few)
	} else {
		c.d.trouble.set(Identifies, nil)
	}
	wait := until.Sub(c.d.Clock.Now())
	if wait > 2*identifyEvery { // not with the lock held
		lock.Release()
		return permit{}, &Error{Class: Rate, RetryAt: until, Err: errors.New("few new sessions are left today")}
	}
	if !c.d.sleep(ctx, wait) {
		lock.Release()
		return permit{}, ended(ctx)
	}
	return permit{release: lock.Release, used: func(ctx context.Context) error {
		defer lock.Release() // what is counted makes the next wait
		return c.countIdentify(ctx, account, slot)
	}}, nil
}

// identifyLock waits for its turn among the shards of all processes.
func (c *connection) identifyLock(ctx context.Context, name string) (*store.Lock, error) {
	const every = 200 * time.Millisecond
	for {
		lock, err := c.d.Store.TryLock(ctx, name)
		if err != nil {
			return nil, fmt.Errorf("wait for the turn to identify: %w", err)
		}
		if lock != nil {
			return lock, nil
		}
		if !c.d.sleep(ctx, every+rand.N(every)) {
			return nil, ended(ctx)
		}
	}
}

// identifyAt is when the next session may be begun, and how many are left
// then. Both our own count and Discord's are believed, whichever is less: ours
// is for all processes at once, Discord's for those that we do not know of.
func (c *connection) identifyAt(ctx context.Context, account string, slot int, limit dg.SessionStartLimit) (until time.Time, left int, err error) {
	now := c.d.Clock.Now()
	var count, first, last, lastOfSlot int64
	err = c.d.Store.QueryRow(ctx, `select count(*), coalesce(min(at), 0), coalesce(max(at), 0), coalesce(max(case when slot = $3 then at else 0 end), 0)
		from discord_identify where account = $1 and at > $2`, account, now.Add(-identifySpan).UnixMilli(), int64(slot)).Scan(&count, &first, &last, &lastOfSlot)
	if err != nil {
		return time.Time{}, 0, fmt.Errorf("count the sessions: %w", err)
	}
	if last > now.UnixMilli() { // the clock was set back
		last, lastOfSlot = now.UnixMilli(), min(lastOfSlot, now.UnixMilli())
	}
	total := limit.Total
	if total <= 0 {
		total = identifyTotal
	}
	left = total - int(count)
	if limit.Total > 0 && limit.Remaining < left {
		left = limit.Remaining
	}
	until = time.UnixMilli(lastOfSlot).Add(identifyEvery)
	switch {
	case left <= 0:
		until = now.Add(time.Duration(limit.ResetAfter) * time.Millisecond)
		if own := time.UnixMilli(first).Add(identifySpan); count > 0 && own.After(until) {
			until = own
		}
		until = maxTime(until, now.Add(identifyPause))
	case left <= identifyFew && count > 0:
		until = maxTime(until, time.UnixMilli(last).Add(identifyPause))
	}
	return until, left, nil
}

func maxTime(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func (c *connection) countIdentify(ctx context.Context, account string, slot int) error {
	now := c.d.Clock.Now()
	err := c.d.Store.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		if _, err := tx.Exec(ctx, `delete from discord_identify where account = $1 and at <= $2`, account, now.Add(-identifySpan).UnixMilli()); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `insert into discord_identify (account, slot, at) values ($1, $2, $3)`, account, int64(slot), now.UnixMilli())
		return err
	})
	if err != nil {
		return fmt.Errorf("count a session: %w", err)
	}
	c.gatewayMu.Lock()
	c.gateway.SessionStartLimit.Remaining--
	c.gatewayMu.Unlock()
	return nil
}

// agreed is how many shards all processes have agreed on; 0 for not yet.
func (c *connection) agreed(ctx context.Context) (int, error) {
	var n int64
	err := c.d.Store.QueryRow(ctx, `select shards from discord_gateway where account = $1`, string(c.d.me().account)).Scan(&n)
	if errors.Is(err, store.ErrNoRows) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("read the number of shards: %w", err)
	}
	return int(n), nil
}

// agree settles how many shards there are: as many as Discord recommends, at
// least so many. The number only grows: every process follows a larger one,
// and two that use different ones get some events twice.
func (c *connection) agree(ctx context.Context, least int) (int, error) {
	g, err := c.ask(ctx)
	if err != nil {
		return 0, err
	}
	want := max(g.Shards, least)
	account := string(c.d.me().account)
	var n int64
	err = c.d.Store.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		_, err := tx.Exec(ctx, `insert into discord_gateway (account, shards) values ($1, $2)
			on conflict (account) do update set shards = excluded.shards where discord_gateway.shards < excluded.shards`, account, int64(want))
		if err != nil {
			return err
		}
		return tx.QueryRow(ctx, `select shards from discord_gateway where account = $1`, account).Scan(&n)
	})
	if err != nil {
		return 0, fmt.Errorf("settle the number of shards: %w", err)
	}
	return int(n), nil
}
