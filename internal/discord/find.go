package discord

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	dg "github.com/disgoorg/disgo/discord"
	"github.com/disgoorg/disgo/rest"

	"rookery/internal/community"
	"rookery/internal/outbox"
)

const (
	// slack covers clocks that differ within Discord.
	slack = 2 * time.Minute
	// pageSize is the most messages that one answer has.
	pageSize = 100
	// lookPages bounds a look: 5,000 messages from the first attempt on.
	lookPages = 50
)

// messages are those of a channel after or before one, oldest first; of those
// after it the oldest, of those before it the newest.
func (d *Discord) messages(ctx context.Context, channel, way string, id int64, limit int) (page []got, whole bool, err error) {
	query := dg.QueryValues{way: strconv.FormatInt(id, 10), "limit": limit}
	raw, err := get[[]json.RawMessage](ctx, d, "read a channel", rest.GetMessages.Compile(query, channel))
	if err != nil {
		return nil, false, err
	}
	page, _ = readPage(raw)
	return page, len(raw) < limit, nil
}

// looking is what a look for a message of ours goes by.
type looking struct {
	self  string
	nonce string
	reply string // the message that it replies to; "" for none
	want  Message
	free  func(context.Context, string) (bool, error)
}

// find looks in a channel for a message of ours since a time. AsOf is
// Discord's clock when the look ended.
//
// It needs the permission to read the channel's history. Without it Discord
// answers with nothing, or refuses: then the look counts as one that found
// nothing, and what keeps a repetition from being a second message is its nonce,
// which Discord answers with the first message for some minutes.
func (d *Discord) find(ctx context.Context, channel string, since int64, k looking) (outbox.Found, error) {
	var similar []got // in case that none is exactly ours
	asOf := d.asOf()
	for range lookPages {
		page, last, err := d.messages(ctx, channel, "after", since, pageSize)
		switch ClassOf(err) {
		case "":
		case Forbidden, Gone:
			return outbox.Found{AsOf: asOf}, nil
		default:
			return outbox.Found{}, err
		}
		for _, g := range page {
			since = max(since, number(g.ID))
			how := k.matches(g)
			if how == different {
				continue
			}
			ok, err := k.free(ctx, string(PostOf(community.ChannelID(channel), g.ID)))
			if err != nil {
				return outbox.Found{}, err
			}
			if !ok {
				continue
			}
			if how == same {
				return outbox.Found{ID: string(PostOf(community.ChannelID(channel), g.ID)), AsOf: asOf}, nil
			}
			similar = append(similar, g)
		}
		if last || len(page) == 0 {
			break
		}
		asOf = d.asOf()
	}
	for _, g := range similar {
		return outbox.Found{ID: string(PostOf(community.ChannelID(channel), g.ID)), AsOf: asOf}, nil
	}
	return outbox.Found{AsOf: asOf}, nil
}

// asOf is Discord's clock before a look, less what its Date cuts off: an answer
// may be newer than that, but is not older.
func (d *Discord) asOf() time.Time { return d.Now("").Add(-time.Second) }

// likeness is how much a message is what was looked for.
type likeness int

const (
	different likeness = iota
	alike              // a reply of ours to the same message, with other words
	same
)

// matches goes by the nonce if Discord shows it; else by what it replies to;
// and only where that is nothing by its words and files.
func (k looking) matches(g got) likeness {
	if g.Author.ID != k.self || !g.said() || g.Command != nil {
		return different
	}
	if g.Nonce != "" {
		if string(g.Nonce) == k.nonce {
			return same
		}
		return different
	}
	if g.parent() != k.reply {
		return different
	}
	looks := sameWords(g, k.want)
	switch {
	case looks:
		return same
	case k.reply != "":
		return alike
	}
	return different
}

// sameWords tells whether a message has the words, files and embeds of one of
// ours.
func sameWords(g got, m Message) bool {
	if squeeze(g.Content) != squeeze(m.Content) || len(g.Files) != len(m.Files) {
		return false
	}
	for i, f := range m.Files {
		if plainName(g.Files[i].Name) != plainName(f.wireName()) {
			return false
		}
	}
	if m.Content != "" || len(m.Files) > 0 {
		return true
	}
	return slices.EqualFunc(g.Embeds, m.Embeds, func(a gotEmbed, b Embed) bool { return squeeze(a.Title) == squeeze(b.Title) })
}

// squeeze leaves out what Discord may change of a text.
func squeeze(s string) string { return strings.Join(strings.Fields(s), " ") }

// plainName is a file's name without what Discord may replace in it.
func plainName(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, s)
}
