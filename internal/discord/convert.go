package discord

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"rookery/internal/community"
)

// The types of messages that hold what somebody said. Source:
// resources/message, "Message Types".
const (
	typeDefault     = 0
	typeReply       = 19
	typeCommand     = 20 // the answer to a command
	typeContextMenu = 23
)

// got is a message as Discord tells of it, as far as it matters here. Source:
// resources/message, "Message Object".
type got struct {
	ID         string      `json:"id"`
	Channel    string      `json:"channel_id"`
	Guild      string      `json:"guild_id"` // in events only
	Type       int         `json:"type"`
	Flags      int         `json:"flags"`
	Content    string      `json:"content"`
	Author     gotUser     `json:"author"`
	Member     *gotMember  `json:"member"` // in events only
	Webhook    string      `json:"webhook_id"`
	Mentions   []gotUser   `json:"mentions"`
	Files      []gotFile   `json:"attachments"`
	Embeds     []gotEmbed  `json:"embeds"`
	Reference  *gotRef     `json:"message_reference"`
	Referenced *got        `json:"referenced_message"`
	Nonce      gotNonce    `json:"nonce"`
	Command    *gotCommand `json:"interaction_metadata"`
	Edited     string      `json:"edited_timestamp"`
	Thread     gotThread   `json:"thread"` // that was made from it
}

type gotUser struct {
	ID     string     `json:"id"`
	Name   string     `json:"username"`
	Global string     `json:"global_name"`
	Bot    bool       `json:"bot"`
	Member *gotMember `json:"member"` // of a mention, in events only
}

type gotMember struct {
	Nick  string   `json:"nick"`
	Roles []string `json:"roles"`
}

// The types of references. Source: resources/message, "Message Reference
// Types".
const referenceForward = 1

type gotRef struct {
	Type    int    `json:"type"`
	Message string `json:"message_id"`
	Channel string `json:"channel_id"`
}

type gotCommand struct {
	ID string `json:"id"`
}

// gotNonce is a text or a number.
type gotNonce string

// UnmarshalJSON implements json.Unmarshaler.
func (n *gotNonce) UnmarshalJSON(b []byte) error {
	var s string
	if json.Unmarshal(b, &s) != nil {
		s = string(b)
	}
	if s != "null" {
		*n = gotNonce(s)
	}
	return nil
}

// named tells whether a message says which it is and whose, in ids that can
// stand in the path of a request.
func (g *got) named() bool {
	return digits(g.ID) && digits(g.Channel) && digits(g.Author.ID) && (g.Guild == "" || digits(g.Guild))
}

// said tells whether it is what somebody said, and not a notice of Discord's.
func (g *got) said() bool {
	return (g.Type == typeDefault || g.Type == typeReply || g.Type == typeCommand || g.Type == typeContextMenu) && g.Flags&flagLoading == 0
}

// parent is the id of the message in the same channel that it replies to; ""
// for none.
func (g *got) parent() string {
	r := g.Reference
	if r == nil || r.Type == referenceForward || r.Channel != "" && r.Channel != g.Channel {
		return ""
	}
	return r.Message
}

// addresses tells whether a message speaks to the bot: it names the bot itself,
// replies to it, or is a direct message.
func (g *got) addresses(self string, direct bool) bool {
	if g.Type != typeDefault && g.Type != typeReply || g.Author.ID == self || g.ID == "" {
		return false
	}
	return direct ||
		slices.ContainsFunc(g.Mentions, func(u gotUser) bool { return u.ID == self }) ||
		g.parent() != "" && g.Referenced != nil && g.Referenced.Author.ID == self
}

// member is who wrote a message, or was named in it.
func (u gotUser) member() community.Member {
	id := community.MemberID(u.ID)
	nick := ""
	if u.Member != nil {
		nick = u.Member.Nick
	}
	return community.Member{
		ID: id, Handle: HandleOf(id), Acct: oneLine(u.Name), Bot: u.Bot, URL: "https://discord.com/users/" + u.ID,
		Name: cmp.Or(oneLine(nick), oneLine(u.Global), oneLine(u.Name)),
	}
}

// post is a message as features see it. Of its place the guild, channel,
// parent and whether it is for adults are at's; the roles are the author's as
// far as they are told.
func (d *Discord) post(ctx context.Context, g got, at community.Place) community.Post {
	author := g.Author
	author.Member = g.Member
	author.Bot = author.Bot || g.Webhook != ""
	channel := community.ChannelID(cmp.Or(g.Channel, string(at.Channel)))
	p := community.Post{
		ID: PostOf(channel, g.ID), URI: PlatformName + ":message:" + g.ID,
		URL:        "https://discord.com/channels/" + cmp.Or(string(at.Guild), "@me") + "/" + string(channel) + "/" + g.ID,
		Author:     author.member(),
		Visibility: community.Unlisted,
		Language:   d.languageOf(ctx, at.Guild),
		At:         timeOf(g.ID),
		Place:      at,
	}
	p.Place.Channel, p.Place.Roles = channel, nil
	if g.Member != nil {
		for _, r := range g.Member.Roles {
			p.Place.Roles = append(p.Place.Roles, community.RoleID(r))
		}
	}
	if at.Guild == "" {
		p.Visibility = community.Direct
	}
	if parent := g.parent(); parent != "" {
		p.ParentID = PostOf(channel, parent)
		if g.Referenced != nil {
			p.ParentBy = community.MemberID(g.Referenced.Author.ID)
		}
	}
	// A forward does not tell whose words it holds, so nobody can say whether
	// they may be shown: it is left out.
	p.Text = Readable(g.Content, d.names(ctx, g, at.Guild))
	p.Links = linksIn(g.Content)
	for _, u := range g.Mentions {
		m := u.member()
		p.Mentions = append(p.Mentions, community.Member{ID: m.ID, Acct: m.Acct, Handle: m.Handle, Name: m.Name, URL: m.URL})
	}
	for _, f := range g.Files {
		p.Media = append(p.Media, community.Attachment{ID: f.ID, Kind: mediaKind(f.Type), URL: f.URL, Description: oneLine(f.Description)})
		p.Sensitive = p.Sensitive || f.spoiler()
	}
	return p
}

