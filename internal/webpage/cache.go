package webpage

import (
	"context"
	"errors"
	"sync"
	"time"
)

const (
	keepPage  = 10 * time.Minute
	keepError = time.Minute
	maxKept   = 200
)

// cache keeps results and lets one caller at a time fetch a page. The zero
// value is empty.
type cache struct {
	mu      sync.Mutex
	kept    map[string]result
	flights map[string]*flight
}

type result struct {
	page    Page
	err     error
	expires time.Time
}

// flight is a page that somebody is fetching; as many at most as there are
// callers.
type flight struct {
	done chan struct{} // closed when result is there
	result
	dropped bool // the caller who fetched gave up; the result is no one else's
}

var errCut = errors.New("fetching the page was cut off")

// get returns what is kept for a key, or waits for who fetches it, or fetches.
// fetch is bound to ctx: when ctx ends it, the next who waits fetches again.
func (c *cache) get(ctx context.Context, key string, now func() time.Time, fetch func() (Page, error)) (Page, error) {
	for {
		c.mu.Lock()
		if kept, ok := c.kept[key]; ok && now().Before(kept.expires) {
			c.mu.Unlock()
			return kept.page, kept.err
		}
		f, waits := c.flights[key]
		if !waits {
			f = &flight{done: make(chan struct{}), result: result{err: errCut}, dropped: true}
			if c.flights == nil {
				c.flights = map[string]*flight{}
			}
			c.flights[key] = f
		}
		c.mu.Unlock()

		if !waits {
			// Deferred, so that a panic leaves no one waiting.
			defer c.land(key, f, now)
			f.page, f.err = fetch()
			f.dropped = f.err != nil && ctx.Err() != nil
			return f.page, f.err
		}
		select {
		case <-f.done:
			if !f.dropped {
				return f.page, f.err
			}
		case <-ctx.Done():
			return Page{}, ctx.Err()
		}
	}
}

// land ends a flight and keeps its result.
func (c *cache) land(key string, f *flight, now func() time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.flights, key)
	close(f.done)
	if f.dropped {
		return
	}
	at := now()
	f.expires = at.Add(keepPage)
	if f.err != nil {
		f.expires = at.Add(keepError)
	}
	if c.kept == nil {
		c.kept = map[string]result{}
	}
	c.kept[key] = f.result
	c.trim(at)
}

// trim drops what has expired, and if that is not enough what would be next.
func (c *cache) trim(now time.Time) {
	if len(c.kept) <= maxKept {
		return
	}
	next, first := "", time.Time{}
	for key, r := range c.kept {
		if !now.Before(r.expires) {
			delete(c.kept, key)
		} else if next == "" || r.expires.Before(first) {
			next, first = key, r.expires
		}
	}
	if len(c.kept) > maxKept {
		delete(c.kept, next)
	}
}
