package app

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"time"

	"rookery/internal/app/metrics"
	"rookery/internal/budget"
	"rookery/internal/jobs"
	"rookery/internal/store"
)

// serve opens what a running process listens on: the operator's commands, and
// the address for metrics if there is one. What it returns closes both.
func (a *App) serve(ctx context.Context) (stop func(ctx context.Context) error, err error) {
	commands := a.commands()
	if err := commands.Start(ctx); err != nil {
		return nil, err
	}
	if a.cfg.Web.Listen == "" {
		return commands.Stop, nil
	}
	web, err := a.metrics.Listen(ctx, a.cfg.Web.Listen, metrics.Checks{Alive: a.alive, Ready: a.ready})
	if err != nil {
		return nil, errors.Join(err, commands.Stop(ctx))
	}
	a.log.Info("serving metrics", "address", web.Addr())
	return func(ctx context.Context) error { return errors.Join(web.Close(), commands.Stop(ctx)) }, nil
}

// alive fails if the database does not answer.
func (a *App) alive(ctx context.Context) error {
	var one int64
	if err := a.store.QueryRow(ctx, `select 1`).Scan(&one); err != nil {
		return fmt.Errorf("the database does not answer: %w", err)
	}
	return nil
}

// ready fails while an account is not served, or everything is paused.
func (a *App) ready(ctx context.Context) error {
	errs := []error{a.alive(ctx)}
	for _, s := range a.fedi.Status() {
		if !s.Connected {
			errs = append(errs, fmt.Errorf("account %s is not logged in: %s", s.Name, s.LastError))
		}
	}
	if a.onDiscord != nil && !a.onDiscord.client.Connected() {
		errs = append(errs, errors.New("discord is not connected"))
	}
	if since, err := a.outbox.Paused(ctx); err == nil && !since.IsZero() {
		errs = append(errs, fmt.Errorf("nothing is sent since %s: rookery resume ends the pause", since.Format(time.RFC3339)))
	}
	return errors.Join(errs...)
}

// snapshot is the state of things, for the metrics.
func (a *App) snapshot(ctx context.Context) (metrics.Snapshot, error) {
	s := metrics.Snapshot{Mentions: map[[2]string]int{}, Effects: map[string]int{}, Spent: map[string]float64{}, Limits: map[string]float64{}}
	for _, acc := range a.fedi.Status() {
		s.Accounts = append(s.Accounts, metrics.Account{Name: acc.Name, Connected: acc.Connected, Streaming: acc.Streaming, LastPoll: acc.LastPoll, Skew: acc.Skew})
	}
	for _, acc := range a.fedi.Status() {
		if acc.ID == "" {
			continue
		}
		counts, err := a.inbox.Counts(ctx, acc.ID)
		if err != nil {
			return s, err
		}
		for state, n := range counts {
			s.Mentions[[2]string{acc.Name, string(state)}] = n
		}
	}
	if err := a.discordSnapshot(ctx, &s); err != nil {
		return s, err
	}
	for _, f := range a.answers {
		n, oldest, err := f.Waiting(ctx)
		if err != nil {
			return s, err
		}
		if s.Waiting += n; n > 0 {
			s.OldestWaiting = max(s.OldestWaiting, a.clock.Now().Sub(oldest))
		}
	}
	effects, oldest, err := a.outbox.Counts(ctx)
	if err != nil {
		return s, err
	}
	for state, n := range effects {
		s.Effects[string(state)] = n
	}
	if !oldest.IsZero() {
		s.OldestEffect = max(0, a.clock.Now().Sub(oldest))
	}
	all, err := a.jobs.List(ctx, 1000)
	if err != nil {
		return s, err
	}
	for _, j := range all {
		if j.State == jobs.Failed {
			s.Failed++
		}
	}
	since, err := a.outbox.Paused(ctx)
	if err != nil {
		return s, err
	}
	s.Paused = !since.IsZero()
	u, err := a.budget.Today(ctx)
	if err != nil {
		return s, err
	}
	const million = 1e6
	s.Spent["tokens"], s.Limits["tokens"] = float64(u.Tokens.Used), float64(u.Tokens.Limit)
	s.Spent["replies"], s.Limits["replies"] = float64(u.Replies), budget.Unlimited
	s.Spent["money"], s.Limits["money"] = float64(u.Money.Used)/million, float64(u.Money.Limit)
	if u.Money.Limit > 0 {
		s.Limits["money"] = float64(u.Money.Limit) / million
	}
	if copies, err := a.backups.List(); err == nil && len(copies) > 0 {
		s.LastBackup = copies[0].At
	}
	s.DatabaseBytes = a.databaseBytes()
	return s, nil
}

// discordSnapshot adds the application to the state of things.
func (a *App) discordSnapshot(ctx context.Context, s *metrics.Snapshot) error {
	if a.onDiscord == nil {
		return nil
	}
	st := a.onDiscord.client.Status()
	s.Accounts = append(s.Accounts, metrics.Account{Name: discordName, Connected: st.Connected, Streaming: st.Connected, Skew: st.ClockAhead})
	if st.Account == "" {
		return nil
	}
	counts, err := a.inbox.Counts(ctx, st.Account)
	if err != nil {
		return err
	}
	for state, n := range counts {
		s.Mentions[[2]string{discordName, string(state)}] = n
	}
	return nil
}

// databaseBytes is the size of the SQLite files; 0 for PostgreSQL.
func (a *App) databaseBytes() int64 {
	if a.store.Dialect() != store.SQLite {
		return 0
	}
	var total int64
	files, _ := filepath.Glob(filepath.Join(a.cfg.DataDir, "rookery.db*"))
	for _, f := range files {
		if st, err := os.Stat(f); err == nil {
			total = min(total+st.Size(), math.MaxInt64)
		}
	}
	return total
}
