// Package apptest runs the real program, as a process, against simulated
// servers, and lets tests kill it. The simulators and the databases outlive
// the process, as they do in life.
package apptest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"rookery/internal/clock"
	"rookery/internal/sim/apicheck"
	"rookery/internal/sim/boorusim"
	"rookery/internal/sim/fedisim"
	"rookery/internal/sim/llmsim"
	"rookery/internal/store"
)

// Patience is how long a test waits for an event before it gives up. It is no
// measure of anything.
const Patience = 90 * time.Second

// Build compiles the program with the given build tags and returns its path.
func Build(t testing.TB, tags string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "rookery.exe")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-tags", tags, "-o", out, "rookery/cmd/rookery")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if b, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build the program: %v\n%s", err, b)
	}
	return out
}

// World is one instance with our account, a model, and a place for the data.
type World struct {
	T      testing.TB
	Fedi   *fedisim.Server
	Model  *llmsim.Server
	Bot    *fedisim.Account
	Store  store.Config
	Dir    string
	Binary string
	Poll   string      // between two looks at the notifications
	Does   []string    // what the account does; nil: persona
	GIFs   string      // lines for [gifs]
	Log    *SafeBuffer // what all its processes have logged

	Board *boorusim.Server // nil without Pictures

	Loopback    bool     // files may come from this machine
	Discord     string   // the section [discord], in place of the account; "": none
	Environment []string // of the program, besides what it needs in any case
}

// SafeBuffer is a buffer that a process may write to while a test reads it.
type SafeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write implements io.Writer.
func (s *SafeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

// String is all that was written.
func (s *SafeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// New starts the servers. The account is @elelem.
func New(t testing.TB, binary string, c store.Config, o fedisim.Options) *World {
	t.Helper()
	w := &World{T: t, Binary: binary, Store: c, Dir: c.Dir, Poll: "50ms", Log: &SafeBuffer{}}
	o.Observe, w.Model = checks(t, o.Profile)
	w.Fedi = fedisim.New(o)
	if err := w.Fedi.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Fedi.Close)
	if err := w.Model.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Model.Close() })
	w.Bot = w.Fedi.AddAccount("elelem", fedisim.Bot(), fedisim.WithToken("bot-token"))
	w.Configure("")
	t.Cleanup(func() {
		if t.Failed() {
			log := w.Log.String()
			t.Logf("the program's log:\n%s", log[max(0, len(log)-12_000):])
		}
	})
	return w
}

// checks hold every request of the bot's, and every honest good answer of the
// simulators', against the published descriptions where they are at hand.
func checks(t testing.TB, profile fedisim.Profile) (func(fedisim.Exchange), *llmsim.Server) {
	mastodon, openai := apicheck.FromEnv(t).Mastodon(t), apicheck.FromEnv(t).OpenAI(t)
	fedi := func(x fedisim.Exchange) {
		if profile != "" && profile != fedisim.Mastodon || strings.Contains(x.Path, "nodeinfo") || x.Path == fedisim.StreamPath {
			return // the description is Mastodon's, and has no websockets
		}
		if err := mastodon.CheckRequest(x.Method, x.Path, x.Query, x.ReqContentType, x.ReqBody); err != nil {
			t.Errorf("the bot asks %s %s?%s: %v", x.Method, x.Path, x.Query, err)
		}
		if x.Fault != "" || x.Status/100 != 2 {
			return
		}
		if err := mastodon.CheckResponse(x.Method, x.Path, x.Status, x.RespBody); err != nil {
			t.Errorf("the instance answers %s %s: %v", x.Method, x.Path, err)
		}
	}
	model := llmsim.New(llmsim.Options{Observe: func(x llmsim.Exchange) {
		if err := openai.CheckRequest(x.Method, x.Path, "", x.ReqContentType, x.ReqBody); err != nil {
			t.Errorf("the bot asks the model: %v", err)
		}
		if x.Status != 200 || !json.Valid(x.RespBody) {
			return // a fault that was asked for
		}
		if err := openai.CheckResponse(x.Method, x.Path, x.Status, x.RespBody); err != nil {
			t.Errorf("the model answers: %v", err)
		}
	}})
	return fedi, model
}

// Configure writes the configuration, with extra lines for the account.
func (w *World) Configure(account string) {
	w.T.Helper()
	does, gifs, postgres := `"persona"`, "", ""
	if len(w.Does) > 0 {
		does = `"` + strings.Join(w.Does, `", "`) + `"`
	}
	if w.Board != nil {
		gifs = fmt.Sprintf("[gifs]\n%s\n[[gifs.source]]\nkind = \"philomena\"\nurl = %q\n", w.GIFs, w.Board.URL())
	}
	if w.Store.PostgresURL != "" {
		postgres = "[store]\npostgres_url_env = \"TEST_POSTGRES\"\n"
	}
	home := fmt.Sprintf(`[[account]]
name = "elelem"
server = %q
token_env = "TEST_TOKEN"
does = [%s]
poll = %q
rate_limits = "off"
%s
`, w.Fedi.URL(), does, w.Poll, account)
	if w.Discord != "" {
		home = w.Discord
	}
	text := fmt.Sprintf(`data_dir = "data"
%s[log]
level = "debug"
[llm]
base_url = %q
model = "sim-1"
timeout = "5s"
[persona]
character = "Elelem, a witty twenty-year-old student of computer science. Dry, edgy, never rude."
parallel = 4
[budget]
replies_per_member = "unlimited"
tokens_per_day = "unlimited"
[backup]
daily = false
%s[outbox]
settle_after_error = "400ms"
settle_after_silence = "1500ms"
request_timeout = "2s"
%s`, postgres, w.Model.URL(), gifs, home)
	w.Write("rookery.toml", text)
}

