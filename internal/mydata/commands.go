package mydata

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"rookery/internal/budget"
	"rookery/internal/community"
	"rookery/internal/fedi"
	"rookery/internal/inbox"
	"rookery/internal/store"
	"rookery/internal/words"
)

// request is one member's command being carried out.
type request struct {
	*MyData
	tx     store.Tx
	m      community.Mention
	does   Does
	handle string
	l      words.Language
}

// do carries a command out and returns what to tell the member.
func (r request) do(ctx context.Context, c words.Command) (string, error) {
	switch c {
	case words.Stop:
		return r.stop(ctx)
	case words.Start:
		_, err := r.tx.Exec(ctx, `delete from mydata_stopped where handle = $1`, r.handle)
		return r.l.Say(r.one(words.MyDataStarted, words.MyDataStartedPictures, words.MyDataStartedShares), nil), err
	case words.MyData:
		return r.list(ctx)
	case words.ForgetMe:
		return r.forget(ctx)
	case words.DeleteAnswers:
		return r.deleteAnswers(ctx)
	case words.DeletePosts:
		return r.deletePosts(ctx)
	case words.Quota:
		return r.quota(ctx)
	}
	return r.help(), nil
}

// help says who answers for the bot, what it does, and what it understands.
func (r request) help() string {
	// Without its @ it is no mention: the operator is not told of each help.
	a := words.Args{"operator": strings.Replace(r.Operator, "@", " at ", 1), "processor": r.Processor, "word": r.does.Word}
	if r.Processor == "" {
		a["processor"] = words.Phrase{Key: words.MyDataOwnMachine}
	}
	named, nobody := words.MyDataHelp, words.MyDataHelpNoOperator
	switch {
	case r.does.Answers && r.does.Pictures:
		named, nobody = words.MyDataHelpBoth, words.MyDataHelpBothNoOperator
	case r.does.Pictures:
		named, nobody = words.MyDataHelpPictures, words.MyDataHelpPicturesNoOperator
	case r.does.Shares && !r.does.Answers:
		named, nobody = words.MyDataHelpShares, words.MyDataHelpSharesNoOperator
	}
	if r.Operator == "" {
		named = nobody
	}
	return r.l.Say(named, a)
}

// one is the text that an account has which answers, or else the one of an
// account that shows pictures, or of one where members only share.
func (r request) one(answers, pictures, shares words.Key) words.Key {
	switch {
	case r.does.Answers:
	case r.does.Pictures:
		return pictures
	case r.does.Shares:
		return shares
	}
	return answers
}

func (r request) stop(ctx context.Context) (string, error) {
	n, err := r.tx.Exec(ctx, `insert into mydata_stopped (handle, since) values ($1, $2) on conflict (handle) do nothing`,
		r.handle, r.Clock.Now().UnixMilli())
	if err != nil {
		return "", err
	}
	if n == 0 {
		return r.l.Say(r.one(words.MyDataStoppedAlready, words.MyDataStoppedPicturesAlready, words.MyDataStoppedSharesAlready), nil), nil
	}
	return r.l.Say(r.one(words.MyDataStopped, words.MyDataStoppedPictures, words.MyDataStoppedShares), nil), nil
}

// mentions are the member's, also those that were forgotten: these can be
// found by whoever knows the handle, which is the member.
func (r request) mentions(ctx context.Context) (inbox.Member, []inbox.Record, error) {
	m := inbox.Member{Handle: r.handle}
	own, err := inbox.From(ctx, r.tx, r.handle)
	if err != nil {
		return m, nil, err
	}
	name, ok, err := pseudonym(ctx, r.tx, r.handle, false)
	if err != nil || !ok {
		return m, own, err
	}
	m.Pseudonym = name
	forgotten, err := inbox.From(ctx, r.tx, name)
	return m, append(forgotten, own...), err
}

// posts are how many posts of ours were made for a member.
type posts struct{ answers, shared int }

