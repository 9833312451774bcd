// Package sandbox plays a whole little fediverse on this machine and lets the real bot live in it.
package sandbox

import (
	"errors"

	"github.com/spf13/cobra"
)

// Command is `rookery sandbox`.
func Command(version string) *cobra.Command {
	_ = version
	return &cobra.Command{
		Use:   "sandbox",
		Short: "Try the bot on this machine, with no token and no network",
		RunE: func(*cobra.Command, []string) error {
			return errors.New("the sandbox is not written yet")
		},
	}
}
