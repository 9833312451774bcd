package discord

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/disgoorg/disgo/rest"
	"github.com/disgoorg/snowflake/v2"

	"rookery/internal/community"
)

const (
	// channelKept and memberKept are how long what REST told is believed.
	channelKept = 2 * time.Minute
	memberKept  = 5 * time.Minute
	// mostMembers bounds what is kept.
	mostMembers = 2000
)

// Account is our account's id; false until the first log-in.
func (d *Discord) Account() (community.AccountID, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.self.account, d.self.account != ""
}

// Self is the bot as members see it. The error says that it is not known yet,
// or that the account is another's.
func (d *Discord) Self(account community.AccountID) (community.Member, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.self.account == "" || account != d.self.account {
		return community.Member{}, &Error{Class: Transient, Err: fmt.Errorf("account %s is not logged in", account)}
	}
	return d.self.member, nil
}

// me is who we are, zero before the first log-in.
func (d *Discord) me() self {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.self
}

// Guild is a guild that the bot is in; false for others, and for all until the
// first connection.
func (d *Discord) Guild(id community.GuildID) (Guild, bool) {
	d.cache.mu.RLock()
	defer d.cache.mu.RUnlock()
	g := d.cache.guilds[id]
	if g == nil {
		return Guild{}, false
	}
	return g.seen(), true
}

// Guilds are all that the bot is in, by name.
func (d *Discord) Guilds() []Guild {
	d.cache.mu.RLock()
	defer d.cache.mu.RUnlock()
	out := make([]Guild, 0, len(d.cache.guilds))
	for _, g := range d.cache.guilds {
		out = append(out, g.seen())
	}
	slices.SortFunc(out, func(a, b Guild) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID)) })
	return out
}

// Channels are a guild's channels and its threads that are not archived, in
// the order of their positions.
func (d *Discord) Channels(id community.GuildID) []Channel {
	d.cache.mu.RLock()
	defer d.cache.mu.RUnlock()
	g := d.cache.guilds[id]
	if g == nil {
		return nil
	}
	out := make([]Channel, 0, len(g.Channels))
	for ch := range g.Channels {
		out = append(out, g.channel(ch))
	}
	slices.SortFunc(out, func(a, b Channel) int {
		return cmp.Or(cmp.Compare(a.Position, b.Position), cmp.Compare(len(a.ID), len(b.ID)), cmp.Compare(a.ID, b.ID))
	})
	return out
}

// channel is one that is known.
func (g *guild) channel(id community.ChannelID) Channel {
	c := g.Channels[id]
	out := Channel{
		ID: id, Guild: g.ID, Parent: c.Parent, Name: c.Name, Kind: c.Kind, Thread: isThread(c.Kind),
		AgeRestricted: c.AgeRestricted, Position: c.Position,
	}
	if parent := g.Channels[c.Parent]; out.Thread && parent != nil {
		out.AgeRestricted = parent.AgeRestricted
	}
	return out
}

// Channel is any channel that the bot can see, an archived thread or a direct
// conversation too: from memory, else Discord is asked. Class Gone or
// Forbidden: there is none for us.
func (d *Discord) Channel(ctx context.Context, id community.ChannelID) (Channel, error) {
	if c, ok := d.knownChannel(id); ok {
		return c, nil
	}
	if c, ok := d.members.channel(id, d.Clock.Now()); ok {
		return c, nil
	}
	w, err := d.lookAt(ctx, id)
	if err != nil {
		return Channel{}, err
	}
	ch := w.channel()
	c := Channel{
		ID: id, Guild: community.GuildID(w.Guild), Parent: ch.Parent, Name: ch.Name, Kind: ch.Kind, Thread: isThread(ch.Kind),
		AgeRestricted: ch.AgeRestricted, Position: ch.Position,
	}
	if c.Thread {
		if parent, err := d.Channel(ctx, c.Parent); err == nil {
			c.AgeRestricted = parent.AgeRestricted
		}
	}
	d.members.putChannel(c, d.Clock.Now())
	return c, nil
}

func (d *Discord) lookAt(ctx context.Context, id community.ChannelID) (w wireChannel, err error) {
	flake, err := parseID(string(id))
	if err != nil {
		return w, err
	}
	raw, err := get[json.RawMessage](ctx, d, "look at a channel", rest.GetChannel.Compile(nil, flake))
	if err != nil {
		return w, err
	}
	if err := json.Unmarshal(raw, &w); err != nil || w.ID == "" {
		return w, &Error{Class: Transient, Err: errors.New("a channel that cannot be read")}
	}
	return w, nil
}

func (d *Discord) knownChannel(id community.ChannelID) (Channel, bool) {
	d.cache.mu.RLock()
	defer d.cache.mu.RUnlock()
	g := d.cache.guilds[d.cache.where[id]]
	if g == nil || g.Channels[id] == nil {
		return Channel{}, false
	}
	return g.channel(id), true
}

// Missing is which of the permissions the bot itself lacks in a channel; with
// an empty channel, in the guild as a whole. Class Gone: we are not in that
// guild, or there is no such channel.
func (d *Discord) Missing(ctx context.Context, guildID community.GuildID, id community.ChannelID, want Permission) (Permission, error) {
	if guildID == "" { // a conversation with one member has no permissions
		return 0, nil
	}
	self, now := d.me().member.ID, d.Now("")
	at := id
	if _, known := d.knownChannel(id); id != "" && !known { // an archived thread
		c, err := d.Channel(ctx, id)
		if err != nil {
			return 0, err
		}
		if c.Guild != guildID {
			return 0, &Error{Class: Gone, Err: errors.New("no such channel in the guild")}
		}
		if c.Thread {
			at = c.Parent
			if want&SendMessages != 0 { // in threads another permission decides
				want = want&^SendMessages | SendInThreads
			}
		}
	} else if known, _ := d.knownChannel(id); known.Thread && want&SendMessages != 0 {
		want = want&^SendMessages | SendInThreads
	}
	d.cache.mu.RLock()
	defer d.cache.mu.RUnlock()
	g := d.cache.guilds[guildID]
	if g == nil {
		return 0, &Error{Class: Gone, Err: errors.New("the bot is not in that guild")}
	}
	return want &^ g.ours(self, at, now), nil
}

