package discord

import (
	"encoding/json"
	"strconv"
	"sync"
	"time"

	"rookery/internal/community"
)

// cache is what is kept of the guilds: names, channels, and what the bot's own
// permissions follow from. Members, messages and presences are not kept, so
// that it stays small. With voice it also keeps who is in which channel.
type cache struct {
	voice bool // keep voice states

	mu     sync.RWMutex
	guilds map[community.GuildID]*guild
	where  map[community.ChannelID]community.GuildID
}

func (c *cache) init() {
	c.guilds = map[community.GuildID]*guild{}
	c.where = map[community.ChannelID]community.GuildID{}
}

// guild is one guild; its JSON is what the database holds.
type guild struct {
	ID     community.GuildID               `json:"id"`
	Name   string                          `json:"name"`
	Owner  community.MemberID              `json:"owner"`
	Locale string                          `json:"locale,omitempty"`
	Since  time.Time                       `json:"since"`
	Roles  map[community.RoleID]Permission `json:"roles"`
	// RoleNames are the names of those; a guild that an older version of the
	// program stored has none.
	RoleNames map[community.RoleID]string `json:"role_names,omitempty"`

	Mine     []community.RoleID                         `json:"mine"`  // the bot's roles
	Muted    time.Time                                  `json:"muted"` // the bot is timed out until then
	Channels map[community.ChannelID]*channel           `json:"channels"`
	Voice    map[community.MemberID]community.ChannelID `json:"-"`

	away    bool // Discord says that it is unavailable for now
	changed bool // since it was stored
	known   bool // of a shard of ours, and not read from the database of another's
}

// channel is one channel or thread of a guild.
type channel struct {
	Parent        community.ChannelID `json:"parent,omitempty"`
	Name          string              `json:"name"`
	Kind          int                 `json:"kind"`
	AgeRestricted bool                `json:"nsfw,omitempty"`
	Position      int                 `json:"pos,omitempty"`
	Overwrites    []overwrite         `json:"over,omitempty"`

	// Of a thread: whether no member has said anything in it yet, who opened it
	// ("" if it was not told), and the message in it that it began with, which
	// only one without a message elsewhere has, and only one whose first message
	// an event told. Of members nothing is stored.
	Empty bool `json:"empty,omitempty"`
	owner community.MemberID
	first string
}

// overwrite is a change of permissions in a channel. Source: resources/channel,
// "Overwrite Object".
type overwrite struct {
	ID          string     `json:"id"`
	Member      bool       `json:"m,omitempty"` // of a member, else of a role
	Allow, Deny Permission `json:",omitempty"`
}

// The kinds of channels that matter here. Source: resources/channel, "Channel
// Types".
const (
	kindDirect        = 1
	kindGroup         = 3
	kindNewsThread    = 10
	kindPublicThread  = 11
	kindPrivateThread = 12
	kindForum         = 15
	kindMedia         = 16
)

// isForum tells the kinds of channels in which every thread begins with a
// message of its own.
func isForum(kind int) bool { return kind == kindForum || kind == kindMedia }

func (c Channel) forum() bool { return isForum(c.Kind) }

func isThread(kind int) bool { return kind >= kindNewsThread && kind <= kindPrivateThread }

// The shapes in which Discord tells of a guild. Everything that may be missing
// or odd is read by itself, so that one strange channel does not hide a guild.
// Source: events/gateway-events, "Guild Create".
type wireGuild struct {
	ID          string            `json:"id"`
	Unavailable bool              `json:"unavailable"`
	Name        string            `json:"name"`
	Owner       string            `json:"owner_id"`
	Locale      string            `json:"preferred_locale"`
	JoinedAt    string            `json:"joined_at"`
	Roles       []json.RawMessage `json:"roles"`
	Members     []json.RawMessage `json:"members"`
	Channels    []json.RawMessage `json:"channels"`
	Threads     []json.RawMessage `json:"threads"`
	VoiceStates []json.RawMessage `json:"voice_states"`
}

type wireRole struct {
	ID          string  `json:"id"`
	Name        string  `json:"name"`
	Permissions bitText `json:"permissions"`
}

type wireChannel struct {
	ID         string            `json:"id"`
	Guild      string            `json:"guild_id"`
	Parent     *string           `json:"parent_id"`
	Name       *string           `json:"name"`
	Kind       int               `json:"type"`
	NSFW       bool              `json:"nsfw"`
	Position   int               `json:"position"`
	Overwrites []json.RawMessage `json:"permission_overwrites"`
	Owner      string            `json:"owner_id"`        // of a thread
	Last       *string           `json:"last_message_id"` // none yet if it is nil
	New        bool              `json:"newly_created"`   // of a thread, in THREAD_CREATE
}

type wireOverwrite struct {
	ID    string  `json:"id"`
	Type  int     `json:"type"` // 0 role, 1 member
	Allow bitText `json:"allow"`
	Deny  bitText `json:"deny"`
}

type wireMember struct {
	User struct {
		ID     string `json:"id"`
		Name   string `json:"username"`
		Global string `json:"global_name"`
		Bot    bool   `json:"bot"`
	} `json:"user"`
	Nick   string   `json:"nick"`
	Roles  []string `json:"roles"`
	Until  string   `json:"communication_disabled_until"`
	Joined string   `json:"joined_at"` // none for a guest
}

type wireVoice struct {
	Guild   string  `json:"guild_id"`
	Channel *string `json:"channel_id"`
	User    string  `json:"user_id"`
}

// bitText is a set of permissions, which Discord writes as a text of digits.
type bitText Permission

