package gifs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"rookery/internal/community"
	"rookery/internal/inbox"
	"rookery/internal/outbox"
	"rookery/internal/store"
)

const (
	answerPrefix = "gifs/answer/"
	// mostTries is how often a request begins anew because its picture was lost
	// before it could be posted.
	mostTries = 3
)

// answerKey is the key of a reply; each try has its own.
func answerKey(id inbox.ID, try int) string {
	key := answerPrefix + string(id)
	if try > 0 {
		key += "/" + strconv.Itoa(try)
	}
	return key
}

// answerKeys are the keys under which a request's reply may stand.
func answerKeys(id inbox.ID) []string {
	var all []string
	for try := range mostTries {
		all = append(all, answerKey(id, try))
	}
	return all
}

// isNotice tells whether a post of ours is a notice: a reply to the mention,
// but no answer to it.
func (g *GIFs) isNotice(ctx context.Context, account community.AccountID, post community.PostID) (bool, error) {
	key, _, err := g.Outbox.KeyOf(ctx, account, string(post))
	return strings.HasPrefix(key, noticePrefix), err
}

// settle hears how a reply ended.
func (g *GIFs) settle(ctx context.Context, tx store.Tx, r outbox.Result) error {
	if !strings.HasPrefix(r.Key, answerPrefix) {
		// A notice, or a deletion: what it said to whom is nothing to keep.
		return outbox.Forget(ctx, tx, r.Key)
	}
	name, _, _ := strings.Cut(strings.TrimPrefix(r.Key, answerPrefix), "/")
	id := inbox.ID(name)
	end, err := g.at(r.Account).ended(r)
	if err != nil {
		return err
	}
	forgotten, err := inbox.Forgotten(ctx, tx, id)
	if err != nil {
		return err
	}
	if forgotten { // while the reply was on its way
		if err := outbox.Forget(ctx, tx, r.Key); err != nil {
			return err
		}
	}
	if r.State != outbox.Confirmed && end.anew && !forgotten {
		if again, err := g.again(ctx, tx, r.Account, id); err != nil || again {
			return err
		}
	}
	if err := g.letGo(ctx, tx, r.Account, id); err != nil {
		return err
	}
	switch {
	case r.State == outbox.Confirmed:
		tx.AfterCommit(func() {
			g.Log.Info("a request is answered", "account", r.Account, "post", end.post, "reply", r.Made, "pictures", end.pictures)
			end.done()
		})
		return inbox.Set(ctx, tx, id, inbox.Done, "")
	case end.gone:
		return inbox.Set(ctx, tx, id, inbox.Gone, "the post to answer was deleted")
	case r.Reason == outbox.ReasonExpired:
		return inbox.Set(ctx, tx, id, inbox.Expired, r.Reason)
	}
	why := r.Reason
	if r.Detail != "" {
		why = r.Detail
	}
	g.Log.Error("an answer was refused for good", "account", r.Account, "post", end.post, "reason", why)
	if g.Refused != nil {
		if err := g.Refused(ctx, tx, r.Account, why); err != nil {
			return err
		}
	}
	return inbox.Set(ctx, tx, id, inbox.Failed, r.Reason)
}

// again has a request wait anew whose picture was lost (servers throw away
// what nobody attaches for a day) or has waited for too long: nothing of its
// reply is outside. It reports false if it has begun anew often enough.
func (g *GIFs) again(ctx context.Context, tx store.Tx, account community.AccountID, id inbox.ID) (bool, error) {
	var body string
	var tries int64
	err := tx.QueryRow(ctx, `update gifs_choice set tries = tries + 1 where mention = $1 returning body, tries`, string(id)).Scan(&body, &tries)
	if errors.Is(err, store.ErrNoRows) || err == nil && tries >= mostTries {
		return false, nil
	}
	var m community.Mention
	if err == nil {
		err = json.Unmarshal([]byte(body), &m)
	}
	if err != nil {
		return false, fmt.Errorf("begin %s anew: %w", id, err)
	}
	g.Log.Warn("the server has lost a picture before it was posted; it is sent again", "account", account, "post", m.Post.ID)
	return true, errors.Join(g.at(account).discard(ctx, tx, uploadKey(id)), g.Turns.Accept(ctx, tx, id, m),
		inbox.Set(ctx, tx, id, inbox.Waiting, ""), g.Wake(ctx, tx, account))
}
