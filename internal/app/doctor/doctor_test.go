package doctor

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"rookery/internal/clock"
	"rookery/internal/sim/fedisim"
	"rookery/internal/sim/llmsim"
	"rookery/internal/store"
	"rookery/internal/words"
)

func TestAnInstallationInOrder(t *testing.T) {
	t.Parallel()
	for _, p := range []fedisim.Profile{fedisim.Mastodon, fedisim.Akkoma, fedisim.GoToSocial, fedisim.Snac, fedisim.Sharkey} {
		t.Run(string(p), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, fedisim.Options{Profile: p}, llmsim.Options{Key: "sk-model-key"})
			w.database(nil)
			f := w.run()
			for _, l := range f.lines {
				if l.Level != OK {
					t.Errorf("not in order: %+v", l)
				}
			}
			if ExitCode(f.lines) != 0 {
				t.Error("the exit code is not 0")
			}
			var order []string
			for _, l := range f.lines {
				if len(order) == 0 || order[len(order)-1] != l.Check {
					order = append(order, l.Check)
				}
			}
			want := "config secrets data disk database backups server token scopes policy bot profile limits streaming clock mentions effects jobs model budget operator ffmpeg zone"
			if runtime.GOOS == "windows" {
				want = strings.Replace(want, "secrets ", "", 1)
			}
			if got := strings.Join(order, " "); got != want {
				t.Errorf("the checks were %s, not %s", got, want)
			}
			if r := w.model.Requests(); len(r) != 1 || r[0].MaxTokens != 60 {
				t.Errorf("the model was asked %v", r)
			}
		})
	}
}

func TestWhatIsWrongWithTheConfigurationIsListed(t *testing.T) {
	t.Parallel()
	t.Run("no file", func(t *testing.T) {
		t.Parallel()
		lines := Run(t.Context(), Config{File: filepath.Join(t.TempDir(), "none.toml")}, nil)
		f := found{t, lines}
		f.only("config", Error, "none.toml")
		f.has("config", Error, "rookery config example")
		if len(lines) != 1 || ExitCode(lines) != 1 {
			t.Errorf("%v", lines)
		}
	})
	t.Run("mistakes", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, fedisim.Options{}, llmsim.Options{})
		w.replace("does = [", "dose = [")
		w.replace(`timeout = "20s"`, `timeout = "soon"`)
		f := w.run()
		f.has("config", Error, "timeout")
		f.has("config", Error, "dose")
		f.lacks("data")
		if w.fedi.RequestCount() > 0 {
			t.Error("a server was asked")
		}
	})
	t.Run("a missing token stops only what needs it", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, fedisim.Options{}, llmsim.Options{})
		w.database(nil)
		delete(w.env, "BOT_TOKEN")
		f := w.run()
		f.has("config", Error, "BOT_TOKEN")
		f.has("token", Error, "rookery login elelem")
		f.has("server", OK, "mastodon")
		f.has("model", OK, "owl-1")
		f.lacks("scopes")
		f.lacks("streaming")
	})
}

func TestSecretsThatOthersCanRead(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("modes say nothing here")
	}
	w := newWorld(t, fedisim.Options{}, llmsim.Options{})
	w.database(nil)
	file := filepath.Join(w.dir, "secrets.env")
	if err := os.WriteFile(file, []byte("BOT_TOKEN=bot-token-1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(file, 0o644); err != nil {
		t.Fatal(err)
	}
	w.text = "env_file = \"secrets.env\"\n" + w.text
	w.run().only("secrets", Warning, "chmod 600 "+file)
}

func TestSpaceOnTheDisk(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		free  int64
		err   error
		level Level
	}{
		{"plenty", 1000 * megabyte, nil, OK},
		{"little", 150 * megabyte, nil, Warning},
		{"none", 20 * megabyte, nil, Error},
		{"unknown", 0, errors.New("statfs: no such call"), Warning},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, fedisim.Options{}, llmsim.Options{})
			w.Free = func(dir string) (int64, error) {
				if dir != w.dir { // data does not exist yet
					t.Errorf("asked for the disk of %s", dir)
				}
				return c.free, c.err
			}
			w.run().has("disk", c.level, "disk")
			if c.level == OK {
				w.run().only("disk", OK, "1,000 MB")
			}
		})
	}
	t.Run("the system knows", func(t *testing.T) {
		t.Parallel()
		if free, err := store.FreeBytes(t.TempDir()); err != nil || free == 0 {
			t.Errorf("free %d, %v", free, err)
		}
		if _, err := store.FreeBytes(filepath.Join(t.TempDir(), "none")); err == nil {
			t.Error("a folder that does not exist has free space")
		}
	})
	t.Run("a large database needs room for a copy", func(t *testing.T) {
		t.Parallel()
		d := &doctor{Config: Config{Free: func(string) (int64, error) { return 900 * megabyte, nil }}.withDefaults()}
		w := newWorld(t, fedisim.Options{}, llmsim.Options{})
		w.run()
		d.File, d.Env = w.File, w.Env
		d.check(t.Context(), "config", "", d.checkConfig)
		d.db = &database{size: 500 * megabyte}
		d.check(t.Context(), "disk", "", d.checkDisk)
		found{t, d.lines}.has("disk", Warning, "900 MB")
	})
}

