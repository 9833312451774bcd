package persona

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"rookery/internal/budget"
	"rookery/internal/clock"
	"rookery/internal/sim/fedisim"
	"rookery/internal/sim/llmsim"
	"rookery/internal/store"
)

// unlimited are limits that are none.
func unlimited() budget.Limits {
	const no = budget.Unlimited
	return budget.Limits{RepliesPerMember: no, TokensPerDay: no, TokensPerMember: no, TokensPerAccount: no, TokensPerGuild: no,
		MoneyPerDay: no, MoneyPerMember: no, MoneyPerAccount: no, MoneyPerGuild: no}
}

// spending is a world with a budget.
func spending(t *testing.T, s *store.Store, limit func(*budget.Limits), o options) *world {
	t.Helper()
	at := clock.NewManual(time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC))
	l := unlimited()
	limit(&l)
	change := o.persona
	o.clock = at
	o.persona = func(c *Config) {
		c.Budget = budget.New(budget.Config{Store: s, Clock: at, Log: c.Log, Limits: l})
		c.MaxTokens, c.Notices, c.NoticeAfter = 100, true, 15*time.Minute
		if change != nil {
			change(c)
		}
	}
	w := newWorld(t, s, o)
	w.clock = at
	return w
}

// notices are the bot's direct messages in reply to a post that are none of
// its answers.
func (w *world) notices(to fedisim.Post) (texts []string) {
	w.sweep()
	for _, r := range w.replies(to) {
		if strings.Contains(r.Text, "budget") || strings.Contains(r.Text, "used up") || strings.Contains(r.Text, "cannot think") ||
			strings.Contains(r.Text, "not allowed") || strings.Contains(r.Text, "не разрешено") || strings.Contains(r.Text, "исчерпа") || strings.Contains(r.Text, "бюджет") {
			texts = append(texts, r.Visibility+": "+r.Text)
		}
	}
	return texts
}

func TestMemberOverTheirAnswersGetsOneNoticeADay(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		w := spending(t, s, func(l *budget.Limits) { l.RepliesPerMember = 2 }, options{})
		var asked []fedisim.Post
		for n := range 5 {
			asked = append(asked, w.ada.Post(fmt.Sprintf("@elelem question %d", n), fedisim.Language("en")))
			w.clock.Advance(time.Second)
		}
		other := w.sim.AddAccount("ben").Post("@elelem and me?")
		if n := w.round(); n != 3 {
			t.Errorf("%d answers, not 2 and 1", n)
		}
		w.reply(other)
		told := 0
		for _, q := range asked {
			for _, n := range w.notices(q) {
				told++
				if !strings.HasPrefix(n, "direct: @ada Your answers for today are used up (there are 2 a day)") {
					t.Errorf("notice %q", n)
				}
			}
		}
		if told != 1 {
			t.Errorf("%d notices", told)
		}
		w.modelCalls(3)
		w.are("declined 3, done 3")

		w.clock.Advance(14 * time.Hour) // the next day
		next := w.ada.Post("@elelem and today?")
		w.round()
		w.reply(next)
	})
}

func TestBudgetUsedUpIsSaidOnceOrNotAtAll(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		for _, notices := range []bool{true, false} {
			w := spending(t, s, func(l *budget.Limits) { l.TokensPerDay = 0 }, options{persona: func(c *Config) { c.Notices = notices }})
			first := w.ada.Post("@elelem вопрос", fedisim.Language("ru"))
			again := w.ada.Post("@elelem another")
			if n := w.round(); n != 0 {
				t.Errorf("%d answers on a budget of zero", n)
			}
			w.modelCalls(0)
			w.are("declined 2")
			got := append(w.notices(first), w.notices(again)...)
			if notices && len(got) != 1 || !notices && len(got) != 0 {
				t.Errorf("notices %v: told %q", notices, got)
			}
		}
	})
}

// What the model has used is counted as it said, or estimated if it said
// nothing, also when its answer was of no use; what was reserved is given back.
func TestUseIsSettledFromTheAnswer(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		w := spending(t, s, func(l *budget.Limits) { l.TokensPerDay = 100_000 }, options{said: says("Tick, tock.")})
		w.ada.Post("@elelem one")
		w.round()
		w.model.Inject(llmsim.Fault{Kind: llmsim.EmptyContent})
		w.ada.Post("@elelem two")
		w.poll()
		w.answer(-1)
		w.untilDue()
		w.answer(-1)
		want := 0
		for i, r := range w.model.Requests() {
			for _, m := range r.Messages {
				want += llmsim.Tokens(m.Text)
			}
			if i != 1 {
				want += llmsim.Tokens("Tick, tock.")
			}
		}
		u, err := w.persona.Budget.Today(t.Context())
		if err != nil || u.Tokens.Used != int64(want) || u.Tokens.Held != 0 || u.Replies != 2 || w.model.Count() != 3 {
			t.Errorf("used %+v, %v; want %d tokens", u, err, want)
		}
	})
}

