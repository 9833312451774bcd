package budget

import (
	"context"
	"time"

	"rookery/internal/community"
	"rookery/internal/store"
	"rookery/internal/words"
)

// Notice says that a budget of the day or of an account is nearly or wholly
// used.
type Notice struct {
	Scope    Scope // OfDay or OfAccount
	Unit     Unit  // InTokens or InMoney
	Account  community.AccountID
	Percent  int // 80; or 100: it no longer suffices
	Used     int64
	Limit    int64
	Currency string
	Day      string    // YYYY-MM-DD
	Renews   time.Time // in the budget's time zone
}

// near is the percentage that is told of before the end; see reached.
const near = 80

// Say is the notice for the operator. account is what the operator calls the
// account that it is about.
func (n Notice) Say(l words.Language, account string) string {
	var scope words.Key
	switch {
	case n.Scope == OfAccount && n.Unit == InMoney:
		scope = words.OperatorScopeAccountMoney
	case n.Scope == OfAccount:
		scope = words.OperatorScopeAccountTokens
	case n.Unit == InMoney:
		scope = words.OperatorScopeMoney
	default:
		scope = words.OperatorScopeTokens
	}
	a := words.Args{
		"scope":   words.Phrase{Key: scope, Args: words.Args{"account": account}},
		"percent": n.Percent, "used": n.Used, "limit": n.Limit, "time": n.Renews,
	}
	if n.Unit == InMoney {
		a["used"], a["limit"] = Money(n.Used).String()+" "+n.Currency, Money(n.Limit).String()+" "+n.Currency
	}
	if n.Percent >= 100 {
		return l.Say(words.OperatorBudgetSpent, a)
	}
	return l.Say(words.OperatorBudgetNear, a)
}

// reached gives the notice that goes with what is used of a limit, if any.
func (b *Budget) reached(ctx context.Context, tx store.Tx, d day, l limit, used int64) error {
	switch {
	case used >= l.most:
		return b.notice(ctx, tx, d, l.scope, l.name.name, l.unit, 100, used, l.most)
	case used >= l.most-l.most/5: // 80 %, for any size of number
		return b.notice(ctx, tx, d, l.scope, l.name.name, l.unit, near, used, l.most)
	}
	return nil
}

// notice is given once a day for each limit and percentage, and the lower one
// not after the higher one. Who set a limit of nothing needs none.
func (b *Budget) notice(ctx context.Context, tx store.Tx, d day, scope Scope, name string, unit Unit, percent int, used, most int64) error {
	if scope != OfDay && scope != OfAccount || most <= 0 {
		return nil
	}
	first := false
	for _, p := range []int{near, 100} {
		if p > percent {
			break
		}
		n, err := tx.Exec(ctx, `insert into budget_notice (day, scope, name, unit, percent) values ($1, $2, $3, $4, $5) on conflict do nothing`,
			string(d), string(scope), name, string(unit), int64(p))
		if err != nil {
			return err
		}
		first = n == 1
	}
	if !first {
		return nil
	}
	n := Notice{Scope: scope, Unit: unit, Percent: percent, Used: used, Limit: most, Currency: b.Currency, Day: string(d), Renews: b.renews(d)}
	if scope == OfAccount {
		n.Account = community.AccountID(name)
	}
	tx.AfterCommit(func() {
		text := "a budget is nearly used"
		if percent >= 100 {
			text = "a budget no longer suffices for an answer"
		}
		b.Log.Warn(text, "scope", n.Scope, "account", n.Account, "unit", n.Unit, "used", n.Used, "limit", n.Limit, "renews", n.Renews)
	})
	if b.Notify == nil {
		return nil
	}
	return b.Notify(ctx, tx, n)
}
