package fedi

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"rookery/internal/community"
)

// event is a message of a stream.
func event(name, payload string) string {
	b, err := json.Marshal(map[string]any{"stream": []string{streamName}, "event": name, "payload": payload})
	if err != nil {
		panic(err)
	}
	return string(b)
}

func mentionDoc(id string) string {
	return `{"id":"` + id + `","type":"mention","created_at":"2026-11-21T12:00:00.000Z","status":` + aStatus + `}`
}

// streamer is a server that upgrades every request and then does as it is told.
func streamer(t *testing.T, talk func(context.Context, *websocket.Conn)) *httptest.Server {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer func() { _ = conn.CloseNow() }()
		talk(r.Context(), conn)
	}))
	t.Cleanup(srv.Close)
	return srv
}

func openStream(t *testing.T, c *Client, address string) *Stream {
	t.Helper()
	s, err := c.OpenStream(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func TestStreamBringsMentionsAndLeavesOutTheRest(t *testing.T) {
	t.Parallel()
	srv := streamer(t, func(ctx context.Context, conn *websocket.Conn) {
		for _, m := range []string{
			"", " \n", event("update", aStatus), event("delete", "7"), event("filters_changed", ""),
			event("notification", `{"id":"1","type":"favourite"}`), `{"event":"notification"}`, "junk", `{"event":1}`, `[]`, "\x00",
			event("notification", "junk"), event("notification", `{"id":"2","type":"mention"}`), event("notification", mentionDoc("3")),
			`{"event":"notification","payload":` + mentionDoc("4") + `}`,
		} {
			_ = conn.Write(ctx, websocket.MessageText, []byte(m))
		}
		_ = conn.Write(ctx, websocket.MessageBinary, []byte(event("notification", mentionDoc("5"))))
		_ = conn.Write(ctx, websocket.MessageText, []byte(event("notification", mentionDoc("6"))))
		_ = conn.Close(websocket.StatusGoingAway, "")
	})
	c, _ := clientFor(t, srv.URL)
	s := openStream(t, c, "ws"+strings.TrimPrefix(srv.URL, "http"))
	var ids []community.NotificationID
	for {
		n, err := s.Next(t.Context())
		if err != nil {
			if ClassOf(err) != Transient {
				t.Errorf("the end: %v", err)
			}
			break
		}
		ids = append(ids, n.ID)
	}
	same(t, ids, []community.NotificationID{"3", "4", "6"})
}

func TestStreamOfJunkIsGivenUp(t *testing.T) {
	t.Parallel()
	srv := streamer(t, func(ctx context.Context, conn *websocket.Conn) {
		for conn.Write(ctx, websocket.MessageText, []byte("<html>"+testToken)) == nil {
		}
	})
	c, _ := clientFor(t, srv.URL)
	s := openStream(t, c, srv.URL)
	if _, err := s.Next(t.Context()); ClassOf(err) != Transient || !strings.Contains(err.Error(), "could not be read") || strings.Contains(err.Error(), testToken) {
		t.Errorf("err = %v", err)
	}
}

// rawStreamer upgrades the first connection by hand and then writes what it
// likes, for frames that no library would make.
func rawStreamer(t *testing.T, frames func(io.Writer)) string {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		sum := websocketAccept(r.Header.Get("Sec-WebSocket-Key"))
		_, _ = io.WriteString(rw, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "+sum+"\r\n\r\n")
		_ = rw.Flush()
		frames(conn)
		_, _ = io.Copy(io.Discard, conn) // until the client goes
	}))
	t.Cleanup(srv.Close)
	return srv.URL
}

func TestStreamIsNotDrownedByGreatFrames(t *testing.T) {
	t.Parallel()
	for name, frames := range map[string]func(io.Writer){
		"1 GB announced": func(w io.Writer) {
			head := append([]byte{0x81, 127}, binary.BigEndian.AppendUint64(nil, 1<<30)...)
			_, _ = w.Write(head)
			chunk := make([]byte, 1<<16)
			for range 1 << 14 {
				if _, err := w.Write(chunk); err != nil {
					return
				}
			}
		},
		"endless fragments": func(w io.Writer) {
			chunk := append([]byte{0x01, 126, 0xff, 0xff}, make([]byte, 0xffff)...)
			for {
				if _, err := w.Write(chunk); err != nil {
					return
				}
				chunk[0] = 0x00 // continuation
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, _ := clientFor(t, rawStreamer(t, frames))
			s := openStream(t, c, c.base.String())
			_, err := s.Next(t.Context())
			if !errors.Is(err, websocket.ErrMessageTooBig) || ClassOf(err) != Transient {
				t.Errorf("err = %v", err)
			}
		})
	}
}

func TestStreamIsNotHeldByAMessageWithoutAnEnd(t *testing.T) {
	t.Parallel()
	server := rawStreamer(t, func(w io.Writer) { _, _ = w.Write([]byte{0x81, 100, '{'}) })
	c, _ := clientFor(t, server, func(o *Options) { o.Timeout = 100 * time.Millisecond })
	s := openStream(t, c, server)
	if _, err := s.Next(t.Context()); ClassOf(err) != Transient {
		t.Errorf("err = %v", err)
	}
}

