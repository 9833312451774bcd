// Package operator tells the person who runs the bot what needs them: in the
// log, by direct message from one of the bot's accounts, and in a channel on
// Discord. Each thing is said once at each, until it is over.
//
// It leaves to others what is worth telling and in which words, and to outbox
// that a message is sent once.
package operator

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"rookery/internal/clock"
	"rookery/internal/community"
	"rookery/internal/discord"
	"rookery/internal/fedi"
	"rookery/internal/jobs"
	"rookery/internal/outbox"
	"rookery/internal/store"
	"rookery/internal/words"
)

// Name is the name of this part in the tables.
const Name = "operator"

//go:embed migrations
var migrations embed.FS

// Migrations are the tables of this package.
func Migrations() store.Migrations { return store.Migrations{Feature: Name, FS: migrations} }

// Config is what an Operator needs.
type Config struct {
	Store  *store.Store
	Outbox *outbox.Outbox
	Clock  clock.Clock
	Log    *slog.Logger

	Fediverse string // handle that is written to, user@host; empty: only the log
	Language  words.Language
	// Connected lists the accounts that can send, and may name one that is in
	// trouble itself: it is asked again each time.
	Connected func() []community.AccountID
	// Channel is where it is said on Discord, by the account that Discord
	// names; "": nowhere. Discord is false while nobody is logged in there.
	Channel community.ChannelID
	Discord func() (community.AccountID, bool)
}

// Operator is safe for concurrent use.
type Operator struct{ Config }

// New makes an Operator on a migrated store.
func New(c Config) *Operator {
	o := &Operator{c}
	c.Outbox.Own(Name, func(ctx context.Context, tx store.Tx, r outbox.Result) error {
		if r.State == outbox.Refused {
			to := c.Fediverse
			if discord.IsAccount(r.Account) {
				to = "channel " + string(c.Channel)
			}
			c.Log.Warn("a message to the operator could not be sent", "to", to, "reason", r.Reason)
		}
		return nil
	})
	return o
}

// Notice is one thing to tell.
type Notice struct {
	// Key names what it is about; while that lasts it is not said again.
	Key  string
	Text string
	// Not is the account that is in trouble and should not be the one to send
	// it; may be empty.
	Not community.AccountID
}

// Tell says something, in the caller's transaction, unless it was said and is
// not over yet.
func (o *Operator) Tell(ctx context.Context, tx store.Tx, n Notice) error {
	now := o.Clock.Now()
	planned, inChannel := int64(0), int64(0)
	if o.Fediverse == "" {
		planned = 1
	}
	if o.Channel == "" {
		inChannel = 1
	}
	fresh, err := tx.Exec(ctx, `insert into operator_notice (key, text, said_at, planned, channel_planned) values ($1, $2, $3, $4, $5) on conflict (key) do nothing`,
		store.Storable(n.Key, 500), store.Storable(n.Text, 4<<10), now.UnixMilli(), planned, inChannel)
	if err != nil {
		return fmt.Errorf("tell the operator: %w", err)
	}
	if fresh == 0 {
		return nil
	}
	tx.AfterCommit(func() { o.Log.Warn("for the operator", "about", n.Key, "notice", n.Text) })
	r := row{n.Key, n.Text, now.UnixMilli()}
	if planned == 0 {
		if err := o.plan(ctx, tx, r, n.Not); err != nil {
			return err
		}
	}
	if inChannel == 0 {
		return o.planInChannel(ctx, tx, r, n.Not)
	}
	return nil
}

// TellNow is Tell in a transaction of its own. What cannot be stored (a full
// disk) is at least logged.
func (o *Operator) TellNow(ctx context.Context, n Notice) {
	err := o.Store.Write(context.WithoutCancel(ctx), func(ctx context.Context, tx store.Tx) error { return o.Tell(ctx, tx, n) })
	if err != nil && !errors.Is(err, store.ErrClosed) {
		o.Log.Error("for the operator", "about", n.Key, "notice", n.Text, "not_sent", err)
	}
}

// Over says that a trouble is past: the next of the kind is told again.
func (o *Operator) Over(ctx context.Context, key string) error {
	var known int64
	if err := o.Store.QueryRow(ctx, `select count(*) from operator_notice where key = $1`, key).Scan(&known); err != nil || known == 0 {
		return err // mostly there was none: that costs no write
	}
	err := o.Store.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		_, err := tx.Exec(ctx, `delete from operator_notice where key = $1`, key)
		return err
	})
	if err != nil {
		return fmt.Errorf("note that %s is over: %w", key, err)
	}
	return nil
}

type row struct {
	key, text string
	said      int64
}

// life is how long a message to the operator is worth sending.
const life = 7 * 24 * time.Hour

// plan hands the message to the outbox, if there is an account to send it.
func (o *Operator) plan(ctx context.Context, tx store.Tx, r row, not community.AccountID) error {
	accounts := o.Connected()
	if i := slices.IndexFunc(accounts, func(a community.AccountID) bool { return a != not }); i > 0 {
		accounts[0] = accounts[i]
	}
	if len(accounts) == 0 || len(accounts) == 1 && accounts[0] == not {
		return nil // Flush comes by
	}
	parts := o.parts(r.text)
	_, err := o.Outbox.Plan(ctx, tx, outbox.Effect{
		Key: fmt.Sprintf("operator/%s/%d", r.key, r.said), Feature: Name, Kind: fedi.PostKind, Account: accounts[0],
		Expires: o.Clock.Now().Add(life), Parts: len(parts), Again: 2,
		Payload: fedi.PostPayload{Parts: parts, Visibility: community.Direct, Language: string(o.Language)},
	})
	if err != nil {
		return fmt.Errorf("plan a message to the operator: %w", err)
	}
	_, err = tx.Exec(ctx, `update operator_notice set planned = 1 where key = $1`, r.key)
	return err
}

