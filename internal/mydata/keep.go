package mydata

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"rookery/internal/jobs"
	"rookery/internal/store"
)

// KeepUse is how long it is kept what a member has used of the budget.
const KeepUse = 35 * 24 * time.Hour

// forgottenPrefix begins every pseudonym; no handle holds a slash.
const forgottenPrefix = "forgotten/"

// pseudonym is what stands in place of a forgotten member's handle: the same
// each time for the same member, so that they can still have their answers
// deleted, and of no use to anybody else. It reports false if there can be
// none yet and make is false.
func pseudonym(ctx context.Context, tx store.Tx, handle string, makeSalt bool) (string, bool, error) {
	if makeSalt {
		var b [24]byte
		_, _ = rand.Read(b[:]) // never fails
		if _, err := tx.Exec(ctx, `insert into mydata_salt (id, salt) values (1, $1) on conflict (id) do nothing`,
			base64.RawURLEncoding.EncodeToString(b[:])); err != nil {
			return "", false, fmt.Errorf("make a pseudonym: %w", err)
		}
	}
	var salt string
	err := tx.QueryRow(ctx, `select salt from mydata_salt where id = 1`).Scan(&salt)
	if errors.Is(err, store.ErrNoRows) {
		return "", false, nil
	}
	if err != nil {
		return "", false, fmt.Errorf("make a pseudonym: %w", err)
	}
	mac := hmac.New(sha256.New, []byte(salt))
	mac.Write([]byte(handle))
	return forgottenPrefix + hex.EncodeToString(mac.Sum(nil)[:16]), true, nil // no capitals: it is looked up as handles are
}

// tidyEvery is how often what has been kept long enough is let go.
const tidyEvery = 24 * time.Hour

// tidyArgs is the job that tidies.
type tidyArgs struct{}

// Kind implements jobs.Args.
func (tidyArgs) Kind() string { return "mydata.tidy" }

// Work has the queue tidy once a day. Call it before the queue starts.
func (d *MyData) Work(q *jobs.Queue) {
	jobs.Register(q, jobs.Kind{Timeout: 10 * time.Minute}, func(ctx context.Context, _ jobs.Job[tidyArgs]) error { return d.Tidy(ctx) })
	q.Every("mydata.tidy", jobs.Interval(time.Hour), tidyArgs{}, jobs.Opts{Key: "tidy", Priority: 4})
}

// Tidy lets go of what has been kept long enough, unless that was done within
// a day. A clock that was wrong must not make it forget too much or stop for
// ever: the time of the last tidying is believed only if it is not ahead.
func (d *MyData) Tidy(ctx context.Context) error {
	now := d.Clock.Now()
	var at int64
	err := d.Store.QueryRow(ctx, `select at from mydata_tidied where id = 1`).Scan(&at)
	if err != nil && !errors.Is(err, store.ErrNoRows) {
		return fmt.Errorf("see when it was tidied: %w", err)
	}
	if last := time.UnixMilli(at); !last.After(now) && now.Sub(last) < tidyEvery {
		return nil
	}
	gone, err := d.Inbox.Prune(ctx, now.Add(-KeepMentions))
	if err != nil {
		return err
	}
	errs := []error{}
	for _, k := range d.Keepers {
		errs = append(errs, k.Prune(ctx))
	}
	if _, err := d.Outbox.Prune(ctx, Name, now.Add(-tidyEvery), now.Add(-KeepUse)); err != nil {
		errs = append(errs, err)
	}
	if d.Budget != nil {
		errs = append(errs, d.Budget.Prune(ctx, now.Add(-KeepUse)))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("let go of what is old: %w", err)
	}
	if gone > 0 {
		d.Log.Info("old mentions are forgotten", "number", gone)
	}
	return d.Store.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		_, err := tx.Exec(ctx, `insert into mydata_tidied (id, at) values (1, $1) on conflict (id) do update set at = excluded.at`, now.UnixMilli())
		return err
	})
}
