package doctor

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"rookery/internal/sim/boorusim"
	"rookery/internal/sim/fedisim"
	"rookery/internal/sim/llmsim"
)

// writeFakes makes programs that stand in for ffmpeg, before any test starts
// one: a file that a child still holds open for writing cannot be run.
func writeFakes(dir string) error {
	const (
		version  = "ffmpeg version 7.1-test Copyright (c)"
		encoder  = " V....D libx264              x"
		palettes = " ... palettegen V->V x\n ... paletteuse VV->V x"
	)
	for name, says := range map[string][3]string{
		"good":     {version, encoder, palettes},
		"no-films": {version, " V....D gif x", palettes},
		"no-gifs":  {version, encoder, " ... scale V->V x"},
		"stranger": {"busybox 1.36", encoder, palettes},
	} {
		script := fmt.Sprintf("#!/bin/sh\nfor out; do :; done\ncase $out in\n-version) echo '%s';;\n-encoders) echo '%s';;\n-filters) echo '%s';;\nesac\n", says[0], says[1], says[2])
		if err := os.WriteFile(filepath.Join(dir, name), []byte(script), 0o700); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(dir, "hangs"), []byte("#!/bin/sh\nsleep 600\n"), 0o700)
}

// pictured is a world whose account shows pictures too, from one board.
type pictured struct {
	*world
	board *boorusim.Server
}

func newPictured(t *testing.T, b boorusim.Config, ffmpeg string) *pictured {
	t.Helper()
	if runtime.GOOS == "windows" && ffmpeg != "off" {
		t.Skip("the fakes are programs for a shell")
	}
	w := newWorld(t, fedisim.Options{}, llmsim.Options{})
	board, err := boorusim.Start(b)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = board.Close() })
	board.Add(boorusim.Image{Rating: boorusim.Safe, Tags: []string{"animated", "gif", "owl"}}, boorusim.Image{Rating: boorusim.Explicit, Tags: []string{"animated", "gif"}})
	if ffmpeg != "off" {
		ffmpeg = filepath.Join(fakeDir, ffmpeg)
	}
	kind := b.Board
	if kind == "" {
		kind = boorusim.Philomena
	}
	w.replace(`does = ["persona"]`, `does = ["persona", "gifs"]`)
	w.replace("[[account]]", fmt.Sprintf("[gifs]\nffmpeg = %q\nmax_download_mb = 40\n[[gifs.source]]\nkind = %q\nurl = %q\ncontact = \"me@home.example\"\n[[account]]",
		ffmpeg, kind, board.URL()))
	return &pictured{w, board}
}

func TestPicturesInOrder(t *testing.T) {
	t.Parallel()
	for _, b := range []boorusim.Board{boorusim.Philomena, boorusim.Danbooru, boorusim.E621} {
		t.Run(string(b), func(t *testing.T) {
			t.Parallel()
			w := newPictured(t, boorusim.Config{Board: b}, "good")
			f := w.run()
			f.only("board", OK, w.board.URL())
			f.has("ffmpeg", OK, "ffmpeg 7.1-test is there")
			f.has("tmp", OK, "5,000 MB are free")
			f.has("pictures", OK, "descriptions of up to 1,500 characters")
			for _, r := range w.board.Requests() {
				if r.Image != 0 || !strings.Contains(r.Header.Get("User-Agent"), "me@home.example") {
					t.Errorf("the board was asked %+v", r)
				}
			}
			if left, err := filepath.Glob(filepath.Join(w.dir, "data")); err != nil || left != nil {
				t.Errorf("the folder was made: %v, %v", left, err)
			}
		})
	}
	t.Run("nobody shows any", func(t *testing.T) {
		t.Parallel()
		w := newPictured(t, boorusim.Config{}, "good")
		w.replace(`, "gifs"]`, "]")
		f := w.run()
		f.only("ffmpeg", OK, "No feature that is switched on needs ffmpeg")
		f.lacks("board")
		f.lacks("tmp")
		f.lacks("pictures")
		if n := len(w.board.Requests()); n > 0 {
			t.Errorf("the board was asked %d times", n)
		}
	})
}

func TestFFmpegInTrouble(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		level Level
		want  string
	}{
		"no-films": {Warning, "it lacks libx264"},
		"no-gifs":  {Warning, "it lacks palettegen"},
		"stranger": {Warning, "does not say that it is ffmpeg"},
		"none":     {Warning, "sudo apt install ffmpeg"},
		"hangs":    {Warning, "it does not answer"},
		"off":      {OK, "ffmpeg is switched off"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newPictured(t, boorusim.Config{}, name)
			if name == "hangs" {
				w.Timeout = time.Second
			}
			f := w.run()
			f.has("ffmpeg", c.level, c.want)
			if name != "hangs" { // where everything else has little time as well
				f.only("ffmpeg", c.level, c.want)
			}
		})
	}
}

