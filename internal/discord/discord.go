// Package discord is the platform Discord, over disgo: one application with
// its gateway connections, the rate limits of its requests, its commands and
// presses, the messages that address it or begin a thread that a feature
// watches, and the kinds of effect on it.
//
// It leaves to inbox that a message is taken in once, to outbox that an effect
// happens once, and to the features what is said, who is answered, and what a
// command does. Types of disgo do not leave this package.
package discord

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	dg "github.com/disgoorg/disgo/discord"
	"github.com/disgoorg/disgo/rest"

	"rookery/internal/clock"
	"rookery/internal/community"
	"rookery/internal/inbox"
	"rookery/internal/outbox"
	"rookery/internal/store"
)

//go:embed migrations
var migrations embed.FS

// Migrations are the tables of this package.
func Migrations() store.Migrations { return store.Migrations{Feature: "discord", FS: migrations} }

// Config is what a Discord needs.
type Config struct {
	Store  *store.Store
	Inbox  *inbox.Inbox
	Outbox *outbox.Outbox
	Clock  clock.Clock
	Log    *slog.Logger

	Token     string
	API       string // base of the REST API; "" for Discord's own
	CDN       string // base of the addresses of emoji; "" for Discord's own
	UserAgent string
	Timeout   time.Duration // of one request; 0 means 30 s
	// MessageContent asks for the privileged intent: messages that do not
	// address the bot can then be read as part of a thread.
	MessageContent bool
	// NoDirect leaves direct messages unanswered.
	NoDirect bool
	Backlog  bool          // see inbox.Account
	MaxAge   time.Duration // see inbox.Account

	// Features are asked, in this order, whether they want a message that
	// addresses the bot.
	Features []inbox.Feature
	// Hears tells whether any feature may want messages of a channel, so that
	// those missed while we were away are looked for there; nil: everywhere.
	Hears func(ctx context.Context, p community.Place) bool
	// Watchers hear of messages that do not address the bot.
	Watchers []Watcher
	// Commands are all that members can give.
	Commands []Command
	// Language is the one set for a guild, BCP 47; nil or "": the member's own.
	Language func(ctx context.Context, guild community.GuildID) string

	// Removed hears that the bot was removed from a guild (not of one that is
	// merely unavailable); Joined that it is in one, at each start too.
	Removed func(ctx context.Context, guild community.GuildID)
	Joined  func(ctx context.Context, guild Guild)
	// Trouble hears what needs the operator, and with nil that it is over.
	Trouble func(kind TroubleKind, err error)
	// Observe, if set, hears of each request.
	Observe func(Request)
	// Rehearsal takes no interaction: another process answers them.
	Rehearsal bool
}

// TroubleKind is what stands between us and Discord.
type TroubleKind string

// The troubles.
const (
	TokenRefused   TroubleKind = "token"   // revoked or wrong: 401, or close 4004
	IntentsRefused TroubleKind = "intents" // close 4014: not switched on in the developer portal
	Unreachable    TroubleKind = "unreachable"
	Identifies     TroubleKind = "identifies" // the day's budget of new sessions is nearly used up
	Invalids       TroubleKind = "invalid"    // many refused requests: Discord would soon ban the address
)

// Guild is a guild that the bot is in.
type Guild struct {
	ID     community.GuildID
	Name   string
	Owner  community.MemberID
	Locale string // BCP 47
	Since  time.Time
}

// Channel is a channel, thread or conversation.
type Channel struct {
	ID            community.ChannelID
	Guild         community.GuildID
	Parent        community.ChannelID // of a thread: its channel; else the category
	Name          string
	Kind          int // Source: resources/channel, "Channel Types"
	Thread        bool
	AgeRestricted bool // itself, or of a thread its channel
	Position      int
}

// Request is one request that was made, for the metrics.
type Request struct {
	Family  string // the route without ids, like "POST /channels/{id}/messages"
	Outcome string // "ok", or the error's class
	Took    time.Duration
}

// Discord is one application of the platform. It is safe for concurrent use.
type Discord struct {
	Config
	log     *slog.Logger
	http    *http.Client // for what disgo's client cannot do; see limiter
	limiter *limiter     // of every request to the API
	rest    rest.Rest    // over http and limiter; each call needs rest.WithCtx
	server  serverTime
	tried   chan struct{} // closed when logging in has been tried
	trying  sync.Once
	trouble troubles

	mu   sync.Mutex
	self self // who we are; zero until the first log-in

	cache   cache
	members memberCache
	conn    connection
	queues  queues

	intake intakeState // of intake.go and sweep.go
	router routerState // of router.go
}

// self is who we are.
type self struct {
	application string
	account     community.AccountID
	member      community.Member
}

// defaults of Config.
const (
	defaultAPI       = "https://discord.com/api/v10"
	defaultCDN       = "https://cdn.discordapp.com"
	defaultUserAgent = "DiscordBot (https://rookery.invalid, 1)"
	defaultTimeout   = 30 * time.Second
)

// New makes a Discord and registers its kinds of effect. It does not touch the
// network; a mistake in the declared commands is its error.
func New(c Config) (*Discord, error) {
	if c.Token == "" {
		return nil, errors.New("discord: the bot's token is missing")
	}
	if c.API == "" {
		c.API = defaultAPI
	}
	if c.CDN == "" {
		c.CDN = defaultCDN
	}
	if c.UserAgent == "" {
		c.UserAgent = defaultUserAgent
	}
	if c.Timeout == 0 {
		c.Timeout = defaultTimeout
	}
	if c.Clock == nil {
		c.Clock = clock.System{}
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	d := &Discord{Config: c, log: c.Log, tried: make(chan struct{})}
	d.cache.init()
	d.members.init()
	d.trouble.d = d
	d.limiter = newLimiter(c.Clock, func(err error) { d.trouble.set(Invalids, err) })
	d.http = &http.Client{Transport: d.newTransport(), CheckRedirect: noRedirects}
	d.rest = rest.New(rest.NewClient(c.Token,
		// disgo would log whole bodies; what matters is in its errors.
		rest.WithLogger(slog.New(slog.DiscardHandler)),
		rest.WithHTTPClient(d.http),
		rest.WithRateLimiter(d.limiter),
		rest.WithURL(c.API),
		rest.WithUserAgent(c.UserAgent),
	), rest.WithDefaultAllowedMentions(nobody()))
	d.conn.init(d)
	d.queues.init(d)
	if err := d.initRouter(); err != nil {
		return nil, fmt.Errorf("discord: %w", err)
	}
	d.initIntake()
	if c.Outbox != nil {
		d.registerKinds()
	}
	return d, nil
}

// nobody is whom a message notifies unless it says otherwise. disgo's own
// default is everyone, which one @everyone in a member's text would reach.
func nobody() dg.AllowedMentions { return dg.AllowedMentions{Parse: []dg.AllowedMentionType{}} }
