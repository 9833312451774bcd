package main

import (
	"bufio"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"rookery/internal/sim/fedisim"
)

// gate stands before the simulated server and notes when requests arrive and
// when their answers are ready: what lies between an answer and the next
// request is the program's own. What a stream tells passes it too.
type gate struct {
	next http.Handler

	mu       sync.Mutex
	listener func(passage) // may be nil
}

// passage is a request that went through the gate, or, with tellsMethod,
// something that a stream tells.
type passage struct {
	method, path string
	arrived      time.Time
	ready        time.Time // when the answer was, before its first byte left
	answer       []byte    // not to be kept
}

// tellsMethod is no method of HTTP.
const tellsMethod = "(stream)"

func (p passage) told() bool { return p.method == tellsMethod }

func (p passage) notifications() bool {
	return p.method == http.MethodGet && p.path == "/api/v1/notifications"
}

func (p passage) reply() bool { return p.method == http.MethodPost && p.path == "/api/v1/statuses" }

func (p passage) thread() bool {
	return p.method == http.MethodGet && strings.HasSuffix(p.path, "/context")
}

func (p passage) dismissal() bool {
	return p.method == http.MethodPost && strings.HasSuffix(p.path, "/dismiss")
}

// listen has fn told of every request, one after the other, before its answer
// leaves; nil ends that.
func (g *gate) listen(fn func(passage)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.listener = fn
}

func (g *gate) tell(p passage) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.listener != nil {
		g.listener(p)
	}
}

// ServeHTTP implements http.Handler.
func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.next.ServeHTTP(&door{ResponseWriter: w, gate: g, request: r, arrived: time.Now()}, r)
}

// door is the way out of one request's answer.
type door struct {
	http.ResponseWriter
	gate    *gate
	request *http.Request
	arrived time.Time
	told    bool
}

func (d *door) Write(answer []byte) (int, error) {
	if !d.told {
		d.told = true
		d.gate.tell(passage{d.request.Method, d.request.URL.Path, d.arrived, time.Now(), answer})
	}
	return d.ResponseWriter.Write(answer)
}

// Unwrap is for http.ResponseController.
func (d *door) Unwrap() http.ResponseWriter { return d.ResponseWriter }

// Hijack implements http.Hijacker, for streams.
func (d *door) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(d.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	out := &outflow{Conn: conn, gate: d.gate}
	return out, bufio.NewReadWriter(rw.Reader, bufio.NewWriterSize(out, wholeMessage)), nil
}

// wholeMessage is more than any notification here has, so that each is written
// at once.
const wholeMessage = 64 << 10

// outflow is what a server writes to a stream.
type outflow struct {
	net.Conn
	gate *gate
}

func (o *outflow) Write(b []byte) (int, error) {
	now := time.Now()
	o.gate.tell(passage{tellsMethod, fedisim.StreamPath, now, now, b})
	return o.Conn.Write(b)
}
