package discordsim

import (
	"encoding/json"
	"fmt"
)

// JoinVoice puts a member in a voice channel, or moves them there: a client
// leaves the channel it is in. Source: topics/voice-connections and
// resources/voice, "Voice State Object".
func (s *Server) JoinVoice(userID, channelID string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.mustChannel(channelID)
	if c.kind != Voice && c.kind != Stage {
		return fmt.Errorf("the channel %s is not one for voice", c.name)
	}
	if !s.can(c, userID, ViewChannel|Connect) {
		return fmt.Errorf("the user %s may not connect to %s", userID, c.name)
	}
	g := s.guilds[c.guild]
	v := g.voice[userID]
	if v == nil {
		v = s.newVoiceState(g, userID)
	}
	v["channel_id"] = c.id
	s.setVoice(g, userID, v)
	return nil
}

// MoveVoice moves a member from their voice channel to another one.
func (s *Server) MoveVoice(userID, channelID string) error {
	s.mu.Lock()
	c := s.mustChannel(channelID)
	in := s.guilds[c.guild].voice[userID] != nil
	s.mu.Unlock()
	if !in {
		return fmt.Errorf("the user %s is in no voice channel", userID)
	}
	return s.JoinVoice(userID, channelID)
}

// LeaveVoice takes a member out of the voice channel of a guild.
func (s *Server) LeaveVoice(userID, guildID string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.mustGuild(guildID)
	v := g.voice[userID]
	if v == nil {
		return fmt.Errorf("the user %s is in no voice channel", userID)
	}
	v["channel_id"] = nil
	s.setVoice(g, userID, v)
	return nil
}

// Mute lets a member mute or unmute themself, which does not move them.
func (s *Server) Mute(userID, guildID string, on bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.mustGuild(guildID)
	v := g.voice[userID]
	if v == nil {
		return fmt.Errorf("the user %s is in no voice channel", userID)
	}
	v["self_mute"] = on
	s.setVoice(g, userID, v)
	return nil
}

// InVoice is the voice channel of a user in a guild; empty for none.
func (s *Server) InVoice(userID, guildID string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	id, _ := s.mustGuild(guildID).voice[userID]["channel_id"].(string)
	return id
}

func (s *Server) newVoiceState(g *guild, userID string) obj {
	m := g.members[userID]
	return obj{
		"channel_id": nil, "user_id": userID, "session_id": newSessionID(), "deaf": m.deafened, "mute": m.muted,
		"self_deaf": false, "self_mute": false, "self_video": false, "suppress": false, "request_to_speak_timestamp": nil,
	}
}

// setVoice keeps a voice state without guild_id and tells of it with guild_id
// and member. The mutex is held.
func (s *Server) setVoice(g *guild, userID string, v obj) {
	g.voice[userID] = v
	p := cloneObj(v)
	p["guild_id"] = g.id
	if m := g.members[userID]; m != nil {
		p["member"] = s.renderMember(m)
	}
	channel, _ := v["channel_id"].(string)
	if channel == "" {
		delete(g.voice, userID)
	}
	s.emit(event{Name: "VOICE_STATE_UPDATE", Guild: g.id, User: userID, Payload: p})
}

// updateVoice joins, moves or takes out the bot. It becomes a voice state; a
// voice server is not announced, for there is none. Source:
// events/gateway-events, "Update Voice State". The mutex is held.
func (c *gatewayConn) updateVoice(d json.RawMessage) bool {
	var m struct {
		Guild   string  `json:"guild_id"`
		Channel *string `json:"channel_id"`
		Mute    bool    `json:"self_mute"`
		Deaf    bool    `json:"self_deaf"`
	}
	if json.Unmarshal(d, &m) != nil || !isSnowflake(m.Guild) {
		return false
	}
	s := c.s
	g := s.guilds[m.Guild]
	if g == nil || !g.botIn || g.unavailable || !c.ses.holds(g.id) {
		return true
	}
	v := g.voice[s.appID]
	if m.Channel == nil {
		if v != nil {
			v["channel_id"] = nil
			s.setVoice(g, s.appID, v)
		}
		return true
	}
	to := s.channels[*m.Channel]
	if to == nil || to.guild != g.id || to.kind != Voice && to.kind != Stage || !s.can(to, s.appID, ViewChannel|Connect) {
		return true
	}
	if v == nil {
		v = s.newVoiceState(g, s.appID)
	}
	v["channel_id"], v["self_mute"], v["self_deaf"] = to.id, m.Mute, m.Deaf
	s.setVoice(g, s.appID, v)
	return true
}
