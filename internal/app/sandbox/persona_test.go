package sandbox

import (
	"database/sql"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rookery/internal/sim/fedisim"
	"rookery/internal/sim/llmsim"
)

func TestMind(t *testing.T) {
	t.Parallel()
	asked := func(text string) llmsim.Request {
		return llmsim.Request{Messages: []llmsim.Message{{Role: "user", Text: text}}}
	}
	m := &mind{}
	if got := m.answer(asked("<post by=\"@m\">\nNow. " + sayExactly + "@ada hello\n</post>")).Text; got != "@ada hello" {
		t.Errorf("it does not obey: %q", got)
	}
	m.release() // nothing is held
	m.hold()
	m.hold() // the same
	said := make(chan string)
	go func() { said <- m.answer(asked("slowly?")).Text }()
	select {
	case text := <-said:
		t.Errorf("it did not wait: %s", text)
	default:
	}
	if _, answers := m.cost(); answers != 1 {
		t.Errorf("%d answers", answers)
	}
	m.release()
	if text := <-said; !strings.HasPrefix(text, "Hoo. “slowly?”") {
		t.Errorf("it says %q", text)
	}
	first := asked("<post by=\"@m\">\nNow. " + sayExactly + "@ada hello\n</post>")
	second := asked("slowly?")
	want := first.PromptTokens() + second.PromptTokens() + llmsim.Tokens("@ada hello") + llmsim.Tokens(owl(second).Text)
	if tokens, answers := m.cost(); answers != 2 || tokens != want {
		t.Errorf("%d tokens for %d answers, not %d for 2", tokens, answers, want)
	}
}

// A guest joins once.
func TestGuest(t *testing.T) {
	t.Parallel()
	w, err := newWorld(fedisim.Mastodon, t.TempDir(), settings{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.close() })
	dora := w.guest("dora", fedisim.Note("<p>#noai</p>"))
	if w.guest("dora") != dora || dora.Name != "Dora" || dora.Note == "" {
		t.Errorf("two of her, or not herself: %+v", dora)
	}
	if got := w.members()[dora.ID]; got.name != "Dora" {
		t.Errorf("she is shown as %v", got)
	}
}

// What is kept of a member is found wherever it stands, also while somebody
// has the database open.
func TestKeeps(t *testing.T) {
	t.Parallel()
	w := &world{dir: t.TempDir()}
	s := &stage{world: w, ctx: t.Context()}
	if where, err := s.keeps("gwen"); err == nil {
		t.Errorf("no database, and it stands in %q", where)
	}
	if err := os.Mkdir(filepath.Dir(w.database()), 0o700); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", w.database())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	exec := func(query string, args ...any) {
		t.Helper()
		if _, err := db.ExecContext(t.Context(), query, args...); err != nil {
			t.Fatal(err)
		}
	}
	exec("pragma journal_mode = wal")
	exec("create table empty (text)")
	exec("create table jobs (id integer, args blob, note text)")
	exec("insert into jobs values (4711, $1, null), (2, null, 'Bgwenb')", []byte(`{"to":"@Hugo@social.example"}`))
	for what, want := range map[string]string{"GWEN": "jobs.note", "hugo@social": "jobs.args", "471": "jobs.id", "ada": "", "%": ""} {
		if got, err := s.keeps(what); err != nil || got != want {
			t.Errorf("%s stands in %q, not %q: %v", what, got, want, err)
		}
	}
	exec("delete from jobs")
	if got, err := s.keeps("gwen"); err != nil || got != "" {
		t.Errorf("it still stands in %q: %v", got, err)
	}
}

// testChatterbox: where silence is due, or one answer, an answer more is seen.
func testChatterbox(t *testing.T, program string) {
	// Whenever the bot is about to post, everything that mentions it gets an
	// answer more.
	chatter := func(s *stage) error {
		answered := map[string]bool{}
		s.fedi.Inject(fedisim.First(func() {
			for _, p := range s.fedi.Timeline() {
				if !answered[p.ID] && p.AccountID != s.elelem.ID && slices.Contains(p.Mentions, s.elelem.Acct) {
					answered[p.ID] = true
					s.elelem.Post("@cleo look, an owl!", fedisim.ReplyTo(p.ID))
				}
			}
		}).On("POST", postPath).Always())
		return nil
	}
	out, err := tellStory(t, options{program: program}, step{"It starts", startsForOlga}, step{"Somebody talks with it", chatter},
		step{"In circles", roundInCircles}, step{"An order", ordered})
	if err == nil {
		t.Fatal("it answers everything, and the story holds:\n" + out)
	}
	wantIn(t, err.Error(), "3 (In circles)", "4 (An order)", "6 (Counted at the end")
	wantIn(t, out, "expected: no reply to the repetition\n", "expected: exactly one reply\n", "seen:     2 replies\n",
		"expected: the reply mentions only @mallory\n", "expected: Cleo is not notified\n", "expected: 0 replies to: Ada's repetition in a thread that goes round\n")
	keptFolder(t, out)
}

// testOlga: a message to the operator that others can read, and one too many.
func testOlga(t *testing.T, program string) {
	out, err := tellStory(t, options{program: program}, step{"It starts", startsForOlga}, step{"Olga is told", func(s *stage) error {
		s.elelem.Post("@olga @ada the till is empty")
		s.elelem.Post("@olga hello?", fedisim.As("direct"))
		if err := s.olgaIsTold("of the till", "the till is", "the key is"); err != nil {
			return err
		}
		s.checkOlga()
		return nil
	}})
	if err == nil {
		t.Fatal("everybody reads it, and the story holds:\n" + out)
	}
	wantIn(t, out, "expected: the message is direct and for Olga alone\n", "seen:     it is public and mentions olga, ada\n",
		"expected: the message holds “the key is”\n", "expected: Olga has been told once in all\n", "seen:     2 times\n")
	if strings.Contains(out, "expected: the message holds “the till is”") {
		t.Error("it holds that")
	}
	keptFolder(t, out)
}
