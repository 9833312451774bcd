package media

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func inspect(b []byte) (Info, error) { return InspectReader(bytes.NewReader(b), int64(len(b))) }

func TestWhatAFileIs(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		file []byte
		want Info // without its size
	}{
		"gif":              {gifFile(t, 30, 20, 1), Info{Type: GIF, Width: 30, Height: 20, Frames: 1}},
		"moving gif":       {gifFile(t, 30, 20, 5), Info{Type: GIF, Width: 30, Height: 20, Frames: 5, Animated: true, Duration: 500 * time.Millisecond, Rate: 10}},
		"gif, no trailer":  {gifFile(t, 3, 2, 2)[:len(gifFile(t, 3, 2, 2))-1], Info{Type: GIF, Width: 3, Height: 2, Frames: 2, Animated: true, Duration: 200 * time.Millisecond, Rate: 10}},
		"gif that lies":    {gifByHand(1, 1, 30000, 30000), Info{Type: GIF, Width: 30000, Height: 30000, Frames: 1}},
		"gif, zero canvas": {gifByHand(0, 0, 7, 8), Info{Type: GIF, Width: 7, Height: 8, Frames: 1}},
		"png":              {pngFile(t, 9, 7), Info{Type: PNG, Width: 9, Height: 7, Frames: 1}},
		"apng":             {apng(9, 7, 3), Info{Type: PNG, Width: 9, Height: 7, Frames: 3, Animated: true, Duration: 300 * time.Millisecond, Rate: 10}},
		"png bomb":         {apng(30000, 30000, 1), Info{Type: PNG, Width: 30000, Height: 30000, Frames: 1}},
		"jpeg":             {jpegFile(t, 11, 13), Info{Type: JPEG, Width: 11, Height: 13, Frames: 1}},
		"webp lossy":       {webp(chunk("VP8 ", "\x00\x00\x00\x9d\x01\x2a\x40\x01\xf0\x00")), Info{Type: WebP, Width: 320, Height: 240, Frames: 1}},
		"webp lossless":    {webp(chunk("VP8L", "\x2f\x3f\xc1\x3b\x00")), Info{Type: WebP, Width: 320, Height: 240, Frames: 1}},
		"moving webp":      {webp(chunk("VP8X", "\x02\x00\x00\x00\x3f\x01\x00\xef\x00\x00"), anmf, anmf), Info{Type: WebP, Width: 320, Height: 240, Frames: 2, Animated: true, Duration: 80 * time.Millisecond, Rate: 25}},
		"webp that lies":   {webp(chunk("VP8X", "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"), chunk("VP8 ", "\x00\x00\x00\x9d\x01\x2a\x40\x01\xf0\x00")), Info{Type: WebP, Width: 320, Height: 240, Frames: 1}},
		"avif":             {still("avif"), Info{Type: AVIF, Width: 640, Height: 480, Frames: 1}},
		"heic":             {still("heic"), Info{Type: HEIC, Width: 640, Height: 480, Frames: 1}},
		"mp4":              {film4("isom", "vide", false), Info{Type: MP4, Width: 320, Height: 240, Frames: 50, Animated: true, Duration: 2 * time.Second, Rate: 25}},
		"turned mov":       {film4("qt  ", "vide", true), Info{Type: QuickTime, Width: 240, Height: 320, Frames: 50, Animated: true, Duration: 2 * time.Second, Rate: 25}},
		"m4a":              {film4("M4A ", "soun", false), Info{Type: MP4Audio}},
		"webm":             {webm("webm", 1), Info{Type: WebM, Width: 320, Height: 240, Animated: true, Duration: 2 * time.Second, Rate: 25}},
		"matroska sound":   {webm("matroska", 2), Info{Type: MatroskaAudio}},
		"mp3":              {mp3(), Info{Type: MP3}},
		"mp3 with a tag":   {append([]byte("ID3\x04\x00\x00\x00\x00\x00\x05hello\x00\x00\x00"), mp3()...), Info{Type: MP3}},
		"ogg":              {ogg("OpusHead"), Info{Type: Ogg}},
		"theora":           {ogg("\x80theora"), Info{Type: OggVideo, Animated: true}},
		"flac":             {[]byte("fLaC\x00\x00\x00\x22"), Info{Type: FLAC}},
		"wav":              {[]byte("RIFF\x04\x00\x00\x00WAVEfmt "), Info{Type: WAV}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.want.Size = int64(len(c.file))
			got, err := inspect(c.file)
			if err != nil || got != c.want {
				t.Errorf("%+v, %v; want %+v", got, err, c.want)
			}
			if got.Type.Ext() == "" {
				t.Errorf("%s has no end of a name", got.Type)
			}
		})
	}
}

