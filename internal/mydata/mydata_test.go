package mydata

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"rookery/internal/budget"
	"rookery/internal/clock"
	"rookery/internal/community"
	"rookery/internal/fedi"
	"rookery/internal/inbox"
	"rookery/internal/outbox"
	"rookery/internal/sim/fedisim"
	"rookery/internal/store"
	"rookery/internal/store/storetest"
	"rookery/internal/words"
)

var _ Reporter = (*sharer)(nil)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// keeper is a feature that keeps two answers to each mention.
type keeper struct {
	deleted   int
	forgotten []string
	pruned    int
}

func (k *keeper) Standing(_ context.Context, _ store.Tx, _ inbox.Member, m []inbox.Record) (int, error) {
	return max(0, answered(m)*2-k.deleted), nil
}

func (k *keeper) DeleteAnswers(_ context.Context, _ store.Tx, _ inbox.Member, m []inbox.Record) (int, error) {
	n := answered(m)*2 - k.deleted
	k.deleted += n
	return n, nil
}

func (k *keeper) ForgetMember(_ context.Context, _ store.Tx, m inbox.Member, _ []inbox.Record) error {
	k.forgotten = append(k.forgotten, m.Handle)
	return nil
}

func (k *keeper) Prune(context.Context) error { k.pruned++; return nil }

// answered counts the mentions that the other feature has.
func answered(m []inbox.Record) (n int) {
	for _, r := range m {
		if r.Feature == "talk" {
			n++
		}
	}
	return n
}

// talk is another feature of the account, which takes every mention.
type talk struct{}

func (talk) Name() string                                                                { return "talk" }
func (talk) Wants(community.Mention) (bool, string)                                      { return true, "" }
func (talk) Wake(context.Context, store.Tx, community.AccountID) error                   { return nil }
func (talk) Accept(_ context.Context, _ store.Tx, _ inbox.ID, _ community.Mention) error { return nil }

type world struct {
	testing.TB
	sim    *fedisim.Server
	store  *store.Store
	bot    *fedisim.Account
	ada    *fedisim.Account
	clock  *clock.Manual
	keeper *keeper
	data   *MyData
	fedi   *fedi.Fedi
	outbox *outbox.Outbox
}

func each(t *testing.T, fn func(w *world)) {
	t.Helper()
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := &world{TB: t, store: s, keeper: &keeper{}, clock: clock.NewManual(time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC))}
		w.sim = fedisim.New(fedisim.Options{Clock: w.clock.Now})
		if err := w.sim.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(w.sim.Close)
		w.bot = w.sim.AddAccount("elelem", fedisim.Bot())
		w.ada = w.sim.AddAccount("Ada")
		w.start()
		fn(w)
	}, inbox.Migrations(), outbox.Migrations(), fedi.Migrations(), budget.Migrations(), Migrations())
}