func TestTheDataDirectory(t *testing.T) {
	t.Parallel()
	t.Run("not made yet", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, fedisim.Options{}, llmsim.Options{})
		f := w.run()
		f.has("data", OK, "first start")
		f.has("database", OK, "first start")
		if _, err := os.Stat(filepath.Join(w.dir, "data")); err == nil {
			t.Error("it was made")
		}
		if ExitCode(f.lines) != 0 {
			t.Errorf("not in order:\n%s", f.text())
		}
	})
	t.Run("a file", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, fedisim.Options{}, llmsim.Options{})
		if err := os.WriteFile(filepath.Join(w.dir, "data"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		w.run().has("data", Error, "is a file")
	})
	t.Run("not writable", func(t *testing.T) {
		t.Parallel()
		if runtime.GOOS == "windows" || os.Getuid() == 0 {
			t.Skip("whoever runs this may write everywhere, or nobody can tell")
		}
		w := newWorld(t, fedisim.Options{}, llmsim.Options{})
		if err := os.Mkdir(filepath.Join(w.dir, "data"), 0o500); err != nil {
			t.Fatal(err)
		}
		w.run().has("data", Error, "permission denied")
	})
}

func TestARoundThatIsBrokenOffSaysNoMore(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fedisim.Options{}, llmsim.Options{})
	w.run()
	ctx, cancel := context.WithCancel(t.Context())
	w.fedi.Inject(fedisim.First(cancel).On("GET", "/api/v2/instance"))
	lines := Run(ctx, w.Config, nil)
	if len(lines) == 0 || lines[len(lines)-1].Check == "zone" {
		t.Errorf("%v", lines)
	}
	for _, l := range lines {
		if l.Check == "server" && l.Level != OK {
			t.Errorf("what was broken off counts as wrong: %+v", l)
		}
	}
}

func TestACheckHasAnEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fedisim.Options{}, llmsim.Options{})
	w.database(nil)
	w.Timeout = 300 * time.Millisecond
	w.fedi.Inject(fedisim.Hang().On("GET", "/api/v2/notifications/policy"))
	w.Finds = func(ctx context.Context, _ string) (bool, error) { <-ctx.Done(); return false, ctx.Err() }
	f := w.run()
	f.has("policy", Warning, "does not say")
	f.has("operator", OK, "deadline")
	f.has("zone", OK, "UTC")
}

func TestPrint(t *testing.T) {
	t.Parallel()
	lines := []Line{
		{Check: "config", Level: OK, Text: "All fine."},
		{Check: "token", Account: "elelem", Level: Error, Text: "It is refused.", Help: "Log in."},
		{Check: "disk", Level: Warning, Text: "Little room.", Help: "Make room."},
	}
	for lang, want := range map[words.Language]string{
		words.English: "ok: All fine.\nerror: elelem: It is refused.\n    To do: Log in.\nwarning: Little room.\n    To do: Make room.\n\n1 error, 1 warning, 1 in order.\n",
		words.Russian: "в порядке: All fine.\nошибка: elelem: It is refused.\n    Что делать: Log in.\nвнимание: Little room.\n    Что делать: Make room.\n\n" +
			"1 ошибка, 1 предупреждение, в порядке: 1.\n",
	} {
		var b strings.Builder
		if err := Print(&b, lines, lang); err != nil || b.String() != want {
			t.Errorf("%v, %s\nwant %s", err, b.String(), want)
		}
	}
	if ExitCode(lines) != 1 || ExitCode(lines[:1]) != 0 || ExitCode(lines[2:]) != 0 {
		t.Error("the exit code is not that of an error")
	}
	if got := oneLine("a\x1b[31m\r\nb\u202ec"); got != "a [31m b c" {
		t.Errorf("%q", got)
	}
}

func TestARoundInRussian(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fedisim.Options{}, llmsim.Options{})
	w.database(nil)
	w.Language = words.Russian
	w.fedi.Revoke(w.bot.Token)
	w.run().has("token", Error, "Выполните: rookery login elelem")
}

func TestTheClock(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		off   time.Duration
		level Level
	}{{0, OK}, {-30 * time.Second, Warning}, {5 * time.Minute, Error}, {-5 * time.Minute, Error}} {
		t.Run(c.off.String(), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, fedisim.Options{Clock: func() time.Time { return clock.System{}.Now().Add(c.off) }}, llmsim.Options{})
			w.database(nil)
			w.run().only("clock", c.level, "clock of this machine")
		})
	}
}
