package discordsim

import "slices"

// ChannelOption says more of a new channel.
type ChannelOption func(*channel)

// AgeRestricted makes a channel one for adults.
func AgeRestricted() ChannelOption { return func(c *channel) { c.nsfw = true } }

// In puts a channel in a category.
func In(category string) ChannelOption { return func(c *channel) { c.parent = category } }

// Topic is a channel's description.
func Topic(text string) ChannelOption { return func(c *channel) { c.topic = text } }

// Slowmode is how many seconds a member waits between messages.
func Slowmode(seconds int) ChannelOption { return func(c *channel) { c.slowmode = seconds } }

// Allow lets a role or a member do something in a channel.
func Allow(id string, p Permission) ChannelOption {
	return func(c *channel) { c.overwrite(id, p, 0) }
}

// Deny forbids a role or a member something in a channel.
func Deny(id string, p Permission) ChannelOption {
	return func(c *channel) { c.overwrite(id, 0, p) }
}

// Private hides a channel from everybody but those that an Allow(id, ViewChannel) names.
func Private() ChannelOption {
	return func(c *channel) { c.overwrite(c.guild, 0, ViewChannel) }
}

func (c *channel) overwrite(id string, allow, deny Permission) {
	for i, o := range c.overwrites {
		if o.id == id {
			c.overwrites[i].allow = o.allow&^deny | allow
			c.overwrites[i].deny = o.deny&^allow | deny
			return
		}
	}
	c.overwrites = append(c.overwrites, overwrite{id: id, allow: allow, deny: deny})
}

// AddChannel makes a channel and returns its id.
func (s *Server) AddChannel(guildID, name string, kind Kind, options ...ChannelOption) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.mustGuild(guildID)
	c := &channel{id: s.nextID(), guild: g.id, name: name, kind: kind, position: len(g.channels)}
	for _, o := range options {
		o(c)
	}
	if parent := s.channels[c.parent]; parent != nil && len(c.overwrites) == 0 {
		c.overwrites = slices.Clone(parent.overwrites) // a channel begins in sync with its category
	}
	s.kindsOfOverwrites(g, c)
	g.channels = append(g.channels, c)
	s.channels[c.id] = c
	s.emit(event{Name: "CHANNEL_CREATE", Guild: g.id, Channel: c.id, Payload: s.renderChannel(c)})
	return c.id
}

// kindsOfOverwrites tells roles and members apart.
func (s *Server) kindsOfOverwrites(g *guild, c *channel) {
	for i, o := range c.overwrites {
		c.overwrites[i].kind = 1
		if g.role(o.id) != nil {
			c.overwrites[i].kind = 0
		}
	}
}

// AddForum makes a forum with tags and returns its id.
func (s *Server) AddForum(guildID, name string, tags ...string) string {
	return s.AddChannel(guildID, name, Forum, func(c *channel) {
		for _, t := range tags {
			c.tags = append(c.tags, Tag{ID: s.nextID(), Name: t})
		}
	})
}

// ChangeChannel applies options to a channel that is there.
func (s *Server) ChangeChannel(channelID string, options ...ChannelOption) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.mustChannel(channelID)
	for _, o := range options {
		o(c)
	}
	s.kindsOfOverwrites(s.guilds[c.guild], c)
	s.emitChannel(c)
}

func (s *Server) emitChannel(c *channel) {
	name := "CHANNEL_UPDATE"
	if c.kind.isThread() {
		name = "THREAD_UPDATE"
	}
	s.emit(event{Name: name, Guild: c.guild, Channel: c.id, Payload: s.renderChannel(c)})
}

// SetNSFW says whether a channel is age-restricted.
func (s *Server) SetNSFW(channelID string, yes bool) {
	s.ChangeChannel(channelID, func(c *channel) { c.nsfw = yes })
}

// RenameChannel gives a channel another name.
func (s *Server) RenameChannel(channelID, name string) {
	s.ChangeChannel(channelID, func(c *channel) { c.name = name })
}

// RenameGuild gives a guild another name.
func (s *Server) RenameGuild(guildID, name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.mustGuild(guildID)
	g.name = name
	s.emit(event{Name: "GUILD_UPDATE", Guild: g.id, Payload: s.renderGuild(g)})
}

// DeleteChannel deletes a channel or a thread, with the messages and threads in it.
func (s *Server) DeleteChannel(channelID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.deleteChannel(s.mustChannel(channelID))
}

func (s *Server) deleteChannel(c *channel) {
	g := s.guilds[c.guild]
	for _, t := range slices.Clone(g.threads) {
		if t.parent == c.id {
			s.forget(t) // whoever deletes the parent is told of the parent alone
			g.threads = remove(g.threads, t)
		}
	}
	ev := event{Name: "CHANNEL_DELETE", Guild: g.id, Channel: c.id, Payload: s.renderChannel(c)}
	if c.kind.isThread() {
		ev.Name = "THREAD_DELETE"
		ev.Payload = obj{"id": c.id, "guild_id": g.id, "parent_id": c.parent, "type": int(c.kind)}
	}
	s.emit(ev)
	s.forget(c)
	g.channels = remove(g.channels, c)
	g.threads = remove(g.threads, c)
}

func (s *Server) forget(c *channel) {
	for _, m := range c.messages {
		delete(s.messages, m.id)
	}
	delete(s.channels, c.id)
}
