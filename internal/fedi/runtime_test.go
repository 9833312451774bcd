package fedi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"rookery/internal/community"
	"rookery/internal/inbox"
	"rookery/internal/outbox"
	"rookery/internal/sim/apicheck"
	"rookery/internal/sim/fedisim"
	"rookery/internal/store"
	"rookery/internal/store/storetest"
)

// listens is a feature that wants everything and keeps it in memory.
type listens struct {
	mu    sync.Mutex
	heard []community.Mention
	told  chan struct{} // if set, gets a word for each
	held  chan struct{} // if set, nothing is accepted before it is closed
}

func (l *listens) hold(until chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.held = until
}

func (*listens) Name() string                                              { return "listens" }
func (*listens) Wake(context.Context, store.Tx, community.AccountID) error { return nil }

func (*listens) Wants(community.Mention) (bool, string) { return true, "" }
func (l *listens) Accept(_ context.Context, tx store.Tx, _ inbox.ID, m community.Mention) error {
	l.mu.Lock()
	held := l.held
	l.mu.Unlock()
	if held != nil {
		<-held
	}
	tx.AfterCommit(func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.heard = append(l.heard, m)
		select {
		case l.told <- struct{}{}:
		default: // nobody asked to be told
		}
	})
	return nil
}

func (l *listens) texts() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var s []string
	for _, m := range l.heard {
		s = append(s, m.Post.Text)
	}
	return strings.Join(s, "|")
}

// set is a server and our account on it.
type set struct {
	sim    *fedisim.Server
	bot    *fedisim.Account
	clock  *testClock
	store  *store.Store
	outbox *outbox.Outbox
	f      *Fedi
	ears   *listens
	change func(*Config) // before each start; nil for nothing
}

// begin makes the instance, whose time is the test's clock.
func begin(t *testing.T, profile fedisim.Profile, backlog bool) *set {
	t.Helper()
	k := &set{clock: newTestClock(time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)), ears: &listens{}}
	check := apicheck.FromEnv(t).Mastodon(t)
	k.sim = fedisim.New(fedisim.Options{Profile: profile, Clock: k.clock.Now, Observe: func(x fedisim.Exchange) {
		if profile != fedisim.Mastodon || x.Status == 413 { // answered before the body was read
			return
		}
		err := check.CheckRequest(x.Method, x.Path, x.Query, x.ReqContentType, x.ReqBody)
		if err != nil && strings.HasSuffix(err.Error(), "body: not described: $.media_attributes") {
			return // described as a form's field, "media_attributes[]", of JSON too
		}
		if err != nil && !strings.Contains(x.Path, "nodeinfo") && x.Path != streamPath {
			t.Errorf("the bot's request %s %s?%s: %v", x.Method, x.Path, x.Query, err)
		}
	}})
	if err := k.sim.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.sim.Close)
	k.bot = k.sim.AddAccount("elelem", fedisim.Bot())
	k.store = storetest.Open(t, storetest.Config(t, store.SQLite), inbox.Migrations(), outbox.Migrations(), Migrations())
	k.restart(t, backlog)
	return k
}

// restart is another process on the same database.
func (k *set) restart(t *testing.T, backlog bool) {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	k.outbox = outbox.New(outbox.Config{Store: k.store, Clock: k.clock, Log: log})
	c := Config{Store: k.store, Inbox: inbox.New(k.store, k.clock, log), Outbox: k.outbox, Clock: k.clock, Log: log,
		UserAgent: "Rookery/test", Logins: []LoginConfig{{Name: "elelem", Server: k.sim.URL(), Token: k.bot.Token, Poll: time.Second,
			MaxAge: 24 * time.Hour, Backlog: backlog, Features: []inbox.Feature{k.ears}, NoRateLimits: true}}}
	if k.change != nil {
		k.change(&c)
	}
	f, err := NewFedi(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, l := range f.logins {
			l.client.Close()
		}
	})
	k.f = f
}

