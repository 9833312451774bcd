package app

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"rookery/internal/app/config"
	"rookery/internal/gallery"
	"rookery/internal/words"
)

// checkTexts reads the operator's own texts as the gallery does.
func checkTexts(file string) error {
	_, err := gallery.LoadTexts(file)
	return err
}

func (c *cli) configCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Check the configuration file, or print an example",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(&cobra.Command{
		Use:   "check",
		Short: "Read the configuration file and say everything that is wrong with it",
		Long:  "Reads the configuration file and says everything that is wrong with it, each with its line.\nNo server is asked: rookery doctor does that.",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := config.Load(c.file, os.LookupEnv)
			if err != nil {
				return err
			}
			if err := cfg.CheckTexts(checkTexts); err != nil {
				return err
			}
			l := words.Match(cfg.Operator.Language)
			for _, w := range cfg.Warnings {
				fmt.Fprintln(cmd.OutOrStdout(), l.Say(words.CommandsWarning, words.Args{"line": w.Line, "text": w.Message}))
			}
			fmt.Fprintln(cmd.OutOrStdout(), l.Say(words.CommandsConfigGood, words.Args{"path": cfg.File}))
			return nil
		},
	}, &cobra.Command{
		Use:   "example",
		Short: "Print a configuration file with every key and what it does",
		Args:  cobra.NoArgs,
		Run:   func(cmd *cobra.Command, _ []string) { fmt.Fprint(cmd.OutOrStdout(), config.Example()) },
	})
	return cmd
}
