// Package persona answers mentions in character: a language model is given
// the persona, the thread as it may be shared, and the question, and what it
// says becomes one reply to the asker.
//
// Policy lives here and in prompt.go and reply.go, in plain values; what it
// asks of a platform is in platform.go, and only fedi.go and discord.go know
// one. It leaves noticing mentions to the platform and inbox, whose turn it is to turns,
// sending the reply to outbox, and speaking to the model to llm.
package persona

import (
	"context"
	"embed"
	"log/slog"
	"time"

	"rookery/internal/answers"
	"rookery/internal/budget"
	"rookery/internal/clock"
	"rookery/internal/community"
	"rookery/internal/inbox"
	"rookery/internal/llm"
	"rookery/internal/outbox"
	"rookery/internal/store"
	"rookery/internal/turns"
)

// Name is the feature's name in the configuration and in the tables.
const Name = "persona"

//go:embed migrations
var migrations embed.FS

// Migrations are the tables of this package.
func Migrations() store.Migrations { return store.Migrations{Feature: Name, FS: migrations} }

// model is what answers.
type model interface {
	Complete(ctx context.Context, conversation []llm.Message) (llm.Answer, error)
}

var _ model = (*llm.Client)(nil)

// Config is what a Persona needs.
type Config struct {
	Store  *store.Store
	Outbox *outbox.Outbox
	Clock  clock.Clock
	Log    *slog.Logger
	Model  model

	Character      string        // who it is, in the operator's words
	Language       string        // of its answers; empty takes the asker's
	Parallel       int           // answers made at once in this process
	MaxPromptChars int           // of everything the model is given
	MaxTokens      int           // of one answer of the model
	Audience       Audience      // who is answered; empty means Anyone
	Thread         bool          // a long answer goes on in further posts
	MaxPosts       int           // so many at most
	ModelTimeout   time.Duration // how long one answer of the model may take
	RequestTimeout time.Duration // how long one request to the server may take

	Budget *budget.Budget // nil: nothing is counted, and there is no end
	// ReadPage reads what a post links to; nil: links are not followed.
	ReadPage Reader
	// Stopped tells who of these members (handles in small letters) wants to
	// be left alone; nil: nobody.
	Stopped func(ctx context.Context, q inbox.Rows, handles ...string) (map[string]bool, error)

	// Notices says that a member is told, directly and once a day, that there
	// is no answer because the budget is used up, or that it takes long
	// because the model is down.
	Notices        bool
	NoticeAfter    time.Duration                            // so long a mention waits for the model before that
	NoticeLanguage func(account community.AccountID) string // BCP 47; nil or "": the asker's

	// Refused, if set, hears of an answer that its server refused for good, in
	// the transaction that notes it.
	Refused func(ctx context.Context, tx store.Tx, account community.AccountID, reason string) error

	// Forbidden, if set, hears in place of Refused that we may not write in a
	// channel of a guild, where an answer was due. It can be called often.
	Forbidden func(ctx context.Context, tx store.Tx, account community.AccountID, channel community.ChannelID) error

	// Settings are what the managers of each guild on Discord have set; nil: no
	// guild wants us.
	Settings *Settings

	// Trouble, if set, hears after each round whether the model answers: nil
	// that it did, an error what stands in the way.
	Trouble func(ctx context.Context, err error)
}

// Audience is who is answered.
type Audience string

// The audiences.
const (
	Anyone    Audience = "anyone"
	Followers Audience = "followers" // who follows the account
	Local     Audience = "local"     // members of the account's own server
	// On Discord everyone is Anyone: there a guild's settings say who is answered.
)

// Persona is the feature. It is safe for concurrent use.
type Persona struct {
	Config
	*turns.Turns // what waits for it
	fediverse    fediverse
	discord      guilds
	answers      answers.Of
}

var _ inbox.Feature = (*Persona)(nil)

// New makes the feature and tells outbox that it owns its effects. Join,
// JoinDiscord or both must be called before it answers.
func New(c Config) *Persona {
	if c.MaxPromptChars == 0 {
		c.MaxPromptChars = 24_000
	}
	if c.ModelTimeout == 0 {
		c.ModelTimeout = 3 * time.Minute
	}
	if c.RequestTimeout == 0 {
		c.RequestTimeout = 30 * time.Second
	}
	p := &Persona{Config: c, Turns: turns.New(turns.Config{Store: c.Store, Clock: c.Clock, Log: c.Log, Feature: Name,
		Takes: c.answerLimit(), Parallel: c.Parallel, Chances: maxDeclined, Paused: c.Outbox.Paused})}
	p.fediverse.p, p.discord.p = p, p
	p.answers = answers.Of{Feature: Name, Outbox: c.Outbox, Keys: answerKeys,
		DeleteOn: func(account community.AccountID) string { return p.on(account).deleteKind() }}
	c.Outbox.Own(Name, p.settle)
	return p
}

// Name implements inbox.Feature.
func (*Persona) Name() string { return Name }

// Wants implements inbox.Feature: a person who mentions us gets an answer, a
// bot does not (two bots would talk for ever).
func (p *Persona) Wants(m community.Mention) (bool, string) {
	switch {
	case m.Post.Author.Bot:
		return false, "from a bot"
	case m.Post.Author.ID == "":
		return false, "its author is not known"
	case m.Post.Author.OptsOut(optOuts...):
		return false, "its author's profile asks for no bots or no AI"
	}
	why := p.on(m.Account).wants(m)
	return why == "", why
}

// Accept implements inbox.Feature. A mention from where those who run the place
// do not want us ends here: nothing of it is kept.
func (p *Persona) Accept(ctx context.Context, tx store.Tx, id inbox.ID, m community.Mention) error {
	why, err := p.on(m.Account).welcome(ctx, tx, m)
	if err != nil {
		return err
	}
	if why != "" {
		return inbox.Set(ctx, tx, id, inbox.Ignored, why)
	}
	return p.Turns.Accept(ctx, tx, id, m)
}

// answerLimit is how long one answer takes at most: the thread is read, what
// it links to, the model asked, the answer sent.
func (c Config) answerLimit() time.Duration {
	return c.ModelTimeout + 4*c.RequestTimeout + pagesTime
}
