package budget

import (
	"context"
	"fmt"
	"strings"

	"rookery/internal/store"
)

// Charge counts what one answer of the model really used, also one that is
// not sent (a declined answer costs too). It may be called several times for
// a key; what is held goes down by as much, and never below nothing. A key
// that is not known changes nothing.
func (b *Budget) Charge(ctx context.Context, tx store.Tx, key string, used Tokens) error {
	if err := b.charge(ctx, tx, key, used.sane()); err != nil {
		return fmt.Errorf("charge %s to the budget: %w", key, err)
	}
	return nil
}

func (b *Budget) charge(ctx context.Context, tx store.Tx, key string, used Tokens) error {
	today, err := b.lock(ctx, tx)
	if err != nil {
		return err
	}
	r, known, err := find(ctx, tx, key)
	if err != nil || !known {
		return err
	}
	// Rounded up over all of the key's charges, so that many small ones cost
	// no more than was reserved.
	charged := r.charged.plus(used)
	money := b.Prices.cost(charged) - b.Prices.cost(r.charged)
	if _, err := tx.Exec(ctx, `update budget_reserved set tokens = $2, money = $3, charged_prompt = $4, charged_completion = $5 where key = $1`,
		key, max(r.tokens-used.sum(), 0), int64(max(r.money-money, 0)), charged.Prompt, charged.Completion); err != nil {
		return err
	}
	now, err := count(ctx, tx, r, amount{tokens: used.sum(), money: money})
	if err != nil || r.day != today {
		return err // a notice about a day that is over helps nobody
	}
	for _, l := range b.limits(Spender{Account: r.who.Account}) {
		if err := b.reached(ctx, tx, today, l, now[l.name].of(l.unit)); err != nil {
			return err
		}
	}
	return nil
}

// counter is a row of budget_used.
type counter struct {
	name
	amount
}

// count adds to the counters of a reservation's spender on its day, and tells
// what they have come to.
func count(ctx context.Context, tx store.Tx, r reservation, a amount) (map[name]amount, error) {
	var values strings.Builder
	args := []any{string(r.day), a.tokens, int64(a.money), a.replies}
	for i, n := range r.who.names() {
		if i > 0 {
			values.WriteString(", ")
		}
		args = append(args, string(n.scope), n.name)
		// Only numbers of parameters: at most six rows.
		fmt.Fprintf(&values, "($1, $%d, $%d, cast($2 as bigint), cast($3 as bigint), cast($4 as bigint))", len(args)-1, len(args))
	}
	rows, err := tx.Query(ctx, `insert into budget_used (day, scope, name, tokens, money, replies) values `+values.String()+`
		on conflict (day, scope, name) do update set tokens = budget_used.tokens + excluded.tokens,
			money = budget_used.money + excluded.money, replies = budget_used.replies + excluded.replies
		returning scope, name, tokens, money, replies`, args...)
	counters, err := store.Collect(rows, err, scanCounter)
	now := map[name]amount{}
	for _, c := range counters {
		now[c.name] = c.amount
	}
	return now, err
}

func scanCounter(r store.Row) (c counter, err error) {
	err = r.Scan((*string)(&c.scope), &c.name.name, &c.tokens, (*int64)(&c.money), &c.replies)
	return c, err
}

// Settle ends a reservation whose reply is made: what was charged stays, the
// rest is given back, and the reply is counted, once for a key. A key that is
// not known, or is settled already, changes nothing.
func (b *Budget) Settle(ctx context.Context, tx store.Tx, key string) error {
	if err := b.settle(ctx, tx, key); err != nil {
		return fmt.Errorf("settle the budget of %s: %w", key, err)
	}
	return nil
}

func (b *Budget) settle(ctx context.Context, tx store.Tx, key string) error {
	if _, err := b.lock(ctx, tx); err != nil {
		return err
	}
	r, known, err := find(ctx, tx, key)
	if err != nil || !known || !r.live {
		return err
	}
	if !r.replied {
		if _, err := count(ctx, tx, r, amount{replies: 1}); err != nil {
			return err
		}
		r.replied = true
	}
	return end(ctx, tx, r)
}

// Release ends a reservation without a reply: what was charged stays, the
// rest is given back. A key that is not known, or is settled, changes nothing.
func (b *Budget) Release(ctx context.Context, tx store.Tx, key string) error {
	err := b.release(ctx, tx, key)
	if err != nil {
		return fmt.Errorf("release the budget of %s: %w", key, err)
	}
	return nil
}

func (b *Budget) release(ctx context.Context, tx store.Tx, key string) error {
	if _, err := b.lock(ctx, tx); err != nil {
		return err
	}
	r, known, err := find(ctx, tx, key)
	if err != nil || !known || !r.live {
		return err
	}
	return end(ctx, tx, r)
}

// end takes away what a reservation holds. Its row stays if its reply was
// counted.
func end(ctx context.Context, tx store.Tx, r reservation) (err error) {
	if r.replied {
		_, err = tx.Exec(ctx, `update budget_reserved set tokens = 0, money = 0, live = 0, replied = 1 where key = $1`, r.key)
	} else {
		_, err = tx.Exec(ctx, `delete from budget_reserved where key = $1`, r.key)
	}
	return err
}
