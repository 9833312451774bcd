package persona

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"rookery/internal/sim/fedisim"
	"rookery/internal/sim/llmsim"
	"rookery/internal/store"
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
			asked := min(f.RetryAfter, longestBackoff)
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
			if n := w.answer(-1); n != 1 {
				t.Errorf("%+v: %d replies afterwards", f, n)
			}
			w.reply(q)
			w.are("done 1")
		}
	})
}

func TestBackOffGrowsWithJitterToTenMinutes(t *testing.T) {
	t.Parallel()
	for _, failures := range []int{-5, -1, 0, 1, 2, 5, 8, 9, 12, 13, 63, 64, 1 << 40} {
		most := 10 * time.Minute
		if failures <= 8 {
			most = 2 * time.Second << max(failures, 0)
		}
		for range 200 {
			if d := backoff(failures); d < most/2 || d > most {
				t.Fatalf("after %d failures: %v, not from %v to %v", failures, d, most/2, most)
			}
		}
	}
}

func TestOutageNeitherUsesUpChancesNorCutsTheThread(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{})
		post := w.ada.Post("the top of the thread")
		for i := range 60 {
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
			{Kind: llmsim.Huge, Size: 5 << 20}, {Kind: llmsim.Says, Text: `elelem: ""`},
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

func TestConversationTooLargeForTheModelIsHalved(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{persona: func(c *Config) { c.MaxPromptChars = 16_000 }})
		post := w.ada.Post("the top of the thread")
		for i := range 100 {
			post = w.ada.Post(fmt.Sprintf("turn %d: %s", i, strings.Repeat("tick ", 40)), fedisim.ReplyTo(post.ID))
		}
		w.model.Inject(llmsim.Fault{Kind: llmsim.Huge, Size: 5 << 20, Times: llmsim.Always})
		w.ada.Post("@elelem are you there?", fedisim.ReplyTo(post.ID))
		w.poll()
		for try := range maxDeclined {
			w.answer(-1)
			n := 0
			for _, m := range w.prompt(try) {
				n += len(m.Text)
			}
			if limit := 16_000 >> try; n > limit+100 || n < limit-600 {
				t.Errorf("try %d has %d bytes for a limit of %d characters", try, n, limit)
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

func TestAnswerRefusedAsTooLongIsTriedShorterOnce(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		for _, status := range []int{400, 413, 422} {
			for _, refusals := range []int{1, 2} {
				w := newWorld(t, s, options{said: says(strings.Repeat("Tea is half of the answer. ", 15))})
				ben := w.sim.AddRemote("ben_of_the_long_name@a-server-with-a-rather-long-name.example")
				w.sim.Inject(fedisim.Fail(status).On("POST", "/api/v1/statuses").Times(refusals))
				q := ben.Post("@elelem@" + w.sim.Domain() + " why so long?")
				w.poll()
				if n := w.answer(-1); n != 1 {
					t.Errorf("status %d: %d answers", status, n)
				}
				w.are("answering 1")
				w.sweep()
				var sent []string
				for _, r := range w.sim.Requests() {
					if r.Method == "POST" && strings.HasPrefix(r.Path, "/api/v1/statuses") {
						sent = append(sent, decode(t, r))
					}
				}
				if len(sent) != 2 || len(sent[1]) > len(sent[0])/2+len("@"+ben.Acct) || !strings.HasPrefix(sent[1], "@"+ben.Acct+" Tea") {
					t.Errorf("status %d: sent %q", status, sent)
				}
				if refusals == 1 {
					w.are("done 1")
					if r := w.reply(q); len(r.Mentions) != 1 || r.Mentions[0] != ben.Acct || !strings.HasSuffix(r.Text, "answer.") {
						t.Errorf("status %d: the shorter reply is %q and mentions %v", status, r.Text, r.Mentions)
					}
				} else {
					w.are("failed 1")
					if w.reason() == "" {
						t.Errorf("status %d: failed without a reason", status)
					}
				}
				w.clock.Advance(time.Hour)
				w.sweep()
				w.modelCalls(1)
				if n := len(w.replies(q)); n != 2-refusals {
					t.Errorf("status %d, refused %d times: %d replies", status, refusals, n)
				}
			}
		}
	})
}

func TestShortAnswerRefusedForGoodIsNotMutilated(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{said: says("Tea is half of the answer.")})
		w.sim.Inject(fedisim.Fail(422).On("POST", "/api/v1/statuses"))
		w.ada.Post("@elelem why?")
		w.round()
		w.sweep()
		w.are("failed 1")
		w.silent()
	})
}

