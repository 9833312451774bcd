package fedisim_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/coder/websocket"

	"rookery/internal/sim/fedisim"
)

func TestEventsThatMisbehave(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fedisim.Options{})
	ada := w.s.AddAccount("ada")
	c := w.stream("user:notification", w.bot.Token)

	w.s.RepeatEvents(1)
	ada.Post("@elelem twice")
	ada.Post("@elelem once")
	if a, b, d := w.next(c), w.next(c), w.next(c); a.Payload != b.Payload || b.Payload == d.Payload {
		t.Errorf("got %+v, %+v, %+v", a, b, d)
	}

	var listed []note
	ada.Post("@elelem early", fedisim.StreamFirst())
	early := w.next(c).note(t)
	w.get("/api/v1/notifications?min_id=2", &listed)
	if len(listed) != 0 || early.ID != "3" {
		t.Errorf("an early one is %s, listed are %s", early.ID, ids(listed))
	}
	w.s.ReleaseNotifications()
	if w.get("/api/v1/notifications?min_id=2", &listed); ids(listed) != "3" {
		t.Errorf("then listed are %s", ids(listed))
	}

	ada.Post("@elelem late", fedisim.HoldNotification())
	ada.Post("@elelem before it")
	if n := w.next(c).note(t); n.ID != "5" {
		t.Errorf("got %s", n.ID)
	}
	w.s.ReleaseNotifications()
	if n := w.next(c).note(t); n.ID != "4" {
		t.Errorf("then %s", n.ID)
	}

	if n := w.bot.StreamText(`{"event":"kaboom"}`); n != 1 || w.next(c).Event != "kaboom" {
		t.Errorf("a text went to %d streams", n)
	}

	w.s.StallStreams()
	ada.Post("@elelem lost")
	w.s.ResumeStreams()
	p := ada.Post("@elelem heard")
	if n := w.next(c).note(t); n.Status.ID != p.ID {
		t.Errorf("after a stall: %+v", n)
	}
	if err := c.Ping(c.CloseRead(context.Background())); err != nil {
		t.Errorf("a ping: %v", err)
	}
}

func TestStreamsEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fedisim.Options{})
	count := func(n int) {
		t.Helper()
		w.wait(func(s *fedisim.Server) bool { return s.OpenStreams() == n })
	}
	a, b := w.stream("user", w.bot.Token), w.stream("user", w.bot.Token)
	count(2)
	if n := w.s.DropStreams(1012); n != 2 || w.s.OpenStreams() != 0 {
		t.Errorf("%d were dropped, %d are open", n, w.s.OpenStreams())
	}
	for _, c := range []*websocket.Conn{a, b} {
		if _, err := w.read(c); websocket.CloseStatus(err) != websocket.StatusServiceRestart {
			t.Errorf("closed with %v", err)
		}
	}
	c := w.stream("user", w.bot.Token)
	w.s.DropStreams(0)
	if _, err := w.read(c); err == nil || websocket.CloseStatus(err) != -1 {
		t.Errorf("cut with %v", err)
	}
	c = w.stream("user", w.bot.Token)
	c.Close(websocket.StatusNormalClosure, "")
	count(0)
	c = w.stream("user", w.bot.Token)
	w.s.Revoke(w.bot.Token)
	if _, err := w.read(c); websocket.CloseStatus(err) != websocket.StatusNormalClosure {
		t.Errorf("revoked: %v", err)
	}
	count(0)
	if _, r, err := w.dial("?access_token="+w.bot.Token, nil); err == nil || r.StatusCode != 401 || r.Header.Get("X-Error-Message") != "Invalid access token" {
		t.Errorf("a revoked token: %v", r)
	}
	w.bot.Restore()
	w.stream("user", w.bot.Token) // is open when the server closes
	if n := w.s.StreamsOpened(); n != 6 {
		t.Errorf("%d were opened", n)
	}
	w.s.Close()
}

func TestRefusedStreams(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fedisim.Options{})
	w.s.RefuseStreams(2, 503)
	in := w.s.RefuseStreams(1, 429)
	w.s.Inject(fedisim.Slow(0).On("GET", fedisim.StreamPath))
	var got []int
	for range 4 {
		w.get("/api/v1/notifications", nil)
		_, r, err := w.dial("?stream=user&access_token="+w.bot.Token, nil)
		if r == nil {
			t.Fatal(err)
		}
		got = append(got, r.StatusCode)
	}
	if want := []int{503, 503, 429, 101}; !equal(got, want) || in.Hits() != 1 {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestHeartbeats(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fedisim.Options{StreamHeartbeat: time.Millisecond})
	pinged := make(chan struct{}, 1000)
	c, _, err := w.dial("?access_token="+w.bot.Token, &websocket.DialOptions{OnPingReceived: func(context.Context, []byte) bool {
		select {
		case pinged <- struct{}{}:
		default:
		}
		return true
	}})
	if err != nil {
		t.Fatal(err)
	}
	gone := c.CloseRead(context.Background())
	for range 3 {
		select {
		case <-pinged:
		case <-gone.Done():
			t.Fatal("the stream ended")
		}
	}
}

// A frozen stream answers nothing, a new one is healthy.
func TestFrozenStreams(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fedisim.Options{})
	ada := w.s.AddAccount("ada")
	old := w.stream("user:notification", w.bot.Token)
	if n := w.s.FreezeStreams(); n != 1 {
		t.Errorf("%d were frozen", n)
	}
	fresh := w.stream("user:notification", w.bot.Token)
	ada.Post("@elelem hello")
	w.next(fresh).note(t)
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if err := old.Ping(old.CloseRead(ctx)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a ping on a frozen stream: %v", err)
	}
}
