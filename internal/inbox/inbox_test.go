package inbox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"rookery/internal/clock"
	"rookery/internal/community"
	"rookery/internal/store"
	"rookery/internal/store/storetest"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// answers is a feature with one table.
type answers struct{ refuse func(community.Mention) error }

var answersTable = store.Migrations{Feature: "answers", FS: mapFS("create table answers (mention text primary key)")}

func (answers) Name() string { return "answers" }

func (answers) Wants(m community.Mention) (bool, string) { return !m.Post.Author.Bot, "from a bot" }

func (answers) Wake(context.Context, store.Tx, community.AccountID) error { return nil }

func (a answers) Accept(ctx context.Context, tx store.Tx, id ID, m community.Mention) error {
	if a.refuse != nil {
		if err := a.refuse(m); err != nil {
			return err
		}
	}
	_, err := tx.Exec(ctx, "insert into answers (mention) values ($1)", string(id))
	return err
}

func mention(n int) Item {
	return Item{Mention: community.Mention{
		Notification: community.NotificationID(fmt.Sprint("n", n)), Notified: noon.Add(time.Duration(n) * time.Second),
		Post: community.Post{ID: community.PostID(fmt.Sprint("p", n)), URI: fmt.Sprint("https://far.example/", n),
			Author: community.Member{ID: "ada", Handle: "ada@far.example"}},
	}}
}

func open(t *testing.T, s *store.Store, a Account) *Inbox {
	t.Helper()
	b := unopened(s)
	if _, err := b.Begin(t.Context(), a, noon); err != nil {
		t.Fatal(err)
	}
	return b
}

// unopened is the inbox of accounts that have never started.
func unopened(s *store.Store) *Inbox {
	return New(s, clock.NewManual(noon), slog.New(slog.DiscardHandler))
}

func states(t *testing.T, b *Inbox) string {
	t.Helper()
	c, err := b.Counts(t.Context(), "acc")
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(c)
}

func waiting(t *testing.T, s *store.Store) (n int) {
	t.Helper()
	if err := s.QueryRow(t.Context(), "select count(*) from answers").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func each(t *testing.T, fn func(t *testing.T, s *store.Store)) {
	t.Helper()
	storetest.Each(t, fn, Migrations(), answersTable)
}

func TestToldAgainChangesNothing(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		a := Account{ID: "acc", Features: []Feature{&answers{}}}
		b := open(t, s, a)
		again := mention(1)
		again.Mention.Notification, again.Mention.Post.ID = "other", "other local id"
		for i, items := range [][]Item{{mention(1), mention(2), mention(1), again}, {again, mention(2)}, {mention(3)}} {
			n, err := b.Take(t.Context(), a, Page{Items: items, Now: noon})
			if err != nil || n != []int{2, 0, 1}[i] {
				t.Errorf("page %d: %d new, %v", i, n, err)
			}
		}
		if got := waiting(t, s); got != 3 {
			t.Errorf("%d waiting rows, want 3", got)
		}
	})
}

func TestManyWhoTakeTheSamePageTakeItOnce(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		a := Account{ID: "acc", Features: []Feature{&answers{}}}
		b := open(t, s, a)
		var items []Item
		for i := range 250 {
			items = append(items, mention(i))
		}
		var wg sync.WaitGroup
		var mu sync.Mutex
		total := 0
		for range 6 {
			wg.Go(func() {
				n, err := b.Take(t.Context(), a, Page{Items: items, Now: noon})
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				total += n
				mu.Unlock()
			})
		}
		wg.Wait()
		if total != 250 || waiting(t, s) != 250 {
			t.Errorf("%d taken, %d waiting, want 250", total, waiting(t, s))
		}
	})
}

func TestWhatIsNotAnsweredIsRecordedWithItsReason(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		a := Account{ID: "acc", Features: []Feature{&answers{}}, MaxAge: 24 * time.Hour}
		b := open(t, s, a)
		bot, ours, unread, nameless := mention(2), mention(3), mention(4), mention(5)
		bot.Mention.Post.Author.Bot = true
		ours.Mention.FromUs = true
		unread.Err, unread.Raw = errors.New("not JSON"), "\x00\xff<html>"
		nameless.Mention.Post.ID = ""
		items := []Item{mention(-5), bot, ours, unread, nameless, mention(1)}
		if _, err := b.Take(t.Context(), a, Page{Items: items, Now: noon}); err != nil {
			t.Fatal(err)
		}
		if got := states(t, b); got != "map[before_start:1 ignored:2 quarantined:2 waiting:1]" {
			t.Error(got)
		}
		late := mention(7)
		if _, err := b.Take(t.Context(), a, Page{Items: []Item{late}, Now: noon.Add(48 * time.Hour)}); err != nil {
			t.Fatal(err)
		}
		if got := states(t, b); !strings.Contains(got, "expired:1") {
			t.Error(got)
		}
	})
}

