package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"rookery/internal/sim/fedisim"
)

const (
	yearMentions = 20 // a day
	yearMembers  = 25
	greedyAsks   = 6 // of these, by one member who may have five
	busyMentions = 60
	outageLasts  = time.Hour
)

// yearSections are the configuration's: the budget is such that one member is
// over theirs every day, and all together once a month.
const yearSections = `[budget]
replies_per_member = %d
tokens_per_day = 8000
[operator]
fediverse = "@keeper@elsewhere.example"
[backup]
at = "04:00"
keep = %d
[web]
listen = %q
`

// year measures whether anything grows, or becomes slower, while one process
// works for a year and some: on a simulated clock, which leaps from what
// happens to what happens next. The server has limits and streams; the rest is
// as the program is shipped.
//
// On each day there is a backup and the tidying at four, and twenty mentions
// at noon, of which one is over its member's budget. There are members'
// commands every week; once a month the server fails for an hour, sixty
// mentions come at once and use up the day's budget, somebody stops the bot,
// and somebody has all answers deleted, or all forgotten. What happens between,
// which is polls that bring nothing, is left out.
//
// Every thirty days, with the program at rest, it is looked how large what it
// has is, and how long mentions took: those of the month that a stream told of,
// and five that a poll had to find, while the stream said nothing.
//
// The program's clock wobbles by as much as an answer to its questions for the
// time is late. Where it seems to go back between the claim of an answer and
// its sending, outbox sends it only a second later, and the log says so ("the
// answer is not out yet").
func year(ctx context.Context, l *lab) (rows []row, err error) {
	l.say("%d days with %d mentions each", l.days, yearMentions)
	address, err := freePort(ctx)
	if err != nil {
		return nil, err
	}
	w, err := newWorld(ctx, l, setup{parallel: 1, public: true, people: yearMembers,
		more: fmt.Sprintf(yearSections, greedyAsks-1, yearBackups, address)})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	w.fedi.AddRemote("keeper@elsewhere.example", fedisim.Named("The keeper"))
	y := &yearlong{world: w, lab: l, address: address, log: newYearLog()}
	if y.p, err = w.streaming(ctx, y.log.read, w.followed("run")...); err != nil {
		return nil, err
	}
	defer y.p.kill()
	for y.day = 1; y.day <= l.days; y.day++ {
		if err := y.live(ctx); err != nil {
			return nil, fmt.Errorf("day %d: %w", y.day, err)
		}
		if y.day%monthOf(l.days) == 0 {
			if err := y.sample(ctx); err != nil {
				return nil, fmt.Errorf("the look at day %d: %w", y.day, err)
			}
		}
	}
	y.p.kill()
	return y.rows(), nil
}

// yearBackups is how many the program is told to keep.
const yearBackups = 7

// monthOf is how many days a month has: thirty, unless there are too few days
// for four of them.
func monthOf(days int) int { return max(1, min(30, days/4)) }

// yearlong is a world in which time passes.
type yearlong struct {
	*world
	lab     *lab
	p       *process
	address string
	log     *yearLog

	day     int
	number  int // of the last mention
	leaps   int // how often the time had to leap for something to go on
	streams times
	polls   times
	seen    [2]int // how many of streams and polls are in samples
	samples []sample
}

// live is one day.
func (y *yearlong) live(ctx context.Context) error {
	if err := y.until(ctx, 4*time.Hour+5*time.Second); err != nil {
		return err
	}
	if err := y.log.await(ctx, y.p, "the day's backup", func(l *yearLog) bool { return l.backups >= y.day }); err != nil {
		return err
	}
	date := (y.day-1)%30 + 1
	if date == 5 {
		if err := y.outage(ctx); err != nil {
			return err
		}
	}
	if err := y.until(ctx, 12*time.Hour); err != nil {
		return err
	}
	if err := y.one(ctx); err != nil {
		return err
	}
	for range greedyAsks {
		y.ask(y.people[0])
	}
	others := y.people[1:]
	mentions := yearMentions - 1 - greedyAsks
	if date == 15 {
		mentions += busyMentions
	}
	for i := range mentions {
		y.ask(others[(y.day*7+i)%len(others)])
	}
	member := others[y.day%len(others)]
	for _, c := range []struct {
		on   bool
		text string
	}{
		{date%7 == 3, "help"}, {date%7 == 4, "my data"}, {date%7 == 6, "quota"},
		{date == 10, "stop"}, {date == 20, "delete answers"}, {date == 25, "forget me"},
	} {
		if c.on {
			y.command(member, c.text)
		}
	}
	if date == 11 { // the member of the day before
		y.command(others[(y.day-1)%len(others)], "start")
	}
	return y.rest(ctx)
}

