package gifs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"rookery/internal/community"
	"rookery/internal/discord"
	"rookery/internal/fedi"
	"rookery/internal/inbox"
	"rookery/internal/media"
	"rookery/internal/outbox"
	"rookery/internal/store"
	"rookery/internal/words"
)

// discordClient is what is asked of Discord.
type discordClient interface {
	Self(account community.AccountID) (community.Member, error)
	Now(account community.AccountID) time.Time
	Channel(ctx context.Context, id community.ChannelID) (discord.Channel, error)
	Missing(ctx context.Context, guild community.GuildID, channel community.ChannelID, want discord.Permission) (discord.Permission, error)
	PermissionNames(l words.Language, p discord.Permission) []string
	Thread(ctx context.Context, account community.AccountID, post community.Post) (above, below []community.Post, err error)
	Attach(ctx context.Context, account community.AccountID, key string, u discord.Upload) error
	Discard(ctx context.Context, tx store.Tx, key string) error
	Components(action string, h discord.Handler)
}

var _ discordClient = (*discord.Discord)(nil)

// JoinDiscord gives the feature Discord, which in turn needs the feature: what
// is asked with a command is taken in by in, and is worth no answer after
// maxAge (see inbox.Account). It is called before d runs.
func (g *GIFs) JoinDiscord(d discordClient, in *inbox.Inbox, maxAge time.Duration) {
	g.discord = guilds{g, d, in, maxAge}
	d.Components(pressAction, g.pressed)
}

// guilds is the house of applications on Discord.
type guilds struct {
	*GIFs
	client discordClient // nil until JoinDiscord
	inbox  *inbox.Inbox
	maxAge time.Duration
}

var _ house = guilds{}

// at is the house of an account.
func (g *GIFs) at(account community.AccountID) house {
	if discord.IsAccount(account) {
		return g.discord
	}
	return g.fedi
}

// deleteKind is the effect that deletes an answer.
func deleteKind(account community.AccountID) string {
	if discord.IsAccount(account) {
		return discord.DeleteKind
	}
	return fedi.DeleteKind
}

func (h guilds) self(account community.AccountID) (community.Member, error) {
	if h.client == nil {
		return community.Member{}, errNotJoined
	}
	return h.client.Self(account)
}

func (h guilds) now(account community.AccountID) time.Time { return h.client.Now(account) }

// text leaves out our name in front, and those of others who are addressed with
// us: on Discord names have blanks in them.
func (h guilds) text(m community.Mention) string {
	named := m.Post.Mentions
	if self, err := h.self(m.Account); err == nil {
		named = append(slices.Clone(named), self)
	}
	var names []string
	for _, who := range named {
		for _, name := range []string{who.Name, who.Acct} {
			if name != "" {
				names = append(names, "@"+name)
			}
		}
	}
	// The longest first: one name may be the beginning of another.
	slices.SortFunc(names, func(a, b string) int { return len(b) - len(a) })
	text := strings.TrimSpace(m.Post.Text)
	for {
		i := slices.IndexFunc(names, func(name string) bool {
			after, ok := strings.CutPrefix(text, name)
			return ok && (after == "" || strings.ContainsAny(after[:1], " \n\t,:@"))
		})
		if i < 0 {
			return text
		}
		text = strings.TrimSpace(text[len(names[i]):])
	}
}

// settingsPatience is how long settings are waited for where there is no
// context to be had.
const settingsPatience = 5 * time.Second

func (h guilds) wanted(m community.Mention) (bool, string) {
	if m.Post.Place.Guild == "" {
		return true, ""
	}
	// What is taken in here though the settings could not be read is looked at
	// again when its turn comes.
	ctx, cancel := context.WithTimeout(context.Background(), settingsPatience)
	defer cancel()
	if ok, err := h.Settings.In(ctx, m.Post.Place); err == nil && !ok {
		return false, "pictures are turned off there"
	}
	return true, ""
}