func (r request) each(do func(k Keeper) (int, error)) (p posts, err error) {
	for _, k := range r.Keepers {
		n, err := do(k)
		if err != nil {
			return posts{}, err
		}
		if _, ok := k.(Sharer); ok {
			p.shared += n
		} else {
			p.answers += n
		}
	}
	return p, nil
}

func (r request) standing(ctx context.Context, m inbox.Member, mentions []inbox.Record) (posts, error) {
	return r.each(func(k Keeper) (int, error) { return k.Standing(ctx, r.tx, m, mentions) })
}

// KeepMentions is how long it is kept that a member mentioned us.
const KeepMentions = 396 * 24 * time.Hour

func (r request) list(ctx context.Context) (string, error) {
	own, err := inbox.From(ctx, r.tx, r.handle)
	if err != nil {
		return "", err
	}
	m, all, err := r.mentions(ctx)
	if err != nil {
		return "", err
	}
	stand, err := r.standing(ctx, m, all)
	if err != nil {
		return "", err
	}
	since, err := r.stoppedSince(ctx)
	if err != nil {
		return "", err
	}
	kept := days(KeepMentions)
	// The command itself is a mention too, and is kept as one.
	lines := []string{r.l.Say(words.MyDataMentions, words.Args{"n": len(own), "since": r.l.Date(own[0].Taken), "kept": kept})}
	if stand.answers > 0 {
		lines = append(lines, r.l.Say(words.MyDataAnswers, words.Args{"n": stand.answers, "kept": kept}))
	}
	if stand.shared > 0 {
		lines = append(lines, r.l.Say(words.MyDataShared, words.Args{"n": stand.shared}))
	}
	for _, k := range r.Keepers {
		reporter, ok := k.(Reporter)
		if !ok {
			continue
		}
		more, err := reporter.Kept(ctx, r.tx, m, r.l)
		if err != nil {
			return "", err
		}
		lines = append(lines, more...)
	}
	if r.Budget != nil {
		q, err := r.Budget.QuotaIn(ctx, r.tx, budget.Spender{Account: r.m.Account, Member: r.handle})
		if err != nil {
			return "", err
		}
		if q.Replies.Used > 0 || q.Tokens.Used > 0 {
			lines = append(lines, r.l.Say(words.MyDataUse, words.Args{"answers": q.Replies.Used, "tokens": q.Tokens.Used, "kept": days(KeepUse)}))
		}
	}
	if !since.IsZero() {
		lines = append(lines, r.l.Say(words.MyDataOptedOut, words.Args{"since": r.l.Date(since)}))
	}
	return r.l.Say(words.MyDataIntro, nil) + "\n" + strings.Join(lines, "\n"), nil
}

func (r request) stoppedSince(ctx context.Context) (time.Time, error) {
	var since int64
	err := r.tx.QueryRow(ctx, `select since from mydata_stopped where handle = $1`, r.handle).Scan(&since)
	if errors.Is(err, store.ErrNoRows) {
		return time.Time{}, nil
	}
	return time.UnixMilli(since).UTC(), err
}

func (r request) forget(ctx context.Context) (string, error) {
	m, all, err := r.mentions(ctx)
	if err != nil {
		return "", err
	}
	if m.Pseudonym, _, err = pseudonym(ctx, r.tx, r.handle, true); err != nil {
		return "", err
	}
	if err := r.forgetMember(ctx, r.tx, m); err != nil {
		return "", err
	}
	stand, err := r.standing(ctx, m, all)
	if err != nil {
		return "", err
	}
	said := r.l.Say(words.MyDataForgotten, nil)
	if stand.answers > 0 {
		said = r.l.Say(words.MyDataForgottenAnswers, words.Args{"n": stand.answers})
	}
	if stand.shared > 0 {
		said += " " + r.l.Say(words.MyDataForgottenShared, words.Args{"n": stand.shared})
	}
	return said, nil
}

