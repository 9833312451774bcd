package media

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"image/gif"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// fakes are what stands in for ffmpeg: a name, and what it does when it is to
// convert. $out is the file it was told to write, $dir a folder of the test's,
// which it finds in TMPDIR.
var fakes = map[string]string{
	"silent":   `exit 0`,
	"removes":  `rm -f "$out"; exit 0`,
	"junk":     `echo junk >"$out"; exit 0`,
	"still":    `printf 'GIF89a\020\000\014\000\200\000\000\000\000\000\377\377\377\054\000\000\000\000\020\000\014\000\000\002\002\114\001\000\073' >"$out"`,
	"fails":    `i=0; while [ $i -lt 2000 ]; do echo "$PWD/rookery-media-x: line $i of complaints" >&2; i=$((i+1)); done; exit 7`,
	"nospace":  `echo "av_interleaved_write_frame(): No space left on device" >&2; exit 1`,
	"crashes":  `kill -SEGV $$`,
	"hangs":    `exec 9>"$TMPDIR/held"; echo begun >"$TMPDIR/begun"; sleep 600 & sleep 600`,
	"leaves":   `exec 9>"$TMPDIR/held"; sleep 600 & exit 1`,
	"secrets":  `env >&2; exit 1`,
	"limits":   `until [ "$(cut -d" " -f19 /proc/$$/stat)" = 10 ]; do :; done; ulimit -v >&2; ulimit -c >&2; exit 1`,
	"writes":   `head -c 400000000 /dev/zero >"$out"; exit 1`,
	"noh264":   `exit 1`,
	"nothing":  `exit 1`,
	"stranger": `exit 1`,
}

var fakeDir string

func writeFakes(dir string) error {
	fakeDir = dir
	for name, does := range fakes {
		encoder, filters := " V..... libx264 x", " ... palettegen V->V x\n ... paletteuse VV->V x"
		version := "ffmpeg version 6.0-fake Copyright"
		switch name {
		case "noh264":
			encoder = " V..... gif x"
		case "nothing":
			encoder, filters = "", ""
		case "stranger":
			version = "busybox 1.36"
		}
		script := "#!/bin/sh\nfor out; do :; done\ncase $out in\n-version) echo '" + version + "'; exit 0;;\n-encoders) echo '" + encoder +
			"'; exit 0;;\n-filters) printf '" + filters + "\\n'; exit 0;;\nesac\nout=${out#file:}\n" + does + "\n"
		if err := os.WriteFile(filepath.Join(dir, name), []byte(script), 0o700); err != nil {
			return err
		}
	}
	return nil
}

func fake(t *testing.T, name string, change func(*Options)) *Kit {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip(errNotPosix)
	}
	return setup(t, func(o *Options) {
		o.FFmpeg = filepath.Join(fakeDir, name)
		if change != nil {
			change(o)
		}
	})
}

// realKit is a kit with the real program, which is asked once for all tests.
func realKit(t testing.TB) *Kit {
	t.Helper()
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		t.Skip("ffmpeg is not installed: what it makes is not tested")
	}
	k := setup(t, func(o *Options) { o.FFmpeg = "" })
	asked.once.Do(func() { asked.tool, asked.err = k.ask(context.Background()) })
	if asked.err != nil {
		t.Fatal(asked.err)
	}
	k.tool, k.probed = asked.tool, true
	return k
}

var asked struct {
	once sync.Once
	tool Tool
	err  error
}

func TestFFmpegThatMisbehaves(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		kind Kind
		says string
	}{
		"silent":  {FFmpegResult, "empty file"},
		"removes": {FFmpegResult, "made no file"},
		"junk":    {FFmpegResult, "it is text"},
		"still":   {FFmpegResult, "does not move"},
		"fails":   {FFmpegFailed, "exit status 7): rookery-media-x: line 0"},
		"nospace": {NoSpace, "disk is full"},
		"crashes": {FFmpegKilled, "segmentation fault"},
		"nothing": {FFmpegMissing, "install"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := fake(t, name, nil)
			f := put(t, k, gifFile(t, 16, 12, 3))
			_, err := k.ScaleGIF(t.Context(), f, 0, 0)
			if KindOf(err) != c.kind || !strings.Contains(err.Error(), c.says) || len(err.Error()) > 1000 {
				t.Errorf("%v, want %s: %q", err, c.kind, c.says)
			}
			if left := names(t, k.opt.Dir); len(left) != 1 {
				t.Errorf("beside the source: %q", left)
			}
		})
	}
}

