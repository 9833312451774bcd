// Package budget keeps what answers may cost within limits: replies, tokens
// and money, per member, guild, account and day. What an answer may use is
// reserved before the model is asked and settled after it, under the key of
// the effect it is for, so that a repetition reuses its reservation.
//
// A day is a date in one time zone. Counters and reservations are rows, and
// change in the caller's transaction: what is rolled back was not spent.
//
// It leaves to the features what to do when a limit is reached and what to
// tell the member, and to app how the operator is told.
package budget

import (
	"context"
	"embed"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"rookery/internal/clock"
	"rookery/internal/community"
	"rookery/internal/store"
)

//go:embed migrations
var migrations embed.FS

// Migrations are the tables of this package.
func Migrations() store.Migrations { return store.Migrations{Feature: "budget", FS: migrations} }

// Unlimited is the value of a limit that is none.
const Unlimited = -1

// Limits are what may be used in one day. Each may be Unlimited; zero allows
// nothing at all.
type Limits struct {
	RepliesPerMember int64

	TokensPerDay     int64 // of all together
	TokensPerMember  int64
	TokensPerAccount int64
	TokensPerGuild   int64

	MoneyPerDay     Money // of all together
	MoneyPerMember  Money
	MoneyPerAccount Money
	MoneyPerGuild   Money
}

// Spender is on whose account something is used. What is empty has no limit
// of its own.
type Spender struct {
	Feature string // only for the count
	Account community.AccountID
	Member  string // handle, user@host; its case does not matter
	Guild   string
	// MemberReplies is how many replies a day the guild itself gives each
	// member in it, besides what Limits give them anywhere. 0: it has no such
	// limit.
	MemberReplies int64
}

// Scope is what a limit is for.
type Scope string

// The scopes of limits.
const (
	OfDay     Scope = "day" // all together
	OfAccount Scope = "account"
	OfGuild   Scope = "guild"
	OfMember  Scope = "member"
	// OfMemberThere is a member in one guild. Its names are made by there.
	OfMemberThere Scope = "guild_member"

	ofFeature Scope = "feature" // counted, without a limit
)

// Unit is what is counted.
type Unit string

// The units.
const (
	InReplies Unit = "replies"
	InTokens  Unit = "tokens"
	InMoney   Unit = "money" // Money
)

// Config is what a Budget needs.
type Config struct {
	Store    *store.Store
	Clock    clock.Clock
	Log      *slog.Logger
	Zone     *time.Location // whose midnight begins a day; nil is UTC
	Limits   Limits
	Prices   Prices
	Currency string // for showing amounts
	// Notify is called when one of the day's or an account's budgets reaches
	// 80 % or its end, once a day for each, in the transaction that did it. An
	// error fails the transaction. Nil: it is only logged.
	Notify func(ctx context.Context, tx store.Tx, n Notice) error
}

// Budget is safe for concurrent use, and several processes on one PostgreSQL
// database share what it keeps.
type Budget struct {
	Config
}

// New makes a Budget. Its tables must have been migrated.
func New(c Config) *Budget {
	if c.Zone == nil {
		c.Zone = time.UTC
	}
	return &Budget{Config: c}
}

// MoneyUnknown tells that there is a limit in money but no prices: it cannot
// be kept, and only tokens are counted.
func (b *Budget) MoneyUnknown() bool {
	l := b.Limits
	return !b.Prices.Set && max(l.MoneyPerDay, l.MoneyPerMember, l.MoneyPerAccount, l.MoneyPerGuild) >= 0
}

// Exceeded says that a reservation would pass a limit.
type Exceeded struct {
	Scope Scope
	Unit  Unit
	Name  string // which account, guild or member; empty for the day
	Limit int64
	Used  int64 // so far
	Held  int64 // by other reservations
	Need  int64 // what was to be reserved
	// Renews is when the next day begins.
	Renews time.Time
}

// Error implements error.
func (e *Exceeded) Error() string {
	return fmt.Sprintf("the budget of %s per %s is too small: limit %d, used %d, reserved by others %d, needed %d; it renews at %s",
		e.Unit, e.Scope, e.Limit, e.Used, e.Held, e.Need, e.Renews.Format(time.RFC3339))
}

// Passing tells that only what others hold just now stands in the way: they
// rarely use all of it, so that a later attempt may well succeed today.
func (e *Exceeded) Passing() bool { return e.Limit > 0 && e.Used+e.Need <= e.Limit }

// name is one counter that a spender fills.
type name struct {
	scope Scope
	name  string
}

// there is the name of a member in one guild: the guild's id, which has no
// space, and the member. It is empty for who is in none.
func there(guild, member string) string {
	if guild == "" || member == "" {
		return ""
	}
	return guild + " " + member
}

// names are the counters of a spender.
func (s Spender) names() []name {
	all := []name{{OfDay, ""}}
	for _, n := range []name{{OfAccount, string(s.Account)}, {OfGuild, s.Guild}, {OfMember, s.Member}, {OfMemberThere, there(s.Guild, s.Member)}, {ofFeature, s.Feature}} {
		if n.name != "" {
			all = append(all, n)
		}
	}
	return all
}

// longestName bounds what is stored of a name.
const longestName = 1000

// stored is the spender as the tables have it.
func (s Spender) stored() Spender {
	return Spender{
		Feature: store.Storable(s.Feature, longestName),
		Account: community.AccountID(store.Storable(string(s.Account), longestName)),
		Member:  store.Storable(strings.ToLower(s.Member), longestName),
		Guild:   store.Storable(s.Guild, longestName),

		MemberReplies: s.MemberReplies,
	}
}
