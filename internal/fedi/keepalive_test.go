package fedi

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
)

// dyingServer answers the first request of each connection and, once it has
// read the second one whole, closes the connection without a word: what a
// kept connection looks like whose server goes down in the middle. It counts
// the requests that reached it, by method.
type dyingServer struct {
	l    net.Listener
	wg   sync.WaitGroup
	mu   sync.Mutex
	seen map[string]int
}

func newDyingServer(t *testing.T) *dyingServer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &dyingServer{l: l, seen: map[string]int{}}
	s.wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			s.wg.Go(func() { s.talk(conn) })
		}
	})
	t.Cleanup(func() { l.Close(); s.wg.Wait() })
	return s
}

func (s *dyingServer) talk(conn net.Conn) {
	defer conn.Close()
	r := bufio.NewReader(conn)
	for n := 1; ; n++ {
		req, err := http.ReadRequest(r)
		if err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, req.Body)
		s.mu.Lock()
		s.seen[req.Method]++
		s.mu.Unlock()
		if n == 2 {
			return
		}
		fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(aStatus), aStatus)
	}
}

func (s *dyingServer) count(method string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seen[method]
}

func TestAnEffectIsSentOnceWhenAKeptConnectionDies(t *testing.T) {
	t.Parallel()
	for method, effect := range map[string]func(*Client) error{
		"POST": func(c *Client) error { _, err := c.Post(t.Context(), draft("hi"), "key"); return err },
		"PUT":  func(c *Client) error { _, err := c.Edit(t.Context(), "1", draft("hi")); return err },
		"DELETE": func(c *Client) error {
			return c.Delete(t.Context(), "1")
		},
	} {
		t.Run(method, func(t *testing.T) {
			t.Parallel()
			s := newDyingServer(t)
			c, _ := clientFor(t, "http://"+s.l.Addr().String())
			if _, err := c.Status(t.Context(), "1"); err != nil { // opens the connection that is kept
				t.Fatal(err)
			}
			err := effect(c)
			if ClassOf(err) != Unknown {
				t.Errorf("%v, want an unknown outcome", err)
			}
			if n := s.count(method); n != 1 {
				t.Errorf("%d requests reached the server, want exactly one", n)
			}
			c.Close()
		})
	}
}
