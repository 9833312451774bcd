package persona

import (
	"context"
	"strings"
	"testing"
	"time"

	"rookery/internal/community"
	"rookery/internal/sim/fedisim"
	"rookery/internal/store"
)

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
		var told []string
		w := newWorld(t, s, options{said: says("Tea is half of the answer."), persona: func(c *Config) {
			c.Refused = func(_ context.Context, _ store.Tx, account community.AccountID, reason string) error {
				told = append(told, string(account)+" "+reason)
				return nil
			}
		}})
		w.sim.Inject(fedisim.Fail(422).On("POST", "/api/v1/statuses").Always())
		w.ada.Post("@elelem why?")
		w.round()
		w.sweep()
		for range 2 {
			w.are("answering 1")
			w.clock.Advance(15 * time.Minute)
			w.sweep()
		}
		w.are("failed 1")
		w.silent()
		w.modelCalls(1)
		if len(told) != 1 || !strings.HasPrefix(told[0], string(w.account)+" ") {
			t.Errorf("told of %q", told)
		}
	})
}

// A server in trouble refuses what it takes a minute later.
func TestShortAnswerRefusedOnceIsAnsweredLater(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{said: says("Tea is half of the answer.")})
		w.sim.Inject(fedisim.Fail(422).On("POST", "/api/v1/statuses"))
		q := w.ada.Post("@elelem why?")
		w.round()
		w.sweep()
		w.are("answering 1")
		w.clock.Advance(time.Minute)
		w.sweep()
		w.are("done 1")
		if r := w.reply(q); !strings.HasSuffix(r.Text, "Tea is half of the answer.") {
			t.Errorf("the reply is %q", r.Text)
		}
		w.modelCalls(1)
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
			answers := map[string]string{
				"sentences": strings.Repeat("Tea is good. ", 500), "emoji": strings.Repeat("🦉", 6_000),
				"addresses": strings.Repeat("https://art.example/a/very/long/path/of/an/address ", 150),
			}
			if profile == fedisim.Snac { // which has the largest limit
				answers = map[string]string{"more sentences": strings.Repeat("Tea is good. ", 9_000)}
			}
			for name, said := range answers {
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
