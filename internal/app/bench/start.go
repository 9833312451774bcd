package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

const (
	onceAim   = 50  // ms
	peakAim   = 40  // MB
	readyAim  = 300 // ms
	idlePolls = 50
	idlePoll  = 20 * time.Millisecond
)

// once measures whole processes: a pass that finds nothing, and a pass that
// finds one mention and replies to it. The database is there already.
func once(ctx context.Context, l *lab) (rows []row, err error) {
	l.say("single passes, %d times", l.runs)
	w, err := newWorld(ctx, l, setup{poll: longPoll, parallel: 1})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	w.past(1)
	if _, _, err := w.whole(ctx, "once"); err != nil { // makes the database
		return nil, err
	}
	for _, mentions := range []int{0, 1} {
		var wall, peak []float64
		for range l.runs {
			for range mentions {
				w.mention(len(w.fedi.PostsBy(w.bot.ID)))
			}
			before := len(w.fedi.PostsBy(w.bot.ID))
			t, log, err := w.whole(ctx, "once")
			if err != nil {
				return nil, err
			}
			if made := len(w.fedi.PostsBy(w.bot.ID)) - before; made != mentions {
				return nil, fmt.Errorf("a pass with %d mentions made %d replies:\n%s", mentions, made, log)
			}
			wall = append(wall, ms(t.Wall))
			peak = append(peak, float64(t.Peak)/1e6)
		}
		what := []string{"once, nothing to do", "once, one mention"}[mentions]
		rows = append(rows, spread(what+": the whole process", "ms", wall).judge(aim{Under: onceAim}))
		if quantile(peak, 0) > 0 {
			rows = append(rows, spread(what+": peak memory", "MB", peak).judge(aim{Under: peakAim}))
		}
	}
	return rows, nil
}

// start measures from the start of the process to its word that it is ready,
// and to its login, and then the memory it has after some polls that brought
// nothing: with a new database, and once more with one that is there.
func start(ctx context.Context, l *lab) (rows []row, err error) {
	l.say("starts, %d times", l.runs)
	var fresh, ready, login, now, peak []float64
	for range l.runs {
		one, err := starts(ctx, l)
		if err != nil {
			return nil, err
		}
		fresh = append(fresh, one[0].ready)
		ready = append(ready, one[1].ready)
		login = append(login, one[1].login)
		now = append(now, one[1].now)
		peak = append(peak, one[1].peak)
	}
	rows = []row{
		spread("start to ready", "ms", ready).judge(aim{Under: readyAim}),
		spread("start to ready, new database", "ms", fresh).judge(aim{Under: readyAim}),
		spread("start to logged in", "ms", login),
	}
	if quantile(now, 0) > 0 {
		rows = append(rows,
			spread(fmt.Sprintf("memory at rest, after %d polls", idlePolls), "MB", now),
			spread("  the most until then", "MB", peak))
	}
	return rows, nil
}

// started is one start: in ms, and MB.
type started struct{ ready, login, now, peak float64 }

// starts starts the program in a new world, twice.
func starts(ctx context.Context, l *lab) (all [2]started, err error) {
	w, err := newWorld(ctx, l, setup{poll: idlePoll, parallel: 1})
	if err != nil {
		return all, err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	w.past(1)
	for i := range all {
		p, err := w.rested(ctx, idlePolls)
		if err != nil {
			return all, err
		}
		now, peak, err := memoryOf(p.cmd.Process.Pid)
		p.kill()
		if err != nil {
			return all, err
		}
		all[i].ready, err = p.log.since(p.began, "ready")
		if err != nil {
			return all, err
		}
		all[i].login, err = p.log.since(p.began, "logged in")
		if err != nil {
			return all, err
		}
		all[i].now, all[i].peak = float64(now)/1e6, float64(peak)/1e6
	}
	return all, nil
}

// rested starts the program, `run` if args says nothing else, and returns once
// so many polls have been answered.
func (w *world) rested(ctx context.Context, polls int, args ...string) (*process, error) {
	rested := make(chan struct{})
	w.gate.listen(func(p passage) {
		if !p.notifications() {
			return
		}
		if polls--; polls == 0 {
			close(rested)
		}
	})
	if len(args) == 0 {
		args = []string{"run"}
	}
	p, err := w.start(ctx, nil, args...)
	if err != nil {
		return nil, err
	}
	if err := p.await(ctx, "its polls", rested, patience(0)); err != nil {
		p.kill()
		return nil, err
	}
	return p, nil
}
