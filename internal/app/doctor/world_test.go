package doctor

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"rookery/internal/budget"
	"rookery/internal/clock"
	"rookery/internal/fedi"
	"rookery/internal/gifs"
	"rookery/internal/inbox"
	"rookery/internal/jobs"
	"rookery/internal/mydata"
	"rookery/internal/operator"
	"rookery/internal/outbox"
	"rookery/internal/persona"
	"rookery/internal/settings"
	"rookery/internal/sim/fedisim"
	"rookery/internal/sim/llmsim"
	"rookery/internal/store"
	"rookery/internal/store/storetest"
	"rookery/internal/turns"
	"rookery/internal/words"
)

// fakeDir holds programs that stand in for ffmpeg.
var fakeDir string

func TestMain(m *testing.M) {
	var err error
	if fakeDir, err = os.MkdirTemp("", "rookery-fakes-"); err == nil {
		err = writeFakes(fakeDir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		_ = os.RemoveAll(fakeDir)
		os.Exit(code)
	}))
}

func migrations() []store.Migrations {
	return []store.Migrations{jobs.Migrations(), inbox.Migrations(), outbox.Migrations(), fedi.Migrations(), budget.Migrations(), turns.Migrations(),
		operator.Migrations(), mydata.Migrations(), settings.Migrations(), gifs.Migrations(), persona.Migrations()}
}

// world is an installation that is in order: a doctor finds nothing in it.
type world struct {
	t     *testing.T
	fedi  *fedisim.Server
	bot   *fedisim.Account
	model *llmsim.Server
	dir   string
	env   map[string]string
	data  store.Config
	// text is the configuration, of which tests replace parts.
	text string
	Config
}

const operatorHandle = "keeper@home.example"

func newWorld(t *testing.T, o fedisim.Options, m llmsim.Options) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir(), fedi: fedisim.New(o), model: llmsim.New(m)}
	if err := w.fedi.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.fedi.Close)
	if err := w.model.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.model.Close() })
	w.bot = w.fedi.AddAccount("elelem", fedisim.Bot(), fedisim.AcceptStrangers(), fedisim.WithToken("bot-token-1"),
		fedisim.Note("<p>A clockwork owl, kept by @"+operatorHandle+"</p>"))
	w.env = map[string]string{"BOT_TOKEN": w.bot.Token, "MODEL_KEY": "sk-model-key"}
	w.text = fmt.Sprintf(`data_dir = "data"
[llm]
base_url = %q
model = "owl-1"
api_key_env = "MODEL_KEY"
timeout = "20s"
max_tokens = 60
[persona]
character = "A witty owl."
[budget]
replies_per_member = 5
[operator]
fediverse = "@`+operatorHandle+`"
[[account]]
name = "elelem"
server = %q
token_env = "BOT_TOKEN"
does = ["persona"]
poll = "50ms"
`, w.model.URL(), w.fedi.URL())
	w.data = store.Config{Dir: filepath.Join(w.dir, "data")}
	w.Config = Config{
		File: filepath.Join(w.dir, "rookery.toml"), Version: "1.2.3", Migrations: migrations(),
		Env:   func(name string) (string, bool) { v, ok := w.env[name]; return v, ok },
		Free:  func(string) (int64, error) { return 5000 * megabyte, nil },
		Finds: func(_ context.Context, handle string) (bool, error) { return handle == operatorHandle, nil },
	}
	return w
}

// replace changes the configuration.
func (w *world) replace(old, text string) {
	w.t.Helper()
	if !strings.Contains(w.text, old) {
		w.t.Fatalf("the configuration has no %q", old)
	}
	w.text = strings.Replace(w.text, old, text, 1)
}

// open makes the database; the caller closes it before a round, or leaves it
// open as a bot at work does.
func (w *world) open() *store.Store {
	w.t.Helper()
	if err := os.MkdirAll(w.data.Dir, 0o700); err != nil {
		w.t.Fatal(err)
	}
	return storetest.Open(w.t, w.data, migrations()...)
}

// database makes the database, as a bot leaves it that has ended, with a
// backup of today.
func (w *world) database(fill func(context.Context, store.Tx) error) {
	w.t.Helper()
	s, err := store.Open(w.t.Context(), w.data)
	if err != nil {
		w.t.Fatal(err)
	}
	defer s.Close()
	if err := s.Migrate(w.t.Context(), migrations()...); err != nil {
		w.t.Fatal(err)
	}
	if fill != nil {
		if err := s.Write(w.t.Context(), fill); err != nil {
			w.t.Fatal(err)
		}
	}
	w.backup(clock.System{}.Now())
}

func (w *world) backup(at time.Time) {
	w.t.Helper()
	name := filepath.Join(w.dir, "data", "backups", "rookery-"+at.UTC().Format("2006-01-02T150405Z")+".db")
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(name, nil, 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// run makes a round.
func (w *world) run() found {
	w.t.Helper()
	if err := os.WriteFile(w.File, []byte(w.text), 0o600); err != nil {
		w.t.Fatal(err)
	}
	var told []Line
	lines := Run(w.t.Context(), w.Config, func(l Line) { told = append(told, l) })
	if !slices.Equal(told, lines) {
		w.t.Errorf("told %v, returned %v", told, lines)
	}
	for _, l := range lines {
		for _, secret := range []string{"bot-token-1", "sk-model-key", "letmein"} {
			if strings.Contains(l.Text+l.Help, secret) {
				w.t.Errorf("the line shows a secret: %+v", l)
			}
		}
		if l.Text == "" || strings.Contains(l.Text+l.Help, "{") || strings.Contains(l.Text, "doctor.") {
			w.t.Errorf("the line is not finished: %+v", l)
		}
		if (l.Level == OK) != (l.Help == "") {
			w.t.Errorf("only what is not in order needs help: %+v", l)
		}
	}
	return found{w.t, lines}
}

type found struct {
	t     *testing.T
	lines []Line
}

func (f found) of(check string) []Line {
	var own []Line
	for _, l := range f.lines {
		if l.Check == check {
			own = append(own, l)
		}
	}
	return own
}

// has expects a line of a check with a level and some words.
func (f found) has(check string, level Level, text string) {
	f.t.Helper()
	for _, l := range f.of(check) {
		if l.Level == level && strings.Contains(l.Text+"\n"+l.Help, text) {
			return
		}
	}
	f.t.Errorf("no %s of %s says %q, but:\n%s", level, check, text, f.text())
}

// only expects that nothing but one check is out of order.
func (f found) only(check string, level Level, text string) {
	f.t.Helper()
	f.has(check, level, text)
	for _, l := range f.lines {
		if l.Level != OK && l.Check != check {
			f.t.Errorf("not in order: %+v", l)
		}
	}
}

func (f found) lacks(check string) {
	f.t.Helper()
	if own := f.of(check); own != nil {
		f.t.Errorf("%s was checked: %v", check, own)
	}
}

func (f found) text() string {
	var b strings.Builder
	if err := Print(&b, f.lines, words.English); err != nil {
		f.t.Error(err)
	}
	return b.String()
}

// rewriting changes what servers answer.
type rewriting func(*http.Request) (*http.Response, error)

func (f rewriting) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func silent() *slog.Logger { return slog.New(slog.DiscardHandler) }
