package fedisim

import (
	"context"
	"net"
	"net/http"
	"time"
)

// serveFault answers a request that a fault struck.
func (s *Server) serveFault(w http.ResponseWriter, q *request, in *Injected) {
	f := &in.f
	gone := q.r.Context()
	if f.before != nil {
		f.before()
	}
	if f.delay > 0 && !s.pause(gone, f.delay) || f.hold && !s.await(gone, in.release) {
		s.record(q, nil, f.name) // the client left, and nothing was done
		panic(http.ErrAbortHandler)
	}
	switch {
	case f.late:
		s.serveLate(w, q, in)
		return
	case f.pass:
		q.failProcessing = f.failing
		s.serve(w, q, f.name)
		return
	}
	var a *answer
	if f.stored && !f.early {
		a = s.do(q)
	}
	switch {
	case f.cut:
		s.record(q, nil, f.name)
		cut(w)
		return
	case f.hang:
		s.record(q, nil, f.name)
		s.await(gone, nil)
		panic(http.ErrAbortHandler)
	case f.make != nil:
		s.mu.Lock()
		a = f.make(s)
		if !f.forgets && s.profile == Akkoma { // which replays its own errors
			s.remember(q, a)
		}
		s.mu.Unlock()
	}
	if f.mangle != nil {
		f.mangle(a)
	}
	s.send(w, q, a, f.name)
	if a.whole > len(a.body) {
		_ = http.NewResponseController(w).Flush() // or the half would wait in a buffer
		panic(http.ErrAbortHandler)               // the connection ends within the body
	}
}

// serveLate leaves the client without an answer and sees to it that the
// request is carried out later.
func (s *Server) serveLate(w http.ResponseWriter, q *request, in *Injected) {
	s.record(q, nil, in.f.name)
	if in.f.cut {
		cut(w)
		s.later(q, in)
		return
	}
	s.await(q.r.Context(), nil)
	s.later(q, in)
	panic(http.ErrAbortHandler)
}

// later carries a request out after its client has gone.
func (s *Server) later(q *request, in *Injected) {
	run := func() {
		s.do(q)
		s.mu.Lock()
		s.change()
		s.mu.Unlock()
	}
	if in.f.lateBy < 0 {
		s.mu.Lock()
		if !in.open {
			in.waiting = append(in.waiting, run)
			s.change()
			s.mu.Unlock()
			return
		}
		s.mu.Unlock()
		run()
		return
	}
	if !s.begin() {
		return
	}
	go func() {
		defer s.running.Done()
		if s.pause(context.Background(), in.f.lateBy) {
			run()
		}
	}()
}

// pause waits; false when the client left or the server closed before.
func (s *Server) pause(gone context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-gone.Done():
	case <-s.done:
	}
	return false
}

// await waits for a channel (nil: for nothing); false when the client left or
// the server closed before.
func (s *Server) await(gone context.Context, c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	case <-gone.Done():
	case <-s.done:
	}
	return false
}

// cut ends a connection with a reset, or, where that is not possible, without
// a word.
func cut(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	conn.Close()
}
