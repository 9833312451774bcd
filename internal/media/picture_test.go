package media

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math/rand/v2"
	"os/exec"
	"strings"
	"testing"

	xwebp "golang.org/x/image/webp"
)

var (
	red   = color.NRGBA{R: 255, A: 255}
	green = color.NRGBA{G: 255, A: 255}
	blue  = color.NRGBA{B: 255, A: 255}
	glass = color.NRGBA{}
)

// quarters has a colour in each corner: red, green, blue and what shows through.
func quarters(w, h int) *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			m.SetNRGBA(x, y, [2][2]color.NRGBA{{red, green}, {blue, glass}}[2*y/h][2*x/w])
		}
	}
	return m
}

// noise does not compress.
func noise(w, h int, alpha bool) *image.NRGBA {
	r := rand.New(rand.NewPCG(3, 4))
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	for i := range m.Pix {
		if m.Pix[i] = uint8(r.Uint32()); i%4 == 3 && !alpha {
			m.Pix[i] = 255
		}
	}
	return m
}

func asPNG(t testing.TB, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func asJPEG(t testing.TB, m image.Image, exif string) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: 95}); err != nil {
		t.Fatal(err)
	}
	if exif == "" {
		return b.Bytes()
	}
	return append([]byte("\xff\xd8"+segment(0xe1, exifSign+exif)), b.Bytes()[2:]...)
}

