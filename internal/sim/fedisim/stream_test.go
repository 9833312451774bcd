package fedisim_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"rookery/internal/sim/fedisim"
)

// event is one message of a stream.
type event struct {
	Stream  []string
	Event   string
	Payload string
	Error   string
	Status  int
}

// stream opens a stream with the token in the query, which every server but
// Sharkey takes.
func (w *world) stream(name, token string) *websocket.Conn {
	w.Helper()
	c, r, err := w.dial("?stream="+name+"&access_token="+token, nil)
	if err != nil {
		w.Fatalf("stream %s: %v, %v", name, r, err)
	}
	return c
}

func (w *world) dial(query string, opt *websocket.DialOptions) (*websocket.Conn, *http.Response, error) {
	w.Helper()
	if opt == nil {
		opt = &websocket.DialOptions{}
	}
	opt.HTTPClient = w.client
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	c, r, err := websocket.Dial(ctx, "ws"+strings.TrimPrefix(w.s.URL(), "http")+fedisim.StreamPath+query, opt)
	if c != nil {
		w.Cleanup(func() { _ = c.CloseNow() })
	}
	return c, r, err
}

func (w *world) read(c *websocket.Conn) (event, error) {
	w.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	_, text, err := c.Read(ctx)
	var e event
	if err == nil {
		err = json.Unmarshal(text, &e)
	}
	return e, err
}

func (w *world) next(c *websocket.Conn) event {
	w.Helper()
	e, err := w.read(c)
	if err != nil {
		w.Fatal(err)
	}
	return e
}

func (w *world) say(c *websocket.Conn, text string) {
	w.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := c.Write(ctx, websocket.MessageText, []byte(text)); err != nil {
		w.Fatal(err)
	}
}

// noteOf is the notification in an event.
func (e event) note(t *testing.T) note {
	t.Helper()
	var n note
	if err := json.Unmarshal([]byte(e.Payload), &n); err != nil || e.Event != "notification" {
		t.Fatalf("%v in %+v", err, e)
	}
	return n
}

func streaming() []fedisim.Profile {
	return []fedisim.Profile{fedisim.Mastodon, fedisim.Akkoma, fedisim.GoToSocial}
}

func TestNotificationsAreStreamed(t *testing.T) {
	t.Parallel()
	for _, p := range streaming() {
		w := newWorld(t, fedisim.Options{Profile: p})
		ada := w.s.AddAccount("ada")
		c := w.stream("user:notification", w.bot.Token)
		others := w.stream("user:notification", ada.Token)
		post := ada.Post("@elelem hello")
		e := w.next(c)
		if want := []string{"user:notification"}; !slices.Equal(e.Stream, want) && p != fedisim.Akkoma || p == fedisim.Akkoma && e.Stream != nil {
			t.Errorf("%s: the stream is %q", p, e.Stream)
		}
		n := e.note(t)
		var listed []note
		w.get("/api/v1/notifications?limit=5", &listed)
		if n.Type != "mention" || n.Status.ID != post.ID || len(listed) != 1 || listed[0].ID != n.ID {
			t.Errorf("%s: streamed %+v, listed %+v", p, n, listed)
		}
		w.bot.Follow(ada)
		if n = w.next(others).note(t); n.Type != "follow" {
			t.Errorf("%s: the other account hears of %+v", p, n)
		}
	}
}

func TestWhereTheTokenMayBe(t *testing.T) {
	t.Parallel()
	type want struct{ header, query, protocol, none, bad int }
	wants := map[fedisim.Profile]want{
		fedisim.Mastodon: {101, 101, 101, 401, 401}, fedisim.GoToSocial: {101, 101, 101, 401, 401},
		fedisim.Akkoma: {401, 101, 101, 401, 401}, fedisim.Snac: {404, 404, 404, 404, 401}, fedisim.Sharkey: {101, 101, 101, 101, 401},
	}
	each(t, func(t *testing.T, w *world) {
		for what, c := range map[string]struct {
			query string
			opt   websocket.DialOptions
			want  int
		}{
			"header":   {"", websocket.DialOptions{HTTPHeader: http.Header{"Authorization": {"Bearer " + w.bot.Token}}}, wants[w.s.Profile()].header},
			"query":    {"&access_token=" + w.bot.Token, websocket.DialOptions{}, wants[w.s.Profile()].query},
			"protocol": {"", websocket.DialOptions{Subprotocols: []string{w.bot.Token}}, wants[w.s.Profile()].protocol},
			"none":     {"", websocket.DialOptions{}, wants[w.s.Profile()].none},
			"bad":      {"", websocket.DialOptions{HTTPHeader: http.Header{"Authorization": {"Bearer wrong"}}}, wants[w.s.Profile()].bad},
		} {
			_, r, err := w.dial("?stream=user:notification"+c.query, &c.opt)
			if r == nil || r.StatusCode != c.want {
				t.Errorf("token in %s: %v, %v, want %d", what, r, err, c.want)
			}
		}
		log := w.s.Requests()
		if len(log) != 5 {
			t.Errorf("the log has %d requests", len(log))
		}
	})
}

