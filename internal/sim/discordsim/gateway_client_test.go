package discordsim

import (
	"bytes"
	"compress/zlib"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/klauspost/compress/zstd"
)

// packet is a message of the gateway as a client reads it.
type packet struct {
	Op int             `json:"op"`
	D  json.RawMessage `json:"d"`
	S  *int64          `json:"s"`
	T  *string         `json:"t"`
}

func (p packet) name() string {
	if p.T == nil {
		return ""
	}
	return *p.T
}

func (p packet) object(t *testing.T) map[string]any {
	t.Helper()
	var o map[string]any
	if err := json.Unmarshal(p.D, &o); err != nil {
		t.Fatalf("the payload of %s: %v", p.name(), err)
	}
	return o
}

// rawClient is a client of the gateway that knows nothing but the protocol.
type rawClient struct {
	t      *testing.T
	ws     *websocket.Conn
	decode func([]byte) ([]byte, error)
	seq    int64
}

// testContext ends before the test does.
func testContext(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func newTestServer(t *testing.T, opt Options) *Server {
	t.Helper()
	s, err := New(opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// stubborn is a reader that is never at its end, as a stream needs it.
type stubborn struct{ bytes.Buffer }

func (r *stubborn) Read(p []byte) (int, error) {
	n, err := r.Buffer.Read(p)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// WriteTo hides that of bytes.Buffer.
func (r *stubborn) WriteTo(io.Writer) (int64, error) { return 0, io.ErrNoProgress }

func decoder(transport string) func([]byte) ([]byte, error) {
	buf := &stubborn{}
	var in io.Reader
	switch transport {
	case TransportNone:
		return func(b []byte) ([]byte, error) {
			if len(b) > 0 && b[0] != '{' { // a packet that is compressed by itself
				r, err := zlib.NewReader(bytes.NewReader(b))
				if err != nil {
					return nil, err
				}
				return io.ReadAll(r)
			}
			return b, nil
		}
	case TransportZlib:
		return func(b []byte) ([]byte, error) {
			if !bytes.HasSuffix(b, []byte{0, 0, 0xff, 0xff}) {
				return nil, fmt.Errorf("the message does not end with a sync flush: % x", b[max(len(b)-4, 0):])
			}
			buf.Write(b)
			if in == nil {
				r, err := zlib.NewReader(buf)
				if err != nil {
					return nil, err
				}
				in = r
			}
			return readValue(in)
		}
	}
	return func(b []byte) ([]byte, error) {
		buf.Write(b)
		if in == nil {
			r, err := zstd.NewReader(onlyReader{buf}, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true))
			if err != nil {
				return nil, err
			}
			in = r
		}
		return readValue(in)
	}
}

type onlyReader struct{ io.Reader }

// readValue reads one JSON value and nothing more.
func readValue(r io.Reader) ([]byte, error) {
	var raw json.RawMessage
	err := json.NewDecoder(oneByte{r}).Decode(&raw)
	return raw, err
}

// oneByte gives one byte at a time, so that the decoder does not wait for more
// than the value has.
type oneByte struct{ r io.Reader }

func (o oneByte) Read(p []byte) (int, error) {
	if len(p) > 1 {
		p = p[:1]
	}
	return o.r.Read(p)
}

func dial(t *testing.T, url, params string) *rawClient {
	t.Helper()
	ws, _, err := websocket.Dial(testContext(t), url+"?"+params, &websocket.DialOptions{CompressionMode: websocket.CompressionDisabled})
	if err != nil {
		t.Fatal(err)
	}
	ws.SetReadLimit(-1)
	t.Cleanup(func() { _ = ws.CloseNow() })
	transport := ""
	if _, after, ok := strings.Cut(params, "compress="); ok {
		transport = after
	}
	return &rawClient{t: t, ws: ws, decode: decoder(transport)}
}

func (c *rawClient) read() (packet, error) {
	_, data, err := c.ws.Read(testContext(c.t))
	if err != nil {
		return packet{}, err
	}
	data, err = c.decode(data)
	if err != nil {
		return packet{}, err
	}
	var p packet
	if err := json.Unmarshal(data, &p); err != nil {
		return p, err
	}
	if p.S != nil {
		c.seq = *p.S
	}
	return p, nil
}

// next is the next message with this opcode and, of an event, this name.
func (c *rawClient) next(op int, name string) packet {
	c.t.Helper()
	for {
		p, err := c.read()
		if err != nil {
			c.t.Fatalf("waiting for op %d %s: %v", op, name, err)
		}
		if p.Op == op && (op != opDispatch || p.name() == name) {
			return p
		}
	}
}

func (c *rawClient) event(name string) packet { c.t.Helper(); return c.next(opDispatch, name) }

func (c *rawClient) send(op int, d any) {
	c.t.Helper()
	c.sendRaw(encodePayload(map[string]any{"op": op, "d": d}))
}

func (c *rawClient) sendRaw(data []byte) {
	c.t.Helper()
	if err := c.ws.Write(testContext(c.t), websocket.MessageText, data); err != nil {
		c.t.Fatal(err)
	}
}

// closed reads until the end and returns the close code; -1 for none.
func (c *rawClient) closed() int {
	c.t.Helper()
	for {
		if _, err := c.read(); err != nil {
			if testContext(c.t).Err() != nil {
				c.t.Fatal("the connection was not closed")
			}
			return int(websocket.CloseStatus(err))
		}
	}
}

func identifyWith(s *Server, intents Intents, more map[string]any) map[string]any {
	d := map[string]any{
		"token": s.Token(), "intents": intents,
		"properties": map[string]string{"os": "linux", "browser": "raw", "device": "raw"},
	}
	for k, v := range more {
		d[k] = v
	}
	return d
}

// start connects, identifies and reads READY.
func start(t *testing.T, s *Server, intents Intents, more map[string]any) (*rawClient, map[string]any) {
	t.Helper()
	c := dial(t, s.GatewayURL(), "v=10&encoding=json")
	c.next(opHello, "")
	c.send(opIdentify, identifyWith(s, intents, more))
	return c, c.event("READY").object(t)
}

// resume connects again and takes up a session.
func resume(t *testing.T, s *Server, session string, seq int64) *rawClient {
	t.Helper()
	c := dial(t, s.resumeURL(), "v=10&encoding=json")
	c.next(opHello, "")
	c.send(opResume, map[string]any{"token": s.Token(), "session_id": session, "seq": seq})
	return c
}

// call does a REST request as the bot and decodes the answer.
func call(t *testing.T, s *Server, method, path string, body any) (int, map[string]any) {
	t.Helper()
	var in io.Reader
	if body != nil {
		in = bytes.NewReader(encodePayload(body))
	}
	req, err := http.NewRequestWithContext(testContext(t), method, s.URL()+path, in)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bot "+s.Token())
	req.Header.Set("User-Agent", "DiscordBot (https://example.org, 1)")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	var out map[string]any
	if len(data) > 0 {
		if err := json.Unmarshal(data, &out); err != nil {
			t.Fatalf("%s %s: %s", method, path, data)
		}
	}
	return res.StatusCode, out
}

// httpGet asks for something without a token.
func httpGet(t *testing.T, url string) (int, []byte) {
	t.Helper()
	req, err := http.NewRequestWithContext(testContext(t), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, data
}
