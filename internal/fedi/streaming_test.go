package fedi

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"rookery/internal/sim/fedisim"
)

// run has Fedi at work until the test ends, or until stop is called.
func (k *set) run(t *testing.T) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	f := k.f
	wg.Go(func() { f.Run(ctx) })
	stop = func() {
		cancel()
		wg.Wait()
	}
	t.Cleanup(stop)
	return stop
}

// until waits for the simulated server to show something, with the clock
// moved on by step again and again meanwhile; 0 lets it stand still.
func (k *set) until(t *testing.T, what string, step time.Duration, cond func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if step > 0 {
		defer advancing(k.clock, step)()
	}
	if err := k.sim.WaitFor(ctx, func(*fedisim.Server) bool { return cond() }); err != nil {
		t.Fatalf("waiting in vain for: %s", what)
	}
}

// heard waits until so many mentions were taken in, with the clock moved on.
func (k *set) heard(t *testing.T, n int, step time.Duration) {
	t.Helper()
	if step > 0 {
		defer advancing(k.clock, step)()
	}
	for k.ears.count() < n {
		select {
		case <-k.ears.told:
		case <-time.After(time.Minute):
			t.Fatalf("%d mentions were taken in, want %d", k.ears.count(), n)
		}
	}
}

func (l *listens) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.heard)
}

// asked is how often the list of notifications was asked for.
func (k *set) asked() int {
	n := 0
	for _, r := range k.sim.Requests() {
		if r.Method == http.MethodGet && strings.HasPrefix(r.Path, "/api/v1/notifications") {
			n++
		}
	}
	return n
}

// streaming starts a set whose stream is open and whose catch-up poll is over.
func streaming(t *testing.T, p fedisim.Profile, change func(*Config)) *set {
	t.Helper()
	k := begin(t, p, false)
	k.ears.told = make(chan struct{}, 1)
	k.change = change
	k.restart(t, false)
	k.run(t)
	k.until(t, "the stream", 0, func() bool { return k.sim.OpenStreams() == 1 })
	polled := k.asked()
	k.until(t, "the poll after it", soonest, func() bool { return k.asked() > polled })
	return k
}

func TestStreamedMentionsAreTakenInWithoutAPoll(t *testing.T) {
	for _, p := range []fedisim.Profile{fedisim.Mastodon, fedisim.Akkoma, fedisim.GoToSocial} {
		t.Run(string(p), func(t *testing.T) {
			t.Parallel()
			k := streaming(t, p, nil)
			ada := k.sim.AddAccount("ada")
			k.bot.Post("noise")
			k.sim.RepeatEvents(1)
			// The clock stands still, but a poll that was due before may still be on
			// its way: then it is tried again.
			const tries = 5
			polled, heard := 0, 0
			for try := range tries {
				polled = k.asked()
				ada.Post("@elelem one")
				ada.Favourite(k.bot.Post("noise").ID)
				ada.Post("@elelem two")
				heard += 2
				k.heard(t, heard, 0)
				n := k.asked() - polled
				if n == 0 {
					break
				}
				if try == tries-1 {
					t.Errorf("%d polls", n)
				}
			}
			if got := k.ears.texts(); !strings.Contains(got, "one") || !strings.Contains(got, "two") {
				t.Errorf("heard %q", got)
			}
			if st := k.f.Status()[0]; !st.Streaming || !st.Connected || st.LastError != "" {
				t.Errorf("%+v", st)
			}
			// A poll brings the same again.
			k.until(t, "a poll", time.Second, func() bool { return k.asked() > polled })
			if n := k.ears.count(); n != heard {
				t.Errorf("%d mentions, want %d", n, heard)
			}
		})
	}
}

func TestServersWithoutAUsableStreamArePolled(t *testing.T) {
	for _, p := range []fedisim.Profile{fedisim.Snac, fedisim.Sharkey} {
		t.Run(string(p), func(t *testing.T) {
			t.Parallel()
			k := begin(t, p, false)
			k.ears.told = make(chan struct{}, 1)
			k.run(t)
			k.until(t, "a poll", 0, func() bool { return k.asked() > 0 })
			ada := k.sim.AddAccount("ada")
			for i := range 4 {
				k.clock.Advance(2 * time.Second)
				ada.Post(fmt.Sprintf("@elelem@%s number %d", k.sim.Domain(), i))
			}
			k.heard(t, 4, time.Second)
		})
	}
}

