package discordsim

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// gatewaySession is what an IDENTIFY began; it outlives its connections.
type gatewaySession struct {
	id          string
	shard       [2]int
	sharded     bool // the client named a shard
	intents     Intents
	transport   string
	threshold   int
	properties  map[string]string
	presence    json.RawMessage
	began       time.Time
	conn        *gatewayConn // nil: it waits to be resumed, or is over
	gone        time.Time    // since when it has no connection
	over        bool
	seq         int64 // of the last event
	sent        int64 // of the last event that was written
	heard       int64 // that the client told in a heartbeat
	lost        int64 // of the last event that is no longer kept
	opening     int64 // of the last event of the opening: READY and the guilds
	log         []gatewayEvent
	resumes     int
	beats       int
	lastRequest map[string]time.Time // for all members, by guild
}

type gatewayEvent struct {
	seq  int64
	name string
	data json.RawMessage
}

// from is the first event of the log with this number or a later one.
func (ses *gatewaySession) from(seq int64) *gatewayEvent {
	i, _ := slices.BinarySearchFunc(ses.log, seq, func(e gatewayEvent, n int64) int { return int(e.seq - n) })
	if i == len(ses.log) {
		return nil
	}
	return &ses.log[i]
}

// identify begins a session. Source: events/gateway-events, "Identify". The
// mutex is held, here and below.
func (c *gatewayConn) identify(d json.RawMessage) {
	s := c.s
	if c.ses != nil {
		c.shut(CloseAlreadyAuthenticated)
		return
	}
	var m struct {
		Token      *string                    `json:"token"`
		Intents    *int64                     `json:"intents"`
		Properties map[string]json.RawMessage `json:"properties"`
		Compress   bool                       `json:"compress"`
		Threshold  *int                       `json:"large_threshold"`
		Shard      []int                      `json:"shard"`
		Presence   json.RawMessage            `json:"presence"`
	}
	if json.Unmarshal(d, &m) != nil || m.Token == nil || m.Properties == nil ||
		m.Threshold != nil && (*m.Threshold < 50 || *m.Threshold > 250) {
		c.shut(CloseDecodeError)
		return
	}
	if !s.goodToken(*m.Token) {
		c.shut(CloseAuthenticationFailed)
		return
	}
	shard, ok := parseShard(m.Shard)
	switch {
	case m.Intents == nil || *m.Intents < 0 || Intents(*m.Intents)&^knownIntents != 0:
		c.shut(CloseInvalidIntents)
		return
	case Intents(*m.Intents)&(s.opt.RefusedIntents|s.gw.faults.disallowed)&PrivilegedIntents != 0:
		c.shut(CloseDisallowedIntents)
		return
	case !ok:
		c.shut(CloseInvalidShard)
		return
	case s.guildsOf(shard) > s.gw.shardSize:
		c.shut(CloseShardingRequired)
		return
	}
	if !s.mayStart(shard) {
		c.send(opInvalidSession, false)
		return
	}
	if s.tokenWornOut() {
		return
	}
	ses := &gatewaySession{
		id: newSessionID(), shard: shard, sharded: len(m.Shard) > 0, intents: Intents(*m.Intents), transport: c.transport,
		threshold: 50, properties: texts(m.Properties), presence: m.Presence, began: s.now(), conn: c, lastRequest: map[string]time.Time{},
	}
	if m.Threshold != nil {
		ses.threshold = *m.Threshold
	}
	if m.Compress && c.transport == TransportNone {
		c.payload, ses.transport = true, PayloadZlib
	}
	c.ses, c.next = ses, 1
	s.keepSession(ses)
	s.enqueue(ses, "READY", encodePayload(s.ready(ses)))
	if ses.intents&IntentGuilds != 0 {
		s.sendGuilds(ses)
	}
	ses.opening = ses.seq
	s.change()
}

// sendGuilds sends GUILD_CREATE for each guild of the session's shard; the
// faults of events hold for these too.
func (s *Server) sendGuilds(ses *gatewaySession) {
	const name = "GUILD_CREATE"
	f := &s.gw.faults
	for _, g := range s.order {
		if !g.botIn || !ses.holds(g.id) || take(f.drop, name) {
			continue
		}
		data := encodePayload(s.guildCreate(g.id, ses))
		if take(f.undecodable, name) {
			data = spoil(data)
		}
		s.enqueue(ses, name, data)
		if take(f.duplicate, name) {
			s.enqueue(ses, name, data)
		}
	}
}

// goodToken compares with the bot's token, with or without "Bot ".
func (s *Server) goodToken(token string) bool {
	return !s.revoked && !s.gw.faults.refuse && (token == s.token || token == "Bot "+s.token)
}

// parseShard reads [id, count]; none is [0, 1].
func parseShard(shard []int) ([2]int, bool) {
	if shard == nil {
		return [2]int{0, 1}, true
	}
	if len(shard) != 2 || shard[0] < 0 || shard[1] < 1 || shard[0] >= shard[1] {
		return [2]int{}, false
	}
	return [2]int{shard[0], shard[1]}, true
}

func (s *Server) guildsOf(shard [2]int) int {
	n := 0
	for _, g := range s.order {
		if g.botIn && ShardOf(g.id, shard[1]) == shard[0] {
			n++
		}
	}
	return n
}

