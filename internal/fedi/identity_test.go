package fedi

import (
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"rookery/internal/clock"
	"rookery/internal/community"
	"rookery/internal/inbox"
	"rookery/internal/outbox"
	"rookery/internal/sim/fedisim"
	"rookery/internal/store"
	"rookery/internal/store/storetest"
)

// troubles gathers what Config.Trouble was told.
type troubles struct {
	mu   sync.Mutex
	told []TroubleKind
	last error
	more chan struct{}
}

func (r *troubles) hear(_ string, kind TroubleKind, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.told = append(r.told, kind)
	if err != nil {
		r.last = err
	}
	select {
	case r.more <- struct{}{}:
	default:
	}
}

// want waits, with the clock moved on, until exactly these were told.
func (r *troubles) want(t *testing.T, k *set, step time.Duration, kinds ...TroubleKind) {
	t.Helper()
	defer advancing(k.clock, step)()
	for {
		r.mu.Lock()
		told := r.told[:len(r.told):len(r.told)]
		r.mu.Unlock()
		if len(told) >= len(kinds) {
			same(t, told, kinds)
			return
		}
		select {
		case <-r.more:
		case <-time.After(time.Minute):
			t.Fatalf("told %v, want %v", told, kinds)
		}
	}
}

// troubled starts a set that is served, whose troubles are gathered.
func troubled(t *testing.T, p fedisim.Profile) (*set, *troubles) {
	t.Helper()
	k, r := begin(t, p, false), &troubles{more: make(chan struct{}, 1)}
	k.ears.told = make(chan struct{}, 1)
	k.change = func(c *Config) { c.Trouble = r.hear }
	k.restart(t, false)
	k.run(t)
	k.until(t, "a poll", time.Second, func() bool { return k.asked() > 0 })
	return k, r
}

func TestATokenOfAnotherAccountIsNotServed(t *testing.T) {
	t.Parallel()
	k := begin(t, fedisim.Mastodon, false)
	other, ada := k.sim.AddAccount("other", fedisim.Bot()), k.sim.AddAccount("ada")
	k.poll(t)
	id := k.id()
	right := k.bot.Token
	k.bot.Token = other.Token // what the configuration says from now on
	k.restart(t, false)
	k.clock.Advance(time.Second)
	ada.Post("@other hello")
	for range 2 {
		err := k.f.PollOnce(t.Context())
		e, ok := errors.AsType[*SwappedError](err)
		if !ok || ClassOf(err) != Auth {
			t.Fatalf("%v", err)
		}
		same(t, *e, SwappedError{Name: "elelem", Was: "elelem@" + k.sim.Domain(), Is: "other@" + k.sim.Domain()})
		for _, want := range []string{`"elelem"`, "elelem@", "other@", "another name in the configuration"} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%q does not say %q", err, want)
			}
		}
	}
	if got := k.f.Connected(); len(got) != 0 || k.ears.texts() != "" {
		t.Errorf("connected: %v, heard %q", got, k.ears.texts())
	}
	if _, err := (postKind{k.f}).Send(t.Context(), outbox.Attempt{Account: id, Payload: []byte(`{"parts":["x"]}`)}); !errors.Is(err, ErrNotConnected) {
		t.Errorf("a send is %v", err)
	}
	// The right token again.
	k.bot.Token = right
	k.restart(t, false)
	k.poll(t)
	// And the other account, under a name of its own.
	k.bot.Token = other.Token
	k.change = func(c *Config) { c.Logins[0].Name = "the other one" }
	k.restart(t, false)
	k.poll(t)
}

func TestItIsAskedEveryHourWhoseTheTokenIs(t *testing.T) {
	t.Parallel()
	k := begin(t, fedisim.Mastodon, false)
	k.poll(t)
	k.sim.SwapToken(k.bot.Token, k.sim.AddAccount("other", fedisim.Bot()))
	k.clock.Advance(recheckEvery - time.Second)
	k.poll(t) // not yet known
	k.clock.Advance(time.Second)
	if _, ok := errors.AsType[*SwappedError](k.f.PollOnce(t.Context())); !ok {
		t.Error("after an hour it is not noticed")
	}
}

