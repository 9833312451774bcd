package media

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
)

// board serves pictures by path and notes what it is asked for.
type board struct {
	url   string
	files map[string][]byte

	mu    sync.Mutex
	asked []string
	fail  map[string][]int // statuses to answer first
}

func newBoard(t testing.TB, files map[string][]byte) *board {
	b := &board{files: files, fail: map[string][]int{}}
	b.url = serve(t, func(w http.ResponseWriter, r *http.Request) {
		name := strings.TrimPrefix(r.URL.Path, "/")
		b.mu.Lock()
		b.asked = append(b.asked, name)
		status := http.StatusOK
		if f := b.fail[name]; len(f) > 0 {
			status, b.fail[name] = f[0], f[1:]
		}
		b.mu.Unlock()
		file, ok := b.files[name]
		switch {
		case status != http.StatusOK:
			w.WriteHeader(status)
		case !ok:
			http.NotFound(w, r)
		default:
			_, _ = w.Write(file)
		}
	})
	return b
}

func (b *board) requests() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.Join(b.asked, " ")
}

func (b *board) at(name string, t Type, w, h int, size int64) Rendition {
	return Rendition{URL: b.url + "/" + name, Type: t, Width: w, Height: h, Size: size}
}

func (b *board) plain(name string) Rendition { return b.at(name, "", 0, 0, 0) }

// climb takes every form to the end; each is said as "type WxH".
func climb(t *testing.T, l *Ladder) (forms []string, end error) {
	t.Helper()
	var last File
	for range 20 {
		f, err := l.Next(t.Context())
		if last.Path != "" {
			if _, err := last.Open(); err == nil && l.kept.Path != last.Path {
				t.Errorf("%s is still there", last)
			}
		}
		if err != nil {
			if _, again := l.Next(t.Context()); again == nil || !errors.Is(again, ErrNoMore) {
				t.Errorf("after the end: %v", again)
			}
			if err := errors.Join(l.Close(), l.Close()); err != nil {
				t.Error(err)
			}
			return forms, err
		}
		if err := l.limits.Fits(f.Info); err != nil {
			t.Errorf("it does not fit: %v", err)
		}
		if on := names(t, l.kit.opt.Dir); len(on) > 2 {
			t.Errorf("%d files at a time", len(on))
		}
		last = f
		forms = append(forms, strings.Join(strings.Split(f.Info.String(), ", ")[:2], " "))
	}
	t.Fatal("it has no end")
	return nil, nil
}

func TestLadderWithoutFFmpeg(t *testing.T) {
	t.Parallel()
	full, large, small := gifFile(t, 400, 300, 3), gifFile(t, 200, 150, 3), gifFile(t, 40, 30, 3)
	files := map[string][]byte{"full": full, "large": large, "small": small, "copy": large, "page": []byte("<html>"),
		"frozen": jpegFile(t, 200, 150), "frozen.gif": gifFile(t, 200, 150, 1), "photo": jpegFile(t, 90, 60)}
	for name, c := range map[string]struct {
		limits Limits
		from   func(b *board) []Rendition
		want   string // the forms
		asked  string
		says   string // in the end
	}{
		"all fit": {Limits{}, func(b *board) []Rendition { return []Rendition{b.plain("full"), b.plain("large"), b.plain("small")} },
			"image/gif 400x300, image/gif 200x150, image/gif 40x30", "full large small", "ffmpeg"},
		"told, and not fetched": {Limits{GIFPixels: 40_000}, func(b *board) []Rendition {
			return []Rendition{b.at("full", GIF, 400, 300, 0), b.at("large", GIF, 200, 150, 0)}
		}, "image/gif 200x150", "large", "120000 pixels"},
		"told bytes": {Limits{ImageBytes: 1 << 20, VideoBytes: 100}, func(b *board) []Rendition {
			return []Rendition{b.at("full", "", 0, 0, 1<<20+1), b.plain("small")}
		}, "image/gif 40x30", "small", "1048577 bytes"},
		"not told, seen when fetched": {Limits{GIFPixels: 40_000}, func(b *board) []Rendition { return []Rendition{b.plain("full"), b.plain("large")} },
			"image/gif 200x150", "full large", "pixels"},
		"the source lies": {Limits{GIFPixels: 40_000}, func(b *board) []Rendition {
			return []Rendition{b.at("full", GIF, 10, 10, 10), b.plain("large")}
		}, "image/gif 200x150", "full large", "pixels"},
		"too many bytes": {Limits{ImageBytes: int64(len(large)), VideoBytes: 10}, func(b *board) []Rendition { return []Rendition{b.plain("full"), b.plain("large")} },
			"image/gif 200x150", "full large", "bytes allowed"},
		"some are not there": {Limits{}, func(b *board) []Rendition { return []Rendition{b.plain("gone"), b.plain("page"), b.plain("small")} },
			"image/gif 40x30", "gone page small", "404"},
		"the same twice": {Limits{}, func(b *board) []Rendition { return []Rendition{b.plain("large"), b.plain("large"), b.plain("copy")} },
			"image/gif 200x150", "large copy", "ffmpeg"},
		"the same, as told": {Limits{}, func(b *board) []Rendition {
			return []Rendition{b.plain("large"), b.at("copy", GIF, 200, 150, int64(len(large)))}
		}, "image/gif 200x150", "large", "ffmpeg"},
		"frozen ones are no form": {Limits{}, func(b *board) []Rendition {
			return []Rendition{b.plain("full"), b.plain("frozen"), b.at("photo", JPEG, 90, 60, 0), b.plain("frozen.gif")}
		}, "image/gif 400x300", "full frozen frozen.gif", "does not move"},
		"a still picture": {Limits{}, func(b *board) []Rendition { return []Rendition{b.plain("frozen"), b.at("photo", JPEG, 90, 60, 0)} },
			"image/jpeg 200x150, image/jpeg 90x60", "frozen photo", "no form"},
		"no GIFs taken": {Limits{Types: []Type{JPEG}}, func(b *board) []Rendition { return []Rendition{b.at("full", GIF, 0, 0, 0), b.plain("large")} },
			"", "large", "not taken"},
		"nothing": {Limits{}, func(*board) []Rendition { return nil }, "", "", "no form"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBoard(t, files)
			k := setup(t, nil)
			forms, err := climb(t, k.Ladder(c.limits, c.from(b)))
			if got := strings.Join(forms, ", "); got != c.want {
				t.Errorf("forms: %s; want %s", got, c.want)
			}
			if got := b.requests(); got != c.asked {
				t.Errorf("asked for: %s; want %s", got, c.asked)
			}
			if !errors.Is(err, ErrNoMore) || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "\n") {
				t.Errorf("the end: %v; want %q", err, c.says)
			}
			if missing := KindOf(err) == FFmpegMissing; missing != strings.Contains(err.Error(), "install ffmpeg") {
				t.Errorf("%s: %v", KindOf(err), err)
			}
		})
	}
}

