package persona

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"rookery/internal/community"
	"rookery/internal/discord"
	"rookery/internal/inbox"
	"rookery/internal/outbox"
	"rookery/internal/store"
	"rookery/internal/words"
)

// application is what the persona asks of Discord.
type application interface {
	Self(account community.AccountID) (community.Member, error)
	Now(account community.AccountID) time.Time
	Thread(ctx context.Context, account community.AccountID, post community.Post) (above, below []community.Post, err error)
	Guild(id community.GuildID) (discord.Guild, bool)
	Missing(ctx context.Context, guild community.GuildID, channel community.ChannelID, want discord.Permission) (discord.Permission, error)
	Member(ctx context.Context, guild community.GuildID, id community.MemberID) (community.Member, []community.RoleID, error)
}

var _ application = (*discord.Discord)(nil)

// guilds is the persona on Discord, in guilds and in direct messages.
type guilds struct {
	application
	p *Persona
}

var _ platform = guilds{}

// JoinDiscord gives the feature Discord, which in turn needs the feature.
func (p *Persona) JoinDiscord(d application) { p.discord.application = d }

func (guilds) has(account community.AccountID) bool { return discord.IsAccount(account) }

func (g guilds) Self(account community.AccountID) (community.Member, error) {
	if g.application == nil {
		return community.Member{}, errNotJoined
	}
	return g.application.Self(account)
}

// wants leaves commands to the features that have declared them.
func (guilds) wants(m community.Mention) string {
	if m.Command != nil {
		return "a command of another feature"
	}
	return ""
}

// welcome asks what the guild has set. In direct messages there is nobody to
// set anything; whether they are answered at all is the platform's matter.
func (g guilds) welcome(ctx context.Context, tx store.Tx, m community.Mention) (string, error) {
	at := m.Post.Place
	if at.Guild == "" {
		return "", nil
	}
	if why, err := g.p.Settings.hears(ctx, tx, at); err != nil || why != "" {
		return why, err
	}
	return g.p.Settings.answers(ctx, tx, at.Guild, at.Roles)
}

// unwanted looks whether the answer could be sent at all, before it is paid
// for, and whether the author still has the roles that they had.
func (g guilds) unwanted(ctx context.Context, m community.Mention) (inbox.State, string, error) {
	at := m.Post.Place
	if at.Guild == "" {
		return "", "", nil
	}
	_, in := g.Guild(at.Guild)
	missing, err := g.Missing(ctx, at.Guild, at.Channel, discord.ViewChannel|discord.SendMessages)
	e, _ := errors.AsType[*discord.Error](err)
	switch class := discord.ClassOf(err); {
	case err == nil && missing != 0, in && class == discord.Forbidden:
		return inbox.Failed, discord.ReasonForbidden, nil
	case class == discord.Gone || class == discord.Forbidden:
		if in || e.Status != 0 { // what Discord itself has said
			return inbox.Gone, "the channel is no more, or we were removed from the guild", nil
		}
		// The guild is not known, as all are before the first connection.
	case err != nil:
		return "", "", err
	}
	byRole, err := g.p.Settings.byRole(ctx, at.Guild)
	if err != nil || !byRole {
		return "", "", err
	}
	_, roles, err := g.Member(ctx, at.Guild, m.Post.Author.ID)
	switch discord.ClassOf(err) {
	case "":
		why, err := g.p.Settings.answers(ctx, nil, at.Guild, roles)
		return inbox.Ignored, why, err
	case discord.Gone:
		return inbox.Ignored, "its author has left the guild", nil
	case discord.Forbidden:
		return "", "", nil // what the message told has to do
	}
	return "", "", err
}

// thread reads the chain of replies and the thread, as far as we may: without
// the permission to read what was said before, the question stands alone.
func (g guilds) thread(ctx context.Context, m community.Mention, self community.Member) (above, below []community.Post, err error) {
	above, below, err = g.Thread(ctx, m.Account, m.Post)
	if discord.ClassOf(err) == discord.Forbidden {
		return nil, nil, nil
	}
	if err == nil && m.Post.Place.Guild == "" {
		// A conversation with one member: whatever we said there was said to
		// them, the further messages of a long answer too, which reply to nothing.
		for i := range above {
			if above[i].Author.ID == self.ID {
				above[i].ParentBy = m.Post.Author.ID
			}
		}
	}
	return above, below, err
}

