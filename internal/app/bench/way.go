package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
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
	var t times
	if err := t.measure(ctx, w, p, l.way, (*steps).polled, w.mention); err != nil {
		return nil, err
	}
	p.kill()
	if err := w.answeredOnce(warmUps + l.way); err != nil {
		return nil, err
	}
	return append([]row{shares("a mention's way once noticed, less server and model", "ms", t.own).judge(aim{Under: wayAim})}, t.parts()...), nil
}

// times are what mentions' ways took, in ms, each number at the mention's
// place.
type times struct {
	own     []float64 // all that follows, together
	taking  []float64
	asking  []float64
	sending []float64

	whole []float64 // with server and model
}

// parts are the rows for the parts of the way.
func (t *times) parts() []row {
	return []row{
		shares("  to take it in and ask for its thread", "ms", t.taking),
		shares("  to read the thread and ask the model", "ms", t.asking),
		shares("  to plan the reply and send it", "ms", t.sending),
		shares("  all of it with server and model", "ms", t.whole),
	}
}

// measure measures n mentions one after the other, and some before as warm-up;
// mention makes the one of a number, and noticed tells when it was noticed.
func (t *times) measure(ctx context.Context, w *world, p *process, n int, noticed func(*steps) time.Time, mention func(i int)) error {
	for i := 1; i <= warmUps+n; i++ {
		s, err := w.follow(ctx, p, i, mention)
		if err != nil {
			return err
		}
		if i > warmUps {
			if err := t.add(w, s, noticed(s)); err != nil {
				return err
			}
		}
	}
	return nil
}

// add takes in a way that was followed to its end.
func (t *times) add(w *world, s *steps, noticed time.Time) error {
	if noticed.IsZero() || s.thread.arrived.IsZero() {
		return fmt.Errorf("the program replied to a mention that nothing had told it of, or without its thread; there passed:\n%s", strings.Join(s.seen, "\n"))
	}
	asked, said := w.model.times()
	taking, asking, sending := ms(s.thread.arrived.Sub(noticed)), ms(asked.Sub(s.thread.ready)), ms(s.replied.Sub(said))
	t.whole = append(t.whole, ms(s.replied.Sub(noticed)))
	t.taking = append(t.taking, taking)
	t.asking = append(t.asking, asking)
	t.sending = append(t.sending, sending)
	t.own = append(t.own, taking+asking+sending)
	return nil
}

// follow has mention make the one of number i, and returns when the program is
// through with it.
func (w *world) follow(ctx context.Context, p *process, i int, mention func(i int)) (*steps, error) {
	s := w.expect(i)
	defer w.gate.listen(nil)
	mention(i)
	return s, p.await(ctx, "the end of a reply", s.over, patience(1))
}

// expect has the gate note the steps of mention i, which is yet to come.
func (w *world) expect(i int) *steps {
	s := &steps{mark: []byte(mark(i)), over: make(chan struct{})}
	w.gate.listen(s.pass)
	return s
}

// steps are the moments of one mention's way.
type steps struct {
	mark    []byte    // what tells the mention from others
	answer  time.Time // the first answer to a poll that tells of it
	event   time.Time // the first word of it on a stream
	thread  passage   // the request for what stands around the mention, without its answer
	length  int       // of that answer, in bytes
	replied time.Time
	ended   bool
	seen    []string      // what passed, for whoever looks for a mistake
	over    chan struct{} // closed when the reply is noted and the notification dismissed
}

func (s *steps) polled() time.Time   { return s.answer }
func (s *steps) streamed() time.Time { return s.event }

func (s *steps) pass(p passage) {
	if len(s.seen) < 40 {
		s.seen = append(s.seen, p.arrived.Format(time.StampMilli)+" "+p.method+" "+p.path)
	}
	switch {
	case p.notifications() && s.answer.IsZero() && bytes.Contains(p.answer, s.mark):
		s.answer = p.ready
	case p.told() && s.event.IsZero() && bytes.Contains(p.answer, s.mark):
		s.event = p.ready
	case p.thread():
		s.thread, s.length = p, len(p.answer)
		s.thread.answer = nil
	case p.reply():
		s.replied = p.arrived
	case p.dismissal() && !s.ended && !s.replied.IsZero():
		s.ended = true
		close(s.over)
	}
}
