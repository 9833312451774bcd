package discord

import (
	"bytes"
	"compress/zlib"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"rookery/internal/clock"
	"rookery/internal/community"
	"rookery/internal/store"
	"rookery/internal/store/storetest"
)

const (
	testApp  = "100000000000000001"
	testBot  = "100000000000000002"
	testHome = "200000000000000001" // a guild
	testHall = "200000000000000002" // a channel of it
)

// quick is the machine's clock, on which waiting takes a twentieth.
type quick struct{ clock.System }

func (quick) After(d time.Duration) (<-chan time.Time, func()) {
	t := time.NewTimer(d / 20)
	return t.C, func() { t.Stop() }
}

// backend is a gateway that does what a test tells it, down to nonsense that
// the simulated Discord would not say.
type backend struct {
	t         *testing.T
	srv       *httptest.Server
	mu        sync.Mutex
	rest      map[string]http.HandlerFunc // "GET /users/@me": in place of the usual answer
	shards    int
	total     int
	left      int
	guilds    []string // GUILD_CREATE payloads
	seq       int64
	sent      []sentEvent
	alive     map[string]bool // sessions that can be resumed
	refuse    func(op int, d json.RawMessage) int
	asked     map[string]int
	interval  int           // of heartbeats, in ms; 0 for Discord's own
	swallowed chan struct{} // if set, hears of sessions that are asked for and never begin

	opened chan *wire // each session that began or went on
	closed chan websocket.StatusCode
}

type sentEvent struct {
	seq  int64
	name string
	data string
}

// wire is one connection to it.
type wire struct {
	b       *backend
	conn    *websocket.Conn
	mu      sync.Mutex
	buf     bytes.Buffer
	z       *zlib.Writer
	Resumed bool
	From    int64 // the number it was resumed from
	Intents int64
	Shard   [2]int
}

func newBackend(t *testing.T) *backend {
	b := &backend{
		t: t, shards: 1, total: 1000, left: 1000, rest: map[string]http.HandlerFunc{}, alive: map[string]bool{}, asked: map[string]int{},
		opened: make(chan *wire, 100), closed: make(chan websocket.StatusCode, 100),
		guilds: []string{homeGuild},
	}
	b.srv = httptest.NewServer(http.HandlerFunc(b.serve))
	t.Cleanup(b.srv.Close)
	return b
}

const homeGuild = `{"id":"` + testHome + `","name":"Owls","owner_id":"7","preferred_locale":"ru","joined_at":"2026-01-02T03:04:05.000000+00:00",
	"roles":[{"id":"` + testHome + `","permissions":"3072"}],"channels":[{"id":"` + testHall + `","type":0,"name":"hall","permission_overwrites":[]}],
	"threads":[],"members":[{"user":{"id":"` + testBot + `"},"roles":[]}],"voice_states":[]}`

func (b *backend) serve(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/gateway" {
		b.gateway(w, r)
		return
	}
	name := r.Method + " " + strings.TrimPrefix(r.URL.Path, "/api/v10")
	b.mu.Lock()
	b.asked[name]++
	special := b.rest[name]
	shards, total, left := b.shards, b.total, b.left
	b.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	switch {
	case special != nil:
		special(w, r)
	case name == "GET /users/@me":
		fmt.Fprintf(w, `{"id":"%s","username":"rook","discriminator":"0","bot":true}`, testBot)
	case name == "GET /applications/@me":
		fmt.Fprintf(w, `{"id":"%s"}`, testApp)
	case name == "GET /gateway/bot":
		fmt.Fprintf(w, `{"url":"%s","shards":%d,"session_start_limit":{"total":%d,"remaining":%d,"reset_after":3600000,"max_concurrency":1}}`, b.address(), shards, total, left)
	case name == "GET /users/@me/guilds", strings.HasSuffix(name, "/threads/active"):
		fmt.Fprint(w, `[]`)
	default:
		fmt.Fprint(w, `[]`)
	}
}

func (b *backend) address() string { return "ws" + strings.TrimPrefix(b.srv.URL, "http") + "/gateway" }

func (b *backend) set(name string, h http.HandlerFunc) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.rest[name] = h
}

func (b *backend) count(name string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.asked[name]
}

func (b *backend) gateway(rw http.ResponseWriter, r *http.Request) {
	conn, err := websocket.Accept(rw, r, &websocket.AcceptOptions{CompressionMode: websocket.CompressionDisabled})
	if err != nil {
		return
	}
	defer conn.CloseNow() //nolint:errcheck // the end of the test
	w := &wire{b: b, conn: conn}
	w.z = zlib.NewWriter(&w.buf)
	if b.interval > 0 {
		w.say(fmt.Sprintf(`{"op":10,"d":{"heartbeat_interval":%d}}`, b.interval))
	} else {
		w.say(`{"op":10,"d":{"heartbeat_interval":41250}}`)
	}
	for {
		_, raw, err := conn.Read(r.Context())
		if err != nil {
			b.closed <- websocket.CloseStatus(err)
			return
		}
		var f struct {
			Op int             `json:"op"`
			D  json.RawMessage `json:"d"`
		}
		if json.Unmarshal(raw, &f) != nil {
			b.t.Errorf("the client said %s", raw)
			return
		}
		b.mu.Lock()
		refuse := b.refuse
		b.mu.Unlock()
		if f.Op != opHeartbeat && refuse != nil {
			if code := refuse(f.Op, f.D); code != 0 {
				_ = conn.Close(websocket.StatusCode(code), "")
				return
			}
		}
		w.hear(f.Op, f.D)
	}
}

