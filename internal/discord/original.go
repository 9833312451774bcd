package discord

import (
	"context"
	"slices"
	"strings"
	"time"

	"rookery/internal/community"
)

// Original is a message of a member as it stands now, for who wants to show it
// elsewhere. Its Text is Readable's, its Media are its files. It is Sensitive if
// any of its files is behind a spoiler. Place.Channel is where the message
// stands, and Place.Parent, if there is a Thread, the channel of that.
type Original struct {
	community.Post

	Content string    // the text with Discord's markup, as it was written
	Edited  time.Time // when the text was last changed, by Discord's clock; zero: never
	// Thread is the thread that the message began or stands in; "" for none. A
	// message that a thread was made from stands in the channel, and the thread
	// has the message's id.
	Thread community.ChannelID
	// Begins says that it began Thread: it is a forum's post, the message that
	// a thread was made from, or, of a thread without such a one, a member's
	// first message in it, written by who opened it.
	Begins bool
	// Hidden says that Discord does not show us what it says, for the bot has no
	// Message Content intent: text, files and embeds are empty.
	Hidden bool
	Files  []OriginalFile
	Embeds []OriginalEmbed
	// Members, Roles and Channels are the names of whom and what the text
	// mentions, by their ids: only those that anybody in the guild may read, and
	// that are known.
	Members, Roles, Channels map[string]string
	Forwarded                bool // a forward: not the author's own words
	Quotes                   bool // it is a reply
}

// OriginalFile is a file of a message. Source: resources/message, "Attachment
// Object".
type OriginalFile struct {
	ID, Name, Type string // Type is MIME's; "" if Discord does not know it
	URL            string // worthless after a day; see Refreshed
	Description    string // alt text
	Size           int64  // bytes
	Width, Height  int    // pixels, of pictures and films; else 0
	Spoiler        bool
}

// OriginalEmbed is what Discord shows of a link, or a box in a bot's message.
// Source: resources/message, "Embed Object".
type OriginalEmbed struct {
	Kind                    string // "image", "video", "gifv", "rich", "article", "link"
	URL                     string // the link
	Title, Author, Provider string // names, in one line each
	Image, Video, Thumbnail EmbedMedia
}

// EmbedMedia is a picture or a film of an embed; without a URL there is none.
type EmbedMedia struct {
	URL           string // where it comes from
	ProxyURL      string // the same through Discord; not of every film
	Type          string // MIME's; "" if Discord does not tell
	Description   string // alt text
	Width, Height int    // pixels; 0 if Discord does not tell
}

// original is a message, told by Discord, as features see it. Of its place the
// guild and what is known of the channel are at's; Parent is set if at is in a
// thread.
func (d *Discord) original(ctx context.Context, g got, at community.Place) Original {
	o := Original{
		Post: d.post(ctx, g, at), Content: plainText(g.Content),
		Forwarded: g.Reference != nil && g.Reference.Type == referenceForward,
		Quotes:    g.parent() != "",
	}
	if t, err := time.Parse(time.RFC3339, g.Edited); err == nil {
		o.Edited = t.UTC()
	}
	switch {
	case at.Parent != "":
		o.Thread = o.Place.Channel
		o.Begins = d.opens(g.Channel, g.ID)
	case g.Thread.ID != "" || d.threadOf(g.Channel, g.ID):
		o.Thread, o.Begins = community.ChannelID(g.ID), true
		o.Place.Parent = o.Place.Channel
	}
	for _, f := range g.Files {
		o.Files = append(o.Files, OriginalFile{
			ID: f.ID, Name: oneLine(f.Name), Type: f.Type, URL: f.URL, Description: plainText(f.Description),
			Size: max(f.Size, 0), Width: max(f.Width, 0), Height: max(f.Height, 0), Spoiler: f.spoiler(),
		})
	}
	for _, e := range g.Embeds {
		o.Embeds = append(o.Embeds, e.original())
	}
	o.Hidden = d.hidden(g, at.Guild)
	d.nameMentioned(ctx, g, &o)
	return o
}

// hidden tells whether a message is empty because we may not read it. Source:
// events/gateway, "Message Content Intent".
func (d *Discord) hidden(g got, guild community.GuildID) bool {
	me := string(d.me().member.ID)
	if guild == "" || g.Author.ID == me || g.Content != "" || len(g.Files)+len(g.Embeds) > 0 ||
		slices.ContainsFunc(g.Mentions, func(u gotUser) bool { return u.ID == me }) {
		return false
	}
	d.conn.mu.Lock()
	defer d.conn.mu.Unlock()
	return !d.MessageContent || d.conn.plain
}

// nameMentioned fills in the names of what the text mentions.
func (d *Discord) nameMentioned(ctx context.Context, g got, o *Original) {
	names := d.names(ctx, g, o.Place.Guild)
	note := func(to *map[string]string, id, name string) {
		if name = oneLine(name); name == "" {
			return
		}
		if *to == nil {
			*to = map[string]string{}
		}
		(*to)[id] = name
	}
	for _, m := range token.FindAllString(o.Content, -1) {
		m = m[1 : len(m)-1]
		switch {
		case strings.HasPrefix(m, "@&"):
			note(&o.Roles, m[2:], d.roleName(o.Place.Guild, community.RoleID(m[2:])))
		case strings.HasPrefix(m, "@"):
			id := strings.TrimPrefix(m[1:], "!")
			note(&o.Members, id, names.Member(id))
		case strings.HasPrefix(m, "#"):
			note(&o.Channels, m[1:], names.Channel(m[1:]))
		}
	}
}

// roleName is the name of a role, from memory: every member sees those of all.
func (d *Discord) roleName(guild community.GuildID, id community.RoleID) string {
	d.cache.mu.RLock()
	defer d.cache.mu.RUnlock()
	if g := d.cache.guilds[guild]; g != nil {
		return g.RoleNames[id]
	}
	return ""
}
