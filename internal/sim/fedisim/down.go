package fedisim

import "net/http"

// Down takes the server out of service until Up: every request, to whatever
// address, is answered with a status as a proxy answers for a server that is not
// there (502, 503, 504), or, with 0, has its connection reset before anything is
// read. Open streams are cut. Nothing is carried out meanwhile.
func (s *Server) Down(status int) {
	f := Reset()
	if status != 0 {
		f = WebPage(status)
	}
	f.name = "down"
	s.mu.Lock()
	s.down = &Injected{f: f, s: s, left: -1, release: make(chan struct{})}
	s.mu.Unlock()
	s.DropStreams(0)
}

// Up ends Down.
func (s *Server) Up() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = nil
	s.change()
}

// serveDown answers a request while the server is down; false when it is not.
func (s *Server) serveDown(w http.ResponseWriter, q *request) bool {
	s.mu.Lock()
	in := s.down
	s.mu.Unlock()
	if in == nil {
		return false
	}
	s.serveFault(w, q, in)
	return true
}
