package discordsim

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"go.uber.org/goleak"
)

const everything = knownIntents

// TestCloseLeavesNothing is not parallel: it counts goroutines.
func TestCloseLeavesNothing(t *testing.T) {
	before := goleak.IgnoreCurrent()
	s, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	s.BotJoins(s.AddGuild("Owls"))
	c, _ := start(t, s, everything, nil)
	c.event("GUILD_CREATE")
	s.Close()
	if got := c.closed(); got != -1 {
		t.Errorf("closed with %d", got)
	}
	s.Close()
	http.DefaultClient.CloseIdleConnections()
	goleak.VerifyNone(t, before)
}

func TestOpening(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, Options{})
	g := s.AddGuild("Owls")
	s.AddChannel(g, "general", Text)
	hall := s.AddChannel(g, "hall", Voice)
	ada, bob := s.AddUser("ada"), s.AddUser("bob")
	s.Join(g, ada)
	s.Join(g, bob)
	s.BotJoins(g)
	if err := s.JoinVoice(ada, hall); err != nil {
		t.Fatal(err)
	}
	c := dial(t, s.GatewayURL(), "v=10&encoding=json")
	if d := c.next(opHello, "").object(t); d["heartbeat_interval"] != 41250.0 {
		t.Errorf("HELLO says %v", d)
	}
	c.send(opIdentify, identifyWith(s, IntentGuilds|IntentGuildVoiceStates, nil))
	ready := c.event("READY").object(t)
	if ready["v"] != 10.0 || ready["resume_gateway_url"] != s.resumeURL() || ready["shard"] != nil {
		t.Errorf("READY is %v", ready)
	}
	if u := ready["user"].(map[string]any); u["id"] != s.AppID() || u["bot"] != true {
		t.Errorf("READY has the user %v", u)
	}
	if gs := ready["guilds"].([]any); len(gs) != 1 || gs[0].(map[string]any)["unavailable"] != true {
		t.Errorf("READY has the guilds %v", gs)
	}
	create := c.event("GUILD_CREATE").object(t)
	var members []string
	for _, m := range create["members"].([]any) {
		members = append(members, m.(map[string]any)["user"].(map[string]any)["username"].(string))
	}
	if got := strings.Join(members, " "); got != "ada rookery" {
		t.Errorf("without the presences intent GUILD_CREATE has the members %q", got)
	}
	states := create["voice_states"].([]any)
	if len(states) != 1 {
		t.Fatalf("voice states: %v", states)
	}
	if v := states[0].(map[string]any); v["channel_id"] != hall || v["user_id"] != ada || v["guild_id"] != nil {
		t.Errorf("the voice state is %v", v)
	}
	if create["member_count"] != 4.0 || len(create["presences"].([]any)) != 0 || create["large"] != false {
		t.Errorf("member_count %v, presences %v, large %v", create["member_count"], create["presences"], create["large"])
	}
	if err := s.WaitReady(testContext(t)); err != nil {
		t.Fatal(err)
	}
	ses := s.Sessions()
	if len(ses) != 1 || !ses[0].Ready || ses[0].Seq != 2 || ses[0].Properties["browser"] != "raw" || ses[0].ID != ready["session_id"] {
		t.Errorf("the sessions are %+v", ses)
	}
}

func TestMembersOfALargeGuild(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, Options{})
	g := s.AddGuild("Owls")
	r := s.AddRole(g, "wise", 0)
	for i := range 60 {
		u := s.AddUser("u")
		if i == 0 {
			s.Join(g, u, r)
		} else {
			s.Join(g, u)
		}
	}
	s.BotJoins(g)
	for _, tc := range []struct {
		threshold, members int
		large              bool
	}{{50, 2, true}, {100, 62, false}} {
		c := dial(t, s.GatewayURL(), "v=10&encoding=json")
		c.next(opHello, "")
		s.forgetStart()
		c.send(opIdentify, identifyWith(s, IntentGuilds|IntentGuildPresences, map[string]any{"large_threshold": tc.threshold}))
		create := c.event("GUILD_CREATE").object(t)
		if n := len(create["members"].([]any)); n != tc.members || create["large"] != tc.large {
			t.Errorf("with the threshold %d there are %d members, large %v", tc.threshold, n, create["large"])
		}
	}
}

