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
	"rookery/internal/fedi"
	"rookery/internal/outbox"
	"rookery/internal/store"
	"rookery/internal/words"
)

// noticePrefix begins the keys of notices. It is no part of keyPrefix.
const noticePrefix = "persona/notice/"

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
	l := p.language(m)
	if over.Scope == budget.OfMember && over.Unit == budget.InReplies && over.Limit > 0 {
		return notice{"member", l.Say(words.PersonaBudgetMember, words.Args{"n": over.Limit, "limit": over.Limit, "time": over.Renews})}
	}
	if over.Need > over.Limit { // tomorrow will be no better
		return notice{"budget", l.Say(words.PersonaBudgetNone, nil)}
	}
	return notice{"budget", l.Say(words.PersonaBudgetAll, words.Args{"time": over.Renews})}
}

// notify plans a notice: a direct message in reply to the mention, once for
// each kind, member and day.
func (p *Persona) notify(ctx context.Context, tx store.Tx, m community.Mention, n notice) error {
	if !p.Notices {
		return nil
	}
	day := p.Clock.Now().UTC().Format(time.DateOnly)
	sum := sha256.Sum256([]byte(string(m.Account) + "\n" + Member(m.Post.Author)))
	to := m.Post.Author.Acct
	if to == "" {
		to = m.Post.Author.Handle
	}
	_, err := p.Outbox.Plan(ctx, tx, outbox.Effect{
		Key:     noticePrefix + n.kind + "/" + day + "/" + base64.RawURLEncoding.EncodeToString(sum[:16]),
		Feature: Name, Kind: fedi.PostKind, Account: m.Account, Expires: p.Clock.Now().Add(noticeLife), Again: 2,
		Payload: fedi.PostPayload{Parts: []string{"@" + to + " " + n.text}, Visibility: community.Direct, InReplyTo: m.Post.ID,
			Language: string(p.language(m)), CW: m.Post.CW},
	})
	if err != nil {
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
	before := p.platform.Now(account).Add(-p.NoticeAfter)
	return p.Store.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		late, err := p.Late(ctx, tx, account, before, mostTold)
		if err != nil {
			return err
		}
		for _, w := range late {
			m := w.Mention
			if p.Stopped != nil {
				if stopped, err := p.Stopped(ctx, tx, Member(m.Post.Author)); err != nil || len(stopped) > 0 {
					if err != nil {
						return err
					}
					continue
				}
			}
			if err := p.notify(ctx, tx, m, notice{"model", p.language(m).Say(words.PersonaModelDown, nil)}); err != nil {
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