// start puts the parts together, as a new process does.
func (w *world) start() {
	w.Helper()
	log := slog.New(slog.NewTextHandler(w.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	w.outbox = outbox.New(outbox.Config{Store: w.store, Clock: w.clock, Log: log})
	b := budget.New(budget.Config{Store: w.store, Clock: w.clock, Log: log, Limits: budget.Limits{RepliesPerMember: 20, TokensPerDay: -1, TokensPerMember: -1,
		TokensPerAccount: -1, TokensPerGuild: -1, MoneyPerDay: -1, MoneyPerMember: -1, MoneyPerAccount: -1, MoneyPerGuild: -1}})
	in := inbox.New(w.store, w.clock, log)
	w.data = New(Config{Store: w.store, Inbox: in, Outbox: w.outbox, Budget: b, Clock: w.clock, Log: log, Keepers: []Keeper{w.keeper},
		Operator: "me@" + w.sim.Domain(), Processor: "llm.example"})
	var err error
	w.fedi, err = fedi.NewFedi(fedi.Config{Store: w.store, Inbox: in, Outbox: w.outbox, Clock: w.clock, Log: log, Logins: []fedi.LoginConfig{{
		Name: "elelem", Server: w.sim.URL(), Token: w.bot.Token, Poll: time.Second, MaxAge: 24 * time.Hour, NoRateLimits: true,
		Features: []inbox.Feature{w.data, talk{}}}}})
	if err != nil {
		w.Fatal(err)
	}
	w.data.Join(w.fedi)
	w.round()
}

func (w *world) round() {
	w.Helper()
	if err := w.fedi.PollOnce(w.Context()); err != nil {
		w.Fatal(err)
	}
	if _, err := w.outbox.Sweep(w.Context()); err != nil {
		w.Fatal(err)
	}
}

// says sends the bot a text and returns what it answers, all posts of it.
func (w *world) says(who *fedisim.Account, text string, opts ...fedisim.PostOption) string {
	w.Helper()
	q := who.Post("@elelem "+text, append([]fedisim.PostOption{fedisim.As("direct"), fedisim.Language("en")}, opts...)...)
	w.clock.Advance(time.Second)
	w.round()
	var b strings.Builder
	for at := q.ID; ; {
		r := w.sim.Replies(at)
		if len(r) == 0 {
			return b.String()
		}
		if len(r) > 1 {
			w.Errorf("%d replies to %q", len(r), text)
		}
		if r[0].Visibility != "direct" || len(r[0].Mentions) != 1 || r[0].Mentions[0] != who.Acct {
			w.Errorf("the answer to %q is %s and mentions %v", text, r[0].Visibility, r[0].Mentions)
		}
		b.WriteString(r[0].Text + "\n")
		at = r[0].ID
	}
}

func (w *world) stopped(handle string) bool {
	w.Helper()
	m, err := Stopped(w.Context(), w.store, handle)
	if err != nil {
		w.Fatal(err)
	}
	return m[handle]
}

func TestStopAndStart(t *testing.T) {
	each(t, func(w *world) {
		handle := strings.ToLower(w.ada.Handle())
		for _, c := range []struct {
			text, answer string
			stopped      bool
		}{
			{"stop", "All right", true}, {"STOP!", "already", true}, {"start", "Gladly", false}, {"стоп", "Хорошо", true}, {"/start", "Gladly", false},
			{"“stop”", "All right", true}, {"«старт»", "", false},
		} {
			if got := w.says(w.ada, c.text); !strings.Contains(got, c.answer) {
				w.Errorf("%q is answered %q", c.text, got)
			}
			if got := w.stopped(handle); got != c.stopped {
				w.Errorf("after %q: stopped %v", c.text, got)
			}
		}
		if got := w.says(w.ada, "стоп", fedisim.Language("ru")); !strings.Contains(got, "больше") {
			w.Errorf("in Russian: %q", got)
		}
	})
}

// Said in public, only "stop" and "start" count, and the answer is still direct.
func TestOnlyStopAndStartCountInPublic(t *testing.T) {
	each(t, func(w *world) {
		for _, text := range []string{"help", "forget me", "my data", "quota"} {
			if got := w.says(w.ada, text, fedisim.As("public")); got != "" {
				w.Errorf("%q in public is answered %q", text, got)
			}
		}
		if got := w.says(w.ada, "stop", fedisim.As("public")); !strings.Contains(got, "All right") {
			w.Errorf("stop in public is answered %q", got)
		}
		if got := w.says(w.ada, "start", fedisim.As("public")); got == "" || w.stopped(strings.ToLower(w.ada.Handle())) {
			w.Errorf("start in public is answered %q", got)
		}
	})
}

func TestCommandsInsideATextAreNone(t *testing.T) {
	each(t, func(w *world) {
		for _, text := range []string{"please stop", "stop it, you fool", "I said: forget me", "help me with this", "stop stop", "\"stop\" is a word", "/stop it"} {
			if got := w.says(w.ada, text); got != "" {
				w.Errorf("%q is answered %q", text, got)
			}
		}
		if w.stopped(strings.ToLower(w.ada.Handle())) {
			w.Error("stopped")
		}
	})
}

func TestHelpNamesWhoAnswersForIt(t *testing.T) {
	each(t, func(w *world) {
		got := w.says(w.ada, "help")
		for _, want := range []string{"me at " + w.sim.Domain(), "llm.example", "forget me", "quota", "stop"} {
			if !strings.Contains(got, want) {
				w.Errorf("no %q in %q", want, got)
			}
		}
		for _, p := range w.sim.PostsBy(w.bot.ID) {
			if len([]rune(p.Text)) > 500 {
				w.Errorf("a post of %d characters", len([]rune(p.Text)))
			}
		}
	})
}

func TestMyDataForgetMeAndDeleteAnswers(t *testing.T) {
	each(t, func(w *world) {
		for n := range 3 {
			w.says(w.ada, fmt.Sprintf("a question, number %d", n))
		}
		got := w.says(w.ada, "my data")
		for _, want := range []string{"4 posts of yours", "20 November 2026", "6 answers of mine", "396 days"} {
			if !strings.Contains(got, want) {
				w.Errorf("no %q in %q", want, got)
			}
		}
		if got := w.says(w.ada, "forget me"); !strings.Contains(got, "deleted") || !strings.Contains(got, "6 answers of mine to you still stand") {
			w.Errorf("forgetting is answered %q", got)
		}
		if fmt.Sprint(w.keeper.forgotten) != "[ada@"+w.sim.Domain()+"]" {
			w.Errorf("forgotten: %v", w.keeper.forgotten)
		}
		w.keepsNothingOf("ada")
		// Nothing that was answered is answered again.
		w.start()
		w.clock.Advance(20 * time.Minute)
		w.round()
		if n := len(w.sim.PostsBy(w.bot.ID)); n != 2 {
			w.Errorf("%d posts of the bot", n)
		}
		if got := w.says(w.ada, "delete answers"); !strings.Contains(got, "6 answers") {
			w.Errorf("deleting is answered %q", got)
		}
		if got := w.says(w.ada, "delete answers"); !strings.Contains(got, "no answer of mine") {
			w.Errorf("deleting again is answered %q", got)
		}
	})
}

// What a member has used is forgotten whichever feature used it, also if that
// is turned off by now.
func TestForgetMeReachesTheBudget(t *testing.T) {
	each(t, func(w *world) {
		handle := strings.ToLower(w.ada.Handle())
		if err := w.store.Write(w.Context(), func(ctx context.Context, tx store.Tx) error {
			_, err := tx.Exec(ctx, `insert into budget_used (day, scope, name, tokens, money, replies) values ('2026-11-17', 'member', $1, 300, 0, 1)`, handle)
			return err
		}); err != nil {
			w.Fatal(err)
		}
		w.says(w.ada, "forget me")
		w.keepsNothingOf("ada")
	})
}

// keepsNothingOf looks through every table for a member's name.
func (w *world) keepsNothingOf(name string) {
	w.Helper()
	for _, sql := range []string{
		`select count(*) from inbox_mention where lower(author_handle || author || uri || raw || reason) like $1`,
		`select count(*) from outbox_effect where lower(payload || key || reason) like $1`,
		`select count(*) from mydata_stopped where handle like $1`,
		`select count(*) from budget_used where name like $1`,
	} {
		// Not the bare name: three letters stand in any number of random ids.
		for _, form := range []string{name + "@", "@" + name, "/" + name} {
			var n int64
			if err := w.store.QueryRow(w.Context(), sql, "%"+form+"%").Scan(&n); err != nil || n != 0 {
				w.Errorf("%d rows hold %s, %v: %s", n, form, err, sql)
			}
		}
	}
}

func TestQuotaTellsWhatIsLeft(t *testing.T) {
	each(t, func(w *world) {
		if got := w.says(w.ada, "quota"); !strings.Contains(got, "0 of 20 answers") || !strings.Contains(got, "21 November, 00:00") {
			w.Errorf("answered %q", got)
		}
	})
}

func TestBotsGetNoHelpButMayStop(t *testing.T) {
	each(t, func(w *world) {
		other := w.sim.AddAccount("robot", fedisim.Bot())
		if got := w.says(other, "help"); got != "" {
			w.Errorf("a bot is helped: %q", got)
		}
		if got := w.says(other, "stop"); got == "" {
			w.Error("a bot cannot stop us")
		}
	})
}

// A command whose answer was sent before a backup was restored is acted on
// again, which is harmless, and not answered again.
func TestRestoredBackupAnswersNoCommandTwice(t *testing.T) {
	each(t, func(w *world) {
		if got := w.says(w.ada, "stop"); got == "" {
			w.Fatal("no answer")
		}
		if err := w.store.Write(w.Context(), func(ctx context.Context, tx store.Tx) error {
			for _, table := range []string{"inbox_mention", "outbox_effect", "outbox_remote", "mydata_stopped"} {
				if _, err := tx.Exec(ctx, "delete from "+table); err != nil {
					return err
				}
			}
			_, err := tx.Exec(ctx, "update inbox_cursor set cursor_id = ''")
			return err
		}); err != nil {
			w.Fatal(err)
		}
		w.clock.Advance(time.Minute)
		w.start()
		w.clock.Advance(5 * time.Minute)
		w.round()
		if n := len(w.sim.PostsBy(w.bot.ID)); n != 1 {
			w.Errorf("%d answers", n)
		}
		if !w.stopped(strings.ToLower(w.ada.Handle())) {
			w.Error("the wish is lost")
		}
	})
}

// A backup from before a member was forgotten knows them still: the wish is
// carried over from the database that it takes the place of.
func TestRestoredBackupForgetsAgain(t *testing.T) {
	each(t, func(w *world) {
		w.says(w.ada, "a question")
		ben := w.sim.AddAccount("ben")
		w.says(ben, "another")
		w.says(ben, "stop")
		// What the backup holds is made again after the wishes were read.
		w.says(w.ada, "forget me")
		wishes, err := ReadWishes(w.Context(), w.store)
		if err != nil {
			w.Fatal(err)
		}
		if err := w.store.Write(w.Context(), func(ctx context.Context, tx store.Tx) error {
			for _, sql := range []string{
				`update inbox_mention set author_handle = 'ada@` + w.sim.Domain() + `', author = 'ada' where author_handle like 'forgotten/%'`,
				`delete from mydata_salt`, `delete from mydata_stopped`, `insert into mydata_stopped (handle, since) values ('cleo@far.example', 1)`,
			} {
				if _, err := tx.Exec(ctx, sql); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			w.Fatal(err)
		}
		n, err := w.data.Grant(w.Context(), wishes)
		if err != nil || n != 1 {
			w.Errorf("%d were forgotten, %v", n, err)
		}
		w.keepsNothingOf("ada")
		if !w.stopped("ben@"+w.sim.Domain()) || !w.stopped("cleo@far.example") {
			w.Error("who said stop is not who is left alone")
		}
		if got := w.says(w.ada, "delete answers"); !strings.Contains(got, "2 answers") {
			w.Errorf("deleting is answered %q", got)
		}
	})
}

// Who was forgotten is forgotten again where a feature knows them, though they
// had not written to us by the time of the backup.
func TestRestoredBackupForgetsWhomAFeatureKnows(t *testing.T) {
	each(t, func(w *world) {
		w.says(w.ada, "forget me")
		wishes, err := ReadWishes(w.Context(), w.store)
		if err != nil {
			w.Fatal(err)
		}
		if err := w.store.Write(w.Context(), func(ctx context.Context, tx store.Tx) error {
			_, err := tx.Exec(ctx, `delete from inbox_mention`)
			return err
		}); err != nil {
			w.Fatal(err)
		}
		shared := &sharer{members: []string{"ben@far.example", strings.ToLower(w.ada.Handle())}}
		w.data.Keepers = append(w.data.Keepers, shared)
		if n, err := w.data.Grant(w.Context(), wishes); n != 1 || err != nil {
			w.Errorf("%d were forgotten, %v", n, err)
		}
		if got := shared.forgotten; len(got) != 1 || got[0] != strings.ToLower(w.ada.Handle()) {
			w.Errorf("forgotten are %q", got)
		}
	})
}

// A restore into an empty data directory knows of no wishes, and takes none back.
func TestNoWishesTakeNothingBack(t *testing.T) {
	each(t, func(w *world) {
		w.says(w.ada, "stop")
		if n, err := w.data.Grant(w.Context(), Wishes{}); n != 0 || err != nil {
			w.Errorf("%d, %v", n, err)
		}
		if !w.stopped(strings.ToLower(w.ada.Handle())) {
			w.Error("the wish is lost")
		}
	})
}

func TestTidyIsDoneOnceADayWhateverTheClock(t *testing.T) {
	each(t, func(w *world) {
		tidy := func(want int) {
			w.Helper()
			if err := w.data.Tidy(w.Context()); err != nil {
				w.Fatal(err)
			}
			if w.keeper.pruned != want {
				w.Errorf("tidied %d times, not %d", w.keeper.pruned, want)
			}
		}
		w.says(w.ada, "help")
		tidy(1)
		tidy(1)
		w.clock.Advance(25 * time.Hour)
		tidy(2)
		w.clock.Advance(-20 * 24 * time.Hour) // set back: what was noted lies ahead
		tidy(3)
		w.clock.Advance(500 * 24 * time.Hour)
		tidy(4)
		if all, err := inbox.From(w.Context(), w.store, w.ada.Handle()); err != nil || len(all) != 0 {
			w.Errorf("kept: %v, %v", all, err)
		}
	})
}

// sharer keeps one post of what each member has shared.
type sharer struct {
	keeper
	asked   []inbox.Member
	members []string
}

func (s *sharer) Members(context.Context, store.Tx) ([]string, error) { return s.members, nil }

func (*sharer) Shares() {}

func (*sharer) Kept(_ context.Context, _ store.Tx, m inbox.Member, l words.Language) ([]string, error) {
	return []string{"– a thing of " + m.Handle + " in " + string(l)}, nil
}

func (s *sharer) Standing(_ context.Context, _ store.Tx, m inbox.Member, _ []inbox.Record) (int, error) {
	s.asked = append(s.asked, m)
	return 1 - s.deleted, nil
}

func (s *sharer) DeleteAnswers(context.Context, store.Tx, inbox.Member, []inbox.Record) (int, error) {
	n := 1 - s.deleted
	s.deleted = 1
	return n, nil
}

// What a member has shared is told of as that, and no answer; the keeper is
// told who asks, and how they are known once they are forgotten.
func TestMyDataSpeaksOfWhatWasShared(t *testing.T) {
	each(t, func(w *world) {
		shared := &sharer{}
		w.data.Keepers = append(w.data.Keepers, shared)
		for _, c := range []struct{ text, want string }{
			{"my data", "1 post of what you shared"},
			{"my data", "– a thing of ada@" + w.sim.Domain() + " in en"},
			{"forget me", "1 post of what you shared still stands; “delete posts” removes it."},
			{"delete answers", "There is no answer of mine"}, // what somebody made is not meant
			{"delete posts", "1 post of what you shared is being deleted"},
			{"delete posts", "Nothing stands of what you may have shared"},
		} {
			got := w.says(w.ada, c.text, fedisim.Language("en"))
			if !strings.Contains(got, c.want) {
				w.Errorf("%q is answered with %q", c.text, got)
			}
			if strings.Contains(got, "answer of mine to you") || strings.Contains(got, "answers of mine to you") {
				if c.want[0] == '1' {
					w.Errorf("%q speaks of answers: %q", c.text, got)
				}
			}
		}
		handle := strings.ToLower(w.ada.Handle())
		if first, last := shared.asked[0], shared.asked[len(shared.asked)-1]; first != (inbox.Member{Handle: handle}) || last.Handle != handle || !strings.HasPrefix(last.Pseudonym, forgottenPrefix) {
			w.Errorf("it was asked about %+v, and about %+v after she was forgotten", first, last)
		}
	})
}
