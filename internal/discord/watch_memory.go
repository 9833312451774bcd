package discord

import (
	"context"

	"rookery/internal/community"
)

// What is kept in memory of how threads began, so that of thousands of messages
// a second only the few that begin one cost more than a look.

// firstIn notes what a thread without a message elsewhere may begin with: the
// first message of a member in it, unless somebody else opened it. It is called
// in the order of the events.
func (d *Discord) firstIn(g *got) {
	if len(d.Watchers) == 0 || g.Guild == "" || g.Type != typeStarter && !g.byMember() {
		return
	}
	id := community.ChannelID(g.Channel)
	d.cache.mu.RLock()
	c := d.cache.threadAt(id)
	empty := c != nil && c.Empty
	d.cache.mu.RUnlock()
	if !empty {
		return
	}
	d.cache.mu.Lock()
	defer d.cache.mu.Unlock()
	if c = d.cache.threadAt(id); c == nil {
		return
	}
	in := d.cache.guilds[d.cache.where[id]]
	c.Empty, in.changed = false, true
	if up := in.Channels[c.Parent]; g.byMember() && (c.owner == "" || g.Author.ID == string(c.owner)) && up != nil && !isForum(up.Kind) {
		c.first = g.ID
	}
}

// opens tells whether a message in a thread is what that began with.
func (d *Discord) opens(channel, message string) bool {
	if message == channel { // a forum's post. Source: topics/threads, "Forums"
		return true
	}
	d.cache.mu.RLock()
	defer d.cache.mu.RUnlock()
	c := d.cache.threadAt(community.ChannelID(channel))
	return c != nil && c.first == message
}

// threadOf tells whether a thread was made from a message: it has the message's
// id. Source: topics/threads.
func (d *Discord) threadOf(channel, message string) bool {
	d.cache.mu.RLock()
	defer d.cache.mu.RUnlock()
	c := d.cache.threadAt(community.ChannelID(message))
	return c != nil && c.Parent == community.ChannelID(channel)
}

// threadAt is a thread that is known, else nil; called with the mutex held.
func (c *cache) threadAt(id community.ChannelID) *channel {
	g := c.guilds[c.where[id]]
	if g == nil || g.Channels[id] == nil || !isThread(g.Channels[id].Kind) {
		return nil
	}
	return g.Channels[id]
}

// began notes what a thread without a message elsewhere began with; "" that it
// did not begin so.
func (c *cache) began(thread community.ChannelID, message string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if t := c.threadAt(thread); t != nil {
		t.first = message
	}
}

// opener is who opened a thread: from memory, else Discord is asked.
func (d *Discord) opener(ctx context.Context, thread community.ChannelID) (community.MemberID, error) {
	d.cache.mu.RLock()
	c := d.cache.threadAt(thread)
	if c != nil && c.owner != "" {
		defer d.cache.mu.RUnlock()
		return c.owner, nil
	}
	d.cache.mu.RUnlock()
	w, err := d.lookAt(ctx, thread)
	if err != nil {
		return "", err
	}
	d.cache.mu.Lock()
	defer d.cache.mu.Unlock()
	if c := d.cache.threadAt(thread); c != nil {
		c.owner = community.MemberID(w.Owner)
	}
	return community.MemberID(w.Owner), nil
}
