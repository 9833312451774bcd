package mydata

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"rookery/internal/inbox"
	"rookery/internal/store"
)

// Wishes are what members have asked for, as one database knows it: to be
// carried over to another that does not know it yet.
type Wishes struct {
	Salt      string
	Stopped   map[string]time.Time // by handle
	Forgotten map[string]bool      // pseudonyms
}

// ReadWishes reads what members have asked for. A database from before there
// was anything to ask holds no wishes.
func ReadWishes(ctx context.Context, s *store.Store) (Wishes, error) {
	w := Wishes{Stopped: map[string]time.Time{}, Forgotten: map[string]bool{}}
	err := s.QueryRow(ctx, `select salt from mydata_salt where id = 1`).Scan(&w.Salt)
	if err != nil && !errors.Is(err, store.ErrNoRows) {
		return w, fmt.Errorf("read what members have asked for: %w", err)
	}
	rows, err := s.Query(ctx, `select handle, since from mydata_stopped`)
	_, err = store.Collect(rows, err, func(r store.Row) (struct{}, error) {
		var handle string
		var since int64
		err := r.Scan(&handle, &since)
		w.Stopped[handle] = time.UnixMilli(since)
		return struct{}{}, err
	})
	if err != nil {
		return w, fmt.Errorf("read what members have asked for: %w", err)
	}
	rows, err = s.Query(ctx, `select distinct author_handle from inbox_mention where author_handle like $1`, forgottenPrefix+"%")
	_, err = store.Collect(rows, err, func(r store.Row) (struct{}, error) {
		var name string
		err := r.Scan(&name)
		w.Forgotten[name] = true
		return struct{}{}, err
	})
	if err != nil {
		return w, fmt.Errorf("read what members have asked for: %w", err)
	}
	return w, nil
}

// Grant carries wishes out on a database that was restored from before they
// were made: who said stop is left alone, and who was forgotten is forgotten
// again. It returns how many members were.
func (d *MyData) Grant(ctx context.Context, w Wishes) (forgotten int, err error) {
	err = d.Store.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		forgotten = 0
		// Those of both count: the database that was replaced may be the older
		// one, or empty. Who has taken a stop back since says so once more.
		for handle, since := range w.Stopped {
			if _, err := tx.Exec(ctx, `insert into mydata_stopped (handle, since) values ($1, $2) on conflict (handle) do nothing`, handle, since.UnixMilli()); err != nil {
				return err
			}
		}
		if w.Salt == "" {
			return nil
		}
		if _, err := tx.Exec(ctx, `insert into mydata_salt (id, salt) values (1, $1) on conflict (id) do update set salt = excluded.salt`, w.Salt); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, `select distinct author_handle from inbox_mention`)
		handles, err := store.Collect(rows, err, func(r store.Row) (h string, err error) { return h, r.Scan(&h) })
		if err != nil {
			return err
		}
		for _, k := range d.Keepers {
			l, ok := k.(Lister)
			if !ok {
				continue
			}
			more, err := l.Members(ctx, tx)
			if err != nil {
				return err
			}
			handles = append(handles, more...)
		}
		slices.Sort(handles)
		for _, handle := range slices.Compact(handles) {
			name, ok, err := pseudonym(ctx, tx, handle, false)
			if err != nil {
				return err
			}
			if !ok || !w.Forgotten[name] || handle == "" || strings.HasPrefix(handle, forgottenPrefix) {
				continue
			}
			if err := d.forgetMember(ctx, tx, inbox.Member{Handle: handle, Pseudonym: name}); err != nil {
				return err
			}
			forgotten++
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("carry over what members have asked for: %w", err)
	}
	return forgotten, nil
}

// forgetMember lets go of all that is kept of a member.
func (d *MyData) forgetMember(ctx context.Context, tx store.Tx, m inbox.Member) error {
	mentions, err := inbox.From(ctx, tx, m.Handle)
	if err != nil {
		return err
	}
	for _, k := range d.Keepers {
		if err := k.ForgetMember(ctx, tx, m, mentions); err != nil {
			return err
		}
	}
	// Whatever has used it up: a feature that is turned off by now, too.
	if d.Budget != nil {
		if err := d.Budget.Forget(ctx, tx, m.Handle); err != nil {
			return err
		}
	}
	_, err = inbox.Forget(ctx, tx, m.Handle, m.Pseudonym)
	return err
}
