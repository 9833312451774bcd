package persona

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"rookery/internal/llm"
	"rookery/internal/sim/fedisim"
	"rookery/internal/sim/llmsim"
	"rookery/internal/store"
	"rookery/internal/turns"
)

// untilDue moves the clock to when the only waiting mention is due.
func (w *world) untilDue() (waited time.Duration) {
	w.Helper()
	rows := w.waiting()
	if len(rows) != 1 {
		w.Fatalf("%d mentions wait, not one", len(rows))
	}
	waited = rows[0].next.Sub(w.clock.Now())
	w.clock.Advance(waited)
	return waited
}

// fails answers and expects trouble, and that nothing is lost by it.
func (w *world) fails(what string) {
	w.Helper()
	n, err := w.persona.Answer(w.Context(), w.account, -1)
	if n != 0 || err == nil {
		w.Fatalf("%s: %d replies, error %v", what, n, err)
	}
	w.are("waiting 1")
}

func TestModelInTroubleLosesNothing(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		for _, f := range []llmsim.Fault{
			{Kind: llmsim.ServerError}, {Kind: llmsim.Unavailable}, {Kind: llmsim.BadGateway}, {Kind: llmsim.HTMLPage}, {Kind: llmsim.Reset},
			{Kind: llmsim.Hang}, {Kind: llmsim.Truncated}, {Kind: llmsim.CutOff}, {Kind: llmsim.NotJSON}, {Kind: llmsim.WrongKey},
			{Kind: llmsim.OutOfQuota}, {Kind: llmsim.RateLimited}, {Kind: llmsim.RateLimited, RetryAfter: 8 * time.Minute},
			{Kind: llmsim.Unavailable, RetryAfter: time.Hour},
		} {
			w := newWorld(t, s, options{persona: func(c *Config) {
				if f.Kind == llmsim.Hang {
					c.ModelTimeout = 20 * time.Millisecond
				}
			}})
			what := fmt.Sprintf("%s, asks for %v", f.Kind, f.RetryAfter)
			w.model.Inject(f)
			q := w.ada.Post("@elelem are you there?")
			w.poll()
			w.fails(what)
			row := w.waiting()[0]
			if row.attempts != 1 || row.declined != 0 || row.leased || row.lastError == "" {
				t.Errorf("%s: the row is %+v", what, row)
			}
			// What it asks for is heeded, up to the longest back-off.
			asked := min(f.RetryAfter, turns.LongestWait)
			if wait := row.next.Sub(w.clock.Now()); wait < max(time.Second, asked) || wait > max(2*time.Second, asked+time.Second) {
				t.Errorf("%s: the next try is in %v", what, wait)
			}
			// Before it is due nobody is asked, and that is no error.
			if n := w.answer(-1); n != 0 {
				t.Errorf("%s: answered before its time", what)
			}
			w.modelCalls(1)
			w.untilDue()
			if n := w.answer(-1); n != 1 {
				t.Errorf("%s: %d replies afterwards", what, n)
			}
			w.reply(q)
			w.are("done 1")
			w.modelCalls(2)
		}
	})
}

func TestThreadThatCannotBeReadLosesNothing(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		for _, f := range []fedisim.Fault{
			fedisim.Fail(500), fedisim.Fail(502), fedisim.WebPage(200), fedisim.WebPage(404), fedisim.Torn(), fedisim.Truncated(),
			fedisim.Empty(), fedisim.Revoked(), fedisim.TooMany(fedisim.RetrySeconds, 5*time.Minute), fedisim.Unavailable(5 * time.Minute),
		} {
			w := newWorld(t, s, options{})
			w.sim.Inject(f.On("GET", "/api/v1/statuses/*/context"))
			q := w.ada.Post("@elelem are you there?")
			w.poll()
			w.fails(fmt.Sprintf("%+v", f))
			w.modelCalls(0)
			w.untilDue()
			w.poll() // after a refused token the server is asked whose it is
			if n := w.answer(-1); n != 1 {
				t.Errorf("%+v: %d replies afterwards", f, n)
			}
			w.reply(q)
			w.are("done 1")
		}
	})
}

// TestClockThatRanAheadPutsNothingOff: a machine without a battery for its
// clock fails a mention while it believes in a far future, and then learns
// better.
func TestClockThatRanAheadPutsNothingOff(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		const ahead = 30 * 24 * time.Hour
		w := newWorld(t, s, options{maxAge: 2 * ahead})
		asked := w.ask(2)
		w.poll()
		w.clock.Advance(ahead)
		w.model.Inject(llmsim.Fault{Kind: llmsim.ServerError})
		if n, err := w.persona.Answer(t.Context(), w.account, -1); n != 0 || err == nil {
			t.Fatalf("%d replies, error %v", n, err)
		}
		if _, ok, err := w.persona.Pick(t.Context(), w.account); !ok || err != nil { // and held by one that died
			t.Fatalf("picked %v: %v", ok, err)
		}
		w.clock.Advance(-ahead)
		if n := w.answer(-1); n != len(asked) {
			t.Errorf("%d replies once the clock was right", n)
		}
		for _, q := range asked {
			w.reply(q)
		}
	})
}

