package discord

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"sync"
	"time"

	dg "github.com/disgoorg/disgo/discord"
	"github.com/disgoorg/disgo/rest"

	"rookery/internal/community"
)

const (
	// sweepWidth is how many guilds or channels are looked at side by side.
	sweepWidth = 4
	// sweepPages bounds one sweep of one channel: 10,000 messages.
	sweepPages = 100
	guildsPage = 200
)

// Swept is what a sweep has done.
type Swept struct {
	Guilds   int // that were asked for their channels
	Channels int // in which there was something to read
	Messages int // that were read
	Taken    int // that addressed us and had been missed
	Begun    int // threads of which the watchers were told
	Failed   int // guilds and channels that could not be read
}

func (s *Swept) add(o Swept) {
	s.Guilds += o.Guilds
	s.Channels += o.Channels
	s.Messages += o.Messages
	s.Taken += o.Taken
	s.Begun += o.Begun
	s.Failed += o.Failed
}

// sweepChannel is a channel as a sweep sees it.
type sweepChannel struct {
	place community.Place
	last  int64 // the newest message; it may be gone
}

// sweep looks for missed messages everywhere, once.
func (d *Discord) sweep(ctx context.Context) error {
	_, err := d.Sweep(ctx)
	return errors.Join(err, d.flushSeen(ctx))
}

// onLogin is called once who we are is known, before anything is taken in.
func (d *Discord) onLogin(ctx context.Context) error {
	if d.Inbox == nil || d.Store == nil {
		return nil
	}
	_, err := d.begin(ctx)
	return err
}

// Sweep looks for messages that address us and that no event told of: in every
// channel that a feature may hear and we may read, from where it was last
// looked at, and in every conversation that is known. It tells the watchers of
// threads whose beginning they have not heard of. Guilds or channels that fail do
// not keep it from the others; they are in the error.
func (d *Discord) Sweep(ctx context.Context) (Swept, error) {
	me, err := d.begin(ctx)
	if err != nil {
		return Swept{}, fmt.Errorf("look for missed messages: %w", err)
	}
	s := &d.intake
	s.mu.Lock()
	gap := s.gap // what is missed from now on, this sweep may not see
	deep := gap != s.swept || !s.whole
	s.mu.Unlock()
	guilds, err := d.allGuilds(ctx)
	if err != nil {
		return Swept{Failed: 1}, fmt.Errorf("look for missed messages: %w", err)
	}
	total, failures := d.sweepDirect(ctx, me)
	var mu sync.Mutex
	sideBySide(guilds, func(g community.GuildID) {
		swept, err := d.sweepGuild(ctx, me, g, deep)
		mu.Lock()
		defer mu.Unlock()
		total.add(swept)
		if err != nil && len(failures) < 10 {
			failures = append(failures, err)
		}
	})
	if total.Taken > 0 {
		d.log.Info("messages that had been missed were taken in", "new", total.Taken, "looked_at", total.Messages)
	}
	if len(failures) > 0 {
		return total, fmt.Errorf("look for missed messages: %w", errors.Join(failures...))
	}
	s.mu.Lock()
	over := s.gap == gap
	s.swept, s.whole = gap, true
	s.mu.Unlock()
	if over {
		d.caughtUp()
	}
	return total, nil
}

// sideBySide does something with each, a few at a time, and waits.
func sideBySide[T any](list []T, do func(T)) {
	var wg sync.WaitGroup
	gate := make(chan struct{}, sweepWidth)
	for _, one := range list {
		gate <- struct{}{}
		wg.Go(func() {
			defer func() { <-gate }()
			do(one)
		})
	}
	wg.Wait()
}

// allGuilds are those we are in, by Discord's own word: after a new session not
// all have been told of yet.
func (d *Discord) allGuilds(ctx context.Context) ([]community.GuildID, error) {
	var out []community.GuildID
	var after int64
	for {
		query := dg.QueryValues{"limit": guildsPage, "after": strconv.FormatInt(after, 10)}
		raw, err := get[[]json.RawMessage](ctx, d, "list the guilds", rest.GetCurrentUserGuilds.Compile(query))
		if err != nil {
			return nil, err
		}
		before := after
		each(raw, func(g struct {
			ID string `json:"id"`
		}) {
			out = append(out, community.GuildID(g.ID))
			after = max(after, number(g.ID))
		})
		if len(raw) < guildsPage || after == before {
			return out, nil
		}
	}
}

