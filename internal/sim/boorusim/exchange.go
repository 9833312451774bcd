package boorusim

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// Request is one request that came, for a search or for a file.
type Request struct {
	Number int // from 1
	Method string
	Path   string
	Query  url.Values
	Header http.Header

	Search string  // q of Philomena, tags of the others
	Err    string  // why the search was refused; empty when it was right
	Found  int     // all that it finds
	Given  []int64 // IDs that were answered

	Image          int64  // whose file was asked for; 0: no file
	Representation string // of that file

	Status int  // of the answer; 0 while there is none, and when a fault left it out
	Fault  Kind // the fault that it met; empty for none
	Over   bool // the answer is sent, or given up
}

// Requests are those that came, oldest first: the last Config.Keep of them.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

// Count is the number of requests that came.
func (s *Server) Count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.count
}

// Searches are the requests that searched, oldest first.
func (s *Server) Searches() []Request {
	return slices.DeleteFunc(s.Requests(), func(r Request) bool {
		return r.Path != "/posts.json" && r.Path != "/api/v1/json/search/images" && r.Path != "/api/v1/json/search"
	})
}

// Files are the requests for files, oldest first.
func (s *Server) Files() []Request {
	return slices.DeleteFunc(s.Requests(), func(r Request) bool { return r.Image == 0 })
}

// exchange is a request that is being answered.
type exchange struct {
	s      *Server
	w      http.ResponseWriter
	r      *http.Request
	q      url.Values
	number int
	fault  *Fault // that mangles the answer
}

func (s *Server) receive(w http.ResponseWriter, r *http.Request) *exchange {
	x := &exchange{s: s, w: w, r: r, q: r.URL.Query()}
	s.change(func() {
		s.count++
		x.number = s.count
		if len(s.requests) >= s.cfg.Keep {
			s.requests = slices.Delete(s.requests, 0, len(s.requests)-s.cfg.Keep+1)
		}
		s.requests = append(s.requests, Request{Number: x.number, Method: r.Method, Path: r.URL.Path,
			Query: maps.Clone(x.q), Header: r.Header.Clone()})
	})
	return x
}

// note writes something down about the request.
func (x *exchange) note(f func(*Request)) {
	x.s.change(func() {
		for i := len(x.s.requests) - 1; i >= 0; i-- {
			if x.s.requests[i].Number == x.number {
				f(&x.s.requests[i])
				return
			}
		}
	})
}

func (x *exchange) done() { x.note(func(r *Request) { r.Over = true }) }

func encode(v any) []byte {
	data, err := json.Marshal(v)
	if err != nil { // maps, texts and numbers of our own
		panic(fmt.Sprintf("boorusim: encode an answer: %v", err))
	}
	return data
}

// send answers with a whole body. It is noted before it is sent, so that a
// client that has its answer finds it noted.
func (x *exchange) send(status int, contentType string, body []byte) {
	x.note(func(r *Request) { r.Status = status })
	h := x.w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	x.w.WriteHeader(status)
	_, _ = x.w.Write(body) // a client that is gone misses it, no more
}

func (x *exchange) json(status int, v any) {
	body := encode(v)
	if x.fault != nil {
		x.fault.mangle(x, status, body)
		return
	}
	x.send(status, "application/json; charset=utf-8", body)
}

func (x *exchange) html(status int, title string) {
	x.send(status, "text/html; charset=utf-8", []byte("<!DOCTYPE html>\n<html><head><title>"+title+"</title></head><body><h1>"+title+"</h1></body></html>\n"))
}

// wait is a pause that ends early, with false, when the client leaves or the
// server is closed.
func (x *exchange) wait(d time.Duration) bool {
	if d <= 0 {
		return x.r.Context().Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-x.r.Context().Done():
		return false
	}
}

// number is a parameter of the query; def if it is none.
func (x *exchange) param(name string, def int) int {
	if v, err := strconv.Atoi(x.q.Get(name)); err == nil {
		return v
	}
	return def
}

// found is the search's outcome, noted.
func (x *exchange) found(search string, total int, given []*entry) {
	x.note(func(r *Request) {
		r.Search, r.Found = search, total
		for _, e := range given {
			r.Given = append(r.Given, e.ID)
		}
	})
}

func (x *exchange) refused(search string, err error) {
	x.note(func(r *Request) { r.Search, r.Err = search, err.Error() })
}

// all are the pictures of the board, oldest first.
func (s *Server) all() []*entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.images)
}

// page cuts out what is on a page, from 1.
func page(all []*entry, number, size int) []*entry {
	if number < 1 {
		number = 1
	}
	from := len(all)
	if number <= len(all)/size+1 {
		from = min((number-1)*size, len(all))
	}
	return all[from:min(from+size, len(all))]
}

// random is a number for a shuffle.
func (s *Server) random() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.chance.Uint64N(1<<32) + 1
}

// shuffle orders by a score that comes from a seed and the ID alone, as a
// random_score of OpenSearch does, so that the pages of one seed fit together.
func shuffle(all []*entry, seed uint64) {
	score := func(id int64) uint64 {
		z := seed*0x9e3779b97f4a7c15 + uint64(id)
		z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
		z = (z ^ z>>27) * 0x94d049bb133111eb
		return z ^ z>>31
	}
	slices.SortFunc(all, func(a, b *entry) int {
		x, y := score(a.ID), score(b.ID)
		switch {
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return 0
	})
}
