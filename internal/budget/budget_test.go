package budget

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"rookery/internal/store"
	"rookery/internal/store/storetest"
)

func TestWhatIsNotUsedIsGivenBack(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := setup(t, s, func(c *Config) { c.Limits.TokensPerDay = 1000 })
		w.mustReserve("a", ada, Tokens{500, 400})
		w.want(0, 900)
		if over := w.reserve("b", bob, Tokens{100, 1}); over == nil || over.Scope != OfDay || over.Unit != InTokens || !over.Passing() ||
			over.Limit != 1000 || over.Held != 900 || over.Need != 101 {
			t.Errorf("a second one beyond what is held: %+v", over)
		}
		w.charge("a", Tokens{300, 50}) // declined
		w.charge("a", Tokens{300, 60})
		w.want(710, 190)
		w.settle("a")
		w.want(710, 0)
		w.settle("a")
		w.release("a")
		w.want(710, 0)
		if got := w.quota(ada); got.Replies.Used != 1 || got.Tokens.Used != 710 || got.Money.Used != int64(w.Prices.cost(Tokens{600, 110})) {
			t.Errorf("quota %+v", got)
		}

		w.mustReserve("b", bob, Tokens{100, 100})
		w.charge("b", Tokens{10, 0})
		w.release("b")
		w.want(720, 0)
		if got := w.quota(bob); got.Replies.Used != 0 || got.Tokens.Used != 10 {
			t.Errorf("quota after a release %+v", got)
		}
		if over := w.reserve("c", bob, Tokens{281, 0}); over == nil || over.Passing() {
			t.Errorf("more than is left: %+v", over)
		}
		w.mustReserve("c", bob, Tokens{280, 0})
	}, Migrations())
}

func TestARepetitionReusesItsReservation(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := setup(t, s, func(c *Config) { c.Limits.TokensPerDay, c.Limits.RepliesPerMember = 1000, 1 })
		w.mustReserve("a", ada, Tokens{500, 100})
		w.mustReserve("a", ada, Tokens{500, 100}) // after a crash
		w.want(0, 600)
		w.mustReserve("a", ada, Tokens{700, 100})
		w.want(0, 800)
		w.mustReserve("a", ada, Tokens{1, 1})
		w.want(0, 800)
		w.charge("a", Tokens{100, 100})
		w.want(200, 600)
		w.mustReserve("a", ada, Tokens{700, 100}) // may use all of it again
		w.want(200, 800)
		w.settle("a")
		w.want(200, 0)
		if over := w.reserve("b", ada, Tokens{1, 0}); over == nil || over.Scope != OfMember || over.Unit != InReplies || over.Passing() {
			t.Errorf("a second reply: %+v", over)
		}
		// One that was settled costs tokens again, but is no second reply.
		w.mustReserve("a", ada, Tokens{10, 0})
		w.charge("a", Tokens{10, 0})
		w.settle("a")
		w.mustReserve("a", ada, Tokens{10, 0})
		w.release("a")
		w.want(210, 0)
		if got := w.quota(ada).Replies; got != (Use{Used: 1, Limit: 1}) {
			t.Errorf("replies %+v", got)
		}
	}, Migrations())
}

func TestARefusedReservationHoldsNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := setup(t, s, func(c *Config) { c.Limits.TokensPerDay = 1000 })
		w.mustReserve("a", ada, Tokens{600, 0})
		if over := w.reserve("a", ada, Tokens{1001, 0}); over == nil || over.Held != 0 {
			t.Errorf("over all: %+v", over)
		}
		w.want(0, 0)
	}, Migrations())
}

