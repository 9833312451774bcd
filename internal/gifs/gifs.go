// Package gifs answers requests for pictures: a member writes what it is to
// show, and gets one animated picture from an image board, with alt text, the
// artist's name and a link to where it is from.
//
// What may be shown to whom is decided here: safe pictures alone unless both
// the account and the request say NSFW, nothing on the blocklist, never wider
// than the request. It leaves the boards' languages to booru, the files to
// media, the upload to fedi, whose turn it is to turns, and the reply to
// outbox.
package gifs

import (
	"context"
	"embed"
	"errors"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"rookery/internal/answers"
	"rookery/internal/booru"
	"rookery/internal/clock"
	"rookery/internal/community"
	"rookery/internal/inbox"
	"rookery/internal/jobs"
	"rookery/internal/media"
	"rookery/internal/outbox"
	"rookery/internal/store"
	"rookery/internal/turns"
)

// Name is the feature's name in the configuration and in the tables.
const Name = "gifs"

// QueueName is the queue of the feature's jobs.
const QueueName = "gifs"

//go:embed migrations
var migrations embed.FS

// Migrations are the tables of this package.
func Migrations() store.Migrations { return store.Migrations{Feature: Name, FS: migrations} }

// Config is what a GIFs needs.
type Config struct {
	Store   *store.Store
	Outbox  *outbox.Outbox
	Clock   clock.Clock
	Log     *slog.Logger
	Sources []booru.Source // asked in an order by chance, until one has something
	Media   *media.Kit

	Word           string                                 // begins a request to an account that does other things too
	Cooldown       time.Duration                          // between two requests of a member
	Rate           float64                                // requests a second, of all members and accounts together
	Burst          int                                    // so many at once, before Rate counts
	Queue          int                                    // requests of a member that may wait
	NoRepeat       time.Duration                          // so long an account does not show a picture again; 0: it may
	Blocklist      *booru.Blocklist                       // what is never shown
	NSFW           func(account community.AccountID) bool // whether the account shows what is not safe; nil: none does
	NSFWVisibility community.Visibility                   // the widest at which that is shown; "": as any reply
	Settings       *Settings                              // of guilds; nil: no guild has pictures
	NoticeAfter    time.Duration                          // so long a request waits before its asker is told; 0: never
	Parallel       int                                    // requests worked at once

	ConvertTimeout time.Duration // how long one conversion of a file may take
	RequestTimeout time.Duration // how long one request to a server may take

	// Language of an account's replies, BCP 47; nil or "": the asker's.
	Language func(account community.AccountID) string
	// Stopped tells who of these members (handles in small letters) wants to
	// be left alone; nil: nobody.
	Stopped func(ctx context.Context, q inbox.Rows, handles ...string) (map[string]bool, error)
	// Refused, if set, hears of a reply that its server refused for good, in
	// the transaction that notes it.
	Refused func(ctx context.Context, tx store.Tx, account community.AccountID, reason string) error
	// Trouble, if set, hears of each search at a board: nil that it worked, or
	// what stands in the way.
	Trouble func(ctx context.Context, source string, err error)
	// Observe, if set, hears how each request ended; see the Outcome constants.
	Observe func(outcome string)
}

// The outcomes that Observe is told.
const (
	OutcomeGIF     = "gif"     // a picture as the board has it
	OutcomeMP4     = "mp4"     // one that was made a film of it
	OutcomeNothing = "nothing" // nothing was found
	OutcomeRefused = "refused" // blocked, or NSFW where that is off, or no query a board can take
	OutcomeUnfit   = "unfit"   // only a link could be sent
	OutcomeOver    = "over"    // too many requests of the member waited
)

// GIFs is the feature. It is safe for concurrent use.
type GIFs struct {
	*turns.Turns
	Config
	fedi    fediverse
	discord guilds
	answers answers.Of
	limit   *rate.Limiter

	mu      sync.Mutex
	told    map[community.AccountID]lateTold
	taken   map[string]bool // pictures, by account, that requests under way are about to show
	working map[string]bool // members, by account, of whom a request is under way
}

