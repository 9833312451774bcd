package discord

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"rookery/internal/community"
	"rookery/internal/failpoint"
	"rookery/internal/inbox"
)

const (
	// flushEvery is how often it is stored what has been looked at.
	flushEvery = 15 * time.Second
	// sweepEvery is how often all channels are swept, for events may be lost.
	// Source: events/gateway, "Tracking State".
	sweepEvery = 15 * time.Minute
	// sweepRest is how long after a sweep the next may begin: an event that nobody
	// can read, sent again and again, is no reason to read without end.
	sweepRest = 5 * time.Second
	// sweepAgain is when a sweep that failed is tried again; twice as long each
	// time, up to sweepEvery.
	sweepAgain = 30 * time.Second
)

// intakeState is what intake, sweeps and effects keep in memory.
type intakeState struct {
	renderers map[string]Rendering

	mu        sync.Mutex
	begun     bool
	start     int64                             // messages before it are nobody's business
	gap       int                               // counts what may have lost messages
	swept     int                               // the gap of the last sweep that failed nowhere
	whole     bool                              // there was one in this process
	seen      map[community.ChannelID]seen      // what sweeps have read
	dirty     map[community.ChannelID]bool      // not stored yet
	directs   map[community.MemberID]string     // conversations that were opened
	told      map[community.ChannelID]time.Time // threads whose beginning the watchers know, and since when
	toldDirty map[community.ChannelID]bool      // not stored yet
	wake      chan struct{}                     // a sweep is wanted
}

// seen is how far a channel has been read by sweeps. Events do not move it: one
// that tells of a message says nothing about those before it. What a sweep
// reads again the inbox knows.
type seen struct {
	guild   community.GuildID
	message int64
}

func (d *Discord) initIntake() {
	d.intake.renderers = map[string]Rendering{}
	d.intake.seen = map[community.ChannelID]seen{}
	d.intake.dirty = map[community.ChannelID]bool{}
	d.intake.directs = map[community.MemberID]string{}
	d.intake.told = map[community.ChannelID]time.Time{}
	d.intake.toldDirty = map[community.ChannelID]bool{}
	d.intake.wake = make(chan struct{}, 1)
}

// inboxAccount is our account as the inbox must know it.
func (d *Discord) inboxAccount(id community.AccountID) inbox.Account {
	return inbox.Account{ID: id, Features: d.Features, Backlog: d.Backlog, MaxAge: d.MaxAge}
}

// begin notes our first start, once for ever. It is called before anything is
// taken in.
func (d *Discord) begin(ctx context.Context) (self, error) {
	me := d.me()
	if me.account == "" || d.Inbox == nil {
		return me, &Error{Class: Transient, Err: errors.New("not logged in")}
	}
	d.intake.mu.Lock()
	begun := d.intake.begun
	d.intake.mu.Unlock()
	if begun {
		return me, nil
	}
	// Discord's clock is known to the second: what is written in the very one in
	// which we begin counts.
	now := d.Now(me.account).Add(-2 * time.Second)
	if _, err := d.Inbox.Begin(ctx, d.inboxAccount(me.account), now); err != nil {
		return me, err
	}
	start, err := d.startedAt(ctx, me.account, now)
	if err != nil {
		return me, err
	}
	known, err := d.readSeen(ctx, me.account)
	if err != nil {
		return me, err
	}
	told, err := d.readBegun(ctx, me.account)
	if err != nil {
		return me, err
	}
	d.intake.mu.Lock()
	defer d.intake.mu.Unlock()
	d.intake.begun, d.intake.start = true, start
	for id, s := range known {
		if was, ok := d.intake.seen[id]; !ok || s.message > was.message {
			d.intake.seen[id] = s
		}
	}
	for id, at := range told {
		if _, ok := d.intake.told[id]; !ok && !d.intake.toldDirty[id] {
			d.intake.told[id] = at
		}
	}
	return me, nil
}

// onMessage takes in a message that addresses us, and tells the watchers of one
// that begins a thread; those of one channel come in order. An error has the
// channel swept.
func (d *Discord) onMessage(ctx context.Context, g got) error {
	me, err := d.begin(ctx)
	if err != nil {
		return err
	}
	if d.concerns(me, &g) {
		if err := d.addressed(ctx, me, g); err != nil {
			return err
		}
	}
	if d.mayBegin(me, &g) {
		return d.begun(ctx, me, g)
	}
	return nil
}

// addressed takes in a message that addresses us.
func (d *Discord) addressed(ctx context.Context, me self, g got) error {
	at := community.Place{Guild: community.GuildID(g.Guild), Channel: community.ChannelID(g.Channel)}
	if at.Guild == "" {
		// Sweeps know of no conversation but by its messages.
		if err := d.startSeen(ctx, me.account, g.Channel); err != nil {
			return err
		}
	}
	if _, err := d.takeIn(ctx, me, at, []got{g}); err != nil {
		return fmt.Errorf("take in message %s: %w", g.ID, err)
	}
	return nil
}