func (r request) deleteAnswers(ctx context.Context) (string, error) {
	m, all, err := r.mentions(ctx)
	if err != nil {
		return "", err
	}
	gone, err := r.each(func(k Keeper) (int, error) {
		if _, ok := k.(Sharer); ok {
			return 0, nil // what somebody made is deleted when they say that
		}
		return k.DeleteAnswers(ctx, r.tx, m, all)
	})
	if err != nil {
		return "", err
	}
	if gone.answers == 0 {
		return r.l.Say(words.MyDataNoAnswers, nil), nil
	}
	return r.l.Say(words.MyDataAnswersDeleted, words.Args{"n": gone.answers}), nil
}

// deletePosts has all deleted that the member has shared.
func (r request) deletePosts(ctx context.Context) (string, error) {
	m, all, err := r.mentions(ctx)
	if err != nil {
		return "", err
	}
	gone, err := r.each(func(k Keeper) (int, error) {
		if _, ok := k.(Sharer); !ok {
			return 0, nil
		}
		return k.DeleteAnswers(ctx, r.tx, m, all)
	})
	if err != nil {
		return "", err
	}
	if gone.shared == 0 {
		return r.l.Say(words.MyDataNoPosts, nil), nil
	}
	return r.l.Say(words.MyDataSharedDeleted, words.Args{"n": gone.shared}), nil
}

func (r request) quota(ctx context.Context) (string, error) {
	switch {
	case r.does.Pictures && !r.does.Answers:
		return r.l.Say(words.MyDataQuotaPictures, nil), nil
	case r.does.Shares && !r.does.Answers:
		return r.l.Say(words.MyDataQuotaShares, nil), nil
	}
	said, err := r.answersLeft(ctx)
	if err == nil && r.does.Pictures {
		said += " " + r.l.Say(words.MyDataQuotaBoth, nil)
	}
	return said, err
}

// answersLeft says what is left of the day's answers.
func (r request) answersLeft(ctx context.Context) (string, error) {
	if r.Budget == nil {
		return r.l.Say(words.MyDataQuotaUnlimited, words.Args{"used": 0}), nil
	}
	q, err := r.Budget.QuotaIn(ctx, r.tx, budget.Spender{Account: r.m.Account, Member: r.handle})
	if err != nil {
		return "", err
	}
	if q.Replies.Limit == budget.Unlimited {
		return r.l.Say(words.MyDataQuotaUnlimited, words.Args{"used": q.Replies.Used}), nil
	}
	return r.l.Say(words.MyDataQuota, words.Args{"n": q.Replies.Limit, "used": q.Replies.Used, "limit": q.Replies.Limit, "time": q.Renews}), nil
}

// Stopped tells who of these members wants to be left alone.
func Stopped(ctx context.Context, q inbox.Rows, handles ...string) (map[string]bool, error) {
	stopped := map[string]bool{}
	for len(handles) > 0 {
		some := handles[:min(len(handles), 100)]
		handles = handles[len(some):]
		marks, args := make([]string, len(some)), make([]any, len(some))
		for i, h := range some {
			marks[i], args[i] = fmt.Sprintf("$%d", i+1), store.Storable(h, 1<<10)
		}
		rows, err := q.Query(ctx, `select handle from mydata_stopped where handle in (`+strings.Join(marks, ", ")+`)`, args...)
		found, err := store.Collect(rows, err, func(r store.Row) (h string, err error) { return h, r.Scan(&h) })
		if err != nil {
			return nil, fmt.Errorf("see who wants to be left alone: %w", err)
		}
		for _, h := range found {
			stopped[h] = true
		}
	}
	return stopped, nil
}

// dismissal is the notification that a payload names.
func dismissal(payload json.RawMessage) community.NotificationID {
	var p fedi.PostPayload
	_ = json.Unmarshal(payload, &p) // forgotten: there is none
	return p.Dismiss
}

// days is a time as a number of days, in the member's language.
func days(d time.Duration) words.Phrase {
	return words.Phrase{Key: words.CommonDays, Args: words.Args{"n": int64(d / (24 * time.Hour))}}
}
