package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"rookery/internal/app/config"
	"rookery/internal/app/doctor"
	"rookery/internal/app/importer"
	"rookery/internal/words"
)

// Commands that take over another bot.

func (c *cli) importCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "import",
		Short: "Take over the settings and the work of another bot",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	elelem := &cobra.Command{
		Use:   "elelem ENVFILE",
		Short: "Write a configuration from elelem's file of variables",
		Long: "Writes rookery.toml and rookery.env into the current folder, from the file of variables of\n" +
			"elelem (github.com/eobrain/elelem), and says what was taken over. It overwrites no file.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			_, err := importer.Elelem(cmd.Context(), importer.Config{File: args[0], Out: cmd.OutOrStdout(), Language: systemLanguage()})
			return err
		},
	}
	cmd.AddCommand(elelem, c.importGiffer(), c.importFediverseBot())
	return cmd
}

func (c *cli) importGiffer() *cobra.Command {
	account := ""
	cmd := &cobra.Command{
		Use:   "giffer STATE|ENVFILE [STATE|ENVFILE]",
		Short: "Take over giffer's settings, and what it has answered",
		Long: "Takes over giffer (github.com/DarkShyMW/furry_giffer_bot_mastodon). Which file is which it finds out itself.\n\n" +
			"ENVFILE is giffer's config.env: rookery.toml and giffer.token are written into the current folder, or into\n" +
			"that which --config names. No file is overwritten.\n\n" +
			"STATE is giffer's giffer_state.json: what giffer has answered is never answered again, and Rookery begins\n" +
			"where giffer has ended. The server is asked, nothing is posted. Stop giffer and Rookery before. Doing it\n" +
			"again changes nothing.",
		Args: cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			g, err := importer.ReadGiffer(args...)
			if err != nil {
				return err
			}
			if !g.HasSettings() {
				return c.takeOverGiffer(cmd, g, c.file, account)
			}
			dir, err := c.importDir()
			if err != nil {
				return err
			}
			r, err := g.Write(cmd.Context(), importer.Config{Dir: dir, Out: cmd.OutOrStdout(), Language: systemLanguage()})
			if err != nil || !g.HasState() {
				return err
			}
			if err := c.takeOverGiffer(cmd, g, r.Config, account); err != nil {
				return fmt.Errorf("the configuration is written; for the state alone give that file alone: %w", err)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&account, "account", "", "name in the configuration of the account that giffer had, if several show pictures")
	return cmd
}

// importDir is the folder that a configuration is written into.
func (c *cli) importDir() (string, error) {
	if c.file == "" {
		return "", nil
	}
	if st, err := os.Stat(c.file); err == nil && st.IsDir() {
		return c.file, nil
	}
	if filepath.Base(c.file) != config.FileName {
		return "", fmt.Errorf("the configuration is always written as %s: name a folder with --config, or leave it out", config.FileName)
	}
	return filepath.Dir(c.file), nil
}

// takeOverGiffer takes giffer's work over for an account of a configuration.
func (c *cli) takeOverGiffer(cmd *cobra.Command, g *importer.Giffer, file, account string) error {
	cfg, err := config.Load(file, os.LookupEnv)
	if err != nil {
		return err
	}
	a, err := gifsAccount(cfg, account)
	if err != nil {
		return err
	}
	was, err := doctor.Known(cmd.Context(), cfg, a.Name)
	if err != nil {
		return err
	}
	return c.open(cmd.Context(), cfg, cmd.ErrOrStderr(), Options{Command: "import giffer"}, func(ctx context.Context, app *App) error {
		return g.TakeOver(ctx, importer.Takeover{Account: a, Was: was, UserAgent: userAgent(c.version), Inbox: app.inbox, Timeout: cfg.Outbox.RequestTimeout,
			Clock: app.clock, Out: cmd.OutOrStdout(), Language: words.Match(cfg.Operator.Language)})
	})
}

// gifsAccount is the account that takes giffer's place.
func gifsAccount(cfg *config.Config, name string) (config.Account, error) {
	var all []config.Account
	var names []string
	for _, a := range cfg.Accounts {
		if !a.Doing(config.FeatureGIFs) {
			if a.Name == name {
				return config.Account{}, fmt.Errorf("the account %s does not show pictures: write does = [%q] into its section of %s", name, config.FeatureGIFs, cfg.File)
			}
			continue
		}
		if a.Name == name {
			return a, nil
		}
		all, names = append(all, a), append(names, a.Name)
	}
	switch {
	case len(all) == 0:
		return config.Account{}, fmt.Errorf("no account in %s shows pictures: write does = [%q] into the section of the one that giffer had", cfg.File, config.FeatureGIFs)
	case name != "":
		return config.Account{}, fmt.Errorf("the configuration has no account %q: %s", name, strings.Join(names, ", ")+" show pictures")
	case len(all) > 1:
		return config.Account{}, errors.New("say with --account which account giffer had: one of " + strings.Join(names, ", "))
	}
	return all[0], nil
}