func TestWhatIsNoMedia(t *testing.T) {
	t.Parallel()
	for file, says := range map[string]string{
		"":                                 "empty",
		"<!DOCTYPE html><p>Not found":      "a web page",
		"\xef\xbb\xbf \n<HTML>":            "a web page",
		"<!-- x --><html>":                 "a web page",
		"<svg xmlns='x'/>":                 "an SVG drawing",
		"<?xml version='1.0'?>\n<svg/>":    "an SVG drawing",
		"<?xml version='1.0'?>\n<rss/>":    "text",
		`{"error":"not found"}`:            "text",
		"Bonjour, ça va ? Да.":             "text",
		"%PDF-1.4":                         "a PDF",
		"PK\x03\x04":                       "an archive",
		"\x00\x01\x02\x03\x04\x05\x06\x07": "of an unknown kind",
		"GIF88a":                           "text",
		"\x7fELF\x02":                      "of an unknown kind",
	} {
		_, err := inspect([]byte(file))
		if KindOf(err) != NotMedia || !strings.Contains(err.Error(), "it is "+says+",") {
			t.Errorf("%q: %v, not %s", file, err, says)
		}
	}
	if _, err := Inspect(t.TempDir()); KindOf(err) != NotMedia {
		t.Errorf("a folder: %v", err)
	}
	if _, err := Inspect(filepath.Join(t.TempDir(), "gone")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

// TestCutOff: of a file that ends early either the headers are whole and say
// the same, or it is broken: never another size, never a panic.
func TestCutOff(t *testing.T) {
	t.Parallel()
	for name, file := range map[string][]byte{
		"gif": gifFile(t, 30, 20, 3), "png": pngFile(t, 9, 7), "apng": apng(9, 7, 3), "jpeg": jpegFile(t, 11, 13),
		"webp": webp(chunk("VP8X", "\x02\x00\x00\x00\x3f\x01\x00\xef\x00\x00"), anmf, anmf),
		"mp4":  film4("isom", "vide", false), "avif": still("avif"), "webm": webm("webm", 1),
	} {
		whole, err := inspect(file)
		if err != nil {
			t.Fatal(err)
		}
		for n := range file {
			got, err := inspect(file[:n])
			switch {
			case err != nil:
				if k := KindOf(err); k != Broken && k != NotMedia {
					t.Errorf("%s cut at %d: %v", name, n, err)
				}
			case got.Width != whole.Width || got.Height != whole.Height:
				t.Errorf("%s cut at %d: %v", name, n, got)
			case name != "gif" && name != "jpeg" && name != "webm" && name != "avif":
				t.Errorf("%s cut at %d of %d passes for whole", name, n, len(file))
			}
		}
	}
}

func TestHostileFiles(t *testing.T) {
	t.Parallel()
	many := func(n int, s string) string { return strings.Repeat(s, n) }
	for name, file := range map[string]string{
		"gif of extensions":       "GIF89a\x01\x00\x01\x00\x00\x00\x00" + many(100_000, "\x21\xfe\x01a\x00"),
		"gif without an end":      "GIF89a\x01\x00\x01\x00\x00\x00\x00\x21\xfe" + many(100_000, "\x01a"),
		"gif of padding":          "GIF89a\x01\x00\x01\x00\x00\x00\x00" + many(100_000, "\x00"),
		"gif without a frame":     "GIF89a\x01\x00\x01\x00\x00\x00\x00;",
		"gif with an empty frame": string(gifByHand(0, 0, 0, 0)),
		"png of empty chunks":     string(apng(1, 1, 1)[:33]) + many(100_000, "\x00\x00\x00\x00teXt\x00\x00\x00\x00"),
		"png with a long chunk":   string(apng(1, 1, 1)[:33]) + "\xff\xff\xff\xffIDAT",
		"png of zero size":        string(apng(0, 5, 1)),
		"png too large to be":     string(apng(1<<31, 1<<31, 1)),
		"png without pixels":      string(apng(1, 1, 1)[:33]) + "\x00\x00\x00\x00IEND\x00\x00\x00\x00",
		"jpeg of fill bytes":      "\xff\xd8" + many(100_000, "\xff"),
		"jpeg without pixels":     "\xff\xd8\xff\xd9",
		"jpeg of zero height":     "\xff\xd8\xff\xc0\x00\x0b\x08\x00\x00\x00\x10\x01\x01\x11\x00\xff\xda\x00\x03\x00\x00\x00\x00",
		"webp without pixels":     string(webp(chunk("EXIF", "ab"))),
		"webp larger than itself": "RIFF\xff\xff\xff\xffWEBP",
		"mp4 of tiny boxes":       boxOf("ftyp", "isom\x00\x00\x00\x00") + many(maxParts+1, "\x00\x00\x00\x08free"),
		"mp4 box without size":    boxOf("ftyp", "isom\x00\x00\x00\x00") + "\x00\x00\x00\x04moov",
		"mp4 box too long":        boxOf("ftyp", "isom\x00\x00\x00\x00") + "\x00\x00\x00\x01moov\xff\xff\xff\xff\xff\xff\xff\xff",
		"mp4 without a film":      boxOf("ftyp", "isom\x00\x00\x00\x00") + boxOf("moov", ""),
		"webm of tiny elements":   string(webm("webm", 1)[:20]) + many(maxParts+1, "\xec\x80"),
		"webm of another kind":    string(webm("evil", 1)),
		"mp3 that stops":          "ID3\x04\x00\x00\x7f\x7f\x7f\x7f",
		"ogg of something":        string(ogg("whatever")),
		"mp3 of one frame":        "\xff\xfb\x90\x00" + many(1000, "x"),
	} {
		if _, err := inspect([]byte(file)); KindOf(err) != Broken {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestFramesThatStayForEver(t *testing.T) {
	t.Parallel()
	slow := chunk("ANMF", "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\xff\x00")
	got, err := inspect(webp(chunk("VP8X", "\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00"), strings.Repeat(slow, 600_000)))
	if err != nil || got.Frames != 600_000 || got.Duration < 24*time.Hour || got.Rate <= 0 {
		t.Errorf("%+v, %v", got, err)
	}
}

func FuzzInspect(f *testing.F) {
	for _, b := range [][]byte{
		gifByHand(1, 1, 300, 300), apng(9, 7, 3), webp(chunk("VP8X", "\x02\x00\x00\x00\x3f\x01\x00\xef\x00\x00"), anmf, anmf),
		webp(chunk("VP8L", "\x2f\x3f\xc1\x3b\x00")), still("avif"), film4("isom", "vide", true), film4("M4A ", "soun", false), webm("webm", 1), mp3(),
		ogg("OpusHead"), []byte("<svg>"), []byte("\xff\xd8\xff\xc0\x00\x0b\x08\x00\x01\x00\x10\x01\x01\x11\x00\xff\xda\x00\x03\x00\x00\x00\x00"),
	} {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		info, err := inspect(b)
		if err != nil {
			if KindOf(err) == "" || info != (Info{}) {
				t.Errorf("%+v, %v", info, err)
			}
			return
		}
		if info.Type.Ext() == "" || info.Size != int64(len(b)) || info.Duration < 0 || info.Rate < 0 || info.Frames < 0 ||
			info.Width < 0 || info.Height < 0 || info.Width > maxSide || info.Height > maxSide {
			t.Errorf("%+v", info)
		}
		if (info.Type.Image() || info.Type.Video() && info.Type != OggVideo) && info.Pixels() < 1 {
			t.Errorf("no pixels: %+v", info)
		}
	})
}

func TestLimits(t *testing.T) {
	t.Parallel()
	mastodon := Limits{Types: []Type{GIF, PNG, MP4}, ImageBytes: 1000, ImagePixels: 10_000, GIFPixels: 5_000, VideoBytes: 2000, VideoPixels: 8_000, VideoRate: 60}
	for _, c := range []struct {
		l    Limits
		i    Info
		want string
	}{
		{mastodon, Info{Type: GIF, Width: 50, Height: 100, Size: 1000}, ""},
		{mastodon, Info{Type: GIF, Width: 51, Height: 100, Size: 1000}, "pixels"},
		{mastodon, Info{Type: PNG, Width: 100, Height: 100, Size: 1000}, ""},
		{mastodon, Info{Type: PNG, Width: 100, Height: 101, Size: 1000}, "pixels"},
		{mastodon, Info{Type: PNG, Width: 100, Height: 101, Size: 1001}, "bytes"},
		{mastodon, Info{Type: WebP}, "type"},
		{mastodon, Info{Type: MP4, Width: 80, Height: 100, Size: 2000, Rate: 60.3}, ""},
		{mastodon, Info{Type: MP4, Width: 81, Height: 100}, "pixels"},
		{mastodon, Info{Type: MP4, Rate: 61}, "rate"},
		{mastodon, Info{Type: MP4, Size: 2001}, "bytes"},
		{mastodon, Info{}, ""}, {mastodon, Info{Size: 2000}, ""}, {mastodon, Info{Size: 2001}, "bytes"},
		{Limits{}, Info{Type: GIF, Width: 60000, Height: 60000, Size: 1 << 40}, ""},
		{Limits{ImagePixels: 10}, Info{Type: GIF, Width: 11, Height: 1}, "pixels"},
		{Limits{GIFPixels: 10}, Info{Type: PNG, Width: 11, Height: 1}, ""},
		{Limits{VideoBytes: 10}, Info{Type: MP3, Size: 11}, "bytes"},
	} {
		err := c.l.Fits(c.i)
		u, is := errors.AsType[*Unfit](err)
		if is != (c.want != "") || is && (u.Limit != c.want || u.Error() == "") {
			t.Errorf("%+v: %v, want %q", c.i, err, c.want)
		}
	}
}