// sweptChannel is a channel or thread as its guild lists it.
type sweptChannel struct {
	ID   string  `json:"id"`
	Kind int     `json:"type"`
	Up   *string `json:"parent_id"`
	Last *string `json:"last_message_id"`
	NSFW bool    `json:"nsfw"`
	Meta struct {
		Made string `json:"create_timestamp"` // of a thread, not of the oldest
	} `json:"thread_metadata"`
}

// readable tells the kinds of channels that have messages of their own. Source:
// resources/channel, "Channel Types".
func (c sweptChannel) readable() bool {
	switch c.Kind {
	case 0, 2, 5, 13: // text, voice, announcements, stage
		return true
	}
	return isThread(c.Kind)
}

// sweepGuild sweeps the channels and open threads of a guild; a deep sweep, the
// threads too that were archived since.
func (d *Discord) sweepGuild(ctx context.Context, me self, guild community.GuildID, deep bool) (Swept, error) {
	swept := Swept{Guilds: 1}
	channels, threads, err := d.guildChannels(ctx, me, guild, deep)
	switch ClassOf(err) {
	case "":
	case Gone, Forbidden:
		return swept, nil // we were removed just now
	default:
		swept.Failed++
		return swept, fmt.Errorf("guild %s: %w", guild, err)
	}
	var failures []error
	for _, c := range channels {
		one, err := d.sweepOne(ctx, me, c)
		swept.add(one)
		if err != nil && len(failures) < 3 {
			failures = append(failures, fmt.Errorf("channel %s: %w", c.place.Channel, err))
		}
		if ctx.Err() != nil {
			break
		}
	}
	one, err := d.sweepThreads(ctx, me, threads)
	swept.add(one)
	return swept, errors.Join(append(failures, err)...)
}

// guildChannels are the channels and threads that have messages, and the threads
// that the watchers may want to hear of.
func (d *Discord) guildChannels(ctx context.Context, me self, guild community.GuildID, deep bool) (out []sweepChannel, made []sweepThread, err error) {
	raw, err := get[[]json.RawMessage](ctx, d, "list the channels", rest.GetGuildChannels.Compile(nil, guild))
	if err != nil {
		return nil, nil, err
	}
	threads, err := get[struct {
		Threads []json.RawMessage `json:"threads"`
	}](ctx, d, "list the threads", rest.GetActiveGuildThreads.Compile(nil, guild))
	if err != nil {
		return nil, nil, err
	}
	if deep {
		archived, err := d.archived(ctx, me, guild, raw)
		if err != nil {
			return nil, nil, err
		}
		threads.Threads = append(threads.Threads, archived...)
	}
	adults := map[string]bool{}
	each(append(raw, threads.Threads...), func(c sweptChannel) {
		adults[c.ID] = c.NSFW
		if isThread(c.Kind) && c.Up != nil && digits(c.ID) && digits(*c.Up) {
			made = d.unheard(ctx, me, guild, made, c, adults[*c.Up])
		}
		if !c.readable() || c.Last == nil || !digits(c.ID) {
			return
		}
		s := sweepChannel{place: community.Place{Guild: guild, Channel: community.ChannelID(c.ID), AgeRestricted: c.NSFW}, last: number(*c.Last)}
		if isThread(c.Kind) && c.Up != nil { // threads come after all channels
			s.place.Parent, s.place.AgeRestricted = community.ChannelID(*c.Up), adults[*c.Up]
		}
		out = append(out, s)
	})
	return out, made, nil
}

// archivePages bounds what is read of the archived threads of one channel.
const archivePages = 10