// planInChannel hands the message to the outbox for the channel on Discord, if
// we are logged in there.
func (o *Operator) planInChannel(ctx context.Context, tx store.Tx, r row, not community.AccountID) error {
	account, ok := o.Discord()
	if !ok || account == not {
		return nil // Flush comes by
	}
	var parts []discord.Message
	for _, text := range discord.Split(discord.Escape(r.text), discord.MaxContent) {
		parts = append(parts, discord.Message{Content: text, NoPreviews: true})
	}
	if len(parts) > 0 {
		_, err := o.Outbox.Plan(ctx, tx, outbox.Effect{
			Key: fmt.Sprintf("operator/channel/%s/%d", r.key, r.said), Feature: Name, Kind: discord.MessageKind, Account: account,
			Expires: o.Clock.Now().Add(life), Parts: len(parts), Again: 2, Payload: discord.Send{Channel: o.Channel, Parts: parts},
		})
		if err != nil {
			return fmt.Errorf("plan a message to the operator's channel: %w", err)
		}
	}
	_, err := tx.Exec(ctx, `update operator_notice set channel_planned = 1 where key = $1`, r.key)
	return err
}

// shortPost is a length that every server takes, in characters.
const shortPost = 450

// parts are the posts of a message, divided at spaces. The handles in it are
// kept from being mentions: it is for the operator alone.
func (o *Operator) parts(text string) []string {
	to := "@" + o.Fediverse
	most := shortPost - len([]rune(to))
	var parts []string
	part := ""
	for _, word := range strings.Fields(strings.ReplaceAll(text, "@", "@\u200b")) {
		if part != "" && len([]rune(part))+1+len([]rune(word)) > most {
			parts = append(parts, to+part)
			part = ""
		}
		if r := []rune(word); len(r) > most {
			word = string(r[:most-2]) + "…"
		}
		part += " " + word
	}
	return append(parts, to+part)
}

// Flush plans what could not be sent when it was said: no account was
// connected then.
func (o *Operator) Flush(ctx context.Context) error {
	var errs []error
	if o.Fediverse != "" && len(o.Connected()) > 0 {
		errs = append(errs, o.flush(ctx, `select key, text, said_at from operator_notice where planned = 0 order by said_at limit 100`, o.plan))
	}
	if o.Channel != "" {
		if _, ok := o.Discord(); ok {
			errs = append(errs, o.flush(ctx, `select key, text, said_at from operator_notice where channel_planned = 0 order by said_at limit 100`, o.planInChannel))
		}
	}
	return errors.Join(errs...)
}

// flush plans what a query finds waiting.
func (o *Operator) flush(ctx context.Context, query string, plan func(context.Context, store.Tx, row, community.AccountID) error) error {
	waiting := func(q querier) ([]row, error) {
		rows, err := q.Query(ctx, query)
		return store.Collect(rows, err, func(r store.Row) (v row, err error) { return v, r.Scan(&v.key, &v.text, &v.said) })
	}
	if late, err := waiting(o.Store); err != nil || len(late) == 0 {
		return err // mostly there is none: that costs no write
	}
	return o.Store.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		late, err := waiting(tx)
		if err != nil {
			return fmt.Errorf("see what the operator was not told: %w", err)
		}
		for _, r := range late {
			if err := plan(ctx, tx, r, ""); err != nil {
				return err
			}
		}
		return nil
	})
}

// querier is a store.Store, or a store.Tx.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (store.Rows, error)
}

// flushArgs is the job that flushes.
type flushArgs struct{}

// Kind implements jobs.Args.
func (flushArgs) Kind() string { return "operator.flush" }

// Work has the queue look after what could not be sent. Call it before the
// queue starts.
func (o *Operator) Work(q *jobs.Queue) {
	jobs.Register(q, jobs.Kind{}, func(ctx context.Context, _ jobs.Job[flushArgs]) error { return o.Flush(ctx) })
	q.Every("operator.flush", jobs.Interval(time.Minute), flushArgs{}, jobs.Opts{Key: "flush", Priority: 3})
}

const (
	// keepNotices is how long it is kept that something was said which nobody
	// calls over, like a day's spent budget.
	keepNotices = 35 * 24 * time.Hour
	// keepGallery is the same for what is said of the gallery, like a letter
	// that has come.
	keepGallery = 90 * 24 * time.Hour
)

// Prune lets go of old notices.
func (o *Operator) Prune(ctx context.Context) error {
	now := o.Clock.Now()
	before := now.Add(-keepNotices)
	if _, err := o.Outbox.Prune(ctx, Name, before, before); err != nil {
		return err
	}
	return o.Store.WriteRelaxed(ctx, func(ctx context.Context, tx store.Tx) error {
		_, err := tx.Exec(ctx, `delete from operator_notice where said_at < $1 and (key like 'budget/%' or key like 'refused/%') or said_at < $2 and key like 'gallery/%'`,
			before.UnixMilli(), now.Add(-keepGallery).UnixMilli())
		return err
	})
}
