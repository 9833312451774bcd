package main

import (
	"context"
	"errors"
)

// stream measures the way of mentions that a stream tells of, on a program as
// it is shipped: from when the server writes the notification to the stream to
// when the reply arrives there, less what the server took to tell of the
// thread and the model to answer. Polls are rare then (30 s). The server has
// Mastodon's limits and the program keeps to them, so that it is a new server
// and a new program every so many mentions.
func stream(ctx context.Context, l *lab) ([]row, error) {
	return onEach(ctx, l, streamOn)
}

// streamMost is how many mentions one world has, warm-ups not counted: each
// takes three requests, and 300 are allowed in five minutes.
const streamMost = 80

func streamOn(ctx context.Context, l *lab, cluster string) ([]row, error) {
	l.say("the way of %d mentions that a stream tells of", l.way)
	var t times
	for left := l.way; left > 0; left -= streamMost {
		if err := t.measureStream(ctx, l, cluster, min(left, streamMost)); err != nil {
			return nil, err
		}
	}
	return append([]row{shares("a mention's way once streamed, less server and model", "ms", t.own).judge(aim{Under: wayAim})}, t.parts()...), nil
}

func (t *times) measureStream(ctx context.Context, l *lab, cluster string, n int) (err error) {
	w, err := newWorld(ctx, l, setup{parallel: 1, cluster: cluster, public: true})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	w.past(1)
	p, err := w.streaming(ctx, nil, "run")
	if err != nil {
		return err
	}
	defer p.kill()
	if err := t.measure(ctx, w, p, n, (*steps).streamed, w.mention); err != nil {
		return err
	}
	p.kill()
	return w.answeredOnce(warmUps + n)
}

// streaming starts the program, and returns when it streams and has polled once
// more for what came before the stream. told, which may be nil, hears the log.
func (w *world) streaming(ctx context.Context, told func(line), args ...string) (*process, error) {
	settled, polls := make(chan struct{}), 0
	w.gate.listen(func(p passage) {
		if !p.notifications() || w.fedi.OpenStreams() == 0 {
			return
		}
		if polls++; polls == 1 {
			close(settled)
		}
	})
	defer w.gate.listen(nil)
	p, err := w.start(ctx, told, args...)
	if err != nil {
		return nil, err
	}
	if err := p.await(ctx, "its stream", settled, patience(0)); err != nil {
		p.kill()
		return nil, err
	}
	return p, nil
}