func TestBacklogAnswersWhatAlreadyWaits(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		a := Account{ID: "acc", Features: []Feature{&answers{}}, MaxAge: 24 * time.Hour, Backlog: true}
		b := open(t, s, a)
		if n, err := b.Take(t.Context(), a, Page{Items: []Item{mention(-5)}, Now: noon}); err != nil || n != 1 || waiting(t, s) != 1 {
			t.Errorf("%d taken, %v, %d waiting", n, err, waiting(t, s))
		}
	})
}

func TestOneBadRowIsSetAsideAlone(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		bad := answers{refuse: func(m community.Mention) error {
			if m.Post.ID == "p2" {
				return errors.New("cannot store this")
			}
			return nil
		}}
		a := Account{ID: "acc", Features: []Feature{&bad}}
		b := open(t, s, a)
		n, err := b.Take(t.Context(), a, Page{Items: []Item{mention(1), mention(2), mention(3)}, Cursor: "n3", Now: noon})
		if err != nil || n != 3 {
			t.Errorf("%d taken, %v", n, err)
		}
		if got := states(t, b); got != "map[quarantined:1 waiting:2]" {
			t.Error(got)
		}
		if cursor, err := b.Begin(t.Context(), a, noon); cursor != "n3" || err != nil {
			t.Errorf("cursor %q, %v", cursor, err)
		}
	})
}

func TestTroubleOfTheHouseTakesNothingAndMovesNoCursor(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		full := answers{refuse: func(community.Mention) error { return fmt.Errorf("write: %w", store.ErrFull) }}
		a := Account{ID: "acc", Features: []Feature{&full}}
		b := open(t, s, a)
		if _, err := b.Take(t.Context(), a, Page{Items: []Item{mention(1)}, Cursor: "n1", Now: noon}); !errors.Is(err, store.ErrFull) {
			t.Errorf("err = %v", err)
		}
		if got := states(t, b); got != "map[]" {
			t.Error(got)
		}
		a.Features = []Feature{&answers{}}
		if n, err := b.Take(t.Context(), a, Page{Items: []Item{mention(1)}, Cursor: "n1", Now: noon}); n != 1 || err != nil {
			t.Errorf("with room again: %d, %v", n, err)
		}
	})
}

func TestBeginIsOnceForEver(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		a := Account{ID: "acc", Features: []Feature{&answers{}}}
		b := open(t, s, a)
		// A later start must not move the beginning.
		if _, err := b.Begin(t.Context(), a, noon.Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		if n, err := b.Take(t.Context(), a, Page{Items: []Item{mention(1)}, Now: noon}); n != 1 || err != nil || waiting(t, s) != 1 {
			t.Errorf("%d, %v", n, err)
		}
	})
}

func TestHostileTextIsStored(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		a := Account{ID: "acc", Features: []Feature{&answers{}}}
		b := open(t, s, a)
		m := mention(1)
		m.Mention.Post.URI = "https://far.example/\x00\xff'; drop table answers; --" + strings.Repeat("x", 1<<20)
		m.Mention.Post.Author.Handle = "\u202eada\x00@far.example"
		if n, err := b.Take(t.Context(), a, Page{Items: []Item{m}, Now: noon}); n != 1 || err != nil {
			t.Errorf("%d, %v", n, err)
		}
		if n, err := b.Take(t.Context(), a, Page{Items: []Item{m}, Now: noon}); n != 0 || err != nil {
			t.Errorf("again: %d, %v", n, err)
		}
	})
}

// patient is a feature for which nothing is too old.
type patient struct{ answers }

func (patient) Name() string                           { return "patient" }
func (patient) Wants(community.Mention) (bool, string) { return true, "" }
func (patient) Ageless() bool                          { return true }

// An ageless feature has old mentions that it would have had when they were
// new, and no others.
func TestAgelessFeaturesTakeWhatIsOld(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		a := Account{ID: "acc", Features: []Feature{answers{}, patient{}}, MaxAge: 24 * time.Hour}
		b := open(t, s, a)
		bot := mention(2)
		bot.Mention.Post.Author.Bot = true // the first does not want it
		if _, err := b.Take(t.Context(), a, Page{Items: []Item{mention(1), bot}, Now: noon.Add(48 * time.Hour)}); err != nil {
			t.Fatal(err)
		}
		if got := states(t, b); got != "map[expired:1 waiting:1]" {
			t.Error(got)
		}
		all, err := From(t.Context(), s, "ada@far.example")
		if err != nil || len(all) != 2 {
			t.Fatal(all, err)
		}
		for _, r := range all {
			if (r.State == Waiting) != (r.Feature == "patient") {
				t.Errorf("%+v", r)
			}
		}
	})
}
