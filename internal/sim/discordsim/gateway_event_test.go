package discordsim

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// testClock is a clock that is moved by hand.
type testClock struct {
	mu  sync.Mutex
	now time.Time
}

func newTestClock() *testClock {
	return &testClock{now: time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)}
}

func (c *testClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *testClock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func TestWants(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		intents Intents
		name    string
		direct  bool
		want    bool
	}{
		{IntentGuilds, "GUILD_CREATE", false, true},
		{IntentGuildMessages, "GUILD_CREATE", false, false},
		{IntentGuildMessages, "MESSAGE_CREATE", false, true},
		{IntentGuildMessages, "MESSAGE_CREATE", true, false},
		{IntentDirectMessages, "MESSAGE_CREATE", true, true},
		{IntentDirectMessageReactions, "MESSAGE_REACTION_ADD", true, true},
		{IntentDirectMessageReactions, "MESSAGE_REACTION_ADD", false, false},
		{IntentGuildMessageTyping, "TYPING_START", false, true},
		{IntentGuildMembers, "GUILD_MEMBER_ADD", false, true},
		{IntentGuilds, "GUILD_MEMBER_ADD", false, false},
		{IntentGuilds, "THREAD_MEMBERS_UPDATE", false, true},
		{IntentGuildVoiceStates, "VOICE_STATE_UPDATE", false, true},
		{0, "VOICE_STATE_UPDATE", false, false},
		{0, "INTERACTION_CREATE", false, true},
		{0, "VOICE_SERVER_UPDATE", false, true},
		{0, "USER_UPDATE", true, true},
		{IntentMessageContent, "MESSAGE_CREATE", false, false},
		{IntentGuildModeration, "GUILD_BAN_ADD", false, true},
		{IntentGuildMessagePolls, "MESSAGE_POLL_VOTE_ADD", false, true},
	} {
		if got := tc.intents.wants(tc.name, tc.direct); got != tc.want {
			t.Errorf("intents %b, %s, direct %v: %v", tc.intents, tc.name, tc.direct, got)
		}
	}
}

func TestContentNeedsTheIntent(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, Options{})
	g := s.AddGuild("Owls")
	general := s.AddChannel(g, "general", Text)
	ada := s.AddUser("ada")
	s.Join(g, ada)
	s.BotJoins(g)
	c, _ := start(t, s, everything&^IntentMessageContent, nil)
	hear := func() map[string]any { t.Helper(); return c.event("MESSAGE_CREATE").object(t) }
	say(t, s, ada, general, "secret")
	if m := hear(); m["content"] != "" || m["author"].(map[string]any)["id"] != ada {
		t.Errorf("without the intent: %v", m["content"])
	}
	say(t, s, ada, general, "hello <@"+s.AppID()+">")
	if m := hear(); m["content"] == "" {
		t.Error("a message that mentions the bot is empty")
	}
	if _, _, err := s.DM(ada, "psst"); err != nil {
		t.Fatal(err)
	}
	if m := hear(); m["content"] != "psst" || m["guild_id"] != nil {
		t.Errorf("a direct message: %v", m)
	}
	status, mine := call(t, s, "POST", "/channels/"+general+"/messages", map[string]any{"content": "mine"})
	if m := hear(); status != 200 || m["content"] != "mine" {
		t.Errorf("the bot's own message: %d %v", status, m["content"])
	}
	if _, err := s.Say(ada, general, Draft{Content: "an answer", ReplyTo: mine["id"].(string)}); err != nil {
		t.Fatal(err)
	}
	if m := hear(); m["content"] != "an answer" {
		t.Errorf("an answer to the bot: %v", m["content"])
	}
	if _, err := s.Say(ada, general, Draft{Content: "an answer", ReplyTo: mine["id"].(string), NoPing: true}); err != nil {
		t.Fatal(err)
	}
	m := hear()
	if ref, _ := m["referenced_message"].(map[string]any); m["content"] != "" || ref["content"] != "mine" {
		t.Errorf("an answer to the bot that does not ping it: %v, to %v", m["content"], ref)
	}
}

