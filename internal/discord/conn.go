package discord

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	dg "github.com/disgoorg/disgo/discord"
	"github.com/disgoorg/disgo/gateway"
	"github.com/disgoorg/disgo/rest"

	"rookery/internal/community"
)

// The gateway's connections are our own and not disgo's: that one decodes
// events before it hands them on and closes the connection for one it cannot
// decode, reconnects by itself without regard to a context or to the day's
// budget of sessions, and leaves goroutines behind. Only its shapes of
// messages are used.

const (
	firstPause = time.Second
	lastPause  = 2 * time.Minute
	// rarely is the pause after a refusal that only the operator can mend.
	rarely = 5 * time.Minute
	// steady is how long a connection must have stood for its end to count as
	// the first trouble and not as one more.
	steady = time.Minute
	// unreachableAfter is how long nothing answers until the operator is told.
	unreachableAfter = 3 * time.Minute
	// lookEvery is how often is looked what other processes have changed, and
	// saveEvery how often it is noted where the sessions stand.
	lookEvery = 30 * time.Second
	saveEvery = 5 * time.Second
	// lockEvery is how often a shard is tried that another process holds.
	lockEvery = 5 * time.Second
	// drainTime is how long handlers have at the end.
	drainTime = 4 * time.Second
	// frozenTime is how long a sweep may take before sessions are saved again
	// all the same; every 15 minutes there is one anyway.
	frozenTime = 20 * time.Minute
)

// connection is what the shards of this process share.
type connection struct {
	d *Discord
	// Where messages and interactions go.
	hear  func(context.Context, got) error
	press func(context.Context, json.RawMessage)

	mu         sync.Mutex
	shards     map[int]*shard // those that are held
	count      int            // of all shards, in every process
	recount    context.CancelFunc
	plain      bool // without the privileged intents: they are refused
	failing    time.Time
	unreadable int
	complained map[string]bool
	frozen     time.Time           // the saved sessions stand still, since then
	gone       []community.GuildID // left, and that not yet written down
	looked     int64               // until when other processes' guilds were read
	changed    chan struct{}

	gatewayMu sync.Mutex // one asks at a time
	gateway   dg.GatewayBot
	asked     time.Time
}

func (c *connection) init(d *Discord) {
	c.d, c.hear, c.press = d, d.onMessage, d.onInteraction
	c.shards = map[int]*shard{}
	c.complained = map[string]bool{}
	c.changed = make(chan struct{})
}

// wake tells WaitReady that something changed; called with the mutex held.
func (c *connection) wake() {
	close(c.changed)
	c.changed = make(chan struct{})
}

// Run logs in, connects and serves until ctx ends. Whatever goes wrong is
// tried again; Config.Trouble hears of what only the operator can mend. At the
// end the sessions are left so that the next process, or the next Run, goes on
// where this one stopped, handlers are given some seconds, and everything that
// was started has ended.
func (d *Discord) Run(ctx context.Context) {
	defer d.http.CloseIdleConnections()
	if !d.loggingIn(ctx) {
		return
	}
	// Handlers outlive ctx a little, so that what has come in is dealt with.
	work, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	d.queues.start(work)
	var parts sync.WaitGroup
	parts.Go(func() { d.runIntake(work) })
	parts.Go(func() { d.runRouter(work) })
	parts.Go(func() { d.saving(work) })
	d.conn.run(ctx)
	drain, cancel := context.WithTimeout(work, drainTime)
	d.queues.drain(drain)
	cancel()
	stop()
	d.queues.workers.Wait()
	parts.Wait()
	d.conn.release()
}

