package gallery

import (
	"fmt"
	"strings"
	"testing"

	"rookery/internal/sim/discordsim"
	"rookery/internal/store"
)

func TestModeratorsReview(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{})
		channel := w.discord.AddChannel(w.guild, "review", discordsim.Text)
		w.until("the bot knows the channel", func() bool { return len(w.platD.Channels("")) >= 0 })
		w.set("review_channel", channel)
		asked := func(n int) discordsim.Message {
			w.sweep()
			all := w.discord.ByBot(channel)
			if len(all) != n {
				t.Fatalf("%d questions, not %d", len(all), n)
			}
			return all[n-1]
		}
		id, thread := w.share("owls", picture(1))
		if w.sub(id).State != Review {
			t.Fatalf("it is %s", w.sub(id).State)
		}
		contains(t, w.offer(thread).Content, "A moderator looks at it first")
		question := asked(1)
		contains(t, text(question), "ada", "owls", "Owl number 1.")
		contains(t, w.pressOn(w.ben, question, verbApprove).Message.Content, "Only moderators")
		w.work()
		w.silent()
		w.pressOn(w.mod, question, verbApprove)
		w.posted(id)
		contains(t, asked(1).Content, "approved")

		id, thread = w.share("foxes", picture(2))
		question = asked(2)
		w.fill(w.mod, w.pressOn(w.mod, question, verbReject), map[string]string{"reason": "No foxes *here*."})
		w.work()
		if w.sub(id).State != Rejected || len(w.all()) != 1 {
			t.Errorf("%s, %d posts", w.sub(id).State, len(w.all()))
		}
		contains(t, w.offer(thread).Content, "a moderator has decided so", `No foxes \*here\*`)
		if got := w.events(id); got != "offered agreed rejected" {
			t.Errorf("the ledger has %q", got)
		}
	})
}

func TestLimits(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{})
		w.set("per_day", "2")
		for n := range 2 {
			id, _ := w.share(fmt.Sprint("owl ", n), picture(n+1))
			w.posted(id)
		}
		id, thread := w.begin(w.ada, "owl 3", picture(3))
		contains(t, w.press(w.ada, thread, verbPost).Message.Content, "2 posts in the last 24 hours", "Nothing is lost")
		if w.sub(id).State != Offered {
			t.Error("it is on its way")
		}
		w.set("per_hour", "1")
		id, thread = w.begin(w.ben, "fox", picture(4))
		_ = id
		if out := w.press(w.ben, thread, verbPost); !strings.Contains(out.Message.Content, "in the last hour") && w.sub(id).State == Offered {
			t.Errorf("%+v", out.Message)
		}
	})
}