func TestAQuietStreamIsAskedWhetherItLives(t *testing.T) {
	t.Parallel()
	t.Run("it answers", func(t *testing.T) {
		t.Parallel()
		pinged := make(chan struct{}, 10)
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{OnPingReceived: func(context.Context, []byte) bool {
				pinged <- struct{}{}
				return true
			}})
			if err != nil {
				return
			}
			defer func() { _ = conn.CloseNow() }()
			_, _, _ = conn.Read(r.Context())
		}))
		defer srv.Close()
		c, clk := clientFor(t, srv.URL)
		s := openStream(t, c, srv.URL)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() {
			_, err := s.Next(ctx)
			ended <- err
		}()
		for range 3 { // the clock moves on only once a ping has come
			stop := advancing(clk, quietFor)
			<-pinged
			stop()
		}
		select {
		case err := <-ended:
			t.Errorf("the stream ended: %v", err)
		default:
		}
		cancel()
		if err := <-ended; err == nil {
			t.Error("Next brought something")
		}
	})
	t.Run("it does not", func(t *testing.T) {
		t.Parallel()
		server := rawStreamer(t, func(io.Writer) {})
		c, clk := clientFor(t, server)
		c.pongWithin = 50 * time.Millisecond
		s := openStream(t, c, server)
		defer advancing(clk, quietFor)()
		if _, err := s.Next(t.Context()); ClassOf(err) != Transient {
			t.Errorf("err = %v", err)
		}
	})
}

func TestHandshakesThatFail(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		status int
		header http.Header
		body   string
		class  Class
		again  time.Duration // from now; zero for not said
	}{
		"none, HTML":      {404, nil, "<html>no</html>", Unsupported, 0},
		"none, JSON":      {404, nil, `{"error":"no"}`, Unsupported, 0},
		"not that way":    {405, nil, "", Unsupported, 0},
		"not here":        {501, nil, "", Unsupported, 0},
		"a page":          {200, nil, "<html>hello</html>", Transient, 0},
		"no content":      {204, nil, "", Transient, 0},
		"elsewhere":       {302, http.Header{"Location": {"https://evil.example/"}}, "", Transient, 0},
		"refused":         {401, nil, `{"error":"no"}`, Auth, 0},
		"too many":        {429, http.Header{"Retry-After": {"90"}}, "", Rate, 90 * time.Second},
		"too many, mute":  {429, nil, "", Rate, time.Minute},
		"busy":            {503, http.Header{"Retry-After": {"120"}}, "<html>busy</html>", Transient, 2 * time.Minute},
		"down":            {502, nil, "<html>down</html>", Transient, 0},
		"echoes":          {500, nil, testToken, Transient, 0},
		"other protocols": {426, nil, "", Invalid, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			asked := 0
			c, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
				asked++
				for k, v := range tc.header {
					w.Header()[k] = v
				}
				w.WriteHeader(tc.status)
				_, _ = io.WriteString(w, tc.body)
			})
			s, err := c.OpenStream(t.Context(), c.base.String())
			e, ok := errors.AsType[*Error](err)
			if !ok || s != nil || e.Class != tc.class || e.Status != tc.status || strings.Contains(err.Error(), testToken) {
				t.Fatalf("%v", err)
			}
			var want time.Time
			if tc.again > 0 {
				want = start.Add(tc.again)
			}
			if !e.RetryAt.Equal(want) || asked != 1 {
				t.Errorf("again at %v, want %v; asked %d times", e.RetryAt, want, asked)
			}
		})
	}
	t.Run("opened to say no", func(t *testing.T) {
		t.Parallel()
		srv := streamer(t, func(ctx context.Context, conn *websocket.Conn) {
			_ = conn.Write(ctx, websocket.MessageText, []byte(`{"error":"Access token does not have the required scopes","status":401}`))
			_, _, _ = conn.Read(ctx)
		})
		c, _ := clientFor(t, srv.URL)
		if _, err := openStream(t, c, srv.URL).Next(t.Context()); ClassOf(err) != Unsupported {
			t.Errorf("%v", err)
		}
	})
	t.Run("nobody there", func(t *testing.T) {
		t.Parallel()
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		l.Close()
		c, _ := clientFor(t, "http://"+l.Addr().String())
		if _, err := c.OpenStream(t.Context(), c.base.String()); ClassOf(err) != Transient {
			t.Errorf("%v", err)
		}
	})
	t.Run("an upgrade to something else", func(t *testing.T) {
		t.Parallel()
		c, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Upgrade", "tea")
			w.Header().Set("Connection", "Upgrade")
			w.WriteHeader(http.StatusSwitchingProtocols)
		})
		if _, err := c.OpenStream(t.Context(), c.base.String()); ClassOf(err) != Transient {
			t.Errorf("%v", err)
		}
	})
}

