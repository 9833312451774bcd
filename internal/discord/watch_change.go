package discord

import (
	"context"
	"errors"

	"rookery/internal/community"
)

// changedHead is what an edit or a deletion tells first; more is read anew, for
// edits by Discord itself bring only what is new. Source:
// events/gateway-events, "Message Update" and "Message Delete Bulk".
type changedHead struct {
	ID      string   `json:"id"`
	IDs     []string `json:"ids"`
	Channel string   `json:"channel_id"`
	Guild   string   `json:"guild_id"`
}

// changed queues an edit or a deletion that a watcher may want to hear of behind
// what was said in the channel. Most concern nobody.
func (d *Discord) changed(f frame, done func()) {
	if len(d.Watchers) == 0 {
		done()
		return
	}
	w, err := guarded[changedHead](f.Data)
	if err != nil || !digits(w.Channel) || w.Guild != "" && !digits(w.Guild) {
		d.unreadable(f.Event, errors.Join(err, errNoID))
		done()
		return
	}
	if f.Event != "MESSAGE_UPDATE" {
		d.dropped(w, done)
		return
	}
	id := PostOf(community.ChannelID(w.Channel), w.ID)
	thread, begins := d.beginsRecent(w)
	follows := d.followed(id)
	if !digits(w.ID) || !begins && !follows {
		done()
		return
	}
	if begins {
		d.intake.forgetBegun(thread.Channel) // until it is told
	}
	d.behind(w.Channel, begins, job{done: done, run: func(ctx context.Context) {
		if begins {
			d.heard(ctx, w.Channel, w.ID, func(ctx context.Context) error { return d.beginsAnew(ctx, id, thread) })
		}
		d.passOn(ctx, id, false)
	}})
}

// beginsRecent tells, from memory, which thread a message begins that is not too
// old to be told of.
func (d *Discord) beginsRecent(w changedHead) (thread community.Place, ok bool) {
	thread = community.Place{Guild: community.GuildID(w.Guild), Channel: community.ChannelID(w.Channel)}
	switch {
	case w.Guild == "":
		return thread, false
	case d.threadOf(w.Channel, w.ID):
		thread.Channel = community.ChannelID(w.ID)
	case !d.opens(w.Channel, w.ID):
		return thread, false
	}
	return thread, !timeOf(w.ID).Before(d.watchedSince(d.me()))
}

// beginsAnew tells the watchers again of a message that began a thread.
func (d *Discord) beginsAnew(ctx context.Context, id community.PostID, thread community.Place) error {
	me, err := d.begin(ctx)
	if err != nil {
		return err
	}
	thread, err = d.placeFor(ctx, thread)
	if err != nil || thread.Parent == "" || !d.watches(ctx, thread) {
		return err
	}
	channel, message, err := placed(id)
	if err != nil {
		return err
	}
	g, err := d.said(ctx, channel, message)
	switch ClassOf(err) {
	case "":
	case Gone, Forbidden:
		return nil
	default:
		return err
	}
	_, err = d.tellOf(ctx, me, g, thread)
	return err
}

// dropped queues a deletion.
func (d *Discord) dropped(w changedHead, done func()) {
	var ids []community.PostID
	for _, one := range append(w.IDs, w.ID) {
		if id := PostOf(community.ChannelID(w.Channel), one); digits(one) && d.followed(id) {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		done()
		return
	}
	d.behind(w.Channel, false, job{done: done, run: func(ctx context.Context) {
		for _, id := range ids {
			d.passOn(ctx, id, true)
		}
	}})
}

// passOn tells the watchers that follow a message what became of it.
func (d *Discord) passOn(ctx context.Context, id community.PostID, gone bool) {
	account := d.me().account
	for _, w := range d.Watchers {
		if !w.Follows(id) {
			continue
		}
		if err := d.tries(ctx, func(ctx context.Context) error { return w.Changed(ctx, account, id, gone) }); err != nil {
			d.log.Warn("that a message was changed could not be passed on", "post", id, "deleted", gone, "error", err)
		}
	}
}