// forgetStart lets the next identify come at once.
func (s *Server) forgetStart() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.gw.lastStart)
}

func TestCloseCodes(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 4100)
	for name, tc := range map[string]struct {
		params string
		set    func(*Server)
		do     func(*Server, *rawClient)
		want   int
	}{
		"an unknown opcode":       {do: func(_ *Server, c *rawClient) { c.send(99, nil) }, want: 4001},
		"an opcode of the past":   {do: func(_ *Server, c *rawClient) { c.send(5, nil) }, want: 4001},
		"no JSON":                 {do: func(_ *Server, c *rawClient) { c.sendRaw([]byte("{")) }, want: 4002},
		"no opcode":               {do: func(_ *Server, c *rawClient) { c.sendRaw([]byte(`{"d":1}`)) }, want: 4002},
		"too long":                {do: func(s *Server, c *rawClient) { c.send(2, identifyWith(s, 1, map[string]any{"x": long})) }, want: 4002},
		"no properties":           {do: func(s *Server, c *rawClient) { c.send(2, map[string]any{"token": s.Token(), "intents": 1}) }, want: 4002},
		"a threshold of 10":       {do: func(s *Server, c *rawClient) { c.send(2, identifyWith(s, 1, map[string]any{"large_threshold": 10})) }, want: 4002},
		"not identified":          {do: func(_ *Server, c *rawClient) { c.send(3, nil) }, want: 4003},
		"a bad token":             {do: func(s *Server, c *rawClient) { c.send(2, identifyWith(s, 1, map[string]any{"token": "x"})) }, want: 4004},
		"a bad token to resume":   {do: func(_ *Server, c *rawClient) { c.send(6, map[string]any{"token": "x", "session_id": "y", "seq": 1}) }, want: 4004},
		"a token that is revoked": {set: func(s *Server) { s.Revoke() }, do: func(s *Server, c *rawClient) { c.send(2, identifyWith(s, 1, nil)) }, want: 4004},
		"a token that is refused": {set: func(s *Server) { s.RefuseToken(true) }, do: func(s *Server, c *rawClient) { c.send(2, identifyWith(s, 1, nil)) }, want: 4004},
		"identified twice": {do: func(s *Server, c *rawClient) {
			c.send(2, identifyWith(s, 1, nil))
			c.send(2, identifyWith(s, 1, nil))
		}, want: 4005},
		"a bad shard":     {do: func(s *Server, c *rawClient) { c.send(2, identifyWith(s, 1, map[string]any{"shard": []int{2, 2}})) }, want: 4010},
		"half a shard":    {do: func(s *Server, c *rawClient) { c.send(2, identifyWith(s, 1, map[string]any{"shard": []int{0}})) }, want: 4010},
		"too many guilds": {set: func(s *Server) { s.RequireSharding(1) }, do: func(s *Server, c *rawClient) { c.send(2, identifyWith(s, 1, nil)) }, want: 4011},
		"another version": {params: "v=8&encoding=json", do: func(*Server, *rawClient) {}, want: 4012},
		"no version":      {params: "encoding=json", do: func(*Server, *rawClient) {}, want: 4012},
		"unknown intents": {do: func(s *Server, c *rawClient) { c.send(2, identifyWith(s, 1<<40, nil)) }, want: 4013},
		"no intents": {do: func(s *Server, c *rawClient) {
			c.send(2, map[string]any{"token": s.Token(), "properties": map[string]string{}})
		}, want: 4013},
		"disallowed intents": {set: func(s *Server) { s.DisallowIntents(IntentMessageContent) }, do: func(s *Server, c *rawClient) { c.send(2, identifyWith(s, IntentMessageContent, nil)) }, want: 4014},
		"120 messages are enough": {do: func(_ *Server, c *rawClient) {
			for range 121 {
				c.send(1, nil)
			}
		}, want: 4008},
		"of one's own choice": {set: nil, do: func(s *Server, c *rawClient) { c.next(opHello, ""); s.CloseGateway(4000) }, want: 4000},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newTestServer(t, Options{})
			s.BotJoins(s.AddGuild("Owls"))
			s.BotJoins(s.AddGuild("Cats"))
			if tc.set != nil {
				tc.set(s)
			}
			if tc.params == "" {
				tc.params = "v=10&encoding=json"
			}
			c := dial(t, s.GatewayURL(), tc.params)
			tc.do(s, c)
			if got := c.closed(); got != tc.want {
				t.Errorf("closed with %d, want %d", got, tc.want)
			}
		})
	}
}

