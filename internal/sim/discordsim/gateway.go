package discordsim

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/coder/websocket"
)

// The numbers of the gateway that the documentation gives or leaves open.
const (
	gatewayPath       = "/gateway-socket"
	gatewayResumePath = "/gateway-socket/resume"

	payloadCap      = 4096             // bytes of one message of a client; events/gateway, "Sending Events"
	sendLimit       = 120              // messages of a connection in sendWindow; events/gateway, "Rate Limiting"
	sendWindow      = 60 * time.Second //
	identifyWindow  = 5 * time.Second  // in which a key may identify once; events/gateway, "Max Concurrency"
	startWindow     = 24 * time.Hour   // of the session start limit
	guildsPerShard  = 2500             // events/gateway, "Sharding"
	sessionLife     = 3 * time.Minute  // without a connection: "a few minutes"; events/gateway, "Disconnecting"
	replayCap       = 10000            // events kept of a session
	sessionsKept    = 500              // sessions that are over and still shown by Sessions
	gatewayWriteFor = 10 * time.Second // for one message to be written
)

// The opcodes. Source: topics/opcodes-and-status-codes, "Gateway Opcodes".
const (
	opDispatch          = 0
	opHeartbeat         = 1
	opIdentify          = 2
	opPresence          = 3
	opVoiceState        = 4
	opResume            = 6
	opReconnect         = 7
	opRequestMembers    = 8
	opInvalidSession    = 9
	opHello             = 10
	opHeartbeatACK      = 11
	opRequestSoundboard = 31
)

// The codes the gateway closes with. Source: topics/opcodes-and-status-codes,
// "Gateway Close Event Codes".
const (
	CloseUnknownError         = 4000
	CloseUnknownOpcode        = 4001
	CloseDecodeError          = 4002
	CloseNotAuthenticated     = 4003
	CloseAuthenticationFailed = 4004
	CloseAlreadyAuthenticated = 4005
	CloseInvalidSeq           = 4007
	CloseRateLimited          = 4008
	CloseSessionTimedOut      = 4009
	CloseInvalidShard         = 4010
	CloseShardingRequired     = 4011
	CloseInvalidVersion       = 4012
	CloseInvalidIntents       = 4013
	CloseDisallowedIntents    = 4014
)

// closeReasons are the words that stand beside a close code.
func closeReason(code int) string {
	switch code {
	case CloseUnknownError:
		return "Unknown error."
	case CloseUnknownOpcode:
		return "Unknown opcode."
	case CloseDecodeError:
		return "Error while decoding payload."
	case CloseNotAuthenticated:
		return "Not authenticated."
	case CloseAuthenticationFailed:
		return "Authentication failed."
	case CloseAlreadyAuthenticated:
		return "Already authenticated."
	case CloseInvalidSeq:
		return "Invalid seq."
	case CloseRateLimited:
		return "Rate limited."
	case CloseSessionTimedOut:
		return "Session timed out."
	case CloseInvalidShard:
		return "Invalid shard."
	case CloseShardingRequired:
		return "Sharding required."
	case CloseInvalidVersion:
		return "Invalid API version."
	case CloseInvalidIntents:
		return "Invalid intent(s)."
	case CloseDisallowedIntents:
		return "Disallowed intent(s)."
	}
	return ""
}

// endsSession says whether a session cannot be resumed after a close code: those
// that say so, and the two with which a client says that it leaves. Source:
// topics/opcodes-and-status-codes, and events/gateway, "Initiating a Disconnect".
func endsSession(code int) bool {
	switch code {
	case 1000, 1001, CloseAuthenticationFailed, CloseInvalidSeq, CloseSessionTimedOut, CloseInvalidShard,
		CloseShardingRequired, CloseInvalidVersion, CloseInvalidIntents, CloseDisallowedIntents:
		return true
	}
	return false
}

// gatewayState is the gateway's part of a Server, under the server's mutex.
type gatewayState struct {
	gw gatewayWorld
}

// gatewayWorld is the sessions and connections there are.
type gatewayWorld struct {
	conns     map[*gatewayConn]struct{}
	sessions  []*gatewaySession // oldest first, those that are over too
	starts    []time.Time       // of the last 24 hours
	lastStart map[int]time.Time // by rate limit key
	shardSize int               // guilds of one shard at most
	life      time.Duration     // of a session without a connection
	faults    gatewayFaults
}

// initGateway makes the gateway's part of the server.
func (s *Server) initGateway() {
	s.gw = gatewayWorld{
		conns:     map[*gatewayConn]struct{}{},
		lastStart: map[int]time.Time{},
		shardSize: guildsPerShard,
		life:      sessionLife,
		faults:    newGatewayFaults(),
	}
}

// routesGateway adds what the gateway serves.
func (s *Server) routesGateway(t *router) {
	t.rest("GET /gateway", s.getGateway, public)
	t.rest("GET /gateway/bot", s.getGatewayBot)
	t.raw(gatewayPath, http.HandlerFunc(s.serveGateway))
	t.raw(gatewayPath+"/", http.HandlerFunc(s.serveGateway))
	t.raw(gatewayResumePath, http.HandlerFunc(s.serveGateway))
	t.raw(gatewayResumePath+"/", http.HandlerFunc(s.serveGateway))
}

// GatewayURL is the address that /gateway names, without its parameters.
func (s *Server) GatewayURL() string { return "ws://" + s.listen + gatewayPath }

func (s *Server) resumeURL() string { return "ws://" + s.listen + gatewayResumePath }

