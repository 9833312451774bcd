package gallery

import (
	"context"
	"testing"
	"time"

	"rookery/internal/gallery/ledger"
	"rookery/internal/store"
)

// What was deleted after the backup was made is not taken for posted for ever:
// it ends, with its words and its acknowledgement, and the ledger says so.
func TestWhatWasDeletedAfterTheBackupEnds(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		w := withCommands(t, s)
		id, thread, post := w.stands(1)
		other, _, kept := w.made(2)
		before := w.events(other)
		w.rook.Delete(post.ID)
		if n, err := w.g.Restored(t.Context()); err != nil || n != 0 {
			t.Fatalf("%d were given back, %v", n, err)
		}
		w.work()
		w.gone(id, thread)
		if got := w.events(id); got != "offered agreed posted gone" {
			t.Errorf("the ledger has %q", got)
		}
		if sub := w.sub(other); sub.State != Posted || !sub.Next.IsZero() || w.events(other) != before {
			t.Errorf("what stands is %s, looked at again at %s, the ledger %q", sub.State, sub.Next, w.events(other))
		}
		if p, _ := w.fedi.Post(kept.ID); p.Deleted {
			t.Error("what stood was deleted")
		}
	})
}

// A server that does not answer has not deleted anything.
func TestUnreachableServerHasDeletedNothing(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := withCommands(t, s)
		id, thread, post := w.made(1)
		w.rook.Delete(post.ID)
		_, err := w.g.Restored(t.Context())
		w.must(err)
		w.fedi.Down(503)
		for range 5 {
			w.must(w.worker.learnAddresses(t.Context(), w.account))
			if sub := w.sub(id); sub.State != Posted || !sub.Next.After(w.clock.Now()) {
				t.Fatalf("it is %s, looked at again at %s", sub.State, sub.Next)
			}
			w.clock.Advance(time.Hour)
		}
		w.fedi.Up()
		w.must(w.worker.learnAddresses(t.Context(), w.account))
		w.gone(id, thread)
		// One that never tells is not asked for ever.
		stands, _, _ := w.made(2)
		_, err = w.g.Restored(t.Context())
		w.must(err)
		w.fedi.Down(503)
		w.must(w.worker.learnAddresses(t.Context(), w.account))
		w.clock.Advance(lookFor + time.Hour)
		w.must(w.worker.learnAddresses(t.Context(), w.account))
		if sub := w.sub(stands); sub.State != Posted || !sub.Next.IsZero() {
			t.Errorf("it is %s, looked at again at %s", sub.State, sub.Next)
		}
	})
}

// A server is not asked about all posts at once.
func TestPostsAreLookedAtAgainABitAtATime(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := withCommands(t, s)
		for n := range lookMost + 1 {
			w.made(n)
		}
		_, err := w.g.Restored(t.Context())
		w.must(err)
		due := `select count(*) from gallery_submission where next_at > 0 and next_at <= $1`
		if n := w.count(due, w.clock.Now().UnixMilli()); n != lookMost {
			t.Errorf("%d are looked at now", n)
		}
		if n := w.count(due, w.clock.Now().Add(lookPause).UnixMilli()); n != lookMost+1 {
			t.Errorf("%d are looked at within a minute", n)
		}
	})
}

// Who presses Delete before it was looked at has it deleted as always.
func TestDeletedWhileItIsLookedAtAgain(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := withCommands(t, s)
		id, thread, _ := w.made(1)
		_, err := w.g.Restored(t.Context())
		w.must(err)
		w.must(s.Write(t.Context(), func(ctx context.Context, tx store.Tx) error {
			sub, err := lock(ctx, tx, id)
			if err != nil {
				return err
			}
			return w.g.remove(ctx, tx, sub, deletion{event: ledger.Deleted, by: sub.Subject, via: "button"})
		}))
		w.must(w.worker.learnAddresses(t.Context(), w.account))
		w.gone(id, thread)
		if got := w.events(id); got != "adopted deleted gone" {
			t.Errorf("the ledger has %q", got)
		}
	})
}
