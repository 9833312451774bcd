package gallery

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"rookery/internal/community"
	"rookery/internal/discord"
	"rookery/internal/gallery/ledger"
	"rookery/internal/inbox"
	"rookery/internal/sim/discordsim"
	"rookery/internal/sim/fedisim"
	"rookery/internal/store"
)

// member is somebody on Discord as mydata knows them.
func member(who string) inbox.Member {
	return inbox.Member{Handle: strings.ToLower(discord.HandleOf(community.MemberID(who))), Pseudonym: "forgotten/" + who + "x"}
}

func (w *world) forget(m inbox.Member) {
	w.Helper()
	w.must(w.store.Write(w.Context(), func(ctx context.Context, tx store.Tx) error { return w.g.ForgetMember(ctx, tx, m, nil) }))
}

func (w *world) standing(m inbox.Member) (n int) {
	w.Helper()
	w.must(w.store.Write(w.Context(), func(ctx context.Context, tx store.Tx) (err error) {
		n, err = w.g.Standing(ctx, tx, m, nil)
		return err
	}))
	return n
}

func (w *world) deleteAnswers(m inbox.Member) (n int) {
	w.Helper()
	w.must(w.store.Write(w.Context(), func(ctx context.Context, tx store.Tx) (err error) {
		n, err = w.g.DeleteAnswers(ctx, tx, m, nil)
		return err
	}))
	return n
}

// holding lists the tables in which a word stands.
func (w *world) holding(word string) (tables []string) {
	w.Helper()
	for table, columns := range map[string]string{
		"gallery_submission": "artist || body || forgotten || source",
		"gallery_medium":     "body",
		"gallery_artist":     "member || name || links",
		"gallery_quiet":      "member",
		"gallery_block":      "member || by",
		"gallery_letter":     "author || words",
		"gallery_ledger":     "subject || target || done_by || note || media",
		"outbox_effect":      "payload",
	} {
		if w.count(fmt.Sprintf(`select count(*) from %s where (%s) like $1`, table, columns), "%"+word+"%") > 0 {
			tables = append(tables, table)
		}
	}
	slices.Sort(tables)
	return tables
}

func TestForgetMe(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		w := withCommands(t, s)
		w.said(w.ada, w.text, "artist profile", discordsim.Args{"name": "Adelheid"})
		id, thread, post := w.stands(1)
		code := w.sub(id).Code
		waits, _ := w.share("Adelheid's second", picture(2))
		offered, _ := w.begin(w.ada, "Adelheid's third", picture(3))
		_, no := w.begin(w.ada, "Adelheid's fourth", picture(4))
		w.press(w.ada, no, verbNever)
		bens, _ := w.begin(w.ben, "Ben's", picture(5))
		w.sweep()
		known := func() (all []string) {
			w.must(s.Write(t.Context(), func(ctx context.Context, tx store.Tx) (err error) {
				all, err = w.g.Members(ctx, tx)
				return err
			}))
			slices.Sort(all)
			return all
		}
		if got := known(); !slices.Equal(got, []string{w.ada + "@discord", w.ben + "@discord"}) {
			t.Errorf("known are %q", got)
		}
		w.forget(member(w.ada))
		if got := known(); !slices.Equal(got, []string{w.ben + "@discord"}) {
			t.Errorf("after she is forgotten %q are known", got)
		}
		w.work()
		if held := w.holding("Adelheid"); len(held) != 0 {
			t.Errorf("her name stands in %q", held)
		}
		// What she wrote is forgotten too; Ben's is not.
		for word, want := range map[string][]string{"Owl number 1": nil, "owl 1": nil, "Owl number 5": {"gallery_medium"}} {
			if held := slices.DeleteFunc(w.holding(word), func(s string) bool { return s == "outbox_effect" && want != nil }); !slices.Equal(held, want) {
				t.Errorf("%q stands in %q", word, held)
			}
		}
		if n := w.count(`select count(*) from gallery_submission where artist = $1`, w.ada); n != 0 {
			t.Errorf("%d submissions know her", n)
		}
		if n := w.count(`select count(*) from gallery_artist where member = $1`, w.ada) + w.count(`select count(*) from gallery_quiet where member = $1`, w.ada); n != 0 {
			t.Errorf("%d rows of her", n)
		}
		if w.sub(waits).State != Withdrawn || w.sub(offered).State != Withdrawn || w.sub(bens).State != Offered || string(w.sub(bens).Artist) != w.ben {
			t.Errorf("what waited is %s, what was offered %s, Ben's %s", w.sub(waits).State, w.sub(offered).State, w.sub(bens).State)
		}
		if p, ok := w.fedi.Post(post.ID); !ok || p.Deleted || p.Text != post.Text {
			t.Errorf("the post has changed: %+v", p)
		}
		// The same member is another to the ledger from now on.
		if before := w.last(id, ledger.Agreed).Subject; before == w.subject(w.ada) {
			t.Error("the ledger's name for her still means her")
		}
		contains(t, w.events(id), "posted", "revoked")
		// It can still be deleted: with the code, and by whoever runs the bot.
		contains(t, w.said(w.ada, thread, "delete_fedi", nil), "not a post of yours")
		if got := w.later(w.ada, thread, "delete_fedi", discordsim.Args{"post": code}); got != deletedOn {
			t.Errorf("with the code: %q", got)
		}
		w.gone(id, thread)
	})
}

