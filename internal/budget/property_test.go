package budget

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"pgregory.net/rapid"

	"rookery/internal/clock"
	"rookery/internal/store"
	"rookery/internal/store/storetest"
)

// TestNoOrderOfEventsPassesALimitOrCountsTwice drives two processes on one
// database through every order of reserving, charging, settling, releasing,
// repeating, crashing, forgetting, pruning and clocks going forth and back
// that rapid can think of, beside a model in memory. Both must agree on what
// is granted and used, and no limit may ever be passed.
func TestNoOrderOfEventsPassesALimitOrCountsTwice(t *testing.T) {
	for _, d := range []store.Dialect{store.SQLite, store.Postgres} {
		t.Run(string(d), func(t *testing.T) {
			t.Parallel()
			s := storetest.Open(t, storetest.Config(t, d), Migrations())
			rapid.Check(t, func(rt *rapid.T) {
				clear(t, s)
				oneLife(rt, s)
			})
		})
	}
}

// sum is what the model counts of one scope and day.
type sum struct{ tokens, money, replies int64 }

type where struct {
	date  time.Time
	scope Scope
	name  string
}

// promise is the model's reservation.
type promise struct {
	who           Spender
	date          time.Time
	at            time.Time
	tokens, money int64
	given         Tokens // charged on that date
	live, counted bool
}

type life struct {
	*rapid.T
	s        *store.Store
	clock    *clock.Manual
	limits   Limits
	prices   Prices
	procs    [2]*Budget
	latest   time.Time // date
	used     map[where]sum
	promises map[string]*promise
}

func oneLife(rt *rapid.T, s *store.Store) {
	some := func(what string, most int64) int64 {
		// Mostly none, or so that several replies fit: what is refused teaches little.
		return rapid.SampledFrom([]int64{Unlimited, Unlimited, Unlimited, Unlimited, Unlimited, Unlimited, most, most, most/2 + 1, most / 4, 0}).Draw(rt, what)
	}
	l := &life{T: rt, s: s, clock: clock.NewManual(time.Date(2026, 3, 27, 10, 0, 0, 0, time.UTC)),
		used: map[where]sum{}, promises: map[string]*promise{},
		limits: Limits{RepliesPerMember: some("replies", 5), TokensPerDay: some("day", 500), TokensPerMember: some("member", 300),
			TokensPerAccount: some("account", 400), TokensPerGuild: some("guild", 300), MoneyPerDay: Money(some("money", 400)),
			MoneyPerMember: Money(some("member's money", 400)), MoneyPerAccount: Money(some("account's money", 400)), MoneyPerGuild: Money(some("guild's money", 400))},
		prices: Prices{Prompt: 500_000, Completion: 1_700_001, Set: rapid.Bool().Draw(rt, "prices")},
	}
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		rt.Fatal(err)
	}
	for i := range l.procs {
		l.procs[i] = New(Config{Store: s, Clock: l.clock, Log: slog.New(slog.DiscardHandler), Zone: zone, Limits: l.limits, Prices: l.prices})
	}
	rt.Repeat(map[string]func(*rapid.T){
		"reserve":        l.reserve,
		"reserve, often": l.reserve,
		"charge":         l.charge,
		"charge, often":  l.charge,
		"settle":         func(t *rapid.T) { l.end(t, true) },
		"release":        func(t *rapid.T) { l.end(t, false) },
		"forget":         l.forget,
		"prune":          l.prune,
		"time passes": func(t *rapid.T) {
			l.clock.Advance(time.Duration(rapid.IntRange(1, 20*60).Draw(t, "minutes")) * time.Minute)
		},
		"clock set back": func(t *rapid.T) {
			l.clock.Advance(-time.Duration(rapid.IntRange(1, 90).Draw(t, "hours")) * time.Hour)
		},
		"": l.check,
	})
}

// date is the clock's, or the latest seen. A look does not make it the latest.
func (l *life) date(look bool) time.Time {
	t := l.clock.Now().In(l.procs[0].Zone)
	now := time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
	if now.Before(l.latest) && l.latest.Sub(now) <= 48*time.Hour {
		return l.latest
	}
	if !look {
		l.latest = now
	}
	return now
}

// do runs fn on one of the processes. One time in six it crashes before the
// commit; then the model must not change either, and do is false.
func (l *life) do(t *rapid.T, fn func(ctx context.Context, tx store.Tx, b *Budget) error) (over *Exceeded, committed bool) {
	b := l.procs[rapid.IntRange(0, 1).Draw(t, "process")]
	crash := rapid.IntRange(0, 5).Draw(t, "crash") == 5
	crashed := errors.New("crash")
	err := l.s.Write(context.Background(), func(ctx context.Context, tx store.Tx) error {
		over = nil
		if err := fn(ctx, tx, b); err != nil && !errors.As(err, &over) {
			return err
		}
		if crash {
			return crashed
		}
		return nil
	})
	if err != nil && !errors.Is(err, crashed) {
		t.Fatal(err)
	}
	return over, err == nil
}

