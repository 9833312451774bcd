package fedi

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"rookery/internal/community"
	"rookery/internal/failpoint"
	"rookery/internal/inbox"
)

const (
	pageSize = 80 // the most Mastodon gives
	// overlap is how late an id may become visible after a bigger one: the
	// cursor stays that far behind.
	overlap = 10 * time.Minute
	// sweepEvery is how often the newest pages are read without a cursor.
	sweepEvery = 15 * time.Minute
	// maxPages bounds one poll; the next goes on where it ended.
	maxPages = 250
)

// Run keeps every account logged in and polled until ctx ends. Servers that
// do not answer are tried again; they hold up no other account.
func (f *Fedi) Run(ctx context.Context) {
	var wg sync.WaitGroup
	for _, l := range f.logins {
		wg.Go(func() { l.run(ctx) })
		wg.Go(func() { l.dismissing(ctx) })
	}
	wg.Wait()
	for _, l := range f.logins {
		l.client.Close()
	}
}

// PollOnce logs every account in and polls it once. Its error joins what went
// wrong with each; the others are served all the same.
func (f *Fedi) PollOnce(ctx context.Context) error {
	errs := make([]error, len(f.logins))
	var wg sync.WaitGroup
	for i, l := range f.logins {
		wg.Go(func() {
			err := l.firstTry(ctx)
			if err == nil {
				err = l.poll(ctx)
			}
			if err != nil {
				errs[i] = fmt.Errorf("account %s: %w", l.Name, l.helped(err))
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// helped adds what the operator can do.
func (l *login) helped(err error) error {
	if ClassOf(err) == Auth && l.TokenHelp != "" {
		return fmt.Errorf("%w: %s", err, l.TokenHelp)
	}
	return err
}

func (l *login) run(ctx context.Context) {
	failures := 0
	for first := true; ctx.Err() == nil; first = false {
		var err error
		if first {
			err = l.firstTry(ctx)
		} else {
			err = l.connect(ctx)
		}
		if err == nil {
			err = l.polling(ctx, &failures)
		}
		if ctx.Err() != nil {
			return
		}
		pause := l.Poll
		if err != nil {
			if failures++; failures == 1 || failures%100 == 0 {
				l.log.Warn("the account cannot be served now; trying again", "error", l.helped(err))
			} else {
				l.log.Debug("still cannot be served", "error", err)
			}
			pause = max(l.Poll, min(time.Duration(failures)*time.Second, time.Minute))
			if e, ok := errors.AsType[*Error](err); ok && e.RetryAt.After(l.f.Clock.Now()) {
				pause = min(e.RetryAt.Sub(l.f.Clock.Now()), 15*time.Minute)
			}
			if ClassOf(err) == Auth {
				pause = max(pause, time.Minute)
			}
		}
		if !l.sleep(ctx, pause) {
			return
		}
	}
}

// polling polls for as long as this process is the one that does.
func (l *login) polling(ctx context.Context, failures *int) error {
	id, _ := l.account()
	lock, err := l.f.Store.TryLock(ctx, "poll:"+string(id))
	if err != nil || lock == nil {
		return err
	}
	defer lock.Release()
	for {
		if err := l.poll(ctx); err != nil {
			return err
		}
		if *failures > 0 {
			l.log.Info("the account is served again", "after_failures", *failures)
			*failures = 0
		}
		ready, stop := l.f.Clock.After(l.Poll)
		select {
		case <-ready:
		case <-lock.Lost():
			stop()
			return nil
		case <-ctx.Done():
			stop()
			return ctx.Err()
		}
		if err := l.connect(ctx); err != nil {
			return err
		}
	}
}

func (l *login) sleep(ctx context.Context, d time.Duration) bool {
	ready, stop := l.f.Clock.After(d)
	defer stop()
	select {
	case <-ready:
		return true
	case <-ctx.Done():
		return false
	}
}

// poll takes in what is new. Each poll begins at the newest notification that
// is older than ten minutes, because ids can appear out of order; inbox knows
// what it has already.
func (l *login) poll(ctx context.Context) error {
	id, _ := l.account()
	a := inbox.Account{ID: id, Features: l.Features, Backlog: l.Backlog, MaxAge: l.MaxAge}
	cursor, err := l.f.Inbox.Begin(ctx, a, l.now())
	if err != nil {
		return err
	}
	if cursor == "" {
		return l.walkBack(ctx, a)
	}
	if l.f.Clock.Now().Sub(l.swept).Abs() >= sweepEvery {
		if err := l.sweep(ctx, a); err != nil {
			return err
		}
		l.swept = l.f.Clock.Now()
	}
	return l.forward(ctx, a, cursor)
}

// forward reads on from the cursor to the newest.
func (l *login) forward(ctx context.Context, a inbox.Account, cursor community.NotificationID) error {
	from := cursor
	for range maxPages {
		page, err := l.client.Notifications(ctx, NotificationQuery{MinID: from, Limit: pageSize})
		if err != nil {
			return err
		}
		if len(page) == 0 {
			return nil
		}
		next := l.settled(page)
		if next == cursor {
			next = ""
		}
		if err := l.take(ctx, a, page, next); err != nil {
			return err
		}
		newest := page[0].ID
		seen := newest == l.newest && len(page) < pageSize/2
		if newest == "" || newest == from || seen {
			return nil // nothing behind it at the last poll, and nothing since
		}
		from, l.newest = newest, newest
	}
	return nil
}

// walkBack reads from the newest into the past: the first time, and as long
// as nothing is old enough to be a cursor. The cursor is stored last, so that
// a walk that breaks off is walked again.
func (l *login) walkBack(ctx context.Context, a inbox.Account) error {
	var before, cursor community.NotificationID
	horizon := l.now().Add(-max(overlap, l.MaxAge))
	if !l.Backlog {
		horizon = l.now().Add(-overlap)
	}
	// The next page is asked for while the last one is stored.
	next := l.fetch(ctx, before)
	for {
		got := <-next
		if got.err != nil {
			return got.err
		}
		page := got.page
		if cursor == "" {
			cursor = l.settled(page)
		}
		if len(page) == 0 {
			break
		}
		last := page[len(page)-1]
		more := last.ID != "" && last.ID != before && (last.CreatedAt.IsZero() || !last.CreatedAt.Before(horizon))
		if more {
			before = last.ID
			next = l.fetch(ctx, before)
		}
		err := l.take(ctx, a, page, "")
		if err != nil && more {
			<-next
		}
		if err != nil {
			return err
		}
		if !more {
			break
		}
	}
	if cursor == "" {
		return nil
	}
	return l.take(ctx, a, nil, cursor)
}

// fetched is a page on its way.
type fetched struct {
	page []Notification
	err  error
}

// fetch asks for a page in a goroutine that ends when its one answer is there.
func (l *login) fetch(ctx context.Context, before community.NotificationID) <-chan fetched {
	c := make(chan fetched, 1)
	go func() {
		page, err := l.client.Notifications(ctx, NotificationQuery{MaxID: before, Limit: pageSize})
		c <- fetched{page, err}
	}()
	return c
}

// sweep reads the newest two pages without a cursor.
func (l *login) sweep(ctx context.Context, a inbox.Account) error {
	var before community.NotificationID
	for range 2 {
		page, err := l.client.Notifications(ctx, NotificationQuery{MaxID: before, Limit: pageSize})
		if err != nil {
			return err
		}
		if len(page) == 0 || page[len(page)-1].ID == "" {
			return nil
		}
		if err := l.take(ctx, a, page, ""); err != nil {
			return err
		}
		before = page[len(page)-1].ID
	}
	return nil
}

// settled is the newest notification of a page that nothing older can appear
// before any more.
func (l *login) settled(page []Notification) community.NotificationID {
	limit := l.now().Add(-overlap)
	for _, n := range page {
		if n.ID != "" && !n.CreatedAt.IsZero() && n.CreatedAt.Before(limit) {
			return n.ID
		}
	}
	return ""
}

// take hands a page, which is newest first, to the inbox.
func (l *login) take(ctx context.Context, a inbox.Account, page []Notification, cursor community.NotificationID) error {
	v := l.client.Converter()
	p := inbox.Page{Cursor: cursor, Now: l.now()}
	for _, n := range slices.Backward(page) {
		if n.Type != mentionType && n.Type != "" {
			continue
		}
		m, err := v.Mention(a.ID, n)
		if err != nil {
			m.Notification, m.Notified = n.ID, n.CreatedAt
			p.Items = append(p.Items, inbox.Item{Mention: m, Err: err, Raw: string(n.Raw)})
			continue
		}
		m.FromUs = l.f.ours(m.Post.Author)
		p.Items = append(p.Items, inbox.Item{Mention: m})
	}
	if len(p.Items) > 0 {
		failpoint.At("1-page-read")
	}
	n, err := l.f.Inbox.Take(ctx, a, p)
	if n > 0 {
		failpoint.At("2-taken-in")
		l.log.Info("mentions taken in", "new", n)
	}
	return err
}
