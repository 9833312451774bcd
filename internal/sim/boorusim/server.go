package boorusim

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Board is the software that a server is.
type Board string

// The boards.
const (
	Philomena Board = "philomena" // GET /api/v1/json/search/images, /images/ID, /filters/…, /tags/…
	Danbooru  Board = "danbooru"  // GET /posts.json, /posts/ID.json
	E621      Board = "e621"      // GET /posts.json, /posts/ID.json
)

// Config says how a board behaves. The zero value is an empty Philomena with
// its own limits and two filters.
type Config struct {
	Board         Board             // empty: Philomena
	Seed          uint64            // of what is random
	Old           bool              // documents as Philomena's were in 2020: no source_urls, size or duration, times without a zone
	Filters       []Filter          // of Philomena; nil: DefaultFilters
	DefaultFilter int64             // ID of the one for those who choose none; 0: the first
	Keys          map[string]string // Philomena's API keys and the names of their users
	NoLimits      bool              // nobody asks too often
	TooMany       bool              // who asks too often gets a plain 429, not the board's own answer
	Keep          int               // requests that are remembered; 0: 1,000
	Now           func() time.Time  // nil: time.Now
	Log           *slog.Logger      // nil: silent
}

// DefaultFilters are two like those of Derpibooru: 1 shows what is fit for
// all, 2 shows everything.
func DefaultFilters() []Filter {
	return []Filter{
		{ID: 1, Name: "Default", Description: "The site's default filter.", System: true,
			HiddenTags: []string{"explicit", "questionable", "suggestive", "grimdark", "semi-grimdark", "grotesque"}},
		{ID: 2, Name: "Everything", Description: "This filter won't filter out anything at all.", System: true},
	}
}

// Server is a board. It is made by Start and safe for concurrent use.
type Server struct {
	cfg Config
	log *slog.Logger

	mu       sync.Mutex
	changed  chan struct{} // closed and replaced at every change
	images   []*entry      // by ID
	nextID   int64
	tagIDs   map[string]int64
	requests []Request
	count    int
	faults   []*Fault
	chance   *rand.Rand
	limiter  limiter
	closed   bool

	drawn    drawn
	url, cdn string
	servers  []*http.Server
	cancel   context.CancelFunc
	serving  sync.WaitGroup
	handlers sync.WaitGroup
}

// entry is a picture of the board; it is not changed once it is here.
type entry struct {
	Image
	doc *doc
}

// Start makes a board and listens on two free ports of 127.0.0.1: one for the
// board itself and one for its files, which are on another host on the real
// ones.
func Start(cfg Config) (*Server, error) {
	if cfg.Board == "" {
		cfg.Board = Philomena
	}
	if cfg.Filters == nil {
		cfg.Filters = DefaultFilters()
	}
	if cfg.DefaultFilter == 0 && len(cfg.Filters) > 0 {
		cfg.DefaultFilter = cfg.Filters[0].ID
	}
	if cfg.Keep <= 0 {
		cfg.Keep = 1000
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	ctx, cancel := context.WithCancel(context.Background())
	s := &Server{
		cfg: cfg, log: cfg.Log, cancel: cancel,
		changed: make(chan struct{}),
		nextID:  1,
		tagIDs:  map[string]int64{},
		chance:  rand.New(rand.NewPCG(cfg.Seed, 0xb0042)),
		limiter: limiter{board: cfg.Board},
	}
	var err error
	if s.url, err = s.listen(ctx, s.board); err == nil {
		s.cdn, err = s.listen(ctx, s.file)
	}
	if err != nil {
		_ = s.Close()
		return nil, err
	}
	return s, nil
}

func (s *Server) listen(ctx context.Context, h func(*exchange)) (url string, err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("start the board %s: %w", s.cfg.Board, err)
	}
	srv := &http.Server{
		Handler:           http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.handle(w, r, h) }),
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ReadHeaderTimeout: 10 * time.Second,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	s.servers = append(s.servers, srv)
	s.serving.Go(func() {
		if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			s.log.Error("the board's server ended", "err", err)
		}
	})
	return "http://" + l.Addr().String(), nil
}