// loggingIn logs in until that is done; false if ctx ended before.
func (d *Discord) loggingIn(ctx context.Context) bool {
	for try := 0; ; try++ {
		// With an end, a long limit is an error that is told, and not a wait.
		once, cancel := context.WithTimeout(ctx, d.Timeout)
		err := d.login(once)
		cancel()
		if err == nil {
			d.conn.went(nil)
			return true
		}
		if ctx.Err() != nil {
			return false
		}
		d.conn.went(err)
		wait := backOff(try)
		if ClassOf(err) == Auth {
			wait = rarely
		}
		if e, ok := errors.AsType[*Error](err); ok && e.RetryAt.After(d.Clock.Now().Add(wait)) {
			wait = min(e.RetryAt.Sub(d.Clock.Now()), rarely)
		}
		if !d.sleep(ctx, wait) {
			return false
		}
	}
}

// login finds out who we are.
func (d *Discord) login(ctx context.Context) error {
	defer d.trying.Do(func() { close(d.tried) })
	user, err := get[dg.User](ctx, d, "log in", rest.GetCurrentUser.Compile(nil))
	if err != nil {
		return err
	}
	app, err := get[struct {
		ID string `json:"id"`
	}](ctx, d, "look at the application", rest.GetCurrentApplication.Compile(nil))
	if err != nil {
		return err
	}
	if user.ID == 0 || !digits(app.ID) {
		return fmt.Errorf("log in: %w", &Error{Class: Transient, Err: errors.New("an answer that is not Discord's")})
	}
	id := community.MemberID(user.ID.String())
	m := community.Member{ID: id, Handle: HandleOf(id), Acct: user.Username, Name: user.Username, Bot: true}
	if user.GlobalName != nil {
		m.Name = cmp.Or(*user.GlobalName, user.Username)
	}
	d.mu.Lock()
	d.self = self{application: app.ID, account: AccountOf(app.ID), member: m}
	d.mu.Unlock()
	return d.onLogin(ctx)
}

// PollOnce logs in and looks for what was missed, without a gateway.
func (d *Discord) PollOnce(ctx context.Context) error {
	defer d.http.CloseIdleConnections()
	if err := d.login(ctx); err != nil {
		return err
	}
	return d.sweep(ctx)
}

// went notes how the last try to reach Discord went, and tells the operator
// once it has failed for long.
func (c *connection) went(err error) {
	now := c.d.Clock.Now()
	c.mu.Lock()
	since := c.failing
	switch {
	case err == nil:
		c.failing = time.Time{}
	case since.IsZero() || now.Before(since):
		c.failing, since = now, now
	}
	c.mu.Unlock()
	switch {
	case err == nil:
		c.d.trouble.set(Unreachable, nil)
		return
	case ClassOf(err) == Auth:
		c.d.trouble.set(TokenRefused, err)
		return
	}
	if since.Equal(now) {
		c.d.log.Warn("Discord cannot be reached now; trying again", "error", err)
	}
	if now.Sub(since) >= unreachableAfter {
		c.d.trouble.set(Unreachable, err)
	}
}

// backOff is how long to wait before the next of many tries.
func backOff(try int) time.Duration {
	pause := min(firstPause<<min(try, 10), lastPause)
	return pause/2 + rand.N(pause)
}

