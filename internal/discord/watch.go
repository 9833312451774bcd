package discord

import (
	"context"
	"errors"
	"slices"
	"time"

	"rookery/internal/community"
)

// A Watcher hears of messages of members that do not address the bot: neither
// of the bot's own, nor of other bots, webhooks and Discord itself.
type Watcher interface {
	// Watches tells, from memory or settings, whether a message that begins a
	// thread in the channel or forum p.Parent matters. p.Channel is the thread,
	// or empty for any.
	Watches(ctx context.Context, p community.Place) bool
	// Began hears of such a message, by an event or by a sweep, once or more
	// often: again when it was changed, as by what Discord shows of its links. An
	// error has the channel swept again.
	Began(ctx context.Context, account community.AccountID, m Original) error
	// Follows tells, from memory, whether changes of a message matter.
	Follows(id community.PostID) bool
	// Changed hears that such a message was edited (gone false) or deleted. It is
	// a hint: it may come twice or never.
	Changed(ctx context.Context, account community.AccountID, id community.PostID, gone bool) error
}

// watches tells whether any watcher wants to hear of threads in at.Parent.
func (d *Discord) watches(ctx context.Context, at community.Place) bool {
	return slices.ContainsFunc(d.Watchers, func(w Watcher) bool { return w.Watches(ctx, at) })
}

// followed tells whether any watcher wants to hear of changes of a message.
func (d *Discord) followed(id community.PostID) bool {
	return slices.ContainsFunc(d.Watchers, func(w Watcher) bool { return w.Follows(id) })
}

// mayBegin tells, from memory, whether an event's message may be one that the
// watchers hear of.
func (d *Discord) mayBegin(me self, g *got) bool {
	return len(d.Watchers) > 0 && g.Guild != "" && g.byMember() && g.Author.ID != string(me.member.ID) && d.opens(g.Channel, g.ID)
}

// begun tells the watchers of a message that stands in the thread it begins.
func (d *Discord) begun(ctx context.Context, me self, g got) error {
	at, err := d.placeFor(ctx, community.Place{Guild: community.GuildID(g.Guild), Channel: community.ChannelID(g.Channel)})
	if err != nil || at.Parent == "" || !d.watches(ctx, at) {
		return err
	}
	if g.ID != g.Channel {
		// The thread's own notice may not have come that it was made from a message,
		// of which its making has told.
		switch _, err := d.said(ctx, string(at.Parent), g.Channel); ClassOf(err) {
		case "":
			d.cache.began(at.Channel, "")
			return nil
		case Gone, Forbidden:
		default:
			return err
		}
		by, err := d.opener(ctx, at.Channel)
		if err != nil {
			return err
		}
		if string(by) != g.Author.ID {
			d.cache.began(at.Channel, "")
			return nil
		}
	}
	o, err := d.seenAt(ctx, g, at)
	if err != nil {
		return err
	}
	return d.tell(ctx, me, o)
}

// linksSettle is how long Discord may take to look at a message's links.
const linksSettle = 30 * time.Minute

// tell tells the watchers of a message that began a thread.
func (d *Discord) tell(ctx context.Context, me self, o Original) error {
	at := o.Place
	at.Channel = o.Thread
	var failures []error
	for _, w := range d.Watchers {
		if w.Watches(ctx, at) {
			failures = append(failures, w.Began(ctx, me.account, o))
		}
	}
	err := errors.Join(failures...)
	now := d.Now(me.account)
	if err == nil && (len(o.Links) == 0 || len(o.Embeds) > 0 || now.Sub(o.At) > linksSettle) {
		d.intake.knowBegun(o.Thread, now)
	} else { // until its links have been looked at, it is told again by each sweep
		d.intake.forgetBegun(o.Thread)
	}
	return err
}

// threadMade tells the watchers of the message that a new thread was made from.
// Of a forum's post, and of a thread without such a message, that in it tells.
func (d *Discord) threadMade(f frame, done func()) {
	w, err := guarded[wireChannel](f.Data)
	if len(d.Watchers) == 0 || err != nil || !w.New || w.Parent == nil || !digits(w.ID) || !digits(w.Guild) || !digits(*w.Parent) {
		done()
		return
	}
	if p, ok := d.knownChannel(community.ChannelID(*w.Parent)); ok && p.forum() {
		done()
		return
	}
	d.behind(*w.Parent, true, job{done: done, run: func(ctx context.Context) {
		d.heard(ctx, *w.Parent, w.ID, func(ctx context.Context) error {
			return d.madeFrom(ctx, community.Place{Guild: community.GuildID(w.Guild), Channel: community.ChannelID(w.ID)})
		})
	}})
}

func (d *Discord) madeFrom(ctx context.Context, at community.Place) error {
	me, err := d.begin(ctx)
	if err != nil {
		return err
	}
	at, err = d.placeFor(ctx, at)
	if err != nil || at.Parent == "" || !d.watches(ctx, at) {
		return err
	}
	g, err := d.said(ctx, string(at.Parent), string(at.Channel))
	switch ClassOf(err) {
	case "":
	case Gone, Forbidden:
		return nil
	default:
		return err
	}
	_, err = d.tellOf(ctx, me, g, at)
	return err
}

// tellOf tells the watchers of what began a thread; false if no member wrote it.
func (d *Discord) tellOf(ctx context.Context, me self, g got, thread community.Place) (bool, error) {
	if !g.byMember() || g.Author.ID == string(me.member.ID) {
		d.intake.knowBegun(thread.Channel, d.Now(me.account))
		return false, nil
	}
	at := thread
	if g.Channel != string(thread.Channel) {
		at = atParent(thread)
	}
	o, err := d.seenAt(ctx, g, at)
	if err != nil {
		return false, err
	}
	o.Thread, o.Place.Parent, o.Begins = thread.Channel, thread.Parent, true
	return true, d.tell(ctx, me, o)
}
