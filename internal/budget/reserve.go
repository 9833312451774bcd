package budget

import (
	"context"
	"errors"
	"fmt"

	"rookery/internal/store"
)

// reservation is a row of budget_reserved.
type reservation struct {
	key     string
	day     day
	who     Spender
	tokens  int64 // held
	money   Money // held
	charged Tokens
	live    bool
	replied bool
}

// Reserve holds what one reply may use at most, or returns *Exceeded if any
// limit would be passed; then key holds nothing. The caller goes on with its
// transaction in either case.
//
// A key that holds something already keeps it, raised to most if that is
// more: so a repetition after a crash costs nothing, and one after answers
// that were charged may use most again. A key whose reply was counted is not
// counted again. Whatever is used under a key counts for the day on which it
// was last reserved; if nobody ends a reservation, it stops counting after 24
// hours.
//
// Until the transaction ends, other changes of the budget wait: it must be
// short, as all are.
func (b *Budget) Reserve(ctx context.Context, tx store.Tx, key string, who Spender, most Tokens) error {
	err := b.reserve(ctx, tx, key, who.stored(), most.sane())
	if over := (*Exceeded)(nil); err != nil && !errors.As(err, &over) {
		return fmt.Errorf("reserve budget for %s: %w", key, err)
	}
	return err
}

func (b *Budget) reserve(ctx context.Context, tx store.Tx, key string, who Spender, most Tokens) error {
	today, err := b.lock(ctx, tx)
	if err != nil {
		return err
	}
	old, known, err := find(ctx, tx, key)
	if err != nil {
		return err
	}
	r := reservation{key: key, day: today, who: who, tokens: most.sum(), money: b.Prices.cost(most), live: true, replied: old.replied}
	if known && old.day == today {
		r.charged = old.charged
		if old.live {
			r.tokens, r.money = max(r.tokens, old.tokens), max(r.money, old.money)
		}
	}

	over, err := b.exceeded(ctx, tx, r)
	if err != nil {
		return err
	}
	if over == nil {
		return b.put(ctx, tx, r)
	}
	if known && old.live {
		if err := end(ctx, tx, old); err != nil {
			return err
		}
	}
	if !over.Passing() {
		if err := b.notice(ctx, tx, today, over.Scope, over.Name, over.Unit, 100, over.Used, over.Limit); err != nil {
			return err
		}
	}
	return over
}

func find(ctx context.Context, tx store.Tx, key string) (r reservation, known bool, err error) {
	var live, replied int64
	err = tx.QueryRow(ctx, `select day, feature, account, member, guild, tokens, money, charged_prompt, charged_completion, live, replied
		from budget_reserved where key = $1`, key).Scan((*string)(&r.day), &r.who.Feature, (*string)(&r.who.Account), &r.who.Member, &r.who.Guild,
		&r.tokens, (*int64)(&r.money), &r.charged.Prompt, &r.charged.Completion, &live, &replied)
	if errors.Is(err, store.ErrNoRows) {
		return reservation{}, false, nil
	}
	r.key, r.live, r.replied = key, live == 1, replied == 1
	return r, err == nil, err
}

func (b *Budget) put(ctx context.Context, tx store.Tx, r reservation) error {
	_, err := tx.Exec(ctx, `insert into budget_reserved
			(key, day, feature, account, member, guild, tokens, money, charged_prompt, charged_completion, live, replied, reserved_at)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 1, $11, $12)
		on conflict (key) do update set day = excluded.day, feature = excluded.feature, account = excluded.account, member = excluded.member,
			guild = excluded.guild, tokens = excluded.tokens, money = excluded.money, charged_prompt = excluded.charged_prompt,
			charged_completion = excluded.charged_completion, live = 1, reserved_at = excluded.reserved_at`,
		r.key, string(r.day), r.who.Feature, string(r.who.Account), r.who.Member, r.who.Guild,
		r.tokens, int64(r.money), r.charged.Prompt, r.charged.Completion, bit(r.replied), b.Clock.Now().UnixMilli())
	return err
}