func (w *wire) hear(op int, d json.RawMessage) {
	b := w.b
	switch op {
	case opHeartbeat:
		w.say(`{"op":11}`)
	case opIdentify:
		if b.swallowed != nil {
			b.swallowed <- struct{}{}
			return
		}
		var id struct {
			Intents int64  `json:"intents"`
			Shard   [2]int `json:"shard"`
		}
		_ = json.Unmarshal(d, &id)
		w.Intents, w.Shard = id.Intents, id.Shard
		b.mu.Lock()
		b.left--
		b.seq, b.sent = 0, nil
		session := fmt.Sprintf("session%d", len(b.alive))
		b.alive[session] = true
		guilds := b.guilds
		var ids []string
		for _, g := range guilds {
			var head struct{ ID string }
			_ = json.Unmarshal([]byte(g), &head)
			ids = append(ids, `{"id":"`+head.ID+`","unavailable":true}`)
		}
		b.mu.Unlock()
		w.event("READY", `{"v":10,"session_id":"`+session+`","resume_gateway_url":"`+b.address()+`","guilds":[`+strings.Join(ids, ",")+`]}`)
		for _, g := range guilds {
			w.event("GUILD_CREATE", g)
		}
		b.opened <- w
	case opResume:
		var id struct {
			Session string `json:"session_id"`
			Seq     int64  `json:"seq"`
		}
		_ = json.Unmarshal(d, &id)
		w.Resumed, w.From = true, id.Seq
		b.mu.Lock()
		ok := b.alive[id.Session]
		missed := b.sent
		b.mu.Unlock()
		if !ok {
			w.say(`{"op":9,"d":false}`)
			return
		}
		for _, e := range missed {
			if e.seq > id.Seq {
				w.say(fmt.Sprintf(`{"op":0,"s":%d,"t":%q,"d":%s}`, e.seq, e.name, e.data))
			}
		}
		w.event("RESUMED", `{}`)
		b.opened <- w
	}
}

// say sends a frame as it stands.
func (w *wire) say(raw string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.buf.Reset()
	_, _ = w.z.Write([]byte(raw))
	_ = w.z.Flush()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	_ = w.conn.Write(ctx, websocket.MessageBinary, w.buf.Bytes())
}

// event dispatches an event; it is told again to who resumes from before it.
func (w *wire) event(name, data string) int64 {
	w.b.mu.Lock()
	w.b.seq++
	seq := w.b.seq
	w.b.sent = append(w.b.sent, sentEvent{seq, name, data})
	w.b.mu.Unlock()
	w.say(fmt.Sprintf(`{"op":0,"s":%d,"t":%q,"d":%s}`, seq, name, data))
	return seq
}

func (w *wire) message(id, channel, content string) int64 {
	return w.event("MESSAGE_CREATE", fmt.Sprintf(`{"id":%q,"channel_id":%q,"guild_id":%q,"content":%q,"type":0,"timestamp":"2026-11-21T12:00:00Z","author":{"id":"9","username":"ada","discriminator":"0"},"mentions":[{"id":%q,"username":"rook"}]}`, id, channel, testHome, content, testBot))
}

// rig is a Discord at a backend.
type rig struct {
	*Discord
	b        *backend
	troubles chan trouble
	joined   chan Guild
	removed  chan string
	cfg      Config
}

type trouble struct {
	kind TroubleKind
	err  error
}

func sqlite(t *testing.T) *store.Store {
	return storetest.Open(t, storetest.Config(t, store.SQLite), Migrations())
}

func newRig(t *testing.T, b *backend, s *store.Store, change ...func(*Config)) *rig {
	t.Helper()
	r := &rig{b: b, troubles: make(chan trouble, 100), joined: make(chan Guild, 100), removed: make(chan string, 100)}
	c := Config{
		Store: s, Clock: quick{}, Token: "dG9rZW4.x.y", API: b.srv.URL + "/api/v10", Timeout: 10 * time.Second, MessageContent: true,
		Trouble: func(kind TroubleKind, err error) { r.troubles <- trouble{kind, err} },
		Joined:  func(_ context.Context, g Guild) { r.joined <- g },
		Removed: func(_ context.Context, g community.GuildID) { r.removed <- string(g) },
	}
	for _, fn := range change {
		fn(&c)
	}
	r.cfg = c
	var err error
	if r.Discord, err = New(c); err != nil {
		t.Fatal(err)
	}
	// These tests are about the connection; what is heard is looked at here.
	r.conn.hear = func(context.Context, got) error { return nil }
	r.conn.press = func(context.Context, json.RawMessage) {}
	return r
}

// run runs it until stop is called, which waits.
func (r *rig) run(t *testing.T) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); r.Run(ctx) }()
	stop = func() { cancel(); <-done }
	t.Cleanup(stop)
	return stop
}

func next[T any](t *testing.T, from <-chan T) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(30 * time.Second):
		t.Fatal("waited in vain")
		panic("unreachable")
	}
}