func TestProbe(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		kind Kind
		want Tool
	}{
		"silent":   {"", Tool{Version: "6.0-fake", H264: true, Palette: true}},
		"noh264":   {FFmpegMissing, Tool{Version: "6.0-fake", Palette: true}},
		"nothing":  {FFmpegMissing, Tool{Version: "6.0-fake"}},
		"stranger": {FFmpegMissing, Tool{}},
		"gone":     {FFmpegMissing, Tool{}},
	} {
		k := fake(t, name, nil)
		if c.want.Version != "" {
			c.want.Path = k.opt.FFmpeg
		}
		for range 2 {
			if err := k.Probe(t.Context()); KindOf(err) != c.kind || k.FFmpeg() != c.want {
				t.Errorf("%s: %v, %+v", name, err, k.FFmpeg())
			}
		}
		if c.kind != "" {
			if _, err := k.MP4(t.Context(), put(t, k, gifFile(t, 4, 4, 2)), Limits{}); KindOf(err) != FFmpegMissing {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	k := fake(t, "silent", nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := k.Probe(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if err := k.Probe(t.Context()); err != nil {
		t.Errorf("what was cancelled is remembered: %v", err)
	}
}

// pipe is one that a stand-in writes to.
type pipe struct {
	t    *testing.T
	r, w *os.File
}

// line waits for what the stand-in says.
func (p *pipe) line() {
	p.t.Helper()
	if _, err := p.r.Read(make([]byte, 100)); err != nil {
		p.t.Error(err)
	}
}

// free waits until no program holds the pipe any more.
func (p *pipe) free() {
	p.t.Helper()
	if err := p.w.Close(); err != nil {
		p.t.Error(err)
	}
	if _, err := io.Copy(io.Discard, p.r); err != nil {
		p.t.Error(err)
	}
}

// pipes makes those of the stand-ins "hangs" and "leaves".
func pipes(t *testing.T) (begun, held *pipe) {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	make := func(name string) *pipe {
		path := filepath.Join(dir, name)
		if err := exec.CommandContext(t.Context(), "mkfifo", path).Run(); err != nil {
			t.Skipf("no named pipes here: %v", err)
		}
		// Open for writing too, so that it is not at its end before the
		// stand-in has come.
		r, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
		if err != nil {
			t.Fatal(err)
		}
		w, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _, _ = r.Close(), w.Close() })
		return &pipe{t, r, w}
	}
	return make("begun"), make("held")
}

func TestFFmpegThatHangs(t *testing.T) {
	_, held := pipes(t)
	k := fake(t, "hangs", func(o *Options) { o.EncodeTimeout = 500 * time.Millisecond })
	f := put(t, k, gifFile(t, 16, 12, 3))
	if _, err := k.MP4(t.Context(), f, Limits{}); KindOf(err) != FFmpegTimeout {
		t.Errorf("%v", err)
	}
	held.free()
}

func TestFFmpegCancelled(t *testing.T) {
	begun, held := pipes(t)
	k := fake(t, "hangs", nil)
	f := put(t, k, gifFile(t, 16, 12, 3))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := k.MP4(ctx, f, Limits{})
		done <- err
	}()
	begun.line()
	// The slot is taken: who waits for it goes when its own time is over.
	short, end := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer end()
	if _, err := k.MP4(short, f, Limits{}); !errors.Is(err, context.DeadlineExceeded) || KindOf(err) != "" {
		t.Errorf("waiting: %v", err)
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	held.free()
}

func TestWhatFFmpegLeavesRunning(t *testing.T) {
	_, held := pipes(t)
	k := fake(t, "leaves", nil)
	if _, err := k.MP4(t.Context(), put(t, k, gifFile(t, 16, 12, 3)), Limits{}); KindOf(err) != FFmpegFailed {
		t.Errorf("%v", err)
	}
	held.free()
}

func TestFFmpegIsFencedIn(t *testing.T) {
	t.Setenv("ROOKERY_TOKEN", "sesame")
	k := fake(t, "secrets", nil)
	f := put(t, k, gifFile(t, 16, 12, 3))
	if _, err := k.MP4(t.Context(), f, Limits{}); KindOf(err) != FFmpegFailed || strings.Contains(err.Error(), "sesame") || !strings.Contains(err.Error(), "LC_ALL=C") {
		t.Errorf("%v", err)
	}
	if runtime.GOOS != "linux" {
		t.Skip("limits are set on Linux only")
	}
	k = fake(t, "limits", func(o *Options) { o.Memory = 300 << 20 })
	if _, err := k.MP4(t.Context(), put(t, k, gifFile(t, 16, 12, 3)), Limits{}); err == nil || !strings.Contains(err.Error(), "307200 0") {
		t.Errorf("%v", err)
	}
	k = fake(t, "writes", nil)
	if _, err := k.MP4(t.Context(), put(t, k, gifFile(t, 16, 12, 3)), Limits{VideoBytes: 1 << 20}); KindOf(err) != FFmpegFailed && KindOf(err) != FFmpegKilled {
		t.Errorf("%v", err)
	}
}

func TestMP4(t *testing.T) {
	t.Parallel()
	k := realKit(t)
	for name, c := range map[string]struct {
		w, h, frames int
		limits       Limits
		wantW, wantH int
	}{
		"odd sides": {65, 49, 5, Limits{Types: []Type{MP4}}, 64, 48},
		"one pixel": {1, 1, 3, Limits{}, 2, 2},
		"a line":    {300, 1, 3, Limits{VideoPixels: 200}, 100, 2},
		"fewer":     {200, 100, 3, Limits{VideoPixels: 5000}, 100, 50},
		"slower":    {64, 48, 12, Limits{VideoRate: 5}, 64, 48},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := put(t, k, gifFile(t, c.w, c.h, c.frames))
			out, err := k.MP4(t.Context(), f, c.limits)
			if err != nil {
				t.Fatal(err)
			}
			if out.Type != MP4 || !out.Animated || out.Width != c.wantW || out.Height != c.wantH || out.Size == 0 || out.Frames < 2 {
				t.Errorf("%+v", out.Info)
			}
			if err := c.limits.Fits(out.Info); err != nil {
				t.Error(err)
			}
			whole := time.Duration(c.frames) * 100 * time.Millisecond
			if d := out.Duration - whole; d < -200*time.Millisecond || d > 300*time.Millisecond {
				t.Errorf("it takes %s, not %s", out.Duration, whole)
			}
			data, err := os.ReadFile(out.Path)
			if err != nil {
				t.Fatal(err)
			}
			if moov, mdat := strings.Index(string(data), "moov"), strings.Index(string(data), "mdat"); moov < 0 || moov > mdat {
				t.Errorf("the head is not first: %d, %d", moov, mdat)
			}
			if name != "fewer" {
				return
			}
			if again, err := k.MP4(t.Context(), out, Limits{VideoPixels: 2000}); err != nil || again.Pixels() > 2000 {
				t.Errorf("a film from a film: %+v, %v", again.Info, err)
			}
		})
	}
}

