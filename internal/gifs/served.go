package gifs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"rookery/internal/booru"
	"rookery/internal/community"
	"rookery/internal/inbox"
	"rookery/internal/store"
	"rookery/internal/turns"
)

// member is the name of a mention's author in our tables.
func member(m community.Mention) string {
	return store.Storable(strings.ToLower(m.Post.Author.Handle), 1<<10)
}

// pictureOf names a picture: the board and its id there.
func pictureOf(im booru.Image) string { return store.Storable(im.Source+"/"+im.ID, 1<<10) }

// choice is what was chosen for a request.
type choice struct {
	picture *booru.Image // nil for none yet
	refused []string     // pictures that could not be sent
	tries   int
}

// chosen reads what an earlier process, or try, has chosen.
func (g *GIFs) chosen(ctx context.Context, id inbox.ID) (c choice, err error) {
	var picture, refused string
	var tries int64
	err = g.Store.QueryRow(ctx, `select picture, refused, tries from gifs_choice where mention = $1`, string(id)).Scan(&picture, &refused, &tries)
	if errors.Is(err, store.ErrNoRows) {
		return c, nil
	}
	if err == nil && picture != "" {
		c.picture = &booru.Image{}
		err = json.Unmarshal([]byte(picture), c.picture)
	}
	if err == nil {
		err = json.Unmarshal([]byte(refused), &c.refused)
	}
	if err != nil {
		return c, fmt.Errorf("read what was chosen for %s: %w", id, err)
	}
	c.tries = int(tries)
	return c, nil
}

// choose keeps what was chosen, before anything of it is uploaded. With
// another picture than before, what was uploaded of that one is let go.
func (g *GIFs) choose(ctx context.Context, w turns.Waiting, c choice) error {
	picture := ""
	refused, err := json.Marshal(append([]string{}, c.refused...))
	if err == nil && c.picture != nil {
		var b []byte
		b, err = json.Marshal(c.picture)
		picture = store.Storable(string(b), len(b))
	}
	body, err2 := json.Marshal(w.Mention)
	if err = errors.Join(err, err2); err != nil {
		return fmt.Errorf("keep what was chosen for %s: %w", w.ID, err)
	}
	return g.Store.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		if _, err := tx.Exec(ctx, `insert into gifs_choice (mention, body, picture, refused, chosen_at) values ($1, $2, $3, $4, $5)
			on conflict (mention) do update set picture = excluded.picture, refused = excluded.refused, chosen_at = excluded.chosen_at`,
			string(w.ID), string(body), picture, store.Storable(string(refused), len(refused)), g.Clock.Now().UnixMilli()); err != nil {
			return fmt.Errorf("keep what was chosen for %s: %w", w.ID, err)
		}
		return g.at(w.Mention.Account).discard(ctx, tx, uploadKey(w.ID))
	})
}

// uploadKey is the name of a request's file on its way to the server.
func uploadKey(id inbox.ID) string { return "gifs/" + string(id) }

// letGo forgets what was chosen for a request that has ended.
func (g *GIFs) letGo(ctx context.Context, tx store.Tx, account community.AccountID, id inbox.ID) error {
	if _, err := tx.Exec(ctx, `delete from gifs_choice where mention = $1`, string(id)); err != nil {
		return fmt.Errorf("forget what was chosen for %s: %w", id, err)
	}
	return g.at(account).discard(ctx, tx, uploadKey(id))
}

// served notes that a request was worked, for the member's pause, and what it
// has shown, "" for nothing.
func (g *GIFs) served(ctx context.Context, tx store.Tx, w turns.Waiting, picture string) error {
	_, err := tx.Exec(ctx, `insert into gifs_served (mention, account, member, picture, served_at) values ($1, $2, $3, $4, $5)
		on conflict (mention) do update set picture = excluded.picture, served_at = excluded.served_at`,
		string(w.ID), string(w.Mention.Account), member(w.Mention), picture, g.Clock.Now().UnixMilli())
	if err != nil {
		return fmt.Errorf("note what was shown: %w", err)
	}
	return nil
}

// restUntil is when a member's pause ends; zero if there is none. A time
// further ahead than a pause is long comes from a clock that ran ahead.
func (g *GIFs) restUntil(ctx context.Context, m community.Mention) (time.Time, error) {
	if g.Cooldown <= 0 {
		return time.Time{}, nil
	}
	now := g.Clock.Now()
	var last int64
	err := g.Store.QueryRow(ctx, `select coalesce(max(served_at), 0) from gifs_served
		where account = $1 and member = $2 and served_at > $3 and served_at <= $4`,
		string(m.Account), member(m), now.Add(-g.Cooldown).UnixMilli(), now.UnixMilli()).Scan(&last)
	if err != nil {
		return time.Time{}, fmt.Errorf("look for the member's last request: %w", err)
	}
	if last == 0 {
		return time.Time{}, nil
	}
	return time.UnixMilli(last).Add(g.Cooldown), nil
}

// begin notes that a request of a member is worked, so that two at the same
// time do not get around the pause between them. It reports false if another
// is. The caller calls end when it is done.
func (g *GIFs) begin(m community.Mention) (end func(), ok bool) {
	if g.Cooldown <= 0 {
		return func() {}, true
	}
	name := string(m.Account) + "\n" + member(m)
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.working[name] {
		return func() {}, false
	}
	g.working[name] = true
	return func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		delete(g.working, name)
	}, true
}

// take claims a picture for a request, unless the account has shown it to
// another within the window or is about to. Whoever gets true must call free.
func (g *GIFs) take(ctx context.Context, w turns.Waiting, picture string) (bool, error) {
	if g.NoRepeat <= 0 {
		return true, nil
	}
	account := w.Mention.Account
	name := string(account) + "\n" + picture
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.taken[name] {
		return false, nil
	}
	var n int64
	err := g.Store.QueryRow(ctx, `select count(*) from gifs_served where account = $1 and picture = $2 and served_at > $3 and mention <> $4`,
		string(account), picture, g.Clock.Now().Add(-g.NoRepeat).UnixMilli(), string(w.ID)).Scan(&n)
	if err != nil || n > 0 {
		return false, err
	}
	g.taken[name] = true
	return true, nil
}

// free ends a claim: the picture is noted as shown by now, or was not used.
func (g *GIFs) free(account community.AccountID, picture string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.taken, string(account)+"\n"+picture)
}
