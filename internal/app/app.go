// Package app puts the parts together, top to bottom, and holds the commands
// that a person types. It decides nothing about what a part does; each gets
// its settings and its finished collaborators.
package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"rookery/internal/app/backup"
	"rookery/internal/app/config"
	"rookery/internal/app/metrics"
	"rookery/internal/budget"
	"rookery/internal/clock"
	"rookery/internal/community"
	"rookery/internal/discord"
	"rookery/internal/fedi"
	"rookery/internal/gallery"
	"rookery/internal/gallery/ledger"
	"rookery/internal/gifs"
	"rookery/internal/guild"
	"rookery/internal/inbox"
	"rookery/internal/jobs"
	"rookery/internal/llm"
	"rookery/internal/media"
	"rookery/internal/mydata"
	"rookery/internal/operator"
	"rookery/internal/outbox"
	"rookery/internal/persona"
	"rookery/internal/settings"
	"rookery/internal/store"
	"rookery/internal/turns"
)

// Options are what an App gets besides its configuration.
type Options struct {
	Command string // the command's name, for whoever finds the directory taken
	Version string
	Log     *slog.Logger
	Clock   clock.Clock
	// Rehearse, if set, is shown what would be sent, and nothing is.
	Rehearse func(kind string, a outbox.Attempt)
	// AllowLoopback lets pictures come from this very machine: from a
	// simulated board.
	AllowLoopback bool
}

// App is the program, put together but not yet at work. Close it at the end.
type App struct {
	Options
	cfg      *config.Config
	log      *slog.Logger
	clock    clock.Clock
	lock     *store.DirLock
	store    *store.Store
	jobs     *jobs.Queue
	inbox    *inbox.Inbox
	outbox   *outbox.Outbox
	budget   *budget.Budget
	operator *operator.Operator
	mydata   *mydata.MyData
	persona  *persona.Persona // nil if no account does it
	gifs     *gifs.GIFs       // nil if no account does it
	gallery  *gallery.Gallery // nil if no account does it
	past     *gallery.Gallery // what is left of one, where no account does it any more; else nil
	media    *media.Kit       // nil if nothing needs it
	answers  []answering      // what answers mentions, in the order in which a pass asks it
	fedi     *fedi.Fedi
	backups  *backup.Keeper
	metrics  *metrics.Metrics

	onDiscord *onDiscord // nil without a [discord] section

	modelDown modelState
}

// answering is a feature that answers what waits for an account.
type answering interface {
	Recover(ctx context.Context) error
	Resumed(ctx context.Context) error
	StopPicking()
	Answer(ctx context.Context, account community.AccountID, limit int) (int, error)
	Waiting(ctx context.Context) (n int, oldest time.Time, err error)
}

// Open takes the data directory, opens and migrates the database and wires
// the parts. It touches no server. The error is store.ErrInUse if another
// process works on the directory.
func Open(ctx context.Context, cfg *config.Config, o Options) (a *App, err error) {
	if o.Clock == nil {
		o.Clock = clock.System{}
	}
	a = &App{Options: o, cfg: cfg, log: o.Log, clock: o.Clock}
	defer func() {
		if err != nil {
			_ = a.Close()
		}
	}()
	if a.lock, err = store.LockDir(cfg.DataDir, o.Command); err != nil {
		return a, err
	}
	a.store, err = store.Open(ctx, store.Config{Dir: cfg.DataDir, PostgresURL: cfg.Store.PostgresURL.Reveal(), Log: o.Log, Clock: o.Clock})
	if err != nil {
		return a, err
	}
	if err := a.store.Migrate(ctx, Migrations()...); err != nil {
		return a, err
	}
	return a, a.wire()
}

// Migrations are the tables of all parts, in the order in which they are made.
// A new part is one entry here.
func Migrations() []store.Migrations {
	return []store.Migrations{jobs.Migrations(), inbox.Migrations(), outbox.Migrations(), fedi.Migrations(), budget.Migrations(), turns.Migrations(),
		operator.Migrations(), mydata.Migrations(), settings.Migrations(), discord.Migrations(), guild.Migrations(), gifs.Migrations(), persona.Migrations(), gallery.Migrations(), ledger.Migrations()}
}

func userAgent(version string) string { return "Rookery/" + version + " (community bot)" }

// drainTime is what the work under way gets at the end.
const drainTime = 8 * time.Second

// recover picks up what the last process left.
func (a *App) recover(ctx context.Context) error {
	if err := a.outbox.Recover(ctx); err != nil {
		return err
	}
	for _, f := range a.answers {
		if err := f.Recover(ctx); err != nil {
			return err
		}
	}
	if a.gallery != nil {
		return a.gallery.Recover(ctx)
	}
	return nil
}