func TestShards(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, Options{MaxConcurrency: 2})
	var guilds, channels []string
	ada := s.AddUser("ada")
	for len(guilds) < 2 { // one guild of each of two shards
		g := s.AddGuild("Owls")
		if len(guilds) == 1 && ShardOf(g, 2) == ShardOf(guilds[0], 2) {
			continue
		}
		guilds = append(guilds, g)
		channels = append(channels, s.AddChannel(g, "general", Text))
		s.Join(g, ada)
		s.BotJoins(g)
	}
	if n, _ := strconv.ParseUint(guilds[0], 10, 64); ShardOf(guilds[0], 2) != int(n>>22)%2 {
		t.Error("ShardOf does not follow the formula")
	}
	shards := make([]*rawClient, 2)
	for i := range shards {
		c, ready := start(t, s, everything, map[string]any{"shard": []int{i, 2}})
		shards[i] = c
		if list := ready["shard"].([]any); list[0] != float64(i) || list[1] != 2.0 {
			t.Errorf("READY says the shard %v", list)
		}
		c.event("GUILD_CREATE")
	}
	for i, g := range guilds {
		say(t, s, ada, channels[i], "in "+g)
		if m := shards[ShardOf(g, 2)].event("MESSAGE_CREATE").object(t); m["guild_id"] != g {
			t.Errorf("a shard heard of the guild %v", m["guild_id"])
		}
	}
	if _, _, err := s.DM(ada, "psst"); err != nil {
		t.Fatal(err)
	}
	if m := shards[0].event("MESSAGE_CREATE").object(t); m["content"] != "psst" {
		t.Errorf("shard 0 heard %v", m["content"])
	}
	if ses := s.Sessions(); ses[0].Seq == ses[1].Seq {
		t.Errorf("shard 1 heard of the direct message too: %+v", ses)
	}
}

func TestEventFaults(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, Options{})
	g := s.AddGuild("Owls")
	general := s.AddChannel(g, "general", Text)
	ada := s.AddUser("ada")
	s.Join(g, ada)
	s.BotJoins(g)
	c, _ := start(t, s, everything, nil)
	c.event("GUILD_CREATE")
	s.DropNext("MESSAGE_CREATE", 1)
	say(t, s, ada, general, "lost")
	s.DuplicateNext("MESSAGE_CREATE", 1)
	say(t, s, ada, general, "twice")
	s.Undecodable("MESSAGE_CREATE")
	say(t, s, ada, general, "spoilt")
	before := c.seq
	for i, want := range []string{"twice", "twice", "spoilt"} {
		p := c.event("MESSAGE_CREATE")
		m := p.object(t)
		if m["content"] != want || *p.S != before+int64(i)+1 {
			t.Errorf("event %d is %v with the number %d", i, m["content"], *p.S)
		}
		if _, isNumber := m["type"].(float64); isNumber == (want == "spoilt") {
			t.Errorf("%s has the type %v", want, m["type"])
		}
	}
	s.FreezeGateway(true)
	say(t, s, ada, general, "held")
	c.send(opHeartbeat, c.seq)
	if p, err := c.read(); err != nil || p.Op != opHeartbeatACK {
		t.Errorf("a frozen gateway sent %+v, %v", p, err)
	}
	s.FreezeGateway(false)
	if m := c.event("MESSAGE_CREATE").object(t); m["content"] != "held" {
		t.Errorf("after the thaw came %v", m["content"])
	}
}

func TestUndecodableGuild(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, Options{})
	s.BotJoins(s.AddGuild("Owls"))
	s.Undecodable("GUILD_CREATE")
	c, _ := start(t, s, IntentGuilds, nil)
	if d := c.event("GUILD_CREATE").object(t); d["member_count"] != "not a number" {
		t.Errorf("member_count is %v", d["member_count"])
	}
}

func TestConnectionFaults(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, Options{})
	s.ReconnectInsteadOfHello(1)
	if p, err := dial(t, s.GatewayURL(), "v=10").read(); err != nil || p.Op != opReconnect {
		t.Errorf("in place of HELLO came %+v, %v", p, err)
	}
	s.RefuseGateway(1, 503)
	if status, _ := httpGet(t, strings.Replace(s.GatewayURL(), "ws", "http", 1)); status != 503 {
		t.Errorf("refused with %d", status)
	}
	c, _ := start(t, s, IntentGuilds, nil)
	s.Reconnect(1)
	s.Reconnect(0)
	if p, err := c.read(); err != nil || p.Op != opReconnect {
		t.Errorf("after Reconnect came %+v, %v", p, err)
	}
}