func (g guilds) replies(ctx context.Context, m community.Mention) (int64, error) {
	if m.Post.Place.Guild == "" || g.p.Settings == nil {
		return 0, nil
	}
	n, err := g.p.Settings.replies.In(ctx, m.Post.Place.Guild)
	return int64(n), err
}

// most is how many messages an answer may take. Even answers that are cut may
// have two: a message here is short for what models are used to say, and the
// end of a list or of a program is worth more than a neat row.
func (g guilds) most(ctx context.Context, guild community.GuildID) (int, error) {
	most := max(2, g.p.mostPosts())
	if guild == "" || g.p.Settings == nil {
		return most, nil
	}
	n, err := g.p.Settings.messages.In(ctx, guild)
	if n > 0 {
		most = min(most, n)
	}
	return most, err
}

const (
	askedForOne  = 1_500 // characters that the model is asked for where answers are short
	askedForMost = 4_000 // the same where they may be long
)

func (g guilds) manner(ctx context.Context, m community.Mention, self community.Member) (manner, error) {
	most, err := g.most(ctx, m.Post.Place.Guild)
	if err != nil {
		return manner{}, err
	}
	how := manner{name: onlyName(self), rules: discordRules, chars: askedForOne}
	if g.p.Thread {
		how.chars = min((discord.MaxContent-100)*most, askedForMost)
	}
	how.call = func(posts []community.Post) func(community.Member) string { return callThem(self, posts) }
	how.compose = func(said string) []string { return composeMessages(self, said, most) }
	how.effect = func(texts []string) outbox.Effect {
		return outbox.Effect{Kind: discord.MessageKind, Parts: len(texts), Again: 2, Payload: reply(m, texts)}
	}
	return how, nil
}

// reply is the reply in these messages. It notifies nobody: who asked sees it
// where they asked.
func reply(m community.Mention, texts []string) discord.Send {
	s := discord.Send{Channel: m.Post.Place.Channel, ReplyTo: m.Post.ID}
	if s.Channel == "" {
		s.Channel, _, _ = discord.MessageOf(m.Post.ID)
	}
	for _, text := range texts {
		// What a model links to is not shown by itself.
		s.Parts = append(s.Parts, discord.Message{Content: text, NoPreviews: true})
	}
	return s
}

// notice is a reply where the question was, which notifies nobody. It is no
// direct message: those reach only who allows them, and not where they look.
func (guilds) notice(m community.Mention, _ words.Language, text string) outbox.Effect {
	return outbox.Effect{Kind: discord.MessageKind, Payload: reply(m, []string{text})}
}

func (guilds) time(t time.Time) any { return discord.FormatTime(t, discord.DateTime) }

func (guilds) deleteKind() string { return discord.DeleteKind }

func (guilds) fault(err error) (is fault) {
	if e, ok := errors.AsType[*discord.Error](err); ok {
		is.retryAt = e.RetryAt
		is.gone = e.Class == discord.Gone
		is.hopeless = e.Class == discord.Invalid
	}
	return is
}

func (guilds) sent(r outbox.Result) (sent, error) {
	var payload discord.Send
	if err := json.Unmarshal(r.Payload, &payload); err != nil {
		return sent{}, fmt.Errorf("read the answer's payload: %w", err)
	}
	s := sent{post: payload.ReplyTo, in: payload.Channel, gone: r.Reason == discord.ReasonGone, forbidden: r.Reason == discord.ReasonForbidden}
	if r.Reason == discord.ReasonTooLong && len(payload.Parts) > 0 {
		if text := []rune(payload.Parts[0].Content); len(text) > 1 {
			payload.Parts = payload.Parts[:1]
			payload.Parts[0].Content = shorten(text, len(text)/2)
			s.less = &outbox.Effect{Kind: discord.MessageKind, Again: 2, Payload: payload}
		}
	}
	return s, nil
}