// New makes the feature and tells outbox that it owns its effects. Join must
// be called before it answers.
func New(c Config) *GIFs {
	if c.Word == "" {
		c.Word = "gif"
	}
	if c.Rate == 0 {
		c.Rate, c.Burst = 1, 3
	}
	if c.Queue == 0 {
		c.Queue = 5
	}
	if c.ConvertTimeout == 0 {
		c.ConvertTimeout = 2 * time.Minute
	}
	if c.RequestTimeout == 0 {
		c.RequestTimeout = 30 * time.Second
	}
	c.Parallel = max(c.Parallel, 1)
	g := &GIFs{Config: c, limit: rate.NewLimiter(rate.Limit(c.Rate), max(c.Burst, 1)), taken: map[string]bool{}, told: map[community.AccountID]lateTold{}, working: map[string]bool{}}
	g.Turns = turns.New(turns.Config{Store: c.Store, Clock: c.Clock, Log: c.Log, Feature: Name, Paused: c.Outbox.Paused,
		Takes: longestUpload + c.ConvertTimeout + 4*c.RequestTimeout, Parallel: c.Parallel})
	g.fedi, g.discord = fediverse{g, nil}, guilds{GIFs: g}
	g.answers = answers.Of{Feature: Name, Outbox: c.Outbox, DeleteOn: deleteKind, Keys: answerKeys}
	c.Outbox.Own(Name, g.settle)
	return g
}

// longestUpload is what fetching the file, its upload and the server's work on
// it may take.
const longestUpload = 6 * time.Minute

// kind names the jobs.
type kind struct{}

// Kind implements turns.Kind.
func (kind) Kind() string { return "gifs.answer" }

// Work has the queue do the answering. Call it before the queue starts.
func (g *GIFs) Work(q *jobs.Queue) {
	turns.Work[kind](g.Turns, q, turns.Rounds{
		Queue: QueueName,
		Ready: func(account community.AccountID) bool { _, err := g.at(account).self(account); return err == nil },
		Round: func(ctx context.Context, account community.AccountID) (time.Time, error) {
			_, err := g.Answer(ctx, account, -1)
			if over, ok := errors.AsType[*overRate](err); ok {
				// It is no trouble, after which a round would pause for longer.
				g.pause(ctx, over.next)
				return time.Time{}, nil
			}
			return askedFor(err), err
		},
	})
}

// longestPause is how long a round that has to wait for the common bucket holds
// its worker.
const longestPause = 15 * time.Second

// pause waits until a time, but not for long.
func (g *GIFs) pause(ctx context.Context, until time.Time) {
	ready, stop := g.Clock.After(min(until.Sub(g.Clock.Now()), longestPause))
	defer stop()
	select {
	case <-ready:
	case <-ctx.Done():
	}
}

// Answer answers waiting requests of an account until none is due, limit are
// answered (no limit if it is negative), or a board or the server is in
// trouble, which is the error it returns. Nothing is lost by an error.
func (g *GIFs) Answer(ctx context.Context, account community.AccountID, limit int) (answered int, err error) {
	n, err := g.Round(ctx, account, limit, g.one)
	if ctx.Err() == nil {
		if err := g.tellLate(ctx, account); err != nil {
			g.Log.Warn("who has waited long could not be told", "account", account, "error", err)
		}
	}
	return n, err
}

// Of is the feature as an account has it that does other things too, or does
// not: with others, a request begins with the word.
func (g *GIFs) Of(withOthers bool) inbox.Feature { return door{g, withOthers} }

// door is the feature as one account has it.
type door struct {
	*GIFs
	withOthers bool
}

var _ inbox.Feature = door{}

// Name implements inbox.Feature.
func (door) Name() string { return Name }

// Wants implements inbox.Feature: a person who asks for a picture gets one. A
// reply to a post of ours is a request only if it says so: most often it is
// thanks.
func (d door) Wants(m community.Mention) (bool, string) {
	h := d.at(m.Account)
	if m.Command != nil {
		return m.Command.Name == CommandName && m.Post.Author.ID != "", "another command"
	}
	self, err := h.self(m.Account)
	ours := err == nil && m.Post.ParentBy != "" && m.Post.ParentBy == self.ID
	m.Post.Text = h.text(m)
	text, ok := wish(m.Post, d.Word, d.withOthers || ours)
	_, said := wish(m.Post, d.Word, true)
	switch {
	case m.Post.Author.Bot:
		return false, "from a bot"
	case m.Post.Author.ID == "":
		return false, "its author is not known"
	case !ok:
		return false, "no request for a picture"
	case !said && !hasWord(text) && !bareCall(m.Post, text):
		return false, "no words to look for"
	case m.Post.Author.OptsOut("nobot"):
		return false, "its author's profile asks for no bots"
	}
	return h.wanted(m)
}