func (l *life) key(t *rapid.T) string { return fmt.Sprint("k", rapid.IntRange(0, 4).Draw(t, "key")) }

func (l *life) cost(t Tokens) int64 {
	if !l.prices.Set {
		return 0
	}
	return (t.Prompt*int64(l.prices.Prompt) + t.Completion*int64(l.prices.Completion) + 999_999) / 1_000_000
}

func scopes(who Spender) map[Scope]string {
	return map[Scope]string{OfDay: "", OfMember: who.Member, OfAccount: string(who.Account), OfGuild: who.Guild}
}

func (l *life) reserve(t *rapid.T) {
	key := l.key(t)
	who := Spender{Feature: "f", Account: rapid.SampledFrom([]Spender{ada, eve}).Draw(t, "account").Account,
		Member: rapid.SampledFrom([]string{ada.Member, bob.Member, eve.Member}).Draw(t, "member"),
		Guild:  rapid.SampledFrom([]string{"", "g"}).Draw(t, "guild")}
	most := Tokens{rapid.Int64Range(0, 80).Draw(t, "prompt"), rapid.Int64Range(0, 80).Draw(t, "completion")}
	over, committed := l.do(t, func(ctx context.Context, tx store.Tx, b *Budget) error { return b.Reserve(ctx, tx, key, who, most) })
	if !committed {
		return
	}
	date := l.date(false)
	next := &promise{who: who, date: date, at: l.clock.Now(), tokens: most.sum(), money: l.cost(most), live: true}
	old := l.promises[key]
	if old != nil {
		next.counted = old.counted
		if old.date.Equal(date) {
			next.given = old.given
			if old.live {
				next.tokens, next.money = max(next.tokens, old.tokens), max(next.money, old.money)
			}
		}
	}
	// Would any limit be passed if it were granted?
	l.promises[key] = next
	fits := true
	for scope, name := range scopes(who) {
		if name == "" && scope != OfDay {
			continue
		}
		all, most := l.total(date, scope, name), l.most(scope)
		fits = fits && (most.tokens < 0 || all.tokens <= most.tokens && most.tokens > 0) &&
			(most.replies < 0 || next.counted || all.replies <= most.replies) &&
			(most.money < 0 || !l.prices.Set || next.money == 0 || all.money <= most.money)
	}
	if fits != (over == nil) {
		t.Fatalf("%s for %v, %v: granted %t (%v), by the model %t", key, who, most, over == nil, over, fits)
	}
	if fits {
		return
	}
	delete(l.promises, key)
	if old != nil && old.counted {
		old.live, old.tokens, old.money = false, 0, 0
		l.promises[key] = old
	}
}

// most is a scope's limits.
func (l *life) most(scope Scope) sum {
	switch scope {
	case OfMember:
		return sum{l.limits.TokensPerMember, int64(l.limits.MoneyPerMember), l.limits.RepliesPerMember}
	case OfAccount:
		return sum{l.limits.TokensPerAccount, int64(l.limits.MoneyPerAccount), Unlimited}
	case OfGuild:
		return sum{l.limits.TokensPerGuild, int64(l.limits.MoneyPerGuild), Unlimited}
	}
	return sum{l.limits.TokensPerDay, int64(l.limits.MoneyPerDay), Unlimited}
}

// total is what is used and held of a scope.
func (l *life) total(date time.Time, scope Scope, name string) sum {
	all := l.used[where{date, scope, name}]
	for _, p := range l.promises {
		if p.live && p.date.Equal(date) && scopes(p.who)[scope] == name && l.clock.Now().Sub(p.at) <= 24*time.Hour {
			all.tokens += p.tokens
			all.money += p.money
			if !p.counted {
				all.replies++
			}
		}
	}
	return all
}

func (l *life) add(p *promise, a sum) {
	for scope, name := range scopes(p.who) {
		w := where{p.date, scope, name}
		u := l.used[w]
		l.used[w] = sum{u.tokens + a.tokens, u.money + a.money, u.replies + a.replies}
	}
}

// charge never uses more than is held: only then is there a promise to keep.
func (l *life) charge(t *rapid.T) {
	key := l.key(t)
	p := l.promises[key]
	var used Tokens
	if p != nil && p.live && l.clock.Now().Sub(p.at) <= 24*time.Hour {
		used.Prompt = rapid.Int64Range(0, p.tokens).Draw(t, "prompt")
		used.Completion = rapid.Int64Range(0, p.tokens-used.Prompt).Draw(t, "completion")
		for p.money < l.cost(p.given.plus(used))-l.cost(p.given) {
			if used.Completion > 0 {
				used.Completion--
			} else {
				used.Prompt--
			}
		}
	} else if p == nil {
		used.Prompt = 50
	}
	_, committed := l.do(t, func(ctx context.Context, tx store.Tx, b *Budget) error { return b.Charge(ctx, tx, key, used) })
	if !committed {
		return
	}
	l.date(false)
	if p == nil {
		return
	}
	money := l.cost(p.given.plus(used)) - l.cost(p.given)
	p.given = p.given.plus(used)
	p.tokens, p.money = max(p.tokens-used.sum(), 0), max(p.money-money, 0)
	l.add(p, sum{used.sum(), money, 0})
}