func TestTransports(t *testing.T) {
	t.Parallel()
	for _, transport := range []string{TransportNone, TransportZlib, TransportZstd} {
		t.Run("the transport "+transport, func(t *testing.T) {
			t.Parallel()
			s := newTestServer(t, Options{})
			s.BotJoins(s.AddGuild("Owls"))
			params := "v=10&encoding=json"
			if transport != "" {
				params += "&compress=" + transport
			}
			c := dial(t, s.GatewayURL(), params)
			c.next(opHello, "")
			c.send(opIdentify, identifyWith(s, IntentGuilds, map[string]any{"compress": transport != ""}))
			c.event("READY")
			c.event("GUILD_CREATE")
			if got := s.Sessions()[0].Transport; got != transport {
				t.Errorf("the session has the transport %q", got)
			}
		})
	}
	t.Run("payloads", func(t *testing.T) {
		t.Parallel()
		s := newTestServer(t, Options{})
		s.BotJoins(s.AddGuild("Owls"))
		c, _ := start(t, s, IntentGuilds, map[string]any{"compress": true})
		c.event("GUILD_CREATE")
		if got := s.Sessions()[0].Transport; got != PayloadZlib {
			t.Errorf("the session has the transport %q", got)
		}
	})
}

func TestRequestMembers(t *testing.T) {
	t.Parallel()
	clock := newTestClock()
	s := newTestServer(t, Options{Clock: clock.Now})
	g := s.AddGuild("Owls")
	ada := s.AddUser("ada")
	s.Join(g, ada)
	for range 1100 {
		s.Join(g, s.AddUser("crowd"))
	}
	s.BotJoins(g)
	c, _ := start(t, s, IntentGuilds|IntentGuildMembers, nil)
	ask := func(d map[string]any) { d["guild_id"] = g; c.send(opRequestMembers, d) }
	chunk := func() map[string]any { t.Helper(); return c.event("GUILD_MEMBERS_CHUNK").object(t) }
	ask(map[string]any{"query": "AD", "limit": 5, "nonce": "n"})
	if d := chunk(); len(d["members"].([]any)) != 1 || d["nonce"] != "n" || d["chunk_count"] != 1.0 {
		t.Errorf("a prefix: %v", d)
	}
	ask(map[string]any{"query": "c", "limit": 500})
	if n := len(chunk()["members"].([]any)); n != 100 {
		t.Errorf("a prefix found %d members", n)
	}
	ask(map[string]any{"user_ids": []string{ada, "123"}, "nonce": strings.Repeat("n", 33)})
	if d := chunk(); len(d["members"].([]any)) != 1 || len(d["not_found"].([]any)) != 1 || d["nonce"] != nil {
		t.Errorf("by ids: %v", d)
	}
	ask(map[string]any{"query": "", "limit": 0})
	var sizes []int
	for range 2 {
		sizes = append(sizes, len(chunk()["members"].([]any)))
	}
	if !slices.Equal(sizes, []int{1000, 103}) {
		t.Errorf("all members came in chunks of %v", sizes)
	}
	ask(map[string]any{"query": "", "limit": 0, "nonce": "again"})
	d := c.event("RATE_LIMITED").object(t)
	if d["opcode"] != 8.0 || d["retry_after"] != 30.0 || d["meta"].(map[string]any)["nonce"] != "again" {
		t.Errorf("RATE_LIMITED is %v", d)
	}
	c.send(opRequestSoundboard, map[string]any{"guild_ids": []string{g}})
	c.event("SOUNDBOARD_SOUNDS")
	c.send(opPresence, map[string]any{"since": nil, "activities": []any{}, "status": "dnd", "afk": false})
	err := s.WaitSessions(testContext(t), func(all []Session) bool { return strings.Contains(string(all[0].Presence), "dnd") })
	if err != nil {
		t.Fatal(err)
	}
	c.send(opPresence, map[string]any{"status": "asleep"})
	if got := c.closed(); got != CloseDecodeError {
		t.Errorf("an unknown status: closed with %d", got)
	}
}