func (k *set) poll(t *testing.T) {
	t.Helper()
	if err := k.f.PollOnce(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func (k *set) id() community.AccountID { return k.f.Connected()[0] }

func eachProfile(t *testing.T, fn func(t *testing.T, p fedisim.Profile)) {
	for _, p := range fedisim.Profiles() {
		t.Run(string(p), func(t *testing.T) {
			t.Parallel()
			fn(t, p)
		})
	}
}

func TestFirstStartBeginsAtNowAndMentionsAreTakenOnce(t *testing.T) {
	eachProfile(t, func(t *testing.T, p fedisim.Profile) {
		k := begin(t, p, false)
		ada, ben := k.sim.AddAccount("ada"), k.sim.AddRemote("ben@other.example")
		to := "@elelem@" + k.sim.Domain()
		ada.Post(to + " before")
		k.clock.Advance(time.Minute)
		k.poll(t)
		k.clock.Advance(time.Minute)
		ada.Post(to + " public")
		ben.Post(to+" quietly", fedisim.As("direct"))
		noise := k.bot.Post("a post of ours")
		ada.Favourite(noise.ID)
		ben.Boost(noise.ID)
		ada.Follow(k.bot)
		for range 3 {
			k.poll(t)
			k.clock.Advance(time.Second)
		}
		k.restart(t, false)
		k.poll(t)
		got := k.ears.texts()
		if n := strings.Count(got, "|") + 1; n != 2 || !strings.Contains(got, "public") || !strings.Contains(got, "quietly") {
			t.Errorf("heard %q", got)
		}
		for _, m := range k.ears.heard {
			if want := map[bool]community.Visibility{true: community.Direct, false: community.Public}[strings.Contains(m.Post.Text, "quietly")]; m.Post.Visibility != want {
				t.Errorf("%q is %s", m.Post.Text, m.Post.Visibility)
			}
			if m.Post.ID == "" || m.Post.URI == "" || m.Notification == "" || m.Notified.IsZero() || !strings.Contains(m.Post.Author.Handle, "@") {
				t.Errorf("%+v", m)
			}
		}
	})
}

func TestIDsThatAppearLateAreNotSkipped(t *testing.T) {
	k := begin(t, fedisim.Mastodon, false)
	ada := k.sim.AddAccount("ada")
	k.poll(t)
	k.clock.Advance(time.Second)
	ada.Post("@elelem overtaken", fedisim.HoldNotification())
	k.clock.Advance(time.Second)
	ada.Post("@elelem overtaking")
	k.poll(t)
	k.clock.Advance(5 * time.Minute)
	k.poll(t)
	k.sim.ReleaseNotifications()
	k.poll(t)
	if got := k.ears.texts(); !strings.Contains(got, "overtaken") {
		t.Errorf("heard %q", got)
	}
}

func TestBacklogIsWalkedBackAndTheCursorFollows(t *testing.T) {
	eachProfile(t, func(t *testing.T, p fedisim.Profile) {
		k := begin(t, p, true)
		ada := k.sim.AddAccount("ada")
		many := 300
		if p == fedisim.Snac {
			many = 60 // it lists no more
		}
		for i := range many {
			ada.Post(fmt.Sprintf("@elelem number %d", i))
			k.clock.Advance(10 * time.Second)
		}
		k.clock.Advance(time.Hour)
		k.poll(t)
		if n := len(k.ears.heard); n != many {
			t.Fatalf("%d taken in, want %d", n, many)
		}
		before := k.sim.RequestCount()
		k.poll(t)
		if n := k.sim.RequestCount() - before; n > 4 {
			t.Errorf("a poll without news made %d requests", n)
		}
		ada.Post("@elelem one more")
		k.poll(t)
		if n := len(k.ears.heard); n != many+1 {
			t.Errorf("%d taken in, want %d", n, many+1)
		}
	})
}

func TestTroubleOnTheWayLosesNothing(t *testing.T) {
	const list = "/api/v1/notifications"
	for name, fault := range map[string]fedisim.Fault{
		"html": fedisim.WebPage(200), "500": fedisim.Fail(500), "nothing": fedisim.Empty(), "10 MB": fedisim.Huge(),
		"torn": fedisim.Torn(), "half": fedisim.Truncated(), "429": fedisim.TooMany(fedisim.RetryNothing, time.Second), "reset": fedisim.Reset(),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := begin(t, fedisim.Mastodon, false)
			ada := k.sim.AddAccount("ada")
			k.poll(t)
			k.clock.Advance(time.Second)
			ada.Post("@elelem are you there?")
			k.sim.Inject(fault.On("GET", list).Times(2))
			if err := k.f.PollOnce(t.Context()); err == nil {
				t.Error("no error")
			} else if len(err.Error()) > 1000 {
				t.Errorf("the error has %d characters", len(err.Error()))
			}
			k.sim.ClearFaults()
			k.clock.Advance(20 * time.Minute)
			k.poll(t)
			if got := k.ears.texts(); !strings.Contains(got, "are you there?") {
				t.Errorf("heard %q", got)
			}
		})
	}
}

