package fedi

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"rookery/internal/community"
	"rookery/internal/inbox"
	"rookery/internal/outbox"
	"rookery/internal/sim/fedisim"
	"rookery/internal/store"
	"rookery/internal/store/storetest"
)

// replies answers every mention with a post, and has the notification
// dismissed once it stands.
type replies struct {
	outbox *outbox.Outbox
	fedi   func() *Fedi

	mu    sync.Mutex
	asked []community.Mention
}

func (*replies) Name() string                                              { return "replies" }
func (*replies) Wake(context.Context, store.Tx, community.AccountID) error { return nil }
func (*replies) Wants(community.Mention) (bool, string)                    { return true, "" }

func (r *replies) Accept(ctx context.Context, tx store.Tx, id inbox.ID, m community.Mention) error {
	_, err := r.outbox.Plan(ctx, tx, outbox.Effect{Key: "reply:" + string(id), Feature: r.Name(), Kind: PostKind, Account: m.Account, Lane: "reply:" + string(id),
		Payload: PostPayload{Parts: []string{"@" + m.Post.Author.Acct + " hello"}, Visibility: m.Post.Visibility.ForReply(), InReplyTo: m.Post.ID, Dismiss: m.Notification}})
	tx.AfterCommit(func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.asked = append(r.asked, m)
	})
	return err
}

func (r *replies) ended(_ context.Context, tx store.Tx, e outbox.Result) error {
	tx.AfterCommit(func() {
		if e.State == outbox.Confirmed {
			r.fedi().DismissLater(e.Account, "1") // any id: the request is what counts
		}
	})
	return nil
}