// URL is the board's address, without a slash at its end.
func (s *Server) URL() string { return s.url }

// CDN is the address of the board's files, without a slash at its end.
func (s *Server) CDN() string { return s.cdn }

// Close ends every request and waits until all is over. It may be called more
// than once.
func (s *Server) Close() error {
	s.mu.Lock()
	first := !s.closed
	s.closed = true
	s.mu.Unlock()
	var err error
	if first {
		for _, srv := range s.servers { // before cancel, or a handler that hangs would still get an empty 200 out
			err = errors.Join(err, srv.Close())
		}
		s.cancel()
	}
	s.serving.Wait()
	s.handlers.Wait()
	return err
}

// Add puts pictures on the board and returns their IDs. A picture with the ID
// of one that is there takes its place.
func (s *Server) Add(images ...Image) []int64 {
	var ids []int64
	var all []*entry
	s.mu.Lock()
	for _, im := range images {
		if im.ID == 0 {
			im.ID = s.nextID
		}
		s.nextID = max(s.nextID, im.ID+1)
		ids = append(ids, im.ID)
		all = append(all, &entry{Image: im})
	}
	s.mu.Unlock()
	for _, e := range all {
		e.complete()
		e.doc = newDoc(&e.Image)
	}
	s.change(func() {
		for _, e := range all {
			for _, t := range e.doc.tags {
				s.tagID(t)
			}
			i, found := slices.BinarySearchFunc(s.images, e.ID, func(e *entry, id int64) int { return int(e.ID - id) })
			if found {
				s.images[i] = e
			} else {
				s.images = slices.Insert(s.images, i, e)
			}
		}
	})
	return ids
}

// Remove takes pictures from the board, as if they had never been there.
func (s *Server) Remove(ids ...int64) {
	s.change(func() {
		s.images = slices.DeleteFunc(s.images, func(e *entry) bool { return slices.Contains(ids, e.ID) })
	})
}

// Image is a picture of the board as Add completed it.
func (s *Server) Image(id int64) (Image, bool) {
	if e := s.find(id); e != nil {
		return e.Image, true
	}
	return Image{}, false
}

func (s *Server) find(id int64) *entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.images {
		if e.ID == id {
			return e
		}
	}
	return nil
}

// tagID is the number of a tag, which it has from when it is first met. The lock is held.
func (s *Server) tagID(name string) int64 {
	id := s.tagIDs[name]
	if id == 0 {
		id = int64(len(s.tagIDs)) + 1001
		s.tagIDs[name] = id
	}
	return id
}

// WaitFor returns when cond is true, or with the context's error. cond is
// asked at once and after every change of the server, never by two goroutines
// for one call; it may call the server's methods.
func (s *Server) WaitFor(ctx context.Context, cond func() bool) error {
	for {
		s.mu.Lock()
		changed := s.changed
		s.mu.Unlock()
		if cond() {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// change does f under the lock and wakes whoever waits.
func (s *Server) change(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
	close(s.changed)
	s.changed = make(chan struct{})
}

// enter counts a handler, unless the server is closed.
func (s *Server) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.handlers.Add(1)
	return true
}

func (s *Server) handle(w http.ResponseWriter, r *http.Request, h func(*exchange)) {
	if !s.enter() {
		return
	}
	defer s.handlers.Done()
	x := s.receive(w, r)
	defer x.done()
	h(x)
}

// board answers what is asked of the board itself.
func (s *Server) board(x *exchange) {
	if f := s.pick(x, false); f != nil && f.early() {
		f.do(x)
		return
	} else if f != nil {
		x.fault = f
	}
	switch s.cfg.Board {
	case Danbooru:
		s.danbooru(x)
	case E621:
		s.e621(x)
	default:
		s.philomena(x)
	}
}