func TestEachScopeHasItsLimit(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ten := Tokens{0, 10} // 6 millionths
		for name, test := range map[string]struct {
			set   func(*Limits)
			scope Scope
			unit  Unit
		}{
			"replies of a member":  {func(l *Limits) { l.RepliesPerMember = 2 }, OfMember, InReplies},
			"tokens of a member":   {func(l *Limits) { l.TokensPerMember = 20 }, OfMember, InTokens},
			"money of a member":    {func(l *Limits) { l.MoneyPerMember = 12 }, OfMember, InMoney},
			"tokens of a guild":    {func(l *Limits) { l.TokensPerGuild = 20 }, OfGuild, InTokens},
			"money of a guild":     {func(l *Limits) { l.MoneyPerGuild = 12 }, OfGuild, InMoney},
			"tokens of an account": {func(l *Limits) { l.TokensPerAccount = 20 }, OfAccount, InTokens},
			"money of an account":  {func(l *Limits) { l.MoneyPerAccount = 12 }, OfAccount, InMoney},
			"tokens of the day":    {func(l *Limits) { l.TokensPerDay = 20 }, OfDay, InTokens},
			"money of the day":     {func(l *Limits) { l.MoneyPerDay = 12 }, OfDay, InMoney},
		} {
			w := setup(t, s, func(c *Config) { test.set(&c.Limits) })
			key := func(n int) string { return fmt.Sprintf("%s %d", name, n) }
			// Somebody in no scope but the day's, by names of this test's own.
			own := func(who Spender) Spender {
				return Spender{Account: who.Account + "/" + ada.Account, Member: name + who.Member, Guild: name + who.Guild}
			}
			if test.scope == OfAccount {
				own = func(who Spender) Spender { return Spender{Account: "A" + who.Account, Member: name, Guild: name} }
			}
			clear(t, s)
			w.reply(key(1), own(eve), ten)
			w.mustReserve(key(2), own(eve), ten)
			over := w.reserve(key(3), own(eve), ten)
			if over == nil || over.Scope != test.scope || over.Unit != test.unit || over.Error() == "" {
				t.Errorf("%s: %+v", name, over)
			}
			over = w.reserve(key(4), Spender{Account: "other", Member: "other", Guild: "other"}, ten)
			if (over != nil) != (test.scope == OfDay) {
				t.Errorf("%s, for somebody else: %+v", name, over)
			}
		}
	}, Migrations())
}

func clear(t testing.TB, s *store.Store) {
	t.Helper()
	err := s.Write(context.Background(), func(ctx context.Context, tx store.Tx) error {
		for _, table := range []string{"budget_day", "budget_used", "budget_reserved", "budget_notice"} {
			if _, err := tx.Exec(ctx, "delete from "+table); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestZeroAllowsNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		for name, set := range map[string]func(*Limits){
			"replies": func(l *Limits) { l.RepliesPerMember = 0 },
			"tokens":  func(l *Limits) { l.TokensPerDay = 0 },
			"member":  func(l *Limits) { l.TokensPerMember = 0 },
			"money":   func(l *Limits) { l.MoneyPerDay = 0 },
		} {
			w := setup(t, s, func(c *Config) { set(&c.Limits) })
			for _, most := range []Tokens{{}, {1, 0}, {1000, 1000}} {
				over := w.reserve(name, ada, most)
				if free := name == "money" && most == (Tokens{}); (over == nil) != free || over != nil && over.Passing() {
					t.Errorf("%s, %v: %+v", name, most, over)
				}
			}
			if len(w.told) != 0 {
				t.Errorf("%s: who allows nothing is told of it: %+v", name, w.told)
			}
		}
		w := setup(t, s, func(c *Config) { c.Limits.MoneyPerDay, c.Prices = 0, Prices{Set: true} })
		w.mustReserve("a model of one's own", ada, Tokens{1000, 1000})
	}, Migrations())
}

func TestWithoutPricesOnlyTokensCount(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := setup(t, s, func(c *Config) {
			c.Limits.MoneyPerDay, c.Prices, c.Limits.TokensPerDay = 1, Prices{Prompt: 5, Completion: 5}, 1000
		})
		if !w.MoneyUnknown() {
			t.Error("a limit in money without prices is not noticed")
		}
		w.reply("a", ada, Tokens{500, 500})
		if u := w.today(); u.Money.Used != 0 || u.Tokens.Used != 1000 || !u.MoneyUnknown {
			t.Errorf("usage %+v", u)
		}
		if over := w.reserve("b", ada, Tokens{1, 0}); over == nil || over.Unit != InTokens {
			t.Errorf("%+v", over)
		}
		for _, c := range []func(*Config){
			func(c *Config) { c.Limits.MoneyPerDay = 1 },
			func(c *Config) { c.Prices = Prices{} },
		} {
			if setup(t, s, c).MoneyUnknown() {
				t.Error("nothing is amiss, but MoneyUnknown")
			}
		}
	}, Migrations())
}

