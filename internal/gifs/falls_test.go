package gifs

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"rookery/internal/media"
	"rookery/internal/sim/boorusim"
	"rookery/internal/sim/fedisim"
	"rookery/internal/store"
)

// fakes stand in for ffmpeg: a name, and what it does when it is to convert.
var fakes = map[string]string{
	"hangs":   `exec sleep 600`,
	"crashes": `kill -SEGV $$`,
	"fails":   `echo "moov atom not found" >&2; exit 1`,
	"junk":    `echo junk >"$out"; exit 0`,
	"nospace": `echo "av_interleaved_write_frame(): No space left on device" >&2; exit 1`,
}

var fakeDir string // of TestMain

func writeFakes(dir string) error {
	fakeDir = dir
	for name, does := range fakes {
		script := "#!/bin/sh\nfor out; do :; done\ncase $out in\n-version) echo 'ffmpeg version 6.0-fake Copyright'; exit 0;;\n" +
			"-encoders) echo ' V..... libx264 x'; exit 0;;\n-filters) printf ' ... palettegen V->V x\\n ... paletteuse VV->V x\\n'; exit 0;;\n" +
			"esac\nout=${out#file:}\n" + does + "\n"
		if err := os.WriteFile(filepath.Join(dir, name), []byte(script), 0o700); err != nil {
			return err
		}
	}
	return nil
}

// served changes what is served in place of a picture's forms; those that are
// not named are missing.
func served(files map[string]boorusim.File) func(*boorusim.Image) {
	if _, ok := files[boorusim.All]; !ok {
		files[boorusim.All] = boorusim.File{Kind: boorusim.MissingFile}
	}
	return func(im *boorusim.Image) { im.Files = files }
}

// wide is a picture whose full form is too large for a Mastodon's GIF, and
// which has no other.
func wide(tags ...string) boorusim.Image {
	return picture(tags, sized(1201, 801), served(map[string]boorusim.File{boorusim.Full: {}}))
}

// Each kind of server takes a picture.
func TestEveryServerTakesAPicture(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		for _, p := range fedisim.Profiles() {
			w := newWorld(t, emptied(t, s), options{profile: p}, picture([]string{"cat", "tail"}, sized(300, 200), by("someone")), picture([]string{"dog"}, sized(640, 480)))
			cat := w.ask("cat")
			w.rounds(3)
			dog := w.ask("dog")
			w.rounds(3)
			for q, tag := range map[string]string{cat.ID: "cat, tail", dog.ID: "dog"} {
				post, _ := w.sim.Post(q)
				r := w.reply(post)
				m := w.medium(r)
				im, _ := w.board.Image(map[string]int64{"dog": 2}[tag] + map[string]int64{"cat, tail": 1}[tag])
				if m.Width != im.Width || m.Type != "image/gif" || m.Description != "Animated GIF: "+tag || !m.Animated {
					t.Errorf("%s: %dx%d %s %q", p, m.Width, m.Height, m.Type, m.Description)
				}
				if len(r.Mentions) != 1 || r.Visibility != "unlisted" {
					t.Errorf("%s: %+v", p, r)
				}
			}
		}
	})
}

// What is known to be too large is not even fetched.
func TestSmallerFormIsTakenWithoutFetchingTheLarger(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{}, picture([]string{"cat"}, sized(1600, 1200)))
		q := w.ask("cat")
		w.round()
		if m := w.medium(w.reply(q)); m.Width != 800 || m.Height != 600 {
			t.Errorf("%dx%d", m.Width, m.Height)
		}
		if got := fmt.Sprint(w.fetched()); got != "[1 medium]" {
			t.Errorf("fetched: %s", got)
		}
	})
}

// A form that turns out to be too large is not fetched to its end.
func TestFormOverTheBytesIsLeftOut(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{limits: func(l *fedisim.Limits) { l.ImageBytes = 1 << 20 }},
			picture([]string{"cat"}, sized(600, 500), served(map[string]boorusim.File{
				boorusim.Full: {Kind: boorusim.HeavyGIF, Size: 40 << 20}, boorusim.Small: {Kind: boorusim.EndlessFile, Size: 1 << 30}, boorusim.Thumb: {}})))
		q := w.ask("cat")
		w.round()
		if m := w.medium(w.reply(q)); m.Size >= 1<<20 || m.Width > 250 {
			t.Errorf("%d bytes, %d wide", m.Size, m.Width)
		}
	})
}

