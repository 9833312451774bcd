package budget

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"rookery/internal/store"
)

// pseudonym stands for a member who is forgotten, until the day is over. It
// has no @ and so is nobody's handle.
func pseudonym(member string) string {
	if member == "" {
		return ""
	}
	sum := sha256.Sum256([]byte("budget\x00" + member))
	return "forgotten:" + hex.EncodeToString(sum[:16])
}

// Forget takes a member's name out of everything that is kept here. What they
// used today still counts for them, under a pseudonym: who is forgotten does
// not begin anew. Earlier days are deleted.
func (b *Budget) Forget(ctx context.Context, tx store.Tx, member string) error {
	m := Spender{Member: member}.stored().Member
	if m == "" {
		return nil
	}
	if err := b.forget(ctx, tx, m); err != nil {
		return fmt.Errorf("forget a member's budget: %w", err)
	}
	return nil
}

func (b *Budget) forget(ctx context.Context, tx store.Tx, member string) error {
	today, err := b.lock(ctx, tx)
	if err != nil {
		return err
	}
	other := pseudonym(member)
	if _, err := tx.Exec(ctx, `insert into budget_used (day, scope, name, tokens, money, replies)
		select day, scope, $3, tokens, money, replies from budget_used where day = $1 and scope = 'member' and name = $2
		on conflict (day, scope, name) do update set tokens = budget_used.tokens + excluded.tokens,
			money = budget_used.money + excluded.money, replies = budget_used.replies + excluded.replies`,
		string(today), member, other); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `delete from budget_used where scope = 'member' and (name = $1 or name = $2 and day <> $3)`,
		member, other, string(today)); err != nil {
		return err
	}
	// The same in each guild. A name ends with the member, after a space.
	const ends = `substr(name, length(name) - length(cast($1 as text)) + 1) = $1`
	if _, err := tx.Exec(ctx, `insert into budget_used (day, scope, name, tokens, money, replies)
		select day, scope, substr(name, 1, length(name) - length(cast($1 as text))) || $3, tokens, money, replies from budget_used
			where day = $2 and scope = 'guild_member' and `+ends+`
		on conflict (day, scope, name) do update set tokens = budget_used.tokens + excluded.tokens,
			money = budget_used.money + excluded.money, replies = budget_used.replies + excluded.replies`,
		" "+member, string(today), " "+other); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `delete from budget_used where scope = 'guild_member' and `+ends, " "+member); err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `update budget_reserved set member = $2 where member = $1`, member, other)
	return err
}

// pruneBatch keeps one transaction short: others wait for the writer.
const pruneBatch = 500

// Prune deletes what was kept of the days before the one of a given time.
// Nothing of the present day goes, nor a reservation that still counts.
func (b *Budget) Prune(ctx context.Context, before time.Time) error {
	today, err := b.today(ctx, b.Store)
	if err != nil {
		return fmt.Errorf("forget old budgets: %w", err)
	}
	d := min(today, dayOf(before, b.Zone))
	for _, step := range []struct {
		sql  string
		args []any
	}{
		{`delete from budget_used where (day, scope, name) in
			(select day, scope, name from budget_used where day < $1 limit $2)`, []any{string(d), int64(pruneBatch)}},
		// Whoever is forgotten is so once the day is over, pseudonym and all.
		{`delete from budget_used where (day, scope, name) in
			(select day, scope, name from budget_used where day < $1 and scope = 'member' and name like 'forgotten:%' limit $2)`, []any{string(today), int64(pruneBatch)}},
		{`delete from budget_used where (day, scope, name) in
			(select day, scope, name from budget_used where day < $1 and scope = 'guild_member' and name like '% forgotten:%' limit $2)`, []any{string(today), int64(pruneBatch)}},
		{`delete from budget_notice where (day, scope, name, unit, percent) in
			(select day, scope, name, unit, percent from budget_notice where day < $1 limit $2)`, []any{string(d), int64(pruneBatch)}},
		{`delete from budget_reserved where key in
			(select key from budget_reserved where day < $1 and (live = 0 or reserved_at < $3) limit $2)`, []any{string(d), int64(pruneBatch), b.alive()}},
	} {
		for {
			var n int64
			err := b.Store.WriteRelaxed(ctx, func(ctx context.Context, tx store.Tx) (err error) {
				n, err = tx.Exec(ctx, step.sql, step.args...)
				return err
			})
			if err != nil {
				return fmt.Errorf("forget old budgets: %w", err)
			}
			if n < pruneBatch {
				break
			}
		}
	}
	return nil
}
