package discord

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"rookery/internal/community"
	"rookery/internal/store"
)

// session is one with the gateway, that a later connection can resume.
type session struct {
	ID, URL string
	Seq     int64
	Intents int64
}

// load reads where the shard's session stands and what is known of its guilds:
// a resumed session tells neither again.
func (s *shard) load(ctx context.Context) error {
	d := s.c.d
	account := string(d.me().account)
	var sess session
	err := d.Store.QueryRow(ctx, `select session_id, resume_url, seq, intents from discord_session
		where account = $1 and shard = $2 and shards = $3`, account, int64(s.n), int64(s.of)).Scan(&sess.ID, &sess.URL, &sess.Seq, &sess.Intents)
	if err != nil && !errors.Is(err, store.ErrNoRows) {
		return fmt.Errorf("read the session of shard %d: %w", s.n, err)
	}
	if err := d.loadGuilds(ctx, 0, func(id community.GuildID) bool { return shardOf(id, s.of) == s.n }); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.session, s.saved = sess, sess
	s.ledger = &ledger{last: sess.Seq}
	return nil
}

// loadGuilds reads what was written of guilds at or after a time. Those that
// came by a connection of ours are left alone.
func (d *Discord) loadGuilds(ctx context.Context, since int64, want func(community.GuildID) bool) error {
	rows, err := d.Store.Query(ctx, `select guild, data from discord_guild where account = $1 and saved_at >= $2`, string(d.me().account), since)
	type stored struct{ id, data string }
	all, err := store.Collect(rows, err, func(r store.Row) (s stored, err error) { return s, r.Scan(&s.id, &s.data) })
	if err != nil {
		return fmt.Errorf("read the guilds: %w", err)
	}
	for _, row := range all {
		id := community.GuildID(row.id)
		if !want(id) {
			continue
		}
		if row.data == "" {
			d.cache.mu.Lock()
			d.cache.drop(id)
			d.cache.mu.Unlock()
			continue
		}
		g := &guild{}
		if json.Unmarshal([]byte(row.data), g) != nil || g.ID != id {
			continue // of another version; Discord tells it anew in time
		}
		g.complete(d.cache.voice)
		d.cache.put(g)
	}
	return nil
}

// complete makes what may be missing in stored JSON.
func (g *guild) complete(voice bool) {
	if g.Roles == nil {
		g.Roles = map[community.RoleID]Permission{}
	}
	if g.Channels == nil {
		g.Channels = map[community.ChannelID]*channel{}
	}
	for id, c := range g.Channels {
		if c == nil {
			delete(g.Channels, id)
		}
	}
	if voice {
		g.Voice = map[community.MemberID]community.ChannelID{}
	}
}

// readGuilds looks what other processes know of the guilds of their shards.
func (d *Discord) readGuilds(ctx context.Context) error {
	d.conn.mu.Lock()
	count := d.conn.count
	held := map[int]bool{}
	for n := range d.conn.shards {
		held[n] = true
	}
	since := d.conn.looked
	d.conn.mu.Unlock()
	if len(held) == count {
		return nil
	}
	const overlap = time.Minute // clocks of several machines differ
	now := d.Clock.Now()
	err := d.loadGuilds(ctx, since, func(id community.GuildID) bool { return !held[shardOf(id, count)] })
	if err != nil {
		return err
	}
	d.conn.mu.Lock()
	d.conn.looked = now.Add(-overlap - saveEvery).UnixMilli()
	d.conn.mu.Unlock()
	return nil
}

// saving writes down every few seconds how far the sessions are, so that a
// process that is killed is resumed too.
func (d *Discord) saving(ctx context.Context) {
	for d.sleep(ctx, saveEvery) {
		d.save(ctx, false)
	}
}

// save writes down where the sessions stand and what changed of the guilds.
func (d *Discord) save(ctx context.Context, durable bool) {
	write := d.Store.WriteRelaxed
	if durable {
		write = d.Store.Write
	}
	// First how far, then what is known: it may be further, never behind.
	rows := d.conn.stand()
	guilds := d.cache.takeChanged()
	gone := d.conn.takeLeft()
	if len(rows) == 0 && len(guilds) == 0 && len(gone) == 0 {
		return
	}
	account, now := string(d.me().account), d.Clock.Now().UnixMilli()
	err := write(ctx, func(ctx context.Context, tx store.Tx) error {
		for id, data := range guilds {
			if _, err := tx.Exec(ctx, upsertGuild, account, string(id), data, now); err != nil {
				return err
			}
		}
		for _, id := range gone {
			if _, err := tx.Exec(ctx, upsertGuild, account, string(id), "", now); err != nil {
				return err
			}
		}
		for s, sess := range rows {
			if err := saveSession(ctx, tx, account, s, sess, now); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		d.cache.markChanged(guilds)
		d.conn.left(gone)
		if ctx.Err() == nil {
			d.log.Debug("it could not be written down how far the sessions are", "error", err)
		}
		return
	}
	for s, sess := range rows {
		s.mu.Lock()
		s.saved = sess
		s.mu.Unlock()
	}
}

const upsertGuild = `insert into discord_guild (account, guild, data, saved_at) values ($1, $2, $3, $4)
	on conflict (account, guild) do update set data = excluded.data, saved_at = excluded.saved_at`

func saveSession(ctx context.Context, tx store.Tx, account string, s *shard, sess session, now int64) error {
	if sess.ID == "" {
		_, err := tx.Exec(ctx, `delete from discord_session where account = $1 and shard = $2`, account, int64(s.n))
		return err
	}
	_, err := tx.Exec(ctx, `insert into discord_session (account, shard, shards, session_id, resume_url, seq, intents, saved_at)
		values ($1, $2, $3, $4, $5, $6, $7, $8)
		on conflict (account, shard) do update set shards = excluded.shards, session_id = excluded.session_id,
			resume_url = excluded.resume_url, seq = excluded.seq, intents = excluded.intents, saved_at = excluded.saved_at`,
		account, int64(s.n), int64(s.of), sess.ID, sess.URL, sess.Seq, sess.Intents, now)
	return err
}

// stand is where the sessions are that are not written down so.
func (c *connection) stand() map[*shard]session {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.frozen.IsZero() && c.d.Clock.Now().Sub(c.frozen) < frozenTime {
		return nil
	}
	out := map[*shard]session{}
	for _, s := range c.shards {
		s.mu.Lock()
		sess := s.session
		if sess.ID != "" {
			sess.Seq = s.ledger.safe()
		}
		if sess != s.saved {
			out[s] = sess
		}
		s.mu.Unlock()
	}
	return out
}

// takeChanged is the JSON of the guilds that changed since it was last asked.
func (c *cache) takeChanged() map[community.GuildID]string {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := map[community.GuildID]string{}
	for id, g := range c.guilds {
		if !g.changed {
			continue
		}
		g.changed = false
		if raw, err := json.Marshal(g); err == nil {
			out[id] = string(raw)
		}
	}
	return out
}

// markChanged has guilds stored again that could not be.
func (c *cache) markChanged(ids map[community.GuildID]string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for id := range ids {
		if g := c.guilds[id]; g != nil {
			g.changed = true
		}
	}
}

// left notes guilds that we are no longer in, to be written down.
func (c *connection) left(ids []community.GuildID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.gone = append(c.gone, ids...)
}

func (c *connection) leave(id community.GuildID) { c.left([]community.GuildID{id}) }

func (c *connection) takeLeft() []community.GuildID {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := c.gone
	c.gone = nil
	return out
}
