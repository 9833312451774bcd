package gallery

import (
	"context"
	"errors"
	"strings"
	"testing"

	"rookery/internal/community"
	"rookery/internal/gallery/ledger"
	"rookery/internal/llm"
	"rookery/internal/store"
	"rookery/internal/words"
)

func TestDeleteByOperator(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := withCommands(t, s)
		for _, name := range []func(*submission) string{
			func(s *submission) string { return s.PostURL },
			func(s *submission) string { return shownCode(s.Code) },
			func(s *submission) string { return s.ID },
		} {
			id, thread, post := w.made(1)
			d, err := w.g.DeleteByOperator(t.Context(), name(w.sub(id)), "asked for by\nsomebody")
			w.must(err)
			if d.Submission != id || d.Link != post.URL || d.Before != Posted || d.Account != w.account {
				t.Errorf("it is said: %+v", d)
			}
			w.sweep()
			w.gone(id, thread)
			if e := w.last(id, ledger.TakenDown); e.By != "operator" || e.Via != "command line" || e.Note != "asked for by somebody" {
				t.Errorf("the ledger says %+v", e)
			}
			if d, err := w.g.DeleteByOperator(t.Context(), id, ""); err != nil || d.Before != Deleted {
				t.Errorf("again: %+v, %v", d, err)
			}
		}
		id, _ := w.begin(w.ada, "owls", picture(1))
		if d, err := w.g.DeleteByOperator(t.Context(), id, ""); err != nil || d.Before != Offered || w.sub(id).State != Withdrawn {
			t.Errorf("what was offered: %+v, %v", d, err)
		}
		if e := w.last(id, ledger.Withdrawn); e.By != "operator" {
			t.Errorf("the ledger says that %q has taken it back", e.By)
		}
		if _, err := w.g.DeleteByOperator(t.Context(), "https://mastodon.example/@gallery/1", ""); !errors.Is(err, ErrNoPost) {
			t.Errorf("what is not there: %v", err)
		}
		// The artist is told.
		if told := w.discord.Messages(w.discord.DMChannel(w.ada)); len(told) != 3 {
			t.Errorf("the artist got %d messages", len(told))
		}
	})
}

// Two servers may give the same id; the operator says which.
func TestDeleteByOperatorOfTwo(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := withCommands(t, s)
		id, _, post := w.made(1)
		p := AdoptedPost{Account: w.app, Target: "other.example/7", Thread: "1", Author: "2", Post: community.PostID(post.ID), URL: "https://other.example/notice/" + post.ID}
		if fresh, err := w.g.Adopt(t.Context(), p); err != nil || !fresh {
			t.Fatal(fresh, err)
		}
		if _, err := w.g.DeleteByOperator(t.Context(), post.ID, ""); !errors.Is(err, ErrSeveral) {
			t.Errorf("one of the two: %v", err)
		}
		if d, err := w.g.DeleteByOperator(t.Context(), post.URL, ""); err != nil || d.Submission != id {
			t.Errorf("by its address: %+v, %v", d, err)
		}
		if _, err := w.g.DeleteByOperator(t.Context(), p.URL, ""); !errors.Is(err, ErrNoAccount) {
			t.Errorf("the other, whose account is not ours: %v", err)
		}
	})
}

func TestLedgerForTheOperator(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := withCommands(t, s)
		id, _, post := w.stands(1)
		w.begin(w.ada, "another", picture(2))
		for _, ref := range []string{post.URL, post.ID, id, w.sub(id).Code} {
			entries, err := w.g.LedgerOfPost(t.Context(), ref)
			if err != nil || len(entries) != 3 || entries[0].Submission != id {
				t.Errorf("%q: %d entries, %v", ref, len(entries), err)
			}
		}
		if _, err := w.g.LedgerOfPost(t.Context(), "nothing"); !errors.Is(err, ErrNoPost) {
			t.Errorf("nothing: %v", err)
		}
		for _, who := range []string{w.ada, "<@" + w.ada + ">", "<@!" + w.ada + ">", w.ada + "@discord", w.subject(w.ada)} {
			entries, err := w.g.LedgerOf(t.Context(), who)
			if err != nil || len(entries) != 4 {
				t.Errorf("%q: %d entries, %v", who, len(entries), err)
			}
		}
		if _, err := w.g.LedgerOf(t.Context(), w.ben); !errors.Is(err, ErrNoMember) {
			t.Errorf("Ben: %v", err)
		}
	})
}

// mute is a model that nobody asks.
type mute struct{}

func (mute) Complete(context.Context, []llm.Message) (llm.Answer, error) {
	return llm.Answer{}, errors.New("it was asked")
}

func TestAbout(t *testing.T) {
	t.Parallel()
	g := &Gallery{Config: Config{Model: mute{}, ModelName: "sim-1", Processor: "Sim (Moon)", Privacy: "https://art.example/privacy"}}
	a := Account{Handle: "gallery@art.example", Contact: "olga@art.example", AI: true}
	for _, l := range words.Languages() {
		text := g.About(a, l, []string{"Owls", "Crows"})
		contains(t, text, "@gallery@art.example", "Owls, Crows", "olga@art.example", "Sim (Moon)", "sim-1", "/delete_fedi", "https://art.example/privacy")
		if strings.ContainsAny(text, "{}") {
			t.Errorf("in %s something was not filled in: %s", l, text)
		}
		lines := strings.Split(text, "\n\n")
		if n := len([]rune(lines[1])); n > 255 { // the field of a profile takes no more on Mastodon
			t.Errorf("in %s the line for the profile has %d characters: %s", l, n, lines[1])
		}
		a := a
		a.AI, a.Contact = false, ""
		text = g.About(a, l, nil)
		takedown := strings.SplitN(text, "\n\n# ", 3)[2]
		if n := strings.Count(takedown, "@gallery@art.example"); n != 1 {
			t.Errorf("without a contact, whom to write to is said %d times in %s: %s", n, l, takedown)
		}
		if strings.Contains(text, "Sim (Moon)") || strings.ContainsAny(text, "{}") {
			t.Errorf("without a model it says in %s: %s", l, text)
		}
	}
}
