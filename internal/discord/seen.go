package discord

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"rookery/internal/community"
	"rookery/internal/store"
)

// startedAt is the id after which messages are our business: it is noted at the
// first start, and then stays.
func (d *Discord) startedAt(ctx context.Context, account community.AccountID, now time.Time) (int64, error) {
	start := flakeAt(now)
	if d.Backlog {
		start = 0
	}
	err := d.Store.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		_, err := tx.Exec(ctx, `insert into discord_seen (account, channel, guild, message) values ($1, '', '', $2) on conflict do nothing`,
			string(account), start)
		if err != nil {
			return err
		}
		return tx.QueryRow(ctx, `select message from discord_seen where account = $1 and channel = ''`, string(account)).Scan(&start)
	})
	if err != nil {
		return 0, fmt.Errorf("note the first start: %w", err)
	}
	return start, nil
}

// startSeen makes a conversation known, of which nothing has been looked at.
func (d *Discord) startSeen(ctx context.Context, account community.AccountID, channel string) error {
	if d.Store == nil {
		return nil
	}
	d.intake.mu.Lock()
	_, known := d.intake.seen[community.ChannelID(channel)]
	d.intake.mu.Unlock()
	if known {
		return nil
	}
	err := d.Store.WriteRelaxed(ctx, func(ctx context.Context, tx store.Tx) error {
		_, err := tx.Exec(ctx, `insert into discord_seen (account, channel, guild, message) values ($1, $2, '', 0) on conflict do nothing`,
			string(account), channel)
		return err
	})
	if err != nil {
		return fmt.Errorf("note a conversation: %w", err)
	}
	d.intake.mu.Lock()
	defer d.intake.mu.Unlock()
	if _, ok := d.intake.seen[community.ChannelID(channel)]; !ok {
		d.intake.seen[community.ChannelID(channel)] = seen{}
	}
	return nil
}

// readSeen is what is stored of how far channels have been looked at.
func (d *Discord) readSeen(ctx context.Context, account community.AccountID) (map[community.ChannelID]seen, error) {
	type line struct {
		channel community.ChannelID
		seen    seen
	}
	rows, err := d.Store.Query(ctx, `select channel, guild, message from discord_seen where account = $1 and channel <> ''`, string(account))
	lines, err := store.Collect(rows, err, func(r store.Row) (l line, err error) {
		var channel, guild string
		err = r.Scan(&channel, &guild, &l.seen.message)
		l.channel, l.seen.guild = community.ChannelID(channel), community.GuildID(guild)
		return l, err
	})
	if err != nil {
		return nil, fmt.Errorf("read which messages have been looked at: %w", err)
	}
	out := map[community.ChannelID]seen{}
	for _, l := range lines {
		out[l.channel] = l.seen
	}
	return out, nil
}

// seenBatch keeps one transaction short.
const seenBatch = 500

// flushSeen stores what has been read, and told of, since the last time. It need not be
// durable: what is forgotten is looked at again.
func (d *Discord) flushSeen(ctx context.Context) error {
	me := d.me()
	if me.account == "" || d.Store == nil {
		return nil
	}
	if err := d.flushBegun(ctx, me.account); err != nil {
		return err
	}
	s := &d.intake
	s.mu.Lock()
	changed := map[community.ChannelID]seen{}
	for id := range s.dirty {
		changed[id] = s.seen[id]
	}
	clear(s.dirty)
	s.mu.Unlock()
	for batch := range slices.Chunk(slices.Sorted(maps.Keys(changed)), seenBatch) {
		err := d.Store.WriteRelaxed(ctx, func(ctx context.Context, tx store.Tx) error {
			for _, id := range batch {
				_, err := tx.Exec(ctx, `insert into discord_seen (account, channel, guild, message) values ($1, $2, $3, $4)
					on conflict (account, channel) do update set guild = excluded.guild, message = excluded.message
					where discord_seen.message < excluded.message`,
					string(me.account), string(id), string(changed[id].guild), changed[id].message)
				if err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			s.mu.Lock()
			for id := range changed {
				s.dirty[id] = true
			}
			s.mu.Unlock()
			return fmt.Errorf("store which messages have been looked at: %w", err)
		}
	}
	return nil
}

// quietAfter is when a conversation without a message is no longer swept; the
// next message makes it known again.
const quietAfter = 30 * 24 * time.Hour

// pruneSeen forgets quiet conversations, so that it is not kept for ever who
// once wrote to the bot, and sweeps do not grow.
func (d *Discord) pruneSeen(ctx context.Context) error {
	me := d.me()
	if me.account == "" {
		return nil
	}
	before := flakeAt(d.Now(me.account).Add(-quietAfter))
	var quiet []community.ChannelID
	d.intake.mu.Lock()
	for id, s := range d.intake.seen {
		// What has never been swept is 0 and stays.
		if s.guild == "" && s.message > 0 && s.message < before {
			quiet = append(quiet, id)
		}
	}
	d.intake.mu.Unlock()
	slices.Sort(quiet)
	for batch := range slices.Chunk(quiet, seenBatch) {
		err := d.Store.WriteRelaxed(ctx, func(ctx context.Context, tx store.Tx) error {
			for _, id := range batch {
				if _, err := tx.Exec(ctx, `delete from discord_seen where account = $1 and channel = $2 and guild = '' and message < $3`, string(me.account), string(id), before); err != nil {
					return err
				}
			}
			tx.AfterCommit(func() {
				d.intake.mu.Lock()
				defer d.intake.mu.Unlock()
				for _, id := range batch {
					delete(d.intake.seen, id)
					delete(d.intake.dirty, id)
				}
			})
			return nil
		})
		if err != nil {
			return fmt.Errorf("forget quiet conversations: %w", err)
		}
	}
	return nil
}