func (y *yearlong) ask(who *fedisim.Account) {
	y.number++
	y.log.expectMore(1)
	who.Post(y.question(y.number))
}

func (y *yearlong) command(who *fedisim.Account, text string) {
	y.log.expectMore(1)
	who.Post("@"+y.bot.Handle()+" "+text, fedisim.As("direct"))
}

// one follows a mention that the stream tells of, by somebody whom nothing
// keeps from an answer.
func (y *yearlong) one(ctx context.Context) error {
	y.number++
	y.log.expectMore(1)
	s, err := y.follow(ctx, y.p, y.number, func(i int) { y.somebody().Post(y.question(i)) })
	if err != nil {
		return err
	}
	if s.event.IsZero() { // the stream was just being opened again
		return nil
	}
	return y.streams.add(y.world, s, s.event)
}

func (y *yearlong) somebody() *fedisim.Account {
	return y.people[1+(y.day*7+11)%(len(y.people)-1)]
}

// found follows a mention that a poll has to find.
func (y *yearlong) found(ctx context.Context) error {
	y.number++
	y.log.expectMore(1)
	s := y.expect(y.number)
	defer y.gate.listen(nil)
	y.somebody().Post(y.question(y.number))
	if err := y.hand.jump(ctx, y.p, 31*time.Second); err != nil {
		return err
	}
	if err := y.p.await(ctx, "the end of a reply to what a poll had to find", s.over, patience(1)); err != nil {
		return err
	}
	if err := y.polls.add(y.world, s, s.answer); err != nil {
		return err
	}
	return y.rest(ctx) // the next leap must not meet anything on its way
}

// until leaps to the next time of day.
func (y *yearlong) until(ctx context.Context, clock time.Duration) error {
	now := y.hand.now().UTC()
	at := now.Truncate(24 * time.Hour).Add(clock)
	if !at.After(now) {
		at = at.Add(24 * time.Hour)
	}
	return y.leap(ctx, y.p, at.Sub(now))
}

const (
	// still is for how long nothing may happen before the time leaps on.
	still = 1500 * time.Millisecond
	// patch is how far it leaps then: over a window of the server's limits.
	patch   = 6 * time.Minute
	patches = 60
)

// rest returns when all that was said to the bot has been taken in, and
// nothing waits or is under way. What waits for its time gets it.
func (y *yearlong) rest(ctx context.Context) error {
	var acts atomic.Int64
	y.gate.listen(func(p passage) {
		if !p.notifications() {
			acts.Add(1)
		}
	})
	defer y.gate.listen(nil)
	look := time.NewTicker(40 * time.Millisecond)
	defer look.Stop()
	seen, last := acts.Load(), time.Now()
	for leaps := 0; ; {
		select {
		case <-look.C:
		case <-y.p.done:
			return fmt.Errorf("the program ended: %s\n%s", y.p.cmd.ProcessState, y.p.log.tail())
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		taken := y.log.allTaken() // before it is asked what waits
		if n := acts.Load(); n != seen {
			seen, last = n, time.Now()
			continue // to ask is work too
		}
		m, err := scrape(ctx, y.address)
		if err != nil {
			return err
		}
		if taken && m.quiet() {
			return nil
		}
		if time.Since(last) < still {
			continue
		}
		if leaps++; leaps > patches {
			return fmt.Errorf("after %s more something still waits: %s; the program's log ends with:\n%s", patches*patch, m.waiting(), y.p.log.tail())
		}
		y.leaps++
		if err := y.hand.jump(ctx, y.p, patch); err != nil {
			return err
		}
		last = time.Now()
	}
}

// outage has the server fail for an hour, with somebody asking meanwhile.
func (y *yearlong) outage(ctx context.Context) error {
	y.fedi.Inject(fedisim.Fail(http.StatusServiceUnavailable).Always())
	y.fedi.DropStreams(0)
	y.ask(y.somebody())
	for range 6 {
		if err := y.hand.jump(ctx, y.p, outageLasts/6); err != nil {
			return err
		}
	}
	y.fedi.ClearFaults()
	for range patches {
		if err := y.hand.jump(ctx, y.p, patch); err != nil {
			return err
		}
		soon, cancel := context.WithTimeout(ctx, still)
		err := y.fedi.WaitFor(soon, func(s *fedisim.Server) bool { return s.OpenStreams() > 0 })
		cancel()
		if err == nil {
			return nil
		}
	}
	return fmt.Errorf("the stream was not opened again within %s; the program's log ends with:\n%s", patches*patch, y.p.log.tail())
}
