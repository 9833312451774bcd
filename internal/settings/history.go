package settings

import (
	"context"
	"fmt"
	"time"

	"rookery/internal/community"
	"rookery/internal/store"
)

// Line is one change in the audit.
type Line struct {
	At       time.Time
	Revision Revision // the same for all of one form
	Field    string   // whole name; the program may not know it any more
	Old, New string   // canonical texts
	By       By       // Member and Name are empty once they are forgotten
}

// mostLines bounds what History reads.
const mostLines = 1000

// History is the guild's n latest changes, the latest first.
func (b *Book) History(ctx context.Context, guild community.GuildID, n int) ([]Line, error) {
	rows, err := b.store.Query(ctx, `select at, revision, field, old, new, member, name, via from settings_audit
		where guild = $1 order by revision desc, field limit $2`, string(guild), int64(min(max(n, 0), mostLines)))
	lines, err := store.Collect(rows, err, func(r store.Row) (Line, error) {
		var l Line
		var at int64
		err := r.Scan(&at, (*int64)(&l.Revision), &l.Field, &l.Old, &l.New, (*string)(&l.By.Member), &l.By.Name, &l.By.Via)
		l.At = fromMS(at)
		return l, err
	})
	if err != nil {
		return nil, fmt.Errorf("read the history of settings: %w", err)
	}
	return lines, nil
}

// Purge deletes all that is kept of a guild. The hooks are not called.
func (b *Book) Purge(ctx context.Context, tx store.Tx, guild community.GuildID) error {
	// The guild's row first, as in Apply.
	for _, sql := range []string{`delete from settings_guild where guild = $1`, `delete from settings_value where guild = $1`,
		`delete from settings_audit where guild = $1`} {
		if _, err := tx.Exec(ctx, sql, string(guild)); err != nil {
			return fmt.Errorf("purge settings: %w", err)
		}
	}
	tx.AfterCommit(func() { b.drop(guild) })
	return nil
}

// Forget takes a member's id and name out of everything that is kept here, in
// all guilds. What they set stays.
func (b *Book) Forget(ctx context.Context, tx store.Tx, member community.MemberID) error {
	id := By{Member: member}.stored().Member
	if id == "" {
		return nil
	}
	for _, sql := range []string{`update settings_value set member = '', name = '' where member = $1`,
		`update settings_audit set member = '', name = '' where member = $1`} {
		if _, err := tx.Exec(ctx, sql, string(id)); err != nil {
			return fmt.Errorf("forget who changed settings: %w", err)
		}
	}
	return nil
}

const (
	keptMonths = 13
	pruneBatch = 500 // keeps one transaction short: others wait for the writer
)

// Prune deletes the audit's lines of more than 13 months ago, and takes the
// name off values that were set before that.
func (b *Book) Prune(ctx context.Context) error {
	before := ms(b.clock.Now().AddDate(0, -keptMonths, 0))
	for _, sql := range []string{
		`delete from settings_audit where (guild, revision, field) in
			(select guild, revision, field from settings_audit where at < $1 limit $2)`,
		`update settings_value set member = '', name = '' where (guild, field) in
			(select guild, field from settings_value where at < $1 and (member <> '' or name <> '') limit $2)`,
	} {
		for {
			var n int64
			err := b.store.WriteRelaxed(ctx, func(ctx context.Context, tx store.Tx) (err error) {
				n, err = tx.Exec(ctx, sql, before, int64(pruneBatch))
				return err
			})
			if err != nil {
				return fmt.Errorf("forget old changes of settings: %w", err)
			}
			if n < pruneBatch {
				break
			}
		}
	}
	return nil
}
