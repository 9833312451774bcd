package app

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"rookery/internal/app/config"
	"rookery/internal/app/control"
	"rookery/internal/community"
	"rookery/internal/fedi"
	"rookery/internal/jobs"
	"rookery/internal/mydata"
	"rookery/internal/outbox"
	"rookery/internal/store"
	"rookery/internal/words"
)

// Commands for what runs. Each is carried out by the running process, or, if
// there is none, by the command itself (control.Do): an action is written once
// for both.

// none is a request or an answer without content.
type none struct{}

type jobID struct{ ID int64 }

type paused struct{ Since time.Time }

// commands are the actions that a running process offers.
func (a *App) commands() *control.Server {
	s := control.NewServer(control.Config{Dir: a.cfg.DataDir, Log: a.log, Clock: a.clock})
	control.Register(s, "pause", a.pause)
	control.Register(s, "resume", a.resume)
	control.Register(s, "jobs", a.listJobs)
	control.Register(s, "jobs.retry", a.retryJob)
	control.Register(s, "jobs.drop", a.dropJob)
	control.Register(s, "backup", a.backup)
	control.Register(s, "wishes", a.wishes)
	a.registerGallery(s)
	return s
}

func (a *App) pause(ctx context.Context, _ none) (paused, error) {
	if err := a.outbox.Pause(ctx); err != nil {
		return paused{}, err
	}
	since, err := a.outbox.Paused(ctx)
	if err == nil {
		a.log.Info("paused: nothing is sent until rookery resume")
	}
	return paused{since}, err
}

func (a *App) resume(ctx context.Context, _ none) (none, error) {
	err := a.outbox.Resume(ctx)
	for _, f := range a.answers {
		if err != nil {
			break
		}
		err = f.Resumed(ctx)
	}
	if err == nil {
		a.log.Info("resumed")
	}
	return none{}, err
}

// wishes are what members have asked for.
func (a *App) wishes(ctx context.Context, _ none) (mydata.Wishes, error) {
	return mydata.ReadWishes(ctx, a.store)
}

func (a *App) listJobs(ctx context.Context, _ none) ([]jobs.Info, error) {
	return a.jobs.List(ctx, 200)
}

func (a *App) retryJob(ctx context.Context, j jobID) (none, error) {
	return none{}, a.jobs.Retry(ctx, j.ID)
}

func (a *App) dropJob(ctx context.Context, j jobID) (none, error) {
	return none{}, a.jobs.Drop(ctx, j.ID)
}

// do loads the configuration and has an action carried out.
func do[Req, Resp any](cmd *cobra.Command, c *cli, name string, req Req, direct func(*App) func(context.Context, Req) (Resp, error)) (Resp, words.Language, error) {
	var resp Resp
	cfg, err := config.Load(c.file, os.LookupEnv)
	if err != nil {
		return resp, words.English, err
	}
	resp, err = control.Do(cmd.Context(), cfg.DataDir, name, req, func(ctx context.Context, req Req) (resp Resp, err error) {
		err = c.open(ctx, cfg, cmd.ErrOrStderr(), Options{Command: name}, func(ctx context.Context, a *App) error {
			resp, err = direct(a)(ctx, req)
			return err
		})
		return resp, err
	})
	return resp, words.Match(cfg.Operator.Language), err
}

// when is a job's time; one that is due at once has none.
func when(at time.Time) string {
	if at.Unix() <= 0 {
		return "now"
	}
	return at.Local().Format(time.DateTime)
}

func (c *cli) pauseCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "pause",
		Short: "Send nothing until resume; mentions are still taken in",
		Long:  "Sends nothing until rookery resume, also over restarts. Mentions are still taken in, and wait.",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			p, l, err := do(cmd, c, "pause", none{}, func(a *App) func(context.Context, none) (paused, error) { return a.pause })
			if err == nil {
				fmt.Fprintln(cmd.OutOrStdout(), l.Say(words.CommandsPaused, words.Args{"time": p.Since.Local()}))
			}
			return err
		},
	}
}

func (c *cli) resumeCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "resume",
		Short: "End a pause",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, l, err := do(cmd, c, "resume", none{}, func(a *App) func(context.Context, none) (none, error) { return a.resume })
			if err == nil {
				fmt.Fprintln(cmd.OutOrStdout(), l.Say(words.CommandsResumed, nil))
			}
			return err
		},
	}
}