func TestPollsAreRareWhileAStreamIsOpen(t *testing.T) {
	t.Parallel()
	k := streaming(t, fedisim.Mastodon, func(c *Config) { c.Logins[0].NoRateLimits = false })
	before, began := k.asked(), k.clock.Now()
	k.until(t, "polls", time.Second, func() bool { return k.asked() >= before+4 })
	if passed := k.clock.Now().Sub(began); passed < 3*streamedPoll {
		t.Errorf("4 requests for the list within %s", passed)
	}
}

func TestHowOftenIsPolled(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		poll     time.Duration
		up       bool
		distrust int32
		asked    bool
		want     time.Duration
	}{
		"no stream":                 {10 * time.Second, false, 0, false, 10 * time.Second},
		"a stream":                  {10 * time.Second, true, 0, false, streamedPoll},
		"a stream, polled rarely":   {time.Minute, true, 0, false, time.Minute},
		"a stream, one overlooked":  {10 * time.Second, true, 1, false, streamedPoll},
		"a stream that is mute":     {10 * time.Second, true, 2, false, 10 * time.Second},
		"asked for, with a stream":  {10 * time.Second, true, 0, true, soonest},
		"asked for, without one":    {time.Minute, false, 0, true, soonest},
		"asked for, polled all day": {time.Second, true, 0, true, time.Second},
	} {
		l := &login{LoginConfig: LoginConfig{Poll: tc.poll}, streamUp: tc.up}
		l.distrust.Store(tc.distrust)
		l.asked.Store(tc.asked)
		if got := l.pollEvery(); got != tc.want {
			t.Errorf("%s: every %s, want %s", name, got, tc.want)
		}
	}
}

func TestWhatAStreamLosesPollsFind(t *testing.T) {
	for name, lose := range map[string]func(k *set, post func()){
		"it is cut":    func(k *set, post func()) { k.sim.DropStreams(0); post() },
		"it is closed": func(k *set, post func()) { k.sim.DropStreams(1001); post() },
		"it is refused for a while": func(k *set, post func()) {
			k.sim.RefuseStreams(5, 503)
			k.sim.DropStreams(0)
			post()
		},
		"it goes mute": func(k *set, post func()) { k.sim.StallStreams(); post() },
		"it freezes":   func(k *set, post func()) { k.sim.FreezeStreams(); post() },
		"junk comes in between": func(k *set, post func()) {
			k.bot.StreamText("junk")
			k.bot.StreamText(`{"event":"notification","payload":"{"}`)
			post()
		},
		"a message is too big": func(k *set, post func()) {
			k.bot.StreamText(`{"event":"notification","payload":"` + strings.Repeat("a", maxMessage) + `"}`)
			post()
		},
		"nothing but junk": func(k *set, post func()) {
			for range 2 * maxJunk {
				k.bot.StreamText("<html>")
			}
			post()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := streaming(t, fedisim.Mastodon, nil)
			ada := k.sim.AddAccount("ada")
			lose(k, func() { ada.Post("@elelem lost?") })
			k.heard(t, 1, time.Second)
		})
	}
}

func TestADeadStreamIsReplaced(t *testing.T) {
	t.Parallel()
	k := begin(t, fedisim.Mastodon, false)
	k.f.logins[0].client.pongWithin = 50 * time.Millisecond
	k.run(t)
	k.until(t, "the stream", 0, func() bool { return k.sim.OpenStreams() == 1 })
	k.sim.FreezeStreams()
	k.until(t, "another stream", time.Second, func() bool { return k.sim.StreamsOpened() == 2 })
}

func TestABurstThatIsTooMuchForTheQueueIsNotLost(t *testing.T) {
	t.Parallel()
	k := streaming(t, fedisim.Mastodon, nil)
	ada := k.sim.AddAccount("ada")
	hold := make(chan struct{})
	k.ears.hold(hold)
	const many = 3 * streamQueue
	for i := range many {
		ada.Post(fmt.Sprintf("@elelem number %d", i))
	}
	close(hold)
	k.heard(t, many, time.Second)
	if n := k.ears.count(); n != many {
		t.Errorf("%d mentions", n)
	}
}

func TestTheQueueIsBounded(t *testing.T) {
	t.Parallel()
	q := &streamed{c: make(chan told, streamQueue)}
	for range 100 {
		q.put(told{size: 1 << 20})
	}
	if n := len(q.c); n != streamBytes>>20+1 || !q.lost.Load() {
		t.Errorf("%d messages of 1 MB wait; lost: %v", n, q.lost.Load())
	}
	q = &streamed{c: make(chan told, streamQueue)}
	for range streamQueue + 1 {
		q.put(told{size: 10})
	}
	if len(q.c) != streamQueue || !q.lost.Load() || q.waiting.Load() != 10*streamQueue {
		t.Errorf("%d wait, %d bytes; lost: %v", len(q.c), q.waiting.Load(), q.lost.Load())
	}
}