func TestRevokedTokenSaysWhatToDo(t *testing.T) {
	k := begin(t, fedisim.Mastodon, false)
	k.f.logins[0].TokenHelp = "make a new token"
	k.sim.Revoke(k.bot.Token)
	err := k.f.PollOnce(t.Context())
	if ClassOf(err) != Auth || !strings.Contains(err.Error(), "make a new token") || strings.Contains(err.Error(), k.bot.Token) {
		t.Errorf("err = %v", err)
	}
}

// attempt is one of the outbox's.
func attempt(t *testing.T, k *set, p PostPayload) outbox.Attempt {
	t.Helper()
	b, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	return outbox.Attempt{Effect: "e", Account: k.id(), Payload: b, Key: outbox.NewKey(), First: k.clock.Now()}
}

func anyID(context.Context, string) (bool, error) { return true, nil }

func TestFindFindsWhatStandsAndNothingElse(t *testing.T) {
	eachProfile(t, func(t *testing.T, p fedisim.Profile) {
		for _, v := range []string{"public", "direct"} {
			k := begin(t, p, false)
			ada := k.sim.AddAccount("ada")
			k.poll(t)
			ask := ada.Post("@elelem hello?", fedisim.As(v))
			k.bot.Post("@ada an older answer to something else")
			k.clock.Advance(time.Minute)
			kind := postKind{k.f}
			a := attempt(t, k, PostPayload{Parts: []string{"@ada hello"}, Visibility: community.Visibility(v).ForReply(), InReplyTo: community.PostID(ask.ID)})
			found, err := kind.Find(t.Context(), a, anyID)
			if err != nil || found.ID != "" || found.AsOf.IsZero() {
				t.Fatalf("%s, before it is sent: %+v, %v", v, found, err)
			}
			k.sim.Inject(fedisim.Reset().Stored().On("POST", "/api/v1/statuses"))
			_, err = kind.Send(t.Context(), a)
			if e, ok := errors.AsType[*outbox.SendError](err); !ok || e.Outcome != outbox.Unknown || e.Complete {
				t.Fatalf("a lost answer is %v", err)
			}
			found, err = kind.Find(t.Context(), a, anyID)
			replies := k.sim.Replies(ask.ID)
			if err != nil || len(replies) != 1 || found.ID != replies[0].ID {
				t.Errorf("%s: found %+v, %v; there are %d", v, found, err, len(replies))
			}
			none, err := kind.Find(t.Context(), a, func(context.Context, string) (bool, error) { return false, nil })
			if err != nil || none.ID != "" {
				t.Errorf("%s: another effect's post was found: %+v, %v", v, none, err)
			}
			a.First = a.First.Add(36 * time.Hour) // noted while our clock ran ahead
			found, err = kind.Find(t.Context(), a, anyID)
			if err != nil || found.ID != replies[0].ID {
				t.Errorf("%s, begun by a clock that ran ahead: %+v, %v", v, found, err)
			}
		}
	})
}

func TestOutcomesOfAPost(t *testing.T) {
	for name, c := range map[string]struct {
		fault fedisim.Fault
		want  outbox.SendError
	}{
		"500":     {fedisim.Fail(500), outbox.SendError{Outcome: outbox.Unknown, Complete: true}},
		"502":     {fedisim.Fail(502), outbox.SendError{Outcome: outbox.Unknown}},
		"cut":     {fedisim.Truncated(), outbox.SendError{Outcome: outbox.Unknown}},
		"html":    {fedisim.WebPage(200), outbox.SendError{Outcome: outbox.Unknown}},
		"429":     {fedisim.TooMany(fedisim.ResetISO, time.Minute), outbox.SendError{Outcome: outbox.NotSent}},
		"revoked": {fedisim.Revoked(), outbox.SendError{Outcome: outbox.NotSent}},
		"422":     {fedisim.Fail(422), outbox.SendError{Outcome: outbox.Rejected}},
		"404":     {fedisim.Fail(404), outbox.SendError{Outcome: outbox.Rejected}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := begin(t, fedisim.Mastodon, false)
			k.poll(t)
			k.sim.Inject(c.fault.On("POST", "/api/v1/statuses"))
			_, err := postKind{k.f}.Send(t.Context(), attempt(t, k, PostPayload{Parts: []string{"hello"}, Visibility: "unlisted"}))
			e, ok := errors.AsType[*outbox.SendError](err)
			if !ok || e.Outcome != c.want.Outcome || e.Complete != c.want.Complete {
				t.Errorf("err = %+v", err)
			}
		})
	}
}

