package discord

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/disgoorg/disgo/rest"

	"rookery/internal/community"
)

const (
	// longestChain bounds the replies that are followed upwards.
	longestChain = 100
	// chainReads bounds the requests for that: each brings a hundred messages.
	chainReads = 10
	// memory is how many messages before it a message in a thread, or in a
	// conversation, is read with.
	memory = 30
)

// Thread is what stands around a message, each oldest first. Above are the
// messages that it replies to, one after the other; in a thread or a direct
// conversation also the 30 before it, and the post that a forum's thread began
// with. Below are our own messages that reply to it. Of what holds no words and
// no files (as without the Message Content intent most does) nothing is told.
//
// A command's post has nothing above, and below what we have answered it with.
//
// Class Gone: the message is no more, or does not address us any more. Where
// the bot may not read back, nothing is around it. The addresses of files are
// fresh: they expire after a day.
func (d *Discord) Thread(ctx context.Context, account community.AccountID, post community.Post) (above, below []community.Post, err error) {
	me, err := d.mine(account)
	if err != nil {
		return nil, nil, err
	}
	if id, ok := strings.CutPrefix(string(post.ID), "i/"); ok {
		below, err = d.belowCommand(ctx, me, post, id)
		return nil, below, err
	}
	channel, message, err := placed(post.ID)
	if err != nil {
		return nil, nil, err
	}
	r := reading{d: d, me: me, channel: channel, at: post.Place, known: map[string]got{}}
	g, err := get[got](ctx, d, "read the message again", rest.GetMessage.Compile(nil, channel, message))
	switch ClassOf(err) {
	case "":
	case Forbidden:
		return nil, nil, nil
	default:
		return nil, nil, err
	}
	g.Channel = channel
	orphan := g.parent() != "" && g.Referenced == nil // perhaps to a message of ours that is gone
	if !orphan && !g.addresses(string(me.member.ID), post.Place.Guild == "") {
		return nil, nil, fmt.Errorf("read the message again: %w", &Error{Class: Gone, Err: errNoLonger})
	}
	reads, err := d.mayRead(ctx, post)
	if err != nil {
		return nil, nil, err
	}
	if reads {
		if above, err = r.above(ctx, g); err != nil {
			return nil, nil, err
		}
	}
	if below, err = r.below(ctx, g.ID); err != nil {
		return nil, nil, err
	}
	return above, below, nil
}

// mayRead tells whether the author of a post could read what was written before
// it. Who could not shall not read it through the bot either.
func (d *Discord) mayRead(ctx context.Context, post community.Post) (bool, error) {
	at := post.Place
	if at.Guild == "" {
		return true, nil
	}
	_, roles, err := d.Member(ctx, at.Guild, post.Author.ID)
	switch ClassOf(err) {
	case "":
	case Gone, Forbidden: // has left, or is a webhook
		return false, nil
	default:
		return false, err
	}
	channel := cmp.Or(at.Parent, at.Channel)
	d.cache.mu.RLock()
	defer d.cache.mu.RUnlock()
	g := d.cache.guilds[at.Guild]
	if g == nil || g.Channels[channel] == nil {
		return true, nil // not told of yet; what we may read Discord itself decides
	}
	const want = ViewChannel | ReadMessageHistory
	return g.may(post.Author.ID, roles, time.Time{}, channel, d.Clock.Now())&want == want, nil
}

var errNoLonger = errors.New("the message does not address the bot (any more)")

// mine tells who we are, if the account is ours.
func (d *Discord) mine(account community.AccountID) (self, error) {
	if _, err := d.Self(account); err != nil {
		return self{}, err
	}
	return d.me(), nil
}

// reading is one look around a message.
type reading struct {
	d       *Discord
	me      self
	channel string
	at      community.Place
	known   map[string]got // by id
}

func (r reading) page(ctx context.Context, way string, id int64) ([]got, error) {
	page, _, err := r.d.messages(ctx, r.channel, way, id, pageSize)
	switch ClassOf(err) {
	case "", Forbidden, Gone:
	default:
		return nil, err
	}
	for _, g := range page {
		g.Channel = r.channel
		r.known[g.ID] = g
		if up := g.Referenced; up != nil && g.parent() == up.ID {
			if _, ok := r.known[up.ID]; !ok {
				up.Channel = r.channel
				r.known[up.ID] = *up
			}
		}
	}
	return page, nil
}