func TestMP4KeepsToItsBytes(t *testing.T) {
	t.Parallel()
	k := realKit(t)
	f := put(t, k, noiseGIF(t, 160, 120, 12))
	out, err := k.MP4(t.Context(), f, Limits{VideoBytes: 60_000})
	if err != nil || out.Size > 60_000 || out.Width >= 160 || out.Frames < 12 {
		t.Errorf("%+v, %v", out.Info, err)
	}
	_, err = k.MP4(t.Context(), f, Limits{VideoBytes: 500})
	if u, is := errors.AsType[*Unfit](err); !is || u.Limit != "bytes" {
		t.Errorf("%v", err)
	}
	if _, err = k.MP4(t.Context(), f, Limits{Types: []Type{GIF}}); err == nil {
		t.Error("an MP4 for who takes none")
	}
}

func TestScaleGIF(t *testing.T) {
	t.Parallel()
	k := realKit(t)
	f := put(t, k, gifFile(t, 120, 80, 6))
	out, err := k.ScaleGIF(t.Context(), f, 2400, 0)
	if err != nil || out.Type != GIF || out.Pixels() > 2400 || out.Width != 60 || out.Frames != 6 || out.Duration != f.Duration {
		t.Errorf("%+v, %v", out.Info, err)
	}
	noise := put(t, k, noiseGIF(t, 120, 80, 6))
	out, err = k.ScaleGIF(t.Context(), noise, 0, noise.Size/3)
	if err != nil || out.Size > noise.Size/3 || out.Frames != 6 || out.Width < 30 {
		t.Errorf("%+v, %v", out.Info, err)
	}
	_, err = k.ScaleGIF(t.Context(), noise, 0, 300)
	if _, is := errors.AsType[*Unfit](err); !is {
		t.Errorf("%v", err)
	}
	for name, b := range map[string][]byte{"a still": gifFile(t, 4, 4, 1), "a jpeg": jpegFile(t, 4, 4), "too large": append(gifByHand(5000, 5000, 5000, 5000)[:34], gifByHand(1, 1, 5000, 5000)[19:]...)} {
		_, err := k.ScaleGIF(t.Context(), put(t, k, b), 0, 0)
		if _, is := errors.AsType[*Unfit](err); !is {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestBrokenPixels: headers that promise what the data do not hold cost ffmpeg
// an error and us nothing else.
func TestBrokenPixels(t *testing.T) {
	t.Parallel()
	k := realKit(t)
	for name, b := range map[string][]byte{"film": film4("isom", "vide", false), "apng": apng(64, 64, 3), "webm": webm("webm", 1)} {
		_, err := k.MP4(t.Context(), put(t, k, b), Limits{})
		if kind := KindOf(err); kind != FFmpegFailed && kind != FFmpegResult {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSides(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		w, h         int
		scale        float64
		pixels       int64
		step         int
		wantW, wantH int
	}{
		{1280, 720, 1, 921_600, 1, 1280, 720}, {1920, 1080, 1, 921_600, 1, 1280, 720}, {1280, 720, 1, 0, 2, 1280, 720},
		{1, 1, 1, 0, 2, 2, 2}, {60000, 1, 1, 100, 1, 100, 1}, {1, 60000, 1, 100, 2, 2, 50}, {3, 3, 1, 1, 2, 2, 2}, {100, 50, 0.5, 0, 1, 50, 25},
	} {
		if w, h := sides(c.w, c.h, c.scale, c.pixels, c.step); w != c.wantW || h != c.wantH {
			t.Errorf("%+v: %dx%d", c, w, h)
		}
	}
}

// TestTransparent: what shows through becomes white in a film, which has no
// transparency, and stays transparent in a GIF.
func TestTransparent(t *testing.T) {
	t.Parallel()
	k := realKit(t)
	clear := color.Palette{color.RGBA{}, color.RGBA{R: 255, A: 255}}
	g := gif.GIF{}
	for n := range 3 {
		m := image.NewPaletted(image.Rect(0, 0, 64, 48), clear)
		m.SetColorIndex(30+n, 20, 1)
		g.Image, g.Delay, g.Disposal = append(g.Image, m), append(g.Delay, 10), append(g.Disposal, gif.DisposalBackground)
	}
	var b bytes.Buffer
	if err := gif.EncodeAll(&b, &g); err != nil {
		t.Fatal(err)
	}
	f := put(t, k, b.Bytes())
	film, err := k.MP4(t.Context(), f, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	grey, err := exec.CommandContext(t.Context(), k.tool.Path, "-v", "error", "-nostdin", "-i", film.Path, "-frames:v", "1", "-pix_fmt", "gray", "-f", "rawvideo", "-").Output()
	if err != nil || len(grey) != 64*48 || grey[0] < 250 {
		t.Errorf("%d bytes, %v, the corner is %v", len(grey), err, grey[:min(1, len(grey))])
	}
	small, err := k.ScaleGIF(t.Context(), f, 64*48/4, 0)
	if err != nil {
		t.Fatal(err)
	}
	r, err := small.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	out, err := gif.DecodeAll(r)
	if err != nil {
		t.Fatal(err)
	}
	corner := image.Pt(0, 0) // a frame may leave out edges that show nothing
	if _, _, _, a := out.Image[0].At(0, 0).RGBA(); a != 0 && corner.In(out.Image[0].Bounds()) {
		t.Error("the corner is not transparent any more")
	}
}
