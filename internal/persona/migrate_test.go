package persona

import (
	"context"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"rookery/internal/clock"
	"rookery/internal/inbox"
	"rookery/internal/outbox"
	"rookery/internal/store"
	"rookery/internal/store/storetest"
	"rookery/internal/turns"
)

// before is the tables as they were before the steps from a name on.
func before(t *testing.T, name string) store.Migrations {
	t.Helper()
	old := fstest.MapFS{}
	files, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil || len(files) < 3 {
		t.Fatalf("the steps are %q, %v", files, err)
	}
	for _, f := range files {
		if strings.TrimPrefix(f, "migrations/") >= name {
			continue
		}
		b, err := fs.ReadFile(migrations, f)
		if err != nil {
			t.Fatal(err)
		}
		old[f] = &fstest.MapFile{Data: b}
	}
	return store.Migrations{Feature: Name, FS: old}
}

// What waits when the program is replaced by this one waits on, with all that
// is known of it.
func TestWhatWaitedBeforeTheUpgradeWaitsOn(t *testing.T) {
	t.Parallel()
	storetest.EachConfig(t, func(t *testing.T, c store.Config) {
		s := storetest.Open(t, c, inbox.Migrations(), outbox.Migrations(), before(t, "0003"))
		now := clock.NewManual(time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC))
		at := now.Now().UnixMilli()
		err := s.Write(t.Context(), func(ctx context.Context, tx store.Tx) error {
			if _, err := tx.Exec(ctx, `insert into persona_waiting (mention, account, author, notified_at, body)
				values ('first', 'acc', 'ada@art.example', $1, '{"Account":"acc","Post":{"ID":"p1","Text":"Is it Привет?"}}')`, at); err != nil {
				return err
			}
			_, err := tx.Exec(ctx, `insert into persona_waiting (mention, account, author, notified_at, body, attempts, declined, next_at, lease_until, holder, noticed, last_error)
				values ('second', 'acc', 'ben@art.example', $1, '{"Account":"acc","Post":{"ID":"p2","Text":"and this?"}}', 5, 2, $2, $3, 'gone', 1, 'it was down')`,
				at, at+time.Minute.Milliseconds(), at+time.Minute.Milliseconds()/2)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		// Twice, as two starts do.
		for range 2 {
			if err := s.Migrate(t.Context(), inbox.Migrations(), outbox.Migrations(), turns.Migrations(), Migrations()); err != nil {
				t.Fatal(err)
			}
		}
		p := New(Config{Store: s, Clock: now, Outbox: outbox.New(outbox.Config{Store: s, Clock: now})})
		if n, oldest, err := p.Waiting(t.Context()); n != 2 || oldest.UnixMilli() != at || err != nil {
			t.Errorf("%d wait, since %v: %v", n, oldest, err)
		}
		w, ok, err := p.Pick(t.Context(), "acc")
		if !ok || err != nil || w.ID != "first" || w.Mention.Post.Text != "Is it Привет?" || w.Attempts != 0 {
			t.Errorf("picked %v %+v: %v", ok, w, err)
		}
		if w, ok, err := p.Pick(t.Context(), "acc"); ok || err != nil {
			t.Errorf("picked %+v before its time: %v", w, err)
		}
		var noticed int64
		var holder, lastError string
		if err := s.QueryRow(t.Context(), `select noticed, holder, last_error from turns_waiting where feature = 'persona' and mention = 'second'`).
			Scan(&noticed, &holder, &lastError); err != nil || noticed != 1 || holder != "gone" || lastError != "it was down" {
			t.Errorf("the second is %d, %q, %q: %v", noticed, holder, lastError, err)
		}
		now.Advance(time.Minute)
		w, ok, err = p.Pick(t.Context(), "acc")
		if !ok || err != nil || w.ID != "second" || w.Mention.Post.Text != "and this?" || w.Attempts != 5 || w.Declined != 2 {
			t.Errorf("picked %v %+v: %v", ok, w, err)
		}
		if err := s.QueryRow(t.Context(), `select count(*) from persona_waiting`).Scan(&noticed); err == nil {
			t.Error("the old table is still there")
		}
	})
}