// Run works until ctx ends, then drains: intake stops first, then the jobs
// and their requests get 8 seconds. ready is called once everything is at work.
func (a *App) Run(ctx context.Context, ready func()) (err error) {
	if err := a.recover(ctx); err != nil {
		return err
	}
	a.probeFFmpeg(ctx)
	stopServing, err := a.serve(ctx)
	if err != nil {
		return err
	}
	defer func() {
		// A command under way (a long backup) does not hold up the end.
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
		defer cancel()
		err = errors.Join(err, stopServing(ending))
	}()
	// The queue has its own end: it drains after intake has stopped.
	if err := a.jobs.Start(context.WithoutCancel(ctx)); err != nil {
		return fmt.Errorf("start the jobs: %w", err)
	}
	var intake sync.WaitGroup
	intake.Go(func() { a.fedi.Run(ctx) })
	if a.onDiscord != nil {
		intake.Go(func() { a.onDiscord.client.Run(ctx) })
	}
	ready()
	<-ctx.Done()
	a.log.Info("stopping: no new mentions are taken in, work under way gets 8 seconds")
	intake.Wait()
	for _, f := range a.answers {
		f.StopPicking()
	}
	err = a.jobs.Stop(context.WithoutCancel(ctx))
	a.log.Info("stopped")
	return err
}

// Once makes one pass over all accounts: take in what is new, bring what is
// under way to its end, answer at most replies mentions of each. Its error
// joins what needs the operator; a server or model that does not answer is
// only logged, for the next pass will do.
func (a *App) Once(ctx context.Context, replies int) error {
	if err := a.recover(ctx); err != nil {
		return err
	}
	pollErr := a.fedi.PollOnce(ctx)
	if pollErr != nil {
		a.log.Warn("not every account could be polled", "error", pollErr)
	}
	a.accountsPolled(pollErr)
	discordErr := a.pollDiscord(ctx)
	// What the operator could not be told last time, and what waits.
	if err := a.operator.Flush(ctx); err != nil {
		return err
	}
	if _, err := a.outbox.Sweep(ctx); err != nil {
		return err
	}
	var errs []error
	for _, id := range a.fedi.Connected() {
		errs = append(errs, a.answerOnce(ctx, id, replies))
	}
	if id, ok := a.discordAccount(); ok && discordErr == nil {
		errs = append(errs, a.answerOnce(ctx, id, replies))
	}
	a.fedi.Dismiss(ctx)
	// A notice to a member or the operator may have been planned meanwhile.
	if _, err := a.outbox.Sweep(ctx); err != nil {
		errs = append(errs, err)
	}
	if err := a.housekeeping(ctx); err != nil {
		errs = append(errs, err)
	}
	return errors.Join(append(errs, forOperator(pollErr), forOperator(discordErr))...)
}

// pollDiscord looks for messages that address the bot. It answers no commands:
// for those one must be connected.
func (a *App) pollDiscord(ctx context.Context) error {
	if a.onDiscord == nil {
		return nil
	}
	err := a.onDiscord.client.PollOnce(ctx)
	if err != nil {
		a.log.Warn("not every account could be polled", "error", err)
	}
	return err
}

func (a *App) answerOnce(ctx context.Context, id community.AccountID, replies int) error {
	done := 0
	var errs []error
	for _, f := range a.answers {
		left := replies
		if replies >= 0 {
			left = max(replies-done, 0)
		}
		n, err := f.Answer(ctx, id, left)
		done += n
		errs = append(errs, err)
	}
	a.log.Info("pass done", "account", id, "replies", done)
	err := errors.Join(errs...)
	if err != nil {
		a.log.Warn("not every mention could be answered; the next pass goes on", "account", id, "error", err)
	}
	return forOperator(err)
}

// forOperator keeps an error, or a joined one, if any of it will not go away
// by itself.
func forOperator(err error) error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, one := range joined.Unwrap() {
			if forOperator(one) != nil {
				return err
			}
		}
		return nil
	}
	switch {
	case err == nil, errors.Is(err, context.Canceled):
		return nil
	case fedi.ClassOf(err) == fedi.Auth, discord.ClassOf(err) == discord.Auth, slices.Contains([]llm.Class{llm.Auth, llm.Invalid}, llm.ClassOf(err)),
		errors.Is(err, store.ErrFull), errors.Is(err, store.ErrBroken), errors.Is(err, store.ErrLocked):
		return err
	}
	return nil
}

// Close lets go of the database and the directory. It is safe on an App that
// Open could not finish.
func (a *App) Close() error {
	var errs []error
	if a.media != nil {
		errs = append(errs, a.media.Close())
		a.media = nil
	}
	if a.store != nil {
		errs = append(errs, a.store.Close())
		a.store = nil
	}
	if a.lock != nil {
		errs = append(errs, a.lock.Release())
		a.lock = nil
	}
	return errors.Join(errs...)
}
