package discordsim

import (
	"fmt"
	"time"
)

// obj is a JSON object.
type obj = map[string]any

// Kind is the type of a channel. Source: resources/channel, "Channel Types".
type Kind int

// The kinds of channels.
const (
	Text               Kind = 0
	DirectMessage      Kind = 1
	Voice              Kind = 2
	Category           Kind = 4
	Announcement       Kind = 5
	AnnouncementThread Kind = 10
	PublicThread       Kind = 11
	PrivateThread      Kind = 12
	Stage              Kind = 13
	Forum              Kind = 15
	Media              Kind = 16
)

// isThread reports whether a channel of the kind lives in another one.
func (k Kind) isThread() bool {
	return k == AnnouncementThread || k == PublicThread || k == PrivateThread
}

// holdsMessages reports whether messages can be posted to a channel of the kind.
func (k Kind) holdsMessages() bool {
	return k != Category && k != Forum && k != Media
}

// world is everything there is, under the server's mutex.
type world struct {
	users    map[string]*user
	guilds   map[string]*guild
	order    []*guild // in the order they were made
	channels map[string]*channel
	messages map[string]*message // that are there
	dms      map[string]*channel // of the bot, by the other user
	files    map[string]*attachment
	servings map[string]Serving // what goes wrong with files, by id or address
	proxied  map[string]proxied // by the path of the media proxy
	commands []*command
	created  map[string][]time.Time // of commands, by guild, for the daily limit
}

func newWorld() world {
	return world{
		users: map[string]*user{}, guilds: map[string]*guild{}, channels: map[string]*channel{}, messages: map[string]*message{},
		dms: map[string]*channel{}, files: map[string]*attachment{}, servings: map[string]Serving{},
		proxied: map[string]proxied{}, created: map[string][]time.Time{},
	}
}

// user is a person or a bot.
type user struct {
	id, name, global, avatar string
	bot                      bool
	blocksDMs                bool // of the bot
}

// guild is a server in the words of its members.
type guild struct {
	id, name, owner string
	roles           []*role
	channels        []*channel // without threads
	threads         []*channel
	members         map[string]*member
	order           []*member
	botIn           bool
	unavailable     bool
	locale          string
	voice           map[string]obj // voice states by user, without guild_id
	emojis          []*emoji
}

// role is a set of permissions. The id of @everyone is that of the guild.
type role struct {
	id, name    string
	permissions Permission
	position    int
	mentionable bool
	managed     bool
	botID       string
}

// member is a user in a guild.
type member struct {
	user     *user
	nick     string
	roles    []string
	joined   time.Time
	timeout  time.Time // until when the member may only read
	deafened bool
	muted    bool
}

// overwrite changes permissions in one channel. kind is 0 for a role, 1 for a member.
type overwrite struct {
	id          string
	kind        int
	allow, deny Permission
}

// channel is a place for messages, a thread included.
type channel struct {
	id, guild, name, topic string
	kind                   Kind
	nsfw                   bool
	parent                 string
	position               int
	overwrites             []overwrite
	messages               []*message // in order
	last                   string     // id of the last message ever, which may be gone
	lastPin                time.Time
	slowmode               int // seconds
	tags                   []Tag
	recipient              string // of a direct message
	thread                 *thread
}

// thread is what a thread has beyond a channel.
type thread struct {
	owner       string
	archived    bool
	locked      bool
	invitable   bool
	archivedAt  time.Time // of the last change of archived
	created     time.Time
	autoArchive int // minutes
	members     []threadMember
	applied     []string // tags
	total       int      // messages ever sent
}

type threadMember struct {
	user   string
	joined time.Time
}

// Tag is one that posts of a forum may have.
type Tag struct{ ID, Name string }

// message is one in a channel.
type message struct {
	id, channel, guild, author string
	kind                       int
	content                    string
	at, edited                 time.Time
	tts                        bool
	embeds                     []obj
	components                 []any
	files                      []*attachment
	flags                      int64
	mentions                   []string // users
	mentionRoles               []string
	everyone                   bool
	pinged                     []string
	nonce                      any // of the create call
	ref                        *reference
	reactions                  []*reaction
	pinnedAt                   time.Time
	thread                     string   // that was started from it
	snapshot                   *message // of a forward: what was forwarded, as it was

	// Set by interactions.
	interaction  obj    // interaction_metadata
	onlyFor      string // the one user that sees an ephemeral message
	applications bool   // the message has application_id and webhook_id
}

// reference points from an answer to what it answers. Source: resources/message,
// "Message Reference".
type reference struct {
	message, channel, guild string
	forward                 bool // not an answer
}

// reaction is one emoji under a message.
type reaction struct {
	name, id string // id is empty for an emoji of Unicode
	users    []string
}

// key is the emoji as it stands in a path.
func (r *reaction) key() string {
	if r.id == "" {
		return r.name
	}
	return r.name + ":" + r.id
}

// event is one dispatch of the gateway, before it is known who hears of it.
type event struct {
	Name    string
	Guild   string   // empty for direct messages and for what concerns the bot itself
	Channel string   // where it happened, if anywhere
	User    string   // who caused it, or whom it concerns
	Message *message // of message events with a whole message
	Payload obj      // made for this event alone
	Direct  bool     // in a direct message
}

// emit hands an event to the gateway unless the bot cannot hear of it: it is
// not in the guild, the guild is unavailable, or it may not see the channel.
// Called with the mutex held.
func (s *Server) emit(ev event) {
	s.change()
	if ev.Guild != "" {
		g := s.guilds[ev.Guild]
		if g == nil || !g.botIn || g.unavailable {
			return
		}
		if c := s.channels[ev.Channel]; c != nil && seenOnly(ev.Name) && !s.can(c, s.appID, ViewChannel) {
			return
		}
	}
	s.dispatch(ev)
}

// seenOnly reports whether an event of a channel goes to those only who may see it.
func seenOnly(name string) bool {
	switch name {
	case "CHANNEL_CREATE", "CHANNEL_UPDATE", "CHANNEL_DELETE":
		return false
	}
	return true
}

func (s *Server) addBot() {
	s.users[s.appID] = &user{id: s.appID, name: s.opt.BotName, bot: true}
}

// mustGuild and its like are for methods that build the world.
func (s *Server) mustGuild(id string) *guild {
	g := s.guilds[id]
	if g == nil {
		panic(fmt.Sprintf("discordsim: there is no guild %q", id))
	}
	return g
}

func (s *Server) mustUser(id string) *user {
	u := s.users[id]
	if u == nil {
		panic(fmt.Sprintf("discordsim: there is no user %q", id))
	}
	return u
}

func (s *Server) mustChannel(id string) *channel {
	c := s.channels[id]
	if c == nil {
		panic(fmt.Sprintf("discordsim: there is no channel %q", id))
	}
	return c
}

// role is a guild's role; nil when there is none.
func (g *guild) role(id string) *role {
	for _, r := range g.roles {
		if r.id == id {
			return r
		}
	}
	return nil
}

// remove takes one value out of a list.
func remove[T comparable](list []T, v T) []T {
	for i, x := range list {
		if x == v {
			return append(list[:i:i], list[i+1:]...)
		}
	}
	return list
}