func (h guilds) refuses(ctx context.Context, m community.Mention, nsfw bool) (*refusal, error) {
	place := m.Post.Place
	if place.Guild != "" {
		ok, err := h.Settings.In(ctx, place)
		switch {
		case err != nil:
			return nil, err
		case !ok && m.Command != nil:
			return &refusal{say: words.GIFsOffHere}, nil
		case !ok:
			return &refusal{why: "pictures were turned off there"}, nil
		}
		// The answer to a command needs no permission of the bot's own.
		if m.Command == nil {
			if no := h.lacks(ctx, m); no != nil {
				return no, nil
			}
		}
	}
	if !nsfw {
		return nil, nil
	}
	return h.refusesNSFW(ctx, m)
}

// lacks tells that the bot may not send files in a channel.
func (h guilds) lacks(ctx context.Context, m community.Mention) *refusal {
	missing, err := h.client.Missing(ctx, m.Post.Place.Guild, m.Post.Place.Channel, discord.AttachFiles)
	if err != nil || missing == 0 {
		return nil // Discord itself will say what is wrong
	}
	names := h.client.PermissionNames(h.language(m), missing)
	return &refusal{say: words.GIFsNoFiles, args: words.Args{"permission": strings.Join(names, ", ")}}
}

// refusesNSFW tells why nothing but safe pictures are shown at a place: they
// are for channels that are for adults now, of guilds that want them, and never
// for direct messages, of which nobody knows who reads them.
func (h guilds) refusesNSFW(ctx context.Context, m community.Mention) (*refusal, error) {
	place := m.Post.Place
	switch {
	case place.Guild == "":
		return &refusal{say: words.GIFsNSFWDirect}, nil
	case m.Command != nil && !m.Command.Member:
		// Nobody could look at what the channel is.
		return &refusal{say: words.GIFsNSFWOff}, nil
	}
	if ok, err := h.Settings.unsafe(ctx, place.Guild); err != nil {
		return nil, err
	} else if !ok {
		return &refusal{say: words.GIFsNSFWGuild}, nil
	}
	c, err := h.client.Channel(ctx, place.Channel)
	switch class := discord.ClassOf(err); {
	case class == discord.Gone, class == discord.Forbidden, err == nil && (!c.AgeRestricted || c.Guild != place.Guild):
		return &refusal{say: words.GIFsNSFWChannel}, nil
	}
	return nil, err
}

func (h guilds) replies(ctx context.Context, m community.Mention, self community.MemberID) ([]community.Post, error) {
	if m.Command != nil && !m.Command.Member {
		return nil, nil // the bot cannot look there, and an answer is its only one
	}
	_, below, err := h.client.Thread(ctx, m.Account, m.Post)
	if discord.ClassOf(err) == discord.Forbidden {
		return nil, nil // it may write there, but not read
	}
	return slices.DeleteFunc(below, func(p community.Post) bool {
		return p.Author.ID != self || m.Command == nil && p.ParentID != m.Post.ID
	}), err
}

// The forms that Discord's clients show as moving pictures. Animated PNGs they
// show as still ones.
func formats() []media.Type { return []media.Type{media.GIF, media.MP4, media.WebP} }

// largest is how large a file may be. A guild may take more than every place
// does, but an answer that comes late is sent in another way, which may not.
func largest(m community.Mention) int64 {
	if m.Command != nil && m.Command.Largest > 0 {
		return min(m.Command.Largest, discord.MaxFileSize)
	}
	return discord.MaxFileSize
}

func (h guilds) room(m community.Mention) (room, error) {
	if _, err := h.self(m.Account); err != nil {
		return room{}, err
	}
	return room{
		media: media.Limits{Types: formats(), ImageBytes: largest(m), VideoBytes: largest(m)},
		alt:   discord.MaxDescription,
		quiet: discord.Escape,
		link:  pageLink,
		fits:  func(text string, _ bool) bool { return discord.Length(text) <= discord.MaxContent },
		answer: func(a answer) outbox.Effect {
			msg := discord.Message{Content: a.text, NoPreviews: true}
			if p := a.picture; p != nil {
				msg.Files = []discord.File{{Key: p.id, Name: p.name, Description: p.alt, Spoiler: a.nsfw}}
				msg.Rows = []discord.Row{{Buttons: []discord.Button{{
					ID:    discord.CustomID(pressAction, pressDelete, string(m.Post.Author.ID), string(a.id)),
					Label: h.language(m).Say(words.GIFsDelete, nil),
				}}}}
			}
			e := h.effect(m, msg)
			if a.nsfw && (a.picture != nil || a.link) {
				// What a channel is may change: after this time it is looked at anew.
				e.Expires = h.Clock.Now().Add(unsafeLife)
			}
			return e
		},
	}, nil
}

