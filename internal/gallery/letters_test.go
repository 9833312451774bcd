package gallery

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"rookery/internal/community"
	"rookery/internal/inbox"
	"rookery/internal/sim/fedisim"
	"rookery/internal/store"
)

// ⚠ What is written to the account lands with the operator, never nowhere.
func TestLettersLandWithTheOperator(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		w := withCommands(t, s)
		zoe := w.fedi.AddAccount("zoe", fedisim.Named("Zoe"))
		w.clock.Advance(time.Second)
		direct := zoe.Post("@gallery please take this down:\nhttps://mastodon.example/@gallery/1", fedisim.As("direct"))
		w.clock.Advance(time.Second)
		zoe.Post("@gallery the description of the second picture is wrong", fedisim.CW("art"))
		bot := w.fedi.AddAccount("scanner", fedisim.Bot())
		w.clock.Advance(time.Second)
		bot.Post("@gallery your post was reported")
		w.must(w.platF.PollOnce(t.Context()))
		w.must(w.platF.PollOnce(t.Context())) // again, nothing is new
		all, err := w.g.ReadLetters(t.Context(), true)
		w.must(err)
		if len(all) != 3 {
			t.Fatalf("%d letters: %+v", len(all), all)
		}
		l := all[0]
		if l.Author != "zoe@mastodon.example" || !l.Direct || !strings.Contains(l.Words, "please take this down") || l.URL != direct.URL || l.Account != w.account || l.At.IsZero() || !l.Done.IsZero() {
			t.Errorf("the first is %+v", l)
		}
		if l := all[1]; l.Direct || !strings.HasPrefix(l.Words, "[art] ") {
			t.Errorf("the second is %+v", l)
		}
		told := w.told.String()
		contains(t, told, "operator gallery/letter/"+l.ID, "letter, "+l.ID, "rookery gallery inbox")
		for _, word := range []string{"please", "reported", "zoe", "scanner", direct.URL} { // notices are kept, and logged
			if strings.Contains(told, word) {
				t.Errorf("the operator is told %q: %s", word, told)
			}
		}
		if n := strings.Count(told, "operator gallery/letter/"); n != 3 {
			t.Errorf("the operator is told %d times", n)
		}
		w.silent() // nobody answers by itself
		if counts, err := w.inbox.Counts(t.Context(), w.account); err != nil || counts[inbox.Done] != 3 {
			t.Errorf("in the inbox are %v, %v", counts, err)
		}

		w.must(w.g.LetterDone(t.Context(), l.ID))
		w.clock.Advance(time.Hour)
		w.must(w.g.LetterDone(t.Context(), l.ID))
		open, err := w.g.ReadLetters(t.Context(), true)
		w.must(err)
		every, err := w.g.ReadLetters(t.Context(), false)
		w.must(err)
		if len(open) != 2 || len(every) != 3 || every[0].Done.IsZero() || every[0].Done.After(w.clock.Now().Add(-time.Minute)) {
			t.Errorf("%d are open of %d, the first done at %s", len(open), len(every), every[0].Done)
		}
		if err := w.g.LetterDone(t.Context(), "no such"); !errors.Is(err, ErrNoLetter) {
			t.Errorf("a letter that is not there: %v", err)
		}
	})
}

// ⚠ A request to take something down is none the less after a week without
// power, when all else is too old.
func TestLettersAreNeverTooOld(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := withCommands(t, s)
		zoe := w.fedi.AddAccount("zoe")
		w.clock.Advance(time.Second)
		zoe.Post("@gallery please take it down")
		w.clock.Advance(8 * 24 * time.Hour)
		w.must(w.platF.PollOnce(t.Context()))
		if all, err := w.g.ReadLetters(t.Context(), true); err != nil || len(all) != 1 {
			t.Errorf("%d letters, %v", len(all), err)
		}
	})
}

func TestLongLettersAreCut(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := withCommands(t, s)
		m := community.Mention{Account: w.account, Notification: "7", Notified: w.clock.Now(), Post: community.Post{ID: "7", Text: strings.Repeat("Ж", 50_000),
			Author: community.Member{Handle: "zoe@other.example"}, Visibility: community.Direct}}
		w.must(s.Write(t.Context(), func(ctx context.Context, tx store.Tx) error { return w.g.Letters().Accept(ctx, tx, "a", m) }))
		all, err := w.g.ReadLetters(t.Context(), true)
		w.must(err)
		if len(all) != 1 || len([]rune(all[0].Words)) > mostLetter || len([]rune(all[0].Words)) < mostLetter/2 {
			t.Fatalf("%d letters", len(all))
		}
		if n := len([]rune(w.told.String())); n > 1_000 {
			t.Errorf("the operator is told %d characters at once", n)
		}
	})
}
