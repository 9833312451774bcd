package app

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"rookery/internal/community"
	"rookery/internal/fedi"
	"rookery/internal/jobs"
	"rookery/internal/llm"
	"rookery/internal/operator"
	"rookery/internal/store"
	"rookery/internal/words"
)

// What needs the operator is noticed here and said by package operator.

// modelDownAfter is how long the model may be down before the operator is told.
const modelDownAfter = 30 * time.Minute

// modelState remembers since when the model does not answer.
type modelState struct {
	mu    sync.Mutex
	since time.Time
}

// modelTrouble hears whether the model answers.
func (a *App) modelTrouble(ctx context.Context, err error) {
	const refused, down = "model/refused", "model/down"
	a.modelDown.mu.Lock()
	now := a.clock.Now()
	if err == nil {
		a.modelDown.since = time.Time{}
	} else if a.modelDown.since.IsZero() || a.modelDown.since.After(now) {
		a.modelDown.since = now
	}
	since := a.modelDown.since
	a.modelDown.mu.Unlock()
	if err == nil {
		for _, key := range []string{refused, down} {
			if err := a.operator.Over(ctx, key); err != nil {
				a.log.Warn("a trouble that is over could not be noted", "error", err)
			}
		}
		return
	}
	reason := ""
	if e, ok := errors.AsType[*llm.Error](err); ok {
		reason = e.Error()
	}
	l := a.operator.Language
	switch class := llm.ClassOf(err); {
	case class == llm.Auth || class == llm.Invalid:
		a.operator.TellNow(ctx, operator.Notice{Key: refused, Text: l.Say(words.OperatorModelRefusesKey, words.Args{"reason": reason})})
	case now.Sub(since) >= modelDownAfter:
		a.operator.TellNow(ctx, operator.Notice{Key: down, Text: l.Say(words.OperatorModelDownLong, words.Args{"since": since, "reason": reason})})
	}
}

// accountTrouble hears how an account is doing.
func (a *App) accountTrouble(account string, kind fedi.TroubleKind, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	key := "account/" + account
	l := a.operator.Language
	n := operator.Notice{Key: key}
	for _, s := range a.fedi.Status() {
		if s.Name == account {
			n.Not = s.ID
		}
	}
	switch kind {
	case fedi.ServedAgain:
		if err := a.operator.Over(ctx, key); err != nil {
			a.log.Warn("a trouble that is over could not be noted", "error", err)
		}
		return
	case fedi.TokenRefused:
		n.Text = l.Say(words.OperatorTokenRevoked, words.Args{"account": account})
	case fedi.TokenSwapped:
		args := words.Args{"account": account, "was": "?", "now": "?"}
		if s, ok := errors.AsType[*fedi.SwappedError](err); ok {
			args["was"], args["now"] = s.Was, s.Is
		}
		n.Text = l.Say(words.OperatorTokenSwapped, args)
	case fedi.Unreachable:
		n.Text = l.Say(words.OperatorUnreachable, words.Args{"account": account, "reason": fmt.Sprint(err)})
	default:
		n.Text = fmt.Sprintf("%s: %s: %v", account, kind, err)
	}
	a.operator.TellNow(ctx, n)
}

// accountsPolled tells what a single pass has learned of the accounts; a
// running process hears of it by itself.
func (a *App) accountsPolled(err error) {
	var each []error
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		each = joined.Unwrap()
	}
	for _, s := range a.fedi.Status() {
		if s.Connected {
			a.accountTrouble(s.Name, fedi.ServedAgain, nil)
			continue
		}
		for _, err := range each {
			if fedi.ClassOf(err) != fedi.Auth || !strings.HasPrefix(err.Error(), "account "+s.Name+": ") {
				continue
			}
			kind := fedi.TokenRefused
			if _, ok := errors.AsType[*fedi.SwappedError](err); ok {
				kind = fedi.TokenSwapped
			}
			a.accountTrouble(s.Name, kind, err)
		}
	}
}

// answerRefused tells of an answer that a server does not take, once a day for
// each account.
func (a *App) answerRefused(ctx context.Context, tx store.Tx, account community.AccountID, reason string) error {
	name := a.nameOf(account)
	return a.operator.Tell(ctx, tx, operator.Notice{
		Key:  "refused/" + name + "/" + a.clock.Now().UTC().Format(time.DateOnly),
		Text: a.operator.Language.Say(words.OperatorAnswerRefused, words.Args{"account": name, "reason": reason}),
	})
}

// watchArgs is the job that looks at what nobody else does.
type watchArgs struct{}

// Kind implements jobs.Args.
func (watchArgs) Kind() string { return "app.watch" }

// workWatch has the queue look at the disk, and tidy what is nobody's.
func (a *App) workWatch() {
	jobs.Register(a.jobs, jobs.Kind{}, func(ctx context.Context, _ jobs.Job[watchArgs]) error { return a.watch(ctx) })
	a.jobs.Every("app.watch", jobs.Interval(10*time.Minute), watchArgs{}, jobs.Opts{Key: "watch", Priority: 4})
}

// lowDisk is when the operator is told, in bytes: SQLite needs room for its
// log, and a backup for a copy.
const (
	lowDisk  = 200 << 20
	fullDisk = 4 << 20
)

func (a *App) watch(ctx context.Context) error {
	const key = "disk"
	free, err := store.FreeBytes(a.cfg.DataDir)
	switch {
	case err != nil:
		a.log.Debug("the free space on the disk is not known", "error", err)
	case free < fullDisk:
		a.operator.TellNow(ctx, operator.Notice{Key: key + "/full", Text: a.operator.Language.Say(words.OperatorDiskFull, nil)})
	case free < lowDisk:
		a.operator.TellNow(ctx, operator.Notice{Key: key, Text: a.operator.Language.Say(words.OperatorDiskLow, words.Args{"free": free >> 20})})
	default:
		if err := errors.Join(a.operator.Over(ctx, key), a.operator.Over(ctx, key+"/full")); err != nil {
			return err
		}
	}
	errs := []error{a.operator.Prune(ctx), a.fedi.Prune(ctx)}
	if o := a.onDiscord; o != nil {
		errs = append(errs, o.client.Prune(ctx), o.guild.Prune(ctx))
	}
	return errors.Join(errs...)
}

// housekeeping is what a running process does by its schedules, for those who
// only run once from cron.
func (a *App) housekeeping(ctx context.Context) error {
	return errors.Join(a.mydata.Tidy(ctx), a.backups.IfDue(ctx), a.watch(ctx))
}
