package app_test

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	_ "modernc.org/sqlite" // to be the other program that locks the file

	"rookery/internal/app/apptest"
	"rookery/internal/sim/fedisim"
	"rookery/internal/sim/llmsim"
	"rookery/internal/store"
	"rookery/internal/store/storetest"
)

func world(t *testing.T, binary string, d store.Dialect) *apptest.World {
	t.Helper()
	return apptest.New(t, binary, storetest.Config(t, d), fedisim.Options{})
}

func (s said) mustSay(t *testing.T, words ...string) {
	t.Helper()
	for _, w := range words {
		if !strings.Contains(string(s), w) {
			t.Errorf("%q is not said in:\n%s", w, s)
		}
	}
}

// said is what a program has printed.
type said string

// run runs the program to its end and returns what it printed since.
func run(w *apptest.World, args ...string) (code int, out said) {
	before := len(w.Log.String())
	code = w.Start(args).Wait()
	return code, said(w.Log.String()[before:])
}

// TestCommands plays what an operator does and does wrong, on the real program.
func TestCommands(t *testing.T) {
	t.Parallel()
	binary := apptest.Build(t, "")
	for name, test := range map[string]func(*testing.T, *apptest.World){
		"no configuration":                       noConfiguration,
		"three mistakes":                         threeMistakes,
		"a second run is refused":                secondRun,
		"once answers one and ends":              onceAnswersOne,
		"two at once are harmless":               twoOnce,
		"a revoked token":                        revokedToken,
		"an instance that answers a web page":    webPage,
		"a newer database":                       newerDatabase,
		"a restored older backup":                restoredBackup,
		"a clock that jumps":                     jumpingClock,
		"a locked database":                      lockedDatabase,
		"an orderly end lets answers end":        orderlyEnd,
		"the log is a file, JSON, and no secret": logFile,
		"version":                                version,
		"a misspelt command":                     misspelt,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, world(t, binary, store.SQLite))
		})
	}
	t.Run("two processes on PostgreSQL share the work", func(t *testing.T) {
		t.Parallel()
		twoProcesses(t, world(t, binary, store.Postgres))
	})
}

func noConfiguration(t *testing.T, w *apptest.World) {
	if err := os.Remove(filepath.Join(w.Dir, "rookery.toml")); err != nil {
		t.Fatal(err)
	}
	code, out := run(w, "run")
	if code != 1 {
		t.Errorf("exit code %d", code)
	}
	out.mustSay(t, "there is no configuration file", "[[account]]", "[discord]")
}

func threeMistakes(t *testing.T, w *apptest.World) {
	w.Write("rookery.toml", "data_dir = 7\n[llm]\nbase_url = \"http://127.0.0.1:1/v1\"\nmodle = \"x\"\n[persona]\ncharacter = \"c\"\n[[account]]\nname = \"a\"\nserver = \"http://far.example\"\ntoken_env = \"TEST_TOKEN\"\ndoes = [\"persona\"]\n")
	code, out := run(w, "once")
	if code != 1 {
		t.Errorf("exit code %d", code)
	}
	out.mustSay(t, "rookery.toml:1:", "rookery.toml:4:", `did you mean "model"?`, "rookery.toml:9:")
}

