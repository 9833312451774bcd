package emoji

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"image"
	"image/color"
	"image/gif"
	"image/png"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"rookery/internal/words"
)

// world is a server of pictures.
type world struct {
	t     *testing.T
	at    string
	files map[string][]byte
	asked atomic.Int32
	dir   string
}

func (w *world) Get(ctx context.Context, address string) (*http.Response, error) {
	w.asked.Add(1)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	return http.DefaultClient.Do(req)
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir(), files: map[string][]byte{}}
	s := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		data, ok := w.files[strings.TrimPrefix(r.URL.Path, "/")]
		if !ok {
			http.NotFound(rw, r)
			return
		}
		rw.Header().Set("Content-Type", "image/jpeg") // nobody believes it
		_, _ = rw.Write(data)
	}))
	t.Cleanup(s.Close)
	w.at = s.URL + "/"
	return w
}

// still is a picture in PNG; with noise of that many pixels a side it is large.
func still(t *testing.T, side int) []byte {
	t.Helper()
	m := image.NewRGBA(image.Rect(0, 0, side, side))
	r := rand.New(rand.NewPCG(1, 2))
	for i := range m.Pix {
		m.Pix[i] = byte(r.Uint32())
	}
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func moving(t *testing.T) []byte {
	t.Helper()
	frame := func(c color.Color) *image.Paletted {
		return image.NewPaletted(image.Rect(0, 0, 2, 2), color.Palette{c})
	}
	var b bytes.Buffer
	err := gif.EncodeAll(&b, &gif.GIF{Image: []*image.Paletted{frame(color.Black), frame(color.White)}, Delay: []int{5, 5}})
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// aWebP is a picture of one pixel.
func aWebP(t *testing.T) []byte {
	t.Helper()
	b, err := base64.StdEncoding.DecodeString("UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA==")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// of are sources whose pictures are on the server under their names.
func (w *world) of(names ...string) []Source {
	var all []Source
	for _, n := range names {
		all = append(all, Source{Name: n, URL: w.at + n})
	}
	return all
}

func (w *world) export(name string, sources []Source) (Result, error) {
	w.t.Helper()
	return Export(w.t.Context(), Config{Dir: filepath.Join(w.dir, name), Name: "The Art-Guild!", Sources: sources, Fetch: w,
		Description: "Emoji of <The Art Guild>", License: "CC BY 4.0", Homepage: "https://art.example", Share: true})
}

// read is every file below a folder.
func read(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		name, relErr := filepath.Rel(dir, path)
		all[filepath.ToSlash(name)] = string(data)
		return errors.Join(err, relErr)
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// unpacked are the files of an archive, in its order.
func unpacked(t *testing.T, archive string) (names []string, files map[string]string) {
	t.Helper()
	gz, err := gzip.NewReader(strings.NewReader(archive))
	if err != nil {
		t.Fatal(err)
	}
	files = map[string]string{}
	for r := tar.NewReader(gz); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return names, files
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.Typeflag != tar.TypeReg || h.ModTime.Unix() != 0 || h.Uid != 0 || h.Uname != "" {
			t.Errorf("the archive tells of its making: %+v", h)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		names, files[h.Name] = append(names, h.Name), string(data)
	}
}

func TestBothFormsAreWritten(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.files["wave"], w.files["Dance"], w.files["soft"], w.files["loud"] = still(t, 4), moving(t), aWebP(t), still(t, 300)
	w.files["page"], w.files["cut"], w.files["jpeg"], w.files["endless"] = []byte("<html>"), still(t, 4)[:30], []byte("\xff\xd8\xff\xe0"), make([]byte, mostBytes+1)
	if len(w.files["loud"]) < mastodonBytes {
		t.Fatal("the large picture is small")
	}
	sources := w.of("wave", "Dance", "soft", "loud", "page", "cut", "jpeg", "endless", "gone")
	r, err := w.export("out", sources)
	if err != nil {
		t.Fatal(err)
	}
	files := read(t, r.Dir)
	want := []string{"the-art-guild.tar.gz", "the-art-guild/Dance.gif", "the-art-guild/loud.png", "the-art-guild/pack.json", "the-art-guild/soft.webp", "the-art-guild/wave.png"}
	if got := slices.Sorted(maps.Keys(files)); !slices.Equal(got, want) {
		t.Errorf("the files are %q", got)
	}
	for _, name := range []string{"wave.png", "Dance.gif", "soft.webp", "loud.png"} {
		source, _, _ := strings.Cut(name, ".")
		if files["the-art-guild/"+name] != string(w.files[source]) {
			t.Errorf("%s is not what came", name)
		}
	}
	var pack struct {
		Files map[string]string `json:"files"`
		Count int               `json:"files_count"`
		Pack  map[string]any    `json:"pack"`
	}
	if err := json.Unmarshal([]byte(files["the-art-guild/pack.json"]), &pack); err != nil {
		t.Fatal(err)
	}
	if !maps.Equal(pack.Files, map[string]string{"Dance": "Dance.gif", "loud": "loud.png", "soft": "soft.webp", "wave": "wave.png"}) || pack.Count != 4 {
		t.Errorf("the pack holds %v", pack)
	}
	if !maps.Equal(pack.Pack, map[string]any{"description": "Emoji of <The Art Guild>", "license": "CC BY 4.0", "homepage": "https://art.example", "share-files": true, "can-download": true}) {
		t.Errorf("of the pack it says %v", pack.Pack)
	}
	names, packed := unpacked(t, files["the-art-guild.tar.gz"])
	if !slices.Equal(names, []string{"Dance.gif", "wave.png"}) || packed["wave.png"] != string(w.files["wave"]) {
		t.Errorf("the archive holds %q", names)
	}
	why := map[string]Reason{}
	for _, s := range r.Skipped {
		if s.Err == nil {
			t.Errorf("%s has no error", s.Name)
		}
		why[s.Name] = s.Why
	}
	if !maps.Equal(why, map[string]Reason{"page": NotPicture, "cut": NotPicture, "jpeg": NotPicture, "endless": TooLarge, "gone": NotFetched}) {
		t.Errorf("left out: %v", why)
	}
	for _, l := range words.Languages() {
		var out bytes.Buffer
		r.Tell(&out, l)
		for _, name := range []string{r.Dir, r.Pack, r.Archive, "soft", "loud", "256", "cut, jpeg, page", "endless", "gone"} {
			if !strings.Contains(out.String(), name) {
				t.Errorf("%q is not told:\n%s", name, out.String())
			}
		}
		if strings.Contains(out.String(), "{") || strings.Contains(out.String(), "wave") {
			t.Errorf("it says:\n%s", out.String())
		}
	}

	// The same again, in another order, is the same, byte by byte.
	slices.Reverse(sources)
	again, err := w.export("again", sources)
	if err != nil {
		t.Fatal(err)
	}
	if !maps.Equal(read(t, again.Dir), files) {
		t.Error("the second time the files differ")
	}
}

// Whoever runs the instance is mostly another user of the machine.
func TestOthersMayRead(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no such modes")
	}
	w := newWorld(t)
	w.files["wave"] = still(t, 4)
	r, err := w.export("packs/out", w.of("wave"))
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	err = filepath.WalkDir(r.Dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		seen++
		if want := map[bool]fs.FileMode{true: 0o755, false: 0o644}[d.IsDir()]; info.Mode().Perm() != want {
			t.Errorf("%s: %v, want %v", path, info.Mode().Perm(), want)
		}
		return nil
	})
	if err != nil || seen != 5 {
		t.Errorf("%d, %v", seen, err)
	}
}

func TestNothingIsOverwritten(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.files["wave"] = still(t, 4)
	if err := os.MkdirAll(filepath.Join(w.dir, "empty", "in"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := w.export("empty/in", w.of("wave")); err != nil {
		t.Errorf("an empty folder: %v", err)
	}
	before := read(t, w.dir)
	if _, err := w.export("empty", w.of("wave")); !errors.Is(err, ErrNotEmpty) || !strings.Contains(err.Error(), "name a folder") {
		t.Errorf("a folder in use: %v", err)
	}
	if err := os.WriteFile(filepath.Join(w.dir, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	before["file"] = ""
	asked := w.asked.Load()
	if _, err := w.export("file", w.of("wave")); err == nil || w.asked.Load() != asked {
		t.Errorf("a file in its place: %v", err)
	}
	if _, err := w.export("none", nil); !errors.Is(err, ErrNothing) {
		t.Errorf("no emoji: %v", err)
	}
	if r, err := w.export("none", w.of("gone")); !errors.Is(err, ErrNothing) || len(r.Skipped) != 1 {
		t.Errorf("nothing came: %v, %v", r, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Export(ctx, Config{Dir: filepath.Join(w.dir, "none"), Sources: w.of("wave"), Fetch: w}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if after := read(t, w.dir); !maps.Equal(after, before) {
		t.Errorf("something was written: %v", slices.Sorted(maps.Keys(after)))
	}
	if left, err := filepath.Glob(filepath.Join(w.dir, "*", ".emoji-*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestWithoutAnythingForMastodonThereIsNoArchive(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.files["soft"] = aWebP(t)
	r, err := w.export("out", w.of("soft"))
	if err != nil {
		t.Fatal(err)
	}
	if r.Archive != "" || len(read(t, r.Dir)) != 2 {
		t.Errorf("%+v", r)
	}
	var out bytes.Buffer
	r.Tell(&out, words.English)
	if !strings.Contains(out.String(), "no archive") {
		t.Errorf("it says:\n%s", out.String())
	}
}

func TestShortcodes(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"wave": "wave", "Foo~1": "Foo_1", "a": "emoji_a", "": "emoji", "ёж": "emoji", "__": "__", "_": "emoji__", "é1": "_1", "a b:c": "a_b_c",
		strings.Repeat("a", 200): strings.Repeat("a", 128),
	} {
		if got := clean(name); got != want {
			t.Errorf("%q becomes %q, want %q", name, got, want)
		}
	}
	got := map[string]string{}
	for _, n := range named([]Source{{"foo", false, "3"}, {"Foo", false, "1"}, {"foo_2", false, "2"}, {"foo", false, "4"}, {"con", false, "5"}}) {
		got[n.URL] = n.shortcode
	}
	if !maps.Equal(got, map[string]string{"1": "Foo", "2": "foo_2", "3": "foo_3", "4": "foo_4", "5": "con"}) {
		t.Errorf("they are called %v", got)
	}
	for shortcode, want := range map[string]string{"con": "con-.png", "COM1": "COM1-.png", "cone": "cone.png"} {
		if got := fileName(shortcode, ".png"); got != want {
			t.Errorf("%s is in %s, want %s", shortcode, got, want)
		}
	}
	for name, want := range map[string]string{"The Art-Guild!": "the-art-guild", "Птицы": "emoji", "../..": "emoji", "nul": "nul-", strings.Repeat("x", 99): strings.Repeat("x", 60)} {
		if got := packName(name); got != want {
			t.Errorf("the pack %q is called %q, want %q", name, got, want)
		}
	}
}

// FuzzNamed: whatever emoji are called, their shortcodes are such as Mastodon
// takes, and differ in more than large and small letters.
func FuzzNamed(f *testing.F) {
	f.Add("foo,Foo,foo_2,foo", ",,")
	f.Add("ё,a,A,_,", "con")
	f.Add(strings.Repeat("a", 127)+","+strings.Repeat("A", 128), strings.Repeat("a", 126)+"_2")
	valid := regexp.MustCompile(`^[A-Za-z0-9_]{2,128}$`)
	f.Fuzz(func(t *testing.T, a, b string) {
		var sources []Source
		for _, n := range strings.Split(a+","+b, ",") {
			sources = append(sources, Source{Name: n})
		}
		seen := map[string]bool{}
		for _, n := range named(sources) {
			if !valid.MatchString(n.shortcode) || seen[strings.ToLower(n.shortcode)] {
				t.Fatalf("%q is called %q", n.Name, n.shortcode)
			}
			seen[strings.ToLower(n.shortcode)] = true
		}
		if len(seen) != len(sources) {
			t.Fatalf("%d of %d are left", len(seen), len(sources))
		}
	})
}
