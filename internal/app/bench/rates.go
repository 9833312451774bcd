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
// together, in a new world: one `run` from an empty database.
func rates(ctx context.Context, l *lab) ([]row, error) {
	rows, err := ratesOn(ctx, l, "", "")
	if err != nil || l.cluster == "" {
		return rows, err
	}
	more, err := ratesOn(ctx, l, l.cluster, ", PostgreSQL")
	return append(rows, more...), err
}

func ratesOn(ctx context.Context, l *lab, cluster, suffix string) ([]row, error) {
	apart, err := ratesApart(ctx, l, cluster, suffix)
	if err != nil {
		return nil, err
	}
	together, err := ratesTogether(ctx, l, cluster, suffix)
	return append(apart, together...), err
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

func ratesApart(ctx context.Context, l *lab, cluster, suffix string) (rows []row, err error) {
	l.say("the taking in of %d mentions%s", l.mentions, suffix)
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
	if err := p.finish(ctx); err != nil {
		return nil, err
	}
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
		single("taken in, nothing else at work"+suffix, "mentions/s", taken).judge(aim{AtLeast: takenAim}),
		single("  the program's processor time for each"+suffix, "ms", ms(p.processor())/float64(l.mentions)))

	l.say("the replying to %d mentions%s", l.mentions, suffix)
	c = watch(w, l.mentions)
	own := ownProcessor()
	run, err := w.start(ctx, c.read, "run")
	if err != nil {
		return nil, err
	}
	defer run.kill()
	if err := run.await(ctx, "the last reply", c.replied); err != nil {
		return nil, err
	}
	own = ownProcessor() - own
	run.kill()
	if err := w.answeredOnce(l.mentions); err != nil {
		return nil, err
	}
	rows = append(rows,
		single("replied, all taken in before"+suffix, "replies/s", c.repliedRate()).judge(aim{AtLeast: repliedAim}),
		single("  the program's processor time for each"+suffix, "ms", ms(run.processor())/float64(l.mentions)))
	if own > 0 {
		rows = append(rows, single("  the simulators' processor time for each"+suffix, "ms", ms(own)/float64(l.mentions)))
	}
	return rows, nil
}

func ratesTogether(ctx context.Context, l *lab, cluster, suffix string) (rows []row, err error) {
	l.say("both together%s", suffix)
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
	if err := p.await(ctx, "the last reply", c.replied); err != nil {
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
		single("taken in while replying"+suffix, "mentions/s", taken).judge(aim{AtLeast: takenAim}),
		single("replied, from the first request for mentions to the last reply"+suffix, "replies/s",
			float64(l.mentions)/c.lastReply.Sub(c.began).Seconds()).judge(aim{AtLeast: repliedAim}))
	if peak > 0 {
		rows = append(rows, single("  peak memory meanwhile"+suffix, "MB", float64(peak)/1e6))
	}
	return rows, nil
}

// counter observes one world from outside. A page of mentions is stored when
// the program logs "mentions taken in", which it does right after the commit;
// a reply is made when its request arrives at the server.
type counter struct {
	mentions int

	// Of the gate's listener; read after replied is closed, or the program has ended.
	began                 time.Time // the first request for mentions
	firstReply, lastReply time.Time
	replies               int
	replied               chan struct{} // closed at the last reply

	// Of the log's reader.
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

func (c *counter) repliedRate() float64 {
	return float64(c.mentions-1) / c.lastReply.Sub(c.firstReply).Seconds()
}