// What stands is counted, before and after the member is forgotten, and deleted
// by the same words.
func TestDeleteAnswersDeletesWhatWasShared(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		w := withCommands(t, s)
		id, thread, _ := w.made(1)
		other, otherThread, _ := w.made(2)
		m := member(w.ada)
		for _, who := range []inbox.Member{member(w.ben), {Handle: "ada@mastodon.example", Pseudonym: "forgotten/y"}, {Handle: "@discord"}, {Handle: member(w.ben).Handle}} {
			if n := w.standing(who); n != 0 {
				t.Errorf("%+v has %d posts", who, n)
			}
		}
		if n := w.standing(m); n != 2 {
			t.Fatalf("%d posts stand", n)
		}
		w.forget(m)
		if n := w.standing(m); n != 2 {
			t.Errorf("forgotten, %d posts stand", n)
		}
		if n := w.standing(inbox.Member{Handle: member(w.ben).Handle}); n != 0 {
			t.Errorf("without a pseudonym Ben has %d", n)
		}
		for _, want := range []int{2, 0} {
			if n := w.deleteAnswers(m); n != want {
				t.Errorf("%d are deleted, not %d", n, want)
			}
		}
		w.gone(id, thread)
		w.gone(other, otherThread)
		if e := w.last(id, ledger.Deleted); e.Via != "delete posts" {
			t.Errorf("the ledger says %+v", e)
		}
	})
}

// An edit that waits while its artist is forgotten leaves the post as it is.
func TestForgetMeWhileAnEditWaits(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := withCommands(t, s)
		id, _, post := w.stands(1)
		w.fedi.Down(503)
		w.must(s.Write(t.Context(), func(ctx context.Context, tx store.Tx) error {
			sub, err := lock(ctx, tx, id)
			if err != nil {
				return err
			}
			return w.g.changePost(ctx, tx, sub)
		}))
		w.sweep()
		w.forget(member(w.ada))
		w.fedi.Up()
		for range 4 {
			w.clock.Advance(5 * time.Minute)
			w.sweep()
		}
		p, _ := w.fedi.Post(post.ID)
		if p.Text != post.Text || len(p.Media) != 1 || p.Media[0].Description != post.Media[0].Description {
			t.Errorf("the post is %+v", p)
		}
	})
}

// Who wrote to the account is forgotten with their letter.
func TestForgetMeOnTheFediverse(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := withCommands(t, s)
		for _, name := range []string{"zoe", "max"} {
			a := w.fedi.AddAccount(name)
			w.clock.Advance(time.Second)
			a.Post("@gallery I am "+name, fedisim.As("direct"))
		}
		w.must(w.platF.PollOnce(t.Context()))
		w.forget(inbox.Member{Handle: "zoe@mastodon.example", Pseudonym: "forgotten/z"})
		all, err := w.g.ReadLetters(t.Context(), false)
		w.must(err)
		if len(all) != 1 || all[0].Author != "max@mastodon.example" {
			t.Errorf("kept are %+v", all)
		}
	})
}

// Being forgotten is no way around the moderators.
func TestForgetMeKeepsABlock(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := withCommands(t, s)
		w.said(w.mod, w.text, "gallery block", discordsim.Args{"member": w.ada})
		w.forget(member(w.ada))
		w.forget(member(w.mod))
		contains(t, w.said(w.mod, w.text, "gallery blocked", nil), "<@"+w.ada+">")
		if held := w.holding(w.mod); slices.Contains(held, "gallery_block") {
			t.Error("who has blocked her is still known")
		}
	})
}

