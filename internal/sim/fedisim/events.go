package fedisim

import (
	"slices"

	"github.com/coder/websocket"
)

// OpenStreams is how many streams are open.
func (s *Server) OpenStreams() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.streams)
}

// StreamsOpened is how many streams there ever were; refused ones do not count
// (they are in Requests).
func (s *Server) StreamsOpened() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.streamed
}

// DropStreams ends every open stream and says how many: with a closing code
// such as 1001 or 1012, or, with 0, by cutting the connection without a word.
func (s *Server) DropStreams(code int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := len(s.streams)
	for _, c := range s.streams {
		c.finish(websocket.StatusCode(code))
	}
	s.streams = nil // they hear nothing from now on
	s.change()
	return n
}

// RefuseStreams refuses the next n streams (below zero: all of them) with a
// status: 429 as the server, others as Fail. It is a fault like those of Inject.
func (s *Server) RefuseStreams(n, status int) *Injected {
	f := Fail(status)
	if status == 429 {
		f = TooMany(RetryNothing, 0)
	}
	return s.Inject(f.On("GET", StreamPath).Times(n))
}

// StallStreams makes every stream, open or yet to come, healthy but mute, as
// when the server has lost its Redis: events are lost, pings go on.
func (s *Server) StallStreams() { s.setStalled(true) }

// ResumeStreams ends StallStreams. What was lost stays lost.
func (s *Server) ResumeStreams() { s.setStalled(false) }

func (s *Server) setStalled(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stalled = on
	s.change()
}

// FreezeStreams makes the streams that are open now dead without closing them,
// as when a network forgets a connection: no event comes any more, no ping,
// no answer to a ping. New streams are healthy.
func (s *Server) FreezeStreams() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.streams {
		c.frozen = true
	}
	s.change()
	return len(s.streams)
}

// RepeatEvents makes the next n events come twice on every stream.
func (s *Server) RepeatEvents(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.repeats = n
}

// StreamText sends a text of any kind on the account's open streams and says on
// how many.
func (a *Account) StreamText(text string) int {
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	n := 0
	for _, c := range a.s.streams {
		if c.who == a && !c.frozen {
			c.push([]byte(text))
			n++
		}
	}
	return n
}

// StreamFirst makes the post's notifications come on the streams at once, but
// be listed only after ReleaseNotifications.
func StreamFirst() PostOption { return func(d *draft) { d.how = streamedOnly } }

// streamNote tells the streams of a notification, once. Mastodon keeps quiet
// about filtered ones.
func (s *Server) streamNote(n *notification) {
	if n.streamed {
		return
	}
	n.streamed = true
	if len(s.streams) == 0 || n.filtered && !s.opt.StreamFiltered {
		return
	}
	s.emit("notification", func(c *stream, name string) bool {
		return c.who == n.to && (name == "user:notification" || name == "user" && s.scoped(c.token, "read:notifications"))
	}, func(*stream) string {
		var w jsonWriter
		s.writeNote(&w, n, n.to)
		return string(w.b)
	})
}

// streamStatus tells the streams of home timelines of a post: "update",
// "status.update" or "delete". Public timelines are not streamed here.
func (s *Server) streamStatus(event string, st *status) {
	if len(s.streams) == 0 {
		return
	}
	s.emit(event, func(c *stream, name string) bool {
		return name == "user" && c.who != nil && (st.author == c.who || c.who.following[st.author]) && st.visible(c.who)
	}, func(c *stream) string {
		if event == "delete" {
			return st.id
		}
		var w jsonWriter
		s.writeStatus(&w, st, c.who)
		return string(w.b)
	})
}

// emit sends an event on every subscription that wants it: one message for each
// on Mastodon and Akkoma, one for each connection on GoToSocial, none on
// Sharkey, whose streams speak Misskey's language. Akkoma does not say of which
// stream an event is.
func (s *Server) emit(event string, wants func(*stream, string) bool, payload func(*stream) string) {
	if s.profile == Sharkey || s.stalled {
		return
	}
	sent := false
	for _, c := range slices.Clone(s.streams) {
		if c.frozen {
			continue
		}
		for _, name := range c.subs {
			if !wants(c, name) {
				continue
			}
			var w jsonWriter
			w.open('{')
			if s.profile != Akkoma {
				w.raw("stream", `[`+quoted(name)+`]`)
			}
			w.str("event", event)
			w.str("payload", payload(c))
			w.close('}')
			c.push(w.b)
			if s.repeats > 0 {
				c.push(w.b)
			}
			sent = true
			if s.profile == GoToSocial {
				break
			}
		}
	}
	if sent && s.repeats > 0 {
		s.repeats--
	}
}
