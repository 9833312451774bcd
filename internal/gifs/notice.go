package gifs

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"rookery/internal/community"
	"rookery/internal/inbox"
	"rookery/internal/outbox"
	"rookery/internal/store"
	"rookery/internal/words"
)

// noticePrefix begins the keys of notices. It is no part of answerPrefix.
const noticePrefix = "gifs/notice/"

const (
	// noticeEvery is how often a member gets the same notice at most.
	noticeEvery = time.Hour
	// noticeLife is how long a notice is worth sending.
	noticeLife = 6 * time.Hour
)

// The kinds of notices.
const (
	queueNotice = "queue"
	lateNotice  = "later"
)

// noticeKey is the key of a notice of a kind to a member within an hour.
func noticeKey(m community.Mention, kind string, at time.Time) string {
	sum := sha256.Sum256([]byte(string(m.Account) + "\n" + member(m)))
	hour := at.UTC().Truncate(noticeEvery).Format("2006-01-02T15")
	return noticePrefix + kind + "/" + hour + "/" + base64.RawURLEncoding.EncodeToString(sum[:16])
}

// noticeUnderWay tells whether a notice to a request's author was sent, or is
// to be, of which nobody knows yet what became: a reply of ours in the thread
// may be it.
func (g *GIFs) noticeUnderWay(ctx context.Context, m community.Mention) (under bool, err error) {
	now := g.Clock.Now()
	err = g.Store.WriteRelaxed(ctx, func(ctx context.Context, tx store.Tx) error {
		under = false
		for at := now; !under && at.After(now.Add(-noticeLife-noticeEvery)); at = at.Add(-noticeEvery) {
			key := noticeKey(m, lateNotice, at)
			_, planned, err := outbox.LaneOf(ctx, tx, key)
			if err != nil || !planned {
				if err != nil {
					return err
				}
				continue
			}
			made, err := outbox.Made(ctx, tx, key)
			if err != nil {
				return err
			}
			under = len(made) == 0
		}
		return nil
	})
	return under, err
}

// notify plans a notice, once for each kind, member and hour. A command is
// always answered: whoever gave it sees that an answer is expected.
func (g *GIFs) notify(ctx context.Context, tx store.Tx, id inbox.ID, m community.Mention, kind, text string) error {
	e := g.at(m.Account).notice(m, text)
	e.Key, e.Feature, e.Account, e.Expires, e.Again = noticeKey(m, kind, g.Clock.Now()), Name, m.Account, g.Clock.Now().Add(noticeLife), 2
	if m.Command != nil {
		e.Key = noticePrefix + kind + "/" + string(id)
	}
	if _, err := g.Outbox.Plan(ctx, tx, e); err != nil {
		return fmt.Errorf("plan a notice: %w", err)
	}
	return nil
}

// Accept implements inbox.Feature. A member of whom enough waits is told so,
// in the transaction that takes the request in, and asked to come back: the
// request ends there, and is not lost without a word.
func (g *GIFs) Accept(ctx context.Context, tx store.Tx, id inbox.ID, m community.Mention) error {
	n, _, err := g.WaitingOf(ctx, tx, m.Account, m.Post.Author.Handle)
	if err != nil {
		return err
	}
	if n < g.Queue {
		return g.Turns.Accept(ctx, tx, id, m)
	}
	if stopped, err := g.stopped(ctx, tx, m); err != nil || stopped {
		return errors.Join(err, inbox.Set(ctx, tx, id, inbox.Ignored, "its author has told us to stop"))
	}
	text := g.language(m).Say(words.GIFsQueueFull, words.Args{"n": n})
	if err := g.notify(ctx, tx, id, m, queueNotice, text); err != nil {
		return err
	}
	g.observe(tx, OutcomeOver)
	return inbox.Set(ctx, tx, id, inbox.Declined, fmt.Sprintf("%d requests of the member were waiting already", n))
}

// toldInAnHour is how many members of an account are told in an hour that it
// takes longer. Mastodon takes 300 posts in three hours of an account, notices
// and pictures together: who waits is to be told, but not at the cost of the
// pictures.
const toldInAnHour = 30

// lateTold counts the notices of an hour.
type lateTold struct {
	hour time.Time
	n    int
}

// mayTell is how many more may be told in this hour.
func (g *GIFs) mayTell(account community.AccountID) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	if hour := g.Clock.Now().Truncate(time.Hour); !g.told[account].hour.Equal(hour) {
		g.told[account] = lateTold{hour: hour}
	}
	return toldInAnHour - g.told[account].n
}

// tellLate tells those who have waited for some time that their request is
// kept.
func (g *GIFs) tellLate(ctx context.Context, account community.AccountID) error {
	if g.NoticeAfter <= 0 {
		return nil
	}
	most := g.mayTell(account)
	if most <= 0 {
		return nil
	}
	before := g.at(account).now(account).Add(-g.NoticeAfter)
	return g.Store.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		late, err := g.Late(ctx, tx, account, before, most)
		if err != nil || len(late) == 0 {
			return err
		}
		tx.AfterCommit(func() {
			g.mu.Lock()
			defer g.mu.Unlock()
			told := g.told[account]
			told.n += len(late)
			g.told[account] = told
		})
		for _, w := range late {
			if w.Mention.Command != nil {
				continue // it is seen to be under way
			}
			if stopped, err := g.stopped(ctx, tx, w.Mention); err != nil || stopped {
				if err != nil {
					return err
				}
				continue
			}
			if err := g.notify(ctx, tx, w.ID, w.Mention, lateNotice, g.language(w.Mention).Say(words.GIFsLater, nil)); err != nil {
				return err
			}
		}
		return nil
	})
}

// stopped tells whether a request's author has told us to leave them alone.
func (g *GIFs) stopped(ctx context.Context, q inbox.Rows, m community.Mention) (bool, error) {
	if g.Stopped == nil {
		return false, nil
	}
	stopped, err := g.Stopped(ctx, q, member(m))
	return stopped[member(m)], err
}

// observe tells of an outcome once it is certain.
func (g *GIFs) observe(tx store.Tx, outcome string) {
	if g.Observe != nil {
		tx.AfterCommit(func() { g.Observe(outcome) })
	}
}