func TestMentionDeletedMeanwhileIsGone(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		for _, profile := range fedisim.Profiles() {
			w := newWorld(t, s, options{profile: profile})
			q := w.ada.Post("@elelem forget it")
			other := w.ada.Post("@elelem but not this")
			w.poll()
			w.ada.Delete(q.ID)
			if n := w.answer(-1); n != 1 {
				t.Errorf("%s: %d replies", profile, n)
			}
			w.reply(other)
			w.modelCalls(1) // nobody pays for a question that was taken back
			w.are("done 1, gone 1")
		}
	})
}

func TestMentionDeletedBeforePostingIsGone(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		// Akkoma refuses with a 422, which tells no reason, and snac posts all the same.
		for _, profile := range []fedisim.Profile{fedisim.Mastodon, fedisim.GoToSocial, fedisim.Sharkey} {
			w := newWorld(t, s, options{profile: profile})
			q := w.ada.Post("@elelem forget it")
			w.poll()
			w.sim.Inject(fedisim.First(func() { w.ada.Delete(q.ID) }).On("POST", "/api/v1/statuses"))
			w.answer(-1)
			w.sweep()
			w.are("gone 1")
			w.silent()
			if n := len(w.sim.Timeline()); n != 1 {
				t.Errorf("%s: %d posts were ever made", profile, n)
			}
		}
	})
}

// TestUnknownOutcomeOfAPostIsOneReply: the server's answer to the post is
// lost or wrong, and the post stands.
func TestUnknownOutcomeOfAPostIsOneReply(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		for _, f := range []fedisim.Fault{
			fedisim.Fail(500).Stored(), fedisim.Reset().Stored(), fedisim.Truncated(), fedisim.WebPage(200).Stored(), fedisim.Empty(), fedisim.Reset(), fedisim.Fail(500),
		} {
			w := newWorld(t, s, options{})
			w.sim.Inject(f.On("POST", "/api/v1/statuses"))
			q := w.ada.Post("@elelem are you there?")
			if n := w.round(); n != 1 {
				t.Errorf("%+v: %d answers", f, n)
			}
			w.are("answering 1")
			for range 3 {
				w.sweep()
				w.clock.Advance(2 * time.Minute)
			}
			w.reply(q)
			w.are("done 1")
			w.modelCalls(1) // what the model said is never made twice
		}
	})
}

func TestLongWarningOfALargerServerIsCutToFit(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{})
		ben := w.sim.AddRemote("ben@other.example")
		q := ben.Post("@elelem@"+w.sim.Domain()+" what do you think?", fedisim.CW(strings.Repeat("food and drink, ", 100)))
		if n := w.round(); n != 1 {
			t.Errorf("%d replies", n)
		}
		r := w.reply(q)
		if !strings.HasPrefix(r.CW, "food and drink, ") || len(r.CW) > 255 || !r.Sensitive || len(r.Text) < 30 {
			t.Errorf("the reply is %q with the warning %q", r.Text, r.CW)
		}
		w.are("done 1")
	})
}

// TestReplyFitsEachServer has the servers themselves judge the length.
func TestReplyFitsEachServer(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		for _, profile := range fedisim.Profiles() {
			for name, said := range map[string]string{
				"a megabyte": strings.Repeat("owl ", 1<<18), "sentences": strings.Repeat("Tea is good. ", 2_000),
				"addresses": strings.Repeat("https://art.example/a/very/long/path/of/an/address ", 900), "emoji": strings.Repeat("🦉", 9_000),
			} {
				w := newWorld(t, s, options{profile: profile, said: says(said)})
				q := w.ada.Post("@elelem tell me everything", fedisim.CW("a long story"))
				w.round()
				if r := w.reply(q); len([]rune(r.Text)) < 200 {
					t.Errorf("%s, %s: the reply has only %d characters", profile, name, len([]rune(r.Text)))
				}
				w.are("done 1")
			}
		}
	})
}
