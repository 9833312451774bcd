// Package websim is a simulated web: pages on loopback, good ones and all the
// bad ones that somebody may link to, for what reads pages of others. Tests run
// the real reader against it.
//
// A new Server has these pages; Set adds others:
//
//	/plain         a page with a title, a description and some text
//	/no-title      a page without a title
//	/empty         nothing at all, as HTML
//	/long-title    a title of 1 MB
//	/entities      a title with entities, line breaks and tags that look real
//	/redirect/N    N redirects, then /plain
//	/loop          redirects to itself
//	/to-private    redirects to an address of a private network
//	/to-metadata   redirects to the address where clouds keep their secrets
//	/to-file       redirects to a file
//	/to-inside     redirects to Inside, where nobody should come
//	/bomb          10 MB of gzip that make 10 GB
//	/endless       a page that does not end
//	/huge          a page of 1 GB, as its length says
//	/lying-length  half a page, and a length that says more
//	/silent        no answer at all
//	/stuck         headers, half a title, and nothing more
//	/image, /pdf, /json, /text   other types, rightly labelled
//	/binary        noise, labelled as HTML
//	/unlabelled    a page without a content type
//	/cp1251-header, /cp1251-meta   windows-1251, declared there
//	/koi8r-meta, /utf16, /latin1-undeclared   other charsets
//	/404, /500     errors, with a title
//
// It leaves out TLS, names (there are only addresses), and judging what a
// reader makes of a page.
package websim

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Server serves the pages. All methods may be called from any goroutine.
type Server struct {
	outside, inside *http.Server
	url, insideURL  string
	done            chan struct{}
	close           sync.Once
	running         sync.WaitGroup

	mu         sync.Mutex
	pages      map[string]http.HandlerFunc
	hits       map[string]int
	last       map[string]http.Header
	insideHits int
	changed    chan struct{} // closed at the next hit; nil while nobody waits
}

// New listens on two free ports of 127.0.0.1, the second of which is Inside.
func New() (*Server, error) {
	s := &Server{done: make(chan struct{}), hits: map[string]int{}, last: map[string]http.Header{}}
	s.pages = s.standing()
	var err error
	if s.outside, s.url, err = s.listen(http.HandlerFunc(s.serve)); err != nil {
		return nil, err
	}
	if s.inside, s.insideURL, err = s.listen(http.HandlerFunc(s.serveInside)); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

func (s *Server) listen(h http.Handler) (*http.Server, string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, "", err
	}
	srv := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	s.running.Go(func() {
		if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			l.Close()
		}
	})
	return srv, "http://" + l.Addr().String(), nil
}

// URL is the address of a page, from a path that begins with a slash.
func (s *Server) URL(path string) string { return s.url + path }

// Inside is the address of a second server, which stands for what only the
// machine itself should reach. InsideHits counts who came.
func (s *Server) Inside() string { return s.insideURL + "/secret" }

// InsideHits is how many requests came to Inside.
func (s *Server) InsideHits() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.insideHits
}

// Set puts a page at a path, in place of what was there.
func (s *Server) Set(path string, page http.HandlerFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pages[path] = page
}

// Hits is how many requests came for a path.
func (s *Server) Hits(path string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.hits[path]
}

// LastHeader is the header of the last request for a path; nil if none came.
func (s *Server) LastHeader(path string) http.Header {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last[path].Clone()
}

// WaitFor returns when n requests have come for a path. The error is the context's.
func (s *Server) WaitFor(ctx context.Context, path string, n int) error {
	for {
		s.mu.Lock()
		if s.hits[path] >= n {
			s.mu.Unlock()
			return nil
		}
		if s.changed == nil {
			s.changed = make(chan struct{})
		}
		changed := s.changed
		s.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Close stops listening, ends every page, and waits for that. It may be called twice.
func (s *Server) Close() {
	s.close.Do(func() {
		close(s.done)
		for _, srv := range []*http.Server{s.outside, s.inside} {
			if srv != nil {
				srv.Close()
			}
		}
	})
	s.running.Wait()
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	select {
	case <-s.done: // closing: nothing new is begun
		s.mu.Unlock()
		panic(http.ErrAbortHandler)
	default:
	}
	s.running.Add(1)
	defer s.running.Done()
	path := r.URL.Path
	s.hits[path]++
	s.last[path] = r.Header.Clone()
	page := s.pages[path]
	if page == nil && strings.HasPrefix(path, redirects) {
		page = s.countdown
	}
	if s.changed != nil {
		close(s.changed)
		s.changed = nil
	}
	s.mu.Unlock()
	if page == nil {
		page = Status(http.StatusNotFound)
	}
	page(w, r)
}

func (s *Server) serveInside(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	s.insideHits++
	s.mu.Unlock()
	writePage(w, http.StatusOK, "A secret", "nobody should read this")
}
