package operator

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"rookery/internal/clock"
	"rookery/internal/community"
	"rookery/internal/fedi"
	"rookery/internal/inbox"
	"rookery/internal/outbox"
	"rookery/internal/sim/fedisim"
	"rookery/internal/store"
	"rookery/internal/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type world struct {
	testing.TB
	sim      *fedisim.Server
	bots     []*fedisim.Account
	me       *fedisim.Account
	clock    *clock.Manual
	fedi     *fedi.Fedi
	outbox   *outbox.Outbox
	operator *Operator
}

// each runs a test on both databases, with two accounts that are not logged in
// yet.
func each(t *testing.T, fn func(w *world)) {
	t.Helper()
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := &world{TB: t, clock: clock.NewManual(time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC))}
		log := slog.New(slog.DiscardHandler)
		w.sim = fedisim.New(fedisim.Options{Clock: w.clock.Now})
		if err := w.sim.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(w.sim.Close)
		w.me = w.sim.AddAccount("me")
		var logins []fedi.LoginConfig
		for _, name := range []string{"elelem", "gallery"} {
			a := w.sim.AddAccount(name, fedisim.Bot())
			w.bots = append(w.bots, a)
			logins = append(logins, fedi.LoginConfig{Name: name, Server: w.sim.URL(), Token: a.Token, Poll: time.Second, NoRateLimits: true})
		}
		w.outbox = outbox.New(outbox.Config{Store: s, Clock: w.clock, Log: log})
		w.operator = New(Config{Store: s, Outbox: w.outbox, Clock: w.clock, Log: log, Fediverse: "me@" + w.sim.Domain(), Language: "en",
			Connected: func() []community.AccountID { return w.fedi.Connected() }})
		var err error
		w.fedi, err = fedi.NewFedi(fedi.Config{Store: s, Inbox: inbox.New(s, w.clock, log), Outbox: w.outbox, Clock: w.clock, Log: log, Logins: logins})
		if err != nil {
			t.Fatal(err)
		}
		fn(w)
	}, inbox.Migrations(), outbox.Migrations(), fedi.Migrations(), Migrations())
}

func (w *world) round() {
	w.Helper()
	if err := w.fedi.PollOnce(w.Context()); err != nil {
		w.Fatal(err)
	}
	if err := w.operator.Flush(w.Context()); err != nil {
		w.Fatal(err)
	}
	if _, err := w.outbox.Sweep(w.Context()); err != nil {
		w.Fatal(err)
	}
}

// told are the messages that the operator has, the oldest first, and by whom.
func (w *world) told() (texts []string) {
	w.Helper()
	for _, n := range w.sim.Notifications(w.me.ID) {
		p, ok := w.sim.Post(n.PostID)
		if !ok || p.Visibility != "direct" || len(p.Mentions) != 1 || p.Mentions[0] != "me" {
			w.Errorf("a message that is %s and mentions %v", p.Visibility, p.Mentions)
		}
		texts = append(texts, p.Acct+": "+p.Text)
	}
	return texts
}

func TestSaidOnceUntilItIsOver(t *testing.T) {
	each(t, func(w *world) {
		w.round()
		say := func(want int) {
			w.Helper()
			for range 3 {
				w.operator.TellNow(w.Context(), Notice{Key: "model/down", Text: "The model is down. Run rookery doctor."})
			}
			w.round()
			if got := w.told(); len(got) != want {
				w.Errorf("told %d times, not %d: %q", len(got), want, got)
			}
		}
		say(1)
		say(1)
		if err := w.operator.Over(w.Context(), "model/down"); err != nil {
			w.Fatal(err)
		}
		w.clock.Advance(time.Second)
		say(2)
	})
}

// With nobody logged in, the message waits for an account that can send it.
func TestUnsentMessageWaitsForAnAccount(t *testing.T) {
	each(t, func(w *world) {
		w.operator.TellNow(w.Context(), Notice{Key: "disk", Text: "The disk is full."})
		if got := w.told(); len(got) != 0 {
			w.Fatalf("told %q", got)
		}
		w.round()
		if got := w.told(); len(got) != 1 {
			w.Errorf("told %q", got)
		}
	})
}

// The account that is in trouble is not the one to tell of it.
func TestAnotherAccountTells(t *testing.T) {
	each(t, func(w *world) {
		w.round()
		ids := w.fedi.Connected()
		for _, id := range ids {
			w.operator.TellNow(w.Context(), Notice{Key: "token/" + string(id), Text: "Make a new token.", Not: id})
			w.clock.Advance(time.Second)
		}
		w.round()
		all := strings.Join(w.told(), "\n")
		if !strings.Contains(all, "elelem: ") || !strings.Contains(all, "gallery: ") || len(w.told()) != 2 {
			w.Errorf("told %q", all)
		}
	})
}

// A notice names handles and may be long; it reaches the operator and nobody
// else, whole.
func TestNoticeMentionsTheOperatorAlone(t *testing.T) {
	each(t, func(w *world) {
		w.round()
		other := w.sim.AddAccount("ada")
		text := "The token belonged to @ada and ada@" + w.sim.Domain() + ". " + strings.Repeat("Put it back, please. ", 60) + "The end."
		w.operator.TellNow(w.Context(), Notice{Key: "token/elelem", Text: text})
		w.round()
		all := strings.Join(w.told(), " ")
		if n := len(w.sim.Notifications(other.ID)); n != 0 {
			w.Errorf("%d notifications of another", n)
		}
		if strings.Count(all, "please.") != 60 || !strings.Contains(all, "The end.") {
			w.Errorf("told %q", all)
		}
	})
}

func TestWithoutAHandleItIsOnlyLogged(t *testing.T) {
	each(t, func(w *world) {
		var log strings.Builder
		w.operator.Fediverse = ""
		w.operator.Log = slog.New(slog.NewTextHandler(&log, nil))
		w.round()
		if err := w.operator.Store.Write(w.Context(), func(ctx context.Context, tx store.Tx) error {
			return w.operator.Tell(ctx, tx, Notice{Key: "disk", Text: "The disk is full."})
		}); err != nil {
			w.Fatal(err)
		}
		w.round()
		if len(w.told()) != 0 || strings.Count(log.String(), "The disk is full.") != 1 {
			w.Errorf("told %q, logged %s", w.told(), log.String())
		}
	})
}

// What nobody calls over is forgotten in time; a trouble that lasts is not.
func TestPrune(t *testing.T) {
	each(t, func(w *world) {
		w.round()
		for _, key := range []string{"budget/day", "refused/1", "gallery/letter/abc", "gallery/delete/abc", "token/elelem"} {
			w.operator.TellNow(w.Context(), Notice{Key: key, Text: "A notice."})
		}
		for _, step := range []struct {
			after time.Duration
			kept  int64
		}{{34 * 24 * time.Hour, 5}, {2 * 24 * time.Hour, 3}, {53 * 24 * time.Hour, 3}, {2 * 24 * time.Hour, 1}} {
			w.clock.Advance(step.after)
			if err := w.operator.Prune(w.Context()); err != nil {
				w.Fatal(err)
			}
			var n int64
			if err := w.operator.Store.QueryRow(w.Context(), `select count(*) from operator_notice`).Scan(&n); err != nil || n != step.kept {
				w.Errorf("%d notices are kept, not %d, %v", n, step.kept, err)
			}
		}
	})
}