func TestRefusedByOptions(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, Options{RefusedIntents: IntentGuildMembers})
	c := dial(t, s.GatewayURL(), "v=10")
	c.send(opIdentify, identifyWith(s, IntentGuildMembers, nil))
	if got := c.closed(); got != CloseDisallowedIntents {
		t.Errorf("closed with %d", got)
	}
}

func TestHeartbeats(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, Options{})
	c, _ := start(t, s, IntentGuilds, nil)
	c.send(opHeartbeat, 1)
	c.next(opHeartbeatACK, "")
	if ses := s.Sessions()[0]; ses.Heartbeats != 1 || ses.Heard != 1 {
		t.Errorf("the session is %+v", ses)
	}
	s.RequestHeartbeat()
	c.next(opHeartbeat, "")
	s.StallHeartbeatACK(true)
	c.send(opHeartbeat, nil)
	if err := s.WaitSessions(testContext(t), func(all []Session) bool { return all[0].Heartbeats == 2 }); err != nil {
		t.Fatal(err)
	}
	s.StallHeartbeatACK(false)
	s.Reconnect()
	if p, err := c.read(); err != nil || p.Op != opReconnect {
		t.Errorf("a stalled heartbeat was followed by %+v, %v", p, err)
	}
}

func TestMissedHeartbeat(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, Options{HeartbeatInterval: 20 * time.Millisecond})
	c, _ := start(t, s, IntentGuilds, nil)
	if got := c.closed(); got != CloseSessionTimedOut {
		t.Errorf("closed with %d", got)
	}
	if ses := s.Sessions()[0]; !ses.Over {
		t.Errorf("the session is %+v", ses)
	}
}

func TestResume(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, Options{})
	g := s.AddGuild("Owls")
	general := s.AddChannel(g, "general", Text)
	s.BotJoins(g)
	ada := s.AddUser("ada")
	s.Join(g, ada)
	c, ready := start(t, s, everything, nil)
	c.event("GUILD_CREATE")
	session, seq := ready["session_id"].(string), c.seq
	s.Sever()
	if got := c.closed(); got != -1 {
		t.Errorf("a severed connection was closed with %d", got)
	}
	for _, text := range []string{"one", "two"} {
		say(t, s, ada, general, text)
	}
	for range 2 { // a resumed session can be resumed again from the same place
		c = resume(t, s, session, seq)
		for _, text := range []string{"one", "two"} {
			if m := c.event("MESSAGE_CREATE").object(t); m["content"] != text {
				t.Errorf("replayed %v", m["content"])
			}
		}
		if p, err := c.read(); err != nil || p.name() != "RESUMED" {
			t.Fatalf("after the replay came %+v, %v", p, err)
		}
		s.CloseGateway(CloseUnknownError)
		c.closed()
	}
	if ses := s.Sessions(); len(ses) != 1 || ses[0].Resumes != 2 || ses[0].Over || ses[0].Connected {
		t.Errorf("the sessions are %+v", ses)
	}
}