// picture is what a decoder that is not ffmpeg's makes of a file.
func picture(t testing.TB, f File) image.Image {
	t.Helper()
	r, err := f.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var m image.Image
	switch f.Type {
	case JPEG:
		m, err = jpeg.Decode(r)
	case PNG:
		m, err = png.Decode(r)
	case WebP:
		m, err = xwebp.Decode(r)
	default:
		t.Fatalf("%s is no still picture", f.Info)
	}
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// corners are the colours in the middle of each quarter, from the left above.
func corners(m image.Image) (all [4]color.NRGBA) {
	w, h := m.Bounds().Dx(), m.Bounds().Dy()
	for i := range all {
		all[i] = color.NRGBAModel.Convert(m.At(w/4+i%2*w/2, h/4+i/2*h/2)).(color.NRGBA)
	}
	return all
}

// near tells whether colours are alike; what shows through has none.
func near(a, b color.NRGBA) bool {
	d := func(x, y uint8) bool { return max(x, y)-min(x, y) < 24 }
	return d(a.A, b.A) && (a.A < 24 || d(a.R, b.R) && d(a.G, b.G) && d(a.B, b.B))
}

// painters are kits with ffmpeg, where it is installed, and without.
func painters(t *testing.T, run func(t *testing.T, k *Kit)) {
	t.Helper()
	t.Run("ffmpeg", func(t *testing.T) { t.Parallel(); run(t, realKit(t)) })
	t.Run("alone", func(t *testing.T) {
		t.Parallel()
		run(t, setup(t, func(o *Options) { o.NoFFmpeg = true }))
	})
}

func TestFitStill(t *testing.T) {
	t.Parallel()
	lossless, lossy, opaque := webpPictures(t)
	loud := asJPEG(t, noise(160, 120, false), "")
	loudPNG, loudClear := asPNG(t, noise(160, 120, false)), asPNG(t, noise(160, 120, true))
	cases := map[string]struct {
		file   []byte
		limits Limits
		want   Type
		w, h   int // 0: smaller than the source
	}{ // those with a star are tried with ffmpeg too, whose every run takes its time
		"fewer pixels *":          {loud, Limits{ImagePixels: 80 * 60}, JPEG, 80, 60},
		"odd sides":               {asJPEG(t, quarters(101, 33), ""), Limits{ImagePixels: 1000}, JPEG, 55, 18},
		"a line":                  {asPNG(t, image.NewGray(image.Rect(0, 0, 4000, 1))), Limits{ImagePixels: 100}, PNG, 100, 1},
		"less quality *":          {loud, Limits{ImageBytes: int64(len(loud)) * 3 / 4}, JPEG, 160, 120},
		"smaller *":               {loud, Limits{ImageBytes: 3000}, JPEG, 0, 0},
		"png becomes jpeg":        {loudPNG, Limits{ImageBytes: 40_000}, JPEG, 160, 120},
		"png stays png *":         {asPNG(t, noise(40, 40, false)), Limits{ImagePixels: 400, ImageBytes: 9000}, PNG, 20, 20},
		"transparent, fewer":      {asPNG(t, quarters(160, 120)), Limits{ImagePixels: 40 * 30}, PNG, 40, 30},
		"transparent, less *":     {loudClear, Limits{ImageBytes: 9000, Types: []Type{PNG, JPEG}}, PNG, 0, 0},
		"transparent, no PNG":     {asPNG(t, quarters(160, 120)), Limits{Types: []Type{JPEG, GIF}}, JPEG, 160, 120},
		"png alone is taken":      {loud, Limits{Types: []Type{PNG}}, PNG, 160, 120},
		"webp, drawn":             {lossless, Limits{Types: []Type{JPEG, PNG}}, PNG, 16, 12},
		"webp, transparent *":     {lossy, Limits{Types: []Type{JPEG, PNG}}, PNG, 16, 12},
		"webp, photo":             {opaque, Limits{Types: []Type{JPEG, PNG}}, JPEG, 16, 12},
		"gif that stands still *": {gifFile(t, 60, 40, 1), Limits{GIFPixels: 600}, PNG, 60, 40},
		"many colours *":          {asPNG(t, image.NewNRGBA64(image.Rect(0, 0, 30, 20))), Limits{ImagePixels: 150}, PNG, 15, 10},
		"a table and no colours":  {asJPEG(t, image.NewGray(image.Rect(0, 0, 30, 20)), ""), Limits{ImagePixels: 150}, JPEG, 15, 10},
	}
	painters(t, func(t *testing.T, k *Kit) {
		for name, c := range cases {
			if !k.opt.NoFFmpeg && !strings.HasSuffix(name, "*") {
				continue
			}
			f := put(t, k, c.file)
			out, err := k.Fit(t.Context(), f, c.limits)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			if out.Type != c.want || c.w > 0 && (out.Width != c.w || out.Height != c.h) || c.w == 0 && out.Pixels() >= f.Pixels() || out.Pixels() < 100 {
				t.Errorf("%s: %s", name, out.Info)
			}
			if err := c.limits.Fits(out.Info); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			picture(t, out)
			if again, err := k.Fit(t.Context(), out, c.limits); err != nil || again != out {
				t.Errorf("%s, again: %+v, %v", name, again, err)
			}
			if left := names(t, k.opt.Dir); len(left) != 2 {
				t.Errorf("%s: beside the source and the result: %q", name, left)
			}
			k.discard(f.Path)
			k.discard(out.Path)
		}
	})
	k := realKit(t)
	out, err := k.Fit(t.Context(), put(t, k, loudClear), Limits{ImageBytes: 30_000})
	if err != nil || k.tool.WebP != (out.Type == WebP) || out.Size > 30_000 {
		t.Errorf("transparent noise: %s, %v", out.Info, err)
	}
}

// TestColoursOfWhatIsMade: they are those of the source, in their places.
func TestColoursOfWhatIsMade(t *testing.T) {
	t.Parallel()
	white := color.NRGBA{255, 255, 255, 255}
	tests := map[string]struct {
		file   []byte
		limits Limits
		last   color.NRGBA
	}{
		"png *":        {asPNG(t, quarters(64, 48)), Limits{ImagePixels: 32 * 24}, glass},
		"png, as big":  {asPNG(t, quarters(64, 48)), Limits{Types: []Type{WebP, PNG}, ImageBytes: 1}, glass},
		"jpeg":         {asPNG(t, quarters(64, 48)), Limits{Types: []Type{JPEG}}, white},
		"jpeg, less *": {asPNG(t, quarters(64, 48)), Limits{Types: []Type{JPEG}, ImagePixels: 32 * 24}, white},
	}
	painters(t, func(t *testing.T, k *Kit) {
		for name, c := range tests {
			if !k.opt.NoFFmpeg && !strings.HasSuffix(name, "*") {
				continue
			}
			f := put(t, k, c.file)
			if c.limits.ImageBytes > 0 {
				c.limits.ImageBytes = f.Size - 1
			}
			out, err := k.Fit(t.Context(), f, c.limits)
			if err != nil {
				t.Fatal(err)
			}
			for i, got := range corners(picture(t, out)) {
				if want := [4]color.NRGBA{red, green, blue, c.last}[i]; !near(got, want) {
					t.Errorf("%s: %s: corner %d is %v, not %v", name, out.Info, i, got, want)
				}
			}
		}
		// What is transparent lends no colour: beside it white stays white.
		m := image.NewNRGBA(image.Rect(0, 0, 64, 64))
		for y := range 64 {
			for x := range 32 {
				m.SetNRGBA(x+x%2*31, y, white)
			}
		}
		out, err := k.Fit(t.Context(), put(t, k, asPNG(t, m)), Limits{ImagePixels: 31 * 31})
		if err != nil {
			t.Fatal(err)
		}
		made := picture(t, out)
		for x := range out.Width {
			if c := color.NRGBAModel.Convert(made.At(x, 9)).(color.NRGBA); c.A > 16 && c.R < 230 {
				t.Errorf("at %d it is %v", x, c)
			}
		}
	})
}

// TestUpright: whichever way a camera was held, what is made of it is upright
// for who heeds the orientation and for who does not.
func TestUpright(t *testing.T) {
	t.Parallel()
	white := color.NRGBA{255, 255, 255, 255}
	flat := quarters(64, 48)
	for i := 3; i < len(flat.Pix); i += 4 {
		if flat.Pix[i] == 0 {
			copy(flat.Pix[i-3:], []byte{255, 255, 255, 255})
		}
	}
	// Where the stored corners, from the left above, are shown.
	shown := map[uint16][4]color.NRGBA{
		1: {red, green, blue, white}, 2: {green, red, white, blue}, 3: {white, blue, green, red}, 4: {blue, white, red, green},
		5: {red, blue, green, white}, 6: {blue, red, white, green}, 7: {white, green, blue, red}, 8: {green, white, red, blue},
		9: {red, green, blue, white},
	}
	painters(t, func(t *testing.T, k *Kit) {
		for o, want := range shown {
			exif := exifWith(binary.LittleEndian, o)
			plain := string(asPNG(t, flat))
			for name, file := range map[string][]byte{
				"jpeg": asJPEG(t, flat, exif),
				"png":  []byte(plain[:33] + string(pngChunk("eXIf", []byte(exif))) + plain[33:]),
			} {
				if name == "png" && o != 6 || (o < 3 || o == 4 || o > 8) && !k.opt.NoFFmpeg {
					continue
				}
				f := put(t, k, file)
				made, err := k.Fit(t.Context(), f, Limits{ImagePixels: 32 * 24})
				if err != nil {
					t.Fatal(err)
				}
				all := []File{made}
				if o == 6 || k.opt.NoFFmpeg {
					if made, err = k.Still(t.Context(), f, 40, 0); err != nil {
						t.Fatal(err)
					}
					all = append(all, made)
				}
				for _, out := range all {
					if (out.Width < out.Height) != (o >= 5 && o <= 8) {
						t.Errorf("%s, %d: %s", name, o, out.Info)
					}
					got := corners(picture(t, out))
					for i := range got {
						if !near(got[i], want[i]) {
							t.Errorf("%s, %d: %s: %v, not %v", name, o, out.Info, got, want)
							break
						}
					}
					if tr, err := look(out); err != nil || tr.orientation != upright || bytes.Contains(contents(t, out), []byte(secret)) {
						t.Errorf("%s, %d: %+v, %v", name, o, tr, err)
					}
				}
			}
		}
	})
}

func TestStill(t *testing.T) {
	t.Parallel()
	lossless, lossy, opaque := webpPictures(t)
	// A moving WebP, whose first frame is the lossy picture.
	frame := "\x00\x00\x00\x00\x00\x00\x0f\x00\x00\x0b\x00\x00\x28\x00\x00\x00"
	moving := webp(chunk("VP8X", "\x12\x00\x00\x00\x0f\x00\x00\x0b\x00\x00"), chunk("ANIM", "\x00\x00\x00\x00\x00\x00"),
		chunk("ANMF", frame+string(lossy[30:])), chunk("ANMF", frame+string(lossless[12:])))
	loud := asPNG(t, noise(400, 300, true))
	for name, c := range map[string]struct {
		file       []byte
		side       int
		most       int64
		w, h       int
		mostlyThis color.NRGBA // of the first corner
	}{
		"smaller *":      {asJPEG(t, quarters(400, 300), ""), 100, 0, 100, 75, red},
		"never larger":   {asPNG(t, quarters(40, 30)), 512, 0, 40, 30, red},
		"bytes":          {loud, 200, 6000, 0, 0, color.NRGBA{}},
		"gif":            {gifFile(t, 60, 40, 3), 30, 0, 30, 20, color.NRGBA{}},
		"moving webp *":  {moving, 512, 0, 16, 12, color.NRGBA{255, 255, 255, 255}},
		"webp":           {opaque, 8, 0, 8, 6, color.NRGBA{}},
		"lossless webp":  {lossless, 8, 0, 8, 6, color.NRGBA{255, 255, 255, 255}},
		"a thin line *":  {asPNG(t, image.NewGray(image.Rect(0, 0, 3, 900))), 30, 0, 1, 30, color.NRGBA{A: 255}},
		"a side of none": {asPNG(t, quarters(40, 30)), -1, 0, 1, 1, color.NRGBA{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			painters(t, func(t *testing.T, k *Kit) {
				if !k.opt.NoFFmpeg && !strings.HasSuffix(name, "*") {
					return
				}
				f := put(t, k, c.file)
				out, err := k.Still(t.Context(), f, c.side, c.most)
				if err != nil {
					t.Fatal(err)
				}
				if out.Type != JPEG || out.Path == f.Path || c.w > 0 && (out.Width != c.w || out.Height != c.h) || max(out.Width, out.Height) > max(c.side, 1) || c.most > 0 && out.Size > c.most {
					t.Errorf("%s", out.Info)
				}
				if got := corners(picture(t, out)); c.mostlyThis.A > 0 && !near(got[0], c.mostlyThis) {
					t.Errorf("%v", got)
				}
				if left := names(t, k.opt.Dir); len(left) != 2 {
					t.Errorf("beside the source and the result: %q", left)
				}
			})
		})
	}
}

// TestColourProfile: one for red, green and blue goes with the pixels that it
// is about, and no other does.
func TestColourProfile(t *testing.T) {
	t.Parallel()
	painters(t, func(t *testing.T, k *Kit) {
		for name, file := range map[string][]byte{"jpeg": photo(t, 6), "png": append(asPNG(t, image.NewGray(image.Rect(0, 0, 24, 16)))[:33],
			append(pngICC(t, profile()), asPNG(t, image.NewGray(image.Rect(0, 0, 24, 16)))[33:]...)...)} {
			f := put(t, k, file)
			out, err := k.Fit(t.Context(), f, Limits{ImagePixels: 12 * 8})
			if err != nil {
				t.Fatal(err)
			}
			if tr, err := look(out); err != nil || string(tr.icc) != profile() || tr.orientation != upright {
				t.Errorf("%s: %+v, %v", name, tr, err)
			}
			picture(t, out)
			if !k.opt.NoFFmpeg && name == "png" {
				continue
			}
			cmyk := put(t, k, bytes.Replace(file, []byte("RGB "), []byte("CMYK"), 1))
			if out, err = k.Fit(t.Context(), cmyk, Limits{ImagePixels: 12 * 8}); err != nil || name == "jpeg" && bytes.Contains(contents(t, out), []byte("acsp")) {
				t.Errorf("%s of others: %v", name, err)
			}
			if still, err := k.Still(t.Context(), f, 9, 0); err != nil || bytes.Contains(contents(t, still), []byte("acsp")) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

// pngICC is the chunk for a profile.
func pngICC(t testing.TB, icc string) []byte {
	t.Helper()
	plain := pngFile(t, 1, 1)
	cut, err := cleaning{icc: []byte(icc)}.splice(newSource(bytes.NewReader(plain), int64(len(plain))), PNG)
	if err != nil || len(cut.pieces) < 2 {
		t.Fatal(err)
	}
	return cut.pieces[1].lit
}

func TestWhatIsNotMadeAnew(t *testing.T) {
	t.Parallel()
	alone := setup(t, func(o *Options) { o.NoFFmpeg = true })
	withFFmpeg := fake(t, "silent", nil)
	bomb := func(w, h uint32) []byte { return apng(w, h, 1) }
	for name, c := range map[string]struct {
		k     *Kit
		file  []byte
		l     Limits
		kind  Kind
		limit string
	}{
		"bomb":                      {alone, bomb(30000, 30000), Limits{ImagePixels: 9}, "", "pixels"},
		"bomb, ffmpeg":              {withFFmpeg, bomb(7000, 6000), Limits{ImagePixels: 9}, "", "pixels"},
		"large":                     {alone, bomb(4000, 3500), Limits{ImagePixels: 9}, FFmpegMissing, ""},
		"avif":                      {alone, still("avif"), Limits{ImagePixels: 9}, FFmpegMissing, ""},
		"film":                      {alone, film4("isom", "vide", false), Limits{VideoPixels: 9}, FFmpegMissing, ""},
		"sound":                     {alone, mp3(), Limits{VideoBytes: 9}, FFmpegMissing, ""},
		"animation":                 {alone, gifFile(t, 9, 9, 2), Limits{ImagePixels: 9}, FFmpegMissing, ""},
		"moving webp":               {withFFmpeg, webp(chunk("VP8X", "\x02\x00\x00\x00\x3f\x01\x00\xef\x00\x00"), anmf, anmf), Limits{ImagePixels: 9}, "", "type"},
		"a type nobody makes":       {alone, pngFile(t, 9, 9), Limits{Types: []Type{AVIF}}, "", "type"},
		"a film nobody takes":       {withFFmpeg, film4("qt  ", "vide", false), Limits{Types: []Type{WebM}}, "", "type"},
		"sound nobody takes":        {withFFmpeg, mp3(), Limits{Types: []Type{MP4}}, "", "type"},
		"an animation nobody takes": {withFFmpeg, gifFile(t, 9, 9, 2), Limits{Types: []Type{PNG}}, "", "type"},
		"broken":                    {alone, apng(9, 9, 1), Limits{ImagePixels: 9}, Broken, ""},
		"too few bytes":             {alone, asPNG(t, noise(64, 64, true)), Limits{ImageBytes: 60}, "", "bytes"},
		"film too long":             {withFFmpeg, film4("isom", "vide", false), Limits{VideoBytes: 20}, "", "bytes"},
	} {
		f := put(t, c.k, c.file)
		out, err := c.k.Fit(t.Context(), f, c.l)
		u, _ := errors.AsType[*Unfit](err)
		if out.Path != "" || KindOf(err) != c.kind || (u != nil) != (c.limit != "") || u != nil && u.Limit != c.limit {
			t.Errorf("%s: %+v, %v", name, out, err)
		}
		if err != nil && c.kind == FFmpegMissing && !strings.Contains(err.Error(), "ffmpeg") {
			t.Errorf("%s: %v", name, err)
		}
		k := c.k
		if left := names(t, k.opt.Dir); len(left) != 1 {
			t.Errorf("%s: beside the source: %q", name, left)
		}
		k.discard(f.Path)
	}
	f := put(t, alone, asPNG(t, noise(64, 64, true)))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := alone.Fit(ctx, f, Limits{ImagePixels: 9}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if _, err := alone.Still(t.Context(), put(t, alone, mp3()), 9, 0); KindOf(err) != "" || err == nil {
		t.Error(err)
	}
	if _, err := alone.Still(t.Context(), put(t, alone, film4("isom", "vide", false)), 9, 0); KindOf(err) != FFmpegMissing {
		t.Error(err)
	}
}

// TestTilesOfAPicture: what is less than the headers promise is not taken for
// all of it, as a version of ffmpeg may that knows nothing of tiles.
func TestTilesOfAPicture(t *testing.T) {
	t.Parallel()
	k := realKit(t)
	f, err := k.temp(".avif")
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	source := put(t, k, asPNG(t, noise(64, 48, false)))
	if out, err := exec.CommandContext(t.Context(), k.tool.Path, "-v", "error", "-y", "-i", source.Path, "-c:v", "libaom-av1", "-cpu-used", "8", "-still-picture", "1", f.Name()).CombinedOutput(); err != nil {
		t.Skipf("this ffmpeg makes no AVIF: %s", out)
	}
	info, err := Inspect(f.Name())
	if err != nil || info.Type != AVIF {
		t.Fatalf("%+v, %v", info, err)
	}
	avif := File{Path: f.Name(), Info: info, kit: k}
	out, err := k.Fit(t.Context(), avif, Limits{Types: []Type{JPEG}})
	if err != nil || out.Width != 64 || out.Height != 48 {
		t.Errorf("%+v, %v", out.Info, err)
	}
	if out, err = k.Still(t.Context(), avif, 32, 0); err != nil || out.Width != 32 || out.Height != 24 {
		t.Errorf("%+v, %v", out.Info, err)
	}
	avif.Width, avif.Height = 128, 96
	if _, err = k.Fit(t.Context(), avif, Limits{Types: []Type{JPEG}}); KindOf(err) != FFmpegFailed {
		t.Errorf("a tile: %v", err)
	}
}