func TestABoardInTrouble(t *testing.T) {
	t.Parallel()
	always := func(k boorusim.Kind) func(*pictured) {
		return func(w *pictured) { w.board.Inject(boorusim.Fault{Kind: k, Times: boorusim.Always}) }
	}
	for name, c := range map[string]struct {
		do    func(*pictured)
		level Level
		want  []string
	}{
		"too often":    {always(boorusim.RateLimited), Warning, []string{"rate under [gifs]", "try again after"}},
		"overloaded":   {always(boorusim.Unavailable), Warning, []string{"try again after"}},
		"challenge":    {always(boorusim.Challenge), Warning, []string{"try again after"}},
		"refuses us":   {always(boorusim.Forbidden), Error, []string{"contact under [[gifs.source]]"}},
		"a web page":   {always(boorusim.HTMLPage), Error, []string{"a board of the kind philomena"}},
		"garbage":      {always(boorusim.Garbage), Error, []string{"a board of the kind philomena"}},
		"resets":       {always(boorusim.Reset), Error, []string{"this machine’s network"}},
		"hangs":        {func(w *pictured) { w.Timeout = 2 * time.Second; always(boorusim.Hang)(w) }, Error, []string{"this machine’s network"}},
		"not there":    {func(w *pictured) { _ = w.board.Close() }, Error, []string{"opens in a browser"}},
		"nothing safe": {func(w *pictured) { w.board.Remove(1) }, Warning, []string{"filter_id"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newPictured(t, boorusim.Config{}, "off")
			c.do(w)
			f := w.run()
			for _, want := range c.want {
				f.only("board", c.level, want)
			}
		})
	}
	t.Run("one of two", func(t *testing.T) {
		t.Parallel()
		w := newPictured(t, boorusim.Config{}, "off")
		w.replace("[[account]]", "[[gifs.source]]\nkind = \"danbooru\"\nurl = \"http://127.0.0.1:1\"\n[[account]]")
		f := w.run()
		f.only("board", Error, "http://127.0.0.1:1")
		f.has("board", OK, w.board.URL())
	})
	t.Run("another kind", func(t *testing.T) {
		t.Parallel()
		w := newPictured(t, boorusim.Config{Board: boorusim.Danbooru}, "off")
		w.replace(`kind = "danbooru"`, `kind = "philomena"`)
		w.run().only("board", Error, "a board of the kind philomena")
	})
}

func TestPicturesThatTheServerDoesNotTake(t *testing.T) {
	t.Parallel()
	without := func(types ...string) func(*fedisim.Limits) {
		return func(l *fedisim.Limits) {
			l.Types = slices.DeleteFunc(slices.Clone(l.Types), func(t string) bool { return slices.Contains(types, t) })
		}
	}
	for name, c := range map[string]struct {
		limit  func(*fedisim.Limits)
		ffmpeg string
		level  Level
		want   string
	}{
		"neither":               {without("image/gif", "video/mp4"), "good", Error, "neither GIFs nor MP4"},
		"no GIFs":               {without("image/gif"), "good", OK, "has to be made a film"},
		"no GIFs and no ffmpeg": {without("image/gif"), "off", Error, "Set ffmpeg under [gifs]"},
		"no films":              {without("video/mp4"), "good", OK, "but no MP4"},
		"short descriptions":    {func(l *fedisim.Limits) { l.Description = 100 }, "good", Warning, "descriptions of 100 characters at most"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newPictured(t, boorusim.Config{}, c.ffmpeg)
			w.fedi.Limit(c.limit)
			w.run().only("pictures", c.level, c.want)
		})
	}
}

func TestATokenThatMayNotUpload(t *testing.T) {
	t.Parallel()
	w := newPictured(t, boorusim.Config{}, "off")
	narrow := w.fedi.AddAccount("narrow", fedisim.Bot(), fedisim.AcceptStrangers(), fedisim.WithToken("narrow-1"), fedisim.Note("@"+operatorHandle),
		fedisim.WithScopes("read", "write:statuses", "write:notifications"))
	w.env["BOT_TOKEN"] = narrow.Token
	f := w.run()
	f.only("scopes", Error, "lacks the scope write:media; without it no picture can be uploaded")
	f.has("scopes", Error, "rookery login elelem")
}

func TestNSFWPicturesAreHintedAt(t *testing.T) {
	t.Parallel()
	w := newPictured(t, boorusim.Config{}, "off")
	w.replace(`does = ["persona", "gifs"]`, "does = [\"persona\", \"gifs\"]\nnsfw = true")
	f := w.run()
	f.only("config", Warning, "nsfw_filter_id")
	f.has("pictures", OK, "only its rules can say")
}

func TestRoomForPicturesOnTheirWay(t *testing.T) {
	t.Parallel()
	t.Run("too little", func(t *testing.T) {
		t.Parallel()
		w := newPictured(t, boorusim.Config{}, "off")
		w.replace("max_download_mb = 40", "max_download_mb = 300")
		w.Free = func(string) (int64, error) { return 1000 * megabyte, nil }
		w.run().only("tmp", Warning, "Only 1,000 MB are free for pictures on their way")
	})
	t.Run("a file in its place", func(t *testing.T) {
		t.Parallel()
		w := newPictured(t, boorusim.Config{}, "off")
		w.database(nil)
		if err := os.WriteFile(filepath.Join(w.dir, "data", "tmp"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		w.run().only("tmp", Error, "it is a file")
	})
	t.Run("not for this user", func(t *testing.T) {
		t.Parallel()
		if runtime.GOOS == "windows" || os.Getuid() == 0 {
			t.Skip("nothing is closed to this user")
		}
		w := newPictured(t, boorusim.Config{}, "off")
		w.database(nil)
		if err := os.Mkdir(filepath.Join(w.dir, "data", "tmp"), 0o500); err != nil {
			t.Fatal(err)
		}
		w.run().only("tmp", Error, "chown")
	})
}
