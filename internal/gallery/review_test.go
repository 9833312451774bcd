package gallery

import (
	"strings"
	"testing"
	"time"

	"rookery/internal/gallery/ledger"
	"rookery/internal/sim/discordsim"
	"rookery/internal/store"
)

// reviewed is a world where moderators approve each post first, and the channel
// where they are asked.
func reviewed(t *testing.T, s *store.Store) (w *world, channel string) {
	t.Helper()
	w = withCommands(t, s)
	channel = w.discord.AddChannel(w.guild, "review", discordsim.Text)
	w.set("review_channel", channel)
	return w, channel
}

func TestFirstOfTwoModeratorsDecides(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w, channel := reviewed(t, s)
		id, _ := w.share("owls", picture(1))
		question := w.offer(channel)
		form := w.pressOn(w.mod, question, verbReject)
		other := w.discord.AddUser("mia")
		w.discord.Join(w.guild, other, w.discord.AddRole(w.guild, "helpers", discordsim.ManageMessages))
		w.pressOn(other, question, verbApprove)
		contains(t, w.fill(w.mod, form, map[string]string{"reason": "no"}).Message.Content, "decided already")
		w.posted(id)
		if got := w.events(id); got != "offered agreed approved posted" {
			t.Errorf("the ledger has %q", got)
		}
		if e := w.last(id, ledger.Approved); e.By != "moderator "+w.subject(other) {
			t.Errorf("it says that %q has approved", e.By)
		}
	})
}

func TestTakenBackWhileModeratorsLook(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w, channel := reviewed(t, s)
		id, thread := w.share("owls", picture(1))
		w.press(w.ada, thread, verbCancel)
		w.sweep()
		question := w.offer(channel)
		if len(buttons(question)) != 0 || strings.Contains(text(question), "owls") {
			t.Errorf("the moderators see %q with %q", text(question), buttons(question))
		}
		contains(t, question.Content, "is over")
		w.work()
		w.silent()
		if got := w.events(id); got != "offered agreed withdrawn" {
			t.Errorf("the ledger has %q", got)
		}
	})
}

func TestReviewExpires(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w, channel := reviewed(t, s)
		id, thread := w.share("owls", picture(1))
		question := w.offer(channel)
		w.clock.Advance(w.g.ExpireAfter + time.Minute)
		w.work()
		// The artist hears of it, and can ask again or leave it.
		if got := w.sub(id).State; got != Offered {
			t.Errorf("it is %s", got)
		}
		contains(t, w.offer(thread).Content, "moderator")
		if left := buttons(w.offer(channel)); len(left) != 0 {
			t.Errorf("the moderators can still press %q", left)
		}
		in, err := w.discord.ForgeButton(w.mod, question.ID, buttons(question)[0])
		w.must(err)
		contains(t, w.answered(in).Message.Content, "decided already")
		w.silent()
	})
}

// Where the moderators cannot be asked nothing is posted unasked.
func TestModeratorsWhoCannotBeAsked(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w, channel := reviewed(t, s)
		w.discord.ChangeChannel(channel, discordsim.Private())
		id, thread := w.share("owls", picture(1))
		w.work()
		if got := w.sub(id).State; got != Offered {
			t.Errorf("it is %s", got)
		}
		contains(t, w.offer(thread).Content, "could not be asked")
		contains(t, w.told.String(), "guild gallery/review", "review channel")
		w.silent()
	})
}

// What members wrote is kept no longer than the question needs it.
func TestTheQuestionToModeratorsIsForgotten(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w, _ := reviewed(t, s)
		w.share("a most peculiar owl", picture(1))
		w.sweep()
		if n := w.count(`select count(*) from outbox_effect where key like 'gallery/review/%' and payload like '%peculiar%'`); n != 0 {
			t.Error("the outbox still has what the question says")
		}
	})
}

// ⚠ After a no nothing comes of what was written, and it goes. The artist still
// reads the reason.
func TestRejectedWordsAreForgotten(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		w, channel := reviewed(t, s)
		id, thread := w.share("a most peculiar owl", picture(1))
		w.fill(w.mod, w.pressOn(w.mod, w.offer(channel), verbReject), map[string]string{"reason": "too dark"})
		w.sweep()
		w.sweep()
		if held := append(w.holding("peculiar"), w.holding("Owl number 1")...); len(held) > 0 {
			t.Errorf("after the no (%s) the words stand in %q", w.sub(id).State, held)
		}
		contains(t, w.offer(thread).Content, "too dark")
		question := w.offer(channel)
		contains(t, question.Content, "ada", "rejected")
		if strings.Contains(text(question), "peculiar") {
			t.Errorf("the moderators still see %q", text(question))
		}
		if e := w.last(id, ledger.Rejected); len(e.Media) != 1 {
			t.Errorf("the ledger says %+v", e)
		}
	})
}

// Who is forgotten is so in the moderators' channel too, whatever became of
// their post.
func TestForgottenInTheModeratorsChannel(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w, channel := reviewed(t, s)
		w.share("a most peculiar owl", picture(1))
		w.pressOn(w.mod, w.offer(channel), verbApprove)
		w.work()
		w.sweep()
		contains(t, text(w.offer(channel)), "peculiar", "ada")
		w.forget(member(w.ada))
		w.sweep()
		got := text(w.offer(channel))
		contains(t, got, "Somebody shares", "approved")
		for _, word := range []string{"peculiar", "Owl number 1", "ada"} {
			if strings.Contains(got, word) {
				t.Errorf("forgotten, and the moderators still see %q", got)
			}
		}
	})
}