func TestAServerWithoutStreamingIsAskedOnceADay(t *testing.T) {
	t.Parallel()
	for _, status := range []int{404, 405, 501} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			t.Parallel()
			k := begin(t, fedisim.Mastodon, false)
			began := k.clock.Now()
			refused := k.sim.RefuseStreams(-1, status)
			k.run(t)
			k.until(t, "the first try", 0, func() bool { return refused.Hits() == 1 })
			k.until(t, "the second try", 5*time.Minute, func() bool { return refused.Hits() == 2 })
			if passed := k.clock.Now().Sub(began); passed < streamless {
				t.Errorf("again after %s", passed)
			}
		})
	}
}

func TestAStreamThatEndsAtOnceForEverIsNotHammered(t *testing.T) {
	t.Parallel()
	k := begin(t, fedisim.Mastodon, false)
	l := k.f.logins[0]
	ended := &Error{Class: Transient, Message: "it ended"}
	tries := 0
	for began := k.clock.Now(); k.clock.Now().Sub(began) < time.Hour; tries++ {
		pause := l.reconnectIn(k.clock.Now(), ended)
		if pause < firstReconnect/2 || pause > lastReconnect {
			t.Fatalf("a pause of %s", pause)
		}
		k.clock.Advance(pause)
	}
	if tries < 8 || tries > 40 {
		t.Errorf("%d tries in an hour", tries)
	}
	if pause := l.reconnectIn(k.clock.Now().Add(-2*steady), ended); pause > 2*firstReconnect {
		t.Errorf("after a long life the first pause is %s", pause)
	}
	asked := &Error{Class: Rate, RetryAt: k.clock.Now().Add(time.Hour)}
	if pause := l.reconnectIn(time.Time{}, asked); pause != time.Hour {
		t.Errorf("a pause of %s, and the server asked for an hour", pause)
	}
}

func TestAStreamThatClosesAtOnceLeavesPollingAlone(t *testing.T) {
	t.Parallel()
	srv := streamer(t, func(_ context.Context, conn *websocket.Conn) { _ = conn.Close(websocket.StatusGoingAway, "") })
	k := begin(t, fedisim.Mastodon, false)
	k.ears.told = make(chan struct{}, 1)
	k.change = func(c *Config) { c.Logins[0].StreamURL = "ws" + strings.TrimPrefix(srv.URL, "http") }
	k.restart(t, false)
	k.run(t)
	k.until(t, "a poll", 0, func() bool { return k.asked() > 0 })
	ada := k.sim.AddAccount("ada")
	for i := range 3 {
		ada.Post("@elelem hello?")
		k.heard(t, i+1, time.Second)
	}
}

func TestStreamingCanBeSwitchedOff(t *testing.T) {
	t.Parallel()
	k := begin(t, fedisim.Mastodon, false)
	k.change = func(c *Config) { c.Logins[0].NoStream = true }
	k.restart(t, false)
	k.run(t)
	k.until(t, "polls", time.Second, func() bool { return k.asked() > 20 })
	if n := k.sim.StreamsOpened(); n != 0 {
		t.Errorf("%d streams were opened", n)
	}
}

func TestOnlyTheProcessThatPollsStreams(t *testing.T) {
	t.Parallel()
	k := begin(t, fedisim.Mastodon, false)
	first := k.f
	stop := k.run(t)
	k.until(t, "the stream", 0, func() bool { return k.sim.OpenStreams() == 1 })
	k.restart(t, false) // a second process on the same database
	k.run(t)
	k.until(t, "both at work", time.Second, func() bool { return k.f.Status()[0].Connected && k.asked() > 10 })
	if n := k.sim.StreamsOpened(); n != 1 {
		t.Errorf("%d streams were opened", n)
	}
	stop()
	k.until(t, "the second one's stream", time.Second, func() bool { return k.sim.StreamsOpened() == 2 && k.f.Status()[0].Streaming })
	if first.Status()[0].Streaming {
		t.Error("the first one says that it streams")
	}
}

func TestAStreamOnAnotherHostGetsTheMentionsToo(t *testing.T) {
	t.Parallel()
	k := streaming(t, fedisim.GoToSocial, func(c *Config) {
		c.Logins[0].StreamURL = strings.Replace(c.Logins[0].Server, "http://127.0.0.1", "ws://localhost", 1)
	})
	k.sim.AddAccount("ada").Post("@elelem hello")
	k.heard(t, 1, 0)
}
