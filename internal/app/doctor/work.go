package doctor

import (
	"context"
	"errors"
	"time"

	"rookery/internal/budget"
	"rookery/internal/store"
	"rookery/internal/words"
)

// lateWork is the age at which something that waits is worth a word.
const lateWork = time.Hour

// ask reads one row, if the database can be asked; it reports whether it was.
func (d *doctor) ask(ctx context.Context, r *report, dest []any, sql string, args ...any) bool {
	if d.db == nil || !d.db.current {
		return false // said of the database
	}
	if err := d.db.row(ctx, dest, sql, args...); err != nil {
		r.fail(words.DoctorDatabaseClosed, words.DoctorDatabaseClosedHelp, words.Args{"dialect": d.dialect(), "reason": reason(err), "dir": d.cfg.DataDir})
		return false
	}
	return true
}

func (d *doctor) checkMentions(ctx context.Context, r *report) {
	var waiting, oldest, unread int64
	if !d.ask(ctx, r, []any{&waiting, &oldest, &unread}, `select
		(select count(*) from inbox_mention where state in ('waiting', 'answering')),
		(select coalesce(min(taken_at), 0) from inbox_mention where state in ('waiting', 'answering')),
		(select count(*) from inbox_mention where state = 'quarantined')`) {
		return
	}
	since := time.UnixMilli(oldest).UTC()
	args := words.Args{"n": waiting, "since": since}
	switch {
	case waiting == 0:
		r.ok(words.DoctorMentionsNone, nil)
	case d.Clock.Now().Sub(since) > lateWork:
		r.warn(words.DoctorMentionsWait, words.DoctorMentionsHelp, args)
	default:
		r.ok(words.DoctorMentionsWait, args)
	}
	if unread > 0 {
		r.warn(words.DoctorMentionsUnread, words.DoctorMentionsUnreadHelp, words.Args{"n": unread})
	}
}

func (d *doctor) checkEffects(ctx context.Context, r *report) {
	var open, oldest int64
	if !d.ask(ctx, r, []any{&open, &oldest}, `select count(*), coalesce(min(created_at), 0) from outbox_effect where state in ('planned', 'sent')`) {
		return
	}
	since := time.UnixMilli(oldest).UTC()
	args := words.Args{"n": open, "since": since}
	switch {
	case open == 0:
		r.ok(words.DoctorEffectsNone, nil)
	case d.Clock.Now().Sub(since) > lateWork:
		r.warn(words.DoctorEffectsOpen, words.DoctorMentionsHelp, args)
	default:
		r.ok(words.DoctorEffectsOpen, args)
	}
}

func (d *doctor) checkJobs(ctx context.Context, r *report) {
	if d.db == nil {
		return
	}
	query := `select count(*) from job where state = 2`
	if d.db.dialect == store.Postgres {
		query = `select count(*) from river_job where state = 'discarded'` // River's word
	}
	var failed int64
	if !d.ask(ctx, r, []any{&failed}, query) {
		return
	}
	if failed > 0 {
		r.warn(words.DoctorJobsFailed, words.DoctorJobsFailedHelp, words.Args{"n": failed})
		return
	}
	r.ok(words.DoctorJobsOk, nil)
}

func (d *doctor) checkPause(ctx context.Context, r *report) {
	var since int64
	if d.ask(ctx, r, []any{&since}, `select coalesce(max(since), 0) from outbox_pause`) && since != 0 {
		r.warn(words.DoctorPauseOn, words.DoctorPauseHelp, words.Args{"since": time.UnixMilli(since).UTC()})
	}
}

// checkBudget looks at the limits and at what is used of them today.
func (d *doctor) checkBudget(ctx context.Context, r *report) {
	b := d.cfg.Budget
	type limit struct {
		key   string
		limit int64
	}
	limits := []limit{
		{"replies_per_member", b.RepliesPerMember}, {"tokens_per_day", b.TokensPerDay}, {"tokens_per_account", b.TokensPerAccount},
		{"tokens_per_member", b.TokensPerMember}, {"money_per_day", b.MoneyPerDay}, {"money_per_account", b.MoneyPerAccount},
		{"money_per_member", b.MoneyPerMember},
	}
	if d.cfg.Discord.On {
		limits = append(limits, limit{"tokens_per_guild", b.TokensPerGuild}, limit{"money_per_guild", b.MoneyPerGuild})
	}
	for _, l := range limits {
		if l.limit == 0 {
			r.warn(words.DoctorBudgetZero, words.DoctorBudgetZeroHelp, words.Args{"key": l.key})
		}
	}
	if d.db == nil || !d.db.current {
		return
	}
	today := d.Clock.Now().In(b.TimeZone).Format(time.DateOnly)
	var replies, tokens, money int64
	err := d.db.row(ctx, []any{&replies, &tokens, &money}, `select replies, tokens, money from budget_used where day = $1 and scope = 'day' and name = ''`, today)
	if err != nil && !errors.Is(err, store.ErrNoRows) {
		r.fail(words.DoctorDatabaseClosed, words.DoctorDatabaseClosedHelp, words.Args{"dialect": d.dialect(), "reason": reason(err), "dir": d.cfg.DataDir})
		return
	}
	lang := d.Language
	args := words.Args{"n": replies, "tokens": tokens, "limit": words.Phrase{Key: words.DoctorUnlimited},
		"money": budget.Money(money).String() + " " + b.Currency, "most": words.Phrase{Key: words.DoctorUnlimited}}
	if b.TokensPerDay >= 0 {
		args["limit"] = lang.Number(b.TokensPerDay)
	}
	if b.MoneyPerDay >= 0 {
		args["most"] = budget.Money(b.MoneyPerDay).String() + " " + b.Currency
	}
	text := words.DoctorBudgetTokens
	if b.PricePrompt != nil && b.PriceCompletion != nil {
		text = words.DoctorBudgetMoney
	}
	if b.TokensPerDay > 0 && tokens >= b.TokensPerDay || b.MoneyPerDay > 0 && money >= b.MoneyPerDay {
		r.warn(text, words.DoctorBudgetSpentHelp, args)
		return
	}
	r.ok(text, args)
}

func (d *doctor) checkZone(_ context.Context, r *report) {
	zone := d.cfg.Budget.TimeZone
	r.ok(words.DoctorZoneOk, words.Args{"zone": zone.String(), "now": d.Clock.Now().In(zone)})
}
