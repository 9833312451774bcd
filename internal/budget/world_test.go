package budget

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"testing"
	"time"
	_ "time/tzdata" // for systems that have none

	"rookery/internal/clock"
	"rookery/internal/store"
)

var (
	ada = Spender{Feature: "persona", Account: "owl", Member: "ada@art.example"}
	bob = Spender{Feature: "persona", Account: "owl", Member: "bob@art.example"}
	eve = Spender{Feature: "persona", Account: "fox", Member: "eve@art.example", Guild: "g1"}
)

var none = Limits{Unlimited, Unlimited, Unlimited, Unlimited, Unlimited, Unlimited, Unlimited, Unlimited, Unlimited}

func logTo(to io.Writer) *slog.Logger { return slog.New(slog.NewTextHandler(to, nil)) }

// world is a budget on a real database with a clock of its own.
type world struct {
	testing.TB
	*Budget
	s     *store.Store
	clock *clock.Manual
	told  []Notice
}

func setup(t testing.TB, s *store.Store, change func(*Config)) *world {
	w := &world{TB: t, s: s, clock: clock.NewManual(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))}
	c := Config{Store: s, Clock: w.clock, Log: slog.New(slog.DiscardHandler), Limits: none, Currency: "USD",
		Prices: Prices{Prompt: 150_000, Completion: 600_000, Set: true},
		Notify: func(_ context.Context, _ store.Tx, n Notice) error {
			w.told = append(w.told, n)
			return nil
		}}
	change(&c)
	w.Budget = New(c)
	return w
}

// do runs fn in a transaction of its own, which is kept also if fn ends with
// *Exceeded, as the callers do.
func (w *world) do(fn func(ctx context.Context, tx store.Tx) error) error {
	w.Helper()
	var over *Exceeded
	err := w.s.Write(context.Background(), func(ctx context.Context, tx store.Tx) error {
		over = nil
		err := fn(ctx, tx)
		if errors.As(err, &over) {
			return nil
		}
		return err
	})
	if err != nil {
		w.Fatal(err)
	}
	if over != nil {
		return over
	}
	return nil
}

// reserve reports what stood in the way, if anything did.
func (w *world) reserve(key string, who Spender, most Tokens) *Exceeded {
	w.Helper()
	err := w.do(func(ctx context.Context, tx store.Tx) error { return w.Reserve(ctx, tx, key, who, most) })
	var over *Exceeded
	errors.As(err, &over)
	return over
}

func (w *world) mustReserve(key string, who Spender, most Tokens) {
	w.Helper()
	if over := w.reserve(key, who, most); over != nil {
		w.Fatal(over)
	}
}

// reply reserves, charges and settles.
func (w *world) reply(key string, who Spender, used Tokens) {
	w.Helper()
	w.mustReserve(key, who, used)
	w.charge(key, used)
	w.settle(key)
}

func (w *world) charge(key string, used Tokens) {
	w.Helper()
	_ = w.do(func(ctx context.Context, tx store.Tx) error { return w.Charge(ctx, tx, key, used) })
}

func (w *world) settle(key string) {
	w.Helper()
	_ = w.do(func(ctx context.Context, tx store.Tx) error { return w.Settle(ctx, tx, key) })
}

func (w *world) release(key string) {
	w.Helper()
	_ = w.do(func(ctx context.Context, tx store.Tx) error { return w.Release(ctx, tx, key) })
}

func (w *world) forget(member string) {
	w.Helper()
	_ = w.do(func(ctx context.Context, tx store.Tx) error { return w.Forget(ctx, tx, member) })
}

func (w *world) quota(who Spender) Quota {
	w.Helper()
	q, err := w.Quota(context.Background(), who)
	if err != nil {
		w.Fatal(err)
	}
	return q
}

func (w *world) today() Usage {
	w.Helper()
	u, err := w.Today(context.Background())
	if err != nil {
		w.Fatal(err)
	}
	return u
}

// want compares the day's tokens: used and held.
func (w *world) want(used, held int64) {
	w.Helper()
	if got := w.today().Tokens; got.Used != used || got.Held != held {
		w.Errorf("used %d, held %d; want %d and %d", got.Used, got.Held, used, held)
	}
}
