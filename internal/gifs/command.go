package gifs

import (
	"context"
	"strings"

	"rookery/internal/community"
	"rookery/internal/discord"
	"rookery/internal/inbox"
	"rookery/internal/outbox"
	"rookery/internal/store"
	"rookery/internal/words"
)

// CommandName is the command for pictures.
const CommandName = "gif"

// The options of the command.
const (
	optionWords = "words"
	optionNSFW  = "nsfw"
)

// What the button under a picture says when it is pressed.
const (
	pressAction = "gifs"
	pressDelete = "delete"
)

// longestWish is how many characters a command takes; much more than is looked
// for.
const longestWish = 500

// Commands are what members can give on Discord.
func (g *GIFs) Commands() []discord.Command {
	most := float64(longestWish)
	return []discord.Command{{
		Name: CommandName, Kind: discord.Slash, Help: words.GIFsCommandHelp, Direct: true,
		Options: []discord.Option{
			{Name: optionWords, Names: words.GIFsOptionWords, Help: words.GIFsOptionWordsHelp, Kind: discord.OptionText, Max: &most},
			{Name: optionNSFW, Help: words.GIFsOptionNSFWHelp, Kind: discord.OptionBool},
		},
		On: func(ctx context.Context, guild community.GuildID) bool {
			on, err := g.Settings.On(ctx, guild)
			return err == nil && on
		},
		Handle: g.command,
	}}
}

// wishOf is what a command asks for, in the words of a mention.
func wishOf(o discord.Options) string {
	text := strings.TrimSpace(o.Text(optionWords))
	if !hasWord(text) {
		text = "random"
	}
	// In front, for a quote that is not closed ends with the text.
	switch {
	case o.Bool(optionNSFW):
		return "nsfw " + text
	case o.Given(optionNSFW):
		return "-nsfw " + text
	}
	return text
}

// command takes /gif: what can be refused at once is told to the member alone;
// all else is stored, and answered when its turn comes.
func (g *GIFs) command(ctx context.Context, p *discord.Press) (discord.Answer, error) {
	h := g.discord
	if _, err := h.self(p.Account); err != nil {
		return discord.Answer{}, err
	}
	m := p.Mention(wishOf(p.Options))
	// It is waited for, so it is no thing of the past: that the id's time is just
	// before an account's first start must not make it one.
	m.Notified = h.now(p.Account)
	r := g.request(m)
	refuse := func(outcome string, k words.Key, a words.Args) (discord.Answer, error) {
		if g.Observe != nil {
			g.Observe(outcome)
		}
		return privately(p, k, a), nil
	}
	if stopped, err := g.stopped(ctx, g.Store, m); err != nil {
		return discord.Answer{}, err
	} else if stopped {
		return refuse(OutcomeRefused, words.GIFsStopped, nil)
	}
	if no, err := h.refusesPress(ctx, p, m, r.NSFW); err != nil {
		return discord.Answer{}, err
	} else if no != nil {
		return refuse(OutcomeRefused, no.say, no.args)
	}
	if g.Blocklist != nil {
		if tag, blocked := g.Blocklist.Query(r.Query); blocked {
			return refuse(OutcomeRefused, words.GIFsBlocked, words.Args{"tag": discord.Escape(tag)})
		}
	}
	n, _, err := g.WaitingOf(ctx, g.Store, p.Account, m.Post.Author.Handle)
	if err != nil {
		return discord.Answer{}, err
	}
	if n >= g.Queue {
		return refuse(OutcomeOver, words.GIFsQueueFull, words.Args{"n": n})
	}
	_, err = h.inbox.Take(ctx, inbox.Account{ID: p.Account, Features: []inbox.Feature{g.Of(true)}, MaxAge: h.maxAge},
		inbox.Page{Items: []inbox.Item{{Mention: m}}, Now: h.now(p.Account)})
	if err != nil {
		return discord.Answer{}, err
	}
	return discord.Answer{Later: true}, nil
}

// refusesPress is refuses for a command that was just given: where the
// channel is not for adults Discord has said so with it.
func (h guilds) refusesPress(ctx context.Context, p *discord.Press, m community.Mention, nsfw bool) (*refusal, error) {
	if no, err := h.refuses(ctx, m, false); err != nil || no != nil {
		return no, err
	}
	if nsfw && p.Place.Guild != "" && p.Present && !p.Place.AgeRestricted {
		if on, err := h.Settings.unsafe(ctx, p.Place.Guild); err == nil && on {
			return &refusal{say: words.GIFsNSFWChannel}, nil
		}
	}
	if nsfw {
		return h.refusesNSFW(ctx, m)
	}
	return nil, nil
}

// privately says something to who has pressed, and to nobody else.
func privately(p *discord.Press, k words.Key, a words.Args) discord.Answer {
	return discord.Answer{Message: &discord.Message{Content: p.Language.Say(k, a), NoPreviews: true}, Private: true}
}

// pressed takes the button under a picture. Its arguments are who asked for the
// picture, and the request's id.
func (g *GIFs) pressed(ctx context.Context, p *discord.Press) (discord.Answer, error) {
	if len(p.Args) != 3 || p.Args[0] != pressDelete {
		return privately(p, words.GIFsDeleteUnknown, nil), nil
	}
	asker, id := community.MemberID(p.Args[1]), inbox.ID(p.Args[2])
	if p.Member.ID != asker && !(p.Place.Guild != "" && p.Permissions.Has(discord.ManageMessages)) {
		return privately(p, words.GIFsDeleteNotYours, nil), nil
	}
	known := false
	err := g.Store.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		known = false
		for _, key := range answerKeys(id) {
			made, err := outbox.Made(ctx, tx, key)
			if err != nil {
				return err
			}
			known = known || len(made) > 0
		}
		_, err := g.answers.Remove(ctx, tx, []inbox.Record{{ID: id, Account: p.Account, Feature: Name}})
		return err
	})
	if err != nil {
		return discord.Answer{}, err
	}
	if !known { // not noted yet, or no more
		return privately(p, words.GIFsDeleteUnknown, nil), nil
	}
	return discord.Answer{Nothing: true}, nil
}
