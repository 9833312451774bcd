package guild

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"time"

	"rookery/internal/community"
	"rookery/internal/settings"
	"rookery/internal/store"
)

//go:embed migrations
var migrations embed.FS

// Migrations are the tables of this package.
func Migrations() store.Migrations { return store.Migrations{Feature: Name, FS: migrations} }

// keepLeft is how long the settings of a guild are kept that the bot was
// removed from: it may have been a slip.
const keepLeft = 30 * 24 * time.Hour

// Changed is the hook for changes of settings: the guild's commands are looked
// at again once they are stored.
func (g *Guild) Changed(refresh func(community.GuildID)) settings.Hook {
	return func(_ context.Context, tx store.Tx, guild community.GuildID, _ []settings.Change) error {
		tx.AfterCommit(func() { refresh(guild) })
		return nil
	}
}

// Removed notes that the bot was removed from a guild.
func (g *Guild) Removed(ctx context.Context, guild community.GuildID) {
	g.note(ctx, guild, `insert into guild_left (guild, since) values ($1, $2) on conflict (guild) do nothing`, g.Clock.Now().UnixMilli())
}

// Joined notes that the bot is in a guild, maybe again.
func (g *Guild) Joined(ctx context.Context, guild community.GuildID) {
	var n int64
	if err := g.Store.QueryRow(ctx, `select count(*) from guild_left where guild = $1`, string(guild)).Scan(&n); err == nil && n == 0 {
		return // as at nearly each start: that costs no write
	}
	g.note(ctx, guild, `delete from guild_left where guild = $1`)
}

func (g *Guild) note(ctx context.Context, guild community.GuildID, sql string, args ...any) {
	err := g.Store.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		_, err := tx.Exec(ctx, sql, append([]any{string(guild)}, args...)...)
		return err
	})
	if err != nil && !errors.Is(err, store.ErrClosed) {
		g.Log.Warn("that the bot was added to a guild or removed could not be noted", "guild", guild, "error", err)
	}
}

// Prune lets go of the settings of guilds that the bot left long ago, of what
// features keep for them, and of old lines of the audit.
func (g *Guild) Prune(ctx context.Context) error {
	return errors.Join(g.pruneLeft(ctx), g.Book.Prune(ctx))
}

func (g *Guild) pruneLeft(ctx context.Context) error {
	rows, err := g.Store.Query(ctx, `select guild from guild_left where since < $1`, g.Clock.Now().Add(-keepLeft).UnixMilli())
	left, err := store.Collect(rows, err, func(r store.Row) (id string, err error) { return id, r.Scan(&id) })
	if err != nil {
		return fmt.Errorf("see which guilds were left: %w", err)
	}
	for _, id := range left {
		// Nobody tells of a return while no process is connected.
		back, err := g.platform.In(ctx, community.GuildID(id))
		if err != nil {
			return fmt.Errorf("see whether guild %s was left: %w", id, err)
		}
		if back {
			g.note(ctx, community.GuildID(id), `delete from guild_left where guild = $1`)
			continue
		}
		err = g.Store.Write(ctx, func(ctx context.Context, tx store.Tx) error {
			n, err := tx.Exec(ctx, `delete from guild_left where guild = $1`, id)
			if err != nil || n == 0 { // it came back this moment
				return err
			}
			for _, purge := range g.Purge {
				if err := purge(ctx, tx, community.GuildID(id)); err != nil {
					return err
				}
			}
			return g.Book.Purge(ctx, tx, community.GuildID(id))
		})
		if err != nil {
			return fmt.Errorf("forget guild %s: %w", id, err)
		}
	}
	return nil
}
