package main

import (
	"bytes"
	"context"
	"errors"
	"time"
)

const (
	wayAim  = 20 // ms
	wayPoll = 25 * time.Millisecond
	warmUps = 5
)

// way measures one mention's way through a program at rest, many times, one
// after the other: from when the server had the answer that tells of the
// mention to when the reply arrives there, less what the server took to tell
// of the thread and the model to answer. What the simulated model takes before
// it begins to think stays in, so that the numbers are rather too large.
//
// The next mention comes when the program has noted the reply as sent and has
// dismissed the notification.
func way(ctx context.Context, l *lab) ([]row, error) {
	return onEach(ctx, l, wayOn)
}

func wayOn(ctx context.Context, l *lab, cluster string) (rows []row, err error) {
	l.say("the way of %d mentions, one after the other", l.way)
	w, err := newWorld(ctx, l, setup{poll: wayPoll, parallel: 1, cluster: cluster})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	w.past(1)
	p, err := w.rested(ctx, 3)
	if err != nil {
		return nil, err
	}
	defer p.kill()
	var own, whole, taking, asking, sending []float64
	for i := 1; i <= warmUps+l.way; i++ {
		s := &steps{mark: []byte(mark(i)), over: make(chan struct{})}
		w.gate.listen(s.pass)
		w.mention(i)
		if err := p.await(ctx, "the end of a reply", s.over, patience(1)); err != nil {
			return nil, err
		}
		w.gate.listen(nil)
		if s.noticed.IsZero() || s.thread.arrived.IsZero() {
			return nil, errors.New("the program replied to a mention that no poll told of, or without its thread")
		}
		if i <= warmUps {
			continue
		}
		asked, said := w.model.times()
		whole = append(whole, ms(s.replied.Sub(s.noticed)))
		taking = append(taking, ms(s.thread.arrived.Sub(s.noticed)))
		asking = append(asking, ms(asked.Sub(s.thread.ready)))
		sending = append(sending, ms(s.replied.Sub(said)))
		own = append(own, taking[len(taking)-1]+asking[len(asking)-1]+sending[len(sending)-1])
	}
	p.kill()
	if err := w.answeredOnce(warmUps + l.way); err != nil {
		return nil, err
	}
	return []row{
		shares("a mention's way once noticed, less server and model", "ms", own).judge(aim{Under: wayAim}),
		shares("  to take it in and ask for its thread", "ms", taking),
		shares("  to read the thread and ask the model", "ms", asking),
		shares("  to plan the reply and send it", "ms", sending),
		shares("  all of it with server and model", "ms", whole),
	}, nil
}

// steps are the moments of one mention's way.
type steps struct {
	mark    []byte // what tells the mention from others
	noticed time.Time
	thread  passage // the request for what stands around the mention
	replied time.Time
	ended   bool
	over    chan struct{} // closed when the reply is noted and the notification dismissed
}

func (s *steps) pass(p passage) {
	switch {
	case p.notifications() && s.noticed.IsZero() && bytes.Contains(p.answer, s.mark):
		s.noticed = p.ready
	case p.thread():
		s.thread = p
	case p.reply():
		s.replied = p.arrived
	case p.dismissal() && !s.ended:
		s.ended = true
		close(s.over)
	}
}