func secondRun(t *testing.T, w *apptest.World) {
	ada := w.Fedi.AddAccount("ada")
	w.Configure(`first_run = "backlog"`)
	ask := ada.Post("@elelem hello")
	p := w.Start([]string{"run"})
	w.WaitFor("a reply", func(*fedisim.Server) bool { return w.Answered(ask.ID) })
	code, out := run(w, "run")
	if code != 1 {
		t.Errorf("a second run ended with %d", code)
	}
	out.mustSay(t, "another rookery works on this data directory", "run, process")
	code, out = run(w, "once")
	if code != 0 {
		t.Errorf("once beside run ended with %d", code)
	}
	out.mustSay(t, "Nothing to do")
	if code := p.Stop(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

func onceAnswersOne(t *testing.T, w *apptest.World) {
	w.Configure(`first_run = "backlog"`)
	ada := w.Fedi.AddAccount("ada")
	asked := []fedisim.Post{ada.Post("@elelem one"), ada.Post("@elelem two"), ada.Post("@elelem three")}
	replies := func() (n int) {
		for _, q := range asked {
			n += len(w.Replies(q.ID))
		}
		return n
	}
	for _, step := range []struct {
		args []string
		want int
	}{{[]string{"once"}, 1}, {[]string{"once", "--replies", "0"}, 1}, {[]string{"once", "--replies", "5"}, 3}, {[]string{"once"}, 3}} {
		if code, _ := run(w, step.args...); code != 0 {
			t.Errorf("%v ended with %d", step.args, code)
		}
		if got := replies(); got != step.want {
			t.Errorf("after %v there are %d replies, want %d", step.args, got, step.want)
		}
	}
	if n := len(w.Fedi.Dismissed(w.Bot.ID)); n != 3 {
		t.Errorf("%d notifications were dismissed", n)
	}
}

func twoOnce(t *testing.T, w *apptest.World) {
	w.Configure(`first_run = "backlog"`)
	ask := w.Fedi.AddAccount("ada").Post("@elelem one")
	a, b := w.Start([]string{"once"}), w.Start([]string{"once"})
	if x, y := a.Wait(), b.Wait(); x != 0 || y != 0 {
		t.Errorf("ended with %d and %d", x, y)
	}
	if n := len(w.Replies(ask.ID)); n != 1 {
		t.Errorf("%d replies", n)
	}
}

func revokedToken(t *testing.T, w *apptest.World) {
	w.Fedi.Revoke(w.Bot.Token)
	code, out := run(w, "once")
	if code != 1 {
		t.Errorf("exit code %d", code)
	}
	out.mustSay(t, "auth", "run rookery login elelem, or make a new access token")
	// A running bot goes on once the token works again.
	w.Configure(`first_run = "backlog"`)
	ask := w.Fedi.AddAccount("ada").Post("@elelem are you back?")
	w.Bot.Restore()
	p := w.Start([]string{"run"})
	w.WaitFor("a reply", func(*fedisim.Server) bool { return w.Answered(ask.ID) })
	p.Stop()
}

func webPage(t *testing.T, w *apptest.World) {
	w.Configure(`first_run = "backlog"`)
	w.Fedi.Inject(fedisim.WebPage(200).Always())
	code, out := run(w, "once")
	if code != 0 {
		t.Errorf("exit code %d", code)
	}
	out.mustSay(t, "web page")
	ask := w.Fedi.AddAccount("ada").Post("@elelem are you back?")
	seen := w.Fedi.RequestCount()
	p := w.Start([]string{"run"})
	w.WaitFor("a try", func(s *fedisim.Server) bool { return s.RequestCount() > seen })
	w.Fedi.ClearFaults()
	w.WaitFor("a reply", func(*fedisim.Server) bool { return w.Answered(ask.ID) })
	p.Stop()
}

func newerDatabase(t *testing.T, w *apptest.World) {
	if code, _ := run(w, "once"); code != 0 {
		t.Fatalf("exit code %d", code)
	}
	db := file(t, w)
	if _, err := db.ExecContext(t.Context(), "update migration set version = 99 where feature = 'inbox'"); err != nil {
		t.Fatal(err)
	}
	db.Close()
	code, out := run(w, "run")
	if code != 1 {
		t.Errorf("exit code %d", code)
	}
	out.mustSay(t, "written by a newer rookery", "inbox tables have version 99")
}

func file(t *testing.T, w *apptest.World) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(w.Dir, "data", store.FileName))
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	return db
}

