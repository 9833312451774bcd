package app

import (
	"context"
	"errors"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"rookery/internal/app/config"
	"rookery/internal/app/doctor"
	"rookery/internal/app/login"
	"rookery/internal/words"
)

// Commands for setting up, and for finding out what is wrong.

// systemLanguage is the operator's as far as the system knows it, for commands
// that have no configuration yet.
func systemLanguage() words.Language {
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if v := os.Getenv(name); v != "" {
			return words.Match(v)
		}
	}
	return words.English
}

func (c *cli) login() *cobra.Command {
	server := ""
	cmd := &cobra.Command{
		Use:   "login [ACCOUNT]",
		Short: "Get an access token for an account from its server",
		Long: "Registers with the account's server, shows the page on which you allow the bot to use the account,\n" +
			"and puts the access token where the configuration says. ACCOUNT is its name there.\n" +
			"Discord needs no login: the bot's token there comes from the developer portal and goes into the file that token_file names.",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			lc := login.Config{Account: strings.Join(args, ""), Server: server, In: cmd.InOrStdin(), Out: cmd.OutOrStdout(), Language: systemLanguage(), Version: c.version}
			if server == "" {
				cfg, err := config.LoadForLogin(c.file, os.LookupEnv)
				if err != nil {
					return err
				}
				lc.Config, lc.Language = cfg, words.Match(cfg.Operator.Language)
				lc.Known = func(ctx context.Context, account string) (string, error) {
					return doctor.Known(ctx, cfg, account)
				}
			}
			return login.Run(cmd.Context(), lc)
		},
	}
	cmd.Flags().StringVar(&server, "server", "", "log in at this server, like https://social.example, without a configuration")
	return cmd
}

// errNotWell ends the doctor's command with 1; the lines have said it all.
var errNotWell = errors.New("something needs you: see the lines that begin with “error”")

func (c *cli) doctor() *cobra.Command {
	show := false
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Look at everything the bot needs, and say what is wrong and what to do",
		Long: "Looks at the configuration, the database, the accounts and their servers, the language model and the rest,\n" +
			"and says of each: ok, warning or error, and what to do. It changes nothing, and may run beside the bot.\n" +
			"The language model is really asked, one question. It ends with 1 if there is an error.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			l := systemLanguage()
			if cfg, err := config.LoadForLogin(c.file, os.LookupEnv); err == nil {
				l = words.Match(cfg.Operator.Language)
			}
			out := cmd.OutOrStdout()
			var failed error
			lines := doctor.Run(cmd.Context(), doctor.Config{File: c.file, Version: c.version, Migrations: Migrations(), Language: l, ShowPicture: show,
				Texts: checkTexts},
				func(line doctor.Line) { failed = errors.Join(failed, doctor.PrintLine(out, line, l)) })
			if err := errors.Join(failed, doctor.PrintSummary(out, lines, l)); err != nil {
				return err
			}
			if doctor.ExitCode(lines) != 0 {
				return errNotWell
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&show, "show-picture", false, "also have the model that describes pictures describe a small one, which may cost a little")
	return cmd
}
