package fedi

import (
	"context"
	"slices"
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

// poll takes in what is new. Each poll begins at the newest notification that
// is older than ten minutes, because ids can appear out of order; inbox knows
// what it has already.
func (l *login) poll(ctx context.Context) error {
	if err := l.look(ctx); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lastPoll = l.f.Clock.Now()
	return nil
}

func (l *login) look(ctx context.Context) error {
	id, _ := l.account()
	a := l.inboxAccount(id)
	cursor, err := l.f.Inbox.Begin(ctx, a, l.told())
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
	horizon := l.told().Add(-max(overlap, l.MaxAge))
	if !l.Backlog {
		horizon = l.told().Add(-overlap)
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
	limit := l.told().Add(-overlap)
	for _, n := range page {
		if n.ID != "" && !n.CreatedAt.IsZero() && n.CreatedAt.Before(limit) {
			return n.ID
		}
	}
	return ""
}

// take hands a page of a poll, which is newest first, to the inbox.
func (l *login) take(ctx context.Context, a inbox.Account, page []Notification, cursor community.NotificationID) error {
	n, err := l.store(ctx, a, page, cursor)
	l.overlooked(n, page)
	return err
}

// store hands a page to the inbox and returns how many mentions were new.
func (l *login) store(ctx context.Context, a inbox.Account, page []Notification, cursor community.NotificationID) (int, error) {
	v := l.client.Converter()
	p := inbox.Page{Cursor: cursor, Now: l.told()}
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
	return n, err
}
