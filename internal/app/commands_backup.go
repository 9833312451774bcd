package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"rookery/internal/app/backup"
	"rookery/internal/app/config"
	"rookery/internal/mydata"
	"rookery/internal/operator"
	"rookery/internal/store"
	"rookery/internal/words"
)

// backupKey is what the operator's notice of a failed backup is about.
const backupKey = "backup"

// workBackups makes what backs the database up, daily if that is wanted.
func (a *App) workBackups() error {
	c := a.cfg.Backup
	a.backups = &backup.Keeper{Store: a.store, Dir: c.Dir, Keep: c.Keep, Clock: a.clock, Log: a.log,
		Failed: func(ctx context.Context, err error) {
			a.operator.TellNow(ctx, operator.Notice{Key: backupKey, Text: a.operator.Language.Say(words.OperatorBackupFailed, words.Args{"reason": err.Error()})})
		},
		Made: func(ctx context.Context, _ store.BackupInfo) {
			if err := a.operator.Over(ctx, backupKey); err != nil {
				a.log.Warn("a trouble that is over could not be noted", "error", err)
			}
		},
	}
	if !c.Daily || a.Rehearse != nil {
		return nil
	}
	return a.backups.Daily(a.jobs, c.At, time.Local)
}

type backupTo struct {
	Path string // empty: into the configured folder
}

// backup makes a copy of the database now.
func (a *App) backup(ctx context.Context, to backupTo) (store.BackupInfo, error) {
	if to.Path == "" {
		return a.backups.Now(ctx)
	}
	return a.store.Backup(ctx, to.Path)
}

func (c *cli) backupCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "backup [FILE]",
		Short: "Copy the database, also while the bot runs, and check the copy",
		Long: "Copies the whole database as it is at one instant, also while the bot runs, and checks the copy.\n" +
			"Without FILE it goes into the folder of the daily backups.",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var to backupTo
			if len(args) == 1 {
				path, err := filepath.Abs(args[0])
				if err != nil {
					return fmt.Errorf("find %s: %w", args[0], err)
				}
				to.Path = path
			}
			info, l, err := do(cmd, c, "backup", to, func(a *App) func(context.Context, backupTo) (store.BackupInfo, error) { return a.backup })
			if err == nil {
				fmt.Fprintln(cmd.OutOrStdout(), l.Say(words.CommandsBackupDone, words.Args{"path": info.Path, "size": fmt.Sprintf("%.1f", float64(info.Size)/(1<<20))}))
			}
			return err
		},
	}
}

func (c *cli) restoreCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "restore FILE",
		Short: "Put a backup in the place of the database; the bot must not run",
		Long: "Puts a backup in the place of the database, which is kept beside it. The bot must not run.\n" +
			"Mentions since then are looked for again, and answered only if their threads hold no answer yet.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := config.Load(c.file, os.LookupEnv)
			if err != nil {
				return err
			}
			log, closeLog, err := newLogger(cfg.Log, cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			defer closeLog()
			// What members have asked for since the backup was made outlasts it.
			var wishes mydata.Wishes
			known := c.open(cmd.Context(), cfg, cmd.ErrOrStderr(), Options{Command: "restore"}, func(ctx context.Context, a *App) (err error) {
				wishes, err = mydata.ReadWishes(ctx, a.store)
				return err
			})
			if errors.Is(known, store.ErrInUse) {
				return known
			}
			done, err := store.Restore(cmd.Context(), store.Config{Dir: cfg.DataDir, PostgresURL: cfg.Store.PostgresURL.Reveal(), Log: log}, args[0], Migrations()...)
			if err != nil {
				return err
			}
			l := words.Match(cfg.Operator.Language)
			if known != nil {
				fmt.Fprintln(cmd.ErrOrStderr(), l.Say(words.CommandsWishesLost, words.Args{"reason": known}))
			} else if err := c.open(cmd.Context(), cfg, cmd.ErrOrStderr(), Options{Command: "restore"}, func(ctx context.Context, a *App) error {
				_, err := a.mydata.Grant(ctx, wishes)
				return err
			}); err != nil {
				return err
			}
			if err := c.open(cmd.Context(), cfg, cmd.ErrOrStderr(), Options{Command: "restore"}, func(ctx context.Context, a *App) error {
				if a.gallery == nil {
					return nil
				}
				_, err := a.gallery.Restored(ctx)
				return err
			}); err != nil {
				return err
			}
			old := done.Aside
			if old == "" {
				old = "–"
			}
			fmt.Fprintln(cmd.OutOrStdout(), l.Say(words.CommandsRestored, words.Args{"path": args[0], "old": old}))
			return nil
		},
	}
}