// names tell who and what the markup of a message means.
func (d *Discord) names(ctx context.Context, g got, guild community.GuildID) Names {
	me := d.me().member
	return Names{
		Member: func(id string) string {
			if me.ID != "" && id == string(me.ID) {
				return handle(me.Acct)
			}
			for _, u := range g.Mentions {
				if u.ID == id {
					return u.member().Name
				}
			}
			return ""
		},
		Channel: func(id string) string { return d.openName(guild, community.ChannelID(id)) },
	}
}

// handle is the bot's name as it stands in text: one word of what names are made
// of elsewhere, so that features can tell it from what follows. Names of bots
// may hold blanks, signs and emoji.
func handle(name string) string {
	word := strings.Trim(strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsNumber(r) || strings.ContainsRune("_.-", r) {
			return r
		}
		return -1
	}, name), ".-")
	return cmp.Or(word, "bot")
}

// openName is the name of a channel that everybody in the guild can see; of
// others it tells more than the reader may know. It is looked up in memory
// alone: a message may hold hundreds of made-up ids.
func (d *Discord) openName(guild community.GuildID, id community.ChannelID) string {
	const anybody = "0"
	d.cache.mu.RLock()
	defer d.cache.mu.RUnlock()
	g := d.cache.guilds[guild]
	if g == nil || g.Channels[id] == nil || g.Channels[id].Kind == kindPrivateThread ||
		g.may(anybody, nil, time.Time{}, id, d.Clock.Now())&ViewChannel == 0 {
		return ""
	}
	return g.Channels[id].Name
}

// languageOf is the language of a guild: as it is set, else as it says of
// itself.
func (d *Discord) languageOf(ctx context.Context, guild community.GuildID) string {
	if guild == "" {
		return ""
	}
	if d.Language != nil {
		if set := d.Language(ctx, guild); set != "" {
			return set
		}
	}
	g, _ := d.Guild(guild)
	return g.Locale
}

func mediaKind(contentType string) string {
	kind, _, _ := strings.Cut(contentType, "/")
	switch kind {
	case "image", "video", "audio":
		return kind
	}
	return "unknown"
}

var address = regexp.MustCompile(`https?://[^\s<>]+`)

// linksIn are the web pages that a text links to, each once.
func linksIn(content string) []string {
	var out []string
	for _, link := range address.FindAllString(strings.ToValidUTF8(content, ""), 50) {
		link = strings.TrimRight(link, ".,;:!?'\"*_~|`\\")
		if strings.HasSuffix(link, ")") && !strings.Contains(link, "(") { // of [text](address)
			link = strings.TrimRight(link, ")")
		}
		if !slices.Contains(out, link) {
			out = append(out, link)
		}
	}
	return out
}

// pressedPost is a message that came with an interaction; nil for none.
func (d *Discord) pressedPost(ctx context.Context, raw json.RawMessage, at community.Place) *community.Post {
	var g got
	if len(raw) == 0 || json.Unmarshal(raw, &g) != nil || g.ID == "" {
		return nil
	}
	p := d.post(ctx, g, at)
	return &p
}

// targeted is the message of an OnMessage command, in both shapes; nil for none.
func (d *Discord) targeted(ctx context.Context, in *interaction, p *Press) (*community.Post, *Original) {
	var g got
	raw := in.Data.Resolved.Messages[in.Data.Target]
	if len(raw) == 0 || json.Unmarshal(raw, &g) != nil || g.ID == "" {
		return nil, nil
	}
	if in.Guild != "" && g.Author.ID == in.Member.User.ID {
		g.Member = &gotMember{Nick: in.Member.Nick, Roles: in.Member.Roles}
	}
	post, o := d.post(ctx, g, p.Place), d.original(ctx, g, p.Place)
	o.Hidden = false // a command brings the whole message
	return &post, &o
}

// epoch is when Discord's ids begin to count. Source: reference, "Snowflakes".
const epoch = 1420070400000

// timeOf is when a snowflake was made; zero for one that is none.
func timeOf(id string) time.Time {
	n := number(id)
	if n == 0 {
		return time.Time{}
	}
	return time.UnixMilli(n>>22 + epoch).UTC()
}

// flakeAt is the smallest id of a time.
func flakeAt(t time.Time) int64 { return max(t.UnixMilli()-epoch, 0) << 22 }

// number is a snowflake as one; 0 for a text that is none.
func number(id string) int64 {
	n, err := strconv.ParseInt(id, 10, 64)
	if err != nil || n < 0 {
		return 0
	}
	return n
}

// readPage decodes messages, oldest first. What cannot be read is counted.
func readPage(raw []json.RawMessage) (page []got, bad int) {
	bad = each(raw, func(g got) { page = append(page, g) })
	slices.SortFunc(page, func(a, b got) int { return cmp.Compare(number(a.ID), number(b.ID)) })
	return page, bad
}

// placed takes a post's id apart into ids that may stand in an address.
func placed(id community.PostID) (channel, message string, err error) {
	c, m, ok := MessageOf(id)
	if !ok || !digits(string(c)) || !digits(m) {
		return "", "", &Error{Class: Gone, Err: errors.New("no message has the id " + strconv.Quote(short(string(id))))}
	}
	return string(c), m, nil
}