// In asks Discord whether the bot is in a guild.
func (d *Discord) In(ctx context.Context, guild community.GuildID) (bool, error) {
	if d.me().account == "" {
		return false, &Error{Class: Transient, Err: errors.New("not logged in")}
	}
	_, err := get[struct{}](ctx, d, "look at a guild", rest.GetGuild.Compile(nil, guild))
	switch ClassOf(err) {
	case "":
		return true, nil
	case Gone, Forbidden:
		return false, nil
	}
	return false, err
}

// Member is a member of a guild, and their roles; believed for some minutes.
// Class Gone: they are not in it.
func (d *Discord) Member(ctx context.Context, guildID community.GuildID, id community.MemberID) (community.Member, []community.RoleID, error) {
	m, err := d.memberAt(ctx, guildID, id)
	return m.member, slices.Clone(m.roles), err
}

// MemberSince is since when somebody has been a member of a guild, by Discord's
// clock; believed for some minutes. A guest, who has not joined, is one since
// now. Class Gone: they are not in it.
func (d *Discord) MemberSince(ctx context.Context, guildID community.GuildID, id community.MemberID) (time.Time, error) {
	m, err := d.memberAt(ctx, guildID, id)
	if err == nil && m.joined.IsZero() {
		return d.Now(""), nil
	}
	return m.joined, err
}

func (d *Discord) memberAt(ctx context.Context, guildID community.GuildID, id community.MemberID) (keptMember, error) {
	now := d.Clock.Now()
	key := memberKey{guildID, id}
	if m, ok := d.members.member(key, now); ok {
		return m, nil
	}
	guildFlake, err := parseID(string(guildID))
	if err != nil {
		return keptMember{}, err
	}
	flake, err := parseID(string(id))
	if err != nil {
		return keptMember{}, err
	}
	raw, err := get[json.RawMessage](ctx, d, "look at a member", rest.GetMember.Compile(nil, guildFlake, flake))
	if err != nil {
		return keptMember{}, err
	}
	var w wireMember
	if err := json.Unmarshal(raw, &w); err != nil || w.User.ID == "" {
		return keptMember{}, &Error{Class: Transient, Err: errors.New("a member that cannot be read")}
	}
	m := keptMember{member: w.member()}
	for _, r := range w.Roles {
		m.roles = append(m.roles, community.RoleID(r))
	}
	if at, err := time.Parse(time.RFC3339, w.Joined); err == nil {
		m.joined = at.UTC()
	}
	d.members.put(key, m, now)
	return m, nil
}

func (w wireMember) member() community.Member {
	id := community.MemberID(w.User.ID)
	return community.Member{ID: id, Handle: HandleOf(id), Acct: w.User.Name, Name: cmp.Or(w.Nick, w.User.Global, w.User.Name), Bot: w.User.Bot}
}

// get makes one GET of the API and returns its answer.
func get[T any](ctx context.Context, d *Discord, what string, e *rest.CompiledEndpoint) (T, error) {
	return ask(d, what, func() (v T, err error) {
		err = d.rest.Do(e, nil, &v, rest.WithCtx(ctx))
		return v, err
	})
}

// parseID makes disgo's id of ours. Class Gone: it is no id of Discord's.
func parseID(id string) (snowflake.ID, error) {
	if !digits(id) {
		return 0, &Error{Class: Gone, Err: fmt.Errorf("%q is no id of Discord's", short(id))}
	}
	n, err := snowflake.Parse(id)
	if err != nil {
		return 0, &Error{Class: Gone, Err: fmt.Errorf("%q is no id of Discord's", short(id))}
	}
	return n, nil
}

// memberCache keeps what REST told for some minutes.
type memberCache struct {
	mu       sync.Mutex
	members  map[memberKey]keptMember
	channels map[community.ChannelID]keptChannel
}

type memberKey struct {
	guild  community.GuildID
	member community.MemberID
}

type keptMember struct {
	member community.Member
	roles  []community.RoleID
	joined time.Time // zero for a guest
	until  time.Time
}

type keptChannel struct {
	channel Channel
	until   time.Time
}

func (c *memberCache) init() {
	c.members = map[memberKey]keptMember{}
	c.channels = map[community.ChannelID]keptChannel{}
}

func (c *memberCache) member(k memberKey, now time.Time) (keptMember, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	m, ok := c.members[k]
	return m, ok && m.until.After(now)
}

func (c *memberCache) put(k memberKey, m keptMember, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.members) >= mostMembers {
		clear(c.members)
	}
	m.until = now.Add(memberKept)
	c.members[k] = m
}

// forget drops a member whose roles or name changed.
func (c *memberCache) forget(k memberKey) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.members, k)
}

func (c *memberCache) channel(id community.ChannelID, now time.Time) (Channel, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	k, ok := c.channels[id]
	return k.channel, ok && k.until.After(now)
}

func (c *memberCache) putChannel(ch Channel, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.channels) >= mostMembers {
		clear(c.channels)
	}
	c.channels[ch.ID] = keptChannel{channel: ch, until: now.Add(channelKept)}
}