// above are the messages before one that belong to it.
func (r reading) above(ctx context.Context, g got) ([]community.Post, error) {
	inThread := r.at.Parent != "" || r.at.Guild == ""
	if g.parent() == "" && !inThread {
		return nil, nil
	}
	page, err := r.page(ctx, "before", number(g.ID))
	if err != nil {
		return nil, err
	}
	if up := g.Referenced; up != nil && g.parent() == up.ID {
		up.Channel = r.channel
		if _, ok := r.known[up.ID]; !ok {
			r.known[up.ID] = *up
		}
	}
	keep := map[string]bool{}
	if err := r.chain(ctx, g, keep); err != nil {
		return nil, err
	}
	if inThread {
		for _, before := range page[max(0, len(page)-memory):] {
			keep[before.ID] = true
		}
		if err := r.opening(ctx, keep); err != nil {
			return nil, err
		}
	}
	delete(keep, g.ID)
	return r.posts(ctx, keep), nil
}

// chain follows the replies upwards. One that is gone ends it.
func (r reading) chain(ctx context.Context, g got, keep map[string]bool) error {
	reads := 0
	for range longestChain {
		id := g.parent()
		if id == "" || keep[id] || number(id) >= number(g.ID) {
			return nil
		}
		up, ok := r.known[id]
		if !ok && reads < chainReads {
			reads++
			if _, err := r.page(ctx, "before", number(id)+1); err != nil {
				return err
			}
			up, ok = r.known[id]
		}
		if !ok {
			return nil
		}
		keep[id] = true
		g = up
	}
	return nil
}

// opening is the message that a forum's thread began with: it has the thread's
// own id. Source: topics/threads, "Forums".
func (r reading) opening(ctx context.Context, keep map[string]bool) error {
	if r.at.Parent == "" {
		return nil
	}
	if _, ok := r.known[r.channel]; !ok {
		g, err := get[got](ctx, r.d, "read the thread's first message", rest.GetMessage.Compile(nil, r.channel, r.channel))
		switch ClassOf(err) {
		case "":
			g.Channel = r.channel
			r.known[g.ID] = g
		case Gone, Forbidden:
			return nil // a thread of a message in its channel
		default:
			return err
		}
	}
	keep[r.channel] = true
	return nil
}

// posts are messages in the order of their time, without those that say
// nothing.
func (r reading) posts(ctx context.Context, keep map[string]bool) []community.Post {
	var out []community.Post
	for id := range keep {
		g := r.known[id]
		if !g.said() {
			continue
		}
		p := r.d.post(ctx, g, r.at)
		if p.Text != "" || len(p.Media) > 0 {
			out = append(out, p)
		}
	}
	slices.SortFunc(out, func(a, b community.Post) int {
		_, x, _ := MessageOf(a.ID)
		_, y, _ := MessageOf(b.ID)
		return cmp.Compare(number(x), number(y))
	})
	return out
}

// below are our own messages that reply to one.
func (r reading) below(ctx context.Context, id string) ([]community.Post, error) {
	page, err := r.page(ctx, "after", number(id))
	if err != nil {
		return nil, err
	}
	var out []community.Post
	for _, g := range page {
		g.Channel = r.channel
		if g.Author.ID == string(r.me.member.ID) && g.parent() == id {
			out = append(out, r.d.post(ctx, g, r.at))
		}
	}
	return out, nil
}

// belowCommand is what we have answered a command with, in its channel.
func (d *Discord) belowCommand(ctx context.Context, me self, post community.Post, id string) ([]community.Post, error) {
	if !digits(id) {
		return nil, &Error{Class: Gone, Err: errNoLonger}
	}
	g, err := d.commanded(ctx, me, AnswerTo{Interaction: id, Channel: post.Place.Channel}, func(g got) bool { return g.Flags&flagLoading == 0 })
	if err != nil || g.ID == "" {
		return nil, err
	}
	g.Channel = string(post.Place.Channel)
	p := d.post(ctx, g, post.Place)
	p.ParentID, p.ParentBy = post.ID, post.Author.ID
	return []community.Post{p}, nil
}