// archived are the public threads of these channels that were archived since
// the earliest message that is our business. Nothing lists them for the whole
// guild. Source: resources/channel, "List Public Archived Threads".
func (d *Discord) archived(ctx context.Context, me self, guild community.GuildID, channels []json.RawMessage) (out []json.RawMessage, err error) {
	since := timeOf(strconv.FormatInt(d.from(me, ""), 10))
	each(channels, func(c sweptChannel) {
		at := community.Place{Guild: guild, Channel: community.ChannelID(c.ID)}
		if err != nil || !slices.Contains([]int{0, 5, kindForum, kindMedia}, c.Kind) || !digits(c.ID) ||
			!d.hears(ctx, at) && !d.watches(ctx, community.Place{Guild: guild, Parent: at.Channel, AgeRestricted: c.NSFW}) {
			return
		}
		query := dg.QueryValues{"limit": pageSize}
		for range archivePages {
			page, failed := get[struct {
				Threads []json.RawMessage `json:"threads"`
				More    bool              `json:"has_more"`
			}](ctx, d, "list the archived threads", rest.GetPublicArchivedThreads.Compile(query, c.ID))
			switch ClassOf(failed) {
			case "":
			case Gone, Forbidden:
				return
			default:
				err = failed
				return
			}
			oldest := ""
			each(page.Threads, func(t struct {
				Meta struct {
					Archived string `json:"archive_timestamp"`
				} `json:"thread_metadata"`
			}) {
				oldest = t.Meta.Archived
			})
			out = append(out, page.Threads...)
			if last, bad := time.Parse(time.RFC3339, oldest); !page.More || bad != nil || last.Before(since) {
				return
			}
			query["before"] = oldest
		}
	})
	return out, err
}

// sweepDirect sweeps the conversations that are known.
func (d *Discord) sweepDirect(ctx context.Context, me self) (swept Swept, failures []error) {
	s := &d.intake
	s.mu.Lock()
	var known []community.ChannelID
	for _, id := range slices.Sorted(maps.Keys(s.seen)) {
		if s.seen[id].guild == "" {
			known = append(known, id)
		}
	}
	s.mu.Unlock()
	if d.NoDirect {
		known = nil
	}
	var mu sync.Mutex
	sideBySide(known, func(id community.ChannelID) {
		one, err := d.sweepOne(ctx, me, sweepChannel{place: community.Place{Channel: id}, last: -1})
		mu.Lock()
		defer mu.Unlock()
		swept.add(one)
		if err != nil && len(failures) < 3 {
			failures = append(failures, fmt.Errorf("conversation %s: %w", id, err))
		}
	})
	return swept, failures
}

// sweepOne reads what a channel holds beyond what has been looked at.
func (d *Discord) sweepOne(ctx context.Context, me self, c sweepChannel) (swept Swept, err error) {
	from := d.from(me, c.place.Channel)
	defer func() {
		if err != nil {
			swept.Failed++
		}
	}()
	if c.last >= 0 && c.last <= from || !d.hears(ctx, c.place) {
		return swept, nil
	}
	if lacks, err := d.Missing(ctx, c.place.Guild, c.place.Channel, ViewChannel|ReadMessageHistory); err == nil && lacks != 0 {
		return swept, nil
	}
	swept.Channels++
	direct := c.place.Guild == ""
	for range sweepPages {
		page, last, err := d.messages(ctx, string(c.place.Channel), "after", from, pageSize)
		switch ClassOf(err) {
		case "":
		case Gone, Forbidden:
			return swept, nil
		default:
			return swept, err
		}
		swept.Messages += len(page)
		var ours []got
		for _, g := range page {
			from = max(from, number(g.ID))
			g.Channel = string(c.place.Channel)
			if g.addresses(string(me.member.ID), direct) {
				ours = append(ours, g)
			}
		}
		n, err := d.takeIn(ctx, me, c.place, ours)
		swept.Taken += n
		if err != nil {
			return swept, err
		}
		d.intake.reached(c.place, from)
		if last || len(page) == 0 {
			break
		}
	}
	return swept, nil
}

// from is the message after which a channel is still to be looked at.
func (d *Discord) from(me self, channel community.ChannelID) int64 {
	d.intake.mu.Lock()
	from := max(d.intake.seen[channel].message, d.intake.start)
	d.intake.mu.Unlock()
	if d.MaxAge > 0 {
		from = max(from, flakeAt(d.Now(me.account).Add(-d.MaxAge)))
	}
	return from
}

func (d *Discord) hears(ctx context.Context, at community.Place) bool {
	return d.Hears == nil || at.Guild == "" || d.Hears(ctx, at)
}

// reached notes that a sweep has read a channel up to a message.
func (s *intakeState) reached(at community.Place, message int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if message > s.seen[at.Channel].message {
		s.seen[at.Channel] = seen{at.Guild, message}
		s.dirty[at.Channel] = true
	}
}