func TestVoiceStates(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, Options{})
	g := s.AddGuild("Owls")
	hall, attic := s.AddChannel(g, "hall", Voice), s.AddChannel(g, "attic", Voice)
	general := s.AddChannel(g, "general", Text)
	closed := s.AddChannel(g, "closed", Voice, Deny(g, Connect))
	ada := s.AddUser("ada")
	s.Join(g, ada)
	s.BotJoins(g)
	c, _ := start(t, s, IntentGuilds|IntentGuildVoiceStates, nil)
	state := func() map[string]any { t.Helper(); return c.event("VOICE_STATE_UPDATE").object(t) }
	for name, err := range map[string]error{
		"a text channel": s.JoinVoice(ada, general), "a closed channel": s.JoinVoice(ada, closed),
		"moving from nowhere": s.MoveVoice(ada, hall), "leaving nothing": s.LeaveVoice(ada, g), "muting in none": s.Mute(ada, g, true),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if err := s.JoinVoice(ada, hall); err != nil {
		t.Fatal(err)
	}
	v := state()
	if v["channel_id"] != hall || v["guild_id"] != g || v["member"].(map[string]any)["user"].(map[string]any)["id"] != ada {
		t.Errorf("joined: %v", v)
	}
	id := v["session_id"]
	if err := s.Mute(ada, g, true); err != nil {
		t.Fatal(err)
	}
	if v := state(); v["channel_id"] != hall || v["self_mute"] != true || v["session_id"] != id {
		t.Errorf("muted: %v", v)
	}
	if err := s.MoveVoice(ada, attic); err != nil {
		t.Fatal(err)
	}
	if v := state(); v["channel_id"] != attic || s.InVoice(ada, g) != attic {
		t.Errorf("moved: %v", v)
	}
	if err := s.LeaveVoice(ada, g); err != nil {
		t.Fatal(err)
	}
	if v := state(); v["channel_id"] != nil || s.InVoice(ada, g) != "" {
		t.Errorf("left: %v", v)
	}
	c.send(opVoiceState, map[string]any{"guild_id": g, "channel_id": hall, "self_mute": false, "self_deaf": true})
	if v := state(); v["user_id"] != s.AppID() || v["channel_id"] != hall || v["self_deaf"] != true {
		t.Errorf("the bot joined: %v", v)
	}
	c.send(opVoiceState, map[string]any{"guild_id": g, "channel_id": nil})
	if v := state(); v["user_id"] != s.AppID() || v["channel_id"] != nil {
		t.Errorf("the bot left: %v", v)
	}
}

func TestUnavailableGuild(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, Options{})
	g := s.AddGuild("Owls")
	s.BotJoins(g)
	s.SetUnavailable(g, true)
	c, _ := start(t, s, IntentGuilds, nil)
	if d := c.event("GUILD_CREATE").object(t); d["unavailable"] != true || d["name"] != nil {
		t.Errorf("GUILD_CREATE of an outage: %v", d)
	}
	s.SetUnavailable(g, false)
	if d := c.event("GUILD_CREATE").object(t); d["unavailable"] != false || d["name"] != "Owls" {
		t.Errorf("GUILD_CREATE after it: %v", d)
	}
	s.BotLeaves(g)
	if d := c.event("GUILD_DELETE").object(t); d["id"] != g || d["unavailable"] != nil {
		t.Errorf("GUILD_DELETE: %v", d)
	}
}

func FuzzReceive(f *testing.F) {
	for _, seed := range []string{
		`{"op":1,"d":null}`, `{"op":2,"d":{"token":"t","intents":1,"properties":{},"shard":[0,1]}}`, `{"op":6,"d":{"token":"t","session_id":"s","seq":1}}`,
		`{"op":4,"d":{"guild_id":"1","channel_id":null}}`, `{"op":8,"d":{"guild_id":["1"],"query":"","limit":0}}`, `{"op":3,"d":{"status":"online","activities":[]}}`,
		`{"op":31,"d":{"guild_ids":["1"]}}`, `[]`, `{"op":"x"}`,
	} {
		f.Add([]byte(seed), true)
		f.Add([]byte(seed), false)
	}
	s, err := New(Options{Token: "t", NoRateLimits: true, SessionStarts: 1 << 30})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { s.Close() })
	s.BotJoins(s.AddGuild("Owls"))
	f.Fuzz(func(t *testing.T, data []byte, known bool) {
		s.mu.Lock()
		defer s.mu.Unlock()
		c := &gatewayConn{s: s, wake: make(chan struct{}, 1), greeted: true, version: "10"}
		if known {
			c.ses = &gatewaySession{id: "s", shard: [2]int{0, 1}, conn: c, lastRequest: map[string]time.Time{}}
		}
		c.receive(data)
		for _, out := range c.control {
			if out.data != nil && !json.Valid(out.data) {
				t.Errorf("answered %s", out.data)
			}
		}
		s.gw.sessions = nil
		s.gw.starts = nil
	})
}
