// Package persona answers mentions in character: a language model is given
// the persona, the thread as it may be shared, and the question, and what it
// says becomes one reply to the asker.
//
// Policy lives here and in prompt.go and reply.go, in plain values. It leaves
// noticing mentions to the platform and inbox, sending the reply to outbox,
// and speaking to the model to llm.
package persona

import (
	"context"
	"embed"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"rookery/internal/budget"
	"rookery/internal/clock"
	"rookery/internal/community"
	"rookery/internal/fedi"
	"rookery/internal/inbox"
	"rookery/internal/jobs"
	"rookery/internal/llm"
	"rookery/internal/outbox"
	"rookery/internal/store"
)

// Name is the feature's name in the configuration and in the tables.
const Name = "persona"

//go:embed migrations
var migrations embed.FS

// Migrations are the tables of this package.
func Migrations() store.Migrations { return store.Migrations{Feature: Name, FS: migrations} }

// platform is what the persona asks of the Fediverse.
type platform interface {
	Thread(ctx context.Context, account community.AccountID, post community.PostID) (above, below []community.Post, err error)
	Self(account community.AccountID) (community.Member, error)
	Limits(account community.AccountID) (fedi.Instance, error)
	Now(account community.AccountID) time.Time
	DismissLater(account community.AccountID, n community.NotificationID)
	FollowsUs(ctx context.Context, account community.AccountID, member community.MemberID) (bool, error)
}

var _ platform = (*fedi.Fedi)(nil)

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
)

// Persona is the feature. It is safe for concurrent use.
type Persona struct {
	Config
	process  string
	began    time.Time
	platform platform
	queue    *jobs.Queue // nil in a process that works no jobs
	slots    chan struct{}

	mu       sync.Mutex
	stopping bool
	troubles map[community.AccountID]int // failures in a row of the model or the server
	draws    map[community.AccountID]*draw

	// Shuffle is rand.Shuffle but in tests.
	Shuffle func(n int, swap func(i, j int))
}

var _ inbox.Feature = (*Persona)(nil)

// New makes the feature and tells outbox that it owns its effects. Join must
// be called before it answers.
func New(c Config) *Persona {
	c.Parallel = max(c.Parallel, 1)
	if c.MaxPromptChars == 0 {
		c.MaxPromptChars = 24_000
	}
	if c.ModelTimeout == 0 {
		c.ModelTimeout = 3 * time.Minute
	}
	if c.RequestTimeout == 0 {
		c.RequestTimeout = 30 * time.Second
	}
	p := &Persona{Config: c, process: outbox.NewKey(), began: c.Clock.Now(), slots: make(chan struct{}, c.Parallel),
		troubles: map[community.AccountID]int{}, draws: map[community.AccountID]*draw{}, Shuffle: rand.Shuffle}
	c.Outbox.Own(Name, p.settle)
	return p
}

// Join gives the feature its platform, which in turn needs the feature.
func (p *Persona) Join(f platform) { p.platform = f }

// Name implements inbox.Feature.
func (*Persona) Name() string { return Name }

// Wants implements inbox.Feature: a person who mentions us gets an answer, a
// bot does not (two bots would talk for ever).
func (*Persona) Wants(m community.Mention) (bool, string) {
	switch {
	case m.Post.Author.Bot:
		return false, "from a bot"
	case m.Post.Author.ID == "":
		return false, "its author is not known"
	case m.Post.Author.OptsOut(optOuts...):
		return false, "its author's profile asks for no bots or no AI"
	}
	return true, ""
}

// StopPicking lets answers under way end and begins no more: the first step
// of a shutdown.
func (p *Persona) StopPicking() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stopping = true
}

func (p *Persona) isStopping() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stopping
}

// answerLimit is how long one mention may be held: the thread is read, the
// model asked, the answer sent. It is also how long another process waits for
// one that died with a mention in its hands.
func (p *Persona) answerLimit() time.Duration {
	return p.ModelTimeout + 4*p.RequestTimeout + pagesTime + 2*holdMargin
}

// holdMargin keeps the work on a mention from outliving the hold on it.
const holdMargin = 5 * time.Second