// UnmarshalJSON implements json.Unmarshaler.
func (b *bitText) UnmarshalJSON(raw []byte) error {
	s := string(raw)
	if u, err := strconv.Unquote(s); err == nil {
		s = u
	}
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		n = 0 // unreadable permissions are none
	}
	*b = bitText(n)
	return nil
}

// each decodes the elements of a list that can be decoded, and tells how many
// could not.
func each[T any](list []json.RawMessage, use func(T)) (bad int) {
	for _, raw := range list {
		var v T
		if string(raw) == "null" || json.Unmarshal(raw, &v) != nil {
			bad++
			continue
		}
		use(v)
	}
	return bad
}

func (w wireChannel) channel() *channel {
	c := &channel{Kind: w.Kind, AgeRestricted: w.NSFW, Position: w.Position}
	if w.Parent != nil {
		c.Parent = community.ChannelID(*w.Parent)
	}
	if w.Name != nil {
		c.Name = *w.Name
	}
	if isThread(w.Kind) {
		c.owner, c.Empty = community.MemberID(w.Owner), w.New || w.Last == nil
	}
	each(w.Overwrites, func(o wireOverwrite) {
		c.Overwrites = append(c.Overwrites, overwrite{ID: o.ID, Member: o.Type == 1, Allow: Permission(o.Allow), Deny: Permission(o.Deny)})
	})
	return c
}

// guildOf makes a guild of what a GUILD_CREATE tells.
func guildOf(w wireGuild, self community.MemberID, voice bool) *guild {
	g := &guild{
		ID: community.GuildID(w.ID), known: true, changed: true,
		Roles: map[community.RoleID]Permission{}, Channels: map[community.ChannelID]*channel{},
	}
	g.name(w)
	each(w.Roles, g.role)
	for _, list := range [][]json.RawMessage{w.Channels, w.Threads} {
		each(list, func(c wireChannel) { g.Channels[community.ChannelID(c.ID)] = c.channel() })
	}
	each(w.Members, func(m wireMember) {
		if community.MemberID(m.User.ID) == self {
			g.own(m)
		}
	})
	if voice {
		g.Voice = map[community.MemberID]community.ChannelID{}
		each(w.VoiceStates, func(v wireVoice) { g.heard(v) })
	}
	return g
}

// name takes in what GUILD_CREATE and GUILD_UPDATE both tell.
func (g *guild) name(w wireGuild) {
	g.Name, g.Owner, g.Locale = w.Name, community.MemberID(w.Owner), w.Locale
	if at, err := time.Parse(time.RFC3339, w.JoinedAt); err == nil {
		g.Since = at.UTC()
	}
}

func (g *guild) role(r wireRole) {
	if g.RoleNames == nil {
		g.RoleNames = map[community.RoleID]string{}
	}
	g.Roles[community.RoleID(r.ID)] = Permission(r.Permissions)
	g.RoleNames[community.RoleID(r.ID)] = r.Name
}

func (g *guild) own(m wireMember) {
	g.Mine = g.Mine[:0:0]
	for _, r := range m.Roles {
		g.Mine = append(g.Mine, community.RoleID(r))
	}
	g.Muted, _ = time.Parse(time.RFC3339, m.Until)
}

func (g *guild) heard(v wireVoice) {
	if v.Channel == nil || *v.Channel == "" {
		delete(g.Voice, community.MemberID(v.User))
		return
	}
	g.Voice[community.MemberID(v.User)] = community.ChannelID(*v.Channel)
}

func (g *guild) seen() Guild {
	return Guild{ID: g.ID, Name: g.Name, Owner: g.Owner, Locale: g.Locale, Since: g.Since}
}

// put takes a guild in, in place of what was known of it.
func (c *cache) put(g *guild) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if was := c.guilds[g.ID]; was != nil {
		for id, ch := range g.Channels {
			ch.remember(was.Channels[id])
		}
	}
	c.drop(g.ID)
	c.guilds[g.ID] = g
	for id := range g.Channels {
		c.where[id] = g.ID
	}
}

// drop forgets a guild; called with the mutex held.
func (c *cache) drop(id community.GuildID) bool {
	g := c.guilds[id]
	if g == nil {
		return false
	}
	for ch := range g.Channels {
		delete(c.where, ch)
	}
	delete(c.guilds, id)
	return true
}

// change has fn change a guild that is known.
func (c *cache) change(id community.GuildID, fn func(*guild)) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	g := c.guilds[id]
	if g == nil {
		return false
	}
	fn(g)
	g.changed = true
	return true
}

// setChannel takes a channel in, or with nil out.
func (c *cache) setChannel(guildID community.GuildID, id community.ChannelID, ch *channel) {
	c.change(guildID, func(g *guild) {
		if ch == nil {
			delete(g.Channels, id)
			delete(c.where, id)
			for t, thread := range g.Channels { // its threads go with it, and nobody tells of each
				if isThread(thread.Kind) && thread.Parent == id {
					delete(g.Channels, t)
					delete(c.where, t)
				}
			}
			return
		}
		ch.remember(g.Channels[id])
		g.Channels[id] = ch
		c.where[id] = guildID
	})
}

// remember takes over what is known of the beginning of a thread and what no
// later event tells.
func (c *channel) remember(was *channel) {
	if was != nil && isThread(c.Kind) {
		c.first, c.Empty = was.first, c.Empty && was.Empty
	}
}

// shardOf is the shard that has a guild. Source: events/gateway, "Sharding".
func shardOf(id community.GuildID, shards int) int {
	n, err := strconv.ParseUint(string(id), 10, 64)
	if err != nil || shards < 1 {
		return 0
	}
	return int((n >> 22) % uint64(shards))
}