func TestPrune(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		w := withCommands(t, s)
		stands, _, _ := w.made(1)
		deleted, thread, post := w.stands(2)
		w.later(w.ada, thread, "delete_fedi", nil)
		w.gone(deleted, thread)
		declined, no := w.begin(w.ada, "no", picture(3))
		w.press(w.ada, no, verbNo)
		w.sweep()
		zoe := w.fedi.AddAccount("zoe")
		w.clock.Advance(time.Second)
		zoe.Post("@gallery one")
		zoe.Post("@gallery two")
		w.must(w.platF.PollOnce(t.Context()))
		all, err := w.g.ReadLetters(t.Context(), true)
		w.must(err)
		w.must(w.g.LetterDone(t.Context(), all[0].ID))

		know := func() (ids []string) {
			w.must(w.g.Prune(t.Context()))
			for name, id := range map[string]string{"stands": stands, "deleted": deleted, "declined": declined} {
				if w.count(`select count(*) from gallery_submission where id = $1`, id) > 0 {
					ids = append(ids, name)
				}
			}
			slices.Sort(ids)
			return ids
		}
		w.clock.Advance(KeepEnded - time.Minute)
		if got := know(); len(got) != 3 {
			t.Errorf("after almost 30 days %q are known", got)
		}
		w.clock.Advance(2 * time.Minute)
		if got := know(); !slices.Equal(got, []string{"stands"}) {
			t.Errorf("after 30 days %q are known", got)
		}
		w.clock.Advance(KeepLetters)
		w.must(w.g.Prune(t.Context()))
		all, err = w.g.ReadLetters(t.Context(), false)
		w.must(err)
		if len(all) != 1 || !all[0].Done.IsZero() {
			t.Errorf("after 13 months there are %+v", all)
		}
		// The ledger stays, and finds what was let go of.
		if entries, err := w.g.LedgerOfPost(t.Context(), post.URL); err != nil || len(entries) == 0 {
			t.Errorf("the ledger has %d entries, %v", len(entries), err)
		}
		// However long a post stands, it can be deleted.
		if d, err := w.g.DeleteByOperator(t.Context(), string(w.sub(stands).Post), ""); err != nil || d.Before != Posted {
			t.Errorf("%+v, %v", d, err)
		}
		w.sweep()
		if got := w.sub(stands).State; got != Deleted {
			t.Errorf("it is %s", got)
		}
	})
}

// Who wants all deleted has nothing posted after that.
func TestDeletePostsTakesBackWhatWaits(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		w, _ := reviewed(t, s)
		review, _ := w.share("in review", picture(1))
		w.set("review_channel", "none")
		w.fedi.Down(503)
		accepted, _ := w.share("accepted", picture(2))
		offered, _ := w.begin(w.ada, "offered", picture(3))
		bens, _ := w.begin(w.ben, "Ben's", picture(4))
		w.work()
		if got := [3]State{w.sub(review).State, w.sub(accepted).State, w.sub(offered).State}; got != [3]State{Review, Accepted, Offered} {
			t.Fatalf("they are %s", got)
		}
		for _, want := range []int{3, 0} {
			if n := w.deleteAnswers(member(w.ada)); n != want {
				t.Errorf("%d are deleted, not %d", n, want)
			}
		}
		w.fedi.Up()
		for range 6 {
			w.clock.Advance(5 * time.Minute)
			w.work()
		}
		w.silent()
		for _, id := range []string{review, accepted, offered} {
			if e := w.last(id, ledger.Withdrawn); w.sub(id).State != Withdrawn || w.sub(id).Words != "" || e.Via != "delete posts" {
				t.Errorf("it is %s with %q, the ledger says %+v", w.sub(id).State, w.sub(id).Words, e)
			}
		}
		if got := w.sub(bens).State; got != Offered {
			t.Errorf("Ben's is %s", got)
		}
	})
}

// What a guild's moderators and members have set there goes with the guild.
func TestPurgeGuild(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		w := withCommands(t, s)
		w.must(s.Write(t.Context(), func(ctx context.Context, tx store.Tx) error {
			for _, guild := range []string{"1", "2"} {
				if _, err := tx.Exec(ctx, `insert into gallery_block (guild, member, by, at) values ($1, 'a', 'b', 1)`, guild); err != nil {
					return err
				}
				if _, err := tx.Exec(ctx, `insert into gallery_quiet (guild, member) values ($1, 'a')`, guild); err != nil {
					return err
				}
			}
			return w.g.PurgeGuild(ctx, tx, "1")
		}))
		for _, table := range []string{"gallery_block", "gallery_quiet"} {
			if gone, stays := w.count(`select count(*) from `+table+` where guild = '1'`), w.count(`select count(*) from `+table+` where guild = '2'`); gone != 0 || stays != 1 {
				t.Errorf("%s: %d rows of the guild, %d of another", table, gone, stays)
			}
		}
	})
}

// Where the operator has given the gallery up, what it made can still be
// deleted and forgotten.
func TestPastGallery(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := withCommands(t, s)
		id, thread, _ := w.stands(1)
		offered, _ := w.begin(w.ada, "a peculiar owl", picture(2))
		active := w.g
		w.g = Past(Config{Store: s, Outbox: w.outbox, Clock: w.clock, Log: active.Log, Ledger: active.Ledger, Accounts: active.Accounts})
		w.g.JoinPast(w.platD)
		if n := w.standing(member(w.ada)); n != 1 {
			t.Errorf("%d posts stand", n)
		}
		if n := w.deleteAnswers(member(w.ada)); n != 2 {
			t.Errorf("%d are deleted", n)
		}
		w.gone(id, thread)
		w.forget(member(w.ada))
		w.must(w.g.Prune(t.Context()))
		if held := w.holding("peculiar"); len(held) != 0 || w.sub(offered).State != Withdrawn {
			t.Errorf("the offer is %s, its words stand in %q", w.sub(offered).State, held)
		}
		if n := w.count(`select count(*) from gallery_submission where artist = $1`, w.ada); n != 0 {
			t.Errorf("%d submissions know her", n)
		}
	})
}
