package inbox

import (
	"fmt"
	"testing"
	"time"

	"rookery/internal/community"
	"rookery/internal/store"
)

func takeOver(t *testing.T, b *Inbox, h Handover) Taken {
	t.Helper()
	h.Feature = "answers"
	got, err := b.TakeOver(t.Context(), "acc", h)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestWhatAnotherProgramHasDoneIsNotTakenIn(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		a := Account{ID: "acc", Features: []Feature{&answers{}}, MaxAge: 24 * time.Hour}
		b := unopened(s)
		h := Handover{Cursor: "n5", Told: noon.Add(5 * time.Second)}
		for n := range 501 {
			h.Posts = append(h.Posts, community.PostID(fmt.Sprint("p", n+5)))
		}
		if got := takeOver(t, b, h); got != (Taken{Posts: 501, Placed: true}) {
			t.Errorf("%+v", got)
		}
		if got := takeOver(t, b, h); got != (Taken{}) {
			t.Errorf("again: %+v", got)
		}
		// The first start is later than what was told meanwhile.
		if cursor, err := b.Begin(t.Context(), a, noon.Add(time.Hour)); cursor != "n5" || err != nil {
			t.Errorf("it begins at %q, %v", cursor, err)
		}
		nameless := mention(6) // of a server that tells no uri
		nameless.Mention.Post.URI = ""
		items := []Item{mention(3), mention(5), nameless, mention(7), mention(505), mention(506), mention(507)}
		if n, err := b.Take(t.Context(), a, Page{Items: items, Now: noon}); n != 3 || err != nil {
			t.Errorf("%d taken, %v", n, err)
		}
		if got := states(t, b); got != "map[before_start:1 done:501 waiting:2]" || waiting(t, s) != 2 {
			t.Error(got)
		}
		// Another account's posts are others, even under the same ids.
		other := Account{ID: "other", Features: a.Features}
		if _, err := b.Begin(t.Context(), other, noon); err != nil {
			t.Fatal(err)
		}
		if n, err := b.Take(t.Context(), other, Page{Items: []Item{mention(7)}, Now: noon}); n != 1 || err != nil {
			t.Errorf("another account: %d, %v", n, err)
		}
	})
}

func TestThePlaceMovesOnlyWhileNothingWasTakenIn(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		a := Account{ID: "acc", Features: []Feature{&answers{}}}
		b := unopened(s)
		begins := func(want community.NotificationID) {
			t.Helper()
			if cursor, err := b.Begin(t.Context(), a, noon.Add(time.Hour)); cursor != want || err != nil {
				t.Errorf("it begins at %q, not %q, %v", cursor, want, err)
			}
		}
		if got := takeOver(t, b, Handover{Posts: []community.PostID{"p1"}}); got != (Taken{Posts: 1}) {
			t.Errorf("without a place: %+v", got)
		}
		begins("") // it has begun by itself, but nothing has come
		if got := takeOver(t, b, Handover{Cursor: "n1", Told: noon, Posts: []community.PostID{"p1"}}); got != (Taken{Placed: true}) {
			t.Errorf("before anything came: %+v", got)
		}
		// The other program went on meanwhile.
		if got := takeOver(t, b, Handover{Cursor: "n2", Told: noon.Add(time.Second), Posts: []community.PostID{"p1", "p2"}}); got != (Taken{Posts: 1, Placed: true}) {
			t.Errorf("a later state: %+v", got)
		}
		begins("n2")
		if n, err := b.Take(t.Context(), a, Page{Items: []Item{mention(2), mention(3)}, Now: noon}); n != 1 || err != nil {
			t.Errorf("%d taken, %v", n, err)
		}
		if got := takeOver(t, b, Handover{Cursor: "n9", Told: noon.Add(time.Hour), Posts: []community.PostID{"p4"}}); got != (Taken{Posts: 1, Begun: true}) {
			t.Errorf("after the start: %+v", got)
		}
		begins("n2")
		if n, err := b.Take(t.Context(), a, Page{Items: []Item{mention(4), mention(5)}, Now: noon}); n != 1 || err != nil {
			t.Errorf("%d taken, %v", n, err)
		}
	})
}

func TestNothingOlderWhereTheServerListsNothingOlder(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		a := Account{ID: "acc", Features: []Feature{&answers{}}}
		b := unopened(s)
		takeOver(t, b, Handover{Cursor: "n1"})
		if _, err := b.Begin(t.Context(), a, noon.Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		if n, err := b.Take(t.Context(), a, Page{Items: []Item{mention(-99)}, Now: noon}); n != 1 || err != nil || waiting(t, s) != 1 {
			t.Errorf("%d taken, %v", n, err)
		}
	})
}