func TestModelInTroubleHoldsNoBudget(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		w := spending(t, s, func(l *budget.Limits) { l.TokensPerDay = 100_000 }, options{})
		w.model.Inject(llmsim.Fault{Kind: llmsim.Unavailable})
		q := w.ada.Post("@elelem one")
		w.poll()
		if _, err := w.persona.Answer(t.Context(), w.account, -1); err == nil {
			t.Fatal("no trouble")
		}
		if u, err := w.persona.Budget.Today(t.Context()); err != nil || u.Tokens.Held != 0 || u.Tokens.Used != 0 {
			t.Errorf("used %+v, %v", u, err)
		}
		w.untilDue()
		w.answer(-1)
		w.reply(q)
	})
}

// Those who have waited long for a model that is down are told once, and get
// their answer later all the same.
func TestModelDownIsSaidOnceAndTheAnswerComesLater(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		w := spending(t, s, func(*budget.Limits) {}, options{})
		w.model.Inject(llmsim.Fault{Kind: llmsim.Unavailable, Times: llmsim.Always})
		first := w.ada.Post("@elelem one", fedisim.Language("en"))
		second := w.ada.Post("@elelem two", fedisim.Language("en"))
		w.poll()
		for range 4 {
			if _, err := w.persona.Answer(t.Context(), w.account, -1); err == nil {
				t.Fatal("no trouble")
			}
			if n := len(w.notices(first)) + len(w.notices(second)); n != 0 {
				t.Errorf("%d notices after a short while", n)
			}
			w.clock.Advance(3 * time.Minute)
		}
		w.clock.Advance(4 * time.Minute)
		for range 3 {
			_, _ = w.persona.Answer(t.Context(), w.account, -1)
			w.clock.Advance(11 * time.Minute)
		}
		if got := append(w.notices(first), w.notices(second)...); len(got) != 1 || !strings.HasPrefix(got[0], "direct: @ada I cannot think right now") {
			t.Errorf("told %q", got)
		}
		w.model.ClearFaults()
		w.clock.Advance(11 * time.Minute)
		if n := w.answer(-1); n != 2 {
			t.Errorf("%d answers when it was back", n)
		}
		if n := len(w.replies(first)) + len(w.replies(second)); n != 3 {
			t.Errorf("%d replies in all, not two answers and a notice", n)
		}
		w.are("done 2")
	})
}

// A notice of which nobody knows yet whether it stands is not taken for the
// answer, which a look at the thread would make of it.
func TestNoticeWhoseAnswerWasLostIsNoAnswer(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		w := spending(t, s, func(*budget.Limits) {}, options{})
		w.model.Inject(llmsim.Fault{Kind: llmsim.Unavailable, Times: llmsim.Always})
		q := w.ada.Post("@elelem one", fedisim.Language("en"))
		w.poll()
		w.clock.Advance(16 * time.Minute)
		_, _ = w.persona.Answer(t.Context(), w.account, -1) // the model is down
		w.sim.Inject(fedisim.Reset().Stored().On("POST", "/api/v1/statuses"))
		w.sweep()
		if n := len(w.replies(q)); n != 1 {
			t.Fatalf("%d notices are stored", n)
		}
		w.model.ClearFaults()
		w.clock.Advance(11 * time.Minute)
		if n := w.answer(-1); n != 0 {
			t.Errorf("%d answers before it is known what the reply is", n)
		}
		w.sweep()
		w.clock.Advance(11 * time.Minute)
		if n := w.answer(-1); n != 1 || len(w.replies(q)) != 2 {
			t.Errorf("%d answers, %d replies", n, len(w.replies(q)))
		}
		w.are("done 1")
	})
}

// A clock set back a day gives no second budget, and nobody waits for ever.
func TestClockSetBackADayGivesNoSecondBudget(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		w := spending(t, s, func(l *budget.Limits) { l.RepliesPerMember = 1 }, options{})
		w.ada.Post("@elelem one")
		if n := w.round(); n != 1 {
			t.Fatalf("%d answers", n)
		}
		w.clock.Advance(-24 * time.Hour)
		again := w.ada.Post("@elelem two")
		w.poll()
		w.answer(-1)
		if n := len(w.replies(again)) - len(w.notices(again)); n > 0 {
			t.Errorf("%d answers after the clock was set back", n)
		}
		w.clock.Advance(48 * time.Hour)
		w.ada.Post("@elelem three")
		if n := w.round(); n != 1 {
			t.Errorf("%d answers a day later", n)
		}
	})
}
