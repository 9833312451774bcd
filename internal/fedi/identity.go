package fedi

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"net/http"
	"time"

	"rookery/internal/community"
	"rookery/internal/store"
)

//go:embed migrations
var migrations embed.FS

// Migrations are the tables of this package.
func Migrations() store.Migrations { return store.Migrations{Feature: "fedi", FS: migrations} }

const (
	// recheckEvery is how often it is asked whose the token is. What is
	// posted under a wrong name cannot be taken back, so that is often.
	recheckEvery = time.Hour
	// probeEvery is how often it is asked what the server allows.
	probeEvery = 24 * time.Hour
	// noteEvery is how often the time of the last sight is written down.
	noteEvery = 23 * time.Hour
)

// SwappedError says that an account's token belongs to another account than
// the one its name in the configuration has stood for. It lies beneath an
// *Error of class Auth. Nothing is read, taken in or sent in its name.
type SwappedError struct {
	Name    string // in the configuration
	Was, Is string // handles, user@host
}

// Error implements error.
func (e *SwappedError) Error() string {
	return fmt.Sprintf("the token of the account %q belongs to %s, but this account was %s until now: "+
		"put a token of %s in its place, or, if the change is meant, give the account another name in the configuration",
		e.Name, e.Is, e.Was, e.Was)
}

// connect makes sure who we are and what the server allows. It asks only what
// is not known, is in doubt, or was asked too long ago.
func (l *login) connect(ctx context.Context) error {
	l.mu.Lock()
	now := l.f.Clock.Now()
	id, doubted := l.id, l.doubted
	known := id != "" && !doubted && now.Sub(l.verified).Abs() < recheckEvery
	probed := !l.probed.IsZero() && now.Sub(l.probed).Abs() < probeEvery
	instance := l.instance
	l.mu.Unlock()
	if known && probed {
		return nil
	}
	me, err := l.client.VerifyCredentials(ctx)
	if err != nil {
		return fmt.Errorf("log in at %s: %w", l.Server, err)
	}
	if id != "" && accountID(l.Server, me.ID) != id {
		_, self := l.account()
		return l.swapped(self.Handle, me)
	}
	if !probed {
		if instance, err = l.client.Instance(ctx); err != nil {
			return fmt.Errorf("ask %s for its limits: %w", l.Server, err)
		}
	}
	if err := l.recognise(ctx, me); err != nil {
		return err
	}
	first := l.logIn(me, instance, !probed)
	if first || doubted {
		// The outbox may have tried before we knew who we are.
		id, _ := l.account()
		return l.f.Outbox.Ready(ctx, id)
	}
	return nil
}

// recognise compares who we are with who this name stood for, and notes it.
func (l *login) recognise(ctx context.Context, me Account) error {
	var (
		now    = l.f.Clock.Now()
		id     = accountID(l.Server, me.ID)
		handle = l.client.Converter().Member(me).Handle
		was    string
		before string
		seen   int64
	)
	err := l.f.Store.QueryRow(ctx, `select account, handle, seen_at from fedi_account where name = $1`, l.Name).Scan(&was, &before, &seen)
	switch {
	case errors.Is(err, store.ErrNoRows):
	case err != nil:
		return fmt.Errorf("look up the account: %w", err)
	case community.AccountID(was) != id:
		return l.swapped(before, me)
	case before == handle && now.Sub(time.UnixMilli(seen)).Abs() < noteEvery:
		return nil
	}
	var stands string
	err = l.f.Store.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		// Another process may have been the first: its word stands.
		_, err := tx.Exec(ctx, `insert into fedi_account (name, server, account, handle, seen_at) values ($1, $2, $3, $4, $5)
			on conflict (name) do update set server = excluded.server, handle = excluded.handle, seen_at = excluded.seen_at
			where fedi_account.account = excluded.account`,
			l.Name, l.Server, string(id), store.Storable(handle, 1<<10), now.UnixMilli())
		if err != nil {
			return err
		}
		return tx.QueryRow(ctx, `select account, handle from fedi_account where name = $1`, l.Name).Scan(&stands, &before)
	})
	if err != nil {
		return fmt.Errorf("note the account: %w", err)
	}
	if community.AccountID(stands) != id {
		return l.swapped(before, me)
	}
	return nil
}

// swapped disconnects the account and says why.
func (l *login) swapped(was string, me Account) error {
	is := l.client.Converter().Member(me).Handle
	l.mu.Lock()
	id := l.id
	l.id = "" // self stays: it is still a name of ours
	l.mu.Unlock()
	if id != "" {
		l.f.mu.Lock()
		delete(l.f.byID, id)
		l.f.mu.Unlock()
	}
	return &Error{Class: Auth, Method: http.MethodGet, Path: "/api/v1/accounts/verify_credentials",
		Err: &SwappedError{Name: l.Name, Was: was, Is: is}}
}

// doubt is called when the server no longer takes the token: until it has
// said again whose it is, nothing is sent with it.
func (l *login) doubt() {
	l.mu.Lock()
	known := l.id != "" && !l.doubted
	l.doubted = l.doubted || known
	l.mu.Unlock()
	if known {
		l.askPoll()
	}
}

// sender is the login that may send for an account: nothing goes out in the
// name of one whose token is in doubt.
func (f *Fedi) sender(id community.AccountID) (*login, error) {
	l, err := f.login(id)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.doubted {
		return nil, l.helped(&Error{Class: Auth, Method: http.MethodPost, Path: "/api/v1/statuses",
			Message: "not sent: the server has refused the access token, and is asked first whose it is"})
	}
	return l, nil
}

// stillUs makes sure that a refusal is not about the token: servers answer
// "not found" for our posts to another account's token, and Akkoma says 403
// to one that is not valid.
func (l *login) stillUs(ctx context.Context) error {
	me, err := l.client.VerifyCredentials(ctx)
	if ClassOf(err) == Auth {
		l.doubt()
	}
	if err != nil {
		return err
	}
	if id, self := l.account(); me.ID != self.ID {
		l.doubt()
		return &Error{Class: Auth, Method: http.MethodGet, Path: "/api/v1/accounts/verify_credentials",
			Message: fmt.Sprintf("the token now belongs to %s, not to %s (%s)", me.Acct, self.Handle, id)}
	}
	return nil
}
