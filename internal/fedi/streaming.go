package fedi

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v5"

	"rookery/internal/community"
	"rookery/internal/inbox"
)

const (
	// streamQueue and streamBytes bound what a stream has brought and is not
	// yet stored.
	streamQueue = 256
	streamBytes = 8 << 20
	// steady is how long a stream must have stood for its end to count as a
	// first trouble and not as one more.
	steady = time.Minute
	// streamless is how long a server without streaming is believed.
	streamless = 24 * time.Hour

	firstReconnect = time.Second
	lastReconnect  = 5 * time.Minute
)

func newReconnect() *backoff.ExponentialBackOff {
	return &backoff.ExponentialBackOff{InitialInterval: firstReconnect, MaxInterval: lastReconnect, Multiplier: 2, RandomizationFactor: backoff.DefaultRandomizationFactor}
}

// streaming keeps the account's stream open until ctx ends. It is called by
// the poller, which holds the account's lock and has polled once, so only one
// process streams, and the inbox knows the account's beginning.
func (l *login) streaming(ctx context.Context, id community.AccountID) {
	// Trouble of an earlier run is not forgotten by polling anew.
	if !sleep(ctx, l.f.Clock, l.streamNext.Sub(l.f.Clock.Now())) {
		return
	}
	for {
		opened, err := l.streamOnce(ctx, id)
		if ctx.Err() != nil {
			return
		}
		pause := l.reconnectIn(opened, err)
		if ClassOf(err) != Unsupported { // a new beginning may ask again
			l.streamNext = l.f.Clock.Now().Add(pause)
		}
		if !sleep(ctx, l.f.Clock, pause) {
			return
		}
	}
}

// reconnectIn is how long to wait after a stream ended so; opened is zero if
// it never began.
func (l *login) reconnectIn(opened time.Time, err error) time.Duration {
	now := l.f.Clock.Now()
	if ClassOf(err) == Unsupported {
		l.log.Info("the server has no streaming for us; it is polled", "why", err)
		return streamless
	}
	if !opened.IsZero() && now.Sub(opened) >= steady {
		l.reconnect.Reset()
		l.streamFailures = 0
	}
	pause := min(l.reconnect.NextBackOff(), lastReconnect)
	if e, ok := errors.AsType[*Error](err); ok && e.RetryAt.After(now.Add(pause)) {
		pause = min(e.RetryAt.Sub(now), streamless)
	}
	if l.streamFailures++; l.streamFailures == 1 || l.streamFailures%100 == 0 {
		l.log.Info("the stream ended; it is opened again, and polling goes on", "why", err, "in", pause.Round(time.Second))
	} else {
		l.log.Debug("the stream ended again", "why", err, "in", pause)
	}
	return pause
}

// streamOnce opens the stream and takes in what it brings until it ends.
func (l *login) streamOnce(ctx context.Context, id community.AccountID) (opened time.Time, err error) {
	s, err := l.client.OpenStream(ctx, l.StreamURL)
	if err != nil {
		return time.Time{}, err
	}
	opened = l.f.Clock.Now()
	defer s.Close()
	l.setStreaming(true)
	defer l.setStreaming(false)
	l.askPoll() // for what came before

	q := &streamed{login: l, account: l.inboxAccount(id), c: make(chan told, streamQueue)}
	var taker sync.WaitGroup
	taker.Go(func() { q.takeAll(ctx) })
	defer taker.Wait()
	defer close(q.c)
	for {
		n, err := s.next(ctx)
		if err != nil {
			return opened, err
		}
		l.distrust.Store(0)
		q.put(n)
	}
}

// streamed is what a stream has brought and is not yet stored. The stream is
// never held up by it, or the server's pings would go unanswered: what is too
// much is left to the next poll, which is then asked for.
type streamed struct {
	*login
	account inbox.Account
	c       chan told
	waiting atomic.Int64 // bytes
	lost    atomic.Bool  // something was left out
}

func (q *streamed) put(n told) {
	if q.waiting.Load() <= streamBytes {
		q.waiting.Add(int64(n.size))
		select {
		case q.c <- n:
			return
		default:
			q.waiting.Add(-int64(n.size))
		}
	}
	q.lost.Store(true)
}

// takeAll stores what comes until the queue is closed, as many at a time as
// wait.
func (q *streamed) takeAll(ctx context.Context) {
	for n := range q.c {
		page := []Notification{n.Notification}
		size := n.size
	more:
		for len(page) < pageSize {
			select {
			case n, ok := <-q.c:
				if !ok {
					break more
				}
				page = append(page, n.Notification)
				size += n.size
			default:
				break more
			}
		}
		slices.Reverse(page) // the newest first, as pages are
		if _, err := q.store(ctx, q.account, page, ""); err != nil {
			if ctx.Err() == nil {
				q.log.Warn("what the stream brought could not be stored; polling tries again", "error", err)
			}
			q.lost.Store(true)
		}
		q.waiting.Add(-int64(size))
		if q.lost.Swap(false) {
			q.askPoll()
		}
	}
	if q.lost.Load() {
		q.askPoll()
	}
}

func (l *login) inboxAccount(id community.AccountID) inbox.Account {
	return inbox.Account{ID: id, Features: l.Features, Backlog: l.Backlog, MaxAge: l.MaxAge}
}

// enough overlooked mentions make a stream count as mute.
const enough = 2

// overlooked is told how many new mentions a poll has found in a page. A
// stream can be open and answer pings and yet bring nothing: a server that
// lost the service behind it, or that speaks another language there, or that
// filters.
func (l *login) overlooked(n int, page []Notification) {
	const travel = 2 * time.Second // for the stream to bring it
	l.mu.Lock()
	up, since := l.streamUp, l.streamSince
	l.mu.Unlock()
	if n == 0 || !up {
		return
	}
	late := 0
	for _, p := range page {
		if p.CreatedAt.After(since.Add(travel)) {
			late++
		}
	}
	l.distrust.Add(int32(min(n, late, enough)))
}

// streams reports whether the stream can be relied on to bring the news.
func (l *login) streams() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.streamUp && l.distrust.Load() < enough
}

func (l *login) setStreaming(up bool) {
	now := l.now()
	l.mu.Lock()
	l.streamUp, l.streamSince = up, now
	l.mu.Unlock()
	l.distrust.Store(0)
	l.reconsider()
}