func TestOutageNeitherUsesUpChancesNorCutsTheThread(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{})
		post := w.ada.Post("the top of the thread")
		for i := range 30 {
			post = w.ada.Post(fmt.Sprintf("turn %d: %s", i, strings.Repeat("tick ", 40)), fedisim.ReplyTo(post.ID))
		}
		q := w.ada.Post("@elelem are you there?", fedisim.ReplyTo(post.ID))
		w.poll()
		const down = 8
		w.model.Inject(llmsim.Fault{Kind: llmsim.ServerError, Times: down}, llmsim.Fault{Kind: llmsim.Refuses, Text: "I would rather not.", Times: maxDeclined - 1})
		last := time.Duration(0)
		for i := range down {
			w.fails("the model is down")
			wait := w.untilDue()
			if wait < last-time.Millisecond { // the shortest is as long as the longest before it
				t.Errorf("wait %d is %v after %v: it does not grow", i, wait, last)
			}
			last = wait
		}
		for range maxDeclined - 1 {
			if n := w.answer(-1); n != 0 {
				t.Error("answered with a refusal")
			}
			w.are("waiting 1")
			w.untilDue()
		}
		if n := w.answer(-1); n != 1 {
			t.Errorf("%d replies", n)
		}
		w.reply(q)
		if told := transcript(w.prompt(down)); !strings.Contains(told, "the top of the thread") {
			t.Errorf("the outage cut the thread to %d characters", len(told))
		}
		w.are("done 1")
	})
}

func TestMentionThatTheModelDeclinesIsGivenUpAfterFour(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		for _, f := range []llmsim.Fault{
			{Kind: llmsim.Refuses, Text: "I cannot help with that."}, {Kind: llmsim.EmptyContent}, {Kind: llmsim.NoChoices},
			{Kind: llmsim.Says, Text: `elelem: ""`},
		} {
			w := newWorld(t, s, options{})
			f.Times, f.When = llmsim.Always, func(r llmsim.Request) bool { return strings.Contains(r.LastUser(), "forbidden") }
			w.model.Inject(f)
			w.ada.Post("@elelem a forbidden question")
			q := w.ada.Post("@elelem an easy one")
			w.poll()
			// It is this mention's trouble alone: the other is answered at once.
			if n := w.answer(-1); n != 1 {
				t.Errorf("%s: %d replies, not one", f.Kind, n)
			}
			w.reply(q)
			for tries := 1; tries < maxDeclined; tries++ {
				w.are("done 1, waiting 1")
				if row := w.waiting()[0]; row.declined != int64(tries) || row.lastError == "" || row.leased {
					t.Errorf("%s: after %d tries the row is %+v", f.Kind, tries, row)
				}
				w.untilDue()
				if n := w.answer(-1); n != 0 {
					t.Errorf("%s: answered at try %d", f.Kind, tries+1)
				}
			}
			w.are("done 1, failed 1")
			w.modelCalls(maxDeclined + 1)
			w.clock.Advance(time.Hour)
			if n := w.round(); n != 0 {
				t.Errorf("%s: answered after it was given up", f.Kind)
			}
			w.modelCalls(maxDeclined + 1)
		}
	})
}

// smallModel finds every conversation too large.
type smallModel struct{ asked [][]llm.Message }

func (m *smallModel) Complete(_ context.Context, conversation []llm.Message) (llm.Answer, error) {
	m.asked = append(m.asked, conversation)
	return llm.Answer{}, &llm.Error{Class: llm.TooLarge}
}

func TestConversationTooLargeForTheModelIsHalved(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		small := &smallModel{}
		w := newWorld(t, s, options{persona: func(c *Config) { c.MaxPromptChars, c.Model = 16_000, small }})
		post := w.ada.Post("the top of the thread")
		for i := range 100 {
			post = w.ada.Post(fmt.Sprintf("turn %d: %s", i, strings.Repeat("tick ", 40)), fedisim.ReplyTo(post.ID))
		}
		w.ada.Post("@elelem are you there?", fedisim.ReplyTo(post.ID))
		w.poll()
		for try := range maxDeclined {
			w.answer(-1)
			n := chars(small.asked[try])
			if limit := 16_000 >> try; n > limit+100 || n < limit-600 {
				t.Errorf("try %d has %d characters for a limit of %d", try, n, limit)
			}
			if try < maxDeclined-1 {
				w.untilDue()
			}
		}
		w.are("failed 1")
	})
}

func TestSmallestPromptThatMayBeSetIsHeeded(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{persona: func(c *Config) { c.MaxPromptChars = 1_200 }})
		post := w.ada.Post("the top of the thread")
		for range 20 {
			post = w.ada.Post(strings.Repeat("tick ", 40), fedisim.ReplyTo(post.ID))
		}
		w.ada.Post("@elelem are you there?", fedisim.ReplyTo(post.ID))
		w.round()
		if told := w.prompt(0); len(told) < 3 || len([]rune(transcript(told))) > 1_200+20*len(told) {
			t.Errorf("%d messages in %d characters", len(told), len([]rune(transcript(told))))
		}
	})
}

// A megabyte is cut to a post; an answer without an end is broken off at a
// limit, and the mention is tried again.
func TestModelThatSaysTooMuch(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		for _, f := range []llmsim.Fault{{Kind: llmsim.Huge}, {Kind: llmsim.Endless}} {
			w := newWorld(t, s, options{})
			w.model.Inject(f)
			q := w.ada.Post("@elelem tell me everything")
			w.poll()
			w.answer(-1)
			if f.Kind == llmsim.Endless {
				w.are("waiting 1")
				w.untilDue()
				w.answer(-1)
			}
			if r := w.reply(q); len([]rune(r.Text)) > 500 {
				t.Errorf("%s: a reply of %d characters", f.Kind, len([]rune(r.Text)))
			}
			w.are("done 1")
		}
	})
}