func bit(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// limit is one limit for one spender.
type limit struct {
	name
	unit Unit
	most int64
}

// limits are all that hold for a spender, the most particular first: a member
// whose own answers are used up learns that, rather than that there is no
// budget for anyone.
func (b *Budget) limits(who Spender) []limit {
	l := b.Limits
	var all []limit
	add := func(scope Scope, id string, unit Unit, most int64) {
		if most >= 0 && (id != "" || scope == OfDay) {
			all = append(all, limit{name: name{scope, id}, unit: unit, most: most})
		}
	}
	add(OfMember, who.Member, InReplies, l.RepliesPerMember)
	if who.MemberReplies > 0 {
		add(OfMemberThere, there(who.Guild, who.Member), InReplies, who.MemberReplies)
	}
	for _, s := range []struct {
		scope  Scope
		id     string
		tokens int64
		money  Money
	}{
		{OfMember, who.Member, l.TokensPerMember, l.MoneyPerMember},
		{OfGuild, who.Guild, l.TokensPerGuild, l.MoneyPerGuild},
		{OfAccount, string(who.Account), l.TokensPerAccount, l.MoneyPerAccount},
		{OfDay, "", l.TokensPerDay, l.MoneyPerDay},
	} {
		add(s.scope, s.id, InTokens, s.tokens)
		if b.Prices.Set {
			add(s.scope, s.id, InMoney, int64(s.money))
		}
	}
	return all
}

// exceeded is the limit that a reservation would pass; nil if none. One that
// is used up goes before one that is only held by others.
func (b *Budget) exceeded(ctx context.Context, tx store.Tx, r reservation) (*Exceeded, error) {
	used, err := usedBy(ctx, tx, r.day, r.who)
	if err != nil {
		return nil, err
	}
	held, err := b.heldBy(ctx, tx, r.day, r.who, r.key)
	if err != nil {
		return nil, err
	}
	need := map[Unit]int64{InReplies: 1 - bit(r.replied), InTokens: r.tokens, InMoney: int64(r.money)}
	var found *Exceeded
	for _, l := range b.limits(r.who) {
		e := &Exceeded{Scope: l.scope, Unit: l.unit, Name: l.name.name, Limit: l.most, Need: need[l.unit],
			Used: used[l.scope].of(l.unit), Held: held[l.scope].of(l.unit)}
		// Nothing at all means nothing, also for what claims to need nothing;
		// but what costs no money spends none.
		nothing := l.most == 0 && l.unit != InMoney && (l.unit != InReplies || !r.replied)
		if e.Need == 0 && !nothing || !nothing && e.Used+e.Held+e.Need <= e.Limit {
			continue
		}
		if found == nil || found.Passing() && !e.Passing() {
			found = e
		}
	}
	if found != nil {
		found.Renews = b.renews(r.day)
	}
	return found, nil
}

// amount is what is used or held.
type amount struct {
	tokens, replies int64
	money           Money
}

func (a amount) of(u Unit) int64 {
	switch u {
	case InReplies:
		return a.replies
	case InTokens:
		return a.tokens
	}
	return int64(a.money)
}

func (a amount) plus(b amount) amount {
	return amount{a.tokens + b.tokens, a.replies + b.replies, a.money + b.money}
}

// Querier is what both a transaction and the store can do.
type Querier interface {
	Query(ctx context.Context, sql string, args ...any) (store.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) store.Row
}

// usedBy is what is used of each scope of a spender.
func usedBy(ctx context.Context, q Querier, d day, who Spender) (map[Scope]amount, error) {
	rows, err := q.Query(ctx, `select scope, name, tokens, money, replies from budget_used where day = $1 and
		(scope = 'day' or scope = 'account' and name = $2 or scope = 'guild' and name = $3 or scope = 'member' and name in ($4, $5)
		or scope = 'guild_member' and name in ($6, $7))`,
		string(d), string(who.Account), who.Guild, who.Member, pseudonym(who.Member), there(who.Guild, who.Member), there(who.Guild, pseudonym(who.Member)))
	counters, err := store.Collect(rows, err, scanCounter)
	used := map[Scope]amount{}
	for _, c := range counters {
		used[c.scope] = used[c.scope].plus(c.amount) // a member may have two rows, see Forget
	}
	return used, err
}

// heldBy is what reservations other than except hold of each scope of a
// spender. They are summed rather than counted, so that one that nobody ends
// needs no clearing up.
func (b *Budget) heldBy(ctx context.Context, q Querier, d day, who Spender, except string) (map[Scope]amount, error) {
	rows, err := q.Query(ctx, `select case when account = $3 then 1 else 0 end, case when guild = $4 then 1 else 0 end,
			case when member in ($5, $6) then 1 else 0 end,
			cast(sum(tokens) as bigint), cast(sum(money) as bigint), cast(sum(1 - replied) as bigint)
		from budget_reserved where live = 1 and day = $1 and key <> $2 and reserved_at >= $7 group by 1, 2, 3`,
		string(d), except, string(who.Account), who.Guild, who.Member, pseudonym(who.Member), b.alive())
	held := map[Scope]amount{}
	_, err = store.Collect(rows, err, func(r store.Row) (struct{}, error) {
		var account, guild, member int64
		var a amount
		err := r.Scan(&account, &guild, &member, &a.tokens, (*int64)(&a.money), &a.replies)
		for scope, mine := range map[Scope]int64{OfDay: 1, OfAccount: account, OfGuild: guild, OfMember: member, OfMemberThere: guild * member} {
			if mine == 1 {
				held[scope] = held[scope].plus(a)
			}
		}
		return struct{}{}, err
	})
	return held, err
}
