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
	"time"

	"rookery/internal/app/config"
	"rookery/internal/clock"
	"rookery/internal/community"
	"rookery/internal/fedi"
	"rookery/internal/inbox"
	"rookery/internal/jobs"
	"rookery/internal/llm"
	"rookery/internal/outbox"
	"rookery/internal/persona"
	"rookery/internal/store"
)

// Options are what an App gets besides its configuration.
type Options struct {
	Command string // the command's name, for whoever finds the directory taken
	Version string
	Log     *slog.Logger
	Clock   clock.Clock
}

// App is the program, put together but not yet at work. Close it at the end.
type App struct {
	cfg     *config.Config
	log     *slog.Logger
	clock   clock.Clock
	lock    *store.DirLock
	store   *store.Store
	jobs    *jobs.Queue
	outbox  *outbox.Outbox
	persona *persona.Persona // nil if no account does it
	fedi    *fedi.Fedi
}

// Open takes the data directory, opens and migrates the database and wires
// the parts. It touches no server. The error is store.ErrInUse if another
// process works on the directory.
func Open(ctx context.Context, cfg *config.Config, o Options) (a *App, err error) {
	if o.Clock == nil {
		o.Clock = clock.System{}
	}
	a = &App{cfg: cfg, log: o.Log, clock: o.Clock}
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
	if err := a.store.Migrate(ctx, jobs.Migrations(), inbox.Migrations(), outbox.Migrations(), persona.Migrations()); err != nil {
		return a, err
	}
	a.jobs = jobs.New(jobs.Config{Store: a.store, Clock: o.Clock, Log: o.Log,
		Workers: map[string]int{outbox.QueueName: 1, persona.QueueName: max(2, len(cfg.Accounts))}})
	a.outbox = outbox.New(outbox.Config{Store: a.store, Clock: o.Clock, Log: o.Log, Timeout: cfg.Outbox.RequestTimeout,
		SettleError: cfg.Outbox.SettleAfterError, SettleSilence: cfg.Outbox.SettleAfterSilence})
	a.outbox.Work(a.jobs)
	features, err := a.features(o)
	if err != nil {
		return a, err
	}
	if a.fedi, err = a.platform(o, features); err != nil {
		return a, err
	}
	if a.persona != nil {
		a.persona.Join(a.fedi)
	}
	return a, nil
}

// features makes what any account does. A new feature is one entry here.
func (a *App) features(o Options) (map[string]inbox.Feature, error) {
	features := map[string]inbox.Feature{}
	if a.cfg.Doing(config.FeaturePersona) {
		model, err := a.model(o)
		if err != nil {
			return nil, err
		}
		a.persona = persona.New(persona.Config{
			Store: a.store, Outbox: a.outbox, Clock: o.Clock, Log: o.Log.With("feature", persona.Name), Model: model,
			Character: a.cfg.Persona.Character, Language: a.cfg.Persona.Language, Parallel: a.cfg.Persona.Parallel,
			MaxPromptChars: a.cfg.Persona.MaxPromptChars, ModelTimeout: a.cfg.LLM.Timeout, RequestTimeout: a.cfg.Outbox.RequestTimeout,
		})
		a.persona.Work(a.jobs)
		features[config.FeaturePersona] = a.persona
	}
	return features, nil
}

func (a *App) model(o Options) (*llm.Client, error) {
	c := a.cfg.LLM
	return llm.New(llm.Options{
		BaseURL: c.BaseURL, Key: c.APIKey.Reveal(), Model: c.Model, Timeout: c.Timeout, Retries: c.Retries,
		Temperature: float(c.Temperature), TopP: float(c.TopP), MaxTokens: c.MaxTokens,
		FrequencyPenalty: float(c.FrequencyPenalty), PresencePenalty: float(c.PresencePenalty), Stop: c.Stop,
		UserAgent: userAgent(o.Version), Now: o.Clock.Now, Log: o.Log,
	})
}

func float(v *float64) *float32 {
	if v == nil {
		return nil
	}
	f := float32(*v)
	return &f
}

func (a *App) platform(o Options, features map[string]inbox.Feature) (*fedi.Fedi, error) {
	var logins []fedi.LoginConfig
	for _, acc := range a.cfg.Accounts {
		l := fedi.LoginConfig{
			Name: acc.Name, Server: acc.Server, Token: acc.Token.Reveal(), Poll: acc.Poll, MaxAge: acc.MaxAge, Backlog: acc.Backlog,
			NoRateLimits: !acc.RateLimits,
			TokenHelp:    fmt.Sprintf("make a new access token for %s at %s, put it where the configuration says (token_env or token_file), and start again", acc.Name, acc.Server),
		}
		for _, name := range acc.Does {
			l.Features = append(l.Features, features[name])
		}
		logins = append(logins, l)
	}
	return fedi.NewFedi(fedi.Config{
		Store: a.store, Inbox: inbox.New(a.store, o.Clock, o.Log), Outbox: a.outbox, Clock: o.Clock, Log: o.Log,
		UserAgent: userAgent(o.Version), Timeout: a.cfg.Outbox.RequestTimeout, Logins: logins,
	})
}

func userAgent(version string) string { return "Rookery/" + version + " (community bot)" }

// recover picks up what the last process left.
func (a *App) recover(ctx context.Context) error {
	if err := a.outbox.Recover(ctx); err != nil {
		return err
	}
	if a.persona != nil {
		return a.persona.Recover(ctx)
	}
	return nil
}

// Run works until ctx ends, then drains: intake stops first, then the jobs
// and their requests get 8 seconds. ready is called once everything is at work.
func (a *App) Run(ctx context.Context, ready func()) error {
	if err := a.recover(ctx); err != nil {
		return err
	}
	// The queue has its own end: it drains after intake has stopped.
	if err := a.jobs.Start(context.WithoutCancel(ctx)); err != nil {
		return fmt.Errorf("start the jobs: %w", err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		a.fedi.Run(ctx)
	}()
	ready()
	<-ctx.Done()
	a.log.Info("stopping: no new mentions are taken in, work under way gets 8 seconds")
	<-done
	if a.persona != nil {
		a.persona.StopPicking()
	}
	err := a.jobs.Stop(context.WithoutCancel(ctx))
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
	if _, err := a.outbox.Sweep(ctx); err != nil {
		return err
	}
	var errs []error
	if a.persona != nil {
		for _, id := range a.fedi.Connected() {
			errs = append(errs, a.answerOnce(ctx, id, replies))
		}
	}
	a.fedi.Dismiss(ctx)
	return errors.Join(append(errs, forOperator(pollErr))...)
}

func (a *App) answerOnce(ctx context.Context, id community.AccountID, replies int) error {
	n, err := a.persona.Answer(ctx, id, replies)
	a.log.Info("pass done", "account", id, "replies", n)
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
	case fedi.ClassOf(err) == fedi.Auth, slices.Contains([]llm.Class{llm.Auth, llm.Invalid}, llm.ClassOf(err)),
		errors.Is(err, store.ErrFull), errors.Is(err, store.ErrBroken), errors.Is(err, store.ErrLocked):
		return err
	}
	return nil
}

// Close lets go of the database and the directory. It is safe on an App that
// Open could not finish.
func (a *App) Close() error {
	var errs []error
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

// onceLimit bounds a whole pass, so that a cron job never piles up.
func onceLimit(cfg *config.Config) time.Duration {
	return cfg.LLM.Timeout + 4*cfg.Outbox.RequestTimeout + time.Minute
}
