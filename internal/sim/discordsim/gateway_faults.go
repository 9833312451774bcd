package discordsim

import (
	"encoding/json"
	"slices"
)

// gatewayFaults is what goes wrong, under the server's mutex.
type gatewayFaults struct {
	drop, duplicate, undecodable map[string]int // events left, by name
	stallACK, frozen, refuse     bool
	disallowed                   Intents
	reconnectFirst               int // connections that hear RECONNECT in place of HELLO
	refuseUpgrades, refuseWith   int
}

func newGatewayFaults() gatewayFaults {
	return gatewayFaults{drop: map[string]int{}, duplicate: map[string]int{}, undecodable: map[string]int{}}
}

// take counts one down and says whether there was one.
func take(left map[string]int, name string) bool {
	if left[name] == 0 {
		return false
	}
	left[name]--
	return true
}

// upgrade is the status that a connection is refused with; 0: it is not.
func (f *gatewayFaults) upgrade() int {
	if f.refuseUpgrades == 0 {
		return 0
	}
	f.refuseUpgrades--
	return f.refuseWith
}

// each does something to the connections of these shards, all if none is named.
// Connections that have no session yet belong to no shard.
func (s *Server) each(shards []int, do func(*gatewayConn)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.gw.conns {
		if len(shards) == 0 || c.ses != nil && slices.Contains(shards, c.ses.shard[0]) {
			do(c)
		}
	}
	s.change()
}

// Reconnect tells the connections of some shards, or all, to connect again and
// resume. Source: events/gateway-events, "Reconnect".
func (s *Server) Reconnect(shards ...int) {
	s.each(shards, func(c *gatewayConn) { c.send(opReconnect, nil) })
}

// ReconnectInsteadOfHello makes the next n connections hear RECONNECT before
// anything else.
func (s *Server) ReconnectInsteadOfHello(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gw.faults.reconnectFirst = n
}

// Invalidate tells the sessions of some shards, or all, that they are invalid;
// the ones that are resumable may still be resumed. Source:
// events/gateway-events, "Invalid Session".
func (s *Server) Invalidate(resumable bool, shards ...int) {
	s.each(shards, func(c *gatewayConn) {
		ses := c.ses
		if ses == nil {
			return
		}
		c.send(opInvalidSession, resumable)
		c.leave(0)
		if !resumable {
			ses.over = true
		}
	})
}

// CloseGateway closes the connections of some shards, or all, with a code. The
// sessions can be resumed unless the code says otherwise.
func (s *Server) CloseGateway(code int, shards ...int) {
	s.each(shards, func(c *gatewayConn) { c.shut(code) })
}

// Sever ends the connections of some shards, or all, without a close frame, as
// when the network fails.
func (s *Server) Sever(shards ...int) {
	s.each(shards, func(c *gatewayConn) { c.cut() })
}

// RequestHeartbeat asks the clients of some shards, or all, for a heartbeat at
// once. Source: events/gateway, "Heartbeat Requests".
func (s *Server) RequestHeartbeat(shards ...int) {
	s.each(shards, func(c *gatewayConn) { c.send(opHeartbeat, nil) })
}

// EndSessions makes every session that has no connection unable to be resumed,
// as after some minutes.
func (s *Server) EndSessions() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, ses := range s.gw.sessions {
		if ses.conn == nil {
			ses.over = true
		}
	}
	s.change()
}

// DropNext loses the next n events of a name for ever: no session gets them,
// and they have no sequence number. Source: reference, "Consistency".
func (s *Server) DropNext(name string, n int) { s.fault(func(f *gatewayFaults) { f.drop[name] = n }) }

// DuplicateNext sends the next n events of a name twice, each time with a number
// of its own.
func (s *Server) DuplicateNext(name string, n int) {
	s.fault(func(f *gatewayFaults) { f.duplicate[name] = n })
}

// Undecodable sends the next event of a name with a field of a wrong kind, such
// as a GUILD_CREATE whose member_count is a text. It may be called more than
// once, for more events.
func (s *Server) Undecodable(name string) {
	s.fault(func(f *gatewayFaults) { f.undecodable[name]++ })
}

// StallHeartbeatACK leaves heartbeats unanswered while on.
func (s *Server) StallHeartbeatACK(on bool) { s.fault(func(f *gatewayFaults) { f.stallACK = on }) }

// FreezeGateway holds all events back while on; heartbeats are answered. What
// was held back comes afterwards.
func (s *Server) FreezeGateway(on bool) {
	s.fault(func(f *gatewayFaults) { f.frozen = on })
	s.each(nil, func(c *gatewayConn) { c.poke() })
}

// DisallowIntents refuses sessions that ask for any of these privileged
// intents, with 4014; 0 refuses none but Options.RefusedIntents.
func (s *Server) DisallowIntents(in Intents) { s.fault(func(f *gatewayFaults) { f.disallowed = in }) }

// RefuseToken closes with 4004 whoever identifies or resumes, while on; REST
// takes the token still. Revoke refuses it everywhere.
func (s *Server) RefuseToken(on bool) { s.fault(func(f *gatewayFaults) { f.refuse = on }) }

// RefuseGateway answers the next n connections with an HTTP status in place of
// a WebSocket.
func (s *Server) RefuseGateway(n, status int) {
	s.fault(func(f *gatewayFaults) { f.refuseUpgrades, f.refuseWith = n, status })
}

// RequireSharding sets how many guilds one shard may have; more are refused
// with 4011. It is 2,500 at first.
func (s *Server) RequireSharding(guilds int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gw.shardSize = guilds
}

func (s *Server) fault(set func(*gatewayFaults)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	set(&s.gw.faults)
}

// CalmGateway takes all faults of the gateway back.
func (s *Server) CalmGateway() {
	s.fault(func(f *gatewayFaults) { *f = newGatewayFaults() })
	s.each(nil, func(c *gatewayConn) { c.poke() })
}

// spoil gives one field of a payload a value of a wrong kind.
func spoil(data json.RawMessage) json.RawMessage {
	var o obj
	if json.Unmarshal(data, &o) != nil {
		return data
	}
	for _, k := range []string{"member_count", "type", "position", "flags"} {
		if _, ok := o[k].(float64); ok {
			o[k] = "not a number"
			return encodePayload(o)
		}
	}
	for _, k := range []string{"id", "guild_id", "channel_id", "message_id", "user_id"} {
		if _, ok := o[k].(string); ok {
			o[k] = obj{"not": "an id"}
			return encodePayload(o)
		}
	}
	return json.RawMessage(`[]`)
}