func TestWhereTheStreamIs(t *testing.T) {
	t.Parallel()
	const suffix = streamPath + "?stream=user%3Anotification"
	for name, tc := range map[string]struct{ server, told, override, want string }{
		"as told":                    {"https://a.example", "wss://a.example", "", "https://a.example" + suffix},
		"another host":               {"https://a.example", "wss://streaming.a.example/", "", "https://streaming.a.example" + suffix},
		"with its path":              {"https://a.example", "wss://a.example/x/api/v1/streaming/", "", "https://a.example/x" + suffix},
		"https":                      {"https://a.example", "https://A.example", "", "https://a.example" + suffix},
		"query and fragment dropped": {"https://a.example", "wss://a.example?access_token=x#y", "", "https://a.example" + suffix},
		"plain, same host":           {"https://a.example", "ws://a.example", "", "https://a.example" + suffix},
		"plain, another host":        {"https://a.example", "ws://b.example", "", ""},
		"plain, by the operator":     {"https://a.example", "", "ws://b.example", ""},
		"by the operator":            {"https://a.example", "wss://b.example", "wss://c.example:444", "https://c.example:444" + suffix},
		"this machine, told":         {"https://a.example", "ws://127.0.0.1:99", "", ""},
		"this machine, told safely":  {"https://a.example", "wss://localhost", "", ""},
		"this machine, operator":     {"https://a.example", "wss://a.example", "ws://127.0.0.1:99", "http://127.0.0.1:99" + suffix},
		"all on this machine":        {"http://127.0.0.1:80", "ws://127.0.0.1:99", "", "http://127.0.0.1:99" + suffix},
		"all here, wrong scheme":     {"http://127.0.0.1:80", "wss://127.0.0.1:80", "", "http://127.0.0.1:80" + suffix},
		"all here, by the operator":  {"http://127.0.0.1:80", "", "wss://127.0.0.1:80", "https://127.0.0.1:80" + suffix},
		"away from this machine":     {"http://127.0.0.1:80", "ws://a.example", "", ""},
		"not told":                   {"https://a.example", "", "", ""},
		"a password":                 {"https://a.example", "wss://u:p@a.example", "", ""},
		"no scheme":                  {"https://a.example", "a.example", "", ""},
		"a strange scheme":           {"https://a.example", "ftp://a.example", "", ""},
		"junk":                       {"https://a.example", "wss://%zz", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, _ := clientFor(t, tc.server)
			become(c, Instance{Streaming: tc.told})
			u, err := c.streamURL(tc.override)
			if tc.want == "" {
				if ClassOf(err) != Unsupported {
					t.Errorf("%v, %v", u, err)
				}
				return
			}
			if err != nil || u.String() != tc.want {
				t.Errorf("%v, %v, want %s", u, err, tc.want)
			}
		})
	}
}

func TestTheTokenStandsInNoAddress(t *testing.T) {
	t.Parallel()
	for _, sw := range []Software{Mastodon, GoToSocial, Akkoma, Pleroma, SoftwareUnknown} {
		var got *http.Request
		c, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
			got = r
			conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{testToken}})
			if err != nil {
				return
			}
			_ = conn.CloseNow()
		})
		become(c, Instance{Software: sw})
		openStream(t, c, c.base.String()).Close()
		inProtocol := strings.Contains(got.Header.Get("Sec-WebSocket-Protocol"), testToken)
		if got.Header.Get("Authorization") != "Bearer "+testToken || strings.Contains(got.URL.String(), testToken) || inProtocol != (sw == Akkoma || sw == Pleroma) {
			t.Errorf("%s: %s %v", sw, got.URL, got.Header)
		}
	}
}

func FuzzReadEvent(f *testing.F) {
	f.Add([]byte(event("notification", mentionDoc("1"))))
	f.Add([]byte(`{"event":"notification","payload":` + mentionDoc("1") + `}`))
	f.Add([]byte(`{"event":"notification","payload":null}`))
	f.Add([]byte(`{"error":"no","status":401}`))
	f.Add([]byte("\xef\xbb\xbf{\x00}"))
	f.Fuzz(func(t *testing.T, b []byte) {
		n, ok, err := readEvent(websocket.MessageText, b)
		if ok && (err != nil || n.Err != nil || n.ID == "" || n.Status.ID == "" || n.Status.Account.ID == "") {
			t.Errorf("%q is %+v, %v", b, n, err)
		}
	})
}

func FuzzStreamURL(f *testing.F) {
	for _, s := range []string{"wss://a.example", "ws://b.example", "http://127.0.0.1", "ws://[::1]:1/x", "wss://a.example@b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, told string) {
		c, err := New(Options{Server: "https://art.example", Token: testToken})
		if err != nil {
			t.Fatal(err)
		}
		become(c, Instance{Streaming: told})
		u, err := c.streamURL("")
		if err != nil {
			return
		}
		again, err := url.Parse(u.String())
		if err != nil || again.Scheme != "https" || again.User != nil || loopback(again.Hostname()) || !strings.HasSuffix(again.Path, streamPath) {
			t.Errorf("%q leads to %v (%v)", told, u, err)
		}
	})
}