func TestUnknownKeysAreHarmless(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := setup(t, s, func(*Config) {})
		w.charge("x", Tokens{1, 1})
		w.settle("x")
		w.release("x")
		w.forget("nobody@art.example")
		w.forget("")
		w.want(0, 0)
		// After a release or a settlement too: nothing is given back twice.
		w.mustReserve("a", ada, Tokens{10, 10})
		w.release("a")
		w.settle("a")
		w.release("a")
		w.want(0, 0)
		if got := w.quota(ada).Replies.Used; got != 0 {
			t.Errorf("%d replies", got)
		}
		// What an answer cost is not lost because it is told late.
		w.reply("b", ada, Tokens{10, 10})
		w.charge("b", Tokens{5, 0})
		w.want(25, 0)
	}, Migrations())
}

func TestARolledBackTransactionSpendsNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := setup(t, s, func(c *Config) { c.Limits.TokensPerDay = 100 })
		crash := errors.New("crash")
		err := s.Write(t.Context(), func(ctx context.Context, tx store.Tx) error {
			for _, err := range []error{w.Reserve(ctx, tx, "a", ada, Tokens{90, 0}), w.Charge(ctx, tx, "a", Tokens{90, 0}), w.Settle(ctx, tx, "a")} {
				if err != nil {
					return err
				}
			}
			return crash
		})
		if !errors.Is(err, crash) {
			t.Fatal(err)
		}
		w.want(0, 0)
	}, Migrations())
}

// Two processes reserve and spend at once: together they stay within the limit.
func TestTogetherNobodyPassesALimit(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := setup(t, s, func(c *Config) {
			c.Limits.TokensPerDay, c.Limits.RepliesPerMember, c.Notify = 1000, 7, nil
		})
		procs := [2]*Budget{w.Budget, New(w.Config)}
		step := func(fn func(ctx context.Context, tx store.Tx) error) (granted bool) {
			err := s.Write(t.Context(), func(ctx context.Context, tx store.Tx) error {
				err := fn(ctx, tx)
				var over *Exceeded
				if granted = err == nil; errors.As(err, &over) {
					return nil
				}
				return err
			})
			if err != nil {
				t.Error(err)
			}
			return granted
		}
		var group sync.WaitGroup
		var replies atomic.Int64
		for n := range 40 {
			group.Go(func() {
				who, key := []Spender{ada, bob}[n/2%2], fmt.Sprint("key", n)
				one, other := procs[n%2], procs[1-n%2]
				reserve := func(b *Budget) bool {
					return step(func(ctx context.Context, tx store.Tx) error { return b.Reserve(ctx, tx, key, who, Tokens{50, 50}) })
				}
				if !reserve(one) || !reserve(other) { // whose repetition takes nothing more
					return
				}
				for _, fn := range []func(ctx context.Context, tx store.Tx) error{
					func(ctx context.Context, tx store.Tx) error { return other.Charge(ctx, tx, key, Tokens{50, 45}) },
					func(ctx context.Context, tx store.Tx) error { return other.Settle(ctx, tx, key) },
				} {
					step(fn)
				}
				replies.Add(1)
			})
		}
		group.Wait()
		u := w.today()
		if u.Tokens.Used > 1000 || u.Tokens.Held != 0 || u.Replies != replies.Load() || u.Tokens.Used != 95*u.Replies || u.Replies == 0 {
			t.Errorf("used %+v, replies %d, of them known %d", u.Tokens, u.Replies, replies.Load())
		}
		for _, who := range []Spender{ada, bob} {
			if q := w.quota(who); q.Replies.Used > 7 {
				t.Errorf("%s: %+v", who.Member, q.Replies)
			}
		}
	}, Migrations())
}

