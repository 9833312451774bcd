package discordsim

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
)

const (
	chunkSize      = 1000             // members of one GUILD_MEMBERS_CHUNK
	prefixCap      = 100              // members found by a prefix or by their ids
	nonceCap       = 32               // bytes of the nonce of a request for members
	allMembersOnce = 30 * time.Second // in which all members of a guild may be asked for once
)

// command is a message of a client that has a session. Source:
// events/gateway-events, "Send Events". The mutex is held, here and below.
func (c *gatewayConn) command(op int, d json.RawMessage) {
	ok := true
	switch op {
	case opPresence:
		ok = c.updatePresence(d)
	case opVoiceState:
		ok = c.updateVoice(d)
	case opRequestMembers:
		ok = c.requestMembers(d)
	case opRequestSoundboard:
		ok = c.requestSoundboard(d)
	}
	if !ok {
		c.shut(CloseDecodeError)
	}
}

// updatePresence takes the bot's new presence. Source: events/gateway-events, "Update Presence".
func (c *gatewayConn) updatePresence(d json.RawMessage) bool {
	var m struct {
		Since      *int64            `json:"since"`
		Activities []json.RawMessage `json:"activities"`
		Status     string            `json:"status"`
		AFK        bool              `json:"afk"`
	}
	if json.Unmarshal(d, &m) != nil {
		return false
	}
	switch m.Status {
	case "online", "dnd", "idle", "invisible", "offline":
	default:
		return false
	}
	c.ses.presence = slices.Clone(d)
	c.s.change()
	return true
}

// requestMembers answers with GUILD_MEMBERS_CHUNK events. A request that is not
// allowed is ignored, as is a nonce that is too long. Source:
// events/gateway-events, "Request Guild Members", "Guild Members Chunk" and "Rate Limited".
func (c *gatewayConn) requestMembers(d json.RawMessage) bool {
	var m struct {
		Guild     json.RawMessage `json:"guild_id"`
		Query     *string         `json:"query"`
		Limit     int             `json:"limit"`
		Presences bool            `json:"presences"`
		Users     json.RawMessage `json:"user_ids"`
		Nonce     string          `json:"nonce"`
	}
	if json.Unmarshal(d, &m) != nil || m.Limit < 0 {
		return false
	}
	guilds, users := oneOrMore(m.Guild), oneOrMore(m.Users)
	if len(guilds) != 1 || m.Query == nil && m.Users == nil {
		return false
	}
	s, ses := c.s, c.ses
	g := s.guilds[guilds[0]]
	if g == nil || !g.botIn || g.unavailable || !ses.holds(g.id) {
		return true
	}
	if len(m.Nonce) > nonceCap {
		m.Nonce = ""
	}
	var found []*member
	var missing []any
	switch {
	case m.Users != nil:
		for _, id := range users[:min(len(users), prefixCap)] {
			if mem := g.members[id]; mem != nil {
				found = append(found, mem)
			} else {
				missing = append(missing, id)
			}
		}
	case *m.Query == "" && m.Limit == 0:
		if ses.intents&IntentGuildMembers == 0 {
			return true
		}
		if c.allTooSoon(g, m.Nonce) {
			return true
		}
		found = g.order
	default:
		limit := prefixCap
		if m.Limit > 0 {
			limit = min(m.Limit, prefixCap)
		}
		for _, mem := range g.order {
			if len(found) < limit && mem.begins(*m.Query) {
				found = append(found, mem)
			}
		}
	}
	c.sendChunks(g, found, missing, m.Nonce, m.Presences && ses.intents&IntentGuildPresences != 0)
	return true
}

// allTooSoon answers a second request for all members with RATE_LIMITED.
func (c *gatewayConn) allTooSoon(g *guild, nonce string) bool {
	now := c.s.now()
	last, was := c.ses.lastRequest[g.id]
	if wait := allMembersOnce - now.Sub(last); was && wait > 0 && !c.s.opt.NoRateLimits {
		meta := obj{"guild_id": g.id}
		if nonce != "" {
			meta["nonce"] = nonce
		}
		c.s.enqueue(c.ses, "RATE_LIMITED", encodePayload(obj{"opcode": opRequestMembers, "retry_after": wait.Seconds(), "meta": meta}))
		return true
	}
	c.ses.lastRequest[g.id] = now
	return false
}

func (c *gatewayConn) sendChunks(g *guild, found []*member, missing []any, nonce string, presences bool) {
	count := max((len(found)+chunkSize-1)/chunkSize, 1)
	for i := range count {
		members := []any{}
		for _, m := range found[min(i*chunkSize, len(found)):min((i+1)*chunkSize, len(found))] {
			members = append(members, c.s.renderMember(m))
		}
		p := obj{"guild_id": g.id, "members": members, "chunk_index": i, "chunk_count": count}
		if missing != nil && i == 0 {
			p["not_found"] = missing
		}
		if presences {
			p["presences"] = []any{}
		}
		if nonce != "" {
			p["nonce"] = nonce
		}
		c.s.enqueue(c.ses, "GUILD_MEMBERS_CHUNK", encodePayload(p))
	}
}

// begins compares the start of a member's names, without regard to case.
func (m *member) begins(prefix string) bool {
	prefix = strings.ToLower(prefix)
	return strings.HasPrefix(strings.ToLower(m.user.name), prefix) || strings.HasPrefix(strings.ToLower(m.nick), prefix)
}

// oneOrMore reads an id or a list of them; numbers will do.
func oneOrMore(raw json.RawMessage) []string {
	var many []json.RawMessage
	if json.Unmarshal(raw, &many) != nil {
		many = []json.RawMessage{raw}
	}
	var ids []string
	for _, one := range many {
		if id := strings.Trim(string(one), `"`); isSnowflake(id) {
			ids = append(ids, id)
		}
	}
	return ids
}

// requestSoundboard answers for each guild; none has sounds. Source:
// events/gateway-events, "Request Soundboard Sounds".
func (c *gatewayConn) requestSoundboard(d json.RawMessage) bool {
	var m struct {
		Guilds []string `json:"guild_ids"`
	}
	if json.Unmarshal(d, &m) != nil {
		return false
	}
	for _, id := range m.Guilds {
		if g := c.s.guilds[id]; g != nil && g.botIn && c.ses.holds(id) {
			c.s.enqueue(c.ses, "SOUNDBOARD_SOUNDS", encodePayload(obj{"guild_id": id, "soundboard_sounds": []any{}}))
		}
	}
	return true
}
