// Package mydata is what members may ask about themselves: what is kept of
// them, that it be forgotten, that they be left alone. On the Fediverse a
// direct message of only a word ("help", "stop", "my data", "forget me" …) is
// acted on in the very transaction that takes it in, and answered directly.
//
// It leaves to the features what they keep and how they let it go (Keeper),
// and to outbox that the answer is sent once.
package mydata

import (
	"context"
	"embed"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"time"
	"unicode"

	"rookery/internal/budget"
	"rookery/internal/clock"
	"rookery/internal/community"
	"rookery/internal/discord"
	"rookery/internal/fedi"
	"rookery/internal/inbox"
	"rookery/internal/outbox"
	"rookery/internal/store"
	"rookery/internal/words"
)

// Name is the feature's name in the tables.
const Name = "mydata"

//go:embed migrations
var migrations embed.FS

// Migrations are the tables of this package.
func Migrations() store.Migrations { return store.Migrations{Feature: Name, FS: migrations} }

// Keeper is a feature that keeps something of members. The mentions are all
// those of the member.
type Keeper interface {
	// Standing counts the posts that answer these mentions, or that were made
	// for the member in another way, also before they were forgotten.
	Standing(ctx context.Context, tx store.Tx, m inbox.Member, mentions []inbox.Record) (int, error)
	// DeleteAnswers plans their deletion and returns how many there are.
	DeleteAnswers(ctx context.Context, tx store.Tx, m inbox.Member, mentions []inbox.Record) (int, error)
	// ForgetMember lets go of all that is kept of a member but what a
	// deletion of posts needs; the pseudonym of m is never empty.
	ForgetMember(ctx context.Context, tx store.Tx, m inbox.Member, mentions []inbox.Record) error
	// Prune lets go of what has been kept long enough.
	Prune(ctx context.Context) error
}

// Sharer is a Keeper whose posts are no answers: they show what members have
// shared. Members are told of them as such.
type Sharer interface {
	Keeper
	Shares() // does nothing
}

// Lister is a Keeper that may know members who have never mentioned us.
type Lister interface {
	Keeper
	// Members are the handles of all whom it knows, in small letters.
	Members(ctx context.Context, tx store.Tx) ([]string, error)
}

// Reporter is a Keeper that can tell members what it keeps of them, besides the
// posts that Standing counts.
type Reporter interface {
	Keeper
	// Kept are lines in the member's language, plain text, each about one thing
	// and for how long it is kept; none if there is nothing.
	Kept(ctx context.Context, tx store.Tx, m inbox.Member, l words.Language) ([]string, error)
}

// platform is what is asked of the Fediverse.
type platform interface {
	Limits(account community.AccountID) (fedi.Instance, error)
	DismissLater(account community.AccountID, n community.NotificationID)
}

// Config is what MyData needs.
type Config struct {
	Store   *store.Store
	Inbox   *inbox.Inbox
	Outbox  *outbox.Outbox
	Budget  *budget.Budget
	Clock   clock.Clock
	Log     *slog.Logger
	Keepers []Keeper

	Operator  string // handle that members may turn to; may be empty
	Processor string // host that runs the language model, for the help text; empty: the operator's own
	// Does tells what an account does, of which its answers speak; nil: all
	// answer with a language model and do nothing else.
	Does func(account community.AccountID) Does
	// Language of an account's answers; nil or "": the asker's.
	Language func(account community.AccountID) string
}

// Does is what an account does for members.
type Does struct {
	Answers  bool   // mentions, with a language model
	Pictures bool   // shows them on request
	Shares   bool   // posts what members share with it
	Word     string // that begins such a request, if it answers too
}

// MyData is the feature. It is safe for concurrent use.
type MyData struct {
	Config
	began    time.Time
	platform platform
}

var _ inbox.Feature = (*MyData)(nil)

// New makes the feature. Join must be called before it is used.
func New(c Config) *MyData {
	if c.Does == nil {
		c.Does = func(community.AccountID) Does { return Does{Answers: true} }
	}
	d := &MyData{Config: c, began: c.Clock.Now()}
	c.Outbox.Own(Name, d.settle)
	return d
}

// Join gives the feature its platform, which in turn needs the feature.
func (d *MyData) Join(f platform) { d.platform = f }

// Name implements inbox.Feature.
func (*MyData) Name() string { return Name }

// Wants implements inbox.Feature. A command is a direct message of only that
// word. "Stop" is heeded wherever it is said: who says so in public means it.
func (*MyData) Wants(m community.Mention) (bool, string) {
	c, ok := command(m.Post)
	switch {
	case !ok:
		return false, "no command"
	case m.Post.Author.ID == "" || m.Post.Author.Handle == "":
		return false, "its author is not known"
	case m.Post.Author.Bot && c != words.Stop && c != words.ForgetMe:
		return false, "from a bot"
	case c != words.Stop && c != words.Start && m.Post.Visibility.Open():
		return false, "a command in public"
	}
	return true, ""
}