// sleep waits; false when ctx ended before.
func (d *Discord) sleep(ctx context.Context, wait time.Duration) bool {
	ready, stop := d.Clock.After(wait)
	defer stop()
	select {
	case <-ready:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

// intents are what the gateway is asked to tell. Source: events/gateway,
// "Gateway Intents".
func (c *connection) intents() gateway.Intents {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.intentsLocked()
}

func (c *connection) intentsLocked() gateway.Intents {
	in := gateway.IntentGuilds | gateway.IntentGuildMessages
	if !c.d.NoDirect {
		in |= gateway.IntentDirectMessages
	}
	if c.d.cache.voice {
		in |= gateway.IntentGuildVoiceStates
	}
	if c.d.MessageContent && !c.plain {
		in |= gateway.IntentMessageContent
	}
	return in
}

// ask is the address of the gateway, how many shards it recommends, and how
// many sessions are left. It is asked anew unless that was just done.
func (c *connection) ask(ctx context.Context) (dg.GatewayBot, error) {
	c.gatewayMu.Lock()
	defer c.gatewayMu.Unlock()
	const fresh = 10 * time.Second
	now := c.d.Clock.Now()
	if !c.asked.IsZero() && now.Sub(c.asked) < fresh && !now.Before(c.asked) {
		return c.gateway, nil
	}
	ctx, cancel := context.WithTimeout(ctx, c.d.Timeout)
	defer cancel()
	g, err := get[dg.GatewayBot](ctx, c.d, "look for the gateway", rest.GetGatewayBot.Compile(nil))
	if err != nil {
		return dg.GatewayBot{}, err
	}
	if g.URL == "" {
		return dg.GatewayBot{}, &Error{Class: Transient, Err: errors.New("the gateway's address is missing")}
	}
	g.Shards = max(g.Shards, 1)
	g.SessionStartLimit.MaxConcurrency = max(g.SessionStartLimit.MaxConcurrency, 1)
	c.gateway, c.asked = g, now
	return g, nil
}

// run keeps the shards connected until ctx ends. When their number changes all
// are begun anew.
func (c *connection) run(ctx context.Context) {
	for try := 0; ctx.Err() == nil; try++ {
		count, err := c.agree(ctx, 0)
		if err != nil {
			if ctx.Err() == nil {
				c.went(err)
			}
			c.d.sleep(ctx, backOff(try))
			continue
		}
		try = 0
		c.generation(ctx, count)
	}
}

// generation runs so many shards until ctx ends or their number changes.
func (c *connection) generation(running context.Context, count int) {
	ctx, stop := context.WithCancel(running)
	defer stop()
	c.mu.Lock()
	c.count, c.recount = count, stop
	c.wake()
	c.mu.Unlock()
	var shards sync.WaitGroup
	defer shards.Wait()
	for n := range count {
		shards.Go(func() { c.holding(running, ctx, n, count) })
	}
	for c.d.sleep(ctx, lookEvery) {
		now, err := c.agreed(ctx)
		if err == nil && now > count { // another process needed more
			return
		}
		if err := c.d.readGuilds(ctx); err != nil && ctx.Err() == nil {
			c.d.log.Debug("what other processes know of guilds could not be read", "error", err)
		}
	}
}

// moreShards begins anew with more shards: close 4011, or 4010.
func (c *connection) moreShards(ctx context.Context, count int) {
	c.gatewayMu.Lock()
	c.asked = time.Time{}
	c.gatewayMu.Unlock()
	if _, err := c.agree(ctx, count+1); err != nil {
		c.d.log.Debug("the number of shards could not be raised", "error", err)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.recount != nil {
		c.recount()
	}
}

// holding runs one shard whenever no other process does, until ctx ends;
// running is the whole of Run.
func (c *connection) holding(running, ctx context.Context, n, count int) {
	name := fmt.Sprintf("shard:%s:%d", c.d.me().account, n)
	for ctx.Err() == nil {
		lock, err := c.d.Store.TryLock(ctx, name)
		if err != nil || lock == nil {
			c.d.sleep(ctx, lockEvery/2+rand.N(lockEvery))
			continue
		}
		held, lose := context.WithCancel(ctx)
		watched := make(chan struct{})
		go func() {
			defer close(watched)
			select {
			case <-lock.Lost():
				lose()
			case <-held.Done():
			}
		}()
		s := newShard(c, n, count)
		s.run(held)
		lose()
		<-watched
		// The lock stays until the handlers are done and it is written down how
		// far they came, else the next would begin before that.
		if running.Err() != nil {
			s.lock = lock
			return
		}
		c.drop(s)
		lock.Release()
	}
}

// drop forgets a shard that another process has.
func (c *connection) drop(s *shard) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.shards[s.n] == s {
		delete(c.shards, s.n)
	}
	c.wake()
}

// release writes down where the sessions stand and lets the shards go.
func (c *connection) release() {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	c.d.save(ctx, true)
	c.mu.Lock()
	held := c.shards
	c.shards = map[int]*shard{}
	c.wake()
	c.mu.Unlock()
	for _, s := range held {
		if s.lock != nil {
			s.lock.Release()
		}
	}
}
