package discordsim

import (
	"context"
	"encoding/json"
	"maps"
	"time"
)

// Session is a session of the gateway, as it is now.
type Session struct {
	ID         string
	Shard      int
	Shards     int
	Intents    Intents
	Transport  string // one of the Transport constants, or PayloadZlib
	Properties map[string]string
	Presence   json.RawMessage // of IDENTIFY or of the last op 3; nil for none
	Began      time.Time
	Connected  bool
	Ready      bool  // READY and the guilds that followed it were written
	Over       bool  // it cannot be resumed any more
	Seq        int64 // of the last event
	Sent       int64 // of the last event that was written
	Heard      int64 // of the last event the client told of in a heartbeat
	Resumes    int
	Heartbeats int
}

// Sessions are all sessions, those that are over too, the oldest first. Each is
// one IDENTIFY that was accepted.
func (s *Server) Sessions() []Session {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []Session
	for _, ses := range s.gw.sessions {
		all = append(all, Session{
			ID: ses.id, Shard: ses.shard[0], Shards: ses.shard[1], Intents: ses.intents, Transport: ses.transport,
			Properties: maps.Clone(ses.properties), Presence: ses.presence, Began: ses.began,
			Connected: ses.conn != nil, Ready: ses.sent >= ses.opening, Over: !s.alive(ses),
			Seq: ses.seq, Sent: ses.sent, Heard: ses.heard, Resumes: ses.resumes, Heartbeats: ses.beats,
		})
	}
	return all
}

// Identifies are how many sessions were begun in the last 24 hours.
func (s *Server) Identifies() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forgetStarts()
	return len(s.gw.starts)
}

// SpendIdentifies uses up identifies of the day, as a client that reconnects in
// a circle would.
func (s *Server) SpendIdentifies(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for range n {
		s.gw.starts = append(s.gw.starts, s.now())
	}
	s.change()
}

// WaitSessions returns when a condition of the sessions holds, or the context's
// error.
func (s *Server) WaitSessions(ctx context.Context, cond func([]Session) bool) error {
	return s.WaitFor(ctx, func(s *Server) bool { return cond(s.Sessions()) })
}

// WaitReady returns when there is a connected session and every connected one
// has been sent READY, its guilds and all events up to now.
func (s *Server) WaitReady(ctx context.Context) error {
	return s.WaitSessions(ctx, func(all []Session) bool {
		n := 0
		for _, ses := range all {
			if !ses.Connected {
				continue
			}
			if !ses.Ready || ses.Sent < ses.Seq {
				return false
			}
			n++
		}
		return n > 0
	})
}

// WaitDelivered returns when every connected session has been sent all events
// up to now.
func (s *Server) WaitDelivered(ctx context.Context) error {
	want := map[string]int64{}
	for _, ses := range s.Sessions() {
		if ses.Connected {
			want[ses.ID] = ses.Seq
		}
	}
	return s.WaitSessions(ctx, func(all []Session) bool {
		for _, ses := range all {
			if ses.Connected && ses.Sent < want[ses.ID] {
				return false
			}
		}
		return true
	})
}