func TestUserStream(t *testing.T) {
	t.Parallel()
	for _, p := range streaming() {
		w := newWorld(t, fedisim.Options{Profile: p})
		ada, ben := w.s.AddAccount("ada"), w.s.AddAccount("ben")
		w.bot.Follow(ada)
		c := w.stream("user", w.bot.Token)
		ben.Post("not for the bot's home")
		post := ada.Post("look")
		w.ok(w.try("PUT", statusesPath+"/"+post.ID, ada.Token, url.Values{"status": {"look here"}}, ""), nil)
		ada.Delete(post.ID)
		ben.Post("@elelem psst")
		var got []string
		for range 4 {
			e := w.next(c)
			got = append(got, e.Event)
			if e.Event == "delete" && e.Payload != post.ID {
				t.Errorf("%s: deleted %q", p, e.Payload)
			}
		}
		if want := []string{"update", "status.update", "delete", "notification"}; !slices.Equal(got, want) {
			t.Errorf("%s: %v", p, got)
		}
	}
}

func TestSubscribing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fedisim.Options{})
	ada := w.s.AddAccount("ada")
	c, _, err := w.dial("?access_token="+w.bot.Token, nil)
	if err != nil {
		t.Fatal(err)
	}
	w.say(c, `{"type":"subscribe","stream":"nonsense"}`)
	if e := w.next(c); e.Error != "Unknown stream type" || e.Status != 400 {
		t.Errorf("an unknown stream: %+v", e)
	}
	w.say(c, `{"type":"subscribe","stream":"user:notification"}`)
	w.say(c, `{"type":"subscribe","stream":"user"}`)
	w.say(c, `{"type":"subscribe","stream":"other"}`)
	w.next(c) // the error: what was asked before has been done
	ada.Post("@elelem one")
	a, b := w.next(c), w.next(c)
	if streams := a.Stream[0] + " " + b.Stream[0]; a.Payload != b.Payload || streams != "user:notification user" {
		t.Errorf("two subscriptions: %+v, %+v", a, b)
	}
	w.say(c, `{"type":"unsubscribe","stream":"user:notification"}`)
	w.say(c, `not JSON`)
	w.say(c, `{"type":"subscribe","stream":"other"}`)
	w.next(c)
	ada.Post("@elelem two")
	ada.Post("@elelem three")
	a, b = w.next(c), w.next(c)
	if a.Stream[0] != "user" || b.Stream[0] != "user" || a.Payload == b.Payload {
		t.Errorf("after unsubscribing: %+v, %+v", a, b)
	}
	limited := w.s.AddAccount("limited", fedisim.WithScopes("read:statuses"))
	if e := w.next(w.stream("user:notification", limited.Token)); e.Status != 401 {
		t.Errorf("without the scope: %+v", e)
	}
}

func TestFilteredNotificationsAreNotStreamed(t *testing.T) {
	t.Parallel()
	for _, streamed := range []bool{false, true} {
		w := newWorld(t, fedisim.Options{StreamFiltered: streamed})
		c := w.stream("user:notification", w.bot.Token)
		eve := w.s.AddRemote("eve@other.example")
		eve.Post("@elelem@mastodon.example psst", fedisim.As("direct"))
		open := eve.Post("@elelem@mastodon.example hello")
		n := w.next(c).note(t)
		if (n.Status.ID != open.ID) != streamed {
			t.Errorf("filtered ones streamed: %v, got %+v", streamed, n)
		}
	}
}

func TestStreamingAddress(t *testing.T) {
	t.Parallel()
	for profile, want := range map[fedisim.Profile]string{fedisim.Mastodon: "ws://HOST", fedisim.GoToSocial: "wss://HOST", fedisim.Akkoma: "ws://HOST", fedisim.Snac: "wss://HOST"} {
		for _, set := range []string{"", "wss://elsewhere.example"} {
			w := newWorld(t, fedisim.Options{Profile: profile, StreamingURL: set})
			if set == "" {
				set = strings.ReplaceAll(want, "HOST", strings.TrimPrefix(w.s.URL(), "http://"))
			}
			var v1 struct {
				URLs struct {
					Streaming string `json:"streaming_api"`
				}
			}
			w.get("/api/v1/instance", &v1)
			if v1.URLs.Streaming != set {
				t.Errorf("%s, v1: %q, want %q", profile, v1.URLs.Streaming, set)
			}
			if profile == fedisim.Akkoma || profile == fedisim.Snac {
				continue
			}
			var v2 struct {
				Configuration struct{ URLs struct{ Streaming string } }
			}
			w.get("/api/v2/instance", &v2)
			if v2.Configuration.URLs.Streaming != set {
				t.Errorf("%s, v2: %q, want %q", profile, v2.Configuration.URLs.Streaming, set)
			}
		}
	}
}

// Sharkey upgrades any path, but speaks Misskey's language there.
func TestSharkeyStreamsAreMute(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fedisim.Options{Profile: fedisim.Sharkey})
	c, _, err := w.dial("?stream=user:notification", &websocket.DialOptions{HTTPHeader: http.Header{"Authorization": {"Bearer " + w.bot.Token}}})
	if err != nil {
		t.Fatal(err)
	}
	w.say(c, `{"type":"subscribe","stream":"user:notification"}`)
	w.s.AddAccount("ada").Post("@elelem hello")
	w.bot.StreamText(`{"event":"the first"}`)
	if e := w.next(c); e.Event != "the first" {
		t.Errorf("got %+v", e)
	}
	if r := w.try("GET", fedisim.StreamPath, w.bot.Token, nil, ""); r.status != 404 {
		t.Errorf("without an upgrade: %d", r.status)
	}
}
