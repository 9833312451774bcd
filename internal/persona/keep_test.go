package persona

import (
	"context"
	"strings"
	"testing"
	"time"

	"rookery/internal/inbox"
	"rookery/internal/sim/fedisim"
	"rookery/internal/store"
)

// words counts the effects that still say something.
func (w *world) words() (n int64) {
	w.Helper()
	if err := w.store.QueryRow(w.Context(), `select count(*) from outbox_effect where payload <> '{}'`).Scan(&n); err != nil {
		w.Fatal(err)
	}
	return n
}

// forgets forgets Ada as the feature mydata does, and returns her mentions.
func (w *world) forgets() (mentions []inbox.Record) {
	w.Helper()
	handle := strings.ToLower(w.ada.Handle())
	if err := w.store.Write(w.Context(), func(ctx context.Context, tx store.Tx) (err error) {
		if mentions, err = inbox.From(ctx, tx, handle); err != nil {
			return err
		}
		if err := w.persona.ForgetMember(ctx, tx, inbox.Member{Handle: handle, Pseudonym: "forgotten/x"}, mentions); err != nil {
			return err
		}
		_, err = inbox.Forget(ctx, tx, handle, "forgotten/x")
		return err
	}); err != nil {
		w.Fatal(err)
	}
	return mentions
}

func TestForgottenMemberWaitsForNothingAndCanDeleteWhatStands(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{})
		answered := w.ada.Post("@elelem one?")
		w.round()
		waits := w.ada.Post("@elelem two?")
		other := w.sim.AddAccount("ben").Post("@elelem and me?")
		w.poll()
		mentions := w.forgets()
		if w.words() != 0 || len(w.waiting()) != 1 {
			t.Errorf("%d effects have words, %d mentions wait", w.words(), len(w.waiting()))
		}
		w.answer(-1)
		w.reply(other)
		w.reply(answered)
		if len(w.replies(waits)) != 0 {
			t.Error("the forgotten member was answered")
		}
		for _, want := range []int{1, 0} {
			if err := s.Write(t.Context(), func(ctx context.Context, tx store.Tx) error {
				standing, err := w.persona.Standing(ctx, tx, inbox.Member{}, mentions)
				if err != nil {
					return err
				}
				n, err := w.persona.DeleteAnswers(ctx, tx, inbox.Member{}, mentions)
				if standing != want || n != want {
					t.Errorf("%d stand, %d are deleted, not %d", standing, n, want)
				}
				return err
			}); err != nil {
				t.Fatal(err)
			}
		}
		w.sweep()
		if len(w.replies(answered)) != 0 {
			t.Error("the answer still stands")
		}
		w.reply(other)
	})
}

// An answer that is on its way when its asker is forgotten takes its words
// along when it has arrived.
func TestAnswerOnItsWayForgetsItsWords(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{})
		w.sim.Inject(fedisim.Reset().Stored().On("POST", "/api/v1/statuses"))
		q := w.ada.Post("@elelem one?")
		w.poll()
		w.answer(-1)
		w.forgets()
		w.clock.Advance(time.Minute)
		w.sweep()
		w.reply(q)
		w.are("done 1")
		if n := w.words(); n != 0 {
			t.Errorf("%d effects have words", n)
		}
	})
}

func TestNoticeKeepsNoWords(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{persona: func(c *Config) { c.Notices = true }})
		q := w.ada.Post("@elelem one?")
		w.poll()
		rows := w.waiting()
		if len(rows) != 1 {
			t.Fatal("nothing waits")
		}
		w.clock.Advance(time.Hour)
		if err := w.persona.patienceOver(t.Context(), w.account); err != nil {
			t.Fatal(err)
		}
		if w.words() != 1 {
			t.Error("no notice is planned")
		}
		w.sweep()
		if len(w.replies(q)) != 1 || w.words() != 0 {
			t.Errorf("%d replies, %d effects with words", len(w.replies(q)), w.words())
		}
	})
}