func TestOneKeyReservedByManyAtOnceIsOneReservation(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := setup(t, s, func(c *Config) { c.Limits.TokensPerDay, c.Limits.RepliesPerMember = 100, 1 })
		var group sync.WaitGroup
		for range 12 {
			group.Go(func() {
				if err := s.Write(t.Context(), func(ctx context.Context, tx store.Tx) error {
					return w.Reserve(ctx, tx, "a", ada, Tokens{50, 50})
				}); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		w.want(0, 100)
		for range 12 {
			group.Go(func() {
				if err := s.Write(t.Context(), func(ctx context.Context, tx store.Tx) error { return w.Settle(ctx, tx, "a") }); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		if q := w.quota(ada); q.Replies.Used != 1 {
			t.Errorf("%+v", q)
		}
	}, Migrations())
}

func TestHandlesDifferByCaseAlone(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := setup(t, s, func(c *Config) { c.Limits.RepliesPerMember = 1 })
		w.reply("a", ada, Tokens{1, 1})
		loud := ada
		loud.Member = strings.ToUpper(ada.Member)
		if w.reserve("b", loud, Tokens{1, 1}) == nil {
			t.Error("capital letters give a second budget")
		}
		if q := w.quota(loud); q.Replies.Used != 1 {
			t.Errorf("%+v", q)
		}
		odd := Spender{Account: "a\x00\xff", Member: "x\x00" + strings.Repeat("ä", 5000), Guild: "\xff", Feature: "\x00"}
		w.reply("c", odd, Tokens{1, 1})
		if q := w.quota(odd); q.Replies.Used != 1 {
			t.Errorf("%+v", q)
		}
	}, Migrations())
}

func TestAForgottenMemberDoesNotBeginAnew(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := setup(t, s, func(c *Config) { c.Limits.RepliesPerMember = 3 })
		w.reply("yesterday", ada, Tokens{1, 1})
		w.clock.Advance(24 * time.Hour)
		w.reply("a", ada, Tokens{1, 1})
		w.mustReserve("b", ada, Tokens{5, 5})
		w.forget("Ada@art.example")
		for _, table := range []string{"budget_used where name", "budget_reserved where member"} {
			var n int64
			if err := s.QueryRow(t.Context(), "select count(*) from "+table+" like '%ada@%'").Scan(&n); err != nil || n != 0 {
				t.Errorf("%d rows of %s = ada, %v", n, table, err)
			}
		}
		w.charge("b", Tokens{3, 0})
		if q := w.quota(ada); q.Replies.Used != 1 || q.Replies.Held != 1 || q.Tokens.Used != 5 || q.Tokens.Held != 7 {
			t.Errorf("%+v", q)
		}
		w.settle("b")
		w.reply("c", ada, Tokens{1, 1})
		w.forget(ada.Member) // both counters become one
		if w.reserve("d", ada, Tokens{1, 1}) == nil {
			t.Error("to be forgotten gives a fresh budget")
		}
		if q := w.quota(ada); q.Replies.Used != 3 || q.Tokens.Used != 7 {
			t.Errorf("%+v", q)
		}
		w.want(7, 0)
		w.clock.Advance(24 * time.Hour)
		if q := w.quota(ada); q.Replies.Used != 0 {
			t.Errorf("the day after: %+v", q)
		}
		w.forget(ada.Member)
		var n int64
		if err := s.QueryRow(t.Context(), "select count(*) from budget_used where scope = 'member'").Scan(&n); err != nil || n != 0 {
			t.Errorf("%d rows are left, %v", n, err)
		}
	}, Migrations())
}

