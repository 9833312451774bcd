package budget

import (
	"context"
	"fmt"
	"time"

	"rookery/internal/community"
	"rookery/internal/store"
)

// Use is how much of a limit is gone. Money is in millionths.
type Use struct {
	Used  int64
	Held  int64 // by reservations that have not ended
	Limit int64 // or Unlimited
}

// Quota is what a member has used today, and may use.
type Quota struct {
	Replies, Tokens, Money Use
	// There is how many of the replies were in the spender's guild, and the
	// guild's own limit for them.
	There Use
	// GuildTokens and GuildMoney are what all members have used in the guild.
	GuildTokens, GuildMoney Use
	// Renews is when the next day begins, in the budget's time zone.
	Renews time.Time
}

// Quota tells what the spender's member has used today.
func (b *Budget) Quota(ctx context.Context, who Spender) (Quota, error) {
	return b.QuotaIn(ctx, b.Store, who)
}

// QuotaIn is Quota within a transaction.
func (b *Budget) QuotaIn(ctx context.Context, q Querier, who Spender) (Quota, error) {
	who = who.stored()
	d, err := b.today(ctx, q)
	if err != nil {
		return Quota{}, fmt.Errorf("look up a quota: %w", err)
	}
	used, err := usedBy(ctx, q, d, who)
	if err != nil {
		return Quota{}, fmt.Errorf("look up a quota: %w", err)
	}
	held, err := b.heldBy(ctx, q, d, who, "")
	if err != nil {
		return Quota{}, fmt.Errorf("look up a quota: %w", err)
	}
	u, h, l := used[OfMember], held[OfMember], b.Limits
	guildLimit := int64(Unlimited)
	if who.MemberReplies > 0 {
		guildLimit = who.MemberReplies
	}
	g, gh := used[OfGuild], held[OfGuild]
	return Quota{
		Replies: Use{u.replies, h.replies, known(l.RepliesPerMember)},
		Tokens:  Use{u.tokens, h.tokens, known(l.TokensPerMember)},
		Money:   Use{int64(u.money), int64(h.money), known(int64(l.MoneyPerMember))},
		There:   Use{used[OfMemberThere].replies, held[OfMemberThere].replies, guildLimit},

		GuildTokens: Use{g.tokens, gh.tokens, known(l.TokensPerGuild)},
		GuildMoney:  Use{int64(g.money), int64(gh.money), known(int64(l.MoneyPerGuild))},

		Renews: b.renews(d),
	}, nil
}

// known is a limit, with one way to say that there is none.
func known(limit int64) int64 { return max(limit, Unlimited) }

// Usage is what has been used today.
type Usage struct {
	Day      string // YYYY-MM-DD, in the budget's time zone
	Renews   time.Time
	Replies  int64
	Tokens   Use
	Money    Use
	Accounts map[community.AccountID]AccountUsage // that used anything
	Features map[string]FeatureUsage              // that used anything
	// MoneyUnknown says that nobody knows the prices, so that Money is not
	// counted.
	MoneyUnknown bool
}

// AccountUsage is one account's part. Its Held are those of the day's
// reservations.
type AccountUsage struct {
	Replies int64
	Tokens  Use
	Money   Use
}

// FeatureUsage is one feature's part.
type FeatureUsage struct {
	Replies, Tokens int64
	Money           Money
}

// Today tells what has been used today in all, for the doctor and metrics.
func (b *Budget) Today(ctx context.Context) (Usage, error) {
	u, err := b.usage(ctx)
	if err != nil {
		return Usage{}, fmt.Errorf("look up today's budget: %w", err)
	}
	return u, nil
}

func (b *Budget) usage(ctx context.Context) (Usage, error) {
	d, err := b.today(ctx, b.Store)
	if err != nil {
		return Usage{}, err
	}
	l := b.Limits
	u := Usage{Day: string(d), Renews: b.renews(d), MoneyUnknown: !b.Prices.Set,
		Tokens: Use{Limit: known(l.TokensPerDay)}, Money: Use{Limit: known(int64(l.MoneyPerDay))},
		Accounts: map[community.AccountID]AccountUsage{}, Features: map[string]FeatureUsage{}}
	account := func(id string) AccountUsage {
		a, ok := u.Accounts[community.AccountID(id)]
		if !ok {
			a.Tokens.Limit, a.Money.Limit = known(l.TokensPerAccount), known(int64(l.MoneyPerAccount))
		}
		return a
	}

	rows, err := b.Store.Query(ctx, `select scope, name, tokens, money, replies from budget_used
		where day = $1 and scope in ('day', 'account', 'feature')`, string(d))
	counters, err := store.Collect(rows, err, scanCounter)
	if err != nil {
		return u, err
	}
	for _, c := range counters {
		switch c.scope {
		case OfDay:
			u.Replies, u.Tokens.Used, u.Money.Used = c.replies, c.tokens, int64(c.money)
		case OfAccount:
			a := account(c.name.name)
			a.Replies, a.Tokens.Used, a.Money.Used = c.replies, c.tokens, int64(c.money)
			u.Accounts[community.AccountID(c.name.name)] = a
		case ofFeature:
			u.Features[c.name.name] = FeatureUsage{c.replies, c.tokens, c.money}
		}
	}

	rows, err = b.Store.Query(ctx, `select 'account', account, cast(sum(tokens) as bigint), cast(sum(money) as bigint), cast(sum(1 - replied) as bigint)
		from budget_reserved where live = 1 and day = $1 and reserved_at >= $2 group by account`, string(d), b.alive())
	held, err := store.Collect(rows, err, scanCounter)
	if err != nil {
		return u, err
	}
	for _, c := range held {
		u.Tokens.Held += c.tokens
		u.Money.Held += int64(c.money)
		if c.name.name != "" {
			a := account(c.name.name)
			a.Tokens.Held, a.Money.Held = c.tokens, int64(c.money)
			u.Accounts[community.AccountID(c.name.name)] = a
		}
	}
	return u, nil
}
