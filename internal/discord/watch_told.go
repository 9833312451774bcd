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

// mostTold bounds what is kept; what is forgotten is told again.
const mostTold = 20_000

// knowBegun notes that the watchers have heard of a thread's beginning.
func (s *intakeState) knowBegun(thread community.ChannelID, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.told) >= mostTold {
		clear(s.told)
	}
	s.told[thread] = now
	s.toldDirty[thread] = true
}

func (s *intakeState) forgetBegun(thread community.ChannelID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.told[thread]; ok {
		delete(s.told, thread)
		s.toldDirty[thread] = true
	}
}

func (s *intakeState) knowsBegun(thread community.ChannelID) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.told[thread]
	return ok
}

// readBegun is what is stored of the threads that were told of.
func (d *Discord) readBegun(ctx context.Context, account community.AccountID) (map[community.ChannelID]time.Time, error) {
	type line struct {
		thread string
		at     int64
	}
	rows, err := d.Store.Query(ctx, `select thread, told_at from discord_begun where account = $1 order by told_at desc limit $2`, string(account), mostTold)
	lines, err := store.Collect(rows, err, func(r store.Row) (l line, err error) { return l, r.Scan(&l.thread, &l.at) })
	if err != nil {
		return nil, fmt.Errorf("read which threads were told of: %w", err)
	}
	out := map[community.ChannelID]time.Time{}
	for _, l := range lines {
		out[community.ChannelID(l.thread)] = time.UnixMilli(l.at).UTC()
	}
	return out, nil
}

// flushBegun stores what was told since the last time. It need not be durable:
// what is forgotten is told again.
func (d *Discord) flushBegun(ctx context.Context, account community.AccountID) error {
	s := &d.intake
	s.mu.Lock()
	changed := slices.Sorted(maps.Keys(s.toldDirty))
	clear(s.toldDirty)
	told := map[community.ChannelID]time.Time{}
	for _, id := range changed {
		if at, ok := s.told[id]; ok {
			told[id] = at
		}
	}
	s.mu.Unlock()
	for batch := range slices.Chunk(changed, seenBatch) {
		err := d.Store.WriteRelaxed(ctx, func(ctx context.Context, tx store.Tx) error {
			for _, id := range batch {
				sql, args := `delete from discord_begun where account = $1 and thread = $2`, []any{string(account), string(id)}
				if at, ok := told[id]; ok {
					sql = `insert into discord_begun (account, thread, told_at) values ($1, $2, $3)
						on conflict (account, thread) do update set told_at = excluded.told_at`
					args = append(args, at.UnixMilli())
				}
				if _, err := tx.Exec(ctx, sql, args...); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			s.mu.Lock()
			for _, id := range changed {
				s.toldDirty[id] = true
			}
			s.mu.Unlock()
			return fmt.Errorf("store which threads were told of: %w", err)
		}
	}
	return nil
}

// pruneBegun forgets threads that are too old for a sweep to tell of.
func (d *Discord) pruneBegun(ctx context.Context) error {
	me := d.me()
	if me.account == "" {
		return nil
	}
	before := d.watchedSince(me)
	d.intake.mu.Lock()
	maps.DeleteFunc(d.intake.told, func(_ community.ChannelID, at time.Time) bool { return at.Before(before) })
	d.intake.mu.Unlock()
	err := d.Store.WriteRelaxed(ctx, func(ctx context.Context, tx store.Tx) error {
		_, err := tx.Exec(ctx, `delete from discord_begun where account = $1 and told_at < $2`, string(me.account), before.UnixMilli())
		return err
	})
	if err != nil {
		return fmt.Errorf("forget which threads were told of: %w", err)
	}
	return nil
}
