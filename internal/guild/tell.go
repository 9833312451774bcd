package guild

import (
	"context"
	"fmt"
	"time"

	"rookery/internal/community"
	"rookery/internal/discord"
	"rookery/internal/outbox"
	"rookery/internal/store"
	"rookery/internal/words"
)

// noticePrefix begins the keys of what managers are told.
const noticePrefix = "guild/notice/"

// noticeLife is how long it is worth telling.
const noticeLife = 24 * time.Hour

// Tell says something to those who manage a guild, in the channel that they
// have chosen for that, once a day for each key; without one, nowhere. It is
// part of the caller's transaction.
func (g *Guild) Tell(ctx context.Context, tx store.Tx, guild community.GuildID, key string, say func(l words.Language) string) error {
	account, ok := g.platform.Account()
	channel, err := g.General.Notices.InTx(ctx, tx, guild)
	if err != nil || !ok || channel == "" {
		return err
	}
	speech, err := g.General.Language.InTx(ctx, tx, guild)
	if err != nil {
		return err
	}
	set := string(speech)
	if speech == Each {
		set = ""
		if known, ok := g.platform.Guild(guild); ok {
			set = known.Locale
		}
	}
	now := g.Clock.Now()
	_, err = g.Outbox.Plan(ctx, tx, outbox.Effect{
		Key:     noticePrefix + string(guild) + "/" + key + "/" + now.UTC().Format(time.DateOnly),
		Feature: Name, Kind: discord.MessageKind, Account: account, Expires: now.Add(noticeLife),
		Payload: discord.Send{Channel: channel, Parts: []discord.Message{{Content: fit(say(words.Match(set)), discord.MaxContent), NoPreviews: true}}},
	})
	if err != nil {
		return fmt.Errorf("tell those who manage guild %s: %w", guild, err)
	}
	return nil
}

// settle hears how a notice ended: what it said is nothing to keep.
func (g *Guild) settle(ctx context.Context, tx store.Tx, r outbox.Result) error {
	if r.State == outbox.Refused {
		g.Log.Warn("those who manage a guild could not be told something", "effect", r.Key, "reason", r.Reason)
	}
	return outbox.Forget(ctx, tx, r.Key)
}
