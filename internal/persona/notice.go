package persona

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	"rookery/internal/budget"
	"rookery/internal/community"
	"rookery/internal/outbox"
	"rookery/internal/store"
	"rookery/internal/words"
)

// noticePrefix begins the keys of notices. It is no part of keyPrefix.
const noticePrefix = "persona/notice/"

// waitNotice is the kind of notice that says that it takes long. It is the only
// one after which an answer follows.
const waitNotice = "model"

// notice is what a member is told in place of an answer.
type notice struct {
	kind string // one of a kind for a member and day
	text string
}

func (p *Persona) language(m community.Mention) words.Language {
	set := ""
	if p.NoticeLanguage != nil {
		set = p.NoticeLanguage(m.Account)
	}
	return words.Match(set, m.Post.Language)
}

func (p *Persona) budgetNotice(m community.Mention, over *budget.Exceeded) notice {
	l, renews := p.language(m), p.on(m.Account).time(over.Renews)
	switch {
	case over.Scope == budget.OfMember && over.Unit == budget.InReplies && over.Limit > 0:
		return notice{"member", l.Say(words.PersonaBudgetMember, words.Args{"n": over.Limit, "limit": over.Limit, "time": renews})}
	case over.Scope == budget.OfMemberThere:
		return notice{"here-" + over.Name, l.Say(words.PersonaBudgetMemberHere, words.Args{"n": over.Limit, "limit": over.Limit, "time": renews})}
	case over.Scope == budget.OfGuild && over.Need <= over.Limit:
		return notice{"guild-" + over.Name, l.Say(words.PersonaBudgetGuild, words.Args{"time": renews})}
	}
	if over.Need > over.Limit { // tomorrow will be no better
		return notice{"budget", l.Say(words.PersonaBudgetNone, nil)}
	}
	return notice{"budget", l.Say(words.PersonaBudgetAll, words.Args{"time": renews})}
}

// noticeKey is the key of a notice of a kind to a member on a day.
func noticeKey(m community.Mention, kind string, at time.Time) string {
	sum := sha256.Sum256([]byte(string(m.Account) + "\n" + Member(m.Post.Author)))
	return noticePrefix + kind + "/" + at.UTC().Format(time.DateOnly) + "/" + base64.RawURLEncoding.EncodeToString(sum[:16])
}

// patienceUnderWay tells whether it is not known yet what became of a notice
// to the mention's author that it takes long: a reply of ours in the thread
// may be it.
func (p *Persona) patienceUnderWay(ctx context.Context, m community.Mention) (under bool, err error) {
	now := p.Clock.Now()
	err = p.Store.WriteRelaxed(ctx, func(ctx context.Context, tx store.Tx) error {
		under = false
		for _, at := range []time.Time{now, now.Add(-noticeLife)} { // it may be of the day before
			key := noticeKey(m, waitNotice, at)
			if _, planned, err := outbox.LaneOf(ctx, tx, key); err != nil || !planned {
				if err != nil {
					return err
				}
				continue
			}
			made, err := outbox.Made(ctx, tx, key)
			if err != nil {
				return err
			}
			under = under || len(made) == 0
		}
		return nil
	})
	return under, err
}

// notify plans a notice in reply to the mention, once for each kind, member and
// day.
func (p *Persona) notify(ctx context.Context, tx store.Tx, m community.Mention, n notice) error {
	if !p.Notices {
		return nil
	}
	e := p.on(m.Account).notice(m, p.language(m), n.text)
	e.Key, e.Feature, e.Account, e.Expires = noticeKey(m, n.kind, p.Clock.Now()), Name, m.Account, p.Clock.Now().Add(noticeLife)
	if _, err := p.Outbox.Plan(ctx, tx, e); err != nil {
		return fmt.Errorf("plan a notice: %w", err)
	}
	return nil
}

// noticeLife is how long a notice is worth sending.
const noticeLife = 6 * time.Hour

// mostTold bounds the work of one transaction.
const mostTold = 100

// patienceOver tells those who have waited for a model that is down for some
// time that their question is kept. It is asked after each round that ended
// with trouble of the model.
func (p *Persona) patienceOver(ctx context.Context, account community.AccountID) error {
	if !p.Notices {
		return nil
	}
	before := p.on(account).Now(account).Add(-p.NoticeAfter)
	return p.Store.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		late, err := p.Late(ctx, tx, account, before, mostTold)
		if err != nil {
			return err
		}
		for _, w := range late {
			m := w.Mention
			if why, err := p.on(account).welcome(ctx, tx, m); err != nil || why != "" {
				if err != nil {
					return err
				}
				continue
			}
			if p.Stopped != nil {
				if stopped, err := p.Stopped(ctx, tx, Member(m.Post.Author)); err != nil || len(stopped) > 0 {
					if err != nil {
						return err
					}
					continue
				}
			}
			if err := p.notify(ctx, tx, m, notice{waitNotice, p.language(m).Say(words.PersonaModelDown, nil)}); err != nil {
				return err
			}
		}
		return nil
	})
}

// answers leaves out of our own posts those that are notices: a notice is a
// reply to the mention, but no answer to it.
func (p *Persona) isNotice(ctx context.Context, account community.AccountID, post community.PostID) (bool, error) {
	key, _, err := p.Outbox.KeyOf(ctx, account, string(post))
	return strings.HasPrefix(key, noticePrefix), err
}