func restoredBackup(t *testing.T, w *apptest.World) {
	w.Configure(`first_run = "backlog"`)
	ada := w.Fedi.AddAccount("ada")
	first := ada.Post("@elelem before the backup")
	if code, _ := run(w, "once"); code != 0 {
		t.Fatalf("exit code %d", code)
	}
	path := filepath.Join(w.Dir, "data", store.FileName)
	backup, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	second := ada.Post("@elelem after the backup")
	if code, _ := run(w, "once"); code != 0 {
		t.Fatalf("exit code %d", code)
	}
	for _, rest := range []string{"-wal", "-shm"} {
		_ = os.Remove(path + rest)
	}
	if err := os.WriteFile(path, backup, 0o600); err != nil {
		t.Fatal(err)
	}
	third := ada.Post("@elelem after the restore")
	p := w.Start([]string{"run"})
	w.WaitFor("a reply", func(*fedisim.Server) bool { return w.Answered(third.ID) })
	p.Stop()
	for _, q := range []fedisim.Post{first, second, third} {
		if n := len(w.Replies(q.ID)); n != 1 {
			t.Errorf("%q has %d replies", q.Text, n)
		}
	}
}

func jumpingClock(t *testing.T, w *apptest.World) {
	var ahead atomic.Int64
	clock := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(rw, time.Now().Add(time.Duration(ahead.Load())).Format(time.RFC3339Nano))
	}))
	defer clock.Close()
	w.Configure(`first_run = "backlog"`)
	ada := w.Fedi.AddAccount("ada")
	p := w.Start([]string{"run", "--clock-url", clock.URL})
	var asked []fedisim.Post
	for i, jump := range []time.Duration{0, 36 * time.Hour, -48 * time.Hour, 0} {
		ahead.Store(int64(jump))
		// The answer's outcome is lost each time, so that settling happens across the jump.
		w.Fedi.Inject(fedisim.Reset().Stored().On("POST", "/api/v1/statuses"))
		q := ada.Post(fmt.Sprintf("@elelem what time is it? (%d)", i))
		asked = append(asked, q)
		w.WaitFor("a reply", func(*fedisim.Server) bool { return w.Answered(q.ID) })
	}
	last := ada.Post("@elelem and now?")
	// Dismissing is best effort, and may be what a slow machine leaves undone.
	w.WaitFor("the last reply", func(*fedisim.Server) bool { return w.Answered(last.ID) })
	p.Stop()
	for _, q := range append(asked, last) {
		if n := len(w.Replies(q.ID)); n != 1 {
			t.Errorf("%q has %d replies", q.Text, n)
		}
	}
}

func lockedDatabase(t *testing.T, w *apptest.World) {
	w.Configure(`first_run = "backlog"`)
	if code, _ := run(w, "once"); code != 0 {
		t.Fatalf("exit code %d", code)
	}
	db := file(t, w)
	defer db.Close()
	ctx := context.Background()
	if _, err := db.ExecContext(ctx, "begin immediate"); err != nil {
		t.Fatal(err)
	}
	ask := w.Fedi.AddAccount("ada").Post("@elelem are you stuck?")
	code, out := run(w, "once")
	if code != 1 {
		t.Errorf("exit code %d", code)
	}
	out.mustSay(t, "another program holds the database locked")
	if _, err := db.ExecContext(ctx, "rollback"); err != nil {
		t.Fatal(err)
	}
	if code, _ := run(w, "once"); code != 0 || len(w.Replies(ask.ID)) != 1 {
		t.Errorf("then: exit code %d, %d replies", code, len(w.Replies(ask.ID)))
	}
}