func TestDeleteTakesAllPartsAndToleratesWhatIsGone(t *testing.T) {
	eachProfile(t, func(t *testing.T, p fedisim.Profile) {
		k := begin(t, p, false)
		k.poll(t)
		one, two := k.bot.Post("one"), k.bot.Post("two")
		k.bot.Delete(two.ID)
		a := outbox.Attempt{Account: k.id(), Made: []string{one.ID, two.ID}}
		if _, err := (deleteKind{k.f}).Send(t.Context(), a); err != nil {
			t.Error(err)
		}
		if got, ok := k.sim.Post(one.ID); ok && !got.Deleted {
			t.Error("one is still there")
		}
	})
}

func TestDeleteIsNotBelievedWithAnothersToken(t *testing.T) {
	k := begin(t, fedisim.Mastodon, false)
	k.poll(t)
	post := k.bot.Post("ours")
	id := k.id()
	k.sim.SwapToken(k.bot.Token, k.sim.AddAccount("other", fedisim.Bot()))
	_, err := deleteKind{k.f}.Send(t.Context(), outbox.Attempt{Account: id, Made: []string{post.ID}})
	if e, ok := errors.AsType[*outbox.SendError](err); !ok || e.Outcome != outbox.NotSent || !strings.Contains(err.Error(), "belongs to other") {
		t.Errorf("err = %v", err)
	}
}

func TestDismissalIsBestEffort(t *testing.T) {
	eachProfile(t, func(t *testing.T, p fedisim.Profile) {
		k := begin(t, p, false)
		ada := k.sim.AddAccount("ada")
		k.poll(t)
		k.clock.Advance(time.Second)
		ada.Post("@elelem hi")
		ada.Post("@elelem again")
		k.poll(t)
		for _, m := range k.ears.heard {
			k.f.DismissLater(k.id(), m.Notification)
		}
		k.f.Dismiss(t.Context())
		k.poll(t)
		if got := len(k.ears.heard); got != 2 {
			t.Errorf("%d mentions after the dismissal", got)
		}
		want := map[fedisim.Profile]int{fedisim.Mastodon: 2, fedisim.Akkoma: 2, fedisim.Sharkey: 2}[p]
		if got := len(k.sim.Dismissed(k.bot.ID)); got != want {
			t.Errorf("%d dismissed, want %d", got, want)
		}
	})
}

func TestRunServesOneAccountWhileAnothersServerHangs(t *testing.T) {
	k := begin(t, fedisim.Mastodon, true)
	k.ears.told = make(chan struct{}, 1)
	ada := k.sim.AddAccount("ada")
	ada.Post("@elelem hello")
	dead := fedisim.New(fedisim.Options{})
	if err := dead.Start(); err != nil {
		t.Fatal(err)
	}
	defer dead.Close()
	dead.Inject(fedisim.Hang().Always())
	log := slog.New(slog.DiscardHandler)
	f, err := NewFedi(Config{Store: k.store, Inbox: inbox.New(k.store, k.clock, log), Outbox: k.outbox, Clock: k.clock, Log: log,
		Logins: []LoginConfig{
			{Name: "dead", Server: dead.URL(), Token: "x", Poll: time.Second, Features: []inbox.Feature{k.ears}},
			{Name: "elelem", Server: k.sim.URL(), Token: k.bot.Token, Poll: time.Second, Backlog: true, Features: []inbox.Feature{k.ears}, NoRateLimits: true},
		}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { f.Run(ctx) })
	select {
	case <-k.ears.told:
	case <-time.After(time.Minute):
		t.Error("the other account is not served")
	}
	cancel()
	wg.Wait()
	if k.ears.texts() == "" {
		t.Error("nothing was heard")
	}
}
