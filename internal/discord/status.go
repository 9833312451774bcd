package discord

import (
	"context"
	"slices"
	"time"

	"rookery/internal/community"
)

// Status is how the connection stands.
type Status struct {
	Account   community.AccountID // empty before the first log-in
	Name      string              // the bot's
	Connected bool                // every shard that this process holds
	Guilds    int
	Shards    []ShardStatus // those this process holds
	Of        int           // all shards, in every process
	// WithoutContent says that the message content intent was refused.
	WithoutContent bool
	Troubles       map[TroubleKind]string // what stands in the way now
	Waiting        int                    // events that wait for a handler
	Dropped        int                    // events for which there was no room; channels are looked through again for them
	Unreadable     int                    // events that could not be read
	ClockAhead     time.Duration          // Discord's clock before ours
}

// ShardStatus is how one connection stands.
type ShardStatus struct {
	N        int
	Up       bool
	Since    time.Time // up since then
	Sessions int       // that this process began
	Resumes  int
}

// Status is how the connection stands now.
func (d *Discord) Status() Status {
	me := d.me()
	st := Status{Account: me.account, Name: me.member.Acct, Troubles: d.trouble.all()}
	st.Waiting, st.Dropped = d.queues.counts()
	d.cache.mu.RLock()
	st.Guilds = len(d.cache.guilds)
	d.cache.mu.RUnlock()
	d.server.mu.Lock()
	st.ClockAhead = d.server.ahead
	d.server.mu.Unlock()
	c := &d.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	st.Of, st.WithoutContent, st.Unreadable = c.count, c.plain, c.unreadable
	for _, s := range c.shards {
		s.mu.Lock()
		st.Shards = append(st.Shards, ShardStatus{N: s.n, Up: s.up, Since: s.since, Sessions: s.sessions, Resumes: s.resumes})
		s.mu.Unlock()
	}
	slices.SortFunc(st.Shards, func(a, b ShardStatus) int { return a.N - b.N })
	st.Connected = c.connectedLocked()
	return st
}

// Connected tells whether every shard that this process holds is connected,
// and that it holds one.
func (d *Discord) Connected() bool {
	d.conn.mu.Lock()
	defer d.conn.mu.Unlock()
	return d.conn.connectedLocked()
}

func (c *connection) connectedLocked() bool {
	for _, s := range c.shards {
		s.mu.Lock()
		up := s.up
		s.mu.Unlock()
		if !up {
			return false
		}
	}
	return len(c.shards) > 0
}

// WaitReady waits until every shard that this process holds is connected and
// the guilds that it announced have been told of (those for which Discord
// takes too long are not waited for). The error is the context's.
func (d *Discord) WaitReady(ctx context.Context) error {
	for {
		c := &d.conn
		c.mu.Lock()
		changed := c.changed
		ready := c.connectedLocked()
		late := time.Duration(0)
		now := d.Clock.Now()
		for _, s := range c.shards {
			s.mu.Lock()
			if left := s.readied.Add(guildsTime).Sub(now); len(s.awaiting) > 0 && left > 0 {
				ready, late = false, max(late, left)
			}
			s.mu.Unlock()
		}
		c.mu.Unlock()
		if ready {
			return nil
		}
		var timeout <-chan time.Time
		stop := func() {}
		if late > 0 {
			timeout, stop = d.Clock.After(late)
		}
		select {
		case <-changed:
		case <-timeout:
		case <-ctx.Done():
		}
		stop()
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
}