// concerns tells whether an event's message addresses us where we listen.
func (d *Discord) concerns(me self, g *got) bool {
	direct := g.Guild == ""
	return g.addresses(string(me.member.ID), direct) && (!direct || !d.NoDirect)
}

// takeIn hands messages that address us, oldest first, to the inbox, and tells
// how many were new.
func (d *Discord) takeIn(ctx context.Context, me self, at community.Place, messages []got) (int, error) {
	if len(messages) == 0 {
		return 0, nil
	}
	place, err := d.placeFor(ctx, at)
	if err != nil {
		return 0, err
	}
	page := inbox.Page{Now: d.Now(me.account)}
	for _, g := range messages {
		if g.Member == nil && place.Guild != "" && g.Webhook == "" {
			// Only events tell who the author is in the guild.
			g.Member, err = d.memberOf(ctx, place.Guild, g.Author)
			if err != nil {
				return 0, err
			}
		}
		post := d.post(ctx, g, place)
		page.Items = append(page.Items, inbox.Item{Mention: community.Mention{
			Account: me.account, Notification: community.NotificationID(g.ID), Notified: post.At, Post: post,
		}})
	}
	failpoint.At("d1-message-heard")
	n, err := d.Inbox.Take(ctx, d.inboxAccount(me.account), page)
	if err == nil {
		failpoint.At("d2-message-taken-in")
	}
	return n, err
}

// placeFor fills in what is known of a place. Of a channel that is gone, or
// hidden from us, nothing more is.
func (d *Discord) placeFor(ctx context.Context, at community.Place) (community.Place, error) {
	if at.Guild == "" {
		return at, nil
	}
	c, err := d.Channel(ctx, at.Channel)
	switch ClassOf(err) {
	case "":
	case Gone, Forbidden:
		return at, nil
	default:
		return at, err
	}
	at.AgeRestricted = c.AgeRestricted
	if c.Thread {
		at.Parent = c.Parent
	}
	return at, nil
}

// memberOf is who an author is in a guild; nil for one who has left.
func (d *Discord) memberOf(ctx context.Context, guild community.GuildID, u gotUser) (*gotMember, error) {
	m, roles, err := d.Member(ctx, guild, community.MemberID(u.ID))
	switch ClassOf(err) {
	case "":
	case Gone, Forbidden:
		return nil, nil
	default:
		return nil, err
	}
	g := &gotMember{Nick: m.Name}
	for _, r := range roles {
		g.Roles = append(g.Roles, string(r))
	}
	return g, nil
}

// missed says that messages may have come of which no event has told.
func (d *Discord) missed() {
	d.intake.mu.Lock()
	d.intake.gap++
	d.intake.mu.Unlock()
	select {
	case d.intake.wake <- struct{}{}:
	default: // a sweep is on its way
	}
}

// onReady hears of a new session of a shard: anything may have been missed in
// its guilds. It does not block.
func (d *Discord) onReady(int) { d.missed() }

// runIntake lives as long as Run: it stores what has been looked at, and sweeps
// every 15 minutes and when something was missed. It ends, flushed, when ctx
// does.
func (d *Discord) runIntake(ctx context.Context) {
	var work sync.WaitGroup
	work.Go(func() { d.runSweeps(ctx) })
	for ctx.Err() == nil {
		d.wait(ctx, flushEvery, nil)
		if err := d.flushSeen(context.WithoutCancel(ctx)); err != nil {
			d.log.Warn("it could not be stored which messages have been looked at; they will be looked at again", "error", err)
		}
	}
	work.Wait()
	if err := d.flushSeen(context.WithoutCancel(ctx)); err != nil {
		d.log.Warn("it could not be stored which messages have been looked at; they will be looked at again", "error", err)
	}
}

func (d *Discord) runSweeps(ctx context.Context) {
	pause, again := sweepEvery, sweepAgain
	for d.wait(ctx, pause, d.intake.wake) {
		_, err := d.Sweep(ctx)
		if err == nil || ctx.Err() != nil {
			pause, again = sweepEvery, sweepAgain
			d.wait(ctx, sweepRest, nil)
			continue
		}
		d.log.Warn("missed messages could not all be looked for; this is tried again", "again_in", again, "error", err)
		pause, again = again, min(2*again, sweepEvery)
	}
}

// wait waits for a time or until woken; false at the end.
func (d *Discord) wait(ctx context.Context, pause time.Duration, wake <-chan struct{}) bool {
	ready, stop := d.Clock.After(pause)
	defer stop()
	select {
	case <-ready:
	case <-wake:
	case <-ctx.Done():
	}
	return ctx.Err() == nil
}

// direct is the conversation with a member that was opened before.
func (s *intakeState) direct(to community.MemberID) (string, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id, ok := s.directs[to]
	return id, ok
}

// knowDirect keeps the conversation with a member.
func (s *intakeState) knowDirect(to community.MemberID, channel string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.directs) >= mostMembers {
		clear(s.directs)
	}
	s.directs[to] = channel
}
