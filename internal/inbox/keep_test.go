package inbox

import (
	"context"
	"testing"
	"time"

	"rookery/internal/store"
	"rookery/internal/store/storetest"
)

// A forgotten member's mention is known by its id alone: it is not taken in
// again, and nothing in the table leads to them.
func TestForgottenMentionIsNotTakenAgain(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		a := Account{ID: "acc", Features: []Feature{answers{}}}
		b := open(t, s, a)
		one, two := mention(1), mention(2)
		one.Mention.Post.Author.Handle = "Ada@Far.Example"
		if _, err := b.Take(t.Context(), a, Page{Items: []Item{one, two}, Now: noon}); err != nil {
			t.Fatal(err)
		}
		if got, err := From(t.Context(), s, "ADA@far.example"); err != nil || len(got) != 2 || got[0].State != Waiting || got[0].Feature != "answers" {
			t.Errorf("kept: %+v, %v", got, err)
		}
		if err := s.Write(t.Context(), func(ctx context.Context, tx store.Tx) error {
			n, err := Forget(ctx, tx, "ada@far.example", "someone")
			if n != 2 {
				t.Errorf("forgot %d", n)
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
		var left int64
		if err := s.QueryRow(t.Context(), `select count(*) from inbox_mention where author <> '' or uri <> '' or post_id <> ''
			or notification_id <> '' or author_handle <> 'someone'`).Scan(&left); err != nil || left != 0 {
			t.Errorf("%d rows lead to the member, %v", left, err)
		}
		if n, err := b.Take(t.Context(), a, Page{Items: []Item{one, two}, Now: noon}); n != 0 || err != nil {
			t.Errorf("taken again: %d, %v", n, err)
		}
		if got, err := From(t.Context(), s, "someone"); err != nil || len(got) != 2 {
			t.Errorf("by the pseudonym: %+v, %v", got, err)
		}
	}, Migrations(), answersTable)
}

func TestPruneForgetsOnlyWhatIsOldAndDone(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		a := Account{ID: "acc", Features: []Feature{answers{}}}
		b := open(t, s, a)
		var items []Item
		for n := range 600 {
			items = append(items, mention(n+1))
		}
		if _, err := b.Take(t.Context(), a, Page{Items: items, Now: noon}); err != nil {
			t.Fatal(err)
		}
		if err := s.Write(t.Context(), func(ctx context.Context, tx store.Tx) error {
			for _, it := range items[1:] {
				if err := Set(ctx, tx, itemID(a.ID, it), Done, ""); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if n, err := b.Prune(t.Context(), noon); n != 0 || err != nil {
			t.Errorf("too young: %d, %v", n, err)
		}
		if n, err := b.Prune(t.Context(), noon.Add(time.Second)); n != 599 || err != nil {
			t.Errorf("pruned %d, %v", n, err)
		}
		if got := states(t, b); got != "map[waiting:1]" {
			t.Errorf("left: %s", got)
		}
	}, Migrations(), answersTable)
}
