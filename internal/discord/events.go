package discord

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"rookery/internal/community"
)

const (
	// messageTime and guildTime bound how long an event is worked on.
	messageTime = 30 * time.Second
	guildTime   = 30 * time.Second
)

// guarded decodes what came from outside. An event that cannot be read is an
// error and nothing worse: disgo's decoders return errors for values they did
// not expect, and panic for some.
func guarded[T any](raw json.RawMessage) (v T, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("cannot be read: %v", r)
		}
	}()
	err = json.Unmarshal(raw, &v)
	return v, err
}

// unreadable notes an event that was skipped: in the log the first time, so
// that a flood of them does not drown it.
func (d *Discord) unreadable(event string, err error) {
	if len(event) > 64 {
		event = event[:64]
	}
	d.conn.mu.Lock()
	d.conn.unreadable++
	first := !d.conn.complained[event] && len(d.conn.complained) < 100
	if first {
		d.conn.complained[event] = true
	}
	d.conn.mu.Unlock()
	if first {
		d.log.Warn("an event from Discord cannot be read and is skipped; more of its kind are not logged", "event", event, "error", err)
	}
}

// dispatch takes in one event of a shard, in the shard's order. It never waits
// for a handler. done is called once the event has been dealt with for good.
func (d *Discord) dispatch(f frame, done func()) {
	switch f.Event {
	case "MESSAGE_CREATE":
		d.message(f, done)
	case "MESSAGE_UPDATE", "MESSAGE_DELETE", "MESSAGE_DELETE_BULK":
		d.changed(f, done)
	case "THREAD_CREATE":
		if err := d.apply(f); err != nil {
			d.unreadable(f.Event, err)
		}
		d.threadMade(f, done)
	case "INTERACTION_CREATE":
		if d.Rehearsal {
			done()
			return
		}
		d.queues.interaction(f.Data, done)
	case "GUILD_DELETE":
		if err := d.apply(f); err != nil {
			d.unreadable(f.Event, err)
		}
		d.afterGuild(f, done)
	default:
		defer done()
		if err := d.apply(f); err != nil {
			d.unreadable(f.Event, err)
		}
	}
}

// message queues a message that addresses us, or that a watcher may want, behind
// the others of its channel. Most are neither, and are over with as soon as that
// is known.
func (d *Discord) message(f frame, done func()) {
	g, err := guarded[got](f.Data)
	if err == nil && !g.named() {
		err = errors.New("it does not say which message it is")
	}
	if err != nil {
		d.unreadable(f.Event, err)
		d.lost() // whoever wrote it waits; perhaps it can be read from its channel
		done()
		return
	}
	d.firstIn(&g)
	if me := d.me(); me.account != "" && !d.concerns(me, &g) && !d.mayBegin(me, &g) {
		done()
		return
	}
	d.behind(g.Channel, true, job{done: done, run: func(ctx context.Context) {
		d.heard(ctx, g.Channel, g.ID, func(ctx context.Context) error { return d.conn.hear(ctx, g) })
	}})
}

// behind queues what tells of a message behind the others of its channel. If
// there is no room, a sweep can find what is sought.
func (d *Discord) behind(channel string, sought bool, j job) {
	if d.queues.put("channel "+channel, j) {
		return
	}
	d.queues.overflowed()
	if sought {
		d.lost()
	}
	j.done()
}

// hearTries is how often a message is tried to be taken in. Where the bot may
// not read what was written, no sweep can find it again.
const hearTries = 3

// heard takes in a message; what fails at it is looked for again.
func (d *Discord) heard(ctx context.Context, channel, message string, take func(context.Context) error) {
	if err := d.tries(ctx, take); err != nil {
		d.log.Warn("a message could not be taken in; its channel is looked through again", "channel", channel, "message", message, "error", err)
		d.lost()
	}
}

// tries does what may fail for a moment.
func (d *Discord) tries(ctx context.Context, do func(context.Context) error) (err error) {
	for try := range hearTries {
		if try > 0 && !d.sleep(ctx, backOff(try)) {
			return err
		}
		once, cancel := context.WithTimeout(ctx, messageTime)
		err = do(once)
		cancel()
		if err == nil {
			return nil
		}
	}
	return err
}

// lost has all channels swept. Until that is done the saved sessions stand
// still, so that a process that is killed before is told of the message again.
func (d *Discord) lost() {
	d.conn.freeze(d.Clock.Now())
	d.missed()
}

// caughtUp says that everything that was missed has been looked for.
func (d *Discord) caughtUp() { d.conn.thaw() }

// tellJoined and tellRemoved queue what the features hear of a guild.
func (d *Discord) tellJoined(g Guild) {
	d.aboutGuild(g.ID, func(ctx context.Context) {
		d.onJoined(g)
		if d.Joined != nil {
			d.Joined(ctx, g)
		}
	})
}

func (d *Discord) tellRemoved(id community.GuildID) {
	d.aboutGuild(id, func(ctx context.Context) {
		d.onRemoved(id)
		if d.Removed != nil {
			d.Removed(ctx, id)
		}
	})
}

// afterGuild calls done when what was queued of an event's guild is done: a
// resumed session tells nothing of a removal a second time.
func (d *Discord) afterGuild(f frame, done func()) {
	head, err := guarded[struct {
		ID community.GuildID `json:"id"`
	}](f.Data)
	if err != nil {
		done()
		return
	}
	d.queues.must("guild "+string(head.ID), job{done: done, run: func(context.Context) {}})
}

func (d *Discord) aboutGuild(id community.GuildID, fn func(context.Context)) {
	d.queues.must("guild "+string(id), job{run: func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, guildTime)
		defer cancel()
		fn(ctx)
	}})
}
