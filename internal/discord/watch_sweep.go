package discord

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"rookery/internal/community"
)

// sweepThread is a thread of whose beginning the watchers may not know.
type sweepThread struct {
	place community.Place
	quiet bool // nothing was said in it yet
}

// longestWatch bounds how far back sweeps tell of threads where Config.MaxAge
// does not.
const longestWatch = 7 * 24 * time.Hour

// watchedSince is from when on the watchers are told of what was missed.
func (d *Discord) watchedSince(me self) time.Time {
	since := timeOf(strconv.FormatInt(d.from(me, ""), 10))
	if d.MaxAge <= 0 {
		if bound := d.Now(me.account).Add(-longestWatch); since.Before(bound) {
			return bound
		}
	}
	return since
}

// unheard adds a thread to those that are to be told of, if it is one.
func (d *Discord) unheard(ctx context.Context, me self, guild community.GuildID, list []sweepThread, c sweptChannel, adults bool) []sweepThread {
	if len(d.Watchers) == 0 {
		return list
	}
	at := community.Place{Guild: guild, Channel: community.ChannelID(c.ID), Parent: community.ChannelID(*c.Up), AgeRestricted: adults}
	made, err := time.Parse(time.RFC3339, c.Meta.Made)
	if err != nil {
		made = timeOf(c.ID)
	}
	if made.Before(d.watchedSince(me)) || d.intake.knowsBegun(at.Channel) || !d.watches(ctx, at) {
		return list
	}
	return append(list, sweepThread{place: at, quiet: c.Last == nil})
}

// sweepThreads tells the watchers of threads whose beginning was missed.
func (d *Discord) sweepThreads(ctx context.Context, me self, threads []sweepThread) (swept Swept, err error) {
	var failures []error
	for _, t := range threads {
		if ctx.Err() != nil {
			break
		}
		told, err := d.sweepThread(ctx, me, t)
		if told {
			swept.Begun++
		}
		if err != nil {
			swept.Failed++
			if len(failures) < 3 {
				failures = append(failures, fmt.Errorf("thread %s: %w", t.place.Channel, err))
			}
		}
	}
	return swept, errors.Join(failures...)
}

func (d *Discord) sweepThread(ctx context.Context, me self, t sweepThread) (bool, error) {
	if lacks, err := d.Missing(ctx, t.place.Guild, t.place.Channel, ViewChannel|ReadMessageHistory); err == nil && lacks != 0 {
		return false, nil
	}
	g, _, err := d.starter(ctx, t.place)
	switch ClassOf(err) {
	case "":
		return d.tellOf(ctx, me, g, t.place)
	case Gone, Forbidden:
		if !t.quiet { // what it may have begun with will not come any more
			d.intake.knowBegun(t.place.Channel, d.Now(me.account))
		}
		return false, nil
	}
	return false, err
}
