package main

import (
	"net/http"
	"strings"
	"sync"
	"time"
)

// gate stands before the simulated server and notes when requests arrive and
// when their answers are ready: what lies between an answer and the next
// request is the program's own.
type gate struct {
	next http.Handler

	mu       sync.Mutex
	listener func(passage) // may be nil
}

// passage is a request that went through the gate.
type passage struct {
	method, path string
	arrived      time.Time
	ready        time.Time // when the answer was, before its first byte left
	answer       []byte    // not to be kept
}

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
