package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

const (
	takenAim   = 2_000 // mentions a second
	repliedAim = 500   // replies a second
	parallel   = 64    // answers made at once, the most that the configuration allows
	// longPoll keeps the poller out of what is measured: the first poll, which
	// comes at once, brings everything.
	longPoll = time.Minute
)

// rates measures with many mentions waiting on the server, all of the past.
//
// First one thing after the other: `once --replies 0` takes all of them in and
// answers none; then `run` finds them in its database and answers. Then both
// together, in a new world: one `run` from an empty database. How fast it takes
// in meanwhile is told, not judged: there it is replying that has to be fast.
func rates(ctx context.Context, l *lab) ([]row, error) {
	return onEach(ctx, l, func(ctx context.Context, l *lab, cluster string) ([]row, error) {
		apart, err := ratesApart(ctx, l, cluster)
		if err != nil {
			return nil, err
		}
		together, err := ratesTogether(ctx, l, cluster)
		return append(apart, together...), err
	})
}

// onEach measures on SQLite, and on PostgreSQL if there is one.
func onEach(ctx context.Context, l *lab, measure func(ctx context.Context, l *lab, cluster string) ([]row, error)) ([]row, error) {
	rows, err := measure(ctx, l, "")
	if err != nil || l.cluster == "" {
		return rows, err
	}
	l.say("the same on PostgreSQL")
	more, err := measure(ctx, l, l.cluster)
	return append(rows, on("PostgreSQL", more)...), err
}

// backlogWorld has all mentions waiting.
func backlogWorld(ctx context.Context, l *lab, cluster string) (*world, error) {
	w, err := newWorld(ctx, l, setup{poll: longPoll, parallel: parallel, backlog: true, cluster: cluster})
	if err != nil {
		return nil, err
	}
	w.past(l.mentions)
	return w, nil
}

func ratesApart(ctx context.Context, l *lab, cluster string) (rows []row, err error) {
	l.say("the taking in of %d mentions", l.mentions)
	w, err := backlogWorld(ctx, l, cluster)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	c := watch(w, l.mentions)
	p, err := w.start(ctx, c.read, "once", "--replies", "0")
	if err != nil {
		return nil, err
	}
	defer p.kill()
	if err := p.finish(ctx, patience(l.mentions)); err != nil {
		return nil, err
	}
	w.gate.listen(nil)
	taken, err := c.takenRate()
	if err != nil {
		return nil, err
	}
	known, waiting, err := w.count(ctx)
	if err != nil {
		return nil, err
	}
	if known != l.mentions || waiting != l.mentions {
		return nil, fmt.Errorf("after the taking in %d of %d mentions are stored and %d wait", known, l.mentions, waiting)
	}
	rows = append(rows,
		single("taken in, nothing else at work", "mentions/s", taken).judge(aim{AtLeast: takenAim}),
		single("  the program's processor time for each", "ms", ms(p.processor())/float64(l.mentions)))

	l.say("the replying to %d mentions", l.mentions)
	c = watch(w, l.mentions)
	own := ownProcessor()
	run, err := w.start(ctx, c.read, "run")
	if err != nil {
		return nil, err
	}
	defer run.kill()
	if err := run.await(ctx, "the last reply", c.replied, patience(l.mentions)); err != nil {
		return nil, err
	}
	own = ownProcessor() - own
	run.kill()
	if err := w.answeredOnce(l.mentions); err != nil {
		return nil, err
	}
	rows = append(rows,
		single("replied, all taken in before", "replies/s", c.repliedRate()).judge(aim{AtLeast: repliedAim}),
		single("  the program's processor time for each", "ms", ms(run.processor())/float64(l.mentions)))
	if own > 0 {
		rows = append(rows, single("  the simulators' processor time for each", "ms", ms(own)/float64(l.mentions)))
	}
	return rows, nil
}

func ratesTogether(ctx context.Context, l *lab, cluster string) (rows []row, err error) {
	l.say("both at once")
	w, err := backlogWorld(ctx, l, cluster)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	c := watch(w, l.mentions)
	p, err := w.start(ctx, c.read, "run")
	if err != nil {
		return nil, err
	}
	defer p.kill()
	if err := p.await(ctx, "the last reply", c.replied, patience(l.mentions)); err != nil {
		return nil, err
	}
	_, peak, err := memoryOf(p.cmd.Process.Pid)
	if err != nil {
		return nil, err
	}
	p.kill()
	if err := w.answeredOnce(l.mentions); err != nil {
		return nil, err
	}
	taken, err := c.takenRate()
	if err != nil {
		return nil, err
	}
	rows = append(rows,
		single("taken in and replied, both at once", "replies/s", c.wholeRate()).judge(aim{AtLeast: repliedAim}),
		single("  taken in meanwhile", "mentions/s", taken))
	if peak > 0 {
		rows = append(rows, single("  peak memory meanwhile", "MB", float64(peak)/1e6))
	}
	return rows, nil
}

// counter observes one world from outside. A page of mentions is stored when
// the program logs "mentions taken in", which it does right after the commit;
// a reply is made when its request arrives at the server.
type counter struct {
	mentions int

	// Of the gate's listener: read once replied is closed, or nobody listens.
	began                 time.Time // the first request for mentions
	firstReply, lastReply time.Time
	replies               int
	replied               chan struct{} // closed at the last reply

	// Of the log's reader: read once the program has ended.
	taken  int
	stored time.Time // the last page
}

func watch(w *world, mentions int) *counter {
	c := &counter{mentions: mentions, replied: make(chan struct{})}
	w.gate.listen(c.pass)
	return c
}

func (c *counter) pass(p passage) {
	switch {
	case p.notifications() && c.began.IsZero():
		c.began = p.arrived
	case p.reply():
		if c.replies++; c.replies == 1 {
			c.firstReply = p.arrived
		}
		if c.replies == c.mentions {
			c.lastReply = p.arrived
			close(c.replied)
		}
	}
}

func (c *counter) read(n line) {
	if n.Message == "mentions taken in" {
		c.taken += n.New
		c.stored = n.at
	}
}

func (c *counter) takenRate() (float64, error) {
	if c.taken != c.mentions {
		return 0, fmt.Errorf("the program's log tells of %d mentions taken in, not of %d", c.taken, c.mentions)
	}
	return float64(c.mentions) / c.stored.Sub(c.began).Seconds(), nil
}

// wholeRate counts replies from the first request for mentions on.
func (c *counter) wholeRate() float64 {
	return float64(c.mentions) / c.lastReply.Sub(c.began).Seconds()
}

func (c *counter) repliedRate() float64 {
	return float64(c.mentions-1) / c.lastReply.Sub(c.firstReply).Seconds()
}
