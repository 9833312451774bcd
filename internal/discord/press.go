package discord

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"rookery/internal/community"
	"rookery/internal/words"
)

// tokenLife is how long an interaction can be answered. Source:
// interactions/receiving-and-responding, "Followup Messages".
const tokenLife = 15 * time.Minute

// pressOf is an interaction as handlers see it.
func (d *Discord) pressOf(ctx context.Context, in *interaction) *Press {
	p := &Press{
		Account: AccountOf(in.Application), ID: in.ID, Token: in.Token, At: in.at, Until: in.at.Add(tokenLife),
		Options: in.Data.options(), Fields: in.Data.fields(), Values: in.Data.Values,
		Member:      in.Member.member(),
		Place:       d.placeOf(ctx, in),
		Permissions: Permission(in.Member.Permissions), Ours: Permission(in.Ours),
		GuildLocale: in.GuildLocale, Present: in.present(), Largest: in.Largest,
		locale: in.Locale,
	}
	if d.Language != nil && in.Guild != "" {
		p.locale = cmp.Or(d.Language(ctx, p.Place.Guild), p.locale)
	}
	p.Language = words.Match(p.locale)
	switch in.Type {
	case interactionComponent, interactionForm:
		p.Action, p.Args, _ = ParseCustomID(in.Data.CustomID)
		p.Message = d.pressedPost(ctx, in.Message, p.Place)
		p.private = in.pressedPrivate()
		return p
	}
	name, _ := in.Data.sub()
	p.Command = strings.TrimSpace(in.Data.Name + " " + name)
	if c, sub := d.commandOf(in); c != nil {
		p.private = c.Private || sub.Private
	}
	switch in.Data.Kind {
	case OnMessage:
		p.Target, p.Original = d.targeted(ctx, in, p)
	case OnMember:
		if u, ok := in.Data.Resolved.Users[in.Data.Target]; ok {
			m := in.Data.Resolved.Members[in.Data.Target] // comes without its user
			m.User = u
			who := m.member()
			p.On = &who
		}
	}
	return p
}

// member is who pressed, as the guild shows them.
func (m interactionMember) member() community.Member {
	m.User.Member = &gotMember{Nick: m.Nick}
	return m.User.member()
}

// Where a press can be. Source: resources/channel, "Channel Types", and
// interactions/receiving-and-responding, "Interaction Context Types" and
// "Authorizing Integration Owners Object".
const (
	channelDirect   = 1
	firstThreadKind = 10
	lastThreadKind  = 12
	contextDirect   = 1   // a direct message with the bot
	ownerGuild      = "0" // the application was added to the guild
)

// placeOf is where a press happened. A thread is for adults if its channel is.
func (d *Discord) placeOf(ctx context.Context, in *interaction) community.Place {
	at := community.Place{Guild: community.GuildID(in.Guild), Channel: community.ChannelID(in.ChannelID), AgeRestricted: in.Channel.NSFW}
	for _, r := range in.Member.Roles {
		at.Roles = append(at.Roles, community.RoleID(r))
	}
	if in.Channel.Kind < firstThreadKind || in.Channel.Kind > lastThreadKind {
		return at
	}
	at.Parent = community.ChannelID(in.Channel.Parent)
	if in.present() && !at.AgeRestricted {
		if c, err := d.Channel(ctx, cmp.Or(at.Parent, at.Channel)); err == nil {
			at.AgeRestricted = c.AgeRestricted
			at.Parent = cmp.Or(at.Parent, c.Parent)
		}
	}
	return at
}

// present tells whether the bot itself is where it was pressed, and not only
// the application, which a member has brought along.
func (in *interaction) present() bool {
	if in.Guild != "" {
		_, ok := in.Owners[ownerGuild]
		return ok
	}
	if in.Context != nil {
		return *in.Context == contextDirect
	}
	return in.Channel.Kind == channelDirect
}

// Mention is a press as something that addresses the bot, for inbox.Take: text
// are the words that were said with it. It is no message (its id tells), so
// the same press is the same mention however often it is handled. Files of the
// options are its media, and it is a reply to the message of an OnMessage
// command.
func (p *Press) Mention(text string) community.Mention {
	post := community.Post{
		ID:         community.PostID("i/" + p.ID),
		URI:        PlatformName + ":interaction:" + p.ID,
		Author:     p.Member,
		Text:       text,
		Visibility: community.Unlisted,
		Language:   p.locale,
		At:         p.At,
		Place:      p.Place,
	}
	if p.Place.Guild == "" {
		post.Visibility = community.Direct
	}
	if p.Target != nil {
		post.ParentID, post.ParentBy = p.Target.ID, p.Target.Author.ID
	}
	for _, name := range slices.Sorted(maps.Keys(p.Options)) {
		if f := p.Options[name].File; f != nil {
			post.Media = append(post.Media, community.Attachment{
				ID: name, Kind: mediaKind(f.Type), URL: f.URL, Description: f.Description,
			})
		}
	}
	return community.Mention{
		Account: p.Account, Notification: community.NotificationID(p.ID), Notified: p.At, Post: post,
		Command: &community.Command{
			Name: cmp.Or(p.Command, p.Action), Token: p.Token, Until: p.Until, Private: p.private,
			Member: p.Present && (p.Place.Guild == "" || p.Ours.Has(ViewChannel|p.sending())), Largest: p.Largest,
		},
	}
}

// sending is the permission to write where the press was.
func (p *Press) sending() Permission {
	if p.Place.Parent != "" {
		return SendInThreads
	}
	return SendMessages
}
