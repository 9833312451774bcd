package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"time"

	"github.com/spf13/cobra"

	"rookery/internal/app/config"
	"rookery/internal/app/sandbox"
	"rookery/internal/clock"
	"rookery/internal/store"
)

// Command is the whole command line. Its errors are for a person to read.
func Command(version string) *cobra.Command {
	c := &cli{version: version}
	root := &cobra.Command{
		Use:   "rookery",
		Short: "One bot for a community on Discord and the Fediverse",
		Long: "Rookery is one self-hosted bot for a community that lives on Discord and on the Fediverse.\n" +
			"To see it work without any account or network: rookery sandbox --story mention",
		Version:       version,
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          cobra.NoArgs,
		// Without a function of its own cobra would answer a misspelt command
		// with the help and an exit code of 0, which cron takes for success.
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.PersistentFlags().StringVarP(&c.file, "config", "c", "", "configuration file (default: "+config.FileName+" in the current folder)")
	root.PersistentFlags().StringVar(&c.clockURL, "clock-url", "", "take the time from a simulated world")
	root.PersistentFlags().BoolVar(&c.loopback, "allow-loopback", false, "let pictures come from this machine: from a simulated board")
	for _, name := range []string{"clock-url", "allow-loopback"} { // for tests and the sandbox
		if err := root.PersistentFlags().MarkHidden(name); err != nil {
			panic(err) // the flag is defined right above
		}
	}
	root.AddCommand(c.run(), c.once(), c.login(), c.doctor(), c.jobsCommand(), c.pauseCommand(), c.resumeCommand(), c.backupCommand(), c.restoreCommand(),
		c.galleryCommand(), c.configCommand(), c.importCommand(), sandbox.Command(version), c.versionCommand())
	return root
}

type cli struct {
	version  string
	file     string
	clockURL string
	loopback bool
}

func (c *cli) run() *cobra.Command {
	dry, backlog := false, false
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Serve all accounts until a signal ends it",
		Long: "Serves all accounts of the configuration until Ctrl-C, SIGTERM or a closing terminal ends it.\n" +
			"It then takes in nothing new and gives the work under way 8 seconds.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if dry {
				return c.rehearse(cmd, backlog)
			}
			if backlog {
				return errors.New("--backlog is for --dry-run; for the real thing set first_run in the configuration")
			}
			return c.with(cmd, "run", func(ctx context.Context, a *App) error {
				return a.Run(ctx, func() {
					a.log.Info("ready", "version", c.version, "accounts", len(a.cfg.Accounts), "discord", a.cfg.Discord.On, "database", a.store.Dialect(), "pid", os.Getpid())
				})
			})
		},
	}
	cmd.Flags().BoolVar(&dry, "dry-run", false, "do everything but sending, and print what would be posted")
	cmd.Flags().BoolVar(&backlog, "backlog", false, "with --dry-run: begin with the mentions that are already there")
	return cmd
}

func (c *cli) once() *cobra.Command {
	replies := 1
	cmd := &cobra.Command{
		Use:   "once",
		Short: "One pass over all accounts, then end: for cron",
		Long: "Takes in what is new, answers at most --replies mentions of each account, and ends.\n" +
			"It ends with 0 unless something needs the operator; two at once are harmless.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if replies < 0 {
				return fmt.Errorf("--replies %d: give 0 or more", replies)
			}
			err := c.with(cmd, "once", func(ctx context.Context, a *App) error {
				ctx, cancel := context.WithTimeout(ctx, onceLimit(a.cfg))
				defer cancel()
				return a.Once(ctx, replies)
			})
			if errors.Is(err, store.ErrInUse) {
				fmt.Fprintf(cmd.ErrOrStderr(), "Nothing to do: %v\n", err)
				return nil
			}
			return err
		},
	}
	cmd.Flags().IntVar(&replies, "replies", replies, "answer at most so many mentions of each account")
	return cmd
}

// with loads the configuration, opens the App, and closes it after fn.
func (c *cli) with(cmd *cobra.Command, name string, fn func(context.Context, *App) error) error {
	cfg, err := config.Load(c.file, os.LookupEnv)
	if err != nil {
		return err
	}
	return c.open(cmd.Context(), cfg, cmd.ErrOrStderr(), Options{Command: name}, fn)
}

// open opens the App on a configuration, and closes it after fn.
func (c *cli) open(ctx context.Context, cfg *config.Config, errOut io.Writer, o Options, fn func(context.Context, *App) error) (err error) {
	log, closeLog, err := newLogger(cfg.Log, errOut)
	if err != nil {
		return err
	}
	defer closeLog()
	for _, w := range cfg.Warnings {
		log.Warn("configuration", "line", w.Line, "key", w.Key, "warning", w.Message)
	}
	o.Clock = clock.System{}
	if c.clockURL != "" {
		following, stop := context.WithCancel(ctx)
		remote, err := clock.FollowRemote(following, c.clockURL)
		if err != nil {
			stop()
			return err
		}
		defer func() { stop(); <-remote.Stopped() }()
		o.Clock = remote
	}
	o.Version, o.Log, o.AllowLoopback = c.version, log, c.loopback
	opening, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	a, err := Open(opening, cfg, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	return fn(ctx, a)
}

func (c *cli) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		Run: func(cmd *cobra.Command, _ []string) {
			printVersion(cmd.OutOrStdout(), c.version)
		},
	}
}

func printVersion(w io.Writer, version string) {
	fmt.Fprintf(w, "rookery %s (%s, %s/%s)\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