// A form that the server refuses, however it says so, is followed by the next.
func TestRefusedFormIsFollowedByTheNext(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		for name, fault := range map[string]fedisim.Fault{
			"422": fedisim.Fail(422), "400": fedisim.Fail(400), "413": fedisim.Fail(413), "415": fedisim.Fail(415), "413 of a proxy": fedisim.TooLarge(), "processing": fedisim.FailProcessing(),
		} {
			w := newWorld(t, emptied(t, s), options{}, picture([]string{"cat"}, sized(640, 480)))
			w.sim.Processing(1)
			w.sim.Inject(fault.On("POST", uploadPath))
			q := w.ask("cat")
			stop := w.clock.Run()
			w.rounds(3)
			stop()
			if m := w.medium(w.reply(q)); m.Width != 320 {
				t.Errorf("%s: %d wide", name, m.Width)
			}
			if n := len(w.board.Searches()); n != 1 {
				t.Errorf("%s: %d searches", name, n)
			}
		}
	})
}

// ⚠ If the server takes no form of three pictures, the asker gets the link of
// the last: nobody waits for ever.
func TestThreePicturesAreTriedAtMost(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		var seen []string
		w := newWorld(t, s, options{gifs: func(c *Config) { c.Observe = func(o string) { seen = append(seen, o) } }}, many(9)...)
		w.sim.Inject(fedisim.Fail(422).On("POST", uploadPath).Always())
		q := w.ask("cat")
		w.round()
		r := w.reply(q)
		contains(t, r.Text, "@ada I found one, but this server takes it in no form I can make. It is here: "+w.board.URL()+"/images/")
		pictures := map[int64]bool{}
		for _, f := range w.board.Files() {
			pictures[f.Image] = true
		}
		if len(pictures) != 3 || len(w.board.Searches()) != 3 || !slices.Equal(seen, []string{OutcomeUnfit}) {
			t.Errorf("%d pictures fetched, %d searches, %q", len(pictures), len(w.board.Searches()), seen)
		}
		w.are("done 1")
		if n := w.count(`select count(*) from gifs_choice`); n != 0 {
			t.Errorf("%d choices are left", n)
		}
		contains(t, w.log.String(), "the server refuses a form of a picture")
	})
}

// A server that takes no files at all, and one that fails at each, get a link
// out of us as well.
func TestServerThatTakesNoFiles(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		for name, status := range map[string]int{"no such call": 404, "fails": 500} {
			w := newWorld(t, emptied(t, s), options{}, many(9)...)
			w.sim.Inject(fedisim.Fail(status).On("POST", "/api/*/media").Always())
			q := w.ask("cat")
			w.rounds(12)
			r := w.reply(q)
			contains(t, r.Text, "I found one, but this server takes it in no form I can make.")
			if n := len(w.board.Searches()); status == 404 && n != 1 {
				t.Errorf("%s: %d pictures were tried", name, n)
			}
		}
	})
}

// On a server that names files by what we call them, a picture does not take
// the place of an earlier one. Two pictures have two names anywhere.
func TestPicturesHaveNamesOfTheirOwn(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{profile: fedisim.Snac}, many(9)...)
		var asked []fedisim.Post
		for range 3 {
			asked = append(asked, w.ask("cat"))
			w.rounds(2)
		}
		ids := map[string]bool{}
		for _, q := range asked {
			ids[w.medium(w.reply(q)).ID] = true
		}
		if len(ids) != 3 || w.uploads() != 3 {
			t.Errorf("%d ids, %d files on the server", len(ids), w.uploads())
		}
	})
}

