package app

import (
	"context"
	"strings"

	"rookery/internal/community"
	"rookery/internal/discord"
	"rookery/internal/inbox"
	"rookery/internal/settings"
	"rookery/internal/store"
)

// settingsKeeper lets members who have changed settings of a guild be forgotten
// there: what they set stays, and no longer says who it was.
type settingsKeeper struct{ book *settings.Book }

// Standing implements mydata.Keeper: settings are no answers.
func (settingsKeeper) Standing(context.Context, store.Tx, inbox.Member, []inbox.Record) (int, error) {
	return 0, nil
}

// DeleteAnswers implements mydata.Keeper.
func (settingsKeeper) DeleteAnswers(context.Context, store.Tx, inbox.Member, []inbox.Record) (int, error) {
	return 0, nil
}

// ForgetMember implements mydata.Keeper.
func (k settingsKeeper) ForgetMember(ctx context.Context, tx store.Tx, m inbox.Member, _ []inbox.Record) error {
	id, ok := strings.CutSuffix(m.Handle, discord.HandleOf(""))
	if !ok {
		return nil
	}
	return k.book.Forget(ctx, tx, community.MemberID(id))
}

// Prune implements mydata.Keeper; the guild's own housekeeping does it.
func (settingsKeeper) Prune(context.Context) error { return nil }
