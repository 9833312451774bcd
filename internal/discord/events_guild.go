package discord

import (
	"encoding/json"
	"errors"
	"fmt"

	"rookery/internal/community"
)

var errNoID = errors.New("it names no id")

// apply brings the cache up to date with an event; events that nobody needs
// are passed over. It is called in the order of the shard's events. Source:
// events/gateway-events.
func (d *Discord) apply(f frame) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("cannot be read: %v", r)
		}
	}()
	switch f.Event {
	case "GUILD_CREATE":
		return d.guildCreate(f.Data)
	case "GUILD_UPDATE":
		return with(f.Data, func(w wireGuild) error {
			d.cache.change(community.GuildID(w.ID), func(g *guild) {
				g.name(w)
				each(w.Roles, g.role)
			})
			return nil
		})
	case "GUILD_DELETE":
		return with(f.Data, d.guildDelete)
	case "GUILD_ROLE_CREATE", "GUILD_ROLE_UPDATE", "GUILD_ROLE_DELETE":
		return with(f.Data, d.roleEvent)
	case "CHANNEL_CREATE", "CHANNEL_UPDATE", "THREAD_CREATE", "THREAD_UPDATE":
		return with(f.Data, d.channelEvent)
	case "CHANNEL_DELETE", "THREAD_DELETE":
		return with(f.Data, func(w wireChannel) error {
			d.cache.setChannel(community.GuildID(w.Guild), community.ChannelID(w.ID), nil)
			return nil
		})
	case "THREAD_LIST_SYNC":
		return with(f.Data, d.threadList)
	case "GUILD_MEMBER_UPDATE", "GUILD_MEMBER_REMOVE":
		return with(f.Data, d.memberEvent)
	case "VOICE_STATE_UPDATE":
		return with(f.Data, func(w wireVoice) error {
			d.cache.change(community.GuildID(w.Guild), func(g *guild) {
				if g.Voice != nil {
					g.heard(w)
				}
			})
			return nil
		})
	}
	return nil
}

// with decodes and uses.
func with[T any](raw json.RawMessage, use func(T) error) error {
	v, err := guarded[T](raw)
	if err != nil {
		return err
	}
	return use(v)
}

func (d *Discord) guildCreate(raw json.RawMessage) error {
	// Even if the rest is odd, the guild is no longer waited for.
	head, _ := guarded[struct {
		ID community.GuildID `json:"id"`
	}](raw)
	defer d.conn.arrived(head.ID)
	return with(raw, func(w wireGuild) error {
		switch {
		case !digits(w.ID):
			return errNoID
		case w.Unavailable:
			d.cache.change(community.GuildID(w.ID), func(g *guild) { g.away = true })
			return nil
		}
		g := guildOf(w, d.me().member.ID, d.cache.voice)
		d.cache.put(g)
		d.tellJoined(g.seen())
		return nil
	})
}

func (d *Discord) guildDelete(w wireGuild) error {
	id := community.GuildID(w.ID)
	d.conn.arrived(id)
	if w.Unavailable { // an outage; it is still ours
		d.cache.change(id, func(g *guild) { g.away = true })
		return nil
	}
	d.removed(id)
	return nil
}

// removed forgets a guild that we are no longer in.
func (d *Discord) removed(id community.GuildID) {
	d.cache.mu.Lock()
	d.cache.drop(id)
	d.cache.mu.Unlock()
	d.conn.leave(id)
	d.tellRemoved(id)
}

func (d *Discord) roleEvent(w struct {
	Guild community.GuildID `json:"guild_id"`
	Role  *wireRole         `json:"role"`
	ID    community.RoleID  `json:"role_id"`
},
) error {
	d.cache.change(w.Guild, func(g *guild) {
		if w.Role != nil {
			g.role(*w.Role)
			return
		}
		delete(g.Roles, w.ID)
		delete(g.RoleNames, w.ID)
	})
	return nil
}

// wireThread is what more a thread has.
type wireThread struct {
	wireChannel
	Meta struct {
		Archived bool `json:"archived"`
	} `json:"thread_metadata"`
}

func (d *Discord) channelEvent(w wireThread) error {
	switch {
	case w.ID == "":
		return errNoID
	case w.Guild == "" || w.Kind == kindDirect || w.Kind == kindGroup:
		return nil
	case w.Meta.Archived:
		d.cache.setChannel(community.GuildID(w.Guild), community.ChannelID(w.ID), nil)
	default:
		d.cache.setChannel(community.GuildID(w.Guild), community.ChannelID(w.ID), w.channel())
	}
	return nil
}

// threadList is told when we can see a channel that we could not see before.
func (d *Discord) threadList(w struct {
	Guild   string            `json:"guild_id"`
	Threads []json.RawMessage `json:"threads"`
},
) error {
	each(w.Threads, func(t wireThread) {
		if t.ID == "" {
			return
		}
		t.Guild = w.Guild
		_ = d.channelEvent(t)
	})
	return nil
}

func (d *Discord) memberEvent(w struct {
	wireMember
	Guild community.GuildID `json:"guild_id"`
},
) error {
	id := community.MemberID(w.User.ID)
	d.members.forget(memberKey{w.Guild, id})
	if id != d.me().member.ID || w.Roles == nil {
		return nil
	}
	d.cache.change(w.Guild, func(g *guild) { g.own(w.wireMember) })
	return nil
}
