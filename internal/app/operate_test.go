package app_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"rookery/internal/app/apptest"
	"rookery/internal/sim/fedisim"
	"rookery/internal/sim/llmsim"
	"rookery/internal/store"
)

// TestOperatorCommands plays what an operator does with a bot at work, and
// without one, on the real program.
func TestOperatorCommands(t *testing.T) {
	t.Parallel()
	binary := apptest.Build(t, "")
	for _, d := range []store.Dialect{store.SQLite, store.Postgres} {
		for name, test := range map[string]func(*testing.T, *apptest.World){
			"pause and resume a running bot":        pauseRunning,
			"pause and resume a bot that is not up": pauseStopped,
			"jobs":                                  listsJobs,
			"backup while running, and restore":     backupAndRestore,
		} {
			t.Run(string(d)+"/"+name, func(t *testing.T) {
				t.Parallel()
				test(t, world(t, binary, d))
			})
		}
	}
	for name, test := range map[string]func(*testing.T, *apptest.World){
		"a dry run beside the real one": dryRun,
		"config check and example":      configCommands,
		"metrics and health":            metricsAndHealth,
		"the operator is told":          operatorIsTold,
		"doctor beside the bot":         doctorBeside,
		"a token of another account":    tokenOfAnother,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, world(t, binary, store.SQLite))
		})
	}
}

// started starts the bot and waits until it has looked at its notifications.
func started(w *apptest.World, args ...string) *apptest.Process {
	seen := w.Fedi.RequestCount()
	p := w.Start(append([]string{"run"}, args...))
	w.WaitFor("the first look", func(s *fedisim.Server) bool { return s.RequestCount() >= seen+4 })
	return p
}

// must runs a command that has to end well.
func must(t *testing.T, w *apptest.World, args ...string) said {
	t.Helper()
	code, out := run(w, args...)
	if code != 0 {
		t.Fatalf("%v ended with %d:\n%s", args, code, out)
	}
	return out
}

func pauseRunning(t *testing.T, w *apptest.World) {
	ada := w.Fedi.AddAccount("ada")
	p := started(w)
	must(t, w, "pause").mustSay(t, "Paused since")
	ask := ada.Post("@elelem are you there?")
	mark := w.Fedi.RequestCount()
	w.WaitFor("ten more requests", func(s *fedisim.Server) bool { return s.RequestCount() > mark+10 })
	if n := len(w.Replies(ask.ID)); n != 0 || w.Model.Count() != 0 {
		t.Errorf("paused: %d replies, the model asked %d times", n, w.Model.Count())
	}
	// The pause outlives the process.
	p.Kill()
	p = started(w)
	mark = w.Fedi.RequestCount()
	w.WaitFor("ten more requests", func(s *fedisim.Server) bool { return s.RequestCount() > mark+10 })
	if n := len(w.Replies(ask.ID)); n != 0 {
		t.Errorf("paused and restarted: %d replies", n)
	}
	must(t, w, "resume").mustSay(t, "Resumed")
	w.WaitFor("a reply", func(*fedisim.Server) bool { return w.Answered(ask.ID) })
	if code := p.Stop(); code != 0 || len(w.Replies(ask.ID)) != 1 {
		t.Errorf("exit code %d, %d replies", code, len(w.Replies(ask.ID)))
	}
}

func pauseStopped(t *testing.T, w *apptest.World) {
	w.Configure(`first_run = "backlog"`)
	ask := w.Fedi.AddAccount("ada").Post("@elelem are you there?")
	must(t, w, "pause")
	must(t, w, "once")
	if n := len(w.Replies(ask.ID)); n != 0 {
		t.Errorf("paused: %d replies", n)
	}
	must(t, w, "resume")
	must(t, w, "once")
	if n := len(w.Replies(ask.ID)); n != 1 {
		t.Errorf("resumed: %d replies", n)
	}
}

