// Package gallery lets members share their art from Discord to the Fediverse:
// it offers them to, shows what would be posted and where, posts what they have
// agreed to and nothing else, and deletes it when they say so.
//
// What is agreed to, and by whom, is decided here and written into the consent
// ledger (package ledger) in the same transaction. A picture goes to a language
// model only after its artist has said yes to that for this very post.
//
// It leaves what a message says on the Fediverse to compose, the words of the
// offer to texts and words, files to media, upload and posts to fedi and
// outbox, and Discord's ways to discord.
package gallery

import (
	"context"
	"embed"
	"log/slog"
	"slices"
	"sync"
	"time"

	"rookery/internal/budget"
	"rookery/internal/clock"
	"rookery/internal/community"
	"rookery/internal/discord"
	"rookery/internal/fedi"
	"rookery/internal/gallery/ledger"
	"rookery/internal/gallery/texts"
	"rookery/internal/inbox"
	"rookery/internal/jobs"
	"rookery/internal/llm"
	"rookery/internal/media"
	"rookery/internal/outbox"
	"rookery/internal/store"
	"rookery/internal/words"
)

// Name is the feature's name in the configuration and in the tables.
const Name = "gallery"

// QueueName is the queue of the feature's jobs.
const QueueName = "gallery"

//go:embed migrations
var migrations embed.FS

// Migrations are the tables of this package; the ledger has its own.
func Migrations() store.Migrations { return store.Migrations{Feature: Name, FS: migrations} }

// Account is an account on the Fediverse that shows the gallery.
type Account struct {
	Name       string              // in the configuration
	ID         community.AccountID // empty before its first log-in
	Handle     string              // user@host; empty before its first log-in
	Visibility community.Visibility
	Language   string              // of its posts, BCP 47; empty: the guild's
	MaxUpload  int64               // bytes of one file; 0: what the server takes
	PerHour    int                 // posts an hour; 0: no limit of ours
	AI         bool                // whether artists may turn descriptions by a model on
	Contact    string              // who to write to about it; may be empty
	Tail       string              // the end of each post; may be empty
	Guilds     []community.GuildID // that may use it; none: all
}

// Open tells whether a guild may use the account.
func (a Account) Open(guild community.GuildID) bool {
	return len(a.Guilds) == 0 || slices.Contains(a.Guilds, guild)
}

// Model describes pictures.
type Model interface {
	Complete(ctx context.Context, conversation []llm.Message) (llm.Answer, error)
}

// Config is what a Gallery needs.
type Config struct {
	Store    *store.Store
	Outbox   *outbox.Outbox
	Clock    clock.Clock
	Log      *slog.Logger
	Ledger   *ledger.Ledger
	Texts    *texts.Texts // what the operator has changed; nil: nothing
	Settings *Settings
	Media    *media.Kit
	Budget   *budget.Budget

	Accounts func() []Account // in the order of the configuration

	Model        Model  // nil: none, and nobody is offered one
	ModelName    string // as the ledger has it
	Processor    string // who runs the model, as members are told; empty: the operator's own machine
	Prompt       string // that asks for a description; empty: the built-in one
	MaxTokens    int    // of a description
	ModelTimeout time.Duration

	ExpireAfter    time.Duration // so long an offer waits for an answer
	RequestTimeout time.Duration // how long one request to a server may take
	ConvertTimeout time.Duration // how long one conversion of a file may take

	// Terms and Privacy are addresses of pages that are linked to; may be empty.
	Terms, Privacy string

	// Tell tells the operator something; see operator.Notice. It may be nil.
	Tell func(ctx context.Context, tx store.Tx, key string, say func(l words.Language) string) error
	// TellGuild tells those who manage a guild something; it may be nil.
	TellGuild func(ctx context.Context, tx store.Tx, guild community.GuildID, key string, say func(l words.Language) string) error
	// Language is the one set for a guild, BCP 47; "": each member's own.
	Language func(ctx context.Context, guild community.GuildID) string
	// Stopped tells who of these members (handles in small letters) wants to be
	// left alone, and is not asked; nil: nobody.
	Stopped func(ctx context.Context, q inbox.Rows, handles ...string) (map[string]bool, error)
	// Observe, if set, hears how each submission ended; see the Outcome constants.
	Observe func(outcome string)
}