// With ffmpeg a picture that fits in no form is made smaller.
func TestPictureIsScaled(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{ffmpeg: true}, wide("cat"))
		q := w.ask("cat")
		w.round()
		m := w.medium(w.reply(q))
		if m.Type != "image/gif" || !m.Animated || m.Width*m.Height > 921_600 || m.Width < 600 {
			t.Errorf("%s, %dx%d, moves %v", m.Type, m.Width, m.Height, m.Animated)
		}
		if got := fmt.Sprint(w.fetched()); strings.Count(got, "full") != 1 {
			t.Errorf("fetched: %s", got)
		}
	})
}

// With ffmpeg a picture that is too large as a GIF becomes a film that any
// server shows. (The simulated Mastodon refuses what it would have to convert.)
func TestPictureBecomesAFilm(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		var seen []string
		w := newWorld(t, s, options{ffmpeg: true, gifs: func(c *Config) { c.Observe = func(o string) { seen = append(seen, o) } },
			limits: func(l *fedisim.Limits) { l.Types = []string{"image/png", "video/mp4"} }}, wide("cat"))
		q := w.ask("cat")
		w.round()
		m := w.medium(w.reply(q))
		if m.Type != "video/mp4" || m.Width%2 != 0 || m.Height%2 != 0 || m.Width < 600 || m.Said != "video/mp4" || !strings.HasSuffix(m.Name, ".mp4") || m.Description != "Animated GIF: cat" {
			t.Errorf("%s, %dx%d, %s", m.Type, m.Width, m.Height, m.Name)
		}
		if !slices.Equal(seen, []string{OutcomeMP4}) {
			t.Errorf("seen: %q", seen)
		}
		if index, data := bytes.Index(m.Bytes, []byte("moov")), bytes.Index(m.Bytes, []byte("mdat")); index < 0 || index > data {
			t.Errorf("the index is at %d, the film at %d", index, data)
		}
		probe, err := exec.LookPath("ffprobe")
		if err != nil {
			t.Log("ffprobe is not installed: the film is looked at less closely")
			return
		}
		path := filepath.Join(t.TempDir(), "made.mp4")
		if err := os.WriteFile(path, m.Bytes, 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.CommandContext(t.Context(), probe, "-v", "error", "-show_entries", "stream=codec_type,codec_name,pix_fmt", "-of", "csv=p=0", path).CombinedOutput()
		if err != nil || strings.TrimSpace(string(out)) != "h264,video,yuv420p" {
			t.Errorf("%v: %s", err, out)
		}
	})
}

// ⚠ Whatever becomes of ffmpeg, the asker gets an answer.
func TestFFmpegThatMisbehaves(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("the stand-ins for ffmpeg are shell scripts")
	}
	for _, name := range []string{"missing", "hangs", "crashes", "fails", "junk"} {
		t.Run(name, func(t *testing.T) {
			alone(t, func(t *testing.T, s *store.Store) {
				w := newWorld(t, s, options{media: func(o *media.Options) {
					o.FFmpeg = filepath.Join(fakeDir, name)
					if name == "hangs" {
						o.EncodeTimeout = 100 * time.Millisecond
					}
				}}, wide("cat"), wide("cat"), wide("cat"), picture([]string{"dog"}))
				q, good := w.ask("cat"), w.ask("dog")
				w.rounds(4)
				contains(t, w.reply(q).Text, "I found one, but this server takes it in no form I can make.")
				w.medium(w.reply(good))
				contains(t, w.log.String(), "the server takes a picture in no form", "ffmpeg")
			})
		})
	}
}

// A disk that is full while a picture is converted loses nothing: the request
// waits until there is room.
func TestFullDisk(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the stand-in for ffmpeg is a shell script")
	}
	alone(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{media: func(o *media.Options) { o.FFmpeg = filepath.Join(fakeDir, "nospace") }}, wide("cat"))
		q := w.ask("cat")
		for range 3 {
			w.poll()
			if _, err := w.gifs.Answer(t.Context(), w.account, -1); media.KindOf(err) != media.NoSpace {
				t.Errorf("%v", err)
			}
			w.clock.Advance(11 * time.Minute)
		}
		w.are("waiting 1")
		w.silent()
		w.opt.media = nil // without ffmpeg nothing has to be written
		w.restart()
		w.rounds(3)
		contains(t, w.reply(q).Text, "I found one, but this server takes it in no form I can make.")
	})
}