func (l *life) end(t *rapid.T, settle bool) {
	key := l.key(t)
	p := l.promises[key]
	if settle && p != nil && p.live && l.clock.Now().Sub(p.at) > 24*time.Hour {
		t.Skip("its time is over: nothing is promised of it")
	}
	_, committed := l.do(t, func(ctx context.Context, tx store.Tx, b *Budget) error {
		if settle {
			return b.Settle(ctx, tx, key)
		}
		return b.Release(ctx, tx, key)
	})
	if !committed {
		return
	}
	l.date(false)
	if p == nil || !p.live {
		return
	}
	if settle && !p.counted {
		l.add(p, sum{0, 0, 1})
		p.counted = true
	}
	p.live, p.tokens, p.money = false, 0, 0
	if !p.counted {
		delete(l.promises, key)
	}
}

func (l *life) forget(t *rapid.T) {
	member := rapid.SampledFrom([]string{ada.Member, bob.Member}).Draw(t, "member")
	_, committed := l.do(t, func(ctx context.Context, tx store.Tx, b *Budget) error { return b.Forget(ctx, tx, member) })
	if !committed {
		return
	}
	date := l.date(false)
	for w := range l.used {
		if w.scope == OfMember && w.name == member && !w.date.Equal(date) {
			delete(l.used, w)
		}
	}
}

func (l *life) prune(t *rapid.T) {
	back := time.Duration(rapid.IntRange(-24, 100).Draw(t, "hours")) * time.Hour
	if err := l.procs[0].Prune(context.Background(), l.clock.Now().Add(-back)); err != nil {
		t.Fatal(err)
	}
	at := l.clock.Now().Add(-back).In(l.procs[0].Zone)
	before := time.Date(at.Year(), at.Month(), at.Day(), 0, 0, 0, 0, time.UTC)
	if today := l.date(true); today.Before(before) {
		before = today
	}
	for w := range l.used {
		if w.date.Before(before) {
			delete(l.used, w)
		}
	}
	for key, p := range l.promises {
		if p.date.Before(before) && (!p.live || l.clock.Now().Sub(p.at) > 24*time.Hour) {
			delete(l.promises, key)
		}
	}
}

// check compares what the budget says of the day, or of a member, with the
// model, and every counter that is kept with the limits.
func (l *life) check(t *rapid.T) {
	date := l.date(true)
	if who := rapid.SampledFrom([]Spender{{}, {}, ada, bob, eve}).Draw(t, "whose"); who.Member == "" {
		l.checkDay(t, date)
	} else {
		l.checkMember(t, date, who)
	}
	for w := range l.used {
		most, all := l.most(w.scope), l.total(w.date, w.scope, w.name)
		if w.name == "" && w.scope != OfDay {
			continue
		}
		if most.tokens >= 0 && all.tokens > most.tokens || most.replies >= 0 && all.replies > most.replies ||
			l.prices.Set && most.money >= 0 && all.money > most.money {
			t.Fatalf("%v: %+v is beyond %+v", w, all, most)
		}
	}
}

func (l *life) checkDay(t *rapid.T, date time.Time) {
	u, err := l.procs[0].Today(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	used, all := l.used[where{date, OfDay, ""}], l.total(date, OfDay, "")
	if u.Day != date.Format(time.DateOnly) || u.Tokens.Used != used.tokens || u.Tokens.Held != all.tokens-used.tokens ||
		u.Money.Used != used.money || u.Money.Held != all.money-used.money || u.Replies != used.replies {
		t.Fatalf("%+v, by the model on %s used %+v, in all %+v", u, date.Format(time.DateOnly), used, all)
	}
}

func (l *life) checkMember(t *rapid.T, date time.Time, who Spender) {
	q, err := l.procs[1].Quota(context.Background(), who)
	if err != nil {
		t.Fatal(err)
	}
	used, all := l.used[where{date, OfMember, who.Member}], l.total(date, OfMember, who.Member)
	if q.Replies.Used != used.replies || q.Replies.Held != all.replies-used.replies || q.Tokens.Used != used.tokens ||
		q.Tokens.Held != all.tokens-used.tokens || q.Money.Used != used.money || q.Money.Held != all.money-used.money {
		t.Fatalf("%s: %+v, by the model used %+v, in all %+v", who.Member, q, used, all)
	}
}
