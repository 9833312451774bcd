package gifs

import (
	"context"
	"strings"
	"testing"
	"time"

	"rookery/internal/inbox"
	"rookery/internal/sim/boorusim"
	"rookery/internal/sim/fedisim"
	"rookery/internal/store"
)

// forgets forgets Ada as the feature mydata does, and returns her mentions.
func (w *world) forgets() (mentions []inbox.Record) {
	w.Helper()
	handle := strings.ToLower(w.ada.Handle())
	if err := w.store.Write(w.Context(), func(ctx context.Context, tx store.Tx) (err error) {
		if mentions, err = inbox.From(ctx, tx, handle); err != nil {
			return err
		}
		if err := w.gifs.ForgetMember(ctx, tx, inbox.Member{Handle: handle, Pseudonym: "forgotten/x"}, mentions); err != nil {
			return err
		}
		_, err = inbox.Forget(ctx, tx, handle, "forgotten/x")
		return err
	}); err != nil {
		w.Fatal(err)
	}
	return mentions
}

// holding lists the feature's tables in which a word stands.
func (w *world) holding(word string) (tables []string) {
	w.Helper()
	for table, columns := range map[string]string{
		"gifs_choice":   "mention || body || picture || refused",
		"gifs_served":   "mention || account || member || picture",
		"turns_waiting": "mention || body || author || last_error",
		"outbox_effect": "key || payload",
		"inbox_mention": "author || author_handle || uri || raw || reason",
		"fedi_media":    "key || account || media_id",
	} {
		if w.count(`select count(*) from `+table+` where lower(`+columns+`) like $1`, "%"+strings.ToLower(word)+"%") > 0 {
			tables = append(tables, table)
		}
	}
	return tables
}

// Nothing of a forgotten member stays but that something was shown; what
// waits is not answered; the replies stay, and can be deleted.
func TestForgottenMember(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{}, append(many(9), picture([]string{"secretword"}), picture([]string{"secretword"}), picture([]string{"dog"}))...)
		w.ada = w.sim.AddAccount("zebedee", fedisim.Named("Zebedee"))
		answered := w.ask("secretword")
		w.round()
		shown := w.ask("cat")
		w.round()
		waits := w.ask("secretword")
		other := w.sim.AddAccount("ben").Post("@rook dog")
		w.board.Inject(boorusim.Fault{Kind: boorusim.Unavailable, Files: true, Times: 2})
		w.poll()
		_, _ = w.gifs.Answer(t.Context(), w.account, -1) // both have chosen a picture by now
		if n := w.count(`select count(*) from gifs_choice`); n != 2 {
			t.Fatalf("%d choices", n)
		}
		mentions := w.forgets()
		for _, word := range []string{"zebedee", "secretword"} {
			if tables := w.holding(word); len(tables) > 0 {
				t.Errorf("%q is still in %q", word, tables)
			}
		}
		if n := w.count(`select count(*) from gifs_served where picture <> ''`); n != 2 {
			t.Errorf("%d pictures are noted as shown", n)
		}
		w.rounds(3)
		w.medium(w.reply(other))
		w.reply(answered)
		w.reply(shown)
		if len(w.replies(waits)) != 0 {
			t.Error("the forgotten member was answered")
		}
		for _, want := range []int{2, 0} {
			if err := s.Write(t.Context(), func(ctx context.Context, tx store.Tx) error {
				standing, err := w.gifs.Standing(ctx, tx, inbox.Member{}, mentions)
				if err != nil {
					return err
				}
				n, err := w.gifs.DeleteAnswers(ctx, tx, inbox.Member{}, mentions)
				if standing != want || n != want {
					t.Errorf("%d stand, %d are deleted, not %d", standing, n, want)
				}
				return err
			}); err != nil {
				t.Fatal(err)
			}
		}
		w.sweep()
		if len(w.replies(answered))+len(w.replies(shown)) != 0 {
			t.Error("the replies still stand")
		}
		w.reply(other)
		if tables := w.holding("zebedee"); len(tables) > 0 {
			t.Errorf("the member is in %q again", tables)
		}
	})
}

// A reply that is on its way when its asker is forgotten takes its words along
// when it has arrived; one whose picture is lost is not begun anew.
func TestForgottenWhileTheReplyIsOnItsWay(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		for _, lost := range []bool{false, true} {
			w := newWorld(t, emptied(t, s), options{}, many(9)...)
			if lost {
				w.sim.Inject(fedisim.Fail(502).On("POST", postPath))
			} else {
				w.sim.Inject(fedisim.Reset().Stored().On("POST", postPath))
			}
			q := w.ask("cat")
			w.poll()
			_, _ = w.gifs.Answer(t.Context(), w.account, -1)
			w.are("answering 1")
			if lost {
				w.throwAway()
			}
			w.forgets()
			w.rounds(6)
			if want := map[bool]int{false: 1, true: 0}[lost]; len(w.replies(q)) != want {
				t.Errorf("lost %v: %d replies", lost, len(w.replies(q)))
			}
			if tables := w.holding("@ada"); len(tables) > 0 {
				t.Errorf("the member is in %q", tables)
			}
			if n := w.count(`select count(*) from gifs_choice`) + w.count(`select count(*) from turns_waiting`); n != 0 {
				t.Errorf("lost %v: %d rows are left", lost, n)
			}
		}
	})
}

// A notice that has been sent keeps no words.
func TestNoticeKeepsNoWords(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{gifs: func(c *Config) { c.Queue = 1 }}, many(2)...)
		w.ask("cat")
		second := w.ask("cat")
		w.poll()
		w.sweep()
		contains(t, w.reply(second).Text, "1 request of yours is waiting already")
		if n := w.count(`select count(*) from outbox_effect where payload <> '{}'`); n != 0 {
			t.Errorf("%d effects have words", n)
		}
	})
}

// What is old goes: the words of replies, what was shown and to whom, and what
// was chosen for a request that nobody brought to its end.
func TestPrune(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{}, many(9)...)
		q := w.ask("cat")
		w.round()
		w.board.Inject(boorusim.Fault{Kind: boorusim.Unavailable, Files: true})
		w.ask("cat")
		w.poll()
		_, _ = w.gifs.Answer(t.Context(), w.account, -1)
		for _, c := range []struct {
			after                         time.Duration
			words, effects, shown, choice int64
		}{
			{time.Hour, 1, 1, 1, 1}, {24 * time.Hour, 1, 1, 0, 1}, {30 * 24 * time.Hour, 0, 1, 0, 0}, {366 * 24 * time.Hour, 0, 0, 0, 0},
		} {
			w.clock.Advance(c.after)
			if err := w.gifs.Prune(t.Context()); err != nil {
				t.Fatal(err)
			}
			words, effects := w.count(`select count(*) from outbox_effect where payload <> '{}'`), w.count(`select count(*) from outbox_effect`)
			shown, choice := w.count(`select count(*) from gifs_served`), w.count(`select count(*) from gifs_choice`)
			if words != c.words || effects != c.effects || shown != c.shown || choice != c.choice {
				t.Errorf("after %v: %d words, %d effects, %d shown, %d choices", c.after, words, effects, shown, choice)
			}
		}
		w.reply(q)
	})
}