func listsJobs(t *testing.T, w *apptest.World) {
	ada := w.Fedi.AddAccount("ada")
	p := started(w)
	w.Model.Inject(llmsim.Fault{Kind: llmsim.Unavailable, Times: llmsim.Always, RetryAfter: time.Hour})
	ada.Post("@elelem are you there?")
	ctx, cancel := context.WithTimeout(t.Context(), apptest.Patience)
	defer cancel()
	if err := w.Model.WaitFor(ctx, func() bool { return w.Model.Count() > 0 }); err != nil {
		t.Fatal(err)
	}
	var out said
	waitUntil(t, "the job is listed", func() bool {
		out = must(t, w, "jobs")
		return strings.Contains(string(out), "persona.answer")
	})
	out.mustSay(t, "ID", "STATE")
	if code, out := run(w, "jobs", "retry", "x"); code != 1 {
		t.Errorf("exit code %d", code)
	} else {
		out.mustSay(t, `"x" is no job's number`)
	}
	if code, out := run(w, "jobs", "drop", "987654321"); code != 1 {
		t.Errorf("exit code %d: %s", code, out)
	}
	p.Stop()
}

// waitUntil asks again and again until something holds; what is asked takes its
// time itself.
func waitUntil(t *testing.T, what string, cond func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), apptest.Patience)
	defer cancel()
	for !cond() {
		if ctx.Err() != nil {
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

func backupAndRestore(t *testing.T, w *apptest.World) {
	ada := w.Fedi.AddAccount("ada")
	p := started(w)
	before := ada.Post("@elelem before the backup")
	w.WaitFor("a reply", func(*fedisim.Server) bool { return w.Answered(before.ID) })
	file := filepath.Join(w.Dir, "copy")
	must(t, w, "backup", file).mustSay(t, "written and checked", "copy")
	must(t, w, "backup").mustSay(t, filepath.Join("data", "backups", "rookery-"))
	after := ada.Post("@elelem after the backup")
	w.WaitFor("a reply", func(s *fedisim.Server) bool { return w.Answered(after.ID) && len(s.Dismissed(w.Bot.ID)) == 2 })
	if code, out := run(w, "restore", file); code != 1 {
		t.Errorf("restored under a running bot: %s", out)
	}
	p.Kill()
	must(t, w, "restore", file).mustSay(t, "Restored from")
	p = started(w)
	last := ada.Post("@elelem after the restore")
	w.WaitFor("a reply", func(s *fedisim.Server) bool { return w.Answered(last.ID) })
	mark := w.Fedi.RequestCount()
	w.WaitFor("some more looks", func(s *fedisim.Server) bool { return s.RequestCount() > mark+6 })
	p.Stop()
	for _, q := range []fedisim.Post{before, after, last} {
		if n := len(w.Replies(q.ID)); n != 1 {
			t.Errorf("%q has %d replies", q.Text, n)
		}
	}
	junk := filepath.Join(w.Dir, "junk")
	w.Write("junk", "this is no backup")
	if code, out := run(w, "restore", junk); code != 1 {
		t.Errorf("junk is restored: %s", out)
	}
}

func dryRun(t *testing.T, w *apptest.World) {
	ada := w.Fedi.AddAccount("ada")
	p := started(w)
	must(t, w, "pause")
	ask := ada.Post("@elelem what time is it?")
	dry := w.Start([]string{"run", "--dry-run", "--backlog"})
	waitUntil(t, "it is shown", func() bool { return strings.Contains(w.Log.String(), "Would post as") })
	if code := dry.Stop(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if n := len(w.Replies(ask.ID)); n != 0 || len(w.Fedi.Dismissed(w.Bot.ID)) != 0 {
		t.Errorf("%d replies, %d dismissed", n, len(w.Fedi.Dismissed(w.Bot.ID)))
	}
	said(w.Log.String()).mustSay(t, "A dry run", "(unlisted)", "@ada ")
	// What was rehearsed is still to be done.
	must(t, w, "resume")
	w.WaitFor("a reply", func(*fedisim.Server) bool { return w.Answered(ask.ID) })
	p.Stop()
}

func configCommands(t *testing.T, w *apptest.World) {
	must(t, w, "config", "check").mustSay(t, "rookery.toml is in order")
	example := must(t, w, "config", "example")
	example.mustSay(t, "[budget]", "[operator]", "[[account]]")
	w.Write("rookery.toml", string(example))
	code, out := run(w, "config", "check")
	if code != 1 {
		t.Errorf("exit code %d", code)
	}
	out.mustSay(t, "token_file", "rookery login writes it")
}

func metricsAndHealth(t *testing.T, w *apptest.World) {
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	w.Configure("[web]\nlisten = \"" + address + "\"")
	ada := w.Fedi.AddAccount("ada")
	p := started(w)
	ask := ada.Post("@elelem are you there?")
	w.WaitFor("a reply", func(s *fedisim.Server) bool { return w.Answered(ask.ID) && len(s.Dismissed(w.Bot.ID)) == 1 })
	get := func(path string) (int, said) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, said(body)
	}
	if status, body := get("/readyz"); status != 200 {
		t.Errorf("not ready: %s", body)
	}
	if status, _ := get("/healthz"); status != 200 {
		t.Errorf("not alive: %d", status)
	}
	_, body := get("/metrics")
	body.mustSay(t, "rookery_up 1", `rookery_account_connected{account="elelem"} 1`, `rookery_mentions{account="elelem",state="done"} 1`,
		`rookery_model_requests_total{outcome="answered"} 1`, `rookery_effects{state="confirmed"} 1`, `rookery_budget_used{unit="replies"} 1`,
		`rookery_fediverse_requests_total{account="elelem",family="posts",outcome="ok"} 1`)
	if found := regexp.MustCompile(`\bada\b|` + ask.ID).FindString(string(body)); found != "" {
		t.Errorf("a member or a post is named in the metrics: %q", found)
	}
	must(t, w, "pause")
	if status, body := get("/readyz"); status != 503 {
		t.Errorf("paused, and ready: %s", body)
	}
	p.Stop()
	// An address that is taken is said before anything begins.
	l, err = new(net.ListenConfig).Listen(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	code, out := run(w, "run")
	if code != 1 {
		t.Errorf("exit code %d", code)
	}
	out.mustSay(t, "listen in [web]")
}

func operatorIsTold(t *testing.T, w *apptest.World) {
	me, ada := w.Fedi.AddAccount("me"), w.Fedi.AddAccount("ada")
	w.Configure("[operator]\nfediverse = \"@me@" + w.Fedi.Domain() + "\"")
	p := started(w)
	w.Model.Inject(llmsim.Fault{Kind: llmsim.WrongKey, Times: llmsim.Always})
	for _, text := range []string{"@elelem one?", "@elelem two?"} {
		ada.Post(text)
	}
	w.WaitFor("a message to the operator", func(s *fedisim.Server) bool { return len(s.Notifications(me.ID)) > 0 })
	w.Model.ClearFaults()
	p.Kill()
	last := ada.Post("@elelem three?")
	p = started(w)
	w.WaitFor("a reply", func(*fedisim.Server) bool { return w.Answered(last.ID) })
	p.Stop()
	told := w.Fedi.Notifications(me.ID)
	if len(told) == 0 {
		t.Fatal("nobody told the operator")
	}
	post, _ := w.Fedi.Post(told[0].PostID)
	if post.Visibility != "direct" {
		t.Errorf("the operator is told %s", post.Visibility)
	}
	said(post.Text).mustSay(t, "refuses us", "rookery doctor")
	var all []string
	for _, n := range told {
		p, _ := w.Fedi.Post(n.PostID)
		all = append(all, p.Text)
	}
	if n := strings.Count(strings.Join(all, "\n"), "refuses us"); n != 1 {
		t.Errorf("told %d times: %q", n, all)
	}
}

func doctorBeside(t *testing.T, w *apptest.World) {
	p := started(w)
	code, out := run(w, "doctor")
	if code != 0 {
		t.Errorf("exit code %d", code)
	}
	out.mustSay(t, "ok:", "elelem")
	w.Model.Inject(llmsim.Fault{Kind: llmsim.WrongKey, Times: llmsim.Always})
	code, out = run(w, "doctor")
	if code != 1 {
		t.Errorf("a refused key: exit code %d", code)
	}
	out.mustSay(t, "error:", "llm")
	p.Stop()
}

// A token that has become another account's: nothing is posted in the wrong
// name, and the message says what was and what is.
func tokenOfAnother(t *testing.T, w *apptest.World) {
	w.Configure(`first_run = "backlog"`)
	ada := w.Fedi.AddAccount("ada")
	first := ada.Post("@elelem hello")
	must(t, w, "once")
	other := w.Fedi.AddAccount("other")
	w.Fedi.SwapToken(w.Bot.Token, other)
	ada.Post("@elelem and now? @other")
	code, out := run(w, "once")
	if code != 1 {
		t.Errorf("exit code %d", code)
	}
	out.mustSay(t, "other@", "elelem@", "give the account another name")
	if n := len(w.Fedi.PostsBy(other.ID)); n != 0 || len(w.Replies(first.ID)) != 1 {
		t.Errorf("%d posts in the wrong name", n)
	}
}