func TestResumeRefused(t *testing.T) {
	t.Parallel()
	clock := time.Now()
	s := newTestServer(t, Options{Clock: func() time.Time { return clock }})
	begin := func() (*rawClient, string) {
		s.forgetStart()
		c, ready := start(t, s, IntentGuilds, nil)
		return c, ready["session_id"].(string)
	}
	refused := func(name, session string) {
		t.Helper()
		c := resume(t, s, session, 1)
		if p, err := c.read(); err != nil || p.Op != opInvalidSession || string(p.D) != "false" {
			t.Errorf("%s: %+v %v", name, p, err)
		}
	}
	refused("an unknown session", "none")
	c, session := begin()
	if err := c.ws.Close(websocket.StatusNormalClosure, ""); err != nil {
		t.Fatal(err)
	}
	waitGone(t, s)
	refused("after a close with 1000", session)
	c, session = begin()
	s.Invalidate(false)
	if p := c.next(opInvalidSession, ""); string(p.D) != "false" {
		t.Errorf("invalid session %s", p.D)
	}
	refused("after an invalidation", session)
	c, session = begin()
	s.Invalidate(true)
	if p := c.next(opInvalidSession, ""); string(p.D) != "true" {
		t.Errorf("invalid session %s", p.D)
	}
	c = resume(t, s, session, 1)
	c.event("RESUMED")
	s.Sever()
	c.closed()
	c = resume(t, s, session, 99)
	if got := c.closed(); got != CloseInvalidSeq {
		t.Errorf("a sequence number that is too high: closed with %d", got)
	}
	_, session = begin()
	s.Sever()
	waitGone(t, s)
	s.EndSessions()
	refused("after a timeout", session)
}

func waitGone(t *testing.T, s *Server) {
	t.Helper()
	err := s.WaitSessions(testContext(t), func(all []Session) bool {
		for _, ses := range all {
			if ses.Connected {
				return false
			}
		}
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestSessionLife(t *testing.T) {
	t.Parallel()
	clock := newTestClock()
	s := newTestServer(t, Options{Clock: clock.Now})
	_, ready := start(t, s, IntentGuilds, nil)
	s.Sever()
	waitGone(t, s)
	clock.advance(sessionLife + time.Second)
	c := resume(t, s, ready["session_id"].(string), 1)
	c.next(opInvalidSession, "")
}

func TestIdentifyLimits(t *testing.T) {
	t.Parallel()
	clock := newTestClock()
	s := newTestServer(t, Options{Clock: clock.Now, MaxConcurrency: 2, SessionStarts: 4})
	_, bot := call(t, s, "GET", "/gateway/bot", nil)
	limit := bot["session_start_limit"].(map[string]any)
	if limit["total"] != 4.0 || limit["remaining"] != 4.0 || limit["max_concurrency"] != 2.0 || bot["url"] != s.GatewayURL() || bot["shards"] != 1.0 {
		t.Errorf("/gateway/bot says %v", bot)
	}
	shard := func(i, n int) *rawClient {
		c := dial(t, s.GatewayURL(), "v=10&encoding=json")
		c.next(opHello, "")
		c.send(opIdentify, identifyWith(s, IntentGuilds, map[string]any{"shard": []int{i, n}}))
		return c
	}
	shard(0, 4).event("READY")
	shard(1, 4).event("READY")
	late := shard(2, 4)
	late.next(opInvalidSession, "")
	clock.advance(5 * time.Second)
	late.send(opIdentify, identifyWith(s, IntentGuilds, map[string]any{"shard": []int{2, 4}}))
	late.event("READY")
	shard(3, 4).event("READY")
	_, bot = call(t, s, "GET", "/gateway/bot", nil)
	if limit := bot["session_start_limit"].(map[string]any); limit["remaining"] != 0.0 || limit["reset_after"] != 86395000.0 {
		t.Errorf("after four identifies: %v", limit)
	}
	clock.advance(5 * time.Second)
	old := s.Token()
	if got := shard(0, 4).closed(); got != CloseAuthenticationFailed {
		t.Errorf("the fifth was closed with %d", got)
	}
	if got := late.closed(); got != CloseAuthenticationFailed || s.Token() == old {
		t.Errorf("another session was closed with %d, the token is %s", got, s.Token())
	}
}