func orderlyEnd(t *testing.T, w *apptest.World) {
	w.Configure(`first_run = "backlog"`)
	w.Model.Inject(llmsim.Fault{Kind: llmsim.Slow, Delay: 500 * time.Millisecond})
	ask := w.Fedi.AddAccount("ada").Post("@elelem take your time")
	p := w.Start([]string{"run"})
	ctx, cancel := context.WithTimeout(t.Context(), apptest.Patience)
	defer cancel()
	if err := w.Model.WaitFor(ctx, func() bool { return w.Model.Count() == 1 }); err != nil {
		t.Fatal(err)
	}
	if code := p.Stop(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if n := len(w.Replies(ask.ID)); n != 1 {
		t.Errorf("%d replies", n)
	}
}

// TestTheFirstStartBeginsAtNow has its own server, whose time was an hour ago
// when the first mention came.
func TestTheFirstStartBeginsAtNow(t *testing.T) {
	t.Parallel()
	var ago atomic.Int64
	ago.Store(int64(time.Hour))
	w := apptest.New(t, apptest.Build(t, ""), storetest.Config(t, store.SQLite),
		fedisim.Options{Clock: func() time.Time { return time.Now().Add(-time.Duration(ago.Load())) }})
	ada := w.Fedi.AddAccount("ada")
	old := ada.Post("@elelem long before")
	ago.Store(0)
	if code, _ := run(w, "once"); code != 0 {
		t.Fatalf("exit code %d", code)
	}
	news := ada.Post("@elelem after")
	if code, _ := run(w, "once"); code != 0 {
		t.Fatalf("exit code %d", code)
	}
	if w.Answered(old.ID) || !w.Answered(news.ID) {
		t.Errorf("old answered: %v, new answered: %v", w.Answered(old.ID), w.Answered(news.ID))
	}
}

func logFile(t *testing.T, w *apptest.World) {
	path := filepath.Join(w.Dir, "rookery.toml")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	w.Write("rookery.toml", strings.Replace(string(text), "[log]\n", "[log]\nfile = \"logs/bot.log\"\nformat = \"json\"\n", 1))
	if code, _ := run(w, "once"); code != 0 {
		t.Fatalf("exit code %d", code)
	}
	log, err := os.ReadFile(filepath.Join(w.Dir, "logs", "bot.log"))
	if err != nil || !strings.Contains(string(log), `"msg":"logged in"`) {
		t.Errorf("the log is %q, %v", log, err)
	}
	if strings.Contains(string(log)+w.Log.String(), w.Bot.Token) {
		t.Error("the token was logged")
	}
}

func misspelt(t *testing.T, w *apptest.World) {
	code, out := run(w, "onec")
	if code != 1 {
		t.Errorf("exit code %d", code)
	}
	out.mustSay(t, `unknown command "onec"`)
}

func version(t *testing.T, w *apptest.World) {
	code, out := run(w, "version")
	if code != 0 {
		t.Errorf("exit code %d", code)
	}
	out.mustSay(t, "rookery ")
}

func twoProcesses(t *testing.T, w *apptest.World) {
	w.Configure(`first_run = "backlog"`)
	ada := w.Fedi.AddAccount("ada")
	var asked []fedisim.Post
	ask := func(n int) {
		for range n {
			asked = append(asked, ada.Post(fmt.Sprintf("@elelem question %d", len(asked))))
		}
	}
	all := func(*fedisim.Server) bool {
		for _, q := range asked {
			if !w.Answered(q.ID) {
				return false
			}
		}
		return true
	}
	ask(20)
	a := w.Start([]string{"run"})
	w.WaitFor("some replies", func(*fedisim.Server) bool { return w.Answered(asked[3].ID) })
	// Another machine: the same configuration, a data directory of its own.
	text, err := os.ReadFile(filepath.Join(w.Dir, "rookery.toml"))
	if err != nil {
		t.Fatal(err)
	}
	w.Write("rookery.toml", strings.Replace(string(text), `data_dir = "data"`, `data_dir = "other"`, 1))
	b := w.Start([]string{"run"})
	ask(20)
	w.WaitFor("more replies", func(*fedisim.Server) bool { return w.Answered(asked[25].ID) })
	a.Kill()
	ask(5)
	w.WaitFor("all replies", all)
	if code := b.Stop(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	for _, q := range asked {
		exactlyOne(t, w, q)
	}
}