func (c *cli) jobsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "jobs",
		Short: "List what waits to be done, and what was given up",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			all, l, err := do(cmd, c, "jobs", none{}, func(a *App) func(context.Context, none) ([]jobs.Info, error) { return a.listJobs })
			if err != nil {
				return err
			}
			if len(all) == 0 {
				fmt.Fprintln(cmd.OutOrStdout(), l.Say(words.CommandsNoJobs, nil))
				return nil
			}
			w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 8, 2, ' ', 0)
			fmt.Fprintln(w, l.Say(words.CommandsJobsHead, words.Args{"tab": "\t"}))
			for _, j := range all {
				fmt.Fprintf(w, "%d\t%s\t%s\t%d/%d\t%s\t%s\n", j.ID, j.State, j.Kind, j.Attempt, j.MaxAttempts,
					when(j.RunAt), strings.Join(strings.Fields(j.LastError), " "))
			}
			return w.Flush()
		},
	}
	one := func(use, short, name string, said words.Key, action func(*App) func(context.Context, jobID) (none, error)) *cobra.Command {
		return &cobra.Command{Use: use + " ID", Short: short, Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
			id, err := strconv.ParseInt(args[0], 10, 64)
			if err != nil {
				return fmt.Errorf("%q is no job's number: rookery jobs lists them", args[0])
			}
			_, l, err := do(cmd, c, name, jobID{id}, action)
			if err == nil {
				fmt.Fprintln(cmd.OutOrStdout(), l.Say(said, words.Args{"id": args[0]}))
			}
			return err
		}}
	}
	cmd.AddCommand(
		one("retry", "Run a job again that was given up, or now one that waits", "jobs.retry", words.CommandsJobRetried,
			func(a *App) func(context.Context, jobID) (none, error) { return a.retryJob }),
		one("drop", "Remove a job for good", "jobs.drop", words.CommandsJobDropped,
			func(a *App) func(context.Context, jobID) (none, error) { return a.dropJob }))
	return cmd
}

// rehearse is run --dry-run: the whole program on a database of its own, with
// nothing sent. It may run beside the real one.
func (c *cli) rehearse(cmd *cobra.Command, backlog bool) error {
	cfg, err := config.Load(c.file, os.LookupEnv)
	if err != nil {
		return err
	}
	l := words.Match(cfg.Operator.Language)
	// Who has told the real one to stop is left alone by its rehearsal too.
	var wishes mydata.Wishes
	if _, err := os.Stat(filepath.Join(cfg.DataDir, store.FileName)); err == nil || cfg.Store.PostgresURL.IsSet() {
		if wishes, _, err = do(cmd, c, "wishes", none{}, func(a *App) func(context.Context, none) (mydata.Wishes, error) { return a.wishes }); err != nil {
			return fmt.Errorf("see who wants to be left alone: %w", err)
		}
	}
	removeRehearsals()
	dir, err := os.MkdirTemp("", rehearsalPrefix)
	if err != nil {
		return fmt.Errorf("make a folder for the dry run: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	cfg.DataDir, cfg.Store = dir, config.Store{}
	cfg.Log.File = "" // which may be that of the real one
	cfg.Backup.Daily, cfg.Web.Listen = false, ""
	for i := range cfg.Accounts {
		cfg.Accounts[i].Backlog = backlog
	}
	out := cmd.OutOrStdout()
	fmt.Fprintln(out, l.Say(words.CommandsDryRun, nil))
	name := func(id community.AccountID) string { return string(id) }
	o := Options{Command: "run --dry-run", Rehearse: func(kind string, at outbox.Attempt) { show(cmd, l, kind, name(at.Account), at) }}
	return c.open(cmd.Context(), cfg, cmd.ErrOrStderr(), o, func(ctx context.Context, a *App) error {
		name = a.nameOf
		if _, err := a.mydata.Grant(ctx, wishes); err != nil {
			return err
		}
		return a.Run(ctx, func() { a.log.Info("ready", "dry_run", true) })
	})
}

const rehearsalPrefix = "rookery-dry-run-"

// removeRehearsals takes away what killed dry runs have left: it holds what
// members wrote.
func removeRehearsals() {
	left, _ := filepath.Glob(filepath.Join(os.TempDir(), rehearsalPrefix+"*")) // at worst they stay
	for _, dir := range left {
		lock, err := store.LockDir(dir, "run --dry-run")
		if err != nil {
			continue // one is at work there
		}
		_ = lock.Release()
		_ = os.RemoveAll(dir)
	}
}

// show prints what would be sent, in one write, for several may come at once.
func show(cmd *cobra.Command, l words.Language, kind, account string, at outbox.Attempt) {
	var p fedi.PostPayload
	text := kind
	if err := json.Unmarshal(at.Payload, &p); err == nil && at.Part < len(p.Parts) {
		text = p.Parts[at.Part]
		if p.CW != "" {
			text = "[" + p.CW + "] " + text
		}
	}
	head := l.Say(words.CommandsWouldPost, words.Args{"account": account, "visibility": string(p.Visibility)})
	if at.Part == 0 && len(p.MediaIDs) > 0 {
		text += "\n" + l.Say(words.CommandsWithPictures, words.Args{"n": len(p.MediaIDs)})
	}
	fmt.Fprintf(cmd.OutOrStdout(), "\n%s\n%s\n", head, text)
}