// startLimit is the session start limit of now. Source: events/gateway,
// "Session Start Limit Object".
func (s *Server) startLimit() obj {
	s.forgetStarts()
	var resetAfter time.Duration
	if len(s.gw.starts) > 0 {
		resetAfter = s.gw.starts[0].Add(startWindow).Sub(s.now())
	}
	return obj{
		"total":           s.opt.SessionStarts,
		"remaining":       max(s.opt.SessionStarts-len(s.gw.starts), 0),
		"reset_after":     resetAfter.Milliseconds(),
		"max_concurrency": s.opt.MaxConcurrency,
	}
}

func (s *Server) forgetStarts() {
	since := s.now().Add(-startWindow)
	s.gw.starts = slices.DeleteFunc(s.gw.starts, func(t time.Time) bool { return t.Before(since) })
}

// dispatch sends an event to every session that should hear of it. It is
// called with the mutex held, in the order in which things happened.
func (s *Server) dispatch(ev event) {
	sessions := s.hearing(ev)
	if len(sessions) == 0 {
		return
	}
	f := &s.gw.faults
	if take(f.drop, ev.Name) {
		return
	}
	times := 1
	if take(f.duplicate, ev.Name) {
		times = 2
	}
	spoilt := take(f.undecodable, ev.Name)
	full := lazily(func() json.RawMessage { return encodePayload(ev.Payload) })
	for _, ses := range sessions {
		data := s.payloadFor(ses, ev, full)
		if data == nil {
			continue
		}
		if spoilt {
			data = spoil(data)
		}
		for range times {
			s.enqueue(ses, ev.Name, data)
		}
	}
	s.change()
}

// lazily computes a value when it is first asked for.
func lazily[T any](make func() T) func() T {
	var value T
	done := false
	return func() T {
		if !done {
			value, done = make(), true
		}
		return value
	}
}

// hearing are the sessions that an event goes to: those of the guild's shard
// with one of the event's intents. What has no guild goes to shard 0. Source:
// events/gateway, "Sharding".
func (s *Server) hearing(ev event) []*gatewaySession {
	var to []*gatewaySession
	for _, ses := range s.gw.sessions {
		if s.alive(ses) && ses.holds(ev.Guild) && ses.hears(ev, s.appID) {
			to = append(to, ses)
		}
	}
	return to
}

// hears applies a session's intents.
func (ses *gatewaySession) hears(ev event, self string) bool {
	if ev.Name == "GUILD_MEMBER_UPDATE" && ev.User == self {
		return true // events/gateway, "Caveats"
	}
	return ses.intents.wants(ev.Name, ev.Guild == "")
}

// payloadFor is an event's payload as one session gets it; nil for none.
func (s *Server) payloadFor(ses *gatewaySession, ev event, full func() json.RawMessage) json.RawMessage {
	switch ev.Name {
	case "GUILD_CREATE":
		return encodePayload(s.guildCreate(ev.Guild, ses))
	case "MESSAGE_CREATE", "MESSAGE_UPDATE":
		if ses.intents&IntentMessageContent == 0 {
			return blankMessage(full(), s.appID)
		}
	case "THREAD_MEMBERS_UPDATE":
		if ses.intents&IntentGuildMembers == 0 && !concerns(full(), s.appID) {
			return nil // events/gateway, "Caveats": without the intent, the bot's own coming and going only
		}
	}
	return full()
}

func encodePayload(v any) json.RawMessage {
	if raw, ok := v.(json.RawMessage); ok {
		return raw
	}
	data, err := json.Marshal(v)
	if err != nil {
		panic("discordsim: a payload that is no JSON: " + err.Error())
	}
	return data
}

// alive says whether a session is connected or can still be resumed.
func (s *Server) alive(ses *gatewaySession) bool {
	if !ses.over && ses.conn == nil && s.now().Sub(ses.gone) > s.gw.life {
		ses.over = true
	}
	return !ses.over
}

// enqueue gives an event the session's next sequence number. The mutex is held.
func (s *Server) enqueue(ses *gatewaySession, name string, data json.RawMessage) {
	ses.seq++
	ses.log = append(ses.log, gatewayEvent{seq: ses.seq, name: name, data: data})
	if over := len(ses.log) - replayCap; over > 0 {
		ses.lost = ses.log[over-1].seq
		ses.log = slices.Delete(ses.log, 0, over)
		if ses.conn != nil && ses.conn.next <= ses.lost { // the client does not read
			ses.conn.cut()
		}
	}
	if ses.conn != nil {
		ses.conn.poke()
	}
}

// holds says whether a guild's events belong to the session's shard.
func (ses *gatewaySession) holds(guild string) bool {
	if guild == "" {
		return ses.shard[0] == 0
	}
	return ShardOf(guild, ses.shard[1]) == ses.shard[0]
}

// ShardOf is the shard of so many that a guild's events go to. Source:
// events/gateway, "Sharding Formula".
func ShardOf(guild string, shards int) int {
	n, err := strconv.ParseUint(guild, 10, 64)
	if err != nil || shards < 1 {
		return 0
	}
	return int((n >> 22) % uint64(shards))
}

// serveGateway is one connection.
func (s *Server) serveGateway(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	status := s.gw.faults.upgrade()
	s.mu.Unlock()
	if status != 0 {
		http.Error(w, http.StatusText(status), status)
		return
	}
	q := r.URL.Query()
	transport := q.Get("compress")
	enc, err := newEncoder(transport)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true, CompressionMode: websocket.CompressionDisabled})
	if err != nil {
		return // Accept has answered
	}
	ws.SetReadLimit(1 << 20) // more than payloadCap: what is too long is closed with 4002, not 1009
	c := &gatewayConn{
		s: s, ws: ws, enc: enc, transport: transport,
		version: q.Get("v"), encoding: q.Get("encoding"),
		resuming: r.URL.Path != gatewayPath && r.URL.Path != gatewayPath+"/",
		wake:     make(chan struct{}, 1),
	}
	c.serve()
}
