package budget

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"rookery/internal/store"
	"rookery/internal/store/storetest"
	"rookery/internal/words"
)

func TestTheOperatorIsToldOnceADay(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := setup(t, s, func(c *Config) {
			c.Limits.TokensPerDay, c.Limits.TokensPerAccount, c.Limits.TokensPerMember, c.Prices = 1000, 500, 900, Prices{}
		})
		next := func(what string, want ...Notice) {
			t.Helper()
			if len(w.told) != len(want) {
				t.Fatalf("%s: %+v, want %d notices", what, w.told, len(want))
			}
			for i, n := range want {
				got := w.told[i]
				if got.Scope != n.Scope || got.Account != n.Account || got.Percent != n.Percent || got.Used != n.Used || got.Unit != InTokens {
					t.Errorf("%s: %+v, want %+v", what, got, n)
				}
			}
			w.told = nil
		}
		w.reply("1", ada, Tokens{399, 0})
		next("79.8 % of the account")
		w.reply("2", ada, Tokens{1, 0})
		next("80 %", Notice{Scope: OfAccount, Account: "owl", Percent: 80, Used: 400})
		w.reply("3", ada, Tokens{1, 0})
		next("once")
		w.reply("4", ada, Tokens{99, 0})
		next("100 %", Notice{Scope: OfAccount, Account: "owl", Percent: 100, Used: 500})
		if w.reserve("5", ada, Tokens{1, 0}) == nil {
			t.Error("beyond the limit")
		}
		next("told already")

		// Only held by others: no notice, for it will pass.
		w.mustReserve("6", eve, Tokens{450, 0})
		if over := w.reserve("7", eve, Tokens{100, 0}); over == nil || !over.Passing() {
			t.Errorf("%+v", over)
		}
		next("held by others")
		// One answer takes both at once past 80 %; the account's end comes first.
		w.charge("6", Tokens{500, 0})
		w.settle("6")
		next("at once", Notice{Scope: OfAccount, Account: "fox", Percent: 100, Used: 500}, Notice{Scope: OfDay, Percent: 100, Used: 1000})
		if w.reserve("8", Spender{}, Tokens{1, 0}) == nil {
			t.Error("beyond the limit")
		}
		next("told already")

		w.clock.Advance(24 * time.Hour)
		if over := w.reserve("9", Spender{Account: "owl"}, Tokens{501, 0}); over == nil || over.Passing() {
			t.Errorf("%+v", over)
		}
		next("it never fits", Notice{Scope: OfAccount, Account: "owl", Percent: 100, Used: 0})
		w.mustReserve("10", ada, Tokens{490, 0})
		w.charge("10", Tokens{490, 0})
		next("after the end was told")

		// What was reserved yesterday is no news today.
		w.mustReserve("11", eve, Tokens{450, 0})
		w.clock.Advance(24 * time.Hour)
		_ = w.reserve("12", ada, Tokens{1, 0})
		w.charge("11", Tokens{450, 0})
		next("yesterday's")
	}, Migrations())
}

func TestANoticeIsPartOfItsTransaction(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		refuse := errors.New("no")
		w := setup(t, s, func(c *Config) { c.Limits.TokensPerDay = 10 })
		notify := w.Notify
		w.Notify = func(ctx context.Context, tx store.Tx, n Notice) error { return refuse }
		w.mustReserve("a", ada, Tokens{10, 0})
		charge := func(ctx context.Context, tx store.Tx) error { return w.Charge(ctx, tx, "a", Tokens{10, 0}) }
		if err := s.Write(t.Context(), charge); !errors.Is(err, refuse) {
			t.Errorf("error %v", err)
		}
		w.want(0, 10)
		w.Notify = notify
		if err := s.Write(t.Context(), charge); err != nil || len(w.told) != 1 {
			t.Errorf("error %v, notices %+v", err, w.told)
		}

		// Without anybody to tell it is logged alone.
		clear(t, s)
		var log strings.Builder
		w = setup(t, s, func(c *Config) { c.Limits.TokensPerDay, c.Notify, c.Log = 10, nil, logTo(&log) })
		w.reply("b", ada, Tokens{8, 0})
		if !strings.Contains(log.String(), "nearly used") {
			t.Errorf("log %q", log.String())
		}
	}, Migrations())
}

func TestWhatTheOperatorReads(t *testing.T) {
	t.Parallel()
	n := Notice{Scope: OfDay, Unit: InTokens, Percent: 80, Used: 160_000, Limit: 200_000, Currency: "USD",
		Renews: time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)}
	money := n
	money.Scope, money.Unit, money.Percent, money.Used, money.Limit = OfAccount, InMoney, 100, 1_600_000, 1_500_000
	for _, test := range []struct {
		n    Notice
		l    words.Language
		want string
	}{
		{n, words.English, "80 % of today's budget of tokens is used: 160,000 of 200,000. Once all"},
		{n, words.Russian, "Израсходовано 80 % сегодняшнего бюджета токенов: 160\u00a0000 из 200\u00a0000. Когда"},
		{money, words.English, "There was not enough left of today's budget of money for the account owl for an answer: 1.60 USD of 1.50 USD is used. The next budget begins on 2 March, 00:00 (UTC)."},
		{money, words.Russian, "На очередной ответ не хватило сегодняшнего бюджета денег аккаунта owl: израсходовано 1.60 USD из 1.50 USD. Новый бюджет – 2 марта в 00:00 (UTC)."},
	} {
		if got := test.n.Say(test.l, "owl"); !strings.HasPrefix(got, test.want) || strings.ContainsAny(got, "{}") {
			t.Errorf("%q, want %q", got, test.want)
		}
	}
}