// Write puts a file into the world's folder.
func (w *World) Write(name, text string) {
	w.T.Helper()
	if err := os.WriteFile(filepath.Join(w.Dir, name), []byte(text), 0o600); err != nil {
		w.T.Fatal(err)
	}
}

// Process is a running program.
type Process struct {
	w    *World
	cmd  *exec.Cmd
	done chan struct{}
	err  error
}

// Start runs the program with args (and --config) and extra environment.
func (w *World) Start(args []string, env ...string) *Process {
	w.T.Helper()
	args = append(args, "--config", filepath.Join(w.Dir, "rookery.toml"))
	if w.Board != nil || w.Loopback {
		args = append(args, "--allow-loopback")
	}
	cmd := exec.CommandContext(context.Background(), w.Binary, args...)
	cmd.Env = append(os.Environ(), "TEST_TOKEN="+w.Bot.Token, "TEST_POSTGRES="+w.Store.PostgresURL)
	cmd.Env = append(append(cmd.Env, w.Environment...), env...)
	cmd.Stdout, cmd.Stderr = w.Log, w.Log
	if err := cmd.Start(); err != nil {
		w.T.Fatal(err)
	}
	p := &Process{w: w, cmd: cmd, done: make(chan struct{})}
	go func() {
		p.err = cmd.Wait()
		close(p.done)
	}()
	w.T.Cleanup(func() { p.Kill() })
	return p
}

// Kill ends the process as kill -9 does and waits for its end.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill()
	<-p.done
}

// Done is closed when the process has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Wait waits for the process to end by itself and returns its exit code, -1
// if a signal ended it.
func (p *Process) Wait() int {
	p.w.T.Helper()
	select {
	case <-p.done:
	case <-time.After(Patience):
		p.Kill()
		p.w.T.Fatal("the program did not end")
	}
	var exit *exec.ExitError
	if errors.As(p.err, &exit) {
		return exit.ExitCode()
	}
	if p.err != nil {
		p.w.T.Fatal(p.err)
	}
	return 0
}

// Stop asks the process to end and returns its exit code.
func (p *Process) Stop() int {
	p.w.T.Helper()
	if err := p.cmd.Process.Signal(os.Interrupt); err != nil && !errors.Is(err, os.ErrProcessDone) {
		p.w.T.Fatal(err)
	}
	return p.Wait()
}

// WaitFor waits until cond holds in the instance.
func (w *World) WaitFor(what string, cond func(*fedisim.Server) bool) {
	w.T.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	if err := w.Fedi.WaitFor(ctx, cond); err != nil {
		w.T.Fatalf("waited in vain for %s: %v\nthe database holds:\n%s", what, err, w.waiting())
	}
}

// Answered tells whether a post has a reply of the bot's.
func (w *World) Answered(id string) bool { return len(w.Replies(id)) > 0 }

// Replies are the bot's replies to a post.
func (w *World) Replies(id string) []fedisim.Post {
	var mine []fedisim.Post
	for _, p := range w.Fedi.Replies(id) {
		if p.AccountID == w.Bot.ID {
			mine = append(mine, p)
		}
	}
	return mine
}

// open is the program's database; the program may be at work on it.
func (w *World) open() *store.Store {
	w.T.Helper()
	c := w.Store
	c.Dir = filepath.Join(w.Dir, "data")
	s, err := store.Open(context.Background(), c)
	if err != nil {
		w.T.Fatal(err)
	}
	return s
}

// waiting tells what the database holds that is not finished.
func (w *World) waiting() string {
	s := w.open()
	defer s.Close()
	rows, err := s.Query(context.Background(), `
		select 'mention ' || state || ', ' || count(*) || ' times, ' || reason from inbox_mention group by state, reason
		union all select 'waits ' || mention || ', attempts ' || attempts || ', next_at ' || next_at || ', lease_until ' || lease_until || ', ' || last_error from turns_waiting
		union all select 'effect ' || key || ' ' || state || ', attempt ' || attempt || ', looks ' || looks || ', next_at ' || next_at || ', ' || reason
			from outbox_effect where state in ('planned', 'sent')
		union all select 'submission ' || id || ' ' || state || ', next_at ' || next_at || ', tries ' || tries from gallery_submission
			where state in ('review', 'accepted', 'posting', 'deleting')`)
	lines, err := store.Collect(rows, err, func(r store.Row) (line string, err error) { return line, r.Scan(&line) })
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%s\n(now %d)", strings.Join(lines, "\n"), clock.System{}.Now().UnixMilli())
}

// Unfinished counts rows that still wait for something.
func (w *World) Unfinished() (n int) {
	w.T.Helper()
	s := w.open()
	defer s.Close()
	err := s.QueryRow(context.Background(), `select (select count(*) from outbox_effect where state in ('planned', 'sent'))
		+ (select count(*) from turns_waiting)`).Scan(&n)
	if err != nil {
		w.T.Fatal(err)
	}
	return n
}
