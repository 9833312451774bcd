package discord

import (
	"encoding/json"
	"errors"
	"sync"
	"time"

	"rookery/internal/community"
)

// event takes in a dispatched event: what begins a session here, everything
// else in dispatch.
func (l *link) event(f frame) error {
	switch f.Event {
	case "READY":
		return l.identified(f)
	case "RESUMED":
		l.resumed()
		return nil
	}
	l.s.mu.Lock()
	led := l.s.ledger
	l.s.mu.Unlock()
	l.s.c.d.dispatch(f, led.begin(f.Seq))
	return nil
}

// identified begins a session.
func (l *link) identified(f frame) error {
	w, err := guarded[struct {
		Session string            `json:"session_id"`
		URL     string            `json:"resume_gateway_url"`
		Guilds  []json.RawMessage `json:"guilds"`
	}](f.Data)
	if err != nil || w.Session == "" {
		return &Error{Class: Transient, Err: errors.New("the gateway's READY cannot be read")}
	}
	s, c := l.s, l.s.c
	awaiting := map[community.GuildID]bool{}
	each(w.Guilds, func(g wireGuild) { awaiting[community.GuildID(g.ID)] = true })
	now := c.d.Clock.Now()
	c.mu.Lock()
	s.mu.Lock()
	s.session = session{ID: w.Session, URL: w.URL, Seq: f.Seq, Intents: int64(c.intentsLocked())}
	s.ledger = &ledger{last: f.Seq}
	s.up, s.since, s.readied, s.awaiting = true, now, now, awaiting
	s.sessions++
	s.mu.Unlock()
	c.wake()
	c.mu.Unlock()
	l.stands()
	c.d.lostGuilds(s, awaiting)
	c.d.log.Info("connected to Discord", "shard", s.n, "shards", s.of, "guilds", len(awaiting))
	c.d.onReady(s.n)
	return nil
}

// resumed goes on with a session.
func (l *link) resumed() {
	s, c := l.s, l.s.c
	now := c.d.Clock.Now()
	c.mu.Lock()
	s.mu.Lock()
	first := s.sessions == 0 && s.resumes == 0
	s.up, s.since = true, now
	s.resumes++
	s.mu.Unlock()
	c.wake()
	c.mu.Unlock()
	l.stands()
	c.d.log.Debug("went on with the session", "shard", s.n)
	if first { // of an earlier process: nobody else tells the features of the guilds
		for _, g := range c.d.guildsOf(s) {
			c.d.tellJoined(g)
		}
	}
}

// stands says that the connection does what it should.
func (l *link) stands() {
	l.ready = true
	l.s.c.went(nil)
	l.s.c.d.trouble.set(TokenRefused, nil)
}

// guildsOf are the guilds of a shard.
func (d *Discord) guildsOf(s *shard) []Guild {
	d.cache.mu.RLock()
	defer d.cache.mu.RUnlock()
	var out []Guild
	for id, g := range d.cache.guilds {
		if shardOf(id, s.of) == s.n {
			out = append(out, g.seen())
		}
	}
	return out
}

// lostGuilds notices of which guilds the bot was removed while it was away.
func (d *Discord) lostGuilds(s *shard, now map[community.GuildID]bool) {
	for _, g := range d.guildsOf(s) {
		if !now[g.ID] {
			d.removed(g.ID)
		}
	}
}

// arrived notes that a guild that a session announced has been told of.
func (c *connection) arrived(id community.GuildID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.shards {
		s.mu.Lock()
		if s.awaiting[id] {
			delete(s.awaiting, id)
			if len(s.awaiting) == 0 {
				c.wake()
			}
		}
		s.mu.Unlock()
	}
}

// ledger knows up to which event of a session all have been dealt with, for
// handlers end in any order.
type ledger struct {
	mu   sync.Mutex
	open []*entry // that have begun, the first of them not done
	last int64    // the last that came
}

type entry struct {
	seq  int64
	done bool
}

// begin notes an event; the result is called, once, when it has been dealt
// with.
func (l *ledger) begin(seq int64) (done func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if seq <= 0 {
		return func() {}
	}
	l.last = max(l.last, seq)
	e := &entry{seq: seq}
	l.open = append(l.open, e)
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		e.done = true
		n := 0
		for n < len(l.open) && l.open[n].done {
			n++
		}
		clear(l.open[:n])
		l.open = l.open[n:]
	}
}

// safe is the last event up to which all have been dealt with.
func (l *ledger) safe() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.open) == 0 {
		return l.last
	}
	return l.open[0].seq - 1
}

// freeze keeps the saved sessions where they are; thaw lets them go on.
func (c *connection) freeze(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.frozen = now
}

func (c *connection) thaw() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.frozen = time.Time{}
}