// unsafeLife is how long a picture that is not safe waits to be sent. It is
// less than a command's token lives, after which the answer goes elsewhere.
const unsafeLife = 10 * time.Minute

// pageLink is an address that readers can follow and that Discord shows no
// preview of.
func pageLink(url string) string {
	return "<" + strings.NewReplacer("<", "%3C", ">", "%3E", " ", "%20", "\n", "%0A", "\r", "%0D").Replace(url) + ">"
}

// effect is the effect that brings a message to who has asked.
func (h guilds) effect(m community.Mention, msg discord.Message) outbox.Effect {
	if c := m.Command; c != nil {
		return outbox.Effect{Kind: discord.AnswerKind, Payload: discord.AnswerTo{
			Interaction: strings.TrimPrefix(string(m.Post.ID), "i/"), Token: c.Token, Until: c.Until, Channel: m.Post.Place.Channel,
			Asker: m.Post.Author.ID, Private: c.Private, Member: c.Member, Message: msg,
		}}
	}
	return outbox.Effect{Kind: discord.MessageKind, Payload: discord.Send{
		Channel: m.Post.Place.Channel, ReplyTo: m.Post.ID, Parts: []discord.Message{msg},
	}}
}

// attach stores the file; it is sent with the answer.
func (h guilds) attach(ctx context.Context, m community.Mention, key string, f upload) (string, error) {
	return key, h.client.Attach(ctx, m.Account, key, discord.Upload{Open: f.open, Size: f.size, Name: f.name, Type: f.mime})
}

func (h guilds) discard(ctx context.Context, tx store.Tx, key string) error {
	if h.client == nil {
		return nil
	}
	return h.client.Discard(ctx, tx, key)
}

func (guilds) fault(err error) fault {
	if errors.Is(err, discord.ErrFileSize) {
		return badFile
	}
	switch discord.ClassOf(err) {
	case discord.Gone:
		return gone
	case discord.Invalid:
		return mistaken
	case discord.TooLarge:
		return badFile
	}
	return passing
}

// notice is a reply without a ping: a direct message may be refused, and would
// come unasked. A command's answer is where it says it.
func (h guilds) notice(m community.Mention, text string) outbox.Effect {
	return h.effect(m, discord.Message{Content: text, NoPreviews: true})
}

func (guilds) ended(r outbox.Result) (ending, error) {
	var p struct {
		Interaction string            `json:"interaction"`
		Message     discord.Message   `json:"message"`
		ReplyTo     community.PostID  `json:"reply_to"`
		Parts       []discord.Message `json:"parts"`
	}
	if err := json.Unmarshal(r.Payload, &p); err != nil {
		return ending{}, fmt.Errorf("read the answer's payload: %w", err)
	}
	end := ending{post: p.ReplyTo, done: func() {}, gone: r.Reason == discord.ReasonGone}
	if p.Interaction != "" {
		end.post, p.Parts = community.PostID("i/"+p.Interaction), []discord.Message{p.Message}
	}
	for _, part := range p.Parts {
		end.pictures += len(part.Files)
		unsafe := slices.ContainsFunc(part.Files, func(f discord.File) bool { return f.Spoiler })
		end.anew = end.anew || unsafe && r.Reason == outbox.ReasonExpired
	}
	end.anew = end.anew || r.Reason == discord.ReasonNoFile
	return end, nil
}

// discordRetryAt is when Discord asked to be tried again; zero if it did not.
func discordRetryAt(err error) time.Time {
	if e, ok := errors.AsType[*discord.Error](err); ok {
		return e.RetryAt
	}
	return time.Time{}
}
