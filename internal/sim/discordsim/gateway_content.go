package discordsim

import (
	"encoding/json"
	"slices"
)

// hugeGuild is the number of members from which GUILD_CREATE never lists them.
// Source: events/gateway-events, "Guild Create".
const hugeGuild = 75000

// guildCreate is a guild as one session is told of it. Without the presences
// intent its members are the bot and those in voice; with it, all of them, or in
// a guild above the session's threshold those with a role or a nickname as well.
// Source: events/gateway-events, "Guild Create" and "Request Guild Members".
// The mutex is held.
func (s *Server) guildCreate(id string, ses *gatewaySession) obj {
	g := s.guilds[id]
	if g.unavailable {
		return obj{"id": g.id, "unavailable": true}
	}
	o := s.renderGuildCreate(g)
	presences := ses.intents&IntentGuildPresences != 0 && len(g.order) <= hugeGuild
	large := len(g.order) > ses.threshold
	members, online := []any{}, []any{}
	for _, m := range g.order {
		voice := g.voice[m.user.id] != nil
		switch {
		case m.user.id == s.appID, voice, presences && !large, presences && (len(m.roles) > 0 || m.nick != ""):
			members = append(members, s.renderMember(m))
		}
		if presences && m.user.id == s.appID {
			online = append(online, obj{"user": obj{"id": m.user.id}, "status": "online", "activities": []any{}, "client_status": obj{"web": "online"}})
		}
	}
	o["members"], o["presences"], o["large"] = members, online, large
	return o
}

// emptyContent are the fields that the message content intent is about. Source:
// events/gateway, "Message Content Intent".
func emptyContent() obj {
	return obj{"content": "", "embeds": []any{}, "attachments": []any{}, "components": []any{}}
}

// blankMessage empties what a session without the message content intent may
// not read, in a message, in the one it answers and in those it forwards. It
// leaves alone the bot's own messages, direct messages and messages that mention
// the bot. Source: events/gateway, "Message Content Intent".
func blankMessage(data json.RawMessage, self string) json.RawMessage {
	var o obj
	if json.Unmarshal(data, &o) != nil {
		return data
	}
	if o["guild_id"] == nil {
		return data
	}
	blankObject(o, self)
	return encodePayload(o)
}

func blankObject(o obj, self string) {
	if ref, ok := o["referenced_message"].(obj); ok {
		blankObject(ref, self)
	}
	if mayRead(o, self) {
		return
	}
	for k, v := range emptyContent() {
		if _, there := o[k]; there {
			o[k] = v
		}
	}
	delete(o, "poll")
	snapshots, _ := o["message_snapshots"].([]any)
	for _, snapshot := range snapshots {
		if m, ok := snapshot.(obj); ok {
			if inner, ok := m["message"].(obj); ok {
				blankObject(inner, self)
			}
		}
	}
}

// mayRead says whether a message is the bot's own or mentions it.
func mayRead(o obj, self string) bool {
	if author, ok := o["author"].(obj); ok && author["id"] == self {
		return true
	}
	mentions, _ := o["mentions"].([]any)
	return slices.ContainsFunc(mentions, func(m any) bool {
		u, ok := m.(obj)
		return ok && u["id"] == self
	})
}

// concerns says whether THREAD_MEMBERS_UPDATE is about the bot.
func concerns(data json.RawMessage, self string) bool {
	var o struct {
		Added []struct {
			User string `json:"user_id"`
		} `json:"added_members"`
		Removed []string `json:"removed_member_ids"`
	}
	if json.Unmarshal(data, &o) != nil {
		return false
	}
	for _, m := range o.Added {
		if m.User == self {
			return true
		}
	}
	return slices.Contains(o.Removed, self)
}