func TestATokenThatIsSwappedWhileWeRunIsToldOnceAndSoIsItsReturn(t *testing.T) {
	t.Parallel()
	k, r := troubled(t, fedisim.Mastodon)
	id := k.id()
	k.sim.SwapToken(k.bot.Token, k.sim.AddAccount("other", fedisim.Bot()))
	r.want(t, k, time.Minute, TokenSwapped)
	if _, ok := errors.AsType[*SwappedError](r.last); !ok {
		t.Errorf("%v", r.last)
	}
	st := k.f.Status()[0]
	if st.Connected || st.Handle != "elelem@"+k.sim.Domain() || !strings.Contains(st.LastError, "other@") {
		t.Errorf("%+v", st)
	}
	if _, err := (deleteKind{k.f}).Send(t.Context(), outbox.Attempt{Account: id, Made: []string{"1"}}); !errors.Is(err, ErrNotConnected) {
		t.Errorf("a delete is %v", err)
	}
	k.sim.SwapToken(k.bot.Token, k.bot)
	r.want(t, k, time.Minute, TokenSwapped, ServedAgain)
	k.clock.Advance(time.Second)
	k.sim.AddAccount("ada").Post("@elelem hello again")
	k.heard(t, 1, time.Second)
}

func TestARevokedTokenIsToldOnceAndSoIsItsReturn(t *testing.T) {
	for _, p := range []fedisim.Profile{fedisim.Mastodon, fedisim.Akkoma, fedisim.GoToSocial, fedisim.Snac} {
		t.Run(string(p), func(t *testing.T) {
			t.Parallel()
			k, r := troubled(t, p)
			k.sim.Revoke(k.bot.Token)
			r.want(t, k, time.Minute, TokenRefused)
			polled := k.sim.RequestCount()
			k.until(t, "more tries", time.Minute, func() bool { return k.sim.RequestCount() > polled+3 })
			k.bot.Restore()
			r.want(t, k, time.Minute, TokenRefused, ServedAgain)
		})
	}
}

func TestAServerThatIsAwayForAnHourIsToldOnce(t *testing.T) {
	t.Parallel()
	k, r := troubled(t, fedisim.Mastodon)
	began := k.clock.Now()
	k.sim.Inject(fedisim.Fail(502).Always())
	r.want(t, k, time.Minute, Unreachable)
	if passed := k.clock.Now().Sub(began); passed < unreachableAfter {
		t.Errorf("told after %s", passed)
	}
	k.sim.ClearFaults()
	r.want(t, k, time.Minute, Unreachable, ServedAgain)
	// A short trouble is no news.
	k.sim.Inject(fedisim.Fail(502).Times(5))
	polled := k.sim.RequestCount()
	k.until(t, "polls", time.Minute, func() bool { return k.sim.RequestCount() > polled+10 })
	r.want(t, k, time.Minute, Unreachable, ServedAgain)
}

func TestNothingIsSentWhileTheTokenIsInDoubt(t *testing.T) {
	t.Parallel()
	k := begin(t, fedisim.Mastodon, false)
	k.poll(t)
	id, send := k.id(), func() error {
		_, err := postKind{k.f}.Send(t.Context(), attempt(t, k, PostPayload{Parts: []string{"hello"}, Visibility: "unlisted"}))
		return err
	}
	// The token is refused, and when it is taken again it is another's.
	k.sim.Inject(fedisim.Revoked().On("POST", "/api/v1/statuses"))
	if err := send(); ClassOf(err) != Auth {
		t.Fatalf("%v", err)
	}
	other := k.sim.AddAccount("other", fedisim.Bot())
	k.sim.SwapToken(k.bot.Token, other)
	err := send()
	if e, ok := errors.AsType[*outbox.SendError](err); !ok || e.Outcome != outbox.NotSent || ClassOf(err) != Auth {
		t.Errorf("in doubt: %v", err)
	}
	if err := k.f.PollOnce(t.Context()); ClassOf(err) != Auth {
		t.Errorf("%v", err)
	}
	if n := len(k.sim.PostsBy(other.ID)); n != 0 {
		t.Errorf("%d posts in the wrong name", n)
	}
	k.sim.SwapToken(k.bot.Token, k.bot)
	k.poll(t)
	if err := send(); err != nil || k.id() != id {
		t.Errorf("after the return: %v", err)
	}
}