func TestTodayTellsWhoUsedIt(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := setup(t, s, func(c *Config) { c.Limits.TokensPerAccount, c.Limits.MoneyPerDay = 5000, 9_000_000 })
		w.reply("a", ada, Tokens{1000, 1000}) // 750
		w.reply("b", bob, Tokens{1000, 0})    // 150
		w.mustReserve("c", eve, Tokens{10, 10})
		u := w.today()
		owl, fox := u.Accounts["owl"], u.Accounts["fox"]
		if u.Day != "2026-03-01" || !u.Renews.Equal(time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)) || u.Replies != 2 ||
			u.Tokens != (Use{3000, 20, Unlimited}) || u.Money != (Use{900, 8, 9_000_000}) || len(u.Accounts) != 2 ||
			owl != (AccountUsage{2, Use{3000, 0, 5000}, Use{900, 0, Unlimited}}) ||
			fox != (AccountUsage{0, Use{0, 20, 5000}, Use{0, 8, Unlimited}}) ||
			len(u.Features) != 1 || u.Features["persona"] != (FeatureUsage{2, 3000, 900}) {
			t.Errorf("%+v", u)
		}
	}, Migrations())
}

func TestCostIsRoundedUpOnceForAKey(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := setup(t, s, func(c *Config) { c.Prices, c.Limits.MoneyPerDay = Prices{Prompt: 1, Completion: 1, Set: true}, 1 })
		w.mustReserve("a", ada, Tokens{500, 500})
		for range 10 {
			w.charge("a", Tokens{50, 50})
			w.mustReserve("a", ada, Tokens{}) // after a crash
		}
		w.settle("a")
		if u := w.today(); u.Money != (Use{1, 0, 1}) {
			t.Errorf("%+v", u.Money)
		}
	}, Migrations())
}

func TestCost(t *testing.T) {
	t.Parallel()
	p := Prices{Prompt: 150_000, Completion: 600_000, Set: true}
	for _, test := range []struct {
		p    Prices
		t    Tokens
		want Money
	}{
		{p, Tokens{}, 0},
		{p, Tokens{1, 0}, 1},
		{p, Tokens{1_000_000, 1_000_000}, 750_000},
		{p, Tokens{7, 0}, 2},
		{Prices{150_000, 600_000, false}, Tokens{1_000_000, 0}, 0},
		{Prices{-5, 600_000, true}, Tokens{1_000_000, 0}, 0},
		{Prices{math.MaxInt64, math.MaxInt64, true}, Tokens{mostTokens, mostTokens}, mostMoney},
		{Prices{1, 1, true}, Tokens{mostTokens, mostTokens}, 2000},
	} {
		if got := test.p.cost(test.t); got != test.want {
			t.Errorf("%v at %v: %d, want %d", test.t, test.p, got, test.want)
		}
	}
	if got := (Tokens{math.MinInt64, math.MaxInt64}).sane(); got != (Tokens{0, mostTokens}) {
		t.Errorf("%v", got)
	}
	for chars, want := range map[int]int64{-1: 0, 0: 0, 1: 1, 4: 1, 5: 2, 8: 2, math.MaxInt: math.MaxInt64/4 + 1} {
		if got := Estimate(chars); got != want {
			t.Errorf("Estimate(%d) = %d, want %d", chars, got, want)
		}
	}
	for m, want := range map[Money]string{0: "0.00", 1: "0.000001", 1_500_000: "1.50", 123_456_789: "123.456789", 10_000: "0.01",
		1000: "0.001", -2_000_001: "-2.000001", math.MinInt64: "-9223372036854.775808"} {
		if got := m.String(); got != want {
			t.Errorf("%d is %q, want %q", int64(m), got, want)
		}
	}
}
