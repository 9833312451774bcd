package discord

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/disgoorg/disgo/rest"

	"rookery/internal/community"
	"rookery/internal/store"
)

// How commands are registered.
const (
	// settleFor is how long a change of a guild's settings may be followed by
	// others before Discord is told.
	settleFor         = 2 * time.Second
	registerAgain     = 5 * time.Second // after a failure; doubled each time
	registerAgainMost = 15 * time.Minute
	// refusedAgain is after a refusal that no waiting mends, like the day's 200
	// new commands of a guild. Source: interactions/application-commands,
	// "Registering a Command".
	refusedAgain = 24 * time.Hour

	// everywhere stands for the commands that belong to no guild.
	everywhere community.GuildID = ""
)

// registrar knows for which guilds commands are to be looked at, and when.
type registrar struct {
	mu   sync.Mutex
	due  map[community.GuildID]*registration
	wake chan struct{}
}

type registration struct {
	at    time.Time
	tries int
	since time.Time // the bot's, in the guild: what was registered before is gone
	told  bool      // that it was refused
}

func (r *registrar) init() {
	r.due, r.wake = map[community.GuildID]*registration{}, make(chan struct{}, 1)
}

// want has a guild looked at, at that time or, if it is due later, not before.
func (r *registrar) want(g community.GuildID, at, since time.Time) {
	r.mu.Lock()
	e := r.due[g]
	if e == nil {
		e = &registration{}
		r.due[g] = e
	}
	// What waits after a failure begins anew: something has changed.
	e.at, e.tries = at, 0
	if since.After(e.since) {
		e.since = since
	}
	r.mu.Unlock()
	r.nudge()
}

func (r *registrar) nudge() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

func (r *registrar) forget(g community.GuildID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.due, g)
}

// next takes out a guild whose time has come, or says when there will be one;
// zero for never.
func (r *registrar) next(now time.Time) (g community.GuildID, e *registration, at time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for id, x := range r.due {
		if e == nil || x.at.Before(e.at) {
			g, e = id, x
		}
	}
	if e == nil {
		return "", nil, time.Time{}
	}
	if e.at.After(now) {
		return "", nil, e.at
	}
	delete(r.due, g)
	return g, e, time.Time{}
}

// again has a guild looked at later, unless it is wanted anew already.
func (r *registrar) again(g community.GuildID, e *registration, at time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if x := r.due[g]; x != nil {
		x.told = x.told || e.told
		if e.since.After(x.since) {
			x.since = e.since
		}
		return
	}
	e.at = at
	r.due[g] = e
}

// Refresh has a guild's commands looked at again: its settings have changed.
// Several changes in a row are one.
func (d *Discord) Refresh(g community.GuildID) {
	if g != everywhere {
		d.router.registrar.want(g, d.Clock.Now().Add(settleFor), time.Time{})
	}
}

// onJoined hears of each guild we are in, at each start too, and of one whose
// name or language changed. It must not block.
func (d *Discord) onJoined(g Guild) {
	d.router.registrar.want(g.ID, d.Clock.Now(), g.Since)
}

// onRemoved hears that we were removed from a guild. It must not block.
func (d *Discord) onRemoved(g community.GuildID) {
	// Its commands are gone; that they were registered is known to be untrue
	// when the bot is back, by the time it joined.
	d.router.registrar.forget(g)
}

// runRouter lives as long as Run: it registers commands.
func (d *Discord) runRouter(ctx context.Context) {
	if d.Rehearsal {
		<-ctx.Done()
		return
	}
	r := &d.router.registrar
	r.want(everywhere, d.Clock.Now(), time.Time{})
	for {
		g, e, at := r.next(d.Clock.Now())
		if e != nil {
			d.register(ctx, g, e)
			if ctx.Err() != nil {
				return
			}
			continue
		}
		var due <-chan time.Time
		stop := func() {}
		if !at.IsZero() {
			due, stop = d.Clock.After(at.Sub(d.Clock.Now()))
		}
		select {
		case <-due:
		case <-r.wake:
		case <-ctx.Done():
			stop()
			return
		}
		stop()
	}
}

// errElsewhere is that another process is at it.
var errElsewhere = errors.New("another process registers them")