func TestAkkomaSaysWithOneStatusWhatOthersSayWithMany(t *testing.T) {
	t.Parallel()
	send := func(k *set, parent string) error {
		_, err := postKind{k.f}.Send(t.Context(), attempt(t, k, PostPayload{Parts: []string{"@ada hello"}, Visibility: "unlisted", InReplyTo: community.PostID(parent)}))
		return err
	}
	t.Run("the parent is gone", func(t *testing.T) {
		t.Parallel()
		k := begin(t, fedisim.Akkoma, false)
		k.poll(t)
		ada := k.sim.AddAccount("ada")
		ask := ada.Post("@elelem hello?")
		ada.Delete(ask.ID)
		err := send(k, ask.ID)
		if e, ok := errors.AsType[*outbox.SendError](err); !ok || e.Outcome != outbox.Rejected || e.Reason != string(Gone) {
			t.Errorf("%v", err)
		}
	})
	t.Run("another 422", func(t *testing.T) {
		t.Parallel()
		k := begin(t, fedisim.Akkoma, false)
		k.poll(t)
		ask := k.sim.AddAccount("ada").Post("@elelem hello?")
		k.sim.Inject(fedisim.Fail(422).On("POST", "/api/v1/statuses"))
		err := send(k, ask.ID)
		if e, ok := errors.AsType[*outbox.SendError](err); !ok || e.Outcome != outbox.Rejected || e.Reason != string(Invalid) {
			t.Errorf("%v", err)
		}
	})
	t.Run("the token is revoked", func(t *testing.T) {
		t.Parallel()
		k := begin(t, fedisim.Akkoma, false)
		k.poll(t)
		ask := k.sim.AddAccount("ada").Post("@elelem hello?")
		k.sim.Revoke(k.bot.Token)
		err := send(k, ask.ID)
		if e, ok := errors.AsType[*outbox.SendError](err); !ok || e.Outcome != outbox.NotSent || ClassOf(err) != Auth {
			t.Errorf("%v", err)
		}
	})
}

func TestWhoANameStandsForIsKeptOnBothDatabases(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		clk := clock.NewManual(start)
		f, err := NewFedi(Config{Store: s, Inbox: inbox.New(s, clk, slog.New(slog.DiscardHandler)), Outbox: outbox.New(outbox.Config{Store: s, Clock: clk, Log: slog.New(slog.DiscardHandler)}),
			Clock: clk, Log: slog.New(slog.DiscardHandler), Logins: []LoginConfig{{Name: "one", Server: "https://a.example"}, {Name: "two", Server: "https://a.example"}}})
		if err != nil {
			t.Fatal(err)
		}
		one, two := f.logins[0], f.logins[1]
		row := func() (handle string, seen int64) {
			if err := s.QueryRow(t.Context(), `select handle, seen_at from fedi_account where name = 'one'`).Scan(&handle, &seen); err != nil {
				t.Fatal(err)
			}
			return handle, seen
		}
		step := func(l *login, id, acct, was string) {
			t.Helper()
			err := l.recognise(t.Context(), Account{ID: community.MemberID(id), Acct: acct})
			e, swapped := errors.AsType[*SwappedError](err)
			if swapped != (was != "") || !swapped && err != nil || swapped && e.Was != was {
				t.Errorf("%s as %s (%s): %v", l.Name, acct, id, err)
			}
		}
		step(one, "1", "ada", "")
		step(one, "1", "ada", "")
		if handle, seen := row(); handle != "ada@a.example" || seen != start.UnixMilli() {
			t.Errorf("%s, %d", handle, seen)
		}
		step(one, "2", "ben", "ada@a.example")
		step(two, "2", "ben", "")
		step(two, "1", "ada", "ben@a.example")
		clk.Advance(time.Hour)
		step(one, "1", "ada", "")
		if _, seen := row(); seen != start.UnixMilli() {
			t.Error("noted again within a day")
		}
		step(one, "1", "ada_renamed", "") // the same account under a new name
		if handle, seen := row(); handle != "ada_renamed@a.example" || seen != clk.Now().UnixMilli() {
			t.Errorf("%s, %d", handle, seen)
		}
		clk.Advance(24 * time.Hour)
		step(one, "1", "ada_renamed", "")
		if _, seen := row(); seen != clk.Now().UnixMilli() {
			t.Error("not noted after a day")
		}
	}, inbox.Migrations(), outbox.Migrations(), Migrations())
}