// mayStart counts an identify against its key's five seconds. Source:
// events/gateway, "Max Concurrency" and "Rate Limiting".
func (s *Server) mayStart(shard [2]int) bool {
	key := shard[0] % s.opt.MaxConcurrency
	now := s.now()
	if last, was := s.gw.lastStart[key]; was && now.Sub(last) < identifyWindow && !s.opt.NoRateLimits {
		return false
	}
	s.gw.lastStart[key] = now
	return true
}

// tokenWornOut counts an identify of the day. Past the limit every session ends
// and the token is another one. Source: events/gateway, "Identifying".
func (s *Server) tokenWornOut() bool {
	s.forgetStarts()
	if len(s.gw.starts) < s.opt.SessionStarts {
		s.gw.starts = append(s.gw.starts, s.now())
		return false
	}
	s.token = base64.RawStdEncoding.EncodeToString([]byte(s.appID)) + ".sim.reset-" + newSessionID()[:8]
	for _, ses := range s.gw.sessions {
		ses.over = true
	}
	for other := range s.gw.conns {
		other.shut(CloseAuthenticationFailed)
	}
	s.change()
	return true
}

// keepSession remembers a session, and forgets the oldest that are over.
func (s *Server) keepSession(ses *gatewaySession) {
	s.gw.sessions = append(s.gw.sessions, ses)
	for i := 0; len(s.gw.sessions) > sessionsKept && i < len(s.gw.sessions); {
		if s.alive(s.gw.sessions[i]) {
			i++
			continue
		}
		s.gw.sessions = slices.Delete(s.gw.sessions, i, i+1)
	}
	for _, other := range s.gw.sessions {
		if !s.alive(other) {
			other.log = nil
		}
	}
}

func newSessionID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // it never fails
	return hex.EncodeToString(b[:])
}

func texts(in map[string]json.RawMessage) map[string]string {
	out := map[string]string{}
	for k, v := range in {
		var text string
		if json.Unmarshal(v, &text) == nil {
			out[k] = text
		}
	}
	return out
}

// ready is the payload of READY, with the fields that the documentation has and
// those that the real one sends besides. Source: events/gateway-events, "Ready".
func (s *Server) ready(ses *gatewaySession) obj {
	guilds := []any{}
	for _, g := range s.order {
		if g.botIn && ses.holds(g.id) {
			guilds = append(guilds, obj{"id": g.id, "unavailable": true})
		}
	}
	p := obj{
		"v": 10, "user": s.renderReadyUser(), "guilds": guilds, "session_id": ses.id, "resume_gateway_url": s.resumeURL(),
		"application":  obj{"id": s.appID, "flags": s.applicationFlags()},
		"session_type": "normal", "user_settings": obj{}, "relationships": []any{}, "private_channels": []any{}, "presences": []any{},
		"guild_join_requests": []any{}, "geo_ordered_rtc_regions": []any{"rotterdam", "frankfurt"}, "_trace": []any{`["gateway-sim",{"micros":0}]`},
	}
	if ses.sharded {
		p["shard"] = ses.shard
	}
	return p
}

func (s *Server) renderReadyUser() obj {
	all := s.renderSelf()
	o := obj{}
	for _, k := range []string{"verified", "username", "mfa_enabled", "id", "flags", "email", "discriminator", "bot", "avatar", "global_name"} {
		o[k] = all[k]
	}
	return o
}

// resume takes up a session. Source: events/gateway, "Resuming".
func (c *gatewayConn) resume(d json.RawMessage) {
	s := c.s
	if c.ses != nil {
		c.shut(CloseAlreadyAuthenticated)
		return
	}
	var m struct {
		Token   *string `json:"token"`
		Session *string `json:"session_id"`
		Seq     *int64  `json:"seq"`
	}
	if json.Unmarshal(d, &m) != nil || m.Token == nil || m.Session == nil || m.Seq == nil {
		c.shut(CloseDecodeError)
		return
	}
	if !s.goodToken(*m.Token) {
		c.shut(CloseAuthenticationFailed)
		return
	}
	i := slices.IndexFunc(s.gw.sessions, func(ses *gatewaySession) bool { return ses.id == *m.Session })
	if i < 0 || !s.alive(s.gw.sessions[i]) {
		c.send(opInvalidSession, false)
		return
	}
	ses := s.gw.sessions[i]
	if *m.Seq < 0 || *m.Seq > ses.seq {
		ses.over = true
		c.shut(CloseInvalidSeq)
		return
	}
	if *m.Seq < ses.lost {
		ses.over = true
		c.send(opInvalidSession, false) // more was missed than is kept
		return
	}
	if old := ses.conn; old != nil { // the server had not yet noticed that it is gone
		old.cut()
	}
	ses.log = slices.DeleteFunc(ses.log, func(e gatewayEvent) bool { return e.name == "RESUMED" })
	ses.conn, ses.transport = c, c.transport
	ses.resumes++
	c.ses, c.next = ses, *m.Seq+1
	s.enqueue(ses, "RESUMED", json.RawMessage(fmt.Sprintf(`{"_trace":["[\"gateway-sim\",{\"micros\":0}]"],"seq":%d}`, *m.Seq)))
	s.change()
}