func TestLadderToTheTop(t *testing.T) {
	t.Parallel()
	full, small := gifFile(t, 200, 150, 4), gifFile(t, 60, 40, 4)
	files := map[string][]byte{"full": full, "small": small, "photo": jpegFile(t, 90, 60)}
	for name, c := range map[string]struct {
		limits Limits
		from   func(b *board) []Rendition
		want   string
		asked  string
	}{
		"every form": {Limits{}, func(b *board) []Rendition { return []Rendition{b.plain("full"), b.plain("small")} },
			"image/gif 200x150, image/gif 60x40, image/gif 141x106, video/mp4 200x150", "full small"},
		"too large, and only that": {Limits{GIFPixels: 10_000, VideoPixels: 20_000}, func(b *board) []Rendition { return []Rendition{b.at("full", GIF, 200, 150, 0)} },
			"image/gif 115x86, video/mp4 162x122", "full"},
		"found too large": {Limits{ImageBytes: int64(len(full)) - 1}, func(b *board) []Rendition { return []Rendition{b.plain("full")} },
			"image/gif, video/mp4 200x150", "full"},
		"only films": {Limits{Types: []Type{MP4}}, func(b *board) []Rendition { return []Rendition{b.at("gone", GIF, 0, 0, 0), b.at("full", GIF, 0, 0, 0)} },
			"video/mp4 200x150", "gone full"},
		"a still": {Limits{ImageBytes: 5}, func(b *board) []Rendition { return []Rendition{b.plain("photo")} }, "", "photo"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k, b := realKit(t), newBoard(t, files)
			forms, err := climb(t, k.Ladder(c.limits, c.from(b)))
			if name == "found too large" && len(forms) > 0 {
				forms[0], _, _ = strings.Cut(forms[0], " ") // how large depends on how well it compresses
			}
			if got := strings.Join(forms, ", "); got != c.want || !errors.Is(err, ErrNoMore) || KindOf(err) == FFmpegMissing {
				t.Errorf("%s; want %s; %v", got, c.want, err)
			}
			if got := b.requests(); got != c.asked {
				t.Errorf("asked for: %s; want %s", got, c.asked)
			}
		})
	}
}

func TestLadderWaitsForWhatPasses(t *testing.T) {
	t.Parallel()
	b := newBoard(t, map[string][]byte{"full": gifFile(t, 40, 30, 3), "small": gifFile(t, 20, 10, 3)})
	b.fail["full"] = []int{503}
	b.fail["small"] = []int{429, 500}
	k := setup(t, nil)
	l := k.Ladder(Limits{}, []Rendition{b.plain("full"), b.plain("small")})
	defer l.Close()
	if _, err := l.Next(t.Context()); KindOf(err) != Transient || errors.Is(err, ErrNoMore) {
		t.Errorf("first: %v", err)
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := l.Next(over); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if f, err := l.Next(t.Context()); err != nil || f.Width != 40 {
		t.Errorf("again: %v, %v", f, err)
	}
	if _, err := l.Next(t.Context()); KindOf(err) != Transient {
		t.Errorf("the second form: %v", err)
	}
	if _, err := l.Next(t.Context()); !errors.Is(err, ErrNoMore) {
		t.Errorf("twice not there for now: %v", err)
	}
	if got := b.requests(); got != "full full small small" {
		t.Errorf("asked for: %s", got)
	}
}

func TestLadderWithAnFFmpegThatFails(t *testing.T) {
	t.Parallel()
	k := fake(t, "junk", nil)
	b := newBoard(t, map[string][]byte{"full": gifFile(t, 40, 30, 3)})
	forms, err := climb(t, k.Ladder(Limits{}, []Rendition{b.plain("full")}))
	if !slices.Equal(forms, []string{"image/gif 40x30"}) || KindOf(err) != FFmpegResult || !errors.Is(err, ErrNoMore) {
		t.Errorf("%q, %v", forms, err)
	}
}

func TestLadderClosedEarly(t *testing.T) {
	t.Parallel()
	k := setup(t, nil)
	b := newBoard(t, map[string][]byte{"full": gifFile(t, 40, 30, 3)})
	l := k.Ladder(Limits{}, []Rendition{b.plain("full")})
	f, err := l.Next(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Open(); err == nil {
		t.Error("the file is still there")
	}
	if _, err := l.Next(t.Context()); !errors.Is(err, ErrNoMore) {
		t.Errorf("after Close: %v", err)
	}
}