// register tells Discord of a guild's commands if they have changed, and plans
// the next attempt if that failed.
func (d *Discord) register(ctx context.Context, g community.GuildID, e *registration) {
	var err error
	if g == everywhere {
		err = d.registerGlobal(ctx)
	} else {
		err = d.registerIn(ctx, g, e.since)
	}
	if err == nil || ctx.Err() != nil {
		return
	}
	r := &d.router.registrar
	e.tries++
	wait := min(registerAgain<<min(e.tries-1, 20), registerAgainMost)
	wait += time.Duration(rand.Int64N(int64(wait)/4 + 1))
	fault, _ := errors.AsType[*Error](err)
	switch {
	case fault == nil:
	case g != everywhere && !fault.Edge && (fault.Class == Gone || fault.Class == Forbidden):
		d.log.Debug("a guild takes no commands", "guild", g, "error", err)
		return // it is looked at again when it is joined
	case fault.Class == Rate:
		wait = max(wait, fault.RetryAt.Sub(d.Clock.Now()))
	case fault.Class == Invalid && !fault.Edge:
		wait = refusedAgain
		if !e.told {
			d.log.Error("Discord refused the commands", "guild", g, "error", err)
			e.told = true
		}
	}
	d.log.Debug("commands could not be registered", "guild", g, "again", wait, "error", err)
	r.again(g, e, d.Clock.Now().Add(wait))
}

// registerIn registers what a guild has turned on.
func (d *Discord) registerIn(ctx context.Context, g community.GuildID, since time.Time) error {
	app, account, ok := d.application()
	if !ok {
		return errors.New("not logged in yet")
	}
	all := d.guildCommands(ctx, g)
	hash, at, err := d.registered(ctx, account, g)
	if err != nil || hash == hashOf(all) && !at.Before(since) {
		return err
	}
	if err := d.put(ctx, rest.SetGuildCommands.Compile(nil, app, g), all); err != nil {
		return err
	}
	return d.setRegistered(ctx, account, g, hashOf(all))
}

// registerGlobal registers what is offered outside of guilds; only one process
// does at a time.
func (d *Discord) registerGlobal(ctx context.Context) error {
	app, account, ok := d.application()
	if !ok {
		return errors.New("not logged in yet")
	}
	lock, err := d.Store.TryLock(ctx, "commands:"+string(account))
	if err != nil {
		return err
	}
	if lock == nil {
		return errElsewhere
	}
	defer lock.Release()
	hash, _, err := d.registered(ctx, account, everywhere)
	if err != nil {
		return err
	}
	at := rest.SetGlobalCommands.Compile(nil, app)
	all := d.globalCommands(true)
	if hash == hashOf(all) {
		return nil
	}
	err = d.put(ctx, at, all)
	if e, is := errors.AsType[*Error](err); is && e.Status == http.StatusBadRequest && len(all) > 0 {
		// Members can install only an application that is set up for it; which is
		// asked once at each start, for it may have been set up since.
		all = d.globalCommands(false)
		if hash == hashOf(all) {
			return nil
		}
		err = d.put(ctx, at, all)
	}
	if err != nil {
		return err
	}
	return d.setRegistered(ctx, account, everywhere, hashOf(all))
}

func (d *Discord) put(ctx context.Context, at *rest.CompiledEndpoint, all []wireCommand) error {
	ctx, cancel := context.WithTimeout(ctx, d.Timeout)
	defer cancel()
	return d.fault(d.rest.Do(at, all, nil, rest.WithCtx(ctx)))
}

// application is who we are; false before the first log-in.
func (d *Discord) application() (string, community.AccountID, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.self.application, d.self.account, d.self.application != ""
}

// registered is what Discord was last told of, and when; "" for nothing.
func (d *Discord) registered(ctx context.Context, a community.AccountID, g community.GuildID) (string, time.Time, error) {
	var hash string
	var ms int64
	err := d.Store.QueryRow(ctx, `select hash, registered_at from discord_commands where account = $1 and guild = $2`, a, g).Scan(&hash, &ms)
	if errors.Is(err, store.ErrNoRows) {
		return "", time.Time{}, nil
	}
	return hash, time.UnixMilli(ms), err
}

// setRegistered may be lost with the power: Discord would be told once more.
func (d *Discord) setRegistered(ctx context.Context, a community.AccountID, g community.GuildID, hash string) error {
	return d.Store.WriteRelaxed(ctx, func(ctx context.Context, tx store.Tx) error {
		_, err := tx.Exec(ctx, `insert into discord_commands (account, guild, hash, registered_at) values ($1, $2, $3, $4)
			on conflict (account, guild) do update set hash = excluded.hash, registered_at = excluded.registered_at`,
			a, g, hash, d.Clock.Now().UnixMilli())
		return err
	})
}
