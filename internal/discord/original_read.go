package discord

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/disgoorg/disgo/rest"

	"rookery/internal/community"
)

// typeStarter is the notice, in a thread, of the message in the channel that it
// was made from. Source: resources/message, "Message Types".
const typeStarter = 21

// firstFew is how many messages of a thread are looked through for the first of
// a member: other bots may greet before.
const firstFew = 20

var (
	errNobodys  = errors.New("it is a notice of Discord's, and nobody's message")
	errNoOpener = errors.New("the message that the thread began with is no more")
)

// Read is a message as it stands now, with fresh addresses of its files. Class
// Gone: it is no more, or nothing that anybody said. Class Forbidden: the bot
// may not read it.
func (d *Discord) Read(ctx context.Context, account community.AccountID, id community.PostID) (Original, error) {
	if _, err := d.mine(account); err != nil {
		return Original{}, err
	}
	channel, message, err := placed(id)
	if err != nil {
		return Original{}, err
	}
	g, err := d.said(ctx, channel, message)
	if err != nil {
		return Original{}, err
	}
	at, err := d.standing(ctx, channel)
	if err != nil {
		return Original{}, err
	}
	o, err := d.seenAt(ctx, g, at)
	if err != nil || o.Thread == "" || o.Begins || o.Author.Bot {
		return o, err
	}
	// Of threads that we have seen begin memory has told.
	if by, err := d.opener(ctx, at.Channel); err != nil || by != o.Author.ID {
		return o, err
	}
	begins, err := d.first(ctx, at)
	o.Begins = begins.ID == g.ID && begins.ID != ""
	return o, err
}

// Starter is what a thread began with: a forum's post, the message that it was
// made from, or the first message of a member in it, if that is of who opened
// it. Class Gone: it is no more, or has never been. Class Forbidden: the bot may
// not read it.
func (d *Discord) Starter(ctx context.Context, account community.AccountID, thread community.ChannelID) (Original, error) {
	if _, err := d.mine(account); err != nil {
		return Original{}, err
	}
	at, err := d.standing(ctx, string(thread))
	if err != nil {
		return Original{}, err
	}
	if at.Parent == "" {
		return Original{}, &Error{Class: Gone, Err: fmt.Errorf("%q is no thread", short(string(thread)))}
	}
	g, at, err := d.starter(ctx, at)
	if err != nil {
		return Original{}, err
	}
	o, err := d.seenAt(ctx, g, at)
	o.Begins = true
	return o, err
}

// starter is what a thread began with, and where that stands.
func (d *Discord) starter(ctx context.Context, at community.Place) (got, community.Place, error) {
	thread := string(at.Channel)
	if d.inForum(ctx, at) {
		g, err := d.said(ctx, thread, thread)
		return g, at, err
	}
	made, err := d.said(ctx, string(at.Parent), thread)
	if ClassOf(err) != Gone {
		return made, atParent(at), err
	}
	g, err := d.first(ctx, at)
	if err == nil && g.ID == "" {
		err = fmt.Errorf("look for the thread's first message: %w", &Error{Class: Gone, Err: errNoOpener})
	}
	return g, at, err
}

// atParent is the channel of a thread.
func atParent(at community.Place) community.Place {
	at.Channel, at.Parent = at.Parent, ""
	return at
}

// inForum tells whether a thread is a forum's post.
func (d *Discord) inForum(ctx context.Context, at community.Place) bool {
	c, err := d.Channel(ctx, at.Parent)
	return err == nil && c.forum()
}

// first is the message in a thread that it began with; its ID is empty if it
// did not begin so.
func (d *Discord) first(ctx context.Context, at community.Place) (got, error) {
	if d.inForum(ctx, at) {
		return got{}, nil
	}
	by, err := d.opener(ctx, at.Channel)
	if err != nil {
		return got{}, err
	}
	page, _, err := d.messages(ctx, string(at.Channel), "after", number(string(at.Channel))-1, firstFew)
	if err != nil {
		return got{}, err
	}
	for _, g := range page {
		switch {
		case g.Type == typeStarter: // it was made from a message
			return got{}, nil
		case !g.byMember():
			continue
		case g.Author.ID != string(by):
			return got{}, nil
		}
		g.Channel = string(at.Channel)
		d.cache.began(at.Channel, g.ID)
		return g, nil
	}
	return got{}, nil
}

// said reads a message that somebody wrote.
func (d *Discord) said(ctx context.Context, channel, message string) (got, error) {
	g, err := get[got](ctx, d, "read a message", rest.GetMessage.Compile(nil, channel, message))
	if err != nil {
		return got{}, err
	}
	if !g.said() {
		return got{}, fmt.Errorf("read a message: %w", &Error{Class: Gone, Err: errNobodys})
	}
	g.Channel = channel
	return g, nil
}

// standing is what is known of where a message stands.
func (d *Discord) standing(ctx context.Context, channel string) (community.Place, error) {
	c, err := d.Channel(ctx, community.ChannelID(channel))
	if err != nil {
		return community.Place{}, err
	}
	at := community.Place{Guild: c.Guild, Channel: c.ID, AgeRestricted: c.AgeRestricted}
	if c.Thread {
		at.Parent = c.Parent
	}
	return at, nil
}

// seenAt is a message that was read, with who its author is in the guild.
func (d *Discord) seenAt(ctx context.Context, g got, at community.Place) (o Original, err error) {
	if g.Member == nil && at.Guild != "" && g.Webhook == "" {
		if g.Member, err = d.memberOf(ctx, at.Guild, g.Author); err != nil {
			return Original{}, err
		}
	}
	return d.original(ctx, g, at), nil
}

// byMember tells whether a person wrote a message, to be read by everybody.
func (g *got) byMember() bool {
	return (g.Type == typeDefault || g.Type == typeReply) && !g.Author.Bot && g.Webhook == ""
}

// refreshMost is how many addresses Discord takes at a time.
const refreshMost = 50

// refreshFiles is not documented. Source: the web client, and
// discord/discord-api-docs#6650 on why addresses expire.
var refreshFiles = rest.NewEndpoint(http.MethodPost, "/attachments/refresh-urls")

// Refreshed are fresh addresses for ones of files of messages, which expire
// after a day; it is for messages that only a command told us of, as Read is for
// others. What is no address of such a file is left out, or stays as it is. A file
// that was deleted may have a fresh address all the same, which leads nowhere.
func (d *Discord) Refreshed(ctx context.Context, urls ...string) (map[string]string, error) {
	out := map[string]string{}
	for some := range slices.Chunk(urls, refreshMost) {
		type answer struct {
			URLs []struct {
				Original  string `json:"original"`
				Refreshed string `json:"refreshed"`
			} `json:"refreshed_urls"`
		}
		a, err := ask(d, "refresh the addresses of files", func() (a answer, err error) {
			err = d.rest.Do(refreshFiles.Compile(nil), map[string]any{"attachment_urls": some}, &a, rest.WithCtx(ctx))
			return a, err
		})
		if e, ok := errors.AsType[*Error](err); ok && e.Class == Unknown {
			e.Class = Transient // it changes nothing, so it may be repeated
		}
		if err != nil {
			return nil, err
		}
		for _, u := range a.URLs {
			if u.Refreshed != "" {
				out[u.Original] = u.Refreshed
			}
		}
	}
	return out, nil
}