// addressed is a mention as it stands in a post's text.
var addressed = regexp.MustCompile(`(^|\s)@[\p{L}\p{N}_.-]+(@[\p{L}\p{N}_.:-]+)?`)

func command(p community.Post) (words.Command, bool) {
	if len(p.Text) > 2_000 {
		return "", false
	}
	return words.ParseCommand(addressed.ReplaceAllString(p.Text, "$1"))
}

// Accept implements inbox.Feature: the command is carried out and its answer
// planned in the transaction that takes the mention in.
func (d *MyData) Accept(ctx context.Context, tx store.Tx, id inbox.ID, m community.Mention) error {
	c, _ := command(m.Post)
	set := ""
	if d.Language != nil {
		set = d.Language(m.Account)
	}
	r := request{MyData: d, tx: tx, m: m, does: d.Does(m.Account), handle: strings.ToLower(m.Post.Author.Handle), l: words.Match(set, written(m.Post))}
	said, err := r.do(ctx, c)
	if err != nil {
		return fmt.Errorf("%s: %w", c, err)
	}
	d.Log.Info("a member's command", "account", m.Account, "command", string(c))
	if err := inbox.Set(ctx, tx, id, inbox.Answering, ""); err != nil {
		return err
	}
	to := "@" + m.Post.Author.Acct
	if m.Post.Author.Acct == "" {
		to = "@" + m.Post.Author.Handle
	}
	e := outbox.Effect{Key: keyPrefix + string(id), Feature: Name, Account: m.Account, Expires: m.Expires, Again: 2}
	if discord.IsAccount(m.Account) {
		e.Kind = discord.MessageKind
		e.Payload, e.Parts = onDiscord(m, said)
	} else {
		parts := d.parts(m.Account, to, said)
		e.Kind, e.Parts = fedi.PostKind, len(parts)
		e.Payload = fedi.PostPayload{Parts: parts, Visibility: community.Direct, InReplyTo: m.Post.ID, Language: string(r.l), Dismiss: m.Notification}
	}
	if m.Notified.Before(d.began) {
		e.Since = m.Notified // it may have been answered before a backup was restored
	}
	_, err = d.Outbox.Plan(ctx, tx, e)
	return err
}

// written is the language of a command: that of its letters, for the mark of a
// post is often only a client's default.
func written(p community.Post) string {
	if strings.ContainsFunc(addressed.ReplaceAllString(p.Text, "$1"), func(r rune) bool { return unicode.Is(unicode.Cyrillic, r) }) {
		return string(words.Russian)
	}
	return p.Language
}

// Wake implements inbox.Feature; Accept has done it all.
func (*MyData) Wake(context.Context, store.Tx, community.AccountID) error { return nil }

const keyPrefix = "mydata/"

// settle hears how an answer ended. What it said about a member goes then.
func (d *MyData) settle(ctx context.Context, tx store.Tx, r outbox.Result) error {
	id := inbox.ID(strings.TrimPrefix(r.Key, keyPrefix))
	state, reason := inbox.Failed, r.Reason
	switch {
	case r.State == outbox.Confirmed || len(r.Made) > 0:
		state, reason = inbox.Done, ""
	case r.Reason == outbox.ReasonExpired:
		state = inbox.Expired
	case r.Reason == string(fedi.Gone) || r.Reason == discord.ReasonGone:
		state, reason = inbox.Gone, "the post to answer was deleted"
	}
	if n := dismissal(r.Payload); n != "" && state == inbox.Done {
		tx.AfterCommit(func() { d.platform.DismissLater(r.Account, n) })
	}
	if err := outbox.Forget(ctx, tx, r.Key); err != nil {
		return err
	}
	return inbox.Set(ctx, tx, id, state, reason)
}

// onDiscord is an answer as Discord gets it, and the number of its messages: a
// reply where the command was written. Only "stop" is heeded where others read.
func onDiscord(m community.Mention, said string) (discord.Send, int) {
	s := discord.Send{Channel: m.Post.Place.Channel, ReplyTo: m.Post.ID}
	for _, text := range discord.Split(discord.Escape(strings.TrimSpace(said)), discord.MaxContent) {
		s.Parts = append(s.Parts, discord.Message{Content: text, NoPreviews: true})
	}
	return s, len(s.Parts)
}

// shortPost is a length that every server takes.
const shortPost = 480

// parts divides an answer into posts, at its lines.
func (d *MyData) parts(account community.AccountID, to, text string) []string {
	most := shortPost
	if in, err := d.platform.Limits(account); err == nil && in.MaxChars > most {
		most = in.MaxChars - 20
	}
	most -= len([]rune(to)) + 1
	var parts []string
	part := ""
	for line := range strings.Lines(strings.TrimSpace(text)) {
		if part != "" && len([]rune(part+line)) > most {
			parts = append(parts, to+" "+strings.TrimSpace(part))
			part = ""
		}
		part += line
	}
	return append(parts, to+" "+strings.TrimSpace(part))
}