// TestHoursUnderMastodonsLimits has a busy account live through 7 hours of
// mentions, replies, threads, deletions, dismissals, polls, sweeps, faults and
// streams that come and go, on a server with Mastodon's true limits. The
// server must never have to refuse a request for being one too many, and what
// had to wait must be done in the end.
func TestHoursUnderMastodonsLimits(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes a while")
	}
	t.Parallel()
	const token = "a-t0ken"
	var (
		clk     = newTestClock(start)
		log     = slog.New(slog.DiscardHandler)
		rnd     = rand.New(rand.NewPCG(1, 2))
		mu      sync.Mutex
		tooMany = map[string]int{}
		streams = 0
	)
	sim := fedisim.New(fedisim.Options{Clock: clk.Now, RateLimits: true, Observe: func(x fedisim.Exchange) {
		mu.Lock()
		defer mu.Unlock()
		if x.Status == 429 {
			tooMany[x.Method+" "+x.Path]++
		}
	}})
	if err := sim.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sim.Close)
	bot, ada := sim.AddAccount("elelem", fedisim.Bot(), fedisim.WithToken(token)), sim.AddRemote("ada@far.example")
	db := storetest.Open(t, storetest.Config(t, store.SQLite), inbox.Migrations(), outbox.Migrations(), Migrations())
	box := outbox.New(outbox.Config{Store: db, Clock: clk, Log: log})
	var f *Fedi
	r := &replies{outbox: box, fedi: func() *Fedi { return f }}
	box.Own(r.Name(), r.ended)
	var held [families]bool
	f, err := NewFedi(Config{Store: db, Inbox: inbox.New(db, clk, log), Outbox: box, Clock: clk, Log: log,
		Observe: func(q Request) {
			if q.Class != Rate || q.Status != 0 {
				return
			}
			mu.Lock()
			defer mu.Unlock()
			for n, name := range familyNames {
				held[n] = held[n] || name == q.Family
			}
		},
		Logins: []LoginConfig{{Name: "elelem", Server: sim.URL(), Token: token, Poll: 5 * time.Second, MaxAge: 100 * time.Hour, Backlog: true, Features: []inbox.Feature{r}}}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { f.Run(ctx) })
	defer wg.Wait()
	defer cancel()

	var asks, doomed []string
	ask := func(n int) {
		for range n {
			p := ada.Post(fmt.Sprintf("@elelem@%s number %d", sim.Domain(), len(asks)))
			asks = append(asks, p.ID)
		}
	}
	// step lets time pass and then does what the rest of the program does.
	threads := 0
	step := func(d time.Duration) {
		clk.Advance(d)
		select {
		case <-clk.waits: // somebody has done its work and waits again
		case <-time.After(time.Millisecond): // or there was none to do
		}
		if _, err := box.Sweep(ctx); err != nil {
			t.Error(err)
		}
		r.mu.Lock()
		unread := r.asked[threads:]
		r.mu.Unlock()
		for _, m := range unread {
			if _, _, err := f.Thread(ctx, m.Account, m.Post.ID); err != nil {
				break // later
			}
			threads++
		}
	}
	deletions := func(n int) {
		err := db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
			for range n {
				key := "reply:" + string(inbox.IDOf(r.asked[len(doomed)].Account, r.asked[len(doomed)].Post))
				if _, err := box.Plan(ctx, tx, outbox.Effect{Key: "delete:" + key, Feature: "none", Kind: DeleteKind, Account: f.Connected()[0], Lane: key}); err != nil {
					return err
				}
				doomed = append(doomed, string(r.asked[len(doomed)].Post.ID))
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	fault := func() fedisim.Fault {
		all := []fedisim.Fault{fedisim.Fail(500).Stored(), fedisim.Reset().Stored(), fedisim.Reset(), fedisim.Fail(503), fedisim.Fail(502).Stored(), fedisim.Torn()}
		return all[rnd.IntN(len(all))]
	}
	for began := clk.Now(); clk.Now().Sub(began) < 7*time.Hour; {
		at := clk.Now().Sub(began)
		busy := at < time.Hour
		d := 2 * time.Minute
		if busy {
			d = 10 * time.Second
		}
		if rnd.IntN(4) == 0 {
			ask(1)
		}
		if busy && rnd.IntN(6) == 0 {
			ask(5) // more in the hour than may be posted
			sim.DropStreams([]int{0, 1001, 1012}[rnd.IntN(3)])
			streams++
		}
		if busy && rnd.IntN(10) == 0 {
			sim.Inject(fault().On("POST", "/api/v1/statuses"))
		}
		if busy && rnd.IntN(20) == 0 {
			sim.RefuseStreams(2, 503)
		}
		if before := at % (3 * time.Hour); before < d && at > time.Hour {
			deletions(50)
		}
		step(d)
	}
	sim.ClearFaults()
	counts := func() map[outbox.State]int {
		n, _, err := box.Counts(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	for n := 0; ; n++ {
		step(2 * time.Minute)
		c := counts()
		r.mu.Lock()
		all := len(r.asked) == len(asks) && threads == len(asks)
		r.mu.Unlock()
		if all && c[outbox.Planned]+c[outbox.Sent] == 0 {
			break
		}
		if n > 24*30 {
			t.Fatalf("a day later it is still not done: %d of %d taken in, %d threads read, effects %v", len(r.asked), len(asks), threads, c)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	if len(tooMany) != 0 {
		t.Errorf("the server had to refuse: %v", tooMany)
	}
	if !held[posting] || !held[deleting] || streams < 30 || len(asks) < 350 {
		t.Errorf("it was too quiet to prove anything: held back %v, %d streams cut, %d mentions", held, streams, len(asks))
	}
	gone := map[string]bool{}
	for _, id := range doomed {
		gone[id] = true
	}
	for _, id := range asks {
		stand := 0
		for _, p := range sim.Replies(id) {
			if p.Acct == bot.Acct && !p.Deleted {
				stand++
			}
		}
		if want := map[bool]int{false: 1, true: 0}[gone[id]]; stand != want {
			t.Errorf("%d replies to %s, want %d (deleted: %v)", stand, id, want, gone[id])
		}
	}
	t.Logf("%d mentions, %d deletions, %d requests, %d streams, over after %s", len(asks), len(doomed), sim.RequestCount(), sim.StreamsOpened(), clk.Now().Sub(start))
}