// The outcomes that Observe is told.
const (
	OutcomePosted    = "posted"
	OutcomeDeleted   = "deleted"
	OutcomeTakenDown = "taken_down" // deleted by a moderator or the operator
	OutcomeDeclined  = "declined"
	OutcomeExpired   = "expired"
	OutcomeWithdrawn = "withdrawn"
	OutcomeRejected  = "rejected" // by a moderator
	OutcomeReturned  = "returned" // to the artist: it could not be posted as they agreed to it
)

// Gallery is the feature. It is safe for concurrent use.
type Gallery struct {
	Config
	queue   *jobs.Queue
	discord discordClient
	fedi    fediverse

	mu      sync.Mutex
	follows map[community.PostID]bool // messages whose changes matter
	locks   map[community.AccountID]*sync.Mutex
}

// defaults of Config.
const (
	defaultExpiry  = 72 * time.Hour
	defaultTokens  = 300
	defaultTimeout = 30 * time.Second
)

// New makes the feature and tells outbox that it owns its effects. Join and
// JoinDiscord must be called before it works.
func New(c Config) *Gallery {
	if c.ExpireAfter == 0 {
		c.ExpireAfter = defaultExpiry
	}
	if c.MaxTokens == 0 {
		c.MaxTokens = defaultTokens
	}
	if c.RequestTimeout == 0 {
		c.RequestTimeout = defaultTimeout
	}
	if c.ConvertTimeout == 0 {
		c.ConvertTimeout = 2 * time.Minute
	}
	if c.ModelTimeout == 0 {
		c.ModelTimeout = llm.DefaultTimeout
	}
	g := &Gallery{Config: c, follows: map[community.PostID]bool{}, locks: map[community.AccountID]*sync.Mutex{}}
	c.Outbox.Own(Name, g.settle)
	return g
}

// discordClient is what is asked of Discord.
type discordClient interface {
	Account() (community.AccountID, bool)
	Self(account community.AccountID) (community.Member, error)
	Now(account community.AccountID) time.Time
	Guild(id community.GuildID) (discord.Guild, bool)
	Channel(ctx context.Context, id community.ChannelID) (discord.Channel, error)
	Missing(ctx context.Context, guild community.GuildID, channel community.ChannelID, want discord.Permission) (discord.Permission, error)
	PermissionNames(l words.Language, p discord.Permission) []string
	Member(ctx context.Context, guild community.GuildID, id community.MemberID) (community.Member, []community.RoleID, error)
	MemberSince(ctx context.Context, guild community.GuildID, id community.MemberID) (time.Time, error)
	Read(ctx context.Context, account community.AccountID, id community.PostID) (discord.Original, error)
	Starter(ctx context.Context, account community.AccountID, thread community.ChannelID) (discord.Original, error)
	Refreshed(ctx context.Context, urls ...string) (map[string]string, error)
	Components(action string, h discord.Handler)
	Forms(action string, h discord.Handler)
	Renderer(name string, render discord.Rendering)
}

// fediverse is what is asked of the Fediverse.
type fediverse interface {
	Self(account community.AccountID) (community.Member, error)
	Now(account community.AccountID) time.Time
	Limits(account community.AccountID) (fedi.Instance, error)
	Mixes(account community.AccountID) bool
	Attach(ctx context.Context, account community.AccountID, key string, u fedi.Upload) (string, error)
	Discard(ctx context.Context, tx store.Tx, key string) error
	Posted(ctx context.Context, account community.AccountID, id community.PostID) (community.Post, error)
	DismissLater(account community.AccountID, n community.NotificationID)
	Renderer(name string, render fedi.Rendering)
}

// Join gives the feature the Fediverse, which in turn needs the feature.
func (g *Gallery) Join(f fediverse) {
	g.fedi = f
	f.Renderer(rendererName, g.renderPost)
}

// JoinDiscord gives the feature Discord, which in turn needs the feature. It
// is called before d runs.
func (g *Gallery) JoinDiscord(d discordClient) {
	g.discord = d
	d.Components(action, g.pressed)
	d.Forms(action, g.filled)
	d.Renderer(rendererName, g.renderOffer)
}

const (
	// action is the first part of the ids of all that is pressed here.
	action = "gallery"
	// rendererName names what makes the messages and posts of a submission.
	rendererName = "gallery"
)

// say is a text that the operator may have changed.
func (g *Gallery) say(l words.Language, k words.Key, a words.Args) string {
	return g.Texts.Say(l, k, a)
}

// account is one of ours by its id.
func (g *Gallery) account(id community.AccountID) (Account, bool) {
	for _, a := range g.Accounts() {
		if a.ID == id && id != "" {
			return a, true
		}
	}
	return Account{}, false
}
